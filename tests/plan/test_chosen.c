/* What a run has chosen: for programs, for hooks and for users. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node_json.h"
#include "plan/chosen.h"

static struct planned p;
static struct chosen chosen;

/* Makes the plan, with what a run would find for a device or a serial port. */
static void plan(const struct hypervisor *hyper, const char *keys)
{
	planned_good(&p, hyper, keys);
}

static void find(const char *id, const char *found)
{
	for (size_t i = 0; i < p.boot.spec->device_count; i++) {
		if (strcmp(p.boot.spec->devices[i]->id, id) == 0)
			p.boot.spec->devices[i]->found = mem_copy(found);
	}
}

static const char *run_dir; /* that vmrunctl has to be told */

static void choose(void)
{
	chosen_make(&p.boot, run_dir, &chosen);
}

static void done(void)
{
	chosen_clear(&chosen);
	planned_free(&p);
	memset(&p, 0, sizeof(p));
}

static void check_devices(const char *json)
{
	assert_string_equal(chosen.devices, json);
}

/* Checks all lines, with a newline after each. */
static void check_lines(const char *lines)
{
	STR_AUTO struct str all = { 0 };

	for (size_t i = 0; i < chosen.lines.count; i++)
		str_addf(&all, "%s\n", chosen.lines.item[i]);
	assert_string_equal(all.text == NULL ? "" : all.text, lines);
}

static void test_taps(void **state)
{
	(void)state;
	plan(&hyper_bhyve,
	    "emulations = { { device = 'virtio-net', bridge = 'bridge0' }, "
	    "{ device = 'e1000', name = 'tap7' }, { device = 'virtio-net', name = 'vale0:x' } }");
	choose();
	check_devices("{\"e1000-0\":{\"slot\":\"0:2:0\",\"tap\":\"tap7\"},"
		      "\"virtio-net-0\":{\"bridge\":\"bridge0\",\"slot\":\"0:1:0\"},"
		      "\"virtio-net-1\":{\"slot\":\"0:3:0\"}}");
	chosen_clear(&chosen);
	find("virtio-net-0", "tap3");
	choose();
	check_devices("{\"e1000-0\":{\"slot\":\"0:2:0\",\"tap\":\"tap7\"},"
		      "\"virtio-net-0\":{\"bridge\":\"bridge0\",\"slot\":\"0:1:0\",\"tap\":"
		      "\"tap3\"},\"virtio-net-1\":{\"slot\":\"0:3:0\"}}");
	check_lines("e1000-0: tap7\nvirtio-net-0: tap3 on bridge0\n");
	assert_null(chosen.screen);
	assert_null(chosen.console);
	done();
}

/* The user has the other end of a nmdm pair. */
static void test_serial_ports(void **state)
{
	(void)state;
	plan(&hyper_bhyve,
	    "com1 = '/dev/ttyu3', com2 = '/dev/nmdm7B', com3 = 'nmdm', com4 = 'stdio', "
	    "emulations = { { device = 'uart', path = '/dev/nmdm9A' } }");
	choose();
	check_devices("{\"com1\":{\"tty\":\"/dev/ttyu3\"},\"com2\":{\"tty\":\"/dev/nmdm7A\"},"
		      "\"uart-0\":{\"slot\":\"0:1:0\",\"tty\":\"/dev/nmdm9B\"}}");
	assert_string_equal(chosen.console, "cu -l /dev/nmdm7A");
	chosen_clear(&chosen);
	p.boot.spec->com_found[2] = mem_copy("/dev/nmdm0A");
	choose();
	check_lines("console: cu -l /dev/nmdm7A\ncom1: /dev/ttyu3\ncom2: /dev/nmdm7A\n"
		    "com3: /dev/nmdm0B\nuart-0: /dev/nmdm9B\n");
	done();
}

/* The user's side of a pair that a run found is as good as that of a named one. */
static void test_found_pair(void **state)
{
	(void)state;
	plan(&hyper_bhyve, "com1 = '/dev/ttyu3', com3 = 'nmdm'");
	choose();
	assert_null(chosen.console);
	chosen_clear(&chosen);
	p.boot.spec->com_found[2] = mem_copy("/dev/nmdm0A");
	choose();
	assert_string_equal(chosen.console, "cu -l /dev/nmdm0B");
	done();
}

/* qemu makes a terminal in place of a nmdm pair and names that itself. */
static void test_no_nmdm_of_qemu(void **state)
{
	(void)state;
	plan(&hyper_qemu, "com1 = '/dev/nmdm7A', com2 = '/dev/ttyS1'");
	choose();
	check_devices("{\"com2\":{\"tty\":\"/dev/ttyS1\"}}");
	check_lines("com2: /dev/ttyS1\nqemu: accel tcg: qemu.accel of the spec\n");
	assert_null(chosen.console);
	chosen_clear(&chosen);
	p.boot.spec->com_found[0] = mem_copy("/dev/pts/4");
	choose();
	check_devices("{\"com1\":{\"tty\":\"/dev/pts/4\"},\"com2\":{\"tty\":\"/dev/ttyS1\"}}");
	assert_string_equal(chosen.console, "cu -l /dev/pts/4");
	done();
}

/* vmrun's own console comes first, whatever the other ports have. */
static void test_own_console(void **state)
{
	(void)state;
	plan(&hyper_bhyve, "com1 = '/dev/nmdm7A', com2 = 'console'");
	p.boot.spec->com_found[1] = mem_copy("/dev/pts/9");
	choose();
	check_lines("console: vmrunctl t console\ncom1: /dev/nmdm7B\ncom2: /dev/pts/9\n");
	assert_string_equal(chosen.console, "vmrunctl t console");
	chosen_clear(&chosen);
	run_dir = "/tmp/its dir";
	choose();
	assert_string_equal(chosen.console, "vmrunctl -r '/tmp/its dir' t console");
	run_dir = NULL;
	done();
}

static void test_ports(void **state)
{
	(void)state;
	plan(&hyper_qemu, "com1 = 'tcp=[::1]:4000', gdb = 'w1234'");
	choose();
	check_devices("{\"com1\":{\"host\":\"::1\",\"port\":4000},"
		      "\"gdb\":{\"host\":\"127.0.0.1\",\"port\":1234}}");
	check_lines("console: nc ::1 4000\ncom1: [::1]:4000\ngdb: 127.0.0.1:1234\n"
		    "qemu: accel tcg: qemu.accel of the spec\n");
	done();
}

static void test_screen(void **state)
{
	(void)state;
	plan(&hyper_bhyve, "graphic = { port = 'auto', wait = true }");
	choose();
	assert_null(chosen.screen); /* not known yet */
	check_lines("");
	chosen_clear(&chosen);
	find("fbuf-0", "5907");
	choose();
	check_devices("{\"fbuf-0\":{\"host\":\"127.0.0.1\",\"port\":5907,\"slot\":\"0:1:0\"},"
		      "\"xhci-0\":{\"slot\":\"0:2:0\"}}");
	assert_string_equal(chosen.screen, "vnc://127.0.0.1:5907");
	check_lines("screen: vnc://127.0.0.1:5907, waiting for a viewer\n");
	done();
	plan(&hyper_bhyve, "graphic = { host = '[fe80::1]', password = 'hunter2' }");
	choose();
	assert_string_equal(chosen.screen, "vnc://[fe80::1]:5900");
	check_lines("screen: vnc://[fe80::1]:5900, asks for a password\n");
	assert_null(strstr(chosen.devices, "hunter2"));
	done();
}

/* bhyve runs no VNC server with vga "on"; qemu does. */
static void test_screen_without_server(void **state)
{
	(void)state;
	plan(&hyper_bhyve, "graphic = { vga = 'on' }");
	choose();
	assert_null(chosen.screen);
	check_devices("{\"fbuf-0\":{\"slot\":\"0:1:0\"},\"xhci-0\":{\"slot\":\"0:2:0\"}}");
	check_lines("");
	done();
	plan(&hyper_qemu, "graphic = { vga = 'on' }");
	choose();
	assert_string_equal(chosen.screen, "vnc://127.0.0.1:5900");
	done();
}

static void test_passthru(void **state)
{
	(void)state;
	plan(&hyper_bhyve,
	    "emulations = { { device = 'passthru', src = '3:0:0' }, { device = 'passthru', "
	    "lookup = { vendor = '8086', device = '1234' } } }");
	choose();
	check_devices("{\"passthru-0\":{\"pptdev\":\"3/0/0\",\"slot\":\"0:1:0\"},"
		      "\"passthru-1\":{\"slot\":\"0:2:0\"}}");
	chosen_clear(&chosen);
	find("passthru-1", "4/0/1");
	choose();
	check_lines("passthru-0: 3/0/0\npassthru-1: 4/0/1\n");
	done();
}

static void test_sockets(void **state)
{
	(void)state;
	plan(&hyper_bhyve,
	    "emulations = { { device = 'virtio-console', ports = { '/a' } }, "
	    "{ device = 'virtio-console', ports = { x = '/b', y = '/c', z = '/d' } } }");
	choose();
	check_devices(
	    "{\"virtio-console-0\":{\"slot\":\"0:1:0\",\"socket\":\"/a\"},"
	    "\"virtio-console-1\":{\"slot\":\"0:2:0\",\"socket\":[\"/b\",\"/c\",\"/d\"]}}");
	check_lines("virtio-console-0: /a\nvirtio-console-1: /b, /c, /d\n");
	done();
}

/* What a target removes, and files that the spec needs elsewhere, are not there. */
static void test_nothing(void **state)
{
	(void)state;
	plan(&hyper_bhyve,
	    "bhyve = { release = 15, arch = 'amd64' }, tpm = { type = 'swtpm', path = '/tpm' }, "
	    "emulations = { { device = 'e1000', "
	    "name = 'tap7', id = 'n' } }, targets = { default = { emulations = "
	    "{ { id = 'n', remove = true } } } }");
	choose();
	check_devices("{}");
	check_lines("");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taps),
		cmocka_unit_test(test_serial_ports),
		cmocka_unit_test(test_found_pair),
		cmocka_unit_test(test_no_nmdm_of_qemu),
		cmocka_unit_test(test_own_console),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_screen_without_server),
		cmocka_unit_test(test_passthru),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
