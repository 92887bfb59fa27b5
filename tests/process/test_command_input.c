/* The input of commands. */
#include "process/command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../platform/scratch.h"

/* HOUR_MS is longer than the time limit of the suite, so a test that waits for it fails. */
enum { HOUR_MS = 3600 * 1000, MOST = 4 << 20 };

static struct command_result result;

/* Runs a command that must succeed. */
static void run(char *program, const char *input, size_t length)
{
	char *argv[] = { program, NULL };
	struct command what = { .argv = argv,
		.limit_ms = HOUR_MS,
		.max_output = MOST,
		.input = input,
		.input_length = length };
	struct error err = { 0 };

	command_clear(&result);
	if (command_run(&what, &result, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(result.end.status, 0);
}

static void assert_copied(const char *input, size_t length)
{
	run("cat", input, length);
	assert_int_equal(result.out_length, length);
	assert_memory_equal(result.out, input, length);
	command_clear(&result);
}

/* The input may be larger than a pipe; a command that does not read it ends all the same. */
static void test_any_bytes(void **state)
{
	char input[200000];

	(void)state;
	memset(input, 'x', sizeof(input));
	input[7] = '\0';
	assert_copied(input, sizeof(input));
	assert_copied("", 0);
	run("true", input, sizeof(input));
	command_clear(&result);
}

enum { TAG_END = COMMAND_STREAMS };

static uintptr_t end_tag(pid_t unused)
{
	(void)unused;
	return TAG_END;
}

/* A program that has closed its standard input gets descriptor 0 for the file. */
static void test_without_standard_input(void **state)
{
	char *argv[] = { "cat", NULL };
	struct command what = {
		.argv = argv, .max_output = MOST, .input = "text", .input_length = 4
	};
	struct wake wake = { .kind = WAKE_READABLE };
	struct waitset *wait = NULL;
	struct error err = { 0 };
	struct job j = { 0 };
	int input = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(waitset_new(&wait, &err), 0);
	assert_int_equal(close(STDIN_FILENO), 0);
	if (command_start(&j, &what, wait, COMMAND_OUT, end_tag, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
	while (wake.kind == WAKE_READABLE) {
		assert_int_equal(waitset_next(wait, -1, &wake, &err), 1);
		if (wake.kind == WAKE_READABLE)
			(void)command_read(&j, (int)wake.tag);
	}
	assert_int_equal(command_finish(&j, &result, &err), 0);
	assert_string_equal(result.out, "text");
	command_clear(&result);
	waitset_free(wait);
}

/* The file for the input is made in TMPDIR, and is gone afterwards. */
static void test_directory_for_it(void **state)
{
	MEM_AUTO char *directory = scratch_path("inputs");
	char *argv[] = { "cat", NULL };
	struct command what = {
		.argv = argv, .limit_ms = HOUR_MS, .max_output = MOST, .input = ""
	};
	struct error err = { 0 };

	(void)state;
	assert_int_equal(setenv("TMPDIR", directory, 1), 0);
	assert_int_equal(command_run(&what, &result, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_ptr_equal(strstr(err.text, directory), err.text);
	assert_non_null(strstr(err.text, ": No such file or directory"));
	error_clear(&err);
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_copied("text\n", 5);
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(setenv("TMPDIR", "", 1), 0);
	assert_copied("text\n", 5);
	assert_int_equal(unsetenv("TMPDIR"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_without_standard_input),
		cmocka_unit_test(test_directory_for_it),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
