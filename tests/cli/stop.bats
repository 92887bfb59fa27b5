#!/usr/bin/env bats
# Stop requests.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

@test "SIGTERM and SIGINT press the power button; stopped is status 0" {
	local signal
	spec '{"reboot_on": ["poweroff", "stopped"]}'
	for signal in TERM INT; do
		rm -f up
		script 'acpi on ready up wait exit 1' 'exit 3'
		start vm.json
		await_file up
		await_text 'runs under'
		kill -$signal "$pid"
		ends 0
		has 'pressing the power button'
		is "$(cause)" stopped
		has 'no further boot (the stop request)'
	done
	is "$(starts)" 2
}

@test "whatever the guest does then, it is stopped" {
	spec
	for how in 'exit 0' 'exit 3' 'exit 4' 'signal 9'; do
		rm -f up
		script "acpi on ready up wait $how" 'exit 3'
		start vm.json
		await_file up
		await_text 'runs under'
		kill -TERM "$pid"
		ends 0
		is "$(cause)" stopped
	done
	rm -f up
	script 'ready up waitfile never' # no ACPI yet: the signal kills
	start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
	is "$(cause)" stopped
}

@test "--exit-status guest also then" {
	spec
	script 'acpi on ready up wait exit 1'
	start --exit-status guest vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 1
}

@test "a deaf guest: a second request takes the next step at once" {
	mkdir -p state/vmm bin
	printf '#!/bin/sh\necho "$*" >>calls\nkill -USR1 "$(cat up)"\n' >bin/bhyvectl
	chmod +x bin/bhyvectl
	spec
	script 'acpi on ready up deaf'
	PATH=$PWD/bin:$PATH start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	await_text 'pressing the power button'
	stop_again "$pid" INT
	await_text 'switching the power off'
	ends 0
	is "$(cat calls)" "--vm=$vm --force-poweroff"
	lacks 'killing'
}

@test "signals within a second of the first are the same request, as timeout(1) sends them" {
	spec '{"stop": [{"do": "acpi", "wait": 3600}, {"do": "kill", "wait": 5}]}'
	script 'acpi on ready up deaf'
	start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	kill -TERM "$pid"
	kill -INT "$pid"
	await_text 'pressing the power button'
	kill -USR2 "$pid" # its answer comes after what the signals before it did
	await_text 'stopping, target default'
	lacks 'killing'
	stop_again "$pid"
	ends 0
	has 'killing the hypervisor'
}

@test "the first request after vmrun itself began to stop a guest leaves it its time" {
	spec '{"ready": {"exec": ["test", "-e", "up"], "every": 0.1},
		"alive": {"exec": ["false"], "every": 0.1, "failures": 1},
		"stop": [{"do": "acpi", "wait": 3000}, {"do": "kill", "wait": 5}]}'
	script 'acpi on ready up deaf'
	start vm.json
	await_text 'pressing the power button, next step in 50 min 0 s or at the second signal'
	kill -TERM "$pid"
	await_text 'stop requested: the step acpi goes on for '
	lacks 'killing'
	stop_again "$pid"
	ends 0
	has 'killing the hypervisor'
	is "$(cause)" stopped
}

@test "and a third kills" {
	mkdir bin
	printf '#!/bin/sh\nexit 0\n' >bin/bhyvectl
	chmod +x bin/bhyvectl
	spec
	script 'ready up hang'
	PATH=$PWD/bin:$PATH start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	await_text 'pressing the power button'
	stop_again "$pid"
	await_text 'switching the power off'
	kill -TERM "$pid"
	await_text 'killing the hypervisor'
	ends 0
	nothing_runs
}

@test "the ladder of the spec, with short waits, ends by itself" {
	spec '{"stop": [{"do": "acpi", "wait": 0}, {"do": "acpi", "wait": 1}, {"do": "kill", "wait": 5}]}'
	script 'acpi on ready up deaf'
	start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
	is "$(grep -c 'pressing the power button' err)" 2
	is "$(grep -c 'killing the hypervisor' err)" 1
	nothing_runs
}

@test "past the end of a ladder that kills nobody, it kills" {
	spec '{"stop": [{"do": "acpi", "wait": 0}]}'
	script 'ready up hang'
	start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
	has 'killing the hypervisor'
}

@test "a target's ladder" {
	spec '{"targets": {"t": {"stop": [{"do": "kill", "wait": 5}]}}}'
	script 'acpi on ready up wait ready heeded exit 1'
	start -t t vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
	[ ! -e heeded ]
	lacks 'power button'
}

@test "a stop cuts a wait short" {
	lua 'function vm.on_exit(exit) return vmrun.boot("default", { delay = 1000 }) end'
	script 'exit 3'
	start vm.lua
	await_text 'next boot'
	kill -TERM "$pid"
	ends 0
	is "$(starts)" 1
}

@test "everything is cleaned up after a stop" {
	spec '{"emulations": [{"device": "virtio-console", "ports": ["sock"]}],
		"stop": [{"do": "kill", "wait": 5}]}'
	script 'ready up hang'
	start -p hyper.pid -P vmrun.pid vm.json
	await_file up
	await_text 'runs under'
	[ -S sock ]
	kill -INT "$pid"
	ends 0
	[ ! -e sock ]
	[ ! -e hyper.pid ]
	[ ! -e vmrun.pid ]
	nothing_runs
}

@test "SIGHUP, SIGUSR1 and SIGUSR2 to a vmrun without a terminal end nothing" {
	spec
	script 'acpi on ready up wait exit 1'
	: >err
	in_session "$VMRUN" "${stated[@]}" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	kill -HUP "$pid"
	kill -USR1 "$pid"
	kill -USR2 "$pid"
	lacks 'stopping'
	kill -TERM "$pid"
	ends 0
	is "$(grep -c 'stopping' err)" 1
}
