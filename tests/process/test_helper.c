/* Helper commands: the kept part of their output, and the report of their failure. */
#include "process/helper.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { TAG_OUTPUT = 7, MAX_WAIT_MS = 60000 };

static struct waitset *waits;
static struct error err;
static struct helper helper;

static int setup(void **state)
{
	(void)state;
	return waitset_new(&waits, &err);
}

static int teardown(void **state)
{
	(void)state;
	helper_free(&helper);
	waitset_free(waits);
	error_clear(&err);
	return 0;
}

static uintptr_t end_tag(pid_t pid)
{
	return TAG_OUTPUT + 1 + (uintptr_t)pid;
}

static int start(char *script, enum helper_capture capture)
{
	struct words command = { 0 };
	int rc;

	words_add(&command, "sh");
	words_add(&command, "-c");
	words_add(&command, script);
	rc = helper_start(&helper, &command, capture, waits, TAG_OUTPUT, end_tag, &err);
	words_free(&command);
	return rc;
}

/* Takes events until a process has ended, and returns its pid. */
static pid_t await_end(void)
{
	struct wake wake;

	for (;;) {
		if (waitset_next(waits, MAX_WAIT_MS, &wake, &err) != 1)
			fail_msg("nothing happened: %s", err.text == NULL ? "" : err.text);
		if (wake.kind == WAKE_CHILD)
			return (pid_t)(wake.tag - TAG_OUTPUT - 1);
		assert_int_equal(wake.tag, TAG_OUTPUT);
		helper_read(&helper);
	}
}

static void run(char *script, enum helper_capture capture)
{
	if (start(script, capture) != 0)
		fail_msg("%s", err.text);
	assert_true(helper_ended(&helper, await_end()));
	assert_int_equal(helper.job.pid, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void assert_trouble(const char *wanted)
{
	MEM_AUTO char *trouble = helper_trouble(&helper);

	assert_string_equal(trouble, wanted);
}

static void test_what_is_captured(void **state)
{
	(void)state;
	assert_string_equal(helper_output(&helper), "");
	run("echo one; echo two >&2", HELPER_SILENT);
	assert_string_equal(helper_output(&helper), "");
	run("echo one; echo two >&2", HELPER_STDOUT);
	assert_string_equal(helper_output(&helper), "one\n");
	run("echo one; echo two >&2", HELPER_ALL);
	assert_string_equal(helper_output(&helper), "one\ntwo\n");
	assert_int_equal(helper.status, 0);
}

/* Runs a helper that prints this many bytes in lines of 16, and then more. */
static void write_lines(size_t bytes, const char *more)
{
	MEM_AUTO char *script = mem_format("yes 123456789abcdef | head -c %zu; %s", bytes, more);

	run(script, HELPER_STDOUT);
	assert_int_equal(helper.status, 0);
	assert_int_equal(strlen(helper_output(&helper)), MAX_HELPER_OUTPUT);
	assert_string_equal(helper_output(&helper) + MAX_HELPER_OUTPUT - 16, "123456789abcdef\n");
}

static void test_as_much_output_as_is_kept_and_a_byte_more(void **state)
{
	(void)state;
	write_lines(MAX_HELPER_OUTPUT, ":");
	assert_false(job_overflowed(&helper.job, 0));
	write_lines(MAX_HELPER_OUTPUT, "printf x");
	assert_true(job_overflowed(&helper.job, 0));
}

static void test_words(void **state)
{
	(void)state;
	run("echo first; echo 'the last line'; echo; exit 3", HELPER_ALL);
	assert_int_equal(helper.status, 3);
	assert_trouble("the last line");
	run("exit 4", HELPER_ALL);
	assert_trouble("it ended with status 4");
	run(":", HELPER_ALL);
	assert_trouble("it ended with status 0");
	run("kill -9 $$", HELPER_ALL);
	assert_int_equal(helper.status, -1);
	assert_trouble("it was killed");
	/* Not by vmrun. */
	assert_false(helper.killed);
}

static void test_missing(void **state)
{
	struct words command = { 0 };

	(void)state;
	words_add(&command, "/no/such/program");
	assert_int_equal(
	    helper_start(&helper, &command, HELPER_ALL, waits, TAG_OUTPUT, end_tag, &err), -1);
	words_free(&command);
	assert_int_equal(err.status, STATUS_EXEC_MISSING);
	assert_int_equal(helper.status, -1);
	assert_int_equal(helper.job.pid, 0);
}

static void test_killed(void **state)
{
	(void)state;
	assert_int_equal(start("while :; do sleep 60; done", HELPER_ALL), 0);
	helper_kill(&helper);
	assert_true(helper.killed);
	assert_true(helper_ended(&helper, await_end()));
	assert_int_equal(helper.status, -1);
	assert_trouble("it was killed");
	/* It does not run any more. */
	helper.killed = false;
	helper_kill(&helper);
	assert_false(helper.killed);
}

static void test_one_that_was_given_up_is_reaped_when_it_ends(void **state)
{
	pid_t old;

	(void)state;
	assert_int_equal(start("while :; do sleep 60; done", HELPER_ALL), 0);
	old = helper.job.pid;
	helper_kill(&helper);
	helper_give_up(&helper);
	assert_int_equal(helper.job.pid, 0);
	assert_int_equal(await_end(), old);
	assert_false(helper_ended(&helper, old));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_a_start_ends_the_one_before(void **state)
{
	pid_t old, ended[2];

	(void)state;
	assert_int_equal(start("while :; do sleep 60; done", HELPER_ALL), 0);
	old = helper.job.pid;
	assert_int_equal(start("echo new", HELPER_ALL), 0);
	assert_int_not_equal(helper.job.pid, old);
	for (int i = 0; i < 2; i++) {
		ended[i] = await_end();
		assert_int_equal(helper_ended(&helper, ended[i]), ended[i] != old);
	}
	assert_true(ended[0] == old || ended[1] == old);
	assert_int_equal(helper.status, 0);
	assert_string_equal(helper_output(&helper), "new\n");
}

/* A command that changes the host is not killed half-way. */
static void test_changes_are_completed(void **state)
{
	char directory[] = "/tmp/vmrun-helper.XXXXXX";
	MEM_AUTO char *lock = NULL, *file = NULL, *script = NULL;

	(void)state;
	assert_non_null(mkdtemp(directory));
	lock = mem_format("%s/lock", directory);
	file = mem_format("%s/done", directory);
	script = mem_format("sleep 0.2; : >%s", file);
	helper.lock_file = lock;
	assert_int_equal(start(script, HELPER_SILENT), 0);
	helper_free(&helper);
	assert_int_equal(unlink(file), 0);
	/* Another one is killed, and so is one that takes longer while the loop waits. */
	assert_int_equal(start("exec sleep 600", HELPER_SILENT), 0);
	helper_free(&helper);
	helper.lock_file = lock;
	assert_int_equal(start("exec sleep 600", HELPER_SILENT), 0);
	helper_abandon(&helper);
	(void)await_end();
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(directory), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_captured),
		TEST(as_much_output_as_is_kept_and_a_byte_more),
		TEST(words),
		TEST(missing),
		TEST(killed),
		TEST(one_that_was_given_up_is_reaped_when_it_ends),
		TEST(a_start_ends_the_one_before),
		TEST(changes_are_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
