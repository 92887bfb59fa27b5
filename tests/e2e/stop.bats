#!/usr/bin/env bats
# Stopping real guests.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	rom
}

teardown() {
	common_teardown
}

@test "a guest that heeds its power button" {
	local signal
	for signal in TERM INT; do
		start_guest b
		kill -$signal "$pid"
		ends 0
		is "$(cause)" stopped
		is "$(grep -c 'stopping:' err)" 1
		await is_gone "$(qemu_pid)"
	done
}

@test "a guest that resets instead stays stopped" {
	start_guest br
	kill -TERM "$pid"
	ends 0
	is "$(cause)" stopped
	is "$(grep -c 'booting target' err)" 1
}

@test "a deaf guest: the ladder, by itself" {
	rom '{"stop": [{"do": "acpi", "wait": 1}, {"do": "poweroff", "wait": 60}]}'
	start_guest w
	kill -TERM "$pid"
	ends 0
	is "$(cause)" stopped
	has 'switching the power off'
	lacks 'killing'
}

@test "a deaf guest: the next step at the second request" {
	start_guest w
	kill -TERM "$pid"
	await_text 'pressing the power button'
	stop_again "$pid"
	ends 0
	has 'switching the power off'
}

@test "a stopped qemu is killed" {
	rom '{"stop": [{"do": "acpi", "wait": 0}, {"do": "poweroff", "wait": 0}, {"do": "kill", "wait": 60}]}'
	start_guest w
	kill -STOP "$(qemu_pid)"
	kill -TERM "$pid"
	ends 0
	has 'killing the hypervisor'
	await is_gone "$(qemu_pid)"
}

@test "the terminal is as before after a run of qemu, and after a kill" {
	"$PTY" "$VMRUN" "${stated[@]}" vm.json -- -fw_cfg name=opt/vmrun/rom,string=p >out 2>err </dev/null
	grep -q 'terminal: .*, restored' err
	"$PTY" "$VMRUN" "${stated[@]}" vm.json -- -fw_cfg name=opt/vmrun/rom,string=.w >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await grep -q '^\.' out
	await_text 'runs under'
	kill -KILL "$(qemu_pid | tr -d '\r')"
	ends 137
	has 'terminal: touched, restored'
}

@test "bytes go both ways" {
	printf 'p' | "$VMRUN" "${stated[@]}" vm.json -- -fw_cfg name=opt/vmrun/rom,string=c >out 2>err
	is "$(cause)" poweroff
}
