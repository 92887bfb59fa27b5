#!/usr/bin/env bats
# examples/install-cd.json with a CD that writes a system to the disk: GRUB, Linux and busybox, which a
# BIOS boots from the CD and from the disk.
# shellcheck disable=SC2154,SC2034 # shared with ../cli/common.bash

setup() {
	load linux
	linux_setup
	local program
	for program in grub-mkimage grub-mkrescue xorriso; do
		[ -n "$(command -v $program)" ] || skip "there is no $program (Debian: apt install grub-common xorriso)"
	done
	[ -e /usr/lib/grub/i386-pc ] || skip 'there is no GRUB for a BIOS (Debian: apt install grub-pc-bin)'
	jq --arg name "$vm" '.name = $name' "$SOURCE/examples/install-cd.json" >vm.json
	truncate -s 24M disk.img
}

teardown() {
	common_teardown
}

# cd_for NAME: makes install.iso, which installs a system with that name
cd_for() {
	"$SOURCE/tests/guests/cd.sh" "${kernel%/*}" "$1" install.iso
}

# boot_example ARG...: runs the example; events has the events
boot_example() {
	vmrun --set bootrom=false --set qemu.accel=tcg --set cpu=1 --set mem=256M --events events "$@" vm.json
	sed -i 's/\r$//' out
}

# Prints target and cause of each boot.
boots() {
	sed -n 's/.*: target \([a-z]*\): .* after [^(]* (\([a-z_]*\),.*/\1 \2/p' err | paste -sd, -
}

# Prints for each boot the number of AHCI controllers that its guest lists.
controllers() {
	awk '/^pci 0000:00:00\.0 / { n++ } / 0x8086 0x2922$/ { ahci[n]++ }
		END { for (i = 1; i <= n; i++) printf "%d%s", ahci[i], i < n ? " " : "\n" }' out
}

# Prints for each boot whether the CD is in the command of the hypervisor.
cds() {
	jq -r 'select(.event == "spawned") | any(.argv[]; contains("install.iso"))' events | paste -sd' ' -
}

@test "the CD writes a system to the empty disk, resets, and the disk boots without the CD" {
	cd_for first
	boot_example -t install
	is "$status" 0
	is "$(boots)" 'install reboot,default poweroff'
	is "$(grep -E '^(Installed|This is)' out | paste -sd' ' -)" \
		'Installed first. This is first, from root=/dev/nvme0n1p1.'
	is "$(controllers)" '1 0'
	is "$(cds)" 'true false'
	# the disk stays where it was
	is "$(grep -c '^pci 0000:00:01.0 0x1b36 0x0010$' out)" 2

	# a further start needs no CD
	rm install.iso events
	boot_example
	is "$status" 0
	is "$(boots)" 'default poweroff'
	has 'This is first, from root=/dev/nvme0n1p1.' out
	is "$(cds)" false

	# the CD comes before the disk, which can boot now: it installs once more
	cd_for second
	boot_example -t install --no-reboot
	is "$status" 0
	is "$(boots)" 'install reboot'
	has 'Installed second.' out
}

@test "an installer that fails powers off, and the disk is not booted" {
	cd_for none
	truncate -s 1M disk.img
	boot_example -t install
	is "$status" 0
	is "$(boots)" 'install poweroff'
	has 'Cannot write to /dev/nvme0n1.' out
}
