/*
 * Locks by flock(2) belong to the open file on FreeBSD and Linux, and end with it; those by
 * fcntl(2) belong to a process.
 */
#define _DEFAULT_SOURCE /* flock() */
#include "platform/filelock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/clock.h"

#define MAX_LOOK_MS 1000 /* for those that look at a lock to release it; they do so at once */
#define LOOK_PAUSE_MS 1
#define MAX_TRY_MS 50 /* for those that take a lock to see whether they can */

int filelock_flock(int fd, int operation)
{
	int rc;

	do
		rc = flock(fd, operation);
	while (rc != 0 && errno == EINTR);
	return rc;
}

int filelock_look(int fd)
{
	int rc = filelock_flock(fd, LOCK_SH | LOCK_NB);

	if (rc == 0)
		(void)filelock_flock(fd, LOCK_UN);
	return rc;
}

int filelock_own(int fd)
{
	int64_t until_ms = clock_ms() + MAX_LOOK_MS;

	while (filelock_flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK || filelock_look(fd) != 0)
			return -1;
		if (clock_ms() >= until_ms) {
			errno = EWOULDBLOCK;
			return -1;
		}
		clock_sleep(LOOK_PAUSE_MS);
	}
	return 0;
}

int filelock_take(const char *path, bool shared)
{
	struct stat st;
	int fd, why;

	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)) {
		errno = ENOTSUP;
		return -1;
	}
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (filelock_flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
		return fd;
	why = errno == EWOULDBLOCK ? EWOULDBLOCK : ENOTSUP;
	(void)close(fd);
	errno = why;
	return -1;
}

int filelock_take_soon(const char *path, bool shared)
{
	int64_t until_ms = clock_ms() + MAX_TRY_MS;
	int fd;

	while (
	    (fd = filelock_take(path, shared)) < 0 && errno == EWOULDBLOCK && clock_ms() < until_ms)
		clock_sleep(LOOK_PAUSE_MS);
	return fd;
}

void filelock_drop(int fd)
{
	(void)filelock_flock(fd, LOCK_UN);
	(void)close(fd);
}

bool filelock_is_held(const char *path, pid_t *pid)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool held = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

	*pid = held && lock.l_pid > 0 ? lock.l_pid : 0;
	if (fd >= 0)
		(void)close(fd);
	return held;
}
