/* The document of one boot: target over base, settings over both, and the lines of its values. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char text[] =
    "{ \"name\": \"vm\", \"cpu\": {\"threads\": 2, \"cores\": 1},\n"
    "  \"mem\": 9007199254740993, \"com1\": \"stdio\",\n"
    "  \"bhyve\": {\"release\": 14, \"args\": [\"a\", \"b\"]},\n"
    "  \"reboot_on\": [\"reboot\"], \"stop\": [],\n"
    "  \"emulations\": [\n"
    "    {\"device\": \"raw\", \"value\": \"x\"},\n"
    "    {\"device\": \"raw\", \"value\": \"y\", \"id\": \"b\"}],\n"
    "  \"targets\": {\n"
    "    \"one\": {\"com1\": null, \"cpu\": {\"cores\": 4}, \"reboot_on\": [],\n"
    "      \"bhyve\": {\"args\": [\"c\"]},\n"
    "      \"emulations\": [\n"
    "        {\"id\": \"b\", \"value\": \"z\"},\n"
    "        {\"device\": \"raw\", \"value\": \"new\"}]},\n"
    "    \"two\": {\"extends\": \"one\", \"cpu\": 8,\n"
    "      \"emulations\": [{\"id\": \"raw-0\", \"remove\": true}]}}}\n";

/* Returns the value at a path such as a.b or emulations.2.value in a merged spec. */
static const struct node *find(const struct node *n, const char *path)
{
	MEM_AUTO char *copy = mem_copy(path);

	for (char *key = copy, *rest; n != NULL && key != NULL; key = rest) {
		rest = strchr(key, '.');
		if (rest != NULL)
			*rest++ = '\0';
		if (n->kind == NODE_LIST) {
			long place = strtol(key, NULL, 10);

			for (n = n->first; n != NULL && place > 0; place--)
				n = n->next;
		} else {
			n = node_get(n, key);
		}
	}
	return n;
}

struct wish {
	const char *path, *wanted; /* text or digits; NULL: missing */
};

static void merge_is(const char *target, const struct words *settings, size_t base_devices,
    size_t removed, const struct wish *wishes)
{
	struct document *doc = load_text(text);
	struct report report = { 0 };
	struct merged merged;

	if (document_merge(doc, target, settings, &merged, &report) != 0)
		fail_msg("%s", placed_problems(&report));
	assert_int_equal(merged.base_devices, base_devices);
	assert_int_equal(merged.removed == NULL ? 0 : merged.removed->count, removed);
	for (const struct wish *w = wishes; w->path != NULL; w++) {
		const struct node *n = find(merged.spec, w->path);
		MEM_AUTO char *got = n == NULL ? mem_copy("none")
		    : n->kind == NODE_INT      ? mem_format("%lld", (long long)n->integer)
		    : n->kind == NODE_STRING   ? mem_copy(n->text)
					       : mem_format("%zu entries", n->count);

		if (strcmp(got, w->wanted) != 0)
			fail_msg("%s: got %s, wanted %s", w->path, got, w->wanted);
	}
	merged_clear(&merged);
	document_free(doc);
}

static void test_base(void **state)
{
	static const struct wish wishes[] = {
		{ "name", "vm" },
		{ "mem", "9007199254740993" }, /* with all digits */
		{ "cpu.threads", "2" },
		{ "com1", "stdio" },
		{ "emulations", "2 entries" },
		{ "targets", "none" },
		{ NULL, NULL },
	};

	(void)state;
	merge_is(NULL, NULL, 2, 0, wishes);
	merge_is("default", NULL, 2, 0, wishes);
}

static void test_target(void **state)
{
	static const struct wish one[] = {
		{ "com1", "none" },
		{ "cpu.threads", "2" },
		{ "cpu.cores", "4" },
		{ "reboot_on", "0 entries" },
		{ "bhyve.release", "14" },
		{ "bhyve.args", "1 entries" },
		{ "emulations", "3 entries" },
		{ "emulations.1.device", "raw" },
		{ "emulations.1.value", "z" },
		{ "emulations.2.value", "new" },
		{ NULL, NULL },
	};
	static const struct wish two[] = {
		{ "com1", "none" },
		{ "cpu", "8" },
		{ "extends", "none" },
		{ "emulations", "3 entries" },
		{ "emulations.1.value", "z" },
		{ NULL, NULL },
	};

	(void)state;
	merge_is("one", NULL, 2, 0, one);
	merge_is("two", NULL, 2, 1, two);
}

static void test_settings(void **state)
{
	static const struct wish wishes[] = {
		{ "mem", "2G" },
		{ "cpu.cores", "9" },
		{ "name", "a=b" },
		{ "emulations.0.value", "w" },
		{ "bhyve.arch", "arm64" },
		{ "com1", "none" },
		{ NULL, NULL },
	};
	struct words settings = { 0 };

	(void)state;
	words_add(&settings, "mem=2G");
	words_add(&settings, "cpu.cores=9");
	words_add(&settings, "name=a=b");
	words_add(&settings, "emulations[0].value=\"w\"");
	words_add(&settings, "bhyve.arch=arm64");
	words_add(&settings, "com1=null");
	merge_is("one", &settings, 2, 0, wishes);
	words_free(&settings);
}

/* Merges, reports a problem at the path, and compares its place from document_place(). */
static void placed(
    const char *target, const struct words *settings, const struct where *at, const char *wanted)
{
	struct document *doc = load_text(text);
	struct report report = { 0 };
	struct merged merged;

	if (document_merge(doc, target, settings, &merged, &report) != 0)
		fail_msg("%s", placed_problems(&report));
	report_add(&report, STATUS_SPEC, at, "!");
	document_place(doc, &report, 0);
	MEM_AUTO char *got = placed_problems(&report);

	assert_string_equal(got, wanted);
	merged_clear(&merged);
	document_free(doc);
}

static void test_place_in_base_and_target(void **state)
{
	struct where mem = { NULL, "mem", 0 }, cpu = { NULL, "cpu", 0 };
	struct where threads = { &cpu, "threads", 0 }, cores = { &cpu, "cores", 0 };
	struct where bhyve = { NULL, "bhyve", 0 }, args = { &bhyve, "args", 0 };
	struct where second = { &args, NULL, 1 }, first = { &args, NULL, 0 };

	(void)state;
	placed(NULL, NULL, &mem, "vm.json:2:3: mem: !\n");
	placed("one", NULL, &mem, "vm.json:2:3: mem: !\n");
	placed("one", NULL, &threads, "vm.json:1:25: cpu.threads: !\n");
	placed(NULL, NULL, &cores, "vm.json:1:39: cpu.cores: !\n");
	placed("one", NULL, &cores, "vm.json:9:35: targets.one.cpu.cores: !\n");
	placed("two", NULL, &cpu, "vm.json:14:31: targets.two.cpu: !\n");
	placed(NULL, NULL, &second, "vm.json:3:42: bhyve.args[1]: !\n");
	placed("one", NULL, &first, "vm.json:10:26: targets.one.bhyve.args[0]: !\n");
}

static void test_place_of_devices(void **state)
{
	struct where list = { NULL, "emulations", 0 }, zero = { &list, NULL, 0 };
	struct where one = { &list, NULL, 1 }, two = { &list, NULL, 2 };
	struct where value = { &one, "value", 0 }, device = { &one, "device", 0 };
	struct where slot = { &two, "slot", 0 };

	(void)state;
	placed("one", NULL, &zero, "vm.json:6:5: emulations[0]: !\n");
	placed(NULL, NULL, &value, "vm.json:7:23: emulations[1].value: !\n");
	placed("one", NULL, &value, "vm.json:12:21: targets.one.emulations[0].value: !\n");
	placed("one", NULL, &device, "vm.json:7:6: emulations[1].device: !\n");
	/* The place of a missing key is that of its device. */
	placed("one", NULL, &slot, "vm.json:13:9: targets.one.emulations[1]: !\n");
}

static void test_place_of_what_is_missing(void **state)
{
	struct where uuid = { NULL, "uuid", 0 }, cpu = { NULL, "cpu", 0 };
	struct where sockets = { &cpu, "sockets", 0 };

	(void)state;
	placed(NULL, NULL, NULL, "vm.json: : !\n");
	placed(NULL, NULL, &uuid, "vm.json: uuid: !\n");
	placed(NULL, NULL, &sockets, "vm.json:1:17: cpu: !\n");
}

static void test_place_of_settings(void **state)
{
	struct where mem = { NULL, "mem", 0 }, cpu = { NULL, "cpu", 0 };
	struct where cores = { &cpu, "cores", 0 }, threads = { &cpu, "threads", 0 };
	struct words settings = { 0 };

	(void)state;
	words_add(&settings, "mem=x");
	words_add(&settings, "cpu.cores=0");
	placed("one", &settings, &mem, "--set: mem: !\n");
	placed("one", &settings, &cores, "--set: cpu.cores: !\n");
	placed("one", &settings, &threads, "vm.json:1:25: cpu.threads: !\n");
	words_free(&settings);
}

static void test_bad_settings(void **state)
{
	struct document *doc = load_text(text);
	struct words settings = { 0 };
	struct report report = { 0 };
	struct merged merged;

	(void)state;
	words_add(&settings, "emulations[7].value=x");
	words_add(&settings, "targets.one.mem=1");
	assert_int_equal(document_merge(doc, NULL, &settings, &merged, &report), -1);
	assert_null(merged.spec);
	assert_int_equal(report.count, 2);
	assert_string_equal(report.item[0].place, "--set");
	report_free(&report);
	/* The document can still be merged. */
	assert_int_equal(document_merge(doc, "one", NULL, &merged, &report), 0);
	merged_clear(&merged);
	assert_int_equal(document_merge(doc, "none", NULL, &merged, &report), -1);
	report_free(&report);
	words_free(&settings);
	document_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_place_in_base_and_target),
		cmocka_unit_test(test_place_of_devices),
		cmocka_unit_test(test_place_of_what_is_missing),
		cmocka_unit_test(test_place_of_settings),
		cmocka_unit_test(test_bad_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
