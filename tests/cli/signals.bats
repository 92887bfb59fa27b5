#!/usr/bin/env bats
# What signals do in each state of vmrun, and the signal that ends it at once.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	set +m
}

teardown() {
	common_teardown
}

# said TEXT: prints how often err has the text
said() {
	grep -cF -e "$1" err || :
}

said_more() {
	[ "$(said "$1")" -gt "$2" ]
}

# says SIGNAL TEXT: sends the signal and waits until err has the text once more
says() {
	local before
	before=$(said "$2")
	kill -"$1" "$pid"
	await said_more "$2" "$before"
}

# everywhere STATE FILE: sends a vmrun in that state, with a spec from that file, the signals that do
# not end it, lets it read a good and a bad spec, then stops it
everywhere() {
	says USR2 "$vm: $1, "
	says HUP 'spec reloaded: it takes effect'
	cp "$2" kept
	echo '(' >"$2"
	says HUP 'keeping the previous spec'
	cp kept "$2"
	kill -USR1 "$pid"
	kill -PIPE "$pid"
	kill -CHLD "$pid"
	kill -WINCH "$pid"
	kill -ALRM "$pid"
	says USR2 "$vm: $1, "
	lacks 'stopping:'
	kill -TERM "$pid"
}

# --- each state ---

@test "waiting, for what must be there first" {
	spec "{\"wait_for\": [{\"path\": \"$PWD/never\", \"timeout\": 3600}]}"
	start vm.json
	await_text 'policy of target'
	everywhere waiting vm.json
	ends 0
	is "$(starts)" ''
}

@test "waiting, for on_prepare" {
	lua 'function vm.on_prepare() print("asked") vmrun.sleep(3600) end'
	start vm.lua
	await_text asked
	everywhere waiting vm.lua
	ends 0
	is "$(starts)" ''
}

@test "loading" {
	fake_host
	spec '{"loader": {"type": "bhyveload", "timeout": 3600}}'
	jq 'del(.bootrom)' vm.json >vm.new
	mv vm.new vm.json
	FAKE_LOADER=hang FAKE_READY=$PWD/ready start vm.json
	await_file ready
	everywhere loading vm.json
	ends 0
	is "$(starts)" ''
}

@test "running" {
	spec
	script 'acpi on ready up wait exit 1'
	start vm.json
	await_file up
	await_text 'runs under'
	everywhere running vm.json
	ends 0
	grep -q ": running, target default, pid $(cat up), up [0-9]* s, boot 1\$" err
}

@test "stopping: the same, and a stop takes the next step" {
	spec '{"stop": [{"do": "acpi", "wait": 3600}, {"do": "kill", "wait": 5}]}'
	script 'acpi on ready up deaf'
	start vm.json
	await_file up
	await_text 'runs under'
	kill -INT "$pid"
	await_text 'pressing the power button'
	says USR2 'step 1 (acpi), next one in '
	says HUP 'keeping the previous spec'
	has 'the VM is being stopped'
	kill -USR1 "$pid"
	says USR2 'step 1 (acpi), next one in '
	is "$(said 'stopping:')" 1
	stop_again "$pid" INT
	ends 0
	is "$(said 'killing the hypervisor')" 1
	nothing_runs
}

@test "backoff" {
	spec '{"backoff": {"initial": 3000, "max": 3000}, "on": {"triple_fault": "same"}}'
	script 'exit 3'
	start vm.json
	await_text 'next boot'
	everywhere backoff vm.json
	ends 0
	has ': backoff, target default, boot 1, last exit triple_fault, next boot of default in '
	is "$(starts)" 1
}

@test "deciding, while on_exit waits" {
	lua 'function vm.on_exit() print("asked") vmrun.sleep(3600) end'
	script 'exit 3'
	start vm.lua
	await_text asked
	everywhere waiting vm.lua
	ends 0
	has 'no further boot (the stop request)'
	is "$(starts)" 1
}

@test "given up" {
	spec '{"restart_limit": {"count": 1, "within": 3600}, "on": {"given_up": "wait"}}'
	script 'exit 0' 'exit 0' 'exit 0'
	start vm.json
	await_text 'no further boot until a reset'
	everywhere given_up vm.json
	ends 0
	has 'given_up, target default, boot 2, last exit given_up, until a reset or a stop'
	is "$(starts)" 2
}

@test "poll(2) fails: said, 71, and the VM is killed" {
	# The sanitizer needs descriptors for its search for leaks at the end.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	[ "$(uname)" = Linux ] || skip 'prlimit(1), which lowers the limit of a process, is of Linux'
	spec
	script 'acpi on ready up deaf'
	start vm.json
	await_file up
	# more descriptors than the limit: EINVAL
	prlimit --pid "$pid" --nofile=2:2
	kill -USR2 "$pid"
	ends 71
	has "$vm: cannot wait for events: poll: Invalid argument"
	nothing_runs
}

@test "while on_end is told: nothing leads back" {
	lua 'function vm.on_end() print("asked") vmrun.sleep(3600) end'
	script 'exit 1'
	start vm.lua
	await_text asked
	says USR2 ': stopping, target default, boot 1, last exit poweroff'
	says HUP 'keeping the previous spec'
	has 'vmrun is about to exit'
	kill -USR1 "$pid"
	says USR2 ': stopping, '
	kill -TERM "$pid"
	ends 0
}

# --- before there is a VM ---

@test "while the spec is read, requests wait until it has been" {
	mkfifo gate
	lua 'print("reading") local gate = io.open("gate") gate:read("a") gate:close() -- so that the second writer waits
		function vm.on_start() print("starts") end'
	script 'acpi on ready up wait exit 1'
	start vm.lua
	# the first event comes after the reading, so the other end of the gate shows whether vmrun reads
	exec 7>gate
	kill -HUP "$pid"
	kill -USR1 "$pid"
	kill -USR2 "$pid"
	exec 7>&-
	await_text "$vm: waiting"
	exec 7>gate # the second reading
	exec 7>&-
	await_text 'spec reloaded: it takes effect'
	await_file up
	kill -TERM "$pid"
	ends 0
}

@test "a stop while the spec is read ends it at once, and nothing was taken" {
	mkfifo gate
	lua 'io.open("gate"):read("a")'
	for signal in TERM INT; do
		start vm.lua
		exec 7>gate
		kill -$signal "$pid"
		ends $((128 + $(kill -l $signal)))
		exec 7>&-
		[ ! -e "$BATS_RUN_TMPDIR/run/$vm" ]
		is "$(starts)" ''
	done
}

@test "what our parent ignored or blocked hides no request" {
	spec
	script 'acpi on ready up wait exit 1'
	: >err
	(
		trap '' INT TERM USR1 USR2 CHLD PIPE
		exec "$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" vm.json >out 2>err </dev/null 3>&-
	) &
	pid=$!
	pids+=("$pid")
	await_file up
	await_text 'runs under'
	says USR2 ': running, '
	kill -INT "$pid"
	ends 0
}

# --- SIGHUP ---

@test "SIGHUP: the new spec holds from the next boot on, a bad one is told and the old one stays" {
	spec '{"mem": "64M"}'
	script 'ready one waitfile go1 exit 0' 'ready two waitfile go2 exit 0' 'exit 1'
	start vm.json
	await_file one
	spec '{"mem": "128M"}'
	says HUP 'spec reloaded: it takes effect'
	touch go1
	await_file two
	spec '{"mem": "a lot"}'
	says HUP 'keeping the previous spec'
	has 'vm.json:'
	touch go2
	ends 0
	is "$(jq -r '.argv | .[index("-m") + 1]' "$FAKEBHYVE_LOG" | paste -sd' ' -)" '64M 128M 128M'
}

@test "SIGHUP: a spec that is gone, and one from stdin" {
	spec
	script 'acpi on ready up wait exit 1'
	start vm.json
	await_file up
	rm vm.json
	says HUP 'keeping the previous spec'
	kill -TERM "$pid"
	ends 0
	spec
	rm up
	script 'acpi on ready up wait exit 1'
	: >err
	"$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" - <vm.json >out 2>err 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	await_text 'runs under'
	says HUP 'the spec came from no file'
	kill -TERM "$pid"
	ends 0
}

@test "SIGHUP under nohup stays ignored" {
	spec
	script 'acpi on ready up wait exit 1'
	: >err
	nohup "$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	await_text 'runs under'
	kill -HUP "$pid"
	says USR2 ': running, '
	lacks 'spec reloaded'
	kill -TERM "$pid"
	ends 0
}

@test "a terminal that goes away stops it, when it has the guest's console and when it has not" {
	local more
	for more in '{}' '{"com1": "stdio"}'; do
		rm -f up vmrun.pid
		spec "$more"
		script 'acpi on ready up wait exit 1'
		: >err
		# stderr is a file, which outlives the terminal
		"$PTY" "$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" -P vmrun.pid vm.json >out 2>err </dev/null 3>&- &
		pid=$!
		pids+=("$pid")
		await_file up
		await_text 'runs under'
		kill -KILL "$pid" # with it goes the terminal
		await_text 'ended with status 0: stopped on request'
		await is_gone "$(cat up)"
		lacks 'spec reloaded'
	done
}

# --- SIGUSR1 ---

@test "SIGUSR1: a console's log that was renamed is begun anew" {
	spec "{\"com1\": \"console\", \"console\": {\"log\": \"$PWD/log\"}}"
	unset FAKEBHYVE_NODISK
	script 'print before ready one waitfile go print after ready two waitfile go2 exit 1'
	start vm.json
	await_text before log
	mv log log.old
	kill -USR1 "$pid"
	await_file log
	touch go
	await_text after log
	lacks after log.old
	lacks before log
	touch go2
	ends 0
}

@test "SIGUSR1: a log that cannot be opened is a warning, and the next time it can" {
	mkdir logs
	spec "{\"com1\": \"console\", \"console\": {\"log\": \"$PWD/logs/log\"}}"
	unset FAKEBHYVE_NODISK
	script 'print before ready one waitfile go print after ready two waitfile go2 exit 1'
	start vm.json
	await_text before logs/log
	mv logs old
	says USR1 "warning: console: cannot write $PWD/logs/log: No such file or directory"
	mkdir logs
	kill -USR1 "$pid"
	await_file logs/log
	touch go
	await_text after logs/log
	touch go2
	ends 0
}

@test "SIGUSR1: a file of events that was renamed is begun anew" {
	spec
	script 'ready one waitfile go exit 0' 'acpi on ready two wait exit 1'
	start --events events vm.json
	await_file one
	mv events events.old
	kill -USR1 "$pid"
	await_file events
	touch go
	await_file two
	says USR2 ', boot 2, '
	kill -TERM "$pid"
	ends 0
	is "$(cat events.old events | jq .seq | paste -sd' ' -)" "$(seq "$(cat events.old events | wc -l)" | paste -sd' ' -)"
	is "$(jq -r 'select(.event == "spawned") | .target' events.old | wc -l)" 1
	is "$(jq -r 'select(.event == "spawned") | .target' events | wc -l)" 1
}

# --- SIGUSR2 ---

@test "SIGUSR2 is answered at every level, and in the format that was asked for" {
	spec
	script 'acpi on ready up wait exit 1'
	start --log-level error vm.json
	await_file up
	says USR2 "vmrun: $vm: running, target default, pid $(cat up), up "
	is "$(wc -l <err)" 1
	kill -TERM "$pid"
	ends 0
	rm up
	script 'acpi on ready up wait exit 1'
	start --log-format json vm.json
	await_file up
	says USR2 "$vm: running, "
	kill -TERM "$pid"
	ends 0
	jq . err >/dev/null
}

# --- a third stop ---

# stop_to_the_end PID: sends stops until the process is gone.  A busy host may merge signals that
# arrive before the process runs, so at least three are sent.
stop_to_the_end() {
	local sent=0 signal
	until is_gone "$1"; do
		signal=$((sent % 2 == 0 ? 15 : 2))
		kill -$signal "$1" 2>/dev/null || :
		sent=$((sent + 1))
		[ "$sent" -lt 1200 ]
		sleep 0.05
	done
	[ "$sent" -ge 3 ]
}

# An expression that takes days, during which Lua cannot be interrupted.
hopeless='string.find(("a"):rep(80), (".-"):rep(14) .. "b")'

@test "a third stop ends vmrun inside a hook that cannot be interrupted, the next start cleans up" {
	spec
	cat >hook.lua <<-END
		return { on_exit = function(exit)
			if exit.cause == "triple_fault" then io.open("stuck", "w"):close() $hopeless end
		end }
	END
	jq '. + {hooks: ["hook.lua"], emulations: [{device: "virtio-console", ports: ["sock"]}]}' vm.json >hooked.json
	script 'exit 3' 'exit 1'
	start -p hyper.pid -P vmrun.pid hooked.json
	await_file stuck
	stop_to_the_end "$pid"
	ends 70
	has 'third stop request'
	nothing_runs
	vmrun -p hyper.pid -P vmrun.pid vm.json
	is "$status" 0
	is "$(starts)" 2
	[ ! -e sock ]
	[ ! -e hyper.pid ]
	[ ! -e vmrun.pid ]
}

@test "also when two of them were heeded before" {
	lua "function vm.on_exit() io.open('stuck', 'w'):close() $hopeless end
		vm.stop = { { ['do'] = 'acpi', wait = 3600 }, { ['do'] = 'kill', wait = 3600 } }"
	script 'acpi on ready up deaf'
	start vm.lua
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	await_text 'pressing the power button'
	stop_again "$pid"
	await_file stuck
	kill -TERM "$pid"
	ends 70
	nothing_runs
}

@test "with a guest that runs: the hypervisor is told to stop, and the terminal is as before" {
	lua "vm.com1 = 'stdio'
		function vm.on_started() io.open('stuck', 'w'):close() $hopeless end"
	script 'acpi on print up ready up wait exit 1'
	: >err
	"$PTY" "$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" -P vmrun.pid vm.lua >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file stuck
	await_file up
	await_text up out
	stop_to_the_end "$(cat vmrun.pid)"
	ends 70
	has 'terminal: touched, restored'
	await is_gone "$(cat up)"
}

@test "two stops, or three that are heeded, do not: the hook is over, and then it ends as asked" {
	spec '{"stop": [{"do": "acpi", "wait": 3600}, {"do": "acpi", "wait": 3600}, {"do": "kill", "wait": 5}]}'
	script 'acpi on ready up deaf'
	start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	await_text 'pressing the power button'
	stop_again "$pid" INT
	until is_gone "$pid"; do
		kill -TERM "$pid" 2>/dev/null || :
		sleep 0.05
	done
	ends 0
	has 'killing the hypervisor'
	lacks 'third stop request'
}
