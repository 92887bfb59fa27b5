/* Sends events and console output; a slow client is told how much it has missed. */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "platform/clock.h"
#include "control/control_inside.h"

/* Bytes of console output added at once; a client with this many unsent bytes gets no more. */
#define MAX_PIECE ((size_t)16384)

void streams_leave(struct control *c, struct client *client)
{
	if (client->hears)
		TAILQ_REMOVE(&c->listeners, client, stream);
	if (client->is_console)
		TAILQ_REMOVE(&c->viewers, client, stream);
	client->hears = client->is_console = false;
}

void streams_events(struct control *c, struct client *client, const struct request *o)
{
	uint64_t next = backlog_next(&c->backlog);

	streams_leave(c, client);
	client->hears = true;
	TAILQ_INSERT_TAIL(&c->listeners, client, stream);
	client->event_at = next;
	if (o->from >= 0 && (uint64_t)o->from < next)
		client->event_at = o->from == 0 ? 1 : (uint64_t)o->from;
	client_accept(client, o->id);
}

/* Sends a "lost" event with the number of events that are no longer in the backlog. */
static void tell_lost(struct control *c, struct client *client)
{
	struct vmrun_event event = { .type = VMRUN_LOST,
		.name = "lost",
		.seq = c->backlog.oldest - 1,
		.vm = c->owner.vm,
		.time_ms = clock_date_ms(),
		.lost = (int64_t)(c->backlog.oldest - client->event_at) };
	MEM_AUTO char *line = vmrun_event_json(&event);

	client_put(client, line, strlen(line));
	client_put(client, "\n", 1);
	client->event_at = c->backlog.oldest;
}

/* Adds the next event to the client's output; returns false if there is none. */
static bool next_event(struct control *c, struct client *client)
{
	const char *line;

	if (!client->hears)
		return false;
	if (client->event_at < c->backlog.oldest)
		tell_lost(c, client);
	line = backlog_line(&c->backlog, client->event_at);
	if (line == NULL)
		return false;
	client_put(client, line, strlen(line));
	client_put(client, "\n", 1);
	client->event_at++;
	return true;
}

/* Makes this client the writer of the console; refuses if another client is. */
static bool take_pen(struct control *c, struct client *client, const char *id)
{
	char text[128];

	if (c->writer != NULL && client_is_gone(c->writer)) {
		c->writer->dead = true;
		clients_mark(c, c->writer);
		c->writer = NULL;
	}
	if (c->writer == NULL) {
		c->writer = client;
		return true;
	}
	if (c->writer->pid != 0)
		(void)snprintf(text, sizeof(text),
		    "console: process %ld is writing already: only one client can write, any "
		    "number can read",
		    (long)c->writer->pid);
	else
		(void)snprintf(text, sizeof(text),
		    "console: another client is writing already: only one client can write, any "
		    "number can read");
	client_refuse(client, id, text);
	return false;
}

/* Adds the next console output to the client's output. */
static void put_console(struct client *client, const struct console *console, size_t most)
{
	MEM_AUTO char *bytes = mem_zero(most + 1);
	size_t n = console_copy(console, client->console_at, bytes, most);

	client_put(client, bytes, n);
	client->console_at += n;
}

void streams_console(struct control *c, struct client *client, const struct request *o)
{
	const struct console *console = machine_console(c->machine);
	struct str answer = { 0 };

	if (!machine_has_console(c->machine)) {
		client_refuse(client, o->id, "console: " NO_CONSOLE);
		return;
	}
	if (o->write && !take_pen(c, client, o->id))
		return;
	client_begin_answer(&answer, o->id);
	json_add_int(&answer, "backlog", (int64_t)console->ring_length);
	client_end_answer(client, &answer);
	streams_leave(c, client);
	client->is_console = true;
	client->writes = o->write;
	TAILQ_INSERT_TAIL(&c->viewers, client, stream);
	waiters_forget(c, client);
	runs_forget(c, client);
	client->console_at = console->total - console->ring_length;
	put_console(client, console, console->ring_length);
}

/* Adds a piece of console output; returns false if there is none. */
static bool next_bytes(const struct control *c, struct client *client)
{
	const struct console *console = machine_console(c->machine);
	uint64_t oldest = console->total - console->ring_length;

	if (!client->is_console || client->console_at == console->total)
		return false;
	if (client->console_at < oldest) {
		char text[64];
		int n = snprintf(text, sizeof(text), "\r\n[%llu bytes lost]\r\n",
		    (unsigned long long)(oldest - client->console_at));

		client_put(client, text, (size_t)n);
		client->console_at = oldest;
	}
	put_console(client, console, MAX_PIECE);
	return true;
}

bool streams_has_news(const struct control *c)
{
	return (c->new_events && !TAILQ_EMPTY(&c->listeners)) ||
	    (c->new_output && !TAILQ_EMPTY(&c->viewers));
}

/* Marks the clients of a list, except those with unsent output: sending it marks them. */
static void mark_all(struct control *c, const struct client_list *list)
{
	struct client *client = TAILQ_FIRST(list);

	for (; client != NULL; client = TAILQ_NEXT(client, stream)) {
		if (!client->writing)
			clients_mark(c, client);
	}
}

void streams_mark(struct control *c)
{
	if (c->new_events)
		mark_all(c, &c->listeners);
	if (c->new_output)
		mark_all(c, &c->viewers);
	c->new_events = c->new_output = false;
}

void streams_pump(struct control *c, struct client *client)
{
	do {
		while (!client->leaves && client_unread(client) < MAX_PIECE &&
		    (next_event(c, client) || next_bytes(c, client)))
			;
	} while (client_unread(client) > 0 && client_flush(client) && !client->leaves &&
	    (client->hears || client->is_console));
}
