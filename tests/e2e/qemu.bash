# What the suites with real guests share, beside ../cli/common.bash.
# shellcheck shell=bash disable=SC2154 # set by common.bash

qemu_setup() {
	load ../cli/common
	common_setup
	unchecked=()
	command -v qemu-system-x86_64 >/dev/null || skip 'qemu-system-x86_64 is not installed'
	unset VMRUN_BHYVE FAKEBHYVE_LOG FAKEBHYVE_SCRIPT FAKEBHYVE_NODISK
	export VMRUN_HYPERVISOR=qemu VMRUN_GUEST=$GUEST
}

# rom [JSON]: a spec of the demo guest under TCG, which talks on stdio, with more keys
rom() {
	spec "$(jq -n --arg rom "$GUEST" --argjson more "${1:-"{}"}" \
		'{bootrom: $rom, com1: "stdio", qemu: {accel: "tcg"}} + $more')"
}

# guest SCRIPT ARG...: a run of vm.json with this script for the guest; lines of out end in LF
guest() {
	local letters=$1
	shift
	vmrun "$@" vm.json -- -fw_cfg "name=opt/vmrun/rom,string=$letters"
	sed -i 's/\r$//' out
}

# start_guest SCRIPT ARG...: the same in the background, up to the guest's first script letter
start_guest() {
	local letters=$1
	shift
	start "$@" vm.json -- -fw_cfg "name=opt/vmrun/rom,string=.$letters"
	await grep -q '^\.' out
	await_text 'runs under'
}

# The pid of the hypervisor that was started last.
qemu_pid() {
	sed -n 's/.* runs under qemu, pid //p' err | tail -n 1
}
