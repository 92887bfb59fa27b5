/* Requests of clients: their answers, their limits, and what clients type for the guest. */
#include "server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"

#define OK "{\"ok\":true}\n"
#define STATUS "{\"cmd\":\"status\"}"
#define REFUSED(why) "{\"ok\":false,\"error\":\"" why "\"}\n"
#define TOO_LONG REFUSED("a line of more than 65536 bytes: this connection is closed")

static struct peer peer;

static int enter(void **state)
{
	if (life_enter(state) != 0)
		return -1;
	server_open();
	peer = server_connect();
	return 0;
}

static int leave(void **state)
{
	(void)close(peer.fd);
	server_close();
	return life_leave(state);
}

static void ask(const char *line, const char *answer)
{
	server_ask(peer.fd, line, answer);
}

/* Returns the exits of a status; all causes are in it but given_up, which ends no boot.  */
static char *exits_json(int64_t reboots)
{
	struct str json = { 0 };

	for (int i = 0; i < CAUSES; i++) {
		if (i != CAUSE_GIVEN_UP)
			str_addf(&json, "%s\"%s\":%lld", json.length == 0 ? "" : ",",
			    cause_name((enum cause)i),
			    i == CAUSE_REBOOT ? (long long)reboots : 0LL);
	}
	return str_take(&json);
}

static void test_status(void **state)
{
	MEM_AUTO char *exits = exits_json(0);
	MEM_AUTO char *answer =
	    mem_format("{\"id\":\"x\",\"ok\":true,\"v\":1,\"vm\":\"walk\",\"state\":\"running\","
		       "\"ready\":null,\"pid\":null,"
		       "\"target\":\"default\",\"boots\":0,\"uptime_ms\":0,\"cause\":null,"
		       "\"next_target\":null,\"devices\":null,\"accel\":null,\"screen\":null,"
		       "\"console\":null,\"run_dir\":\"%s\",\"state_dir\":\"%s\",\"wait_ms\":0,"
		       "\"waits_for\":null,\"stop_step\":0,\"stop_action\":null,\"vmrun_pid\":%ld,"
		       "\"exits\":{%s},\"last_exit_time\":null}\n",
		server.vm.machine->source->run_dir, server.vm.machine->source->state_dir,
		(long)getpid(), exits);

	(void)state;
	ask("{\"id\":\"x\",\"cmd\":\"status\"}", answer);
}

/* Fails unless the status has this text. */
static void check_status(const char *text)
{
	server_say(peer.fd, "{\"cmd\":\"status\"}\n");
	if (strstr(server_hear(peer.fd), text) == NULL)
		fail_msg("%s", text);
}

static void test_status_of_a_guest(void **state)
{
	struct machine *m = server.vm.machine;
	MEM_AUTO char *exits = exits_json(2);

	(void)state;
	server.ready = 1;
	check_status("\"ready\":true,");
	server.ready = 0;
	check_status("\"ready\":false,");
	m->history.counts[CAUSE_REBOOT] = 2;
	m->history.counts[CAUSE_GIVEN_UP] = 1;
	m->history.exit_date_ms = 1767225600125;
	check_status(exits);
	check_status("\"last_exit_time\":1767225600.125}");
}

static void test_reload_and_forget(void **state)
{
	(void)state;
	ask("{\"cmd\":\"reload\"}", OK);
	assert_int_equal(server.reloads, 1);
	ask("{\"cmd\":\"forget\",\"hook\":\"wake\"}", OK);
	assert_string_equal(server.forgotten, "wake");
	server.failure = "no such thing";
	ask("{\"id\":5,\"cmd\":\"reload\"}",
	    "{\"id\":5,\"ok\":false,\"error\":\"no such thing\"}\n");
	ask("{\"cmd\":\"forget\",\"hook\":\"other\"}", REFUSED("no such thing"));
	assert_string_equal(server.forgotten, "other");
}

static void test_requests_to_the_machine(void **state)
{
	(void)state;
	ask("{\"cmd\":\"next\",\"target\":\"other\"}", OK);
	assert_string_equal(server.vm.machine->requests.once_target, "other");
	ask("{\"cmd\":\"reset\"}", REFUSED("the VM has not given up, so nothing needs a reset"));
	ask("{\"cmd\":\"stop\"}", OK);
	assert_int_equal(server.vm.machine->present.state, STATE_STOPPING);
	ask("{\"cmd\":\"kill\"}", OK);
	assert_true(server.vm.machine->requests.stop);
}

static void test_reboot(void **state)
{
	(void)state;
	ask("{\"cmd\":\"reboot\",\"target\":\"none\"}",
	    REFUSED("unknown target \\\"none\\\" (known: default, other)"));
	assert_int_equal(server.vm.machine->present.state, STATE_RUNNING);
	ask("{\"cmd\":\"reboot\",\"target\":\"other\"}",
	    "{\"ok\":true,\"state\":\"stopping\",\"target\":\"default\",\"stop_action\":\"acpi\","
	    "\"limit_ms\":75000,\"next_target\":\"other\"}\n");
	assert_string_equal(server.vm.machine->requests.reboot_to, "other");
}

static void test_reset_of_a_given_up_vm(void **state)
{
	(void)state;
	server.vm.machine->choice.refused_target = mem_copy("default");
	vm_put(&server.vm, STATE_GIVEN_UP);
	ask("{\"cmd\":\"reset\"}", OK);
}

/* Sends a status request that is padded to this length, in pieces that the socket takes. */
static void send_line(size_t length, bool whole)
{
	MEM_AUTO char *line = mem_zero(length + 2);
	size_t sent = 0;

	(void)snprintf(line, length + 1, "%-*s", (int)length, STATUS);
	if (whole)
		line[length++] = '\n';
	while (sent < length) {
		ssize_t n = send(peer.fd, line + sent, length - sent, MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		server_turn();
	}
}

static void test_longest_line(void **state)
{
	(void)state;
	send_line(MAX_CLIENT_LINE, true);
	assert_memory_equal(server_hear(peer.fd), "{\"ok\":true,\"v\":1", 16);
	send_line(MAX_CLIENT_LINE + 1, true);
	assert_string_equal(server_hear(peer.fd), TOO_LONG);
	server_check_closed(peer.fd);
}

/* vmrun does not wait for the newline of a line that is too long already. */
static void test_longest_half_line(void **state)
{
	(void)state;
	send_line(MAX_CLIENT_LINE, false);
	assert_string_equal(server_hear(peer.fd), "");
	assert_int_equal(peer.client->in.length, MAX_CLIENT_LINE);
	server_say(peer.fd, "\n");
	assert_memory_equal(server_hear(peer.fd), "{\"ok\":true,\"v\":1", 16);
	send_line(MAX_CLIENT_LINE, false);
	server_say(peer.fd, " ");
	assert_string_equal(server_hear(peer.fd), TOO_LONG);
	server_check_closed(peer.fd);
}

/* Sends this many requests, lets vmrun serve them once, and returns how many were served. */
static int serve_once(int count)
{
	for (int i = 0; i < count; i++)
		server_say(peer.fd, "{\"cmd\":\"reload\"}\n");
	server.reloads = 0;
	client_read(peer.client);
	serve_lines(server.control, peer.client);
	return server.reloads;
}

static void test_requests_at_once(void **state)
{
	(void)state;
	assert_int_equal(serve_once(MAX_REQUESTS_AT_ONCE), MAX_REQUESTS_AT_ONCE);
	assert_false(peer.client->more);
	assert_int_equal(serve_once(MAX_REQUESTS_AT_ONCE + 1), MAX_REQUESTS_AT_ONCE);
	assert_true(peer.client->more);
	serve_lines(server.control, peer.client);
	assert_int_equal(server.reloads, MAX_REQUESTS_AT_ONCE + 1);
	assert_false(peer.client->more);
}

/* A client with this much unread output is not served until it has read. */
static void test_unread_answers(void **state)
{
	MEM_AUTO char *bytes = mem_zero(MAX_CLIENT_OUT);

	(void)state;
	client_put(peer.client, bytes, MAX_CLIENT_OUT - 1);
	assert_int_equal(serve_once(2), 1);
	assert_int_equal(client_unread(peer.client), MAX_CLIENT_OUT - 1 + strlen(OK));
	serve_lines(server.control, peer.client);
	assert_int_equal(server.reloads, 1);
	while (!client_flush(peer.client))
		(void)recv(peer.fd, bytes, MAX_CLIENT_OUT, 0);
	serve_lines(server.control, peer.client);
	assert_int_equal(server.reloads, 2);
}

/* vmrun does not even receive from a client that does not read its answers. */
static void test_slow_client_is_not_received_from(void **state)
{
	MEM_AUTO char *bytes = mem_zero(MAX_CLIENT_OUT);

	(void)state;
	client_put(peer.client, bytes, MAX_CLIENT_OUT - 1);
	clients_update(server.control, peer.client);
	assert_true(peer.client->reading);
	client_put(peer.client, bytes, 1);
	clients_update(server.control, peer.client);
	assert_false(peer.client->reading);
	assert_true(peer.client->writing);
}

static void test_reserved_client(void **state)
{
	static const char *const refused[] = { "\"events\"", "\"console\"", "\"reload\"",
		"\"reset\"", "\"reboot\"", "\"next\",\"target\":\"other\"",
		"\"forget\",\"hook\":\"h\"", "\"wait\",\"gone\":true",
		"\"wait-for\",\"text\":\"x\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		MEM_AUTO char *line = mem_format("{\"id\":3,\"cmd\":%s}", refused[i]);

		peer.client->reserved = true;
		peer.client->leaves = false;
		server_say(peer.fd, line);
		server_say(peer.fd, "\n");
		client_read(peer.client);
		serve_lines(server.control, peer.client);
		peer.client->reserved = false;
		assert_true(peer.client->leaves);
		assert_true(client_flush(peer.client));
		peer.client->leaves = false;
		assert_string_equal(server_hear(peer.fd),
		    "{\"id\":3,\"ok\":false,\"error\":\"too many clients: 1 are connected; only "
		    "status, stop and kill are answered now, within 5 seconds\"}\n");
	}
	assert_int_equal(server.reloads, 0);
}

static void test_malformed_requests(void **state)
{
	(void)state;
	ask("{\"id\":1,\"cmd\":\"stauts\"}",
	    "{\"id\":1,\"ok\":false,\"error\":\"unknown command \\\"stauts\\\", did you mean "
	    "\\\"status\\\"?\"}\n");
	ask("", REFUSED("not JSON: column 1: the text is empty"));
	ask("{\"cmd\":\"reload\"}", OK);
}

/* Reads what was typed for the guest. */
static void check_typed(const struct console *console, const char *text)
{
	struct pollfd p = { .fd = console->guest_fd, .events = POLLIN };
	char typed[64] = "";
	size_t n = 0;

	while (n < strlen(text)) {
		ssize_t got;

		assert_int_equal(poll(&p, 1, 60000), 1);
		got = read(console->guest_fd, typed + n, sizeof(typed) - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_string_equal(typed, text);
}

/* The guest gets the bytes of the client that writes, and not those of one that only reads. */
static void test_typing(void **state)
{
	const struct console *console = server_console();
	struct peer other;

	(void)state;
	other = server_connect();
	ask("{\"cmd\":\"console\",\"write\":true}", "{\"ok\":true,\"backlog\":0}\n");
	server_ask(other.fd, "{\"cmd\":\"console\"}", "{\"ok\":true,\"backlog\":0}\n");
	server_say(other.fd, "reader\n" STATUS "\n");
	server_turn();
	server_say(peer.fd, STATUS);
	assert_string_equal(server_hear(peer.fd), "");
	check_typed(console, STATUS);
	assert_int_equal(other.client->in.length, 0);
	assert_int_equal(peer.client->in.length, 0);
	assert_false(server.control->wants_room);
	(void)close(other.fd);
}

/*
 * Puts a full pipe in the place of the console's terminal.  A terminal moves its bytes on in the
 * background, so it may take more just after it was full.
 */
static void fill_console(struct console *console)
{
	static const char bytes[4096];
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(dup2(fd[0], console->guest_fd), console->guest_fd);
	assert_int_equal(dup2(fd[1], console->fd), console->fd);
	(void)close(fd[0]);
	(void)close(fd[1]);
	for (size_t n = sizeof(bytes); n > 0;) {
		if (console_type(console, bytes, n) == 0)
			n /= 2;
	}
}

/* While the guest takes no input, vmrun holds the writer's bytes and receives no more of them. */
static void test_typing_for_a_busy_guest(void **state)
{
	struct console *console = server_console();
	char bytes[4096];

	(void)state;
	ask("{\"cmd\":\"console\",\"write\":true}", "{\"ok\":true,\"backlog\":0}\n");
	fill_console(console);
	server_say(peer.fd, "rest");
	server_turn();
	assert_int_equal(peer.client->in.length, 4);
	assert_true(server.control->wants_room);
	assert_true(server.vm.machine->console_watch.writes);
	assert_false(peer.client->reading);
	while (peer.client->in.length > 0) {
		assert_true(read(console->guest_fd, bytes, sizeof(bytes)) > 0);
		control_console_ready(server.control);
	}
	server_turn();
	assert_false(server.control->wants_room);
	assert_false(server.vm.machine->console_watch.writes);
	assert_true(peer.client->reading);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_status_of_a_guest),
		TEST(test_reload_and_forget),
		TEST(test_requests_to_the_machine),
		TEST(test_reboot),
		TEST(test_reset_of_a_given_up_vm),
		TEST(test_longest_line),
		TEST(test_longest_half_line),
		TEST(test_requests_at_once),
		TEST(test_unread_answers),
		TEST(test_slow_client_is_not_received_from),
		TEST(test_reserved_client),
		TEST(test_malformed_requests),
		TEST(test_typing),
		TEST(test_typing_for_a_busy_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
