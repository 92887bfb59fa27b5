/* The directory of a test, and how many descriptors it may open. */
#define _GNU_SOURCE /* nftw() */
#include "scratch.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

int scratch_enter(void **state)
{
	(void)state;
	directory = mem_copy("/tmp/vmrun-test.XXXXXX");
	return mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

int scratch_leave(void **state)
{
	int result = chdir("/");

	(void)state;
	result |= nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(directory);
	return result;
}

char *scratch_path(const char *name)
{
	return mem_format("%s/%s", directory, name);
}

void scratch_write(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(name, "w");

	assert(f != NULL);
	(void)fputs(text, f);
	(void)fclose(f);
	(void)chmod(name, mode);
}

static struct rlimit limit;

void scratch_limit(int free_descriptors)
{
	int fds[8] = { -1 }, next;
	struct rlimit low;

	assert(free_descriptors >= 0 && (size_t)free_descriptors < sizeof(fds) / sizeof(fds[0]));
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		abort();
	low = limit;
	for (int i = 0; i <= free_descriptors; i++)
		fds[i] = dup(STDERR_FILENO);
	next = fds[free_descriptors];
	for (int i = 0; i <= free_descriptors; i++)
		(void)close(fds[i]);
	low.rlim_cur = (rlim_t)next;
	if (setrlimit(RLIMIT_NOFILE, &low) != 0)
		abort();
}

void scratch_unlimit(void)
{
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		abort();
}
