/* Destroying what a hypervisor left in the kernel, with a limit. */
#include <signal.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "machine/machine_inside.h"

#define LIMIT_MS 10000 /* for the command, and for the kernel's users of the VM to let go */
#define LOOK_MS 20     /* between two looks whether it is gone */

void cleaning_command(const struct machine *m, struct words *command)
{
	m->boot.plan.hyper->destroy(&m->boot.plan, command);
}

static bool is_left(const struct machine *m)
{
	struct words command = { 0 };
	bool left;

	cleaning_command(m, &command);
	left = command.count > 0;
	words_free(&command);
	return left;
}

/* left: what is still there, or NULL. */
static void end(struct machine *m, const char *left)
{
	struct event_record *r = event_add(m->events, VMRUN_CLEANED);

	event_target(r, m->boot.target);
	event_text(r, left);
	if (machine_must_panic(m))
		boots_end(m, STATUS_OS);
	else
		boots_over(m);
}

/* Goes on with something left behind: its memory stays taken, so it has to be said. */
static void leave_it(struct machine *m, const char *why)
{
	struct words command = { 0 };
	MEM_AUTO char *left = NULL;

	cleaning_command(m, &command);
	if (command.count > 0) {
		MEM_AUTO char *line = words_shell_line(&command);

		left = mem_format("`%s` %s: the VM and its memory are still there", line, why);
		machine_cleanup_failed(m, left);
	}
	words_free(&command);
	end(m, left);
}

void cleaning_begin(struct machine *m)
{
	struct words command = { 0 };
	bool started;

	if (m->simulation == NULL)
		cleaning_command(m, &command);
	started = command.count > 0 && machine_help(m, &command, HELPER_SILENT);
	words_free(&command);
	m->cleaning_until_ms = clock_ms() + LIMIT_MS;
	if (started)
		machine_enter(m, STATE_CLEANING, LIMIT_MS);
	else
		end(m, NULL);
}

void cleaning_helper_ended(struct machine *m)
{
	if (!is_left(m))
		end(m, NULL);
	else if (m->helper.status != 0) {
		MEM_AUTO char *why = mem_format("ended with status %d", m->helper.status);

		leave_it(m, m->helper.status < 0 ? "was killed" : why);
	} else if (clock_ms() < m->cleaning_until_ms)
		machine_enter(m, STATE_CLEANING, LOOK_MS);
	else
		leave_it(m, "had no effect");
}

void cleaning_deadline(struct machine *m)
{
	if (m->helper.pid == 0)
		cleaning_helper_ended(m);
	else if (machine_helper_late(m))
		leave_it(m, "does not end");
}
