#!/bin/sh
# Downloads two of Debian's kernels, their drivers and its static busybox, and makes the initramfs of
# the Linux guest that tests and docs/testing-kernels.md boot.  DIRECTORY then has:
#
#	vmlinuz, modules	the kernel for virtual machines, which boots fast and has NVMe built in
#	vmlinuz-full, modules-full	the kernel for all machines, which also knows 9p, AHCI and e1000
#	busybox, initrd
#
# Does not use the network if all of it exists ("contents" names the drivers, and is written last).
# The packages are unpacked, not installed: an installed kernel would become one that this machine
# boots, and busybox-static would replace busybox.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
directory=${1:?usage: fetch.sh DIRECTORY [COMMAND that runs apt-get as root]}
as_root=${2:-}
kernel=linux-image-cloud-amd64
full=linux-image-amd64

# The drivers that tests need; what they depend on comes with them.
drivers='virtio_pci virtio_blk virtio_net virtio_console button evdev pvpanic-mmio'
full_drivers="$drivers virtio_scsi virtio-rng sd_mod sr_mod ahci nvme e1000 9p 9pnet_virtio"

# Without a network apt-get gives up at once, instead of after retries that last minutes.
impatient='-o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20'

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# kernel_package NAME: prints the package with the kernel itself, which NAME only depends on
kernel_package() {
	apt-cache depends "$1" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

download() (
	one=$(kernel_package "$kernel")
	two=$(kernel_package "$full")
	# shellcheck disable=SC2086 # options
	cd "$work" && rm -f ./*.deb && [ -n "$one" ] && [ -n "$two" ] &&
		apt-get $impatient download -q "$one" "$two" busybox-static >apt.log 2>&1
)

# Asks for new package lists if the known ones are missing or too old.
download_or_update() {
	download && return
	if [ "$(id -u)" -eq 0 ] || [ -n "$as_root" ]; then
		# shellcheck disable=SC2086 # a command and its arguments
		$as_root apt-get $impatient update >"$work/update.log" 2>&1 || :
		download && return
	fi
	[ -n "$(kernel_package "$kernel")" ] || die "apt knows no package $kernel (as root: apt-get update)"
	[ -n "$(kernel_package "$full")" ] || die "apt knows no package $full (as root: apt-get update)"
	die "apt-get download failed: $(grep '^E:' "$work/apt.log" | head -n 1)"
}

# unpack PACKAGE PATTERN...: unpacks the matching files into the directory of the package
unpack() {
	package=$1
	shift
	mkdir "$work/$package"
	dpkg-deb --fsys-tarfile "$work/$package"_*.deb | tar -x -C "$work/$package" --wildcards "$@"
}

# take PACKAGE NAME FILE: moves the one file with that name into place
take() {
	found=$(find "$work/$1" -type f -name "$2")
	chmod 755 "$found"
	mv "$found" "$directory/$3"
}

# copy_module TREE NAME DIRECTORY: copies a module after those that it depends on, and appends it to
# the list "order"; a driver that is part of the kernel has no file.  A subshell, since it calls itself.
copy_module() (
	file=$(find "$1" -type f \( -name "$2.ko" -o -name "$2.ko.xz" \))
	[ -n "$file" ] && [ ! -e "$3/$2.ko" ] || return 0
	case $file in
	*.xz) xz -dc "$file" >"$3/$2.ko" ;;
	*) cp "$file" "$3/$2.ko" ;;
	esac
	for needed in $(tr '\0' '\n' <"$3/$2.ko" | sed -n 's/^depends=//p' | tr , ' '); do
		copy_module "$1" "$needed" "$3"
	done
	printf '%s.ko\n' "$2" >>"$3/order"
)

# take_kernel PACKAGE SUFFIX DRIVER...: moves a kernel and its drivers into place
take_kernel() {
	tree=$work/$1 suffix=$2
	unpack "$1" './boot/vmlinuz-*' '*/kernel/*.ko*'
	take "$1" 'vmlinuz-*' "vmlinuz$suffix"
	shift 2
	mkdir "$work/modules$suffix"
	for driver; do
		copy_module "$tree" "$driver" "$work/modules$suffix"
	done
	rm -rf "$directory/modules$suffix"
	mv "$work/modules$suffix" "$directory/modules$suffix"
}

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
contents="$kernel: $drivers; $full: $full_drivers"
if [ "$(cat "$directory/contents" 2>/dev/null)" != "$contents" ]; then
	[ -n "$(command -v apt-get)" ] || die "it comes from Debian, and there is no apt-get"
	work=$(mktemp -d "$directory/work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM # dash runs the EXIT trap only if the shell exits by itself
	download_or_update
	# shellcheck disable=SC2086 # lists of names
	take_kernel "$(kernel_package "$kernel")" '' $drivers
	# shellcheck disable=SC2086
	take_kernel "$(kernel_package "$full")" -full $full_drivers
	unpack busybox-static '*/bin/busybox'
	take busybox-static busybox busybox
	printf '%s\n' "$contents" >"$directory/contents"
fi
"$here/initrd.sh" "$directory/busybox" "$directory/initrd"
