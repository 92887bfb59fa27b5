/* Locks on names that a run finds free. */
#include "ledger/namelock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/filelock.h"

#define NAMES_DIRECTORY ".names" /* no VM has this name: it begins with a dot */
#define MAX_TRIES 100		 /* to lock a file that other vmruns remove */

void namelock_open(struct namelock *locks, const char *vm_directory)
{
	const char *slash = vm_directory == NULL ? NULL : strrchr(vm_directory, '/');

	memset(locks, 0, sizeof(*locks));
	if (slash != NULL)
		locks->directory =
		    mem_format("%.*s/" NAMES_DIRECTORY, (int)(slash - vm_directory), vm_directory);
}

static char *path_of(const struct namelock *locks, const char *name)
{
	return mem_format("%s/%s", locks->directory, name);
}

/* Makes the file and its directory, which another vmrun may remove again. */
static bool make_file(const struct namelock *locks, const char *path)
{
	int fd;

	if (mkdir(locks->directory, 0700) != 0 && errno != EEXIST)
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0 || errno == ENOENT;
}

/* Returns whether the descriptor's file still has the path: its owner removes it at the end. */
static bool is_current(int fd, const char *path)
{
	struct stat held, now;

	return fstat(fd, &held) == 0 && stat(path, &now) == 0 && held.st_dev == now.st_dev &&
	    held.st_ino == now.st_ino;
}

/* Returns a descriptor that holds the lock, or -1 with errno, EWOULDBLOCK: another one has it. */
static int lock(const struct namelock *locks, const char *path)
{
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		int fd = make_file(locks, path) ? filelock_take(path, false) : -1;

		if (fd >= 0 && is_current(fd, path))
			return fd;
		if (fd >= 0)
			(void)close(fd);
		else if (errno != ENOENT)
			return -1;
	}
	return -1;
}

bool namelock_take(struct namelock *locks, const char *name)
{
	int fd;

	if (locks->directory == NULL || words_have(&locks->names, name))
		return true;
	MEM_AUTO char *path = path_of(locks, name);

	fd = lock(locks, path);
	if (fd < 0)
		return errno != EWOULDBLOCK;
	locks->fd = mem_resize(locks->fd, locks->count + 1, sizeof(*locks->fd));
	locks->fd[locks->count++] = fd;
	words_add(&locks->names, name);
	return true;
}

/* Removes the file while it is locked, so that no other vmrun locks a file without a name. */
static void release(struct namelock *locks, size_t index)
{
	MEM_AUTO char *path = path_of(locks, locks->names.item[index]);

	(void)unlink(path);
	filelock_drop(locks->fd[index]);
}

void namelock_drop(struct namelock *locks, const char *name)
{
	struct words kept = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < locks->count; i++) {
		if (strcmp(locks->names.item[i], name) == 0) {
			release(locks, i);
			continue;
		}
		locks->fd[count++] = locks->fd[i];
		words_add(&kept, locks->names.item[i]);
	}
	words_free(&locks->names);
	locks->names = kept;
	locks->count = count;
}

/* Removes a file that no vmrun has locked: one that was killed has left it. */
static void remove_if_stale(const char *path)
{
	int fd = filelock_take(path, false);

	if (fd < 0)
		return;
	if (is_current(fd, path))
		(void)unlink(path);
	(void)close(fd);
}

static void remove_stale(const struct namelock *locks)
{
	DIR *list = opendir(locks->directory);
	const struct dirent *entry;

	if (list == NULL)
		return;
	while ((entry = readdir(list)) != NULL) {
		MEM_AUTO char *path = path_of(locks, entry->d_name);

		remove_if_stale(path); /* a directory cannot be locked */
	}
	(void)closedir(list);
	(void)rmdir(locks->directory); /* fails while other vmruns have locks */
}

void namelock_close(struct namelock *locks)
{
	for (size_t i = 0; i < locks->count; i++)
		release(locks, i);
	if (locks->directory != NULL && rmdir(locks->directory) != 0 && errno != ENOENT)
		remove_stale(locks);
	words_free(&locks->names);
	free(locks->fd);
	free(locks->directory);
	memset(locks, 0, sizeof(*locks));
}
