/* Which sockets vmrun removes, and which it never removes. */
#include "ledger/sockets.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../platform/scratch.h"

/* Returns a listening socket, whose file is stale after it was closed. */
static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	(void)strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static struct words paths(const char *a, const char *b, const char *c)
{
	struct words w = { 0 };

	words_add(&w, a);
	words_add(&w, b);
	words_add(&w, c);
	return w;
}

static void test_stale_ones_go(void **state)
{
	struct words w = paths("one", "missing", "two");
	struct error err = { 0 };

	(void)state;
	(void)close(listen_at("one"));
	(void)close(listen_at("two"));
	assert_int_equal(sockets_clear(&w, &err), 0);
	assert_false(is_there("one"));
	assert_false(is_there("two"));
	assert_int_equal(sockets_clear(&w, &err), 0);
	words_free(&w);
	assert_int_equal(sockets_clear(&w, &err), 0);
}

/* If one socket is in use, none is removed. */
static void test_live_one_stays(void **state)
{
	struct words w = paths("stale", "live", "more");
	struct error err = { 0 };
	int live;

	(void)state;
	(void)close(listen_at("stale"));
	live = listen_at("live");
	assert_int_equal(sockets_clear(&w, &err), -1);
	assert_int_equal(err.status, STATUS_CHECK);
	assert_ptr_equal(strstr(err.text, "live: another program answers"), err.text);
	error_clear(&err);
	assert_true(is_there("stale"));
	assert_true(is_there("live"));
	assert_true(sockets_remove_stale("stale"));
	assert_true(sockets_remove_stale("live")); /* another program uses it */
	assert_false(is_there("stale"));
	assert_true(is_there("live"));
	(void)close(live);
	assert_true(sockets_remove_stale("live"));
	assert_false(is_there("live"));
	words_free(&w);
}

static void test_what_is_no_socket(void **state)
{
	static const char *const names[] = { "file", "directory", "link", "dangling" };

	(void)state;
	scratch_write("file", "data", 0644);
	(void)mkdir("directory", 0755);
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	for (size_t i = 0; i < 4; i++) {
		struct words w = paths("stale", names[i], "missing");
		struct error err = { 0 };

		(void)close(listen_at("stale"));
		assert_int_equal(sockets_clear(&w, &err), -1);
		assert_int_equal(err.status, STATUS_CHECK);
		assert_non_null(strstr(err.text, "is not a socket"));
		error_clear(&err);
		assert_true(is_there("stale"));
		assert_true(sockets_remove_stale(names[i]));
		assert_true(sockets_remove_stale("stale"));
		assert_true(is_there(names[i]));
		assert_false(is_there("stale"));
		words_free(&w);
	}
}

static void test_directory_that_is_missing(void **state)
{
	struct words w = paths("no/such/directory", "file/below", "x");
	struct error err = { 0 };

	(void)state;
	scratch_write("file", "data", 0644);
	assert_int_equal(sockets_clear(&w, &err), 0); /* the hypervisor reports this */
	assert_true(sockets_remove_stale("no/such/directory"));
	words_free(&w);
}

/* Without a free descriptor vmrun cannot test the socket, so it stays and is reported. */
static void test_cannot_ask(void **state)
{
	struct rlimit before, none;
	struct words w = paths("stale", "more", "missing");
	struct error err = { 0 };

	(void)state;
	(void)close(listen_at("stale"));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_false(sockets_remove_stale("stale"));
	assert_int_equal(sockets_clear(&w, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(err.text, "stale: cannot be examined: "));
	error_clear(&err);
	words_free(&w);
	assert_true(is_there("stale"));
	assert_true(sockets_remove_stale("stale"));
	assert_false(is_there("stale"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stale_ones_go, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_cannot_ask, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_live_one_stays, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_what_is_no_socket, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_directory_that_is_missing, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
