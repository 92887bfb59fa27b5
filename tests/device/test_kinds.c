/* Every kind of device, and every key of it. */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void test_list(void **state)
{
	(void)state;
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		const struct device_kind *kind = device_kinds[i];

		assert_ptr_equal(device_kind_find(kind->name), kind);
		assert_non_null(kind->help);
		assert_true(kind->size > 0 && kind->size <= ROWS_SIZE);
		assert_non_null(kind->fields);
		assert_true((kind->bhyve != NULL) != (kind->verbatim != NULL));
		assert_true((kind->form != NULL) == (kind->bhyve != NULL));
		assert_non_null(kind->qemu);
	}
	assert_null(device_kind_find("virtio"));
	assert_null(device_kind_find(""));
}

static void test_rows(void **state)
{
	struct where list = { NULL, "emulations", 0 }, at = { &list, NULL, 3 };

	(void)state;
	for (size_t i = 0; device_kinds[i] != NULL; i++)
		rows_check(device_kinds[i]->fields, &at);
}

/* No kind has a row for a key that all devices have. */
static void test_common_keys(void **state)
{
	(void)state;
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		for (const struct field *f = device_kinds[i]->fields; f->key != NULL; f++) {
			assert_string_not_equal(f->key, "device");
			assert_string_not_equal(f->key, "id");
			assert_string_not_equal(f->key, "slot");
		}
	}
}

/* An entry that has only its kind lacks exactly the required keys. */
static void test_required(void **state)
{
	(void)state;
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		MEM_AUTO char *text = mem_format("{'device':'%s'}", device_kinds[i]->name);

		for (const struct field *f = device_kinds[i]->fields; f->key != NULL; f++) {
			MEM_AUTO char *line =
			    mem_format("emulations[0]: \"%s\" is missing: %s", f->key, f->help);

			if (f->required)
				device_refused(text, line);
		}
	}
}

static void test_entry(void **state)
{
	(void)state;
	device_refused("{}", "emulations[0]: \"device\" is missing");
	device_refused("[]", "emulations[0]: expected an object: { \"device\": ... }, got a list");
	device_refused("'virtio-blk'", "emulations[0]: expected an object");
	device_refused("{'device':1}", "emulations[0].device: expected a string, got an integer");
	device_refused("{'device':''}", "emulations[0].device: must not be empty");
	device_refused("{'device':'virtio-blck'}",
	    "emulations[0].device: unknown device \"virtio-blck\", did you mean \"virtio-blk\"?");
	device_refused("{'device':'x','path':1}", "emulations[0].device: unknown device \"x\"\n");
}

#define RAW "{'device':'raw','value':'x'"

static void test_common_values(void **state)
{
	(void)state;
	device_shows(RAW ",'id':'a'}", "'id':'a'");
	device_shows(RAW ",'slot':'3'}", "'slot':'0:3:0'");
	device_shows(RAW ",'slot':null}", "{'device':'raw','id':'x','value':'x'}");
	device_refused(RAW ",'id':1}", "emulations[0].id: expected a string, got an integer");
	device_refused(RAW ",'id':''}", "emulations[0].id: must not be empty");
	device_refused(RAW ",'slot':true}", "emulations[0].slot: expected a slot");
	device_refused(RAW ",'slott':1}",
	    "emulations[0].slott: unknown key \"slott\", did you mean \"slot\"?");
	device_refused(RAW ",'valeu':1}",
	    "emulations[0].valeu: unknown key \"valeu\", did you mean \"value\"?");
	device_refused(
	    RAW ",'Slot':'3'}", "emulations[0].Slot: unknown key \"Slot\", did you mean \"slot\"?");
}

static void test_label(void **state)
{
	struct device *dev = device_of(RAW ",'id':'a','slot':4}");
	MEM_AUTO char *label = device_label(dev);

	(void)state;
	assert_string_equal(label, "raw \"a\"");
	assert_true(dev->pinned);
	device_free(dev);
	device_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_common_keys),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_common_values),
		cmocka_unit_test(test_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
