#!/usr/bin/env bats
# What --simulate says is what a run does: the same targets, causes, actions and deciders, and the
# same end.  Each line is walked twice, as a simulation and with fakebhyve.
# shellcheck disable=SC2154 # vm: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	walks=0
	# Delays as short as the moments of a run; those of a spec are too long for a test.
	quick='backoff={"initial":0.01,"factor":2,"max":0.04,"reset_after":600}'
	world=()
}

teardown() {
	common_teardown
}

# same LIST [OPTION VALUE]... FILE: both walks, each from the same state, agree
same() {
	local list=$1
	shift
	walks=$((walks + 1))
	rm -rf state
	[ ! -e before ] || cp -R before state
	"$WALK" --run-dir "$BATS_RUN_TMPDIR/run" --state-dir "$PWD/state" "${world[@]}" \
		"${@:1:$#-1}" "$list" "${!#}" >rows 2>err </dev/null && return
	echo "$list ${*:1}" >&2
	cat rows err >&2
	return 1
}

# example FILE: a copy with its delays gone, so that the tests need not wait for it
example() {
	file=$SOURCE/examples/$1
	world=(--set "$quick")
}

@test "plain policies: every cause and status, each alone and after a reboot" {
	local one on
	spec
	spec '{"reboot_on": ["halt", 3, "killed", 64, "start_failed", "check_failed"]}' list.json
	spec '{"reboot_on": []}' none.json
	for one in reboot poweroff halt triple_fault error killed start_failed check_failed stopped \
		5 64 71 100 255; do
		for on in vm list none; do
			same "$one,poweroff" "$on.json"
		done
		same "$one,reboot,$one,stopped" --reboot-on "$one" vm.json
		same "reboot,$one,$one,$one,$one" --reboot-on reboot,"$one" --reboot-count 2 vm.json
	done
	is "$walks" 70
}

@test "declared policies: on, next_target, delays, by target" {
	local list
	spec '{"on": {"triple_fault": {"boot": "a"}, "error": {"boot": "b", "delay": 0.01}, "killed": "same",
			"halt": "boot", "check_failed": {"boot": "b"}, "poweroff": "stop", "start_failed": "boot"},
		"next_target": "a", "targets": {"a": {"next_target": "b", "on": {"reboot": "same"}},
			"b": {"extends": "a", "next_target": null, "reboot_on": [0, "halt"], "on": {"halt": null}}}}'
	for list in reboot,reboot,reboot triple_fault,triple_fault,poweroff error,error,reboot,halt,halt,4 \
		killed,halt,killed,stopped check_failed,check_failed,check_failed reboot,check_failed,reboot,1 \
		start_failed,start_failed,start_failed halt,halt,halt,halt error,check_failed,triple_fault,killed,9; do
		same "$list" vm.json
		same "$list" -t a vm.json
		same "$list" -t b vm.json
	done
}

@test "restart_limit: given up, and what follows it" {
	local limit given_up
	for limit in 1 3; do
		for given_up in '"stop"' '"wait"' '{"boot": "rescue"}' '{"boot": "rescue", "delay": 0.01}' null; do
			spec '{"restart_limit": {"count": '"$limit"', "within": 600}, "on": {"killed": "boot",
				"given_up": '"$given_up"'}, "targets": {"rescue": {"next_target": "default"}}}'
			same reboot,reboot,reboot,reboot,reboot,reboot,reboot,poweroff vm.json
			same killed,reboot,killed,killed,killed,killed vm.json
			same killed,poweroff vm.json
			same reboot,reboot,stopped vm.json
			same check_failed,reboot,reboot,reboot,check_failed,reboot --reboot-on reboot,check_failed vm.json
		done
	done
	spec '{"restart_limit": {"count": 2, "within": 0.5}}'
	same reboot,reboot,reboot@0.7,reboot,reboot@0.7,reboot,reboot,reboot,reboot vm.json
}

@test "a loader that fails" {
	local more
	PATH=$SOURCE/tests/examples/bin:$SOURCE/tests/fake/bin:$PATH
	for more in '{}' '{"reboot_on": ["reboot", "loader_failed"]}' \
		'{"on": {"loader_failed": {"boot": "a"}}, "targets": {"a": {"next_target": "default"}}}'; do
		spec "$more"
		jq 'del(.bootrom) | .loader = "bhyveload" |
			.emulations = [{device: "virtio-blk", path: "disk.img"}]' vm.json >loaded.json
		same loader_failed loaded.json
		same reboot,loader_failed,reboot,poweroff loaded.json
		same loader_failed,loader_failed,loader_failed,triple_fault loaded.json
	done
}

@test "hooks in Lua: answers, waits, errors, refusals, state" {
	local list
	lua "vm.targets = { a = {}, b = {} }
		vm.hook_timeout = 0.2
		local n = 0
		function vm.on_prepare(spec, boot)
			if boot.boots == 6 then error('no more', 0) end
		end
		function vm.on_start(boot)
			vmrun.state.starts = (vmrun.state.starts or 0) + 1
			if vmrun.state.starts == 5 then return false, 'enough' end
		end
		function vm.on_started() vmrun.sleep(0.05) vmrun.state.up = (vmrun.state.up or 0) + 1 end
		function vm.on_exit(exit)
			n = n + 1
			if exit.cause == 'halt' then while true do end end
			if exit.cause == 'error' then error('broken') end
			if exit.count.killed == 2 then return vmrun.stop(exit.boots) end
			if exit.cause == 'killed' then return vmrun.boot('a', { delay = 0.01 }) end
			if exit.cause == 'triple_fault' then vmrun.sleep(0.01) return 'b' end
			if exit.cause == 'check_failed' then return exit.history[2] ~= nil end
			if vmrun.state.up == 2 then return 'a' end
			if exit.uptime >= 0.1 and #exit.history > 1 and exit.window(0.1) < 2 then return 'b' end
		end"
	for list in reboot,reboot,reboot,reboot,reboot,reboot,reboot killed,reboot,killed,reboot halt,reboot \
		reboot,halt reboot,error,reboot triple_fault,triple_fault,killed,poweroff check_failed \
		reboot,check_failed,reboot,poweroff reboot@0.2,reboot@0.2,reboot@0.2,poweroff \
		reboot@0.2,poweroff reboot,reboot@0.2,stopped; do
		same "$list" vm.lua
		same "$list" -t a --reboot-on reboot,triple_fault,check_failed,error vm.lua
	done
}

@test "install_once" {
	local list
	spec '{"targets": {"install": {}, "b": {}}, "hooks": ["install_once"]}'
	spec '{"targets": {"install": {"next_target": "b"}, "b": {}}, "hooks": [
		{"use": "install_once", "next": "b", "done": ["halt", "reboot"]}]}' more.json
	for list in reboot,reboot,poweroff poweroff halt,reboot error triple_fault,reboot stopped \
		reboot,stopped check_failed,reboot start_failed killed; do
		same "$list" -t install vm.json
		same "$list" -t install more.json
		same "$list" vm.json
		same "$list" -t install --reboot-on triple_fault,error,killed,check_failed,start_failed vm.json
	done
	mkdir -p "before/$vm"
	echo '{"installed": {"install": true}}' >"before/$vm/state.json"
	for list in reboot,poweroff triple_fault stopped; do
		same "$list" -t install vm.json
		same "$list" -t install more.json
	done
}

@test "rescue_after and backoff" {
	local list
	spec '{"targets": {"rescue": {"next_target": "default"}}, "hooks": [{"use": "rescue_after", "within": 0.6}]}'
	spec '{"targets": {"rescue": {}}, "restart_limit": {"count": 5, "within": 60}, "hooks": [
		{"use": "rescue_after", "faults": 2, "retry": false},
		{"use": "backoff", "initial": 0.01, "max": 0.02, "causes": ["halt", "killed", "error"]}]}' both.json
	for list in 3,3,3,0,1 3,0,3,3,3,3,poweroff killed,error,triple_fault,reboot,killed,killed,killed,stopped \
		3@0.4,3@0.4,3@0.4,1 2,2,2,2,2,2,2,2 killed,killed,killed,killed check_failed,3,3,3,1 \
		start_failed,reboot error,error,error,error,error,error,error; do
		same "$list" vm.json
		same "$list" both.json
		same "$list" -t rescue both.json
	done
}

@test "ab_upgrade: with requests, trials, confirmations" {
	local list
	hook='{"use": "ab_upgrade", "stays_up": 0.3, "request": "asked", "confirm": "good"}'
	spec '{"targets": {"a": {}, "b": {}}, "hooks": ['"$hook"']}'
	for list in reboot,reboot,poweroff reboot,3,poweroff reboot,reboot@0.5,reboot,poweroff \
		poweroff reboot,poweroff reboot,stopped reboot,killed,reboot,reboot triple_fault; do
		same "$list" -t a vm.json
		touch asked
		same "$list" -t b vm.json
		touch asked good
		same "$list" -t a vm.json
		rm -f asked good
	done
	mkdir -p "before/$vm"
	echo '{"slot": "b"}' >"before/$vm/state.json"
	touch asked
	same reboot,reboot,poweroff -t a vm.json
	same reboot@0.5,reboot,poweroff -t b vm.json
}

@test "notify and daily_window beside a policy" {
	spec '{"hooks": [{"use": "notify", "command": ["true"]}, {"use": "daily_window", "from": "00:00", "to": "00:00"},
		"rescue_after"], "targets": {"rescue": {}}}'
	same reboot,triple_fault,triple_fault,triple_fault,poweroff vm.json
	same check_failed vm.json
	same killed,reboot,stopped vm.json
}

@test "the examples" {
	local list
	export VMRUN_GUEST=$rom
	example hello.lua
	for list in reboot,poweroff poweroff error reboot,triple_fault; do
		same "$list" -t install "$file"
	done
	example policy.json
	for list in triple_fault,reboot,poweroff triple_fault,triple_fault reboot,reboot,reboot,reboot,reboot,reboot,reboot,stopped; do
		same "$list" "$file"
		same "$list" -t rescue "$file"
		same "$list" -t install "$file"
	done
	example install-once.json
	for list in reboot,reboot,poweroff error poweroff stopped; do
		same "$list" -t install "$file"
	done
	example rescue.json
	for list in triple_fault,killed,triple_fault,reboot,poweroff triple_fault,triple_fault,triple_fault,killed \
		reboot,killed,error triple_fault@0.2,reboot,triple_fault,triple_fault,poweroff; do
		same "$list" "$file"
	done
	example ab-upgrade.json
	for list in reboot,poweroff reboot,triple_fault stopped; do
		same "$list" -t a "$file"
		same "$list" -t b "$file"
	done
	example staged.json
	for list in reboot,poweroff,reboot,reboot,poweroff reboot,triple_fault reboot,reboot,error reboot,reboot,stopped; do
		same "$list" -t firmware "$file"
		same "$list" -t install "$file"
	done
	example backoff.json
	for list in killed,triple_fault,triple_fault,triple_fault,triple_fault,reboot,poweroff \
		3,3,3,3,3,3,3,3,3,3,3 killed,poweroff stopped; do
		same "$list" "$file"
	done
	example passthru.json
	for list in check_failed,poweroff reboot,check_failed,reboot,triple_fault check_failed,check_failed,halt; do
		same "$list" "$file"
		same "$list" -t without "$file"
	done
	VM=web1 same reboot,reboot,halt "$SOURCE/examples/fleet.lua"
	example window.json
	world+=(--set 'hooks=[]') # it may be day; its hooks decide nothing
	same triple_fault "$file"
	same reboot,error "$file"
	example shrink.json
	for list in killed,killed,killed killed,reboot,killed,poweroff poweroff stopped; do
		same "$list" "$file"
	done
	example jail/vm.json
	same reboot,reboot,stopped "$file"
	example readme.json
	same reboot,reboot,poweroff -t install "$file"
}
