/* The key `hooks`. */
#include "support.h"

#include <string.h>

#include "base/mem.h"

static void test_hooks(void **state)
{
	struct spec *spec = spec_of("'hooks':['a.lua','/b.lua',{'use':'c.lua','faults':3,'x':[1,"
				    "1.5,true,{'y':null}]}]");
	const struct hook_file *hook = spec->hooks.item;

	(void)state;
	assert_int_equal(spec->hooks.count, 3);
	assert_string_equal(hook[0].name, "a.lua");
	assert_string_equal(hook[0].path, "/specs/a.lua");
	assert_string_equal(hook[0].key, "/specs/a.lua");
	assert_null(hook[0].options);
	assert_string_equal(hook[1].path, "/b.lua");
	assert_string_equal(hook[2].path, "/specs/c.lua");
	assert_int_equal(node_get(hook[2].options, "faults")->integer, 3);
	spec_free(spec);
	spec_shows("'hooks':['a.lua',{'use':'c.lua','x':[1,1.5,true,{'y':null},[],{}]}]",
	    "'hooks': ['/specs/a.lua',{'use': '/specs/c.lua','x': [1,1.5,true,{'y': "
	    "null},[],{}]}]");
}

/* A name without a directory and an extension is a stock hook, and is printed unchanged. */
static void test_stock(void **state)
{
	struct spec *spec = spec_of("'hooks':['notify',{'use':'backoff','max':5},'./notify',"
				    "'notify.lua','.notify']");
	const struct hook_file *hook = spec->hooks.item;

	(void)state;
	assert_null(hook[0].path);
	assert_string_equal(hook[0].name, "notify");
	assert_string_equal(hook[0].key, "notify");
	assert_null(hook[1].path);
	assert_string_equal(hook[1].name, "backoff");
	assert_string_equal(hook[2].path, "/specs/notify");
	assert_string_equal(hook[3].path, "/specs/notify.lua");
	assert_string_equal(hook[4].path, "/specs/.notify");
	spec_free(spec);
	spec_shows("'hooks':['notify',{'use':'backoff','max':5}]",
	    "'hooks': ['notify',{'max': 5,'use': 'backoff'}]");
}

/* Hooks from options of the program are called last, and are not part of the spec. */
static void test_append(void **state)
{
	struct hook_list more = { 0 };
	struct spec *spec = spec_of("'hooks':['a.lua']");
	struct node *options = node_new(NODE_OBJECT);

	(void)state;
	node_put(options, "use", node_string("b.lua"));
	hook_list_add(&more, "b.lua", "/cwd", options);
	hook_list_add(&more, "notify", "/cwd", NULL);
	more.item[0].of_option = more.item[1].of_option = true;
	hook_list_append(&spec->hooks, &more);
	hook_list_free(&more);
	node_free(options);
	assert_int_equal(spec->hooks.count, 3);
	assert_string_equal(spec->hooks.item[1].name, "b.lua");
	assert_string_equal(spec->hooks.item[1].path, "/cwd/b.lua");
	assert_string_equal(node_get_text(spec->hooks.item[1].options, "use"), "b.lua");
	assert_string_equal(spec->hooks.item[1].key, "/cwd/b.lua{\"use\":\"b.lua\"}");
	assert_null(spec->hooks.item[2].path);
	assert_true(spec->hooks.item[2].of_option);
	MEM_AUTO char *printed = spec_print(spec);

	assert_non_null(strstr(printed, "/specs/a.lua"));
	assert_null(strstr(printed, "b.lua"));
	assert_null(strstr(printed, "notify"));
	spec_free(spec);
}

/* A use with the same options is the same use; any difference makes another one. */
/* Hooks of --hook are not printed, and do not make an empty list of the spec's. */
static void test_hooks_of_the_command_line(void **state)
{
	struct spec *spec = spec_of("");

	(void)state;
	hook_list_add(&spec->hooks, "notify", "/cwd", NULL);
	spec->hooks.item[0].of_option = true;
	MEM_AUTO char *without = spec_line(spec);

	assert_null(strstr(without, "'hooks'"));
	hook_list_add(&spec->hooks, "backoff", "/cwd", NULL);
	MEM_AUTO char *with = spec_line(spec);

	assert_non_null(strstr(with, "'hooks': ['backoff']"));
	spec_free(spec);
}

static void test_hook_keys(void **state)
{
	struct spec *spec = spec_of("'hooks':['a',{'use':'a'},{'use':'a','x':1},{'x':1,'use':'a'},"
				    "{'use':'a','x':'1'},{'use':'a','x':null},{'use':'a','x':{}},"
				    "{'use':'a','x':[]},{'use':'b','x':1}]");
	const struct hook_file *hook = spec->hooks.item;

	(void)state;
	for (size_t i = 0; i < spec->hooks.count; i++) {
		for (size_t j = 0; j < i; j++) {
			bool same = strcmp(hook[i].key, hook[j].key) == 0;

			if (same != (i == 3 && j == 2))
				fail_msg("%s, %s", hook[i].key, hook[j].key);
		}
	}
	spec_free(spec);
}

static void test_bad_hooks(void **state)
{
	(void)state;
	spec_refused("'hooks':'a.lua'", "hooks: expected a list of hooks, got a string");
	spec_refused("'hooks':{'use':'a.lua'}", "hooks: expected a list of hooks, got an object");
	spec_refused("'hooks':['a',1]", "hooks[1]: a hook is a file, a stock hook, or {");
	spec_refused("'hooks':[{}]", "hooks[0]: a hook is a file, a stock hook, or {");
	spec_refused("'hooks':[[]]", "hooks[0]: a hook is a file, a stock hook, or {");
	spec_refused("'hooks':['']", "hooks[0]: must not be empty");
	spec_refused("'hooks':[{'use':''}]", "hooks[0].use: must not be empty");
	spec_refused("'hooks':[{'use':1}]", "hooks[0].use: expected a string, got an integer");
	spec_refused("'on_exit':'x'", "on_exit: expected a function (a Lua spec can hold one)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_stock),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_hooks_of_the_command_line),
		cmocka_unit_test(test_hook_keys),
		cmocka_unit_test(test_bad_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
