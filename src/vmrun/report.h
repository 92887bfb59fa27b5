/* The report of the checks of the host, as text. */
#ifndef VMRUN_REPORT_H
#define VMRUN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "render.h"
#include "vmrun/vmrun.h"

/*
 * Prints what the checks of this target's boot found, device by device, each problem with the
 * command that fixes it.
 */
void report_print(const struct vmrun *vm, const char *target, FILE *to);
/* Prints the fixes that a run with these options would apply. */
void report_print_planned(const struct vmrun *vm, FILE *to);
/* Writes the report of a refused boot to the sink, with the time of its event. */
void report_to_sink(
    const struct vmrun *vm, const struct vmrun_event *checked, struct renderer *renderer);
/* Returns the number of different fixes, without destructive ones unless --force allows them. */
size_t report_count_fixes(const struct vmrun *vm);

/* The question at the terminal, `Apply N fixes? [y/N]`. */
struct question {
	bool is_open;
	char answer[64];
	size_t length;
};

/* Asks at the terminal whether to apply the fixes. */
void report_ask(struct question *question, size_t fixes, struct renderer *renderer);
/* Reads a byte of stdin.  Returns true, with the answer in *yes, once the answer is complete. */
bool report_read_answer(struct question *question, bool *yes, struct renderer *renderer);
/* Closes the question without an answer, if it is open. */
void report_close_question(struct question *question, struct renderer *renderer);

#endif
