#!/usr/bin/env bats
# require "vmrun": what a program reads of a spec, options, failures, and a VM's life step by step.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load module
	module_setup
}

teardown() {
	common_teardown
}

@test "the commands of a boot, and what is known before it" {
	VERSION=$("$VMRUN" -V | awk '{ print $2 }')
	export VERSION
	passes <<-'END'
		local vm <close> = assert(open { dry_run = true, set = { mem = "128M" }, args = { "-x" } })
		is(vm:name(), os.getenv("VM"))
		is(vm:target(), "default")
		is(vm:hypervisor(), "bhyve")
		local argv = vm:argv()
		is(argv[1], os.getenv("FAKEBHYVE"))
		is(argv[#argv], os.getenv("VM"))
		has(table.concat(argv, " "), "-x")
		has(vm:command(), "-m 128M")
		is(vm:loader_command(), nil)
		has(vm:bhyve_config(), "memory.size=128M")
		has(vm:spec(), '"mem"')
		has(vm:graph(), "digraph")
		has(vm:policy(), "reboot")
		is(#vm:notes(), 0)
		is(#vm:placeholders(), 0)
		is(vm:uses_stdio(), false)
		is(vm:fd(), -1)
		is(vm:state().state, "waiting")
		is(vm:ended(), false)
		is(vm:guest_status(), -1)
		has(tostring(vm), os.getenv("VM"))
		is(vmrun.version, os.getenv("VERSION"))
	END
}

@test "failures are nil, all problems, and the status" {
	echo '{"name": "x", "cpu": 0}' >bad.json
	passes <<-'END'
		local vm, why, status = vmrun.open("bad.json")
		is(vm, nil)
		is(status, 65)
		has(why, "bad.json:1:")
		has(why, '"mem"')
		vm, why, status = vmrun.open { }
		is(vm, nil)
		is(status, 64)
		vm, why, status = vmrun.open("missing.json")
		is(status, 66)
		vm = assert(open())
		local done
		done, why, status = vm:dispatch()
		is(done, nil)
		is(status, 64)
		assert(#why > 0)
		done, why, status = vm:next("nowhere")
		is(done, nil)
		is(vm:reset(), false)
		done, why, status = vm:simulate("reboot")
		is(status, 64)
	END
}

@test "options of a wrong name or type are raised with their name" {
	passes <<-'END'
		for _, case in ipairs {
			{ { fiel = "x" }, 'unknown option "fiel"' },
			{ { 1 }, 'unknown option "1"' },
			{ { file = 1 }, 'option "file": expected a string, got number' },
			{ { file = "a\0b" }, 'option "file": the string contains a NUL' },
			{ { control = 1 }, 'option "control": expected a boolean' },
			{ { args = "x" }, 'option "args": expected a list of strings' },
			{ { args = { 1 } }, 'option "args": expected a list of strings' },
			{ { set = { mem = "64M\0" } }, 'option "set": the string contains a NUL' },
			{ { set = { mem = {} } }, 'option "set": expected strings, numbers and booleans' },
			{ { reboot_count = 1.5 }, 'option "reboot_count": expected an integer' },
			{ { exec_result = 1 << 40 }, 'option "exec_result": 1099511627776 is out of range' },
			{ { event = 1 }, 'option "event": expected a function' },
		} do
			local ok, why = pcall(vmrun.open, case[1])
			is(ok, false)
			has(why, case[2])
		end
		is(pcall(vmrun.open), false)
	END
}

# in_module ROWS: prints the first word of each row of a table of the module
in_module() {
	sed -n "s/^\t$1(\([a-z_]*\), .*/\1/p" "$2" | sort
}

# in_header STRUCT: prints the members of a struct of the public header
in_header() {
	awk -v name="struct $1 {" '$0 == name { on = 1; next } /^};/ { on = 0 } on' "$SOURCE"/include/vmrun/*.h |
		tr '\n' ' ' | sed 's,/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/,,g' | tr ';' '\n' |
		sed 's/.*\[.*//' | grep -oE '[a-z_]+(, \*?[a-z_]+)*$' | tr -d ' *' | tr ',' '\n' | sort
}

@test "the module has every member of the library's structs" {
	in_header vmrun_event | grep -vxE 'type|name|size|cause_code' >wanted
	in_module EVENT "$SOURCE/src/luamodule/event.c" >got
	diff wanted got
	in_header vmrun_state | grep -vxE 'size|cause_code' >wanted
	in_module STATE "$SOURCE/src/luamodule/event.c" >got
	diff wanted got
	in_header vmrun_finding | grep -vx size >wanted
	in_module FINDING "$SOURCE/src/luamodule/event.c" >got
	diff wanted got
	in_header vmrun_options | grep -vxE 'size|length|decide|decide_context' >wanted
	in_module OPTION "$SOURCE/src/luamodule/open.c" >got
	diff wanted got
	[ "$(wc -l <got)" -gt 25 ]
	in_header vmrun_import_options | grep -vxE 'size|length' >wanted
	in_module OPTION "$SOURCE/src/luamodule/import.c" >got
	diff wanted got
	[ -s got ]
}

@test "a check: the findings and the status" {
	passes <<-'END'
		local vm = assert(open({ check = true }, '"emulations": [{"device": "virtio-net", "name": "tap3"}]'))
		local findings, status = vm:check()
		is(status, 69)
		is(#findings, 1)
		is(findings[1].what, "tap3")
		is(findings[1].problem, "no such interface")
		has(findings[1].fix, "ifconfig tap3 create")
		is(findings[1].advice, false)
		is(#vm:findings(), 1)
		vm = assert(open { check = true })
		findings, status = vm:check()
		is(status, 0)
		is(#findings, 0)
	END
}

@test "a simulation: its events" {
	passes <<-'END'
		local vm = assert(open({ dry_run = true }, '"targets": {"rescue": {}}, "on": {"triple_fault": {"boot": "rescue"}}'))
		assert(vm:simulate("triple_fault,poweroff"))
		local decided = {}
		for e in vm:events() do
			if e.event == "decided" then table.insert(decided, e) end
		end
		is(#decided, 2)
		is(decided[1].cause, "triple_fault")
		is(decided[1].action, "boot")
		is(decided[1].target, "rescue")
		is(decided[2].action, "stop")
	END
}

@test "a life step by step: wait, dispatch, events, state, requests" {
	script 'exit 0' 'acpi on wait exit 1'
	passes <<-'END'
		local vm <close> = assert(open({}, '"targets": {"other": {}}'))
		assert(vm:start())
		local seen, last = {}, nil
		local spawned = 0
		while not vm:ended() do
			local ready, signal = vmrun.wait({ vm }, 60)
			is(#ready, 1)
			is(ready[1], vm)
			is(signal, nil)
			assert(vm:dispatch())
			for e in vm:events() do
				is(e.vm, os.getenv("VM"))
				seen[e.event] = e
				last = e
				if e.event == "spawned" then
					spawned = spawned + 1
					is(e.argv[#e.argv], os.getenv("VM"))
					if spawned == 2 then
						is(vm:state().pid, e.pid)
						is(vm:state().boots, 2)
						assert(vm:next("other"))
						local ok, why, status = vm:next("nowhere")
						is(status, 65)
						has(why, "nowhere")
						assert(vm:stop())
					end
				end
			end
		end
		is(last.event, "ended")
		is(last.exit_status, 0)
		is(seen.exit.cause, "stopped")
		is(spawned, 2)
		is(vm:status(), 0)
		has(vmrun.history(os.getenv("VM"), "keep"), '"cause":"stopped"')
		is(#vmrun.wait({}, 0), 0)
		is(#vmrun.wait({}, -1), 0)
	END
	nothing_runs
}

@test "close, and a VM that is collected, take the hypervisor with them" {
	script 'ready up1 hang' 'ready up2 hang'
	passes <<-'END'
		local function up(vm, file)
			assert(vm:start())
			while not io.open(file) do vmrun.wait({ vm }, 0.02) assert(vm:dispatch()) end
		end
		local vm = assert(open())
		up(vm, 'up1')
		vm:close()
		vm:close()
		has(select(2, pcall(vm.name, vm)), "the VM is closed")
		is(tostring(vm), "vmrun.vm: closed")
		is(getmetatable(vm), "vmrun.vm")
		vm = assert(open())
		up(vm, 'up2')
		vm = nil
		collectgarbage()
		has(select(2, pcall(vmrun.wait, { 1 })), "vmrun.wait: entry 1 of the list is a number: expected a VM")
	END
	is "$(starts)" 2
	nothing_runs
}

@test "the console: wait for a text, read, type" {
	unset FAKEBHYVE_NODISK # it opens the terminal of the console
	script 'acpi on print first print login: wait exit 1'
	passes <<-'END'
		local vm <close> = assert(open({}, '"com1": "console"'))
		is(vm:read(), "")
		is(vm:write("x"), 0)
		assert(vm:start())
		assert(vm:wait_for("first"))
		is(vm:wait_for("login: never", 0.1), nil) -- takes nothing
		assert(vm:wait_for("login:"))
		has(vm:read(), "login:")
		is(vm:read(), "")
		is(select(2, vm:wait_for("login:", -1)), "timeout")
		local ok, why, status = vm:wait_for("login:", 0)
		is(ok, nil)
		is(why, "timeout")
		is(status, 75)
		is(vm:write("root\r"), 5)
		assert(vm:stop())
		ok, why, status = vm:wait_for("never")
		is(why, "gone")
		is(status, 69)
		is(select(2, vm:wait_for("never", math.huge)), "gone")
	END
	script 'acpi on wait exit 1'
	passes <<-'END'
		local vm <close> = assert(open())
		local _, why, status = vm:wait_for("x")
		is(why, "the VM is not started")
		is(status, 64)
		assert(vm:start())
		_, why, status = vm:wait_for("x")
		has(why, "no serial port")
		is(status, 64)
		_, why, status = vm:check()
		has(why, "the VM was started")
		is(status, 64)
	END
}

@test "run and bhyve_config say why they fail" {
	passes <<-'END'
		local vm <close> = assert(open { dry_run = true })
		local _, why, status = vm:run()
		is(why, "dry_run or check is set, which start nothing")
		is(status, 64)
		local odd <close> = assert(open({ dry_run = true }, [["config": {"a.b": "two\nlines"}]]))
		_, why, status = odd:bhyve_config()
		has(why, "a.b")
		is(status, 65)
		assert(odd:command())
	END
}

@test "a history that cannot be read is nil, why and the status" {
	mkdir -p keep/odd
	ln -s history.jsonl keep/odd/history.jsonl
	passes <<-'END'
		local lines, why, status = vmrun.history("odd", "keep")
		is(lines, nil)
		has(why, "keep/odd/history.jsonl")
		is(status, 71)
	END
}

@test "requests: kill, reboot to a target, reopen the logs; what cannot be is nil, why and the status" {
	unset FAKEBHYVE_NODISK # it opens the terminal of the console
	script 'acpi on wait exit 0' 'ready up2 hang'
	passes <<-'END'
		local function there(file)
			local f = io.open(file)
			return f ~= nil and f:close()
		end
		local vm <close> = assert(open({}, '"com1": "console", "console": {"log": "guest.log"}, "targets": {"other": {}}'))
		is(vm:reboot("other"), nil)
		assert(vm:start())
		local seen, spawned = {}, 0
		while not vm:ended() do
			vmrun.wait { vm }
			assert(vm:dispatch())
			for e in vm:events() do
				seen[e.event] = e
				if e.event == "spawned" then
					spawned = spawned + 1
					if spawned == 1 then
						local ok, why, status = vm:reboot("nowhere")
						is(ok, nil)
						has(why, "nowhere")
						is(status, 65)
						assert(os.rename("guest.log", "guest.log.old"))
						is(there("guest.log"), false)
						is(vm:reopen_logs(), true)
						is(there("guest.log"), true)
						is(vm:reboot("other"), true)
					else
						is(e.target, "other")
						is(vm:kill(), true)
					end
				end
			end
		end
		is(spawned, 2)
		is(seen.exit.cause, "stopped")
		is(seen.exit.ended_by, "kill")
		is(seen.exit.signal, 9)
	END
	nothing_runs
}

@test "reload: the next boot has the new spec, a bad one changes nothing" {
	script 'acpi on wait exit 0' 'acpi on wait exit 1'
	passes <<-'END'
		local function write(mem)
			local f = assert(io.open("vm.json", "w"))
			f:write(([[{"name": "%s", "cpu": 1, "mem": %s, "bootrom": "%s", "backoff": false,
				"bhyve": {"release": 14, "arch": "amd64"}}]]):format(os.getenv("VM"), mem, os.getenv("ROM")))
			f:close()
		end
		write '"64M"'
		local vm <close> = assert(vmrun.open { file = "vm.json", hypervisor = "bhyve", run_dir = "run",
			state_dir = "keep", bhyve = os.getenv("FAKEBHYVE") })
		is(select(2, vm:reload()), "the VM is not started")
		is(select(3, vm:reload()), 64)
		assert(vm:start())
		local spawned = 0
		while not vm:ended() do
			vmrun.wait { vm }
			assert(vm:dispatch())
			for e in vm:events() do
				if e.event == "spawned" then
					spawned = spawned + 1
					if spawned == 1 then
						write '"96M"'
						is(vm:reload(), true)
						write '[]'
						local ok, why, status = vm:reload()
						is(ok, nil)
						has(why, 'mem: expected a size such as "512M"')
						is(status, 65)
						assert(vm:reboot())
					else
						has(table.concat(e.argv, " "), "-m 96M")
						assert(vm:stop())
					end
				end
			end
		end
		is(spawned, 2)
	END
	nothing_runs
}

@test "answer: a check that asks is answered, and what was refused is not fixed" {
	passes <<-'END'
		local vm <close> = assert(open({ ask = true }, '"emulations": [{"device": "virtio-net", "name": "tap3"}]'))
		is(vm:answer(true), true)
		assert(vm:start())
		local asked, seen = 0, {}
		while not vm:ended() do
			vmrun.wait { vm }
			assert(vm:dispatch())
			for e in vm:events() do
				seen[e.event] = e
				if e.event == "checked" and e.asks then
					asked = asked + 1
					is(vm:answer(false), true)
				end
			end
		end
		is(asked, 1)
		is(seen.spawned, nil)
		assert(vm:status() ~= 0)
	END
	is "$(starts)" ''
}
