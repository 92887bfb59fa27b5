#!/usr/bin/env bats
# examples/fleet.lua with eight guests at once.
# shellcheck disable=SC2154 # set by ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	run_dir=$PWD/r # of these VMs alone, so that a list shows no others
	# The fleet on a host without zvols, bridges and null modems.
	cat >small.lua <<-'END'
		local vm = vmrun.include(vmrun.args.fleet)
		for i = #vm.emulations, 1, -1 do
			local device = vm.emulations[i]
			if device.path then
				device.path = device.path:match "/vm/(.*)" .. "." .. device.device
			else
				table.remove(vm.emulations, i)
			end
		end
		vm.cpu, vm.mem, vm.bootrom, vm.graphic = 1, "64M", vmrun.env.VMRUN_GUEST, nil
		vm.com1, vm.console, vm.qemu = "console", { log = vm.name .. ".log" }, { accel = "tcg" }
		return vm
	END
}

teardown() {
	common_teardown
}

names='ci1 ci20 db1 db4 web1 web2 web3 web9'

# boot NAME DOTS: starts a machine whose guest prints the dots and waits for its power button
boot() {
	truncate -s 1M "$1.virtio-blk" "$1.nvme"
	VM=$1 "$VMRUN" "${untimed[@]}" --state-dir "$PWD/s" --run-dir "$run_dir" --arg "fleet=$SOURCE/examples/fleet.lua" \
		--events "$1.events" small.lua -- -fw_cfg "name=opt/vmrun/rom,string=${2}b" \
		>"$1.out" 2>"$1.err" </dev/null 3>&- &
	pids+=("$!")
	printf '%s\n' "$!" >"$1.pid"
}

# ctl ARG...: runs vmrunctl and sets status; its stdout is in the file said
ctl() {
	status=0
	timeout -k 5 100 "$VMRUNCTL" -r "$run_dir" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# The names and states that are listed.
listed() {
	ctl list --json
	jq -r '.[] | "\(.vm) \(.state)"' said | sort | paste -sd, -
}

# console NAME: prints the log of a machine's console; lines end in LF
console() {
	tr -d '\r' <"$1.log"
}

# has_printed NAME DOTS: succeeds once the guest waits for its power button
has_printed() {
	grep -q "^$2waiting for the power button" "$1.log"
}

# expected NAME DOTS: what a machine prints, which the name alone determines
expected() {
	printf 'vmrun demo guest\npci 0:0:0 8086:29c0 class 060000\npci 0:3:0 1af4:1001 class 010000\n'
	case $1 in
	db*) printf 'pci 0:5:0 1b36:0010 class 010802\n' ;;
	esac
	printf 'pci 0:31:0 8086:2918 class 060100\ncpus 1\n%swaiting for the power button\n' "$2"
	printf 'power button pressed\nend of script: powering off\n'
}

@test "eight machines at once: they are listed, stop one by one and all together, and no log has another's lines" {
	local name dots='' all=''
	for name in $names; do
		dots=$dots.
		boot "$name" "$dots"
		all="${all:+$all,}$name running"
	done
	dots=
	for name in $names; do
		dots=$dots.
		await has_printed "$name" "$dots"
	done
	is "$(listed)" "$all"
	ctl list
	is "$(awk 'NR > 1 { print $1, $2 }' said | sort | paste -sd, -)" "$all"

	ctl web2 stop
	is "$status" 0
	is "$(listed)" "${all/web2 running,/}"
	# shellcheck disable=SC2046 # a pid a word
	kill $(cat ci*.pid db*.pid web[139].pid)
	dots=
	for name in $names; do
		dots=$dots.
		status=0
		wait "$(cat "$name.pid")" || status=$?
		is "$name $status" "$name 0"
		is "$(console "$name")" "$(expected "$name" "$dots")"
		is "$(grep -cv "^vmrun: $name: " "$name.err")" 0
		has "$name: ended with status 0" "$name.err"
		is "$(jq -r .vm "$name.events" | sort -u)" "$name"
		is "$(jq -r 'select(.event == "exit") | "\(.cause) \(.ended_by)"' "$name.events")" 'stopped acpi'
		is "$(cat "$name.out")" ''
		ctl "$name" history --json --state-dir "$PWD/s"
		is "$(jq -r '"\(.kind) \(.cause)"' said | paste -sd, -)" 'boot stopped,vmrun stopped'
	done
	is "$(listed)" ''
	is "$(find r -mindepth 1)" ''
}
