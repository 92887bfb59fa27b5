/* Dropping the state of a stock hook from a VM's file. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "life.h"
#include "vmrun/vmrun.h"

#define FILE_NAME "keep/demo/state.json"

static void write_state(const char *text)
{
	FILE *f;

	(void)mkdir("keep", 0700);
	(void)mkdir("keep/demo", 0700);
	f = fopen(FILE_NAME, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Returns the file without its spaces and newlines, lent until the next call. */
static const char *read_state(void)
{
	static char text[1024];
	FILE *f = fopen(FILE_NAME, "r");
	size_t n = 0;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF && n + 1 < sizeof(text)) {
		if (c != ' ' && c != '\n' && c != '\t')
			text[n++] = (char)c;
	}
	text[n] = '\0';
	assert_int_equal(fclose(f), 0);
	return text;
}

static void expect(const char *hook, int status, const char *reason)
{
	char *why = NULL;

	assert_int_equal(vmrun_forget("run", "keep", "demo", hook, &why), status);
	if (reason == NULL)
		assert_null(why);
	else if (why == NULL || strstr(why, reason) == NULL)
		fail_msg("expected %s, got %s", reason, why);
	free(why);
}

static void test_drops_one_hook(void **state)
{
	(void)state;
	write_state(
	    "{\"install_once\":{\"done\":true},\"install_once:b\":{\"done\":true},\"x\":1}");
	expect("install_once", 0, NULL);
	assert_string_equal(read_state(), "{\"install_once:b\":{\"done\":true},\"x\":1}");
	expect("install_once:b", 0, NULL);
	assert_string_equal(read_state(), "{\"x\":1}");
	expect("install_once", 69, "install_once has no saved state");
	assert_false(life_file_exists("run/demo"));
}

/* The key of version 0.1 stays, but an empty state of the hook hides it. */
static void test_hides_the_older_key(void **state)
{
	(void)state;
	write_state("{\"installed\":true}");
	expect("install_once", 0, NULL);
	assert_string_equal(read_state(), "{\"install_once\":{},\"installed\":true}");
	expect("install_once", 69, "no saved state to forget");
}

static void test_failures(void **state)
{
	(void)state;
	expect("install_once", 69, "no saved state to forget"); /* no file */
	expect("backoff", 69, "no stock hook \"backoff\"");
	write_state("{\"install_once\":");
	expect("install_once", 65, "state.json");
	write_state("7");
	expect("install_once", 65, "expected an object");
	assert_string_equal(read_state(), "7");
}

static void test_not_beside_a_vmrun(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	write_state("{\"install_once\":{\"done\":true}}");
	life_script("ready up hang");
	assert_int_equal(vmrun_start(vm), 0);
	expect("install_once", 75, "demo");
	assert_string_equal(read_state(), "{\"install_once\":{\"done\":true}}");
	vmrun_close(vm);
	expect("install_once", 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_drops_one_hook, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_hides_the_older_key, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_failures, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_not_beside_a_vmrun, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
