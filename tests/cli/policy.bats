#!/usr/bin/env bats
# The declared policy: `on`, its report at the start, giving up, and its graph.
# shellcheck disable=SC2034,SC2154 # unchecked, vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# mems: prints the memory of each boot, which identifies its target
mems() {
	jq -r '.argv | .[index("-m") + 1]' starts | paste -sd' '
}

# walk KEYS SCRIPT-LINES [ARG...]: runs a VM with the targets a (128M) and b (256M); the lines are
# separated by /
walk() {
	spec "$(jq -c '.targets //= {} | .targets.a.mem //= "128M" | .targets.b.mem //= "256M"' <<<"$1")"
	rm -f starts
	tr / '\n' <<<"$2" >script
	shift 2
	vmrun "$@" vm.json
}

# policy: prints the report at the start, without the part that all lines have
policy() {
	sed -n "s/^vmrun: $vm: \(policy of .*\)/\1/p; s/^vmrun: $vm:   \([a-z]\)/\1/p" err
}

# --- on ---

@test "on: stop, boot, same, and a target, for causes of every kind" {
	walk '{"next_target": "a", "on": {"poweroff": "boot"}}' 'exit 1/exit 2'
	is "$status" 0
	is "$(mems)" '64M 128M'
	has 'next boot: target a (on.poweroff)'
	walk '{"next_target": "a", "on": {"halt": "same"}}' 'exit 2/exit 3'
	is "$status" 3
	is "$(mems)" '64M 64M'
	walk '{"on": {"triple_fault": {"boot": "b"}}}' 'exit 3/exit 3/exit 1'
	is "$(mems)" '64M 256M 256M'
	has 'next boot: target b (on.triple_fault)'
	walk '{"on": {"reboot": "stop"}}' 'exit 0/exit 1'
	is "$status" 0
	is "$(mems)" '64M'
	has 'no further boot (on.reboot)'
	walk '{"on": {"error": {"boot": "a"}, "killed": {"boot": "b"}}}' 'exit 71/signal 9/exit 1'
	is "$(mems)" '64M 128M 256M'
	walk '{"on": {"start_failed": {"boot": "a"}}}' 'exit 1' --bhyve ./nope --reboot-count 1
	is "$status" 127
	has 'next boot: target a (on.start_failed)'
}

@test "on stands behind --reboot-on and hooks, and before reboot_on" {
	walk '{"on": {"halt": "stop"}, "reboot_on": ["halt", "poweroff"]}' 'exit 1/exit 2/exit 1'
	is "$(mems)" '64M 64M'
	has 'no further boot (on.halt)'
	walk '{"on": {"halt": "stop"}}' 'exit 2/exit 3' --reboot-on halt
	is "$(mems)" '64M 64M'
	has 'no further boot (--reboot-on)'
	lua 'vm.on = { halt = "stop", poweroff = "same" }
		function vm.on_exit(exit) if exit.cause == "halt" then return true end end'
	rm starts
	script 'exit 2' 'exit 1' 'exit 3'
	vmrun vm.lua
	is "$(starts)" 3
	has 'next boot: target default (on.poweroff)'
}

@test "the policy is that of the target that ended: on merges cause by cause" {
	walk '{"on": {"halt": {"boot": "a"}, "poweroff": "stop"},
		"targets": {"a": {"on": {"halt": null, "poweroff": {"boot": "b"}}},
			"b": {"on": {"poweroff": "same"}}}}' 'exit 2/exit 1/exit 1/exit 2/exit 2'
	is "$(mems)" '64M 128M 256M 256M 128M'
	is "$status" 0
	vmrun --debug -t a vm.json
	is "$(jq -c .on out)" '{"poweroff":{"boot":"b"}}'
	spec '{"on": {"halt": {"boot": "a", "delay": 3}},
		"targets": {"a": {"on": {"halt": {"boot": "default"}}}, "b": {"on": {"halt": "same"}}}}'
	vmrun --debug -t a vm.json
	is "$(jq -c .on out)" '{"halt":{"boot":"default","delay":3}}'
	vmrun --debug -t b vm.json
	is "$(jq -c .on out)" '{"halt":"same"}'
}

@test "a delay of on is taken instead of the backoff's, and can be cut short" {
	walk '{"backoff": {"initial": 600}, "on": {"halt": {"boot": "a", "delay": 0.01}}}' 'exit 2/exit 1'
	is "$(mems)" '64M 128M'
	has 'next boot: target a in 0.01 s (on.halt)'
	spec '{"on": {"reboot": {"boot": "default", "delay": 600}}}'
	script 'exit 0' 'exit 0'
	start vm.json
	await_text 'next boot: target default in 10 min'
	kill -TERM "$pid"
	ends 0
}

@test "a start that failed is tried again after the backoff's delay" {
	spec '{"backoff": {"initial": 0.01}, "restart_limit": {"count": 2, "within": 3600},
		"on": {"start_failed": "same"}}'
	script 'exit 1'
	vmrun --bhyve ./nope vm.json
	is "$status" 10
	is "$(grep -c 'booting target' err)" 3
	has 'next boot: target default in 0.01 s (on.start_failed)'
	has 'next boot: target default in 0.02 s (on.start_failed)'
}

@test "targets of on that nobody has are found at the start, in every target" {
	spec '{"on": {"halt": {"boot": "rescu"}, "given_up": {"boot": "nope"}},
		"targets": {"rescue": {"on": {"error": {"boot": "resuce"}}}}}'
	vmrun vm.json
	is "$status" 65
	grep -q '^vm.json:[0-9]*:[0-9]*: on.halt.boot: no target "rescu", did you mean "rescue"? (there is: default, rescue)$' err
	grep -q '^vm.json:[0-9]*:[0-9]*: on.given_up.boot: no target "nope" (' err
	grep -q '^vm.json:[0-9]*:[0-9]*: targets.rescue.on.error.boot: no target "resuce", did you mean "rescue"?' err
	is "$(starts)" ''
}

@test "on_prepare may change on, and is checked again" {
	lua 'vm.targets = { a = { mem = "128M" } }
		function vm.on_prepare(spec) spec.on = { halt = { boot = "a" } } return spec end'
	script 'exit 2' 'exit 1'
	vmrun vm.lua
	is "$(mems)" '64M 128M'
	lua 'function vm.on_prepare(spec) spec.on = { halt = { boot = "a" } } return spec end'
	rm starts
	vmrun vm.lua
	is "$status" 65
	has 'no target "a"'
	is "$(starts)" ''
}

@test "what on refuses: causes that are none, statuses, a stop request" {
	spec '{"on": {"stopped": "boot", "3": "boot", "trple_fault": "stop", "halt": "sometimes",
		"given_up": "same"}}'
	vmrun vm.json
	is "$status" 65
	has ': on.stopped: a stop request always stops'
	has ': on.3: causes stand here, no statuses: say "triple_fault"'
	has ': on.trple_fault: unknown key "trple_fault", did you mean "triple_fault"?'
	has ': on.halt: "sometimes" is none of "stop", "boot", "same"'
	has ': on.given_up: "same" is none of "stop", "wait"'
	is "$(wc -l <err)" 5
}

# --- what is told at the start ---

@test "the policy is told at the start, one line a cause" {
	walk '{"next_target": "a", "backoff": {"initial": 2}, "restart_limit": {"count": 4, "within": 60},
		"on": {"halt": "same", "triple_fault": {"boot": "b", "delay": 5}, "given_up": "wait"}}' 'exit 1'
	is "$(policy)" 'policy of target default:
reboot         boots a at once (next_target)
poweroff       stops (default)
halt           boots default in 2 s (on.halt)
triple_fault   boots b in 5 s (on.triple_fault)
error          stops (default)
killed         stops (default)
start_failed   stops (default)
check_failed   stops (default)
given_up       waits for a reset (on.given_up)'
	is "$(grep -n 'policy of' err | cut -d: -f1)" 1
	is "$(grep -c 'policy of' err)" 1
}

@test "it is that of the first target, with the options, and names the hooks" {
	walk '{"reboot_on": ["reboot", 71], "restart_limit": {"count": 4, "within": 60},
		"targets": {"a": {"on": {"halt": "boot"}, "next_target": "b"}}}' 'exit 1' -t a
	is "$(policy)" 'policy of target a:
reboot         boots b at once (reboot_on)
poweroff       stops (reboot_on)
halt           boots b at once (on.halt)
triple_fault   stops (reboot_on)
error          stops (reboot_on)
error 71       boots b at once (reboot_on)
killed         stops (reboot_on)
start_failed   stops (reboot_on)
check_failed   stops (reboot_on)
given_up       stops (restart_limit: 4 boots within 60 s)'
	walk '{}' 'exit 1' --no-reboot
	is "$(policy | sed -n 2p)" 'reboot         stops (--no-reboot)'
	walk '{}' 'exit 1' --reboot-count 0
	is "$(policy | sed -n 2p)" 'reboot         stops (--reboot-count 0)'
	walk '{}' 'exit 3' --reboot-on halt
	is "$(policy | sed -n 4p)" 'halt           boots default at once (--reboot-on)'
	lua 'vm.hooks = { "a.lua", "b.lua" } function vm.on_exit() end'
	echo 'return { on_exit = function() end }' >a.lua
	echo 'return { on_started = function() end }' >b.lua
	script 'exit 1'
	vmrun vm.lua
	is "$(policy | head -n 1)" 'policy of target default, after on_exit of vm.lua, on_exit of a.lua:'
}

@test "nothing is told where nothing is run" {
	spec
	vmrun -d vm.json
	vmrun --debug vm.json
	lacks 'policy of'
	unchecked=()
	vmrun --check vm.json
	lacks 'policy of'
}

# --- giving up ---

@test "given up: what happened at each of the last exits, status 10" {
	spec '{"restart_limit": {"count": 2, "within": 3600}, "on": {"error": "same", "killed": "same"}}'
	script 'exit 0' 'signal 9' 'err first err last_words exit 5' 'exit 5'
	vmrun vm.json
	is "$status" 10
	is "$(starts)" 3
	has "$vm: given up: it booted too often in a short time (restart_limit: 2 boots within 3600 s)"
	is "$(grep ' s ago: ' err | sed 's/[0-9.][0-9.]* s/N s/g; s/vmrun: [^:]*: *//')" \
		'N s ago: target default: reboot, status 0, after N s, by the guest
N s ago: target default: killed, signal 9, after N s
N s ago: target default: error, status 5, after N s: last words'
	has 'no further boot (restart_limit: 2 boots within 3600 s)'
	has 'ended with status 10: given up'
}

@test "only as many exits are told as were counted" {
	spec '{"restart_limit": {"count": 1, "within": 0.01}}'
	script 'sleep 20 exit 0' 'sleep 20 exit 0' 'sleep 20 exit 0' 'exit 1' # each in a window of its own
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 4
	lacks 'given up:'
	spec '{"restart_limit": {"count": 1, "within": 3600}}'
	rm starts
	script 'exit 0' 'exit 0' 'exit 0'
	vmrun vm.json
	is "$status" 10
	is "$(grep -c ' s ago: ' err)" 2
}

@test "on.given_up boots a target, once, and its boots are counted anew" {
	walk '{"restart_limit": {"count": 2, "within": 3600}, "on": {"given_up": {"boot": "b"}}}' \
		'exit 0/exit 0/exit 0/exit 0/exit 0/exit 0/exit 0'
	is "$status" 10
	is "$(mems)" '64M 64M 64M 256M 256M'
	has 'next boot: target b (on.given_up)'
	has 'no further boot (restart_limit: 2 boots within 3600 s, again)'
	is "$(grep -c 'given up: it booted' err)" 3 # twice, and at the end
	walk '{"restart_limit": {"count": 1, "within": 3600}, "on": {"given_up": {"boot": "b"}}}' \
		'exit 0/exit 0/exit 1'
	is "$status" 0
	is "$(mems)" '64M 64M 256M'
}

@test "on.given_up: stop is the default, and says who stopped" {
	walk '{"restart_limit": {"count": 1, "within": 3600}, "on": {"given_up": "stop"}}' 'exit 0/exit 0/exit 0'
	is "$status" 10
	is "$(starts)" 2
	has 'no further boot (on.given_up)'
}

@test "on.given_up: wait, idle, until a stop request: status 0" {
	spec '{"restart_limit": {"count": 1, "within": 3600}, "on": {"given_up": "wait"}}'
	script 'exit 0' 'exit 0' 'exit 0'
	start vm.json
	await_text 'no further boot until somebody resets it (on.given_up)'
	nothing_runs
	kill -0 "$pid"
	kill -TERM "$pid"
	ends 0
	is "$(starts)" 2
	has 'ended with status 0: stopped on request'
}

@test "the boots that hooks ask for are counted too, and hooks hear of given_up" {
	lua 'vm.restart_limit = { count = 2, within = 3600 }
		vm.on = { given_up = { boot = "b" } }
		vm.targets = { b = { mem = "256M", on_exit = function(exit)
			if exit.cause ~= "given_up" then return false end end } }
		function vm.on_exit(exit)
			if exit.cause == "given_up" then vmrun.log("info", "heard") end
			return "default"
		end'
	script 'exit 3' 'exit 3' 'exit 3' 'exit 3' 'exit 3'
	vmrun vm.lua
	is "$status" 3
	is "$(mems)" '64M 64M 64M 256M'
	is "$(grep -c 'vmrun: heard' err)" 1
}

# --- the graph ---

# Checks brackets, quotes and semicolons of DOT, for hosts without dot(1).
well_formed() {
	head -n 1 out | grep -qxE 'digraph "[^"]+" \{'
	tail -n 1 out | grep -qx '}'
	# shellcheck disable=SC1003
	sed '1d;$d' out | grep -vxE '	(rankdir=LR|([a-z]+[0-9]*( -> [a-z]+[0-9]*)?)( \[([a-z]+=([a-z0-9]+|"([^"\\]|\\.)*") ?)+\])?)' &&
		return 1
	! command -v dot >/dev/null || dot -Tplain out >plain
}

@test "--print graph: targets, causes and where they lead" {
	spec '{"next_target": "a", "restart_limit": {"count": 5, "within": 30}, "targets": {
		"a": {"on": {"triple_fault": {"boot": "a \"b\" \\\\", "delay": 5}, "given_up": {"boot": "default"}}},
		"a \"b\" \\\\": {}}}'
	vmrun --print graph vm.json
	is "$status" 0
	[ ! -s err ]
	well_formed
	grep -qx '	t0 \[label="a"\]' out
	grep -qxF '	t1 [label="a \"b\" \\\\"]' out
	grep -qx '	t2 \[label="default"\]' out
	grep -qx '	start -> t2' out
	grep -qx '	t2 -> t0 \[label="reboot (next_target)"\]' out
	grep -qx '	t0 -> t1 \[label="triple_fault in 5 s"\]' out
	grep -qx '	t0 -> g0 \[label="more than 5 boots\\nwithin 30 s" style=dotted\]' out
	grep -qx '	g0 -> t2 \[label="once" style=dotted\]' out
	cp out first
	vmrun --print graph vm.json
	cmp out first
	vmrun --print graph -t a --no-reboot vm.json
	well_formed
	grep -qx '	start -> t0' out
	is "$(grep -c ' -> t[0-9]* \[' out)" 0
	is "$(starts)" ''
}

@test "--print graph: hooks are told, of each target on its own" {
	lua 'vm.targets = { a = { on_exit = function() error("not called") end }, b = { hooks = { "b.lua" } },
		c = { hooks = { "c.lua" } } }'
	echo 'return { on_exit = function() end }' >b.lua
	echo 'return { on_started = function() end }' >c.lua
	vmrun --print graph vm.lua
	is "$status" 0
	well_formed
	grep -qx '	t0 \[label="a\\n(hooks may decide otherwise)" style="rounded,dashed"\]' out
	grep -qx '	t1 \[label="b\\n(hooks may decide otherwise)" style="rounded,dashed"\]' out
	grep -qx '	t2 \[label="c"\]' out
	grep -qx '	t3 \[label="default"\]' out
}

@test "--print graph wants a file, and a good one" {
	vmrun --print graph
	is "$status" 64
	spec '{"on": {"halt": {"boot": "nope"}}}'
	vmrun --print graph vm.json
	is "$status" 65
	[ ! -s out ]
	vmrun --print graph -t nope "$SOURCE/examples/policy.json"
	is "$status" 65
	vmrun --print graph "$SOURCE/examples/policy.json"
	is "$status" 0
	well_formed
}
