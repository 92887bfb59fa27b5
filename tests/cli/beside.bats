#!/usr/bin/env bats
# What vmrun waits for before a boot and runs beside a VM: wait_for, companions, post_start_script.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	# daemon FILE: records its pid, creates FILE, prints a word, and exits at SIGTERM.  It waits
	# in the shell itself, because a sleep would be left behind.
	cat >daemon <<-'END'
		#!/bin/bash
		trap 'echo bye >>log; exit 0' TERM
		echo $$ >>pids
		echo hello from $1
		[ -z "$1" ] || : >"$1"
		exec 9<>fifo.$$ 2>/dev/null || { mkfifo fifo.$$ && exec 9<>fifo.$$; }
		rm -f fifo.$$
		while :; do read -r -t 60 <&9 || :; done
	END
	chmod +x daemon
	cat >words <<-'END'
		#!/bin/sh
		# Created in one step, because the guest may power off, which ends this program, as soon as
		# the file exists.
		printf '%s\n' "$@" >words.new && mv words.new words.out
	END
	chmod +x words
}

teardown() {
	common_teardown
	# shellcheck disable=SC2046 # one pid a word
	kill_left $(cat pids 2>/dev/null)
	pkill -KILL -f "^swtpm socket .*$PWD/tpm.sock" || :
}

companions_gone() {
	local one
	for one in $(cat pids); do
		is_gone "$one" || { echo "still there: $one" >&2 && return 1; }
	done
}

@test "a companion lives and dies with the VM, over the guest's reboots" {
	spec "{\"companions\":[{\"name\":\"d\",\"command\":[\"$PWD/daemon\",\"made\"],\"ready\":{\"path\":\"made\"}}]}"
	script "waitfile made exit 0" 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 3
	is "$(wc -l <pids)" 1
	is "$(cat log)" bye
	has 'd: hello from made'
	companions_gone
}

@test "it is ready before the hypervisor starts: by a command too" {
	printf '#!/bin/sh\necho asked >>asked\n[ "$(wc -l <asked)" -ge 3 ]\n' >ready
	chmod +x ready
	spec "{\"companions\":[{\"name\":\"d\",\"command\":\"$PWD/daemon made\",\"ready\":[\"$PWD/ready\"]}]}"
	script "waitfile made exit 1"
	vmrun vm.json
	is "$status" 0
	is "$(wc -l <asked)" 3
	companions_gone
}

@test "a socket that an earlier life left is not its readiness" {
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])' ready.sock
	cat >slow <<-'END'
		#!/bin/bash
		echo $$ >>pids
		exec 9<>gate
		read -r <&9
		: >ready.sock
		read -r -t 60 <&9
	END
	chmod +x slow
	mkfifo gate
	spec "{\"companions\":[{\"name\":\"d\",\"command\":[\"$PWD/slow\"],\"ready\":{\"path\":\"ready.sock\"}}]}"
	script 'exit 1'
	start vm.json
	await test -s pids
	[ ! -e ready.sock ]
	is "$(starts)" ''
	echo >gate
	ends 0
	is "$(starts)" 1
}

@test "one that fails to start, or ends too early: the boot fails, nothing runs" {
	spec '{"companions":[{"name":"d","command":["/no/such/program"]}]}'
	vmrun vm.json
	is "$status" 69
	has 'companion d: /no/such/program: No such file or directory'
	spec '{"companions":[{"name":"d","command":["/bin/false"],"ready":{"path":"never"}}]}'
	vmrun vm.json
	is "$status" 69
	has 'companion d ended before it was ready'
	is "$(starts)" ''
}

@test "one that ends while the VM runs: told, and started again where asked" {
	spec "{\"companions\":[{\"name\":\"d\",\"command\":\"$PWD/daemon made\",\"ready\":{\"path\":\"made\"},\"restart\":true}]}"
	script 'ready up waitfile finished exit 1'
	start vm.json
	await_file up
	kill -KILL "$(head -n 1 pids)"
	await_text 'companion d ended of signal 9: restarting it'
	await eval '[ "$(wc -l <pids)" -eq 2 ]'
	: >finished
	ends 0
	companions_gone
}

@test "one that was started again has to be ready again before the next boot" {
	printf '#!/bin/sh\necho asked >>asked\n' >ready
	chmod +x ready
	spec "{\"companions\":[{\"name\":\"d\",\"command\":\"$PWD/daemon made\",\"ready\":[\"$PWD/ready\"],\"restart\":true}]}"
	script 'ready up waitfile finished exit 0' 'exit 0' 'exit 1'
	start vm.json
	await_file up
	is "$(wc -l <asked)" 1
	kill -KILL "$(head -n 1 pids)"
	await_text 'companion d ended of signal 9: restarting it'
	: >finished
	ends 0
	is "$(starts)" 3
	is "$(wc -l <asked)" 2
	companions_gone
}

@test "a stop ends companions, also those that ignore SIGTERM" {
	sed -i "s/trap .*/trap '' TERM/" daemon
	spec "{\"companions\":[{\"name\":\"d\",\"command\":\"$PWD/daemon made\",\"ready\":{\"path\":\"made\"}}]}"
	script 'exit 1'
	vmrun vm.json
	is "$status" 0
	companions_gone
}

@test "a managed swtpm ends and starts with each boot" {
	command -v swtpm >/dev/null || skip 'swtpm is not installed'
	swtpms() { pgrep -f "^swtpm socket .*$PWD/tpm.sock" || :; }
	spec '{"bhyve": {"release": 15}, "tpm": {"type": "swtpm", "path": "tpm.sock", "managed": true}}'
	script 'ready up waitfile go exit 0' 'ready again waitfile on exit 0' 'exit 1'
	export FAKEBHYVE_RELEASE=15
	start vm.json
	await_file up
	local first
	first=$(swtpms)
	[ -n "$first" ]
	: >go
	await_file again
	[ -n "$(swtpms)" ]
	[ "$(swtpms)" != "$first" ]
	: >on
	ends 0
	is "$(starts)" 3
	lacks warning
	[ -z "$(swtpms)" ]
}

@test "wait_for: a path that comes" {
	spec '{"wait_for":[{"path":"zvol"}]}'
	start vm.json
	await_text 'booting target'
	is "$(starts)" ''
	: >zvol
	ends 0
	is "$(starts)" 1
}

@test "wait_for: one that never comes, and a stop while waiting" {
	spec '{"wait_for":[{"path":"zvol","timeout":0.1}]}'
	vmrun vm.json
	is "$status" 69
	has "wait_for[0]: $PWD/zvol did not appear within 0.1 s"
	spec '{"wait_for":[{"path":"zvol","timeout":600}]}'
	start vm.json
	await_text 'booting target'
	kill -TERM "$pid"
	ends 0
	is "$(starts)" ''
}

@test "wait_for: an interface" {
	spec '{"wait_for":[{"interface":"no-such-if0","timeout":0.1}]}'
	vmrun vm.json
	is "$status" 69
	has 'wait_for[0]: no-such-if0 did not appear within 0.1 s'
}

@test "post_start_script runs at each boot, with its words" {
	spec "{\"post_start_script\":\"$PWD/words 'a b' c\"}"
	script "waitfile words.out exit 0" "exit 1"
	vmrun vm.json
	is "$status" 0
	is "$(head -n 2 words.out)" "$(printf 'a b\nc')"
}

@test "post_start_script that fails is a warning, one that hangs dies with the VM" {
	printf '#!/bin/sh\necho no luck >&2\nexit 3\n' >words
	spec "{\"post_start_script\":[\"$PWD/words\"]}"
	script 'ready up waitfile finished exit 1'
	start vm.json
	await_text 'warning: post_start_script failed: no luck (status 3)'
	: >finished
	ends 0
	spec "{\"post_start_script\":[\"$PWD/daemon\",\"made\"]}"
	script 'waitfile made exit 1'
	rm -f made
	vmrun vm.json
	is "$status" 0
	await companions_gone
}

@test "protect: done where the system lets us, else a warning" {
	spec '{"protect":true}'
	script 'ready up waitfile finished exit 1'
	start vm.json
	await_file up
	# Not every root may do this: the test tries the same in its own process.
	if (echo -1000 >/proc/self/oom_score_adj) 2>/dev/null; then
		await grep -q -e '^-1000$' "/proc/$(cat up)/oom_score_adj"
	else
		await_text 'protect: the system refuses this'
	fi
	: >finished
	ends 0
}
