/* Undoing what a vmrun of this name left when it died, exactly that and nothing else. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/os.h"
#include "run/machine_state.h"
#include "ledger/sockets.h"

#define LOOK_MS 50
/* When vmrun dies its hypervisor is told to stop: a guest that heeds the power button takes time.
 */
#define PATIENCE_MS 10000
#define POWEROFF_MS 10000
#define KILL_MS 5000
#define COMMAND_MS 10000

static bool is_alive(const struct record_process *p)
{
	int64_t start;

	return p->pid > 0 && os_process_start(p->pid, &start) && start == p->start;
}

static const struct record_process *alive(const struct machine *m, bool hypervisor)
{
	for (size_t i = 0; i < m->remains.process_count; i++) {
		const struct record_process *p = &m->remains.process[i];

		if ((strcmp(p->name, RECORD_HYPERVISOR) == 0) == hypervisor && is_alive(p))
			return p;
	}
	return NULL;
}

static void signal_companions(const struct machine *m, int signal)
{
	for (size_t i = 0; i < m->remains.process_count; i++) {
		const struct record_process *p = &m->remains.process[i];

		if (strcmp(p->name, RECORD_HYPERVISOR) != 0 && is_alive(p))
			(void)kill(p->pid, signal);
	}
}

static void look_later(struct machine *m)
{
	machine_enter(m, STATE_RECOVERING, LOOK_MS);
}

/* Nothing of it is undone, and the record stays: the next start has another look. */
static void refuse(struct machine *m, const struct record_process *p)
{
	MEM_AUTO char *text = mem_format(
	    "its hypervisor still runs as pid %ld, left by a vmrun that died (pid %ld): stop the "
	    "guest, or let --force do it",
	    (long)p->pid, (long)m->remains.supervisor);

	boots_warn(m, text);
	m->left_alone = true;
	m->outcome.cause = CAUSE_CHECK_FAILED;
	m->exit_status = STATUS_BUSY;
	boots_farewell(m);
}

/* The ladder from its second step on: there is no channel to press a button any more. */
static void power_off(struct machine *m, const struct record_process *p)
{
	struct plan plan = { .hyper = m->source->hyper, .vm = mem_copy(m->events->vm) };
	struct power power = { 0 };

	plan.hyper->power(&plan, STOP_POWEROFF, &power);
	if (power.helper.count > 0)
		(void)machine_help(m, &power.helper, HELPER_SILENT);
	else
		(void)kill(p->pid, power.signal != 0 ? power.signal : SIGTERM);
	words_free(&power.helper);
	free(plan.vm);
}

/* True: all are gone. */
static bool wait_for_processes(struct machine *m)
{
	struct recovery *r = &m->recovery;
	const struct record_process *p = alive(m, true);
	int64_t now = machine_now(m);

	if (p == NULL && alive(m, false) == NULL)
		return true;
	if (now < r->until_ms) {
		look_later(m);
		return false;
	}
	if (p == NULL && r->killed) {
		boots_warn(m, "a companion of the vmrun before does not die: left alone");
		return true;
	}
	if (p == NULL) {
		r->killed = true;
		signal_companions(m, SIGKILL);
		r->until_ms = now + KILL_MS;
		look_later(m);
	} else if (!m->options.force || r->step == RECOVER_KILL) {
		refuse(m, p);
	} else if (r->step == RECOVER_WAIT) {
		r->step = RECOVER_POWEROFF;
		r->until_ms = now + POWEROFF_MS;
		power_off(m, p);
		look_later(m);
	} else {
		r->step = RECOVER_KILL;
		r->until_ms = now + KILL_MS;
		(void)kill(p->pid, SIGKILL);
		look_later(m);
	}
	return false;
}

/* True: there is no entry of the VM any more, or none that we could destroy. */
static bool destroy(struct machine *m)
{
	struct recovery *r = &m->recovery;

	if (m->remains.destroy.count == 0 || !os_vm_exists(m->events->vm))
		return true;
	if (!r->destroyed) {
		r->destroyed = true;
		r->until_ms = machine_now(m) + COMMAND_MS;
		if (machine_help(m, &m->remains.destroy, HELPER_SILENT)) {
			machine_enter(m, STATE_RECOVERING, COMMAND_MS);
			return false;
		}
	}
	if (machine_now(m) < r->until_ms) {
		look_later(m);
		return false;
	}
	boots_warn(m, "the VM that the vmrun before left in /dev/vmm cannot be destroyed");
	return true;
}

/* True: there is nothing left to be given back. */
static bool give_back(struct machine *m)
{
	const struct taken_thing *thing;

	while ((thing = taken_last(&m->remains.taken)) != NULL) {
		if (machine_help(m, &thing->undo, HELPER_ALL)) {
			machine_enter(m, STATE_RECOVERING, COMMAND_MS);
			return false;
		}
		taken_drop_last(&m->remains.taken);
	}
	return true;
}

/* Only one that still says what the dead vmrun wrote. */
static void remove_pid_files(struct machine *m)
{
	for (size_t i = 0; i < m->remains.pid_files.count; i++) {
		const char *path = m->remains.pid_files.item[i];
		struct pidfile file = { 0 };
		struct error ignored = { 0 };

		if (!words_have(&m->pid_files, path) && access(path, F_OK) == 0 &&
		    pidfile_open(&file, path, &ignored) == 0)
			pidfile_close(&file);
		error_clear(&ignored);
	}
}

static void finish(struct machine *m)
{
	sockets_remove(&m->remains.sockets);
	remove_pid_files(m);
	remains_clear(&m->remains);
	record_update(m);
	machine_enter(m, STATE_WAITING, 0);
}

static void go_on(struct machine *m)
{
	if (m->recovery.step < RECOVER_DESTROY) {
		if (!wait_for_processes(m))
			return;
		m->recovery.step = RECOVER_DESTROY;
	}
	if (m->recovery.step == RECOVER_DESTROY) {
		if (!destroy(m))
			return;
		m->recovery.step = RECOVER_UNDO;
	}
	if (give_back(m))
		finish(m);
}

void recovery_begin(struct machine *m)
{
	MEM_AUTO char *text = mem_format("a vmrun before this one died (pid %ld): what it left is "
					 "being undone",
	    (long)m->remains.supervisor);

	event_text(event_add(m->events, VMRUN_NOTE), text);
	signal_companions(m, SIGTERM);
	m->recovery = (struct recovery){ .until_ms = machine_now(m) + PATIENCE_MS };
	machine_enter(m, STATE_RECOVERING, -1);
	go_on(m);
}

/* What is not there any more cannot be given back, and need not: but it is said. */
static void say_undone(struct machine *m)
{
	const struct taken_thing *thing = taken_last(&m->remains.taken);
	MEM_AUTO char *line = words_shell_line(&thing->undo);
	MEM_AUTO char *said = m->helper.status == 0 ? NULL : helper_words(&m->helper);
	MEM_AUTO char *text = said == NULL
	    ? mem_format("given back: %s", line)
	    : mem_format("%s was not given back, or is gone: `%s`: %s", thing->name, line, said);

	event_text(event_add(m->events, VMRUN_NOTE), text);
}

void recovery_helper_ended(struct machine *m)
{
	if (m->recovery.step == RECOVER_UNDO) {
		say_undone(m);
		taken_drop_last(&m->remains.taken);
		record_update(m);
	}
	go_on(m);
}

void recovery_late(struct machine *m)
{
	if (m->helper.pid == 0) {
		go_on(m);
	} else if (m->recovery.step != RECOVER_UNDO && m->recovery.step != RECOVER_DESTROY) {
		look_later(m); /* the command that switches it off takes its time */
		go_on(m);
	} else if (machine_helper_late(m)) {
		m->helper.status = -1;
		recovery_helper_ended(m);
	}
}

void recovery_stop(struct machine *m)
{
	helper_kill(&m->helper);
	helper_give_up(&m->helper, m->wait);
	m->left_alone = true;
	m->stop_requested = true;
	m->outcome.cause = CAUSE_STOPPED;
	m->exit_status = STATUS_OK;
	boots_farewell(m);
}
