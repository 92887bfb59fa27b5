#!/usr/bin/env bats
# Two Linux guests that reach each other over a bridge of taps, in a network namespace of their own.
# shellcheck disable=SC2154,SC2034,SC2016 # shared with ../cli/common.bash; scripts of the guest

setup() {
	load linux
	linux_setup
	command -v ip >/dev/null || skip 'ip(8) is not installed'
	net=vmrun-$vm
	ip netns add "$net" 2>/dev/null || skip 'no network namespace can be made here (not root?)'
	net ip tuntap add dev probe mode tap 2>/dev/null || skip 'no tap can be made here'
	net ip link del dev probe
}

teardown() {
	common_teardown
	[ -z "${net:-}" ] || ip netns del "$net" 2>/dev/null || :
}

net() {
	ip netns exec "$net" "$@"
}

# start_peer N M: starts VM N, whose guest waits until it has reached guest M; its files are in the
# directory N
start_peer() {
	mkdir "$1"
	cd "$1" || return
	linux 'ip addr add 10.9.0.'"$1"'/24 dev eth0
ip link set dev eth0 up
until ping -c 1 -W 1 10.9.0.'"$2"'; do :; done >/dev/null
ping -c 3 -s 1472 10.9.0.'"$2"' | grep "packets transmitted"
ip neigh show 10.9.0.'"$2"'
echo reached
sleep 1000000' '{"emulations": [{"device": "virtio-net", "bridge": "br0"}], "com1": "console",
		"console": {"log": "log"}, "stop": [{"do": "kill", "wait": 60}]}'
	jq ".name += \"-$1\"" vm.json >peer.json
	: >out
	: >err
	net "$VMRUN" "${stated[@]}" "${untimed[@]}" --run-dir "$BATS_RUN_TMPDIR/run" --fix peer.json >out 2>err </dev/null 3>&- &
	pids+=("$!")
	await_text 'runs under'
	cd ..
}

# ctl N COMMAND...: runs vmrunctl for VM N
ctl() {
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm-$1" "${@:2}"
}

# mac N: prints the address of a VM's interface, which follows from its name
mac() {
	"$VMRUN" --debug "$1/peer.json" | jq -r '.emulations[0].mac'
}

# Prints the interfaces that have joined br0, in one line.
joined() {
	net ip -o link show master br0 | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort | paste -sd' ' -
}

@test "they ping each other over a bridge that --fix makes, by the addresses of --debug" {
	local n
	start_peer 1 2
	start_peer 2 1
	is "$(joined)" 'tap0 tap1'
	for n in 1 2; do
		ctl "$n" wait-for reached --backlog --timeout 120
		has '3 packets transmitted, 3 packets received' "$n/log"
	done
	has "10.9.0.2 dev eth0 lladdr $(mac 2) " 1/log
	has "10.9.0.1 dev eth0 lladdr $(mac 1) " 2/log
	for n in 1 2; do
		ctl "$n" stop
		pid=${pids[n - 1]}
		ends 0
	done
	is "$(joined)" ''
	net ip link show dev br0 >/dev/null
}
