#!/usr/bin/env bats
# Asks guests whether they are ready and alive, and ends boots that are not, or last too long.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	unset FAKEBHYVE_NODISK # it opens the terminal of the console
	ladder='"stop": [{"do": "acpi", "wait": 60}, {"do": "kill", "wait": 5}]'
}

teardown() {
	common_teardown
}

# event NAME: prints the events of that name in the file events
event() {
	jq -c --arg name "$1" 'select(.event == $name)' events
}

# probe SCRIPT: writes the command of a probe
probe() {
	printf '#!/bin/sh\n%s\n' "$1" >probe.sh
	chmod +x probe.sh
}

# until_started: makes the command of the step "poweroff" wait until the guest has made the file up,
# because a busy host may start it after a short limit; then the guest powers off
until_started() {
	mkdir bin
	cat >bin/bhyvectl <<-'END'
		#!/bin/sh
		case $2 in
		--force-poweroff)
			until [ -e up ]; do sleep 0.02; done
			kill -USR1 "$(cat up)"
			;;
		esac
	END
	chmod +x bin/bhyvectl
	PATH=$PWD/bin:$PATH
	ladder='"stop": [{"do": "poweroff", "wait": 60}, {"do": "kill", "wait": 5}]'
}

@test "ready: the text on the console, though it comes in pieces and without a line end" {
	spec '{"com1": "console", "ready": {"console": "b\nlogin", "within": 100}}'
	script 'acpi on print xlogib print login:_ wait exit 1'
	start --events events vm.json
	await_text 'is ready after'
	kill -TERM "$pid"
	ends 0
	is "$(event ready | jq -c '[.target, .by]')" '["default","console \"b\\nlogin\""]'
	is "$(event stopping | jq -r .cause)" stopped
}

@test "not ready in time: the ladder, the cause, status 5, the history and the advice" {
	until_started
	spec '{"com1": "console", "ready": {"console": "login:", "within": 0.2}, '"$ladder}"
	script 'print booting ready up deaf'
	vmrun --events events vm.json
	is "$status" 5
	has 'stopping, the guest did not become ready within 0.2 s: console "login:" was not printed: switching the power off'
	has 'the guest did not become ready within 0.2 s: console "login:" was not printed; stopped after'
	is "$(event exit | jq -c '[.cause, .status, .ended_by]')" '["not_ready",1,"poweroff"]'
	is "$(event stopping | jq -r .cause)" not_ready
	is "$(event ready)" ''
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "${stated[@]}" "$vm" why >why
	has 'did not become ready within 0.2 s' why
	has 'raise "within"' why
}

@test "not ready in time, and killed: the advice is about the guest, not about the kill" {
	spec '{"com1": "console", "ready": {"console": "login:", "within": 0.2}, "stop": [{"do": "kill", "wait": 5}]}'
	script 'acpi on print booting hang'
	vmrun --events events vm.json
	is "$status" 5
	is "$(event exit | jq -c '[.cause, .ended_by]')" '["not_ready","kill"]'
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "${stated[@]}" "$vm" why >why
	has 'raise "within"' why
	lacks 'did not power off in time' why
}

@test "connect: refused, until a server listens" {
	local limit
	for limit in 0.3 3 30; do # a busy host may not try within the first
		lua 'vm.ready = { connect = "127.0.0.1:1", every = 0.05, within = '$limit' }
			vm.stop = { { ["do"] = "acpi", wait = 60 } }'
		script 'acpi on wait exit 1'
		vmrun --events events vm.lua
		is "$status" 5
		! grep -q refused err || break
	done
	has "within $limit s: 127.0.0.1:1: Connection refused"
}

@test "exec: asked again until it succeeds, in the directory of the spec" {
	mkdir there
	(cd there && probe 'echo x >>tries; [ -e "$PWD/up" ]')
	mv probe.sh there/ 2>/dev/null || :
	spec '{"ready": {"exec": ["./probe.sh"], "every": 0.05}}' there/vm.json
	script 'acpi on wait exit 1'
	start --events events there/vm.json
	await_file there/tries
	touch there/up
	await_text 'is ready after'
	before=$(wc -l <there/tries)
	kill -TERM "$pid"
	ends 0
	is "$(wc -l <there/tries)" "$before"
	is "$(event ready | jq -r .by)" 'exec probe.sh'
}

@test "alive: failures in a row after ready, with what the command said" {
	probe 'printf "first\nlast\033[2Jline\n" >&2; exit 3'
	spec '{"com1": "console", "ready": {"console": "up"}, '"$ladder"',
		"alive": {"exec": ["./probe.sh"], "every": 0.02, "failures": 3}}'
	script 'acpi on print up wait exit 1'
	vmrun --events events vm.json
	is "$status" 5
	is "$(event unhealthy | jq -c '[.failures, .text]')" \
		'[3,"probe.sh ended with status 3: last [2Jline"]'
	has '3 tries in a row failed: probe.sh ended with status 3: last [2Jline; stopped after'
	lacks "$(printf '\033')"
	is "$(event exit | jq -r .cause)" unhealthy
}

@test "alive: a console that falls silent" {
	spec '{"com1": "console", "ready": {"console": "up"}, '"$ladder"',
		"alive": {"console": true, "every": 0.1, "failures": 2}}'
	script 'acpi on print up wait exit 1'
	vmrun --events events vm.json
	is "$status" 5
	has '2 tries in a row failed: the console printed nothing within 0.1 s'
}

@test "alive: one failure that is enough is told without a number" {
	spec '{"com1": "console", "ready": {"console": "up"}, '"$ladder"',
		"alive": {"console": true, "every": 0.1, "failures": 1}}'
	script 'acpi on print up wait exit 1'
	vmrun vm.json
	is "$status" 5
	has 'is unhealthy: a try failed: the console printed nothing within 0.1 s'
	has 'stopping, a try failed: the console printed nothing within 0.1 s: pressing'
	lacks 'in a row'
}

@test "time_limit: timed_out, and the policy may boot again" {
	until_started
	spec '{"time_limit": 0.1, "on": {"timed_out": {"boot": "b"}}, "targets": {"b": {"time_limit": null}}, '"$ladder}"
	script 'ready up deaf' 'exit 2'
	vmrun --events events vm.json
	is "$status" 0
	is "$(event exit | jq -r .cause | tr '\n' ' ')" 'timed_out halt '
	has 'the boot lasted longer than time_limit, 0.1 s'
}

@test "a stop and a reboot request overrule what the guest has failed" {
	mkdir bin
	printf '#!/bin/sh\n' >bin/bhyvectl # the guest heeds no step but the kill
	chmod +x bin/bhyvectl
	PATH=$PWD/bin:$PATH
	spec '{"time_limit": 0.1, "stop": [{"do": "poweroff", "wait": 3600}, {"do": "kill", "wait": 5}]}'
	script 'deaf' 'exit 1'
	start --events events vm.json
	await_text 'stopping, the boot lasted longer'
	kill -TERM "$pid"
	await_text 'stop requested: the step poweroff goes on'
	stop_again "$pid"
	ends 0
	is "$(event exit | jq -r .cause)" stopped
	is "$(event stopping | jq -r .cause | tr '\n' ' ')" 'timed_out stopped '
}

@test "a guest that ends by itself keeps its own cause" {
	spec '{"time_limit": 100, "ready": {"exec": ["false"], "within": 90}}'
	script 'exit 2'
	vmrun --events events vm.json
	is "$status" 0
	is "$(event exit | jq -r .cause)" halt
}

@test "a stop in the middle of a try leaves no process" {
	probe 'echo $$ >try; exec sleep 1000'
	spec '{"ready": {"exec": ["./probe.sh"]}}'
	script 'acpi on wait exit 1'
	start vm.json
	await test -s try
	kill -TERM "$pid"
	ends 0
	await is_gone "$(cat try)"
}

@test "after kill -9 in the middle of a try, the next start ends what the command has started" {
	probe 'sleep 1000 & echo $! >try; wait'
	spec '{"ready": {"exec": ["./probe.sh"]}}'
	script 'acpi on wait exit 1'
	start vm.json
	await test -s try
	await grep -q 'command of a probe: ' "$BATS_RUN_TMPDIR/run/$vm/ledger.json"
	kill -KILL "$pid"
	wait "$pid" || :
	script 'exit 1' # whether or not the first boot has taken its line
	spec
	vmrun vm.json
	is "$status" 0
	await is_gone "$(cat try)"
}

@test "a reboot of the guest begins anew" {
	until_started
	spec '{"com1": "console", "ready": {"console": "yes", "within": 100}, "on": {"reboot": {"boot": "b"}},
		"targets": {"b": {"ready": {"console": "yes", "within": 0.2}}}, '"$ladder}"
	script 'print yes exit 0' 'ready up deaf'
	vmrun --events events vm.json
	is "$status" 5
	is "$(event ready | wc -l)" 1
	is "$(event exit | jq -r .cause | tr '\n' ' ')" 'reboot not_ready '
}

@test "the causes can be simulated" {
	spec '{"on": {"not_ready": "boot", "unhealthy": "boot"}, "time_limit": 5}'
	vmrun --simulate not_ready,unhealthy@90,timed_out vm.json
	is "$status" 0
	is "$(cut -f 3,4 out | tr '\t\n' ': ')" 'not_ready:boot unhealthy:boot timed_out:stop '
}

# hung_qemu: writes a qemu that says that its guest powered off, and does not exit
hung_qemu() {
	cat >hung-qemu <<-'END_OF_QEMU'
		#!/usr/bin/env python3
		import json, re, signal, socket, sys
		control = socket.socket(fileno=int(re.search(r"id=qmp,fd=(\d+)", " ".join(sys.argv)).group(1)))
		say = lambda **message: control.sendall(json.dumps(message).encode() + b"\r\n")
		say(QMP={"version": {}, "capabilities": []})
		for line in control.makefile():
		    if '"cont"' in line:
		        say(**{"return": {}})
		        say(event="RESUME", timestamp={"seconds": 1, "microseconds": 0})
		        say(event="SHUTDOWN", data={"guest": True, "reason": "guest-shutdown"},
		            timestamp={"seconds": 1, "microseconds": 0})
		        while True:
		            signal.pause()
		    else:
		        say(**{"return": {}})
	END_OF_QEMU
	chmod +x hung-qemu
}

@test "a qemu that says that its guest powered off and hangs in its exit is killed: poweroff" {
	hung_qemu
	spec '{"qemu": {"accel": "tcg", "halt_poll": 0.1}}'
	VMRUN_BHYVE='' vmrun --qemu "$PWD/hung-qemu" --events events vm.json
	is "$status" 0
	is "$(event exit | jq -c '[.cause, .status, .signal, .ended_by]')" '["poweroff",1,null,"guest"]'
	has 'warning: qemu has ended its guest and hangs: killed'
}
