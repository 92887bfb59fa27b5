/* Nodes from short JSON texts. */
#include "../device/support.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"

static void test_values(void **state)
{
	struct node *n = doc_of("{'b':[1,-2.5,true,null,'x\\u0041'],'a':{},'c':[]}");
	const struct node *list = node_get(n, "b"), *item = list->first;

	(void)state;
	assert_string_equal(n->first->key, "a");
	assert_int_equal(n->first->kind, NODE_OBJECT);
	assert_int_equal(n->last->kind, NODE_LIST);
	assert_int_equal(list->count, 5);
	assert_int_equal(item->integer, 1);
	item = item->next;
	assert_true(item->kind == NODE_NUMBER && item->number == -2.5);
	item = item->next;
	assert_true(item->kind == NODE_BOOL && item->truth);
	item = item->next;
	assert_int_equal(item->kind, NODE_NULL);
	assert_string_equal(item->next->text, "xA");
	node_free(n);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		enum node_kind kind;
	} rows[] = {
		{ "9223372036854775807", NODE_INT },
		{ "-9223372036854775808", NODE_INT },
		{ "9223372036854775808", NODE_NUMBER },
		{ "-9223372036854775809", NODE_NUMBER },
		{ "1e2", NODE_NUMBER },
		{ "1E2", NODE_NUMBER },
		{ "1.0", NODE_NUMBER },
		{ "-0", NODE_INT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = json_node(rows[i].text);

		assert_non_null(n);
		assert_int_equal(n->kind, rows[i].kind);
		if (n->text != NULL)
			assert_string_equal(n->text, rows[i].text);
		node_free(n);
	}
}

static void test_minus(void **state)
{
	NODE_AUTO struct node *below = json_node("-1"), *zero = json_node("-0"), *copy = NULL;
	NODE_AUTO struct node *of_lua = node_int(-1);

	(void)state;
	copy = node_copy(below);
	assert_true(below->has_minus && copy->has_minus);
	assert_false(zero->has_minus || of_lua->has_minus);
}

static void test_not_json(void **state)
{
	static const char *const texts[] = { "", " ", "x", "512M", "1 2", "[1", "{\"a\":1", "[1,]",
		"{\"a\"}", "[[[1]", "'x'", "010", "{\"a\":{\"b\":[1,2,{\"c\":x}]}}",
		"{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":[{\"c\":1,\"\\u0063\":2}]}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(json_node(texts[i]));
}

static void test_depth(void **state)
{
	char text[200] = { 0 };
	struct node *n;

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	n = json_node(text);
	assert_non_null(n);
	node_free(n);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_null(json_node(text));
}

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): names of the linker
struct lconv *__wrap_localeconv(void);
double __real_strtod(const char *text, char **end);
double __wrap_strtod(const char *text, char **end);

static char point[] = ".";

struct lconv *__wrap_localeconv(void)
{
	static struct lconv conventions = { .decimal_point = point };

	return &conventions;
}

/* Stops at a "." where the locale has another character, as the C library does. */
double __wrap_strtod(const char *text, char **end)
{
	MEM_AUTO char *copy = mem_copy(text);
	char *comma;

	if (*point == '.')
		return __real_strtod(text, end);
	assert_null(end);
	copy[strcspn(copy, ".")] = '\0';
	comma = strchr(copy, *point);
	if (comma != NULL)
		*comma = '.';
	return __real_strtod(copy, NULL);
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

/* A program around the library may have chosen a locale in which 1.5 is written 1,5. */
static void test_locale(void **state)
{
	(void)state;
	*point = ',';
	NODE_AUTO struct node *list = json_node("[1.5,-2.25e1,7,18446744073709551616]");

	assert_null(json_node("[17.5e308]")); /* too large */
	*point = '.';
	assert_non_null(list);
	assert_true(list->first->number == 1.5);
	assert_true(list->first->next->number == -22.5);
	assert_int_equal(list->first->next->next->integer, 7);
	assert_true(list->last->number == 18446744073709551616.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_minus),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
