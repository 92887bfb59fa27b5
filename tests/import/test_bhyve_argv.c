/* Options of bhyve that an import cannot reach yet: of releases that no spec can be for. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "import/bhyve_argv.h"

static void read_monitor(int release, struct bhyve_command *command, struct report *report)
{
	static const char *const words[] = { "bhyve", "-M", "vm" };
	const struct bhyve_host host = { .release = release };
	WORDS_AUTO struct words argv = { 0 };

	for (size_t i = 0; i < 3; i++)
		words_add(&argv, words[i]);
	bhyve_argv_read(command, &argv, &host, "/", report);
}

static void test_monitor(void **state)
{
	BHYVE_COMMAND_AUTO struct bhyve_command command = { 0 };
	REPORT_AUTO struct report report = { 0 };

	(void)state;
	read_monitor(16, &command, &report);
	assert_int_equal(report.count, 0);
	assert_int_equal(command.notes.count, 1);
	assert_string_equal(command.notes.item[0],
	    "-M: left out: vmrun itself starts the VM again after each exit");
	assert_string_equal(pairs_get(&command.tree, "name"), "vm");
}

static void test_no_monitor(void **state)
{
	BHYVE_COMMAND_AUTO struct bhyve_command command = { 0 };
	REPORT_AUTO struct report report = { 0 };

	(void)state;
	read_monitor(15, &command, &report);
	assert_int_equal(report.count, 1);
	assert_int_equal(command.notes.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_no_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
