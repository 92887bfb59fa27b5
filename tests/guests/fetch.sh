#!/bin/sh
# Downloads Debian's kernel for virtual machines and its static busybox, and makes the initramfs of
# the Linux guest that tests and docs/testing-kernels.md boot: vmlinuz, busybox and initrd in
# DIRECTORY.  Does not use the network if the first two exist.
#
# The packages are unpacked, not installed: an installed kernel would become one that this machine
# boots, and busybox-static would replace busybox.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
directory=${1:?usage: fetch.sh DIRECTORY [COMMAND that runs apt-get as root]}
as_root=${2:-}
kernel=linux-image-cloud-amd64

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# Prints the package with the kernel itself, which $kernel only depends on.
kernel_package() {
	apt-cache depends "$kernel" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

download() (
	package=$(kernel_package)
	cd "$work" && rm -f ./*.deb && [ -n "$package" ] &&
		apt-get download -q "$package" busybox-static >apt.log 2>&1
)

# Asks for new package lists if the known ones are missing or too old.
download_or_update() {
	download && return
	if [ "$(id -u)" -eq 0 ] || [ -n "$as_root" ]; then
		# shellcheck disable=SC2086 # a command and its arguments
		$as_root apt-get update >"$work/update.log" 2>&1 || :
		download && return
	fi
	[ -n "$(kernel_package)" ] || die "apt knows no package $kernel (as root: apt-get update)"
	die "apt-get download failed: $(grep '^E:' "$work/apt.log" | head -n 1)"
}

# unpack PACKAGE PATTERN FILE: moves the one file of the package that matches into place
unpack() {
	mkdir "$work/$1"
	dpkg-deb --fsys-tarfile "$work/$1"_*.deb | tar -x -C "$work/$1" --wildcards "$2"
	found=$(find "$work/$1" -type f)
	chmod 755 "$found"
	mv "$found" "$directory/$3"
}

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
if [ ! -e "$directory/vmlinuz" ] || [ ! -e "$directory/busybox" ]; then
	[ -n "$(command -v apt-get)" ] || die "it comes from Debian, and there is no apt-get"
	work=$(mktemp -d "$directory/work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	download_or_update
	unpack "$(kernel_package)" './boot/vmlinuz-*' vmlinuz
	unpack busybox-static '*/bin/busybox' busybox
fi
"$here/initrd.sh" "$directory/busybox" "$directory/initrd"
