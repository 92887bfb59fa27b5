/* The client against a vmrun whose answers the test writes. */
#include "../base/dice.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmrun/client.h"

static char directory[64];
static int listener = -1, server = -1;
static struct vmrun_client *client;

static void make_listener(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 5), 0);
}

/* Setup: makes the control socket of "demo", and connects a client. */
static int enter(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/vmrun-client.XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/demo", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/demo/control", directory);
	make_listener(path);
	assert_int_equal(vmrun_client_open(&client, directory, "demo", 1000), VMRUN_CLIENT_OK);
	assert_null(vmrun_client_error(client));
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	return 0;
}

static void hang_up(void)
{
	if (server >= 0)
		(void)close(server);
	server = -1;
}

static int leave(void **state)
{
	char path[128];

	(void)state;
	vmrun_client_close(client);
	hang_up();
	(void)close(listener);
	(void)snprintf(path, sizeof(path), "%s/demo/control", directory);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/demo", directory);
	(void)rmdir(path);
	return rmdir(directory);
}

static void answer(const char *text)
{
	assert_int_equal(write(server, text, strlen(text)), strlen(text));
}

/* Fails unless the server has received this text. */
static void expect_request(const char *text)
{
	char got[1024];
	ssize_t n = read(server, got, sizeof(got) - 1);

	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void expect_error(int status, int wanted, const char *part)
{
	const char *error = vmrun_client_error(client);

	assert_int_equal(status, wanted);
	assert_non_null(error);
	if (strstr(error, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", error, part);
}

static int ask(const char *request, const char **text)
{
	return vmrun_client_ask(client, request, 0, text);
}

static void test_an_answer_is_that_of_its_request(void **state)
{
	const char *text;

	(void)state;
	/* The answers are there before the requests: their ids are 1, 2, ... */
	answer("{\"id\":1,\"ok\":true,\"vm\":\"demo\"}\n");
	assert_int_equal(ask("{\"cmd\":\"status\"}", &text), VMRUN_CLIENT_OK);
	assert_string_equal(text, "{\"ok\":true,\"vm\":\"demo\"}");
	assert_ptr_equal(vmrun_client_answer(client), text);
	expect_request("{\"id\":1,\"cmd\":\"status\"}\n");
	expect_error(ask("{\"cmd\":\"stop\"}", &text), VMRUN_CLIENT_TIMED_OUT, "does not answer");
	assert_null(text);
	assert_null(vmrun_client_answer(client));
	/* The late answer to the stop is dropped. */
	answer("{\"id\":2,\"ok\":true}\n{\"ok\":false,\"error\":\"no\",\"id\":3}\n");
	expect_error(ask(" {\n\"cmd\" : \"next\"}", &text), VMRUN_CLIENT_REFUSED, "no");
	assert_string_equal(text, "{\"ok\":false,\"error\":\"no\",\"id\":3}");
	expect_request("{\"id\":2,\"cmd\":\"stop\"}\n{\"id\":3, \"cmd\" : \"next\"}\n");
	answer("{\"id\":4,\"ok\":true}\n");
	assert_int_equal(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_OK);
	assert_null(vmrun_client_error(client));
}

static void test_wrong_requests_are_not_sent(void **state)
{
	static const struct {
		const char *request, *part;
	} rows[] = {
		{ "", "expected an object" },
		{ "[1]", "expected an object" },
		{ "{\"cmd\":\"status\"", "malformed request" },
		{ "{\"cmd\":\"status\"} x", "malformed request" },
		{ "{}", "\"cmd\" is missing" },
		{ "{\"cmd\":1}", "\"cmd\" is missing" },
		{ "{\"a\":{\"cmd\":\"status\"}}", "\"cmd\" is missing" },
		{ "{\"cmd\":\"status\",\"id\":7}", "remove \"id\"" },
		{ "{\"cmd\":\"console\"}", "vmrun_client_attach()" },
	};
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect_error(ask(rows[i].request, NULL), VMRUN_CLIENT_USAGE, rows[i].part);
		expect_error(vmrun_client_send(client, rows[i].request, 0, &id), VMRUN_CLIENT_USAGE,
		    rows[i].part);
		assert_int_equal(id, 0);
	}
	assert_int_equal(vmrun_client_send(client, "{\"cmd\":\"stop\"}", 0, &id), 0);
	assert_int_equal(id, 1);
	expect_request("{\"id\":1,\"cmd\":\"stop\"}\n");
}

/* A program that reads the JSON of a message gets one object and nothing else. */
static void test_a_message_is_one_object(void **state)
{
	static const char *const malformed[] = {
		"[{\"ok\":true}]\n",
		"{\"ok\":true,\"a\":\n",
		"{\"ok\":true} {\"ok\":true}\n",
		"{\"event\":\"exit\",\"a\":0E}\n",
		"{\"id\":1,\"ok\":true,\"a\"}\n",
	};
	const struct vmrun_message *m;

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		answer(malformed[i]);
		expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_PROTOCOL, "malformed");
		assert_null(m);
	}
	answer(" \t\r{\"id\":7,\"ok\":true,\"a\":1}\r\n");
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_int_equal(m->id, 7);
	assert_string_equal(m->json, "{\"ok\":true,\"a\":1}");
}

static void test_messages(void **state)
{
	const struct vmrun_message *m;

	(void)state;
	answer("{\"id\":1,\"ok\":true}\n{\"v\":1,\"event\":\"exit\"}\n"
	       "{\"id\":2,\"ok\":false,\"error\":\"why\"}\n{\"v\":1}\nx\n"
	       "{\"ok\":false}\n");
	assert_int_equal(vmrun_client_follow(client, 7, 0), VMRUN_CLIENT_OK);
	expect_request("{\"id\":1,\"cmd\":\"events\",\"from\":7}\n");
	expect_error(ask("{\"cmd\":\"status\"}", NULL), VMRUN_CLIENT_USAGE, "follows events");
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_int_equal(m->type, VMRUN_MESSAGE_EVENT);
	assert_string_equal(m->json, "{\"v\":1,\"event\":\"exit\"}");
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_int_equal(m->type, VMRUN_MESSAGE_ANSWER);
	assert_int_equal(m->id, 2);
	assert_false(m->ok);
	assert_string_equal(m->error, "why");
	for (int i = 0; i < 3; i++) {
		expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_PROTOCOL, "malformed");
		assert_null(m);
	}
	expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_TIMED_OUT, "within the limit");
	hang_up();
	expect_error(vmrun_client_next(client, -1, &m), VMRUN_CLIENT_NOT_RUNNING, "closed");
	assert_null(m);
}

/* A refused follow leaves the client as it was. */
static void test_a_refused_follow(void **state)
{
	(void)state;
	answer("{\"id\":1,\"ok\":false,\"error\":\"no\"}\n{\"id\":2,\"ok\":true}\n");
	expect_error(vmrun_client_follow(client, -1, 0), VMRUN_CLIENT_REFUSED, "no");
	expect_request("{\"id\":1,\"cmd\":\"events\"}\n");
	assert_int_equal(ask("{\"cmd\":\"status\"}", NULL), VMRUN_CLIENT_OK);
}

/* So does one of which vmrun_client_send() has asked. */
static void test_a_refused_request_to_follow(void **state)
{
	const struct vmrun_message *m;
	uint64_t id;

	(void)state;
	assert_int_equal(
	    vmrun_client_send(client, "{\"cmd\":\"events\"}", 0, &id), VMRUN_CLIENT_OK);
	answer("{\"id\":1,\"ok\":false,\"error\":\"no\"}\n{\"id\":2,\"ok\":true}\n");
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_false(m->ok);
	assert_int_equal(ask("{\"cmd\":\"status\"}", NULL), VMRUN_CLIENT_OK);
}

/* Answers to other requests do not put off the limit. */
static void test_other_answers_without_end(void **state)
{
	(void)state;
	answer("{\"id\":7,\"ok\":true}\n{\"id\":8,\"ok\":true}\n{\"id\":9,");
	expect_error(ask("{\"cmd\":\"status\"}", NULL), VMRUN_CLIENT_TIMED_OUT,
	    "did not answer within the limit");
}

/* vmrun refuses a connection too many before it reads a request, and closes it. */
static void test_a_refusal_without_a_request(void **state)
{
	const char *text;

	(void)state;
	answer("{\"ok\":false,\"error\":\"too many clients\"}\n");
	hang_up();
	expect_error(ask("{\"cmd\":\"status\"}", &text), VMRUN_CLIENT_REFUSED, "too many");
	assert_string_equal(text, "{\"ok\":false,\"error\":\"too many clients\"}");
	expect_error(ask("{\"cmd\":\"status\"}", &text), VMRUN_CLIENT_NOT_RUNNING, "closed");
}

static void test_waits(void **state)
{
	(void)state;
	answer("{\"id\":1,\"ok\":true}\n{\"id\":2,\"ok\":false,\"error\":\"it ended\"}\n"
	       "{\"id\":3,\"ok\":true}\n{\"id\":4,\"ok\":true}\n");
	assert_int_equal(vmrun_client_wait(client, "given_up", 1500), VMRUN_CLIENT_OK);
	expect_request("{\"id\":1,\"cmd\":\"wait\",\"state\":\"given_up\",\"timeout\":1.500}\n");
	expect_error(vmrun_client_wait(client, "ready", -1), VMRUN_CLIENT_REFUSED, "it ended");
	expect_request("{\"id\":2,\"cmd\":\"wait\",\"ready\":true}\n");
	assert_int_equal(vmrun_client_wait_for(client, "a\nb", false, 7), VMRUN_CLIENT_OK);
	expect_request("{\"id\":3,\"cmd\":\"wait-for\",\"text\":\"a\\nb\",\"timeout\":0.007}\n");
	assert_int_equal(vmrun_client_wait_for(client, "x", true, -1), VMRUN_CLIENT_OK);
	expect_request("{\"id\":4,\"cmd\":\"wait-for\",\"text\":\"x\",\"backlog\":true}\n");
	/* A limit beyond those that vmrun takes is none. */
	answer("{\"id\":5,\"ok\":true}\n");
	assert_int_equal(vmrun_client_wait(client, "ready", INT64_MAX), VMRUN_CLIENT_OK);
	expect_request("{\"id\":5,\"cmd\":\"wait\",\"ready\":true}\n");
	/* A vmrun that closes the connection is gone, but not ready. */
	hang_up();
	assert_int_equal(vmrun_client_wait(client, "gone", -1), VMRUN_CLIENT_OK);
	expect_error(vmrun_client_wait(client, "ready", -1), VMRUN_CLIENT_NOT_RUNNING, "closed");
}

static void test_console(void **state)
{
	char bytes[8];
	size_t n;

	(void)state;
	expect_error(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_USAGE,
	    "vmrun_client_attach()");
	answer("{\"id\":1,\"ok\":true,\"backlog\":11}\nhello world");
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_OK);
	expect_request("{\"id\":1,\"cmd\":\"console\",\"write\":true}\n");
	assert_int_equal(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 8);
	assert_memory_equal(bytes, "hello wo", 8);
	assert_int_equal(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 3);
	expect_error(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_TIMED_OUT,
	    "printed nothing");
	assert_int_equal(vmrun_client_write(client, "ls\r", 3, &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 3);
	expect_request("ls\r");
	expect_error(ask("{\"cmd\":\"status\"}", NULL), VMRUN_CLIENT_USAGE, "console");
	hang_up();
	expect_error(vmrun_client_read(client, bytes, sizeof(bytes), &n, -1),
	    VMRUN_CLIENT_NOT_RUNNING, "closed");
	expect_error(
	    vmrun_client_write(client, "x", 1, &n, -1), VMRUN_CLIENT_NOT_RUNNING, "closed");
}

/* Requests of a client that is attached, or may be so, would be typed to the guest. */
static void test_attached_once(void **state)
{
	(void)state;
	answer("{\"id\":1,\"ok\":true}\n");
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_OK);
	expect_error(
	    vmrun_client_attach(client, true, 0), VMRUN_CLIENT_USAGE, "attached to the console");
	expect_error(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_USAGE, "console");
}

static void test_attached_too_late(void **state)
{
	(void)state;
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_TIMED_OUT);
	answer("{\"id\":1,\"ok\":true}\n");
	expect_error(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_USAGE, "open another client");
	expect_error(
	    vmrun_client_attach(client, true, 0), VMRUN_CLIENT_USAGE, "open another client");
}

/* A console that accepts nothing more: part of the bytes, and no wait beyond the limit. */
static void test_a_full_console(void **state)
{
	static char bytes[4 << 20];
	size_t n;

	(void)state;
	answer("{\"id\":1,\"ok\":true}\n");
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_OK);
	expect_error(vmrun_client_write(client, bytes, sizeof(bytes), &n, 0),
	    VMRUN_CLIENT_TIMED_OUT, "accepts no more");
	assert_true(n > 0 && n < sizeof(bytes));
}

/* A request that the socket does not take at once goes later; then no second one is accepted. */
static void test_a_full_socket(void **state)
{
	static char request[1 << 20], got[65536];
	const char *end = "\"}";
	uint64_t id = 0;
	int sent = 0;

	(void)state;
	(void)snprintf(request, sizeof(request), "{\"cmd\":\"run\",\"text\":\"");
	memset(request + strlen(request), 'x', sizeof(request) - strlen(request) - 4);
	memcpy(request + sizeof(request) - 3, end, 3);
	request[sizeof(request) - 4] = 'x';
	while (vmrun_client_send(client, request, 0, &id) == VMRUN_CLIENT_OK)
		assert_true(++sent < 64);
	assert_true(sent > 0);
	assert_int_equal(id, 0);
	assert_string_equal(
	    vmrun_client_error(client), "vmrun does not read the request before this one");
	assert_int_equal(vmrun_client_events(client), POLLIN | POLLOUT);
	for (size_t left = (size_t)sent * (sizeof(request) - 1 + strlen("\"id\":1,\n"));
	     left > 0;) {
		const struct vmrun_message *m;
		ssize_t n = read(server, got, sizeof(got));

		assert_true(n > 0 && (size_t)n <= left);
		left -= (size_t)n;
		assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_TIMED_OUT);
	}
	assert_int_equal(vmrun_client_events(client), POLLIN);
	assert_int_equal(vmrun_client_send(client, "{\"cmd\":\"stop\"}", 0, &id), 0);
	assert_int_equal(id, sent + 1);
}

static void test_nobody_listens(void **state)
{
	struct vmrun_client *c;
	char path[256];

	(void)state;
	assert_int_equal(vmrun_client_open(&c, directory, "other", 0), VMRUN_CLIENT_NOT_RUNNING);
	assert_non_null(strstr(vmrun_client_error(c), "does not exist"));
	assert_int_equal(vmrun_client_fd(c), -1);
	assert_int_equal(vmrun_client_ask(c, "{\"cmd\":\"status\"}", 0, NULL), VMRUN_CLIENT_USAGE);
	vmrun_client_close(c);
	(void)close(listener);
	listener = -1;
	assert_int_equal(vmrun_client_open(&c, directory, "demo", 0), VMRUN_CLIENT_NOT_RUNNING);
	assert_non_null(strstr(vmrun_client_error(c), "no process listens at"));
	vmrun_client_close(c);
	(void)snprintf(path, sizeof(path), "%s%0100d", directory, 0);
	assert_int_equal(vmrun_client_open(&c, path, "demo", 0), VMRUN_CLIENT_OS);
	vmrun_client_close(c);
	vmrun_client_close(NULL);
}

static void test_names_stay_in_the_directory(void **state)
{
	static const char *const names[] = { "", ".", "..", "../demo", "a/b", NULL };
	struct vmrun_client *c;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(vmrun_client_open(&c, directory, names[i], 0), VMRUN_CLIENT_USAGE);
		assert_non_null(strstr(vmrun_client_error(c), "invalid VM name"));
		vmrun_client_close(c);
	}
}

static void test_a_list(void **state)
{
	const struct vmrun_listed *vm;
	struct vmrun_list *list;
	char lock[128];

	(void)state;
	/* A vmrun that does not answer, and whose pid is not known. */
	assert_int_equal(vmrun_list(&list, directory, 0), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_list_count(list), 1);
	vm = vmrun_list_get(list, 0);
	assert_string_equal(vm->name, "demo");
	assert_string_equal(vm->state, "silent");
	assert_null(vm->status);
	assert_null(vmrun_list_get(list, 1));
	assert_null(vmrun_list_error(list));
	vmrun_list_free(list);
	(void)close(listener);
	listener = -1;
	assert_int_equal(vmrun_list(&list, directory, 0), VMRUN_CLIENT_OK);
	assert_string_equal(vmrun_list_get(list, 0)->state, "dead");
	vmrun_list_free(list);
	/* A directory that does not exist has no VM; a file is a mistyped one. */
	(void)snprintf(lock, sizeof(lock), "%s/none", directory);
	assert_int_equal(vmrun_list(&list, lock, 0), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_list_count(list), 0);
	vmrun_list_free(list);
	(void)snprintf(lock, sizeof(lock), "%s/demo/control", directory);
	assert_int_equal(vmrun_list(&list, lock, 0), VMRUN_CLIENT_OS);
	assert_non_null(strstr(vmrun_list_error(list), "demo/control: Not a directory"));
	vmrun_list_free(list);
	/* A FIFO does not block, and names no process. */
	(void)snprintf(lock, sizeof(lock), "%s/demo/lock", directory);
	assert_int_equal(mkfifo(lock, 0600), 0);
	assert_int_equal(vmrun_list(&list, directory, 0), VMRUN_CLIENT_OK);
	assert_string_equal(vmrun_list_get(list, 0)->state, "dead");
	vmrun_list_free(list);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(vmrun_list(&list, "/nonexistent", 0), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_list_count(list), 0);
	vmrun_list_free(list);
	vmrun_list_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_that_of_its_request),
		TEST(wrong_requests_are_not_sent),
		TEST(a_message_is_one_object),
		TEST(messages),
		TEST(a_refused_follow),
		TEST(a_refused_request_to_follow),
		TEST(other_answers_without_end),
		TEST(attached_once),
		TEST(attached_too_late),
		TEST(a_refusal_without_a_request),
		TEST(waits),
		TEST(console),
		TEST(a_full_console),
		TEST(a_full_socket),
		TEST(nobody_listens),
		TEST(names_stay_in_the_directory),
		TEST(a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
