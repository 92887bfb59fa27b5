/* Rolling specs: the keys of the machine, and values that are hard to quote. */
#include "random_spec.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t dice;

void random_seed(unsigned seed)
{
	dice = seed;
}

unsigned random_below(unsigned n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % n;
}

bool random_one_in(unsigned n)
{
	return random_below(n) == 0;
}

char *random_text(const char *before, unsigned most)
{
	static const char *const pieces[] = { ",", "=", "%", "\\", " ", "%(name)", "%%", ".", ":",
		"\"", "'", "true", ",hd:", ",cd:", "ram=", "a", "disk", "0", "\xc3\xbc", ";", "/",
		"-", "(", ")", "\\%", "#", "\t", "\n", "$HOME", "*" };
	struct str s = { 0 };

	str_add(&s, before);
	for (unsigned i = random_below(most + 1); i > 0; i--)
		str_add(&s, pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
	return str_take(&s);
}

void random_add_key(struct str *json, const char *key)
{
	char last = json->length == 0 ? '{' : json->text[json->length - 1];

	str_add(json, last == '{' || last == '[' ? "" : ",");
	if (key != NULL) {
		str_add_json(json, key);
		str_add(json, ":");
	}
}

void random_add_text(struct str *json, const char *key, const char *value)
{
	random_add_key(json, key);
	str_add_json(json, value);
}

void random_add_number(struct str *json, const char *key, int64_t value)
{
	random_add_key(json, key);
	str_addf(json, "%" PRId64, value);
}

static void roll_devices(struct random_spec *s, unsigned n)
{
	bool may_pin = random_one_in(2);

	random_add_key(&s->json, "emulations");
	str_add(&s->json, "[");
	while (n-- > 0 && s->devices < RANDOM_DEVICES_MAX)
		random_device(s, may_pin);
	str_add(&s->json, "]");
}

static void roll_flags(struct random_spec *s)
{
	static const struct {
		const char *key, *variable, *on, *off;
		bool both; /* architectures */
	} flags[] = {
		{ "utc_clock", "rtc.use_localtime", "false", NULL, false },
		{ "yield_on_hlt", "x86.vmexit_on_hlt", "true", NULL, false },
		{ "generate_acpi", "acpi_tables", "true", "false", false },
		{ "force_msi", "virtio_msix", "false", NULL, true },
		{ "power_off_destroy_vm", "destroy_on_poweroff", "true", NULL, true },
		{ "guest_mem_in_core", "memory.guest_in_core", "true", NULL, true },
		{ "x2apic", "x86.x2apic", "true", NULL, false },
		{ "strict_io", "x86.strictio", "true", NULL, false },
		{ "ignore_unknown_msr", "x86.strictmsr", "false", "true", false },
		{ "exit_on_pause", "x86.vmexit_on_pause", "true", NULL, false },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool on = random_one_in(2);
		const char *value = on ? flags[i].on : flags[i].off;

		if (s->arm64 && !flags[i].both)
			continue;
		random_add_key(&s->json, flags[i].key);
		str_add(&s->json, on ? "true" : "false");
		pairs_add(&s->vars, flags[i].variable, value == NULL ? "(unset)" : value);
	}
}

static void roll_serial(struct random_spec *s)
{
	unsigned stdio = random_below(5);

	for (unsigned i = 0; i < (s->arm64 ? 1 : 4); i++) {
		MEM_AUTO char *key = mem_format("com%u", i + 1);
		MEM_AUTO char *variable = mem_format(s->arm64 ? "console" : "lpc.%s.path", key);
		MEM_AUTO char *start = mem_format("/dev/tty%u", i);
		MEM_AUTO char *path = random_text(start, 6);
		MEM_AUTO char *tcp = mem_format("tcp=127.0.0.1:%u", 4000 + i);
		const char *value = path;

		if (random_one_in(2))
			continue;
		if (stdio == i)
			value = "stdio";
		else if (s->release >= 15 && random_one_in(3))
			value = tcp;
		random_add_text(&s->json, key, value);
		pairs_add(&s->vars, variable, value);
	}
}

static void roll_firmware(struct random_spec *s)
{
	const char *below = s->release >= 15 ? "" : "lpc.";
	MEM_AUTO char *rom = random_text("/fw", 8);
	MEM_AUTO char *vars = random_text("/v", 8);
	MEM_AUTO char *rom_key = mem_format("%sbootrom", below);
	MEM_AUTO char *vars_key = mem_format("%sbootvars", below);

	random_add_text(&s->json, "bootrom", rom);
	pairs_add(&s->vars, rom_key, rom);
	if (s->arm64 || random_one_in(2))
		return;
	random_add_text(&s->json, "varfile", vars);
	pairs_add(&s->vars, vars_key, vars);
}

static void roll_cpu_and_memory(struct random_spec *s)
{
	unsigned sockets = 1 + random_below(2), cores = 1 + random_below(3);
	unsigned threads = 1 + random_below(4), mem = 1 + random_below(100000);

	if (random_one_in(2)) {
		sockets = cores = 1;
		random_add_number(&s->json, "cpu", threads);
	} else {
		random_add_key(&s->json, "cpu");
		str_addf(&s->json, "{\"cores\":%u,\"sockets\":%u,\"threads\":%u}", cores, sockets,
		    threads);
	}
	pairs_addf(&s->vars, "cpus", "%u", sockets * cores * threads);
	pairs_addf(&s->vars, "sockets", "%u", sockets);
	pairs_addf(&s->vars, "cores", "%u", cores);
	pairs_addf(&s->vars, "threads", "%u", threads);
	random_add_key(&s->json, "mem");
	if (random_one_in(2)) {
		str_addf(&s->json, "\"%uM\"", mem);
		pairs_addf(&s->vars, "memory.size", "%uM", mem);
	} else {
		mem = mem / 256 * 1024 + 4; /* KiB, no whole MiB */
		str_addf(&s->json, "%" PRId64, (int64_t)mem * 1024);
		pairs_addf(&s->vars, "memory.size", "%uK", mem);
	}
}

void random_spec_make(struct random_spec *s)
{
	memset(s, 0, sizeof(*s));
	s->release = 13 + (int)random_below(3);
	s->arm64 = s->release >= 15 && random_one_in(4);
	str_add(&s->json, "{");
	random_add_text(&s->json, "name", "vm");
	pairs_add(&s->vars, "name", "vm");
	random_add_key(&s->json, "bhyve");
	str_addf(
	    &s->json, "{\"release\":%d,\"arch\":\"%s\"}", s->release, s->arm64 ? "arm64" : "amd64");
	roll_cpu_and_memory(s);
	roll_flags(s);
	roll_serial(s);
	roll_firmware(s);
	if (random_one_in(4))
		random_add_text(&s->json, "hostbridge", "amd_hostbridge");
	if (!s->arm64 && random_one_in(4))
		random_add_number(&s->json, "lpc_slot", 1 + random_below(31));
	roll_devices(s, random_one_in(10) ? 40 : random_below(8));
	s->base_devices = s->devices;
	random_add_key(&s->json, "targets");
	str_add(&s->json, "{\"t\":{");
	roll_devices(s, random_below(4));
	str_add(&s->json, "}}}");
}

void random_spec_free(struct random_spec *s)
{
	for (size_t i = 0; i < s->devices; i++)
		pairs_free(&s->device[i].vars);
	pairs_free(&s->vars);
	str_free(&s->json);
}
