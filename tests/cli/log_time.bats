#!/usr/bin/env bats
# The time in front of messages, and what the levels of messages leave out.
# shellcheck disable=SC2034,SC2154 # untimed; vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
	untimed=()
}

teardown() {
	common_teardown
}

time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z '

# timed FILE: succeeds if each line of the file begins with a time
timed() {
	[ -s "$1" ]
	[ "$(grep -cvE "^$time" "$1")" -eq 0 ]
}

# not_timed FILE: succeeds if no line of the file has a time
not_timed() {
	[ -s "$1" ]
	[ "$(grep -cE "$time" "$1")" -eq 0 ]
}

# at_terminal ARG...: runs vmrun with stderr on a terminal, whose output is in out
at_terminal() {
	"$PTY" sh -c 'exec "$@" 2>&1' sh "$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" \
		"$@" </dev/null >out 2>pty 3>&-
}

@test "messages of a run begin with the time on a pipe and in a file, the hypervisor's lines too" {
	spec
	script 'err from_bhyve exit 3' 'exit 3'
	vmrun vm.json
	is "$status" 3
	has 'bhyve: from bhyve'
	timed err
	"$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" vm.json </dev/null 2>&1 >out 3>&- | cat >err || :
	timed err
}

@test "the time of a message is that of its event" {
	spec
	script 'exit 1'
	vmrun --events events vm.json
	is "$(grep -o "^$time" -E err | tail -n 1)" "$(jq -r 'select(.event == "ended").time' events) "
}

@test "the times of messages never go back" {
	spec '{"on": {"triple_fault": "boot"}}'
	script 'exit 3' 'exit 0' 'exit 1'
	vmrun vm.json
	has 'every other end stops'
	timed err
	grep -oE "^$time" err | sort -c
}

@test "the report of a boot that cannot start has the time of its event" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "none.img"}]}'
	unchecked=()
	vmrun --events events vm.json
	is "$status" 69
	timed err
	grep -oE "^$time" err | sort -c
	is "$(grep 'cannot start:' err | grep -oE "^$time")" "$(jq -r 'select(.event == "checked").time' events) "
}

@test "not on a terminal, nor in the journal" {
	spec
	script 'exit 1' 'exit 1' 'exit 1'
	at_terminal vm.json
	not_timed out
	: >err
	export JOURNAL_STREAM
	JOURNAL_STREAM=$(stat -c %d:%i err)
	"$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" vm.json </dev/null >out 2>err 3>&-
	not_timed err
	JOURNAL_STREAM=$(stat -c %d:%i vm.json) # stderr was redirected since
	"$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" vm.json </dev/null >out 2>err 3>&-
	timed err
}

@test "--log-time and --no-log-time decide" {
	spec
	script 'exit 1' 'exit 1'
	vmrun --no-log-time vm.json
	not_timed err
	at_terminal --log-time vm.json
	timed out
	vmrun --log-time --no-log-time vm.json
	is "$status" 64
	has '--log-time and --no-log-time exclude each other'
}

@test "no time in front of usage, errors of a spec, checks and dry runs, nor in JSON" {
	spec '{"mem": "1.5G"}' bad.json
	spec '{"virtio": 1}' worse.json
	lua 'print("reading")'
	script 'exit 1'
	for words in --nonsense bad.json worse.json '-d vm.lua' '--check vm.lua' '--simulate reboot vm.lua'; do
		# shellcheck disable=SC2086 # several words
		vmrun $words
		not_timed err
	done
	vmrun --log-format json vm.lua
	is "$status" 0
	is "$(jq -e 'has("time")' <err | sort -u)" true
	[ "$(grep -cE "^$time" err)" -eq 0 ]
}

@test "--log-level warning keeps the hypervisor's own last lines of a failed start" {
	spec
	script 'err one err two err three err four err five err six exit 4'
	vmrun --no-log-time --log-level warning vm.json
	is "$status" 4
	lacks ': one'
	is "$(grep -c ': \(two\|three\|four\|five\|six\)$' err)" 5
	is "$(head -n 1 err)" "vmrun: $vm: bhyve: two"
	script 'err one err two exit 4'
	vmrun --no-log-time vm.json
	is "$(grep -c ': two$' err)" 1
}
