#!/usr/bin/env bats
# vmrun is killed before each of its steps in turn, and the next one of that name undoes what it had
# taken.  STEPS and FIRST: every so-manyth step, from this one on.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load recovery
	recovery_setup
}

teardown() {
	recovery_teardown
}

# Every so-manyth step, from another one on in each of the four suites that CTest makes of this file:
# together they are about a hundred.
dies_from() {
	local at count n=0
	make_host
	script 'exit 0' 'exit 1'
	KILLAT_COUNT=$PWD/count LD_PRELOAD=$KILLAT_LIBRARY go "${vmrun_words[@]}" vm.json
	count=$(cat count)
	for ((at = $1; at <= count; at += $2)); do
		dies_at "$at"
		# The one that undoes it is killed too, now and then.
		((n++ % 3)) || dies_at $((at % 90 + 1))
		recovers || { echo "killed before step $at of $count" >&2 && return 1; }
	done
	[ $n -ge 15 ]
}

@test "killed before any step: the next start undoes what was taken, and nothing else" {
	dies_from "$FIRST" "$STEPS"
}
