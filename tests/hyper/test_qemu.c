/* qemu's command and its power button. */
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
#include "hyper/qmp.h"
#include "platform/os.h"

#define DISK(more) "{ device = 'virtio-blk', path = '/d.img'" more " }"

static void test_plan(void **state)
{
	struct planned p = { .run = true };

	(void)state;
	words_add(&p.extra, "-three");
	planned_good(&p, &hyper_qemu,
	    "com1 = 'stdio', extra_options = '-one', qemu = { accel = 'tcg', args = { '-two' } }");
	assert_true(p.boot.plan.has_control);
	assert_true(p.boot.plan.has_log);
	assert_true(p.boot.plan.uses_stdio);
	assert_true(planned_has(&p, "-S"));
	assert_true(planned_has(&p, "-chardev socket,id=qmp,fd=3"));
	assert_true(planned_has(&p, "-d cpu_reset -D /dev/fd/4"));
	assert_true(planned_has(&p, "-chardev stdio,id=com1,signal=off"));
	assert_true(planned_has(&p, "-m 67108864B"));
	assert_true(planned_has(&p, "-one -two -three"));
	planned_free(&p);
}

/* A printed command has no vmrun at the other end of its channels. */
static void test_printed(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, "com1 = 'stdio'");
	assert_false(p.boot.plan.has_control);
	assert_false(p.boot.plan.has_log);
	assert_false(planned_has(&p, "-S"));
	assert_false(planned_has(&p, "-d"));
	assert_null(strstr(planned_line(&p), "qmp"));
	assert_null(strstr(planned_line(&p), "/dev/fd"));
	planned_free(&p);
	/* gdb starts this guest, also without vmrun. */
	planned_good(&p, &hyper_qemu, "gdb = 'w1234'");
	assert_true(planned_has(&p, "-S"));
	planned_free(&p);
}

/* The log is TCG's, and has no use under KVM. */
static void test_accelerators(void **state)
{
	struct planned p = { .run = true };

	(void)state;
	planned_good(&p, &hyper_qemu, "wire_guest_mem = true, qemu = { accel = 'kvm' }");
	assert_true(planned_has(&p, "-accel kvm"));
	assert_true(planned_has(&p, "-overcommit mem-lock=on"));
	assert_false(planned_has(&p, "-D"));
	assert_false(p.boot.plan.has_log);
	planned_free(&p);
	/* qemu would lock a gigabyte of translated code, too. */
	planned_good(&p, &hyper_qemu, "wire_guest_mem = true");
	assert_true(planned_has(&p, "-accel tcg"));
	assert_null(strstr(planned_line(&p), "mem-lock"));
	planned_free(&p);
}

/* The user is told which one was chosen, and why. */
static void test_reason_of_accelerator(void **state)
{
	struct planned p = { 0 };
	char why[OS_KVM_WHY] = "/dev/kvm opens";
	bool kvm = os_has_kvm(why);

	(void)state;
	planned_good(&p, &hyper_qemu, "qemu = { accel = 'kvm' }");
	assert_string_equal(p.boot.plan.accel, "kvm: qemu.accel of the spec");
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "");
	assert_string_equal(p.boot.plan.accel, "tcg: qemu.accel of the spec");
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "qemu = {}");
	MEM_AUTO char *chosen = mem_format("%s: %s", kvm ? "kvm" : "tcg", why);

	assert_string_equal(p.boot.plan.accel, chosen);
	assert_true(planned_has(&p, kvm ? "-accel kvm" : "-accel tcg"));
	planned_free(&p);
	planned_good(&p, &hyper_bhyve, "");
	assert_null(p.boot.plan.accel);
	planned_free(&p);
}

static void test_terminal_made(void **state)
{
	static const char *const other[] = { "", "char device redirected to /dev/pts/3",
		"char device redirected to /dev/pts/3 (label com5)",
		"char device redirected to /dev/pts/3 (label com1) ",
		"a char device redirected to /dev/pts/3 (label com1)" };
	size_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		assert_null(hyper_qemu.terminal_made(other[i], &port));
	MEM_AUTO char *tty =
	    hyper_qemu.terminal_made("char device redirected to /dev/pts/3 (label com2)", &port);

	assert_non_null(tty);
	assert_string_equal(tty, "/dev/pts/3");
	assert_int_equal(port, 1);
	assert_null(hyper_bhyve.terminal_made);
}

static void test_addresses(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu,
	    "emulations = { " DISK(", slot = '16'") ", " DISK(", slot = '30:0'") ", " DISK(
		", slot = '30:7'") " }");
	assert_non_null(strstr(planned_line(&p), "bus=pcie.0,addr=10.0,r"));
	assert_non_null(strstr(planned_line(&p), "bus=pcie.0,addr=1e.0,multifunction=on,r"));
	assert_non_null(strstr(planned_line(&p), "bus=pcie.0,addr=1e.7,r"));
	planned_free(&p);
}

/* A function that a target removes makes its slot an ordinary one again. */
static void test_removed_function(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu,
	    "emulations = { " DISK(", slot = '4:0'") ", " DISK(
		", id = 'x', slot = '4:1'") " }, "
					    "targets = { default = { emulations = { { id = 'x', "
					    "remove = true } } } }");
	assert_null(strstr(planned_line(&p), "multifunction"));
	planned_free(&p);
}

/* qemu allows 31 bytes for the name of a block node; ids may be longer. */
static void test_names_of_nodes(void **state)
{
	struct planned p = { 0 };
	const char *node;

	(void)state;
	planned_good(&p, &hyper_qemu,
	    "emulations = { "
	    "{ device = 'virtio-blk', path = '/a', "
	    "id = 'x123456789012345678901234567890123456789012345678901234567890123' },"
	    "{ device = 'ahci-cd', path = '/b', slot = '30:7' },"
	    "{ device = 'ahci-hd', path = '/b', slot = '30:0' } }");
	for (node = strstr(planned_line(&p), "node-name="); node != NULL;
	     node = strstr(node + 1, "node-name=")) {
		size_t n = strcspn(node + 10, ",");
		MEM_AUTO char *name = mem_copy_n(node + 10, n);
		MEM_AUTO char *drive = mem_format("drive=%s", name);

		assert_in_range(n, 1, 31);
		assert_non_null(strstr(node, drive));
	}
	planned_free(&p);
}

static void test_serial_ports(void **state)
{
	static const struct {
		const char *com, *words;
	} rows[] = {
		{ "tcp=127.0.0.1:4000",
		    "-chardev socket,id=com2,host=127.0.0.1,port=4000,server=on,wait=off" },
		{ "tcp=[fe80::1]:22",
		    "-chardev socket,id=com2,host=fe80::1,port=22,server=on,wait=off" },
		{ "/dev/nmdm7A", "-chardev pty,id=com2" },
		{ "/dev/tty,S0", "-chardev serial,id=com2,path=/dev/tty,,S0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };
		MEM_AUTO char *keys = mem_format("com2 = '%s'", rows[i].com);

		planned_good(&p, &hyper_qemu, keys);
		assert_true(planned_has(&p, rows[i].words));
		assert_true(planned_has(&p, "-device isa-serial,index=1,chardev=com2"));
		planned_free(&p);
	}
}

/* An address without its closing bracket is refused or passed on, and not read beyond its end. */
static void test_broken_brackets(void **state)
{
	static const char *const rows[] = { "com1 = 'tcp=[:80'", "com1 = 'tcp=[]:80'",
		"com1 = 'tcp=[a:80'", "com1 = 'tcp=]:80'" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };

		planned_make(&p, &hyper_qemu, rows[i]);
		planned_free(&p);
	}
}

static void test_firmware(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, "bootrom = '/fw/a,b.fd'");
	assert_true(planned_has(&p, "-bios /fw/a,b.fd"));
	assert_int_equal(p.boot.plan.notes.count, 0);
	planned_free(&p);

	planned_good(&p, &hyper_qemu, "varfile = 'v.fd', varfile_template = '/t.fd'");
	assert_string_equal(p.boot.plan.varfile_template, "/t.fd");
	assert_string_equal(p.boot.plan.varfile, "/vm/v.fd");
	assert_true(planned_has(&p, "-machine pflash0=flash0,pflash1=flash1"));
	assert_false(planned_has(&p, "-bios"));
	planned_free(&p);

	/* A firmware of one's own has its variables beside it, or nowhere. */
	planned_good(&p, &hyper_qemu, "bootrom = '/x/OVMF_CODE_4M.fd', varfile = 'v.fd'");
	assert_string_equal(p.boot.plan.varfile_template, "/x/OVMF_VARS_4M.fd");
	planned_free(&p);
	planned_good(&p, &hyper_qemu,
	    "bootrom = '/usr/local/share/qemu/edk2-x86_64-code.fd', varfile = 'v.fd'");
	assert_string_equal(
	    p.boot.plan.varfile_template, "/usr/local/share/qemu/edk2-i386-vars.fd");
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "varfile = 'v.fd'");
	assert_null(p.boot.plan.varfile_template);
	planned_free(&p);

	/* bhyve's firmware and variables are not for qemu, so vmrun does not look at them. */
	planned_good(&p, &hyper_qemu,
	    "bootrom = '/x/BHYVE_UEFI_CODE.fd', varfile = 'v.fd', varfile_template = '/t.fd'");
	assert_string_not_equal(p.boot.plan.varfile_template, "/t.fd");
	assert_string_equal(p.boot.plan.varfile, "/vm/v.fd.qemu");
	assert_null(strstr(planned_line(&p), "BHYVE_UEFI"));
	assert_int_equal(p.boot.plan.notes.count, 1);
	planned_free(&p);

	planned_good(&p, &hyper_qemu,
	    "bootrom = '/x/BHYVE_UEFI.fd', varfile = 'v.fd', "
	    "qemu = { bootrom = 'q.fd', varfile = 'qv.fd', accel = 'tcg' }");
	assert_string_equal(p.boot.plan.varfile, "/vm/qv.fd");
	assert_non_null(strstr(planned_line(&p), "file.filename=/vm/q.fd "));
	assert_int_equal(p.boot.plan.notes.count, 0);
	planned_free(&p);
}

static bool has_note(const struct planned *p, const char *beginning)
{
	for (size_t i = 0; i < p->boot.plan.notes.count; i++) {
		if (str_after(p->boot.plan.notes.item[i], beginning) != NULL)
			return true;
	}
	return false;
}

/* What qemu has elsewhere, or otherwise, is a note. */
static void test_notes(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, "lpc_slot = 30");
	assert_true(has_note(&p, "lpc_slot is bhyve's: under qemu the lpc of q35 is at 0:31:0"));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "bootrom = vmrun.null, lpc_slot = false");
	assert_true(has_note(&p, "lpc_slot is bhyve's"));
	planned_free(&p);
	planned_good(&p, &hyper_qemu,
	    "uuid = false, emulations = { { device = 'ahci-hd', path = '/a,b', ro = true } }");
	assert_true(has_note(&p, "/a,b: qemu has no read-only IDE disk: the guest can write to"));
	assert_true(planned_has(&p,
	    "-drive if=none,id=disk-0.1.0,format=raw,snapshot=on,file.driver=file,"
	    "file.filename=/a,,b"));
	assert_null(strstr(planned_line(&p), "-uuid"));
	assert_null(strstr(planned_line(&p), "node-name=disk-0.1.0"));
	planned_free(&p);
}

/* A spec that names variables gets UEFI with its kernel; else qemu's own BIOS boots it. */
static void test_kernel(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, "bootrom = vmrun.null, qemu = { kernel = 'k' }");
	assert_true(planned_has(&p, "-kernel /vm/k"));
	assert_null(strstr(planned_line(&p), "-bios"));
	assert_null(strstr(planned_line(&p), "pflash"));
	assert_null(p.boot.plan.bootrom);
	planned_free(&p);
	planned_good(
	    &p, &hyper_qemu, "bootrom = vmrun.null, varfile = 'v', qemu = { kernel = 'k' }");
	assert_true(planned_has(&p, "-machine pflash0=flash0,pflash1=flash1 -kernel /vm/k"));
	planned_free(&p);
}

/* A device on each of these buses, as a Lua expression. */
#define ON_BUSES(first, last)                                           \
	"(function() local list = {} for bus = " #first ", " #last      \
	" do list[#list + 1] = { device = 'virtio-rnd', slot = bus .. " \
	"':0:0' } end return list end)()"

static void test_buses(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu,
	    "emulations = { " DISK(", slot = '1:0:0'") ", " DISK(", slot = '2:31:0'") ", " DISK(
		", slot = '5:3:0'") ", " DISK(", slot = '31:1'") " }");
	/* Function 1 of the bridges' slot is the user's. */
	assert_true(planned_has(&p,
	    "-device pci-bridge,id=bus1,shpc=off,chassis_nr=1,bus=pcie.0,addr=1f.2 "
	    "-device pci-bridge,id=bus2,shpc=off,chassis_nr=2,bus=pcie.0,addr=1f.3 "
	    "-device pxb-pcie,id=root4,bus_nr=4,bus=pcie.0,addr=1f.4 "
	    "-device pci-bridge,id=bus5,shpc=off,chassis_nr=5,bus=root4,addr=0.0"));
	assert_non_null(strstr(planned_line(&p), "bus=bus2,addr=1f.0,r"));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "emulations = " ON_BUSES(1, 7));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "emulations = " ON_BUSES(2, 33));
	assert_true(planned_has(
	    &p, "-device pci-bridge,id=bus33,shpc=off,chassis_nr=33,bus=root1,addr=1f.0"));
	planned_free(&p);
}

static void test_refusals(void **state)
{
	static const char *const rows[][2] = {
		{ "lpc_slot = 3, emulations = { " DISK(", slot = '3:1'") " }",
		    "emulations[0]: qemu: virtio-blk at 0:3:1: function 0 of this slot is the "
		    "lpc" },
		{ "hostbridge = false, emulations = { " DISK(", slot = 0") " }",
		    "emulations[0]: qemu: virtio-blk at 0:0:0: 0:0 and 0:31:0 belong to the "
		    "bridges" },
		{ "emulations = " ON_BUSES(1, 8),
		    "emulations[7]: qemu: virtio-rnd at 8:0:0: no slot is left for the bridge" },
		{ "emulations = " ON_BUSES(2, 34),
		    "emulations[32]: qemu: virtio-rnd at 34:0:0: no slot is left for the bridge" },
		{ "bhyve = { arch = 'arm64' }, emulations = " ON_BUSES(1, 1),
		    "emulations[0]: qemu: virtio-rnd at 1:0:0: vmrun places devices on bus 0 "
		    "only" },
		{ "emulations = { { device = 'ahci-hd', path = '/a', "
		  "logical_sector_size = 2048 } }",
		    "emulations[0]: qemu: ahci-hd at 0:1:0: qemu's SATA disks have sectors of "
		    "512" },
		{ "emulations = { { device = 'virtio-net', name = 'vale0:x' } }",
		    "emulations[0]: qemu: virtio-net at 0:1:0: qemu has no vale" },
		{ "emulations = { { device = 'e1000', name = 'vmnet0' } }",
		    "emulations[0]: qemu: e1000 at 0:1:0: qemu has no vmnet" },
		{ "emulations = { { device = 'raw', value = 'virtio-rnd' } }",
		    "emulations[0]: qemu: raw at 0:1:0: a raw device" },
		{ "emulations = { { device = 'virtio-console', ports = { '/a' } }, "
		  "{ device = 'virtio-console', ports = { '/b' } } }",
		    "emulations[1]: virtio-console \"virtio-console-0\" and virtio-console "
		    "\"virtio-console-1\" both have the port name \"port1\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		planned_refused(&hyper_qemu, rows[i][0], rows[i][1]);
}

static void test_power(void **state)
{
	struct planned p = { 0 };
	struct stop_method method = { 0 };
	struct words command = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, "");
	hyper_qemu.stop_method(&p.boot.plan, STOP_ACPI, &method);
	assert_string_equal(method.control, QMP_POWERDOWN);
	assert_int_equal(method.signal, 0);
	memset(&method, 0, sizeof(method));
	hyper_qemu.stop_method(&p.boot.plan, STOP_POWEROFF, &method);
	assert_string_equal(method.control, QMP_QUIT);
	assert_int_equal(method.signal, 0);
	memset(&method, 0, sizeof(method));
	hyper_qemu.stop_method(&p.boot.plan, STOP_KILL, &method);
	assert_null(method.control);
	assert_int_equal(method.signal, SIGKILL);
	hyper_qemu.leftover_command(&p.boot.plan, &command);
	assert_int_equal(command.count, 0);
	assert_string_equal(p.boot.plan.first_message, QMP_HELLO);
	planned_free(&p);
}

static void test_find(void **state)
{
	(void)state;
	assert_ptr_equal(hyper_find("bhyve"), &hyper_bhyve);
	assert_ptr_equal(hyper_find("qemu"), &hyper_qemu);
	assert_null(hyper_find("Qemu"));
	assert_null(hyper_find(""));
	assert_non_null(hyper_for_host());
	assert_string_equal(hyper_status_text(64), "usage error");
	assert_null(hyper_status_text(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_printed),
		cmocka_unit_test(test_accelerators),
		cmocka_unit_test(test_reason_of_accelerator),
		cmocka_unit_test(test_terminal_made),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_removed_function),
		cmocka_unit_test(test_names_of_nodes),
		cmocka_unit_test(test_serial_ports),
		cmocka_unit_test(test_broken_brackets),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_buses),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
