/* Regular expressions: what is refused, what a line matches, its groups. */
#include "dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pattern.h"
#include "base/str.h"

/* Compiles, matches, and returns the groups joined by "|", or NULL for no match.  Caller frees. */
static char *match_n(const char *ere, const char *line, size_t length)
{
	struct error err = { 0 };
	struct str joined = { 0 };
	struct pattern *p;
	struct node *groups = NULL;
	bool matches;

	if (pattern_compile(&p, ere, strlen(ere), &err) != 0)
		fail_msg("%s", err.text);
	matches = pattern_match(p, line, length, &groups);
	assert_int_equal(matches, pattern_match(p, line, length, NULL));
	assert_int_equal(matches, groups != NULL);
	if (matches)
		assert_int_equal(groups->count, pattern_groups(p) > 0 ? pattern_groups(p) : 1);
	for (const struct node *n = matches ? groups->first : NULL; n != NULL; n = n->next) {
		str_add_n(&joined, n->text, n->length);
		str_add(&joined, n->next == NULL ? "" : "|");
	}
	node_free(groups);
	pattern_free(p);
	return matches ? str_take(&joined) : NULL;
}

static void check(const char *ere, const char *line, const char *expected)
{
	MEM_AUTO char *groups = match_n(ere, line, strlen(line));

	if (expected == NULL && groups != NULL)
		fail_msg("\"%s\" matches \"%s\"", ere, line);
	if (expected != NULL && (groups == NULL || strcmp(groups, expected) != 0))
		fail_msg("\"%s\" in \"%s\": %s", ere, line, groups == NULL ? "none" : groups);
}

static void test_matches(void **state)
{
	(void)state;
	check("login: ", "host login: ", "login: ");
	check("^login", "host login", NULL);
	check("^$", "", "");
	check("^$", "x", NULL);
	check("", "x", "");
	check("a|ab|abc", "xabcd", "abc");
	check("b?$\\\\{0,2}", ".\\b]c", "");
	check("[[:digit:]]{2,3}", "a1b1234", "123");
	check("[]a]+[^]a]", "x]a]b", "]a]b");
	check("[a\\]", "\\", "\\");
	check("\\$\\^\\.", "$^.", "$^.");
	check("^\xff.$", "\xff\xfe", "\xff\xfe"); /* not UTF-8 */
	check("\033\\[1m", "x\033[1my", "\033[1m");
}

static void test_groups(void **state)
{
	(void)state;
	check("status=([0-9]+)", "x status=17.", "17");
	check("x(a|b)*y([0-9]+)(z)?", "xabay12", "a|12|");
	check("(a)|(b)", "b", "|b");
	check("(.*) (.*)", "a b c", "a b|c");
	check("((a+)(b))+", "aababb", "ab|a|b");
	check("(a*)*", "aab", "aa");
	check("(a){0}b", "ab", "");
	check("(a?){3}b", "aab", "");
	check("(^a|^b)c$", "bc", "b");
	check("(a)$", "aa", "a");
	check("()b", "ab", "");
}

static void test_nuls(void **state)
{
	static const char line[] = "a\0b";
	MEM_AUTO char *none = NULL, *middle = NULL;

	(void)state;
	middle = match_n("^a(.)b$", line, 3);
	assert_non_null(middle);
	assert_int_equal(middle[0], '\0');
	none = match_n("^a$", line, 3);
	assert_null(none);
}

static void refuse_n(const char *ere, size_t length, const char *why)
{
	struct error err = { 0 };
	struct pattern *p;

	if (pattern_compile(&p, ere, length, &err) == 0)
		fail_msg("\"%s\" was accepted", ere);
	assert_int_equal(err.status, STATUS_USAGE);
	assert_non_null(strstr(err.text, "invalid regular expression \""));
	if (strstr(err.text, why) == NULL)
		fail_msg("%s", err.text);
	error_clear(&err);
	assert_int_equal(pattern_compile(&p, ere, length, NULL), -1);
}

static void refuse(const char *ere, const char *why)
{
	refuse_n(ere, strlen(ere), why);
}

static void accept(const char *ere)
{
	struct error err = { 0 };
	struct pattern *p;

	if (pattern_compile(&p, ere, strlen(ere), &err) != 0)
		fail_msg("%s", err.text);
	pattern_free(p);
}

static void test_what_is_refused(void **state)
{
	static const char *const broken[] = { "(", "a(b", ")", "[", "[a", "[[:alpha:", "[[:no:]]",
		"[b-a]", "[[.ab.]]", "*", "a|*", "^*", "(*)", "a{", "a{1", "a{2,1}", "a{x}",
		"a{,3}", "{1}", "a\\" };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		refuse(broken[i], broken[i]); /* it is quoted */
	refuse("a(", "\"a(\": ");
	refuse("(a)\\1", "back references");
	refuse("\\w", "punctuation only");
	refuse("\\<a", "punctuation only");
	refuse_n("a\0b", 3, "it contains a NUL");
	accept("[\\1]");
}

static void test_limits(void **state)
{
	char ere[MAX_PATTERN_LENGTH + 2];

	(void)state;
	refuse("((a{1,100}){1,100}){1,100}", "exceed 255");
	refuse("a{256}", "exceed 255");
	refuse("a{99999999999999999999}", "exceed 255");
	refuse("a{0,256}", "exceed 255");
	refuse("(a{16}b){16}", "exceed 255");
	refuse("(ba{16}){16,}", "exceed 255");
	refuse("(((x{2}|a{16})))y?(b){3}(c|(a{128})){2}", "exceed 255");
	accept("a{255}");
	accept("(a{15}){17}");
	accept("(a{16,}){15}");
	accept("a{200}b{200}");
	accept("((a*)+)*");
	accept("[{16}]{200}\\{16");
	refuse("(.{1,255}){1}(.{1,255})(.{1,255})(.{1,255})(.{1,255})", "too large");
	memset(ere, 'a', sizeof(ere));
	ere[MAX_PATTERN_LENGTH] = '\0';
	accept(ere);
	ere[MAX_PATTERN_LENGTH] = 'a';
	refuse_n(ere, MAX_PATTERN_LENGTH + 1, "longer than 1024 bytes");
	memset(ere, '(', 40);
	ere[40] = '\0';
	refuse(ere, "more than 32 groups");
}

/*
 * Expressions for which glibc's regcomp(3) or regexec(3) takes seconds, and hundreds of megabytes.
 * The test's time limit would end it.
 */
static void test_expressions_that_cost(void **state)
{
	static const char *const eres[] = { ".*a.{255}c", "(a|b)*a(a|b){255}c",
		"((((.?){1,6}){1,6}){1,6})*", "(.{1,255})(.{1,255})(.{1,255})(.{1,255})",
		"((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+" };
	struct dice d;
	char line[MAX_PATTERN_LINE];

	(void)state;
	dice_start(&d, 1);
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = (char)('a' + (int)dice_roll(&d, 2));
	for (size_t i = 0; i < sizeof(eres) / sizeof(eres[0]); i++)
		free(match_n(eres[i], line, sizeof(line)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_nuls),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_expressions_that_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
