#!/usr/bin/env bats
# Bad input: the right status, one clear message per fault, nothing started, nothing left behind.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
	mkdir input
}

teardown() {
	common_teardown
}

# refused STATUS ARG...: checks that a run and a dry run end with the status, print nothing on stdout,
# start nothing and leave nothing
refused() {
	local wanted=$1 option
	shift
	for option in '' -d; do
		# shellcheck disable=SC2086 # no word at all
		vmrun $option -p hyper.pid -P vmrun.pid "$@"
		is "$status" "$wanted"
		[ ! -s out ]
		is "$(starts)" ''
		[ ! -e hyper.pid ]
		[ ! -e vmrun.pid ]
	done
}

# faults LINE...: checks that err has exactly these lines in this order; a line is a shell pattern
faults() {
	local line i=0
	while IFS= read -r line; do
		i=$((i + 1))
		# shellcheck disable=SC2254 # a pattern
		case $line in
		${!i-}) ;;
		*) is "$line" "${!i-}" ;;
		esac
	done <err
	is $i $#
}

# bad JSON LINE...: checks the faults of a spec with these additional keys in vm.json
bad() {
	spec "$1"
	shift
	refused 65 vm.json
	faults "$@"
}

@test "a companion without a program" {
	bad '{"companions": [{"name": "a", "command": ""}, {"name": "b", "command": []}, {"name": "c", "command": [""]}]}' \
		'vm.json:*: companions[[]0].command: missing program: expected a list that begins with one' \
		'vm.json:*: companions[[]1].command: missing program: expected a list that begins with one' \
		'vm.json:*: companions[[]2].command: missing program: expected a list that begins with one'
}

@test "commands that begin with no program" {
	bad '{"post_start_script": ["", "x"], "companions": [
		{"name": "a", "command": ["x"], "ready": [""]}, {"name": "b", "command": ["x"], "ready": []}]}' \
		'vm.json:*: post_start_script: missing program: expected a list that begins with one' \
		'vm.json:*: companions[[]0].ready: missing program: expected a list that begins with one' \
		'vm.json:*: companions[[]1].ready: missing program: expected a list that begins with one'
}

@test "ready, alive and time_limit, in the base and in a target" {
	bad '{"ready": {"console": "login:"}, "alive": {"conect": "10.0.0.2:22"}, "time_limit": -1}' \
		'vm.json:*: ready.console: needs a serial port that vmrun reads: set "com1": "console", or "ready": false in a target without one' \
		'vm.json:*: alive.conect: unknown key "conect", did you mean "connect"[?]' \
		'vm.json:*: time_limit: expected 0.01 to 604800 seconds'
	bad '{"ready": {"connect": "localhost:22", "within": 60}, "alive": {"exec": [], "failures": 0}, "time_limit": 60}' \
		'vm.json:*: ready.connect: invalid address "localhost:22": expected a numeric ADDR:PORT such as "192.168.1.10:22" or "[[]fd00::10]:22", port 1 to 65535' \
		'vm.json:*: ready.within: 60 seconds are not below "time_limit", 60 seconds' \
		'vm.json:*: alive.exec: missing program: expected a list that begins with one' \
		'vm.json:*: alive.failures: 0 is out of range: expected 1 to 1000'
	bad '{"com1": "console", "ready": {"console": "login:"}, "targets": {"a": {"com1": null},
		"b": {"ready": {"exec": "x"}}, "c": {"ready": false, "alive": {"console": true}}}}' \
		'vm.json:8:5: ready.console: in target a: needs a serial port that vmrun reads: set "com1": "console", or "ready": false in a target without one' \
		'vm.json:*: targets.b.ready.exec: this key excludes "console": expected exactly one of "console", "connect" and "exec"; a target unsets what it inherits with "console": null' \
		'vm.json:*: targets.c.alive.console: needs "ready" in the same target: a guest that prints nothing yet may be booting'
	bad '{"alive": {"connect": "127.0.0.1:2222"}, "emulations": [{"device": "virtio-net", "name": "slirp",
		"id": "n", "hostfwd": ["tcp:127.0.0.1:2222-:22"]}], "bhyve": {"release": 15}, "targets": {"a": {"emulations":
		[{"id": "n", "remove": true}]}, "b": {"alive": {"expect": "SSH-"}}}}' \
		'vm.json:*: alive.connect: "expect" is needed beside "127.0.0.1:2222": hostfwd "tcp:127.0.0.1:2222-:22" of n accepts connections even if the guest is dead; give the text that the server sends first, such as "SSH-"'
}

@test "targets lay probes over those of the base, change their kind, and switch them off and on" {
	spec '{"com1": "console", "ready": {"console": "login:", "within": 60}, "alive": false, "time_limit": 600,
		"targets": {"a": {"com1": null, "ready": false, "time_limit": null},
		"b": {"ready": {"console": null, "connect": "10.0.0.2:22"}, "alive": {"exec": "x"}},
		"c": {"extends": "a", "ready": {"exec": "x"}}, "d": {"ready": {"within": 90}}}}'
	local target
	for target in default a b c d; do
		vmrun --debug -t $target vm.json
		is "$status" 0
		jq -c '[.ready, .alive, .time_limit]' out
	done >got
	is "$(cat got)" '[{"console":"login:","within":60},null,600]
[null,null,null]
[{"connect":"10.0.0.2:22","every":5,"within":60},{"exec":["x"],"every":30,"failures":3},600]
[{"exec":["x"],"every":5},null,null]
[{"console":"login:","within":90},null,600]'
}

@test "an empty file" {
	: >vm.json
	refused 65 vm.json
	faults 'vm.json: the file is empty'
	: >vm.lua
	refused 65 vm.lua
	faults 'vm.lua: the file is empty'
	: >vm
	refused 65 vm
	faults '*'
	printf ' \n\n\t\n' >vm.json
	refused 65 vm.json
	faults 'vm.json:*'
}

@test "truncated JSON, at every byte" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "a\u00e9\n.img"}], "stop": [{"do": "kill", "wait": 1.5e0}]}' whole.json
	local size i
	jq -c . whole.json >vm.json
	size=$(($(wc -c <vm.json) - 2))
	for ((i = 1; i <= size; i += 7)); do
		head -c $i vm.json >cut.json
		"$VMRUN" -d cut.json >out 2>err && return 1
		is "$(wc -l <err)" 1
		grep -qE '^cut.json:1:[0-9]+: ' err
	done
	head -c 40 vm.json >cut.json
	refused 65 cut.json
	faults 'cut.json:1:*: *'
}

@test "JSON that is no object, and what is not JSON" {
	refuse_text() {
		printf '%b' "$1" >vm.json
		refused 65 vm.json
		faults "$2"
	}
	refuse_text '[]' 'vm.json:1:1: a spec is an object*'
	refuse_text '[{"name":"a"}]' 'vm.json:1:1: a spec is an object*'
	refuse_text '"text"' 'vm.json:1:1: a spec is an object*'
	refuse_text '12' 'vm.json:1:1: a spec is an object*'
	refuse_text 'null' 'vm.json:1:1: a spec is an object*'
	refuse_text '{"name":"a",}' 'vm.json:1:13: *'
	refuse_text '{"mem":0x10}' 'vm.json:1:*'
	refuse_text '{"mem":010}' 'vm.json:1:*'
	refuse_text '{"mem":+1}' 'vm.json:1:*'
	refuse_text '{"mem":NaN}' 'vm.json:1:*'
	refuse_text '{"mem":1.}' 'vm.json:1:*'
	refuse_text '{"a":1,\n "a":2}' 'vm.json:2:2: *'
	refuse_text '{} x' 'vm.json:1:4: *'
	refuse_text '{}{}' 'vm.json:1:3: *'
	refuse_text "{'a':1}" 'vm.json:1:2: *'
	refuse_text '{"a":"\x01"}' 'vm.json:1:*'
}

@test "NUL bytes" {
	spec
	printf '\0' >>vm.json
	refused 65 vm.json
	faults 'vm.json:9:1: *'
	printf '{"name":"a\0b"}' >vm.json
	refused 65 vm.json
	faults 'vm.json:1:*: *'
	printf '\0\0\0\0' >vm.json
	refused 65 vm.json
	faults 'vm.json:1:1: *'
	lua ''
	printf '\0' >>vm.lua
	refused 65 vm.lua
	faults '*vm.lua:*'
	bad '{"bootrom": "/a\u0000b"}' 'vm.json:*: bootrom: *NUL*'
	bad '{"name": "a\u0000b"}' 'vm.json:*: name: *NUL*'
	lua 'vm.bootrom = "/a\0b"'
	refused 65 vm.lua
	faults 'vm.lua: bootrom: *NUL*'
}

@test "ten megabytes of nesting" {
	head -c 10000000 /dev/zero | tr '\0' '[' >vm.json
	refused 65 vm.json
	faults 'vm.json:1:*: *'
	yes '{"a":' | head -c 10000000 | tr -d '\n' >vm.json
	refused 65 vm.json
	faults 'vm.json:1:*: *'
	{ printf 'return ' && head -c 10000000 /dev/zero | tr '\0' '{'; } >vm.lua
	refused 65 vm.lua
	faults '*overflow*'
	# many values on one level
	{ printf '{"emulations":[' && yes '[],' | head -c 4000 | tr -d '\n' && printf '[]]}'; } >vm.json
	vmrun -d vm.json
	is "$status" 65
}

@test "a Lua file with a syntax error, one that raises, one that returns nothing" {
	printf 'local vm = {\n  name = "a" cpu = 1\n}\nreturn vm\n' >vm.lua
	refused 65 vm.lua
	faults '*vm.lua:2: *'
	printf 'return {}\n\nlocal\n' >vm.lua
	refused 65 vm.lua
	faults '*vm.lua:3: *'
	printf 'local vm = { name = "a" }\n' >vm.lua
	refused 65 vm.lua
	faults '*vm.lua: *returned nothing*return vm*'
	echo 'return 12' >vm.lua
	refused 65 vm.lua
	faults '*vm.lua: *returned a number*'
	echo 'return {}, {}' >vm.lua
	refused 65 vm.lua
	faults 'vm.lua: "name" is missing*' 'vm.lua: "cpu" *' 'vm.lua: "mem" *'
	printf 'local t\nreturn t.x\n' >vm.lua
	refused 65 vm.lua
	grep -q 'vm.lua:2: attempt to index' err
	printf 'os.exit(0)' >vm.lua
	refused 65 vm.lua
	has 'os.exit'
}

@test "a missing file, a directory, one that cannot be read" {
	refused 66 nope.json
	faults '*nope.json: *No such file or directory'
	refused 66 nope.lua
	faults '*nope.lua: *'
	mkdir dir dir.json
	refused 66 dir
	faults '*dir: *directory*'
	refused 66 dir.json
	faults '*dir.json: *directory*'
	refused 66 vm.json/x
	faults '*'
	refused 64 ''
	if [ "$(id -u)" -ne 0 ]; then
		spec
		chmod 0 vm.json
		refused 66 vm.json
		faults '*vm.json: *ermission*'
	fi
}

@test "unknown keys" {
	bad '{"bootRom": "/x"}' 'vm.json:6:3: bootRom: unknown key "bootRom", did you mean "bootrom"?'
	bad '{"emulations": [{"device": "virtio-blk", "path": "a", "nocach": true}]}' \
		'vm.json:10:7: emulations?0?.nocach: *"nocach"*did you mean "nocache"?'
	bad '{"targets": {"big": {"memm": "1G"}}}' \
		'vm.json:8:7: targets.big.memm: *did you mean "mem"?'
	bad '{"emulations": [{"device": "virtio-blck", "path": "a"}]}' \
		'vm.json:8:7: emulations?0?.device: *"virtio-blck"*did you mean "virtio-blk"?'
	bad '{"qemu": {"acel": "tcg"}}' 'vm.json:7:5: qemu.acel: *did you mean "accel"?'
	bad '{"cpu": {"threads": 1, "cores": 1, "sockets": 1, "socket": 2}}' \
		'vm.json:7:5: cpu.socket: *did you mean "sockets"?'
	lua 'vm.memm = "1G"'
	refused 65 vm.lua
	faults 'vm.lua: memm: *did you mean "mem"?'
}

@test "wrong types" {
	bad '{"name": 12}' 'vm.json:2:3: name: expected a string, got an integer'
	printf '{"name": %s, "cpu": %s, "mem": %s, "com1": %s, "pin": [%s]}' 18446744073709551616 9223372036854775808 -9223372036854775809 99999999999999999999 99999999999999999999 >vm.json
	refused 65 vm.json
	faults 'vm.json:1:2: name: expected a string, got an integer that is too large' \
		'vm.json:1:*: cpu: *, got an integer that is too large' \
		'vm.json:1:*: mem: *, got an integer that is too large' \
		'vm.json:1:*: com1: *, got an integer that is too large' \
		'vm.json:1:*: pin?0?: *, got an integer that is too large'
	bad '{"name": null}' 'vm.json: "name" is missing*'
	bad '{"cpu": "two"}' 'vm.json:3:3: cpu: *'
	bad '{"cpu": true}' 'vm.json:3:3: cpu: *'
	bad '{"cpu": [1]}' 'vm.json:3:3: cpu: *'
	bad '{"mem": true}' 'vm.json:4:3: mem: *'
	bad '{"mem": {}}' 'vm.json:4:3: mem: *'
	bad '{"bootrom": 1}' 'vm.json:5:3: bootrom: *'
	bad '{"utc_clock": "yes"}' 'vm.json:6:3: utc_clock: *'
	bad '{"emulations": {"device": "raw"}}' 'vm.json:6:3: emulations: *'
	bad '{"emulations": "raw"}' 'vm.json:6:3: emulations: *'
	bad '{"emulations": [1]}' 'vm.json:7:5: emulations?0?: *'
	bad '{"emulations": [{"path": "x"}]}' 'vm.json:7:5: emulations?0?*device*'
	bad '{"emulations": [{"device": "virtio-blk"}]}' 'vm.json:7:5: emulations?0?*path*'
	bad '{"targets": []}' 'vm.json:6:3: targets: *'
	bad '{"targets": {"a": 1}}' 'vm.json:7:5: targets.a: *'
	bad '{"com1": 1}' 'vm.json:6:3: com1: *'
	bad '{"com1": "serial"}' 'vm.json:6:3: com1: *'
	bad '{"reboot_on": "reboot"}' 'vm.json:6:3: reboot_on: *'
	bad '{"reboot_on": ["sometimes"]}' 'vm.json:7:5: reboot_on?0?: *'
	bad '{"reboot_on": [256]}' 'vm.json:7:5: reboot_on?0?: *'
	bad '{"stop": []}' 'vm.json:6:3: stop: *'
	bad '{"stop": [{"do": "pray", "wait": 1}]}' 'vm.json:8:7: stop?0?.do: *'
	bad '{"hooks": "x.lua"}' 'vm.json:6:3: hooks: *'
	bad '{"next_target": 1}' 'vm.json:6:3: next_target: *'
	bad '{"hook_timeout": 0}' 'vm.json:6:3: hook_timeout: *'
	bad '{"com1": "stdio", "com2": "stdio"}' 'vm.json:7:3: com2: *stdio*'
}

# gapped BODY PATH INDEX: checks that a Lua spec with this list is refused at this path
gapped() {
	printf 'local vm = { name = "%s", cpu = 1, mem = "64M", bootrom = "%s", targets = { t = {}, u = {} } }\n%s\nreturn vm\n' \
		"$vm" "$rom" "$1" >vm.lua
	vmrun -t t vm.lua
	case $status in 65 | 69) ;; *) is "$status" '65 or 69' ;; esac
	has "$2: expected "
	grep -qE ', got a list with gaps \(\['"$3"'\] is nil\)$' err
	[ ! -e starts ]
}

# A variable that is nil makes a gap in a list, and the entries after the gap must not be lost.
@test "lists with gaps, in every place that takes one" {
	local rnd='{ device = "virtio-rnd" }' key
	gapped "vm.emulations = { $rnd, nil, $rnd }" 'vm.lua: emulations' 2
	gapped "vm.emulations = { nil, $rnd }" 'vm.lua: emulations' 1
	gapped "vm.emulations = { nil, $rnd } vm.targets.t.emulations = { $rnd }" 'vm.lua: emulations' 1
	gapped "vm.targets.t.emulations = { $rnd, $rnd, nil, $rnd }" 'vm.lua: targets.t.emulations' 3
	gapped "vm.targets.t.emulations = { nil, $rnd }" 'vm.lua: targets.t.emulations' 1
	gapped 'vm.targets.t.extends = { "u", nil, "u" }' 'vm.lua: targets.t.extends' 2
	gapped 'vm.targets.t.pin = { "0:1", nil, "1:2" }' 'vm.lua: targets.t.pin' 2
	for key in extra_options pin hooks reboot_on numa fwcfg wait_for stop companions post_start_script \
		bhyve.args qemu.args loader.disks loader.env; do
		gapped "vm.bhyve, vm.qemu, vm.loader = {}, {}, { type = 'bhyveload' }
			vm.$key = { 'a', nil, 'b' }" "vm.lua: $key" 2
	done
	for key in 'companions = { { name = "x", command = LIST } }:companions[0].command' \
		'hooks = { { use = "notify", command = LIST } }:hooks[0].command' \
		'hooks = { { use = "notify", command = { "a" }, on = LIST } }:hooks[0].on' \
		'emulations = { { device = "ahci", ports = LIST } }:emulations[0].ports' \
		'emulations = { { device = "virtio-console", ports = LIST } }:emulations[0].ports' \
		'emulations = { { device = "xhci", devices = LIST } }:emulations[0].devices' \
		'emulations = { { device = "virtio-net", name = "slirp", hostfwd = LIST } }:emulations[0].hostfwd'; do
		gapped "local LIST = { 'a', nil, 'b' } vm.${key%%:*}" "vm.lua: ${key#*:}" 2
	done
	gapped "function vm.on_prepare(spec) spec.emulations = { $rnd, nil, $rnd } return spec end" 'emulations' 2
	gapped 'function vm.on_prepare(spec) return vmrun.merge(spec, { extra_options = { nil, "-w" } }) end' 'extra_options' 1
	gapped 'vm = vmrun.merge(vm, { extra_options = { "-S", nil, "-w" } })' 'vm.lua: extra_options' 2
	gapped 'vm = vmrun.merge({ extra_options = { "-S", nil, "-w" } }, vm)' 'vm.lua: extra_options' 2
}

@test "values at which bhyve would end" {
	local keys
	for keys in '"graphic": {"host": "localhost"}' '"graphic": {"host": "example.org"}' \
		'"graphic": {"host": "256.1.1.1"}' '"graphic": {"port": 65536}' \
		'"uuid": "01234567-89ab-cdef-e000-0123456789ab"' '"gdb": "w:1234"' \
		'"com1": "tcp=[127.0.0.1]:1"' '"config": {"destroy_on_poweroff": "maybe"}' \
		'"emulations": [{"device": "e1000"}]' \
		'"emulations": [{"device": "nvme", "path": "d", "qsz": 0}]' \
		'"emulations": [{"device": "nvme", "path": "d", "ioslots": 0}]' \
		'"emulations": [{"device": "virtio-console", "ports": {"50%": "s"}}]' \
		'"emulations": [{"device": "virtio-net", "name": "slirp", "hostfwd": ["tcp:22-:22"]}]' \
		'"lpc_slot": false, "com1": "stdio"' '"lpc_slot": false, "bootrom": "fw"'; do
		printf '{"name": "a", "cpu": 1, "mem": "64M", "bhyve": {"release": 15}, %s}\n' "$keys" >vm.json
		refused 65 vm.json
	done
}

@test "required keys that are missing, all at once" {
	echo '{}' >vm.json
	refused 65 vm.json
	faults 'vm.json: "name" is missing*' 'vm.json: "cpu" *' 'vm.json: "mem" *'
}

@test "memory: no unit, nothing, a fraction, below 0, beyond everything" {
	local value
	for value in '"512"' '"0M"' '"1.5G"' -1 1152921504606846976 0 '""' '"M"' '"512MB"' '"0x200M"' \
		'" 1G"' '"-1G"' '"99999999999999999999T"' '"1P"' 1.5 4095 '"1023k"' 1e300 \
		'"8192T"' 9223372036854775807 18446744073709551616; do
		printf '{\n "name": "a", "cpu": 1,\n "mem": %s }\n' "$value" >vm.json
		refused 65 vm.json
		faults 'vm.json:3:2: mem: *'
	done
	printf '{ "name": "a", "cpu": 1, "mem": "512" }' >vm.json
	refused 65 vm.json
	has 'write "512M"'
	printf '{ "name": "a", "cpu": 1, "mem": "0512M" }' >vm.json
	vmrun -d vm.json
	is "$status" 0
	has ' -m 512M ' out # decimal
}

@test "cpu 0, and other numbers of nothing" {
	bad '{"cpu": 0}' 'vm.json:3:3: cpu: *'
	bad '{"cpu": -1}' 'vm.json:3:3: cpu: *'
	bad '{"cpu": 1.5}' 'vm.json:3:3: cpu: *'
	bad '{"cpu": 100000}' 'vm.json:3:3: cpu: *'
	bad '{"cpu": {"threads": 0, "cores": 1, "sockets": 1}}' 'vm.json:4:5: cpu.threads: *'
	bad '{"cpu": {"threads": 1}}' 'vm.json:3:3: cpu: "cores" *' 'vm.json:3:3: cpu: "sockets" *'
	bad '{"cpu": {"threads": 60000, "cores": 60000, "sockets": 60000}}' 'vm.json:3:3: cpu: *'
}

@test "two devices in one slot: both are named" {
	bad '{"emulations": [{"device": "virtio-blk", "path": "a", "slot": "3"},
		{"device": "ahci-cd", "path": "b", "slot": "0:3:0"}]}' \
		'vm.json:*: emulations?1?.slot: *virtio-blk*ahci-cd*0:3:0'
	bad '{"emulations": [{"device": "virtio-blk", "path": "a", "slot": 31}]}' \
		'vm.json:10:7: emulations?0?.slot: *lpc*virtio-blk*'
	bad '{"emulations": [{"device": "virtio-blk", "path": "a", "slot": "0"}]}' \
		'vm.json:10:7: emulations?0?.slot: *hostbridge*virtio-blk*'
	bad '{"emulations": [{"device": "virtio-blk", "path": "a", "slot": "3:1"}]}' \
		'vm.json:10:7: emulations?0?.slot: *function 0*'
	# faults that appear only together with a target
	bad '{"emulations": [{"device": "virtio-blk", "path": "a", "slot": 3}],
		"targets": {"t": {"emulations": [{"device": "ahci-cd", "path": "b", "slot": 3}]}}}' \
		'vm.json:*: targets.t.emulations?0?.slot: *virtio-blk*ahci-cd*'
}

@test "slots that do not exist" {
	local slot
	for slot in '"32"' 32 '"3:8"' '"256:1:0"' '"a"' '""' -1 '"1:2:3:4"' 1.5 '"3:"' true; do
		bad '{"emulations": [{"device": "virtio-blk", "path": "a", "slot": '"$slot"'}]}' \
			'vm.json:10:7: emulations?0?.slot: *'
	done
	bad '{"lpc_slot": "1:31:0"}' 'vm.json:6:3: lpc_slot: *'
	bad '{"lpc_slot": "0:32:0"}' 'vm.json:6:3: lpc_slot: *'
}

@test "a target that does not exist: -t, next_target, extends" {
	spec '{"targets": {"install": {"mem": "1G"}}}'
	refused 65 -t instal vm.json
	faults '*unknown target "instal", did you mean "install"? (known: default, install)'
	bad '{"next_target": "nowhere"}' 'vm.json:6:3: next_target: *unknown target "nowhere"*'
	bad '{"targets": {"a": {"next_target": "b"}}}' \
		'vm.json:8:7: targets.a.next_target: *unknown target "b"*'
	bad '{"targets": {"a": {"extends": "b"}}}' 'vm.json:8:7: targets.a.extends: *unknown target "b"*'
	bad '{"targets": {"a": {"extends": ["default", "b"]}}}' \
		'vm.json:*: targets.a.extends?1?: *unknown target "b"*'
}

@test "extends in a circle" {
	bad '{"targets": {"a": {"extends": "a"}}}' 'vm.json:8:7: targets.a.extends: circular extends: a -> a'
	spec '{"targets": {"a": {"extends": "b"}, "b": {"extends": ["c"]}, "c": {"extends": "a"}}}'
	refused 65 vm.json
	has 'circular extends: a -> b -> c -> a'
	is "$(wc -l <err)" "$(sort -u err | wc -l)"
}

# many EXTENDS: makes a spec of 8,000 targets; EXTENDS is the value of the N-th, by jq
many() {
	jq -n --arg name "$vm" "{name: \$name, cpu: 1, mem: \"64M\", targets: ({side: {mem: \"128M\"}} + ([range(8000) as \$n |
		{key: \"t\\(\$n)\", value: {extends: ($1)}}] | from_entries))}" >vm.json
}

@test "many targets that extend each other are merged in a time that grows with their number" {
	ulimit -t 60 # seconds of the processor; each takes one or two, and took minutes
	local extends
	for extends in 'if $n > 0 then "t\($n - 1)" else "default" end' \
		'if $n > 0 then ["t\($n - 1)", "side"] else [] end' \
		'if $n > 1 then ["t\($n - 1)", "t\($n - 2)"] else [] end'; do
		many "$extends"
		vmrun -d -t t7999 vm.json
		is "$status" 0
	done
	many 'if $n > 0 then "t\($n - 1)" else "nowhere" end'
	vmrun -d vm.json
	is "$status" 65
	has 'unknown target "nowhere"'
	many '"t\(($n + 7999) % 8000)"'
	vmrun -d vm.json
	is "$status" 65
	has 'circular extends: t0 -> t7999 -> t7998 -> t7997 -> t7996 -> t7995 -> t7994 -> t7993 -> t7992 -> t7991 -> t7990 -> t7989 -> t7988 -> t7987 -> t7986 -> t7985 -> ... -> t1 -> t0'
}

@test "all faults are told at once, in the order of the file" {
	spec '{"cpu": 0, "mem": "1.5G", "bootRom": "/x", "next_target": "nowhere",
		"emulations": [{"device": "virtio-blk"}, {"device": "nope"}],
		"targets": {"t": {"com1": 5}}}'
	refused 65 vm.json
	faults 'vm.json:3:3: cpu: *' 'vm.json:4:3: mem: *' 'vm.json:6:3: bootRom: *' \
		'vm.json:7:3: next_target: *' 'vm.json:9:5: emulations?0?: "path" is missing*' \
		'vm.json:13:7: emulations?1?.device: *' 'vm.json:18:7: targets.t.com1: *'
}

@test "a fault of the base is told once, however many targets have it" {
	bad '{"memm": 1, "targets": {"a": {}, "b": {}, "c": {"extends": "a"}}}' \
		'vm.json:6:3: memm: *'
}

@test "a hypervisor that is missing: 127; not executable: 126" {
	spec
	# failed STATUS PROGRAM: checks how a run ends whose hypervisor is this program
	failed() {
		vmrun -p hyper.pid --bhyve "$2" vm.json
		is "$status" "$1"
		has "${2#./}" # paths are absolute in messages and in argv
		lacks 'runs under'
		[ ! -e hyper.pid ]
		vmrun --hypervisor qemu --qemu "$2" vm.json
		is "$status" "$1"
		has "${2#./}"
		lacks 'runs under'
	}
	failed 127 ./nope
	has 'No such file or directory'
	failed 127 nope-not-in-path
	failed 127 ./nope/x
	echo 'echo hi' >plain
	failed 126 ./plain
	mkdir directory
	failed 126 ./directory
	printf '#!/no/such/interpreter\n' >script.sh
	chmod +x script.sh
	failed 126 ./script.sh
	printf 'neither\n' >plain
	chmod +x plain
	failed 126 ./plain
}

@test "two new devices with one id in a target" {
	bad '{"targets": {"t": {"emulations": [{"id": "z", "device": "virtio-blk", "path": "a"},
		{"id": "z", "device": "virtio-blk", "path": "b"}]}}}' \
		'*targets.t.emulations?1?.id: two devices of this list have the id "z"'
}

@test "twenty thousand faults: the first hundred are told, quickly enough to wait for" {
	{
		printf '{"name":"a","cpu":1,"mem":"64M","emulations":[[]'
		yes ',[]' | head -n 19999 | tr -d '\n'
		printf ']}'
	} >vm.json
	vmrun -d vm.json
	is "$status" 65
	is "$(wc -l <err)" 101
	is "$(tail -n 1 err)" 'vmrun: and 19900 more problems'
}

@test "a hypervisor that is missing, from PATH" {
	spec
	unset VMRUN_BHYVE
	PATH=$PWD/nowhere "$VMRUN" "${stated[@]}" --hypervisor bhyve vm.json >out 2>err || status=$?
	is "$status" 127
	has 'bhyve: not found in PATH'
	status=0
	PATH=$PWD/nowhere "$VMRUN" "${stated[@]}" "${unchecked[@]}" --hypervisor bhyve vm.json >out 2>err || status=$?
	is "$status" 127
	has 'bhyve'
}

@test "a qemu that dies at once: 4, with its own words" {
	spec
	printf '#!/bin/sh\necho "bad option -xyz" >&2\nexit 1\n' >qemu
	chmod +x qemu
	vmrun --qemu ./qemu vm.json
	is "$status" 4
	has 'bad option -xyz'
	has 'start_failed'
	printf '#!/bin/sh\nexit 1\n' >qemu
	vmrun --qemu ./qemu vm.json
	is "$status" 4
	printf '#!/bin/sh\nexit 0\n' >qemu
	vmrun --qemu ./qemu vm.json
	is "$status" 4
}

@test "hook files: missing, wrong, unknown hooks" {
	spec '{"hooks": ["nope.lua"]}'
	refused 66 vm.json
	faults 'vm.json:7:5: hooks?0?: *nope.lua: No such file or directory'
	echo 'return 5' >five.lua
	bad '{"hooks": ["five.lua"]}' 'vm.json:*: hooks?0?: *five.lua*a number*'
	echo 'return { on_exti = function() end }' >typo.lua
	bad '{"hooks": ["typo.lua"]}' 'vm.json:*: hooks?0?: *"on_exti"*did you mean "on_exit"?'
	echo 'return { on_exit = 5 }' >number.lua
	bad '{"hooks": ["number.lua"]}' 'vm.json:*: hooks?0?: *on_exit is a number*'
	echo 'local x = = 5' >syntax.lua
	bad '{"hooks": ["syntax.lua"]}' 'vm.json:*: hooks?0?: *syntax.lua:1: *'
	bad '{"hooks": [{"file": "x"}]}' 'vm.json:*: hooks?0?*'
}

@test "spec from stdin: the same faults, with a name" {
	status=0
	echo '{"name": "a", "cpu": 0, "mem": "1G"}' | "$VMRUN" -d - >out 2>err || status=$?
	is "$status" 65
	faults '*stdin*:1:15: cpu: *'
	status=0
	: | "$VMRUN" -d - >out 2>err || status=$?
	is "$status" 65
	is "$(wc -l <err)" 1
}

@test "what a spec of others says does not steer the terminal" {
	printf '{"a\\u001b[2J\\nb": 1, "name": "x\\u009b2J"}' >vm.json
	vmrun -d --sandbox vm.json
	is "$status" 65
	has 'a?[2J?b'
	has 'x??2J'
	lacks $'\033'
	lacks $'\302\233'
}

@test "the name of a target follows the rule of the name of a VM" {
	local long
	long=$(printf '%065d' 0)
	bad "$(jq -n --arg long "$long" '{targets: {"": {}, "a\tb": {}, "a\nb": {}, "../x": {}, "-x": {}, ($long): {},
			"a.b_c-9": {}}}')" \
		'vm.json:*: targets.: invalid target name "": expected letters, digits, ".", "_" and "-", first a letter or digit, at most 64 of them' \
		*'invalid target name "a?b": '* *'invalid target name "a?b": '* *'invalid target name "../x": '* \
		*'invalid target name "-x": '* *"invalid target name \"$long\": "*
}

@test "a key and a value of a megabyte give a short message" {
	local length
	for length in 300 1000000; do
		printf '{"name": "a", "cpu": 1, "mem": "64M", "%0*d": 1, "emulations": [{"device": "virtio-blk", "path": "x", "%0*d": 1}],
			"com1": "%0*d", "uuid": "%0*d", "next_target": "%0*d"}' $length 0 $length 0 $length 0 $length 0 $length 0 >vm.json
		refused 65 vm.json
		[ "$(wc -c <err)" -lt 8000 ]
		[ "$(grep -c 0000 err)" -eq 5 ]
	done
}

@test "ten thousand targets, each extends the one before: merged once, not anew for each of them" {
	jq -n --arg name "$vm" '{name: $name, cpu: 1, mem: "64M", targets: ([range(10000) |
		{key: "t\(.)", value: (if . == 0 then {mem: "65M"} else {extends: "t\(. - 1)", pin: ["0:\(. % 8)"]} end)}] |
		from_entries)}' >vm.json
	vmrun -d -t t9999 vm.json
	is "$status" 0
	[[ "$(cat out)" == *' -m 65M '* ]]
}
