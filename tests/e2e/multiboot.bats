#!/usr/bin/env bats
# A kernel that qemu boots itself: a multiboot image of a few bytes, which prints its command line and
# its module on the serial port and resets.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	image >kernel
	printf 'in the initrd\n\0' >initrd
}

teardown() {
	common_teardown
}

# Prints the image.  It is loaded at 1 MiB, with the header of the Multiboot Specification 0.6.96
# first; its code begins at byte 32, with the address of what the boot loader tells in ebx.
image() {
	# magic, flags (bit 16: addresses follow), checksum
	printf '\x02\xb0\xad\x1b\x00\x00\x01\x00\xfe\x4f\x51\xe4'
	# addresses: of the header, of the first byte, of the end (whole file), of the bss (none), entry
	printf '\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x00\x10\x00'
	printf '\x8b\x73\x10'             # mov esi, [ebx + 16]: the command line
	printf '\xe8\x14\x00\x00\x00'     # call print
	printf '\x8b\x43\x18\x8b\x30'     # mov eax, [ebx + 24]; mov esi, [eax]: the first module
	printf '\xe8\x0a\x00\x00\x00'     # call print
	printf '\x66\xba\xf9\x0c\xb0\x06' # mov dx, 0xcf9; mov al, 6
	printf '\xee\xf4\xeb\xfd'         # out dx, al: reset; halt for ever
	printf '\x66\xba\xf8\x03'         # print: mov dx, 0x3f8
	printf '\xac\x84\xc0\x74\x03'     # lodsb; test al, al; jz to the ret
	printf '\xee\xeb\xf8\xc3'         # out dx, al; jmp to the lodsb; ret
}

# booted JSON: writes a spec without firmware, with these keys of qemu
booted() {
	jq -n --arg name "$vm" --argjson qemu "$1" '{name: $name, cpu: 1, mem: "64M", com1: "stdio",
		qemu: ({accel: "tcg"} + $qemu), backoff: false, restart_limit: false}' >vm.json
}

@test "a kernel with its command line and initrd, by the BIOS of qemu" {
	booted '{"kernel": "kernel", "initrd": "./initrd", "append": "one=1,2  \"three four\" -five"}'
	vmrun --no-reboot vm.json
	is "$status" 0
	is "$(cause)" reboot
	is "$(tr -d '\r' <out)" "$PWD/kernel one=1,2  \"three four\" -fivein the initrd"
}

@test "files that are missing or no kernel: 69, with their keys" {
	booted '{"kernel": "initrd", "initrd": "no/such"}'
	vmrun vm.json
	is "$status" 69
	has "$PWD/initrd: not a kernel: expected a Linux bzImage"
	has "$PWD/no/such: No such file or directory"
	booted '{"kernel": "kernel", "initrd": "initrd"}'
	vmrun --check vm.json
	is "$status" 0
}

@test "the sandbox: files below the spec's directory only" {
	mkdir sub
	booted '{"kernel": "kernel", "initrd": "../initrd"}'
	mv vm.json kernel sub
	vmrun --sandbox sub/vm.json
	is "$status" 65
	has "qemu.initrd: the sandbox refuses the path \"$PWD/sub/../initrd\""
	lacks qemu.kernel
	vmrun --sandbox --allow ./initrd --no-reboot sub/vm.json
	is "$status" 0
	has 'in the initrd' out
	jq '.bootrom = false' sub/vm.json >sub/false.json
	vmrun --sandbox --allow ./initrd --no-reboot sub/false.json
	is "$status" 0
}

@test "a prefix: qemu inherits its control channel and the lock" {
	booted '{"kernel": "kernel", "initrd": "initrd"}'
	jq '.prefix = ["nice", "-n", "3"]' vm.json >nice.json
	vmrun --no-reboot --events events nice.json
	is "$status" 0
	is "$(cause)" reboot
	is "$(jq -r 'select(.event == "spawned").argv[0:4] | join(" ")' events)" 'nice -n 3 qemu-system-x86_64'
	vmrun --no-requirement-check --qemu "$PWD/no-such-qemu" nice.json # no directory of PATH may be closed to us
	is "$status" 127
	is "$(cause)" start_failed
}

@test "bhyve refuses the kernel, also where nothing is started" {
	local how
	booted '{"kernel": "kernel"}'
	unset VMRUN_HYPERVISOR
	for how in -d --debug '--simulate reboot' '--check --hypervisor bhyve'; do
		# shellcheck disable=SC2086 # an option and its argument
		vmrun $how vm.json
		is "$status" 65
		has 'qemu.kernel: bhyve cannot boot a kernel from a file: run vmrun with --hypervisor qemu'
	done
	vmrun -d --hypervisor qemu vm.json
	is "$status" 0
	has " -kernel $PWD/kernel" out
	lacks ' -bios ' out
}

@test "each boot loads the kernel anew, and two VMs may share it" {
	booted '{"kernel": "kernel", "initrd": "initrd", "append": "first"}'
	chmod a-w kernel initrd
	vmrun --reboot-count 1 vm.json
	is "$(grep -c 'in the initrd' out)" 2
	# The first VM waits for a VNC client, with the kernel loaded.
	jq '.name += "b" | .graphic = {port: "auto", wait: true} | .stop = [{do: "kill", wait: 5}]' \
		vm.json >held.json
	start held.json
	await_text 'runs under'
	vmrun --no-reboot vm.json
	is "$status" 0
	has 'in the initrd' out
	kill -TERM "$pid"
	ends 0
}
