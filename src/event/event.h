/* The queue of events between the supervision and its caller. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <sys/queue.h>

#include "vmrun/vmrun.h"

struct event_findings; /* of the checks; the queue's owner knows what is in it */

/* A queued event owns its strings. */
struct event_record {
	struct vmrun_event event;
	char *target, *ended, *by, *text, *level, *devices, *ended_text, *cause_text;
	char **argv;
	struct event_findings *findings; /* owned; NULL: none */
	TAILQ_ENTRY(event_record) link;
};

TAILQ_HEAD(event_records, event_record);

/* A zeroed struct is an empty queue. */
struct event_queue {
	struct event_records waiting; /* made by the first event */
	struct event_record *lent;    /* returned by event_next(), freed by its next call */
	size_t count;
	uint64_t seq;
	const char *vm; /* lent by the queue's owner */
	/* Called by event_flush() with every event; must add none.  NULL: no listener. */
	void (*listener)(void *context, const struct vmrun_event *event);
	void *listener_context;
	struct event_record *unheard; /* the first that the listener does not have yet, or NULL */
	/* Called by event_findings(): sets the text and findings.  NULL: there are none. */
	void (*find)(void *context, struct event_record *r);
	void *find_context;
	void (*free_findings)(struct event_findings *findings);
};

/* Adds an event and lends it; the caller sets numbers and static strings in it. */
struct event_record *event_add(struct event_queue *q, enum vmrun_event_type type);
/* These copy a text into an event; NULL is fine. */
void event_target(struct event_record *r, const char *target);
void event_ended(struct event_record *r, const char *target);
void event_by(struct event_record *r, const char *by);
void event_text(struct event_record *r, const char *text);
void event_level(struct event_record *r, const char *level);
void event_devices(struct event_record *r, const char *json);
void event_ended_text(struct event_record *r, const char *text);
void event_cause_text(struct event_record *r, const char *text);
/*
 * Copies the findings of the last checks into a VMRUN_CHECKED: the next boot may have replaced them
 * when the event is taken.
 */
void event_findings(struct event_queue *q, struct event_record *r);
/* Copies a NULL-terminated command into an event. */
void event_argv(struct event_record *r, char *const *argv);
/* Sets the listener and calls it at once with the events that wait in the queue. */
void event_listen(struct event_queue *q,
    void (*listener)(void *context, const struct vmrun_event *event), void *context);
/*
 * Calls the listener with the events that it does not have yet.  All are complete, so do not call
 * this between event_add() and what sets its event.
 */
void event_flush(struct event_queue *q);
/* Takes the oldest event, lent until the next call; false when there is none. */
bool event_next(struct event_queue *q, struct vmrun_event *out);
/* Frees all events and zeroes the queue. */
void event_queue_clear(struct event_queue *q);

#endif
