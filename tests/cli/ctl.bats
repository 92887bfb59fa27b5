#!/usr/bin/env bats
# vmrunctl and the control socket: every command, right and wrong.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	run_dir=$BATS_RUN_TMPDIR/run
	spec '{"targets": {"a": {}, "b": {}}}'
}

teardown() {
	common_teardown
}

# ctl ARG...: runs vmrunctl and sets status; its stdout is in the file said, its stderr in wrong
ctl() {
	status=0
	timeout -k 5 60 "$VMRUNCTL" -r "$run_dir" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# refused STATUS TEXT ARG...: checks that vmrunctl ends with the status and this text
refused() {
	local wanted=$1 text=$2
	shift 2
	ctl "$@"
	is "$status" "$wanted"
	has "$text" wrong
	[ ! -s said ]
}

# of FILTER: prints a part of the last answer, which is JSON
of() {
	jq -r "$1" said
}

# up: starts a VM that runs until a stop request
up() {
	script 'acpi on ready up wait exit 1' 'acpi on ready up2 wait exit 1'
	start vm.json
	await_file up
}

# Sends a line of bytes over the socket, as another program would do.
raw() {
	python3 - "$run_dir/$vm/control" "$1" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.sendall(sys.argv[2].encode("utf-8", "surrogateescape"))
		s.shutdown(socket.SHUT_WR)
		s.settimeout(30)
		while True:
		    some = s.recv(65536)
		    if not some:
		        break
		    sys.stdout.buffer.write(some)
	END
}

@test "the socket is there while vmrun runs, for its user alone" {
	up
	is "$(stat -c '%a %F' "$run_dir/$vm/control")" '600 socket'
	ctl "$vm" stop
	is "$status" 0
	grep -qE "^$vm: stopped: the guest powered off [0-9.]+ s after the power button\$" said
	[ ! -e "$run_dir/$vm" ]
	ends 0
}

@test "status: for people and for programs" {
	up
	ctl "$vm" status
	is "$status" 0
	has "state      running" said
	has "target     default" said
	ctl "$vm" status --json
	is "$(of '[.ok, .v, .vm, .state, .target, .boots, .cause, .next_target, .wait_ms, .stop_step] | tostring')" \
		"[true,1,\"$vm\",\"running\",\"default\",1,null,null,0,0]"
	is "$(of .pid)" "$(cat up)"
	is "$(of .vmrun_pid)" "$pid"
	is "$(of '.uptime_ms >= 0')" true
	is "$(of '[.ready, .devices, .accel, .screen, .console, .run_dir] | tostring')" \
		"[null,{},null,null,null,\"$run_dir\"]"
	is "$(of .state_dir)" "$(python3 -c 'import os, sys; print(os.path.realpath(sys.argv[1]))' "$(of .state_dir)")"
	# vmrun(8) lists the members after "Answers".
	is "$(of 'del(.ok, .id) | keys[]' | sort)" "$(sed -n '/^\.It Cm status$/,/^A member/s/^\.Va //p' \
		"$SOURCE/man/vmrun.8" | tr -d ' .' | tr ',' '\n' | grep . | sort)"
	ctl "$vm" kill
	ends 0
}

@test "stop waits until the VM has exited, kill does not ask it; --no-wait" {
	script 'ready up hang'
	start vm.json
	await_file up
	ctl "$vm" stop --no-wait
	is "$status" 0
	is "$(cat said)" "$vm: stopping"
	ctl "$vm" status --json
	is "$(of '[.state, .stop_step] | tostring')" '["stopping",1]'
	is "$(of '.wait_ms > 50000')" true
	ctl "$vm" stop --no-wait --json
	is "$(cat said)" '{"ok":true}'
	ctl "$vm" status --json
	is "$(of .stop_step)" 2
	ctl "$vm" kill
	is "$status" 0
	[ ! -e "$run_dir/$vm" ]
	is_gone "$(cat up)"
	ends 0
	has 'killing the hypervisor'
}

@test "after a stop the name is free at once" {
	up
	ctl "$vm" stop
	rm up
	up
	ctl "$vm" stop
	is "$status" 0
	ends 0
}

@test "reboot and next choose the target" {
	up
	refused 1 "$vm: unknown target \"c\"" "$vm" reboot c
	refused 1 "$vm: unknown target \"c\"" "$vm" next c
	ctl "$vm" next b
	is "$(cat said)" "$vm: next boot: target b"
	ctl "$vm" status --json
	is "$(of .next_target)" b
	ctl "$vm" reboot
	is "$(cat said)" "$vm: stopping target default with acpi (at most 75 s), then booting target b"
	await_file up2
	ctl "$vm" status --json
	is "$(of '[.state, .target, .boots, .cause] | tostring')" '["running","b",2,"reboot"]'
	script 'acpi on ready up3 wait exit 1'
	ctl "$vm" reboot a --json
	is "$(cat said)" '{"ok":true,"state":"stopping","target":"b","stop_action":"acpi","limit_ms":75000,"next_target":"a"}'
	await_file up3
	ctl "$vm" status --json
	is "$(of .target)" a
	ctl "$vm" stop
	ends 0
}

@test "reset: a VM that has given up boots again" {
	spec '{"restart_limit": {"count": 1, "within": 99}, "on": {"given_up": "wait"}}'
	script 'exit 0' 'exit 0' 'exit 0' 'acpi on ready up wait exit 1'
	start --reboot-count 2 vm.json
	ctl "$vm" wait --state given_up --timeout 30
	is "$status" 0
	ctl "$vm" reset
	is "$(cat said)" "$vm: booting again"
	await_file up # by the one automatic boot in the window, the second of this run
	refused 1 'the VM has not given up, so nothing needs a reset' "$vm" reset
	ctl "$vm" stop
	ends 0
}

@test "reset: while hooks still hear of given_up, by a client and by such a hook" {
	lua 'vm.restart_limit = { count = 1, within = 99 } vm.on = { given_up = "wait" }
		function vm.on_exit(exit)
			if exit.cause ~= "given_up" then return end
			if exit.count.given_up == 2 then print("asked", vmrun.request("reset")) return end
			print "heard"
			vmrun.exec { "sh", "-c", "until [ -e go ]; do sleep 0.02; done" }
		end'
	script 'exit 0' 'exit 0' 'exit 0' 'exit 0' 'acpi on ready up wait exit 1'
	start vm.lua
	await_text heard
	ctl "$vm" wait --state given_up --timeout 30
	is "$status" 0
	ctl "$vm" reset
	is "$(cat said)" "$vm: booting again"
	touch go
	await_file up
	await grep -q '^vmrun: asked.true$' err
	await eval '[ "$(grep -c "next boot: target default (reset)" err)" = 2 ]'
	ctl "$vm" stop
	ends 0
}

@test "next and reload: refused where no boot can follow" {
	spec '{"stop": [{"do": "acpi", "wait": 3600}, {"do": "kill", "wait": 5}]}'
	script 'acpi on ready up deaf' 'acpi on ready again deaf'
	start --no-reboot vm.json
	await_file up
	refused 1 '--no-reboot forbids further boots' "$vm" next default
	refused 1 '--no-reboot forbids further boots' "$vm" reload
	ctl "$vm" kill
	ends 0
	start vm.json
	await_file again
	ctl "$vm" stop --no-wait
	refused 1 'the VM is being stopped' "$vm" next default
	refused 1 'the VM is being stopped' "$vm" reload
	ctl "$vm" kill
	ends 0
}

# state JSON: writes the state file of the VM
state() {
	mkdir -p "state/$vm"
	printf '%s\n' "$1" >"state/$vm/state.json"
}

@test "forget: the file is edited where nothing runs" {
	ctl() {
		status=0
		timeout -k 5 60 "$VMRUNCTL" -r "$PWD/run" --state-dir "$PWD/state" "$@" >said 2>wrong </dev/null 3>&- || status=$?
	}
	state '{"install_once": {"done": true}, "install_once:b": {"begun": true}, "mine": [1.5, {}]}'
	ctl "$vm" forget install_once
	is "$status" 0
	is "$(cat said)" "$vm: dropped the state of install_once"
	is "$(jq -cS . "state/$vm/state.json")" '{"install_once:b":{"begun":true},"mine":[1.5,{}]}'
	refused 1 "$vm: install_once has no saved state to forget" "$vm" forget install_once
	ctl --json "$vm" forget install_once:b
	is "$status" 0
	is "$(cat said)" '{"ok":true}'
	is "$(jq -cS . "state/$vm/state.json")" '{"mine":[1.5,{}]}'
	ctl --json "$vm" forget install_once:b
	is "$status" 1
	is "$(of .error)" 'install_once:b has no saved state to forget'
	state '{"installed": {"install": true}, "slot": "b"}'
	ctl "$vm" forget install_once
	ctl "$vm" forget ab_upgrade
	is "$(jq -cS . "state/$vm/state.json")" '{"ab_upgrade":{},"install_once":{},"installed":{"install":true},"slot":"b"}'
	refused 1 'no saved state to forget' "$vm" forget install_once
	refused 1 'no saved state to forget' nobody forget install_once
	refused 1 'no stock hook "instal_once" keeps state, did you mean "install_once"?' "$vm" forget instal_once
	refused 1 'no stock hook "backoff" keeps state' "$vm" forget backoff
	refused 64 'forget needs HOOK' "$vm" forget
	[ ! -e "run/$vm" ]
	[ ! -e state/nobody ]
}

@test "forget: a state that cannot be read or written" {
	local text
	for text in '{"install_once": {' '[1'; do
		state "$text"
		refused 1 'vmrun.state cannot be read: mend the file' --state-dir "$PWD/state" "$vm" forget install_once
		is "$(cat "state/$vm/state.json")" "$text"
	done
	state '{"install_once": {"done": true}}'
	mkdir "state/$vm/state.json.new"
	refused 71 'state.json.new: cannot write this file' --state-dir "$PWD/state" "$vm" forget install_once
	is "$(jq -c . "state/$vm/state.json")" '{"install_once":{"done":true}}'
	rm -r state
	: >state
	refused 71 'Not a directory' --state-dir "$PWD/state" "$vm" forget install_once
	rm state
	if [ "$(id -u)" -ne 0 ]; then # nothing is denied to root
		state '{"install_once": {"done": true}}'
		chmod 500 "state/$vm"
		refused 77 "state/$vm: Permission denied" --state-dir "$PWD/state" "$vm" forget install_once
		chmod 700 "state/$vm"
	fi
}

@test "forget: a vmrun that runs changes what it has in memory" {
	unchecked+=(--state-dir "$PWD/state")
	lua 'function vm.on_start() vmrun.state.install_once, vmrun.state.mine = { begun = true }, 1 end
		function vm.on_exit() print("left", vmrun.state.install_once, vmrun.state.mine) end'
	script 'acpi on ready up wait exit 1'
	start vm.lua
	await_file up
	is "$(jq -cS . "state/$vm/state.json")" '{"install_once":{"begun":true},"mine":1}'
	refused 1 'no stock hook "bakoff" keeps state' "$vm" forget bakoff
	refused 1 'ab_upgrade has no saved state' "$vm" forget ab_upgrade
	mkdir "state/$vm/state.json.new"
	refused 1 'vmrun.state was not saved: ' "$vm" forget install_once
	rmdir "state/$vm/state.json.new"
	ctl --json "$vm" forget install_once
	is "$status" 0
	is "$(of .ok)" true
	is "$(jq -cS . "state/$vm/state.json")" '{"mine":1}'
	refused 1 'install_once has no saved state' "$vm" forget install_once
	raw '{"id":1,"cmd":"forget"}
{"id":2,"cmd":"forget","hook":5}
' >said
	is "$(jq -r .error said)" 'forget: "hook" is missing
hook: expected a string, got an integer'
	kill -TERM "$pid"
	ends 0
	grep -qE '^vmrun: left.nil.1$' err
}

# The lock prevents two writers even when the socket does not answer.
@test "forget: a vmrun that cannot be asked is left alone" {
	unchecked+=(--state-dir "$PWD/state")
	state '{"install_once": {"done": true}}'
	up
	ctl "$vm" status # the socket has been looked at since the boot
	rm "$run_dir/$vm/control"
	refused 1 "already running as pid $pid" --state-dir "$PWD/state" "$vm" forget install_once
	is "$(jq -c . "state/$vm/state.json")" '{"install_once":{"done":true}}'
	kill -TERM "$pid"
	ends 0
}

@test "reload: the spec holds from the next boot, a bad one not at all" {
	up
	spec '{"cpu": 3}'
	ctl "$vm" reload
	is "$status" 0
	has 'read the spec again' said
	echo '{ "cpuu": 1 }' >vm.json
	refused 1 'did you mean "cpu"?' "$vm" reload
	ctl "$vm" reboot
	await_file up2
	has cpus=3 starts
	ctl "$vm" stop
	ends 0
}

@test "reload: a spec without the target that runs is refused, and the old one boots" {
	spec '{"targets": {"work": {}}}'
	script 'acpi on ready up wait exit 0' 'acpi on ready up2 wait exit 1'
	start -t work vm.json
	await_file up
	spec
	refused 1 'unknown target "work" in the new spec, but this is the target of the present boot' "$vm" reload
	await_text 'unknown target "work" in the new spec'
	ctl "$vm" reboot
	await_file up2
	ctl "$vm" stop
	ends 0
}

@test "reload: a hook that names a target of the old spec alone fails, and the policy decides" {
	lua 'vm.targets = { work = { } }
		function vm.on_exit() return "work" end'
	script 'acpi on ready up waitfile go exit 0' 'exit 1'
	start vm.lua
	await_file up
	lua ''
	ctl "$vm" reload
	touch go
	ends 0
	has 'on_exit of vm.lua failed, the next hook or the declared policy decides: unknown target "work" (known: default)'
	has 'next boot: target default (default)'
	is "$(starts)" 2
}

# hears FILE: succeeds once the client that writes the file is connected, by a reload that it hears of
hears() {
	ctl "$vm" reload
	has reloaded "$1"
}

@test "events: from the beginning, from now on, until the end" {
	up
	"$VMRUNCTL" -r "$run_dir" "$vm" events --from 1 --json >all 3>&- &
	local from_start=$!
	"$VMRUNCTL" -r "$run_dir" "$vm" events >human 3>&- &
	local from_now=$!
	await_text '"event":"spawned"' all
	await hears human
	ctl "$vm" next a
	ctl "$vm" reboot
	await_text 'spawned       target a' human
	ctl "$vm" stop
	wait "$from_start" "$from_now" "$pid"
	is "$(jq -s '[.[].seq] == [range(1; length + 1)]' all)" true
	is "$(jq -r .event all | grep -v -e policy -e reloaded | tr '\n' ' ')" \
		"starting spawned stopping exit cleaned decided starting spawned stopping exit cleaned decided ended "
	lacks 'target default, pid' human
	has 'ended_by acpi' human
	is "$(tail -n 1 human | cut -c 27-)" 'ended         cause stopped, exit_status 0'
}

@test "the socket's events are those of --events" {
	script 'err oops acpi on ready up wait exit 1'
	start --events mine vm.json
	await_file up
	"$VMRUNCTL" -r "$run_dir" "$vm" events --from 1 --json >all 3>&- &
	local from_start=$!
	await_text oops all
	ctl "$vm" stop
	wait "$from_start" "$pid"
	cmp all mine
}

@test "wait: for a state, for the end, not for ever" {
	up
	ctl "$vm" wait
	is "$status" 0
	[ ! -s said ]
	refused 1 'not gone within 0.1 s: it is running' "$vm" wait --gone --timeout 0.1
	refused 1 'not backoff within 0 s: it is running' "$vm" wait --state backoff --timeout 0
	refused 1 'unknown state "runing", did you mean "running"?' "$vm" wait --state runing
	"$VMRUNCTL" -r "$run_dir" "$vm" wait --gone 3>&- &
	local waiter=$!
	ctl "$vm" stop
	wait "$waiter"
	ctl "$vm" wait --gone
	is "$status" 0
	ctl "$vm" wait --gone --json
	is "$(cat said)" '{"ok":true}'
}

# deny: root, too, is denied what it has no capability for
deny() {
	[ "$(id -u)" -eq 0 ] || return 0
	command -v setpriv >/dev/null || skip 'root is denied nothing without setpriv(1)'
	local none=-dac_override,-dac_read_search
	printf '#!/bin/sh\nexec setpriv --bounding-set=%s --inh-caps=%s %q "$@"\n' $none $none "$VMRUNCTL" >denied
	chmod +x denied
	VMRUNCTL=$PWD/denied
}

@test "wait --gone: a hypervisor that outlives a killed vmrun is not gone" {
	script 'acpi on ready up wait waitfile go exit 1'
	spec
	start vm.json
	await_file up
	await_text 'runs under' # its pid is noted
	kill -KILL "$pid"
	await is_gone "$pid"
	refused 1 "not gone within 0.1 s: its vmrun is, but the hypervisor still runs as pid $(cat up)" \
		"$vm" wait --gone --timeout 0.1
	"$VMRUNCTL" -r "$run_dir" "$vm" wait --gone 3>&- &
	local waiter=$!
	touch go
	wait "$waiter"
}

@test "wait --gone: a vmrun whose socket was deleted is not gone" {
	script 'acpi on ready up wait exit 1'
	spec
	start vm.json
	await_file up
	rm "$run_dir/$vm/control"
	refused 1 "not gone within 0.1 s: its control socket does not work, but vmrun runs as pid $pid" \
		"$vm" wait --gone --timeout 0.1
	refused 69 "$vm: $run_dir/$vm/control does not exist, but process $pid supervises the VM: it starts, ends, or" "$vm" status
	"$VMRUNCTL" -r "$run_dir" "$vm" wait --gone 3>&- &
	local waiter=$!
	kill -TERM "$pid"
	wait "$waiter"
	await is_gone "$pid" # it has no lock any more, and exits
	ends 0
	ctl "${stated[@]}" "$vm" status
	has 'state      ended' said
}

@test "status and why: a hypervisor that outlives a killed vmrun has not ended" {
	local left="not running: no process listens at $run_dir/$vm/control; the hypervisor of a vmrun that died still runs as pid"
	script 'exit 0' 'acpi on ready up wait waitfile go exit 1'
	spec
	start vm.json
	await_file up
	await_text 'runs under' # its pid is noted
	ctl "${stated[@]}" "$vm" why
	lacks 'still runs' said
	kill -KILL "$pid"
	await is_gone "$pid"
	refused 69 "$vm: $left $(cat up): stop it from inside the guest or with kill $(cat up), or start" "${stated[@]}" "$vm" status
	ctl "${stated[@]}" "$vm" why
	is "$status" 0
	has "$left $(cat up)" said
	ctl "${stated[@]}" --json "$vm" why
	is "$(of .state)" dead
	of .advice | grep -q "^$left $(cat up)"
	touch go
	ctl "$vm" wait --gone
	is "$status" 0
	ctl "${stated[@]}" "$vm" status
	is "$status" 69
	has 'state      ended' said
	ctl "${stated[@]}" --json "$vm" why
	is "$(of .state)" ended
}

@test "wait --gone: what cannot be reached is not gone" {
	local long
	long=$(printf '/long%.0s' {1..40})
	refused 71 "cannot connect to $run_dir$long/$vm/control: File name too long" -r "$run_dir$long" "$vm" wait --gone
	[ -d "$run_dir" ] || mkdir -m 700 "$run_dir"
	mkdir -m 700 "$run_dir/$vm"
	chmod 0 "$run_dir/$vm"
	deny
	refused 77 "$run_dir/$vm/control: Permission denied" "$vm" wait --gone
	chmod 700 "$run_dir/$vm"
	ctl "$vm" wait --gone
	is "$status" 0
}

@test "permission denied is 77, and a state of list" {
	run_dir=$PWD/own
	mkdir -m 700 own own/mine own/other
	spec '{"name": "mine"}'
	script 'acpi on ready up wait exit 1'
	"$VMRUN" "${unchecked[@]}" --run-dir own vm.json >out 2>err 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	vm=mine
	ctl "$vm" status
	is "$status" 0
	chmod 0 own/other
	[ "$(id -u)" -ne 0 ] || chown 65534 own/mine/control
	chmod 0 own/mine/control
	local ours=$VMRUNCTL command
	deny
	for command in status stop 'reboot a' events 'wait --timeout 30' console; do
		# shellcheck disable=SC2086 # two words
		refused 77 'own/mine/control: Permission denied' "$vm" $command
	done
	ctl list
	is "$status" 0
	is "$(awk '{ print $1, $2 }' said | paste -sd, -)" 'NAME STATE,mine denied,other denied'
	VMRUNCTL=$ours
	chmod 700 own/other
	kill -TERM "$pid"
	ends 0
}

@test "reboot of a VM that waits: it boots at once" {
	spec '{"on": {"error": {"boot": "default", "delay": 3600}}, "targets": {"a": {}}}'
	script 'exit 5' 'acpi on ready up wait exit 1'
	start vm.json
	ctl "$vm" wait --state backoff --timeout 30
	ctl "$vm" reboot a --wait
	is "$status" 0
	is "$(cat said)" "$vm: booting target a
$vm: running"
	ctl "$vm" stop
	ends 0
}

@test "NAME COMMAND and COMMAND NAME" {
	up
	ctl status "$vm"
	is "$status" 0
	has 'state      running' said
	ctl next "$vm" a
	is "$(cat said)" "$vm: next boot: target a"
	ctl next "$vm" b --json
	is "$status" 0
	# Where the second word is a command, the first is the name.
	refused 69 'stop: not running' stop status
	refused 69 'status: not running' status status
	refused 64 'unknown command "x"' x x
	ctl stop "$vm"
	is "$status" 0
	ends 0
}

@test "reboot --wait waits until the next boot runs" {
	script 'acpi on ready up wait exit 1' 'acpi on ready up2 wait exit 1' 'ready up3 hang'
	start vm.json
	await_file up
	ctl "$vm" reboot a --wait
	is "$status" 0
	is "$(tail -n 1 said)" "$vm: running"
	ctl "$vm" status --json
	is "$(of '[.state, .target, .boots] | @json')" '["running","a",2]'
	await_file up2
	ctl "$vm" reboot --wait --timeout 60
	await_file up3
	ctl "$vm" reboot --wait --timeout 0.1 # this guest does not heed the power button
	is "$status" 1
	has 'not running within 0.1 s: it is stopping' wrong
	ctl "$vm" kill
	ends 0
}

# shows TEXT: waits until the terminal has shown the text
shows() {
	await grep -qaF -e "$1" screen
}

# counts_down N FORM: waits until the terminal has shown N different texts of this form: a busy host may
# skip one of the seconds
counts_down() {
	await eval "[ \"\$(grep -aoE '$2' screen | sort -u | wc -l)\" -ge $1 ]"
}

@test "stop at a terminal: the step and the time left, ^C takes the next step" {
	script 'ready up hang'
	start vm.json
	await_file up
	mkfifo keys
	TERM=xterm "$PTY" sh -c 'exec "$@" 2>&1' sh "$VMRUNCTL" -r "$run_dir" "$vm" stop <keys >screen 2>notes 3>&- &
	local stopper=$!
	pids+=("$stopper")
	exec 7>keys
	counts_down 2 "$vm: stopping: acpi [456][0-9] s; \^C: next step"
	printf '\003' >&7
	counts_down 1 "$vm: stopping: poweroff (10|[0-9]) s; \^C: next step"
	is_gone "$stopper" && return 1
	printf '\003' >&7
	shows "$vm: stopped: vmrun killed the hypervisor"
	exec 7>&-
	wait "$stopper"
	ends 0
}

@test "stop at a terminal: a long name leaves room for the way to the next step" {
	local name
	name=$vm-$(printf "n%.0s" {1..50})
	vm=${name:0:50}
	spec
	script 'ready up hang'
	start vm.json
	await_file up
	mkfifo keys
	TERM=xterm "$PTY" sh -c 'exec "$@" 2>&1' sh "$VMRUNCTL" -r "$run_dir" "$vm" stop <keys >screen 2>notes 3>&- &
	pids+=("$!")
	exec 7>keys
	counts_down 1 "\.\.\.: stopping: acpi [456][0-9] s; \^C: next step"
	is "$(grep -ao "${vm:0:10}[^^]*; ^C: next step" screen | head -n 1 | wc -c)" 80 # and the line's end
	exec 7>&-
	ctl "$vm" kill
	ends 0
}

# serves N [ANSWER]: answers N requests, then closes the connection of the next; pid is its pid
serves() {
	[ -d "$run_dir" ] || mkdir -m 700 "$run_dir"
	[ -d "$run_dir/$vm" ] || mkdir -m 700 "$run_dir/$vm"
	python3 - "$run_dir/$vm/control" "$1" "${2:-"{\"ok\":true}"}" <<-'END' 3>&- &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen()
		open("serves", "w")
		peer = s.accept()[0]
		os.unlink(sys.argv[1])
		requests = peer.makefile()
		for _ in range(int(sys.argv[2])):
		    requests.readline()
		    peer.sendall(sys.argv[3].encode() + b"\n")
		requests.readline()
	END
	pid=$!
	pids+=("$pid")
	await_file serves
}

@test "wait --gone: a vmrun that ends before it reads the request is gone" {
	local answers
	for answers in 0 1; do
		rm -f serves
		serves $answers
		ctl "$vm" wait --gone --json
		is "$status" 0
		is "$(cat said)" '{"ok":true}'
		ends 0
	done
	rm serves
	serves 1
	refused 69 'vmrun closed the connection' "$vm" wait
	ends 0
}

@test "wait --ready: a guest whose spec has no ready is ready when it runs; 1 when it ends before" {
	script 'exit 5' 'acpi on ready up wait exit 1'
	spec '{"on": {"error": {"boot": "default", "delay": 3600}}}'
	start vm.json
	ctl "$vm" wait --state backoff --timeout 30
	refused 1 'not ready within 0.1 s: it is backoff' "$vm" wait --ready --timeout 0.1
	"$VMRUNCTL" -r "$run_dir" "$vm" wait --ready >said2 2>wrong2 3>&- &
	local waiter=$!
	ctl "$vm" reboot
	is "$status" 0
	wait "$waiter"
	await_file up
	ctl "$vm" wait --ready --json
	is "$(cat said)" '{"ok":true}'
	ctl "$vm" stop
	ends 0
	rm up
	rm starts # fakebhyve takes the line of the script by it
	script 'exit 5'
	start vm.json
	ctl "$vm" wait --state backoff --timeout 30
	status=0
	python3 - "$run_dir/$vm/control" "$VMRUNCTL" "$run_dir" "$vm" <<-'END' 3>&- || status=$?
		import json, socket, subprocess, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		answers = s.makefile()
		s.sendall(b'{"id":1,"cmd":"wait","ready":true}\n{"id":2,"cmd":"status"}\n')
		assert json.loads(answers.readline())["id"] == 2
		subprocess.check_call([sys.argv[2], "-r", sys.argv[3], sys.argv[4], "stop"], stdout=subprocess.DEVNULL)
		assert json.loads(answers.readline()) == {"id": 1, "ok": False,
		    "error": "the VM ended before its guest was ready, last exit: stopped"}
	END
	is "$status" 0
	ends 0
}

@test "wait --timeout also waits for a vmrun that is not there yet" {
	"$VMRUNCTL" -r "$run_dir" "$vm" wait --timeout 30 3>&- &
	local waiter=$!
	up
	wait "$waiter"
	ctl "$vm" stop
	refused 69 'not running' "$vm" wait --timeout 0.2
}

@test "not running: status 69, for people and for programs" {
	refused 69 "$vm: not running: $run_dir/$vm/control does not exist" "$vm" status
	ctl "$vm" stop --json
	is "$status" 69
	is "$(of '[.ok, .error] | tostring')" "[false,\"not running: $run_dir/$vm/control does not exist\"]"
	up
	kill -KILL "$pid"
	await is_gone "$pid"
	refused 69 "not running: no process listens at $run_dir/$vm/control" "$vm" stop
	refused 69 'not running' "$vm" console
	refused 69 'not running' "$vm" events
	refused 69 'not running' "$vm" wait-for x
}

@test "a vmrun that hangs: status 69 after a while" {
	up
	kill -STOP "$pid"
	"$VMRUNCTL" -r "$run_dir" list >table 3>&- &
	local lister=$!
	refused 69 'vmrun does not answer' "$vm" stop
	wait "$lister"
	kill -CONT "$pid"
	grep -q "^$vm *silent" table
	ctl "$vm" stop
	ends 0
}

@test "list: those that run, and what a dead one left" {
	local other=other-$vm
	run_dir=$PWD/own
	mkdir -m 700 own
	ctl list
	is "$status" 0
	is "$(cat said)" "no VMs"
	ctl list --json
	is "$(cat said)" '[]'
	ctl -r own/missing list --json
	is "$(cat said)" '[]'
	: >file
	refused 71 'file: Not a directory' -r file list
	script 'acpi on ready up wait exit 1'
	"$VMRUN" "${unchecked[@]}" --run-dir own vm.json >out 2>err 3>&- &
	pids+=("$!")
	await_file up
	script 'ready dead hang'
	spec "{\"name\": \"$other\"}" other.json
	"$VMRUN" "${unchecked[@]}" --run-dir own other.json >out2 2>err2 3>&- &
	local dead=$!
	await_file dead
	kill -KILL "$dead"
	await is_gone "$dead"
	mkdir own/nothing
	ctl list
	is "$(awk '{ print $1, $2, $3, $4, $5 }' said)" "NAME STATE TARGET PID BOOTS
$other dead - - -
$vm running default $(cat up) 1"
	ctl --json list
	is "$(of '[.[] | [.vm, .state]] | tostring')" "[[\"$other\",\"dead\"],[\"$vm\",\"running\"]]"
	ctl "$vm" stop
	is "$status" 0
}

@test "list: a run directory that cannot be read is an error, not an empty one" {
	ln -s loop loop
	refused 71 'vmrunctl: loop: Too many levels of symbolic links' -r loop list
	ctl -r loop list --json
	is "$status" 71
	is "$(of '[.ok, .error] | tostring')" '[false,"loop: Too many levels of symbolic links"]'
	mkdir -m 0 closed
	deny
	refused 77 'vmrunctl: closed: Permission denied' -r closed list
}

@test "a closed stdout is an error, and no socket takes its place" {
	up
	local command
	for command in 'list' "$vm status" "$vm events --from 1" "$vm wait --json"; do
		status=0
		# shellcheck disable=SC2086 # two words
		timeout -k 5 60 "$VMRUNCTL" -r "$run_dir" $command >&- 2>wrong </dev/null 3>&- || status=$?
		is "$status" 71
		has 'vmrunctl: cannot write to stdout' wrong
	done
	ctl "$vm" stop
	ends 0
}

@test "what a spec, a script or a vmrun says does not steer the terminal" {
	lua 'function vm.on_started() print("a\27[2Jb") end'
	script 'acpi on ready up wait exit 1'
	start vm.lua
	await_file up
	"$VMRUNCTL" -r "$run_dir" "$vm" events --from 1 >human 3>&- &
	local reader=$!
	pids+=("$reader")
	await_text 'text a [2Jb' human # before it is stopped: one that ends answers no more
	ctl "$vm" stop
	ends 0
	wait "$reader"
	serves 1 '{"ok":true,"target":"c\u001b[2Jd"}'
	ctl "$vm" status
	has 'c [2Jd' said
	ends 0
	lacks $'\033' human
	lacks $'\033' said
	rm up
	spec
	up
	printf '{"a\\u001b[2Jb": 1}' >vm.json
	refused 1 'a?[2Jb' "$vm" reload
	lacks $'\033' wrong
	ctl "$vm" stop
	ends 0
}

@test "two VMs do not hear each other" {
	local other=other-$vm
	up
	script 'acpi on ready other wait exit 1'
	spec "{\"name\": \"$other\"}" other.json
	"$VMRUN" "${unchecked[@]}" --run-dir "$run_dir" other.json >out2 2>err2 3>&- &
	local second=$!
	pids+=("$second")
	await_file other
	ctl "$other" stop
	is "$status" 0
	wait "$second"
	ctl "$vm" status --json
	is "$(of .state)" running
	ctl "$vm" stop
	ends 0
}

@test "wrong command lines: status 64, with what was meant" {
	refused 64 'missing VM name and command, or list or metrics'
	refused 64 "missing command after \"$vm\"" "$vm"
	refused 64 'missing VM name after "stop"' stop
	refused 64 'invalid VM name "a/b"' status a/b
	refused 64 'reboot: --timeout needs --wait' "$vm" reboot --timeout 5
	refused 64 'unknown command "staus", did you mean "status"?' "$vm" staus
	refused 64 'unknown command "x"' "$vm" x
	refused 64 'list takes no VM name' "$vm" list
	refused 64 'list takes no VM name' list "$vm"
	refused 69 'list: not running' list status
	refused 64 'unknown command "stpo", did you mean "stop"?' stpo "$vm"
	refused 64 'invalid VM name "a/b": expected letters, digits' a/b status
	refused 64 'next needs TARGET' "$vm" next
	refused 64 'wait-for needs TEXT' "$vm" wait-for
	refused 64 'status: unexpected argument "x"' "$vm" status x
	refused 64 'reboot: unexpected argument "y"' "$vm" reboot x y
	refused 64 'unknown option --tiemout, did you mean --timeout?' "$vm" wait --tiemout 1
	refused 64 'status takes no --no-wait' "$vm" status --no-wait
	refused 64 'list takes no --gone' list --gone
	refused 64 'invalid --timeout' "$vm" wait --timeout 1e3
	refused 64 'invalid --timeout' "$vm" wait --timeout -1
	refused 64 'invalid --timeout' "$vm" wait --timeout .
	refused 64 'invalid --from "x": expected a whole number' "$vm" events --from x
	refused 64 '--gone and --state are mutually exclusive' "$vm" wait --gone --state running
	refused 64 '--ready and --state are mutually exclusive' "$vm" wait --ready --state running
	refused 64 '--ready and --gone are mutually exclusive' "$vm" wait --ready --gone
	refused 64 'status takes no --ready' "$vm" status --ready
	refused 64 'console takes no --json' "$vm" console --json
	refused 64 '--run-dir needs DIR' status -r
	refused 64 '--run-dir needs DIR, got ""' status "$vm" -r ''
	refused 64 '--state-dir needs DIR, got ""' --state-dir= "$vm" status
	refused 64 '--state needs STATE, got ""' "$vm" wait --state ''
	refused 64 '--timeout needs S, got ""' "$vm" wait --timeout ''
	ctl -h
	is "$status" 0
	has 'wait-for TEXT' said
	ctl -V
	has 'vmrunctl ' said
}

@test "limits of a name, of --timeout and of an error message" {
	local name hook around
	name=$(printf 'n%.0s' {1..64})
	refused 69 'not running' "$name" status
	refused 64 "invalid VM name \"${name}n\": expected letters, digits, '.', '_' and '-', the first a letter or digit, at most 64 of them" "${name}n" status
	ctl "$vm" wait --gone --timeout 1000000000
	is "$status" 0
	refused 64 'invalid --timeout' "$vm" wait --gone --timeout 1000000001
	# A message has at most 8191 bytes; the name of the hook is part of this one.
	ctl "$vm" forget x --json
	around=$(($(of '.error | length') - 1))
	hook=$(head -c $((8191 - around)) /dev/zero | tr '\0' x)
	ctl "$vm" forget "$hook" --json
	is "$(of '.error | length')" 8191
	is "$(of '.error[-8:]')" 'HOOK:ID)'
	ctl "$vm" forget "${hook}x" --json
	is "$(of '.error | length')" 8191
	is "$(of '.error[-8:]')" ' HOOK:ID'
}

# answer_status: starts a server for the control sockets of all VMs, which are links to one socket
answer_status() {
	python3 - "$1" 3>&- <<-'END' &
		import os, select, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(1024)
		def answer(client):
		    try: # a client whose time is up, on a busy host, closes without the answer
		        if not client.recv(65536):
		            return False
		        client.sendall(b'{"ok":true,"state":"running"}\n')
		        return True
		    except OSError:
		        return False
		open("listening", "w").close()
		waiting = [s]
		while True:
		    for ready in select.select(waiting, [], [])[0]:
		        if ready is s:
		            waiting.append(s.accept()[0])
		        elif not answer(ready):
		            ready.close()
		            waiting.remove(ready)
	END
	server=$!
	pids+=("$server")
	await_file listening
}

# all_run COUNT: succeeds if list shows that many VMs that run.  The limit of descriptors allows stdin,
# stdout, stderr and 128 connections; those of bats are closed.
all_run() {
	python3 - "$VMRUNCTL" -r "$run_dir" list >said 2>wrong <<-'END'
		import os, resource, sys
		os.closerange(3, 1024)
		os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0)
		resource.setrlimit(resource.RLIMIT_NOFILE, (131, 131))
		os.execv(sys.argv[1], sys.argv[1:])
	END
	[ "$(grep -c ' running ' said)" -eq "$1" ]
}

@test "list has at most 128 connections at a time" {
	local i count
	run_dir=$PWD/many
	mkdir "$run_dir"
	answer_status sock
	for count in 128 129; do
		for ((i = 1; i <= count; i++)); do
			mkdir -p "$run_dir/v$i"
			ln -sfn ../../sock "$run_dir/v$i/control"
		done
		await all_run "$count" # a busy host may need another try
	done
	kill "$server"
	wait "$server" || :
}

@test "a run-dir whose sockets would be too long is refused, with the length" {
	local long
	long=$PWD/$(printf 'd%.0s' {1..100})
	mkdir -m 700 "$long"
	status=0
	"$VMRUN" "${unchecked[@]}" --run-dir "$long" vm.json >out 2>err 3>&- || status=$?
	is "$status" 71
	has "has at most 103 bytes, this one $((${#long} + ${#vm} + 9))"
	is "$(starts)" ''
	[ ! -e "$long/$vm" ]
	run_dir=$long
	refused 71 'File name too long' "$vm" status
}

@test "a stale socket is replaced, a file is not" {
	mkdir -p "$run_dir/$vm"
	chmod 700 "$run_dir" "$run_dir/$vm"
	echo mine >"$run_dir/$vm/control"
	vmrun vm.json
	is "$status" 71
	has 'control: not a socket: move it away'
	is "$(starts)" ''
	rm -rf "${run_dir:?}/$vm"
	script 'ready first hang'
	start vm.json
	await_file first
	kill -KILL "$pid"
	await is_gone "$pid"
	end_fakes
	[ -S "$run_dir/$vm/control" ]
	up
	ctl "$vm" stop
	is "$status" 0
}

@test "requests by hand: ids come back, what is wrong is told" {
	up
	raw '{"id":1,"cmd":"next","target":"a"}
{"id":"two","cmd":"next","target":7}
{"id":2.50,"cmd":"nxt"}
{"cmd":"next"}
{"cmd":"stop","wiat":true}
{"id":[1],"cmd":"status"}
{"cmd":"wait-for","text":"","timeout":1}
{"cmd":"wait-for","text":"x","timeout":-1}
{"cmd":"wait","gone":true,"state":"running"}
{"cmd":"events","from":1.5}
{"id":3,"cmd":"status",}
{"cmd":"status","cmd":"stop"}
[]
7

' >answers
	cat >wanted <<-'END'
		{"id":1,"ok":true}
		{"id":"two","ok":false,"error":"target: expected a string, got an integer"}
		{"id":2.50,"ok":false,"error":"unknown command \"nxt\", did you mean \"next\"?"}
		{"ok":false,"error":"next: \"target\" is missing"}
		{"ok":false,"error":"stop: unknown member \"wiat\", did you mean \"wait\"?"}
		{"ok":false,"error":"id: expected a number or a string, of at most 256 bytes"}
		{"ok":false,"error":"text: expected 1 to 4096 bytes, got 0"}
		{"ok":false,"error":"timeout: expected 0 to 1000000000 seconds, got -1"}
		{"ok":false,"error":"wait: expected one of \"state\", a string, \"gone\": true and \"ready\": true"}
		{"ok":false,"error":"from: expected a whole number, got a number that is not an integer"}
		{"ok":false,"error":"not JSON: column 24: expected a key in quotes"}
		{"ok":false,"error":"not JSON: column 17: duplicate key"}
		{"ok":false,"error":"expected an object, {\"cmd\":...}, got a list"}
		{"ok":false,"error":"expected an object, {\"cmd\":...}, got an integer"}
		{"ok":false,"error":"not JSON: column 1: the text is empty"}
	END
	diff wanted answers
	ctl "$vm" stop
	ends 0
}

@test "another user is refused, root is not" {
	[ "$(id -u)" = 0 ] || skip 'only root can be another user'
	command -v setpriv >/dev/null || skip 'no setpriv'
	up
	chmod 755 "$run_dir" "$run_dir/$vm"
	chmod 666 "$run_dir/$vm/control"
	local top=$run_dir
	while [ "$top" != / ]; do
		[ -n "$(find "$top" -maxdepth 0 -perm -005)" ] || chmod o+rx "$top"
		top=$(dirname "$top")
	done
	install -m 755 "$VMRUNCTL" "$run_dir/vmrunctl"
	local words
	for words in "$vm stop --no-wait" "$vm stop" "$vm status" "$vm console" "$vm wait --gone" \
		"$vm wait --timeout 5"; do
		status=0
		# shellcheck disable=SC2086 # several words
		setpriv --reuid 65534 --regid 65534 --clear-groups "$run_dir/vmrunctl" -r "$run_dir" \
			$words >said 2>wrong 3>&- </dev/null || status=$?
		is "$words: $status" "$words: 77"
		has 'permission denied: only root and the user of this vmrun can send requests' wrong
	done
	setpriv --reuid 65534 --regid 65534 --clear-groups "$run_dir/vmrunctl" -r "$run_dir" \
		list --json >said 3>&-
	is "$(jq -r --arg vm "$vm" '.[] | select(.vm == $vm).state' said)" denied
	rm "$run_dir/vmrunctl"
	ctl "$vm" status --json
	is "$(of .state)" running
	ctl "$vm" stop
	ends 0
}
