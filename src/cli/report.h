/* The report of the checks, for people. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "vmrun/vmrun.h"

/* What vmrun_check() found, device by device, each problem with the command that mends it. */
void report_print(const struct vmrun *vm, FILE *to);
/* How many different fixes may be run: those that destroy nothing, or that --force allows. */
size_t report_fixes(const struct vmrun *vm);
/* Asks once at the terminal, `Apply N fixes? [y/N]`.  `signals` is readable when one came: no. */
bool report_ask(size_t fixes, int signals);

#endif
