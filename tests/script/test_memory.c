/* All steps under every memory cap: each works or fails with a message, and nothing leaks. */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/heap.h"

static const char *const steps[][2] = {
	{ "configure",
	    "{ merge = { cpu = {}, bhyve = {} }, causes = { 'triple_fault', 'error', 'killed' } "
	    "}" },
	{ "load",
	    "{ format = 'lua', name = 'vm.lua', directory = '/', text = [[\n"
	    "local vm = { name = 'x', cpu = { cores = 2 }, emulations = { { device = 'a', id = 'i' "
	    "} },\n"
	    "targets = { t = { cpu = { threads = 2 }, emulations = { { id = 'i', path = 'p' }, {} "
	    "},\n"
	    "extends = 'u' }, u = { mem = vmrun.null } } }\n"
	    "function vm.on_exit(exit) print(exit.cause, exit.count.error)\n"
	    "return vmrun.boot(exit.target, { delay = 1 }) end\n"
	    "function vm.on_prepare(spec) local ok = pcall(string.rep, 'x', 1e5) spec.ok = ok\n"
	    "coroutine.wrap(function() local t <close> = setmetatable({}, { __close = print }) "
	    "end)()\n"
	    "return vmrun.merge(spec, { mem = '1G' }) end\n"
	    "return vm]] }" },
	{ "targets", "nil" },
	{ "boot", "{ target = 't', set = { { key = 'cpu.cores', value = 3 } } }" },
	{ "locate", "{ path = { 'emulations', 1, 'path' } }" },
	{ "load_hook",
	    "{ key = 'k', path = '/h/p.lua', name = 'p.lua', options = { n = 1 }, "
	    "text = 'return function(o) return { on_exit = function() return o.n end } end' }" },
	{ "load_hook",
	    "{ key = 'rescue_after', name = 'rescue_after', options = { target = 't' } }" },
	{ "hooks", "{ name = 'on_exit', files = { 'k' } }" },
	{ "hooks", "{ name = 'on_prepare', files = list }" },
	{ "call",
	    "{ name = 'on_prepare', index = 1, argument = { slots = { '0:1:0' }, boot = {} } }" },
	{ "call", "{ name = 'on_exit', index = 1, argument = { cause = 'error', target = 't' } }" },
};

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): names of the linker
void *__real_heap_resize(struct heap *h, void *old, size_t old_size, size_t size);
void *__wrap_heap_resize(struct heap *h, void *old, size_t old_size, size_t size);

static bool system_has_none; /* memory for larger pieces */

void *__wrap_heap_resize(struct heap *h, void *old, size_t old_size, size_t size)
{
	return system_has_none && size > old_size ? NULL
						  : __real_heap_resize(h, old, old_size, size);
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

#define STEPS (sizeof(steps) / sizeof(*steps))

/* Returns the number of steps that worked in a row, or -1 without a state. */
static int live(size_t cap, struct node **arguments)
{
	struct script_options options = { .budget_ms = 60000, .memory_bytes = cap };
	struct script *s = NULL;
	struct error err = { 0 };
	int worked = 0;

	if (script_new(&s, &options, &err) != 0) {
		assert_int_equal(err.status, STATUS_OS);
		assert_non_null(strstr(err.text, "Lua cannot start in "));
		error_clear(&err);
		return -1;
	}
	for (size_t i = 0; i < STEPS; i++) {
		struct node *result = NULL;

		if (engine_call(s, steps[i][0], arguments[i], &result, &err) == 0) {
			node_free(result);
			worked++;
			continue;
		}
		assert_null(result);
		if (strstr(err.text, "(hook_memory)") == NULL)
			fail_msg("%s under %zu bytes: %s", steps[i][0], cap, err.text);
		error_clear(&err);
		break;
	}
	script_free(s);
	return worked;
}

static void test_every_cap(void **state)
{
	struct node *arguments[STEPS];
	size_t cap, counts[STEPS + 2] = { 0 };
	int worked = 0;

	(void)state;
	for (size_t i = 0; i < STEPS; i++)
		arguments[i] = node_of(steps[i][1]);
	for (cap = 0; worked < (int)STEPS; cap += 61) {
		worked = live(cap, arguments);
		counts[worked + 1]++;
		assert_true(cap < 2 * MIB);
	}
	print_message("all steps work from %zu bytes on\n", cap);
	for (size_t i = 0; i < STEPS; i++)
		node_free(arguments[i]);
}

static void try(struct script *s, const char *function, const struct node *argument)
{
	struct error err = { 0 };
	struct node *result = NULL;

	if (engine_call(s, function, argument, &result, &err) != 0 &&
	    strstr(err.text, "(hook_memory)") == NULL)
		fail_msg("%s: %s", function, err.text);
	node_free(result);
	error_clear(&err);
}

/* After a cap was lowered and hit, the state works again once the cap is raised. */
static void test_lowered_cap(void **state)
{
	struct node *file = lua_file("assert(io.stdout and vmrun.boot and debug.traceback) "
				     "return { n = 1, targets = { t = { n = 2 } } }");
	struct node *target = node_of("{ target = 't' }");

	(void)state;
	for (size_t cap = 20000; cap < 120000; cap += 331) {
		struct script *s = script_open(60000, 64 * MIB);

		for (size_t i = 0; i < 3; i++) {
			script_limit(s, 60000, cap);
			try(s, "load", file);
			try(s, "boot", target);
			script_limit(s, 60000, 64 * MIB);
			if (i > 0)
				try(s, "load", file);
		}
		expect_boot(s, "t", "spec", "{ n = 2 }");
		expect_error(s, "load",
		    "{ format = 'lua', name = 'a', directory = '/', text = 'os.exit()' }",
		    "a:1: os.exit would end the supervisor");
		script_free(s);
	}
	node_free(file);
	node_free(target);
}

/* A cap that was not reached is not blamed. */
static void test_a_system_without_memory(void **state)
{
	struct script_options options = { .budget_ms = 60000, .memory_bytes = 64 * MIB };
	struct script *s = script_open(60000, 64 * MIB), *other = NULL;
	struct node *file = lua_file("return { n = 1 }"), *result = NULL;
	struct error err = { 0 };

	(void)state;
	system_has_none = true;
	assert_int_equal(engine_call(s, "load", file, &result, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_string_equal(err.text, strerror(ENOMEM));
	error_clear(&err);
	assert_int_equal(script_new(&other, &options, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	system_has_none = false;
	error_clear(&err);
	assert_int_equal(engine_call(s, "load", file, &result, &err), 0);
	node_free(result);
	node_free(file);
	script_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cap),
		cmocka_unit_test(test_lowered_cap),
		cmocka_unit_test(test_a_system_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
