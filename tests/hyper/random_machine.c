/* Rolls the keys of the machine and of its guest. */
#include "random_roll.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "device/slot.h"
#include "spec/spec.h"

#define KIB INT64_C(1024)

const struct variable spec_variables[] = {
	{ "spec", "pc_testdev", "lpc.pc-testdev" },
	{ "spec", "uuid", "uuid" },
	{ "spec", "keyboard_layout", "keyboard.layout" },
	{ 0 },
};

static const struct {
	const char *key, *variable, *on, *off; /* off NULL: unset */
	bool amd64;
} flags[] = {
	{ "utc_clock", "rtc.use_localtime", "false", NULL, true },
	{ "yield_on_hlt", "x86.vmexit_on_hlt", "true", NULL, true },
	{ "force_msi", "virtio_msix", "false", NULL, false },
	{ "power_off_destroy_vm", "destroy_on_poweroff", "true", NULL, false },
	{ "guest_mem_in_core", "memory.guest_in_core", "true", NULL, false },
	{ "x2apic", "x86.x2apic", "true", NULL, true },
	{ "strict_io", "x86.strictio", "true", NULL, true },
	{ "ignore_unknown_msr", "x86.strictmsr", "false", "true", true },
	{ "exit_on_pause", "x86.vmexit_on_pause", "true", NULL, true },
};

static void roll_flag(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	bool on = one_in(2);

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const char *value = on ? flags[i].on : flags[i].off;

		if (strcmp(flags[i].key, f->key) != 0 || (s->arm64 && flags[i].amd64))
			continue;
		add_bool(&s->json, f->key, on);
		pairs_add(&s->vars, flags[i].variable, value == NULL ? RANDOM_UNSET : value);
	}
}

/* Rolls acpi, which memory domains need. */
static void roll_acpi(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	s->acpi = s->numa || one_in(2);
	if (s->arm64)
		return;
	if (!s->acpi || one_in(2))
		add_bool(&s->json, f->key, s->acpi);
	pairs_add(&s->vars, "acpi_tables", s->acpi ? "true" : "false");
}

/* Rolls mptable, which a bus above 0 sets, too. */
static void roll_mptable(struct roll *r, const struct field *f)
{
	if (r->spec->arm64)
		return;
	if (one_in(4)) {
		add_bool(&r->spec->json, f->key, true);
		pairs_add(&r->spec->vars, "x86.mptable", "false");
	} else {
		pairs_add(&r->spec->vars, "x86.mptable", RANDOM_ANY);
	}
}

static void roll_wired(struct roll *r, const struct field *f)
{
	r->spec->wired = one_in(3);
	if (r->spec->wired || one_in(2))
		add_bool(&r->spec->json, f->key, r->spec->wired);
}

static void roll_name(struct roll *r, const struct field *f)
{
	add_text(&r->spec->json, f->key, "vm");
	pairs_add(&r->spec->vars, "name", "vm");
}

static void roll_cpu(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	unsigned sockets = 1 + random_below(2), cores = 1 + random_below(3);
	unsigned threads = 1 + random_below(4);

	if (one_in(2)) {
		sockets = cores = 1;
		add_number(&s->json, f->key, threads);
	} else {
		add_key(&s->json, f->key);
		str_addf(&s->json, "{\"cores\":%u,\"sockets\":%u,\"threads\":%u}", cores, sockets,
		    threads);
	}
	s->cpus = sockets * cores * threads;
	pairs_addf(&s->vars, "cpus", "%" PRId64, s->cpus);
	pairs_addf(&s->vars, "sockets", "%u", sockets);
	pairs_addf(&s->vars, "cores", "%u", cores);
	pairs_addf(&s->vars, "threads", "%u", threads);
}

static void roll_mem(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	unsigned mem = 1 + random_below(100000);

	if (one_in(2)) {
		s->mem = mem * KIB * KIB;
		add_key(&s->json, f->key);
		str_addf(&s->json, "\"%uM\"", mem);
		pairs_addf(&s->vars, "memory.size", "%uM", mem);
	} else {
		s->mem = (mem / 256 * KIB + 4) * KIB; /* not a multiple of 1 MiB */
		add_number(&s->json, f->key, s->mem);
		pairs_addf(&s->vars, "memory.size", "%" PRId64 "K", s->mem / KIB);
	}
}

static const char *below_lpc(const struct random_spec *s)
{
	return s->release >= 15 ? "" : "lpc.";
}

static void roll_bootrom(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	MEM_AUTO char *rom = odd_text(s, "/fw", 8);
	MEM_AUTO char *key = mem_format("%sbootrom", below_lpc(s));
	bool given = !s->loads && !one_in(5);

	pairs_add(&s->vars, key, s->loads ? RANDOM_UNSET : given ? rom : RANDOM_ANY);
	if (given)
		add_text(&s->json, f->key, rom);
}

static void roll_varfile(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	MEM_AUTO char *vars = odd_text(s, "/v", 8);
	MEM_AUTO char *key = mem_format("%sbootvars", below_lpc(s));
	bool given = !s->loads && !s->arm64 && one_in(2);

	pairs_add(&s->vars, key, given ? vars : RANDOM_UNSET);
	if (given)
		add_text(&s->json, f->key, vars);
}

static void roll_varfile_template(struct roll *r, const struct field *f)
{
	if (!r->spec->loads && !r->spec->arm64 && one_in(4))
		roll_plain(r, f);
}

/* Rolls a loader, whose command is separate; bhyve sees only that there is no firmware. */
static void roll_loader(struct roll *r, const struct field *f)
{
	static const char *const forms[] = {
		"{\"type\":\"bhyveload\",\"disks\":[\"/d/a\",\"b%c\"],\"timeout\":2.5}",
		"{\"type\":\"bhyveload\",\"disks\":[\"/d/a\"],\"env\":{\"a\":\"b,c\"},"
		"\"host_dir\":\"x\",\"os_loader\":\"/y\",\"console\":\"stdio\"}",
		"{\"type\":\"grub\",\"device_map\":\"m\",\"root\":\"hd0,1\",\"dir\":\"/g\","
		"\"config\":\"c\",\"commands\":[\"boot\"],\"console\":\"/dev/nmdm7A\"}",
	};

	if (!r->spec->loads)
		return;
	add_key(&r->spec->json, f->key);
	str_add(&r->spec->json, forms[random_below(3)]);
}

static void roll_hostbridge(struct roll *r, const struct field *f)
{
	static const char *const forms[] = { "\"amd_hostbridge\"", "\"hostbridge\"", "false" };
	struct random_spec *s = r->spec;
	unsigned form = one_in(2) ? 1 : random_below(3), slot = one_in(6) ? 30 : 0;
	bool new = s->release >= 14;
	MEM_AUTO char *at = mem_format("pci.0.%u.0", slot);
	MEM_AUTO char *device = mem_format("%s.device", at);
	MEM_AUTO char *vendor = mem_format(new ? "%s.pcireg.vendor" : "%s.vendor", at);
	MEM_AUTO char *id = mem_format(new ? "%s.pcireg.device" : "%s.devid", at);

	if (form != 1 || one_in(2)) {
		add_key(&s->json, f->key);
		str_add(&s->json, forms[form]);
	}
	if (form == 2)
		return;
	if (slot != 0)
		add_number(&s->json, "hostbridge_slot", slot);
	s->pinned[0][slot] = true;
	pairs_add(&s->vars, device, "hostbridge");
	if (form == 0) {
		pairs_add(&s->vars, vendor, "0x1022");
		pairs_add(&s->vars, id, "0x7432");
	}
}

static void roll_lpc_slot(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	unsigned slot = one_in(4) ? 1 + random_below(29) : 31;
	MEM_AUTO char *device = mem_format("pci.0.%u.0.device", slot);

	if (s->arm64)
		return;
	if (slot != 31)
		add_number(&s->json, f->key, slot);
	s->pinned[0][slot] = true;
	pairs_add(&s->vars, device, "lpc");
}

/* Returns a serial port as the spec has it, and sets the command's form.  The caller frees it. */
static char *com_value(struct random_spec *s, unsigned port, const char **said)
{
	static const char *const words[] = { "stdio", "nmdm", "console" };
	static const char *const found[] = { "stdio", "/dev/nmdmAUTOA", "/dev/pts/AUTO" };
	unsigned form = random_below(6);
	MEM_AUTO char *tty = mem_format("/dev/tty%u", port);
	char *text;

	if (form == 0 || form == 2) { /* only one port may have them */
		form = s->stdio ? 3 : form;
		s->stdio = true;
	}
	if (form < 3) {
		*said = found[form];
		return mem_copy(words[form]);
	}
	text = form == 3 && s->release >= 15 ? mem_format("tcp=127.0.0.1:%u", 4000 + port)
					     : odd_text(s, tty, 6);
	*said = text;
	return text;
}

static void roll_com(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	unsigned port = (unsigned)(f->key[3] - '0');
	MEM_AUTO char *variable = mem_format(s->arm64 ? "console" : "lpc.%s.path", f->key);
	MEM_AUTO char *value = NULL;
	const char *said;

	if ((s->arm64 && port > 1) || one_in(2))
		return;
	value = com_value(s, port, &said);
	add_text(&s->json, f->key, value);
	pairs_add(&s->vars, variable, said);
}

static void roll_gdb(struct roll *r, const struct field *f)
{
	static const char *const hosts[] = { "", "127.0.0.1", "::1", "localhost" };
	const char *host = hosts[random_below(4)];
	struct random_spec *s = r->spec;
	bool wait = one_in(2);
	unsigned port = 20000 + random_below(1000);

	if (s->arm64 || one_in(2))
		return;
	add_key(&s->json, f->key);
	str_addf(&s->json, "\"%s%s%s%u\"", wait ? "w" : "", host, *host == '\0' ? "" : ":", port);
	if (wait)
		pairs_add(&s->vars, "gdb.wait", "true");
	if (*host != '\0')
		pairs_add(&s->vars, "gdb.address", host);
	pairs_addf(&s->vars, "gdb.port", "%u", port);
}

/* Rolls graphic, which adds two devices at the end of every boot. */
static void roll_graphic(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;
	struct random_device *screen = &s->graphic[0], *usb = &s->graphic[1];
	struct roll inside = { .spec = s, .kind = "fbuf", .prefix = "", .vars = &screen->vars };
	bool tablet = one_in(2);

	if (s->arm64 || one_in(3))
		return;
	add_key(&s->json, f->key);
	str_add(&s->json, "{");
	screen->checked = usb->checked = true;
	pairs_add(&screen->vars, "device", "fbuf");
	roll_screen(&inside);
	roll_rows(&inside, f->rows);
	if (!tablet || one_in(2))
		add_bool(&s->json, one_in(2) ? "xhci_tablet" : "xhci_table", tablet);
	str_add(&s->json, "}");
	pairs_add(&usb->vars, "device", "xhci");
	pairs_add(&usb->vars, "slot.1.device", "tablet");
	s->graphics = tablet ? 2 : 1;
	s->screen = true;
	s->usb = s->usb || tablet;
}

static void roll_config(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	if (one_in(2))
		return;
	add_key(&s->json, f->key);
	str_add(&s->json, "{");
	for (unsigned i = random_below(4); i > 0; i--) {
		MEM_AUTO char *key = mem_format("zz.k%d", s->named++);
		MEM_AUTO char *value = odd_text(s, "c", 5);

		add_text(&s->json, key, value);
		pairs_add(&s->vars, key, value);
	}
	str_add(&s->json, "}");
}

static void roll_extra(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	if (!one_in(6))
		return;
	s->verbatim = true;
	add_key(&s->json, f->key);
	str_add(&s->json, one_in(2) ? "\"-o 'yy.a=b c'\"" : "[\"-o\",\"yy.a=b c\"]");
	pairs_add(&s->vars, "yy.a", "b c");
}

static void roll_bhyve(struct roll *r, const struct field *f)
{
	struct random_spec *s = r->spec;

	add_key(&s->json, f->key);
	str_add(&s->json, "{");
	add_number(&s->json, "release", s->release);
	add_text(&s->json, "arch", s->arm64 ? "arm64" : "amd64");
	if (one_in(6)) {
		s->verbatim = true;
		str_add(&s->json, ",\"args\":[\"-o\",\"xx.a=b\"]");
		pairs_add(&s->vars, "xx.a", "b");
	}
	str_add(&s->json, "}");
}

/* Rolls keys that do not reach bhyve, and whose values no row describes. */
static void roll_other(struct roll *r, const struct field *f)
{
	static const char *const values[][2] = {
		{ "post_start_script", "[\"/bin/x\",\"y z\"]" },
		{ "companions",
		    "[{\"name\":\"c\",\"command\":\"x y\",\"ready\":{\"path\":\"/r\"}}]" },
		{ "wait_for", "[{\"path\":\"/p\",\"timeout\":3},{\"interface\":\"em0\"}]" },
		{ "ready", "{\"connect\":\"[::1]:22\",\"expect\":\"SSH-\",\"within\":90}" },
		{ "alive", "{\"exec\":[\"/bin/x\"],\"every\":10,\"failures\":2}" },
		{ "time_limit", "3600" },
		{ "next_target", "\"t\"" },
		{ "reboot_on", "[\"reboot\",\"triple_fault\",4]" },
		{ "on", "{\"halt\":{\"boot\":\"t\",\"delay\":1.5},\"error\":\"same\"}" },
		{ "stop", "[{\"do\":\"acpi\",\"wait\":5},{\"do\":\"kill\",\"wait\":1}]" },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(values[i][0], f->key) != 0 || one_in(2))
			continue;
		add_key(&r->spec->json, f->key);
		str_add(&r->spec->json, values[i][1]);
	}
}

/* clang-format off */
#define FLAG(key) { "spec", #key, roll_flag }
#define OTHER(key) { "spec", #key, roll_other }
/* clang-format on */

const struct special spec_specials[] = {
	{ "spec", "name", roll_name },
	{ "spec", "cpu", roll_cpu },
	{ "spec", "mem", roll_mem },
	{ "spec", "bootrom", roll_bootrom },
	{ "spec", "varfile", roll_varfile },
	{ "spec", "varfile_template", roll_varfile_template },
	{ "spec", "loader", roll_loader },
	{ "spec", "hostbridge", roll_hostbridge },
	{ "spec", "hostbridge_slot", NULL },
	{ "spec", "lpc_slot", roll_lpc_slot },
	{ "spec", "com1", roll_com },
	{ "spec", "com2", roll_com },
	{ "spec", "com3", roll_com },
	{ "spec", "com4", roll_com },
	{ "spec", "gdb", roll_gdb },
	{ "spec", "graphic", roll_graphic },
	FLAG(utc_clock),
	FLAG(yield_on_hlt),
	FLAG(force_msi),
	FLAG(power_off_destroy_vm),
	FLAG(guest_mem_in_core),
	FLAG(x2apic),
	FLAG(strict_io),
	FLAG(ignore_unknown_msr),
	FLAG(exit_on_pause),
	{ "spec", "generate_acpi", roll_acpi },
	{ "spec", "disable_mptable_gen", roll_mptable },
	{ "spec", "wire_guest_mem", roll_wired },
	{ "spec", "config", roll_config },
	{ "spec", "extra_options", roll_extra },
	{ "spec", "bhyve", roll_bhyve },
	OTHER(post_start_script),
	OTHER(companions),
	OTHER(wait_for),
	OTHER(ready),
	OTHER(alive),
	OTHER(time_limit),
	OTHER(next_target),
	OTHER(reboot_on),
	OTHER(on),
	OTHER(stop),
	{ 0 },
};

void roll_machine(struct random_spec *s)
{
	struct roll r = { .spec = s, .kind = "spec", .prefix = "", .vars = &s->vars };

	roll_rows(&r, spec_fields);
}
