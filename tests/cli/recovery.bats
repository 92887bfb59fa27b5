#!/usr/bin/env bats
# A vmrun that is killed at any point, and the cleanup by the next vmrun of that name.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load recovery
	recovery_setup
}

teardown() {
	recovery_teardown
}

@test "a run that nobody kills leaves nothing" {
	make_host
	script 'exit 0' 'exit 1'
	KILLAT_COUNT=$PWD/count LD_PRELOAD=$KILLAT_LIBRARY go "${vmrun_words[@]}" vm.json
	is "$status" 0
	as_before
	[ "$(cat count)" -gt 150 ]
}

# runs SCRIPT...: starts a run in the background, waits until it is up, and kills it
dies_running() {
	script "$@"
	"${vmrun_words[@]}" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	await grep -q '"hypervisor"' "run/$vm/ledger.json"
	kill -KILL "$pid"
	wait "$pid" || :
}

@test "a start that fails in between loses nothing of what a dead vmrun left" {
	make_host
	dies_running 'ready up waitfile never'
	rm -f "run/$vm/control"
	mkdir "run/$vm/control"
	go "${vmrun_words[@]}" vm.json
	is "$status" 71
	has "run/$vm/control"
	[ -e "run/$vm/ledger.json" ]
	rmdir "run/$vm/control"
	recovers
}

@test "a hypervisor that outlives its vmrun: 75, its pid, and nothing is undone" {
	make_host
	dies_running 'acpi on ready up deaf'
	local guest
	guest=$(fake_pids)
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 75
	has "its hypervisor still runs as pid $guest, left by a vmrun that died (pid $pid)"
	kill -0 "$guest"
	grep -q member=tap1 state/interfaces
	[ -e "state/vmm/$vm" ]
	[ -e "run/$vm/ledger.json" ]
	[ ! -e own.pid ]
	go "${vmrun_words[@]}" --force vm.json
	is "$status" 0
	has 'cleaning up after a previous vmrun that died'
	as_before
}

@test "--force: what does not heed the power is killed" {
	make_host
	dies_running 'ready up hang'
	script 'exit 1'
	go "${vmrun_words[@]}" --force vm.json
	is "$status" 0
	as_before
}

@test "a guest that goes down by itself is waited for" {
	make_host
	dies_running 'acpi on ready up wait sleep 500 exit 1'
	recovers
}

@test "a companion that does not heed a SIGTERM is killed in the end" {
	make_host
	sed -i "s/^trap .*/trap '' TERM/" companion
	dies_running 'acpi on ready up wait exit 1'
	await nothing_runs
	kill -0 "$(cat pids)"
	sed -i "s/^trap .*/trap 'exit 0' TERM/" companion
	recovers
}

@test "a stop while it waits: nothing is undone, the next start does" {
	make_host
	dies_running 'acpi on ready up wait waitfile go exit 1'
	rm up
	"${vmrun_words[@]}" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_text 'cleaning up after a previous vmrun that died'
	kill -TERM "$pid"
	ends 0
	grep -q member=tap1 state/interfaces
	touch go
	await nothing_runs
	recovers
}

@test "a pid that somebody else has by now is nobody of ours" {
	make_host
	dies_running 'acpi on ready up wait exit 1'
	await nothing_runs
	sleep 1000 &
	pids+=($!)
	jq -c --argjson pid $! '(.processes[] | .pid) = $pid' "run/$vm/ledger.json" >new
	mv new "run/$vm/ledger.json"
	recovers
	kill -0 "${pids[-1]}"
}

@test "a ledger that cannot be read: 71, and it is left alone; --force sets it aside" {
	make_host
	local text
	for text in '' '{' '[]' '{"v": 2}' '{"v": 1, "supervisor": 1, "processes": [{}]}' '"x"'; do
		mkdir -m 700 "run/$vm"
		printf '%s' "$text" >"run/$vm/ledger.json"
		script 'exit 1'
		go "${vmrun_words[@]}" vm.json
		is "$status" 71
		has "run/$vm/ledger.json: not a ledger that vmrun wrote"
		is "$(cat "run/$vm/ledger.json")" "$text"
		is "$(starts)" ''
		is "$(host)" "$before"
		go "${vmrun_words[@]}" --force vm.json
		is "$status" 0
		has "renamed to"
		is "$(cat "run/$vm/ledger.json.unreadable")" "$text"
		rm -r "run/$vm" starts companion.up
		as_before
	done
}

@test "the record of vmrun 0.1 is understood" {
	make_host
	printf '%s up member=bridge0\n' tap5 >>state/interfaces
	mkdir -m 700 "run/$vm"
	echo 4711 >guest.pid
	jq -cn --arg vm "$vm" --arg dir "$PWD" '{v: 1, vm: $vm, supervisor: 4710, destroy: [],
		processes: [{name: "hypervisor", pid: 4711, start: 1}, {name: "side", pid: 4712, start: 1}],
		taken: [{name: "tap5", undo: ["ifconfig", "tap5", "destroy"]}],
		pid_files: [$dir + "/guest.pid"], sockets: [$dir + "/a.sock"]}' >"run/$vm/ledger.json"
	recovers
	has 'cleaning up after a previous vmrun that died (pid 4710)'
	has 'released: ifconfig tap5 destroy'
}

@test "between equal boots only the pid is written, after the spawn" {
	make_host
	script 'ready one waitfile go exit 0' 'ready two waitfile go2 exit 1'
	"${vmrun_words[@]}" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file one
	await grep -q '"hypervisor"' "run/$vm/ledger.json"
	jq 'del(.processes[] | select(.name == "hypervisor"))' "run/$vm/ledger.json" >first
	touch go
	await_file two
	await grep -q "\"name\":\"hypervisor\",\"pid\":$(fake_pids | tail -n 1)," "run/$vm/ledger.json"
	jq 'del(.processes[] | select(.name == "hypervisor"))' "run/$vm/ledger.json" >second
	diff first second
	is "$(stat -c %a "run/$vm/ledger.json")" 600
	lacks sesame "run/$vm/ledger.json"
	touch go2
	ends 0
	as_before
}

@test "what cannot be written down is not taken" {
	[ "$(id -u)" -eq 0 ] || skip 'not root: cannot make a full file system'
	make_host
	mkdir -m 700 small
	unshare -m true 2>/dev/null || skip 'no mount namespaces here'
	script 'exit 1'
	# The line of the lock fits on the disk, the ledger does not.
	go unshare -m sh -c 'mount -t tmpfs -o size=8k,mode=700 none small && exec "$@"' - \
		"$VMRUN" "${stated[@]}" --run-dir small vm.json
	is "$status" 71 || is "$status" 69
	has 'No space left on device'
	is "$(starts)" ''
	is "$(host)" "$before"
}

@test "a command that a dead vmrun had started ends first: no change stays half made" {
	make_host
	script 'exit 1'
	mkdir slow
	# The real one makes two system calls, too: one creates the interface, one sets its description.
	cat >slow/ifconfig <<-END
		#!/bin/bash
		real=$SOURCE/tests/fake/bin/ifconfig
		case "\$*" in
		*"create description"*)
			[ ! -e creating ] || exec "\$real" "\$@"
			"\$real" "\$1" create
			: >creating
			for ((i = 0; i < 20; i++)); do [ -e asked ] || sleep 0.1; done
			exec "\$real" "\$1" "\${@:3}"
			;;
		tap[0-9]*) [ ! -e creating ] || : >asked ;;
		esac
		exec "\$real" "\$@"
	END
	chmod +x slow/ifconfig
	PATH=$PWD/slow:$PATH
	"${vmrun_words[@]}" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file creating
	kill -KILL "$pid"
	wait "$pid" || :
	recovers
	has 'cleaning up after a previous vmrun that died'
	[ -e asked ]
}
