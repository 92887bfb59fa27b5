#!/bin/sh
# libvmrun shows the functions of its headers, all of them and nothing else, each with a version.
#
#	exports.sh LIBRARY HEADER...

set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=$1
shift
nm -D --defined-only "$library" | awk '$2 != "A" { print $NF }' >"$work/symbols"
if grep -vE '@@VMRUN_0\.[0-9]+$' "$work/symbols"; then
	echo "these symbols have no version"
	exit 1
fi
sed 's/@.*//' "$work/symbols" | LC_ALL=C sort -u >"$work/has"
sed -n 's/^VMRUN_API .*[ *]\(vmrun_[a-z_]*\)(.*/\1/p' "$@" | LC_ALL=C sort -u >"$work/says"
[ -s "$work/says" ]
diff -u "$work/says" "$work/has"
# A thread of the library on Linux may end after a dlclose().
if [ "$(uname)" = Linux ] && ! readelf -d "$library" | grep -q NODELETE; then
	echo "dlclose() would unmap the library"
	exit 1
fi
