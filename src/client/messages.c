/* Requests, answers and events: lines of JSON. */
#include "client/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "platform/clock.h"

#define NO_MESSAGE "expected an object with \"ok\" or \"event\""

/* What a request says of itself. */
struct request {
	char *cmd;   /* owned; NULL: it has none */
	bool has_id; /* of its own */
	size_t body; /* offset of what follows the first brace */
};

/* Reads the members of a request; returns NULL, or what is wrong with it. */
static const char *read_request(const char *text, struct request *out)
{
	struct json j;
	struct json_token token;
	bool is_cmd = false;

	if (text == NULL)
		return "expected an object, {\"cmd\":...}, got NULL";
	json_start(&j, text, strlen(text));
	if (json_next(&j, &token) != JSON_OBJECT)
		return "expected an object, {\"cmd\":...}";
	out->body = token.offset + 1;
	while (json_next(&j, &token) != JSON_END) {
		if (token.type == JSON_ERROR)
			return j.error;
		if (is_cmd && token.type == JSON_STRING && out->cmd == NULL)
			out->cmd = json_text(&j, &token, NULL);
		is_cmd = false;
		if (token.type == JSON_KEY && j.depth == 1) {
			MEM_AUTO char *key = json_text(&j, &token, NULL);

			is_cmd = strcmp(key, "cmd") == 0;
			out->has_id = out->has_id || strcmp(key, "id") == 0;
		}
	}
	if (out->has_id)
		return "remove \"id\": the library numbers the requests";
	return NULL;
}

/* Adds the request as one line with the next id: line ends in JSON are blanks. */
static void add_line(struct vmrun_client *c, const char *body)
{
	struct str *to = &c->connection.unsent;
	size_t from;

	str_addf(to, "{\"id\":%" PRIu64 ",", ++c->last_id);
	from = to->length;
	str_add(to, body);
	for (size_t i = from; i < to->length; i++) {
		if (to->text[i] == '\n' || to->text[i] == '\r')
			to->text[i] = ' ';
	}
	str_add(to, "\n");
}

/*
 * Sends c->connection.unsent.  A connection that vmrun has closed is not a failure: there may be an
 * answer, because vmrun refuses a connection too many with one.
 */
static int flush(struct vmrun_client *c, int64_t until_ms)
{
	if (connection_flush(&c->connection, until_ms) == 0 || errno == ETIMEDOUT)
		return VMRUN_CLIENT_OK;
	if (errno != EPIPE)
		return client_fail_connection(c, errno);
	str_free(&c->connection.unsent);
	return VMRUN_CLIENT_OK;
}

/* Sends a request; `attaches`: it is that of vmrun_client_attach(). */
static int send_request(
    struct vmrun_client *c, const char *request, bool attaches, int64_t until_ms)
{
	struct request r = { 0 };
	const char *wrong = read_request(request, &r);
	MEM_AUTO char *cmd = r.cmd;
	int status = client_expect(c, false);

	if (status != VMRUN_CLIENT_OK)
		return status;
	if (wrong == NULL && cmd == NULL)
		wrong = "\"cmd\" is missing, or not a string";
	if (wrong != NULL)
		return client_fail(c, VMRUN_CLIENT_USAGE, "malformed request: %s", wrong);
	if (strcmp(cmd, "console") == 0 && !attaches)
		return client_fail(c, VMRUN_CLIENT_USAGE,
		    "console: call vmrun_client_attach(): the connection carries bytes then");
	/* Once no answer is left, flush() would take a request that is never sent. */
	if (c->is_closed)
		return client_fail_connection(c, 0);
	status = flush(c, until_ms);
	if (status != VMRUN_CLIENT_OK)
		return status;
	if (c->connection.unsent.length > 0)
		return client_fail(
		    c, VMRUN_CLIENT_TIMED_OUT, "vmrun does not read the request before this one");
	add_line(c, request + r.body);
	if (!c->follows && strcmp(cmd, "events") == 0) {
		c->follows = true;
		c->follow_id = c->last_id;
	}
	return flush(c, until_ms);
}

int vmrun_client_send(
    struct vmrun_client *client, const char *request, int64_t limit_ms, uint64_t *id)
{
	int status = send_request(client, request, false, clock_deadline_ms(limit_ms));

	if (id != NULL)
		*id = status == VMRUN_CLIENT_OK ? client->last_id : 0;
	if (status != VMRUN_CLIENT_OK)
		return status;
	sent_add(&client->sent, client->last_id);
	return client_succeed(client);
}

/* Stores the id of an answer, and removes it where it stands first. */
static void take_id(struct vmrun_client *c)
{
	MEM_AUTO char *id = json_member(c->line, "id");
	MEM_AUTO char *prefix = mem_format("{\"id\":%s,", id == NULL ? "" : id);

	c->message.id = id == NULL ? 0 : strtoull(id, NULL, 10);
	if (id != NULL && str_after(c->line, prefix) != NULL)
		memmove(
		    c->line + 1, c->line + strlen(prefix), strlen(c->line + strlen(prefix)) + 1);
}

/* Removes the blanks around the object of a line.  Returns NULL, or why it is not one object. */
static const char *cut_object(char *line)
{
	struct json j;
	struct json_token token;
	size_t begins, last;

	json_start(&j, line, strlen(line));
	if (json_next(&j, &token) != JSON_OBJECT)
		return NO_MESSAGE;
	begins = last = token.offset;
	while (json_next(&j, &token) != JSON_END) {
		if (token.type == JSON_ERROR)
			return j.error;
		last = token.offset;
	}
	line[last + 1] = '\0'; /* what follows the last brace */
	memmove(line, line + begins, last + 2 - begins);
	return NULL;
}

/* Makes the message of c->line. */
static int read_message(struct vmrun_client *c)
{
	const char *wrong = cut_object(c->line);
	MEM_AUTO char *ok = wrong == NULL ? json_member(c->line, "ok") : NULL;
	MEM_AUTO char *event = wrong == NULL ? json_member(c->line, "event") : NULL;

	free(c->reason);
	c->reason = NULL;
	c->message = (struct vmrun_message){ .type = VMRUN_MESSAGE_EVENT };
	if (ok == NULL && event == NULL)
		return client_fail(c, VMRUN_CLIENT_PROTOCOL, "malformed answer: %s",
		    wrong != NULL ? wrong : NO_MESSAGE);
	if (ok != NULL) {
		c->message.type = VMRUN_MESSAGE_ANSWER;
		c->message.ok = strcmp(ok, "true") == 0;
		take_id(c);
		if (!c->message.ok)
			c->reason = json_member(c->line, "error");
		if (!c->message.ok && c->reason == NULL)
			return client_fail(c, VMRUN_CLIENT_PROTOCOL,
			    "malformed answer: expected an \"error\" beside \"ok\":false");
	}
	c->message.error = c->reason;
	c->message.json = c->line;
	return VMRUN_CLIENT_OK;
}

/* Returns whether c->message turns this user away: vmrun closes the connection behind it. */
static bool is_denial(const struct vmrun_client *c)
{
	MEM_AUTO char *denied = NULL;

	if (c->message.type != VMRUN_MESSAGE_ANSWER || c->message.ok || c->message.id != 0)
		return false;
	denied = json_member(c->line, "denied");
	return denied != NULL && strcmp(denied, "true") == 0;
}

/* Receives the next line as c->message. */
static int next(struct vmrun_client *c, int64_t until_ms)
{
	int status;

	c->is_answered = false;
	free(c->line);
	while ((c->line = connection_cut_line(&c->connection)) == NULL) {
		int got = connection_receive(&c->connection, until_ms);

		if (got <= 0)
			return client_fail_connection(c, got == 0 ? 0 : errno);
	}
	status = read_message(c);
	if (status == VMRUN_CLIENT_OK && c->message.type == VMRUN_MESSAGE_ANSWER &&
	    !c->message.ok && c->message.id == c->follow_id)
		c->follows = false;
	if (status == VMRUN_CLIENT_OK && is_denial(c)) {
		free(c->denial);
		c->denial = mem_copy(c->message.error);
		return client_fail_connection(c, 0);
	}
	return status;
}

/*
 * Makes c->message of an answer that came while the client waited for another one; returns false if
 * there is none.
 */
static bool take_kept(struct vmrun_client *c)
{
	uint64_t id;
	char *answer = sent_take(&c->sent, &id);

	if (answer == NULL)
		return false;
	c->is_answered = false;
	free(c->line);
	c->line = answer;
	(void)read_message(c); /* it was read before */
	c->message.id = id;    /* the line has lost it */
	return true;
}

/* Returns whether a wait ends: a vmrun that sends other lines all the time would put it off. */
static bool is_over(struct vmrun_client *c, int64_t until_ms)
{
	return until_ms >= 0 && clock_left_ms(until_ms) == 0 &&
	    !connection_has_line(&c->connection);
}

/*
 * Receives the next event or the next answer that is wanted: nothing waits any more for one to a
 * vmrun_client_ask() that came too late.
 */
static int receive_wanted(struct vmrun_client *c, int64_t until_ms)
{
	for (;;) {
		int status = next(c, until_ms);

		if (status != VMRUN_CLIENT_OK || c->message.type == VMRUN_MESSAGE_EVENT ||
		    c->message.id == 0 || sent_remove(&c->sent, c->message.id))
			return status;
		if (is_over(c, until_ms))
			return VMRUN_CLIENT_TIMED_OUT;
	}
}

int vmrun_client_next(
    struct vmrun_client *client, int64_t limit_ms, const struct vmrun_message **message)
{
	int status = client_expect(client, false);

	if (message == NULL)
		return client_fail_null(client, "message");
	*message = NULL;
	if (status == VMRUN_CLIENT_OK && !take_kept(client))
		status = receive_wanted(client, clock_deadline_ms(limit_ms));
	if (status == VMRUN_CLIENT_TIMED_OUT)
		return client_fail(
		    client, VMRUN_CLIENT_TIMED_OUT, "no answer or event came within the limit");
	if (status != VMRUN_CLIENT_OK)
		return status;
	*message = &client->message;
	return client_succeed(client);
}

/*
 * Receives the answer to the last request.  Keeps those to vmrun_client_send(), and drops those
 * that came too late.
 */
static int receive_answer(struct vmrun_client *c, int64_t until_ms)
{
	int status;

	for (;;) {
		status = next(c, until_ms);
		if (status != VMRUN_CLIENT_OK)
			return status;
		if (c->message.type == VMRUN_MESSAGE_ANSWER &&
		    (c->message.id == 0 || c->message.id == c->last_id))
			break;
		if (c->message.type == VMRUN_MESSAGE_ANSWER) {
			sent_keep(&c->sent, c->message.id, c->line);
			c->line = NULL;
		}
		if (is_over(c, until_ms))
			return client_fail(
			    c, VMRUN_CLIENT_TIMED_OUT, "vmrun did not answer within the limit");
	}
	c->is_answered = true;
	if (!c->message.ok)
		return client_fail(c, VMRUN_CLIENT_REFUSED, "%s", c->message.error);
	return client_succeed(c);
}

int client_ask(struct vmrun_client *c, const char *request, bool attaches, int64_t limit_ms)
{
	int64_t until_ms = clock_deadline_ms(limit_ms);
	int status;

	c->is_answered = false;
	if (c->follows)
		return client_fail(c, VMRUN_CLIENT_USAGE,
		    "the client follows events: call vmrun_client_send() and vmrun_client_next(), "
		    "or open another client");
	status = send_request(c, request, attaches, until_ms);
	if (status == VMRUN_CLIENT_OK)
		status = receive_answer(c, until_ms);
	if (status == VMRUN_CLIENT_REFUSED)
		c->follows = false;
	return status;
}

int vmrun_client_ask(
    struct vmrun_client *client, const char *request, int64_t limit_ms, const char **answer)
{
	int status = client_ask(client, request, false, limit_ms);

	if (answer != NULL)
		*answer = vmrun_client_answer(client);
	return status;
}

const char *vmrun_client_answer(const struct vmrun_client *client)
{
	return client->is_answered ? client->line : NULL;
}
