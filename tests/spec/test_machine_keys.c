/* name, cpu, host bridge, serial ports, uuid, words, seconds, release. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_name(void **state)
{
	static const struct key_row good[] = {
		{ "'a'", "'a'" },
		{ "'0'", "'0'" },
		{ "'a.b-c_D9'", "'a.b-c_D9'" },
		{ "'" A32 A32 "'", "'" A32 A32 "'" },
		{ NULL, NULL },
	};
	static const struct key_row bad[] = {
		{ "'" A32 A32 "a'", ": invalid VM name \"" A32 A32 "a\"" },
		{ "''", ": must not be empty" },
		{ "'.a'", ": invalid VM name \".a\"" },
		{ "'-a'", ": invalid VM name \"-a\"" },
		{ "'_a'", ": invalid VM name \"_a\"" },
		{ "'a b'", ": invalid VM name \"a b\"" },
		{ "'a/b'", ": invalid VM name \"a/b\"" },
		{ "'a%b'", ": invalid VM name \"a%b\"" },
		{ "'a\\n'", ": invalid VM name \"a?\"" },
		{ "'\\u00e4'", ": invalid VM name \"\xc3\xa4\"" },
		{ "1", ": expected a string, got an integer" },
		{ NULL, NULL },
	};

	(void)state;
	key_shows("name", good);
	key_refuses("name", bad);
}

static void test_cpu(void **state)
{
	static const struct key_row good[] = {
		{ "1", "{'threads': 1,'cores': 1,'sockets': 1}" },
		{ "65535", "{'threads': 65535,'cores': 1,'sockets': 1}" },
		{ "{'threads':2,'cores':3,'sockets':4}", "{'threads': 2,'cores': 3,'sockets': 4}" },
		{ "{'threads':5,'cores':13107,'sockets':1}",
		    "{'threads': 5,'cores': 13107,'sockets': 1}" },
		{ NULL, NULL },
	};
	static const struct key_row bad[] = {
		{ "0", ": 0 is out of range: expected 1 to 65535" },
		{ "-1", ": -1 is out of range" },
		{ "65536", ": 65536 is out of range" },
		{ "1.5", ": expected an integer or { threads, cores, sockets }, got a number" },
		{ "'2'", ": expected an integer or { threads, cores, sockets }, got a string" },
		{ "[2]", ": expected an integer or { threads, cores, sockets }, got a list" },
		{ "{'threads':2}", ": \"cores\" is missing" },
		{ "{'threads':2}", ": \"sockets\" is missing" },
		{ "{}", ": \"threads\" is missing" },
		{ "{'threads':0,'cores':1,'sockets':1}", ".threads: 0 is out of range" },
		{ "{'threads':1,'cores':1.5,'sockets':1}", ".cores: expected an integer" },
		{ "{'threads':1,'cores':1,'sockets':1,'thread':1}",
		    ".thread: unknown key \"thread\", did you mean \"threads\"?" },
		{ "{'threads':2,'cores':32768,'sockets':1}",
		    ": 65536 processors, at most 65535 are possible" },
		{ "{'threads':65535,'cores':65535,'sockets':65535}",
		    ": 281462092005375 processors, at most 65535 are possible" },
		{ NULL, NULL },
	};
	struct cpu cpu = { 2, 3, 4 };

	(void)state;
	key_shows("cpu", good);
	key_refuses("cpu", bad);
	assert_int_equal(cpu_count(&cpu), 24);
}

static void test_hostbridge(void **state)
{
	static const struct key_row good[] = {
		{ "'hostbridge'", "'hostbridge'" },
		{ "'amd_hostbridge'", "'amd_hostbridge'" },
		{ "false", "false" },
		{ NULL, NULL },
	};
	static const struct key_row bad[] = {
		{ "true", ": expected \"hostbridge\", \"amd_hostbridge\" or false" },
		{ "'amd'",
		    ": invalid value \"amd\": expected one of \"hostbridge\", \"amd_hostbridge\"" },
		{ "''", ": must not be empty" },
		{ "0", ": expected \"hostbridge\"" },
		{ NULL, NULL },
	};

	(void)state;
	key_shows("hostbridge", good);
	key_refuses("hostbridge", bad);
}

static void test_com(void **state)
{
	static const struct key_row good[] = {
		{ "'stdio'", "'stdio'" },
		{ "'/dev/nmdm0A'", "'/dev/nmdm0A'" },
		{ "'/dev/a,b'", "'/dev/a,b'" },
		{ "'tcp=127.0.0.1:1'", "'tcp=127.0.0.1:1'" },
		{ "'tcp=[::1]:65535'", "'tcp=[::1]:65535'" },
		{ NULL, NULL },
	};
	static const struct key_row bad[] = {
		{ "''", ": must not be empty" },
		{ "'nmdm0A'", ": invalid serial port \"nmdm0A\"" },
		{ "'Stdio'", ": invalid serial port \"Stdio\"" },
		{ "'tcp='", ": invalid serial port \"tcp=\"" },
		{ "'tcp=:1'", ": invalid serial port \"tcp=:1\"" },
		{ "'tcp=127.0.0.1'", ": invalid serial port \"tcp=127.0.0.1\"" },
		{ "'tcp=127.0.0.1:'", ": invalid serial port \"tcp=127.0.0.1:\"" },
		{ "'tcp=127.0.0.1:0'", ": invalid serial port \"tcp=127.0.0.1:0\"" },
		{ "'tcp=127.0.0.1:65536'", ": invalid serial port \"tcp=127.0.0.1:65536\"" },
		{ "'tcp=127.0.0.1:-1'", ": invalid serial port \"tcp=127.0.0.1:-1\"" },
		{ "'tcp=127.0.0.1:1x'", ": invalid serial port \"tcp=127.0.0.1:1x\"" },
		{ "1", ": expected a string, got an integer" },
		{ NULL, NULL },
	};
	static const char *const keys[] = { "com1", "com2", "com3", "com4" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		key_shows(keys[i], good);
		key_refuses(keys[i], bad);
	}
}

static void test_uuid(void **state)
{
	static const struct key_row good[] = {
		{ "'01234567-89ab-cdef-ABCD-EF0123456789'",
		    "'01234567-89ab-cdef-ABCD-EF0123456789'" },
		{ "'01234567-89ab-cdef-dfff-ef0123456789'",
		    "'01234567-89ab-cdef-dfff-ef0123456789'" },
		{ "false", "false" },
		{ NULL, NULL },
	};
	static const struct key_row bad[] = {
		{ "'01234567-89ab-cdef-abcd-ef012345678'", ": " },
		{ "'01234567-89ab-cdef-abcd-ef01234567890'", ": " },
		{ "'0123456789abcdefabcdef0123456789'", ": " },
		{ "'01234567-89ab-cdef-abcd-ef012345678g'", ": " },
		{ "'01234567-89ab-cdef-abcde-f0123456789'", ": " },
		{ "'{1234567-89ab-cdef-abcd-ef012345678}'", ": " },
		{ "'01234567-89ab-cdef-e000-ef0123456789'",
		    ": invalid UUID \"01234567-89ab-cdef-e000-ef0123456789\": no variant has a "
		    "fourth group of e000 or above" },
		{ "'01234567-89ab-cdef-Ffff-ef0123456789'", ": invalid UUID \"" },
		{ "true", ": expected a string, got a boolean" },
		{ "''", ": must not be empty" },
		{ "1", ": expected a string, got an integer" },
		{ NULL, NULL },
	};

	(void)state;
	key_shows("uuid", good);
	key_refuses("uuid", bad);
}

static void test_words(void **state)
{
	static const struct key_row good[] = {
		{ "'-a  -b \\\"c d\\\"'", "['-a','-b','c d']" },
		{ "['-a','b c']", "['-a','b c']" },
		{ "['']", "['']" },
		{ NULL, NULL },
	};
	static const struct key_row bad[] = {
		{ "'\\\"a'", ": cannot be split into words: unterminated quote" },
		{ "'a\\\\'", ": cannot be split into words: a backslash at the end" },
		{ "['a',1]", "[1]: expected a string, got an integer" },
		{ "{'a':'b'}", ": expected a string or a list of strings, got an object" },
		{ "1", ": expected a string or a list of strings, got an integer" },
		{ NULL, NULL },
	};

	(void)state;
	key_shows("extra_options", good);
	key_refuses("extra_options", bad);
	spec_shows("'extra_options':'','bhyve':{'args':'x'}", "'bhyve': {'args': ['x']}");
	spec_refused("'qemu':{'args':[1]}", "qemu.args[0]: expected a string");
}

static void test_seconds(void **state)
{
	static const struct key_row good[] = {
		{ "5", "5," },
		{ "0.01", "0.01," },
		{ "3600", "3600," },
		{ "1.001", "1.001," }, /* 1.001 * 1000 is a little below 1001 */
		{ "2.3", "2.3," },
		{ NULL, NULL },
	};
	static const struct key_row bad[] = {
		{ "0", ": expected 0.01 to 3600 seconds" },
		{ "0.00999", ": expected 0.01 to 3600 seconds" },
		{ "0.001", ": expected 0.01 to 3600 seconds" },
		{ "-1", ": expected 0.01 to 3600 seconds" },
		{ "3600.01", ": expected 0.01 to 3600 seconds" },
		{ "3601", ": expected 0.01 to 3600 seconds" },
		{ "'5'", ": expected a number of seconds, got a string" },
		{ NULL, NULL },
	};
	struct report report = { 0 };
	struct node *doc = doc_with("");

	(void)state;
	key_shows("hook_timeout", good);
	key_refuses("hook_timeout", bad);
	node_put(doc, "hook_timeout", node_number(strtod("nan", NULL)));
	spec_free(spec_from(doc, &report));
	MEM_AUTO char *got = problems_of(&report);

	has_line(got, "hook_timeout: expected 0.01 to 3600 seconds", "nan");
}

static void test_settings_of_one_hypervisor(void **state)
{
	(void)state;
	spec_shows(
	    "'bhyve':{'release':15,'arch':'arm64'}", "'bhyve': {'release': 15,'arch': 'arm64'}");
	spec_shows("'bhyve':{}", "'qemu': {'accel': 'auto','halt_poll': 0}");
	spec_shows("'bhyve':{'release':13}", "'bhyve': {'release': 13}");
	spec_refused(
	    "'bhyve':{'release':16}", "bhyve.release: 16 is out of range: expected 13 to 15");
	spec_refused("'bhyve':{'release':12}", "bhyve.release: 12 is out of range: expected 13 to");
	spec_refused("'bhyve':{'release':14.3}", "bhyve.release: expected an integer");
	spec_refused("'bhyve':{'arch':'amd'}",
	    "bhyve.arch: invalid value \"amd\": expected one of \"amd64\", \"arm64\"");
	spec_refused("'bhyve':[]", "bhyve: expected an object, got a list");
	spec_refused("'qemu':{'accel':'kvm2'}",
	    "qemu.accel: invalid value \"kvm2\": expected one of \"auto\", \"tcg\", \"kvm\", did "
	    "you mean \"kvm\"?");
	spec_shows("'qemu':{'halt_poll':0}", "'halt_poll': 0");
	spec_shows("'qemu':{'halt_poll':0.0}", "'halt_poll': 0");
	spec_shows("'qemu':{'halt_poll':0.1}", "'halt_poll': 0.1");
	spec_shows("'qemu':{'halt_poll':3600}", "'halt_poll': 3600");
	spec_refused(
	    "'qemu':{'halt_poll':0.09}", "qemu.halt_poll: expected 0 (off) or 0.1 to 3600 seconds");
	spec_refused("'qemu':{'halt_poll':3600.1}", "qemu.halt_poll: expected 0 (off) or 0.1");
	spec_refused("'qemu':{'halt_poll':-1}", "qemu.halt_poll: expected 0 (off) or 0.1");
	spec_refused("'qemu':{'halt_poll':'1'}", "qemu.halt_poll: expected a number of seconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_hostbridge),
		cmocka_unit_test(test_com),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_settings_of_one_hypervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
