/*
 * Images of another format than the spec says: the guest would get the container in place of the
 * disk, and destroy it by its first write.  Told by their magic.  Facts: the formats' documents,
 * and qemu's block/.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/need.h"
#include "device/disk.h"

#define HEAD_BYTES 512
#define TAIL_BYTES 512	     /* of a vpc image: its footer */
#define ISO_SIGN_AT 32769    /* behind the type of the first volume descriptor */
#define BOOT_SIGN_AT 510     /* of an MBR, also of a protective one */
#define LINUX_SIGN_AT 0x202  /* of the setup header: Linux' Documentation/arch/x86/boot.rst */
#define MULTIBOOT_BYTES 8192 /* that have the header: Multiboot Specification 0.6.96, 3.1 */
#define MULTIBOOT_ALIGNMENT 4

/* What is read of an image. */
struct sample {
	char head[HEAD_BYTES], tail[TAIL_BYTES];
	char iso[sizeof("CD001") - 1];
};

struct format {
	const char *name; /* as qemu-img names it */
	bool at_end;
	size_t offset;
	const char *sign;
	size_t length;
	const char *suffix;	/* of a name; compressed: that the program insists on */
	const char *program[3]; /* that decompresses it; NULL: qemu-img converts it */
};

/* A string may hold a NUL, but does not count its own. */
#define SIGN(text) (text), sizeof(text) - 1

static const struct format formats[] = {
	{ "qcow", false, 0, SIGN("QFI\xfb\0\0\0\1"), ".qcow", { NULL } },
	{ "qcow2", false, 0, SIGN("QFI\xfb"), ".qcow2", { NULL } },
	{ "vmdk", false, 0, SIGN("KDMV"), ".vmdk", { NULL } },
	{ "vmdk", false, 0, SIGN("COWD"), ".vmdk", { NULL } },
	{ "vmdk", false, 0, SIGN("# Disk DescriptorFile"), ".vmdk", { NULL } },
	{ "vhdx", false, 0, SIGN("vhdxfile"), ".vhdx", { NULL } },
	{ "vdi", false, 64, SIGN("\x7f\x10\xda\xbe"), ".vdi", { NULL } },
	{ "vpc", false, 0, SIGN("conectix"), ".vhd", { NULL } },
	{ "vpc", true, 0, SIGN("conectix"), ".vhd", { NULL } },
	{ "xz", false, 0,
	    SIGN("\xfd"
		 "7zXZ\0"),
	    ".xz", { "xz", "-dk" } },
	{ "gzip", false, 0, SIGN("\x1f\x8b\x08"), ".gz", { "gzip", "-dk" } },
	{ "zstd", false, 0, SIGN("\x28\xb5\x2f\xfd"), ".zst", { "zstd", "-d" } },
	{ "bzip2", false, 4, SIGN("1AY&SY"), ".bz2", { "bzip2", "-dk" } },
};

/* Reads at most n bytes; the rest stays zero. */
static void read_at(int fd, off_t at, char *bytes, size_t n)
{
	if (at >= 0 && pread(fd, bytes, n, at) < 0)
		memset(bytes, 0, n);
}

/*
 * Reads what tells the formats apart.  Only regular files and block devices are read: another
 * process may have replaced the file meanwhile, so the open must not wait for anything.
 */
static bool read_sample(const char *path, struct sample *s)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	bool good;

	if (fd < 0)
		return false;
	good = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
	if (good) {
		memset(s, 0, sizeof(*s));
		read_at(fd, 0, s->head, sizeof(s->head));
		/* A device's size is where its end is: st_size is 0. */
		read_at(fd, lseek(fd, 0, SEEK_END) - TAIL_BYTES, s->tail, sizeof(s->tail));
		read_at(fd, ISO_SIGN_AT, s->iso, sizeof(s->iso));
	}
	(void)close(fd);
	return good;
}

static const struct format *format_of(const struct sample *s)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct format *f = &formats[i];
		const char *where = f->at_end ? s->tail : s->head;

		if (memcmp(where + f->offset, f->sign, f->length) == 0)
			return f;
	}
	return NULL;
}

/* Returns whether it is an image of a CD that has no partition table, so that no disk has both. */
static bool is_plain_iso(const struct sample *s)
{
	return memcmp(s->iso, "CD001", sizeof(s->iso)) == 0 &&
	    memcmp(s->head + BOOT_SIGN_AT, "\x55\xaa", 2) != 0;
}

/* Returns the path without the suffix, or NULL if it does not end in that.  Caller frees. */
static char *without_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), end = strlen(suffix);

	return n > end && path[n - end - 1] != '/' && strcmp(path + n - end, suffix) == 0
	    ? mem_copy_n(path, n - end)
	    : NULL;
}

/* Adds the command that makes a raw image, unless it would write over a file. */
static void advise_to_convert(struct finding *f, const struct format *format, const char *path)
{
	MEM_AUTO char *stem = without_suffix(path, format->suffix);
	MEM_AUTO char *raw = mem_format("%s.raw", stem == NULL ? path : stem);

	if (format->program[0] != NULL) {
		if (stem == NULL || access(stem, F_OK) == 0)
			return;
		check_advise(f, format->program);
		words_add(&f->fix, path);
	} else if (access(raw, F_OK) != 0) {
		check_advise(
		    f, COMMAND("qemu-img", "convert", "-f", format->name, "-O", "raw", path, raw));
	}
}

/* Returns whether the hypervisor reads images of this format. */
static bool is_readable(const struct check *c, const struct format *format)
{
	for (size_t i = 0; !c->host.bhyve && disk_formats[i] != NULL; i++) {
		if (strcmp(disk_formats[i], format->name) == 0)
			return true;
	}
	return false;
}

/* Reports an image that has another format than the spec says. */
static void report_format(
    struct check *c, const struct checked_need *need, const struct format *format)
{
	const char *path = need->need->what, *given = need->need->format;
	struct finding *f;

	if (is_readable(c, format)) {
		(void)check_problem(c, need, path,
		    "a %s image, but \"format\" is \"%s\": set \"format\" to \"%s\" (a write would "
		    "destroy it otherwise)",
		    format->name, given, format->name);
		return;
	}
	f = format->program[0] == NULL
	    ? check_problem(c, need, path,
		  "a %s image: expected a raw one (convert it and name the copy)", format->name)
	    : check_problem(c, need, path,
		  "compressed with %s: expected a %s image (decompress it and name the result)",
		  format->name, given);
	advise_to_convert(f, format, path);
}

void check_image(struct check *c, const struct checked_need *need)
{
	const char *path = need->need->what, *given = need->need->format;
	bool raw = strcmp(given, disk_formats[FORMAT_RAW]) == 0;
	const struct format *format;
	struct sample sample;

	if (!read_sample(path, &sample))
		return;
	format = format_of(&sample);
	if (format != NULL && strcmp(format->name, given) != 0)
		report_format(c, need, format);
	else if (format == NULL && !raw)
		(void)check_problem(c, need, path,
		    "not a %s image, which \"format\" says it is: expected one, or no \"format\" "
		    "for a raw image",
		    given);
	else if (raw && need->need->write && is_plain_iso(&sample))
		(void)check_problem(c, need, path,
		    "an ISO 9660 image, which is read-only: use the device ahci-cd, or set "
		    "\"ro\" to true");
}

/* Returns whether qemu may load this as a kernel, by what its x86_load_linux() looks for. */
static bool is_kernel(const char *bytes)
{
	/* ELF, which also holds a kernel for multiboot or PVH; PE, which firmware starts. */
	bool good = memcmp(bytes,
			"\x7f"
			"ELF",
			4) == 0 ||
	    memcmp(bytes, "MZ", 2) == 0 || memcmp(bytes + LINUX_SIGN_AT, "HdrS", 4) == 0;

	for (size_t i = 0; !good && i < MULTIBOOT_BYTES; i += MULTIBOOT_ALIGNMENT)
		good = memcmp(bytes + i, "\x02\xb0\xad\x1b", 4) == 0;
	return good;
}

void check_kernel(struct check *c, const struct checked_need *need)
{
	size_t before = c->host.out->count;
	char bytes[MULTIBOOT_BYTES] = "";
	int fd;

	check_file(c, need);
	fd = c->host.out->count > before
	    ? -1
	    : open(need->need->what, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	read_at(fd, 0, bytes, sizeof(bytes));
	(void)close(fd);
	if (!is_kernel(bytes))
		(void)check_problem(c, need, need->need->what,
		    "not a kernel: expected a Linux bzImage such as /boot/vmlinuz-*, or an ELF or "
		    "multiboot image");
}
