#!/usr/bin/env bats
# --import: the spec of a VM that another program ran.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	printf '%s\n' 'loader="uefi"' 'cpu=2' 'memory=1024' 'network0_type="virtio-net"' \
		'network0_switch="public"' 'disk0_type="virtio-blk"' 'disk0_name="disk0.img"' 'priority="10"' >web.conf
}

teardown() {
	common_teardown
}

# import ARG...: runs vmrun --import ARG...
import() {
	status=0
	"$VMRUN" --import "$@" >out 2>err || status=$?
}

@test "a guest of vm-bhyve: its spec, and what has no counterpart" {
	ls >before
	import web.conf
	is "$status" 0
	is "$(jq -r '[.name, .mem, .cpu.sockets, .emulations[0].slot, .emulations[0].path] | join(" ")' out)" \
		"web 1G 2 0:4:0 $PWD/disk0.img"
	is "$(jq -r '.targets.install.next_target' out)" default
	grep -q '^vmrun: note: priority: write "prefix": \["nice", "-n", "10"\]' err
	is "$(grep -vc '^vmrun: note: ' err)" 0
	rm out err
	is "$(ls)" "$(cat before)"
}

@test "the spec is one that vmrun boots, also in its install target" {
	import web.conf
	cp out web.json
	"$VMRUN" --set bootrom="$rom" --set uuid=false -d -t install web.json >printed
	grep -q -- ' -s 0:3:0,ahci-cd,/path/to/install.iso,ro -s 0:4:0,virtio-blk,' printed ||
		grep -q -- ' -s 0:4:0,virtio-blk,.* -s 0:3:0,ahci-cd,/path/to/install.iso' printed
}

@test "from stdin the VM has a name that says so" {
	import - <web.conf
	is "$status" 0
	is "$(jq -r .name out)" imported
}

@test "what cannot be imported: 65, named; a missing file: 66" {
	echo 'memory="2G"' >>web.conf
	import web.conf
	is "$status" 65
	[ ! -s out ]
	has 'vmrun: web.conf:3: memory: duplicate key, also on line 9'
	echo 'nothing' >text
	import text
	is "$status" 65
	has 'text: the text is none of the kinds that can be imported: expected a bhyve command, a bhyve_config(5) file or'
	import missing.conf
	is "$status" 66
	has 'missing.conf: No such file or directory'
}

@test "a guest whose import is not a valid spec is refused, with the key" {
	echo 'network0_mac="01:00:5e:00:00:01"' >>web.conf # a group address
	import web.conf
	is "$status" 65
	[ ! -s out ]
	has 'vmrun: this VM cannot be a spec: emulations[1].mac: '
}

@test "options that exclude it: 64" {
	import web.conf vm.json
	is "$status" 64
	has '--import excludes a spec'
	import web.conf -d
	is "$status" 64
}
