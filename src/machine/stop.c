/* What others may ask of a machine: to stop, to boot again, to boot something else; and its state.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"

void stopping_step(struct machine *m)
{
	const struct stop_ladder *ladder = &m->boot.spec->stop;
	/* Past the end only a kill is left. */
	struct stop_step step = { STOP_KILL, 5000 };
	struct power power = { 0 };
	struct event_record *r;

	if (m->stop_step < ladder->count)
		step = ladder->step[m->stop_step];
	m->stop_step++;
	r = event_add(m->events, VMRUN_STOPPING);
	event_target(r, m->boot.target);
	r->event.action = stop_action_name(step.action);
	r->event.delay_ms = step.wait_ms;
	m->boot.plan.hyper->power(&m->boot.plan, step.action, &power);
	if (power.signal != 0)
		child_signal(&m->child, power.signal);
	else if (power.control != NULL)
		child_control(&m->child, power.control);
	else if (power.helper.count > 0)
		(void)machine_help(m, &power.helper, HELPER_SILENT);
	words_free(&power.helper);
	machine_enter(m, STATE_STOPPING, step.wait_ms);
}

/* From here on it stops, whatever else was asked for. */
static void request_stop(struct machine *m)
{
	m->stop_requested = true;
	free(m->reboot_to);
	m->reboot_to = NULL;
}

void stopping_begin(struct machine *m)
{
	request_stop(m);
	m->stop_step = 0;
	stopping_step(m);
}

void stopping_hurry(struct machine *m)
{
	request_stop(m);
	stopping_step(m);
}

/* The VM is gone already; what it left is destroyed all the same, which takes a moment. */
void stopping_cleaning(struct machine *m)
{
	request_stop(m);
	m->outcome.cause = CAUSE_STOPPED;
}

void stopping_waiting(struct machine *m)
{
	request_stop(m);
	m->outcome.cause = CAUSE_STOPPED;
	boots_end(m, STATUS_OK);
}

/* A loader has nothing to lose. */
void stopping_loading(struct machine *m)
{
	request_stop(m);
	child_signal(&m->child, SIGKILL);
}

void machine_stop(struct machine *m)
{
	machine_happen(m, HAPPENED_STOP);
}

void machine_kill(struct machine *m)
{
	if (m->state == STATE_RUNNING || m->state == STATE_STOPPING) {
		m->stop_step = m->boot.spec->stop.count; /* past the end */
		stopping_hurry(m);
	} else {
		machine_stop(m);
	}
}

bool machine_reset(struct machine *m)
{
	bool given_up = m->state == STATE_GIVEN_UP;

	machine_happen(m, HAPPENED_RESET);
	return given_up;
}

static void set(char **to, const char *text)
{
	free(*to);
	*to = mem_copy(text);
}

static int check_target(const struct machine *m, const char *target, struct error *err)
{
	const struct boot_source *source = m->fresh != NULL ? m->fresh : m->source;

	if (target == NULL || words_have(document_targets(source->doc), target))
		return 0;
	return error_set(err, STATUS_SPEC, "no target \"%s\"", target);
}

/* It runs no more, or not yet: what is decided next is a boot. */
static int reboot_later(struct machine *m, const char *target, struct error *err)
{
	switch (m->state) {
	case STATE_WAITING:
		if (target != NULL)
			set(&m->next_target, target);
		machine_enter(m, STATE_WAITING, 0);
		return 0;
	case STATE_GIVEN_UP:
		if (target != NULL)
			set(&m->refused_target, target);
		(void)machine_reset(m);
		return 0;
	case STATE_CLEANING:
		set(&m->reboot_to, target == NULL ? "" : target);
		return 0;
	case STATE_DECIDING: /* on_exit has been told already */
		set(&m->reboot_to, target == NULL ? "" : target);
		asking_abandon(m);
		boots_decide(m);
		return 0;
	case STATE_DRAFTING:
	case STATE_PREPARING:
	case STATE_LOADING:
		return error_set(err, STATUS_CHECK, "it is booting already");
	default:
		return error_set(err, STATUS_CHECK, "it is about to end");
	}
}

int machine_reboot(struct machine *m, const char *target, struct error *err)
{
	if (check_target(m, target, err) != 0)
		return -1;
	if (m->options.policy.no_reboot)
		return error_set(err, STATUS_CHECK, "--no-reboot forbids it");
	if (m->stop_requested)
		return error_set(err, STATUS_CHECK, "it is being stopped");
	if (m->state != STATE_RUNNING && m->state != STATE_STOPPING)
		return reboot_later(m, target, err);
	set(&m->reboot_to, target == NULL ? "" : target);
	if (m->state == STATE_RUNNING)
		m->stop_step = 0;
	stopping_step(m);
	return 0;
}

int machine_next(struct machine *m, const char *target, struct error *err)
{
	if (target == NULL)
		return error_set(err, STATUS_SPEC, "no target given: expected the name of one");
	if (check_target(m, target, err) != 0)
		return -1;
	if (m->state == STATE_ENDING || m->state == STATE_REPORTING || m->state == STATE_ENDED)
		return error_set(err, STATUS_CHECK, "it is about to end");
	if (m->state == STATE_WAITING && m->next_target != NULL)
		set(&m->next_target, target);
	else
		set(&m->once_target, target);
	return 0;
}

static const char *state_name(const struct machine *m)
{
	switch (m->state) {
	case STATE_WAITING:
		return m->ends > 0 ? "backoff" : "waiting";
	case STATE_LOADING:
		return "loading";
	case STATE_RUNNING:
		return "running";
	case STATE_STOPPING:
	case STATE_ENDING:
	case STATE_REPORTING:
	case STATE_ENDED:
		return "stopping";
	case STATE_GIVEN_UP:
		return "given_up";
	default:
		return "waiting";
	}
}

/* What boots next, as far as that is known before anybody has decided. */
static const char *next_target(const struct machine *m)
{
	if (m->state == STATE_WAITING && m->next_target != NULL)
		return m->next_target;
	if (m->once_target != NULL)
		return m->once_target;
	if (m->state == STATE_GIVEN_UP)
		return m->refused_target;
	return m->boot.spec == NULL ? NULL : m->boot.spec->next_target;
}

/* The step that was taken last. */
static const char *stop_action(const struct machine *m)
{
	const struct stop_ladder *ladder = &m->boot.spec->stop;
	size_t step = m->stop_step - 1;

	return stop_action_name(step < ladder->count ? ladder->step[step].action : STOP_KILL);
}

void machine_tell(const struct machine *m, struct vmrun_state *out)
{
	bool runs = m->state == STATE_RUNNING || m->state == STATE_STOPPING;

	memset(out, 0, sizeof(*out));
	out->state = state_name(m);
	out->target = m->boot.target != NULL ? m->boot.target : m->next_target;
	out->next_target = next_target(m);
	out->boots = m->boots;
	out->cause = m->history_count > 0 ? cause_name(m->outcome.cause) : NULL;
	if (m->state == STATE_STOPPING) {
		out->stop_step = (int)m->stop_step;
		out->stop_action = stop_action(m);
	}
	out->stop_requested = m->stop_requested;
	if (runs && m->child.pid != 0) {
		out->pid = (int)m->child.pid;
		out->uptime_ms = machine_now(m) - m->child.started_ms;
	}
	if (m->deadline_ms >= 0 && m->state != STATE_RUNNING)
		out->wait_ms =
		    m->deadline_ms > machine_now(m) ? m->deadline_ms - machine_now(m) : 0;
}
