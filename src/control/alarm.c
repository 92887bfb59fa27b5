/* Alarms as a binary heap: the children of place N are at 2 N and 2 N + 1. */
#include "control/alarm.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Stores an alarm at a place of the heap. */
static void put(struct alarms *set, size_t place, struct alarm *alarm)
{
	set->item[place - 1] = alarm;
	alarm->place = place;
}

static struct alarm *at(const struct alarms *set, size_t place)
{
	return set->item[place - 1];
}

/* Moves an alarm up the heap, past each parent that is due later. */
static void rise(struct alarms *set, struct alarm *alarm)
{
	size_t place = alarm->place;

	while (place > 1 && at(set, place / 2)->at_ms > alarm->at_ms) {
		put(set, place, at(set, place / 2));
		place /= 2;
	}
	put(set, place, alarm);
}

/* Moves an alarm down until its children are no earlier. */
static void sink(struct alarms *set, struct alarm *alarm)
{
	size_t place = alarm->place, child;

	while ((child = 2 * place) <= set->count) {
		if (child < set->count && at(set, child + 1)->at_ms < at(set, child)->at_ms)
			child++;
		if (at(set, child)->at_ms >= alarm->at_ms)
			break;
		put(set, place, at(set, child));
		place = child;
	}
	put(set, place, alarm);
}

void alarms_set(struct alarms *set, struct alarm *alarm, int64_t at_ms, void *owner)
{
	alarm->at_ms = at_ms;
	alarm->owner = owner;
	if (alarm->place == 0) {
		if (set->count == set->room) {
			set->room = set->room == 0 ? 16 : 2 * set->room;
			set->item = mem_resize(set->item, set->room, sizeof(*set->item));
		}
		put(set, ++set->count, alarm);
	}
	rise(set, alarm);
	sink(set, alarm);
}

void alarms_cancel(struct alarms *set, struct alarm *alarm)
{
	struct alarm *last;

	if (alarm->place == 0)
		return;
	last = at(set, set->count--);
	if (last != alarm) {
		put(set, alarm->place, last);
		rise(set, last);
		sink(set, last);
	}
	alarm->place = 0;
}

const struct alarm *alarms_first(const struct alarms *set)
{
	return set->count == 0 ? NULL : set->item[0];
}

void alarms_free(struct alarms *set)
{
	free(set->item);
	memset(set, 0, sizeof(*set));
}
