/* Serves the requests of clients. */
#include <stdio.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "platform/clock.h"
#include "control/control_inside.h"

/* Adds whether the guest is ready; null: its spec does not say what that means. */
static void add_ready(struct str *json, int ready)
{
	if (ready < 0)
		json_add_null(json, "ready");
	else
		json_add_bool(json, "ready", ready > 0);
}

/*
 * Adds the number of boots that ended by each cause, 0 included, and when the last one did.
 * given_up is not the end of a boot.
 */
static void add_exits(struct str *json, const struct machine *m)
{
	int64_t ms = machine_exit_date_ms(m);

	json_begin_object(json, "exits");
	for (int i = 0; i < CAUSES; i++) {
		if (i != CAUSE_GIVEN_UP)
			json_add_int(
			    json, cause_name((enum cause)i), machine_exits(m, (enum cause)i));
	}
	json_end_object(json);
	if (ms > 0)
		json_add_decimal(json, "last_exit_time", (double)ms / 1000);
	else
		json_add_null(json, "last_exit_time");
}

/* Answers with the state of the VM. */
static void tell_status(const struct control *c, struct client *client, const struct request *o)
{
	struct vmrun_state s;
	struct str json = { 0 };

	machine_get_state(c->machine, &s);
	client_begin_answer(&json, o->id);
	json_add_int(&json, "v", 1);
	json_add_text(&json, "vm", c->owner.vm);
	json_add_text(&json, "state", s.state);
	add_ready(&json, s.ready);
	if (s.pid != 0)
		json_add_int(&json, "pid", s.pid);
	else
		json_add_null(&json, "pid");
	json_add_text(&json, "target", s.target);
	json_add_int(&json, "boots", s.boots);
	json_add_int(&json, "uptime_ms", s.uptime_ms);
	json_add_text(&json, "cause", s.cause);
	json_add_text(&json, "next_target", s.next_target);
	json_add_json(&json, "devices", s.devices);
	json_add_text(&json, "accel", s.accel);
	json_add_text(&json, "screen", s.screen);
	json_add_text(&json, "console", s.console);
	json_add_text(&json, "run_dir", s.run_dir);
	json_add_text(&json, "state_dir", s.state_dir);
	json_add_int(&json, "wait_ms", s.wait_ms);
	json_add_text(&json, "waits_for", s.waits_for);
	json_add_int(&json, "stop_step", s.stop_step);
	json_add_text(&json, "stop_action", s.stop_action);
	json_add_int(&json, "vmrun_pid", (int64_t)getpid());
	add_exits(&json, c->machine);
	client_end_answer(client, &json);
}

/* Stops or kills the VM; answers when the VM has exited if the request has "wait", else at once. */
static void end(struct control *c, struct client *client, struct request *o)
{
	if (!o->wait)
		client_accept(client, o->id);
	else if (!waiters_add(c, client, o))
		return;
	if (o->type == REQUEST_KILL)
		machine_kill(c->machine);
	else
		machine_stop(c->machine);
}

/* Accepts a request whose return code is 0, refuses any other, and clears the error. */
static void answer(struct client *client, const struct request *o, int rc, struct error *err)
{
	if (rc == 0)
		client_accept(client, o->id);
	else
		client_refuse(client, o->id, err->text);
	error_clear(err);
}

/* Requests a reboot, and answers with what happens now. */
static void serve_reboot(struct control *c, struct client *client, const struct request *o)
{
	ERROR_AUTO struct error err = { 0 };
	struct vmrun_state s;
	struct str json = { 0 };

	if (machine_reboot(c->machine, o->target, &err) != 0) {
		client_refuse(client, o->id, err.text);
		return;
	}
	machine_get_state(c->machine, &s);
	client_begin_answer(&json, o->id);
	json_add_text(&json, "state", s.state);
	json_add_text(&json, "target", s.target);
	json_add_text(&json, "stop_action", s.stop_action);
	json_add_int(&json, "limit_ms", machine_stop_limit_ms(c->machine));
	json_add_text(&json, "next_target", s.next_target != NULL ? s.next_target : s.target);
	client_end_answer(client, &json);
}

/* Carries out a request. */
static void obey(struct control *c, struct client *client, struct request *o)
{
	struct machine *m = c->machine;
	struct error err = { 0 };

	switch (o->type) {
	case REQUEST_STATUS:
		tell_status(c, client, o);
		break;
	case REQUEST_STOP:
	case REQUEST_KILL:
		end(c, client, o);
		break;
	case REQUEST_REBOOT:
		serve_reboot(c, client, o);
		break;
	case REQUEST_NEXT:
		answer(client, o, machine_next(m, o->target, &err), &err);
		break;
	case REQUEST_RESET:
		if (machine_reset(m, false))
			client_accept(client, o->id);
		else
			client_refuse(
			    client, o->id, "the VM has not given up, so nothing needs a reset");
		break;
	case REQUEST_RELOAD:
		answer(client, o, c->owner.reload(c->owner.context, &err), &err);
		break;
	case REQUEST_FORGET:
		answer(client, o, c->owner.forget(c->owner.context, o->hook, &err), &err);
		break;
	case REQUEST_EVENTS:
		streams_events(c, client, o);
		break;
	case REQUEST_CONSOLE:
		streams_console(c, client, o);
		break;
	case REQUEST_WAIT_FOR:
	case REQUEST_WAIT:
		waiters_add(c, client, o);
		break;
	case REQUEST_RUN:
		runs_begin(c, client, o);
		break;
	}
}

void serve_refuse(const struct control *c, struct client *client, const char *id)
{
	char why[160];

	(void)snprintf(why, sizeof(why),
	    "too many clients: %zu are connected; only status, stop and kill are answered now, "
	    "within %lld seconds",
	    c->ordinary, (long long)(c->hurry_ms / 1000));
	client_refuse(client, id, why);
	client->leaves = true;
}

/* Returns true if this client may send requests of this type. */
static bool may_ask(const struct client *client, enum request_type type)
{
	return !client->reserved || type == REQUEST_STATUS || type == REQUEST_STOP ||
	    type == REQUEST_KILL;
}

/* Reads a request and carries it out, or refuses it. */
static void serve_line(struct control *c, struct client *client, const char *line, size_t length)
{
	struct request o;
	struct error err = { 0 };

	if (request_read(&o, line, length, &err) != 0)
		client_refuse(client, o.id, err.text);
	else if (may_ask(client, o.type))
		obey(c, client, &o);
	else
		serve_refuse(c, client, o.id);
	error_clear(&err);
	request_clear(&o);
	c->news = true;
}

/* Refuses a line that is too long, complete or not, and closes the client. */
static void refuse_long_line(struct client *client)
{
	MEM_AUTO char *why =
	    mem_format("a line of more than %zu bytes: this connection is closed", MAX_CLIENT_LINE);

	client_refuse(client, NULL, why);
	client->leaves = true;
	client_used(client, client->in.length);
}

/* Returns true, and the length, if the client has a line that can be served now. */
static bool next_line(struct client *client, size_t *length)
{
	bool is_complete;

	if (client->is_console || client_unread(client) >= MAX_CLIENT_OUT)
		return false;
	is_complete = client_line(client, length);
	if (is_complete ? *length <= MAX_CLIENT_LINE : client->in.length <= MAX_CLIENT_LINE)
		return is_complete;
	refuse_long_line(client);
	return false;
}

void serve_lines(struct control *c, struct client *client)
{
	size_t n;

	client->more = false;
	for (int served = 0; next_line(client, &n); served++) {
		if (served == MAX_REQUESTS_AT_ONCE) {
			client->more = true;
			return;
		}
		MEM_AUTO char *line = mem_copy_n(client_in(client), n);

		client_used(client, n + 1);
		serve_line(c, client, line, n);
	}
	if (client->is_console)
		serve_type(c, client);
	else if (!client->dead)
		client->more = client_line(client, &n); /* the output is full */
}

void serve_room(struct control *c)
{
	const struct console *console = machine_console(c->machine);
	bool wanted = c->writer != NULL && c->writer->in.length > 0;

	if (console->fd < 0 || wanted == c->wants_room)
		return;
	c->wants_room = wanted;
	machine_want_room(c->machine, wanted);
}

void serve_type(struct control *c, struct client *client)
{
	size_t n = client->in.length;

	if (n == 0)
		return;
	/* Bytes of a client that only reads are dropped. */
	if (client->writes)
		n = console_type(machine_console(c->machine), client_in(client), n);
	client_used(client, n);
	serve_room(c);
}
