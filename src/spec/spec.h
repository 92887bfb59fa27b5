/*
 * The spec of one boot as plain data: a merged document after decoding, with all rules checked and
 * all slots assigned.  The spec owns everything that it points to and has no references into Lua.
 */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vm_name.h"
#include "base/words.h"
#include "device/device.h"
#include "device/fbuf.h"
#include "platform/sandbox.h"
#include "spec/cause.h"

#define SPEC_COM_PORTS 4
#define MAX_CPUS 65535 /* bhyve's limit for the product (bhyverun.c) */
#define MIN_RELEASE 13 /* of FreeBSD: the releases whose bhyve this vmrun knows */
#define MAX_RELEASE 15
#define GUEST_PAGE 4096	       /* bytes */
#define UUID_NONE ""	       /* the value of `uuid` for false */
#define ROM_NONE ""	       /* the value of `bootrom` for false */
#define SPEC_CONSOLE "console" /* a serial port that vmrun owns */

struct cpu {
	int64_t sockets, cores, threads;
};

/* Returns the number of the guest's processors. */
int64_t cpu_count(const struct cpu *cpu);

/* Choices of keys; rows.c has their words. */
enum arch { ARCH_HOST, ARCH_AMD64, ARCH_ARM64, ARCHES };
enum accel { ACCEL_AUTO, ACCEL_TCG, ACCEL_KVM, ACCELS };
enum fwcfg_type { FWCFG_UNSET, FWCFG_BHYVE, FWCFG_QEMU, FWCFG_TYPES };
enum hostbridge { HOSTBRIDGE_NONE, HOSTBRIDGE_DEFAULT, HOSTBRIDGE_AMD, HOSTBRIDGES };

#define MAX_STATUS 255 /* of a process */

/* An entry of reboot_on: a cause, or an exit status of the hypervisor. */
struct reboot_entry {
	bool is_status;
	int status;
	enum cause cause;
};

struct reboot_list {
	bool given; /* an empty list is valid: never boot again */
	struct reboot_entry *item;
	size_t count;
};

/* Returns whether the list names the cause, or the status if cause_has_status(). */
bool reboot_list_has(const struct reboot_list *list, enum cause cause, int status);
/* Parses "reboot,triple_fault,3".  Fails with the reason, which names the entry. */
int reboot_list_parse(const char *text, struct reboot_list *out, struct error *err);
void reboot_list_free(struct reboot_list *list);

/* The action of `on` for one cause. */
enum action_kind {
	ACTION_NONE, /* none given: the policy decides */
	ACTION_STOP,
	ACTION_BOOT,   /* next_target, else the same target */
	ACTION_SAME,   /* the target that ended */
	ACTION_TARGET, /* a named one */
	ACTION_WAIT,   /* given_up only: wait until the user resets the limit */
	ACTION_KINDS
};

struct delay {
	bool given; /* otherwise the backoff's delay holds */
	int64_t ms;
};

struct action {
	enum action_kind kind;
	char *target; /* ACTION_TARGET */
	struct delay delay;
	int64_t times; /* on.given_up only: boots of the target; 0: without a limit */
};

/* The action of `on` after one exit status of an error. */
struct status_action {
	char *status; /* "5" to "255" */
	struct action action;
};

#define MAX_RESTART_COUNT 1000

/* vmrun gives up after more than `count` automatic boots within the window. */
struct restart_limit {
	bool off;
	int64_t count, within_ms;
};

/* Delay before the boot after any cause but a reboot. */
struct backoff {
	bool off;
	int64_t initial_ms, max_ms, reset_after_ms;
	double factor;
};

enum stop_action { STOP_ACPI, STOP_POWEROFF, STOP_KILL, STOP_ACTIONS };

struct stop_step {
	enum stop_action action;
	int64_t wait_ms; /* before the next step */
};

#define MAX_STOP_STEPS 16

struct stop_ladder {
	struct stop_step step[MAX_STOP_STEPS];
	size_t count;
};

/* Returns "acpi", "poweroff" or "kill". */
const char *stop_action_name(enum stop_action action);

/* A hook file or a stock hook that the spec names. */
struct hook_file {
	char *name;	       /* as written in the spec */
	char *path;	       /* absolute; NULL: a stock hook */
	struct node *options;  /* the entry of the spec, with its options and "use"; or NULL */
	char *key;	       /* path and options: the same for equal uses */
	bool of_option;	       /* named by --hook, not by the spec */
	struct words programs; /* those that the hook names as what it runs; added with the plan */
};

struct hook_list {
	struct hook_file *item;
	size_t count;
};

/* Adds a hook; a relative path starts from the directory. */
void hook_list_add(
    struct hook_list *list, const char *name, const char *directory, const struct node *options);
/* Adds a hook of --hook, which is never the same as one of the spec. */
void hook_list_add_option(struct hook_list *list, const char *name, const char *directory);
/* Adds copies of all hooks of the other list. */
void hook_list_append(struct hook_list *list, const struct hook_list *more);
void hook_list_free(struct hook_list *list);

/* The program that loads the guest's kernel before each boot, if no firmware does. */
enum loader_type { LOADER_NONE, LOADER_BHYVELOAD, LOADER_GRUB, LOADER_TYPES };

struct loader {
	int type; /* enum loader_type */
	int64_t timeout_ms;
	char *console; /* NULL: the device of com1 */
	/* for bhyveload */
	struct words disks; /* empty: those of the spec */
	struct pairs env;
	char *host_dir, *os_loader;
	/* for grub-bhyve */
	char *device_map; /* NULL: generated from the disks */
	char *root, *dir, *config;
	struct words commands; /* for its standard input */
};

struct numa_domain {
	int64_t id;
	int64_t size; /* bytes, 0: an equal share */
	char *cpus;   /* "0-3,8" */
	char *domain_policy;
};

/* An item that the guest finds in fw_cfg: a text, or the contents of a file. */
struct fwcfg_item {
	char *name, *string, *file;
};

struct smbios {
	struct {
		char *vendor, *version, *release_date;
	} bios;
	struct {
		char *family_name, *manufacturer, *product_name, *serial_number, *sku, *version;
	} system;
	struct {
		char *manufacturer, *version, *product_name, *serial_number, *asset_tag, *location;
	} board;
	struct {
		char *manufacturer, *version, *serial_number, *asset_tag, *sku;
	} chassis;
};

enum tpm_type { TPM_NONE, TPM_PASSTHRU, TPM_SWTPM, TPM_TYPES };

struct tpm {
	int type; /* enum tpm_type */
	char *path, *version;
	bool managed; /* vmrun starts swtpm, which serves `path` */
};

/* What must exist before the host is checked: exactly one of path and interface. */
struct wait_item {
	char *path, *interface;
	int64_t timeout_ms;
};

#define SPEC_SWTPM "swtpm of the tpm" /* name of the companion that serves a managed tpm */

enum probe_kind {
	PROBE_NONE,    /* not set, or false */
	PROBE_CONSOLE, /* the guest prints a text on its console */
	PROBE_CONNECT, /* a TCP server of the guest accepts a connection, and sends a text */
	PROBE_EXEC,    /* a command ends with status 0 */
};

/* A question to the guest: whether it is ready, or alive. */
struct probe {
	enum probe_kind kind;
	const char *text; /* to be printed or sent; NULL: any output, or none is expected */
	char *address;	  /* of a connection, numeric, without brackets */
	int port;
	struct words command;
	int64_t every_ms;  /* from one try to the next */
	int64_t within_ms; /* of `ready`: the time from the spawn; 0: no limit */
	int64_t failures; /* of `alive`: failed tries in a row after which the guest is unhealthy */
	char *console, *connect, *expect; /* as the spec has them; console "": any output */
};

/* A companion is ready when the command exits with status 0, or when the path exists. */
struct readiness {
	struct words command;
	char *path;
};

/* A program that runs as long as the VM. */
struct companion {
	char *name;
	struct words command;
	struct readiness ready;
	bool restart;
};

/* What vmrun does with the output of a serial port that is "console". */
struct console_settings {
	char *log;
	bool timestamps;
	int64_t max_size; /* bytes of one log */
	int64_t keep;	  /* older logs */
};

struct graphic {
	struct fbuf fbuf;
	bool xhci_tablet;
};

struct bhyve_settings {
	int64_t release; /* 0: the host's, or 14 on other systems */
	int arch;	 /* enum arch */
	struct words args;
};

struct qemu_settings {
	int accel; /* enum accel */
	char *machine, *bootrom, *varfile;
	int64_t halt_poll_ms;		/* 0: the guest is not asked whether it has halted */
	char *kernel, *initrd, *append; /* a Linux kernel that qemu boots itself, or NULL */
	struct words args;
};

struct spec {
	char *name;
	struct cpu cpu;
	int64_t mem; /* bytes */
	char *bootrom, *varfile, *varfile_template;
	struct loader loader;
	int hostbridge;	      /* enum hostbridge */
	struct slot lpc_slot; /* not given: the machine has none */
	struct slot hostbridge_slot;
	char *com[SPEC_COM_PORTS];
	char *com_found[SPEC_COM_PORTS]; /* found by a run, or NULL */
	struct console_settings console;
	char *gdb;  /* "[w][ADDR:]PORT" */
	char *uuid; /* UUID_NONE: the guest gets none from vmrun */
	bool utc_clock, yield_on_hlt, generate_acpi;
	bool wire_guest_mem, force_msi, disable_mptable_gen, power_off_destroy_vm;
	bool x2apic, strict_io, ignore_unknown_msr, guest_mem_in_core, exit_on_pause;
	char *keyboard_layout;
	struct words pin;	 /* each "VCPU:CPU" */
	struct field_list numa;	 /* struct numa_domain */
	int fwcfg_type;		 /* enum fwcfg_type */
	struct field_list fwcfg; /* struct fwcfg_item */
	struct smbios smbios;
	struct tpm tpm;
	bool pc_testdev;
	struct graphic graphic; /* its devices are among `devices` */
	struct words post_start_script;
	struct field_list companions; /* struct companion */
	struct field_list wait_for;   /* struct wait_item */
	struct probe ready, alive;
	int64_t time_limit_ms; /* of a boot, from the spawn; 0: none */
	struct words prefix;   /* words before the command of the hypervisor */
	bool protect;	       /* from being killed when the host runs out of memory */
	struct pairs config;   /* further variables of bhyve_config(5) */
	struct words extra_options;
	struct device **devices; /* in order of appearance, including removed ones */
	size_t device_count;
	char *next_target;
	struct reboot_list reboot_on;
	struct action on[CAUSES];
	struct field_list on_status; /* struct status_action */
	struct restart_limit restart_limit;
	struct backoff backoff;
	struct hook_list hooks;
	/* whether the document itself has such a function */
	bool on_prepare, on_start, on_started, on_ready, on_exit, on_end;
	int64_t hook_timeout_ms, hook_memory;
	struct stop_ladder stop;
	struct bhyve_settings bhyve;
	struct qemu_settings qemu;
	struct words given;	   /* the keys that the document sets, except to null */
	struct words inapplicable; /* keys that mean nothing here and are not printed */
	struct words notes;	   /* notes for the user about the spec, one line each */
};

/* Returns whether the document sets this key of the spec, to any value. */
bool spec_gives(const struct spec *spec, const char *key);
/* Returns whether the document names firmware, which false does not. */
bool spec_has_rom(const struct spec *spec);
/* Returns the architecture of the guest: that of a FreeBSD host unless the spec names one. */
enum arch spec_arch(const struct spec *spec);
/* Returns whether the machine has an lpc: never on arm64. */
bool spec_has_lpc(const struct spec *spec);
/* Returns the action of `on` for an exit status, or NULL. */
const struct action *spec_on_status(const struct spec *spec, int status);
/* Returns the key of a serial port, counted from 0: "com1" to "com4". */
const char *spec_com_key(size_t port);
/*
 * Returns what a serial port is connected to: a path, "stdio", "tcp=...", a placeholder for what a
 * run finds, or NULL.
 */
const char *spec_com(const struct spec *spec, size_t port);
/* Returns whether a run has still to find the device of a serial port. */
bool spec_com_is_open(const struct spec *spec, size_t port);

/*
 * Decodes a merged document.  Always returns a spec, in which malformed values have their presets;
 * it is valid if nothing was added to the report.  Slots are not assigned yet.
 */
struct spec *spec_decode(const struct node *document, struct decoder *d);
/*
 * Adds what the VM needs of its host apart from its devices: serial ports, debugger, TPM, files of
 * its loader and of fw_cfg, programs, the log of its console.  Leaves out what a run has not found
 * yet.
 */
void spec_needs(const struct spec *spec, struct needs *needs);
/* Adds the port of the debugger, which is among those. */
void spec_need_debugger(const struct spec *spec, struct needs *needs);
/*
 * Returns the name of the companion whose ready.path is this absolute path or lies above it, or
 * SPEC_SWTPM for the socket of a managed swtpm; NULL: no companion makes it.  Lent by the spec.
 */
const char *spec_maker(const struct spec *spec, const char *path);
/* Returns the same for a need; an interface is also made with the file that stands for it. */
const char *spec_need_maker(const struct spec *spec, const struct need *need);
/* Returns the names of the keys that merge key by key, nested, for lua/merge.lua.  Caller frees. */
struct node *spec_merge_rules(void);
/* Fills in what depends on slots and names.  Call it after slots are assigned. */
void spec_complete(struct spec *spec);
/* Returns whether the spec leaves something open that only a run can find. */
bool spec_is_open(const struct spec *spec);
/* Forgets what a run has found, so that the spec leaves it open again. */
void spec_forget_found(struct spec *spec);
/* Drops the settings that hold for the first boot only. */
void spec_forget_first(struct spec *spec);
/* Returns the spec as indented JSON.  Caller frees. */
char *spec_print(const struct spec *spec);
void spec_free(struct spec *spec);
/* Frees the spec that a variable points to, for the cleanup attribute. */
void spec_free_at(struct spec **spec);
#define SPEC_AUTO __attribute__((cleanup(spec_free_at)))

/* Returns whether a serial port is the console that vmrun reads. */
bool spec_has_console(const struct spec *spec);
/* Checks the rules between `ready`, `alive`, `time_limit` and serial ports, for spec_decode(). */
void spec_check_probes(const struct spec *spec, struct decoder *d);
/*
 * Reports a connection of `ready` or `alive` that needs `expect`.  Call it once removed devices are
 * marked.
 */
void spec_check_forwarding(const struct spec *spec, struct report *report);
/*
 * Checks the rules between keys, for spec_decode().  Skips lists unless all keys are valid, because
 * their entries may be incomplete.
 */
void spec_check_rules(const struct spec *spec, bool all_good, struct decoder *d);

/*
 * Reports each thing that two devices, serial ports or the debugger claim, or one of them twice.
 * Call it after spec_complete(), and again after a run has found what the spec leaves open.
 * `shared` is the one kind of claim that this hypervisor lets several devices make, or NULL.
 */
void spec_check_claims(const struct spec *spec, const char *shared, struct report *report);

/* Returns whether a serial port of the VM uses vmrun's stdin and stdout. */
bool spec_uses_stdio(const struct spec *spec);

/*
 * Reports what the spec runs or names on the host although the sandbox forbids it, at the key in
 * question.  Files that is_firmware() knows are allowed for keys that only read them.
 */
void spec_confine(const struct spec *spec, const struct sandbox *sandbox,
    bool (*is_firmware)(const char *path), struct report *report);

/* Adds the rule for the name of a VM or a target to a JSON Schema. */
void spec_add_name_rule(struct str *s);

/* The rows of `smbios`: groups, whose rows are char * members of struct smbios. */
DESCRIBES(smbios_fields, struct smbios);
extern const struct field smbios_fields[];
/* The rows of the spec's own keys. */
extern const struct field spec_fields[];

#endif
