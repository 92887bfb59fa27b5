/* Network interfaces: addresses, sizes, and the keys of each backend. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char *net(const char *keys)
{
	return mem_format("{'device':'virtio-net','name':'tap0',%s}", keys);
}

static void good(const char *keys, const char *wanted)
{
	MEM_AUTO char *text = net(keys);

	device_shows(text, wanted);
}

static void bad(const char *keys, const char *wanted)
{
	MEM_AUTO char *text = net(keys);
	MEM_AUTO char *line = mem_format("emulations[0].%s", wanted);

	device_refused(text, line);
}

static void test_mac(void **state)
{
	static const char *const texts[] = { "58:9c:fc:00:00", "58:9c:fc:00:00:01:", "x",
		"58-9c-fc-00-00-01", "58:9c:fc:00:00:0g", "5:9c:fc:00:00:01", " 58:9c:fc:00:00:1",
		"58: 9:fc:00:00:01", "58:+9:fc:00:00:01", "58:-9:fc:00:00:01", "58:0x:fc:00:00:01",
		" 1: 2: 3: 4: 5: 6", "58:9c:fc:00:00:001" };

	(void)state;
	good("'mac':'58:9c:fc:00:00:01'", "'mac':'58:9c:fc:00:00:01'");
	good("'mac':'5A:9C:FC:AA:BB:CC'", "'mac':'5A:9C:FC:AA:BB:CC'");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		MEM_AUTO char *keys = mem_format("'mac':'%s'", texts[i]);
		MEM_AUTO char *why = mem_format("mac: invalid MAC address \"%s\"", texts[i]);

		bad(keys, why);
	}
	bad("'mac':'01:00:5e:00:00:01'",
	    "mac: invalid MAC address \"01:00:5e:00:00:01\": an interface cannot have a multicast "
	    "address");
	bad("'mac':'ff:ff:ff:ff:ff:ff'",
	    "mac: invalid MAC address \"ff:ff:ff:ff:ff:ff\": an interface cannot have a multicast "
	    "address");
	bad("'mac':'00:00:00:00:00:00'",
	    "mac: invalid MAC address \"00:00:00:00:00:00\": an interface cannot have a zero "
	    "address");
	bad("'mac':''", "mac: must not be empty");
	bad("'mac':1", "mac: expected a string, got an integer");
}

static void test_mtu(void **state)
{
	(void)state;
	good("'mtu':46", "'mtu':46");
	good("'mtu':65535", "'mtu':65535");
	good("'mtu':'9000'", "'mtu':9000");
	good("'mtu':'01500'", "'mtu':1500");
	bad("'mtu':45", "mtu: 45 is out of range: expected 46 to 65535");
	bad("'mtu':'65536'", "mtu: 65536 is out of range");
	bad("'mtu':-1", "mtu: -1 is out of range");
	bad("'mtu':'001500'", "mtu: expected an integer, got a string");
	bad("'mtu':'1500x'", "mtu: expected an integer, got a string");
	bad("'mtu':'-100'", "mtu: expected an integer, got a string");
	bad("'mtu':'0x100'", "mtu: expected an integer, got a string");
	bad("'mtu':''", "mtu: expected an integer, got a string");
	bad("'mtu':1500.5", "mtu: expected an integer, got a number that is not an integer");
	device_refused("{'device':'e1000','name':'tap0','mtu':1500}",
	    "emulations[0].mtu: unknown key \"mtu\"");
}

#define E "emulations[0]"

static void test_backends(void **state)
{
	(void)state;
	device_shows("{'device':'e1000','name':'vale0:vm'}", "'name':'vale0:vm'");
	device_shows("{'device':'e1000','name':'vm0','type':'tap'}", "'type':'tap'");
	device_refused("{'device':'e1000','name':'vm0'}", E ".name: unknown backend \"vm0\"");
	device_refused("{'device':'e1000','name':'tap0123456789012'}",
	    E ".name: \"tap0123456789012\" has 16 bytes: an interface name has at most 15");
	device_shows("{'device':'e1000','name':'tap012345678901'}", "tap012345678901");
	device_refused(
	    "{'device':'e1000','name':'netgraph','path':'x:'}", E ": netgraph needs \"path\" and");
	device_shows("{'device':'e1000','name':'netgraph','path':'x:','peerhook':'y'}",
	    "'path':'x:','peerhook':'y'");
	device_refused(
	    "{'device':'e1000','name':'tap0','path':'x:'}", E ": \"path\", \"peerhook\"");
	device_refused("{'device':'e1000','name':'tap0','hook':'x'}", E ": \"path\", \"peerhook\"");
	device_refused(
	    "{'device':'e1000','name':'tap0','open':true}", E ": \"hostfwd\" and \"open\"");
	device_refused("{'device':'e1000','name':'tap0','hostfwd':['x']}", E ": \"hostfwd\" and");
	device_shows("{'device':'e1000','name':'slirp','hostfwd':'tcp::1-:2','open':true}",
	    "'hostfwd':['tcp::1-:2'],'open':true");
	device_refused("{'device':'e1000','name':'slirp','hostfwd':['a','b;c']}",
	    E ".hostfwd[1]: \"b;c\" contains a separator");
	device_refused("{'device':'e1000','name':'slirp','hostfwd':['a,b']}",
	    E ".hostfwd[0]: \"a,b\" contains a separator");
}

static void test_rules(void **state)
{
	static const char *const good[] = { "tcp::1-:2", "udp:127.0.0.1:65535-10.0.2.15:65535",
		"tcp:0.0.0.0:22-:22", "tcp::0-:2" };
	static const char *const bad[] = { "a", "1-:2", "tcp", "tcp:", "tcp:1-:2", "tcp::1",
		"tcp::1-", "tcp::1-2", "tcp::1-:0", "tcp::65536-:2", "tcp::1-:65536",
		"tcp:localhost:1-:2", "tcp:256.1.1.1:1-:2", "tcp:::1:1-:2", "tcp::1-:2x",
		"tcp::+1-:2", "tcp:: 1-:2", "sctp::1-:2", "TCP::1-:2", "tcp::1-guest:2" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		MEM_AUTO char *text =
		    mem_format("{'device':'e1000','name':'slirp','hostfwd':'%s'}", good[i]);

		device_shows(text, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		MEM_AUTO char *text =
		    mem_format("{'device':'virtio-net','name':'slirp','hostfwd':['%s']}", bad[i]);
		MEM_AUTO char *why =
		    mem_format(E ".hostfwd[0]: invalid rule \"%s\": expected tcp|udp:", bad[i]);

		device_refused(text, why);
	}
}

/* With false the hypervisor makes the address, which no other interface can have. */
static void test_mac_false(void **state)
{
	struct device *dev = device_of("{'device':'virtio-net','name':'tap0','mac':false}");
	struct pairs claims = { 0 }, vars = { 0 };
	struct words argv = { 0 }, notes = { 0 };
	struct bhyve_host host = { .release = 14, .notes = &notes };
	struct qemu_build q = { .argv = &argv, .notes = &notes };
	struct str shown = { 0 };
	struct error err = { 0 };

	(void)state;
	dev->kind->complete(dev, "vm");
	device_print(dev, &shown);
	assert_non_null(strstr(shown.text, "\"mac\":false"));
	dev->kind->claims(dev, &claims);
	assert_int_equal(claims.count, 0);
	assert_int_equal(dev->kind->bhyve(dev, &host, &vars, &err), 0);
	assert_null(pairs_get(&vars, "mac"));
	assert_int_equal(dev->kind->qemu(dev, &q, &err), 0);
	for (size_t i = 0; i < argv.count; i++)
		assert_null(strstr(argv.item[i], "mac"));
	str_free(&shown);
	pairs_free(&vars);
	words_free(&argv);
	words_free(&notes);
	device_free(dev);
	device_refused("{'device':'virtio-net','name':'tap0','mac':true}",
	    E ".mac: expected a string, got a boolean");
}

static char *mac_for(const char *vm, struct slot slot, const char *given)
{
	MEM_AUTO char *keys = mem_format("{'device':'virtio-net','name':'tap0'%s}", given);
	struct device *dev = device_of(keys);
	struct str s = { 0 };
	char *mac;

	dev->slot = slot;
	dev->kind->complete(dev, vm);
	dev->kind->complete(dev, "again");
	device_print(dev, &s);
	mac = mem_copy_n(strstr(s.text, "\"mac\":\"") + 7, 17);
	str_free(&s);
	device_free(dev);
	return mac;
}

/* The default MAC has three bytes of the SHA-1 of "NAME B:S:F", so other keys do not change it. */
static void test_default_mac(void **state)
{
	struct slot three = { true, 0, 3, 0 }, four = { true, 0, 4, 0 }, bus = { true, 1, 3, 0 };
	MEM_AUTO char *first = mac_for("vm", three, "");
	MEM_AUTO char *mtu = mac_for("vm", three, ",'mtu':1500,'id':'y'");
	MEM_AUTO char *slot = mac_for("vm", four, "");
	MEM_AUTO char *other_bus = mac_for("vm", bus, "");
	MEM_AUTO char *name = mac_for("vm2", three, "");
	MEM_AUTO char *given = mac_for("vm", three, ",'mac':'02:00:00:00:00:01'");

	(void)state;
	assert_string_equal(first, "58:9c:fc:e0:fa:a5");
	assert_string_equal(mtu, first);
	assert_string_not_equal(slot, first);
	assert_string_not_equal(other_bus, first);
	assert_string_not_equal(name, first);
	assert_string_equal(given, "02:00:00:00:00:01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_backends),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_mac_false),
		cmocka_unit_test(test_default_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
