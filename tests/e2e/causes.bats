#!/usr/bin/env bats
# How real guests end.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	rom
}

teardown() {
	common_teardown
}

# ended STATUS CAUSE SCRIPT ARG...
ended() {
	local wanted=$1 wanted_cause=$2
	shift 2
	guest "$@"
	is "$status" "$wanted"
	is "$(cause)" "$wanted_cause"
}

@test "reset, by every way" {
	ended 0 reboot r --no-reboot
	ended 0 reboot k --no-reboot
}

@test "power off" {
	ended 0 poweroff p
	ended 1 poweroff p --exit-status guest
}

@test "triple fault" {
	ended 3 triple_fault t
	ended 3 triple_fault t --exit-status guest
	has 'status 3'
}

@test "statuses are bhyve's, so that a policy means the same" {
	rom '{"reboot_on": [3]}'
	guest t --reboot-count 1
	is "$status" 3
	is "$(grep -c 'booting target' err)" 2
	guest r
	is "$status" 0
	is "$(grep -c 'booting target' err)" 1
}

@test "--reboot-count with a guest that resets for ever" {
	guest r --reboot-count 2
	is "$status" 0
	is "$(grep -c '^vmrun demo guest' out)" 3
}

@test "qemu killed by SIGKILL: 137" {
	start_guest w
	kill -KILL "$(qemu_pid)"
	ends 137
	is "$(cause)" killed
}

@test "qemu stopped by somebody's SIGTERM, which it takes for a power cut: killed" {
	start_guest w
	kill -TERM "$(qemu_pid)"
	ends 143
	is "$(cause)" killed
}

@test "a missing image that nobody checks: 4, in qemu's words" {
	rom '{"emulations": [{"device": "virtio-blk", "path": "no.img"}]}'
	guest p --no-requirement-check
	is "$status" 4
	has 'no.img'
	has 'No such file'
	is "$(cause)" start_failed
	rom '{"bootrom": "/no/such/rom"}'
	guest p --no-requirement-check
	is "$status" 4
	has '/no/such/rom'
}

@test "an option that qemu does not know: 4" {
	vmrun vm.json -- -nonsense
	is "$status" 4
	has 'nonsense'
	is "$(cause)" start_failed
}

@test "when vmrun is killed, qemu goes too" {
	start_guest w
	local qemu
	qemu=$(qemu_pid)
	kill -KILL "$pid"
	ends 137
	await is_gone "$qemu"
}

# chip CODE [JSON]: a spec of a guest that runs only these bytes, from the reset vector on
chip() {
	head -c 65536 /dev/zero >chip.rom
	# shellcheck disable=SC2059 # escapes
	printf "$1" | dd of=chip.rom bs=1 seek=65520 conv=notrunc status=none
	rom "$(jq -n --argjson more "${2:-"{}"}" '{bootrom: "chip.rom"} + $more')"
}

# exits_with VALUE: the code of a guest that writes to isa-debug-exit, which ends qemu with 2 * VALUE + 1
exits_with() {
	printf '\\xb0\\x%02x\\xe6\\xf4\\xf4' "$1" # mov al, VALUE; out 0xf4, al; hlt
}

debug_exit=(-- -device 'isa-debug-exit,iobase=0xf4,iosize=0x04')
# mov al, 1; mov dx, 0x505; out dx, al; hlt
panics='\xb0\x01\xba\x05\x05\xee\xf4'

@test "a status of the guest's own is kept: report, events, history, on, --exit-status guest" {
	chip "$(exits_with 16)" '{"on": {"33": {"boot": "again", "delay": 0}, "error": "stop"}, "targets": {"again": {"on": {"33": "stop"}}}}'
	vmrun --events events vm.json "${debug_exit[@]}"
	is "$status" 4
	has 'the boot ended with an error after'
	has '(error, status 33)'
	is "$(jq -r 'select(.event == "exit") | "\(.cause) \(.status)"' events | sort -u)" 'error 33'
	is "$(jq -r 'select(.event == "decided") | "\(.action) \(.by)"' events)" 'boot on.33
stop on.33'
	is "$(jq -r 'select(.kind == "boot") | "\(.cause) \(.status)"' "$BATS_TEST_TMPDIR.keep/$vm/history.jsonl" | sort -u)" 'error 33'
	vmrun --exit-status guest --no-reboot vm.json "${debug_exit[@]}"
	is "$status" 33
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "${stated[@]}" "$vm" history >ends
	has 33 ends
}

@test "a hook is asked with the status of the guest's own" {
	chip "$(exits_with 16)"
	cat >hook.lua <<-'END'
		return { on_exit = function(exit)
			return vmrun.stop(exit.cause == "error" and exit.status or 99)
		end }
	END
	vmrun --hook hook.lua vm.json "${debug_exit[@]}"
	is "$status" 33
}

@test "metrics count a status of the guest's own as an error" {
	chip "$(exits_with 16)" "{\"on\": {\"33\": {\"boot\": \"wait\"}}, \"targets\": {\"wait\": {\"bootrom\": \"$GUEST\"}}}"
	start vm.json "${debug_exit[@]}" -fw_cfg name=opt/vmrun/rom,string=w
	await grep -q '^vmrun demo guest' out
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" metrics >all
	has "vmrun_exits_total{vm=\"$vm\",cause=\"error\"} 1" all
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" kill
	ends 0
}

@test "statuses 1 and 3 of the guest's own are errors, not a power-off and a triple fault" {
	local value
	for value in 0 1; do
		chip "$(exits_with $value)" '{"reboot_on": [1, 3]}'
		vmrun --exit-status guest vm.json "${debug_exit[@]}"
		is "$status" $((2 * value + 1))
		is "$(cause)" error
		is "$(grep -c 'booting target' err)" 1
	done
}

@test "a panic that the guest tells a pvpanic is an error" {
	chip "$panics"
	vmrun vm.json -- -device pvpanic
	is "$status" 4
	is "$(cause)" error
	has '(error, status 4: the guest panicked)'
}

@test "halt_poll notices that all processors have halted" {
	rom '{"cpu": 2, "qemu": {"accel": "tcg", "halt_poll": 0.1}}'
	guest h
	is "$status" 0
	is "$(cause)" halt
	has 'status 2'
	guest h --exit-status guest
	is "$status" 2
}

@test "halt_poll asks the processors that the words for qemu give the guest" {
	rom '{"cpu": 2, "qemu": {"accel": "tcg", "halt_poll": 0.1, "args": ["-smp", "1"]}}'
	guest h
	is "$(cause)" halt
	rom '{"cpu": 1, "qemu": {"accel": "tcg", "halt_poll": 0.1, "args": ["-smp", "2"]}}'
	guest h
	is "$(cause)" halt
}

@test "halt_poll lets an idle guest live" {
	rom '{"qemu": {"accel": "tcg", "halt_poll": 0.1}}'
	guest 9.9.p
	is "$(cause)" poweroff
}
