/* Which descriptors a started process has. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "scratch.h"
#include "starter.h"

enum { FD_LIMIT = 1024, MARKS = 4 };

/* Closes what the test runner left open, because it would change the next free numbers. */
static int setup_group(void **state)
{
	for (int fd = 3; fd < FD_LIMIT; fd++)
		(void)close(fd);
	return scratch_enter(state);
}

/* Checks that the child's descriptor and one of this process are the same file. */
static void assert_same_file(const char *text, int theirs, int ours)
{
	MEM_AUTO char *line = NULL;
	struct stat st;

	assert_int_equal(fstat(ours, &st), 0);
	line = mem_format("fd %d is %llu:%llu", theirs, (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	starter_assert_line(text, line);
}

static void assert_dev_null(const char *text, int theirs)
{
	int null = open("/dev/null", O_RDWR);

	assert_true(null >= 0);
	assert_same_file(text, theirs, null);
	(void)close(null);
}

/*
 * Opens different files at these numbers, which must be free; -1 ends a shorter list.
 */
static void open_marks(const int numbers[MARKS])
{
	for (int i = 0; i < MARKS && numbers[i] >= 0; i++) {
		char name[] = { 'm', (char)('0' + i), '\0' };
		int fd = open(name, O_CREAT | O_RDWR, 0600);

		assert_true(fd >= 0);
		if (fd == numbers[i])
			continue;
		assert_int_equal(dup2(fd, numbers[i]), numbers[i]);
		(void)close(fd);
	}
}

static void close_marks(const int numbers[MARKS])
{
	for (int i = 0; i < MARKS && numbers[i] >= 0; i++)
		(void)close(numbers[i]);
}

static void test_only_listed_descriptors_are_open(void **state)
{
	const int marks[MARKS] = { 20, 21, 300, FD_LIMIT - 1 };
	const struct spawn_fd fds[] = { { 20, 7 }, { 300, 20 } };
	MEM_AUTO char *text = NULL;

	(void)state;
	open_marks(marks);
	text = starter_report((struct spawn){ 0 }, fds, 2);
	starter_assert_line(text, "open: 0 1 2 7 20");
	assert_same_file(text, 7, 20);
	assert_same_file(text, 20, 300);
	close_marks(marks);
}

static void test_unlisted_standard_descriptors_are_null(void **state)
{
	const struct spawn_fd fds[] = { { 20, 2 } };
	const int marks[MARKS] = { 20, -1 };
	MEM_AUTO char *without = starter_report((struct spawn){ 0 }, NULL, 0);
	MEM_AUTO char *with = NULL;

	(void)state;
	starter_assert_line(without, "open: 0 1 2");
	assert_dev_null(without, 0);
	assert_dev_null(without, 2);
	open_marks(marks);
	with = starter_report((struct spawn){ 0 }, fds, 1);
	starter_assert_line(with, "open: 0 1 2");
	assert_dev_null(with, 0);
	assert_same_file(with, 2, 20);
	close_marks(marks);
}

static void test_descriptors_trade_places(void **state)
{
	const int marks[MARKS] = { 20, 21, 22, -1 };
	const struct spawn_fd swap[] = { { 20, 21 }, { 21, 20 } };
	const struct spawn_fd ring[] = { { 20, 21 }, { 21, 22 }, { 22, 20 } };
	const struct spawn_fd same[] = { { 20, 20 }, { 20, 21 }, { 20, 2 } };
	MEM_AUTO char *swapped = NULL;
	MEM_AUTO char *turned = NULL;
	MEM_AUTO char *copied = NULL;

	(void)state;
	open_marks(marks);
	swapped = starter_report((struct spawn){ 0 }, swap, 2);
	starter_assert_line(swapped, "open: 0 1 2 20 21");
	assert_same_file(swapped, 21, 20);
	assert_same_file(swapped, 20, 21);
	turned = starter_report((struct spawn){ 0 }, ring, 3);
	starter_assert_line(turned, "open: 0 1 2 20 21 22");
	assert_same_file(turned, 21, 20);
	assert_same_file(turned, 22, 21);
	assert_same_file(turned, 20, 22);
	copied = starter_report((struct spawn){ 0 }, same, 3);
	starter_assert_line(copied, "open: 0 1 2 20 21");
	assert_same_file(copied, 20, 20);
	assert_same_file(copied, 21, 20);
	assert_same_file(copied, 2, 20);
	close_marks(marks);
}

/* The system also uses low numbers for what it opens or copies during the start. */
static void test_low_free_numbers_can_be_asked_for(void **state)
{
	const int marks[MARKS] = { 20, 21, -1 };
	const struct spawn_fd fds[] = { { 20, 9 }, { 21, 8 }, { 20, 7 }, { 21, 6 }, { 20, 5 },
		{ 21, 4 }, { 20, 3 } };
	MEM_AUTO char *text = NULL;

	(void)state;
	open_marks(marks);
	text = starter_report((struct spawn){ 0 }, fds, 7);
	starter_assert_line(text, "open: 0 1 2 3 4 5 6 7 8 9");
	for (size_t i = 0; i < 7; i++)
		assert_same_file(text, fds[i].theirs, fds[i].ours);
	close_marks(marks);
}

static void test_close_on_exec_is_taken_off(void **state)
{
	const struct spawn_fd fds[] = { { 20, 20 }, { 21, 30 } };
	const int marks[MARKS] = { 20, 21, -1 };
	MEM_AUTO char *text = NULL;

	(void)state;
	open_marks(marks);
	assert_int_equal(fcntl(20, F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(fcntl(21, F_SETFD, FD_CLOEXEC), 0);
	text = starter_report((struct spawn){ 0 }, fds, 2);
	starter_assert_line(text, "open: 0 1 2 20 30");
	/* This process keeps the flag. */
	assert_int_equal(fcntl(20, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(21, F_GETFD), FD_CLOEXEC);
	close_marks(marks);
}

/* The pipes and marks of this process get the numbers 0 and 2. */
static void test_closed_standard_descriptors_of_ours_do_no_harm(void **state)
{
	int saved[2] = { fcntl(0, F_DUPFD_CLOEXEC, 100), fcntl(2, F_DUPFD_CLOEXEC, 100) };
	MEM_AUTO char *without = NULL;
	MEM_AUTO char *with = NULL;
	struct spawn_fd fd = { .theirs = 5 };

	(void)state;
	(void)close(0);
	(void)close(2);
	without = starter_report((struct spawn){ 0 }, NULL, 0);
	fd.ours = open("mark", O_CREAT | O_RDWR, 0600);
	with = starter_report((struct spawn){ 0 }, &fd, 1);
	starter_assert_line(without, "open: 0 1 2");
	assert_dev_null(without, 0);
	assert_dev_null(without, 2);
	assert_int_equal(fd.ours, 0);
	starter_assert_line(with, "open: 0 1 2 5");
	assert_dev_null(with, 0);
	assert_same_file(with, 5, 0);
	(void)dup2(saved[0], 0);
	(void)dup2(saved[1], 2);
	(void)close(saved[0]);
	(void)close(saved[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, starter_setup, starter_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_listed_descriptors_are_open),
		TEST(unlisted_standard_descriptors_are_null),
		TEST(descriptors_trade_places),
		TEST(low_free_numbers_can_be_asked_for),
		TEST(close_on_exec_is_taken_off),
		TEST(closed_standard_descriptors_of_ours_do_no_harm),
	};

	return cmocka_run_group_tests(tests, setup_group, scratch_leave);
}
