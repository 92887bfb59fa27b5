#!/usr/bin/env bats
# The words before the hypervisor's command: its program is looked up and executed, and executes the
# hypervisor.
# shellcheck disable=SC2034,SC2154 # unchecked, vm, pid and status: common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# front NAME BODY: writes a program to be put before the hypervisor
front() {
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

@test "the prefix executes the hypervisor, which inherits what it needs" {
	local words
	# shellcheck disable=SC2016 # for the program
	front front 'echo "$1" >said; shift; exec "$@"'
	spec '{"prefix": ["./front", "a  b"]}'
	script 'acpi on ready up wait exit 1'
	start vm.json -p guest.pid
	await_file up
	await_text 'runs under'
	is "$(cat said)" 'a  b'
	is "$(cat guest.pid)" "$(fake_pids)"
	kill -TERM "$pid"
	ends 0
	is "$(cause)" stopped
	has 'pressing the power button'
	nothing_runs
	words=$(timeout 60 "$VMRUN" --run-dir run -d vm.json)
	case $words in
	"'"*) false ;;
	"$PWD/front 'a  b' $FAKEBHYVE -c "*) ;;
	*) is "$words" "$PWD/front 'a  b' $FAKEBHYVE -c ..." ;;
	esac
}

@test "a name is looked up in PATH, and the command is an event as it is executed" {
	spec '{"prefix": ["env", "-u", "FAKE_NOTHING"]}'
	script 'exit 1'
	vmrun --events events vm.json
	is "$status" 0
	is "$(cause)" poweroff
	is "$(jq -r 'select(.event == "spawned").argv[0:4] | join(" ")' events)" \
		"env -u FAKE_NOTHING $FAKEBHYVE"
	is "$(starts)" 1
}

@test "a target replaces the prefix, or removes it" {
	spec '{"prefix": ["nice", "-n", "5"], "targets": {"other": {"prefix": ["env"]}, "none": {"prefix": []},
		"unset": {"prefix": null}}}'
	is "$("$VMRUN" --run-dir run -d vm.json | cut -d' ' -f1-4)" "nice -n 5 $FAKEBHYVE"
	is "$("$VMRUN" --run-dir run -d vm.json -t other | cut -d' ' -f1-2)" "env $FAKEBHYVE"
	is "$("$VMRUN" --run-dir run -d vm.json -t none | cut -d' ' -f1)" "$FAKEBHYVE"
	is "$("$VMRUN" --run-dir run -d vm.json -t unset | cut -d' ' -f1)" "$FAKEBHYVE"
	is "$("$VMRUN" --run-dir run -d vm.json --set 'prefix=["time"]' | cut -d' ' -f1-2)" "time $FAKEBHYVE"
	is "$("$VMRUN" --run-dir run -d vm.json --hypervisor qemu --set qemu.accel=tcg --qemu /q/emu | cut -d' ' -f1-4)" \
		'nice -n 5 /q/emu'
}

@test "a prefix that closes the descriptor of the lock: start_failed, and it says so" {
	front front 'exec 5>&-
exec "$@"'
	spec '{"prefix": ["./front"]}'
	script 'acpi on ready up deaf'
	vmrun vm.json
	is "$status" 4
	is "$(cause)" start_failed
	has 'has closed descriptor 5'
	has 'a prefix or a wrapper must leave descriptors open'
	nothing_runs
}

@test "a missing program of the prefix" {
	spec '{"prefix": ["./no-such", "x"]}'
	vmrun vm.json
	is "$status" 127
	has "could not start the VM: $PWD/no-such: No such file or directory"
	unchecked=()
	vmrun vm.json
	is "$status" 127
	has "$PWD/no-such: No such file or directory (prefix)"
	: >no-such
	vmrun vm.json
	is "$status" 126
	[ ! -e starts ]
}

@test "a prefix that cannot execute the hypervisor" {
	spec '{"prefix": ["env"]}'
	vmrun --bhyve /no/such/bhyve vm.json
	is "$status" 127
	is "$(cause)" start_failed
	: >plain
	vmrun --bhyve ./plain vm.json
	is "$status" 126
	is "$(cause)" start_failed
	# Without a prefix, the status is that of the hypervisor.
	front wrapper 'exit 127'
	spec
	vmrun --bhyve ./wrapper vm.json
	is "$status" 4
	is "$(cause)" error
}

@test "a prefix that stays between: vmrun waits for the hypervisor that it leaves behind" {
	front front '"$@" &
echo $! >kept
wait $!'
	spec '{"prefix": ["./front"]}'
	script 'acpi on ready up wait exit 1'
	start vm.json -p guest.pid
	await_file up
	await_text 'runs under'
	await test -s kept
	pids+=("$(cat kept)")
	kill -KILL "$(cat guest.pid)"
	ends 137
	is "$(cause)" killed
	kill -0 "$(cat kept)"
	vmrun vm.json
	is "$status" 75
	has 'still runs'
	kill -KILL "$(cat kept)"
}

@test "the sandbox refuses a prefix" {
	spec '{"prefix": ["nice"]}'
	vmrun --sandbox --allow "$rom" vm.json
	is "$status" 65
	has 'prefix: the sandbox refuses this key, which runs a command of the host: remove it'
	spec '{"prefix": []}'
	script 'exit 1'
	vmrun --sandbox --allow "$rom" vm.json
	is "$status" 0
}

@test "the file for bhyve -k has no prefix, and says so" {
	spec '{"prefix": ["nice", "-n", "5"]}'
	timeout 60 "$VMRUN" --run-dir run --print bhyve_config vm.json >out 2>err
	lacks 'nice=' out
	cat out err >both
	has 'nice -n 5: the prefix cannot be written as variables' both
}
