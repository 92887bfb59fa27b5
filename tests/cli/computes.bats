#!/usr/bin/env bats
# Hooks that compute do not hold up anything else.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	run_dir=$BATS_RUN_TMPDIR/run
	unchecked+=(--state-dir "$PWD/state")
}

teardown() {
	common_teardown
}

# computing BODY: writes vm.lua, in whose hooks compute() computes until the file `go` is there.  The
# limit is far beyond the time that a test may take: whatever has to wait for the hook fails.
computing() {
	lua "vm.hook_timeout = 600
		local function compute()
			print('computes')
			repeat local f = io.open('$PWD/go') until f
			print('has computed')
		end
		$1"
}

# begins SCRIPT-LINE...: runs vmrun until its hook computes
begins() {
	rm -f go
	script "$@"
	start vm.lua
	await_text 'computes'
}

ctl() {
	status=0
	timeout -k 5 120 "$VMRUNCTL" -r "$run_dir" "$vm" "$@" >said 2>wrong 3>&- || status=$?
}

ends_without_it() {
	ends "$1"
	lacks 'has computed'
	lacks 'vm.lua failed'
}

# goes_on_after TEXT STATUS: the exit is told while on_started computes; it may go on to its end, which
# vmrun waits for before it goes on
goes_on_after() {
	await_text "$1"
	lacks 'has computed'
	: >go
	ends "$2"
	has 'has computed'
	lacks 'vm.lua failed'
}

# --- signals, exits and the control socket ---

@test "the control socket answers while on_started computes" {
	computing 'function vm.on_started() compute() end'
	begins 'ready up waitfile over exit 1'
	ctl --json status
	is "$status" 0
	is "$(jq -r .state said)" running
	ctl next default
	is "$status" 0
	lacks 'has computed'
	: >go
	await_text 'has computed'
	: >over
	ends 0
	is "$(grep -c 'has computed' err)" 1
}

@test "the control socket answers while on_exit computes, and the exit is told before" {
	computing 'function vm.on_exit() compute() end'
	begins 'exit 3'
	has 'triple_fault'
	ctl --json status
	is "$status" 0
	is "$(jq -r .cause said)" triple_fault
	: >go
	ends 3
	has 'has computed'
}

@test "an exit is noticed while on_started computes" {
	computing 'function vm.on_started() compute() end'
	begins 'waitfile over exit 3'
	: >over
	goes_on_after 'triple_fault, status 3' 3
}

@test "SIGTERM reaches the hypervisor while on_started computes" {
	computing 'function vm.on_started() compute() end'
	begins 'acpi on ready up wait exit 1'
	await_file up
	kill -TERM "$pid"
	goes_on_after '(stopped, ' 0
	is "$(cause)" stopped
}

@test "the steps of the stop ladder follow each other while on_started computes" {
	computing 'vm.stop = { { ["do"] = "acpi", wait = 1 }, { ["do"] = "kill", wait = 5 } }
		function vm.on_started() compute() end'
	begins 'ready up deaf'
	await_file up
	kill -TERM "$pid"
	goes_on_after '(stopped, ' 0
	is "$(cause)" stopped
}

# --- a stop request, wherever a hook computes ---

@test "a stop ends on_prepare, on_start and on_exit, which close what they hold" {
	local hook
	for hook in on_prepare on_start on_exit; do
		computing "function vm.$hook()
				local held <close> = setmetatable({}, { __close = function() print('closed') end })
				coroutine.wrap(function() pcall(compute) end)()
			end
			function vm.on_end() print('told') end"
		begins 'exit 3'
		kill -TERM "$pid"
		ends_without_it 0
		has 'closed'
		[ "$hook" = on_prepare ] || has 'told'
		nothing_runs
	done
}

@test "a stop ends on_end" {
	computing 'function vm.on_end() compute() end'
	begins 'exit 3'
	kill -TERM "$pid"
	ends_without_it 3
}

@test "a hook that loops in the __close of an abandoned call is ended" {
	computing 'function vm.on_exit()
			local held <close> = setmetatable({}, { __close = function() while true do end end })
			compute()
		end'
	begins 'exit 3'
	kill -TERM "$pid"
	ends_without_it 0
}

# --- what a slice leaves alone ---

@test "vmrun.state is not saved in the middle of a change, and not forgotten" {
	computing 'vm.hooks = { "install_once" }
		vm.targets = { install = {} }
		function vm.on_started() vmrun.state.half = true compute() vmrun.state.half = nil end'
	begins 'waitfile over exit 1'
	ctl forget install_once
	is "$status" 1
	has 'a hook is computing' wrong
	lacks 'half' "state/$vm/state.json"
	: >go
	await_text 'has computed'
	ctl forget install_once
	is "$status" 0
	: >over
	ends 0
}

@test "a reload while a hook computes holds from the next boot on" {
	computing 'vm.targets = { old = {} }
		function vm.on_exit(exit) if exit.boots == 1 then compute() end return exit.boots == 1 end'
	begins 'exit 3' 'exit 1'
	sed -i 's/old = {}/new = {}/' vm.lua
	ctl reload
	is "$status" 0
	ctl next new
	is "$status" 0
	: >go
	ends 0
	has 'target new'
}

@test "a simulation computes to the end, whatever the time" {
	computing 'function vm.on_started()
			local start = os.clock()
			repeat until os.clock() > start + 0.1
			print("all of it")
		end'
	vmrun --simulate reboot,poweroff vm.lua
	is "$status" 0
	is "$(grep -c 'all of it' err)" 2
}
