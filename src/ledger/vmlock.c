/* The lock that a hypervisor holds for as long as it lives. */
#include "ledger/vmlock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/filelock.h"
#include "platform/io.h"
#include "platform/os.h"

/* The note, "PID START\n", always has this length: rewriting it needs no space on the disk. */
#define NOTE_LENGTH 48

static int open_file(const char *path, int more)
{
	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | more, 0600);
}

static int write_note(int fd, pid_t pid, int64_t start)
{
	char text[NOTE_LENGTH + 1];

	(void)snprintf(text, sizeof(text), "%-15ld %-*" PRId64, (long)pid, NOTE_LENGTH - 17, start);
	text[NOTE_LENGTH - 1] = '\n';
	return lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, text, NOTE_LENGTH) == NOTE_LENGTH ? 0
											      : -1;
}

/* Returns whether the file system has locks. */
static bool try_lock(int fd)
{
	return filelock_look(fd) == 0 || errno == EWOULDBLOCK;
}

static int check_file(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_set(err, STATUS_OS, "%s: cannot examine: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode))
		return 0;
	return error_set(err, STATUS_OS, "%s: not a regular file: move it away", path);
}

int vmlock_open(struct vmlock *lock, const char *directory, struct error *err)
{
	MEM_AUTO char *path = mem_format("%s/vm", directory);
	int fd = open_file(path, 0);

	lock->found = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		fd = open_file(path, O_CREAT | O_EXCL);
	if (fd < 0)
		return error_set(err, STATUS_OS, "%s: cannot open: %s", path, strerror(errno));
	if (check_file(fd, path, err) != 0) {
		(void)close(fd);
		return -1;
	}
	if (!lock->found && write_note(fd, 0, 0) != 0) {
		(void)error_set(err, STATUS_OS, "%s: cannot write: %s", path, strerror(errno));
		(void)unlink(path);
		(void)close(fd);
		return -1;
	}
	lock->path = path;
	path = NULL;
	lock->probe = fd;
	lock->works = try_lock(fd);
	return 0;
}

int vmlock_look(struct vmlock *lock, const char *directory, struct error *err)
{
	MEM_AUTO char *path = mem_format("%s/vm", directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	memset(lock, 0, sizeof(*lock));
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set(err, STATUS_OS, "%s: cannot open: %s", path, strerror(errno));
	if (check_file(fd, path, err) != 0) {
		(void)close(fd);
		return -1;
	}
	*lock = (struct vmlock){ .path = path, .probe = fd, .works = try_lock(fd), .found = true };
	path = NULL;
	return 0;
}

bool vmlock_is_held(const struct vmlock *lock)
{
	return lock->works && filelock_look(lock->probe) != 0 && errno == EWOULDBLOCK;
}

/* Opens the probe again if the file was removed and open_file() made a new one. */
static int follow_file(struct vmlock *lock, int fd)
{
	struct stat old, new;
	int probe;

	if (fstat(lock->probe, &old) != 0 || fstat(fd, &new) != 0)
		return -1;
	if (old.st_ino == new.st_ino && old.st_dev == new.st_dev)
		return 0;
	probe = open_file(lock->path, 0);
	if (probe < 0)
		return -1;
	(void)close(lock->probe);
	lock->probe = probe;
	return 0;
}

int vmlock_take(struct vmlock *lock, int *fd, struct error *err)
{
	int why;

	*fd = -1;
	if (!lock->works)
		return 0;
	/* Its own open file description: closing vmrun's must not end the hypervisor's lock. */
	*fd = open_file(lock->path, O_CREAT);
	if (*fd < 0 || follow_file(lock, *fd) != 0) {
		(void)error_set(err, STATUS_OS, "%s: cannot open: %s", lock->path, strerror(errno));
		if (*fd >= 0)
			(void)close(*fd);
		*fd = -1;
		return -1;
	}
	if (filelock_own(*fd) == 0)
		return 0;
	why = errno;
	(void)close(*fd);
	*fd = -1;
	if (why != EWOULDBLOCK)
		return error_set(err, STATUS_OS, "%s: cannot lock: %s", lock->path, strerror(why));
	return error_set(err, STATUS_CHECK,
	    "%s is locked: a process that the last boot started still runs (fuser or fstat names "
	    "it)",
	    lock->path);
}

void vmlock_note(const struct vmlock *lock, pid_t pid, int64_t start)
{
	if (lock->path != NULL)
		(void)write_note(lock->probe, pid, start);
}

bool vmlock_noted(const struct vmlock *lock, pid_t *pid, int64_t *start)
{
	char text[NOTE_LENGTH + 1], *end;
	long number;

	if (lock->path == NULL || pread(lock->probe, text, NOTE_LENGTH, 0) != NOTE_LENGTH)
		return false;
	text[NOTE_LENGTH] = '\0';
	number = strtol(text, &end, 10);
	*start = strtoll(end, NULL, 10);
	*pid = (pid_t)number;
	return number > 0 && number <= INT32_MAX;
}

pid_t vmlock_survivor(const char *directory)
{
	MEM_AUTO char *path = mem_format("%s/vm", directory);
	struct vmlock lock = { .path = path,
		.probe = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) };
	int64_t start, now;
	pid_t pid;

	if (lock.probe < 0)
		return 0;
	if (!vmlock_noted(&lock, &pid, &start) || !os_process_start(pid, &now) || now != start)
		pid = 0;
	(void)close(lock.probe);
	return pid;
}

void vmlock_forget(struct vmlock *lock)
{
	if (lock->path == NULL)
		return;
	(void)close(lock->probe);
	free(lock->path);
	memset(lock, 0, sizeof(*lock));
}

void vmlock_close(struct vmlock *lock)
{
	if (lock->path != NULL && !vmlock_is_held(lock))
		(void)unlink(lock->path);
	vmlock_forget(lock);
}
