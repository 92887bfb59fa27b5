/* Disks: sizes of sectors, lengths of names, defaults; the ports of a controller. */
#include "support.h"

#include "base/mem.h"

static void good(const char *keys, const char *wanted)
{
	MEM_AUTO char *text = mem_format("{'device':'ahci-hd','path':'a',%s}", keys);

	device_shows(text, wanted);
}

static void bad(const char *keys, const char *wanted)
{
	MEM_AUTO char *text = mem_format("{'device':'ahci-hd','path':'a',%s}", keys);
	MEM_AUTO char *line = mem_format("emulations[0]%s", wanted);

	device_refused(text, line);
}

static void test_sectors(void **state)
{
	(void)state;
	good("'logical_sector_size':512", "'logical_sector_size':512}");
	good("'logical_sector_size':4096,'physical_sector_size':4096",
	    "'logical_sector_size':4096,'physical_sector_size':4096");
	good("'logical_sector_size':1048576", "'logical_sector_size':1048576}");
	bad("'logical_sector_size':2097152", ".logical_sector_size: 2097152 is out of range");
	bad("'logical_sector_size':511", ".logical_sector_size: 511 is out of range");
	bad("'logical_sector_size':256", ".logical_sector_size: 256 is out of range");
	bad("'logical_sector_size':0", ".logical_sector_size: 0 is out of range");
	bad("'logical_sector_size':-512", ".logical_sector_size: -512 is out of range");
	bad("'logical_sector_size':1000", ".logical_sector_size: 1000 is not a power of two");
	bad("'logical_sector_size':'512'", ".logical_sector_size: expected an integer");
	bad("'physical_sector_size':4096", ": \"physical_sector_size\" needs");
	bad("'logical_sector_size':4096,'physical_sector_size':512",
	    ": \"physical_sector_size\" 512 is below the logical 4096");
}

static void test_names(void **state)
{
	(void)state;
	good("'ser':'12345678901234567890'", "'ser':'12345678901234567890'");
	bad("'ser':'123456789012345678901'", ".ser: \"123456789012345678901\" has 21 bytes");
	good("'rev':'12345678'", "'rev':'12345678'");
	bad("'rev':'123456789'", ".rev: \"123456789\" has 9 bytes, at most 8 are allowed");
	good("'model':'x'", "'model':'x'");
}

static void test_numbers(void **state)
{
	(void)state;
	good("'bootindex':0", "'bootindex':0");
	bad("'bootindex':-1", ".bootindex: -1 is out of range");
	good("'nmrr':1", "'nmrr':1");
	bad("'nmrr':65536", ".nmrr: 65536 is out of range");
	/* Keys that are not given are not in the command. */
	device_shows("{'device':'ahci-cd','path':'/a'}",
	    "{'device':'ahci-cd','id':'x','path':'/"
	    "a','format':'raw','nocache':false,'direct':false,'ro':false,"
	    "'nodelete':false}");
	device_refused("{'device':'virtio-blk','path':'/a','rev':'x'}",
	    "emulations[0].rev: unknown key \"rev\"");
}

#define PORT(more) "{'type':'hd','path':'/a'" more "}"
#define AHCI(ports) "{'device':'ahci','ports':[" ports "]}"

static void test_formats(void **state)
{
	(void)state;
	good("'format':'raw'", "'format':'raw'");
	good("'format':'qcow2'", "'format':'qcow2'");
	bad("'format':'qcow'",
	    ".format: invalid value \"qcow\": expected one of \"raw\", \"qcow2\", \"vmdk\", "
	    "\"vhdx\", \"vdi\", "
	    "\"vpc\"");
	device_refused(AHCI("{'type':'hd','path':'a','format':'iso'}"),
	    "emulations[0].ports[0].format: invalid value \"iso\": expected one of");
}

static void test_paths(void **state)
{
	(void)state;
	device_shows("{'device':'virtio-blk','path':'a,b=c%d'}", "'path':'/specs/a,b=c%d'");
	device_refused(
	    "{'device':'virtio-blk','path':''}", "emulations[0].path: must not be empty");
}

static void test_ports(void **state)
{
	(void)state;
	device_shows(AHCI("{'type':'cd','path':'a,hd:b'}," PORT(",'ser':'x'")),
	    "'ports':[{'type':'cd','path':'/specs/"
	    "a,hd:b','format':'raw','nocache':false,'direct':false,"
	    "'ro':false,'nodelete':false},{'type':'hd','path':'/a','format':'raw','nocache':false,"
	    "'direct':false,'ro':false,'nodelete':false,'ser':'x'}]}");
	device_refused(AHCI(""), "emulations[0].ports: 0 entries: expected 1 to 32");
	device_refused(AHCI("'/a'"), "emulations[0].ports[0]: expected an object, got a string");
	device_refused(AHCI("{'path':'/a'}"), "emulations[0].ports[0]: \"type\" is missing");
	device_refused(AHCI("{'type':'hd'}"), "emulations[0].ports[0]: \"path\" is missing");
	device_refused(AHCI("{'type':'dvd','path':'/a'}"),
	    "emulations[0].ports[0].type: invalid value \"dvd\": expected one of \"hd\", \"cd\"");
	device_refused(AHCI(PORT("") "," PORT(",'sre':'x'")),
	    "emulations[0].ports[1].sre: unknown key \"sre\", did you mean \"ser\"?");
	device_refused(AHCI(PORT("") "," PORT(",'physical_sector_size':512")),
	    "emulations[0].ports[1]: \"physical_sector_size\" needs");
	device_refused(AHCI(PORT(",'bootindex':1") "," PORT("") "," PORT(",'bootindex':1")),
	    "emulations[0].ports[2].bootindex: ports[0] has the boot index 1 already");
}

static void test_needs(void **state)
{
	struct device *dev =
	    device_of(AHCI(PORT(",'bootindex':1,'logical_sector_size':512") "," PORT(
		",'ro':true") ",{'type':'cd','path':'c','bootindex':4}"));
	struct needs needs = { 0 };
	struct pairs claims = { 0 };

	(void)state;
	dev->kind->needs(dev, &needs);
	assert_int_equal(needs.count, 3);
	assert_int_equal(needs.item[0].kind, NEED_DISK);
	assert_string_equal(needs.item[0].key, "ports");
	assert_true(needs.item[0].write && !needs.item[0].cd && needs.item[0].sector == 512);
	assert_true(!needs.item[1].write && !needs.item[1].cd && needs.item[1].sector == 0);
	assert_true(!needs.item[2].write && needs.item[2].cd);
	assert_string_equal(needs.item[2].what, "/specs/c");
	dev->kind->claims(dev, &claims);
	assert_int_equal(claims.count, 2);
	assert_string_equal(claims.item[1].key, "boot index");
	assert_string_equal(claims.item[1].value, "4");
	pairs_free(&claims);
	needs_clear(&needs);
	device_free(dev);
}

/* Returns qemu's error for an AHCI controller with `count` ports, or NULL.  The caller frees it. */
static char *ports_under_qemu(int count)
{
	struct str list = { 0 };

	for (int i = 0; i < count; i++)
		str_addf(&list, "%s{'type':'hd','path':'/%d'}", i > 0 ? "," : "", i);
	MEM_AUTO char *ports = str_take(&list);
	MEM_AUTO char *text = mem_format("{'device':'ahci','ports':[%s]}", ports);

	return device_refused_by_qemu(text);
}

static void test_ports_under_qemu(void **state)
{
	MEM_AUTO char *good = ports_under_qemu(6), *bad = ports_under_qemu(7);

	(void)state;
	assert_null(good);
	assert_string_equal(bad, "qemu's controller has 6 ports, not 7: use several controllers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sectors),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_ports_under_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
