#!/usr/bin/env bats
# What a dry run shows in addition to the command: the loader, placeholders for values that only a run
# knows, the file for bhyve -k, and the resolved spec.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
	export VMRUN_BHYVE=bhyve
	here=$BATS_RUN_TMPDIR/run/$vm
}

teardown() {
	common_teardown
}

@test "-d names the placeholders for values that only a run knows" {
	spec '{"com1": "nmdm", "graphic": {"port": "auto", "password": "sesame"}}'
	vmrun -d vm.json
	is "$status" 0
	is "$(wc -l <out)" 1
	has 'note: /dev/nmdmAUTOA is a placeholder: a run finds a free pair for com1'
	has 'note: 5900 is a placeholder: a run chooses the value for graphic'
	has "note: $here/secret is written when the VM runs: the password"
	has ' -l com1,/dev/nmdmAUTOA ' out
	has " -k $here/secret " out
	lacks sesame out
	lacks sesame
	[ ! -e "$here" ]
}

@test "-d: the loader is a line of its own before bhyve's" {
	spec '{"bootrom": null, "loader": "bhyveload", "com1": "stdio",
		"emulations": [{"device": "virtio-blk", "path": "a b.img"}]}'
	vmrun -d vm.json
	is "$status" 0
	is "$(wc -l <out)" 2
	is "$(sed -n 1p out)" "bhyveload -c stdio -m 64M -d '$PWD/a b.img' $vm"
	is "$(sed -n 2p out | cut -d' ' -f1)" bhyve
	lacks bootrom out
}

@test "-d: printf gives the loader its lines, as a POSIX shell reads them" {
	spec '{"bootrom": null, "loader": {"type": "grub", "commands":
		["set x=\"$HOME `ls`\"", "it'"'"'s %s \\n", "-n", "boot"]}}'
	vmrun -d vm.json
	is "$status" 0
	is "$(wc -l <out)" 2
	has "note: $here/device.map is written by a run: "
	mkdir bin
	printf '#!/bin/sh\ncat >got\necho "$*" >args\n' >bin/grub-bhyve
	chmod +x bin/grub-bhyve
	sed -n 1p out >line
	PATH=$PWD/bin:$PATH sh line
	jq -r '.loader.commands[]' vm.json | cmp - got
	is "$(cat args)" "-M 64M -m $here/device.map $vm"
	[ ! -e "$here" ]
}

@test "--print bhyve_config: a file that says what the command says" {
	spec '{"com1": "/dev/nmdm,=%\\A", "smbios": {"system": {"sku": "a, b = 100% \\ c"}},
		"pin": ["0:3", "0:1"], "gdb": "w[::1]:1234",
		"emulations": [{"device": "virtio-blk", "path": "a, b=%(name) \\.img", "ro": true},
			{"device": "virtio-console", "ports": [{"name": "p=q", "path": "s,1"}]}]}'
	vmrun --print bhyve_config vm.json
	is "$status" 0
	[ ! -s err ]
	mv out vm.conf
	lacks '#' vm.conf
	"$FAKEBHYVE" -k vm.conf -o config.dump=1 "$vm" >from_file || is $? 1
	vmrun -d vm.json
	sed "s|^bhyve |'$FAKEBHYVE' -o config.dump=1 |" out >line
	sh line >from_words || is $? 1
	sort from_file >a
	sort from_words >b
	[ -s a ]
	cmp a b
	has 'system.sku=a, b = 100\% \\ c' a
}

@test "--print bhyve_config: what has no variable is a comment and a note, a secret only a comment" {
	spec '{"graphic": {"password": "sesame"}, "extra_options": "-w",
		"fwcfg": [{"name": "opt/a", "string": "x"}],
		"emulations": [{"device": "raw", "value": "virtio-rnd"}]}'
	vmrun --print bhyve_config vm.json -- -x 'a b'
	is "$status" 0
	for text in '-s 0:1:0,virtio-rnd' '-f name=opt/a' '-w: further words' "-x 'a b': further"; do
		has "# not in this file: $text" out
		has "note: not in the file: $text"
	done
	has "# not in this file: the password, which a run writes for -k $here/secret" out
	lacks sesame out
	lacks sesame
}

@test "--print bhyve_config: a line end has no place in it; qemu reads none" {
	spec '{"com1": "/dev/a\nb"}'
	vmrun --print bhyve_config vm.json
	is "$status" 65
	has 'lpc.com1.path has a value with a line end'
	[ ! -s out ]
	spec
	vmrun --hypervisor qemu --print bhyve_config vm.json
	is "$status" 64
	has 'only bhyve reads such a file, and the hypervisor is qemu'
	[ ! -s out ]
}

@test "what --debug prints gives the same command, from another directory too" {
	mkdir sub hooks
	echo 'return {}' >sub/h.lua
	echo 'return function (options) return {} end' >sub/o.lua
	spec '{"varfile": "vars.fd", "hooks": ["h.lua", {"use": "o.lua", "n": 1}], "graphic":
		{"password_file": "pw", "port": "auto"}, "com1": "nmdm", "bootrom": null,
		"fwcfg": [{"name": "a", "file": "f"}],
		"emulations": [{"device": "virtio-blk", "path": "a.img"}]}' sub/vm.json
	for hypervisor in bhyve qemu; do
		vmrun --hypervisor $hypervisor -d sub/vm.json
		is "$status" 0
		mv out wanted
		vmrun --hypervisor $hypervisor --debug sub/vm.json
		is "$status" 0
		"$VMRUN" --run-dir "$BATS_RUN_TMPDIR/run" --hypervisor $hypervisor -d - <out >again
		cmp wanted again
	done
	# Under qemu, the firmware of bhyve stays undecided.
	jq -e '.bootrom == null and .qemu.varfile == $ENV.PWD + "/sub/vars.fd.qemu"' out
}

@test "one supervisor of a name: already running, 75; another run dir is another world" {
	spec
	export VMRUN_BHYVE=$FAKEBHYVE
	script 'acpi on print up wait' 'acpi on print up wait'
	start vm.json
	await_text "$vm: target default runs"
	await_starts 1
	vmrun -P own.pid vm.json
	is "$status" 75
	has "$vm: already running as pid $pid"
	is "$(starts)" 1
	[ ! -e own.pid ]
	[ -e "$here/lock" ]
	mkdir -m 700 other
	first=$pid
	cp err err1
	"$VMRUN" "${stated[@]}" --run-dir other vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_text "$vm: target default runs"
	kill "$pid" "$pid" "$first" "$first"
	wait "$pid" || :
	wait "$first" || :
	[ ! -e "$here" ]
	[ ! -e "other/$vm" ]
}

@test "--run-dir: a directory that others can write to is refused" {
	spec
	mkdir -m 777 open
	chmod 777 open
	status=0
	"$VMRUN" "${stated[@]}" --run-dir open vm.json >out 2>err </dev/null || status=$?
	is "$status" 71
	has "$PWD/open: its mode 0777 is open to others, expected"
	is "$(starts)" ''
	echo x >file
	status=0
	"$VMRUN" "${stated[@]}" --run-dir file vm.json >out 2>err </dev/null || status=$?
	is "$status" 71
	has "$PWD/file: not a directory: move it away, or choose another with --run-dir"
}

@test "did you mean: targets, formats, hypervisors, keys of --set" {
	spec '{"targets": {"install": {}}}'
	vmrun -d -t instal vm.json
	is "$status" 65
	has 'did you mean "install"?'
	vmrun -d --format jsno vm.json
	is "$status" 64
	has 'got "jsno", did you mean "json"?'
	vmrun -d --hypervisor bhyv vm.json
	is "$status" 64
	has 'got "bhyv", did you mean "bhyve"?'
	vmrun -d --set smbios.bois.vendor=x vm.json
	is "$status" 65
	has 'unknown key "bois", did you mean "bios"?'
	vmrun -d --reboot-on rebot vm.json
	is "$status" 64
	has 'did you mean "reboot"?'
}

# What vmrun.conf(5) says of targets.
@test "a diamond of extends, devices removed and changed by several targets, null and an empty list" {
	spec '{"emulations": [{"device": "virtio-blk", "id": "disk", "path": "/d"}], "targets": {
		"d": {"mem": "65M", "cpu": 4}, "b": {"extends": "d", "mem": "66M", "cpu": 2}, "c": {"extends": "d", "mem": "67M"},
		"a": {"extends": ["b", "c"]},
		"gone": {"emulations": [{"id": "disk", "remove": true}]},
		"changed": {"emulations": [{"id": "disk", "path": "/e"}]},
		"back": {"extends": ["gone", "changed"]}, "away": {"extends": ["changed", "gone"]},
		"none": {"emulations": null}, "same": {"emulations": []}}}'
	merged() {
		vmrun --debug -t "$1" vm.json
		is "$status" 0
		is "$(jq -c "$2" out)" "$3"
	}
	merged a '[.mem, .cpu.threads]' '[70254592,2]'
	merged back '[.emulations[].path]' '["/e"]'
	merged away '.emulations // []' '[]'
	merged none '.emulations // []' '[]'
	merged same '[.emulations[].path]' '["/d"]'
}

@test "a function of a slot follows no device that a target puts elsewhere" {
	jq -n --arg name "$vm" '{name: $name, cpu: 1, mem: "64M", emulations: [range(31) | {device: "virtio-rnd"}],
		targets: {a: {emulations: [{id: "virtio-rnd-0", slot: "1:0:0"}]}}}' >vm.json
	vmrun -d vm.json
	is "$status" 0
	has '-s 0:2:1,virtio-rnd' out
	vmrun -d -t a vm.json
	is "$status" 0
	has '-s 1:0:0,virtio-rnd' out
	has '-s 0:2:1,virtio-rnd' out
}

@test "--debug prints the flags that a passthru device or a bus above 0 needs" {
	spec '{"emulations": [{"device": "passthru", "src": "3:0:0"}]}'
	vmrun -d vm.json
	has ' -S ' out
	vmrun --debug vm.json
	is "$(jq -c '[.wire_guest_mem, .disable_mptable_gen]' out)" '[true,false]'
	spec '{"emulations": [{"device": "virtio-rnd", "slot": "1:0:0"}]}'
	vmrun -d vm.json
	has ' -Y ' out
	vmrun --debug vm.json
	is "$(jq -c '[.wire_guest_mem, .disable_mptable_gen]' out)" '[false,true]'
}

@test "a newline in a value stays on the line of the command, and comes back" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "/a\nb\n"}]}'
	vmrun -d vm.json
	is "$status" 0
	is "$(wc -l <out)" 1
	local words
	eval "words=($(cat out))"
	[[ "${words[*]}" == *$' -s 0:1:0,virtio-blk,/a\nb\n -l '* ]]
	"$VMRUN" --import out >again.json
	is "$(jq '.emulations[0].path' again.json)" '"/a\nb\n"'
}
