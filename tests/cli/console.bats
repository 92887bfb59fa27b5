#!/usr/bin/env bats
# A serial port on stdio, and the modes of the terminal.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
	spec '{"com1": "stdio"}'
}

teardown() {
	common_teardown
}

# echoing: makes a hypervisor that echoes the input of its console, line by line
echoing() {
	printf '#!/bin/sh\nwhile read -r line; do echo "got $line"; done\nexit 1\n' >bhyve
	chmod +x bhyve
}

# at_terminal ARG...: runs vmrun with its own terminal as stdin and stdout, and the file err as stderr
at_terminal() {
	status=0
	"$PTY" "$VMRUN" "${stated[@]}" "$@" >out 2>err 3>&- <"${input:-/dev/null}" || status=$?
}

@test "stdio passes bytes both ways, and nothing of vmrun's own on stdout" {
	echoing
	printf 'one\ntwo \001\377 x\n' | "$VMRUN" "${stated[@]}" --bhyve ./bhyve vm.json >out 2>err
	printf 'got one\ngot two \001\377 x\n' | cmp - out
}

@test "a spec from stdin: the console is empty without a terminal" {
	echoing
	printf '%s\nnot for the guest\n' "$(cat vm.json)" >both
	(in_session "$VMRUN" "${stated[@]}" --bhyve ./bhyve - <vm.json >out 2>err)
	[ ! -s out ]
	has 'the guest powered off'
}

@test "a spec from stdin: the console is the terminal, if there is one" {
	echo typed >typed
	printf '#!/bin/sh\nread -r line; echo "got $line" >got\nexit 1\n' >bhyve
	chmod +x bhyve
	cat >inner <<-END
		#!/bin/sh
		exec "$VMRUN" ${stated[*]} --bhyve ./bhyve - <vm.json
	END
	chmod +x inner
	status=0
	"$PTY" ./inner <typed >out 2>err || status=$?
	is "$status" 0
	is "$(cat got)" 'got typed'
}

# terminal_start: does the same in the background; pid is that of the helper, vmrun.pid has vmrun's
terminal_start() {
	: >out
	: >err
	"$PTY" "$VMRUN" "${stated[@]}" -P vmrun.pid "$@" >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
}

@test "the terminal is as before: after every end, boot after boot" {
	script 'print first waitfile one exit 0' 'print second waitfile two exit 1'
	terminal_start vm.json
	await_text first out
	touch one
	await_text second out
	touch two
	ends 0
	has 'terminal: touched, restored'
}

@test "also when the hypervisor was killed" {
	local signal
	for signal in 9 6 15; do
		rm -f go
		script "print up waitfile go signal $signal"
		terminal_start vm.json
		await_text up out
		touch go
		ends $((128 + signal))
		has 'terminal: touched, restored'
	done
	# SIGKILL from another process
	rm -f up
	script 'print up ready up hang'
	terminal_start vm.json
	await_file up
	await_text 'runs under'
	await_text up out
	kill -KILL "$(cat up)"
	ends 137
	has 'terminal: touched, restored'
}

@test "also when vmrun was asked to stop" {
	script 'acpi on print up ready up wait exit 1'
	terminal_start vm.json
	await_file up
	await_text 'runs under'
	await_text up out
	kill -TERM "$(cat vmrun.pid)"
	ends 0
	has 'terminal: touched, restored'
}

@test "the next boot finds the terminal as the user left it" {
	printf '#!/bin/sh\nstty -a >>modes\nstty raw -echo\necho x >>boots\n[ "$(wc -l <boots)" -lt 3 ]\n' >bhyve
	chmod +x bhyve
	at_terminal --bhyve ./bhyve vm.json
	is "$status" 0
	is "$(wc -l <boots)" 3
	head -n "$(($(wc -l <modes) / 3))" modes >first
	cat first first first | cmp - modes
}

@test "O_NONBLOCK is taken off a pipe that others read and write" {
	[ -r /proc/self/fdinfo/0 ] || skip 'no /proc/self/fdinfo'
	mkfifo in out_pipe
	exec 8<>in 9<>out_pipe
	script 'raw print up signal 9'
	status=0
	"$VMRUN" "${stated[@]}" vm.json <&8 >&9 2>err || status=$?
	is "$status" 137
	# O_NONBLOCK is 04000
	for fd in 8 9; do
		is $(($(awk '/^flags/ { print $2 }' "/proc/$BASHPID/fdinfo/$fd") & 04000)) 0
	done
	exec 8>&- 9>&-
}

@test "at a terminal it says how to stop it" {
	script 'print up exit 1'
	at_terminal vm.json
	grep -qE 'to stop the VM: kill [0-9]+' err
	"$VMRUN" "${stated[@]}" vm.json >out 2>err </dev/null
	lacks 'to stop the VM: kill'
}

@test "without a port on stdio the hypervisor does not see stdin" {
	spec
	printf '#!/bin/sh\nread -r line && echo "got $line" >&2\nexit 1\n' >bhyve
	chmod +x bhyve
	echo secret | "$VMRUN" "${stated[@]}" --bhyve ./bhyve vm.json >out 2>err
	lacks secret
}
