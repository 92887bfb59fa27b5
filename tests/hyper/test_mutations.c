/*
 * Random valid specs with one or two changes: bhyve of that release must accept what vmrun still
 * accepts, so that vmrun refuses each change that bhyve would refuse.
 */
#include "random_spec.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"
#include "mutate.h"
#include "property.h"

#define ROUNDS 5000
#define MUTANTS 10 /* per spec */

static struct property_run run;

static bool check_boot(const char *json, const char *target, bool verbatim)
{
	static struct property_boot boot;
	bool good = property_open(&boot, json, target);

	if (good)
		property_check(&boot, verbatim);
	else if (getenv("REFUSALS") != NULL)
		property_print_problems(&boot);
	property_close(&boot);
	return good;
}

static bool check_mutant(const struct random_spec *spec)
{
	struct node *document = json_node(spec->json.text);
	MEM_AUTO char *json = NULL;
	bool good;

	assert_non_null(document);
	for (unsigned i = random_below(8) == 0 ? 3 : 1; i > 0; i--)
		(void)mutate(document);
	json = mutate_print(document);
	node_free(document);
	good = check_boot(json, "default", spec->verbatim);
	/*
	 * The change may have taken "t" away: then the spec is good, and this target is not there.
	 */
	if (good)
		(void)check_boot(json, "t", spec->verbatim);
	return good;
}

static void test_mutations(void **state)
{
	static struct random_spec spec;
	size_t accepted = 0;

	(void)state;
	random_seed(run.seed);
	for (size_t i = 0; i < run.rounds; i++) {
		if (i % MUTANTS == 0) {
			random_spec_free(&spec);
			random_spec_make(&spec);
		}
		accepted += check_mutant(&spec) ? 1 : 0;
	}
	random_spec_free(&spec);
	print_message("seed %u: %zu mutants, %zu accepted\n", run.seed, run.rounds, accepted);
	/* Many must be accepted, and many refused. */
	assert_true(accepted * 10 > run.rounds);
	assert_true(accepted * 10 < run.rounds * 9);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutations),
	};

	run = property_run(argc, argv, ROUNDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
