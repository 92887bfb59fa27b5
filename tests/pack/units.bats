#!/usr/bin/env bats
# examples/systemd, runit and s6, and that every time limit of a service is above the ladder's sum.
# shellcheck disable=SC2154 # status and pid: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	examples=$SOURCE/examples
	mkdir -p etc
	vm=web spec '{}' etc/web.json
	# What the scripts call: no options of ours stand in them.
	cat >vmrun <<-END
		#!/bin/sh
		exec "$VMRUN" --no-requirement-check --run-dir "$PWD/run" --state-dir "$PWD/keep" "\$@"
	END
	chmod +x vmrun
}

teardown() {
	common_teardown
}

# here FILE: with our program and our directory of specs
here() {
	sed -e "s,/usr/local/sbin/vmrun,$PWD/vmrun," -e "s,/usr/local/etc/vmrun,$PWD/etc," -e "s,%E/vmrun,$PWD/etc," "$1"
}

# --- systemd ---

unit() {
	here "$examples/systemd/vmrun@.service" >vmrun@.service
	cp -r "$examples/systemd/vmrun@web.service.d" .
}

# value KEY [FILE]
value() {
	sed -n "s/^$1=//p" "${2:-vmrun@.service}"
}

# verify: what systemd has to say of the unit and its drop-in
verify() {
	command -v systemd-analyze >/dev/null || skip "there is no systemd-analyze"
	systemd-analyze verify --man=no ./vmrun@web.service >out 2>&1 || :
}

@test "systemd finds nothing to say" {
	unit
	verify
	is "$(cat out)" ''
}

@test "it would, were a key of either file misspelt" {
	unit
	sed 's/KillMode/KillMod/' vmrun@.service >new && mv new vmrun@.service
	sed 's/RestartSec/RestartSecs/' vmrun@web.service.d/web.conf >new && mv new vmrun@web.service.d/web.conf
	verify
	has "Unknown key 'KillMod'" out
	has "Unknown key 'RestartSecs'" out
}

@test "the unit's command starts and ends a VM as systemd would" {
	unit
	FLAGS=$(value Environment | sed -n 's/^FLAGS=//p')
	SPEC=$(value Environment | sed -n 's/^SPEC=//p' | sed 's/%i/web/')
	export FLAGS SPEC
	script 'acpi on ready up wait exit 1'
	sh -c "exec $(value ExecStart)" >out 2>err 3>&- </dev/null &
	pid=$!
	pids+=("$pid")
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
	nothing_runs
}

@test "systemd leaves to vmrun what is vmrun's" {
	unit
	is "$(value Type)" notify
	is "$(value KillMode)" mixed
	is "$(value Restart)" no
	is "$(value OOMPolicy)" continue
	# Each of these would take /dev/kvm, /dev/net/tun or the sockets of a guest away.
	for key in PrivateDevices PrivateNetwork PrivateTmp ProtectClock DeviceAllow MemoryDenyWriteExecute; do
		is "$(value $key)" ''
	done
}

# --- runit and s6 ---

# service KIND: its directory, for the VM web
service() {
	mkdir -p web/supervise
	for file in run finish; do
		here "$examples/$1/$file" >web/$file
		chmod +x web/$file
	done
}

@test "run of runit and s6 is vmrun, with the VM that the directory is called after" {
	for kind in runit s6; do
		rm -rf web up
		service $kind
		script "acpi on ready $PWD/up wait exit 1"
		(cd web && exec ./run) >err 2>/dev/null 3>&- </dev/null &
		pid=$!
		pids+=("$pid")
		await_file up
		await_text 'web: target default runs under'
		kill -TERM "$pid"
		ends 0
	done
	nothing_runs
}

@test "run ends with vmrun's status" {
	service s6
	script 'exit 3'
	status=0
	(cd web && ./run) >out 2>&1 </dev/null || status=$?
	is "$status" 3
	rm etc/web.json
	status=0
	(cd web && ./run) >out 2>&1 </dev/null || status=$?
	is "$status" 66
}

# finish STATUS SIGNAL: sets status
finish() {
	status=0
	(cd web && PATH=$BATS_TEST_TMPDIR:$PATH ./finish "$1" "$2") || status=$?
}

@test "finish of runit: down for good, but for 71 and a vmrun that was killed" {
	service runit
	printf '#!/bin/sh\necho "$*" >>%s/slept\n' "$PWD" >./sleep
	chmod +x sleep
	for one in 0 3 4 10 64 65 66 69 70 75 126 127; do
		: >web/supervise/control
		finish $one 0
		is "$(cat web/supervise/control)" d
	done
	[ ! -e slept ]
	: >web/supervise/control
	finish 71 0
	finish -1 9
	is "$(cat web/supervise/control)" ''
	is "$(cat slept)" "$(printf '10\n10')"
}

@test "finish of s6: 125 is down for good" {
	service s6
	for one in 0 3 4 10 64 65 66 69 70 75 126 127; do
		finish $one 0
		is "$status" 125
	done
	finish 71 0
	is "$status" 0
	finish 256 9
	is "$status" 0
}

# --- all of them ---

@test "every limit is above the default ladder's sum, and rc.d's below that of the shutdown" {
	ladder=$("$VMRUN" --debug etc/web.json | jq '[.stop[].wait] | add')
	[ "$ladder" -gt 0 ]
	for limit in \
		"$(sed -n 's/^: "${vmrun_stop_timeout:=\([0-9]*\)}"$/\1/p' "$examples/rc.d/vmrun")" \
		"$(value TimeoutStopSec "$examples/systemd/vmrun@.service")" \
		"$(sed -n 's/^ *kill_timeout *= "\([0-9]*\)s"$/\1/p' "$examples/nomad/vm.nomad.hcl")" \
		"$(sed -n 's/.*sv -w \([0-9]*\) down.*/\1/p' "$examples/runit/run")"; do
		[ "$limit" -gt "$ladder" ]
		[ "$limit" -le 90 ] # rcshutdown_timeout
	done
}
