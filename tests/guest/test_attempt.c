/* Tries of probes, with real sockets and commands. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/attempt.h"

enum { TAG = 1, TAG_END };

static struct waitset *set;
static struct attempt a;
static struct probe probe;
static int server, client;

static uintptr_t end_tag(pid_t pid)
{
	(void)pid;
	return TAG_END;
}

static const struct attempt_loop *loop(void)
{
	static struct attempt_loop l = { .tag = TAG, .end_tag = end_tag, .directory = "/" };

	l.wait = set;
	return &l;
}

static int begin(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);

	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client = -1;
	server = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    getsockname(server, (struct sockaddr *)&at, &size) != 0)
		return -1;
	probe = (struct probe){
		.kind = PROBE_CONNECT, .address = "127.0.0.1", .port = ntohs(at.sin_port)
	};
	return waitset_new(&set, NULL);
}

static int end(void **state)
{
	(void)state;
	attempt_free(&a);
	words_free(&probe.command);
	waitset_free(set);
	(void)close(server);
	if (client >= 0)
		(void)close(client);
	return 0;
}

/* Handles one wake of the loop. */
static void turn(void)
{
	struct wake wake;

	assert_int_equal(waitset_next(set, 60000, &wake, NULL), 1);
	if (wake.tag == TAG)
		attempt_read(&a);
	else
		attempt_command_ended(&a);
}

static void finish(void)
{
	while (attempt_runs(&a))
		turn();
	assert_int_equal(attempt_until_ms(&a), -1);
}

static void check_failure(const char *what)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "127.0.0.1:%d: %s", probe.port, what);
	finish();
	assert_int_equal(a.state, ATTEMPT_FAILED);
	assert_string_equal(a.why, text);
}

static void serve(const char *text)
{
	assert_int_equal(listen(server, 1), 0);
	attempt_begin(&a, &probe, loop(), 1000);
	client = accept(server, NULL, NULL);
	assert_true(client >= 0);
	assert_int_equal(write(client, text, strlen(text)), strlen(text));
}

static void test_refused(void **state)
{
	(void)state;
	attempt_begin(&a, &probe, loop(), 1000);
	check_failure("Connection refused");
}

static void test_connected(void **state)
{
	(void)state;
	serve("");
	assert_int_equal(attempt_until_ms(&a), 11000);
	finish();
	assert_int_equal(a.state, ATTEMPT_SUCCEEDED);
}

static void test_text(void **state)
{
	(void)state;
	probe.text = "SSH-";
	serve("hello SS");
	while (a.bytes < 8)
		turn();
	assert_true(attempt_runs(&a));
	assert_int_equal(write(client, "H-2.0", 5), 5);
	finish();
	assert_int_equal(a.state, ATTEMPT_SUCCEEDED);
}

static void test_other_text(void **state)
{
	(void)state;
	probe.text = "SSH-\r\n";
	serve("\033[2J");
	(void)shutdown(client, SHUT_RDWR);
	check_failure("no text \"SSH-\\r\\n\" before the end of the connection");
}

static void test_silent(void **state)
{
	(void)state;
	probe.text = "SSH-";
	serve("");
	turn();
	assert_int_equal(a.state, ATTEMPT_READS);
	attempt_late(&a, 11000);
	check_failure("no text \"SSH-\" within 10 s");
}

static void run(const char *script)
{
	probe.kind = PROBE_EXEC;
	words_add(&probe.command, "/bin/sh");
	words_add(&probe.command, "-c");
	words_add(&probe.command, script);
	attempt_begin(&a, &probe, loop(), 1000);
}

static void test_command(void **state)
{
	(void)state;
	run("test \"$PWD\" = / && echo much");
	finish();
	assert_int_equal(a.state, ATTEMPT_SUCCEEDED);
}

static void test_command_fails(void **state)
{
	(void)state;
	run("printf 'one\\nt\\033wo\\n\\n' >&2; exit 3");
	finish();
	assert_int_equal(a.state, ATTEMPT_FAILED);
	assert_string_equal(a.why, "sh ended with status 3: t wo");
}

static void test_command_hangs(void **state)
{
	(void)state;
	run("sleep 1000");
	attempt_late(&a, 11000);
	assert_int_equal(a.state, ATTEMPT_KILLED);
	assert_int_equal(attempt_until_ms(&a), 12000);
	finish();
	assert_int_equal(a.state, ATTEMPT_FAILED);
	assert_string_equal(a.why, "sh did not end within 10 s and was killed");
}

/* A process in the kernel may outlive SIGKILL for long. */
static void test_command_outlives_its_kill(void **state)
{
	(void)state;
	run("exec sleep 1000");
	attempt_late(&a, 11000);
	assert_int_equal(a.state, ATTEMPT_KILLED);
	attempt_late(&a, 12000);
	assert_int_equal(a.state, ATTEMPT_FAILED);
	assert_string_equal(a.why, "sh did not end within 10 s and was killed");
	assert_int_equal(attempt_until_ms(&a), -1);
	assert_int_equal(a.job.pid, 0);
}

static void test_no_command(void **state)
{
	(void)state;
	probe.kind = PROBE_EXEC;
	words_add(&probe.command, "/no/such");
	attempt_begin(&a, &probe, loop(), 1000);
	assert_int_equal(a.state, ATTEMPT_FAILED);
	assert_non_null(strstr(a.why, "/no/such: No such file or directory"));
}

static void test_place(void **state)
{
	struct probe v6 = { .kind = PROBE_CONNECT, .address = "::1", .port = 22 };
	char *place = attempt_place(&v6);

	(void)state;
	assert_string_equal(place, "[::1]:22");
	free(place);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)
	const struct CMUnitTest tests[] = { T(refused), T(connected), T(text), T(other_text),
		T(silent), T(command), T(command_fails), T(command_hangs),
		T(command_outlives_its_kill), T(no_command), T(place) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
