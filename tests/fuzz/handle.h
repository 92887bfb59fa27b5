/* A handle whose functions are all called. */
#ifndef TESTS_FUZZ_HANDLE_H
#define TESTS_FUZZ_HANDLE_H

#include "vmrun/vmrun.h"

/*
 * Opens the spec of the options, calls every public function that a dry run may call, simulates a
 * few boots and closes the handle.  `checks` also calls vmrun_check().
 */
void handle_use(const struct vmrun_options *options, bool checks);

#endif
