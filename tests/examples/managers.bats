#!/usr/bin/env bats
# The managers of examples/: several VMs, their events, what they decide, and a stop of all of them.
# shellcheck disable=SC2154 # vm, rom, pid and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	fake_host
	echo vmm.ko >state/modules
}

teardown() {
	common_teardown
}

# specs COUNT [JSON]: makes the specs vm1.json, vm2.json ...
specs() {
	local n
	spec "${2:-"{}"}"
	for n in $(seq "$1"); do
		sed "s/\"name\": \"$vm\"/\"name\": \"$vm-$n\"/" vm.json >"vm$n.json"
	done
	rm vm.json
}

# manage PROGRAM ARG...: runs a manager of all specs in the background
manage() {
	"$@" vm*.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
}

# in_c: runs examples/manager.c
in_c() {
	VMRUN_HYPERVISOR=bhyve RUN_DIR=$PWD/run STATE_DIR=$PWD/keep manage "$MANAGER"
}

# count TEXT: prints the number of lines of out with this text
count() {
	grep -cF -e "$1" out || :
}

# await_count N TEXT: waits for N lines of out with this text
await_count() {
	await eval "[ \"\$(count '$2')\" = $1 ]"
}

@test "manager.c: 100 VMs in one process, SIGINT stops all of them" {
	specs 100
	for _ in $(seq 100); do echo 'acpi on wait exit 1'; done >script
	in_c
	await_count 100 ': spawned'
	await_starts 100
	"$VMRUNCTL" -r "$PWD/run" "$vm-77" status >status
	has running status
	kill -INT "$pid"
	ends 0
	is "$(starts)" 100
	is "$(count ': ended')" 100
	is "$(count ': exit default stopped')" 100
	nothing_runs
	is "$(find run -name control)" ''
}

@test "manager.c: a VM ends alone, a reboot is one of its own, and the highest status counts" {
	specs 3
	script 'exit 0' 'exit 1' 'exit 1' 'exit 1'
	in_c
	ends 0
	is "$(starts)" 4
	is "$(count ': spawned')" 4
	is "$(count ': ended')" 3
	script 'exit 4' 'exit 1' 'exit 1'
	in_c
	ends 4
}

@test "manager.c: a guest that crashes boots twice more, as the manager decides" {
	specs 1
	script 'exit 3' 'exit 3' 'exit 3' 'exit 1'
	in_c
	ends 3
	is "$(starts)" 3
	is "$(count ': exit default triple_fault')" 3
}

@test "manager.c: a spec that is wrong is told, and the other VMs run" {
	specs 2
	script 'exit 1'
	echo '{"name": "x"}' >vm2.json
	in_c
	ends 65
	has 'vm2.json'
	is "$(count ': ended')" 1
	status=0
	"$MANAGER" 2>err || status=$?
	is "$status" 64
	has 'usage: manager'
}

# own_vmrun: makes a vmrun with the state of this test
own_vmrun() {
	printf '#!/bin/sh\nexec "%s" --state-dir "%s/keep" --log-level error "$@"\n' "$VMRUN" "$PWD" >vmrun
	chmod +x vmrun
}

# in_keeper: runs examples/keeper.c
in_keeper() {
	own_vmrun
	VMRUN=$PWD/vmrun manage in_session "$KEEPER" "$PWD/run"
}

# stop_all: stops the VMs of these numbers
stop_all() {
	local n
	for n; do "$VMRUNCTL" -r "$PWD/run" "$vm-$n" stop; done
}

@test "keeper.c: the VMs outlive it, and it finds them when it is started again" {
	specs 3
	for _ in 1 2 3; do echo 'acpi on wait exit 1'; done >script
	in_keeper
	await_count 3 '"event":"spawned"'
	is "$(count ': starts')" 3
	kill -INT -- "-$pid"
	ends 0
	is "$("$VMRUNCTL" -r "$PWD/run" list --json | jq -r '.[].state' | sort -u)" running
	in_keeper
	await_count 3 '"event":"spawned"'
	is "$(count ': runs already')" 3
	stop_all 2
	await_count 1 "$vm-2: is gone"
	is "$(count ': is gone')" 1
	stop_all 1 3
	ends 0
	is "$(count ': is gone')" 3
	is "$(starts)" 3
	is "$(count '"event":"ended"')" 3
	nothing_runs
}

@test "keeper.c: a vmrun that died is started again, and a spec that is wrong is told" {
	local guest
	specs 3
	for _ in 1 2 3; do echo 'acpi on wait exit 1'; done >script
	echo '{"name": "x"}' >vm2.json
	in_keeper
	await_count 2 '"event":"spawned"'
	has '"cpu" is missing'
	kill -TERM "$pid"
	ends 0
	guest=$("$VMRUNCTL" -r "$PWD/run" "$vm-3" status --json | jq .pid)
	kill -KILL "$(cat "run/$vm-3/lock")"
	kill -KILL "$guest" || : # which its vmrun takes along on Linux
	await is_gone "$guest"
	in_keeper
	await_count 2 '"event":"spawned"'
	is "$(count "$vm-1: runs already")" 1
	is "$(count "$vm-3: starts")" 1
	stop_all 1 3
	ends 0
	nothing_runs
	status=0
	"$KEEPER" "$PWD/run" 2>err || status=$?
	is "$status" 64
	has 'usage: keeper'
}

# in_python: runs examples/manager.py
in_python() {
	own_vmrun
	VMRUN=$PWD/vmrun manage python3 "$SOURCE/examples/manager.py" "$PWD/run"
}

@test "manager.py: 5 VMs, one has given up and gets a chance, SIGINT stops the others" {
	specs 5
	rm vm5.json
	vm=$vm-5 spec '{"restart_limit": {"count": 1, "within": 600}, "on": {"triple_fault": "boot", "given_up": "wait"}}' vm5.json
	for _ in $(seq 4); do echo 'acpi on wait exit 1'; done >script
	for n in 1 2 3 4; do mv "vm$n.json" "later$n.json"; done
	printf 'exit 3\nexit 3\nexit 1\n' >script5
	FAKEBHYVE_SCRIPT=$PWD/script5 in_python
	ends 0
	has "$vm-5: given_up" out
	has "$vm-5: one more chance {'ok': True" out
	has "$vm-5: exit default poweroff" out
	for n in 1 2 3 4; do mv "later$n.json" "vm$n.json"; done
	rm vm5.json
	in_python
	await_count 4 ': spawned'
	kill -INT "$pid"
	ends 0
	is "$(count ': exit default stopped')" 4
	nothing_runs
}

@test "manager.py: the status of a VM that fails, and its usage" {
	specs 2
	script 'exit 4' 'exit 1'
	in_python
	ends 4
	is "$(count ': ended')" 2
	status=0
	python3 "$SOURCE/examples/manager.py" 2>err || status=$?
	is "$status" 1
	has 'manager.py RUN-DIR FILE'
	is "$(python3 -c 'import ast, sys; print(sorted(n.name for s in ast.walk(ast.parse(open(sys.argv[1]).read()))
		if isinstance(s, ast.Import) for n in s.names))' "$SOURCE/examples/manager.py")" \
		"['json', 'os', 'selectors', 'signal', 'socket', 'subprocess', 'sys']"
}

# in_lua: runs examples/manager.lua
in_lua() {
	unset LUA_CPATH LUA_PATH LUA_PATH_5_4 LUA_INIT LUA_INIT_5_4
	LUA_CPATH_5_4="$MODULE_DIR/?.so" RUN_DIR=$PWD/run STATE_DIR=$PWD/keep VMRUN_HYPERVISOR=bhyve \
		manage "$LUA" "$SOURCE/examples/manager.lua"
}

@test "manager.lua: 20 VMs in one process, SIGTERM stops all of them" {
	specs 20
	for _ in $(seq 20); do echo 'acpi on wait exit 1'; done >script
	in_lua
	await_count 20 ': spawned'
	"$VMRUNCTL" -r "$PWD/run" "$vm-7" status >status
	has running status
	kill -TERM "$pid"
	ends 0
	is "$(count ': exit default stopped')" 20
	nothing_runs
}

@test "manager.lua: a VM ends alone, and the highest status counts" {
	specs 3
	script 'exit 0' 'exit 4' 'exit 1' 'exit 1'
	in_lua
	ends 4
	is "$(count ': ended')" 3
	is "$(starts)" 4
}

@test "manager.lua: a guest that crashes boots twice more, as the manager decides" {
	specs 1
	script 'exit 3' 'exit 3' 'exit 3' 'exit 1'
	in_lua
	ends 3
	is "$(starts)" 3
	is "$(count ': exit default triple_fault')" 3
}

@test "manager.lua: a spec that is wrong is told, and the other VMs run" {
	specs 2
	script 'exit 1'
	echo '{"name": "x"}' >vm2.json
	in_lua
	ends 65
	has '"cpu" is missing'
	is "$(count ': ended')" 1
	rm vm*.json
	in_lua
	ends 66
	status=0
	LUA_CPATH_5_4="$MODULE_DIR/?.so" "$LUA" "$SOURCE/examples/manager.lua" 2>err || status=$?
	is "$status" 64
	has 'usage: manager.lua'
}

@test "docs/managers.md: its Lua prints the command, and the words of both tables exist" {
	spec
	sed -n '/^```lua$/,/^```$/p' "$SOURCE/docs/managers.md" | grep -v '^```' >page.lua
	[ -s page.lua ]
	LUA_CPATH_5_4="$MODULE_DIR/?.so" "$LUA" page.lua >out 2>err
	has "$vm" out
	echo 'for name in pairs(require("vmrun")) do print("vmrun." .. name) end' >names.lua
	LUA_CPATH_5_4="$MODULE_DIR/?.so" "$LUA" names.lua >names
	for name in open wait catch; do
		has "\`vmrun.$name\`" "$SOURCE/docs/managers.md"
		has "vmrun.$name" names
	done
	for name in sleep exec expect state; do
		has "\`vmrun.$name\`" "$SOURCE/docs/managers.md"
		lacks "vmrun.$name" names
	done
}
