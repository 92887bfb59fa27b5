#!/usr/bin/env bats
# UEFI under qemu: OVMF and its variables.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || [ -e /usr/local/share/qemu/edk2-x86_64-code.fd ] ||
		skip 'OVMF is not installed'
}

teardown() {
	common_teardown
}

# up: OVMF has begun to draw on the serial port, and stops when asked
up() {
	start vm.json
	await test -s out
	await_text 'runs under'
	kill -TERM "$pid"
	await_text 'pressing the power button'
	stop_again "$pid"
	ends 0
	is "$(cause)" stopped
}

@test "BHYVE_UEFI.fd is replaced by OVMF, with a note" {
	rom '{"bootrom": "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd", "mem": "256M"}'
	up
	has 'note: firmware /usr/local/share/uefi-firmware/BHYVE_UEFI.fd'
	is "$(ls)" "$(printf 'err\nout\nvm.json')"
}

@test "the varfile becomes VARFILE.qemu: made from the template, never overwritten" {
	rom '{"bootrom": "/usr/local/share/uefi-firmware/BHYVE_UEFI_CODE.fd", "varfile": "vars.fd", "mem": "256M"}'
	echo "bhyve's own" >vars.fd
	up
	has 'note: made '
	[ "$(stat -c %s vars.fd.qemu)" -gt 60000 ]
	is "$(cat vars.fd)" "bhyve's own"
	# what the guest wrote stays
	printf 'VMRUN' | dd of=vars.fd.qemu bs=1 seek=500000 conv=notrunc 2>/dev/null
	local inode
	inode=$(stat -c %i vars.fd.qemu)
	up
	lacks 'note: made'
	is "$(stat -c %i vars.fd.qemu)" "$inode"
	is "$(dd if=vars.fd.qemu bs=1 skip=500000 count=5 2>/dev/null)" VMRUN
	is "$(find . -name 'vars*' | wc -l)" 2
}

@test "a firmware and a template of the user's" {
	local code=/usr/share/OVMF/OVMF_CODE_4M.fd vars=/usr/share/OVMF/OVMF_VARS_4M.fd
	[ -e $code ] || skip "no $code"
	rom "$(jq -n --arg c $code --arg v $vars '{bootrom: $c, varfile: "my.fd", varfile_template: $v, mem: "256M"}')"
	up
	lacks 'note: firmware'
	[ -s my.fd ] && [ ! -e my.fd.qemu ]
}

@test "a template that is missing: 69, and no half-made file" {
	rom "$(jq -n --arg rom "$GUEST" '{bootrom: $rom, varfile: "my.fd", varfile_template: "/no/such"}')"
	guest p
	is "$status" 69
	has '/no/such'
	is "$(find . -name 'my*')" ''
}

@test "a varfile in a directory that is missing: 69" {
	rom '{"bootrom": "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd", "varfile": "no/dir/my.fd"}'
	guest p
	is "$status" 69
	has 'no/dir/my.fd'
}
