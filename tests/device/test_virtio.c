/* virtio-9p, virtio-scsi, virtio-rnd, virtio-input and hda. */
#include "support.h"

#include <string.h>

#include "base/mem.h"

/* Checks the first need of a device. */
static void needs(const char *text, enum need_kind kind, const char *what, bool write)
{
	struct device *dev = device_of(text);
	struct needs list = { 0 };

	dev->kind->needs(dev, &list);
	assert_true(list.count > 0);
	assert_int_equal(list.item[0].kind, kind);
	assert_string_equal(list.item[0].what, what);
	assert_int_equal(list.item[0].write, write);
	assert_non_null(field_find(dev->kind->fields, list.item[0].key));
	needs_clear(&list);
	device_free(dev);
}

#define SHARE "{'device':'virtio-9p','sharename':'s','path':'f'"

static void test_share(void **state)
{
	char name[258];
	MEM_AUTO char *longest = NULL;
	MEM_AUTO char *longer = NULL;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[257] = '\0';
	longer = mem_format("{'device':'virtio-9p','path':'/','sharename':'%s'}", name);
	name[256] = '\0';
	longest = mem_format("{'device':'virtio-9p','path':'/','sharename':'%s'}", name);
	device_shows(longest, "'path':'/','ro':false}");
	device_refused(longer, "emulations[0].sharename: \"nnn");
	device_shows(SHARE "}", "'sharename':'s','path':'/specs/f','ro':false}");
	needs(SHARE "}", NEED_DIRECTORY, "/specs/f", true);
	needs(SHARE ",'ro':true}", NEED_DIRECTORY, "/specs/f", false);
}

static void test_scsi(void **state)
{
	(void)state;
	device_shows("{'device':'virtio-scsi'}", "'path':'/dev/cam/ctl','format':'raw'}");
	device_shows(
	    "{'device':'virtio-scsi','path':null}", "'path':'/dev/cam/ctl','format':'raw'}");
	device_shows("{'device':'virtio-scsi','path':'/dev/cam/ctl1.2','iid':0,'bootindex':1}",
	    "'path':'/dev/cam/ctl1.2','format':'raw','iid':0,'bootindex':1}");
	device_refused("{'device':'virtio-scsi','iid':2048}",
	    "emulations[0].iid: 2048 is out of range: expected 0 to 2047");
	needs("{'device':'virtio-scsi'}", NEED_DEVICE, "/dev/cam/ctl", false);
	needs("{'device':'virtio-scsi','path':'a.img'}", NEED_DISK, "/specs/a.img", true);
}

/* Checks a variable of bhyve for a release. */
static void scsi_says(int release, const char *key, const char *wanted)
{
	struct device *dev = device_of("{'device':'virtio-scsi','path':'/d','iid':3}");
	struct bhyve_host host = { .release = release };
	struct pairs vars = { 0 };
	struct error err = { 0 };

	assert_int_equal(dev->kind->bhyve(dev, &host, &vars, &err), 0);
	assert_string_equal(pairs_get(&vars, key), wanted);
	assert_string_equal(pairs_get(&vars, "iid"), "3");
	assert_int_equal(vars.count, 3);
	pairs_free(&vars);
	device_free(dev);
}

static void test_scsi_of_16(void **state)
{
	(void)state;
	scsi_says(13, "dev", "/d");
	scsi_says(15, "dev", "/d");
	scsi_says(16, "target.0", "/d");
}

/* Returns qemu's error for a share with a name of this length, or NULL.  The caller frees it. */
static char *share_under_qemu(int length)
{
	MEM_AUTO char *text =
	    mem_format("{'device':'virtio-9p','path':'/a','sharename':'%0*d'}", length, 1);

	return device_refused_by_qemu(text);
}

static void test_share_under_qemu(void **state)
{
	MEM_AUTO char *good = share_under_qemu(31), *bad = share_under_qemu(32);

	(void)state;
	assert_null(good);
	assert_string_equal(bad, "\"sharename\" has 32 bytes: qemu takes at most 31");
}

static void test_usb(void **state)
{
	(void)state;
	device_shows("{'device':'xhci'}", "'devices':['tablet']");
	device_shows("{'device':'xhci','devices':['tablet','tablet','tablet','tablet']}",
	    "'devices':['tablet','tablet','tablet','tablet']");
	device_refused("{'device':'xhci','devices':['tablet','tablet','tablet','tablet','tablet']}",
	    "emulations[0].devices: 5 devices: expected at most 4");
	device_shows("{'device':'xhci','devices':[]}", "'devices':[]");
}

/* Returns the error for a screen under bhyve of FreeBSD 15, or NULL.  The caller frees it. */
static char *screen(int width, int height)
{
	MEM_AUTO char *text = mem_format("{'device':'fbuf','width':%d,'height':%d}", width, height);
	struct device *dev = device_of(text);
	struct words notes = { 0 };
	struct bhyve_host host = { .release = 15, .notes = &notes };
	struct pairs vars = { 0 };
	struct error err = { 0 };
	int rc;

	rc = dev->kind->bhyve(dev, &host, &vars, &err);
	assert_int_equal(rc != 0, err.text != NULL);
	pairs_free(&vars);
	words_free(&notes);
	device_free(dev);
	return err.text;
}

static void test_screen(void **state)
{
	MEM_AUTO char *good = screen(1920, 1200), *wide = screen(1921, 1200);
	MEM_AUTO char *high = screen(1920, 1201);

	(void)state;
	assert_null(good);
	assert_string_equal(
	    wide, "a screen of more than 1920 x 1200 needs FreeBSD 16 (width 1921, height 1200)");
	assert_non_null(high);
}

/* bhyve looks up no names; a zone and brackets are those of an IPv6 address. */
static void test_listening(void **state)
{
	static const char *const good[][2] = { { "127.0.0.1", "127.0.0.1" },
		{ "0.0.0.0", "0.0.0.0" }, { "::1", "::1" }, { "[::1]", "::1" },
		{ "fe80::1%em0", "fe80::1%em0" }, { "[fe80::1%vlan.5]", "fe80::1%vlan.5" } };
	static const char *const bad[] = { "example.org", "256.1.1.1", "1.2.3", "[127.0.0.1]",
		"127.0.0.1%em0", "fe80::1%", "fe80::1%a b", "::g", "[]", "[::1", "unix:/x", "a,b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		MEM_AUTO char *text = mem_format("{'device':'fbuf','host':'%s'}", good[i][0]);
		MEM_AUTO char *shown = mem_format("'host':'%s'", good[i][1]);

		device_shows(text, shown);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		MEM_AUTO char *text = mem_format("{'device':'fbuf','host':'%s'}", bad[i]);
		MEM_AUTO char *why =
		    mem_format("emulations[0].host: invalid address \"%s\": expected "
			       "a numeric one such as \"127.0.0.1\" or \"::1\"",
			bad[i]);

		device_refused(text, why);
	}
	device_refused("{'device':'fbuf','host':'localhost'}",
	    "emulations[0].host: invalid address \"localhost\": bhyve looks up no names, write "
	    "\"127.0.0.1\"");
	device_refused(
	    "{'device':'fbuf','port':65536}", "emulations[0].port: 65536 is out of range");
	device_shows("{'device':'fbuf','port':65535}", "'port':65535");
	device_refused("{'device':'fbuf','port':65536}",
	    "emulations[0].port: 65536 is out of range: expected 1 to 65535");
}

static void test_others(void **state)
{
	(void)state;
	device_shows("{'device':'virtio-rnd'}", "{'device':'virtio-rnd','id':'x'}");
	device_refused("{'device':'virtio-rnd','path':'/dev/random'}",
	    "emulations[0].path: unknown key \"path\"");
	device_shows(
	    "{'device':'virtio-input','path':'/dev/input/event0'}", "'path':'/dev/input/event0'}");
	needs("{'device':'virtio-input','path':'/dev/input/event0'}", NEED_DEVICE,
	    "/dev/input/event0", false);
	device_shows("{'device':'hda'}", "{'device':'hda','id':'x'}");
	device_shows("{'device':'hda','play':'/dev/dsp0','rec':'/dev/dsp1'}",
	    "'play':'/dev/dsp0','rec':'/dev/dsp1'}");
	needs("{'device':'hda','rec':'/dev/dsp1'}", NEED_DEVICE, "/dev/dsp1", false);
	needs("{'device':'hda','play':'/dev/dsp0'}", NEED_DEVICE, "/dev/dsp0", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_scsi),
		cmocka_unit_test(test_scsi_of_16),
		cmocka_unit_test(test_share_under_qemu),
		cmocka_unit_test(test_usb),
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_listening),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
