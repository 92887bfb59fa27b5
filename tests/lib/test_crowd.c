/* Many clients of a control socket: the cost of each, and a stop among all of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "lib/handle.h"
#include "life.h"
#include "control/control_inside.h"
#include "talk.h"

#define LISTEN "{\"cmd\":\"events\"}\n"
#define STOP "{\"id\":1,\"cmd\":\"stop\",\"wait\":true}\n"
#define STEP "{\"do\":\"acpi\",\"wait\":60}"
#define FOUR_STEPS STEP "," STEP "," STEP "," STEP
#define HALF ((size_t)60 * 1024)
#define TOO_MANY "{\"ok\":false,\"error\":\"too many clients: "

/* The linker sends these calls here (see CMakeLists.txt), so that the test can count the work. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void *__wrap_memchr(const void *bytes, int byte, size_t n);
void *__real_memchr(const void *bytes, int byte, size_t n);
void __wrap_client_want(struct client *c, struct waitset *wait, bool reading);
void __real_client_want(struct client *c, struct waitset *wait, bool reading);

static size_t searched, looked_at;

void *__wrap_memchr(const void *bytes, int byte, size_t n)
{
	const char *found = __real_memchr(bytes, byte, n);

	searched += found == NULL ? n : (size_t)(found - (const char *)bytes) + 1;
	return (void *)found;
}

void __wrap_client_want(struct client *c, struct waitset *wait, bool reading)
{
	looked_at++;
	__real_client_want(c, wait, reading);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Returns the highest number of clients, both of whose ends are in this process. */
static size_t allow_clients(void)
{
	struct rlimit files;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur =
	    files.rlim_max == RLIM_INFINITY || files.rlim_max > 4096 ? 4096 : files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	return files.rlim_cur >= 2300 ? MAX_ORDINARY_CLIENTS : (size_t)files.rlim_cur / 2 - 80;
}

static struct vmrun *begin_with(const char *script, const char *more, size_t limit)
{
	struct vmrun *vm = talk_begin(script, more);

	life_wait_for(vm, "one");
	assert_true(vm->control->limit >= limit);
	vm->control->limit = limit;
	return vm;
}

static struct vmrun *begin(size_t limit)
{
	return begin_with(TWO_BOOTS, AT_ONCE, limit);
}

/* Starts a guest that survives as many stops as there are reserved places. */
static struct vmrun *begin_deaf(size_t limit)
{
	return begin_with("acpi on ready one deaf",
	    AT_ONCE ",\"stop\":[" FOUR_STEPS "," FOUR_STEPS "," FOUR_STEPS "," FOUR_STEPS "]",
	    limit);
}

static void wait_for_count(struct vmrun *vm, size_t count)
{
	while (vm->control->count != count)
		life_step(vm, 5);
}

static void connect_all(struct vmrun *vm, int *fd, size_t count)
{
	size_t before = vm->control->count;

	for (size_t i = 0; i < count; i++)
		fd[i] = talk_client(vm);
	wait_for_count(vm, before + count);
}

static void close_all(struct vmrun *vm, const int *fd, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fd[i]);
	wait_for_count(vm, 0);
}

static void expect_refused(struct vmrun *vm, int fd)
{
	talk_expect(vm, fd, TOO_MANY);
	assert_true(talk_is_closed(vm, fd));
	(void)close(fd);
}

/* Checks that a client in a reserved place gets the status, but no events. */
static void expect_status_only(struct vmrun *vm, int fd)
{
	const char *heard;

	talk_say(fd, STATUS "{\"id\":2,\"cmd\":\"events\"}\n");
	heard = talk_hear(vm, fd, "\"id\":2");
	assert_non_null(strstr(heard, "{\"ok\":true,\"v\":1"));
	assert_non_null(strstr(heard, "{\"id\":2,\"ok\":false,\"error\":\"too many clients: "));
	assert_true(talk_is_closed(vm, fd));
	(void)close(fd);
}

static void send_half_line(struct vmrun *vm, int fd)
{
	static char half[HALF];
	size_t sent = 0;

	memset(half, 'x', sizeof(half));
	while (sent < sizeof(half)) {
		ssize_t n = send(fd, half + sent, sizeof(half) - sent, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		life_step(vm, 0);
	}
}

static size_t received(const struct vmrun *vm)
{
	size_t n = 0;

	for (size_t i = 0; i < vm->control->places; i++)
		n += vm->control->client[i] == NULL ? 0 : vm->control->client[i]->in.length;
	return n;
}

/* vmrun searches each byte once; later, clients that send nothing cost nothing. */
static void test_half_lines_cost_nothing(void **state)
{
	static int fd[800];
	size_t count = allow_clients() < 800 ? allow_clients() : 800;
	struct vmrun *vm = begin(count);

	(void)state;
	connect_all(vm, fd, count);
	searched = 0;
	for (size_t i = 0; i < count; i++)
		send_half_line(vm, fd[i]);
	while (received(vm) < count * HALF)
		life_step(vm, 5);
	assert_in_range(searched, count * HALF, count * HALF + 65536);
	searched = looked_at = 0;
	talk_expect_reboot(vm, "go", "two");
	assert_int_equal(looked_at, 0);
	vm->control->limit++;
	talk_expect_alive(vm);
	assert_in_range(looked_at, 1, 10);
	assert_true(searched < 65536);
	close_all(vm, fd, count);
	talk_finish(vm);
}

/* An event wakes only listeners, and console output only viewers. */
static void test_streams_wake_their_own(void **state)
{
	struct vmrun *vm = begin(100);
	int fd[100];

	(void)state;
	connect_all(vm, fd, 100);
	for (size_t i = 0; i < 5; i++) {
		talk_say(fd[i], LISTEN);
		talk_expect(vm, fd[i], "\"ok\":true");
	}
	looked_at = 0;
	assert_int_equal(vmrun_reload(vm), 64);
	for (size_t i = 0; i < 5; i++)
		talk_expect(vm, fd[i], "\"event\":\"reloaded\"");
	assert_int_equal(looked_at, 5);
	close_all(vm, fd, 100);
	talk_finish(vm);
}

/* Many short lines at once are neither moved nor searched repeatedly. */
static void test_short_lines_are_searched_once(void **state)
{
	struct vmrun *vm = begin(8);
	char lines[4096];
	int fd = talk_client(vm);

	(void)state;
	memset(lines, '\n', sizeof(lines));
	searched = 0;
	assert_int_equal(send(fd, lines, sizeof(lines), MSG_NOSIGNAL), sizeof(lines));
	for (size_t answers = 0; answers < sizeof(lines);) {
		const char *heard = talk_hear(vm, fd, "\n");

		for (; (heard = strchr(heard, '\n')) != NULL; heard++)
			answers++;
	}
	/* vmrun finds some lines before their turn, and again in their turn. */
	assert_true(searched < 2 * sizeof(lines));
	close_all(vm, &fd, 1);
	talk_finish(vm);
}

/* Beyond the limit, a client that was idle for long makes room. */
static void test_limit(void **state)
{
	static int fd[MAX_ORDINARY_CLIENTS];
	size_t count = allow_clients();
	struct vmrun *vm = begin(count);
	int late;

	(void)state;
	connect_all(vm, fd, count);
	for (size_t i = 0; i < count; i++) {
		talk_say(fd[i], i % 2 == 0 ? STATUS : LISTEN);
		talk_expect(vm, fd[i], "\"ok\":true");
	}
	assert_int_equal(vm->control->ordinary, count);
	late = talk_client(vm);
	expect_status_only(vm, late);
	talk_expect_reboot(vm, "go", "two");
	talk_expect(vm, fd[1], "\"event\":\"spawned\"");
	vm->control->stall_ms = 0;
	late = talk_client(vm);
	talk_say(late, LISTEN);
	talk_expect(vm, late, "\"ok\":true");
	assert_true(talk_is_closed(vm, fd[0]));
	(void)close(late);
	close_all(vm, fd, count);
	talk_finish(vm);
}

/* When idle clients have all places, a stop is still executed, and answered at the end. */
static void test_stop_through_a_crowd(void **state)
{
	struct vmrun *vm = begin_deaf(8);
	int fd[8], squatter[MAX_RESERVED_CLIENTS], operator;

	(void)state;
	connect_all(vm, fd, 8);
	connect_all(vm, squatter, MAX_RESERVED_CLIENTS);
	for (size_t i = 0; i < MAX_RESERVED_CLIENTS; i++)
		talk_say(squatter[i], "{\"cmd\":");
	operator= talk_client(vm);
	talk_say(operator, STATUS STOP);
	talk_expect(vm, operator, "\"state\":\"running\"");
	assert_int_equal(vm->control->count, 8 + MAX_RESERVED_CLIENTS);
	expect_refused(vm, squatter[0]);
	/* The client stays while others come and are dropped. */
	vm->control->hurry_ms = 0;
	wait_for_count(vm, 9);
	vm->control->hurry_ms = MAX_HURRY_MS;
	for (size_t i = 1; i < MAX_RESERVED_CLIENTS; i++)
		expect_refused(vm, squatter[i]);
	connect_all(vm, squatter, MAX_RESERVED_CLIENTS - 1);
	squatter[MAX_RESERVED_CLIENTS - 1] = talk_client(vm);
	expect_refused(vm, squatter[0]);
	vmrun_kill(vm);
	(void)life_end(vm);
	talk_expect(vm, operator, "{\"id\":1,\"ok\":true,\"ended_by\":\"kill\"");
	vmrun_close(vm);
	for (size_t i = 1; i < MAX_RESERVED_CLIENTS; i++)
		(void)close(squatter[i]);
	for (size_t i = 0; i < 8; i++)
		(void)close(fd[i]);
	(void)close(operator);
}

/* When all reserved places wait for the end, the first makes room, as its stop is under way. */
static void test_many_stops(void **state)
{
	struct vmrun *vm = begin_deaf(0);
	int fd[MAX_RESERVED_CLIENTS], late;

	(void)state;
	for (size_t i = 0; i < MAX_RESERVED_CLIENTS; i++) {
		fd[i] = talk_client(vm);
		talk_say(fd[i], STOP);
		while (vm->control->waits < i + 1)
			life_step(vm, 5);
	}
	late = talk_client(vm);
	talk_say(late, "{\"id\":2,\"cmd\":\"kill\"}\n");
	talk_expect(vm, late, "{\"id\":2,\"ok\":true}\n");
	expect_refused(vm, fd[0]);
	(void)life_end(vm);
	for (size_t i = 1; i < MAX_RESERVED_CLIENTS; i++) {
		talk_expect(vm, fd[i], "{\"id\":1,\"ok\":true,\"ended_by\":\"kill\"");
		(void)close(fd[i]);
	}
	(void)close(late);
	vmrun_close(vm);
}

/* vmrun executes the requests of a client before it drops the client, even unread ones. */
static void test_last_words(void **state)
{
	struct vmrun *vm = begin(0);
	int fd[MAX_RESERVED_CLIENTS + 1];

	(void)state;
	fd[0] = talk_client(vm);
	wait_for_count(vm, 1);
	for (size_t i = 1; i <= MAX_RESERVED_CLIENTS; i++)
		fd[i] = talk_try();
	talk_say(fd[0], "{\"id\":9,\"cmd\":\"kill\"}\n");
	control_wake(vm->control, CONTROL_TAG);
	control_settle(vm->control);
	talk_expect(vm, fd[0], "{\"id\":9,\"ok\":true}\n");
	assert_non_null(strstr(life_end(vm), "ended:stopped"));
	for (size_t i = 0; i <= MAX_RESERVED_CLIENTS; i++)
		(void)close(fd[i]);
	vmrun_close(vm);
}

#define TAKEN 64

/* Takes all free descriptors; returns their number. */
static size_t take_descriptors(int *fd, struct rlimit *before)
{
	struct rlimit files;
	size_t n = 0;

	fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd[0] >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	files = *before;
	files.rlim_cur = (rlim_t)fd[0] + TAKEN;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	while (fd[n] >= 0)
		fd[++n] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(errno, EMFILE);
	return n;
}

/* Without free descriptors, the spare one serves a stop, and is reserved again afterwards. */
static void test_no_descriptors(void **state)
{
	struct vmrun *vm = begin(8);
	int taken[TAKEN + 1], fd = talk_try(), second = talk_try();
	size_t count;
	struct rlimit before;

	(void)state;
	assert_true(fd >= 0 && second >= 0);
	count = take_descriptors(taken, &before);
	expect_status_only(vm, fd);
	talk_say(second, "{\"id\":1,\"cmd\":\"kill\"}\n");
	talk_expect(vm, second, "{\"id\":1,\"ok\":true}\n");
	while (count > 0)
		(void)close(taken[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(life_end(vm), "ended:stopped"));
	(void)close(second);
	vmrun_close(vm);
}

static void test_waits_of_one_client(void **state)
{
	struct vmrun *vm = begin(8);
	int fd = talk_client(vm);

	(void)state;
	for (size_t i = 0; i < 64; i++)
		talk_say(fd,
		    i % 2 == 0 ? "{\"cmd\":\"wait\",\"gone\":true}\n"
			       : "{\"cmd\":\"wait\",\"state\":\"given_up\"}\n");
	while (vm->control->waits < 64)
		life_step(vm, 5);
	talk_say(fd, "{\"id\":3,\"cmd\":\"wait\",\"gone\":true}\n");
	talk_expect(vm, fd,
	    "{\"id\":3,\"ok\":false,\"error\":\"too many waiting requests on this connection");
	assert_int_equal(vm->control->waits, 64);
	/* A wait for a state that holds already is answered at once, but counts. */
	talk_say(fd, "{\"cmd\":\"wait\",\"state\":\"running\"}\n");
	talk_expect(vm, fd, "\"too many waiting requests");
	close_all(vm, &fd, 1);
	assert_int_equal(vm->control->waits, 0);
	talk_finish(vm);
}

/* Waits are answered in the order of their timeouts. */
static void test_timeouts(void **state)
{
	static const char *const seconds[] = { "0.09", "0.03", "0.12", "0.06", "0.01" };
	struct vmrun *vm = begin(8);
	int fd = talk_client(vm);
	const char *heard;

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		MEM_AUTO char *text =
		    mem_format("{\"cmd\":\"wait\",\"gone\":true,\"timeout\":%s}\n", seconds[i]);

		talk_say(fd, text);
	}
	heard = talk_hear(vm, fd, "0.12");
	for (const char *const *s = (const char *const[]){ "0.01", "0.03", "0.06", "0.09", NULL };
	     *s != NULL; s++) {
		heard = strstr(heard, *s);
		assert_non_null(heard);
	}
	assert_int_equal(vm->control->waits, 0);
	close_all(vm, &fd, 1);
	talk_finish(vm);
}

static void send_line(struct vmrun *vm, int fd, size_t length, size_t piece)
{
	static const char request[] = "{\"id\":5,\"cmd\":\"status\"}";
	MEM_AUTO char *line = mem_zero(length + 1);
	size_t sent = 0;

	memset(line, ' ', length);
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		line[i] = request[i];
	line[length] = '\n';
	while (sent <= length) {
		size_t most = length + 1 - sent < piece ? length + 1 - sent : piece;
		ssize_t n = send(fd, line + sent, most, MSG_NOSIGNAL);

		if (n < 0 && errno == EPIPE)
			return;
		sent += n > 0 ? (size_t)n : 0;
		life_step(vm, 0);
	}
}

/* The limit of a line does not depend on its pieces. */
static void test_longest_line(void **state)
{
	static const size_t pieces[] = { 1000, 4096, 65536, 70000 };
	struct vmrun *vm = begin(8);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		int fd = talk_client(vm);

		send_line(vm, fd, MAX_CLIENT_LINE, pieces[i]);
		talk_expect(vm, fd, "{\"id\":5,\"ok\":true");
		send_line(vm, fd, MAX_CLIENT_LINE + 1, pieces[i]);
		talk_expect(vm, fd, "{\"ok\":false,\"error\":\"a line of more than 65536 bytes");
		assert_true(talk_is_closed(vm, fd));
		(void)close(fd);
	}
	talk_finish(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_half_lines_cost_nothing, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_streams_wake_their_own, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_short_lines_are_searched_once, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_limit, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_stop_through_a_crowd, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_many_stops, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_last_words, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_no_descriptors, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_waits_of_one_client, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_timeouts, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_longest_line, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
