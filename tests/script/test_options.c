/* vmrun.options(): every kind and every error. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void open_spec(struct script *s)
{
	expect(s, "configure",
	    "{ merge = {}, causes = { 'reboot', 'poweroff', 'triple_fault', 'killed' } }", "nil");
	load_lua(s, "return { name = 'x', targets = { rescue = {}, install = {} } }");
	expect_boot(s, "default", "problems", "{}");
}

/* Returns the request for a hook with this declaration, options of the spec and assertion. */
static struct node *request(const char *declared, const char *given, const char *assertion)
{
	MEM_AUTO char *text =
	    mem_format("return function(given, vm)\n local o = vmrun.options(given, { %s })\n"
		       "assert(%s)\n return {} end",
		declared, assertion);
	struct node *n = node_new(NODE_OBJECT);
	static int count;
	MEM_AUTO char *key = mem_format("hook %d", count++);

	node_put(n, "key", node_string(key));
	node_put(n, "path", node_string("/hooks/my.lua"));
	node_put(n, "name", node_string("my.lua"));
	node_put(n, "vm", node_string("x"));
	node_put(n, "text", node_string(text));
	node_put(n, "options", node_of(given));
	return n;
}

static void takes(struct script *s, const char *declared, const char *given, const char *assertion)
{
	struct node *n = request(declared, given, assertion), *result = NULL;
	struct error err = { 0 };

	if (script_call(s, "load_hook", n, &result, &err) != 0)
		fail_msg("%s: %s: %s", declared, given, err.text);
	node_free(result);
	node_free(n);
}

/* Checks the errors that hook_faults returns. */
static void refuses(struct script *s, const char *declared, const char *given, const char *faults)
{
	struct node *n = request(declared, given, "false");
	MEM_AUTO char *text = error_of(s, "load_hook", n);

	if (strncmp(text, "my.lua:2: my.lua: ", 18) != 0)
		fail_msg("%s", text);
	node_free(n);
	expect(s, "hook_faults", "nil", faults);
}

/* Checks for one error of the option x. */
static void refuses_x(struct script *s, const char *declared, const char *given, const char *why)
{
	MEM_AUTO char *faults = mem_format("{ { option = 'x', text = [[my.lua: %s]] } }", why);

	refuses(s, declared, given, faults);
}

/* Checks the error of a declaration that is itself wrong. */
static void breaks(struct script *s, const char *declared, const char *begin)
{
	struct node *n = request(declared, "{ x = 1 }", "false");
	MEM_AUTO char *text = error_of(s, "load_hook", n);

	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("wanted: %s\ngot: %s", begin, text);
	node_free(n);
	expect(s, "hook_faults", "nil", "{}");
}

static void test_simple_kinds(void **state)
{
	struct script *s = *state;

	open_spec(s);
	takes(s, "x = { 'string' }", "{ x = '' }", "o.x == ''");
	refuses_x(s, "x = { 'string' }", "{ x = 5 }", "option \"x\": expected a string, got 5");
	takes(s, "x = { 'boolean', default = true }", "{ x = false }", "o.x == false");
	takes(s, "x = { 'boolean', default = false }", "{}", "o.x == false");
	refuses_x(s, "x = { 'boolean' }", "{ x = 'yes' }",
	    "option \"x\": expected true or false, got \"yes\"");
	takes(s, "x = { 'path' }", "{ x = 'a/b' }", "o.x == '/specs/a/b'");
	takes(s, "x = { 'path' }", "{ x = '/a' }", "o.x == '/a'");
	refuses_x(s, "x = { 'path' }", "{ x = '' }", "option \"x\": expected a path, got \"\"");
}

static void test_numbers(void **state)
{
	struct script *s = *state;

	open_spec(s);
	takes(s, "x = { 'number' }", "{ x = -0.5 }", "o.x == -0.5");
	takes(s, "x = { 'number', min = 1, max = 2 }", "{ x = 2 }", "o.x == 2");
	refuses_x(
	    s, "x = { 'number' }", "{ x = '1' }", "option \"x\": expected a number, got \"1\"");
	refuses_x(s, "x = { 'number', min = 1 }", "{ x = 0.5 }",
	    "option \"x\": expected a number of at least 1, got 0.5");
	refuses_x(s, "x = { 'number', max = 1 }", "{ x = 1.5 }",
	    "option \"x\": expected a number of at most 1, got 1.5");
	refuses_x(s, "x = { 'number', min = 1, max = 2 }", "{ x = 1/0 }",
	    "option \"x\": expected a number from 1 to 2, got inf");
	takes(s, "", "{}", "not pcall(vmrun.options, { x = 0/0 }, { x = { 'number' } })");
	takes(s, "x = { 'count' }", "{ x = 3.0 }", "math.type(o.x) == 'integer' and o.x == 3");
	takes(s, "x = { 'count', min = 0 }", "{ x = 0 }", "o.x == 0");
	refuses_x(s, "x = { 'count' }", "{ x = 0 }",
	    "option \"x\": expected an integer of at least 1, got 0");
	refuses_x(s, "x = { 'count' }", "{ x = 1.5 }",
	    "option \"x\": expected an integer of at least 1, got 1.5");
	refuses_x(s, "x = { 'count', max = 64 }", "{ x = 65 }",
	    "option \"x\": expected an integer from 1 to 64, got 65");
	takes(s, "x = { 'seconds' }", "{ x = 0.25 }", "o.x == 0.25");
	refuses_x(s, "x = { 'seconds' }", "{ x = -1 }",
	    "option \"x\": expected a number from 0 to 31622400, in seconds, got -1");
	refuses_x(s, "x = { 'seconds' }", "{ x = 1e300 }",
	    "option \"x\": expected a number from 0 to 31622400, in seconds, got 1e+300");
}

static void test_lists_and_names(void **state)
{
	struct script *s = *state;

	open_spec(s);
	takes(s, "x = { 'target' }", "{ x = 'rescue' }", "o.x == 'rescue'");
	takes(s, "x = { 'target' }", "{ x = 'default' }", "o.x == 'default'");
	refuses_x(s, "x = { 'target' }", "{ x = 'resuce' }",
	    "option \"x\": unknown target \"resuce\", did you mean \"rescue\"? (known: default, "
	    "install, rescue)");
	takes(s, "x = { 'target', differs = 'y' }, y = { 'target' }", "{ x = 'install' }",
	    "o.x == 'install' and o.y == nil");
	takes(s, "x = { 'target', differs = 'y' }, y = { 'target' }", "{}", "o.x == nil");
	refuses(s,
	    "x = { 'target', default = 'rescue', differs = 'y' }, "
	    "y = { 'target', default = 'rescue' }",
	    "{}",
	    "{ { text = 'my.lua: option \"x\": expected another target than \"y\" has by default, "
	    "got \"rescue\": the two targets must differ' } }");
	refuses_x(s, "x = { 'target' }", "{ x = true }",
	    "option \"x\": expected the name of a target, got a boolean");
	takes(s, "x = { 'command' }", "{ x = { 'a', '' } }", "#o.x == 2 and o.x[2] == ''");
#define COMMAND "option \"x\": expected a command, as a list of a program and its arguments, got "
	refuses_x(s, "x = { 'command' }", "{ x = 'a' }", COMMAND "\"a\"");
	refuses_x(s, "x = { 'command' }", "{ x = list }", COMMAND "an empty list");
	refuses_x(s, "x = { 'command' }", "{ x = { '' } }", COMMAND "a list");
	refuses_x(s, "x = { 'command' }", "{ x = { 'a', 1 } }", COMMAND "a list");
	refuses_x(s, "x = { 'command' }", "{ x = { a = 'b' } }", COMMAND "an object");
	takes(s, "x = { 'causes' }", "{ x = { 'killed', 'reboot' } }",
	    "#o.x == 2 and o.x[1] == 'killed'");
	takes(s, "x = { 'causes' }", "{ x = list }", "#o.x == 0");
	takes(s, "x = { 'causes', also = { 'end' } }", "{ x = { 'end' } }", "o.x[1] == 'end'");
	refuses_x(s, "x = { 'causes' }", "{ x = { 'kiled' } }",
	    "option \"x\": unknown cause \"kiled\", did you mean \"killed\"? (known: killed, "
	    "poweroff, reboot, triple_fault)");
	refuses_x(s, "x = { 'causes' }", "{ x = 'killed' }",
	    "option \"x\": expected a list of causes, got \"killed\"");
	refuses_x(s, "x = { 'causes', also = { 'end' } }", "{ x = { 1 } }",
	    "option \"x\": expected a list of end, reboot, poweroff, triple_fault, killed, got a "
	    "list");
}

#define EVEN                                                                                \
	"x = { function(v) if math.type(v) == 'integer' and v % 2 == 0 then return v // 2 " \
	"end return nil, 'an even number' end "

static void test_own_kinds(void **state)
{
	struct script *s = *state;

	open_spec(s);
	takes(s, EVEN "}", "{ x = 4 }", "o.x == 2");
	takes(s, EVEN ", default = 8 }", "{}", "o.x == 4");
	takes(s, EVEN "}", "{}", "o.x == nil");
	refuses_x(s, EVEN "}", "{ x = 3 }", "option \"x\": expected an even number, got 3");
	refuses(s, EVEN ", required = true }", "{}",
	    "{ { text = 'my.lua: missing option \"x\": expected an even number' } }");
}

static void test_presence(void **state)
{
	struct script *s = *state;

	open_spec(s);
	takes(s, "", "{}", "next(o) == nil");
	takes(s, "x = { 'count', default = 3 }, y = { 'string' }", "{}", "o.x == 3 and o.y == nil");
	takes(s, "x = { 'count', default = 3 }", "{ x = null }", "o.x == 3");
	takes(s, "x = { 'count' }", "{ use = 'my.lua', x = 1 }", "given.use == nil");
	refuses(s, "x = { 'count', required = true }", "{ x = null }",
	    "{ { text = 'my.lua: missing option \"x\": expected an integer of at least 1' } }");
	refuses(s, "x = { 'target', default = 'other' }", "{}",
	    "{ { text = 'my.lua: the option \"x\" is \"other\" by default: unknown target "
	    "\"other\" "
	    "(known: default, install, rescue)' } }");
	refuses_x(s, "", "{ x = 1 }", "unknown option \"x\": it takes none");
	refuses(s, "faults = { 'count' }, y = { 'count' }", "{ fauts = 1 }",
	    "{ { option = 'fauts', text = 'my.lua: unknown option \"fauts\", did you mean "
	    "\"faults\"? (known: faults, y)' } }");
	/* All errors come together. */
	refuses(s, "a = { 'count' }, b = { 'string', required = true }",
	    "{ a = 'x', c = 1, d = 2 }",
	    "{ { option = 'a', text = 'my.lua: option \"a\": expected an integer of at least 1, "
	    "got \"x\"' }, "
	    "{ text = 'my.lua: missing option \"b\": expected a string' }, "
	    "{ option = 'c', text = 'my.lua: unknown option \"c\" (known: a, b)' }, "
	    "{ option = 'd', text = 'my.lua: unknown option \"d\" (known: a, b)' } }");
}

static void test_declarations(void **state)
{
	struct script *s = *state;

	open_spec(s);
	breaks(s, "x = { 'cuont' }",
	    "my.lua:2: vmrun.options: the kind of x is \"cuont\"; there is: boolean, causes, "
	    "command, count, id, number, path, seconds, string, target, or a function");
	breaks(s, "x = 'count'", "my.lua:2: vmrun.options: the kind of x is ");
	breaks(s, "x = {}", "my.lua:2: vmrun.options: the kind of x is nothing");
	breaks(s, "x = { 'count' } }), vmrun.options(5, {",
	    "my.lua:2: vmrun.options takes the options of a hook");
}

/* The second argument of a hook file's function, which is read-only. */
static void test_vm(void **state)
{
	struct script *s = *state;

	open_spec(s);
	takes(s, "", "{}", "vm.name == 'x' and #vm.targets == 3 and vm.targets[1] == 'default'");
	takes(s, "", "{}", "not pcall(function() vm.name = 'y' end)");
	takes(s, "", "{}",
	    "select(2, pcall(function() vm.targets[1] = 'y' end)):find('vm is read%-only')");
}

/* A spec may call it, too, while no hook is being loaded. */
static void test_elsewhere(void **state)
{
	struct script *s = *state;

	open_spec(s);
	load_error(s, "vmrun.options({ x = 1, [5] = 2 }, {})",
	    "vm.lua:1: unknown option \"5\": it takes none; unknown option \"x\": it takes none");
	load_error(s, "vmrun.options()", "vm.lua:1: vmrun.options takes the options of a hook");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_simple_kinds),
		SUPPORT_TEST(test_numbers),
		SUPPORT_TEST(test_lists_and_names),
		SUPPORT_TEST(test_own_kinds),
		SUPPORT_TEST(test_presence),
		SUPPORT_TEST(test_declarations),
		SUPPORT_TEST(test_vm),
		SUPPORT_TEST(test_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
