# A host on which vmrun is killed, for the suites of recovery.
# shellcheck shell=bash disable=SC2034,SC2154 # see common.bash

load common

recovery_setup() {
	common_setup
	unchecked=()
	unset FAKEBHYVE_NODISK
	# The sanitizer asks to be the first library, but also works behind another one.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
	fake_host
	mkdir state/vmm
	mkdir -m 700 run
	vmrun_words=("$VMRUN" --run-dir run --state-dir keep -p guest.pid -P own.pid)
}

recovery_teardown() {
	# shellcheck disable=SC2046 # one pid a word
	kill_left $(cat pids 2>/dev/null)
	common_teardown
}

go() {
	status=0
	timeout -k 5 "$patience" "$@" >out 2>err </dev/null 3>&- || status=$?
} 2>/dev/null

# Makes a host with resources of others, and a spec that takes one of each kind of resource.
make_host() {
	local name
	printf 'vmm.ko\n' >state/modules
	printf 'bridge0 up member=tap0\ntap0 up\ntap7 up\n' >state/interfaces
	printf '%s:\tclass=0x03 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03 subvendor=0x1043 subdevice=0x%s\n' \
		vgapci0@pci0:3:0:0 85ac ppt0@pci0:4:0:0 85ad >state/pci
	: >state/pci.old
	: >state/vmm/other
	printf 'hw.physmem=8589934592\nhw.vmm.maxcpu=16\nhw.vmm.iommu.enable=1\n' >state/sysctls
	truncate -s 1M disk
	for name in other.sock other.pid; do
		[ "$name" = other.pid ] || python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])' "$name"
	done
	echo 1 >other.pid
	cat >companion <<-'END'
		#!/bin/bash
		echo $$ >>pids
		trap 'exit 0' TERM
		: >companion.up
		mkfifo fifo.$$ && exec 9<>fifo.$$ && rm fifo.$$
		while :; do read -r -t 60 <&9 || :; done
	END
	chmod +x companion
	spec '{"com1": "console", "console": {"log": "con.log"},
		"graphic": {"port": "auto", "password": "sesame"},
		"companions": [{"name": "side", "command": ["./companion"], "ready": {"path": "companion.up"}}],
		"emulations": [{"device": "virtio-blk", "path": "disk"},
			{"device": "virtio-net", "bridge": "bridge0"}, {"device": "e1000", "name": "tap9", "fix": true},
			{"device": "passthru", "src": "3:0:0", "fix": true}, {"device": "passthru", "src": "4:0:0"},
			{"device": "virtio-console", "ports": ["a.sock", "b.sock"]}]}'
	before=$(host)
}

# Prints all of the host that others can see.
host() {
	(cd state && sort interfaces && sort pci && ls vmm)
	ls ./*.sock ./*.pid 2>/dev/null || :
}

# Checks that the host is as before after all runs have ended, and forgets the companions, whose pids
# other processes may get.
as_before() {
	local one
	is "$(host)" "$before"
	for one in $(cat pids 2>/dev/null); do
		await is_gone "$one" || { echo "a companion is left: $one" >&2 && return 1; }
	done
	await nothing_runs
	[ -z "$(ls run)" ] || { ls -R run >&2 && return 1; }
	rm -f pids
}

# dies_at N [ARG...]: starts a run that is killed before its N-th step, or ends before that step
dies_at() {
	local at=$1
	shift
	script 'print up exit 0' 'exit 1'
	rm -f companion.up
	KILLAT=$at LD_PRELOAD=$KILLAT_LIBRARY go "${vmrun_words[@]}" "$@" vm.json
	[ "$status" -eq 137 ] || [ "$status" -eq 0 ] || { echo "step $at: $status" >&2 && cat err >&2 && return 1; }
}

recovers() {
	script 'exit 0' 'exit 1'
	rm -f companion.up
	go "${vmrun_words[@]}" vm.json
	is "$status" 0 || return 1
	as_before
}
