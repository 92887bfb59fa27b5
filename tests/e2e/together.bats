#!/usr/bin/env bats
# VMs that start together, and find names that are free: each gets one of its own.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

COUNT=8
ROUNDS=3

setup() {
	load qemu
	qemu_setup
	place=$BATS_RUN_TMPDIR/run
	host=$(own_host)
}

teardown() {
	common_teardown
	[ -z "${net:-}" ] || ip netns del "$net" 2>/dev/null || :
}

net() {
	ip netns exec "$net" "$@"
}

# own_net: runs vmrun in a network namespace of its own, with the bridge br0
own_net() {
	command -v ip >/dev/null || skip 'ip(8) is not installed'
	net=vmrun-$vm
	ip netns add "$net" 2>/dev/null || skip 'no network namespace can be made here (not root?)'
	net ip tuntap add dev probe mode tap 2>/dev/null || skip 'no tap can be made here'
	net ip link del dev probe
	net ip link set dev lo up
	net ip link add name br0 type bridge
	printf '#!/bin/sh\nexec ip netns exec %s "%s" "$@"\n' "$net" "$VMRUN" >vmrun-in-net
	chmod +x vmrun-in-net
	VMRUN=$PWD/vmrun-in-net
}

# together SCRIPT [users]: starts the VMs of vm.json at the same moment; as users: each in a run-dir of
# its own, so that no vmrun sees the locks of another
together() {
	local n dir
	pids=()
	for n in $(seq "$COUNT"); do
		mkdir -p "vm$n"
		jq --arg n "$n" '.name += "-" + $n' vm.json >"vm$n/vm.json"
		dir=$place
		[ "${2:-}" != users ] || dir=$PWD/run$n
		"$VMRUN" "${stated[@]}" "${unchecked[@]}" --no-log-time --run-dir "$dir" --events "vm$n/events" \
			"vm$n/vm.json" -- -fw_cfg "name=opt/vmrun/rom,string=$1" \
			>"vm$n/out" 2>"vm$n/err" </dev/null 3>&- &
		pids+=("$!")
	done
}

# all_up: waits until the guests have read their first letter, and the events name what was chosen
all_up() {
	local n
	for n in $(seq "$COUNT"); do
		await grep -q '^\.' "vm$n/out" || { cat "vm$n/err" >&2 && return 1; }
		await_text '"event":"spawned"' "vm$n/events"
	done
}

# all_end: stops the VMs, which end as they should
all_end() {
	local one
	kill -TERM "${pids[@]}"
	for one in "${pids[@]}"; do
		status=0
		wait "$one" || status=$?
		is "$status" 0
	done
	pids=()
}

# chosen MEMBER: prints what the VMs have chosen, sorted; their last start counts
chosen() {
	local n
	for n in $(seq "$COUNT"); do
		jq -s -r "[.[] | select(.event == \"spawned\")][-1].devices | .[] | .$1? // empty" "vm$n/events"
	done | sort
}

@test "taps for a bridge" {
	own_net
	rom '{"emulations": [{"device": "virtio-net", "bridge": "br0"}, {"device": "e1000", "bridge": "br0"}]}'
	for _ in $(seq "$ROUNDS"); do
		together .b
		all_up
		is "$(chosen tap | uniq | wc -l)" $((2 * COUNT))
		is "$(net ip -o link show master br0 | wc -l)" $((2 * COUNT))
		all_end
		is "$(net ip -o link show type tun | wc -l)" 0
	done
	[ ! -e "$place/.names" ]
}

@test "taps of vmruns that do not see each other's locks" {
	own_net
	rom '{"emulations": [{"device": "virtio-net", "bridge": "br0"}]}'
	for _ in $(seq "$ROUNDS"); do
		together .b users
		all_up
		is "$(chosen tap | uniq | wc -l)" "$COUNT"
		all_end
		is "$(net ip -o link show type tun | wc -l)" 0
	done
}

@test "ports of screens" {
	rom '{"graphic": {"host": "'"$host"'", "port": "auto"}}'
	for _ in $(seq "$ROUNDS"); do
		together .b
		all_up
		is "$(chosen port | uniq | wc -l)" "$COUNT"
		# the locks are enough: each hypervisor was started once
		is "$(cat vm*/events | jq -s '[.[] | select(.event == "spawned")] | length')" "$COUNT"
		all_end
		rm vm*/events
	done
}

@test "ports of vmruns that do not see each other's locks" {
	rom '{"graphic": {"host": "'"$host"'", "port": "auto"}, "restart_limit": {"count": 1, "within": 600}}'
	for _ in $(seq "$ROUNDS"); do
		together .b users
		all_up
		is "$(chosen port | uniq | wc -l)" "$COUNT"
		all_end
		is "$(cat vm*/events | jq -r 'select(.event == "decided") | .action' | sort -u)" stop
		rm vm*/events
	done
}
