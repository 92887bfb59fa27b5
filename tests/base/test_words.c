/* Lists of words, and their conversion to and from shell commands, compared with a real shell. */
#include "dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/words.h"

static void splits(const char *text, const char *joined)
{
	struct words w = { 0 };
	struct str got = { 0 };

	assert_null(words_split(&w, text));
	for (size_t i = 0; i < w.count; i++)
		str_addf(&got, "<%s>", w.item[i]);
	if (strcmp(got.text == NULL ? "" : got.text, joined) != 0)
		fail_msg("%s: got %s, wanted %s", text, got.text, joined);
	str_free(&got);
	words_free(&w);
}

static void refused(const char *text, const char *why)
{
	struct words w = { 0 };
	const char *got = words_split(&w, text);

	assert_non_null(got);
	assert_string_equal(got, why);
	words_free(&w);
}

static void test_split(void **state)
{
	(void)state;
	splits("", "");
	splits(" \t\n ", "");
	splits("a", "<a>");
	splits("  a  b\tc\nd ", "<a><b><c><d>");
	splits("'a b' c", "<a b><c>");
	splits("\"a b\" c", "<a b><c>");
	splits("a'b'\"c\"d", "<abcd>");
	splits("'' \"\"", "<><>");
	splits("\\  \\\\ \\'", "< ><\\><'>");
	splits("'\\' \"\\\"\\\\\\$\\`\\a\"", "<\\><\"\\$`\\a>");
	splits("'\"' \"'\"", "<\"><'>");
	splits("$HOME *", "<$HOME><*>");
	refused("'a", "unterminated quote");
	refused("a \"b", "unterminated quote");
	refused("a\\", "a backslash at the end");
}

/* A backslash at the end of a line joins the line with the next. */
static void test_split_continued_lines(void **state)
{
	(void)state;
	splits("-a \\\n-b", "<-a><-b>");
	splits("\\\n a", "<a>");
	splits("a\\\nb", "<ab>");
	splits("a\\\n", "<a>");
	splits("\"a\\\nb\"", "<ab>");
	splits("'a\\\nb'", "<a\\\nb>");
	splits("\\\n", "");
}

static void test_line(void **state)
{
	struct words w = { 0 };
	MEM_AUTO char *empty = words_shell_line(&w);
	MEM_AUTO char *line = NULL;

	(void)state;
	assert_string_equal(empty, "");
	words_add(&w, "bhyve");
	words_addf(&w, "%s=%d", "a", 1);
	words_take(&w, mem_copy(""));
	words_add(&w, "it's ~ $x");
	line = words_shell_line(&w);
	assert_string_equal(line, "bhyve a=1 '' 'it'\\''s ~ $x'");
	words_free(&w);
	assert_null(w.item);
	words_add(&w, "a\nb'\n\n");
	words_add(&w, "\n");
	MEM_AUTO char *several = words_shell_line(&w);

	assert_string_equal(
	    several, "a\"${IFS#??}\"'b'\\'''\"${IFS#??}\"\"${IFS#??}\" \"${IFS#??}\"");
	words_free(&w);
	splits("'${IFS#??}' ${IFS#??}", "<${IFS#??}><${IFS#??}>");
}

static void test_lists(void **state)
{
	struct words w = { 0 }, more = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		words_addf(&w, "%d", i);
		assert_int_equal(w.count, i + 1);
		assert_null(w.item[w.count]);
	}
	words_append(&more, &w);
	words_append(&more, &w);
	assert_int_equal(more.count, 2000);
	assert_string_equal(more.item[1999], "999");
	assert_null(more.item[2000]);
	assert_true(words_have(&more, "500"));
	assert_false(words_have(&more, "1000"));
	words_free(&w);
	words_free(&more);
	words_free(&more);
	assert_false(words_have(&more, "500"));
}

static void add_random_words(struct dice *d, struct words *w)
{
	for (unsigned i = dice_roll(d, 6); i > 0; i--) {
		struct str s = { 0 };

		for (unsigned n = dice_roll(d, 9); n > 0; n--) {
			bool odd = dice_roll(d, 2) == 0;
			char c = odd ? " \t\n'\"\\$`!#~*?[]{}()<>|&;="[dice_roll(d, 26)]
				     : (char)(1 + dice_roll(d, 255));

			str_add_n(&s, &c, 1);
		}
		words_take(w, str_take(&s));
	}
}

static void test_equal(void **state)
{
	struct words a = { 0 }, b = { 0 };

	(void)state;
	assert_true(words_equal(&a, &b));
	words_add(&a, "x");
	assert_false(words_equal(&a, &b));
	words_add(&b, "y");
	assert_false(words_equal(&a, &b));
	words_free(&b);
	words_add(&b, "x");
	assert_true(words_equal(&a, &b));
	words_add(&b, "x");
	assert_false(words_equal(&a, &b));
	words_free(&a);
	words_free(&b);
}

static void test_there_and_back(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 3000; seed++) {
		struct words w = { 0 }, back = { 0 };
		struct dice d;

		dice_start(&d, seed);
		add_random_words(&d, &w);
		MEM_AUTO char *line = words_shell_line(&w);

		dice_check(&d, strchr(line, '\n') == NULL, "several lines");
		dice_check(&d, words_split(&back, line) == NULL, "refused");
		dice_check(&d, words_equal(&w, &back), line);
		words_free(&w);
		words_free(&back);
	}
}

/* Runs a script that prints words, each with a NUL byte at its end. */
static void run_shell(const char *script, struct words *printed)
{
	struct str word = { 0 };
	int ends[2], c, status;
	FILE *output;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	assert_true(child > 0);
	(void)close(ends[1]);
	output = fdopen(ends[0], "r");
	assert_non_null(output);
	while ((c = getc(output)) != EOF) {
		char byte = (char)c;

		if (byte == '\0')
			words_take(printed, str_take(&word));
		else
			str_add_n(&word, &byte, 1);
	}
	assert_null(word.text);
	(void)fclose(output);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_a_shell_reads_our_line(void **state)
{
	struct words all = { 0 }, got = { 0 };
	struct dice d;

	(void)state;
	dice_start(&d, 1);
	while (all.count < 1500)
		add_random_words(&d, &all);
	MEM_AUTO char *line = words_shell_line(&all);
	MEM_AUTO char *script = mem_format("LC_ALL=C; printf '%%s\\0' %s", line);

	run_shell(script, &got);
	dice_check(&d, words_equal(&all, &got), "the shell read other words");
	words_free(&all);
	words_free(&got);
}

/* Returns a line of pieces that mean the same at each position: no bare newline, no expansion. */
static char *random_line(struct dice *d)
{
	static const char *const piece[] = { "a", "b", " ", "\t", "'", "\"", "\\a", "\\ ", "\\\\",
		"\\'", "\\\"", "\\\n" };
	struct str s = { 0 };

	for (unsigned n = dice_roll(d, 12); n > 0; n--)
		str_add(&s, piece[dice_roll(d, 12)]);
	return str_take(&s);
}

static void test_we_split_as_a_shell_does(void **state)
{
	struct words wanted = { 0 }, got = { 0 };
	struct str script = { 0 };
	struct dice d;

	(void)state;
	dice_start(&d, 2);
	for (int i = 0; i < 1000; i++) {
		MEM_AUTO char *line = random_line(&d);
		struct words w = { 0 };

		if (words_split(&w, line) == NULL) {
			str_addf(&script, "printf '%%s\\0' line %s\n", line);
			words_add(&wanted, "line");
			words_append(&wanted, &w);
		}
		words_free(&w);
	}
	run_shell(script.text, &got);
	assert_true(wanted.count > 1000);
	for (size_t i = 0; i < wanted.count && i < got.count; i++)
		assert_string_equal(got.item[i], wanted.item[i]);
	assert_int_equal(got.count, wanted.count);
	str_free(&script);
	words_free(&wanted);
	words_free(&got);
}

static void test_truncate(void **state)
{
	struct words w = { 0 };

	(void)state;
	words_truncate(&w, 0);
	assert_null(w.item);
	for (int i = 0; i < 9; i++)
		words_addf(&w, "%d", i);
	words_truncate(&w, 9);
	assert_int_equal(w.count, 9);
	words_truncate(&w, 2);
	assert_int_equal(w.count, 2);
	assert_string_equal(w.item[1], "1");
	assert_null(w.item[2]);
	for (int i = 0; i < 9; i++)
		words_addf(&w, "%d", i);
	assert_int_equal(w.count, 11);
	assert_string_equal(w.item[10], "8");
	words_truncate(&w, 0);
	assert_null(w.item[0]);
	words_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_split_continued_lines),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_a_shell_reads_our_line),
		cmocka_unit_test(test_we_split_as_a_shell_does),
		cmocka_unit_test(test_truncate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
