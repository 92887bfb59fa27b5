/* bhyve's command, and the commands for its power button and for its destruction. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "fake.h"

static void test_flags(void **state)
{
	static const struct {
		const char *key, *flag;
		bool normally;
	} rows[] = {
		{ "utc_clock", "-u", true },
		{ "yield_on_hlt", "-H", true },
		{ "generate_acpi", "-A", true },
		{ "wire_guest_mem", "-S", false },
		{ "force_msi", "-W", false },
		{ "disable_mptable_gen", "-Y", false },
		{ "power_off_destroy_vm", "-D", false },
		{ "x2apic", "-x", false },
		{ "strict_io", "-e", false },
		{ "ignore_unknown_msr", "-w", false },
		{ "guest_mem_in_core", "-C", false },
		{ "exit_on_pause", "-P", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };
		MEM_AUTO char *on = mem_format("%s = true", rows[i].key);
		MEM_AUTO char *off = mem_format("%s = false", rows[i].key);

		planned_good(&p, &hyper_bhyve, "");
		assert_int_equal(planned_has(&p, rows[i].flag), rows[i].normally);
		planned_free(&p);
		planned_good(&p, &hyper_bhyve, on);
		assert_true(planned_has(&p, rows[i].flag));
		planned_free(&p);
		planned_good(&p, &hyper_bhyve, off);
		assert_false(planned_has(&p, rows[i].flag));
		planned_free(&p);
	}
}

/* Since 15, the tables are on by default, and -A does nothing. */
static void test_acpi_of_each_release(void **state)
{
	struct planned p = { 0 };

	(void)state;
	for (int release = 13; release <= 15; release++) {
		MEM_AUTO char *off =
		    mem_format("generate_acpi = false, bhyve = { release = %d }", release);
		MEM_AUTO char *on = mem_format("bhyve = { release = %d }", release);

		planned_good(&p, &hyper_bhyve, off);
		assert_false(planned_has(&p, "-A"));
		assert_int_equal(planned_has(&p, "-o acpi_tables=false"), release == 15);
		planned_free(&p);
		planned_good(&p, &hyper_bhyve, on);
		assert_true(planned_has(&p, "-A"));
		planned_free(&p);
	}
}

static void test_memory(void **state)
{
	static const char *const rows[][2] = {
		{ "mem = '1G'", "-m 1024M" },
		{ "mem = '4k'", "-m 4K" },
		{ "mem = 4096", "-m 4K" },
		{ "mem = '1028k'", "-m 1028K" },
		{ "mem = '3T'", "-m 3145728M" },
		{ "mem = '010M'", "-m 10M" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_bhyve, rows[i][0]);
		assert_true(planned_has(&p, rows[i][1]));
		planned_free(&p);
	}
}

static void test_order_of_further_words(void **state)
{
	struct planned p = { 0 };

	(void)state;
	words_add(&p.extra, "four");
	planned_good(
	    &p, &hyper_bhyve, "extra_options = { 'one', 'two' }, bhyve = { args = 'three' }");
	assert_true(planned_has(&p, "one two three four t"));
	assert_string_equal(p.boot.plan.argv.item[p.boot.plan.argv.count - 1], "t");
	assert_null(p.boot.plan.argv.item[p.boot.plan.argv.count]);
	planned_free(&p);
}

static void test_rest_of_the_plan(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve,
	    "com2 = 'stdio', varfile = 'v.fd', varfile_template = '/t.fd', emulations = { "
	    "{ device = 'virtio-console', ports = { '/run/a', 'b' } } }");
	assert_true(p.boot.plan.uses_stdio);
	assert_false(p.boot.plan.has_control);
	assert_false(p.boot.plan.has_log);
	assert_string_equal(p.boot.plan.vm, "t");
	assert_string_equal(p.boot.plan.varfile_template, "/t.fd");
	assert_string_equal(p.boot.plan.varfile, "/vm/v.fd");
	assert_int_equal(p.boot.plan.sockets.count, 2);
	assert_string_equal(p.boot.plan.sockets.item[0], "/run/a");
	assert_string_equal(p.boot.plan.sockets.item[1], "/vm/b");
	planned_free(&p);
	planned_good(&p, &hyper_bhyve, "com1 = '/dev/nmdm0A'");
	assert_false(p.boot.plan.uses_stdio);
	assert_null(p.boot.plan.varfile);
	planned_free(&p);
}

/* mptbl.c supports only bus 0. */
static void test_high_bus_drops_the_mptable(void **state)
{
	static const char *const rows[] = {
		"emulations = { { device = 'virtio-blk', path = '/a', slot = '1:0:0' } }",
		"hostbridge_slot = '2:0:0'",
		"config = { ['pci.1.0.0.device'] = 'virtio-rnd' }",
		"config = { ['pci.255.3.0.device'] = 'virtio-rnd' }",
	};
	struct planned p = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		planned_good(&p, &hyper_bhyve, rows[i]);
		assert_true(planned_has(&p, "-Y"));
		planned_free(&p);
	}
	/* The slot of a host bridge that does not exist has no effect. */
	planned_good(&p, &hyper_bhyve, "hostbridge = false, hostbridge_slot = '2:0:0'");
	assert_false(planned_has(&p, "-Y"));
	planned_free(&p);
	planned_good(&p, &hyper_bhyve, "config = { ['pci.0.9.0.device'] = 'virtio-rnd' }");
	assert_false(planned_has(&p, "-Y"));
	planned_free(&p);
}

/* What bhyve makes itself, or does not need, can be left out. */
static void test_false(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve,
	    "bootrom = vmrun.null, loader = 'bhyveload', uuid = false, lpc_slot = false, "
	    "emulations = { { device = 'virtio-net', name = 'tap0', mac = false } }");
	assert_null(strstr(planned_line(&p), "-U"));
	assert_null(strstr(planned_line(&p), "lpc"));
	assert_null(strstr(planned_line(&p), "mac"));
	planned_free(&p);
	planned_refused(&hyper_bhyve, "bootrom = vmrun.null, lpc_slot = false",
	    "lpc_slot: without an lpc bhyve runs no firmware: name a \"loader\"");
}

/* Since FreeBSD 15 bhyve itself loads firmware, not its lpc. */
static void test_firmware_in_config(void **state)
{
	static const char by_config[] = "bootrom = vmrun.null, lpc_slot = false, "
					"config = { bootrom = '/fw' }, bhyve = { release = ";
	MEM_AUTO char *fourteen = mem_format("%s14 }", by_config);
	MEM_AUTO char *fifteen = mem_format("%s15 }", by_config);
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve, fifteen);
	assert_non_null(strstr(planned_line(&p), " -o bootrom=/fw "));
	assert_null(strstr(planned_line(&p), "-l bootrom"));
	planned_free(&p);
	planned_refused(&hyper_bhyve, fourteen,
	    "lpc_slot: without an lpc bhyve runs no firmware: name a \"loader\"");
	planned_good(&p, &hyper_bhyve,
	    "bootrom = vmrun.null, config = { bootrom = '/fw' }, bhyve = { release = 15 }");
	assert_non_null(strstr(planned_line(&p), "-l bootrom,"));
	planned_free(&p);
}

/* bhyve expands a `%`, also in an address of the debugger. */
static void test_zones(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve,
	    "gdb = 'wfe80::1%em0:1234', graphic = { host = 'fe80::1%em0' }, "
	    "bhyve = { release = 15 }, com2 = 'tcp=[fe80::1%em0]:5'");
	assert_true(planned_has(&p, "-G wfe80::1\\%em0:1234"));
	assert_non_null(strstr(planned_line(&p), "rfb=[fe80::1\\%em0]:5900"));
	assert_true(planned_has(&p, "-l com2,tcp=[fe80::1\\%em0]:5"));
	planned_free(&p);
}

/* Only disks and virtio-scsi have a place in the boot order, and only with QEMU's fw_cfg. */
static void test_boot_order(void **state)
{
	static const char note[] =
	    "the guest does not see the boot order of \"bootindex\", because "
	    "fwcfg_type is \"bhyve\"";
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve,
	    "emulations = { { device = 'passthru', src = '3:0:0', bootindex = 1 } }");
	assert_null(strstr(planned_line(&p), "fwcfg"));
	assert_true(words_have(&p.boot.plan.notes,
	    "passthru-0: \"bootindex\" has no effect, because bhyve does not read the boot index "
	    "of "
	    "a passthru device"));
	planned_free(&p);
	planned_good(&p, &hyper_bhyve,
	    "fwcfg_type = 'bhyve', emulations = { { device = 'virtio-blk', path = 'a', bootindex = "
	    "1 "
	    "} }");
	assert_true(planned_has(&p, "-o lpc.fwcfg=bhyve"));
	assert_true(words_have(&p.boot.plan.notes, note));
	planned_free(&p);
	planned_refused(&hyper_bhyve,
	    "fwcfg_type = 'bhyve', fwcfg = { { name = 'a', string = 'b' } }",
	    "fwcfg_type: with \"bhyve\" the guest never sees \"fwcfg\"");
}

static void test_note_on_a_log_of_no_console(void **state)
{
	static const char note[] = "console.log has no effect: no serial port is \"console\"";
	static const char *const keys[] = { "com1 = 'stdio', console = { log = 'l' }",
		"console = { log = 'l' }", "com2 = 'console', console = { log = 'l' }",
		"console = { keep = 3 }" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_bhyve, keys[i]);
		assert_int_equal(words_have(&p.boot.plan.notes, note), i < 2);
		planned_free(&p);
	}
}

/* Returns the note about the order of interfaces, or NULL. */
static const char *order_note(const struct planned *p)
{
	for (size_t i = 0; i < p->boot.plan.notes.count; i++) {
		if (str_after(p->boot.plan.notes.item[i], "pin the slots") != NULL)
			return p->boot.plan.notes.item[i];
	}
	return NULL;
}

/* Interface 31 is at 0:1:1, which a guest finds before 0:2:0. */
static void test_many_interfaces(void **state)
{
	(void)state;
	for (int count = 30; count <= 31; count++) {
		STR_AUTO struct str keys = { 0 };
		struct planned p = { 0 };

		str_add(&keys, "emulations = {");
		for (int i = 0; i < count; i++)
			str_addf(&keys, "{ device = 'virtio-net', name = 'tap%d' },", i);
		str_add(&keys, "}");
		planned_good(&p, &hyper_bhyve, keys.text);
		if (count == 30)
			assert_null(order_note(&p));
		else
			assert_string_equal(order_note(&p),
			    "pin the slots of the interfaces: guests count virtio-net-30 (0:1:1) "
			    "before virtio-net-29 (0:30:0), so the names of interfaces do not "
			    "follow "
			    "the order of the spec");
		planned_free(&p);
	}
}

/* Whoever pins slots has chosen the order. */
static void test_pinned_interfaces(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve,
	    "emulations = { { device = 'e1000', name = 'tap0', slot = 5 }, "
	    "{ device = 'e1000', name = 'tap1', slot = 3 } }");
	assert_null(order_note(&p));
	planned_free(&p);
}

static void test_varfile_template(void **state)
{
	static const struct {
		const char *rom, *template; /* "": one of the installed ones; NULL: none */
	} rows[] = {
		{ "/fw/X_CODE.fd", "/fw/X_VARS.fd" },
		{ "/fw_CODE/OVMF_CODE_4M.fd", "/fw_CODE/OVMF_VARS_4M.fd" },
		{ "/x/BHYVE_UEFI_CODE.fd", "/x/BHYVE_UEFI_VARS.fd" },
		{ "/fw/a_CODE_CODE", "/fw/a_CODE_VARS" },
		{ "/fw_CODE/rom.fd", NULL },
		{ "/x/BHYVE_UEFI.fd", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *keys = mem_format("bootrom = '%s', varfile = 'v'", rows[i].rom);
		struct planned p = { 0 };

		planned_good(&p, &hyper_bhyve, keys);
		if (rows[i].template == NULL)
			assert_null(p.boot.plan.varfile_template);
		else if (*rows[i].template == '\0')
			assert_non_null(strstr(p.boot.plan.varfile_template, "BHYVE_UEFI_VARS.fd"));
		else
			assert_string_equal(p.boot.plan.varfile_template, rows[i].template);
		planned_free(&p);
	}
}

static void test_refusals_by_release(void **state)
{
	(void)state;
	planned_refused(&hyper_bhyve, "com3 = 'tcp=1.2.3.4:5'", "com3: \"tcp=\" needs FreeBSD 15");
	planned_refused(&hyper_bhyve,
	    "bhyve = { release = 13 }, emulations = { "
	    "{ device = 'ahci-cd', path = '/a', bootindex = 1 } }",
	    "emulations[0]: \"bootindex\" needs FreeBSD 14");
	planned_refused(&hyper_bhyve,
	    "bhyve = { release = 13 }, emulations = { "
	    "{ device = 'virtio-net', name = 'vm0', type = 'tap' } }",
	    "emulations[0]: \"type\" needs FreeBSD 14");
	planned_refused(&hyper_bhyve, "emulations = { { device = 'virtio-net', name = 'slirp' } }",
	    "emulations[0]: user networking (slirp) needs FreeBSD 15");
	planned_refused(&hyper_bhyve, "bhyve = { arch = 'arm64', release = 14 }",
	    "bhyve: bhyve on arm64 needs FreeBSD 15");
}

static void test_arm64(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve,
	    "com1 = 'stdio', bhyve = { arch = 'arm64' }, emulations = { "
	    "{ device = 'virtio-blk', path = '/a', slot = '1:0:0' } }");
	assert_true(planned_has(&p, "-o console=stdio"));
	assert_true(planned_has(&p, "-o bootrom=/fw/rom.fd"));
	assert_null(strstr(planned_line(&p), "lpc"));
	for (size_t i = 1; i < p.boot.plan.argv.count; i++) {
		const char *word = p.boot.plan.argv.item[i];

		assert_true(*word != '-' || strchr("CDSWkfopcsmUG", word[1]) != NULL);
	}
	planned_free(&p);
	planned_refused(&hyper_bhyve, "x2apic = true, bhyve = { arch = 'arm64' }",
	    "x2apic: bhyve has this on amd64 only");
	planned_refused(&hyper_bhyve,
	    "bhyve = { arch = 'arm64' }, emulations = { { device = 'virtio-rnd', slot = '31:1' } }",
	    "emulations[0].slot: virtio-rnd \"virtio-rnd-0\" is at 0:31:1, but its slot has no "
	    "function 0");
	planned_good(&p, &hyper_bhyve,
	    "bhyve = { arch = 'arm64' }, lpc_slot = false, emulations = { { device = "
	    "'virtio-rnd', slot = '31:0' } }");
	assert_true(planned_has(&p, "-s 0:31:0,virtio-rnd"));
	planned_free(&p);
	planned_refused(&hyper_bhyve, "lpc_slot = 30, bhyve = { arch = 'arm64' }",
	    "lpc_slot: bhyve has this on amd64 only");
	planned_refused(&hyper_bhyve,
	    "bhyve = { arch = 'arm64' }, emulations = { { device = 'virtio-blk', path = 'a', "
	    "bootindex = 1 } }",
	    "emulations[0]: \"bootindex\": bhyve has this on amd64 only");
	planned_refused(&hyper_bhyve, "com2 = '/dev/ttyu1', bhyve = { arch = 'arm64' }",
	    "com2: a bhyve guest on arm64 has one serial port, com1");
}

/* A conflict of two devices is refused, unless a target removes one of them. */
static void test_claims(void **state)
{
	static const char *const rows[][2] = {
		{ "{ device = 'virtio-blk', path = '/a', bootindex = 1 }, "
		  "{ device = 'ahci-hd', path = '/b', bootindex = 1 }",
		    "emulations[1]: virtio-blk \"virtio-blk-0\" and ahci-hd \"ahci-hd-0\" both "
		    "have the boot index \"1\"" },
		{ "{ device = 'e1000', name = 'tap1' }, { device = 'virtio-net', name = 'tap1' }",
		    "emulations[1]: e1000 \"e1000-0\" and virtio-net \"virtio-net-0\" both have "
		    "the interface \"tap1\"" },
		{ "{ device = 'virtio-console', ports = { a = '/s' } }, "
		  "{ device = 'virtio-console', ports = { b = '/s' } }",
		    "emulations[1]: virtio-console \"virtio-console-0\" and virtio-console "
		    "\"virtio-console-1\" both have the socket \"/s\"" },
		{ "{ device = 'uart', path = 'stdio' }, { device = 'uart', path = 'stdio' }",
		    "emulations[1]: uart \"uart-0\" and uart \"uart-1\" both have the serial "
		    "port \"stdio\"" },
		{ "{ device = 'virtio-scsi', path = '/a', bootindex = 1 }, "
		  "{ device = 'nvme', ram = 1, bootindex = 1 }",
		    "emulations[1]: virtio-scsi \"virtio-scsi-0\" and nvme \"nvme-0\" both have "
		    "the boot index \"1\"" },
	};
	struct planned p = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *keys = mem_format("emulations = { %s }", rows[i][0]);

		planned_refused(&hyper_bhyve, keys, rows[i][1]);
		planned_refused(&hyper_qemu, keys, rows[i][1]);
	}
	/* Several devices on one switch, and names of ports, which only qemu wants unique. */
	planned_good(&p, &hyper_bhyve,
	    "emulations = { { device = 'virtio-net', name = 'vale0:a' }, "
	    "{ device = 'virtio-net', name = 'vale0:a' }, "
	    "{ device = 'virtio-console', ports = { '/a' } }, "
	    "{ device = 'virtio-console', ports = { '/b' } } }");
	planned_free(&p);
}

/* Two serial ports of the spec, or uarts, cannot have the same backend. */
static void test_serial_claims(void **state)
{
	static const char *const rows[][2] = {
		{ "com1 = 'stdio', emulations = { { device = 'uart', path = 'stdio' } }",
		    "emulations[0]: com1 and uart \"uart-0\" both have the serial port \"stdio\"" },
		{ "com2 = '/dev/nmdm0A', emulations = { { device = 'uart', path = '/dev/nmdm0A' } "
		  "}",
		    "emulations[0]: com2 and uart \"uart-0\" both have the serial device "
		    "\"/dev/nmdm0A\"" },
		{ "com1 = '/dev/nmdm0A', com2 = '/dev/nmdm0A'",
		    "com2: com1 has \"/dev/nmdm0A\" already" },
	};
	struct planned p = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		planned_refused(&hyper_bhyve, rows[i][0], rows[i][1]);
		planned_refused(&hyper_qemu, rows[i][0], rows[i][1]);
	}
	planned_good(
	    &p, &hyper_bhyve, "com1 = 'nmdm', com2 = 'nmdm', com3 = '/dev/nmdm0A', com4 = 'nmdm'");
	assert_false(p.boot.plan.uses_stdio);
	planned_free(&p);
	planned_good(&p, &hyper_bhyve,
	    "com1 = '/dev/nmdm0A', emulations = { { device = 'uart', path = 'stdio' } }");
	assert_true(p.boot.plan.uses_stdio);
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "emulations = { { device = 'uart', path = 'stdio' } }");
	assert_true(p.boot.plan.uses_stdio);
	assert_true(planned_has(&p, "-chardev stdio,id=uart-0-port,signal=off"));
	planned_free(&p);
	/* The backend belongs to a removed device. */
	planned_good(&p, &hyper_bhyve,
	    "emulations = { { device = 'uart', path = 'stdio', id = 'u' } }, targets = { default "
	    "= { emulations = { { id = 'u', remove = true } } } }");
	assert_false(p.boot.plan.uses_stdio);
	planned_free(&p);
}

static void test_power(void **state)
{
	struct planned p = { 0 };
	struct stop_method method = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve, "");
	hyper_bhyve.stop_method(&p.boot.plan, STOP_ACPI, &method);
	assert_int_equal(method.signal, SIGTERM);
	assert_null(method.control);
	assert_int_equal(method.helper.count, 0);
	memset(&method, 0, sizeof(method));
	hyper_bhyve.stop_method(&p.boot.plan, STOP_POWEROFF, &method);
	assert_int_equal(method.signal, 0);
	assert_null(method.control);
	assert_int_equal(method.helper.count, 3);
	assert_string_equal(method.helper.item[0], "bhyvectl");
	assert_string_equal(method.helper.item[1], "--vm=t");
	assert_string_equal(method.helper.item[2], "--force-poweroff");
	words_free(&method.helper);
	memset(&method, 0, sizeof(method));
	hyper_bhyve.stop_method(&p.boot.plan, STOP_KILL, &method);
	assert_int_equal(method.signal, SIGKILL);
	assert_null(method.control);
	assert_int_equal(method.helper.count, 0);
	planned_free(&p);
}

/* There is no VM of this name in the kernel. */
static void test_nothing_to_destroy(void **state)
{
	struct planned p = { 0 };
	struct words command = { 0 };

	(void)state;
	planned_good(&p, &hyper_bhyve, "name = 'no-such-vm-here'");
	hyper_bhyve.leftover_command(&p.boot.plan, &command);
	assert_int_equal(command.count, 0);
	planned_free(&p);
}

static void test_says_and_hears_nothing(void **state)
{
	struct signs signs = { 0 }, same = { 0 };

	(void)state;
	assert_null(hyper_bhyve.hear(&signs, CHANNEL_STDERR, "Triple fault"));
	assert_memory_equal(&signs, &same, sizeof(signs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_acpi_of_each_release),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_order_of_further_words),
		cmocka_unit_test(test_rest_of_the_plan),
		cmocka_unit_test(test_high_bus_drops_the_mptable),
		cmocka_unit_test(test_false),
		cmocka_unit_test(test_firmware_in_config),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_boot_order),
		cmocka_unit_test(test_note_on_a_log_of_no_console),
		cmocka_unit_test(test_many_interfaces),
		cmocka_unit_test(test_pinned_interfaces),
		cmocka_unit_test(test_varfile_template),
		cmocka_unit_test(test_refusals_by_release),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_serial_claims),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_nothing_to_destroy),
		cmocka_unit_test(test_says_and_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
