#!/usr/bin/env bats
# The stock hook daily_window.
# shellcheck disable=SC2154 # pid and status: ../cli/common.bash

setup() {
	load hooks
	common_setup
}

teardown() {
	common_teardown
}

# clock HH MM SS: from now on local time is about that, whatever time it is.  POSIX zones are seconds
# west of Greenwich.
clock() {
	local now west
	now=$(($(date -u +%s) % 86400))
	west=$(((now - (10#$1 * 3600 + 10#$2 * 60 + 10#$3) + 86400) % 86400))
	# Zones reach 24 hours to both sides; half of it is enough.
	if [ $west -gt 43200 ]; then
		west=$((86400 - west))
		set -- -
	else
		set -- ''
	fi
	TZ=$(printf 'LOC%s%d:%02d:%02d' "$1" $((west / 3600)) $((west / 60 % 60)) $((west % 60)))
	export TZ
}

window() {
	hooked "{\"use\": \"daily_window\", \"from\": \"$1\", \"to\": \"$2\"}"
}

# open: the VM boots at once
open() {
	plays 'exit 1' --
	is "$status" 0
	lacks waits
}

# closed: it does not boot, and a stop request ends the wait
closed() {
	rm -f starts
	script 'exit 1'
	start vm.json
	await_text "waits until ${1:-22:00}"
	kill -TERM "$pid"
	ends 0
	is "$(starts)" ''
}

@test "inside the window, at its edges, and outside" {
	window 08:00 17:30
	clock 12 00 00
	open
	clock 08 00 01
	open
	clock 17 29 30
	open
	clock 17 30 01
	closed 08:00
	clock 03 00 00
	closed 08:00
	clock 23 59 30
	closed 08:00
}

@test "a window over midnight" {
	window 22:00 06:00
	clock 22 00 01
	open
	clock 23 59 59
	open
	clock 00 00 01
	open
	clock 05 59 30
	open
	clock 06 00 01
	closed
	clock 12 00 00
	closed
	clock 21 59 00
	closed
}

@test "the same time twice is all day" {
	window 06:00 06:00
	clock 06 00 01
	open
	clock 05 59 59
	open
}

@test "the boot begins when the window does" {
	window 22:00 06:00
	local second
	for second in 58 50 30; do # a busy host may ask after the window has begun
		clock 21 59 $second
		plays 'exit 1' --
		is "$status" 0
		is "$(booted)" default
		! grep -q 'waits until 22:00' err || break
	done
	has 'waits until 22:00'
}

@test "every boot is held, whoever decided on it" {
	cat >clock.lua <<-'END'
		local hour = 23
		function os.date()
			return { hour = hour, min = 0, sec = 0 }
		end
		return { on_exit = function(exit)
			hour = 12
			if exit.boots == 1 then return "a" end
		end }
	END
	window 22:00 06:00
	script 'exit 0' 'exit 1'
	start --hook clock.lua vm.json
	await_text 'waits until 22:00'
	is "$(starts)" 1
	kill -TERM "$pid"
	ends 0
}

@test "nothing waits where nothing is started" {
	window 22:00 06:00
	clock 12 00 00
	vmrun -d vm.json
	is "$status" 0
	lacks waits
}

@test "wrong options" {
	refuses '{"use": "daily_window", "from": "24:00", "to": "6:00", "zone": "UTC"}' \
		'hooks[0].from: daily_window: option "from": expected a time of day, "HH:MM", got "24:00"' \
		'hooks[0].to: daily_window: option "to": expected a time of day, "HH:MM", got "6:00"' \
		'hooks[0].zone: daily_window: unknown option "zone" (known: from, to)'
	refuses '{"use": "daily_window", "from": 22, "to": "05:60"}' \
		'hooks[0].from: daily_window: option "from": expected a time of day, "HH:MM", got 22' \
		'hooks[0].to: daily_window: option "to": expected a time of day, "HH:MM", got "05:60"'
	refuses '"daily_window"' \
		'hooks[0]: daily_window: missing option "from": expected a time of day, "HH:MM"' \
		'hooks[0]: daily_window: missing option "to": expected a time of day, "HH:MM"'
}
