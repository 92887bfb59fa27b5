#!/usr/bin/env bats
# --arg KEY=VALUE: what vmrun.args has, in the spec and in its hooks.
# shellcheck disable=SC2034,SC2154 # unchecked, vm, pid and status: common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

@test "one file, many VMs" {
	local words
	cat >vm.lua <<-END
		local args = vmrun.args
		return { name = "$vm" .. args.number, cpu = tonumber(args.cpu or 1), mem = args.mem or "64M", bootrom = "$rom" }
	END
	vmrun -d --arg number=7 --arg mem=128M --arg=cpu=2 vm.lua
	is "$status" 0
	words=$(cat out)
	is "${words##* }" "${vm}7"
	has ' -m 128M ' out
	has ' -c cpus=2,' out
	vmrun --debug --arg number=8 vm.lua
	is "$(jq -r '.name, .mem' out)" "$(printf '%s8\n67108864' "$vm")"
	vmrun --debug vm.lua
	is "$status" 65
	has "attempt to concatenate a nil value (field 'number')"
}

@test "strings, the last of a key; a missing one is nil, and writing raises" {
	lua 'local seen = {}
		for key, value in pairs(vmrun.args) do seen[#seen + 1] = key .. "<" .. value .. ">" end
		table.sort(seen)
		print("all " .. table.concat(seen, " "))
		print("types", type(vmrun.args.a), vmrun.args.nope, vmrun.args[1], vmrun.args[""])
		print("write", pcall(function() vmrun.args.a = "x" end))
		print("new", pcall(function() vmrun.args.b = "x" end))
		print("meta", pcall(setmetatable, vmrun.args, {}))
		print("still", vmrun.args.a, vmrun.args.b)'
	vmrun -d --arg a=1 --arg empty= --arg 'odd-_9==x "y" é' --arg a=2 --arg _=0x10 vm.lua
	is "$status" 0
	has 'all _<0x10> a<2> empty<> odd-_9<=x "y" é>'
	has "$(printf 'types\tstring\tnil\tnil\tnil')"
	grep -q "write.false.*vmrun.args is read-only" err
	grep -q "new.false.*vmrun.args is read-only" err
	grep -q "meta.false.*cannot change a protected metatable" err
	has "$(printf 'still\t2\tnil')"
	vmrun -d vm.lua
	is "$status" 0
	grep -qx 'vmrun: all ' err
}

@test "in every hook, of every file, in the sandbox too" {
	local how
	local -a options
	cat >vm.lua <<-END
		local vm = { name = "$vm", cpu = 1, mem = "64M", bootrom = "$rom" }
		for _, hook in ipairs { "on_prepare", "on_start", "on_started", "on_exit", "on_end" } do
			vm[hook] = function() print(hook .. " of the spec: " .. vmrun.args.word) end
		end
		return vm
	END
	echo 'return { on_exit = function() print("on_exit of a file: " .. vmrun.args.word) end }' >hook.lua
	for how in '' --sandbox; do
		script 'exit 1'
		rm -f starts
		options=()
		[ -z "$how" ] || options=(--sandbox --allow "$rom")
		vmrun "${options[@]}" --arg word=ok --hook hook.lua vm.lua
		is "$status" 0
		is "$(sed -n 's/^vmrun: \(on_.*: ok\)$/\1/p' err)" 'on_prepare of the spec: ok
on_start of the spec: ok
on_started of the spec: ok
on_exit of the spec: ok
on_exit of a file: ok
on_end of the spec: ok'
	done
	vmrun --simulate poweroff --arg word=dry vm.lua
	is "$status" 0
	has 'on_exit of the spec: dry'
	unchecked=()
	vmrun --check --arg word=dry vm.lua
	has 'on_prepare of the spec: dry'
}

@test "hooks of a spec in JSON" {
	echo 'return { on_exit = function() return vmrun.stop(tonumber(vmrun.args.status)) end }' >hook.lua
	spec '{"hooks": ["hook.lua"]}'
	script 'exit 1'
	vmrun --arg status=33 vm.json
	is "$status" 33
}

@test "the same after a reload" {
	lua 'print("read with " .. vmrun.args.word)
		function vm.on_exit() print("asked with " .. vmrun.args.word) end'
	script 'acpi on ready up wait exit 1'
	start --arg word=kept vm.lua
	await_file up
	await_text 'runs under'
	kill -HUP "$pid"
	await_text 'spec reloaded'
	is "$(grep -c 'read with kept' err)" 2
	kill -TERM "$pid"
	ends 0
	has 'asked with kept'
}

@test "a malformed KEY or none: 64" {
	local word
	spec
	for word in = =x x 9=1 -=1 -a=1 'a b=1' a.b=1 'é=1' 'a '; do
		vmrun -d "--arg=$word" vm.json
		is "$status" 64
		has '--arg takes KEY=VALUE with a KEY of letters, digits, _ and -, the first a letter or _, got'
		has "got \"$word\""
	done
	vmrun -d vm.json --arg
	is "$status" 64
	has '--arg needs KEY=VALUE'
}
