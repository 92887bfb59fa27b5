#!/usr/bin/env bats
# How Linux guests end, by themselves and by the stop ladder.
# shellcheck disable=SC2154,SC2016 # shared with ../cli/common.bash; scripts of the guest

setup() {
	load linux
	linux_setup
}

teardown() {
	common_teardown
}

# Prints the causes of the boots, oldest first.
causes() {
	jq -r 'select(.kind == "boot").cause' "$BATS_TEST_TMPDIR.keep/$vm/history.jsonl" | paste -sd' ' -
}

# ended_by: prints the step of the ladder that ended the last boot
ended_by() {
	jq -r 'select(.kind == "boot").ended_by' "$BATS_TEST_TMPDIR.keep/$vm/history.jsonl" | tail -n 1
}

# trigger LETTER: prints a script that presses this key of sysrq and waits for what follows
trigger() {
	echo "echo $1 >/proc/sysrq-trigger; sleep 1000000"
}

@test "sysrq b resets: reboot" {
	linux "$(trigger b)"
	boot --no-reboot
	is "$status" 0
	is "$(causes)" reboot
}

@test "sysrq o powers off: poweroff" {
	linux "$(trigger o)"
	boot
	is "$status" 0
	is "$(causes)" poweroff
}

@test "a reset by a triple fault: triple_fault" {
	linux 'reboot -f' '{"qemu": {"append": "reboot=triple"}}'
	boot
	is "$status" 3
	is "$(causes)" triple_fault
}

@test "a kernel panic with panic=1 resets: reboot, and the console says why" {
	linux "$(trigger c)" '{"qemu": {"append": "panic=1"}, "com1": "console", "console": {"log": "log"}}'
	boot --no-reboot
	is "$status" 0
	is "$(causes)" reboot
	has 'Kernel panic - not syncing: sysrq triggered crash' log
}

@test "a kernel panic without panic=1 goes on for ever, until alive finds it: unhealthy" {
	linux "echo up; $(trigger c)" '{"com1": "console", "console": {"log": "log"}, "ready": {"console": "up"},
		"alive": {"exec": ["sh", "-c", "! grep -q \"end Kernel panic\" log"], "every": 1, "failures": 1},
		"stop": [{"do": "poweroff", "wait": 10}]}'
	boot
	is "$status" 5
	is "$(causes)" unhealthy
	has 'Kernel panic - not syncing: sysrq triggered crash' log
}

@test "a kernel panic that the guest reports to a pvpanic device: error" {
	linux "$(trigger c)" '{"qemu": {"args": ["-device", "pvpanic"]}}'
	boot
	is "$status" 4
	is "$(causes)" error
}

@test "a kernel that has halted both processors: halt, by qemu.halt_poll" {
	linux 'halt -f' '{"cpu": 2, "qemu": {"halt_poll": 1}}'
	boot
	is "$status" 0
	is "$(causes)" halt
}

@test "reboots lead into the next target, until one powers off" {
	linux 'echo "this is $target"; [ "$target" != last ] || poweroff -f; reboot -f' '{
		"qemu": {"append": "target=first"}, "next_target": "second", "targets": {
			"second": {"qemu": {"append": "console=ttyS0 loglevel=1 target=second"}, "next_target": "last"},
			"last": {"qemu": {"append": "console=ttyS0 loglevel=1 target=last"}}}}'
	boot
	is "$status" 0
	is "$(causes)" 'reboot reboot poweroff'
	is "$(grep '^this is' out)" "this is first
this is second
this is last"
}

# Opens the device of the power button before it says so, so that no press is lost.
button='exec 3<"/dev/input/$(basename "$(dirname "$(dirname \
	"$(grep -l "Power Button" /sys/class/input/event*/device/name)")")")"
echo listening
dd bs=24 count=1 of=/dev/null 2>/dev/null <&3
echo "button pressed"'

@test "a stop presses the power button, which the guest obeys" {
	linux "$button"
	start vm.json
	await_text listening out
	kill "$pid"
	ends 0
	is "$(causes) $(ended_by)" 'stopped acpi'
	has 'button pressed' out
}

@test "a guest that does not listen is powered off by the next step" {
	linux 'echo deaf; sleep 1000000' \
		'{"stop": [{"do": "acpi", "wait": 1}, {"do": "poweroff", "wait": 60}]}'
	start vm.json
	await_text deaf out
	kill "$pid"
	ends 0
	is "$(causes) $(ended_by)" 'stopped poweroff'
}
