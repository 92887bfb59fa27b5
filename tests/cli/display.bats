#!/usr/bin/env bats
# What a terminal shows while a user waits: the stop ladder, a question.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	export TERM=xterm
	mkfifo keys
}

teardown() {
	exec 9>&- || :
	common_teardown
}

# terminal ARG...: starts vmrun at a terminal in the background.  The output of the terminal is in
# out, its input is descriptor 9, and the file vmrun.pid has vmrun's pid.
terminal() {
	: >out
	: >err
	"$PTY" sh -c "${how:-exec \"\$@\" 2>&1}" sh "$VMRUN" "${stated[@]}" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" \
		-P vmrun.pid "$@" >out 2>err <keys 3>&- 9>&- &
	pid=$!
	pids+=("$pid")
	exec 9>keys
}

# Prints the final contents of the screen, in which lines may have been overwritten.
screen() {
	tr '\n' '\001' <out | sed 's/\x1b\[?7[lh]//g; s/\r\x01/\x01/g' | tr '\001' '\n' |
		sed 's/.*\r\x1b\[K//'
}

# counts_down N [AFTER]: waits until the line of the step acpi has shown N different times, with AFTER
# behind each; a busy host may skip some
counts_down() {
	await eval '[ "$(grep -aoE "stopping: acpi (50 min 0|49 min [0-9]+) s'"${2:-}"'" out | sort -u | wc -l)" -ge '"$1 ]"
}

ladder='{"stop": [{"do": "acpi", "wait": 3000}, {"do": "kill", "wait": 5}]}'

@test "a stop ticks: one line, rewritten, with the way to the next step, gone at the end" {
	spec "$ladder"
	script 'acpi on ready up deaf'
	terminal vm.json
	await_file up
	await_text 'runs under' out
	printf '\003' >&9
	counts_down 3 '; \^C: next step'
	is "$(screen | grep -c 'next step$')" 1
	printf '\003' >&9
	ends 0
	screen >shown
	lacks 'next step' shown
	has "vmrun: $vm: stopping: pressing the power button" shown
	has "vmrun: $vm: stopping: killing the hypervisor" shown
	lacks 'next step in' shown
	grep -q '^terminal: .*, restored$' err # O_NONBLOCK may have been seen, while something was written
}

@test "what is said meanwhile stands above it" {
	spec "$ladder"
	script 'acpi on ready up deaf'
	terminal vm.json
	await_file up
	await_text 'runs under' out
	printf '\003' >&9
	await_text 'stopping: acpi' out
	kill -USR2 "$(cat vmrun.pid)"
	await_text ': stopping, target default' out
	counts_down 3
	screen >shown
	is "$(tail -n 2 shown | grep -c ': stopping, target default')" 1
	tail -n 1 shown | grep -q 'stopping: acpi'
	printf '\003' >&9
	ends 0
}

@test "over a console on stdio: carriage returns, and no ^C, which is the guest's" {
	spec "$(jq -c '. + {com1: "stdio"}' <<<"$ladder")"
	script 'acpi on print login:_ ready up deaf'
	terminal vm.json
	await_file up
	await_text 'runs under' out
	await_text login out
	kill -TERM "$(cat vmrun.pid)"
	counts_down 2 '; another SIGTERM: next step'
	screen >shown
	has 'login: ' shown
	stop_again "$(cat vmrun.pid)"
	ends 0
	screen >shown
	lacks 'next step' shown
	has 'login: ' shown
	has 'terminal: touched, restored'
}

@test "no line that ticks on a terminal that cannot rewrite, or in the background: a line a step" {
	spec "$ladder"
	local case
	for case in dumb '' background; do
		rm -f up
		script 'acpi on ready up deaf'
		# shellcheck disable=SC2016 # expanded by the inner shell
		if [ "$case" = background ]; then
			how='set -m; "$@" 2>&1 & wait' terminal vm.json
		else
			TERM=$case terminal vm.json
		fi
		await_file up
		await_text 'runs under' out
		kill -TERM "$(cat vmrun.pid)"
		await_text 'pressing the power button, next step in 50 min 0 s or at the next signal' out
		stop_again "$(cat vmrun.pid)"
		ends 0
		exec 9>&-
		lacks '; another' out
		lacks "$(printf '\033')" out
	done
}

@test "on a pipe neither" {
	spec "$ladder"
	script 'acpi on ready up deaf'
	start vm.json
	await_file up
	await_text 'runs under'
	kill -TERM "$pid"
	await_text 'next step in 50 min 0 s or at the next signal'
	stop_again "$pid"
	ends 0
	lacks '; another'
	lacks "$(printf '\033')"
}

@test "nor where the messages are for a program, on a terminal all the same" {
	spec "$ladder"
	script 'acpi on ready up deaf'
	terminal --log-format json vm.json
	await_file up
	kill -TERM "$(cat vmrun.pid)"
	await_text '"stopping"' out
	stop_again "$(cat vmrun.pid)"
	ends 0
	lacks '; another' out
	lacks "$(printf '\033')" out
}

# --- a question ---

# asking: starts a run at a terminal, with a problem that has a fix
asking() {
	fake_host
	export FAKE_CALLS=$PWD/calls
	printf 'vmm\n' >state/modules
	printf 'hw.vmm.vmx.initialized=1\nhw.physmem=8589934592\nkern.smp.cpus=4\n' >state/sysctls
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	unchecked=()
	terminal vm.json
	await_text 'Apply 1 fix? [y/N] ' out
}

@test "signals while it asks: the status is told, the question stands again, and is answered" {
	asking
	script 'exit 1'
	kill -USR1 "$(cat vmrun.pid)"
	kill -HUP "$(cat vmrun.pid)"
	await_text 'spec reloaded' out
	kill -USR2 "$(cat vmrun.pid)"
	await_text "$vm: waiting, target default" out
	await eval "tr '\\n' ' ' <out | grep -q 'Apply.*Apply.*Apply'"
	echo y >&9
	ends 0
	is "$(starts)" 1
	has 'ifconfig tap3 create up' calls
}

@test "a stop while it asks: nothing is mended, nothing is started" {
	asking
	printf '\003' >&9
	ends 0
	is "$(starts)" ''
	lacks create calls
	has 'stopped on request' out
	screen >shown
	lacks 'Apply' shown
}
