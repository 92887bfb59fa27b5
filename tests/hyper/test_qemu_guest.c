/* The words of qemu's command for keys of the guest. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "hyper/qmp.h"

static void test_words(void **state)
{
	static const char *const rows[][2] = {
		{ "gdb = 'w[::1]:1234'", "-gdb tcp:[::1]:1234" },
		{ "gdb = '0.0.0.0:1234'", "-gdb tcp:0.0.0.0:1234" },
		{ "gdb = '1234'",
		    "-gdb tcp:localhost:1234" }, /* as with bhyve, only for this host */
		{ "cpu = 4, numa = { { id = 0, cpus = '0-1,3' }, { id = 1, cpus = '2' } }",
		    "-object memory-backend-ram,id=ram0,size=33554432B -numa "
		    "node,nodeid=0,memdev=ram0,cpus=0-1,cpus=3" },
		{ "fwcfg = { { name = 'opt/a', string = 'b,c' } }",
		    "-fw_cfg name=opt/a,string=b,,c" },
		{ "fwcfg = { { name = 'opt/a', file = 'f,g' } }",
		    "-fw_cfg name=opt/a,file=/vm/f,,g" },
		{ "smbios = { bios = { release_date = '1,2' } }", "-smbios type=0,date=1,,2" },
		{ "smbios = { system = { family_name = 'f' } }", "-smbios type=1,family=f" },
		{ "smbios = { chassis = { asset_tag = 'f' } }", "-smbios type=3,asset=f" },
		{ "tpm = { type = 'swtpm', path = 's,t' }",
		    "-chardev "
		    "socket,id=tpm-socket,path=/vm/s,,t" },
		{ "tpm = { type = 'passthru', path = '/dev/tpm0' }",
		    "-tpmdev passthrough,id=tpm,path=/dev/tpm0 -device tpm-crb,tpmdev=tpm" },
		{ "bootrom = vmrun.null, loader = 'grub', qemu = { accel = 'tcg', bootrom = '/q' }",
		    "-bios /q" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_qemu, rows[i][0]);
		if (!planned_has(&p, rows[i][1]))
			fail_msg("%s: no \"%s\" in%s", rows[i][0], rows[i][1], planned_line(&p));
		planned_free(&p);
	}
}

/* qemu has a name for every row of SMBIOS. */
static void test_all_of_smbios(void **state)
{
	(void)state;
	for (const struct field *g = smbios_fields; g->key != NULL; g++) {
		for (const struct field *f = g->rows; f->key != NULL; f++) {
			struct planned p = { 0 };
			MEM_AUTO char *keys =
			    mem_format("smbios = { %s = { %s = 'value' } }", g->key, f->key);

			planned_good(&p, &hyper_qemu, keys);
			assert_non_null(strstr(planned_line(&p), "=value "));
			assert_null(strstr(planned_line(&p), "null"));
			planned_free(&p);
		}
	}
}

static void test_ignored(void **state)
{
	static const char *const rows[][2] = {
		{ "keyboard_layout = 'de'", "keyboard_layout is bhyve's: qemu ignores it" },
		{ "config = { a = 'b' }", "config is bhyve's: qemu ignores it" },
		{ "bootrom = vmrun.null, loader = 'grub'",
		    "loader: qemu has none, its own BIOS boots the first disk" },
		{ "com1 = 'nmdm'",
		    "com1: qemu has no nmdm, so it creates a pty and prints its name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_qemu, rows[i][0]);
		assert_true(words_have(&p.boot.plan.notes, rows[i][1]));
		assert_int_equal(p.boot.plan.placeholder_notes.count, 0);
		assert_int_equal(p.boot.plan.loading.argv.count, 0);
		planned_free(&p);
	}
}

/* The threads are asked for only if there are pins; then the answer starts the guest. */
static void test_pin(void **state)
{
	static const struct {
		const char *keys;
		bool starts;
	} rows[] = {
		{ "", true },
		{ ", gdb = 'w1'", false },
		{ ", graphic = { wait = true }", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };
		MEM_AUTO char *keys = mem_format("pin = { '0:1' }%s", rows[i].keys);

		planned_good(&p, &hyper_qemu, keys);
		assert_string_equal(p.boot.plan.first_message,
		    "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"query-cpus-fast\"}\n");
		assert_true(p.boot.plan.threads.asked);
		assert_int_equal(p.boot.plan.threads.starts_guest, rows[i].starts);
		assert_int_equal(p.boot.plan.notes.count, 0);
		assert_true(words_have(&p.boot.plan.placeholder_notes,
		    "a run pins the guest's processors, as no option of qemu does"));
		planned_free(&p);
	}
}

/* vmrun does not start a guest that waits for a debugger or a VNC client. */
static void test_held(void **state)
{
	static const char *const held[] = { "gdb = 'w1'", "graphic = { wait = true }" };
	static const char *const free_ones[] = { "gdb = '1'", "graphic = {}" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_qemu, held[i]);
		assert_string_equal(p.boot.plan.first_message, QMP_CAPABILITIES);
		planned_free(&p);
		planned_good(&p, &hyper_qemu, free_ones[i]);
		assert_string_equal(p.boot.plan.first_message, QMP_HELLO);
		planned_free(&p);
	}
}

static void test_screen(void **state)
{
	struct planned p = { .run = true };

	(void)state;
	planned_good(
	    &p, &hyper_qemu, "graphic = { host = '::1', port = 5901, password = 'se,same' }");
	assert_true(planned_has(&p,
	    "-object secret,id=fbuf-0-secret,file=/run/vmrun/t/secret -vnc "
	    "[::1]:1,password-secret=fbuf-0-secret"));
	assert_string_equal(p.boot.plan.secret, "se,same");
	assert_null(strstr(planned_line(&p), "same"));
	planned_free(&p);
	planned_good(
	    &p, &hyper_qemu, "graphic = { height = 600, vga = 'off', xhci_tablet = false }");
	assert_non_null(strstr(planned_line(&p), "bochs-display,"));
	assert_non_null(strstr(planned_line(&p), ",xres=1024,yres=600"));
	assert_null(strstr(planned_line(&p), "usb-tablet"));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "graphic = { width = 3840, height = 2160 }");
	assert_non_null(strstr(planned_line(&p), ",xres=3840,yres=2160,vgamem_mb=64 "));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "graphic = { width = 3840, height = 2160, vga = 'off' }");
	assert_non_null(strstr(planned_line(&p), ",xres=3840,yres=2160,vgamem=64M "));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "graphic = { width = 2048, height = 2048 }"); /* 16 MiB */
	assert_null(strstr(planned_line(&p), "vgamem"));
	planned_free(&p);
	planned_refused(&hyper_qemu, "graphic = { port = 80 }",
	    "graphic: qemu: fbuf at 0:1:0: \"port\" is 80: qemu's VNC server takes 5900 or above");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_all_of_smbios),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
