#!/usr/bin/env bats
# Devices as Linux sees and uses them.
# shellcheck disable=SC2154,SC2016 # shared with ../cli/common.bash; scripts of the guest

setup() {
	load linux
	load ../e2e/slots
	linux_setup
}

teardown() {
	common_teardown
}

# Lists the PCI functions as "pci BUS:SLOT:FUNCTION VENDOR:DEVICE", in decimal, and the driver of each.
list='for path in /sys/bus/pci/devices/*; do
	place=${path##*/0000:}
	slot=${place#*:}
	ids="$(cut -c3- $path/vendor):$(cut -c3- $path/device)"
	place=$((0x${place%%:*})):$((0x${slot%.*})):${slot#*.}
	echo "pci $place $ids"
	[ ! -e $path/driver ] || echo "driver $place $(basename "$(readlink $path/driver)")"
done
'

every='{"emulations": [
	{"device": "virtio-blk", "path": "disk.img", "ser": "serial-1"},
	{"device": "ahci-hd", "path": "disk2.img", "slot": 29},
	{"device": "ahci-cd", "path": "cd.iso"},
	{"device": "ahci", "ports": [{"type": "hd", "path": "disk3.img"}, {"type": "cd", "path": "cd.iso"}]},
	{"device": "nvme", "path": "disk4.img", "slot": "9:5"},
	{"device": "nvme", "ram": 16, "slot": "9:0"},
	{"device": "virtio-net", "name": "slirp", "slot": "9:2", "mac": "58:9c:fc:00:00:01"},
	{"device": "e1000", "name": "slirp", "mac": "58:9c:fc:00:00:02"},
	{"device": "virtio-console", "ports": {"org.test": "sock"}},
	{"device": "virtio-9p", "sharename": "share", "path": "share", "slot": "30:7"},
	{"device": "virtio-rnd", "slot": "30:0"},
	{"device": "virtio-scsi", "path": "disk5.img"},
	{"device": "uart", "path": "/dev/nmdm0A"},
	{"device": "hda", "play": "/dev/dsp0"},
	{"device": "xhci"}], "graphic": {"port": "auto", "xhci_tablet": false},
	"targets": {"more": {"emulations": [{"device": "virtio-rnd"}, {"device": "virtio-rnd", "slot": "2:0"}]}}}'

@test "all devices together are where --debug says, and Linux drives them" {
	truncate -s 1M disk.img disk2.img disk3.img disk4.img disk5.img cd.iso
	mkdir share
	linux "$list"'ls /sys/block | sed "s/^/block /"
		cat /sys/class/net/eth*/address | sort | sed "s/^/mac /"
		echo "serial $(cat /sys/block/vda/serial)"
		echo "random $(cat /sys/class/misc/hw_random/rng_current)"' "$every" -full
	boot -t more
	is "$status" 0
	is "$(seen)" "$(spec_slots -t more)"
	is "$(seen | wc -l)" 18
	# those of the base are where they are without the target
	spec_slots | sort >base
	is "$(seen | sort | comm -12 base - | wc -l)" 16
	is "$(grep -c '^driver' out)" 15
	is "$(grep -e '^block' -e '^mac' -e '^serial' -e '^random' out)" "block nvme0n1
block nvme1n1
block sda
block sdb
block sdc
block sr0
block sr1
block vda
mac 58:9c:fc:00:00:01
mac 58:9c:fc:00:00:02
serial serial-1
random virtio_rng.0"
}

@test "devices on buses above 0 are where --debug says" {
	linux "$list" '{"emulations": [
		{"device": "virtio-rnd", "slot": "1:0:0"}, {"device": "virtio-rnd", "slot": "2:31:0"},
		{"device": "nvme", "ram": 16, "slot": "2:31:7"}, {"device": "virtio-rnd", "slot": "31:2"},
		{"device": "virtio-rnd", "slot": "4:5:0"}, {"device": "xhci", "slot": "255:0:0"},
		{"device": "virtio-rnd"}]}'
	boot
	is "$status" 0
	has 'note: qemu reaches buses above 0 through bridges'
	is "$(seen | grep -v -e ' 1b36:0001$' -e ' 1b36:000b$')" "$(spec_slots)"
	is "$(seen | grep -c -e ' 1b36:0001$' -e ' 1b36:000b$')" 6
}

@test "a disk keeps what is written, and has what the host wrote" {
	truncate -s 1M disk.img
	echo 'from the host' | dd of=disk.img conv=notrunc status=none
	linux 'head -n 1 /dev/vda
		echo "from the guest" | dd of=/dev/vda bs=512 seek=1 conv=fsync 2>/dev/null' \
		'{"emulations": [{"device": "virtio-blk", "path": "disk.img"}]}'
	boot
	is "$status" 0
	has 'from the host' out
	is "$(dd if=disk.img bs=512 skip=1 count=1 status=none | tr -d '\0')" 'from the guest'
	is "$(stat -c %s disk.img)" 1048576
}

@test "a directory of the host is read and written by 9p, a read-only one is not written" {
	mkdir share shown
	echo 'from the host' | tee share/file >shown/file
	linux 'mount_it() { mkdir /$1 && mount -t 9p -o trans=virtio,version=9p2000.L $1 /$1; }
		mount_it share && cat /share/file && echo "from the guest" >/share/answer
		mount_it shown && cat /shown/file; echo lost >/shown/answer || echo "refused"
		umount /share /shown' '{"emulations": [
			{"device": "virtio-9p", "sharename": "share", "path": "share"},
			{"device": "virtio-9p", "sharename": "shown", "path": "shown", "ro": true}]}' -full
	boot
	is "$status" 0
	is "$(grep -e '^from' -e '^refused' out)" "from the host
from the host
refused"
	is "$(cat share/answer)" 'from the guest'
	[ ! -e shown/answer ]
}

@test "a network interface takes and sends" {
	python3 "$SOURCE/tests/guests/peer.py" listen port >heard 2>peer.err 3>&- &
	local peer=$!
	pids+=("$peer")
	await_file port
	linux 'ifconfig eth0 10.0.2.15 up
		echo "from the guest" | nc 10.0.2.2 "$port"' "$(jq -n --arg port "$(cat port)" \
		'{qemu: {append: "port=\($port)"}, emulations: [{device: "virtio-net", name: "slirp", open: true}]}')"
	boot
	is "$status" 0
	wait "$peer"
	has 'from the host' out
	is "$(cat heard)" 'from the guest'
}

@test "a console port takes and sends" {
	linux 'name=$(grep -lx org.test /sys/class/virtio-ports/*/name)
		exec 3<>"/dev/$(basename "${name%/name}")"
		# a read ends at once while no program of the host is connected
		until read -r line <&3; do usleep 100000; done
		echo "$line"
		echo "from the guest" >&3' \
		'{"emulations": [{"device": "virtio-console", "ports": {"other": "sock0", "org.test": "sock"}}]}'
	start vm.json
	await test -S sock
	python3 "$SOURCE/tests/guests/peer.py" connect sock >heard 2>peer.err 3>&-
	ends 0
	has 'from the host' out
	is "$(cat heard)" 'from the guest'
}

# A kernel gives up a TPM that takes seconds to answer, as swtpm may on a busy host; the guest then
# begins again.  pcr prints the debug register, 16, and extend extends it by a digest (TPM2_PCR_Extend),
# for which one descriptor writes and reads.
tpm='tpm=/sys/class/tpm/tpm0 driver=/sys/bus/acpi/drivers/tpm_crb
until [ -e $tpm/pcr-sha256/16 ]; do
	echo MSFT0101:00 >$driver/unbind
	echo MSFT0101:00 >$driver/bind
done 2>/dev/null
pcr() {
	until cat $tpm/pcr-sha256/16 2>/dev/null | grep .; do
		sleep 1
	done
}
extend() {
	exec 3<>/dev/tpm0
	{
		printf "\200\002\000\000\000\101\000\000\001\202\000\000\000\020\000\000\000\011"
		printf "\100\000\000\011\000\000\000\000\000\000\000\000\001\000\013"
		printf "%032d" 1
	} | dd obs=65 2>/dev/null >&3
	dd bs=4096 count=1 <&3 2>/dev/null >/tmp/answer
	exec 3>&-
}
'

@test "a TPM by a swtpm that vmrun manages, reset by each reboot" {
	command -v swtpm >/dev/null || skip 'swtpm is not installed'
	linux "$tpm"'echo "version $(cat $tpm/tpm_version_major)"
		echo "before $(pcr)"
		until pcr | grep -q "[^0]"; do extend; done
		echo "after $(pcr)"
		reboot -f' '{"tpm": {"type": "swtpm", "path": "tpm.sock", "managed": true}}'
	boot --reboot-count 2
	is "$status" 0
	is "$(grep -c '^version 2$' out)" 3
	is "$(grep -c '^before 0\{64\}$' out)" 3
	is "$(grep -c '^after [0-9A-F]*[1-9A-F][0-9A-F]*$' out)" 3
	lacks 'warning: '
	[ ! -e tpm.sock ]
}
