/* Ends a supervision: stops companions, undoes what the ledger lists, calls on_end. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/rundir.h"
#include "platform/clock.h"
#include "machine/machine_inside.h"
#include "machine/ending.h"

#define COMPANION_LOOK_MS 20 /* between two looks at what companions have left */

static struct next wait_or_finish(struct machine *m, bool waits)
{
	if (waits)
		return go(STATE_ENDING, MAX_UNDO_MS);
	undo_end(m);
	return go(STATE_REPORTING, -1);
}

static struct next undo(struct machine *m)
{
	undo_begin(m);
	return wait_or_finish(m, undo_next(m));
}

/*
 * Waits for companions, for that long if all that run tell of their end, and else until it has
 * looked again.
 */
static struct next wait_for_companions(struct machine *m, int64_t ms)
{
	m->end.looks = companions_linger(&m->companions);
	return go(STATE_ENDING, m->end.looks ? COMPANION_LOOK_MS : ms);
}

/* Sends a signal to the companions, and gives them that long to end. */
static struct next end_within(struct machine *m, int signal, int64_t ms)
{
	m->end.until_ms = clock_ms() + ms;
	if (companions_signal(&m->companions, signal) > 0)
		return wait_for_companions(m, ms);
	return undo(m);
}

struct next ending_begin(struct machine *m)
{
	m->end.companions_killed = false;
	calls_abandon(&m->calls);
	history_note_boot(m, "stop", NULL, m->requests.stop ? "the stop request" : NULL);
	history_flush(m);
	return end_within(m, SIGTERM, MAX_COMPANIONS_MS);
}

struct next ending_helper_ended(struct machine *m)
{
	return wait_or_finish(m, undo_command_ended(m));
}

struct next ending_companion_gone(struct machine *m)
{
	if (m->helper.job.pid != 0)
		return stay();
	if (companions_running(&m->companions) == 0)
		return undo(m);
	return companions_linger(&m->companions) ? wait_for_companions(m, -1) : stay();
}

/* Kills the companions that ignored SIGTERM, and gives up on those that survive that. */
static struct next end_companions(struct machine *m)
{
	if (companions_running(&m->companions) == 0)
		return undo(m);
	if (m->end.looks && clock_ms() < m->end.until_ms)
		return wait_for_companions(m, m->end.until_ms - clock_ms());
	if (!m->end.companions_killed) {
		m->end.companions_killed = true;
		return end_within(m, SIGKILL, MAX_KILL_MS);
	}
	/* Zombies stay in a group on a system without a process that reaps orphans. */
	if (companions_unreaped(&m->companions))
		machine_cleanup_failed(
		    m, "vmrun cannot kill a companion (the next start tries again)");
	companions_forget(&m->companions);
	return undo(m);
}

struct next ending_late(struct machine *m)
{
	if (m->helper.job.pid == 0)
		return end_companions(m);
	if (!machine_end_late_helper(m))
		return go(STATE_ENDING, MAX_KILL_MS);
	return ending_helper_ended(m);
}

struct next ending_report(struct machine *m)
{
	/* The guest's last output may still be in the terminal. */
	while (m->console.fd >= 0 && console_read(&m->console))
		;
	console_log_finish(&m->console.log);
	disklock_release(&m->host.locks);
	namelock_close(&m->host.names);
	hooks_call(m, &hooks_end, m->boot.spec);
	return stay();
}

struct next ending_hook_ended(struct machine *m)
{
	if (!calls_have_commands(&m->calls))
		return go(STATE_ENDED, -1);
	calls_limit_commands(&m->calls);
	return stay();
}

/* Ends at once on request, with on_end and the commands in the background. */
struct next ending_hurry(struct machine *m)
{
	(void)m; /* ending_farewell() ends them */
	return go(STATE_ENDED, -1);
}

/* Returns whether the file is gone. */
static bool remove_pid_file(struct machine *m, struct pidfile *p)
{
	MEM_AUTO char *path = p->path == NULL ? NULL : mem_copy(p->path);
	MEM_AUTO char *text = NULL;

	if (pidfile_close(p) == 0)
		return true;
	text =
	    mem_format("%s is left behind: %s (the next start tries again)", path, strerror(errno));
	machine_cleanup_failed(m, text);
	return false;
}

/* The hypervisor has ended: a program that holds its lock was started by its command. */
static void warn_of_lock(struct machine *m)
{
	MEM_AUTO char *text = NULL;
	pid_t pid;

	if (m->host.left_alone || !ledger_hypervisor_runs(m->host.ledger, &pid) || pid != 0)
		return;
	text = mem_format("a program that the hypervisor or its prefix has started still runs and "
			  "holds %s/vm open (fuser or fstat names it): the next start waits for it",
	    m->options.directory);
	machine_cleanup_failed(m, text);
}

/* Removes the files of this run; what stays is named, because no later warning would be seen. */
static void remove_files(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };
	bool gone = remove_pid_file(m, &m->run.pidfile);

	warn_of_lock(m);
	gone = remove_pid_file(m, &m->host.own_pidfile) && gone;
	if (m->options.directory != NULL && rundir_clear(m->options.directory, &err) != 0)
		machine_cleanup_failed(m, err.text);
	error_clear(&err);
	if (m->host.left_alone)
		ledger_restore(m->host.ledger);
	else if (gone)
		ledger_drop_pid_files(m->host.ledger);
	if (!m->host.left_alone && ledger_remove_file(m->host.ledger, &err) != 0)
		machine_cleanup_failed(m, err.text);
}

struct next ending_farewell(struct machine *m)
{
	struct event_record *r;

	calls_close(&m->calls);
	remove_files(m);
	if (m->requests.status >= 0)
		m->end.status = m->requests.status;
	if (machine_must_panic(m))
		m->end.status = STATUS_OS;
	if (m->options.simulation != NULL)
		simulation_say_rest(m);
	history_write_end(m, NULL); /* may warn, and the next event is the last one */
	r = event_add(m->events, VMRUN_ENDED);
	r->event.exit_status = m->end.status;
	machine_event_cause(r, m->history.outcome.cause);
	return stay();
}
