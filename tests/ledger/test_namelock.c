/* Locks on names that a run finds free. */
#include "ledger/namelock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/mem.h"

#define RIVALS 8
#define NAMES 8
#define ROUNDS 20

/* A file that its owner removes between the next open(2) and flock(2) of it; NULL: none. */
static const char *removed;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_flock(int fd, int operation)
{
	if (removed != NULL)
		assert_int_equal(unlink(removed), 0);
	removed = NULL;
	return __real_flock(fd, operation);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void open_locks(struct namelock *locks, const char *vm)
{
	MEM_AUTO char *directory = scratch_path(vm);

	namelock_open(locks, directory);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Makes a file as a vmrun that was killed leaves it. */
static void leave_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_files_of_the_dead(void **state)
{
	struct namelock a, b;
	int descriptors = count_descriptors();

	(void)state;
	open_locks(&a, "a");
	open_locks(&b, "b");
	assert_true(namelock_take(&a, "tap0"));
	assert_true(namelock_take(&b, "tap1"));
	leave_file(".names/tap2");
	namelock_close(&a);
	assert_false(exists(".names/tap2"));
	assert_true(exists(".names/tap1"));
	leave_file(".names/tap2");
	namelock_close(&b);
	assert_false(exists(".names"));
	assert_int_equal(count_descriptors(), descriptors);
}

static void test_taken_and_dropped(void **state)
{
	struct namelock a, b;
	struct stat st;

	(void)state;
	open_locks(&a, "a");
	open_locks(&b, "b");
	assert_false(exists(".names")); /* opening alone writes nothing */
	assert_true(namelock_take(&a, "tap0"));
	assert_true(namelock_take(&a, "tap0")); /* it is its own */
	assert_int_equal(a.count, 1);
	assert_int_equal(stat(".names/tap0", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(".names", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_false(namelock_take(&b, "tap0"));
	assert_true(namelock_take(&b, "tap1"));
	assert_false(namelock_take(&a, "tap1"));
	namelock_drop(&a, "tap7");
	namelock_drop(&a, "tap0");
	assert_false(exists(".names/tap0"));
	assert_true(namelock_take(&b, "tap0"));
	assert_false(namelock_take(&a, "tap0"));
	namelock_close(&a);
	assert_true(exists(".names/tap0"));
	namelock_close(&b);
	assert_false(exists(".names"));
}

/* A program that has closed its standard input gets descriptor 0 for the new file. */
static void test_without_standard_input(void **state)
{
	struct namelock locks;
	int input = dup(STDIN_FILENO);

	(void)state;
	open_locks(&locks, "a");
	assert_int_equal(close(STDIN_FILENO), 0);
	errno = EACCES; /* of an earlier call */
	assert_true(namelock_take(&locks, "tap0"));
	assert_int_equal(locks.count, 1);
	namelock_close(&locks);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
}

/* A vmrun that was killed leaves its files, but no lock. */
static void test_left_file(void **state)
{
	struct namelock locks;

	(void)state;
	assert_int_equal(mkdir(".names", 0700), 0);
	scratch_write(".names/tap0", "", 0600);
	open_locks(&locks, "a");
	assert_true(namelock_take(&locks, "tap0"));
	namelock_close(&locks);
	assert_false(exists(".names"));
}

/* A lock on a file that has no name any more keeps nobody out. */
static void test_removed_file(void **state)
{
	struct namelock a, b;

	(void)state;
	open_locks(&a, "a");
	open_locks(&b, "b");
	removed = ".names/tap0";
	assert_true(namelock_take(&a, "tap0"));
	assert_null(removed);
	assert_false(namelock_take(&b, "tap0"));
	namelock_close(&a);
	namelock_close(&b);
	assert_false(exists(".names"));
}

/* Where no file can be made, names are free: the kernel and a retry decide. */
static void test_no_place(void **state)
{
	struct namelock locks;

	(void)state;
	scratch_write("file", "", 0600);
	open_locks(&locks, "file/a");
	assert_true(namelock_take(&locks, "tap0"));
	assert_int_equal(locks.count, 0);
	namelock_close(&locks);
	namelock_open(&locks, NULL);
	assert_true(namelock_take(&locks, "tap0"));
	namelock_close(&locks);
}

/* Takes a name in each round, notes that it has it, and fails if another process notes the same. */
static int compete(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct namelock locks;
		int held = 0;

		open_locks(&locks, "vm");
		while (held == 0) {
			for (int i = 0; i < NAMES && held == 0; i++) {
				MEM_AUTO char *name = mem_format("tap%d", i);
				int fd;

				if (!namelock_take(&locks, name))
					continue;
				held++;
				fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
				if (fd < 0 || close(fd) != 0 || unlink(name) != 0)
					return 1;
			}
		}
		namelock_close(&locks);
	}
	return 0;
}

/* Several processes that take the lowest free name again and again never have the same one. */
static void test_rivals(void **state)
{
	pid_t rivals[RIVALS];

	(void)state;
	for (int i = 0; i < RIVALS; i++) {
		rivals[i] = fork();
		assert_true(rivals[i] >= 0);
		if (rivals[i] == 0)
			_exit(compete());
	}
	for (int i = 0; i < RIVALS; i++) {
		int status;

		assert_int_equal(waitpid(rivals[i], &status, 0), rivals[i]);
		assert_int_equal(status, 0);
	}
	assert_false(exists(".names"));
}

#define NAMES_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(test_taken_and_dropped),
		NAMES_TEST(test_files_of_the_dead),
		NAMES_TEST(test_left_file),
		NAMES_TEST(test_without_standard_input),
		NAMES_TEST(test_removed_file),
		NAMES_TEST(test_no_place),
		NAMES_TEST(test_rivals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
