/* The words of bhyve's command, and the file for -k, for keys of the guest. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Keys of the spec become words of the command, which depend on the release. */
static void test_words(void **state)
{
	static const char *const rows[][2] = {
		{ "gdb = 'w[::1]:1234'", "-G w::1:1234" },
		{ "gdb = '1234'", "-G 1234" },
		{ "keyboard_layout = 'de_noacc'", "-K de_noacc" },
		{ "cpu = 2, pin = { '1:7', '0:3' }", "-p 1:7 -p 0:3" },
		{ "pc_testdev = true", "-l pc-testdev" },
		{ "fwcfg = { { name = 'a', string = 'b,c' } }",
		    "-o lpc.fwcfg=qemu -f name=a,string=b,c" },
		{ "fwcfg_type = 'bhyve'", "-o lpc.fwcfg=bhyve" },
		{ "smbios = { system = { sku = 'a b%' } }", "-o system.sku=a b\\%" },
		{ "tpm = { type = 'passthru', path = '/dev/tpm0' }",
		    "-l tpm,passthru,/dev/tpm0,version=2.0" },
		{ "config = { ['a.b'] = 'c%d\\\\e' }", "-o a.b=c\\%d\\\\e t" },
		{ "mem = '65540k'", "-m 65540K" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_bhyve, rows[i][0]);
		if (!planned_has(&p, rows[i][1]))
			fail_msg("%s: no \"%s\" in%s", rows[i][0], rows[i][1], planned_line(&p));
		planned_free(&p);
	}
}

static void test_releases(void **state)
{
	static const char *const rows[][2] = {
		{ "bhyve = { release = 13 }, smbios = { bios = { vendor = 'x' } }",
		    "smbios: bhyve has this since FreeBSD 14, and the command is for FreeBSD 13" },
		{ "bhyve = { release = 13 }, pin = { '0:255', '0:256' }",
		    "pin[1]: \"0:256\": bhyve of FreeBSD 13 knows the CPUs 0 to 255" },
		{ "bhyve = { release = 13 }, fwcfg_type = 'qemu'",
		    "fwcfg_type: bhyve has this since" },
		{ "bhyve = { release = 13 }, fwcfg = { { name = 'a', string = 'b' } }",
		    "fwcfg: bhyve has this since FreeBSD 14" },
		{ "bhyve = { release = 13 }, tpm = { type = 'passthru', path = '/t' }",
		    "tpm: bhyve has this since FreeBSD 14" },
		{ "bhyve = { release = 14 }, tpm = { type = 'swtpm', path = '/t' }",
		    "tpm: bhyve has swtpm since FreeBSD 15" },
		{ "bhyve = { release = 14 }, numa = { { id = 0, cpus = '0' } }",
		    "numa: bhyve has this since FreeBSD 15, and the command is for FreeBSD 14" },
		{ "bhyve = { release = 15, arch = 'arm64' }, keyboard_layout = 'x'",
		    "keyboard_layout: bhyve has this on amd64 only" },
		{ "bhyve = { release = 15, arch = 'arm64' }, gdb = '1'",
		    "gdb: bhyve on arm64 has no" },
		{ "bhyve = { release = 15, arch = 'arm64' }, loader = 'grub', bootrom = vmrun.null",
		    "loader: bhyve on arm64 boots firmware only" },
		{ "bhyve = { release = 15, arch = 'arm64' }, graphic = {}",
		    "graphic: bhyve has fbuf on amd64 only" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		planned_refused(&hyper_bhyve, rows[i][0], rows[i][1]);
}

/* bhyve exits when a variable is below another one that has a value. */
static void test_variables_below_others(void **state)
{
	static const char *const rows[][2] = {
		{ "config = { x86 = 'x' }",
		    "config.x86: this variable and \"x86.strictmsr\" exclude" },
		{ "config = { lpc = 'x' }", "config.lpc: this variable and \"lpc.fwcfg\" exclude" },
		{ "config = { ['uuid.x'] = 'x' }",
		    "config.uuid.x: this variable and \"uuid\" exclude" },
		{ "config = { ['pci.0.0.0'] = 'x' }",
		    "config.pci.0.0.0: this variable and \"pci.0.0.0.device\"" },
		{ "config = { a = 'x', ['a.b'] = 'y' }",
		    "config.a.b: this variable and \"a\" exclude" },
	};
	struct planned p = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		planned_refused(&hyper_bhyve, rows[i][0], rows[i][1]);
	planned_good(&p, &hyper_bhyve, "config = { ['memory.size'] = '1G', x861 = 'y' }");
	planned_free(&p);
}

/* Returns the file for bhyve -k of a plan, which the caller frees; NULL for a refused plan. */
static char *config_of(struct planned *p)
{
	struct report report = { 0 };
	char *text = boot_config_text(&p->source, p->boot.spec, &report);

	if (report.count != 0) {
		free(text);
		text = NULL;
	}
	report_free(&report);
	return text;
}

static void test_config_file(void **state)
{
	struct planned p = { 0 };
	WORDS_AUTO struct words remarks = { 0 };
	char *text;

	(void)state;
	planned_good(&p, &hyper_bhyve,
	    "emulations = { { device = 'raw', value = 'virtio-rnd' } }, fwcfg = { { name = 'a', "
	    "string = 'b' } }, graphic = { password = 'sesame' }, extra_options = {'-w', 'a\\nb'}, "
	    "com1 = '/dev/a,b=%\\\\'");
	text = config_of(&p);
	assert_non_null(text);
	assert_non_null(
	    strstr(text, "# not in this file: -s 0:1:0,virtio-rnd: raw devices cannot be written"));
	assert_non_null(
	    strstr(text, "# not in this file: -f name=a,...: fwcfg has no variables\n"));
	assert_non_null(strstr(
	    text, "# not in this file: -w a\"${IFS#??}\"b: further words cannot be written"));
	assert_non_null(strstr(text, "which a run writes for -k /run/vmrun/t/secret\n"));
	assert_null(strstr(text, "sesame"));
	assert_non_null(strstr(text, "\nlpc.com1.path=/dev/a,b=\\%\\\\\n"));
	assert_non_null(strstr(text, "\nname=t\n"));
	boot_config_remarks(&p.source, p.boot.spec, &remarks);
	assert_int_equal(remarks.count, 3);
	/* A boot does not need the variables, unless keys of `config` are compared with them. */
	assert_int_equal(p.boot.plan.config.count, 0);
	assert_int_equal(p.boot.plan.remarks.count, 0);
	free(text);
	planned_free(&p);
	planned_good(
	    &p, &hyper_bhyve, "emulations = { { device = 'virtio-blk', path = '/a\\nb' } }");
	assert_null(config_of(&p));
	planned_free(&p);
	planned_good(&p, &hyper_qemu, "");
	assert_null(config_of(&p));
	planned_free(&p);
}

static void test_password(void **state)
{
	struct planned p = { .run = true };

	(void)state;
	planned_good(&p, &hyper_bhyve, "graphic = { password = 'a,%\\\\b' }");
	assert_true(planned_has(&p, "-k /run/vmrun/t/secret"));
	assert_null(strstr(planned_line(&p), "a,"));
	assert_string_equal(p.boot.plan.secret_path, "/run/vmrun/t/secret");
	assert_string_equal(p.boot.plan.secret, "pci.0.1.0.password=a,\\%\\\\b\n");
	assert_int_equal(p.boot.plan.placeholder_notes.count, 1);
	assert_string_equal(p.boot.plan.placeholder_notes.item[0],
	    "/run/vmrun/t/secret is written when the VM runs: the password");
	planned_free(&p);
	planned_good(&p, &hyper_bhyve, "graphic = { password_file = '/no/such/file' }"); /* dry */
	assert_null(p.boot.plan.secret);
	planned_free(&p);
}

static void test_password_file(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *wanted; /* of the file for the hypervisor, or of the fault */
		bool good;
	} rows[] = {
#define ROW(text, wanted, good) { text, sizeof(text) - 1, wanted, good }
		ROW("sesame\nmore\n", "pci.0.1.0.password=sesame\n", true),
		ROW("12345678", "pci.0.1.0.password=12345678\n", true),
		ROW("12345678\r\n", "pci.0.1.0.password=12345678\n", true),
		ROW("a\r\n", "pci.0.1.0.password=a\n", true),
		ROW("a\nb\0c", "pci.0.1.0.password=a\n", true),
		ROW("a%\\", "pci.0.1.0.password=a\\%\\\\\n", true),
		ROW("123456789", "its first line is too long: expected a password of 1 to 8 bytes",
		    false),
		ROW("12345678\rx", "its first line is too long: ", false),
		ROW("", "its first line is empty: expected a password of 1 to 8 bytes", false),
		ROW("\nx", "its first line is empty: ", false),
		ROW("\r\n", "its first line is empty: ", false),
		ROW("a\0b\n", "its first line has a NUL byte or a carriage return: ", false),
		ROW("\0", "its first line has a NUL byte or a carriage return: ", false),
		ROW("a\rb\n", "its first line has a NUL byte or a carriage return: ", false),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[] = "/tmp/secret.XXXXXX";
		int fd = mkstemp(path);
		MEM_AUTO char *keys = mem_format("graphic = { password_file = '%s' }", path);
		struct planned p = { .run = true };
		MEM_AUTO char *text = NULL;
		ERROR_AUTO struct error err = { 0 };

		assert_true(fd >= 0);
		assert_int_equal(write(fd, rows[i].text, rows[i].length), rows[i].length);
		(void)close(fd);
		planned_good(&p, &hyper_bhyve, keys);
		assert_false(p.boot.plan.reads_host); /* the next boot reads the file again */
		text = hyper_secret_text(&p.boot.plan, &err);
		assert_int_equal(text != NULL, rows[i].good);
		if (text != NULL) {
			assert_null(hyper_password_fault(path));
			assert_string_equal(text, rows[i].wanted);
		} else {
			const char *fault = hyper_password_fault(path);
			MEM_AUTO char *wanted = mem_format("password_file: %s: %s", path, fault);

			assert_non_null(str_after(fault, rows[i].wanted));
			assert_string_equal(err.text, wanted);
			assert_int_equal(err.status, STATUS_CHECK);
		}
		(void)unlink(path);
		assert_string_equal(hyper_password_fault(path), strerror(ENOENT));
		planned_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_variables_below_others),
		cmocka_unit_test(test_config_file),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_password_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
