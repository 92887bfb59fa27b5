#!/usr/bin/env bats
# examples/manager.c with real guests: three VMs in one process.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
}

teardown() {
	common_teardown
}

# guests COUNT [JSON]: makes specs of the demo guest under TCG, vm1.json ...
guests() {
	local n
	rom "${2:-"{}"}"
	for n in $(seq "$1"); do
		jq --arg n "$n" '.name += "-" + $n' vm.json >"vm$n.json"
	done
	rm vm.json
}

# has_lines N TEXT: whether out has N lines with this text
has_lines() {
	[ "$(grep -cF -e "$2" out)" = "$1" ]
}

@test "manager.c: three guests boot without their CD after an install, and power off" {
	guests 3 '{"com1": "console", "targets": {"default": {"next_target": "installed",
		"emulations": [{"device": "ahci-cd", "path": "'"$GUEST"'"}]}, "installed": {}}}'
	RUN_DIR=$PWD/run STATE_DIR=$PWD/keep "$MANAGER" vm*.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	ends 0
	has_lines 3 ': exit default reboot'
	has_lines 3 ': exit installed poweroff'
	has_lines 3 ': ended'
}

@test "manager.c: SIGTERM powers three guests off" {
	guests 3 '{"com1": "console", "ready": {"console": "waiting for the power button"},
		"qemu": {"accel": "tcg", "args": ["-fw_cfg", "name=opt/vmrun/rom,string=b"]}}'
	RUN_DIR=$PWD/run STATE_DIR=$PWD/keep "$MANAGER" vm*.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await has_lines 3 ': ready'
	kill -TERM "$pid"
	ends 0
	has_lines 3 ': exit default stopped'
}
