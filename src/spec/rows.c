/* The spec's own keys, one row each. */
#include <string.h>

#include "base/json_write.h"
#include "device/host_use.h"
#include "spec/keys.h"

#define MAX_OLD_LOGS 100
#define MAX_COMPANION_NAME 64

static const char *const arches[] = {
	[ARCH_HOST] = "",
	[ARCH_AMD64] = "amd64",
	[ARCH_ARM64] = "arm64",
	[ARCHES] = NULL,
};

_Static_assert(sizeof(arches) / sizeof(arches[0]) == ARCHES + 1, "a word for each, and a NULL");

static const char *const accels[] = {
	[ACCEL_AUTO] = "auto",
	[ACCEL_TCG] = "tcg",
	[ACCEL_KVM] = "kvm",
	[ACCELS] = NULL,
};

_Static_assert(sizeof(accels) / sizeof(accels[0]) == ACCELS + 1, "a word for each, and a NULL");

static const char *const fwcfg_types[] = {
	[FWCFG_UNSET] = "",
	[FWCFG_BHYVE] = "bhyve",
	[FWCFG_QEMU] = "qemu",
	[FWCFG_TYPES] = NULL,
};

_Static_assert(
    sizeof(fwcfg_types) / sizeof(fwcfg_types[0]) == FWCFG_TYPES + 1, "a word for each, and a NULL");

DESCRIBES(readiness_fields, struct readiness);
static const struct field readiness_fields[] = {
	ROW_PATH("path", struct readiness, path, .required = true, .host.kind = HOST_PATH,
	    .help = "file, socket or directory that exists when the program is ready"),
	{ 0 },
};

static void readiness_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct readiness *ready = into;

	if (value->kind == NODE_OBJECT)
		field_decode(readiness_fields, value, ready, at, d);
	else
		program_custom.parse(value, &ready->command, at, d);
}

static void readiness_print(const void *from, struct str *json)
{
	const struct readiness *ready = from;

	if (ready->path == NULL)
		program_custom.print(&ready->command, json);
	else
		field_print_object(readiness_fields, ready, json);
}

static void readiness_clear(void *what)
{
	struct readiness *ready = what;

	words_free(&ready->command);
	field_clear_text(&ready->path);
}

static void readiness_schema(struct str *s)
{
	program_custom.schema(s);
}

DESCRIBES(readiness_custom, struct readiness);
static const struct field_custom readiness_custom = {
	.parse = readiness_parse,
	.print = readiness_print,
	.clear = readiness_clear,
	.type = "string|string[]",
	.schema = readiness_schema,
	.rows = ROWS_FOR(readiness_custom, readiness_fields),
	.host = { .kind = HOST_FORBIDDEN, .reaches = "runs a command of the host" },
};

#define MIN_POLL_SECONDS 0.1
#define MAX_POLL_SECONDS 3600

/* Reads the seconds between two polls into milliseconds; 0: none. */
static void poll_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	double seconds = value->kind == NODE_INT ? (double)value->integer : value->number;

	if (value->kind != NODE_INT && value->kind != NODE_NUMBER)
		field_type_error(value, "a number of seconds", at, d);
	else if (seconds != 0 && !(seconds >= MIN_POLL_SECONDS && seconds <= MAX_POLL_SECONDS))
		report_add(d->report, STATUS_SPEC, at, "expected 0 (off) or %g to %d seconds",
		    MIN_POLL_SECONDS, MAX_POLL_SECONDS);
	else
		*(int64_t *)into = (int64_t)(seconds * 1000 + 0.5);
}

static void poll_print(const void *from, struct str *json)
{
	json_add_decimal(json, NULL, (double)*(const int64_t *)from / 1000);
}

static void poll_schema(struct str *s)
{
	json_begin_list(s, "anyOf");
	json_begin_object(s, NULL);
	json_add_int(s, "const", 0);
	json_end_object(s);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "number");
	json_add_decimal(s, "minimum", MIN_POLL_SECONDS);
	json_add_int(s, "maximum", MAX_POLL_SECONDS);
	json_end_object(s);
	json_end_list(s);
}

DESCRIBES(poll_custom, int64_t);
static const struct field_custom poll_custom = {
	.parse = poll_parse,
	.print = poll_print,
	.type = "number",
	.schema = poll_schema,
	.host.kind = HOST_NONE,
};

/* clang-format off */
DESCRIBES(companion_fields, struct companion);
static const struct field companion_fields[] = {
	ROW_STRING("name", struct companion, name, .required = true, .max_length = MAX_COMPANION_NAME,
	    .host.kind = HOST_NONE, .help = "name of the program in messages"),
	ROW_CUSTOM("command", struct companion, command, program_custom, .required = true,
	    .help = "program and arguments"),
	ROW_CUSTOM("ready", struct companion, ready, readiness_custom,
	    .help = "command that succeeds, or { path } that exists, within 60 seconds"),
	ROW_BOOL("restart", struct companion, restart,
	    .help = "restart the program if it exits while the VM runs, at most 5 times"),
	{ 0 },
};

DESCRIBES(wait_fields, struct wait_item);
static const struct field wait_fields[] = {
	ROW_PATH("path", struct wait_item, path, .host.kind = HOST_PATH,
	    .help = "file or device to wait for"),
	ROW_STRING("interface", struct wait_item, interface, .max_length = MAX_INTERFACE,
	    .host.kind = HOST_INTERFACE, .help = "network interface to wait for"),
	ROW_CUSTOM("timeout", struct wait_item, timeout_ms, seconds_custom, .preset = "30",
	    .help = "time limit: seconds, 0.01 to 3600"),
	{ 0 },
};
/* clang-format on */

/* clang-format off */
#define FLAG(name, text) ROW_BOOL(#name, struct spec, name, .help = text)
#define FLAG_OF_BHYVE(name, text) \
	ROW_BOOL(#name, struct spec, name, .qemu = KEY_IGNORED, .help = text)
#define FLAG_ON(name, text) ROW_BOOL(#name, struct spec, name, .preset = "true", .help = text)
#define HOOK(name, type, text) \
	ROW_HOOK(#name, struct spec, name, type, .help = "hook: " text)
#define COM(n) ROW_CUSTOM("com" #n, struct spec, com[n - 1], com_custom, \
	    .help = "serial port " #n ": stdio, a terminal device, nmdm, console or tcp=ADDR:PORT")

DESCRIBES(bhyve_fields, struct bhyve_settings);
static const struct field bhyve_fields[] = {
	ROW_CUSTOM("release", struct bhyve_settings, release, release_custom,
	    .help = "FreeBSD release whose bhyve runs: 13, 14 or 15"),
	ROW_CHOICE("arch", struct bhyve_settings, arch, arches,
	    .help = "architecture of the guest, also under qemu: amd64 or arm64"),
	ROW_CUSTOM("args", struct bhyve_settings, args, words_custom,
	    .help = "further arguments for bhyve"),
	{ 0 },
};

/*
 * For a Multiboot kernel, qemu (hw/i386/multiboot.c) takes the text for a list with commas of files
 * with arguments behind blanks.
 */
static void initrd_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const char *path = *(char *const *)value;

	if (path == NULL)
		return;
	host_found(visit, HOST_PATH, path, at);
	if (strpbrk(path, ", ") != NULL)
		host_found(visit, HOST_INVALID,
		    "a path with a comma or a blank is refused, because qemu may read other files for "
		    "it: rename the file or its directory",
		    at);
}

DESCRIBES(qemu_fields, struct qemu_settings);
static const struct field qemu_fields[] = {
	ROW_CHOICE("accel", struct qemu_settings, accel, accels, .preset = "\"auto\"",
	    .help = "accelerator: auto, tcg or kvm"),
	ROW_STRING("machine", struct qemu_settings, machine,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "passes options on unchecked" },
	    .help = "further options for -machine q35 (arm64: virt)"),
	ROW_PATH("bootrom", struct qemu_settings, bootrom, .host.kind = HOST_FIRMWARE,
	    .help = "firmware; replaces bootrom under qemu"),
	ROW_PATH("varfile", struct qemu_settings, varfile, .host.kind = HOST_PATH,
	    .help = "file of UEFI variables; replaces varfile under qemu"),
	ROW_PATH("kernel", struct qemu_settings, kernel, .host.kind = HOST_PATH,
	    .bhyve = KEY_REFUSED,
	    .help = "Linux kernel that qemu boots without a boot loader"),
	ROW_PATH("initrd", struct qemu_settings, initrd,
	    .host = { .kind = HOST_BY_VALUE, .names = initrd_names },
	    .help = "initial RAM disk of the kernel"),
	ROW_STRING("append", struct qemu_settings, append, .host.kind = HOST_NONE,
	    .help = "command line of the kernel: \"console=ttyS0 quiet\""),
	ROW_CUSTOM("halt_poll", struct qemu_settings, halt_poll_ms, poll_custom, .preset = "0",
	    .help = "interval of checks for a halted guest: seconds, 0.1 to 3600; 0: off"),
	ROW_CUSTOM("args", struct qemu_settings, args, words_custom,
	    .help = "further arguments for qemu"),
	{ 0 },
};

DESCRIBES(console_fields, struct console_settings);
static const struct field console_fields[] = {
	ROW_PATH("log", struct console_settings, log, .host.kind = HOST_PATH,
	    .help = "file to which vmrun appends all output of the guest"),
	ROW_BOOL("timestamps", struct console_settings, timestamps,
	    .help = "write the time before each line of the log"),
	ROW_CUSTOM("max_size", struct console_settings, max_size, log_size_custom, .preset = "\"10M\"",
	    .help = "size at which vmrun renames the log to LOG.1"),
	ROW_INT("keep", struct console_settings, keep, .preset = "3", .has_range = true,
	    .min = 0, .max = MAX_OLD_LOGS,
	    .help = "number of renamed logs to keep"),
	{ 0 },
};

DESCRIBES(graphic_fields, struct graphic);
static const struct field graphic_fields[] = {
	FBUF_ROWS(struct graphic, fbuf.),
	ROW_BOOL("xhci_tablet", struct graphic, xhci_tablet, .preset = "true",
	    .alias = "xhci_table",
	    .help = "add an xhci with a tablet, the pointer of VNC clients"),
	{ 0 },
};

/* All steps together take less than FreeBSD's rcshutdown_timeout of 90 s. */
static const struct stop_ladder default_stop = {
	.step = { { STOP_ACPI, 60000 }, { STOP_POWEROFF, 10000 }, { STOP_KILL, 5000 } },
	.count = 3,
};

_Static_assert(sizeof(default_stop) == sizeof(((struct spec *)0)->stop), "a value of this row");

const struct field spec_fields[] = {
	ROW_CUSTOM("name", struct spec, name, name_custom, .required = true,
	    .help = "name of the VM"),
	ROW_CUSTOM("cpu", struct spec, cpu, cpu_custom, .required = true,
	    .help = "number of processors, or { threads, cores, sockets }"),
	ROW_CUSTOM("mem", struct spec, mem, mem_custom, .required = true,
	    .help = "memory, \"512M\" or bytes"),
	ROW_CUSTOM("bootrom", struct spec, bootrom, rom_custom,
	    .help = "firmware; false: none, and qemu uses its own BIOS (not on arm64)"),
	ROW_PATH("varfile", struct spec, varfile, .host.kind = HOST_PATH,
	    .help = "file of UEFI variables; vmrun creates a missing one"),
	ROW_PATH("varfile_template", struct spec, varfile_template, .host.kind = HOST_FIRMWARE,
	    .help = "file that vmrun copies to create a missing varfile"),
	ROW_CUSTOM("loader", struct spec, loader, loader_custom, .qemu = "own BIOS",
	    .help = "loads a guest without firmware before each boot: bhyveload or grub"),
	ROW_CUSTOM("hostbridge", struct spec, hostbridge, hostbridge_custom,
	    .preset = "\"hostbridge\"", .qemu = "always Intel's",
	    .help = "host bridge: hostbridge, amd_hostbridge or false (none)"),
	ROW_CUSTOM("hostbridge_slot", struct spec, hostbridge_slot, slot_custom,
	    .preset = "\"0:0:0\"", .qemu = "always 0:0:0",
	    .help = "PCI address of the host bridge"),
	ROW_CUSTOM("lpc_slot", struct spec, lpc_slot, slot_or_false_custom,
	    .preset = "\"0:31:0\"", .qemu = "always 0:31:0",
	    .help = "PCI address of the LPC bridge; false: none, thus no com port and no bootrom"),
	COM(1), COM(2), COM(3), COM(4),
	ROW_OBJECT("console", struct spec, console, console_fields,
	    .help = "log of the serial port that is \"console\""),
	ROW_CUSTOM("gdb", struct spec, gdb, gdb_custom,
	    .help = "[w][ADDR:]PORT for a debugger; with w the guest waits for it"),
	ROW_OBJECT("graphic", struct spec, graphic, graphic_fields, .hidden = true,
	    .help = "screen for VNC clients, and a tablet"),
	ROW_CUSTOM("uuid", struct spec, uuid, uuid_custom,
	    .help = "UUID of the machine; default: made from the name; false: none"),
	FLAG_ON(utc_clock, "the guest's clock shows UTC"),
	ROW_BOOL("yield_on_hlt", struct spec, yield_on_hlt, .preset = "true", .qemu = "always",
	    .help = "yield the host's CPU when the guest halts"),
	FLAG_ON(generate_acpi, "give the guest ACPI tables"),
	ROW_BOOL("wire_guest_mem", struct spec, wire_guest_mem, .qemu = "with kvm only",
	    .help = "wire the guest's memory, so that the host does not swap it out"),
	FLAG_OF_BHYVE(force_msi, "make virtio devices use MSI instead of MSI-X"),
	FLAG_OF_BHYVE(disable_mptable_gen, "give the guest no MP table"),
	FLAG_OF_BHYVE(power_off_destroy_vm, "make bhyve destroy the VM when the guest powers off"),
	FLAG_OF_BHYVE(x2apic, "use x2APIC mode"),
	FLAG_OF_BHYVE(strict_io, "exit when the guest uses an I/O port that is not emulated"),
	FLAG_OF_BHYVE(ignore_unknown_msr, "ignore accesses to unknown model-specific registers"),
	FLAG(guest_mem_in_core, "include the guest's memory in core dumps of bhyve"),
	FLAG_OF_BHYVE(exit_on_pause, "exit to bhyve when the guest executes PAUSE"),
	ROW_CUSTOM("keyboard_layout", struct spec, keyboard_layout, layout_custom, .qemu = KEY_IGNORED,
	    .help = "keyboard layout of VNC clients"),
	ROW_CUSTOM("pin", struct spec, pin, pin_custom,
	    .help = "host CPUs on which a guest processor may run: a list of VCPU:CPU"),
	ROW_LIST("numa", struct spec, numa, numa_fields, .has_range = true, .min = 1,
	    .max = MAX_NUMA_DOMAINS,
	    .help = "memory domains of the guest"),
	ROW_CHOICE("fwcfg_type", struct spec, fwcfg_type, fwcfg_types, .qemu = KEY_IGNORED,
	    .help = "interface behind fwcfg: bhyve or qemu"),
	ROW_LIST("fwcfg", struct spec, fwcfg, fwcfg_fields,
	    .help = "fw_cfg items for the firmware and the guest"),
	ROW_OBJECT("smbios", struct spec, smbios, smbios_fields,
	    .help = "strings in the SMBIOS tables of the guest"),
	ROW_OBJECT("tpm", struct spec, tpm, tpm_fields, .help = "trusted platform module"),
	FLAG_OF_BHYVE(pc_testdev, "add the test device of bhyve's developers"),
	ROW_CUSTOM("post_start_script", struct spec, post_start_script, command_custom,
	    .help = "command that runs once the hypervisor is up"),
	ROW_LIST("companions", struct spec, companions, companion_fields,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "runs commands of the host" },
	    .help = "programs that start and end with the VM"),
	ROW_LIST("wait_for", struct spec, wait_for, wait_fields,
	    .help = "files and interfaces to wait for before the host checks"),
	ROW_CUSTOM("ready", struct spec, ready, ready_custom,
	    .help = "probe that finds when the guest is up: console, connect or exec; or false"),
	ROW_CUSTOM("alive", struct spec, alive, alive_custom,
	    .help = "probe whether the guest is still up: console, connect or exec; or false"),
	ROW_CUSTOM("time_limit", struct spec, time_limit_ms, week_custom,
	    .help = "time limit of a boot: seconds, 0.01 to 604800; default: none"),
	FLAG(protect, "keep the host from killing the hypervisor when memory runs out"),
	ROW_MAP("config", struct spec, config, .qemu = KEY_IGNORED,
	    .host = { .kind = HOST_FORBIDDEN, .reaches = "passes variables on unchecked" },
	    .help = "further variables of bhyve_config(5), set last"),
	ROW_CUSTOM("extra_options", struct spec, extra_options, words_custom,
	    .help = "further arguments for the hypervisor"),
	ROW_ELSEWHERE("emulations", .help = "list of devices"),
	ROW_ELSEWHERE("targets", .help = "alternative configurations"),
	ROW_STRING("next_target", struct spec, next_target, .host.kind = HOST_NONE,
	    .help = "target of the next boot; default: the same target"),
	ROW_CUSTOM("reboot_on", struct spec, reboot_on, reboot_on_custom,
	    .help = "causes or statuses after which the VM boots again"),
	ROW_GROUP("on", struct spec, on_fields, .explain_unknown = on_explain_unknown,
	    .others = &on_statuses,
	    .help = "action after each cause or status: stop, boot, same or { boot, delay }"),
	ROW_CUSTOM("restart_limit", struct spec, restart_limit, restart_limit_custom,
	    .help = "{ count, within }: limit of automatic boots; false: none"),
	ROW_CUSTOM("backoff", struct spec, backoff, backoff_custom,
	    .help = "{ initial, factor, max, reset_after }: delay before boots; false: none"),
	ROW_CUSTOM("hooks", struct spec, hooks, hooks_custom,
	    .help = "list of hook files and stock hooks"),
	HOOK(on_prepare, "fun(spec: vmrun.Spec, boot: vmrun.Boot): vmrun.Spec?",
	    "before each boot"),
	HOOK(on_start, "fun(boot: vmrun.Boot): string|boolean|nil, string?",
	    "before the hypervisor starts"),
	HOOK(on_started, "fun(boot: vmrun.Boot)",
	    "after the hypervisor has started"),
	HOOK(on_ready, "fun(boot: vmrun.Boot)",
	    "when the guest is ready (key ready)"),
	HOOK(on_exit, "fun(exit: vmrun.Exit): string|boolean|vmrun.Action|nil",
	    "after each exit"),
	HOOK(on_end, "fun(report: vmrun.Report)",
	    "before vmrun ends"),
	ROW_CUSTOM("hook_timeout", struct spec, hook_timeout_ms, seconds_custom, .preset = "5",
	    .help = "computing time of one hook call: seconds, 0.01 to 3600"),
	ROW_CUSTOM("hook_memory", struct spec, hook_memory, mem_custom, .preset = "\"64M\"",
	    .help = "memory limit of Lua, \"64M\" or bytes"),
	ROW_CUSTOM("stop", struct spec, stop, stop_custom, .initial = &default_stop,
	    .initial_size = sizeof(default_stop), .help = "list of stop steps: { do, wait }"),
	ROW_CUSTOM("prefix", struct spec, prefix, prefix_custom,
	    .help = "words before the hypervisor's command: [\"nice\", \"-n\", \"5\"]"),
	ROW_OBJECT("bhyve", struct spec, bhyve, bhyve_fields, .qemu = "arch only",
	    .help = "settings for bhyve only"),
	ROW_OBJECT("qemu", struct spec, qemu, qemu_fields, .bhyve = KEY_IGNORED,
	    .help = "settings for qemu only"),
	{ 0 },
};
/* clang-format on */
