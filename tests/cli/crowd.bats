#!/usr/bin/env bats
# The control socket when all places of clients are taken, and when its file was deleted.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	run_dir=$BATS_RUN_TMPDIR/run
	spec '{"targets": {"a": {}}}'
}

teardown() {
	common_teardown
}

# ctl ARG...: runs vmrunctl and sets status; its stdout is in the file said, its stderr in wrong
ctl() {
	status=0
	timeout -k 5 60 "$VMRUNCTL" -r "$run_dir" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# fill N: connects N clients that stay; all but 16 get events, and each sends half of another request
fill() {
	cat >fill.py <<-'END'
		import resource, socket, sys, time
		path, count = sys.argv[1], int(sys.argv[2])
		most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
		resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
		clients = []
		for i in range(count):
		    s = socket.socket(socket.AF_UNIX)
		    s.settimeout(60)
		    s.connect(path)
		    if i < count - 16:
		        s.sendall(b'{"id":1,"cmd":"events"}\n')
		        assert s.recv(18) == b'{"id":1,"ok":true}', i
		    s.sendall(b'{"cmd":"' + b"x" * 30000)
		    clients.append(s)
		open("filled", "w").close()
		while True:
		    time.sleep(60)
	END
	python3 fill.py "$run_dir/$vm/control" "$1" >filler 2>&1 3>&- &
	pids+=("$!")
	await test -e filled
}

# crowd N: stops a VM whose vmrun may have N descriptors, while all places of clients are taken
crowd() {
	ulimit -Sn "$1"
	script 'acpi on ready up waitfile go exit 0' 'acpi on ready up2 wait exit 1'
	start vm.json
	await_file up
	fill $(($1 - 64))
	ctl "$vm" status --json
	is "$status" 0
	is "$(jq -r .state said)" running
	ctl "$vm" next a
	is "$status" 1
	has "too many clients: $(($1 - 80)) are connected; only status, stop and kill are answered now" wrong
	touch go
	await_file up2
	ctl "$vm" stop
	is "$status" 0
	has "$vm: stopped" said
	ends 0
	nothing_runs
}

# again HOW...: deletes the socket, and checks that vmrun creates it again after this command
again() {
	ctl "$vm" status # vmrun has checked the socket since the boot
	rm "$run_dir/$vm/control"
	ctl "$vm" status
	is "$status" 69
	"$@"
	"$VMRUNCTL" -r "$run_dir" "$vm" wait --timeout 60 >said
	ctl "$vm" status
	is "$status" 0
}

@test "a stop through 1024 clients, or as many as descriptors allow" {
	local most
	most=$(ulimit -Hn)
	if [ "$most" = unlimited ] || [ "$most" -gt 1088 ]; then
		most=1088
	fi
	crowd "$most"
}

@test "a stop through all clients that 120 descriptors leave" {
	crowd 120
}

@test "a deleted socket is created again at SIGHUP, at SIGUSR1 and with the next boot" {
	script 'acpi on ready up waitfile go exit 0' 'acpi on ready up2 wait exit 1'
	start vm.json
	await_file up
	"$VMRUNCTL" -r "$run_dir" "$vm" events --from 1 --json >heard 3>&- &
	local listener=$!
	await_text '"event":"spawned"' heard
	again kill -HUP "$pid"
	again kill -USR1 "$pid"
	again touch go
	await_file up2
	await eval '[ "$(grep -c "control was deleted: created it again" err)" = 3 ]'
	ctl "$vm" stop
	is "$status" 0
	wait "$listener"
	has '"event":"ended"' heard
	[ ! -e "$run_dir/$vm" ]
	ends 0
}

@test "a file in the place of the socket is not touched" {
	script 'acpi on ready up wait exit 1'
	start vm.json
	await_file up
	ctl "$vm" status # as in again()
	rm "$run_dir/$vm/control"
	echo mine >"$run_dir/$vm/control"
	kill -USR1 "$pid"
	await_text 'cannot create the control socket again'
	has 'control: not a socket: move it away'
	kill -TERM "$pid"
	ends 0
	is "$(cat "$run_dir/$vm/control")" mine
	rm -r "${run_dir:?}/$vm"
}
