/* Policies as graphs. */
#include "policy/graph.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"

#define HEAD                                                                     \
	"\trankdir=LR nodesep=0.4\n"                                             \
	"\tnode [shape=box style=rounded fontname=\"sans-serif\" fontsize=11]\n" \
	"\tedge [fontname=\"sans-serif\" fontsize=9]\n"                          \
	"\tstart [shape=point]\n\tstop [label=\"every other end stops\" shape=oval]\n"
#define RED " color=\"#b3261e\" fontcolor=\"#b3261e\""

static const struct policy_options no_options = { .reboot_count = -1 };

static struct spec usual(void)
{
	return (struct spec){ .restart_limit = { false, 5, 30000 },
		.backoff = { false, 1000, 60000, 60000, 2 } };
}

static void is(const struct graph *g, const char *wanted)
{
	MEM_AUTO char *got = graph_dot(g);

	assert_string_equal(got, wanted);
}

static void test_one_target(void **state)
{
	struct spec spec = usual();
	struct graph_target target = { "default", &spec, false, NULL };
	struct graph g = { "vm", "default", &no_options, &target, 1 };
	struct policy_options never = { .no_reboot = true, .reboot_count = -1 };

	(void)state;
	is(&g,
	    "digraph \"vm\" {\n" HEAD "\tt0 [label=\"default\"]\n\tstart -> t0\n"
	    "\tt0 -> t0 [label=\"reboot\"]\n}\n");
	g.options = &never;
	is(&g, "digraph \"vm\" {\n" HEAD "\tt0 [label=\"default\"]\n\tstart -> t0\n}\n");
}

/* Edges with the same ends are merged; each different condition has its own line. */
static void test_targets(void **state)
{
	struct spec base = usual(), install = usual(), rescue = usual();
	struct graph_target targets[] = { { "default", &base, false, NULL },
		{ "install", &install, true, NULL }, { "rescue", &rescue, false, NULL } };
	struct graph g = { "vm", "install", &no_options, targets, 3 };
	char to_default[] = "default", to_rescue[] = "rescue";

	(void)state;
	install.next_target = to_default;
	base.on[CAUSE_TRIPLE_FAULT] =
	    (struct action){ .kind = ACTION_TARGET, .target = to_rescue, .delay = { true, 1500 } };
	base.on[CAUSE_KILLED] = base.on[CAUSE_TRIPLE_FAULT];
	base.on[CAUSE_ERROR] = (struct action){ .kind = ACTION_TARGET, .target = to_rescue };
	base.on[CAUSE_GIVEN_UP] =
	    (struct action){ .kind = ACTION_TARGET, .target = to_rescue, .times = 1 };
	base.on[CAUSE_GIVEN_UP].delay = (struct delay){ true, 60000 };
	install.on[CAUSE_GIVEN_UP] = base.on[CAUSE_GIVEN_UP];
	rescue.on[CAUSE_GIVEN_UP] = (struct action){ .kind = ACTION_WAIT };
	is(&g,
	    "digraph \"vm\" {\n" HEAD "\tt0 [label=\"default\"]\n"
	    "\tt1 [label=\"install\\n(hooks may decide otherwise)\" style=\"rounded,dashed\"]\n"
	    "\tt2 [label=\"rescue\"]\n"
	    "\tstart -> t1\n"
	    "\tt0 -> t0 [label=\"reboot\"]\n"
	    "\tt0 -> t2 [label=\"triple_fault, killed in 1.5 s\\nerror in 1 s\"" RED "]\n"
	    "\tt0 -> g0 [label=\"more than 5 boots\\nwithin 30 s\" style=dotted" RED "]\n"
	    "\tt1 -> t0 [label=\"reboot (next_target)\"]\n"
	    "\tt1 -> g0 [label=\"more than 5 boots\\nwithin 30 s\" style=dotted" RED "]\n"
	    "\tt2 -> t2 [label=\"reboot\"]\n"
	    "\tt2 -> g2 [label=\"more than 5 boots\\nwithin 30 s\" style=dotted" RED "]\n"
	    "\tg0 [label=\"given up\" shape=oval]\n"
	    "\tg0 -> t2 [label=\"once, in 60 s\" style=dotted" RED "]\n"
	    "\tg2 [label=\"given up:\\nwaits for a reset\" shape=oval]\n}\n");
}

static struct node *lead(const char *from, const char *cause, const char *target)
{
	struct node *n = node_new(NODE_OBJECT);

	node_put(n, "by", node_string("h"));
	if (from != NULL)
		node_put(n, "from", node_string(from));
	if (cause != NULL)
		node_put(n, "cause", node_string(cause));
	if (target != NULL)
		node_put(n, "target", node_string(target));
	return n;
}

/* What hooks declare is dashed; faults and other causes, and hooks, have edges of their own. */
static void test_leads(void **state)
{
	NODE_AUTO struct node *leads = node_new(NODE_LIST);
	struct spec spec = usual();
	struct graph_target targets[] = { { "a", &spec, true, leads },
		{ "b", &spec, true, leads } };
	struct graph g = { "vm", "a", &no_options, targets, 2 };

	(void)state;
	node_append(leads, lead(NULL, "killed", "b"));
	node_append(leads, lead(NULL, "halt", "b"));
	node_append(leads, lead(NULL, "error", "b"));
	node_append(leads, lead("b", NULL, "a"));
	node_append(leads, lead(NULL, "poweroff", NULL));
	MEM_AUTO char *text = graph_dot(&g);

	assert_non_null(strstr(text,
	    "\tt0 -> t1 [label=\"killed, error\\n(h)\" style=dashed" RED "]\n"
	    "\tt0 -> t1 [label=\"halt\\n(h)\" style=dashed]\n"
	    "\tt0 -> t0 [label=\"poweroff\\n(h)\" style=dashed]\n"));
	assert_non_null(strstr(text,
	    "\tt1 -> t0 [label=\"(h)\" style=dashed]\n"
	    "\tt1 -> t1 [label=\"poweroff\\n(h)\" style=dashed]\n"));
	assert_null(strstr(text, "t1 -> t1 [label=\"killed"));
}

/* A VM that never boots automatically cannot give up. */
static void test_no_way_to_give_up(void **state)
{
	struct spec spec = usual();
	struct graph_target target = { "default", &spec, false, NULL };
	struct graph g = { "vm", "default", &no_options, &target, 1 };
	MEM_AUTO char *without = NULL, *with = NULL;

	(void)state;
	spec.on[CAUSE_REBOOT] = (struct action){ .kind = ACTION_STOP };
	spec.on[CAUSE_GIVEN_UP] = (struct action){ .kind = ACTION_WAIT };
	without = graph_dot(&g);
	assert_null(strstr(without, "boots"));
	target.has_hooks = true;
	with = graph_dot(&g);
	assert_non_null(strstr(with, "t0 -> g0"));
}

/* A line of a label has at most 30 characters. */
static void test_limit_of_lines(void **state)
{
	struct spec spec = usual();
	struct graph_target target = { "default", &spec, false, NULL };
	struct graph g = { "vm", "default", &no_options, &target, 1 };
	const struct action again = { .kind = ACTION_SAME };

	(void)state;
	spec.backoff.off = true;
	spec.on[CAUSE_POWEROFF] = spec.on[CAUSE_HALT] = again;
	MEM_AUTO char *full = graph_dot(&g);

	assert_non_null(strstr(full, "[label=\"reboot, poweroff, halt\"]"));
	spec.on[CAUSE_START_FAILED] = spec.on[CAUSE_ERROR] = again;
	spec.on[CAUSE_LOADER_FAILED] = again;
	spec.loader.type = LOADER_BHYVELOAD;
	MEM_AUTO char *broken = graph_dot(&g);

	assert_non_null(strstr(broken, "[label=\"error, start_failed,\\nloader_failed\""));
}

/* No character of a name ends a string or a line. */
static void test_names(void **state)
{
	struct spec spec = usual();
	struct graph_target target = { "a \"b\" \\N\nc\td \xc3\xa9", &spec, false, NULL };
	struct graph g = { "vm", target.name, &no_options, &target, 1 };
	MEM_AUTO char *got = graph_dot(&g);

	(void)state;
	assert_non_null(strstr(got, "\tt0 [label=\"a \\\"b\\\" \\\\N\\nc?d \xc3\xa9\"]\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_target),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_leads),
		cmocka_unit_test(test_no_way_to_give_up),
		cmocka_unit_test(test_limit_of_lines),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
