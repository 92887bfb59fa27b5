/* Which disks of a VM are locked, and how. */
#include "ledger/disklock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../hyper/planned.h"
#include "../platform/scratch.h"
#include "platform/filelock.h"

static char *devices(const char *writes, const char *reads)
{
	MEM_AUTO char *one = scratch_path(writes), *two = scratch_path(reads);

	return mem_format("emulations = { { device = 'ahci-cd', path = '%s' },"
			  "{ device = 'virtio-blk', path = '%s' } }",
	    two, one);
}

static int is_locked(const char *name, bool shared)
{
	int fd = filelock_take(name, shared);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0;
}

static void taken_and_released(void **state)
{
	MEM_AUTO char *keys = devices("disk", "cd"), *path = scratch_path("disk");
	struct planned p = { 0 };
	struct disklock locks = { 0 };
	struct error err = { 0 };

	(void)state;
	scratch_write("disk", "x", 0600);
	scratch_write("cd", "x", 0600);
	planned_good(&p, &hyper_bhyve, keys);
	assert_int_equal(disklock_take(&locks, p.boot.spec, false, &err), 0);
	assert_true(is_locked("disk", true));
	assert_true(is_locked("cd", false));
	assert_false(is_locked("cd", true));
	assert_true(words_have(&locks.paths, path));
	assert_int_equal(
	    disklock_take(&locks, p.boot.spec, false, &err), 0); /* they are held already */
	assert_int_equal(locks.count, 2);
	disklock_release(&locks);
	assert_false(is_locked("disk", false));
	assert_false(is_locked("cd", false));
	assert_int_equal(locks.paths.count, 0);
	planned_free(&p);
}

/* A disk that was made anew gets the lock of the old one. */
static void made_anew(void **state)
{
	MEM_AUTO char *keys = devices("disk", "cd");
	struct planned p = { 0 };
	struct disklock locks = { 0 };
	struct error err = { 0 };

	(void)state;
	scratch_write("disk", "x", 0600);
	scratch_write("cd", "x", 0600);
	planned_good(&p, &hyper_bhyve, keys);
	assert_int_equal(disklock_take(&locks, p.boot.spec, true, &err), 0);
	assert_int_equal(locks.count, 0); /* no companion makes one */
	assert_int_equal(disklock_take(&locks, p.boot.spec, false, &err), 0);
	assert_int_equal(rename("disk", "old"), 0);
	scratch_write("disk", "x", 0600);
	assert_false(is_locked("disk", false));
	assert_int_equal(disklock_take(&locks, p.boot.spec, false, &err), 0);
	assert_true(is_locked("disk", true));
	assert_false(is_locked("old", false));
	assert_int_equal(locks.count, 2);
	disklock_release(&locks);
	assert_false(is_locked("disk", false));
	planned_free(&p);
}

static void somebody_else_has_one(void **state)
{
	MEM_AUTO char *keys = devices("disk", "cd"), *path = scratch_path("cd");
	MEM_AUTO char *text =
	    mem_format("%s: in use by another vmrun (fuser or fstat names it)", path);
	struct planned p = { 0 };
	struct disklock locks = { 0 };
	struct error err = { 0 };
	int other;

	(void)state;
	scratch_write("disk", "x", 0600);
	scratch_write("cd", "x", 0600);
	other = filelock_take("cd", false);
	planned_good(&p, &hyper_bhyve, keys);
	assert_int_equal(disklock_take(&locks, p.boot.spec, false, &err), -1);
	assert_int_equal(err.status, STATUS_CHECK);
	assert_string_equal(err.text, text);
	assert_false(is_locked("disk", false)); /* none is held */
	error_clear(&err);
	disklock_release(&locks);
	(void)close(other);
	planned_free(&p);
}

/* A boot that writes to a disk which the boot before it only read has the disk for itself. */
static void read_first_and_written_later(void **state)
{
	MEM_AUTO char *first = devices("disk", "image"), *then = devices("image", "disk");
	struct planned reads = { 0 }, writes = { 0 };
	struct disklock locks = { 0 };
	struct error err = { 0 };
	int other;

	(void)state;
	scratch_write("disk", "x", 0600);
	scratch_write("image", "x", 0600);
	planned_good(&reads, &hyper_bhyve, first);
	planned_good(&writes, &hyper_bhyve, then);
	assert_int_equal(disklock_take(&locks, reads.boot.spec, false, &err), 0);
	other = filelock_take("image", true); /* another VM reads it, too */
	assert_true(other >= 0);
	assert_int_equal(disklock_take(&locks, writes.boot.spec, false, &err), -1);
	assert_int_equal(err.status, STATUS_CHECK);
	assert_non_null(strstr(err.text, "/image: in use by another vmrun"));
	error_clear(&err);
	(void)close(other);
	assert_true(is_locked("image", false)); /* as before */
	assert_false(is_locked("image", true));
	assert_int_equal(disklock_take(&locks, writes.boot.spec, false, &err), 0);
	assert_true(is_locked("image", true));
	assert_int_equal(locks.count, 2);
	assert_int_equal(disklock_take(&locks, reads.boot.spec, false, &err), 0);
	disklock_release(&locks);
	assert_false(is_locked("image", false));
	planned_free(&reads);
	planned_free(&writes);
}

static void a_missing_disk_is_no_matter_of_locks(void **state)
{
	MEM_AUTO char *keys = devices("missing", "cd");
	struct planned p = { 0 };
	struct disklock locks = { 0 };
	struct error err = { 0 };

	(void)state;
	scratch_write("cd", "x", 0600);
	planned_good(&p, &hyper_bhyve, keys);
	assert_int_equal(disklock_take(&locks, p.boot.spec, false, &err), 0);
	assert_int_equal(locks.count, 1);
	disklock_release(&locks);
	planned_free(&p);
}

/* A file that one device writes and another reads has one lock, the writer's. */
static void one_file_twice(void **state)
{
	MEM_AUTO char *keys = devices("disk", "disk");
	struct planned p = { 0 };
	struct disklock locks = { 0 };
	struct error err = { 0 };

	(void)state;
	scratch_write("disk", "x", 0600);
	planned_good(&p, &hyper_bhyve, keys);
	assert_int_equal(disklock_take(&locks, p.boot.spec, false, &err), 0);
	assert_int_equal(locks.count, 1);
	assert_true(is_locked("disk", true));
	disklock_release(&locks);
	planned_free(&p);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(taken_and_released),
		IN_SCRATCH(made_anew),
		IN_SCRATCH(read_first_and_written_later),
		IN_SCRATCH(somebody_else_has_one),
		IN_SCRATCH(a_missing_disk_is_no_matter_of_locks),
		IN_SCRATCH(one_file_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
