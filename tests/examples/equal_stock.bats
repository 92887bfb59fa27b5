#!/usr/bin/env bats
# What --simulate says is what a run does: the same targets, causes, actions and deciders, and the
# same end. Here: the stock hooks.
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

@test "install_once" {
	local list
	spec '{"targets": {"install": {}, "b": {}}, "hooks": ["install_once"]}'
	spec '{"targets": {"install": {"next_target": "b"}, "b": {}}, "hooks": [
		{"use": "install_once", "next": "b", "done": ["halt", "reboot"]}]}' more.json
	spec '{"targets": {"install": {}}, "hooks": [{"use": "install_once", "again": true}]}' again.json
	for list in reboot,reboot,poweroff poweroff halt,reboot error triple_fault,reboot stopped \
		reboot,stopped check_failed,reboot start_failed killed; do
		same "$list" -t install vm.json
		same "$list" -t install more.json
		same "$list" vm.json
		same "$list" -t install --reboot-on triple_fault,error,killed,check_failed,start_failed again.json
	done
	# A boot that the hook refuses takes no exit from the list.
	for list in error,reboot triple_fault,reboot killed,reboot reboot,killed,poweroff; do
		same "$list" -t install --reboot-on triple_fault,error,killed vm.json
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
	spec '{"targets": {"rescue": {"next_target": "default"}}, "hooks": [{"use": "rescue_after", "within": 2}]}'
	spec '{"targets": {"rescue": {}}, "restart_limit": {"count": 5, "within": 60}, "hooks": [
		{"use": "rescue_after", "faults": 2, "retry": false},
		{"use": "backoff", "initial": 0.01, "max": 0.02, "causes": ["halt", "killed", "error"]}]}' both.json
	for list in 3,3,3,0,1 3,0,3,3,3,3,poweroff killed,error,triple_fault,reboot,killed,killed,killed,stopped \
		2,2,2,2,2,2,2,2 killed,killed,killed,killed check_failed,3,3,3,1 \
		start_failed,reboot error,error,error,error,error,error,error; do
		same_in_time "$list" vm.json
		same "$list" both.json
		same "$list" -t rescue both.json
	done
	same_in_time 3@1.2,3@1.2,3@1.2,1 vm.json
}

@test "ab_upgrade: with requests, trials, confirmations" {
	local list
	hook='{"use": "ab_upgrade", "stays_up": 1.8, "request": "asked", "confirm": "good"}'
	spec '{"targets": {"a": {}, "b": {}}, "hooks": ['"$hook"']}'
	for list in reboot,reboot,poweroff reboot,3,poweroff reboot,reboot@2.1,reboot,poweroff \
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
	same reboot@2.1,reboot,poweroff -t b vm.json
}

@test "notify and daily_window beside a policy" {
	spec '{"hooks": [{"use": "notify", "command": ["true"]}, {"use": "daily_window", "from": "00:00", "to": "00:00"},
		"rescue_after"], "targets": {"rescue": {}}}'
	same reboot,triple_fault,triple_fault,triple_fault,poweroff vm.json
	same check_failed vm.json
	same killed,reboot,stopped vm.json
}
