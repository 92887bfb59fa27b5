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
	jq -r '.argv | .[index("-m") + 1]' starts | paste -sd' ' -
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
	grep -q '^vm.json:[0-9]*:[0-9]*: on.halt.boot: unknown target "rescu", did you mean "rescue"? (known: default, rescue)$' err
	grep -q '^vm.json:[0-9]*:[0-9]*: on.given_up.boot: unknown target "nope" (' err
	grep -q '^vm.json:[0-9]*:[0-9]*: targets.rescue.on.error.boot: unknown target "resuce", did you mean "rescue"?' err
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
	has 'unknown target "a"'
	is "$(starts)" ''
}

@test "what on refuses: causes that are none, statuses, a stop request" {
	spec '{"on": {"stopped": "boot", "3": "boot", "trple_fault": "stop", "halt": "sometimes",
		"given_up": "same"}}'
	vmrun vm.json
	is "$status" 65
	has ': on.stopped: "stopped" cannot have an action: a stop request always stops'
	has ': on.3: status 3 has a name here: expected "triple_fault" (a status is "5" to "255")'
	has ': on.trple_fault: unknown key "trple_fault", did you mean "triple_fault"?'
	has ': on.halt: invalid value "sometimes": expected one of "stop", "boot", "same" or { "boot": TARGET, '
	has ': on.given_up: invalid value "same": expected one of "stop", "wait" or { "boot": TARGET, '
	is "$(wc -l <err)" 5
}

@test "--simulate tells delays, and why a boot was refused" {
	lua 'vm.on = { halt = { boot = "bad", delay = 2.5 } }
		vm.targets = { bad = { mem = "128M" }, worse = { mem = "256M", on_prepare = function(spec)
			spec.mem = "x"
			return spec
		end } }
		vm.next_target = "worse"
		function vm.on_start(boot) if boot.target == "bad" then return false, "no space" end end'
	vmrun --simulate halt,poweroff vm.lua
	is "$(cut -f 3,7 out | tr '\t' ' ')" 'halt 2.5
check_failed -'
	has 'on_start of vm.lua refused the boot: no space'
	vmrun --simulate halt,poweroff --json vm.lua
	is "$(jq -c '.[] | [.delay_ms, .reason]' out)" '[2500,null]
[null,"on_start of vm.lua refused the boot: no space"]'
	vmrun --simulate reboot,poweroff vm.lua
	is "$(sed -n 1p out | cut -f 5-7)" $'worse\tnext_target\t0'
	has 'on_prepare: mem: invalid size "x"'
}

# --- what is told at the start ---

@test "at the start the policy is told where it differs from the default" {
	walk '{"next_target": "a", "backoff": {"initial": 2}, "restart_limit": {"count": 4, "within": 60},
		"on": {"halt": "same", "triple_fault": {"boot": "b", "delay": 5}, "given_up": "wait"}}' 'exit 1'
	is "$(policy)" 'policy of target default:
reboot         boots a at once (next_target)
halt           boots default in 2 s (on.halt)
triple_fault   boots b in 5 s (on.triple_fault)
given_up       waits for a reset (on.given_up)
every other end stops (--print policy shows all)'
	is "$(grep -n 'policy of' err | cut -d: -f1)" 1
	is "$(grep -c 'policy of' err)" 1
}

@test "it is that of the first target, with the options, and names the hooks" {
	walk '{"reboot_on": ["reboot", 71], "restart_limit": {"count": 4, "within": 60},
		"targets": {"a": {"on": {"halt": "boot"}, "next_target": "b"}}}' 'exit 1' -t a
	is "$(policy)" 'policy of target a:
reboot         boots b at once (reboot_on)
halt           boots b at once (on.halt)
error 71       boots b at once (reboot_on)
every other end stops (--print policy shows all)'
	walk '{}' 'exit 1' --no-reboot
	is "$(policy | sed -n 2p)" 'reboot         stops (--no-reboot)'
	walk '{}' 'exit 1' --reboot-count 0
	is "$(policy | sed -n 2p)" 'reboot         stops (--reboot-count 0)'
	walk '{}' 'exit 3' --reboot-on halt,reboot
	is "$(policy | sed 1d)" 'halt           boots default at once (--reboot-on)
a reboot boots again, every other end stops (--print policy shows all)'
	walk '{}' 'exit 1' --events events
	is "$(policy)" 'policy of target default: a reboot boots again, every other end stops (--print policy shows all)'
	is "$(jq -r 'select(.event == "policy") | .cause' events | wc -l)" 8
	lua 'vm.hooks = { "a.lua", "b.lua" } function vm.on_exit() end'
	echo 'return { on_exit = function() end }' >a.lua
	echo 'return { on_started = function() end }' >b.lua
	script 'exit 1'
	vmrun vm.lua
	is "$(policy | head -n 1)" 'policy of target default, after on_exit of vm.lua, on_exit of a.lua: a reboot boots again, every other end stops (--print policy shows all)'
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
	has 'no further boot (restart_limit)'
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
	has 'no further boot (restart_limit)'
	is "$(grep -c 'given up: it booted' err)" 3 # twice, and at the end
	walk '{"restart_limit": {"count": 1, "within": 3600}, "on": {"given_up": {"boot": "b"}}}' \
		'exit 0/exit 0/exit 1'
	is "$status" 0
	is "$(mems)" '64M 64M 256M'
}

@test "on.given_up: times and delay" {
	walk '{"restart_limit": {"count": 1, "within": 3600}, "on": {"given_up": {"boot": "b", "delay": 0.02,
		"times": 2}}}' 'exit 0/exit 0/exit 0/exit 0/exit 0/exit 0/exit 0/exit 0'
	is "$status" 10
	is "$(mems)" '64M 64M 256M 256M'
	is "$(grep -c 'next boot: target b in 0.02 s (on.given_up)' err)" 2
	has 'no further boot (restart_limit)'
	spec '{"restart_limit": {"count": 1, "within": 3600}, "backoff": false,
		"on": {"given_up": {"boot": "default", "times": 0}}}'
	vmrun --simulate reboot,reboot,reboot,reboot,reboot@3600,reboot,poweroff vm.json
	is "$(cut -f 3-7 out | tr '\t' ' ')" 'reboot boot default default 0
given_up boot default on.given_up 1
given_up boot default on.given_up 1
given_up boot default on.given_up 1
reboot boot default default 0
given_up boot default on.given_up 1
poweroff stop - default -'
	spec '{"restart_limit": {"count": 1, "within": 10}, "on": {"given_up": {"boot": "default"}}}'
	vmrun --simulate reboot,reboot,reboot@10,reboot,reboot,reboot,reboot vm.json
	is "$(cut -f 3,4,6 out | tr '\t' ' ')" 'reboot boot default
given_up boot on.given_up
reboot boot default
given_up boot on.given_up
given_up stop restart_limit'
}

@test "on by status: asked before error, in every target" {
	walk '{"on": {"33": {"boot": "a"}, "error": "same"}, "targets": {"a": {"on": {"33": "stop"}}}}' \
		'exit 5/exit 33/exit 33'
	is "$status" 4
	is "$(mems)" '64M 64M 128M'
	has 'next boot: target a (on.33)'
	has 'no further boot (on.33)'
	spec '{"on": {"33": {"boot": "a", "delay": 3}},
		"targets": {"a": {"on": {"33": {"boot": "default"}}}, "b": {"on": {"33": null, "34": null}}}}'
	vmrun --debug -t a vm.json
	is "$(jq -c .on out)" '{"33":{"boot":"default","delay":3}}'
	vmrun --debug -t b vm.json
	is "$(jq -c .on out)" null
	spec '{"targets": {"b": {"on": {"33": {"boot": "c"}}}}}'
	vmrun --debug vm.json
	is "$status" 65
	has 'targets.b.on.33.boot: unknown target "c"'
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
	await_text 'no further boot until a reset (on.given_up)'
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

@test "the reboots that hooks request are counted too" {
	lua 'vm.restart_limit = { count = 2, within = 3600 }
		function vm.on_started() print(vmrun.request("reboot")) end'
	script 'acpi on wait exit 0' 'acpi on wait exit 0' 'acpi on wait exit 0' 'exit 3'
	vmrun vm.lua
	is "$status" 10
	is "$(grep -c 'runs under' err)" 3
	is "$(grep -c 'next boot: target default (the reboot request)' err)" 2
	is "$(grep -c '^vmrun: true$' err)" 3
}

# --- the graph ---

red='color="#b3261e" fontcolor="#b3261e"'

# Checks brackets, quotes and semicolons of DOT, for hosts without dot(1).
well_formed() {
	head -n 1 out | grep -qxE 'digraph "[^"]+" \{'
	tail -n 1 out | grep -qx '}'
	# shellcheck disable=SC1003
	sed '1d;$d' out | grep -vxE '	(rankdir=LR nodesep=0\.4|([a-z]+[0-9]*( -> [a-z]+[0-9]*)?)( \[([a-z]+=([a-z0-9]+|"([^"\\]|\\.)*") ?)+\])?)' &&
		return 1
	! command -v dot >/dev/null || dot -Tplain out >plain
}

@test "--print graph: targets, causes and where they lead" {
	spec '{"next_target": "a", "restart_limit": {"count": 5, "within": 30}, "targets": {
		"a": {"on": {"triple_fault": {"boot": "a.b-c_d", "delay": 5}, "given_up": {"boot": "default"}}},
		"a.b-c_d": {}}}'
	vmrun --print graph vm.json
	is "$status" 0
	[ ! -s err ]
	well_formed
	grep -qx '	t0 \[label="a"\]' out
	grep -qxF '	t1 [label="a.b-c_d"]' out
	grep -qx '	t2 \[label="default"\]' out
	grep -qx '	start -> t2' out
	grep -qx '	t2 -> t0 \[label="reboot (next_target)"\]' out
	grep -qx "	t0 -> t1 \\[label=\"triple_fault in 5 s\" $red\\]" out
	grep -qxF "	t0 -> g0 [label=\"more than 5 boots\\nwithin 30 s\" style=dotted $red]" out
	grep -qx "	g0 -> t2 \\[label=\"once\" style=dotted $red\\]" out
	cp out first
	vmrun --print graph vm.json
	cmp out first
	vmrun --print graph -t a --no-reboot vm.json
	well_formed
	grep -qx '	start -> t0' out
	is "$(grep -c ' -> t[0-9]* \[' out)" 0
	is "$(grep -c 'every other end stops' out)" 1
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

@test "--print graph: what hooks declare is dashed, also hooks of one's own" {
	vmrun --print graph "$SOURCE/examples/rescue.json"
	is "$status" 0
	well_formed
	grep -qxF "	t0 -> t1 [label=\"triple_fault, error, killed\\n(rescue_after)\" style=dashed $red]" out
	is "$(grep -c dashed out)" 3 # two targets with hooks, and the edge
	spec '{"hooks": ["own.lua"], "targets": {"a": {}}}'
	echo 'return { leads = { { from = "a", cause = "halt", target = "default" }, { cause = "halt" } } }' >own.lua
	vmrun --print graph vm.json
	is "$status" 0
	grep -qxF '	t0 -> t1 [label="halt\n(own.lua)" style=dashed]' out
	grep -qxF '	t1 -> t1 [label="halt\n(own.lua)" style=dashed]' out
	script 'exit 1'
	vmrun vm.json
	is "$status" 0
}

@test "leads of a hook that are none" {
	spec '{"hooks": ["own.lua"]}'
	while read -r leads text; do
		echo "return { leads = $leads }" >own.lua
		vmrun --print graph vm.json
		is "$status" 65
		has "own.lua: leads$text"
	done <<-'END'
		1 : expected a list of { from, cause, target }, got a number
		{1} [1]: expected { from, cause, target }, got a number
		{{target="b"}} [1].target: unknown target "b"
		{{cause="hlt"}} [1].cause: unknown cause "hlt", did you mean "halt"?
		{{from=1}} [1].from: expected a string, got a number
		{{to="default"}} [1].to: unknown key "to": expected from, cause or target
	END
}

@test "rescue_after counts with the widest restart_limit, whatever the names of the targets" {
	local name
	for name in a z; do
		spec '{"hooks": [{"use": "rescue_after", "faults": 4}], "targets": {"rescue": {},
			"'$name'": {"restart_limit": {"count": 2}}}, "restart_limit": {}}'
		vmrun --simulate reboot vm.json
		is "$status" 0
		spec '{"hooks": [{"use": "rescue_after", "faults": 8}], "targets": {"rescue": {},
			"'$name'": {"restart_limit": {"count": 7}}}, "restart_limit": {}}'
		vmrun --simulate reboot vm.json
		is "$status" 65
		has 'faults is 8, but restart_limit gives up after 7 boots'
		spec '{"hooks": [{"use": "rescue_after", "faults": 8}], "targets": {"rescue": {},
			"'$name'": {"restart_limit": false}}, "restart_limit": {}}'
		vmrun --simulate reboot vm.json
		is "$status" 0
	done
}

@test "rescue_after with more faults than restart_limit has boots is refused" {
	spec '{"hooks": [{"use": "rescue_after", "faults": 6}], "targets": {"rescue": {}}, "restart_limit": {}}'
	vmrun --simulate reboot vm.json
	is "$status" 65
	has 'faults is 6, but restart_limit gives up after 5 boots'
	spec '{"hooks": [{"use": "rescue_after", "faults": 5}], "targets": {"rescue": {}}, "restart_limit": {}}'
	vmrun --simulate error,error,error,error,error,poweroff vm.json
	is "$status" 0
	is "$(cut -f 5 out | sed -n 5p)" rescue
	spec '{"hooks": [{"use": "rescue_after", "faults": 6}], "targets": {"rescue": {}}, "restart_limit": {"count": 6}}'
	vmrun --simulate reboot vm.json
	is "$status" 0
	spec '{"hooks": [{"use": "rescue_after", "faults": 6}], "targets": {"rescue": {}}, "restart_limit": false}'
	vmrun --simulate reboot vm.json
	is "$status" 0
}

@test "not_ready, unhealthy and timed_out by name: on, reboot_on, --reboot-on, --simulate, graph" {
	spec '{"ready": {"exec": "true", "within": 60}, "alive": {"exec": "true"}, "time_limit": 600,
		"on": {"unhealthy": {"boot": "a", "delay": 5}}, "targets": {"a": {"reboot_on": ["timed_out"]}}}'
	vmrun --simulate unhealthy,timed_out,not_ready vm.json
	is "$status" 0
	is "$(cut -f 2- out)" 'default	unhealthy	boot	a	on.unhealthy	5
a	timed_out	boot	a	reboot_on	0
a	not_ready	stop	-	reboot_on	-'
	vmrun --simulate not_ready,not_ready --reboot-on not_ready vm.json
	is "$(cut -f 3-6 out | sed -n 1p)" 'not_ready	boot	default	--reboot-on'
	vmrun --print graph vm.json
	is "$status" 0
	has 'label="unhealthy in 5 s"' out
	has 'timed_out' out
	lua 'function vm.on_exit(exit) return vmrun.stop(10 * exit.count.not_ready + exit.count.unhealthy) end'
	vmrun --simulate not_ready --json vm.lua
	is "$(jq -r '.[0].by' out)" 'on_exit of vm.lua'
}

@test "--print policy: a table with who decides" {
	spec '{"restart_limit": {}, "on": {"halt": {"boot": "a", "delay": 5}, "33": "stop", "given_up": "wait"},
		"targets": {"a": {"next_target": "default", "on": null, "loader": "bhyveload", "bootrom": null,
		"restart_limit": false}}}'
	vmrun --print policy vm.json
	is "$status" 0
	[ ! -s err ]
	is "$(cat out)" "$(cat <<-'END'
		               a                            default
		reboot         boots default (next_target)  boots default (default)
		poweroff       stops (default)              stops (default)
		halt           stops (default)              boots a in 5 s (on.halt)
		triple_fault   stops (default)              stops (default)
		error          stops (default)              stops (default)
		error 33       stops (default)              stops (on.33)
		killed         stops (default)              stops (default)
		start_failed   stops (default)              stops (default)
		loader_failed  stops (default)              -
		check_failed   stops (default)              stops (default)
		given_up       -                            waits for a reset (on.given_up)

		a: no restart_limit
		default: given_up after more than 5 boots within 30 s
	END
	)"
	spec '{"ready": {"exec": "true", "within": 60}, "alive": {"exec": "true"}, "reboot_on": ["not_ready"],
		"targets": {"a": {"ready": {"within": null}, "alive": false, "reboot_on": null, "time_limit": 600,
		"on": {"timed_out": "same"}}}}'
	vmrun --print policy vm.json
	is "$status" 0
	is "$(sed -n '/^not_ready/,/^timed_out/p' out)" "$(cat <<-'END'
		not_ready     -                       boots default (reboot_on)
		unhealthy     -                       stops (reboot_on)
		timed_out     boots a (on.timed_out)  -
	END
	)"
	vmrun --print policy "$SOURCE/examples/rescue.json"
	has '  rescue_after may boot rescue after triple_fault' out
	has 'default: on_exit hooks are asked first' out
	vmrun --print policy "$SOURCE/examples/policy.json"
	is "$(awk 'length > 80' out)" ''
	is "$(grep -c '^reboot ' out)" 2 # blocks
	is "$(starts)" ''
}
