/* The connection to a control socket: lines, deadlines, and what a full socket keeps back. */
#include "../base/dice.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "client/connection.h"
#include "platform/clock.h"

#define MAX_REFUSED_MS 1000
#define MANY ((size_t)4 << 20) /* bytes: more than a socket holds */

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
	assert_int_equal(connection_open(&c, "/nonexistent/control", 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(c.fd, -1);
	assert_int_equal(free_fd(), before);
}

static int owner;

static void listen_now(int signal)
{
	(void)signal;
	(void)listen(owner, 1);
}

static void bind_owner(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "soon" };

	owner = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(owner, (const struct sockaddr *)&address, sizeof(address)), 0);
}

/* A socket whose owner is about to listen is waited for. */
static void test_owner_that_is_about_to_listen(void **state)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 30000 } };
	struct connection c;

	(void)state;
	bind_owner();
	assert_ptr_not_equal(signal(SIGALRM, listen_now), SIG_ERR);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(connection_open(&c, "soon", -1), 0);
	connection_close(&c);
	(void)close(owner);
	(void)signal(SIGALRM, SIG_DFL);
}

/* An owner that never listens is waited for a moment, and one that has exited not at all. */
static void test_owner_that_does_not_listen(void **state)
{
	struct connection c;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const size_t end = sizeof(path) - sizeof("soon");
	int64_t began;

	(void)state;
	bind_owner();
	assert_int_equal(connection_open(&c, "soon", clock_deadline_ms(0)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	began = clock_ms();
	assert_int_equal(connection_open(&c, "soon", -1), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_true(clock_ms() - began >= MAX_REFUSED_MS);
	(void)close(owner);
	/* On Linux this is longer than vmrun's own paths may be. */
	for (size_t i = 0; i < end; i++)
		path[i] = i % 2 == 0 ? '.' : '/';
	path[end - 1] = '/';
	(void)snprintf(path + end, sizeof(path) - end, "soon");
	assert_int_equal(connection_open(&c, path, -1), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

/* Opens a connection to the other end, which is returned. */
static int open_pair(struct connection *c)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	memset(c, 0, sizeof(*c));
	c->fd = ends[0];
	return ends[1];
}

static void expect_line(struct connection *c, const char *text)
{
	char *line = connection_cut_line(c);

	assert_non_null(line);
	assert_string_equal(line, text);
	free(line);
}

static void test_lines(void **state)
{
	struct connection c;
	int end = open_pair(&c);

	(void)state;
	assert_int_equal(write(end, "one\n\ntw", 7), 7);
	assert_int_equal(connection_receive(&c, -1), 1);
	expect_line(&c, "one");
	expect_line(&c, "");
	assert_null(connection_cut_line(&c));
	assert_false(connection_has_line(&c));
	assert_int_equal(connection_receive(&c, clock_deadline_ms(0)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(write(end, "o\nrest", 6), 6);
	assert_int_equal(connection_receive(&c, -1), 1);
	assert_true(connection_has_line(&c));
	expect_line(&c, "two");
	/* What was searched in vain is used, and the newline of the next line stands where it was.
	 */
	assert_false(connection_has_line(&c));
	connection_use(&c, 4);
	assert_int_equal(write(end, "go\n", 3), 3);
	assert_int_equal(connection_receive(&c, -1), 1);
	expect_line(&c, "go");
	(void)close(end);
	assert_int_equal(connection_receive(&c, -1), 0);
	assert_null(connection_cut_line(&c));
	connection_close(&c);
}

/* What the socket does not accept stays, in order, and goes while the connection receives. */
static void test_unsent_bytes_go_later(void **state)
{
	static char bytes[65536];
	struct connection c;
	int end = open_pair(&c);
	size_t got = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		char byte = (char)('a' + i % 23);

		str_add_n(&c.unsent, &byte, 1);
	}
	assert_int_equal(connection_flush(&c, clock_deadline_ms(0)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(c.unsent.length > 0 && c.unsent.length < MANY);
	while (got < MANY) {
		ssize_t n = read(end, bytes, sizeof(bytes));

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(bytes[i], 'a' + (got + (size_t)i) % 23);
		got += (size_t)n;
		assert_int_equal(connection_receive(&c, clock_deadline_ms(0)), -1);
	}
	assert_int_equal(c.unsent.length, 0);
	(void)close(end);
	connection_close(&c);
}

static void test_a_line_has_a_limit(void **state)
{
	struct connection c;
	int end = open_pair(&c);

	(void)state;
	str_add_n(&c.received, "x", 1);
	c.received.text = realloc(c.received.text, MAX_LINE + 1);
	assert_non_null(c.received.text);
	memset(c.received.text, 'x', MAX_LINE);
	c.received.length = MAX_LINE;
	c.received.room = MAX_LINE + 1;
	assert_int_equal(connection_receive(&c, -1), -1);
	assert_int_equal(errno, EMSGSIZE);
	(void)close(end);
	connection_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_is_closed_after_an_error),
		cmocka_unit_test_setup_teardown(
		    test_owner_that_is_about_to_listen, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_owner_that_does_not_listen, scratch_enter, scratch_leave),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_unsent_bytes_go_later),
		cmocka_unit_test(test_a_line_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
