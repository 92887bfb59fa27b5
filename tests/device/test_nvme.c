/* nvme: a disk or memory, sectors of one size, 64 bits of a name. */
#include "support.h"

#include "base/mem.h"

static void good(const char *keys, const char *wanted)
{
	MEM_AUTO char *text = mem_format("{'device':'nvme',%s}", keys);

	device_shows(text, wanted);
}

static void bad(const char *keys, const char *wanted)
{
	MEM_AUTO char *text = mem_format("{'device':'nvme',%s}", keys);
	MEM_AUTO char *line = mem_format("emulations[0]%s", wanted);

	device_refused(text, line);
}

static void test_disk_or_memory(void **state)
{
	(void)state;
	good("'path':'a'", "'path':'/specs/a','format':'raw','nocache':false");
	good("'path':'ram=1'", "'path':'/specs/ram=1','format':'raw','nocache':false");
	good("'ram':1",
	    "'ram':1,'format':'raw','nocache':false,'direct':false,'ro':false,'nodelete':false}");
	good("'ram':64,'bootindex':0,'ser':'x','sectsz':512", "'sectsz':512,");
	bad("'maxq':1", ": \"path\" or \"ram\" is missing: a disk, or MiB of memory");
	bad("'path':'/a','ram':1", ".ram: this key and \"path\" exclude each other: remove one");
	bad("'ram':'64'", ".ram: expected an integer, got a string");
	bad("'ram':0", ".ram: 0 is out of range: expected 1 to 1048576");
	bad("'ram':1,'ro':true", ".ro: \"ram\" is memory, not a disk");
	bad("'ram':1,'format':'qcow2'", ".format: \"ram\" is memory, not a disk");
	bad("'ram':1,'nocache':true,'logical_sector_size':512",
	    ".logical_sector_size: \"ram\" is memory, not a disk");
}

static void test_ranges(void **state)
{
	(void)state;
	good("'ram':1,'maxq':16,'qsz':65536,'ioslots':128",
	    "'ram':1,'maxq':16,'qsz':65536,'ioslots':128,");
	good("'ram':1,'maxq':1,'qsz':2,'ioslots':1", "'maxq':1,'qsz':2,'ioslots':1,");
	bad("'ram':1,'maxq':17", ".maxq: 17 is out of range: expected 1 to 16");
	bad("'ram':1,'qsz':1", ".qsz: 1 is out of range: expected 2 to 65536");
	bad("'ram':1,'ioslots':129", ".ioslots: 129 is out of range: expected 1 to 128");
	bad("'ram':1,'dsm':'off'",
	    ".dsm: invalid value \"off\": expected one of \"auto\", \"enable\", \"disable\"");
	bad("'ram':1,'ser':'123456789012345678901'", ".ser: \"123456789012345678901\" has 21");
}

static void test_sectors(void **state)
{
	(void)state;
	good("'path':'/a','sectsz':8192", "'sectsz':8192");
	good("'path':'/a','sectsz':4096,'logical_sector_size':4096,'physical_sector_size':4096",
	    "'logical_sector_size':4096,'physical_sector_size':4096");
	bad("'path':'/a','sectsz':1024",
	    ".sectsz: invalid sector size 1024: expected 512, 4096 or 8192");
	bad("'path':'/a','sectsz':16384", ".sectsz: 16384 is out of range");
	bad("'path':'/a','sectsz':4096,'logical_sector_size':512",
	    ".logical_sector_size: nvme has one sector size, which is 4096 here, not 512");
	bad("'path':'/a','logical_sector_size':512,'physical_sector_size':4096",
	    ".physical_sector_size: nvme has one sector size, which is 512 here, not 4096");
	bad("'path':'/a','physical_sector_size':4096", ": \"physical_sector_size\" needs");
}

static void test_eui64(void **state)
{
	static const char why[] = ".eui64: invalid EUI-64: expected 64 bits that are not all 0";

	(void)state;
	good("'ram':1,'eui64':1", "'eui64':'0x0000000000000001'");
	good("'ram':1,'eui64':9007199254740993", "'eui64':'0x0020000000000001'");
	good("'ram':1,'eui64':9223372036854775807", "'eui64':'0x7fffffffffffffff'");
	good("'ram':1,'eui64':18374686479671623679", "'eui64':'0xfeffffffffffffff'");
	good("'ram':1,'eui64':'0xFFFFffff00000001'", "'eui64':'0xffffffff00000001'");
	good("'ram':1,'eui64':'0X58'", "'eui64':'0x0000000000000058'");
	good("'ram':1,'eui64':18446744073709551615", "'eui64':'0xffffffffffffffff'");
	bad("'ram':1,'eui64':0", why);
	bad("'ram':1,'eui64':-1", why);
	bad("'ram':1,'eui64':-508625282916155391", why);
	bad("'ram':1,'eui64':'0x'", why);
	bad("'ram':1,'eui64':'0x0'", why);
	bad("'ram':1,'eui64':'0x10000000000000000'", why);
	bad("'ram':1,'eui64':18446744073709551616", why);
	bad("'ram':1,'eui64':'58-9c-fc'", why);
	bad("'ram':1,'eui64':' 1'", why);
	bad("'ram':1,'eui64':1.5", ".eui64: expected an integer or a string \"0x...\"");
}

static void test_needs(void **state)
{
	struct device *disk = device_of("{'device':'nvme','path':'/a','bootindex':2}");
	struct device *memory = device_of("{'device':'nvme','ram':1}");
	struct needs needs = { 0 };
	struct pairs claims = { 0 };

	(void)state;
	memory->kind->needs(memory, &needs);
	memory->kind->claims(memory, &claims);
	assert_int_equal(needs.count, 0);
	assert_int_equal(claims.count, 0);
	disk->kind->needs(disk, &needs);
	disk->kind->claims(disk, &claims);
	assert_int_equal(needs.count, 1);
	assert_int_equal(needs.item[0].kind, NEED_DISK);
	assert_true(needs.item[0].write);
	assert_string_equal(pairs_get(&claims, "boot index"), "2");
	needs_clear(&needs);
	pairs_free(&claims);
	device_free(disk);
	device_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_or_memory),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_sectors),
		cmocka_unit_test(test_eui64),
		cmocka_unit_test(test_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
