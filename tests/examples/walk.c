/*
 * Compares a run with --simulate for one spec and one list of exits:
 *
 *	walk [OPTION VALUE]... LIST FILE
 *
 * prints the rows of the simulation, and ends with 1 and those of the run when they differ. Options
 * are vmrun's: -t, --set, --hook, --reboot-on, --reboot-count, --run-dir, --state-dir.  The
 * hypervisor is $FAKEBHYVE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walked.h"

enum { MOST_WORDS = 32 };

struct lists {
	const char *set[MOST_WORDS], *hooks[MOST_WORDS];
	size_t sets, hook_count;
};

static bool take_option(
    const char *name, const char *value, struct vmrun_options *options, struct lists *lists)
{
	if (strcmp(name, "-t") == 0)
		options->target = value;
	else if (strcmp(name, "--set") == 0 && lists->sets < MOST_WORDS - 1)
		lists->set[lists->sets++] = value;
	else if (strcmp(name, "--hook") == 0 && lists->hook_count < MOST_WORDS - 2)
		lists->hooks[lists->hook_count++] = value;
	else if (strcmp(name, "--reboot-on") == 0)
		options->reboot_on = value;
	else if (strcmp(name, "--reboot-count") == 0)
		options->reboot_count = strtoll(value, NULL, 10);
	else if (strcmp(name, "--run-dir") == 0)
		options->run_dir = value;
	else if (strcmp(name, "--state-dir") == 0)
		options->state_dir = value;
	else
		return false;
	return true;
}

/* Compares both.  The simulation comes first, because it must leave nothing that the run sees. */
static int compare(const struct vmrun_options *options, struct lists *lists, const char *list)
{
	struct walked run = { 0 }, simulated = { 0 };
	int status = 2;

	if (walk_simulate(options, list, &simulated)) {
		lists->hooks[lists->hook_count] = WORLD;
		if (walk_run(options, list, &run)) {
			status = walked_agree(&run, &simulated) ? 0 : 1;
			(void)fputs(simulated.rows, stdout);
		}
	}
	if (status == 1)
		(void)printf("ended %d with %d\nbut a run says\n%sended %d with %d\n",
		    simulated.ended, simulated.status, run.rows, run.ended, run.status);
	walked_clear(&run);
	walked_clear(&simulated);
	return status;
}

int main(int argc, char **argv)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct lists lists = { 0 };
	int i = 1;

	options.set = lists.set;
	options.hooks = lists.hooks;
	options.hypervisor = "bhyve";
	options.bhyve = getenv("FAKEBHYVE");
	options.no_checks = true;
	for (; i + 2 < argc && argv[i][0] == '-'; i += 2) {
		if (!take_option(argv[i], argv[i + 1], &options, &lists))
			break;
	}
	if (i + 2 != argc || options.bhyve == NULL) {
		(void)fprintf(stderr, "usage: walk [OPTION VALUE]... LIST FILE\n");
		return 64;
	}
	options.file = argv[i + 1];
	return compare(&options, &lists, argv[i]);
}
