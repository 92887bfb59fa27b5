#!/usr/bin/env bats
# The console over the control socket: with a terminal, with pipes, and with many clients at once.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	run_dir=$BATS_RUN_TMPDIR/run
	spec '{"com1": "console", "targets": {"a": {}}}'
	# A guest on its serial port, which prints a greeting and repeats lines until it is told to end.
	cat >bhyve <<-'END'
		#!/bin/sh
		for word; do
			case $word in com1,*) line=${word#com1,} ;; esac
		done
		exec 3<>"$line"
		printf 'login: ' >&3
		echo x >>boots
		while read -r text <&3; do
			case $text in
			again) exit 0 ;;
			off) exit 1 ;;
			slow) printf 'fir' >&3; while [ ! -e go ]; do sleep 0.02; done; printf 'st\n' >&3 ;;
			flood) head -c 300000 /dev/zero | tr '\0' x >&3; echo done >&3 ;;
			*) printf 'got %s\n' "$text" >&3 ;;
			esac
		done
	END
	chmod +x bhyve
	export VMRUN_BHYVE=$PWD/bhyve
}

teardown() {
	[ ! -e keys ] || exec 7>&-
	common_teardown
}

up() {
	start vm.json
	ctl "$vm" wait-for login: --backlog --timeout 60
	is "$status" 0
}

ctl() {
	status=0
	timeout -k 5 60 "$VMRUNCTL" -r "$run_dir" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# console: starts the console at its own terminal in the background; `keys` types
console() {
	[ -e keys ] || mkfifo keys
	: >screen
	: >notes
	"$PTY" "$VMRUNCTL" -r "$run_dir" "$vm" console <keys >screen 2>notes 3>&- &
	watcher=$!
	pids+=("$watcher")
	exec 7>keys
	await_text attached notes
}

keys() {
	# shellcheck disable=SC2059 # the argument has escapes
	printf "$1" >&7
}

# left STATUS: checks that the console ended with the status and restored the terminal
left() {
	status=0
	wait "$watcher" || status=$?
	is "$status" "$1"
	has 'terminal: touched, restored' notes
	exec 7>&-
	rm keys
}

off() {
	ctl "$vm" kill
	ends 0
}

@test "what was printed before comes first, then what is typed is answered" {
	up
	console
	await_text 'login: ' screen
	keys 'hello\n'
	await_text 'got hello' screen
	is "$(tr -d '\r' <screen)" 'login: got hello'
	keys '~.'
	left 0
	has "[$vm: detached]" notes
	ctl "$vm" status --json
	is "$(jq -r .state said)" running
	off
}

@test "tildes: only at the beginning of a line, and as ssh has them" {
	up
	console
	keys 'a~.b\n'
	await_text 'got a~.b' screen
	keys '~~.c\n'
	await_text 'got ~.c' screen
	keys '~x\n'
	await_text 'got ~x' screen
	keys '~?'
	await_text '~~ sends a tilde' notes
	keys '~.'
	left 0
	off
}

@test "^C and all other bytes are the guest's" {
	up
	console
	keys '\003\032\034 \377\n'
	await_text "$(printf 'got \003\032\034 \377')" screen
	keys '~.'
	left 0
	off
}

@test "the terminal is restored when a signal ends it" {
	up
	local name
	for name in TERM:143 HUP:129 INT:130; do
		console
		await_text 'login: ' screen
		kill -"${name%:*}" "$(pgrep -P "$watcher")"
		left "${name#*:}"
	done
	off
}

@test "and when the program that reads the console ends, or stdout fails" {
	up
	# the reader of the pipe takes "login: ", and is gone when the flood comes
	mkfifo keys
	: >screen
	# shellcheck disable=SC2016 # the inner shell expands it
	"$PTY" sh -c '"$@" | head -c 7' sh "$VMRUNCTL" -r "$run_dir" "$vm" console <keys >screen 2>notes 3>&- &
	watcher=$!
	pids+=("$watcher")
	exec 7>keys
	await_text 'login: ' screen
	keys 'flood\n'
	left 0
	[ -e /dev/full ] || skip 'no /dev/full'
	mkfifo keys
	# shellcheck disable=SC2016
	"$PTY" sh -c 'exec "$@" >/dev/full' sh "$VMRUNCTL" -r "$run_dir" "$vm" console <keys 2>notes 3>&- &
	watcher=$!
	pids+=("$watcher")
	exec 7>keys
	status=0
	wait "$watcher" || status=$?
	is "$status" 71
	has ', restored' notes # it may be raw for a moment only
	has "[$vm: detached: cannot write to stdout]" notes
	has "vmrunctl: $vm: cannot write to stdout: No space left on device" notes
	off
}

@test "and when the VM has exited; the guest's reboots are survived" {
	up
	console
	await_text login screen
	keys 'again\n'
	await_text 'login: login: ' screen
	keys 'hello\n'
	await_text 'got hello' screen
	is "$(wc -l <boots)" 2
	keys 'off\n'
	left 0
	has "[$vm: the VM has exited]" notes
	ends 0
}

@test "one writes, any number look" {
	up
	console
	ctl "$vm" console
	is "$status" 1
	has "$vm: console: process $(pgrep -P "$watcher") is writing already: only one client can write, any number can read" wrong
	"$VMRUNCTL" -r "$run_dir" "$vm" console --read-only >one 2>&1 3>&- </dev/null &
	local one=$!
	echo 'not for the guest' | "$VMRUNCTL" -r "$run_dir" "$vm" console --read-only >two 2>&1 3>&- &
	local two=$!
	pids+=("$one" "$two")
	await_text login one
	await_text login two
	keys 'hello\n'
	await_text 'got hello' one
	await_text 'got hello' two
	keys '~.'
	left 0
	console
	keys 'off\n'
	left 0
	wait "$one"
	wait "$two"
	is "$(cat one)" 'login: got hello'
	cmp one two
	ends 0
}

@test "pipes: no terminal, no escapes" {
	up
	mkfifo in_pipe
	"$VMRUNCTL" -r "$run_dir" "$vm" console <in_pipe >said 2>wrong 3>&- &
	local reader=$!
	pids+=("$reader")
	exec 7>in_pipe
	printf '~.\n~~\n' >&7
	await_text 'got ~~' said
	exec 7>&-
	ctl "$vm" status --json
	is "$(jq -r .state said)" running
	off
	wait "$reader"
	[ ! -s wrong ]
}

has_floods() {
	[ "$(grep -ao xdone screen | wc -l)" = "$1" ]
}

@test "with more open files than pselect() takes: refused" {
	ulimit -Sn 1200 || skip "this process may open $(ulimit -Hn) files"
	up
	cat >crowded <<-'END'
		import os, sys
		for i in range(1100):
		    os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
		os.execv(sys.argv[1], sys.argv[1:])
	END
	status=0
	timeout -k 5 60 python3 crowded "$VMRUNCTL" -r "$run_dir" "$vm" console >said 2>wrong </dev/null 3>&- || status=$?
	is "$status" 71
	has 'files open: at most 1021 can be' wrong
	off
}

@test "a reader who stops reading loses bytes, is told so, and holds up nobody" {
	up
	"$VMRUNCTL" -r "$run_dir" "$vm" console --read-only >slow 3>&- </dev/null &
	local slow=$!
	pids+=("$slow")
	await_text login slow
	kill -STOP "$slow"
	console
	local i
	for i in 1 2 3 4 5; do
		keys 'flood\n'
		await has_floods "$i"
	done
	keys 'hello\n'
	await_text 'got hello' screen
	kill -CONT "$slow"
	await_text 'got hello' slow
	grep -qaE '\[[0-9]+ bytes lost\]' slow
	keys '~.'
	left 0
	off
}

@test "no port is the console: refused" {
	spec
	printf '#!/bin/sh\n: >up\nexec sleep 600\n' >bhyve
	start vm.json
	await_file up
	ctl "$vm" console
	is "$status" 1
	has 'console: no serial port of this VM is "console": see com1' wrong
	ctl "$vm" wait-for login: --backlog
	is "$status" 1
	has 'wait-for: no serial port of this VM is "console": see com1' wrong
	off
	# before the first boot; and where another target has one
	spec '{"wait_for": [{"path": "go"}]}'
	start vm.json
	await_text "waiting for $PWD/go" err
	ctl "$vm" wait-for login:
	is "$status" 1
	has 'wait-for: no serial port of this VM is "console": see com1' wrong
	off
	rm up
	spec '{"targets": {"c": {"com1": "console"}}}'
	start vm.json
	await_file up
	ctl "$vm" wait-for login: --timeout 0.1
	is "$status" 1
	has '"login:" was not printed within 0.1 s' wrong
	off
}

# found: returns whether the waiter has ended; lets the guest print the text again, because the waiter may
# have connected after it
found() {
	has_ended "$1" && return
	keys 'slow\n'
	return 1
}

@test "wait-for: a text in pieces, in what was printed before, never" {
	up
	"$VMRUNCTL" -r "$run_dir" "$vm" wait-for first --timeout 60 3>&- &
	local waiter=$!
	console
	keys 'slow\n'
	await_text fir screen
	touch go
	await found "$waiter"
	wait "$waiter"
	keys 'end\n'
	await_text 'got end' screen # and no further text is on its way
	ctl "$vm" wait-for first --timeout 0.1
	is "$status" 1
	has '"first" was not printed within 0.1 s' wrong
	ctl "$vm" wait-for first --backlog --timeout 0.1
	is "$status" 0
	ctl "$vm" wait-for 'login: fir' --backlog --timeout 0.1
	is "$status" 0
	keys '~.'
	left 0
	off
}

@test "ten thousand that come and go leave nothing behind" {
	# A sanitizer keeps freed memory; with a small limit, that does not hide a leak.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=0:thread_local_quarantine_size_kb=0
	up
	cat >come_and_go <<-'END'
		import os, socket, sys
		pid, path = int(sys.argv[1]), sys.argv[2]
		requests = [b'{"cmd":"console","write":true}\n', b'{"cmd":"console"}\n',
		            b'{"cmd":"events","from":1}\n', b'{"cmd":"wait-for","text":"x"}\n', b'{"cmd']
		def go(times):
		    for i in range(times):
		        s = socket.socket(socket.AF_UNIX)
		        s.connect(path)
		        s.sendall(requests[i % len(requests)])
		        if i % 10 < 3:
		            s.recv(100)
		        s.close()
		def ask():
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(path)
		    s.sendall(b'{"cmd":"status"}\n')
		    assert b'"ok":true' in s.recv(1000)
		def size():
		    ask()
		    with open(f"/proc/{pid}/status") as f:
		        kb = [int(l.split()[1]) for l in f if l.startswith("VmRSS")][0]
		    return kb, len(os.listdir(f"/proc/{pid}/fd"))
		go(1000)
		before = size()
		go(10000)
		after = size()
		for i in range(10000): # the last ones may not have been seen to go yet
		    if after[1] <= before[1]:
		        break
		    after = size()
		print(before, after)
		sys.exit(after[0] > before[0] + 512 or after[1] > before[1])
	END
	[ -r "/proc/$pid/status" ] || skip 'no /proc'
	python3 come_and_go "$pid" "$run_dir/$vm/control"
	off
}
