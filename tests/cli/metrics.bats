#!/usr/bin/env bats
# vmrunctl metrics: Prometheus' text format, as a parser of it reads it.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	run_dir=$PWD/run
	mkdir -m 700 run
}

teardown() {
	common_teardown
}

# ctl ARG...: runs vmrunctl and sets status; its stdout is in the file said, its stderr in wrong
ctl() {
	status=0
	timeout -k 5 60 "$VMRUNCTL" -r "$run_dir" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# up ARG...: runs vmrun with a VM that runs until a stop request
up() {
	script 'acpi on ready up wait exit 1'
	"$VMRUN" "${stated[@]}" "${unchecked[@]}" "${untimed[@]}" --run-dir "$run_dir" "$@" >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
}

# read_metrics FILE: writes what the parser finds in the file as lines of JSON, [NAME, LABELS, VALUE], to
# the file samples, and NAME TYPE of each family to the file families
read_metrics() {
	local python
	for python in python3 /usr/bin/python3 python3.11; do
		"$python" -c 'import prometheus_client' 2>/dev/null || continue
		"$python" - "$1" >samples 2>families <<-'END'
			import json, sys
			from prometheus_client.parser import text_string_to_metric_families
			text = open(sys.argv[1], newline="", encoding="utf-8").read()
			assert text.endswith("\n")
			names = [line.split(" ")[2] for line in text.split("\n") if line.startswith("# TYPE ")]
			assert len(names) == len(set(names)), names
			for family in text_string_to_metric_families(text):
			    print(family.name, family.type, file=sys.stderr)
			    assert family.documentation
			    for sample in family.samples:
			        # 1.0 and 1 are the same value, but not for every version of jq.
			        value = int(sample.value) if sample.value.is_integer() else sample.value
			        print(json.dumps([sample.name, sample.labels, value], sort_keys=True))
		END
		return
	done
	echo 'no python3 with prometheus_client: install python3-prometheus-client (FreeBSD: py311-prometheus-client)' >&2
	return 1
}

# samples_of NAME: prints the labels and the value of its samples
samples_of() {
	jq -c --arg name "$1" 'select(.[0] == $name) | .[1:]' samples
}

@test "no VMs, or no run-dir: valid, and nothing in it" {
	ctl metrics
	is "$status" 0
	read_metrics said
	is "$(cat samples)" ''
	rmdir run
	ctl metrics
	is "$status" 0
	read_metrics said
	is "$(cat samples)" ''
	is "$(cat wrong)" ''
	ctl metrics --json
	is "$(cat said)" '[]'
	echo >run
	run_dir=$PWD/run/below
	ctl metrics
	is "$status" 71
	grep -q 'run/below: Not a directory' wrong
}

@test "a VM that runs, and that has ended once" {
	local before now
	before=$(date +%s)
	spec
	script 'exit 0' 'acpi on ready up wait exit 1'
	"$VMRUN" "${stated[@]}" "${unchecked[@]}" --run-dir "$run_dir" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	ctl metrics
	is "$status" 0
	read_metrics said
	now=$(date +%s)
	is "$(samples_of vmrun_up)" "[{\"state\":\"running\",\"target\":\"default\",\"vm\":\"$vm\"},1]"
	is "$(samples_of vmrun_ready)" ''
	is "$(samples_of vmrun_boots_total)" "[{\"vm\":\"$vm\"},2]"
	is "$(samples_of vmrun_exits_total | grep -v ',0\]$')" "[{\"cause\":\"reboot\",\"vm\":\"$vm\"},1]"
	# One that has not happened yet is 0, so that its first time is an increase.
	is "$(samples_of vmrun_exits_total | grep -F '"triple_fault"')" "[{\"cause\":\"triple_fault\",\"vm\":\"$vm\"},0]"
	is "$(samples_of vmrun_exits_total | grep -c given_up)" 0
	is "$(samples_of vmrun_uptime_seconds | jq '.[1] >= 0 and .[1] < 600')" true
	is "$(samples_of vmrun_last_exit_timestamp_seconds |
		jq --argjson a "$before" --argjson b "$now" '.[1] >= $a and .[1] <= $b + 1')" true
	is "$(cat families)" 'vmrun_up gauge
vmrun_ready gauge
vmrun_boots counter
vmrun_exits counter
vmrun_uptime_seconds gauge
vmrun_last_exit_timestamp_seconds gauge'
	ctl metrics --json
	is "$(jq -c '.[] | [.vm, .target, .state, .up, .ready, .boots, .exits.reboot, .exits.error]' said)" \
		"[\"$vm\",\"default\",\"running\",true,null,2,1,0]"
	is "$(jq '.[0] | (.uptime_seconds < 600) and (.last_exit_timestamp_seconds > 1e9)' said)" true
	ctl "$vm" status --json
	is "$(jq -c '[.exits.reboot, .exits.killed, (.last_exit_time | type)]' said)" '[1,0,"number"]'
	ctl "$vm" stop
	ends 0
}

@test "before its first end a VM has no time of it" {
	spec
	up vm.json
	ctl metrics
	read_metrics said
	is "$(samples_of vmrun_last_exit_timestamp_seconds)" ''
	is "$(samples_of vmrun_exits_total | grep -cv ',0\]$')" 0
	ctl "$vm" status --json
	is "$(jq -c '[.last_exit_time, .exits.reboot]' said)" '[null,0]'
	ctl "$vm" stop
	ends 0
}

# stands_in NAME [ANSWER]: a program at the control socket of a VM of this name, with this answer or none
stands_in() {
	mkdir -m 700 "$run_dir/$1"
	python3 - "$run_dir/$1/control" "${2:-}" "$1" <<-'END' 3>&- &
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen()
		open("stands." + sys.argv[3], "w").close()
		peers = []
		while True:
		    peers.append(s.accept()[0])
		    peers[-1].recv(65536)
		    if sys.argv[2]:
		        peers[-1].sendall(sys.argv[2].encode() + b"\n")
	END
	pids+=("$!")
	await_file "stands.$1"
}

@test "labels with quotes, backslashes, line ends and bytes that are not UTF-8" {
	local target=$'a"b\\c\nd\\n \303\251{},=' name=$'x\\"\ny\377'
	stands_in a "$(jq -nc --arg target "$target" '{ok: true, state: "running", pid: 7, target: $target, boots: 1,
		exits: {"\"\\\n": 1}}')"
	# No target has such a name, but a directory can.
	mkdir -m 700 "run/$name"
	echo 4194305 >"run/$name/lock" # above every pid of Linux
	ctl metrics
	is "$status" 0
	read_metrics said
	is "$(samples_of vmrun_up | jq -c 'select(.[0].vm == "a")[0].target')" "$(jq -nc --arg text "$target" '$text')"
	has 'target="a\"b\\c\nd\\n '$'\303\251''{},="' said
	is "$(samples_of vmrun_up | jq -c 'select(.[0].vm != "a")')" \
		"[{\"state\":\"dead\",\"target\":\"\",\"vm\":\"x\\\\\\\"\\ny$(printf '\357\277\275')\"},0]"
	is "$(samples_of vmrun_exits_total | jq -c '.[0].cause')" '"\"\\\n"'
}

@test "ready is 1 or 0 where the spec has it, and left out where it has not" {
	stands_in a '{"ok":true,"vm":"a","state":"running","target":"default","pid":7,"ready":true,"boots":1,"uptime_ms":1500,"exits":{"reboot":0},"last_exit_time":1767225600.125}'
	stands_in b '{"ok":true,"vm":"b","state":"running","target":"default","pid":8,"ready":false,"boots":1}'
	stands_in c '{"ok":true,"vm":"c","state":"backoff","target":"default","pid":null,"ready":null,"boots":1}'
	ctl metrics
	is "$status" 0
	read_metrics said
	is "$(samples_of vmrun_ready | paste -sd' ' -)" '[{"vm":"a"},1] [{"vm":"b"},0]'
	is "$(samples_of vmrun_up | jq -c '[.[0].vm, .[0].state, .[1]]' | paste -sd' ' -)" \
		'["a","running",1] ["b","running",1] ["c","backoff",0]'
	is "$(samples_of vmrun_uptime_seconds)" '[{"vm":"a"},1.5]'
	is "$(samples_of vmrun_last_exit_timestamp_seconds)" '[{"vm":"a"},1767225600.125]'
	ctl metrics --json
	is "$(jq -c 'map(.ready)' said)" '[true,false,null]'
	ctl a status
	has 'ready      yes' said
	ctl b status
	has 'ready      not yet' said
	ctl c status
	lacks 'ready' said
}

@test "VMs that do not answer: up is 0, the state says why, the others are there" {
	spec
	up vm.json
	mkdir -m 700 run/dead
	touch run/dead/ledger.json
	stands_in silent
	echo "$$" >run/silent/lock
	stands_in odd '{"ok":false,"error":"no"}'
	ctl metrics
	is "$status" 0
	read_metrics said
	is "$(samples_of vmrun_up | jq -c '[.[0].vm, .[0].target, .[0].state, .[1]]' | sort)" "$(printf '%s\n' \
		'["dead","","dead",0]' '["odd","","silent",0]' '["silent","","silent",0]' \
		"[\"$vm\",\"default\",\"running\",1]" | sort)"
	is "$(samples_of vmrun_boots_total)" "[{\"vm\":\"$vm\"},1]"
	ctl metrics --json
	is "$(jq -c '.[] | select(.vm == "dead") | [.up, .state, .target, .boots, .uptime_seconds]' said)" \
		'[false,"dead",null,null,null]'
	ctl "$vm" stop
	ends 0
}

@test "a hypervisor that outlives a killed vmrun is up" {
	spec
	script 'acpi on ready up wait waitfile go exit 1'
	"$VMRUN" "${stated[@]}" "${unchecked[@]}" "${untimed[@]}" --run-dir "$run_dir" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	await_text 'runs under' # its pid is noted
	kill -KILL "$pid"
	await is_gone "$pid"
	ctl metrics
	has "vmrun_up{vm=\"$vm\",target=\"\",state=\"dead\"} 1" said
	ctl metrics --json
	is "$(jq -c '.[] | [.up, .state]' said)" '[true,"dead"]'
	touch go
	"$VMRUNCTL" -r "$run_dir" "$vm" wait --gone 3>&-
	ctl metrics
	has "vmrun_up{vm=\"$vm\",target=\"\",state=\"dead\"} 0" said
}

@test "a run-dir that cannot be read is an error, not an empty list" {
	[ "$(id -u)" -ne 0 ] || skip 'root can read it'
	chmod 0 run
	ctl metrics
	is "$status" 77
	[ ! -s said ]
	chmod 700 run
}

@test "wrong command lines" {
	ctl metrics x
	is "$status" 64
	has 'metrics takes no VM name' wrong
	ctl metrics --gone
	is "$status" 64
	has 'metrics takes no --gone' wrong
	ctl metric
	is "$status" 64
	ctl metrics status # a VM can have this name
	is "$status" 69
	ctl -h
	has 'metrics  ' said
}
