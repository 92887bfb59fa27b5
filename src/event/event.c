/* The event queue. */
#include "event/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "event/kinds.h"
#include "platform/clock.h"

/*
 * Events that may wait for a caller that does not take them; beyond this number, the oldest output
 * and messages of scripts are dropped and counted by VMRUN_LOST.  A caller that takes events finds
 * at most those of one loop_dispatch(), and the rest of a pipe at the end.
 */
#define MAX_WAITING_EVENTS 8192

static void free_texts(struct event_record *r)
{
	free(r->target);
	free(r->ended);
	free(r->by);
	free(r->text);
	free(r->level);
	free(r->devices);
	free(r->ended_text);
	free(r->cause_text);
	for (size_t i = 0; r->argv != NULL && r->argv[i] != NULL; i++)
		free(r->argv[i]);
	free(r->argv);
}

static void free_record(const struct event_queue *q, struct event_record *r)
{
	if (r == NULL)
		return;
	free_texts(r);
	if (r->findings != NULL)
		q->free_findings(r->findings);
	free(r);
}

static void remove_record(struct event_queue *q, struct event_record *r)
{
	TAILQ_REMOVE(&q->waiting, r, link);
	q->count--;
}

/* Replaces an event by one that says that it is lost. */
static void make_lost(struct event_record *r)
{
	struct vmrun_event lost = { .type = VMRUN_LOST,
		.name = event_kind(VMRUN_LOST)->name,
		.seq = r->event.seq,
		.time_ms = r->event.time_ms,
		.lost = 1 };

	free_texts(r);
	r->target = r->ended = r->by = r->text = r->level = NULL;
	r->devices = r->ended_text = r->cause_text = NULL;
	r->argv = NULL;
	r->event = lost;
}

/* Drops the oldest event that may be dropped, if there is one. */
static void drop_oldest_output(struct event_queue *q)
{
	struct event_record *r = TAILQ_FIRST(&q->waiting), *before;

	while (r != NULL && !event_kind(r->event.type)->floods)
		r = TAILQ_NEXT(r, link);
	if (r == NULL)
		return;
	before = TAILQ_PREV(r, event_records, link);
	if (before == NULL || before->event.type != VMRUN_LOST ||
	    before->event.seq + 1 != r->event.seq) {
		make_lost(r);
		return;
	}
	before->event.seq = r->event.seq;
	before->event.time_ms = r->event.time_ms;
	before->event.lost++;
	remove_record(q, r);
	free_record(q, r);
}

static void call_listener(const struct event_queue *q, const struct event_record *r)
{
	struct vmrun_event event = r->event;

	event.vm = q->vm;
	q->listener(q->listener_context, &event);
}

void event_flush(struct event_queue *q)
{
	struct event_record *r = q->unheard;

	q->unheard = NULL;
	for (; r != NULL && q->listener != NULL; r = TAILQ_NEXT(r, link))
		call_listener(q, r);
}

void event_listen(struct event_queue *q,
    void (*listener)(void *context, const struct vmrun_event *event), void *context)
{
	const struct event_record *r;

	q->listener = listener;
	q->listener_context = context;
	q->unheard = NULL;
	if (listener == NULL || q->count == 0)
		return;
	for (r = TAILQ_FIRST(&q->waiting); r != NULL; r = TAILQ_NEXT(r, link)) {
		/* The listener sees the gap in the numbers. */
		if (r->event.type != VMRUN_LOST)
			call_listener(q, r);
	}
}

struct event_record *event_add(struct event_queue *q, enum vmrun_event_type type)
{
	struct event_record *r = mem_zero(sizeof(*r));

	if (q->count >= MAX_WAITING_EVENTS) {
		event_flush(q);
		drop_oldest_output(q);
	}
	r->event.type = type;
	r->event.name = event_kind(type)->name;
	r->event.seq = ++q->seq;
	r->event.time_ms = clock_date_ms();
	if (q->count++ == 0)
		TAILQ_INIT(&q->waiting);
	TAILQ_INSERT_TAIL(&q->waiting, r, link);
	if (q->unheard == NULL)
		q->unheard = r;
	return r;
}

static char *set(char **into, const char *text)
{
	free(*into);
	*into = text == NULL ? NULL : mem_copy(text);
	return *into;
}

void event_target(struct event_record *r, const char *target)
{
	r->event.target = set(&r->target, target);
}

void event_ended(struct event_record *r, const char *target)
{
	r->event.ended = set(&r->ended, target);
}

void event_by(struct event_record *r, const char *by)
{
	r->event.by = set(&r->by, by);
}

void event_text(struct event_record *r, const char *text)
{
	r->event.text = set(&r->text, text);
}

void event_level(struct event_record *r, const char *level)
{
	r->event.level = set(&r->level, level);
}

void event_devices(struct event_record *r, const char *json)
{
	r->event.devices = set(&r->devices, json);
}

void event_ended_text(struct event_record *r, const char *text)
{
	r->event.ended_text = set(&r->ended_text, text);
}

void event_cause_text(struct event_record *r, const char *text)
{
	r->event.cause_text = set(&r->cause_text, text);
}

void event_findings(struct event_queue *q, struct event_record *r)
{
	if (q->find != NULL)
		q->find(q->find_context, r);
}

void event_argv(struct event_record *r, char *const *argv)
{
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	r->argv = mem_zero((n + 1) * sizeof(*r->argv));
	for (size_t i = 0; i < n; i++)
		r->argv[i] = mem_copy(argv[i]);
	r->event.argv = (const char *const *)r->argv;
}

bool event_next(struct event_queue *q, struct vmrun_event *out)
{
	struct event_record *r;

	event_flush(q);
	r = q->count == 0 ? NULL : TAILQ_FIRST(&q->waiting);
	free_record(q, q->lent);
	q->lent = r;
	if (r == NULL)
		return false;
	remove_record(q, r);
	r->event.vm = q->vm;
	*out = r->event;
	return true;
}

void event_queue_clear(struct event_queue *q)
{
	struct event_record *next;

	for (struct event_record *r = q->count == 0 ? NULL : TAILQ_FIRST(&q->waiting); r != NULL;
	     r = next) {
		next = TAILQ_NEXT(r, link);
		free_record(q, r);
	}
	free_record(q, q->lent);
	memset(q, 0, sizeof(*q));
}
