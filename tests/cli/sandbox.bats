#!/usr/bin/env bats
# --sandbox: specs and hooks of other people can compute, but cannot reach the host.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	unchecked+=(--sandbox --allow "$rom" --state-dir "$PWD/state")
	echo 'return "treasure"' >treasure.lua
}

teardown() {
	common_teardown
}

# Each line is the body of a function that returns a value when it escaped.
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
		return vmrun.env.PATH or vmrun.env.HOME
		return next(vmrun.env)
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
		return vmrun.exec { "true", background = true }
		return vmrun.exists("/etc/passwd")
		return vmrun.exists("../../../../../../../../../../etc/passwd")
		return vmrun.exists("/")
		return not vmrun.sandboxed
		_G.require = nil return require
		_G.vmrun = nil return vmrun
	END
}

@test "attempts to get away" {
	local line count=0
	# As the spec and as a hook, because what one does must not help the next one to escape.
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
		print("said", vmrun.exists("vm.lua"), vmrun.sandboxed, vmrun.host.os ~= nil)
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
	echo 'return require("treasure")' >tail.lua # a tail call leaves no frame of its own
	vmrun tail.lua
	has 'tail.lua:1: require "treasure": not in the sandbox'
	lua 'vmrun.include("treasure.lua")'
	vmrun vm.lua
	has 'vm.lua:2: vmrun.include: not in the sandbox'
	lua 'xpcall(print, print)'
	vmrun vm.lua
	has 'vm.lua:2: xpcall is not in the sandbox: use pcall'
}

# --- names of the host ---

@test "the manual names every key that is always refused" {
	local key section
	section=$(sed -n '/^\.Ss Sandbox/,/^\.Ss Checks/p' "$SOURCE/man/vmrun.8")
	# The unit test compares this list with the rows.
	sed -n 's/.*"\([a-z0-9_. -]*\): forbidden.*/\1/p' "$SOURCE/tests/spec/test_confine.c" >forbidden
	[ "$(wc -l <forbidden)" -ge 13 ]
	while read -r key; do
		key=${key%% *}
		grep -qw -e "${key##*.}" <<<"$section" || { echo "not in vmrun(8): $key" >&2 && false; }
	done <forbidden
}

# refused PLACE TEXT: checks that the last run ended with 65 before a start, with this text at the place
refused() {
	is "$status" 65
	has "$1: the sandbox refuses $2"
	[ ! -e starts ]
}

@test "probes: commands and addresses of other hosts are refused, loopback is free" {
	spec '{"ready": {"exec": ["touch", "ran"]}, "alive": {"connect": "10.0.0.2:22"}}'
	vmrun vm.json
	refused vm.json:7:5:\ ready.exec 'this key, which runs a command of the host'
	refused vm.json:13:5:\ alive.connect 'the address "10.0.0.2:22", which is not on loopback: to allow it, add --allow 10.0.0.2:22'
	[ ! -e ran ]
	spec '{"ready": {"connect": "[::1]:22"}, "alive": {"connect": "10.0.0.2:22"}}'
	vmrun -d vm.json
	is "$status" 65
	is "$(wc -l <err)" 1
	vmrun -d --allow 10.0.0.2:22 vm.json
	is "$status" 0
}

@test "commands and names of the host are refused, each at its place, in one report" {
	spec '{"post_start_script": "touch ran", "companions": [{"name": "x", "command": ["touch", "ran"]}],
		"com1": "/dev/nmdm0A", "graphic": {"host": "0.0.0.0"}, "config": {"a": "b"},
		"emulations": [{"device": "virtio-blk", "path": "/etc/passwd"}, {"device": "virtio-net", "name": "tap3"},
			{"device": "raw", "value": "virtio-blk,/etc/passwd"}],
		"targets": {"other": {"extra_options": "-x", "emulations": [{"device": "passthru", "src": "3:0:0"}]}}}'
	vmrun vm.json
	is "$status" 65
	is "$(sed 's/^vm.json:[0-9]*:[0-9]*: //; s/: .*//' err)" 'post_start_script
companions
com1
graphic.host
config
emulations[0].path
emulations[1].name
emulations[2].value
targets.other.extra_options
targets.other.emulations[0].src'
	has 'vm.json:6:3: post_start_script: the sandbox refuses this key, which runs a command of the host: remove it'
	[ ! -e ran ]
	[ ! -e starts ]
}

@test "the same holds where nothing is started" {
	local how
	spec '{"post_start_script": "true"}'
	for how in -d --debug --check '--simulate reboot' '--print bhyve_config' '--print graph'; do
		# shellcheck disable=SC2086 # an option and its argument
		timeout 60 "$VMRUN" "${stated[@]}" --sandbox --allow "$rom" --run-dir run $how vm.json >out 2>err || status=$?
		is "$status" 65
		has 'post_start_script: the sandbox refuses this key'
		is "$(cat out)" ''
	done
	timeout 60 "$VMRUN" --run-dir run -d vm.json >out
	[ -s out ]
}

@test "Lua, on_prepare and --set say no more than JSON" {
	lua 'vm.post_start_script = "touch ran"'
	vmrun vm.lua
	refused 'vm.lua: post_start_script' 'this key'
	lua 'function vm.on_prepare(spec) spec.post_start_script = { "touch", "ran" } return spec end'
	vmrun vm.lua
	refused 'on_prepare: post_start_script' 'this key'
	lua 'function vm.on_prepare(spec)
		spec.companions = { { name = "x", command = "touch ran" } }
		spec.emulations = { { device = "virtio-blk", path = "/etc/passwd" } }
		return spec
	end'
	vmrun vm.lua
	refused 'on_prepare: companions' 'this key'
	refused 'on_prepare: emulations[0].path' 'the path "/etc/passwd"'
	spec
	vmrun --set post_start_script='touch ran' vm.json
	refused '--set: post_start_script' 'this key'
	vmrun --set com1=/dev/nmdm0A vm.json
	refused '--set: com1' 'the path "/dev/nmdm0A"'
	[ ! -e ran ]
}

@test "on_prepare of a later boot is judged too" {
	script 'exit 0'
	lua 'function vm.on_prepare(spec, boot)
		if boot.boots > 0 then spec.varfile = "/etc/passwd" end
		return spec
	end'
	vmrun vm.lua
	is "$status" 69
	has 'varfile: the sandbox refuses the path "/etc/passwd"'
	is "$(starts)" 1
}

@test "the template beside the firmware is judged by its own name" {
	touch outside
	mkdir vms
	spec '{"bootrom": "X_CODE.fd", "varfile": "vars"}' vms/vm.json
	touch vms/X_CODE.fd
	ln -s ../outside vms/X_VARS.fd
	vmrun -d vms/vm.json
	is "$status" 65
	has 'bootrom: the sandbox refuses the path'
	has 'X_VARS.fd", from which the varfile would be made'
	rm vms/X_VARS.fd
	vmrun -d vms/vm.json
	is "$status" 0
}

@test "words after -- are refused" {
	spec
	vmrun vm.json -- -s '9,virtio-blk,/etc/passwd'
	is "$status" 65
	has '--: the sandbox refuses words for the hypervisor ("-s")'
	[ ! -e starts ]
}

@test "files below the directory of the spec are free, links out of it are not" {
	mkdir -p vms/sub disks
	touch vms/disk vms/sub/disk disks/disk outside
	ln -s ../outside vms/link
	ln -s .. vms/up
	ln -s ../nothing vms/dangling
	ln -s sub/disk vms/inside
	local path
	for path in disk "$PWD/vms/disk" sub/disk ./sub/../disk inside new sub/new; do
		spec "{\"emulations\": [{\"device\": \"virtio-blk\", \"path\": \"$path\"}]}" vms/vm.json
		vmrun vms/vm.json
		is "$status" 0
	done
	rm starts
	for path in link up/outside up/new ../outside "$PWD/outside" dangling sub/../../outside /etc/passwd; do
		spec "{\"emulations\": [{\"device\": \"virtio-blk\", \"path\": \"$path\"}]}" vms/vm.json
		vmrun vms/vm.json
		is "$status" 65
		has 'emulations[0].path: the sandbox refuses the path'
		[ ! -e starts ]
	done
	# The same directory by another name.
	ln -s vms other
	spec '{"emulations": [{"device": "virtio-blk", "path": "disk"}]}' vms/vm.json
	vmrun other/vm.json
	is "$status" 0
}

@test "--allow: a path and what is below it, nothing beside it" {
	mkdir vms data database
	touch data/disk database/disk outside
	ln -s ../outside data/link
	local allow
	spec "{\"emulations\": [{\"device\": \"virtio-blk\", \"path\": \"$PWD/data/disk\"}]}" vms/vm.json
	for allow in "$PWD/data" "$PWD/data/" ./data data/ "$PWD/data/disk" data/../data; do
		vmrun --allow "$allow" vms/vm.json
		is "$status" 0
	done
	rm starts
	for allow in "$PWD/dat" "$PWD/data/dis" "$PWD/vms" data "$PWD/data/disk/x"; do
		vmrun --allow "$allow" vms/vm.json
		refused 'vms/vm.json:9:7: emulations[0].path' "the path \"$PWD/data/disk\""
		has "to allow it, add --allow $PWD/data/disk"
	done
	for allow in database/disk data/link data/../outside; do
		spec "{\"emulations\": [{\"device\": \"virtio-blk\", \"path\": \"$PWD/$allow\"}]}" vms/vm.json
		vmrun --allow "$PWD/data" vms/vm.json
		refused 'emulations[0].path' 'the path'
	done
}

@test "--allow: interfaces, devices and addresses" {
	spec '{"com1": "tcp=127.0.0.1:5000", "com2": "/dev/nmdm7A", "gdb": "10.0.0.1:1234",
		"graphic": {"host": "::", "port": 5901}, "emulations": [{"device": "virtio-net", "name": "tap3"},
			{"device": "passthru", "src": "ppt0"}, {"device": "passthru", "src": "4/0/0"}]}'
	local all=(--allow /dev/nmdm7A --allow 10.0.0.1 --allow '[::]:5901' --allow tap3 --allow ppt0 --allow pci0:4:0:0)
	unchecked+=(--set bhyve.release=15)
	vmrun "${all[@]}" -d vm.json
	is "$status" 0
	local i
	for ((i = 0; i < ${#all[@]}; i += 2)); do
		vmrun "${all[@]:0:i}" "${all[@]:i + 2}" -d vm.json
		is "$status" 65
		is "$(wc -l <err)" 1
	done
	vmrun "${all[@]/10.0.0.1/10.0.0.1:1235}" -d vm.json
	refused 'gdb' 'the address "10.0.0.1:1234"'
	vmrun "${all[@]/5901/5902}" -d vm.json
	refused 'graphic.host' 'the address "[::]:5901"'
	vmrun "${all[@]/tap3/tap}" -d vm.json
	refused 'emulations[0].name' 'the interface "tap3"'
}

@test "--allow without --sandbox, or with nothing, is a usage error" {
	spec
	status=0
	"$VMRUN" --allow /data -d vm.json 2>err || status=$?
	is "$status" 64
	has '--allow requires --sandbox'
	vmrun --allow '' vm.json
	is "$status" 64
	has '--allow needs WHAT, got ""'
}

@test "a hook file outside of the directory is not opened, so that nothing of it is told" {
	mkdir vms
	echo 'root secret' >outside
	ln -s ../outside vms/link.lua
	local hook
	for hook in '"../outside"' "\"$PWD/outside\"" '"link.lua"' '{"use": "../outside"}'; do
		spec "{\"hooks\": [$hook]}" vms/vm.json
		vmrun --allow "$PWD" vms/vm.json
		is "$status" 65
		has 'hooks[0]: the sandbox refuses the hook file'
		lacks secret
	done
	status=0
	"$VMRUN" -d vms/vm.json >out 2>err || status=$?
	has secret # so it is without the sandbox
	# The operator may name any file, which is sandboxed, too.
	echo 'return { on_exit = function() return vmrun.stop(io and 8 or 7) end }' >outside
	spec '{}' vms/vm.json
	vmrun --hook ./outside vms/vm.json
	is "$status" 7
	echo 'return { on_exit = function() return vmrun.stop(6) end }' >vms/inside.lua
	spec '{"hooks": ["inside.lua"]}' vms/vm.json
	vmrun vms/vm.json
	is "$status" 6
}

@test "on_prepare cannot add a hook file from outside" {
	mkdir vms
	echo 'root secret' >outside
	lua 'function vm.on_prepare(spec) spec.hooks = { "../outside" } return spec end'
	mv vm.lua vms
	vmrun vms/vm.lua
	refused 'on_prepare: hooks[0]' 'the hook file'
	lacks secret
}

@test "vmrun.exists knows what is allowed" {
	mkdir vms data
	touch vms/a data/b outside
	ln -s ../outside vms/link
	lua "local function all(...)
		local known = {}
		for _, path in ipairs { ... } do known[#known + 1] = vmrun.exists(path) and 1 or 0 end
		return table.concat(known)
	end
	print('knows', all('a', 'none', '../data/b', '$PWD/data/b', '../outside', 'link', '/etc/passwd', '..', '.'))"
	mv vm.lua vms
	vmrun --allow "$PWD/data" -d vms/vm.lua
	is "$status" 0
	grep -qE '^vmrun: knows.101100001$' err ||
		grep -qE '^vmrun: knows.101100001$' out || { cat err >&2 && false; }
	status=0
	"$VMRUN" -d vms/vm.lua >out 2>err || status=$?
	has 101111111
}

@test "the variables that qemu gets beside bhyve's are judged by their own name" {
	touch outside
	ln -s outside.vars vars.qemu
	mkdir vms
	spec '{"varfile": "vars"}' vms/vm.json
	ln -s ../outside vms/vars.qemu
	vmrun --hypervisor qemu --set bootrom=null -d vms/vm.json
	is "$status" 65
	has 'varfile: the sandbox refuses the path'
	has 'vms/vars.qemu'
	rm vms/vars.qemu
	vmrun --hypervisor qemu --set bootrom=null -d vms/vm.json
	is "$status" 0
}

@test "firmware at its usual place is read, and not written" {
	spec '{"bootrom": "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd"}'
	vmrun -d vm.json
	is "$status" 0
	spec '{"emulations": [{"device": "virtio-blk", "path": "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd"}]}'
	vmrun -d vm.json
	refused 'emulations[0].path' 'the path'
}

@test "UCL that reads other files is refused before uclcmd reads them" {
	mkdir bin
	printf '#!/bin/sh\ntouch ran\necho "{}"\n' >bin/uclcmd
	chmod +x bin/uclcmd
	local text
	for text in '.include "/etc/passwd"' '.try_include "/etc/passwd"' 'a { .load(key=x) "/etc/passwd" }'; do
		echo "$text" >vm.conf
		PATH=$PWD/bin:$PATH vmrun vm.conf
		is "$status" 65
		has 'vm.conf: the sandbox refuses UCL'
		[ ! -e ran ]
	done
	echo 'name = x' >vm.conf
	PATH=$PWD/bin:$PATH vmrun vm.conf
	[ -e ran ]
}

# hook_timeout ends these; they took minutes.
@test "many lines and long paths do not outlast hook_timeout" {
	for code in 'print(("\1\n"):rep(8000000))' 'vmrun.exists(("a/"):rep(1000000))'; do
		lua "vm.hook_timeout = 1 vm.restart_limit = false
			function vm.on_exit() for _ = 1, 4 do $code end end"
		SECONDS=0
		vmrun --sandbox --simulate poweroff vm.lua
		[ "$SECONDS" -lt 100 ]
	done
}

@test "a FIFO in the place of a file blocks nothing" {
	mkfifo pipe
	for keys in '{"graphic": {"password_file": "pipe"}}' '{"varfile": "v", "varfile_template": "pipe"}'; do
		spec "$keys"
		vmrun "${unchecked[@]}" vm.json
		is "$status" 69
	done
	has 'the template'
	has 'is not a regular file'
}

# What the operator names by --hook guards a spec that the operator does not trust.
@test "what a spec does to its libraries changes no hook of the operator" {
	local body
	cat >guard.lua <<-'END'
		assert(not marked)
		local uses = load "return vmrun ~= nil and not marked and string.format('%d', 1)"
		return { on_exit = function(exit)
			local n = 0
			for _, word in ipairs { "x", "y" } do n = n + #word:upper():rep(2) end
			if n == 4 and uses() == "1" and ("a,b"):find(",") == 2 and require("vmrun") == vmrun
				and load("return not marked")() and table.concat({ 1, 2 }) == "12" then
				return vmrun.stop(42)
			end
			print "GUARD FAILED"
		end }
	END
	while IFS= read -r body; do
		lua "marked = true
			vm.hooks = { 'own.lua' }
			local function poison() $body end
			poison()
			function vm.on_exit() poison() end"
		echo 'return { on_exit = function() if not marked then print "OWN HOOK FAILED" end end }' >own.lua
		rm -f starts
		script 'exit 0' 'exit 0'
		vmrun --hook guard.lua vm.lua
		is "$status" 42
		lacks FAILED
	done <<-'END'
		string.upper = function() return "" end
		string.find, string.rep = nil
		setmetatable(string, { __index = error })
		table.concat = function() return "" end
		load = function() return function() return "2" end end
		vmrun.stop = function() return nil end
		require = function() return {} end
		ipairs = function() return function() end end
		setmetatable(_G, { __index = function() return print end })
		rawset(_G, "vmrun", nil)
	END
}

@test "a spec keeps its own libraries while a script of the operator runs between its waits" {
	echo 'assert(not string.own and not pcall(function() return ("a"):own() end)) vmrun.state.go = true' >free.lua
	lua 'function string.own(s) return s .. "!" end
		function vm.on_started()
			repeat vmrun.sleep(0.01) until vmrun.state.go
			assert(("a"):own() == "a!" and load("return string.own")() == string.own)
			print("all well")
		end
		function vm.on_exit() print(("exit"):own()) end'
	script 'acpi on ready up wait exit 1'
	start vm.lua
	await_file up
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" run free.lua 3>&-
	await_text 'all well'
	kill -TERM "$pid"
	ends 0
	has 'exit!'
}

@test "a hook file of the operator that the spec names, too, is loaded for each" {
	echo 'secret = (secret or 0) + 1
		return { on_exit = function() print("loads: " .. secret) end }' >both.lua
	lua "vm.hooks = { 'both.lua' } secret = 10"
	script 'exit 1'
	vmrun --hook both.lua vm.lua
	is "$status" 0
	has 'loads: 11'
	has 'loads: 1'
	is "$(grep -c 'loads: 1$' err)" 1
}

@test "a directory that the guest may write to is refused at its line" {
	spec '{"emulations": [
		{"device": "virtio-9p", "sharename": "a", "path": "."}]}'
	vmrun --sandbox --allow "$PWD" vm.json
	is "$status" 65
	grep -qE '^vm.json:[0-9]+:[0-9]+: emulations\[0\].path: the sandbox refuses ".*", where the guest could replace the spec' err
}

# What both worlds share: the state, the spec's own tables, which vmrun reads, and the views.
@test "no way leads from a spec to the globals of the operator's hooks" {
	local body
	cat >guard.lua <<-'END'
		return { on_exit = function(exit)
			vmrun.state.counter = (vmrun.state.counter or 0) + 1
			if tostring(5) == "5" and string.format("%d", 1) == "1" and vmrun.args.site == "good"
				and vmrun.host.os ~= "EVIL" and not marked then
				return vmrun.stop(42)
			end
			print "GUARD FAILED"
		end }
	END
	while IFS= read -r body; do
		lua "local evil = 'marked = true tostring = function() return \"\" end string.format = tostring'
			$body"
		rm -f starts
		script 'exit 0' 'exit 0'
		vmrun --arg site=good --hook guard.lua vm.lua
		is "$status" 42
		lacks FAILED
	done <<-'END'
		function vm.on_exit() setmetatable(vmrun.state, { __newindex = function(t, k, v) load(evil)() rawset(t, k, v) end }) end
		setmetatable(vm, { __index = function() load(evil)() end }) vm.targets = { default = { on_exit = function() end } }
		rawset(vmrun.args, "site", "EVIL") rawset(vmrun.host, "os", "EVIL") rawset(vmrun.env, "x", "EVIL")
	END
}
