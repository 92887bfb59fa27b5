/* Documents as C values, and positions in them. */
#include "dice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/node.h"
#include "base/node_json.h"
#include "base/where.h"

static void test_put_sorts(void **state)
{
	static const char *const keys[] = { "m", "a", "z", "b", "y", "m", "" };
	struct node *object = node_new(NODE_OBJECT);

	(void)state;
	for (int i = 0; i < 7; i++)
		node_put(object, keys[i], node_int(i));
	assert_int_equal(object->count, 6);
	for (const struct node *n = object->first; n->next != NULL; n = n->next)
		assert_true(strcmp(n->key, n->next->key) < 0);
	assert_string_equal(object->last->key, "z");
	assert_int_equal(node_get(object, "m")->integer, 5);
	assert_int_equal(node_get(object, "")->integer, 6);
	assert_null(node_get(object, "c"));
	node_free(object);
}

/* The key may be that of the child itself, or of the value that the child replaces. */
static void test_put_with_a_key_of_the_tree(void **state)
{
	struct node *object = node_new(NODE_OBJECT), *n;

	(void)state;
	node_put(object, "a", node_int(1));
	node_put(object, object->first->key, node_int(2));
	assert_int_equal(node_get(object, "a")->integer, 2);
	n = node_take(object, "a");
	node_put(object, n->key, n);
	assert_int_equal(node_get(object, "a")->integer, 2);
	assert_int_equal(object->count, 1);
	node_free(object);
}

static void test_get(void **state)
{
	struct node *list = node_new(NODE_LIST), *object = node_new(NODE_OBJECT);

	(void)state;
	assert_null(node_get(NULL, "a"));
	assert_null(node_get(list, "a"));
	assert_null(node_take(NULL, "a"));
	assert_null(node_take(list, "a"));
	node_put(object, "text", node_string("x"));
	node_put(object, "number", node_number(1.5));
	assert_string_equal(node_get_text(object, "text"), "x");
	assert_null(node_get_text(object, "number"));
	assert_null(node_get_text(object, "none"));
	node_free(list);
	node_free(object);
	node_free(NULL);
}

/* After any calls of put and take, the object is sorted and has the keys of an array of flags. */
static void test_put_and_take(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 100; seed++) {
		struct node *object = node_new(NODE_OBJECT);
		bool there[26] = { false };
		struct dice d;

		dice_start(&d, seed);
		for (int i = 0; i < 200; i++) {
			unsigned letter = dice_roll(&d, 26);
			char key[2] = { (char)('a' + letter), '\0' };
			bool put = dice_roll(&d, 2) == 0;
			struct node *old = put ? NULL : node_take(object, key);

			if (put)
				node_put(object, key, node_int(i));
			else
				dice_check(&d, (old != NULL) == there[letter], "take");
			node_free(old);
			there[letter] = put;
		}
		const struct node *n = object->first, *last = NULL;

		for (unsigned letter = 0; letter < 26; letter++) {
			if (!there[letter])
				continue;
			dice_check(&d, n != NULL && *n->key == (char)('a' + letter), "order");
			last = n;
			n = n->next;
		}
		dice_check(&d, n == NULL && object->last == last, "end");
		node_free(object);
	}
}

static void test_copy(void **state)
{
	struct node *object = node_new(NODE_OBJECT), *list = node_new(NODE_LIST), *copy;

	(void)state;
	assert_null(node_copy(NULL));
	node_append(list, node_string_n("a\0b", 3));
	node_append(list, node_bool(true));
	node_append(list, node_number(0.5));
	node_append(list, node_new(NODE_NULL));
	node_put(object, "list", list);
	node_put(object, "empty", node_new(NODE_EMPTY));
	copy = node_copy(list);
	assert_null(copy->key);
	node_free(copy);
	copy = node_copy(object);
	node_free(object);
	list = (struct node *)node_get(copy, "list");
	assert_int_equal(list->count, 4);
	assert_int_equal(list->first->length, 3);
	assert_memory_equal(list->first->text, "a\0b", 4);
	assert_true(list->first->next->truth);
	assert_true(list->first->next->next->number == 0.5);
	assert_int_equal(list->last->kind, NODE_NULL);
	assert_int_equal(node_get(copy, "empty")->kind, NODE_EMPTY);
	node_free(copy);
}

static void test_replace(void **state)
{
	struct node *list = json_node("[1, 2, 3]"), *object = json_node("{\"a\": 1, \"b\": 2}");
	struct node *expected = json_node("[\"x\", 2, \"y\"]");

	(void)state;
	node_replace(list, list->first, node_string("x"));
	node_replace(list, list->last, node_string("y"));
	assert_true(node_equal(list, expected));
	assert_string_equal(list->last->text, "y");
	node_append(list, node_int(4));
	assert_int_equal(list->count, 4);
	node_replace(object, object->first, node_string("x"));
	assert_string_equal(node_get_text(object, "a"), "x");
	assert_int_equal(node_get(object, "b")->integer, 2);
	node_free(list);
	node_free(object);
	node_free(expected);
}

/* A lent value is freed without what it shows, and a copy of it owns all. */
static void test_lend(void **state)
{
	struct node *value = json_node("{\"a\": [\"x\", \"y\"]}"), *holder = node_new(NODE_LIST);
	struct node *copy;

	(void)state;
	node_append(holder, node_lend(value->first, value->first->key));
	node_append(holder, node_lend(value->first->first, NULL));
	assert_string_equal(holder->first->key, "a");
	copy = node_copy(holder->first);
	assert_true(node_equal(copy->first, value->first->first));
	node_free(holder);
	assert_string_equal(node_get(value, "a")->last->text, "y");
	node_free(value);
	assert_string_equal(copy->last->text, "y");
	node_free(copy);
}

static void test_kinds(void **state)
{
	struct node other = { .kind = NODE_OTHER, .text = (char *)"a thread" };
	struct node empty = { .kind = NODE_EMPTY }, list = { .kind = NODE_LIST };
	struct node object = { .kind = NODE_OBJECT }, text = { .kind = NODE_STRING };

	(void)state;
	assert_true(node_is_list(&empty) && node_is_object(&empty));
	assert_true(node_is_list(&list) && !node_is_object(&list));
	assert_true(!node_is_list(&object) && node_is_object(&object));
	assert_false(node_is_list(&text) || node_is_object(&text));
	assert_string_equal(node_kind_name(&other), "a thread");
	for (int kind = NODE_NULL; kind < NODE_OTHER; kind++) {
		struct node n = { .kind = (enum node_kind)kind };

		assert_non_null(node_kind_name(&n));
	}
}

static void test_where(void **state)
{
	struct where targets = { NULL, "targets", 0 }, install = { &targets, "install", 0 };
	struct where list = { &install, "emulations", 0 }, third = { &list, NULL, 2 };
	struct where path = { &third, "path", 0 };
	struct where top = { NULL, NULL, 0 };
	MEM_AUTO char *text = where_path(&path);
	MEM_AUTO char *none = where_path(NULL);
	MEM_AUTO char *entry = where_path(&top);
	struct node *keys = where_keys(&path);
	MEM_AUTO char *again = where_keys_path(keys);

	(void)state;
	assert_string_equal(text, "targets.install.emulations[2].path");
	assert_string_equal(again, text);
	assert_string_equal(none, "");
	assert_string_equal(entry, "[0]");
	assert_int_equal(keys->count, 5);
	assert_int_equal(keys->first->next->next->next->integer, 3);
	node_free(keys);
}

static void assert_json(struct node *n, const char *wanted)
{
	struct str json = { 0 };

	node_add_json(&json, n);
	assert_string_equal(json.text, wanted);
	str_free(&json);
	node_free(n);
}

static void test_json(void **state)
{
	struct node *list = node_new(NODE_LIST), *object = node_new(NODE_OBJECT);

	(void)state;
	assert_json(node_int(INT64_MIN), "-9223372036854775808");
	assert_json(node_number(2), "2.0");
	assert_json(node_number(-0.0), "-0.0");
	assert_json(node_number(0.1), "0.1");
	assert_json(node_number(1.0 / 3), "0.3333333333333333");
	assert_json(node_number(1e300), "1e+300");
	assert_json(node_number(5e-324), "4.94065645841247e-324");
	assert_json(node_number(9007199254740993.0), "9007199254740992.0");
	assert_json(node_number(HUGE_VAL), "null");
	assert_json(node_new(NODE_EMPTY), "[]");
	assert_json(node_new(NODE_OBJECT), "{}");
	assert_json(node_new(NODE_FUNCTION), "null");
	node_append(list, node_bool(true));
	node_append(list, node_new(NODE_NULL));
	node_put(object, "z", list);
	node_put(object, "a\"", node_string("\x01\n\\"));
	assert_json(object, "{\"a\\\"\":\"\\u0001\\n\\\\\",\"z\":[true,null]}");
}

static void test_sort(void **state)
{
	static const char *const keys[] = { "b", "", "c", "ab", "a" };
	struct node *object = node_new(NODE_OBJECT);
	char all[32] = "";

	(void)state;
	node_sort(object);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct node *child = node_int((int64_t)i);

		node_name(child, keys[i]);
		node_append(object, child);
	}
	node_sort(object);
	assert_int_equal(object->count, 5);
	for (const struct node *n = object->first; n != NULL; n = n->next) {
		strcat(all, n->key);
		strcat(all, ",");
	}
	assert_string_equal(all, ",a,ab,b,c,");
	assert_string_equal(object->last->key, "c");
	assert_int_equal(node_get(object, "ab")->integer, 3);
	node_free(object);
}

/* Short keys are inside the node: all lengths around that bound, one after another. */
static void test_names(void **state)
{
	struct node *object = node_new(NODE_OBJECT), *child = node_new(NODE_NULL), *copy;
	char key[64];

	(void)state;
	for (size_t n = 0; n < 2 * sizeof(key); n++) {
		size_t length = n < sizeof(key) ? n : 2 * sizeof(key) - 1 - n;

		memset(key, 'k', sizeof(key));
		key[length] = 0;
		node_name(child, key);
		assert_string_equal(child->key, key);
		node_name(child, child->key + length / 2);
		assert_string_equal(child->key, key + length / 2);
		node_name(child, key);
		node_put(object, child->key, node_int((int64_t)n));
		assert_int_equal(node_get(object, key)->integer, (int64_t)n);
	}
	assert_int_equal(object->count, sizeof(key));
	copy = node_copy(object);
	assert_true(node_equal(object, copy));
	node_free(object);
	node_unname(child);
	assert_null(child->key);
	for (const struct node *n = copy->first; n->next != NULL; n = n->next)
		assert_int_equal(strlen(n->next->key), strlen(n->key) + 1);
	node_free(copy);
	node_free(child);
}

static void test_equal(void **state)
{
	static const char *const texts[] = { "null", "true", "false", "1", "2", "1.5", "\"1\"",
		"{\"a\":\"\"}", "[]", "{}", "[1]", "[1,2]", "[2,1]", "{\"a\":1}", "{\"b\":1}",
		"{\"a\":1,\"b\":1}", "{\"a\":[1,{\"b\":2}]}", "{\"a\":[1,{\"b\":3}]}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			NODE_AUTO struct node *a = json_node(texts[i]);
			NODE_AUTO struct node *b = json_node(texts[k]);

			assert_int_equal(node_equal(a, b), i == k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_put_sorts),
		cmocka_unit_test(test_put_with_a_key_of_the_tree),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_put_and_take),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_lend),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
