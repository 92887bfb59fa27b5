/*
 * Steps of prepare.c: waits for the paths and interfaces of wait_for, then starts companions.  And
 * the commands that print facts.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/os.h"
#include "platform/socket.h"
#include "machine/machine_inside.h"
#include "ledger/rundir.h"

#define LOOK_MS 100	   /* between two checks for a path or an interface */
#define READY_LOOK_MS 50   /* between two checks whether a companion is ready */
#define MAX_READY_MS 60000 /* for a companion to be ready */
#define MAX_ASK_MS 10000   /* for one run of its ready command */
#define SAY_READY_MS 500   /* after that vmrun says that it waits for a companion */
#define READY_NEVER (-2)   /* is_ready(): the ready command cannot be started */

bool prepare_start_fact(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	const struct words *command = facts_wanted(&p->facts);
	ERROR_AUTO struct error err = { 0 };

	p->fact_command_runs = true;
	if (helper_start(&m->helper, command, HELPER_STDOUT, m->wait, MACHINE_TAG_OUTPUT,
		machine_helper_tag, &err) == 0) {
		*next = go(STATE_PREPARING, MAX_FACT_MS);
		return true;
	}
	p->fact_command_runs = false;
	if (err.status == STATUS_EXEC_MISSING) {
		facts_store(&p->facts, -1, true, NULL);
	} else {
		(void)error_prefix(&err, "cannot start %s", command->item[0]);
		facts_fail(&p->facts, err.text);
	}
	return false;
}

void prepare_fact_ended(struct machine *m)
{
	struct preparation *p = &m->preparation;
	const char *program = facts_wanted(&p->facts)->item[0];
	MEM_AUTO char *late =
	    mem_format("%s did not end within %d s and was killed", program, MAX_FACT_MS / 1000);
	MEM_AUTO char *killed = mem_format("%s was killed by a signal", program);

	p->fact_command_runs = false;
	if (m->helper.status < 0) {
		facts_fail(&p->facts, m->helper.killed ? late : killed);
	} else if (helper_read_error(&m->helper) != 0) {
		MEM_AUTO char *unread = mem_format("the output of %s cannot be read: %s", program,
		    strerror(helper_read_error(&m->helper)));

		facts_fail(&p->facts, unread);
	} else {
		facts_store(&p->facts, m->helper.status, false, helper_output(&m->helper));
	}
}

/* Ends the wait for the present item. */
static void end_wait(struct preparation *p)
{
	p->until_ms = 0;
	free(p->awaited);
	p->awaited = NULL;
	p->wait_is_told = false;
}

/* Says once what vmrun waits for. */
static void say_wait(struct machine *m, const char *limits)
{
	struct preparation *p = &m->preparation;
	MEM_AUTO char *text = mem_format("waiting for %s (%s)", p->awaited, limits);

	if (!p->wait_is_told)
		machine_note(m, text);
	p->wait_is_told = true;
}

/* Returns 1 when the item exists, 0 when it does not yet, -1 when a command has to be asked. */
static int is_there(struct machine *m, const struct wait_item *item)
{
	const char *command[] = { "ifconfig", item->interface, NULL };
	const struct fact *fact;

	if (item->path != NULL)
		return access(item->path, F_OK) == 0 ? 1 : 0;
	if (!hyper_is_foreign(m->boot.plan.hyper))
		return os_interface_exists(item->interface) ? 1 : 0;
	fact = facts_ask(&m->preparation.facts, command);
	return fact == NULL ? -1 : fact->status == 0 ? 1 : 0;
}

/* Waits for an item, or ends the boot when its time is over. */
static struct next await_item(struct machine *m, const struct wait_item *item)
{
	struct preparation *p = &m->preparation;
	MEM_AUTO char *limits = NULL, *text = NULL;

	if (p->until_ms == 0) {
		p->until_ms = clock_ms() + item->timeout_ms;
		p->awaited = mem_copy(item->path != NULL ? item->path : item->interface);
	}
	if (clock_ms() < p->until_ms) {
		limits = mem_format(
		    "wait_for[%zu], at most %g s", p->waiting, (double)item->timeout_ms / 1000);
		say_wait(m, limits);
		return go(STATE_PREPARING, LOOK_MS);
	}
	text = mem_format("wait_for[%zu]: %s did not appear within %g s", p->waiting, p->awaited,
	    (double)item->timeout_ms / 1000);
	return machine_fail(m, CAUSE_CHECK_FAILED, text);
}

bool prepare_wait_for(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	const struct wait_item *item = m->boot.spec->wait_for.item;

	for (; p->waiting < m->boot.spec->wait_for.count; p->waiting++, end_wait(p)) {
		int there = is_there(m, &item[p->waiting]);

		if (there < 0)
			return prepare_start_fact(m, next);
		if (there == 0) {
			*next = await_item(m, &item[p->waiting]);
			return true;
		}
	}
	p->step++;
	return false;
}

/* Adds swtpm as a companion, with the socket option that this hypervisor needs. */
static bool add_swtpm(struct machine *m, struct error *err)
{
	const struct tpm *tpm = &m->boot.spec->tpm;
	WORDS_AUTO struct words command = { 0 };

	if (!tpm->managed)
		return true;
	if (statedir_make(m->boot.plan.tpm_state, err) != 0)
		return false;
	words_add(&command, "swtpm");
	words_add(&command, "socket");
	words_add(&command, "--tpm2");
	words_add(&command, "--tpmstate");
	words_addf(&command, "dir=%s", m->boot.plan.tpm_state);
	words_add(&command, m->boot.plan.hyper->swtpm_option);
	words_addf(&command, "type=unixio,path=%s", tpm->path);
	companions_want_one(&m->companions, SPEC_SWTPM, &command, false)->of_boot = true;
	return true;
}

/*
 * Returns whether the path exists.  A companion that was restarted may have left the socket of its
 * earlier life, which does not count.
 */
static bool ready_path_exists(const char *path)
{
	return access(path, F_OK) == 0 && socket_probe(path) != SOCKET_STALE;
}

/*
 * Returns 1 when the companion is ready, 0 when it is not yet, -1 when a command was started to
 * find out.
 */
static int is_ready(struct machine *m, const struct readiness *ready)
{
	struct preparation *p = &m->preparation;

	if (ready->path != NULL)
		return ready_path_exists(ready->path) ? 1 : 0;
	if (ready->command.count == 0)
		return 1;
	if (p->ready_command_runs) {
		p->ready_command_runs = false;
		return m->helper.status == 0 ? 1 : 0;
	}
	p->ready_command_runs = machine_start_helper(m, &ready->command, HELPER_SILENT);
	return p->ready_command_runs ? -1 : READY_NEVER;
}

static struct next fail_companion(
    struct machine *m, const struct companion_run *run, const char *why)
{
	MEM_AUTO char *text = mem_format("companion %s %s", run->name, why);

	return machine_fail(m, CAUSE_CHECK_FAILED, text);
}

/* Starts a companion.  Returns false, and in *next how the boot failed, if it cannot. */
static bool start_companion(struct machine *m, struct companion_run *run, struct next *next)
{
	ERROR_AUTO struct error err = { 0 };
	bool is_expected = ledger_expect_process(m->host.ledger, run->name, &err) == 0;

	if (is_expected && companion_start(&m->companions, run, &err) == 0) {
		ledger_note_process(m->host.ledger, run->name, run->job.pid);
		return true;
	}
	ledger_forget_process(m->host.ledger, run->name, 0);
	*next = is_expected ? machine_fail(m, CAUSE_CHECK_FAILED, err.text)
			    : machine_fail_files(m, &err);
	return false;
}

bool prepare_companion_ended(struct machine *m, pid_t pid)
{
	struct companion_run *run = companions_of_pid(&m->companions, pid);

	if (run == NULL)
		return false;
	/* A hypervisor that exits may end it first, as qemu ends swtpm. */
	if (run->of_boot && machine_hypervisor_leaves(m))
		companions_end_boot(&m->companions);
	(void)companions_ended(&m->companions, pid);
	ledger_forget_process(m->host.ledger, run->name, pid);
	if (run->job.pid != 0) /* the companion was restarted */
		ledger_note_process(m->host.ledger, run->name, run->job.pid);
	return true;
}

static void begin_wait(
    struct preparation *p, const struct companion_run *run, const struct readiness *ready)
{
	p->until_ms = clock_ms() + MAX_READY_MS;
	p->awaited = ready->path == NULL
	    ? mem_format("companion %s to be ready", run->name)
	    : mem_format("companion %s to make %s", run->name, ready->path);
}

static struct next wait_on(struct machine *m, int64_t ms)
{
	MEM_AUTO char *limits = mem_format("at most %d s", MAX_READY_MS / 1000);

	if (clock_ms() >= m->preparation.until_ms - MAX_READY_MS + SAY_READY_MS)
		say_wait(m, limits);
	return go(STATE_PREPARING, ms);
}

static struct next fail_late(
    struct machine *m, const struct companion_run *run, const struct readiness *ready)
{
	MEM_AUTO char *why = ready->path == NULL
	    ? mem_format("was not ready within %d s", MAX_READY_MS / 1000)
	    : mem_format("did not make %s within %d s", ready->path, MAX_READY_MS / 1000);

	return fail_companion(m, run, why);
}

/*
 * Starts one companion and waits until it is ready.  Returns true while the machine has to wait, or
 * when the boot has failed.
 */
static bool start_and_await(
    struct machine *m, struct companion_run *run, const struct readiness *ready, struct next *next)
{
	struct preparation *p = &m->preparation;
	int state;

	if (run->ready && !run->restarted && run->job.pid != 0)
		return false;
	if (run->job.pid == 0 && p->until_ms != 0) {
		*next = fail_companion(m, run, "ended before it was ready");
		return true;
	}
	if (run->job.pid == 0) {
		/* A stale socket of an earlier companion would count as ready. */
		if (ready->path != NULL && socket_probe(ready->path) == SOCKET_STALE)
			(void)unlink(ready->path);
		if (!start_companion(m, run, next))
			return true;
	}
	if (p->until_ms == 0)
		begin_wait(p, run, ready);
	state = is_ready(m, ready);
	run->ready = state > 0;
	if (run->ready) {
		run->restarted = false;
		return false;
	}
	if (state == READY_NEVER)
		*next = fail_companion(m, run, "has a ready command that cannot be started");
	else if (state == 0 && clock_ms() >= p->until_ms)
		*next = fail_late(m, run, ready);
	else
		*next = wait_on(m, state < 0 ? MAX_ASK_MS : READY_LOOK_MS);
	return true;
}

/*
 * Waits for the companions of earlier boots to end, and kills those that do not heed SIGTERM: they
 * may hold, and remove at their end, what those of this boot make.
 */
static bool await_unwanted(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	const struct companion_run *run = companions_unwanted(&m->companions);

	if (run == NULL)
		return false;
	if (p->until_ms == 0) {
		companions_end_unwanted(&m->companions, SIGTERM);
		p->until_ms = clock_ms() + MAX_COMPANIONS_MS;
		p->awaited = mem_format("companion %s of the boot before to end", run->name);
	} else if (clock_ms() >= p->until_ms) {
		companions_end_unwanted(&m->companions, SIGKILL);
	}
	*next = go(STATE_PREPARING, READY_LOOK_MS);
	return true;
}

/* Marks the companions that this boot wants, and ends all others. */
static bool begin_companions(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	ERROR_AUTO struct error err = { 0 };

	if (p->until_ms == 0) {
		companions_want(&m->companions, m->boot.spec);
		if (!add_swtpm(m, &err)) {
			*next = machine_fail(m, CAUSE_CHECK_FAILED, err.text);
			return false;
		}
	}
	if (await_unwanted(m, next))
		return false;
	end_wait(p);
	p->companions_begun = true;
	return true;
}

bool prepare_companions(struct machine *m, struct next *next)
{
	struct preparation *p = &m->preparation;
	const struct spec *spec = m->boot.spec;
	const struct companion *item = spec->companions.item;
	struct readiness swtpm = { .path = spec->tpm.path };

	if (!p->companions_begun && !begin_companions(m, next))
		return true;
	for (; p->companion < spec->companions.count + 1; p->companion++, end_wait(p)) {
		bool is_swtpm = p->companion == spec->companions.count;
		const char *name = is_swtpm ? SPEC_SWTPM : item[p->companion].name;
		struct companion_run *run = companions_find(&m->companions, name);

		if (run != NULL &&
		    start_and_await(m, run, is_swtpm ? &swtpm : &item[p->companion].ready, next))
			return true;
	}
	p->step++;
	if (p->left_over)
		prepare_check_again(p); /* for the checks of what the companions have made */
	return false;
}
