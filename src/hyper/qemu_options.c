/*
 * The options of qemu, and what vmrun does about each: facts of `qemu-system-x86_64 -help` and of
 * QEMU's qemu-options.hx, versions 7.2 to 9.0.
 */
#include <string.h>

#include "hyper/qemu_user.h"

#define EXITS "qemu would print something and exit: ask qemu itself"
#define NO_BUS "the machine has no such bus: add a device to \"emulations\" instead"
#define NO_CONFIG                                                                               \
	"vmrun does not read that file, which could change what vmrun needs: give its options " \
	"themselves"
#define NO_DAEMON                                                                                \
	"qemu would leave vmrun, which could not tell when the guest ends: run vmrun itself by " \
	"daemon(8) or a service manager"
#define NO_DESCRIPTOR "vmrun passes none of its descriptors on to qemu: name a file or a socket"
#define NO_INCOMING "vmrun starts every guest from its reset: remove it"
#define NO_PRECONFIG "qemu would not start the guest when vmrun says so: remove it"
#define NO_SNAPSHOT                                                                               \
	"qemu applies it to its own -drive only, and would write to the disks of the spec: copy " \
	"them, or give the disks by -drive"
#define NO_STAY \
	"qemu would stay after a power-off, so vmrun would not notice the guest's end: remove it"
#define NO_XEN "vmrun runs qemu with the accelerators tcg and kvm only: remove it"

/* By name. */
static const struct qemu_option options[] = {
	{ .name = "accel",
	    .has_value = true,
	    .lists = true,
	    .is_early = true,
	    .take = qemu_take_accel },
	{ .name = "acpitable", .has_value = true },
	{ .name = "action", .has_value = true, .lists = true, .take = qemu_take_action },
	{ .name = "add-fd", .has_value = true, .refused = NO_DESCRIPTOR },
	{ .name = "append", .has_value = true },
	{ .name = "async-teardown" },
	{ .name = "audio", .has_value = true, .lists = true, .take = qemu_take_audio },
	{ .name = "audio-help", .refused = EXITS },
	{ .name = "audiodev", .has_value = true, .lists = true },
	{ .name = "bios", .has_value = true, .take = qemu_take_bios },
	{ .name = "blockdev", .has_value = true },
	{ .name = "boot", .has_value = true, .lists = true },
	{ .name = "cdrom", .has_value = true, .take = qemu_take_ide },
	{ .name = "chardev", .has_value = true, .lists = true, .take = qemu_take_chardev },
	{ .name = "chroot", .has_value = true },
	{ .name = "compat", .has_value = true },
	{ .name = "cpu", .has_value = true, .lists = true, .take = qemu_take_cpu },
	{ .name = "D", .has_value = true, .take = qemu_take_log_file },
	{ .name = "d", .has_value = true, .lists = true, .take = qemu_take_log_items },
	{ .name = "daemonize", .refused = NO_DAEMON },
	{ .name = "debugcon", .has_value = true, .take = qemu_take_stream },
	{ .name = "device", .has_value = true, .lists = true },
	{ .name = "dfilter", .has_value = true },
	{ .name = "display", .has_value = true, .lists = true, .take = qemu_take_display },
	{ .name = "drive", .has_value = true, .lists = true, .take = qemu_take_drive },
	{ .name = "dtb", .has_value = true },
	{ .name = "dump-vmstate", .has_value = true, .refused = EXITS },
	{ .name = "echr", .has_value = true },
	{ .name = "enable-kvm", .is_early = true, .take = qemu_take_kvm },
	{ .name = "enable-sync-profile" },
	{ .name = "fda", .has_value = true },
	{ .name = "fdb", .has_value = true },
	{ .name = "fsdev", .has_value = true },
	{ .name = "full-screen" },
	{ .name = "fw_cfg", .has_value = true },
	{ .name = "gdb", .has_value = true, .take = qemu_take_stream },
	{ .name = "global", .has_value = true, .lists = true },
	{ .name = "h", .refused = EXITS },
	{ .name = "hda", .has_value = true, .take = qemu_take_ide },
	{ .name = "hdb", .has_value = true, .take = qemu_take_ide },
	{ .name = "hdc", .has_value = true, .take = qemu_take_ide },
	{ .name = "hdd", .has_value = true, .take = qemu_take_ide },
	{ .name = "help", .refused = EXITS },
	{ .name = "icount", .has_value = true },
	{ .name = "incoming", .has_value = true, .refused = NO_INCOMING },
	{ .name = "initrd", .has_value = true },
	{ .name = "iscsi", .has_value = true, .lists = true },
	{ .name = "jitdump" },
	{ .name = "k", .has_value = true },
	{ .name = "kernel", .has_value = true },
	{ .name = "L", .has_value = true, .lists = true },
	{ .name = "loadvm", .has_value = true },
	{ .name = "M",
	    .has_value = true,
	    .lists = true,
	    .is_early = true,
	    .take = qemu_take_machine },
	{ .name = "m", .has_value = true },
	{ .name = "machine",
	    .has_value = true,
	    .lists = true,
	    .is_early = true,
	    .take = qemu_take_machine },
	{ .name = "mem-path", .has_value = true },
	{ .name = "mem-prealloc" },
	{ .name = "mon", .has_value = true },
	{ .name = "monitor", .has_value = true, .take = qemu_take_stream },
	{ .name = "msg", .has_value = true, .lists = true },
	{ .name = "mtdblock", .has_value = true, .refused = NO_BUS },
	{ .name = "name", .has_value = true },
	{ .name = "net", .has_value = true, .lists = true, .take = qemu_take_net },
	{ .name = "netdev", .has_value = true, .lists = true },
	{ .name = "nic", .has_value = true, .lists = true, .take = qemu_take_early },
	{ .name = "no-acpi" },
	{ .name = "no-fd-bootchk" },
	{ .name = "no-hpet" },
	{ .name = "no-reboot" },
	{ .name = "no-shutdown", .refused = NO_STAY },
	{ .name = "no-user-config" },
	{ .name = "nodefaults" },
	{ .name = "nographic" },
	{ .name = "nouserconfig" },
	{ .name = "numa", .has_value = true },
	{ .name = "object", .has_value = true, .lists = true },
	{ .name = "old-param" },
	{ .name = "only-migratable" },
	{ .name = "option-rom", .has_value = true },
	{ .name = "overcommit", .has_value = true, .lists = true },
	{ .name = "parallel", .has_value = true, .take = qemu_take_stream },
	{ .name = "perfmap" },
	{ .name = "pflash", .has_value = true },
	{ .name = "pidfile", .has_value = true },
	{ .name = "plugin", .has_value = true },
	{ .name = "portrait" },
	{ .name = "preconfig", .refused = NO_PRECONFIG },
	{ .name = "qmp", .has_value = true, .take = qemu_take_stream },
	{ .name = "qmp-pretty", .has_value = true, .take = qemu_take_stream },
	{ .name = "qtest", .has_value = true, .take = qemu_take_stream },
	{ .name = "qtest-log", .has_value = true },
	{ .name = "readconfig", .has_value = true, .refused = NO_CONFIG },
	{ .name = "rotate", .has_value = true },
	{ .name = "rtc", .has_value = true, .lists = true },
	{ .name = "run-with", .has_value = true, .take = qemu_take_user },
	{ .name = "runas", .has_value = true, .take = qemu_take_user },
	{ .name = "S", .take = qemu_take_hold },
	{ .name = "s" },
	{ .name = "sandbox", .has_value = true },
	{ .name = "sd", .has_value = true, .refused = NO_BUS },
	{ .name = "seed", .has_value = true },
	{ .name = "semihosting" },
	{ .name = "semihosting-config", .has_value = true },
	{ .name = "serial", .has_value = true, .take = qemu_take_serial },
	{ .name = "set", .has_value = true, .take = qemu_take_set },
	{ .name = "shim", .has_value = true },
	{ .name = "singlestep" },
	{ .name = "smbios", .has_value = true },
	{ .name = "smp", .has_value = true, .lists = true, .take = qemu_take_smp },
	{ .name = "snapshot", .refused = NO_SNAPSHOT },
	{ .name = "spice", .has_value = true, .lists = true },
	{ .name = "tpmdev", .has_value = true, .lists = true },
	{ .name = "trace", .has_value = true, .lists = true, .take = qemu_take_trace },
	{ .name = "usb" },
	{ .name = "usbdevice", .has_value = true },
	{ .name = "uuid", .has_value = true },
	{ .name = "version", .refused = EXITS },
	{ .name = "vga", .has_value = true, .lists = true, .take = qemu_take_early },
	{ .name = "virtfs", .has_value = true },
	{ .name = "vnc", .has_value = true, .lists = true },
	{ .name = "watchdog-action", .has_value = true },
	{ .name = "win2k-hack" },
	{ .name = "xen-attach", .refused = NO_XEN },
	{ .name = "xen-domid", .has_value = true, .refused = NO_XEN },
	{ .name = "xen-domid-restrict", .refused = NO_XEN },
};

const struct qemu_option *qemu_option_find(const char *word)
{
	if (*word != '-')
		return NULL;
	word += word[1] == '-' ? 2 : 1;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(options[i].name, word) == 0)
			return &options[i];
	}
	return NULL;
}
