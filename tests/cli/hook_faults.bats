#!/usr/bin/env bats
# Hooks that fail: vmrun reports each with its traceback, the declared policy decides, the VM runs on,
# and the next hook call works.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	load faults
	common_setup
	unchecked+=(--state-dir "$PWD/state")
}

teardown() {
	common_teardown
}

@test "errors of every kind" {
	local body
	while IFS='|' read -r body text; do
		fault "$body"
		has "$text"
	done <<-'END'
		error("plain")|vm.lua:7: plain
		error("no place", 0)|decides: no place
		error()|decides: (error object is a nil value)
		error(nil)|decides: (error object is a nil value)
		error({ code = 5 })|decides: (error object is a table value)
		error(print)|decides: (error object is a function value)
		error(5)|decides: 5
		error(("x"):rep(100000))|xxxxxxxxxx
		error("two\nlines")|vmrun: lines
		error("\27[2J\0after")|vm.lua:7: ?[2J?after
		error(setmetatable({}, { __tostring = function() error("again") end }))|(error object is a table value)
		error(setmetatable({}, { __tostring = function() return {} end }))|(error object is a table value)
		error(setmetatable({ code = 5 }, { __tostring = function(e) return "code " .. e.code end }))|decides: code 5
		error(setmetatable({}, { __tostring = function() return "a\0b" end }))|decides: a?b
		error("a\0b\0")|vm.lua:7: a?b?
		error(setmetatable({}, { __name = "evil", __index = function() error("x") end }))|(error object is a table value)
		error(coroutine.create(print))|(error object is a thread value)
		error(io.stdout)|decides: file (0x
		error("[vmrun hooks]:1: not ours")|not ours
		local x = nil; x.y = 1|attempt to index a nil value (local 'x')
		undefined()|attempt to call a nil value (global 'undefined')
		return 1 + {}|attempt to perform arithmetic on a table value
		assert(false)|assertion failed!
		assert(nil, { 1 })|(error object is a table value)
		require("no.such")|module 'no.such' not found:
		coroutine.yield()|coroutine.yield outside a coroutine
		coroutine.wrap(function() error("inner") end)()|vm.lua:7: inner
		coroutine.close(coroutine.running())|cannot close a running coroutine
		local t <close> = setmetatable({}, { __close = function() error("in close") end })|in close
		local t <close> = setmetatable({}, { __close = function() error("in close") end }) error("first")|in close
		string.rep()|bad argument #1 to 'rep'
		("x"):bad()|attempt to call a nil value (method 'bad')
		os.exit(0)|os.exit would end the supervisor
		os.exit(true, true)|os.exit would end the supervisor
	END
}

# Either limit of time may end it, but one of them does.
@test "an error object whose __tostring does not end" {
	fault 'error(setmetatable({}, { __tostring = function() while true do end end }))' 1
	grep -qE 'still running after 1 s|error object is a table value' err
}

@test "error(text, 0) is for the user: no traceback" {
	fault 'error("no disk", 0)'
	has 'decides: no disk'
	lacks 'stack traceback'
	fault 'return error("no disk", 0)'
	has 'decides: no disk'
	lacks 'stack traceback'
	fault 'error("no disk", 1)'
	has 'stack traceback'
	fault 'error("no disk", 2)'
	has 'stack traceback'
	fault 'error("", 0)'
	has 'stack traceback'
	lua 'error("no disk: make one", 0)'
	vmrun vm.lua
	is "$status" 65
	is "$(cat err)" 'vm.lua: no disk: make one'
	lua 'function vm.on_prepare() error("no disk: make one", 0) end'
	vmrun -d vm.lua
	is "$status" 69
	is "$(cat err)" 'vmrun: on_prepare of vm.lua: no disk: make one'
}

@test "messages with a NUL are shown whole" {
	lua 'print("a\0b") io.write("c\0d\n") vmrun.log("info", "e\0f") vmrun.log("info", ("\0"):rep(9000))
		function vm.on_start() return false, "g\0h" end
		function vm.on_exit() vmrun.log("i\0j", "x") end'
	vmrun vm.lua
	is "$status" 69
	grep -qxF 'vmrun: a?b' err
	grep -qxF 'vmrun: c?d' err
	grep -qxF 'vmrun: e?f' err
	grep -qE '^vmrun: \?{8000}\.\.\.$' err
	has 'refused the boot: g?h'
	has 'vmrun.log: unknown level i?j'
	lua 'error("a\0b")'
	vmrun vm.lua
	is "$status" 65
	has 'vm.lua:2: a?b'
}

@test "answers that are nonsense" {
	local answer
	for answer in '5' '1.5' '{}' '{ action = "boot" }' 'print' 'coroutine.create(print)' 'io.stdout' '""' \
		'"no such target"' '"default\0"' 'vmrun' 'vmrun.null' 'exit' 'setmetatable({}, { __eq = function() return true end })' \
		'vmrun.boot("no such target")' '{ vmrun.stop(5) }'; do
		fault "return $answer"
		grep -qE 'on_exit returned|unknown target' err
	done
}

@test "finalizers" {
	local body
	while IFS= read -r body; do
		fault "$body error('end')"
		grep -qE '__gc cannot be set here|vm.lua:7: end|cannot change a protected|attempt to index a boolean|table expected' err
		lacks 'finalizer ran'
	done <<-'END'
		setmetatable({}, { __gc = function() print("finalizer ran") end })
		local mt = {} setmetatable({}, mt) mt.__gc = function() print("finalizer ran") end collectgarbage()
		local mt = setmetatable({}, { __index = { __gc = function() print("finalizer ran") end } }) setmetatable({}, mt) collectgarbage()
		getmetatable(io.stdout).__gc = function() print("finalizer ran") end
		setmetatable(io.tmpfile(), { __gc = function() print("finalizer ran") end })
		local mt = { __gc = false } setmetatable({}, mt)
		local t = setmetatable({}, { __mode = "k", __close = function() print("finalizer ran") end }) t = nil collectgarbage()
	END
}

@test "stdout is not a hook's to write" {
	lua 'vm.com1 = "stdio"
		local function all(name)
			print(name .. " print")
			io.write(name, " write\n")
			io.stdout:write(name, " method\n")
			io.output():write(name, " output\n")
			io.output(io.stdout)
			io.stdout.write(io.stdout, name, " field\n")
			io.stdout:setvbuf("no")
			pcall(io.stdout.seek, io.stdout, "set", 0)
			pcall(io.stdout.close, io.stdout)
			pcall(io.close)
			io.write(name, " last\n")
			io.stdout:flush()
			io.stderr:write(name, " stderr\n")
			local f = io.tmpfile() io.output(f) io.write("file") io.output(io.stdout) f:close()
		end
		for _, name in ipairs { "on_prepare", "on_start", "on_started", "on_exit", "on_end" } do
			vm[name] = function() all(name) end
		end'
	script 'exit 1'
	vmrun vm.lua
	is "$status" 0
	[ ! -s out ]
	local name what
	for name in on_prepare on_start on_started on_exit on_end; do
		for what in print write method output field last; do
			has "vmrun: $name $what"
		done
		has "$name stderr"
	done
}

@test "faults in the other hooks" {
	local name body
	for name in on_started on_end; do
		for body in 'error("oops")' 'while true do end' 'vm.on_exit.x = 1' 'local function f() return 1 + f() end f()'; do
			lua "vm.hook_timeout = 0.2
				function vm.$name() $body end
				function vm.on_exit(exit) print('on_exit works') end"
			rm -f starts over
			script 'waitfile over exit 3'
			start vm.lua
			# on_started ends with its boot
			[ "$name" = on_end ] || await_text "$name of vm.lua failed: "
			: >over
			ends 3
			is "$(starts)" 1
			has "$name of vm.lua failed: "
			grep -qE 'vm.lua:[23]: |needs more than 64 MiB' err # recursion may reach either limit
			has 'on_exit works'
			has 'ended with status 3'
		done
	done
	for body in 'error("oops")' 'while true do end' 'return 5' 'return "x"' 'return { 1, 2 }' 'return print' \
		'spec.memm = 1 return spec' 'spec.mem = {} return spec' 'spec.name = nil return spec' \
		'spec.emulations = "x" return spec' 'spec.x = spec return spec' 'spec.f = print return spec'; do
		lua "vm.hook_timeout = 0.2
			function vm.on_prepare(spec) $body end
			function vm.on_end() print('on_end was called') end"
		rm -f starts
		vmrun vm.lua
		case $status in 65 | 69) ;; *) is "$status" '65 or 69' ;; esac
		is "$(starts)" ''
		grep -qE 'on_prepare|vm.lua' err
	done
}

@test "on_start that returns nonsense is told, and refuses the boot" {
	local answer
	for answer in 5 '{}' print 'vmrun.stop(3)'; do
		lua "function vm.on_start() return $answer end"
		vmrun vm.lua
		is "$status" 69
		has "on_start of vm.lua failed: on_start returned "
		has 'expected a target, false and a reason, or nothing'
	done
	for answer in true nil 'false == nil or nil'; do
		lua "function vm.on_start() return $answer end"
		vmrun vm.lua
		is "$status" 0
		lacks 'vm.lua failed'
	done
	lua 'function vm.on_start() return "no" end'
	vmrun vm.lua
	is "$status" 69
	has 'on_start of vm.lua failed: on_start: unknown target "no"'
	lua 'function vm.on_start() return false, setmetatable({}, { __tostring = function() return "a table" end }) end'
	vmrun vm.lua
	is "$status" 69
	has 'refused the boot: a table'
}

@test "what a hook is given belongs to this call" {
	lua 'local seen
		function vm.on_exit(exit)
			if exit.boots == 1 then
				for _, f in ipairs {
					function() exit.cause = "x" end, function() exit.count.reboot = 7 end,
					function() exit.history[1] = nil end, function() exit.history[1].cause = "x" end,
					function() exit.new = 1 end, function() setmetatable(exit, nil) end,
					function() table.insert(exit.history, {}) end, function() table.remove(exit.history) end,
					function() table.sort(exit.history) exit.history[1] = 1 end,
				} do assert(not pcall(f)) end
				rawset(exit, "cause", "mine") -- its own view alone
				seen = exit
				return true
			end
			print("second", exit.cause, exit.count.reboot, #exit.history, rawget(exit, "cause"), seen.cause)
			return vmrun.stop(9)
		end
		local function cannot_write(boot)
			for _, key in ipairs { "target", "vm", "new" } do
				assert(not pcall(function() boot[key] = "nowhere" end))
			end
			rawset(boot, "target", "nowhere")
		end
		function vm.on_start(boot) cannot_write(boot) end
		function vm.on_prepare(spec, boot) spec.cpu = 7 spec.emulations = "x" cannot_write(boot) end'
	script 'exit 0' 'exit 0'
	vmrun vm.lua
	is "$status" 9
	grep -qE '^vmrun: second.reboot.2.2.nil.mine$' err
	lacks 'vm.lua failed'
	is "$(jq -r '.argv[2]' starts | sort -u)" 'cpus=1,sockets=1,cores=1,threads=1'
}

@test "globals, libraries and vmrun itself replaced: the rest goes on" {
	cat >second.lua <<-'END'
		local error = error
		return { on_exit = function(exit)
			if exit.boots == 1 then error("second hook") end
			return vmrun and vmrun.stop and vmrun.stop(9) or 7
		end }
	END
	local body
	while IFS= read -r body; do
		lua "vm.hooks = { 'second.lua' }
			vm.targets = { a = { extends = {}, emulations = { { device = 'ahci-cd', path = 'a.iso' } } } }
			function vm.on_exit(exit) $body end"
		rm -f starts
		script 'exit 0' 'exit 3'
		vmrun vm.lua
		is "$(starts)" 2
		has 'second hook'
		has 'stack traceback:'
		is "$(grep -c 'call: \[vmrun' err)" 0
		case $status in 3 | 9) ;; *) is "$status" '3 or 9' ;; esac
	done <<-'END'
		print, pairs, ipairs, next, type, tostring, error = nil
		for k in pairs(_G) do _G[k] = nil end
		for k in pairs(string) do string[k] = nil end
		for k in pairs(table) do table[k] = nil end
		for k in pairs(math) do math[k] = nil end
		for k in pairs(coroutine) do coroutine[k] = nil end
		string.format = function() error("poisoned") end
		table.insert, table.concat, table.sort = nil
		string.find, string.sub, string.match, string.gsub = error, error, error, error
		setmetatable(_G, { __index = function() error("poisoned") end, __newindex = error })
		setmetatable(string, { __index = error }) string.rep = nil
		package.loaded.vmrun = nil
		package.loaded.vmrun = {} package.loaded._G = nil package.loaded.string = nil
		package.searchers = nil package.path = nil package.cpath = nil
		package.preload = nil package.searchpath = nil
		for k in pairs(vmrun) do vmrun[k] = nil end
		vmrun.merge = error vmrun.stop = function() return 5 end
		vmrun = nil
		io, os, debug = nil
		debug.traceback = error
		pcall(function() getmetatable("").__index = error end)
		pcall(function() getmetatable("").__concat = error end)
		pcall(setmetatable, vmrun, {})
		tostring = function() return {} end type = function() return "table" end
		math.type = function() return "float" end math.tointeger = function() return 1 end
		load = nil loadfile = nil dofile = nil require = nil
		collectgarbage("stop")
		collectgarbage("generational")
		os.getenv = error io.open = nil io.output(io.tmpfile())
		rawget, rawset, rawequal, rawlen, select = nil
	END
}

@test "a hook that breaks the spec itself: the next boot is refused" {
	local body
	while IFS= read -r body; do
		lua "vm.targets = { a = {} }
			function vm.on_exit(exit) if exit.boots == 1 and exit.cause == 'reboot' then $body end end"
		rm -f starts
		script 'exit 0' 'exit 1'
		vmrun vm.lua
		case $status in 0 | 69) ;; *) is "$status" '0 or 69' ;; esac
		is "$(grep -c '\[vmrun' err)" 0
		is "$status $(starts)" "$([ "$status" = 0 ] && echo '0 2' || echo '69 1')"
	done <<-'END'
		vm.targets, vm.name, vm.hooks = nil
		vm.targets = 5
		vm.targets.a = "x" vm.targets.default = { mem = 5 }
		for k in pairs(vm) do if k ~= "on_exit" then vm[k] = nil end end
		setmetatable(vm, { __index = error, __newindex = error, __pairs = error })
		vm.self = vm
		vm.targets.default = vm
		vm.targets.default = { extends = "default" }
		vm.emulations = { vm }
		vm.mem = print
		vm[5] = 1
		vm.hooks = { "gone.lua" }
		vm.next_target = "gone"
	END
}

@test "a hook cannot change the targets, which on_prepare does not see" {
	lua 'function vm.on_prepare(spec) spec.targets = { x = { mem = "1G" } } return spec end'
	vmrun vm.lua
	is "$status" 65
	is "$(starts)" ""
	has 'on_prepare: targets: a hook changes the spec of one boot, which has no targets'
}

@test "a hook cannot rename the VM, whose lock it has" {
	lua 'function vm.on_exit(exit) vm.name = "other" end'
	script 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 69
	is "$(starts)" 1
	has "name: the VM is \"$vm\" since the start: a hook cannot call it \"other\""
	lua 'function vm.on_prepare(spec) spec.name = "other" return spec end'
	rm starts
	vmrun vm.lua
	is "$status" 65
	[ ! -e starts ]
	has "on_prepare: name: the VM is \"$vm\" since the start"
}

@test "a hook that waits cannot be resumed or closed by another" {
	local trick
	for trick in 'coroutine.resume(waiting)' 'coroutine.close(waiting)' 'coroutine.wrap(function() coroutine.resume(waiting) end)()' \
		'local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) coroutine.close(co) coroutine.resume(co)'; do
		lua "vm.hooks = { 'other.lua' }
			function vm.on_started()
				waiting = coroutine.running()
				print('woken by', select(2, vmrun.sleep(60)))
			end
			function vm.on_exit(exit)
				print('trick', pcall(function() $trick end))
				vmrun.sleep(0)
				return vmrun.stop(9)
			end"
		echo "return { on_started = function()
			print('status', pcall(coroutine.status, waiting))
			print('trick', pcall(function() $trick end))
			vmrun.sleep(0)
			print('goes on')
		end }" >other.lua
		script 'sleep 200 exit 3'
		vmrun vm.lua
		is "$status" 9
		has 'status	true	suspended'
		is "$(grep -c 'woken by' err)" 1
		has 'woken by	gone'
		has 'goes on'
		lacks '[vmrun'
	done
}

@test "one hook's fault is not the next one's" {
	echo 'return { on_exit = function() error("first") end }' >first.lua
	echo 'return { on_exit = function() while true do end end }' >second.lua
	echo 'return { on_exit = function() return vmrun.stop(8) end }' >third.lua
	lua 'vm.hook_timeout = 0.2 vm.hooks = { "first.lua", "second.lua", "third.lua" }
		function vm.on_exit() local t = {} while true do t[#t + 1] = ("x"):rep(1 << 20) .. #t end end'
	script 'exit 3'
	vmrun vm.lua
	is "$status" 8
	has 'on_exit of vm.lua failed'
	has 'on_exit of first.lua failed'
	has 'on_exit of second.lua failed'
}

@test "a file of hooks that is wrong" {
	local text words
	while IFS='|' read -r text words; do
		printf '%b' "$text" >hook.lua
		spec '{"hooks": ["hook.lua"]}'
		vmrun vm.json
		is "$status" 65
		has "$words"
		has 'hooks[0]'
		is "$(starts)" ''
	done <<-'END'
		return 5|a hook file returns a table of hooks
		return|a hook file returns a table of hooks
		return function() return 5 end|a hook file returns a table of hooks
		return { on_exti = print }|unknown hook "on_exti", did you mean "on_exit"?
		return { on_exit = 5 }|on_exit is a number, expected a function
		return { print }|unknown hook "1"
		return return|hook.lua:1: unexpected symbol
		error("at load")|hook.lua:1: at load
		return function() error("in it") end|hook.lua:1: in it
		\0033Lua|binary chunk
		return setmetatable({}, { __pairs = error, __index = error })("x")|attempt to call a table value
	END
	rm hook.lua
	vmrun vm.json
	is "$status" 66
	has 'hook.lua: No such file or directory'
}
