#!/usr/bin/env bats
# What --simulate says is what a run does: the same targets, causes, actions and deciders, and the
# same end. Here: what a spec declares.
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

@test "plain policies: every cause and status, each alone and after a reboot" {
	local one on
	spec
	spec '{"reboot_on": ["halt", 3, "killed", 64, "start_failed", "check_failed"]}' list.json
	spec '{"reboot_on": []}' none.json
	for one in reboot poweroff halt triple_fault error killed start_failed check_failed stopped \
		5 64 71 100 255; do
		for on in vm list none; do
			same "$one,poweroff" "$on.json"
		done
		same "$one,reboot,$one,stopped" --reboot-on "$one" vm.json
		same "reboot,$one,$one,$one,$one" --reboot-on reboot,"$one" --reboot-count 2 vm.json
	done
	is "$walks" 70
}

@test "declared policies: on, next_target, delays, by target" {
	local list
	spec '{"on": {"triple_fault": {"boot": "a"}, "error": {"boot": "b", "delay": 0.01}, "killed": "same",
			"halt": "boot", "check_failed": {"boot": "b"}, "poweroff": "stop", "start_failed": "boot"},
		"next_target": "a", "targets": {"a": {"next_target": "b", "on": {"reboot": "same"}},
			"b": {"extends": "a", "next_target": null, "reboot_on": [0, "halt"], "on": {"halt": null}}}}'
	for list in reboot,reboot,reboot triple_fault,triple_fault,poweroff error,error,reboot,halt,halt,4 \
		killed,halt,killed,stopped check_failed,check_failed,check_failed reboot,check_failed,reboot,1 \
		start_failed,start_failed,start_failed halt,halt,halt,halt error,check_failed,triple_fault,killed,9; do
		same "$list" vm.json
		same "$list" -t a vm.json
		same "$list" -t b vm.json
	done
}

@test "restart_limit: given up, and what follows it" {
	local limit given_up
	for limit in 1 3; do
		for given_up in '"stop"' '"wait"' '{"boot": "rescue"}'; do
			spec '{"restart_limit": {"count": '"$limit"', "within": 600}, "on": {"killed": "boot",
				"given_up": '"$given_up"'}, "targets": {"rescue": {"next_target": "default"}}}'
			same reboot,reboot,reboot,reboot,reboot,reboot,reboot,poweroff vm.json
			same killed,reboot,killed,killed,killed,killed vm.json
			same killed,poweroff vm.json
			same reboot,reboot,stopped vm.json
			same check_failed,reboot,reboot,reboot,check_failed,reboot --reboot-on reboot,check_failed vm.json
		done
	done
	spec '{"restart_limit": {"count": 2, "within": 1}}'
	same_in_time reboot,reboot,reboot@1.3,reboot,reboot@1.3,reboot,reboot,reboot,reboot vm.json
}

@test "a loader that fails" {
	local more
	PATH=$SOURCE/tests/examples/bin:$SOURCE/tests/fake/bin:$PATH
	for more in '{}' '{"reboot_on": ["reboot", "loader_failed"]}' \
		'{"on": {"loader_failed": {"boot": "a"}}, "targets": {"a": {"next_target": "default"}}}'; do
		spec "$more"
		jq 'del(.bootrom) | .loader = "bhyveload" |
			.emulations = [{device: "virtio-blk", path: "disk.img"}]' vm.json >loaded.json
		same loader_failed loaded.json
		same reboot,loader_failed,reboot,poweroff loaded.json
		same loader_failed,loader_failed,loader_failed,triple_fault loaded.json
	done
}
