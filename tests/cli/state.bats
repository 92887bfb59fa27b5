#!/usr/bin/env bats
# vmrun.state: a table that outlives vmrun, however vmrun ends.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	file=$PWD/state/$vm/state.json
	unchecked+=(--state-dir "$PWD/state")
}

teardown() {
	common_teardown
}

read_twice() {
	[ "$(grep -c 'vmrun.state is there in hooks only' err)" = 2 ]
}

@test "it survives restarts of vmrun, of every type" {
	lua 'function vm.on_exit(exit)
		local s = vmrun.state
		if s.n then
			print(math.type(s.n), math.type(s.f), s.deep.list[2], #s.deep.list, s.yes, s.no)
			print(s.text, next(s.empty), s.big == math.maxinteger, s.third == 1 / 3)
			print(s[""], getmetatable(s), getmetatable(s.empty))
		end
		s.n, s.f, s.yes, s.no = (s.n or 0) + 1, 2.0, true, false
		s.deep = { list = { "a", "b" } }
		s.text, s.empty, s.big, s.third = "a\"\\\n\1€", {}, math.maxinteger, 1 / 3
		s[""] = "nameless"
	end'
	script 'exit 1'
	vmrun vm.lua
	is "$status" 0
	is "$(jq -c '[.n, .deep, .empty]' "$file")" '[1,{"list":["a","b"]},[]]'
	is "$(stat -c %a "$file" "$PWD/state" "$PWD/state/$vm" | paste -sd' ' -)" '600 700 700'
	vmrun vm.lua
	grep -qE '^vmrun: integer.float.b.2.true.false$' err
	has 'nil	true	true'
	has 'nameless	nil	nil'
	is "$(jq .n "$file")" 2
	is "$(ls "$PWD/state/$vm")" 'history.jsonl
state.json'
}

@test "a spec that never touches it makes nothing; one that only reads writes nothing" {
	lua 'function vm.on_exit() print(vmrun.env.HOME) end'
	vmrun vm.lua
	is "$status" 0
	[ ! -e "$file" ]
	lua 'function vm.on_exit() print("n is", vmrun.state.n) end'
	vmrun vm.lua
	[ ! -e "$file" ]
	mkdir -p "state/$vm"
	printf '{ "n" :\n 5}' >"$file"
	chmod 444 "$file"
	vmrun vm.lua
	has 'n is	5'
	is "$(cat "$file")" '{ "n" :
 5}'
}

@test "hooks share it, also those of files; an error keeps what was changed before" {
	echo 'return { on_exit = function() vmrun.state.second = vmrun.state.first + 1 error("late") end }' >two.lua
	lua 'vm.hooks = { "two.lua" }
		function vm.on_start() vmrun.state = { first = 7 } end
		function vm.on_exit(exit) require("vmrun").state.third = true end'
	vmrun vm.lua
	is "$status" 0
	has 'late'
	is "$(jq -c . "$file")" '{"first":7,"second":8,"third":true}'
}

@test "assigned as a whole" {
	lua 'function vm.on_start() vmrun.state = { a = 1 } vmrun.state.b = 2 end
		function vm.on_exit()
			for _, wrong in ipairs { 5, "x", false } do
				print(pcall(function() vmrun.state = wrong end))
			end
			print(pcall(function() vmrun.state = nil end))
			vmrun.other = 1 print(vmrun.other)
		end'
	vmrun vm.lua
	is "$(grep -c 'vm.lua:[0-9]*: vmrun.state is a table; vmrun.state = {} empties it' err)" 4
	is "$(jq -c . "$file")" '{"a":1,"b":2}'
	lua 'function vm.on_exit() vmrun.state = {} end'
	vmrun vm.lua
	is "$(cat "$file")" '{}'
}

@test "what cannot be kept fails the hook by its path, and the file stays" {
	local wrong
	lua 'function vm.on_exit() vmrun.state.kept = 1 end'
	vmrun vm.lua
	while IFS=: read -r wrong path; do
		lua "function vm.on_start() $wrong end
			function vm.on_exit() print('kept is', vmrun.state.kept) return vmrun.stop(9) end"
		script 'exit 3'
		vmrun vm.lua
		is "$status" 9
		has "on_start of vm.lua failed"
		has "vmrun.state$path"
		has 'kept is	1'
		is "$(jq -c . "$file")" '{"kept":1}'
	done <<-'END'
		vmrun.state.f = print:.f: a function is not plain data
		vmrun.state.a = { b = { 1, io.stdout } }:.a.b[1]: a userdata
		vmrun.state.c = coroutine.create(print):.c: a coroutine
		vmrun.state.m = { 1, x = 2 }:.m: a table with both list and named entries
		vmrun.state.g = { [3] = true }:.g: a list with gaps
		vmrun.state.k = { [1.5] = true }:.k: a table with a key that is neither
		vmrun.state.n = 0 / 0:.n: not a number (NaN)
		vmrun.state.i = -math.huge:.i: an infinite number
		vmrun.state.z = "a\0b":.z: a string with a NUL
		local t = {} t.t = t vmrun.state.t = t:.t.t.t
		vmrun.state.h = setmetatable({}, { __index = { a = 1 } }):.h: a table that inherits keys
		setmetatable(vmrun.state, { __pairs = next }):: a table that inherits keys
		local t = {} for i = 1, 64 do t = { t } end vmrun.state = t:[0][0]
	END
}

@test "sixty-four levels are kept and read" {
	lua 'function vm.on_exit()
		local depth, t = 0, vmrun.state
		while t[1] do depth, t = depth + 1, t[1] end
		print("depth " .. depth)
		t = { "end" }
		for i = 2, 64 do t = { t } end
		vmrun.state = t
	end'
	vmrun vm.lua
	vmrun vm.lua
	has 'depth 64'
}

@test "an answer whose state cannot be kept does not count" {
	lua 'function vm.on_exit() vmrun.state.f = print return vmrun.stop(9) end'
	script 'exit 3'
	vmrun vm.lua
	is "$status" 3
	has 'on_exit of vm.lua failed, the next hook or the declared policy decides: vmrun.state.f: a function'
	lua 'function vm.on_prepare(spec) vmrun.state.f = print end'
	vmrun vm.lua
	is "$status" 69
	has 'vmrun.state.f'
}

@test "a broken file is told with its place, and left alone" {
	local text place
	lua 'function vm.on_exit() vmrun.state = { new = true } end'
	mkdir -p "state/$vm"
	while IFS='|' read -r text place; do
		printf '%b' "$text" >"$file"
		cp "$file" before
		vmrun vm.lua
		is "$status" 0
		has 'on_exit of vm.lua failed'
		has "vm.lua:2: $file$place"
		has 'mend the file, or move it away'
		cmp "$file" before
	done <<-'END'
		{"a": 1,\n "b" 2}|:2:6: b: expected a colon after the key
		{"a": {"b": [1, 2|:1:18: a.b[1]: unexpected end of the text
		|:1:1: the text is empty
		{"a": 1, "a": 2}|:1:10: a: duplicate key
		{"a": NaN}|:1:7: a: 
		5|: expected an object
		{} x|:1:4: text after the end
	END
	rm "$file"
	mkdir "$file"
	vmrun vm.lua
	has "$file: not a regular file"
	rmdir "$file"
	mkfifo "$file"
	vmrun vm.lua
	has "$file: not a regular file"
}

@test "a file that cannot be written is told" {
	lua 'function vm.on_exit() vmrun.state.n = 1 end'
	echo 'no directory' >state
	vmrun vm.lua
	is "$status" 0
	has 'on_exit of vm.lua failed'
	has "vm.lua:2: $file: cannot read this file: Not a directory"
	rm state
	mkdir -p "state/$vm/state.json.new"
	vmrun vm.lua
	has 'vmrun.state was not saved'
	has "$file.new: cannot write this file"
	[ ! -e "$file" ]
}

@test "save says what cannot be kept, and the hook goes on; it is kept as soon as that works" {
	lua 'function vm.on_start()
			vmrun.state.n = 1
			print("saved", vmrun.save())
		end
		function vm.on_exit(exit)
			print("n is", vmrun.state.n)
			if exit.boots == 2 then vmrun.exec { "rmdir", "state/'"$vm"'/state.json.new" } end
			return exit.boots < 2
		end'
	mkdir -p "state/$vm/state.json.new"
	script 'exit 0' 'exit 1'
	vmrun vm.lua
	is "$status" 0
	is "$(starts)" 2
	is "$(grep -cE "^vmrun: saved.nil.vmrun.state was not saved: $file.new: cannot write this file: " err)" 2
	is "$(grep -cE '^vmrun: n is.1$' err)" 2
	lacks 'vm.lua failed'
	is "$(jq -c . "$file")" '{"n":1}'
	lua 'function vm.on_start() vmrun.state.n = 2 print("saved", vmrun.save()) end'
	"$VMRUN" --state-dir "$PWD/state" --simulate poweroff vm.lua >out 2>err
	grep -qE '^vmrun: saved.true$' err
	is "$(jq -c . "$file")" '{"n":1}'
	echo '{"n": 1' >"$file"
	lua 'function vm.on_start() print("saved", vmrun.save()) end'
	vmrun vm.lua
	is "$status" 0
	grep -qE "^vmrun: saved.nil.*$file:2:1: .*: vmrun.state cannot be read: mend the file, or move it away" err
}

# A state that cannot be saved is a failure of the hook that changed it, and not of an on_start, whose
# failure would refuse the boot.
@test "a state that cannot be kept fails the hook that has changed it, once" {
	lua 'vm.on = { error = { boot = "default" } }
		function vm.on_start() print("asked") end
		function vm.on_exit(exit) if exit.boots == 1 then vmrun.state.n = 1 return "default" end end'
	mkdir -p "state/$vm/state.json.new"
	script 'exit 4' 'exit 1'
	vmrun vm.lua
	is "$status" 0
	is "$(starts)" 2
	is "$(grep -c 'vmrun.state was not saved' err)" 1
	has 'on_exit of vm.lua failed, the next hook or the declared policy decides: vmrun.state was not saved'
	rm -r state
	mkdir -p "state/$vm/state.json.new"
	lua 'function vm.on_start() vmrun.state.n = 1 end'
	vmrun vm.lua
	is "$status" 69
	has 'on_start of vm.lua refused the boot: it failed: vmrun.state was not saved: '
}

@test "a spec that is read again finds it in its hooks only" {
	lua 'print("read", pcall(function() return vmrun.state end))
		function vm.on_exit() vmrun.state.n = 1 end'
	script 'acpi on ready up wait exit 1'
	start vm.lua
	await_file up
	kill -HUP "$pid"
	await read_twice
	kill -TERM "$pid"
	ends 0
}

@test "a dry run and a check read it and write nothing" {
	lua 'function vm.on_prepare(spec)
		print("n was", vmrun.state.n)
		vmrun.state.n = 5
		spec.cpu = vmrun.state.n
		return spec
	end'
	local option
	for option in -d --debug --check; do
		"$VMRUN" --state-dir "$PWD/state" "$option" vm.lua >out 2>err || :
		has 'n was	nil'
		[ ! -e state ]
	done
	vmrun vm.lua
	is "$(jq .n "$file")" 5
	"$VMRUN" --state-dir "$PWD/state" -d vm.lua >out 2>err
	has 'n was	5'
	has 'cpus=5' out
}

@test "a simulation goes on with it in memory alone" {
	lua 'function vm.on_exit(exit)
		local s = vmrun.state
		s.n = (s.n or 0) + 1
		return s.n < 3
	end'
	"$VMRUN" --state-dir "$PWD/state" --simulate reboot,reboot,reboot vm.lua >out 2>err
	is "$(cut -f4 out | paste -sd' ' -)" 'boot boot stop'
	[ ! -e state ]
}

@test "while files are read it is not there" {
	lua 'print(pcall(function() return vmrun.state end))'
	vmrun vm.lua
	is "$status" 0
	has 'vm.lua:2: vmrun.state is there in hooks only'
	lua 'vmrun.state.n = 1'
	vmrun vm.lua
	is "$status" 65
	has 'vmrun.state is there in hooks only'
	echo 'vmrun.state.n = 1 return {}' >hook.lua
	lua 'vm.hooks = { "hook.lua" }'
	vmrun vm.lua
	is "$status" 65
	has 'vmrun.state is there in hooks only'
}

# A hook writes more and more; each kill must leave a complete table, old or new.
@test "kill -9 at any moment leaves a whole file" {
	local kills n before=0
	lua 'function vm.on_exit(exit)
		local s = vmrun.state
		s.n = (s.n or 0) + 1
		s.text = ("%d,"):format(s.n):rep(s.n % 500 * 40)
		s.length = #s.text
		s.list = {}
		for i = 1, s.n % 100 do s.list[i] = s.n end
		return true
	end'
	script 'exit 0'
	for ((kills = 0; kills < 40; kills++)); do
		start vm.lua
		until n=$(sed -n 's/^  "n": \([0-9]*\),$/\1/p' "$file" 2>/dev/null) && [ "${n:-0}" -gt "$before" ]; do
			kill -0 "$pid"
		done
		sleep "0.0$((RANDOM % 30 + 10))" # the moment is to be a random one
		kill -KILL "$pid"
		wait "$pid" || :
		jq -e '.n as $n | (.text | length) == .length and .length == ($n % 500 * 40 * ("\($n)," | length)) and
			.list == [range($n % 100) | $n]' "$file" >/dev/null
		before=$(jq .n "$file")
	done
	[ "$before" -ge 40 ]
	end_fakes
	lua 'function vm.on_exit() vmrun.state = { over = true } end'
	vmrun vm.lua
	is "$(jq -c . "$file")" '{"over":true}'
	is "$(ls "state/$vm")" 'history.jsonl
state.json'
}
