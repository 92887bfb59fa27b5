/*
 * Boots from a document: targets are independent, base devices keep their places, and all faults
 * are reported together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "plan/boot.h"

struct fixture {
	struct boot_source source;
	struct report report;
};

static void no_log(void *context, const char *level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

static struct fixture *open_text(const char *text)
{
	struct document_source from = {
		.text = text, .length = strlen(text), .name = "test", .directory = "/vm"
	};
	struct script_options limits = { .budget_ms = 5000,
		.memory_bytes = (size_t)64 << 20,
		.log = no_log,
		.hypervisor = "bhyve" };
	struct fixture *f = calloc(1, sizeof(*f));

	f->source.hyper = &hyper_bhyve;
	f->source.dry = true;
	f->source.doc = document_load(&from, &limits, spec_merge_rules(), &f->report);
	assert_non_null(f->source.doc);
	(void)boot_source_check(&f->source, &f->report);
	return f;
}

static void close_fixture(struct fixture *f)
{
	boot_source_clear(&f->source);
	report_free(&f->report);
	free(f);
}

/* Checks the slot of a device in a boot of the target, as "0:3:0"; "": it does not exist. */
static void assert_slot(struct fixture *f, const char *target, const char *id, const char *slot)
{
	struct boot_facts facts = { 0 };
	struct boot boot;
	char text[SLOT_TEXT] = "";

	assert_int_equal(boot_prepare(&f->source, target, &facts, &boot, &f->report), 0);
	for (size_t i = 0; i < boot.spec->device_count; i++) {
		if (strcmp(boot.spec->devices[i]->id, id) == 0 && !boot.spec->devices[i]->removed)
			(void)slot_text(&boot.spec->devices[i]->slot, text);
	}
	assert_string_equal(text, slot);
	boot_clear(&boot);
}

#define DISK(id) "{ device = 'virtio-blk', path = '" id "', id = '" id "' }"
#define HEAD "return { name = 't', cpu = 1, mem = '64M', "

static void base_devices_stay(void **state)
{
	struct fixture *f = open_text(HEAD "emulations = { " DISK("a") ", " DISK("b") ", " DISK(
	    "c") " }, targets = {"
		 " more = { emulations = { " DISK(
		     "d") " } },"
			  " less = { emulations = { { id = 'b', remove = true }, " DISK(
			      "d") " } },"
				   " moved = { emulations = { { id = 'a', slot = 9 } } },"
				   " pinned = { emulations = { { device = 'virtio-blk', path = "
				   "'p', id = 'p', slot = 2 } } },"
				   "} }");
	static const char *const targets[] = { "default", "more", "less", "pinned" };

	(void)state;
	assert_int_equal(f->report.count, 0);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		assert_slot(f, targets[i], "a", "0:1:0");
		/* One target uses slot 2, so it stays empty in the others. */
		assert_slot(f, targets[i], "c", "0:4:0");
	}
	assert_slot(f, "moved", "a", "0:9:0");
	assert_slot(f, "moved", "b", "0:3:0");
	assert_slot(f, "moved", "c", "0:4:0");
	assert_slot(f, "less", "b", "");
	assert_slot(f, "less", "d", "0:5:0");
	assert_slot(f, "pinned", "p", "0:2:0");
	close_fixture(f);
}

static void every_boot_starts_from_the_base(void **state)
{
	struct fixture *f = open_text(
	    HEAD "next_target = 'a', targets = { a = { next_target = 'b', emulations = { " DISK(
		"x") " } },"
		     " b = { next_target = 'a', emulations = { " DISK("y") " } } } }");
	struct boot_facts facts = { 0 };

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct boot boot;

		assert_int_equal(
		    boot_prepare(&f->source, i % 2 == 0 ? "a" : "b", &facts, &boot, &f->report), 0);
		assert_int_equal(boot.spec->device_count, 1);
		assert_string_equal(boot.spec->devices[0]->id, i % 2 == 0 ? "x" : "y");
		boot_clear(&boot);
	}
	close_fixture(f);
}

static bool reported(const struct fixture *f, const char *path, const char *part)
{
	for (size_t i = 0; i < f->report.count; i++) {
		const struct problem *p = &f->report.item[i];

		if (p->path != NULL && strcmp(p->path, path) == 0 && strstr(p->text, part) != NULL)
			return true;
	}
	return false;
}

/* Faults of values, names, slots and hooks, of several targets, in one report. */
static void all_faults_at_once(void **state)
{
	struct fixture *f = open_text(
	    HEAD "com1 = 'tcp=1.2.3.4:5', memm = 1, emulations = {"
		 " { device = 'virtio-blk', path = 'a', slot = 3 },"
		 " { device = 'virtio-net', name = 'tap0', slot = '3:0' } },"
		 "targets = { one = { next_target = 'two' }, three = { hooks = { 'missing.lua' } },"
		 " four = { cpu = 0, emulations = { { device = 'ahci-cd' } } } } }");

	(void)state;
	assert_true(reported(f, "memm", "did you mean \"mem\"?"));
	assert_true(reported(f, "emulations[1].slot", "both at slot 0:3:0"));
	assert_true(reported(f, "targets.one.next_target", "unknown target \"two\""));
	assert_true(reported(f, "targets.three.hooks[0]", "No such file"));
	assert_true(reported(f, "targets.four.cpu", "out of range"));
	assert_true(reported(f, "targets.four.emulations[0]", "\"path\" is missing"));
	assert_int_equal(f->report.count, 6);
	assert_int_equal(f->report.status, STATUS_SPEC);
	close_fixture(f);
}

static void on_prepare_changes_one_boot(void **state)
{
	struct fixture *f = open_text("local n = 0 " HEAD "emulations = { " DISK(
	    "a") " },"
		 "on_prepare = function(spec, boot) n = n + 1; if n == 2 then return end;"
		 " assert(spec.emulations[1].slot == '0:1:0'); assert(boot.target == 'default');"
		 " table.insert(spec.emulations, 1, " DISK("new") "); return spec end }");

	(void)state;
	assert_int_equal(f->report.count, 0);
	assert_slot(f, "default", "new", "0:2:0");
	assert_slot(f, "default", "new", "");
	assert_slot(f, "default", "a", "0:1:0");
	close_fixture(f);
}

static void on_prepare_is_checked_and_may_refuse(void **state)
{
	struct fixture *f = open_text(
	    HEAD "targets = { bad = { on_prepare = function(s) s.mem = '1.5G' return s end },"
		 " no = { on_prepare = function() error('not today') end } } }");
	struct boot_facts facts = { 0 };
	struct boot boot;

	(void)state;
	assert_int_equal(boot_prepare(&f->source, "bad", &facts, &boot, &f->report), -1);
	assert_int_equal(f->report.status, STATUS_SPEC);
	assert_string_equal(f->report.item[0].place, "on_prepare");
	assert_string_equal(f->report.item[0].path, "mem");
	report_free(&f->report);
	assert_int_equal(boot_prepare(&f->source, "no", &facts, &boot, &f->report), -1);
	assert_int_equal(f->report.status, STATUS_CHECK);
	assert_non_null(strstr(f->report.item[0].text, "not today"));
	close_fixture(f);
}

/*
 * A key of the base that does not fit what a target changes: the target is named, unless the base
 * alone, or the problem's path, tells the place.
 */
static void test_target_is_named(void **state)
{
	struct fixture *f =
	    open_text("return { name = 'a', cpu = 1, mem = '64M', bootrom = '/rom', "
		      "com1 = 'console', ready = { console = 'x', within = 9 }, "
		      "on = { error = { boot = 'none' } }, targets = { "
		      "a = { com1 = '/dev/nmdm0A' }, z = { time_limit = 5 }, p = { mem = 3 } } }");
	char *text = report_text(&f->report);

	(void)state;
	assert_non_null(strstr(text, "ready.console: in target a: needs a serial port"));
	assert_non_null(strstr(text, "ready.within: in target z: 9 seconds are not below"));
	assert_non_null(strstr(text, "on.error.boot: unknown target"));
	assert_non_null(strstr(text, "targets.p.mem: 3 bytes"));
	assert_int_equal(f->report.count, 4);
	free(text);
	close_fixture(f);
}

/*
 * A value of one target that does not fit another one is wrong in the target that extends both, and
 * in no other; what is wrong in the target of the value is told once.
 */
static void test_extending_target_is_named(void **state)
{
	struct fixture *f = open_text(
	    "return { name = 'a', cpu = 1, mem = '64M', bootrom = '/rom', targets = { "
	    "b = { com1 = 'stdio' }, d = { com2 = 'stdio' }, c = { extends = { 'b', 'd' } }, "
	    "['d.e'] = { com3 = 'x' }, f = { extends = 'd.e' }, "
	    "p = { emulations = { { device = 'virtio-rnd', slot = '4:0', id = 'x' }, "
	    "{ device = 'virtio-rnd', slot = '4:1', id = 'y' } } }, "
	    "q = { extends = 'p', emulations = { { id = 'x', remove = true } } } } }");
	char *text = report_text(&f->report);

	(void)state;
	assert_non_null(
	    strstr(text, "targets.d.com2: in target c: \"stdio\" is taken by com1 already"));
	assert_non_null(strstr(text, "targets.d.e.com3: "));
	assert_null(strstr(text, "in target f"));
	assert_non_null(
	    strstr(text, "targets.p.emulations[1].slot: in target q: virtio-rnd \"y\" is at"));
	assert_int_equal(f->report.count, 3);
	free(text);
	close_fixture(f);
}

/* The same for what is found once the spec is read: slots, the command, a key that is gone. */
static void test_target_is_named_later(void **state)
{
	struct fixture *f = open_text(
	    "return { name = 'a', cpu = 1, mem = '64M', bootrom = '/rom', emulations = { "
	    "{ device = 'virtio-rnd', slot = '3:0', id = 'x' }, "
	    "{ device = 'virtio-rnd', slot = '4:0', id = 'y' }, "
	    "{ device = 'virtio-rnd', slot = '5:1' } }, targets = { "
	    "a = { emulations = { { id = 'x', slot = 4 } } }, m = { mem = vmrun.null } } }");
	char *text = report_text(&f->report);

	(void)state;
	assert_non_null(
	    strstr(text, "emulations[1].slot: in target a: virtio-rnd \"x\" and virtio-rnd \"y\""));
	assert_non_null(strstr(text, ": in target m: \"mem\" is missing"));
	assert_non_null(strstr(text, "emulations[2].slot: virtio-rnd"));
	assert_null(strstr(text, "emulations[2].slot: in target"));
	assert_int_equal(f->report.count, 3);
	free(text);
	close_fixture(f);
}

/* An entry that changes no device, or removes one and more, hides no other problem of its target.
 */
static void test_entries_hide_nothing(void **state)
{
	struct fixture *f = open_text(
	    "return { name = 'a', cpu = 1, mem = '64M', bootrom = '/rom', emulations = { "
	    "{ device = 'virtio-rnd', id = 'x' } }, targets = { a = { memm = 3, emulations = { "
	    "{ id = 'y' }, { id = 'x', remove = true, slot = 3 }, "
	    "{ device = 'virtio-rnd', bar = 1 } } } } }");
	char *text = report_text(&f->report);

	(void)state;
	assert_non_null(strstr(text, "targets.a.memm: unknown key"));
	assert_non_null(strstr(text, "targets.a.emulations[0].id: \"device\" is missing"));
	assert_non_null(strstr(text, "targets.a.emulations[1].slot: key \"slot\" beside"));
	assert_non_null(strstr(text, "targets.a.emulations[2].bar: unknown key"));
	assert_int_equal(f->report.count, 4);
	free(text);
	close_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target_is_named),
		cmocka_unit_test(test_extending_target_is_named),
		cmocka_unit_test(test_target_is_named_later),
		cmocka_unit_test(test_entries_hide_nothing),
		cmocka_unit_test(base_devices_stay),
		cmocka_unit_test(every_boot_starts_from_the_base),
		cmocka_unit_test(all_faults_at_once),
		cmocka_unit_test(on_prepare_changes_one_boot),
		cmocka_unit_test(on_prepare_is_checked_and_may_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
