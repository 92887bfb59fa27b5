#!/usr/bin/env bats
# OVMF and its UEFI shell, which runs the script startup.nsh on a FAT disk: what the firmware itself
# takes for a reset and a power-off, and its variables.
# shellcheck disable=SC2154,SC2034 # shared with ../cli/common.bash

setup() {
	load ../e2e/qemu
	qemu_setup
	template=/usr/share/OVMF/OVMF_VARS_4M.fd
	[ -e "$template" ] || skip "there is no $template (Debian: apt install ovmf)"
	[ -n "$(command -v mcopy)" ] || skip 'there is no mcopy (Debian: apt install mtools)'
	uefi_vm
	shell_script
}

teardown() {
	common_teardown
}

# Writes vm.lua.  The shell waits five seconds before it runs the script, unless a key is pressed: the
# key makes the test faster, and nothing depends on it.
uefi_vm() {
	cat >vm.lua <<-END
		return {
			name = "$vm", cpu = 1, mem = "256M", backoff = false,
			com1 = "console", console = { log = "log" }, varfile = "vars.fd",
			qemu = { accel = "tcg" },
			emulations = { { device = "virtio-blk", path = "fat.img" } },
			on_started = function()
				if vmrun.expect("to skip", { timeout = 120 }) then
					vmrun.send("\r")
				end
			end,
		}
	END
}

# Makes fat.img.  The script finds in the variable VmrunBoots what the previous boot has stored there
# (setvar prints it), and stores the next number: the first boot resets, each later one powers off.
shell_script() {
	local id='VmrunBoots -guid 5f7d3c52-8f0c-4d60-9c0e-0d5a3c1f7a11'
	cat >startup.nsh <<-END
		@echo -off
		setvar $id
		if %lasterror% == 0 then
		  setvar $id -nv -bs =02
		  echo found: powering off
		  reset -s
		endif
		setvar $id -nv -bs =01
		echo new: resetting
		reset
	END
	mformat -C -i fat.img -f 1440 :: && mcopy -i fat.img startup.nsh ::
}

# uefi ARG...: runs the VM; told has what the script said: the bytes of the variable, and what it does
uefi() {
	rm -f log
	vmrun "$@" vm.lua
	told=$(tr -d '\r' <log | sed -n -e 's/^\(0[0-9]\) *$/\1/p' -e 's/^\(found\|new\):.*/\1/p' | paste -sd' ' -)
}

causes() {
	sed -n 's/.* after [^(]* (\([a-z_]*\),.*/\1/p' err | paste -sd' ' -
}

@test "the shell resets and powers off, and its variable survives the reboot and a restart of vmrun" {
	uefi --reboot-count 1
	is "$status" 0
	is "$(causes)" 'reboot poweroff'
	is "$told" 'new 01 found'
	# the varfile is made from the template, and then belongs to the guest
	has "note: made $PWD/vars.fd.qemu from $template"
	is "$(stat -c %s vars.fd.qemu)" "$(stat -c %s "$template")"
	is "$(cmp -s vars.fd.qemu "$template" && echo unchanged)" ''

	uefi
	is "$status" 0
	is "$(causes)" poweroff
	is "$told" '02 found'
	lacks 'note: made'

	# without the varfile the variable is gone: it is nowhere else
	rm vars.fd.qemu
	uefi --no-reboot
	is "$status" 0
	is "$(causes)" reboot
	is "$told" new
	has "note: made $PWD/vars.fd.qemu from $template"
}
