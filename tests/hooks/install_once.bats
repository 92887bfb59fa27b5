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

# is_refused ARG...: a start is refused, with the way out, and nothing runs
is_refused() {
	plays 'exit 1' -- "$@"
	is "$status" 69
	is "$(booted)" ''
	has 'on_start of install_once refused the boot: install has begun, and its end is unknown'
	has '"again": true'
	has "vmrunctl $vm forget install_once"
}

@test "a reboot that vmrun was asked for interrupts the installer" {
	hooked '"install_once"'
	script 'acpi on wait exit 0' 'exit 1'
	start -t install vm.json
	await_text 'runs under' err
	ctl "$vm" reboot
	ends 69
	has 'install was interrupted: its end is unknown'
	lacks "$vm is installed"
	is "$(kept .install_once)" '{"begun":true}'
	is_refused
}

@test "what has begun and did not end is refused, however it is asked for" {
	local ending
	for ending in 'exit 3' 'exit 4' 'signal 9' 'exit 77'; do
		rm -rf state
		hooked '"install_once"'
		plays "$ending" -- -t install
		is "$(booted)" install
		is "$(kept .install_once)" '{"begun":true}'
		is_refused -t install
		is_refused
		is "$(kept .install_once)" '{"begun":true}'
		hooked '{"use": "install_once", "auto": false}'
		plays 'exit 1' --
		is "$(booted)" default
		hooked '{"use": "install_once", "again": true}'
		plays "$ending" -- -t install
		is "$(booted)" install
		plays 'exit 0' 'exit 1' --
		is "$(booted)" 'install default'
		plays 'exit 1' -- -t install
		is "$(booted)" default
	done
}

@test "nor does the policy or another hook boot it again after a fault" {
	hooked '"install_once"' '{"on": {"triple_fault": "same"}}'
	plays 'exit 3' 'exit 1' -- -t install
	is "$status" 69
	is "$(booted)" install
	has 'install has begun, and its end is unknown'
	hooked '"install_once"' '{"on": {"triple_fault": "same", "check_failed": {"boot": "rescue"}}}'
	plays 'exit 1' -- -t install
	is "$(booted)" rescue
}

@test "a stop in the middle of it, and a vmrun that is killed" {
	local signal
	hooked '"install_once"'
	for signal in TERM KILL; do
		rm -rf state up
		script 'acpi on ready up wait exit 1'
		start -t install vm.json
		await_file up
		await_text 'target install runs under'
		is "$(kept .install_once)" '{"begun":true}'
		kill "-$signal" "$pid"
		wait "$pid" || :
		end_fakes
		is_refused -t install
	done
}

@test "halt ends it too; an end that is not in done makes it begin anew" {
	hooked '"install_once"'
	plays 'exit 2' -- -t install
	is "$(kept .install_once)" '{"done":true}'
	plays 'exit 1' -- -t install
	is "$(booted)" default
	rm -r state
	hooked '{"use": "install_once", "done": ["poweroff"]}'
	plays 'exit 0' 'exit 2' -- -t install
	is "$(booted)" 'install install'
	is "$(kept .install_once)" null
	plays 'exit 1' -- -t install
	is "$(booted)" install
	is "$(kept .install_once)" '{"done":true}'
}

@test "a state that cannot be read refuses the boot, and the file stays" {
	local text
	hooked '"install_once"'
	plays 'exit 1' -- -t install
	for text in '{ "install_once": { "do' '' '[1, 2' '5' '{"install_once": true}' '{"install_once": "done"}'; do
		printf '%s' "$text" >"state/$vm/state.json"
		for target in install default; do
			plays 'exit 1' -- -t "$target"
			is "$status" 69
			is "$(booted)" ''
			has 'on_start of install_once refused the boot: cannot tell whether install is done: '
			is "$(cat "state/$vm/state.json")" "$text"
		done
		plays 'exit 1' -- -t rescue
		is "$(booted)" rescue
	done
	printf '{ "inst' >"state/$vm/state.json"
	plays 'exit 1' --
	has "refused the boot: cannot tell whether install is done: $PWD/state/$vm/state.json:1:8: unterminated string: "
	has 'mend the file, or move it away'
	has 'to boot default without it: "auto": false'
	"$VMRUN" --state-dir "$PWD/state" --simulate poweroff vm.json >out 2>err
	is "$(cut -f 2,3,4 out)" 'default	check_failed	stop'
	has 'refused the boot: cannot tell whether install is done'
	hooked '{"use": "install_once", "auto": false}'
	plays 'exit 1' --
	is "$(booted)" default
}

@test "where the beginning cannot be kept the installer does not boot" {
	hooked '"install_once"'
	cannot_keep
	for target in install default; do
		plays 'exit 1' -- -t "$target"
		is "$status" 69
		is "$(booted)" ''
		has 'on_start of install_once refused the boot: cannot save that install begins: vmrun.state was not saved: '
		has 'state.json.new: cannot write this file'
		lacks 'hook failed'
	done
	can_keep
	plays 'exit 0' 'exit 1' --
	is "$(booted)" 'install default'
}

@test "where the end cannot be kept it goes on, and is not installed again" {
	echo 'return { on_exit = function() vmrun.exec { "mkdir", "-p", "state/'"$vm"'/state.json.new" } end }' >full.lua
	spec '{"targets": {"install": {}}, "hooks": ["full.lua", "install_once"]}'
	plays 'exit 0' 'exit 0' 'exit 1' -- -t install
	is "$status" 0
	is "$(booted)" 'install default default'
	has 'error: install_once: vmrun.state was not saved: '
	is "$(kept .install_once)" '{"begun":true}'
	is_refused -t install
	can_keep
	# As soon as it can be kept it is: here at the end of the second boot.
	ctl "$vm" forget install_once
	echo 'return { on_exit = function(exit)
		vmrun.exec { exit.boots == 1 and "mkdir" or "rmdir", "state/'"$vm"'/state.json.new" } end }' >full.lua
	plays 'exit 0' 'exit 1' -- -t install
	is "$(booted)" 'install default'
	is "$(kept .install_once)" '{"done":true}'
}

@test "a spec that is read again does not forget what could not be kept" {
	echo 'return { on_exit = function() vmrun.exec { "mkdir", "-p", "state/'"$vm"'/state.json.new" } end }' >full.lua
	spec '{"targets": {"install": {}}, "hooks": ["full.lua", "install_once"]}'
	script 'exit 0' 'acpi on ready two wait exit 0' 'exit 1'
	start -t install vm.json
	await_file two
	await_text 'target default runs under'
	ctl "$vm" reload
	is "$status" 0
	ctl "$vm" reboot install
	is "$status" 0
	ends 0
	is "$(booted)" 'install default default'
	has 'on_start of install_once boots default in place of install'
}

@test "a boot that another hook refuses, or a stop ends before it starts, has not begun it" {
	echo 'return { on_start = function() return false, "not now" end }' >no.lua
	hooked '"install_once"'
	plays 'exit 1' -- -t install --hook no.lua
	is "$status" 69
	has 'not now'
	is "$(kept .install_once)" null
	echo 'return { on_start = function() print("waits") vmrun.sleep(1000) end }' >late.lua
	start -t install vm.json --hook late.lua
	await_text waits
	is "$(kept .install_once)" '{"begun":true}'
	kill -TERM "$pid"
	ends 0
	is "$(kept .install_once)" null
	VMRUN_BHYVE=/nonexistent plays 'exit 1' -- -t install
	is "$(cause)" ''
	has 'could not start the VM'
	is "$(kept .install_once)" null
	plays 'exit 1' -- -t install
	is "$(booted)" install
}

@test "where a hook before it answers to on_exit it hears of the end all the same" {
	echo 'return { on_exit = function(exit)
		if exit.boots == 1 then return exit.cause == "reboot" and "rescue" or vmrun.stop(0) end end }' >first.lua
	spec '{"targets": {"install": {}, "rescue": {}}, "hooks": ["first.lua", "install_once"]}'
	plays 'exit 0' 'exit 1' -- -t install
	is "$(booted)" 'install rescue'
	is "$(kept .install_once)" '{"done":true}'
	rm -r state
	plays 'exit 1' -- -t install
	is "$(booted)" install
	is "$(kept .install_once)" '{"done":true}'
	rm -r state
	plays 'exit 3' -- -t install
	is "$(kept .install_once)" '{"begun":true}'
}

@test "what version 0.1 kept is understood" {
	hooked '"install_once"'
	of_old install_once
	plays 'exit 1' -- -t install
	is "$status" 0
	is "$(booted)" default
	plays 'exit 1' --
	is "$(booted)" default
	cmp "state/$vm/state.json" "$SOURCE/tests/hooks/state-0.1/install_once.json"
	ctl "$vm" forget install_once
	is "$status" 0
	plays 'exit 3' --
	is "$(booted)" install
	is_refused
	of_old install_once
	hooked '{"use": "install_once", "target": "a", "id": "of-a"}'
	plays 'exit 0' 'exit 1' -- -t a
	is "$(booted)" 'a default'
	is "$(kept .)" '{"install_once:of-a":{"done":true},"installed":{"install":true}}'
}

@test "forget: where nothing runs, and where the VM runs" {
	hooked '"install_once"'
	plays 'exit 3' -- -t install
	is_refused
	ctl "$vm" forget install_once
	is "$status" 0
	is "$(cat said)" "$vm: dropped the state of install_once"
	is "$(kept .)" '{}'
	plays 'exit 1' --
	is "$(booted)" install
	plays 'exit 1' --
	is "$(booted)" default
	ctl "$vm" forget install_once
	is "$status" 0
	script 'acpi on ready up wait exit 3' 'exit 1'
	start --reboot-on triple_fault -t install vm.json
	await_file up
	is "$(kept .install_once)" '{"begun":true}'
	ctl "$vm" forget install_once
	is "$status" 0
	is "$(kept .)" '{}'
	kill -TERM "$(fake_pids | tail -n 1)"
	ends 0
	is "$(booted)" 'install install'
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
		{"use": "install_once", "target": "b", "id": "b"}]}'
	plays 'exit 0' 'exit 2' -- -t a
	is "$status" 0
	is "$(booted)" 'a a'
	plays 'exit 0' 'exit 1' -- -t a
	is "$(booted)" 'b default'
	plays 'exit 1' -- -t a
	is "$(booted)" 'default'
	is "$(kept .)" '{"install_once":{"done":true},"install_once:b":{"done":true}}'
	ctl "$vm" forget install_once:b
	plays 'exit 3' -- -t a
	is "$(booted)" b
	plays 'exit 1' -- -t a
	has "vmrunctl $vm forget install_once:b"
}

@test "a second use without an id is refused" {
	spec '{"targets": {"install": {}, "a": {"hooks": ["install_once"]}, "b": {"hooks": [
		{"use": "install_once", "id": "x"}, {"use": "install_once", "target": "a", "id": "x"}]}},
		"hooks": ["install_once", {"use": "install_once", "target": "a"}]}'
	vmrun vm.json
	is "$status" 65
	has 'hooks[1]: a second use of this hook would share the state "install_once" with the first one: give it an "id"'
	has 'targets.b.hooks[1]: a second use of this hook would share the state "install_once:x"'
	is "$(wc -l <err)" 2
	hooked '"install_once"'
	vmrun --hook install_once vm.json
	is "$status" 65
	has '--hook install_once: a second use of this hook'
}

@test "what it knows is forgotten with the state" {
	hooked '"install_once"'
	plays 'exit 1' -- -t install
	rm -r "state/$vm"
	plays 'exit 1' -- -t install
	is "$(booted)" install
}

@test "the target after the install is another one" {
	refuses '{"use": "install_once", "target": "default"}' \
		'hooks[0].target: install_once: option "target": expected another target than "next" has by default, got "default": the two targets must differ'
	refuses '{"use": "install_once", "next": "install"}' \
		'hooks[0].next: install_once: option "next": expected another target than "target" has by default, got "install": the two'
	refuses '{"use": "install_once", "target": "a", "next": "a"}' \
		'hooks[0].next: install_once: option "next": expected another target than "target" has, got "a": the two targets must differ'
}

@test "wrong options" {
	refuses '{"use": "install_once", "target": "instal", "next": 5, "done": ["rebot"], "once": true, "again": 1, "id": "a/b"}' \
		'hooks[0].again: install_once: option "again": expected true or false, got 1' \
		'hooks[0].id: install_once: option "id": expected an id: at most 64 of letters' \
		'hooks[0].target: install_once: option "target": unknown target "instal", did you mean "install"?' \
		'hooks[0].next: install_once: option "next": expected the name of a target, got 5' \
		'hooks[0].done: install_once: option "done": unknown cause "rebot", did you mean "reboot"?' \
		'hooks[0].once: install_once: unknown option "once" (known: again, auto, done, id, next, target)'
}
