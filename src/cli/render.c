/* Words for people. */
#include "render.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A full pipe or a stopped terminal gets this long to take more. */
#define PATIENCE_MS 1000

/* A terminal polls as writable and blocks all the same, so its flags are changed for the moment. */
static ssize_t write_some(const char *text, size_t n)
{
	int flags = isatty(STDERR_FILENO) != 0 ? fcntl(STDERR_FILENO, F_GETFL) : -1;
	ssize_t done;

	if (flags >= 0)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	done = write(STDERR_FILENO, text, n < PIPE_BUF ? n : PIPE_BUF);
	if (flags >= 0) {
		int saved = errno;

		(void)fcntl(STDERR_FILENO, F_SETFL, flags);
		errno = saved;
	}
	return done;
}

/*
 * Never blocks for longer than that: a reader who stopped reading must not stop the supervisor.  A
 * pipe that polls as writable takes PIPE_BUF bytes at once, whether it blocks or not.
 */
static void write_all(struct renderer *r, const char *text, size_t n)
{
	while (n > 0) {
		struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
		int ready = poll(&p, 1, r->stuck ? 0 : PATIENCE_MS);
		ssize_t done;

		if (ready < 0 && errno == EINTR)
			continue;
		r->stuck = ready <= 0;
		if (r->stuck)
			return;
		done = write_some(text, n);
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
}

/* Control characters of a guest or a script must not steer the user's terminal. */
static void mask(char *text)
{
	for (char *p = text; *p != '\0'; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			*p = '?';
	}
}

static void say(struct renderer *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct renderer *r, const char *fmt, ...)
{
	bool raw = r->console && isatty(STDERR_FILENO) != 0;
	char text[8192];
	va_list ap;
	char *line = text;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mask(text);
	live_hide(&r->live);
	/* Line by line: a raw terminal needs its carriage returns. */
	while (line != NULL) {
		char *end = strchr(line, '\n');
		char out[8300];
		int n = snprintf(out, sizeof(out), "vmrun: %.*s%s",
		    end == NULL ? (int)strlen(line) : (int)(end - line), line, raw ? "\r\n" : "\n");

		write_all(r, out, (size_t)n);
		line = end == NULL || end[1] == '\0' ? NULL : end + 1;
	}
	live_show(&r->live);
}

void render_line(struct renderer *r, const char *vm, const char *text)
{
	say(r, "%s: %s", vm, text);
}

void render_text(struct renderer *r, const char *text)
{
	write_all(r, text, strlen(text));
}

void render_problems(const struct vmrun *vm)
{
	struct vmrun_problem p;

	for (size_t i = 0; vmrun_problem(vm, i, &p); i++)
		(void)fprintf(stderr, "%s: %s%s%s\n", p.place != NULL ? p.place : "vmrun",
		    p.path != NULL ? p.path : "", p.path != NULL ? ": " : "", p.text);
}

/* "1.5 s", "2 min 5 s". */
static const char *duration(int64_t ms, char text[48])
{
	if (ms < 60000)
		(void)snprintf(text, 48, "%.1f s", (double)ms / 1000);
	else if (ms < 3600000)
		(void)snprintf(
		    text, 48, "%" PRId64 " min %" PRId64 " s", ms / 60000, ms / 1000 % 60);
	else
		(void)snprintf(
		    text, 48, "%" PRId64 " h %" PRId64 " min", ms / 3600000, ms / 60000 % 60);
	return text;
}

/* "0.5 s", "5 s", "2 min 5 s": of what was given in seconds. */
static const char *short_duration(int64_t ms, char text[48])
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
	r->console = e->console;
	r->terminal = e->terminal;
}

static void say_exited(const struct vmrun_event *e, struct renderer *r)
{
	char time[48], how[128];

	r->console = r->terminal = false;
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
	char time[48];

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
	char time[48];

	if (strcmp(e->action, "acpi") == 0)
		what = "pressing the power button";
	else if (strcmp(e->action, "poweroff") == 0)
		what = "switching the power off";
	if (live_is_possible()) /* a line there tells the rest */
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
	if (strcmp(e->level, "debug") != 0)
		say(r, "%s%s%s", strcmp(e->level, "info") == 0 ? "" : e->level,
		    strcmp(e->level, "info") == 0 ? "" : ": ", e->text);
}

void render_event(const struct vmrun_event *e, void *context)
{
	struct renderer *r = context;

	switch (e->type) {
	case VMRUN_POLICY:
		say_policy(e, r);
		break;
	case VMRUN_STARTING:
		say(r, "%s: booting target %s", e->vm, e->target);
		break;
	case VMRUN_LOADING:
		say(r, "%s: %s loads target %s, pid %d", e->vm, e->argv[0], e->target, e->pid);
		r->console = e->console;
		break;
	case VMRUN_SPAWNED:
		say_spawned(e, r);
		break;
	case VMRUN_OUTPUT:
		say(r, "%s: %s: %s", e->vm, e->by != NULL ? e->by : r->hypervisor, e->text);
		break;
	case VMRUN_EXITED:
		say_exited(e, r);
		break;
	case VMRUN_DECIDED:
		say_decided(e, r);
		break;
	case VMRUN_GIVEN_UP:
		say_given_up(e, r);
		break;
	case VMRUN_RELOADED:
		say_reloaded(e, r);
		break;
	case VMRUN_STOPPING:
		say_stopping(e, r);
		break;
	case VMRUN_HOOK_FAILED:
		say_hook_failed(e, r);
		break;
	case VMRUN_LOG:
		say_log(e, r);
		break;
	case VMRUN_WARNING:
		say_remark(e, "warning", r);
		break;
	case VMRUN_NOTE:
		say_remark(e, "note", r);
		break;
	case VMRUN_CHECKED:
		break; /* report.c tells what is wrong */
	case VMRUN_FIXED:
		say(r, "%s: mended: %s", e->vm, e->text);
		break;
	case VMRUN_HOOK_EVENT: /* a spec that tells, and is wrong, has no name yet */
		say(r, "%s%sevent%s%s: %s", e->vm != NULL ? e->vm : "", e->vm != NULL ? ": " : "",
		    e->by != NULL ? " of " : "", e->by != NULL ? e->by : "", e->text);
		break;
	case VMRUN_ENDED:
		say(r, "%s: ended with status %d: %s", e->vm, e->exit_status, e->cause_text);
		break;
	}
}
