/*
 * Thousands of random specs: bhyve of that release must accept what vmrun accepts, and read exactly
 * the values of the spec; slots are unique, and a target moves no device of the base.
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
#include "device/device.h"
#include "property.h"

#define ROUNDS 5000

static struct property_run run;

/* A spec and one of its boots. */
struct trial {
	const struct random_spec *spec;
	int which; /* RANDOM_BASE or RANDOM_TARGET */
	struct property_boot boot;
};

/* Returns whether both are NULL, or the same text. */
static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_vars(struct trial *t, const char *below, const struct pairs *vars)
{
	for (size_t i = 0; i < vars->count; i++) {
		MEM_AUTO char *key = mem_format("%s%s", below, vars->item[i].key);
		const char *wanted = vars->item[i].value;
		const char *got = fake_tree_expand(&t->boot.tree, key, NULL);

		if (strcmp(wanted, RANDOM_ANY) != 0 &&
		    !same(got, strcmp(wanted, RANDOM_UNSET) == 0 ? NULL : wanted)) {
			print_error("wanted: %s\n", wanted);
			property_give_up(&t->boot, key, got);
		}
	}
}

static size_t count_below(const char *dump, const char *prefix)
{
	size_t n = 0;

	for (const char *p = dump; p != NULL && *p != '\0'; p = strchr(p, '\n'), p += p != NULL)
		n += strncmp(p, prefix, strlen(prefix)) == 0 ? 1 : 0;
	return n;
}

/* Returns a device in the order of the boot: the base's, the target's, and those of `graphic`. */
static const struct random_device *device_at(const struct trial *t, size_t i)
{
	size_t own = t->spec->count[t->which];

	return i < own ? &t->spec->device[i] : &t->spec->graphic[i - own];
}

static void check_devices(struct trial *t, const char *dump)
{
	if (t->boot.slots != t->spec->count[t->which] + t->spec->graphics)
		property_give_up(&t->boot, "devices are missing", NULL);
	for (size_t i = 0; i < t->boot.slots; i++) {
		const struct random_device *dev = device_at(t, i);
		MEM_AUTO char *below = mem_format("pci.%s.", t->boot.slot[i]);

		if (!dev->checked)
			continue;
		check_vars(t, below, &dev->vars);
		if (count_below(dump, below) != dev->vars.count)
			property_give_up(&t->boot, "not exactly these variables below", below);
	}
}

static bool is_of_device(const struct trial *t, const char *key)
{
	for (size_t i = 0; i < t->boot.slots && strncmp(key, "pci.", 4) == 0; i++) {
		size_t n = strlen(t->boot.slot[i]);

		if (strncmp(key + 4, t->boot.slot[i], n) == 0 && key[4 + n] == '.')
			return true;
	}
	return false;
}

/* Checks that every variable is promised, or has bhyve's default. */
static void check_nothing_else(struct trial *t, char *dump)
{
	static const char *const words[] = { "bhyve", "vm" };
	struct fake_host host = { .release = t->boot.release, .arm64 = t->boot.arm64 };
	struct fake_tree defaults;
	char message[256], *rest;

	fake_tree_init(&defaults);
	assert_int_equal(
	    fake_options(&host, 2, (char **)(uintptr_t)words, &defaults, message, sizeof(message)),
	    0);
	for (char *line = strtok_r(dump, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		size_t n = strcspn(line, "=");
		MEM_AUTO char *key = mem_copy_n(line, n);

		if (pairs_get(&t->spec->vars, key) == NULL &&
		    pairs_get(&t->spec->boot_vars[t->which], key) == NULL &&
		    !same(line + n + 1, fake_tree_get(&defaults, key)) && !is_of_device(t, key))
			property_give_up(&t->boot, "nobody asked for", line);
	}
	fake_tree_fini(&defaults);
}

static void check(struct trial *t)
{
	MEM_AUTO char *dump = NULL;

	property_check(&t->boot, t->spec->verbatim);
	dump = property_dump(&t->boot.tree);
	assert_int_equal(t->boot.release, t->spec->release);
	check_vars(t, "", &t->spec->vars);
	check_vars(t, "", &t->spec->boot_vars[t->which]);
	check_devices(t, dump);
	if (!t->spec->newlines) /* else some lines are not variables */
		check_nothing_else(t, dump);
}

static void check_same_slots(struct trial *base, struct trial *target)
{
	for (size_t i = 0; i < base->boot.slots; i++) {
		size_t own = base->spec->count[RANDOM_BASE];
		size_t there = i < own ? i : i - own + base->spec->count[RANDOM_TARGET];

		if (strcmp(base->boot.slot[i], target->boot.slot[there]) != 0)
			property_give_up(&target->boot, "a target moved a device of the base from",
			    base->boot.slot[i]);
	}
}

static bool check_spec(const struct random_spec *spec)
{
	static struct trial base, target;
	bool good;

	base.spec = target.spec = spec;
	base.which = RANDOM_BASE;
	target.which = RANDOM_TARGET;
	good = property_open(&base.boot, spec->json.text, "default");
	/* vmrun knows whether a target is valid before it boots. */
	if (property_open(&target.boot, spec->json.text, "t") != good)
		property_give_up(
		    &target.boot, "accepted with one target, refused with the other", NULL);
	if (good) {
		check(&base);
		check(&target);
		check_same_slots(&base, &target);
	} else if (getenv("REFUSALS") != NULL) { /* shows the mistakes of the generator */
		property_print_problems(&base.boot);
	}
	property_close(&target.boot);
	property_close(&base.boot);
	return good;
}

static void test_random_specs(void **state)
{
	static struct random_spec spec;
	size_t accepted = 0;

	(void)state;
	random_seed(run.seed);
	for (size_t i = 0; i < run.rounds; i++) {
		random_spec_make(&spec);
		accepted += check_spec(&spec) ? 1 : 0;
		random_spec_free(&spec);
	}
	print_message("seed %u: %zu specs, %zu accepted\n", run.seed, run.rounds, accepted);
	/* The test would prove nothing if most specs were refused. */
	assert_true(accepted * 2 > run.rounds);
}

/* Variables of other kinds are not compared, so random_devices.c must have every kind. */
static void test_known_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		if (!random_knows(device_kinds[i]->name))
			print_message("%s: its commands are only parsed\n", device_kinds[i]->name);
	}
	for (const char *const *kind =
		 (const char *const[]){ "virtio-blk", "ahci", "nvme", "fbuf", "uart", NULL };
	     *kind != NULL; kind++)
		assert_true(random_knows(*kind));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_kinds),
		cmocka_unit_test(test_random_specs),
	};

	run = property_run(argc, argv, ROUNDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
