/* The sandbox: what each row names of the host, and what it refuses. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/host_use.h"

#define STRUCT_SIZE 65536 /* larger than any struct that rows fill */

static const char *const kinds[] = {
	[HOST_UNSAID] = "unsaid",
	[HOST_NONE] = "none",
	[HOST_ROWS] = "rows",
	[HOST_FORBIDDEN] = "forbidden",
	[HOST_PATH] = "path",
	[HOST_SHARE] = "share",
	[HOST_FIRMWARE] = "firmware",
	[HOST_SCRIPT] = "script",
	[HOST_INTERFACE] = "interface",
	[HOST_PCI] = "pci",
	[HOST_ADDRESS] = "address",
	[HOST_BY_VALUE] = "by value",
};

static const struct field *rows_below(const struct field *f)
{
	return f->type == FIELD_CUSTOM ? f->custom->rows : f->rows;
}

/* Adds "key: kind" for each row that names something of the host. */
static void add_kinds(const struct field *rows, const char *prefix, struct str *out)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		enum host_kind kind = host_use_of(f)->kind;
		MEM_AUTO char *below = mem_format("%s%s.", prefix, f->key);

		if (kind == HOST_ROWS)
			add_kinds(rows_below(f), below, out);
		else if (kind != HOST_NONE)
			str_addf(out, "%s%s: %s\n", prefix, f->key, kinds[kind]);
	}
}

/* A change here changes what a sandboxed spec may do: update vmrun(8), too. */
static void test_kinds_of_spec(void **state)
{
	struct str got = { 0 };

	(void)state;
	add_kinds(spec_fields, "", &got);
	assert_string_equal(got.text,
	    "bootrom: firmware\n"
	    "varfile: path\n"
	    "varfile_template: firmware\n"
	    "loader.console: by value\n"
	    "loader.disks: path\n"
	    "loader.host_dir: forbidden\n"
	    "loader.os_loader: forbidden\n"
	    "loader.device_map: forbidden\n"
	    "loader.root: by value\n"
	    "loader.commands: forbidden\n"
	    "com1: by value\n"
	    "com2: by value\n"
	    "com3: by value\n"
	    "com4: by value\n"
	    "console.log: path\n"
	    "gdb: by value\n"
	    "graphic.host: by value\n"
	    "graphic.password_file: path\n"
	    "fwcfg.file: path\n"
	    "tpm.path: path\n"
	    "tpm.managed: forbidden\n"
	    "post_start_script: forbidden\n"
	    "companions: forbidden\n"
	    "wait_for.path: path\n"
	    "wait_for.interface: interface\n"
	    "ready.connect: address\n"
	    "ready.exec: forbidden\n"
	    "alive.connect: address\n"
	    "alive.exec: forbidden\n"
	    "config: forbidden\n"
	    "extra_options: forbidden\n"
	    "hooks: by value\n"
	    "prefix: forbidden\n"
	    "bhyve.args: forbidden\n"
	    "qemu.machine: forbidden\n"
	    "qemu.bootrom: firmware\n"
	    "qemu.varfile: path\n"
	    "qemu.kernel: path\n"
	    "qemu.initrd: by value\n"
	    "qemu.args: forbidden\n");
	str_free(&got);
}

static void test_kinds_of_devices(void **state)
{
	struct str got = { 0 };

	(void)state;
	add_kinds(device_common_fields, "", &got);
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		MEM_AUTO char *prefix = mem_format("%s ", device_kinds[i]->name);

		add_kinds(device_kinds[i]->fields, prefix, &got);
	}
	assert_string_equal(got.text,
	    "virtio-blk path: path\n"
	    "virtio-blk format: by value\n"
	    "ahci-hd path: path\n"
	    "ahci-hd format: by value\n"
	    "ahci-cd path: path\n"
	    "ahci-cd format: by value\n"
	    "ahci ports.path: path\n"
	    "ahci ports.format: by value\n"
	    "nvme path: path\n"
	    "nvme format: by value\n"
	    "virtio-net name: by value\n"
	    "virtio-net bridge: interface\n"
	    "virtio-net path: interface\n"
	    "virtio-net hostfwd: by value\n"
	    "e1000 name: by value\n"
	    "e1000 bridge: interface\n"
	    "e1000 path: interface\n"
	    "e1000 hostfwd: by value\n"
	    "virtio-console ports: by value\n"
	    "virtio-9p path: by value\n"
	    "virtio-scsi path: path\n"
	    "virtio-scsi format: by value\n"
	    "virtio-input path: path\n"
	    "uart path: by value\n"
	    "hda play: path\n"
	    "hda rec: path\n"
	    "fbuf host: by value\n"
	    "fbuf password_file: path\n"
	    "passthru src: pci\n"
	    "passthru lookup: forbidden\n"
	    "passthru rom: path\n"
	    "raw value: forbidden\n");
	str_free(&got);
}

struct recorder {
	struct host_visit visit;
	struct str got; /* "kind what at path\n" */
};

static void record(
    struct host_visit *visit, enum host_kind kind, const char *what, const struct where *at)
{
	struct recorder *r = (struct recorder *)visit;
	MEM_AUTO char *path = where_path(at);

	str_addf(&r->got, "%s %s at %s\n", kinds[kind], what, path);
}

/* Stores a text in the member of the row, and checks that the walk finds it. */
static void try_text(const struct field *f)
{
	struct field rows[2] = { *f };
	enum host_kind kind = host_use_of(f)->kind;
	char *text = mem_copy("/outside");
	MEM_AUTO char *from = mem_zero(STRUCT_SIZE);
	struct recorder r = { .visit = { record } };
	MEM_AUTO char *wanted = mem_format("%s %s at %s\n", kinds[kind],
	    kind == HOST_FORBIDDEN ? host_use_of(f)->reaches : text, f->key);

	memcpy(from + f->offset, &text, sizeof(text));
	host_use_visit(rows, from, NULL, &r.visit);
	if (kind == HOST_NONE)
		assert_null(r.got.text);
	else
		assert_string_equal(r.got.text, wanted);
	str_free(&r.got);
	free(text);
}

static void try_rows(const struct field *rows)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if ((f->type == FIELD_PATH || f->type == FIELD_STRING) &&
		    host_use_of(f)->kind != HOST_BY_VALUE)
			try_text(f);
		else if (rows_below(f) != NULL)
			try_rows(rows_below(f));
	}
}

static void test_walk(void **state)
{
	(void)state;
	try_rows(spec_fields);
	for (size_t i = 0; device_kinds[i] != NULL; i++)
		try_rows(device_kinds[i]->fields);
}

/* A row of text without a kind is refused. */
static void test_unsaid(void **state)
{
	struct field rows[2] = { { "later", FIELD_STRING, 0, .help = "a key of a later day" } };
	char *value = "x";
	struct recorder r = { .visit = { record } };

	(void)state;
	host_use_visit(rows, &value, NULL, &r.visit);
	assert_string_equal(r.got.text, "unsaid can name anything of the host at later\n");
	str_free(&r.got);
}

static bool is_firmware(const char *path)
{
	return strcmp(path, "/usual/firmware") == 0;
}

/* Returns the problems of a valid spec in the sandbox of /specs.  The caller frees them. */
static char *confined(const char *keys, const char *allow)
{
	struct report report = { 0 };
	struct spec *spec = spec_of(keys);
	struct words words = { 0 };
	struct sandbox *sandbox;

	if (allow != NULL)
		words_add(&words, allow);
	sandbox = sandbox_new("/specs", &words);
	spec_confine(spec, sandbox, is_firmware, &report);
	sandbox_free(sandbox);
	words_free(&words);
	spec_free(spec);
	return problems_of(&report);
}

#define NET "'emulations':[{'device':'virtio-net',"
#define DEVICE(model, keys) "'emulations':[{'device':'" model "'," keys "}]"

static void test_allowed(void **state)
{
	static const struct {
		const char *keys, *allow;
	} cases[] = {
		{ "'com1':'stdio','com2':'console','com3':'nmdm'", NULL },
		{ "'com1':'tcp=127.0.0.1:5000','com2':'tcp=[::1]:5000'", NULL },
		{ "'com1':'/dev/nmdm0A'", "/dev/nmdm0A" },
		{ "'gdb':'1234'", NULL },
		{ "'gdb':'w1234'", NULL },
		{ "'gdb':'wlocalhost:1234'", NULL },
		{ "'gdb':'::1:1234'", NULL },
		{ "'gdb':'w10.0.0.1:1234'", "10.0.0.1:1234" },
		{ "'graphic':{}", NULL },
		{ "'graphic':{'host':'::1','port':'auto'}", NULL },
		{ "'graphic':{'host':'::','port':5901}", "[::]:5901" },
		{ "'bootrom':'/usual/firmware','varfile_template':'/usual/firmware'", NULL },
		{ "'qemu':{'bootrom':'/usual/firmware'}", NULL },
		{ "'hooks':['rescue_after',{'use':'backoff'}]", NULL },
		{ "'loader':{'type':'grub','root':'hd0,msdos1'}", NULL },
		{ "'loader':'bhyveload'", NULL },
		{ "'post_start_script':'','extra_options':'','config':{}", NULL },
		{ NET "'name':'slirp','hostfwd':['tcp:127.0.0.1:2222-:22']}]", NULL },
		{ NET "'name':'slirp','hostfwd':['udp::2222-:22']}]", "0.0.0.0:2222" },
		{ NET "'name':'vale0:vm'}]", "vale0" },
		{ NET "'name':'netmap:em0'}]", "em0" },
		{ NET "'name':'netgraph','path':'ng0:','peerhook':'link'}]", "ng0:" },
		{ NET "'name':'vm0','type':'tap'}]", "vm0" },
		{ DEVICE("virtio-scsi", "'slot':4"), "/dev/cam" },
		{ DEVICE("virtio-blk", "'path':'a','format':'vhdx'"), "/specs" },
		{ DEVICE("passthru", "'src':'3:0:0'"), "3:0:0" },
		{ DEVICE("passthru", "'src':'ppt0'"), "ppt0" },
		{ DEVICE("nvme", "'ram':64"), NULL },
		{ DEVICE("uart", "'path':'stdio'"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MEM_AUTO char *got = confined(cases[i].keys, cases[i].allow);

		if (*got != '\0')
			fail_msg("%s: %s", cases[i].keys, got);
	}
}

static const struct {
	const char *keys, *wanted; /* problems begin with it */
} refused[] = {
	{ "'com2':'/dev/nmdm0A'",
	    "com2: the sandbox refuses the path \"/dev/nmdm0A\", which is outside the "
	    "spec's directory: to allow it, add --allow /dev/nmdm0A\n" },
	{ "'com1':'tcp=0.0.0.0:5000'",
	    "com1: the sandbox refuses the address \"0.0.0.0:5000\", which is not on "
	    "loopback: to allow it, add --allow 0.0.0.0:5000\n" },
	{ "'gdb':':::1234'", "gdb: the sandbox refuses the address \"[::]:1234\"" },
	{ "'graphic':{'host':'0.0.0.0','port':'auto'}",
	    "graphic.host: the sandbox refuses the address \"0.0.0.0\", which is not on "
	    "loopback: to allow it, add --allow 0.0.0.0\n" },
	{ "'varfile':'/usual/firmware'", "varfile: the sandbox refuses the path" },
	{ "'bootrom':'/other/firmware'", "bootrom: the sandbox refuses the path" },
	{ "'loader':'grub'",
	    "loader.root: in the sandbox \"root\" must name a disk such as \"hd0\"" },
	{ "'loader':{'type':'grub','root':'host'}",
	    "loader.root: the sandbox refuses this key, which lets grub-bhyve read any "
	    "file of the host: remove it\n" },
	{ "'loader':{'type':'grub','root':'hd0','commands':['boot']}",
	    "loader.commands: the sandbox refuses this key" },
	{ "'loader':{'type':'bhyveload','disks':['/a']}",
	    "loader.disks[0]: the sandbox refuses the path \"/a\"" },
	{ "'config':{'a':'b'}",
	    "config: the sandbox refuses this key, which passes variables on unchecked: "
	    "remove it\n" },
	{ "'fwcfg':[{'name':'a','string':'b'},{'name':'c','file':'/etc/passwd'}]",
	    "fwcfg[1].file: the sandbox refuses the path \"/etc/passwd\"" },
	{ "'hooks':['rescue_after','/etc/passwd']",
	    "hooks[1]: the sandbox refuses the hook file \"/etc/passwd\", which is outside "
	    "the spec's directory: copy it there, or name it with --hook\n" },
	{ "'wait_for':[{'interface':'tap0'}]",
	    "wait_for[0].interface: the sandbox refuses the interface \"tap0\": to allow "
	    "it, add --allow tap0\n" },
	{ "'tpm':{'type':'swtpm','path':'/t','managed':true}",
	    "tpm.path: the sandbox refuses the path \"/t\", which is outside the spec's "
	    "directory: to allow it, add --allow /t\n"
	    "tpm.managed: the sandbox refuses this key, which runs swtpm on the host: "
	    "remove it\n" },
	{ NET "'name':'slirp','hostfwd':['tcp::2222-:22','tcp:127.0.0.1:1-:2']}]",
	    "emulations[0].hostfwd[0]: the sandbox refuses the address \"0.0.0.0:2222\", "
	    "which is not on loopback: to allow it, add --allow 0.0.0.0:2222\n" },
	{ NET "'name':'tap3','type':'tap'}]",
	    "emulations[0].name: the sandbox refuses the interface \"tap3\"" },
	{ NET "'name':'netgraph','path':'ng0:','peerhook':'link'}]",
	    "emulations[0].path: the sandbox refuses the interface \"ng0:\"" },
	{ DEVICE("virtio-scsi", "'iid':1"),
	    "emulations[0].path: the sandbox refuses the path \"/dev/cam/ctl\"" },
	{ DEVICE("virtio-console", "'ports':{'a':'/a.sock'}"),
	    "emulations[0].ports: the sandbox refuses the path \"/a.sock\"" },
	{ DEVICE("passthru", "'src':'3:0:0'"),
	    "emulations[0].src: the sandbox refuses the PCI device \"3/0/0\": to allow it, "
	    "add --allow 3/0/0\n" },
	{ DEVICE("passthru", "'lookup':{'vendor':'8086','device':'1000'}"),
	    "emulations[0].lookup: the sandbox refuses this key, which takes any matching device" },
	{ DEVICE("raw", "'value':'x'"),
	    "emulations[0].value: the sandbox refuses this key, which is passed on "
	    "unchecked: remove it\n" },
	{ DEVICE("ahci", "'ports':[{'type':'hd','path':'/a b'}]"),
	    "emulations[0].ports[0].path: the sandbox refuses the path \"/a b\", which is "
	    "outside the spec's directory: to allow it, add --allow '/a b'\n" },
	{ DEVICE("fbuf", "'host':'10.0.0.1'"),
	    "emulations[0].host: the sandbox refuses the address \"10.0.0.1:5900\"" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		MEM_AUTO char *got = confined(refused[i].keys, NULL);

		if (strncmp(got, refused[i].wanted, strlen(refused[i].wanted)) != 0)
			fail_msg("%s: wanted %s, got %s", refused[i].keys, refused[i].wanted, got);
	}
}

/* Judges a spec that may be invalid: its problems come together with those of the sandbox. */
static void try_keys(const char *keys)
{
	struct report report = { 0 };
	struct spec *spec = spec_from(doc_with(keys), &report);
	struct sandbox *sandbox = sandbox_new("/specs", NULL);

	spec_check_forwarding(spec, &report);
	spec_confine(spec, sandbox, is_firmware, &report);
	sandbox_free(sandbox);
	spec_free(spec);
	report_free(&report);
}

/* Puts each key with odd values, alone and in a list, between these texts. */
static void try_odd_values(const struct field *rows, const char *before, const char *behind)
{
	static const char *const values[] = { "'t3'", "':'", "'tcp:'", "'udp:x'", "'tcp=:'", "'['",
		"'w:'", "'/'", "'-'", "'='", "{}", "[]", "[{}]", "null", "0", "false" };

	for (const struct field *f = rows; f->key != NULL; f++) {
		for (size_t i = 0; i < 2 * sizeof(values) / sizeof(values[0]); i++) {
			const char *end = i % 2 == 0 ? "" : "]";
			MEM_AUTO char *keys = mem_format("%s'%s':%s%s%s%s%s", before, f->key,
			    i % 2 == 0 ? "" : "[", values[i / 2], end,
			    strcmp(f->key, "name") == 0 ? "" : ",'name':'slirp'", behind);

			try_keys(keys);
		}
	}
}

/* No value of a key crashes. */
static void test_odd_values(void **state)
{
	(void)state;
	try_keys("'loader':{'type':'bhyveload','console':'tcp=abc'}");
	try_keys("'loader':{'console':'tcp='},'com1':'tcp=x'");
	try_odd_values(spec_fields, "", "");
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		MEM_AUTO char *before =
		    mem_format("'emulations':[{'device':'%s',", device_kinds[i]->name);

		try_odd_values(device_kinds[i]->fields, before, "}]");
	}
}

/* Images that can name files which the spec does not. */
static void test_formats(void **state)
{
	MEM_AUTO char *port = confined(
	    DEVICE("ahci", "'ports':[{'type':'hd','path':'a','format':'qcow2'}]"), "/specs");
	MEM_AUTO char *scsi =
	    confined(DEVICE("virtio-scsi", "'path':'a','format':'vmdk'"), "/specs");

	(void)state;
	assert_string_equal(port,
	    "emulations[0].ports[0].format: in the sandbox \"qcow2\" is refused, because such an "
	    "image can name any other file of the host: convert it to a raw one\n");
	assert_non_null(strstr(scsi, "emulations[0].format: in the sandbox \"vmdk\" is refused"));
}

/* A guest that may write to a directory could replace what else the spec has in it. */
static void test_shares(void **state)
{
#define SHARE(keys) DEVICE("virtio-9p", "'sharename':'s'," keys)
	static const struct {
		const char *keys, *wanted;
	} cases[] = {
		{ SHARE("'path':'share'"), "" },
		{ SHARE("'path':'share','ro':true") ",'console':{'log':'share/log'}", "" },
		{ SHARE("'path':'share'") ",'console':{'log':'shared/log'}", "" },
		{ SHARE("'path':'share'") ",'console':{'log':'share/log'}",
		    "emulations[0].path: the sandbox refuses \"/specs/share\", where the guest "
		    "could replace \"/specs/share/log\"" },
		{ SHARE("'path':'share'") ",'hooks':['share/a/h.lua']",
		    "emulations[0].path: the sandbox refuses \"/specs/share\", where the guest "
		    "could replace \"/specs/share/a/h.lua\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MEM_AUTO char *got = confined(cases[i].keys, "/specs");

		if (strstr(got, cases[i].wanted) == NULL ||
		    (*cases[i].wanted == '\0' && *got != '\0'))
			fail_msg("%s: wanted %s, got %s", cases[i].keys, cases[i].wanted, got);
	}
}

/* qemu reads other files for a Multiboot kernel when the name has a comma or a blank. */
static void test_initrd(void **state)
{
	MEM_AUTO char *good = confined("'qemu':{'kernel':'k','initrd':'i'}", "/specs");
	MEM_AUTO char *comma = confined("'qemu':{'kernel':'k','initrd':'i,/etc/passwd'}", "/specs");
	MEM_AUTO char *blank = confined("'qemu':{'kernel':'k','initrd':'i j'}", "/specs");

	(void)state;
	assert_string_equal(good, "");
	assert_non_null(
	    strstr(comma, "qemu.initrd: in the sandbox a path with a comma or a blank is refused"));
	assert_non_null(strstr(blank, "a path with a comma or a blank is refused"));
}

/* A removed device names nothing. */
static void test_removed(void **state)
{
	struct report report = { 0 };
	struct spec *spec = spec_of(DEVICE("virtio-blk", "'path':'/etc/passwd'"));
	struct sandbox *sandbox = sandbox_new("/specs", NULL);

	(void)state;
	spec->devices[0]->removed = true;
	spec_confine(spec, sandbox, is_firmware, &report);
	no_problems(&report, "a removed device");
	sandbox_free(sandbox);
	spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_of_spec),
		cmocka_unit_test(test_kinds_of_devices),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_unsaid),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_initrd),
		cmocka_unit_test(test_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
