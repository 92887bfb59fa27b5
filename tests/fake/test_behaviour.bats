#!/usr/bin/env bats
# The program fakebhyve and the stubs of FreeBSD's commands, from outside.
# Needs FAKEBHYVE and FAKE_PROBE, the paths of the two programs.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir state
	export FAKE_STATE_DIR=$PWD/state FAKE_CALLS=$PWD/calls FAKEBHYVE_SCRIPT=$PWD/script
	export FAKEBHYVE_NODISK=1
	unset FAKEBHYVE_RELEASE FAKEBHYVE_ARCH FAKEBHYVE_LOG FAKEBHYVE_DUMP FAKEBHYVE_PARSE
	unset FAKEBHYVE_BAD_TAP FAKEBHYVE_MAXCPU FAKEBHYVE_HOSTCPUS FAKEBHYVE_LISTEN
	PATH=$BATS_TEST_DIRNAME/bin:$PATH
	pid=''
}

teardown() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
}

# vm ARGUMENT...: a start that lasts until the script ends it
vm() {
	"$FAKEBHYVE" -l bootrom,/rom "$@" vm
}

# start ARGUMENT...: the same in the background, up to its `ready here`
start() {
	rm -f here
	"$FAKEBHYVE" -l bootrom,/rom "$@" vm 3>&- &
	pid=$!
	await here
}

# Waits for a file, a minute at most.
await() {
	local until=$((SECONDS + 60))
	until [ -e "$1" ]; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.01
	done
}

# ends STATUS: what the shell says of the background start
ends() {
	local status=0
	wait "$pid" || status=$?
	pid=''
	[ "$status" -eq "$1" ]
}

# --- scripts ---

@test "every start takes one line; without one the guest powers off" {
	printf 'exit 0\nsleep 1 exit 3\nexit 2' >script
	run vm
	[ "$status" -eq 0 ]
	[ "$(cat script)" = 'sleep 1 exit 3
exit 2' ]
	run vm
	[ "$status" -eq 3 ]
	run vm
	[ "$status" -eq 2 ]
	[ ! -s script ]
	run vm
	[ "$status" -eq 1 ]
	rm script
	run vm
	[ "$status" -eq 1 ]
	echo 'print x' >script
	run vm
	[ "$status" -eq 1 ]
}

@test "starts side by side take a line each" {
	local i sum=0 pids=''
	for i in 10 11 12 13 14 15 16 17; do
		echo "exit $i" >>script
	done
	for i in 1 2 3 4 5 6 7 8; do
		"$FAKEBHYVE" -l bootrom,/rom "vm$i" 3>&- &
		pids="$pids $!"
	done
	for i in $pids; do
		wait "$i" || sum=$((sum + $?))
	done
	[ $sum -eq 108 ]
	[ ! -s script ]
}

@test "a refused start takes no line" {
	echo 'exit 0' >script
	run vm -c 0
	[ "$status" -eq 4 ]
	[ -s script ]
}

@test "signals of its own" {
	printf 'signal 6\nsignal 9\nsignal 11\n' >script
	run "$FAKE_PROBE" end "$FAKEBHYVE" -l bootrom,/rom vm
	[ "$output" = 'signal 6' ]
	run vm
	[ "$status" -eq 137 ]
	run vm
	[ "$status" -eq 139 ]
	[ -z "$(ls core* 2>/dev/null)" ]
}

@test "print goes to the first serial port, err to stderr" {
	printf 'print Hello,_guest err a_b\nprint lost\n' >script
	vm -s 31,lpc -l com2,stdio >out 2>err || :
	[ "$(cat out)" = 'Hello, guest' ]
	[ "$(cat err)" = 'a b' ]
	vm >out 2>err || :
	[ ! -s out ]
}

@test "a script with a mistake is told" {
	printf 'exit\nfly away\nsleep x\nacpi maybe\n' >script
	for _ in 1 2 3 4; do
		run vm
		[ "$status" -eq 70 ]
		[[ $output == *script:* ]]
	done
}

# --- power ---

@test "SIGTERM before ACPI kills" {
	echo 'ready here wait exit 1' >script
	start
	[ "$(cat here)" = "$pid" ]
	kill -TERM "$pid"
	ends 143
}

@test "an inherited ignored SIGTERM is lost before ACPI" {
	echo 'ready here waitfile go acpi on ready there wait exit 7' >script
	trap '' TERM
	start
	trap - TERM
	kill -TERM "$pid"
	: >go
	await there
	kill -TERM "$pid"
	ends 7
}

@test "with ACPI on SIGTERM is the power button, press by press" {
	echo 'acpi on ready here wait ready there wait exit 5' >script
	start
	kill -TERM "$pid"
	await there
	kill -TERM "$pid"
	ends 5
}

@test "with ACPI off again SIGTERM kills" {
	echo 'acpi on acpi off ready here wait' >script
	start
	kill -TERM "$pid"
	ends 143
}

@test "arm64 has no power button" {
	echo 'acpi on ready here wait exit 5' >script
	rm -f here
	FAKEBHYVE_ARCH=arm64 "$FAKEBHYVE" -o bootrom=/rom vm 3>&- &
	pid=$!
	await here
	kill -TERM "$pid"
	ends 143
}

@test "a deaf guest can be switched off" {
	echo 'acpi on ready here deaf' >script
	start
	kill -TERM "$pid"
	bhyvectl --vm=vm --force-poweroff
	ends 1
}

@test "a hanging bhyve ends by SIGKILL only" {
	[ -r /proc/self/status ] || skip 'needs /proc to see what signals are blocked'
	echo 'ready here hang' >script
	start
	# The signals are blocked right after `ready`.
	until grep -q '^SigBlk:.*[1-9a-f]' "/proc/$pid/status"; do :; done
	kill -TERM "$pid"
	bhyvectl --vm=vm --force-poweroff
	kill -INT "$pid"
	kill -KILL "$pid"
	ends 137
}

# --- the VM ---

@test "the VM stays after every end, unless -D and power off" {
	printf 'ready here wait\nexit 0\nexit 1\nexit 1\n' >script
	start
	[ "$(cat state/vmm/vm)" = "$pid" ]
	kill -KILL "$pid"
	ends 137
	[ -e state/vmm/vm ]
	run vm -D
	[ "$status" -eq 0 ]
	[ -e state/vmm/vm ]
	run vm
	[ "$status" -eq 1 ]
	[ -e state/vmm/vm ]
	run vm -D
	[ "$status" -eq 1 ]
	[ ! -e state/vmm/vm ]
	run vm -o destroy_on_poweroff=maybe
	[ "$status" -eq 4 ]
}

@test "a VM that was not destroyed keeps its memory" {
	run vm -m 1G
	[ "$status" -eq 1 ]
	run vm -m 2G
	[ "$status" -eq 4 ]
	bhyvectl --vm=vm --destroy
	run vm -m 2G
	[ "$status" -eq 1 ]
}

@test "without a bootrom somebody has to load the VM" {
	run "$FAKEBHYVE" vm
	[ "$status" -eq 4 ]
	bhyvectl --vm=vm --create
	run "$FAKEBHYVE" vm
	[ "$status" -eq 1 ]
}

@test "bhyvectl: reset, loss of the VM, a VM that is not" {
	printf 'ready here wait\nready here wait\n' >script
	start
	bhyvectl --vm=vm --force-reset
	ends 0
	start
	bhyvectl --vm=vm --destroy
	ends 4
	run bhyvectl --vm=vm --destroy
	[ "$status" -eq 1 ]
	[ "$output" = 'VM:vm is not created.' ]
	run bhyvectl --destroy
	[ "$status" -eq 1 ]
}

@test "bhyvectl lets a stranger live who got the pid" {
	mkdir state/vmm
	echo $$ >state/vmm/vm
	bhyvectl --vm=vm --force-poweroff
	bhyvectl --vm=vm --destroy
	kill -0 $$
}

@test "console sockets: one client at a time, left behind, in the way of the next start" {
	printf 'ready here wait\nexit 1\n' >script
	start -s 4,virtio-console,a=one.sock
	run "$FAKE_PROBE" clients one.sock
	[ "$output" = 'second closed
first open
fourth closed
third open' ]
	kill -TERM "$pid"
	ends 143
	[ -S one.sock ]
	run vm -s 4,virtio-console,a=one.sock
	[ "$status" -eq 4 ]
	rm one.sock
	run vm -s 4,virtio-console,a=one.sock
	[ "$status" -eq 1 ]
}

@test "stdio on a terminal: raw until exit, nonblocking for good" {
	echo 'ready here waitfile go exit 1' >script
	run "$FAKE_PROBE" tty here go "$FAKEBHYVE" -s 31,lpc -l bootrom,/r -l com1,stdio vm
	[ "$output" = 'before: cooked blocking
running: raw nonblocking
after: cooked nonblocking
status 1' ]
}

@test "stdio on a terminal: raw for good after SIGKILL" {
	echo 'ready here waitfile go signal 9' >script
	run "$FAKE_PROBE" tty here go "$FAKEBHYVE" -s 31,lpc -l bootrom,/r -l com1,stdio vm
	[[ $output == *'after: raw nonblocking
signal 9' ]]
}

@test "without a stdio port the terminal is left alone, but for the command raw" {
	printf 'ready here waitfile go\nraw ready here waitfile go\n' >script
	run "$FAKE_PROBE" tty here go "$FAKEBHYVE" -l bootrom,/r vm
	[[ $output == *'running: cooked blocking'* ]]
	rm here go
	run "$FAKE_PROBE" tty here go "$FAKEBHYVE" -l bootrom,/r vm
	[[ $output == *'running: raw nonblocking
after: cooked'* ]]
}

@test "a tap in use" {
	FAKEBHYVE_BAD_TAP=tap1 run vm -s 3,virtio-net,tap1
	[ "$status" -eq 4 ]
	[[ $output == *'tap1 failed'* ]]
}

# --- what it tells the test ---

@test "the log has every start, the dump the tree" {
	export FAKEBHYVE_LOG=$PWD/log FAKEBHYVE_DUMP=$PWD/dump
	run vm -o 'a=b"c\d	e'
	run "$FAKEBHYVE" -Q
	[ "$(wc -l <log)" -eq 2 ]
	grep -qE '^\{"pid":[0-9]+,"argv":\["[^"]*","-l","bootrom,/rom","-o","a=b\\"c\\\\d\\u0009e","vm"\]\}$' log
	grep -q '^lpc.bootrom=/rom$' dump
	[ "$(tail -n 1 dump)" = name=vm ]
}

@test "parsing only" {
	export FAKEBHYVE_PARSE=1
	run "$FAKEBHYVE" -s 4,virtio-console,a=/no/where -s 3,virtio-blk,/none vm
	[ "$status" -eq 0 ]
	[ ! -e state/vmm ]
	run "$FAKEBHYVE" -c 2,x=1 vm
	[ "$status" -eq 64 ]
	run "$FAKE_PROBE" end "$FAKEBHYVE" -s 4,virtio-console vm
	[ "${lines[1]}" = 'signal 11' ]
	run "$FAKEBHYVE" -h
	[ "$status" -eq 0 ]
}

@test "lists and config.dump go to stdout" {
	[[ $("$FAKEBHYVE" -s help 2>/dev/null) == *virtio-blk* ]]
	[[ $("$FAKEBHYVE" -l help 2>/dev/null) == *com1* ]]
	run "$FAKEBHYVE" -o config.dump=1 -c 0 vm
	[ "$status" -eq 1 ]
	[[ $output == acpi_tables=false* ]]
	FAKEBHYVE_RELEASE=12 run vm
	[ "$status" -eq 70 ]
}

# --- stubs ---

@test "calls are written down" {
	sysctl -n x || :
	kldstat -q -m vmm || :
	[ "$(cat calls)" = 'sysctl -n x
kldstat -q -m vmm' ]
}

@test "kldstat and kldload" {
	run kldstat -m vmm
	[ "$status" -eq 1 ]
	[ "$output" = "kldstat: can't find module vmm: No such file or directory" ]
	run kldstat -q -m vmm
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	printf 'if_tuntap.ko\nnmdm\n' >state/modules
	echo ghost >state/modules.missing
	kldload vmm
	run kldload vmm
	[ "$status" -eq 1 ]
	kldload -n vmm
	run kldload ghost
	[ "$status" -eq 1 ]
	for module in vmm nmdm if_tap; do
		kldstat -q -m $module
	done
	kldstat -q -n vmm.ko
	run kldstat -q -n nmdm
	[ "$status" -eq 1 ]
	run kldstat
	[ "${lines[0]}" = 'Id Refs Address                Size Name' ]
	[[ ${lines[3]} =~ ^\ 3\ +1\ 0x[0-9a-f]+\ +[0-9a-f]+\ vmm.ko$ ]]
}

@test "sysctl" {
	printf 'hw.vmm.maxcpu=16\nkern.hostname=a=b\n' >state/sysctls
	[ "$(sysctl -n hw.vmm.maxcpu)" = 16 ]
	[ "$(sysctl kern.hostname)" = 'kern.hostname: a=b' ]
	[ "$(sysctl hw.vmm.maxcpu=8)" = 'hw.vmm.maxcpu: 16 -> 8' ]
	[ "$(sysctl -n hw.vmm.maxcpu)" = 8 ]
	run sysctl hw.none
	[ "$status" -eq 1 ]
	[ "$output" = "sysctl: unknown oid 'hw.none'" ]
}

@test "ifconfig: taps" {
	run ifconfig tap0
	[ "$status" -eq 1 ]
	[ "$output" = 'ifconfig: interface tap0 does not exist' ]
	[ "$(ifconfig tap create)" = tap0 ]
	[ "$(ifconfig tap create)" = tap1 ]
	[ -z "$(ifconfig tap7 create up)" ]
	run ifconfig tap7 create
	[ "$status" -eq 1 ]
	[ "$(ifconfig -l)" = 'tap0 tap1 tap7' ]
	[[ $(ifconfig tap7) == 'tap7: flags=8943<UP,'* ]]
	ifconfig tap7 down
	[[ $(ifconfig tap7) == 'tap7: flags=8802<BROADCAST,'* ]]
	[[ $(ifconfig tap7) != *Opened* ]]
	echo 'tap3 up pid=4711' >>state/interfaces
	[ "$(ifconfig tap3 | tail -n 1)" = "$(printf '\tOpened by PID 4711')" ]
	ifconfig tap1 destroy
	[ "$(ifconfig tap0 name vm0)" = vm0 ]
	[ "$(ifconfig -l)" = 'vm0 tap7 tap3' ]
}

@test "ifconfig: bridges" {
	printf 'tap0\nbridge0 up\n' >state/interfaces
	ifconfig bridge0 addm tap0 up
	[[ $(ifconfig bridge0) == *'member: tap0 '* ]]
	run ifconfig bridge0 addm tap0
	[ "$status" -eq 1 ]
	[[ $output == *'BRDGADD tap0: File exists'* ]]
	run ifconfig bridge0 addm tap9
	[ "$status" -eq 1 ]
	ifconfig bridge0 deletem tap0
	[[ $(ifconfig bridge0) != *member* ]]
	[[ $(ifconfig bridge0) == *UP* ]]
}

@test "pciconf and devctl" {
	printf 'none1@pci0:5:0:0:\tclass=0x028000 vendor=0x8086\nem0@pci0:6:0:0:\tclass=0x020000\n' >state/pci
	[ "$(pciconf -l pci0:5:0:0)" = "$(printf 'none1@pci0:5:0:0:\tclass=0x028000 vendor=0x8086')" ]
	run pciconf -l pci0:9:0:0
	[ "$status" -eq 1 ]
	[[ $output == *'not found' ]]
	devctl set driver pci0:5:0:0 ppt
	[[ $(pciconf -l) == ppt0@pci0:5:0:0:* ]]
	run devctl set driver pci0:6:0:0 ppt
	[ "$status" -eq 1 ]
	devctl set driver -f pci0:6:0:0 ppt
	[[ $(pciconf -l ppt1) == ppt1@pci0:6:0:0:* ]]
	devctl clear driver -f pci0:6:0:0
	devctl clear driver -f pci0:5:0:0
	[[ $(pciconf -l) == none1@*em0@* ]]
	run devctl set driver pci0:9:0:0 ppt
	[ "$status" -eq 1 ]
	run vm -S -s 3,passthru,5/0/0
	[ "$status" -eq 1 ] # NODISK: every device is believed
	unset FAKEBHYVE_NODISK
	head -c 4096 /dev/zero >rom
	run "$FAKEBHYVE" -S -l bootrom,rom -s 3,passthru,5/0/0 vm2
	[ "$status" -eq 4 ]
	devctl set driver pci0:5:0:0 ppt
	run "$FAKEBHYVE" -S -l bootrom,rom -s 3,passthru,5/0/0 vm2
	[ "$status" -eq 1 ]
}

@test "uclcmd" {
	echo '{"name":"x"}' >vm.conf.json
	[ "$(uclcmd get -c -f vm.conf .)" = '{"name":"x"}' ]
	[ "$(uclcmd get -c -f vm.conf '')" = '{"name":"x"}' ]
	run uclcmd get -c -f vm.conf
	[ "$status" -eq 1 ]
	[[ $output == Usage:* ]]
	run uclcmd get -c -f other.conf .
	[ "$status" -eq 2 ]
	run uclcmd set
	[ "$status" -eq 1 ]
}
