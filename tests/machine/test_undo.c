/* Undoing what the ledger lists: each result of a command and of its probe. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "life.h"
#include "platform/os.h"

/* ":" is in no name of an interface, so vmrun does not look these things up. */
#define OLD "pci0:3:0:0"
#define NEW "pci0:4:0:0"

static struct vm v = VM;

static struct ledger *ledger(void)
{
	return v.machine->host.ledger;
}

static void open_ending(void)
{
	vm_prepare(&v, "");
	vm_put(&v, STATE_ENDING);
}

static void close_ending(void)
{
	while (ledger_count(ledger()) > 0)
		ledger_drop(ledger(), ledger_at(ledger(), 0)->name);
	vm_close(&v);
}

/* Adds a thing with these commands; probe: NULL: there is none. */
static void take(const char *name, const char *undo, const char *probe)
{
	char copy[32], sign[] = "there";
	struct ledger_thing thing = { .name = copy, .sign = sign };

	(void)snprintf(copy, sizeof(copy), "%s", name);
	assert_null(words_split(&thing.undo, undo));
	if (probe != NULL)
		assert_null(words_split(&thing.probe, probe));
	assert_int_equal(ledger_take(ledger(), &thing, NULL), 0);
	words_free(&thing.undo);
	words_free(&thing.probe);
}

/* Ends the command that runs with this status and output, and returns whether the next one runs. */
static bool go_on(int status, const char *output)
{
	struct helper *h = &v.machine->helper;
	pid_t pid = h->job.pid;

	assert_int_not_equal(pid, 0);
	helper_kill(h);
	helper_give_up(h);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	str_free(&h->job.stream[0].text);
	str_add(&h->job.stream[0].text, output);
	h->status = status;
	return undo_command_ended(v.machine);
}

static void check_event(enum vmrun_event_type type, const char *text)
{
	const struct vmrun_event *e = vm_event(&v, type);

	assert_non_null(e);
	assert_string_equal(e->text, text);
}

static bool begin(void)
{
	undo_begin(v.machine);
	return undo_next(v.machine);
}

static void test_nothing(void **state)
{
	(void)state;
	open_ending();
	assert_false(begin());
	close_ending();
}

static void test_newest_first(void **state)
{
	(void)state;
	open_ending();
	take(OLD, "sleep 600", NULL);
	take(NEW, "sleep 600", NULL);
	assert_true(begin());
	assert_true(go_on(0, ""));
	assert_true(ledger_has(ledger(), OLD));
	assert_false(ledger_has(ledger(), NEW));
	assert_false(go_on(0, ""));
	assert_int_equal(ledger_count(ledger()), 0);
	assert_int_equal(vm_count_events(&v, VMRUN_NOTE), 0);
	assert_false(v.machine->host.cleanup_failed);
	close_ending();
}

/* Only a recovery reports the resources that it gives back. */
static void test_recovery_reports(void **state)
{
	(void)state;
	open_ending();
	vm_put(&v, STATE_RECOVERING);
	take(OLD, "sleep 600", NULL);
	assert_true(begin());
	assert_false(go_on(0, ""));
	check_event(VMRUN_NOTE, "released: sleep 600");
	vm_put(&v, STATE_ENDING);
	close_ending();
}

/* An entry whose command fails stays, and the one before it is tried. */
static void test_failed_command(void **state)
{
	(void)state;
	open_ending();
	take(OLD, "sleep 600", NULL);
	take(NEW, "sleep 601", NULL);
	assert_true(begin());
	assert_true(go_on(1, "first\nbusy\n"));
	check_event(
	    VMRUN_WARNING, NEW " is left behind: `sleep 601`: busy (the next start tries again)");
	assert_true(v.machine->host.cleanup_failed);
	assert_false(go_on(0, ""));
	assert_true(ledger_has(ledger(), NEW));
	assert_false(ledger_has(ledger(), OLD));
	close_ending();
}

static void test_missing_command(void **state)
{
	(void)state;
	open_ending();
	take(OLD, "sleep 600", NULL);
	take(NEW, "./missing", NULL);
	assert_true(begin()); /* for the old entry */
	assert_int_equal(v.machine->host.undo.left, 1);
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 1);
	assert_false(go_on(0, ""));
	assert_int_equal(ledger_count(ledger()), 1);
	close_ending();
}

/* Lets a command fail, and its probe end with this status and output. */
static void probe(int status, const char *output)
{
	open_ending();
	take(OLD, "sleep 600", "sleep 601");
	assert_true(begin());
	assert_true(go_on(1, "busy"));
	assert_true(v.machine->host.undo.probing);
	assert_false(go_on(status, output));
	assert_false(v.machine->host.undo.probing);
	assert_null(v.machine->host.undo.why);
}

static void test_probe(void **state)
{
	static const struct {
		int status;
		const char *output;
		bool there;
	} probes[] = {
		{ 0, "it is there", true }, { 0, "nothing", false }, { 1, "it is there", false },
		{ -1, "", true }, /* killed */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		probe(probes[i].status, probes[i].output);
		assert_int_equal(ledger_has(ledger(), OLD), probes[i].there);
		assert_int_equal(v.machine->host.cleanup_failed, probes[i].there);
		if (probes[i].there)
			check_event(VMRUN_WARNING,
			    OLD " is left behind: `sleep 600`: busy (the next start tries again)");
		else
			check_event(VMRUN_NOTE, OLD " no longer exists");
		close_ending();
	}
}

static void test_missing_probe(void **state)
{
	(void)state;
	open_ending();
	take(OLD, "sleep 600", "./missing");
	assert_true(begin());
	assert_false(go_on(-1, ""));
	check_event(VMRUN_WARNING,
	    OLD " is left behind: `sleep 600`: it was killed (the next start tries again)");
	close_ending();
}

/* Without a probe, vmrun looks an interface up by itself. */
static void test_interface(void **state)
{
	(void)state;
	open_ending();
	take("vmruntest0", "sleep 600", NULL);
	assert_int_equal(os_interface_index("vmruntest0"), 0);
	assert_true(begin());
	assert_false(go_on(1, ""));
	assert_int_equal(ledger_count(ledger()), 0);
	assert_false(v.machine->host.cleanup_failed);
	close_ending();
}

/* If another interface has the name now, no command runs. */
static void test_replaced_interface(void **state)
{
	struct if_nameindex *interfaces = if_nameindex();
	char name[IF_NAMESIZE];
	struct ledger_thing thing = { .name = name };
	char text[128];

	(void)state;
	assert_non_null(interfaces);
	assert_int_not_equal(interfaces[0].if_index, 0); /* each host has a loopback interface */
	(void)snprintf(name, sizeof(name), "%s", interfaces[0].if_name);
	thing.index = interfaces[0].if_index + 1;
	if_freenameindex(interfaces);
	open_ending();
	words_add(&thing.undo, "sleep");
	assert_int_equal(ledger_take(ledger(), &thing, NULL), 0);
	words_free(&thing.undo);
	assert_false(begin());
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(ledger_count(ledger()), 0);
	(void)snprintf(text, sizeof(text),
	    "%s is no longer the interface that vmrun created, so vmrun keeps it", name);
	check_event(VMRUN_NOTE, text);
	close_ending();
}

/* Adds a thing that another program may have made in place of vmrun. */
static void take_unsure(const char *name, const char *undo, const char *probe)
{
	char copy[32], sign[] = "ours\n";
	struct ledger_thing thing = { .name = copy, .sign = sign, .unsure = true };

	(void)snprintf(copy, sizeof(copy), "%s", name);
	assert_null(words_split(&thing.undo, undo));
	assert_null(words_split(&thing.probe, probe));
	assert_int_equal(ledger_take(ledger(), &thing, NULL), 0);
	words_free(&thing.undo);
	words_free(&thing.probe);
}

/* Lets the first probe of an unsure thing end, and returns whether it is undone now. */
static bool probe_first(int status, const char *output)
{
	open_ending();
	take_unsure(OLD, "sleep 600", "sleep 601");
	assert_true(begin());
	assert_true(v.machine->host.undo.probing);
	return go_on(status, output);
}

/* What is not vmrun's is dropped, and not undone. */
static void test_unsure(void **state)
{
	(void)state;
	assert_false(probe_first(0, "ours, but not at the end of a line\n"));
	assert_int_equal(ledger_count(ledger()), 0);
	assert_false(v.machine->host.cleanup_failed);
	close_ending();
	assert_false(probe_first(1, "ours\n"));
	assert_int_equal(ledger_count(ledger()), 0);
	close_ending();
	assert_false(probe_first(-1, "")); /* killed: it may be there */
	assert_true(ledger_has(ledger(), OLD));
	check_event(VMRUN_WARNING,
	    OLD
	    " is left behind: `sleep 600`: its probe does not end (the next start tries again)");
	close_ending();
	/* Not all of its output was read: it may be another program's, too. */
	open_ending();
	take_unsure(OLD, "sleep 600", "sleep 601");
	assert_true(begin());
	v.machine->helper.job.stream[0].error = EIO;
	assert_false(go_on(0, "it is ours\n"));
	assert_true(ledger_has(ledger(), OLD));
	check_event(VMRUN_WARNING,
	    OLD " is left behind: `sleep 600`: the output of its probe cannot be read: "
		"Input/output error (the next start tries again)");
	close_ending();
	assert_true(probe_first(0, "it is ours\n"));
	assert_false(v.machine->host.undo.probing);
	assert_false(go_on(0, ""));
	assert_int_equal(ledger_count(ledger()), 0);
	close_ending();
}

/* When the command fails after the probe, the thing is looked for once more. */
static void test_unsure_that_stays(void **state)
{
	(void)state;
	assert_true(probe_first(0, "it is ours\n"));
	assert_true(go_on(1, "busy"));
	assert_true(v.machine->host.undo.probing);
	assert_false(go_on(0, "it is ours\n"));
	assert_true(ledger_has(ledger(), OLD));
	check_event(
	    VMRUN_WARNING, OLD " is left behind: `sleep 600`: busy (the next start tries again)");
	close_ending();
}

/* A thing that was made is vmrun's: it is undone without a look. */
static void test_confirmed(void **state)
{
	(void)state;
	open_ending();
	take_unsure(OLD, "sleep 600", "sleep 601");
	ledger_confirm(ledger(), OLD);
	assert_true(begin());
	assert_false(v.machine->host.undo.probing);
	assert_false(go_on(0, ""));
	close_ending();
}

static void test_now_unsure(void **state)
{
	(void)state;
	open_ending();
	take_unsure("theirs", "touch destroyed", "echo theirs");
	take_unsure("never made", "touch destroyed", "false");
	undo_now(v.machine);
	assert_int_equal(ledger_count(ledger()), 0);
	assert_int_equal(access("destroyed", F_OK), -1);
	take_unsure("mine", "touch destroyed", "echo ours");
	undo_now(v.machine);
	assert_int_equal(ledger_count(ledger()), 0);
	assert_int_equal(access("destroyed", F_OK), 0);
	close_ending();
}

static void test_now(void **state)
{
	(void)state;
	open_ending();
	take("done", "true", NULL);
	take("gone", "false", "false");
	take("there", "false", "echo there");
	take("no sign", "false", "echo nothing");
	take("no probe", "false", NULL);
	undo_now(v.machine);
	assert_int_equal(ledger_count(ledger()), 2);
	assert_true(ledger_has(ledger(), "there"));
	assert_true(ledger_has(ledger(), "no probe"));
	close_ending();
}

/* The command holds the lock that the next vmrun waits for; an undo that failed stays listed. */
static void test_now_with_lock(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	take("thing", "test -e run/walk/changes", NULL);
	undo_now(v.machine);
	assert_int_equal(ledger_count(ledger()), 0);
	vm_close(&v);
	assert_false(life_file_exists("run/walk"));
}

#define UNDO(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNDO(test_nothing),
		UNDO(test_newest_first),
		UNDO(test_recovery_reports),
		UNDO(test_failed_command),
		UNDO(test_missing_command),
		UNDO(test_probe),
		UNDO(test_missing_probe),
		UNDO(test_interface),
		UNDO(test_replaced_interface),
		UNDO(test_unsure),
		UNDO(test_unsure_that_stays),
		UNDO(test_confirmed),
		UNDO(test_now_unsure),
		UNDO(test_now),
		UNDO(test_now_with_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
