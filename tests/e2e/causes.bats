#!/usr/bin/env bats
# How real guests end.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	rom
}

teardown() {
	common_teardown
}

# ended STATUS CAUSE SCRIPT ARG...
ended() {
	local wanted=$1 wanted_cause=$2
	shift 2
	guest "$@"
	is "$status" "$wanted"
	is "$(cause)" "$wanted_cause"
}

@test "reset, by every way" {
	ended 0 reboot r --no-reboot
	ended 0 reboot k --no-reboot
}

@test "power off" {
	ended 0 poweroff p
	ended 1 poweroff p --exit-status guest
}

@test "triple fault" {
	ended 3 triple_fault t
	ended 3 triple_fault t --exit-status guest
	has 'status 3'
}

@test "statuses are bhyve's, so that a policy means the same" {
	rom '{"reboot_on": [3]}'
	guest t --reboot-count 1
	is "$status" 3
	is "$(grep -c 'booting target' err)" 2
	guest r
	is "$status" 0
	is "$(grep -c 'booting target' err)" 1
}

@test "--reboot-count with a guest that resets for ever" {
	guest r --reboot-count 2
	is "$status" 0
	is "$(grep -c '^vmrun demo guest' out)" 3
}

@test "qemu killed by SIGKILL: 137" {
	start_guest w
	kill -KILL "$(qemu_pid)"
	ends 137
	is "$(cause)" killed
}

@test "qemu stopped by somebody's SIGTERM, which it takes for a power cut: killed" {
	start_guest w
	kill -TERM "$(qemu_pid)"
	ends 143
	is "$(cause)" killed
}

@test "a missing image that nobody checks: 4, in qemu's words" {
	rom '{"emulations": [{"device": "virtio-blk", "path": "no.img"}]}'
	guest p --no-requirement-check
	is "$status" 4
	has 'no.img'
	has 'No such file'
	is "$(cause)" start_failed
	rom '{"bootrom": "/no/such/rom"}'
	guest p --no-requirement-check
	is "$status" 4
	has '/no/such/rom'
}

@test "an option that qemu does not know: 4" {
	vmrun vm.json -- -nonsense
	is "$status" 4
	has 'nonsense'
	is "$(cause)" start_failed
}

@test "when vmrun is killed, qemu goes too" {
	start_guest w
	local qemu
	qemu=$(qemu_pid)
	kill -KILL "$pid"
	ends 137
	await is_gone "$qemu"
}
