#!/usr/bin/env bats
# The Linux guest itself.
# shellcheck disable=SC2154 # vm and pid: ../cli/common.bash

setup() {
	load linux
	linux_setup
}

teardown() {
	common_teardown
}

@test "Linux comes up with a login prompt" {
	jq -n --arg name "$vm" --arg kernel "$kernel" --arg initrd "$initrd" '{name: $name, cpu: 1,
		mem: "256M", com1: "console",
		qemu: {accel: "tcg", kernel: $kernel, initrd: $initrd, append: "console=ttyS0 quiet"}}' >vm.json
	start vm.json
	await_text 'runs under'
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" wait-for 'guest login: ' --timeout 120
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" kill
	ends 0
}

@test "equal inputs make an equal initramfs" {
	"$SOURCE/tests/guests/initrd.sh" "${kernel%/*}/busybox" "$PWD/again"
	cmp "$initrd" again
}
