/* A target that is booted again: when the boot that has ended is the next one, and when not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "plan/boot.h"

struct fixture {
	struct boot_source source;
	struct report report;
	struct boot boot;
};

static void no_log(void *context, const char *level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

static struct fixture *open_source(const struct document_source *from, const char *target)
{
	struct script_options limits = { .budget_ms = 5000,
		.memory_bytes = (size_t)64 << 20,
		.log = no_log,
		.hypervisor = "bhyve" };
	struct boot_facts facts = { 0 };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->source.hyper = &hyper_bhyve;
	f->source.dry = true;
	f->source.doc = document_load(from, &limits, spec_merge_rules(), &f->report);
	assert_non_null(f->source.doc);
	assert_int_equal(boot_source_check(&f->source, &f->report), 0);
	assert_int_equal(boot_prepare(&f->source, target, &facts, &f->boot, &f->report), 0);
	return f;
}

static struct fixture *open_text(const char *text)
{
	const struct document_source from = {
		.text = text, .length = strlen(text), .name = "test", .directory = "/vm"
	};

	return open_source(&from, "default");
}

static void close_fixture(struct fixture *f)
{
	boot_clear(&f->boot);
	boot_source_clear(&f->source);
	report_free(&f->report);
	free(f);
}

/* Keeps the boot, and returns whether it can be booted again. */
static bool is_again(struct fixture *f, bool is_first)
{
	boot_keep(&f->source, &f->boot, is_first);
	return boot_again(&f->source, &f->boot);
}

#define KEYS "name = 't', cpu = 1, mem = '64M', bootrom = '/rom'"
#define HEAD "return { " KEYS ", "

static void test_again(void **state)
{
	struct fixture *f = open_text(HEAD "on_exit = function() end, on_start = function() end }");

	(void)state;
	assert_false(boot_again(&f->source, &f->boot)); /* it was not kept */
	assert_true(is_again(f, true));
	assert_true(boot_again(&f->source, &f->boot));
	close_fixture(f);
	f = open_text("{ \"name\": \"t\", \"cpu\": 1, \"mem\": \"64M\", \"bootrom\": \"/rom\" }");
	assert_true(is_again(f, true));
	close_fixture(f);
}

/* on_prepare may change each boot. */
static void test_on_prepare(void **state)
{
	struct fixture *f = open_text(HEAD "on_prepare = function() end }");

	(void)state;
	assert_false(is_again(f, false));
	close_fixture(f);
	f = open_text(HEAD "targets = { other = { on_prepare = function() end } } }");
	assert_true(is_again(f, false));
	close_fixture(f);
}

/* The first boot waits for a viewer of its screen, others do not. */
static void test_first(void **state)
{
	struct fixture *f =
	    open_text(HEAD "emulations = { { device = 'fbuf', wait = true, id = 'screen' } } }");

	(void)state;
	assert_false(is_again(f, true));
	assert_true(is_again(f, false));
	close_fixture(f);
}

static void test_sandbox(void **state)
{
	static const char text[] = "return { name = 't', cpu = 1, mem = '64M' }";
	const struct document_source from = { .text = text,
		.length = sizeof(text) - 1,
		.name = "test",
		.directory = "/",
		.sandboxed = true };
	struct fixture *f = open_source(&from, "default");

	(void)state;
	assert_false(is_again(f, false));
	close_fixture(f);
}

/* What changes a table of the Lua spec from one of its functions, and what changes no table. */
static void test_changed_tables(void **state)
{
	static const struct {
		const char *change;
		bool is_again;
	} cases[] = {
		{ "", true },
		{ "vm.cpu = 1.0", true },
		{ "vm.cpu = 2", false },
		{ "vm.wire_guest_mem = true", false },
		{ "vm.next_target = nil", false },
		{ "vm.emulations[1].path = '/other'", false },
		{ "vm.emulations[2] = { device = 'virtio-rnd' }", false },
		{ "vm.emulations[1] = nil", false },
		{ "vm.targets.other.cpu = 3", false },
		{ "vm.on_start = function() end", false },
		{ "vm.emulations = { { device = 'virtio-blk', path = '/disk' } }", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		MEM_AUTO char *text =
		    mem_format("local vm = { " KEYS ", next_target = 'default', "
			       "emulations = { { device = 'virtio-blk', path = '/disk' } }, "
			       "targets = { other = { cpu = 2 } } } "
			       "function vm.on_exit() %s end return vm",
			cases[i].change);
		struct fixture *f = open_text(text);
		NODE_AUTO struct node *labels = NULL, *answer = NULL;
		WORDS_AUTO struct words no_files = { 0 };

		boot_keep(&f->source, &f->boot, true);
		assert_true(boot_again(&f->source, &f->boot));
		assert_int_equal(
		    document_hooks(f->source.doc, "on_exit", &no_files, &labels, NULL), 0);
		assert_int_equal(document_call_hook(f->source.doc, "on_exit", 1,
				     node_new(NODE_OBJECT), &answer, NULL),
		    0);
		if (boot_again(&f->source, &f->boot) != cases[i].is_again)
			fail_msg("%s", cases[i].change);
		close_fixture(f);
	}
}

/* Firmware that was installed, or removed, makes another plan; a file with a password may. */
static void test_host(void **state)
{
	char place[] = "/tmp/vmrun-again.XXXXXX";
	int fd = mkstemp(place);
	const char *const paths[] = { place, "/none", NULL };
	struct fixture *f = open_text(HEAD "}");
	struct plan *plan = &f->boot.plan;

	(void)state;
	assert_int_not_equal(fd, -1);
	(void)close(fd);
	assert_string_equal(plan_firmware(plan, paths), place);
	assert_true(is_again(f, false));
	assert_int_equal(unlink(place), 0);
	assert_true(boot_again(&f->source, &f->boot)); /* still the first of the list */
	plan->firmware[0].taken = paths[1];
	assert_false(boot_again(&f->source, &f->boot));
	assert_string_equal(plan_firmware(plan, paths), "/none"); /* as it was taken */
	plan->firmware_count = 0;
	assert_true(boot_again(&f->source, &f->boot));
	plan->reads_host = true;
	assert_false(boot_again(&f->source, &f->boot));
	assert_false(is_again(f, false));
	close_fixture(f);
	f = open_text(HEAD "emulations = { { device = 'fbuf', password_file = '/password' } } }");
	assert_true(is_again(f, false)); /* each boot reads the file before the start */
	close_fixture(f);
}

/* A run looks for free names and ports again. */
static void test_found(void **state)
{
	struct fixture *f = open_text(
	    HEAD "com1 = 'nmdm', emulations = { { device = 'virtio-net', bridge = 'b' } } }");

	(void)state;
	f->boot.spec->com_found[0] = mem_copy("/dev/nmdm0A");
	f->boot.spec->devices[0]->found = mem_copy("tap0");
	assert_false(spec_is_open(f->boot.spec));
	assert_true(is_again(f, false));
	assert_true(spec_is_open(f->boot.spec));
	assert_null(f->boot.spec->com_found[0]);
	assert_null(f->boot.spec->devices[0]->found);
	close_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_on_prepare),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_changed_tables),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
