/* From the name of a target to a boot with its plan: the document is merged, on_prepare is asked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "machine/draft.h"

static void take_draft(struct machine *m)
{
	prepare_clear(&m->preparing); /* it speaks of the devices of the boot before */
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
static struct next fail(struct machine *m)
{
	boot_clear(&m->draft);
	if (m->boots == 0)
		m->fault_status = (int)m->faults.status;
	if (!find_policy(m)) {
		MEM_AUTO char *text = report_text(&m->faults);

		machine_warn(m, text);
		report_free(&m->faults);
		m->outcome.cause = CAUSE_CHECK_FAILED;
		return machine_end(m, m->fault_status);
	}
	free(m->boot.target);
	m->boot.target = mem_copy(m->next_target);
	return machine_fail_with(m, &m->faults);
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

struct next draft_due(struct machine *m)
{
	/* The first boot may come prepared. */
	return go(m->next_target == NULL ? STATE_PREPARING : STATE_DRAFTING, -1);
}

struct next draft_begin(struct machine *m)
{
	struct boot_facts facts = { .boots = m->boots };

	renew_source(m);
	m->fault_status = 0;
	if (boot_draft(m->source, m->next_target, &facts, &m->draft, &m->faults) != 0)
		return fail(m);
	hook_call_begin(m, &hooks_prepare, m->draft.spec);
	return stay();
}

struct next draft_answered(struct machine *m)
{
	if (m->faults.count > 0 || boot_finish(m->source, &m->draft, &m->faults) != 0)
		return fail(m);
	take_draft(m);
	return go(STATE_PREPARING, -1);
}

void draft_clear(struct machine *m)
{
	machine_reload(m, NULL);
	boot_clear(&m->draft);
	report_free(&m->faults);
}
