/* States, events, and the table that joins them. */
#include "machine/machine.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "machine/machine_inside.h"

#define HELPER_KILL_MS                                                             \
	1000 /* for a killed command to die; one that hangs in the kernel does not \
	      */

typedef void action(struct machine *m);

uintptr_t machine_helper_tag(pid_t pid)
{
	return (uintptr_t)MACHINE_TAGS + (uintptr_t)pid;
}

int64_t machine_now(const struct machine *m)
{
	return m->simulation != NULL ? m->simulation->now_ms : clock_ms();
}

int64_t machine_until_ms(const struct machine *m)
{
	if (m->asking.task != NULL && (m->deadline_ms < 0 || m->asking.until_ms < m->deadline_ms))
		return m->asking.until_ms;
	return m->deadline_ms;
}

void machine_enter(struct machine *m, enum state state, int64_t ms)
{
	m->state = state;
	m->deadline_ms = ms < 0 ? -1 : machine_now(m) + ms;
}

bool machine_help(struct machine *m, const struct words *command, enum helper_capture capture)
{
	struct error err = { 0 };

	if (helper_start(&m->helper, command, capture, m->wait, MACHINE_TAG_OUTPUT,
		machine_helper_tag, &err) == 0)
		return true;
	boots_warn(m, err.text);
	error_clear(&err);
	return false;
}

bool machine_helper_late(struct machine *m)
{
	if (!m->helper.killed) {
		helper_kill(&m->helper);
		machine_enter(m, m->state, HELPER_KILL_MS);
		return false;
	}
	helper_give_up(&m->helper, m->wait);
	return true;
}

void machine_cleanup_failed(struct machine *m, const char *text)
{
	m->cleanup_failed = true;
	boots_warn(m, text);
}

bool machine_must_panic(const struct machine *m)
{
	return m->cleanup_failed && m->options.panic;
}

static void end_loading(struct machine *m)
{
	m->gave_up = true;
	child_signal(&m->child, SIGKILL);
}

/* It took its time to say its first word, and hangs: qemu does with a broken helper. */
static void give_up_on_start(struct machine *m)
{
	/* We slept too, as a stopped process group does: the time was not the hypervisor's. */
	if (m->late_ms > 1000) {
		machine_enter(m, STATE_RUNNING, ANSWER_MS);
		return;
	}
	boots_warn(m, "the hypervisor does not answer: killed");
	m->gave_up = true;
	child_signal(&m->child, SIGKILL);
}

static void running_late(struct machine *m)
{
	if (m->awaits_answer)
		give_up_on_start(m);
	else
		boots_look_at_lock(m);
}

/* A blank cell: nothing to do in this state. */
static action *const actions[STATES][HAPPENINGS] = {
	[STATE_RECOVERING] = { [HAPPENED_HELPER] = recovery_helper_ended,
	    [HAPPENED_DEADLINE] = recovery_late,
	    [HAPPENED_STOP] = recovery_stop },
	[STATE_WAITING] = { [HAPPENED_DEADLINE] = boots_begin, [HAPPENED_STOP] = stopping_waiting },
	[STATE_DRAFTING] = { [HAPPENED_STOP] = boots_stop_asking },
	[STATE_PREPARING] = { [HAPPENED_HELPER] = preparing_go_on,
	    [HAPPENED_DEADLINE] = preparing_late,
	    [HAPPENED_STOP] = preparing_stop },
	[STATE_LOADING] = { [HAPPENED_EXIT] = boots_loaded,
	    [HAPPENED_DEADLINE] = end_loading,
	    [HAPPENED_STOP] = stopping_loading },
	[STATE_RUNNING] = { [HAPPENED_EXIT] = boots_exited,
	    [HAPPENED_STOP] = stopping_begin,
	    [HAPPENED_DEADLINE] = running_late },
	[STATE_STOPPING] = { [HAPPENED_EXIT] = boots_exited,
	    [HAPPENED_STOP] = stopping_hurry,
	    [HAPPENED_DEADLINE] = stopping_step },
	[STATE_CLEANING] = { [HAPPENED_HELPER] = cleaning_helper_ended,
	    [HAPPENED_DEADLINE] = cleaning_deadline,
	    [HAPPENED_STOP] = stopping_cleaning },
	[STATE_DECIDING] = { [HAPPENED_STOP] = boots_stop_asking },
	[STATE_GIVEN_UP] = { [HAPPENED_RESET] = deciding_reset,
	    [HAPPENED_STOP] = stopping_waiting },
	[STATE_ENDING] = { [HAPPENED_HELPER] = ending_go_on, [HAPPENED_DEADLINE] = ending_late },
	[STATE_REPORTING] = { [HAPPENED_STOP] = boots_farewell },
};

void machine_happen(struct machine *m, enum happening what)
{
	action *const act = actions[m->state][what];

	if (act != NULL)
		act(m);
}

void machine_deadline(struct machine *m)
{
	int64_t now = machine_now(m);

	if (m->asking.task != NULL && m->asking.until_ms <= now) {
		asking_wake(m);
	} else if (m->deadline_ms >= 0 && m->deadline_ms <= now) {
		m->late_ms = now - m->deadline_ms;
		m->deadline_ms = -1;
		machine_happen(m, HAPPENED_DEADLINE);
	}
}

static void warn_of_log(void *context, const char *text)
{
	boots_warn(context, text);
}

void machine_reopen_logs(struct machine *m)
{
	console_log_reopen(&m->console.log);
}

void machine_restore_terminal(const struct machine *m)
{
	if (m->child.pid != 0)
		child_restore_terminal(&m->child);
}

/* One of the processes that are not the hypervisor. */
static void process_ended(struct machine *m, pid_t pid)
{
	if (beside_ended(m, pid)) {
		if (m->state == STATE_ENDING)
			ending_companion_gone(m);
	} else if (pid == m->script.pid) {
		(void)helper_ended(&m->script, pid, m->wait);
		beside_script_ended(m);
	} else if (asking_ended(m, pid)) {
		return;
	} else if (helper_ended(&m->helper, pid, m->wait)) {
		machine_happen(m, HAPPENED_HELPER);
	}
}

static void read_channel(struct machine *m, enum channel channel)
{
	child_read(&m->child, channel);
	if (m->awaits_answer && m->child.signs.answered) {
		m->awaits_answer = false;
		if (m->state == STATE_RUNNING)
			boots_up(m);
	}
}

void machine_wake(struct machine *m, const struct wake *wake)
{
	if (wake->kind == WAKE_DEADLINE)
		machine_deadline(m);
	else if (wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_OUTPUT)
		helper_read(&m->helper, m->wait);
	else if (wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_SCRIPT)
		helper_read(&m->script, m->wait);
	else if (wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_CONSOLE)
		(void)console_read(&m->console);
	else if (wake->kind == WAKE_READABLE && wake->tag >= MACHINE_TAG_HOOK &&
	    wake->tag < MACHINE_TAGS)
		asking_read(m, (int)(wake->tag - MACHINE_TAG_HOOK));
	else if (wake->kind == WAKE_READABLE && wake->tag >= MACHINE_TAGS)
		companions_read(&m->companions, wake->tag - MACHINE_TAGS);
	else if (wake->kind == WAKE_READABLE)
		read_channel(m, (enum channel)wake->tag);
	else if (wake->tag == CHILD_TAG_END)
		machine_happen(m, HAPPENED_EXIT);
	else
		process_ended(m, (pid_t)(wake->tag - (uintptr_t)MACHINE_TAGS));
}

void machine_answer(struct machine *m, bool fix)
{
	preparing_answer(m, fix);
}

static void say_line(void *context, const char *line)
{
	struct machine *m = context;

	struct event_record *r = event_add(m->events, VMRUN_OUTPUT);

	event_text(r, line);
	if (m->child.role == CHILD_LOADER)
		event_by(r, m->boot.plan.loading.argv.item[0]);
}

static void add_pid_file(struct machine *m, const char *path)
{
	char cwd[PATH_MAX];

	if (path == NULL)
		return;
	if (*path == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		words_add(&m->pid_files, path);
	else
		words_addf(&m->pid_files, "%s/%s", cwd, path);
}

static void warn(void *context, const char *text)
{
	boots_warn(context, text);
}

static int open_pid_files(struct machine *m, struct error *err)
{
	const struct machine_options *o = &m->options;

	add_pid_file(m, o->pid_file);
	add_pid_file(m, o->own_pid_file);
	for (size_t i = 0; i < m->pid_files.count; i++) {
		if (ledger_take_pid_file(m->ledger, m->pid_files.item[i], err) != 0)
			return -1;
	}
	if ((o->own_pid_file != NULL && pidfile_open(&m->own_pidfile, o->own_pid_file, err) != 0) ||
	    (o->pid_file != NULL && pidfile_open(&m->pidfile, o->pid_file, err) != 0))
		return -1;
	return pidfile_write(&m->own_pidfile, getpid(), err);
}

static int open_files(struct machine *m, struct error *err)
{
	struct ledger_options options = { .directory = m->options.folder,
		.vm = m->events->vm,
		.set_aside = m->options.force,
		.warn = warn,
		.context = m };

	if (ledger_open(&m->ledger, &options, err) != 0)
		return -1;
	if (open_pid_files(m, err) != 0) {
		ledger_restore(m->ledger);
		return -1;
	}
	return 0;
}

struct machine *machine_new(struct boot_source *source, const struct machine_options *options,
    struct boot *first, struct event_queue *events, struct waitset *wait, struct report *report)
{
	struct machine *m = mem_zero(sizeof(*m));
	struct error err = { 0 };

	m->source = source;
	m->options = *options;
	m->simulation = options->simulation;
	m->events = events;
	m->wait = wait;
	m->outcome.status = -1;
	m->deadline_ms = -1;
	m->asking.running = (struct running)RUNNING;
	console_init(&m->console);
	m->console.log.warn = warn_of_log;
	m->console.log.warn_context = m;
	m->helper.fd = m->script.fd = -1;
	for (int i = 0; i < CHANNELS; i++)
		m->child.fd[i] = -1;
	m->child.say = say_line;
	m->child.say_context = m;
	if (open_files(m, &err) != 0) {
		report_take(report, NULL, &err);
		machine_free(m);
		return NULL;
	}
	m->companions.wait = m->wait;
	m->companions.events = events;
	m->companions.first_tag = MACHINE_TAGS;
	m->companions.end_tag = machine_helper_tag;
	if (first->spec == NULL)
		m->next_target = mem_copy(options->target);
	m->boot = *first;
	memset(first, 0, sizeof(*first));
	return m;
}

void machine_start(struct machine *m)
{
	if (ledger_needs_recovery(m->ledger))
		recovery_begin(m);
	else
		machine_enter(m, STATE_WAITING, 0);
	if (m->simulation != NULL)
		simulation_walk(m);
}

static void kill_all(struct machine *m)
{
	struct outcome outcome;
	struct error ignored = { 0 };

	if (m->child.pid != 0) {
		child_signal(&m->child, SIGKILL);
		(void)child_finish(&m->child, &outcome, &ignored);
	}
	helper_free(&m->helper, m->wait);
	helper_free(&m->script, m->wait);
	companions_clear(&m->companions);
	error_clear(&ignored);
}

/* Gives back what is still taken, where no loop follows. */
static void close_ledger(struct machine *m)
{
	if (m->ledger == NULL)
		return;
	if (!m->left_alone && m->state != STATE_ENDED && m->state != STATE_RECOVERING) {
		undoing_now(m);
		undoing_end(m);
		ledger_drop_pid_files(m->ledger);
	} else if (m->state == STATE_RECOVERING) {
		ledger_restore(m->ledger);
	}
	ledger_close(m->ledger);
}

void machine_free(struct machine *m)
{
	if (m == NULL)
		return;
	asking_end(m);
	kill_all(m);
	drafting_clear(m);
	decision_clear(&m->decision);
	node_free(m->answer);
	free(m->answer_label);
	free(m->refusal);
	free(m->instead);
	pidfile_close(&m->pidfile);
	pidfile_close(&m->own_pidfile);
	close_ledger(m);
	words_free(&m->pid_files);
	free(m->undoing.why);
	for (size_t i = 0; i < HISTORY; i++) {
		free(m->history[i].target);
		free(m->history[i].words);
	}
	free(m->next_target);
	free(m->reboot_to);
	free(m->once_target);
	free(m->refused_target);
	preparing_clear(&m->preparing);
	disklock_release(&m->locks);
	console_close(&m->console);
	pairs_free(&m->found);
	pairs_free(&m->taps);
	boot_clear(&m->boot);
	free(m);
}

int64_t machine_boots(const struct machine *m)
{
	return m->boots;
}

struct console *machine_console(struct machine *m)
{
	return &m->console;
}

bool machine_has_console(const struct machine *m)
{
	if (m->console.ours >= 0)
		return true;
	for (size_t i = 0; m->boot.spec != NULL && i < SPEC_COM_PORTS; i++) {
		const char *com = m->boot.spec->com[i];

		if (com != NULL && strcmp(com, SPEC_CONSOLE) == 0)
			return true;
	}
	return false;
}

bool machine_is_console(const struct wake *wake)
{
	return wake->kind == WAKE_READABLE && wake->tag == MACHINE_TAG_CONSOLE;
}

void machine_want_room(struct machine *m, bool wanted)
{
	waitset_want(m->wait, m->console.ours, MACHINE_TAG_CONSOLE, true, wanted);
}

bool machine_ended(const struct machine *m)
{
	return m->state == STATE_ENDED;
}

int machine_status(const struct machine *m)
{
	return m->exit_status;
}

const struct findings *machine_findings(const struct machine *m)
{
	return &m->preparing.findings;
}

int machine_guest_status(const struct machine *m)
{
	return m->outcome.signal != 0 ? 128 + m->outcome.signal : m->outcome.status;
}
