#!/usr/bin/env bats
# The stock hook rescue_after.
# shellcheck disable=SC2154 # status: ../cli/common.bash

setup() {
	load hooks
	common_setup
}

teardown() {
	common_teardown
}

@test "three faults in a row boot the rescue target" {
	hooked '"rescue_after"' '{"targets": {"rescue": {"next_target": "default"}}}'
	plays 'exit 3' 'signal 9' 'exit 4' 'exit 0' 'exit 1' --
	is "$status" 0
	is "$(booted)" 'default default default rescue default'
	has 'warning: 3 faults in a row: booting rescue'
	has 'on_exit of rescue_after'
}

@test "after the rescue the row starts anew" {
	hooked '{"use": "rescue_after", "faults": 2}' '{"targets": {"rescue": {"next_target": "default"}}}'
	plays 'exit 3' 'exit 3' 'exit 0' 'exit 3' 'exit 3' 'exit 0' 'exit 1' --
	is "$(booted)" 'default default rescue default default rescue default'
}

@test "any other end breaks the row; what ends by itself is left to the policy" {
	hooked '{"use": "rescue_after", "faults": 2}'
	plays 'exit 3' 'exit 0' 'exit 3' 'exit 0' 'exit 3' 'exit 1' --
	is "$status" 0
	is "$(booted)" 'default default default default default default'
	lacks 'in a row'
}

@test "faults that are older than that do not count" {
	hooked '{"use": "rescue_after", "faults": 2, "within": 0.2}'
	plays 'sleep 300 exit 3' 'sleep 300 exit 3' 'sleep 300 exit 3' 'exit 1' --
	is "$(booted)" 'default default default default'
}

@test "a target, and causes, of one's own" {
	hooked '{"use": "rescue_after", "faults": 2, "target": "a", "causes": ["halt"]}'
	plays 'exit 2' 'exit 2' 'exit 2' --
	is "$status" 0
	is "$(booted)" 'default default a'
	plays 'exit 3' --
	is "$status" 3
	is "$(booted)" 'default'
}

@test "retry false: fewer faults are the policy's business" {
	hooked '{"use": "rescue_after", "faults": 2, "retry": false}' '{"reboot_on": ["reboot", "triple_fault"]}'
	plays 'exit 3' 'exit 3' 'exit 1' --
	is "$(booted)" 'default default rescue'
	plays 'exit 4' --
	is "$status" 4
}

@test "the rescue target's own faults are not its business" {
	hooked '{"use": "rescue_after", "faults": 1}'
	plays 'exit 3' 'exit 3' --
	is "$status" 3
	is "$(booted)" 'default rescue'
}

@test "wrong options" {
	refuses '{"use": "rescue_after", "faults": 0, "within": -1, "target": "resque", "causes": ["crash"],
		"retry": "no", "fault": 3}' \
		'hooks[0].faults: rescue_after: option "faults": expected an integer from 1 to 64, got 0' \
		'hooks[0].within: rescue_after: option "within": expected a number from 0 to 31622400, in seconds, got -1' \
		'hooks[0].target: rescue_after: option "target": unknown target "resque", did you mean "rescue"?' \
		'hooks[0].causes: rescue_after: option "causes": unknown cause "crash"' \
		'hooks[0].retry: rescue_after: option "retry": expected true or false, got "no"' \
		'hooks[0].fault: rescue_after: unknown option "fault", did you mean "faults"?'
	refuses '{"use": "rescue_after", "within": 31622401}' \
		'option "within": expected a number from 0 to 31622400, in seconds, got 31622401'
	spec '{"hooks": ["rescue_after"]}'
	vmrun vm.json
	is "$status" 65
	has 'hooks[0]: rescue_after: the option "target" is "rescue" by default: unknown target "rescue" (known: default)'
}
