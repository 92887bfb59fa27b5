/* Resources that only one device or serial port can have. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Returns the problems of the claims of a spec with these keys. */
static char *claims_of(const char *keys, const char *shared, size_t removed)
{
	struct spec *spec = spec_of(keys);
	struct pin_map pins = { 0 };
	struct report report = { 0 };

	if (removed > 0)
		spec->devices[removed - 1]->removed = true;
	slots_assign(spec, NULL, &pins, &report);
	spec_complete(spec);
	spec_check_claims(spec, shared, &report);
	spec_free(spec);
	return problems_of(&report);
}

static void clash(const char *keys, const char *wanted)
{
	MEM_AUTO char *got = claims_of(keys, NULL, 0);

	assert_string_equal(got, wanted);
}

#define DISK(path, index) "{'device':'virtio-blk','path':'" path "','bootindex':" index "}"
#define PORT(name, path) "{'device':'virtio-console','ports':{'" name "':'" path "'}}"
#define TWO_DISKS "'emulations':[" DISK("/a", "1") "," DISK("/b", "1") "]"
#define TWO_PORTS "'emulations':[" PORT("p", "/a") "," PORT("p", "/b") "]"

static void test_devices(void **state)
{
	(void)state;
	clash("'emulations':[" DISK("/a", "1") "," DISK("/b", "2") "]", "");
	clash(TWO_DISKS,
	    "emulations[1]: virtio-blk \"virtio-blk-0\" and virtio-blk \"virtio-blk-1\" both have "
	    "the boot index \"1\"\n");
	clash("'emulations':[{'device':'virtio-net','name':'tap0'},"
	      "{'device':'e1000','name':'tap0'}]",
	    "emulations[1]: virtio-net \"virtio-net-0\" and e1000 \"e1000-0\" both have the "
	    "interface \"tap0\"\n");
	clash("'emulations':[{'device':'xhci'},{'device':'xhci'}]",
	    "emulations[1]: a VM can have only one xhci, and xhci \"xhci-0\" is one already\n");
}

static void test_serial_ports(void **state)
{
	(void)state;
	clash("'com1':'stdio','emulations':[{'device':'uart','path':'stdio'}]",
	    "emulations[0]: com1 and uart \"uart-0\" both have the serial port \"stdio\"\n");
	clash("'com1':'nmdm','com2':'console'", "");
}

#define FORWARD(rules) "{'device':'e1000','name':'slirp','hostfwd':[" rules "]}"

/* Whoever listens at a port: the debugger, a serial port, a screen, rules that forward. */
static void test_listeners(void **state)
{
	(void)state;
	clash("'gdb':'5905','emulations':[{'device':'fbuf','port':5905}]",
	    "emulations[0]: gdb and fbuf \"fbuf-0\" both have the port \"127.0.0.1:5905\"\n");
	clash("'gdb':'w[::1]:5905','com1':'tcp=127.0.0.1:5904','emulations':["
	      "{'device':'fbuf','port':5905}]",
	    "");
	clash("'com1':'tcp=127.0.0.1:5906','gdb':'5906'",
	    "gdb: com1 and gdb both have the port \"127.0.0.1:5906\"\n");
	clash("'gdb':'5906','emulations':[" FORWARD("'tcp::5906-:22'") "]",
	    "emulations[0]: gdb has the port \"127.0.0.1:5906\" and e1000 \"e1000-0\" "
	    "\"0.0.0.0:5906\", which cannot both be had\n");
	clash("'gdb':'5906','emulations':[" FORWARD(
		  "'udp::5906-:22','tcp:127.0.0.2:5906-:22','tcp::0-:1','tcp::0-:2'") "]",
	    "");
	clash("'emulations':[" FORWARD("'udp::53-:53','tcp::53-:53','udp::53-:54'") "]",
	    "emulations[0]: e1000 \"e1000-0\" has the UDP port \"0.0.0.0:53\" twice\n");
}

/* A removed device claims nothing. */
static void test_removed(void **state)
{
	MEM_AUTO char *first = claims_of(TWO_DISKS, NULL, 1);
	MEM_AUTO char *second = claims_of(TWO_DISKS, NULL, 2);

	(void)state;
	assert_string_equal(first, "");
	assert_string_equal(second, "");
}

/* Only claims of the shared kind may be made twice. */
static void test_shared(void **state)
{
	MEM_AUTO char *shared = claims_of(TWO_PORTS, CLAIM_PORT_NAME, 0);
	MEM_AUTO char *other = claims_of(TWO_DISKS, CLAIM_PORT_NAME, 0);

	(void)state;
	assert_string_equal(shared, "");
	assert_non_null(strstr(other, "both have the boot index \"1\""));
	clash(TWO_PORTS,
	    "emulations[1]: virtio-console \"virtio-console-0\" and virtio-console "
	    "\"virtio-console-1\" both have the port name \"p\"\n");
}

static void uses_stdio(const char *keys, bool wanted)
{
	struct spec *spec = spec_of(keys);

	spec_complete(spec);
	assert_int_equal(spec_uses_stdio(spec), wanted);
	spec_free(spec);
}

static void test_stdio(void **state)
{
	(void)state;
	uses_stdio("'com1':'/dev/nmdm0A'", false);
	uses_stdio("'com2':'stdio'", true);
	uses_stdio("'emulations':[{'device':'uart','path':'stdio'}]", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_serial_ports),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_stdio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
