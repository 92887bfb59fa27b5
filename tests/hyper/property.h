/* One target of one spec, as vmrun sees it and as bhyve would: what the property tests share. */
#ifndef TESTS_HYPER_PROPERTY_H
#define TESTS_HYPER_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>

#include "fake.h"
#include "vmrun/vmrun.h"

#define PROPERTY_DEVICES_MAX 128

struct property_boot {
	const char *json, *target; /* lent */
	int release;
	bool arm64;
	struct vmrun *vm;
	struct fake_tree tree;		     /* what bhyve reads out of the command */
	char slot[PROPERTY_DEVICES_MAX][16]; /* of the devices in their order: "B.S.F" */
	size_t slots;
};

/* What a run is asked for: a seed as the first argument, PROPERTY_ROUNDS in the environment. */
struct property_run {
	unsigned seed;
	size_t rounds;
};

struct property_run property_run(int argc, char **argv, size_t rounds);

/* False when vmrun refuses the spec. property_close() is due in any case. */
bool property_open(struct property_boot *b, const char *json, const char *target);
void property_close(struct property_boot *b);
/*
 * Gives the test up unless bhyve of that release takes the command, its devices have slots of their
 * own that guests find, nothing is ignored without a word, and (unless there are `verbatim` words)
 * the file for -k says the same.
 */
void property_check(struct property_boot *b, bool verbatim);
/* Fails, and shows the spec and the command. `detail` may be NULL. */
void property_give_up(const struct property_boot *b, const char *what, const char *detail);
/* What vmrun said of a spec it refused. */
void property_print_problems(const struct property_boot *b);
/* `path=value` lines, in the order of their bytes. Caller frees. */
char *property_dump(const struct fake_tree *tree);

#endif
