/* Requests that wait: what ends each wait, and how many there may be. */
#include "server.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"

#define GONE "{\"id\":1,\"cmd\":\"wait\",\"gone\":true}"
#define FOR_TEXT(text) "{\"id\":2,\"cmd\":\"wait-for\",\"text\":\"" text "\"}"
#define FOR_STATE(state) "{\"id\":3,\"cmd\":\"wait\",\"state\":\"" state "\"}"
#define FOR_READY "{\"id\":5,\"cmd\":\"wait\",\"ready\":true}"
#define ACCEPTED(id) "{\"id\":" id ",\"ok\":true}\n"
#define REFUSED(id, why) "{\"id\":" id ",\"ok\":false,\"error\":\"" why "\"}\n"
#define MAX_QUOTED 100 /* as MAX_QUOTED_TEXT in waiters.c */

static struct peer peer;

static int enter(void **state)
{
	if (life_enter(state) != 0)
		return -1;
	server_open();
	(void)server_console();
	peer = server_connect();
	return 0;
}

static int leave(void **state)
{
	(void)close(peer.fd);
	server_close();
	return life_leave(state);
}

/* Fails unless the request is not answered yet. */
static void wait_with(const char *line)
{
	server_ask(peer.fd, line, "");
}

static void check_answer(const char *answer)
{
	assert_string_equal(server_hear(peer.fd), answer);
}

static void check_waits(size_t count)
{
	assert_int_equal(peer.client->waits, count);
	assert_int_equal(server.control->waits, count);
}

static void test_number_of_waits(void **state)
{
	static const char *const lines[] = { GONE, FOR_TEXT("never"), FOR_STATE("backoff") };
	struct peer other = server_connect();

	(void)state;
	for (size_t i = 0; i < MAX_CLIENT_WAITS; i++)
		wait_with(lines[i % 3]);
	check_waits(MAX_CLIENT_WAITS);
	for (size_t i = 0; i < 3; i++) {
		server_say(peer.fd, lines[i]);
		server_say(peer.fd, "\n");
		assert_non_null(strstr(server_hear(peer.fd),
		    "\"error\":\"too many waiting requests on this connection\"}\n"));
	}
	check_waits(MAX_CLIENT_WAITS);
	server_say(peer.fd, "{\"id\":4,\"cmd\":\"stop\",\"wait\":true}\n");
	assert_non_null(strstr(server_hear(peer.fd), "\"id\":4,\"ok\":false"));
	assert_int_equal(
	    server.vm.machine->present.state, STATE_RUNNING); /* refused, so not done */
	/* The waits of one client do not count for another. */
	server_ask(other.fd, GONE, "");
	assert_int_equal(other.client->waits, 1);
	server_print("never");
	(void)server_hear(peer.fd);
	assert_int_equal(peer.client->waits, MAX_CLIENT_WAITS - 21);
	wait_with(GONE);
	clients_drop(server.control, peer.client);
	assert_int_equal(server.control->waits, 1);
	(void)close(other.fd);
}

static void test_text(void **state)
{
	(void)state;
	wait_with(FOR_TEXT("aab"));
	server_print("xaa");
	check_answer("");
	server_print("ab");
	check_answer(ACCEPTED("2"));
	check_waits(0);
	server_print("aab");
	check_answer("");
}

static void test_text_whose_parts_repeat(void **state)
{
	(void)state;
	wait_with(FOR_TEXT("ababac"));
	server_print("abab");
	server_print("abac");
	check_answer(ACCEPTED("2"));
	wait_with(FOR_TEXT("aabaaac"));
	server_print("aabaaabaaac");
	check_answer(ACCEPTED("2"));
}

static void test_text_that_was_printed_before(void **state)
{
	(void)state;
	server_print("login: ");
	wait_with(FOR_TEXT("login:"));
	server_ask(peer.fd, "{\"id\":4,\"cmd\":\"wait-for\",\"text\":\"login:\",\"backlog\":true}",
	    ACCEPTED("4"));
	/* A text may begin before the request. */
	server_print("pass");
	wait_with("{\"id\":4,\"cmd\":\"wait-for\",\"text\":\"password\",\"backlog\":true}");
	server_print("word");
	check_answer(ACCEPTED("4"));
	check_waits(1);
}

static void test_state(void **state)
{
	(void)state;
	server_ask(peer.fd, FOR_STATE("running"), ACCEPTED("3"));
	wait_with(FOR_STATE("stopping"));
	vm_put(&server.vm, STATE_DECIDING);
	check_answer("");
	vm_put(&server.vm, STATE_STOPPING);
	check_answer(ACCEPTED("3"));
	check_waits(0);
}

static void test_end(void **state)
{
	(void)state;
	wait_with(GONE);
	wait_with("{\"id\":4,\"cmd\":\"stop\",\"wait\":true}");
	wait_with(FOR_STATE("backoff"));
	wait_with(FOR_TEXT("never"));
	check_waits(4);
	vm_put(&server.vm, STATE_ENDED);
	server.vm.machine->history.outcome.cause = CAUSE_STOPPED;
	server.vm.machine->history.counts[CAUSE_STOPPED] = 1;
	server.vm.machine->history.ended_by = "acpi";
	server.vm.machine->history.did = mem_copy("it powered off");
	check_answer(ACCEPTED("1") "{\"id\":4,\"ok\":true,\"ended_by\":\"acpi\",\"text\":"
				   "\"it powered off\"}\n" REFUSED("3", "the VM has exited")
				       REFUSED("2", "the VM has exited"));
	check_waits(0);
}

/* The guest is ready where its spec says so; else as soon as it runs. */
static void test_ready(void **state)
{
	(void)state;
	server_ask(peer.fd, FOR_READY, ACCEPTED("5")); /* it runs, and has no `ready` */
	server.ready = 0;
	wait_with(FOR_READY);
	wait_with(FOR_READY);
	vm_put(&server.vm, STATE_DECIDING);
	check_answer("");
	vm_put(&server.vm, STATE_RUNNING); /* a further boot */
	check_answer("");
	check_waits(2);
	server.ready = 1;
	check_answer(ACCEPTED("5") ACCEPTED("5"));
	server_ask(peer.fd, FOR_READY, ACCEPTED("5"));
	server.ready = -1;
	vm_put(&server.vm, STATE_DECIDING);
	wait_with(FOR_READY);
	vm_put(&server.vm, STATE_RUNNING);
	check_answer(ACCEPTED("5"));
	check_waits(0);
}

/* It was ready, and ended before anybody could see it so. */
static void test_ready_and_gone(void **state)
{
	(void)state;
	server.ready = 0;
	wait_with(FOR_READY);
	server_ready();
	vm_put(&server.vm, STATE_ENDED);
	check_answer(ACCEPTED("5"));
	check_waits(0);
}

static void test_end_before_ready(void **state)
{
	(void)state;
	server.ready = 0;
	wait_with(FOR_READY);
	server.vm.machine->history.outcome.cause = CAUSE_NOT_READY;
	history_add(server.vm.machine);
	vm_put(&server.vm, STATE_ENDED);
	check_answer(REFUSED("5", "the VM ended before its guest was ready, last exit: not_ready"));
	check_waits(0);
}

static void test_timeout(void **state)
{
	(void)state;
	wait_with("{\"id\":1,\"cmd\":\"wait\",\"gone\":true,\"timeout\":2}");
	wait_with("{\"id\":2,\"cmd\":\"wait\",\"state\":\"backoff\",\"timeout\":1.5}");
	wait_with("{\"id\":3,\"cmd\":\"wait-for\",\"text\":\"x\",\"timeout\":1}");
	assert_int_equal(control_until_ms(server.control), server.now_ms + 1000);
	server.now_ms += 999;
	check_answer("");
	server.now_ms++;
	check_answer(REFUSED("3", "\\\"x\\\" was not printed within 1 s"));
	server.now_ms += 1000;
	check_answer(REFUSED("2", "not backoff within 1.5 s: it is running")
		REFUSED("1", "not gone within 2 s: it is running"));
	check_waits(0);
	assert_int_equal(control_until_ms(server.control), -1);
	server.ready = 0;
	server_ask(peer.fd, "{\"id\":4,\"cmd\":\"wait\",\"ready\":true,\"timeout\":0}",
	    REFUSED("4", "not ready within 0 s: it is running"));
	server_ask(peer.fd, "{\"id\":1,\"cmd\":\"wait\",\"gone\":true,\"timeout\":0}",
	    REFUSED("1", "not gone within 0 s: it is running"));
}

/* Waits for a text of this length, and fails unless the error repeats the first of its bytes. */
static void check_quoted(size_t length, const char *more)
{
	char text[MAX_QUOTED + 2] = "";
	MEM_AUTO char *line = NULL, *answer = NULL;

	memset(text, 'x', length);
	line = mem_format("{\"cmd\":\"wait-for\",\"text\":\"%s\",\"timeout\":0}", text);
	answer =
	    mem_format("{\"ok\":false,\"error\":\"\\\"%.*s%s\\\" was not printed within 0 s\"}\n",
		MAX_QUOTED, text, more);
	server_ask(peer.fd, line, answer);
}

static void test_quoted_text(void **state)
{
	(void)state;
	check_quoted(MAX_QUOTED, "");
	check_quoted(MAX_QUOTED + 1, "...");
}

/* A client that has shut down its side gets no answers to its waits; the others get theirs. */
static void test_half_closed_client(void **state)
{
	struct peer other = server_connect();

	(void)state;
	wait_with(GONE);
	wait_with(FOR_TEXT("x"));
	server_ask(other.fd, FOR_TEXT("x"), "");
	assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
	server_check_closed(peer.fd);
	assert_int_equal(server.control->waits, 1);
	server_print("x");
	assert_string_equal(server_hear(other.fd), ACCEPTED("2"));
	(void)close(other.fd);
}

/* In raw console mode no answers are sent, so the waits end. */
static void test_console_ends_waits(void **state)
{
	(void)state;
	wait_with("{\"id\":1,\"cmd\":\"wait\",\"gone\":true,\"timeout\":2}");
	server_ask(peer.fd, "{\"cmd\":\"console\"}", "{\"ok\":true,\"backlog\":0}\n");
	check_waits(0);
	assert_int_equal(control_until_ms(server.control), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_number_of_waits),
		TEST(test_text),
		TEST(test_text_whose_parts_repeat),
		TEST(test_text_that_was_printed_before),
		TEST(test_state),
		TEST(test_end),
		TEST(test_ready),
		TEST(test_ready_and_gone),
		TEST(test_end_before_ready),
		TEST(test_timeout),
		TEST(test_quoted_text),
		TEST(test_half_closed_client),
		TEST(test_console_ends_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
