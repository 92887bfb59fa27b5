#!/usr/bin/env bats
# What companions make for the VM: a disk, a socket, a directory.  It is checked and locked once they
# are ready.  And what vmrun says while it waits.
# shellcheck disable=SC2034,SC2154 # unchecked, vm, pid and status: common.bash

setup() {
	load common
	common_setup
	unchecked=()
	unset FAKEBHYVE_NODISK # it opens what the companions make
	fake_host
	: >state/interfaces
	echo vmm.ko >state/modules
	printf 'hw.vmm.maxcpu=16\nhw.physmem=4294967296\n' >state/sysctls
	run=$BATS_RUN_TMPDIR/run
	# maker WORDS...: writes down its pid, runs the words, and stays until SIGTERM
	cat >maker <<-'END'
		#!/bin/bash
		echo $$ >>pids
		trap 'exit 0' TERM
		"$@"
		exec 9<>fifo.$$ 2>/dev/null || { mkfifo fifo.$$ && exec 9<>fifo.$$; }
		rm -f fifo.$$
		while :; do read -r -t 60 <&9 || :; done
	END
	# server PATH: listens on a socket
	cat >server <<-'END'
		#!/usr/bin/env python3
		import os, signal, socket, sys
		with open("pids", "a") as pids:
		    pids.write("%d\n" % os.getpid())
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + ".new")
		s.listen()
		os.rename(sys.argv[1] + ".new", sys.argv[1]) # it listens as soon as it is there
		while True:
		    s.accept()
	END
	chmod +x maker server
}

teardown() {
	common_teardown
	# shellcheck disable=SC2046 # one pid a word
	kill_left $(cat pids 2>/dev/null)
}

makers_gone() {
	local one
	for one in $(cat pids); do
		await is_gone "$one" || { echo "still there: $one" >&2 && return 1; }
	done
}

# ctl ARG...: runs vmrunctl; its output is in the file said
ctl() {
	timeout -k 5 60 "$VMRUNCTL" -r "$run" "$@" >said </dev/null 3>&-
}

disk='{"emulations": [{"device": "virtio-blk", "path": "ram.img"}],
	"companions": [{"name": "mk", "command": ["./maker", "truncate", "-s", "1M", "ram.img"],
		"ready": {"path": "ram.img"}}]}'
never='{"emulations": [{"device": "virtio-blk", "path": "ram.img"}],
	"companions": [{"name": "mk", "command": ["./maker", "true"], "ready": {"path": "ram.img"}}]}'

@test "a disk that a companion makes, over the guest's reboots" {
	spec "$disk"
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 3
	is "$(wc -l <pids)" 1
	lacks 'cannot start'
	makers_gone
}

@test "the command of a shell, with an absolute path" {
	spec "{\"emulations\": [{\"device\": \"virtio-blk\", \"path\": \"ram.img\"}],
		\"companions\": [{\"name\": \"mk\", \"ready\": {\"path\": \"$PWD/./ram.img\"},
			\"command\": [\"/bin/sh\", \"-c\", \"truncate -s 1M $PWD/ram.img; exec ./maker true\"]}]}"
	script 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 1
	makers_gone
}

@test "a directory, and what lies below it" {
	cat >tree <<-'END'
		#!/bin/sh
		mkdir part && truncate -s 1M part/disk && mkdir part/shared && mv part all
	END
	chmod +x tree
	spec '{"emulations": [{"device": "virtio-9p", "sharename": "s", "path": "all/shared"},
			{"device": "virtio-blk", "path": "all/disk"}],
		"companions": [{"name": "mk", "command": ["./maker", "./tree"], "ready": {"path": "all"}}]}'
	script 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 2
	makers_gone
	# A name that only begins alike is not made.
	rm -r all
	jq '.emulations[1].path = "all.disk"' vm.json >other.json
	vmrun other.json
	is "$status" 69
	has "$PWD/all.disk: No such file or directory"
	is "$(wc -l <pids)" 1
}

@test "the socket of a tpm" {
	spec '{"bhyve": {"release": 15}, "tpm": {"type": "swtpm", "path": "tpm.sock"},
		"companions": [{"name": "tpm", "command": ["./server", "tpm.sock"], "ready": {"path": "tpm.sock"}}]}'
	script 'exit 0' 'exit 1'
	FAKEBHYVE_RELEASE=15 vmrun vm.json
	is "$status" 0
	is "$(starts)" 2
	makers_gone
}

@test "what a companion makes wrongly is a failed check, after it is ready" {
	spec "$(jq '.companions[0].command = ["./maker", "mkdir", "ram.img"]' <<<"$disk")"
	vmrun vm.json
	is "$status" 69
	has "vmrun: $vm (target default) cannot start: 1 problem on 1 device"
	has "$PWD/ram.img: a directory: expected a disk"
	lacks 'can start'
	is "$(starts)" ''
	is "$(wc -l <pids)" 1
	makers_gone
}

@test "other checks come first: no companion runs in vain" {
	spec "$(jq '.mem = "8G"' <<<"$disk")"
	vmrun vm.json
	is "$status" 69
	has 'more than the 4096 MiB of this host'
	lacks 'No such file'
	[ ! -e pids ]
}

@test "a disk that a companion makes is locked for its VM" {
	spec "$disk"
	script 'ready up waitfile go exit 1'
	start vm.json
	await_file up
	spec '{"name": "'"$vm"'-b", "emulations": [{"device": "virtio-blk", "path": "ram.img"}]}' other.json
	first=$pid
	mv err first.err
	vmrun other.json
	is "$status" 69
	has "$PWD/ram.img: in use by another vmrun"
	: >go
	pid=$first
	ends 0
}

@test "a disk that another VM uses is refused once the companion is ready, without checks too" {
	truncate -s 1M ram.img
	spec '{"name": "'"$vm"'-b", "emulations": [{"device": "virtio-blk", "path": "ram.img"}]}' other.json
	script 'ready up waitfile go exit 1'
	start other.json
	await_file up
	mv err first.err
	spec "$disk"
	vmrun vm.json
	is "$status" 69
	has "$PWD/ram.img: in use by another vmrun"
	makers_gone
	script 'exit 1'
	vmrun --no-requirement-check vm.json
	is "$status" 0
	has "warning: $PWD/ram.img: in use by another vmrun"
	: >go
	ends 0
}

@test "the companion of another target has ended before the next one starts" {
	# turn TAG: makes the disk, and takes it away at its end
	cat >turn <<-'END'
		#!/bin/bash
		[ ! -e ram.img ] || echo "$1 finds the disk of another" >>log
		echo $$ >>pids
		trap 'rm ram.img; echo "$1 ends" >>log; exit 0' TERM
		echo "$1 begins" >>log
		truncate -s 1M ram.img # vmrun goes on, and may end this
		mkfifo fifo.$$ && exec 9<>fifo.$$
		while :; do read -r -t 60 <&9 || :; done
	END
	chmod +x turn
	spec '{"emulations": [{"device": "virtio-blk", "path": "ram.img"}], "next_target": "b",
		"companions": [{"name": "mk", "command": ["./turn", "a"], "ready": {"path": "ram.img"}}],
		"targets": {"b": {"next_target": "default",
			"companions": [{"name": "mk", "command": ["./turn", "b"], "ready": {"path": "ram.img"}}]}}}'
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 3
	is "$(cat log)" 'a begins
a ends
b begins
b ends
a begins
a ends'
	makers_gone
}

@test "the companion of another target that does not heed SIGTERM is killed" {
	cat >deaf <<-'END'
		#!/bin/bash
		trap '' TERM
		echo $$ >>pids
		mkfifo fifo.$$ && exec 9<>fifo.$$
		: >up
		while :; do read -r -t 60 <&9 || :; done
	END
	chmod +x deaf
	spec '{"companions": [{"name": "d", "command": ["./deaf"], "ready": {"path": "up"}}], "next_target": "b",
		"targets": {"b": {"companions": []}}}'
	script 'exit 0' 'ready second waitfile go exit 1'
	start vm.json
	await_file second
	makers_gone
	: >go
	ends 0
}

# --- checks that start nothing ---

@test "--check: made by companion NAME, and no problem" {
	spec "$disk"
	vmrun --check vm.json
	is "$status" 0
	is "$(cat out)" "vmrun: $vm (target default) can start: no problems
  virtio-blk at 0:1:0 (emulations[0])
    $PWD/ram.img: made by companion mk"
	[ ! -e pids ]
	vmrun --check --json vm.json
	is "$status" 0
	is "$(jq -c . out)" "$(jq -nc --arg vm "$vm" --arg path "$PWD/ram.img" '{vm: $vm, target: "default",
		problems: [], made: [{device: "virtio-blk", id: "virtio-blk-0", slot: "0:1:0",
			path: "emulations[0].path", what: $path, by: "mk"}]}')"
}

@test "--check: beside problems; a tap by its device; the socket of a managed swtpm" {
	mkdir bin
	printf '#!/bin/sh\n' >bin/swtpm
	chmod +x bin/swtpm
	export PATH=$PWD/bin:$PATH
	spec '{"mem": "8G", "bhyve": {"release": 15}, "tpm": {"type": "swtpm", "path": "tpm.sock", "managed": true},
		"emulations": [{"device": "virtio-net", "name": "tap3"}, {"device": "e1000", "name": "tap4"}],
		"companions": [{"name": "vpn", "command": "./maker true", "ready": {"path": "/dev/tap3"}}]}'
	vmrun --check vm.json
	is "$status" 69
	has "2 problems on the VM itself and 1 device" out
	has '    tap3: made by companion vpn' out
	has '    tap4: no such interface' out
	has "    $PWD/tpm.sock: made by companion swtpm of the tpm" out
	vmrun --check --json vm.json
	is "$(jq -c '[.problems[].problem]' out)" \
		'["mem: 8192 MiB are more than the 4096 MiB of this host","tap4: no such interface"]'
	is "$(jq -c '[.made[] | .path + " " + .by]' out)" '["tpm.path swtpm of the tpm","emulations[0].name vpn"]'
}

# --- waits ---

@test "a companion that is not ready is waited for, and said" {
	spec "$never"
	script 'exit 1'
	start vm.json
	await_text "vmrun: $vm: note: waiting for companion mk to make $PWD/ram.img (at most 60 s)"
	ctl "$vm" status
	grep -qE "^state +waiting for companion mk to make $PWD/ram.img, [0-9.]+ s left$" said
	ctl "$vm" status --json
	is "$(jq -r .waits_for said)" "companion mk to make $PWD/ram.img"
	[ "$(jq -r .wait_ms said)" -le 60000 ]
	kill -USR2 "$pid"
	await_text "vmrun: $vm: waiting, target default, for companion mk to make $PWD/ram.img, "
	truncate -s 1M ram.img
	ends 0
	is "$(grep -c 'note: waiting for' err)" 1
	is "$(starts)" 1
	makers_gone
}

@test "wait_for is said once, and only where something is missing" {
	spec '{"wait_for": [{"path": "vm.json"}, {"path": "late", "timeout": 120}]}'
	script 'exit 1'
	start vm.json
	await_text "vmrun: $vm: note: waiting for $PWD/late (wait_for[1], at most 120 s)"
	ctl "$vm" status --json
	is "$(jq -r .waits_for said)" "$PWD/late"
	: >late
	ends 0
	is "$(grep -c 'waiting for' err)" 1
}

# start_at_terminal: starts a run of vm.json at a terminal, whose output is in out and whose input is
# descriptor 8
start_at_terminal() {
	mkfifo keys
	: >out
	# shellcheck disable=SC2016 # expanded by the inner shell
	TERM=xterm "$PTY" sh -c 'exec "$@" 2>&1' sh "$VMRUN" "${stated[@]}" --run-dir "$run" vm.json >out 2>err <keys 3>&- &
	pid=$!
	pids+=("$pid")
	exec 8>keys
}

@test "a terminal shows what is waited for and the time left" {
	spec "$never"
	script 'exit 1'
	start_at_terminal
	await grep -qE "vmrun: $vm: waiting 5[0-9] s for companion mk to make $PWD/ram.img" out
	truncate -s 1M ram.img
	ends 0
	exec 8>&-
	is "$(starts)" 1
}

@test "a terminal shows no control characters of a path, and the time left before a long one" {
	spec "$(printf '{"wait_for": [{"path": "%s\\u001b[2Jx\\u0007\\u00e4"}]}' "$(printf 'long/%.0s' {1..30})")"
	start_at_terminal
	await grep -qE "vmrun: $vm: waiting [0-9]+ s for .*/long/[?]\[2Jx[?]ä" out
	lacks $'\x1b[2J' out
	ctl "$vm" stop
	ends 0
	exec 8>&-
}

@test "a stop while a companion is waited for ends both" {
	spec "$never"
	start vm.json
	await_text 'waiting for companion mk'
	kill -TERM "$pid"
	ends 0
	is "$(starts)" ''
	makers_gone
	[ ! -e "$run/$vm" ]
}

@test "vmrun killed while it waits: the companion ends, and the next start is as the first" {
	spec "$never"
	start vm.json
	await_text 'waiting for companion mk'
	kill -KILL "$pid"
	wait "$pid" || :
	makers_gone
	spec "$disk"
	script 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 1
	makers_gone
	[ ! -e "$run/$vm" ]
}
