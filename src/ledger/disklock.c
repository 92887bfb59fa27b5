/* Locks on the disks of a VM. */
#include "ledger/disklock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/filelock.h"

/* Adds the disks that the guest writes to or only reads, and that companions make or do not. */
static void collect(const struct spec *spec, bool write, bool made, struct needs *needs)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];
		NEEDS_AUTO struct needs all = { 0 };

		if (!dev->removed && dev->kind->needs != NULL)
			dev->kind->needs(dev, &all);
		for (size_t k = 0; k < all.count; k++) {
			const struct need *need = &all.item[k];

			if (need->kind == NEED_DISK && need->write == write &&
			    (spec_need_maker(spec, need) != NULL) == made)
				needs_add(needs, NEED_DISK, need->key, need->what)->write = write;
		}
	}
}

/* Returns whether the lock at this index is on the file that has the path now. */
static bool is_current(const struct disklock *locks, size_t at)
{
	struct stat held, now;

	return fstat(locks->held[at].fd, &held) == 0 && stat(locks->paths.item[at], &now) == 0 &&
	    held.st_dev == now.st_dev && held.st_ino == now.st_ino;
}

/* Adds a lock, or puts it in the place of the lock on an earlier file of that path. */
static void keep(struct disklock *locks, const char *path, struct disklock_held lock)
{
	for (size_t i = 0; i < locks->count; i++) {
		if (strcmp(locks->paths.item[i], path) == 0) {
			filelock_drop(locks->held[i].fd);
			locks->held[i] = lock;
			return;
		}
	}
	locks->held = mem_resize(locks->held, locks->count + 1, sizeof(*locks->held));
	locks->held[locks->count++] = lock;
	words_add(&locks->paths, path);
}

static int refuse(const char *path, struct error *err)
{
	return error_set(err, STATUS_CHECK, "%s: " NEED_DISK_IN_USE, path);
}

/* Makes a shared lock exclusive, for a boot that writes to what an earlier one only read. */
static int make_exclusive(struct disklock *locks, size_t at, struct error *err)
{
	struct disklock_held *held = &locks->held[at];
	const char *path = locks->paths.item[at];
	int fd;

	/* flock(2) may lose a lock that it cannot convert, and the old one would stop a new one. */
	(void)filelock_flock(held->fd, LOCK_UN);
	fd = filelock_take_soon(path, false);
	if (fd >= 0) {
		keep(locks, path, (struct disklock_held){ .fd = fd });
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return 0;
	(void)filelock_flock(held->fd, LOCK_SH | LOCK_NB);
	return refuse(path, err);
}

static int take_one(struct disklock *locks, const struct need *need, struct error *err)
{
	int fd;

	for (size_t i = 0; i < locks->count; i++) {
		if (strcmp(locks->paths.item[i], need->what) == 0 && is_current(locks, i))
			return need->write && locks->held[i].shared ? make_exclusive(locks, i, err)
								    : 0;
	}
	fd = filelock_take_soon(need->what, !need->write);
	if (fd >= 0)
		keep(locks, need->what, (struct disklock_held){ fd, !need->write });
	else if (errno == EWOULDBLOCK)
		return refuse(need->what, err);
	return 0;
}

static void drop_from(struct disklock *locks, size_t first)
{
	while (locks->count > first)
		filelock_drop(locks->held[--locks->count].fd);
	words_truncate(&locks->paths, first);
}

int disklock_take(struct disklock *locks, const struct spec *spec, bool made, struct error *err)
{
	NEEDS_AUTO struct needs needs = { 0 };
	size_t before = locks->count;
	int rc = 0;

	/*
	 * Written disks first: a disk that is also read must get its exclusive lock, and only that.
	 */
	collect(spec, true, made, &needs);
	collect(spec, false, made, &needs);
	for (size_t i = 0; i < needs.count && rc == 0; i++)
		rc = take_one(locks, &needs.item[i], err);
	if (rc != 0)
		drop_from(locks, before);
	return rc;
}

void disklock_release(struct disklock *locks)
{
	drop_from(locks, 0);
	free(locks->held);
	words_free(&locks->paths);
	memset(locks, 0, sizeof(*locks));
}
