/* The keys of the guest: gdb, keyboard_layout, pin, numa, fwcfg, smbios, tpm. */
#include "support.h"

#include <string.h>

#include "base/mem.h"
#include "platform/socket.h"

/* Checks that each value of the key is refused with these words. */
static void refused_each(const char *key, const char *const *values, const char *wanted)
{
	for (; *values != NULL; values++) {
		MEM_AUTO char *spec = mem_format("'%s':%s", key, *values);

		spec_refused(spec, wanted);
	}
}

static void test_gdb(void **state)
{
	static const char *const good[][2] = {
		{ "1234", "1234" },
		{ "w1234", "w1234" },
		{ "00443", "443" },
		{ "127.0.0.1:1", "127.0.0.1:1" },
		{ "w0.0.0.0:65535", "w0.0.0.0:65535" },
		{ "localhost:1234", "localhost:1234" },
		{ "wlocalhost:1234", "wlocalhost:1234" },
		{ "my-host.example:1234", "my-host.example:1234" },
		{ "[::1]:1234", "::1:1234" },
		{ "w[fe80::1]:1234", "wfe80::1:1234" },
		{ "::1:1234", "::1:1234" },
		{ "[fe80::1%em0]:1234", "fe80::1%em0:1234" },
		{ "wfe80::1%em0:1234", "wfe80::1%em0:1234" },
	};
	static const char *const bad[] = { "'0'", "'65536'", "'w'", "'x'", "'1234x'", "':1234'",
		"'w:1234'", "'a:'", "'[]:1'", "'[1.2.3.4]:1'", "'[::1:1'", "'a b:1'", "'a,b:1'",
		"'1%2:1'", "'256.1.1.1:1'", "'1.2.3:1'", "'fe80::1%:1'", "'host%em0:1'", "'-1'",
		"'+1'", "'99999999999999999999'", "'a:b:1'", NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		MEM_AUTO char *spec = mem_format("'gdb':'%s'", good[i][0]);
		MEM_AUTO char *shown = mem_format("'gdb': '%s'", good[i][1]);

		spec_shows(spec, shown);
	}
	refused_each("gdb", bad, "gdb: invalid debugger address \"");
	spec_refused("'gdb':'w-'",
	    "gdb: invalid debugger address \"w-\": expected "
	    "\"[w][ADDR:]PORT\" such as \"1234\" or \"w127.0.0.1:1234\"");
	spec_refused("'gdb':'workshop:1234'",
	    "gdb: \"workshop:1234\": bhyve takes the first w for \"wait\" and the host for "
	    "\"orkshop\": give its numeric address");
	spec_refused("'gdb':1234", "gdb: expected a string, got a");
}

static void test_layout(void **state)
{
	static const char *const bad[] = { "'../x'", "'/usr/x'", "'.'", "'a b'", "'a%b'", "'a\\nb'",
		NULL };

	(void)state;
	spec_shows("'keyboard_layout':'de_noacc'", "'keyboard_layout': 'de_noacc'");
	spec_shows("'keyboard_layout':'be.acc-1'", "'keyboard_layout': 'be.acc-1'");
	refused_each("keyboard_layout", bad, "keyboard_layout: unknown keyboard layout \"");
	spec_refused("'keyboard_layout':''", "keyboard_layout: must not be empty");
}

static void test_pin(void **state)
{
	static const char *const bad[] = { "['0']", "['0:']", "[':0']", "['a:1']", "['0:1024']",
		"['0:1:2']", "['-1:0']", "['0:-1']", "['0: 1']", "['0:1x']",
		"['0:99999999999999999999']", NULL };

	(void)state;
	spec_shows("'cpu':2,'pin':['0:12','1:0013']", "'pin': ['0:12','1:13']");
	spec_shows("'pin':['0:1023']", "'pin': ['0:1023']");
	spec_shows("'cpu':65535,'pin':['65534:0']", "'pin': ['65534:0']");
	spec_refused("'cpu':65535,'pin':['65535:0']", "pin[0]: invalid pin \"65535:0\"");
	refused_each("pin", bad, "pin[0]: invalid pin \"");
	spec_refused("'pin':'0:1'", "pin: expected a list of \"VCPU:CPU\", got a string");
	spec_refused("'pin':[1]", "pin[0]: expected a string");
	spec_refused("'cpu':2,'pin':['0:1','2:1']",
	    "pin[1]: \"2:1\": the guest has 2 processors, counted from 0");
}

#define TWO(a, b) "'cpu':4,'numa':[{'id':0," a "},{'id':1," b "}]"

static void test_numa(void **state)
{
	(void)state;
	spec_shows(TWO("'cpus':'0-1'", "'cpus':'2,3','domain_policy':'interleave:0,1'"),
	    "'numa': [{'id': 0,'cpus': '0-1'},{'id': 1,'cpus': '2,3','domain_policy': "
	    "'interleave:0,1'}]");
	spec_shows(TWO("'size':'500M','cpus':'0'", "'size':12582912,'cpus':'1-3'"),
	    "'numa': [{'id': 0,'size': 524288000,'cpus': '0'},{'id': 1,'size': 12582912,");
	spec_refused(TWO("'cpus':'0-1'", "'cpus':'2'"),
	    "numa: processor 3 is in no domain: each must be in one");
	spec_refused(TWO("'cpus':'0-1'", "'cpus':'1-3'"),
	    "numa[1].cpus: processor 1 is in domain 0 already");
	spec_refused(TWO("'cpus':'0-1'", "'cpus':'2-4'"),
	    "numa[1].cpus: \"2-4\": the guest has 4 processors, counted from 0");
	spec_refused("'cpu':2,'numa':[{'id':0,'cpus':'0'},{'id':0,'cpus':'1'}]",
	    "numa[1].id: two domains have the id 0");
	spec_refused("'cpu':2,'numa':[{'id':0,'cpus':'0'},{'id':2,'cpus':'1'}]",
	    "numa[1].id: 2 domains have the ids 0 to 1: 2 would be ignored");
	spec_shows("'cpu':65535,'mem':'8G','numa':[{'id':0,'cpus':'0-65534'}]",
	    "'numa': [{'id': 0,'cpus': '0-65534'}]");
	spec_refused(
	    "'numa':[{'id':7,'cpus':'0'}]", "numa[0].id: 1 domains have the ids 0 to 0: 7 would");
	spec_refused("'numa':[{'id':8,'cpus':'0'}]", "numa[0].id: 8 is out of range");
	spec_refused("'numa':[]", "numa: 0 entries: expected 1 to 8");
	spec_refused("'numa':[{'id':0}]", "numa[0]: \"cpus\" is missing");
	spec_refused("'generate_acpi':false,'numa':[{'id':0,'cpus':'0'}]",
	    "numa: guests learn of domains from ACPI tables, and generate_acpi is off");
}

static void test_numa_sizes(void **state)
{
	(void)state;
	spec_refused(TWO("'size':'256M','cpus':'0'", "'cpus':'1-3'"),
	    "numa: 1 of 2 domains have a size: give it to all, or to none for equal shares");
	spec_refused(TWO("'size':'256M','cpus':'0'", "'size':'255M','cpus':'1-3'"),
	    "numa: the sizes of the domains are 535822336 bytes together, but \"mem\" is "
	    "536870912");
	spec_refused("'cpu':3,'numa':[{'id':0,'cpus':'0'},{'id':1,'cpus':'1'},{'id':2,'cpus':'2'}]",
	    "numa: 536870912 bytes of memory give no equal shares of whole pages for 3 domains");
	spec_refused(
	    TWO("'size':'1','cpus':'0'", "'cpus':'1-3'"), "numa[0].size: \"1\" has no unit");
}

static void test_numa_words(void **state)
{
	static const char *const lists[] = { "", "-", "0-", "0,", ",0", "a", "0-1-2", "3-1", "01",
		"0x1", "0, 1", "100000" };
	static const char *const policies[] = { "prefer", "prefer:", "prefer:a", "nearest",
		"interleave:0,", "first-touch:0", "prefer:0\\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		MEM_AUTO char *spec = mem_format("'numa':[{'id':0,'cpus':'%s'}]", lists[i]);

		spec_refused(spec,
		    *lists[i] == '\0' ? "numa[0].cpus: must not be empty"
				      : "numa[0].cpus: invalid processor list \"");
	}
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		MEM_AUTO char *spec =
		    mem_format("'numa':[{'id':0,'cpus':'0','domain_policy':'%s'}]", policies[i]);

		spec_refused(spec, "numa[0].domain_policy: invalid policy \"");
	}
}

static void test_fwcfg(void **state)
{
	(void)state;
	spec_shows("'fwcfg':[{'name':'opt/a','string':'x,y\\nz'},{'name':'b','file':'f'}]",
	    "'fwcfg': [{'name': 'opt/a','string': 'x,y\\nz'},{'name': 'b','file': '/specs/f'}]");
	spec_shows("'fwcfg_type':'qemu'", "'fwcfg_type': 'qemu'");
	spec_refused("'fwcfg':[{'name':'a'}]",
	    "fwcfg[0]: expected exactly one of \"string\" and \"file\": what the guest reads");
	spec_refused(
	    "'fwcfg':[{'name':'a','string':'b','file':'c'}]", "fwcfg[0]: expected exactly one");
	spec_refused(
	    "'fwcfg':[{'name':'a,b','string':'c'}]", "fwcfg[0].name: \"a,b\" holds a comma");
	spec_shows(
	    "'fwcfg':[{'name':'a=b','string':'c'}]", "'fwcfg': [{'name': 'a=b','string': 'c'}]");
	spec_refused(
	    "'fwcfg':[{'name':'a\\nb','string':'c'}]", "fwcfg[0].name: contains a line break");
	spec_refused("'fwcfg':[{'name':'a','string':'1'},{'name':'a','string':'2'}]",
	    "fwcfg[1].name: two items have the name \"a\"");
	spec_refused("'fwcfg':[{'name':"
		     "'0123456789012345678901234567890123456789012345678901234x','string':'c'}]",
	    "fwcfg[0].name: \"0123456789012345678901234567890123456789012345678901234x\" has 56 "
	    "bytes, at most 55 are allowed");
}

static void test_smbios(void **state)
{
	(void)state;
	spec_shows("'smbios':{'chassis':{'sku':'1'},'bios':{'vendor':'a b'}}",
	    "'smbios': {'bios': {'vendor': 'a b'},'chassis': {'sku': '1'}}");
	spec_refused("'smbios':{'system':{'serial_number':'1\\n2'}}",
	    "smbios.system.serial_number: contains a line break");
	spec_refused("'smbios':{'bios':'x'}", "smbios.bios: expected an object, got a string");
	spec_refused("'smbios':{'board':{'location':''}}", "smbios.board.location: must not be");
}

/* Checks a socket of swtpm at an absolute path of this length. */
static void test_tpm_path(size_t length, bool good)
{
	char path[256];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[length] = '\0';
	MEM_AUTO char *keys = mem_format("'tpm':{'type':'swtpm','path':'%s'}", path);
	MEM_AUTO char *why = mem_format("tpm: \"%s\" has 104 bytes: the path of a socket", path);

	if (good)
		spec_free(spec_of(keys));
	else
		spec_refused(keys, why);
}

static void test_tpm(void **state)
{
	(void)state;
	spec_shows("'tpm':{'type':'swtpm','path':'s','version':'2.0'}",
	    "'tpm': {'type': 'swtpm','path': '/specs/s','version': '2.0'}");
	spec_refused("'tpm':{'type':'passthru','path':'/dev/tpm0','version':'1.2'}",
	    "tpm.version: unknown version \"1.2\": expected \"2.0\"");
	spec_refused("'tpm':{'type':'swtpm'}", "tpm: \"path\" is missing");
	test_tpm_path(MAX_SOCKET_PATH, true);
	test_tpm_path(MAX_SOCKET_PATH + 1, false);
	spec_refused("'tpm':{'path':'/dev/tpm0'}", "tpm: \"type\" is missing");
}

/* Misspelt words, and the hint for each. */
static const char *const misspelt[][2] = {
	{ "'keyboard_layuot':'x'",
	    "keyboard_layuot: unknown key \"keyboard_layuot\", did you mean "
	    "\"keyboard_layout\"?" },
	{ "'numa':[{'id':0,'cpu':'0'}]",
	    "numa[0].cpu: unknown key \"cpu\", did you mean \"cpus\"?" },
	{ "'fwcfg':[{'nmae':'a','string':'b'}]",
	    "fwcfg[0].nmae: unknown key \"nmae\", did you mean \"name\"?" },
	{ "'smbios':{'bois':{}}", "smbios.bois: unknown key \"bois\", did you mean \"bios\"?" },
	{ "'smbios':{'bios':{'vendro':'x'}}",
	    "smbios.bios.vendro: unknown key \"vendro\", did you mean \"vendor\"?" },
	{ "'tpm':{'type':'swtmp','path':'x'}",
	    "tpm.type: invalid value \"swtmp\": expected one of \"passthru\", \"swtpm\", "
	    "did you mean "
	    "\"swtpm\"?" },
	{ "'tpm':{'type':'swtpm','paht':'x'}",
	    "tpm.paht: unknown key \"paht\", did you mean \"path\"?" },
	{ "'fwcfg_type':'quemu'",
	    "fwcfg_type: invalid value \"quemu\": expected one of \"bhyve\", \"qemu\", did "
	    "you mean \"qemu\"?" },
	{ "'graphic':{'widht':800}",
	    "graphic.widht: unknown key \"widht\", did you mean \"width\"?" },
	{ "'graphic':{'vga':'of'}",
	    "graphic.vga: invalid value \"of\": expected one of \"io\", \"off\", \"on\", "
	    "did you mean "
	    "\"off\"?" },
	{ "'graphic':{'xhci_tabelt':true}",
	    "graphic.xhci_tabelt: unknown key "
	    "\"xhci_tabelt\", did you mean \"xhci_tablet\"?" },
	{ "'com1':'stdoi'",
	    "com1: invalid serial port \"stdoi\": expected \"stdio\", \"console\", "
	    "\"nmdm\", a device such as \"/dev/nmdm0A\", or "
	    "\"tcp=ADDR:PORT\" with a numeric address, did you mean "
	    "\"stdio\"?" },
	{ "'hostbridge':'amd_hostbrige'",
	    "hostbridge: invalid value \"amd_hostbrige\": expected one of "
	    "\"hostbridge\", \"amd_hostbridge\", did you mean "
	    "\"amd_hostbridge\"?" },
	{ "'on_exti':1", "on_exti: unknown key \"on_exti\", did you mean \"on_exit\"?" },
	{ "'stop':[{'do':'apci','wait':1}]",
	    "stop[0].do: invalid value \"apci\": expected one of \"acpi\", "
	    "\"poweroff\", \"kill\", did you mean "
	    "\"acpi\"?" },
	{ "'bhyve':{'arch':'arm46'}",
	    "bhyve.arch: invalid value \"arm46\": expected one of \"amd64\", "
	    "\"arm64\", did you mean \"arm64\"?" },
	{ "'qemu':{'acel':'tcg'}", "qemu.acel: unknown key \"acel\", did you mean \"accel\"?" },
	{ "'emulations':[{'device':'xhci','devices':['tabelt']}]",
	    "emulations[0].devices[0]: invalid value \"tabelt\": expected one of "
	    "\"tablet\", did you mean "
	    "\"tablet\"?" },
	{ "'emulations':[{'device':'fbuff'}]",
	    "emulations[0].device: unknown device \"fbuff\", did you mean \"fbuf\"?" },
	{ "'emulations':[{'device':'fbuf','prot':1}]",
	    "emulations[0].prot: unknown key \"prot\", did you mean \"port\"?" },
};

/* A misspelt word gets a hint at any place. */
static void test_hints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(misspelt) / sizeof(misspelt[0]); i++)
		spec_refused(misspelt[i][0], misspelt[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gdb),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_numa),
		cmocka_unit_test(test_numa_sizes),
		cmocka_unit_test(test_numa_words),
		cmocka_unit_test(test_fwcfg),
		cmocka_unit_test(test_smbios),
		cmocka_unit_test(test_tpm),
		cmocka_unit_test(test_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
