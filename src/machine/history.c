/* The history of exits, and the facts that hooks get about it. */
#include <math.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ledger/history_line.h"
#include "machine/machine_inside.h"
#include "platform/clock.h"

#define ENDED_BY_GUEST "guest"
#define MAX_LAST_LINE 200 /* bytes of a last line that are kept */

/* Returns the last line that is not blank, or NULL. The caller frees it. */
static char *last_line(const char *text, size_t n)
{
	MEM_AUTO char *words = str_last_line(text, n, " \t\r\n");
	struct str line = { 0 };

	if (words == NULL)
		return NULL;
	str_add_line(&line, words, MAX_LAST_LINE);
	return line.length == 0 ? (str_free(&line), NULL) : str_take(&line);
}

static void add_line(struct str *s, const char *text)
{
	str_add(s, text == NULL ? "" : text);
	str_add_char(s, '\n');
}

static void add_number_line(struct str *s, int64_t number, bool is_known)
{
	if (is_known)
		str_add_int(s, number);
	str_add_char(s, '\n');
}

/*
 * Puts the exit before the others in their text, as lines: time, cause, status, signal, uptime,
 * what ended it, target.
 */
static void pack(struct history *h, struct exit_record *e)
{
	struct str s = { 0 };

	add_number_line(&s, e->at_ms, true);
	add_line(&s, cause_name(e->cause));
	add_number_line(&s, e->status, e->status >= 0);
	add_number_line(&s, e->signal, e->signal != 0);
	add_number_line(&s, e->uptime_ms, true);
	add_line(&s, e->ended_by);
	add_line(&s, e->target);
	e->packed = s.length;
	str_add_n(&s, h->packed.text, h->packed.length);
	str_free(&h->packed);
	h->packed = s;
}

static size_t known(const struct history *h)
{
	return h->count < MAX_HISTORY ? h->count : MAX_HISTORY;
}

static void clear(struct exit_record *e)
{
	free(e->target);
	free(e->last_line);
}

/* Drops the oldest exit, which is the last one in the text. */
static void drop(struct history *h, struct exit_record *e)
{
	h->packed.length -= e->packed;
	clear(e);
}

/* Returns the place of the next exit: a new one until the ring has all of them. */
static struct exit_record *next_place(struct history *h)
{
	size_t place = h->count % MAX_HISTORY;

	if (h->count < MAX_HISTORY)
		h->exit = mem_grow(h->exit, place, sizeof(*h->exit));
	else
		drop(h, &h->exit[place]);
	h->count++;
	return &h->exit[place];
}

void history_add(struct machine *m)
{
	struct exit_record *e = next_place(&m->history);

	e->cause = m->history.outcome.cause;
	e->status = m->history.outcome.status;
	e->signal = m->history.outcome.signal;
	e->uptime_ms = m->history.uptime_ms;
	e->ended_by = m->history.ended_by;
	e->at_ms = machine_now(m);
	/* given_up is not the end of a boot. */
	if (e->cause != CAUSE_GIVEN_UP)
		m->history.exit_date_ms = clock_date_ms();
	e->target = mem_copy(m->boot.target);
	e->last_line = last_line(child_tail(&m->run.child), m->run.child.tail.length);
	pack(&m->history, e);
	m->history.counts[m->history.outcome.cause]++;
}

/* Sets how the boot ended; takes both texts. */
static void note(struct machine *m, char *how, char *did)
{
	free(m->history.how);
	free(m->history.did);
	m->history.how = how;
	m->history.did = did;
	m->history.is_unwritten = true;
}

/* Adds a failure before the start as an outcome, so that the policy decides what follows. */
void history_add_failure(struct machine *m, enum cause cause, const char *text)
{
	struct event_record *r;

	m->history.ends++;
	memset(&m->history.outcome, 0, sizeof(m->history.outcome));
	m->history.outcome.cause = cause;
	m->history.outcome.status = -1;
	m->history.uptime_ms = 0;
	str_free(&m->run.child.tail);
	str_add_n(&m->run.child.tail, text, strnlen(text, MAX_CHILD_TAIL));
	r = event_add(m->events, VMRUN_EXITED);
	event_target(r, m->boot.target);
	machine_event_cause(r, cause);
	r->event.status = -1;
	r->event.uptime_ms = -1; /* it never ran */
	event_text(r, text);
	m->history.ended_by = NULL;
	note(m, mem_copy(text), NULL);
	history_add(m);
}

struct next machine_fail(struct machine *m, enum cause cause, const char *text)
{
	history_add_failure(m, cause, text);
	return go(STATE_DECIDING, -1);
}

struct next machine_fail_with(struct machine *m, struct report *report)
{
	MEM_AUTO char *text = report_text(report);

	report_free(report);
	return machine_fail(m, CAUSE_CHECK_FAILED, text);
}

static void put_facts(struct node *facts, const struct exit_record *e)
{
	node_put(facts, "cause", node_string(cause_name(e->cause)));
	if (e->ended_by != NULL)
		node_put(facts, "ended_by", node_string(e->ended_by));
	if (e->signal != 0)
		node_put(facts, "signal", node_int(e->signal));
	if (e->status >= 0)
		node_put(facts, "status", node_int(e->status));
	node_put(facts, "target", node_string(e->target));
	node_put(facts, "uptime", node_number((double)e->uptime_ms / 1000));
}

/* Returns the exit that is so many back; 1 is the newest. */
static const struct exit_record *past(const struct machine *m, size_t back)
{
	return &m->history.exit[(m->history.count - back) % MAX_HISTORY];
}

struct node *history_facts(const struct machine *m)
{
	struct node *facts = node_new(NODE_OBJECT);

	node_put(facts, "boots", node_int(m->history.boots));
	if (m->history.count > 0)
		put_facts(facts, past(m, 1));
	if (m->boot.spec->next_target != NULL)
		node_put(facts, "next_target", node_string(m->boot.spec->next_target));
	node_put(
	    facts, "stderr", node_string_n(child_tail(&m->run.child), m->run.child.tail.length));
	node_put(facts, "vm", node_string(m->boot.plan.vm));
	return facts;
}

struct node *history_past(const struct machine *m)
{
	struct node *past = node_new(NODE_OBJECT), *count = node_new(NODE_OBJECT);
	const struct str *all = &m->history.packed;

	for (int i = 0; i < CAUSES; i++) {
		if (m->history.counts[i] > 0)
			node_put(count, cause_name((enum cause)i), node_int(m->history.counts[i]));
	}
	node_put(past, "count", count);
	node_put(past, "history", node_string_n(all->text == NULL ? "" : all->text, all->length));
	node_put(past, "now", node_int(machine_now(m)));
	return past;
}

static void report_exit(const struct exit_record *e, int64_t now, struct str *s)
{
	str_add(s, s->length == 0 ? "" : "\n");
	str_add_seconds(s, now - e->at_ms);
	str_addf(s, " ago: target %s: %s", e->target, cause_name(e->cause));
	if (e->signal != 0)
		str_addf(s, ", signal %d", e->signal);
	else if (e->status >= 0)
		str_addf(s, ", status %d", e->status);
	if (e->signal != 0 || e->status >= 0) {
		str_add(s, ", after ");
		str_add_seconds(s, e->uptime_ms);
	}
	if (e->ended_by != NULL)
		str_addf(s, ", by %s%s", strcmp(e->ended_by, ENDED_BY_GUEST) == 0 ? "the " : "",
		    e->ended_by);
	if (e->last_line != NULL)
		str_addf(s, ": %s", e->last_line);
}

char *history_report(const struct machine *m, size_t most)
{
	size_t age = 0, n = 0;
	int64_t now = machine_now(m);
	struct str s = { 0 };

	/* given_up is in the history for hooks, but it is not the end of a boot. */
	while (age < known(&m->history) && n < most)
		n += past(m, ++age)->cause != CAUSE_GIVEN_UP ? 1 : 0;
	for (; age > 0; age--) {
		if (past(m, age)->cause != CAUSE_GIVEN_UP)
			report_exit(past(m, age), now, &s);
	}
	return str_take(&s);
}

/* --- what ended a boot --- */

static const char *find_ended_by(const struct machine *m)
{
	const struct outcome *o = &m->history.outcome;

	if (m->requests.step != NULL)
		return o->signal == 0 || o->signal == m->requests.step_signal ? m->requests.step
									      : NULL;
	return o->cause <= CAUSE_TRIPLE_FAULT ? ENDED_BY_GUEST : NULL;
}

/* Returns what happened after the power button, by the cause that is the guest's own. */
static const char *answer_to_button(enum cause cause)
{
	switch (cause) {
	case CAUSE_POWEROFF:
		return "the guest powered off";
	case CAUSE_REBOOT:
		return "the guest rebooted";
	case CAUSE_HALT:
		return "the guest halted its processors";
	case CAUSE_TRIPLE_FAULT:
		return "the guest crashed (triple fault)";
	default:
		return "the hypervisor exited";
	}
}

/* Returns what the step did that ended the boot, or NULL.  Caller frees. */
static char *find_deed(const struct machine *m)
{
	double seconds = round((double)(machine_now(m) - m->requests.step_ms) / 100) / 10;
	const char *by = m->history.ended_by;

	if (by == NULL || by != m->requests.step)
		return NULL;
	if (strcmp(by, stop_action_name(STOP_ACPI)) == 0)
		return mem_format("%s %g s after the power button",
		    answer_to_button(m->history.outcome.cause), seconds);
	if (strcmp(by, stop_action_name(STOP_POWEROFF)) == 0)
		return mem_copy("vmrun switched the power off");
	return mem_format(
	    "vmrun killed the %s", m->run.child.role == CHILD_LOADER ? "loader" : "hypervisor");
}

void history_find_end(struct machine *m)
{
	m->history.ended_by = find_ended_by(m);
	note(m, NULL, find_deed(m));
}

void history_note_end(struct machine *m, const char *cause_text)
{
	struct str how = { 0 };

	str_add(&how, cause_text);
	str_add(&how, " after ");
	str_add_seconds(&how, m->history.uptime_ms);
	if (m->history.did != NULL) {
		str_add(&how, ": ");
		str_add(&how, m->history.did);
	}
	m->history.how = str_take(&how);
}

/* Sets the reason for which vmrun itself has ended the boot. */
static void say_unfit(const struct machine *m, struct event_record *r)
{
	MEM_AUTO char *text = mem_format("%s; stopped", m->guest.why);

	event_cause_text(r, text);
}

void history_say_end(struct machine *m, const char *why)
{
	const struct outcome *o = &m->history.outcome;
	struct event_record *r = event_add(m->events, VMRUN_EXITED);

	event_target(r, m->boot.target);
	event_text(r, child_tail(&m->run.child));
	machine_event_cause(r, o->cause);
	if (why != NULL)
		event_cause_text(r, why);
	else if (!m->requests.stop && m->requests.reboot_to != NULL)
		r->event.cause_text = "stopped for the reboot request";
	else if (!m->requests.stop && m->guest.unfit != CAUSES)
		say_unfit(m, r);
	r->event.ended_by = m->history.ended_by;
	event_ended_text(r, m->history.did);
	r->event.status = o->status;
	r->event.status_text = o->text;
	r->event.signal = o->signal;
	r->event.uptime_ms = m->history.uptime_ms;
	if (why == NULL)
		history_note_end(m, r->event.cause_text);
}

/* --- the file --- */

/* Warns of the first failure to write the file. */
static void warn_of_file(struct machine *m, const struct error *err)
{
	MEM_AUTO char *text = NULL;

	if (m->history.file_warned)
		return;
	m->history.file_warned = true;
	text = mem_format(
	    "%s (vmrunctl history and why lack these events until vmrun can write the file)",
	    err->text);
	machine_warn(m, text);
}

static void write_line(struct machine *m, const char *json)
{
	ERROR_AUTO struct error err = { 0 };

	if (history_file_add(&m->history.file, json, &err) != 0)
		warn_of_file(m, &err);
}

void history_begin(struct machine *m)
{
	MEM_AUTO char *directory = NULL;
	MEM_AUTO char *death = NULL;
	ERROR_AUTO struct error err = { 0 };
	pid_t died;

	if (m->options.simulation != NULL || m->options.directory == NULL)
		return;
	directory = mem_format("%s/%s", m->source->state_dir, m->events->vm);
	if (history_file_open(&m->history.file, directory, &died, &err) != 0)
		warn_of_file(m, &err);
	if (died == 0)
		return;
	death = history_line_of_death(died);
	write_line(m, death);
}

/* Returns the last output of the present boot on the console; NULL: it has none of vmrun's. */
static char *console_output(struct machine *m)
{
	struct console *c = &m->console;
	MEM_AUTO char *bytes = NULL;
	uint64_t at = m->history.console_at;
	size_t n;

	if (c->fd < 0 || !machine_boot_has_console(m))
		return NULL;
	if (at < c->total - c->ring_length)
		at = c->total - c->ring_length;
	n = (size_t)(c->total - at);
	bytes = mem_zero(n + 1);
	n = console_copy(c, at, bytes, n);
	return history_line_output(bytes, n);
}

void history_flush(struct machine *m)
{
	MEM_AUTO struct history_line *line = m->history.line;
	MEM_AUTO char *json = NULL;

	if (line == NULL)
		return;
	m->history.line = NULL;
	json = history_line_json(line);
	write_line(m, json);
}

void history_note_boot(struct machine *m, const char *follows, const char *next, const char *by)
{
	struct history_line line = HISTORY_LINE;
	const struct exit_record *e;
	MEM_AUTO char *errors = NULL;
	MEM_AUTO char *console = NULL;

	if (!m->history.is_unwritten || m->history.file.directory == NULL)
		return;
	m->history.is_unwritten = false;
	e = past(m, 1);
	line.time_ms = clock_date_ms() - (machine_now(m) - e->at_ms);
	line.boot = m->history.ends;
	line.target = e->target;
	line.cause = cause_name(e->cause);
	line.status = e->status;
	line.signal = e->signal;
	if (e->status >= 0 || e->signal != 0) { /* it ran */
		line.uptime_ms = e->uptime_ms;
		errors = history_line_output(child_tail(&m->run.child), m->run.child.tail.length);
		line.errors = errors;
		console = console_output(m);
		line.console = console;
	}
	line.ended_by = e->ended_by;
	line.action = follows;
	line.next = next;
	line.by = by;
	line.text = m->history.how;
	history_flush(m);
	m->history.line = history_line_copy(&line);
}

static void warn_left(struct machine *m, const char *path, int error)
{
	MEM_AUTO char *text = mem_format("%s is left behind: %s", path, strerror(error));

	machine_warn(m, text);
}

void history_write_end(struct machine *m, const char *closed)
{
	enum cause cause = closed != NULL ? CAUSE_STOPPED : m->history.outcome.cause;
	struct history_line line = HISTORY_LINE;
	MEM_AUTO char *mark = NULL;
	MEM_AUTO char *json = NULL;
	MEM_AUTO char *text = closed != NULL
	    ? mem_copy(closed)
	    : mem_format("ended with status %d: %s", m->end.status, cause_text(cause));

	if (m->history.file.directory == NULL)
		return;
	history_flush(m);
	line.kind = "vmrun";
	line.time_ms = clock_date_ms();
	line.cause = cause_name(cause);
	line.exit_status = closed != NULL ? -1 : m->end.status;
	line.text = text;
	if (m->history.count > 0 && past(m, 1)->cause == cause) { /* that boot ended vmrun, too */
		line.boot = m->history.ends;
		line.target = past(m, 1)->target;
		line.status = past(m, 1)->status;
		line.signal = past(m, 1)->signal;
		line.ended_by = past(m, 1)->ended_by;
	}
	json = history_line_json(&line);
	write_line(m, json);
	mark = mem_format("%s/" HISTORY_FILE_RUNNING, m->history.file.directory);
	if (history_file_close(&m->history.file) != 0)
		warn_left(m, mark, errno);
}

void history_free(struct machine *m)
{
	history_flush(m);
	(void)history_file_close(&m->history.file);
	for (size_t i = 0; i < known(&m->history); i++)
		clear(&m->history.exit[i]);
	free(m->history.exit);
	str_free(&m->history.packed);
	free(m->history.how);
	free(m->history.did);
}
