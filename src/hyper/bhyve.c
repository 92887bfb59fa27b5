/*
 * bhyve as a process: its exit statuses, its power button, and what it leaves in the kernel.
 * Facts: bhyve(8) and bhyve's sources of FreeBSD 13 to 15.
 */
#include <fnmatch.h>
#include <signal.h>

#include "base/mem.h"
#include "hyper/bhyve_plan.h"
#include "hyper/firmware.h"
#include "platform/os.h"
#include "platform/spawn.h"

static const char *bhyve_hear(struct signs *signs, enum channel channel, const char *line)
{
	(void)signs;
	(void)channel;
	(void)line;
	return NULL;
}

/*
 * The lines that bhyve writes last when its own start fails, as patterns of fnmatch(3): those of
 * FreeBSD 13 to 15 and main, file by file.  Some of these faults end it with the status of a
 * power-off.
 */
static const char *const start_faults[] = {
	/* bhyverun.c, bhyverun_machdep.c of both architectures; the usage ends with -Y or -W */
	"-Y: disable MPtable generation",
	"-W: force virtio to use single-vector MSI",
	"Invalid value *",
	"Failed to fetch boolean variable *",
	"Computed number of vCPUs too high*",
	"Topology (*) does not match *",
	"invalid cpuset for vcpu *",
	"hostcpu '*' outside valid range *",
	"Invalid hostcpu range *",
	"Failed to open configuration file *",
	"* line *: invalid config option *",
	"Failed to allocate memory*",
	"out of memory",
	"vm_create: *",
	"vm_open*: *",
	"vm_reinit: *",
	"vm_limit_rights: *",
	"vm_set_topology",
	"virtual machine cannot be booted",
	"no bootrom was configured",
	"* vCPUs requested but only * available",
	"VM exit on HLT not supported",
	"SMP mux requested, no pause support",
	"Unable to set x2apic state (*)",
	"Unable to setup memory (*)",
	"init_msr error *",
	"qemu fwcfg initialization error",
	"Could not add qemu fwcfg *",
	"[Dd]evice emulation initialization error: *",
	"Failed to init TPM device",
	"ROM boot failed: *",
	"error to build the guest tables*",
	"could not activate CPU *",
	"Unable to apply rights for sandbox",
	"cap_enter() failed",
	"no bootrom specified",
	"open(*): *",
	"fstat(*): *",
	"mmap(*): *",
	"munmap(*): *",
	"vm_set_register(GUEST_PC)*",
	"vm_attach_vgic()*",
	"Unable to initialize backend '*' for mmio uart",
	/* bootrom.c */
	"init_bootrom: *",
	"Error opening bootrom *",
	"Could not fstat bootrom *",
	"Invalid bootrom *",
	"ROM size * is *",
	"No room for * ROM in bootrom region",
	"Incomplete read of page * of bootrom *",
	/* config.c, pci_emul.c */
	"Invalid config node name *",
	"Invalid PCI slot info field *",
	"pci slot *",
	/* gdb.c */
	"gdb address resolution: *",
	"gdb socket *",
	"gdb mutex init: *",
	"gdb cv init: *",
	"Failed to mark gdb socket *",
	/* pci_passthru.c: the status is that of a power-off */
	"vm_setup_pptdev_msi*",
	"vm_disable_pptdev_msi*",
};

static bool bhyve_is_start_fault(const char *line)
{
	for (size_t i = 0; i < sizeof(start_faults) / sizeof(start_faults[0]); i++) {
		if (fnmatch(start_faults[i], line, 0) == 0)
			return true;
	}
	return false;
}

static void bhyve_explain(
    const struct signs *signs, const struct process_end *end, struct outcome *out)
{
	(void)signs;
	out->status = end->status;
	out->signal = end->signal;
	if (end->signal != 0)
		out->cause = CAUSE_KILLED;
	else if (end->status == BHYVE_USAGE)
		out->cause = CAUSE_START_FAILED;
	else
		out->cause = cause_of_status(end->status);
	if (out->cause >= CAUSE_ERROR)
		out->text = hyper_status_text(end->status);
	out->failed_start = end->status == BHYVE_POWEROFF || end->status == BHYVE_ERROR ||
	    end->status == BHYVE_USAGE || end->status == BHYVE_OS;
}

static void bhyvectl(struct words *command, const char *vm, const char *operation)
{
	words_add(command, "bhyvectl");
	words_take(command, MEM_JOIN("--vm=", vm));
	words_add(command, operation);
}

/*
 * Says how to take a step of a stop.  SIGTERM is the power button once the guest has enabled ACPI,
 * and kills before that (pm.c); --force-poweroff works without the guest.
 */
static void bhyve_stop_method(
    const struct plan *plan, enum stop_action action, struct stop_method *out)
{
	switch (action) {
	case STOP_ACPI:
		out->signal = SIGTERM;
		break;
	case STOP_POWEROFF:
		bhyvectl(&out->helper, plan->vm, "--force-poweroff");
		break;
	case STOP_KILL:
		out->signal = SIGKILL;
		break;
	case STOP_ACTIONS:
		break;
	}
}

/*
 * Adds the command that destroys /dev/vmm/NAME, which the kernel keeps together with the guest's
 * memory.
 */
static void bhyve_destroy_command(const struct plan *plan, struct words *command)
{
	bhyvectl(command, plan->vm, "--destroy");
}

static void bhyve_leftover_command(const struct plan *plan, struct words *command)
{
	if (os_vm_exists(plan->vm))
		bhyve_destroy_command(plan, command);
}

static void bhyve_complete_spec(const struct plan *plan, struct spec *spec)
{
	if (spec->bootrom == NULL && plan->bootrom != NULL)
		spec->bootrom = mem_copy(plan->bootrom);
	bhyve_complete_flags(spec);
}

static char *bhyve_plan_text(const struct plan *plan, struct report *report)
{
	return bhyve_config_text(&plan->config, &plan->remarks, plan->secret_path, report);
}

const struct hypervisor hyper_bhyve = {
	.name = "bhyve",
	.system = "FreeBSD",
	.swtpm_option = "--server",
	.firmware = firmware_kinds_bhyve,
	.plan = bhyve_plan,
	.complete_spec = bhyve_complete_spec,
	.config_text = bhyve_plan_text,
	.hear = bhyve_hear,
	.explain = bhyve_explain,
	.is_start_fault = bhyve_is_start_fault,
	.cpu_fault = "vm_run error *, errno *", /* vm_loop() in bhyverun.c */
	/* Of a stdin that kqueue(2) does not take, /dev/null (mevent_add() in mevent.c). */
	.harmless = "Error return from kevent change: *",
	.port_lost = "*bind: Address already in use", /* rfb.c */
	.raises_taps = true,			      /* tap_init() in net_backends.c */
	.stop_method = bhyve_stop_method,
	.leftover_command = bhyve_leftover_command,
	.destroy_command = bhyve_destroy_command,
};
