/* The firmware and the file of its variables.  Facts: bhyve's bootrom.c. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "check/need.h"
#include "hyper/firmware.h"

#define ROM_PAGE 4096
#define QEMU_ROM_UNIT \
	65536 /* of -bios on PC machines: x86_bios_rom_init() in QEMU's hw/i386/x86.c */
#define MAX_ROM (INT64_C(16) << 20) /* code and variables together */

/* Returns the size of a file, 0 for what is none. */
static int64_t measure(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : 0;
}

static bool is_missing(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

/* Reports that the firmware cannot be read; a missing one at a known place is in a package. */
static void report_no_rom(struct check *c, const struct checked_need *need, const char *why)
{
	const char *rom = c->request->plan->bootrom, *package = firmware_package(rom);
	bool given = spec_gives(c->request->spec, "bootrom"), missing = is_missing(rom);
	bool is_of_port = firmware_is_known(rom) && firmware_is_bhyve(rom);
	bool is_of_qemu = missing && !c->host.bhyve && package != NULL;
	struct finding *f = check_problem(c, need, rom, "%s%s", why,
	    is_of_qemu ? ": UEFI firmware for qemu (or name another with \"qemu\": { \"bootrom\": "
			 "... })"
		       : "");

	if (is_of_qemu)
		check_advise_package(c, f, NULL, package);
	else if (missing && c->host.bhyve && (!given || is_of_port))
		check_advise_package(c, f, firmware_port(rom), NULL);
}

/* Returns whether qemu's -bios loads the firmware, and not a flash memory. */
static bool uses_bios_option(const struct check *c)
{
	const struct words *argv = &c->request->plan->argv;

	for (size_t i = 0;
	     !c->host.bhyve && c->request->spec->bhyve.arch != ARCH_ARM64 && i < argv->count; i++) {
		if (strcmp(argv->item[i], "-bios") == 0)
			return true;
	}
	return false;
}

static void check_rom(struct check *c)
{
	const char *rom = c->request->plan->bootrom;
	struct where at = { NULL, "bootrom", 0 };
	struct checked_need need = { .at = &at };
	MEM_AUTO char *why = check_file_fault(rom, R_OK);
	struct stat st;

	if (!check_is_due(c, &need, rom, spec_maker(c->request->spec, rom)))
		return;
	if (why != NULL)
		report_no_rom(c, &need, why);
	else if (stat(rom, &st) < 0)
		(void)check_problem(c, &need, rom, "%s", strerror(errno));
	else if (uses_bios_option(c) && (st.st_size == 0 || st.st_size % QEMU_ROM_UNIT != 0))
		(void)check_problem(c, &need, rom,
		    "%jd bytes: under qemu firmware without a \"varfile\" is a multiple of %d "
		    "bytes long (qemu: could not load PC BIOS)",
		    (intmax_t)st.st_size, QEMU_ROM_UNIT);
	else if (c->host.bhyve && (st.st_size == 0 || st.st_size % ROM_PAGE != 0))
		(void)check_problem(c, &need, rom,
		    "%jd bytes: firmware is a multiple of %d bytes long", (intmax_t)st.st_size,
		    ROM_PAGE);
	else if (c->host.bhyve && st.st_size > MAX_ROM)
		(void)check_problem(c, &need, rom, "%jd bytes: firmware has at most %jd",
		    (intmax_t)st.st_size, (intmax_t)MAX_ROM);
}

/* Checks a varfile that will be created from the template. */
static void check_new_varfile(struct check *c, const struct checked_need *need)
{
	const struct plan *plan = c->request->plan;
	struct where at = { NULL, "varfile_template", 0 };
	struct checked_need template = { .at = &at };
	MEM_AUTO char *directory = check_parent(plan->varfile);
	bool given = spec_gives(c->request->spec, "varfile_template");
	MEM_AUTO char *fault =
	    plan->varfile_template == NULL ? NULL : check_file_fault(plan->varfile_template, R_OK);
	const char *why = fault;

	if (plan->varfile_template == NULL ||
	    (why != NULL && !given && !firmware_is_known(plan->varfile_template)))
		(void)check_problem(c, need, plan->varfile,
		    "missing, and the firmware %s has no file of variables beside it to make it "
		    "from: name one in \"varfile_template\"",
		    plan->bootrom);
	else if (why != NULL) {
		struct finding *f = check_problem(c, given ? &template : need,
		    plan->varfile_template, "%s: %s is made from it", why, plan->varfile);

		if (!given && is_missing(plan->varfile_template))
			check_advise_package(c, f,
			    c->host.bhyve ? firmware_port(plan->varfile_template) : NULL,
			    firmware_package(plan->varfile_template));
	}
	why = check_access(directory, W_OK | X_OK);
	if (why != NULL)
		(void)check_problem(c, need, directory, "%s: %s cannot be made in this directory",
		    why, plan->varfile);
}

static void check_old_varfile(struct check *c, const struct checked_need *need)
{
	const struct plan *plan = c->request->plan;
	MEM_AUTO char *why = check_file_fault(plan->varfile, R_OK | W_OK);
	int64_t rom, vars = measure(plan->varfile);

	rom = plan->bootrom == NULL ? 0 : measure(plan->bootrom);
	if (why != NULL)
		(void)check_problem(c, need, plan->varfile, "%s", why);
	else if (c->host.bhyve && vars < ROM_PAGE)
		(void)check_problem(c, need, plan->varfile,
		    "%" PRId64 " bytes: expected at least %d bytes of UEFI variables", vars,
		    ROM_PAGE);
	else if (c->host.bhyve && rom <= MAX_ROM && rom + vars > MAX_ROM)
		(void)check_problem(c, need, plan->varfile,
		    "%" PRId64 " bytes, with the firmware %" PRId64 ": together they have at most "
		    "%" PRId64,
		    vars, rom + vars, MAX_ROM);
}

static void check_varfile(struct check *c)
{
	const struct spec *spec = c->request->spec;
	bool qemu = !c->host.bhyve && spec->qemu.varfile != NULL;
	struct where above = { NULL, "qemu", 0 }, at = { qemu ? &above : NULL, "varfile", 0 };
	struct checked_need need = { .at = &at };
	const struct plan *plan = c->request->plan;
	const char *maker = spec_maker(spec, plan->varfile);

	if (maker == NULL && plan->varfile_template != NULL)
		maker = spec_maker(spec, plan->varfile_template);
	if (!check_is_due(c, &need, plan->varfile, maker))
		return;
	if (access(plan->varfile, F_OK) == 0)
		check_old_varfile(c, &need);
	else
		check_new_varfile(c, &need);
}

void check_firmware(struct check *c)
{
	if (c->request->plan->bootrom != NULL)
		check_rom(c);
	if (c->request->plan->varfile != NULL)
		check_varfile(c);
}
