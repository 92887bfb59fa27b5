/*
 * A walk through the policy without a VM: the machine with its hooks, where nothing is started, a
 * list says how each boot ends, and time goes on by itself.
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
	size_t count, next; /* exits of the list, and the one that is due */
	int64_t now_ms;
	int64_t started_ms; /* of the boot that runs */
};

/* "reboot,triple_fault@90,3": causes or statuses, with the seconds that the boot was up. */
int simulation_parse(const char *list, struct simulation *out, struct error *err);
void simulation_free(struct simulation *s);

/* Goes on until the list is used up, the machine has ended or it waits for somebody. */
void simulation_walk(struct machine *m);
/* In place of the checks of the host; false: this boot fails in them. */
bool simulation_check(struct machine *m);
/* The exit that is due is the outcome of the boot. */
void simulation_exit(struct machine *m);

#endif
