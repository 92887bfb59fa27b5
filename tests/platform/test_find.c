/* Searches in bytes. */
#include "platform/find.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_find(void **state)
{
	static const char bytes[] = "a\0.inc.include";

	(void)state;
	assert_ptr_equal(find_text(bytes, sizeof(bytes) - 1, ".include"), bytes + 6);
	assert_ptr_equal(find_text(bytes, sizeof(bytes) - 1, ".inc"), bytes + 2);
	assert_null(find_text(bytes, sizeof(bytes) - 2, ".include"));
	assert_null(find_text(bytes, 0, "a"));
	assert_ptr_equal(find_text(bytes, sizeof(bytes) - 1, ""), bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
