/* The buffers of one client, over a pair of sockets. */
#include "control/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_BYTES 4096 /* as MAX_READ in client.c */

static struct waitset *wait;
static struct client *client;
static int peer;
static int64_t now_ms;

/* The linker sends these calls here (see CMakeLists.txt). */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static int enter(void **state)
{
	struct error err = { 0 };
	int fd[2];

	(void)state;
	now_ms = 1000;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(fd[i], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(waitset_new(&wait, &err), 0);
	client = client_new(fd[0], 7, 0, wait);
	peer = fd[1];
	return 0;
}

static int leave(void **state)
{
	(void)state;
	client_free(client, wait);
	waitset_free(wait);
	if (peer >= 0)
		(void)close(peer);
	return 0;
}

static void say(const char *bytes, size_t n)
{
	assert_int_equal(send(peer, bytes, n, MSG_NOSIGNAL), n);
}

/* Fails unless the wait set reports the client, or that nothing is ready. */
static void check_wake(bool ready)
{
	struct error err = { 0 };
	struct wake wake;

	assert_int_equal(waitset_next(wait, 0, &wake, &err), ready ? 1 : 0);
	if (ready)
		assert_int_equal(wake.tag, 7);
}

static void test_new_client_is_watched(void **state)
{
	(void)state;
	assert_false(client->dead);
	assert_int_equal(client->arrived_ms, 1000);
	check_wake(false);
	say("x", 1);
	check_wake(true);
}

static void test_client_that_cannot_be_watched(void **state)
{
	struct client *other;
	int fd = dup(peer);

	(void)state;
	(void)close(fd);
	other = client_new(fd, 8, 0, wait);
	assert_true(other->dead);
	client_put(other, "x", 1);
	assert_int_equal(client_unread(other), 0);
	assert_false(client_flush(other));
	/* Nor can it be read. */
	other->dead = false;
	client_read(other);
	assert_true(other->dead);
	assert_false(other->leaves);
	client_free(other, wait);
}

static void test_lines(void **state)
{
	size_t n = 99;

	(void)state;
	assert_false(client_line(client, &n));
	say("ab", 2);
	client_read(client);
	assert_false(client_line(client, &n));
	assert_int_equal(client->searched, 2);
	client_used(client, 1);
	assert_int_equal(client->searched, 1);
	say("c\n\nd", 4);
	client_read(client);
	assert_true(client_line(client, &n));
	assert_int_equal(n, 2);
	assert_memory_equal(client_in(client), "bc\n", 3);
	client_used(client, 3);
	assert_true(client_line(client, &n));
	assert_int_equal(n, 0);
	client_used(client, 1);
	assert_false(client_line(client, &n));
	assert_int_equal(n, 1);
	client_used(client, 1);
	assert_null(client->in.text);
	assert_int_equal(client->searched, 0);
}

/* One call receives a limited number of bytes, so that no client holds up the others. */
static void test_bytes_of_one_read(void **state)
{
	MEM_AUTO char *bytes = mem_zero(READ_BYTES + 1);

	(void)state;
	say(bytes, READ_BYTES);
	client_read(client);
	assert_int_equal(client->in.length, READ_BYTES);
	check_wake(false);
	client_used(client, READ_BYTES);
	say(bytes, READ_BYTES + 1);
	client_read(client);
	assert_int_equal(client->in.length, READ_BYTES);
	check_wake(true);
	client_read(client);
	assert_int_equal(client->in.length, READ_BYTES + 1);
}

static void test_read_tells_the_end(void **state)
{
	(void)state;
	now_ms = 2000;
	client_read(client);
	assert_false(client->leaves || client->dead);
	assert_int_equal(client->moved_ms, 1000);
	say("x", 1);
	client_read(client);
	assert_int_equal(client->moved_ms, 2000);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	client_read(client);
	assert_true(client->leaves);
	assert_false(client->dead);
	assert_false(client_is_gone(client));
	(void)close(peer);
	peer = -1;
	assert_true(client_is_gone(client));
}

/* Output that fills the socket is sent piece by piece, and nothing of it is lost. */
static void test_slow_reader(void **state)
{
	const size_t all = (size_t)4 << 20;
	MEM_AUTO char *bytes = mem_zero(all);
	size_t got = 0;

	(void)state;
	for (size_t i = 0; i < all; i++)
		bytes[i] = (char)(i * 7 / 256);
	client_put(client, bytes, all);
	assert_false(client_flush(client));
	assert_false(client->dead);
	assert_in_range(client_unread(client), 1, all - 1);
	client_want(client, wait, false);
	check_wake(false);
	while (got < all) {
		char some[10000];
		ssize_t n = recv(peer, some, sizeof(some), 0);

		if (n < 0) {
			check_wake(true);
			(void)client_flush(client);
			continue;
		}
		assert_memory_equal(some, bytes + got, (size_t)n);
		got += (size_t)n;
	}
	assert_true(client_flush(client));
	assert_null(client->out.text);
}

/* The time of a slow client counts from when it has something to read, or has read something. */
static void test_time_of_output(void **state)
{
	(void)state;
	now_ms = 2000;
	client_put(client, "a", 1);
	assert_int_equal(client->moved_ms, 2000);
	now_ms = 3000;
	client_put(client, "b", 1);
	assert_int_equal(client->moved_ms, 2000);
	assert_true(client_flush(client));
	assert_int_equal(client->moved_ms, 3000);
}

static void test_flush_to_a_closed_connection(void **state)
{
	(void)state;
	(void)close(peer);
	peer = -1;
	client_put(client, "x", 1);
	assert_false(client_flush(client));
	assert_true(client->dead);
}

static void test_want(void **state)
{
	(void)state;
	say("x", 1);
	client_want(client, wait, false);
	check_wake(false);
	client_put(client, "y", 1);
	client_want(client, wait, false);
	check_wake(true);
	assert_true(client_flush(client));
	client_want(client, wait, false);
	check_wake(false);
	client_want(client, wait, true);
	check_wake(true);
}

/* The wait set may not know a dead client. */
static void test_want_of_a_dead_client(void **state)
{
	(void)state;
	client->dead = true;
	client_want(client, wait, false);
	assert_true(client->reading);
	say("x", 1);
	check_wake(true);
}

static void test_answers(void **state)
{
	static const char wanted[] =
	    "{\"ok\":true}\n{\"id\":\"a\",\"ok\":true}\n"
	    "{\"id\":1,\"ok\":false,\"error\":\"no \\\"x\\\" \xef\xbf\xbd\"}\n";
	char heard[sizeof(wanted)] = "";

	(void)state;
	client_accept(client, NULL);
	client_accept(client, "\"a\"");
	client_refuse(client, "1", "no \"x\" \xff");
	assert_true(client_flush(client));
	assert_int_equal(recv(peer, heard, sizeof(heard), 0), sizeof(wanted) - 1);
	assert_string_equal(heard, wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_client_is_watched),
		TEST(test_client_that_cannot_be_watched),
		TEST(test_lines),
		TEST(test_bytes_of_one_read),
		TEST(test_read_tells_the_end),
		TEST(test_slow_reader),
		TEST(test_time_of_output),
		TEST(test_flush_to_a_closed_connection),
		TEST(test_want),
		TEST(test_want_of_a_dead_client),
		TEST(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
