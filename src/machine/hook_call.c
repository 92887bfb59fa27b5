/* Hook calls: runs the functions of a hook one after another, and waits for those that wait. */
#include "machine/hook_call.h"

#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "script/hook_request.h"

enum progress {
	CALL_NEXT,
	CALL_DONE,
	CALL_WAITS,
};

void hook_call_say_failure(struct machine *m, const char *label, const struct error *err)
{
	struct event_record *r = event_add(m->events, VMRUN_HOOK_FAILED);

	event_by(r, label);
	event_text(r, err->text);
}

/*
 * Returns the name of the command for the ledger: the program without its arguments, which may hold
 * secrets.
 */
static char *command_name(const struct hook_call *call)
{
	return mem_format("command of a hook: %s", call->argv.item[0]);
}

/*
 * Notes the command in the ledger: it dies with vmrun, but processes that it started would live on
 * until the next start ends them.
 */
static void note_command(struct machine *m)
{
	struct hook_call *call = &m->call;
	MEM_AUTO char *name = command_name(call);

	call->until_ms += call->command.limit_ms;
	ledger_note_process(m->host.ledger, name, call->job.pid);
}

static void forget_command(struct machine *m, pid_t pid)
{
	MEM_AUTO char *name = command_name(&m->call);

	ledger_forget_process(m->host.ledger, name, pid);
}

static struct node *answer_dry(struct machine *m)
{
	MEM_AUTO char *text = hook_request_dry_text(&m->call.argv);

	machine_note(m, text);
	return hook_request_dry_answer(m->source->exec_result);
}

/* Starts the command that the hook waits for; when that fails, the reason becomes the answer. */
static void start_command(struct machine *m, const struct node *request)
{
	struct hook_call *call = &m->call;
	WORDS_AUTO struct words environment = { 0 };
	ERROR_AUTO struct error err = { 0 };

	words_free(&call->argv);
	hook_request_command(request, &call->argv, &environment, &call->command);
	call->until_ms = machine_now(m);
	if (m->options.simulation != NULL)
		call->answer = answer_dry(m);
	else if (command_start(&call->job, &call->command, m->wait, MACHINE_TAG_HOOK,
		     machine_helper_tag, &err) == 0)
		note_command(m);
	else
		call->answer = hook_request_refusal(err.text);
	/* They belong to the request, which is freed, and to this function. */
	call->command.input = call->command.directory = NULL;
	call->command.environment = NULL;
}

/*
 * Lets a hook wait, or continue after a turn of the loop.  Even a wait of no time goes through the
 * loop, because a hook that waits again and again must not block it.
 */
static void begin_wait(struct machine *m, const struct script_reply *reply)
{
	struct hook_call *call = &m->call;
	int64_t ms;

	call->task = reply->task;
	call->late = false;
	call->computes = reply->request == NULL;
	if (call->computes)
		call->until_ms = machine_now(m); /* the loop handles first what else is due */
	else if (hook_request_is_sleep(reply->request, &ms))
		call->until_ms = machine_now(m) + ms;
	else
		start_command(m, reply->request);
}

/* Handles the failure of a function; the hook decides whether the next function runs. */
static enum progress handle_failure(struct machine *m, const char *label, struct error *err)
{
	const struct hook_functions *what = m->call.what;
	enum progress next = CALL_NEXT;

	if (what->on_failure == NULL)
		hook_call_say_failure(m, label, err);
	else if (!what->on_failure(m, label, err))
		next = CALL_DONE;
	return next;
}

/* Handles what a call into Lua returned: an error, a request to wait, a slice, or a result. */
static enum progress handle_reply(
    struct machine *m, int rc, struct script_reply *reply, struct error *err)
{
	const struct hook_functions *what = m->call.what;
	const char *label = m->call.label->text;
	enum progress next = CALL_NEXT;

	if (rc != 0) {
		next = handle_failure(m, label, err);
	} else if (reply->task != NULL) {
		begin_wait(m, reply);
		node_free(reply->request);
		next = CALL_WAITS;
	} else if (reply->result != NULL) {
		if (what->on_answer != NULL && !what->on_answer(m, label, reply->result))
			next = CALL_DONE;
		node_free(reply->result);
	}
	return next;
}

static void clear(struct machine *m)
{
	struct hook_call *call = &m->call;

	node_free(call->labels);
	node_free(call->answer);
	words_free(&call->argv);
	job_free(&call->job);
	memset(call, 0, sizeof(*call));
}

static enum progress call_function(struct machine *m)
{
	struct hook_call *call = &m->call;
	struct script_reply reply = { 0 };
	ERROR_AUTO struct error err = { 0 };
	int rc = document_begin_hook(
	    m->source->doc, call->what->hook, call->index, call->what->argument(m), &reply, &err);

	return handle_reply(m, rc, &reply, &err);
}

static void continue_call(struct machine *m, enum progress progress)
{
	struct hook_call *call = &m->call;

	while (progress == CALL_NEXT) {
		call->label = call->label == NULL
		    ? call->labels == NULL ? NULL : call->labels->first
		    : call->label->next;
		call->index++;
		progress = call->label == NULL ? CALL_DONE : call_function(m);
	}
	if (progress == CALL_WAITS)
		return;
	clear(m);
	call->ended = true;
}

void hook_call_begin(struct machine *m, const struct hook_functions *what, const struct spec *spec)
{
	struct hook_call *call = &m->call;
	enum progress progress = CALL_NEXT;
	WORDS_AUTO struct words keys = { 0 };
	ERROR_AUTO struct error err = { 0 };

	hook_call_abandon(m);
	call->what = what;
	if (spec != NULL && spec_has_hook(spec, what->hook)) {
		boot_hook_keys(spec, &keys);
		if (document_hooks(m->source->doc, what->hook, &keys, &call->labels, &err) != 0)
			progress = handle_failure(m, what->hook, &err);
	}
	continue_call(m, progress);
}

/* Resumes the hook with the answer to its request. */
static void resume(struct machine *m)
{
	struct hook_call *call = &m->call;
	struct script_task *task = call->task;
	struct node *answer = call->answer;
	struct script_reply reply = { 0 };
	ERROR_AUTO struct error err = { 0 };
	int rc;

	call->task = NULL;
	call->answer = NULL;
	call->computes = false;
	rc = script_resume(task, answer, &reply, &err);
	node_free(answer);
	continue_call(m, handle_reply(m, rc, &reply, &err));
}

void hook_call_wake(struct machine *m)
{
	struct hook_call *call = &m->call;

	if (call->job.pid == 0) {
		resume(m);
	} else if (!call->late) {
		call->late = true;
		job_kill(&call->job);
		call->until_ms = machine_now(m) + MAX_KILL_MS;
	} else {
		MEM_AUTO char *text = mem_format("%s does not end", call->command.argv[0]);

		forget_command(m, call->job.pid);
		job_leave(&call->job);
		call->answer = hook_request_refusal(text);
		resume(m);
	}
}

void hook_call_read(struct machine *m, int stream)
{
	if (!command_read(&m->call.job, stream))
		job_kill(&m->call.job);
}

bool hook_call_command_ended(struct machine *m, pid_t pid)
{
	struct hook_call *call = &m->call;
	COMMAND_RESULT_AUTO struct command_result result = { 0 };
	ERROR_AUTO struct error err = { 0 };

	if (pid != call->job.pid || call->job.pid == 0)
		return false;
	forget_command(m, pid);
	if (command_finish(&call->job, &result, &err) == 0) {
		if (call->late)
			result.fate = COMMAND_LATE;
		call->answer = hook_request_answer(&call->command, &result);
	} else {
		call->answer = hook_request_refusal(err.text);
	}
	resume(m);
	return true;
}

void hook_call_abandon(struct machine *m)
{
	struct hook_call *call = &m->call;

	call->ended = false;
	if (call->what == NULL)
		return;
	if (call->job.pid != 0) {
		job_kill(&call->job);
		forget_command(m, call->job.pid);
		job_leave(&call->job); /* the loop reaps it */
	}
	script_abandon(call->task);
	clear(m);
}

void hook_call_end(struct machine *m)
{
	struct hook_call *call = &m->call;
	COMMAND_RESULT_AUTO struct command_result result = { 0 };

	if (call->job.pid != 0) {
		job_kill(&call->job);
		forget_command(m, call->job.pid);
		(void)command_finish(&call->job, &result, NULL);
	}
	hook_call_abandon(m);
}
