/* Values that only a run can find: free names and ports. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../platform/loopback.h"
#include "base/mem.h"
#include "base/str.h"
#include "checked.h"

static const struct said taps[] = { { "ifconfig -l", 0, "lo0 tap0 tap10 tap2\n", false }, { 0 } };

static const char *found(const struct checked *c, size_t device)
{
	return c->planned.boot.spec->devices[device]->found;
}

static void the_lowest_free_tap(void **state)
{
	struct checked c = { .says = taps };

	(void)state;
	checked_needs_commands();
	checked_make(&c, &hyper_bhyve,
	    "emulations = { { device = 'virtio-net', bridge = 'bridge0' },"
	    "{ device = 'virtio-net', name = 'tap3' }, { device = 'e1000', bridge = 'bridge0' } }");
	assert_string_equal(found(&c, 0), "tap1");
	assert_null(found(&c, 1));
	assert_string_equal(found(&c, 2), "tap4"); /* tap2 exists, and the spec names tap3 */
	assert_string_equal(pairs_get(&c.before, "virtio-net-0"), "tap1");
	checked_again(&c);
	assert_string_equal(found(&c, 0), "tap1");
	assert_string_equal(found(&c, 2), "tap4");
	checked_free(&c);
}

static void a_tap_of_the_boot_before_stays(void **state)
{
	const struct said there[] = { { "ifconfig -l", 0, "lo0 tap7\n", false }, { 0 } };
	struct checked c = { .says = there };

	(void)state;
	pairs_add(&c.before, "virtio-net-0", "tap7");
	checked_make(
	    &c, &hyper_bhyve, "emulations = { { device = 'virtio-net', bridge = 'bridge0' } }");
	assert_string_equal(found(&c, 0), "tap7");
	checked_free(&c);
}

/* Checks the tap that is found when all taps exist except the one with this number. */
static void only_tap(int number, const char *wanted)
{
	struct said says[] = { { "ifconfig -l", 0, NULL, false },
		{ "ifconfig bridge0", 0, "", false }, { 0 } };
	struct checked c = { .says = says };
	struct str names = { 0 };

	for (int i = 0; i < 4096; i++) {
		if (i != number)
			str_addf(&names, "tap%d ", i);
	}
	says[0].text = names.text;
	checked_make(
	    &c, &hyper_bhyve, "emulations = { { device = 'virtio-net', bridge = 'bridge0' } }");
	if (wanted != NULL)
		assert_string_equal(found(&c, 0), wanted);
	else
		(void)checked_has(&c, "bridge0", "no free name for a tap", NULL, NULL);
	checked_free(&c);
	str_free(&names);
}

/* Names of taps are tried up to tap4095. */
static void the_last_tap(void **state)
{
	(void)state;
	checked_needs_commands();
	only_tap(4095, "tap4095");
	only_tap(4096, NULL);
}

static void a_free_port(void **state)
{
	struct checked c = { 0 };
	long port;

	(void)state;
	checked_make(&c, &hyper_bhyve, "graphic = { port = 'auto' }");
	port = strtol(found(&c, 0), NULL, 10);
	assert_true(port >= 5900 && port <= 65535);
	checked_free(&c);
}

/* The port of another part of the same spec is free now, but not once the VM runs. */
static void no_port_of_the_spec(void **state)
{
	static const char *const forms[] = { "gdb = '%ld'",
		"bhyve = { release = 15, arch = 'amd64' }, emulations = { { device = 'e1000', "
		"name = 'slirp', hostfwd = { 'tcp::%ld-:22' } } }" };
	struct checked c = { 0 };
	long port;

	(void)state;
	checked_make(&c, &hyper_bhyve, "graphic = { port = 'auto' }");
	port = strtol(found(&c, 0), NULL, 10);
	checked_free(&c);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		MEM_AUTO char *other = mem_format(forms[i], port);
		MEM_AUTO char *keys = mem_format("graphic = { port = 'auto' }, %s", other);

		checked_make(&c, &hyper_bhyve, keys);
		assert_true(c.planned.good);
		assert_true(strtol(found(&c, i), NULL, 10) > port);
		checked_free(&c);
	}
}

static void a_free_null_modem(void **state)
{
	struct checked c = { 0 };
	struct spec *spec;

	(void)state;
	checked_make(&c, &hyper_bhyve, "com1 = 'nmdm', com2 = '/dev/nmdm0B', com3 = 'nmdm'");
	spec = c.planned.boot.spec;
	assert_non_null(spec->com_found[0]);
	assert_int_equal(strncmp(spec->com_found[0], "/dev/nmdm", 9), 0);
	assert_string_not_equal(spec->com_found[0], "/dev/nmdm0A"); /* com2 uses its other end */
	assert_null(spec->com_found[1]);
	assert_string_not_equal(spec->com_found[0], spec->com_found[2]);
	checked_free(&c);
	checked_make(&c, &hyper_bhyve,
	    "com1 = 'nmdm', emulations = { { device = 'uart', path = '/dev/nmdm0A' } }");
	assert_true(c.planned.good);
	assert_string_not_equal(c.planned.boot.spec->com_found[0], "/dev/nmdm0A");
	checked_free(&c);
}

/* Checks the null modem that is found when earlier boots took all others. */
static void only_null_modem(int number, const char *wanted)
{
	struct checked c = { 0 };
	struct spec *spec;

	for (int i = 0; i < 4096; i++) {
		MEM_AUTO char *path = mem_format("/dev/nmdm%dA", i);

		if (i != number)
			pairs_add(&c.before, path, path);
	}
	checked_make(&c, &hyper_bhyve, "com1 = 'nmdm'");
	spec = c.planned.boot.spec;
	if (wanted != NULL)
		assert_string_equal(spec->com_found[0], wanted);
	else
		assert_null(spec->com_found[0]);
	checked_free(&c);
}

/* Names of null modems are tried up to /dev/nmdm4095A. */
static void the_last_null_modem(void **state)
{
	(void)state;
	only_null_modem(4095, "/dev/nmdm4095A");
	only_null_modem(4096, NULL);
}

/* --- names of other runs --- */

static long watched_port; /* 0: none */
static int watched_probes;
static bool all_ports_busy;

/* The linker sets these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __real_port_probe(const char *place);
int __wrap_port_probe(const char *place);

int __wrap_port_probe(const char *place)
{
	if (strtol(strrchr(place, ':') + 1, NULL, 10) == watched_port)
		watched_probes++;
	if (all_ports_busy)
		return EADDRINUSE;
	return __real_port_probe(place);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void no_free_port(void **state)
{
	struct checked c = { .alone = true };

	(void)state;
	all_ports_busy = true;
	checked_make(&c, &hyper_bhyve, "graphic = { port = 'auto' }");
	all_ports_busy = false;
	(void)checked_has(&c, "auto", "no free port from 5900 on", NULL, NULL);
	checked_free(&c);
}

/* No port of such an address can be found, and the first try tells it. */
static void no_such_address(void **state)
{
	struct checked c = { 0 };
	MEM_AUTO char *where = NULL;

	(void)state;
	watched_port = 5901;
	watched_probes = 0;
	checked_make(&c, &hyper_bhyve, "graphic = { host = '192.0.2.1', port = 'auto' }");
	watched_port = 0;
	where = where_keys_path(
	    checked_has(&c, "192.0.2.1", "this host has no such address", NULL, NULL)->keys);
	assert_string_equal(where, "graphic.host");
	assert_int_equal(watched_probes, 0);
	checked_free(&c);
	checked_one(NULL, "graphic = { host = '2001:db8::1', port = 'auto' }", "[2001:db8::1]",
	    "this host has no such address", NULL, NULL);
}

static void names_of_other_runs(void **state)
{
	struct checked c = { .says = taps };
	long port;

	(void)state;
	checked_needs_commands();
	words_add(&c.theirs, "tap1");
	words_add(&c.theirs, "tap3");
	checked_make(
	    &c, &hyper_bhyve, "emulations = { { device = 'virtio-net', bridge = 'bridge0' } }");
	assert_string_equal(found(&c, 0), "tap4");
	assert_true(words_have(&c.taken, "tap4"));
	checked_free(&c);
	checked_make(&c, &hyper_bhyve, "graphic = { port = 'auto' }");
	port = strtol(found(&c, 0), NULL, 10);
	/* The ports before it are in use, and were given back. */
	assert_int_equal(c.taken.count, c.dropped.count + 1);
	words_add(&c.theirs, c.taken.item[c.taken.count - 1]);
	pairs_free(&c.before);
	/* A probe would get in the way of the hypervisor of the other run. */
	watched_port = port;
	checked_again(&c);
	watched_port = 0;
	assert_int_equal(watched_probes, 0);
	assert_true(strtol(found(&c, 0), NULL, 10) > port);
	checked_free(&c);
}

static void null_modems_of_other_runs(void **state)
{
	struct checked c = { 0 };
	struct spec *spec;

	(void)state;
	checked_make(&c, &hyper_bhyve, "com1 = 'nmdm'");
	assert_int_equal(c.taken.count, 1);
	words_add(&c.theirs, c.taken.item[0]);
	pairs_free(&c.before);
	checked_again(&c);
	spec = c.planned.boot.spec;
	assert_non_null(spec->com_found[0]);
	assert_string_not_equal(str_after(spec->com_found[0], "/dev/"), c.taken.item[0]);
	assert_string_equal(str_after(spec->com_found[0], "/dev/"), c.taken.item[1]);
	checked_free(&c);
}

/* Returns a socket that listens at a port that the kernel has chosen. */
static int listen_anywhere(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* A port that another program has by now is dropped; others stay. */
static void ports_are_forgotten(void **state)
{
	struct check_names names = { 0 };
	struct checked c = { 0 };
	struct spec *spec;
	int fd, port;

	(void)state;
	loopback_needed();
	checked_make(&c, &hyper_bhyve, "graphic = { port = 'auto' }");
	spec = c.planned.boot.spec;
	assert_true(check_has_open_port(spec));
	assert_int_equal(check_forget_ports(spec, &c.before, &names), 0);
	assert_int_equal(c.before.count, 1);
	fd = listen_anywhere(&port);
	pairs_remove(&c.before, spec->devices[0]->id);
	pairs_addf(&c.before, spec->devices[0]->id, "%d", port);
	assert_false(spec_is_open(spec));
	assert_int_equal(check_forget_ports(spec, &c.before, &names), 1);
	assert_int_equal(c.before.count, 0);
	assert_true(spec_is_open(spec)); /* another one is found */
	assert_int_equal(close(fd), 0);
	checked_free(&c);
	checked_make(&c, &hyper_bhyve, "graphic = { port = 5999 }");
	assert_false(check_has_open_port(c.planned.boot.spec));
	assert_int_equal(check_forget_ports(c.planned.boot.spec, &c.before, &names), 0);
	checked_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_free_tap),
		cmocka_unit_test(a_tap_of_the_boot_before_stays),
		cmocka_unit_test(the_last_tap),
		cmocka_unit_test(a_free_port),
		cmocka_unit_test(no_port_of_the_spec),
		cmocka_unit_test(no_free_port),
		cmocka_unit_test(no_such_address),
		cmocka_unit_test(a_free_null_modem),
		cmocka_unit_test(the_last_null_modem),
		cmocka_unit_test(names_of_other_runs),
		cmocka_unit_test(null_modems_of_other_runs),
		cmocka_unit_test(ports_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
