/* Steps of prepare.c: locks names and disks, makes taps. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"

#define MAX_TAP_MS 30000  /* for a command that makes a tap */
#define MAX_LOST_PORTS 16 /* starts of one boot that other programs take the port from */
#define MAX_COLLISIONS 64 /* names in one boot that another program took first */

static bool take_name(void *context, const char *name)
{
	struct machine *m = context;

	return !words_have(&m->preparation.refused, name) && namelock_take(&m->host.names, name);
}

static void drop_name(void *context, const char *name)
{
	struct machine *m = context;

	namelock_drop(&m->host.names, name);
}

struct check_names prepare_names(struct machine *m)
{
	return (struct check_names){ .take = take_name, .drop = drop_name, .context = m };
}

bool prepare_lost_port(struct machine *m)
{
	const struct check_names names = prepare_names(m);

	if (!m->history.outcome.failed_start || m->run.gave_up || m->requests.stop ||
	    m->requests.reboot_to != NULL || m->guest.unfit != CAUSES ||
	    m->run.lost_ports >= MAX_LOST_PORTS || !check_has_open_port(m->boot.spec) ||
	    !hyper_has_lost_port(m->boot.plan.hyper, child_tail(&m->run.child)))
		return false;
	(void)check_forget_ports(m->boot.spec, &m->host.found, &names);
	return true;
}

bool prepare_search_ports_again(struct machine *m)
{
	const struct check_names names = prepare_names(m);

	if (m->preparation.collisions >= MAX_COLLISIONS ||
	    check_forget_ports(m->boot.spec, &m->host.found, &names) == 0)
		return false;
	m->preparation.collisions++;
	prepare_check_again(&m->preparation);
	return true;
}

bool prepare_note_thing(struct machine *m, struct ledger_thing *thing, struct next *next)
{
	ERROR_AUTO struct error err = { 0 };
	int rc = ledger_take(m->host.ledger, thing, &err);

	ledger_thing_clear(thing);
	if (rc == 0)
		return true;
	*next = machine_fail_files(m, &err);
	return false;
}

static bool note_tap(struct machine *m, const char *tap, struct next *next)
{
	struct ledger_thing thing;

	tap_thing(&m->boot.plan, tap, &thing);
	return prepare_note_thing(m, &thing, next);
}

bool prepare_lock_disks(struct machine *m, bool made, struct next *next)
{
	ERROR_AUTO struct error err = { 0 };
	bool good = disklock_take(&m->host.locks, m->boot.spec, made, &err) == 0;

	if (!good && m->options.no_checks)
		machine_warn(m, err.text);
	else if (!good)
		*next = machine_fail(m, CAUSE_CHECK_FAILED, err.text);
	return good || m->options.no_checks;
}

/* Returns the bridge that a device's tap joins, or NULL for none. The caller frees it. */
static char *bridge_of(const struct device *dev)
{
	NEEDS_AUTO struct needs needs = { 0 };
	char *bridge = NULL;

	if (!dev->removed && dev->kind->needs != NULL)
		dev->kind->needs(dev, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		if (needs.item[i].kind == NEED_BRIDGE && bridge == NULL)
			bridge = mem_copy(needs.item[i].what);
	}
	return bridge;
}

/*
 * Returns the next step for a tap.  Kept from boot to boot: a tap that could not join its bridge is
 * in the ledger, and the next boot has to join it.
 */
static enum tap_step next_step(const struct machine *m, const char *tap)
{
	for (int step = TAP_CREATE; step < TAP_STEPS; step++) {
		if (!words_have(&m->host.taps_done[step], tap))
			return (enum tap_step)step;
	}
	return TAP_STEPS;
}

void prepare_raise_taps_again(struct machine *m)
{
	if (tap_goes_down(&m->boot.plan))
		words_free(&m->host.taps_done[TAP_UP]);
}

static void step_done(struct machine *m, const char *tap)
{
	words_add(&m->host.taps_done[next_step(m, tap)], tap);
}

/* Adds the tap to the ledger, unless an earlier boot or vmrun did; false: the boot has failed. */
static bool expect_tap(struct machine *m, const char *tap, struct next *next)
{
	m->preparation.tap_noted = !ledger_has(m->host.ledger, tap);
	return !m->preparation.tap_noted || note_tap(m, tap, next);
}

/*
 * Searches for another name, because the system did not give this one: another program has it by
 * now, or, on FreeBSD, a tap with another name has its unit, which no list of interfaces shows
 * (tun_clone_create() in if_tuntap.c).
 */
static void search_again(struct machine *m)
{
	struct preparation *p = &m->preparation;
	struct device *dev = m->boot.spec->devices[p->tap];

	words_add(&p->refused, dev->found);
	namelock_drop(&m->host.names, dev->found);
	pairs_remove(&m->host.found, dev->id);
	free(dev->found);
	dev->found = NULL;
	prepare_check_again(p);
	p->step = PREPARE_FIND;
	p->tap = 0;
}

/* Returns whether another name may be tried for a tap whose name is taken. */
static bool may_try_another(struct machine *m)
{
	return m->preparation.collisions++ < MAX_COLLISIONS;
}

/* Makes the tap without a command.  Returns true if it is there or another name is searched. */
static bool make_tap(struct machine *m, const char *tap, struct next *next)
{
	ERROR_AUTO struct error err = { 0 };
	bool exists;

	if (tap_make(&m->boot.plan, tap, m->host.ledger, &exists, &err) == 0) {
		step_done(m, tap);
		return true;
	}
	if (exists && may_try_another(m)) {
		search_again(m);
		return true;
	}
	*next = machine_fail(m, CAUSE_CHECK_FAILED, err.text);
	return false;
}

/* Starts a command for this tap; without it, the boot has failed. */
static struct next run_step(struct machine *m, const char *tap, const struct words *command)
{
	if (machine_try_change(m, command))
		return go(STATE_PREPARING, MAX_TAP_MS);
	if (next_step(m, tap) == TAP_CREATE && m->preparation.tap_noted && !m->helper.job.ran)
		ledger_drop(m->host.ledger, tap); /* nothing was created */
	return machine_fail(m, CAUSE_CHECK_FAILED, "no tap could be made for a bridge");
}

/* Does the next step for a tap.  Returns true if the boot waits for it, or has failed. */
static bool take_step(struct machine *m, const char *tap, const char *bridge, struct next *next)
{
	enum tap_step step = next_step(m, tap);
	WORDS_AUTO struct words command = { 0 };

	tap_command(&m->boot.plan, step, tap, bridge, &command);
	if (command.count == 0)
		return !make_tap(m, tap, next);
	if (step != TAP_CREATE || expect_tap(m, tap, next))
		*next = run_step(m, tap, &command);
	return true;
}

/* Makes the next tap that is missing, one step at a time. */
bool prepare_taps(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;

	p->has_disks = p->has_disks || prepare_lock_disks(m, false, next);
	if (!p->has_disks)
		return true;
	for (; p->tap < m->boot.spec->device_count; p->tap++) {
		const struct device *dev = m->boot.spec->devices[p->tap];
		MEM_AUTO char *bridge = bridge_of(dev);

		if (bridge != NULL && dev->found != NULL && next_step(m, dev->found) != TAP_STEPS)
			return take_step(m, dev->found, bridge, next);
	}
	p->step = PREPARE_COMPANIONS;
	return false;
}

/* Tries another name when another program has created an interface of that name meanwhile. */
static bool try_another_tap(struct machine *m)
{
	const char *tap = m->boot.spec->devices[m->preparation.tap]->found;

	if (next_step(m, tap) != TAP_CREATE || strstr(helper_output(&m->helper), "xists") == NULL ||
	    !may_try_another(m))
		return false;
	/* An entry of an earlier boot may belong to a create that was killed: it stays. */
	if (m->preparation.tap_noted)
		ledger_drop(m->host.ledger, tap);
	search_again(m);
	return true;
}

bool prepare_tap_command_ended(struct machine *m, struct next *next)
{
	const struct preparation *p = &m->preparation;

	if (m->helper.status == 0) {
		const char *tap = m->boot.spec->devices[p->tap]->found;

		if (next_step(m, tap) == TAP_CREATE)
			ledger_confirm(m->host.ledger, tap);
		step_done(m, tap);
	} else if (!try_another_tap(m)) {
		const struct device *dev = m->boot.spec->devices[p->tap];
		MEM_AUTO char *said = helper_trouble(&m->helper);
		MEM_AUTO char *text = mem_format("%s: no tap for its bridge: %s", dev->id, said);

		/* A create that failed made no tap; one that was killed may have. */
		if (p->tap_noted && next_step(m, dev->found) == TAP_CREATE && m->helper.status > 0)
			ledger_drop(m->host.ledger, dev->found);
		*next = machine_fail(m, CAUSE_CHECK_FAILED, text);
		return false;
	}
	return true;
}
