#!/usr/bin/env bats
# The first thing that a user runs.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
}

teardown() {
	common_teardown
}

@test "examples/hello.lua: install from the CD, then boot without it" {
	vmrun -t install "$SOURCE/examples/hello.lua"
	sed -i 's/\r$//' out
	is "$status" 0
	is "$(grep -c '^vmrun demo guest$' out)" 2
	is "$(grep -c 'ahci .* cd$' out)" 1
	is "$(grep -E '^(cd found|no cd)' out | paste -sd, -)" 'cd found: resetting,no cd: powering off'
	is "$(sed 's/pid [0-9]*/pid N/; s/after [0-9.]* s/after T/; s/accel .*/accel A/; s/^vmrun: //' err)" \
		'hello: policy of target install, after on_exit of '"$SOURCE"'/examples/hello.lua: a reboot boots again, every other end stops (--print policy shows all)
hello: booting target install
hello: target install runs under qemu, pid N
hello: qemu: accel A
hello: target install: the guest asked for a reboot after T (reboot, status 0)
installed: from now on without the CD
hello: next boot: target default (on_exit of '"$SOURCE"'/examples/hello.lua)
hello: booting target default
hello: target default runs under qemu, pid N
hello: target default: the guest powered off after T (poweroff, status 1)
hello: no further boot (default)
hello: ended with status 0: the guest powered off'
}

@test "examples/hello.lua under bhyve, as far as it can be seen here" {
	unset VMRUN_HYPERVISOR
	vmrun -d -t install "$SOURCE/examples/hello.lua"
	is "$status" 0
	has 'ahci-cd' out
}
