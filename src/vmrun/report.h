/* The report of the checks of the host, as text. */
#ifndef VMRUN_REPORT_H
#define VMRUN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "render.h"
#include "vmrun/vmrun.h"

/* Prints what the checks of a boot of this target found, device by device, each problem with the
 * command that fixes it. */
void report_print(const struct vmrun *vm, const char *target, FILE *to);
/* Prints the fixes that a run with these options would apply. */
void report_print_planned(const struct vmrun *vm, FILE *to);
/* Writes the report to the sink, for a run that is refused. */
void report_to_sink(const struct vmrun *vm, const char *target, struct renderer *renderer);
/* Returns the number of different fixes that destroy nothing, or that --force allows. */
size_t report_count_fixes(const struct vmrun *vm);

/* The question at the terminal, `Apply N fixes? [y/N]`. */
struct hook_functions {
	bool is_open;
	char answer[64];
	size_t length;
};

/* Asks the question. */
void report_ask(struct hook_functions *question, size_t fixes, struct renderer *renderer);
/* Reads a byte of stdin.  Returns true when the answer is complete; *yes is the answer. */
bool report_read_answer(struct hook_functions *question, bool *yes, struct renderer *renderer);
/* Closes the question without an answer, if it is open. */
void report_close_question(struct hook_functions *question, struct renderer *renderer);

#endif
