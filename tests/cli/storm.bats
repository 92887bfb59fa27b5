#!/usr/bin/env bats
# Thousands of signals and control requests to a vmrun whose guest reboots as fast as it can: nothing
# is lost, confused or left behind.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	# kB by which the program may grow, mostly for the events that it keeps for late readers.  A
	# sanitizer keeps freed memory, and adds some around each allocation.
	most=2048
	[ -z "${ASAN_OPTIONS:-}" ] || most=16384
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1
}

teardown() {
	common_teardown
}

# There are fewer HUPs, because each reads a whole spec, which would leave no time for boots.
kinds=(USR1 USR1 USR2 USR2 WINCH WINCH CHLD CHLD CONT CONT PIPE PIPE HUP)

# Requests to the control socket; some are refused always, some only in certain states.
requests=(status 'next a' 'next b' reset 'next nowhere' 'reboot nowhere' 'wait-for never --timeout 0')

# Sends one random request to vmrun: a signal, or sometimes a request by vmrunctl.
poke() {
	local request
	if [ $((RANDOM % 50)) -gt 0 ]; then
		kill -"${kinds[RANDOM % ${#kinds[@]}]}" "$pid"
	else
		request=${requests[RANDOM % ${#requests[@]}]}
		# shellcheck disable=SC2086 # a list of words
		"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" $request >>asked 2>>refused
		echo "$? $request" >>answers
	fi
}

# storm N: sends N requests in bursts, in another shell, because bats traces every command of this one
storm() {
	bash -c "$(declare -p kinds requests pid vm)
		$(declare -f poke gusts)
		gusts $1" 3>&-
}

gusts() {
	local i
	mkfifo pause
	exec 7<>pause
	for ((i = 0; i < $1; i++)); do
		poke
		[ $((RANDOM % 10)) -gt 0 ] || read -r -t 0.003 -u 7 || :
	done
	exec 7>&-
}

# Prints the targets of vmrun's descriptors, one per line, without their numbers.
descriptors() {
	find "/proc/$pid/fd" -type l -printf '%l\n' | sed 's/:\[[0-9]*\]//' | sort
}

kilobytes() {
	awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}

# Prints the child processes of vmrun, including zombies.
children() {
	ps -A -o ppid= -o pid= | awk -v of="$pid" '$1 == of { print $2 }'
}

count() {
	grep -c -e "$1" err
}

# booted: prints the targets of the boots, except the first one
booted() {
	sed -n 's/.*: booting target //p' err | tail -n +2
}

@test "10,000 signals and requests while a guest reboots and reboots" {
	lua "vm.com1 = 'console'
		vm.console = { log = '$PWD/console.log' }
		vm.targets = { a = {}, b = {} }
		function vm.on_exit()
			if math.random(7) == 1 then vmrun.sleep(0.001) end
			return ({ 'a', 'b', 'default' })[math.random(3)]
		end"
	script 'ready first waitfile go exit 1'
	start vm.lua
	await_file first
	await_text 'runs under'
	kill -HUP "$pid"
	await_text 'spec reloaded'
	if [ -d /proc/self/fd ]; then
		descriptors >before
		size=$(kilobytes)
	fi
	touch go
	storm 10000
	# A host that starts processes slowly needs more time for as many boots, each target among them.
	await eval '[ "$(starts)" -gt 100 ] && [ "$(booted | sort -u | wc -l)" -eq 3 ]'

	# After all requests, a last boot stays up.
	echo 'acpi on ready last wait exit 1' >script.new
	mv script.new script
	await_file last
	says=$(count ': running, ' || :)
	kill -USR2 "$pid"
	await more_running
	is "$(children)" "$(cat last)"
	if [ -d /proc/self/fd ]; then
		descriptors >after
		diff before after
		grown=$(($(kilobytes) - size))
		[ $grown -lt $most ] || { echo "grown by $grown kB, from $size" >&2 && return 1; }
	else
		echo '# no /proc: neither descriptors nor memory are looked at' >&3
	fi
	kill -TERM "$pid"
	ends 0
	nothing_runs

	# Every boot has an end and a decision, and the next boot follows the decision.
	boots=$(starts)
	[ "$boots" -gt 100 ]
	is "$(count ': booting target')" "$boots"
	is "$(count ' runs under bhyve, pid ')" "$boots"
	is "$(count ' after .* s.* (.*, ')" "$boots"
	is "$(count ': next boot: target ')" $((boots - 1))
	is "$(count 'no further boot (the stop request)')" 1
	booted >booted
	sed -n 's/.*: next boot: target \([a-z]*\) .*/\1/p' err >decided
	# except when another target was requested in between
	paste -d' ' booted decided | awk '$1 != $2 { print $1 }' >asked_for
	[ "$(wc -l <asked_for)" -le "$(grep -c '^0 next' answers)" ]
	is "$(sort -u asked_for | tr -d 'ab\n')" ''
	is "$(sort -u answers)" "$(printf '%s\n' '0 next a' '0 next b' '0 status' '1 next nowhere' \
		'1 reboot nowhere' '1 reset' '1 wait-for never --timeout 0')"
	is "$(sort -u refused | wc -l)" 3 # why
	is "$(sort -u booted | paste -sd' ' -)" 'a b default'
	is "$(fake_pids | sort -u | wc -l)" "$boots"
	[ "$(count 'reloaded: it takes effect')" -gt 10 ]
	[ "$(count ': [a-z_]*, target ')" -gt 10 ]
	lacks warning
	lacks 'not good'
	lacks ' failed'
}

more_running() {
	[ "$(count ': running, ')" -gt "$says" ]
}
