/* The control socket: clients come, are served in turn, and go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/os.h"
#include "platform/socket.h"
#include "run/control_state.h"

#define ACCEPT_AT_ONCE 16
#define SPARE_DESCRIPTORS 64 /* what the VM, its helpers and its hooks need */
#define CLIENTS_LEAST 8

/* So many clients that there are descriptors left for the VM. */
static size_t client_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY ||
	    files.rlim_cur >= CONTROL_CLIENTS + SPARE_DESCRIPTORS)
		return CONTROL_CLIENTS;
	if (files.rlim_cur < CLIENTS_LEAST + SPARE_DESCRIPTORS)
		return CLIENTS_LEAST;
	return (size_t)files.rlim_cur - SPARE_DESCRIPTORS;
}

static void hear_event(void *context, const struct vmrun_event *event)
{
	struct control *c = context;

	backlog_add(&c->backlog, event->seq, c->owner.event_json(c->owner.context, event));
	c->news = true;
}

static void hear_console(void *context, const char *bytes, size_t n)
{
	struct control *c = context;

	waiting_printed(c, bytes, n);
	c->news = true;
}

int control_open(struct control **out, struct machine *m, const char *path,
    const struct control_owner *owner, struct error *err)
{
	struct control *c;
	int listener;

	if (socket_listen(path, &listener, err) != 0)
		return -1;
	if (waitset_watch_fd(m->wait, listener, MACHINE_TAG_CONTROL, err) != 0) {
		(void)close(listener);
		(void)unlink(path);
		return -1;
	}
	c = mem_zero(sizeof(*c));
	c->machine = m;
	c->owner = *owner;
	c->path = mem_copy(path);
	c->listener = listener;
	c->limit = client_limit();
	c->stall_ms = CONTROL_STALL_MS;
	event_listen(m->events, hear_event, c);
	m->console.hear = hear_console;
	m->console.hear_context = c;
	m->control = c;
	*out = c;
	return 0;
}

static void drop(struct control *c, size_t slot)
{
	struct client *client = c->client[slot];

	waiting_forget(c, client);
	if (c->writer == client) {
		c->writer = NULL;
		if (c->listener >= 0)
			serving_room(c);
	}
	client_free(client, c->listener < 0 ? NULL : c->machine->wait);
	c->client[slot] = NULL;
	c->count--;
}

/* Has done nothing for long, and nothing is owed to it that it reads. */
static bool is_idle(const struct control *c, const struct client *client)
{
	bool waits = client->waits > 0 || client->hears || client->is_console;

	return clock_ms() - client->moved_ms >= c->stall_ms &&
	    (!waits || client_unread(client) > 0);
}

/* The table is full: who has been idle longest makes room, if anybody has been for long. */
static void make_room(struct control *c)
{
	size_t slot = CONTROL_CLIENTS;

	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->client[i] != NULL && is_idle(c, c->client[i]) &&
		    (slot == CONTROL_CLIENTS || c->client[i]->moved_ms < c->client[slot]->moved_ms))
			slot = i;
	}
	if (slot < CONTROL_CLIENTS)
		drop(c, slot);
}

/* One line for who is not let in; what does not fit is not sent. */
static void turn_away(struct control *c, int fd, const char *why)
{
	struct client *client = client_new(fd, MACHINE_TAG_CONTROL, 0, c->machine->wait);

	client_refuse(client, NULL, why);
	(void)client_flush(client);
	client_free(client, c->machine->wait);
}

static void let_in(struct control *c, int fd, pid_t pid)
{
	size_t slot = 0;

	while (c->client[slot] != NULL)
		slot++;
	c->client[slot] = client_new(fd, MACHINE_TAG_CLIENT + slot, pid, c->machine->wait);
	c->count++;
}

static void judge(struct control *c, int fd)
{
	uid_t uid;
	pid_t pid;

	if (!os_peer(fd, &uid, &pid) || (uid != geteuid() && uid != 0)) {
		turn_away(c, fd, "only the user who runs this vmrun, and root, may ask");
		return;
	}
	if (c->count >= c->limit)
		make_room(c);
	if (c->count >= c->limit) {
		char why[80];

		(void)snprintf(
		    why, sizeof(why), "too many clients: %zu are here already", c->count);
		turn_away(c, fd, why);
		return;
	}
	let_in(c, fd, pid);
}

/* Out of descriptors: a client that waits would wake us all the time. */
static void be_deaf(struct control *c)
{
	waitset_forget_fd(c->machine->wait, c->listener);
	c->deaf = true;
	c->deaf_until_ms = clock_ms() + CONTROL_RETRY_MS;
}

static void listen_again(struct control *c)
{
	struct error ignored = { 0 };

	c->deaf =
	    waitset_watch_fd(c->machine->wait, c->listener, MACHINE_TAG_CONTROL, &ignored) != 0;
	if (c->deaf)
		c->deaf_until_ms = clock_ms() + CONTROL_RETRY_MS;
	error_clear(&ignored);
}

static void accept_some(struct control *c)
{
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd = socket_accept(c->listener);

		if (fd >= 0) {
			judge(c, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			be_deaf(c);
		return;
	}
}

/* Everything of one client that can be done now. */
static void serve(struct control *c, struct client *client)
{
	if (client->reading && !client->leaves)
		client_read(client);
	serving_lines(c, client);
	streaming_pump(c, client);
	if (!client->reading && !client->writing && client_is_gone(client))
		client->dead = true;
}

void control_wake(struct control *c, uintptr_t tag)
{
	c->busy = true;
	if (tag == MACHINE_TAG_CONTROL)
		accept_some(c);
	else if (c->client[tag - MACHINE_TAG_CLIENT] != NULL)
		serve(c, c->client[tag - MACHINE_TAG_CLIENT]);
	c->news = true;
	c->busy = false;
}

void control_console_ready(struct control *c)
{
	if (c->writer != NULL && c->writer->in_length > 0) {
		serving_type(c, c->writer);
		c->news = true;
	}
}

/* Nothing more is read from a client as long as it does not read, or the guest does not. */
static bool may_read(const struct client *client)
{
	if (client->leaves)
		return false;
	if (client->is_console)
		return client->in_length == 0;
	return client_unread(client) < CLIENT_OUT_MOST && client->in_length < CLIENT_LINE_MOST;
}

static bool has_stalled(const struct control *c, const struct client *client)
{
	return client_unread(client) > 0 && !client->hears && !client->is_console &&
	    clock_ms() - client->moved_ms >= c->stall_ms;
}

/* False when it is to be dropped. */
static bool settle(struct control *c, struct client *client)
{
	if (!client->dead && client->in_length > 0)
		serving_lines(c, client);
	if (!client->dead)
		streaming_pump(c, client);
	/* Who has said all: what it waited for is forgotten, what it has not read is sent. */
	if (client->leaves && !c->again)
		waiting_forget(c, client);
	if (client->leaves && !c->again && client_unread(client) == 0)
		client->dead = true;
	if (client->dead || has_stalled(c, client))
		return false;
	client_want(client, c->machine->wait, may_read(client));
	return true;
}

static void settle_all(struct control *c)
{
	c->again = c->news = false;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->client[i] != NULL && !settle(c, c->client[i]))
			drop(c, i);
	}
}

void control_settle(struct control *c)
{
	int64_t until;

	if (c == NULL || c->busy || c->listener < 0)
		return;
	c->busy = true;
	event_tell(c->machine->events);
	waiting_look(c);
	if (c->deaf && c->deaf_until_ms <= clock_ms())
		listen_again(c);
	until = control_until_ms(c);
	if (until >= 0 && until <= clock_ms())
		settle_all(c);
	c->busy = false;
	if (machine_ended(c->machine))
		control_close(c);
	else
		machine_arm(c->machine);
}

static void sooner(int64_t *at, int64_t other)
{
	if (other >= 0 && (*at < 0 || other < *at))
		*at = other;
}

int64_t control_until_ms(const struct control *c)
{
	int64_t at = waiting_until_ms(c);

	if (c->count > 0 && (c->again || c->news))
		return 0;
	if (c->deaf)
		sooner(&at, c->deaf_until_ms);
	for (size_t i = 0, n = c->count; n > 0 && i < CONTROL_CLIENTS; i++) {
		const struct client *client = c->client[i];

		if (client == NULL)
			continue;
		n--;
		if (client_unread(client) > 0 && !client->hears && !client->is_console)
			sooner(&at, client->moved_ms + c->stall_ms);
	}
	return at;
}

void control_close(struct control *c)
{
	struct machine *m;

	if (c == NULL || c->listener < 0)
		return;
	m = c->machine;
	c->busy = true;
	event_tell(m->events);
	event_listen(m->events, NULL, NULL);
	m->console.hear = NULL;
	m->control = NULL;
	waiting_end(c);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->client[i] == NULL)
			continue;
		streaming_pump(c, c->client[i]);
		waitset_forget_fd(m->wait, c->client[i]->fd);
	}
	if (!c->deaf)
		waitset_forget_fd(m->wait, c->listener);
	(void)close(c->listener);
	c->listener = -1;
	(void)unlink(c->path);
}

void control_free(struct control *c)
{
	if (c == NULL)
		return;
	control_close(c);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->client[i] != NULL) {
			(void)client_flush(c->client[i]);
			drop(c, i);
		}
	}
	backlog_clear(&c->backlog);
	free(c->path);
	free(c);
}
