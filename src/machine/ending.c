/* The end of a supervision: companions end, then what was taken from the host is given back. */
#include <signal.h>

#include "machine/machine_inside.h"

#define COMPANION_MS 5000 /* for companions to heed a SIGTERM */
#define KILLED_MS 1000

static void finish(struct machine *m)
{
	undoing_end(m);
	boots_ended(m);
}

static void wait_or_finish(struct machine *m, bool waits)
{
	if (waits)
		machine_enter(m, STATE_ENDING, UNDOING_MS);
	else
		finish(m);
}

static void undo(struct machine *m)
{
	undoing_begin(m);
	wait_or_finish(m, undoing_next(m));
}

void ending_begin(struct machine *m)
{
	m->companions_killed = false;
	if (companions_signal(&m->companions, SIGTERM) > 0)
		machine_enter(m, STATE_ENDING, COMPANION_MS);
	else
		undo(m);
}

void ending_go_on(struct machine *m)
{
	wait_or_finish(m, undoing_go_on(m));
}

void ending_companion_gone(struct machine *m)
{
	if (companions_running(&m->companions) == 0 && m->helper.pid == 0)
		undo(m);
}

/* They had their time. */
static void end_companions(struct machine *m)
{
	if (!m->companions_killed) {
		m->companions_killed = true;
		(void)companions_signal(&m->companions, SIGKILL);
		machine_enter(m, STATE_ENDING, KILLED_MS);
		return;
	}
	machine_cleanup_failed(m, "a companion does not die (the next start tries again)");
	companions_forget(&m->companions);
	undo(m);
}

void ending_late(struct machine *m)
{
	if (m->helper.pid == 0) {
		end_companions(m);
	} else if (machine_helper_late(m)) {
		m->helper.status = -1;
		ending_go_on(m);
	}
}
