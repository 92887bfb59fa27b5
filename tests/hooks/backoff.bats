#!/usr/bin/env bats
# The stock hook backoff.
# shellcheck disable=SC2154 # status: ../cli/common.bash

setup() {
	load hooks
	common_setup
}

teardown() {
	common_teardown
}

# delays: before each further boot, in seconds
delays() {
	sed -n 's/.*next boot: target [^ ]*\( in \([0-9.]*\) s\)\{0,1\} .*/\2/p' err | sed 's/^$/0/' | paste -sd' ' -
}

@test "each further fault waits longer, up to a maximum" {
	hooked '{"use": "backoff", "initial": 0.1, "factor": 2, "max": 0.3}'
	plays 'exit 3' 'signal 9' 'exit 4' 'exit 3' 'exit 1' --
	is "$status" 0
	is "$(delays)" '0.1 0.2 0.3 0.3'
	has 'on_exit of backoff'
}

@test "what is no fault is left to the policy, and does not start it anew" {
	hooked '{"use": "backoff", "initial": 0.1}'
	plays 'exit 3' 'exit 0' 'exit 3' 'exit 2' --
	is "$(delays)" '0.1 0 0.2'
	is "$status" 0
}

@test "a boot that was up for long starts it anew" {
	hooked '{"use": "backoff", "initial": 0.1, "reset_after": 2}'
	plays 'exit 3' 'exit 3' 'sleep 2100 exit 3' 'exit 3' 'exit 1' --
	is "$(delays)" '0.1 0.2 0.1 0.2'
}

@test "the next boot is next_target's, causes are one's own" {
	hooked '{"use": "backoff", "initial": 0, "causes": ["halt"]}' '{"next_target": "a"}'
	plays 'exit 2' 'exit 3' --
	is "$status" 3
	is "$(booted)" 'default a'
}

@test "a stop request ends the wait" {
	hooked '{"use": "backoff", "initial": 3600, "max": 3600}'
	script 'exit 3'
	start vm.json
	await_text 'in 1 h 0 min'
	kill -TERM "$pid"
	ends 0
}

@test "wrong options" {
	refuses '{"use": "backoff", "initial": "1s", "factor": 0.5, "max": [], "reset_after": true, "causes": "error"}' \
		'hooks[0].initial: backoff: option "initial": expected a number from 0 to 31622400, in seconds, got "1s"' \
		'hooks[0].factor: backoff: option "factor": expected a number of at least 1, got 0.5' \
		'hooks[0].max: backoff: option "max": expected a number from 0 to 31622400, in seconds, got an empty list' \
		'hooks[0].reset_after: backoff: option "reset_after": expected a number from 0 to 31622400' \
		'hooks[0].causes: backoff: option "causes": expected a list of causes, got "error"'
}
