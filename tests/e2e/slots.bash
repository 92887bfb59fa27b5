# Slots as the guest and vmrun see them, for the suites that compare both.
# shellcheck shell=bash disable=SC2154 # set by ../cli/common.bash

# What a guest sees of each model of device: VENDOR:DEVICE under QEMU.
models='{"virtio-blk": "1af4:1001", "virtio-net": "1af4:1000", "virtio-console": "1af4:1003",
	"virtio-9p": "1af4:1009", "virtio-scsi": "1af4:1004", "virtio-rnd": "1af4:1005",
	"virtio-input": "1af4:1052", "ahci-cd": "8086:2922", "ahci-hd": "8086:2922", "ahci": "8086:2922",
	"nvme": "1b36:0010", "e1000": "8086:100f", "uart": "1b36:0002", "hda": "8086:293e",
	"xhci": "1b36:000d", "fbuf": "1234:1111"}'

# Prints SLOT IDS of what the guest lists, without the bridges.
seen() {
	awk '$1 == "pci" && $2 != "0:0:0" && $2 != "0:31:0" { print $2, $3 }' out | sort -t: -k2n -k3n
}

# spec_slots ARG...: prints SLOT IDS of what --debug says
spec_slots() {
	"$VMRUN" --debug "$@" vm.json 2>debug.err | jq -r --argjson ids "$models" \
		'.emulations[] | "\(.slot) \($ids[.device])"' | sort -t: -k2n -k3n
}
