/* What happens from one boot to the next. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/os.h"
#include "machine/machine_inside.h"
#include "ledger/rundir.h"
#include "ledger/sockets.h"
#include "ledger/varfile.h"

#define UNLOCKED_LOOKS 50 /* for a process that exits, a millisecond each */
/* A wrapper that closes the lock has done so by then; there is no further wake-up for it. */
#define FIRST_LOOK_MS 1000
#define SECOND_LOOK_MS 9000

void boots_warn(struct machine *m, const char *text)
{
	event_text(event_add(m->events, VMRUN_WARNING), text);
}

void boots_end(struct machine *m, int status)
{
	m->exit_status = status;
	ending_begin(m);
}

void boots_ended(struct machine *m)
{
	/* What the guest printed last. */
	while (m->console.ours >= 0 && console_read(&m->console))
		;
	console_log_finish(&m->console.log);
	disklock_release(&m->locks);
	machine_enter(m, STATE_REPORTING, -1);
	asking_begin(m, &hooks_end, m->boot.spec);
}

void boots_farewell(struct machine *m)
{
	struct event_record *r;

	asking_end(m);
	pidfile_close(&m->pidfile);
	pidfile_close(&m->own_pidfile);
	if (m->left_alone)
		ledger_restore(m->ledger);
	else
		ledger_drop_pid_files(m->ledger);
	if (machine_must_panic(m))
		m->exit_status = STATUS_OS;
	machine_enter(m, STATE_ENDED, -1);
	r = event_add(m->events, VMRUN_ENDED);
	r->event.exit_status = m->exit_status;
	r->event.cause = cause_name(m->outcome.cause);
	r->event.cause_text = cause_text(m->outcome.cause);
}

void boots_stop_asking(struct machine *m)
{
	asking_abandon(m);
	m->stop_requested = true;
	m->outcome.cause = CAUSE_STOPPED;
	boots_end(m, STATUS_OK);
}

/* The boot failed before anything ran: an outcome like any other, for the policy to judge. */
static void record_failure(struct machine *m, enum cause cause, const char *text)
{
	struct event_record *r;

	m->ends++;
	memset(&m->outcome, 0, sizeof(m->outcome));
	m->outcome.cause = cause;
	m->outcome.status = -1;
	m->uptime_ms = 0;
	m->child.tail_length = strlen(text) < CHILD_TAIL ? strlen(text) : CHILD_TAIL;
	memcpy(m->child.tail, text, m->child.tail_length);
	m->child.tail[m->child.tail_length] = '\0';
	r = event_add(m->events, VMRUN_EXITED);
	event_target(r, m->boot.target);
	r->event.cause = cause_name(cause);
	r->event.cause_text = cause_text(cause);
	r->event.status = -1;
	event_text(r, text);
	exits_remember(m);
}

void boots_fail(struct machine *m, enum cause cause, const char *text)
{
	record_failure(m, cause, text);
	boots_over(m);
}

void boots_fail_with(struct machine *m, struct report *report)
{
	MEM_AUTO char *text = report_text(report);

	report_free(report);
	boots_fail(m, CAUSE_CHECK_FAILED, text);
}

/* What only we may read; written before each boot, gone at the end. */
static int write_files(const struct plan *plan, struct error *err)
{
	const struct loading *loading = &plan->loading;

	if (plan->secret != NULL && rundir_write(plan->secret_path, plan->secret, err) != 0)
		return -1;
	if (loading->map != NULL && rundir_write(loading->map_path, loading->map, err) != 0)
		return -1;
	return loading->input == NULL ? 0 : rundir_write(loading->input_path, loading->input, err);
}

static bool make_room(struct machine *m)
{
	const struct plan *plan = &m->boot.plan;
	struct error err = { 0 };
	int made = 0;

	if (sockets_clear(&plan->sockets, &err) == 0 && write_files(plan, &err) == 0 &&
	    (plan->copy_to == NULL ||
		(made = varfile_make(plan->copy_from, plan->copy_to, &err)) >= 0)) {
		if (made > 0) {
			MEM_AUTO char *text =
			    mem_format("made %s from %s", plan->copy_to, plan->copy_from);

			event_text(event_add(m->events, VMRUN_NOTE), text);
		}
		return true;
	}
	boots_fail(m, CAUSE_CHECK_FAILED, err.text);
	error_clear(&err);
	return false;
}

void boots_drafted(struct machine *m)
{
	struct event_record *r;

	deciding_foretell(m);
	r = event_add(m->events, VMRUN_STARTING);
	event_target(r, m->boot.target);
	for (size_t i = 0; i < m->boot.plan.notes.count; i++)
		event_text(event_add(m->events, VMRUN_NOTE), m->boot.plan.notes.item[i]);
	preparing_begin(m);
}

void boots_begin(struct machine *m)
{
	if (m->next_target == NULL)
		boots_drafted(m); /* the first one came prepared */
	else
		drafting_begin(m);
}

/*
 * The program runs, and could not be told from a dead one should vmrun die: a wrapper around it has
 * closed the descriptor of its lock.
 */
static void end_unlocked(struct machine *m)
{
	for (int i = 0; i < UNLOCKED_LOOKS; i++) {
		if (process_has_ended(m->child.pid))
			return; /* it held the lock, and has let go of it by its end */
		clock_sleep(1);
	}
	boots_warn(m,
	    "the hypervisor's command has closed descriptor 5, which tells the next vmrun that it "
	    "runs: killed (a wrapper must leave descriptors open)");
	m->gave_up = true;
	child_signal(&m->child, SIGKILL);
}

void boots_look_at_lock(struct machine *m)
{
	if (!ledger_vm_is_locked(m->ledger))
		end_unlocked(m);
	else if (m->lock_looks++ == 0)
		machine_enter(m, STATE_RUNNING, SECOND_LOOK_MS);
}

void boots_up(struct machine *m)
{
	m->lock_looks = 0;
	machine_enter(m, STATE_RUNNING, FIRST_LOOK_MS);
}

/* Starts the program with the lock, of which it alone has a descriptor then. */
static int start(struct machine *m, enum child_role role, int input, struct error *err)
{
	struct child_inputs inputs = { .console = input };
	int rc;

	if (ledger_lock_vm(m->ledger, &inputs.lock, err) != 0)
		return -1;
	rc = child_start(&m->child, &m->boot.plan, role, m->wait, &inputs, err);
	if (inputs.lock >= 0)
		(void)close(inputs.lock);
	if (rc == 0)
		ledger_note_hypervisor(m->ledger, m->child.pid);
	return rc;
}

static enum cause failure_of(enum child_role role, const struct error *err)
{
	if (err->status == STATUS_CHECK)
		return CAUSE_CHECK_FAILED;
	return role == CHILD_LOADER ? CAUSE_LOADER_FAILED : CAUSE_START_FAILED;
}

/* Runs a program of the plan; false when it cannot be, which has been dealt with. */
static bool run(struct machine *m, enum child_role role, int input)
{
	struct error err = { 0 };

	m->exec_status = 0;
	m->gave_up = false;
	if (start(m, role, input, &err) == 0)
		return true;
	m->exec_status = err.status == STATUS_OS ? STATUS_FAULT : (int)err.status;
	record_failure(m, failure_of(role, &err), err.text);
	error_clear(&err);
	/* What a loader made is ours to destroy; without one, nothing was made. */
	if (role == CHILD_HYPERVISOR && m->boot.plan.loading.argv.count > 0)
		cleaning_begin(m);
	else
		boots_over(m);
	return false;
}

static void warn_of_pid(struct machine *m, struct error *err)
{
	if (!m->pidfile.told)
		boots_warn(m, err->text);
	m->pidfile.told = true;
	error_clear(err);
}

/* A pid that cannot be written is no reason to end a VM, and is told once until it can be. */
static void write_pid(struct machine *m)
{
	struct error err = { 0 };

	if (pidfile_write(&m->pidfile, m->child.pid, &err) != 0)
		warn_of_pid(m, &err);
	else
		m->pidfile.told = false;
}

static void forget_pid(struct machine *m)
{
	struct error err = { 0 };

	if (pidfile_write(&m->pidfile, 0, &err) != 0)
		warn_of_pid(m, &err);
}

/* Writes down what the hypervisor, or its loader, is about to make. */
static bool expect_boot(struct machine *m)
{
	const struct plan *plan = &m->boot.plan;
	struct words destroy = { 0 };
	struct error err = { 0 };
	int rc;

	plan->hyper->destroyer(plan, &destroy);
	rc = ledger_expect_boot(m->ledger, &plan->sockets, &destroy, &err);
	words_free(&destroy);
	if (rc == 0)
		return true;
	boots_fail(m, CAUSE_CHECK_FAILED, err.text);
	error_clear(&err);
	return false;
}

static void spawn(struct machine *m)
{
	struct event_record *r;

	if (!run(m, CHILD_HYPERVISOR, m->options.console_input))
		return;
	write_pid(m);
	m->awaits_answer = m->boot.plan.has_control;
	boots_up(m);
	if (m->awaits_answer)
		machine_enter(m, STATE_RUNNING, ANSWER_MS);
	r = event_add(m->events, VMRUN_SPAWNED);
	event_target(r, m->boot.target);
	event_argv(r, m->boot.plan.argv.item);
	r->event.pid = (int)m->child.pid;
	r->event.console = m->boot.plan.uses_stdio;
	r->event.terminal = m->boot.plan.uses_stdio && isatty(m->options.console_input) != 0;
	beside_started(m);
	asking_begin(m, &hooks_started, m->boot.spec);
}

static struct event_record *say_loading(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_LOADING);

	event_target(r, m->boot.target);
	r->event.pid = (int)m->child.pid;
	r->event.console = child_uses_stdio(&m->child);
	return r;
}

static void load(struct machine *m)
{
	const struct loading *loading = &m->boot.plan.loading;
	int input = m->options.console_input;
	bool runs;

	if (loading->input != NULL)
		input = open(loading->input_path, O_RDONLY | O_CLOEXEC);
	runs = run(m, CHILD_LOADER, input);
	if (loading->input != NULL && input >= 0)
		(void)close(input);
	if (!runs)
		return;
	machine_enter(m, STATE_LOADING, loading->timeout_ms);
	event_argv(say_loading(m), loading->argv.item);
}

void boots_start(struct machine *m)
{
	if (m->simulation != NULL) {
		simulation_start(m);
		return;
	}
	if (!make_room(m) || !expect_boot(m))
		return;
	m->boots++;
	if (m->boot.plan.loading.argv.count > 0)
		load(m);
	else
		spawn(m);
}

/* A child of the boot has ended, and with it the boot: what is left of it is cleaned. */
void boots_say_exit(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_EXITED);

	m->ends++;
	if (m->stop_requested)
		m->outcome.cause = CAUSE_STOPPED;
	else if (m->reboot_to != NULL)
		m->outcome.cause = CAUSE_REBOOT;
	event_target(r, m->boot.target);
	event_text(r, m->child.tail);
	r->event.cause = cause_name(m->outcome.cause);
	r->event.cause_text = cause_text(m->outcome.cause);
	r->event.status = m->outcome.status;
	if (!cause_has_status(m->outcome.cause) || m->outcome.cause == CAUSE_ERROR)
		r->event.status_text = hyper_status_text(m->outcome.status);
	r->event.signal = m->outcome.signal;
	r->event.uptime_ms = m->uptime_ms;
	exits_remember(m);
	cleaning_begin(m);
}

/* The VM has no guest in it, and is destroyed like any other. */
static void loading_failed(struct machine *m)
{
	if (m->gave_up) {
		MEM_AUTO char *late = mem_format("%s did not end within %g s: killed",
		    m->boot.plan.loading.argv.item[0],
		    (double)m->boot.plan.loading.timeout_ms / 1000);

		boots_warn(m, late);
	}
	boots_say_exit(m);
}

void boots_loaded(struct machine *m)
{
	struct error err = { 0 };

	m->uptime_ms = clock_ms() - m->child.started_ms;
	if (child_finish(&m->child, &m->outcome, &err) != 0) {
		boots_warn(m, err.text);
		error_clear(&err);
		m->outcome = (struct outcome){ CAUSE_LOADER_FAILED, STATUS_FAULT, 0, true };
	}
	if (!m->stop_requested && m->outcome.status == 0 && m->outcome.signal == 0)
		spawn(m);
	else
		loading_failed(m);
}

void boots_exited(struct machine *m)
{
	struct error err = { 0 };

	m->uptime_ms = clock_ms() - m->child.started_ms;
	if (child_finish(&m->child, &m->outcome, &err) != 0) {
		boots_warn(m, err.text);
		error_clear(&err);
		m->outcome.cause = CAUSE_ERROR;
		m->outcome.status = STATUS_FAULT;
	}
	if (m->gave_up)
		m->outcome = (struct outcome){ CAUSE_START_FAILED, STATUS_FAULT, 0, true };
	asking_abandon(m); /* on_started has had its time */
	beside_stopped(m);
	forget_pid(m);
	ledger_remove_sockets(m->ledger);
	boots_say_exit(m);
}

void boots_over(struct machine *m)
{
	node_free(m->answer);
	m->answer = NULL;
	machine_enter(m, STATE_DECIDING, -1);
	asking_begin(m, &hooks_exit, m->boot.spec);
}

void boots_decide(struct machine *m)
{
	struct policy_question q = { .options = &m->options.policy,
		.spec = m->boot.spec,
		.target = m->boot.target,
		.outcome = &m->outcome,
		.automatic_boots = m->rate_limit.boots,
		.stop_requested = m->stop_requested,
		.reboot_to = m->reboot_to,
		.once = m->once_target,
		.answer = m->answer,
		.hook = m->answer_label,
		.was_given_up = m->was_given_up };

	decision_clear(&m->decision);
	policy_decide(&q, &m->decision);
	if (m->reboot_to == NULL) /* nobody counts what was asked for */
		deciding_limit(m, &m->decision);
	deciding_say(m, &m->decision);
	if (m->outcome.cause != CAUSE_GIVEN_UP) {
		boots_follow(m);
		return;
	}
	exits_remember(m);
	asking_begin(m, &hooks_given_up, m->boot.spec);
}

static int final_status(const struct machine *m)
{
	if (m->decision.status >= 0)
		return m->decision.status;
	/* What was wrong with a spec that never booted says more than that it failed. */
	if (m->outcome.cause == CAUSE_CHECK_FAILED && m->fault_status != 0)
		return m->fault_status;
	return policy_exit_status(&m->outcome, m->exec_status);
}

/* Requests hold for one boot. */
static void forget_requests(struct machine *m)
{
	free(m->reboot_to);
	free(m->once_target);
	m->reboot_to = m->once_target = NULL;
}

void boots_follow(struct machine *m)
{
	if (m->decision.boot) {
		forget_requests(m);
		free(m->next_target);
		m->next_target = mem_copy(m->decision.target);
		machine_enter(m, STATE_WAITING, m->decision.delay_ms);
	} else if (m->decision.wait) {
		machine_enter(m, STATE_GIVEN_UP, -1);
	} else {
		boots_end(m, final_status(m));
	}
}
