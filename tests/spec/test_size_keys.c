/* Sizes: memory, and logs. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void test_mem(void **state)
{
	static const struct key_row good[] = {
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
	static const struct key_row bad[] = {
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
	key_shows("mem", good);
	key_refuses("mem", bad);
	key_shows("hook_memory", good);
	key_refuses("hook_memory", bad);
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

/* A log may have any size from a minimum on; it has no pages. */
static void test_log_size(void **state)
{
	static const char range[] = "console.max_size: the size of a log is out of range: expected "
				    "4096 bytes to 4 PiB";
	static const struct key_row good[] = {
		{ "'5k'", "5120" },
		{ "4096", "4096" },
		{ "1000000", "1000000" },
		{ "'10M'", "10485760" },
		{ NULL, NULL },
	};
	static const char *const bad[] = { "'3k'", "4095", "0", "-1", "'0M'", "'4097T'",
		"4503599627370497", NULL };

	(void)state;
	for (size_t i = 0; good[i].value != NULL; i++) {
		MEM_AUTO char *keys = mem_format("'console':{'max_size':%s}", good[i].value);
		MEM_AUTO char *shown = mem_format("'max_size': %s,", good[i].wanted);

		spec_shows(keys, shown);
	}
	for (size_t i = 0; bad[i] != NULL; i++) {
		MEM_AUTO char *keys = mem_format("'console':{'max_size':%s}", bad[i]);

		spec_refused(keys, range);
	}
	spec_refused("'console':{'max_size':10}",
	    "console.max_size: the size of a log is out of range: expected 4096 bytes to 4 PiB, "
	    "did you mean \"10M\"?");
	MEM_AUTO char *large =
	    said_of("console", "{'max_size':4095}", false); /* who means 4 GB of log? */

	assert_null(strstr(large, "did you mean"));
	spec_refused("'console':{'max_size':'1.5M'}", "console.max_size: invalid size \"1.5M\"");
	spec_refused("'console':{'max_size':true}", "console.max_size: expected a size such as");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem),
		cmocka_unit_test(test_log_size),
		cmocka_unit_test(test_mem_of_ucl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
