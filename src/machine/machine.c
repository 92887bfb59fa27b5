/* The table of states and events, and the machine that follows it. */
#include "machine/machine.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "machine/machine_inside.h"
#include "machine/cleanup.h"
#include "machine/decide.h"
#include "machine/draft.h"
#include "machine/ending.h"
#include "machine/prepare.h"
#include "machine/recovery.h"
#include "machine/hypervisor.h"
#include "machine/stop.h"

/* Returns whether the deadline of the hooks' calls comes before the state's. */
static bool hook_is_next(const struct machine *m)
{
	int64_t until_ms = calls_until_ms(&m->calls);

	return until_ms >= 0 && (m->present.deadline_ms < 0 || until_ms <= m->present.deadline_ms);
}

int64_t machine_until_ms(const struct machine *m)
{
	int64_t at = hook_is_next(m) ? calls_until_ms(&m->calls) : m->present.deadline_ms;

	return clock_earlier(at, guest_until_ms(m));
}

bool machine_computes(const struct machine *m)
{
	return calls_compute(&m->calls);
}

#define TO(state) ((uint32_t)1 << STATE_##state)

const struct state_row machine_states[STATES] = {
	[STATE_NEW] = { "new", .leads_to = TO(RECOVERING) | TO(WAITING) },
	[STATE_RECOVERING] = { "recovering", recovery_begin,
	    { [EVENT_HELPER] = recovery_helper_ended,
		[EVENT_DEADLINE] = recovery_late,
		[EVENT_STOP] = recovery_stop,
		[EVENT_KILL] = recovery_stop },
	    TO(WAITING) | TO(ENDED) },
	[STATE_WAITING] = { "waiting", draft_or_wait,
	    { [EVENT_DEADLINE] = draft_or_prepare,
		[EVENT_STOP] = machine_end_stopped,
		[EVENT_KILL] = machine_end_stopped,
		[EVENT_REBOOT] = decide_reboot_waiting },
	    TO(DRAFTING) | TO(PREPARING) | TO(ENDING) },
	[STATE_DRAFTING] = { "drafting", draft_begin,
	    { [EVENT_HOOK_ENDED] = draft_hook_ended,
		[EVENT_STOP] = draft_stop,
		[EVENT_KILL] = draft_stop },
	    TO(PREPARING) | TO(DECIDING) | TO(ENDING) },
	[STATE_PREPARING] = { "preparing", prepare_begin,
	    { [EVENT_HELPER] = prepare_helper_ended,
		[EVENT_HOOK_ENDED] = prepare_hook_ended,
		[EVENT_DEADLINE] = prepare_late,
		[EVENT_STOP] = prepare_stop,
		[EVENT_KILL] = prepare_stop,
		[EVENT_FIX] = prepare_fix },
	    TO(DRAFTING) | TO(STARTING) | TO(DECIDING) | TO(ENDING) },
	[STATE_STARTING] = { "starting", hypervisor_start,
	    .leads_to = TO(LOADING) | TO(RUNNING) | TO(DECIDING) },
	[STATE_LOADING] = { "loading", hypervisor_load,
	    { [EVENT_EXIT] = hypervisor_loaded,
		[EVENT_DEADLINE] = hypervisor_load_late,
		[EVENT_STOP] = hypervisor_load_stop,
		[EVENT_KILL] = hypervisor_load_stop },
	    TO(RUNNING) | TO(CLEANING) | TO(DECIDING) },
	[STATE_RUNNING] = { "running", hypervisor_spawn,
	    { [EVENT_EXIT] = hypervisor_exited,
		[EVENT_UP] = hypervisor_up,
		[EVENT_DEADLINE] = hypervisor_late,
		[EVENT_STOP] = stop_begin,
		[EVENT_UNFIT] = stop_unfit,
		[EVENT_KILL] = stop_kill,
		[EVENT_REBOOT] = stop_reboot },
	    TO(STOPPING) | TO(CLEANING) | TO(DECIDING) },
	[STATE_STOPPING] = { "stopping", NULL,
	    { [EVENT_EXIT] = hypervisor_exited,
		[EVENT_DEADLINE] = stop_late,
		[EVENT_STOP] = stop_hurry,
		[EVENT_KILL] = stop_kill,
		[EVENT_REBOOT] = stop_reboot },
	    TO(CLEANING) },
	[STATE_CLEANING] = { "cleaning", cleanup_begin,
	    { [EVENT_HELPER] = cleanup_helper_ended,
		[EVENT_DEADLINE] = cleanup_late,
		[EVENT_STOP] = cleanup_stop,
		[EVENT_KILL] = cleanup_stop,
		[EVENT_REBOOT] = cleanup_reboot },
	    TO(DECIDING) | TO(ENDING) },
	[STATE_DECIDING] = { "deciding", decide_begin,
	    { [EVENT_HOOK_ENDED] = decide_hook_ended,
		[EVENT_CALLS_ENDED] = decide_ask,
		[EVENT_STOP] = decide_stop,
		[EVENT_KILL] = decide_stop,
		[EVENT_REBOOT] = decide_reboot },
	    TO(WAITING) | TO(GIVING_UP) | TO(ENDING) },
	[STATE_GIVING_UP] = { "giving up", decide_give_up,
	    { [EVENT_HOOK_ENDED] = decide_give_up_hook_ended,
		[EVENT_STOP] = machine_end_stopped,
		[EVENT_KILL] = machine_end_stopped,
		[EVENT_REBOOT] = decide_reboot,
		[EVENT_RESET] = decide_reset_later },
	    TO(WAITING) | TO(GIVEN_UP) | TO(ENDING) },
	[STATE_GIVEN_UP] = { "given up", NULL,
	    { [EVENT_STOP] = machine_end_stopped,
		[EVENT_KILL] = machine_end_stopped,
		[EVENT_REBOOT] = decide_reboot_given_up,
		[EVENT_RESET] = decide_reset },
	    TO(WAITING) | TO(ENDING) },
	[STATE_ENDING] = { "ending", ending_begin,
	    { [EVENT_HELPER] = ending_helper_ended,
		[EVENT_COMPANION] = ending_companion_gone,
		[EVENT_DEADLINE] = ending_late },
	    TO(REPORTING) },
	[STATE_REPORTING] = { "reporting", ending_report,
	    { [EVENT_HOOK_ENDED] = ending_hook_ended,
		[EVENT_COMMANDS_ENDED] = ending_hook_ended,
		[EVENT_STOP] = ending_hurry,
		[EVENT_KILL] = ending_hurry },
	    TO(ENDED) },
	[STATE_ENDED] = { .name = "ended", .enter = ending_farewell },
};

/*
 * Enters a state and sets its deadline.  The state's action runs unless the machine is in it
 * already.
 */
static struct next enter(struct machine *m, struct next next)
{
	const struct state_row *row = &machine_states[next.state];
	bool is_new = next.state != m->present.state;

	assert(!is_new ||
	    (machine_states[m->present.state].leads_to & (uint32_t)1 << next.state) != 0);
	if (is_new && m->present.entered != NULL)
		m->present.entered(m->present.state, next.state);
	m->present.state = next.state;
	m->present.deadline_ms = next.ms < 0 ? -1 : machine_now(m) + next.ms;
	return is_new && row->enter != NULL ? row->enter(m) : stay();
}

bool machine_accepts(const struct machine *m, enum event event)
{
	return machine_states[m->present.state].on[event] != NULL;
}

static bool take(bool *flag)
{
	bool was_set = *flag;

	*flag = false;
	return was_set;
}

/* Returns what has followed from the calls of hooks, an event of theirs, or EVENTS: nothing. */
static enum event event_of_calls(struct machine *m)
{
	bool main_ended = take(&m->calls.main_ended), ended = take(&m->calls.lasting_ended);

	/* A stop that a hook has asked for waits for the end of the hook. */
	if (main_ended && take(&m->requests.stop_after_hook) && machine_accepts(m, EVENT_STOP))
		return EVENT_STOP;
	if (main_ended)
		return EVENT_HOOK_ENDED;
	if (ended)
		return EVENT_CALLS_ENDED;
	return m->present.state == STATE_REPORTING && m->calls.main == NULL &&
		!calls_have_commands(&m->calls)
	    ? EVENT_COMMANDS_ENDED
	    : EVENTS;
}

/* Enters what an action returned, and continues while calls of hooks have ended. */
static void follow(struct machine *m, struct next next)
{
	struct hook_demand demand;

	for (;;) {
		enum event event;

		if (next.state != STATES) {
			next = enter(m, next);
			continue;
		}
		event = event_of_calls(m);
		if (event != EVENTS && machine_accepts(m, event))
			next = machine_states[m->present.state].on[event](m);
		else if (event == EVENTS && !m->requests.serves_hook &&
		    calls_demand(&m->calls, &demand))
			hooks_serve_demand(m, &demand);
		else if (event == EVENTS)
			break;
	}
	history_flush(m);
	guest_note_start(m);
	machine_watch_console(m);
}

void machine_handle(struct machine *m, enum event event)
{
	action *act = machine_states[m->present.state].on[event];

	if (act != NULL)
		follow(m, act(m));
}

void machine_settle(struct machine *m)
{
	follow(m, stay());
}

void machine_deadline(struct machine *m)
{
	int64_t now = machine_now(m), at = machine_until_ms(m);

	if (at < 0 || at > now)
		return;
	if (guest_until_ms(m) == at) {
		guest_deadline(m);
		machine_settle(m);
		return;
	}
	/* The earlier one first: a hook that computes is always due. */
	if (hook_is_next(m)) {
		calls_wake(&m->calls);
		machine_settle(m);
	} else {
		m->present.late_ms = now - m->present.deadline_ms;
		m->present.deadline_ms = -1;
		machine_handle(m, EVENT_DEADLINE);
	}
}

void machine_reopen_logs(struct machine *m)
{
	console_log_reopen(&m->console.log);
}

void machine_restore_terminal(const struct machine *m)
{
	if (m->run.child.job.pid != 0)
		child_restore_terminal(&m->run.child);
}

/* Handles the exit of a process other than the hypervisor. */
static void process_ended(struct machine *m, pid_t pid)
{
	if (prepare_companion_ended(m, pid)) {
		machine_handle(m, EVENT_COMPANION);
	} else if (pid == m->run.script.job.pid) {
		(void)helper_ended(&m->run.script, pid);
		hypervisor_script_ended(m);
	} else if (!guest_command_ended(m, pid) && !calls_command_ended(&m->calls, pid) &&
	    helper_ended(&m->helper, pid)) {
		machine_handle(m, EVENT_HELPER);
	}
}

/* Reads what the guest has printed; the console may also take more. */
static void console_is_ready(struct machine *m)
{
	if (!m->console_watch.pauses) /* else only the room for input has woken us up */
		(void)console_read(&m->console);
	calls_console(&m->calls);
}

void machine_wake(struct machine *m, const struct wake *wake)
{
	if (wake->kind == WAKE_DEADLINE)
		machine_deadline(m);
	else if (wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_OUTPUT)
		helper_read(&m->helper);
	else if (wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_SCRIPT)
		helper_read(&m->run.script);
	else if (wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_CONSOLE)
		console_is_ready(m);
	else if (wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_GUEST)
		guest_read(m);
	else if (wake->kind == WAKE_READABLE && wake->tag >= MACHINE_TAG_HOOK &&
	    wake->tag < MACHINE_TAGS)
		calls_read(&m->calls, wake->tag - MACHINE_TAG_HOOK);
	else if (wake->kind == WAKE_READABLE && wake->tag >= MACHINE_TAGS)
		companions_read(&m->companions, wake->tag - MACHINE_TAGS);
	else if (wake->kind == WAKE_READABLE)
		machine_read_channel(m, (enum channel)wake->tag);
	else if (wake->tag == CHILD_TAG_END)
		machine_handle(m, EVENT_EXIT);
	else
		process_ended(m, (pid_t)(wake->tag - (uintptr_t)MACHINE_TAGS));
	machine_settle(m);
}

static void say_line(void *context, const char *line)
{
	struct machine *m = context;

	struct event_record *r = event_add(m->events, VMRUN_OUTPUT);

	event_text(r, line);
	if (m->run.child.role == CHILD_LOADER)
		event_by(r, m->boot.plan.loading.argv.item[0]);
	else
		hypervisor_said(m, line);
}

static void add_pid_file(struct machine *m, const char *path)
{
	char cwd[PATH_MAX];

	if (path == NULL)
		return;
	if (*path == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		words_add(&m->host.pid_files, path);
	else
		words_addf(&m->host.pid_files, "%s/%s", cwd, path);
}

static void warn(void *context, const char *text)
{
	machine_warn(context, text);
}

static int open_pid_files(struct machine *m, struct error *err)
{
	const struct machine_options *o = &m->options;

	add_pid_file(m, o->pid_file);
	add_pid_file(m, o->own_pid_file);
	for (size_t i = 0; i < m->host.pid_files.count; i++) {
		if (ledger_take_pid_file(m->host.ledger, m->host.pid_files.item[i], err) != 0)
			return -1;
	}
	if ((o->own_pid_file != NULL &&
		pidfile_open(&m->host.own_pidfile, o->own_pid_file, err) != 0) ||
	    (o->pid_file != NULL && pidfile_open(&m->run.pidfile, o->pid_file, err) != 0))
		return -1;
	return pidfile_write(&m->host.own_pidfile, getpid(), err);
}

static int open_files(struct machine *m, struct error *err)
{
	struct ledger_options options = { .directory = m->options.directory,
		.vm = m->events->vm,
		.set_aside = m->options.force,
		.warn = warn,
		.context = m };

	if (ledger_open(&m->host.ledger, &options, err) != 0)
		return -1;
	if (open_pid_files(m, err) != 0)
		return -1;
	namelock_open(&m->host.names, m->options.directory);
	history_begin(m);
	return 0;
}

struct machine *machine_new(struct boot_source *source, const struct machine_options *options,
    struct boot *first, struct event_queue *events, struct waitset *wait, struct report *report)
{
	struct machine *m = mem_zero(sizeof(*m));
	struct error err = { 0 };

	m->source = source;
	m->options = *options;
	m->events = events;
	m->wait = wait;
	m->history.outcome.status = -1;
	m->history.guest_status = -1;
	m->present.deadline_ms = -1;
	m->requests.status = -1;
	console_init(&m->console);
	guest_listen(m);
	m->console.log.warn = warn;
	m->console.log.warn_context = m;
	m->run.child.say = say_line;
	m->run.child.tell_thread = guest_pin;
	m->run.child.say_context = m;
	if (open_files(m, &err) != 0) {
		report_take(report, NULL, &err);
		machine_free(m);
		return NULL;
	}
	hooks_open(m);
	m->companions.wait = m->wait;
	m->companions.events = events;
	m->companions.first_tag = MACHINE_TAGS;
	m->companions.end_tag = machine_helper_tag;
	if (first->spec == NULL)
		m->choice.next_target = mem_copy(options->target);
	m->boot = *first;
	memset(first, 0, sizeof(*first));
	return m;
}

void machine_start(struct machine *m)
{
	bool recovers = ledger_needs_recovery(m->host.ledger);

	follow(m, go(recovers ? STATE_RECOVERING : STATE_WAITING, 0));
	if (m->options.simulation != NULL)
		simulation_run(m);
}

static void kill_all(struct machine *m)
{
	struct outcome outcome;

	if (m->run.child.job.pid != 0) {
		child_signal(&m->run.child, SIGKILL);
		(void)child_finish(&m->run.child, &outcome, NULL);
	}
	child_free(&m->run.child);
	helper_free(&m->helper);
	helper_free(&m->run.script);
	guest_free(m);
	companions_clear(&m->companions);
}

void machine_free(struct machine *m)
{
	if (m == NULL)
		return;
	calls_close(&m->calls);
	if (m->present.state != STATE_NEW && m->present.state != STATE_ENDED)
		history_write_end(m,
		    m->run.child.job.pid != 0 ? "closed by its program, which killed the VM"
					      : "closed by its program before the end");
	kill_all(m);
	draft_clear(m);
	decision_clear(&m->choice.decision);
	node_free(m->choice.answer);
	free(m->choice.answer_label);
	rate_limit_free(&m->choice.rate_limit);
	(void)pidfile_close(&m->run.pidfile);
	(void)pidfile_close(&m->host.own_pidfile);
	undo_close(m);
	words_free(&m->host.pid_files);
	free(m->host.undo.why);
	free(m->choice.next_target);
	free(m->requests.reboot_to);
	free(m->requests.once_target);
	free(m->choice.refused_target);
	prepare_clear(&m->preparation);
	disklock_release(&m->host.locks);
	namelock_close(&m->host.names);
	console_close(&m->console);
	pairs_free(&m->host.found);
	for (int i = 0; i < TAP_STEPS; i++)
		words_free(&m->host.taps_done[i]);
	history_free(m);
	boot_clear(&m->boot);
	chosen_clear(&m->told.chosen);
	words_free(&m->told.lines);
	words_free(&m->told.notes);
	free(m);
}

bool machine_ended(const struct machine *m)
{
	return m->present.state == STATE_ENDED;
}

int machine_status(const struct machine *m)
{
	return m->end.status;
}

const struct findings *machine_findings(const struct machine *m)
{
	return &m->preparation.findings;
}

int machine_guest_status(const struct machine *m)
{
	return m->history.guest_status;
}
