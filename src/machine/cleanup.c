/*
 * Cleanup after an exit: destroys the VM that the hypervisor left in the kernel, with a time limit.
 */
#include "base/mem.h"
#include "platform/clock.h"
#include "machine/machine_inside.h"
#include "machine/cleanup.h"

#define MAX_CLEANUP_MS 10000 /* for the command, and until no process uses the VM any more */
#define LOOK_MS 20	     /* between two checks whether the VM has exited */

static bool is_left(const struct machine *m)
{
	WORDS_AUTO struct words command = { 0 };

	machine_destroy_command(m, &command);
	return command.count > 0;
}

/* Reports the end of the cleanup; left: the text about a VM that is still there, or NULL. */
static struct next end(struct machine *m, const char *left)
{
	struct event_record *r = event_add(m->events, VMRUN_CLEANED);

	event_target(r, m->boot.target);
	event_text(r, left);
	return machine_must_panic(m) ? machine_end(m, STATUS_OS) : go(STATE_DECIDING, -1);
}

/* Continues although the VM is still there, and warns because its memory stays in use. */
static struct next leave_it(struct machine *m, const char *why)
{
	WORDS_AUTO struct words command = { 0 };
	MEM_AUTO char *left = NULL;

	machine_destroy_command(m, &command);
	if (command.count > 0) {
		MEM_AUTO char *line = words_shell_line(&command);

		left = mem_format("`%s` %s: the VM and its memory are still there", line, why);
		machine_cleanup_failed(m, left);
	}
	return end(m, left);
}

struct next cleanup_begin(struct machine *m)
{
	WORDS_AUTO struct words command = { 0 };

	if (m->options.simulation == NULL)
		machine_destroy_command(m, &command);
	m->run.cleanup_until_ms = clock_ms() + MAX_CLEANUP_MS;
	if (command.count == 0)
		return end(m, NULL);
	if (!machine_start_helper(m, &command, HELPER_SILENT))
		return leave_it(m, "could not be started");
	return go(STATE_CLEANING, MAX_CLEANUP_MS);
}

struct next cleanup_helper_ended(struct machine *m)
{
	if (!is_left(m))
		return end(m, NULL);
	if (m->helper.status != 0) {
		MEM_AUTO char *why = mem_format("ended with status %d", m->helper.status);

		return leave_it(m, m->helper.status < 0 ? "was killed" : why);
	}
	if (clock_ms() < m->run.cleanup_until_ms)
		return go(STATE_CLEANING, LOOK_MS);
	return leave_it(m, "had no effect");
}

struct next cleanup_late(struct machine *m)
{
	if (m->helper.job.pid == 0)
		return cleanup_helper_ended(m);
	return machine_end_late_helper(m) ? leave_it(m, "does not end")
					  : go(STATE_CLEANING, MAX_KILL_MS);
}

struct next cleanup_stop(struct machine *m)
{
	machine_request_stop(m);
	m->history.outcome.cause = CAUSE_STOPPED;
	return stay();
}

struct next cleanup_reboot(struct machine *m)
{
	(void)m; /* decide.c reads the request after the cleanup */
	return stay();
}
