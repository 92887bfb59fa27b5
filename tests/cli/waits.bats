#!/usr/bin/env bats
# Hooks that wait for a command or a time do not delay anything else.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# The length of waits.  What they must not delay gets a third of it, so that only a wait for the hook
# fails the test, and not the load of the host.
long=30
soon=10

# hurry COMMAND...: runs a command, which must end soon
hurry() {
	local start=$SECONDS
	"$@"
	[ $((SECONDS - start)) -lt $soon ] || { echo "took too long: $*" >&2 && return 1; }
}

# stop_soon STATUS: checks that a SIGTERM ends the run in the background long before the hook ends
stop_soon() {
	kill -TERM "$pid"
	hurry ends "$1"
}

# --- a stop request, wherever a hook waits ---

@test "a stop while on_prepare waits: nothing was started" {
	local wait
	for wait in "vmrun.sleep($long)" "vmrun.exec { 'sleep', $long }"; do
		lua "function vm.on_prepare() print('waits') $wait end"
		start vm.lua
		await_text 'waits'
		stop_soon 0
		is "$(starts)" ''
		lacks 'failed'
	done
}

@test "a stop while on_start waits: nothing was started" {
	lua "function vm.on_start() print('waits') vmrun.sleep($long) return false, 'late' end"
	start vm.lua
	await_text 'waits'
	stop_soon 0
	is "$(starts)" ''
	lacks 'late'
}

@test "a stop while on_started waits: the ladder, and the wait ends with its VM" {
	lua "function vm.on_started() print('waits') print('slept', vmrun.sleep($long)) end"
	script 'acpi on wait exit 1'
	start vm.lua
	await_text 'waits'
	stop_soon 0
	has "slept	nil	gone"
	has 'pressing the power button'
	nothing_runs
}

@test "a stop while on_exit waits: no further boot" {
	lua "function vm.on_exit(exit) print('waits') vmrun.sleep($long) return true end"
	script 'exit 0' 'exit 0'
	start vm.lua
	await_text 'waits'
	stop_soon 0
	is "$(starts)" 1
	has 'stopped on request'
}

@test "a stop while on_end waits ends it; what the exit status is was known before" {
	lua "function vm.on_end(report) print('waits') vmrun.sleep($long) end"
	script 'exit 3'
	start vm.lua
	await_text 'waits'
	stop_soon 3
}

@test "a second stop ends what on_exit waits for when it hears of the first" {
	lua "function vm.on_exit(exit) print('waits ' .. exit.cause) vmrun.sleep($long) end"
	script 'acpi on ready up wait exit 1'
	start vm.lua
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	await_text 'waits stopped'
	stop_again "$pid"
	hurry ends 0
}

@test "a command that a hook waits for dies with the wait, and what it started too" {
	lua "function vm.on_exit(exit) vmrun.exec { 'sh', '-c',
		'echo \$\$ >sh.pid; sleep $long & echo \$! >sleep.pid; wait' } end"
	script 'exit 0'
	start vm.lua
	await test -s sleep.pid
	stop_soon 0
	await is_gone "$(cat sh.pid)"
	await is_gone "$(cat sleep.pid)"
}

@test "a hook of an earlier boot ends before the next boot" {
	lua "function vm.on_started(boot)
			print('started ' .. boot.boots)
			local slept = vmrun.sleep(boot.boots == 1 and $long or 0)
			print('went on ' .. boot.boots, slept)
			vmrun.sleep($long)
		end
		function vm.on_exit(exit) print('exit of ' .. exit.boots) end"
	script 'ready up waitfile go exit 0' 'waitfile go2 exit 1'
	start vm.lua
	await_text 'started 1'
	touch go
	await_text 'went on 2'
	touch go2
	hurry ends 0
	is "$(sed -n 's/^vmrun: //p' err | grep -E '^(started|went|exit of)' | tr '\t\n' ' ,')" \
		'started 1,went on 1 nil,exit of 1,started 2,went on 2 true,exit of 2,'
}

# --- what else goes on ---

@test "the console goes on while on_started waits" {
	unset FAKEBHYVE_NODISK # it opens its terminal
	lua "vm.com1 = 'console'
		vm.console = { log = 'con.log' }
		function vm.on_started() print('waits') vmrun.exec { 'sleep', $long } end"
	script 'waitfile go print one_two_three ready said waitfile end exit 1'
	start vm.lua
	await_text 'waits'
	touch go
	hurry await_text 'one two three' con.log
	touch end
	hurry ends 0
}

@test "the stderr of the hypervisor goes on while on_started waits" {
	lua "function vm.on_started() print('waits') vmrun.sleep($long) end"
	script 'waitfile go err words_of_it waitfile end exit 3'
	start vm.lua
	await_text 'waits'
	touch go
	hurry await_text 'words of it'
	touch end
	hurry ends 3
}

@test "an exit is seen while on_started waits, and on_exit decides" {
	lua "function vm.on_started() vmrun.sleep($long) end
		function vm.on_exit(exit) if exit.boots < 3 then return true end end"
	script 'exit 3' 'exit 3' 'exit 3'
	hurry vmrun vm.lua
	is "$status" 3
	is "$(starts)" 3
}

@test "on_exit is asked once, though on_started ends at the end of its boot, and on_exit waits" {
	lua 'function vm.on_started() print("started", vmrun.sleep(1000)) end
		function vm.on_exit(exit) print("asked", exit.cause) vmrun.sleep(0.01) print("answers") end'
	script 'exit 3'
	hurry vmrun vm.lua
	is "$status" 3
	is "$(grep -c asked err)" 1
	is "$(grep -c answers err)" 1
	vmrun --simulate error,error --set 'on={"error": "boot"}' vm.lua
	is "$status" 0
	is "$(grep -c asked err)" 2
}

@test "many waits at work do not make it poll: it sleeps while its hook does" {
	lua "function vm.on_exit() print('waits') vmrun.sleep($long) end"
	script 'exit 1'
	start vm.lua
	await_text 'waits'
	local before after
	before=$(awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$pid/status")
	# A command that takes a while, during which a loop that polls would switch many times.
	for _ in 1 2 3 4 5; do vmrun -d vm.lua; done
	after=$(awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$pid/status")
	[ $((after - before)) -le 1 ]
	stop_soon 0
}

# --- vmrun.exec ---

@test "exec: status, stdout and stderr, its input, and the signal that killed it" {
	lua 'function vm.on_exit()
			print("a", vmrun.exec { "sh", "-c", "echo out; echo err >&2; exit 3" })
			print("b", vmrun.exec { "cat", stdin = "typed" })
			print("c", vmrun.exec { "cat" })
			print("d", vmrun.exec { "sh", "-c", "kill -TERM $$" })
			print("e", select("#", vmrun.exec { "true" }))
			local big = ("0123456789abcdef"):rep(65536)
			local _, back = vmrun.exec { "cat", stdin = big .. "\0" }
			print("f", #back, back == big .. "\0")
		end'
	script 'exit 3'
	vmrun vm.lua
	tr '\t' ' ' <err >flat
	is "$(grep -A5 '^vmrun: a' flat | sed 's/^vmrun: //' | grep -v '^$' | tr '\n' '|')" \
		"a 3 out| err|b 0 typed |c 0  |d 143  |e 3|"
	has 'f 1048577 true' flat
	is "$status" 3
}

@test "exec: what cannot run, or not to its end, is nil and a message" {
	printf 'text\n' >no-program
	lua "function vm.on_exit()
			print('a', vmrun.exec { 'no-such-program' })
			print('b', vmrun.exec { './no-program' })
			print('c', vmrun.exec { 'sleep', $long, timeout = 0.05 })
			print('d', vmrun.exec { 'yes' })
			print('e', vmrun.exec { 'sh', '-c', 'exec sleep $long >&2 2>/dev/null & echo done' })
			local _, all = vmrun.exec { 'head', '-c', '4194304', '/dev/zero' }
			print('f', #all)
			print('g', vmrun.exec { 'head', '-c', '4194305', '/dev/zero' })
		end"
	script 'exit 3'
	hurry vmrun vm.lua
	is "$status" 3
	tr '\t' ' ' <err >flat
	grep -q '^vmrun: a nil no-such-program: not found' flat
	grep -qF "vmrun: b nil $PWD/no-program: " flat
	grep -q '^vmrun: c nil sleep did not end within 0.05 s and was killed' flat
	grep -q '^vmrun: d nil yes wrote more than 4194304 bytes and was killed' flat
	grep -q '^vmrun: e 0 done' flat
	grep -q '^vmrun: f 4194304$' flat
	grep -q '^vmrun: g nil head wrote more than 4194304 bytes and was killed' flat
}

@test "exec in the background: a failure is a warning, unless the boot has ended the command" {
	lua 'function vm.on_started()
			vmrun.exec { "sh", "-c", "echo broken >&2; exit 3", background = true }
			vmrun.exec { "sleep", "1000", background = true }
		end
		function vm.on_exit() vmrun.exec { "sh", "-c", "sleep 0.1; >told", background = true } end
		function vm.on_end() vmrun.exec { "false", background = true } end'
	script 'waitfile failed exit 1'
	start vm.lua
	await_text 'a command in the background: sh ended with status 3: broken' err
	: >failed
	hurry ends 0
	has 'a command in the background: false ended with status 1'
	lacks sleep
	[ -e told ] # vmrun has waited for it
}

@test "exec: its process has no descriptor of ours, no signal blocked, a group of its own" {
	lua 'function vm.on_exit()
			-- The last one is that of the directory itself, the lowest free number.
			print("fds", (select(2, vmrun.exec { "ls", "/proc/self/fd" }):gsub("\n", "")))
			print(select(2, vmrun.exec { "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status" }))
			print("group", (select(2, vmrun.exec { "sh", "-c", "ps -o pgid= -p $$; echo $$" }):gsub("%s+", " ")))
		end'
	script 'exit 3'
	vmrun vm.lua
	grep -qE '^vmrun: fds[[:space:]]0123$' err
	grep -qE 'SigBlk:[[:space:]]*0+$' err
	grep -qE 'SigIgn:[[:space:]]*0+$' err
	grep -qE '^vmrun: group[[:space:]] ?([0-9]+) \1 ?$' err
}

@test "exec and sleep in the chunk and in the on_prepare of a run; in a dry run they start nothing" {
	lua 'local status, out = vmrun.exec { "echo", "128M" }
		vm.mem = out ~= "" and out:gsub("%s", "") or "64M"
		vmrun.sleep(0.01)
		function vm.on_prepare(spec)
			vmrun.exec { "touch", "made" }
			spec.cpu = vmrun.dry_run and 1 or 2
			vmrun.sleep(vmrun.dry_run and 3000 or 0.01)
			return spec
		end'
	local option
	for option in -d --debug; do
		hurry vmrun $option vm.lua
		is "$status" 0
		has 'not run: touch made'
		[ ! -e made ]
	done
	vmrun vm.lua
	is "$status" 0
	[ -e made ]
	is "$(jq -r '.argv | .[index("-m") + 1]' starts)" 128M
	is "$(jq -r '.argv[2]' starts)" 'cpus=2,sockets=1,cores=1,threads=2'
}

# --- limits ---

@test "hook_timeout counts what is spent in Lua, not what is waited for" {
	lua 'vm.hook_timeout = 0.5
		function vm.on_exit()
			for _ = 1, 6 do vmrun.sleep(0.1) end
			print("slept")
			while true do
				local stop = os.clock() + 0.05
				while os.clock() < stop do end
				vmrun.sleep(0)
			end
		end'
	script 'exit 3'
	hurry vmrun vm.lua
	is "$status" 3
	has 'slept'
	has 'still running after 500 ms'
}

@test "a hook that asks for ever, of commands that are not there, delays no stop" {
	lua 'vm.hook_timeout = 3600
		function vm.on_exit()
			print("asks")
			while true do vmrun.exec { "/no/such/program" } end
		end'
	script 'exit 0'
	start vm.lua
	await_text 'asks'
	stop_soon 0
}

@test "where Lua cannot yield a wait is an error that says so" {
	lua 'function vm.on_exit()
			table.sort({ 2, 1 }, function() vmrun.sleep(1) end)
		end'
	script 'exit 3'
	vmrun vm.lua
	is "$status" 3
	has 'vmrun.sleep: Lua cannot wait here'
	has 'table.sort'
}
