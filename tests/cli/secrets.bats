#!/usr/bin/env bats
# vmrun passes a password to the hypervisor, and writes it nowhere that other users can read.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	mkdir -m 700 run keep
}

teardown() {
	common_teardown
}

# silent WHERE: checks that the password is not in its stdin
silent() {
	! grep -aq -e sesame -e open-it - || { echo "the password is in $1" >&2 && return 1; }
}

# Checks all that other users can see of a run, except the one file that only its owner may read.
everywhere_silent() {
	local one file
	for one in "$pid" $(fake_pids); do
		for file in cmdline environ comm; do
			[ ! -r "/proc/$one/$file" ] || silent "/proc/$one/$file" <"/proc/$one/$file"
		done
	done
	while read -r file; do
		silent "$file" <"$file"
	done < <(find run keep -type f ! -name secret)
	for file in out err events log starts; do
		[ ! -e "$file" ] || silent "$file" <"$file"
	done
}

@test "in no argv, environment, event, record, message or answer, of any process, at any time" {
	[ -d /proc/self ] || skip 'no /proc here'
	printf 'open-it\n' >password
	spec '{"graphic": {"port": "auto", "password": "sesame"}, "com1": "console",
		"console": {"log": "log"}, "targets": {"file": {"graphic": {"password": null, "password_file": "password"}}},
		"next_target": "file"}'
	cat >hook.lua <<-'END'
		return {
			on_started = function(boot) vmrun.state.boots = boot.boots vmrun.event(vmrun.merge({}, { up = true })) end,
			on_exit = function(exit) vmrun.exec { "sh", "-c", "cat /proc/$PPID/cmdline >seen" } end,
		}
	END
	script 'ready one waitfile go exit 0' 'ready two waitfile go2 exit 3'
	"$VMRUN" "${unchecked[@]}" --run-dir run --state-dir keep --events events --log-level debug \
		--hook ./hook.lua -p guest.pid -P own.pid vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file one
	await_text '"event":"spawned"' events
	is "$(stat -c %a "run/$vm/secret")" 600
	grep -q sesame "run/$vm/secret"
	everywhere_silent
	"$VMRUNCTL" -r run "$vm" status --json | silent status
	"$VMRUNCTL" -r run "$vm" events --from 1 --json >told 3>&- &
	local reader=$!
	pids+=("$reader")
	await_text '"up":true' told
	silent events <told
	touch go
	await_file two
	grep -q open-it "run/$vm/secret"
	everywhere_silent
	touch go2
	ends 3
	wait "$reader"
	has '"event":"ended"' told
	silent 'all events' <told
	everywhere_silent
	silent seen <seen
	[ ! -e "run/$vm" ]
}

@test "under qemu too: a secret is a file of ours, and gone at the end" {
	spec '{"graphic": {"port": "auto", "password": "sesame"}}'
	unset VMRUN_BHYVE
	vmrun -d --hypervisor qemu vm.json
	is "$status" 0
	silent out <out
	silent err <err
	has "secret,id=" out
}

@test "a password that is too long is quoted by no message, event or record" {
	spec '{"graphic": {"password": "sesame-open"}}'
	vmrun vm.json
	is "$status" 65
	has 'graphic.password: the value has 11 bytes, at most 8 are allowed'
	silent err <err
	spec '{"graphic": {"port": "auto"}}'
	vmrun --set graphic.password=sesame-open vm.json
	is "$status" 65
	silent err <err
	lua 'vm.graphic = { port = "auto" }
		function vm.on_prepare(spec, boot)
			if boot.boots == 1 then spec.graphic.password = "sesame-open" return spec end
		end'
	script 'exit 0'
	vmrun --state-dir keep --events events vm.lua
	is "$status" 69
	has 'the value has 11 bytes'
	pid=$$ everywhere_silent
}
