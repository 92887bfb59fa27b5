/* Hook calls: runs the functions of a hook one after another, and waits for those that wait. */
#include "machine/hook_call.h"

#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "script/hook_request.h"

#define KILLED_MS 1000 /* for a killed command to exit; it cannot while it hangs in the kernel */

enum progress {
	ASK_NEXT,
	ASK_ENOUGH,
	ASK_WAITS,
};

void hook_call_say_failure(struct machine *m, const char *label, const struct error *err)
{
	struct event_record *r = event_add(m->events, VMRUN_HOOK_FAILED);

	event_by(r, label);
	event_text(r, err->text);
}

/* Returns the name of the command for the ledger: the program without its arguments, which may hold
 * secrets. */
static char *command_name(const struct hook_call *a)
{
	return mem_format("command of a hook: %s", a->argv.item[0]);
}

/* Notes the command in the ledger: it dies with vmrun, but processes that it started would live on
 * until the next start ends them. */
static void note_command(struct machine *m)
{
	struct hook_call *a = &m->call;
	MEM_AUTO char *name = command_name(a);

	a->until_ms += a->command.limit_ms;
	ledger_note_process(m->host.ledger, name, a->job.pid);
}

static void forget_command(struct machine *m, pid_t pid)
{
	MEM_AUTO char *name = command_name(&m->call);

	ledger_forget_process(m->host.ledger, name, pid);
}

static struct node *refuse_dry(struct machine *m)
{
	MEM_AUTO char *text = request_dry_text(&m->call.argv);

	event_text(event_add(m->events, VMRUN_NOTE), text);
	return request_refusal("dry run");
}

/* Starts the command that the hook waits for; when that fails, the reason becomes the answer. */
static void start_command(struct machine *m, const struct node *request)
{
	struct hook_call *a = &m->call;
	struct error err = { 0 };

	words_free(&a->argv);
	request_command(request, &a->argv, &a->command);
	a->until_ms = machine_now(m);
	if (m->options.simulation != NULL)
		a->answer = refuse_dry(m);
	else if (command_start(&a->job, &a->command, m->wait, MACHINE_TAG_HOOK, machine_helper_tag,
		     &err) == 0)
		note_command(m);
	else
		a->answer = request_refusal(err.text);
	a->command.input = NULL; /* it belongs to the request, which is freed */
	error_clear(&err);
}

/*
 * Lets a hook wait.  Even a wait of no time goes through the loop, because a hook that waits again
 * and again must not block it.
 */
static void begin_wait(struct machine *m, const struct script_reply *reply)
{
	struct hook_call *a = &m->call;
	int64_t ms;

	a->task = reply->task;
	a->late = false;
	if (request_is_sleep(reply->request, &ms))
		a->until_ms = machine_now(m) + ms;
	else
		start_command(m, reply->request);
}

/* Hands a failure to the question, which decides whether the next function is asked. */
static enum progress take_failure(struct machine *m, const char *label, struct error *err)
{
	const struct question *what = m->call.what;
	enum progress next = ASK_NEXT;

	if (what->fail == NULL)
		hook_call_say_failure(m, label, err);
	else if (!what->fail(m, label, err))
		next = ASK_ENOUGH;
	error_clear(err);
	return next;
}

/* Handles what a call into Lua returned: an error, a request to wait, or a result. */
static enum progress take_reply(
    struct machine *m, int rc, struct script_reply *reply, struct error *err)
{
	const struct question *what = m->call.what;
	const char *label = m->call.label->text;
	enum progress next = ASK_NEXT;

	if (rc != 0) {
		next = take_failure(m, label, err);
	} else if (reply->request != NULL) {
		begin_wait(m, reply);
		node_free(reply->request);
		next = ASK_WAITS;
	} else if (reply->result != NULL) {
		if (what->hear != NULL && !what->hear(m, label, reply->result))
			next = ASK_ENOUGH;
		node_free(reply->result);
	}
	return next;
}

static void clear(struct machine *m)
{
	struct hook_call *a = &m->call;

	node_free(a->labels);
	node_free(a->answer);
	words_free(&a->argv);
	job_free(&a->job);
	memset(a, 0, sizeof(*a));
}

static enum progress ask(struct machine *m)
{
	struct hook_call *a = &m->call;
	struct script_reply reply = { 0 };
	struct error err = { 0 };
	int rc = document_begin_hook(
	    m->source->doc, a->what->hook, a->index, a->what->facts(m), &reply, &err);

	return take_reply(m, rc, &reply, &err);
}

static void go_on(struct machine *m, enum progress progress)
{
	struct hook_call *a = &m->call;

	while (progress == ASK_NEXT) {
		a->label =
		    a->label == NULL ? a->labels == NULL ? NULL : a->labels->first : a->label->next;
		a->index++;
		progress = a->label == NULL ? ASK_ENOUGH : ask(m);
	}
	if (progress == ASK_WAITS)
		return;
	clear(m);
	a->ended = true;
}

void hook_call_begin(struct machine *m, const struct question *question, const struct spec *spec)
{
	struct hook_call *a = &m->call;
	enum progress progress = ASK_NEXT;
	struct words keys = { 0 };
	struct error err = { 0 };

	hook_call_abandon(m);
	a->what = question;
	if (spec != NULL && spec_has_hook(spec, question->hook)) {
		boot_hook_keys(spec, &keys);
		if (document_hooks(m->source->doc, question->hook, &keys, &a->labels, &err) != 0)
			progress = take_failure(m, question->hook, &err);
		words_free(&keys);
	}
	go_on(m, progress);
}

/* Resumes the hook with the answer to its request. */
static void resume(struct machine *m)
{
	struct hook_call *a = &m->call;
	struct script_task *task = a->task;
	struct node *answer = a->answer;
	struct script_reply reply = { 0 };
	struct error err = { 0 };
	int rc;

	a->task = NULL;
	a->answer = NULL;
	rc = script_resume(task, answer, &reply, &err);
	node_free(answer);
	go_on(m, take_reply(m, rc, &reply, &err));
}

void hook_call_wake(struct machine *m)
{
	struct hook_call *a = &m->call;

	if (a->job.pid == 0) {
		resume(m);
	} else if (!a->late) {
		a->late = true;
		job_kill(&a->job);
		a->until_ms = machine_now(m) + KILLED_MS;
	} else {
		MEM_AUTO char *text = mem_format("%s does not end", a->command.argv[0]);

		forget_command(m, a->job.pid);
		job_leave(&a->job);
		a->answer = request_refusal(text);
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
	struct hook_call *a = &m->call;
	COMMAND_RESULT_AUTO struct command_result result = { 0 };
	ERROR_AUTO struct error err = { 0 };

	if (pid != a->job.pid || a->job.pid == 0)
		return false;
	forget_command(m, pid);
	if (command_finish(&a->job, &result, &err) == 0) {
		if (a->late)
			result.fate = COMMAND_LATE;
		a->answer = request_answer(&a->command, &result);
	} else {
		a->answer = request_refusal(err.text);
	}
	resume(m);
	return true;
}

void hook_call_abandon(struct machine *m)
{
	struct hook_call *a = &m->call;

	a->ended = false;
	if (a->what == NULL)
		return;
	if (a->job.pid != 0) {
		job_kill(&a->job);
		forget_command(m, a->job.pid);
		job_leave(&a->job); /* the loop reaps it */
	}
	script_abandon(a->task);
	clear(m);
}

void hook_call_end(struct machine *m)
{
	struct hook_call *a = &m->call;
	COMMAND_RESULT_AUTO struct command_result result = { 0 };

	if (a->job.pid != 0) {
		job_kill(&a->job);
		forget_command(m, a->job.pid);
		(void)command_finish(&a->job, &result, NULL);
	}
	hook_call_abandon(m);
}
