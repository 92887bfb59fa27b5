/* Text without its control characters. */
#include "../base/dice.h"

#include <stdio.h>

#include "cli/mask.h"

static const char *masked(const char *text, const char *kept)
{
	static char copy[64];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	mask_control(copy, kept, '?');
	return copy;
}

static void test_ascii(void **state)
{
	(void)state;
	assert_string_equal(masked("", ""), "");
	assert_string_equal(masked("a\33[2J b~", ""), "a?[2J b~");
	assert_string_equal(masked("\1\37 \177", ""), "?? ?");
	assert_string_equal(masked("a\n\tb\r", ""), "a??b?");
	assert_string_equal(masked("a\n\tb\r", "\n\t"), "a\n\tb?");
}

static void test_utf_8(void **state)
{
	(void)state;
	assert_string_equal(masked("\302\200\302\237\302\240", ""), "????\302\240");
	assert_string_equal(masked("\303\233\304\200", ""), "\303\233\304\200");
	assert_string_equal(masked("\302", ""), "\302");
	assert_string_equal(masked("\302\33", ""), "\302?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_utf_8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
