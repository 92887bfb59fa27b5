/* Policies as tables. */
#include "policy/table.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"

static const struct policy_options no_options = { .reboot_count = -1 };

static struct spec usual(void)
{
	return (struct spec){ .restart_limit = { false, 1, 1500 }, .backoff = { .off = true } };
}

static void test_one_target(void **state)
{
	struct spec spec = usual();
	struct graph_target target = { "default", &spec, true, NULL };
	struct graph g = { "vm", "default", &no_options, &target, 1 };
	MEM_AUTO char *text = policy_table(&g);

	(void)state;
	assert_string_equal(text,
	    "              default\n"
	    "reboot        boots default (default)\n"
	    "poweroff      stops (default)\n"
	    "halt          stops (default)\n"
	    "triple_fault  stops (default)\n"
	    "error         stops (default)\n"
	    "killed        stops (default)\n"
	    "start_failed  stops (default)\n"
	    "check_failed  stops (default)\n"
	    "given_up      stops (restart_limit)\n"
	    "\n"
	    "default: given_up after more than 1 boot within 1.5 s\n"
	    "default: on_exit hooks are asked first\n");
}

/* A limit of boots says nothing where no boot follows. */
static void test_no_reboot(void **state)
{
	struct policy_options once = no_options;
	struct spec spec = usual();
	struct graph_target target = { "default", &spec, true, NULL };
	struct graph g = { "vm", "default", &once, &target, 1 };

	(void)state;
	once.no_reboot = true;
	MEM_AUTO char *text = policy_table(&g);

	assert_null(strstr(text, "given_up"));
	assert_non_null(strstr(text, "default: on_exit hooks are asked first\n"));
}

/* Statuses are sorted as numbers, below their cause; a target without one shows what error does. */
static void test_statuses(void **state)
{
	char nine[] = "9", hundred[] = "100";
	struct status_action first[] = { { hundred, { ACTION_SAME, NULL, { true, 1 }, 0 } } };
	struct status_action second[] = { { nine, { ACTION_SAME, NULL, { true, 20 }, 0 } } };
	struct spec a = usual(), b = usual();
	struct graph_target targets[] = { { "a", &a, false, NULL }, { "b", &b, false, NULL } };
	struct graph g = { "vm", "a", &no_options, targets, 2 };

	(void)state;
	a.on_status = (struct field_list){ first, 1 };
	b.on_status = (struct field_list){ second, 1 };
	MEM_AUTO char *text = policy_table(&g);

	assert_non_null(strstr(text,
	    "error         stops (default)              stops (default)\n"
	    "error 9       stops (default)              boots b in 0.02 s (on.9)\n"
	    "error 100     boots a in 0.001 s (on.100)  stops (default)\n"
	    "killed"));
}

/* A name may be wider than what its target does. */
static void test_wide_name(void **state)
{
	struct spec spec = usual();
	struct graph_target targets[] = { { "a-target-that-only-stops", &spec, false, NULL },
		{ "b", &spec, false, NULL } };
	struct graph g = { "vm", "b", &no_options, targets, 2 };

	(void)state;
	spec.on[CAUSE_REBOOT] = (struct action){ .kind = ACTION_STOP };
	MEM_AUTO char *text = policy_table(&g);

	assert_non_null(strstr(text,
	    "              a-target-that-only-stops  b\n"
	    "reboot        stops (on.reboot)         stops (on.reboot)\n"));
}

/* Each block has as many targets as 80 columns hold, and at least one. */
static void test_width(void **state)
{
	struct spec spec = usual();
	char name[] =
	    "a-target-whose-name-alone-is-wider-than-a-terminal-has-columns-which-is-unusual";
	struct graph_target targets[] = { { "a", &spec, false, NULL }, { "b", &spec, false, NULL },
		{ "c", &spec, false, NULL }, { name, &spec, false, NULL },
		{ "d", &spec, false, NULL } };
	struct graph g = { "vm", "a", &no_options, targets, 5 };
	MEM_AUTO char *text = policy_table(&g);
	size_t blocks = 0;

	(void)state;
	for (const char *p = text; (p = strstr(p, "\nkilled ")) != NULL; p++)
		blocks++;
	assert_int_equal(blocks, 4); /* a and b, c, the long one, d */
	assert_non_null(strstr(text, "a                      b\n"));
	assert_null(strstr(text, "c  a-target"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_target),
		cmocka_unit_test(test_no_reboot),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_wide_name),
		cmocka_unit_test(test_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
