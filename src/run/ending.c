/* The end of a supervision: what was taken from the host is given back, newest first. */
#include <signal.h>

#include "base/mem.h"
#include "platform/command.h"
#include "run/machine_state.h"

#define GIVE_BACK_MS 10000
#define COMPANION_MS 5000 /* for companions to heed a SIGTERM */
#define KILLED_MS 1000

/* What cannot be given back is said and left: the next thing may be. */
static void leave_it(struct machine *m, const char *why)
{
	const struct taken_thing *thing = taken_last(&m->taken);
	MEM_AUTO char *line = words_shell_line(&thing->undo);
	MEM_AUTO char *text = mem_format("%s is left behind: `%s` %s", thing->name, line, why);

	boots_warn(m, text);
}

void ending_begin(struct machine *m)
{
	const struct taken_thing *thing;

	m->companions_killed = false;
	if (companions_signal(&m->companions, SIGTERM) > 0) {
		machine_enter(m, STATE_ENDING, COMPANION_MS);
		return;
	}
	while ((thing = taken_last(&m->taken)) != NULL) {
		if (machine_help(m, &thing->undo, HELPER_ALL)) {
			machine_enter(m, STATE_ENDING, GIVE_BACK_MS);
			return;
		}
		leave_it(m, "cannot be run");
		taken_drop_last(&m->taken);
	}
	boots_ended(m);
}

void ending_go_on(struct machine *m)
{
	if (m->helper.status != 0) {
		MEM_AUTO char *said = helper_words(&m->helper);

		leave_it(m, said);
	}
	taken_drop_last(&m->taken);
	record_update(m);
	ending_begin(m);
}

void ending_companion_gone(struct machine *m)
{
	if (companions_running(&m->companions) == 0 && m->helper.pid == 0)
		ending_begin(m);
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
	boots_warn(m, "a companion does not die: left alone");
	companions_forget(&m->companions);
	ending_begin(m);
}

void ending_late(struct machine *m)
{
	if (m->helper.pid == 0)
		end_companions(m);
	else if (machine_helper_late(m)) {
		leave_it(m, "does not end");
		taken_drop_last(&m->taken);
		ending_begin(m);
	}
}

static void run_now(const struct words *words)
{
	struct command what = { .argv = words->item, .limit_ms = GIVE_BACK_MS, .most = 65536 };
	struct command_result result;
	struct error ignored = { 0 };

	if (command_run(&what, &result, &ignored) == 0)
		command_clear(&result);
	error_clear(&ignored);
}

void ending_now(struct machine *m)
{
	const struct taken_thing *thing;
	struct words destroy = { 0 };

	if (m->boots > 0 && m->simulation == NULL)
		cleaning_command(m, &destroy);
	if (destroy.count > 0)
		run_now(&destroy);
	words_free(&destroy);
	for (; (thing = taken_last(&m->taken)) != NULL; taken_drop_last(&m->taken))
		run_now(&thing->undo);
}
