#!/usr/bin/env bats
# VMs that start together under bhyve, and ports that another program takes before the hypervisor.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

COUNT=8
ROUNDS=3

setup() {
	load common
	common_setup
	export FAKEBHYVE_LISTEN=1
	host=$(own_host)
}

teardown() {
	local one
	if [ -e takers ]; then
		while read -r one; do
			kill -KILL "$one" 2>/dev/null || :
		done <takers
	fi
	common_teardown
}

# together: starts the VMs of vm.json at the same moment, and waits until all are up and their events
# say so, which vmrun writes only after the hypervisor has begun to run
together() {
	local n
	pids=()
	for n in $(seq "$COUNT"); do
		echo "ready up$n waitfile finished exit 1" >"script$n"
		jq --arg n "$n" '.name += "-" + $n' vm.json >"vm$n.json"
		FAKEBHYVE_LOG=$PWD/starts$n FAKEBHYVE_SCRIPT=$PWD/script$n \
			"$VMRUN" "${stated[@]}" "${unchecked[@]}" "${untimed[@]}" --run-dir "$BATS_RUN_TMPDIR/run" \
			--events "events$n" "vm$n.json" >out 2>"err$n" </dev/null 3>&- &
		pids+=("$!")
	done
	for n in $(seq "$COUNT"); do
		await_file "up$n" || { cat "err$n" >&2 && return 1; }
		await_text '"event":"spawned"' "events$n"
	done
}

# all_end: lets the VMs end, and removes their files
all_end() {
	local one
	: >finished
	for one in "${pids[@]}"; do
		status=0
		wait "$one" || status=$?
		is "$status" 0
	done
	pids=()
	rm -f finished up[0-9]* events[0-9]* starts[0-9]*
}

# chosen MEMBER: prints what the VMs have chosen, sorted
chosen() {
	cat events[0-9]* | jq -r "select(.event == \"spawned\") | .devices | .[] | .$1? // empty" | sort
}

# listener: makes ./taker PORT, which listens at the port of $host until the end of the test
listener() {
	cat >taker <<-END
		#!/usr/bin/env python3
		import os, socket, sys
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
		    s.bind(("$host", int(sys.argv[1])))
		    s.listen()
		except OSError:
		    sys.exit(0) # somebody has it
		if os.fork() == 0:
		    os.setsid()
		    null = os.open("/dev/null", os.O_RDWR)
		    for fd in 0, 1, 2: os.dup2(null, fd)
		    with open("takers", "a") as f: f.write("%d\\n" % os.getpid())
		    while True: s.accept()
		while not os.path.exists("takers"): pass
	END
	chmod +x taker
}

# lose TIMES: a VM whose port another program takes, this often, after vmrun has found it
lose() {
	listener
	lua "
		local starts = 0
		vm.graphic = { host = '$host', port = 'auto', wait = true }
		vm.restart_limit, vm.backoff = { count = 1, within = 3600 }, { initial = 3600 }
		function vm.on_start(boot)
			starts = starts + 1
			if starts <= $1 then
				vmrun.exec { './taker', tostring(boot.devices['fbuf-0'].port) }
			end
			vmrun.event { start = starts, boots = boot.boots, before = boot.previous_cause or 'none' }
		end
		function vm.on_exit(exit)
			vmrun.event { exit = exit.cause, boots = exit.boots, failed = exit.count.start_failed }
		end
	"
}

# of EVENT: prints the number of these events
of() {
	jq -s --arg e "$1" '[.[] | select(.event == $e)] | length' events
}

@test "null modems and ports of VMs that start together" {
	spec '{"com1": "nmdm", "com2": "nmdm", "graphic": {"host": "'"$host"'", "port": "auto"}}'
	for _ in $(seq "$ROUNDS"); do
		together
		is "$(chosen port | uniq | wc -l)" "$COUNT"
		is "$(chosen tty | uniq | wc -l)" $((2 * COUNT))
		is "$(cat starts[0-9]* | wc -l)" "$COUNT" # each was started once
		all_end
	done
	[ ! -e "$BATS_RUN_TMPDIR/run/.names" ]
}

@test "names of a vmrun that was killed are free again" {
	spec '{"com1": "nmdm"}'
	script 'acpi on ready up wait exit 1' 'exit 1'
	start --events events vm.json
	await_file up
	await_text '"event":"spawned"' events
	is "$(ls "$BATS_RUN_TMPDIR/run/.names")" "$(jq -r 'select(.event == "spawned") | .devices.com1.tty' \
		events | sed 's,/dev/,,; s/B$/A/')"
	kill -KILL "$pid"
	wait "$pid" || :
	vmrun vm.json
	is "$status" 0
	[ ! -e "$BATS_RUN_TMPDIR/run/.names" ]
}

@test "a start whose port was taken is repeated with another, and counts for nothing" {
	lose 2
	script 'exit 1' 'exit 1' 'exit 1'
	vmrun --events events --no-reboot vm.lua
	is "$status" 0
	has 'another program took the port of the screen, so vmrun starts the hypervisor again'
	is "$(starts)" 3
	is "$(of exit)" 3
	is "$(of spawned)" 3
	is "$(jq -s -c '[.[] | select(.event == "exit") | [.cause, .status]]' events)" \
		'[["start_failed",4],["start_failed",4],["poweroff",1]]'
	is "$(of decided)" 1
	# all three are the first boot, and only the last one has ended for hooks and the history
	is "$(jq -c '.data? | select(.start? != null) | [.start, .boots, .before]' events | paste -sd' ' -)" \
		'[1,0,"none"] [2,0,"none"] [3,0,"none"]'
	is "$(jq -c '.data? | select(.exit? != null) | [.exit, .boots, .failed]' events)" '["poweroff",1,0]'
	is "$(for n in 1 2 3; do argv $n | grep -c 'fbuf,.*wait'; done | paste -sd' ' -)" '1 1 1'
	is "$(jq -s '[.[] | select(.kind == "boot")] | length' "$BATS_TEST_TMPDIR.keep/$vm/history.jsonl")" 1
}

# argv N: prints the words of the N-th start
argv() {
	sed -n "$1p" "$FAKEBHYVE_LOG" | jq -r '.argv[]'
}

@test "a start whose port is taken again and again fails in the end" {
	lose 100
	script 'exit 1'
	vmrun --events events vm.lua --reboot-count 0
	is "$status" 4
	is "$(of spawned)" 17
	is "$(of decided)" 1
	is "$(jq -c '.data? | select(.exit? != null) | [.exit, .boots, .failed]' events)" '["start_failed",1,1]'
}

@test "a port that the spec names is not replaced" {
	local port
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("'"$host"'", 0)); print(s.getsockname()[1])')
	listener
	lua "
		vm.graphic = { host = '$host', port = $port }
		function vm.on_start() vmrun.exec { './taker', '$port' } end
	"
	script 'exit 1'
	vmrun --events events vm.lua
	is "$status" 4
	is "$(of spawned)" 1
}

@test "a stop between two starts of a boot ends it" {
	lose 1
	sed -i 's/starts = starts + 1/starts = starts + 1 if starts == 2 then vmrun.sleep(600) end/' vm.lua
	script 'exit 1'
	start --events events vm.lua
	await_text 'so vmrun starts the hypervisor again'
	await_starts 1
	kill -TERM "$pid"
	ends 0
	is "$(of spawned)" 1
	is "$(jq -r 'select(.event == "ended") | .cause' events)" stopped
	# A start that was lost is no boot: the history has no line for it.
	is "$(jq -r .kind "$BATS_TEST_TMPDIR.keep/$vm/history.jsonl")" vmrun
}
