/* The connection to a control socket: lines, and errors of the operating system. */
#include "../base/dice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmrunctl/connection.h"

static int calls_until_error; /* of fcntl(), which then fails once */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __wrap_fcntl(int fd, int command, int argument);
int __wrap_fcntl64(int fd, int command, int argument);
int __real_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, int argument)
{
	if (calls_until_error > 0 && --calls_until_error == 0) {
		errno = ENOLCK;
		return -1;
	}
	return __real_fcntl(fd, command, argument);
}

/* The name of the function where off_t has 64 bits on request. */
int __wrap_fcntl64(int fd, int command, int argument)
{
	return __wrap_fcntl(fd, command, argument);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Returns the lowest descriptor that is free. */
static int free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	(void)close(fd);
	return fd;
}

static void test_socket_is_closed_after_an_error(void **state)
{
	struct connection c;
	int before = free_fd();

	(void)state;
	for (int call = 1; call <= 2; call++) {
		calls_until_error = call;
		assert_int_equal(connection_open(&c, "/nonexistent/control", 0), -1);
		assert_int_equal(errno, ENOLCK);
		assert_int_equal(calls_until_error, 0);
		assert_int_equal(c.fd, -1);
		assert_int_equal(free_fd(), before);
	}
	assert_int_equal(connection_open(&c, "/nonexistent/control", 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(free_fd(), before);
}

static void test_lines(void **state)
{
	struct connection c = { .fd = -1 };
	char *line;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	c.fd = ends[0];
	assert_int_equal(write(ends[1], "one\n\ntw", 7), 7);
	line = connection_read_line(&c, -1);
	assert_string_equal(line, "one");
	free(line);
	line = connection_read_line(&c, -1);
	assert_string_equal(line, "");
	free(line);
	assert_null(connection_read_line(&c, connection_now_ms()));
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(write(ends[1], "o\nrest", 6), 6);
	line = connection_read_line(&c, -1);
	assert_string_equal(line, "two");
	free(line);
	(void)close(ends[1]);
	assert_null(connection_read_line(&c, -1));
	assert_int_equal(errno, 0);
	connection_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_is_closed_after_an_error),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
