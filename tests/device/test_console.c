/* Ports of a virtio-console, in the three forms that a spec may give them. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void good(const char *ports, const char *wanted)
{
	MEM_AUTO char *text = mem_format("{'device':'virtio-console','ports':%s}", ports);
	MEM_AUTO char *shown = mem_format("'ports':[%s]}", wanted);

	device_shows(text, shown);
}

static void bad(const char *ports, const char *wanted)
{
	MEM_AUTO char *text = mem_format("{'device':'virtio-console','ports':%s}", ports);
	MEM_AUTO char *line = mem_format("emulations[0].ports%s\n", wanted);

	device_refused(text, line);
}

#define PORT(name, path) "{'name':'" name "','path':'" path "'}"

static void test_forms(void **state)
{
	(void)state;
	good("['/a','b']", PORT("port1", "/a") "," PORT("port2", "/specs/b"));
	good("[" PORT("x", "/a") "," PORT("b", "c") "]", PORT("x", "/a") "," PORT("b", "/specs/c"));
	good("{'z':'/a','b':'/b','m':'c'}",
	    PORT("b", "/b") "," PORT("m", "/specs/c") "," PORT("z", "/a"));
	/* One section of UCL, which is a list of one. */
	good(PORT("x", "/a"), PORT("x", "/a"));
	/* A port without a name is named by its position. */
	good("[" PORT("x", "/a") ",'/b']", PORT("x", "/a") "," PORT("port2", "/b"));
}

static void test_faults(void **state)
{
	(void)state;
	bad("[]", ": 0 ports: expected 1 to 16");
	bad("{}", ": 0 ports: expected 1 to 16");
	bad("'/a'", ": expected a list of paths, or an object name -> path, got a string");
	bad("['/a',1]", "[1]: a port is a path or { \"name\": ..., \"path\": ... }");
	bad("['']", "[0]: must not be empty");
	bad("[{'name':'x'}]", "[0]: a port is a path or { \"name\": ..., \"path\": ... }");
	bad("[{'name':'x','path':'/a','y':1}]",
	    "[0]: a port is a path or { \"name\": ..., \"path\": ... }");
	bad("[{'name':1,'path':'/a'}]", "[0].name: expected a string, got an integer");
	bad("[{'name':'x','path':1}]", "[0].path: expected a string, got an integer");
	bad("{'x':1}", ".x: expected a string, got an integer");
	bad("{'a%b':'/a'}",
	    ".a%b: invalid port name \"a%b\": the guest would see garbage, because bhyve does not "
	    "keep a name with a \"%\": choose another name");
	bad("{'name':'a%b','path':'/a'}",
	    ".name: invalid port name \"a%b\": the guest would see garbage, because bhyve does not "
	    "keep a name with a \"%\": choose another name");
	bad("[" PORT("a%b", "/a") "]",
	    "[0].name: invalid port name \"a%b\": the guest would see garbage, because bhyve "
	    "does not keep a name with a \"%\": choose another name");
	bad("['/a','/a']", "[1]: two ports have the path \"/a\"");
	bad("['a','/specs/a']", "[1]: two ports have the path \"/specs/a\"");
	bad("['/a'," PORT("port1", "/b") "]", "[1].name: two ports are named \"port1\"");
}

/* Returns a list of `count` ports as JSON. */
static char *many(int count)
{
	struct str list = { 0 };

	for (int i = 1; i <= count; i++)
		str_addf(&list, "%s'/p%d'", i > 1 ? "," : "[", i);
	str_add(&list, "]");
	return str_take(&list);
}

static void test_limits(void **state)
{
	MEM_AUTO char *ports = many(16);
	MEM_AUTO char *too_many = many(17);
	MEM_AUTO char *text = mem_format("{'device':'virtio-console','ports':%s}", ports);

	(void)state;
	device_shows(text, "'name':'port16','path':'/p16'");
	bad(too_many, ": 17 ports: expected 1 to 16");
}

static void test_longest_socket(void **state)
{
	char path[104];
	MEM_AUTO char *longest = NULL;
	MEM_AUTO char *longer = NULL;
	MEM_AUTO char *why = NULL;
	MEM_AUTO char *shown = NULL;

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[103] = '\0';
	longest = mem_format("['%s']", path);
	longer = mem_format("['%sa']", path);
	why = mem_format(
	    "[0]: \"%sa\" has 104 bytes: the path of a socket can have at most 103", path);
	bad(longer, why);
	shown = mem_format(PORT("port1", "%s"), path);
	good(longest, shown);
}

static void test_sockets(void **state)
{
	struct device *dev = device_of("{'device':'virtio-console','ports':['/a','b']}");
	struct needs needs = { 0 };

	(void)state;
	dev->kind->needs(dev, &needs);
	assert_int_equal(needs.count, 2);
	assert_int_equal(needs.item[1].kind, NEED_SOCKET);
	assert_string_equal(needs.item[1].what, "/specs/b");
	needs_clear(&needs);
	device_free(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_longest_socket),
		cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
