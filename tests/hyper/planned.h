/* The plan of a spec that a test writes as the inside of a Lua table, over a small base. */
#ifndef TESTS_HYPER_PLANNED_H
#define TESTS_HYPER_PLANNED_H

#include "plan/boot.h"

struct planned {
	struct words settings, extra;
	struct boot_source source;
	struct boot boot;
	struct report report;
	bool run; /* not a dry one: passwords are read */
	bool good;
};

/* `keys` are laid over name = "t", cpu = 1, mem = "64M", bootrom = "/fw/rom.fd" and settings that
 * make the plan the same on every host (release 14, amd64, TCG). Paths start at /vm. */
void planned_make(struct planned *p, const struct hypervisor *hyper, const char *keys);
/* The same, given up for a test if it is refused. */
void planned_good(struct planned *p, const struct hypervisor *hyper, const char *keys);
void planned_free(struct planned *p);

/* All words with a blank between them. Lent until planned_free(). */
const char *planned_line(struct planned *p);
/* Is ` words ` (whole words) in the command? */
bool planned_has(struct planned *p, const char *words);
/* The spec is refused, and a problem is "path: text" beginning so. */
void planned_refused(const struct hypervisor *hyper, const char *keys, const char *problem);

#endif
