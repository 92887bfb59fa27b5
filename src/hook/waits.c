/* What the functions of hooks wait for: times, commands, texts on the console, the machine. */
#include <string.h>

#include "base/mem.h"
#include "hook/call.h"
#include "script/hook_request.h"

#define FAR_BEHIND (MAX_CONSOLE_RING / 2) /* bytes that a watch may be behind the console */
#define MAX_KILL_MS 1000    /* for a killed command to exit: it may hang in the kernel */
#define MAX_GONE_WAITS 1000 /* of a call whose boot has ended */
#define MAX_BEHIND_MS 1000  /* after its limit, for a watch to read what was printed before */

void wait_answer(struct call *call, struct node *answer)
{
	node_free(call->answer);
	call->answer = answer;
	call->state = CALL_ANSWERED;
	wait_clear(call);
}

/*
 * Lets a call that has its answer at once continue after a turn of the loop, because a hook that
 * asks again and again must not block it.  The call has not waited: its time limit does not count
 * anew.
 */
static void take_turn(struct calls *c, struct call *call)
{
	call->state = CALL_WAITS;
	call->wait = WAIT_TIME;
	call->until_ms = calls_now(c);
	call->renews = false;
}

static void answer_at_once(struct calls *c, struct call *call, struct node *answer)
{
	wait_answer(call, answer);
	take_turn(c, call);
}

static struct node *done(void)
{
	struct node *answer = node_new(NODE_OBJECT);

	node_put(answer, "ok", node_bool(true));
	return answer;
}

static struct node *gone(void)
{
	return hook_request_refusal("gone");
}

static struct node *answer_dry(struct calls *c, struct call *call, const struct node *request)
{
	WORDS_AUTO struct words argv = { 0 }, environment = { 0 };
	struct command what;
	MEM_AUTO char *text = NULL;

	hook_request_command(request, &argv, &environment, &what);
	text = hook_request_dry_text(&argv);
	event_text(event_add(c->owner.events, VMRUN_NOTE), text);
	return hook_request_dry_answer(call->source.exec_result);
}

static struct hook_command_host host_of(const struct calls *c, size_t place)
{
	return (struct hook_command_host){ .wait = c->owner.wait,
		.ledger = c->owner.ledger,
		.first_tag = c->owner.first_tag + place * COMMAND_STREAMS,
		.end_tag = c->owner.end_tag };
}

static void begin_background(struct calls *c, struct call *call, const struct node *request)
{
	struct hook_command_host host = host_of(c, 1 + MAX_LASTING_CALLS);
	ERROR_AUTO struct error err = { 0 };
	int rc = background_start(&c->backgrounds, request, &host, calls_now(c), &err);

	answer_at_once(c, call, rc == 0 ? done() : hook_request_refusal(err.text));
}

static bool is_true(const struct node *request, const char *key)
{
	const struct node *value = node_get(request, key);

	return value != NULL && value->kind == NODE_BOOL && value->truth;
}

/* Starts the command that the hook waits for; when that fails, the reason becomes the answer. */
static void begin_command(struct calls *c, struct call *call, const struct node *request)
{
	struct hook_command_host host = host_of(c, calls_place(c, call));
	ERROR_AUTO struct error err = { 0 };

	if (c->owner.dry) {
		answer_at_once(c, call, answer_dry(c, call, request));
	} else if (is_true(request, "background")) {
		begin_background(c, call, request);
	} else if (hook_command_start(&call->command, request, true, &host, &err) != 0) {
		answer_at_once(c, call, hook_request_refusal(err.text));
	} else {
		call->wait = WAIT_COMMAND;
		call->late = false;
		call->until_ms = calls_now(c) + call->command.what.limit_ms;
	}
}

/* Returns why the console cannot be used, or NULL. */
static const char *console_trouble(const struct calls *c, const struct call *call)
{
	if (call->gone_ms < 0 && !c->boot_runs)
		return "no VM is running";
	if (!c->has_console)
		return "this target has no serial port that is \"console\"";
	return NULL;
}

static void begin_look(struct calls *c, struct call *call, const struct node *request)
{
	ERROR_AUTO struct error err = { 0 };

	if (watch_new(&call->watch, node_get(request, "expect"), call->console_at, &err) != 0) {
		answer_at_once(c, call, hook_request_refusal(err.text));
		return;
	}
	call->wait = WAIT_TEXT;
	/* The first look follows after a turn of the loop. */
	call->behind = true;
	call->look_ms = calls_now(c);
}

static void begin_send(struct calls *c, struct call *call, struct node **request)
{
	call->wait = WAIT_SEND;
	call->sent = 0;
	call->order = ++c->order;
	call->request = *request;
	*request = NULL;
	wait_type(c);
	if (call->state == CALL_ANSWERED)
		take_turn(c, call);
}

/* Lets a call wait for the console. */
static void begin_console(struct calls *c, struct call *call, struct node **request)
{
	const char *trouble = console_trouble(c, call);
	bool sends = node_get(*request, "send") != NULL;

	if (trouble != NULL) {
		answer_at_once(c, call, hook_request_refusal(trouble));
		return;
	}
	call->until_ms = calls_now(c) + hook_request_timeout_ms(*request);
	if (sends)
		begin_send(c, call, request);
	else
		begin_look(c, call, *request);
}

static void begin_demand(struct calls *c, struct call *call, struct node **request)
{
	call->wait = WAIT_DEMAND;
	call->until_ms = -1;
	call->order = ++c->order;
	call->request = *request;
	*request = NULL;
}

/* Counts a wait of a call whose boot has ended; one that only asks again and again is ended. */
static void count_gone(const struct calls *c, struct call *call)
{
	if (++call->gone_waits > MAX_GONE_WAITS)
		call->gone_ms = calls_now(c);
}

void wait_begin(struct calls *c, struct call *call, struct node *request)
{
	bool asks = node_get(request, "request") != NULL,
	     looks = node_get(request, "expect") != NULL;
	int64_t ms;

	call->state = CALL_WAITS;
	call->renews = true;
	call->has_waited = true;
	if (call->gone_ms >= 0 && !looks)
		count_gone(c, call);
	if (asks)
		begin_demand(c, call, &request);
	else if (call->gone_ms >= 0 && !looks)
		answer_at_once(c, call, gone());
	else if (looks || node_get(request, "send") != NULL)
		begin_console(c, call, &request);
	else if (!hook_request_is_sleep(request, &ms))
		begin_command(c, call, request);
	else {
		call->wait = WAIT_TIME;
		call->until_ms = calls_now(c) + ms;
		call->renews = ms > 0;
	}
	node_free(request);
}

/* Returns the answer to a text or pattern that was found. */
static struct node *found_answer(struct watch_found *found)
{
	struct node *answer = node_new(NODE_OBJECT);

	node_put(answer, "index", node_int((int64_t)found->index));
	if (found->text != NULL)
		node_put(answer, "text", found->text);
	if (found->groups != NULL)
		node_put(answer, "groups", found->groups);
	found->text = found->groups = NULL;
	return answer;
}

void wait_look(struct calls *c, struct call *call)
{
	struct watch_found found = { 0 };
	enum watch_state state = watch_look(call->watch, c->owner.console, &found);

	call->look_ms = calls_now(c);
	call->behind = state == WATCH_BEHIND;
	if (state == WATCH_FOUND) {
		/* A watch that finds nothing takes nothing: the next one starts where it did. */
		call->console_at = watch_at(call->watch);
		wait_answer(call, found_answer(&found));
	} else if (call->gone_ms >= 0 &&
	    (state == WATCH_WAITS || watch_at(call->watch) >= c->console_end)) {
		/* Also where a process that the hypervisor left goes on to print. */
		count_gone(c, call);
		wait_answer(call, gone());
	}
}

/* Returns the call whose text is typed now: the one that has waited longest. */
static struct call *sender(const struct calls *c)
{
	struct call *first = NULL;

	for (size_t i = 0; i < c->lasting_end; i++) {
		struct call *call = c->lasting[i];

		if (call != NULL && call->state == CALL_WAITS && call->wait == WAIT_SEND &&
		    (first == NULL || call->order < first->order))
			first = call;
	}
	return first;
}

void wait_type(struct calls *c)
{
	struct call *call;

	while ((call = sender(c)) != NULL) {
		const struct node *text = node_get(call->request, "send");

		call->sent += console_type(
		    c->owner.console, text->text + call->sent, text->length - call->sent);
		if (call->sent < text->length)
			return;
		wait_answer(call, done());
	}
}

/* Kills a command at its limit; one that does not die is given up. */
static void end_late_command(struct calls *c, struct call *call)
{
	if (!call->late) {
		call->late = true;
		job_kill(&call->command.job);
		call->until_ms = calls_now(c) + MAX_KILL_MS;
	} else {
		MEM_AUTO char *text = mem_format("%s does not end", call->command.argv.item[0]);

		wait_answer(call, hook_request_refusal(text));
	}
}

/* Returns whether a text has not come in time, also where the guest prints without an end. */
static bool is_late(const struct calls *c, const struct call *call)
{
	return call->until_ms + (call->behind ? MAX_BEHIND_MS : 0) <= calls_now(c);
}

void wait_is_due(struct calls *c, struct call *call)
{
	switch (call->wait) {
	case WAIT_TIME:
		call->state = CALL_ANSWERED;
		break;
	case WAIT_COMMAND:
		end_late_command(c, call);
		break;
	case WAIT_TEXT:
		wait_look(c, call);
		if (call->state == CALL_WAITS && is_late(c, call))
			wait_answer(call, hook_request_refusal("timeout"));
		break;
	case WAIT_SEND:
		wait_answer(call, hook_request_refusal("timeout"));
		break;
	case WAIT_DEMAND:
		break;
	}
}

int64_t wait_until_ms(const struct call *call)
{
	return call->wait == WAIT_TEXT && call->behind ? call->look_ms : call->until_ms;
}

bool wait_command_ended(struct call *call, pid_t pid)
{
	COMMAND_RESULT_AUTO struct command_result result = { 0 };
	ERROR_AUTO struct error err = { 0 };

	if (pid == 0 || pid != call->command.job.pid)
		return false;
	hook_command_forget(&call->command, pid);
	if (command_finish(&call->command.job, &result, &err) == 0) {
		if (call->late)
			result.fate = COMMAND_LATE;
		wait_answer(call, hook_request_answer(&call->command.what, &result));
	} else {
		wait_answer(call, hook_request_refusal(err.text));
	}
	return true;
}

void wait_answer_demand(struct calls *c, struct call *call, const char *why_not)
{
	answer_at_once(c, call, why_not == NULL ? done() : hook_request_refusal(why_not));
}

void wait_gone(struct calls *c, struct call *call)
{
	if (call->state != CALL_WAITS || call->wait == WAIT_DEMAND)
		return;
	if (call->wait == WAIT_TEXT)
		wait_look(c, call);    /* the last words of the guest may have it */
	else if (call->answer == NULL) /* else its wait is over, and was no wait */
		wait_answer(call, gone());
}

void wait_clear(struct call *call)
{
	hook_command_leave(&call->command);
	watch_free(call->watch);
	call->watch = NULL;
	call->behind = false;
	node_free(call->request);
	call->request = NULL;
}

bool calls_want_room(const struct calls *c)
{
	for (size_t i = 0; i < c->lasting_end; i++) {
		const struct call *call = c->lasting[i];

		if (call != NULL && call->state == CALL_WAITS && call->wait == WAIT_SEND)
			return true;
	}
	return false;
}

bool calls_are_behind(const struct calls *c)
{
	for (size_t i = 0; i < c->lasting_end; i++) {
		const struct call *call = c->lasting[i];

		if (call != NULL && call->watch != NULL && call->behind &&
		    watch_at(call->watch) + FAR_BEHIND < c->owner.console->total)
			return true;
	}
	return false;
}
