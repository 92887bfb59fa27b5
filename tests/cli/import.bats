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

@test "commands and files of bhyve: their specs and notes, which vmrun can print again" {
	local dir words differ=
	for dir in "$SOURCE"/tests/import/bhyve/*/; do
		words=$(cat "$dir/options" 2>/dev/null) || words=
		cp "$dir/text" text
		# shellcheck disable=SC2086 # the options are words
		import text $words
		is "$status" 0
		sed -i "s,$PWD,PWD," out err
		if [ "${UPDATE:-}" = 1 ]; then
			cp out "$dir/spec.json"
			cp err "$dir/notes"
		fi
		cmp out "$dir/spec.json" && cmp err "$dir/notes" || differ="$differ $dir"
		"$VMRUN" -d out >/dev/null 2>&1 || differ="$differ -d:$dir"
	done
	is "$differ" ''
}

# refused FORMAT TEXT: imports the text, which must fail with 65 and print nothing
refused() {
	printf '%s\n' "$2" >text
	import text --import-format "$1"
	is "$status" 65
	[ ! -s out ]
}

@test "a command that bhyve would refuse is refused by name" {
	refused argv 'bhyve -c 1 -m 1G'
	has "vmrun: the command ends without the VM's name"
	refused argv 'bhyve -c 1 -m 1G vm -A'
	has '"-A" follows the VM'"'"'s name "vm": bhyve takes options before the name only'
	refused argv 'bhyve -Z -m x -s 3,virtio-bulk,/a -s 32,virtio-rnd -c size=1 -n id=0 vm'
	has '-Z: bhyve has no such option'
	has '-s 3,virtio-bulk,/a: bhyve knows no device "virtio-bulk"'
	has '-s 32,virtio-rnd: invalid address "32": expected SLOT, SLOT:FUNCTION or BUS:SLOT:FUNCTION'
	has '-c size=1: "size": expected cpus, sockets, cores or threads'
	has '-n id=0: bhyve has this since FreeBSD 15, and the command is read as one of FreeBSD 14'
	refused argv 'bhyve -m 1G -s 3,virtio-rnd -s 3,hda vm'
	has '-s 3,hda: 0:3:0 has another device already: bhyve refuses the second'
	refused argv 'bhyve -m 1.5G -c 4,cores=3 -s 3,virtio-blk,/a -l bootrom,/r vm'
	has 'memory.size: invalid size "1.5G": expected a number and one of K, M, G, T, a multiple of 4 KiB'
	has 'processors: 4 processors, but 4 sockets x 3 cores x 1 threads: bhyve refuses this'
	refused argv 'bhyve -m 1G -s 31,lpc -s 3,virtio-blk,/a,sectorsize=100 -l bootrom,/r vm'
	has 'this VM cannot be a spec: emulations[0].logical_sector_size: '
	refused argv 'bhyve -m 1G -s 31,lpc -s 3,ahci,hd:,hd:/x -l bootrom,/r vm'
	has 'this VM cannot be a spec: emulations[0].ports: 0 entries: expected 1 to 32'
	refused argv 'bhyve -m 1G -s 3,passthru,1/0/0 -s 31,lpc -l bootrom,/r vm'
	has 'memory.wired: the text does not set this variable, which vmrun has to set to "true"'
	refused argv 'bhyve -m $mem -l com1,$tty vm'
	has 'mem'
	has 'tty'
	refused argv 'bhyveload -m 1G other
bhyve -m 2G -s 31,lpc vm'
	has 'bhyveload loads the VM "other", but bhyve runs "vm": pass the commands of one VM'
	has 'bhyveload has 1G of memory, but bhyve has 2G: bhyve fails then, so give both the same'
}

@test "a file that bhyve would refuse is refused with its lines" {
	refused bhyve_config 'name=x
name=y
memory.size
a..b=1
pci.0.3.0.path=/a
pci.0.3.0.path.x=1'
	has 'vmrun: text:2: duplicate key name, also on line 1: bhyve takes the last; remove one'
	has 'text:3: "memory.size": expected KEY=VALUE'
	has 'text:4: invalid variable "a..b": expected names with one "." between them'
	has 'text:6: pci.0.3.0.path and pci.0.3.0.path.x exclude each other'
	refused bhyve_config 'pci.0.3.0.path=/a'
	has 'pci.0.3.0 has variables but no "device": bhyve refuses it'
	refused bhyve_config 'a=%(b)%(b)%(b)
b=%(c)%(c)%(c)%(c)%(c)%(c)%(c)%(c)
c=%(b)%(b)%(b)%(b)%(b)%(b)%(b)%(b)'
	has 'a: its value with all variables in it is longer than 65536 bytes'
}

@test "a new name is named, with the addresses that bhyve made of the old one" {
	printf 'bhyve -m 1G -s 31,lpc -s 3,e1000,tap1 -l bootrom,/r "a vm"\n' >text
	import text
	is "$status" 0
	is "$(jq -r .name out)" a-vm
	has 'note: name: "a vm" became "a-vm"'
	has 'note: e1000 at 0:3:0: without a "mac" bhyve makes the address of the VM'
}

@test "a file of -k is read in place; one that cannot be read is passed on, and named" {
	echo 'pci.0.3.0.password=secret' >pass
	printf 'bhyve -m 1G -s 31,lpc -s 3,fbuf -k pass -k none -l bootrom,/r vm\n' >text
	import text
	is "$status" 0
	is "$(jq -r '.emulations[0].password, .extra_options[0], .extra_options[1]' out | tr '\n' ' ')" "secret -k $PWD/none "
	has "note: -k $PWD/none: this file cannot be read here ("
}

@test "--set says what host it was; other keys, formats and uses are 64" {
	printf 'bhyve -m 1G -s 31,lpc -l bootrom,/r vm\n' >text
	import text --set bhyve.release=15
	is "$(jq -c '[.bhyve, .generate_acpi]' out)" '[{"release":15},null]'
	import text --set bhyve.release=14
	is "$(jq -c '[.bhyve, .generate_acpi]' out)" '[{"release":14},false]'
	import text --set mem=2G
	is "$status" 64
	has 'mem=2G: an import takes bhyve.release=N and bhyve.arch=A only; change other keys in the spec'
	import text --import-format ucl
	is "$status" 64
	has 'unknown import format "ucl": expected vm-bhyve, argv or bhyve_config'
	status=0
	"$VMRUN" -d --import-format argv text >out 2>err || status=$?
	is "$status" 64
	has '--import-format requires --import FILE'
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
