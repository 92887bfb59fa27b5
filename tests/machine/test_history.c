/* The history of exits: how many are kept, what hooks and reports get of them. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ledger/history_file.h"
#include "ledger/history_line.h"
#include "life.h"
#include "lib/handle.h"
#include "platform/clock.h"

#define MAX_LAST_LINE 200

static struct vm v = VM;

/* Adds an exit whose status tells its place in the order. */
static void add(int status)
{
	v.machine->history.outcome = (struct outcome){ .cause = CAUSE_POWEROFF, .status = status };
	history_add(v.machine);
}

/* Checks the exits for hooks, which are lines of text: each has the status of the one after it - 1.
 */
static void check_list(const struct node *facts, size_t count, int newest)
{
	const char *at = node_get_text(facts, "history");
	char expected[64];

	for (size_t i = 0; i < count; i++) {
		at = strchr(at, '\n');
		assert_non_null(at);
		(void)snprintf(
		    expected, sizeof(expected), "\npoweroff\n%d\n\n0\n\ndefault\n", newest--);
		at = str_after(at, expected);
		assert_non_null(at);
	}
	assert_string_equal(at, "");
}

static void test_exits_kept(void **state)
{
	struct node *facts, *past;

	(void)state;
	vm_prepare(&v, "");
	for (int i = 1; i <= MAX_HISTORY; i++)
		add(i);
	past = history_past(v.machine);
	check_list(past, MAX_HISTORY, MAX_HISTORY);
	node_free(past);
	/* One more replaces the oldest. */
	add(MAX_HISTORY + 1);
	facts = history_facts(v.machine);
	past = history_past(v.machine);
	check_list(past, MAX_HISTORY, MAX_HISTORY + 1);
	assert_int_equal(node_get(node_get(past, "count"), "poweroff")->integer, MAX_HISTORY + 1);
	assert_int_equal(node_get(facts, "status")->integer, MAX_HISTORY + 1);
	node_free(facts);
	node_free(past);
	vm_close(&v);
}

/* The line of a boot is made when that is decided, and written once, before the loop waits. */
static void test_line(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	add(1);
	v.machine->history.is_unwritten = true;
	history_note_boot(v.machine, "boot", "default", NULL);
	assert_false(life_file_exists("keep/walk/history.jsonl"));
	machine_settle(v.machine);
	assert_true(life_file_exists("keep/walk/history.jsonl"));
	assert_int_equal(remove("keep/walk/history.jsonl"), 0);
	history_note_boot(v.machine, "boot", "default", NULL);
	history_flush(v.machine);
	assert_false(life_file_exists("keep/walk/history.jsonl"));
	vm_close(&v);
}

/* Fails unless the line that waits to be written has this text, or if it has it. */
static void check_line(const char *text, bool has)
{
	assert_non_null(v.machine->history.line);
	MEM_AUTO char *json = history_line_json(v.machine->history.line);

	if ((strstr(json, text) != NULL) != has)
		fail_msg("%s: %s", has ? "missing" : "not expected", json);
}

/* The line says how the boot ended and what follows; only a boot that ran has times and output. */
static void test_text_of_a_line(void **state)
{
	struct machine *m;

	(void)state;
	vm_make(&v, "", NULL);
	m = v.machine;
	m->history.uptime_ms = 1500;
	m->history.outcome = (struct outcome){ .cause = CAUSE_KILLED, .status = -1, .signal = 9 };
	history_find_end(m);
	history_add(m);
	history_note_boot(m, "boot", "other", "on_exit of vm.lua");
	check_line("\"cause\":\"killed\",\"status\":null,\"signal\":9,\"uptime_ms\":1500", true);
	check_line("\"action\":\"boot\",\"next\":\"other\",\"by\":\"on_exit of vm.lua\"", true);
	history_add_failure(m, CAUSE_CHECK_FAILED, "no disk");
	assert_int_equal(vm_event(&v, VMRUN_EXITED)->uptime_ms, -1);
	history_note_boot(m, "stop", NULL, "default");
	check_line("\"status\":null,\"signal\":null,\"uptime_ms\":null", true);
	check_line("\"stderr\":null", true);
	check_line("\"text\":\"no disk\"", true);
	m->history.outcome = (struct outcome){ .cause = CAUSE_POWEROFF, .status = 1 };
	history_find_end(m);
	history_add(m);
	history_note_boot(m, "stop", NULL, "default");
	check_line("\"status\":1,\"signal\":null,\"uptime_ms\":0,", true);
	check_line("\"stderr\":\"no disk\"", true);
	m->history.outcome = (struct outcome){ .cause = CAUSE_REBOOT, .status = 0 };
	history_find_end(m);
	history_add(m);
	history_note_boot(m, "boot", "default", "default");
	check_line("\"status\":0,\"signal\":null,\"uptime_ms\":0,", true);
	vm_close(&v);
}

/* The line has what the guest has printed in this boot. */
static void test_console_of_a_line(void **state)
{
	struct console_settings settings = { .log = NULL };
	struct pollfd p = { .events = POLLIN };
	struct machine *m;

	(void)state;
	vm_make(&v, "vm.com1 = 'console'", NULL);
	m = v.machine;
	assert_int_equal(console_open(&m->console, &settings, false, NULL), 0);
	assert_int_equal(write(m->console.guest_fd, "panic: 7", 8), 8);
	p.fd = m->console.fd;
	assert_int_equal(poll(&p, 1, 60000), 1);
	while (m->console.total < 8)
		(void)console_read(&m->console);
	m->history.outcome = (struct outcome){ .cause = CAUSE_POWEROFF, .status = 1 };
	history_find_end(m);
	history_add(m);
	history_note_boot(m, "stop", NULL, "default");
	check_line("\"console\":\"panic: 7\"", true);
	vm_close(&v);
}

/* The last line of a run follows that of its last boot, and says how that ended. */
static void test_line_of_the_end(void **state)
{
	struct machine *m;
	MEM_AUTO char *text = NULL;
	const char *last;

	(void)state;
	vm_make(&v, "", NULL);
	m = v.machine;
	m->history.ends = 1;
	m->requests.step = "kill";
	m->requests.step_signal = 9;
	m->history.outcome = (struct outcome){ .cause = CAUSE_KILLED, .status = -1, .signal = 9 };
	history_find_end(m);
	history_add(m);
	history_note_boot(m, "stop", NULL, "default");
	m->end.status = 137;
	assert_true(life_file_exists("keep/walk/running"));
	history_write_end(m, NULL);
	assert_false(life_file_exists("keep/walk/running"));
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 0);
	assert_int_equal(history_file_read("keep/walk", &text, NULL), 0);
	last = strchr(text, '\n') + 1;
	assert_non_null(strstr(text, "\"action\":\"stop\""));
	assert_true(strstr(text, "\"action\":\"stop\"") < last);
	assert_non_null(strstr(last, "\"kind\":\"vmrun\",\"boot\":1,\"target\":\"default\""));
	assert_non_null(strstr(last, "\"cause\":\"killed\",\"status\":null,\"signal\":9,"));
	assert_non_null(strstr(last, "\"exit_status\":137,"));
	assert_non_null(strstr(last, "\"ended_by\":\"kill\","));
	assert_int_equal(strchr(last, '\n')[1], '\0');
	vm_close(&v);
}

/* A file that cannot be written is no reason to end a VM: vmrun says so once. */
static void test_unwritable_file(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	vm_make(&v, "", NULL);
	assert_int_equal(mkdir("keep/walk/history.jsonl", 0700), 0);
	for (int i = 0; i < 2; i++) {
		history_add_failure(v.machine, CAUSE_CHECK_FAILED, "no disk");
		history_note_boot(v.machine, "boot", "default", NULL);
		history_flush(v.machine);
	}
	e = vm_event(&v, VMRUN_WARNING);
	assert_non_null(e);
	assert_non_null(strstr(e->text, "keep/walk/history.jsonl: cannot write this file: "));
	assert_non_null(strstr(e->text, "until vmrun can write the file"));
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 0);
	assert_int_equal(rmdir("keep/walk/history.jsonl"), 0);
	vm_close(&v);
}

/* A mark that cannot be removed would tell the next vmrun that this one has died. */
static void test_mark_that_stays(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	assert_int_equal(remove("keep/walk/running"), 0);
	assert_int_equal(mkdir("keep/walk/running", 0700), 0);
	history_write_end(v.machine, NULL);
	vm_check_told(&v, "keep/walk/running is left behind: ");
	vm_close(&v);
	assert_int_equal(rmdir("keep/walk/running"), 0);
}

static void test_facts(void **state)
{
	struct machine *m;
	struct node *facts, *past;

	(void)state;
	vm_prepare(&v, "vm.next_target = 'other'");
	m = v.machine;
	facts = history_facts(m);
	past = history_past(m);
	assert_null(node_get(facts, "cause"));
	assert_string_equal(node_get_text(past, "history"), "");
	node_free(past);
	assert_string_equal(node_get_text(facts, "vm"), "walk");
	assert_string_equal(node_get_text(facts, "next_target"), "other");
	node_free(facts);
	m->history.boots = 7;
	m->history.uptime_ms = 1500;
	m->history.outcome = (struct outcome){ .cause = CAUSE_KILLED, .status = -1, .signal = 9 };
	history_add(m);
	v.handle->simulation.now_ms = 250;
	facts = history_facts(m);
	past = history_past(m);
	assert_string_equal(node_get_text(facts, "cause"), "killed");
	assert_string_equal(node_get_text(facts, "target"), "default");
	assert_null(node_get(facts, "status"));
	assert_int_equal(node_get(facts, "signal")->integer, 9);
	assert_true(node_get(facts, "uptime")->number == 1.5);
	assert_int_equal(node_get(past, "now")->integer, 250);
	assert_string_equal(node_get_text(past, "history"), "0\nkilled\n\n9\n1500\n\ndefault\n");
	assert_int_equal(node_get(facts, "boots")->integer, 7);
	node_free(facts);
	node_free(past);
	vm_close(&v);
}

static void check_report(size_t most, const char *expected)
{
	MEM_AUTO char *text = history_report(v.machine, most);

	assert_string_equal(text, expected);
}

#define LINE(n) "0.0 s ago: target default: poweroff, status " n ", after 0.0 s"

static void test_report(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	add(1);
	check_report(3, LINE("1"));
	add(2);
	add(3);
	check_report(0, "");
	check_report(1, LINE("3"));
	check_report(2, LINE("2") "\n" LINE("3"));
	check_report(3, LINE("1") "\n" LINE("2") "\n" LINE("3"));
	/* given_up ends no boot: it takes no place in the report, and has no date. */
	assert_in_range(machine_exit_date_ms(v.machine), 1, clock_date_ms());
	v.machine->history.exit_date_ms = 7;
	v.machine->history.outcome = (struct outcome){ .cause = CAUSE_GIVEN_UP, .status = -1 };
	history_add(v.machine);
	assert_int_equal(machine_exit_date_ms(v.machine), 7);
	check_report(2, LINE("2") "\n" LINE("3"));
	add(4);
	check_report(3, LINE("2") "\n" LINE("3") "\n" LINE("4"));
	vm_close(&v);
}

static void test_report_of_kept_exits(void **state)
{
	MEM_AUTO char *text = NULL;
	int lines = 1;

	(void)state;
	vm_prepare(&v, "");
	for (int i = 1; i <= MAX_HISTORY + 1; i++)
		add(i);
	text = history_report(v.machine, MAX_HISTORY + 1);
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n' ? 1 : 0;
	assert_int_equal(lines, MAX_HISTORY);
	assert_true(strncmp(text, LINE("2"), strlen(LINE("2"))) == 0);
	vm_close(&v);
}

static void test_failure_in_report(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(&v, "");
	vm_check_next(machine_fail(v.machine, CAUSE_CHECK_FAILED, "first\n no disk \n\n"),
	    STATE_DECIDING, -1);
	assert_int_equal(v.machine->history.ends, 1);
	assert_int_equal(v.machine->history.outcome.status, -1);
	check_report(1, "0.0 s ago: target default: check_failed: no disk");
	e = vm_event(&v, VMRUN_EXITED);
	assert_non_null(e);
	assert_string_equal(e->cause, "check_failed");
	assert_string_equal(e->text, "first\n no disk \n\n");
	vm_close(&v);
}

/* Adds an exit with this stderr, and returns its last words, lent. */
static const char *words_after(const char *tail)
{
	struct child *c = &v.machine->run.child;

	str_free(&c->tail);
	str_add(&c->tail, tail);
	add(1);
	return v.machine->history.exit[(v.machine->history.count - 1) % MAX_HISTORY].last_line;
}

static void test_last_words(void **state)
{
	char line[MAX_LAST_LINE + 2];
	char cut[sizeof(line) + 4];

	(void)state;
	vm_prepare(&v, "");
	assert_null(words_after(""));
	assert_null(words_after(" \r\n\t\n"));
	assert_string_equal(words_after("one"), "one");
	assert_string_equal(words_after("one\ntwo  three\r\n\n"), "two three");
	memset(line, 'x', sizeof(line));
	line[MAX_LAST_LINE] = '\0';
	assert_string_equal(words_after(line), line);
	(void)snprintf(cut, sizeof(cut), "%s...", line);
	line[MAX_LAST_LINE] = 'x';
	line[MAX_LAST_LINE + 1] = '\0';
	assert_string_equal(words_after(line), cut);
	vm_close(&v);
}

/* The end of a failure's text that is longer than what is kept of stderr is lost. */
static void test_long_failure(void **state)
{
	char text[MAX_CHILD_TAIL + 2];

	(void)state;
	vm_prepare(&v, "");
	for (size_t n = MAX_CHILD_TAIL; n <= MAX_CHILD_TAIL + 1; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		history_add_failure(v.machine, CAUSE_CHECK_FAILED, text);
		assert_int_equal(v.machine->run.child.tail.length, MAX_CHILD_TAIL);
		assert_int_equal(strlen(child_tail(&v.machine->run.child)), MAX_CHILD_TAIL);
	}
	vm_close(&v);
}

#define HISTORY(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

/* Ends a boot after this step of the ladder (NULL: none), and checks what ended it. */
static void check_end(
    const char *step, int step_signal, struct outcome outcome, const char *by, const char *did)
{
	struct machine *m = v.machine;

	m->requests.step = step;
	m->requests.step_signal = step_signal;
	m->requests.step_ms = 1000;
	m->history.outcome = outcome;
	history_find_end(m);
	if (by == NULL)
		assert_null(m->history.ended_by);
	else
		assert_string_equal(m->history.ended_by, by);
	if (did == NULL)
		assert_null(m->history.did);
	else
		assert_string_equal(m->history.did, did);
}

static void test_what_ended_a_boot(void **state)
{
	const struct outcome off = { .cause = CAUSE_POWEROFF, .status = 1 };
	const struct outcome reset = { .cause = CAUSE_REBOOT };
	const struct outcome failed = { .cause = CAUSE_ERROR, .status = 4 };
	const struct outcome term = { .cause = CAUSE_KILLED, .status = -1, .signal = 15 };
	const struct outcome shot = { .cause = CAUSE_KILLED, .status = -1, .signal = 9 };

	(void)state;
	vm_prepare(&v, "");
	v.handle->simulation.now_ms = 4040;
	check_end(NULL, 0, off, "guest", NULL);
	check_end(NULL, 0, reset, "guest", NULL);
	check_end(
	    NULL, 0, (struct outcome){ .cause = CAUSE_TRIPLE_FAULT, .status = 3 }, "guest", NULL);
	check_end(NULL, 0, failed, NULL, NULL);
	check_end(NULL, 0, shot, NULL, NULL);
	check_end("acpi", 15, off, "acpi", "the guest powered off 3 s after the power button");
	check_end("acpi", 15, reset, "acpi", "the guest rebooted 3 s after the power button");
	check_end("acpi", 15, failed, "acpi", "the hypervisor exited 3 s after the power button");
	check_end("acpi", 15, term, "acpi", "the hypervisor exited 3 s after the power button");
	check_end("acpi", 15, shot, NULL, NULL); /* a signal that no step has sent */
	check_end("poweroff", 0, off, "poweroff", "vmrun switched the power off");
	check_end("poweroff", 0, shot, NULL, NULL);
	check_end("kill", 9, shot, "kill", "vmrun killed the hypervisor");
	v.machine->run.child.role = CHILD_LOADER;
	check_end("kill", 9, shot, "kill", "vmrun killed the loader");
	vm_close(&v);
}

/* The event of the end has the time that the boot has run. */
static void test_event_of_an_end(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	vm_prepare(&v, "");
	v.machine->history.uptime_ms = 2500;
	check_end(NULL, 0, (struct outcome){ .cause = CAUSE_HALT, .status = 2 }, "guest", NULL);
	history_say_end(v.machine, NULL);
	e = vm_event(&v, VMRUN_EXITED);
	assert_non_null(e);
	assert_int_equal(e->uptime_ms, 2500);
	assert_int_equal(e->status, 2);
	assert_string_equal(e->ended_by, "guest");
	vm_close(&v);
}

static void test_text_of_an_end(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	v.machine->history.uptime_ms = 2500;
	check_end(NULL, 0, (struct outcome){ .cause = CAUSE_HALT, .status = 2 }, "guest", NULL);
	history_note_end(v.machine, "it halted");
	assert_string_equal(v.machine->history.how, "it halted after 2.5 s");
	v.handle->simulation.now_ms = 1049;
	check_end("acpi", 15, (struct outcome){ .cause = CAUSE_HALT, .status = 2 }, "acpi",
	    "the guest halted its processors 0 s after the power button");
	history_note_end(v.machine, "stopped");
	assert_string_equal(v.machine->history.how,
	    "stopped after 2.5 s: the guest halted its processors 0 s after the power button");
	vm_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HISTORY(test_what_ended_a_boot),
		HISTORY(test_event_of_an_end),
		HISTORY(test_text_of_an_end),
		HISTORY(test_exits_kept),
		HISTORY(test_line),
		HISTORY(test_text_of_a_line),
		HISTORY(test_console_of_a_line),
		HISTORY(test_line_of_the_end),
		HISTORY(test_unwritable_file),
		HISTORY(test_mark_that_stays),
		HISTORY(test_facts),
		HISTORY(test_report),
		HISTORY(test_report_of_kept_exits),
		HISTORY(test_failure_in_report),
		HISTORY(test_last_words),
		HISTORY(test_long_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
