/* Words for people. */
#include "render.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/duration.h"

static bool is_bad(const struct vmrun_event *e)
{
	static const char *const good[] = { "reboot", "poweroff", "halt", "stopped" };

	if (e->cause == NULL)
		return e->problems > 0;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (strcmp(e->cause, good[i]) == 0)
			return false;
	}
	return true;
}

static void say(struct renderer *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct renderer *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sink_vsay(&r->sink, r->level, fmt, ap);
	va_end(ap);
}

void render_status(struct renderer *r, const char *vm, const char *text)
{
	/* Somebody has asked for it. */
	enum level level = r->sink.most < LEVEL_INFO ? r->sink.most : LEVEL_INFO;

	sink_say(&r->sink, level, "%s: %s", vm, text);
}

void render_report(struct renderer *r, const char *text)
{
	if (!r->sink.json) /* the event has it all */
		sink_lines(&r->sink, LEVEL_ERROR, text);
	r->reported = true;
}

void render_problems(const struct vmrun *vm, struct renderer *r)
{
	struct vmrun_problem p;

	for (size_t i = 0; vmrun_problem(vm, i, &p); i++)
		sink_problem(&r->sink, &p);
}

/* "0.5 s", "5 s", "2 min 5 s": of what was given in seconds. */
static const char *short_duration(int64_t ms, char text[DURATION_TEXT])
{
	if (ms >= 60000)
		return duration(ms, text);
	(void)snprintf(text, 48, "%g s", (double)ms / 1000);
	return text;
}

static void say_spawned(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: target %s runs under %s, pid %d", e->vm, e->target, r->hypervisor, e->pid);
	if (e->terminal)
		say(r, "%s: this terminal is the guest's console, ^C included; to stop: kill %d",
		    e->vm, (int)getpid());
}

static void say_exited(const struct vmrun_event *e, struct renderer *r)
{
	char time[DURATION_TEXT], how[128];

	if (r->reported && strcmp(e->cause, "check_failed") == 0) {
		r->reported = false;
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
	say(r, "%s: target %s: %s after %s (%s, %s)", e->vm, e->target, e->cause_text,
	    duration(e->uptime_ms, time), e->cause, how);
}

/* What follows a cause, a line each, under a heading. */
static void say_policy(const struct vmrun_event *e, struct renderer *r)
{
	char cause[64], time[48];

	if (!r->foretold)
		say(r, "%s: policy of target %s%s%s:", e->vm, e->ended,
		    e->text != NULL ? ", after " : "", e->text != NULL ? e->text : "");
	r->foretold = true;
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

static void say_given_up(const struct vmrun_event *e, struct renderer *r)
{
	const char *line = e->text;

	say(r, "%s: %s (%s)", e->vm, e->cause_text, e->by);
	while (line != NULL && *line != '\0') {
		const char *end = strchr(line, '\n');

		say(r, "%s:   %.*s", e->vm, end == NULL ? (int)strlen(line) : (int)(end - line),
		    line);
		line = end == NULL ? NULL : end + 1;
	}
}

static void say_decided(const struct vmrun_event *e, struct renderer *r)
{
	char time[DURATION_TEXT];

	if (strcmp(e->action, "wait") == 0)
		say(r, "%s: no further boot until somebody resets it (%s)", e->vm, e->by);
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
		say(r, "%s: the spec was read again: it holds from the next boot on", e->vm);
	else
		say(r, "%s: the spec was read again and is not good, the old one stays:\n%s", e->vm,
		    e->text);
}

static void say_stopping(const struct vmrun_event *e, struct renderer *r)
{
	const char *what = "killing the hypervisor";
	char time[DURATION_TEXT];

	if (strcmp(e->action, "acpi") == 0)
		what = "pressing the power button";
	else if (strcmp(e->action, "poweroff") == 0)
		what = "switching the power off";
	if (sink_has_live(&r->sink)) /* a line there tells the rest */
		say(r, "%s: stopping: %s", e->vm, what);
	else
		say(r, "%s: stopping: %s, next step in %s or at the next signal", e->vm, what,
		    duration(e->delay_ms, time));
}

/* What a spec says while it is read has no VM yet. */
static void say_remark(const struct vmrun_event *e, const char *kind, struct renderer *r)
{
	say(r, "%s%s%s: %s", e->vm != NULL ? e->vm : "", e->vm != NULL ? ": " : "", kind, e->text);
}

static void say_hook_failed(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: %s failed%s: %s", e->vm, e->by,
	    strncmp(e->by, "on_exit", 7) == 0 ? ", the declared policy decides" : "", e->text);
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

/* What is wrong report.c tells. */
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
	say(r, "%s: mended: %s", e->vm, e->text);
}

/* A spec that tells, and is wrong, has no name yet. */
static void say_hook_event(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s%sevent%s%s: %s", e->vm != NULL ? e->vm : "", e->vm != NULL ? ": " : "",
	    e->by != NULL ? " of " : "", e->by != NULL ? e->by : "", e->text);
}

static void say_ended(const struct vmrun_event *e, struct renderer *r)
{
	say(r, "%s: ended with status %d: %s", e->vm, e->exit_status, e->cause_text);
}

/* What is said of an event, and how much it matters: when all is well, and when it tells of
 * something bad. */
static const struct {
	void (*say)(const struct vmrun_event *e, struct renderer *r); /* NULL: nothing */
	enum level good, bad;
} rows[] = {
	[VMRUN_POLICY] = { say_policy, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_STARTING] = { say_starting, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_LOADING] = { say_loading, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_SPAWNED] = { say_spawned, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_OUTPUT] = { say_output, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_EXITED] = { say_exited, LEVEL_INFO, LEVEL_ERROR },
	[VMRUN_CLEANED] = { say_cleaned, LEVEL_DEBUG,
	    LEVEL_DEBUG }, /* a warning tells of what is left */
	[VMRUN_DECIDED] = { say_decided, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_GIVEN_UP] = { say_given_up, LEVEL_ERROR, LEVEL_ERROR },
	[VMRUN_RELOADED] = { say_reloaded, LEVEL_INFO, LEVEL_ERROR },
	[VMRUN_STOPPING] = { say_stopping, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_HOOK_FAILED] = { say_hook_failed, LEVEL_ERROR, LEVEL_ERROR },
	[VMRUN_HOOK_EVENT] = { say_hook_event, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_LOG] = { say_log, LEVEL_INFO, LEVEL_INFO }, /* unless it says so itself */
	[VMRUN_WARNING] = { say_warning, LEVEL_WARNING, LEVEL_WARNING },
	[VMRUN_NOTE] = { say_note, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_CHECKED] = { say_checked, LEVEL_DEBUG, LEVEL_ERROR },
	[VMRUN_FIXED] = { say_fixed, LEVEL_INFO, LEVEL_INFO },
	[VMRUN_ENDED] = { say_ended, LEVEL_INFO, LEVEL_ERROR },
	[VMRUN_LOST] = { NULL, LEVEL_WARNING, LEVEL_WARNING }, /* nobody is slow here */
};

static enum level level_of(const struct vmrun_event *e)
{
	enum level level = is_bad(e) ? rows[e->type].bad : rows[e->type].good;

	if (e->level != NULL)
		(void)sink_level(e->level, &level);
	return level;
}

void render_event(const struct vmrun_event *e, struct renderer *r)
{
	if (e->type == VMRUN_EXITED)
		r->sink.console = r->terminal = false;
	r->level = level_of(e);
	if (r->sink.json)
		sink_event(&r->sink, r->level, e);
	else if (rows[e->type].say != NULL)
		rows[e->type].say(e, r);
	if (e->type == VMRUN_LOADING || e->type == VMRUN_SPAWNED) {
		r->sink.console = e->console;
		r->terminal = e->terminal;
	}
}
