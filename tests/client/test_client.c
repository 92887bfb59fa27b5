/* Requests to a vmrun whose answers the test writes. */
#include "vmrun_of_test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void test_null_is_no_argument(void **state)
{
	char bytes[8];
	size_t n = 7;

	(void)state;
	expect_error(ask(NULL, NULL), VMRUN_CLIENT_USAGE, "got NULL");
	expect_error(vmrun_client_send(client, NULL, 0, NULL), VMRUN_CLIENT_USAGE, "got NULL");
	expect_error(vmrun_client_next(client, 0, NULL), VMRUN_CLIENT_USAGE, "message: expected");
	expect_error(vmrun_client_wait(client, NULL, 0), VMRUN_CLIENT_USAGE, "what: expected");
	expect_error(
	    vmrun_client_wait_for(client, NULL, false, 0), VMRUN_CLIENT_USAGE, "text: expected");
	answer("{\"id\":1,\"ok\":true}\nhello");
	assert_int_equal(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_OK);
	expect_error(vmrun_client_read(client, bytes, sizeof(bytes), NULL, 0), VMRUN_CLIENT_USAGE,
	    "length: expected");
	expect_error(vmrun_client_read(client, NULL, sizeof(bytes), &n, 0), VMRUN_CLIENT_USAGE,
	    "bytes: expected");
	assert_int_equal(n, 0);
	expect_error(
	    vmrun_client_write(client, "x", 1, NULL, 0), VMRUN_CLIENT_USAGE, "written: expected");
	expect_error(
	    vmrun_client_write(client, NULL, 1, &n, 0), VMRUN_CLIENT_USAGE, "bytes: expected");
	/* Nothing was lost. */
	assert_int_equal(vmrun_client_read(client, bytes, sizeof(bytes), &n, 0), VMRUN_CLIENT_OK);
	assert_int_equal(n, 5);
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
	answer(" \t\r{\"id\":1,\"ok\":true,\"a\":1}\r\n");
	send_request("{\"cmd\":\"status\"}", 1);
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_string_equal(m->json, "{\"ok\":true,\"a\":1}");
	assert_int_equal(m->id, 1);
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
	send_request("{\"cmd\":\"status\"}", 2);
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

/* The program never got the id of a request of which vmrun_client_ask() gave up the answer. */
static void test_a_late_answer_is_dropped(void **state)
{
	const struct vmrun_message *m;

	(void)state;
	expect_error(ask("{\"cmd\":\"status\"}", NULL), VMRUN_CLIENT_TIMED_OUT, "does not answer");
	answer("{\"id\":1,\"ok\":true}\n");
	expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_TIMED_OUT, "within the limit");
	assert_null(m);
	send_request("{\"cmd\":\"status\"}", 2);
	answer("{\"id\":1,\"ok\":true}\n{\"id\":2,\"ok\":true,\"a\":1}\n");
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_int_equal(m->id, 2);
}

/* Answers that come while another call waits are lent afterwards, each once. */
static void test_answers_of_sent_requests_are_kept(void **state)
{
	const struct vmrun_message *m;
	const char *text;

	(void)state;
	send_request("{\"cmd\":\"stop\"}", 1);
	send_request("{\"cmd\":\"reset\"}", 2);
	answer("{\"id\":2,\"ok\":false,\"error\":\"why\"}\n{\"id\":2,\"ok\":true}\n"
	       "{\"id\":3,\"ok\":true,\"a\":3}\n{\"id\":1,\"ok\":true,\"a\":1}\n{\"id\":4,\"ok\":"
	       "true}\n");
	assert_int_equal(ask("{\"cmd\":\"status\"}", &text), VMRUN_CLIENT_OK);
	assert_string_equal(text, "{\"ok\":true,\"a\":3}");
	assert_int_equal(vmrun_client_wait(client, "ready", 0), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_int_equal(m->id, 1);
	assert_true(m->ok);
	assert_string_equal(m->json, "{\"ok\":true,\"a\":1}");
	assert_null(vmrun_client_answer(client));
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_int_equal(m->id, 2);
	assert_false(m->ok);
	assert_string_equal(m->error, "why");
	expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_TIMED_OUT, "within the limit");
	/* Those that come behind the answer to a wait for the end are kept, too. */
	send_request("{\"cmd\":\"status\"}", 5);
	answer("{\"id\":6,\"ok\":true}\n{\"id\":5,\"ok\":true}\n");
	hang_up();
	assert_int_equal(vmrun_client_wait(client, "gone", -1), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	assert_int_equal(m->id, 5);
	expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_NOT_RUNNING, "closed");
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

/* A request is not accepted on a connection whose end a call has reported. */
static void test_a_closed_connection_takes_no_request(void **state)
{
	const struct vmrun_message *m;
	uint64_t id;

	(void)state;
	answer("{\"id\":1,\"ok\":true}\n");
	hang_up();
	/* vmrun may have answered before it closed the connection. */
	assert_int_equal(vmrun_client_send(client, "{\"cmd\":\"stop\"}", 0, &id), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_OK);
	expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_NOT_RUNNING, "closed");
	expect_error(vmrun_client_send(client, "{\"cmd\":\"stop\"}", 0, &id),
	    VMRUN_CLIENT_NOT_RUNNING, "closed");
	assert_int_equal(id, 0);
	expect_error(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_NOT_RUNNING, "closed");
}

#define DENIED "{\"ok\":false,\"denied\":true,\"error\":\"only root\"}\n"

/* vmrun turns a user away by the credentials of the connection: each call says so. */
static void test_a_denied_user(void **state)
{
	const struct vmrun_message *m;
	const char *text;

	(void)state;
	answer(DENIED);
	hang_up();
	expect_error(ask("{\"cmd\":\"status\"}", &text), VMRUN_CLIENT_DENIED, "only root");
	assert_null(text);
	expect_error(ask("{\"cmd\":\"status\"}", &text), VMRUN_CLIENT_DENIED, "only root");
	expect_error(vmrun_client_next(client, 0, &m), VMRUN_CLIENT_DENIED, "only root");
	assert_null(m);
	expect_error(vmrun_client_wait(client, "gone", 0), VMRUN_CLIENT_DENIED, "only root");
	expect_error(vmrun_client_attach(client, true, 0), VMRUN_CLIENT_DENIED, "only root");
}

/* A refusal of one request does not end the connection, whatever it says. */
static void test_a_refusal_that_is_no_denial(void **state)
{
	(void)state;
	answer("{\"id\":1,\"ok\":false,\"denied\":true,\"error\":\"no\"}\n"
	       "{\"ok\":false,\"denied\":false,\"error\":\"no\"}\n{\"id\":3,\"ok\":true}\n");
	expect_error(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_REFUSED, "no");
	expect_error(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_REFUSED, "no");
	assert_int_equal(ask("{\"cmd\":\"stop\"}", NULL), VMRUN_CLIENT_OK);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_that_of_its_request),
		TEST(wrong_requests_are_not_sent),
		TEST(null_is_no_argument),
		TEST(a_message_is_one_object),
		TEST(messages),
		TEST(a_refused_follow),
		TEST(a_refused_request_to_follow),
		TEST(other_answers_without_end),
		TEST(a_late_answer_is_dropped),
		TEST(answers_of_sent_requests_are_kept),
		TEST(a_refusal_without_a_request),
		TEST(a_closed_connection_takes_no_request),
		TEST(a_denied_user),
		TEST(a_refusal_that_is_no_denial),
		TEST(waits),
		TEST(a_full_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
