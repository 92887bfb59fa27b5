/* Files, disks, firmware, sockets and ports, in a directory of the test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../platform/loopback.h"
#include "../platform/scratch.h"
#include "base/mem.h"
#include "checked.h"
#include "platform/filelock.h"
#include "platform/os.h"

/* Returns the keys of a Lua table, with a path in the scratch directory for each `%s`. */
static char *keys(const char *fmt, const char *name)
{
	MEM_AUTO char *path = scratch_path(name);

	return mem_format("emulations = { { device = 'virtio-blk', path = '%s' } }, %s", path, fmt);
}

static void is_wrong(const char *spec, const char *name, const char *text)
{
	MEM_AUTO char *path = scratch_path(name);

	checked_one(NULL, spec, path, text, NULL, NULL);
}

static void is_right(const char *spec, const char *name)
{
	MEM_AUTO char *path = scratch_path(name);

	checked_none(NULL, spec, path);
}

static void sized(const char *name, off_t size)
{
	scratch_write(name, "", 0600);
	assert_int_equal(truncate(name, size), 0);
}

static void disks(void **state)
{
	MEM_AUTO char *spec = keys("", "disk"), *ro = NULL;

	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	is_wrong(spec, "disk", "a directory: expected a disk");
	assert_int_equal(rmdir("disk"), 0);
	assert_int_equal(mkfifo("disk", 0600), 0);
	is_wrong(spec, "disk", "a FIFO: expected a disk");
	assert_int_equal(unlink("disk"), 0);
	sized("disk", 4096);
	is_right(spec, "disk");
	if (geteuid() == 0) {
		print_message("skipped: root can write to every file\n");
		return;
	}
	assert_int_equal(chmod("disk", 0400), 0);
	is_wrong(spec, "disk", "Permission denied");
	MEM_AUTO char *path = scratch_path("disk");

	ro = mem_format("emulations = { { device = 'virtio-blk', ro = true, path = '%s' } }", path);
	is_right(ro, "disk");
}

/* The report names how to make a disk; vmrun does not make it. */
static void a_missing_disk(void **state)
{
	static const struct {
		const char *keys, *path, *advice;
	} rows[] = {
		{ "device = 'virtio-blk'", "/dev/zvol/no/pool/x", "zfs create -V 20G no/pool/x" },
		{ "device = 'nvme'", "/dev/zvol/no/x", "zfs create -V 20G no/x" },
		{ "device = 'ahci-hd'", "/dev/no-disk", NULL },
		{ "device = 'ahci-hd'", "/no/directory/disk", NULL },
		{ "device = 'ahci-cd'", "/tmp/vmrun-no.iso", NULL },
		{ "device = 'virtio-blk', ro = true", "/tmp/vmrun-no.img", NULL },
		{ "device = 'virtio-blk'", "/tmp/vmrun-no.img",
		    "truncate -s 20G /tmp/vmrun-no.img" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *spec =
		    mem_format("emulations = { { %s, path = '%s' } }", rows[i].keys, rows[i].path);
		struct checked c = { 0 };
		const struct finding *f;

		checked_make(&c, &hyper_bhyve, spec);
		f = checked_has(
		    &c, rows[i].path, "No such file or directory", rows[i].advice, NULL);
		assert_int_equal(f->advice, rows[i].advice != NULL);
		assert_false(finding_may_fix(f, true, true));
		checked_free(&c);
	}
}

static void a_disk_in_use(void **state)
{
	MEM_AUTO char *path = scratch_path("disk"), *spec = keys("", "disk");
	MEM_AUTO char *cd =
	    mem_format("emulations = { { device = 'ahci-cd', path = '%s' } }", path);
	struct checked c = { 0 };
	int fd;

	(void)state;
	sized("disk", 4096);
	fd = filelock_take(path, false);
	assert_true(fd >= 0);
	is_wrong(spec, "disk", "in use by another vmrun (fuser or fstat names it)");
	is_wrong(cd, "disk", "in use by another vmrun (fuser or fstat names it)");
	words_add(&c.ours, path);
	checked_make(&c, &hyper_bhyve, spec);
	checked_lacks(&c, path);
	checked_free(&c);
	(void)close(fd);
	fd = filelock_take(path, true);
	is_wrong(spec, "disk", "in use by another vmrun (fuser or fstat names it)");
	is_right(cd, "disk"); /* readers share the lock */
	(void)close(fd);
	is_right(spec, "disk"); /* the check released its own lock */
}

static void one_disk_of_two_devices(void **state)
{
	MEM_AUTO char *one = scratch_path("disk"), *two = scratch_path("link");
	MEM_AUTO char *both = mem_format("emulations = { { device = 'virtio-blk', path = '%s' },"
					 "{ device = 'ahci-hd', path = '%s' } }",
	    one, two);
	MEM_AUTO char *readers =
	    mem_format("emulations = { { device = 'virtio-blk', path = '%s', ro = true },"
		       "{ device = 'ahci-cd', path = '%s' } }",
		one, two);

	(void)state;
	sized("disk", 4096);
	assert_int_equal(symlink("disk", "link"), 0);
	is_wrong(both, "link",
	    "the same disk as that of virtio-blk \"virtio-blk-0\": only readers can share one");
	is_right(both, "disk");
	is_right(readers, "link");
}

static void firmware(void **state)
{
	MEM_AUTO char *rom = scratch_path("rom");
	MEM_AUTO char *spec = mem_format("bootrom = '%s'", rom);

	(void)state;
	is_wrong(spec, "rom", "No such file or directory");
	sized("rom", 0);
	is_wrong(spec, "rom", "0 bytes: firmware is a multiple of 4096 bytes long");
	sized("rom", 5000);
	is_wrong(spec, "rom", "5000 bytes: firmware is a multiple of 4096 bytes long");
	sized("rom", 16 << 20);
	is_right(spec, "rom");
	sized("rom", (16 << 20) + 4096);
	is_wrong(spec, "rom", "16781312 bytes: firmware has at most 16777216");
	sized("rom", 2 << 20);
	is_right(spec, "rom");
	assert_int_equal(unlink("rom"), 0);
	assert_int_equal(mkdir("rom", 0700), 0);
	is_wrong(spec, "rom", "a directory: expected a file");
}

/* What qemu's -bios loads; bhyve takes pages, and so does a flash memory. */
static void firmware_of_qemu(void **state)
{
	MEM_AUTO char *rom = scratch_path("rom"), *vars = scratch_path("vars");
	MEM_AUTO char *spec = mem_format("bootrom = '%s'", rom);
	MEM_AUTO char *flash = mem_format("%s, varfile = '%s'", spec, vars);
	struct checked c = { 0 };

	(void)state;
	sized("vars", 65536);
	sized("rom", 69632);
	is_right(spec, "rom");
	checked_make(&c, &hyper_qemu, spec);
	(void)checked_has(&c, rom,
	    "69632 bytes: under qemu firmware without a \"varfile\" is a multiple of 65536 bytes "
	    "long (qemu: could not load PC BIOS)",
	    NULL, NULL);
	checked_free(&c);
	checked_make(&c, &hyper_qemu, flash);
	checked_lacks(&c, rom);
	checked_free(&c);
	sized("rom", 131072);
	checked_make(&c, &hyper_qemu, spec);
	checked_lacks(&c, rom);
	checked_free(&c);
}

/* A run plans with firmware that is not installed, and the check tells what has it. */
static void firmware_that_is_not_installed(void **state)
{
	static const char *const rows[][2] = {
		{ "/usr/local/share/qemu/edk2-x86_64-code.fd", "ovmf" },
		{ "/usr/local/share/qemu/edk2-aarch64-code.fd", "qemu-efi-aarch64" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *fix = mem_format("apt-get install %s", rows[i][1]);
		struct checked c = { 0 };

		if (access(rows[i][0], F_OK) == 0 || !os_uses_ip())
			continue; /* it is installed, or the port of FreeBSD would have it */
		checked_make(&c, &hyper_qemu, "");
		free(c.planned.boot.plan.bootrom);
		c.planned.boot.plan.bootrom = mem_copy(rows[i][0]);
		checked_again(&c);
		(void)checked_has(&c, rows[i][0],
		    "No such file or directory: UEFI firmware for qemu (or name another with "
		    "\"qemu\": { \"bootrom\": ... })",
		    fix, NULL);
		checked_free(&c);
	}
}

static void variables(void **state)
{
	MEM_AUTO char *rom = scratch_path("rom"), *vars = scratch_path("vars");
	MEM_AUTO char *template = scratch_path("template"), *far = scratch_path("no/vars");
	MEM_AUTO char *directory = scratch_path("no"), *missing = NULL, *hint = NULL;
	MEM_AUTO char *spec = mem_format(
	    "bootrom = '%s', varfile = '%s', varfile_template = '%s'", rom, vars, template);
	MEM_AUTO char *unmakeable = mem_format(
	    "bootrom = '%s', varfile = '%s', varfile_template = '%s'", rom, far, template);

	(void)state;
	sized("rom", 15 << 20);
	missing = mem_format("No such file or directory: %s is made from it", vars);
	is_wrong(spec, "template", missing);
	sized("template", 65536);
	is_right(spec, "template");
	hint = mem_format("No such file or directory: %s cannot be made in this directory", far);
	checked_one(NULL, unmakeable, directory, hint, NULL, NULL);
	sized("vars", 4095);
	is_wrong(spec, "vars", "4095 bytes: expected at least 4096 bytes of UEFI variables");
	sized("vars", 4096);
	is_right(spec, "vars");
	sized("vars", 100);
	is_wrong(spec, "vars", "100 bytes: expected at least 4096 bytes of UEFI variables");
	sized("vars", 2 << 20);
	is_wrong(spec, "vars",
	    "2097152 bytes, with the firmware 17825792: together they have at most 16777216");
	sized("vars", 1 << 20);
	is_right(spec, "vars");
	if (geteuid() != 0) {
		assert_int_equal(chmod("vars", 0400), 0);
		is_wrong(spec, "vars", "Permission denied");
	}
}

/* A firmware of one's own has a template beside it, or needs a named one. */
static void variables_beside(void **state)
{
	static const char why[] =
	    "missing, and the firmware %s has no file of variables beside it to "
	    "make it from: name one in \"varfile_template\"";
	MEM_AUTO char *code = scratch_path("X_CODE.fd"), *rom = scratch_path("rom");
	MEM_AUTO char *vars = scratch_path("vars"), *of_code = mem_format(why, code);
	MEM_AUTO char *of_rom = mem_format(why, rom);
	MEM_AUTO char *with_code = mem_format("bootrom = '%s', varfile = '%s'", code, vars);
	MEM_AUTO char *with_rom = mem_format("bootrom = '%s', varfile = '%s'", rom, vars);

	(void)state;
	sized("X_CODE.fd", 4096);
	sized("rom", 4096);
	is_wrong(with_code, "vars", of_code);
	is_wrong(with_rom, "vars", of_rom);
	sized("X_VARS.fd", 4096);
	is_right(with_code, "vars");
	sized("vars", 4096);
	is_right(with_rom, "vars");
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void sockets(void **state)
{
	MEM_AUTO char *path = scratch_path("port"), *far = scratch_path("no/port");
	MEM_AUTO char *directory = scratch_path("no"), *text = NULL;
	MEM_AUTO char *spec =
	    mem_format("emulations = { { device = 'virtio-console', ports = { '%s' } } }", path);
	MEM_AUTO char *lost =
	    mem_format("emulations = { { device = 'virtio-console', ports = { '%s' } } }", far);
	int fd;

	(void)state;
	is_right(spec, "port");
	fd = listen_at("port");
	is_wrong(spec, "port", "another program answers on this socket");
	(void)close(fd);
	is_right(spec, "port"); /* stale */
	assert_int_equal(unlink("port"), 0);
	scratch_write("port", "mine", 0600);
	is_wrong(spec, "port", "exists and is not a socket");
	text = mem_format("its directory %s: No such file or directory", directory);
	is_wrong(lost, "no/port", text);
}

static void servers(void **state)
{
	MEM_AUTO char *path = scratch_path("tpm");
	MEM_AUTO char *spec =
	    mem_format("tpm = { type = 'swtpm', path = '%s' }, bhyve = { release = "
		       "15, arch = 'amd64' }",
		path);
	int fd;

	(void)state;
	is_wrong(spec, "tpm", "No such file or directory");
	fd = listen_at("tpm");
	is_right(spec, "tpm");
	(void)close(fd);
	is_wrong(spec, "tpm", "no program answers on this socket");
	assert_int_equal(unlink("tpm"), 0);
	scratch_write("tpm", "", 0600);
	is_wrong(spec, "tpm", "not a socket");
}

/* Listens on a port that the kernel chooses. */
static int take_port(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void port_in_use(const char *place, int port, int fd)
{
	MEM_AUTO char *screen = mem_format("graphic = { port = %d }", port);
	MEM_AUTO char *debugger = mem_format("gdb = 'w%d'", port);
	MEM_AUTO char *serial =
	    mem_format("com1 = 'tcp=%s', bhyve = { release = 15, arch = 'amd64' }", place);
	MEM_AUTO char *forwarded =
	    mem_format("bhyve = { release = 15, arch = 'amd64' }, emulations = { { device = "
		       "'e1000', name = 'slirp', hostfwd = { 'udp:%s-:1', 'tcp:%s-:1' } } }",
		place, place);

	checked_one(NULL, screen, place, "the port is in use by another program", NULL, NULL);
	checked_one(NULL, debugger, place, "the port is in use by another program", NULL, NULL);
	checked_one(NULL, serial, place, "the port is in use by another program", NULL, NULL);
	checked_one(NULL, forwarded, place, "the port is in use by another program", NULL, NULL);
	(void)close(fd);
	checked_none(NULL, screen, place);
}

static void ports(void **state)
{
	MEM_AUTO char *place = NULL;
	int port, fd;

	(void)state;
	loopback_needed();
	fd = take_port(&port);
	place = mem_format("127.0.0.1:%d", port);
	port_in_use(place, port, fd);
	checked_one(NULL, "graphic = { host = '192.0.2.1', port = 5900 }", "192.0.2.1:5900",
	    "this host has no such address", NULL, NULL);
}

static void port_of_a_name(void **state)
{
	struct checked c = { 0 };

	(void)state;
	checked_make(&c, &hyper_bhyve, "gdb = 'gdb.example.org:5900'");
	assert_int_equal(
	    checked_has(&c, "gdb.example.org:5900",
		"gdb.example.org:5900: the name of the host is not looked up", NULL, NULL)
		->kind,
	    FINDING_UNCHECKED);
	checked_free(&c);
}

static void other_files(void **state)
{
	MEM_AUTO char *path = scratch_path("x");
	MEM_AUTO char *password =
	    mem_format("graphic = { port = 5900, password_file = '%s' }", path);
	MEM_AUTO char *item = mem_format("fwcfg = { { name = 'opt/a', string = 'b' },"
					 "{ name = 'opt/x', file = '%s' } }",
	    path);
	MEM_AUTO char *tpm = mem_format("tpm = { type = 'passthru', path = '%s' }", path);
	MEM_AUTO char *serial = mem_format("com1 = '%s'", path);
	struct checked c = { 0 };
	MEM_AUTO char *where = NULL;

	(void)state;
	is_wrong(password, "x", "No such file or directory");
	is_wrong(tpm, "x", "No such file or directory");
	checked_make(&c, &hyper_bhyve, item);
	where =
	    where_keys_path(checked_has(&c, path, "No such file or directory", NULL, NULL)->keys);
	assert_string_equal(where, "fwcfg[1].file");
	checked_free(&c);
	scratch_write("x", "secret\n", 0600);
	is_right(password, "x");
	is_right(item, "x");
	is_wrong(tpm, "x", "not a character device");
	is_wrong(serial, "x", "not a serial device");
	assert_int_equal(unlink("x"), 0);
	assert_int_equal(mkdir("x", 0700), 0);
	is_wrong(item, "x", "a directory: expected a file");
	checked_none(NULL, "com1 = '/dev/null'", "/dev/null");
}

/* Makes a thing of each kind but a file under the name; returns what the checks call it, or NULL.
 */
static const char *make_kind(const char *name, int kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	switch (kind) {
	case 0:
		assert_int_equal(mkdir(name, 0700), 0);
		return "a directory";
	case 1:
		assert_int_equal(mkfifo(name, 0600), 0);
		return "a FIFO";
	case 2:
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		memcpy(address.sun_path, name, strlen(name) + 1);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		(void)close(fd);
		return "a socket";
	case 3:
		assert_int_equal(symlink("/dev/null", name), 0);
		return "a character device";
	default:
		return NULL;
	}
}

/* What is no file is called by its name, wherever a file is expected. */
static void kinds(void **state)
{
	static const struct {
		const char *keys; /* %s: the path */
		const char *expected;
		bool no_fifo, no_device; /* they are right there */
	} rows[] = {
		{ "bootrom = '%s'", "a file", false, false },
		{ "varfile = '%s'", "a file", false, false },
		{ "graphic = { port = 5900, password_file = '%s' }", "a file", false, false },
		{ "fwcfg = { { name = 'opt/x', file = '%s' } }", "a file", false, false },
		{ "emulations = { { device = 'passthru', src = 'ppt0', rom = '%s' } }", "a file",
		    false, false },
		{ "emulations = { { device = 'nvme', path = '%s' } }", "a disk", false, true },
		{ "bootrom = false, loader = { type = 'bhyveload', os_loader = '%s' }", "a file",
		    false, false },
		{ "bootrom = false, loader = { type = 'bhyveload', disks = { '%s' } }", "a file",
		    false, true },
		{ "bootrom = false, loader = { type = 'grub', device_map = '%s' }", "a file", false,
		    false },
		{ "com1 = 'console', console = { log = '%s' }", "a file", true, true },
	};
	MEM_AUTO char *path = scratch_path("x");
	const char *name;

	(void)state;
	for (int kind = 0; (name = make_kind("x", kind)) != NULL; kind++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			const char *before = strstr(rows[i].keys, "%s");
			MEM_AUTO char *keys = mem_format("%.*s%s%s", (int)(before - rows[i].keys),
			    rows[i].keys, path, before + strlen("%s"));
			MEM_AUTO char *text = mem_format("%s: expected %s", name, rows[i].expected);

			if ((kind == 1 && rows[i].no_fifo) || (kind == 3 && rows[i].no_device))
				is_right(keys, "x");
			else
				is_wrong(keys, "x", text);
		}
		assert_int_equal(remove("x"), 0);
	}
}

/* A template of another kind is none, as the run says that makes the variables. */
static void kinds_of_templates(void **state)
{
	MEM_AUTO char *rom = scratch_path("rom"), *vars = scratch_path("vars");
	MEM_AUTO char *template = scratch_path("x");
	MEM_AUTO char *spec = mem_format(
	    "bootrom = '%s', varfile = '%s', varfile_template = '%s'", rom, vars, template);
	MEM_AUTO char *text = mem_format("a FIFO: expected a file: %s is made from it", vars);

	(void)state;
	sized("rom", 4096);
	assert_int_equal(mkfifo("x", 0600), 0);
	is_wrong(spec, "x", text);
}

/* Each kind of device has a check for the files that it opens. */
static void files_of_devices(void **state)
{
	static const char none[] = "No such file or directory";
	static const struct {
		const char *device, *what, *text;
	} rows[] = {
		{ "device = 'ahci', ports = { { type = 'cd', path = '/no/x' } }", "/no/x", none },
		{ "device = 'nvme', path = '/no/x'", "/no/x", none },
		{ "device = 'virtio-9p', sharename = 's', path = '/no/x'", "/no/x", none },
		{ "device = 'virtio-9p', sharename = 's', path = '/dev/null'", "/dev/null",
		    "not a directory" },
		{ "device = 'virtio-input', path = '/no/x'", "/no/x", none },
		{ "device = 'virtio-input', path = '/dev'", "/dev", "not a character device" },
		{ "device = 'uart', path = '/no/x'", "/no/x", none },
		{ "device = 'hda', rec = '/no/x'", "/no/x", none },
		{ "device = 'passthru', src = 'ppt0', rom = '/no/x'", "/no/x", none },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *keys = mem_format("emulations = { { %s } }", rows[i].device);

		checked_one(NULL, keys, rows[i].what, rows[i].text, NULL, NULL);
	}
	checked_none(NULL, "emulations = { { device = 'nvme', ram = 1 } }", "/no/x");
}

static void files_of_a_loader(void **state)
{
	struct checked c = { 0 };
	MEM_AUTO char *where = NULL;

	(void)state;
	words_add(&c.planned.settings, "bootrom=null");
	checked_make(&c, &hyper_bhyve,
	    "loader = { type = 'bhyveload', host_dir = '/no/dir', os_loader = '/no/file',"
	    " disks = { '/no/disk' } }");
	where = where_keys_path(
	    checked_has(&c, "/no/dir", "No such file or directory", NULL, NULL)->keys);
	assert_string_equal(where, "loader.host_dir");
	(void)checked_has(&c, "/no/file", "No such file or directory", NULL, NULL);
	(void)checked_has(&c, "/no/disk", "No such file or directory", NULL, NULL);
	checked_free(&c);
}

#define MADE "made by companion mk"

/* Checks a disk of which a companion makes `above`: told (`text`) at first, or NULL. */
static void is_made(const char *above, const char *disk, const char *text)
{
	MEM_AUTO char *spec = mem_format(
	    "emulations = { { device = 'virtio-blk', path = '%s' } },"
	    "companions = { { name = 'mk', command = 'true', ready = { path = '%s' } } }",
	    disk, above);

	checked_one(NULL, spec, disk, text, NULL, NULL);
}

/* Paths are compared by their components. */
static void what_companions_make(void **state)
{
	static const char missing[] = "No such file or directory";

	(void)state;
	is_made("/none/a", "/none/a", MADE);
	is_made("/none/a", "/none/a/b/c", MADE);
	is_made("/none/a/", "/none//./a/./b", MADE);
	is_made("//none/./a/.", "/none/a", MADE);
	is_made("/none/a", "/none/ab", missing);
	is_made("/none/ab", "/none/a", missing);
	is_made("/none/a/b", "/none/a", missing);
	is_made("/none/.a", "/none/a", missing);
	is_made("/none/a", "/none/.a", missing);
}

/* What a companion makes is all that is checked once it is ready. */
static void left_over(void **state)
{
	MEM_AUTO char *rom = scratch_path("rom"), *disk = scratch_path("made/disk"),
		      *vars = scratch_path("made/vars"), *made = scratch_path("made");
	MEM_AUTO char *spec = mem_format(
	    "bootrom = '%s', varfile = '%s', emulations = { { device = 'virtio-blk', path = '%s' },"
	    "{ device = 'ahci-cd', path = '/none' } },"
	    "companions = { { name = 'mk', command = 'true', ready = { path = '%s' } } }",
	    rom, vars, disk, made);
	struct checked c = { 0 };

	(void)state;
	checked_make(&c, &hyper_bhyve, spec);
	assert_int_equal(checked_has(&c, disk, MADE, NULL, NULL)->kind, FINDING_MADE);
	assert_int_equal(checked_has(&c, vars, MADE, NULL, NULL)->kind, FINDING_MADE);
	(void)checked_has(&c, "/none", "No such file or directory", NULL, NULL);
	(void)checked_has(&c, rom, "No such file or directory", NULL, NULL);
	c.left_over = true;
	checked_again(&c);
	assert_int_equal(
	    checked_has(&c, disk, "No such file or directory", NULL, NULL)->kind, FINDING_PROBLEM);
	checked_lacks(&c, "/none");
	checked_lacks(&c, rom);
	checked_free(&c);
}

/* bhyveload opens each disk for writing, also those that the guest only reads. */
static void disks_of_bhyveload(void **state)
{
	static const char why[] =
	    "Permission denied: bhyveload opens each of its disks for writing (name those that it "
	    "needs in \"loader\": { \"disks\": ... })";
	MEM_AUTO char *path = scratch_path("cd.iso");
	MEM_AUTO char *own = mem_format(
	    "bootrom = vmrun.null, loader = { type = 'bhyveload', disks = { '%s' } }", path);
	MEM_AUTO char *cd = mem_format("bootrom = vmrun.null, loader = 'bhyveload', "
				       "emulations = { { device = 'ahci-cd', path = '%s' } }",
	    path);
	const char *const rows[] = { own, cd };

	(void)state;
	sized("cd.iso", 4096);
	for (size_t i = 0; i < 2; i++)
		is_right(rows[i], "cd.iso");
	if (geteuid() == 0) {
		print_message("skipped: root can write to every file\n");
		return;
	}
	assert_int_equal(chmod("cd.iso", 0400), 0);
	for (size_t i = 0; i < 2; i++)
		is_wrong(rows[i], "cd.iso", why);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(disks),
		cmocka_unit_test(a_missing_disk),
		IN_SCRATCH(a_disk_in_use),
		IN_SCRATCH(one_disk_of_two_devices),
		IN_SCRATCH(firmware),
		IN_SCRATCH(firmware_of_qemu),
		IN_SCRATCH(firmware_that_is_not_installed),
		IN_SCRATCH(variables),
		IN_SCRATCH(variables_beside),
		IN_SCRATCH(sockets),
		IN_SCRATCH(servers),
		IN_SCRATCH(ports),
		IN_SCRATCH(port_of_a_name),
		IN_SCRATCH(other_files),
		IN_SCRATCH(kinds),
		IN_SCRATCH(kinds_of_templates),
		cmocka_unit_test(files_of_devices),
		cmocka_unit_test(what_companions_make),
		IN_SCRATCH(left_over),
		cmocka_unit_test(files_of_a_loader),
		IN_SCRATCH(disks_of_bhyveload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
