/*
 * Reads specs in JSON, one per line, and prints a line for each: "good", or the problems.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmrun/vmrun.h"

static void answer(const char *text, size_t length)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	const struct vmrun_problem *p;
	struct vmrun *vm;

	options.text = text;
	options.length = length;
	options.format = "json";
	options.directory = "/vm";
	options.hypervisor = "bhyve";
	options.dry_run = true;
	if (vmrun_open(&vm, &options) == 0)
		(void)printf("good");
	for (size_t i = 0; (p = vmrun_problem(vm, i)) != NULL; i++)
		(void)printf(
		    "%s%s: %s", i > 0 ? " // " : "", p->path == NULL ? "" : p->path, p->text);
	(void)printf("\n");
	(void)fflush(stdout);
	vmrun_close(vm);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0)
		answer(line, (size_t)n);
	free(line);
	return 0;
}
