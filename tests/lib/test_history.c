/* The history of a VM, as a program reads it. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "life.h"
#include "vmrun/vmrun.h"

/* Returns the history of "demo", NULL if there is none.  Caller frees. */
static char *read_history(void)
{
	char *lines, *why;

	assert_int_equal(vmrun_history("keep", "demo", &lines, &why), 0);
	assert_null(why);
	return lines;
}

static void test_none(void **state)
{
	(void)state;
	assert_null(read_history());
}

static void test_run(void **state)
{
	struct vmrun *vm = life_open("demo", "");
	char *lines;

	(void)state;
	life_script("exit 1");
	assert_non_null(strstr(life_run(vm), "ended:poweroff"));
	assert_false(life_file_exists("keep/demo/running"));
	lines = read_history();
	assert_non_null(strstr(lines, "\"kind\":\"boot\",\"boot\":1,"));
	assert_non_null(strstr(lines, "\"ended_by\":\"guest\""));
	assert_non_null(strstr(lines, "\"kind\":\"vmrun\""));
	free(lines);
	vmrun_close(vm);
}

/* A handle that is closed while its VM runs leaves a line, and no file that tells of a death. */
static void test_close(void **state)
{
	struct vmrun *vm = life_open("demo", "");
	char *lines;

	(void)state;
	life_script("ready up hang");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	assert_true(life_file_exists("keep/demo/running"));
	vmrun_close(vm);
	assert_false(life_file_exists("keep/demo/running"));
	lines = read_history();
	assert_non_null(lines);
	assert_non_null(strstr(lines, "\"kind\":\"vmrun\""));
	assert_non_null(strstr(lines, "\"cause\":\"stopped\""));
	assert_non_null(strstr(lines, "\"exit_status\":null"));
	assert_non_null(strstr(lines, "closed by its program, which killed the VM"));
	free(lines);
}

static void test_simulation(void **state)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;

	(void)state;
	options.dry_run = true;
	vm = life_open_with(&options, "demo", "");
	assert_int_equal(vmrun_simulate(vm, "reboot,poweroff"), 0);
	vmrun_close(vm);
	assert_false(life_file_exists("keep"));
}

/* A vmrun that died, and whose line no start has written. */
static void test_death(void **state)
{
	FILE *f;
	char *lines;

	(void)state;
	test_run(NULL);
	f = fopen("keep/demo/running", "w");
	assert_non_null(f);
	/* No process has this pid: FreeBSD's and Linux's limits are lower. */
	assert_true(fputs("{\"v\":1,\"pid\":99999999,\"start\":1,\"boot\":\"\"}\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	lines = read_history();
	assert_non_null(strstr(lines,
	    "\"text\":\"vmrun pid 99999999 died: kill -9, out of memory or a power cut\"}\n"));
	free(lines);
}

static void test_unreadable(void **state)
{
	char *lines, *why;

	(void)state;
	assert_int_equal(mkdir("keep", 0700), 0);
	assert_int_equal(mkdir("keep/demo", 0700), 0);
	assert_int_equal(mkdir("keep/demo/history.jsonl", 0700), 0);
	assert_int_equal(vmrun_history("keep", "demo", &lines, &why), 71);
	assert_null(lines);
	assert_non_null(strstr(why, "keep/demo/history.jsonl: cannot read this file"));
	free(why);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, life_enter, life_leave)
	const struct CMUnitTest tests[] = {
		TEST(test_none),
		TEST(test_run),
		TEST(test_close),
		TEST(test_simulation),
		TEST(test_death),
		TEST(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
