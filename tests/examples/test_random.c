/*
 * Random policies and random lists of exits: vmrun_simulate() must predict what a run does.
 *
 * RANDOM_ROUNDS sets the number of rounds, RANDOM_SEED the first seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/dice.h"
#include "walked.h"

enum { LIST_SIZE = 256, SPEC_SIZE = 8192 };

static const char *const targets[] = { "default", "a", "b", "c" };
static const char *const causes[] = { "reboot", "poweroff", "halt", "triple_fault", "error",
	"killed", "start_failed", "check_failed" };
static const char *const exits[] = { "reboot", "poweroff", "halt", "triple_fault", "error",
	"killed", "start_failed", "check_failed", "0", "1", "2", "3", "4", "5", "64", "255",
	"stopped" };
static const char *const answers[] = { "\"boot\"", "\"stop\"", "\"wait\"", "\"pass\"", "\"pass\"",
	"\"pass\"", "\"a\"", "\"b\"", "true", "false" };

#define ONE_OF(dice, list) (list)[dice_roll(dice, sizeof(list) / sizeof((list)[0]))]

static void put_action(FILE *to, struct dice *d)
{
	static const char *const plain[] = { "\"boot\"", "\"same\"", "\"boot\"", "\"same\"",
		"\"stop\"" };

	switch (dice_roll(d, 4)) {
	case 0:
		(void)fprintf(to, "{\"boot\":\"%s\",\"delay\":0.002}", ONE_OF(d, targets));
		break;
	case 1:
		(void)fprintf(to, "{\"boot\":\"%s\"}", ONE_OF(d, targets));
		break;
	default:
		(void)fputs(ONE_OF(d, plain), to);
		break;
	}
}

static void put_given_up(FILE *to, struct dice *d)
{
	switch (dice_roll(d, 3)) {
	case 0:
		(void)fputs("\"given_up\":\"stop\"", to);
		break;
	case 1:
		(void)fputs("\"given_up\":\"wait\"", to);
		break;
	default:
		(void)fprintf(to, "\"given_up\":{\"boot\":\"%s\"}", ONE_OF(d, targets));
		break;
	}
}

static void put_on(FILE *to, struct dice *d)
{
	const char *separator = "";

	(void)fputs(",\"on\":{", to);
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (dice_roll(d, 4) == 0)
			continue;
		(void)fprintf(to, "%s\"%s\":", separator, causes[i]);
		put_action(to, d);
		separator = ",";
	}
	(void)fputs(separator, to);
	put_given_up(to, d);
	(void)fputs("}", to);
}

static void put_reboot_on(FILE *to, struct dice *d)
{
	unsigned n = dice_roll(d, 8);

	(void)fputs(",\"reboot_on\":[", to);
	for (unsigned i = 0; i < n; i++)
		(void)fprintf(to, "%s\"%s\"", i > 0 ? "," : "", ONE_OF(d, causes));
	(void)fputs("]", to);
}

static void put_policy(FILE *to, struct dice *d)
{
	if (dice_roll(d, 3) != 0)
		put_on(to, d);
	if (dice_roll(d, 3) == 0)
		put_reboot_on(to, d);
	if (dice_roll(d, 3) == 0)
		(void)fprintf(to, ",\"next_target\":\"%s\"", ONE_OF(d, targets));
	if (dice_roll(d, 3) == 0)
		(void)fprintf(
		    to, ",\"restart_limit\":{\"count\":%u,\"within\":600}", 1 + dice_roll(d, 4));
}

static void put_hook(FILE *to, struct dice *d)
{
	unsigned n = 1 + dice_roll(d, 5);

	(void)fputs(",\"hooks\":[{\"use\":\"" ANSWERS "\",\"answers\":[", to);
	for (unsigned i = 0; i < n; i++)
		(void)fprintf(to, "%s%s", i > 0 ? "," : "", ONE_OF(d, answers));
	(void)fputs("]}]", to);
}

static void put_spec(FILE *to, struct dice *d)
{
	(void)fprintf(to,
	    "{\"name\":\"random%ld\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"rom\","
	    "\"backoff\":%s",
	    (long)getpid(), dice_roll(d, 3) == 0 ? "{\"initial\":0.01,\"max\":0.02}" : "false");
	put_policy(to, d);
	if (dice_roll(d, 3) == 0)
		put_hook(to, d);
	(void)fputs(",\"targets\":{", to);
	for (size_t i = 1; i < sizeof(targets) / sizeof(targets[0]); i++) {
		(void)fprintf(to, "%s\"%s\":{\"mem\":\"64M\"", i > 1 ? "," : "", targets[i]);
		put_policy(to, d);
		(void)fputs("}", to);
	}
	(void)fputs("}}\n", to);
}

static void make_list(char *list, struct dice *d)
{
	unsigned n = 1 + dice_roll(d, 9);
	size_t used = 0;

	for (unsigned i = 0; i < n; i++)
		used += (size_t)snprintf(list + used, LIST_SIZE - used, "%s%s", i > 0 ? "," : "",
		    dice_roll(d, 3) == 0 ? "reboot" : ONE_OF(d, exits));
}

static void make_spec(char *text, struct dice *d)
{
	FILE *file = fopen("vm.json", "w"), *to = fmemopen(text, SPEC_SIZE, "w");

	assert_non_null(file);
	assert_non_null(to);
	put_spec(to, d);
	(void)fclose(to);
	(void)fputs(text, file);
	(void)fclose(file);
}

/* Compares a run with the simulation of one spec and one list; returns the number of rows. */
static size_t check(struct dice *d)
{
	static const char *const hooks[] = { WORLD, NULL };
	struct vmrun_options options = VMRUN_OPTIONS;
	struct walked run, simulated;
	char list[LIST_SIZE], text[SPEC_SIZE];
	size_t rows;

	make_spec(text, d);
	make_list(list, d);
	options.file = "vm.json";
	options.hypervisor = "bhyve";
	options.bhyve = FAKEBHYVE;
	options.no_checks = true;
	options.run_dir = "run";
	options.state_dir = "state";
	options.target = ONE_OF(d, targets);
	if (dice_roll(d, 6) == 0)
		options.reboot_on = "reboot,triple_fault,killed";
	if (dice_roll(d, 6) == 0)
		options.reboot_count = dice_roll(d, 4);
	options.no_reboot = dice_roll(d, 20) == 0;
	if (!walk_simulate(&options, list, &simulated))
		fail_msg("seed %u: no simulation of %s of %s", d->seed, list, text);
	options.hooks = hooks;
	if (!walk_run(&options, list, &run))
		fail_msg("seed %u: no run of %s of %s", d->seed, list, text);
	if (!walked_agree(&run, &simulated))
		fail_msg("seed %u: %s with %s from %s: simulated\n%sended %d with %d, a run\n"
			 "%sended %d with %d\n",
		    d->seed, text, list, options.target, simulated.rows, simulated.ended,
		    simulated.status, run.rows, run.ended, run.status);
	rows = simulated.count;
	walked_clear(&run);
	walked_clear(&simulated);
	return rows;
}

static unsigned number_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

static void test_random_policies(void **state)
{
	unsigned rounds = number_of("RANDOM_ROUNDS", 200), first = number_of("RANDOM_SEED", 1);
	size_t rows = 0;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		struct dice d;

		dice_start(&d, first + i);
		rows += check(&d);
	}
	print_message("%u policies from seed %u, %zu decisions\n", rounds, first, rows);
	/* Lists that end at once would prove little. */
	assert_true(rounds == 1 || rows > 2 * (size_t)rounds);
}

static char directory[] = "/tmp/vmrun-random.XXXXXX";

static int enter(void **state)
{
	char path[sizeof(directory) + 16];

	(void)state;
	if (mkdtemp(directory) == NULL || chdir(directory) != 0 || mkdir("state", 0700) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/script", directory);
	return setenv("FAKEBHYVE_SCRIPT", path, 1) | setenv("FAKEBHYVE_NODISK", "1", 1);
}

static int leave(void **state)
{
	static const char *const files[] = { "script", "vm.json" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	(void)rmdir("state");
	(void)rmdir("run");
	return chdir("/") | rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random_policies) };

	return cmocka_run_group_tests(tests, enter, leave);
}
