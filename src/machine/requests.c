/* Requests to a machine: stop, kill, reboot, next, reset; and its state. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "machine/machine_inside.h"

void machine_stop(struct machine *m)
{
	machine_handle(m, EVENT_STOP);
}

void machine_kill(struct machine *m)
{
	machine_handle(m, EVENT_KILL);
}

/* Returns whether the VM has given up and waits for a reset, of which hooks may still hear. */
static bool waits_for_reset(const struct machine *m)
{
	return m->present.state == STATE_GIVEN_UP ||
	    (m->present.state == STATE_GIVING_UP && m->choice.decision.wait);
}

bool machine_reset(struct machine *m, bool by_hook)
{
	if (!waits_for_reset(m))
		return false;
	/* What a person has requested before remains that. */
	m->requests.is_automatic = by_hook && (!m->requests.reset || m->requests.is_automatic);
	machine_handle(m, EVENT_RESET);
	return true;
}

void machine_allow_fixes(struct machine *m, bool fix)
{
	m->requests.fix = fix;
	machine_handle(m, EVENT_FIX);
}

static void set(char **to, const char *text)
{
	char *copy = mem_copy(text); /* which may be the old one, lent by machine_get_state() */

	free(*to);
	*to = copy;
}

int machine_check_target(const struct machine *m, const char *target, struct error *err)
{
	const struct boot_source *source = m->draft.fresh != NULL ? m->draft.fresh : m->source;
	MEM_AUTO char *text = NULL;

	if (target == NULL || words_have(document_targets(source->doc), target))
		return 0;
	text = document_unknown_target(source->doc, target);
	return error_set(err, STATUS_SPEC, "%s", text);
}

/* Returns why no further boot can follow the present one, or NULL. */
static const char *no_further_boot(const struct machine *m)
{
	if (m->options.policy.no_reboot)
		return "--no-reboot forbids further boots";
	if (m->requests.stop || m->requests.stop_after_hook)
		return "the VM is being stopped";
	return m->present.state >= STATE_ENDING ? "vmrun is about to exit" : NULL;
}

/* Returns whether the first boot is still to be drafted, so that requests may change it. */
static bool is_before_first_draft(const struct machine *m)
{
	return m->present.state <= STATE_WAITING && m->choice.next_target != NULL &&
	    m->history.ends == 0;
}

/* Says why a reboot cannot be requested in this state. */
static int refuse_reboot(const struct machine *m, struct error *err)
{
	switch (m->present.state) {
	case STATE_DRAFTING:
	case STATE_PREPARING:
	case STATE_STARTING:
	case STATE_LOADING:
		return error_set(err, STATUS_CHECK, "the VM is booting already");
	case STATE_RECOVERING:
		return error_set(err, STATUS_CHECK, "vmrun is cleaning up after a previous vmrun");
	default:
		return error_set(err, STATUS_CHECK, "vmrun is about to exit");
	}
}

int machine_reboot(struct machine *m, const char *target, struct error *err)
{
	const char *no_boot = no_further_boot(m);

	if (machine_check_target(m, target, err) != 0)
		return -1;
	if (no_boot != NULL)
		return error_set(err, STATUS_CHECK, "%s", no_boot);
	if (!machine_accepts(m, EVENT_REBOOT))
		return refuse_reboot(m, err);
	set(&m->requests.reboot_to, target == NULL ? "" : target);
	m->requests.is_automatic = false;
	if (target != NULL) {
		/* The newer request counts; without a target, this one boots that of the older. */
		free(m->requests.once_target);
		m->requests.once_target = NULL;
	}
	machine_handle(m, EVENT_REBOOT);
	return 0;
}

int machine_next(struct machine *m, const char *target, struct error *err)
{
	const char *no_boot = no_further_boot(m);
	bool is_decided;

	if (target == NULL)
		return error_set(err, STATUS_SPEC, "missing target: expected the name of a target");
	if (machine_check_target(m, target, err) != 0)
		return -1;
	is_decided = m->present.state == STATE_WAITING && m->choice.next_target != NULL;
	if (no_boot != NULL && !(is_decided && is_before_first_draft(m)))
		return error_set(err, STATUS_CHECK, "%s", no_boot);
	if (!is_decided) {
		set(&m->requests.once_target, target);
		return 0;
	}
	set(&m->choice.next_target, target);
	if (m->history.ends > 0) /* else nothing has been decided */
		machine_decide_again(m, m->choice.next_target,
		    m->present.deadline_ms - machine_now(m), BY_NEXT_REQUEST);
	return 0;
}

/* Adds a problem unless the new spec has the target (NULL: none) or the report names it already. */
static void require_target(const struct document *doc, const char *target, const char *why,
    struct words *told, struct report *report)
{
	if (target == NULL || *target == '\0' || words_have(document_targets(doc), target) ||
	    words_have(told, target))
		return;
	words_add(told, target);
	report_add(report, STATUS_SPEC, NULL,
	    "unknown target \"%s\" in the new spec, but %s: keep it until another target has "
	    "booted",
	    target, why);
}

/* Requires the targets to which the policy of a boot may lead. */
static void require_policy(
    const struct document *doc, const struct spec *spec, struct words *told, struct report *report)
{
	if (spec == NULL)
		return;
	require_target(
	    doc, spec->next_target, "next_target of the present boot names it", told, report);
	for (size_t i = 0; i < CAUSES; i++) {
		MEM_AUTO char *why =
		    mem_format("on.%s of the present boot names it", cause_name((enum cause)i));

		require_target(doc, spec->on[i].target, why, told, report);
	}
	for (size_t i = 0; i < spec->on_status.count; i++) {
		const struct status_action *entry =
		    (const struct status_action *)spec->on_status.item + i;
		MEM_AUTO char *why =
		    mem_format("on.%s of the present boot names it", entry->status);

		require_target(doc, entry->action.target, why, told, report);
	}
}

/* Requires the target that runs or boots, is decided, or follows a reset. */
static void require_present(
    const struct machine *m, const struct document *doc, struct words *told, struct report *report)
{
	const char *next = m->choice.next_target,
		   *present = "this is the target of the present boot";

	switch (m->present.state) {
	case STATE_NEW:
	case STATE_RECOVERING:
	case STATE_WAITING:
		require_target(doc, next != NULL ? next : m->boot.target,
		    "this is the target of the next boot", told, report);
		break;
	case STATE_DRAFTING:
		require_target(doc, next, present, told, report);
		require_policy(doc, m->draft.boot.spec, told, report);
		break;
	case STATE_GIVING_UP:
		require_target(doc, m->choice.decision.target,
		    "this is the target of the next boot", told, report);
		require_target(doc, m->choice.refused_target, "a reset boots it", told, report);
		break;
	case STATE_GIVEN_UP:
		require_target(doc, m->choice.refused_target, "a reset boots it", told, report);
		break;
	default:
		require_target(doc, m->boot.target, present, told, report);
		require_policy(doc, m->boot.spec, told, report);
	}
}

void machine_check_reload(
    const struct machine *m, const struct boot_source *fresh, struct report *report)
{
	const char *no_boot = is_before_first_draft(m) ? NULL : no_further_boot(m);
	WORDS_AUTO struct words told = { 0 };

	if (no_boot != NULL) {
		report_add(report, STATUS_CHECK, NULL, "%s", no_boot);
		return;
	}
	require_present(m, fresh->doc, &told, report);
	require_target(
	    fresh->doc, m->requests.reboot_to, "a reboot request names it", &told, report);
	require_target(
	    fresh->doc, m->requests.once_target, "a next request names it", &told, report);
}

static const char *state_name(const struct machine *m)
{
	if (waits_for_reset(m))
		return "given_up";
	switch (m->present.state) {
	case STATE_WAITING:
		return m->history.ends > 0 ? "backoff" : "waiting";
	case STATE_LOADING:
		return "loading";
	case STATE_RUNNING:
		return "running";
	case STATE_STOPPING:
	case STATE_CLEANING:
	case STATE_ENDING:
	case STATE_REPORTING:
	case STATE_ENDED:
		return "stopping";
	default:
		return "waiting";
	}
}

/* Returns the target that boots next, as far as it is known before the decision. */
static const char *next_target(const struct machine *m)
{
	if (m->present.state == STATE_WAITING && m->choice.next_target != NULL)
		return m->choice.next_target;
	if (m->requests.once_target != NULL)
		return m->requests.once_target;
	if (m->requests.reboot_to != NULL && *m->requests.reboot_to != '\0')
		return m->requests.reboot_to;
	if (waits_for_reset(m))
		return m->choice.refused_target;
	return m->boot.spec == NULL ? NULL : m->boot.spec->next_target;
}

/* Returns the name of the ladder's last step. */
static const char *stop_action(const struct machine *m)
{
	const struct stop_ladder *ladder = &m->boot.spec->stop;
	size_t step = m->requests.stop_step - 1;

	return stop_action_name(step < ladder->count ? ladder->step[step].action : STOP_KILL);
}

void machine_get_state(const struct machine *m, struct vmrun_state *out)
{
	bool runs = m->present.state == STATE_RUNNING || m->present.state == STATE_STOPPING;
	int64_t until_ms = m->present.deadline_ms;

	memset(out, 0, sizeof(*out));
	out->ready = guest_readiness(m);
	out->started = m->guest.started;
	out->ready_within_ms = guest_ready_within_ms(m);
	out->requested_status = m->requests.status;
	out->state = state_name(m);
	out->target = m->boot.target != NULL ? m->boot.target : m->choice.next_target;
	out->next_target = next_target(m);
	out->boots = m->history.boots;
	out->cause = m->history.count > 0 ? cause_name(m->history.outcome.cause) : NULL;
	if (m->present.state == STATE_STOPPING) {
		out->stop_step = (int)m->requests.stop_step;
		out->stop_action = stop_action(m);
	}
	out->stop_requested = m->requests.stop;
	out->ending = m->present.state >= STATE_ENDING;
	out->run_dir = m->source->run_dir;
	out->state_dir = m->source->state_dir;
	if (m->run.child.job.pid != 0) {
		out->devices = m->told.chosen.devices;
		out->accel = m->boot.plan.accel;
		out->screen = m->told.chosen.screen;
		out->console = m->told.chosen.console;
	}
	if (runs && m->run.child.job.pid != 0) {
		out->pid = (int)m->run.child.job.pid;
		out->uptime_ms = machine_now(m) - m->run.child.started_ms;
	}
	if (m->present.state == STATE_PREPARING && m->preparation.wait_is_told)
		out->waits_for = m->preparation.awaited;
	if (out->waits_for != NULL)
		until_ms = m->preparation.until_ms;
	if (until_ms >= 0 && m->present.state != STATE_RUNNING)
		out->wait_ms = until_ms > machine_now(m) ? until_ms - machine_now(m) : 0;
}

void machine_get_end(const struct machine *m, const char **ended_by, const char **text)
{
	bool ran =
	    m->history.outcome.cause == CAUSE_STOPPED && m->history.counts[CAUSE_STOPPED] > 0;

	*ended_by = ran ? m->history.ended_by : NULL;
	*text = ran ? m->history.did : NULL;
}

int64_t machine_stop_limit_ms(const struct machine *m)
{
	const struct stop_ladder *ladder = &m->boot.spec->stop;
	int64_t ms = 0;

	if (m->present.state != STATE_STOPPING)
		return 0;
	for (size_t i = m->requests.stop_step - 1; i < ladder->count; i++)
		ms += ladder->step[i].wait_ms;
	return ms > 0 ? ms : MAX_KILL_HYPERVISOR_MS;
}

int64_t machine_exits(const struct machine *m, enum cause cause)
{
	return m->history.counts[cause];
}

int64_t machine_exit_date_ms(const struct machine *m)
{
	return m->history.exit_date_ms;
}

int64_t machine_boots(const struct machine *m)
{
	return m->history.boots;
}

struct console *machine_console(struct machine *m)
{
	return &m->console;
}

bool machine_boot_has_console(const struct machine *m)
{
	return m->boot.spec != NULL && spec_has_console(m->boot.spec);
}

bool machine_has_console(const struct machine *m)
{
	return m->console.fd >= 0 || machine_boot_has_console(m);
}

bool machine_may_have_console(const struct machine *m)
{
	const struct document *doc = m->source->doc;

	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (document_has(doc, spec_com_key(i), SPEC_CONSOLE))
			return true;
	}
	/* on_prepare and --set may give one; what they have done is in the spec of the boot. */
	return machine_has_console(m) ||
	    (m->history.boots == 0 && (document_is_script(doc) || m->boot.spec == NULL));
}

bool machine_is_console(const struct wake *wake)
{
	return wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_CONSOLE;
}

void machine_watch_console(struct machine *m)
{
	bool reads = !calls_are_behind(&m->calls);
	bool writes = m->console_watch.control_writes || calls_want_room(&m->calls);

	if (m->console.fd < 0 ||
	    (reads == !m->console_watch.pauses && writes == m->console_watch.writes))
		return;
	m->console_watch.pauses = !reads;
	m->console_watch.writes = writes;
	waitset_want(m->wait, m->console.fd, MACHINE_TAG_CONSOLE, reads, writes);
}

void machine_want_room(struct machine *m, bool wanted)
{
	m->console_watch.control_writes = wanted;
	machine_watch_console(m);
}
