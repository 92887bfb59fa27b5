/* Rules between keys, and the devices of the key graphic. */
#include "support.h"

#include <string.h>

#include "base/mem.h"

static void test_serial_ports(void **state)
{
	(void)state;
	spec_shows("'com1':'nmdm','com2':'nmdm'", "'com2': 'nmdm'");
	spec_refused("'com1':'stdio','com3':'stdio'",
	    "com3: \"stdio\" is taken by com1 already: only one port can have it");
	spec_refused(
	    "'com1':'/dev/nmdm0A','com2':'/dev/nmdm0A'", "com2: com1 has \"/dev/nmdm0A\" already");
	spec_refused("'com2':'tcp=127.0.0.1:5','com4':'tcp=127.0.0.1:5'",
	    "com4: com2 has \"tcp=127.0.0.1:5\" already");
}

static void test_loader_and_firmware(void **state)
{
	(void)state;
	spec_shows("'loader':'grub'", "'loader'");
	spec_refused("'loader':'grub','bootrom':'r'",
	    "loader: this key and \"bootrom\" exclude each other: firmware or a loader starts the "
	    "guest");
	spec_refused("'loader':'grub','varfile':'v'",
	    "loader: \"varfile\" and its template are for firmware, which a loader replaces");
	spec_refused("'loader':'grub','varfile_template':'v'", "loader: \"varfile\" and its");
	spec_refused("'loader':'grub','numa':[{'id':0,'cpus':'0'}]",
	    "loader: guests with \"numa\" domains need firmware");
}

static void test_variables(void **state)
{
	static const char *const bad[] = { "", ".a", "a.", "a..b", "a=b", "a b", "a\\tb", "a\\nb",
		"#a", "." };

	(void)state;
	spec_shows("'config':{'b.c':'2','a':'x, y=z%'}", "'config': {'a': 'x, y=z%','b.c': '2'}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		MEM_AUTO char *spec = mem_format("'config':{'%s':'x'}", bad[i]);
		struct report report = { 0 };

		spec_free(spec_from(doc_with(spec), &report));
		assert_int_equal(report.count, 1);
		assert_non_null(strstr(report.item[0].text, "invalid variable: expected names"));
		report_free(&report);
	}
	spec_refused("'config':{'name':'x'}", "config.name: bhyve takes the name from the end");
	spec_refused("'config':{'config.dump':'1'}", "config.config.dump: bhyve would print its");
	spec_refused("'config':{'monitor':'true'}", "config.monitor: bhyve would boot again");
	spec_refused("'config':{'a':''}", "config.a: must not be empty");
	spec_refused("'config':{'a':1}", "config.a: expected a string");
	spec_refused("'config':[]", "config: expected an object of strings, got");
}

/* Its devices follow the others, and are not printed as emulations. */
static void test_graphic(void **state)
{
	struct spec *spec = spec_of(
	    "'graphic':{'port':5901,'width':800},'emulations':[{'device':'raw','value':'x'}]");
	MEM_AUTO char *line = spec_line(spec);

	(void)state;
	assert_int_equal(spec->device_count, 3);
	assert_ptr_equal(spec->devices[1]->kind, &device_fbuf);
	assert_ptr_equal(spec->devices[2]->kind, &device_xhci);
	assert_string_equal(spec->devices[1]->origin, "graphic");
	assert_null(strstr(line, "'graphic'"));
	assert_non_null(strstr(line, "'port': 5901,'wait': false,'width': 800}"));
	spec_free(spec);
	spec = spec_of("'graphic':{'xhci_table':false}");
	assert_int_equal(spec->device_count, 1);
	spec_free(spec);
	spec = spec_of("'graphic':null");
	assert_int_equal(spec->device_count, 0);
	spec_free(spec);
}

/* bhyve exits at any other value when it reads the variable. */
static void test_boolean_variables(void **state)
{
	(void)state;
	spec_shows("'config':{'destroy_on_poweroff':'OFF','x86.strictio':'1','some.thing':'maybe'}",
	    "'destroy_on_poweroff': 'OFF'");
	spec_refused("'config':{'destroy_on_poweroff':'maybe'}",
	    "config.destroy_on_poweroff: invalid boolean \"maybe\": expected true, on, yes, 1, "
	    "false, off, no or 0");
	spec_refused(
	    "'config':{'x86.strictmsr':'2'}", "config.x86.strictmsr: invalid boolean \"2\"");
}

static void test_no_lpc(void **state)
{
	static const char why[] =
	    ": \"lpc_slot\" is false, and this needs the lpc: remove one of the two keys";
	static const char *const keys[][2] = { { "com1", "'stdio'" }, { "com4", "'/dev/nmdm0A'" },
		{ "bootrom", "'/fw'" }, { "pc_testdev", "true" } };

	(void)state;
	spec_shows("'lpc_slot':false", "'lpc_slot': false");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		MEM_AUTO char *spec =
		    mem_format("'lpc_slot':false,'%s':%s", keys[i][0], keys[i][1]);
		MEM_AUTO char *wanted = mem_format("%s%s", keys[i][0], why);

		spec_refused(spec, wanted);
	}
	spec_refused("'lpc_slot':true", "lpc_slot: expected a slot such as");
	spec_refused("'lpc_slot':false,'config':{'bootrom':'/fw'},'varfile':'/v'",
	    "varfile: \"config\" names the firmware, and this belongs to \"bootrom\": name the "
	    "file in \"config\", as \"bootvars\"");
	spec_refused("'lpc_slot':false,'config':{'bootrom':'/fw'},'varfile_template':'/v'",
	    "varfile_template: \"config\" names the firmware");
}

static void test_graphic_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "'graphic':true", "graphic: expected an object, got a boolean" },
		{ "'graphic':{'port':'5900'}",
		    "graphic.port: invalid port \"5900\": expected 1 to "
		    "65535 or \"auto\"" },
		{ "'graphic':{'port':0}", "graphic.port: 0 is out of range" },
		{ "'graphic':{'password':'123456789'}",
		    "graphic.password: the value has 9 bytes, at most 8 are allowed" },
		{ "'graphic':{'password':'a\\nb'}", "graphic.password: contains a line break" },
		{ "'graphic':{'password':'a','password_file':'b'}",
		    "graphic: \"password\" and \"password_file\" exclude each other: remove one" },
		{ "'graphic':{'host':'a,b'}", "graphic.host: invalid address \"a,b\"" },
		{ "'graphic':{'host':'localhost'}",
		    "graphic.host: invalid address \"localhost\": bhyve looks up no names, write "
		    "\"127.0.0.1\"" },
		{ "'graphic':{'width':100}", "graphic.width: 100 is out of range: expected 640" },
		{ "'graphic':{'xhci_table':true,'xhci_tablet':true}",
		    "graphic.xhci_table: duplicate of \"xhci_tablet\" (this key is an alias)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		spec_refused(wrong[i][0], wrong[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serial_ports),
		cmocka_unit_test(test_boolean_variables),
		cmocka_unit_test(test_no_lpc),
		cmocka_unit_test(test_loader_and_firmware),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_graphic),
		cmocka_unit_test(test_graphic_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
