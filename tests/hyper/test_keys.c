/*
 * What the rows say of each hypervisor is what it does: a key that it follows changes its command,
 * and one that it ignores does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "planned.h"

/* The required keys of each kind, and what PHYSICAL needs beside it where it may differ. */
#define PHYSICAL "physical_sector_size"

static const struct {
	const char *kind, *key, *base; /* key NULL: any but PHYSICAL */
} bases[] = {
	{ "virtio-blk", PHYSICAL, "path = '/a', logical_sector_size = 512" },
	{ "ahci-hd", PHYSICAL, "path = '/a', logical_sector_size = 512" },
	{ "virtio-blk", NULL, "path = '/a'" },
	{ "ahci-hd", NULL, "path = '/a'" },
	{ "ahci-cd", NULL, "path = '/a'" },
	{ "nvme", NULL, "path = '/a'" },
	{ "virtio-net", NULL, "name = 'slirp'" },
	{ "e1000", NULL, "name = 'slirp'" },
	{ "virtio-9p", NULL, "sharename = 's', path = '/a'" },
	{ "virtio-scsi", NULL, "path = '/a'" },
	{ "hda", NULL, "slot = 3" },
	{ "fbuf", NULL, "slot = 3" },
	{ "passthru", NULL, "src = '3:0:0'" },
	{ "xhci", NULL, "slot = 3" },
};

/* Another value than the default; keys without one here are not looked at. */
static const struct {
	const char *key, *value;
} values[] = {
	{ "format", "'qcow2'" },
	{ "nocache", "true" },
	{ "direct", "true" },
	{ "ro", "true" },
	{ "nodelete", "true" },
	{ "logical_sector_size", "512" },
	{ "physical_sector_size", "4096" },
	{ "ser", "'S'" },
	{ "bootindex", "3" },
	{ "nmrr", "1" },
	{ "rev", "'R'" },
	{ "model", "'M'" },
	{ "maxq", "2" },
	{ "qsz", "16" },
	{ "ioslots", "8" },
	{ "sectsz", "4096" },
	{ "eui64", "'0x589cfc0000000001'" },
	{ "dsm", "'disable'" },
	{ "mac", "'58:9c:fc:00:00:07'" },
	{ "mtu", "1400" },
	{ "hostfwd", "{ 'tcp:127.0.0.1:2222-:22' }" },
	{ "open", "true" },
	{ "iid", "3" },
	{ "play", "'/dev/dsp'" },
	{ "rec", "'/dev/dsp'" },
	{ "host", "'127.0.0.2'" },
	{ "port", "5907" },
	{ "width", "800" },
	{ "height", "600" },
	{ "vga", "'off'" },
	{ "rom", "'/rom'" },
	{ "devices", "{}" },
};

static const char *value_of(const char *key)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(values[i].key, key) == 0)
			return values[i].value;
	}
	return NULL;
}

static const char *base_of(const char *kind, const char *key)
{
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (strcmp(bases[i].kind, kind) == 0 &&
		    (bases[i].key != NULL) == (strcmp(key, PHYSICAL) == 0))
			return bases[i].base;
	}
	return NULL;
}

/* Returns the command for the keys of a device.  Caller frees. */
static char *command(const struct hypervisor *hyper, const char *kind, const char *keys)
{
	MEM_AUTO char *spec = mem_format(
	    "emulations = { { device = '%s', %s } }, bhyve = { release = 15 }", kind, keys);
	struct planned p = { 0 };
	char *line;

	planned_good(&p, hyper, spec);
	line = mem_copy(planned_line(&p));
	planned_free(&p);
	return line;
}

static bool is_heard(const char *words)
{
	static const char *const deaf[] = { KEY_IGNORED, "always", "no sound" };

	for (size_t i = 0; words != NULL && i < sizeof(deaf) / sizeof(deaf[0]); i++) {
		if (strcmp(words, deaf[i]) == 0)
			return false;
	}
	return true;
}

static void try_key(
    const struct hypervisor *hyper, const char *kind, const struct field *f, const char *words)
{
	const char *value = value_of(f->key), *base = base_of(kind, f->key);
	MEM_AUTO char *with = mem_format("%s, %s = %s", base, f->key, value);
	MEM_AUTO char *before = command(hyper, kind, base), *after = command(hyper, kind, with);

	if ((strcmp(before, after) != 0) != is_heard(words))
		fail_msg("%s: %s of %s is \"%s\", but its command is\n%s", hyper->name, f->key,
		    kind, words == NULL ? KEY_FOLLOWED : words, after);
}

static void test_devices(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		const char *kind = device_kinds[i]->name;

		for (const struct field *f = device_kinds[i]->fields; f->key != NULL; f++) {
			if (base_of(kind, f->key) == NULL || value_of(f->key) == NULL)
				continue;
			if (strcmp(f->key, "format") != 0) /* it is refused */
				try_key(&hyper_bhyve, kind, f, f->bhyve);
			try_key(&hyper_qemu, kind, f, f->qemu);
			tried++;
		}
	}
	assert_true(tried > 60);
}

/* Keys of the spec that qemu ignores get a note, which names them. */
static void test_notes(void **state)
{
	static const char keys[] =
	    "keyboard_layout = 'de', pc_testdev = true, fwcfg_type = 'qemu', "
	    "config = { a = 'b' }, force_msi = true, disable_mptable_gen = true, "
	    "power_off_destroy_vm = true, x2apic = true, strict_io = true, "
	    "ignore_unknown_msr = true, exit_on_pause = true, hostbridge_slot = 2, lpc_slot = 3";
	struct planned p = { 0 };
	size_t ignored = 0, noted = 0;

	(void)state;
	planned_good(&p, &hyper_qemu, keys);
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		MEM_AUTO char *note = mem_format("%s is bhyve's: ", f->key);

		if (f->qemu == NULL || f->type == FIELD_OBJECT || !spec_gives(p.boot.spec, f->key))
			continue;
		ignored++;
		for (size_t i = 0; i < p.boot.plan.notes.count; i++)
			noted += strncmp(p.boot.plan.notes.item[i], note, strlen(note)) == 0;
	}
	assert_int_equal(noted, ignored);
	assert_int_equal(ignored, 13);
	planned_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
