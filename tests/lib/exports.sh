#!/bin/sh
# libvmrun shows the functions of its headers, all of them and nothing else.
#
#	exports.sh LIBRARY HEADER...

set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=$1
shift
nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }' |
	grep -vE '^(_init|_fini|_edata|_end|__bss_start)$' | LC_ALL=C sort -u >"$work/has"
sed -n 's/^VMRUN_API .*[ *]\(vmrun_[a-z_]*\)(.*/\1/p' "$@" | LC_ALL=C sort -u >"$work/says"
[ -s "$work/says" ]
diff -u "$work/says" "$work/has"
