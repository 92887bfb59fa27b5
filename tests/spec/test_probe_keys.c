/* ready, alive, time_limit. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define COM "'com1':'console',"
#define SLIRP(rule) "'emulations':[{'device':'virtio-net','name':'slirp','hostfwd':['" rule "']}],"

/* Checks that exactly this problem is reported. */
static void only(const char *keys, const char *wanted)
{
	struct report report = { 0 };

	spec_free(spec_from(doc_with(keys), &report));
	MEM_AUTO char *got = problems_of(&report);
	MEM_AUTO char *line = mem_format("%s\n", wanted);

	if (strcmp(got, line) != 0)
		fail_msg("%s: wanted %s, got %s", keys, wanted, got);
}

static void test_console(void **state)
{
	struct spec *spec = spec_of(COM "'ready':{'console':'login:'},'alive':{'console':true}");

	(void)state;
	assert_int_equal(spec->ready.kind, PROBE_CONSOLE);
	assert_string_equal(spec->ready.text, "login:");
	assert_int_equal(spec->ready.within_ms, 0);
	assert_int_equal(spec->alive.kind, PROBE_CONSOLE);
	assert_null(spec->alive.text);
	assert_int_equal(spec->alive.every_ms, 30000);
	assert_int_equal(spec->alive.failures, 3);
	spec_free(spec);
	spec_shows(COM "'ready':{'console':'login:'}", "'ready': {'console': 'login:'}");
	spec_shows(COM "'ready':{'console':'x'},'alive':{'console':'y'}",
	    "'alive': {'console': 'y','every': 30,'failures': 3}");
	spec_shows(COM "'ready':{'console':'x'},'alive':{'console':true}", "{'console': true,");
}

static void test_connect(void **state)
{
	struct spec *spec = spec_of("'ready':{'connect':'[fe80::1%em0]:22','expect':'SSH-'},"
				    "'alive':{'connect':'10.0.0.2:65535'}");

	(void)state;
	assert_int_equal(spec->ready.kind, PROBE_CONNECT);
	assert_string_equal(spec->ready.address, "fe80::1%em0");
	assert_int_equal(spec->ready.port, 22);
	assert_string_equal(spec->ready.text, "SSH-");
	assert_int_equal(spec->ready.every_ms, 5000);
	assert_string_equal(spec->alive.address, "10.0.0.2");
	assert_int_equal(spec->alive.port, 65535);
	assert_null(spec->alive.text);
	spec_free(spec);
	spec_shows("'ready':{'connect':'[::1]:22'}", "'ready': {'connect': '[::1]:22','every': 5}");
}

static void test_addresses(void **state)
{
	static const char *const bad[] = { "localhost:22", "22", ":22", "10.0.0.2",
		"10.0.0.2:", "10.0.0.2:0", "10.0.0.2:65536", "10.0.0.2:100000000000000000000",
		"10.0.0.2:4294967318", "10.0.0.2:+22", "10.0.0.2: 22", "10.0.0.2:22x",
		"10.0.0.256:22", "10.0.0:22", "010.0.0.2:22", "::1:22", "[::1]", "[::1]22",
		"[::1:22", "[10.0.0.2]:22", "[]:22", "[:22", "[localhost]:22", "tcp:10.0.0.2:22" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		MEM_AUTO char *keys = mem_format("'alive':{'connect':'%s'}", bad[i]);
		MEM_AUTO char *wanted = mem_format(
		    "alive.connect: invalid address \"%s\": expected a numeric ADDR:PORT such as "
		    "\"192.168.1.10:22\" or \"[fd00::10]:22\", port 1 to 65535",
		    bad[i]);

		only(keys, wanted);
	}
	only("'ready':{'connect':'0.0.0.0:22'}",
	    "ready.connect: invalid address \"0.0.0.0:22\": 0.0.0.0 is not the address of a guest");
	only("'ready':{'connect':'[::]:22'}",
	    "ready.connect: invalid address \"[::]:22\": :: is not the address of a guest");
	only("'ready':{'connect':'[::ffff:10.0.0.2]:22'}",
	    "ready.connect: invalid address \"[::ffff:10.0.0.2]:22\": ::ffff:10.0.0.2 is an IPv4 "
	    "address in IPv6: write it as IPv4");
	spec_refused("'ready':{'connect':22}", "ready.connect: expected a string, got an integer");
	spec_refused(
	    "'ready':{'connect':'10.0.0.2:22','expect':''}", "ready.expect: must not be empty");
}

static void test_exec(void **state)
{
	struct spec *spec = spec_of("'ready':{'exec':'bin/up now'},'alive':{'exec':['ping','x']}");

	(void)state;
	assert_int_equal(spec->ready.kind, PROBE_EXEC);
	assert_int_equal(spec->ready.command.count, 2);
	assert_string_equal(spec->ready.command.item[0], "/specs/bin/up");
	assert_int_equal(spec->alive.command.count, 2);
	spec_free(spec);
	spec_shows("'ready':{'exec':['up'],'every':0.5,'within':90}",
	    "'ready': {'exec': ['up'],'every': 0.5,'within': 90}");
	only("'ready':{'exec':[]}",
	    "ready.exec: missing program: expected a list that begins with one");
	only("'ready':{'exec':['']}",
	    "ready.exec: missing program: expected a list that begins with one");
	only("'ready':{'exec':' '}",
	    "ready.exec: missing program: expected a list that begins with one");
	spec_refused("'ready':{'exec':7}", "ready.exec: expected a");
}

/* A target that changes the way must unset the one that it inherits. */
static void test_one_way(void **state)
{
	static const char *const none[] = { "{}", "{'within':60}", "{'connect':null}" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		MEM_AUTO char *keys = mem_format("'ready':%s", none[i]);

		only(keys,
		    "ready: expected exactly one of \"console\", \"connect\" and \"exec\": how to "
		    "ask "
		    "the guest");
	}
	only(COM "'ready':{'console':'x','connect':'10.0.0.2:22'}",
	    "ready.connect: this key excludes \"console\": expected exactly one of \"console\", "
	    "\"connect\" and \"exec\"; a target unsets what it inherits with \"console\": null");
	spec_refused(COM "'ready':{'exec':'a','connect':'10.0.0.2:22','console':'x'}",
	    "ready.exec: this key excludes \"console\"");
	spec_shows(COM "'ready':{'console':null,'connect':'10.0.0.2:22'}", "'ready': {'connect':");
	only("'ready':{'exec':'a','expect':'x'}",
	    "ready.expect: belongs to \"connect\": remove it; a target unsets it with \"expect\": "
	    "null");
	only(COM "'ready':{'console':'a','expect':'x'}",
	    "ready.expect: belongs to \"connect\": remove it; a target unsets it with \"expect\": "
	    "null");
}

static void test_off(void **state)
{
	struct spec *spec = spec_of("'ready':false,'alive':false");
	MEM_AUTO char *line = spec_line(spec);

	(void)state;
	assert_int_equal(spec->ready.kind, PROBE_NONE);
	assert_int_equal(spec->alive.kind, PROBE_NONE);
	assert_null(strstr(line, "'ready'"));
	assert_null(strstr(line, "'alive'"));
	assert_null(strstr(line, "'time_limit'"));
	spec_free(spec);
	only("'ready':true", "ready: expected an object, or false, got a boolean");
	only("'alive':'x'", "alive: expected an object, or false, got a string");
	only("'ready':[]", "ready: expected an object, or false, got a list");
}

static void test_keys(void **state)
{
	(void)state;
	spec_refused("'ready':{'exec':'a','withn':9}",
	    "ready.withn: unknown key \"withn\", did you mean \"within\"?");
	only("'ready':{'cosole':'a'}",
	    "ready.cosole: unknown key \"cosole\", did you mean \"console\"?");
	spec_refused("'ready':{'exec':'a','failures':2}", "ready.failures: unknown key");
	spec_refused("'alive':{'exec':'a','within':2}", "alive.within: unknown key");
	spec_refused(COM "'ready':{'console':true}", "ready.console: expected a string, got");
	spec_refused(COM "'ready':{'console':''}", "ready.console: must not be empty");
	spec_refused(COM "'alive':{'console':''}", "alive.console: must not be empty");
	spec_refused(COM "'alive':{'console':false}",
	    "alive.console: expected a text, or true for any output, got a boolean");
}

static void value_refused(const char *above, const char *key, struct node *value)
{
	struct node *doc =
	    doc_with(above == NULL ? "" : COM "'ready':{'exec':'a'},'alive':{'exec':'a'}");
	struct node *object = above == NULL ? doc : (struct node *)node_get(doc, above);
	struct report report = { 0 };
	MEM_AUTO char *path = above == NULL ? mem_copy(key) : mem_format("%s.%s", above, key);

	node_put(object, key, value);
	spec_free(spec_from(doc, &report));
	MEM_AUTO char *got = problems_of(&report);

	MEM_AUTO char *line = mem_format("%s: ", path);

	has_line(got, line, key);
}

static void test_nul(void **state)
{
	static const char *const at[][2] = { { "ready", "console" }, { "ready", "connect" },
		{ "ready", "expect" }, { "ready", "exec" }, { "alive", "console" },
		{ "alive", "connect" }, { "alive", "expect" }, { "alive", "exec" } };

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		value_refused(at[i][0], at[i][1], node_string_n("a\0b", 3));
}

static void test_long_text(void **state)
{
	static const char *const at[][2] = { { "ready", "expect" }, { "ready", "console" },
		{ "alive", "expect" }, { "alive", "console" } };
	char text[4098] = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		value_refused(at[i][0], at[i][1], node_string(text));
	text[4096] = '\0';
	MEM_AUTO char *keys = mem_format(COM "'ready':{'exec':'a'},'alive':{'console':'%s'}", text);

	spec_shows(keys, text);
}

static void test_times(void **state)
{
	static const char *const at[][2] = { { "ready", "every" }, { "ready", "within" },
		{ "alive", "every" }, { NULL, "time_limit" } };

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		value_refused(at[i][0], at[i][1], node_int(0));
		value_refused(at[i][0], at[i][1], node_int(-1));
		value_refused(at[i][0], at[i][1], node_number(0.001));
		value_refused(at[i][0], at[i][1], node_number((double)NAN));
		value_refused(at[i][0], at[i][1], node_number((double)INFINITY));
		value_refused(at[i][0], at[i][1], node_int(INT64_MAX));
		value_refused(at[i][0], at[i][1], node_string("1"));
	}
	value_refused("alive", "failures", node_int(0));
	value_refused("alive", "failures", node_int(-1));
	value_refused("alive", "failures", node_int(1001));
	value_refused("alive", "failures", node_number(1.5));
	only("'ready':{'exec':'a','every':3601}", "ready.every: expected 0.01 to 3600 seconds");
	only("'ready':{'exec':'a','within':86401}", "ready.within: expected 0.01 to 86400 seconds");
	only("'time_limit':604801", "time_limit: expected 0.01 to 604800 seconds");
	spec_shows("'time_limit':604800", "'time_limit': 604800");
}

static void test_order_of_times(void **state)
{
	(void)state;
	only("'ready':{'exec':'a','within':60},'time_limit':60",
	    "ready.within: 60 seconds are not below \"time_limit\", 60 seconds");
	spec_shows("'ready':{'exec':'a','within':60},'time_limit':60.5", "'time_limit': 60.5");
	only("'ready':{'exec':'a','within':4,'every':4.5}",
	    "ready.every: 4.5 seconds are longer than \"within\", 4 seconds");
	spec_shows("'ready':{'exec':'a','within':4,'every':4}", "'every': 4,'within': 4");
	/* The default gives way. */
	spec_shows("'ready':{'exec':'a','within':4}", "'every': 4,'within': 4");
}

static void test_ignored_time(void **state)
{
	struct spec *spec = spec_of(COM "'ready':{'console':'x','every':1,'within':0.5}");

	(void)state;
	assert_int_equal(spec->notes.count, 1);
	assert_string_equal(spec->notes.item[0],
	    "ready.every is ignored: vmrun looks at all that the console prints");
	spec_free(spec);
	spec = spec_of(COM "'ready':{'console':'x'},'alive':{'console':'x','every':1}");
	assert_int_equal(spec->notes.count, 0);
	spec_free(spec);
}

static void test_console_port(void **state)
{
	(void)state;
	only("'ready':{'console':'x'}",
	    "ready.console: needs a serial port that vmrun reads: set \"com1\": "
	    "\"console\", or \"ready\": false in a target without one");
	only("'com1':'stdio','ready':{'exec':'x'},'alive':{'console':true}",
	    "alive.console: needs a serial port that vmrun reads: set \"com1\": "
	    "\"console\", or \"alive\": false in a target without one");
	spec_shows("'com4':'console','ready':{'console':'x'}", "'ready'");
	only(COM "'alive':{'console':true}",
	    "alive.console: needs \"ready\" in the same target: a guest that prints nothing yet "
	    "may "
	    "be booting");
	only(COM "'ready':false,'alive':{'console':'x'}",
	    "alive.console: needs \"ready\" in the same target: a guest that prints nothing yet "
	    "may "
	    "be booting");
}

/* Checks the problem of a connection to a forwarded port; NULL: there is none. */
static void forwarding_is(const char *keys, const char *wanted)
{
	struct spec *spec = spec_of(keys);
	struct report report = { 0 };

	spec_check_forwarding(spec, &report);
	spec_free(spec);
	if (wanted == NULL) {
		no_problems(&report, keys);
		return;
	}
	MEM_AUTO char *got = problems_of(&report);

	has_line(got, wanted, keys);
}

static void test_forwarded_port(void **state)
{
	static const char *const taken[][2] = {
		{ SLIRP("tcp:127.0.0.1:2222-:22"), "127.0.0.1:2222" },
		{ SLIRP("tcp::2222-:22"), "127.0.0.1:2222" },
		{ SLIRP("tcp:0.0.0.0:2222-10.0.2.15:22"), "192.168.1.2:2222" },
	};
	static const char *const free[][2] = {
		{ SLIRP("tcp:127.0.0.1:2222-:22"), "127.0.0.1:22" },
		{ SLIRP("tcp:127.0.0.1:2222-:22"), "127.0.0.2:2222" },
		{ SLIRP("udp:127.0.0.1:2222-:22"), "127.0.0.1:2222" },
		{ SLIRP("tcp::2222-:22"), "[::1]:2222" },
		{ "'emulations':[{'device':'virtio-net','name':'tap0'}],", "127.0.0.1:2222" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		MEM_AUTO char *bare =
		    mem_format("%s'alive':{'connect':'%s'}", taken[i][0], taken[i][1]);
		MEM_AUTO char *good = mem_format(
		    "%s'alive':{'connect':'%s','expect':'SSH-'}", taken[i][0], taken[i][1]);
		MEM_AUTO char *wanted =
		    mem_format("alive.connect: \"expect\" is needed beside \"%s\": hostfwd \"tcp:",
			taken[i][1]);

		forwarding_is(bare, wanted);
		forwarding_is(good, NULL);
	}
	for (size_t i = 0; i < sizeof(free) / sizeof(free[0]); i++) {
		MEM_AUTO char *keys =
		    mem_format("%s'ready':{'connect':'%s'}", free[i][0], free[i][1]);

		forwarding_is(keys, NULL);
	}
	/* A malformed rule, which is reported where it stands. */
	spec_refused(SLIRP("x") "'ready':{'connect':'127.0.0.1:2222'}",
	    "emulations[0].hostfwd[0]: invalid rule");
}

/* A device that a target removes forwards nothing. */
static void test_removed_device(void **state)
{
	struct spec *spec = spec_of(SLIRP("tcp::2222-:22") "'ready':{'connect':'127.0.0.1:2222'}");
	struct report report = { 0 };

	(void)state;
	spec->devices[0]->removed = true;
	spec_check_forwarding(spec, &report);
	no_problems(&report, "removed");
	spec_free(spec);
}

static void test_programs(void **state)
{
	struct spec *spec = spec_of("'ready':{'exec':'a b'},'alive':{'exec':['c']}");
	NEEDS_AUTO struct needs needs = { 0 };

	(void)state;
	spec_needs(spec, &needs);
	assert_int_equal(needs.count, 2);
	assert_int_equal(needs.item[0].kind, NEED_PROGRAM);
	assert_string_equal(needs.item[0].what, "a");
	assert_string_equal(needs.item[0].above, "ready");
	assert_string_equal(needs.item[0].key, "exec");
	assert_string_equal(needs.item[0].owner, "ready");
	assert_string_equal(needs.item[1].what, "c");
	assert_string_equal(needs.item[1].above, "alive");
	spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_order_of_times),
		cmocka_unit_test(test_ignored_time),
		cmocka_unit_test(test_console_port),
		cmocka_unit_test(test_forwarded_port),
		cmocka_unit_test(test_removed_device),
		cmocka_unit_test(test_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
