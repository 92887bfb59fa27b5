/* Splits a stream into lines, however its bytes arrive. */
#include "process/lines.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define SEED 99u

static unsigned dice;

static unsigned roll(unsigned n)
{
	dice = dice * 1664525u + 1013904223u;
	return (dice >> 8) % n;
}

/* Feeds a piece and adds every line as "<line>". */
static void feed(struct lines *l, const char *bytes, size_t n, struct str *out)
{
	const char *line;

	while (n > 0) {
		size_t taken = lines_add(l, bytes, n);

		assert_in_range(taken, 1, n);
		bytes += taken;
		n -= taken;
		while ((line = lines_next(l)) != NULL) {
			assert_true(strlen(line) <= MAX_OUTPUT_LINE);
			str_addf(out, "<%s>", line);
		}
	}
}

/* Returns the lines of a text that is fed in pieces of random length up to `most`. */
static char *cut(const char *bytes, size_t n, unsigned most)
{
	struct lines *l = mem_zero(sizeof(*l));
	struct str out = { 0 };
	const char *rest;

	while (n > 0) {
		size_t piece = 1 + roll(most);

		piece = piece > n ? n : piece;
		feed(l, bytes, piece, &out);
		bytes += piece;
		n -= piece;
	}
	rest = lines_rest(l);
	if (rest != NULL)
		str_addf(&out, "[%s]", rest);
	assert_null(lines_rest(l));
	assert_null(l->text);
	assert_null(lines_next(l));
	free(l);
	return str_take(&out);
}

static void test_small_streams(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "\n", "<>" },
		{ "a", "[a]" },
		{ "a\n", "<a>" },
		{ "a\r\n", "<a>" },
		{ "a\r\nb", "<a>[b]" },
		{ "a\rb\n", "<a\rb>" },
		{ "\r\n\n", "<><>" },
		{ "one\ntwo\n\nthree", "<one><two><>[three]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned most = 1; most < 8; most++) {
			MEM_AUTO char *got = cut(rows[i][0], strlen(rows[i][0]), most);

			assert_string_equal(got, rows[i][1]);
		}
	}
}

static void test_long_lines(void **state)
{
	size_t n = 3 * MAX_OUTPUT_LINE + 10;
	char *bytes = mem_zero(n + 1);

	(void)state;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)('a' + i % 26);
	bytes[n - 1] = '\n';
	for (unsigned most = 1; most < 20000; most = most * 3 + 1) {
		MEM_AUTO char *got = cut(bytes, n, most);
		size_t at = 0;

		/* No byte is lost, and no piece is too long. */
		for (const char *p = got; *p != '\0'; p++) {
			if (*p != '<' && *p != '>')
				assert_int_equal(*p, bytes[at++]);
		}
		assert_int_equal(at, n - 1);
	}
	free(bytes);
}

/* The pieces of a stream do not change its lines. */
static void test_any_split(void **state)
{
	static const char alphabet[] = "ab\n\r\n x\xc3\xbc";

	(void)state;
	dice = SEED;
	print_message("seed %u\n", SEED);
	for (int round = 0; round < 300; round++) {
		size_t n = 1 + roll(3 * MAX_OUTPUT_LINE);
		char *bytes = mem_zero(n + 1);
		bool rare = round % 2 == 0; /* few line ends: lines of several buffers */

		for (size_t i = 0; i < n; i++)
			bytes[i] =
			    rare && roll(2000) != 0 ? 'z' : alphabet[roll(sizeof(alphabet) - 1)];
		MEM_AUTO char *whole = cut(bytes, n, (unsigned)n);

		for (unsigned most = 1; most < 10000; most *= 10) {
			MEM_AUTO char *pieces = cut(bytes, n, most);

			assert_string_equal(whole, pieces);
		}
		free(bytes);
	}
}

/* A line at the limit is one line, however it arrives, and no empty line follows. */
static void test_line_at_the_limit(void **state)
{
	char *bytes = mem_zero(2 * MAX_OUTPUT_LINE + 3);

	(void)state;
	for (size_t whole = 1; whole <= 2; whole++) {
		size_t n = whole * MAX_OUTPUT_LINE;

		memset(bytes, 'x', n);
		bytes[n] = '\n';
		bytes[n + 1] = '\n';
		for (unsigned most = 1; most < 20000; most = most * 7 + 1) {
			MEM_AUTO char *got = cut(bytes, n + 2, most);

			/* The pieces, and the empty line of the input. */
			assert_int_equal(strlen(got), n + 2 * whole + 2);
			assert_string_equal(got + strlen(got) - 2, "<>");
		}
	}
	free(bytes);
}

/* A NUL becomes a question mark, and no byte after it is lost. */
static void test_line_beyond_the_limit(void **state)
{
	char bytes[MAX_OUTPUT_LINE + 2];
	MEM_AUTO char *got = NULL;

	(void)state;
	memset(bytes, 'x', MAX_OUTPUT_LINE);
	bytes[MAX_OUTPUT_LINE] = 'y';
	bytes[MAX_OUTPUT_LINE + 1] = '\n';
	got = cut(bytes, sizeof(bytes), sizeof(bytes));
	assert_int_equal(strlen(got), MAX_OUTPUT_LINE + 5);
	assert_string_equal(got + MAX_OUTPUT_LINE, "x><y>");
}

static void test_cleared_lines_begin_anew(void **state)
{
	struct lines l = { .length = 0 };

	(void)state;
	(void)lines_add(&l, "one\ntwo", 7);
	assert_string_equal(lines_next(&l), "one");
	lines_clear(&l);
	assert_null(lines_next(&l));
	assert_null(lines_rest(&l));
	(void)lines_add(&l, "\n", 1);
	assert_string_equal(lines_next(&l), "");
	/* Without bytes there is no buffer. */
	assert_null(lines_next(&l));
	assert_null(l.text);
}

static void test_nul_bytes(void **state)
{
	static const char bytes[] = "ab\0cd\nef\n\0\n\0";

	(void)state;
	for (unsigned most = 1; most < 14; most++) {
		MEM_AUTO char *got = cut(bytes, sizeof(bytes) - 1, most);

		assert_string_equal(got, "<ab?cd><ef><?>[?]");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_streams),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_any_split),
		cmocka_unit_test(test_line_at_the_limit),
		cmocka_unit_test(test_line_beyond_the_limit),
		cmocka_unit_test(test_cleared_lines_begin_anew),
		cmocka_unit_test(test_nul_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
