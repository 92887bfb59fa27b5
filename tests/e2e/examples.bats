#!/usr/bin/env bats
# Specs of examples/ with real guests: the demo guest resets when it sees a CD and powers off when
# it does not, which is all that an installation looks like from outside.
# shellcheck disable=SC2154,SC2034 # shared with ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	unchecked=(--state-dir "$PWD/state")
}

teardown() {
	common_teardown
}

# small NAME: an example with the demo guest, small disks, and without the networks of its host
small() {
	jq --arg rom "$GUEST" --arg name "$vm" --arg here "$PWD/" '
		def small: map(select(.device != "virtio-net" and .device != "virtio-9p") |
			if .path then .path = $here + (.path | split("/") | last) else . end);
		del(.varfile, .graphic) | .name = $name | .bootrom = $rom | .mem = "64M" | .cpu = 1 |
		.com1 = "stdio" | .qemu = {accel: "tcg"} | .backoff = {initial: 0.01, max: 0.02} |
		.emulations |= small | .targets[]? |= (if .emulations then .emulations |= small else . end)' \
		"$SOURCE/examples/$1" >vm.json
	jq -r '.. | .path? // empty' vm.json | xargs truncate -s 1M
}

booted() {
	sed -n 's/.*: target \(.*\) runs under .*/\1/p' err | paste -sd' ' -
}

cds() {
	sed -n 's/^ahci .* cd\r*$/cd/p' out | wc -l
}

@test "install-once.json installs once, also when it is started again" {
	small install-once.json
	vmrun -t install vm.json
	is "$status" 0
	is "$(booted)" 'install default'
	is "$(cds)" 1
	vmrun -t install vm.json
	is "$status" 0
	is "$(booted)" default
	is "$(cds)" 0
	has 'boots default in place of install'
}

@test "staged.json goes through its stages to the VM itself" {
	small staged.json
	vmrun -t firmware vm.json
	is "$status" 0
	is "$(booted)" 'firmware install configure default'
	is "$(cds)" 3
}

@test "rescue.json boots the rescue CD after three faults" {
	small rescue.json
	guest t
	is "$status" 3
	is "$(booted)" 'default default default rescue'
	has '3 faults in a row'
}

@test "ab-upgrade.json stays in its slot" {
	small ab-upgrade.json
	vmrun -t a vm.json
	is "$status" 0
	is "$(booted)" a
	vmrun -t b vm.json
	is "$(booted)" a
	has 'boots a in place of b'
}
