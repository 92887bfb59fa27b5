#!/usr/bin/env bats
# The commands of docs/testing-kernels.md, as they stand there.
# shellcheck disable=SC2154,SC2034 # shared with ../cli/common.bash

setup() {
	load linux
	linux_setup
	page=$SOURCE/docs/testing-kernels.md
	mkdir -p build/guests bin
	ln -s "$SOURCE/examples" .
	ln -s "$kernel" build/guests/vmlinuz
	ln -s "$initrd" build/guests/initrd
	ln -s "$VMRUN" bin/vmrun
	PATH=$PWD/bin:$PATH
	# what every command of a test needs
	export VMRUN_HYPERVISOR=qemu XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD/state
}

teardown() {
	common_teardown
}

@test "each command of the page ends with 0, and the page shows what the first one prints" {
	local line n=0
	sed -n '/^```lua$/,/^```$/{/^```/d;p;}' "$page" >matrix.lua
	while IFS= read -r line; do
		n=$((n + 1))
		status=0
		eval "timeout 300 $line" >out 2>err </dev/null || status=$?
		is "$line: $status" "$line: 0"
		[ $n -gt 1 ] || cp err first
	done < <(sed -n 's/^    \$ \(vmrun -.*\|truncate .*\)$/\1/p' "$page")
	is "$n" 5
	sed -n 's/^    \(vmrun: ok .*\)$/\1/p' "$page" >shown
	is "$(grep -o 'ok [0-9].*' first)" "$(grep -o 'ok [0-9].*' shown)"
	is "$(wc -l <shown)" 3
}
