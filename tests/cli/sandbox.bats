#!/usr/bin/env bats
# --sandbox: the specs and hooks of others compute, and reach nothing.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	unchecked+=(--sandbox --state-dir "$PWD/state")
	echo 'return "treasure"' >treasure.lua
}

teardown() {
	common_teardown
}

# Each is the body of a function that returns something when it got away.
escapes() {
	cat <<-'END'
		return io
		return os
		return package
		return debug
		return dofile
		return loadfile
		return _G.io or _G.os or _G.debug or _G.package or _ENV.io
		return dofile("treasure.lua")
		return loadfile("treasure.lua")
		return require("treasure")
		return require("io")
		return require("os")
		return require("debug")
		return require("package")
		return require("_G")
		return require("string")
		return require(setmetatable({}, { __tostring = function() return "vmrun" end }))
		return vmrun.include("treasure.lua")
		return vmrun.include("/etc/passwd")
		return load(string.dump(function() return 1 end))
		return string.dump
		return load("\27Lua")
		return load("return 1", "x", "b")
		return load("return io or os or debug or package or loadfile")()
		return load("return io or os or debug", "x", "t", _G)()
		return load("return io or os", "x", "t", setmetatable({}, { __index = _G }))()
		return load(function() return nil end, "=[vmrun hooks]")
		return load("return 1", "=[vmrun world]")
		return getmetatable("").__index
		getmetatable("").__index = function() return 1 end return true
		getmetatable("").__concat = print return true
		return rawset(getmetatable(""), "__index", {})
		return setmetatable("", {})
		return setmetatable({}, { __gc = function() end })
		return getmetatable(setmetatable({}, getmetatable(vmrun)))
		return getmetatable(vmrun) or getmetatable(vmrun.env) or getmetatable(vmrun.boot())
		vmrun.env.PATH = "/evil" return true
		rawset(vmrun.env, "PATH", "/evil") return vmrun.env.PATH ~= "/evil"
		return select(2, pcall(xpcall, print, print)):find("sandbox") == nil
		return (xpcall(print, function() return 1 end))
		return collectgarbage("stop")
		return collectgarbage("generational")
		return collectgarbage("incremental", 1000, 1, 1)
		return collectgarbage("setpause", 1000)
		return collectgarbage("setstepmul", 1)
		return coroutine.wrap(function() return io or os or debug end)()
		return coroutine.resume(coroutine.running())
		return coroutine.close(coroutine.running())
		return coroutine.wrap(function() return require("io") end)()
		local co = coroutine.create(function() return require("os") end) return select(2, coroutine.resume(co)) == nil
		local t = setmetatable({}, { __index = function(_, k) return _G[k] end }) return t.io or t.os
		local x <close> = setmetatable({}, { __close = function() got = io or os or debug end }) return got
		for k, v in pairs(_G) do if type(v) == "userdata" then return k end end
		for k, v in pairs(vmrun) do if type(v) == "userdata" and v ~= vmrun.null then return k end end
		local seen, todo = {}, { _G, vmrun } while #todo > 0 do local t = table.remove(todo) if not seen[t] then seen[t] = true for k, v in next, t do if k == "open" or k == "popen" or k == "execute" or k == "loadlib" or k == "getregistry" or k == "searchers" or k == "import" then return k end if type(v) == "table" then todo[#todo + 1] = v end end end end
		return string.format("%p", nil):find("registry")
		return vmrun.native or vmrun.import or vmrun.session
		return table.unpack({}, 1, 1e8)
		return ("x"):rep(1 << 40)
		return string.rep("x", -1) ~= ""
		return utf8.char(0x7fffffff + 1)
		print(setmetatable({}, { __tostring = function() return {} end })) return true
		print(setmetatable({}, { __name = "FILE*" })) return io
		return warn("@on") or warn("escaped")
		return error(setmetatable({}, { __index = _G }))
		return next(_G, "no such key")
		return vmrun.exec { "true" }
		_G.require = nil return require
		_G.vmrun = nil return vmrun
	END
}

@test "attempts to get away" {
	local line count=0
	# Both as the spec and as a hook: what one does must not open a door for the next.
	{
		printf 'local escaped = {}\nlocal function try(n, f)\n'
		printf '\tlocal ok, got = pcall(f)\n\tif ok and got then escaped[#escaped + 1] = n end\nend\n'
		printf 'local function all()\n'
		while IFS= read -r line; do
			count=$((count + 1))
			printf '\ttry(%d, function() %s end)\n' "$count" "$line"
		done < <(escapes)
		printf 'end\nall()\n'
		printf 'local vm = { name = "%s", cpu = 1, mem = "64M", bootrom = "%s" }\n' "$vm" "$rom"
		printf 'function vm.on_exit() all() print("escaped: " .. table.concat(escaped, " ")) end\nreturn vm\n'
	} >vm.lua
	[ "$count" -ge 60 ]
	script 'exit 1'
	vmrun vm.lua
	is "$status" 0
	grep -qx 'vmrun: escaped: ' err
	lacks treasure
	lacks 'on_exit of vm.lua failed'
}

@test "each attempt in a state of its own, and the supervisor is unharmed" {
	local line
	while IFS= read -r line; do
		lua "function vm.on_exit(exit)
			if exit.boots == 2 then print('second call') return vmrun.stop(9) end
			local ok, got = pcall(function() $line end)
			if ok and got then print('ESCAPED') end
			return true
		end"
		script 'exit 3' 'exit 3'
		vmrun vm.lua
		case $line in
		*'vmrun = nil'*) is "$status" 3 ;; # its own answer is gone, no one else's
		*) is "$status" 9 ;;
		esac
		has 'second call'
		lacks ESCAPED
		lacks treasure
	done < <(escapes)
}

@test "limits hold in it" {
	local eat
	for eat in 'while true do end' 'while true do pcall(function() while true do end end) end' \
		'local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end' \
		'local s = "x" while true do s = s .. s end' \
		'while true do coroutine.wrap(function() while true do end end)() end' \
		'local x <close> = setmetatable({}, { __close = function() while true do end end }) error("x")' \
		'while true do collectgarbage() end' 'repeat collectgarbage("step", 1 << 30) until false'; do
		lua "vm.hook_timeout = 0.2 vm.hook_memory = '8M'
			function vm.on_start() $eat end
			function vm.on_exit() return vmrun.stop(9) end"
		vmrun vm.lua
		is "$status" 9
		has 'on_start of vm.lua failed'
		grep -qE 'still running after|needs more than 8 MiB' err
	done
}

@test "what remains works" {
	lua 'local v = require "vmrun"
		assert(v == vmrun and v.merge({ a = 1 }, { b = 2 }).b == 2)
		assert(utf8.len("é") == 1 and math.pi > 3 and table.concat({ 1, 2 }) == "12" and ("x"):rep(2) == "xx")
		assert(coroutine.wrap(function() return 5 end)() == 5 and load("return ...")(7) == 7)
		assert(collectgarbage("count") > 0 and collectgarbage("isrunning") and collectgarbage() == 0)
		print("said", vmrun.exists("vm.lua"), vmrun.env.HOME ~= nil, vmrun.host.os ~= nil)
		function vm.on_prepare(spec) spec.cpu = 2 return spec end
		function vm.on_exit(exit)
			vmrun.state.n = 1
			vmrun.event { n = 1 }
			vmrun.log("info", "logged")
			return vmrun.stop(7)
		end'
	vmrun vm.lua
	is "$status" 7
	grep -qE '^vmrun: said.true.true.true$' err
	has logged
	has '{"n":1}'
	is "$(jq .n "state/$vm/state.json")" 1
	is "$(jq -r '.argv[2]' starts)" 'cpus=2,sockets=1,cores=1,threads=2'
}

@test "hook files of the spec run in it; what it lacks is said" {
	echo 'return { on_exit = function() print("file", io, os, loadfile) return vmrun.stop(6) end }' >hook.lua
	spec '{"hooks": ["hook.lua"]}'
	vmrun vm.json
	is "$status" 6
	grep -qE '^vmrun: file.nil.nil.nil$' err
	lua 'require "treasure"'
	vmrun vm.lua
	is "$status" 65
	has 'vm.lua:2: require "treasure": not in the sandbox, where there is only "vmrun"'
	lua 'vmrun.include("treasure.lua")'
	vmrun vm.lua
	has 'vm.lua:2: vmrun.include: not in the sandbox'
	lua 'xpcall(print, print)'
	vmrun vm.lua
	has 'vm.lua:2: xpcall is not in the sandbox: use pcall'
}
