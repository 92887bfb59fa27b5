#!/usr/bin/env bats
# The stock hook notify.
# shellcheck disable=SC2034,SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load hooks
	common_setup
	# Writes what it is told as a line: its arguments, then the facts.
	cat >tell <<-'END'
		#!/bin/sh
		facts=$(env | grep -E '^VMRUN_(EVENT|VM|TARGET|BOOTS|CAUSE|STATUS|SIGNAL|EXIT_STATUS)=' | sort |
			sed 's/^VMRUN_//' | paste -sd' ' -)
		echo "$* $facts" >>told
		env | grep -E '^VMRUN_(PID|UPTIME)=' >>numbers || :
		touch "$VMRUN_EVENT.$VMRUN_BOOTS"
	END
	chmod +x tell
}

teardown() {
	common_teardown
}

# notifies [JSON]: notify with ./tell and these options in the spec
notifies() {
	hooked "$(jq -n --arg tell "$PWD/tell" --argjson more "${1:-"{}"}" \
		'{use: "notify", command: [$tell, "a b", ""]} + $more')"
}

@test "start, exits and end, with their facts" {
	notifies
	plays 'waitfile start.1 exit 0' 'waitfile start.2 signal 9' --
	is "$status" 137
	is "$(booted)" 'default default'
	is "$(cat told)" "a b  BOOTS=1 EVENT=start TARGET=default VM=$vm
a b  BOOTS=1 CAUSE=reboot EVENT=exit STATUS=0 TARGET=default VM=$vm
a b  BOOTS=2 EVENT=start TARGET=default VM=$vm
a b  BOOTS=2 CAUSE=killed EVENT=exit SIGNAL=9 TARGET=default VM=$vm
a b  BOOTS=2 CAUSE=killed EVENT=end EXIT_STATUS=137 SIGNAL=9 TARGET=default VM=$vm"
	is "$(grep -c '^VMRUN_PID=[0-9][0-9]*$' numbers)" 2
	is "$(grep -c '^VMRUN_UPTIME=[0-9][0-9.]*$' numbers)" 3
	lacks warning
}

@test "only what it is wanted for" {
	notifies '{"on": ["killed", "end"]}'
	plays 'exit 0' 'exit 1' --
	is "$(wc -l <told)" 1
	grep -q EVENT=end told
	rm told
	plays 'signal 15' --
	is "$(wc -l <told)" 2
	notifies '{"on": []}'
	rm told
	plays 'exit 1' --
	[ ! -e told ]
}

@test "the next boot waits for the command, and what comes after it decides" {
	cat >tell <<-'END'
		#!/bin/sh
		[ "$VMRUN_EVENT" = exit ] || exit 0
		wc -l <starts >>seen
	END
	notifies '{"on": ["triple_fault"]}'
	echo 'return { on_exit = function(exit) if exit.boots == 1 then return "a" end end }' >after.lua
	plays 'exit 3' 'exit 3' -- --hook after.lua
	is "$status" 3
	is "$(booted)" 'default a'
	is "$(tr -d ' ' <seen | paste -sd' ' -)" '1 2'
}

@test "a command that fails, hangs, or is not there: a warning, and nothing else" {
	printf '#!/bin/sh\necho no mail >&2\nexit 7\n' >tell
	notifies '{"on": ["poweroff"]}'
	plays 'exit 1' --
	is "$status" 0
	has "warning: notify: $PWD/tell failed: status 7: no mail"
	printf '#!/bin/sh\nexec sleep 1000\n' >tell
	notifies '{"on": ["poweroff"], "timeout": 0.2}'
	plays 'exit 1' --
	is "$status" 0
	has "warning: notify: $PWD/tell failed: it did not end within 0.2 s and was killed"
	hooked '{"use": "notify", "command": ["./nowhere"], "on": ["end"]}'
	plays 'exit 3' --
	is "$status" 3
	has 'warning: notify: ./nowhere failed: status 127'
	hooked '{"use": "notify", "command": ["LANG=C", "./nowhere"], "on": ["end"]}'
	plays 'exit 3' --
	has 'warning: notify: ./nowhere failed: status 127'
}

@test "a guest that is gone at once: its start is told to nobody who is late" {
	printf '#!/bin/sh\necho $VMRUN_EVENT >>told\n[ $VMRUN_EVENT != start ] || { : >seen; exec sleep 1000; }\n' >tell
	notifies
	plays 'waitfile seen exit 1' --
	is "$status" 0
	is "$(paste -sd' ' told)" 'start exit end'
	lacks warning
}

@test "variables of one's own stand before the program" {
	printf '#!/bin/sh\necho "$MINE" >told\n' >tell
	hooked "{\"use\": \"notify\", \"command\": [\"MINE=a b\", \"$PWD/tell\"], \"on\": [\"end\"]}"
	plays 'exit 1' --
	is "$(cat told)" 'a b'
}

@test "in the background where that is asked for; a start and the end are waited for" {
	notifies '{"background": true, "on": ["triple_fault", "unhealthy", "end"]}'
	vmrun --reboot-on triple_fault,unhealthy --simulate triple_fault,unhealthy,poweroff vm.json
	is "$(grep -c 'not run: env VMRUN_EVENT=exit ' err)" 2
	has 'VMRUN_CAUSE=unhealthy'
	is "$(grep -c 'not run: env VMRUN_EVENT=end ' err)" 1
	lacks warning
	notifies '{"on": ["ready"]}'
	vmrun --simulate poweroff vm.json
	is "$status" 0
	refuses '{"use": "notify", "command": ["a"], "background": 1}' \
		'hooks[0].background: notify: option "background": expected true or false, got 1'
}

@test "nothing is run where nothing is started" {
	notifies
	vmrun -d vm.json
	is "$status" 0
	[ ! -e told ]
}

@test "wrong options" {
	refuses '{"use": "notify", "command": "mail root", "on": ["kiled"], "timeout": -1, "cmd": 1}' \
		'hooks[0].command: notify: option "command": expected a command, as a list of a program and its arguments, got "mail root"' \
		'hooks[0].on: notify: option "on": unknown cause "kiled", did you mean "killed"? (known: check_failed, end,' \
		'hooks[0].timeout: notify: option "timeout": expected a number from 0 to 31622400, in seconds, got -1' \
		'hooks[0].cmd: notify: unknown option "cmd"'
	refuses '{"use": "notify", "command": ["A=b"]}' \
		'hooks[0]: notify cannot be used: command has no program, only variables for its environment'
	refuses '"notify"' 'hooks[0]: notify: missing option "command": expected a command'
}

needs_commands() {
	[ "$(uname)" != FreeBSD ] || skip 'on FreeBSD these facts come from the kernel'
}

@test "a command that is missing is found by the checks" {
	needs_commands
	fake_host
	printf 'vmm\n' >state/modules
	unchecked=()
	hooked '{"use": "notify", "command": ["LANG=C", "no-such-tell"]}'
	vmrun --check vm.json
	is "$status" 69
	has '    no-such-tell: not found in PATH (hook notify)' out
	vmrun vm.json
	is "$status" 69
	is "$(starts)" ''
	spec
	printf 'return { programs = { "no-mail", "sh" } }\n' >h.lua
	vmrun --check --hook h.lua vm.json
	is "$status" 69
	has '    no-mail: not found in PATH (hook h.lua)' out
	is "$(grep -c 'not found' out)" 1
	vmrun --sandbox --allow "$rom" --check --json --hook h.lua vm.json
	is "$(jq -c '.problems[0].path' out)" null
	notifies
	vmrun --check vm.json
	is "$status" 0
}

@test "a command that vanishes later refuses no boot" {
	needs_commands
	fake_host
	printf 'vmm\n' >state/modules
	unchecked=()
	printf '#!/bin/sh\nrm tell\n' >tell
	notifies '{"on": ["reboot"]}'
	plays 'exit 0' 'exit 1' --
	is "$status" 0
	[ ! -e tell ]
	is "$(starts)" 2
}

@test "the sandbox looks up no programs of a hook of its own" {
	needs_commands
	fake_host
	printf 'vmm\n' >state/modules
	unchecked=()
	printf 'return { programs = { "no-mail" } }\n' >h.lua
	spec '{"hooks": ["h.lua"]}'
	vmrun --check vm.json
	is "$status" 69
	vmrun --sandbox --allow "$rom" --check vm.json
	is "$status" 0
}
