#!/usr/bin/env bats
# Stock hooks by name, --hook, and the order in which hooks are called.
# shellcheck disable=SC2154 # vm and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# hook NAME [ANSWER]: writes a hook file NAME.lua that prints its name
hook() {
	echo "return { on_exit = function() print('asked $1') return ${2:-nil} end }" >"$1.lua"
}

asked() {
	sed -n 's/^vmrun: asked //p' err | paste -sd' ' -
}

@test "target, spec, hooks, then --hook, in their order" {
	hook one
	hook two
	hook three
	hook four
	lua 'vm.hooks = { "one.lua", "two.lua" }
		function vm.on_exit() print("asked spec") end
		vm.targets = { t = { on_exit = function() print("asked target") end } }'
	script 'exit 1'
	vmrun -t t --hook three.lua --hook=./four.lua vm.lua
	is "$status" 0
	is "$(asked)" 'target spec one two three four'
	script 'exit 1'
	vmrun --hook four.lua --hook three.lua vm.lua
	is "$(asked)" 'spec one two four three'
}

@test "the first answer is the last that is asked for" {
	hook one
	hook two 'vmrun.stop(7)'
	hook three 'vmrun.stop(8)'
	spec '{"hooks": ["one.lua"]}'
	script 'exit 0'
	vmrun --hook two.lua --hook three.lua vm.json
	is "$status" 7
	is "$(asked)" 'one two'
	has 'on_exit of two.lua'
}

@test "--hook holds where a target replaces hooks, and for a spec without any" {
	hook one
	hook two
	hook three
	spec '{"hooks": ["one.lua"], "targets": {"t": {"hooks": ["two.lua"]}, "none": {"hooks": []},
		"null": {"hooks": null}}}'
	script 'exit 1' 'exit 1' 'exit 1'
	vmrun -t t --hook three.lua vm.json
	is "$(asked)" 'two three'
	vmrun -t none --hook three.lua vm.json
	is "$(asked)" 'three'
	vmrun -t null --hook three.lua vm.json
	is "$(asked)" 'three'
	spec
	vmrun --hook three.lua vm.json
	is "$(asked)" 'three'
}

@test "--hook holds after on_prepare has changed the spec too" {
	hook three
	lua 'function vm.on_prepare(spec) spec.mem = "128M" spec.hooks = nil return spec end'
	script 'exit 1'
	vmrun --hook three.lua vm.lua
	is "$status" 0
	is "$(asked)" three
	echo 'return { on_prepare = function(spec) spec.mem = "256M" return spec end }' >more.lua
	vmrun -d --hook more.lua vm.lua
	is "$status" 0
	has ' -m 256M ' out
}

@test "--hook starts from the cwd, hooks from the directory of the spec" {
	mkdir sub
	hook one
	mv one.lua sub
	hook two
	spec '{"hooks": ["one.lua"]}' sub/vm.json
	script 'exit 1'
	vmrun --hook two.lua sub/vm.json
	is "$status" 0
	is "$(asked)" 'one two'
	vmrun --hook "$PWD/sub/one.lua" sub/vm.json
	is "$(asked)" 'one one'
}

@test "a hook keeps its state from boot to boot, and each use has its own" {
	cat >count.lua <<-'END'
		return function(options)
			local count = 0
			return { on_exit = function()
				count = count + (options.step or 1)
				print("asked " .. count)
				if options.last then return vmrun.boot() end
			end }
		end
	END
	spec '{"hooks": ["count.lua", {"use": "count.lua", "step": 10, "last": true}],
		"targets": {"t": {}}, "next_target": "t", "restart_limit": {"count": 2, "within": 3600}}'
	script 'exit 0' 'exit 0' 'exit 0'
	vmrun vm.json
	is "$(asked)" '1 10 2 20 3 30 4 40'
}

@test "a stock hook by name, alone, with options, and by --hook" {
	spec '{"hooks": ["rescue_after"], "targets": {"rescue": {}}}'
	script 'exit 3' 'exit 3' 'exit 3' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 4
	has '(on_exit of rescue_after)'
	spec '{"hooks": [{"use": "backoff", "initial": 0}]}'
	script 'exit 3' 'exit 1'
	vmrun vm.json
	is "$status" 0
	spec '{"targets": {"rescue": {}}}'
	script 'exit 3' 'exit 3' 'exit 3' 'exit 1'
	vmrun --hook rescue_after vm.json
	is "$status" 0
	has '(on_exit of rescue_after)'
}

@test "a file with the name of a stock hook is named with its directory" {
	echo 'return { on_exit = function() return vmrun.stop(9) end }' >backoff
	spec '{"hooks": ["./backoff"]}'
	script 'exit 1'
	vmrun vm.json
	is "$status" 9
	spec '{"hooks": ["backoff"]}'
	vmrun vm.json
	is "$status" 0
}

@test "an unknown stock hook: its place, what was meant, and what there is" {
	local list='(known: ab_upgrade, backoff, daily_window, install_once, notify, rescue_after;'
	spec '{"hooks": ["rescue_aftr"]}'
	vmrun vm.json
	is "$status" 65
	grep -qE '^vm.json:[0-9]+:[0-9]+: hooks\[0\]: unknown stock hook "rescue_aftr", did you mean "rescue_after"' err
	has "$list a file is named with its extension or a \"/\")"
	spec '{"targets": {"t": {"hooks": ["x", {"use": "y"}]}}}'
	vmrun vm.json
	is "$status" 65
	is "$(wc -l <err)" 2
	has 'targets.t.hooks[0]: unknown stock hook "x" (known'
	has 'targets.t.hooks[1]: unknown stock hook "y" (known'
	spec
	vmrun --hook notfy vm.json
	is "$status" 65
	is "$(cat err)" "--hook notfy: unknown stock hook \"notfy\", did you mean \"notify\"? $list a file is named with its extension or a \"/\")"
}

@test "--hook: what is missing, wrong, empty" {
	spec '{"targets": {"t": {}}}'
	vmrun --hook nope.lua vm.json
	is "$status" 66
	is "$(cat err)" "--hook nope.lua: $PWD/nope.lua: No such file or directory"
	vmrun --hook notify vm.json
	is "$status" 65
	is "$(cat err)" '--hook notify: notify: missing option "command": expected a command, as a list of a program and its arguments'
	echo 'return 5' >five.lua
	vmrun --hook five.lua vm.json
	is "$status" 65
	has '--hook five.lua: five.lua: a hook file returns a table of hooks'
	vmrun --hook '' vm.json
	is "$status" 64
	has '--hook needs FILE, got ""'
	vmrun vm.json --hook
	is "$status" 64
	has '--hook needs FILE'
	is "$(starts)" ''
}

@test "what --print spec says of stock hooks, and that it holds" {
	spec '{"hooks": ["backoff", {"use": "rescue_after", "faults": 2}, "one.lua"], "targets": {"rescue": {}}}'
	hook one
	hook two
	vmrun --print spec --hook two.lua vm.json
	is "$status" 0
	is "$(jq -cS .hooks out)" '["backoff",{"faults":2,"use":"rescue_after"},"'"$PWD"'/one.lua"]'
}

@test "options of a hook file: faults at their places, all at once" {
	cat >my.lua <<-'END'
		return function(options, vm)
			options = vmrun.options(options, {
				count = { "count", default = 2 },
				target = { "target", required = true },
			})
			assert(options.use == nil)
			print("asked " .. vm.name .. " " .. table.concat({ table.unpack(vm.targets) }, ","))
			return {}
		end
	END
	spec '{"hooks": [{"use": "my.lua", "count": "x", "tarpet": "t"}], "targets": {"t": {}}}'
	vmrun -d vm.json
	is "$status" 65
	is "$(sed 's/^vm.json:[0-9]*:[0-9]*: //' err)" 'hooks[0]: my.lua: missing option "target": expected the name of a target
hooks[0].count: my.lua: option "count": expected an integer of at least 1, got "x"
hooks[0].tarpet: my.lua: unknown option "tarpet", did you mean "target"? (known: count, target)'
	spec '{"hooks": [{"use": "my.lua", "target": "t"}], "targets": {"t": {}}}'
	vmrun -d vm.json
	is "$status" 0
	is "$(asked)" "$vm default,t"
}

# stock: prints the names of all stock hooks
stock() {
	local file
	for file in "$SOURCE"/hooks/*.lua; do
		basename "$file" .lua
	done
}

@test "stock hooks in the sandbox: those that cannot be there say so" {
	local targets='"targets": {"rescue": {}, "install": {}, "a": {}, "b": {}}'
	spec "{$targets, \"hooks\": [\"rescue_after\", \"backoff\", \"install_once\", \"ab_upgrade\"]}"
	script 'exit 0' 'exit 1'
	vmrun --sandbox --allow "$rom" --state-dir "$PWD/state" -t install vm.json
	is "$status" 0
	is "$(starts)" 2
	spec "{$targets, \"hooks\": [{\"use\": \"daily_window\", \"from\": \"22:00\", \"to\": \"06:00\"},
		{\"use\": \"notify\", \"command\": [\"true\"]}, {\"use\": \"ab_upgrade\", \"request\": \"x\"}]}"
	vmrun --sandbox --allow "$rom" vm.json
	is "$status" 65
	is "$(sed 's/^vm.json:[0-9]*:[0-9]*: //' err)" 'hooks[0]: daily_window cannot be used: it needs os.date, which does not exist with --sandbox
hooks[1]: notify cannot be used: it runs a command, which --sandbox refuses
hooks[2]: ab_upgrade cannot be used: request and confirm need rm(1), which --sandbox refuses'
}

@test "--simulate walks the stock hooks, and touches nothing" {
	spec '{"targets": {"rescue": {}, "install": {}, "a": {}, "b": {}}}'
	vmrun --simulate triple_fault,killed,error,poweroff --hook rescue_after vm.json
	is "$(cut -f 2,3,5 out | tr '\t' ' ' | paste -sd, -)" \
		'default triple_fault default,default killed default,default error rescue,rescue poweroff -'
	vmrun --state-dir "$PWD/state" -t install --simulate reboot,poweroff --hook install_once vm.json
	is "$(cut -f 2,5 out | tr '\t' ' ' | paste -sd, -)" 'install default,default -'
	[ ! -e state ]
	touch upgrade
	spec '{"targets": {"a": {}, "b": {}}, "hooks": [{"use": "ab_upgrade", "request": "upgrade"}]}'
	vmrun --state-dir "$PWD/state" -t a --simulate reboot,poweroff@400 vm.json
	is "$(cut -f 2 out | paste -sd' ' -)" 'a b'
	has 'slot b is good'
	[ -e upgrade ]
	[ ! -e state ]
	spec '{"hooks": [{"use": "notify", "command": ["touch", "told"]}]}'
	vmrun --simulate killed vm.json
	is "$status" 0
	has 'not run: env VMRUN_EVENT=exit'
	lacks warning
	[ ! -e told ]
	# One of the two windows is closed at any time.
	for window in '"from": "00:00", "to": "12:00"' '"from": "12:00", "to": "00:00"'; do
		spec "{\"hooks\": [{\"use\": \"daily_window\", $window}]}"
		vmrun --simulate reboot,poweroff vm.json
		is "$status" 0
		is "$(wc -l <out)" 2
	done
}

@test "the example of each stock hook loads, from its file and from the manual" {
	local name targets='{"rescue": {}, "install": {}, "a": {}, "b": {}, "disk-a": {}, "disk-b": {}}'
	for name in $(stock); do
		sed -n 's/^--//; /^\t"hooks": /,/\]$/p' "$SOURCE/hooks/$name.lua" | sed '/\]$/q' >example
		spec "$(jq --argjson targets "$targets" '{targets: $targets, hooks}' <<<"{$(cat example)}")"
		vmrun -d vm.json
		is "$status" 0
		sed -n "/^\.Ss $name\$/,/^\.S[hs] /p" "$SOURCE/man/vmrun-hooks.5" |
			sed -n '/^\.Bd /,/^\.Ed/p' | sed '/^\./d' >example
		spec "$(jq --argjson targets "$targets" '. + {targets: ($targets + .targets)}' <<<"{$(cat example)}")"
		is "$(jq -r '.hooks[0] | .use? // .' vm.json)" "$name"
		vmrun -d vm.json
		is "$status" 0
	done
}

@test "every option of a stock hook is told of in its file and in the manual" {
	local name option options
	for name in $(stock); do
		spec "{\"hooks\": [{\"use\": \"$name\", \"zz\": 1}]}"
		vmrun -d vm.json
		options=$(sed -n 's/.*unknown option "zz".* (known: \(.*\))$/\1/p' err | tr -d ,)
		[ -n "$options" ]
		for option in $options; do
			echo "$name: $option"
			grep -qE "^--	([a-z]+, )?$option(, [a-z]+)? " "$SOURCE/hooks/$name.lua"
			sed -n "/^\.Ss $name\$/,/^\.S[hs] /p" "$SOURCE/man/vmrun-hooks.5" |
				grep -qE "^\.It Ic ([a-z]+ , )?$option( , [a-z]+)?\$"
		done
	done
}

@test "stock hooks are short" {
	local file
	for file in "$SOURCE"/hooks/*.lua; do
		[ "$(wc -l <"$file")" -lt 150 ]
		is "$(expand "$file" | awk 'length > 100')" ''
	done
}
