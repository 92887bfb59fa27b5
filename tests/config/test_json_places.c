/* The places of values in a JSON text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/json_places.h"

static void place_is(const char *text, const char *first, int64_t second, bool there,
    size_t wanted_line, size_t wanted_column)
{
	struct json_places *places = json_places_new(text, strlen(text));
	struct node *keys = node_new(NODE_LIST);
	size_t line, column;

	if (first != NULL)
		node_append(keys, node_string(first));
	if (second > 0)
		node_append(keys, node_int(second));
	assert_int_equal(json_place(places, keys, &line, &column), there);
	assert_int_equal(line, wanted_line);
	assert_int_equal(column, wanted_column);
	node_free(keys);
	json_places_free(places);
}

static void test_place(void **state)
{
	static const char text[] = "{ \"x\": [ {\"a\":1} ],\n  \"a\": [ 1,\n   2 ] }";

	(void)state;
	place_is(text, NULL, 0, false, 1, 1);
	place_is(text, "a", 0, true, 2, 3);
	place_is(text, "a", 1, true, 2, 10);
	place_is(text, "a", 2, true, 3, 4);
	place_is(text, "a", 3, true, 2, 3);
	place_is(text, "x", 1, true, 1, 10);
	place_is(text, "y", 1, false, 1, 1);
	place_is("[1]", NULL, 1, true, 1, 2);
	place_is("x", "a", 1, false, 1, 1);
	place_is("{\"a\":1,\n \"a\":2}", "a", 0, true, 1, 2); /* the first of two */
	place_is("{\"1\":2}", NULL, 1, false, 1, 1);
	place_is("[ {\"a\":1}, [], ?", NULL, 2, true, 1, 12); /* up to the error */
	place_is("[ {\"a\":1}, [], ?", NULL, 3, false, 1, 1);
}

/* More values than the table has room for at first, each on a line of its own. */
static void test_many(void **state)
{
	STR_AUTO struct str text = { 0 };
	struct json_places *places;
	size_t line, column;

	(void)state;
	str_add(&text, "{\"a\":[");
	for (int i = 0; i < 10000; i++)
		str_addf(&text, "%s\n  %d", i == 0 ? "" : ",", i);
	str_add(&text, "]}");
	places = json_places_new(text.text, text.length);
	for (int i = 1; i <= 10000; i++) {
		NODE_AUTO struct node *keys = node_new(NODE_LIST);

		node_append(keys, node_string("a"));
		node_append(keys, node_int(i));
		assert_true(json_place(places, keys, &line, &column));
		assert_int_equal(line, i + 1);
		assert_int_equal(column, 3);
	}
	json_places_free(places);
	json_places_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
