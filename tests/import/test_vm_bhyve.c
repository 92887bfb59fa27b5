/* What the import of vm-bhyve refuses, and what it says about it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "import/vm_bhyve.h"

#define GUEST "loader=uefi\ncpu=1\nmemory=512M\nuuid=8a1c2f0e-6c1b-11ee-9d5a-589cfc0f0001\n"

struct imported {
	struct import import;
	struct report report;
	int rc;
};

static void import(struct imported *i, const char *path, const char *text)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	MEM_AUTO char *directory =
	    slash == NULL ? mem_copy("/cwd") : mem_copy_n(path, (size_t)(slash - path));
	struct import_source source = { .text = text,
		.length = strlen(text),
		.path = path,
		.directory = directory,
		.format = "vm-bhyve" };

	memset(i, 0, sizeof(*i));
	i->rc = import_text(&source, &i->import, &i->report);
}

static void clear(struct imported *i)
{
	node_free(i->import.spec);
	words_free(&i->import.notes);
	report_free(&i->report);
}

/* Checks that the text is refused, with a problem "key: text..." that begins so. */
static void refused(const char *text, const char *problem)
{
	struct imported i;
	bool found = false;

	import(&i, "/vm/web/web.conf", text);
	assert_int_equal(i.rc, -1);
	assert_int_equal(i.report.status, STATUS_SPEC);
	for (size_t k = 0; k < i.report.count && !found; k++) {
		MEM_AUTO char *got =
		    mem_format("%s: %s", i.report.item[k].path, i.report.item[k].text);

		found = strncmp(got, problem, strlen(problem)) == 0;
	}
	if (!found)
		fail_msg("no problem \"%s\", but \"%s: %s\"", problem, i.report.item[0].path,
		    i.report.item[0].text);
	clear(&i);
}

static bool has_note(const struct imported *i, const char *begin)
{
	for (size_t k = 0; k < i->import.notes.count; k++) {
		if (strncmp(i->import.notes.item[k], begin, strlen(begin)) == 0)
			return true;
	}
	return false;
}

static void test_refused(void **state)
{
	(void)state;
	refused("cpu=1\nmemory=1G\n", "loader: missing");
	refused("loader=uefi\nmemory=1G\n", "cpu: missing");
	refused("loader=uefi\ncpu=1\n", "memory: missing");
	refused(GUEST "memory=1G\n", "memory: duplicate key, also on line 5");
	refused("loader=lilo\ncpu=1\nmemory=1G\n", "loader: invalid loader \"lilo\"");
	refused("loader=grub\ncpu=1\nmemory=1G\n", "disk0_name: missing: grub boots from disk0");
	refused("loader=uefi\ncpu=two\nmemory=1G\n", "cpu: invalid processors \"two\"");
	refused("loader=uefi\ncpu=1\nmemory=1.5G\n", "memory: invalid size \"1.5G\"");
	refused("loader=uefi\ncpu=1\nmemory=0\n", "memory: invalid size \"0\"");
	refused("loader=uefi\ncpu=1\nmemory=1025b\n", "memory: invalid size \"1025b\"");
	refused(GUEST "cpu_cores=2\n", "cpu: 1 processors, but 1 sockets x 2 cores x 1 threads");
	refused(GUEST "comports=com5\n", "comports: invalid port \"com5\"");
	refused(GUEST "disk0_type=floppy\ndisk0_name=a.img\n", "disk0_type: invalid type");
	refused(GUEST "disk0_type=nvme\ndisk0_name=\"a b.img\"\n", "disk0_name: invalid value");
	refused(GUEST "network0_type=ne2k\n", "network0_type: invalid type \"ne2k\"");
	refused(GUEST "passthru0=1/0/0=32:0\n", "passthru0: invalid place");
	refused(GUEST "graphics=yes\ngraphics_res=large\n", "graphics_res: invalid resolution");
	refused(GUEST "graphics=yes\ngraphics_port=vnc\n", "graphics_port: invalid port");
	refused(GUEST "start_slot=\n", "start_slot: invalid slot \"\"");
	refused(GUEST "nulliso_fix=yes\ninstall_slot=4\ndisk0_type=nvme\ndisk0_name=a\n",
	    "install_slot: slot 4 has a device already");
	refused(GUEST "install_slot=32\n", "install_slot: invalid slot \"32\"");
}

static void test_place_of_a_problem(void **state)
{
	struct imported i;

	(void)state;
	import(&i, "/vm/web/web.conf", GUEST "# a comment\ncomports=com9\n");
	assert_int_equal(i.report.count, 1);
	assert_string_equal(i.report.item[0].place, "/vm/web/web.conf:6");
	clear(&i);
	import(&i, NULL, GUEST "comports=com9\n");
	assert_string_equal(i.report.item[0].place, "<stdin>:5");
	clear(&i);
}

static void test_names(void **state)
{
	struct imported i;

	(void)state;
	import(&i, "/vm/web/web.conf", GUEST);
	assert_string_equal(node_get_text(i.import.spec, "name"), "web");
	assert_false(has_note(&i, "name:"));
	clear(&i);
	import(&i, "/vm/_a b/_a b.conf", GUEST);
	assert_string_equal(node_get_text(i.import.spec, "name"), "xa-b");
	assert_true(has_note(&i, "name: \"_a b\" became \"xa-b\""));
	clear(&i);
	import(&i, NULL, GUEST);
	assert_string_equal(node_get_text(i.import.spec, "name"), "imported");
	clear(&i);
}

/* Relative paths, and those of a text from standard input, start at the working directory. */
static void test_directories(void **state)
{
	struct imported i;

	(void)state;
	import(&i, NULL, GUEST "uefi_vars=yes\n");
	assert_string_equal(node_get_text(i.import.spec, "varfile"), "/cwd/uefi-vars.fd");
	clear(&i);
	import(&i, "/vm/web/web.conf", GUEST "uefi_vars=yes\n");
	assert_string_equal(node_get_text(i.import.spec, "varfile"), "/vm/web/uefi-vars.fd");
	clear(&i);
}

/* Lines are read as vm-bhyve reads them. */
static void test_lines(void **state)
{
	struct imported i;

	(void)state;
	import(&i, "/vm/web/web.conf",
	    "loader=\"uefi\"\r\ncpu=1 # one\n  memory=1G\nMEMORY=2G\nmemory=\"512M\"  \nutctime");
	assert_int_equal(i.rc, 0);
	assert_string_equal(node_get_text(i.import.spec, "mem"), "512M");
	assert_null(node_get(i.import.spec, "utc_clock"));
	assert_true(has_note(&i, "line 3 (memory): left out: vm-bhyve ignores a line that does "));
	assert_true(has_note(&i, "line 4 (MEMORY): left out: "));
	clear(&i);
	import(&i, "/vm/web/web.conf",
	    GUEST "\n \t\r\n#x=1\n  # y\n\tvnc_password=\"s3cret\"\r\n'x\n");
	assert_true(has_note(&i, "line 9 (vnc_password): left out: "));
	assert_true(has_note(&i, "line 10 ('x): left out: "));
	for (size_t k = 0; k < i.import.notes.count; k++)
		assert_null(strstr(i.import.notes.item[k], "s3cret"));
	assert_false(has_note(&i, "line 5"));
	assert_false(has_note(&i, "line 6"));
	assert_false(has_note(&i, "line 7"));
	assert_false(has_note(&i, "line 8"));
	clear(&i);
	import(&i, "/vm/web/web.conf", GUEST "utctime=\n");
	assert_false(node_get(i.import.spec, "utc_clock")->truth);
	clear(&i);
}

/* A setting that vm-bhyve makes nothing of is named, also one that is empty or half of a disk. */
static void test_unused(void **state)
{
	static const char *const rows[][2] = {
		{ "disk0_type=virtio-blk\ndisk0_dev=file\n",
		    "disk0_type: left out: vm-bhyve counts" },
		{ "disk0_type=virtio-blk\ndisk0_dev=file\n",
		    "disk0_dev: left out: vm-bhyve counts" },
		{ "disk0_type=\ndisk0_name=a\n", "disk0_type: left out: " },
		{ "disk0_name=a\n", "disk0_name: left out: " },
		{ "disk0_type=nvme\ndisk0_name=a\ndisk1_name=y\ndisk1_opts=ro\n",
		    "disk1_name: left out: " },
		{ "disk0_type=nvme\ndisk0_name=a\ndisk1_name=y\ndisk1_opts=ro\n",
		    "disk1_opts: left out: " },
		{ "network0_type=e1000\nnetwork0_device=tap9\n", "network0_type: left out: " },
		{ "network0_type=e1000\nnetwork0_device=tap9\n", "network0_device: left out: " },
		{ "network0_type=e1000\nnetwork0_name=n\n", "network0_name: left out: " },
		{ "network0_type=e1000\nnetwork0_span=yes\n", "network0_span: left out: " },
		{ "network0_type=e1000\nnetwork0_mac=58:9c:fc:0a:11:09\n",
		    "network0_mac: left out: " },
		{ "x=\n", "x: left out: unknown to vm-bhyve" },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		MEM_AUTO char *text = mem_format("%s%s", GUEST, rows[k][0]);
		struct imported i;

		import(&i, "/vm/web/web.conf", text);
		assert_int_equal(i.rc, 0);
		if (!has_note(&i, rows[k][1]))
			fail_msg("%s: no note \"%s\"", rows[k][0], rows[k][1]);
		clear(&i);
	}
}

/* What takes the slot of the CD away leaves no target for it. */
static void test_no_install(void **state)
{
	struct imported i;

	(void)state;
	import(&i, "/vm/web/web.conf", GUEST "start_slot=3\ndisk0_type=nvme\ndisk0_name=a\n");
	assert_int_equal(i.rc, 0);
	assert_null(node_get(i.import.spec, "targets"));
	assert_true(has_note(&i, "install_slot: slot 3 has a device already"));
	clear(&i);
}

/* Lends a device of the spec, counted from 0. */
static const struct node *device_of(const struct imported *i, size_t index)
{
	const struct node *n = node_get(i->import.spec, "emulations")->first;

	while (index-- > 0 && n != NULL)
		n = n->next;
	assert_non_null(n);
	return n;
}

/* Imports settings of a guest with firmware, which must be good. */
static void import_good(struct imported *i, const char *settings)
{
	MEM_AUTO char *text = mem_format("%s%s", GUEST, settings);

	import(i, "/vm/web/web.conf", text);
	if (i->rc != 0)
		fail_msg("%s: %s: %s", settings, i->report.item[0].path, i->report.item[0].text);
}

static void test_places_of_host_devices(void **state)
{
	static const struct {
		const char *setting, *slot;
	} rows[] = {
		{ "passthru0=6/0/0=2:0\n", "0:2:0" },
		{ "passthru0=6/0/0=2:7\n", "0:2:7" },
		{ "passthru0=6/0/0=5\n", "0:0:5" }, /* "-s 0:5" is slot 0, function 5 */
		{ "passthru0=6/0/0\n", "0:4:0" },
		{ "passthru0=6/0/0\nstart_slot=31\n", "1:0:0" },
		{ "start_slot=31\nvirt_random=yes\npassthru0=6/0/0\n", "1:0:0" },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct imported i;

		import_good(&i, rows[k].setting);
		assert_string_equal(node_get_text(device_of(&i, 0), "slot"), rows[k].slot);
		clear(&i);
	}
	refused(GUEST "passthru0=6/0/0=9\n", "passthru0: invalid place");
	refused(GUEST "passthru0=1/0/0\npassthru1=1/0/1\npassthru2=1/0/2\npassthru3=1/0/3\n"
		      "passthru4=1/0/4\npassthru5=1/0/5\npassthru6=1/0/6\npassthru7=1/0/7\n"
		      "passthru8=1/1/0\n",
	    "passthru8: function 8 of one slot");
}

static void test_options_of_host_devices(void **state)
{
	struct imported i;

	(void)state;
	import_good(&i, "passthru0=ppt0\npassthru1=pci0:3:0:1\npassthru2=4/0/0,x=9:0\n");
	assert_string_equal(node_get_text(device_of(&i, 0), "src"), "ppt0");
	assert_string_equal(node_get_text(device_of(&i, 1), "value"), "passthru,pci0:3:0:1");
	assert_string_equal(node_get_text(device_of(&i, 2), "value"), "passthru,4/0/0,x");
	clear(&i);
	refused(GUEST "passthru0=3/0/0,rom=/rom.bin\n", "passthru0: invalid place");
}

/* What bhyve takes and the spec refuses stays in bhyve's words. */
static void test_raw_disks(void **state)
{
	static const char *const options[] = { "sync", "ro=false", "sectorsize=512,sectorsize=512",
		"sectorsize=large", "sectorsize=3000", "ser=", "ser=123456789012345678901", "x=1" };

	(void)state;
	for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
		MEM_AUTO char *settings =
		    mem_format("disk0_type=ahci-hd\ndisk0_name=a\ndisk0_opts=%s\n", options[k]);
		MEM_AUTO char *shared = mem_format("ahci_device_limit=4\n%s", settings);
		MEM_AUTO char *alone = mem_format("ahci-hd,/vm/web/a,%s", options[k]);
		MEM_AUTO char *port = mem_format("ahci,hd:/vm/web/a,%s", options[k]);
		struct imported i;

		import_good(&i, settings);
		assert_string_equal(node_get_text(device_of(&i, 0), "value"), alone);
		clear(&i);
		import_good(&i, shared);
		assert_string_equal(node_get_text(device_of(&i, 0), "value"), port);
		clear(&i);
	}
}

static void test_firmware(void **state)
{
	static const char *const rows[][2] = {
		{ "uefi", "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd" },
		{ "uefi-other", "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd" },
		{ "uefi-csm", "/usr/local/share/uefi-firmware/BHYVE_UEFI_CSM.fd" },
		{ "uefi-devel", "/usr/local/share/uefi-firmware/BHYVE_UEFI_CODE-devel.fd" },
		{ "uefi-custom", "/vm/.config/BHYVE_UEFI.fd" },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		MEM_AUTO char *text = mem_format("loader=%s\ncpu=1\nmemory=1G\n", rows[k][0]);
		struct imported i;

		import(&i, "/vm/web/web.conf", text);
		assert_int_equal(i.rc, 0);
		assert_string_equal(node_get_text(i.import.spec, "bootrom"), rows[k][1]);
		clear(&i);
	}
}

static void test_loaders(void **state)
{
	static const char disk[] = "cpu=1\nmemory=1G\ndisk0_type=ahci-cd\ndisk0_name=a\n";
	MEM_AUTO char *bsd = mem_format("loader=bhyveload\nbhyveload_args=\"-S -H -e x=1\"\n"
					"loader_timeout=10\n%s",
	    disk);
	MEM_AUTO char *grub = mem_format("loader=grub\ngrub_run0=configfile /x\n"
					 "loader_timeout=11\n%s",
	    disk);
	const struct node *loader;
	struct imported i;

	(void)state;
	import(&i, "/vm/web/web.conf", bsd);
	loader = node_get(i.import.spec, "loader");
	assert_null(node_get(loader, "timeout"));
	assert_string_equal(node_get_text(node_get(loader, "env"), "x"), "1");
	assert_true(node_get(i.import.spec, "wire_guest_mem")->truth);
	assert_true(has_note(&i, "bhyveload_args: \"-H\" is left out"));
	clear(&i);
	import(&i, "/vm/web/web.conf", grub);
	loader = node_get(i.import.spec, "loader");
	assert_int_equal(node_get(loader, "timeout")->integer, 26);
	assert_int_equal(node_get(loader, "commands")->count, 1); /* no boot after configfile */
	assert_true(has_note(&i, "disks: grub-bhyve knows CD drives as cd0"));
	loader = node_get(node_get(node_get(i.import.spec, "targets"), "install"), "loader");
	assert_string_equal(node_get_text(loader, "root"), "cd1"); /* behind disk0 */
	assert_int_equal(node_get(loader, "commands")->kind, NODE_NULL);
	clear(&i);
	refused("loader=grub\nloader_timeout=90000\ncpu=1\nmemory=1G\ndisk0_type=nvme\n"
		"disk0_name=a\n",
	    "loader_timeout: invalid time");
}

static void test_ignored_limit(void **state)
{
	struct imported i;

	(void)state;
	import_good(&i, "ahci_device_limit=33\ndisk0_type=ahci-hd\ndisk0_name=a\n");
	assert_string_equal(node_get_text(device_of(&i, 0), "device"), "ahci-hd");
	assert_true(has_note(&i, "ahci_device_limit: vm-bhyve ignores \"33\""));
	clear(&i);
}

/* A controller that is not full is on bus 0, wherever the disks before it are. */
static void test_leftover_on_bus_0(void **state)
{
	struct imported i;

	(void)state;
	import_good(&i,
	    "start_slot=30\nahci_device_limit=2\ndisk0_type=nvme\ndisk0_name=a\n"
	    "disk1_type=nvme\ndisk1_name=b\ndisk2_type=nvme\ndisk2_name=c\n"
	    "disk3_type=ahci-hd\ndisk3_name=d\nvirt_random=yes\n");
	assert_string_equal(node_get_text(device_of(&i, 2), "slot"), "1:1:0");
	assert_string_equal(node_get_text(device_of(&i, 3), "slot"), "0:2:0");
	assert_string_equal(node_get_text(device_of(&i, 4), "slot"), "1:3:0");
	clear(&i);
}

static void test_no_screen_without_firmware(void **state)
{
	struct imported i;

	(void)state;
	import(&i, "/vm/web/web.conf",
	    "loader=bhyveload\ncpu=1\nmemory=1G\ndisk0_type=nvme\ndisk0_name=a\n"
	    "graphics=yes\ngraphics_port=5901\n");
	assert_int_equal(i.rc, 0);
	assert_int_equal(node_get(i.import.spec, "emulations")->count, 1);
	assert_true(has_note(&i, "graphics: left out"));
	assert_true(has_note(&i, "graphics_port: left out"));
	clear(&i);
}

/* Behind a word that has no key, words may be its value. */
static void test_further_words(void **state)
{
	struct imported i;

	(void)state;
	import_good(&i, "bhyve_options=\"-x -K de -S -p 0:1\"\n");
	assert_true(node_get(i.import.spec, "x2apic")->truth);
	assert_null(node_get(i.import.spec, "wire_guest_mem"));
	assert_int_equal(node_get(i.import.spec, "extra_options")->count, 5);
	clear(&i);
}

/* getopt(3) of bhyve takes the first such word for the VM's name, and refuses the name behind it.
 */
static void test_word_without_option(void **state)
{
	static const char *const wrong[] = { "-x -K full de", "de", "-x - -S", "-xp 0:1 de -S",
		"-xp0:1 de", "-- de", "-- -S", "-h de", "-Kc de" };
	static const char *const good[] = { "-x -- ", "-xSp0:1", "-o a=b -ob=c" };
	struct imported i;

	(void)state;
	for (size_t n = 0; n < sizeof(wrong) / sizeof(*wrong); n++) {
		MEM_AUTO char *text = mem_format(GUEST "bhyve_options=\"%s\"\n", wrong[n]);

		refused(text, "bhyve_options: \"");
	}
	refused(GUEST "bhyve_options=\"-x -K full de\"\n",
	    "bhyve_options: \"de\" is neither an option nor the value of one");
	for (size_t n = 0; n < sizeof(good) / sizeof(*good); n++) {
		MEM_AUTO char *text = mem_format("bhyve_options=\"%s\"\n", good[n]);

		import_good(&i, text);
		clear(&i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_word_without_option),
		cmocka_unit_test(test_place_of_a_problem),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_unused),
		cmocka_unit_test(test_no_install),
		cmocka_unit_test(test_places_of_host_devices),
		cmocka_unit_test(test_options_of_host_devices),
		cmocka_unit_test(test_raw_disks),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_loaders),
		cmocka_unit_test(test_ignored_limit),
		cmocka_unit_test(test_leftover_on_bus_0),
		cmocka_unit_test(test_no_screen_without_firmware),
		cmocka_unit_test(test_further_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
