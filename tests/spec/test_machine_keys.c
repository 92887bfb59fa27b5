/* name, cpu, mem, host bridge, serial ports, uuid, words, seconds, release. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct row {
	const char *value, *wanted;
};

/* Checks how each value of the key is printed after the colon. */
static void shown(const char *key, const struct row *rows)
{
	for (const struct row *r = rows; r->value != NULL; r++) {
		MEM_AUTO char *keys = mem_format("'%s':%s", key, r->value);
		MEM_AUTO char *wanted = mem_format("'%s': %s", key, r->wanted);

		spec_shows(keys, wanted);
	}
}

/* Checks that each value is refused with a problem at or below the key. */
static void refused(const char *key, const struct row *rows)
{
	for (const struct row *r = rows; r->value != NULL; r++) {
		MEM_AUTO char *keys = mem_format("'%s':%s", key, r->value);
		MEM_AUTO char *wanted = mem_format("%s%s", key, r->wanted);

		spec_refused(keys, wanted);
	}
}

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_name(void **state)
{
	static const struct row good[] = {
		{ "'a'", "'a'" },
		{ "'0'", "'0'" },
		{ "'a.b-c_D9'", "'a.b-c_D9'" },
		{ "'" A32 A32 "'", "'" A32 A32 "'" },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
		{ "'" A32 A32 "a'", ": invalid VM name \"" A32 A32 "a\"" },
		{ "''", ": must not be empty" },
		{ "'.a'", ": invalid VM name \".a\"" },
		{ "'-a'", ": invalid VM name \"-a\"" },
		{ "'_a'", ": invalid VM name \"_a\"" },
		{ "'a b'", ": invalid VM name \"a b\"" },
		{ "'a/b'", ": invalid VM name \"a/b\"" },
		{ "'a%b'", ": invalid VM name \"a%b\"" },
		{ "'a\\n'", ": invalid VM name \"a\n\"" },
		{ "'\\u00e4'", ": invalid VM name \"\xc3\xa4\"" },
		{ "1", ": expected a string, got an integer" },
		{ NULL, NULL },
	};

	(void)state;
	shown("name", good);
	refused("name", bad);
}

static void test_cpu(void **state)
{
	static const struct row good[] = {
		{ "1", "{'threads': 1,'cores': 1,'sockets': 1}" },
		{ "65535", "{'threads': 65535,'cores': 1,'sockets': 1}" },
		{ "{'threads':2,'cores':3,'sockets':4}", "{'threads': 2,'cores': 3,'sockets': 4}" },
		{ "{'threads':5,'cores':13107,'sockets':1}",
		    "{'threads': 5,'cores': 13107,'sockets': 1}" },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
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
	shown("cpu", good);
	refused("cpu", bad);
	assert_int_equal(cpu_count(&cpu), 24);
}

static void test_mem(void **state)
{
	static const struct row good[] = {
		{ "'512M'", "536870912," },
		{ "'512m'", "536870912," },
		{ "'08M'", "8388608," },
		{ "'000000000000000000000000000010M'", "10485760," },
		{ "'4k'", "4096," },
		{ "'3G'", "3221225472," },
		{ "'1T'", "1099511627776," },
		{ "'4096T'", "4503599627370496," },
		{ "4096", "4096," },
		{ "536870912", "536870912," },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
		{ "'512'", ": \"512\" has no unit: write \"512M\"" },
		{ "''", ": must not be empty" },
		{ "'M'", ": invalid size \"M\"" },
		{ "'1.5G'", ": invalid size \"1.5G\"" },
		{ "'4 G'", ": invalid size \"4 G\"" },
		{ "' 4G'", ": invalid size \" 4G\"" },
		{ "'4GB'", ": invalid size \"4GB\"" },
		{ "'4P'", ": invalid size \"4P\"" },
		{ "'-4M'", ": invalid size \"-4M\"" },
		{ "'+4M'", ": invalid size \"+4M\"" },
		{ "'0x200M'", ": invalid size \"0x200M\"" },
		{ "'0M'", ": the size must be above 0" },
		{ "'00k'", ": the size must be above 0" },
		{ "0", ": the size must be above 0" },
		{ "-1", ": the size must be above 0" },
		{ "-4096", ": the size must be above 0" },
		{ "'1k'", ": 1024 bytes is not a multiple of 4 KiB" },
		{ "5000", ": 5000 bytes is not a multiple of 4 KiB" },
		{ "4503599627374592", ": the size is beyond 4 PiB" },
		{ "1152921504606846976", ": the size is beyond 4 PiB" },
		{ "'4097T'", ": the size is beyond 4 PiB" },
		{ "'99999999999T'", ": the size is beyond 4 PiB" },
		{ "'9999999999999999999999999999999k'", ": the size is beyond 4 PiB" },
		{ "536870912.5", ": expected a size such as \"512M\", or bytes, got a number" },
		{ "true", ": expected a size such as \"512M\", or bytes, got a boolean" },
		{ NULL, NULL },
	};

	(void)state;
	shown("mem", good);
	refused("mem", bad);
	shown("hook_memory", good);
	refused("hook_memory", bad);
}

/* Returns the problems, else the notes, of a key that may have UCL's numbers. */
static char *said_of(const char *key, const char *value, bool of_ucl)
{
	MEM_AUTO char *keys = mem_format("'%s':%s", key, value);
	struct node *doc = doc_with(keys);
	struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/", .of_ucl = of_ucl };
	struct spec *spec = spec_decode(doc, &d);
	struct str notes = { 0 };
	char *said;

	for (size_t i = 0; i < spec->notes.count; i++)
		str_addf(&notes, "%s\n", spec->notes.item[i]);
	said = report.count > 0 ? problems_of(&report) : str_take(&notes);
	str_free(&notes);
	spec_free(spec);
	node_free(doc);
	return said;
}

struct mem_row {
	const char *value, *bytes;
	bool good;
	const char *hint; /* about UCL */
};

static void says(const char *key, const struct mem_row *r, bool of_ucl)
{
	MEM_AUTO char *got = said_of(key, r->value, of_ucl);
	bool is_small = *r->value != '\'' && strtoll(r->value, NULL, 10) <= 1048576;
	MEM_AUTO char *small =
	    is_small ? mem_format(", did you mean \"%sM\"?", r->value) : mem_copy("");
	const char *hint = of_ucl && *r->hint != '\0' ? r->hint : small;
	MEM_AUTO char *accepted = mem_format(" is %s bytes%s", r->bytes, hint);
	MEM_AUTO char *refused =
	    mem_format(": %s bytes is not a multiple of 4 KiB%s", r->bytes, hint);
	const char *text = r->good ? accepted : refused;
	MEM_AUTO char *wanted = mem_format("%s%s\n", key, text);

	if (strcmp(got, r->good && *hint == '\0' ? "" : wanted) != 0)
		fail_msg("%s: wanted %s, got %s", r->value, wanted, got);
}

/* UCL reads 512M without quotes as a decimal number; a note or a problem says so. */
static void test_mem_of_ucl(void **state)
{
#define HINT(n, unit, name)                                                          \
	" (UCL makes that of " #n unit " without quotes: for " #n " " name " write " \
	"\"" #n unit "\" or " #n unit "b)"
	static const struct mem_row rows[] = {
		{ "512000000", "512000000", true, HINT(512, "M", "MiB") },
		{ "8000000000", "8000000000", true, HINT(8, "G", "GiB") },
		{ "524288000", "524288000", true, HINT(524288, "k", "KiB") },
		{ "1000000000", "1000000000", false, HINT(1, "G", "GiB") },
		{ "1500000000", "1500000000", false, HINT(1500, "M", "MiB") },
		{ "1000", "1000", false, HINT(1, "k", "KiB") },
		{ "536870912", "536870912", true, "" },
		{ "512", "512", false, "" },
		{ "1048576", "1048576", true, "" },
		{ "1052672", "1052672", true, "" },
		{ "'512M'", "536870912", true, "" },
		{ "'1000k'", "1024000", true, "" },
	};
#undef HINT

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		says("mem", &rows[i], true);
		says("mem", &rows[i], false);
		says("hook_memory", &rows[i], true);
	}
}

static void test_hostbridge(void **state)
{
	static const struct row good[] = {
		{ "'hostbridge'", "'hostbridge'" },
		{ "'amd_hostbridge'", "'amd_hostbridge'" },
		{ "false", "false" },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
		{ "true", ": expected \"hostbridge\", \"amd_hostbridge\" or false" },
		{ "'amd'",
		    ": invalid value \"amd\": expected one of \"hostbridge\", \"amd_hostbridge\"" },
		{ "''", ": must not be empty" },
		{ "0", ": expected \"hostbridge\"" },
		{ NULL, NULL },
	};

	(void)state;
	shown("hostbridge", good);
	refused("hostbridge", bad);
}

static void test_com(void **state)
{
	static const struct row good[] = {
		{ "'stdio'", "'stdio'" },
		{ "'/dev/nmdm0A'", "'/dev/nmdm0A'" },
		{ "'/dev/a,b'", "'/dev/a,b'" },
		{ "'tcp=127.0.0.1:1'", "'tcp=127.0.0.1:1'" },
		{ "'tcp=[::1]:65535'", "'tcp=[::1]:65535'" },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
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
		shown(keys[i], good);
		refused(keys[i], bad);
	}
}

static void test_uuid(void **state)
{
	static const struct row good[] = {
		{ "'01234567-89ab-cdef-ABCD-EF0123456789'",
		    "'01234567-89ab-cdef-ABCD-EF0123456789'" },
		{ "'01234567-89ab-cdef-dfff-ef0123456789'",
		    "'01234567-89ab-cdef-dfff-ef0123456789'" },
		{ "false", "false" },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
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
	shown("uuid", good);
	refused("uuid", bad);
}

static void test_words(void **state)
{
	static const struct row good[] = {
		{ "'-a  -b \\\"c d\\\"'", "['-a','-b','c d']" },
		{ "['-a','b c']", "['-a','b c']" },
		{ "['']", "['']" },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
		{ "'\\\"a'", ": cannot be split into words: unterminated quote" },
		{ "'a\\\\'", ": cannot be split into words: a backslash at the end" },
		{ "['a',1]", "[1]: expected a string, got an integer" },
		{ "{'a':'b'}", ": expected a string or a list of strings, got an object" },
		{ "1", ": expected a string or a list of strings, got an integer" },
		{ NULL, NULL },
	};

	(void)state;
	shown("extra_options", good);
	refused("extra_options", bad);
	spec_shows("'extra_options':'','bhyve':{'args':'x'}", "'bhyve': {'args': ['x']}");
	spec_refused("'qemu':{'args':[1]}", "qemu.args[0]: expected a string");
}

static void test_seconds(void **state)
{
	static const struct row good[] = {
		{ "5", "5," },
		{ "0.01", "0.01," },
		{ "3600", "3600," },
		{ "1.001", "1.001," }, /* 1.001 * 1000 is a little below 1001 */
		{ "2.3", "2.3," },
		{ NULL, NULL },
	};
	static const struct row bad[] = {
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
	shown("hook_timeout", good);
	refused("hook_timeout", bad);
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
		cmocka_unit_test(test_mem),
		cmocka_unit_test(test_mem_of_ucl),
		cmocka_unit_test(test_hostbridge),
		cmocka_unit_test(test_com),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_settings_of_one_hypervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
