/* What clients ask for, done. */
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/clock.h"
#include "control/control_inside.h"

static void add_text(struct str *json, const char *key, const char *text)
{
	str_addf(json, ",\"%s\":", key);
	if (text == NULL)
		str_add(json, "null");
	else
		str_add_json(json, text);
}

static void add_number(struct str *json, const char *key, int64_t number)
{
	str_addf(json, ",\"%s\":%lld", key, (long long)number);
}

static void tell_status(const struct control *c, struct client *client, const struct order *o)
{
	struct vmrun_state s;
	struct str json = { 0 };

	machine_tell(c->machine, &s);
	str_add(&json, "\"v\":1");
	add_text(&json, "vm", c->owner.vm);
	add_text(&json, "state", s.state);
	if (s.pid != 0)
		add_number(&json, "pid", s.pid);
	else
		add_text(&json, "pid", NULL);
	add_text(&json, "target", s.target);
	add_number(&json, "boots", s.boots);
	add_number(&json, "uptime_ms", s.uptime_ms);
	add_text(&json, "cause", s.cause);
	add_text(&json, "next_target", s.next_target);
	add_number(&json, "wait_ms", s.wait_ms);
	add_number(&json, "stop_step", s.stop_step);
	add_number(&json, "vmrun_pid", (int64_t)getpid());
	client_accept(client, o->id, json.text);
	str_free(&json);
}

/* Answers when the VM is gone, if that is asked for, else at once. */
static void end(struct control *c, struct client *client, struct order *o)
{
	if (o->wait)
		waiting_add(c, client, o);
	else
		client_accept(client, o->id, NULL);
	if (o->type == ORDER_KILL)
		machine_kill(c->machine);
	else
		machine_stop(c->machine);
}

static void answer(struct client *client, const struct order *o, int rc, struct error *err)
{
	if (rc == 0)
		client_accept(client, o->id, NULL);
	else
		client_refuse(client, o->id, err->text);
	error_clear(err);
}

static void obey(struct control *c, struct client *client, struct order *o)
{
	struct machine *m = c->machine;
	struct error err = { 0 };

	switch (o->type) {
	case ORDER_STATUS:
		tell_status(c, client, o);
		break;
	case ORDER_STOP:
	case ORDER_KILL:
		end(c, client, o);
		break;
	case ORDER_REBOOT:
		answer(client, o, machine_reboot(m, o->target, &err), &err);
		break;
	case ORDER_NEXT:
		answer(client, o, machine_next(m, o->target, &err), &err);
		break;
	case ORDER_RESET:
		if (machine_reset(m))
			client_accept(client, o->id, NULL);
		else
			client_refuse(client, o->id, "it has not given up: nothing to reset");
		break;
	case ORDER_RELOAD:
		answer(client, o, c->owner.reload(c->owner.context, &err), &err);
		break;
	case ORDER_FORGET:
		answer(client, o, c->owner.forget(c->owner.context, o->hook, &err), &err);
		break;
	case ORDER_EVENTS:
		streaming_events(c, client, o);
		break;
	case ORDER_CONSOLE:
		streaming_console(c, client, o);
		break;
	case ORDER_WAIT_FOR:
	case ORDER_WAIT:
		waiting_add(c, client, o);
		break;
	}
}

void serving_refuse(const struct control *c, struct client *client, const char *id)
{
	char why[160];

	(void)snprintf(why, sizeof(why),
	    "too many clients: %zu are connected; only status, stop and kill are answered now, "
	    "within %lld seconds",
	    c->ordinary, (long long)(c->hurry_ms / 1000));
	client_refuse(client, id, why);
	client->leaves = true;
}

static bool may_ask(const struct client *client, enum order_type type)
{
	return !client->reserved || type == ORDER_STATUS || type == ORDER_STOP ||
	    type == ORDER_KILL;
}

static void serve_line(struct control *c, struct client *client, const char *line, size_t length)
{
	struct order o;
	struct error err = { 0 };

	if (order_read(&o, line, length, &err) != 0)
		client_refuse(client, o.id, err.text);
	else if (may_ask(client, o.type))
		obey(c, client, &o);
	else
		serving_refuse(c, client, o.id);
	error_clear(&err);
	order_clear(&o);
	c->news = true;
}

/* Whether its end has come or not. */
static void refuse_long_line(struct client *client)
{
	client_refuse(client, NULL, "a line of more than 65536 bytes: this connection is closed");
	client->leaves = true;
	client_used(client, client->in.length);
}

/* Returns false when the client has no line that can be served now. */
static bool next_line(struct client *client, size_t *length)
{
	bool is_complete;

	if (client->is_console || client_unread(client) >= CLIENT_OUT_MOST)
		return false;
	is_complete = client_line(client, length);
	if (is_complete ? *length <= CLIENT_LINE_MOST : client->in.length <= CLIENT_LINE_MOST)
		return is_complete;
	refuse_long_line(client);
	return false;
}

void serving_lines(struct control *c, struct client *client)
{
	size_t n;

	client->more = false;
	for (int served = 0; next_line(client, &n); served++) {
		if (served == CONTROL_AT_ONCE) {
			client->more = true;
			return;
		}
		MEM_AUTO char *line = mem_copy_n(client_in(client), n);

		client_used(client, n + 1);
		serve_line(c, client, line, n);
	}
	if (client->is_console)
		serving_type(c, client);
}

void serving_room(struct control *c)
{
	const struct console *console = machine_console(c->machine);
	bool wanted = c->writer != NULL && c->writer->in.length > 0;

	if (console->ours < 0 || wanted == c->wants_room)
		return;
	c->wants_room = wanted;
	machine_want_room(c->machine, wanted);
}

void serving_type(struct control *c, struct client *client)
{
	size_t n = client->in.length;

	if (n == 0)
		return;
	/* What a client sends that only reads is dropped. */
	if (client->writes)
		n = console_type(machine_console(c->machine), client_in(client), n);
	client_used(client, n);
	serving_room(c);
}
