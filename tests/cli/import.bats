#!/usr/bin/env bats
# --import: the spec of a VM that another program ran.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	load import
	common_setup
	printf '%s\n' 'loader="uefi"' 'cpu=2' 'memory=1024' 'network0_type="virtio-net"' \
		'network0_switch="public"' 'disk0_type="virtio-blk"' 'disk0_name="disk0.img"' 'priority="10"' >web.conf
}

teardown() {
	common_teardown
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

@test "a command that bhyve would refuse is refused by name" {
	refused argv 'bhyve -c 1 -m 1G'
	has "vmrun: text:1: the command ends without the VM's name: each of its lines but the last needs a "
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
	has 'this VM cannot be a spec: virtio-blk at 0:3:0: logical_sector_size: '
	refused argv 'bhyve -m 1G -s 31,lpc -s 3,ahci,hd:,hd:/x -l bootrom,/r vm'
	has 'this VM cannot be a spec: ahci at 0:3:0: ports: 0 entries: expected 1 to 32'
	refused argv 'bhyve -m 1G -s 3,passthru,1/0/0 -s 31,lpc -l bootrom,/r vm'
	has 'text:1: bhyve refuses passthru without -S: add this option to the command'
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
	has 'vmrun: web.conf:9: network0_mac: invalid MAC address "01:00:5e:00:00:01": an interface cannot have a multicast address'
	sed -i '$d' web.conf
	printf '%s\n' 'network0_device="a-name-that-is-long"' 'uuid="x"' >>web.conf
	import web.conf
	is "$status" 65
	has 'this VM cannot be a spec: virtio-net at 0:5:0: name: "a-name-that-is-long" has 19 bytes'
	has 'this VM cannot be a spec: uuid: invalid UUID "x"'
}

@test "what is missing, or does not fit, has the name of the text as its place" {
	printf 'cpu=1\nmemory=512M\n' >web.conf
	import web.conf
	is "$status" 65
	has 'vmrun: web.conf: loader: missing'
	printf 'name=x\ncpus=1\nmemory.size=1G\nlpc.bootrom=/x\n' >x.cfg
	import x.cfg
	is "$status" 65
	has 'vmrun: x.cfg: -l bootrom (lpc.bootrom=/x): before FreeBSD 15'
	printf 'name=x\ncpus=1\nmemory.size=1G\npci.0.5.0.device=passthru\n' >x.cfg
	import - <x.cfg
	is "$status" 65
	has 'vmrun: <stdin>: this VM cannot be a spec: passthru at 0:5:0: '
}

@test "options that exclude it: 64" {
	import web.conf vm.json
	is "$status" 64
	has '--import excludes a spec'
	import web.conf -d
	is "$status" 64
}

@test "options that continue a snapshot, ask for help or name domains in a wrong way are refused" {
	refused argv 'bhyve -h -r /vm/state -p x -p -1:2 -p 0:-2 -m 1G vm'
	has "-h: this command prints bhyve's usage and runs no VM"
	has '-r /vm/state: a VM that continues from a snapshot cannot be a spec: import the command that boots it'
	for pin in x -1:2 0:-2; do
		has "-p $pin: \"$pin\": expected VCPU:CPU, such as 0:2"
	done
	printf 'bhyve -n size=1G -n id=0,size -n id=0,size= -m 1G vm\n' >text
	import text --set bhyve.release=15
	is "$status" 65
	has '-n size=1G: "size=1G": expected id=NUMBER in it'
	has '-n id=0,size: "size": expected KEY=VALUE'
	has '-n id=0,size=: domains.0.size has an empty value, which bhyve refuses'
	refused argv 'bhyve -s 31,lpc -l bootrom,/r vm -m'
	has '"-m" follows the VM'"'"'s name "vm"'
	refused argv 'bhyve -A -m'
	has '-m: its argument is missing'
}

@test "domains of memory, words without a blank, and options of a newer bhyve" {
	printf 'bhyve -c 4 -m 2G -n id=0,size=1G,cpus=0-1 -n id=1,size=512M,size=1G,cpus=2-3 \
		-s 31,lpc -l bootrom,/r -- vm\n' >text
	import text --set bhyve.release=15
	is "$status" 0
	is "$(jq -c '[.name, .numa]' out)" \
		'["vm",[{"cpus":"0-1","id":0,"size":"1G"},{"cpus":"2-3","id":1,"size":"1G"}]]'
	printf 'bhyve -m1G -s31,lpc -lbootrom,/r vm\n' >text
	import text
	is "$status" 0
	is "$(jq -c '[.name, .mem, .bootrom]' out)" '["vm","1G","/r"]'
	printf 'bhyve -M -m 1G -s 31,lpc -l bootrom,/r vm\n' >text
	import text --set bhyve.release=15
	is "$status" 65
	has '-M: bhyve has this since FreeBSD 16'
}

@test "what bhyve on arm64 refuses, and the firmware that it needs" {
	printf 'bhyve -c 1 -m 1G -w -l com1,stdio -s 31,lpc arm\n' >text
	import text --set bhyve.release=15 --set bhyve.arch=arm64
	is "$status" 65
	[ ! -s out ]
	is "$(cat err)" 'vmrun: text:1: -w: bhyve has this on amd64 only
text:1: -l com1,stdio: bhyve has this on amd64 only'
	printf 'bhyve -c 1 -m 1G -s 31,lpc arm\n' >text
	import text --set bhyve.release=15 --set bhyve.arch=arm64
	is "$status" 65
	has '0:31:0: lpc: bhyve has this on amd64 only'
	has 'the variable bootrom is missing: bhyve on arm64 boots firmware only'
}

@test "devices that bhyve would refuse are refused by their words" {
	refused argv "bhyve -m 1G -s 3 -s x,virtio-rnd -s 1:2:8,virtio-rnd -s 256:0:0,virtio-rnd -s 3:-1,virtio-rnd \
		-s -1,virtio-rnd -s -1:0:0,virtio-rnd vm"
	has '-s 3: expected SLOT,DEVICE[,OPTIONS]'
	for at in x 1:2:8 256:0:0 3:-1 -1 -1:0:0; do
		has "-s $at,virtio-rnd: invalid address \"$at\""
	done
	refused argv 'bhyve -m 1G -s 3,virtio-console,sock -s 4,virtio-9p,share -s 5,virtio-9p,a=/a,b=/b -s 6,ahci,/a \
		-s 7,virtio-blk,/a,x.y=1 -s 8,passthru,1/0/0x -s 9,passthru,pci1:2:0:0 -s 10,virtio-blk,/a,ro= \
		-s 11,virtio-console,a=,b=/b -s 12,ahci,hd:/a,ro=,cd:/b vm'
	has '-s 3,virtio-console,sock: "sock": expected NAME=PATH'
	has '-s 4,virtio-9p,share: "share": expected NAME=PATH'
	has '-s 5,virtio-9p,a=/a,b=/b: "b=/b": bhyve takes one NAME=PATH here'
	has '-s 6,ahci,/a: "/a": expected hd:PATH or cd:PATH'
	has '-s 7,virtio-blk,/a,x.y=1: "x.y=1": bhyve takes no "." in the name of an option'
	has '-s 8,passthru,1/0/0x: "1/0/0x": expected pptN, BUS/SLOT/FUNCTION or pci0:BUS:SLOT:FUNCTION'
	has '-s 9,passthru,pci1:2:0:0: "pci1:2:0:0": expected pptN, BUS/SLOT/FUNCTION or pci0:BUS:SLOT:FUNCTION'
	has 'pci.0.10.0.ro has an empty value, which bhyve refuses'
	has 'pci.0.11.0.port.0.path has an empty value, which bhyve refuses'
	has 'pci.0.12.0.port.0.ro has an empty value, which bhyve refuses'
}

@test "a host device by pciconf's name has the address in it" {
	printf 'bhyve -m 1G -S -s 31,lpc -s 3,passthru,pci0:4:5:6 -l bootrom,/r vm\n' >text
	import text
	is "$status" 0
	is "$(jq -c '.emulations[0]' out)" '{"device":"passthru","slot":"0:3:0","src":"4:5:6"}'
}

@test "devices of -l that bhyve would refuse are refused by their words" {
	refused argv 'bhyve -m 1G -l bootrom -l bootrom, -l com1 -l tpm -l tpm,swtpm -l tpm,, -l lpt1,/dev/lpt0 vm'
	has '-l bootrom: expected bootrom,FILE[,VARIABLES]'
	has '-l bootrom,: expected bootrom,FILE[,VARIABLES]'
	has '-l com1: expected com1,PATH'
	has '-l tpm: expected tpm,TYPE,PATH'
	has '-l tpm,swtpm: expected tpm,TYPE,PATH'
	has 'tpm.type has an empty value, which bhyve refuses'
	has '-l lpt1,/dev/lpt0: bhyve knows no lpc device "lpt1": expected com1 to com4, bootrom, tpm or pc-testdev'
	printf 'bhyve -m 1G -l tpm,passthru,/dev/tpm0 vm\n' >text
	import text --set bhyve.release=13
	is "$status" 65
	has '-l tpm,passthru,/dev/tpm0: bhyve has this since FreeBSD 14, and the command is read as one of FreeBSD 13 (--set bhyve.release=14)'
}

@test "devices of -l without an lpc: config carries what bhyve takes" {
	printf 'bhyve -c 1 -m 1G -s 0,hostbridge -l com1,stdio -l com2,nothing -l pc-testdev vm\n' >text
	import text --set bhyve.release=14
	is "$status" 0
	is "$(jq -c '[.lpc_slot, .com1, .pc_testdev, .config]' out)" \
		'[false,null,null,{"lpc.com1.path":"stdio","lpc.com2.path":"nothing","lpc.pc-testdev":"true"}]'
	has 'note: lpc.com1.path=stdio: bhyve ignores this variable without an lpc (-s 31,lpc): kept in "config"'
	"$VMRUN" -d out | grep -q -- ' -o lpc.com1.path=stdio -o lpc.com2.path=nothing -o lpc.pc-testdev=true vm$'
}

@test "firmware without an lpc: config carries it since FreeBSD 15, before bhyve would not load it" {
	local release
	printf 'bhyve -c 1 -m 1G -s 0,hostbridge -s 3,virtio-blk,/a -l bootrom,/r.fd,v.fd vm\n' >text
	import text --set bhyve.release=15
	is "$status" 0
	is "$(jq -c '[.lpc_slot, .loader, .bootrom, .varfile, .config]' out)" \
		"[false,null,null,null,{\"bootrom\":\"/r.fd\",\"bootvars\":\"$PWD/v.fd\"}]"
	has 'note: -l bootrom: without an lpc (-s 31,lpc) no key of vmrun names the firmware: kept in "config"'
	is "$("$VMRUN" -d out | sed 's/^[^ ]* //')" "-c cpus=1,sockets=1,cores=1,threads=1 -m 1024M -A -s 0:0:0,hostbridge \
-s 0:3:0,virtio-blk,/a -o bootrom=/r.fd -o bootvars=$PWD/v.fd vm"
	printf 'name=vm\nmemory.size=1G\nbootrom=/r.fd\n' >text
	import text --set bhyve.release=15
	is "$status" 0
	is "$(jq -c .config out)" '{"bootrom":"/r.fd"}'
	for release in 13 14; do
		printf 'bhyve -c 1 -m 1G -l bootrom,/r.fd vm\n' >text
		import text --set "bhyve.release=$release"
		is "$status" 65
		is "$(cat err)" 'vmrun: text:1: -l bootrom (lpc.bootrom=/r.fd): before FreeBSD 15 bhyve loads no firmware without an lpc: '\
'add -s 31,lpc (pci.0.31.0.device=lpc), or, if the VM ran on a newer release, import with --set bhyve.release=15'
	done
}

@test "options of the firmware follow its file, or its variables" {
	printf 'bhyve -m 1G -s 31,lpc -l bootrom,/r,fwcfg=qemu vm\n' >text
	import text
	is "$status" 0
	is "$(jq -c '[.bootrom, .varfile]' out)" '["/r",null]'
	cp out plain
	printf 'bhyve -m 1G -s 31,lpc -l bootrom,/r,/vars,fwcfg=qemu vm\n' >text
	import text
	is "$status" 0
	is "$(jq -c '[.bootrom, .varfile]' out)" '["/r","/vars"]'
	is "$(jq -c 'del(.varfile)' out)" "$(jq -c . plain)"
}

@test "lines of a file that bhyve reads otherwise than they look are refused" {
	local long
	long=$(printf 'k%.0s' $(seq 1 2048))
	printf 'name=x\r\nmem\0ory=1\n.a=1\na.=1\n=1\n%s=1\nb=\n#c=\n\n' "$long" >text
	import text --import-format bhyve_config
	is "$status" 65
	has 'text:1: the line ends with a carriage return, which bhyve takes for a part of the value'
	has 'text:2: the line contains a NUL byte'
	has 'text:3: invalid variable ".a": expected names with one "." between them'
	has 'text:4: invalid variable "a.": expected names with one "." between them'
	has 'text:5: invalid variable "": expected names with one "." between them'
	has 'text:6: the name of a variable has 2048 bytes: bhyve takes at most 2047'
	has 'text:7: b has an empty value, which bhyve refuses'
	is "$(grep -c 'text:[1-9]' err)" 7
}

@test "values of a file that bhyve would refuse are refused by their variables" {
	refused bhyve_config 'name=x
cpus=5x
sockets=0
memory.size=1G
x86.strictio=perhaps
pci.0.30.0.device=lpc
pci.0.31.0.device=lpc
pci.0.3.0.device=virtio-bulk
pci.0.04.0.device=virtio-rnd
pci.0.32.0.device=virtio-rnd'
	has 'cpus: invalid number "5x": expected 1 to'
	has 'sockets: invalid number "0": expected 1 to'
	has 'x86.strictio is "perhaps": expected true or false'
	has '0:31:0: bhyve refuses a second lpc, the first is at 0:30:0'
	has '0:3:0: '
	has 'virtio-bulk'
}

@test "a file: other ways to write a value, and variables that the text does not set" {
	printf '%s\n' name=x cpus=0x2 memory.size=1G acpi_tables=true bootrom=/r pci.0.31.0.device=lpc \
		pci.0.3.0.device=nvme pci.0.3.0.ram=64 pci.0.3.0.maxq=0x8 'system.product_name=%(nothing)%(nothing)\%x%' >text
	import text --import-format bhyve_config
	is "$status" 0
	# bhyve reads maxq with atoi(3), to which 0x8 is 0
	is "$(jq -c '[.cpu.sockets, .emulations[0].maxq, .config["pci.0.3.0.maxq"]]' out)" '[2,null,"0x8"]'
	is "$(grep -c 'note: %(nothing): the text does not set this variable, so bhyve reads an empty text' err)" 1
}

@test "commands of a loader that would fail are refused, with its name" {
	refused argv 'bhyveload -Z -e name -m 1.5x -d
bhyve -m 1G -s 31,lpc vm'
	has 'bhyveload: it has no such option: -Z'
	has 'bhyveload: expected NAME=VALUE after -e, got name'
	has 'bhyveload: missing argument after -d'
	has "bhyveload: it ends without the VM's name"
	has 'bhyveload: invalid size "1.5x"'
	refused argv 'grub-bhyve -M 1G vm more
bhyve -m 1G -s 31,lpc vm'
	has 'grub-bhyve: unexpected word more'
}

@test "the long options of grub-bhyve are its short ones" {
	printf '%s\n' 'grub-bhyve --memory=1G --root hd0 --device-map=/map -S --directory=/grub --grub-cfg=g.cfg \
		--cons-dev /dev/nmdm1A vm' 'bhyve -S -m 1G -s 31,lpc -s 3,virtio-blk,/a vm' >text
	import text
	is "$status" 0
	is "$(jq -c '.loader | [.type, .root, .device_map, .dir, .config, .console, .commands]' out)" \
		'["grub","hd0","/map","/grub","g.cfg","/dev/nmdm1A",null]'
}

@test "what a loader is not needed for is left out, and said" {
	printf '%s\n' 'bhyveload -m 1G -d /a vm' 'bhyve -m 1G -s 31,lpc -l bootrom,/r vm' >text
	import text
	is "$status" 0
	is "$(jq -c '[.bootrom, .loader]' out)" '["/r",null]'
	has 'bhyveload: left out: the firmware of the bhyve command loads the guest'
	printf '%s\n' 'echo boot | bhyveload -m 1G -d /a vm' 'bhyve -m 1G -s 31,lpc vm' >text
	import text
	is "$status" 0
	is "$(jq -c '.loader.disks' out)" '["/a"]'
	has 'bhyveload: its standard input is left out: vmrun gives it the console'
}

@test "an item of -f needs a text or a file" {
	refused argv 'bhyve -m 1G -s 31,lpc -l bootrom,/r,fwcfg=qemu -f opt/a -f opt/b,text=c vm'
	has '-f opt/a: expected NAME,string=TEXT or NAME,file=PATH'
	has '-f opt/b,text=c: expected NAME,string=TEXT or NAME,file=PATH'
	printf 'bhyve -m 1G -s 31,lpc -l bootrom,/r,fwcfg=qemu -f opt/a,string=b -f opt/c,file=d vm\n' >text
	import text
	is "$status" 0
	items=$(jq -c '[.. | objects | select(.name? == "opt/a" or .name? == "opt/c") | [.name, .string, .file]]' out)
	is "$items" "[[\"opt/a\",\"b\",null],[\"opt/c\",null,\"$PWD/d\"]]"
}

@test "flags of bhyve_options of vm-bhyve are keys of the spec" {
	echo 'bhyve_options="-CDWYeu -p 0:1 -p"' >>web.conf
	import web.conf
	is "$status" 0
	is "$(jq -c '[.guest_mem_in_core, .power_off_destroy_vm, .force_msi, .disable_mptable_gen, .strict_io,
		.utc_clock, .pin, .extra_options]' out)" '[true,true,true,true,true,true,["0:1"],["-p"]]'
}

@test "a RAM disk of nvme, a loader of bhyveload and a tap by another name in vm-bhyve" {
	sed -i 's/disk0_type=.*/disk0_type="nvme"/; s/disk0_name=.*/disk0_name="ram=64"\ndisk0_dev="custom"/' web.conf
	echo 'network0_device="uplink"' >>web.conf
	import web.conf
	is "$status" 0
	is "$(jq -c '.emulations[] | select(.device == "nvme") | [.ram, .path]' out)" '[64,null]'
	is "$(jq -c '.emulations[] | select(.device == "virtio-net") | [.name, .type]' out)" '["uplink","tap"]'
	printf '%s\n' loader=bhyveload cpu=1 memory=1G disk0_type=virtio-blk disk0_name=a.img \
		'bhyveload_args="-l /boot/loader.so"' >load.conf
	import load.conf
	is "$status" 0
	is "$(jq -r .loader.os_loader out)" /boot/loader.so
}

@test "cd before the command: where its relative paths start" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd'
	printf '%s\n' 'cd /vm/web' "bhyve $r -s 3,virtio-blk,disk.img vm" >text
	import text
	is "$status" 0
	is "$(jq -r '.emulations[0].path' out)" /vm/web/disk.img
	[ ! -s err ]
	printf '%s\n' 'cd images/../disks' "bhyve $r -s 3,virtio-blk,disk.img vm" >text
	import text
	is "$(jq -r '.emulations[0].path' out)" "$PWD/disks/disk.img"
	printf '%s\n' 'cd /vm && bhyveload -d disk.img -m 1G vm && cd /a' \
		"bhyve -m 1G -s 0,hostbridge -s 31,lpc -s 3,virtio-blk,disk.img vm" >text
	import text
	is "$(jq -r '[.loader.disks[0], .emulations[0].path] | join(" ")' out)" '/vm/disk.img /vm/disk.img'
	has 'text:1: a shell may skip the cd of this line: relative paths were taken to be below /vm'
	printf '%s\n' "daemon -cf bhyve $r -s 3,virtio-blk,disk.img vm" >text
	import text
	is "$(jq -r '.emulations[0].path' out)" /disk.img
}

@test "a directory in doubt: named for the command and its loader apart, and for a second place" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc'
	printf '%s\n' 'pushd /vm; bhyveload -d disk.img -m 1G vm; popd' "bhyve $r -s 3,virtio-blk,/vm/disk.img vm" >text
	import text
	is "$status" 0
	is "$(jq -r '.loader.disks[0]' out)" /vm/disk.img
	[ ! -s err ]
	printf '%s\n' 'cd -; bhyveload -d disk.img -m 1G vm; cd /vm' "bhyve $r -s 3,virtio-blk,/disk.img vm" >text
	import text
	has 'text:1: cd -: the text does not tell this directory: relative paths were taken to be below'
	r+=' -l bootrom,/a.fd'
	printf '%s\n' 'if x; then' "cd /a; bhyve $r -s 3,virtio-blk,disk.img vm" 'else' \
		"cd /b; bhyve $r -s 3,virtio-blk,disk.img vm" 'fi' >text
	import text
	is "$status" 0
	is "$(jq -r '.emulations[0].path' out)" /a/disk.img
	is "$(cat err)" "vmrun: note: text:4: this line runs the same command in another directory: relative paths were \
taken to be below /a: change them in the spec if the command runs in another directory"
}

@test "a directory that the text does not tell: named where a relative path needs it" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd'
	printf '%s\n' 'cd -' "bhyve $r -s 3,virtio-blk,disk.img vm" >text
	import text
	is "$status" 0
	is "$(cat err)" "vmrun: note: text:1: cd -: the text does not tell this directory: relative paths were taken to \
be below $PWD: change them in the spec if the command runs in another directory"
	printf '%s\n' 'cd -' "bhyve $r -s 3,virtio-blk,/disk.img vm" >text
	import text
	[ ! -s err ]
	printf '%s\n' 'cd "$DIR"' "bhyve $r -s 3,virtio-blk,disk.img vm" >text
	import text
	is "$status" 65
	is "$(cat err)" 'vmrun: text:1: $DIR is not set in this text: put a line DIR=VALUE before the command'
	printf '%s\n' 'cd "$DIR"' "bhyve $r -s 3,virtio-blk,/disk.img vm" >text
	import text
	is "$status" 0
}

@test "values that bhyve has without an option: its memory, the device of virtio-scsi" {
	printf 'bhyve -s 0,hostbridge -s 31,lpc -s 3,virtio-scsi -l bootrom,/a.fd vm\n' >text
	import text
	is "$status" 0
	is "$(jq -c '[.mem, .emulations[0].device, .emulations[0].path, .config]' out)" '["256M","virtio-scsi",null,null]'
	[ ! -s err ]
	printf '%s\n' name=vm bootrom=/a.fd pci.0.3.0.device=virtio-scsi pci.0.31.0.device=lpc >text
	import text
	is "$status" 0
	is "$(jq -c '[.mem, .emulations[0].device]' out)" '["256M","virtio-scsi"]'
}

@test "a variable of an lpc that is there has no key: no other reason" {
	printf 'bhyve -s 31,lpc -l bootrom,/a.fd -o lpc.x=1 vm\n' >text
	import text
	is "$(cat err)" 'vmrun: note: lpc.x=1: no key of vmrun sets this variable: kept in "config"'
}

@test "values that bhyve takes and no key does: config has them" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd' one
	for one in maxq=99 maxq=010 qsz=1 ioslots=9999999 sectsz=1024 dsm=none eui64=0 ser=123456789012345678901 \
		bootindex=-1; do
		printf '%s\n' "bhyve $r -s 3,nvme,/x,$one vm" >text
		import text
		is "$status" 0
		is "$(jq -c .config out)" "{\"pci.0.3.0.${one%=*}\":\"${one#*=}\"}"
		is "$(cat err)" "vmrun: note: pci.0.3.0.$one: no key of vmrun takes this value: kept in \"config\""
		"$VMRUN" -d out | grep -q -- " -s 0:3:0,nvme,/x .* -o pci.0.3.0.$one vm$"
	done
	for one in qsz=0 ioslots=0 ro=maybe; do
		refused argv "bhyve $r -s 3,nvme,/x,$one vm"
	done
	printf '%s\n' "bhyve $r -s 29,fbuf,w=0,h=100 -p 5:3 -p 0:2 vm" >text
	import text
	is "$status" 0
	is "$(jq -c '[.config, .pin]' out)" \
		'[{"pci.0.29.0.h":"100","pci.0.29.0.w":"0","vcpu.5.cpuset":"3"},["0:2"]]'
	has 'vcpu.5.cpuset=3: "pin" takes single processors, of those that the guest has: kept in "config"'
}

@test "devices that bhyve takes and no key has: config or raw has them, a note says which" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc' rom='-l bootrom,/a.fd' args key
	while read -r args key; do
		printf '%s\n' "bhyve $r $rom -s 3,$args vm" >text
		import text
		is "$status" 0
		is "$(jq -r '.config | to_entries[] | .key + "=" + .value' out)" "$key"
		has "vmrun: note: $key: "
		"$VMRUN" -d out | grep -q -- " -o $key vm$"
	done <<-'END'
		nvme,/x,sectorsize=512/4096 pci.0.3.0.sectorsize=512/4096
		nvme,/x,sectorsize=512,sectsz=4096 pci.0.3.0.sectorsize=512
		nvme,ram=64,nocache pci.0.3.0.nocache=true
		nvme,ram=64,sectorsize=512/4096 pci.0.3.0.sectorsize=512/4096
		xhci,tablet=1 pci.0.3.0.slot.1.1=true
		xhci,tablet=a=b pci.0.3.0.slot.1.a=b
	END
	refused argv "bhyve $r $rom -s 3,nvme,/x,sectorsize=512/1000 vm"
	refused argv "bhyve $r $rom -s 3,nvme,/x,sectorsize=100/4096 vm"
	refused argv "bhyve $r $rom -s 3,virtio-blk vm"
	printf '%s\n' "bhyve $r -s 3,virtio-blk,/x,bootindex=1 vm" >text
	import text
	is "$(jq -c '[.emulations[0].bootindex, .config]' out)" '[null,{"pci.0.3.0.bootindex":"1"}]'
	printf '%s\n' "bhyve $r $rom -s 3,virtio-blk,/x,bootindex=1 vm" >text
	import text
	is "$(jq -c '[.emulations[0].bootindex, .config]' out)" '[1,null]'
	printf '%s\n' "bhyve $r $rom -s 3,uart -s 4,uart,/dev/nmdm0A vm" >text
	import text
	is "$(jq -c '[.emulations[] | .device, .value, .path]' out)" '["raw","uart",null,"uart",null,"/dev/nmdm0A"]'
	"$VMRUN" -d out | grep -q -- ' -s 0:3:0,uart -s'
}

@test "what bhyve takes and no guest has use for is refused with what to do" {
	local r='bhyve -m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd'
	refused argv "$r -s 3:1,virtio-blk,/x vm"
	has 'its slot has no function 0: the guest would not find it: give it function 0 of a slot, or remove it'
	refused argv "$r -l com1,/dev/nmdm0A -l com2,/dev/nmdm0A vm"
	has 'com2: com1 has "/dev/nmdm0A" already: bhyve cannot open it twice'
	refused argv "$r -s 3,virtio-console,a=/x,a=/y vm"
	has 'ports[1].name: two ports are named "a": give one of them another name'
}

@test "two interfaces with one address: config has the second" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd' mac=00:11:22:33:44:5a
	printf '%s\n' "bhyve $r -s 3,virtio-net,tap1,mac=$mac -s 4,e1000,tap2,mac=00:11:22:33:44:5A vm" >text
	import text
	is "$status" 0
	is "$(jq -c '[.emulations[].mac] + [.config]' out)" "[\"$mac\",false,{\"pci.0.4.0.mac\":\"00:11:22:33:44:5A\"}]"
	has 'note: pci.0.4.0.mac=00:11:22:33:44:5A: another interface has this address: kept in "config"'
}

@test "a VNC password: the eight bytes that bhyve uses, and not in the command" {
	printf '%s\n' 'bhyve -m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd -s 29,fbuf,password=secret-words vm' >text
	import text
	is "$status" 0
	is "$(jq -c '[.emulations[0].password, .config]' out)" '["secret-w",null]'
	is "$(cat err)" 'vmrun: note: password: the spec has its first 8 bytes, which are all that bhyve uses'
	! "$VMRUN" -d out | grep secret-w
}

@test "ACPI tables: -A sets nothing since FreeBSD 15, where they are the default" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd' args acpi
	while read -r release acpi args; do
		printf '%s\n' "bhyve $r $args vm" >text
		import text --set bhyve.release="$release"
		is "$(jq -c .generate_acpi out)" "$acpi"
	done <<-'END'
		14 null -o acpi_tables=false -A
		14 false -A -o acpi_tables=false
		14 false
		15 false -o acpi_tables=false -A
		15 false -A -o acpi_tables=false
		15 null
	END
}

@test "addresses and MTUs of interfaces, as bhyve reads them" {
	local r='-m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd'
	printf '%s\n' "bhyve $r -s 3,e1000,tap1,mac=0:a0:98:1:2:103 -s 4,virtio-net,tap2,mac=00:A0:98:1:2:4,mtu=0x600 vm" >text
	import text
	is "$status" 0
	is "$(jq -c '[.emulations[] | .mac, .mtu] + [.config]' out)" \
		'["00:a0:98:01:02:03",null,"00:a0:98:01:02:04",1536,null]'
	[ ! -s err ]
	refused argv "bhyve $r -s 3,e1000,tap1,mac=0:0:0:0:0 vm"
}

@test "flags of a loader that bhyve does not have, and a screen that waits, are named" {
	printf '%s\n' 'bhyveload -C -S -m 1G -d /a vm' 'bhyve -m 1G -s 31,lpc -s 29,fbuf,wait vm' >text
	import text
	is "$status" 0
	is "$(cat err)" 'vmrun: note: fbuf at 0:29:0: wait: vmrun waits for a VNC client at the first boot only, bhyve at each start
vmrun: note: bhyveload -C: left out: the bhyve command does not have it; set "guest_mem_in_core": true for both
vmrun: note: bhyveload -S: left out: the bhyve command does not have it; set "wire_guest_mem": true for both'
	printf '%s\n' 'bhyveload -C -S -m 1G -d /a vm' 'bhyve -C -S -m 1G -s 31,lpc vm' >text
	import text
	[ ! -s err ]
	printf '%s\n' 'grub-bhyve -S -M 1G vm' 'bhyve -m 1G -s 31,lpc vm' >text
	import text
	has 'grub-bhyve -S: left out'
}

@test "variables of the environment become a prefix" {
	printf '%s\n' 'A=1 env LIB9P_LOGGING=/tmp/l bhyve -m 1G -s 31,lpc -l bootrom,/a.fd vm' >text
	import text
	is "$status" 0
	is "$(jq -c .prefix out)" '["env","A=1","env","LIB9P_LOGGING=/tmp/l"]'
	"$VMRUN" -d out | grep -q '^env A=1 env LIB9P_LOGGING=/tmp/l '
}

@test "a page, a log, and what a shell takes the output of" {
	local command='bhyve -m 1G -s 31,lpc -l bootrom,/a.fd vm'
	printf "+ %s\nkernel: can't open x\n" "$command" >text
	import - <text
	is "$status" 0
	is "$(jq -r .name out)" vm
	printf "# A guest\n\nDon't wait:\n\n    %s\n\nIt isn't slow.\n" "$command" >page.md
	import page.md
	is "$status" 0
	[ ! -s err ]
	printf 'out=$(%s 2>&1)\n' "$command" >text
	import text
	is "$status" 0
	has "text:1: the output of bhyve becomes a value of the shell: vmrun prints bhyve's messages; use the output of vmrun in its place"
}

@test "a value with line ends or escapes stays in the line of its message" {
	printf 'bhyve -m 1G -s 31,lpc -l bootrom,/a.fd -o "x.y=a\nb\033[1m\302\233c" vm\n' >text
	import text
	is "$status" 0
	is "$(cat err)" 'vmrun: note: x.y=a?b?[1m??c: no key of vmrun sets this variable: kept in "config"'
	is "$(jq -r '.config["x.y"]' out | head -n 1)" a
	printf 'bhyve -m "1\nG" -s 31,lpc -l bootrom,/a.fd vm\n' >text
	import text
	is "$status" 65
	is "$(cat err | wc -l)" 1
	has 'invalid size "1?G"'
}

@test "settings of newer vm-bhyve: options of passthru, fw_cfg, a disk without partitions, tags" {
	local r=$'cpu=1\nmemory=1G\ndisk0_type=nvme\ndisk0_name=/d\ndisk0_dev=custom\ntags=a'
	printf '%s\n' loader=uefi "$r" fwcfg=qemu passthru0=4/0/0 passthru0_options=rom=/x.rom,bootindex=2 \
		passthru1=5/0/0=9:0 passthru1_options=rom=y,new=1 passthru2=6/0/0 passthru2_options=rom=z >vm.conf
	import vm.conf
	is "$status" 0
	is "$(jq -c '[.emulations[] | select(.device != "nvme") | del(.slot)]' out)" \
		'[{"bootindex":2,"device":"passthru","rom":"/x.rom","src":"4/0/0"},{"device":"raw","value":"passthru,5/0/0,rom=y,new=1"},{"device":"passthru","rom":"z","src":"6/0/0"}]'
	is "$(jq -c '[.config, .fwcfg_type]' out)" '[{"pci.0.31.0.fwcfg":"qemu"},null]'
	has 'note: fwcfg: kept in "config" as vm-bhyve passes it, where bhyve does not read it: write "fwcfg_type": "qemu"'
	has 'note: passthru2_options: rom: with vm-bhyve this path starts in the directory where vm was called'
	has 'note: tags: left out: vmrun has no tags'
	printf '%s\n' loader=uefi "$r" graphics=yes vnc_password=secret-words network{0,1}_type=e1000 \
		network{0,1}_switch=a network{0,1}_mac=58:9c:fc:00:00:01 >vm.conf
	import vm.conf
	is "$status" 0
	is "$(jq -c '[(.emulations[] | .mac, .password | values), .config]' out)" \
		'["58:9c:fc:00:00:01",false,"secret-w",{"pci.0.5.1.mac":"58:9c:fc:00:00:01"}]'
	has 'note: vnc_password: the spec has its first 8 bytes, which are all that bhyve uses'
	has 'note: network1_mac: another interface has this address: kept in "config"'
	"$VMRUN" -d out | grep -q -- ' -s 0:5:1,e1000,tapAUTO .*-o pci.0.5.1.mac=58:9c:fc:00:00:01'
	printf '%s\n' loader=grub "$r" grub_run_partition=2 grub_run_no_partition=yes >vm.conf
	import vm.conf
	is "$(jq -c .loader.root out)" '"hd0"'
}
