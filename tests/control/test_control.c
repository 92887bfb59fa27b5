/* The order in which vmrun serves clients, when it serves them next, and the VM's end. */
#include "server.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "lib/handle.h"
#include "life.h"

#define RELOAD "{\"cmd\":\"reload\"}\n"
#define OK "{\"ok\":true}\n"

static int enter(void **state)
{
	if (life_enter(state) != 0)
		return -1;
	server_open();
	return 0;
}

static int leave(void **state)
{
	server_close();
	return life_leave(state);
}

/* Sends requests and lets vmrun receive them, but not serve them yet. */
static void send_requests(const struct peer *peer, int count)
{
	while (count-- > 0)
		server_say(peer->fd, RELOAD);
	control_wake(server.control, peer->client->tag);
}

/* Clients are settled in the order of their marks. */
static void test_settle_order(void **state)
{
	struct peer peer[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		peer[i] = server_connect();
	for (int i = 0; i < 3; i++) {
		MEM_AUTO char *line = mem_format("{\"cmd\":\"forget\",\"hook\":\"%d\"}\n", i);

		server_say(peer[i].fd, line);
	}
	for (int i = 1; i <= 3; i++)
		control_wake(server.control, peer[i % 3].client->tag);
	assert_string_equal(server.forgotten, "");
	control_settle(server.control);
	assert_string_equal(server.forgotten, "0");
	for (int i = 0; i < 3; i++) {
		assert_string_equal(server_hear(peer[i].fd), OK);
		(void)close(peer[i].fd);
	}
}

/* A client with more requests than one turn serves waits for the next call, behind the others. */
static void test_turns(void **state)
{
	struct control *c = server.control;
	struct peer greedy = server_connect(), modest = server_connect();

	(void)state;
	send_requests(&greedy, 2 * MAX_REQUESTS_AT_ONCE + 1);
	send_requests(&modest, 1);
	for (int turn = 1; turn <= 3; turn++) {
		int served = turn * MAX_REQUESTS_AT_ONCE;

		assert_int_equal(control_until_ms(c), 0);
		control_settle(c);
		assert_int_equal(
		    server.reloads, turn < 3 ? served + 1 : 2 * MAX_REQUESTS_AT_ONCE + 2);
	}
	assert_true(TAILQ_EMPTY(&c->moved));
	(void)close(greedy.fd);
	(void)close(modest.fd);
}

/* Requests that waited for room in the output are served when it has gone, and no byte follows. */
static void test_requests_behind_full_output(void **state)
{
	struct peer peer = server_connect();
	MEM_AUTO char *bytes = mem_zero(MAX_CLIENT_OUT);

	(void)state;
	client_put(peer.client, bytes, MAX_CLIENT_OUT);
	send_requests(&peer, 2);
	server_turn();
	for (size_t left = MAX_CLIENT_OUT; left > 0; server_turn()) {
		ssize_t n = recv(peer.fd, bytes, left, MSG_DONTWAIT);

		assert_true(n > 0);
		left -= (size_t)n;
	}
	assert_int_equal(server.reloads, 2);
	assert_false(peer.client->more);
	assert_string_equal(server_hear(peer.fd), OK OK);
	(void)close(peer.fd);
}

/* While the output stays full, vmrun sleeps until the socket takes more. */
static void test_sleep_behind_full_output(void **state)
{
	struct peer peer = server_connect();
	MEM_AUTO char *bytes = mem_zero(MAX_CLIENT_OUT);

	(void)state;
	server_fill(peer.client);
	client_put(peer.client, bytes, MAX_CLIENT_OUT);
	send_requests(&peer, 1);
	control_settle(server.control);
	assert_true(peer.client->more);
	assert_int_not_equal(control_until_ms(server.control), 0);
	assert_int_equal(server.reloads, 0);
	(void)close(peer.fd);
}

/* A client of this round that is marked again is settled once, by the next call. */
static void test_mark_while_settling(void **state)
{
	struct control *c = server.control;
	struct peer greedy = server_connect(), other = server_connect();
	uint64_t round = c->round;

	(void)state;
	send_requests(&greedy, MAX_REQUESTS_AT_ONCE + 1);
	assert_true(greedy.client->marked == round);
	control_settle(c);
	assert_true(c->round == round + 1);
	assert_true(greedy.client->marked == round + 1);
	assert_true(other.client->marked == 0);
	clients_mark(c, other.client);
	assert_ptr_equal(TAILQ_FIRST(&c->moved), greedy.client);
	control_settle(c);
	assert_true(TAILQ_EMPTY(&c->moved));
	(void)close(greedy.fd);
	(void)close(other.fd);
}

/* vmrun sleeps while no client has sent anything or is to get anything. */
static void test_time_of_the_next_turn(void **state)
{
	struct control *c = server.control;
	struct peer peer = server_connect();

	(void)state;
	assert_int_equal(control_until_ms(c), -1);
	clients_mark(c, peer.client);
	assert_int_equal(control_until_ms(c), 0);
	control_settle(c);
	assert_int_equal(control_until_ms(c), -1);
	send_requests(&peer, 1);
	control_settle(c);
	/* The request may have changed what other clients wait for. */
	assert_int_equal(control_until_ms(c), 0);
	control_settle(c);
	assert_int_equal(control_until_ms(c), -1);
	(void)close(peer.fd);
}

/* A client that shuts down its side is served to the end, then closed. */
static void test_half_closed_client(void **state)
{
	struct peer peer = server_connect();
	const char *heard;
	int answers = 0;

	(void)state;
	for (int i = 0; i < 2 * MAX_REQUESTS_AT_ONCE + 1; i++)
		server_say(peer.fd, RELOAD);
	assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
	heard = server_hear(peer.fd);
	for (; (heard = strchr(heard, '\n')) != NULL; heard++)
		answers++;
	assert_int_equal(answers, 2 * MAX_REQUESTS_AT_ONCE + 1);
	server_check_closed(peer.fd);
	assert_int_equal(server.control->count, 0);
	(void)close(peer.fd);
}

/* A half-closed client that has answers to read is not closed yet, but waits for nothing. */
static void test_half_closed_slow_client(void **state)
{
	struct peer peer = server_connect();

	(void)state;
	server_ask(peer.fd, "{\"cmd\":\"wait\",\"gone\":true}", "");
	server_fill(peer.client);
	server_say(peer.fd, RELOAD);
	assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
	server_turn();
	assert_int_equal(server.control->count, 1);
	assert_int_equal(server.control->waits, 0);
	assert_non_null(strstr(server_hear(peer.fd), OK));
	server_check_closed(peer.fd);
	(void)close(peer.fd);
}

/* A closed connection is noticed, also when vmrun neither reads from it nor writes to it. */
static void test_closed_connection(void **state)
{
	struct peer peer = server_connect();

	(void)state;
	client_want(peer.client, server.control->wait, false);
	control_wake(server.control, peer.client->tag);
	assert_false(peer.client->dead);
	(void)close(peer.fd);
	control_wake(server.control, peer.client->tag);
	assert_true(peer.client->dead);
	control_settle(server.control);
	assert_int_equal(server.control->count, 0);
}

/* A wake-up that was taken before its client was dropped does nothing. */
static void test_wake_of_a_dropped_client(void **state)
{
	struct peer peer = server_connect();
	uintptr_t tag = peer.client->tag;

	(void)state;
	clients_drop(server.control, peer.client);
	control_wake(server.control, tag);
	assert_true(TAILQ_EMPTY(&server.control->moved));
	(void)close(peer.fd);
}

/* At the VM's end clients get the last events, and see the end of the connection later. */
static void test_close(void **state)
{
	struct peer listener = server_connect(), waits = server_connect();
	char heard[4096] = "";

	(void)state;
	server_ask(listener.fd, "{\"cmd\":\"events\"}", OK);
	server_ask(waits.fd, "{\"cmd\":\"wait\",\"gone\":true}", "");
	server_warn("last");
	vm_put(&server.vm, STATE_ENDED);
	control_settle(server.control);
	assert_int_equal(access(SOCKET, F_OK), -1);
	assert_int_equal(control_until_ms(server.control), -1);
	control_settle(server.control);
	control_renew(server.control);
	assert_int_equal(access(SOCKET, F_OK), -1);
	assert_true(recv(listener.fd, heard, sizeof(heard) - 1, 0) > 0);
	assert_non_null(strstr(heard, "\"text\":\"last\""));
	assert_int_equal(recv(waits.fd, heard, sizeof(heard), 0), strlen(OK));
	assert_int_equal(recv(waits.fd, heard, sizeof(heard), 0), -1);
	control_free(server.control);
	server.control = NULL;
	assert_int_equal(recv(waits.fd, heard, sizeof(heard), 0), 0);
	(void)close(listener.fd);
	(void)close(waits.fd);
}

/* A VM that is closed while it runs: clients get the events that nobody has taken yet. */
static void test_close_of_a_vm_that_runs(void **state)
{
	struct peer peer = server_connect();
	struct console *console = server_console();
	char heard[4096] = "";

	(void)state;
	server_ask(peer.fd, "{\"cmd\":\"events\"}", OK);
	server_warn("last");
	control_close(server.control);
	assert_true(recv(peer.fd, heard, sizeof(heard) - 1, 0) > 0);
	assert_non_null(strstr(heard, "\"text\":\"last\""));
	/* Nobody hears the console any more, nor the events. */
	assert_null(console->hear);
	server_print("more");
	server_warn("more");
	event_flush(&server.vm.handle->events);
	assert_int_equal(recv(peer.fd, heard, sizeof(heard), 0), -1);
	(void)close(peer.fd);
}

/* What a slow client had no room for at the close, it gets at the end. */
static void test_unread_answer_at_the_end(void **state)
{
	struct peer peer = server_connect();
	char heard[4096] = "";
	ssize_t n, last = 0;

	(void)state;
	server_fill(peer.client);
	client_put(peer.client, "!", 1);
	control_close(server.control);
	assert_int_equal(client_unread(peer.client), 1);
	while ((n = recv(peer.fd, heard, sizeof(heard), 0)) > 0)
		last = n;
	assert_int_equal(heard[last - 1], '.');
	control_free(server.control);
	server.control = NULL;
	assert_int_equal(recv(peer.fd, heard, sizeof(heard), 0), 1);
	assert_int_equal(heard[0], '!');
	(void)close(peer.fd);
}

/* Opens the control socket again, as descriptor 0; returns a copy of the standard input. */
static int open_at_0(void)
{
	struct control_owner owner = server.control->owner;
	struct error err = { 0 };
	int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	control_free(server.control);
	(void)close(STDIN_FILENO);
	assert_int_equal(control_open(&server.control, server.vm.machine, server.vm.handle->wait,
			     SOCKET, &owner, &err),
	    0);
	assert_int_equal(server.control->listener.fd, 0);
	return input;
}

static void restore_input(int input)
{
	if (input < 0)
		return;
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
}

/* The socket of a program that has closed its standard input may be descriptor 0. */
static void test_descriptor_0(void **state)
{
	int input = open_at_0(), fd = server_dial();
	struct control *c = server.control;

	(void)state;
	control_wake(c, CONTROL_TAG);
	assert_int_equal(control_until_ms(c), 0);
	control_settle(c);
	assert_int_equal(control_until_ms(c), -1);
	server_ask(fd, "{\"cmd\":\"reload\"}", OK);
	control_close(c);
	assert_int_equal(access(SOCKET, F_OK), -1);
	(void)close(fd);
	restore_input(input);
}

/* A writer that leaves takes its wish for room with it. */
static void test_writer_beside_descriptor_0(void **state)
{
	int input = open_at_0();
	struct control *c = server.control;
	struct peer peer;

	(void)state;
	(void)server_console();
	peer = server_connect();
	server_ask(
	    peer.fd, "{\"cmd\":\"console\",\"write\":true}", "{\"ok\":true,\"backlog\":0}\n");
	c->wants_room = true; /* as while the guest is busy */
	(void)close(peer.fd);
	server_turn();
	assert_null(c->writer);
	assert_false(c->wants_room);
	control_close(c);
	restore_input(input);
}

static void test_renewal_of_descriptor_0(void **state)
{
	int input = open_at_0();

	(void)state;
	assert_int_equal(unlink(SOCKET), 0);
	control_renew(server.control);
	assert_int_equal(access(SOCKET, F_OK), 0);
	control_close(server.control);
	restore_input(input);
}

static void test_no_control_socket(void **state)
{
	(void)state;
	control_settle(NULL);
	control_renew(NULL);
	control_close(NULL);
	control_free(NULL);
	assert_int_equal(control_until_ms(NULL), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_settle_order),
		TEST(test_turns),
		TEST(test_requests_behind_full_output),
		TEST(test_sleep_behind_full_output),
		TEST(test_mark_while_settling),
		TEST(test_time_of_the_next_turn),
		TEST(test_half_closed_client),
		TEST(test_half_closed_slow_client),
		TEST(test_closed_connection),
		TEST(test_wake_of_a_dropped_client),
		TEST(test_close),
		TEST(test_close_of_a_vm_that_runs),
		TEST(test_unread_answer_at_the_end),
		TEST(test_descriptor_0),
		TEST(test_writer_beside_descriptor_0),
		TEST(test_renewal_of_descriptor_0),
		cmocka_unit_test(test_no_control_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
