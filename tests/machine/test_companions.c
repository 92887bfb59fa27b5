/* Companions: which of them run, what they print, and how often they are started again. */
#include "machine/companions.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/mem.h"
#include "base/str.h"
#include "platform/clock.h"

enum { TAG_END = 1 << 30, TAG_OUTPUT = 10, MAX_WAIT_MS = 60000 };

static struct waitset *waits;
static struct error err;
static struct event_queue events;
static struct companions companions;

static uintptr_t end_tag(pid_t pid)
{
	return TAG_END + (uintptr_t)pid;
}

static int setup(void **state)
{
	if (scratch_enter(state) != 0 || waitset_new(&waits, &err) != 0)
		return -1;
	companions.wait = waits;
	companions.events = &events;
	companions.first_tag = TAG_OUTPUT;
	companions.end_tag = end_tag;
	return 0;
}

static int teardown(void **state)
{
	companions_clear(&companions);
	waitset_free(waits);
	event_queue_clear(&events);
	memset(&events, 0, sizeof(events));
	error_clear(&err);
	return scratch_leave(state);
}

static struct companion_run *want(const char *name, const char *script, bool restart)
{
	WORDS_AUTO struct words command = { 0 };

	words_add(&command, "sh");
	words_add(&command, "-c");
	words_add(&command, script);
	companions_want_one(&companions, name, &command, restart);
	return companions_find(&companions, name);
}

static struct companion_run *start(const char *name, const char *script, bool restart)
{
	struct companion_run *run = want(name, script, restart);

	assert_non_null(run);
	if (companion_start(&companions, run, &err) != 0)
		fail_msg("%s", err.text);
	run->ready = true;
	return run;
}

/* Takes events until a companion has ended, and reaps it. */
static struct companion_run *await_end(void)
{
	struct companion_run *run;
	struct wake wake;

	for (;;) {
		if (waitset_next(waits, MAX_WAIT_MS, &wake, &err) != 1)
			fail_msg("nothing happened: %s", err.text == NULL ? "" : err.text);
		if (wake.kind == WAKE_CHILD)
			break;
		companions_read(&companions, wake.tag - TAG_OUTPUT);
	}
	run = companions_ended(&companions, (pid_t)(wake.tag - TAG_END));
	assert_non_null(run);
	return run;
}

/* Checks that the next event is this one. */
static void assert_told(enum vmrun_event_type type, const char *by, const char *text)
{
	struct vmrun_event e;

	assert_true(event_next(&events, &e));
	assert_int_equal(e.type, type);
	assert_string_equal(e.text, text);
	if (by != NULL)
		assert_string_equal(e.by, by);
}

static void assert_nothing_told(void)
{
	struct vmrun_event e;

	assert_false(event_next(&events, &e));
}

static void test_lines_are_told_by_their_companion(void **state)
{
	(void)state;
	(void)start("one", "echo out; echo wrong >&2", false);
	(void)await_end();
	assert_told(VMRUN_OUTPUT, "one", "out");
	assert_told(VMRUN_OUTPUT, "one", "wrong");
	assert_told(VMRUN_WARNING, NULL, "companion one ended with status 0");
	(void)start("two", "echo 2; printf 3; kill -9 $$", false);
	(void)await_end();
	assert_told(VMRUN_OUTPUT, "two", "2");
	assert_told(VMRUN_OUTPUT, "two", "3");
	assert_told(VMRUN_WARNING, NULL, "companion two ended of signal 9");
	assert_nothing_told();
	/* There are no companions with these indexes, so nothing is read. */
	companions_read(&companions, 2);
}

static void test_restarts_up_to_the_limit_and_one_more(void **state)
{
	struct companion_run *run = start("d", "exit 3", true);

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_ptr_equal(await_end(), run);
		assert_int_not_equal(run->job.pid, 0);
		assert_told(VMRUN_WARNING, NULL, "companion d ended with status 3: restarting it");
	}
	assert_ptr_equal(await_end(), run);
	assert_int_equal(run->job.pid, 0);
	assert_told(VMRUN_WARNING, NULL,
	    "companion d ended with status 3, after 5 restarts: vmrun does not restart it again");
	assert_nothing_told();
}

static void test_restart_that_fails_is_told(void **state)
{
	struct companion_run *run = start("d", "exit 3", true);

	(void)state;
	free(run->command.item[0]);
	run->command.item[0] = mem_copy("/no/such/program");
	(void)await_end();
	assert_told(
	    VMRUN_WARNING, NULL, "companion d: /no/such/program: No such file or directory");
	assert_int_equal(companions_running(&companions), 0);
}

static void test_no_restart_of_one_that_was_never_ready_or_is_not_wanted(void **state)
{
	struct companion_run *run = start("d", "exit 3", true);

	(void)state;
	run->ready = false;
	(void)await_end();
	assert_int_equal(run->job.pid, 0);
	assert_int_equal(run->end.status, 3);
	(void)start("d", "exit 3", true);
	run->wanted = false;
	(void)await_end();
	assert_int_equal(run->job.pid, 0);
	assert_nothing_told();
}

static void test_those_that_a_boot_does_not_want_are_ended(void **state)
{
	struct spec spec = { 0 };
	struct companion wanted = { .name = "a" };
	struct companion_run *a = start("a", "exec sleep 60", false), *b;

	(void)state;
	b = start("b", "exec sleep 60", false);
	words_append(&wanted.command, &a->command);
	spec.companions.item = &wanted;
	spec.companions.count = 1;
	companions_want(&companions, &spec);
	assert_ptr_equal(companions_unwanted(&companions), b);
	companions_end_unwanted(&companions, SIGTERM);
	assert_ptr_equal(await_end(), b);
	assert_null(companions_unwanted(&companions));
	assert_int_equal(b->end.signal, SIGTERM);
	assert_int_equal(companions_running(&companions), 1);
	assert_null(companions_find(&companions, "b"));
	assert_ptr_equal(companions_find(&companions, "a"), a);
	words_free(&wanted.command);
}

static void test_those_of_a_boot_end_with_it(void **state)
{
	struct companion_run *of_boot = start("t", "exec sleep 60", false);
	struct companion_run *other = start("o", "exec sleep 60", false);

	(void)state;
	of_boot->of_boot = true;
	companions_end_boot(&companions);
	/* The next boot wants it, and has to wait for the end of the one before. */
	assert_true(of_boot->wanted);
	assert_ptr_equal(companions_unwanted(&companions), of_boot);
	assert_ptr_equal(companions_of_pid(&companions, of_boot->job.pid), of_boot);
	assert_ptr_equal(await_end(), of_boot);
	assert_null(companions_unwanted(&companions));
	assert_int_not_equal(other->job.pid, 0);
	assert_nothing_told();
	/* One that dies before its boot is a loss. */
	(void)start("t", "exec sleep 60", false);
	job_signal(&of_boot->job, SIGKILL);
	of_boot->of_boot = true;
	assert_ptr_equal(await_end(), of_boot);
	assert_told(VMRUN_WARNING, NULL,
	    "companion t ended of signal 9: the guest has no TPM until the next boot");
	assert_nothing_told();
}

static void test_another_command_is_another_companion(void **state)
{
	struct companion_run *one = want("d", "true", false);

	(void)state;
	assert_ptr_equal(want("d", "true", true), one);
	assert_true(one->restart);
	one->wanted = false;
	assert_ptr_not_equal(want("d", "false", false), one);
	assert_int_equal(companions.count, 2);
}

static void test_signal_and_clear(void **state)
{
	(void)state;
	(void)start("d", "trap '' TERM; exec sleep 60", true);
	(void)start("e", "exec sleep 60", true);
	assert_int_equal(companions_signal(&companions, SIGTERM), 2);
	assert_null(companions_find(&companions, "d"));
	companions_clear(&companions);
	assert_int_equal(companions_running(&companions), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Starts a companion with a child, which holds the FIFO; returns its other end. */
static struct pollfd start_with_child(const char *script)
{
	struct pollfd child = { .events = POLLIN };

	assert_int_equal(mkfifo("held", 0600), 0);
	(void)start("one", script, false);
	child.fd = open("held", O_RDONLY);
	assert_true(child.fd >= 0);
	assert_int_equal(poll(&child, 1, 0), 0);
	return child;
}

static void await_child(struct pollfd child)
{
	assert_int_equal(poll(&child, 1, MAX_WAIT_MS), 1); /* nobody holds it */
	assert_true((child.revents & POLLHUP) != 0);
	(void)close(child.fd);
	while (companions_linger(&companions)) /* until init has reaped it */
		clock_sleep(1);
}

/* A shell does not pass a signal on: what it has started gets it all the same. */
static void test_a_signal_reaches_what_a_companion_has_started(void **state)
{
	struct pollfd child;

	(void)state;
	child = start_with_child("sleep 600 3>held >/dev/null 2>&1 & wait");
	assert_int_equal(companions_signal(&companions, SIGTERM), 1);
	(void)await_end();
	await_child(child);
	assert_int_equal(companions_running(&companions), 0);
}

/* A child that outlives the companion counts as one that runs, until a signal ends it. */
static void test_what_a_companion_leaves_behind_runs(void **state)
{
	struct pollfd child;

	(void)state;
	child = start_with_child("(trap '' TERM; exec sleep 600 3>held >/dev/null 2>&1) & wait");
	assert_false(companions_linger(&companions));
	assert_int_equal(companions_signal(&companions, SIGTERM), 1);
	(void)await_end();
	assert_true(companions_linger(&companions));
	assert_int_equal(companions_running(&companions), 1);
	(void)companions_signal(&companions, SIGKILL);
	await_child(child);
	assert_int_equal(companions_running(&companions), 0);
}

static void test_those_that_were_forgotten_are_not_found(void **state)
{
	pid_t pid = start("d", "exec sleep 60", true)->job.pid;

	(void)state;
	companions_forget(&companions);
	assert_int_equal(companions_running(&companions), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_null(companions_ended(&companions, pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_told_by_their_companion),
		TEST(restarts_up_to_the_limit_and_one_more),
		TEST(restart_that_fails_is_told),
		TEST(no_restart_of_one_that_was_never_ready_or_is_not_wanted),
		TEST(those_that_a_boot_does_not_want_are_ended),
		TEST(those_of_a_boot_end_with_it),
		TEST(another_command_is_another_companion),
		TEST(signal_and_clear),
		TEST(a_signal_reaches_what_a_companion_has_started),
		TEST(what_a_companion_leaves_behind_runs),
		TEST(those_that_were_forgotten_are_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
