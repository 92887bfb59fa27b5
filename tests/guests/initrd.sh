#!/bin/sh
# Makes the initramfs of the Linux guest: initrd.sh BUSYBOX FILE [MODULES [SCRIPT]].  MODULES is a
# directory of drivers that fetch.sh has made; SCRIPT is what the guest runs in place of the login
# prompt.  Equal inputs make equal files.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
busybox=$1
file=$2
modules=${3:-}
script=${4:-}
inode=0

# entry MODE NAME [FILE]: appends a member to the archive (cpio, newc), with the file's bytes
entry() {
	inode=$((inode + 1))
	size=0
	[ $# -lt 3 ] || size=$(wc -c <"$3")
	printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\0' \
		$inode "0$1" 0 0 1 0 "$size" 0 0 0 0 $((${#2} + 1)) 0 "$2"
	pad $((110 + ${#2} + 1))
	[ $# -lt 3 ] || cat "$3"
	pad "$size"
}

# pad LENGTH: fills up to a multiple of 4 bytes
pad() {
	[ $(($1 % 4)) -eq 0 ] || head -c $((4 - $1 % 4)) /dev/zero
}

{
	for name in bin dev etc lib proc sys root tmp; do
		entry 40755 $name
	done
	entry 100755 bin/busybox "$busybox"
	entry 100755 bin/installer "$here/installer.sh"
	entry 100755 init "$here/init.sh"
	entry 100644 etc/passwd "$here/passwd"
	entry 100644 etc/hostname "$here/hostname"
	[ -z "$script" ] || entry 100644 etc/script "$script"
	for name in ${modules:+order $(cat "$modules/order")}; do
		entry 100644 "lib/$name" "$modules/$name"
	done
	entry 0 'TRAILER!!!'
} >"$file.new"
mv "$file.new" "$file"
