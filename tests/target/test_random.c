/*
 * Random specs, compared with the other implementation of the rules of targets: boots in any order
 * give the same result, so that no boot may change the document.
 */
#include "../script/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "again.h"
#include "base/mem.h"

#define ROUNDS 400

/* The printed seed gives the same numbers on every system. */
static uint32_t seed;

static unsigned pick(unsigned below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 12) % below;
}

static const char *name_of(unsigned i)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };

	return names[i];
}

/*
 * --- random documents, as Lua text --------------------------------------------------------------
 */

static void add_value(struct str *out, int depth);

static void add_object(struct str *out, int depth)
{
	str_add(out, "{ ");
	for (unsigned i = 0; i < 5; i++) {
		if (pick(3) != 0)
			continue;
		str_addf(out, "%s = ", name_of(i));
		add_value(out, depth + 1);
		str_add(out, ", ");
	}
	str_add(out, "}");
}

static void add_value(struct str *out, int depth)
{
	switch (pick(depth < 3 ? 7 : 4)) {
	case 0:
		str_add(out, "null");
		break;
	case 1:
		str_add(out, pick(2) == 0 ? "true" : "false");
		break;
	case 2:
	case 3:
		str_addf(out, "%u", pick(100));
		break;
	case 4:
		str_addf(out, "{ %u, { a = %u } }", pick(100), pick(100));
		break;
	default:
		add_object(out, depth);
	}
}

static void add_devices(struct str *out, bool of_target)
{
	str_add(out, "emulations = { ");
	for (unsigned n = pick(4); n > 0; n--) {
		str_add(out, "{ device = 'm', ");
		if (pick(2) == 0)
			str_addf(out, "id = 'd%u', ", pick(4));
		else if (of_target && pick(4) == 0)
			str_addf(out, "id = 'm-%u', ", pick(4));
		if (of_target && pick(8) == 0)
			str_addf(out, "remove = %s, ", pick(4) == 0 ? "false" : "true");
		if (pick(2) != 0)
			str_addf(out, "p = %s, q = %u, ", pick(3) == 0 ? "null" : "1", pick(100));
		str_add(out, "}, ");
	}
	str_add(out, "}, ");
}

static char *random_spec(void)
{
	struct str out = { 0 };

	str_add(&out, "{ ");
	for (unsigned i = 0; i < 5; i++) {
		str_addf(&out, "%s = ", name_of(i));
		add_value(&out, 0);
		str_add(&out, ", ");
	}
	add_devices(&out, false);
	str_add(&out, "targets = { ");
	for (unsigned t = 0; t < AGAIN_TARGETS; t++) {
		str_addf(&out, "t%u = { ", t);
		for (unsigned i = 0; i < 5; i++) {
			if (pick(2) == 0)
				continue;
			str_addf(&out, "%s = ", name_of(i));
			add_value(&out, 0);
			str_add(&out, ", ");
		}
		if (pick(3) != 0)
			add_devices(&out, true);
		if (t > 0 && pick(2) == 0)
			str_addf(&out, "extends = { 't%u', 't%u' }, ", pick(t), pick(t));
		str_add(&out, "}, ");
	}
	str_add(&out, "} }");
	return str_take(&out);
}

/*
 * --- comparing ----------------------------------------------------------------------------------
 */

/* Removes marks, because a merge may turn a marked empty table into an unmarked one. */
static void forget_marks(struct node *n)
{
	if (n->count == 0 && (n->kind == NODE_LIST || n->kind == NODE_OBJECT))
		n->kind = NODE_EMPTY;
	for (struct node *c = n->first; c != NULL; c = c->next)
		forget_marks(c);
}

static struct node *boot(struct script *s, int number)
{
	MEM_AUTO char *target = number < 0 ? mem_copy("default") : mem_format("t%d", number);
	struct node *request = node_new(NODE_OBJECT), *result = NULL;
	struct error err = { 0 };
	size_t problems;

	node_put(request, "target", node_string(target));
	if (engine_call(s, "boot", request, &result, &err) != 0)
		fail_msg("%s", err.text);
	problems = node_get(result, "problems")->count;
	node_put(result, "problems", node_int((int64_t)problems));
	node_free(request);
	return result;
}

static void compare_boot(struct script *s, const struct node *spec, const struct node *rules,
    int number, const char *text)
{
	struct node *got = boot(s, number), *wanted = merge_again(spec, rules, number);

	forget_marks(got);
	forget_marks(wanted);
	MEM_AUTO char *a = node_show(got);
	MEM_AUTO char *b = node_show(wanted);

	if (strcmp(a, b) != 0)
		fail_msg("target %d of\n%s\ngot:    %s\nwanted: %s", number, text, a, b);
	node_free(got);
	node_free(wanted);
}

static void test_random_specs(void **state)
{
	struct script *s = *state;
	struct node *rules = node_of(AGAIN_RULES);

	expect(s, "configure",
	    "{ merge = { a = {}, b = { a = {}, b = { c = {} } }, e = { e = {} } } }", "nil");
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		seed = round;
		MEM_AUTO char *text = random_spec();
		MEM_AUTO char *file = mem_format("local null = vmrun.null return %s", text);
		struct node *spec = node_of(text);

		load_lua(s, file);
		for (int i = -1; i < AGAIN_TARGETS; i++)
			compare_boot(s, spec, rules, i, text);
		for (int i = AGAIN_TARGETS - 1; i >= -1; i--)
			compare_boot(s, spec, rules, i, text);
		node_free(spec);
	}
	node_free(rules);
}

/* Checks that the place of every merged value has the same value in the file. */
static void check_place(
    struct script *s, struct node *path, const struct node *value, const struct node *spec)
{
	struct node *request = node_new(NODE_OBJECT), *result = NULL;
	struct error err = { 0 };
	const struct node *at = spec;

	node_put(request, "path", node_copy(path));
	if (engine_call(s, "locate", request, &result, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(node_get_text(result, "source"), "file");
	for (const struct node *k = node_get(result, "path")->first; k != NULL; k = k->next) {
		if (k->kind == NODE_STRING) {
			at = node_get(at, k->text);
		} else {
			at = at->first;
			for (int64_t i = 1; i < k->integer; i++)
				at = at->next;
		}
		assert_non_null(at);
	}
	if (value->first == NULL && value->kind != NODE_EMPTY) {
		MEM_AUTO char *a = node_show(at);
		MEM_AUTO char *b = node_show(value);

		assert_string_equal(a, b);
	}
	node_free(request);
	node_free(result);
}

static void check_places(
    struct script *s, const struct node *path, const struct node *value, const struct node *spec)
{
	int64_t place = 0;

	for (const struct node *c = value->first; c != NULL; c = c->next) {
		struct node *longer = node_copy(path);

		longer->kind = NODE_LIST;
		node_append(
		    longer, value->kind == NODE_OBJECT ? node_string(c->key) : node_int(++place));
		check_place(s, longer, c, spec);
		check_places(s, longer, c, spec);
		node_free(longer);
	}
}

static void test_random_places(void **state)
{
	struct script *s = *state;
	struct node *root = node_new(NODE_LIST);

	expect(s, "configure",
	    "{ merge = { a = {}, b = { a = {}, b = { c = {} } }, e = { e = {} } } }", "nil");
	for (uint32_t round = 1; round <= ROUNDS / 8; round++) {
		seed = round;
		MEM_AUTO char *text = random_spec();
		MEM_AUTO char *file = mem_format("local null = vmrun.null return %s", text);
		struct node *spec = node_of(text);

		load_lua(s, file);
		for (int i = -1; i < AGAIN_TARGETS; i++) {
			struct node *result = boot(s, i);

			check_places(s, root, node_get(result, "spec"), spec);
			node_free(result);
		}
		node_free(spec);
	}
	node_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUPPORT_TEST(test_random_specs),
		SUPPORT_TEST(test_random_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
