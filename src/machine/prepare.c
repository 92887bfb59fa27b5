/*
 * Prepares a start: finds free names, checks the host and applies fixes, makes taps
 * (prepare_taps.c), starts companions (prepare_companions.c), asks on_start.  Each command runs
 * beside the loop, so a stop request is handled between any two of them.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/clock.h"
#include "platform/os.h"
#include "machine/machine_inside.h"
#include "machine/prepare.h"

#define MAX_FIX_MS 30000  /* kldload and devctl wait for hardware */
#define MAX_GONE_MS 10000 /* the kernel frees a destroyed VM when no process uses it */
#define GONE_LOOK_MS 20	  /* between two checks whether a destroyed VM is gone */

void prepare_clear(struct preparation *p)
{
	facts_clear(&p->facts);
	findings_clear(&p->missing);
	findings_clear(&p->findings);
	free(p->console_fault);
	words_free(&p->tried);
	words_free(&p->refused);
	free(p->fixed);
	free(p->awaited);
	memset(p, 0, sizeof(*p));
}

static struct event_record *say_checked(struct machine *m)
{
	struct event_record *r = event_add(m->events, VMRUN_CHECKED);

	r->event.problems = (int)findings_problems(&m->preparation.findings);
	event_target(r, m->boot.target);
	event_findings(m->events, r);
	return r;
}

static struct next fail_with_findings(struct machine *m)
{
	const struct findings *found = &m->preparation.findings;
	struct str text = { 0 };

	for (size_t i = 0; i < found->count; i++) {
		const struct finding *f = &found->item[i];

		if (f->kind != FINDING_PROBLEM)
			continue;
		MEM_AUTO char *fix = f->fix.count == 0 ? NULL : words_shell_line(&f->fix);

		str_addf(&text, "%s%s: %s%s%s", text.length > 0 ? "\n" : "", f->what, f->text,
		    fix == NULL ? "" : ", fix: ", fix == NULL ? "" : fix);
	}
	MEM_AUTO char *lines = str_take(&text);
	const struct finding *missing = findings_missing_program(found);

	if (missing == NULL)
		return machine_fail(m, CAUSE_CHECK_FAILED, lines);
	m->run.exec_status = missing->exec_status;
	return machine_fail(
	    m, missing->of_loader ? CAUSE_LOADER_FAILED : CAUSE_START_FAILED, lines);
}

static struct next report_and_fail(struct machine *m)
{
	(void)say_checked(m);
	return fail_with_findings(m);
}

static int open_terminal(struct machine *m, struct error *err)
{
	struct spec *spec = m->boot.spec;

	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (spec->com[i] == NULL || strcmp(spec->com[i], SPEC_CONSOLE) != 0 ||
		    spec->com_found[i] != NULL)
			continue;
		if (console_open(&m->console, &spec->console, m->history.boots == 0, err) != 0 ||
		    waitset_watch_fd(m->wait, m->console.fd, MACHINE_TAG_CONSOLE, err) != 0)
			return -1;
		spec->com_found[i] = mem_copy(m->console.path);
	}
	return 0;
}

/*
 * Opens the terminal of the serial port that is vmrun's console; all boots use the same one.
 * Returns false if that fails, and stores why until the next checks.
 */
static bool open_console(struct machine *m)
{
	struct preparation *p = &m->preparation;
	ERROR_AUTO struct error err = { 0 };

	if (p->console_fault == NULL && open_terminal(m, &err) != 0)
		p->console_fault = mem_copy(err.text);
	return p->console_fault == NULL;
}

/* Reports why the console was not opened, unless the check of its log has told it. */
static void add_console_fault(struct machine *m)
{
	struct preparation *p = &m->preparation;
	const char *log = m->boot.spec->console.log, *why;
	struct where at = { NULL, SPEC_CONSOLE, 0 };
	struct findings fault = { 0 };

	if (p->console_fault == NULL || (log != NULL && findings_have(&p->findings, log)))
		return;
	why = str_after(p->console_fault, SPEC_CONSOLE ": ");
	(void)findings_add(&fault, FINDING_PROBLEM, NULL, &at, SPEC_CONSOLE, "%s",
	    why == NULL ? p->console_fault : why);
	findings_move(&p->findings, &fault);
}

/* What is not found fails the boot after the checks, whose problems are reported with it. */
static bool find(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	const struct check_names names = prepare_names(m);
	struct report report = { 0 };
	bool all_found;

	p->open = p->open || spec_is_open(m->boot.spec);
	all_found = open_console(m);
	if (p->open &&
	    !check_find(
		m->boot.spec, m->boot.plan.hyper, &m->host.found, &names, &p->facts, &p->missing))
		return prepare_start_fact(m, next);
	all_found = findings_problems(&p->missing) == 0 && all_found;
	if (!all_found && m->options.no_checks) {
		findings_move(&p->findings, &p->missing);
		add_console_fault(m);
		*next = report_and_fail(m);
		return true;
	}
	if (all_found && p->open && boot_replan(m->source, &m->boot, &report) != 0) {
		*next = machine_fail_with(m, &report);
		return true;
	}
	p->step = m->options.no_checks ? PREPARE_TAKE : PREPARE_CHECK;
	return false;
}

/*
 * Adds what a fix will create to the ledger.  Returns false when that fails, and with it the boot.
 */
static bool note_fix(struct machine *m, const struct finding *f, struct next *next)
{
	struct ledger_thing thing = { .name = mem_copy(f->what),
		.sign = f->sign == NULL ? NULL : mem_copy(f->sign) };

	words_append(&thing.undo, &f->undo);
	words_append(&thing.probe, &f->probe);
	free(m->preparation.fixed);
	m->preparation.fixed = mem_copy(f->what);
	return prepare_note_thing(m, &thing, next);
}

/* Starts the first fix that is allowed and was not tried yet. */
static bool start_fix(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;

	for (size_t i = 0; i < p->findings.count; i++) {
		const struct finding *f = &p->findings.item[i];
		bool may = finding_may_fix(f, m->options.fix, m->options.force);
		MEM_AUTO char *line = may ? words_shell_line(&f->fix) : NULL;

		if (line == NULL || words_have(&p->tried, line))
			continue;
		words_add(&p->tried, line);
		p->fix_takes = f->undo.count > 0 && !ledger_has(m->host.ledger, f->what);
		if (p->fix_takes && !note_fix(m, f, next))
			return true;
		if (f->forced)
			p->gone_until_ms = clock_ms() + MAX_GONE_MS;
		if (machine_try_change(m, &f->fix)) {
			*next = go(STATE_PREPARING, MAX_FIX_MS);
			return true;
		}
		if (p->fix_takes && !m->helper.job.ran)
			ledger_drop(m->host.ledger, f->what); /* nothing was created */
		break; /* this problem stays, so the other fixes would not lead to a start */
	}
	return false;
}

void prepare_check_again(struct preparation *p)
{
	facts_clear(&p->facts);
	findings_clear(&p->missing);
	findings_clear(&p->findings);
	free(p->console_fault);
	p->console_fault = NULL;
	/* Another program may have taken a free name or port in the meantime. */
	if (p->step == PREPARE_CHECK)
		p->step = PREPARE_FIND;
}

/*
 * Returns whether fixes that were not tried yet can mend all problems, with those of every device
 * (`all`) or the allowed ones.  A VM that was destroyed by force may still disappear.
 */
static bool is_mendable(const struct machine *m, bool all)
{
	const struct preparation *p = &m->preparation;

	return findings_mendable(
	    &p->findings, all, m->options.force, &p->tried, clock_ms() < p->gone_until_ms);
}

/* Asks whether to apply fixes, before the first boot only: later the user may be gone. */
static bool ask_user(struct machine *m, struct next *next)
{
	if (!m->options.ask || m->options.fix || m->history.boots > 0 || !is_mendable(m, true))
		return false;
	say_checked(m)->event.asks = true;
	m->preparation.user_is_asked = true;
	*next = go(STATE_PREPARING, -1);
	return true;
}

static void say_unchecked(struct machine *m)
{
	for (size_t i = 0; i < m->preparation.findings.count; i++) {
		const struct finding *f = &m->preparation.findings.item[i];

		if (f->kind != FINDING_UNCHECKED)
			continue;
		MEM_AUTO char *text = mem_format("not checked: %s", f->text);

		machine_note(m, text);
	}
}

/* Checks the host.  Returns false while a fact is missing; *waits: its command runs. */
static bool look(struct machine *m, bool left_over, bool *waits, struct next *next)
{
	struct preparation *p = &m->preparation;
	WORDS_AUTO struct words ours = { 0 };
	struct check_request request = { .spec = m->boot.spec,
		.plan = &m->boot.plan,
		.again = m->history.boots > 0,
		.left_over = left_over,
		.missing = &p->missing,
		.ours = &ours,
		.facts = &p->facts };

	for (size_t i = 0; i < ledger_count(m->host.ledger); i++)
		words_add(&ours, ledger_at(m->host.ledger, i)->name);
	words_append(&ours, &m->host.locks.paths);
	if (check_boot(&request, &p->findings)) {
		add_console_fault(m);
		return true;
	}
	*waits = prepare_start_fact(m, next);
	return false;
}

/* Returns whether companions make something that the checks have left over. */
static bool leaves_some(const struct findings *found)
{
	for (size_t i = 0; i < found->count; i++) {
		if (found->item[i].kind == FINDING_MADE)
			return true;
	}
	return false;
}

static bool check(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	bool waits;

	if (!look(m, false, &waits, next))
		return waits;
	if (findings_problems(&p->findings) == 0) {
		say_unchecked(m);
		p->left_over = leaves_some(&p->findings);
		if (!p->left_over)
			(void)say_checked(m);
		p->step = PREPARE_TAKE;
		return false;
	}
	if (prepare_search_ports_again(m))
		return false;
	if (is_mendable(m, m->options.fix) && start_fix(m, next))
		return true;
	if (is_mendable(m, m->options.fix)) /* what was destroyed by force disappears */
		*next = go(STATE_PREPARING, GONE_LOOK_MS);
	else if (!ask_user(m, next))
		*next = report_and_fail(m);
	return true;
}

/* Checks what the companions have made, and locks the disks among that. */
static bool check_left_over(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	bool waits;

	if (p->left_over) {
		if (!look(m, true, &waits, next))
			return waits;
		if (findings_problems(&p->findings) > 0) {
			*next = report_and_fail(m);
			return true;
		}
		say_unchecked(m);
		(void)say_checked(m);
	}
	p->step = PREPARE_ASK;
	return !prepare_lock_disks(m, true, next);
}

/* Asks on_start, the last step; its answer decides about the boot. */
static bool ask_hooks(struct machine *m, struct next *next)
{
	*next = go(STATE_PREPARING, -1);
	hooks_call(m, &hooks_start, m->boot.spec);
	return true;
}

/*
 * Runs step after step until one returns true: it has to wait, or the boot has failed, and *next
 * says what follows.
 */
static struct next step_on(struct machine *m)
{
	static bool (*const steps[])(struct machine * m, struct next * next) = {
		[PREPARE_WAIT] = prepare_wait_for,
		[PREPARE_FIND] = find,
		[PREPARE_CHECK] = check,
		[PREPARE_TAKE] = prepare_taps,
		[PREPARE_COMPANIONS] = prepare_companions,
		[PREPARE_LEFT] = check_left_over,
		[PREPARE_ASK] = ask_hooks,
	};
	struct next next = stay();

	_Static_assert(sizeof(steps) / sizeof(steps[0]) == PREPARE_STEPS, "a function for a step");
	while (!steps[m->preparation.step](m, &next))
		;
	return next;
}

/* Tells the notes of the plan that no earlier boot had. */
static void say_notes(struct machine *m)
{
	const struct words *notes = &m->boot.plan.notes;

	/* Specs of on_prepare may have new notes at every boot: the list must not grow for ever. */
	if (m->told.notes.count > MAX_NOTES)
		words_free(&m->told.notes);
	for (size_t i = 0; i < notes->count; i++) {
		if (words_have(&m->told.notes, notes->item[i]))
			continue;
		machine_note(m, notes->item[i]);
		words_add(&m->told.notes, notes->item[i]);
	}
}

static void announce(struct machine *m)
{
	machine_say_forecast(m);
	event_target(event_add(m->events, VMRUN_STARTING), m->boot.target);
	say_notes(m);
}

struct next prepare_begin(struct machine *m)
{
	announce(m);
	prepare_clear(&m->preparation);
	prepare_raise_taps_again(m);
	if (m->options.simulation != NULL) {
		if (!simulation_check(m))
			return machine_fail(m, CAUSE_CHECK_FAILED, "");
		m->preparation.step = PREPARE_ASK;
	}
	return step_on(m);
}

static struct next fix_ended(struct machine *m)
{
	struct preparation *p = &m->preparation;
	const char *line = p->tried.item[p->tried.count - 1];

	if (m->helper.status == 0) {
		struct event_record *r = event_add(m->events, VMRUN_FIXED);

		event_target(r, m->boot.target);
		event_text(r, line);
		if (p->fix_takes)
			ledger_confirm(m->host.ledger, p->fixed);
	} else {
		MEM_AUTO char *said = helper_trouble(&m->helper);
		MEM_AUTO char *text = mem_format("`%s` failed: %s", line, said);

		/* A fix that failed created nothing; one that was killed may have. */
		if (p->fix_takes && m->helper.status > 0)
			ledger_drop(m->host.ledger, p->fixed);
		machine_warn(m, text);
	}
	prepare_check_again(p);
	return step_on(m);
}

struct next prepare_helper_ended(struct machine *m)
{
	struct preparation *p = &m->preparation;
	struct next next;

	if (p->fact_command_runs) {
		prepare_fact_ended(m);
	} else if (p->step == PREPARE_TAKE) {
		if (!prepare_tap_command_ended(m, &next))
			return next;
	} else if (p->step == PREPARE_CHECK) {
		return fix_ended(m);
	}
	return step_on(m);
}

/* Handles a helper that timed out, or checks again. */
struct next prepare_late(struct machine *m)
{
	if (m->helper.job.pid == 0) {
		prepare_check_again(&m->preparation);
		return step_on(m);
	}
	if (!machine_end_late_helper(m))
		return go(STATE_PREPARING, MAX_KILL_MS);
	return prepare_helper_ended(m);
}

/* Boots the target that on_start named, with its own hooks and checks. */
static struct next go_instead(struct machine *m, const char *target, const char *why)
{
	MEM_AUTO char *text = NULL;

	if (m->draft.detours++ < MAX_DETOURS) {
		machine_note(m, why);
		free(m->choice.next_target);
		m->choice.next_target = mem_copy(target);
		return go(STATE_DRAFTING, -1);
	}
	m->draft.detours = 0; /* the next boot may make as many again */
	text = mem_format("%s: endless loop in on_start", why);
	return machine_fail(m, CAUSE_CHECK_FAILED, text);
}

struct next prepare_hook_ended(struct machine *m)
{
	MEM_AUTO char *refusal = m->draft.refusal;
	MEM_AUTO char *target = m->draft.instead;

	/* Both apply to this boot only. */
	m->draft.refusal = m->draft.instead = NULL;
	if (target != NULL && strcmp(target, m->boot.target) != 0)
		return go_instead(m, target, refusal);
	if (target == NULL && refusal != NULL)
		return machine_fail(m, CAUSE_CHECK_FAILED, refusal);
	m->draft.detours = 0;
	return go(STATE_STARTING, -1);
}

struct next prepare_fix(struct machine *m)
{
	struct preparation *p = &m->preparation;

	if (!p->user_is_asked)
		return stay();
	p->user_is_asked = false;
	if (!m->requests.fix)
		return fail_with_findings(m);
	m->options.fix = true;
	prepare_check_again(p);
	return step_on(m);
}

struct next prepare_stop(struct machine *m)
{
	helper_abandon(&m->helper);
	return machine_end_stopped(m);
}
