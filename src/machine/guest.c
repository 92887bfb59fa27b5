/* Asks whether the guest is ready and alive, and ends boots that are not, or last too long. */
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "platform/spawn.h"

#define LEDGER_NAME "command of ready or alive"

static const enum cause causes[] = {
	[HEALTH_NOT_READY] = CAUSE_NOT_READY,
	[HEALTH_UNHEALTHY] = CAUSE_UNHEALTHY,
	[HEALTH_TIMED_OUT] = CAUSE_TIMED_OUT,
};

/* Notes the command of a try in the ledger while it runs: what it started would outlive vmrun. */
static void note_command(struct machine *m)
{
	pid_t pid = m->guest.health.attempt.job.pid;

	if (pid == m->guest.noted)
		return;
	if (m->guest.noted != 0)
		ledger_forget_process(m->host.ledger, LEDGER_NAME, m->guest.noted);
	if (pid != 0)
		ledger_note_process(m->host.ledger, LEDGER_NAME, pid);
	m->guest.noted = pid;
}

static void say_ready(struct machine *m, int64_t after_ms)
{
	struct event_record *r = event_add(m->events, VMRUN_READY);
	MEM_AUTO char *by = health_probe_text(&m->boot.spec->ready);

	event_target(r, m->boot.target);
	event_by(r, by);
	r->event.uptime_ms = after_ms;
}

static void say_unhealthy(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_UNHEALTHY);

	event_target(r, m->boot.target);
	event_text(r, m->guest.health.why);
	r->event.failures = m->guest.health.failures;
}

static void become_ready(struct machine *m)
{
	say_ready(m, machine_now(m) - m->guest.health.began_ms);
	hooks_call(m, &hooks_ready, m->boot.spec);
}

/* Makes the cause and its reason that of the boot, which the stop ladder ends. */
static void condemn(struct machine *m, enum health_news news)
{
	if (news == HEALTH_UNHEALTHY)
		say_unhealthy(m);
	m->guest.verdict = causes[news];
	machine_handle(m, EVENT_UNFIT);
}

/* Handles what the last look or try has found out. */
static void settle(struct machine *m)
{
	enum health_news news = health_take_news(&m->guest.health);

	note_command(m);
	if (news == HEALTH_READY)
		become_ready(m);
	else if (news != HEALTH_NO_NEWS)
		condemn(m, news);
}

void guest_begin(struct machine *m)
{
	struct attempt_host host = { .wait = m->wait,
		.first_tag = MACHINE_TAG_GUEST,
		.end_tag = machine_helper_tag,
		.directory = document_directory(m->source->doc) };

	m->guest.verdict = CAUSES;
	if (m->options.simulation != NULL)
		return;
	health_begin(&m->guest.health, m->boot.spec, &host, m->run.child.started_ms);
	m->guest.heard_at = m->history.console_at;
}

void guest_begin_simulated(struct machine *m)
{
	m->guest.verdict = CAUSES;
	m->guest.health.is_ready =
	    m->boot.spec->ready.kind != PROBE_NONE && simulation_becomes_ready(m);
	if (m->guest.health.is_ready)
		hooks_call(m, &hooks_ready, m->boot.spec);
}

void guest_end(struct machine *m)
{
	health_end(&m->guest.health);
	note_command(m);
}

void guest_hear(struct machine *m)
{
	const struct console *c = &m->console;
	uint64_t first = c->total - c->ring_length;
	char bytes[4096];
	size_t n;

	if (!m->guest.health.runs)
		return;
	if (m->guest.heard_at < first)
		m->guest.heard_at = first;
	while ((n = console_copy(c, m->guest.heard_at, bytes, sizeof(bytes))) > 0) {
		m->guest.heard_at += n;
		health_hear(&m->guest.health, bytes, n, machine_now(m));
	}
	settle(m);
}

void guest_wake(struct machine *m)
{
	health_wake(&m->guest.health, machine_now(m));
	settle(m);
}

void guest_read(struct machine *m, uintptr_t tag)
{
	health_read(&m->guest.health, tag, machine_now(m));
	settle(m);
}

bool guest_command_ended(struct machine *m, pid_t pid)
{
	if (!health_command_ended(&m->guest.health, pid, machine_now(m)))
		return false;
	settle(m);
	return true;
}

/* Returns why vmrun ends this boot, as text for the user.  Caller frees. */
static char *reason(const struct machine *m)
{
	const char *why = m->guest.health.why;

	if (m->guest.verdict == CAUSE_UNHEALTHY)
		return mem_format("%lld failures of \"alive\" in a row: %s",
		    (long long)m->guest.health.failures, why);
	return mem_copy(why);
}

struct next guest_is_unfit(struct machine *m)
{
	/* A guest that has ended by itself keeps its own cause. */
	if (process_has_ended(m->run.child.job.pid)) {
		m->guest.verdict = CAUSES;
		return stay();
	}
	free(m->guest.reason);
	m->guest.reason = reason(m);
	m->requests.stop_step = 0;
	return stop_step(m);
}

int guest_state(const struct machine *m)
{
	if (m->boot.spec == NULL || m->boot.spec->ready.kind == PROBE_NONE)
		return -1;
	return m->run.child.job.pid != 0 && m->guest.health.is_ready ? 1 : 0;
}

int64_t guest_ready_within_ms(const struct machine *m)
{
	const struct health *h = &m->guest.health;
	int64_t left_ms;

	if (!h->runs || guest_state(m) != 0 || h->ready->within_ms <= 0)
		return 0;
	left_ms = h->began_ms + h->ready->within_ms - machine_now(m);
	return left_ms > 0 ? left_ms : 1;
}

/* Notes that a guest is up for the first time: its on_ready has ended, or waits. */
void guest_note_start(struct machine *m)
{
	bool is_up = m->run.child.job.pid != 0 && !m->run.awaits_answer &&
	    (m->present.state == STATE_RUNNING || m->present.state == STATE_STOPPING);

	if (m->guest.started || !is_up || guest_state(m) == 0)
		return;
	m->guest.started =
	    guest_state(m) < 0 || !calls_have_fresh(&m->calls, &hooks_ready);
}
