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
		    "loader: \"grbu\" is none of \"bhyveload\", \"grub\", did you mean \"grub\"?" },
		{ "'loader':true", "loader: expected \"bhyveload\", \"grub\" or { \"type\"" },
		{ "'loader':[]", "loader: expected" },
		{ "'loader':{}", "loader: \"type\" is missing: bhyveload or grub" },
		{ "'loader':{'type':'grub','disk':'x'}",
		    "loader.disk: unknown key \"disk\", did you "
		    "mean \"disks\"?" },
		{ "'loader':{'type':'grub','disks':['x']}",
		    "loader.disks: only bhyveload has this" },
		{ "'loader':{'type':'grub','env':{}}", "loader.env: only bhyveload has this" },
		{ "'loader':{'type':'bhyveload','root':'hd0'}", "loader.root: only grub has this" },
		{ "'loader':{'type':'bhyveload','commands':['x']}",
		    "loader.commands: only grub has this" },
		{ "'loader':{'type':'bhyveload','env':{'a=b':'c'}}",
		    "loader.env.a=b: this is no name of a variable" },
		{ "'loader':{'type':'grub','commands':['a\\nb']}",
		    "loader.commands[0]: a command is one line" },
		{ "'loader':{'type':'grub','console':'nmdm0A'}",
		    "loader.console: \"nmdm0A\" is no console: expected \"stdio\" or a terminal" },
		{ "'loader':{'type':'grub','timeout':0}", "loader.timeout: expected 0.01 to 3600" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		spec_refused(wrong[i][0], wrong[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loader),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
