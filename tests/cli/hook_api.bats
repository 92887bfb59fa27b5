#!/usr/bin/env bats
# The functions of the `vmrun` table of hooks: right uses, and wrong ones with their messages.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	unchecked+=(--state-dir "$PWD/state")
}

teardown() {
	common_teardown
}

# hook BODY: runs a VM with this on_exit(exit) and a target a
hook() {
	lua "vm.targets = { a = { mem = '128M' } }
		function vm.on_exit(exit)
$1
		end"
	rm -f starts
	script 'exit 3' 'exit 1'
	vmrun vm.lua
}

# wrong TEXT EXPRESSION...: checks that each expression fails the hook at its line with this text
wrong() {
	local text=$1 expression
	shift
	for expression in "$@"; do
		hook "$expression"
		is "$status" 3
		has "on_exit of vm.lua failed, the next hook or the declared policy decides: vm.lua:4: $text"
		has 'stack traceback:'
	done
}

@test "boot" {
	hook 'if exit.boots == 1 then return vmrun.boot() end'
	is "$(starts)" 2
	hook 'if exit.boots == 1 then return vmrun.boot("a") end'
	is "$(tail -n 1 starts | jq -r '.argv | .[index("-m") + 1]')" 128M
	hook 'if exit.boots == 1 then return vmrun.boot(nil, { delay = 0 }) end'
	is "$(starts)" 2
	hook 'if exit.boots == 1 then return vmrun.boot("default", {}) end'
	is "$(starts)" 2
	wrong 'vmrun.boot: the target is a string, not a number' 'x = vmrun.boot(5)'
	wrong 'vmrun.boot: the target is a string, not a' 'x = vmrun.boot({ "a" })' 'x = vmrun.boot(true)'
	wrong 'vmrun.boot: the options are a table' 'x = vmrun.boot("a", 5)'
	wrong 'vmrun.boot: unknown option dely: expected delay' 'x = vmrun.boot("a", { dely = 1 })'
	wrong 'vmrun.boot: delay is a number of seconds from 0' 'x = vmrun.boot("a", { delay = -1 })' \
		'x = vmrun.boot("a", { delay = "1" })' 'x = vmrun.boot("a", { delay = 0 / 0 })' \
		'x = vmrun.boot("a", { delay = math.huge })'
	hook 'return vmrun.boot("b")'
	is "$status" 3
	has 'on_exit: unknown target "b"'
}

@test "stop" {
	hook 'return vmrun.stop()'
	is "$status" 3
	hook 'return vmrun.stop(0)'
	is "$status" 0
	hook 'return vmrun.stop(255)'
	is "$status" 255
	hook 'return vmrun.stop(5.0)'
	is "$status" 5
	wrong 'vmrun.stop: the status is an integer from 0 to 255' 'x = vmrun.stop(-1)' \
		'x = vmrun.stop(256)' 'x = vmrun.stop(1.5)' 'x = vmrun.stop("1")' 'x = vmrun.stop({})'
	wrong 'what vmrun.stop() returns is read-only' 'local a = vmrun.stop(9) a.status = 10 return a'
	hook 'return setmetatable({}, getmetatable(vmrun.stop(9)))'
	is "$status" 3
	has 'on_exit of vm.lua failed'
}

@test "log" {
	hook 'vmrun.log("info", "plain") vmrun.log("warning", "careful") vmrun.log("error", 5)
		vmrun.log("debug", "unseen") vmrun.log("info", nil) vmrun.log("info", "two\nlines")
		vmrun.log("info", "bell\a \27[2J") vmrun.log("info", ("x"):rep(100000))'
	is "$status" 3
	lacks 'on_exit of vm.lua failed'
	grep -qx 'vmrun: plain' err
	grep -qx 'vmrun: warning: careful' err
	grep -qx 'vmrun: error: 5' err
	grep -qx 'vmrun: nil' err
	grep -qx 'vmrun: lines' err
	grep -qxF 'vmrun: bell? ?[2J' err
	lacks unseen
	[ "$(grep -o xxxx err | wc -l)" = 2000 ]
	wrong 'vmrun.log: unknown level loud: expected error, warning, info or debug' 'vmrun.log("loud", "x")'
	wrong 'vmrun.log: unknown level' 'vmrun.log()' 'vmrun.log(5, "x")'
}

@test "event" {
	hook 'vmrun.event { b = { 1, 2.5, true }, a = "x\n\27", n = vmrun.null } vmrun.event {} vmrun.event { 1 }'
	lacks 'on_exit of vm.lua failed'
	grep -qE "^vmrun: $vm: event of on_exit of vm.lua: "'\{"a":"x\\n\\u001b","b":\[1,2.5,true\],"n":null\}$' err
	grep -qE "^vmrun: $vm: event of on_exit of vm.lua: "'\{\}$' err
	grep -qE "^vmrun: $vm: event of on_exit of vm.lua: "'\[1\]$' err
	lua 'vmrun.event { at = "start" }'
	vmrun vm.lua
	grep -qE '^vmrun: .*: event: {"at":"start"}$' err
	lua 'vmrun.event { at = "start" } vm.name = nil'
	vmrun vm.lua
	is "$status" 65
	grep -qx 'vmrun: event: {"at":"start"}' err
	wrong 'vmrun.event takes a table, not a string' 'vmrun.event("x")'
	wrong 'vmrun.event takes a table, not nothing' 'vmrun.event()'
	wrong 'vmrun.event.f: a function is not plain data' 'vmrun.event { f = print }'
	wrong 'vmrun.event.a[1]: an infinite number' 'vmrun.event { a = { 1, math.huge } }'
	wrong 'vmrun.event.a: a list with gaps ([2] is nil) is not plain data' 'vmrun.event { a = { 1, nil, 3 } }'
	wrong 'vmrun.event: a table with both' 'vmrun.event { 1, x = 1 }'
	wrong 'vmrun.event.t.t.t' 'local t = {} t.t = t vmrun.event(t)'
	wrong 'vmrun.event: more than 8192 bytes as JSON' 'vmrun.event { ("x"):rep(8200) }'
}

@test "state" { # state.bats has the rest
	hook 'vmrun.state.n = 1 assert(vmrun.state == vmrun.state and rawget(vmrun, "state") == nil)'
	lacks 'on_exit of vm.lua failed'
	wrong 'vmrun.state is a table; vmrun.state = {} empties it' 'vmrun.state = 5' 'vmrun.state = nil'
}

# A command with a gap, from a variable that is nil, would be another command.
@test "exec: a list with gaps raises, and nothing runs" {
	wrong 'vmrun.exec: word 3 is nil, and there are words after it' \
		'vmrun.exec { "touch", "ran", nil, "x" }' 'vmrun.exec { "touch", "ran", [4] = "x" }' \
		'local t = { "touch", "ran" } t[5] = "x" vmrun.exec(t)'
	wrong 'vmrun.exec: word 1 is nil' 'vmrun.exec { nil, "touch", "ran" }'
	wrong 'vmrun.exec: word 3 is null, not a string' 'vmrun.exec { "touch", "ran", vmrun.null, "x" }'
	[ ! -e ran ]
	hook 'print("ends with", vmrun.exec { "true", nil }, vmrun.exec { "sh", "-c", "exit 7", nil, timeout = 5 })'
	has 'ends with	0	7'
}

@test "save" {
	hook 'print("saved", vmrun.save()) vmrun.state.n = 1 print("saved", vmrun.save())
		print("on disk", io.open("state/'"$vm"'/state.json"):read("a"):gsub("%s", ""))'
	lacks 'on_exit of vm.lua failed'
	grep -qE '^vmrun: saved.true$' err
	grep -qE '^vmrun: on disk.\{"n":1\}.' err
	hook 'vmrun.state.f = print print("saved", vmrun.save()) vmrun.state.f = nil'
	lacks 'on_exit of vm.lua failed'
	grep -qE '^vmrun: saved.nil.vm.lua:4: vmrun.state.f: a function is not plain data' err
	lua 'print("in the chunk", vmrun.save())'
	vmrun vm.lua
	is "$status" 0
	grep -qE '^vmrun: in the chunk.nil.*vmrun.state is there in hooks only' err
}

@test "exists" {
	touch here
	mkdir -p directory
	echo 'return { on_start = function() print("beside", vmrun.exists("hook.lua"), vmrun.exists("vm.lua")) end }' >directory/hook.lua
	hook 'print("found", vmrun.exists("here"), vmrun.exists("gone"), vmrun.exists("/"), vmrun.exists("'"$PWD"'/here"))
		print("directory", vmrun.exists("directory"), vmrun.exists(""), vmrun.exists("here/x"))'
	grep -qE '^vmrun: found.true.false.true.true$' err
	grep -qE '^vmrun: directory.true.true.false$' err
	wrong 'vmrun.exists: the path is a string, not a number' 'vmrun.exists(5)'
	wrong 'vmrun.exists: the path is a string, not nothing' 'vmrun.exists()'
	wrong 'vmrun.exists: the path has a NUL in it' 'vmrun.exists("here\0x")'
	lua 'vm.hooks = { "directory/hook.lua" }'
	vmrun vm.lua
	grep -qE '^vmrun: beside.true.false$' err
}

@test "firmware" {
	wrong 'unknown kind of firmware "uef", did you mean "uefi"? (known: uefi, code, vars, u-boot)' 'vmrun.firmware("uef")'
	wrong 'unknown kind of firmware ""' 'vmrun.firmware("")'
	wrong 'vmrun.firmware takes a kind of firmware, not nothing' 'vmrun.firmware()'
	wrong 'vmrun.firmware takes a kind of firmware, not a number' 'vmrun.firmware(5)'
	hook 'for _, kind in ipairs { "uefi", "code", "vars", "u-boot" } do print(kind, vmrun.firmware(kind)) end'
	lacks 'on_exit of vm.lua failed'
	local kind
	for kind in uefi code vars u-boot; do # whichever of the two this host has
		grep -qE "^vmrun: $kind.(/usr/local/share/.*|nil.no firmware of the kind $kind is installed: missing /usr/local/share/.*)\$" err
	done
	lua 'for _, kind in ipairs { "uefi", "code", "vars", "u-boot" } do print(kind, vmrun.firmware(kind)) end'
	"$VMRUN" -d vm.lua >out 2>err
	has 'uefi	/usr/local/share/'
	has 'BHYVE_UEFI.fd'
	has 'BHYVE_UEFI_CODE.fd'
	has 'BHYVE_UEFI_VARS.fd'
	has 'u-boot-bhyve-arm64/u-boot.bin'
	"$VMRUN" -d --hypervisor qemu vm.lua >out 2>err
	grep -qE '^vmrun: code./usr/.*(OVMF_CODE|edk2-x86_64-code)' err
	grep -qE '^vmrun: u-boot./usr/.*(QEMU_EFI|edk2-aarch64-code)' err
}

@test "merge" {
	hook 'local a = { x = 1, o = { p = 1, q = { 1 } }, l = { 1, 2 } }
		local m = vmrun.merge(a, { x = vmrun.null, o = { q = { 2, 3 }, r = 1 }, l = {} })
		print("merged", m.x, m.o.p, #m.o.q, m.o.r, #m.l, a.x, #a.o.q, #a.l)'
	grep -qE '^vmrun: merged.nil.1.2.1.0.1.1.2$' err
	wrong 'vmrun.merge takes two tables with named keys' 'vmrun.merge({ 1 }, {})' 'vmrun.merge({})' \
		'vmrun.merge({}, 5)' 'vmrun.merge()' 'vmrun.merge("a", "b")'
	hook 'local t = {} t.t = t vmrun.merge({}, t)'
	has 'nested deeper than 64 levels'
}

@test "include" {
	mkdir directory
	echo 'return { n = ... }' >directory/part.lua
	echo 'return vmrun.include("inner.lua")' >outer.lua
	echo 'return 7, 8' >inner.lua
	echo 'return return' >syntax.lua
	echo 'error("inside")' >raises.lua
	printf '\033Lua' >bytes.lua
	hook 'print("got", vmrun.include("directory/part.lua").n, vmrun.include("outer.lua"))'
	grep -qE '^vmrun: got.nil.7.8$' err
	wrong 'vmrun.include: the path is a string, not nothing' 'vmrun.include()'
	wrong 'vmrun.include: the path is a string, not an object' 'vmrun.include { file = "x" }'
	wrong 'vmrun.include "gone.lua": ' 'vmrun.include("gone.lua")'
	has 'No such file or directory'
	wrong 'vmrun.include "syntax.lua": ' 'vmrun.include("syntax.lua")'
	has 'syntax.lua:1: '
	wrong 'vmrun.include "directory": ' 'vmrun.include("directory")'
	wrong 'vmrun.include "bytes.lua": ' 'vmrun.include("bytes.lua")'
	hook 'vmrun.include("raises.lua")'
	has 'raises.lua:1: inside'
	has 'vm.lua:4: in'
}

@test "env and host" {
	export FROM_OUTSIDE=value
	hook 'print("env", vmrun.env.FROM_OUTSIDE, vmrun.env.NOT_THERE, vmrun.env[5], vmrun.env[""])
		print("host", vmrun.host.os, math.type(vmrun.host.release), vmrun.host.hypervisor)'
	grep -qE '^vmrun: env.value.nil.nil.nil$' err
	grep -qE "^vmrun: host.$(uname -s).integer.bhyve\$" err
	wrong 'vmrun.env is read-only' 'vmrun.env.X = 1'
	hook 'setmetatable(vmrun.env, {})'
	has 'cannot change a protected metatable'
}

@test "null" {
	lua 'vm.targets = { a = { mem = "128M", hooks = vmrun.null } }
		function vm.on_exit() print("null", vmrun.null == nil, type(vmrun.null), vmrun.null == vmrun.null) end'
	vmrun -t a vm.lua
	grep -qE '^vmrun: null.false.userdata.true$' err
}

@test "options" { # test_options.c has the rest
	hook 'print("got", vmrun.options({ n = 2 }, { n = { "count" }, t = { "target", default = "a" } }).t)'
	has 'got	a'
	wrong 'option "n": expected an integer of at least 1, got "x"; unknown option "m" (known: n)' \
		'vmrun.options({ n = "x", m = 1 }, { n = { "count" } })'
	wrong 'missing option "n": expected a string' 'vmrun.options({}, { n = { "string", required = true } })'
	wrong 'vmrun.options: the kind of n is "text"; there is: boolean,' 'vmrun.options({}, { n = { "text" } })'
	wrong 'vmrun.options takes the options of a hook' 'vmrun.options()' 'vmrun.options({})'
}

@test "vmrun.include: JSON, as a table" {
	spec '{"cpu": 3, "hooks": [], "targets": {"x": {"next_target": null, "mem": "65M"}}}' base.json
	printf 'local vm = vmrun.include("base.json")\nprint(#vm.hooks, vm.targets.x.next_target == vmrun.null)\nreturn vm\n' >vm.lua
	vmrun -d vm.lua
	is "$status" 0
	has '0	true'
	[[ "$(cat out)" == *'-c cpus=3,'* ]]
	printf '{"cpu": 3,\n "cpu": 4}' >base.json
	vmrun -d vm.lua
	is "$status" 65
	has "vmrun.include: $PWD/base.json:2:2: duplicate key"
	printf '{"cpu": 3,\n // x\n}' >base.json
	vmrun -d vm.lua
	has "vmrun.include: $PWD/base.json:2:2: JSON has no comments"
	printf ' \n' >base.json
	vmrun -d vm.lua
	has "vmrun.include: $PWD/base.json: the file is empty"
	printf '{"a": 1}\0' >base.json
	vmrun -d vm.lua
	has 'base.json:1:9: a NUL byte'
	rm base.json
	vmrun -d vm.lua
	has "cannot open $PWD/base.json"
	printf '{}' >base.json
	vmrun --sandbox -d vm.lua
	has 'vmrun.include: not in the sandbox'
}

# The guard that every script has: what cannot go wrong where nothing is started must not fail there.
@test "exec where nothing is started: succeeds, and is named; --exec-result says otherwise" {
	lua 'local function must(...)
			local status, out, err = vmrun.exec { ... }
			if status ~= 0 then error(status .. err .. out) end
		end
		must("touch", "chunk")
		function vm.on_prepare() must("touch", "prepare") must("touch", "prepare") end
		function vm.on_start() must("touch", "start") end
		function vm.on_exit() must("touch", "exit") end
		print("dry", vmrun.dry_run)'
	local option
	for option in -d --debug --check '--print argv' '--print spec' '--print bhyve_config' '--simulate poweroff'; do
		unchecked=()
		# shellcheck disable=SC2086 # two words
		vmrun $option vm.lua
		[ "$status" = 0 ] || [ "$option" = --check ]
		has 'dry	true'
		is "$(grep -c 'not run: touch chunk' err)" 1
		is "$(grep -c 'not run: touch prepare' err)" 2
		[ ! -e chunk ] && [ ! -e prepare ]
	done
	has 'not run: touch start'
	has 'not run: touch exit'
	vmrun --print graph vm.lua
	is "$status" 0
	is "$(grep -c 'not run: touch chunk' err)" 1
	vmrun -d --exec-result 3 vm.lua
	is "$status" 65
	has 'vm.lua:4: 3'
	lua 'function vm.on_exit() print("status", vmrun.exec { "false" }) end'
	vmrun --simulate poweroff --exec-result 255 vm.lua
	is "$status" 0
	has 'status	255		'
	unchecked=(--no-requirement-check)
	script 'exit 1'
	vmrun vm.lua
	has 'status	1		'
	lua 'print("dry", vmrun.dry_run)'
	vmrun vm.lua
	has 'dry	false'
}

@test "--exec-result is a status, where nothing is started" {
	spec
	local value
	for value in 256 -1 x 1.5 99999999999999999999; do
		vmrun -d --exec-result "$value" vm.json
		is "$status" 64
		has 'exec-result'
	done
	vmrun --exec-result 1 vm.json
	is "$status" 64
	has '--exec-result is only for --check, --debug, --dry-run, --print and --simulate'
}

@test "sleep where nothing is started moves a clock" {
	lua 'local before = os.time()
		vmrun.sleep(7200)
		print("chunk", os.time() - before >= 7200)
		function vm.on_prepare() vmrun.sleep(3600) print("prepare", os.time() - before >= 10800) end
		function vm.on_exit() print("exit", os.time() - before >= 10800 + 90) end'
	vmrun -d vm.lua
	is "$status" 0
	has 'chunk	true'
	has 'prepare	true'
	vmrun --simulate poweroff@90 vm.lua
	has 'prepare	true'
	has 'exit	true'
}

@test "save where nothing is started writes nothing and is fine" {
	lua 'print("chunk", vmrun.save())
		function vm.on_exit() vmrun.state.n = 1 print("exit", vmrun.save()) end'
	vmrun --simulate poweroff vm.lua
	is "$status" 0
	has 'chunk	true'
	has 'exit	true'
	[ ! -e state ]
}

@test "exec runs in the spec's directory, with cwd and env" {
	mkdir -p specs/sub
	# shellcheck disable=SC2016 # for the command
	lua 'local function told(name, command) print(name, vmrun.exec(command)) end
		local function show(name) return { "sh", "-c", "pwd; echo ${A-unset} ${HOME-unset}", name } end
		local c = show() told("default", c)
		c.cwd = "sub" told("sub", c)
		c.cwd = "/" c.env = { A = "a=b", HOME = false } told("root", c)
		told("program", { "./here" })
		told("program", { "./here", cwd = "sub" })
		told("gone", { "true", cwd = "no/such" })
		print("dirs", vmrun.dir, vmrun.run_dir, vmrun.state_dir)'
	mv vm.lua specs
	printf '#!/bin/sh\necho in specs\n' >specs/here
	printf '#!/bin/sh\necho in sub\n' >specs/sub/here
	chmod +x specs/here specs/sub/here
	A=outer vmrun specs/vm.lua
	is "$status" 0
	tr '\t\n' '  ' <err >flat
	grep -qF "default 0 $PWD/specs vmrun: outer $PWD " flat
	grep -qF "sub 0 $PWD/specs/sub vmrun: outer $PWD " flat
	grep -qF "root 0 / vmrun: a=b unset " flat
	grep -qF "program 0 in specs " flat
	grep -qF "program 0 in sub " flat
	grep -qE "gone nil .*true: cannot be started in $PWD/specs/no/such: No such file or directory" flat
	grep -qF "dirs $PWD/specs $BATS_RUN_TMPDIR/run $PWD/state " flat
	echo 'return { on_end = function() print("hook file", vmrun.exec { "pwd" }) end }' >specs/sub/hook.lua
	spec '{"hooks": ["sub/hook.lua"]}' specs/vm.json
	vmrun specs/vm.json
	has "hook file	0	$PWD/specs"
}

@test "an event may hold parts of exit" {
	hook 'vmrun.event { history = exit.history, count = exit.count, host = vmrun.host }'
	lacks 'on_exit of vm.lua failed'
	has '"triple_fault":1'
	has '"history":[{"cause":"triple_fault","ended_by":"guest","status":3,"target":"default","uptime":0'
	has '"hypervisor":"bhyve"'
	wrong 'vmrun.event.window: a function is not plain data' 'vmrun.event(exit)'
}

@test "typos of members, and an on_prepare whose changes are lost" { # test_hooks.c has the rest
	wrong 'exit has no member "caus", did you mean "cause"?' 'return exit.caus == "error"'
	wrong 'exit.count has no member "tripple_fault", did you mean "triple_fault"?' 'x = exit.count.tripple_fault'
	wrong 'vmrun has no member "exce", did you mean "exec"?' 'vmrun.exce { "true" }'
	lua 'function vm.on_prepare(spec) spec.mem = "128M" end
		function vm.on_exit(exit) return exit.boots < 3 end'
	rm -f starts
	script 'exit 0' 'exit 0' 'exit 0'
	vmrun vm.lua
	is "$(starts)" 3
	is "$(grep -c 'warning: on_prepare of vm.lua changed the spec and returned nothing' err)" 1
	has 'end it with "return spec"'
}

@test "a script that waits for ever where nothing is started" {
	local body='for i = 1, 1000 do vmrun.sleep(0) end print("thousand")
		while vmrun.exec { "test", "-e", "x" } ~= 0 do vmrun.sleep(1) end'
	lua "$body"
	vmrun -d --exec-result 1 vm.lua
	is "$status" 65
	has 'thousand'
	has 'vmrun.exec: this call has waited 1000 times where nothing is started'
	lua "local function wait() $body end
		function vm.on_exit() wait() end
		function vm.on_started() wait() end"
	vmrun --simulate poweroff@7,poweroff --exec-result 1 vm.lua
	is "$status" 0
	is "$(cut -f 2-4 out | tr '\t' ' ')" 'default poweroff stop'
	is "$(grep -c 'failed, the next hook or the declared policy' err)" 1
	has 'on_exit of vm.lua failed'
	lua 'function vm.on_started() while vmrun.sleep(0) do end print("returns") end'
	vmrun --simulate reboot@7,poweroff vm.lua
	is "$(cut -f 3,4 out | tr '\t' ' ' | paste -sd, -)" 'reboot boot,poweroff stop'
	is "$(grep -c returns err)" 2
	lacks failed
	lua 'function vm.on_started() while true do vmrun.sleep(0) end end'
	vmrun --simulate reboot@7,poweroff vm.lua
	is "$(cut -f 3,4 out | tr '\t' ' ' | paste -sd, -)" 'reboot boot,poweroff stop'
	is "$(grep -c 'on_started of vm.lua failed: still runs after the end of its boot' err)" 2
}

@test "read-only tables can be walked, merged and kept as others" {
	lua 'vm.emulations = { { device = "virtio-rnd", slot = 3 }, { device = "virtio-rnd", slot = 4 } }
		function vm.on_start(boot)
			local devices, n = boot.spec.emulations, 0
			for i in ipairs(devices) do n = n + i end
			print("walked", #devices, n, next(devices), next(boot.devices) ~= nil)
			local merged = vmrun.merge(boot.spec, { mem = "1G", devices = boot.devices })
			print("merged", merged.mem, merged.name == boot.vm, #merged.emulations,
				rawget(merged.emulations[2], "slot"), rawget(merged.devices, "virtio-rnd-1").slot)
			merged.emulations[1].slot = "mine"
			local above = vmrun.merge({ emulations = { 1, 2, 3 }, mem = 1 }, boot.spec)
			print("above", above.mem, #above.emulations, devices[1].slot)
			print("exec", select(2, pcall(vmrun.exec, devices)))
		end
		function vm.on_exit(exit) print("counts", vmrun.merge(exit.count, {}).poweroff) end'
	script 'exit 1'
	vmrun vm.lua
	is "$status" 0
	has "walked	2	3	1	true"
	has "merged	1G	true	2	0:4:0	0:4:0"
	has "above	67108864	2	0:3:0"
	has "word 1 is an object, not a string"
	has "counts	1"
}

@test "an empty list of boot.spec is read-only, and stays a list" {
	lua 'function vm.on_start(boot)
			local list = boot.spec.emulations
			print("write", pcall(function() list[1] = "mine" end))
			print("still", #list, next(list), list == boot.spec.emulations)
			vmrun.event { list = list }
		end'
	script 'exit 1'
	vmrun vm.lua
	is "$status" 0
	has 'write	false	vm.lua:4: boot is read-only'
	has 'still	0	nil	true'
	has '{"list":[]}'
}

@test "functions of vmrun take read-only tables as options" {
	hook 'print("options", vmrun.options(vmrun.args, { count = { "string" } }).count)
		for _, f in ipairs {
			function() return vmrun.options(vmrun.args, {}) end,
			function() return vmrun.expect("x", vmrun.args) end,
			function() return vmrun.request("reboot", vmrun.args) end,
			function() return vmrun.options({}, vmrun.args) end,
		} do print("refused", select(2, pcall(f))) end'
	vmrun --arg count=3 vm.lua
	is "$status" 0
	has 'options	3'
	is "$(grep -c 'refused	vm.lua:[0-9]*:.* option "*count' err)" 3
}

@test "an on_prepare may put a read-only table into the spec" {
	lua 'local kept
		vm.restart_limit = false
		vm.qemu = { accel = "tcg" }
		function vm.on_start(boot) kept = boot.spec.qemu end
		function vm.on_prepare(spec) if kept then spec.qemu = kept return spec end end'
	cat >second.lua <<-'END'
		return { on_prepare = function(spec) print("accel", spec.qemu and spec.qemu.accel) end }
	END
	sed -i 's/^return vm/vm.hooks = { "second.lua" } return vm/' vm.lua
	script 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 0
	is "$(grep -c 'accel	tcg' err)" 2
	lacks 'changed the spec'
}
