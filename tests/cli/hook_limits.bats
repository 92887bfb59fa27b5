#!/usr/bin/env bats
# Hooks that do not end: time, memory and depth are limited, and the next hook call works.
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

@test "time: loops in every disguise" {
	local body
	while IFS= read -r body; do
		fault "$body" 0.5
		has 'still running after 500 ms (hook_timeout)'
		has 'stack traceback:'
	done <<-'END'
		while true do end
		repeat until false
		for i = 1, math.huge do end
		goto again ::again:: goto again
		local function f() return f() end f()
		while true do pcall(function() while true do end end) end
		while true do pcall(error) end
		while true do pcall(pcall, error) end
		local function f() pcall(f) end while true do f() end
		while true do xpcall(function() while true do end end, debug.traceback) end
		coroutine.wrap(function() while true do end end)()
		while true do coroutine.wrap(function() while true do end end)() end
		local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end
		local t = setmetatable({}, { __index = function() while true do end end }) return t.x
		return setmetatable({}, { __concat = function() while true do end end }) .. "x"
		for _ in function() return 1 end do end
		local x <close> = setmetatable({}, { __close = function() while true do end end }) error("x")
		table.sort({ 1, 2, 3 }, function() while true do end end)
		("x"):gsub("x", function() while true do end end)
		load(function() while true do end end)
		print(setmetatable({}, { __tostring = function() while true do end end }))
		vmrun.log("info", setmetatable({}, { __tostring = function() while true do end end }))
		while true do vmrun.log("debug", "flood") end
		while true do io.write("") end
		while true do collectgarbage() end
		while true do vmrun.exists("/") end
		table.move({}, 1, 1e15, 2, {})
		table.insert(setmetatable({}, { __len = function() return 1e15 // 1 | 0 end }), 1, "x")
		while true do pcall(table.remove, setmetatable({}, { __len = function() return 1 << 60 end }), 1) end
		table.sort(setmetatable({}, { __len = function() return 1 << 30 end, __index = rawlen, __newindex = type }))
		while (""):rep(1 << 60) == "" do end
		for _ in pairs(setmetatable({}, { __pairs = function() return function() return 1 end end })) do end
	END
}

@test "memory: every way to eat it" {
	local body
	while IFS= read -r body; do
		fault "$body" 2
		grep -qE 'needs more than 64 MiB of memory \(hook_memory\)|still running|string length overflow|too many results|resulting string too large|too large|took longer than 1 s' err
	done <<-'END'
		local t = {} while true do t[#t + 1] = ("x"):rep(1 << 20) .. #t end
		local s = "x" while true do s = s .. s end
		return ("x"):rep(1 << 40)
		return ("x"):rep(1 << 62, "y")
		local t = {} for i = 1, 1e9 do t[i] = i end
		return table.concat(setmetatable({}, { __len = function() return 1 << 30 end, __index = function() return "xxxxxxxxxxxxxxxx" end }))
		return table.unpack({}, 1, 1e7)
		local t = {} while true do t[{}] = coroutine.create(print) end
		collectgarbage("stop") while true do local t = { {}, {}, {} } end
		return ("x"):rep(1e6):gsub("", ("y"):rep(1e6))
		return string.format("%s", ("x"):rep(60e6)) .. ("y"):rep(60e6)
	END
}

@test "recursion without an end" {
	local body
	while IFS= read -r body; do
		fault "$body" 2
		grep -qE 'stack overflow|still running|too many|needs more than|nested deeper than 64 levels' err
	done <<-'END'
		local function f() return 1 + f() end return f()
		local function f() return { f() } end return f()
		local function f() local ok, e = pcall(f) error(e) end f()
		local function f() assert(pcall(f)) end f()
		local t t = setmetatable({}, { __index = function(_, k) return t[k .. "x"] .. "" end }) return t.x
		local t = {} setmetatable(t, { __index = t }).__index = t return setmetatable({}, { __index = function(s, k) return s[k] + 1 end }).x
		local mt = {} mt.__concat = function(a, b) return (a .. b) .. "" end return setmetatable({}, mt) .. "x"
		local mt = {} mt.__lt = function(a, b) return not (a < b) end return setmetatable({}, mt) < setmetatable({}, mt)
		local function f() return coroutine.wrap(f)() + 1 end return f()
		local function f(s) return (s:gsub(".", f)) .. "" end return f("x")
		local function f() return load("return ...")(f)() + 1 end return f()
		local function f(...) return f(1, ...) + 1 end return f()
		local t = {} for i = 1, 300000 do t = { t = t } end return vmrun.merge(t, t)
		return assert(load(("("):rep(300) .. "1" .. (")"):rep(300)))()
		local function f() return 1 + tostring(setmetatable({}, { __tostring = function() return f() end })) end return f()
	END
}

@test "a hook that calls itself" {
	lua 'function vm.on_exit(exit) return vm.on_exit(exit) + 1 end'
	script 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 0
	is "$(starts)" 2
	is "$(grep -cE 'on_exit of vm.lua failed, .*(stack overflow|needs more than)' err)" 2
}

@test "a pattern that takes its time is told when it is over, and ends nothing else" {
	fault 'local function try(n)
			local before = os.clock()
			string.find(("a"):rep(n), "a-a-b")
			return os.clock() - before
		end
		local n = 100
		while try(n) < 0.01 do n = n * 3 // 2 end
		try(5 * n) -- the cube of it: a second or more
		for i = 1, 1000 do end
		print("never said")' 0.5
	lacks 'never said'
	has 'still running after 500 ms (hook_timeout)'
}
