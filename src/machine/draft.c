/*
 * Prepares a boot from the name of its target: merges the document, asks on_prepare, makes the
 * plan.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "machine/draft.h"

static void take_draft(struct machine *m)
{
	prepare_clear(&m->preparation); /* it refers to the devices of the previous boot */
	boot_clear(&m->boot);
	m->boot = m->draft.boot;
	memset(&m->draft.boot, 0, sizeof(m->draft.boot));
}

/*
 * Finds the policy for a boot that could not be prepared: the target's as the document has it, or
 * the last boot's when the document is broken, too.
 */
static bool find_policy(struct machine *m)
{
	struct boot_facts facts = { .boots = m->history.boots };
	struct report ignored = { 0 };

	if (boot_draft(m->source, m->choice.next_target, &facts, &m->draft.boot, &ignored) == 0 &&
	    boot_finish(m->source, &m->draft.boot, &ignored) == 0)
		take_draft(m);
	boot_clear(&m->draft.boot);
	report_free(&ignored);
	return m->boot.spec != NULL;
}

/* Turns a draft that failed into an outcome for the policy. */
static struct next fail(struct machine *m)
{
	boot_clear(&m->draft.boot);
	if (m->history.boots == 0)
		m->draft.fault_status = (int)m->draft.faults.status;
	if (!find_policy(m)) {
		MEM_AUTO char *text = report_text(&m->draft.faults);

		machine_warn(m, text);
		report_free(&m->draft.faults);
		m->history.outcome.cause = CAUSE_CHECK_FAILED;
		return machine_end(m, m->draft.fault_status);
	}
	free(m->boot.target);
	m->boot.target = mem_copy(m->choice.next_target);
	m->boot.is_kept = false;
	return machine_fail_with(m, &m->draft.faults);
}

void machine_reload(struct machine *m, struct boot_source *fresh)
{
	if (m->draft.fresh != NULL) {
		boot_source_clear(m->draft.fresh);
		free(m->draft.fresh);
	}
	m->draft.fresh = fresh;
}

/*
 * Replaces the source by the reloaded one.  Safe between two boots only: no hook call is waiting,
 * and nothing else points into the old document.
 */
static void renew_source(struct machine *m)
{
	if (m->draft.fresh == NULL)
		return;
	boot_source_clear(m->source);
	*m->source = *m->draft.fresh;
	free(m->draft.fresh);
	m->draft.fresh = NULL;
}

struct next draft_or_prepare(struct machine *m)
{
	/* The first boot may come prepared. */
	return go(m->choice.next_target == NULL ? STATE_PREPARING : STATE_DRAFTING, -1);
}

/*
 * Each end of a hypervisor leads to one boot at most in the same turn of the loop: requests and
 * signals are served between any two, and boots that cannot start hold nothing up.
 */
struct next draft_or_wait(struct machine *m)
{
	bool at_once = m->run.has_just_ended && m->choice.decision.delay_ms == 0;

	m->run.has_just_ended = false;
	return at_once ? draft_or_prepare(m) : stay();
}

bool draft_boots_again(struct machine *m)
{
	return m->draft.fresh == NULL && m->boot.target != NULL &&
	    strcmp(m->boot.target, m->choice.next_target) == 0 && boot_again(m->source, &m->boot);
}

struct next draft_begin(struct machine *m)
{
	struct boot_facts facts = { .boots = m->history.boots };

	m->run.lost_ports = 0;
	m->draft.fault_status = 0;
	if (draft_boots_again(m))
		return go(STATE_PREPARING, -1);
	renew_source(m);
	if (boot_draft(
		m->source, m->choice.next_target, &facts, &m->draft.boot, &m->draft.faults) != 0)
		return fail(m);
	hooks_call(m, &hooks_prepare, m->draft.boot.spec);
	return stay();
}

struct next draft_hook_ended(struct machine *m)
{
	if (m->draft.faults.count > 0 ||
	    boot_finish(m->source, &m->draft.boot, &m->draft.faults) != 0)
		return fail(m);
	take_draft(m);
	boot_keep(m->source, &m->boot, m->history.boots == 0);
	return go(STATE_PREPARING, -1);
}

struct next draft_stop(struct machine *m)
{
	REPORT_AUTO struct report ignored = { 0 };
	struct next next = machine_end_stopped(m); /* abandons on_prepare */

	if (m->boot.spec == NULL && m->draft.boot.spec != NULL &&
	    boot_finish(m->source, &m->draft.boot, &ignored) == 0)
		take_draft(m);
	return next;
}

void draft_clear(struct machine *m)
{
	machine_reload(m, NULL);
	boot_clear(&m->draft.boot);
	report_free(&m->draft.faults);
	free(m->draft.refusal);
	free(m->draft.instead);
	m->draft.refusal = m->draft.instead = NULL;
}
