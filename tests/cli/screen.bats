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
	is "$(for n in 1 2 3; do argv $n | grep -c 'fbuf,.*wait'; done | paste -sd' ')" '1 0 0'
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
	script 'ready up waitfile finished exit 1' 'exit 1'
	start vm.json
	await_file up
	first=$pid
	jq '.name += "-b"' vm.json >other.json
	vmrun other.json
	is "$status" 0
	[ "$(port 1)" != "$(port 2)" ]
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
	has 'mended: ifconfig tap9 create up'
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
}
