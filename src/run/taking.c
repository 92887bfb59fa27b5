/* Taking from the host what a boot needs: disks are locked, taps are made. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/machine_state.h"

#define COMMAND_MS 30000
#define MOST_COLLISIONS 16

bool taking_note(struct machine *m, struct ledger_thing *thing)
{
	struct error err = { 0 };
	int rc = ledger_take(m->ledger, thing, &err);

	ledger_thing_clear(thing);
	if (rc == 0)
		return true;
	boots_fail(m, CAUSE_CHECK_FAILED, err.text);
	error_clear(&err);
	return false;
}

static bool note_tap(struct machine *m, const char *tap)
{
	struct ledger_thing thing;

	tap_thing(m->boot.plan.hyper, tap, &thing);
	return taking_note(m, &thing);
}

/* From here on no other vmrun starts with these disks. */
static bool lock_disks(struct machine *m)
{
	struct error err = { 0 };
	bool good = disklock_take(&m->locks, m->boot.spec, &err) == 0;

	if (!good && m->options.no_checks)
		boots_warn(m, err.text);
	else if (!good)
		boots_fail(m, CAUSE_CHECK_FAILED, err.text);
	error_clear(&err);
	return good || m->options.no_checks;
}

/* The bridge that a device's tap joins, or NULL when it needs none. Caller frees. */
static char *bridge_of(const struct device *dev)
{
	struct needs needs = { 0 };
	char *bridge = NULL;

	if (!dev->removed && dev->kind->needs != NULL)
		dev->kind->needs(dev, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		if (needs.item[i].kind == NEED_BRIDGE && bridge == NULL)
			bridge = mem_copy(needs.item[i].what);
	}
	needs_clear(&needs);
	return bridge;
}

/* Makes the next tap that is missing, one command at a time. */
bool taking_step(struct machine *m)
{
	struct preparing *p = &m->preparing;

	if (p->tap == 0 && p->tap_step == TAP_CREATE && !lock_disks(m))
		return true;
	for (; p->tap < m->boot.spec->device_count; p->tap++, p->tap_step = TAP_CREATE) {
		const struct device *dev = m->boot.spec->devices[p->tap];
		MEM_AUTO char *bridge = bridge_of(dev);
		struct words command = { 0 };
		bool started;

		if (bridge == NULL || dev->found == NULL || p->tap_step == TAP_STEPS ||
		    (p->tap_step == TAP_CREATE && ledger_has(m->ledger, dev->found)))
			continue;
		if (p->tap_step == TAP_CREATE && !note_tap(m, dev->found))
			return true;
		tap_command(m->boot.plan.hyper, p->tap_step, dev->found, bridge, &command);
		started = machine_help(m, &command, HELPER_ALL);
		words_free(&command);
		if (started) {
			machine_enter(m, STATE_PREPARING, COMMAND_MS);
		} else {
			if (p->tap_step == TAP_CREATE)
				ledger_drop(m->ledger, dev->found); /* nothing was made */
			boots_fail(m, CAUSE_CHECK_FAILED, "no tap could be made for a bridge");
		}
		return true;
	}
	p->step = PREPARE_COMPANIONS;
	return false;
}

/* Somebody else made an interface of that name since we looked: another one will do. */
static bool try_another_tap(struct machine *m)
{
	struct preparing *p = &m->preparing;
	struct device *dev = m->boot.spec->devices[p->tap];

	if (p->tap_step != TAP_CREATE || p->collisions++ >= MOST_COLLISIONS ||
	    strstr(m->helper.output.text == NULL ? "" : m->helper.output.text, "xists") == NULL)
		return false;
	ledger_drop(m->ledger, dev->found); /* it is theirs */
	pairs_remove(&m->found, dev->id);
	free(dev->found);
	dev->found = NULL;
	preparing_look_again(p);
	p->step = PREPARE_FIND;
	p->tap = 0;
	return true;
}

bool taking_ended(struct machine *m)
{
	struct preparing *p = &m->preparing;

	if (m->helper.status == 0) {
		if (p->tap_step == TAP_CREATE)
			ledger_made(m->ledger, m->boot.spec->devices[p->tap]->found);
		p->tap_step++;
	} else if (!try_another_tap(m)) {
		const struct device *dev = m->boot.spec->devices[p->tap];
		MEM_AUTO char *said = helper_words(&m->helper);
		MEM_AUTO char *text = mem_format("%s: no tap for its bridge: %s", dev->id, said);

		/* There is none; of a command that was killed nobody knows. */
		if (p->tap_step == TAP_CREATE && m->helper.status > 0)
			ledger_drop(m->ledger, dev->found);
		boots_fail(m, CAUSE_CHECK_FAILED, text);
		return false;
	}
	return true;
}
