#!/usr/bin/env bats
# The checks of the host: reports, the commands that they run, prompts, and that they change nothing.
# shellcheck disable=SC2034,SC2154 # unchecked, vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
	unchecked=()
	fake_host
	export FAKE_CALLS=$PWD/calls
	: >state/interfaces
	echo vmm.ko >state/modules
	printf 'hw.vmm.maxcpu=16\nhw.physmem=4294967296\n' >state/sysctls
	: >calls
	run=$BATS_TEST_TMPDIR/run-dir
}

teardown() {
	common_teardown
}

# check STATUS ARG...: runs a check, which must end with the status and change nothing
check() {
	local wanted=$1
	shift
	find state . -mindepth 1 ! -name out ! -name err ! -name calls ! -name before ! -name after |
		sort >before
	find state -type f -exec cat {} + >>before
	vmrun --check --run-dir "$run" "$@"
	find state . -mindepth 1 ! -name out ! -name err ! -name calls ! -name before ! -name after |
		sort >after
	find state -type f -exec cat {} + >>after
	is "$status" "$wanted"
	cmp before after
	is "$(starts)" ''
	is "$(grep -vE '^(ifconfig -l|ifconfig [a-z0-9]+|kldstat -q -m [a-z_]+|sysctl -n [a-z.]+|pciconf -l)$' calls)" ''
}

# refused_alike ARG...: checks and runs, both of which must give the same report, and start nothing
refused_alike() {
	rm -f events
	check 69 "$@"
	cp out report
	vmrun --events events "$@"
	is "$status" 69
	is "$(sed -n '/ cannot start:/,/: no further boot/p' err | sed '$d')" "$(cat report)"
	is "$(starts)" ''
}

needs_commands() {
	[ "$(uname)" != FreeBSD ] || skip 'on FreeBSD these facts come from the kernel'
}

@test "the report: every problem, by device, with the command that mends it" {
	needs_commands
	: >state/modules
	spec '{"cpu": 17, "mem": "8G", "com1": "/dev/nmdm7A", "emulations": [
		{"device": "virtio-net", "name": "tap3"}, {"device": "e1000", "bridge": "bridge0"},
		{"device": "nvme", "path": "/dev/zvol/no/x"}],
		"targets": {"install": {"emulations": [{"device": "ahci-cd", "path": "disc1.iso"}]}}}'
	check 69 -t install vm.json
	has "$vm: checked for bhyve"
	is "$(head -n 2 out)" "vmrun: $vm (target install) cannot start:
  7 problems on the VM itself and 4 devices"
	cat >wanted <<-END
		  the VM itself
		    vmm: the module is not loaded               fix: kldload vmm
		    mem: 8192 MiB are more than the 4096 MiB of this host
		    /dev/nmdm7A: the module nmdm is not loaded  fix: kldload nmdm
		  virtio-net at 0:1:0 (emulations[0])
		    tap3: no such interface                     fix: ifconfig tap3 create up
		  e1000 at 0:2:0 (emulations[1])
		    bridge0: no such interface                  fix: ifconfig bridge0 create up
		  nvme at 0:3:0 (emulations[2])
		    /dev/zvol/no/x: No such file or directory   fix: zfs create -V 20G no/x
		  ahci-cd at 0:4:0 (targets.install.emulations[0])
		    $PWD/disc1.iso: No such file or directory
	END
	diff -u wanted <(sed -n '/^  the VM itself/,$p' out)
	echo vmm.ko >state/modules
	check 69 --set mem=1G --set com1=null vm.json
	has '    cpu: 17 processors: vmm(4) allows 16 (hw.vmm.maxcpu)' out
}

@test "a missing disk: how to make it, which vmrun leaves to the user" {
	needs_commands
	mkdir 'a dir'
	spec '{"emulations": [{"device": "nvme", "path": "a dir/x.img", "fix": true}]}'
	check 69 --force vm.json
	has "fix: truncate -s 20G '$PWD/a dir/x.img'" out
	lacks 'a run would' out
	vmrun --force vm.json
	is "$status" 69
	[ ! -e 'a dir/x.img' ]
	at_terminal y vm.json
	is "$status" 69
	lacks Apply out.plain
	eval "$(sed -n 's/.*fix: //p' out.plain)"
	check 0 vm.json
}

@test "an image that is not raw: the command that converts it" {
	needs_commands
	truncate -s 1M a.raw
	gzip -k a.raw
	truncate -s 1M b.qcow2
	printf 'QFI\373\0\0\0\3' | dd of=b.qcow2 conv=notrunc status=none
	spec '{"emulations": [{"device": "nvme", "path": "a.raw.gz"}, {"device": "ahci",
		"ports": [{"type": "hd", "path": "b.qcow2"}, {"type": "hd", "path": "a.raw"}]}]}'
	rm a.raw
	check 69 vm.json
	has "fix: gzip -dk $PWD/a.raw.gz" out
	has "fix: qemu-img convert -f qcow2 -O raw $PWD/b.qcow2 $PWD/b.raw" out
	eval "$(sed -n 's/.*fix: gzip/gzip/p' out)"
	check 69 --set 'emulations=[{"device": "nvme", "path": "a.raw.gz"}]' vm.json
	lacks 'fix:' out
	check 0 --set 'emulations=[{"device": "nvme", "path": "a.raw"}]' vm.json
}

@test "what a run would execute: each program, with the package that has it" {
	needs_commands
	spec '{"bootrom": null, "loader": "grub", "post_start_script": "./up.sh",
		"com1": "console", "console": {"log": "logs/a.log"},
		"ready": {"exec": "no-up"}, "alive": {"exec": ["./alive.sh", "x"]},
		"companions": [{"name": "dhcp", "command": ["no-dhcpd", "-d"], "ready": ["no-look"]}]}'
	mkdir tools
	cp "$SOURCE"/tests/fake/bin/{kldstat,sysctl,ifconfig} tools/
	PATH=$PWD/tools:/usr/bin:/bin check 69 --bhyve /nope vm.json
	has '    /nope: No such file or directory' out
	has '    grub-bhyve: not found in PATH ' out
	has ' fix: pkg install grub2-bhyve' out
	has "  warning: $PWD/up.sh: No such file or directory" out
	has '      (post_start_script)' out
	lacks "    $PWD/up.sh" out
	has '    no-dhcpd: not found in PATH (companion dhcp)' out
	has '    no-look: not found in PATH (ready of companion dhcp)' out
	has '    no-up: not found in PATH (ready)' out
	has "    $PWD/alive.sh: No such file or directory (alive)" out
	has "fix: mkdir -p $PWD/logs" out
	PATH=$PWD/tools:/usr/bin:/bin check 69 --force --bhyve /nope vm.json
	lacks 'a run would' out
	PATH=$PWD/tools:/usr/bin:/bin vmrun --force --bhyve /nope vm.json
	is "$status" 127
	is "$(starts)" ''
	printf '#!/bin/sh\n' >up.sh
	chmod +x up.sh
	cp up.sh tools/no-dhcpd
	cp up.sh tools/no-look
	cp up.sh tools/no-up
	cp up.sh alive.sh
	mkdir logs
	PATH=$PWD/tools:$PATH check 0 vm.json
}

@test "post_start_script that cannot be executed is a warning, and the VM starts" {
	needs_commands
	spec '{"post_start_script": "/no/script"}'
	check 0 vm.json
	is "$(cat out)" "vmrun: $vm (target default) can start: no problems
  warning: /no/script: No such file or directory (post_start_script)"
	check 0 --json vm.json
	is "$(jq -c 'del(.vm)' out)" '{"target":"default","problems":[],"warnings":[{"device":null,"id":null,"slot":null,"path":"post_start_script","problem":"/no/script: No such file or directory (post_start_script)"}]}'
	# Beside a problem it is no second one.
	spec '{"post_start_script": "/no/script", "emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	refused_alike vm.json
	is "$(head -n 1 report)" "vmrun: $vm (target default) cannot start: 1 problem on 1 device"
	has '  warning: /no/script: No such file or directory (post_start_script)' report
	is "$(jq '.problems | length' <(jq -c 'select(.event == "checked")' events))" 1
	echo tap3 >state/interfaces
	script 'sleep 100 exit 1'
	vmrun vm.json
	is "$status" 0
	has 'warning: post_start_script: /no/script: No such file or directory'
	is "$(grep -c /no/script err)" 1
}

@test "no line of the report has more than 80 columns, unless a path or a command does" {
	needs_commands
	: >state/modules
	mkdir state/vmm
	: >"state/vmm/$vm"
	spec '{"cpu": 17, "mem": "8G", "com1": "/dev/nmdm7A", "com2": "/dev/nmdm8A",
		"emulations": [{"device": "virtio-net", "name": "alongname", "type": "tap"},
			{"device": "virtio-net", "name": "vale123:port"}, {"device": "passthru", "src": "3:0:0"}]}'
	printf '%s:\tclass=0x03 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03 subvendor=0x1043 subdevice=0x85ac\n' \
		vgapci0@pci0:3:0:0 >state/pci
	check 69 --set "bootrom=$PWD/nope" --set 'varfile=/no/vars' --set "varfile_template=$rom" vm.json
	is "$(grep -cE '^ +fix: ' out)" 3
	is "$(grep -E '.{81}' out | grep -v "^    $PWD/nope:$")" ''
}

@test "problems of devices alone, and one of each" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	check 69 vm.json
	is "$(head -n 1 out)" "vmrun: $vm (target default) cannot start: 1 problem on 1 device"
	spec '{"mem": "8G"}'
	check 69 vm.json
	is "$(head -n 1 out)" "vmrun: $vm (target default) cannot start: 1 problem on the VM itself"
}

@test "nothing wrong: 0, and said" {
	needs_commands
	echo tap3 >state/interfaces
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	check 0 vm.json
	is "$(cat out)" "vmrun: $vm (target default) can start: no problems"
}

@test "--json" {
	needs_commands
	spec '{"mem": "8G", "targets": {"install": {"emulations": [
		{"device": "virtio-net", "name": "tap3", "id": "lan"}]}}}'
	check 69 --json -t install vm.json
	is "$(jq -c --sort-keys . out)" "$(jq -nc --sort-keys --arg vm "$vm" '{vm: $vm, target: "install", problems: [
		{device: null, id: null, slot: null, path: "mem", fix: null,
			problem: "mem: 8192 MiB are more than the 4096 MiB of this host"},
		{device: "virtio-net", id: "lan", slot: "0:1:0",
			path: "targets.install.emulations[0].name",
			problem: "tap3: no such interface", fix: "ifconfig tap3 create up"}]}')"
	is "$(wc -l <out)" 1
	spec
	check 0 --json vm.json
	is "$(jq -c . out)" "{\"vm\":\"$vm\",\"target\":\"default\",\"problems\":[]}"
}

@test "--fix, --force and \"fix\": true only say what a run would do" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"},
		{"device": "virtio-net", "name": "tap4", "fix": true}]}'
	check 69 vm.json # tap3 stays, so a run would make no tap4
	lacks 'a run would fix this' out
	echo tap3 >state/interfaces
	check 69 vm.json
	has '  a run would fix this: ifconfig tap4 create up' out
	: >state/interfaces
	local option
	for option in --fix --recover -f --force; do
		check 69 $option vm.json
		has '  a run would fix this: ifconfig tap3 create up' out
	done
	check 69 -n --fix vm.json
}

@test "a leftover VM: only --force would destroy it" {
	needs_commands
	spec
	mkdir state/vmm
	: >"state/vmm/$vm"
	check 69 --fix vm.json
	tr -s ' \n' ' ' <out | # the line is wrapped, by the length of the name
		grep -qF "/dev/vmm/$vm: a VM of this name exists, and this vmrun did not create it (--force destroys it)"
	has "fix: bhyvectl --vm=$vm --destroy" out
	lacks 'a run would' out
	check 69 --force vm.json
	has "  a run would fix this: bhyvectl --vm=$vm --destroy" out
	[ -e "state/vmm/$vm" ]
}

@test "PCI devices: by address, by name, by ids" {
	needs_commands
	printf '%s:\tclass=0x03 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03 subvendor=0x1043 subdevice=0x%s\n' \
		vgapci0@pci0:3:0:0 85ac ppt0@pci0:4:0:0 85ad none1@pci0:5:0:0 85ae >state/pci
	: >state/pci.old
	spec '{"emulations": [{"device": "passthru", "src": "3:0:0"}, {"device": "passthru", "src": "ppt0"},
		{"device": "passthru", "lookup": {"vendor": "0x10de1043", "device": "1c0385ae"}},
		{"device": "passthru", "src": "9/0/0"},
		{"device": "passthru", "lookup": {"vendor": "10de1043", "device": "1c030000"}}]}'
	check 69 vm.json
	is "$(grep -o '^    .*' out | sed 's/^ *//; s/  */ /g')" \
		'pci0:3:0:0: attached to vgapci0, not to ppt(4)
fix: devctl set driver -f pci0:3:0:0 ppt
pci0:5:0:0: not attached to ppt(4) fix: devctl set driver -f pci0:5:0:0 ppt
9/0/0: no such PCI device
10de1043 1c030000: no such PCI device'
}

@test "a missing command is one line, and no problem" {
	needs_commands
	mkdir bin
	cp "$SOURCE/tests/fake/bin/sysctl" bin/
	spec '{"com1": "/dev/nmdm7A", "com2": "/dev/nmdm8A"}'
	PATH=$PWD/bin:${PATH#"$SOURCE/tests/fake/bin":} check 0 vm.json
	is "$(cat out)" "vmrun: $vm (target default) can start: no problems
  not checked: no kldstat"
}

@test "a check runs the chunk and on_prepare, and checks what that says" {
	needs_commands
	lua 'print("chunk")
	vm.on_prepare = function(s) print("prepare"); s.emulations = {{ device = "virtio-net", name = "tap5" }} return s end'
	check 69 vm.lua
	has chunk
	has prepare
	has 'tap5: no such interface' out
}

@test "a spec that is wrong is 65, not a report" {
	spec '{"mem": "1.5G"}'
	vmrun --check vm.json
	is "$status" 65
	[ ! -s out ]
	spec '{"targets": {}}'
	vmrun --check -t nope vm.json
	is "$status" 65
}

@test "options that do not fit" {
	spec
	vmrun --json vm.json
	is "$status" 64
	has '--json is only for --check, --simulate or --print devices'
	vmrun --check --no-requirement-check vm.json
	is "$status" 64
	has 'exclude each other'
}

@test "output that cannot be written is an error" {
	[ -e /dev/full ] || skip 'there is no /dev/full here'
	spec
	status=0
	"$VMRUN" --check vm.json >/dev/full 2>err || status=$?
	is "$status" 71
}

# --- runs ---

@test "a run that is refused: the report on stderr, 69" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	vmrun vm.json
	is "$status" 69
	has "vmrun: $vm (target default) cannot start: 1 problem on 1 device"
	has '    tap3: no such interface             fix: ifconfig tap3 create up'
	is "$(grep -c 'no such interface' err)" 1
	lacks 'would fix'
	[ ! -s out ]
	is "$(starts)" ''
}

@test "--no-requirement-check starts whatever is missing" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	script 'exit 1'
	vmrun --no-requirement-check vm.json
	is "$status" 0
	is "$(starts)" 1
	is "$(grep -v '^bhyvectl' calls)" ''
}

@test "--fix mends it, and gives it back at the end" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	script 'exit 1'
	vmrun --fix vm.json
	is "$status" 0
	is "$(starts)" 1
	is "$(grep -c '^ifconfig tap3 create up$' calls)" 1
	is "$(grep -c '^ifconfig tap3 destroy$' calls)" 1
	is "$(cat state/interfaces)" ''
}

@test "--fix attaches a device to ppt and gives it back; one that was attached stays" {
	needs_commands
	local before
	printf '%s:\tclass=0x03 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03 subvendor=0x1043 subdevice=0x%s\n' \
		vgapci0@pci0:3:0:0 85ac ppt0@pci0:4:0:0 85ad >state/pci
	: >state/pci.old
	before=$(cat state/pci)
	spec '{"emulations": [{"device": "passthru", "src": "3:0:0"}, {"device": "passthru", "src": "4:0:0"}]}'
	script 'exit 0' 'exit 1'
	vmrun --fix vm.json
	is "$status" 0
	is "$(starts)" 2
	is "$(grep '^devctl' calls)" 'devctl set driver -f pci0:3:0:0 ppt
devctl clear driver -f pci0:3:0:0'
	is "$(cat state/pci)" "$before"
}

@test "a tap that was there is nobody's to destroy, whatever --fix mends beside it" {
	needs_commands
	echo 'tap3 up' >state/interfaces
	: >state/modules
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	script 'exit 1'
	vmrun --fix vm.json
	is "$status" 0
	is "$(grep '^kldload' calls)" 'kldload vmm'
	is "$(grep ifconfig calls | grep destroy)" ''
	is "$(cat state/interfaces)" 'tap3 up'
}

@test "what a fix took is given back after a stop, and when bhyve fails" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}], "stop": [{"do": "kill", "wait": 5}]}'
	script 'err no exit 4'
	vmrun --fix vm.json
	is "$status" 4
	is "$(cat state/interfaces)" ''
	script 'ready up hang'
	start --fix vm.json
	await_file up
	kill -TERM "$pid"
	ends 0
	is "$(cat state/interfaces)" ''
	is "$(grep -c '^ifconfig tap3 destroy$' calls)" 2
}

@test "no fix is applied where a problem stays that no allowed fix can mend" {
	needs_commands
	spec '{"mem": "8G", "emulations": [{"device": "virtio-net", "bridge": "bridge0", "fix": true},
		{"device": "virtio-net", "name": "tap3", "fix": true}]}'
	local option
	for option in --log-level=info --fix --force; do
		vmrun "$option" vm.json
		is "$status" 69
		has 'more than the 4096 MiB of this host'
		has '    bridge0: no such interface          fix: ifconfig bridge0 create up'
	done
	check 69 --fix vm.json
	lacks 'a run would fix this' out
	is "$(grep -E 'create|kldload' calls)" ''
	is "$(cat state/interfaces)" ''
	# A device without "fix" holds up those with it.
	spec '{"emulations": [{"device": "virtio-net", "bridge": "bridge0"},
		{"device": "virtio-net", "name": "tap3", "fix": true}]}'
	vmrun vm.json
	is "$status" 69
	is "$(grep create calls)" ''
	script 'exit 1'
	vmrun --fix vm.json
	is "$status" 0
}

@test "a run reports what it cannot find or open with all else that a check finds" {
	needs_commands
	: >state/pci
	: >state/pci.old
	local others='{"device": "nvme", "path": "no-disk"}, {"device": "virtio-net", "name": "tap3"}'
	spec '{"com1": "console", "console": {"log": "cdir/x.log"}, "emulations": ['"$others"']}'
	refused_alike vm.json
	has "fix: mkdir -p $PWD/cdir" report
	has 'tap3: no such interface' report
	has "$PWD/no-disk: No such file or directory" report
	refused_alike --fix vm.json
	[ ! -e cdir ]
	spec '{"emulations": [{"device": "passthru", "lookup": {"vendor": "10de1043", "device": "1c030000"}}, '"$others"']}'
	refused_alike vm.json
	has '10de1043 1c030000: no such PCI device' report
	has 'tap3: no such interface' report
	spec '{"graphic": {"host": "192.0.2.1", "port": "auto"}, "emulations": ['"$others"']}'
	refused_alike vm.json
	has '192.0.2.1: this host has no such address' report
	has 'tap3: no such interface' report
	# A device of the VM stays in its place among the others.
	is "$(grep -c '^  [a-z]' report)" 3
	# Without checks these are all that refuse the boot.
	vmrun --no-requirement-check vm.json
	is "$status" 69
	has '192.0.2.1: this host has no such address'
	lacks tap3
	spec '{"com1": "console", "console": {"log": "cdir/x.log"}, "emulations": ['"$others"']}'
	vmrun --no-requirement-check vm.json
	is "$status" 69
	has "console: cannot write $PWD/cdir/x.log: No such file"
	lacks tap3
	# What only the opening tells is a problem among the others, too.
	spec '{"com1": "console", "console": {"log": "fifo"}, "emulations": ['"$others"']}'
	mkfifo fifo
	vmrun vm.json
	is "$status" 69
	has "console: cannot write $PWD/fifo: "
	has 'tap3: no such interface'
}

@test "a file without a password: the same problem for a check and for a run, which tells its end" {
	needs_commands
	spec '{"graphic": {"port": "auto", "password_file": "pw"}, "targets": {"other": {"graphic": {"password_file": "no"}}},
		"emulations": [{"device": "nvme", "path": "no-disk"}]}'
	local row text why
	for row in ':is empty' '123456789:is too long' 'a\0b:has a NUL byte or a carriage return'; do
		why=${row#*:}
		# shellcheck disable=SC2059 # the escapes are for printf
		printf "${row%:*}" >pw
		refused_alike vm.json
		text=$(tr -s ' \n' ' ' <report)
		[[ $text == *"$PWD/pw: its first line $why: expected a password of 1 to 8 bytes"* ]]
		has "$PWD/no-disk: No such file or directory" report
		has "$vm: booting"
		has "ended with status 69: the boot could not be prepared"
		is "$(jq -r '.event | select(. != "policy")' events | xargs)" 'starting checked exit decided ended'
	done
	rm pw
	refused_alike vm.json
	has "$PWD/pw: No such file or directory" report
	has "$PWD/no-disk: No such file or directory" report
	mkfifo pw
	refused_alike vm.json
	has "$PWD/pw: a FIFO: expected a file" report
	rm pw
	echo good >pw
	truncate -s 1M no-disk
	check 0 vm.json
	script 'exit 1'
	vmrun vm.json # the password of another target is no matter of this boot
	is "$status" 0
	# Without checks, the start itself tells it.
	printf 'a\0b' >pw
	vmrun --no-requirement-check --events events vm.json
	is "$status" 69
	has "password_file: $PWD/pw: its first line has a NUL byte"
	is "$(jq -r '.event | select(. != "policy")' events | head -n 1)" starting
}

@test "a fix that fails is the last one" {
	needs_commands
	mkdir bin
	printf '#!/bin/sh\nfalse\n' >bin/kldload
	chmod +x bin/kldload
	: >state/modules
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	PATH=$PWD/bin:$PATH vmrun --fix vm.json
	is "$status" 69
	has '`kldload vmm` failed'
	is "$(grep create calls)" ''
	cp "$SOURCE"/tests/fake/bin/* bin/
	rm bin/kldload # a fix that cannot be started neither
	PATH=$PWD/bin:${PATH#"$SOURCE/tests/fake/bin":} vmrun --fix vm.json
	is "$status" 69
	has 'kldload: not found'
	is "$(grep create calls)" ''
}

# at_terminal ANSWER ARG...: runs vmrun with a terminal as stdin and stderr, whose output is in out
at_terminal() {
	local answer=$1
	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	status=0
	printf '%s\n' "$answer" | "$PTY" sh -c 'exec "$@" 2>&1' sh "$VMRUN" "${stated[@]}" --run-dir "$run" "$@" >out 2>err 3>&- ||
		status=$?
	tr -d '\r' <out >out.plain
}

@test "at a terminal: asks once, and yes is --fix" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	script 'exit 1'
	at_terminal y vm.json
	is "$status" 0
	is "$(grep -o 'Apply [0-9]* fix[es]*? \[y/N\]' out.plain)" 'Apply 1 fix? [y/N]'
	is "$(starts)" 1
	is "$(grep -c '^ifconfig tap3 create up$' calls)" 1
}

@test "at a terminal: anything else is no" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}, {"device": "virtio-net", "name": "tap4"}]}'
	local answer
	for answer in n '' nope yy; do
		at_terminal "$answer" vm.json
		is "$status" 69
		has 'Apply 2 fixes? [y/N]' out.plain
		is "$(starts)" ''
	done
	is "$(grep create calls)" ''
}

@test "at a terminal: no question where there is nothing to mend, or it is answered already" {
	needs_commands
	spec '{"mem": "8G"}'
	at_terminal y vm.json
	is "$status" 69
	lacks Apply out.plain
	has 'more than the 4096 MiB' out.plain
	spec '{"mem": "8G", "emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	at_terminal y vm.json
	is "$status" 69
	lacks Apply out.plain
	has 'fix: ifconfig tap3 create up' out.plain
	is "$(grep create calls)" ''
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"}]}'
	script 'exit 1'
	at_terminal n --fix vm.json
	is "$status" 0
	lacks Apply out.plain
}

@test "at a terminal: nothing is applied before the answer" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3"},
		{"device": "virtio-net", "name": "tap4", "fix": true}]}'
	at_terminal n vm.json
	is "$status" 69
	has 'Apply 2 fixes? [y/N]' out.plain
	is "$(grep create calls)" ''
	script 'exit 1'
	at_terminal y vm.json
	is "$status" 0
}

@test "a VM that runs already is the reason, not a list of busy things" {
	needs_commands
	spec '{"emulations": [{"device": "virtio-net", "name": "tap3", "fix": true}]}'
	script 'ready up hang'
	start --run-dir "$run" vm.json
	await_file up
	rm state/interfaces
	at_terminal y vm.json
	is "$status" 75
	lacks Apply out.plain
	kill -TERM "$pid"
	kill -TERM "$pid" || :
	kill -KILL "$pid" || :
	wait "$pid" || :
}

@test "the package of a firmware that the spec names at its known place" {
	local one missing=''
	for one in /usr/local/share/{uefi-firmware,edk2-bhyve}/BHYVE_UEFI{,_CODE}.fd; do
		[ -e "$one" ] || missing=$one
	done
	[ -n "$missing" ] || skip 'all firmware of the ports is installed'
	spec "{\"bootrom\": \"$missing\"}"
	vmrun --check vm.json
	is "$status" 69
	has "$missing: No such file or directory" out
	has 'fix: pkg install edk2-bhyve' out
	spec '{"bootrom": "nope/BHYVE_UEFI.fd"}'
	vmrun --check vm.json
	is "$status" 69
	has "$PWD/nope/BHYVE_UEFI.fd: No such file or directory" out
	lacks 'pkg install' out
}
