#!/usr/bin/env bats
# examples/install.lua with a Linux guest, whose installer is tests/guests/installer.sh.
# shellcheck disable=SC2154,SC2034 # shared with ../cli/common.bash

setup() {
	load linux
	linux_setup
	truncate -s 16M disk.img
}

teardown() {
	common_teardown
}

# install ARG...: runs the example with the empty disk
install() {
	vmrun -t install --arg "name=$vm" --arg "kernel=$kernel" --arg "initrd=$initrd" \
		--arg "disk=$PWD/disk.img" --arg "log=$PWD/log" --set qemu.accel=tcg "$@" "$SOURCE/examples/install.lua"
}

booted() {
	sed -n 's/.*: target \(.*\) runs under .*/\1/p' err | paste -sd' ' -
}

@test "the answers are typed, and the installed disk boots with its name" {
	install --arg hostname=web1
	is "$status" 0
	is "$(booted)" 'install default'
	has 'Erase /dev/nvme0n1 and install web1 (yes/no)? yes' log
	has 'web1 login: ' log
	has 'installed and up: web1'
	# the disk is really what booted: once more without the installer
	vmrun --arg "name=$vm" --arg "kernel=$kernel" --arg "disk=$PWD/disk.img" --arg hostname=web1 \
		--set qemu.accel=tcg "$SOURCE/examples/install.lua"
	is "$status" 0
	is "$(booted)" default
}

@test "the installer refuses: the disk is too small" {
	truncate -s 4096 disk.img
	install
	is "$status" 1
	is "$(booted)" install
}

@test "the installed system does not come up" {
	# the same disk with another name on it
	install --arg hostname=web1
	is "$status" 0
	vmrun --arg "name=$vm" --arg "kernel=$kernel" --arg "disk=$PWD/disk.img" --arg hostname=other \
		--set qemu.accel=tcg --arg within=20 "$SOURCE/examples/install.lua"
	is "$status" 1
	is "$(cause)" not_ready
}
