/* Disks: sizes of sectors, lengths of names, defaults. */
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
	bad("'rev':'123456789'", ".rev: \"123456789\" has 9 bytes, at most 8 are taken");
	good("'model':'x'", "'model':'x'");
}

static void test_numbers(void **state)
{
	(void)state;
	good("'bootindex':0", "'bootindex':0");
	bad("'bootindex':-1", ".bootindex: -1 is out of range");
	good("'nmrr':1", "'nmrr':1");
	bad("'nmrr':65536", ".nmrr: 65536 is out of range");
	/* Without them nothing is said. */
	device_shows("{'device':'ahci-cd','path':'/a'}",
	    "{'device':'ahci-cd','id':'x','path':'/"
	    "a','nocache':false,'direct':false,'ro':false,"
	    "'nodelete':false}");
	device_refused("{'device':'virtio-blk','path':'/a','rev':'x'}",
	    "emulations[0].rev: unknown key \"rev\"");
}

static void test_paths(void **state)
{
	(void)state;
	device_shows("{'device':'virtio-blk','path':'a,b=c%d'}", "'path':'/specs/a,b=c%d'");
	device_refused(
	    "{'device':'virtio-blk','path':''}", "emulations[0].path: must not be empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sectors),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
