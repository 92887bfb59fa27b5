/* The listening socket: many clients at once, no descriptors left, a file that disappears. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/handle.h"
#include "life.h"
#include "platform/socket.h"

#define ACCEPTS 16 /* as MAX_ACCEPTS in listener.c */

static int failures, failure;

/* The linker sends these calls here (see CMakeLists.txt). */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __wrap_socket_accept(int listener);
int __real_socket_accept(int listener);

/* Fails as often as the test asks for, then accepts. */
int __wrap_socket_accept(int listener)
{
	if (failures == 0)
		return __real_socket_accept(listener);
	failures--;
	errno = failure;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static int enter(void **state)
{
	failures = 0;
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

static void fail_accepts(int times, int error)
{
	failures = times;
	failure = error;
}

static void test_clients_at_once(void **state)
{
	struct control *c = server.control;
	int fd[2 * ACCEPTS + 1];

	(void)state;
	for (int i = 0; i < ACCEPTS; i++)
		fd[i] = server_dial();
	control_wake(c, CONTROL_TAG);
	assert_int_equal(c->count, ACCEPTS);
	for (int i = ACCEPTS; i < 2 * ACCEPTS + 1; i++)
		fd[i] = server_dial();
	control_wake(c, CONTROL_TAG);
	assert_int_equal(c->count, 2 * ACCEPTS);
	control_wake(c, CONTROL_TAG);
	assert_int_equal(c->count, 2 * ACCEPTS + 1);
	for (int i = 0; i < 2 * ACCEPTS + 1; i++)
		(void)close(fd[i]);
}

/* Without a descriptor for a client, vmrun gives it the spare one, and a reserved place. */
static void test_spare_descriptor(void **state)
{
	struct control *c = server.control;
	int fd = server_dial();

	(void)state;
	assert_true(c->listener.spare >= 0);
	fail_accepts(1, EMFILE);
	control_wake(c, CONTROL_TAG);
	assert_int_equal(c->count, 1);
	assert_int_equal(c->ordinary, 0);
	assert_non_null(c->client[0]);
	assert_int_equal(c->listener.spare, -1);
	assert_false(c->listener.deaf);
	/* The next wake-up takes a spare one again. */
	control_wake(c, CONTROL_TAG);
	assert_true(c->listener.spare >= 0);
	(void)close(fd);
}

/* The spare descriptor of a program that has closed its standard input may be 0. */
static void test_spare_descriptor_0(void **state)
{
	struct control *c = server.control;
	int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), fd = server_dial();

	(void)state;
	(void)close(c->listener.spare);
	c->listener.spare = -1;
	(void)close(STDIN_FILENO);
	fail_accepts(1, EMFILE);
	control_wake(c, CONTROL_TAG);
	assert_int_equal(c->count, 1);
	assert_false(c->listener.deaf);
	(void)close(fd);
	if (input >= 0) {
		assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
		(void)close(input);
	}
}

static void test_end_with_spare_descriptor_0(void **state)
{
	struct control *c = server.control;
	int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	(void)state;
	(void)close(c->listener.spare);
	c->listener.spare = -1;
	(void)close(STDIN_FILENO);
	control_wake(c, CONTROL_TAG);
	assert_int_equal(c->listener.spare, STDIN_FILENO);
	control_close(c);
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
	if (input >= 0) {
		assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
		(void)close(input);
	}
}

/* Fails unless the socket is watched, or not. */
static void check_watched(bool watched)
{
	struct error err = { 0 };
	struct wake wake;
	int fd = server_dial();

	assert_int_equal(waitset_next(server.vm.handle->wait, 0, &wake, &err), watched ? 1 : 0);
	if (watched)
		control_wake(server.control, wake.tag);
	(void)close(fd);
}

/* Lowers the limit of descriptors to those that are in use; returns the limit before. */
static struct rlimit exhaust_descriptors(void)
{
	struct rlimit before, files;
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(lowest >= 0);
	(void)close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	files = before;
	files.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	return before;
}

/* When the spare descriptor is used up, vmrun does not watch the socket for a while. */
static void test_no_descriptors(void **state)
{
	struct control *c = server.control;
	struct rlimit before;
	int fd = server_dial(), held = c->listener.spare;

	(void)state;
	c->listener.spare = -1;
	before = exhaust_descriptors();
	control_wake(c, CONTROL_TAG);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(c->count, 0);
	assert_true(c->listener.deaf);
	check_watched(false);
	assert_int_equal(control_until_ms(c), server.now_ms + CONTROL_RETRY_MS);
	server.now_ms += CONTROL_RETRY_MS - 1;
	control_settle(c);
	assert_true(c->listener.deaf);
	server.now_ms++;
	control_settle(c);
	assert_false(c->listener.deaf);
	assert_true(c->listener.spare >= 0);
	check_watched(true);
	assert_int_equal(c->count, 3); /* with two that the tests of the watch connected */
	(void)close(held);
	(void)close(fd);
}

/* Other failures are those of one client, or mean that no client is left. */
static void test_failed_client(void **state)
{
	struct control *c = server.control;
	int spare = c->listener.spare, fd = server_dial();

	(void)state;
	fail_accepts(1, ECONNABORTED);
	control_wake(c, CONTROL_TAG);
	assert_int_equal(c->count, 0);
	assert_int_equal(c->listener.spare, spare);
	assert_false(c->listener.deaf);
	check_watched(true);
	assert_int_equal(c->count, 2);
	(void)close(fd);
}

/* Returns how many warnings have these words, and takes all events. */
static int count_warnings(const char *words)
{
	const struct vmrun_event *e;
	int count = 0;

	while ((e = vm_event(&server.vm, VMRUN_WARNING)) != NULL)
		count += strstr(e->text, words) != NULL;
	return count;
}

static void test_deleted_file(void **state)
{
	struct peer old = server_connect();
	int pending = server_dial(), listener = server.control->listener.fd;

	(void)state;
	assert_int_equal(unlink(SOCKET), 0);
	control_settle(server.control);
	assert_int_equal(access(SOCKET, F_OK), -1); /* vmrun looks once per boot */
	server.vm.machine->history.boots++;
	control_settle(server.control);
	assert_int_equal(count_warnings("control socket control was deleted: created it again"), 1);
	assert_int_equal(fcntl(listener, F_GETFD), -1); /* the old one is closed */
	(void)server_connect();
	assert_int_equal(server.control->count, 3); /* with the old one and the pending one */
	server_ask(old.fd, "{\"cmd\":\"reload\"}", "{\"ok\":true}\n");
	server_ask(pending, "{\"cmd\":\"reload\"}", "{\"ok\":true}\n");
	control_renew(server.control);
	assert_int_equal(count_warnings(""), 0);
	(void)close(old.fd);
	(void)close(pending);
}

/* vmrun says once per request that another process's socket is in the way, and leaves it alone. */
static void test_foreign_socket(void **state)
{
	struct error err = { 0 };
	struct stat before, after;
	int fd;

	(void)state;
	assert_int_equal(unlink(SOCKET), 0);
	assert_int_equal(socket_listen(SOCKET, &fd, &err), 0);
	assert_int_equal(lstat(SOCKET, &before), 0);
	server.vm.machine->history.boots++;
	control_settle(server.control);
	server.vm.machine->history.boots++;
	control_settle(server.control);
	assert_int_equal(count_warnings("another process listens there"), 1);
	control_renew(server.control);
	assert_int_equal(count_warnings("another process listens there"), 1);
	control_close(server.control);
	assert_int_equal(lstat(SOCKET, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	(void)close(fd);
}

static void test_stale_file(void **state)
{
	struct error err = { 0 };
	int fd;

	(void)state;
	assert_int_equal(unlink(SOCKET), 0);
	assert_int_equal(socket_listen(SOCKET, &fd, &err), 0);
	(void)close(fd);
	control_renew(server.control);
	assert_int_equal(count_warnings("created it again"), 1);
	check_watched(true);
}

static void test_close_removes_the_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(lstat(SOCKET, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	control_close(server.control);
	assert_int_equal(access(SOCKET, F_OK), -1);
}

static void test_path_that_is_taken(void **state)
{
	struct control_owner owner = { .events = &server.vm.handle->events };
	struct control *other = NULL;
	struct error err = { 0 };
	int fd = open("file", O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(
	    control_open(&other, server.vm.machine, server.vm.handle->wait, "file", &owner, &err),
	    -1);
	assert_null(other);
	assert_non_null(strstr(err.text, "file: not a socket"));
	error_clear(&err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clients_at_once),
		TEST(test_spare_descriptor),
		TEST(test_spare_descriptor_0),
		TEST(test_end_with_spare_descriptor_0),
		TEST(test_no_descriptors),
		TEST(test_failed_client),
		TEST(test_deleted_file),
		TEST(test_foreign_socket),
		TEST(test_stale_file),
		TEST(test_close_removes_the_file),
		TEST(test_path_that_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
