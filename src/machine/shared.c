/* What the phases of a machine share: the helper, warnings, and the ways to the end. */
#include <stdlib.h>

#include "base/mem.h"
#include "machine/machine_inside.h"
#include "platform/clock.h"

#define MAX_CONTROL_READS 16 /* for what the hypervisor said before a companion ended */

uintptr_t machine_helper_tag(pid_t pid)
{
	return (uintptr_t)MACHINE_TAGS + (uintptr_t)pid;
}

int64_t machine_now(const struct machine *m)
{
	return m->options.simulation != NULL ? m->options.simulation->now_ms : clock_ms();
}

bool machine_start_helper(
    struct machine *m, const struct words *command, enum helper_capture capture)
{
	ERROR_AUTO struct error err = { 0 };

	if (helper_start(&m->helper, command, capture, m->wait, MACHINE_TAG_OUTPUT,
		machine_helper_tag, &err) == 0)
		return true;
	machine_warn(m, err.text);
	return false;
}

int machine_start_change(struct machine *m, const struct words *command, struct error *err)
{
	m->helper.lock_file = ledger_changes_file(m->host.ledger);
	return helper_start(
	    &m->helper, command, HELPER_ALL, m->wait, MACHINE_TAG_OUTPUT, machine_helper_tag, err);
}

bool machine_try_change(struct machine *m, const struct words *command)
{
	ERROR_AUTO struct error err = { 0 };

	if (machine_start_change(m, command, &err) == 0)
		return true;
	machine_warn(m, err.text);
	return false;
}

bool machine_end_late_helper(struct machine *m)
{
	if (!m->helper.killed) {
		helper_kill(&m->helper);
		return false;
	}
	helper_give_up(&m->helper);
	return true;
}

void machine_destroy_command(const struct machine *m, struct words *command)
{
	m->boot.plan.hyper->leftover_command(&m->boot.plan, command);
}

void machine_warn(struct machine *m, const char *text)
{
	event_text(event_add(m->events, VMRUN_WARNING), text);
}

void machine_note(struct machine *m, const char *text)
{
	event_text(event_add(m->events, VMRUN_NOTE), text);
}

void machine_event_cause(struct event_record *r, enum cause cause)
{
	r->event.cause = cause_name(cause);
	r->event.cause_text = cause_text(cause);
}

_Static_assert((int)VMRUN_CAUSE_REBOOT == (int)CAUSE_REBOOT + 1 &&
	(int)VMRUN_CAUSE_GIVEN_UP == (int)CAUSE_GIVEN_UP + 1 &&
	(int)VMRUN_CAUSE_STOPPED == (int)CAUSES,
    "the causes of the header are those of spec/cause.h, after VMRUN_CAUSE_NONE");

enum vmrun_cause machine_cause_code(enum cause cause)
{
	return (enum vmrun_cause)((int)cause + 1);
}

void machine_cleanup_failed(struct machine *m, const char *text)
{
	m->host.cleanup_failed = true;
	machine_warn(m, text);
}

bool machine_must_panic(const struct machine *m)
{
	return m->host.cleanup_failed && m->options.panic;
}

void machine_request_stop(struct machine *m)
{
	m->requests.stop = true;
	free(m->requests.reboot_to);
	m->requests.reboot_to = NULL;
}

void machine_note_step(struct machine *m, enum stop_action step, int signal)
{
	m->requests.step = stop_action_name(step);
	m->requests.step_signal = signal;
	m->requests.step_ms = machine_now(m);
}

int machine_own_status(const struct machine *m, int status)
{
	return m->options.guest_status && machine_guest_status(m) >= 0 ? machine_guest_status(m)
								       : status;
}

struct next machine_end(struct machine *m, int status)
{
	m->end.status = m->requests.status >= 0 ? m->requests.status : status;
	return go(STATE_ENDING, -1);
}

struct next machine_end_stopped(struct machine *m)
{
	calls_abandon(&m->calls);
	machine_request_stop(m);
	m->history.outcome.cause = CAUSE_STOPPED;
	return machine_end(m, machine_own_status(m, STATUS_OK));
}

void machine_read_channel(struct machine *m, enum channel channel)
{
	child_read(&m->run.child, channel);
	if (m->run.awaits_answer && m->run.child.signs.greeted) {
		m->run.awaits_answer = false;
		machine_handle(m, EVENT_UP);
	}
}

bool machine_hypervisor_leaves(struct machine *m)
{
	const struct child *c = &m->run.child;
	const struct job_stream *control = &c->job.stream[CHANNEL_CONTROL];

	if (c->job.pid == 0 || !m->boot.plan.has_control)
		return false;
	/* What it said before the companion ended may not be read yet. */
	for (int i = 0; i < MAX_CONTROL_READS && control->is_open && *c->signs.reason == '\0'; i++)
		machine_read_channel(m, CHANNEL_CONTROL);
	return *c->signs.reason != '\0' || !control->is_open;
}

struct next machine_reboot_waiting(struct machine *m)
{
	int64_t rest_ms = m->present.deadline_ms - machine_now(m);

	/* The rate limit has counted the whole delay as waited. */
	if (rest_ms > 0)
		rate_limit_cut_delay(&m->choice.rate_limit, rest_ms);
	if (*m->requests.reboot_to != '\0') {
		free(m->choice.next_target);
		m->choice.next_target = m->requests.reboot_to;
	} else {
		free(m->requests.reboot_to);
	}
	m->requests.reboot_to = NULL;
	return go(STATE_WAITING, 0);
}

/*
 * Ends a boot whose files, or names in the ledger, cannot be written.  Before the first boot the
 * host has the fault, and no further attempt of the policy's mends it.
 */
struct next machine_fail_files(struct machine *m, const struct error *err)
{
	if (m->history.boots == 0 && err->status == STATUS_OS)
		m->draft.fault_status = STATUS_OS;
	return machine_fail(m, CAUSE_CHECK_FAILED, err->text);
}
