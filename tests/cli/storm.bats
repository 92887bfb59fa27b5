#!/usr/bin/env bats
# Thousands of signals to a vmrun whose guest reboots as fast as it can: nothing is lost, confused or
# left behind.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	# A sanitizer keeps what was freed; here the size of the program is looked at.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1
}

teardown() {
	common_teardown
}

# A reload reads a whole spec: fewer of those, that there is time for boots.
kinds=(USR1 USR1 USR2 USR2 WINCH WINCH CHLD CHLD CONT CONT PIPE PIPE HUP)

# One random request to vmrun, whatever it is busy with.
poke() {
	kill -"${kinds[RANDOM % ${#kinds[@]}]}" "$pid"
}

# storm N: so many, in gusts; in a shell of its own, because bats looks at every command of this one
storm() {
	bash -c "$(declare -p kinds pid)
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

# What descriptors of vmrun are, a line each, without what numbers them.
descriptors() {
	find "/proc/$pid/fd" -type l -printf '%l\n' | sed 's/:\[[0-9]*\]//' | sort
}

kilobytes() {
	awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}

# The processes that vmrun has, zombies too.
children() {
	ps -A -o ppid= -o pid= | awk -v of="$pid" '$1 == of { print $2 }'
}

count() {
	grep -c -e "$1" err
}

@test "10,000 signals while a guest reboots and reboots" {
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
	poke # the first of each kind may need memory of its own
	kill -HUP "$pid"
	await_text 'read again'
	if [ -d /proc/self/fd ]; then
		descriptors >before
		size=$(kilobytes)
	fi
	touch go
	storm 10000

	# A last boot that stays, when all that was asked is done.
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
		[ $grown -lt 4096 ] || { echo "grown by $grown kB, from $size" >&2 && return 1; }
	else
		echo '# no /proc: neither descriptors nor memory are looked at' >&3
	fi
	kill -TERM "$pid"
	ends 0
	nothing_runs

	# Every boot has its end and its decision, and what was decided is what was booted.
	boots=$(starts)
	[ "$boots" -gt 100 ]
	is "$(count ': booting target')" "$boots"
	is "$(count ' runs under bhyve, pid ')" "$boots"
	is "$(count ' after .* s (')" "$boots"
	is "$(count ': next boot: target ')" $((boots - 1))
	is "$(count 'no further boot (the stop request)')" 1
	sed -n 's/.*: booting target //p' err | tail -n +2 >booted
	sed -n 's/.*: next boot: target \([a-z]*\) .*/\1/p' err >decided
	cmp booted decided
	is "$(sort -u booted | paste -sd' ')" 'a b default'
	is "$(fake_pids | sort -u | wc -l)" "$boots"
	[ "$(count 'read again: it holds')" -gt 10 ]
	[ "$(count ': [a-z_]*, target ')" -gt 10 ]
	lacks warning
	lacks 'not good'
	lacks ' failed'
}

more_running() {
	[ "$(count ': running, ')" -gt "$says" ]
}
