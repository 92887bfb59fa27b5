#!/usr/bin/env bats
# The managers of examples/: several VMs, their events, what they decide, and a stop of all of them.
# shellcheck disable=SC2154 # vm, rom, pid and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	fake_host
	echo vmm.ko >state/modules
}

teardown() {
	common_teardown
}

# specs COUNT [JSON]: makes the specs vm1.json, vm2.json ...
specs() {
	local n
	spec "${2:-"{}"}"
	for n in $(seq "$1"); do
		sed "s/\"name\": \"$vm\"/\"name\": \"$vm-$n\"/" vm.json >"vm$n.json"
	done
	rm vm.json
}

# manage PROGRAM ARG...: runs a manager of all specs in the background
manage() {
	"$@" vm*.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
}

# in_c [ARG...]: runs examples/manager.c
in_c() {
	manage "$MANAGER" -y bhyve -b "$FAKEBHYVE" -r "$PWD/run" -s "$PWD/keep" "$@"
}

# count TEXT: prints the number of lines of out with this text
count() {
	grep -cF -e "$1" out || :
}

# await_count N TEXT: waits for N lines of out with this text
await_count() {
	await eval "[ \"\$(count '$2')\" = $1 ]"
}

@test "manager.c: 100 VMs in one process, SIGINT stops all of them" {
	specs 100
	for _ in $(seq 100); do echo 'acpi on wait exit 1'; done >script
	in_c
	await_count 100 ': spawned'
	is "$(starts)" 100
	"$VMRUNCTL" -r "$PWD/run" "$vm-77" status >status
	has running status
	kill -INT "$pid"
	ends 0
	is "$(count ': ended')" 100
	is "$(count ': exit default stopped')" 100
	nothing_runs
	is "$(find run -name control)" ''
}

@test "manager.c: a VM ends alone, a reboot is one of its own, and the highest status counts" {
	specs 3
	script 'exit 0' 'exit 1' 'exit 1' 'exit 1'
	in_c
	ends 0
	is "$(starts)" 4
	is "$(count ': spawned')" 4
	is "$(count ': ended')" 3
	script 'exit 4' 'exit 1' 'exit 1'
	in_c
	ends 4
}

@test "manager.c: a spec that is wrong is told, and the other VMs run" {
	specs 2
	script 'exit 1'
	echo '{"name": "x"}' >vm2.json
	in_c
	ends 65
	has 'vm2.json'
	is "$(count ': ended')" 1
	status=0
	"$MANAGER" 2>err || status=$?
	is "$status" 64
	has 'usage: manager'
}
