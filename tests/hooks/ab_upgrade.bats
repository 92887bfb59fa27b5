#!/usr/bin/env bats
# The stock hook ab_upgrade.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load hooks
	common_setup
	unchecked+=(--state-dir "$PWD/state")
}

teardown() {
	common_teardown
}

slot() {
	jq -r .ab_upgrade.slot "state/$vm/state.json"
}

@test "without a request it stays in its slot, which is the first one started" {
	hooked '{"use": "ab_upgrade", "stays_up": 0.1}'
	plays 'exit 0' 'sleep 200 exit 0' 'exit 1' -- -t b
	is "$status" 0
	is "$(booted)" 'b b b'
	is "$(slot)" b
	plays 'exit 1' -- -t a
	is "$(booted)" b
	has 'on_start of ab_upgrade boots b in place of a'
}

@test "a request at a reboot tries the other slot; it stays up and is taken, for later runs too" {
	hooked '{"use": "ab_upgrade", "stays_up": 0.2, "request": "upgrade"}'
	touch upgrade
	plays 'exit 0' 'sleep 400 exit 0' 'exit 3' -- -t a
	is "$status" 3
	is "$(booted)" 'a b b'
	has 'slot b is good and in use from now on'
	[ ! -e upgrade ]
	is "$(slot)" b
	plays 'exit 1' -- -t a
	is "$(booted)" b
}

@test "a new slot that ends before its time is left again" {
	local ending
	hooked '{"use": "ab_upgrade", "request": "upgrade"}'
	for ending in 'exit 3' 'exit 0' 'exit 4' 'signal 9'; do
		touch upgrade
		plays 'exit 0' "$ending" 'exit 1' -- -t a
		is "$status" 0
		is "$(booted)" 'a b a'
		is "$(slot)" a
	done
	touch upgrade
	plays 'exit 0' 'exit 1' -- -t a
	is "$(booted)" 'a b'
	is "$(slot)" a
}

@test "it is taken while it runs: an end of vmrun afterwards changes nothing" {
	hooked '{"use": "ab_upgrade", "stays_up": 0.2, "request": "upgrade"}'
	touch upgrade
	script 'exit 0' 'hang'
	start -t a vm.json
	await_text 'slot b is good'
	await eval '[ "$(slot)" = b ]'
	kill -KILL "$pid"
	end_fakes
	is "$(slot)" b
}

@test "a stop in the middle of the try: the old slot stays in use" {
	hooked '{"use": "ab_upgrade", "request": "upgrade"}'
	touch upgrade
	script 'exit 0' 'acpi on ready up wait exit 1'
	start -t a vm.json
	await_file up
	kill -TERM "$pid"
	ends 0
	is "$(slot)" a
	plays 'exit 1' -- -t b
	is "$(booted)" a
}

@test "a new slot that says that it is good is taken at once" {
	hooked '{"use": "ab_upgrade", "request": "upgrade", "confirm": "good"}'
	touch upgrade
	plays 'exit 0' 'ready good exit 0' 'exit 1' -- -t a
	is "$(booted)" 'a b b'
	is "$(slot)" b
	[ ! -e good ]
}

@test "a confirmation from before the try is none" {
	hooked '{"use": "ab_upgrade", "request": "upgrade", "confirm": "good"}'
	touch upgrade good
	plays 'exit 0' 'exit 3' 'exit 1' -- -t a
	is "$(booted)" 'a b a'
	is "$(slot)" a
}

@test "the request stays where something else decides what boots next" {
	hooked '{"use": "ab_upgrade", "request": "upgrade"}'
	touch upgrade
	plays 'exit 0' -- --no-reboot -t a
	is "$(booted)" a
	[ -e upgrade ]
	plays 'exit 0' 'exit 1' -- -t a
	is "$(booted)" 'a b'
	[ ! -e upgrade ]
}

@test "only a reboot hears the request, and other targets are none of its business" {
	hooked '{"use": "ab_upgrade", "request": "upgrade"}' '{"reboot_on": ["reboot", "halt"]}'
	touch upgrade
	plays 'exit 2' 'exit 1' -- -t a
	is "$(booted)" 'a a'
	[ -e upgrade ]
	plays 'exit 0' 'exit 1' --
	is "$(booted)" 'default default'
	[ -e upgrade ]
}

@test "a slot that was renamed counts for nothing" {
	hooked '"ab_upgrade"'
	plays 'exit 1' -- -t b
	hooked '{"use": "ab_upgrade", "b": "install"}'
	plays 'exit 1' -- -t install
	is "$(booted)" install
	is "$(slot)" install
}

@test "a try that something else begins; slots of other names" {
	hooked '{"use": "ab_upgrade", "a": "rescue", "b": "install"}' '{"targets": {"rescue": {"next_target": "install"}}}'
	plays 'exit 0' 'exit 3' 'exit 1' -- -t rescue
	is "$(booted)" 'rescue install rescue'
	hooked '{"use": "ab_upgrade", "a": "rescue", "b": "install", "stays_up": 0.1}' \
		'{"targets": {"rescue": {"next_target": "install"}}}'
	plays 'exit 0' 'sleep 200 exit 1' -- -t rescue
	is "$(booted)" 'rescue install'
	is "$(slot)" install
}

@test "what version 0.1 kept is understood, and forgotten" {
	hooked '"ab_upgrade"'
	of_old ab_upgrade
	plays 'exit 1' -- -t a
	is "$(booted)" b
	cmp "state/$vm/state.json" "$SOURCE/tests/hooks/state-0.1/ab_upgrade.json"
	ctl "$vm" forget ab_upgrade
	is "$status" 0
	plays 'exit 1' -- -t a
	is "$(booted)" a
	is "$(slot)" a
}

@test "a state that cannot be read: no slot is booted" {
	local text
	hooked '"ab_upgrade"'
	mkdir -p "state/$vm"
	for text in '{ "ab_upgrade": { "sl' '{"ab_upgrade": 5}'; do
		printf '%s' "$text" >"state/$vm/state.json"
		for target in a b; do
			plays 'exit 1' -- -t "$target"
			is "$status" 69
			is "$(booted)" ''
			has 'on_start of ab_upgrade refused the boot: it failed: '
		done
		is "$(cat "state/$vm/state.json")" "$text"
		plays 'exit 1' --
		is "$(booted)" default
	done
}

@test "a first slot that cannot be kept is not booted" {
	hooked '"ab_upgrade"'
	cannot_keep
	plays 'exit 1' -- -t a
	is "$status" 69
	is "$(booted)" ''
	has 'on_start of ab_upgrade refused the boot: cannot save that slot a is in use: vmrun.state was not saved: '
}

@test "a new slot that cannot be kept stays in use until vmrun ends" {
	echo 'return { on_started = function(boot)
		if boot.target == "b" then vmrun.exec { "mkdir", "-p", "state/'"$vm"'/state.json.new" } end end }' >full.lua
	spec '{"targets": {"a": {}, "b": {}}, "hooks": ["full.lua",
		{"use": "ab_upgrade", "stays_up": 0.2, "request": "upgrade"}]}'
	touch upgrade
	plays 'exit 0' 'sleep 600 exit 0' 'exit 0' 'exit 1' -- -t a
	is "$(booted)" 'a b b b'
	has 'error: slot b is in use only until vmrun exits: vmrun.state was not saved: '
	is "$(slot)" a
}

@test "a confirmation that cannot be removed confirms nothing" {
	hooked '{"use": "ab_upgrade", "request": "upgrade", "confirm": "good/"}'
	mkdir good
	touch upgrade
	plays 'exit 0' 'exit 1' -- -t a
	is "$status" 0
	is "$(booted)" 'a a'
	has 'warning: cannot remove '
	has 'of an earlier try would confirm this one'
}

@test "two pairs of slots" {
	spec '{"targets": {"a": {}, "b": {}, "rescue": {}, "install": {}}, "hooks": [
		{"use": "ab_upgrade"}, {"use": "ab_upgrade", "a": "rescue", "b": "install", "id": "tools"}]}'
	plays 'exit 1' -- -t b
	plays 'exit 1' -- -t rescue
	is "$(kept .)" '{"ab_upgrade":{"slot":"b"},"ab_upgrade:tools":{"slot":"rescue"}}'
	plays 'exit 1' -- -t install
	is "$(booted)" rescue
	spec '{"targets": {"a": {}, "b": {}, "c": {}}, "hooks": ["ab_upgrade", {"use": "ab_upgrade", "b": "c"}]}'
	vmrun vm.json
	is "$status" 65
	has 'hooks[1]: a second use of this hook would share the state "ab_upgrade"'
}

@test "the two slots are two targets" {
	refuses '{"use": "ab_upgrade", "a": "a", "b": "a"}' \
		'hooks[0].b: ab_upgrade: option "b": expected another target than "a" has, got "a": the two targets must differ'
	refuses '{"use": "ab_upgrade", "a": "b"}' \
		'hooks[0].a: ab_upgrade: option "a": expected another target than "b" has by default, got "b": the two targets must'
}

@test "wrong options" {
	refuses '{"use": "ab_upgrade", "a": "aa", "b": "a", "stays_up": "5m", "request": "", "confirm": 1, "slots": []}' \
		'hooks[0].a: ab_upgrade: option "a": unknown target "aa", did you mean "a"?' \
		'hooks[0].stays_up: ab_upgrade: option "stays_up": expected a number from 0 to 31622400, in seconds, got "5m"' \
		'hooks[0].request: ab_upgrade: option "request": expected a path, got ""' \
		'hooks[0].confirm: ab_upgrade: option "confirm": expected a path, got 1' \
		'hooks[0].slots: ab_upgrade: unknown option "slots"'
}
