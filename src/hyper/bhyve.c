/*
 * bhyve as a process: its exit statuses, its power button, and what it leaves in the kernel.
 * Facts: bhyve(8) and bhyve's sources of FreeBSD 13 to 15.
 */
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

static void bhyve_explain(
    const struct signs *signs, const struct process_end *end, struct outcome *out)
{
	(void)signs;
	out->status = end->status;
	out->signal = end->signal;
	if (end->signal != 0)
		out->cause = CAUSE_KILLED;
	else
		out->cause = cause_of_status(end->status);
	out->failed_start = end->status == BHYVE_POWEROFF || end->status == BHYVE_ERROR ||
	    end->status == BHYVE_USAGE || end->status == BHYVE_OS;
}

static void bhyvectl(struct words *command, const char *vm, const char *operation)
{
	words_add(command, "bhyvectl");
	words_addf(command, "--vm=%s", vm);
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
	.stop_method = bhyve_stop_method,
	.leftover_command = bhyve_leftover_command,
	.destroy_command = bhyve_destroy_command,
};
