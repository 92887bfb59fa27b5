/* The firmware or the kernel that boots a guest under qemu. */
#include <string.h>

#include "base/mem.h"
#include "device/qemu_words.h"
#include "hyper/firmware.h"
#include "hyper/qemu_plan.h"

void qemu_check_boot(struct qemu_plan *b)
{
	const struct spec *s = b->spec;
	bool is_loader = s->loader.type != LOADER_NONE;
	struct where at = { NULL, is_loader ? "loader" : "bootrom", 0 };

	if (!b->machine->is_pc && qemu_uses_own_bios(s) && s->qemu.kernel == NULL)
		report_add(b->report, STATUS_SPEC, &at,
		    "qemu has no BIOS for %s, where %s: %s, or name a kernel in \"qemu\": { "
		    "\"kernel\": ... }",
		    hyper_arch_name(s), is_loader ? "no loader runs" : "only firmware boots a disk",
		    is_loader ? "remove this key, so that UEFI firmware boots the guest"
			      : "remove this key for UEFI firmware");
}

static void add_flash_node(const char *node, const char *path, bool ro, struct words *argv)
{
	qemu_begin(argv, "-blockdev", NULL);
	qemu_pair(argv, "driver", "raw");
	qemu_pair(argv, "node-name", node);
	qemu_pair(argv, "read-only", ro ? "on" : NULL);
	qemu_pair(argv, "file.driver", "file");
	qemu_pair(argv, "file.filename", path);
}

static void add_flash(struct qemu_plan *b, const char *code, const char *vars)
{
	add_flash_node("flash0", code, true, b->argv);
	add_flash_node("flash1", vars, false, b->argv);
	qemu_begin(b->argv, "-machine", NULL);
	qemu_pair(b->argv, "pflash0", "flash0");
	qemu_pair(b->argv, "pflash1", "flash1");
}

void qemu_add_firmware(struct qemu_plan *b)
{
	const struct spec *s = b->spec;
	const char *own = spec_has_rom(s) ? s->bootrom : NULL;
	const char *rom = s->qemu.bootrom != NULL ? s->qemu.bootrom : own;
	bool substitute = rom == NULL || firmware_is_bhyve(rom);
	MEM_AUTO char *vars = NULL;

	if (s->qemu.varfile != NULL)
		vars = mem_copy(s->qemu.varfile);
	else if (s->varfile != NULL)
		vars = substitute ? mem_format("%s.qemu", s->varfile) : mem_copy(s->varfile);
	if (vars != NULL) {
		if (substitute)
			b->plan->varfile_template =
			    mem_copy(firmware_first(b->machine->vars, true));
		else
			b->plan->varfile_template = s->varfile_template != NULL
			    ? mem_copy(s->varfile_template)
			    : firmware_template(rom);
		b->plan->varfile = mem_copy(vars);
		if (substitute)
			rom = firmware_first(b->machine->code, true);
		add_flash(b, rom, vars);
	} else {
		if (substitute)
			rom = firmware_first(b->machine->firmware, true);
		words_add(b->argv, "-bios");
		words_add(b->argv, rom);
	}
	b->plan->bootrom = mem_copy(rom);
	if (substitute && own != NULL)
		words_addf(&b->plan->notes,
		    "firmware %s is bhyve's: under qemu %s stands in for it", own, rom);
}

bool qemu_uses_own_bios(const struct spec *s)
{
	bool has_none = s->bootrom != NULL && !spec_has_rom(s);

	if (s->qemu.bootrom != NULL || s->qemu.varfile != NULL)
		return false;
	return has_none || s->loader.type != LOADER_NONE ||
	    (s->qemu.kernel != NULL && s->bootrom == NULL && s->varfile == NULL);
}

void qemu_add_kernel(const struct qemu_settings *qemu, struct words *argv)
{
	const char *const words[][2] = {
		{ "-kernel", qemu->kernel },
		{ "-initrd", qemu->initrd },
		{ "-append", qemu->append },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i][1] == NULL)
			continue;
		words_add(argv, words[i][0]);
		words_add(argv, words[i][1]);
	}
}
