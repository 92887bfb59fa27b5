#!/bin/busybox sh
# shellcheck shell=dash
# The first process of the Linux guest, in the initramfs and on the disk that its installer has made.
# The kernel puts the words of its command line that it does not know, such as guest=silent, into the
# environment.
PATH=/bin
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox --install -s /bin
hostname "$(cat /etc/hostname)"
if [ -e /lib/order ]; then
	while read -r module; do
		insmod "/lib/$module"
	done </lib/order
fi
if [ -e /etc/script ]; then
	sh /etc/script
	poweroff -f
fi
case ${guest:-} in
installer) exec setsid cttyhack installer ;;
# A system that never comes up.
silent) exec sleep 1000000 ;;
esac
# The first process must not end, therefore getty is started again after each logout.
while :; do
	setsid getty -L 115200 ttyS0 vt100
done
