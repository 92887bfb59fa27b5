/* The host of one run at a time. */
#define _GNU_SOURCE
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define INTERFACES "bridge0 up member=tap0\ntap0 up\n"
#define ROM_BYTES 4096

static const char *companion; /* the path of this program */
static struct {
	char *history, *state;
} seed;

static const char spec_form[] =
    "local vm = { name = '" WORLD_VM "', cpu = 1, mem = '64M', bootrom = 'rom',\n"
    "  varfile = 'vars', varfile_template = 'vars.template', backoff = false,\n"
    "  restart_limit = false, com1 = 'console', console = { log = 'con.log', timestamps = true },\n"
    "  ready = { exec = { '/bin/true' } }, post_start_script = { '/bin/true' },\n"
    "  graphic = { port = 'auto', password_file = 'password' },\n"
    "  stop = { { ['do'] = 'acpi', wait = 2 }, { ['do'] = 'poweroff', wait = 2 },\n"
    "    { ['do'] = 'kill', wait = 2 } },\n"
    "  companions = { { name = 'side', command = { '%s', 'companion', 'companion.up' },\n"
    "    ready = { path = 'companion.up' } } },\n"
    "  emulations = { { device = 'virtio-blk', path = 'disk' },\n"
    "    { device = 'virtio-net', bridge = 'bridge0' },\n"
    "    { device = 'e1000', name = 'tap9', fix = true },\n"
    "    { device = 'virtio-console', ports = { 'a.sock' } } } }\n"
    "function vm.on_start()\n"
    "  vmrun.state.n = (vmrun.state.n or 0) + 1\n"
    "  local status, out, err = vmrun.exec { '/bin/cat', stdin = 'hook' }\n"
    "  if status ~= 0 or out ~= 'hook' then return false, 'its command: ' .. tostring(out or err) "
    "end\n"
    "end\n"
    "function vm.on_end() vmrun.log('info', 'on_end was called') end\n"
    "return vm\n";

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(path);
		exit(2);
	}
}

static void make_file(const char *path, off_t size)
{
	write_file(path, "");
	if (truncate(path, size) != 0)
		exit(2);
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0700) != 0) {
		perror(path);
		exit(2);
	}
}

void world_begin(const char *self)
{
	MEM_AUTO char *here = getcwd(NULL, 0);
	MEM_AUTO char *state = mem_format("%s/state", here);
	MEM_AUTO char *log = mem_format("%s/starts", here);
	MEM_AUTO char *script = mem_format("%s/script", here);
	MEM_AUTO char *notify = mem_format("%s/notify", here);
	MEM_AUTO char *path =
	    mem_format("%s/tests/fake/bin:/usr/bin:/bin:/usr/sbin:/sbin", SOURCE_DIR);

	const char *undefined = getenv("UBSAN_OPTIONS"), *address = getenv("ASAN_OPTIONS");
	/* The sanitizer asks to be the first library, but also works behind another one. */
	MEM_AUTO char *asan = mem_format("%s%sverify_asan_link_order=0",
	    address == NULL ? "" : address, address == NULL ? "" : ":");
	MEM_AUTO char *ubsan = undefined == NULL ? NULL : mem_copy(undefined);

	companion = self;
	(void)clearenv();
	(void)setenv("ASAN_OPTIONS", asan, 1);
	if (ubsan != NULL)
		(void)setenv("UBSAN_OPTIONS", ubsan, 1);
	(void)setenv("PATH", path, 1);
	(void)setenv("HOME", here, 1);
	(void)setenv("XDG_RUNTIME_DIR", here, 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)setenv("FAKE_STATE_DIR", state, 1);
	(void)setenv("FAKEBHYVE_LOG", log, 1);
	(void)setenv("FAKEBHYVE_SCRIPT", script, 1);
	(void)setenv("VMRUN_BHYVE", FAKEBHYVE, 1);
	(void)setenv("NOTIFY_SOCKET", notify, 1);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	if (at->level > 0 && strcmp(path, "./" WORLD_PAGE) != 0)
		(void)remove(path);
	return 0;
}

void world_remove(void)
{
	(void)nftw(".", remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes the socket of a service manager that does not read. */
static void make_notify_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "notify" };
	static int manager = -1;

	if (manager >= 0)
		(void)close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager < 0 || bind(manager, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("notify");
		exit(2);
	}
}

void world_reset(bool varfile)
{
	MEM_AUTO char *spec = mem_format(spec_form, companion);

	world_remove();
	make_directory("run");
	make_directory("run/.names");
	write_file("run/.names/tap3", ""); /* of a vmrun that was killed */
	make_directory("keep");
	make_directory(WORLD_KEEP);
	make_directory("state");
	make_directory("state/vmm");
	make_directory("state/memory");
	write_file("state/modules", "vmm.ko\n");
	write_file("state/interfaces", INTERFACES);
	write_file("state/sysctls", "hw.physmem=8589934592\nhw.vmm.maxcpu=16\n");
	make_file("rom", ROM_BYTES);
	make_file("vars.template", ROM_BYTES);
	make_file("disk", 1 << 20);
	write_file("password", "sesame\n");
	write_file("vm.lua", spec);
	make_notify_socket();
	if (varfile)
		make_file("vars", ROM_BYTES);
	if (seed.state == NULL)
		return;
	write_file(WORLD_STATE, seed.state);
	write_file(WORLD_HISTORY, seed.history);
}

void world_script(const char *lines)
{
	write_file("script", lines);
	(void)unlink("companion.up");
	(void)unlink("starts");
}

void world_seed(void)
{
	seed.state = world_read(WORLD_STATE);
	seed.history = world_read(WORLD_HISTORY);
}

char *world_read(const char *path)
{
	STR_AUTO struct str s = { 0 };
	char buffer[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
		str_add_n(&s, buffer, (size_t)n);
	if (fd >= 0)
		(void)close(fd);
	return str_take(&s);
}

/* Returns whether a run may leave the file behind: an input, an output, or what lasts. */
static bool is_expected(const char *path)
{
	static const char *const expected[] = { WORLD_PAGE, WORLD_KEEP, WORLD_HISTORY, WORLD_STATE,
		"rom", "vars", "vars.template", "disk", "password", "vm.lua", "script", "starts",
		"companion.up", "con.log", "events", "up", "notify", "run", "keep", "state",
		"state/modules", "state/interfaces", "state/sysctls", "state/vmm", "state/memory" };

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		if (strcmp(path, expected[i]) == 0)
			return true;
	}
	return str_after(path, "out") != NULL || str_after(path, "err") != NULL;
}

static struct words *found; /* by note_left() */

static int note_left(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	if (at->level > 0 && !is_expected(path + 2))
		words_add(found, path + 2);
	return 0;
}

void world_left(struct words *left)
{
	MEM_AUTO char *interfaces = world_read("state/interfaces");
	char *rest = interfaces;

	found = left;
	(void)nftw(".", note_left, 16, FTW_PHYS);
	if (strstr(interfaces, "tap0 up") == NULL)
		words_add(left, "the tap0 of another program is gone");
	/* The fake ifconfig keeps a line for each interface. */
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (*line != '\0' && strstr(INTERFACES, line) == NULL)
			words_add(left, line);
	}
}
