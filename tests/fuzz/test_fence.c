/* The fence of the fuzzers: what it lets pass, refuses, and takes for a fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "fuzz.h"
#include "platform/clock.h"
#include "platform/spawn.h"

#define REFUSED(call)                                   \
	do {                                            \
		errno = 0;                              \
		assert_true((call) && errno == EACCES); \
	} while (0)

static int leave(void **state)
{
	(void)state;
	fuzz_end();
	return 0;
}

static void test_private_files(void **state)
{
	MEM_AUTO char *file = mem_format("%s/a", fuzz_directory());
	MEM_AUTO char *other = mem_format("%s/b", fuzz_directory());
	int fd;

	(void)state;
	fuzz_begin(FENCE_ABORT);
	fuzz_write("a", "text", 4);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	fuzz_clear_directory();
	assert_int_equal(access(file, F_OK), -1);
}

static void test_other_files(void **state)
{
	MEM_AUTO char *inside = mem_format("%s/a", fuzz_directory());
	MEM_AUTO char *above = mem_format("%s/../vmrun-fuzz-none", fuzz_directory());
	MEM_AUTO char *beside = mem_format("%s-none", fuzz_directory());

	(void)state;
	fuzz_begin(FENCE_REFUSE);
	REFUSED(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0);
	REFUSED(fopen("/etc/passwd", "re") == NULL);
	REFUSED(fopen(above, "we") == NULL);
	REFUSED(mkdir(beside, 0700) < 0);
	REFUSED(rmdir(beside) < 0);
	REFUSED(unlink(beside) < 0);
	REFUSED(remove(beside) < 0);
	REFUSED(rename(inside, beside) < 0);
	REFUSED(rename(beside, inside) < 0);
}

static void test_processes(void **state)
{
	char *argv[] = { "true", NULL };
	struct spawn spawn = { .argv = argv, .path = "/bin/true" };
	struct error err = { 0 };
	pid_t pid;

	(void)state;
	fuzz_begin(FENCE_REFUSE);
	assert_int_equal(spawn_process(&spawn, &pid, &err), -1);
	error_clear(&err);
	REFUSED(system("true") < 0);	     /* NOLINT(cert-env33-c): it is refused */
	REFUSED(popen("true", "r") == NULL); /* NOLINT(cert-env33-c) */
	REFUSED(kill(getpid(), SIGKILL) < 0);
	assert_int_equal(kill(getpid(), 0), 0);
}

static void test_sockets(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/vmrun-none" };
	const struct sockaddr *at = (const struct sockaddr *)&address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	fuzz_begin(FENCE_REFUSE);
	REFUSED(connect(fd, at, sizeof(address)) < 0);
	REFUSED(bind(fd, at, sizeof(address)) < 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", fuzz_directory());
	assert_int_equal(bind(fd, at, sizeof(address)), 0);
	assert_int_equal(close(fd), 0);
}

static void test_time(void **state)
{
	int64_t date;

	(void)state;
	fuzz_begin(FENCE_ABORT);
	assert_int_equal(clock_ms(), FUZZ_NOW_MS);
	date = clock_date_ms();
	clock_sleep(3600000);
	fuzz_pass(1);
	assert_int_equal(clock_ms(), FUZZ_NOW_MS + 3600002);
	assert_int_equal(clock_date_ms(), date + 3600002);
	fuzz_begin(FENCE_ABORT);
	assert_int_equal(clock_ms(), FUZZ_NOW_MS);
}

static void test_fault(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		(void)freopen("/dev/null", "w", stderr);
		fuzz_begin(FENCE_ABORT);
		(void)open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_down(void **state)
{
	int fd;

	(void)state;
	fuzz_begin(FENCE_ABORT);
	fuzz_end();
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_not_equal(clock_ms(), FUZZ_NOW_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_private_files, leave),
		cmocka_unit_test_teardown(test_other_files, leave),
		cmocka_unit_test_teardown(test_processes, leave),
		cmocka_unit_test_teardown(test_sockets, leave),
		cmocka_unit_test_teardown(test_time, leave),
		cmocka_unit_test_teardown(test_fault, leave),
		cmocka_unit_test(test_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
