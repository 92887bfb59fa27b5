/*
 * Makes calls of vmrun fail, one in each run, and reports what does not end as it must.
 *
 *	faults calls < SYMBOLS			whether each symbol is covered or excluded
 *	faults SCENARIO [PART/PARTS]		the injections of a scenario, or one part of them
 *	faults SCENARIO CALL			all injections of one call
 *	faults SCENARIO CALL POSITION ERROR	one of them, whose files stay
 *
 * $FAULTS is the number of injections of a scenario, or "all".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "choose.h"
#include "process.h"
#include "scenario.h"
#include "world.h"

#define REPEATS 3 /* of an injection that has failed */

static const char *faults; /* $FAULTS */

static struct faults_page *map_page(void)
{
	int fd = open(WORLD_PAGE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *page = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, sizeof(struct faults_page)) == 0)
		page = mmap(
		    NULL, sizeof(struct faults_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		perror(WORLD_PAGE);
		exit(2);
	}
	(void)close(fd);
	return page;
}

/* Enters a directory of its own. */
static void enter(char *directory)
{
	if (mkdtemp(directory) == NULL || chdir(directory) != 0) {
		perror(directory);
		exit(2);
	}
}

static void leave(const char *directory)
{
	world_remove();
	(void)unlink(WORLD_PAGE);
	if (chdir("/") != 0 || rmdir(directory) != 0)
		perror(directory);
}

static void print_file(const char *path)
{
	MEM_AUTO char *text = world_read(path);

	printf("--- %s\n%s", path, text);
}

/* Prints what is wrong with an injection, and how to repeat it. */
static void complain(const struct scenario *s, const struct injection *one, const struct outcome *o)
{
	printf("\nFAILED: %s %s %lu %d (%s), status %d\n", s->name, choose_name(one->call), one->at,
	    one->error, one->error == SHORT ? "short" : strerror(one->error), o->status);
	for (size_t i = 0; i < o->complaints.count; i++)
		printf("  %s\n", o->complaints.item[i]);
	print_file("err");
	(void)fflush(stdout);
}

/* Returns whether the injection ended well; *fired tells whether the call was reached. */
static bool inject(
    const struct scenario *s, const struct injection *one, struct faults_page *page, bool *fired)
{
	struct outcome o;
	bool good;

	page->call = one->call;
	page->at = one->at;
	page->error = one->error;
	scenario_run(s, page, &o);
	good = o.complaints.count == 0;
	*fired = page->fired != 0;
	if (!good)
		complain(s, one, &o);
	outcome_clear(&o);
	return good;
}

/* Counts the calls of a run without a fault, which must end well. */
static bool count_calls(const struct scenario *s, struct faults_page *page, unsigned long *counts)
{
	struct injection none = { .call = -1 };
	bool fired;

	if (!inject(s, &none, page, &fired))
		return false;
	memcpy(counts, page->count, sizeof(page->count));
	return true;
}

/*
 * Returns whether an injection that has failed does so again.  The position of a call moves with
 * the time that processes take: what fails once is printed, to be looked at, but it cannot be
 * repeated.
 */
static bool fails_again(
    const struct scenario *s, const struct injection *one, struct faults_page *page)
{
	bool fired;

	for (int i = 0; i < REPEATS; i++) {
		if (!inject(s, one, page, &fired))
			return true;
	}
	printf("  not counted: it ended well in %d further runs\n", REPEATS);
	return false;
}

/* Returns how many injections of a scenario to make; 0 means all. */
static unsigned long budget(const struct scenario *s)
{
	if (faults == NULL)
		return s->injections;
	return strcmp(faults, "all") == 0 ? 0 : strtoul(faults, NULL, 10);
}

/* What of a scenario is run: one of the parts, or only one call. */
struct range {
	unsigned long part, parts;
	int call; /* -1: all */
};

static int run_range(const struct scenario *s, struct faults_page *page, const struct range *range)
{
	unsigned long counts[CALLS], done[CALLS] = { 0 }, failed = 0, missed = 0;
	struct injections list = { 0 };
	long long began;

	if (!count_calls(s, page, counts))
		return 1;
	began = process_now_ms();
	if (range->call >= 0)
		choose_one_call(range->call, counts[range->call], &list);
	else
		choose_injections(s->memory, counts, budget(s), &list);
	for (size_t i = range->part - 1; i < list.count; i += range->parts) {
		bool fired;

		if (!inject(s, &list.item[i], page, &fired) && fails_again(s, &list.item[i], page))
			failed++;
		if (fired)
			done[list.item[i].call]++;
		else
			missed++;
	}
	choose_print(counts, done);
	printf("%s, part %lu of %lu: %zu of %lu possible injections, %lu not reached, %lu failed, "
	       "%lld s\n",
	    s->name, range->part, range->parts,
	    (list.count + range->parts - range->part) / range->parts, list.possible, missed, failed,
	    (process_now_ms() - began) / 1000);
	free(list.item);
	return failed > 0;
}

/* Makes one injection whose files stay, to look at it. */
static int run_one(const struct scenario *s, struct faults_page *page, char **words)
{
	struct injection one = { .call = choose_call(words[0]),
		.at = strtoul(words[1], NULL, 10),
		.error = (int)strtol(words[2], NULL, 10) };
	bool fired = false, good;

	if (one.call < 0) {
		fprintf(stderr, "faults: unknown call %s\n", words[0]);
		return 2;
	}
	good = inject(s, &one, page, &fired);
	print_file("err");
	print_file("err.next");
	printf("%s, %s\n", good ? "good" : "FAILED", fired ? "failed once" : "not reached");
	return good ? 0 : 1;
}

/* Tells for each symbol on stdin whether some scenario covers it or the list excludes it. */
static int check_symbols(struct faults_page *page, const char *excluded)
{
	unsigned long all[CALLS] = { 0 }, counts[CALLS];

	for (const struct scenario *s = scenarios; s->name != NULL; s++) {
		if (!count_calls(s, page, counts))
			return 1;
		for (size_t i = 0; i < CALLS; i++)
			all[i] += counts[i];
	}
	return choose_check(all, excluded) ? 0 : 1;
}

/* The companion of the spec: makes a file, and runs until a signal ends it. */
static _Noreturn void be_companion(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)close(fd);
	for (;;)
		(void)pause();
}

/* Returns where directories of tests are made: in memory, as each run waits for fsync(2) three
 * times. */
static const char *scratch(void)
{
	const char *given = getenv("TMPDIR");

	if (given != NULL && *given != '\0')
		return given;
	return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

static const struct scenario *find_scenario(const char *name)
{
	const struct scenario *s = scenarios;

	while (s->name != NULL && strcmp(s->name, name) != 0)
		s++;
	return s->name == NULL ? NULL : s;
}

/* Reads PART/PARTS or the name of a call. */
static bool read_range(const char *word, struct range *range)
{
	range->call = choose_call(word);
	return range->call >= 0 ||
	    (sscanf(word, "%lu/%lu", &range->part, &range->parts) == 2 && range->part >= 1 &&
		range->part <= range->parts);
}

static int perform(int argc, char **argv, struct faults_page *page)
{
	const struct scenario *s = argc > 1 ? find_scenario(argv[1]) : NULL;
	struct range range = { 1, 1, -1 };

	if (!scenario_seed(page)) {
		print_file("err");
		fprintf(stderr, "faults: vmrun does not work here\n");
		return 1;
	}
	if (argc == 3 && strcmp(argv[1], "calls") == 0)
		return check_symbols(page, argv[2]);
	if (s != NULL && argc == 5)
		return run_one(s, page, argv + 2);
	if (s == NULL || argc > 3 || (argc == 3 && !read_range(argv[2], &range))) {
		fprintf(stderr, "usage: faults SCENARIO [PART/PARTS | CALL [POSITION ERROR]]\n");
		return 2;
	}
	return run_range(s, page, &range);
}

int main(int argc, char **argv)
{
	MEM_AUTO char *directory = mem_format("%s/faults.XXXXXX", scratch());
	MEM_AUTO char *self = realpath("/proc/self/exe", NULL);
	MEM_AUTO char *given = getenv("FAULTS") == NULL ? NULL : mem_copy(getenv("FAULTS"));
	int status;

	if (argc == 3 && strcmp(argv[1], "companion") == 0)
		be_companion(argv[2]);
	faults = given;
	enter(directory);
	process_begin();
	world_begin(self);
	status = perform(argc, argv, map_page());
	if (argc == 5)
		printf("the files are in %s\n", directory);
	else
		leave(directory);
	return status;
}
