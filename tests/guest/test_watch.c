/* Texts and patterns on the console: which is found, where, however the output comes. */
#include "../base/dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pattern.h"
#include "base/words.h"
#include "guest/watch.h"

#define STREAM 400 /* bytes of a random output */
#define MAX_TARGETS 4
#define MAX_LOOKS 100000

static struct console console;

static int enter(void **state)
{
	(void)state;
	console_init(&console);
	console.ring = mem_zero(MAX_CONSOLE_RING);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	console_close(&console);
	return 0;
}

static void print_n(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		console.ring[console.ring_end] = bytes[i];
		console.ring_end = (console.ring_end + 1) % MAX_CONSOLE_RING;
		if (console.ring_length < MAX_CONSOLE_RING)
			console.ring_length++;
		console.total++;
	}
}

static void print(const char *text)
{
	print_n(text, strlen(text));
}

/* Adds "/ERE" as a pattern, or a text. */
static void add_target(struct node *list, const char *text)
{
	struct node *target = node_new(NODE_OBJECT);

	if (text[0] == '/')
		node_put(target, "regex", node_string(text + 1));
	else
		node_put(target, "text", node_string(text));
	node_append(list, target);
}

/* Makes a watch of texts separated by blanks. */
static struct watch *watch_for(const char *targets, uint64_t at)
{
	WORDS_AUTO struct words words = { 0 };
	NODE_AUTO struct node *list = node_new(NODE_LIST);
	struct error err = { 0 };
	struct watch *w;

	assert_null(words_split(&words, targets));
	for (size_t i = 0; i < words.count; i++)
		add_target(list, words.item[i]);
	if (watch_new(&w, list, at, &err) != 0)
		fail_msg("%s", err.text);
	return w;
}

/* Looks until all is read or something is found; returns its index, or 0. */
static size_t look(struct watch *w, struct watch_found *found)
{
	for (int i = 0; i < MAX_LOOKS; i++) {
		switch (watch_look(w, &console, found)) {
		case WATCH_FOUND:
			assert_true((found->text == NULL) != (found->groups == NULL));
			return found->index;
		case WATCH_WAITS:
			assert_null(found->text);
			assert_null(found->groups);
			return 0;
		case WATCH_BEHIND:
			break;
		}
	}
	fail_msg("the watch never reads all");
	return 0;
}

/* Fails unless this is found next: a target's number, and the end of its match. */
static void check(struct watch *w, size_t index, uint64_t at)
{
	struct watch_found found;

	assert_int_equal(look(w, &found), index);
	if (index > 0)
		assert_int_equal(watch_at(w), at);
	watch_found_free(&found);
}

static void test_text_in_pieces(void **state)
{
	struct watch *w = watch_for("'login: '", 0);
	struct watch_found found;

	(void)state;
	print("\033[1mhost log");
	check(w, 0, 0);
	print("in:");
	check(w, 0, 0);
	print(" x");
	assert_int_equal(look(w, &found), 1);
	assert_string_equal(found.text->text, "login: ");
	assert_int_equal(watch_at(w), console.total - 1);
	watch_found_free(&found);
	check(w, 0, 0);
	watch_free(w);
}

static void test_lines(void **state)
{
	struct watch *w = watch_for("'/^([a-z]+)=([0-9]*)$'", 0);
	struct watch_found found;

	(void)state;
	print("xa=1\r");
	check(w, 0, 0);
	print("\n\r\rb=23\r\r\nc=4");
	/* The CR at the end is not of the line. */
	check(w, 1, 6);
	assert_int_equal(look(w, &found), 1);
	assert_int_equal(found.groups->count, 2);
	assert_string_equal(found.groups->first->text, "b");
	assert_string_equal(found.groups->last->text, "23");
	assert_int_equal(watch_at(w), 15);
	watch_found_free(&found);
	check(w, 0, 0); /* a line without an end is no whole line */
	print("\n");
	check(w, 1, console.total);
	watch_free(w);
}

static void test_empty_line_and_crs_inside(void **state)
{
	struct watch *w = watch_for("'/^$' '/^a.b$'", 0);

	(void)state;
	print("x\n\r\n");
	check(w, 1, 4);
	print("a\rb\n");
	check(w, 2, 8);
	print("a\r");
	check(w, 0, 0);
	print("b\r\n");
	check(w, 2, 13);
	watch_free(w);
}

/* The position of a watch begins a line, also behind a text in its middle. */
static void test_position_begins_a_line(void **state)
{
	struct watch *w;

	(void)state;
	print("12345\n> abc\n");
	w = watch_for("'/^45$'", 3);
	check(w, 1, 6);
	watch_free(w);
	w = watch_for("'> ' '/^abc$'", 3);
	check(w, 1, 8);
	check(w, 2, 12);
	watch_free(w);
}

static void test_long_lines(void **state)
{
	struct watch *w = watch_for("'/^x{10}.*x$' '/z'", 0);
	char line[MAX_PATTERN_LINE];

	(void)state;
	memset(line, 'x', sizeof(line));
	print_n("\r", 1);
	print_n(line, sizeof(line));
	print("zz");
	check(w, 0, 0); /* the line has no end yet */
	print("\n");
	check(w, 1, console.total);
	line[MAX_PATTERN_LINE - 1] = 'z';
	print_n(line, sizeof(line));
	print("\r\n");
	check(w, 2, console.total);
	/* 100 KiB without an end: the ring has no room for the line's beginning, the watch has. */
	line[MAX_PATTERN_LINE - 1] = 'x';
	for (int i = 0; i < 100; i++) {
		print_n(line, sizeof(line));
		check(w, 0, 0);
	}
	print("z\n");
	check(w, 1, console.total);
	watch_free(w);
}

/* Which of several matches that end at the same byte wins. */
static void test_ties(void **state)
{
	static const struct {
		const char *targets, *output;
		size_t index;
	} cases[] = {
		{ "b ab", "ab", 2 },
		{ "ab b", "ab", 1 },
		{ "ab ab", "ab", 1 },
		{ "abc b", "abc", 2 },
		{ "/a /ab", "ab\n", 1 },
		{ "/ab /a ab", "ab\n", 3 },
		{ "'b\n' /ab", "ab\n", 2 },
		{ "'/ab' 'ab\n'", "ab\n", 1 },
		{ "'ab\n' '/ab'", "ab\n", 1 },
		{ "'/ab' 'x\nab\n'", "x\nab\n", 2 },
		{ "'/no' 'b\n'", "ab\n", 2 },
		{ "'/no' 'b\n' '/a' 'ab\n'", "ab\n", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t at = console.total;
		struct watch *w = watch_for(cases[i].targets, at);
		struct watch_found found;

		print(cases[i].output);
		if (look(w, &found) != cases[i].index)
			fail_msg("%s: %zu", cases[i].targets, found.index);
		watch_found_free(&found);
		watch_free(w);
	}
}

/* What the ring has lost is skipped; a line without its beginning is no whole line. */
static void test_overwritten_ring(void **state)
{
	struct watch *text = watch_for("ab", 0), *line = watch_for("'/^x+$' '/^y$'", 0);
	char rest[MAX_CONSOLE_RING];

	(void)state;
	print("a");
	check(text, 0, 0);
	check(line, 0, 0);
	memset(rest, 'x', sizeof(rest));
	rest[0] = 'b';
	rest[MAX_CONSOLE_RING - 3] = '\n';
	rest[MAX_CONSOLE_RING - 2] = 'y';
	rest[MAX_CONSOLE_RING - 1] = '\n';
	print_n(rest, sizeof(rest));
	print("z");
	/* "a" was read and "b" is lost: the text does not reach across the gap. */
	check(text, 0, 0);
	check(line, 2, console.total - 1);
	print("xab");
	check(text, 1, console.total);
	watch_free(text);
	watch_free(line);
}

static void test_several_watches(void **state)
{
	struct watch *a = watch_for("one two", 0), *b = watch_for("two", 0);

	(void)state;
	print("one two");
	check(a, 1, 3);
	check(b, 1, 7);
	check(a, 2, 7);
	check(b, 0, 0);
	watch_free(a);
	watch_free(b);
}

/* A look at many lines is left, and goes on where it was left. */
static void test_behind(void **state)
{
	struct watch *w = watch_for("/no /end", 0);
	struct watch_found found;
	int behind = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		print("line\n");
	print("end\n");
	while (watch_look(w, &console, &found) == WATCH_BEHIND)
		behind++;
	assert_int_equal(found.index, 2);
	assert_in_range(behind, 10, 2000);
	watch_found_free(&found);
	watch_free(w);
}

static void refuse(const char *first, const char *second, const char *why)
{
	NODE_AUTO struct node *list = node_new(NODE_LIST);
	struct error err = { 0 };
	struct watch *w;

	if (first != NULL)
		add_target(list, first);
	if (second != NULL)
		add_target(list, second);
	assert_int_equal(watch_new(&w, list, 0, &err), -1);
	assert_int_equal(err.status, STATUS_USAGE);
	if (strstr(err.text, why) == NULL)
		fail_msg("%s", err.text);
	error_clear(&err);
}

static void test_what_is_refused(void **state)
{
	NODE_AUTO struct node *list = node_new(NODE_LIST);
	char text[MAX_WATCH_TEXT + 2];
	struct error err = { 0 };
	struct watch *w;

	(void)state;
	refuse(NULL, NULL, "a list of 0 texts");
	refuse("", NULL, "empty text: expected at least one byte");
	refuse("a", "", "number 2: empty text");
	refuse("/(", NULL, "invalid regular expression \"(\": ");
	memset(text, 'a', sizeof(text));
	text[MAX_WATCH_TEXT + 1] = '\0';
	refuse(text, NULL, "a text of 4097 bytes: expected at most 4096");
	for (int i = 0; i <= MAX_WATCH_PATTERNS; i++)
		add_target(list, "a");
	assert_int_equal(watch_new(&w, list, 0, &err), -1);
	assert_string_equal(err.text, "a list of 101 texts: expected 1 to 100");
	error_clear(&err);
}

/* One match, as a reader finds it who has all of the output. */
struct match {
	size_t index; /* 0: none */
	size_t start, end;
};

/* Compares with a match of the same end. */
static void prefer(struct match *best, size_t index, size_t start, size_t end)
{
	if (best->index == 0 || start < best->start)
		*best = (struct match){ index, start, end };
}

static bool line_matches(const char *ere, const char *line, size_t n)
{
	struct pattern *p;
	bool matches;

	while (n > 0 && line[n - 1] == '\r')
		n--;
	while (n > 0 && line[0] == '\r') {
		line++;
		n--;
	}
	assert_int_equal(pattern_compile(&p, ere, strlen(ere), NULL), 0);
	matches = pattern_match(p, line, n, NULL);
	pattern_free(p);
	return matches;
}

/* Finds the first match behind byte `at`, slowly. */
static struct match find_slowly(
    const char *const *targets, size_t count, const char *bytes, size_t n, size_t at)
{
	struct match best = { 0 };
	size_t line = at;

	for (size_t end = at + 1; end <= n && best.index == 0; end++) {
		for (size_t i = 0; i < count; i++) {
			size_t length = strlen(targets[i]);

			if (targets[i][0] != '/' && end - at >= length &&
			    memcmp(bytes + end - length, targets[i], length) == 0)
				prefer(&best, i + 1, end - length, end);
			if (targets[i][0] == '/' && bytes[end - 1] == '\n' &&
			    line_matches(targets[i] + 1, bytes + line, end - 1 - line))
				prefer(&best, i + 1, line, end);
		}
		if (bytes[end - 1] == '\n')
			line = end;
	}
	return best;
}

/* Prints the bytes in random pieces and returns the next match; 0 once all is printed. */
static size_t find_in_pieces(
    struct dice *d, struct watch *w, const char *bytes, size_t n, size_t *printed)
{
	struct watch_found found;
	size_t index;

	while ((index = look(w, &found)) == 0 && *printed < n) {
		size_t piece = 1 + dice_roll(d, dice_roll(d, 2) == 0 ? 1 : 30);

		if (piece > n - *printed)
			piece = n - *printed;
		print_n(bytes + *printed, piece);
		*printed += piece;
	}
	watch_found_free(&found);
	return index;
}

static void compare(struct dice *d, const char *const *targets, size_t count, const char *bytes)
{
	NODE_AUTO struct node *list = node_new(NODE_LIST);
	uint64_t base = console.total;
	size_t printed = 0, at = 0, index;
	struct watch *w;

	for (size_t i = 0; i < count; i++)
		add_target(list, targets[i]);
	assert_int_equal(watch_new(&w, list, base, NULL), 0);
	do {
		struct match expected = find_slowly(targets, count, bytes, STREAM, at);

		index = find_in_pieces(d, w, bytes, STREAM, &printed);
		dice_check(d, index == expected.index, "what is found");
		dice_check(d, index == 0 || watch_at(w) == base + expected.end, "where it is");
		at = expected.end;
	} while (index > 0);
	watch_free(w);
}

static void test_pieces_do_not_matter(void **state)
{
	static const char *const targets[] = { "a", "ab", "bab", "b\n", "\n", "a\r\n", "abab",
		"bbbbb", "\nab", "/^a", "/b$", "/^$", "/^ab+a$", "/a.b", "/(a|b)b{4}", "/^\r",
		"/bab|aaa" };
	static const char bytes[] = "ababab\r\n\0a";

	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		const char *chosen[MAX_TARGETS];
		char output[STREAM];
		size_t count;
		struct dice d;

		dice_start(&d, seed);
		count = 1 + dice_roll(&d, MAX_TARGETS);
		for (size_t i = 0; i < count; i++)
			chosen[i] = targets[dice_roll(&d, sizeof(targets) / sizeof(targets[0]))];
		for (size_t i = 0; i < STREAM; i++)
			output[i] = bytes[dice_roll(&d, sizeof(bytes) - 1)];
		compare(&d, chosen, count, output);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_text_in_pieces),
		TEST(test_lines),
		TEST(test_empty_line_and_crs_inside),
		TEST(test_position_begins_a_line),
		TEST(test_long_lines),
		TEST(test_ties),
		TEST(test_overwritten_ring),
		TEST(test_several_watches),
		TEST(test_behind),
		TEST(test_what_is_refused),
		TEST(test_pieces_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
