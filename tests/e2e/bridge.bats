#!/usr/bin/env bats
# A tap made for a bridge, in a network namespace of its own, with a real guest.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	command -v ip >/dev/null || skip 'ip(8) is not installed'
	net=vmrun-$vm
	ip netns add "$net" 2>/dev/null || skip 'no network namespace can be made here (not root?)'
	net ip tuntap add dev probe mode tap 2>/dev/null || skip 'no tap can be made here'
	net ip link del dev probe
	printf '#!/bin/sh\nexec ip netns exec %s "%s" "$@"\n' "$net" "$VMRUN" >vmrun-in-net
	chmod +x vmrun-in-net
	VMRUN=$PWD/vmrun-in-net
	net ip link add name br0 type bridge
	net ip link set dev br0 up
	rom '{"emulations":[{"device":"virtio-net","bridge":"br0","slot":3}]}'
}

teardown() {
	common_teardown
	[ -z "${net:-}" ] || ip netns del "$net" 2>/dev/null || :
}

net() {
	ip netns exec "$net" "$@"
}

# taps: names of the taps there are, in one line
taps() {
	net ip -o link show type tun | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort | tr '\n' ' '
}

@test "made, joined and up while the VM runs, gone at the end" {
	start_guest b
	is "$(taps)" 'tap0 '
	net ip -o link show dev tap0 | grep -q 'master br0'
	net ip -o link show dev tap0 | grep -q '<.*[<,]UP[,>]'
	kill -TERM "$pid"
	ends 0
	is "$(taps)" ''
	net ip link show dev br0 >/dev/null
	sed -i 's/\r$//' out
	has 'pci 0:3:0 1af4:1000' out
}

@test "kept over the reboots of the guest" {
	net ip monitor link >monitor 2>&1 3>&- &
	pids+=("$!")
	guest rrr --reboot-count 2
	is "$status" 0
	is "$(grep -c '^vmrun demo guest' out)" 3
	is "$(taps)" ''
	await grep -q 'Deleted.*tap0' monitor
	# it is one and the same interface: numbers are not given twice
	is "$(grep -o '[0-9]*: tap0:' monitor | sort -u | wc -l)" 1
}

@test "a name that somebody has is left alone" {
	net ip tuntap add dev tap0 mode tap
	start_guest b
	is "$(taps)" 'tap0 tap1 '
	kill -TERM "$pid"
	ends 0
	is "$(taps)" 'tap0 '
}

@test "gone too when the hypervisor fails" {
	vmrun vm.json -- -no-such-option
	is "$status" 4
	is "$(taps)" ''
}

@test "after a kill: vmrun's tap is destroyed, one that another program made in its place stays" {
	local qemu
	start_guest b
	qemu=$(qemu_pid)
	kill -KILL "$pid"
	await is_gone "$qemu"
	is "$(taps)" 'tap0 '
	start_guest b
	is "$(taps)" 'tap0 '
	has 'released: ip link del dev tap0'
	qemu=$(qemu_pid)
	kill -KILL "$pid"
	await is_gone "$qemu"
	net ip link del dev tap0
	net ip tuntap add dev tap0 mode tap
	start_guest b
	has 'tap0 is no longer the interface that vmrun created, so vmrun keeps it'
	is "$(taps)" 'tap0 tap1 '
	kill -TERM "$pid"
	ends 0
	is "$(taps)" 'tap0 '
}

@test "two interfaces, two taps" {
	rom '{"emulations":[{"device":"virtio-net","bridge":"br0"},{"device":"e1000","bridge":"br0"}]}'
	start_guest b
	is "$(taps)" 'tap0 tap1 '
	kill -TERM "$pid"
	ends 0
	is "$(taps)" ''
}

@test "a bridge that is not there: told, and made by --fix" {
	net ip link del dev br0
	vmrun vm.json
	is "$status" 69
	has 'br0: no such interface'
	has 'fix: ip link add name br0 up type bridge'
	is "$(taps)" ''
	guest p --fix
	is "$status" 0
	net ip -o link show dev br0 | grep -q '<.*[<,]UP[,>]'
	is "$(taps)" ''
}

@test "a tap of the host: made and switched on by --fix, or only switched on" {
	rom '{"emulations":[{"device":"virtio-net","name":"tap5"}]}'
	vmrun vm.json
	is "$status" 69
	has 'fix: ip tuntap add dev tap5 mode tap'
	start_guest b --fix
	net ip -o link show dev tap5 | grep -q '<.*[<,]UP[,>]'
	kill -TERM "$pid"
	ends 0
	is "$(taps)" ''

	net ip tuntap add dev tap5 mode tap
	vmrun vm.json
	is "$status" 69
	has 'tap5: is down: the guest would reach nothing'
	guest p --fix
	is "$status" 0
	net ip -o link show dev tap5 | grep -q '<.*[<,]UP[,>]'
	guest p
	is "$status" 0
}

@test "a dry run makes nothing" {
	vmrun -d vm.json
	is "$status" 0
	has tapAUTO out
	has 'tapAUTO'
	is "$(taps)" ''
}
