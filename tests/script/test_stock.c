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
	expect(s, "load_hook", "{ key = 'k', name = 'rescue_after', options = { use = 'x' } }",
	    "{ functions = { 'on_exit' } }");
	expect(
	    s, "hooks", "{ name = 'on_exit', files = { 'k' } }", "{ 'on_exit of rescue_after' }");
	expect(s, "hooks", "{ name = 'on_start', files = { 'k' } }", "{}");
}

static void test_unknown(void **state)
{
	struct script *s = *state;

	open_spec(s, "return { name = 'x' }");
	expect_error(s, "load_hook", "{ key = 'k', name = 'bakoff' }",
	    "unknown stock hook \"bakoff\", did you mean \"backoff\"? (known: ab_upgrade, backoff, "
	    "daily_window, install_once, notify, rescue_after; a file is named with its extension "
	    "or a \"/\")");
	expect(s, "hook_faults", "nil", "{}");
	/* vmrun's own modules are not stock hooks. */
	expect_error(
	    s, "load_hook", "{ key = 'k', name = 'merge' }", "unknown stock hook \"merge\"");
	expect_error(
	    s, "load_hook", "{ key = 'k', name = 'hooks/backoff' }", "unknown stock hook ");
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

static int load_nothing(void *context, struct node **out, struct error *err)
{
	(void)context;
	(void)err;
	*out = NULL;
	return 0;
}

static int save_nothing(void *context, const struct node *state, bool requested, struct error *err)
{
	(void)context;
	(void)state;
	(void)requested;
	(void)err;
	return 0;
}

/* A slot whose target has `ready` is proved by that: neither a long life nor a start accepts it. */
static void test_ready_is_the_proof(void **state)
{
	static const char *const names[] = { "on_started", "on_ready", "on_exit" };
	struct script_options options = { .budget_ms = 60000,
		.memory_bytes = 64 * MIB,
		.hypervisor = "bhyve",
		.load_state = load_nothing,
		.save_state = save_nothing };
	struct error err = { 0 };
	struct script *s;

	(void)state;
	assert_int_equal(script_new(&s, &options, &err), 0);
	open_spec(s, "return { name = 'x', targets = { a = {}, b = {} } }");
	expect(s, "load_hook", "{ key = 'k', name = 'ab_upgrade', options = {} }",
	    "{ keeps = 'ab_upgrade', "
	    "functions = { 'on_exit', 'on_ready', 'on_start', 'on_started' } }");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		MEM_AUTO char *list = mem_format("{ name = '%s', files = { 'k' } }", names[i]);
		MEM_AUTO char *label = mem_format("{ '%s of ab_upgrade' }", names[i]);

		expect(s, "hooks", list, label);
	}
	expect(
	    s, "run", "{ name = 'r', text = \"vmrun.state.ab_upgrade = { slot = 'a' }\" }", "nil");
	/* It does not sleep: the call would need somebody who serves its wait. */
	expect(s, "call",
	    "{ name = 'on_started', index = 1, argument = { target = 'b', boots = 2, "
	    "spec = { ready = { console = 'login:' } } } }",
	    "nil");
	expect(s, "call",
	    "{ name = 'on_exit', index = 1, argument = { target = 'b', boots = 2, "
	    "cause = 'unhealthy', uptime = 9999 } }",
	    "{ action = 'boot', target = 'a' }");
	expect(s, "call",
	    "{ name = 'on_ready', index = 1, argument = { target = 'b', boots = 3, "
	    "spec = { ready = { console = 'login:' } } } }",
	    "nil");
	expect(s, "run", "{ name = 'r', text = 'return vmrun.state.ab_upgrade.slot' }", "'b'");
	expect(s, "call",
	    "{ name = 'on_exit', index = 1, argument = { target = 'b', boots = 3, "
	    "cause = 'unhealthy', uptime = 1 } }",
	    "nil");
	script_free(s);
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
		cmocka_unit_test(test_ready_is_the_proof),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
