#!/bin/sh
# The public header alone, as other people's programs see it: C11 and, where there is a compiler for
# it, C++; pedantic, with warnings as errors, without any -D.
#
#	header.sh INCLUDE-DIR CC [CXX]

set -eu
include=$1 cc=$2 cxx=${3:-}

program='#include <vmrun/vmrun.h>
#include <vmrun/vmrun.h>
static void hear(const struct vmrun_event *event, void *context)
{
	(void)event;
	(void)context;
}
int main(void)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;
	int status = vmrun_open(&vm, &options);
	if (status == 0)
		status = vmrun_run(vm, hear, &options);
	vmrun_close(vm);
	return status;
}'

flags="-pedantic -Wall -Wextra -Werror -fsyntax-only -I$include"
# shellcheck disable=SC2086
for standard in c11 c99; do
	printf '%s\n' "$program" | "$cc" -std=$standard $flags -Wstrict-prototypes -x c -
done
printf '#include "vmrun/vmrun.h"\ntypedef int some;\n' | "$cc" -std=c11 $flags -x c -
if [ -z "$cxx" ]; then
	echo "no C++ compiler (c++, g++, clang++) here: tried in C only"
	exit 0
fi
for standard in c++11 c++17 c++20; do
	printf '%s\n' "$program" | "$cxx" -std=$standard $flags -x c++ -
done
