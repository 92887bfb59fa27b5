#!/usr/bin/env bats
# The files and the words of other programs.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# is_kind KIND FILE: checks that the file is refused as one of this kind, and from stdin, too
is_kind() {
	vmrun -d "$2"
	is "$status" 65
	is "$(cat err)" "$2: this is $1, not a spec: vmrun --import $2 prints the spec of that VM"
	[ ! -s out ]
	[ "${2%.conf}" != "$2" ] && return
	status=0
	"$VMRUN" -d - <"$2" >out 2>err || status=$?
	is "$status" 65
	is "$(cat err)" "<stdin>: this is $1, not a spec: vmrun --import - prints the spec of that VM"
}

@test "a vm-bhyve configuration, before uclcmd is looked for" {
	printf '%s\n' 'loader="bhyveload"' 'cpu=1' 'memory=256M' 'network0_type="virtio-net"' \
		'network0_switch="public"' 'disk0_type="virtio-blk"' 'disk0_name="disk0.img"' >guest.conf
	is_kind 'a vm-bhyve configuration' guest.conf
	printf '%s\n' '# a guest' 'memory="1G"' 'cpu="2"' >plain
	is_kind 'a vm-bhyve configuration' plain
}

@test "a bhyve_config file, a shell script, a command line" {
	printf '%s\n' '# made by hand' 'acpi_tables=true' 'memory.size=256M' 'pci.0.3.0.device=virtio-blk' >vm.bhyve
	is_kind 'a bhyve_config(5) file' vm.bhyve
	local shell
	for shell in '#!/bin/sh' '#! /bin/sh -' '#!/usr/bin/env bash' '#!/usr/local/bin/bash -e'; do
		printf '%s\n' "$shell" 'while :; do' '	bhyve -c 2 -m 1G vm || break' 'done' >run.sh
		is_kind 'a shell script' run.sh
	done
	printf '%s\n' 'sudo /usr/sbin/bhyve -A -H \' ' -s 0,hostbridge vm' >line
	is_kind 'a bhyve command line' line
	printf 'daemon -f bhyveload -m 1G vm' >line
	is_kind 'a bhyve command line' line
}

@test "command lines without a shell's first line, wherever bhyve stands in them" {
	local line
	for line in '/usr/sbin/bhyve \' 'VM=foo; bhyve -A foo' 'if ! bhyve -A foo; then exit 1; fi' \
		'nice -n 5 bhyve -A foo' 'cpuset -l 2-3 bhyve -A foo &' '	@sudo bhyve -A ${VM}' '	bhyve -A ${VM} || break'; do
		printf '%s\n' '# a script' 'VM=foo' "$line" '  -s 0,hostbridge $VM' >run
		is_kind 'a bhyve command line' run
	done
}

@test "command lines whose options or program are variables, and a prompt of root" {
	printf '%s\n' 'ARGS="-m 1G -s 0,hostbridge"' 'bhyve $ARGS vm' >run
	is_kind 'a bhyve command line' run
	printf '%s\n' 'exec bhyve ${ARGS} vm' >run
	is_kind 'a bhyve command line' run
	printf '%s\n' 'B=/usr/sbin/bhyve' '$B -m 1G vm' >run
	is_kind 'a bhyve command line' run
	printf '%s\n' '# bhyve -m 1G vm' >run
	is_kind 'a bhyve command line' run
}

@test "UCL with sections is no file of another program, nor is Lua that returns a table" {
	printf '%s\n' 'name: a' 'cpu: 1' 'mem: 64M' 'config {' 'pci.0.3.0.x=1' 'acpi_tables=true' '}' >vm.conf
	vmrun -d vm.conf
	lacks 'not a spec'
	printf '%s\n' 'cpu=2' 'memory=1G' 'disk0_type=x' 'emulations: {' '}' >vm.conf
	vmrun -d vm.conf
	lacks 'not a spec'
	printf '%s\n' '.include "common.conf"' 'cpu=2' 'memory=1G' >vm.conf
	vmrun -d vm.conf
	lacks 'not a spec'
	printf '%s\n' '--[[ made from' 'bhyve -A -H foo' ']]' 'cpu=2' 'memory="64M"' 'loader=nil' \
		"return { name = \"$vm\", cpu = cpu, mem = memory }" >spec
	vmrun -d spec
	is "$status" 0
}

@test "specs are none of these: Lua and UCL that speak of bhyve, JSON with such values" {
	printf '%s\n' '#!/usr/bin/env vmrun' '-- bhyve -c 2' "return { name = \"$vm\"," 'cpu=1,' 'mem="64M",' \
		'bhyve = { release = 14 } }' >spec
	vmrun -d spec
	is "$status" 0
	[ ! -s err ]
	printf '%s\n' "name = \"$vm\"" 'cpu = 1' 'bhyve {' '  release = 14' '}' >vm.conf
	vmrun -d vm.conf
	lacks 'not a spec' # with uclcmd or without
	spec '{"extra_options": ["bhyve -c 2"]}'
	jq . vm.json | sed 's/^ *//' >lines
	"$VMRUN" -d - <lines >out
}

# means WORD MEANT: checks the hint for an unknown key of the spec
means() {
	jq -n --arg key "$1" '{name: "a", cpu: 1, mem: "64M", ($key): 1}' >vm.json
	vmrun -d vm.json
	is "$status" 65
	grep -qF "unknown key \"$1\", did you mean \"$2\"?" err || is "$(cat err)" "$1: $2"
}

@test "words of bhyve_config, vm-bhyve, libvirt, QEMU and Docker for keys of the spec" {
	local word
	for word in memory ram memory.size maxmem currentMemory; do means $word mem; done
	for word in cpus vcpu vcpus smp cores cpu_sockets; do means $word cpu; done
	for word in disk disks drive iso cdrom network0_type network0_switch disk12_name nics passthru0 9p hostdev \
		sound rng volumes filesystem boot; do means $word emulations; done
	for word in vnc graphics display graphics_port xhci_mouse; do means $word graphic; done
	for word in serial lpc.com1.path comports; do means $word com1; done
	for word in uefi bios firmware lpc.bootrom; do means $word bootrom; done
	means nvram varfile
	means restart on
	means on_crash on
	means max_restarts restart_limit
	means prestart hooks
	means profiles targets
	means depends_on wait_for
	means cpuset pin
	means x86.strictio strict_io
	means acpi_tables generate_acpi
	means wired_memory wire_guest_mem
	means utctime utc_clock
	means hostname name
	for word in tap tap0 interface backend network0_mac; do means $word emulations; done
	has '"device": "virtio-net"'
	for word in kernel initrd append bootargs; do means $word qemu; done
	for word in pre_start post_stop_script; do means $word hooks; done
	for word in grub_run_partition bhyveload_loader; do means $word loader; done
	for word in mem_limit memory_mb maxMemory; do means $word mem; done
	means wait_vnc graphic
	means pci.0.3.0.device emulations
	means vcpu.0.cpuset pin
	means system.product_name smbios
	for word in healthcheck health_check liveness livenessProbe; do means $word alive; done
	for word in readiness readinessProbe startup_probe TimeoutStartSec; do means $word ready; done
	for word in timeout max_runtime RuntimeMaxSec; do means $word time_limit; done
}

@test "no hint is better than a wrong one" {
	local word
	for word in os type nmdm emulator debug password ip stdio reboot; do
		jq -n --arg key "$word" '{name: "a", cpu: 1, mem: "64M", ($key): 1}' >vm.json
		vmrun -d vm.json
		is "$(sed 's/.*: //' err)" "unknown key \"$word\""
	done
	for word in virtio-vsock virtio-sound virtio-pmem virtio-balloon lpc tpm; do
		spec "{\"emulations\": [{\"device\": \"$word\"}]}"
		vmrun -d vm.json
		has "unknown device \"$word\""
		lacks 'did you mean'
	done
	spec '{"emulations": [{"device": "virtio-net", "name": "tap0", "model": 1, "driver": 1, "ip": 1, "host": 1},
		{"device": "passthru", "src": "3/0/0", "driver": "vfio"}]}'
	vmrun -d vm.json
	is "$(wc -l <err)" 5
	lacks 'did you mean'
	local command
	for command in start boot undefine; do
		status=0
		"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" $command 2>err || status=$?
		is "$status" 64
		lacks 'did you mean'
	done
}

@test "a spec in UCL with a word of vm-bhyve is a spec: it has a name" {
	printf '%s\n' "name=\"$vm\"" 'cpu=1' 'memory="1G"' 'loader="bhyveload"' >vm.conf
	vmrun -d vm.conf
	lacks 'not a spec' # with uclcmd or without
	sed -i 1d vm.conf
	vmrun -d vm.conf
	has 'not a spec'
}

@test "an example where the word alone does not say how" {
	means iso emulations
	has 'Write "emulations": [{"device": "ahci-cd", "path": "disc1.iso"}]'
	means memory mem
	has 'Write "mem": "2G"'
	means lpc.bootrom bootrom
	lacks Write
}

@test "and for devices, their keys, and causes" {
	spec '{"on": {"crash": "boot", "shutdown": "stop"}, "emulations": [
		{"device": "virtio-blk", "path": "x", "sectorsize": 512, "readonly": true, "serial": "s", "size": "10G"},
		{"device": "virtio-net", "name": "tap0", "macaddr": "x", "switch": "y"},
		{"device": "cdrom", "path": "x"}, {"device": "9p"}, {"device": "vfio-pci"}, {"device": "virtio-rng"},
		{"type": "virtio-blk", "path": "x"}, {"device": "fbuf", "address": "::1"},
		{"device": "ahci-cd", "iso": "x"}, {"device": "virtio-console", "socket": "x"},
		{"device": "virtio-net", "source": "bridge0"}, {"device": "passthru", "romfile": "x"},
		{"device": "ahci-dvd"}]}'
	vmrun -d vm.json
	is "$status" 65
	has 'unknown key "crash", did you mean "triple_fault"?'
	has 'unknown key "size", did you mean "path"? Write "path": "disk.img", a file of that size, as truncate(1) makes it'
	has 'unknown key "shutdown", did you mean "poweroff"?'
	has 'unknown key "sectorsize", did you mean "logical_sector_size"?'
	has 'unknown key "readonly", did you mean "ro"?'
	has 'unknown key "serial", did you mean "ser"?'
	has 'unknown key "macaddr", did you mean "mac"?'
	has 'unknown key "switch", did you mean "bridge"?'
	has 'unknown device "cdrom", did you mean "ahci-cd"?'
	has 'unknown device "9p", did you mean "virtio-9p"?'
	has 'unknown device "vfio-pci", did you mean "passthru"?'
	has 'unknown device "virtio-rng", did you mean "virtio-rnd"?'
	has 'unknown key "type", did you mean "device"?'
	lacks '"device" is missing'
	has 'unknown key "address", did you mean "host"?'
	has 'unknown key "iso", did you mean "path"?'
	has 'unknown key "socket", did you mean "ports"?'
	has 'unknown key "source", did you mean "bridge"?'
	has 'unknown key "romfile", did you mean "rom"?'
	has 'unknown device "ahci-dvd", did you mean "ahci-cd"?'
	spec '{"on": {"timeout": "boot", "hang": "boot"}, "ready": {"port": 22, "timeout": 9, "interval": 1},
		"alive": {"command": "x", "retries": 2, "banner": "x"}}'
	vmrun -d vm.json
	is "$(sed -n 's/.*: unknown key "\(.*\)", did you mean "\(.*\)"?.*/\1 \2/p' err)" 'timeout timed_out
hang unhealthy
port connect
timeout within
interval every
command exec
retries failures
banner expect'
}

@test "options stand with their dashes, and know other words, too" {
	spec
	vmrun --dryrun vm.json
	is "$status" 64
	is "$(head -n 1 err)" 'vmrun: unknown option --dryrun, did you mean --dry-run?'
	vmrun -m 2G vm.json
	is "$(head -n 1 err)" 'vmrun: unknown option -m, did you mean --set? Write --set mem=2G --set cpu=2'
	vmrun -z vm.json
	is "$(head -n 1 err)" 'vmrun: unknown option -z'
	vmrun --hypervisor bhyv vm.json
	has '--hypervisor takes bhyve, qemu or auto, got "bhyv", did you mean "bhyve"?'
	vmrun --format jsn vm.json
	has '--format takes json, lua, ucl or auto, got "jsn", did you mean "json"?'
	vmrun --set x vm.json
	has '--set takes KEY=VALUE, got "x"'
	vmrun --reboot-on crash vm.json
	has '--reboot-on: invalid cause or status "crash": expected a cause or 0 to 255, did you mean "triple_fault"?'
	vmrun --simulate panic vm.json
	has '--simulate: invalid cause or status "panic": expected a cause or 0 to 255, did you mean "triple_fault"?'
	status=0
	"$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" "$vm" shutdown 2>err || status=$?
	is "$status" 64
	has 'unknown command "shutdown", did you mean "stop"?'
}

@test "a comment in JSON: JSON has none, UCL and Lua do" {
	printf '{"name": "a", // the name\n"cpu": 1}' >vm.json
	vmrun -d vm.json
	is "$status" 65
	is "$(cat err)" 'vm.json:1:15: JSON has no comments; UCL and Lua do'
	printf '// the name\n{"name": "a"}' >spec
	vmrun -d spec
	is "$(cat err)" 'spec:1:1: JSON has no comments; UCL and Lua do'
	printf '{\n# x\n"name": "a"}' >vm.json
	vmrun -d vm.json
	is "$(cat err)" 'vm.json:2:1: JSON has no comments; UCL and Lua do'
	printf '{"name": "a" /* x */, "cpu": 1}' >vm.json
	vmrun -d vm.json
	has 'vm.json:1:14: name: JSON has no comments; UCL and Lua do'
}

@test "mem as a bare number is bytes: a small one is told" {
	spec '{"mem": 1024}'
	vmrun -d vm.json
	is "$status" 65
	has 'mem: 1024 bytes is not a multiple of 4 KiB, did you mean "1024M"?'
	spec '{"mem": 4096}'
	vmrun -d vm.json
	is "$status" 0
	has 'note: mem is 4096 bytes, did you mean "4096M"?'
}
