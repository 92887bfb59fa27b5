/* The places of clients: admits clients, marks them to be settled, drops those that time out. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "platform/clock.h"
#include "platform/os.h"
#include "control/control_inside.h"

#define SPARE_DESCRIPTORS 64 /* for the VM, its helper processes and its hooks */
#define MIN_CLIENTS 8	     /* ordinary clients, however few descriptors there are */

/* Returns how many ordinary clients leave enough descriptors for the VM. */
static size_t client_limit(void)
{
	const rlim_t others = SPARE_DESCRIPTORS + MAX_RESERVED_CLIENTS;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY ||
	    files.rlim_cur >= MAX_ORDINARY_CLIENTS + others)
		return MAX_ORDINARY_CLIENTS;
	if (files.rlim_cur < MIN_CLIENTS + others)
		return MIN_CLIENTS;
	return (size_t)(files.rlim_cur - others);
}

void clients_open(struct control *c)
{
	c->limit = client_limit();
	c->places = MAX_RESERVED_CLIENTS;
	c->client = mem_zero(c->places * sizeof(struct client *));
	c->round = 1;
	TAILQ_INIT(&c->moved);
	TAILQ_INIT(&c->listeners);
	TAILQ_INIT(&c->viewers);
	TAILQ_INIT(&c->texts);
	TAILQ_INIT(&c->states);
	TAILQ_INIT(&c->ends);
	TAILQ_INIT(&c->readies);
	c->stall_ms = MAX_STALL_MS;
	c->hurry_ms = MAX_HURRY_MS;
}

void clients_free(struct control *c)
{
	alarms_free(&c->stalled);
	alarms_free(&c->idle);
	alarms_free(&c->timeouts);
	free(c->client);
}

void clients_unmark(struct control *c, struct client *client)
{
	if (client->marked == 0)
		return;
	TAILQ_REMOVE(&c->moved, client, moved);
	client->marked = 0;
}

void clients_mark(struct control *c, struct client *client)
{
	clients_unmark(c, client);
	client->marked = c->round;
	TAILQ_INSERT_TAIL(&c->moved, client, moved);
}

void clients_drop(struct control *c, struct client *client)
{
	size_t place = (size_t)(client->tag - CONTROL_TAG_CLIENT);
	bool is_over = c->listener.fd < 0;

	waiters_forget(c, client);
	runs_forget(c, client);
	clients_unmark(c, client);
	streams_leave(c, client);
	alarms_cancel(&c->stalled, &client->stall);
	alarms_cancel(&c->idle, &client->idling);
	if (c->writer == client) {
		c->writer = NULL;
		if (!is_over)
			serve_room(c);
	}
	if (!client->reserved)
		c->ordinary--;
	c->count--;
	c->client[place] = NULL;
	client_free(client, is_over ? NULL : c->wait);
}

void clients_make_room(struct control *c)
{
	const struct alarm *first = alarms_first(&c->idle);

	if (first != NULL && first->at_ms + c->stall_ms <= clock_ms())
		clients_drop(c, first->owner);
}

/* Returns true if a is to be dropped before b: clients that wait for nothing first, then by age. */
static bool goes_before(const struct client *a, const struct client *b)
{
	if ((a->waits == 0) != (b->waits == 0))
		return a->waits == 0;
	return a->arrived_ms < b->arrived_ms;
}

/* Serves what the client has sent, which may be a stop, before another takes its place. */
static void hear_out(struct control *c, struct client *client)
{
	client_read(client);
	serve_lines(c, client);
}

/* Refuses a client in a reserved place and drops it. */
static void dismiss(struct control *c, struct client *client)
{
	serve_refuse(c, client, NULL);
	(void)client_flush(client);
	clients_drop(c, client);
}

/* Returns a free reserved place, after dismissing a client if all are taken. */
static size_t reserved_place(struct control *c)
{
	struct client *victim = NULL;
	size_t place;

	for (size_t i = 0; i < MAX_RESERVED_CLIENTS; i++) {
		if (c->client[i] == NULL)
			return i;
		if (victim == NULL || goes_before(c->client[i], victim))
			victim = c->client[i];
	}
	place = (size_t)(victim->tag - CONTROL_TAG_CLIENT);
	hear_out(c, victim);
	dismiss(c, victim);
	return place;
}

/* Returns a free ordinary place, a new one if all are taken. */
static size_t ordinary_place(struct control *c)
{
	size_t place = MAX_RESERVED_CLIENTS;

	while (place < c->places && c->client[place] != NULL)
		place++;
	if (place == c->places)
		c->client = mem_resize(c->client, ++c->places, sizeof(struct client *));
	return place;
}

/* Sends one line to a client that gets no place, as far as the socket takes it, and closes. */
static void turn_away(struct control *c, int fd, bool is_denied, const char *why)
{
	struct client *client = client_new(fd, CONTROL_TAG, 0, c->wait);
	struct str answer = { 0 };

	json_begin_object(&answer, NULL);
	json_add_bool(&answer, "ok", false);
	if (is_denied) /* for programs: the text is for people */
		json_add_bool(&answer, "denied", true);
	json_add_text(&answer, "error", why);
	client_end_answer(client, &answer);
	(void)client_flush(client);
	client_free(client, c->wait);
}

/* Gives a new client an ordinary or a reserved place. */
static void let_in(struct control *c, int fd, pid_t pid, bool hurried)
{
	size_t place = hurried ? reserved_place(c) : ordinary_place(c);
	struct client *client = client_new(fd, CONTROL_TAG_CLIENT + place, pid, c->wait);

	client->reserved = hurried;
	c->client[place] = client;
	c->count++;
	if (!hurried)
		c->ordinary++;
	clients_mark(c, client);
}

void clients_admit(struct control *c, int fd, bool hurried)
{
	uid_t uid;
	pid_t pid;

	if (!os_peer(fd, &uid, &pid)) {
		turn_away(c, fd, false, "cannot find out the user of this client: try again");
		return;
	}
	if (uid != geteuid() && uid != 0) {
		turn_away(c, fd, true,
		    "permission denied: only root and the user of this vmrun can send requests");
		return;
	}
	if (c->ordinary >= c->limit)
		clients_make_room(c);
	let_in(c, fd, pid, hurried || c->ordinary >= c->limit);
}

/* Returns false while the client does not read its answers, or the guest its console input. */
static bool may_read(const struct client *client)
{
	if (client->leaves)
		return false;
	if (client->is_console)
		return client->in.length == 0;
	return client_unread(client) < MAX_CLIENT_OUT && client->in.length <= MAX_CLIENT_LINE;
}

void clients_update(struct control *c, struct client *client)
{
	bool streams = client->hears || client->is_console;
	bool owes = client_unread(client) > 0;

	client_want(client, c->wait, may_read(client));
	if (owes && !streams)
		alarms_set(&c->stalled, &client->stall, client->moved_ms, client);
	else
		alarms_cancel(&c->stalled, &client->stall);
	/* A client that waits for something, or keeps up with its stream, is not dropped. */
	if (!client->reserved && (owes ? streams : !streams && client->waits == 0))
		alarms_set(&c->idle, &client->idling, client->moved_ms, client);
	else
		alarms_cancel(&c->idle, &client->idling);
}

/* Returns true if the time of a client in a reserved place is over. */
static bool is_late(const struct control *c, const struct client *client)
{
	return client->waits == 0 && client->arrived_ms + c->hurry_ms <= clock_ms();
}

/* Drops the clients whose time in a reserved place is over, unless they wait for the VM's end. */
static void expire_reserved(struct control *c)
{
	for (size_t i = 0; i < MAX_RESERVED_CLIENTS; i++) {
		struct client *client = c->client[i];

		if (client == NULL || !is_late(c, client))
			continue;
		hear_out(c, client);
		if (client->waits == 0)
			dismiss(c, client);
		else
			clients_mark(c, client);
	}
}

void clients_expire(struct control *c)
{
	const struct alarm *first;

	if (c->count > c->ordinary)
		expire_reserved(c);
	while (
	    (first = alarms_first(&c->stalled)) != NULL && first->at_ms + c->stall_ms <= clock_ms())
		clients_drop(c, first->owner);
}

int64_t clients_until_ms(const struct control *c)
{
	const struct alarm *first = alarms_first(&c->stalled);
	int64_t at = first == NULL ? -1 : first->at_ms + c->stall_ms;

	for (size_t i = 0; c->count > c->ordinary && i < MAX_RESERVED_CLIENTS; i++) {
		const struct client *client = c->client[i];

		if (client != NULL && client->waits == 0)
			at = clock_earlier(at, client->arrived_ms + c->hurry_ms);
	}
	return at;
}
