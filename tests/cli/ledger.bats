#!/usr/bin/env bats
# Faults around the ledger: fixes and undos that fail, files that cannot be written or read,
# hypervisors and commands that outlive their vmrun.  vmrun never touches what others own.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load recovery
	recovery_setup
	umask 022
}

teardown() {
	recovery_teardown
}

# stub NAME BODY: puts a command in front of the stub of that name; $real is the stub
stub() {
	mkdir -p front
	printf '#!/bin/bash\nreal=%q\n%s\nexec "$real" "$@"\n' "$SOURCE/tests/fake/bin/$1" "$2" >"front/$1"
	chmod +x "front/$1"
	PATH=$PWD/front:${PATH#"$PWD/front:"}
}

# no_interpreter NAME: makes a command that exists and cannot be started
no_interpreter() {
	stub "$1" ''
	sed -i '1s,.*,#!/no/such/shell,' "front/$1"
}

unstub() {
	rm -r front
}

ledger() {
	cat "run/$vm/ledger.json"
}

# begins ARG...: starts a run in the background
begins() {
	"${vmrun_words[@]}" "$@" >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
}

dies() {
	kill -KILL "$pid"
	wait "$pid" || :
}

# Writes a spec with one device, and makes bridge0 for it.
small_host() {
	printf 'vmm.ko\nif_tuntap.ko\nif_bridge.ko\n' >state/modules
	printf 'bridge0 up\n' >state/interfaces
	printf 'hw.physmem=8589934592\nhw.vmm.maxcpu=16\n' >state/sysctls
	: >state/pci
	: >pids
	spec "$1"
	before=$(host)
}

bridged='{"emulations": [{"device": "virtio-net", "bridge": "bridge0"}]}'

# killed_at_create BODY: runs a VM whose vmrun is killed by the command that makes its tap; BODY is
# what the command has done before
killed_at_create() {
	small_host "$bridged"
	stub ifconfig "[ \"\$2\" != create ] || { $1 kill -KILL \$PPID; exit; }"
	begins vm.json
	wait "$pid" || :
	unstub
	is "$(jq -c '[.taken[] | [.name, .unsure]]' "run/$vm/ledger.json")" '[["tap0",true]]'
}

@test "a tap of which vmrun was killed before it was made: another program's survives" {
	killed_at_create ''
	ifconfig tap0 create description "vmrun:$vm-2" # and this is another VM's
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	grep -q '^tap0' state/interfaces
	[ ! -e "run/$vm" ]
	ifconfig tap0 destroy
}

@test "a tap of which vmrun was killed after it was made: destroyed by the next start" {
	killed_at_create '"$real" "$@";'
	grep -q '^tap0' state/interfaces
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	has 'released: ifconfig tap0 destroy'
	lacks tap state/interfaces
}

@test "a fix that failed is forgotten at once: another program's tap survives" {
	small_host '{"emulations": [{"device": "virtio-net", "name": "tap9"}],
		"on": {"check_failed": {"boot": "default", "delay": 600}}, "backoff": false}'
	# Another program creates the tap first, and uses it.
	stub ifconfig '[ "$*" != "tap9 create up" ] || { "$real" tap9 create && sed -i.old "/^tap9/s/$/ pid=1/" "$FAKE_STATE_DIR/interfaces"; }'
	begins --fix vm.json
	await_text 'next boot: target default'
	has '`ifconfig tap9 create up` failed'
	[ "$(jq -c .taken "run/$vm/ledger.json")" = '[]' ]
	dies
	unstub
	grep -q tap9 state/interfaces
	spec
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	grep -q tap9 state/interfaces
}

@test "no write succeeds while the guest reboots, vmrun is killed: the lock says that it runs" {
	small_host "$bridged"
	script 'ready one waitfile go exit 0' 'acpi on ready two deaf'
	begins vm.json
	await_file one
	await_text 'runs under' # its pid is noted
	mkdir "run/$vm/ledger.json.new" # in the way of each new ledger
	touch go
	await_file two
	await_text "runs under bhyve, pid $(fake_pids | tail -n 1)"
	has 'ledger.json.new: cannot write: '
	is "$(grep -c 'cannot write' err)" 1
	dies
	rmdir "run/$vm/ledger.json.new"
	local guest
	guest=$(fake_pids | tail -n 1)
	go "${vmrun_words[@]}" vm.json
	is "$status" 75
	has "its hypervisor still runs as pid $guest, left by a vmrun that died (pid $pid)"
	kill -0 "$guest"
	grep -q member=tap0 state/interfaces
	is "$(starts)" 2
	script 'exit 1'
	go "${vmrun_words[@]}" --force vm.json
	is "$status" 0
	as_before
}

@test "a ledger that is gone: the lock says that the hypervisor runs" {
	small_host
	script 'acpi on ready one deaf'
	begins vm.json
	await_file one
	await_text 'runs under' # its pid is noted
	dies
	rm "run/$vm/ledger.json"
	go "${vmrun_words[@]}" vm.json
	is "$status" 75
	has "its hypervisor still runs as pid $(fake_pids)"
	script 'exit 1'
	go "${vmrun_words[@]}" --force vm.json
	is "$status" 0
	await nothing_runs
}

@test "a name that cannot be written makes a further boot check_failed, and nothing is taken" {
	small_host '{"targets": {"net": {"emulations": [{"device": "virtio-net", "bridge": "bridge0"}]}},
		"next_target": "net"}'
	script 'ready one waitfile go exit 0'
	begins vm.json
	await_file one
	await_text 'runs under' # its pid is noted
	mkdir "run/$vm/ledger.json.new"
	touch go
	ends 69
	has 'target net: the boot could not be prepared: '
	has 'ledger.json.new: cannot write: '
	is "$(starts)" 1
	is "$(host)" "$before"
}

@test "an undo that fails keeps the thing in the ledger; the next start gives it back" {
	small_host "$bridged"
	stub ifconfig '[ "${2-}" != destroy ] || { echo "ifconfig: $1: busy" >&2; exit 1; }'
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	has 'tap0 is left behind: `ifconfig tap0 destroy`: ifconfig: tap0: busy (the next start tries again)'
	is "$(ledger | jq -r '.taken[].name')" tap0
	"$VMRUNCTL" -r run list >list
	grep -q "^$vm *dead" list
	is "$(ledger | jq -c '[.processes[] | select(.name != "hypervisor")]')" '[]'
	# The undo fails again: for the dead vmrun, and at the end of this one, which has another tap.
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	is "$(ledger | jq -r '.taken[].name' | sort | xargs)" 'tap0 tap1'
	unstub
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	has 'released: ifconfig tap0 destroy'
	as_before
}

@test "an undo that fails because the thing no longer exists" {
	small_host "$bridged"
	script 'ready one waitfile go exit 1'
	begins vm.json
	await_file one
	sed -i '/^tap0/d; s/ member=tap0//' state/interfaces
	touch go
	ends 0
	has 'tap0 no longer exists'
	as_before
}

@test "--panic-on-failed-cleanup: 71, at the end, after a boot, and for a dead vmrun" {
	small_host "$bridged"
	stub ifconfig '[ "${2-}" != destroy ] || { echo "ifconfig: $1: busy" >&2; exit 1; }'
	script 'exit 1'
	go "${vmrun_words[@]}" --panic-on-failed-cleanup vm.json
	is "$status" 71
	has 'tap0 is left behind'
	rm starts
	script 'exit 1'
	go "${vmrun_words[@]}" --panic-on-failed-cleanup vm.json
	is "$status" 71
	is "$(starts)" ''
	is "$(ledger | jq -r '.taken[].name')" tap0
	unstub
	stub bhyvectl 'case " $* " in *" --destroy "*) exit 1 ;; esac'
	spec
	script 'exit 0' 'exit 1'
	go "${vmrun_words[@]}" --panic-on-failed-cleanup vm.json
	is "$status" 71
	is "$(starts)" 1
	has 'the VM and its memory are still there'
	unstub
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	as_before
}

@test "a recovery that cannot start its command keeps the thing, and names it" {
	small_host "$bridged"
	script 'acpi on ready one wait exit 1'
	begins vm.json
	await_file one
	dies
	await nothing_runs
	spec '{"backoff": false}'
	script 'exit 1'
	no_interpreter ifconfig
	go "$VMRUN" --run-dir run --state-dir keep --no-requirement-check vm.json
	has 'tap0 is left behind: `ifconfig tap0 destroy`: '
	has 'its interpreter is missing'
	grep -q member=tap0 state/interfaces
	is "$(ledger | jq -r '.taken[].name')" tap0
	unstub
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	as_before
}

# listed_while THING JQ: checks that the ledger lists what JQ finds if the command THING succeeds
listed_while() {
	! eval "$1" || jq -e "$2" "run/$vm/ledger.json" >/dev/null || {
		echo "not in the ledger, and still there: $1"
		ledger
		return 1
	}
}

@test "a start that fails for want of descriptors forgets nothing that a dead vmrun left" {
	small_host "$bridged"
	script 'acpi on ready one wait exit 1'
	begins vm.json
	await_file one
	dies
	await nothing_runs
	local n file failed=0
	# Limits up to one that is enough, because the number of open descriptors differs between hosts.
	for n in {5..60}; do
		script 'exit 1'
		status=0
		(ulimit -n "$n" && exec "${vmrun_words[@]}" --events ev vm.json >out 2>err </dev/null 3>&-) || status=$?
		listed_while 'grep -q member=tap0 state/interfaces' '.taken[0].name == "tap0"'
		listed_while '[ -e "state/vmm/$vm" ]' '.destroy != []'
		for file in guest.pid own.pid; do
			listed_while "[ -e $file ]" "any(.pid_files[]; endswith(\"/$file\"))"
		done
		[ "$status" -ne 0 ] || break
		failed=$((failed + 1))
	done
	[ "$failed" -gt 5 ]
	is "$status" 0
	as_before
}

@test "a pid file that another program has written since is left alone" {
	small_host
	script 'acpi on ready one wait exit 1'
	begins vm.json
	await_file one
	await test -s guest.pid
	dies
	await nothing_runs
	echo 1 >guest.pid
	script 'exit 1'
	go "$VMRUN" --run-dir run --state-dir keep vm.json
	is "$status" 0
	is "$(cat guest.pid)" 1
	[ ! -e own.pid ]
	rm guest.pid
	as_before
}

@test "a tap whose creation never began is not said to be left behind" {
	small_host "$bridged"
	no_interpreter ifconfig
	go "$VMRUN" --run-dir run --state-dir keep --no-requirement-check vm.json
	is "$status" 69
	has 'no tap could be made for a bridge'
	has 'its interpreter is missing'
	lacks 'left behind'
	as_before
}

@test "what a hook's command has started ends with the next start" {
	small_host
	cat >vm.lua <<-END
		local vm = { name = "$vm", cpu = 1, mem = "64M", bootrom = "$rom" }
		function vm.on_start()
			vmrun.exec { "/bin/sh", "-c", "sleep 1000 & echo \$! >started; wait" }
		end
		return vm
	END
	begins vm.lua
	await test -s started
	await grep -q 'command of a hook: /bin/sh' "run/$vm/ledger.json"
	dies
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	await is_gone "$(cat started)"
	as_before
}

@test "a hook's command that has ended is forgotten, and what it left running lives on" {
	small_host
	cat >vm.lua <<-END
		local vm = { name = "$vm", cpu = 1, mem = "64M", bootrom = "$rom" }
		function vm.on_started()
			vmrun.exec { "/bin/sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo \$! >started" }
			vmrun.log("info", "done with it")
		end
		return vm
	END
	script 'acpi on ready one wait exit 1'
	begins vm.lua
	await_text 'done with it'
	pids+=("$(cat started)")
	lacks 'command of a hook' "run/$vm/ledger.json"
	dies
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	kill -0 "$(cat started)"
}

@test "a wrapper that closes the lock: start_failed, and it says so" {
	small_host
	printf '#!/bin/sh\nexec 5>&-\necho >closed\nexec sleep 1000\n' >wrapper
	chmod +x wrapper
	go "$VMRUN" --run-dir run --state-dir keep --bhyve ./wrapper vm.json
	is "$status" 4
	is "$(cause)" start_failed
	has 'has closed descriptor 5'
	as_before
}

@test "--check: a VM that runs is named as that, and what a start would undo is no problem" {
	small_host
	script 'acpi on ready up deaf'
	begins vm.json
	await_file up
	await_text 'runs under'
	[ -e "state/vmm/$vm" ]
	ls -A "run/$vm" >files
	go "${vmrun_words[@]}" --check vm.json
	is "$status" 75
	has "$vm: already running as pid $pid"
	[ ! -s out ]
	is "$(ls -A "run/$vm")" "$(cat files)"
	dies
	go "${vmrun_words[@]}" --check vm.json
	is "$status" 75
	has "$vm: its hypervisor still runs as pid $(fake_pids), left by a vmrun that died"
	# shellcheck disable=SC2046 # one pid a word
	end_left $(fake_pids)
	[ -e "state/vmm/$vm" ]
	go "${vmrun_words[@]}" --check vm.json
	lacks 'did not create it' out
	is "$status" 0
	echo $$ >"run/$vm/lock" # the pid of another process by now
	go "${vmrun_words[@]}" --check vm.json
	is "$status" 0
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	as_before
}

# both_end STATUS TEXT ARG...: --check and a start end with the status and the text, and change nothing
both_end() {
	local wanted=$1 text=$2 left
	shift 2
	left=$(find run lrun/ -ls)
	go "${vmrun_words[@]}" --check --json "$@" vm.json
	is "$status" "$wanted"
	has "$text"
	[ ! -s out ]
	is "$(find run lrun/ -ls)" "$left"
	go "${vmrun_words[@]}" "$@" vm.json
	is "$status" "$wanted"
	has "$text"
}

@test "--check: what makes a start end with 71 before its checks makes a check end so" {
	small_host
	mkdir -m 700 "run/$vm"
	ln -s run lrun
	echo garbage >"run/$vm/ledger.json"
	both_end 71 "run/$vm/ledger.json: not a ledger that vmrun wrote: "
	go "${vmrun_words[@]}" --check --force vm.json
	is "$status" 0
	has 'no problems' out
	is "$(cat "run/$vm/ledger.json")" garbage
	mv "run/$vm/ledger.json" "run/$vm/state.json"
	both_end 71 "run/$vm/state.json: not a ledger that vmrun wrote: "
	rm "run/$vm/state.json"
	both_end 71 '/lrun: a symbolic link, ' --run-dir lrun
	both_end 71 '/no/such/run: cannot make this directory: ' --run-dir no/such/run
	mkdir "run/$vm/vm"
	both_end 71 "run/$vm/vm: " # a start cannot open it, and a check finds no file
	rmdir "run/$vm/vm"
	mkdir "run/$vm/control"
	both_end 71 "run/$vm/control: not a socket"
	rmdir "run/$vm/control"
	echo text >text.pid
	both_end 71 '/text.pid: not a pid file' -p text.pid
	both_end 71 '/text.pid: not a pid file' -P text.pid
}

@test "--check: a program of the prefix that outlives vmrun holds the name, 75" {
	small_host '{"prefix": ["/bin/sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $! >>pids; exec \"$@\"", "x"]}'
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	go "${vmrun_words[@]}" --check vm.json
	is "$status" 75
	has "$vm: its hypervisor, or a program that this has started, still runs, and its pid is not known"
	has "holds $PWD/run/$vm/vm open"
	go "${vmrun_words[@]}" --check --force vm.json # a start does not end a process that it does not know
	is "$status" 75
	# shellcheck disable=SC2046 # one pid a word
	end_left $(cat pids)
	go "${vmrun_words[@]}" --check vm.json
	is "$status" 0
}

@test "a program of the hypervisor's that outlives it: a warning, and no VM that died" {
	small_host
	printf '#!/bin/sh\nsleep 1000 >/dev/null 2>&1 &\necho $! >>pids\nexec %q "$@"\n' "$FAKEBHYVE" >wrapper
	chmod +x wrapper
	script 'exit 1'
	go "$VMRUN" --run-dir run --state-dir keep --bhyve ./wrapper vm.json
	is "$status" 0
	has 'warning: a program that the hypervisor or its prefix has started still runs and holds '
	has "/run/$vm/vm open (fuser or fstat names it)"
	is "$(ls "run/$vm")" vm
	is "$("$VMRUNCTL" -r run list 2>&1)" 'no VMs'
	# shellcheck disable=SC2046 # one pid a word
	end_left $(cat pids)
	script 'exit 1'
	go "$VMRUN" --run-dir run --state-dir keep --bhyve "$FAKEBHYVE" vm.json
	is "$status" 0
	lacks died
	[ ! -e "run/$vm" ]
}

@test "a wrapper that dies before its hypervisor: no second one on the same disk" {
	small_host
	cat >wrapper <<-'END'
		#!/bin/bash
		[ ! -e child ] || exit 1
		sleep 1000 >/dev/null 2>&1 &
		echo $! >child
		exit 0
	END
	chmod +x wrapper
	go "$VMRUN" --run-dir run --state-dir keep --bhyve ./wrapper vm.json
	is "$status" 69
	has 'the boot could not be prepared: '
	has "run/$vm/vm is locked: a process that the last boot started still runs"
	kill "$(cat child)"
}

@test "a companion that cannot be watched is killed at once" {
	small_host '{"companions": [{"name": "side", "command": ["/bin/bash", "-c", "echo $$ >>pids; exec sleep 1000"]}]}'
	local n
	for n in {8..60}; do
		script 'exit 1'
		status=0
		(ulimit -n "$n" && exec "$VMRUN" --run-dir run --state-dir keep --no-requirement-check vm.json >out 2>err </dev/null 3>&-) || status=$?
		[ "$status" -ne 0 ] || break
		lacks 'does not die'
	done
	is "$status" 0
	as_before
}

@test "a tap whose unit another one has under another name is passed over" {
	small_host "$bridged"
	printf 'bridge0 up\nlan up unit=tap0\ntap1 up\nwan unit=tap2\n' >state/interfaces
	script 'acpi on ready one wait exit 1'
	begins vm.json
	await_file one
	grep -q '^bridge0 .*member=tap3' state/interfaces
	is "$(ledger | jq -r '.taken[].name')" tap3
	kill -TERM "$pid"
	ends 0
	is "$(cat state/interfaces)" "$(printf 'bridge0 up\nlan up unit=tap0\ntap1 up\nwan unit=tap2')"
}

@test "a tap that could not join its bridge joins it at the next boot" {
	small_host '{"emulations": [{"device": "virtio-net", "bridge": "bridge0"}],
		"on": {"check_failed": {"boot": "default", "delay": 0.1}}, "backoff": false}'
	stub ifconfig '[ "${2-}" != addm ] || ! mkdir refused 2>/dev/null || { echo "ifconfig: $1: busy" >&2; exit 1; }'
	script 'ready one waitfile go exit 0' 'ready two waitfile go2 exit 1'
	begins vm.json
	await_file one
	await_text 'no tap for its bridge: ifconfig: bridge0: busy'
	grep -q '^bridge0 .*member=tap0' state/interfaces
	touch go
	await_file two # made once, and joined once
	is "$(jq -r '.taken[].name' "run/$vm/ledger.json")" tap0
	touch go2
	ends 0
	as_before
}

@test "a device that vmrun 0.1 attached stays in the ledger until it is given back" {
	small_host
	mkdir -m 700 "run/$vm"
	stub devctl 'echo "devctl: busy" >&2; exit 1'
	jq -cn --arg vm "$vm" '{v: 1, vm: $vm, supervisor: 4710, destroy: [], processes: [],
		taken: [{name: "pci0:3:0:0", undo: ["devctl", "clear", "driver", "-f", "pci0:3:0:0"]}],
		pid_files: [], sockets: []}' >"run/$vm/state.json"
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	has 'pci0:3:0:0 is left behind: `devctl clear driver -f pci0:3:0:0`: devctl: busy'
	is "$(ledger | jq -r '.taken[].name')" pci0:3:0:0
}

# A process that a companion started outlives the companion and vmrun.
offspring='["/bin/bash", "-c", "(trap \": >asked; exit\" TERM; echo $BASHPID >>pids; mkfifo fifo.$$; exec 9<>fifo.$$; while :; do read -r -t 60 <&9; done) & wait"]'

@test "a hypervisor that is left alone keeps its companions" {
	small_host '{"companions": [{"name": "side", "command": '"$offspring"'}]}'
	script 'acpi on ready one deaf'
	begins vm.json
	await_file one
	await test -s pids
	await_text 'runs under' # the pids are noted
	dies
	go "${vmrun_words[@]}" vm.json
	is "$status" 75
	[ ! -e asked ]
	kill -0 "$(cat pids)"
	spec
	script 'exit 1'
	go "${vmrun_words[@]}" --force vm.json
	is "$status" 0
	[ -e asked ]
	rm fifo.*
	as_before
}

@test "a companion of the name hypervisor ends with the next start" {
	small_host '{"companions": [{"name": "hypervisor", "command": '"$offspring"'}]}'
	script 'acpi on ready one wait exit 1'
	begins vm.json
	await_file one
	await test -s pids
	await jq -e '[.processes[] | select(.name == "hypervisor" and .pid > 0)] | length == 2' "run/$vm/ledger.json" >listed
	dies
	await nothing_runs
	spec
	script 'exit 1'
	go "${vmrun_words[@]}" vm.json
	is "$status" 0
	rm fifo.*
	as_before
}

@test "a pid file whose name is not UTF-8 is given back, too" {
	small_host
	script 'ready one waitfile go exit 0'
	local guest=$'guest\xff\xc3.pid' own=$'own\xed\xa0\x80.pid'
	vmrun_words=("$VMRUN" --run-dir run --state-dir keep -p "$guest" -P "$own")
	begins vm.json
	await_file one
	await_text 'runs under'
	[ -e "$guest" ] && [ -e "$own" ]
	dies
	[ -e "$guest" ] && [ -e "$own" ]
	touch go
	await nothing_runs
	# The next vmrun has other pid files.
	vmrun_words=("$VMRUN" --run-dir run --state-dir keep)
	recovers
	[ ! -e "$guest" ] && [ ! -e "$own" ]
}
