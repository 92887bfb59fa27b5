#!/usr/bin/env bats
# The processors of real guests on those of the host.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	[ -d /proc/self/task ] || skip 'this system has no /proc/PID/task'
	usable=$(allowed /proc/self)
	[ "$usable" != "${usable%[,-]*}" ] || skip 'this process may run on one CPU only'
	first=${usable%%[,-]*}
	last=${usable##*[,-]}
}

teardown() {
	common_teardown
}

# allowed DIRECTORY: the CPUs of a process or a thread
allowed() {
	sed -n 's/^Cpus_allowed_list:[[:blank:]]*//p' "$1/status"
}

# The CPUs of the threads of processors, a line each: "0: 1"; single-threaded TCG has "ALL CPUs".
threads() {
	local task
	for task in /proc/"$(qemu_pid)"/task/*; do
		grep -q 'CPU' "$task/comm" || continue
		echo "$(sed 's|^CPU \([0-9]*\)/.*|\1|' "$task/comm"): $(allowed "$task")"
	done | sort -n
}

# shows LINES: the threads are pinned like this
shows() {
	[ "$(threads)" = "$1" ]
}

@test "each processor has a CPU, and the rest of qemu every one" {
	rom "{\"cpu\": 2, \"pin\": [\"0:$last\", \"1:$first\"]}"
	start_guest w
	is "$(threads)" "0: $last
1: $first"
	is "$(allowed "/proc/$(qemu_pid)")" "$usable"
	lacks 'pin: '
}

@test "a processor has several CPUs, or no pin" {
	rom "{\"cpu\": 3, \"pin\": [\"2:$last\", \"0:$last\", \"0:$first\"]}"
	start_guest w
	is "$(threads | sed "s/: ${first}[-,]${last}\$/: both/")" "$(
		echo '0: both'
		echo "1: $usable" | sed "s/: ${first}[-,]${last}\$/: both/"
		echo "2: $last"
	)"
}

# The answer of qemu has more bytes than vmrun reads as one line.
@test "many processors" {
	local i wanted=
	rom "$(jq -n --arg a "$first" --arg b "$last" \
		'{cpu: 60, pin: [range(60) | "\(.):\(if . % 3 == 0 then $b else $a end)"]}')"
	start_guest w
	for ((i = 0; i < 60; i++)); do
		wanted+="$i: $([ $((i % 3)) -eq 0 ] && echo "$last" || echo "$first")"$'\n'
	done
	is "$(threads)" "${wanted%$'\n'}"
}

@test "one thread for all processors has the CPUs of all" {
	rom "{\"cpu\": 2, \"pin\": [\"0:$last\", \"1:$last\"], \"qemu\": {\"accel\": \"tcg\", \"args\": [\"-icount\", \"shift=auto\"]}}"
	start_guest w
	is "$(threads | wc -l)" 1
	is "$(threads | sed 's/.*: //')" "$last"
}

@test "one thread for processors with different CPUs may run on each" {
	rom "{\"cpu\": 2, \"pin\": [\"0:$last\", \"1:$first\"], \"qemu\": {\"accel\": \"tcg\", \"args\": [\"-icount\", \"shift=auto\"]}}"
	start_guest w
	is "$(threads | sed "s/.*: ${first}[-,]${last}\$/both/")" both
}

@test "a CPU that the host lacks is reported, and the guest runs" {
	[ ! -e /sys/devices/system/cpu/cpu1023 ] || skip 'the host has CPU 1023'
	rom "{\"cpu\": 2, \"pin\": [\"0:1023\", \"1:1023\", \"1:$last\"]}"
	start_guest w
	is "$(grep -c 'warning: pin: ' err)" 2
	has 'pin: "0:1023": qemu cannot run on CPU 1023: the host has no such CPU online, or a CPU set excludes it'
	has 'pin: "1:1023": '
	is "$(threads)" "0: $usable
1: $last"
}

@test "a prefix that runs qemu as a child" {
	rom "{\"prefix\": [\"sh\", \"-c\", \"\\\"\$@\\\"; exit \$?\", \"sh\"], \"pin\": [\"0:$last\"]}"
	guest p
	is "$status" 0
	has 'a prefix must execute qemu in its own process'
}

@test "a guest that waits for a VNC client is pinned, and starts with the client" {
	local port
	rom "{\"cpu\": 2, \"pin\": [\"0:$last\", \"1:$first\"], \"graphic\": {\"wait\": true, \"port\": \"auto\"}}"
	start vm.json -- -fw_cfg name=opt/vmrun/rom,string=.p
	await_text 'screen: vnc://'
	await shows "0: $last
1: $first"
	is "$(cat out)" ''
	port=$(sed -n 's|.*screen: vnc://127.0.0.1:\([0-9]*\).*|\1|p' err)
	exec 9<>"/dev/tcp/127.0.0.1/$port"
	ends 0
	exec 9>&-
	has 'powering off' out
}

@test "a guest that waits for a debugger is pinned" {
	rom "{\"cpu\": 2, \"pin\": [\"0:$last\", \"1:$first\"], \"qemu\": {\"accel\": \"tcg\", \"args\": [\"-gdb\", \"unix:gdb,server=on,wait=off\", \"-S\"]}}"
	start vm.json -- -fw_cfg name=opt/vmrun/rom,string=.p
	await_text 'runs under'
	await shows "0: $last
1: $first"
	is "$(cat out)" ''
}

@test "a printed command lacks the pins" {
	rom '{"pin": ["0:0"]}'
	vmrun -d vm.json
	is "$status" 0
	has "a run pins the guest's processors, as no option of qemu does"
	lacks 'ignores'
}
