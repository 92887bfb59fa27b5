/* Failures: the first one wins, prefixes, and a caller that ignores them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/error.h"

static void test_first_wins(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, STATUS_SPEC, "%d", 1), -1);
	assert_int_equal(error_set(&err, STATUS_OS, "%d", 2), -1);
	assert_int_equal(error_prefix(&err, "a"), -1);
	assert_string_equal(err.text, "a: 1");
	assert_int_equal(err.status, STATUS_SPEC);
	error_clear(&err);
	assert_null(err.text);
	assert_int_equal(err.status, STATUS_OK);
}

static void test_ignored(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, STATUS_SPEC, "x"), -1);
	assert_int_equal(error_prefix(NULL, "a"), -1);
	error_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
