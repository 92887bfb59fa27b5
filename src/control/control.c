/* The control socket: calls its parts in order, and computes when it must run next. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "control/control_inside.h"

/* Adds an event to the backlog, for the listeners. */
static void hear_event(void *context, const struct vmrun_event *event)
{
	struct control *c = context;

	backlog_add(&c->backlog, event->seq, vmrun_event_json(event));
	c->new_events = true;
	if (event->type == VMRUN_READY)
		waiters_ready(c);
}

/* Answers the requests that wait for this output; the viewers get it later. */
static void hear_console(void *context, const char *bytes, size_t n)
{
	struct control *c = context;

	waiters_printed(c, bytes, n);
	c->new_output = true;
}

int control_open(struct control **out, struct machine *m, struct waitset *wait, const char *path,
    const struct control_owner *owner, struct error *err)
{
	struct control *c = mem_zero(sizeof(*c));

	c->machine = m;
	c->wait = wait;
	c->owner = *owner;
	clients_open(c);
	if (listener_open(c, path, err) != 0) {
		clients_free(c);
		free(c);
		return -1;
	}
	event_listen(c->owner.events, hear_event, c);
	machine_console(m)->hear = hear_console;
	machine_console(m)->hear_context = c;
	*out = c;
	return 0;
}

void control_wake(struct control *c, uintptr_t tag)
{
	struct client *client;

	c->busy = true;
	if (tag == CONTROL_TAG) {
		listener_accept(c);
	} else if ((client = c->client[tag - CONTROL_TAG_CLIENT]) != NULL) {
		if (client->reading && !client->leaves)
			client_read(client);
		if (!client->reading && !client->writing && client_is_gone(client))
			client->dead = true;
		clients_mark(c, client);
	}
	c->busy = false;
}

void control_console_ready(struct control *c)
{
	if (c->writer != NULL && c->writer->in.length > 0) {
		serve_type(c, c->writer);
		clients_mark(c, c->writer);
	}
}

/* Serves a client that was marked; returns false if the client is to be dropped. */
static bool settle(struct control *c, struct client *client)
{
	if (!client->dead)
		serve_lines(c, client);
	if (!client->dead)
		streams_pump(c, client);
	/* No byte from the client need follow; while the output is full, the socket wakes vmrun. */
	if (client->more && client_unread(client) < MAX_CLIENT_OUT)
		clients_mark(c, client);
	/* Half-closed client: drop its waits, flush its output, then close. */
	if (client->leaves && !client->more) {
		waiters_forget(c, client);
		runs_forget(c, client);
		if (client_unread(client) == 0)
			client->dead = true;
	}
	return !client->dead;
}

/* Settles the marked clients; those that are marked meanwhile stay for the next call. */
static void settle_moved(struct control *c)
{
	const uint64_t now = c->round++;
	struct client *client;

	/* A new mark is added at the end, so the clients of this round come first. */
	while ((client = TAILQ_FIRST(&c->moved)) != NULL && client->marked <= now) {
		clients_unmark(c, client);
		if (settle(c, client))
			clients_update(c, client);
		else
			clients_drop(c, client);
	}
}

void control_settle(struct control *c)
{
	if (c == NULL || c->busy || c->listener.fd < 0)
		return;
	c->busy = true;
	c->news = false;
	listener_look(c);
	event_flush(c->owner.events);
	waiters_look(c);
	streams_mark(c);
	settle_moved(c);
	clients_expire(c);
	c->busy = false;
	if (machine_ended(c->machine))
		control_close(c);
}

void control_renew(struct control *c)
{
	if (c == NULL || c->listener.fd < 0)
		return;
	c->listener.warned = false;
	listener_renew(c);
}

int64_t control_until_ms(const struct control *c)
{
	if (c == NULL || c->listener.fd < 0)
		return -1;
	if (!TAILQ_EMPTY(&c->moved) || c->news || streams_has_news(c))
		return 0;
	return clock_earlier(
	    clock_earlier(waiters_until_ms(c), listener_until_ms(c)), clients_until_ms(c));
}

void control_close(struct control *c)
{
	if (c == NULL || c->listener.fd < 0)
		return;
	event_flush(c->owner.events);
	event_listen(c->owner.events, NULL, NULL);
	machine_console(c->machine)->hear = NULL;
	waiters_end(c);
	runs_end(c);
	for (size_t i = 0; i < c->places; i++) {
		if (c->client[i] == NULL)
			continue;
		streams_pump(c, c->client[i]);
		waitset_forget_fd(c->wait, c->client[i]->fd);
	}
	listener_close(c);
}

void control_free(struct control *c)
{
	if (c == NULL)
		return;
	control_close(c);
	for (size_t i = 0; i < c->places; i++) {
		if (c->client[i] != NULL) {
			(void)client_flush(c->client[i]);
			clients_drop(c, c->client[i]);
		}
	}
	clients_free(c);
	backlog_clear(&c->backlog);
	free(c);
}
