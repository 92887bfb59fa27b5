/*
 * Cleans up after a vmrun of this name that died: undoes what its ledger lists, and nothing else.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "platform/os.h"
#include "machine/machine_inside.h"
#include "machine/recovery.h"

#define LOOK_MS 50 /* between two checks of what the dead vmrun left */
/* A hypervisor gets SIGTERM when its vmrun dies; the guest then needs time to shut down. */
#define MAX_SHUTDOWN_MS 10000
#define MAX_POWEROFF_MS 10000
#define MAX_DESTROY_MS 10000
#define MAX_CHANGE_MS 10000 /* for a command that the dead vmrun had started */

static bool processes_run(const struct machine *m)
{
	const struct ledger_process *p;

	for (size_t i = 0; (p = ledger_process_at(m->host.ledger, i)) != NULL; i++) {
		if (ledger_process_runs(p))
			return true;
	}
	return false;
}

static void signal_processes(const struct machine *m, int signal)
{
	const struct ledger_process *p;

	for (size_t i = 0; (p = ledger_process_at(m->host.ledger, i)) != NULL; i++)
		ledger_signal_process(p, signal);
}

static struct next look_later(void)
{
	return go(STATE_RECOVERING, LOOK_MS);
}

/* Ends without undoing anything; the ledger stays for the next start. */
static struct next leave(struct machine *m, enum cause cause, int status)
{
	m->host.left_alone = true;
	m->history.outcome.cause = cause;
	m->end.status = status;
	return go(STATE_ENDED, -1);
}

static struct next refuse(struct machine *m, pid_t pid)
{
	MEM_AUTO char *text = NULL;

	if (pid == 0)
		text = mem_format("its hypervisor, or a program that this has started, still runs, "
				  "and its pid is not known: end the process that holds %s/vm open "
				  "(fuser, fstat)",
		    m->options.directory);
	else
		text = mem_format(
		    "its hypervisor still runs as pid %ld, left by a vmrun that died (pid %ld): "
		    "stop the guest, or run vmrun with --force",
		    (long)pid, (long)ledger_previous_supervisor(m->host.ledger));
	machine_warn(m, text);
	return leave(m, CAUSE_CHECK_FAILED, STATUS_BUSY);
}

/* Takes the step poweroff of the stop ladder; the control channel for acpi is gone. */
static void power_off(struct machine *m, pid_t pid)
{
	struct plan plan = { .hyper = m->source->hyper, .vm = mem_copy(m->events->vm) };
	struct stop_method method = { 0 };

	plan.hyper->stop_method(&plan, STOP_POWEROFF, &method);
	if (method.helper.count > 0)
		(void)machine_start_helper(m, &method.helper, HELPER_SILENT);
	else
		(void)kill(pid, method.signal != 0 ? method.signal : SIGTERM);
	words_free(&method.helper);
	free(plan.vm);
}

/* Takes the next step against a hypervisor that still runs, if --force allows it. */
static struct next end_hypervisor(struct machine *m, pid_t pid)
{
	struct recovery *r = &m->recovery;
	int64_t now = machine_now(m);

	if (!m->options.force || pid == 0 || r->step == RECOVER_KILL)
		return refuse(m, pid);
	if (r->step == RECOVER_WAIT) {
		r->step = RECOVER_POWEROFF;
		r->until_ms = now + MAX_POWEROFF_MS;
		power_off(m, pid);
	} else {
		r->step = RECOVER_KILL;
		r->until_ms = now + MAX_KILL_HYPERVISOR_MS;
		(void)kill(pid, SIGKILL);
	}
	return look_later();
}

/*
 * Sends SIGTERM to companions, only after the hypervisor has ended: a guest needs them while it
 * runs.
 */
static void terminate_processes(struct machine *m)
{
	m->recovery.sigterm_sent = true;
	m->recovery.until_ms = machine_now(m) + MAX_SHUTDOWN_MS;
	signal_processes(m, SIGTERM);
}

static struct next destroy(struct machine *m);

static void note_change(struct machine *m, pid_t pid)
{
	MEM_AUTO char *as = pid == 0 ? mem_copy("") : mem_format(" (pid %ld)", (long)pid);
	MEM_AUTO char *text =
	    mem_format("waiting for a command of the previous vmrun%s to exit", as);

	machine_note(m, text);
}

/*
 * Waits for a command that the dead vmrun had started and that still changes the host: to undo a
 * thing beside it would leave the thing half made.  Kills it at its limit.
 */
static struct next wait_for_change(struct machine *m)
{
	struct recovery *r = &m->recovery;
	int64_t now = machine_now(m);
	pid_t pid;

	if (!ledger_change_runs(m->host.ledger, &pid))
		return destroy(m);
	if (r->step < RECOVER_CHANGE) {
		r->step = RECOVER_CHANGE;
		r->until_ms = now + MAX_CHANGE_MS;
		note_change(m, pid);
	}
	if (now < r->until_ms)
		return look_later();
	if (r->change_killed || pid == 0) {
		machine_cleanup_failed(
		    m, "a command of the previous vmrun still runs and may change the host");
		return destroy(m);
	}
	r->change_killed = true;
	r->until_ms = now + MAX_KILL_MS;
	(void)kill(-pid, SIGKILL); /* with programs that it started, as job_kill() does */
	(void)kill(pid, SIGKILL);
	return look_later();
}

/* Waits until all processes are gone, or gives up on them. */
static struct next wait_for_processes(struct machine *m)
{
	struct recovery *r = &m->recovery;
	int64_t now = machine_now(m);
	pid_t pid;
	bool runs = ledger_hypervisor_runs(m->host.ledger, &pid);

	if (!runs && !r->sigterm_sent)
		terminate_processes(m);
	if (!runs && !processes_run(m))
		return wait_for_change(m);
	if (now < r->until_ms)
		return look_later();
	if (runs)
		return end_hypervisor(m, pid);
	if (r->sigkill_sent) {
		machine_cleanup_failed(m,
		    "vmrun cannot kill a companion of the previous vmrun (the next start tries "
		    "again)");
		return wait_for_change(m);
	}
	r->sigkill_sent = true;
	signal_processes(m, SIGKILL);
	r->until_ms = now + MAX_KILL_HYPERVISOR_MS;
	return look_later();
}

static struct next finish(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };

	helper_abandon(&m->helper); /* the command that powered the hypervisor off */
	if (ledger_remove_pid_files(m->host.ledger, &m->host.pid_files, &err) != 0) {
		MEM_AUTO char *text = mem_format("%s (the next start tries again)", err.text);

		machine_cleanup_failed(m, text);
	}
	undo_end(m);
	if (machine_must_panic(m))
		return leave(m, CAUSE_CHECK_FAILED, STATUS_OS);
	ledger_end_recovery(m->host.ledger);
	return go(STATE_WAITING, 0);
}

static struct next wait_or_finish(struct machine *m, bool waits)
{
	return waits ? go(STATE_RECOVERING, MAX_UNDO_MS) : finish(m);
}

static struct next undo(struct machine *m)
{
	m->recovery.step = RECOVER_UNDO;
	undo_begin(m);
	return wait_or_finish(m, undo_next(m));
}

/* Destroys the VM's entry in /dev/vmm; continues when that fails. */
static struct next destroy(struct machine *m)
{
	const struct words *command = ledger_destroy_command(m->host.ledger);
	struct recovery *r = &m->recovery;

	r->step = RECOVER_DESTROY;
	if (command->count == 0 || !os_vm_exists(m->events->vm))
		return undo(m);
	if (!r->destroyed) {
		r->destroyed = true;
		r->until_ms = machine_now(m) + MAX_DESTROY_MS;
		if (machine_start_helper(m, command, HELPER_SILENT))
			return go(STATE_RECOVERING, MAX_DESTROY_MS);
	}
	if (machine_now(m) < r->until_ms)
		return look_later();
	machine_cleanup_failed(
	    m, "vmrun cannot destroy the VM that the previous vmrun left in /dev/vmm");
	return undo(m);
}

static struct next look(struct machine *m)
{
	if (m->recovery.step < RECOVER_CHANGE)
		return wait_for_processes(m);
	return m->recovery.step == RECOVER_CHANGE ? wait_for_change(m) : destroy(m);
}

struct next recovery_begin(struct machine *m)
{
	pid_t dead = ledger_previous_supervisor(m->host.ledger);
	MEM_AUTO char *text = dead == 0
	    ? mem_format("waiting for the end of the process that holds %s/vm open: a "
			 "hypervisor that no ledger lists, or a program that one has started",
		  m->options.directory)
	    : mem_format("cleaning up after a previous vmrun that died (pid %ld)", (long)dead);

	machine_note(m, text);
	m->recovery = (struct recovery){ .until_ms = machine_now(m) + MAX_SHUTDOWN_MS };
	return look(m);
}

struct next recovery_helper_ended(struct machine *m)
{
	if (m->recovery.step == RECOVER_UNDO)
		return wait_or_finish(m, undo_command_ended(m));
	return look(m);
}

struct next recovery_late(struct machine *m)
{
	/* The command that powers the hypervisor off is not waited for. */
	if (m->helper.job.pid == 0 || m->recovery.step < RECOVER_DESTROY)
		return look(m);
	if (!machine_end_late_helper(m))
		return go(STATE_RECOVERING, MAX_KILL_MS);
	return recovery_helper_ended(m);
}

struct next recovery_stop(struct machine *m)
{
	helper_abandon(&m->helper);
	m->requests.stop = true;
	return leave(m, CAUSE_STOPPED, STATUS_OK);
}
