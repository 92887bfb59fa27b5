# What the suites with Linux guests share, beside ../cli/common.bash.
# shellcheck shell=bash disable=SC2154,SC2034 # shared with ../cli/common.bash

linux_setup() {
	guests=${VMRUN_GUESTS:-$BUILT_GUESTS}
	kernel=$guests/vmlinuz
	load ../cli/common
	common_setup
	unchecked=()
	patience=450 # below BATS_TEST_TIMEOUT of CMakeLists.txt
	command -v qemu-system-x86_64 >/dev/null || skip 'qemu-system-x86_64 is not installed'
	[ -e "$kernel" ] || skip "there is no $kernel: run ./dev guests"
	initrd=$BATS_FILE_TMPDIR/initrd
	[ -e "$initrd" ] || "$SOURCE/tests/guests/initrd.sh" "$guests/busybox" "$initrd"
	unset VMRUN_BHYVE FAKEBHYVE_LOG FAKEBHYVE_SCRIPT FAKEBHYVE_NODISK
	export VMRUN_HYPERVISOR=qemu
}

# linux SCRIPT [JSON] [-full]: writes vm.json, a VM with these keys, whose guest runs the script and
# powers off; -full: the kernel for all machines.  qemu.append of the JSON is added.  The kernel prints
# emergencies only, a panic for one, since other messages of a slow boot would break the script's lines.
linux() {
	local flavour=${3:-}
	[ -e "$guests/modules$flavour" ] || skip "there is no $guests/modules$flavour: run ./dev guests"
	printf '%s\n' "$1" >script.sh
	"$SOURCE/tests/guests/initrd.sh" "$guests/busybox" initrd "$guests/modules$flavour" script.sh
	jq -n --arg name "$vm" --arg kernel "$guests/vmlinuz$flavour" --arg initrd "$PWD/initrd" \
		--argjson more "${2:-"{}"}" '{name: $name, cpu: 1, mem: "192M", com1: "stdio",
			backoff: false, restart_limit: false,
			qemu: {accel: "tcg", kernel: $kernel, initrd: $initrd}} * $more |
			.qemu.append = "console=ttyS0 loglevel=1 " + (.qemu.append // "")' >vm.json
}

# boot ARG...: runs vm.json; lines of out end in LF
boot() {
	vmrun "$@" vm.json
	sed -i 's/\r$//' out
}
