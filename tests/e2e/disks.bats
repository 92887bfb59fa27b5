#!/usr/bin/env bats
# Disks of every format and model, which SeaBIOS reads and writes for a guest in a boot sector.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	command -v qemu-img >/dev/null || skip 'qemu-img is not installed'
	boot_sector >sector
	mkdir raw images
}

teardown() {
	[ -z "$loop" ] || losetup -d "$loop"
	common_teardown
}

# A boot sector that writes itself into the second sector of each disk of the BIOS (int 13h, AH=3),
# says K or, where that fails, E on COM1, then a line end, and resets the machine by port 0xCF9.
boot_sector() {
	local code='31c08ed88ec08ed0bc007cbe800089f2b80103bb007cb90200cd13b04b73'
	code+='02b045baf803ee46a07504048030e439c672ddb00abaf803eeb006baf90ceef4ebfd'
	printf '%b' "$(sed 's/../\\x&/g' <<<"$code")"
	head -c $((510 - ${#code} / 2)) /dev/zero
	printf '\x55\xaa'
}

# disk NAME FORMAT: images/NAME, and raw/NAME as it was
disk() {
	cp sector "raw/$1"
	truncate -s 1M "raw/$1"
	qemu-img convert -f raw -O "$2" "raw/$1" "images/$1"
}

# written NAME FORMAT: the guest has written to the image
written() {
	qemu-img convert -f "$2" -O raw "images/$1" now
	cmp -n 512 sector now && cmp -n 512 -i 0:512 sector now
}

# bios JSON ARG...: a run of the disks
bios() {
	spec "$(jq -n --argjson disks "$1" '{bootrom: false, com1: "stdio", mem: "32M",
		qemu: {accel: "tcg", machine: "graphics=on"}, emulations: $disks}')"
	vmrun --no-reboot "${@:2}" vm.json
}

# said TEXT: a report says so, wherever its lines end
said() {
	tr -s '\n ' ' ' <err >joined
	has "$1" joined
}

formats='[{"device": "virtio-blk", "path": "images/a", "format": "qcow2", "nocache": false,
		"direct": true, "ser": "S1", "bootindex": 0},
	{"device": "ahci-hd", "path": "images/b", "format": "vmdk"},
	{"device": "ahci", "ports": [{"type": "hd", "path": "images/c", "format": "vdi"},
		{"type": "hd", "path": "images/d", "format": "raw"}]},
	{"device": "nvme", "path": "images/e", "format": "vpc", "nodelete": true},
	{"device": "virtio-scsi", "path": "images/f", "format": "vhdx"}]'

@test "a disk of each format is read and written, and stays an image of it" {
	local name
	disk a qcow2
	disk b vmdk
	disk c vdi
	disk d raw
	disk e vpc
	disk f vhdx
	bios "$formats"
	is "$status" 0
	is "$(cat out)" KKKKKK
	for name in a:qcow2 b:vmdk c:vdi d:raw e:vpc f:vhdx; do
		written "${name%:*}" "${name#*:}"
	done
	# an image whose format the spec leaves out stays as it is
	sha256sum images/* >sums
	bios "$(jq '[.[] | del(.format)]' <<<"$formats")"
	is "$status" 69
	said 'images/a: a qcow2 image, but "format" is "raw": set "format" to "qcow2" (a write'
	said 'images/e: a vpc image, but "format" is "raw": set'
	sha256sum --quiet -c sums
}

@test "ro: no image is written, and the guest is told so where its model can" {
	local name
	for name in a b c d; do
		disk "$name" qcow2
	done
	sha256sum images/* >sums
	bios '[{"device": "virtio-blk", "path": "images/a", "format": "qcow2", "ro": true},
		{"device": "nvme", "path": "images/b", "format": "qcow2", "ro": true},
		{"device": "ahci-hd", "path": "images/c", "format": "qcow2", "ro": true},
		{"device": "ahci", "ports": [
			{"type": "hd", "path": "images/d", "format": "qcow2", "ro": true}]}]'
	is "$status" 0
	is "$(fold -w 1 <out | sort | uniq -c | tr -s ' \n' ' ')" ' 2 E 2 K '
	sha256sum --quiet -c sums
	has 'images/c: qemu has no read-only IDE disk'
}

@test "a file below /dev is not taken for a device, and a device may have any name" {
	local shm
	[ -w /dev/shm ] || skip '/dev/shm cannot be written to'
	shm=$(mktemp -d /dev/shm/vmrun.XXXXXX)
	disk a qcow2
	mv images/a "$shm/a"
	ln -s "$shm/a" images/a
	bios "$(jq -n --arg path "$shm/a" '[{device: "virtio-blk", path: $path, format: "qcow2"}]')"
	cp "$shm/a" copy
	rm -r "$shm"
	is "$status" 0
	is "$(cat out)" K
	mv copy images/a
	written a qcow2
}

@test "a block device, by a symbolic link: raw, and qcow2 on it" {
	[ "$(id -u)" -eq 0 ] || skip 'a loop device needs root'
	disk a raw
	loop=$(losetup -f --show images/a) || skip 'this kernel has no loop device to spare'
	ln -s "$loop" link
	bios '[{"device": "virtio-scsi", "path": "link"}]'
	is "$status" 0
	is "$(cat out)" K
	losetup -d "$loop"
	loop=
	written a raw
	disk b qcow2
	loop=$(losetup -f --show images/b)
	ln -sf "$loop" link
	bios '[{"device": "virtio-blk", "path": "link"}]'
	is "$status" 69
	said 'link: a qcow2 image, but "format" is "raw"'
	bios '[{"device": "virtio-blk", "path": "link", "format": "qcow2"}]'
	is "$status" 0
	is "$(cat out)" K
}

@test "a format that bhyve does not read is refused there, in every target" {
	disk a qcow2
	bios '[{"device": "virtio-blk", "path": "images/a", "format": "qcow2"}]' --hypervisor bhyve -d
	is "$status" 65
	has 'emulations[0]: "format" is "qcow2": bhyve reads raw images only'
	bios '[{"device": "virtio-blk", "path": "images/a", "format": "qcow"}]' -d
	is "$status" 65
	has 'invalid value "qcow": expected one of "raw", "qcow2", "vmdk", "vhdx", "vdi", "vpc"'
}
