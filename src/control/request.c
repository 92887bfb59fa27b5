/* Reads requests by a table of the commands and their members. */
#include "control/request.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/node.h"
#include "base/node_json.h"
#include "base/report.h"
#include "base/str.h"
#include "config/json_read.h"

enum kind {
	NONE,
	TEXT,	 /* a string */
	SCRIPT,	 /* a string that may be as long as a line, or empty */
	FLAG,	 /* true or false */
	NUMBER,	 /* a whole number from 0 on */
	SECONDS, /* any number from 0 on, stored in milliseconds */
};

struct member {
	const char *key;
	enum kind kind;
	size_t offset;
	bool needed;
};

#define MAX_MEMBERS 4			/* of one command */
#define MAX_QUOTED_NAME 64		/* bytes of a client's word that an error message repeats */
#define EXACT 9007199254740992.0	/* 2^53: doubles from here on are whole numbers */
#define TOO_LARGE 9223372036854775808.0 /* 2^63 */
#define AT(member) offsetof(struct request, member)

static const struct command_row {
	const char *name;
	enum request_type type;
	struct member member[MAX_MEMBERS];
} commands[] = {
	{ "status", REQUEST_STATUS, { { NULL, NONE, 0, false } } },
	{ "stop", REQUEST_STOP, { { "wait", FLAG, AT(wait), false } } },
	{ "kill", REQUEST_KILL, { { "wait", FLAG, AT(wait), false } } },
	{ "reboot", REQUEST_REBOOT, { { "target", TEXT, AT(target), false } } },
	{ "next", REQUEST_NEXT, { { "target", TEXT, AT(target), true } } },
	{ "reset", REQUEST_RESET, { { NULL, NONE, 0, false } } },
	{ "reload", REQUEST_RELOAD, { { NULL, NONE, 0, false } } },
	{ "forget", REQUEST_FORGET, { { "hook", TEXT, AT(hook), true } } },
	{ "events", REQUEST_EVENTS, { { "from", NUMBER, AT(from), false } } },
	{ "console", REQUEST_CONSOLE, { { "write", FLAG, AT(write), false } } },
	{ "wait-for", REQUEST_WAIT_FOR,
	    { { "text", TEXT, AT(text), true }, { "timeout", SECONDS, AT(timeout_ms), false },
		{ "backlog", FLAG, AT(backlog), false } } },
	{ "wait", REQUEST_WAIT,
	    { { "state", TEXT, AT(state), false }, { "gone", FLAG, AT(gone), false },
		{ "timeout", SECONDS, AT(timeout_ms), false },
		{ "ready", FLAG, AT(ready), false } } },
	{ "run", REQUEST_RUN,
	    { { "text", SCRIPT, AT(text), true }, { "name", TEXT, AT(name), true },
		{ "backlog", FLAG, AT(backlog), false } } },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Returns -1 with the expected kind and the one given. */
static int wrong_kind(
    const char *key, const char *wanted, const struct node *value, struct error *err)
{
	return error_set(
	    err, STATUS_USAGE, "%s: expected %s, got %s", key, wanted, node_kind_name(value));
}

/* Returns -1 with the expected range and the number given. */
static int out_of_range(
    const char *key, int64_t last, const char *unit, const struct node *value, struct error *err)
{
	STR_AUTO struct str given = { 0 };

	node_add_json(&given, value);
	return error_set(err, STATUS_USAGE, "%s: expected 0 to %" PRId64 "%s, got %s", key, last,
	    unit, given.text);
}

/* Stores a string; its length is limited. */
static int store_text(
    struct request *o, const struct member *m, const struct node *value, struct error *err)
{
	if (value->kind != NODE_STRING)
		return wrong_kind(m->key, "a string", value, err);
	if (m->kind == TEXT && (value->length == 0 || value->length > MAX_REQUEST_TEXT))
		return error_set(err, STATUS_USAGE, "%s: expected 1 to %d bytes, got %zu", m->key,
		    MAX_REQUEST_TEXT, value->length);
	*(char **)((char *)o + m->offset) = mem_copy_n(value->text, value->length);
	if (m->offset == AT(text))
		o->text_length = value->length; /* it may contain NULs */
	return 0;
}

/* Stores a whole number, also one that is written as 17.0 or 1e3. */
static int store_number(
    struct request *o, const struct member *m, const struct node *value, struct error *err)
{
	const double number = value->number;
	const bool is_int = value->kind == NODE_INT;

	if (!is_int &&
	    (value->kind != NODE_NUMBER ||
		(number > -EXACT && number < EXACT && number != (double)(int64_t)number)))
		return wrong_kind(m->key, "a whole number", value, err);
	/* A double rounds INT64_MAX up to 2^63. */
	if (is_int ? value->integer < 0 : !(number >= 0 && number < TOO_LARGE))
		return out_of_range(m->key, INT64_MAX, "", value, err);
	*(int64_t *)((char *)o + m->offset) = is_int ? value->integer : (int64_t)number;
	return 0;
}

/* Stores a number of seconds in milliseconds. */
static int store_seconds(
    struct request *o, const struct member *m, const struct node *value, struct error *err)
{
	double seconds;

	if (value->kind != NODE_INT && value->kind != NODE_NUMBER)
		return wrong_kind(m->key, "a number of seconds", value, err);
	seconds = value->kind == NODE_INT ? (double)value->integer : value->number;
	if (!(seconds >= 0 && seconds <= MAX_REQUEST_SECONDS))
		return out_of_range(m->key, MAX_REQUEST_SECONDS, " seconds", value, err);
	*(int64_t *)((char *)o + m->offset) = (int64_t)(seconds * 1000);
	return 0;
}

/* Stores the value of a member in the request. */
static int store(
    struct request *o, const struct member *m, const struct node *value, struct error *err)
{
	switch (m->kind) {
	case NONE:
		break;
	case TEXT:
	case SCRIPT:
		return store_text(o, m, value, err);
	case FLAG:
		if (value->kind != NODE_BOOL)
			return wrong_kind(m->key, "true or false", value, err);
		*(bool *)((char *)o + m->offset) = value->truth;
		break;
	case NUMBER:
		return store_number(o, m, value, err);
	case SECONDS:
		return store_seconds(o, m, value, err);
	}
	return 0;
}

/* Returns the row of a command, or NULL with an error. */
static const struct command_row *find_command(const char *name, struct error *err)
{
	struct near near = { .wanted = name };

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
		near_offer(&near, commands[i].name);
	}
	MEM_AUTO char *hint = near_hint(&near);

	(void)error_set(
	    err, STATUS_USAGE, "unknown command \"%.*s\"%s", MAX_QUOTED_NAME, name, hint);
	return NULL;
}

/* Returns the row of a command's member, or NULL with an error. */
static const struct member *find_member(
    const struct command_row *command, const char *key, struct error *err)
{
	struct near near = { .wanted = key };

	for (size_t i = 0; i < MAX_MEMBERS && command->member[i].key != NULL; i++) {
		if (strcmp(command->member[i].key, key) == 0)
			return &command->member[i];
		near_offer(&near, command->member[i].key);
	}
	MEM_AUTO char *hint = near_hint(&near);

	(void)error_set(err, STATUS_USAGE, "%s: unknown member \"%.*s\"%s", command->name,
	    MAX_QUOTED_NAME, key, hint);
	return NULL;
}

/* Reads the members of a request, except id and cmd. */
static int read_members(struct request *o, const struct command_row *command,
    const struct node *request, struct error *err)
{
	for (const struct node *n = request->first; n != NULL; n = n->next) {
		const struct member *m;

		if (strcmp(n->key, "id") == 0 || strcmp(n->key, "cmd") == 0)
			continue;
		m = find_member(command, n->key, err);
		if (m == NULL || store(o, m, n, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < MAX_MEMBERS && command->member[i].key != NULL; i++) {
		if (command->member[i].needed && node_get(request, command->member[i].key) == NULL)
			return error_set(err, STATUS_USAGE, "%s: \"%s\" is missing", command->name,
			    command->member[i].key);
	}
	return 0;
}

/* Returns -1 with an error that lists the states if this is not one of them. */
static int check_state(const char *state, struct error *err)
{
	static const char *const states[] = { "waiting", "loading", "running", "stopping",
		"backoff", "given_up" };
	struct near near = { .wanted = state };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i], state) == 0)
			return 0;
		near_offer(&near, states[i]);
	}
	MEM_AUTO char *hint = near_hint(&near);

	return error_set(err, STATUS_USAGE,
	    "state: unknown state \"%.*s\"%s: expected waiting, loading, running, stopping, "
	    "backoff or given_up",
	    MAX_QUOTED_NAME, state, hint);
}

/* Reads a request, except its id. */
static int read_request(struct request *o, const struct node *request, struct error *err)
{
	const struct node *cmd;
	const struct command_row *command;

	if (request->kind != NODE_OBJECT)
		return error_set(err, STATUS_USAGE, "expected an object, {\"cmd\":...}, got %s",
		    node_kind_name(request));
	cmd = node_get(request, "cmd");
	if (cmd == NULL)
		return error_set(err, STATUS_USAGE, "\"cmd\" is missing");
	if (cmd->kind != NODE_STRING)
		return wrong_kind("cmd", "a string", cmd, err);
	command = find_command(cmd->text, err);
	if (command == NULL || read_members(o, command, request, err) != 0)
		return -1;
	o->type = command->type;
	if (o->type == REQUEST_WAIT &&
	    (o->state != NULL ? 1 : 0) + (o->gone ? 1 : 0) + (o->ready ? 1 : 0) != 1)
		return error_set(err, STATUS_USAGE,
		    "wait: expected one of \"state\", a string, \"gone\": true and \"ready\": "
		    "true");
	return o->state == NULL ? 0 : check_state(o->state, err);
}

/* Finds the value of the member "id" in the line, which is valid JSON. */
static bool find_id(const char *line, struct json_token *id)
{
	struct json j;
	bool found = false;

	json_start(&j, line, strlen(line));
	while (json_next(&j, id) != JSON_END && id->type != JSON_ERROR) {
		if (found)
			return true;
		if (id->type == JSON_KEY && j.depth == 1 && j.in_object[0]) {
			MEM_AUTO char *name = json_text(&j, id, NULL);

			found = strcmp(name, "id") == 0;
		}
	}
	return false;
}

/* Stores the id as written, because a client may compare bytes. */
static int read_id(struct request *o, const char *line, struct error *err)
{
	struct json_token id;

	if (!find_id(line, &id))
		return 0;
	if ((id.type != JSON_STRING && id.type != JSON_NUMBER) || id.length > MAX_REQUEST_ID)
		return error_set(err, STATUS_USAGE,
		    "id: expected a number or a string, of at most %d bytes", MAX_REQUEST_ID);
	o->id = mem_copy_n(line + id.offset, id.length);
	return 0;
}

/* Returns -1 with the first JSON error and its column, and frees the report. */
static int not_json(struct report *report, struct error *err)
{
	const struct problem *p = &report->item[0];

	(void)error_set(err, STATUS_USAGE, "not JSON: column %zu: %s", p->column, p->text);
	report_free(report);
	return -1;
}

int request_read(struct request *out, const char *line, size_t length, struct error *err)
{
	MEM_AUTO char *text = mem_copy_n(line, length);
	struct report report = { 0 };
	NODE_AUTO struct node *request = json_read("request", text, length, SIZE_MAX, &report);

	memset(out, 0, sizeof(*out));
	out->from = out->timeout_ms = -1;
	if (request == NULL)
		return not_json(&report, err);
	if (read_id(out, text, err) != 0)
		return -1;
	return read_request(out, request, err);
}

void request_clear(struct request *o)
{
	free(o->id);
	free(o->target);
	free(o->text);
	free(o->name);
	free(o->state);
	free(o->hook);
	memset(o, 0, sizeof(*o));
}
