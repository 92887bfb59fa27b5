/*
 * Thousands of random specs: what vmrun accepts, bhyve of that release accepts too, and reads in it
 * exactly what the spec said; slots are unique, and a target moves no device of the base.
 */
#include "random_spec.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "fake.h"
#include "vmrun/vmrun.h"

#define SEED 19930401u
#define ROUNDS 4000
#define LONGEST_S 15

/* One target of one spec. */
struct boot {
	const struct random_spec *spec;
	struct vmrun *vm;
	char slot[RANDOM_DEVICES_MAX][16]; /* "B.S.F" */
	size_t slots;
};

static void give_up(const struct boot *b, const char *what, const char *detail)
{
	char *command = vmrun_command(b->vm);

	print_error("%s: %s\nspec: %s\ncommand: %s\n", what, detail == NULL ? "(nothing)" : detail,
	    b->spec->json.text, command == NULL ? "" : command);
	free(command);
	fail();
}

/* False when the spec is refused. */
static bool prepare(struct boot *b, const struct random_spec *spec, const char *target)
{
	struct vmrun_options o = VMRUN_OPTIONS;

	memset(b, 0, sizeof(*b));
	b->spec = spec;
	o.text = spec->json.text;
	o.length = spec->json.length;
	o.folder = "/vm";
	o.format = "json";
	o.target = target;
	o.hypervisor = "bhyve";
	o.dry_run = true;
	return vmrun_open(&b->vm, &o) == 0 && vmrun_prepare(b->vm) == 0;
}

/* Slots of the devices in their order, out of the resolved spec. */
static void read_slots(struct boot *b)
{
	static const char key[] = "\"slot\": \"";
	char *json = vmrun_spec_json(b->vm);

	for (char *p = strstr(json, key); p != NULL; p = strstr(p, key)) {
		char *slot = b->slot[b->slots++];

		p += sizeof(key) - 1;
		(void)snprintf(slot, sizeof(b->slot[0]), "%.*s", (int)strcspn(p, "\""), p);
		for (char *c = slot; *c != '\0'; c++)
			*c = *c == ':' ? '.' : *c;
		for (size_t i = 0; i + 1 < b->slots; i++) {
			if (strcmp(b->slot[i], slot) == 0)
				give_up(b, "two devices at", slot);
		}
	}
	free(json);
}

/* Two NULs, or the same text. */
static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_vars(
    const struct boot *b, struct fake_tree *tree, const char *below, const struct pairs *vars)
{
	for (size_t i = 0; i < vars->count; i++) {
		MEM_AUTO char *key = mem_format("%s%s", below, vars->item[i].key);
		const char *wanted = vars->item[i].value, *got = fake_tree_expand(tree, key, NULL);

		if (!same(got, strcmp(wanted, "(unset)") == 0 ? NULL : wanted)) {
			print_error("wanted: %s\n", wanted);
			give_up(b, key, got);
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

static void check_devices(const struct boot *b, struct fake_tree *tree, size_t devices)
{
	char *dump = NULL;
	size_t size;
	FILE *to = open_memstream(&dump, &size);

	assert_non_null(to);
	fake_tree_dump(tree, to);
	(void)fclose(to);
	if (b->slots != devices)
		give_up(b, "devices are missing", NULL);
	for (size_t i = 0; i < devices; i++) {
		const struct random_device *dev = &b->spec->device[i];
		MEM_AUTO char *below = mem_format("pci.%s.", b->slot[i]);
		size_t vars = dev->vars.count + (size_t)dev->extra;

		check_vars(b, tree, below, &dev->vars);
		if (dev->checked && count_below(dump, below) != vars)
			give_up(b, "not exactly these variables below", below);
	}
	free(dump);
}

static void check(struct boot *b, size_t devices)
{
	struct fake_host host = { .release = b->spec->release,
		.arm64 = b->spec->arm64,
		.max_cpus = 64,
		.host_cpus = 64,
		.no_files = true };
	const char *const *argv = vmrun_argv(b->vm);
	struct fake_tree tree;
	char message[1024] = "";
	int argc = 0, status;

	while (argv[argc] != NULL)
		argc++;
	fake_tree_init(&tree);
	status =
	    fake_options(&host, argc, (char **)(uintptr_t)argv, &tree, message, sizeof(message));
	if (status == 0)
		status = fake_start(&host, &tree, NULL, message, sizeof(message));
	if (status != 0)
		give_up(b, "bhyve refuses what vmrun accepts", message);
	read_slots(b);
	check_vars(b, &tree, "", &b->spec->vars);
	check_devices(b, &tree, devices);
	fake_tree_fini(&tree);
}

/* REFUSALS=1 shows what the generator gets wrong. */
static void print_refusal(const struct boot *b)
{
	struct vmrun_problem p;

	for (size_t i = 0; vmrun_problem(b->vm, i, &p); i++)
		print_message("%s: %s\n", p.path, p.text);
}

static bool check_spec(const struct random_spec *spec)
{
	struct boot base, target;
	bool good = prepare(&base, spec, "default");

	/* Whether a target is good is known before anything boots. */
	if (prepare(&target, spec, "t") != good)
		give_up(&target, "accepted with one target, refused with the other", NULL);
	if (good) {
		check(&base, spec->base_devices);
		check(&target, spec->devices);
		for (size_t i = 0; i < spec->base_devices; i++) {
			if (strcmp(base.slot[i], target.slot[i]) != 0)
				give_up(&target, "a target moved a device of the base from",
				    base.slot[i]);
		}
	}
	if (getenv("REFUSALS") != NULL && !good)
		print_refusal(&base);
	vmrun_close(target.vm);
	vmrun_close(base.vm);
	return good;
}

static void test_random_specs(void **state)
{
	static struct random_spec spec;
	time_t start = time(NULL);
	size_t accepted = 0, made = 0;

	(void)state;
	random_seed(SEED);
	while (made < ROUNDS && time(NULL) - start < LONGEST_S) {
		random_spec_make(&spec);
		accepted += check_spec(&spec) ? 1 : 0;
		made++;
		random_spec_free(&spec);
	}
	print_message("seed %u: %zu specs, %zu accepted\n", SEED, made, accepted);
	/* A generator that is mostly refused would prove nothing. */
	assert_true(accepted * 2 > made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_specs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
