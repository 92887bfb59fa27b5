#!/usr/bin/env bats
# Events as JSON lines, and the outputs of messages.
# shellcheck disable=SC2034,SC2154 # unchecked, vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# judge FILE [messages]: validates every line by the schema
judge() {
	python "$SOURCE/tests/cli/events.py" "$SOURCE/schema/event.schema.json" "$@"
}

# names FILE: prints the names of its events, except policy events, in one line
names() {
	jq -r 'select(.event != "policy") | .event' "$1" | paste -sd' ' -
}

# of EVENT [FILE]: prints the members that only this event has
of() {
	jq -c "select(.event == \"$1\") | del(.v, .seq, .time, .vm, .event)" "${2:-events}"
}

# --- events ---

@test "a line of each type is as the schema says" {
	judge "$SOURCE/tests/event/events.jsonl"
	jq -r .event "$SOURCE/tests/event/events.jsonl" | sort -u >told
	jq -r '.oneOf[].title' "$SOURCE/schema/event.schema.json" | sort >known
	diff told known
}

@test "a run, told to a file" {
	lua 'vmrun.log("warning", "read") vm.config = { note = [[a"b]] }
		function vm.on_started() vmrun.event { n = { 1, 2.5 }, text = "\xff\27[1m\195\164" } end
		function vm.on_exit(e) if e.status == 3 then error("oh") end end
		vm.targets = { b = {} } vm.next_target = "b"'
	script 'err some_words exit 0' 'exit 3'
	umask 0
	vmrun --events events vm.lua
	is "$status" 3
	is "$(stat -c %a events)" 600
	judge events
	is "$(names events)" 'log starting spawned hook output exit cleaned decided starting spawned hook exit cleaned hook_failed decided ended'
	is "$(jq -r .vm events | sort -u)" "$vm"
	is "$(jq .seq events | paste -sd' ' -)" "$(seq "$(jq -s length events)" | paste -sd' ' -)"
	is "$(jq -r .time events)" "$(jq -r .time events | sort)"
	is "$(of log)" '{"level":"warning","text":"read"}'
	is "$(of hook | head -n 1 | jq '.data == {n: [1, 2.5], text: "\ufffd\u001b[1m\u00e4"}')" true
	is "$(of hook | head -n 1 | jq -r .by)" 'on_started of vm.lua'
	is "$(of output)" '{"by":null,"text":"some words"}'
	is "$(of exit | jq -c 'del(.uptime_ms)')" '{"target":"default","cause":"reboot","status":0,"signal":null,"stderr":"some words\n","ended_by":"guest"}
{"target":"b","cause":"triple_fault","status":3,"signal":null,"stderr":"","ended_by":"guest"}'
	is "$(of decided)" '{"boot":1,"ended":"default","cause":"reboot","action":"boot","target":"b","delay_ms":0,"by":"next_target"}
{"boot":2,"ended":"b","cause":"triple_fault","action":"stop","target":null,"delay_ms":0,"by":"default"}'
	is "$(of ended)" '{"exit_status":3,"cause":"triple_fault"}'
	is "$(of spawned | jq -r '.pid' | paste -sd' ' -)" "$(fake_pids | paste -sd' ' -)"
	is "$(of spawned | head -n 1 | jq -c '.argv[1:]')" "$(head -n 1 "$FAKEBHYVE_LOG" | jq -c '.argv[1:]')"
}

@test "nothing that hooks say is lost: a call that says much lets its readers read" {
	lua 'function vm.on_started()
			for i = 1, 20000 do vmrun.event { i = i } end
			for i = 1, 20000 do vmrun.log("info", i) end
			print("said")
		end'
	script 'waitfile over exit 1'
	start --events events vm.lua
	await_text 'vmrun: said'
	: >over
	ends 0
	is "$(jq 'select(.event == "hook") | .data.i' events | tr '\n' ' ')" "$(seq 20000 | tr '\n' ' ')"
	is "$(jq -r 'select(.event == "log" and .text != "said") | .text' events | tr '\n' ' ')" "$(seq 20000 | tr '\n' ' ')"
	is "$(of lost)" ''
	is "$(grep -c '^vmrun: [0-9]*$' err)" 20000
}

@test "what is lost where no reader can read is counted: in a chunk, a callback and a simulation" {
	local all
	lua 'local function say() for i = 1, 10000 do vmrun.event { i = i } vmrun.log("info", "l") end end
		say()
		function vm.on_exit() table.sort({ 2, 1 }, function(a, b) say() return a < b end) end'
	script 'exit 1'
	vmrun --events events vm.lua
	is "$status" 0
	judge events
	grep -qE '^vmrun: (warning|'"$vm"': warning): [0-9]+ messages were lost: ' err
	all=$(jq -s 'map(if .event == "lost" then .count else 1 end) | add' events)
	is "$(tail -n 1 events | jq .seq)" "$all"
	[ "$all" -gt 20000 ]
	vmrun --simulate poweroff vm.lua
	is "$status" 0
	is "$(grep -c 'messages were lost' err)" 2
}

@test "a file is appended to, and its mode stays" {
	spec
	echo before >events
	chmod 644 events
	vmrun --events events vm.json
	is "$status" 0
	is "$(head -n 1 events)" before
	is "$(stat -c %a events)" 644
	vmrun --events=events vm.json
	is "$(grep -c '"event":"ended"' events)" 2
}

@test "stdout and descriptors" {
	spec
	vmrun --events - vm.json
	is "$status" 0
	judge out
	is "$(names out)" 'starting spawned exit cleaned decided ended'
	status=0
	"$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" --events fd:7 vm.json 7>seven >out 2>err \
		</dev/null 3>&- || status=$?
	is "$status" 0
	judge seven
	is "$(names seven)" 'starting spawned exit cleaned decided ended'
	[ ! -s out ]
}

@test "the hypervisor does not inherit the descriptor" {
	printf '#!/bin/sh\nls -l /dev/fd/ >fds 2>&1\nexit 1\n' >bhyve
	chmod +x bhyve
	spec
	"$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" --bhyve ./bhyve --events fd:7 vm.json \
		7>seven >out 2>err </dev/null 3>&-
	[ -s fds ]
	lacks seven fds
}

@test "stdout has the events where no port has stdio, whatever else the VM has" {
	local dest
	script 'exit 1' 'exit 1'
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}, {"device": "e1000", "name": "tap4"},
		{"device": "virtio-blk", "path": "disk.img"}, {"device": "virtio-rnd"}]}'
	for dest in - fd:1; do
		vmrun --events $dest vm.json
		is "$status" 0
		is "$(names out)" "starting spawned exit cleaned decided ended"
	done
	vmrun --events - --hypervisor bhyve "$SOURCE/examples/readme.json"
	is "$status" 64
	has "--events -: a serial port or loader of the spec has stdio"
}

@test "stdout is the guest's where a port has stdio, in any target: 64" {
	local dest
	for dest in - fd:1; do
		spec '{"com1": "stdio"}'
		vmrun --events $dest vm.json
		is "$status" 64
		has "--events $dest: a serial port or loader of the spec has stdio"
		spec '{"targets": {"x": {"com2": "stdio"}}}'
		vmrun --events $dest vm.json
		is "$status" 64
	done
	is "$(starts)" ''
	vmrun --events events vm.json
	is "$status" 0
	lua 'function vm.on_prepare(spec) spec.com1 = "stdio" return spec end'
	script 'print hello exit 1'
	vmrun --events - vm.lua
	is "$status" 0
	has "--events -: it is the guest's console now: no further events"
	has hello out
	is "$(names <(grep '^{' out))" starting
}

@test "destinations that are none" {
	spec
	mkfifo nobody
	while read -r wanted dest text; do
		vmrun --events "$dest" vm.json
		is "$status" "$wanted"
		has "vmrun: --events $dest: $text"
	done <<-'END'
		64 fd: expected fd: and a number
		64 fd:x expected fd: and a number
		64 fd:-1 expected fd: and a number
		64 fd:99999999999999999999 expected fd: and a number
		64 fd:97 no such descriptor is open
		64 fd:0 that descriptor is open for reading only
		71 . Is a directory
		71 no/such/file No such file or directory
		71 nobody no program reads it
	END
	vmrun --events '' vm.json
	is "$status" 64
	vmrun --events
	is "$status" 64
	is "$(starts)" ''
}

@test "--events is for a run only" {
	local option
	unchecked=()
	spec
	for option in -d --debug --check --print=spec --simulate=0; do
		vmrun --events events $option vm.json
		is "$status" 64
		has '--events is for a run'
	done
	[ ! -e events ]
	echo '{' >bad.json
	vmrun --events events bad.json
	is "$status" 65
	[ ! -e events ]
}

@test "a vmrun that is refused writes nothing into the file of the one that runs" {
	lua 'vmrun.log("info", "read")'
	script 'ready up waitfile finished exit 1'
	start --events events vm.lua
	await_file up
	await_text spawned events
	cp events before
	status=0
	"$VMRUN" "${stated[@]}" --run-dir "$BATS_RUN_TMPDIR/run" --events events vm.lua 2>second >out </dev/null || status=$?
	is "$status" 75
	cmp events before
	: >finished
	ends 0
	judge events
}

@test "checks: what is wrong, in full" {
	unchecked=()
	fake_host
	printf 'vmm.ko\n' >state/modules
	spec '{"emulations": [{"device": "virtio-blk", "path": "gone.img"}]}'
	vmrun --events events vm.json
	is "$status" 69
	judge events
	is "$(of checked | jq -c '.problems[] | [.device, .path, .fix]')" \
		"[\"virtio-blk\",\"emulations[0].path\",\"truncate -s 20G $PWD/gone.img\"]"
	of checked | jq -r '.problems[0].problem' | grep -q 'gone.img: No such file'
	vmrun --check --json vm.json
	is "$(jq -c .problems out)" "$(of checked | jq -c .problems)"
	of exit | jq -r .stderr | grep -q gone.img
}

@test "checks of a boot that another one follows at once" {
	unchecked=()
	fake_host
	printf 'vmm.ko\n' >state/modules
	spec '{"on": {"check_failed": {"boot": "b", "delay": 0}},
		"targets": {"a": {"emulations": [{"device": "virtio-blk", "path": "gone.img"}]},
			"b": {"on": {"check_failed": "stop"}, "emulations": [{"device": "ahci-cd", "path": "lost.iso"},
				{"device": "ahci-cd", "path": "away.iso"}]}}}'
	vmrun --events events -t a vm.json
	is "$status" 69
	judge events
	is "$(of checked | jq -c '[.target, (.problems | map(.device))]')" \
		'["a",["virtio-blk"]]
["b",["ahci-cd","ahci-cd"]]'
	has 'gone.img: No such file'
	has 'lost.iso: No such file'
	has 'away.iso: No such file'
}

@test "giving up, a fix, a stop" {
	spec '{"restart_limit": {"count": 1, "within": 60}}'
	script 'err first exit 0' 'exit 0' 'exit 0'
	vmrun --events events vm.json
	is "$status" 10
	judge events
	is "$(of given_up | jq -c '[.by, (.exits | length), (.exits[0] | endswith(": first"))]')" \
		'["restart_limit",2,true]'
	rm events script
	script 'acpi on ready up wait exit 1'
	spec '{"stop": [{"do": "acpi", "wait": 50}]}'
	start --events events vm.json
	await_file up
	kill -TERM "$pid"
	ends 0
	judge events
	is "$(of stopping)" '{"step":"acpi","wait_ms":50000,"cause":"stopped"}'
	is "$(of exit | jq -r .cause)" stopped
}

@test "no secret is in the events" {
	spec '{"graphic": {"port": "auto", "password": "geheim1"}}'
	vmrun --events events --log-format json --log-level debug vm.json
	is "$status" 0
	grep -q '"spawned"' events
	lacks geheim1 events
	lacks geheim1 err
}

# --- readers that are slow, or gone ---

@test "a reader that sleeps stops nothing; what it missed is counted" {
	lua 'function vm.on_started()
			for _ = 1, 4000 do vmrun.event { text = ("x"):rep(1000) } end
			vmrun.log("warning", "flooded")
		end'
	script 'waitfile finished exit 1'
	mkfifo pipe
	exec 8<>pipe
	start --events pipe --log-level warning vm.lua 8<&-
	await_text flooded
	: >finished
	# vmrun ends although nothing reads the events, and reports the lost ones.
	ends 0
	grep -qE -- '--events pipe: [0-9]+ events were lost' err
	exec 8<&-
}

@test "once the reader wakes up it is told how many are lost, and gets all that follows" {
	lua 'function vm.on_started()
			for _ = 1, 4000 do vmrun.event { text = ("x"):rep(1000) } end
			vmrun.log("warning", "flooded")
		end'
	script 'waitfile finished exit 1'
	mkfifo pipe
	exec 8<>pipe
	start --events pipe --log-level warning vm.lua 8<&-
	await_text flooded
	cat <pipe >got 8<&- &
	pids+=($!)
	exec 8<&-
	await_text '"event":"lost"' got
	: >finished
	ends 0
	wait "${pids[1]}"
	judge got
	lacks 'events were lost'
	is "$(jq -s '(map(select(.event == "lost") | .count) | add) + (map(select(.event != "lost")) | length)' got)" \
		"$(jq -s '.[-1].seq' got)"
	is "$(jq -r .event got | tail -n 1)" ended
}

@test "a reader that goes away is told of once" {
	spec
	script 'exit 0' 'exit 0' 'waitfile finished exit 1'
	mkfifo pipe
	exec 8<>pipe
	start --events pipe vm.json 8<&-
	head -n 1 <pipe >got 8<&-
	exec 8<&-
	: >finished
	ends 0
	is "$(grep -c -- '--events pipe: Broken pipe: no further events' err)" 1
	has 'ended with status 0'
}

@test "a disk that is full is told of once, and the VM runs" {
	[ -e /dev/full ] || skip 'no /dev/full'
	spec
	script 'exit 0' 'exit 0' 'exit 3'
	vmrun --events /dev/full vm.json
	is "$status" 3
	is "$(grep -c -- '--events /dev/full: No space left on device: events wait' err)" 1
	grep -qE -- '--events /dev/full: [0-9]+ events were lost' err
}

# --- messages ---

@test "levels" {
	lua 'for _, level in ipairs { "error", "warning", "info", "debug" } do vmrun.log(level, "a " .. level) end'
	script 'exit 3'
	vmrun --log-level error vm.lua
	is "$status" 3
	is "$(sed 's/ after [0-9.]* s//' err)" "vmrun: error: a error
vmrun: $vm: target default: the guest crashed (triple fault) (triple_fault, status 3)
vmrun: $vm: ended with status 3: the guest crashed (triple fault)"
	script 'exit 1'
	vmrun --log-level warning vm.lua
	is "$(cat err)" 'vmrun: error: a error
vmrun: warning: a warning'
	vmrun vm.lua
	cp err default
	has 'a info'
	lacks 'a debug'
	vmrun --log-level info vm.lua
	is "$(sed 's/pid [0-9]*//; s/[0-9.]* s //' err)" "$(sed 's/pid [0-9]*//; s/[0-9.]* s //' default)"
	vmrun --log-level debug vm.lua
	has 'vmrun: debug: a debug'
	has "vmrun: $vm: target default is cleaned up"
	vmrun --log-level loud vm.lua
	is "$status" 64
	has '--log-level takes error, warning, info or debug, got "loud"'
}

@test "what is wrong with a spec is said at every level" {
	spec '{"cpu": 0}'
	vmrun --log-level error vm.json
	is "$status" 65
	has 'vm.json:'
}

@test "notes of a dry run have a level too" {
	spec '{"com1": "nmdm"}'
	vmrun -d vm.json
	has 'vmrun: note: '
	vmrun -d --log-level warning vm.json
	is "$status" 0
	[ ! -s err ]
	vmrun -d --log-format json vm.json
	judge err messages
	is "$(jq -r .level err | sort -u)" info
}

@test "messages as JSON: events, and beside them" {
	lua 'vmrun.log("info", "read\n\27[2J")'
	script 'err some_words exit 0' 'exit 3'
	vmrun --log-format json vm.lua
	is "$status" 3
	judge err messages
	is "$(names err)" 'log starting spawned output exit decided starting spawned exit decided ended'
	vmrun --log-format json --log-level debug --events events vm.lua
	is "$(cat err)" "$(cat events)"
	spec '{"cpu": 0, "mem": "x\"y"}'
	vmrun --log-format json vm.json
	is "$status" 65
	judge err messages
	is "$(jq -r .path err | sort | paste -sd' ' -)" 'cpu mem'
	is "$(jq -r .place err | cut -d: -f1 | sort -u)" vm.json
	spec
	vmrun --log-format json --events no/such vm.json
	is "$status" 71
	judge err messages
	vmrun --log-format xml vm.json
	is "$status" 64
	vmrun --log-format text vm.json
	has 'booting target default'
}

@test "checks that fail, as JSON" {
	unchecked=()
	fake_host
	printf 'vmm.ko\n' >state/modules
	spec '{"emulations": [{"device": "virtio-blk", "path": "gone.img"}]}'
	vmrun --log-format json --log-level error vm.json
	is "$status" 69
	judge err messages
	is "$(names err)" 'checked exit ended'
}

@test "--syslog: stderr is silent, with or without somebody who listens" {
	local format
	lua 'vmrun.log("error", "read") print(("long "):rep(1000))'
	for format in text json; do
		script 'err some_words exit 3'
		vmrun --syslog --log-format $format --log-level debug --events events vm.lua
		is "$status" 3
		[ ! -s err ] && [ ! -s out ]
		judge events
		rm events
	done
	spec '{"cpu": 0}'
	vmrun --syslog vm.json
	is "$status" 65
	has cpu
}
