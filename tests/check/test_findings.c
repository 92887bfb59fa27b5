/* Facts about the host, and findings: their order, and which fix may be run. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "check/facts.h"
#include "check/findings.h"

static void a_fact_is_asked_once(void **state)
{
	const char *const one[] = { "a", "b", NULL }, *const two[] = { "a", NULL };
	struct facts facts = { 0 };

	(void)state;
	assert_null(facts_wanted(&facts));
	assert_null(facts_ask(&facts, one));
	assert_null(facts_ask(&facts, two));
	assert_null(facts_ask(&facts, one));
	assert_int_equal(facts.count, 2);
	assert_int_equal(facts_wanted(&facts)->count, 2);
	facts_store(&facts, 3, false, "text");
	assert_string_equal(facts_ask(&facts, one)->text, "text");
	assert_int_equal(facts_ask(&facts, one)->status, 3);
	assert_string_equal(facts_wanted(&facts)->item[0], "a");
	facts_store(&facts, -1, true, NULL);
	assert_true(facts_ask(&facts, two)->missing);
	assert_string_equal(facts_ask(&facts, two)->text, "");
	assert_null(facts_wanted(&facts));
	facts_store(&facts, 0, false, "nobody asked");
	facts_clear(&facts);
	assert_int_equal(facts.count, 0);
}

static struct finding *add(struct findings *all, const char *fix)
{
	struct finding *f = findings_add(all, FINDING_PROBLEM, NULL, NULL, fix, "x");

	if (*fix != '\0')
		words_add(&f->fix, fix);
	return f;
}

/* Fixes lead to a start only together: one problem that stays makes all of them useless. */
static void mendable_as_a_whole(void **state)
{
	struct device willing = { .fix = true };
	struct findings all = { 0 };
	struct words tried = { 0 };

	(void)state;
	assert_true(findings_mendable(&all, false, false, NULL, false));
	(void)findings_add(&all, FINDING_MADE, NULL, NULL, "made", "x");
	(void)findings_add(&all, FINDING_UNCHECKED, NULL, NULL, "unchecked", "x");
	add(&all, "one")->dev = &willing;
	assert_true(findings_mendable(&all, false, false, &tried, false));
	(void)add(&all, "two");
	assert_false(findings_mendable(&all, false, false, &tried, false));
	assert_true(findings_mendable(&all, true, false, &tried, false));
	words_add(&tried, "two");
	assert_true(findings_mendable(&all, true, false, NULL, false));
	assert_false(findings_mendable(&all, true, false, &tried, false));
	words_free(&tried);
	(void)add(&all, "");
	assert_false(findings_mendable(&all, true, true, &tried, false));
	findings_clear(&all);
}

/* The VM that --force destroys may hold what is busy; both may need a moment to go. */
static void mendable_by_force(void **state)
{
	struct findings all = { 0 };
	struct words tried = { 0 };

	(void)state;
	add(&all, "")->busy = true;
	assert_false(findings_mendable(&all, true, true, &tried, false));
	assert_true(findings_mendable(&all, true, true, &tried, true));
	add(&all, "destroy")->forced = true;
	assert_false(findings_mendable(&all, true, false, &tried, false));
	assert_true(findings_mendable(&all, true, true, &tried, false));
	words_add(&tried, "destroy");
	assert_false(findings_mendable(&all, true, true, &tried, false));
	assert_true(findings_mendable(&all, true, true, &tried, true));
	(void)add(&all, "");
	assert_false(findings_mendable(&all, true, true, &tried, true));
	words_free(&tried);
	findings_clear(&all);
}

static void grouped_by_device(void **state)
{
	struct device first = { .index = 0 }, second = { .index = 1 };
	static const char *const wanted[] = { "vm 1", "vm 2", "first 1", "first 2", "second 1" };
	struct findings a = { 0 }, b = { 0 };

	(void)state;
	(void)findings_add(&a, FINDING_PROBLEM, &second, NULL, "second 1", "x");
	(void)findings_add(&a, FINDING_PROBLEM, &first, NULL, "first 1", "x");
	(void)findings_add(&b, FINDING_PROBLEM, NULL, NULL, "vm 1", "x");
	(void)findings_add(&b, FINDING_UNCHECKED, NULL, NULL, "vm 2", "x");
	(void)findings_add(&b, FINDING_PROBLEM, &first, NULL, "first 2", "x");
	struct findings all = { 0 };

	findings_move(&all, &a);
	findings_move(&all, &b);
	assert_int_equal(a.count + b.count, 0);
	assert_int_equal(all.count, 5);
	assert_int_equal(findings_problems(&all), 4);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(all.item[i].what, wanted[i]);
	findings_clear(&all);
}

static void which_fix_may_run(void **state)
{
	struct device wishes = { .fix = true }, does_not = { 0 };
	struct findings all = { 0 };

	(void)state;
	(void)findings_add(&all, FINDING_PROBLEM, NULL, NULL, "none", "nothing mends it");
	words_add(&findings_add(&all, FINDING_PROBLEM, &does_not, NULL, "plain", "x")->fix, "a");
	assert_false(finding_may_fix(&all.item[0], true, true));
	assert_false(finding_may_fix(&all.item[1], false, false));
	assert_true(finding_may_fix(&all.item[1], true, false));
	assert_true(finding_may_fix(&all.item[1], false, true));
	words_add(&findings_add(&all, FINDING_PROBLEM, &wishes, NULL, "wished", "x")->fix, "b");
	assert_true(finding_may_fix(&all.item[2], false, false));
	all.item[2].advice = true;
	assert_false(finding_may_fix(&all.item[2], true, true));
	all.item[2].advice = false;
	all.item[2].forced = true;
	assert_false(finding_may_fix(&all.item[2], true, false));
	assert_true(finding_may_fix(&all.item[2], false, true));
	all.item[2].kind = FINDING_UNCHECKED;
	assert_false(finding_may_fix(&all.item[2], true, true));
	findings_clear(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fact_is_asked_once),
		cmocka_unit_test(grouped_by_device),
		cmocka_unit_test(mendable_as_a_whole),
		cmocka_unit_test(mendable_by_force),
		cmocka_unit_test(which_fix_may_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
