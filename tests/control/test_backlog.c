/* The newest events: limited in number and in bytes, each found by its number. */
#include "control/backlog.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void test_order(void **state)
{
	struct backlog b = { 0 };

	(void)state;
	assert_true(backlog_next(&b) == 1);
	assert_null(backlog_line(&b, 1));
	for (uint64_t seq = 5; seq < 5 + 3 * MAX_BACKLOG_EVENTS; seq++)
		backlog_add(&b, seq, mem_format("%llu", (unsigned long long)seq));
	assert_int_equal(b.count, MAX_BACKLOG_EVENTS);
	assert_true(backlog_next(&b) == 5 + 3 * MAX_BACKLOG_EVENTS);
	assert_true(b.oldest == 5 + 2 * MAX_BACKLOG_EVENTS);
	for (uint64_t seq = b.oldest; seq < backlog_next(&b); seq++)
		assert_true(strtoull(backlog_line(&b, seq), NULL, 10) == seq);
	assert_null(backlog_line(&b, b.oldest - 1));
	assert_null(backlog_line(&b, backlog_next(&b)));
	backlog_clear(&b);
}

static char *long_line(size_t n)
{
	char *line = mem_zero(n + 1);

	memset(line, 'x', n);
	return line;
}

static void test_bytes(void **state)
{
	struct backlog b = { 0 };

	(void)state;
	for (uint64_t seq = 1; seq <= 100; seq++)
		backlog_add(&b, seq, long_line(MAX_BACKLOG_BYTES / 8));
	assert_int_equal(b.count, 8);
	assert_true(b.oldest == 93);
	/* The newest line stays, however long it is. */
	backlog_add(&b, 101, long_line(3 * MAX_BACKLOG_BYTES));
	assert_int_equal(b.count, 1);
	assert_non_null(backlog_line(&b, 101));
	backlog_add(&b, 102, long_line(1));
	assert_int_equal(b.count, 1);
	assert_int_equal(b.bytes, 1);
	backlog_clear(&b);
	assert_int_equal(b.count, 0);
}

static void test_most_events(void **state)
{
	struct backlog b = { 0 };

	(void)state;
	for (uint64_t seq = 1; seq <= MAX_BACKLOG_EVENTS; seq++)
		backlog_add(&b, seq, long_line(1));
	assert_int_equal(b.count, MAX_BACKLOG_EVENTS);
	assert_non_null(backlog_line(&b, 1));
	backlog_add(&b, MAX_BACKLOG_EVENTS + 1, long_line(1));
	assert_int_equal(b.count, MAX_BACKLOG_EVENTS);
	assert_null(backlog_line(&b, 1));
	assert_non_null(backlog_line(&b, 2));
	assert_non_null(backlog_line(&b, MAX_BACKLOG_EVENTS + 1));
	backlog_clear(&b);
}

static void test_most_bytes(void **state)
{
	struct backlog b = { 0 };

	(void)state;
	backlog_add(&b, 1, long_line(1));
	backlog_add(&b, 2, long_line(MAX_BACKLOG_BYTES - 1));
	assert_int_equal(b.count, 2);
	assert_int_equal(b.bytes, MAX_BACKLOG_BYTES);
	backlog_clear(&b);
	backlog_add(&b, 1, long_line(1));
	backlog_add(&b, 2, long_line(MAX_BACKLOG_BYTES));
	assert_int_equal(b.count, 1);
	assert_null(backlog_line(&b, 1));
	assert_non_null(backlog_line(&b, 2));
	backlog_clear(&b);
}

/* A client that asks for a number gets that event, also after numbers that are missing. */
static void test_gap(void **state)
{
	struct backlog b = { 0 };

	(void)state;
	backlog_add(&b, 1, long_line(1));
	backlog_add(&b, 2, long_line(2));
	backlog_add(&b, 7, long_line(7));
	assert_int_equal(b.oldest, 7);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.bytes, 7);
	assert_null(backlog_line(&b, 2));
	assert_int_equal(strlen(backlog_line(&b, 7)), 7);
	backlog_add(&b, 8, long_line(8));
	assert_int_equal(b.count, 2);
	assert_int_equal(strlen(backlog_line(&b, 8)), 8);
	backlog_clear(&b);
}

/* The ring grows in the order of its lines, wherever the first one is. */
static void test_growth(void **state)
{
	(void)state;
	for (size_t skipped = 0; skipped <= 40; skipped++) {
		struct backlog b = { 0 };

		/* A line of the most bytes drops those before it. */
		for (uint64_t seq = 1; seq <= skipped; seq++)
			backlog_add(&b, seq, long_line(MAX_BACKLOG_BYTES));
		for (uint64_t seq = skipped + 1; seq <= skipped + 100; seq++)
			backlog_add(&b, seq, mem_format("%llu", (unsigned long long)seq));
		assert_int_equal(b.count, 100);
		for (uint64_t seq = skipped + 1; seq < backlog_next(&b); seq++)
			assert_true(strtoull(backlog_line(&b, seq), NULL, 10) == seq);
		backlog_clear(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_most_events),
		cmocka_unit_test(test_most_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
