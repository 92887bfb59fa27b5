/* Small files: reading, and replacing in one step. */
#include "ledger/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ledger/rundir.h"
#include "platform/io.h"

static int fail(struct error *err, const char *what, const char *path)
{
	return error_set(err, STATUS_OS, "%s: cannot %s: %s", path, what, strerror(errno));
}

static int read_open(int fd, const char *path, struct str *s, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(err, "read this file", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, STATUS_OS, "%s: not a regular file", path);
	if (read_all(fd, MAX_STATEFILE_BYTES, s) == 0)
		return 0;
	if (errno == EFBIG)
		return error_set(
		    err, STATUS_OS, "%s: larger than %zu MiB", path, MAX_STATEFILE_BYTES >> 20);
	return fail(err, "read this file", path);
}

int statefile_read(const char *path, char **text, size_t *length, struct error *err)
{
	/* O_NONBLOCK: to open a FIFO would wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc;
	struct str s = { 0 };

	*text = NULL;
	*length = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : fail(err, "read this file", path);
	rc = read_open(fd, path, &s, err);
	(void)close(fd);
	if (rc == 0) {
		*length = s.length;
		*text = str_take(&s);
	}
	str_free(&s);
	return rc;
}

/* Writes the names in a directory to the disk. */
static int sync_directory(const char *directory, struct error *err)
{
	int fd = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY), rc = 0;

	/* Some file systems cannot sync a directory: EINVAL or ENOTSUP is not an error. */
	if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP))
		rc = fail(err, "write this directory", directory);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* Writes a new file. */
static int write_new(const char *path, const char *text, size_t length, struct error *err)
{
	int fd, rc = 0, error;

	/* A crash may have left one of that name. */
	error = unlink(path) == 0 ? 0 : errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		if (errno == EEXIST)
			errno = error; /* why it is still there */
		return fail(err, "write this file", path);
	}
	if (write_all(fd, text, length) != length || fsync(fd) != 0)
		rc = fail(err, "write this file", path);
	/* Some file systems report only now that they are full. */
	if (close(fd) != 0 && rc == 0)
		rc = fail(err, "write this file", path);
	return rc;
}

int statefile_write(
    const char *directory, const char *name, const char *text, size_t length, struct error *err)
{
	MEM_AUTO char *path = mem_format("%s/%s", directory, name);
	MEM_AUTO char *temporary = mem_format("%s.new", path);
	int rc;

	if (length > MAX_STATEFILE_BYTES)
		return error_set(err, STATUS_OS, "%s: would be larger than %zu MiB", path,
		    MAX_STATEFILE_BYTES >> 20);
	if (access(directory, F_OK) != 0 && statedir_make(directory, err) != 0)
		return -1;
	rc = write_new(temporary, text, length, err);
	if (rc == 0 && rename(temporary, path) != 0)
		rc = fail(err, "write this file", path);
	if (rc != 0)
		(void)unlink(temporary);
	return rc != 0 ? rc : sync_directory(directory, err);
}
