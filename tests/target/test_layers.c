/* Many targets: long chains, circles and layers that targets share take linear time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "target/targets.h"

#define MANY 20000

static struct node *rules;

static int open_rules(void **state)
{
	(void)state;
	rules = node_new(NODE_OBJECT);
	return 0;
}

static int close_rules(void **state)
{
	(void)state;
	node_free(rules);
	return 0;
}

static char *name_of(size_t i)
{
	return mem_format("t%05zu", i);
}

/* Returns a document with targets t00000 and so on: { extends, key = i }. */
static struct node *document(size_t count, struct node *(*extends)(size_t i))
{
	struct node *root = node_new(NODE_OBJECT), *all = node_new(NODE_OBJECT);

	for (size_t i = 0; i < count; i++) {
		MEM_AUTO char *name = name_of(i);
		struct node *target = node_new(NODE_OBJECT), *parents = extends(i);

		if (parents != NULL)
			node_put(target, "extends", parents);
		node_put(target, "key", node_int((int64_t)i));
		node_put(all, name, target);
	}
	node_put(root, "base", node_int(1));
	node_put(root, "targets", all);
	return root;
}

/* Merges a target, which must be well, and returns its `key`. */
static int64_t key_of(struct targets *t, const char *target)
{
	REPORT_AUTO struct report report = { 0 };
	struct merged m;
	int64_t key;

	targets_merge(t, target, NULL, &m, &report);
	if (report.count > 0)
		fail_msg("%s: %s", target, report.item[0].text);
	assert_int_equal(node_get(m.spec, "base")->integer, 1);
	assert_null(node_get(m.spec, "extends"));
	key = node_get(m.spec, "key")->integer;
	merged_clear(&m);
	return key;
}

static struct node *the_one_before(size_t i)
{
	MEM_AUTO char *name = i == 0 ? NULL : name_of(i - 1);

	return name == NULL ? NULL : node_string(name);
}

static struct node *the_next_one(size_t i)
{
	MEM_AUTO char *name = i + 1 == MANY ? NULL : name_of(i + 1);

	return name == NULL ? NULL : node_string(name);
}

static struct node *the_next_one_round(size_t i)
{
	MEM_AUTO char *name = name_of((i + 1) % MANY);

	return node_string(name);
}

/* Its own and the first one, which all targets lay over another layer. */
static struct node *two(size_t i)
{
	MEM_AUTO char *before = i < 2 ? NULL : name_of(i / 2);
	struct node *list;

	if (before == NULL)
		return NULL;
	list = node_new(NODE_LIST);
	node_append(list, node_string(before));
	node_append(list, node_string("t00000"));
	return list;
}

/* Every target merges, whichever end of the chain comes first. */
static void test_chains(void **state)
{
	struct node *(*const ways[])(size_t) = { the_one_before, the_next_one, two };

	(void)state;
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		struct targets *t = targets_new(document(MANY, ways[way]), rules, SIZE_MAX);

		for (size_t i = 0; i < MANY; i++) {
			MEM_AUTO char *name = name_of(i);

			assert_int_equal(key_of(t, name), i);
		}
		targets_free(t);
	}
}

/* A circle of many is told with its middle left out, and each target stands alone. */
static void test_circle(void **state)
{
	struct targets *t = targets_new(document(MANY, the_next_one_round), rules, SIZE_MAX);
	struct report report = { 0 };
	struct merged m;

	(void)state;
	targets_merge(t, "t00007", NULL, &m, &report);
	assert_int_equal(report.count, 1);
	assert_string_equal(report.item[0].path, "targets.t00006.extends");
	assert_non_null(strstr(report.item[0].text, "circular extends: t00007 -> t00008 -> "));
	assert_non_null(strstr(report.item[0].text, " -> ... -> t00006 -> t00007"));
	assert_true(strlen(report.item[0].text) < 300);
	assert_int_equal(node_get(m.spec, "key")->integer, 7);
	merged_clear(&m);
	for (size_t i = 0; i < MANY; i++) {
		MEM_AUTO char *name = name_of(i);

		targets_merge(t, name, NULL, &m, &report);
		assert_int_equal(node_get(m.spec, "key")->integer, i);
		merged_clear(&m);
	}
	/* The first hundred are told; the report of more would be cut anyway. */
	assert_int_equal(report.count, 100);
	report_free(&report);
	targets_free(t);
}

/* Each target adds a device to those of the chain: all of them would take gigabytes. */
static void test_room(void **state)
{
	struct node *root = document(MANY, the_one_before);
	const struct node *all = node_get(root, "targets");
	REPORT_AUTO struct report report = { 0 };
	struct targets *t;
	struct merged m;

	(void)state;
	for (struct node *n = all->first; n != NULL; n = n->next) {
		struct node *list = node_new(NODE_LIST);

		node_append(list, node_new(NODE_OBJECT));
		node_put(n, "emulations", list);
	}
	t = targets_new(root, rules, (size_t)16 << 20);
	targets_merge(t, "t00100", NULL, &m, &report);
	assert_int_equal(report.count, 0);
	assert_int_equal(node_get(m.spec, "emulations")->count, 101);
	merged_clear(&m);
	targets_merge(t, "t19999", NULL, &m, &report);
	/* Once in the chain, and for each target over it. */
	assert_int_equal(report.count, 1);
	assert_non_null(strstr(report.item[0].path, "targets.t0"));
	assert_string_equal(report.item[0].text,
	    "merging this target and those that it extends needs too much memory: extend fewer "
	    "targets");
	merged_clear(&m);
	targets_free(t);
}

/* Each target of a chain has a problem: a report has a hundred of them. */
static void test_many_problems(void **state)
{
	struct node *root = document(MANY, the_one_before);
	REPORT_AUTO struct report report = { 0 };
	struct targets *t;
	struct merged m;

	(void)state;
	for (struct node *n = node_get(root, "targets")->first; n != NULL; n = n->next)
		node_put(n, "emulations", node_int(1));
	t = targets_new(root, rules, SIZE_MAX);
	targets_merge(t, "t19999", NULL, &m, &report);
	assert_int_equal(report.count, MAX_REPORT_PROBLEMS);
	assert_string_equal(report.item[0].path, "targets.t00000.emulations");
	merged_clear(&m);
	targets_free(t);
}

/* A document that is no object has no targets, and is merged as it is. */
static void test_no_object(void **state)
{
	static const enum node_kind kinds[] = { NODE_LIST, NODE_EMPTY, NODE_STRING };
	REPORT_AUTO struct report report = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct node *root = kinds[i] == NODE_STRING ? node_string("x") : node_new(kinds[i]);
		struct targets *t;
		struct merged m;

		if (kinds[i] == NODE_LIST)
			node_append(root, node_int(1));
		t = targets_new(root, rules, SIZE_MAX);
		targets_check(t, &report);
		targets_merge(t, "default", NULL, &m, &report);
		assert_int_equal(report.count, 0);
		assert_int_equal(m.spec->count, kinds[i] == NODE_LIST ? 1 : 0);
		assert_int_equal(targets_names(t)->count, 1);
		assert_null(targets_owner(t, "on_exit"));
		merged_clear(&m);
		targets_free(t);
	}
}

/* Whose value holds: the one of the highest layer that has the key, unless it is null. */
static void test_owner(void **state)
{
	struct node *root = document(4, the_one_before), *all = node_take(root, "targets");
	REPORT_AUTO struct report report = { 0 };
	struct targets *t;
	struct merged m;

	(void)state;
	node_put((struct node *)node_get(all, "t00001"), "on_exit", node_new(NODE_FUNCTION));
	node_put((struct node *)node_get(all, "t00003"), "on_exit", node_new(NODE_NULL));
	node_put(root, "on_end", node_new(NODE_FUNCTION));
	node_put(root, "targets", all);
	t = targets_new(root, rules, SIZE_MAX);
	assert_null(targets_owner(t, "on_end")); /* nothing is merged */
	targets_merge(t, "t00002", NULL, &m, &report);
	merged_clear(&m);
	assert_string_equal(targets_owner(t, "on_exit"), "t00001");
	assert_string_equal(targets_owner(t, "on_end"), "");
	assert_null(targets_owner(t, "on_start"));
	targets_merge(t, "t00003", NULL, &m, &report);
	merged_clear(&m);
	assert_null(targets_owner(t, "on_exit"));
	assert_int_equal(report.count, 0);
	targets_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_many_problems),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, open_rules, close_rules);
}
