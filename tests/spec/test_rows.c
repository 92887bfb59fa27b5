/* Every key of the spec itself. */
#include "../device/rows.h"

#include <string.h>

#include "support.h"

#include "base/mem.h"

static void test_rows(void **state)
{
	(void)state;
	assert_true(sizeof(struct spec) <= ROWS_SIZE);
	rows_check(spec_fields, NULL);
}

/* Checks that the merge rules have exactly the objects of the rows, nested. */
static void check_rules(const struct field *rows, const struct node *rules)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct node *rule = node_get(rules, f->key);

		if (f->type == FIELD_OBJECT) {
			assert_non_null(rule);
			check_rules(f->rows, rule);
		} else if (f->type == FIELD_CUSTOM && f->custom->rows != NULL) {
			assert_non_null(rule);
			check_rules(f->custom->rows, rule);
		} else {
			assert_true((rule != NULL) == (f->type == FIELD_MAP));
		}
	}
	for (const struct node *n = rules->first; n != NULL; n = n->next)
		assert_int_equal(n->kind, NODE_OBJECT);
}

static void test_merge_rules(void **state)
{
	struct node *rules = spec_merge_rules();

	(void)state;
	check_rules(spec_fields, rules);
	node_free(rules);
}

static void test_required(void **state)
{
	struct report report = { 0 };
	struct spec *spec = spec_from(doc_of("{}"), &report);
	MEM_AUTO char *got = problems_of(&report);

	(void)state;
	spec_free(spec);
	assert_string_equal(got,
	    ": \"name\" is missing: name of the VM\n"
	    ": \"cpu\" is missing: number of processors, or { threads, cores, "
	    "sockets }\n"
	    ": \"mem\" is missing: memory, \"512M\" or bytes\n");
}

static void test_not_an_object(void **state)
{
	static const char *const texts[] = { "[]", "1", "null", "'x'" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct report report = { 0 };
		struct spec *spec = spec_from(doc_of(texts[i]), &report);
		MEM_AUTO char *got = problems_of(&report);

		spec_free(spec);
		has_line(got, ": expected an object: { \"name\": ... }, got ", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_merge_rules),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_not_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
