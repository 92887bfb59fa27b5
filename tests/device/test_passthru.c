/* passthru: addresses, names, ids to search for. */
#include "support.h"

#include <stdlib.h>

#include "base/mem.h"

static void src(const char *text, const char *shown)
{
	MEM_AUTO char *device = mem_format("{'device':'passthru','src':'%s'}", text);
	MEM_AUTO char *wanted = mem_format("'src':'%s'}", shown);

	device_shows(device, wanted);
}

static void bad_src(const char *text)
{
	MEM_AUTO char *device = mem_format("{'device':'passthru','src':'%s'}", text);
	MEM_AUTO char *wanted =
	    mem_format("emulations[0].src: invalid PCI address \"%s\": expected", text);

	device_refused(device, wanted);
}

static void test_sources(void **state)
{
	static const char *const bad[] = { "3", "3:0", "3:0/0", "3:0:8", "3:32:0", "256:0:0",
		"-1:0:0", "3:0:0:0", "pci1:3:0:0", "pci3:0:0", "3:0:0 ", " 3:0:0", "0x3:0:0",
		"0000:03:00.0", "ppt", "ppt0x", "PPT0", "ppt0/1", "none1", "3/0/0,rom=x",
		"ppt123456", "0003:0:0" };

	(void)state;
	src("3:0:0", "3/0/0");
	src("3/0/1", "3/0/1");
	src("pci0:255:31:7", "255/31/7");
	src("pci0:1/2/3", "1/2/3");
	src("003:00:0", "3/0/0");
	src("ppt0", "ppt0");
	src("ppt12345", "ppt12345");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad_src(bad[i]);
	device_refused(
	    "{'device':'passthru'}", "emulations[0]: \"src\" or \"lookup\" is missing: an address");
	device_refused(
	    "{'device':'passthru','src':3}", "emulations[0].src: expected a string, got an");
}

/* bhyve does not read the boot index of a passthru device: it is a note, on every release. */
static void test_boot_index(void **state)
{
	struct device *dev = device_of("{'device':'passthru','src':'3:0:0','bootindex':1}");
	struct words notes = { 0 };
	struct error err = { 0 };

	(void)state;
	for (int release = 13; release <= 15; release++) {
		struct bhyve_host host = { .release = release, .notes = &notes };
		struct pairs vars = { 0 };

		assert_int_equal(dev->kind->bhyve(dev, &host, &vars, &err), 0);
		assert_null(pairs_get(&vars, "bootindex"));
		pairs_free(&vars);
	}
	assert_int_equal(notes.count, 3);
	assert_string_equal(notes.item[0],
	    "x: \"bootindex\" has no effect, because bhyve does not read the boot index of a "
	    "passthru device");
	words_free(&notes);
	device_free(dev);
}

#define LOOKUP(vendor, device) \
	"{'device':'passthru','lookup':{'vendor':" vendor ",'device':" device "}}"

static void test_lookup(void **state)
{
	(void)state;
	device_shows(LOOKUP("'0x10DE1043'", "'1c0385ac'"),
	    "'lookup':{'vendor':'10de1043','device':'1c0385ac'}}");
	device_shows(LOOKUP("'10de'", "'0X1C03'"), "'lookup':{'vendor':'10de','device':'1c03'}}");
	device_refused(LOOKUP("'10de10'", "'1c03'"),
	    "emulations[0].lookup.vendor: invalid id \"10de10\": expected 8 hexadecimal digits");
	device_refused(
	    LOOKUP("'10dg'", "'1c03'"), "emulations[0].lookup.vendor: invalid id \"10dg\"");
	device_refused(LOOKUP("'10de'", "'0x'"), "emulations[0].lookup.device: invalid id \"0x\"");
	device_refused(LOOKUP("4318", "'1c03'"),
	    "emulations[0].lookup.vendor: expected a string, got an integer");
	device_refused("{'device':'passthru','lookup':{'vendor':'10de'}}",
	    "emulations[0].lookup: \"device\" is missing");
	device_refused("{'device':'passthru','lookup':{'vendor':'10de','devic':'1c03'}}",
	    "emulations[0].lookup.devic: unknown key \"devic\", did you mean \"device\"?");
	device_refused("{'device':'passthru','lookup':'10de'}",
	    "emulations[0].lookup: expected an object, got a string");
	device_refused(
	    "{'device':'passthru','src':'1:0:0','lookup':{'vendor':'10de','device':'1c03'}}",
	    "emulations[0].lookup: this key and \"src\" exclude each other: remove one");
}

static void need(const struct device *dev, const char *what, const char *key)
{
	struct needs needs = { 0 };

	dev->kind->needs(dev, &needs);
	assert_true(needs.count >= 1);
	assert_int_equal(needs.item[0].kind, NEED_PCI);
	assert_true(need_is_exclusive(&needs.item[0]));
	assert_string_equal(needs.item[0].what, what);
	assert_string_equal(needs.item[0].key, key);
	needs_clear(&needs);
}

/* Checks a variable of bhyve 14; NULL: it is not set. */
static void says(const struct device *dev, const char *key, const char *wanted)
{
	struct bhyve_host host = { .release = 14 };
	struct pairs vars = { 0 };
	struct error err = { 0 };
	const char *got;

	assert_int_equal(dev->kind->bhyve(dev, &host, &vars, &err), 0);
	got = pairs_get(&vars, key);
	assert_int_equal(got != NULL, wanted != NULL);
	if (wanted != NULL)
		assert_string_equal(got, wanted);
	pairs_free(&vars);
}

static void test_found(void **state)
{
	struct device *dev = device_of(LOOKUP("'10de1043'", "'0x1C03'"));

	(void)state;
	assert_string_equal(dev->kind->placeholder(dev), "pptAUTO");
	need(dev, "lookup 10de1043 1c03", "lookup");
	says(dev, "pptdev", "pptAUTO");
	dev->found = mem_copy("3/0/1");
	need(dev, "3/0/1", "lookup");
	says(dev, "pptdev", NULL);
	says(dev, "bus", "3");
	says(dev, "slot", "0");
	says(dev, "func", "1");
	device_free(dev);
}

static void test_given(void **state)
{
	struct device *dev = device_of("{'device':'passthru','src':'3:0:1','rom':'r'}");
	struct needs needs = { 0 };

	(void)state;
	assert_true(dev->kind->wired && dev->kind->amd64_only);
	assert_null(dev->kind->placeholder(dev));
	need(dev, "3/0/1", "src");
	dev->kind->needs(dev, &needs);
	assert_int_equal(needs.count, 2);
	assert_int_equal(needs.item[1].kind, NEED_FILE);
	assert_string_equal(needs.item[1].what, "/specs/r");
	needs_clear(&needs);
	says(dev, "rom", "/specs/r");
	device_free(dev);
	dev = device_of("{'device':'passthru','src':'ppt3'}");
	need(dev, "ppt3", "src");
	says(dev, "pptdev", "ppt3");
	says(dev, "bus", NULL);
	device_free(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_boot_index),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
