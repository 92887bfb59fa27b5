#!/usr/bin/env bats
# examples/rc.d/vmrun, with stubs of rc.subr(8), daemon(8), pwait(1) and su(1) around it: two VMs, web and db.
# shellcheck disable=SC2154 # status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	export PATH="$SOURCE/tests/fake/rc:$PATH" RC_CONF=$PWD/rc.conf FAKE_SYSLOG=$PWD/log
	sed "s,^\. /etc/rc.subr,. $SOURCE/tests/fake/rc/rc.subr," "$SOURCE/examples/rc.d/vmrun" >vmrun.rc
	grep -q tests/fake/rc/rc.subr vmrun.rc
	mkdir etc pids
	vm=web spec '{}' etc/web.json
	vm=db spec '{}' etc/db.json
	cat >rc.conf <<-END
		vmrun_enable=YES
		vmrun_list="web db"
		vmrun_dir=$PWD/etc
		vmrun_piddir=$PWD/pids
		vmrun_rundir=$PWD/run
		vmrun_binary=$VMRUN
		vmrun_ctl=$PWD/ctl
		vmrun_daemon=daemon
		vmrun_flags="--no-requirement-check --state-dir $PWD/keep"
	END
	idle='acpi on wait exit 1'
	script "$idle" "$idle" "$idle" "$idle"
	: >log
}

teardown() {
	local file pid
	for file in pids/*.pid; do
		[ -e "$file" ] && pids+=("$(cat "$file")")
	done
	common_teardown
	for pid in "${pids[@]}"; do
		await is_gone "$pid"
	done
}

# service COMMAND [NAME...]: sets status; its words are in out and err
service() {
	status=0
	sh vmrun.rc "$@" >out 2>err 3>&- || status=$?
}

pid_of() {
	cat "pids/vmrun.$1.pid"
}

# recorder [COMMAND]: a vmrun that tells how it was called, and of each SIGHUP; COMMAND stands for its start
# of a hypervisor.
recorder() {
	# shellcheck disable=SC2016 # for the script
	local up=${1:-'echo $$ >"$2"'}
	cat >recorder <<-END
		#!/bin/sh
		cd "\${0%/*}"
		echo "\$*" >>called
		case \$1 in -d) exit 0 ;; esac
		trap 'echo hup >>hups' HUP
		trap 'exit 0' TERM
		$up
		while :; do sleep 0.02; done
	END
	chmod +x recorder
	echo "vmrun_binary=$PWD/recorder" >>rc.conf
}

@test "all start at once, are told by status, and stop at once" {
	service start
	is "$status" 0
	is "$(cat out)" 'Starting vmrun: web db.'
	is "$(cat modules)" vmm
	await_starts 2
	service status
	is "$status" 0
	is "$(grep -c 'is running as pid [0-9]*, its hypervisor as pid [0-9]*\.$' out)" 2
	has "web is running as pid $(pid_of web)," out
	has "its hypervisor as pid $(cat pids/vmrun.db.bhyve.pid)." out
	service stop
	is "$status" 0
	is "$(cat out)" 'Stopping vmrun: db web.'
	is "$(ls pids)" ''
	is "$(grep -c '^vmrun: ended with status 0$' log)" 2
	service status
	is "$status" 1
	is "$(cat out)" "$(printf 'web is not running.\ndb is not running.')"
	nothing_runs
}

@test "one by name" {
	service start web
	is "$status" 0
	is "$(cat out)" 'Starting vmrun: web.'
	service status web
	is "$status" 0
	service status
	is "$status" 1
	has 'db is not running.' out
	service start
	is "$status" 1
	has "web: already running? (pid=$(pid_of web))"
	is "$(cat out)" 'Starting vmrun: db.'
	service stop web
	is "$status" 0
	is "$(cat out)" 'Stopping vmrun: web.'
	service stop web
	is "$status" 1
	has 'web: not running?'
	service status db
	is "$status" 0
}

@test "restart starts another vmrun, and a second one right after" {
	service start
	before=$(pid_of web) other=$(pid_of db)
	service restart web
	is "$status" 0
	is "$(cat out)" "$(printf 'Stopping vmrun: web.\nStarting vmrun: web.')"
	[ "$(pid_of web)" != "$before" ]
	is "$(pid_of db)" "$other"
	await_starts 3
}

@test "a VM beside the list is started by name, and stopped with the others" {
	jq '.name = "rescue-1"' etc/web.json >elsewhere.json
	echo "vmrun_rescue_1_config=$PWD/elsewhere.json" >>rc.conf
	service start rescue-1
	is "$status" 0
	service start web
	service faststop
	is "$status" 0
	is "$(cat out)" 'Stopping vmrun: rescue-1 web.'
	nothing_runs
	service faststop
	is "$status" 0
	is "$(cat out)" ''
	service stop
	is "$(cat out)" 'No VM is running.'
}

@test "names that are unknown, or no names" {
	service start nosuch
	is "$status" 1
	has "nosuch: unknown VM: set vmrun_nosuch_config in rc.conf, or put nosuch.lua, .json, .ucl or .conf into $PWD/etc"
	for name in ../web web@1; do
		for command in start stop status reload check console; do
			service $command "$name"
			is "$status" 1
			has "invalid VM name \"$name\": expected letters"
		done
	done
	service status nosuch
	is "$status" 1
	has 'nosuch: unknown'
	service console
	is "$status" 64
	is "$(starts)" ''
	is "$(ls pids)" ''
}

@test "what one VM lacks does not keep the others down" {
	echo "vmrun_web_flags='--no-requirement-check --state-dir keep --bhyve /nonexistent/bhyve'" >>rc.conf
	service start
	is "$status" 1
	has 'web: ended at once: see the log for the reason, or "service vmrun check web" for what the host lacks'
	has '/nonexistent/bhyve' log
	has 'vmrun: ended with status 127' log
	service status
	is "$status" 1
	has 'web is not running.' out
	has 'db is running as pid' out
	service stop
	is "$status" 0
	is "$(cat out)" 'Stopping vmrun: db.'
	is "$(ls pids)" ''
}

@test "a mistake in a spec is told on the terminal" {
	echo '{"name": "web", "cpu": 1, "mem": "64M", "bootRom": "x"}' >etc/web.json
	service start
	is "$status" 1
	has "etc/web.json:1:41: bootRom: unknown key"
	has 'web: not started'
	is "$(cat out)" 'Starting vmrun: db.'
}

@test "check is vmrun's report of the host" {
	echo 'vmrun_flags=' >>rc.conf
	jq '.emulations = [{"device": "ahci-hd", "path": "missing.img"}]' etc/web.json >w && mv w etc/web.json
	service check web
	is "$status" 1
	has 'missing.img: No such file or directory' out
	is "$(starts)" ''
}

@test "a guest that does not go down in time is told" {
	echo 'vmrun_stop_timeout=1' >>rc.conf
	script "acpi on deaf" "$idle"
	service start web
	service start db
	service stop
	is "$status" 1
	has "web: still running after 1 seconds (pid=$(pid_of web))"
	lacks 'db: still running'
	[ ! -e pids/vmrun.db.pid ]
	service status web
	is "$status" 0
}

@test "a VM that is not up in time is waited for no longer" {
	echo 'vmrun_start_timeout=1' >>rc.conf
	recorder :
	service start web
	is "$status" 0
	has 'Not up yet after 1 seconds: web.' out
	service status web
	has 'at the moment without a hypervisor.' out
	service stop
	is "$status" 0
}

@test "not enabled" {
	echo 'vmrun_enable=NO' >>rc.conf
	service start
	has "Cannot 'start' vmrun." out
	is "$(starts)" ''
	service onestart web
	is "$status" 0
	await_starts 1
}

@test "reload is SIGHUP for vmrun, not for daemon" {
	recorder
	service start
	daemon=$(cat pids/vmrun.web.daemon.pid)
	service reload web
	is "$status" 0
	await eval '[ "$(wc -l <hups)" -eq 1 ]'
	kill -0 "$daemon"
	service reload
	is "$status" 0
	await eval '[ "$(wc -l <hups)" -eq 3 ]'
	service stop
	is "$status" 0
	service reload web
	is "$status" 1
}

@test "options of a VM and of all, in this order of daemon, vmrun and the spec" {
	recorder
	echo 'vmrun_web_target=install vmrun_web_flags="--fix --sandbox" vmrun_flags=--force' >>rc.conf
	service start
	is "$status" 0
	has "-d -t install --fix --sandbox $PWD/etc/web.json" called
	has "-p $PWD/pids/vmrun.web.bhyve.pid --run-dir $PWD/run -t install --fix --sandbox $PWD/etc/web.json" called
	has "--run-dir $PWD/run --force $PWD/etc/db.json" called
	has '-c -f -S -T vmrun -P' log.calls
	lacks ' -u ' log.calls
}

@test "the user of a VM runs all that reads its spec" {
	recorder
	echo "vmrun_web_user=$(id -un)" >>rc.conf
	service start
	is "$status" 0
	is "$(cat log.su)" "$(id -un)"
	has "-u $(id -un) $PWD/recorder -p" log.calls
	is "$(grep -c -e ' -u ' log.calls)" 1
	has "--run-dir $PWD/run-$(id -un) " called
	is "$(stat -c %a "run-$(id -un)" 2>/dev/null || stat -f %Lp "run-$(id -un)")" 700
}

@test "console is vmrunctl's" {
	printf '#!/bin/sh\necho "$*" >%s/ctl.called\n' "$PWD" >ctl
	chmod +x ctl
	service console web
	is "$status" 0
	is "$(cat ctl.called)" "-r $PWD/run web console"
}

@test "shellcheck finds nothing" {
	command -v shellcheck >/dev/null || skip "there is no shellcheck"
	shellcheck -s sh "$SOURCE/examples/rc.d/vmrun"
}
