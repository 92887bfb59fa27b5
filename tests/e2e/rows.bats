#!/usr/bin/env bats
# Keys of devices and of the machine that have an option of qemu: a real qemu takes each, and what it
# cannot have is refused before the start.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	truncate -s 1M a.img b.img c.img
	truncate -s 100000 odd.img # not a multiple of a sector
}

teardown() {
	common_teardown
}

# runs JSON: the demo guest lists its devices, and powers off
runs() {
	rom "$1"
	guest p
	[ "$status" -eq 0 ] || {
		echo "$1"
		cat err
		return 1
	}
}

@test "sizes of sectors, names and places in the boot order" {
	runs '{"emulations": [
		{"device": "virtio-blk", "path": "a.img", "logical_sector_size": 1048576,
			"ser": "12345678901234567890", "bootindex": 2},
		{"device": "virtio-blk", "path": "odd.img", "logical_sector_size": 512,
			"physical_sector_size": 4096},
		{"device": "nvme", "path": "b.img", "logical_sector_size": 65536, "bootindex": 7},
		{"device": "nvme", "path": "c.img", "sectsz": 8192, "maxq": 16, "dsm": "enable"}]}'
	runs '{"emulations": [
		{"device": "ahci-hd", "path": "odd.img", "logical_sector_size": 512,
			"physical_sector_size": 4096, "nmrr": 7200, "rev": "r,1", "model": "m, x", "bootindex": 0},
		{"device": "ahci-cd", "path": "a.img", "logical_sector_size": 2048, "nmrr": 5,
			"rev": "1", "model": "cd", "ser": "s", "ro": true, "bootindex": 1},
		{"device": "virtio-scsi", "path": "b.img", "bootindex": 3, "iid": 3}]}'
	has 'note: virtio-scsi-0: "iid" is for ctl(4), which qemu does not have'
}

@test "keys of network interfaces and shares" {
	runs '{"emulations": [
		{"device": "virtio-net", "name": "slirp", "mtu": 1400, "open": true, "mac": false},
		{"device": "e1000", "name": "slirp", "hostfwd": ["tcp:127.0.0.1:0-:22", "udp::0-:53"]},
		{"device": "virtio-9p", "sharename": "1234567890123456789012345678901", "path": "."},
		{"device": "virtio-9p", "sharename": "y", "path": ".", "ro": true},
		{"device": "xhci", "devices": ["tablet", "tablet", "tablet", "tablet"]}]}'
}

@test "keys of the machine" {
	printf 'x' >file
	runs '{"cpu": 4, "mem": "128M", "wire_guest_mem": true, "guest_mem_in_core": true,
		"yield_on_hlt": false, "uuid": false, "utc_clock": false,
		"numa": [{"id": 0, "cpus": "0-1,3", "size": "96M"}, {"id": 1, "cpus": "2", "size": "32M"}],
		"fwcfg": [{"name": "opt/a", "string": "x,y"}, {"name": "opt/b", "file": "file"}],
		"smbios": {"bios": {"vendor": "a,b", "version": "1", "release_date": "01/01/2020"},
			"board": {"manufacturer": "m", "version": "1", "product_name": "p",
				"serial_number": "s", "asset_tag": "a", "location": "l"},
			"system": {"family_name": "f", "manufacturer": "m", "product_name": "p",
				"serial_number": "s", "sku": "k", "version": "v"},
			"chassis": {"manufacturer": "m", "version": "v", "serial_number": "s",
				"asset_tag": "a", "sku": "k"}}}'
	runs '{"generate_acpi": false, "hostbridge_slot": 3, "lpc_slot": 4, "hostbridge": "amd_hostbridge"}'
	has 'note: hostbridge_slot is bhyve'
	has 'note: lpc_slot is bhyve'
	has "note: qemu's host bridge is Intel's"
}

@test "screens of every kind and the largest size" {
	local vga port
	for vga in off io on; do
		for _ in {1..20}; do # another program may take one meanwhile
			port=$((20000 + RANDOM))
			rom "$(jq -n --argjson port "$port" --arg vga "$vga" '{graphic: {port: $port,
				vga: $vga, width: 3840, height: 2160, password: "secret"}}')"
			guest p
			[ "$status" -eq 0 ] && break
			has 'in use'
		done
		is "$status" 0
	done
}

# refused JSON REASON: by a run, --check and -d alike
refused() {
	local option
	rom "$1"
	for option in '' --check -d; do
		# shellcheck disable=SC2086 # none is no word
		vmrun $option vm.json
		is "$status" 65
		has "qemu: $2"
	done
}

@test "what qemu cannot have is refused by a run, --check and -d" {
	refused '{"emulations": [{"device": "virtio-scsi"}]}' \
		'virtio-scsi at 0:1:0: qemu has no ctl(4), and so no /dev/cam/ctl'
	refused '{"emulations": [{"device": "virtio-net", "name": "vale0:a", "slot": 7}]}' \
		'virtio-net at 0:7:0: qemu has no vale: use a tap'
	refused '{"emulations": [{"device": "passthru", "src": "ppt0"}]}' \
		'passthru at 0:1:0: ppt0 is a name of FreeBSD'
	refused '{"emulations": [{"device": "ahci-hd", "path": "a.img", "logical_sector_size": 4096}]}' \
		"ahci-hd at 0:1:0: qemu's SATA disks have sectors of 512 bytes"
	refused "$(jq -n '{emulations: [{device: "ahci", slot: "3:0",
		ports: [range(7) | {type: "cd", path: "a.img"}]}]}')" \
		"ahci at 0:3:0: qemu's controller has 6 ports, not 7"
	refused '{"emulations": [{"device": "virtio-rnd", "slot": "31:0"}], "lpc_slot": 5}' \
		'virtio-rnd at 0:31:0: 0:0 and 0:31:0 belong to the bridges of q35'
	refused "$(jq -n '{emulations: [range(3; 18; 2) | {device: "virtio-rnd", slot: "\(.):2:0"}]}')" \
		'virtio-rnd at 17:2:0: no slot is left for the bridge to this bus'
	refused '{"bhyve": {"arch": "arm64"}, "emulations": [{"device": "virtio-rnd", "slot": "1:2:0"}]}' \
		'virtio-rnd at 1:2:0: vmrun places devices on bus 0 only under qemu for arm64'
	refused '{"graphic": {"port": 80}}' 'fbuf at 0:1:0: "port" is 80'
	refused '{"emulations": [{"device": "raw", "value": "virtio-rnd"}]}' 'raw at 0:1:0: a raw device'
}
