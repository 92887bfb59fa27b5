#!/usr/bin/env bats
# What vmrun and vmrunctl know about boots that have ended, also when nothing runs.
# shellcheck disable=SC2034,SC2154 # common.bash

setup() {
	load common
	common_setup
	run_dir=$BATS_RUN_TMPDIR/run
	keep=$PWD/keep
	stated=(--state-dir "$keep")
	unchecked=("${stated[@]}" --no-requirement-check)
	file=$keep/$vm/history.jsonl
	spec '{"targets": {"a": {}}}'
}

teardown() {
	common_teardown
}

# ctl ARG...: runs vmrunctl and sets status; its stdout is in the file said, its stderr in wrong
ctl() {
	status=0
	timeout -k 5 60 "$VMRUNCTL" -r "$run_dir" --state-dir "$keep" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# of FILTER: prints a part of each line of the history
of() {
	jq -rc "$1" "$file"
}

members='["action","boot","by","cause","console","ended_by","exit_status","kind","next","signal","status","stderr","target","text","time","uptime_ms","v"]'

# guest: makes a hypervisor whose guest prints the line `say` has for this boot on its serial port
guest() {
	cat >bhyve <<-'END'
		#!/bin/sh
		for word; do
			case $word in com1,*) line=${word#com1,} ;; esac
		done
		echo x >>boots
		number=$(wc -l <boots)
		sed -n "${number}p" say >"$line"
		[ ! -e mutter ] || cat mutter >&2
		exit "$(sed -n "${number}p" exits)"
	END
	chmod +x bhyve
	export VMRUN_BHYVE=$PWD/bhyve
	spec '{"com1": "console"}'
}

@test "each end of a boot and of vmrun is a line" {
	script 'err first exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(stat -c %a "$file")" 600
	is "$(of keys | sort -u)" "$members"
	is "$(of '[.v, .kind, .boot, .target, .cause, .status, .signal, .ended_by, .stderr, .console]')" \
		'[1,"boot",1,"default","reboot",0,null,"guest","first\n",null]
[1,"boot",2,"default","poweroff",1,null,"guest","",null]
[1,"vmrun",2,"default","poweroff",1,null,"guest",null,null]'
	is "$(of '[.action, .next, .by, .exit_status, (.uptime_ms | type)]')" \
		'["boot","default","default",null,"number"]
["stop",null,"default",null,"number"]
[null,null,null,0,"null"]'
	is "$(of .text | sed 's/[0-9.]* s$/N s/')" 'the guest asked for a reboot after N s
the guest powered off after N s
ended with status 0: the guest powered off'
	[ ! -e "$keep/$vm/running" ]
}

@test "a boot that could not begin: why, and nothing of a hypervisor" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "none.img"}]}'
	unchecked=()
	fake_host
	echo vmm.ko >state/modules
	vmrun vm.json
	is "$status" 69
	is "$(of '[.kind, .cause, .status, .signal, .uptime_ms, .ended_by, .stderr, .console, .exit_status]')" \
		'["boot","check_failed",null,null,null,null,null,null,null]
["vmrun","check_failed",null,null,null,null,null,null,69]'
	of .text | head -n 9 >text
	has 'none.img' text
	ctl "$vm" why
	is "$status" 0
	has 'none.img' said
	has 'vmrun --check FILE' said
}

@test "the console's last output, only of the boot that ended" {
	guest
	printf '%s\n' 'one boot' 'another' >say
	printf '%s\n' 0 1 >exits
	vmrun vm.json
	is "$(of 'select(.kind == "boot").console | @json')" '"one boot\n"
"another\n"'
}

@test "what ended it: the guest, or a step of the ladder" {
	mkdir -p state/vmm bin
	printf '#!/bin/sh\nkill -USR1 "$(cat up)"\n' >bin/bhyvectl
	chmod +x bin/bhyvectl
	local step ladder
	for step in acpi poweroff kill; do
		rm -f up events "$file"
		ladder="[{\"do\": \"$step\", \"wait\": 60}]"
		spec "{\"stop\": $ladder}"
		script 'acpi on ready up wait exit 1'
		[ $step = acpi ] || script 'acpi on ready up deaf'
		PATH=$PWD/bin:$PATH start --events events vm.json
		await_file up
		await_text 'runs under'
		ctl "$vm" stop --json
		is "$(jq -rc '[.ok, .ended_by]' said)" "[true,\"$step\"]"
		ends 0
		is "$(of .ended_by | paste -sd' ' -)" "$step $step"
		is "$(jq -r 'select(.event == "exit").ended_by' events)" $step
	done
	has 'stopped on request after' err
	has 'vmrun killed the hypervisor' err
}

@test "words: what the power button did, in messages and answers" {
	script 'acpi on ready up wait exit 1'
	start vm.json
	await_file up
	ctl "$vm" stop
	grep -qE "^$vm: stopped: the guest powered off [0-9.]+ s after the power button\$" said
	ends 0
	grep -qE 'stopped on request after .* s: the guest powered off [0-9.]+ s after the power button \(stopped' err
}

@test "a requested reboot is not the guest's" {
	lua 'vm.targets = { a = {} }
		function vm.on_exit(exit) print("by", exit.ended_by, exit.history[2] and exit.history[2].ended_by) end
		function vm.on_end(report) print("at the end", report.ended_by, report.history[1].ended_by) end'
	script 'acpi on ready up wait exit 1' 'ready up2 exit 1'
	start vm.lua
	await_file up
	ctl "$vm" reboot a
	is "$(cat said)" "$vm: stopping target default with acpi (at most 75 s), then booting target a"
	ends 0
	has 'stopped for the reboot request after'
	lacks 'the guest asked for a reboot after'
	is "$(of 'select(.kind == "boot") | [.cause, .ended_by, .next, .by]' | head -n 1)" \
		'["reboot","acpi","a","the reboot request"]'
	grep -q '^vmrun: by.acpi.nil' err
	grep -q '^vmrun: by.guest.acpi' err
	grep -q '^vmrun: at the end.guest.guest' err
}

@test "a signal of others ends a boot by itself" {
	script 'ready up wait' 'exit 1'
	start vm.json
	await_file up
	kill -KILL "$(cat up)"
	ends 137
	is "$(of '[.kind, .cause, .signal, .ended_by, .exit_status]')" '["boot","killed",9,null,null]
["vmrun","killed",9,null,137]'
	ctl why "$vm"
	has 'memory ran out' said
}

@test "a stop between two boots ends vmrun, not a boot" {
	spec '{"on": {"error": {"boot": "default", "delay": 3600}}}'
	script 'exit 5'
	start vm.json
	ctl "$vm" wait --state backoff --timeout 30
	ctl "$vm" stop --json
	is "$(jq -c . said)" '{"ok":true,"ended_by":null,"text":null}'
	ends 0
	is "$(of '[.kind, .cause, .status, .ended_by, .action, .exit_status]')" \
		'["boot","error",5,null,"boot",null]
["vmrun","stopped",null,null,null,0]'
}

@test "given_up: the boot keeps its cause, vmrun has given_up" {
	spec '{"restart_limit": {"count": 1, "within": 99}}'
	script 'exit 0' 'exit 0'
	vmrun vm.json
	is "$status" 10
	is "$(of '[.kind, .cause, .action, .exit_status]')" '["boot","reboot","boot",null]
["boot","reboot","stop",null]
["vmrun","given_up",null,10]'
	grep -qE 'target default: reboot, status 0, after [0-9.]+ s, by the guest$' err
}

@test "a vmrun that dies without a word: why says it, and the next start notes it" {
	script 'ready up wait exit 1' 'exit 1'
	start vm.json
	await_file up
	is "$(jq .pid "$keep/$vm/running")" "$pid"
	kill -KILL "$pid"
	await is_gone "$pid"
	end_fakes
	local dead=$pid death="vmrun pid $pid died: kill -9, out of memory or a power cut"
	[ ! -e "$file" ]
	ctl "$vm" why
	is "$status" 0
	has "$death" said
	has 'Start vmrun again' said
	ctl "$vm" status --json
	is "$status" 69
	is "$(jq -r '[.state, .last.kind, .last.text] | join(" ")' said)" "ended vmrun $death"
	vmrun vm.json
	is "$status" 0
	is "$(of '[.kind, .cause, .exit_status] | @json')" '["vmrun",null,null]
["boot","poweroff",null]
["vmrun","poweroff",0]'
	is "$(of .text | head -n 1)" "$death"
	is "$(of .text | grep -c "$dead")" 1
	ctl "$vm" history
	has "$death" said
}

@test "a power cut that tore the last line is told, too" {
	script 'exit 1'
	vmrun vm.json
	printf '{"v":1,"time":"2026' >>"$file"
	echo '{"v":1,"pid":99999999,"start":1,"boot":"another"}' >"$keep/$vm/running"
	ctl "$vm" why
	has 'vmrun pid 99999999 died' said
	ctl "$vm" history --json
	is "$(jq -r .kind said | paste -sd' ' -)" 'boot vmrun vmrun'
}

@test "status of a vmrun that cannot be asked is no end" {
	[ "$(uname)" = Linux ] || skip 'elsewhere a full queue refuses connections'
	script 'exit 1'
	vmrun vm.json
	run_dir=$PWD/loop
	ln -s loop loop
	ctl "$vm" status
	is "$status" 71
	has 'Too many levels of symbolic links' wrong
	[ ! -s said ]
	run_dir=$PWD/full
	mkdir -p "full/$vm"
	python3 - "full/$vm/control" <<-'END' 3>&- &
		import os, socket, sys, time
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(0)
		peers = []
		try:
		    while True:
		        peers.append(socket.socket(socket.AF_UNIX))
		        peers[-1].setblocking(False)
		        peers[-1].connect(sys.argv[1])
		except BlockingIOError:
		    open("is-full", "w")
		time.sleep(600)
	END
	pids+=("$!")
	await_file is-full
	ctl "$vm" status
	is "$status" 69
	has 'cannot connect to' wrong
	[ ! -s said ]
}

@test "dry runs, checks and simulations have no history" {
	vmrun -d vm.json
	vmrun --check vm.json
	vmrun --simulate reboot,poweroff vm.json
	vmrun --print spec vm.json
	[ ! -e "$keep" ]
}

@test "a file that cannot be written is one warning a run" {
	mkdir -p "$file"
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(grep -c 'history.jsonl: cannot write this file' err)" 1
	rm -r keep
	: >keep
	script 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(grep -c 'vmrunctl history and why lack these events' err)" 1
}

@test "a warning about the last line comes before the last event" {
	lua 'function vm.on_end() vmrun.exec { "sh", "-c", "rm -r keep && : >keep" } end'
	script 'exit 1'
	vmrun --events events vm.lua
	is "$status" 0
	is "$(jq -r .event events | tail -n 2 | paste -sd' ' -)" 'warning ended'
}

@test "history, why and status of a VM that has ended" {
	ctl "$vm" status
	is "$status" 69
	has 'not running' wrong
	ctl "$vm" history
	is "$status" 1
	has 'no boot of this VM has ended' wrong
	ctl "$vm" why
	is "$status" 1
	script 'err last_words exit 3'
	vmrun vm.json
	is "$status" 3
	ctl "$vm" history
	is "$status" 0
	is "$(wc -l <said)" 2
	grep -qE 'boot 1, target default: the guest crashed \(triple fault\) after [0-9.]+ s \(triple_fault, status 3\); no further boot \(default\)$' said
	ctl "$vm" history --json
	cmp said "$file"
	ctl "$vm" why
	is "$status" 0
	has 'last words' said
	has 'vmrun ended with status 3' said
	has 'what to try next:' said
	lacks 'is running now' said
	ctl "$vm" why --json
	is "$(jq -r '[.ok, .state, .boot.cause, .last.exit_status] | @json' said)" '[true,"ended","triple_fault",3]'
	ctl "$vm" status
	is "$status" 69
	has 'state      ended' said
	has 'triple_fault, status 3' said
	ctl "$vm" status --json
	is "$status" 69
	is "$(jq -r '[.ok, .state, .last.cause, .last.exit_status] | @json' said)" '[false,"ended","triple_fault",3]'
}

@test "why shows the last twelve lines of stderr, with and without a line end" {
	local end
	for end in '\n' ''; do
		printf '#!/bin/sh\nseq 1 19 >&2\nprintf "20%s" >&2\nexit 3\n' "$end" >bhyve
		chmod +x bhyve
		VMRUN_BHYVE=$PWD/bhyve vmrun vm.json
		is "$status" 3
		ctl "$vm" why
		is "$(grep -xE '  [0-9]+' said | tr -d ' ' | paste -sd' ' -)" '9 10 11 12 13 14 15 16 17 18 19 20'
	done
}

@test "why says that the VM runs now" {
	script 'exit 3'
	vmrun vm.json
	script 'acpi on ready up wait exit 1'
	start vm.json
	await_file up
	ctl "$vm" why
	is "$status" 0
	has 'triple_fault, status 3' said
	has "$vm is running now: target default" said
	ctl "$vm" stop
	ends 0
}

@test "why: a VM that has given up and waits is told how to boot again" {
	spec '{"on": {"triple_fault": "boot", "given_up": "wait"}, "restart_limit": {"count": 1, "within": 60}}'
	script 'exit 3' 'exit 3'
	start vm.json
	await_text 'no further boot until'
	ctl "$vm" why
	has "vmrunctl $vm reset" said
	lacks '"triple_fault": "boot"' said
	ctl "$vm" stop
	ends 0
}

@test "what a guest says does not steer the terminal" {
	guest
	printf 'a\033[2Jb\302\233Jc\n' >say
	echo 3 >exits
	printf 'd\033[2Je\n' >mutter
	vmrun vm.json
	is "$(of 'select(.kind == "boot").console | contains("\u001b")')" true
	local command
	for command in why history status; do
		ctl "$vm" $command
		lacks $'\033' said
		lacks $'\302\233' said
	done
	ctl "$vm" why
	has 'a?[2Jb' said
	has 'd?[2Je' said
}

@test "a vmrun that cannot begin leaves no line" {
	mkdir -p "$BATS_RUN_TMPDIR/run"
	mkdir -m 700 "$BATS_RUN_TMPDIR/run/$vm"
	echo x >"$BATS_RUN_TMPDIR/run/$vm/control"
	vmrun vm.json
	is "$status" 71
	[ ! -e "$file" ]
	rm "$BATS_RUN_TMPDIR/run/$vm/control"
}

@test "the file does not grow for ever" {
	mkdir -p "$keep/$vm"
	for _ in {1..400}; do echo '{"v":1,"kind":"boot","boot":1,"text":"old"}'; done >"$file"
	script 'exit 1'
	vmrun vm.json
	is "$(wc -l <"$file")" 200
	is "$(tail -n 2 "$file" | jq -r .kind | paste -sd' ' -)" 'boot vmrun'
	is "$(stat -c %a "$file")" 600
}
