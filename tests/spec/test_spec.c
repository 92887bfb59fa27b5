/* A whole spec: ids, rules across keys, defaults, and printing. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"

#define RAW "{'device':'raw','value':'x'}"
#define RAW_ID(id) "{'device':'raw','value':'x','id':'" id "'}"
#define DISK "{'device':'virtio-blk','path':'a'}"
#define LIST(devices) "'emulations':[" devices "]"

static void ids_are(const char *keys, const char *wanted)
{
	struct spec *spec = spec_of(keys);
	struct str s = { 0 };

	for (size_t i = 0; i < spec->device_count; i++)
		str_addf(&s, "<%s>", spec->devices[i]->id);
	assert_string_equal(s.text, wanted);
	str_free(&s);
	spec_free(spec);
}

static void test_ids(void **state)
{
	(void)state;
	ids_are(LIST(RAW "," DISK "," RAW "," DISK), "<raw-0><virtio-blk-0><raw-1><virtio-blk-1>");
	ids_are(LIST(RAW_ID("a") "," RAW "," RAW_ID("B.-_9")), "<a><raw-1><B.-_9>");
	spec_refused(LIST(RAW_ID("a") "," DISK "," RAW_ID("a")),
	    "emulations[2].id: two devices have the id \"a\": a raw and this raw\n");
	spec_refused(LIST(RAW_ID("raw-1") "," RAW), "emulations[1].id: two devices have the id");
	spec_refused(LIST(DISK "," RAW_ID("virtio-blk-0")),
	    "emulations[1].id: two devices have the id \"virtio-blk-0\": a virtio-blk and this "
	    "raw");
}

static void test_bad_ids(void **state)
{
	static const char *const ids[] = { "1a", "-a", "_a", ".a", "a b", "a,b", "a/b",
		"\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		MEM_AUTO char *keys =
		    mem_format(LIST("{'device':'raw','value':'x','id':'%s'}"), ids[i]);
		MEM_AUTO char *line = mem_format("emulations[0].id: invalid id \"%s\"", ids[i]);

		spec_refused(keys, line);
	}
}

/* Invalid devices do not change the positions of the others. */
static void test_emulations(void **state)
{
	(void)state;
	spec_refused("'emulations':{}", "emulations: expected a list of devices, got an object");
	spec_refused("'emulations':'x'", "emulations: expected a list of devices, got a string");
	spec_refused(LIST("1," RAW_ID("1")), "emulations[0]: expected an object");
	spec_refused(LIST("1," RAW_ID("1")), "emulations[1].id: invalid id \"1\"");
	spec_refused(LIST("{'device':'raw','value':'x','slot':32}"),
	    "emulations[0].slot: slot 32 is out of range");
	spec_shows("'emulations':[]", "'emulations': []");
	spec_shows("'targets':{'a':1}", "'emulations': []");
}

static void test_stdio(void **state)
{
	(void)state;
	spec_shows("'com3':'stdio','com1':'/dev/nmdm0A'", "'com1': '/dev/nmdm0A','com3': 'stdio'");
	spec_refused("'com1':'stdio','com2':'stdio'",
	    "com2: \"stdio\" is taken by com1 already: only one port can have it\n");
	spec_refused("'com2':'stdio','com4':'stdio'",
	    "com4: \"stdio\" is taken by com2 already: only one port can have it\n");
}

/* All problems are reported together. */
static void test_all_problems(void **state)
{
	struct report report = { 0 };
	struct spec *spec = spec_from(
	    doc_with("'cpu':0,'mem':'x','nmae':1,'com1':'y'," LIST("{'device':'virtio-blk'},1")),
	    &report);

	(void)state;
	spec_free(spec);
	assert_int_equal(report.count, 6);
	assert_int_equal(report.status, STATUS_SPEC);
	report_free(&report);
}

static void uuid_is(const char *keys, const char *wanted)
{
	struct spec *spec = spec_of(keys);

	spec_complete(spec);
	assert_string_equal(spec->uuid, wanted);
	spec_free(spec);
}

/* The UUID is that of Python's uuid.uuid5(uuid.NAMESPACE_DNS, name). */
static void test_uuid(void **state)
{
	(void)state;
	uuid_is("'name':'freebsd-test'", "84224d6c-0262-58a3-afe1-9c71b4cd9a98");
	uuid_is("'cpu':4,'mem':'1G'", "e5e61fb5-d685-5b50-9ba7-acb6e6962ef3");
	uuid_is("'uuid':false", UUID_NONE);
	uuid_is("'uuid':'01234567-89ab-cdef-0123-456789abcdef'",
	    "01234567-89ab-cdef-0123-456789abcdef");
}

static void test_complete(void **state)
{
	struct spec *spec = spec_of(LIST("{'device':'e1000','name':'tap0','slot':5}"));

	(void)state;
	spec_complete(spec);
	MEM_AUTO char *line = spec_line(spec);

	assert_non_null(strstr(line, "'slot': '0:5:0'"));
	assert_non_null(strstr(line, "'mac': '58:9c:fc:"));
	spec_free(spec);
	spec_free(NULL);
}

/* Returns the spec with slots and names, as --print spec shows it. */
static char *resolve(struct node *doc)
{
	struct report report = { 0 };
	struct pin_map pins = { 0 };
	struct spec *spec = spec_from(doc, &report);
	char *json;

	slots_collect(&pins, spec);
	slots_assign(spec, NULL, &pins, &report);
	no_problems(&report, "resolve");
	spec_complete(spec);
	json = spec_print(spec);
	spec_free(spec);
	return json;
}

/* Checks that the printed spec is a spec with the same meaning. */
static void round_trip(const char *keys)
{
	MEM_AUTO char *first = resolve(doc_with(keys));
	struct node *again = json_node(first);

	if (again == NULL)
		fail_msg("not JSON: %s", first);
	MEM_AUTO char *second = resolve(again);

	assert_string_equal(first, second);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip("");
	round_trip(LIST(RAW "," DISK));
	round_trip("'cpu':{'threads':2,'cores':2,'sockets':1},'hostbridge':false,'lpc_slot':'30',"
		   "'bootrom':'rom','varfile':'/v','varfile_template':'t','uuid':"
		   "'01234567-89ab-cdef-0123-456789abcdef','utc_clock':false,'x2apic':true,"
		   "'extra_options':'a \\\"b c\\\"','com1':'stdio','com2':'tcp=1.2.3.4:5',"
		   "'next_target':'x','reboot_on':[0,'halt'],'hook_timeout':1.001,"
		   "'hook_memory':'16M','hooks':['a.lua',{'use':'b.lua','x':[0.1,null,{},[]]}],"
		   "'stop':[{'do':'kill','wait':1}],'bhyve':{'release':13,'arch':'amd64','args':"
		   "['x']},'qemu':{'accel':'tcg','machine':'m','bootrom':'r','args':'y'}");
	round_trip(
	    LIST("{'device':'virtio-net','name':'slirp','hostfwd':['tcp::1-:2'],'open':true,"
		 "'mtu':1500},{'device':'virtio-console','ports':{'b':'/b','a':'a'}},"
		 "{'device':'ahci-hd','path':'p','logical_sector_size':512,"
		 "'physical_sector_size':4096,'ser':'s','bootindex':1,'nmrr':1,'rev':'r',"
		 "'model':'m','ro':true,'slot':'3:0'},{'device':'raw','value':'v','slot':'3:1'}"));
	round_trip("'reboot_on':[]");
	round_trip("'uuid':false,'lpc_slot':false,'loader':'bhyveload',"
		   "'emulations':[{'device':'e1000','name':'tap0','mac':false},"
		   "{'device':'xhci','devices':[]}]");
}

/* Printing keeps texts with any quotes, braces, backslashes and line ends. */
static void test_round_trip_of_texts(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		struct node *doc = doc_with(""), *devices = node_new(NODE_LIST);
		struct node *raw = node_new(NODE_OBJECT);
		struct str text = { 0 };
		struct dice d;

		dice_start(&d, seed);
		for (unsigned n = 1 + dice_roll(&d, 12); n > 0; n--)
			str_add_n(&text, &"\\\"{}[],: \na\x7f"[dice_roll(&d, 12)], 1);
		node_put(raw, "device", node_string("raw"));
		MEM_AUTO char *value = str_take(&text);

		node_put(raw, "value", node_string(value));
		node_append(devices, raw);
		node_put(doc, "emulations", devices);
		MEM_AUTO char *json = resolve(doc);
		struct node *again = json_node(json);

		dice_check(&d, again != NULL, json);
		raw = node_get(again, "emulations")->first;
		dice_check(&d, strcmp(node_get_text(raw, "value"), value) == 0, json);
		node_free(again);
	}
}

static void test_layout(void **state)
{
	struct spec *spec = spec_of("'extra_options':['\\\\\\\"{','a:b']," LIST(RAW "," RAW));
	MEM_AUTO char *json = spec_print(spec);

	(void)state;
	spec_free(spec);
	assert_ptr_equal(
	    strstr(json, "{\n  \"name\": \"vm\",\n  \"cpu\": {\n    \"threads\": 1,\n"), json);
	assert_non_null(
	    strstr(json, "  \"extra_options\": [\n    \"\\\\\\\"{\",\n    \"a:b\"\n  ],\n"));
	assert_non_null(strstr(json, "  \"emulations\": [\n    {\n      \"device\": \"raw\",\n"));
	assert_string_equal(strrchr(json, ']') - 3, "\n  ]\n}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_bad_ids),
		cmocka_unit_test(test_emulations),
		cmocka_unit_test(test_stdio),
		cmocka_unit_test(test_all_problems),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_texts),
		cmocka_unit_test(test_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
