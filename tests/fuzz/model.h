/* The model of bhyve's argument rules (tests/fake), as a promise of the fuzzers. */
#ifndef TESTS_FUZZ_MODEL_H
#define TESTS_FUZZ_MODEL_H

#include "vmrun/vmrun.h"

/*
 * Checks that the model takes the command of a prepared boot for bhyve, unless the spec passes
 * words on as they are.
 */
void model_check(const struct vmrun *vm);

#endif
