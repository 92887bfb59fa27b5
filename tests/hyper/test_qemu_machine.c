/* The machines of qemu: amd64 and arm64, the accelerator, and the screen of the BIOS. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/os.h"

#define ARM64 "bhyve = { arch = 'arm64' }, qemu = { accel = 'tcg' }, "

static void has(struct planned *p, const char *words)
{
	if (!planned_has(p, words))
		fail_msg("no %s in %s", words, planned_line(p));
}

static void lacks(struct planned *p, const char *text)
{
	if (strstr(planned_line(p), text) != NULL)
		fail_msg("%s is in %s", text, planned_line(p));
}

static void test_arm64(void **state)
{
	struct planned p = { .run = true };

	(void)state;
	planned_good(&p, &hyper_qemu,
	    ARM64
	    "com1 = 'stdio', tpm = { type = 'swtpm', path = '/s' }, emulations = { { device = "
	    "'virtio-blk', path = '/d' }, { device = 'fbuf' } }");
	has(&p, "qemu-system-aarch64 -name");
	has(&p, "-machine virt,gic-version=max,dump-guest-core=off");
	has(&p, "-cpu max,pauth-impdef=on");
	has(&p, "-chardev stdio,id=com1,signal=off -serial chardev:com1");
	has(&p, "-device tpm-tis-device,tpmdev=tpm");
	has(&p, "-bios /fw/rom.fd");
	assert_non_null(strstr(planned_line(&p), "-device bochs-display,"));
	assert_non_null(strstr(planned_line(&p), "bus=pcie.0,addr=1.0"));
	/* These are x86's; the log would have no triple fault. */
	lacks(&p, "q35");
	lacks(&p, "-global");
	lacks(&p, "isa-");
	lacks(&p, " -D ");
	assert_false(p.boot.plan.has_log);
	assert_true(p.boot.plan.has_control);
	planned_free(&p);

	planned_good(&p, &hyper_qemu, ARM64 "generate_acpi = false, qemu = { accel = 'kvm' }");
	has(&p, "-machine virt,gic-version=max,dump-guest-core=off,acpi=off");
	has(&p, "-accel kvm -cpu max");
	planned_free(&p);
	/* A graphics card of PCs has ports. */
	planned_good(&p, &hyper_qemu, "emulations = { { device = 'fbuf' } }");
	assert_non_null(strstr(planned_line(&p), "-device VGA,"));
	has(&p, "qemu-system-x86_64 -name");
	planned_free(&p);
}

/* AAVMF replaces u-boot and BHYVE_UEFI, with variables of its own. */
static void test_firmware_of_arm64(void **state)
{
	static const char uboot[] = "/usr/local/share/u-boot/u-boot-bhyve-arm64/u-boot.bin";
	MEM_AUTO char *keys = mem_format(ARM64 "bootrom = '%s', varfile = 'v.fd'", uboot);
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, keys);
	assert_string_equal(p.boot.plan.varfile, "/vm/v.fd.qemu");
	assert_non_null(strstr(p.boot.plan.bootrom, "/AAVMF_CODE.fd") != NULL
		? p.boot.plan.bootrom
		: strstr(p.boot.plan.bootrom, "/edk2-aarch64-code.fd"));
	assert_int_equal(p.boot.plan.notes.count, 1);
	assert_non_null(str_after(p.boot.plan.notes.item[0], "firmware /usr/local/share/u-boot"));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, ARM64 "bootrom = vmrun.null");
	assert_null(strstr(planned_line(&p), "OVMF"));
	assert_non_null(strstr(planned_line(&p), "-bios /usr/"));
	assert_int_equal(p.boot.plan.notes.count, 0);
	planned_free(&p);
	/* A u-boot that is not bhyve's is the user's own choice. */
	planned_good(&p, &hyper_qemu, ARM64 "bootrom = '/usr/lib/u-boot/qemu_arm64/u-boot.bin'");
	has(&p, "-bios /usr/lib/u-boot/qemu_arm64/u-boot.bin");
	planned_free(&p);
	planned_good(&p, &hyper_qemu,
	    ARM64 "bootrom = '/usr/local/share/qemu/edk2-aarch64-code.fd', varfile = 'v.fd'");
	assert_string_equal(p.boot.plan.varfile_template, "/usr/local/share/qemu/edk2-arm-vars.fd");
	planned_free(&p);
}

static void test_refused_on_arm64(void **state)
{
	static const struct {
		const char *keys, *problem;
	} cases[] = {
		{ "bootrom = false", "bootrom: qemu has no BIOS for arm64" },
		{ "bootrom = vmrun.null, loader = 'bhyveload'",
		    "loader: qemu has no BIOS for arm64" },
		{ "com2 = '/dev/ttyu1'", "com2: qemu: an arm64 guest has one serial port" },
		{ "emulations = { { device = 'virtio-rnd', slot = '31:1' } }",
		    "emulations[0].slot: virtio-rnd \"virtio-rnd-0\" is at 0:31:1, but its slot "
		    "has "
		    "no function 0" },
		{ "emulations = { { device = 'virtio-rnd', slot = '0:0:1' } }",
		    "emulations[0]: qemu: virtio-rnd at 0:0:1: 0:0 belongs to the bridge of virt" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		MEM_AUTO char *keys = mem_format(ARM64 "%s", cases[i].keys);

		planned_refused(&hyper_qemu, keys, cases[i].problem);
	}
}

/* Only the registers of x86 tell that a processor has halted. */
static void test_halt_poll_is_for_amd64(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, "cpu = 2, qemu = { accel = 'tcg', halt_poll = 1 }");
	assert_int_equal(p.boot.plan.processors, 2);
	assert_int_equal(p.boot.plan.notes.count, 0);
	planned_free(&p);
	planned_good(&p, &hyper_qemu,
	    "cpu = 2, qemu = { accel = 'tcg', halt_poll = 1, args = { '-smp', '3' } }");
	assert_true(p.boot.plan.processors == PROCESSORS_UNKNOWN);
	planned_free(&p);
	planned_good(
	    &p, &hyper_qemu, "bhyve = { arch = 'arm64' }, qemu = { accel = 'tcg', halt_poll = 1 }");
	assert_int_equal(p.boot.plan.processors, 0);
	assert_int_equal(p.boot.plan.notes.count, 1);
	assert_non_null(strstr(p.boot.plan.notes.item[0], "qemu.halt_poll is for amd64"));
	planned_free(&p);
}

/* What only a PC lacks is fine: a kernel boots without a BIOS, and slot 31 is free. */
static void test_allowed_on_arm64(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu,
	    "bootrom = false, bhyve = { arch = 'arm64' }, qemu = { accel = 'tcg', kernel = '/k' }, "
	    "lpc_slot = false, hostbridge_slot = 1, emulations = { { device = 'virtio-rnd', slot = "
	    "'31:0' } }");
	has(&p, "-kernel /k");
	assert_non_null(strstr(planned_line(&p), "bus=pcie.0,addr=1f.0"));
	assert_int_equal(p.boot.plan.notes.count, 1);
	assert_non_null(strstr(p.boot.plan.notes.item[0], "the host bridge of virt is at 0:0:0"));
	planned_free(&p);
	planned_good(&p, &hyper_qemu,
	    "bhyve = { arch = 'arm64' }, qemu = { accel = 'tcg' }, lpc_slot = 30, emulations = { "
	    "{ device = 'virtio-rnd', slot = 31 } }");
	assert_non_null(strstr(planned_line(&p), "bus=pcie.0,addr=1f.0"));
	assert_string_equal(
	    p.boot.plan.notes.item[0], "lpc_slot is for amd64: an arm64 guest has no lpc");
	planned_free(&p);
}

/* The spec that is printed must not set what bhyve refuses on arm64. */
static void test_printed_spec_of_arm64(void **state)
{
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, ARM64 "x2apic = true, generate_acpi = false");
	MEM_AUTO char *text = spec_print(p.boot.spec);

	assert_null(strstr(text, "lpc_slot"));
	assert_null(strstr(text, "yield_on_hlt"));
	assert_non_null(strstr(text, "\"x2apic\": true"));
	assert_non_null(strstr(text, "\"generate_acpi\": false"));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "");
	MEM_AUTO char *amd64 = spec_print(p.boot.spec);

	assert_non_null(strstr(amd64, "lpc_slot"));
	planned_free(&p);
}

/* KVM is for guests of the host's own architecture. */
static void test_accelerator_of_another_architecture(void **state)
{
	const char *other = strcmp(os_arch(), "arm64") == 0 ? "amd64" : "arm64";
	MEM_AUTO char *keys = mem_format("bhyve = { arch = '%s' }, qemu = {}", other);
	MEM_AUTO char *why = mem_format("tcg: KVM runs guests of the host's architecture only, and "
					"this one is for %s",
	    other);
	struct planned p = { 0 };

	(void)state;
	planned_good(&p, &hyper_qemu, keys);
	assert_string_equal(p.boot.plan.accel, why);
	has(&p, "-accel tcg");
	planned_free(&p);
}

/* A BIOS without another screen is on com1; a guest that qemu boots by itself has no BIOS menu. */
static void test_screen_of_the_bios(void **state)
{
	static const struct {
		const char *keys;
		bool is_on_com1;
	} cases[] = {
		{ "bootrom = false, com1 = 'stdio'", true },
		{ "bootrom = vmrun.null, loader = 'bhyveload', com1 = 'console', emulations = { { "
		  "device = 'virtio-blk', path = '/d' } }",
		    true },
		{ "bootrom = false, com1 = 'stdio', emulations = { { id = 'f', device = 'fbuf' } "
		  "}, "
		  "targets = { default = { emulations = { { id = 'f', remove = true } } } }",
		    true },
		{ "bootrom = false, com1 = 'stdio', emulations = { { device = 'fbuf' } }", false },
		{ "bootrom = false, com1 = 'stdio', graphic = {}", false },
		{ "bootrom = false, com2 = '/dev/ttyS1'", false },
		{ "bootrom = false, com1 = 'stdio', qemu = { accel = 'tcg', kernel = '/k' }",
		    false },
		{ "com1 = 'stdio'", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_qemu, cases[i].keys);
		if ((strstr(planned_line(&p), ",graphics=off") != NULL) != cases[i].is_on_com1)
			fail_msg("%s: %s", cases[i].keys, planned_line(&p));
		planned_free(&p);
	}
}

/* SeaBIOS says that it resets; a log that the user reads has qemu's lines only. */
static void test_messages_of_the_bios(void **state)
{
	static const char messages[] = "-chardev file,id=bios-log,path=/dev/fd/4 -device "
				       "isa-debugcon,iobase=0x402,chardev=bios-log";
	static const struct {
		const char *keys;
		bool run, has_messages;
	} cases[] = {
		{ "bootrom = false", true, true },
		{ "bootrom = false, qemu = { accel = 'tcg', kernel = '/k' }", true, true },
		{ "bootrom = false, qemu = { accel = 'tcg', args = '-d int' }", true, false },
		{ "bootrom = false, qemu = { accel = 'kvm' }", true, false },
		{ "bootrom = false", false, false },
		{ "", true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct planned p = { .run = cases[i].run };

		planned_good(&p, &hyper_qemu, cases[i].keys);
		if (planned_has(&p, messages) != cases[i].has_messages)
			fail_msg("%s: %s", cases[i].keys, planned_line(&p));
		planned_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_firmware_of_arm64),
		cmocka_unit_test(test_refused_on_arm64),
		cmocka_unit_test(test_allowed_on_arm64),
		cmocka_unit_test(test_halt_poll_is_for_amd64),
		cmocka_unit_test(test_printed_spec_of_arm64),
		cmocka_unit_test(test_accelerator_of_another_architecture),
		cmocka_unit_test(test_screen_of_the_bios),
		cmocka_unit_test(test_messages_of_the_bios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
