#!/usr/bin/env bats
# vmrun is killed before each of its steps in turn, and the next vmrun of that name undoes what the
# killed one had taken.  FIRST is the first step, STEPS the distance between two steps.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load recovery
	recovery_setup
}

teardown() {
	recovery_teardown
}

# Kills vmrun before every STEPS-th step.  CTest runs this file as four suites with different first
# steps, which together are about a hundred steps.
dies_from() {
	local at count n=0
	make_host
	script 'exit 0' 'exit 1'
	KILLAT_COUNT=$PWD/count LD_PRELOAD=$KILLAT_LIBRARY go "${vmrun_words[@]}" vm.json
	count=$(cat count)
	for ((at = $1; at <= count; at += $2)); do
		dies_at "$at"
		# Every third time, the vmrun that cleans up is killed, too.
		((n++ % 3)) || dies_at $((at % 90 + 1))
		recovers || { echo "killed before step $at of $count" >&2 && return 1; }
	done
	[ $n -ge 15 ]
}

@test "killed before any step: the next start undoes what was taken, and nothing else" {
	dies_from "$FIRST" "$STEPS"
}
