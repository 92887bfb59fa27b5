/* The spec's own keys, one row each. */
#include "spec/keys.h"

static const char *const arches[] = { "", "amd64", "arm64", NULL };
static const char *const accels[] = { "auto", "tcg", "kvm", NULL };
static const char *const fwcfg_types[] = { "", "bhyve", "qemu", NULL };

/* clang-format off */
#define CUSTOM(name) .custom = &name##_custom
#define FLAG(name, text) { #name, FIELD_BOOL, offsetof(struct spec, name), .help = text }
#define HOOK(name, text) \
	{ #name, FIELD_HOOK, offsetof(struct spec, name), .help = "hook: " text }
#define COM(n) { "com" #n, FIELD_CUSTOM, offsetof(struct spec, com[n - 1]), CUSTOM(com), \
	    .help = "serial port " #n ": stdio, a tty, /dev/nmdmXA, nmdm or tcp=ADDR:PORT" }

static const struct field bhyve_fields[] = {
	{ "release", FIELD_CUSTOM, offsetof(struct bhyve_settings, release), CUSTOM(release),
	    .help = "FreeBSD release that the command is for: 13, 14 or 15" },
	{ "arch", FIELD_CHOICE, offsetof(struct bhyve_settings, arch), .choices = arches,
	    .help = "architecture that the command is for: amd64 or arm64" },
	{ "args", FIELD_CUSTOM, offsetof(struct bhyve_settings, args), CUSTOM(words),
	    .help = "further words for bhyve" },
	{ 0 },
};

static const struct field qemu_fields[] = {
	{ "accel", FIELD_CHOICE, offsetof(struct qemu_settings, accel), .choices = accels,
	    .help = "auto, tcg or kvm" },
	{ "machine", FIELD_STRING, offsetof(struct qemu_settings, machine),
	    .help = "further options of -machine q35" },
	{ "bootrom", FIELD_PATH, offsetof(struct qemu_settings, bootrom),
	    .help = "firmware under qemu" },
	{ "varfile", FIELD_PATH, offsetof(struct qemu_settings, varfile),
	    .help = "UEFI variables under qemu" },
	{ "args", FIELD_CUSTOM, offsetof(struct qemu_settings, args), CUSTOM(words),
	    .help = "further words for qemu" },
	{ 0 },
};

static const struct field graphic_fields[] = {
	FBUF_ROWS(offsetof(struct graphic, fbuf)),
	{ "xhci_tablet", FIELD_BOOL, offsetof(struct graphic, xhci_tablet), .alias = "xhci_table",
	    .help = "a pointer that the screen's clients move: an xhci with a tablet" },
	{ 0 },
};

const struct field spec_fields[] = {
	{ "name", FIELD_CUSTOM, offsetof(struct spec, name), .required = true, CUSTOM(name),
	    .help = "name of the VM" },
	{ "cpu", FIELD_CUSTOM, offsetof(struct spec, cpu), .required = true, CUSTOM(cpu),
	    .help = "number of processors, or { threads, cores, sockets }" },
	{ "mem", FIELD_CUSTOM, offsetof(struct spec, mem), .required = true, CUSTOM(mem),
	    .help = "memory, \"512M\" or bytes" },
	{ "bootrom", FIELD_PATH, offsetof(struct spec, bootrom), .help = "firmware" },
	{ "varfile", FIELD_PATH, offsetof(struct spec, varfile), .help = "UEFI variables" },
	{ "varfile_template", FIELD_PATH, offsetof(struct spec, varfile_template),
	    .help = "what a missing varfile is copied from" },
	{ "loader", FIELD_CUSTOM, offsetof(struct spec, loader), CUSTOM(loader),
	    .help = "bhyveload or grub, run before each boot of a guest without firmware" },
	{ "hostbridge", FIELD_CUSTOM, offsetof(struct spec, hostbridge), CUSTOM(hostbridge),
	    .help = "hostbridge, amd_hostbridge or false" },
	{ "hostbridge_slot", FIELD_CUSTOM, offsetof(struct spec, hostbridge_slot), CUSTOM(slot),
	    .help = "PCI address of the host bridge" },
	{ "lpc_slot", FIELD_CUSTOM, offsetof(struct spec, lpc_slot), CUSTOM(slot),
	    .help = "PCI address of the LPC bridge" },
	COM(1), COM(2), COM(3), COM(4),
	{ "gdb", FIELD_CUSTOM, offsetof(struct spec, gdb), CUSTOM(gdb),
	    .help = "[w][ADDR:]PORT that a debugger connects to; w waits for it" },
	{ "graphic", FIELD_OBJECT, offsetof(struct spec, graphic), .rows = graphic_fields,
	    .hidden = true,
	    .help = "a screen for VNC clients, and a tablet" },
	{ "uuid", FIELD_CUSTOM, offsetof(struct spec, uuid), CUSTOM(uuid),
	    .help = "UUID of the machine; default made from the name" },
	FLAG(utc_clock, "the guest's clock shows UTC"),
	FLAG(yield_on_hlt, "give the host's CPU back when the guest halts"),
	FLAG(generate_acpi, "ACPI tables for the guest"),
	FLAG(wire_guest_mem, "keep the guest's memory in RAM"),
	FLAG(force_msi, "virtio devices use MSI, not MSI-X"),
	FLAG(disable_mptable_gen, "no MP table for the guest"),
	FLAG(power_off_destroy_vm, "bhyve destroys the VM when the guest powers off"),
	FLAG(x2apic, "x2APIC mode"),
	FLAG(strict_io, "stop at an I/O port that nobody handles"),
	FLAG(ignore_unknown_msr, "ignore registers (MSR) that nobody handles"),
	FLAG(guest_mem_in_core, "guest memory in core dumps of bhyve"),
	FLAG(exit_on_pause, "leave the guest at its PAUSE instructions"),
	{ "keyboard_layout", FIELD_CUSTOM, offsetof(struct spec, keyboard_layout), CUSTOM(layout),
	    .help = "layout of VNC clients' keyboards" },
	{ "pin", FIELD_CUSTOM, offsetof(struct spec, pin), CUSTOM(pin),
	    .help = "processors of the host for those of the guest: VCPU:CPU each" },
	{ "numa", FIELD_LIST, offsetof(struct spec, numa), .rows = numa_fields,
	    .size = sizeof(struct numa_domain), .has_range = true, .min = 1, .max = 8,
	    .help = "memory domains of the guest" },
	{ "fwcfg_type", FIELD_CHOICE, offsetof(struct spec, fwcfg_type), .choices = fwcfg_types,
	    .help = "bhyve or qemu: the interface behind fwcfg" },
	{ "fwcfg", FIELD_LIST, offsetof(struct spec, fwcfg), .rows = fwcfg_fields,
	    .size = sizeof(struct fwcfg_item),
	    .help = "what firmware and guest find in fw_cfg" },
	{ "smbios", FIELD_OBJECT, offsetof(struct spec, smbios), .rows = smbios_fields,
	    .help = "who made the machine" },
	{ "tpm", FIELD_OBJECT, offsetof(struct spec, tpm), .rows = tpm_fields,
	    .help = "a trusted platform module" },
	FLAG(pc_testdev, "the test device of bhyve's developers"),
	{ "config", FIELD_MAP, offsetof(struct spec, config),
	    .help = "further variables of bhyve_config(5), set last" },
	{ "extra_options", FIELD_CUSTOM, offsetof(struct spec, extra_options), CUSTOM(words),
	    .help = "further words for the hypervisor" },
	{ "emulations", FIELD_ELSEWHERE, .help = "devices" },
	{ "targets", FIELD_ELSEWHERE, .help = "alternative configurations" },
	{ "next_target", FIELD_STRING, offsetof(struct spec, next_target),
	    .help = "target of the next boot" },
	{ "reboot_on", FIELD_CUSTOM, offsetof(struct spec, reboot_on), CUSTOM(reboot_on),
	    .help = "causes or statuses after which the VM boots again" },
	{ "restart_limit", FIELD_CUSTOM, offsetof(struct spec, restart_limit),
	    CUSTOM(restart_limit), .help = "{ count, within }: more automatic boots are too many" },
	{ "backoff", FIELD_CUSTOM, offsetof(struct spec, backoff), CUSTOM(backoff),
	    .help = "{ initial, factor, max, reset_after }: delay after all but a reboot" },
	{ "hooks", FIELD_CUSTOM, offsetof(struct spec, hooks), CUSTOM(hooks),
	    .help = "files of hooks" },
	HOOK(on_prepare, "before each boot"),
	HOOK(on_start, "before the hypervisor starts"),
	HOOK(on_started, "the hypervisor runs"),
	HOOK(on_exit, "after each exit"),
	HOOK(on_end, "vmrun is about to end"),
	{ "hook_timeout", FIELD_CUSTOM, offsetof(struct spec, hook_timeout_ms), CUSTOM(seconds),
	    .help = "seconds that one hook may compute" },
	{ "hook_memory", FIELD_CUSTOM, offsetof(struct spec, hook_memory), CUSTOM(mem),
	    .help = "memory that Lua may hold" },
	{ "stop", FIELD_CUSTOM, offsetof(struct spec, stop), CUSTOM(stop),
	    .help = "steps of a stop: { do, wait }" },
	{ "bhyve", FIELD_OBJECT, offsetof(struct spec, bhyve), .rows = bhyve_fields,
	    .help = "settings for bhyve only" },
	{ "qemu", FIELD_OBJECT, offsetof(struct spec, qemu), .rows = qemu_fields,
	    .help = "settings for qemu only" },
	{ 0 },
};
/* clang-format on */
