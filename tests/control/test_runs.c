/* Scripts that clients run: their answers, their limits, and how they end. */
#include "server.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "hook/call.h"
#include "life.h"

static struct peer peer;

static int enter(void **state)
{
	if (life_enter(state) != 0)
		return -1;
	server_open();
	calls_boot_began(&server.vm.machine->calls, false, 0);
	peer = server_connect();
	return 0;
}

static int leave(void **state)
{
	(void)close(peer.fd);
	server_close();
	return life_leave(state);
}

/* Returns the request of a script; the caller frees it. */
static char *request(int id, const char *text)
{
	return mem_format(
	    "{\"id\":%d,\"cmd\":\"run\",\"name\":\"a.lua\",\"text\":\"%s\"}", id, text);
}

static void ask(const char *text, const char *answer)
{
	MEM_AUTO char *line = request(3, text);

	server_ask(peer.fd, line, answer);
}

/* Lets the time of the scripts' waits come. */
static void pass(void)
{
	server.vm.machine->options.simulation->now_ms += 1000;
	machine_deadline(server.vm.machine);
}

static bool scripts_last(void)
{
	return calls_last(&server.vm.machine->calls);
}

/* A script that waits for nothing is answered at once, others at their end. */
static void test_results(void **state)
{
	(void)state;
	ask("return { a = { 7 } }", "{\"id\":3,\"ok\":true,\"result\":{\"a\":[7]}}\n");
	ask("local x", "{\"id\":3,\"ok\":true,\"result\":null}\n");
	ask("error('no', 0)", "{\"id\":3,\"ok\":false,\"error\":\"no\"}\n");
	ask("vmrun.sleep(1) return 7", "");
	assert_int_equal(peer.client->waits, 1);
	pass();
	assert_string_equal(server_hear(peer.fd), "{\"id\":3,\"ok\":true,\"result\":7}\n");
	assert_int_equal(peer.client->waits, 0);
	assert_false(scripts_last());
}

static void test_no_vm(void **state)
{
	(void)state;
	calls_boot_ended(&server.vm.machine->calls);
	ask("return 7", "{\"id\":3,\"ok\":false,\"error\":\"no VM is running\"}\n");
	assert_int_equal(peer.client->waits, 0);
}

static void test_too_many(void **state)
{
	(void)state;
	peer.client->waits = MAX_CLIENT_WAITS - 1;
	ask("vmrun.sleep(1)", "");
	ask("return 7",
	    "{\"id\":3,\"ok\":false,\"error\":\"too many waiting requests on this connection\"}\n");
	peer.client->waits = 1;
}

/* The scripts of a client end with its connection, those of others go on. */
static void test_client_that_goes(void **state)
{
	struct peer other = server_connect();
	MEM_AUTO char *line = request(4, "vmrun.sleep(1) return 8");

	(void)state;
	ask("vmrun.sleep(1) return 7", "");
	server_ask(other.fd, line, "");
	(void)close(other.fd);
	server_turn();
	assert_int_equal(server.control->count, 1);
	pass();
	assert_string_equal(server_hear(peer.fd), "{\"id\":3,\"ok\":true,\"result\":7}\n");
	assert_false(scripts_last());
	ask("vmrun.sleep(1) return 7", "");
	(void)close(peer.fd);
	server_turn();
	assert_false(scripts_last());
	peer = server_connect();
}

/* A client that has shut down its side hears of no script any more, though it reads on. */
static void test_half_closed_slow_client(void **state)
{
	(void)state;
	ask("vmrun.sleep(1) return 7", "");
	server_fill(peer.client);
	server_say(peer.fd, "{\"cmd\":\"reload\"}\n");
	assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
	server_turn();
	assert_int_equal(server.control->count, 1);
	assert_int_equal(peer.client->waits, 0);
	assert_false(scripts_last());
	server_check_closed(peer.fd);
}

static void test_end_of_the_vm(void **state)
{
	(void)state;
	ask("vmrun.sleep(1) return 7", "");
	vm_put(&server.vm, STATE_ENDED);
	control_settle(server.control);
	assert_string_equal(
	    server_hear(peer.fd), "{\"id\":3,\"ok\":false,\"error\":\"the VM has exited\"}\n");
	assert_false(scripts_last());
}

/*
 * Begins two scripts, the older one of which has its answer and goes on as soon as the newer one
 * ends, as while the newer one computes.
 */
static void begin_two(int newer)
{
	MEM_AUTO char *line = request(4, "vmrun.sleep(1) return 8");

	ask("vmrun.sleep(1) return 7", "");
	server_ask(newer, line, "");
	server.vm.machine->calls.lasting[0]->state = CALL_ANSWERED;
}

/* The end of one script lets another one go on, which ends as well. */
static void test_end_that_ends_another(void **state)
{
	struct peer other = server_connect();

	(void)state;
	begin_two(other.fd);
	(void)close(other.fd);
	server_turn();
	assert_int_equal(server.control->count, 1);
	assert_string_equal(server_hear(peer.fd), "{\"id\":3,\"ok\":true,\"result\":7}\n");
	assert_true(LIST_EMPTY(&server.control->runs));
	begin_two(peer.fd);
	vm_put(&server.vm, STATE_ENDED);
	control_settle(server.control);
	assert_string_equal(server_hear(peer.fd),
	    "{\"id\":3,\"ok\":true,\"result\":7}\n"
	    "{\"id\":4,\"ok\":false,\"error\":\"the VM has exited\"}\n");
	assert_true(LIST_EMPTY(&server.control->runs));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_results),
		TEST(test_no_vm),
		TEST(test_too_many),
		TEST(test_client_that_goes),
		TEST(test_half_closed_slow_client),
		TEST(test_end_of_the_vm),
		TEST(test_end_that_ends_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
