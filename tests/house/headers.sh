#!/bin/sh
# Checks that every header compiles alone, and when it is included twice.
#
#	headers.sh ROOT COMPILER [FLAGS...]

set -u
root=$1
shift
cd "$root" || exit 1
wrong=0
for header in $(cd src && find . -name '*.h' | LC_ALL=C sort) ./vmrun/vmrun.h ./vmrun/event.h; do
	header=${header#./}
	if ! printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" |
		"$@" -std=c11 -pedantic -Wall -Wextra -Wstrict-prototypes -Werror -fsyntax-only \
			-Isrc -Iinclude -x c -; then
		echo "$header does not compile alone"
		wrong=1
	fi
done
exit $wrong
