#!/usr/bin/env bats
# From boot to boot, with fakebhyve: causes, policy, exit statuses, and that nothing is left behind.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
	if [ -e "/dev/vmm/$vm.keep" ]; then
		rm -f "/dev/vmm/$vm" "/dev/vmm/$vm.keep"
		rmdir /dev/vmm 2>/dev/null || :
	fi
}

# run_in_time SCRIPT-LINES ARG...: runs vm.json; again, if a busy host made a boot that does not sleep last
# a second or more: then a text on stderr is no start that failed
run_in_time() {
	local text=$1
	shift
	for _ in 1 2 3 4 5; do
		rm -f starts
		printf '%s\n' "$text" >script
		vmrun "$@" vm.json
		[[ $text != *sleep* ]] && grep -q ' after [1-9]' err || break
	done
}

# ended STATUS CAUSE SCRIPT-LINE [ARG...]: checks how a run with one boot ends
ended() {
	local wanted=$1 wanted_cause=$2
	shift 2
	run_in_time "$@"
	is "$status" "$wanted"
	is "$(cause)" "$wanted_cause"
	nothing_runs
}

@test "every end of bhyve has its cause and its status" {
	spec
	ended 0 reboot 'exit 0' --no-reboot
	ended 0 poweroff 'exit 1'
	ended 0 halt 'exit 2'
	ended 3 triple_fault 'exit 3'
	ended 4 error 'exit 4'
	ended 4 error 'exit 5'
	ended 4 start_failed 'exit 64'
	ended 4 error 'exit 71'
	ended 4 error 'exit 100'
	ended 137 killed 'signal 9'
	ended 134 killed 'signal 6'
	ended 143 killed 'signal 15'
	is "$(starts)" 1
}

@test "a start that fails: status 1, 4, 64 or 71 within a second, and text on stderr" {
	spec
	for status in 1 4 64 71; do
		ended 4 start_failed "err some_complaint exit $status"
		has 'some complaint'
	done
	# other exit statuses, and those of a guest that ran for a while, keep their meaning
	ended 4 error 'err some_complaint exit 5'
	ended 0 poweroff 'err some_complaint sleep 1100 exit 1'
	ended 4 error 'err some_complaint sleep 1100 exit 4'
	# a busy host: bhyve's own faults are known by their last line, whatever the time
	ended 4 start_failed 'sleep 1100 err bhyve:_gdb_socket_bind:_Address_already_in_use exit 1'
	has 'Address already in use'
	ended 0 poweroff 'sleep 1100 err vm_set_topology err the_guest_powers_off exit 1'
	ended 4 start_failed 'sleep 1100 exit 64'
	ended 0 halt 'err some_complaint exit 2'
}

@test "bhyve that refuses its command: told in its own words" {
	spec '{"extra_options": "-Q"}'
	vmrun vm.json
	is "$status" 4
	has 'start_failed'
	nothing_runs
}

@test "--exit-status guest: the hypervisor's own last status" {
	spec
	ended 0 reboot 'exit 0' --no-reboot --exit-status guest
	ended 1 poweroff 'exit 1' --exit-status guest
	ended 2 halt 'exit 2' --exit-status=guest
	ended 3 triple_fault 'exit 3' --exit-status guest
	ended 71 error 'exit 71' --exit-status guest
	ended 137 killed 'signal 9' --exit-status guest
}

@test "--exit-status guest: a boot that could not be prepared has no status of its own" {
	lua 'function vm.on_prepare(spec, boot) if boot.boots > 0 then return false end end'
	script 'exit 0'
	vmrun --exit-status guest vm.lua
	is "$status" 0
	has 'the boot could not be prepared'
}

@test "--exit-status guest: message, event, history and on_end say what vmrun exits with" {
	lua 'function vm.on_end(report) print("on_end: " .. report.exit_status) end'
	script 'exit 77'
	vmrun --state-dir "$PWD/keep" --exit-status guest --events events vm.lua
	is "$status" 77
	has 'ended with status 77: '
	has 'on_end: 77'
	is "$(jq -r 'select(.event == "ended").exit_status' events)" 77
	is "$(tail -n 1 "keep/$vm/history.jsonl" | jq .exit_status)" 77
	# what a hook says comes first
	lua 'function vm.on_exit(exit) return vmrun.stop(9) end'
	vmrun --exit-status guest vm.lua
	is "$status" 9
	has 'ended with status 9: '
}

@test "reboot boots again at once, every other end stops" {
	spec
	script 'exit 0' 'exit 0' 'exit 0' 'exit 1' 'exit 0'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 4
	is "$(cat script)" 'exit 0'
}

@test "targets that follow each other: merged from scratch, twenty times" {
	spec '{"next_target": "a", "emulations": [{"device": "virtio-blk", "path": "base"}], "targets": {
		"a": {"next_target": "b", "emulations": [{"device": "ahci-cd", "path": "a"}]},
		"b": {"next_target": "a", "emulations": [{"device": "ahci-hd", "path": "b"}]}}}'
	local i
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		echo 'exit 0'
	done >script
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 21
	is "$(devices_of 1)" '0:1:0,virtio-blk'
	for i in 2 4 8 20; do
		is "$(devices_of $i)" "0:1:0,virtio-blk
0:2:0,ahci-cd"
		is "$(devices_of $((i + 1)))" "0:1:0,virtio-blk
0:2:0,ahci-hd"
	done
	is "$(sed 1d starts | grep -c 'ahci-cd,.*/a"')" 10
	is "$(sed 1d starts | grep -c 'ahci-hd,.*/b"')" 10
	is "$(sed 1d starts | jq -c .argv | sort | uniq -c | wc -l)" 2
}

@test "a target that names itself, and a root that does" {
	spec '{"next_target": "a", "targets": {
		"a": {"emulations": [{"device": "ahci-cd", "path": "a"}]}}}'
	script 'exit 0' 'exit 0' 'exit 0' 'exit 1'
	vmrun -t a vm.json
	is "$status" 0
	is "$(starts)" 4
	is "$(jq -c .argv starts | sort -u | wc -l)" 1
}

@test "next_target, also back to default; without one the same target again" {
	spec '{"targets": {"install": {"next_target": "default", "mem": "128M"}, "same": {"mem": "256M"}}}'
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun -t install vm.json
	is "$(jq -r '.argv | .[index("-m") + 1]' starts | paste -sd' ' -)" '128M 64M 64M'
	rm starts
	script 'exit 0' 'exit 1'
	vmrun -t same vm.json
	is "$(jq -r '.argv | .[index("-m") + 1]' starts | paste -sd' ' -)" '256M 256M'
}

# boots N SCRIPT-LINES ARG...: checks the number of boots with these lines, which are separated by /
boots() {
	local wanted=$1 text=${2//\//$'\n'}
	shift 2
	run_in_time "$text" "$@"
	is "$(starts)" "$wanted"
}

@test "reboot_on in the spec, with causes and statuses; listed boots, others stop" {
	spec '{"reboot_on": ["triple_fault", 2, "killed", 4]}'
	boots 2 'exit 3/exit 1/exit 1'
	is "$status" 0
	boots 4 'exit 2/exit 2/exit 2/exit 0/exit 1' # reboot is not in the list
	is "$status" 0
	is "$(cause)" reboot
	boots 2 'signal 9/exit 1/exit 1'
	boots 2 'exit 4/exit 1/exit 1'
	# a number matches only the causes from reboot to error
	boots 1 'err text exit 4/exit 1'
	is "$status" 4
	spec '{"reboot_on": []}'
	boots 1 'exit 0/exit 1'
	is "$status" 0
	spec '{"reboot_on": ["start_failed"]}'
	boots 3 'err a exit 4/err b exit 64/exit 4/exit 0'
	is "$status" 4
	spec '{"reboot_on": ["poweroff"], "targets": {"t": {"reboot_on": ["halt"]}}}'
	boots 2 'exit 2/exit 1' -t t
	boots 1 'exit 2/exit 1'
	boots 2 'exit 1/exit 2'
}

@test "--reboot-on stands before reboot_on" {
	spec '{"reboot_on": ["triple_fault"]}'
	boots 2 'exit 2/exit 3/exit 1' --reboot-on halt
	is "$status" 3
	boots 3 'exit 0/exit 1/exit 2' --reboot-on=0,poweroff
	boots 3 'exit 0/exit 1/exit 2' --reboot-on 'reboot, 1'
	boots 1 'exit 0/exit 1' --reboot-on ''
	is "$status" 0
}

@test "--no-reboot and --reboot-count stand before every policy" {
	spec '{"reboot_on": ["poweroff", "reboot"]}'
	boots 1 'exit 0/exit 1' --no-reboot
	is "$status" 0
	has 'no further boot (--no-reboot)'
	boots 1 'exit 1/exit 1' --no-reboot
	boots 1 'exit 0/exit 1' --reboot-count 0
	boots 3 'exit 0/exit 1/exit 0/exit 1/exit 1' --reboot-count 2
	has '--reboot-count 2'
	boots 3 'exit 0/exit 0/exit 3/exit 1' --reboot-count=100
	is "$status" 3
	lua 'function vm.on_exit() return true end'
	rm starts
	script 'exit 0' 'exit 3' 'exit 0' 'exit 0'
	vmrun --reboot-count 1 vm.lua
	is "$status" 3
	is "$(starts)" 2
}

@test "--reboot-count also ends boots that fail before they start" {
	echo x >file
	spec '{"reboot_on": ["check_failed"],
		"emulations": [{"device": "virtio-console", "ports": ["file"]}]}'
	vmrun --reboot-count 3 vm.json
	is "$status" 69
	is "$(grep -c 'booting target' err)" 4
	is "$(starts)" ''
	rm file
	spec '{"reboot_on": ["start_failed"]}'
	vmrun --reboot-count 3 --bhyve ./nope vm.json
	is "$status" 127
	is "$(grep -c 'booting target' err)" 4
}

# --- pid files ---

@test "-p and -P: the pids, nothing else in the file, gone at the end" {
	spec
	script 'ready up waitfile go exit 0' 'ready up2 waitfile go2 exit 1'
	printf 1234567890123 >hyper.pid
	chmod 600 hyper.pid
	start -p hyper.pid -P vmrun.pid vm.json
	await_file up
	await_text 'runs under'
	is "$(cat vmrun.pid)" "$pid"
	is "$(cat hyper.pid)" "$(cat up)"
	is "$(wc -l <hyper.pid)" 1
	touch go
	await_file up2
	await grep -qx "$(cat up2)" hyper.pid
	is "$(cat vmrun.pid)" "$pid"
	touch go2
	ends 0
	[ ! -e hyper.pid ]
	[ ! -e vmrun.pid ]
}

@test "-p: no pid between two boots" {
	lua 'function vm.on_exit(exit)
		vmrun.exec { "/bin/sh", "-c", "cat hyper.pid >between." .. exit.boots }
	end'
	script 'exit 0' 'exit 1'
	vmrun -p hyper.pid vm.lua
	is "$status" 0
	is "$(cat between.1 between.2)" ''
}

@test "pid files are locked: a second vmrun ends with 75 and touches nothing" {
	spec
	script 'ready up waitfile go exit 1' 'exit 1'
	start -p hyper.pid -P vmrun.pid vm.json
	await_file up
	await_text 'runs under'
	local first=$pid one
	for one in '-P vmrun.pid' '-p hyper.pid'; do
		status=0
		# shellcheck disable=SC2086 # two words
		"$VMRUN" "${stated[@]}" $one vm.json >out2 2>err2 </dev/null || status=$?
		is "$status" 75
		has 'pid ' err2
	done
	has "$(cat up)" err2
	is "$(starts)" 1
	is "$(cat vmrun.pid)" "$first"
	touch go
	ends 0
	[ ! -e hyper.pid ]
	rm go
	vmrun -p hyper.pid -P vmrun.pid vm.json # the locks are gone with their holder
	is "$status" 0
}

@test "a pid file that cannot be written: 71, nothing started" {
	spec
	vmrun -p no/such/dir/pid vm.json
	is "$status" 71
	has 'no/such/dir/pid'
	vmrun -P . vm.json
	is "$status" 71
	touch target
	ln -s target link
	vmrun -p link vm.json
	is "$status" 71
	is "$(starts)" ''
	[ -L link ] && [ ! -s target ]
}

@test "pid files go when the start fails, too" {
	spec
	vmrun --bhyve ./nope -p hyper.pid -P vmrun.pid vm.json
	is "$status" 127
	[ ! -e hyper.pid ]
	[ ! -e vmrun.pid ]
	echo x >sock
	spec '{"emulations": [{"device": "virtio-console", "ports": ["sock"]}]}'
	vmrun -p hyper.pid -P vmrun.pid vm.json
	is "$status" 69
	[ ! -e hyper.pid ]
	[ ! -e vmrun.pid ]
}

# --- virtio-console sockets ---

@test "console sockets: there while it runs, gone between boots and at the end" {
	spec '{"emulations": [{"device": "virtio-console", "ports": {"org.a": "sock a", "b": "b"}}]}'
	script 'ready up waitfile go exit 0' 'ready up2 signal 9'
	start vm.json
	await_file up
	[ -S 'sock a' ] && [ -S b ]
	touch go
	ends 137
	[ -e up2 ] # bhyve does not take a path that is there: the first run's were removed
	[ ! -e 'sock a' ]
	[ ! -e b ]
}

@test "stale sockets are removed before the start" {
	spec '{"emulations": [{"device": "virtio-console", "ports": ["sock"]}]}'
	script 'ready up signal 9' 'ready up2 exit 1'
	"$FAKEBHYVE" -l bootrom,/rom -s "3,virtio-console,old=$PWD/sock" x </dev/null || :
	[ -S sock ]
	vmrun vm.json
	is "$status" 0
	[ -e up2 ]
	[ ! -e sock ]
}

@test "a live socket is refused, and stays; so is what is no socket" {
	spec '{"emulations": [{"device": "virtio-console", "ports": ["sock", "file"]}]}'
	script 'ready up waitfile go exit 1' 'exit 1'
	"$FAKEBHYVE" -l bootrom,/rom -s "3,virtio-console,old=$PWD/sock" x </dev/null 3>&- &
	pids+=($!)
	await_file up
	vmrun vm.json
	is "$status" 69
	has "$PWD/sock"
	[ -S sock ]
	is "$(starts)" 1
	touch go
	wait $!  || :
	echo precious >file
	vmrun vm.json
	is "$status" 69
	has "$PWD/file"
	is "$(cat file)" precious
	[ -S sock ] # nothing is touched until all is known to be ours
	is "$(starts)" 1
	rm file
	mkdir file
	vmrun vm.json
	is "$status" 69
	[ -d file ]
}

# --- processes ---

@test "no zombies, while it runs and after" {
	spec
	script 'exit 0' 'exit 0' 'exit 0' 'ready up waitfile go exit 1'
	start vm.json
	await_file up
	await_text 'runs under'
	is "$(ps --ppid "$pid" -o stat= | grep -c Z)" 0
	is "$(ps --ppid "$pid" -o pid= | tr -d ' ')" "$(cat up)"
	touch go
	ends 0
	nothing_runs
}

@test "when vmrun is killed, the hypervisor gets SIGTERM" {
	spec
	script 'acpi on ready up wait ready heeded exit 1'
	start vm.json
	await_file up
	kill -KILL "$pid"
	ends 137
	await_file heeded
	await nothing_runs
}

@test "killed with SIGKILL, it leaves nothing that stops the next start" {
	spec '{"emulations": [{"device": "virtio-console", "ports": ["sock"]}]}'
	script 'acpi on ready up wait exit 1' 'exit 1'
	start -p hyper.pid -P vmrun.pid vm.json
	await_file up
	kill -KILL "$pid"
	ends 137
	await nothing_runs
	[ -S sock ]
	vmrun -p hyper.pid -P vmrun.pid vm.json
	is "$status" 0
	[ ! -e sock ]
	[ ! -e hyper.pid ]
}

@test "nothing is inherited but 0, 1, 2 and the lock; signals are as a fresh process has them" {
	[ -d /proc/self/fd ] || skip 'no /proc/self/fd'
	printf '#!/bin/sh\nls -l /proc/self/fd >fds; cat /proc/self/status >status; exit 1\n' >bhyve
	chmod +x bhyve
	spec
	status=0
	(trap '' INT USR1 PIPE && exec "$VMRUN" "${stated[@]}" --bhyve ./bhyve vm.json 5<vm.json 9>spare) \
		>out 2>err </dev/null 3>&- || status=$?
	is "$status" 0
	# ls itself opens one for the directory
	is "$(grep -c -- '->' fds)" 5
	has "5 -> " fds
	has "/$vm/vm" fds
	lacks vm.json fds
	lacks spare fds
	is "$(awk '/^SigBlk|^SigIgn/ { print $2 }' status | sort -u)" 0000000000000000
}

@test "standard descriptors that are closed do no harm" {
	spec '{"com1": "stdio"}'
	script 'print hello exit 1'
	status=0
	"$VMRUN" "${stated[@]}" vm.json <&- 2>err || status=$?
	is "$status" 0
	rm starts
	script 'print hello exit 1'
	status=0
	"$VMRUN" "${stated[@]}" vm.json >&- 2>err </dev/null || status=$?
	is "$status" 0
	script 'print hello exit 1'
	status=0
	"$VMRUN" "${stated[@]}" vm.json >out 2>&- </dev/null || status=$?
	is "$status" 0
	is "$(cat out)" hello
}

@test "idle: nothing wakes it up" {
	[ -r /proc/self/status ] || skip 'no /proc'
	spec
	script 'ready up sleep 1000 ready later waitfile go exit 1'
	start vm.json
	await_text 'runs under'
	await_file up
	await grep -q '^State:.S' "/proc/$pid/status"
	local before after
	before=$(awk '/^voluntary/ { print $2 }' "/proc/$pid/status")
	await_file later
	after=$(awk '/^voluntary/ { print $2 }' "/proc/$pid/status")
	# the count may include one more switch when vmrun falls asleep
	[ $((after - before)) -le 2 ]
	touch go
	ends 0
}

# --- stderr of the hypervisor ---

@test "stderr is passed on line by line, stdout too when no port has it" {
	printf '#!/bin/sh\necho out; printf "one\\ntwo\\r\\n\\nhalf" >&2; exit 2\n' >bhyve
	chmod +x bhyve
	spec
	vmrun --bhyve ./bhyve vm.json
	is "$status" 0
	[ ! -s out ]
	for line in out one two '' half; do
		grep -qx "vmrun: $vm: bhyve: $line" err
	done
}

@test "control characters of the hypervisor do not reach the terminal" {
	printf '#!/bin/sh\nprintf "a\\033[2Jb\\007\\n" >&2; exit 2\n' >bhyve
	chmod +x bhyve
	spec
	vmrun --bhyve ./bhyve vm.json
	has 'a?[2Jb?'
	# shellcheck disable=SC1003
	lacks $'\033'
}

@test "a flood on stderr neither blocks nor grows" {
	cat >bhyve <<-'END'
		#!/bin/sh
		yes 'the quick brown fox jumps over the lazy dog' | head -c 20000000 >&2
		head -c 1000000 /dev/zero | tr '\0' x >&2
		echo >&2
		echo the end >&2
		: >flooded
		until [ -e go ]; do sleep 0.02; done
		exit 2
	END
	chmod +x bhyve
	spec
	start --bhyve ./bhyve vm.json
	await_file flooded
	await_text 'bhyve: the end'
	if ! grep -q asan "/proc/$pid/maps" 2>/dev/null && [ -r "/proc/$pid/status" ]; then
		[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")" -lt 32768 ]
	fi
	touch go
	ends 0
	is "$(grep -c 'lazy dog$' err)" "$((20000000 / 44))" # none is lost
}

@test "a signal is heeded in a flood" {
	printf '#!/bin/sh\nexec yes flood >&2\n' >bhyve
	chmod +x bhyve
	spec
	mkfifo pipe
	"$VMRUN" "${stated[@]}" --bhyve ./bhyve vm.json 2>pipe >out </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	exec 8<pipe
	head -n 1000 <&8 >first
	kill -TERM "$pid"
	tail -n 20 <&8 >err
	exec 8<&-
	ends 0
	has 'ended with status 0'
}

@test "a hypervisor that closes its stdout and stderr: nothing spins, its end is seen" {
	[ -d /proc/self ] || skip 'no /proc here'
	cat >bhyve <<-'END'
		#!/bin/sh
		exec >&- 2>&-
		mkfifo "$0.go"
		: >closed
		read -r _ <"$0.go"
		exit 3
	END
	chmod +x bhyve
	spec
	start --bhyve ./bhyve vm.json
	await_file closed
	await_text 'runs under'
	local before after
	before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	for _ in 1 2 3 4 5; do vmrun -d vm.json; done # something that takes a while
	after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	[ $((after - before)) -le 1 ]
	echo >bhyve.go
	ends 3
}

@test "a grandchild that keeps stderr open does not hold up the end" {
	cat >bhyve <<-'END'
		#!/bin/sh
		sleep 1000 &
		echo $! >grandchild
		echo said >&2
		exit 2
	END
	chmod +x bhyve
	spec
	vmrun --bhyve ./bhyve vm.json
	is "$status" 0
	has 'bhyve: said'
	kill -0 "$(cat grandchild)"
	kill "$(cat grandchild)"
}

# --- /dev/vmm ---

# Another entry keeps the directory while a parallel test removes its own entry.
make_entry() {
	mkdir -p /dev/vmm && touch "/dev/vmm/$vm.keep" && touch "/dev/vmm/$vm"
}

# Makes a bhyve that creates its entry, as the real one does, and a bhyvectl with that script.
vmm_host() {
	[ "$(uname)" = Linux ] || skip 'a real /dev/vmm cannot be written'
	[ "$(id -u)" -eq 0 ] || skip 'not root: cannot make /dev/vmm/NAME'
	mkdir bin
	printf '#!/bin/sh\necho "$*" >>calls\n%s\n' "$1" >bin/bhyvectl
	printf '#!/bin/sh\n: >/dev/vmm/%s\nexec "%s" "$@"\n' "$vm" "$FAKEBHYVE" >bin/bhyve
	chmod +x bin/bhyvectl bin/bhyve
	: >calls
	await make_entry
	rm "/dev/vmm/$vm"
	spec
	unset VMRUN_BHYVE
}

@test "entries of /dev/vmm are destroyed after each boot" {
	vmm_host 'rm "/dev/vmm/${1#--vm=}"'
	script 'exit 0' 'signal 9'
	PATH=$PWD/bin:$PATH vmrun --hypervisor bhyve vm.json
	is "$status" 137
	is "$(cat calls)" "--vm=$vm --destroy
--vm=$vm --destroy"
	lacks 'warning'
	[ ! -e "/dev/vmm/$vm" ]
}

@test "an entry of /dev/vmm before the first boot is somebody else's: 69, and it is left alone" {
	vmm_host 'rm "/dev/vmm/${1#--vm=}"'
	: >"/dev/vmm/$vm"
	# shellcheck disable=SC2034 # read by vmrun of common.bash
	unchecked=()
	PATH=$PWD/bin:$PATH vmrun --hypervisor bhyve vm.json
	is "$status" 69
	has 'a VM of this name exists'
	has "bhyvectl --vm=$vm --destroy"
	is "$(cat calls)" ''
	[ -e "/dev/vmm/$vm" ]
}

@test "a bhyvectl that is missing, fails or does nothing is a warning, not the end" {
	vmm_host 'exit 16'
	script 'exit 2'
	PATH=$PWD/bin:$PATH vmrun --hypervisor bhyve vm.json
	is "$status" 0
	has "warning: \`bhyvectl --vm=$vm --destroy\` ended with status 16"
	rm "/dev/vmm/$vm"
	rm bin/bhyvectl
	script 'exit 2'
	PATH=$PWD/bin:$PATH vmrun --hypervisor bhyve vm.json
	is "$status" 0
	has 'warning: bhyvectl'
}

@test "the kernel may take a moment to let a VM go" {
	vmm_host '(while [ ! -e go ]; do :; done; rm "/dev/vmm/${1#--vm=}") >/dev/null 2>&1 & : >go.soon'
	script 'exit 2'
	(await test -e go.soon && : >go) &
	PATH=$PWD/bin:$PATH vmrun --hypervisor bhyve vm.json
	wait $!
	is "$status" 0
	lacks 'warning'
	[ ! -e "/dev/vmm/$vm" ]
}

# --- pace ---

@test "too many boots in a short time: given up, status 10" {
	spec '{"restart_limit": {"count": 3, "within": 3600}, "backoff": false}'
	script 'exit 0' 'exit 0' 'exit 0' 'exit 0' 'exit 0' 'exit 0'
	vmrun vm.json
	is "$status" 10
	has 'restart_limit: 3 boots within 3600 s'
	is "$(grep -c 'runs under' err)" 4
}

@test "a boot after a fault waits, a reboot does not; a stop request cuts the wait short" {
	spec '{"reboot_on": ["reboot", "error"], "backoff": {"initial": 600}}'
	script 'exit 0' 'exit 4'
	start vm.json
	await_text 'next boot: target default in 1 min'
	is "$(grep -c 'next boot: target default (reboot_on)' err)" 1
	kill -TERM "$pid"
	ends 0
	has 'stopped on request'
}

@test "a hypervisor that is missing does not spin" {
	spec '{"reboot_on": ["start_failed"], "backoff": {"initial": 600}}'
	start --bhyve ./nope vm.json
	await_text 'in 1 min'
	kill -TERM "$pid"
	ends 0
	is "$(grep -c 'could not start' err)" 1
}

@test "a file that holds anything but a number is refused: 71, untouched, not quoted" {
	local option before
	spec
	echo hunter2 >key
	touch -t 200001010000 key
	before=$(stat -c %Y key)
	for option in -p -P; do
		vmrun $option key vm.json
		is "$status" 71
		has "vmrun: $PWD/key: not a pid file, left untouched: it contains something other than a number"
		lacks hunter2
	done
	is "$(cat key)" hunter2
	is "$(stat -c %Y key)" "$before"
	is "$(starts)" ''
}

# full_disk ARG...: runs vmrun while the file system of the directory full is full
full_disk() {
	mkdir full
	unshare -rm mount -t tmpfs none full 2>why || skip "no mount namespace: $(cat why)"
	status=0
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -rm sh -c 'mount -t tmpfs -o size=4k none full && head -c 4096 /dev/zero >full/fill &&
		"$@"; status=$?; ls full >files; exit $status' sh \
		"$VMRUN" "${unchecked[@]}" --run-dir "$BATS_RUN_TMPDIR/run" "$@" >out 2>err </dev/null 3>&- || status=$?
}

@test "a pid of vmrun that cannot be written: 71, nothing started" {
	spec
	full_disk -P full/vmrun.pid vm.json
	is "$status" 71
	has "vmrun: $PWD/full/vmrun.pid: cannot write the pid file: No space left on device"
	is "$(starts)" ''
	is "$(cat files)" fill
}

@test "a pid of the hypervisor that cannot be written: one warning, the VM runs" {
	spec
	script 'exit 0' 'exit 0' 'exit 1'
	full_disk -p full/hyper.pid vm.json
	is "$status" 0
	is "$(starts)" 3
	is "$(grep -c "warning: $PWD/full/hyper.pid: cannot write the pid file: No space left on device" err)" 1
	is "$(cat files)" fill
}
