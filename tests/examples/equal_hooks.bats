#!/usr/bin/env bats
# What --simulate says is what a run does: the same targets, causes, actions and deciders, and the
# same end. Here: hooks, the stock ones among them.
# shellcheck disable=SC2154 # vm and rom: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	load examples
	walking_setup
}

teardown() {
	common_teardown
}

@test "hooks in Lua: answers, waits, errors, refusals, state" {
	local list
	lua "vm.targets = { a = {}, b = {} }
		vm.hook_timeout = 0.2
		local n = 0
		function vm.on_prepare(spec, boot)
			if boot.boots == 6 then error('no more', 0) end
		end
		function vm.on_start(boot)
			vmrun.state.starts = (vmrun.state.starts or 0) + 1
			if vmrun.state.starts == 5 then return false, 'enough' end
		end
		function vm.on_started() vmrun.sleep(0.05) vmrun.state.up = (vmrun.state.up or 0) + 1 end
		function vm.on_exit(exit)
			n = n + 1
			if exit.cause == 'halt' then while true do end end
			if exit.cause == 'error' then error('broken') end
			if exit.count.killed == 2 then return vmrun.stop(exit.boots) end
			if exit.cause == 'killed' then return vmrun.boot('a', { delay = 0.01 }) end
			if exit.cause == 'triple_fault' then vmrun.sleep(0.01) return 'b' end
			if exit.cause == 'check_failed' then return exit.history[2] ~= nil end
			if vmrun.state.up == 2 then return 'a' end
			if exit.uptime >= 0.1 and #exit.history > 1 and exit.window(0.1) < 2 then return 'b' end
		end"
	for list in reboot,reboot,reboot,reboot,reboot,reboot,reboot killed,reboot,killed,reboot halt,reboot \
		reboot,halt reboot,error,reboot triple_fault,triple_fault,killed,poweroff check_failed \
		reboot,check_failed,reboot,poweroff reboot@0.2,reboot@0.2,reboot@0.2,poweroff \
		reboot@0.2,poweroff reboot,reboot@0.2,stopped; do
		same "$list" vm.lua
		same "$list" -t a --reboot-on reboot,triple_fault,check_failed,error vm.lua
	done
}

@test "install_once" {
	local list
	spec '{"targets": {"install": {}, "b": {}}, "hooks": ["install_once"]}'
	spec '{"targets": {"install": {"next_target": "b"}, "b": {}}, "hooks": [
		{"use": "install_once", "next": "b", "done": ["halt", "reboot"]}]}' more.json
	for list in reboot,reboot,poweroff poweroff halt,reboot error triple_fault,reboot stopped \
		reboot,stopped check_failed,reboot start_failed killed; do
		same "$list" -t install vm.json
		same "$list" -t install more.json
		same "$list" vm.json
		same "$list" -t install --reboot-on triple_fault,error,killed,check_failed,start_failed vm.json
	done
	mkdir -p "before/$vm"
	echo '{"installed": {"install": true}}' >"before/$vm/state.json"
	for list in reboot,poweroff triple_fault stopped; do
		same "$list" -t install vm.json
		same "$list" -t install more.json
	done
}

@test "rescue_after and backoff" {
	local list
	spec '{"targets": {"rescue": {"next_target": "default"}}, "hooks": [{"use": "rescue_after", "within": 0.6}]}'
	spec '{"targets": {"rescue": {}}, "restart_limit": {"count": 5, "within": 60}, "hooks": [
		{"use": "rescue_after", "faults": 2, "retry": false},
		{"use": "backoff", "initial": 0.01, "max": 0.02, "causes": ["halt", "killed", "error"]}]}' both.json
	for list in 3,3,3,0,1 3,0,3,3,3,3,poweroff killed,error,triple_fault,reboot,killed,killed,killed,stopped \
		3@0.4,3@0.4,3@0.4,1 2,2,2,2,2,2,2,2 killed,killed,killed,killed check_failed,3,3,3,1 \
		start_failed,reboot error,error,error,error,error,error,error; do
		same "$list" vm.json
		same "$list" both.json
		same "$list" -t rescue both.json
	done
}

@test "ab_upgrade: with requests, trials, confirmations" {
	local list
	hook='{"use": "ab_upgrade", "stays_up": 0.3, "request": "asked", "confirm": "good"}'
	spec '{"targets": {"a": {}, "b": {}}, "hooks": ['"$hook"']}'
	for list in reboot,reboot,poweroff reboot,3,poweroff reboot,reboot@0.5,reboot,poweroff \
		poweroff reboot,poweroff reboot,stopped reboot,killed,reboot,reboot triple_fault; do
		same "$list" -t a vm.json
		touch asked
		same "$list" -t b vm.json
		touch asked good
		same "$list" -t a vm.json
		rm -f asked good
	done
	mkdir -p "before/$vm"
	echo '{"slot": "b"}' >"before/$vm/state.json"
	touch asked
	same reboot,reboot,poweroff -t a vm.json
	same reboot@0.5,reboot,poweroff -t b vm.json
}

@test "notify and daily_window beside a policy" {
	spec '{"hooks": [{"use": "notify", "command": ["true"]}, {"use": "daily_window", "from": "00:00", "to": "00:00"},
		"rescue_after"], "targets": {"rescue": {}}}'
	same reboot,triple_fault,triple_fault,triple_fault,poweroff vm.json
	same check_failed vm.json
	same killed,reboot,stopped vm.json
}

@test "hooks that refuse boot after boot: a simulation ends and says so" {
	lua 'vm.on = { check_failed = "boot" }
		function vm.on_prepare(spec, boot)
			if boot.boots == 1 then error("never again", 0) end
		end'
	supervised --simulate reboot,reboot,poweroff vm.lua
	is "$status" 0
	is "$(head -n 2 out | cut -f 2,3,4,6 | tr '\t' ' ' | paste -sd,)" \
		'default reboot boot default,default check_failed boot on.check_failed'
	is "$(wc -l <out)" 201
	has 'it goes round in a circle: hooks refuse each boot, and the policy boots again'
}
