/* The programs that load a kernel before bhyve runs. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* planned_make() gives a bootrom, which a loader excludes. */
#define LOADER(keys) "bootrom = vmrun.null, " keys

static void loads(const char *keys, const char *wanted)
{
	struct planned p = { 0 };
	MEM_AUTO char *line = NULL;

	planned_good(&p, &hyper_bhyve, keys);
	line = words_shell_line(&p.boot.plan.loading.argv);
	assert_string_equal(line, wanted);
	assert_null(p.boot.plan.bootrom);
	assert_false(planned_has(&p, "-l bootrom,"));
	planned_free(&p);
}

static void test_bhyveload(void **state)
{
	(void)state;
	loads(LOADER("loader = 'bhyveload'"), "bhyveload -m 64M t");
	loads(LOADER("loader = 'bhyveload', com1 = 'stdio', wire_guest_mem = true"),
	    "bhyveload -S -c stdio -m 64M t");
	loads(LOADER("loader = 'bhyveload', com1 = 'tcp=127.0.0.1:5', bhyve = { release = 15 }, "
		     "guest_mem_in_core = true, mem = '65540k'"),
	    "bhyveload -C -m 65540K t");
	loads(
	    LOADER("loader = 'bhyveload', com1 = 'nmdm'"), "bhyveload -c /dev/nmdmAUTOA -m 64M t");
	loads(
	    LOADER("loader = { type = 'bhyveload', console = '/dev/nmdm3B', disks = 'x' }, com1 = "
		   "'stdio'"),
	    "bhyveload -c /dev/nmdm3B -m 64M -d /vm/x t");
	/* CDs after all disks. */
	loads(LOADER("loader = 'bhyveload', emulations = { { device = 'ahci-cd', path = 'c' }, { "
		     "device = 'virtio-blk', path = 'a' }, { device = 'ahci-hd', path = 'b' } }"),
	    "bhyveload -m 64M -d /vm/a -d /vm/b -d /vm/c t");
	loads(LOADER("loader = 'bhyveload', emulations = { { device = 'ahci-hd', path = 'a,b' } }"),
	    "bhyveload -m 64M -d /vm/a,b t");
}

/* bhyveload has room for 32 disks. */
static void test_many_disks(void **state)
{
	for (size_t count = 32; count <= 33; count++) {
		STR_AUTO struct str keys = { 0 };
		struct planned p = { 0 };

		(void)state;
		str_add(&keys, LOADER("loader = { type = 'bhyveload', disks = {"));
		for (size_t i = 0; i < count; i++)
			str_addf(&keys, "'/%zu',", i);
		str_add(&keys, "} }");
		MEM_AUTO char *good = mem_format("%s", keys.text);

		if (count > 32)
			planned_refused(&hyper_bhyve, good,
			    "loader: bhyveload takes at most 32 disks: name those that it needs");
		else
			planned_good(&p, &hyper_bhyve, good);
		planned_free(&p);
	}
}

static void test_grub(void **state)
{
	static const char keys[] = LOADER(
	    "loader = { type = 'grub', root = 'hd0', commands = { 'a', 'b c' } }, emulations = { { "
	    "device = 'ahci-cd', path = 'c' }, { device = 'virtio-blk', path = 'a' } }");
	struct planned p = { 0 };

	(void)state;
	loads(keys, "grub-bhyve -M 64M -m /run/vmrun/t/device.map -r hd0 t");
	loads(LOADER("loader = { type = 'grub', device_map = 'm', dir = '/d', config = 'c' }"),
	    "grub-bhyve -M 64M -m /vm/m -d /d -g c t");
	planned_good(&p, &hyper_bhyve, keys);
	assert_string_equal(p.boot.plan.loading.map, "(hd0) /vm/a\n(cd0) /vm/c\n");
	assert_string_equal(p.boot.plan.loading.input, "a\nb c\n");
	assert_string_equal(p.boot.plan.placeholder_notes.item[0],
	    "/run/vmrun/t/device.map is written by a run: (hd0) /vm/a (cd0) /vm/c");
	assert_int_equal(p.boot.plan.loading.timeout_ms, 15000);
	planned_free(&p);
	planned_refused(&hyper_bhyve,
	    LOADER("loader = 'grub', emulations = { { device = 'ahci-hd', path = 'a\\nb' } }"),
	    "loader: a disk's path contains a blank, which no device map can");
	planned_refused(&hyper_bhyve,
	    LOADER("loader = 'grub', emulations = { { device = 'ahci-hd', path = 'a b' } }"),
	    "loader: a disk's path contains a blank, which no device map can");
}

/* A note shows 512 bytes of a device map. */
static void test_long_map(void **state)
{
	char path[512];

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct planned p = { 0 };
		size_t n = 512 + more - strlen("(hd0) ");
		const char *shown;

		memset(path, 'x', sizeof(path));
		path[0] = '/';
		path[n] = '\0';
		MEM_AUTO char *keys =
		    mem_format(LOADER("loader = 'grub', emulations = { { device = "
				      "'virtio-blk', path = '%s' } }"),
			path);

		planned_good(&p, &hyper_bhyve, keys);
		shown = strstr(p.boot.plan.placeholder_notes.item[0], "(hd0) ");
		assert_int_equal(strlen(shown), more == 0 ? 512 : 515);
		assert_string_equal(shown + strlen(shown) - 3, more == 0 ? "xxx" : "...");
		planned_free(&p);
	}
}

static void test_stdio(void **state)
{
	static const struct {
		const char *keys;
		bool stdio;
	} rows[] = {
		{ LOADER("loader = 'grub', com1 = 'stdio'"), true },
		{ LOADER("loader = { type = 'grub', console = 'stdio' }"), true },
		{ LOADER("loader = { type = 'grub', console = '/dev/nmdm0A' }, com1 = 'stdio'"),
		    false },
		{ LOADER("loader = 'grub', com2 = 'stdio'"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p = { 0 };

		planned_good(&p, &hyper_bhyve, rows[i].keys);
		assert_int_equal(p.boot.plan.loading.uses_stdio, rows[i].stdio);
		planned_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bhyveload),
		cmocka_unit_test(test_many_disks),
		cmocka_unit_test(test_grub),
		cmocka_unit_test(test_long_map),
		cmocka_unit_test(test_stdio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
