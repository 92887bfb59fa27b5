/* Pieces of input, and the private directory. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static char directory[] = "/tmp/vmrun-fuzz.XXXXXX";
static bool is_made;

static void remove_all(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		MEM_AUTO char *inner = mem_format("%s/%s", path, entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlink(inner) != 0) {
			remove_all(inner);
			(void)rmdir(inner);
		}
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void remove_directory(void)
{
	remove_all(directory);
	(void)rmdir(directory);
}

const char *fuzz_directory(void)
{
	if (!is_made) {
		is_made = true;
		fuzz_check(mkdtemp(directory) != NULL, "cannot make a directory in /tmp");
		fuzz_check(atexit(remove_directory) == 0, "atexit");
	}
	return directory;
}

void fuzz_clear_directory(void)
{
	remove_all(directory);
}

void fuzz_write(const char *name, const void *bytes, size_t length)
{
	MEM_AUTO char *path = mem_format("%s/%s", fuzz_directory(), name);
	FILE *file = fopen(path, "w");

	fuzz_check(file != NULL, "cannot write a file");
	fuzz_check(fwrite(bytes, 1, length, file) == length, "cannot write a file");
	fuzz_check(fclose(file) == 0, "cannot write a file");
}

unsigned fuzz_byte(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

char *fuzz_text(struct fuzz_input *in, size_t n)
{
	char *text;

	if (n > in->left)
		n = in->left;
	text = mem_zero(n + 1);
	if (n > 0)
		memcpy(text, in->at, n);
	in->at += n;
	in->left -= n;
	return text;
}
