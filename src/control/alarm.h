/* A set of alarms that finds the earliest at once, and sets or cancels one in log(N) steps. */
#ifndef CONTROL_ALARM_H
#define CONTROL_ALARM_H

#include <stddef.h>
#include <stdint.h>

/* An alarm, which is in at most one set.  A zeroed alarm is in none. */
struct alarm {
	int64_t at_ms;
	size_t place; /* in the heap, from 1 on; 0: not set */
	void *owner;
};

struct alarms {
	struct alarm **item; /* a heap */
	size_t count, room;
};

/* Sets an alarm, or changes its time if it is in this set already. */
void alarms_set(struct alarms *set, struct alarm *alarm, int64_t at_ms, void *owner);
/* Cancels an alarm; does nothing if it is not set. */
void alarms_cancel(struct alarms *set, struct alarm *alarm);
/* Returns the earliest alarm, or NULL for an empty set. */
const struct alarm *alarms_first(const struct alarms *set);
/* Frees the memory of an empty set. */
void alarms_free(struct alarms *set);

#endif
