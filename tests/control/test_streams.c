/* Events and the console as clients get them: from where on, in which pieces, and until when. */
#include "server.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "lib/handle.h"
#include "life.h"

#define OK "{\"ok\":true}\n"
#define EVENTS "{\"cmd\":\"events\"}"
#define CONSOLE "{\"cmd\":\"console\"}"
#define WRITE "{\"cmd\":\"console\",\"write\":true}"
#define PIECE_BYTES 16384 /* as MAX_PIECE in streams.c */

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

static struct peer listen_with(const char *line)
{
	struct peer peer = server_connect();

	server_ask(peer.fd, line, OK);
	return peer;
}

static struct peer view(size_t backlog)
{
	MEM_AUTO char *answer = mem_format("{\"ok\":true,\"backlog\":%zu}\n", backlog);
	struct peer peer = server_connect();

	server_ask(peer.fd, CONSOLE, answer);
	return peer;
}

/* Adds a warning and completes it. */
static void warn(const char *text)
{
	server_warn(text);
	event_flush(&server.vm.handle->events);
}

/* Fails unless the client got warnings with these letters as their texts, and nothing else. */
static void check_warnings(int fd, const char *letters)
{
	const char *line = server_hear(fd);

	for (; *letters != '\0'; letters++) {
		MEM_AUTO char *text = mem_format("\"text\":\"%c\"", *letters);
		const char *end = strchr(line, '\n');

		assert_non_null(end);
		if (strstr(line, text) == NULL || strstr(line, text) > end)
			fail_msg("no %c in %s", *letters, line);
		line = end + 1;
	}
	assert_string_equal(line, "");
}

static void test_events_from_now_on(void **state)
{
	struct peer peer;

	(void)state;
	warn("a");
	peer = listen_with(EVENTS);
	warn("b");
	warn("c");
	check_warnings(peer.fd, "bc");
	check_warnings(peer.fd, "");
	(void)close(peer.fd);
}

static void test_events_from_a_number(void **state)
{
	struct peer peer = server_connect();
	uint64_t first;

	(void)state;
	server_warn("0"); /* so that the backlog is not empty */
	server_turn();
	first = backlog_next(&server.control->backlog);
	warn("a");
	warn("b");
	for (unsigned long long from = first; from < first + 4; from++) {
		MEM_AUTO char *line = mem_format("{\"cmd\":\"events\",\"from\":%llu}\n", from);
		const char *heard;

		server_say(peer.fd, line);
		heard = server_hear(peer.fd);
		assert_memory_equal(heard, OK, strlen(OK));
		assert_int_equal(strstr(heard, "\"text\":\"a\"") != NULL, from == first);
		assert_int_equal(strstr(heard, "\"text\":\"b\"") != NULL, from < first + 2);
	}
	/* A number beyond the next event is the next event. */
	warn("c");
	check_warnings(peer.fd, "c");
	(void)close(peer.fd);
}

static void test_events_from_zero_are_all(void **state)
{
	struct peer peer = server_connect();
	const char *heard;

	(void)state;
	warn("a");
	server_say(peer.fd, "{\"cmd\":\"events\",\"from\":0}\n");
	heard = server_hear(peer.fd);
	assert_non_null(strstr(heard, "\"seq\":1,"));
	assert_non_null(strstr(heard, "\"text\":\"a\""));
	assert_null(strstr(heard, "\"event\":\"lost\""));
	(void)close(peer.fd);
}

/* A slow listener gets all events that the backlog holds, and the number of the others. */
static void test_slow_listener(void **state)
{
	struct peer peer = listen_with(EVENTS);
	uint64_t first = backlog_next(&server.control->backlog);
	const char *heard;

	(void)state;
	for (int i = 0; i < MAX_BACKLOG_EVENTS; i++)
		warn("kept");
	assert_null(strstr(server_hear(peer.fd), "\"event\":\"lost\""));
	for (int i = 0; i < MAX_BACKLOG_EVENTS + 1; i++)
		warn("kept");
	heard = server_hear(peer.fd);
	assert_non_null(strstr(heard, "\"event\":\"lost\""));
	assert_non_null(strstr(heard, "\"count\":1}"));
	assert_int_equal(peer.client->event_at, first + 2 * MAX_BACKLOG_EVENTS + 1);
	(void)close(peer.fd);
}

/* vmrun adds nothing to this much unread output. */
static void test_pieces(void **state)
{
	MEM_AUTO char *bytes = mem_zero(PIECE_BYTES);
	struct peer peer = listen_with(EVENTS);

	(void)state;
	server_fill(peer.client);
	client_put(peer.client, bytes, PIECE_BYTES);
	warn("a");
	streams_pump(server.control, peer.client);
	assert_int_equal(client_unread(peer.client), PIECE_BYTES);
	(void)server_hear(peer.fd);
	server_fill(peer.client);
	client_put(peer.client, bytes, PIECE_BYTES - 1);
	warn("b");
	warn("c");
	streams_pump(server.control, peer.client);
	assert_true(client_unread(peer.client) > PIECE_BYTES);
	assert_int_equal(peer.client->event_at, backlog_next(&server.control->backlog) - 1);
	(void)close(peer.fd);
}

static void test_console_in_pieces(void **state)
{
	struct console *console = server_console();
	struct peer peer = view(0);
	MEM_AUTO char *bytes = mem_zero(PIECE_BYTES + 2);

	(void)state;
	server_fill(peer.client);
	client_put(peer.client, "x", 1);
	memset(bytes, 'y', PIECE_BYTES + 1);
	for (char *at = bytes; *at != '\0'; at += strlen(at) < 1000 ? strlen(at) : 1000) {
		MEM_AUTO char *some = mem_copy_n(at, strlen(at) < 1000 ? strlen(at) : 1000);

		server_print(some);
	}
	streams_pump(server.control, peer.client);
	assert_int_equal(client_unread(peer.client), 1 + PIECE_BYTES);
	assert_int_equal(peer.client->console_at, console->total - 1);
	(void)close(peer.fd);
}

static void test_console_from_its_backlog_on(void **state)
{
	struct peer peer = server_connect();

	(void)state;
	(void)server_console();
	server_print("before ");
	server_ask(peer.fd, CONSOLE, "{\"ok\":true,\"backlog\":7}\nbefore ");
	server_print("after");
	assert_string_equal(server_hear(peer.fd), "after");
	(void)close(peer.fd);
}

/* A viewer whose place in the output has left the memory is told how many bytes it missed. */
static void test_slow_viewer(void **state)
{
	struct console *console = server_console();
	struct peer peer = view(0);
	const char *heard, *lost = "\r\n[10 bytes lost]\r\n";

	(void)state;
	server_print("0123456789rest");
	console->ring_length = 4; /* as if many more bytes had been printed */
	heard = server_hear(peer.fd);
	assert_memory_equal(heard, lost, strlen(lost));
	assert_string_equal(heard + strlen(lost), "rest");
	(void)close(peer.fd);
}

static void test_no_console(void **state)
{
	struct peer peer = server_connect();

	(void)state;
	server_ask(peer.fd, CONSOLE,
	    "{\"ok\":false,\"error\":\"console: no serial port of this VM is \\\"console\\\": see "
	    "com1 in vmrun.conf(5)\"}\n");
	assert_false(peer.client->is_console);
	assert_true(TAILQ_EMPTY(&server.control->viewers));
	(void)close(peer.fd);
}

static void test_one_writer(void **state)
{
	struct peer writer = server_connect(), other = server_connect();
	MEM_AUTO char *refusal =
	    mem_format("{\"ok\":false,\"error\":\"console: process %ld is writing already: only "
		       "one client can write, any number can read\"}\n",
		(long)getpid());

	(void)state;
	(void)server_console();
	server_ask(writer.fd, WRITE, "{\"ok\":true,\"backlog\":0}\n");
	writer.client->pid = getpid();
	server_ask(other.fd, WRITE, refusal);
	writer.client->pid = 0;
	server_ask(other.fd, WRITE,
	    "{\"ok\":false,\"error\":\"console: another client is writing already: only one client "
	    "can write, any number can read\"}\n");
	assert_ptr_equal(server.control->writer, writer.client);
	/* A writer that is gone gives way, even before vmrun has noticed that by itself. */
	(void)close(writer.fd);
	server_say(other.fd, WRITE "\n");
	client_read(other.client);
	serve_lines(server.control, other.client);
	assert_ptr_equal(server.control->writer, other.client);
	assert_true(writer.client->dead);
	server_turn();
	assert_int_equal(server.control->count, 1);
	(void)close(other.fd);
	server_turn();
	assert_null(server.control->writer);
}

/* A viewer that is dropped while it is marked is in no list any more; the others get the output. */
static void test_viewer_that_leaves_while_marked(void **state)
{
	struct control *c = server.control;
	struct peer peer[3];

	(void)state;
	(void)server_console();
	for (int i = 0; i < 3; i++)
		peer[i] = view(0);
	server_print("text");
	streams_mark(c);
	assert_ptr_equal(TAILQ_FIRST(&c->moved), peer[0].client);
	clients_drop(c, peer[1].client);
	assert_ptr_equal(TAILQ_NEXT(peer[0].client, moved), peer[2].client);
	assert_ptr_equal(TAILQ_NEXT(peer[0].client, stream), peer[2].client);
	server_turn();
	assert_string_equal(server_hear(peer[0].fd), "text");
	assert_string_equal(server_hear(peer[1].fd), "");
	assert_string_equal(server_hear(peer[2].fd), "text");
	(void)close(peer[0].fd);
	server_print("more");
	server_turn();
	assert_int_equal(c->count, 1);
	assert_string_equal(server_hear(peer[2].fd), "more");
	clients_drop(c, peer[2].client);
	assert_true(TAILQ_EMPTY(&c->viewers));
	for (int i = 1; i < 3; i++)
		(void)close(peer[i].fd);
}

/* A client is in the list of listeners, or of viewers, or in none. */
static void test_listener_becomes_a_viewer(void **state)
{
	struct control *c = server.control;
	struct peer peer = listen_with(EVENTS);

	(void)state;
	(void)server_console();
	server_ask(peer.fd, EVENTS, OK);
	assert_ptr_equal(TAILQ_FIRST(&c->listeners), peer.client);
	assert_null(TAILQ_NEXT(peer.client, stream));
	server_ask(peer.fd, CONSOLE, "{\"ok\":true,\"backlog\":0}\n");
	assert_true(TAILQ_EMPTY(&c->listeners));
	assert_ptr_equal(TAILQ_FIRST(&c->viewers), peer.client);
	warn("a");
	server_print("text");
	assert_string_equal(server_hear(peer.fd), "text");
	streams_leave(c, peer.client);
	streams_leave(c, peer.client);
	assert_true(TAILQ_EMPTY(&c->viewers));
	assert_false(peer.client->is_console || peer.client->hears);
	(void)close(peer.fd);
}

/* Only unsent events for listeners and unsent output for viewers are news. */
static void test_news(void **state)
{
	struct control *c = server.control;
	struct peer peer;

	(void)state;
	(void)server_console();
	warn("a");
	server_print("b");
	assert_false(streams_has_news(c));
	peer = listen_with(EVENTS);
	warn("c");
	assert_true(streams_has_news(c));
	server_turn();
	assert_false(streams_has_news(c));
	server_print("d");
	assert_false(streams_has_news(c));
	check_warnings(peer.fd, "c");
	(void)close(peer.fd);
}

/* A client that has unsent output is not marked: the socket wakes vmrun when it takes more. */
static void test_full_client_is_not_marked(void **state)
{
	struct control *c = server.control;
	struct peer peer = listen_with(EVENTS);

	(void)state;
	warn("a");
	streams_mark(c);
	assert_ptr_equal(TAILQ_FIRST(&c->moved), peer.client);
	server_turn();
	server_fill(peer.client);
	warn("b");
	server_turn();
	assert_true(peer.client->writing);
	warn("c");
	streams_mark(c);
	assert_true(TAILQ_EMPTY(&c->moved));
	assert_non_null(strstr(server_hear(peer.fd), "\"text\":\"c\""));
	(void)close(peer.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events_from_now_on),
		TEST(test_events_from_a_number),
		TEST(test_events_from_zero_are_all),
		TEST(test_slow_listener),
		TEST(test_pieces),
		TEST(test_console_in_pieces),
		TEST(test_console_from_its_backlog_on),
		TEST(test_slow_viewer),
		TEST(test_no_console),
		TEST(test_one_writer),
		TEST(test_viewer_that_leaves_while_marked),
		TEST(test_listener_becomes_a_viewer),
		TEST(test_news),
		TEST(test_full_client_is_not_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
