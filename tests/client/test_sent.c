/* Requests without answers, and answers that are kept. */
#include "../base/dice.h"

#include <stdlib.h>

#include "base/mem.h"
#include "client/sent.h"

static struct sent sent;

static int clear(void **state)
{
	(void)state;
	sent_clear(&sent);
	return 0;
}

static void expect_kept(uint64_t wanted, const char *text)
{
	uint64_t id = 0;
	char *answer = sent_take(&sent, &id);

	assert_non_null(answer);
	assert_string_equal(answer, text);
	assert_int_equal(id, wanted);
	free(answer);
}

static void test_kept_answers(void **state)
{
	uint64_t id;

	(void)state;
	assert_null(sent_take(&sent, &id));
	for (id = 1; id <= 4; id++)
		sent_add(&sent, id);
	sent_keep(&sent, 3, mem_copy("three"));
	sent_keep(&sent, 2, mem_copy("two"));
	sent_keep(&sent, 2, mem_copy("once more"));
	sent_keep(&sent, 7, mem_copy("never sent"));
	expect_kept(2, "two");
	expect_kept(3, "three");
	assert_null(sent_take(&sent, &id));
	assert_true(sent_remove(&sent, 4));
	assert_false(sent_remove(&sent, 4));
	assert_true(sent_remove(&sent, 1));
	assert_int_equal(sent.count, 0);
}

/* A program that never reads its answers uses no more memory. */
static void test_too_many(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= MAX_SENT + 2; id++) {
		sent_add(&sent, id);
		sent_keep(&sent, id, mem_copy("x"));
	}
	assert_int_equal(sent.count, MAX_SENT);
	assert_false(sent_remove(&sent, 2));
	expect_kept(3, "x");
	assert_true(sent_remove(&sent, MAX_SENT + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_kept_answers, clear),
		cmocka_unit_test_teardown(test_too_many, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
