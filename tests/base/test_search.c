/* The search for a text in a stream that comes in pieces. */
#include "dice.h"

#include <string.h>

#include "base/search.h"

#define STREAM 200
#define TEXT 8

static void test_match_and_restart(void **state)
{
	struct search s;

	(void)state;
	search_begin(&s, "aab", 3);
	assert_int_equal(search_bytes(&s, "xaaab-aab", 9), 5);
	assert_int_equal(search_bytes(&s, "-aab", 4), 4);
	assert_int_equal(search_bytes(&s, "aa", 2), 0);
	assert_int_equal(search_bytes(&s, "", 0), 0);
	assert_int_equal(search_bytes(&s, "b", 1), 1);
	/* What was matched is forgotten: matches do not overlap. */
	search_free(&s);
	search_begin(&s, "aa", 2);
	assert_int_equal(search_bytes(&s, "aaa", 3), 2);
	assert_int_equal(search_bytes(&s, "a", 1), 0);
	search_restart(&s);
	assert_int_equal(search_bytes(&s, "a", 1), 0);
	search_free(&s);
	search_free(&s);
}

static void test_nuls(void **state)
{
	struct search s;

	(void)state;
	search_begin(&s, "\0x\0", 3);
	assert_int_equal(search_bytes(&s, "\0\0x", 3), 0);
	assert_int_equal(search_bytes(&s, "\0x", 2), 1);
	search_free(&s);
}

static void test_empty_text(void **state)
{
	struct search s;

	(void)state;
	search_begin(&s, "", 0);
	assert_int_equal(search_bytes(&s, "", 0), 0);
	assert_int_equal(search_bytes(&s, "\0x", 2), 1);
	assert_int_equal(search_bytes(&s, "x", 1), 1);
	search_free(&s);
}

/* Returns how many bytes of the stream end with the first match, by comparing everywhere. */
static size_t find_slowly(const char *stream, size_t n, const char *text, size_t length)
{
	for (size_t end = length; end <= n; end++) {
		if (memcmp(stream + end - length, text, length) == 0)
			return end;
	}
	return 0;
}

static void test_pieces_do_not_matter(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 3000; seed++) {
		char stream[STREAM], text[TEXT];
		size_t length, at = 0, found = 0;
		struct search s;
		struct dice d;

		dice_start(&d, seed);
		length = 1 + dice_roll(&d, TEXT);
		for (size_t i = 0; i < STREAM; i++)
			stream[i] = (char)dice_roll(&d, 2);
		for (size_t i = 0; i < length; i++)
			text[i] = (char)dice_roll(&d, 2);
		search_begin(&s, text, length);
		while (at < STREAM && found == 0) {
			size_t n = 1 + dice_roll(&d, 5);

			if (n > STREAM - at)
				n = STREAM - at;
			found = search_bytes(&s, stream + at, n);
			found = found > 0 ? at + found : 0;
			at += n;
		}
		dice_check(&d, found == find_slowly(stream, STREAM, text, length), "the end");
		search_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match_and_restart),
		cmocka_unit_test(test_nuls),
		cmocka_unit_test(test_empty_text),
		cmocka_unit_test(test_pieces_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
