#!/usr/bin/env bats
# A screen from boot to boot: its port, its password, and the client that the first boot waits for.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# argv N: prints the words of the N-th start
argv() {
	sed -n "$1p" "$FAKEBHYVE_LOG" | jq -r '.argv[]'
}

# port N: prints the port of the screen of the N-th start
port() {
	argv "$1" | sed -n 's/.*rfb=127\.0\.0\.1:\([0-9]*\).*/\1/p'
}

@test "only the first boot waits for a client" {
	spec '{"graphic": {"wait": true, "port": "auto"}}'
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(for n in 1 2 3; do argv $n | grep -c 'fbuf,.*wait'; done | paste -sd' ' -)" '1 0 0'
}

@test "an automatic port is free, and stays over the guest's reboots" {
	spec '{"graphic": {"port": "auto"}}'
	script 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	[ "$(port 1)" -ge 5900 ]
	is "$(port 1)" "$(port 2)"
}

@test "two VMs with automatic ports do not meet" {
	spec '{"graphic": {"port": "auto"}}'
	export FAKEBHYVE_LISTEN=1
	# Another test may take the port first: then the hypervisor is started again.
	local runs='ready up waitfile finished exit 1'
	script "$runs" "$runs" "$runs" "$runs" "$runs"
	start vm.json
	await_file up
	first=$pid
	taken=$(port "$(wc -l <starts)")
	jq '.name += "-b"' vm.json >other.json
	script 'exit 1'
	vmrun other.json
	is "$status" 0
	[ "$(port "$(wc -l <starts)")" != "$taken" ]
	: >finished
	pid=$first
	ends 0
}

@test "an automatic port that is gone after a fix is looked for again" {
	fake_host
	printf 'vmm.ko\nif_tuntap.ko\n' >state/modules
	: >state/interfaces
	printf 'hw.physmem=8589934592\nhw.vmm.maxcpu=16\n' >state/sysctls
	mkdir front
	cat >front/ifconfig <<-END
		#!/bin/bash
		[ "\$*" != "tap9 create up" ] || $(printf %q "$PWD")/taker
		exec $(printf %q "$(command -v ifconfig)") "\$@"
	END
	# Takes the first free port, as vmrun does, and keeps it until the end of the test.
	cat >taker <<-'END'
		#!/usr/bin/env python3
		import os, socket
		for port in range(5900, 65536):
		    s = socket.socket()
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    try:
		        s.bind(("127.0.0.1", port))
		        s.listen()
		        break
		    except OSError:
		        s.close()
		if os.fork() == 0:
		    os.setsid()
		    with open("taker.pid", "w") as f: f.write("%d\n" % os.getpid())
		    null = os.open("/dev/null", os.O_RDWR)
		    for fd in 0, 1, 2: os.dup2(null, fd)
		    s.accept()
		while not os.path.exists("taker.pid"): pass
		with open("taken", "w") as f: f.write("%d\n" % port)
	END
	chmod +x taker front/ifconfig
	spec '{"graphic": {"port": "auto"}, "emulations": [{"device": "virtio-net", "name": "tap9"}]}'
	script 'exit 1'
	# shellcheck disable=SC2034 # used by common.bash
	unchecked=()
	PATH=$PWD/front:$PATH vmrun --fix vm.json
	kill -KILL "$(cat taker.pid)"
	is "$status" 0
	has 'fixed: ifconfig tap9 create up'
	[ "$(port 1)" -gt "$(cat taken)" ]
}

# seen SECRET: returns whether it is anywhere that other users can read
seen() {
	grep -F -e "$1" out err "$FAKEBHYVE_LOG" "/proc/$(cat up)/cmdline" "/proc/$pid/cmdline" 2>/dev/null
}

@test "a password reaches bhyve by a file that only we can read, and is gone at the end" {
	local file=$BATS_RUN_TMPDIR/run/$vm/secret
	spec '{"graphic": {"port": "auto", "password": "geheim1"}}'
	export FAKEBHYVE_DUMP=$PWD/tree
	script 'ready up waitfile finished exit 1'
	start vm.json
	await_file up
	is "$(stat -c %a "$file")" 600
	argv 1 | grep -qx -e "$file"
	is "$(seen geheim1)" ''
	: >finished
	ends 0
	has 'password=geheim1' tree
	[ ! -e "$file" ]
}

@test "password_file: its first line, read at each boot; without it 69" {
	spec '{"graphic": {"port": "auto", "password_file": "pw"}}'
	export FAKEBHYVE_DUMP=$PWD/tree
	printf 'eins\nzwei\n' >pw
	script 'exit 1'
	vmrun vm.json
	is "$status" 0
	has 'password=eins' tree
	lacks eins "$FAKEBHYVE_LOG"
	rm pw
	vmrun vm.json
	is "$status" 69
	has "$PWD/pw"
	: >pw
	vmrun vm.json
	is "$status" 69
	has 'empty'
	rm pw
	mkdir pw
	vmrun vm.json
	is "$status" 69
	has "password_file: $PWD/pw: Is a directory"
}

@test "the screen, the ports and the taps of a run are told at the start, and later what differs" {
	spec '{"graphic": {"wait": true, "port": "auto", "password": "hunter2"}, "com1": "/dev/nmdm8A",
		"gdb": "5123", "emulations": [{"device": "virtio-net", "name": "tap7"}]}'
	script 'exit 0' 'ready up waitfile finished exit 1'
	start --events events vm.json
	await_file up
	await grep -qxF "vmrun: $vm: screen: vnc://127.0.0.1:$(port 2), asks for a password" err
	has "$vm: screen: vnc://127.0.0.1:$(port 1), asks for a password, waiting for a viewer"
	has "$vm: console: cu -l /dev/nmdm8B"
	has "$vm: com1: /dev/nmdm8B"
	has "$vm: gdb: 127.0.0.1:5123"
	has "$vm: virtio-net-0: tap7"
	is "$(grep -c -e ' console: ' -e ' com1: ' -e ' gdb: ' -e ' virtio-net-0: ' err)" 4
	is "$("$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" status --json | jq -c '[.screen, .console, .accel, .ready]')" \
		"[\"vnc://127.0.0.1:$(port 2)\",\"cu -l /dev/nmdm8B\",null,null]"
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" status >said
	has "screen     vnc://127.0.0.1:$(port 2)" said
	has 'console    cu -l /dev/nmdm8B' said
	has 'device     com1: tty /dev/nmdm8B' said
	has 'device     virtio-net-0: tap tap7' said
	has "device     fbuf-0: host 127.0.0.1, port $(port 2)" said
	lacks xhci said
	lacks accel said
	: >finished
	ends 0
	is "$(jq -c 'select(.event == "spawned") | .devices["virtio-net-0"], .devices.com1' events | sort -u)" \
		'{"slot":"0:1:0","tap":"tap7"}
{"tty":"/dev/nmdm8B"}'
	lacks hunter2 events
	lacks hunter2 err
}

@test "a free pair of nmdm, a tap for a bridge and vmrun's own console are told to hooks, too" {
	fake_host
	printf 'vmm.ko\nif_tuntap.ko\nnmdm.ko\n' >state/modules
	echo 'bridge0 up' >state/interfaces
	# shellcheck disable=SC2034 # used by common.bash
	unchecked=()
	lua 'vm.com1 = "console" vm.com2 = "nmdm"
		vm.emulations = { { device = "virtio-net", bridge = "bridge0" } }
		local function tell(boot)
			local net = boot.devices["virtio-net-0"]
			print(boot.devices.com2.tty, net.tap, net.bridge, net.slot, boot.spec.emulations[1].mac)
		end
		vm.on_start, vm.on_started = tell, tell'
	script 'exit 1'
	vmrun vm.lua
	is "$status" 0
	is "$(grep -c -P '^vmrun: /dev/nmdm0B\ttap0\tbridge0\t0:1:0\t58:9c:fc:' err)" 2
	has "$vm: console: vmrunctl -r $BATS_RUN_TMPDIR/run $vm console"
	has "$vm: com2: /dev/nmdm0B"
	has "$vm: virtio-net-0: tap0 on bridge0"
	await grep -qE "$vm: com1: /dev/pts/[0-9]+" err
}

@test "a note is told at the first boot that has it" {
	spec '{"graphic": {"vga": "on"}}'
	script 'exit 0' 'exit 0' 'exit 3'
	vmrun vm.json
	is "$status" 3
	is "$(grep -c 'note: fbuf-0: with vga "on"' err)" 1
}
