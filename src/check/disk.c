/* Images and disk devices. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/need.h"
#include "device/disk.h"
#include "platform/filelock.h"
#include "platform/os.h"

#define NEW_DISK "20G" /* the size of a disk in advice: large enough for most guests */

static void check_sectors(struct check *c, const struct checked_need *need)
{
	int64_t real = os_sector_size(need->need->what), wanted = need->need->sector;

	/* A larger sector consists of several real ones (bhyve's block_if.c). */
	if (wanted != 0 && real > wanted)
		(void)check_problem(c, need, need->need->what,
		    "its sectors have %" PRId64 " bytes: logical_sector_size cannot be %" PRId64,
		    real, wanted);
}

/* Tries the lock, and releases it at once. */
static void check_lock(struct check *c, const struct checked_need *need)
{
	int fd;

	if (check_is_ours(c, need->need->what))
		return;
	fd = filelock_take_soon(need->need->what, !need->need->write);
	if (fd >= 0)
		(void)close(fd);
	else if (errno == EWOULDBLOCK)
		(void)check_problem(c, need, need->need->what, NEED_DISK_IN_USE);
}

static bool is_same_disk(const struct stat *st, const char *path)
{
	struct stat other;

	if (stat(path, &other) < 0)
		return false;
	if (other.st_dev == st->st_dev && other.st_ino == st->st_ino)
		return true;
	return ((S_ISCHR(st->st_mode) && S_ISCHR(other.st_mode)) ||
		   (S_ISBLK(st->st_mode) && S_ISBLK(other.st_mode))) &&
	    st->st_rdev == other.st_rdev;
}

/*
 * Returns whether the device has the same disk among its first `count` needs, and one of the two
 * writes.
 */
static bool has_disk(
    const struct device *dev, size_t count, const struct checked_need *need, const struct stat *st)
{
	NEEDS_AUTO struct needs needs = { 0 };
	bool found = false;

	device_needs(dev, &needs);
	for (size_t i = 0; i < needs.count && i < count && !found; i++)
		found = needs.item[i].kind == NEED_DISK &&
		    (needs.item[i].write || need->need->write) &&
		    is_same_disk(st, needs.item[i].what);
	return found;
}

/*
 * Refuses a disk that two devices share if one of them writes: with separate caches they destroy
 * its contents.
 */
static void check_twice(struct check *c, const struct checked_need *need, const struct stat *st)
{
	const struct spec *spec = c->request->spec;

	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (has_disk(dev, dev == need->dev ? need->index : SIZE_MAX, need, st)) {
			MEM_AUTO char *label = device_label(dev);

			(void)check_problem(c, need, need->need->what,
			    "the same disk as that of %s: only readers can share one", label);
			return;
		}
		if (dev == need->dev)
			return;
	}
}

/*
 * Adds the command that makes a missing disk.  A CD and a disk that the guest only reads get none,
 * because an empty one would be of no use; nor does a file whose directory is missing.
 */
static void advise_to_make(struct finding *f, const struct need *need)
{
	const char *volume = str_after(need->what, "/dev/zvol/");
	MEM_AUTO char *directory = check_parent(need->what);

	if (need->cd || !need->write)
		return;
	if (volume != NULL && *volume != '\0')
		check_advise(f, COMMAND("zfs", "create", "-V", NEW_DISK, volume));
	else if (str_after(need->what, "/dev/") != NULL ||
	    check_access(directory, W_OK | X_OK) != NULL)
		return;
	else if (strcmp(need->format, disk_formats[FORMAT_RAW]) == 0)
		check_advise(f, COMMAND("truncate", "-s", NEW_DISK, need->what));
	else
		check_advise(
		    f, COMMAND("qemu-img", "create", "-f", need->format, need->what, NEW_DISK));
}

void check_disk(struct check *c, const struct checked_need *need)
{
	const char *path = need->need->what, *why;
	struct stat st = { 0 };

	why = stat(path, &st) < 0 ? strerror(errno)
				  : check_access(path, R_OK | (need->need->write ? W_OK : 0));
	if (st.st_mode != 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) &&
	    !S_ISCHR(st.st_mode)) {
		(void)check_problem(c, need, path, "%s: expected a disk", check_kind(st.st_mode));
		return;
	}
	if (why != NULL) {
		struct finding *f = check_problem(c, need, path, "%s", why);

		if (access(path, F_OK) != 0 && errno == ENOENT)
			advise_to_make(f, need->need);
		return;
	}
	check_image(c, need);
	check_sectors(c, need);
	check_twice(c, need, &st);
	check_lock(c, need);
}
