/* The places of clients: how many there are, and which client gives its place to another. */
#include "server.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "life.h"
#include "platform/os.h"

#define STATUS "{\"id\":1,\"cmd\":\"status\"}\n"
#define WAIT "{\"id\":2,\"cmd\":\"stop\",\"wait\":true}\n"
#define TOO_MANY                                                                          \
	"{\"ok\":false,\"error\":\"too many clients: 0 are connected; only status, stop " \
	"and kill are answered now, within 5 seconds\"}\n"

/* The linker sends these calls here (see CMakeLists.txt). */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __real_getrlimit(int resource, struct rlimit *limit);
int __wrap_getrlimit(int resource, struct rlimit *limit);
bool __real_os_peer(int fd, uid_t *uid, pid_t *pid);
bool __wrap_os_peer(int fd, uid_t *uid, pid_t *pid);

static bool is_stranger, is_unknown; /* the user of the next clients */

bool __wrap_os_peer(int fd, uid_t *uid, pid_t *pid)
{
	bool is_known = __real_os_peer(fd, uid, pid);

	if (is_stranger)
		*uid = geteuid() + 1;
	return is_known && !is_unknown;
}

static rlim_t descriptors = RLIM_INFINITY;
static int limit_fails;

int __wrap_getrlimit(int resource, struct rlimit *limit)
{
	/* The sanitizers ask for the size of the stack, before there is a test. */
	if (resource != RLIMIT_NOFILE)
		return __real_getrlimit(resource, limit);
	limit->rlim_cur = descriptors;
	return limit_fails ? -1 : 0;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static size_t limit_with(rlim_t count)
{
	static struct control c;

	memset(&c, 0, sizeof(c));
	descriptors = count;
	clients_open(&c);
	descriptors = RLIM_INFINITY;
	clients_free(&c);
	return c.limit;
}

/* 64 descriptors are for the VM, and 16 for the clients in reserved places. */
static void test_clients_that_descriptors_allow(void **state)
{
	(void)state;
	assert_int_equal(MAX_CLIENTS, 1024);
	assert_int_equal(MAX_ORDINARY_CLIENTS, 1008);
	assert_int_equal(limit_with(0), 8);
	assert_int_equal(limit_with(87), 8);
	assert_int_equal(limit_with(88), 8);
	assert_int_equal(limit_with(89), 9);
	assert_int_equal(limit_with(1087), 1007);
	assert_int_equal(limit_with(1088), 1008);
	assert_int_equal(limit_with(1089), 1008);
	assert_int_equal(limit_with(RLIM_INFINITY), 1008);
	limit_fails = 1;
	assert_int_equal(limit_with(100), 1008);
	limit_fails = 0;
}

/* A client of another user takes no place; programs tell its line from other refusals. */
static void test_a_stranger(void **state)
{
	int fd;

	(void)state;
	server_open();
	is_stranger = true;
	fd = server_dial();
	assert_string_equal(server_hear(fd),
	    "{\"ok\":false,\"denied\":true,\"error\":\"permission denied: only root and the user "
	    "of "
	    "this vmrun can send requests\"}\n");
	server_check_closed(fd);
	is_stranger = false;
	(void)close(fd);
	is_unknown = true;
	fd = server_dial();
	assert_string_equal(server_hear(fd),
	    "{\"ok\":false,\"error\":\"cannot find out the user of this client: try again\"}\n");
	server_check_closed(fd);
	is_unknown = false;
	assert_int_equal(server.control->count, 0);
	(void)close(fd);
	server_close();
}

static void check_counts(size_t ordinary, size_t reserved)
{
	assert_int_equal(server.control->ordinary, ordinary);
	assert_int_equal(server.control->count, ordinary + reserved);
}

/* A client beyond the limit gets a reserved place; places are used again. */
static void test_ordinary_places(void **state)
{
	struct peer peer[3];

	(void)state;
	server_open();
	server.control->limit = 2;
	for (int i = 0; i < 3; i++)
		peer[i] = server_connect();
	check_counts(2, 1);
	assert_false(peer[1].client->reserved);
	assert_true(peer[2].client->reserved);
	assert_ptr_equal(server.control->client[0], peer[2].client);
	(void)close(peer[0].fd);
	server_turn();
	check_counts(1, 1);
	peer[0] = server_connect();
	check_counts(2, 1);
	assert_ptr_equal(server.control->client[MAX_RESERVED_CLIENTS], peer[0].client);
	for (int i = 0; i < 3; i++)
		(void)close(peer[i].fd);
	server_turn();
	check_counts(0, 0);
	assert_int_equal(server.control->places, MAX_RESERVED_CLIENTS + 2);
	server_close();
}

/* Fills the reserved places, one client a millisecond. */
static void fill_reserved(struct peer *peer)
{
	server_open();
	server.control->limit = 0;
	for (int i = 0; i < MAX_RESERVED_CLIENTS; i++, server.now_ms++)
		peer[i] = server_connect();
	check_counts(0, MAX_RESERVED_CLIENTS);
}

static void close_reserved(const struct peer *peer)
{
	for (int i = 0; i < MAX_RESERVED_CLIENTS; i++)
		(void)close(peer[i].fd);
	server_close();
}

/* The client that came first gives its reserved place to another. */
static void test_reserved_places(void **state)
{
	struct peer peer[MAX_RESERVED_CLIENTS], late;

	(void)state;
	fill_reserved(peer);
	late = server_connect();
	check_counts(0, MAX_RESERVED_CLIENTS);
	assert_string_equal(server_hear(peer[0].fd), TOO_MANY);
	server_check_closed(peer[0].fd);
	assert_string_equal(server_hear(peer[1].fd), "");
	(void)close(late.fd);
	close_reserved(peer);
}

/* A client that waits for the VM's end keeps its place as long as one that waits for nothing is
 * there. */
static void test_reserved_place_of_one_that_waits(void **state)
{
	struct peer peer[MAX_RESERVED_CLIENTS], late;

	(void)state;
	fill_reserved(peer);
	server_say(peer[0].fd, WAIT);
	server_turn();
	assert_int_equal(peer[0].client->waits, 1);
	late = server_connect();
	assert_string_equal(server_hear(peer[0].fd), "");
	server_check_closed(peer[1].fd);
	(void)close(late.fd);
	close_reserved(peer);
}

/* vmrun serves what a client has sent before it gives the place to another. */
static void test_reserved_place_with_a_request(void **state)
{
	struct peer peer[MAX_RESERVED_CLIENTS], late;
	const char *heard;

	(void)state;
	fill_reserved(peer);
	late.fd = server_dial();
	server_say(peer[0].fd, STATUS);
	control_wake(server.control, CONTROL_TAG);
	heard = server_hear(peer[0].fd);
	assert_memory_equal(heard, "{\"id\":1,\"ok\":true,\"v\":1,", 24);
	assert_non_null(strstr(heard, TOO_MANY));
	(void)close(late.fd);
	close_reserved(peer);
}

/* A client in a reserved place has this time for its request. */
static void test_time_in_a_reserved_place(void **state)
{
	struct peer idle, waits;

	(void)state;
	server_open();
	server.control->limit = 0;
	waits = server_connect();
	server_say(waits.fd, WAIT);
	server_turn();
	server.now_ms += 10;
	idle = server_connect();
	assert_int_equal(control_until_ms(server.control), server.now_ms + MAX_HURRY_MS);
	server.now_ms += MAX_HURRY_MS - 1;
	server_turn();
	check_counts(0, 2);
	server.now_ms++;
	assert_string_equal(server_hear(idle.fd), TOO_MANY);
	server_check_closed(idle.fd);
	check_counts(0, 1);
	assert_int_equal(control_until_ms(server.control), -1);
	(void)close(idle.fd);
	(void)close(waits.fd);
	server_close();
}

/* A stop that arrives when the time is over is served, and the client may wait. */
static void test_request_at_the_last_moment(void **state)
{
	struct peer peer;

	(void)state;
	server_open();
	server.control->limit = 0;
	peer = server_connect();
	server.now_ms += MAX_HURRY_MS;
	server_say(peer.fd, WAIT);
	control_settle(server.control);
	check_counts(0, 1);
	assert_int_equal(peer.client->waits, 1);
	server_turn();
	check_counts(0, 1);
	(void)close(peer.fd);
	server_close();
}

/* Gives a client answers that its full socket does not take. */
static void stall(const struct peer *peer)
{
	server_fill(peer->client);
	server_say(peer->fd, STATUS);
	server_turn();
	assert_true(client_unread(peer->client) > 0);
}

/* A slow client is dropped when it has read nothing for this time. */
static void test_slow_client(void **state)
{
	struct peer slow, other;

	(void)state;
	server_open();
	slow = server_connect();
	other = server_connect();
	assert_int_equal(control_until_ms(server.control), -1);
	stall(&slow);
	assert_int_equal(control_until_ms(server.control), server.now_ms + MAX_STALL_MS);
	server.now_ms += MAX_STALL_MS - 1;
	server_turn();
	check_counts(2, 0);
	server.now_ms++;
	server_turn();
	check_counts(1, 0);
	server_check_closed(slow.fd);
	assert_int_equal(control_until_ms(server.control), -1);
	(void)close(slow.fd);
	(void)close(other.fd);
	server_close();
}

/* A slow client that reads stays, and gets every answer. */
static void test_slow_client_that_reads(void **state)
{
	struct peer slow;

	(void)state;
	server_open();
	slow = server_connect();
	stall(&slow);
	server.now_ms += MAX_STALL_MS - 1;
	(void)server_hear(slow.fd);
	assert_int_equal(client_unread(slow.client), 0);
	assert_int_equal(control_until_ms(server.control), -1);
	server.now_ms += MAX_STALL_MS;
	server_turn();
	check_counts(1, 0);
	(void)close(slow.fd);
	server_close();
}

/* When all places are taken, a client that was idle for this time is dropped for a new one. */
static void test_idle_client_makes_room(void **state)
{
	struct peer idle, listener, late;

	(void)state;
	server_open();
	server.control->limit = 2;
	listener = server_connect();
	server_ask(listener.fd, "{\"cmd\":\"events\"}", "{\"ok\":true}\n");
	idle = server_connect();
	server.now_ms += MAX_STALL_MS - 1;
	late = server_connect();
	assert_true(late.client->reserved);
	(void)close(late.fd);
	server_turn();
	check_counts(2, 0);
	server.now_ms++;
	late = server_connect();
	assert_false(late.client->reserved);
	server_check_closed(idle.fd);
	check_counts(2, 0);
	/* The listener keeps up with the events, so nothing makes room for another. */
	server.now_ms += MAX_STALL_MS - 1;
	(void)close(idle.fd);
	idle = server_connect();
	assert_true(idle.client->reserved);
	(void)close(idle.fd);
	(void)close(late.fd);
	(void)close(listener.fd);
	server_close();
}

/* A client that waits for something is not idle, however long it waits. */
static void test_waiting_client_stays(void **state)
{
	struct peer waits, late;

	(void)state;
	server_open();
	server.control->limit = 1;
	waits = server_connect();
	server_ask(waits.fd, "{\"cmd\":\"wait\",\"gone\":true}", "");
	server.now_ms += 2 * MAX_STALL_MS;
	late = server_connect();
	assert_true(late.client->reserved);
	check_counts(1, 1);
	(void)close(waits.fd);
	(void)close(late.fd);
	server_close();
}

static void test_mark(void **state)
{
	struct control *c;
	struct peer a, b;

	(void)state;
	server_open();
	c = server.control;
	a = server_connect();
	b = server_connect();
	clients_unmark(c, a.client);
	assert_true(TAILQ_EMPTY(&c->moved));
	clients_mark(c, a.client);
	clients_mark(c, b.client);
	clients_mark(c, a.client);
	assert_ptr_equal(TAILQ_FIRST(&c->moved), b.client);
	assert_ptr_equal(TAILQ_NEXT(b.client, moved), a.client);
	clients_unmark(c, b.client);
	clients_unmark(c, b.client);
	assert_ptr_equal(TAILQ_FIRST(&c->moved), a.client);
	clients_drop(c, a.client);
	assert_true(TAILQ_EMPTY(&c->moved));
	(void)close(a.fd);
	(void)close(b.fd);
	server_close();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_that_descriptors_allow),
		TEST(test_a_stranger),
		TEST(test_ordinary_places),
		TEST(test_reserved_places),
		TEST(test_reserved_place_of_one_that_waits),
		TEST(test_reserved_place_with_a_request),
		TEST(test_time_in_a_reserved_place),
		TEST(test_request_at_the_last_moment),
		TEST(test_slow_client),
		TEST(test_slow_client_that_reads),
		TEST(test_idle_client_makes_room),
		TEST(test_waiting_client_stays),
		TEST(test_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
