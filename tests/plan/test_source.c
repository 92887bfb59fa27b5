/* The check of all targets at a start, and what it leaves for the first boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "plan/boot.h"

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): names of the linker
int __real_document_merge(struct document *doc, const char *target, const struct words *settings,
    struct merged *out, struct report *report);
int __wrap_document_merge(struct document *doc, const char *target, const struct words *settings,
    struct merged *out, struct report *report);

static int merges;	  /* of targets */
static bool base_is_lost; /* for want of memory */

int __wrap_document_merge(struct document *doc, const char *target, const struct words *settings,
    struct merged *out, struct report *report)
{
	merges += target != NULL;
	if (target != NULL || !base_is_lost)
		return __real_document_merge(doc, target, settings, out, report);
	memset(out, 0, sizeof(*out));
	report_add(report, STATUS_SPEC, NULL, "no memory for the base");
	return -1;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

struct fixture {
	struct boot_source source;
	struct report report;
	int rc; /* of the check */
};

static void no_log(void *context, const char *level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

static struct fixture *open_text(const char *text, const char *first)
{
	const struct document_source from = {
		.text = text, .length = strlen(text), .name = "test", .directory = "/vm"
	};
	struct script_options limits = { .budget_ms = 5000,
		.memory_bytes = (size_t)64 << 20,
		.log = no_log,
		.hypervisor = "bhyve" };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	merges = 0;
	f->source.hyper = &hyper_bhyve;
	f->source.dry = true;
	f->source.first = first;
	f->source.doc = document_load(&from, &limits, spec_merge_rules(), &f->report);
	assert_non_null(f->source.doc);
	f->rc = boot_source_check(&f->source, &f->report);
	return f;
}

static void close_fixture(struct fixture *f)
{
	boot_source_clear(&f->source);
	report_free(&f->report);
	free(f);
}

/* Returns the command of a boot.  Caller frees. */
static char *command_of(struct fixture *f, const char *target)
{
	struct boot_facts facts = { 0 };
	struct boot boot;
	char *line;

	assert_int_equal(boot_prepare(&f->source, target, &facts, &boot, &f->report), 0);
	assert_string_equal(boot.target, target);
	line = words_shell_line(&boot.plan.argv);
	boot_clear(&boot);
	return line;
}

#define DISK(id) "{ \"device\": \"virtio-blk\", \"path\": \"" id "\", \"id\": \"" id "\" }"
#define SPEC                                                                             \
	"{ \"name\": \"t\", \"cpu\": 1, \"mem\": \"64M\", \"bootrom\": \"/rom\","        \
	" \"emulations\": [" DISK("a") ", " DISK(                                        \
	    "b") "], \"targets\": {"                                                     \
		 " \"less\": { \"emulations\": [{ \"id\": \"a\", \"remove\": true }] }," \
		 " \"more\": { \"emulations\": [" DISK(                                  \
		     "c") "], \"mem\": \"128M\" },"                                      \
			  " \"pinned\": { \"emulations\": [{ \"id\": \"b\", \"slot\": 9 }] } } }"
#define SCRIPT \
	"return { name = 't', cpu = 1, mem = '64M', bootrom = '/rom', targets = { more = {} } }"

static const char *const targets[] = { "default", "less", "more", "pinned" };
#define TARGETS (sizeof(targets) / sizeof(targets[0]))

static void test_the_first_boot_is_not_merged_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < TARGETS; i++) {
		struct fixture *f = open_text(SPEC, targets[i]), *other = open_text(SPEC, NULL);

		assert_int_equal(f->rc, 0);
		merges = 0;
		MEM_AUTO char *line = command_of(f, targets[i]);
		assert_int_equal(merges, 0);
		MEM_AUTO char *wanted = command_of(other, targets[i]);
		assert_int_equal(merges, 1);
		assert_string_equal(line, wanted);
		MEM_AUTO char *again = command_of(f, targets[i]);
		assert_int_equal(merges, 2);
		assert_string_equal(again, wanted);
		close_fixture(f);
		close_fixture(other);
	}
}

/* Places of problems and hooks are those of the target that was merged last. */
static void test_another_target_boots_first(void **state)
{
	struct fixture *f = open_text(SPEC, "less"), *other = open_text(SPEC, NULL);

	(void)state;
	for (size_t i = TARGETS; i-- > 0;) {
		MEM_AUTO char *wanted = command_of(other, targets[i]);
		merges = 0;
		MEM_AUTO char *line = command_of(f, targets[i]);

		assert_int_equal(merges, 1);
		assert_string_equal(line, wanted);
	}
	close_fixture(f);
	close_fixture(other);
}

/* Returns whether the first boot of a fixture has the plan of the check, which is marked. */
static bool has_checked_plan(struct fixture *f)
{
	MEM_AUTO char *line = command_of(f, "default");

	return strstr(line, "marked") != NULL;
}

/* The plan of the check is that of the first boot, unless the host may have changed since. */
static void test_the_plan_of_the_check(void **state)
{
	struct fixture *f = open_text(SPEC, "default");

	(void)state;
	words_add(&f->source.checked_plan.argv, "marked");
	assert_true(has_checked_plan(f));
	assert_false(has_checked_plan(f));
	close_fixture(f);
	f = open_text(SPEC, "default");
	words_add(&f->source.checked_plan.argv, "marked");
	f->source.checked_plan.reads_host = true;
	assert_false(has_checked_plan(f));
	close_fixture(f);
}

/* on_prepare makes another spec, which has another plan. */
static void test_the_plan_of_a_changed_spec(void **state)
{
	struct fixture *f = open_text(SPEC, "default");
	NODE_AUTO struct node *changed = json_node("{ \"name\": \"t\", \"cpu\": 2, \"mem\": "
						   "\"64M\", \"bootrom\": \"/rom\" }");
	struct boot_facts facts = { 0 };
	struct boot boot;

	(void)state;
	words_add(&f->source.checked_plan.argv, "marked");
	assert_int_equal(boot_draft(&f->source, "default", &facts, &boot, &f->report), 0);
	assert_int_equal(boot_change(&f->source, &boot, changed, &f->report), 0);
	assert_int_equal(boot_finish(&f->source, &boot, &f->report), 0);
	MEM_AUTO char *line = words_shell_line(&boot.plan.argv);

	assert_null(strstr(line, "marked"));
	assert_non_null(strstr(line, "cpus=2,"));
	boot_clear(&boot);
	close_fixture(f);
}

static void test_a_script_is_merged_again(void **state)
{
	struct fixture *f = open_text(SCRIPT, "more");

	(void)state;
	assert_int_equal(f->rc, 0);
	merges = 0;
	free(command_of(f, "more"));
	assert_int_equal(merges, 1);
	close_fixture(f);
}

static void test_a_base_that_is_lost(void **state)
{
	struct fixture *f;

	(void)state;
	base_is_lost = true;
	f = open_text(SPEC, "default");
	base_is_lost = false;
	assert_int_equal(f->rc, -1);
	assert_int_equal(f->report.count, 1);
	assert_string_equal(f->report.item[0].text, "no memory for the base");
	close_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_boot_is_not_merged_again),
		cmocka_unit_test(test_another_target_boots_first),
		cmocka_unit_test(test_the_plan_of_the_check),
		cmocka_unit_test(test_the_plan_of_a_changed_spec),
		cmocka_unit_test(test_a_script_is_merged_again),
		cmocka_unit_test(test_a_base_that_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
