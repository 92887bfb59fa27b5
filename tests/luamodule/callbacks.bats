#!/usr/bin/env bats
# vm:run() with its callbacks, and signals.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load module
	module_setup
}

teardown() {
	common_teardown
}

# run_in_background: runs the script on stdin
run_in_background() {
	cat prelude.lua - >script.lua
	"$LUA" script.lua >out 2>err 3>&- &
	pid=$!
	pids+=("$pid")
}

@test "run reports the events in order, and returns the status" {
	script 'exit 0' 'exit 3'
	passes <<-'END'
		local seen = {}
		local vm = assert(open { event = function(e)
			if e.event ~= "policy" then table.insert(seen, e.event) end
		end })
		is(vm:run(), 3)
		is(table.concat(seen, " "), "starting checked spawned exit cleaned decided " ..
			"starting checked spawned exit cleaned decided ended")
		is(vm:guest_status(), 3)
		local status, why
		local n
		status, why, n = open({ dry_run = true }):run()
		is(status, nil)
		is(n, 64)
		assert(#why > 0)
		is(open():next_event(), nil)
	END
}

@test "run without a callback drops the events" {
	script 'exit 1'
	passes <<-'END'
		local vm = assert(open())
		is(vm:run(), 0)
		is(vm:next_event(), nil)
	END
}

@test "a callback that raises leaves a VM that another run goes on with" {
	script 'acpi on wait exit 1'
	passes <<-'END'
		local vm
		local raised = 0
		vm = assert(open { event = function(e)
			if e.event == "spawned" then
				raised = raised + 1
				error("enough", 0)
			end
		end })
		local ok, why = pcall(vm.run, vm)
		is(ok, false)
		is(why, "enough")
		vm:stop()
		is(vm:run(), 0)
		is(raised, 1)
	END
	nothing_runs
}

@test "a callback may close its VM, and must not yield" {
	script 'ready up hang' 'exit 1'
	passes <<-'END'
		local vm
		vm = assert(open { event = function(e)
			if e.event == "spawned" then vm:close() end
		end })
		has(select(2, pcall(vm.run, vm)), "the VM is closed")
		vm = assert(open { event = coroutine.yield })
		local co = coroutine.create(function() return vm:run() end)
		has(select(2, coroutine.resume(co)), "attempt to yield across a C-call boundary")
		vm:close()
	END
	nothing_runs
}

@test "a caught signal stops the VM of run, and is told by wait" {
	script 'acpi on ready up wait exit 1'
	run_in_background <<-'END'
		vmrun.catch("INT", "TERM")
		local vm = assert(open())
		os.exit(vm:run() + 40, true)
	END
	await_file up
	kill -TERM "$pid"
	ends 40
	nothing_runs
	rm up
	script 'acpi on ready up wait exit 1'
	run_in_background <<-'END'
		vmrun.catch("INT", "TERM")
		local vm = assert(open())
		assert(vm:start())
		while not vm:ended() do
			local ready, signal = vmrun.wait { vm }
			if signal then
				print(signal)
				vm:stop()
			end
			assert(vm:dispatch())
		end
		print("ended", vm:status())
	END
	await_file up
	kill -INT "$pid"
	ends 0
	is "$(cat out)" "$(printf 'INT\nended\t0')"
	nothing_runs
}

@test "catch in a program without standard descriptors: what a guest prints is no signal" {
	script 'print hello exit 1'
	cat prelude.lua - >script.lua <<-'END'
		vmrun.catch("USR1") -- 10, as the end of a line
		local vm = assert(open({}, [["com1": "stdio"]]))
		assert(vm:start())
		while not vm:ended() do
			local _, signal = vmrun.wait { vm }
			is(signal, nil)
			assert(vm:dispatch())
		end
		for _ = 1, 100 do
			is(select(2, vmrun.wait({}, 0)), nil)
		end
		os.exit(vm:status() + 40, true)
	END
	status=0
	"$LUA" script.lua 2>err 3>&- <&- >&- || status=$?
	is "$status" 40
}

@test "without catch, ^C raises as anywhere in Lua" {
	script 'acpi on ready up wait exit 1'
	# A shell lets its background commands ignore SIGINT; the interpreter sets its own handler.
	run_in_background <<-'END'
		local vm = assert(open())
		local ok, why = pcall(vm.run, vm)
		print(ok, why)
		vm:stop()
		print(vm:run())
	END
	await_file up
	kill -INT "$pid"
	ends 0
	has 'false' out
	has 'interrupted!' out
	is "$(tail -n 1 out)" 0
	nothing_runs
}

@test "^C raises, too, when it came while no instruction of Lua ran" {
	script 'acpi on wait exit 1'
	# The handler of the interpreter sets such a hook, for the next instruction.
	passes <<-'END'
		local vm = assert(open(nil, [["com1": "console"]]))
		local function interrupt(method, ...)
			debug.sethook(function()
				for level = 2, 9 do
					local caller = debug.getinfo(level, "f")
					if caller and caller.func == method then
						debug.sethook()
						error("interrupted!")
					end
				end
			end, "", 1)
			local ok, why = pcall(method, vm, ...)
			is(ok, false)
			has(why, "interrupted!")
		end
		interrupt(vm.run)
		interrupt(vm.wait_for, "never", 1e6)
		vm:stop()
		is(vm:run(), 0)
	END
	nothing_runs
}

@test "decide: nil, booleans, a target, a table" {
	passes <<-'END'
		local asked = {}
		local answers = { false, nil, "rescue", { target = "rescue", delay_ms = 1500 }, true,
			{ action = "stop", exit_status = 42 } }
		local vm = assert(open({ dry_run = true, decide = function(d)
			table.insert(asked, d.ended .. " " .. d.cause)
			is(d.vm, os.getenv("VM"))
			return answers[#asked + 1]
		end }, '"targets": {"rescue": {}}'))
		assert(vm:simulate("reboot,poweroff@2,triple_fault,halt,poweroff"))
		local decided = {}
		for e in vm:events() do
			if e.event == "decided" then
				table.insert(decided, ("%s %s %d"):format(e.action, e.target, e.delay_ms))
			end
		end
		is(asked[1], "default reboot")
		is(asked[2], "default poweroff")
		is(asked[3], "rescue triple_fault")
		is(#asked, 5)
		is(decided[2], "boot rescue 0")
		is(decided[3], "boot rescue 1500")
		assert(decided[4]:find("^boot "), decided[4])
		assert(decided[5]:find("^stop "), decided[5])
		is(vm:status(), 42)
	END
}

@test "decide decides in a run; what it raises comes out of run, and the policy decides" {
	script 'exit 3' 'exit 1'
	passes <<-'END'
		local vm = assert(open { decide = function(d) return d.cause == "triple_fault" or nil end })
		is(vm:run(), 0)
		is(vm:guest_status(), 1)
	END
	is "$(starts)" 2
	script 'exit 1' 'exit 1'
	passes <<-'END'
		local vm
		vm = assert(open { decide = function() error("broken", 0) end })
		local ok, why = pcall(vm.run, vm)
		is(ok, false)
		is(why, "broken")
		is(vm:run(), 0)
		vm:close()
		vm = assert(open { decide = function() return vm:name() end })
		has(select(2, pcall(vm.run, vm)), "must not call methods of its VM")
		is(vm:run(), 0)
	END
}

@test "decide: a table with a wrong key or value is an error, and the policy decides" {
	passes <<-'END'
		local function answers(answer, why)
			local vm = assert(open { dry_run = true, decide = function() return answer end })
			local ok, text = pcall(vm.simulate, vm, "triple_fault")
			is(ok, false)
			has(text, "decide() returned a table with " .. why)
			for e in vm:events() do
				if e.event == "decided" then is(e.action .. " by " .. e.by, "stop by default") end
			end
			vm:close()
		end
		answers({ act = "stop" }, 'the unknown key "act": expected action, target, delay_ms or exit_status')
		answers({ "stop" }, 'the unknown key "1"')
		answers({ action = "halt" }, "action = halt: expected boot or stop")
		answers({ action = true }, "action = true: expected boot or stop")
		answers({ target = 7 }, "target = 7: expected the name of a target")
		answers({ delay_ms = "soon" }, "delay_ms = soon: expected an integer")
		answers({ action = "stop", exit_status = 1.5 }, "exit_status = 1.5: expected an integer")
	END
}

@test "unknown signals are refused" {
	passes <<-'END'
		has(select(2, pcall(vmrun.catch, "KILL")), 'invalid signal "KILL": expected HUP, INT')
		has(vmrun.describe("devices"), "virtio-blk")
		is(vmrun.describe("nothing"), nil)
		assert(#vmrun.default_run_dir() > 0)
		is(vmrun.history("nobody", "keep"), "")
	END
}
