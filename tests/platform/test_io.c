/* Writing all of it: what a limit, a full pipe and a lost reader do. */
#include "platform/io.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

/* Signals end this test where the code lets them through. */
static int enter(void **state)
{
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	return scratch_enter(state);
}

/* What write_all() says under a limit on the size of files, and its errno. */
static size_t write_limited(int fd, const char *text, rlim_t most)
{
	struct rlimit old, small;
	size_t done;
	int saved;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = most, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	errno = 0;
	done = write_all(fd, text, strlen(text));
	saved = errno;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	errno = saved;
	return done;
}

static void assert_size(const char *name, off_t size)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, size);
}

static void test_a_limit_is_an_error_and_no_signal(void **state)
{
	int fd = open("file", O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write_limited(fd, "abcdef", 10), 6);
	assert_int_equal(write_limited(fd, "ghijkl", 10), 4);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(write_limited(fd, "m", 10), 0);
	assert_int_equal(errno, EFBIG);
	assert_size("file", 10);
	assert_int_equal(write_all(fd, "klm", 3), 3); /* the limit is gone */
	assert_size("file", 13);
	(void)close(fd);
}

/* Where the write goes is the end, whatever the descriptor's own offset says. */
static void test_a_limit_counts_what_is_appended_to(void **state)
{
	int fd;

	(void)state;
	scratch_write("full", "1234567890", 0600);
	fd = open("full", O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	assert_int_equal(write_limited(fd, "abcdef", 10), 0);
	assert_int_equal(errno, EFBIG);
	(void)close(fd);
	scratch_write("file", "12345678", 0600);
	fd = open("file", O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	assert_int_equal(write_limited(fd, "abcdef", 10), 2);
	assert_int_equal(errno, EFBIG);
	assert_size("file", 10);
	(void)close(fd);
}

static void test_a_lost_reader_is_an_error_and_no_signal(void **state)
{
	sigset_t before, after, pending;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	(void)sigprocmask(SIG_BLOCK, NULL, &before);
	errno = 0;
	assert_int_equal(write_all(ends[1], "x", 1), 0);
	assert_int_equal(errno, EPIPE);
	(void)sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
	(void)sigprocmask(SIG_BLOCK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGPIPE), sigismember(&before, SIGPIPE));
	(void)close(ends[1]);
}

static void test_a_signal_of_others_stays_pending(void **state)
{
	const struct timespec at_once = { 0 };
	sigset_t broken, before, pending;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	(void)sigemptyset(&broken);
	(void)sigaddset(&broken, SIGPIPE);
	(void)sigprocmask(SIG_BLOCK, &broken, &before);
	(void)raise(SIGPIPE);
	assert_int_equal(write_all(ends[1], "x", 1), 0);
	(void)sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGPIPE), 1);
	assert_int_equal(sigtimedwait(&broken, NULL, &at_once), SIGPIPE);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)close(ends[1]);
}

/* A part is taken, then nothing: errno is of the call that took nothing. */
static void test_a_full_pipe_takes_a_part(void **state)
{
	const size_t n = 1 << 20;
	char *bytes = calloc(1, n);
	int ends[2];
	size_t done;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(pipe(ends), 0);
	(void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
	errno = 0;
	done = write_all(ends[1], bytes, n);
	assert_true(done > 0 && done < n);
	assert_int_equal(errno, EAGAIN);
	(void)close(ends[0]);
	(void)close(ends[1]);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_limit_is_an_error_and_no_signal, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_limit_counts_what_is_appended_to, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_lost_reader_is_an_error_and_no_signal, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_signal_of_others_stays_pending, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_full_pipe_takes_a_part, enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
