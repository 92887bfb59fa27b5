#!/usr/bin/env bats
# Files that cannot be written: a full disk, a limit on the size of files, a removed directory.
# shellcheck disable=SC2154 # vm, pid, status and unchecked: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# limited KIB COMMAND...: runs a command with a limit on the size of files, as login classes set it.
# Its stderr reaches the file err through a pipe, which has no limit.
limited() {
	local kib=$1
	shift
	status=0
	# shellcheck disable=SC2016 # expanded by the inner shell
	(
		set -o pipefail
		bash -c 'ulimit -f "$0" && exec "$@"' "$kib" "$@" 2>&1 >out </dev/null 3>&- | cat >err
	) || status=$?
}

# Makes a hypervisor that prints 20,000 bytes in lines, and ends the run after the third boot.
flooding() {
	cat >bhyve <<-'END'
		#!/bin/sh
		for word; do
			case $word in com1,*) line=${word#com1,} ;; esac
		done
		for n in 0 1 2 3 4 5 6 7 8 9; do
			printf '%01999d\n' $n
		done >"$line"
		echo x >>boots
		[ "$(wc -l <boots)" -ge 3 ] && exit 1
		exit 0
	END
	chmod +x bhyve
}

@test "a limit on the size of files ends nothing: it is told like a full disk" {
	lua "vm.com1 = 'console'
		vm.console = { log = '$PWD/log' }
		function vm.on_started()
			for _ = 1, 2 do vmrun.event { text = ('e'):rep(6000) } end
		end
		function vm.on_exit() vmrun.state.text = ('s'):rep(9000) end"
	flooding
	limited 8 "$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" --state-dir state \
		--bhyve ./bhyve --events events -p hyper.pid -P vmrun.pid vm.lua
	is "$status" 0
	is "$(wc -l <boots)" 3
	is "$(grep -c "warning: console: cannot write $PWD/log: File too large: " err)" 1
	has "console: 51808 bytes of the guest's output are missing in $PWD/log"
	is "$(stat -c %s log)" 8192
	has '--events events: File too large'
	has 'state.json.new: cannot write this file: File too large'
	[ ! -e hyper.pid ] && [ ! -e vmrun.pid ]
}

@test "a limit on the size of files: what cannot be printed in full is told, 71" {
	spec
	limited 0 "$VMRUN" -d vm.json
	is "$status" 71
	has 'vmrun: cannot write to stdout: File too large'
	local option
	for option in --help --version; do
		limited 0 "$VMRUN" $option
		is "$status" 71
		has 'vmrun: cannot write to stdout: File too large'
		limited 0 "$VMRUNCTL" $option
		is "$status" 71
		has 'vmrunctl: cannot write to stdout: File too large'
	done
}

@test "a log whose directory is gone is one warning: the guest reboots, and is logged again" {
	mkdir logs
	spec "{\"com1\": \"console\", \"console\": {\"log\": \"$PWD/logs/log\"}}"
	unset FAKEBHYVE_NODISK
	script 'print before ready one waitfile go exit 0' 'print lost exit 0' \
		'print lost ready three waitfile go3 print after ready end waitfile go4 exit 1'
	start vm.json
	await_file one
	await_text before logs/log
	rm -r logs
	touch go
	await_file three
	await_text "warning: console: cannot write $PWD/logs/log: No such file or directory: "
	mkdir logs
	touch go3
	await_text after logs/log
	await_text "console: $PWD/logs/log is written again, "
	touch go4
	ends 0
	is "$(grep -c 'console: cannot write' err)" 1
	is "$(starts)" 3
	lacks before logs/log
}

@test "a log that cannot be written at the first boot: 69, nothing started" {
	spec "{\"com1\": \"console\", \"console\": {\"log\": \"$PWD/logs/log\"}}"
	vmrun vm.json
	is "$status" 69
	has "console: cannot write $PWD/logs/log: No such file"
	is "$(starts)" ''
}

@test "in a removed current directory a spec from stdin has no place: relative paths are not below /" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "disk"}]}'
	mkdir removed
	status=0
	(cd removed && rmdir "$BATS_TEST_TMPDIR/removed" && exec "$VMRUN" -d - <"$BATS_TEST_TMPDIR/vm.json") >out 2>err 3>&- || status=$?
	is "$status" 66
	has 'cannot find the current directory, where relative paths begin: No such file or directory'
	[ ! -s out ]
}
