/* Reading whole files and standard input. */
#include "config/read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/io.h"
#include "platform/trust.h"

static int fail(struct error *err, const char *name, const char *why)
{
	return error_set(err, STATUS_NO_INPUT, "%s: %s", name, why);
}

static int read_text(int fd, const char *name, struct text_file *out, struct error *err)
{
	STR_AUTO struct str s = { 0 };

	if (read_all(fd, MAX_SPEC_TEXT, &s) != 0)
		return errno != EFBIG ? fail(err, name, strerror(errno))
				      : error_set(err, STATUS_NO_INPUT,
					    "%s: larger than %zu MiB: too large for a spec", name,
					    MAX_SPEC_TEXT >> 20);
	out->length = s.length;
	out->text = str_take(&s);
	return 0;
}

/*
 * Gets the directory that relative paths in the file start from.  Another one in place of an
 * unknown current directory would name other disks.
 */
static int find_directory(const char *file, char **out, struct error *err)
{
	const char *slash = strrchr(file, '/');
	char cwd[PATH_MAX];
	MEM_AUTO char *directory = NULL;

	if (slash != NULL)
		directory = mem_copy_n(file, slash == file ? 1 : (size_t)(slash - file));
	if (directory != NULL && *directory == '/') {
		*out = mem_copy(directory);
		return 0;
	}
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return error_set(err, STATUS_NO_INPUT,
		    "cannot find the current directory, where relative paths begin: %s",
		    strerror(errno));
	*out = directory == NULL ? mem_copy(cwd) : mem_format("%s/%s", cwd, directory);
	return 0;
}

static int read_path(const char *path, struct text_file *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;
	struct stat st;

	if (fd < 0)
		return fail(err, path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rc = fail(err, path, "is a directory, not a file");
	else
		rc = trust_check(fd, path, err);
	if (rc == 0)
		rc = read_text(fd, path, out, err);
	(void)close(fd);
	return rc;
}

int text_read(const struct document_source *source, struct text_file *out, struct error *err)
{
	if (source->file == NULL) {
		out->text = mem_copy_n(source->text, source->length);
		out->length = source->length;
		out->name = mem_copy(source->name != NULL ? source->name : "<buffer>");
		if (source->directory == NULL)
			return find_directory("", &out->directory, err);
		out->directory = mem_copy(source->directory);
		return 0;
	}
	if (strcmp(source->file, "-") == 0) {
		if (read_text(STDIN_FILENO, "<stdin>", out, err) != 0)
			return -1;
		out->name = mem_copy("<stdin>");
		return find_directory("", &out->directory, err);
	}
	if (read_path(source->file, out, err) != 0)
		return -1;
	out->name = mem_copy(source->file);
	return find_directory(source->file, &out->directory, err);
}

void text_free(struct text_file *file)
{
	free(file->text);
	free(file->name);
	free(file->directory);
	memset(file, 0, sizeof(*file));
}
