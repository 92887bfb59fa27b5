/* Requests that wait for a text on the console, a state, a ready guest, or the VM's end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "platform/clock.h"
#include "control/control_inside.h"

#define MAX_QUOTED_TEXT 100 /* bytes of the text that an error message repeats */

/* Returns the list that a waiting request belongs to, by what it waits for. */
static struct wait_list *list_of(struct control *c, const struct wait *w)
{
	if (w->text != NULL)
		return &c->texts;
	if (w->for_ready)
		return &c->readies;
	return w->state != NULL ? &c->states : &c->ends;
}

/* Removes a waiting request from its lists and frees it. */
static void free_wait(struct control *c, struct wait *w)
{
	struct wait_list *list = list_of(c, w);

	TAILQ_REMOVE(list, w, kind);
	LIST_REMOVE(w, sibling);
	alarms_cancel(&c->timeouts, &w->timeout);
	w->client->waits--;
	c->waits--;
	free(w->id);
	free(w->state);
	free(w->text);
	search_free(&w->search);
	free(w);
}

/* Searches the console output that is still in memory. */
static bool look_back(const struct control *c, struct wait *w)
{
	const struct console *console = machine_console(c->machine);
	size_t n = console->ring_length;
	MEM_AUTO char *bytes = mem_zero(n + 1);

	n = console_copy(console, console->total - n, bytes, n);
	return search_bytes(&w->search, bytes, n) > 0;
}

/* Answers a stop with what ended the boot. */
static void tell_end(const struct control *c, const struct wait *w)
{
	const char *ended_by, *text;
	struct str json = { 0 };

	machine_get_end(c->machine, &ended_by, &text);
	client_begin_answer(&json, w->id);
	json_add_text(&json, "ended_by", ended_by);
	json_add_text(&json, "text", text);
	client_end_answer(w->client, &json);
}

/* Answers a waiting request with success, and frees it. */
static void grant(struct control *c, struct wait *w)
{
	if (w->tells_end)
		tell_end(c, w);
	else
		client_accept(w->client, w->id);
	clients_mark(c, w->client);
	free_wait(c, w);
}

/* Answers a waiting request with an error, and frees it. */
static void deny(struct control *c, struct wait *w, const char *why)
{
	client_refuse(w->client, w->id, why);
	clients_mark(c, w->client);
	free_wait(c, w);
}

/* Returns whether the guest is ready; where its spec has no `ready`, one that runs is. */
static bool is_ready(const struct vmrun_state *state)
{
	return state->ready >= 0 ? state->ready > 0 : strcmp(state->state, "running") == 0;
}

/* Creates a waiting request and adds it to its lists. */
static struct wait *add(struct control *c, struct client *client, struct request *o)
{
	struct wait *w = mem_zero(sizeof(*w));
	struct wait_list *list;

	w->client = client;
	w->id = o->id;
	w->state = o->state;
	w->text = o->text;
	w->timeout_ms = o->timeout_ms;
	w->for_ready = o->ready;
	w->tells_end = o->type == REQUEST_STOP || o->type == REQUEST_KILL;
	o->id = o->state = o->text = NULL;
	if (w->text != NULL)
		search_begin(&w->search, w->text, o->text_length);
	list = list_of(c, w);
	TAILQ_INSERT_TAIL(list, w, kind);
	LIST_INSERT_HEAD(&client->waiting, w, sibling);
	if (w->timeout_ms >= 0)
		alarms_set(&c->timeouts, &w->timeout, clock_ms() + w->timeout_ms, w);
	client->waits++;
	c->waits++;
	return w;
}

bool waiters_add(struct control *c, struct client *client, struct request *o)
{
	struct wait *w;

	if (client->waits == MAX_CLIENT_WAITS) {
		client_refuse(client, o->id, "too many waiting requests on this connection");
		return false;
	}
	if (o->type == REQUEST_WAIT_FOR && !machine_may_have_console(c->machine)) {
		client_refuse(client, o->id, "wait-for: " NO_CONSOLE);
		return false;
	}
	waiters_look(c); /* so that c->state and c->is_ready are current */
	w = add(c, client, o);
	if ((w->state != NULL && strcmp(w->state, c->state) == 0) ||
	    (w->for_ready && c->is_ready) || (w->text != NULL && o->backlog && look_back(c, w)))
		grant(c, w);
	return true;
}

void waiters_printed(struct control *c, const char *bytes, size_t n)
{
	struct wait *next;

	for (struct wait *w = TAILQ_FIRST(&c->texts); w != NULL; w = next) {
		next = TAILQ_NEXT(w, kind);
		if (search_bytes(&w->search, bytes, n) > 0)
			grant(c, w);
	}
}

void waiters_ready(struct control *c)
{
	struct wait *w;

	while ((w = TAILQ_FIRST(&c->readies)) != NULL)
		grant(c, w);
}

/* Refuses a request that has timed out. */
static void refuse_late(struct control *c, struct wait *w)
{
	char text[256];
	double seconds = (double)w->timeout_ms / 1000;

	if (w->text != NULL)
		(void)snprintf(text, sizeof(text), "\"%.*s%s\" was not printed within %g s",
		    MAX_QUOTED_TEXT, w->text, w->search.length > MAX_QUOTED_TEXT ? "..." : "",
		    seconds);
	else
		(void)snprintf(text, sizeof(text), "not %s within %g s: it is %s",
		    w->state != NULL   ? w->state
			: w->for_ready ? "ready"
				       : "gone",
		    seconds, c->state);
	deny(c, w, text);
}

/*
 * Answers the requests that wait for a guest that is ready, and those that wait for the current
 * state, if the state has changed.
 */
static void look_at_state(struct control *c)
{
	const char *before = c->state;
	struct vmrun_state state;
	struct wait *next;

	machine_get_state(c->machine, &state);
	c->state = state.state;
	c->is_ready = is_ready(&state);
	if (c->is_ready)
		waiters_ready(c);
	if (before != NULL && strcmp(before, c->state) == 0)
		return;
	for (struct wait *w = TAILQ_FIRST(&c->states); w != NULL; w = next) {
		next = TAILQ_NEXT(w, kind);
		if (strcmp(w->state, c->state) == 0)
			grant(c, w);
	}
}

void waiters_look(struct control *c)
{
	const struct alarm *first;

	look_at_state(c);
	while ((first = alarms_first(&c->timeouts)) != NULL && first->at_ms <= clock_ms())
		refuse_late(c, first->owner);
}

/* Refuses a request for a guest that was not ready before the VM's end. */
static void refuse_ended(struct control *c, struct wait *w)
{
	MEM_AUTO char *text = NULL;
	struct vmrun_state state;

	machine_get_state(c->machine, &state);
	text = mem_format("the VM ended before its guest was ready%s%s",
	    state.cause != NULL ? ", last exit: " : "", state.cause != NULL ? state.cause : "");
	deny(c, w, text);
}

void waiters_end(struct control *c)
{
	struct wait *w;

	while ((w = TAILQ_FIRST(&c->ends)) != NULL)
		grant(c, w);
	while ((w = TAILQ_FIRST(&c->states)) != NULL || (w = TAILQ_FIRST(&c->texts)) != NULL)
		deny(c, w, "the VM has exited");
	while ((w = TAILQ_FIRST(&c->readies)) != NULL)
		refuse_ended(c, w);
}

void waiters_forget(struct control *c, struct client *client)
{
	struct wait *next;

	for (struct wait *w = LIST_FIRST(&client->waiting); w != NULL; w = next) {
		next = LIST_NEXT(w, sibling);
		free_wait(c, w);
	}
}

int64_t waiters_until_ms(const struct control *c)
{
	const struct alarm *first = alarms_first(&c->timeouts);

	return first == NULL ? -1 : first->at_ms;
}
