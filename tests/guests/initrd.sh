#!/bin/sh
# Makes the initramfs of the Linux guest: initrd.sh BUSYBOX FILE.  Equal inputs make equal files.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
busybox=$1
file=$2
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
	for name in bin dev etc proc sys root tmp; do
		entry 40755 $name
	done
	entry 100755 bin/busybox "$busybox"
	entry 100755 bin/installer "$here/installer.sh"
	entry 100755 init "$here/init.sh"
	entry 100644 etc/passwd "$here/passwd"
	entry 100644 etc/hostname "$here/hostname"
	entry 0 'TRAILER!!!'
} >"$file.new"
mv "$file.new" "$file"
