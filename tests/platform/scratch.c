/* Makes and removes the directory of a test. */
#define _GNU_SOURCE /* nftw() */
#include "scratch.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
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
