#!/usr/bin/env bats
# The stock hook install_once.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load hooks
	common_setup
	unchecked+=(--state-dir "$PWD/state")
}

teardown() {
	common_teardown
}

@test "the install target is booted once, also when vmrun is started again" {
	hooked '"install_once"'
	plays 'exit 0' 'exit 0' 'exit 1' -- -t install
	is "$status" 0
	is "$(booted)" 'install default default'
	has "$vm is installed"
	plays 'exit 0' 'exit 1' -- -t install
	is "$status" 0
	is "$(booted)" 'default default'
	has "on_start of install_once boots default in place of install"
	lacks 'boot could not'
	plays 'exit 1' --
	is "$(booted)" 'default'
	lacks 'in place of'
}

@test "it begins by itself, unless it is told not to" {
	hooked '"install_once"'
	plays 'exit 0' 'exit 0' 'exit 1' --
	is "$status" 0
	is "$(booted)" 'install default default'
	has "on_start of install_once boots install in place of default"
	plays 'exit 1' --
	is "$(booted)" 'default'
	rm -r state
	plays 'exit 1' -- -t rescue
	is "$(booted)" 'rescue'
	hooked '{"use": "install_once", "auto": false}'
	plays 'exit 1' --
	is "$(booted)" 'default'
	plays 'exit 0' 'exit 1' -- -t install
	is "$(booted)" 'install default'
}

@test "--no-reboot: the one boot is the right one" {
	hooked '"install_once"'
	plays 'exit 0' -- --no-reboot
	is "$(booted)" 'install'
	plays 'exit 0' -- --no-reboot -t install
	is "$(booted)" 'default'
	is "$status" 0
}

@test "nor when another hook wants it" {
	echo 'return { on_exit = function(exit) if exit.boots < 3 then return "install" end end }' >again.lua
	hooked '"install_once"'
	plays 'exit 0' 'exit 1' -- -t install
	plays 'exit 0' 'exit 0' 'exit 1' -- --hook again.lua
	is "$status" 0
	is "$(booted)" 'default default default'
}

@test "what failed, or was stopped, is done again" {
	hooked '"install_once"'
	plays 'exit 3' -- -t install
	is "$status" 3
	script 'acpi on ready up wait exit 0'
	start -t install vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	ends 0
	plays 'exit 0' 'exit 1' -- -t install
	is "$(booted)" 'install default'
}

@test "an install that powers off, and a target that says what is next" {
	hooked '"install_once"'
	plays 'exit 1' -- -t install
	is "$status" 0
	is "$(booted)" install
	plays 'exit 1' -- -t install
	is "$(booted)" default
	rm -r state
	hooked '{"use": "install_once", "next": "a"}' '{"targets": {"install": {"next_target": "b"}}}'
	plays 'exit 0' 'exit 1' -- -t install
	is "$(booted)" 'install b'
	plays 'exit 1' -- -t install
	is "$(booted)" 'a'
}

@test "a medium that has gone since is no obstacle" {
	unchecked=(--state-dir "$PWD/state")
	touch cd.iso
	hooked '"install_once"' '{"targets": {"install": {"emulations": [{"device": "ahci-cd", "path": "cd.iso"}]}}}'
	plays 'exit 0' 'exit 1' -- -t install
	is "$status" 0
	is "$(booted)" 'install default'
	rm cd.iso
	plays 'exit 1' -- -t install
	is "$status" 0
	is "$(booted)" 'default'
}

@test "targets and causes of one's own; two installs, each once" {
	spec '{"targets": {"install": {}, "a": {}, "b": {}}, "hooks": [
		{"use": "install_once", "target": "a", "next": "b", "done": ["halt"]},
		{"use": "install_once", "target": "b"}]}'
	plays 'exit 0' 'exit 2' -- -t a
	is "$status" 0
	is "$(booted)" 'a a'
	plays 'exit 0' 'exit 1' -- -t a
	is "$(booted)" 'b default'
	plays 'exit 1' -- -t a
	is "$(booted)" 'default'
	is "$(jq -cS .installed "state/$vm/state.json")" '{"a":true,"b":true}'
}

@test "what it knows is forgotten with the state" {
	hooked '"install_once"'
	plays 'exit 1' -- -t install
	rm -r "state/$vm"
	plays 'exit 1' -- -t install
	is "$(booted)" install
}

@test "wrong options" {
	refuses '{"use": "install_once", "target": "instal", "next": 5, "done": ["rebot"], "once": true}' \
		'hooks[0].target: install_once: option "target": no target "instal", did you mean "install"?' \
		'hooks[0].next: install_once: option "next": expected the name of a target, got 5' \
		'hooks[0].done: install_once: option "done": no cause "rebot", did you mean "reboot"?' \
		'hooks[0].once: install_once: unknown option "once", did you mean "done"? (there is: auto, done, next, target)'
}
