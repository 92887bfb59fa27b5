/* Servers and clients of sockets, and pairs of sockets. */
#include "platform/socket.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/os.h"
#include "scratch.h"

static struct error err;
static bool refuse_chmod;

/* Stands for the call of the C library, so that a test can let it fail. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the header has __file */
int chmod(const char *path, mode_t mode)
{
	if (!refuse_chmod)
		return fchmodat(AT_FDCWD, path, mode, 0);
	errno = EPERM;
	return -1;
}

static int bind_to(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int listen_at(const char *path, int backlog)
{
	int fd = bind_to(path, SOCK_STREAM);

	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void test_nothing_there_is_absent(void **state)
{
	(void)state;
	scratch_write("file", "", 0644);
	assert_int_equal(socket_probe("nothing"), SOCKET_ABSENT);
	assert_int_equal(socket_probe("no/such/directory"), SOCKET_ABSENT);
	assert_int_equal(socket_probe("file/below"), SOCKET_ABSENT);
	assert_int_equal(socket_probe(""), SOCKET_ABSENT);
}

static void test_socket_of_nobody_is_stale(void **state)
{
	int fd = listen_at("stale", 1);

	(void)state;
	assert_int_equal(socket_probe("stale"), SOCKET_LIVE);
	(void)close(fd);
	assert_int_equal(socket_probe("stale"), SOCKET_STALE);
	(void)close(bind_to("stale.datagram", SOCK_DGRAM));
	assert_int_equal(socket_probe("stale.datagram"), SOCKET_STALE);
}

static void test_listener_is_live_and_does_not_notice(void **state)
{
	int fd = listen_at("live", 1);

	(void)state;
	assert_int_equal(socket_probe("live"), SOCKET_LIVE);
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
	(void)close(fd);
}

static void test_busy_listener_is_live(void **state)
{
	int fd = listen_at("busy", 0);
	int clients[16];
	int count = 0;

	(void)state;
	while (count < 16 && (clients[count] = connect_to("busy")) >= 0)
		count++;
	/* Otherwise the test would prove nothing. */
	assert_in_range(count, 1, 15);
	assert_int_equal(socket_probe("busy"), SOCKET_LIVE);
	while (count > 0)
		(void)close(clients[--count]);
	(void)close(fd);
}

static void test_owner_that_does_not_listen_is_live(void **state)
{
	int stream = bind_to("mute", SOCK_STREAM);
	int datagram = bind_to("datagram", SOCK_DGRAM);

	(void)state;
	assert_int_equal(socket_probe("mute"), SOCKET_LIVE);
	assert_int_equal(socket_probe("datagram"), SOCKET_LIVE);
	(void)close(stream);
	(void)close(datagram);
}

static void test_anything_else_is_foreign(void **state)
{
	int fd = listen_at("real", 1);

	(void)state;
	scratch_write("plain", "", 0644);
	(void)mkdir("directory", 0755);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(socket_probe("plain"), SOCKET_FOREIGN);
	assert_int_equal(socket_probe("directory"), SOCKET_FOREIGN);
	assert_int_equal(socket_probe("fifo"), SOCKET_FOREIGN);
	assert_int_equal(socket_probe("link"), SOCKET_FOREIGN);
	assert_int_equal(socket_probe("dangling"), SOCKET_FOREIGN);
	assert_int_equal(socket_probe("/dev/null"), SOCKET_FOREIGN);
	(void)close(fd);
}

static void test_longest_path_can_be_asked(void **state)
{
	MEM_AUTO char *deep = scratch_path("");
	char path[MAX_SOCKET_PATH + 2];
	int fd;

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path, deep, strlen(deep));
	path[MAX_SOCKET_PATH] = '\0';
	fd = bind_to(path, SOCK_STREAM);
	assert_int_equal(socket_probe(path), SOCKET_LIVE);
	(void)close(fd);
	assert_int_equal(socket_probe(path), SOCKET_STALE);
}

static void test_path_too_long_to_ask_is_live_for_a_socket(void **state)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	(void)state;
	memset(path, 'y', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(socket_probe(path), SOCKET_ABSENT);
	(void)close(bind_to("short", SOCK_STREAM));
	assert_int_equal(rename("short", path), 0);
	assert_int_equal(socket_probe(path), SOCKET_LIVE);
	(void)unlink(path);
	scratch_write(path, "", 0644);
	assert_int_equal(socket_probe(path), SOCKET_FOREIGN);
}

static void assert_flags(int fd, int nonblock)
{
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, nonblock);
}

static void test_pair_talks_both_ways(void **state)
{
	int ours, theirs;
	char byte;

	(void)state;
	assert_int_equal(socket_pair(&ours, &theirs, &err), 0);
	assert_flags(ours, O_NONBLOCK);
	assert_flags(theirs, 0);
	assert_int_equal(read(ours, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(theirs, "a", 1), 1);
	assert_int_equal(read(ours, &byte, 1), 1);
	assert_int_equal(write(ours, "b", 1), 1);
	assert_int_equal(read(theirs, &byte, 1), 1);
	(void)close(ours);
	(void)close(theirs);
}

static void test_no_descriptor_for_a_pair(void **state)
{
	int ours, theirs;

	(void)state;
	scratch_limit(1);
	assert_int_equal(socket_pair(&ours, &theirs, &err), -1);
	scratch_unlimit();
	assert_string_equal(err.text, "cannot make a pair of sockets: Too many open files");
	error_clear(&err);
}

static void test_pipe_reads_at_our_end(void **state)
{
	int ours, theirs;
	char byte;

	(void)state;
	assert_int_equal(socket_pipe(&ours, &theirs, &err), 0);
	assert_flags(ours, O_NONBLOCK);
	assert_flags(theirs, 0);
	assert_int_equal(read(ours, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(theirs, "a", 1), 1);
	assert_int_equal(read(ours, &byte, 1), 1);
	(void)close(theirs);
	assert_int_equal(read(ours, &byte, 1), 0);
	(void)close(ours);
}

static void expect_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, mode);
}

/* A socket is private whatever the umask is; clients are identified; a stale one is replaced. */
static void test_clients_are_let_in(void **state)
{
	mode_t before = umask(0);
	int listener, theirs, ours;
	uid_t uid = 0;
	pid_t pid = 0;

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(socket_listen("door", &listener, &err), 0);
		expect_mode("door", 0600);
		assert_flags(listener, O_NONBLOCK);
		assert_int_equal(socket_accept(listener), -1);
		assert_int_equal(errno, EAGAIN);
		theirs = connect_to("door");
		ours = socket_accept(listener);
		assert_true(theirs >= 0 && ours >= 0);
		assert_flags(ours, O_NONBLOCK);
		assert_true(os_peer(ours, &uid, &pid));
		assert_int_equal(uid, geteuid());
		assert_int_equal(pid, getpid());
		(void)close(ours);
		(void)close(theirs);
		(void)close(listener);
	}
	(void)umask(before);
	assert_int_equal(unlink("door"), 0);
}

static void test_no_place_to_listen(void **state)
{
	char path[MAX_SOCKET_PATH + 2];
	int listener;

	(void)state;
	scratch_write("file", "", 0644);
	assert_int_equal(socket_listen("file", &listener, &err), -1);
	assert_string_equal(err.text, "file: not a socket: move it away");
	error_clear(&err);
	assert_int_equal(socket_listen("none/door", &listener, &err), -1);
	assert_string_equal(err.text, "none/door: cannot listen: No such file or directory");
	error_clear(&err);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(socket_listen(path, &listener, &err), -1);
	assert_non_null(strstr(err.text, "at most 103 bytes, this one 104: "));
	error_clear(&err);
}

static void test_no_socket_stays_after_a_failure(void **state)
{
	int listener;

	(void)state;
	refuse_chmod = true;
	assert_int_equal(socket_listen("refused", &listener, &err), -1);
	refuse_chmod = false;
	assert_int_equal(listener, -1);
	assert_string_equal(err.text, "refused: cannot listen: Operation not permitted");
	error_clear(&err);
	assert_int_equal(socket_probe("refused"), SOCKET_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_there_is_absent),
		cmocka_unit_test(test_socket_of_nobody_is_stale),
		cmocka_unit_test(test_listener_is_live_and_does_not_notice),
		cmocka_unit_test(test_busy_listener_is_live),
		cmocka_unit_test(test_owner_that_does_not_listen_is_live),
		cmocka_unit_test(test_anything_else_is_foreign),
		cmocka_unit_test(test_longest_path_can_be_asked),
		cmocka_unit_test(test_path_too_long_to_ask_is_live_for_a_socket),
		cmocka_unit_test(test_pair_talks_both_ways),
		cmocka_unit_test(test_no_descriptor_for_a_pair),
		cmocka_unit_test(test_pipe_reads_at_our_end),
		cmocka_unit_test(test_clients_are_let_in),
		cmocka_unit_test(test_no_place_to_listen),
		cmocka_unit_test(test_no_socket_stays_after_a_failure),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
