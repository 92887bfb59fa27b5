#!/usr/bin/env bats
# Devices as a guest sees them.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	load slots
	qemu_setup
	truncate -s 1M disk.img
	truncate -s 2M cd.iso
}

teardown() {
	common_teardown
}

many='{"emulations": [
	{"device": "virtio-blk", "path": "disk.img", "slot": "5:0"},
	{"device": "virtio-net", "name": "slirp", "type": "slirp", "slot": "5:2"},
	{"device": "virtio-console", "ports": {"org.test": "sock"}},
	{"device": "ahci-hd", "path": "hd.img", "slot": 30},
	{"device": "virtio-blk", "path": "disk2.img"},
	{"device": "virtio-net", "name": "slirp"}],
	"targets": {"install": {"emulations": [{"device": "ahci-cd", "path": "cd.iso"},
		{"device": "ahci-cd", "path": "cd.iso", "slot": "0:2:0"}]}}}'

@test "slots from inside the guest are those of --debug; the same in base and target" {
	truncate -s 1M disk2.img hd.img
	rom "$many"
	guest p
	is "$status" 0
	is "$(seen)" "$(spec_slots)"
	is "$(seen | wc -l)" 6
	seen >base
	is "$(grep -c '^ahci' out)" 1
	has 'ahci 0:30:0 port 0 disk' out
	guest p -t install
	is "$(seen)" "$(spec_slots -t install)"
	is "$(seen | wc -l)" 8
	is "$(seen | sort | comm -12 - <(sort base))" "$(sort base)"
	grep -qx 'ahci 0:2:0 port 0 cd' out
}

every='{"emulations": [
	{"device": "ahci", "ports": [{"type": "hd", "path": "disk.img", "ser": "a,b"},
		{"type": "cd", "path": "cd.iso"}, {"type": "hd", "path": "hd.img", "nmrr": 1}]},
	{"device": "nvme", "path": "a, b.img", "maxq": 2, "sectsz": 4096, "ser": "x, y",
		"eui64": "0xf8f1000000000001"},
	{"device": "nvme", "ram": 64, "slot": "9:0"},
	{"device": "nvme", "path": "ro.img", "ro": true, "slot": "9:3"},
	{"device": "virtio-9p", "sharename": "a, b", "path": "share, d"},
	{"device": "virtio-9p", "sharename": "ro", "path": "share, d", "ro": true},
	{"device": "virtio-scsi", "path": "scsi.img", "slot": "16"},
	{"device": "virtio-rnd"},
	{"device": "uart", "path": "/dev/nmdm0A"},
	{"device": "hda", "play": "/dev/dsp0", "rec": "/dev/dsp0"},
	{"device": "xhci", "slot": "30:7"}, {"device": "virtio-rnd", "slot": "30:0"}]}'

@test "every kind of device, each at its slot" {
	local port
	truncate -s 1M hd.img 'a, b.img' ro.img scsi.img
	mkdir 'share, d'
	for _ in {1..20}; do
		port=$((20000 + RANDOM))
		rom "$(jq --argjson port "$port" \
			'.emulations += [{device: "fbuf", port: $port}]' <<<"$every")"
		guest p
		[ "$status" -eq 0 ] && break
		has 'in use'
	done
	is "$status" 0
	is "$(seen)" "$(spec_slots)"
	is "$(seen | wc -l)" 13
	is "$(grep '^ahci' out)" "ahci 0:1:0 port 0 disk
ahci 0:1:0 port 1 cd
ahci 0:1:0 port 2 disk"
}

@test "a uart on the standard input and output leaves com1 out" {
	rom '{"com1": null, "emulations": [{"device": "uart", "path": "stdio"}]}'
	guest p
	is "$status" 0
	[ ! -s out ] # the guest talks on com1
	rom '{"emulations": [{"device": "uart", "path": "stdio"}]}'
	vmrun vm.json
	is "$status" 65
	has 'com1 and uart "uart-0" both have the serial port "stdio"'
}

@test "thirty-five devices: slots, then functions" {
	local i
	for i in $(seq 35); do
		jq -n --arg path "sock$i" '{device: "virtio-console", ports: {($path): $path}}'
	done | jq -s '{emulations: .}' >more.json
	rom "$(cat more.json)"
	guest p
	is "$status" 0
	is "$(seen)" "$(spec_slots)"
	is "$(seen | wc -l)" 35
	[ ! -e sock1 ]
}

@test "virtio-console sockets: there while it runs, gone after; stale ones replaced" {
	rom '{"emulations": [{"device": "virtio-console", "ports": {"a": "one", "b": "two, words"}}]}'
	start_guest w
	[ -S one ] && [ -S 'two, words' ]
	# a live one is refused, and stays
	status=0
	"$VMRUN" "${stated[@]}" vm.json >out2 2>err2 </dev/null || status=$?
	is "$status" 69
	has "$PWD/one" err2
	[ -S one ]
	local qemu
	qemu=$(qemu_pid)
	kill -KILL "$pid"
	ends 137
	await is_gone "$qemu"
	guest p
	is "$status" 0
	[ ! -e one ]
	[ ! -e 'two, words' ]
}

@test "names with commas, blanks and signs reach qemu intact" {
	local name='a, b=c %d é;$x.img'
	truncate -s 1M "$name"
	rom "$(jq -n --arg path "$name" '{emulations: [{device: "virtio-blk", path: $path},
		{device: "ahci-hd", path: "disk.img", ser: "a,b"}]}')"
	guest p
	is "$status" 0
	is "$(seen | wc -l)" 2
}

@test "com2 on a free tcp port, com1 on stdio" {
	local port # another program may take one meanwhile
	for _ in {1..20}; do
		port=$((20000 + RANDOM))
		rom "$(jq -n --arg port "$port" '{com2: "tcp=127.0.0.1:\($port)"}')"
		guest p
		[ "$status" -eq 0 ] && break
		has 'in use'
	done
	is "$status" 0
	has 'vmrun demo guest' out
}

@test "com1 on a terminal" {
	mkfifo hold
	"$PTY" sh -c 'stty raw -echo; tty >tty.new; mv tty.new tty; read -r line <hold' >seen 2>pty.err \
		</dev/null 3>&- &
	local helper=$!
	pids+=("$helper")
	await_file tty
	rom "$(jq -n --arg tty "$(cat tty)" '{com1: $tty}')"
	guest p
	is "$status" 0
	[ ! -s out ]
	echo >hold
	wait "$helper"
	has 'vmrun demo guest' seen
}

@test "--set and -- reach the guest" {
	rom
	guest p --set mem=128M --set cpu=2
	is "$status" 0
	grep -qx 'cpus 2' out
}
