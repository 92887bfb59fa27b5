/* Decoding and printing by rows: kinds of rows that the real tables lack, and paths. */
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
	ROW_STRING("text", struct thing, text, .max_length = 5, .help = "a text"),
	ROW_PATH("path", struct thing, path, .help = "a path"),
	ROW_BOOL("flag", struct thing, flag, .help = "a flag"),
	ROW_INT("number", struct thing, number, .required = true, .help = "any"),
	ROW_CHOICE("choice", struct thing, choice, colours, .help = "c"),
	ROW_CHOICE("state", struct thing, state, states, .help = "s"),
	ROW_WORDS("words", struct thing, words, .help = "words"),
	ROW_HOOK("hook", struct thing, hook, "fun()", .help = "a function"),
	ROW_ELSEWHERE("later", .help = "not ours"),
	{ 0 },
};

struct inner {
	char *text;
	int64_t number;
};

struct outer {
	struct inner inner;
	struct field_list list;
	char *text;
	bool flag;
	int64_t number;
	int choice;
};

DESCRIBES(inner_rows, struct inner);
static const struct field inner_rows[] = {
	ROW_STRING("text", struct inner, text, .preset = "\"in\"", .help = "a text"),
	ROW_INT("number", struct inner, number, .unset = -1, .help = "a number"),
	{ 0 },
};

DESCRIBES(outer_rows, struct outer);
static const struct field outer_rows[] = {
	ROW_OBJECT("inner", struct outer, inner, inner_rows, .help = "an object"),
	ROW_LIST("list", struct outer, list, inner_rows, .help = "a list"),
	ROW_STRING("text", struct outer, text, .preset = "\"out\"", .help = "a text"),
	ROW_BOOL("flag", struct outer, flag, .preset = "true", .help = "a flag"),
	ROW_INT("number", struct outer, number, .preset = "7", .help = "a number"),
	ROW_CHOICE("choice", struct outer, choice, colours, .preset = "\"green\"", .help = "c"),
	{ 0 },
};

static void outer_shows(const char *text, const char *wanted)
{
	struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/specs" };
	struct outer outer = { 0 };
	struct node *n = doc_of(text);
	struct str s = { 0 };

	field_preset(outer_rows, &outer);
	field_decode(outer_rows, n, &outer, NULL, &d);
	no_problems(&report, text);
	field_print(outer_rows, &outer, &s);
	for (size_t i = 0; i < s.length; i++)
		s.text[i] = (char)(s.text[i] == '"' ? '\'' : s.text[i]);
	assert_string_equal(s.text, wanted);
	str_free(&s);
	field_clear(outer_rows, &outer);
	node_free(n);
}

/* A key that is not given has its row's preset, in objects and in entries of lists. */
static void test_presets(void **state)
{
	(void)state;
	outer_shows("{}",
	    "'inner':{'text':'in','number':-1},'text':'out','flag':true,'number':7,"
	    "'choice':'green'");
	outer_shows("{'inner':{'number':3},'list':[{},{'text':'x','number':0}],'text':'y',"
		    "'flag':false,'number':0,'choice':'red'}",
	    "'inner':{'text':'in','number':3},'list':[{'text':'in','number':-1},"
	    "{'text':'x','number':0}],'text':'y','flag':false,'number':0,'choice':'red'");
}

/* The macros compute the offsets of offsetof(), and the sizes of entries. */
static void test_offsets(void **state)
{
	(void)state;
	assert_int_equal(rows[3].offset, offsetof(struct thing, number));
	assert_int_equal(rows[6].offset, offsetof(struct thing, words));
	assert_int_equal(outer_rows[1].offset, offsetof(struct outer, list));
	assert_int_equal(outer_rows[1].size, sizeof(struct inner));
	assert_ptr_equal(outer_rows[0].rows, inner_rows);
}

static char *decode(const char *text, struct thing *thing)
{
	struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/specs" };
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
	refused("{'number':9223372036854775808}",
	    "number: 9223372036854775808 is out of range: expected "
	    "-9223372036854775808 to 9223372036854775807\n");
	refused("{}", ": \"number\" is missing: any\n");
	refused("{'number':null}", ": \"number\" is missing: any\n");
	refused(
	    "{'number':1.5}", "number: expected an integer, got a number that is not an integer\n");
	refused(N "'text':'abcdef'}", "text: \"abcdef\" has 6 bytes, at most 5 are allowed\n");
	refused(N "'choice':'gren'}",
	    "choice: invalid value \"gren\": expected one of \"red\", \"green\", did you mean "
	    "\"green\"?\n");
	refused(N "'state':'x'}", "state: invalid value \"x\": expected one of \"on\", \"off\"\n");
	refused(N "'state':''}", "state: must not be empty\n");
	refused(N "'words':['a',1,'']}",
	    "words[1]: expected a string, got an integer\nwords[2]: must not be empty\n");
	refused(N "'words':{}}", "words: expected a list of strings, got an object\n");
	refused(N "'hook':'x.lua'}",
	    "hook: expected a function (a Lua spec can hold one), got a string\n");
	refused(N "'txet':1,'zzz':1}",
	    "txet: unknown key \"txet\", did you mean \"text\"?\nzzz: unknown key \"zzz\"\n");
}

static void path_is(const char *path, const char *directory, const char *wanted)
{
	MEM_AUTO char *got = field_path(path, directory);

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
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
