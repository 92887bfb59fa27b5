#!/usr/bin/env bats
# Every model of device, at the slots that --debug names.
# shellcheck disable=SC2154 # vm, status and models: ../cli/common.bash, slots.bash

setup() {
	load qemu
	load slots
	qemu_setup
	mkdir share
}

teardown() {
	common_teardown
}

# device MODEL SLOT: prints a device of this model as JSON; each has a disk or a name of its own.
# An empty slot is automatic.
device() {
	local keys='{}' file
	file=$(mktemp "$PWD/file.XXXXXX")
	case $1 in
	virtio-blk | ahci-hd | ahci-cd | nvme | virtio-scsi)
		truncate -s 1M "$file"
		keys='{path: $file}'
		;;
	ahci)
		truncate -s 1M "$file"
		keys='{ports: [{type: "hd", path: $file}]}'
		;;
	virtio-net | e1000) keys='{name: "slirp"}' ;;
	virtio-console) keys='{ports: {($name): "\($name).sock"}}' ;;
	virtio-9p) keys='{sharename: $name, path: "share"}' ;;
	uart) keys='{path: "/dev/nmdm\($name | ltrimstr("file."))A"}' ;;
	fbuf) keys='{port: "auto"}' ;;
	virtio-input) keys='{path: $event}' ;;
	virtio-rnd | hda | xhci) ;;
	*) echo "no keys for $1: add it here and to models in slots.bash" >&2 && return 1 ;;
	esac
	jq -n --arg device "$1" --arg slot "$2" --arg file "$file" --arg name "${file##*/}" --arg event "${event:-}" \
		"{device: \$device} + $keys + if \$slot == \"\" then {} else {slot: \$slot} end"
}

# compare COUNT ARG...: boots the guest, which must list that many devices, at the slots of --debug
compare() {
	local count=$1
	shift
	guest p "$@"
	is "$status" 0
	is "$(seen)" "$(spec_slots "$@")"
	is "$(seen | wc -l)" "$count"
}

# devices JSON...: prints a list of these devices
devices() {
	printf '%s\n' "$@" | jq -s .
}

# try MODEL: compares automatic and pinned slots and functions of a slot, in the base and in a target,
# which does not move what the base has
try() {
	local rnd
	rnd=$(device virtio-rnd 9:0)
	rom "$(jq -n --argjson base "$(devices "$(device "$1" '')" "$(device "$1" 20)" "$(device "$1" 20:5)" \
		"$rnd" "$(device "$1" 9:3)" "$(device "$1" '')")" \
		--argjson more "$(devices "$(device "$1" '')" "$(device "$1" 2)" "$(device "$1" 20:6)")" \
		'{emulations: $base, targets: {more: {emulations: $more}}}')"
	compare 6
	seen >base
	compare 9 -t more
	is "$(seen | sort | comm -12 - <(sort base) | wc -l)" 6
	grep -q '^0:20:5 ' base && grep -q '^0:9:3 ' base && ! grep -q '^0:2:0 ' base
}

# try_single MODEL: compares the slots of a model that a VM has once
try_single() {
	local slot more
	more=$(devices "$(device virtio-rnd '')" "$(device virtio-rnd 2)")
	for slot in '' 20 9:3; do
		rom "$(jq -n --argjson base "$(devices "$(device virtio-rnd '')" "$(device "$1" "$slot")" \
			"$(device virtio-rnd 9:0)")" --argjson more "$more" \
			'{emulations: $base, targets: {more: {emulations: $more}}}')"
		compare 3
		seen >base
		compare 5 -t more
		is "$(seen | sort | comm -12 - <(sort base) | wc -l)" 3
	done
}

@test "each model is where --debug says: automatic, pinned, multi-function, with devices of a target" {
	local model
	for model in $("$VMRUN" --print devices --json | jq -r '.[].device // empty'); do
		echo "model: $model"
		case $model in
		fbuf | xhci) try_single "$model" ;;
		# these need hardware of the host, or are bhyve's own words: below
		virtio-input | passthru | raw) ;;
		*) try "$model" ;;
		esac
	done
	is "$model" raw # the list was walked
}

@test "virtio-input is where --debug says" {
	local event
	for event in /dev/input/event*; do
		[ ! -r "$event" ] || [ ! -w "$event" ] || break
	done
	[ -r "$event" ] && [ -w "$event" ] || skip 'there is no /dev/input/event* that this user may open'
	try_single virtio-input
}

@test "a device of the host is passed through at its slot" {
	rom '{"emulations": [{"device": "passthru", "src": "3:0:1", "slot": "9:3"},
		{"device": "virtio-rnd", "slot": "9:0"}, {"device": "passthru", "src": "3:0:2"}]}'
	vmrun -d vm.json
	is "$status" 0
	is "$(grep -o 'vfio-pci,[^ ]*' out | sed 's/id=[^,]*,//')" "vfio-pci,host=0000:03:00.1,bus=pcie.0,addr=9.3
vfio-pci,host=0000:03:00.2,bus=pcie.0,addr=1.0"
	is "$("$VMRUN" --debug vm.json | jq -r '.emulations[] | select(.device == "passthru").slot' | paste -sd' ' -)" \
		'0:9:3 0:1:0'
}

@test "a raw device is refused: its words are bhyve's" {
	rom '{"emulations": [{"device": "raw", "value": "virtio-rnd"}]}'
	vmrun vm.json
	is "$status" 65
	has 'a raw device is written in bhyve'
}

@test "a device that a target removes leaves its slot empty; functions beside the lpc" {
	rom '{"emulations": [{"device": "virtio-rnd", "id": "first"}, {"device": "virtio-rnd"},
		{"device": "virtio-rnd", "slot": "31:3"}],
		"targets": {"less": {"emulations": [{"id": "first", "remove": true}, {"device": "virtio-rnd"}]}}}'
	compare 3 -t less
	is "$(seen | cut -d' ' -f1 | paste -sd' ' -)" '0:2:0 0:3:0 0:31:3'
	compare 3
	is "$(seen | cut -d' ' -f1 | paste -sd' ' -)" '0:1:0 0:2:0 0:31:3'
}
