/* One call: its functions, one after another, and what becomes of their results. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hook/call.h"

enum progress {
	CALL_NEXT,
	CALL_DONE,
	CALL_GOES_ON,
};

static const char *label_of(const struct call *call)
{
	return call->label != NULL ? call->label->text : call->name;
}

/* Handles the failure of a function; the hook decides whether the next function runs. */
static enum progress handle_failure(
    struct calls *c, struct call *call, const char *label, struct error *err)
{
	enum progress next = CALL_NEXT;

	if (call->hook == NULL)
		call->script.done(call->script.context, NULL, err->text);
	else if (call->hook->on_failure == NULL)
		calls_say_failure(c, label, err);
	else if (!call->hook->on_failure(c->owner.context, label, err))
		next = CALL_DONE;
	return next;
}

/* Handles the result of a function (lent; NULL: nil). */
static enum progress handle_result(struct calls *c, struct call *call, struct node *result)
{
	if (call->hook == NULL)
		call->script.done(call->script.context, result, NULL);
	else if (result != NULL && call->hook->on_answer != NULL &&
	    !call->hook->on_answer(c->owner.context, label_of(call), result))
		return CALL_DONE;
	return CALL_NEXT;
}

/* Handles what a call into Lua returned: an error, a request to wait, a slice, or a result. */
static enum progress handle_reply(
    struct calls *c, struct call *call, int rc, struct script_reply *reply, struct error *err)
{
	enum progress next;

	if (rc != 0)
		return handle_failure(c, call, label_of(call), err);
	if (reply->task == NULL) {
		next = handle_result(c, call, reply->result);
		node_free(reply->result);
		return next;
	}
	call->task = reply->task;
	if (reply->request != NULL) {
		wait_begin(c, call, reply->request);
	} else {
		call->state = CALL_LEFT;
		/* The loop handles first what else is due. */
		call->until_ms = c->owner.now_ms(c->owner.context);
	}
	return CALL_GOES_ON;
}

static enum progress begin_function(struct calls *c, struct call *call)
{
	struct script_reply reply = { 0 };
	ERROR_AUTO struct error err = { 0 };
	int rc;

	if (call->hook == NULL)
		rc = document_begin_run(
		    call->source.doc, call->text, call->script.length, call->name, &reply, &err);
	else
		rc = document_begin_hook(call->source.doc, call->hook->name, call->index,
		    call->hook->argument(c->owner.context), &reply, &err);
	return handle_reply(c, call, rc, &reply, &err);
}

/* Calls the next functions of the main call, until one waits or all have been called. */
static enum progress begin_next(struct calls *c, struct call *call)
{
	enum progress progress = CALL_NEXT;

	while (progress == CALL_NEXT) {
		call->label = call->label == NULL
		    ? call->labels == NULL ? NULL : call->labels->first
		    : call->label->next;
		call->index++;
		progress = call->label == NULL ? CALL_DONE : begin_function(c, call);
	}
	return progress;
}

static enum progress go_on(struct calls *c, struct call *call)
{
	struct script_task *task = call->task;
	NODE_AUTO struct node *answer = call->answer;
	struct script_reply reply = { 0 };
	ERROR_AUTO struct error err = { 0 };
	bool lasts = call != c->main;
	int rc;

	call->task = NULL;
	call->answer = NULL;
	/* Once its boot has ended, a call has one hook_timeout, however often it waits. */
	if (call->state != CALL_LEFT && lasts && call->renews && call->gone_ms < 0)
		script_task_renew(task);
	rc = script_resume(task, answer, &reply, &err);
	return handle_reply(c, call, rc, &reply, &err);
}

void call_step(struct calls *c, struct call *call)
{
	bool is_main = call == c->main;
	enum progress progress;

	if (call->state == CALL_BEGINS)
		progress = is_main ? CALL_NEXT : begin_function(c, call);
	else
		progress = go_on(c, call);
	if (is_main && progress == CALL_NEXT)
		progress = begin_next(c, call);
	if (progress != CALL_GOES_ON)
		calls_remove(c, call);
}

void call_fail_gone(struct calls *c, struct call *call)
{
	ERROR_AUTO struct error err = { 0 };

	(void)error_set(&err, STATUS_SPEC,
	    "still runs after the end of its boot: a hook must return when a wait returns nil, "
	    "\"gone\" "
	    "(hook_timeout)");
	(void)handle_failure(c, call, label_of(call), &err);
	calls_remove(c, call);
}

void call_free(struct call *call, bool reaps)
{
	if (reaps)
		hook_command_free(&call->command);
	script_abandon(call->task);
	wait_clear(call);
	hook_command_free(&call->command);
	node_free(call->labels);
	node_free(call->answer);
	words_free(&call->source.files);
	free(call->name);
	free(call->text);
	free(call);
}

void call_drop_foreseen(struct calls *c)
{
	node_free(c->foreseen.labels);
	memset(&c->foreseen, 0, sizeof(c->foreseen));
}

void calls_foresee(struct calls *c, const struct hook *hook, const struct hook_source *source)
{
	call_drop_foreseen(c);
	/* The call that fails says why. */
	if (!source->has_functions || calls_compute(c) ||
	    document_hooks(source->doc, hook->name, &source->files, &c->foreseen.labels, NULL) != 0)
		return;
	c->foreseen.hook = hook;
	c->foreseen.turns = document_turns(source->doc);
}

int call_list(struct calls *c, const struct hook *hook, const struct hook_source *source,
    struct node **labels, struct error *err)
{
	if (c->foreseen.hook != hook || c->foreseen.turns != document_turns(source->doc))
		return document_hooks(source->doc, hook->name, &source->files, labels, err);
	*labels = c->foreseen.labels;
	c->foreseen.labels = NULL;
	call_drop_foreseen(c);
	return 0;
}
