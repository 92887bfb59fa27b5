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
	refused argv 'bhyveload vm -m 1G
bhyve -m 1G -s 31,lpc vm'
	has 'bhyveload: unexpected word -m'
}

@test "texts that begin with a bracket are not all JSON" {
	local text
	for text in '[ -d /vm ] || exit 1\nbhyve %s\n' '[ "$1" = "a ]" ] && shift\nbhyve %s\n' '[ -d /vm ]\nbhyve %s\n' \
		'{ bhyve %s; } &\n' '{\n\tbhyve %s\n} &\n' '[2026-11-30 10:00:01] bhyve %s\n[2026-11-30 10:00:02] up\n' \
		'[root@host ~]# bhyve %s\n' '{%% highlight sh %%}\nbhyve %s\n{%% endhighlight %%}\n' \
		'\xef\xbb\xbfbhyve %s\n' '\xef\xbb\xbf#!/bin/sh\nbhyve %s\n'; do
		# shellcheck disable=SC2059 # the texts are formats
		printf "$text" "$words" >text
		import text
		is "$status" 0
		is "$(jq -r .name out)" vm
	done
	for text in '{"name": "bhyve -c 2 vm"}' ' [ "bhyve -c 2 vm" ]' '[["bhyve -c 2 vm"], 1]' '[1, "a ] || bhyve -c 2 vm"]' \
		'{ name = a; x = "exec bhyve -A vm"; }' '{ # bhyve -c 2 vm' '{}' '\xef\xbb\xbf{"a": "bhyve"}'; do
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
