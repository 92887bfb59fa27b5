/* The calls of hooks: which one begins or continues, and when. */
#include "hook/calls.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "hook/call.h"
#include "platform/clock.h"

#define MAX_COMMANDS_MS 60000 /* for commands in the background that vmrun waits for at its end */

int64_t calls_now(const struct calls *c)
{
	return c->owner.now_ms(c->owner.context);
}

/* Lends the call at a place, 0 for the main call; NULL: there is none. */
static struct call *at(const struct calls *c, size_t place)
{
	return place == 0 ? c->main : c->lasting[place - 1];
}

size_t calls_place(const struct calls *c, const struct call *call)
{
	size_t place = 0;

	while (at(c, place) != call)
		place++;
	return place;
}

void calls_open(struct calls *c, const struct calls_owner *owner)
{
	memset(c, 0, sizeof(*c));
	c->owner = *owner;
}

void calls_say_failure(struct calls *c, const char *label, const struct error *err)
{
	struct event_record *r = event_add(c->owner.events, VMRUN_HOOK_FAILED);

	event_by(r, label);
	event_text(r, err->text);
}

bool calls_last(const struct calls *c)
{
	return c->lasting_end > 0;
}

/* Puts a call into a place that is free, or empties a place. */
static void set_lasting(struct calls *c, size_t place, struct call *call)
{
	c->lasting[place] = call;
	if (call != NULL && place >= c->lasting_end)
		c->lasting_end = place + 1;
	while (c->lasting_end > 0 && c->lasting[c->lasting_end - 1] == NULL)
		c->lasting_end--;
}

void calls_remove(struct calls *c, struct call *call)
{
	size_t place = calls_place(c, call);

	if (place == 0) {
		c->main = NULL;
		c->main_ended = true;
	} else {
		set_lasting(c, place - 1, NULL);
		if (call->gone_ms >= 0 && !calls_last(c))
			c->lasting_ended = true;
	}
	call_free(call, false);
}

static struct call *left_call(const struct calls *c)
{
	for (size_t i = 0; i <= c->lasting_end; i++) {
		struct call *call = at(c, i);

		if (call != NULL && call->state == CALL_LEFT)
			return call;
	}
	return NULL;
}

bool calls_compute(const struct calls *c)
{
	return left_call(c) != NULL;
}

static struct call *new_call(
    const struct calls *c, const struct hook *hook, const struct hook_source *source)
{
	struct call *call = mem_zero(sizeof(*call));

	call->hook = hook;
	call->source = *source;
	memset(&call->source.files, 0, sizeof(call->source.files));
	call->until_ms = call->gone_ms = -1;
	call->console_at = c->console_at;
	return call;
}

static size_t free_place(const struct calls *c)
{
	size_t i = 0;

	while (i < MAX_LASTING_CALLS && c->lasting[i] != NULL)
		i++;
	return i;
}

/* Adds a call for the index-th function of a lasting hook. */
static void add_lasting(
    struct calls *c, const struct due_hook *due, const struct node *label, size_t index)
{
	size_t i = free_place(c);
	struct call *call;
	ERROR_AUTO struct error err = { 0 };

	if (i == MAX_LASTING_CALLS) {
		(void)error_set(&err, STATUS_SPEC,
		    "not called: %d hooks are running already, which is the limit",
		    MAX_LASTING_CALLS);
		calls_say_failure(c, label->text, &err);
		return;
	}
	call = new_call(c, due->hook, &due->source);
	call->name = mem_copy(label->text);
	call->index = index;
	set_lasting(c, i, call);
}

/* Lists the functions of a lasting hook, and adds a call for each. */
static void list_functions(struct calls *c, struct due_hook *due)
{
	NODE_AUTO struct node *labels = NULL;
	ERROR_AUTO struct error err = { 0 };
	size_t index = 0;

	if (document_hooks(due->source.doc, due->hook->name, &due->source.files, &labels, &err) !=
	    0)
		calls_say_failure(c, due->hook->name, &err);
	for (const struct node *n = labels == NULL ? NULL : labels->first; n != NULL; n = n->next)
		add_lasting(c, due, n, ++index);
	words_free(&due->source.files);
	due->hook = NULL;
}

/* Returns a call that can begin or continue. */
static struct call *next_call(const struct calls *c)
{
	for (size_t i = 0; i <= c->lasting_end; i++) {
		struct call *call = at(c, i);

		if (call != NULL && (call->state == CALL_BEGINS || call->state == CALL_ANSWERED))
			return call;
	}
	return NULL;
}

/* Lets calls begin and continue until all wait, or one is left. */
static void go_on(struct calls *c)
{
	struct call *call;

	if (c->steps)
		return;
	c->steps = true;
	while (left_call(c) == NULL) {
		struct due_hook *due = &c->due[0];

		if (due->hook == NULL)
			due = &c->due[1];
		if (due->hook != NULL)
			list_functions(c, due);
		else if ((call = next_call(c)) != NULL)
			call_step(c, call);
		else
			break;
	}
	c->steps = false;
}

void calls_begin(struct calls *c, const struct hook *hook, const struct hook_source *source)
{
	ERROR_AUTO struct error err = { 0 };
	bool goes_on = true;

	calls_abandon_main(c);
	if (source->has_functions) {
		c->main = new_call(c, hook, source);
		if (call_list(c, hook, source, &c->main->labels, &err) != 0) {
			if (hook->on_failure == NULL)
				calls_say_failure(c, hook->name, &err);
			else
				goes_on = hook->on_failure(c->owner.context, hook->name, &err);
		}
	}
	if (c->main != NULL && goes_on)
		go_on(c);
	else if (c->main != NULL)
		calls_remove(c, c->main);
	else
		c->main_ended = true;
}

void calls_begin_lasting(struct calls *c, const struct hook *hook, const struct hook_source *source)
{
	struct due_hook *due = c->due[0].hook == NULL ? &c->due[0] : &c->due[1];

	if (!source->has_functions || due->hook != NULL)
		return;
	due->hook = hook;
	due->source = *source;
	memset(&due->source.files, 0, sizeof(due->source.files));
	words_append(&due->source.files, &source->files);
	go_on(c);
}

int64_t calls_run(struct calls *c, const struct hook_source *source,
    const struct hook_script *script, struct error *err)
{
	size_t i = free_place(c);
	struct call *call;
	int64_t number;

	if (!c->boot_runs)
		return error_set(err, STATUS_CHECK, "no VM is running");
	if (i == MAX_LASTING_CALLS)
		return error_set(err, STATUS_CHECK,
		    "%d hooks and scripts are running already, which is the limit",
		    MAX_LASTING_CALLS);
	call = new_call(c, NULL, source);
	call->script = *script;
	call->text = mem_copy_n(script->text, script->length);
	call->name = mem_copy(script->name);
	number = call->number = (int64_t)++c->order;
	call->console_at = script->backlog ? c->console_at : c->owner.console->total;
	set_lasting(c, i, call);
	go_on(c);
	return number;
}

void calls_end_script(struct calls *c, int64_t number)
{
	for (size_t i = 0; i < c->lasting_end; i++) {
		struct call *call = c->lasting[i];

		if (call == NULL || call->hook != NULL || call->number != number)
			continue;
		calls_remove(c, call);
		go_on(c); /* the others, if this one was left */
		return;
	}
}

void calls_boot_began(struct calls *c, bool has_console, uint64_t console_at)
{
	call_drop_foreseen(c);
	c->boot_runs = true;
	c->has_console = has_console;
	c->console_at = console_at;
}

static void drop_due(struct calls *c)
{
	for (size_t i = 0; i < 2; i++) {
		words_free(&c->due[i].source.files);
		c->due[i].hook = NULL;
	}
}

void calls_boot_ended(struct calls *c)
{
	c->boot_runs = false;
	c->console_end = c->owner.console->total;
	drop_due(c);
	for (size_t i = 0; i < c->lasting_end; i++) {
		struct call *call = c->lasting[i];

		if (call == NULL)
			continue;
		call->gone_ms = calls_now(c) + call->source.timeout_ms;
		wait_gone(c, call);
	}
	go_on(c);
}

void calls_end_commands(struct calls *c)
{
	background_end(&c->backgrounds, calls_now(c));
}

/* Returns when something is due for a call. */
static int64_t call_until_ms(const struct calls *c, const struct call *call)
{
	const struct call *left = left_call(c);

	if (left != NULL && left != call && call->state != CALL_WAITS)
		return call->gone_ms;
	return clock_earlier(
	    call->state == CALL_WAITS ? wait_until_ms(call) : call->until_ms, call->gone_ms);
}

int64_t calls_until_ms(const struct calls *c)
{
	int64_t first = background_until_ms(&c->backgrounds);

	for (size_t i = 0; i <= c->lasting_end; i++) {
		if (at(c, i) != NULL)
			first = clock_earlier(first, call_until_ms(c, at(c, i)));
	}
	return first;
}

static bool is_due(int64_t at_ms, int64_t now_ms)
{
	return at_ms >= 0 && at_ms <= now_ms;
}

void calls_wake(struct calls *c)
{
	struct call *left = left_call(c);
	int64_t now_ms = calls_now(c);

	background_wake(&c->backgrounds, now_ms);
	for (size_t i = 0; i <= c->lasting_end; i++) {
		struct call *call = at(c, i);

		if (call == NULL)
			continue;
		if (call->state == CALL_WAITS && is_due(wait_until_ms(call), now_ms))
			wait_is_due(c, call);
		if (is_due(call->gone_ms, now_ms)) {
			left = call == left ? NULL : left;
			call_fail_gone(c, call);
		}
	}
	if (left != NULL)
		call_step(c, left);
	go_on(c);
}

void calls_read(struct calls *c, uintptr_t tag)
{
	size_t place = tag / COMMAND_STREAMS;
	int stream = (int)(tag % COMMAND_STREAMS);

	if (place > MAX_LASTING_CALLS)
		background_read(&c->backgrounds, place - 1 - MAX_LASTING_CALLS, stream);
	else if (at(c, place) != NULL && !command_read(&at(c, place)->command.job, stream))
		job_kill(&at(c, place)->command.job);
}

bool calls_command_ended(struct calls *c, pid_t pid)
{
	MEM_AUTO char *trouble = NULL;

	for (size_t i = 0; i <= c->lasting_end; i++) {
		if (at(c, i) != NULL && wait_command_ended(at(c, i), pid)) {
			go_on(c);
			return true;
		}
	}
	if (!background_ended(&c->backgrounds, pid, &trouble))
		return false;
	if (trouble != NULL) {
		MEM_AUTO char *text = mem_format("a command in the background: %s", trouble);

		event_text(event_add(c->owner.events, VMRUN_WARNING), text);
	}
	return true;
}

void calls_console(struct calls *c)
{
	for (size_t i = 0; i < c->lasting_end; i++) {
		struct call *call = c->lasting[i];

		if (call != NULL && call->state == CALL_WAITS && call->wait == WAIT_TEXT &&
		    !call->behind)
			wait_look(c, call);
	}
	wait_type(c);
	go_on(c);
}

static struct call *demanding(const struct calls *c)
{
	struct call *first = NULL;

	for (size_t i = 0; i <= c->lasting_end; i++) {
		struct call *call = at(c, i);

		if (call != NULL && call->state == CALL_WAITS && call->wait == WAIT_DEMAND &&
		    (first == NULL || call->order < first->order))
			first = call;
	}
	return first;
}

bool calls_demand(const struct calls *c, struct hook_demand *out)
{
	const struct call *call = demanding(c);
	const struct node *status;

	if (call == NULL)
		return false;
	status = node_get(call->request, "status");
	*out = (struct hook_demand){ .command = node_get_text(call->request, "request"),
		.target = node_get_text(call->request, "target"),
		.status = status == NULL ? -1 : (int)status->integer,
		.by_client = call->hook == NULL,
		.order = call->order };
	return true;
}

void calls_answer(struct calls *c, uint64_t order, const char *why_not)
{
	struct call *call = demanding(c);

	if (call != NULL && call->order == order)
		wait_answer_demand(c, call, why_not);
}

bool calls_have_fresh(const struct calls *c, const struct hook *hook)
{
	for (size_t i = 0; i < 2; i++) {
		if (c->due[i].hook == hook)
			return true;
	}
	for (size_t i = 0; i < c->lasting_end; i++) {
		if (c->lasting[i] != NULL && c->lasting[i]->hook == hook &&
		    !c->lasting[i]->has_waited)
			return true;
	}
	return false;
}

bool calls_have_commands(const struct calls *c)
{
	return c->backgrounds.count > 0;
}

void calls_limit_commands(struct calls *c)
{
	background_limit(&c->backgrounds, calls_now(c) + MAX_COMMANDS_MS);
}

void calls_abandon_main(struct calls *c)
{
	struct call *call = c->main;

	c->main = NULL;
	c->main_ended = false;
	if (call != NULL)
		call_free(call, false);
}

static void end_all(struct calls *c, bool reaps)
{
	drop_due(c);
	for (size_t i = 0; i <= c->lasting_end; i++) {
		struct call *call = at(c, i);

		if (call == NULL)
			continue;
		if (call->hook == NULL)
			call->script.done(call->script.context, NULL, "vmrun has ended it");
		call_free(call, reaps);
	}
	c->main = NULL;
	memset(c->lasting, 0, sizeof(c->lasting));
	c->lasting_end = 0;
	c->main_ended = c->lasting_ended = false;
}

void calls_abandon(struct calls *c)
{
	end_all(c, false);
}

void calls_close(struct calls *c)
{
	end_all(c, true);
	call_drop_foreseen(c);
	background_close(&c->backgrounds);
}
