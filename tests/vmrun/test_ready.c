/* The descriptor of --ready-fd and the address of NOTIFY_SOCKET. */
#include "../base/dice.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmrun/ready.h"

/* The longest address: sun_path with its NUL. */
#define MAX_ADDRESS (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* Returns what ready_open() says about this address. */
static const char *open_address(const char *address)
{
	struct ready ready;
	const char *wrong;

	assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
	assert_null(ready_prepare(&ready, -1));
	assert_null(getenv("NOTIFY_SOCKET"));
	wrong = ready_open(&ready);
	assert_int_equal(ready.notify >= 0, wrong == NULL && *address != '\0');
	ready_close(&ready);
	assert_int_equal(ready.notify, -1);
	return wrong;
}

static void test_address(void **state)
{
	char address[MAX_ADDRESS + 2];

	(void)state;
	assert_null(open_address(""));
	assert_null(open_address("@n"));
	assert_null(open_address("/n"));
	assert_non_null(open_address("@"));
	assert_non_null(open_address("n"));
	memset(address, 'n', sizeof(address));
	address[0] = '/';
	address[MAX_ADDRESS] = '\0';
	assert_null(open_address(address));
	address[MAX_ADDRESS] = 'n';
	address[MAX_ADDRESS + 1] = '\0';
	assert_non_null(open_address(address));
}

static void test_descriptor(void **state)
{
	struct ready ready;
	char bytes[2];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_non_null(ready_prepare(&ready, STDERR_FILENO));
	assert_non_null(ready_prepare(&ready, (int64_t)INT32_MAX + 1));
	assert_non_null(ready_prepare(&ready, ends[0]));
	assert_null(ready_prepare(&ready, ends[1]));
	assert_true((fcntl(ends[1], F_GETFD) & FD_CLOEXEC) != 0);
	assert_null(ready_up(&ready));
	assert_null(ready_up(&ready)); /* a second boot writes nothing */
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 1);
	assert_int_equal(bytes[0], '\n');
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 0); /* the descriptor is closed */
	(void)close(ends[0]);
	ready_close(&ready);
}

/* --- what the service manager gets --- */

static struct ready sent;
static int manager; /* its socket */

static int enter(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char directory[] = "/tmp/vmrun-ready-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", directory);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_true(manager >= 0);
	assert_int_equal(fcntl(manager, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(bind(manager, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", at.sun_path, 1), 0);
	assert_null(ready_prepare(&sent, -1));
	assert_null(ready_open(&sent));
	return 0;
}

static int leave(void **state)
{
	char *end = strrchr(sent.to.sun_path, '/');

	(void)state;
	ready_close(&sent);
	(void)close(manager);
	assert_int_equal(unlink(sent.to.sun_path), 0);
	*end = '\0';
	assert_int_equal(rmdir(sent.to.sun_path), 0);
	return 0;
}

/* Fails unless this state sends this datagram; NULL: none. */
static void check_sent(const struct vmrun_state *state, const char *wanted)
{
	char text[1024];
	ssize_t n;

	ready_update(&sent, state);
	n = recv(manager, text, sizeof(text) - 1, 0);
	if (wanted == NULL) {
		assert_int_equal(n, -1);
		return;
	}
	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, wanted);
}

/* One datagram covers each wait of the start, until the guest is ready. */
static void test_time_to_become_ready(void **state)
{
	struct vmrun_state s = { .state = "waiting", .target = "t", .ready = 0 };

	(void)state;
	check_sent(&s, "STATUS=waiting, target t\n");
	s = (struct vmrun_state){ .state = "running",
		.target = "t",
		.pid = 7,
		.boots = 1,
		.ready = 0,
		.ready_within_ms = 600000 };
	check_sent(&s,
	    "EXTEND_TIMEOUT_USEC=615000000\n"
	    "STATUS=running, target t, pid 7, not ready yet, boot 1\n");
	s.ready_within_ms = 1;
	check_sent(&s, NULL);
	s.state = "stopping";
	s.ready_within_ms = 0;
	s.wait_ms = 60000;
	s.stop_step = 1;
	s.stop_action = "acpi";
	check_sent(&s,
	    "EXTEND_TIMEOUT_USEC=75000000\n"
	    "STATUS=stopping, target t, pid 7, not ready yet, boot 1, step 1 (acpi)\n");
	s = (struct vmrun_state){
		.state = "backoff", .target = "t", .boots = 1, .cause = "not_ready", .wait_ms = 2000
	};
	check_sent(&s,
	    "EXTEND_TIMEOUT_USEC=17000000\n"
	    "STATUS=backoff, target t, boot 1, last exit not_ready, next boot\n");
	s = (struct vmrun_state){
		.state = "running", .target = "t", .pid = 8, .boots = 2, .ready = 1, .started = true
	};
	assert_null(ready_up(&sent));
	check_sent(&s, "READY=1\nSTATUS=running, target t, pid 8, boot 2\n");
	/* The start is over: a further boot has the time that its spec gives it. */
	s.boots = 3;
	s.ready = 0;
	s.ready_within_ms = 600000;
	check_sent(&s, "STATUS=running, target t, pid 8, not ready yet, boot 3\n");
}

static void test_time_without_limit(void **state)
{
	struct vmrun_state s = {
		.state = "running", .target = "t", .pid = 7, .boots = 1, .ready = 0, .wait_ms = 5000
	};

	(void)state;
	check_sent(&s, "STATUS=running, target t, pid 7, not ready yet, boot 1\n");
	s.ready = -1;
	check_sent(&s, "STATUS=running, target t, pid 7, boot 1\n");
}

/* A stop has its own time limit. */
static void test_stop_before_ready(void **state)
{
	struct vmrun_state s = { .state = "running",
		.target = "t",
		.pid = 7,
		.boots = 1,
		.ready = 0,
		.ready_within_ms = 1000 };

	(void)state;
	check_sent(&s,
	    "EXTEND_TIMEOUT_USEC=16000000\n"
	    "STATUS=running, target t, pid 7, not ready yet, boot 1\n");
	s.stop_requested = true;
	s.state = "stopping";
	s.stop_action = "kill";
	s.stop_step = 1;
	check_sent(&s,
	    "STOPPING=1\n"
	    "STATUS=stopping, target t, pid 7, not ready yet, boot 1, step 1 (kill)\n");
}

/* A boot may follow a cleanup: only the end of vmrun is told as such. */
static void test_cleanup(void **state)
{
	struct vmrun_state s = { .state = "stopping", .target = "t", .boots = 1, .ready = -1 };

	(void)state;
	check_sent(&s, "STATUS=stopping, target t, boot 1\n");
	s.ending = true;
	check_sent(&s, "STOPPING=1\nSTATUS=stopping, target t, boot 1\n");
	check_sent(&s, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test_setup_teardown(test_time_to_become_ready, enter, leave),
		cmocka_unit_test_setup_teardown(test_time_without_limit, enter, leave),
		cmocka_unit_test_setup_teardown(test_stop_before_ready, enter, leave),
		cmocka_unit_test_setup_teardown(test_cleanup, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
