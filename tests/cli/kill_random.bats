#!/usr/bin/env bats
# vmrun is killed at random moments of a VM that reboots as fast as it can, sometimes while no new
# ledger can be written, and the next vmrun of that name restores the host.
# MOMENTS: the number of kills.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load recovery
	recovery_setup
}

teardown() {
	recovery_teardown
}

# dies_after SECONDS [full]: kills a run after this time; with "full", no new ledger can be written in
# the run directory from shortly before the kill
dies_after() {
	yes 'exit 0' | head -n 300 >script
	rm -f companion.up
	"${vmrun_words[@]}" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	sleep "$1"
	[ -z "${2-}" ] || mkdir "run/$vm/ledger.json.new" 2>/dev/null || :
	[ -z "${2-}" ] || sleep "$1"
	kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	[ -z "${2-}" ] || rm -rf "run/$vm/ledger.json.new"
}

@test "killed at random moments: the next start undoes what was taken, and nothing else" {
	make_host
	local n after full
	RANDOM=$$
	for ((n = 1; n <= MOMENTS; n++)); do
		after=$(printf '0.%03d' $((RANDOM % 700)))
		full=
		((n % 20)) || full=full
		dies_after "$after" $full
		recovers || { echo "moment $n, after $after s $full" >&2 && return 1; }
		rm -f "$FAKEBHYVE_LOG" # its pids are free again
	done
}
