# What the suites with Linux guests share, beside ../cli/common.bash.
# shellcheck shell=bash disable=SC2154,SC2034 # shared with ../cli/common.bash

linux_setup() {
	kernel=${VMRUN_GUESTS:-$BUILT_GUESTS}/vmlinuz
	load ../cli/common
	common_setup
	unchecked=()
	command -v qemu-system-x86_64 >/dev/null || skip 'qemu-system-x86_64 is not installed'
	[ -e "$kernel" ] || skip "there is no $kernel: run ./dev guests"
	initrd=$BATS_FILE_TMPDIR/initrd
	[ -e "$initrd" ] || "$SOURCE/tests/guests/initrd.sh" "${kernel%/*}/busybox" "$initrd"
	unset VMRUN_BHYVE FAKEBHYVE_LOG FAKEBHYVE_SCRIPT FAKEBHYVE_NODISK
	export VMRUN_HYPERVISOR=qemu
}
