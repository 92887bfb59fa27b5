/* Images of a format that the spec does not say, told by their magic, and the way out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/mem.h"
#include "base/str.h"
#include "checked.h"

#define IMAGE_BYTES (1 << 20)
#define ISO_SIGN_AT 32769
#define BOOT_SIGN_AT 510

#define SIGN(text) (text), sizeof(text) - 1

/* Writes bytes into a file, which is made if it is missing. */
static void patch(const char *name, off_t at, const char *bytes, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	assert_int_equal(close(fd), 0);
}

/* Makes an empty image with these bytes in it; a place below 0 counts from the end. */
static void image(const char *name, off_t at, const char *bytes, size_t n)
{
	scratch_write(name, "", 0600);
	assert_int_equal(truncate(name, IMAGE_BYTES), 0);
	patch(name, at < 0 ? IMAGE_BYTES + at : at, bytes, n);
}

/*
 * Checks a device with that image under a hypervisor: there is one finding of this text and fix;
 * NULL: there is none.
 */
static void look_under(const struct hypervisor *hyper, const char *device, const char *name,
    const char *text, const char *fix)
{
	MEM_AUTO char *path = scratch_path(name);
	MEM_AUTO char *keys = mem_format("emulations = { { %s path = '%s' } }", device, path);
	struct checked c = { 0 };
	const struct finding *f;

	checked_make(&c, hyper, keys);
	if (text == NULL) {
		checked_lacks(&c, path);
	} else {
		f = checked_has(&c, path, text, fix, NULL);
		assert_int_equal(f->kind, FINDING_PROBLEM);
		assert_int_equal(f->advice, fix != NULL);
	}
	checked_free(&c);
}

static void look(const char *device, const char *name, const char *text, const char *fix)
{
	look_under(&hyper_bhyve, device, name, text, fix);
}

/* Returns the command with the path of a file of the scratch directory for each `%`. */
static char *command_of(const char *fmt)
{
	MEM_AUTO char *here = scratch_path("");
	STR_AUTO struct str s = { 0 };

	for (; *fmt != '\0'; fmt++) {
		if (*fmt == '%')
			str_add(&s, here);
		else
			str_add_n(&s, fmt, 1);
	}
	return mem_copy(s.text);
}

static void every_format(void **state)
{
	static const struct {
		const char *name;
		off_t at;
		const char *sign;
		size_t length;
		const char *format, *fix;
	} rows[] = {
		{ "a.qcow", 0, SIGN("QFI\xfb\0\0\0\1"), "qcow",
		    "qemu-img convert -f qcow -O raw %a.qcow %a.raw" },
		{ "a.qcow2", 0, SIGN("QFI\xfb\0\0\0\2"), "qcow2",
		    "qemu-img convert -f qcow2 -O raw %a.qcow2 %a.raw" },
		{ "b.img", 0, SIGN("QFI\xfb\0\0\0\3"), "qcow2",
		    "qemu-img convert -f qcow2 -O raw %b.img %b.img.raw" },
		{ "a.vmdk", 0, SIGN("KDMV\1\0\0\0"), "vmdk",
		    "qemu-img convert -f vmdk -O raw %a.vmdk %a.raw" },
		{ "b.vmdk", 0, SIGN("COWD"), "vmdk",
		    "qemu-img convert -f vmdk -O raw %b.vmdk %b.raw" },
		{ "c.vmdk", 0, SIGN("# Disk DescriptorFile\nversion=1\n"), "vmdk",
		    "qemu-img convert -f vmdk -O raw %c.vmdk %c.raw" },
		{ "a.vhdx", 0, SIGN("vhdxfile"), "vhdx",
		    "qemu-img convert -f vhdx -O raw %a.vhdx %a.raw" },
		{ "a.vdi", 64, SIGN("\x7f\x10\xda\xbe"), "vdi",
		    "qemu-img convert -f vdi -O raw %a.vdi %a.raw" },
		{ "a.vhd", 0, SIGN("conectix"), "vpc",
		    "qemu-img convert -f vpc -O raw %a.vhd %a.raw" },
		{ "b.vhd", -512, SIGN("conectix"), "vpc",
		    "qemu-img convert -f vpc -O raw %b.vhd %b.raw" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *fix = command_of(rows[i].fix);
		MEM_AUTO char *text =
		    mem_format("a %s image: expected a raw one (convert it and name the copy)",
			rows[i].format);

		image(rows[i].name, rows[i].at, rows[i].sign, rows[i].length);
		look("device = 'virtio-blk',", rows[i].name, text, fix);
		/* one byte further it is the contents of a disk */
		image(rows[i].name, rows[i].at + 1, rows[i].sign, rows[i].length);
		look("device = 'virtio-blk',", rows[i].name, NULL, NULL);
	}
}

/* Under qemu the spec must say the format of an image, and must not say another one. */
static void formats_of_qemu(void **state)
{
	static const struct {
		const char *format;
		off_t at;
		const char *sign;
		size_t length;
	} rows[] = {
		{ "qcow2", 0, SIGN("QFI\xfb\0\0\0\3") },
		{ "vmdk", 0, SIGN("KDMV\1\0\0\0") },
		{ "vhdx", 0, SIGN("vhdxfile") },
		{ "vdi", 64, SIGN("\x7f\x10\xda\xbe") },
		{ "vpc", -512, SIGN("conectix") },
	};
	static const char *const devices[] = { "virtio-blk", "ahci-hd", "ahci-cd", "nvme",
		"virtio-scsi" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *format = rows[i].format;
		const char *other = rows[(i + 1) % 5].format;
		MEM_AUTO char *plain = mem_format("device = '%s',", devices[i]);
		MEM_AUTO char *good = mem_format("%s format = '%s',", plain, format);
		MEM_AUTO char *bad = mem_format("%s format = '%s',", plain, other);
		MEM_AUTO char *as_raw = mem_format("a %s image, but \"format\" is \"raw\": set "
						   "\"format\" to \"%s\" (a write would destroy it "
						   "otherwise)",
		    format, format);
		MEM_AUTO char *as_other = mem_format("a %s image, but \"format\" is \"%s\": set "
						     "\"format\" to \"%s\" (a write would destroy "
						     "it otherwise)",
		    format, other, format);
		MEM_AUTO char *none = mem_format("not a %s image, which \"format\" says it is: "
						 "expected one, or no \"format\" for a raw image",
		    format);

		image("a", rows[i].at, rows[i].sign, rows[i].length);
		look_under(&hyper_qemu, plain, "a", as_raw, NULL);
		look_under(&hyper_qemu, bad, "a", as_other, NULL);
		look_under(&hyper_qemu, good, "a", NULL, NULL);
		image("a", 0, SIGN("contents"));
		look_under(&hyper_qemu, good, "a", none, NULL);
		look_under(&hyper_qemu, plain, "a", NULL, NULL);
	}
}

/* What qemu cannot read either, and an image that is missing. */
static void other_images_of_qemu(void **state)
{
	MEM_AUTO char *convert = command_of("qemu-img convert -f qcow -O raw %a.qcow %a.raw");
	MEM_AUTO char *unpack = command_of("xz -dk %a.qcow2.xz");
	MEM_AUTO char *make = command_of("qemu-img create -f qcow2 %new.qcow2 20G");
	MEM_AUTO char *make_raw = command_of("truncate -s 20G %new.img");

	(void)state;
	image("a.qcow", 0, SIGN("QFI\xfb\0\0\0\1"));
	look_under(&hyper_qemu, "device = 'nvme', format = 'qcow2',", "a.qcow",
	    "a qcow image: expected a raw one (convert it and name the copy)", convert);
	image("a.qcow2.xz", 0, SIGN("\3757zXZ\0"));
	look_under(&hyper_qemu, "device = 'nvme', format = 'qcow2',", "a.qcow2.xz",
	    "compressed with xz: expected a qcow2 image (decompress it and name the result)",
	    unpack);
	look_under(&hyper_qemu, "device = 'nvme', format = 'qcow2',", "new.qcow2",
	    "No such file or directory", make);
	look_under(
	    &hyper_qemu, "device = 'nvme',", "new.img", "No such file or directory", make_raw);
	/* The check of a disk does not look for an ISO image inside a qcow2 image. */
	image("cd.qcow2", 0, SIGN("QFI\xfb\0\0\0\3"));
	patch("cd.qcow2", ISO_SIGN_AT, SIGN("CD001"));
	look_under(&hyper_qemu, "device = 'virtio-blk', format = 'qcow2',", "cd.qcow2", NULL, NULL);
}

static void every_compression(void **state)
{
	static const struct {
		const char *name;
		off_t at;
		const char *sign;
		size_t length;
		const char *program, *fix;
	} rows[] = {
		{ "a.img.xz", 0, SIGN("\3757zXZ\0"), "xz", "xz -dk %a.img.xz" },
		{ "a.img.gz", 0, SIGN("\x1f\x8b\x08"), "gzip", "gzip -dk %a.img.gz" },
		{ "a.img.zst", 0, SIGN("\x28\xb5\x2f\xfd"), "zstd", "zstd -d %a.img.zst" },
		{ "a.img.bz2", 0, SIGN("BZh91AY&SY"), "bzip2", "bzip2 -dk %a.img.bz2" },
		/* These programs refuse names without their suffix. */
		{ "b.img", 0, SIGN("\3757zXZ\0"), "xz", NULL },
		{ ".gz", 0, SIGN("\x1f\x8b\x08"), "gzip", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *fix = rows[i].fix == NULL ? NULL : command_of(rows[i].fix);
		MEM_AUTO char *text = mem_format("compressed with %s: expected a raw image "
						 "(decompress it and name the result)",
		    rows[i].program);

		image(rows[i].name, rows[i].at, rows[i].sign, rows[i].length);
		look("device = 'ahci-hd',", rows[i].name, text, fix);
		look("device = 'ahci-cd',", rows[i].name, text, fix);
	}
	image("plain.img", 0, SIGN("BZh91AZ&SY"));
	look("device = 'nvme',", "plain.img", NULL, NULL);
}

/* A command never writes over a file. */
static void what_exists_is_kept(void **state)
{
	(void)state;
	image("a.qcow2", 0, SIGN("QFI\xfb"));
	image("a.raw", 0, SIGN(""));
	look("device = 'nvme',", "a.qcow2",
	    "a qcow2 image: expected a raw one (convert it and name the copy)", NULL);
	image("a.img.xz", 0, SIGN("\3757zXZ\0"));
	image("a.img", 0, SIGN(""));
	look("device = 'nvme',", "a.img.xz",
	    "compressed with xz: expected a raw image (decompress it and name the result)", NULL);
}

static void images_of_cds(void **state)
{
	static const char text[] = "an ISO 9660 image, which is read-only: use the device ahci-cd, "
				   "or set \"ro\" to true";

	(void)state;
	image("disc1.iso", ISO_SIGN_AT, SIGN("CD001"));
	look("device = 'ahci-hd',", "disc1.iso", text, NULL);
	look("device = 'virtio-blk',", "disc1.iso", text, NULL);
	look("device = 'virtio-blk', ro = true,", "disc1.iso", NULL, NULL);
	look("device = 'ahci-cd',", "disc1.iso", NULL, NULL);
	/* one that is also the image of a memory stick */
	patch("disc1.iso", BOOT_SIGN_AT, SIGN("\x55\xaa"));
	look("device = 'ahci-hd',", "disc1.iso", NULL, NULL);
}

/* Files that are shorter than what is read of them. */
static void short_files(void **state)
{
	(void)state;
	for (off_t size = 0; size <= 1024; size += size < 10 ? 1 : 251) {
		image("short", 0, SIGN("no format"));
		assert_int_equal(truncate("short", size), 0);
		look("device = 'virtio-blk',", "short", NULL, NULL);
	}
	scratch_write("short.qcow2", "QFI\xfb", 0600);
	MEM_AUTO char *fix = command_of("qemu-img convert -f qcow2 -O raw %short.qcow2 %short.raw");

	look("device = 'virtio-blk',", "short.qcow2",
	    "a qcow2 image: expected a raw one (convert it and name the copy)", fix);
}

/* Checks a VM under qemu with that kernel: there is one finding of this text; NULL: there is none.
 */
static void look_at_kernel(const char *name, const char *text)
{
	MEM_AUTO char *path = scratch_path(name);
	MEM_AUTO char *keys = mem_format("qemu = { kernel = '%s', initrd = '%s' }", path, path);
	struct checked c = { 0 };
	size_t found = 0;

	checked_make(&c, &hyper_qemu, keys);
	for (size_t i = 0; i < c.out.count; i++) {
		const struct finding *f = &c.out.item[i];
		MEM_AUTO char *where = f->keys == NULL ? mem_copy("") : where_keys_path(f->keys);

		if (strcmp(where, "qemu.kernel") != 0)
			continue;
		found++;
		assert_non_null(text);
		assert_string_equal(f->text, text);
		assert_string_equal(f->what, path);
	}
	assert_int_equal(found, text == NULL ? 0 : 1);
	checked_free(&c);
}

static void kernels(void **state)
{
	static const char wrong[] = "not a kernel: expected a Linux bzImage such as "
				    "/boot/vmlinuz-*, or an ELF or multiboot image";
	static const char multiboot[] = "\x02\xb0\xad\x1b";

	(void)state;
	image("bzImage", 0x202, SIGN("HdrS"));
	look_at_kernel("bzImage", NULL);
	image("shifted", 0x201, SIGN("HdrS"));
	look_at_kernel("shifted", wrong);
	image("vmlinux", 0, SIGN("\177ELF"));
	look_at_kernel("vmlinux", NULL);
	image("uki.efi", 0, SIGN("MZ"));
	look_at_kernel("uki.efi", NULL);
	image("first", 0, SIGN(multiboot));
	look_at_kernel("first", NULL);
	image("last", 8188, SIGN(multiboot));
	look_at_kernel("last", NULL);
	image("late", 8192, SIGN(multiboot));
	look_at_kernel("late", wrong);
	image("odd", 8186, SIGN(multiboot));
	look_at_kernel("odd", wrong);
	image("initrd.gz", 0, SIGN("\x1f\x8b\x08"));
	look_at_kernel("initrd.gz", wrong);
	scratch_write("empty", "", 0600);
	look_at_kernel("empty", wrong);
	look_at_kernel("missing", "No such file or directory");
	assert_int_equal(mkdir("directory", 0700), 0);
	look_at_kernel("directory", "a directory: expected a file");
}

/* The initrd may be any file that can be read. */
static void initrds(void **state)
{
	struct checked c = { 0 };

	(void)state;
	image("kernel", 0, SIGN("MZ"));
	scratch_write("any", "", 0600);
	MEM_AUTO char *kernel = scratch_path("kernel"), *any = scratch_path("any");
	MEM_AUTO char *good = mem_format("qemu = { kernel = '%s', initrd = '%s' }", kernel, any);
	MEM_AUTO char *bad = mem_format("qemu = { kernel = '%s', initrd = '/no/such' }", kernel);

	checked_make(&c, &hyper_qemu, good);
	checked_lacks(&c, any);
	checked_free(&c);
	checked_make(&c, &hyper_qemu, bad);
	(void)checked_has(&c, "/no/such", "No such file or directory", NULL, NULL);
	checked_free(&c);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(every_format),
		IN_SCRATCH(formats_of_qemu),
		IN_SCRATCH(other_images_of_qemu),
		IN_SCRATCH(every_compression),
		IN_SCRATCH(what_exists_is_kept),
		IN_SCRATCH(images_of_cds),
		IN_SCRATCH(short_files),
		IN_SCRATCH(kernels),
		IN_SCRATCH(initrds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
