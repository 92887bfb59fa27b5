/* Problems and events as text. */
#include "render.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/duration.h"

#define LAST_LINES 5 /* of a hypervisor that failed */

static void say(struct renderer *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes a message with the level of the current event. */
static void say(struct renderer *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sink_vsay(&r->sink, r->level, fmt, ap);
	va_end(ap);
}

void render_status(struct renderer *r, const char *vm, const char *text)
{
	/* The user requested the state, so every log level shows it. */
	enum level level = r->sink.max_level < LEVEL_INFO ? r->sink.max_level : LEVEL_INFO;

	sink_say(&r->sink, level, "%s: %s", vm, text);
}

void render_report(struct renderer *r, const char *text)
{
	if (!r->sink.json) /* as JSON the event has the findings */
		sink_lines(&r->sink, LEVEL_ERROR, text);
	r->report_shown = true;
}

void render_problems(const struct vmrun *vm, struct renderer *r)
{
	const struct vmrun_problem *p;

	for (size_t i = 0; (p = vmrun_problem(vm, i)) != NULL; i++)
		sink_problem(&r->sink, p);
}

/* Formats a duration that a spec gives in seconds: "0.5 s", "5 s", "2 min 5 s". */
static const char *short_duration(int64_t ms, char text[DURATION_TEXT])
{
	if (ms >= 60000)
		return duration(ms, text);
	(void)snprintf(text, DURATION_TEXT, "%g s", (double)ms / 1000);
	return text;
}

/* Writes each line of a text. */
static void say_lines(const struct vmrun_event *e, const char *indent, struct renderer *r)
{
	const char *line = e->text;

	while (line != NULL && *line != '\0') {
		size_t n = strcspn(line, "\n");

		say(r, "%s: %s%.*s", e->vm, indent, (int)n, line);
		line += n + (line[n] == '\n' ? 1 : 0);
	}
}

static void say_spawned(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: target %s runs under %s, pid %d", e->vm, e->target, r->hypervisor, e->pid);
	say_lines(e, "", r);
	if (e->terminal)
		say(r,
		    "%s: this terminal is the guest's console, which also gets ^C; to stop the VM: "
		    "kill %d",
		    e->vm, (int)getpid());
}

/* Returns the line after this one, or NULL. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end == NULL || end[1] == '\0' ? NULL : end + 1;
}

/* Writes the hypervisor's last lines before its failure, if the log level has hidden them. */
static void say_last_lines(const struct vmrun_event *e, struct renderer *r)
{
	const char *line = e->text;
	int count = 0;

	if (r->sink.max_level >= LEVEL_INFO || r->level >= LEVEL_INFO || line == NULL)
		return;
	for (const char *l = line; l != NULL; l = next_line(l))
		count++;
	for (; line != NULL && *line != '\0'; line = next_line(line)) {
		if (count-- <= LAST_LINES)
			say(r, "%s: %s: %.*s", e->vm, r->hypervisor, (int)strcspn(line, "\n"),
			    line);
	}
}

static void say_exited(const struct vmrun_event *e, struct renderer *r)
{
	char time[DURATION_TEXT], how[128];

	if (r->report_shown && strcmp(e->cause, "check_failed") == 0) {
		r->report_shown = false;
		return;
	}
	if (e->status < 0 && e->signal == 0) {
		say(r, "%s: target %s: %s: %s", e->vm, e->target, e->cause_text, e->text);
		return;
	}
	if (e->signal != 0)
		(void)snprintf(how, sizeof(how), "signal %d: %s", e->signal, strsignal(e->signal));
	else
		(void)snprintf(how, sizeof(how), "status %d%s%s", e->status,
		    e->status_text != NULL ? ": " : "",
		    e->status_text != NULL ? e->status_text : "");
	say_last_lines(e, r);
	say(r, "%s: target %s: %s after %s%s%s (%s, %s)", e->vm, e->target, e->cause_text,
	    duration(e->uptime_ms, time), e->ended_text != NULL ? ": " : "",
	    e->ended_text != NULL ? e->ended_text : "", e->cause, how);
}

/* Returns whether this is what follows the cause in a spec that says nothing about it. */
static bool is_default_policy(const struct vmrun_event *e)
{
	if (strcmp(e->cause, "reboot") != 0)
		return strcmp(e->action, "stop") == 0;
	return strcmp(e->action, "boot") == 0 && strcmp(e->target, e->ended) == 0 &&
	    e->delay_ms == 0;
}

/* Writes what follows a cause, below a heading, if it differs from the default. */
static void say_policy(const struct vmrun_event *e, struct renderer *r)
{
	char cause[64], time[DURATION_TEXT];

	if (r->policy.heading == NULL)
		r->policy.heading = mem_format("policy of target %s%s%s", e->ended,
		    e->text != NULL ? ", after " : "", e->text != NULL ? e->text : "");
	if (is_default_policy(e)) {
		r->policy.reboots = r->policy.reboots || strcmp(e->cause, "reboot") == 0;
		return;
	}
	if (!r->policy.has_rows)
		say(r, "%s: %s:", e->vm, r->policy.heading);
	r->policy.has_rows = true;
	(void)snprintf(cause, sizeof(cause), "%s", e->cause);
	if (e->status >= 0)
		(void)snprintf(cause, sizeof(cause), "%s %d", e->cause, e->status);
	if (strcmp(e->action, "boot") == 0)
		say(r, "%s:   %-13s  boots %s %s%s (%s)", e->vm, cause, e->target,
		    e->delay_ms > 0 ? "in " : "at once",
		    e->delay_ms > 0 ? short_duration(e->delay_ms, time) : "", e->by);
	else
		say(r, "%s:   %-13s  %s (%s)", e->vm, cause,
		    strcmp(e->action, "wait") == 0 ? "waits for a reset" : "stops", e->by);
}

/* Writes the last line of the policy, which stands for all that is as by default. */
static void end_policy(const char *vm, struct renderer *r)
{
	const char *rest = r->policy.reboots ? "a reboot boots again, every other end stops"
					     : "every other end stops";

	if (r->policy.has_rows)
		say(r, "%s:   %s (--print policy shows all)", vm, rest);
	else
		say(r, "%s: %s: %s (--print policy shows all)", vm, r->policy.heading, rest);
	free(r->policy.heading);
	memset(&r->policy, 0, sizeof(r->policy));
}

static void say_given_up(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: %s (%s: %lld boot%s within %g s)", e->vm, e->cause_text, e->by,
	    (long long)e->boot, e->boot == 1 ? "" : "s", (double)e->delay_ms / 1000);
	say_lines(e, "  ", r);
}

static void say_decided(const struct vmrun_event *e, struct renderer *r)
{
	char time[DURATION_TEXT];

	if (strcmp(e->action, "wait") == 0)
		say(r, "%s: no further boot until a reset (%s)", e->vm, e->by);
	else if (strcmp(e->action, "boot") != 0)
		say(r, "%s: no further boot (%s)", e->vm, e->by);
	else if (e->delay_ms > 0)
		say(r, "%s: next boot: target %s in %s (%s)", e->vm, e->target,
		    short_duration(e->delay_ms, time), e->by);
	else
		say(r, "%s: next boot: target %s (%s)", e->vm, e->target, e->by);
}

static void say_reloaded(const struct vmrun_event *e, struct renderer *r)
{
	if (e->problems == 0)
		say(r, "%s: spec reloaded: it takes effect at the next boot", e->vm);
	else
		say(r, "%s: reload failed, keeping the previous spec:\n%s", e->vm, e->text);
}

/* Returns why vmrun ends a boot by itself; NULL: for a request. */
static const char *reason_to_stop(const struct vmrun_event *e)
{
	bool requested = strcmp(e->cause, "stopped") == 0 || strcmp(e->cause, "reboot") == 0;

	return requested ? NULL : e->cause_text;
}

static void say_stopping(const struct vmrun_event *e, struct renderer *r)
{
	const char *what = "killing the hypervisor", *why = reason_to_stop(e);
	char time[DURATION_TEXT];

	if (strcmp(e->action, "acpi") == 0)
		what = "pressing the power button";
	else if (strcmp(e->action, "poweroff") == 0)
		what = "switching the power off";
	if (sink_has_status_line(&r->sink)) /* it shows the next step and the time left */
		say(r, "%s: stopping%s%s: %s", e->vm, why == NULL ? "" : ", ",
		    why == NULL ? "" : why, what);
	else
		say(r, "%s: stopping%s%s: %s, next step in %s or at the %s signal", e->vm,
		    why == NULL ? "" : ", ", why == NULL ? "" : why, what,
		    duration(e->delay_ms, time),
		    why == NULL ? "next" : "second"); /* the first becomes the reason */
}

/* Writes a warning or a note, without a VM's name while the spec is read. */
static void say_remark(const struct vmrun_event *e, const char *kind, struct renderer *r)
{
	say(r, "%s%s%s: %s", e->vm != NULL ? e->vm : "", e->vm != NULL ? ": " : "", kind, e->text);
}

static void say_hook_failed(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: %s failed%s: %s", e->vm, e->by,
	    strncmp(e->by, "on_exit", 7) == 0 ? ", the next hook or the declared policy decides"
					      : "",
	    e->text);
}

static void say_log(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s%s%s", strcmp(e->level, "info") == 0 ? "" : e->level,
	    strcmp(e->level, "info") == 0 ? "" : ": ", e->text);
}

static void say_starting(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: booting target %s", e->vm, e->target);
}

static void say_loading(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: %s loads target %s, pid %d", e->vm, e->argv[0], e->target, e->pid);
}

static void say_output(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: %s: %s", e->vm, e->by != NULL ? e->by : r->hypervisor, e->text);
}

static void say_warning(const struct vmrun_event *e, struct renderer *r)
{
	say_remark(e, "warning", r);
}

static void say_note(const struct vmrun_event *e, struct renderer *r)
{
	say_remark(e, "note", r);
}

/* Writes the success of the checks; report.c writes what they found. */
static void say_checked(const struct vmrun_event *e, struct renderer *r)
{
	if (e->problems == 0)
		say(r, "%s: target %s can start", e->vm, e->target);
}

static void say_cleaned(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: target %s is cleaned up%s", e->vm, e->target,
	    e->text == NULL ? "" : " in part");
}

static void say_fixed(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: fixed: %s", e->vm, e->text);
}

/* Writes an event of a hook, without a VM's name if the spec could not be read. */
static void say_hook_event(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s%sevent%s%s: %s", e->vm != NULL ? e->vm : "", e->vm != NULL ? ": " : "",
	    e->by != NULL ? " of " : "", e->by != NULL ? e->by : "", e->text);
}

static void say_lost(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s%swarning: %lld messages were lost: they came faster than vmrun could write them",
	    e->vm != NULL ? e->vm : "", e->vm != NULL ? ": " : "", (long long)e->lost);
}

static void say_ended(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: ended with status %d: %s", e->vm, e->exit_status, e->cause_text);
}

static void say_ready(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: target %s is ready after %.1f s (%s)", e->vm, e->target,
	    (double)e->uptime_ms / 1000, e->by);
}

static void say_unhealthy(const struct vmrun_event *e, struct renderer *r)
{
	if (e->failures == 1)
		say(r, "%s: target %s is unhealthy: a try failed: %s", e->vm, e->target, e->text);
	else
		say(r, "%s: target %s is unhealthy: %lld tries in a row failed, the last one: %s",
		    e->vm, e->target, (long long)e->failures, e->text);
}

/* Functions that write an event as text; NULL: the event has no text. */
static void (*const rows[])(const struct vmrun_event *e, struct renderer *r) = {
	[VMRUN_POLICY] = say_policy,
	[VMRUN_STARTING] = say_starting,
	[VMRUN_LOADING] = say_loading,
	[VMRUN_SPAWNED] = say_spawned,
	[VMRUN_OUTPUT] = say_output,
	[VMRUN_EXITED] = say_exited,
	[VMRUN_CLEANED] = say_cleaned,
	[VMRUN_DECIDED] = say_decided,
	[VMRUN_GIVEN_UP] = say_given_up,
	[VMRUN_RELOADED] = say_reloaded,
	[VMRUN_STOPPING] = say_stopping,
	[VMRUN_HOOK_FAILED] = say_hook_failed,
	[VMRUN_HOOK_EVENT] = say_hook_event,
	[VMRUN_LOG] = say_log,
	[VMRUN_WARNING] = say_warning,
	[VMRUN_NOTE] = say_note,
	[VMRUN_CHECKED] = say_checked,
	[VMRUN_FIXED] = say_fixed,
	[VMRUN_ENDED] = say_ended,
	[VMRUN_LOST] = say_lost,
	[VMRUN_READY] = say_ready,
	[VMRUN_UNHEALTHY] = say_unhealthy,
};

_Static_assert(sizeof(rows) / sizeof(*rows) == VMRUN_UNHEALTHY + 1, "a row for each kind of event");

void render_event(const struct vmrun_event *e, struct renderer *r)
{
	if (e->type == VMRUN_EXITED)
		r->sink.console = r->terminal = false;
	r->sink.time_ms = e->time_ms;
	r->level = LEVEL_INFO; /* of the policy */
	if (r->policy.heading != NULL && e->type != VMRUN_POLICY)
		end_policy(e->vm, r);
	(void)sink_level(vmrun_event_level(e), &r->level);
	if (r->sink.json)
		sink_event(&r->sink, r->level, e);
	else if (rows[e->type] != NULL)
		rows[e->type](e, r);
	r->sink.time_ms = 0;
	if (e->type == VMRUN_LOADING || e->type == VMRUN_SPAWNED) {
		r->sink.console = e->console;
		r->terminal = e->terminal;
	}
}
