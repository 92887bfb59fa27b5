#!/bin/sh
# A row whose member has another type, or that names no member, does not compile.
#
#	rows_wrong.sh ROOT COMPILER [FLAGS...]

set -u
root=$1
shift
cases=16

compile() {
	"$@" -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -I"$root/src" \
		-DWRONG="$number" "$root/tests/device/rows_wrong.c" 2>&1
}

number=0
if ! text=$(compile "$@"); then
	echo "the good rows do not compile: $text"
	exit 1
fi
wrong=0
while [ "$number" -lt "$cases" ]; do
	number=$((number + 1))
	if compile "$@" >/dev/null; then
		echo "rows_wrong.c compiles with WRONG=$number"
		wrong=1
	fi
done
exit $wrong
