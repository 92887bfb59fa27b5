#!/usr/bin/env bats
# What --simulate says is what a run does: the same targets, causes, actions and deciders, and the
# same end. Here: the examples.
# shellcheck disable=SC2154 # vm and rom: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	load examples
	walking_setup
}

teardown() {
	common_teardown
}

# example NAME [OPTION VALUE]... -- LIST...: each list, quickly
example() {
	local words=() file=$SOURCE/examples/$1 list
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	for list; do
		same "$list" "${quick[@]}" "${words[@]}" "$file"
	done
}

# The interfaces and devices that the examples look for.
make_host() {
	fake_host "$PWD/host"
	echo 'bridge0 up' >host/interfaces
	printf 'ppt%d@pci0:3:0:%d:\tclass=0x030000 rev=0xa1 hdr=0x00 vendor=0x10de device=0x%s subvendor=0x1043 subdevice=0x85ac\n' \
		0 0 1c03 1 1 10f1 >host/pci
}

@test "hello.lua, readme.json, fleet.lua, jail/vm.json: what everybody begins with" {
	make_host
	export VMRUN_GUEST=$rom VM=web1
	example hello.lua -t install -- reboot,poweroff poweroff error reboot,triple_fault
	example readme.json -t install -- reboot,reboot,poweroff stopped
	example fleet.lua -- reboot,reboot,halt
	example jail/vm.json -- reboot,reboot,stopped
}

@test "policy.json" {
	local target
	make_host
	for target in default rescue install; do
		example policy.json -t "$target" -- triple_fault,reboot,poweroff triple_fault,triple_fault \
			reboot,reboot,reboot,reboot,reboot,reboot,reboot,stopped check_failed
	done
}

@test "install-once.json and rescue.json" {
	make_host
	example install-once.json -t install -- reboot,reboot,poweroff error poweroff stopped
	example rescue.json -- triple_fault,killed,triple_fault,reboot,poweroff reboot,killed,error \
		triple_fault,triple_fault,triple_fault,killed triple_fault@0.2,reboot,3,3,3,reboot,poweroff
}

@test "ab-upgrade.json" {
	make_host
	example ab-upgrade.json -t a -- reboot,poweroff reboot,triple_fault stopped
	example ab-upgrade.json -t b -- reboot,reboot,error
}

@test "staged.json and backoff.json" {
	make_host
	touch vars.fd
	example staged.json --set "varfile=$PWD/vars.fd" -t firmware -- reboot,poweroff,reboot,reboot,poweroff reboot,triple_fault \
		reboot,reboot,error reboot,reboot,stopped
	example staged.json --set "varfile=$PWD/vars.fd" -t install -- poweroff,poweroff halt reboot,reboot,reboot,1
	example backoff.json -- killed,triple_fault,killed,triple_fault,triple_fault,reboot,poweroff \
		3,3,3,3,3,3,3,3,3,3,3 killed,poweroff stopped
}

@test "passthru.json: a card that cannot be had" {
	make_host
	# As in shrink.json below: memory is wired in every target.
	example passthru.json --set wire_guest_mem=true -- check_failed,poweroff reboot,check_failed,reboot,triple_fault \
		check_failed,check_failed,halt
	example passthru.json --set wire_guest_mem=true -t without -- reboot,check_failed,poweroff
}

@test "shrink.json, and window.json without its window, since it may be day" {
	# Without a network: fakebhyve with a state of the host wants a VM destroyed before its memory changes.
	example shrink.json --set 'emulations=[]' -- killed,killed,killed killed,reboot,killed,poweroff poweroff stopped
	make_host
	example window.json --set 'hooks=[]' -- triple_fault reboot,error reboot,stopped
}
