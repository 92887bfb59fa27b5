#!/usr/bin/env bats
# Reports to the program that started vmrun that the VM is up: --ready-fd and sd_notify.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	receiver=
}

teardown() {
	[ -z "$receiver" ] || kill "$receiver" || :
	common_teardown
}

# --- --ready-fd ---

@test "a newline once the hypervisor is up, and the end of the pipe" {
	lua 'function vm.on_start() print("asked") io.open("gate"):read("a") end'
	mkfifo gate ready
	script 'acpi on ready up wait exit 1'
	cat ready >got &
	reader=$!
	exec 7>ready
	start --ready-fd 7 vm.lua
	exec 7>&-
	exec 8>gate # vmrun is in on_start
	[ ! -s got ]
	exec 8>&-
	wait "$reader" # at the end of the pipe, while the VM runs
	is "$(od -An -c got | tr -d ' ')" '\n'
	kill -0 "$pid"
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
}

@test "one newline, however often it boots" {
	spec
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun --ready-fd 7 vm.json 7>got
	is "$status" 0
	is "$(starts)" 3
	is "$(wc -c <got)" 1
}

@test "where the spec has ready, once the guest is ready and its on_ready waits" {
	lua "vm.hook_timeout = 600
		vm.ready = { exec = { 'test', '-e', '$PWD/answers' }, every = 0.05 }
		function vm.on_ready()
			print('computes')
			repeat local f = io.open('$PWD/go') until f
			vmrun.sleep(600)
		end"
	script 'acpi on ready up wait exit 1'
	start --ready-fd 7 --events events vm.lua 7>got
	await_file up
	[ ! -s got ]
	touch answers
	await_text computes
	[ ! -s got ]
	touch go
	await test -s got
	is "$(wc -c <got)" 1
	kill -TERM "$pid"
	ends 0
}

@test "none when it never comes up" {
	spec
	vmrun --ready-fd 7 --bhyve ./nope vm.json 7>got
	is "$status" 127
	[ ! -s got ]
	lua 'function vm.on_start() return false, "not today" end'
	vmrun --ready-fd 7 vm.lua 7>got
	is "$status" 69
	[ ! -s got ]
}

@test "a VM that waits for its viewer is up" {
	spec '{"graphic": {"wait": true, "port": "auto"}}'
	script 'ready up waitfile never'
	start --ready-fd 7 vm.json 7>got
	await test -s got
	kill -TERM "$pid"
	ends 0
}

@test "the descriptor is nobody else's" {
	[ -d /proc/self/fd ] || skip 'no /proc/self/fd'
	lua 'function vm.on_start()
			local _, fds = vmrun.exec { "sh", "-c", "ls -l /proc/self/fd" }
			print(fds)
		end
		vm.companions = { { name = "other", command = { "sh", "-c", "ls -l /proc/self/fd >fds; mv fds companion; sleep 60" },
			ready = { path = "companion" } } }'
	script 'acpi on ready up wait exit 1'
	start --ready-fd 7 vm.lua 7>got
	await_file up
	await_text 'runs under'
	ls -l "/proc/$(cat up)/fd" >hypervisor
	lacks "$PWD/got" hypervisor
	lacks "$PWD/got" companion
	lacks "$PWD/got" err
	has ' -> ' hypervisor
	has ' -> ' companion
	has ' -> ' err
	kill -TERM "$pid"
	ends 0
}

@test "a reader that has gone is a warning" {
	spec
	mkfifo pipe
	exec 8<>pipe 7>pipe 8>&-
	vmrun --ready-fd 7 vm.json
	exec 7>&-
	is "$status" 0
	has "$vm: warning: --ready-fd: Broken pipe"
}

@test "a number that is no good is told at once: 64" {
	spec
	local number
	for number in 0 1 2; do
		vmrun --ready-fd $number vm.json
		is "$status" 64
		has "vmrun: --ready-fd $number: 0, 1 and 2 are the program's own"
	done
	vmrun --ready-fd 9 vm.json 9>&-
	is "$status" 64
	has 'vmrun: --ready-fd 9: it is not open'
	vmrun --ready-fd 99999999999 vm.json
	is "$status" 64
	has 'it is not open'
	vmrun --ready-fd 9 vm.json 9</dev/null
	is "$status" 64
	has 'vmrun: --ready-fd 9: it is open for reading only'
	vmrun --ready-fd 9 --events fd:9 vm.json 9>got
	is "$status" 64
	has '--events fd:9: --ready-fd names that descriptor, too, and closes it'
	vmrun --ready-fd x vm.json
	is "$status" 64
	has 'expected a whole number'
	is "$(starts)" ''
}

# --- sd_notify ---

# listen SOCKET: starts a service manager at the socket; the file heard has what it received
listen() {
	: >heard
	"$RECEIVE" "$1" >heard 3>&- &
	receiver=$!
	await_text listening heard
	export NOTIFY_SOCKET=$1
}

more_ready() {
	[ "$(grep -c READY=1 heard)" -gt "$(grep -c READY=1 heard.before)" ]
}

@test "READY when it is up, STATUS as it goes, STOPPING when it stops" {
	listen "$PWD/notify"
	spec '{"stop": [{"do": "acpi", "wait": 3600}, {"do": "kill", "wait": 5}]}'
	script 'acpi on ready up deaf'
	start vm.json
	await_file up
	await_text READY heard
	has "READY=1|STATUS=running, target default, pid $(cat up), boot 1|" heard
	kill -TERM "$pid"
	await_text STOPPING heard
	has "STOPPING=1|STATUS=stopping, target default, pid $(cat up), boot 1, step 1 (acpi)|" heard
	stop_again "$pid"
	ends 0
	is "$(grep -c READY heard)" 1
	is "$(grep -c STOPPING heard)" 1
	is "$(sed -n 2p heard)" 'STATUS=waiting, target default|'
}

@test "boot after boot: READY once, STATUS with each, STOPPING at a power off" {
	listen "$PWD/notify"
	spec
	script 'ready one waitfile go exit 0' 'ready two waitfile go2 exit 1'
	start vm.json
	await_file one
	await_text 'boot 1|' heard
	touch go
	await_text "boot 2, last exit reboot|" heard
	touch go2
	ends 0
	await_text STOPPING heard
	is "$(grep -c READY heard)" 1
	is "$(grep -c STOPPING heard)" 1
}

@test "SIGHUP: RELOADING with the time, and READY when it is over, also with a bad spec" {
	listen "$PWD/notify"
	spec
	script 'acpi on ready up wait exit 1'
	start vm.json
	await_file up
	await_text READY heard
	for text in "$(cat vm.json)" '{'; do
		cp heard heard.before
		echo "$text" >vm.json
		kill -HUP "$pid"
		await more_ready
	done
	is "$(grep -cE '^RELOADING=1\|MONOTONIC_USEC=[0-9]+\|$' heard)" 2
	is "$(grep -c READY=1 heard)" 3
	kill -TERM "$pid"
	ends 0
}

@test "a name that is no path, where the system has such" {
	[ "$(uname -s)" = Linux ] || skip 'abstract names are of Linux'
	listen "@vmrun-$vm"
	spec
	vmrun vm.json
	is "$status" 0
	await_text STOPPING heard
	has 'READY=1|' heard
}

@test "nobody there, or nothing that could be: the VM runs all the same" {
	spec
	NOTIFY_SOCKET=$PWD/nobody vmrun vm.json
	is "$status" 0
	for name in relative @ "$(printf '/%0200d' 0)"; do
		NOTIFY_SOCKET=$name vmrun vm.json
		is "$status" 0
		has 'warning: NOTIFY_SOCKET: no path of a socket'
	done
	is "$(starts)" 4
}

@test "it is not our children's, nor the spec's" {
	listen "$PWD/notify"
	lua 'print("has", vmrun.env.NOTIFY_SOCKET, os.getenv("NOTIFY_SOCKET"))
		function vm.on_start()
			local _, words = vmrun.exec { "env" }
			print(words)
		end'
	vmrun vm.lua
	is "$status" 0
	has "$(printf 'has\tnil\tnil')"
	has 'HOME='
	lacks NOTIFY_SOCKET
}
