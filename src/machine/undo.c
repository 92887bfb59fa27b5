/*
 * Undoes what the ledger lists, newest first: at the end of a run, and for a vmrun that died.  An
 * entry whose command fails stays in the ledger, and the next one is tried.
 */
#include <string.h>

#include "base/mem.h"
#include "platform/os.h"
#include "machine/machine_inside.h"

#define MAX_PROBE_BYTES 65536 /* of output */

void undo_begin(struct machine *m)
{
	m->host.undo.left = ledger_count(m->host.ledger);
	m->host.undo.probing = false;
}

static const struct ledger_thing *current(const struct machine *m)
{
	return ledger_at(m->host.ledger, m->host.undo.left - 1);
}

static void drop(struct machine *m)
{
	ledger_drop(m->host.ledger, current(m)->name);
	m->host.undo.left--;
}

static void leave_behind(struct machine *m, const char *why)
{
	const struct ledger_thing *thing = current(m);
	MEM_AUTO char *line = words_shell_line(&thing->undo);
	MEM_AUTO char *text = mem_format(
	    "%s is left behind: `%s`: %s (the next start tries again)", thing->name, line, why);

	machine_cleanup_failed(m, text);
	m->host.undo.left--;
}

static void drop_replaced(struct machine *m)
{
	MEM_AUTO char *text =
	    mem_format("%s is no longer the interface that vmrun created, so vmrun keeps it",
		current(m)->name);

	machine_note(m, text);
	drop(m);
}

/*
 * Starts the command for the present thing: the probe first for one that another program may have
 * made.
 */
static bool start_current(struct machine *m, struct error *err)
{
	m->host.undo.probing = current(m)->unsure;
	return machine_start_change(
		   m, current(m)->unsure ? &current(m)->probe : &current(m)->undo, err) == 0;
}

bool undo_next(struct machine *m)
{
	while (m->host.undo.left > 0) {
		ERROR_AUTO struct error err = { 0 };

		if (ledger_thing_is_replaced(current(m))) {
			drop_replaced(m);
			continue;
		}
		if (start_current(m, &err))
			return true;
		leave_behind(m, err.text);
	}
	return false;
}

/* Returns whether the probe has said something: it was not killed, and all of it was read. */
static bool has_answer(const struct machine *m)
{
	return m->helper.status >= 0 && helper_read_error(&m->helper) == 0;
}

/* Returns whether the probe found the thing.  If it does not say, the entry stays. */
static bool is_there(const struct machine *m)
{
	const char *output = helper_output(&m->helper);

	if (!has_answer(m))
		return true;
	return m->helper.status == 0 && strstr(output, current(m)->sign) != NULL;
}

/*
 * Handles the probe of a thing that another program may have made.  Returns true if the command
 * that undoes it runs.
 */
static bool probed_first(struct machine *m)
{
	ERROR_AUTO struct error err = { 0 };
	bool there = is_there(m);

	m->host.undo.probing = false;
	if (!there) {
		drop(m); /* it was not made */
		return false;
	}
	if (has_answer(m) && machine_start_change(m, &current(m)->undo, &err) == 0)
		return true;
	if (err.text == NULL && helper_read_error(&m->helper) != 0)
		(void)error_set(&err, STATUS_OS, "the output of its probe cannot be read: %s",
		    strerror(helper_read_error(&m->helper)));
	leave_behind(m, err.text != NULL ? err.text : "its probe does not end");
	return false;
}

static void probed(struct machine *m)
{
	MEM_AUTO char *why = m->host.undo.why;

	m->host.undo.probing = false;
	m->host.undo.why = NULL;
	if (is_there(m)) {
		leave_behind(m, why);
	} else {
		MEM_AUTO char *text = mem_format("%s no longer exists", current(m)->name);

		machine_note(m, text);
		drop(m);
	}
}

/*
 * Returns whether an interface in a ledger of vmrun 0.1, which has no probe, is gone.  Returns
 * false for a PCI device, "pci0:3:0:0", which cannot be looked up.
 */
static bool is_interface_gone(const struct ledger_thing *thing)
{
	return thing->probe.count == 0 && strchr(thing->name, ':') == NULL &&
	    os_interface_index(thing->name) == 0;
}

/* Looks whether a thing is still there after its command failed; returns true while it does. */
static bool probe(struct machine *m)
{
	const struct ledger_thing *thing = current(m);
	MEM_AUTO char *why = helper_trouble(&m->helper);

	if (thing->probe.count > 0 && machine_start_change(m, &thing->probe, NULL) == 0) {
		m->host.undo.probing = true;
		m->host.undo.why = why;
		why = NULL;
		return true;
	}
	if (is_interface_gone(thing))
		drop(m);
	else
		leave_behind(m, why);
	return false;
}

bool undo_command_ended(struct machine *m)
{
	if (m->host.undo.probing && m->host.undo.why == NULL) {
		if (probed_first(m))
			return true;
	} else if (m->host.undo.probing) {
		probed(m);
	} else if (m->helper.status == 0) {
		if (m->present.state == STATE_RECOVERING) {
			MEM_AUTO char *line = words_shell_line(&current(m)->undo);
			MEM_AUTO char *text = mem_format("released: %s", line);

			machine_note(m, text);
		}
		drop(m);
	} else if (probe(m)) {
		return true;
	}
	return undo_next(m);
}

void undo_end(struct machine *m)
{
	MEM_AUTO char *left = NULL;

	ledger_forget_dead_processes(m->host.ledger);
	left = ledger_clear_boot(m->host.ledger);
	if (left != NULL) {
		MEM_AUTO char *text =
		    mem_format("%s is left behind (the next start tries again)", left);

		machine_cleanup_failed(m, text);
	}
}

static int run_now(const struct machine *m, const struct words *words, char **output)
{
	struct command what = { .argv = words->item,
		.limit_ms = MAX_UNDO_MS,
		.max_output = MAX_PROBE_BYTES,
		.lock_file = ledger_changes_file(m->host.ledger) };
	struct command_result result;
	int status = -1;

	*output = NULL;
	if (words->count > 0 && command_run(&what, &result, NULL) == 0) {
		if (result.fate == COMMAND_ENDED)
			status = result.end.status;
		*output = mem_copy(result.out);
		command_clear(&result);
	}
	return status;
}

/* Returns whether the probe has shown that the thing is not there. */
static bool is_absent(const struct machine *m, const struct ledger_thing *thing)
{
	MEM_AUTO char *probed = NULL;
	int status = run_now(m, &thing->probe, &probed);

	return status > 0 || (status == 0 && strstr(probed, thing->sign) == NULL);
}

static bool undo_thing(const struct machine *m, const struct ledger_thing *thing)
{
	MEM_AUTO char *output = NULL;

	if (ledger_thing_is_replaced(thing) || (thing->unsure && is_absent(m, thing)))
		return true;
	return run_now(m, &thing->undo, &output) == 0 || is_absent(m, thing);
}

void undo_now(struct machine *m)
{
	WORDS_AUTO struct words destroy = { 0 };
	MEM_AUTO char *output = NULL;

	if (m->history.boots > 0 && m->options.simulation == NULL)
		machine_destroy_command(m, &destroy);
	(void)run_now(m, &destroy, &output);
	for (size_t i = ledger_count(m->host.ledger); i > 0; i--) {
		const struct ledger_thing *thing = ledger_at(m->host.ledger, i - 1);

		if (undo_thing(m, thing))
			ledger_drop(m->host.ledger, thing->name);
	}
}

void undo_close(struct machine *m)
{
	if (m->host.ledger == NULL)
		return;
	if (!m->host.left_alone && m->present.state != STATE_ENDED &&
	    m->present.state != STATE_RECOVERING && m->present.state != STATE_NEW) {
		undo_now(m);
		undo_end(m);
		ledger_drop_pid_files(m->host.ledger);
	} else if (m->present.state == STATE_RECOVERING || m->present.state == STATE_NEW) {
		ledger_restore(m->host.ledger);
	}
	ledger_close(m->host.ledger);
}
