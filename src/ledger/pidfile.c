/* Locks, writes and removes pid files. */
#include "ledger/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/filelock.h"
#include "platform/io.h"

#define MAX_PID_TEXT 32 /* bytes of a number and the blanks around it */
#define BLANKS " \t\r\n"

pid_t pidfile_read(const char *path)
{
	char text[MAX_PID_TEXT + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, MAX_PID_TEXT);

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/* Returns whether n bytes are a decimal number between blanks; ends the text after the number. */
static bool take_number(char *text, size_t n, char **number)
{
	size_t length;

	*number = text + strspn(text, BLANKS);
	length = strspn(*number, "0123456789");
	if (length == 0 || *number + length + strspn(*number + length, BLANKS) != text + n)
		return false;
	(*number)[length] = '\0';
	return true;
}

static int refuse(const char *path, const char *why, struct error *err)
{
	return error_set(err, STATUS_OS,
	    "%s: not a pid file, left untouched: %s, expected a new or empty file or one that "
	    "holds a number: name another file, or remove this one",
	    path, why);
}

/* Refuses what is not a regular file, before it is opened for writing. */
static int check_type(const char *path, const struct stat *st, struct error *err)
{
	const char *why = S_ISDIR(st->st_mode) ? "it is a directory"
	    : S_ISLNK(st->st_mode)	       ? "it is a symbolic link"
	    : S_ISFIFO(st->st_mode)	       ? "it is a FIFO"
	    : S_ISSOCK(st->st_mode)	       ? "it is a socket"
					       : "it is a device";

	return S_ISREG(st->st_mode) ? 0 : refuse(path, why, err);
}

/* Refuses a file that holds anything but a number; the error does not quote it. */
static int check_content(
    int fd, const char *path, char text[static MAX_PID_TEXT + 2], char **number, struct error *err)
{
	struct stat st;
	ssize_t n;

	*number = text;
	if (fstat(fd, &st) != 0 || (n = pread(fd, text, MAX_PID_TEXT + 1, 0)) < 0)
		return error_set(
		    err, STATUS_OS, "%s: cannot read the pid file: %s", path, strerror(errno));
	text[n] = '\0';
	if (check_type(path, &st, err) != 0)
		return -1;
	if (n > MAX_PID_TEXT)
		return refuse(path, "it is too long for a pid", err);
	return n == 0 || take_number(text, (size_t)n, number)
	    ? 0
	    : refuse(path, "it contains something other than a number", err);
}

static int refuse_to_write(const char *path, struct error *err)
{
	return error_set(
	    err, STATUS_OS, "%s: cannot write the pid file: %s", path, strerror(errno));
}

/*
 * Opens the file; creates it if `create` is O_CREAT.  Returns -1, and sets no error if the file
 * does not exist.  Does not open a device, because opening one may have effects.
 */
static int open_file(const char *path, int create, struct error *err)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == 0 && check_type(path, &st, err) != 0)
		return -1;
	fd = open(path, O_RDWR | create | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
	if (fd < 0 && (create != 0 || errno != ENOENT))
		(void)refuse_to_write(path, err);
	return fd;
}

/* Locks the file, or only looks at its lock, by a function of filelock.h. */
static int lock(int fd, const char *path, int (*try)(int fd), struct error *err)
{
	char text[MAX_PID_TEXT + 2] = "", *number;
	int error;

	if (try(fd) == 0)
		return 0;
	error = errno;
	if (check_content(fd, path, text, &number, err) != 0)
		return -1;
	if (error != EWOULDBLOCK)
		return error_set(
		    err, STATUS_OS, "%s: cannot lock the pid file: %s", path, strerror(error));
	return error_set(err, STATUS_BUSY, "%s: locked by a running process%s%s", path,
	    *number == '\0' ? "" : ", pid ", number);
}

/* Returns whether the path now names another file: then a lock on this one guards nothing. */
static bool was_removed(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) != 0 || lstat(path, &named) != 0 || ours.st_ino != named.st_ino ||
	    ours.st_dev != named.st_dev;
}

/* Opens and locks the file, again if its last holder removed it in between. */
static int open_locked(const char *path, struct error *err)
{
	for (;;) {
		int fd = open_file(path, O_CREAT, err);

		if (fd < 0)
			return -1;
		if (lock(fd, path, filelock_own, err) != 0) {
			(void)close(fd);
			return -1;
		}
		if (!was_removed(fd, path))
			return fd;
		(void)close(fd);
	}
}

int pidfile_open(struct pidfile *p, const char *path, struct error *err)
{
	char text[MAX_PID_TEXT + 2] = "", *number;
	int fd = open_locked(path, err);

	if (fd < 0)
		return -1;
	if (check_content(fd, path, text, &number, err) != 0) {
		(void)close(fd);
		return -1;
	}
	*p = (struct pidfile){ .path = mem_copy(path), .fd = fd };
	if (pidfile_write(p, 0, err) == 0)
		return 0;
	(void)pidfile_close(p);
	return -1;
}

int pidfile_check(const char *path, struct error *err)
{
	ERROR_AUTO struct error why = { 0 };
	char text[MAX_PID_TEXT + 2] = "", *number;
	int fd = open_file(path, 0, &why), rc = 0;

	if (fd < 0 && why.text == NULL)
		return io_can_create(path) ? 0 : refuse_to_write(path, err);
	if (fd < 0 || lock(fd, path, filelock_look, &why) != 0 ||
	    check_content(fd, path, text, &number, &why) != 0)
		rc = error_set(err, why.status, "%s", why.text);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int pidfile_write(struct pidfile *p, pid_t pid, struct error *err)
{
	char text[MAX_PID_TEXT] = "";
	int n = 0;

	if (p->path == NULL)
		return 0;
	if (pid != 0)
		n = snprintf(text, sizeof(text), "%ld\n", (long)pid);
	if (ftruncate(p->fd, 0) == 0 && lseek(p->fd, 0, SEEK_SET) == 0 &&
	    write_all(p->fd, text, (size_t)n) == (size_t)n)
		return 0;
	(void)error_set(
	    err, STATUS_OS, "%s: cannot write the pid file: %s", p->path, strerror(errno));
	/* The first digits of a pid would be the pid of another process. */
	(void)!ftruncate(p->fd, 0);
	return -1;
}

/* Removes the file, or at least its pid, which may be that of another process one day. */
static int remove_file(int fd, const char *path)
{
	struct stat ours, named;
	int error;

	if (fstat(fd, &ours) == 0 && lstat(path, &named) == 0) {
		/* Another program's file of that name stays. */
		if (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
			return 0;
		if (unlink(path) == 0)
			return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	error = errno;
	(void)!ftruncate(fd, 0);
	errno = error;
	return -1;
}

int pidfile_close(struct pidfile *p)
{
	int rc, error;

	if (p->path == NULL)
		return 0;
	rc = remove_file(p->fd, p->path);
	error = errno;
	(void)close(p->fd);
	free(p->path);
	memset(p, 0, sizeof(*p));
	errno = error;
	return rc;
}

/* Returns whether the file is another program's, and not vmrun's to remove. */
static bool is_foreign(int fd, const char *path, const struct words *pids)
{
	char text[MAX_PID_TEXT + 2] = "", *number;

	if (filelock_flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return true;
	return check_content(fd, path, text, &number, NULL) != 0 ||
	    (*number != '\0' && !words_have(pids, number));
}

int pidfile_remove_stale(const char *path, const struct words *pids, struct error *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	bool gone = false;

	/*
	 * These mean that the path is not a regular file; FreeBSD has EMLINK for a symbolic link
	 * (vfs_lookup.c) and EOPNOTSUPP for a socket (vn_open_vnode() in vfs_vnops.c).
	 */
	if (fd < 0)
		gone = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EMLINK ||
		    errno == EISDIR || errno == ENXIO || errno == EOPNOTSUPP;
	else
		gone = is_foreign(fd, path, pids) || unlink(path) == 0 || errno == ENOENT;
	if (!gone)
		(void)error_set(
		    err, STATUS_OS, "%s: cannot remove the pid file: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return gone ? 0 : -1;
}
