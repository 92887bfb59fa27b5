/* From the name of a target to a boot with its plan: the document is merged, on_prepare is asked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"

static void take_draft(struct machine *m)
{
	preparing_clear(&m->preparing); /* it speaks of the devices of the boot before */
	boot_clear(&m->boot);
	m->boot = m->draft;
	memset(&m->draft, 0, sizeof(m->draft));
}

/* The policy is that of the target as it stands in the document; the last boot's, if that is
 * broken too. */
static bool find_policy(struct machine *m)
{
	struct boot_facts facts = { .boots = m->boots };
	struct report ignored = { 0 };

	if (boot_draft(m->source, m->next_target, &facts, &m->draft, &ignored) == 0 &&
	    boot_finish(m->source, &m->draft, &ignored) == 0)
		take_draft(m);
	boot_clear(&m->draft);
	report_free(&ignored);
	return m->boot.spec != NULL;
}

/* An outcome like any other, for the policy to judge. */
static void fail(struct machine *m)
{
	boot_clear(&m->draft);
	if (m->boots == 0)
		m->fault_status = (int)m->faults.status;
	if (!find_policy(m)) {
		MEM_AUTO char *text = report_text(&m->faults);

		boots_warn(m, text);
		report_free(&m->faults);
		m->outcome.cause = CAUSE_CHECK_FAILED;
		boots_end(m, m->fault_status);
		return;
	}
	free(m->boot.target);
	m->boot.target = mem_copy(m->next_target);
	boots_fail_with(m, &m->faults);
}

void machine_reload(struct machine *m, struct boot_source *fresh)
{
	if (m->fresh != NULL) {
		boot_source_clear(m->fresh);
		free(m->fresh);
	}
	m->fresh = fresh;
}

/* Between two boots no hook waits, and nothing else leads into the old document. */
static void renew_source(struct machine *m)
{
	if (m->fresh == NULL)
		return;
	boot_source_clear(m->source);
	*m->source = *m->fresh;
	free(m->fresh);
	m->fresh = NULL;
}

void drafting_begin(struct machine *m)
{
	struct boot_facts facts = { .boots = m->boots };

	machine_enter(m, STATE_DRAFTING, -1);
	renew_source(m);
	m->fault_status = 0;
	if (boot_draft(m->source, m->next_target, &facts, &m->draft, &m->faults) == 0)
		asking_begin(m, &hooks_prepare, m->draft.spec);
	else
		fail(m);
}

void drafting_end(struct machine *m)
{
	if (m->faults.count > 0 || boot_finish(m->source, &m->draft, &m->faults) != 0) {
		fail(m);
		return;
	}
	take_draft(m);
	boots_drafted(m);
}

void drafting_clear(struct machine *m)
{
	machine_reload(m, NULL);
	boot_clear(&m->draft);
	report_free(&m->faults);
}
