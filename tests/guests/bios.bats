#!/usr/bin/env bats
# Guests of qemu's own BIOS: Debian's iPXE from its CD, and GRUB from a disk.
# shellcheck disable=SC2154,SC2034 # vm and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	unchecked=()
	command -v qemu-system-x86_64 >/dev/null || skip 'qemu-system-x86_64 is not installed'
	unset VMRUN_BHYVE FAKEBHYVE_LOG FAKEBHYVE_SCRIPT FAKEBHYVE_NODISK
	export VMRUN_HYPERVISOR=qemu
}

teardown() {
	common_teardown
}

@test "iPXE boots from a CD and takes keys: com1 is screen and keyboard of the BIOS" {
	local iso=/usr/lib/ipxe/ipxe.iso
	[ -e $iso ] || skip "there is no $iso: install ipxe"
	cat >vm.lua <<-END
		local vm = { name = "$vm", cpu = 1, mem = "64M", bootrom = false, com1 = "console",
			stop = { { ["do"] = "kill", wait = 5 } }, qemu = { accel = "tcg" }, emulations = { { device = "ahci-cd", path = "$iso" } } }
		function vm.on_started()
			-- SeaBIOS moves the cursor at times, in the middle of a word: further prompts follow
			for try = 1, 120 do
				assert(vmrun.send("\2\r"))
				if vmrun.expect("iPXE> ", { timeout = 1 }) then
					vmrun.request("stop", { status = 42 })
					return
				end
			end
		end
		return vm
	END
	vmrun vm.lua
	is "$status" 42
}

# boots SCRIPT: makes a disk with GRUB, which runs these lines
boots() {
	local grub=/usr/lib/grub/i386-pc
	command -v grub-mkimage >/dev/null || skip 'grub-mkimage is not installed'
	[ -e $grub/boot.img ] || skip "there is no $grub/boot.img: install grub-pc-bin"
	printf '%s\n' "$@" >grub.cfg
	grub-mkimage -O i386-pc -o core.img -c grub.cfg -p / biosdisk serial terminal echo halt reboot
	cat $grub/boot.img core.img >disk
	truncate -s 1M disk
}

# disk MODEL: a spec of a guest that boots from this disk
disk() {
	jq -n --arg name "$vm" --arg model "$1" '{name: $name, cpu: 1, mem: "64M", bootrom: false,
		com1: "stdio", qemu: {accel: "tcg"}, emulations: [{device: $model, path: "disk"}]}' >vm.json
}

cause() {
	jq -r 'select(.event == "exit").cause' events
}

@test "GRUB boots from a disk of each model, and powers off" {
	local model
	boots serial 'terminal_output serial' 'echo "GRUB speaks"' halt
	for model in virtio-blk ahci-hd nvme; do
		disk $model
		vmrun --events events vm.json
		is "$status" 0
		has 'GRUB speaks' out
		is "$model $(cause)" "$model poweroff"
		rm events
	done
}

@test "a reset by the BIOS is a reboot, and a triple fault remains one" {
	boots reboot
	disk virtio-blk
	vmrun --no-reboot --events events vm.json
	is "$(cause)" reboot
	is "$status" 0
	# cli; ds = 0; lidt [0x7c20], which is empty; int3
	printf '\xfa\x31\xc0\x8e\xd8\x0f\x01\x1e\x20\x7c\xcc' >disk
	truncate -s 510 disk
	printf '\x55\xaa' >>disk
	truncate -s 1M disk
	rm events
	vmrun --events events vm.json
	is "$(cause)" triple_fault
	is "$status" 3
}
