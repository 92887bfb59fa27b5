#!/usr/bin/env bats
# A serial port that vmrun owns, with real guests.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
}

teardown() {
	common_teardown
}

@test "the log has all that the guest printed, over its reboots" {
	rom '{"com1":"console","console":{"log":"guest.log"}}'
	guest r --reboot-count 2
	is "$status" 0
	is "$(grep -c '^vmrun demo guest' guest.log)" 3
	is "$(stat -c %a guest.log)" 600
	lacks 'vmrun demo guest' out
	# the next run adds to it
	guest p
	is "$(grep -c '^vmrun demo guest' guest.log)" 4
}

@test "with times" {
	rom '{"com1":"console","console":{"log":"guest.log","timestamps":true}}'
	guest p
	is "$status" 0
	grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z vmrun demo guest' guest.log
	is "$(grep -cvE '^[0-9]{4}-.*Z ' guest.log)" 0
}

@test "a log that is full is kept as LOG.1, LOG.2; older ones go" {
	rom '{"com1":"console","console":{"log":"guest.log","max_size":4096,"keep":2}}'
	# each boot prints some hundred bytes: several logs are filled before the end
	guest r --reboot-count 130
	is "$status" 0
	is "$(ls guest.log*)" "$(printf 'guest.log\nguest.log.1\nguest.log.2')"
	for log in guest.log.1 guest.log.2; do
		[ "$(stat -c %s $log)" -gt 3500 ]
		[ "$(stat -c %s $log)" -le 4200 ] # a line is not cut
	done
}

@test "without a log it is just kept from flooding anybody; a log that cannot be written is told" {
	rom '{"com1":"console"}'
	guest p
	is "$status" 0
	rom '{"com1":"console","console":{"log":"no/such/directory/guest.log"}}'
	guest p
	is "$status" 69
	has "fix: mkdir -p $PWD/no/such/directory"
}

@test "a dry run has a placeholder for it" {
	rom '{"com1":"console"}'
	vmrun -d vm.json
	is "$status" 0
	has /dev/pts/AUTO out
	has '/dev/pts/AUTO is a placeholder: a run creates a terminal for com1'
}

@test "the accelerator, and the terminal that stands in for a nmdm pair, are told" {
	rom '{"com1":"/dev/nmdm0A","graphic":{"port":"auto"}}'
	start vm.json -- -fw_cfg 'name=opt/vmrun/rom,string=w'
	await_text 'char device redirected to '
	has "$vm: qemu: accel tcg: qemu.accel of the spec"
	grep -qE "$vm: screen: vnc://127\.0\.0\.1:[0-9]+$" err
	local tty
	tty=$(sed -n 's/.*char device redirected to \(.*\) (label com1)$/\1/p' err)
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" status --json >said
	is "$(jq -r '.devices.com1.tty, .console, .accel' said | paste -sd, -)" \
		"$tty,cu -l $tty,tcg: qemu.accel of the spec"
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" kill
	ends 0
}
