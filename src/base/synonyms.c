/* The words of other programs, each with the word of vmrun that means the same. */
#include "base/synonyms.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * From the options and variables of bhyve(8) and bhyve_config(5), and the words of vm-bhyve,
 * libvirt, QEMU, Docker and systemd.  A "#" stands for a number.
 */
/* clang-format off */
static const struct synonym synonyms[] = {
	/* keys of the spec */
	{ NEAR_KEY, "name", "hostname title vm vm_name vmname domain", NULL },
	{ NEAR_KEY, "mem", 
	    "m ram memory memory.size memory_size memory_mb memsize maxmem maxmemory "
	    "currentmemory mem_limit mem_size ram_mb",
	    "\"mem\": \"2G\"" },
	{ NEAR_KEY, "cpu", 
	    "c cpus cpu_count ncpu ncpus smp vcpu vcpus processors threads sockets "
	    "cores cpu_cores cpu_sockets cpu_threads",
	    "\"cpu\": 2, or {\"sockets\": 1, \"cores\": 2, \"threads\": 1}" },
	{ NEAR_KEY, "emulations", 
	    "device devices disk disks disk# disk#_name disk#_type disk#_dev "
	    "disk#_opts disk#_size drive "
	    "drives hdb hdd hard_disk storage blockdev",
	    "\"emulations\": [{\"device\": \"virtio-blk\", \"path\": \"disk.img\"}]" },
	{ NEAR_KEY, "emulations", "cd cdrom cd-rom dvd iso iso_image iso_path install_iso",
	    "\"emulations\": [{\"device\": \"ahci-cd\", \"path\": \"disc1.iso\"}]" },
	{ NEAR_KEY, "emulations", 
	    "net network networks network# network#_type network#_switch "
	    "network#_device network#_mac network#_name network#_span network_mode netdev "
	    "nic nics backend bridge interface interfaces ifname macaddr tap tap# vif",
	    "\"emulations\": [{\"device\": \"virtio-net\", \"bridge\": \"bridge0\"}]" },
	{ NEAR_KEY, "emulations", 
	    "9p 9pfs p9fs fsdev virtfs filesystem filesystems share shares "
	    "shared_folder volume volumes mount mounts",
	    "\"emulations\": [{\"device\": \"virtio-9p\", \"sharename\": \"share\", \"path\": \"/data\"}]" },
	{ NEAR_KEY, "emulations", "passthru passthru# passthrough hostdev hostdevs pci",
	    "\"emulations\": [{\"device\": \"passthru\", \"src\": \"3/0/0\"}]" },
	{ NEAR_KEY, "emulations", "sound audio hda",
	    "\"emulations\": [{\"device\": \"hda\", \"play\": \"/dev/dsp0\"}]" },
	{ NEAR_KEY, "emulations", "rng random virt_random",
	    "\"emulations\": [{\"device\": \"virtio-rnd\"}]" },
	{ NEAR_KEY, "emulations", "usb usb_tablet",
	    "\"emulations\": [{\"device\": \"xhci\"}]" },
	{ NEAR_KEY, "emulations", "boot boot_order bootorder boot_device bootindex",
	    "\"bootindex\": 1 in the device to boot from" },
	{ NEAR_KEY, "graphic", 
	    "vnc display graphics graphics_port graphics_listen graphics_password "
	    "graphics_res graphics_vga vnc_listen vnc_password vnc_wait wait_vnc "
	    "graphics_wait fbuf framebuffer novnc screen spice vga video vnc_port "
	    "xhci_mouse",
	    "\"graphic\": {\"port\": 5900}" },
	{ NEAR_KEY, "com1", 
	    "serial serial0 serials tty com comport comports comports console0 uart "
	    "lpc.com1.path",
	    "\"com1\": \"stdio\"" },
	{ NEAR_KEY, "bootrom", "bios efi firmware ovmf pflash rom uefi lpc.bootrom", NULL },
	{ NEAR_KEY, "varfile", "bootvars efivars nvram uefi_vars vars lpc.bootvars", NULL },
	{ NEAR_KEY, "loader", "bhyveload bhyveload_args bhyveload_loader bootloader grub grub-bhyve "
	    "grub_install# grub_run# grub_run_dir grub_run_partition kernel_loader "
	    "loader_timeout",
	    "\"loader\": \"bhyveload\" or \"grub\"" },
	{ NEAR_KEY, "qemu", "accel kvm machine machine_type",
	    "\"qemu\": {\"accel\": \"kvm\"}" },
	{ NEAR_KEY, "qemu", "append bootargs cmdline initrd kernel",
	    "\"qemu\": {\"kernel\": \"vmlinuz\", \"append\": \"console=ttyS0\"}" },
	{ NEAR_KEY, "on", 
	    "autorestart on_crash on_poweroff on_reboot on_shutdown on_error "
	    "restart restart_policy restart-policy",
	    "\"on\": {\"triple_fault\": \"boot\"}" },
	{ NEAR_KEY, "restart_limit", 
	    "max_restarts max_retries maximum_retry_count retries restart_max "
	    "startlimitburst",
	    "\"restart_limit\": {\"count\": 5, \"within\": 30}" },
	{ NEAR_KEY, "backoff", "delay restart_delay restart_sec restartsec",
	    "\"backoff\": {\"initial\": 1, \"max\": 60}" },
	{ NEAR_KEY, "hooks", "prestart poststart prestop poststop pre_start pre_start_script pre_stop "
	    "pre_stop_script post_stop post_stop_script scripts script",
	    "\"hooks\": [\"policy.lua\"], whose functions are on_start, on_exit, ..." },
	{ NEAR_KEY, "targets", 
	    "configs configurations environments modes profile profiles variants",
	    "\"targets\": {\"install\": {...}}" },
	{ NEAR_KEY, "next_target", "next next_boot then", NULL },
	{ NEAR_KEY, "stop", 
	    "shutdown shutdown_timeout stop_timeout stop_grace_period stop_signal "
	    "timeoutstopsec",
	    "\"stop\": [{\"do\": \"acpi\", \"wait\": 60}, {\"do\": \"kill\", \"wait\": 5}]" },
	{ NEAR_KEY, "companions", "daemons helpers processes services sidecars",
	    "\"companions\": [{\"name\": \"x\", \"command\": [\"/path/to/program\"]}]" },
	{ NEAR_KEY, "wait_for", "after depends depends_on requires wait",
	    "\"wait_for\": [{\"path\": \"/dev/zvol/tank/x\", \"timeout\": 30}]" },
	{ NEAR_KEY, "ready",
	    "healthy_when readiness readiness_probe readinessprobe ready_when start_timeout "
	    "startup_probe startupprobe startup_timeout timeoutstartsec",
	    "\"ready\": {\"connect\": \"192.168.1.10:22\", \"within\": 120}" },
	{ NEAR_KEY, "alive",
	    "health health_check healthcheck heartbeat liveness liveness_probe livenessprobe "
	    "watchdogsec",
	    "\"alive\": {\"connect\": \"192.168.1.10:22\", \"every\": 30, \"failures\": 3}" },
	{ NEAR_KEY, "time_limit",
	    "activedeadlineseconds deadline max_runtime max_uptime maxruntime run_timeout "
	    "runtime_max runtimemaxsec timelimit timeout", NULL },
	{ NEAR_KEY, "extra_options", 
	    "args arguments bhyve_options command commandline extra_args extra "
	    "options qemu_args", NULL },
	{ NEAR_KEY, "emulations", "pci.#.#.#.device",
	    "\"emulations\": [{\"device\": \"virtio-rnd\", \"slot\": \"0:3:0\"}]" },
	{ NEAR_KEY, "smbios", 
	    "bios.release_date bios.vendor bios.version board.manufacturer "
	    "board.product_name chassis.manufacturer system.manufacturer "
	    "system.product_name system.serial_number",
	    "\"smbios\": {\"system\": {\"manufacturer\": \"x\"}}" },
	{ NEAR_KEY, "numa", "domains domains.#.cpus domains.#.size", NULL },
	{ NEAR_KEY, "fwcfg_type", "lpc.fwcfg", NULL },
	{ NEAR_KEY, "force_msi", "virtio_msix", NULL },
	{ NEAR_KEY, "config", "bhyve_config bhyveconfig variables",
	    "\"config\": {\"pci.0.3.0.key\": \"value\"}" },
	{ NEAR_KEY, "utc_clock", 
	    "clock localtime rtc rtc.use_localtime timezone utc utctime", NULL },
	{ NEAR_KEY, "wire_guest_mem", "locked memory.wired mlock wired wired_memory", NULL },
	{ NEAR_KEY, "guest_mem_in_core", "memory.guest_in_core", NULL },
	{ NEAR_KEY, "generate_acpi", "acpi acpi_tables", NULL },
	{ NEAR_KEY, "strict_io", "strictio x86.strictio", NULL },
	{ NEAR_KEY, "ignore_unknown_msr", "ignore_bad_msr ignore_msr ignore_msrs strictmsr x86.strictmsr", NULL },
	{ NEAR_KEY, "x2apic", "x86.x2apic", NULL },
	{ NEAR_KEY, "yield_on_hlt", "vmexit_on_hlt x86.vmexit_on_hlt", NULL },
	{ NEAR_KEY, "exit_on_pause", "vmexit_on_pause x86.vmexit_on_pause", NULL },
	{ NEAR_KEY, "disable_mptable_gen", "mptable x86.mptable", NULL },
	{ NEAR_KEY, "power_off_destroy_vm", "destroy_on_poweroff", NULL },
	{ NEAR_KEY, "keyboard_layout", "kbd keyboard keyboard.layout keymap vnc_keymap", NULL },
	{ NEAR_KEY, "pin", 
	    "affinity cpu_affinity cpu_pin cpupin cpuset pinning vcpu.#.cpuset vcpupin",
	    "\"pin\": [\"0:2\", \"1:3\"], virtual to host CPU" },
	{ NEAR_KEY, "tpm", "swtpm tpm.path tpm.type vtpm",
	    "\"tpm\": {\"type\": \"swtpm\", \"managed\": true}" },
	{ NEAR_KEY, "gdb", "gdbserver gdb.address gdb.port gdb.wait", NULL },
	{ NEAR_KEY, "post_start_script", "post_start poststart_script", NULL },
	/* keys of probes */
	{ NEAR_KEY, "console", "match output pattern print prompt serial text", NULL },
	{ NEAR_KEY, "connect", "address port tcp tcpsocket tcp_socket", NULL },
	{ NEAR_KEY, "expect", "banner greeting receive reply response send", NULL },
	{ NEAR_KEY, "exec", "cmd command run script test", NULL },
	{ NEAR_KEY, "every", "delay interval period periodseconds period_seconds", NULL },
	{ NEAR_KEY, "within",
	    "deadline initialdelayseconds start_period start_timeout timeout", NULL },
	{ NEAR_KEY, "failures",
	    "attempts failurethreshold failure_threshold max_failures retries threshold tries",
	    NULL },
	/* keys of devices */
	{ NEAR_FIELD, "device", "driver emulation kind model type",
	    "\"device\": \"virtio-blk\"" },
	{ NEAR_KEY, "path", 
	    "dir directory disk file filename folder image img iso location media source "
	    "src dev tty url volume", NULL },
	{ NEAR_KEY, "path", "socket sock", NULL },
	{ NEAR_KEY, "path", "size capacity",
	    "\"path\": \"disk.img\", a file of that size, as truncate(1) makes it" },
	{ NEAR_KEY, "logical_sector_size", 
	    "blocksize block_size logical_block_size sector_size sectorsize",
	    "\"logical_sector_size\": 512, \"physical_sector_size\": 4096" },
	{ NEAR_KEY, "physical_sector_size", "physical_block_size", NULL },
	{ NEAR_KEY, "sectsz", "sectorsize sector_size", NULL },
	{ NEAR_KEY, "ro", "read_only readonly read-only", NULL },
	{ NEAR_KEY, "ser", "serial serial_number serialno", NULL },
	{ NEAR_KEY, "direct", "o_sync sync", NULL },
	{ NEAR_KEY, "nocache", "cache o_direct", NULL },
	{ NEAR_KEY, "nodelete", "discard trim unmap", NULL },
	{ NEAR_KEY, "bootindex", "boot boot_index boot_order bootorder",
	    "\"bootindex\": 1" },
	{ NEAR_KEY, "slot", "addr address bus pci_slot pcislot unit",
	    "\"slot\": \"0:3:0\"" },
	{ NEAR_KEY, "id", "alias label", NULL },
	{ NEAR_KEY, "mac", 
	    "ether ethernet hwaddr macaddr macaddress mac_address network#_mac", NULL },
	{ NEAR_FIELD, "bridge", "br bridge_name network source switch vswitch virtual-switch",
	    "\"bridge\": \"bridge0\"; vmrun makes the tap" },
	{ NEAR_FIELD, "name", "backend ifname interface tap tap#",
	    "\"name\": \"tap3\"" },
	{ NEAR_KEY, "hostfwd", "forward forwards portforward portfwd ports publish",
	    "\"hostfwd\": [\"tcp:127.0.0.1:2222-:22\"]" },
	{ NEAR_KEY, "sharename", "mount_tag name share tag target", NULL },
	{ NEAR_KEY, "src", "bdf device_address host pci pciaddr pptdev source",
	    "\"src\": \"3/0/0\"" },
	{ NEAR_KEY, "host", "address bind ip listen rfb tcp vnc_host graphics_listen", NULL },
	{ NEAR_KEY, "port", "graphics_port vnc_port", NULL },
	{ NEAR_KEY, "width", "resolution res graphics_res w",
	    "\"width\": 1024, \"height\": 768" },
	{ NEAR_KEY, "height", "h", NULL },
	{ NEAR_KEY, "password", "pass passwd secret", NULL },
	{ NEAR_KEY, "wait", "graphics_wait", NULL },
	{ NEAR_KEY, "xhci_tablet", "mouse tablet xhci_mouse usb_tablet", NULL },
	{ NEAR_FIELD, "ports", "port consoles disks name path socket", NULL },
	{ NEAR_FIELD, "rom", "romfile rom_file", NULL },
	{ NEAR_FIELD, "devices", "mouse tablet usb", NULL },
	{ NEAR_KEY, "play", "output playback", NULL },
	{ NEAR_KEY, "rec", "input record recording", NULL },
	/* models of devices */
	{ NEAR_DEVICE, "ahci-cd", "ahci-dvd cd cdrom dvd ide-cd iso sata-cd scsi-cd", NULL },
	{ NEAR_DEVICE, "ahci-hd", "ahci-disk ahci-ssd disk hd hdd ide ide-hd sata sata-hd hard-disk", NULL },
	{ NEAR_DEVICE, "virtio-blk", 
	    "blk block drive virtio virtio_blk virtio-blk-device virtio-blk-pci virtio-disk virtblk "
	    "vtblk zvol", NULL },
	{ NEAR_DEVICE, "virtio-net", 
	    "bridge net network nic slirp tap vale virtio_net virtio-net-device "
	    "virtio-net-pci vtnet if_vtnet", NULL },
	{ NEAR_DEVICE, "e1000", "e1000e em em0 intel igb", NULL },
	{ NEAR_DEVICE, "virtio-9p", 
	    "9p 9pfs p9fs share virtfs virtio-9p-pci virtio-fs virtiofs", NULL },
	{ NEAR_DEVICE, "virtio-rnd", 
	    "random rng virtio_random virtio-random virtio-rng virtio-rng-pci "
	    "viornd", NULL },
	{ NEAR_DEVICE, "virtio-console", "virtio-serial virtio-serial-pci virtserialport vtcon", NULL },
	{ NEAR_DEVICE, "virtio-scsi", "ctl iscsi scsi virtio-scsi-pci", NULL },
	{ NEAR_DEVICE, "virtio-input", 
	    "evdev input virtio-keyboard virtio-keyboard-pci virtio-mouse "
	    "virtio-mouse-pci", NULL },
	{ NEAR_DEVICE, "fbuf", 
	    "display framebuffer gpu graphics std vga vnc virtio-gpu virtio-vga", NULL },
	{ NEAR_DEVICE, "xhci", "qemu-xhci nec-usb-xhci tablet usb usb-tablet virtio-tablet virtio-tablet-pci", NULL },
	{ NEAR_DEVICE, "hda", "audio ich9-intel-hda intel-hda sound", NULL },
	{ NEAR_DEVICE, "passthru", "hostdev passthrough pci ppt vfio vfio-pci", NULL },
	{ NEAR_DEVICE, "uart", "serial tty", NULL },
	{ NEAR_DEVICE, "nvme", "nvme-disk nvme-ns ssd", NULL },
	/* causes */
	{ NEAR_KEY, "triple_fault", "crash fault kernel_panic panic triplefault", NULL },
	{ NEAR_KEY, "poweroff", "off power_off powerdown power-off shutdown", NULL },
	{ NEAR_KEY, "reboot", "reset restart", NULL },
	{ NEAR_KEY, "error", "crashed fail failed failure on-failure", NULL },
	{ NEAR_KEY, "killed", "kill sigkill signal oom", NULL },
	{ NEAR_KEY, "given_up", "giveup give_up limit start_limit too_many", NULL },
	{ NEAR_KEY, "check_failed", "check checks requirements", NULL },
	{ NEAR_KEY, "not_ready", "notready ready start_timeout startup_timeout unready", NULL },
	{ NEAR_KEY, "unhealthy", "alive dead hang health healthcheck hung watchdog", NULL },
	{ NEAR_KEY, "timed_out", "deadline time_limit timedout timeout", NULL },
	{ NEAR_KEY, "start_failed", "start startup failed_start", NULL },
	/* options of vmrun */
	{ NEAR_OPTION, "set", "c cpu cpus m mem memory name smp vcpus",
	    "--set mem=2G --set cpu=2" },
	{ NEAR_OPTION, "dry-run", "dryrun dry_run just-print n print-command show-command", NULL },
	{ NEAR_OPTION, "check", "configtest lint syntax test validate verify", NULL },
	{ NEAR_OPTION, "log-level", "debug-level log loglevel q quiet v verbose", NULL },
	{ NEAR_OPTION, "run-dir", "rundir runtime-dir runtime-directory", NULL },
	{ NEAR_OPTION, "state-dir", "data-dir statedir state-directory", NULL },
	{ NEAR_OPTION, "config", "conf f file spec", NULL },
	{ NEAR_OPTION, "target", "boot profile variant", NULL },
	{ NEAR_OPTION, "no-reboot", "norestart no-restart once", NULL },
	{ NEAR_OPTION, "reboot-count", "max-restarts restarts retries", NULL },
	{ NEAR_OPTION, "reboot-on", "restart restart-on", NULL },
	{ NEAR_OPTION, "sandbox", "safe untrusted restrict", NULL },
	{ NEAR_OPTION, "bhyve", "bhyve-path exec", NULL },
	{ NEAR_OPTION, "qemu", "qemu-path qemu-system", NULL },
	{ NEAR_OPTION, "hypervisor", "accel backend engine", NULL },
	{ NEAR_OPTION, "events", "event-log events-file", NULL },
	{ NEAR_OPTION, "fix", "autofix mend repair", NULL },
	{ NEAR_OPTION, "force", "destroy overwrite", NULL },
	{ NEAR_OPTION, "exit-status", "exit-code", NULL },
	{ NEAR_OPTION, "simulate", "simulation walk", NULL },
	/* commands of vmrunctl */
	{ NEAR_COMMAND, "list", "ls ps vms", NULL },
	{ NEAR_COMMAND, "status", "domstate info show state", NULL },
	{ NEAR_COMMAND, "stop", "acpi down halt off poweroff shutdown", NULL },
	{ NEAR_COMMAND, "kill", "destroy force-stop forcestop terminate", NULL },
	{ NEAR_COMMAND, "reboot", "restart", NULL },
	{ NEAR_COMMAND, "console", "attach cu connect tty", NULL },
	{ NEAR_COMMAND, "events", "follow monitor tail watch", NULL },
	{ NEAR_COMMAND, "reload", "hup refresh reread", NULL },
	{ NEAR_COMMAND, "history", "last log logs", NULL },
	{ NEAR_COMMAND, "why", "explain reason", NULL },
	{ NEAR_COMMAND, "wait", "until", NULL },
	{ NEAR_COMMAND, "next", "once target", NULL },
};
/* clang-format on */

/* Returns whether a word is the first one of a list, letter case aside. */
static bool is_first(const char *list, const char *word)
{
	for (; *list != ' ' && *list != '\0'; list++) {
		if (*list == '#') {
			if (isdigit((unsigned char)*word) == 0)
				return false;
			while (isdigit((unsigned char)*word) != 0)
				word++;
		} else if (tolower((unsigned char)*word++) != *list) {
			return false;
		}
	}
	return *word == '\0';
}

/* Returns whether a word is in a list. */
static bool is_listed(const char *list, const char *word)
{
	while (list != NULL && !is_first(list, word)) {
		list = strchr(list, ' ');
		if (list != NULL)
			list++;
	}
	return list != NULL;
}

static bool is_asked(enum near_words row, enum near_words words)
{
	return row == words || (row == NEAR_KEY && words == NEAR_FIELD);
}

const struct synonym *synonym_find(enum near_words words, const char *said, const char *meant)
{
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
		const struct synonym *s = &synonyms[i];

		if (is_asked(s->words, words) && strcmp(s->meant, meant) == 0 &&
		    is_listed(s->said, said))
			return s;
	}
	return NULL;
}
