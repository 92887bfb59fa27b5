#!/usr/bin/env bats
# --import: what texts of people have around bhyve's words, and what it tells them.
# shellcheck disable=SC2154 # status: common.bash

setup() {
	load common
	load import
	common_setup
	# A command that needs nothing else.
	words='-c 2 -m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/a.fd vm'
}

teardown() {
	common_teardown
}

@test "a file without a name: the spec has one that a note names" {
	printf '%s\n' memory.size=1G bootrom=/a.fd pci.0.31.0.device=lpc >text
	import text
	is "$status" 0
	is "$(jq -r .name out)" imported
	is "$(cat err)" 'vmrun: note: name: the file has no "name", so the spec calls the VM "imported": write the name '\
'that the bhyve command gave it; bhyve makes the MAC address of an interface without "mac" from the name'
	echo name=web >>text
	import text
	[ ! -s err ]
}

@test "an empty piece of a device's options sets nothing that bhyve reads" {
	printf '%s\n' "bhyve -s 3,virtio-net,tap0, -s 4,ahci-hd,/a.img, -s 5,ahci,hd:/b,,ro, -s 6,virtio-9p,a=/b,ro, \
		-s 7,fbuf,w=800,,h=600,,=x $words" >text
	import text
	is "$status" 0
	[ ! -s err ]
	is "$(jq -c '[.emulations[] | [.name, .path, .ports[0].ro?, .ro, .width, .height]]' out)" \
		'[["tap0",null,null,null,null,null],[null,"/a.img",null,null,null,null],[null,"/b",null,true,null,null],'\
'[null,"/b",null,true,null,null],[null,null,null,null,800,600]]'
	is "$(jq .config out)" null
}

@test "grub-bhyve: options behind the name, long names cut short, and those that change nothing" {
	printf '%s\n' 'grub-bhyve -v -H -H5 -m map -M 1G vm -d /grub2 --root hd0 --verb --hold=3' \
		'bhyve -m 1G -s 31,lpc -s 3,virtio-blk,/a vm' >text
	import text
	is "$status" 0
	[ ! -s err ]
	is "$(jq -c '.loader | [.type, .device_map, .dir, .root]' out)" "[\"grub\",\"$PWD/map\",\"/grub2\",\"hd0\"]"
	printf '%s\n' 'grub-bhyve -ne -M 1G -- vm' 'bhyve -m 1G -s 31,lpc vm' >text
	import text
	is "$status" 0
	has 'note: grub-bhyve -n: left out: vmrun has no key for it, and without it grub-bhyve begins the command line'
	has 'note: grub-bhyve -e: left out: vmrun has no key for it, and without it grub-bhyve tells a Linux guest'
	refused argv 'grub-bhyve -M 1G --d=/x --version vm
bhyve -m 1G -s 31,lpc vm'
	has 'grub-bhyve: it has no such option: --d=/x'
	has 'grub-bhyve: it has no such option: --version'
	# -S has no long name, --h may be --help, too, and an empty value is not that of a short name.
	refused argv 'grub-bhyve -M 1G --wire --h --root= vm
bhyve -m 1G -s 31,lpc vm'
	has 'grub-bhyve: it has no such option: --wire'
	has 'grub-bhyve: it has no such option: --h'
	has 'grub-bhyve: it has no such option: --root='
	refused argv 'bhyveload vm -m 1G
bhyve -m 1G -s 31,lpc vm'
	has 'bhyveload: unexpected word -m'
}

@test "texts that begin with a bracket are not all JSON" {
	local text
	for text in '[ -d /vm ] || exit 1\nbhyve %s\n' '[ "$1" = "a ]" ] && shift\nbhyve %s\n' '[ -d /vm ]\nbhyve %s\n' \
		'{ bhyve %s; } &\n' '{\n\tbhyve %s\n} &\n' '{ echo "x"; bhyve %s; }\n' '{\n\tcd "/vm"\n\tbhyve %s\n} &\n' \
		'[2026-11-30 10:00:01] bhyve %s\n[2026-11-30 10:00:02] up\n' \
		'[root@host ~]# bhyve %s\n' '{%% highlight sh %%}\nbhyve %s\n{%% endhighlight %%}\n' \
		'\xef\xbb\xbfbhyve %s\n' '\xef\xbb\xbf#!/bin/sh\nbhyve %s\n'; do
		# shellcheck disable=SC2059 # the texts are formats
		printf "$text" "$words" >text
		import text
		is "$status" 0
		is "$(jq -r .name out)" vm
	done
	for text in '{"name": "bhyve -c 2 vm"}' ' [ "bhyve -c 2 vm" ]' '[["bhyve -c 2 vm"], 1]' '[1, "a ] || bhyve -c 2 vm"]' \
		'{ name = a; x = "exec bhyve -A vm"; }' '{ set = "bhyve -A vm"; }' '{ test = 1; x = "exec bhyve -A vm"; }' '{ # bhyve -c 2 vm' '{}' '\xef\xbb\xbf{"a": "bhyve"}'; do
		# shellcheck disable=SC2059 # the texts are formats
		printf "$text\n" >text
		import text
		is "$status" 65
		is "$(cat err)" 'vmrun: text: the text is none of the kinds that can be imported: expected a bhyve command, a '\
'bhyve_config(5) file or the .conf of a guest of vm-bhyve'
	done
}

@test "FreeBSD's vmrun.sh: the trace of a run has the command that it makes" {
	printf '#!/bin/sh\nexit %s\n' 0 >bhyveload
	printf '#!/bin/sh\necho guest; exit %s\n' 1 >bhyve
	chmod +x bhyveload bhyve
	# What the script of FreeBSD does with its options, in a few lines.
	cat >vmrun.sh <<-'END'
		while getopts c:d: c; do
			case $c in
			c) cpus=${OPTARG} ;;
			d) eval "disk_dev0=\"${OPTARG}\"" ;;
			esac
		done
		shift $((${OPTIND} - 1))
		vmname="$1"
		while [ 1 ]; do
			${PWD}/bhyveload -c stdio -m 1G -d ${disk_dev0} ${vmname}
			devargs=" -s 2:0,virtio-blk,${disk_dev0} "
			${PWD}/bhyve -c ${cpus} -m 1G -A -H -P	\
				-s 0:0,hostbridge -s 1:0,lpc	\
				${devargs}			\
				-l com1,stdio			\
				${vmname} || break
		done
	END
	echo 'sh vmrun.sh -c 4 -d guest.img vm' >text
	import text
	is "$status" 65
	has "text:1: this runs FreeBSD's script vmrun.sh, which makes the bhyve command: start the VM once with"
	sh -x vmrun.sh -c 4 -d guest.img vm 2>trace >/dev/null
	import trace
	is "$status" 0
	is "$(jq -c '[.name, .cpu.sockets, .loader.disks, .emulations[0].path]' out)" \
		"[\"vm\",4,[\"$PWD/guest.img\"],\"$PWD/guest.img\"]"
}

@test "a problem of a command names its line, and one of a device its address" {
	refused argv "#!/bin/sh

bhyve -z $words"
	is "$(cat err)" 'vmrun: text:3: -z: bhyve has no such option'
	refused argv 'vm=web
bhyveload -d $vm.img -x $vm
bhyve -m 256M -s 0,hostbridge -s 31,lpc $vm'
	is "$(cat err)" 'vmrun: text:2: bhyveload: it has no such option: -x'
	printf '%s\n' name=a name=b >bad
	refused argv "
bhyve -k bad $words"
	is "$(cat err)" "vmrun: text:2: $PWD/bad:2: duplicate key name, also on line 1: bhyve takes the last; remove one"
	refused argv "bhyve -s 5:1,nvme,/a,ser= -s 1:2:3,e1000,tap0,mac=1:0:0:0:0:0 -Y $words"
	has 'pci.0.5.1.ser has an empty value'
	refused argv "bhyve -s 5:1,nvme,/a -s 1:2:3,e1000,tap0,mac=1:0:0:0:0:0 -Y $words"
	is "$(sed 's/invalid.*//' err)" 'vmrun: text:1: this VM cannot be a spec: e1000 at 1:2:3: mac: '
}

@test "a command without a name: what may have ended it, or a file that has it" {
	refused argv 'bhyve -c 2 -m 1G \
	-s 3,virtio-blk,/a.img
	-s 31,lpc vm'
	is "$(cat err)" 'vmrun: text:3: this line begins with an option, but it is not part of the command before it: '\
'end the line before it with "\"'
	refused argv 'bhyve -c 2 -m 1G \
	-s 3,virtio-blk,/a.img
	echo ended'
	is "$(cat err)" 'vmrun: text:2: the command ends without the VM'"'"'s name: each of its lines but the last needs a '\
'"\" at its end, and neither an empty line nor one that begins with "#" may stand between them'
	refused argv 'bhyve -k missing.conf'
	is "$(cat err)" "vmrun: text:1: the command has no name for the VM, which the file $PWD/missing.conf of -k may have: "\
'this file cannot be read here: import the text where the file is, or write the name behind the options'
	echo name=web >there.conf
	printf '%s\n' "bhyve -k there.conf ${words% vm}" >text
	import text
	is "$status" 0
	is "$(jq -r .name out)" web
}

@test "options that bhyve no longer has, or never had: no second problem that follows" {
	refused argv "bhyve -g 0 -b $words"
	is "$(cat err)" 'vmrun: text:1: -g 0: bhyve has no -g since FreeBSD 13: remove it with its argument, or use -G PORT to debug the guest
text:1: -b: bhyve has no -b since FreeBSD 13: remove it'
	refused argv "bhyve -t tap0 $words"
	is "$(cat err)" 'vmrun: text:1: -t: bhyve has no such option'
	refused argv "$(printf 'bhyve -c 2 \342\200\223m 1G vm')"
	has "text:1: \"$(printf '\342\200\223m')\" begins with a typeset dash: write \"-\" in its place"
}

@test "what bhyve demands and the text lacks: as the user writes it" {
	refused argv "bhyve -s 1:0:0,virtio-rnd $words"
	is "$(cat err)" 'vmrun: text:1: bhyve refuses a device on another bus than 0 without -Y: add this option to the command'
	refused bhyve_config 'name=vm
bootrom=/a.fd
pci.0.31.0.device=lpc
pci.0.3.0.device=passthru
pci.0.3.0.pptdev=ppt0'
	is "$(cat err)" 'vmrun: text: bhyve refuses passthru without memory.wired=true: add this line'
}

@test "what a newer release or another architecture has: how to name it" {
	refused argv "bhyve -l tpm,swtpm,/s -l com3,tcp=127.0.0.1:9000 $words"
	has 'com3: "tcp=" needs FreeBSD 15: if the VM ran on FreeBSD 15, import with --set bhyve.release=15'
	has 'tpm: bhyve has swtpm since FreeBSD 15: if the VM ran on FreeBSD 15, import with --set bhyve.release=15'
	refused argv "bhyve -M $words"
	is "$(cat err)" 'vmrun: text:1: -M: bhyve has this since FreeBSD 16, and the command is read as one of FreeBSD 14'
	rom=/usr/local/share/u-boot/u-boot-bhyve-arm64/u-boot.bin
	refused argv "bhyve -m 1G -o console=stdio -o bootrom=$rom vm"
	is "$(sed 's/.*import with //' err)" '--set bhyve.release=15 --set bhyve.arch=arm64'
	import text --set bhyve.release=15
	is "$status" 0
	has "note: bootrom $rom: this is the firmware of an arm64 guest: import with --set bhyve.arch=arm64"
	import text --set bhyve.release=15 --set bhyve.arch=arm64
	is "$status" 0
	[ ! -s err ]
}

@test "blanks around the variables of a file: one problem for all of them" {
	printf '%s\n' '# a VM' '  name=vm' 'memory.size =1G' 'pci.0.31.0.device = lpc' '	bootrom=/a.fd' >text
	import text
	is "$status" 65
	is "$(cat err)" 'vmrun: text:2: a blank before or behind the name of a variable is a part of that name to bhyve, '\
'which then reads nothing of the line (4 such lines): remove these blanks: '\
"sed 's/^[[:blank:]]*//; s/[[:blank:]]*=[[:blank:]]*/=/' text"
	sed 's/^[[:blank:]]*//; s/[[:blank:]]*=[[:blank:]]*/=/' text >clean
	import clean
	is "$status" 0
	printf '%s\n' name=vm 'pci.0.31.0.device = lpc' >text
	import - <text
	is "$status" 65
	has 'which then reads nothing of the line: remove these blanks'
	is "$(sed "s/.*=\/' //" err)" FILE
}

@test "two commands: without the lines of either the text is imported" {
	printf '%s\n' 'vm=web' 'if [ "$1" = install ]; then' "	bhyve -s 3,ahci-cd,a.iso \\" "		${words% vm} \$vm" 'else' \
		"	bhyve -s 3,virtio-blk,a.img ${words% vm} \$vm" 'fi' >text
	import text
	is "$status" 65
	is "$(cat err)" 'vmrun: text:6: a second bhyve command, which differs from that of line 3: import a copy of the text, '\
'in the same directory, without the command that does not apply (lines 3-4 or 6)'
	sed 3,4d text >copy
	import copy
	is "$(jq -r .emulations[0].path out)" "$PWD/a.img"
	sed 6d text >copy
	import copy
	is "$(jq -r .emulations[0].path out)" "$PWD/a.iso"
}
