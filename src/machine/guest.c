/* Asks the guest of a boot whether it is ready and alive, and acts on the answers. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "platform/clock.h"

#define MAX_OLD_READS 64  /* of the console: 256 KiB, more than a terminal holds */
#define MAX_EXIT_MS 20000 /* from the reason to the exit: a slow disk may take long */

static char *command_name(const struct attempt *a)
{
	return mem_format("command of a probe: %s", a->probe->command.item[0]);
}

/*
 * Notes the command in the ledger: it dies with vmrun, but processes that it started would live on
 * until the next start ends them.
 */
static void note_command(struct machine *m)
{
	MEM_AUTO char *name = NULL;

	if (m->guest.attempt.job.pid == 0)
		return;
	name = command_name(&m->guest.attempt);
	ledger_note_process(m->host.ledger, name, m->guest.attempt.job.pid);
}

/* Drops it before its process is reaped or given up. */
static void forget_command(struct machine *m)
{
	MEM_AUTO char *name = NULL;

	if (m->guest.attempt.job.pid == 0)
		return;
	name = command_name(&m->guest.attempt);
	ledger_forget_process(m->host.ledger, name, m->guest.attempt.job.pid);
}

static void abandon_try(struct machine *m)
{
	forget_command(m);
	attempt_abandon(&m->guest.attempt);
}

/* The guest is ready: once a boot. */
static void guest_is_ready(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_READY);
	MEM_AUTO char *by = health_probe_text(&m->boot.spec->ready);

	event_target(r, m->boot.target);
	event_by(r, by);
	r->event.uptime_ms = machine_now(m) - m->run.child.started_ms;
	m->guest.was_ready = true;
	hooks_call(m, &hooks_ready, m->boot.spec);
}

static void say_unhealthy(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_UNHEALTHY);

	event_target(r, m->boot.target);
	event_text(r, m->guest.health.why);
	r->event.failures = m->guest.health.failures;
}

static enum cause cause_of(enum health_news news)
{
	if (news == HEALTH_NOT_READY)
		return CAUSE_NOT_READY;
	return news == HEALTH_UNHEALTHY ? CAUSE_UNHEALTHY : CAUSE_TIMED_OUT;
}

/* Lets the ladder end the boot, unless the guest has ended by itself. */
static void end_unfit(struct machine *m, enum health_news news)
{
	abandon_try(m);
	if (!machine_accepts(m, EVENT_UNFIT) || process_has_ended(m->run.child.job.pid))
		return;
	if (news == HEALTH_UNHEALTHY)
		say_unhealthy(m);
	m->guest.unfit = cause_of(news);
	free(m->guest.why);
	m->guest.why = health_reason(&m->guest.health, news);
	machine_handle(m, EVENT_UNFIT);
}

static void handle_news(struct machine *m)
{
	enum health_news news;

	while ((news = health_take(&m->guest.health)) != HEALTH_NOTHING) {
		if (news == HEALTH_READY)
			guest_is_ready(m);
		else
			end_unfit(m, news);
	}
}

static void hear(void *context, const char *bytes, size_t n)
{
	struct machine *m = context;

	if (!health_hears(&m->guest.health))
		return;
	health_hear(&m->guest.health, bytes, n, machine_now(m));
	handle_news(m);
}

void guest_listen(struct machine *m)
{
	m->guest.unfit = CAUSES;
	m->console.notice = hear;
	m->console.notice_context = m;
}

/* Reads the console until it is empty, within a limit. */
static void read_console(struct machine *m)
{
	for (int i = 0; m->console.fd >= 0 && i < MAX_OLD_READS && console_read(&m->console); i++)
		;
}

void guest_prepare(struct machine *m)
{
	if (m->boot.spec->ready.kind == PROBE_CONSOLE)
		read_console(m);
}

void guest_begin(struct machine *m)
{
	const struct spec *spec = m->boot.spec;

	m->guest.halt_ms = spec->qemu.halt_poll_ms > 0 && m->boot.plan.processors > 0
	    ? machine_now(m) + spec->qemu.halt_poll_ms
	    : 0;
	m->guest.pinned.thread = 0;
	health_begin(&m->guest.health, &spec->ready, &spec->alive, spec->time_limit_ms,
	    m->run.child.started_ms);
}

/*
 * Pins a thread to one CPU, to see whether it may run there, and adds the CPU to those of the
 * thread.
 */
static void add_pin(struct machine *m, const char *pin, int64_t thread)
{
	long cpu = strtol(strchr(pin, ':') + 1, NULL, 10);
	pid_t pid = m->run.child.job.pid;
	bool one[MAX_HOST_CPUS] = { false };
	MEM_AUTO char *text = NULL;
	int fault;

	one[cpu] = true;
	fault = os_pin_thread(pid, thread, one);
	if (fault == 0) {
		m->guest.pinned.cpus[cpu] = true;
		return;
	}
	if (fault == ENXIO)
		text = mem_format("pin: \"%s\": qemu cannot run on CPU %ld: the host has no such "
				  "CPU online, or a CPU set excludes it",
		    pin, cpu);
	else if (fault == ESRCH)
		text = mem_format("pin: \"%s\": process %ld has no thread %" PRId64
				  ": a prefix must execute qemu in its own process",
		    pin, (long)pid, thread);
	else
		text = mem_format(
		    "pin: \"%s\": cannot pin thread %" PRId64 ": %s", pin, thread, strerror(fault));
	machine_warn(m, text);
}

void guest_pin(void *machine, int64_t processor, int64_t thread)
{
	struct machine *m = machine;
	const struct words *pins = &m->boot.spec->pin;
	bool has_pins = false;

	if (processor < 0)
		machine_warn(m, "pin: qemu does not say which threads run the processors: ignored");
	/* One thread may run all processors, as under TCG with -icount: it gets the CPUs of all. */
	if (m->guest.pinned.cpus == NULL || thread != m->guest.pinned.thread) {
		free(m->guest.pinned.cpus);
		m->guest.pinned.cpus = mem_zero(MAX_HOST_CPUS * sizeof(bool));
	}
	m->guest.pinned.thread = thread;
	for (size_t i = 0; i < pins->count; i++) {
		if (strtol(pins->item[i], NULL, 10) != processor)
			continue;
		add_pin(m, pins->item[i], thread);
		has_pins = true;
	}
	if (has_pins)
		(void)os_pin_thread(m->run.child.job.pid, thread, m->guest.pinned.cpus);
}

void guest_begin_simulated(struct machine *m)
{
	bool is_ready = m->boot.spec->ready.kind != PROBE_NONE && simulation_becomes_ready(m);

	guest_end(m);
	m->guest.health.is_ready = is_ready;
	if (is_ready)
		hooks_call(m, &hooks_ready, m->boot.spec);
}

int64_t guest_until_ms(const struct machine *m)
{
	int64_t asked =
	    clock_earlier(health_until_ms(&m->guest.health), attempt_until_ms(&m->guest.attempt));

	return clock_earlier(asked, m->guest.halt_ms > 0 ? m->guest.halt_ms : -1);
}

/*
 * Kills a hypervisor that has said why it exits, and does not: qemu 7.2 can wait for itself when a
 * request reaches it in its exit (monitor_cleanup).
 */
static void await_exit(struct machine *m)
{
	struct signs *signs = &m->run.child.signs;
	MEM_AUTO char *hangs = NULL;

	m->guest.halt_ms = 0;
	if (!signs->exits) {
		signs->exits = true;
		m->guest.halt_ms = machine_now(m) + MAX_EXIT_MS;
		return;
	}
	hangs = mem_format("%s has ended its guest and hangs: killed", m->boot.plan.hyper->name);
	machine_warn(m, hangs);
	signs->hangs = true;
	child_signal(&m->run.child, SIGKILL);
}

/* Asks whether the guest has halted; the answers end the hypervisor then. */
static void poll_halt(struct machine *m)
{
	const char *request = m->boot.plan.hyper->halt_request(&m->run.child.signs);

	if (*m->run.child.signs.reason != '\0') {
		await_exit(m);
		return;
	}
	if (request != NULL)
		child_control(&m->run.child, request);
	m->guest.halt_ms = machine_now(m) + m->boot.spec->qemu.halt_poll_ms;
}

/* Takes the result of a try that has ended. */
static void take_result(struct machine *m)
{
	struct attempt *a = &m->guest.attempt;

	if (a->state != ATTEMPT_SUCCEEDED && a->state != ATTEMPT_FAILED)
		return;
	health_answer(&m->guest.health, a->state == ATTEMPT_FAILED ? a->why : NULL, machine_now(m));
	attempt_free(a);
	handle_news(m);
}

static void begin_try(struct machine *m, const struct probe *probe)
{
	struct attempt_loop loop = { .wait = m->wait,
		.tag = MACHINE_TAG_GUEST,
		.end_tag = machine_helper_tag,
		.directory = document_directory(m->source->doc) };

	attempt_begin(&m->guest.attempt, probe, &loop, machine_now(m));
	note_command(m);
	take_result(m);
}

/* Handles the time limit of a try. */
static void end_late_try(struct machine *m)
{
	if (m->guest.attempt.state == ATTEMPT_KILLED)
		forget_command(m);
	attempt_late(&m->guest.attempt, machine_now(m));
	take_result(m);
}

void guest_deadline(struct machine *m)
{
	int64_t attempt = attempt_until_ms(&m->guest.attempt), now = machine_now(m);
	const struct probe *probe;

	if (m->guest.halt_ms > 0 && m->guest.halt_ms <= now) {
		poll_halt(m);
		return;
	}
	if (attempt >= 0 && attempt <= now) {
		end_late_try(m);
		return;
	}
	if (health_hears(&m->guest.health))
		read_console(m); /* what was printed in time counts */
	probe = health_due(&m->guest.health, now);
	if (probe != NULL)
		begin_try(m, probe);
	handle_news(m);
}

void guest_read(struct machine *m)
{
	attempt_read(&m->guest.attempt);
	take_result(m);
}

bool guest_command_ended(struct machine *m, pid_t pid)
{
	if (pid != m->guest.attempt.job.pid || pid == 0)
		return false;
	forget_command(m);
	attempt_command_ended(&m->guest.attempt);
	take_result(m);
	return true;
}

void guest_rest(struct machine *m)
{
	m->guest.halt_ms = 0;
	abandon_try(m);
	health_rest(&m->guest.health);
}

void guest_end(struct machine *m)
{
	m->guest.halt_ms = 0;
	abandon_try(m);
	health_end(&m->guest.health);
	free(m->guest.why);
	m->guest.why = NULL;
	m->guest.unfit = CAUSES;
}

void guest_free(struct machine *m)
{
	forget_command(m);
	attempt_free(&m->guest.attempt);
	guest_end(m);
	free(m->guest.pinned.cpus);
}

int guest_readiness(const struct machine *m)
{
	if (m->boot.spec == NULL || m->boot.spec->ready.kind == PROBE_NONE)
		return -1;
	return m->guest.health.is_ready ? 1 : 0;
}

int64_t guest_ready_within_ms(const struct machine *m)
{
	const struct health *h = &m->guest.health;
	int64_t left_ms;

	if (guest_readiness(m) != 0 || h->ready == NULL || h->rests || h->within_at_ms < 0)
		return 0;
	left_ms = h->within_at_ms - machine_now(m);
	return left_ms > 0 ? left_ms : 1;
}

void guest_note_start(struct machine *m)
{
	bool is_up = m->run.child.job.pid != 0 && !m->run.awaits_answer &&
	    (m->present.state == STATE_RUNNING || m->present.state == STATE_STOPPING);

	/* A guest that was ready may have ended since.  on_ready has ended, or waits. */
	if ((m->guest.was_ready || (is_up && guest_readiness(m) < 0)) &&
	    !calls_have_fresh(&m->calls, &hooks_ready))
		m->guest.started = true;
}
