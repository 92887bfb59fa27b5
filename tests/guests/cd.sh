#!/bin/sh
# Makes a CD that installs a Linux system on the first NVMe disk and resets: cd.sh GUESTS NAME FILE.
# GUESTS is the directory that fetch.sh has made, NAME becomes the host name of the system.  GRUB boots
# the CD and the disk from a BIOS.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
guests=$1
name=$2
file=$3
modules=/usr/lib/grub/i386-pc
start=2048 # the first sector of the partition; the boot loader is before it
size=47104

# Prints a number as four bytes, the lowest one first.
number() {
	for shift in 0 8 16 24; do
		# shellcheck disable=SC2059 # the format is the byte
		printf "\\$(printf %03o $(($1 >> shift & 255)))"
	done
}

# boot_loader FILE: writes what stands before the partition: the boot sector with a table of one
# partition, and the rest of GRUB
boot_loader() {
	grub-mkimage -d "$modules" -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$work/core" \
		biosdisk part_msdos ext2 normal linux serial
	cat "$modules/boot.img" "$work/core" >"$1"
	# active, type Linux
	{ printf '\200\0\0\0\203\0\0\0' && number $start && number $size && head -c 48 /dev/zero; } |
		dd of="$1" bs=1 seek=446 conv=notrunc 2>"$work/dd.log"
}

# grub_cfg COMMAND...: prints a configuration of GRUB for the serial console
grub_cfg() {
	printf '%s\n' 'serial --unit=0 --speed=115200' 'terminal_output serial' "$@" boot
}

work=$(mktemp -d "$file.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/system" "$work/cd/boot/grub"

cp "$guests/busybox" "$work/root/bin/busybox"
cp "$here/cd_init.sh" "$work/root/init"
cp "$guests/vmlinuz" "$work/root/system/vmlinuz"
printf '%s\n' "$name" >"$work/root/system/hostname"
boot_loader "$work/root/system/boot_loader"
grub_cfg 'linux /boot/vmlinuz console=ttyS0 quiet root=/dev/nvme0n1p1 rw init=/init' \
	>"$work/root/system/grub.cfg"

cp "$guests/vmlinuz" "$work/cd/boot/vmlinuz"
(cd "$work/root" && find . | "$guests/busybox" cpio -o -H newc 2>/dev/null) >"$work/cd/boot/initrd"
grub_cfg 'linux /boot/vmlinuz console=ttyS0 quiet' 'initrd /boot/initrd' >"$work/cd/boot/grub/grub.cfg"
if ! grub-mkrescue -d "$modules" --compress=no --locales= --fonts= --themes= \
	--install-modules='biosdisk iso9660 normal linux serial' -o "$file" "$work/cd" >"$work/log" 2>&1; then
	cat "$work/log" >&2
	exit 1
fi
