#!/bin/busybox sh
# shellcheck shell=dash
# The first process of the CD that cd.sh makes, and of the system that the CD installs.
PATH=/bin
disk=/dev/nvme0n1

/bin/busybox mkdir -p /dev /proc /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox --install -s /bin

# A first process that ends is a panic of the kernel.
trap 'poweroff -f' EXIT

# Prints a line for each PCI device: address, vendor, device.
list_devices() {
	for device in /sys/bus/pci/devices/*; do
		echo "pci ${device##*/} $(cat "$device/vendor") $(cat "$device/device")"
	done
}

write_system() {
	cat /system/boot_loader >$disk && blockdev --rereadpt $disk &&
		mke2fs ${disk}p1 >/dev/null && mkdir -p /mnt && mount -t ext4 ${disk}p1 /mnt &&
		mkdir -p /mnt/bin /mnt/boot/grub /mnt/etc && cp /bin/busybox /mnt/bin/ && cp /init /mnt/ &&
		cp /system/vmlinuz /mnt/boot/ && cp /system/grub.cfg /mnt/boot/grub/ &&
		cp /system/hostname /mnt/etc/ && umount /mnt
}

echo # what GRUB has written last is not a whole line
list_devices
if [ ! -e /system ]; then
	echo "This is $(cat /etc/hostname), from $(sed 's/.*\(root=[^ ]*\).*/\1/' /proc/cmdline)."
	mount -o remount,ro /
elif write_system; then
	echo "Installed $(cat /system/hostname)."
	reboot -f
else
	echo "Cannot write to $disk."
fi
