/* Starts the loader and the hypervisor of a boot, and handles their exits. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/clock.h"
#include "platform/os.h"
#include "machine/machine_inside.h"
#include "machine/hypervisor.h"
#include "ledger/bootfiles.h"
#include "ledger/rundir.h"
#include "ledger/sockets.h"
#include "ledger/varfile.h"
#include "script/script.h"

#define MAX_LAST_READS 64     /* of the console, for what a guest printed before its end */
#define MAX_UNLOCKED_LOOKS 50 /* checks, 1 ms apart, whether the process is exiting */
/*
 * A wrapper that closes the lock does so early; after the second look there is no wake-up for it.
 */
#define FIRST_LOOK_MS 1000
#define SECOND_LOOK_MS 9000
/* A deadline that is noticed later than this means that vmrun itself was stopped. */
#define MAX_LATE_MS 1000

static int make_files(struct machine *m, struct error *err)
{
	const struct plan *plan = &m->boot.plan;
	int made;

	if (sockets_clear(&plan->sockets, err) != 0 || bootfiles_write(plan, err) != 0)
		return -1;
	if (plan->varfile == NULL)
		return 0;
	made = varfile_make(plan->varfile_template, plan->varfile, err);
	if (made > 0) {
		MEM_AUTO char *text =
		    mem_format("made %s from %s", plan->varfile, plan->varfile_template);

		machine_note(m, text);
	}
	return made < 0 ? -1 : 0;
}

/*
 * Kills a hypervisor that does not hold its lock although it runs, because a wrapper closed the
 * descriptor: should vmrun die, the next one could not know that the hypervisor runs.
 */
static void kill_unlocked(struct machine *m)
{
	for (int i = 0; i < MAX_UNLOCKED_LOOKS; i++) {
		if (process_has_ended(m->run.child.job.pid))
			return; /* the lock is free because the process has exited */
		clock_sleep(1);
	}
	MEM_AUTO char *text = mem_format(
	    "the hypervisor's command has closed descriptor %d, which tells the next vmrun that it "
	    "runs: killed (a prefix or a wrapper must leave descriptors open)",
	    LOCK_FD);

	machine_warn(m, text);
	m->run.gave_up = true;
	child_signal(&m->run.child, SIGKILL);
}

static struct next look_at_lock(struct machine *m)
{
	if (!ledger_vm_is_locked(m->host.ledger))
		kill_unlocked(m);
	else if (m->run.lock_looks++ == 0)
		return go(STATE_RUNNING, SECOND_LOOK_MS);
	return stay();
}

/*
 * Kills a hypervisor that does not answer on its control channel, as qemu does with a broken
 * helper.
 */
static struct next give_up_on_start(struct machine *m)
{
	/* vmrun was stopped as well, perhaps with its process group: the hypervisor had no time. */
	if (m->present.late_ms > MAX_LATE_MS)
		return go(STATE_RUNNING, MAX_ANSWER_MS);
	machine_warn(m, "the hypervisor does not answer, so vmrun killed it");
	m->run.gave_up = true;
	child_signal(&m->run.child, SIGKILL);
	return stay();
}

struct next hypervisor_late(struct machine *m)
{
	return m->run.awaits_answer ? give_up_on_start(m) : look_at_lock(m);
}

struct next hypervisor_up(struct machine *m)
{
	m->run.lock_looks = 0;
	hooks_foresee_exit(m);
	return go(STATE_RUNNING, FIRST_LOOK_MS);
}

/* Lends the signals that the program must reset; NULL: the start looks for them. */
static const sigset_t *find_signals(struct machine *m)
{
	/* A module in C may change any signal, at any time. */
	if (!m->options.keeps_signals || script_has_modules()) {
		m->run.knows_signals = false;
		return NULL;
	}
	if (!m->run.knows_signals)
		spawn_find_signals(&m->run.changed_signals);
	m->run.knows_signals = true;
	return &m->run.changed_signals;
}

/*
 * Starts the program with the descriptor of the lock, which vmrun closes: the program alone holds
 * the lock.
 */
static int start(struct machine *m, enum child_role role, int input, struct error *err)
{
	struct child_inputs inputs = { .console = input, .changed_signals = find_signals(m) };
	int rc;

	m->run.exec_status = 0;
	m->run.gave_up = false;
	if (ledger_lock_vm(m->host.ledger, &inputs.lock, err) != 0)
		return -1;
	rc = child_start(&m->run.child, &m->boot.plan, role, m->wait, &inputs, err);
	if (inputs.lock >= 0)
		(void)close(inputs.lock);
	if (rc == 0)
		ledger_note_hypervisor(m->host.ledger, m->run.child.job.pid);
	return rc;
}

static enum cause failure_of(enum child_role role, const struct error *err)
{
	if (err->status == STATUS_CHECK)
		return CAUSE_CHECK_FAILED;
	return role == CHILD_LOADER ? CAUSE_LOADER_FAILED : CAUSE_START_FAILED;
}

/* Handles a program that could not be started. */
static struct next fail_start(struct machine *m, enum child_role role, struct error *err)
{
	m->run.exec_status = err->status == STATUS_OS ? STATUS_FAULT : (int)err->status;
	history_add_failure(m, failure_of(role, err), err->text);
	/* Only a loader may have created a VM that has to be destroyed. */
	if (role == CHILD_HYPERVISOR && m->boot.plan.loading.argv.count > 0)
		return go(STATE_CLEANING, -1);
	return go(STATE_DECIDING, -1);
}

static void warn_of_pid(struct machine *m, struct error *err)
{
	if (!m->run.pidfile.told)
		machine_warn(m, err->text);
	m->run.pidfile.told = true;
}

/*
 * Writes the pid file.  A failure does not end the VM; it is reported once until a write succeeds.
 */
static void write_pid(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };

	if (pidfile_write(&m->run.pidfile, m->run.child.job.pid, &err) != 0)
		warn_of_pid(m, &err);
	else
		m->run.pidfile.told = false;
}

static void forget_pid(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };

	if (pidfile_write(&m->run.pidfile, 0, &err) != 0)
		warn_of_pid(m, &err);
}

/* Adds to the ledger what the hypervisor or its loader will create. */
static int expect_boot(struct machine *m, struct error *err)
{
	const struct plan *plan = &m->boot.plan;
	WORDS_AUTO struct words destroy = { 0 };

	plan->hyper->destroy_command(plan, &destroy);
	return ledger_expect_boot(m->host.ledger, &plan->sockets, &destroy, err);
}

/*
 * Starts post_start_script, and protects the hypervisor from the out-of-memory killer on request.
 */
static void start_script(struct machine *m)
{
	const struct words *script = &m->boot.spec->post_start_script;
	ERROR_AUTO struct error err = { 0 };

	if (m->boot.spec->protect && os_protect(m->run.child.job.pid) != 0)
		machine_warn(m, "protect: the system refuses this (is vmrun running as root?)");
	if (script->count == 0)
		return;
	if (helper_start(&m->run.script, script, HELPER_ALL, m->wait, MACHINE_TAG_SCRIPT,
		machine_helper_tag, &err) == 0)
		return;
	(void)error_prefix(&err, "post_start_script");
	machine_warn(m, err.text);
}

/* Adds the lines about this boot that the boot before did not have. */
static void add_new_lines(struct machine *m, struct event_record *r)
{
	const struct words *lines = &m->told.chosen.lines;
	STR_AUTO struct str text = { 0 };

	for (size_t i = 0; i < lines->count; i++) {
		if (!words_have(&m->told.lines, lines->item[i]))
			str_addf(&text, "%s%s", text.length > 0 ? "\n" : "", lines->item[i]);
	}
	event_text(r, text.text);
	words_free(&m->told.lines);
	words_append(&m->told.lines, lines);
}

/* Makes anew what users are told of the boot. */
static void tell_chosen(struct machine *m)
{
	MEM_AUTO char *usual = rundir_default();
	const char *directory = m->source->run_dir;

	chosen_clear(&m->told.chosen);
	chosen_make(&m->boot, strcmp(directory, usual) == 0 ? NULL : directory, &m->told.chosen);
}

void hypervisor_said(struct machine *m, const char *line)
{
	const struct hypervisor *hyper = m->boot.plan.hyper;
	size_t port;
	char *tty = hyper->terminal_made == NULL ? NULL : hyper->terminal_made(line, &port);

	if (tty == NULL)
		return;
	free(m->boot.spec->com_found[port]);
	m->boot.spec->com_found[port] = tty;
	tell_chosen(m);
}

static void say_spawned(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_SPAWNED);

	event_target(r, m->boot.target);
	event_argv(r, m->boot.plan.argv.item);
	event_devices(r, m->told.chosen.devices);
	add_new_lines(m, r);
	r->event.pid = (int)m->run.child.job.pid;
	r->event.console = m->boot.plan.uses_stdio;
	r->event.terminal = m->boot.plan.uses_stdio && isatty(m->options.console_input) != 0;
}

struct next hypervisor_spawn(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };

	if (m->options.simulation == NULL)
		guest_prepare(m);
	if (m->options.simulation != NULL) {
		event_target(event_add(m->events, VMRUN_SPAWNED), m->boot.target);
	} else if (start(m, CHILD_HYPERVISOR, m->options.console_input, &err) != 0) {
		return fail_start(m, CHILD_HYPERVISOR, &err);
	} else {
		write_pid(m);
		m->run.awaits_answer = m->boot.plan.has_control;
		say_spawned(m);
		start_script(m);
		guest_begin(m);
	}
	calls_boot_began(&m->calls, machine_boot_has_console(m), m->history.console_at);
	hooks_call(m, &hooks_started, m->boot.spec);
	if (m->options.simulation != NULL) {
		guest_begin_simulated(m);
		return stay();
	}
	return m->run.awaits_answer ? go(STATE_RUNNING, MAX_ANSWER_MS) : hypervisor_up(m);
}

static void say_loading(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_LOADING);

	event_target(r, m->boot.target);
	r->event.pid = (int)m->run.child.job.pid;
	r->event.console = child_uses_stdio(&m->run.child);
	event_argv(r, m->boot.plan.loading.argv.item);
}

/* Starts the loader with the commands of its file, or with the console, as its input. */
static int start_loader(struct machine *m, struct error *err)
{
	const struct loading *loading = &m->boot.plan.loading;
	int input, rc;

	if (loading->input == NULL)
		return start(m, CHILD_LOADER, m->options.console_input, err);
	input = open(loading->input_path, O_RDONLY | O_CLOEXEC);
	if (input < 0)
		return error_set(err, STATUS_OS, "%s: cannot read the loader's commands: %s",
		    loading->input_path, strerror(errno));
	rc = start(m, CHILD_LOADER, input, err);
	(void)close(input);
	return rc;
}

struct next hypervisor_load(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };

	if (m->options.simulation != NULL)
		return stay();
	if (start_loader(m, &err) != 0)
		return fail_start(m, CHILD_LOADER, &err);
	say_loading(m);
	return go(STATE_LOADING, m->boot.plan.loading.timeout_ms);
}

struct next hypervisor_start(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };

	m->requests.step = NULL;
	m->history.console_at = m->console.total;
	if (m->options.simulation != NULL) {
		m->history.boots++;
		return simulation_start(m);
	}
	if (make_files(m, &err) != 0 || expect_boot(m, &err) != 0)
		return machine_fail_files(m, &err);
	m->history.boots++;
	tell_chosen(m);
	return go(m->boot.plan.loading.argv.count > 0 ? STATE_LOADING : STATE_RUNNING, -1);
}

/* Reads the last words of the guest, which hooks may wait for. */
static void read_last_words(struct machine *m)
{
	for (int i = 0; i < MAX_LAST_READS && m->console.fd >= 0 && console_read(&m->console); i++)
		calls_console(&m->calls);
}

/* Ends what goes on beside a boot, then leads to the cleanup. */
static struct next clean_up(struct machine *m)
{
	guest_end(m);
	companions_end_boot(&m->companions);
	calls_boot_ended(&m->calls);
	calls_end_commands(&m->calls);
	return go(STATE_CLEANING, -1);
}

/* Records and reports the exit of a boot, then leads to the cleanup. */
static struct next end_boot(struct machine *m)
{
	read_last_words(m);
	history_find_end(m);
	m->history.ends++;
	if (m->requests.stop)
		m->history.outcome.cause = CAUSE_STOPPED;
	else if (m->requests.reboot_to != NULL)
		m->history.outcome.cause = CAUSE_REBOOT;
	else if (m->guest.unfit != CAUSES)
		m->history.outcome.cause = m->guest.unfit;
	history_say_end(m, NULL);
	history_add(m);
	return clean_up(m);
}

/* Leads to another start of the same boot: this one counts for no policy and no limit. */
static struct next lose_port(struct machine *m, const struct outcome *before)
{
	m->run.lost_ports++;
	m->run.starts_again = true;
	m->history.boots--;
	m->history.outcome.cause = CAUSE_START_FAILED;
	history_find_end(m);
	history_say_end(
	    m, "another program took the port of the screen, so vmrun starts the hypervisor again");
	m->history.is_unwritten = false; /* the history has no line for it */
	m->history.outcome = *before;
	return clean_up(m);
}

/* Reaps the child.  When that fails, the outcome is an error of this cause. */
static void finish(struct machine *m, enum cause cause)
{
	ERROR_AUTO struct error err = { 0 };

	m->history.uptime_ms = clock_ms() - m->run.child.started_ms;
	if (child_finish(&m->run.child, &m->history.outcome, &err) == 0)
		return;
	machine_warn(m, err.text);
	m->history.outcome = (struct outcome){ .cause = cause,
		.status = STATUS_FAULT,
		.failed_start = true,
		.text = hyper_status_text(STATUS_FAULT) };
}

/* Ends a boot whose loader failed; its VM is destroyed like any other. */
static struct next loading_failed(struct machine *m)
{
	if (m->run.gave_up) {
		MEM_AUTO char *late = mem_format("%s did not end within %g s: killed",
		    m->boot.plan.loading.argv.item[0],
		    (double)m->boot.plan.loading.timeout_ms / 1000);

		machine_warn(m, late);
	}
	return end_boot(m);
}

struct next hypervisor_loaded(struct machine *m)
{
	if (m->options.simulation != NULL) {
		simulation_exit(m);
		return end_boot(m);
	}
	finish(m, CAUSE_LOADER_FAILED);
	if (!m->requests.stop && m->history.outcome.status == 0 && m->history.outcome.signal == 0)
		return go(STATE_RUNNING, -1);
	return loading_failed(m);
}

struct next hypervisor_load_late(struct machine *m)
{
	m->run.gave_up = true;
	child_signal(&m->run.child, SIGKILL);
	return stay();
}

struct next hypervisor_load_stop(struct machine *m)
{
	machine_request_stop(m);
	child_signal(&m->run.child, SIGKILL); /* killing a loader loses no data */
	machine_note_step(m, STOP_KILL, SIGKILL);
	return stay();
}

/* The loader's status is not the hypervisor's. */
static struct next end_boot_of_guest(struct machine *m)
{
	const struct outcome *o = &m->history.outcome;

	m->history.guest_status = o->signal != 0 ? STATUS_SIGNAL_BASE + o->signal : o->status;
	return end_boot(m);
}

struct next hypervisor_exited(struct machine *m)
{
	const struct outcome before = m->history.outcome;

	if (m->options.simulation != NULL) {
		simulation_exit(m);
		return end_boot_of_guest(m);
	}
	finish(m, CAUSE_ERROR);
	m->run.has_just_ended = true;
	/* The prefix ran, but could not execute the hypervisor. */
	if (m->boot.plan.program > 0 && m->history.outcome.cause == CAUSE_START_FAILED &&
	    m->history.outcome.status >= STATUS_CANNOT_EXEC)
		m->run.exec_status = m->history.outcome.status;
	if (m->run.gave_up)
		m->history.outcome = (struct outcome){ .cause = CAUSE_START_FAILED,
			.status = STATUS_FAULT,
			.failed_start = true,
			.text = hyper_status_text(STATUS_FAULT) };
	helper_abandon(&m->run.script);
	helper_abandon(&m->helper); /* a command of the stop ladder has no use any more */
	forget_pid(m);
	ledger_remove_sockets(m->host.ledger);
	return prepare_lost_port(m) ? lose_port(m, &before) : end_boot_of_guest(m);
}

void hypervisor_script_ended(struct machine *m)
{
	const struct helper *h = &m->run.script;
	MEM_AUTO char *said = helper_trouble(h);
	MEM_AUTO char *status = *helper_output(h) != '\0' && h->status >= 0
	    ? mem_format(" (status %d)", h->status)
	    : mem_copy("");
	MEM_AUTO char *text = mem_format("post_start_script failed: %s%s", said, status);

	if (m->run.script.status != 0)
		machine_warn(m, text);
}
