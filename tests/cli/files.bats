#!/usr/bin/env bats
# Files that cannot be written: a disk that is full, a limit, a directory that is gone.
# shellcheck disable=SC2154 # vm, pid, status and unchecked: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# limited KIB COMMAND...: with a limit on the size of files, as login classes set it; what the command
# says reaches the file err by a pipe, which has no limit
limited() {
	local kib=$1
	shift
	status=0
	# shellcheck disable=SC2016 # for the inner shell
	(
		set -o pipefail
		bash -c 'ulimit -f "$0" && exec "$@"' "$kib" "$@" 2>&1 >out </dev/null 3>&- | cat >err
	) || status=$?
}

@test "a limit on the size of files: what cannot be printed in full is told, 71" {
	spec
	limited 0 "$VMRUN" -d vm.json
	is "$status" 71
	has 'vmrun: cannot write to stdout: File too large'
	local option
	for option in --help --version; do
		limited 0 "$VMRUN" $option
		is "$status" 71
		has 'vmrun: cannot write to stdout: File too large'
		limited 0 "$VMRUNCTL" $option
		is "$status" 71
		has 'vmrunctl: cannot write to stdout: File too large'
	done
}
