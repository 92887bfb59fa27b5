/* The rules of PCI addresses, one by one. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define AUTO "{'device':'raw','value':'x'}"
#define AT(slot) "{'device':'raw','value':'x','slot':'" slot "'}"
#define LIST(devices) "'emulations':[" devices "]"

/* Returns "0:1:0 0:2:0 ...", then the problems, with ' for ".  The caller frees it. */
static char *seats(struct spec *spec, const struct base_slots *of_base, const struct pin_map *pins)
{
	struct report report = { 0 };
	struct str s = { 0 };
	char slot[SLOT_TEXT];

	slots_assign(spec, of_base, pins, &report);
	for (size_t i = 0; i < spec->device_count; i++)
		str_addf(&s, "%s%s", i > 0 ? " " : "",
		    spec->devices[i]->slot.given ? slot_text(&spec->devices[i]->slot, slot) : "-");
	MEM_AUTO char *problems = problems_of(&report);

	str_addf(&s, "%s%s", *problems != '\0' ? "\n" : "", problems);
	for (char *p = s.text; p != NULL && *p != '\0'; p++)
		*p = (char)(*p == '"' ? '\'' : *p);
	return str_take(&s);
}

/* Checks the slots of one spec. */
static void places(const char *keys, const char *wanted)
{
	struct spec *spec = spec_of(keys);
	struct pin_map pins = { 0 };

	slots_collect(&pins, spec);
	MEM_AUTO char *got = seats(spec, NULL, &pins);

	spec_free(spec);
	assert_string_equal(got, wanted);
}

/* Checks the slots of a base and a target, both merged; `removed` counts from 1. */
static void places_both(const char *base_keys, const char *base_wanted, const char *keys,
    size_t removed, const char *wanted)
{
	struct spec *base = spec_of(base_keys), *spec = spec_of(keys);
	struct base_slots of_base = { 0 };
	struct pin_map pins = { 0 };

	if (removed > 0)
		spec->devices[removed - 1]->removed = true;
	slots_collect(&pins, base);
	slots_collect(&pins, spec);
	slots_collect_leaving(&of_base, base, spec);
	MEM_AUTO char *base_got = seats(base, &of_base, &pins);
	slots_note(&of_base, base);
	MEM_AUTO char *got = seats(spec, &of_base, &pins);
	slots_forget(&of_base);

	spec_free(base);
	spec_free(spec);
	assert_string_equal(base_got, base_wanted);
	assert_string_equal(got, wanted);
}

static void test_lowest_free(void **state)
{
	(void)state;
	places("", "");
	places(LIST(AUTO "," AUTO), "0:1:0 0:2:0");
	places(LIST(AUTO "," AT("1") "," AUTO), "0:2:0 0:1:0 0:3:0");
	places(LIST(AUTO "," AT("1:1") "," AT("1:0")), "0:2:0 0:1:1 0:1:0");
	places(LIST(AUTO "," AT("1:0:0")), "0:1:0 1:0:0");
	/* Slots 0 and 31 are not assigned, even if they are empty. */
	places("'hostbridge':false,'lpc_slot':'30'," LIST(AUTO), "0:1:0");
	places("'hostbridge':false," LIST(AUTO "," AT("0")), "0:1:0 0:0:0");
	places("'lpc_slot':'1','hostbridge_slot':'2'," LIST(AUTO), "0:3:0");
}

/* Returns a list of `count` automatic devices and a last entry. */
static char *many(int count, const char *last)
{
	struct str s = { 0 };

	str_add(&s, "'emulations':[");
	for (int i = 0; i < count; i++)
		str_addf(&s, "%s" AUTO, i > 0 ? "," : "");
	str_addf(&s, "%s%s]", *last != '\0' ? "," : "", last);
	return str_take(&s);
}

static void nth_is(const char *keys, size_t n, const char *wanted)
{
	struct spec *spec = spec_of(keys);
	struct pin_map pins = { 0 };
	struct report report = { 0 };
	char slot[SLOT_TEXT];

	slots_collect(&pins, spec);
	slots_assign(spec, NULL, &pins, &report);
	no_problems(&report, keys);
	assert_string_equal(slot_text(&spec->devices[n]->slot, slot), wanted);
	spec_free(spec);
}

/* 30 slots, then their functions slot by slot, then the next bus in the same way. */
static void test_order(void **state)
{
	MEM_AUTO char *all = many(600, "");

	(void)state;
	nth_is(all, 0, "0:1:0");
	nth_is(all, 29, "0:30:0");
	nth_is(all, 30, "0:1:1");
	nth_is(all, 36, "0:1:7");
	nth_is(all, 37, "0:2:1");
	nth_is(all, 239, "0:30:7");
	nth_is(all, 240, "1:0:0");
	nth_is(all, 271, "1:31:0");
	nth_is(all, 272, "1:0:1");
	nth_is(all, 495, "1:31:7");
	nth_is(all, 496, "2:0:0");
}

/* Automatic devices get no functions in a slot that the user pinned. */
static void test_no_functions_of_pinned_slots(void **state)
{
	MEM_AUTO char *keys = many(30, AT("1"));
	MEM_AUTO char *lpc = many(30, AT("1") ",{'device':'raw','value':'lpc'}");

	(void)state;
	nth_is(keys, 0, "0:2:0");
	nth_is(keys, 28, "0:30:0");
	nth_is(keys, 29, "0:2:1");
	nth_is(lpc, 31, "0:2:2");
}

/* They get none either if on_prepare added the pinned device. */
static void test_no_functions_of_slots_pinned_later(void **state)
{
	MEM_AUTO char *keys = many(30, AT("1"));
	struct spec *spec = spec_of(keys);
	struct pin_map none = { 0 };
	MEM_AUTO char *got = seats(spec, NULL, &none);

	(void)state;
	assert_string_equal(
	    got + strlen(got) - strlen(" 0:30:0 0:2:1 0:1:0"), " 0:30:0 0:2:1 0:1:0");
	spec_free(spec);
}

/* They get none in slots that another target pins, even if the base has a device there. */
static void test_no_functions_of_slots_of_targets(void **state)
{
	MEM_AUTO char *base_keys = many(30, ""), *keys = many(31, "");
	struct spec *base = spec_of(base_keys), *spec = spec_of(keys),
		    *other = spec_of(LIST(AT("1")));
	struct pin_map pins = { 0 };
	struct base_slots of_base = { 0 };
	MEM_AUTO char *base_got = seats(base, NULL, &pins);

	(void)state;
	slots_note(&of_base, base);
	slots_collect(&pins, other);
	MEM_AUTO char *got = seats(spec, &of_base, &pins);

	slots_forget(&of_base);

	assert_true(strncmp(base_got, "0:1:0 0:2:0 ", strlen("0:1:0 0:2:0 ")) == 0);
	assert_true(strncmp(got, base_got, strlen(base_got)) == 0);
	assert_string_equal(got + strlen(base_got), " 0:2:1");
	spec_free(base);
	spec_free(spec);
	spec_free(other);
}

static void test_no_slot_left(void **state)
{
	MEM_AUTO char *all = many(26, "");
	struct spec *spec = spec_of(all);
	struct pin_map pins = { 0 };
	struct report report = { 0 };

	(void)state;
	/* As if everything but slots 1 to 3 of bus 0 were pinned somewhere. */
	memset(pins.bits, 0xff, sizeof(pins.bits));
	pins.bits[0] = 0xf1;
	slots_assign(spec, NULL, &pins, &report);
	assert_string_equal(report.item[0].text, "no free PCI slot");
	assert_string_equal(report.item[0].path, "emulations[24]");
	assert_int_equal(report.count, 1);
	report_free(&report);
	spec_free(spec);
}

static void test_conflicts(void **state)
{
	(void)state;
	places(LIST(AT("3") "," AT("0:3:0")),
	    "0:3:0 0:3:0\nemulations[1].slot: raw 'raw-0' and raw 'raw-1' are both at slot "
	    "0:3:0\n");
	places(LIST(AT("31")),
	    "0:31:0\nemulations[0].slot: the lpc and raw 'raw-0' are both at slot 0:31:0\n");
	places(LIST(AT("0")),
	    "0:0:0\nemulations[0].slot: the hostbridge and raw 'raw-0' are both at slot 0:0:0\n");
	places("'lpc_slot':'0'", "\nlpc_slot: the hostbridge and the lpc are both at this slot\n");
	places("'hostbridge_slot':'31'",
	    "\nhostbridge_slot: the hostbridge and the lpc are both at this slot\n");
	places("'lpc_slot':'0','hostbridge':false", "");
	places("'lpc_slot':false," LIST(AT("31")), "0:31:0");
	places("'lpc_slot':false,'hostbridge_slot':'0'," LIST(AUTO), "0:1:0");
	places(LIST(AT("31:1") "," AT("0:7")), "0:31:1 0:0:7");
}

static void test_function_zero(void **state)
{
	(void)state;
	places(LIST(AT("3:1")),
	    "0:3:1\nemulations[0].slot: raw 'raw-0' is at 0:3:1, but its slot has no function 0: "
	    "the guest would not find it\n");
	places(LIST(AT("3:1") "," AT("3:0") "," AT("3:7")), "0:3:1 0:3:0 0:3:7");
	places(LIST(AT("1:3:1") "," AT("3:0")),
	    "1:3:1 0:3:0\nemulations[0].slot: raw 'raw-0' is at 1:3:1, but its slot has no "
	    "function 0: the guest would not find it\n");
}

static void test_bridges_need_function_zero(void **state)
{
	(void)state;
	places("'lpc_slot':'30:2'",
	    "\nlpc_slot: the lpc is at 0:30:2, but its slot has no function 0: the guest would not "
	    "find it\n");
	places("'hostbridge_slot':'0:1'",
	    "\nhostbridge_slot: the hostbridge is at 0:0:1, but its slot has no function 0: the "
	    "guest would not find it\n");
	places("'hostbridge_slot':'0:1','hostbridge':false", "");
	places("'lpc_slot':'0:1'", "");
	places("'lpc_slot':'30:2'," LIST(AT("30")), "0:30:0");
}

static void test_lpc_off_bus_0(void **state)
{
	(void)state;
	spec_refused("'lpc_slot':'1:31:0'", "lpc_slot: the lpc must be on bus 0");
}

/* They get none beside a device that some target removes, or that is made from another key. */
static void test_no_functions_beside_what_may_be_missing(void **state)
{
	MEM_AUTO char *keys = many(31, "");
	MEM_AUTO char *screen = many(28, AUTO);
	MEM_AUTO char *with = MEM_JOIN("'graphic':{'port':5901},", screen);
	struct spec *base = spec_of(keys), *spec = spec_of(keys);
	struct base_slots of_base = { 0 };
	struct pin_map pins = { 0 };

	(void)state;
	spec->devices[0]->removed = spec->devices[1]->removed = true;
	slots_collect_leaving(&of_base, base, spec);
	MEM_AUTO char *base_got = seats(base, &of_base, &pins);
	slots_note(&of_base, base);
	MEM_AUTO char *got = seats(spec, &of_base, &pins);

	assert_string_equal(strrchr(base_got, ' '), " 0:3:1");
	assert_string_equal(got, base_got);
	slots_forget(&of_base);
	spec_free(base);
	spec_free(spec);
	nth_is(with, 28, "0:29:0"); /* and the screen is at 30 */
	nth_is(with, 30, "0:1:1");
}

/* Nor beside one that some target puts elsewhere; entries of the target alone do not count. */
static void test_no_functions_beside_what_moves(void **state)
{
	MEM_AUTO char *keys = many(31, "");
	MEM_AUTO char *rest = many(30, AT("1:2:0"));
	struct spec *base = spec_of(keys), *spec = spec_of(rest);
	struct base_slots of_base = { 0 };

	(void)state;
	slots_collect_leaving(&of_base, base, spec); /* its entry 30 is one of the base */
	slots_collect_leaving(&of_base, base, base); /* pins nothing */
	assert_int_equal(of_base.leaving_count, 31);
	for (size_t i = 0; i < 31; i++)
		assert_int_equal(of_base.leaving[i], i == 30);
	slots_forget(&of_base);
	slots_collect_leaving(&of_base, spec, base);
	spec_free(base);
	base = spec_of(LIST(AUTO));
	slots_collect_leaving(&of_base, base, spec);
	assert_int_equal(of_base.leaving_count, 0);
	slots_forget(&of_base);
	spec_free(base);
	spec_free(spec);
}

#define TWO AUTO "," AUTO

/* What a target has no longer leaves its slot empty, whatever key it came from. */
static void test_targets_without_a_screen(void **state)
{
	static const char screen[] = "'graphic':{'port':5901}," LIST(AUTO);

	(void)state;
	places_both(screen, "0:1:0 0:2:0 0:3:0", LIST(AUTO "," AUTO), 0, "0:1:0 0:4:0");
	places_both(screen, "0:1:0 0:2:0 0:3:0",
	    "'graphic':{'port':5901,'xhci_tablet':false}," LIST(AUTO "," AUTO), 0,
	    "0:1:0 0:4:0 0:2:0");
	places_both(screen, "0:1:0 0:3:0 0:4:0", LIST(AUTO "," AT("2")), 0, "0:1:0 0:2:0");
	/* A target that has one more gets a slot for it. */
	places_both(LIST(TWO), "0:1:0 0:2:0", "'graphic':{'port':5901}," LIST(TWO), 0,
	    "0:1:0 0:2:0 0:3:0 0:4:0");
}

/* After an on_prepare the entries of the list have their slots, and nothing else moves. */
static void test_others_stay(void **state)
{
	struct spec *before = spec_of("'graphic':{'port':5901}," LIST(TWO)),
		    *after = spec_of("'graphic':{'port':5901}," LIST(AT("3") "," AUTO));
	struct base_slots others = { 0 };
	struct pin_map pins = { 0 };

	(void)state;
	before->devices[0]->removed = true;
	slots_assign(before, NULL, &pins, &(struct report){ 0 });
	slots_note_others(&others, before, &(struct base_slots){ 0 });
	assert_int_equal(others.count, 3);
	MEM_AUTO char *got = seats(after, &others, &pins);

	/* The hook has put a device where the screen was; it goes elsewhere, its pointer stays. */
	assert_string_equal(got, "0:3:0 0:2:0 0:5:0 0:4:0");
	spec_free(after);
	/* A new entry may have the index of the one that is gone. */
	after = spec_of("'graphic':{'port':5901}," LIST(AUTO));
	MEM_AUTO char *first = seats(after, &others, &pins);

	assert_string_equal(first, "0:2:0 0:3:0 0:4:0");
	slots_forget(&others);
	spec_free(before);
	spec_free(after);
}

/* The screen of the base keeps its slots in a target that has none. */
static void test_others_of_the_base(void **state)
{
	struct spec *base = spec_of("'graphic':{'port':5901}," LIST(AUTO)),
		    *before = spec_of(LIST(AUTO)), *after = spec_of(LIST(AUTO "," AUTO));
	struct base_slots of_base = { 0 }, others = { 0 };
	struct pin_map pins = { 0 };

	(void)state;
	slots_assign(base, NULL, &pins, &(struct report){ 0 });
	slots_note(&of_base, base);
	slots_assign(before, &of_base, &pins, &(struct report){ 0 });
	slots_note_others(&others, before, &of_base);
	assert_int_equal(others.count, 2);
	MEM_AUTO char *got = seats(after, &others, &pins);

	assert_string_equal(got, "0:1:0 0:4:0");
	slots_forget(&others);
	/* A spec that has the screen itself notes it once. */
	slots_note_others(&others, base, &of_base);
	assert_int_equal(others.count, 2);
	slots_forget(&others);
	slots_forget(&of_base);
	spec_free(base);
	spec_free(before);
	spec_free(after);
}

static void test_targets(void **state)
{
	(void)state;
	/* Appended devices come last. */
	places_both(LIST(TWO), "0:1:0 0:2:0", LIST(TWO "," AUTO), 0, "0:1:0 0:2:0 0:3:0");
	/* The base does not use slots that a target pins. */
	places_both(
	    LIST(TWO), "0:2:0 0:3:0", LIST(TWO "," AT("1") "," AUTO), 0, "0:2:0 0:3:0 0:1:0 0:4:0");
	/* Automatic devices do not get the slot of a removed device, */
	places_both(LIST(TWO), "0:1:0 0:2:0", LIST(TWO "," AUTO), 1, "0:1:0 0:2:0 0:3:0");
	places_both(LIST(AT("1") "," AUTO), "0:1:0 0:2:0", LIST(AT("1") "," AUTO "," AUTO), 1,
	    "0:1:0 0:2:0 0:3:0");
	/* but the target may pin another device there. */
	places_both(LIST(AT("1") "," AUTO), "0:1:0 0:2:0", LIST(AT("1") "," AUTO "," AT("1")), 1,
	    "0:1:0 0:2:0 0:1:0");
	/* A target that unpins a device does not move it, one that pins it does. */
	places_both(LIST(AT("9") "," AUTO), "0:9:0 0:1:0", LIST(AUTO "," AUTO), 0, "0:9:0 0:1:0");
	places_both(LIST(TWO), "0:1:0 0:2:0", LIST(AT("9") "," AUTO), 0, "0:9:0 0:2:0");
}

/* A removed function 0 with other pinned functions in its slot is reported. */
static void test_removed_function_zero(void **state)
{
	(void)state;
	places_both(LIST(AT("3") "," AT("3:1")), "0:3:0 0:3:1", LIST(AT("3") "," AT("3:1")), 1,
	    "0:3:0 0:3:1\nemulations[1].slot: raw 'raw-1' is at 0:3:1, but its slot has no "
	    "function 0: the guest would not find it\n");
}

/* An invalid entry in a target does not change the slots of the others. */
static void test_broken_entries(void **state)
{
	struct spec *base = spec_of(LIST(AUTO "," AT("5") "," AUTO)), *spec;
	struct report report = { 0 };
	struct base_slots of_base = { 0 };
	struct pin_map pins = { 0 };

	(void)state;
	spec = spec_from(doc_with(LIST("{'device':'nothing'}," AT("5") "," AUTO)), &report);
	assert_int_equal(report.count, 1);
	report_free(&report);
	slots_collect(&pins, base);
	slots_collect(&pins, spec);
	MEM_AUTO char *base_got = seats(base, NULL, &pins);
	slots_note(&of_base, base);
	MEM_AUTO char *got = seats(spec, &of_base, &pins);

	slots_forget(&of_base);
	spec_free(base);
	spec_free(spec);
	assert_string_equal(base_got, "0:1:0 0:5:0 0:2:0");
	assert_string_equal(got, "0:5:0 0:2:0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_free),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_no_functions_of_pinned_slots),
		cmocka_unit_test(test_no_functions_of_slots_pinned_later),
		cmocka_unit_test(test_no_functions_of_slots_of_targets),
		cmocka_unit_test(test_no_slot_left),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_function_zero),
		cmocka_unit_test(test_bridges_need_function_zero),
		cmocka_unit_test(test_lpc_off_bus_0),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_targets_without_a_screen),
		cmocka_unit_test(test_others_stay),
		cmocka_unit_test(test_others_of_the_base),
		cmocka_unit_test(test_no_functions_beside_what_may_be_missing),
		cmocka_unit_test(test_no_functions_beside_what_moves),
		cmocka_unit_test(test_removed_function_zero),
		cmocka_unit_test(test_broken_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
