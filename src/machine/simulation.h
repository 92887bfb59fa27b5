/*
 * Simulates the policy: the machine and its hooks run, no process starts, a list says how each boot
 * ends, and time advances by itself.
 */
#ifndef MACHINE_SIMULATION_H
#define MACHINE_SIMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "hyper/hyper.h"

struct machine;

struct simulated_exit {
	struct outcome outcome;
	int64_t uptime_ms;
};

struct simulation {
	struct simulated_exit *item;
	size_t count, next; /* exits of the list, and the next one */
	int64_t now_ms;
	int64_t started_ms; /* of the boot that runs */
};

/* Parses "reboot,triple_fault@90,3": causes or exit statuses, with the boot's uptime in seconds. */
int simulation_parse(const char *list, struct simulation *out, struct error *err);
void simulation_free(struct simulation *s);

/* Returns when the running boot ends; -1: never. */
int64_t simulation_end_of_boot(const struct machine *m);
bool simulation_is_used_up(const struct machine *m);
/*
 * Returns whether hooks have refused so many boots that the simulation has to end: they use no exit
 * of the list, and could be retried for ever.
 */
bool simulation_loops(struct machine *m);
/* Reports the exits that were not used. */
void simulation_say_rest(struct machine *m);
/* Replaces the checks of the host; returns false when the list lets this boot fail in them. */
bool simulation_check(struct machine *m);
/* Ends the boot with the next exit of the list. */
void simulation_exit(struct machine *m);

/* Returns whether the guest of the simulated boot becomes ready. */
bool simulation_becomes_ready(const struct machine *m);
/* Runs a simulation until its list is used up, the machine has ended, or it waits for a request. */
void simulation_run(struct machine *m);

#endif
