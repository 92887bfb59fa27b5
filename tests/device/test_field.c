/* Decoding and printing by rows: what the real tables have no row for, and paths. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct thing {
	char *text, *path;
	bool flag, hook;
	int64_t number;
	int choice, state;
	struct words words;
};

static const char *const colours[] = { "red", "green", NULL };
static const char *const states[] = { "", "on", "off", NULL };

static const struct field rows[] = {
	{ "text", FIELD_STRING, offsetof(struct thing, text), .longest = 5, .help = "a text" },
	{ "path", FIELD_PATH, offsetof(struct thing, path), .help = "a path" },
	{ "flag", FIELD_BOOL, offsetof(struct thing, flag), .help = "a flag" },
	{ "number", FIELD_INT, offsetof(struct thing, number), .required = true, .help = "any" },
	{ "choice", FIELD_CHOICE, offsetof(struct thing, choice), .choices = colours, .help = "c" },
	{ "state", FIELD_CHOICE, offsetof(struct thing, state), .choices = states, .help = "s" },
	{ "words", FIELD_WORDS, offsetof(struct thing, words), .help = "words" },
	{ "hook", FIELD_HOOK, offsetof(struct thing, hook), .help = "a function" },
	{ "later", FIELD_ELSEWHERE, .help = "not ours" },
	{ 0 },
};

static char *decode(const char *text, struct thing *thing)
{
	struct report report = { 0 };
	struct decoder d = { .report = &report, .folder = "/specs" };
	struct node *n = doc_of(text);

	memset(thing, 0, sizeof(*thing));
	field_decode(rows, n, thing, NULL, &d);
	node_free(n);
	return problems_of(&report);
}

static void shows(const char *text, const char *wanted)
{
	struct thing thing;
	MEM_AUTO char *problems = decode(text, &thing);
	struct str s = { 0 };

	assert_string_equal(problems, "");
	field_print(rows, &thing, &s);
	for (size_t i = 0; i < s.length; i++)
		s.text[i] = (char)(s.text[i] == '"' ? '\'' : s.text[i]);
	assert_string_equal(s.text, wanted);
	str_free(&s);
	field_clear(rows, &thing);
}

static void refused(const char *text, const char *wanted)
{
	struct thing thing;
	MEM_AUTO char *problems = decode(text, &thing);

	field_clear(rows, &thing);
	assert_string_equal(problems, wanted);
}

#define N "{'number':1,"
#define REST ",'choice':'red'"

static void test_values(void **state)
{
	(void)state;
	shows("{'number':-9223372036854775808}", "'flag':false,'number':-9223372036854775808" REST);
	shows(N "'text':'abcde','path':'x','flag':true}",
	    "'text':'abcde','path':'/specs/x','flag':true,'number':1" REST);
	shows(N "'choice':'green','state':'off'}",
	    "'flag':false,'number':1,'choice':'green','state':'off'");
	shows(
	    N "'words':['a','b c']}", "'flag':false,'number':1,'choice':'red','words':['a','b c']");
	shows(N "'words':'b c'}", "'flag':false,'number':1,'choice':'red','words':['b c']");
	shows(N "'words':[],'later':[1],'text':null}", "'flag':false,'number':1" REST);
}

static void test_faults(void **state)
{
	(void)state;
	refused("{}", ": \"number\" is missing: any\n");
	refused("{'number':null}", ": \"number\" is missing: any\n");
	refused(
	    "{'number':1.5}", "number: expected an integer, got a number that is not an integer\n");
	refused(N "'text':'abcdef'}", "text: \"abcdef\" has 6 bytes, at most 5 are taken\n");
	refused(N "'choice':'gren'}",
	    "choice: \"gren\" is none of \"red\", \"green\", did you mean \"green\"?\n");
	refused(N "'state':'x'}", "state: \"x\" is none of \"on\", \"off\"\n");
	refused(N "'state':''}", "state: must not be empty\n");
	refused(N "'words':['a',1,'']}",
	    "words[1]: expected a string, got an integer\nwords[2]: must not be empty\n");
	refused(N "'words':{}}", "words: expected a list of strings, got an object\n");
	refused(N "'hook':'x.lua'}",
	    "hook: expected a function (a Lua spec can hold one), got a string\n");
	refused(N "'txet':1,'zzz':1}",
	    "txet: unknown key \"txet\", did you mean \"text\"?\nzzz: unknown key \"zzz\"\n");
}

static void path_is(const char *path, const char *folder, const char *wanted)
{
	MEM_AUTO char *got = field_path(path, folder);

	assert_string_equal(got, wanted);
}

static void test_path(void **state)
{
	(void)state;
	path_is("/a/b", "/specs", "/a/b");
	path_is("a", "/specs", "/specs/a");
	path_is("a", "/", "/a");
	path_is("../a", "/specs", "/specs/../a");
	path_is("./a", "/specs", "/specs/a");
	path_is("././a", "/specs", "/specs/a");
	path_is(".", "/specs", "/specs/.");
	path_is("./", "/specs", "/specs/./");
	path_is(".a", "/specs", "/specs/.a");
	path_is(".//a", "/specs", "/specs/a"); /* still relative */
	path_is("././/a", "/specs", "/specs/a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
