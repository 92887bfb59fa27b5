/* pid files. */
#include "ledger/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

pid_t pidfile_read(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

static int busy(int fd, const char *path, struct error *err)
{
	char text[32] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_set(err, STATUS_BUSY, "%s: locked by a running process%s%s", path,
	    *text == '\0' ? "" : ", pid ", text);
}

/* The holder before us removed the name after we opened it: our lock would guard nothing. */
static bool was_removed(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) != 0 || stat(path, &named) != 0 || ours.st_ino != named.st_ino ||
	    ours.st_dev != named.st_dev;
}

/* What -p names by mistake, an image or a spec, must not be emptied: an old pid file is a line. */
#define LONGEST_LINE 128

static bool is_pidfile(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= LONGEST_LINE;
}

int pidfile_open(struct pidfile *p, const char *path, struct error *err)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

		if (fd < 0)
			return error_set(err, STATUS_OS, "%s: cannot write the pid file: %s", path,
			    strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int rc = errno == EWOULDBLOCK
			    ? busy(fd, path, err)
			    : error_set(err, STATUS_OS, "%s: cannot lock the pid file: %s", path,
				  strerror(errno));

			(void)close(fd);
			return rc;
		}
		if (!was_removed(fd, path)) {
			p->fd = fd;
			break;
		}
		(void)close(fd);
	}
	if (!is_pidfile(p->fd)) {
		(void)close(p->fd);
		return error_set(err, STATUS_OS, "%s: this is no pid file: not touched", path);
	}
	p->path = mem_copy(path);
	pidfile_write(p, 0);
	return 0;
}

void pidfile_write(struct pidfile *p, pid_t pid)
{
	char text[32];
	int n = 0;

	if (p->path == NULL)
		return;
	if (pid != 0)
		n = snprintf(text, sizeof(text), "%ld\n", (long)pid);
	if (ftruncate(p->fd, 0) == 0 && n > 0)
		(void)!pwrite(p->fd, text, (size_t)n, 0);
}

void pidfile_close(struct pidfile *p)
{
	if (p->path == NULL)
		return;
	(void)unlink(p->path);
	(void)close(p->fd);
	free(p->path);
	memset(p, 0, sizeof(*p));
}

void pidfile_remove_stale(const char *path, const struct words *pids)
{
	char text[32] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_pidfile(fd)) {
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (n == 0 || (n > 0 && words_have(pids, text)))
			(void)unlink(path);
	}
	(void)close(fd);
}
