#!/bin/sh
# A program that was built with an older header runs with this library: one whose structs have fewer
# members at their ends.
#
#	abi.sh INCLUDE LIBRARY PROGRAM.c COMPILER...

set -eu
include=$1 library=$2 program=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/vmrun"
awk -v to="$work/vmrun/" '
	FNR == 1 { file = to substr(FILENAME, match(FILENAME, /[^\/]*$/)) }
	/^struct vmrun_[a-z]* \{/ { inside = $2 }
	inside ~ /^vmrun_(event|state)$/ && / (cause_code|ending);/ { removed++; next }
	inside == "vmrun_options" && /\*(decide|decide_context);/ { removed++; next }
	inside == "vmrun_decision" && / exit_status;/ { removed++; next }
	/^};/ { inside = "" }
	{ print >file }
	END { if (removed != 6) { print "removed " removed " members" > "/dev/stderr"; exit 1 } }
' "$include/vmrun/vmrun.h" "$include/vmrun/event.h"
ln -s "$library" "$work/libvmrun.so"
for header in "$work" "$include"; do
	"$@" -std=c11 -Wall -Wextra -Werror -I "$header" -o "$work/program" "$program" "$library" \
		-Wl,-rpath,"$(dirname "$library")"
	"$work/program" >"$work/said"
	grep -qx 'default reboot boot default' "$work/said"
	grep -qx 'waiting then stopping, 2 boots' "$work/said"
	grep -qx 'key: unknown key "key"' "$work/said"
done
