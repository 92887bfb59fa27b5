/* Times, the earliest at hand: setting and canceling one takes log(N) steps. */
#ifndef CONTROL_ALARM_H
#define CONTROL_ALARM_H

#include <stddef.h>
#include <stdint.h>

/* A member of at most one set. A zeroed one is not set. */
struct alarm {
	int64_t at_ms;
	size_t place; /* in the set, from 1 on; 0: not set */
	void *owner;
};

struct alarms {
	struct alarm **item; /* a heap */
	size_t count, room;
};

/* Sets the time, or changes the one that was set in the same set. */
void alarms_set(struct alarms *set, struct alarm *alarm, int64_t at_ms, void *owner);
/* Does nothing for one that is not set. */
void alarms_cancel(struct alarms *set, struct alarm *alarm);
/* Returns the earliest one, or NULL for an empty set. */
const struct alarm *alarms_first(const struct alarms *set);
/* Frees the memory of an empty set. */
void alarms_free(struct alarms *set);
/* Sets *at to the earlier one of two times; -1 is none. */
void alarm_sooner(int64_t *at, int64_t other);

#endif
