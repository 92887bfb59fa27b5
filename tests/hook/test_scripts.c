/* Scripts of clients: their results, and how they end. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hook/call.h"
#include "life.h"

static struct vm v = VM;
static struct str heard; /* what the scripts have answered */

static void done(void *context, const struct node *result, const char *error)
{
	const char *name = context;

	if (error != NULL)
		str_addf(&heard, "%s fails: %.*s\n", name, (int)strcspn(error, "\n"), error);
	else if (result == NULL)
		str_addf(&heard, "%s: nil\n", name);
	else
		str_addf(&heard, "%s: %d\n", name, (int)result->integer);
}

static int64_t run_named(char *name, const char *text, struct error *err)
{
	/* The call keeps a copy of the text. */
	char *copy = strdup(text);
	struct hook_script script = {
		.text = copy, .length = strlen(copy), .name = name, .done = done, .context = name
	};
	int64_t number = machine_run(v.machine, &script, err);

	memset(copy, '?', strlen(copy));
	free(copy);
	return number;
}

static int64_t run(const char *text)
{
	static char name[] = "script";
	struct error err = { 0 };
	int64_t number = run_named(name, text, &err);

	assert_null(err.text);
	assert_true(number > 0);
	return number;
}

static void begin_boot(void)
{
	vm_make(&v, "", NULL);
	calls_boot_began(&v.machine->calls, false, 0);
}

static void check_heard(const char *text)
{
	assert_string_equal(heard.text == NULL ? "" : heard.text, text);
	str_free(&heard);
}

static bool none_lasts(const struct machine *m)
{
	return !calls_last(&m->calls);
}

static void test_results(void **state)
{
	(void)state;
	begin_boot();
	(void)run("return 7");
	(void)run("local x = 1");
	(void)run("error('broken', 0)");
	(void)run("return vmrun.exec { 'sh', '-c', 'exit 3' }");
	vm_await(&v, none_lasts);
	check_heard("script: 7\nscript: nil\nscript fails: broken\nscript: 3\n");
	vm_close(&v);
}

/* A script whose client has gone ends without an answer; others go on. */
static void test_ended(void **state)
{
	static char other[] = "other";
	struct error err = { 0 };
	int64_t number;

	(void)state;
	begin_boot();
	number = run("vmrun.sleep(600)");
	assert_true(run_named(other, "vmrun.sleep(0.001) return 1", &err) != number);
	machine_end_run(v.machine, number + 100); /* of none */
	machine_end_run(v.machine, number);
	vm_await(&v, none_lasts);
	check_heard("other: 1\n");
	vm_close(&v);
}

/* While a script computes, no other begins: the next one does as soon as it is ended. */
static void test_ended_while_it_computes(void **state)
{
	static char other[] = "other";
	struct error err = { 0 };
	int64_t number;

	(void)state;
	begin_boot();
	number = run("while true do end");
	assert_true(machine_computes(v.machine));
	assert_true(run_named(other, "return 1", &err) > 0);
	check_heard("");
	machine_end_run(v.machine, number);
	vm_await(&v, none_lasts);
	check_heard("other: 1\n");
	vm_close(&v);
}

static void test_end_of_the_boot(void **state)
{
	(void)state;
	begin_boot();
	(void)run("local ok, why = vmrun.exec { 'sleep', '600' }"
		  "error(why, 0)");
	(void)run("vmrun.sleep(600) return 2");
	calls_boot_ended(&v.machine->calls);
	vm_await(&v, none_lasts);
	check_heard("script fails: gone\nscript: 2\n");
	vm_close(&v);
}

static void test_end_of_vmrun(void **state)
{
	(void)state;
	begin_boot();
	(void)run("vmrun.sleep(600)");
	vm_close(&v);
	check_heard("script fails: vmrun has ended it\n");
}

static void check_refused(const char *why)
{
	static char name[] = "script";
	struct error err = { 0 };

	assert_int_equal(run_named(name, "return 7", &err), -1);
	assert_string_equal(err.text, why);
	error_clear(&err);
	check_heard("");
}

static void test_refused(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	check_refused("no VM is running");
	calls_boot_began(&v.machine->calls, false, 0);
	for (int i = 1; i < MAX_LASTING_CALLS; i++)
		(void)run("vmrun.sleep(600)");
	(void)run("vmrun.sleep(60)");
	/* Also what the last one waits for is waited for. */
	assert_true(calls_until_ms(&v.machine->calls) <= machine_now(v.machine) + 60000);
	check_refused("32 hooks and scripts are running already, which is the limit");
	calls_abandon(&v.machine->calls);
	str_free(&heard);
	vm_close(&v);
}

#define SCRIPT(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT(test_results),
		SCRIPT(test_ended),
		SCRIPT(test_ended_while_it_computes),
		SCRIPT(test_end_of_the_boot),
		SCRIPT(test_end_of_vmrun),
		SCRIPT(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
