/* VMs under fakebhyve, in a directory of their own, for tests of the library. */
#ifndef TESTS_LIB_LIFE_H
#define TESTS_LIB_LIFE_H

#include <stdbool.h>
#include <stddef.h>

#include "vmrun/vmrun.h"

/* Setup and teardown: makes the directory and goes there; fakebhyve and its bhyvectl find their
 * state in it. */
int life_enter(void **state);
int life_leave(void **state);

/* A spec over name, cpu, mem and bootrom: `more` is more JSON (",\"com1\":...") or "". */
struct vmrun *life_open(const char *name, const char *more);
/* The same with options that the test has filled in; the program is set here, and the text, unless
 * they name a file. */
struct vmrun *life_open_with(struct vmrun_options *options, const char *name, const char *more);
/* What the starts of this VM will do, a line each (tests/fake/README.md). */
void life_script(const char *lines);
/* Waits until the file is there. */
void life_wait_for(struct vmrun *vm, const char *file);
/* Dispatches until the end, and gives back the events as "name:what" words. Lent until the next. */
const char *life_run(struct vmrun *vm);
/* The same of one that was started: the events since the last call of life_events(). */
const char *life_end(struct vmrun *vm);
/* One round of the loop, at most so many milliseconds. */
void life_step(struct vmrun *vm, int ms);
/* Words of the events since the last call of this or of life_run(). */
const char *life_events(struct vmrun *vm);
bool life_file_exists(const char *path);

#endif
