/* The stop ladder: takes a step, waits, takes the next step. */
#include <signal.h>

#include "base/mem.h"
#include "base/str.h"
#include "machine/machine_inside.h"
#include "machine/stop.h"

/* Sets for what cause the step is taken: a request overrules what the guest has failed. */
static void say_cause(const struct machine *m, struct event_record *r)
{
	if (m->requests.stop)
		machine_event_cause(r, CAUSE_STOPPED);
	else if (m->requests.reboot_to != NULL || m->guest.unfit == CAUSES)
		machine_event_cause(r, CAUSE_REBOOT);
	else
		machine_event_cause(r, m->guest.unfit);
	if (!m->requests.stop && m->requests.reboot_to == NULL)
		event_cause_text(r, m->guest.why);
}

/* Takes the next step of the ladder; its wait becomes the state's deadline. */
static struct next step(struct machine *m)
{
	const struct stop_ladder *ladder = &m->boot.spec->stop;
	/* After the last step only a kill remains. */
	struct stop_step now = { STOP_KILL, MAX_KILL_HYPERVISOR_MS };
	struct stop_method method = { 0 };
	struct event_record *r;

	if (m->requests.stop_step < ladder->count)
		now = ladder->step[m->requests.stop_step];
	m->requests.stop_step++;
	guest_rest(m);
	r = event_add(m->events, VMRUN_STOPPING);
	event_target(r, m->boot.target);
	r->event.action = stop_action_name(now.action);
	r->event.delay_ms = now.wait_ms;
	say_cause(m, r);
	m->boot.plan.hyper->stop_method(&m->boot.plan, now.action, &method);
	if (method.signal != 0)
		child_signal(&m->run.child, method.signal);
	else if (method.control != NULL)
		child_control(&m->run.child, method.control);
	else if (method.helper.count > 0)
		(void)machine_start_helper(m, &method.helper, HELPER_SILENT);
	words_free(&method.helper);
	machine_note_step(m, now.action, method.signal);
	return go(STATE_STOPPING, now.wait_ms);
}

/* Takes the first step of the ladder; unasked: no request is the reason. */
static struct next begin(struct machine *m, bool unasked)
{
	m->requests.stop_step = 0;
	m->requests.unasked = unasked;
	return step(m);
}

/*
 * Takes the next step for a request.  The first request after a ladder that vmrun itself began only
 * becomes its reason: the guest keeps the time that the step gives it.
 */
static struct next hurry(struct machine *m, const char *request)
{
	STR_AUTO struct str text = { 0 };

	if (!m->requests.unasked)
		return step(m);
	m->requests.unasked = false;
	str_addf(&text, "%s requested: the step %s goes on for ", request, m->requests.step);
	str_add_seconds(&text, m->present.deadline_ms - machine_now(m));
	str_add(&text, "; another request starts the next step at once");
	machine_note(m, text.text);
	return stay();
}

struct next stop_begin(struct machine *m)
{
	machine_request_stop(m);
	return begin(m, false);
}

struct next stop_hurry(struct machine *m)
{
	machine_request_stop(m);
	return hurry(m, "stop");
}

struct next stop_late(struct machine *m)
{
	return step(m);
}

struct next stop_kill(struct machine *m)
{
	m->requests.stop_step = m->boot.spec->stop.count; /* the kill after the last step */
	m->requests.unasked = false;
	return stop_hurry(m);
}

/* Starts the ladder for a reboot, or takes its next step. */
struct next stop_reboot(struct machine *m)
{
	return m->present.state == STATE_RUNNING ? begin(m, false) : hurry(m, "reboot");
}

struct next stop_unfit(struct machine *m)
{
	return begin(m, true);
}
