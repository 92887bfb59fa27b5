/* Stock hooks, which come with the program and are ordinary scripts. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/embedded.h"

#define CAUSES_TEXT "{ merge = {}, causes = { 'triple_fault', 'error', 'killed', 'start_failed' } }"

static void open_spec(struct script *s, const char *text)
{
	expect(s, "configure", CAUSES_TEXT, "nil");
	load_lua(s, text);
	expect_boot(s, "default", "problems", "{}");
}

static void test_load(void **state)
{
	struct script *s = *state;

	open_spec(s, "return { name = 'x', targets = { rescue = {} } }");
	expect(
	    s, "load_hook", "{ key = 'k', name = 'rescue_after', options = { use = 'x' } }", "nil");
	expect(
	    s, "hooks", "{ name = 'on_exit', files = { 'k' } }", "{ 'on_exit of rescue_after' }");
	expect(s, "hooks", "{ name = 'on_start', files = { 'k' } }", "{}");
}

static void test_unknown(void **state)
{
	struct script *s = *state;

	open_spec(s, "return { name = 'x' }");
	expect_error(s, "load_hook", "{ key = 'k', name = 'bakoff' }",
	    "no stock hook \"bakoff\", did you mean \"backoff\"? (there is: ab_upgrade, backoff, "
	    "daily_window, install_once, notify, rescue_after; a file is named with its extension "
	    "or a \"/\")");
	expect(s, "hook_faults", "nil", "{}");
	/* vmrun's own modules are not stock hooks. */
	expect_error(s, "load_hook", "{ key = 'k', name = 'merge' }", "no stock hook \"merge\"");
	expect_error(s, "load_hook", "{ key = 'k', name = 'hooks/backoff' }", "no stock hook ");
}

/* They share the globals of scripts, and tracebacks name their files. */
static void test_globals(void **state)
{
	struct script *s = *state;

	open_spec(s, "function ipairs() error('mine') end return { name = 'x' }");
	struct node *request = node_of("{ key = 'k', name = 'backoff' }");
	MEM_AUTO char *text = error_of(s, "load_hook", request);

	node_free(request);
	assert_non_null(strstr(text, "mine\nstack traceback:"));
	assert_non_null(strstr(text, "\thooks/backoff.lua:"));
}

/* Messages list the names of the files, sorted. */
static void test_names(void **state)
{
	const char *last = "";
	int hooks = 0;

	(void)state;
	for (const struct embedded *e = embedded_lua; e->name != NULL; e++) {
		if (strncmp(e->name, EMBEDDED_HOOKS, strlen(EMBEDDED_HOOKS)) != 0)
			continue;
		assert_true(strcmp(last, e->name) < 0);
		last = e->name;
		hooks++;
	}
	assert_int_equal(hooks, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_load),
		SUPPORT_TEST(test_unknown),
		SUPPORT_TEST(test_globals),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
