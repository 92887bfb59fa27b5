#!/usr/bin/env bats
# A TPM by swtpm: it belongs to a boot.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	command -v swtpm >/dev/null || skip 'swtpm is not installed'
}

teardown() {
	common_teardown
	local one
	for one in $(swtpms); do kill -KILL "$one" 2>/dev/null || :; done
}

# The pids of the swtpm of this test.
swtpms() {
	pgrep -f "^swtpm socket .*$PWD/tpm.sock" || :
}

swtpm_is_gone() {
	[ -z "$(swtpms)" ]
}

managed() {
	rom '{"tpm": {"type": "swtpm", "path": "tpm.sock", "managed": true},
		"stop": [{"do": "poweroff", "wait": 30}]}'
}

@test "guest reboots: each boot has a swtpm of its own, and no warning" {
	managed
	guest r --reboot-count 7
	is "$status" 0
	is "$(cause)" reboot
	is "$(grep -c '^vmrun demo guest' out)" 8
	lacks warning
	lacks 'swtpm of the tpm ended'
	swtpm_is_gone
}

@test "a companion that serves the TPM belongs to a boot, too" {
	mkdir state
	rom "$(jq -n --arg at "$PWD" '{
		tpm: {type: "swtpm", path: "tpm.sock"},
		companions: [{name: "mine", restart: true, ready: {path: "tpm.sock"},
			command: ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=\($at)/state",
				"--ctrl", "type=unixio,path=\($at)/tpm.sock"]}]}')"
	guest r --reboot-count 7
	is "$status" 0
	is "$(grep -c '^vmrun demo guest' out)" 8
	lacks warning
	lacks 'companion mine ended'
	swtpm_is_gone
}

@test "its end while the guest runs is told; the next boot has a new one" {
	managed
	start_guest w
	local first
	first=$(swtpms)
	kill -KILL "$first"
	await_text 'warning: companion swtpm of the tpm ended of signal 9: the guest has no TPM until the next boot'
	swtpm_is_gone
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" reboot
	await eval '[ "$(grep -c "^vmrun demo guest" out)" -eq 2 ]'
	[ -n "$(swtpms)" ]
	[ "$(swtpms)" != "$first" ]
	kill -TERM "$pid"
	ends 0
	is "$(grep -c 'warning:' err)" 1
	swtpm_is_gone
}

@test "qemu that is killed takes no warning of swtpm's along" {
	managed
	start_guest w
	kill -KILL "$(qemu_pid)"
	ends 137
	lacks 'swtpm of the tpm ended'
	swtpm_is_gone
}

@test "after a SIGKILL of vmrun the next start ends what is left" {
	managed
	start_guest w
	local old
	old=$(swtpms)
	kill -KILL "$pid"
	ends 137
	guest r --reboot-count 1
	is "$status" 0
	[[ "$(swtpms)" != *"$old"* ]]
	is "$(grep -c '^vmrun demo guest' out)" 2
	swtpm_is_gone
}
