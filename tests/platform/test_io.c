/* Reading to the end, writing all and creating, with limits, a full pipe and a closed reader. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

/* Restores the default actions, so that a signal that the code lets through ends the test. */
static int enter(void **state)
{
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	return scratch_enter(state);
}

/* Returns the result of write_all() under a limit on the size of files, and keeps errno. */
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

/* Appending writes at the end of the file, whatever the descriptor's offset is. */
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

/* A pipe that is full after a part: errno is that of the call that wrote nothing. */
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

static void reads(const char *name, size_t max, int rc, int why, const char *text)
{
	STR_AUTO struct str s = { 0 };
	int fd = open(name, O_RDONLY);

	assert_true(fd >= 0);
	str_add(&s, ">");
	errno = 0;
	assert_int_equal(read_all(fd, max, &s), rc);
	assert_int_equal(rc == 0 ? 0 : errno, why);
	assert_string_equal(s.text, text);
	(void)close(fd);
}

static void test_reading(void **state)
{
	(void)state;
	scratch_write("file", "0123", 0600);
	scratch_write("empty", "", 0600);
	reads("empty", 1, 0, 0, ">");
	reads("file", 5, 0, 0, ">0123");
	reads("file", 4, -1, EFBIG, ">");
	reads(".", 5, -1, EISDIR, ">");
}

/* More bytes than a buffer, in pieces of any length. */
static void test_reading_a_pipe(void **state)
{
	const size_t n = 100000;
	MEM_AUTO char *bytes = mem_zero(n);
	STR_AUTO struct str s = { 0 };
	int fds[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i % 251);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (size_t at = 0; at < n; at += 1000)
			(void)write_all(fds[1], bytes + at, 1000);
		_exit(0);
	}
	(void)close(fds[1]);
	assert_int_equal(read_all(fds[0], n, &s), 0);
	(void)close(fds[0]);
	assert_int_equal(s.length, n);
	assert_memory_equal(s.text, bytes, n);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

enum { SIGNALS = 20 };

static int handled[2];

static void on_signal(int unused)
{
	(void)unused;
	(void)!write(handled[1], "", 1);
}

/* Interrupts the reader repeatedly before it gets anything. */
static void disturb(pid_t reader, int fd)
{
	char byte;

	for (int i = 0; i < SIGNALS; i++) {
		(void)kill(reader, SIGUSR1);
		(void)!read(handled[0], &byte, 1);
	}
	(void)write_all(fd, "text", 4);
	_exit(0);
}

static void test_reading_is_not_interrupted(void **state)
{
	struct sigaction action = { .sa_handler = on_signal };
	STR_AUTO struct str s = { 0 };
	pid_t reader = getpid(), pid;
	int fds[2], status;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(handled), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		disturb(reader, fds[1]);
	(void)close(fds[1]);
	assert_int_equal(read_all(fds[0], 100, &s), 0);
	assert_string_equal(s.text, "text");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fds[0]);
	(void)close(handled[0]);
	(void)close(handled[1]);
	(void)signal(SIGUSR1, SIG_DFL);
}

static void test_what_can_be_created(void **state)
{
	(void)state;
	assert_true(io_can_create("new"));
	assert_true(io_can_create("new/"));
	assert_true(io_can_create("./new"));
	assert_true(io_can_create("/tmp/new"));
	assert_int_equal(mkdir("there", 0700), 0);
	assert_true(io_can_create("there/new"));
	assert_true(io_can_create("there//new//"));
	assert_false(io_can_create("missing/new"));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_false(io_can_create("loop/new"));
	assert_int_equal(errno, ELOOP);
	if (geteuid() != 0) {
		assert_int_equal(chmod("there", 0500), 0);
		assert_false(io_can_create("there/new"));
		assert_int_equal(errno, EACCES);
	}
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
		cmocka_unit_test_setup_teardown(test_reading, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_what_can_be_created, enter, scratch_leave),
		cmocka_unit_test(test_reading_a_pipe),
		cmocka_unit_test(test_reading_is_not_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
