/* Events on their way to whoever drives the supervision. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>

#include "vmrun/vmrun.h"

/* A queued event owns its strings. */
struct event_record {
	struct vmrun_event event;
	char *target, *ended, *by, *text, *level;
	char **argv;
	struct event_record *next;
};

struct event_queue {
	struct event_record *first, *last;
	struct event_record *lent; /* handed out by event_next(), freed at the next call */
	size_t count;
	uint64_t seq;
	const char *vm; /* lent by the queue's owner */
	/* Hears every event once it is complete, whoever takes it later; adds none. NULL: nobody.
	 */
	void (*hear)(void *context, const struct vmrun_event *event);
	void *hear_context;
	struct event_record *unheard; /* added last, perhaps not complete yet */
};

/* Adds an event and lends it; fill in numbers and static strings directly. */
struct event_record *event_add(struct event_queue *q, enum vmrun_event_type type);
/* Copy a text into the event; NULL is fine. */
void event_target(struct event_record *r, const char *target);
void event_ended(struct event_record *r, const char *target);
void event_by(struct event_record *r, const char *by);
void event_text(struct event_record *r, const char *text);
void event_level(struct event_record *r, const char *level);
void event_argv(struct event_record *r, char *const *argv);
/* From now on somebody hears what is added, and at once what waits in the queue. */
void event_listen(struct event_queue *q,
    void (*hear)(void *context, const struct vmrun_event *event), void *context);
/* The one added last is complete. */
void event_tell(struct event_queue *q);
bool event_next(struct event_queue *q, struct vmrun_event *out);
void event_queue_clear(struct event_queue *q);

#endif
