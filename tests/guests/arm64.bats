#!/usr/bin/env bats
# UEFI guests for arm64: Debian's AAVMF in qemu-system-aarch64.
# shellcheck disable=SC2154,SC2034 # vm and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	unchecked=()
	command -v qemu-system-aarch64 >/dev/null || skip 'qemu-system-aarch64 is not installed'
	[ -e /usr/share/AAVMF/AAVMF_CODE.fd ] || skip 'there is no AAVMF: install qemu-efi-aarch64'
	unset VMRUN_BHYVE FAKEBHYVE_LOG FAKEBHYVE_SCRIPT FAKEBHYVE_NODISK
	export VMRUN_HYPERVISOR=qemu
}

teardown() {
	common_teardown
}

# plain: prints the log without its escape sequences
plain() {
	sed -E 's/\x1b\[[0-9;=]*[A-Za-z]//g; s/\r//g' log
}

# listing: prints the shell's PCI listing of the log as lines "SLOT.FUNCTION VENDOR:DEVICE"
listing() {
	plain | sed -nE 's/^ *00 +00 +(..) +(..) ==> .*/\1.\2/p
		s/.* Vendor (....) Device (....) .*/\1:\2/p' | paste -d ' ' - -
}

@test "AAVMF finds the devices at their slots, keeps a variable over a reset, and powers off" {
	truncate -s 1M disk nvme cd
	cat >vm.lua <<-END
		local vm = { name = "$vm", cpu = 9, mem = "256M", com1 = "console", console = { log = "log" },
			bootrom = "/usr/local/share/u-boot/u-boot-bhyve-arm64/u-boot.bin", varfile = "vars",
			bhyve = { arch = "arm64" }, qemu = { accel = "tcg" },
			emulations = {
				{ device = "virtio-blk", path = "disk" },
				{ device = "nvme", path = "nvme", slot = "16:0" },
				{ device = "virtio-rnd", slot = "16:3" },
				{ device = "ahci-cd", path = "cd" },
				{ device = "e1000", name = "slirp", slot = "30" },
				{ device = "xhci" }, { device = "hda" },
			} }
		local function say(text)
			assert(vmrun.expect("Shell> ", { timeout = 120 }))
			assert(vmrun.send(text .. "\r"))
		end
		function vm.on_started(boot)
			local name = "setvar vmrun -guid 6bc1814c-5705-5b6e-af99-104b91962282"
			assert(vmrun.expect("any other key", { timeout = 120 }))
			assert(vmrun.send("\27"))
			if boot.boots == 1 then
				say("pci")
				say(name .. " -bs -nv =0x5a")
				say("reset")
			else
				say(name)
				say("reset -s")
			end
		end
		return vm
	END
	vmrun --events events vm.lua
	is "$status" 0
	has 'u-boot.bin is bhyve'\''s: under qemu /usr/share/AAVMF/AAVMF_CODE.fd stands in for it'
	is "$(jq -r 'select(.event == "exit").cause' events)" 'reboot
poweroff'
	# the host bridge of virt, and the devices by slot
	is "$(listing)" '00.00 1B36:0008
01.00 1AF4:1001
02.00 8086:2922
03.00 1B36:000D
04.00 8086:293E
10.00 1B36:0010
10.03 1AF4:1005
1E.00 8086:100F'
	plain | grep -A 1 ' - vmrun - 0001 Bytes$' | grep -q '^5A'
}
