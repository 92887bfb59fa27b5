/* The report of the checks, for people. */
#ifndef VMRUN_REPORT_H
#define VMRUN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "render.h"
#include "vmrun/vmrun.h"

/* What the checks of a boot of this target found, device by device, each problem with the command
 * that mends it. */
void report_print(const struct vmrun *vm, const char *target, FILE *to);
/* The fixes that a run with these options would apply. */
void report_plans(const struct vmrun *vm, FILE *to);
/* The report on stderr, for a run that is refused. */
void report_say(const struct vmrun *vm, const char *target, struct renderer *renderer);
/* How many different fixes may be run: those that destroy nothing, or that --force allows. */
size_t report_fixes(const struct vmrun *vm);

/* A question that is asked at the terminal, `Apply N fixes? [y/N]`. */
struct question {
	bool is_open;
	char answer[64];
	size_t length;
};

void report_ask(struct question *question, size_t fixes, struct renderer *renderer);
/* Stdin is readable: takes a byte.  True when the question is answered, `yes` tells how. */
bool report_hear(struct question *question, bool *yes, struct renderer *renderer);
/* It has answered itself. */
void report_unask(struct question *question, struct renderer *renderer);

#endif
