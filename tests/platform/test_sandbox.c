/* What a sandboxed spec may name: each rule at its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/sandbox.h"
#include "scratch.h"

/* Makes a sandbox of the directory DIR/vm with these words, in which "%" stands for DIR. */
static struct sandbox *sandbox_of(const char *const *words)
{
	struct words allow = { 0 };
	MEM_AUTO char *home = scratch_path("vm");
	struct sandbox *s;

	(void)mkdir(home, 0755);
	for (; words != NULL && *words != NULL; words++) {
		if (**words == '%')
			words_take(&allow, scratch_path(*words + 2));
		else
			words_add(&allow, *words);
	}
	s = sandbox_new(home, &allow);
	words_free(&allow);
	return s;
}

static void path_is(const struct sandbox *s, const char *name, bool wanted)
{
	MEM_AUTO char *path = *name == '/' ? mem_copy(name) : scratch_path(name);
	MEM_AUTO char *real = NULL;

	if (sandbox_allows_path(s, path, &real) != wanted)
		fail_msg("%s: wanted %s (leads to %s)", path, wanted ? "allowed" : "refused",
		    real == NULL ? "nothing" : real);
}

static void home_paths(void **state)
{
	struct sandbox *s = sandbox_of(NULL);

	(void)state;
	scratch_write("vm/disk", "", 0644);
	scratch_write("outside", "", 0644);
	assert_int_equal(mkdir("vm/sub", 0755), 0);
	assert_int_equal(mkdir("vmx", 0755), 0);
	path_is(s, "vm", true);
	path_is(s, "vm/", true);
	path_is(s, "vm/disk", true);
	path_is(s, "vm/./sub/../disk", true);
	path_is(s, "vm/new", true);
	path_is(s, "vm/new/", true);
	path_is(s, "vm/new/deep/file", true);
	path_is(s, "vm/sub/new", true);
	path_is(s, "outside", false);
	path_is(s, "vmx", false);
	path_is(s, "vmx/file", false);
	path_is(s, "vm/..", false);
	path_is(s, "vm/../outside", false);
	path_is(s, "vm/../new", false);
	path_is(s, "vm/new/..", false);
	path_is(s, "vm/new/../../outside", false);
	path_is(s, "vm/new/.", false);
	path_is(s, "vm/disk/below", false);
	path_is(s, "/", false);
	path_is(s, "/etc/passwd", false);
	sandbox_free(s);
}

static void links(void **state)
{
	static const char *const allow[] = { "%/data", NULL };
	struct sandbox *s = sandbox_of(allow);
	MEM_AUTO char *real = NULL, *link = scratch_path("vm/out");

	(void)state;
	scratch_write("outside", "", 0644);
	assert_int_equal(mkdir("data", 0755), 0);
	scratch_write("data/image", "", 0644);
	assert_int_equal(symlink("../outside", "vm/out"), 0);
	assert_int_equal(symlink("..", "vm/up"), 0);
	assert_int_equal(symlink("disk", "vm/inside"), 0);
	assert_int_equal(symlink("../nothing", "vm/dangling"), 0);
	assert_int_equal(symlink("loop", "vm/loop"), 0);
	assert_int_equal(symlink("../data/image", "vm/image"), 0);
	assert_int_equal(symlink("../outside", "data/out"), 0);
	scratch_write("vm/disk", "", 0644);
	path_is(s, "vm/out", false);
	path_is(s, "vm/up/outside", false);
	path_is(s, "vm/up/new", false);
	path_is(s, "vm/up/vm/disk", true);
	path_is(s, "vm/inside", true);
	path_is(s, "vm/dangling", false);
	path_is(s, "vm/dangling/", false);
	path_is(s, "vm/dangling/below", false);
	path_is(s, "vm/loop", false);
	path_is(s, "vm/image", true); /* a link may lead to an allowed path */
	path_is(s, "data/out", false);
	assert_false(sandbox_allows_path(s, link, &real));
	assert_non_null(strstr(real, "/outside"));
	sandbox_free(s);
}

static void allowed_paths(void **state)
{
	static const char *const allow[] = { "%/data/", "%/later", "/dev/zvol/tank", "/dev/nmdm0A",
		NULL };
	struct sandbox *s = sandbox_of(allow);
	MEM_AUTO char *path = NULL, *real = NULL;

	(void)state;
	assert_int_equal(mkdir("data", 0755), 0);
	assert_int_equal(mkdir("database", 0755), 0);
	path_is(s, "data", true);
	path_is(s, "data/x", true);
	path_is(s, "database", false);
	path_is(s, "database/x", false);
	path_is(s, "data/../database/x", false);
	path_is(s, "later", true);
	path_is(s, "later/x", true);
	path_is(s, "lat", false);
	path_is(s, "/dev/zvol/tank/x", true);
	path_is(s, "/dev/zvol/tank2/x", false);
	path_is(s, "/dev/zvol/tank/../other/x", false);
	path_is(s, "/dev/nmdm0A", true);
	path_is(s, "/dev/nmdm0B", false);
	path = scratch_path("data/x");
	assert_false(sandbox_is_home(s, path, &real));
	sandbox_free(s);
}

/* What is inside of a directory, also by links. */
static void insides(void **state)
{
	struct sandbox *s = sandbox_of(NULL);
	MEM_AUTO char *above = scratch_path(""), *home = scratch_path("vm");
	MEM_AUTO char *sub = scratch_path("vm/sub"), *link = scratch_path("vm/link");
	MEM_AUTO char *file = scratch_path("vm/link/new"), *other = scratch_path("vm/subs");

	(void)state;
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_int_equal(symlink("sub", link), 0);
	assert_true(sandbox_holds_home(s, above));
	assert_true(sandbox_holds_home(s, home));
	assert_false(sandbox_holds_home(s, sub));
	assert_true(sandbox_is_inside(file, sub));
	assert_true(sandbox_is_inside(sub, link));
	assert_false(sandbox_is_inside(other, sub));
	assert_false(sandbox_is_inside(home, sub));
	sandbox_free(s);
}

/* Wants the path to be refused with this device as its end, which was not looked at. */
static void device_is(const struct sandbox *s, const char *name, const char *device)
{
	MEM_AUTO char *path = *name == '/' ? mem_copy(name) : scratch_path(name);
	MEM_AUTO char *real = NULL;

	assert_false(sandbox_allows_path(s, path, &real));
	assert_non_null(real);
	assert_string_equal(real, device);
}

/*
 * Ways to a device that does not exist.  To look at it is to follow the link /dev/stdin on Linux,
 * or to make the modem on FreeBSD, and a path below a device that is missing leads nowhere.
 */
static void devices_are_not_looked_at(void **state)
{
	static const char *const allow[] = { "/dev/vmrun-tank/a", "/dev/fd", "tap0", NULL };
	struct sandbox *s = sandbox_of(allow);
	MEM_AUTO char *up = scratch_path("vm/../../../../../../../../../../../../dev/stdin");

	(void)state;
	assert_int_equal(symlink("/dev/stdin", "vm/device"), 0);
	assert_int_equal(symlink("/", "vm/root"), 0);
	assert_int_equal(symlink("/dev", "vm/dev"), 0);
	assert_int_equal(symlink("device", "vm/second"), 0);
	device_is(s, "/dev/stdin", "/dev/stdin");
	device_is(s, "//dev/stdin", "/dev/stdin");
	device_is(s, "/dev//stdin/", "/dev/stdin/");
	device_is(s, "/./dev/./stdin", "/dev/stdin");
	device_is(s, "/tmp/../dev/stdin", "/dev/stdin");
	device_is(s, "/../dev/stdin", "/dev/stdin");
	device_is(s, "/dev/../dev/stdin", "/dev/stdin");
	device_is(s, "/vmrun-missing/../dev/stdin", "/dev/stdin");
	device_is(s, up, "/dev/stdin");
	device_is(s, "vm/device", "/dev/stdin");
	device_is(s, "vm/second", "/dev/stdin");
	device_is(s, "vm/root/dev/stdin", "/dev/stdin");
	device_is(s, "vm/dev/stdin", "/dev/stdin");
	device_is(s, "/dev/vmrun-modem/../null", "/dev/vmrun-modem/../null");
	device_is(s, "/dev/vmrun-tank/a/../../stdin", "/dev/stdin");
	device_is(s, "/dev/vmrun-tank/b", "/dev/vmrun-tank/b");
	device_is(s, "/dev/vmrun-tank/ab", "/dev/vmrun-tank/ab");
	device_is(s, "/dev", "/dev");
	device_is(s, "/dev/..", "/");
	path_is(s, "//dev/./vmrun-tank/a/x", true);
	path_is(s, "/devices/x", false);
	path_is(s, "vm/dev/../etc/passwd", false);
	sandbox_free(s);
}

/* A relative path begins at the working directory. */
static void relative_paths(void **state)
{
	struct sandbox *s = sandbox_of(NULL);
	MEM_AUTO char *real = NULL, *foreign = NULL;

	(void)state;
	assert_true(sandbox_allows_path(s, "vm", &real));
	assert_int_equal(symlink("/dev/stdin", "device"), 0);
	assert_false(sandbox_allows_path(s, "device", &foreign));
	assert_string_equal(foreign, "/dev/stdin");
	sandbox_free(s);
}

/* What the operator allows may be a link to another device. */
static void an_allowed_link_in_dev(void **state)
{
	static const char *const allow[] = { "/dev/stdin", NULL };
	struct sandbox *s = sandbox_of(allow);

	(void)state;
	assert_int_equal(symlink("/dev/stdin", "vm/device"), 0);
	path_is(s, "/dev/stdin", true);
	path_is(s, "vm/device", access("/dev/stdin", F_OK) == 0);
	sandbox_free(s);
}

/* A spec in / , or one from stdin of a daemon, would own all. */
static void root_is_no_home(void **state)
{
	struct words all = { 0 };
	struct sandbox *s = sandbox_new("/", NULL), *open;

	(void)state;
	path_is(s, "/etc/passwd", false);
	path_is(s, "/", false);
	words_add(&all, "/");
	open = sandbox_new("/", &all);
	path_is(open, "/etc/passwd", true);
	words_free(&all);
	sandbox_free(open);
	sandbox_free(s);
}

static void names(void **state)
{
	static const char *const allow[] = { "tap3", "vale0", "ppt0", "3:0:0", "pci0:4:1:2",
		"5/6/7", NULL };
	struct sandbox *s = sandbox_of(allow);

	(void)state;
	assert_true(sandbox_allows_name(s, "tap3"));
	assert_false(sandbox_allows_name(s, "tap"));
	assert_false(sandbox_allows_name(s, "tap33"));
	assert_true(sandbox_allows_name(s, "vale0:vm"));
	assert_true(sandbox_allows_name(s, "tap3:")); /* a node of netgraph */
	assert_false(sandbox_allows_name(s, "tap3:uplink0."));
	assert_false(sandbox_allows_name(s, "vale1:vm"));
	assert_false(sandbox_allows_name(s, "vale00:vm"));
	assert_true(sandbox_allows_pci(s, "ppt0"));
	assert_false(sandbox_allows_pci(s, "ppt01"));
	assert_true(sandbox_allows_pci(s, "3/0/0"));
	assert_true(sandbox_allows_pci(s, "4/1/2"));
	assert_true(sandbox_allows_pci(s, "5/6/7"));
	assert_false(sandbox_allows_pci(s, "3/0/1"));
	sandbox_free(s);
}

static void addresses(void **state)
{
	static const struct {
		const char *place;
		bool wanted;
	} cases[] = {
		{ "127.0.0.1:5900", true },
		{ "127.3.2.1:5900", true },
		{ "[::1]:5900", true },
		{ "[::ffff:127.0.0.1]:5900", true },
		{ "localhost:5900", true },
		{ "LocalHost:auto", true },
		{ "128.0.0.1:5900", false },
		{ "0.0.0.0:5900", false },
		{ "127.0.0.1:22:0.0.0.0:22", false },
		{ "[::1]x:5900", false },
		{ "[::1:5900", false },
		{ "127.1:5900", false },
		{ "[::]:5900", false },
		{ "[::2]:5900", false },
		{ "[::ffff:0.0.0.0]:5900", false },
		{ "localhost.example.org:5900", false },
		{ "127.0.0.1.example.org:5900", false },
		{ "10.0.0.1:1", true },
		{ "10.0.0.1:auto", true },
		{ "[::ffff:10.0.0.1]:1", true },
		{ "10.0.0.2:80", true },
		{ "10.0.0.2:81", false },
		{ "10.0.0.2:8", false },
		{ "10.0.0.2:800", false },
		{ "10.0.0.2:auto", false },
		{ "[fe80::1]:7", true },
		{ "[fe80:0:0::1]:7", true },
		{ "[fe80::2]:7", true },
		{ "[fe80::2]:8", false },
		{ "[fe80::3]:7", false },
		{ "vnc.example.org:7", true },
		{ "vnc.example:7", false },
	};
	static const char *const allow[] = { "10.0.0.1", "10.0.0.2:80", "fe80::1", "[fe80::2]:7",
		"vnc.example.org", NULL };
	struct sandbox *s = sandbox_of(allow);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (sandbox_allows_address(s, cases[i].place) != cases[i].wanted)
			fail_msg("%s: wanted %s", cases[i].place,
			    cases[i].wanted ? "allowed" : "refused");
	}
	sandbox_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(home_paths, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(links, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(insides, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(allowed_paths, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    devices_are_not_looked_at, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(relative_paths, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    an_allowed_link_in_dev, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(root_is_no_home, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(names, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(addresses, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
