/* PCI addresses as a spec writes them. */
#include "support.h"

#include <string.h>

#include "base/mem.h"

static void parses(const char *json, const char *wanted)
{
	struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/" };
	struct node *n = doc_of(json);
	struct slot s = { 0 };
	char text[SLOT_TEXT];

	slot_custom.parse(n, &s, NULL, &d);
	node_free(n);
	no_problems(&report, json);
	assert_true(s.given);
	assert_string_equal(slot_text(&s, text), wanted);
}

static void refused(const char *json, const char *why)
{
	struct report report = { 0 };
	struct where at = { NULL, "slot", 0 };
	struct decoder d = { .report = &report, .directory = "/" };
	struct node *n = doc_of(json);
	struct slot s = { false, 7, 7, 7 };
	MEM_AUTO char *line = mem_format("slot: %s\n", why);

	slot_custom.parse(n, &s, &at, &d);
	node_free(n);
	MEM_AUTO char *got = problems_of(&report);

	has_line(got, line, json);
	assert_false(s.given);
	assert_int_equal(s.slot, 7);
}

static void test_parse(void **state)
{
	(void)state;
	parses("3", "0:3:0");
	parses("0", "0:0:0");
	parses("31", "0:31:0");
	parses("'3'", "0:3:0");
	parses("'03'", "0:3:0");
	parses("'3:0'", "0:3:0");
	parses("'3:7'", "0:3:7");
	parses("'0:3:1'", "0:3:1");
	parses("'255:31:7'", "255:31:7");
}

static void test_out_of_range(void **state)
{
	(void)state;
	refused("32", "slot 32 is out of range: expected 0 to 31");
	refused("-1", "slot -1 is out of range: expected 0 to 31");
	refused("9223372036854775807", "slot 9999 is out of range: expected 0 to 31");
	refused("'32'", "slot 32 is out of range: expected 0 to 31");
	/* Larger numbers are clamped. */
	refused("'9998'", "slot 9998 is out of range: expected 0 to 31");
	refused("'9999'", "slot 9999 is out of range: expected 0 to 31");
	refused("'10000'", "slot 9999 is out of range: expected 0 to 31");
	refused("9998", "slot 9998 is out of range: expected 0 to 31");
	refused("10000", "slot 9999 is out of range: expected 0 to 31");
	refused("'3:8'", "function 8 is out of range: expected 0 to 7");
	refused("'256:0:0'", "bus 256 is out of range: expected 0 to 255");
	refused("'0:32:0'", "slot 32 is out of range: expected 0 to 31");
	refused("'99999999999999999999'", "slot 9999 is out of range: expected 0 to 31");
	refused("'4294967299'", "slot 9999 is out of range: expected 0 to 31");
}

static void test_nonsense(void **state)
{
	static const char *const texts[] = { "-1", "+3", "3x", "x", " 3", "3 ", "0x3", ":",
		"3:", ":3", "3::4", "3:1:2:4", "3:1:2:", "3.0", "-1:0:0", "3:-1", "auto" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		MEM_AUTO char *json = mem_format("'%s'", texts[i]);
		MEM_AUTO char *why = mem_format(
		    "invalid slot \"%s\": expected \"3\", \"3:0\" or \"0:3:0\"", texts[i]);

		refused(json, why);
	}
	refused("''", "must not be empty");
	refused("1.5",
	    "expected a slot such as \"3\", \"3:0\" or \"0:3:0\", got a number that is "
	    "not an integer");
	refused("[]", "expected a slot such as \"3\", \"3:0\" or \"0:3:0\", got a list");
	refused("null", "expected a slot such as \"3\", \"3:0\" or \"0:3:0\", got null");
}

/* Every address prints as it parses. */
static void test_there_and_back(void **state)
{
	struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/" };
	char text[SLOT_TEXT];

	(void)state;
	for (int i = 0; i < SLOT_BUSES * SLOT_SLOTS * SLOT_FUNCTIONS; i++) {
		struct slot s = { true, i >> 8, i >> 3 & 31, i & 7 }, back = { 0 };
		struct node *n = node_string(slot_text(&s, text));

		slot_custom.parse(n, &back, NULL, &d);
		assert_true(back.given && slot_equal(&s, &back));
		node_free(n);
	}
	no_problems(&report, "all slots");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
