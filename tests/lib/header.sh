#!/bin/sh
# The public headers alone, as other people's programs see them: C11 and, where there is a compiler
# for it, C++; pedantic, with warnings as errors, without any -D.
#
#	header.sh INCLUDE-DIR CC [CXX]

set -eu
include=$1 cc=$2 cxx=${3:-}

program='#include <vmrun/vmrun.h>
#include <vmrun/client.h>
#include <vmrun/client.h>
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
	struct vmrun_client *client;
	const char *answer;
	int status = vmrun_open(&vm, &options);
	if (status == 0)
		status = vmrun_run(vm, hear, &options);
	vmrun_close(vm);
	if (vmrun_client_open(&client, 0, "demo", 0) == VMRUN_CLIENT_OK)
		status = vmrun_client_ask(client, "{\"cmd\":\"status\"}", 0, &answer);
	vmrun_client_close(client);
	return status;
}'

flags="-pedantic -Wall -Wextra -Werror -fsyntax-only -I$include"
# shellcheck disable=SC2086
for standard in c11 c99; do
	printf '%s\n' "$program" | "$cc" -std=$standard $flags -Wstrict-prototypes -x c -
done
for header in vmrun.h event.h client.h; do
	printf '#include "vmrun/%s"\ntypedef int some;\n' "$header" | "$cc" -std=c11 $flags -x c -
done
if [ -z "$cxx" ]; then
	echo "no C++ compiler (c++, g++, clang++) here: tried in C only"
	exit 0
fi
for standard in c++11 c++17 c++20; do
	printf '%s\n' "$program" | "$cxx" -std=$standard $flags -x c++ -
done
