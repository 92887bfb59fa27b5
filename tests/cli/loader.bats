#!/usr/bin/env bats
# Guests without firmware: bhyveload or grub-bhyve runs before every boot; both are fakes here.
# shellcheck disable=SC2154 # vm, pid and status: common.bash

setup() {
	load common
	common_setup
	fake_host
	export FAKE_CALLS=$PWD/calls
	: >calls
}

teardown() {
	common_teardown
}

# loader_spec LOADER [MORE]: writes a spec of the smallest VM without firmware
loader_spec() {
	spec "{\"loader\":$1${2:+,$2}}"
	jq 'del(.bootrom)' vm.json >vm.new
	mv vm.new vm.json
}

calls() {
	grep -e '^bhyveload' -e '^grub-bhyve' calls || :
}

@test "bhyveload runs before every boot" {
	loader_spec '"bhyveload"' '"emulations":[{"device":"virtio-blk","path":"/a b"}]'
	script 'exit 0' 'exit 0' 'exit 1'
	vmrun vm.json
	is "$status" 0
	is "$(starts)" 3
	is "$(calls)" "$(for _ in 1 2 3; do echo "bhyveload -m 64M -d /a b $vm"; done)"
	has 'loads target default'
	nothing_runs
}

@test "all that a spec says of bhyveload" {
	loader_spec '{"type":"bhyveload","disks":["/x"],"env":{"boot_verbose":"YES"},"host_dir":"/h","os_loader":"/l","console":"/dev/nmdm7A"}' \
		'"wire_guest_mem":true,"guest_mem_in_core":true'
	vmrun vm.json
	is "$status" 0
	is "$(calls)" "bhyveload -C -S -c /dev/nmdm7A -m 64M -d /x -e boot_verbose=YES -h /h -l /l $vm"
}

@test "grub-bhyve: its map is made of the disks, its commands are its input" {
	loader_spec '{"type":"grub","root":"hd0,msdos1","commands":["set x=1","boot"]}' \
		'"emulations":[{"device":"ahci-cd","path":"/c.iso"},{"device":"virtio-blk","path":"/d.img"}]'
	vmrun vm.json
	is "$status" 0
	has 'map: (hd0) /d.img' calls
	has 'map: (cd0) /c.iso' calls
	is "$(grep input: calls)" "$(printf 'input: set x=1\ninput: boot')"
	# nothing of the VM is left
	[ ! -e "$BATS_RUN_TMPDIR/run/$vm" ]
}

@test "a loader that fails: its cause, its words, status 4" {
	loader_spec '"bhyveload"'
	FAKE_LOADER='say no kernel here' vmrun vm.json
	is "$status" 4
	has 'no kernel here'
	has 'loader_failed'
	is "$(starts)" ''
	FAKE_LOADER='exit 2' vmrun vm.json
	is "$status" 4
	# the loader's status is not the hypervisor's
	FAKE_LOADER='exit 3' vmrun --exit-status guest vm.json
	is "$status" 4
}

@test "a loader that is not there: 127" {
	mkdir bin
	loader_spec '{"type":"grub"}'
	PATH=/usr/bin:/bin vmrun vm.json
	is "$status" 127
	has 'grub-bhyve: not found'
}

@test "a loader that hangs ends at its timeout" {
	loader_spec '{"type":"bhyveload","timeout":0.2}'
	FAKE_LOADER=hang vmrun vm.json
	is "$status" 4
	has 'bhyveload did not end within 0.2 s'
	is "$(starts)" ''
}

@test "policy can boot again after a loader that failed" {
	loader_spec '"bhyveload"' '"reboot_on":["loader_failed"]'
	FAKE_LOADER='exit 1' vmrun --reboot-count 2 vm.json
	is "$status" 4
	is "$(calls | wc -l)" 3
}

@test "a stop while the loader runs ends it at once" {
	loader_spec '{"type":"bhyveload","timeout":600}'
	FAKE_LOADER=hang FAKE_READY=$PWD/ready start vm.json
	await_file ready
	kill -TERM "$pid"
	ends 0
	has stopped
	is "$(starts)" ''
}
