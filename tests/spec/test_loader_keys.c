/* The key `loader`, which loads a guest without firmware. */
#include "support.h"

static void test_loader(void **state)
{
	(void)state;
	spec_shows("'loader':'bhyveload'", "'loader': {'type': 'bhyveload','timeout': 15}");
	spec_shows("'loader':'grub'", "'loader': {'type': 'grub','timeout': 15}");
	spec_shows(
	    "'loader':{'type':'bhyveload','timeout':0.5,'console':'stdio','disks':['a','/b'],"
	    "'env':{'b':'2','a':'1'},'host_dir':'d','os_loader':'/l'}",
	    "'loader': {'type': 'bhyveload','timeout': 0.5,'console': 'stdio','disks': "
	    "['/specs/a','/b'],'env': {'a': '1','b': '2'},'host_dir': '/specs/d','os_loader': "
	    "'/l'}");
	spec_shows(
	    "'loader':{'type':'bhyveload','disks':'one.img'}", "'disks': ['/specs/one.img']");
	spec_shows("'loader':{'type':'grub','console':'/dev/nmdm0A','device_map':'m','root':'cd0',"
		   "'dir':'/boot','config':'g.cfg','commands':['a','b c']}",
	    "'loader': {'type': 'grub','timeout': 15,'console': '/dev/nmdm0A','device_map': "
	    "'/specs/m','root': 'cd0','dir': '/boot','config': 'g.cfg','commands': ['a','b c']}");
}

static void test_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "'loader':'grbu'",
		    "loader: invalid value \"grbu\": expected one of \"bhyveload\", \"grub\", did "
		    "you mean \"grub\"?" },
		{ "'loader':true", "loader: expected \"bhyveload\", \"grub\" or { \"type\"" },
		{ "'loader':[]", "loader: expected" },
		{ "'loader':{}", "loader: \"type\" is missing: loader program: bhyveload or grub" },
		{ "'loader':{'type':'grub','disk':'x'}",
		    "loader.disk: unknown key \"disk\", did you "
		    "mean \"disks\"?" },
		{ "'loader':{'type':'grub','disks':['x']}",
		    "loader.disks: this key is for bhyveload only" },
		{ "'loader':{'type':'grub','env':{}}",
		    "loader.env: this key is for bhyveload only" },
		{ "'loader':{'type':'bhyveload','root':'hd0'}",
		    "loader.root: this key is for grub only" },
		{ "'loader':{'type':'bhyveload','commands':['x']}",
		    "loader.commands: this key is for grub only" },
		{ "'loader':{'type':'bhyveload','env':{'a=b':'c'}}",
		    "loader.env.a=b: invalid variable name" },
		{ "'loader':{'type':'grub','commands':['a\\nb']}",
		    "loader.commands[0]: a command cannot contain a line break" },
		{ "'loader':{'type':'grub','console':'nmdm0A'}",
		    "loader.console: invalid console \"nmdm0A\": expected \"stdio\" or a "
		    "terminal" },
		{ "'loader':{'type':'grub','timeout':0}", "loader.timeout: expected 0.01 to 3600" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		spec_refused(wrong[i][0], wrong[i][1]);
}

/* Returns how many disks are needed for writing by the loader, and nothing else. */
static size_t written_by_loader(const char *keys)
{
	struct spec *spec = spec_of(keys);
	struct needs needs = { 0 };
	size_t n = 0;

	spec_needs(spec, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		assert_int_equal(needs.item[i].kind, NEED_FILE);
		assert_true(needs.item[i].write && needs.item[i].bhyve_only);
		n++;
	}
	needs_clear(&needs);
	spec_free(spec);
	return n;
}

#define DISKS                                                                                   \
	"'emulations':[{'device':'virtio-blk','path':'/a'},{'device':'virtio-blk','path':'/b'," \
	"'ro':true},{'device':'ahci-cd','path':'/c'}]"

/* A disk that the guest writes to is checked for that as a device. */
static void test_written_disks(void **state)
{
	(void)state;
	assert_int_equal(written_by_loader("'loader':'bhyveload'," DISKS), 2);
	assert_int_equal(
	    written_by_loader("'loader':{'type':'bhyveload','disks':['/a','/b','/x']}," DISKS), 3);
	assert_int_equal(written_by_loader("'loader':'grub'," DISKS), 0);
	assert_int_equal(written_by_loader(DISKS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loader),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_written_disks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
