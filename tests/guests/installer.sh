#!/bin/sh
# A tiny installer: asks three questions on the serial console, makes a file system on the disk and
# copies this system to it.  The kernel boots the disk with root=DISK rw init=/init.
fail() {
	printf 'installer: %s\n' "$*"
	poweroff -f
	sleep 1000000 # until the power is off
}

# Prints nothing but the question, and sets answer.
ask() {
	printf '%s ' "$*"
	read -r answer
}

write() {
	mkdir -p /mnt && mke2fs -L root "$disk" >/dev/null && mount -t ext4 "$disk" /mnt &&
		(cd /mnt && mkdir bin etc dev proc sys root) &&
		cp /bin/busybox /mnt/bin/ && cp /init /mnt/ && cp /etc/passwd /mnt/etc/ &&
		printf '%s\n' "$name" >/mnt/etc/hostname && umount /mnt
}

ask 'Disk to install to:'
disk=$answer
[ -b "$disk" ] || fail "no such disk: $disk"
ask 'Host name:'
name=$answer
[ -n "$name" ] || fail 'empty host name'
ask "Erase $disk and install $name (yes/no)?"
[ "$answer" = yes ] || fail 'nothing was written'
write || fail "cannot write to $disk"
echo 'Installation complete.'
reboot -f
