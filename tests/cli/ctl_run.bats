#!/usr/bin/env bats
# vmrunctl run: scripts of clients as hooks of a VM that runs.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	run_dir=$BATS_RUN_TMPDIR/run
	export VMRUN_BHYVE=$SOURCE/tests/cli/serial_guest.sh
	lua "vm.com1 = 'console' vm.stop = { { ['do'] = 'kill', wait = 9 } }"
}

teardown() {
	common_teardown
}

up() {
	start "$@" vm.lua
	ctl "$vm" wait-for login: --backlog --timeout 60
	is "$status" 0
}

ctl() {
	status=0
	timeout -k 5 60 "$VMRUNCTL" -r "$run_dir" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# runs LUA [OPTION...]: runs a script
runs() {
	printf '%s\n' "$1" >script.lua
	ctl "$vm" run script.lua "${@:2}"
}

has_run() {
	[ "$(grep -c 'runs under' err)" -ge "$1" ]
}

down() {
	kill -TERM "$pid"
	ends 0
}

@test "a script types on the console, and its result is printed" {
	up
	runs 'vmrun.send "hello\n" return select(2, vmrun.expect(vmrun.regex "^got (.*)$"))'
	is "$status" 0
	is "$(cat said wrong)" hello
	runs 'return { 1, { a = true } }'
	is "$(cat said)" '[1,{"a":true}]'
	runs 'return 2 // 1 == 2'
	is "$(cat said)" true
	runs 'return'
	is "$status" 0
	is "$(cat said)" ''
	runs 'return "text"' --json
	is "$(jq -c . said)" '{"ok":true,"result":"text"}'
	runs 'return "a\0b"'
	is "$status" 1
	has 'result: a string with a NUL in it' wrong
	runs 'return vmrun.state_dir ~= nil and vmrun.dir'
	is "$(cat said)" "$PWD"
	runs ''
	is "$status" 0
	down
}

@test "the reboots that scripts request do not count for restart_limit, as those of vmrunctl" {
	lua "vm.com1 = 'console' vm.stop = { { ['do'] = 'kill', wait = 9 } } vm.restart_limit = { count = 1, within = 3600 }"
	up
	for n in 2 3 4; do
		runs 'return vmrun.request "reboot"'
		is "$(cat said)" true
		await has_run "$n"
	done
	down
}

@test "a script has vmrun's functions also where the spec is JSON without hooks" {
	spec '{"com1": "console", "stop": [{"do": "kill", "wait": 9}]}'
	start vm.json
	ctl "$vm" wait-for login: --backlog --timeout 60
	runs 'return vmrun.dir'
	is "$status" 0
	is "$(cat said wrong)" "$PWD"
	down
}

@test "a script looks at what comes, or with --backlog at what the boot has printed" {
	up
	runs 'return (vmrun.expect("login: ", { timeout = 0.1 }))'
	is "$status" 0
	is "$(cat said)" ''
	runs 'return (vmrun.expect("login: ", { timeout = 60 }))' --backlog
	is "$(cat said)" 1
	down
}

@test "what is wrong with a script" {
	up
	runs $'local x = 1\nerror("no such luck")'
	is "$status" 1
	has 'script.lua:2: no such luck' wrong
	has 'stack traceback' wrong
	runs $'\nreturn return'
	is "$status" 1
	has 'script.lua:2:' wrong
	runs 'return print'
	is "$status" 1
	has 'function' wrong
	runs 'os.execute("true")'
	is "$status" 1
	has 'os.execute inside a hook' wrong
	printf 'return "a\0b"' >script.lua
	ctl "$vm" run script.lua
	is "$status" 66
	has 'found a NUL byte' wrong
	printf 'return "\344"' >script.lua
	ctl "$vm" run script.lua
	is "$status" 66
	has 'expected UTF-8' wrong
	head -c 70000 /dev/zero | tr '\0' ' ' >script.lua
	ctl "$vm" run script.lua
	is "$status" 66
	has 'too long' wrong
	# The library adds a number to the request, which counts, too.
	local spare
	for spare in 0 40; do
		head -c $((65536 - $(printf '{"cmd":"run","text":"","name":"script.lua"}' | wc -c) - spare)) \
		    /dev/zero | tr '\0' ' ' >script.lua
		ctl "$vm" run script.lua
		is "$status" $((spare == 0 ? 66 : 0))
	done
	ctl "$vm" run missing.lua
	is "$status" 66
	has 'missing.lua: No such file' wrong
	ctl "$vm" run
	is "$status" 64
	ctl "$vm" run script.lua --gone
	is "$status" 64
	down
}

@test "scripts run side by side, and end with their clients" {
	up
	printf '%s\n' 'print "begun" local ended <close> = setmetatable({}, { __close = function() print "ended" end })' \
		'vmrun.expect "never"' >long.lua
	"$VMRUNCTL" -r "$run_dir" "$vm" run long.lua 3>&- &
	local client=$!
	await_text begun
	runs 'return 5'
	is "$(cat said)" 5
	lacks ended
	kill -KILL "$client"
	await_text ended
	runs 'return 6'
	is "$(cat said)" 6
	down
}

@test "a script ends with a connection that breaks" {
	up
	python - "$run_dir/$vm/control" <<-'END'
		import json, select, socket, sys
		client = socket.socket(socket.AF_UNIX)
		client.connect(sys.argv[1])
		body = 'local e <close> = setmetatable({}, { __close = function() print "ended" end }) vmrun.expect "never"'
		for request in {"cmd": "run", "name": "x", "text": body}, {"cmd": "status"}:
		    client.sendall(json.dumps(request).encode() + b"\n")
		select.select([client], [], [])
		client.close()  # with an unread answer: a reset
	END
	await_text ended
	runs 'return 6'
	is "$(cat said)" 6
	down
}

@test "a script sees the end of its boot, and its result still arrives" {
	up
	runs 'vmrun.send "off\n" return table.concat({ tostring((vmrun.expect "never")), select(2, vmrun.sleep(60)) }, " ")'
	is "$status" 0
	is "$(cat said)" 'nil gone'
	ends 0
}

@test "a stop reaches a script, which may ask for it" {
	up
	runs 'local ok = vmrun.request("stop", { status = 7 }) return { ok, select(2, vmrun.expect "never") }'
	is "$status" 0
	is "$(cat said)" '[true,"gone"]'
	ends 7
}

@test "no VM runs: refused" {
	ctl "$vm" run vm.lua
	is "$status" 69
	lua "vm.com1 = 'console' vm.on = { poweroff = { boot = 'default', delay = 600 } }"
	up
	printf 'vmrun.send "off\\n"' >script.lua
	ctl "$vm" run script.lua
	is "$status" 0
	ctl "$vm" wait --state backoff --timeout 60
	is "$status" 0
	runs 'return 1'
	is "$status" 1
	has 'no VM is running' wrong
	down
}

@test "a script has the limits and the sandbox of hooks" {
	lua "vm.com1 = 'console' vm.hook_timeout = 0.2"
	up --sandbox --allow "$BATS_FILE_TMPDIR"
	runs 'while true do end'
	is "$status" 1
	has 'hook_timeout' wrong
	runs 'return { tostring(io), pcall(vmrun.exec, { "true" }) }'
	has 'not in the sandbox' said
	runs 'return vmrun.sandboxed'
	is "$(cat said)" true
	down
}
