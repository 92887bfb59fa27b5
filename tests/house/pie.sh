#!/bin/sh
# Checks that the kernel may load programs at any address.
#
#	pie.sh PROGRAM...

set -u
wrong=0
for program; do
	# e_type of the ELF header: 3 is ET_DYN, 2 ET_EXEC, in the byte order of this machine.
	type=$(od -An -t d2 -j 16 -N 2 "$program" | tr -d ' ')
	if [ "$type" != 3 ]; then
		echo "$program: is always loaded at the same address (ELF type ${type:-unknown})"
		wrong=1
	fi
done
exit $wrong
