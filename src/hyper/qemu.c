/*
 * qemu: the same devices in the same slots on a machine without bhyve.  Facts: QEMU's documentation
 * and runs of QEMU 7.2.
 */
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "hyper/firmware.h"
#include "hyper/qemu_plan.h"
#include "hyper/qmp.h"
#include "platform/spawn.h"

/* Returns whether a debugger or the first VNC client starts the guest, instead of vmrun. */
static bool holds(const struct spec *spec, const struct plan *plan)
{
	return plan->waits_for_vnc || (spec->gdb != NULL && *spec->gdb == 'w');
}

static int qemu_plan(const struct plan_request *request, struct plan *plan, struct report *report)
{
	const struct spec *spec = request->spec;
	struct qemu_plan b = { spec, &plan->argv, plan, report, request, false };
	size_t before = report->count;

	plan->hyper = &hyper_qemu;
	plan->vm = mem_copy(spec->name);
	hyper_begin(request, plan, QEMU_PROGRAM);
	qemu_choose_accel(&b);
	qemu_add_machine(&b);
	qemu_add_behaviour(&b);
	qemu_check_bridges(&b);
	qemu_add_devices(&b);
	spec_check_claims(spec, NULL, report);
	qemu_add_serial(&b);
	if (!qemu_uses_own_bios(spec))
		qemu_add_firmware(&b);
	else if (spec->loader.type != LOADER_NONE)
		words_addf(&plan->notes, "loader: qemu has none, its own BIOS boots the %s",
		    spec->qemu.kernel != NULL ? "kernel" : "first disk");
	qemu_add_kernel(&spec->qemu, b.argv);
	qemu_add_guest(spec, plan);
	plan->first_message = holds(spec, plan) ? QMP_CAPABILITIES : QMP_HELLO;
	words_append(b.argv, &spec->extra_options);
	words_append(b.argv, &spec->qemu.args);
	if (request->extra != NULL)
		words_append(b.argv, request->extra);
	hyper_finish(request, plan);
	return report->count == before ? 0 : -1;
}

/* Fills in the firmware and variables that replace bhyve's; the spec's own keys are for bhyve. */
static void qemu_complete_spec(const struct plan *plan, struct spec *spec)
{
	if (spec->qemu.bootrom == NULL && plan->bootrom != NULL)
		spec->qemu.bootrom = mem_copy(plan->bootrom);
	if (spec->qemu.varfile == NULL && plan->varfile != NULL)
		spec->qemu.varfile = mem_copy(plan->varfile);
}

static const char *qemu_hear(struct signs *signs, enum channel channel, const char *line)
{
	if (channel == CHANNEL_CONTROL)
		return qmp_hear(signs, line);
	if (channel == CHANNEL_LOG && str_after(line, "Triple fault") != NULL)
		signs->triple_fault = true;
	return NULL;
}

/* Reads "char device redirected to /dev/pts/3 (label com1)". */
static char *qemu_terminal_made(const char *line, size_t *port)
{
	const char *path = str_after(line, "char device redirected to ");
	const char *blank = path == NULL ? NULL : strchr(path, ' ');

	if (blank == NULL)
		return NULL;
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		MEM_AUTO char *label = mem_format(" (label %s)", spec_com_key(i));

		*port = i;
		if (strcmp(blank, label) == 0)
			return mem_copy_n(path, (size_t)(blank - path));
	}
	return NULL;
}

/*
 * Explains the exit.  The status of qemu is 0 after every reset, power-off and handled signal; only
 * QMP's SHUTDOWN tells them apart (qapi/run-state.json, ShutdownCause).  The outcome has the status
 * of bhyve, so that a policy means the same under both.
 */
static void qemu_explain(
    const struct signs *signs, const struct process_end *end, struct outcome *out)
{
	static const struct {
		const char *reason;
		enum cause cause;
	} reasons[] = {
		{ "guest-reset", CAUSE_REBOOT },
		{ "host-qmp-system-reset", CAUSE_REBOOT },
		{ "guest-shutdown", CAUSE_POWEROFF },
		/* sent by vmrun, where bhyve has --force-poweroff */
		{ "host-qmp-quit", CAUSE_POWEROFF },
		/* SIGTERM, SIGINT or SIGHUP; qemu does not say which */
		{ "host-signal", CAUSE_KILLED },
	};

	out->cause = end->signal != 0 ? CAUSE_KILLED : CAUSE_ERROR;
	out->signal = end->signal;
	/* qemu reported an error and exited before its guest could act. */
	out->failed_start =
	    end->signal == 0 && (!signs->greeted || (*signs->reason == '\0' && end->status == 1));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]) && end->signal == 0; i++) {
		if (strcmp(reasons[i].reason, signs->reason) == 0)
			out->cause = reasons[i].cause;
	}
	if (out->cause == CAUSE_REBOOT && signs->triple_fault)
		out->cause = CAUSE_TRIPLE_FAULT;
	if (*signs->fatal != '\0')
		out->cause = CAUSE_ERROR;
	if (out->cause == CAUSE_KILLED) {
		out->signal = end->signal != 0 ? end->signal : SIGTERM;
		out->status = -1;
	} else {
		out->signal = 0; /* vmrun killed it because of its state: see `fatal` */
		out->status = cause_status(out->cause);
	}
}

static void qemu_stop_method(
    const struct plan *plan, enum stop_action action, struct stop_method *out)
{
	(void)plan;
	if (action == STOP_ACPI)
		out->control = QMP_POWERDOWN;
	else if (action == STOP_POWEROFF)
		out->control = QMP_QUIT;
	else
		out->signal = SIGKILL;
}

static void qemu_no_command(const struct plan *plan, struct words *command)
{
	(void)plan; /* nothing outlives the process */
	(void)command;
}

const struct hypervisor hyper_qemu = {
	.name = "qemu",
	.swtpm_option = "--ctrl",
	.firmware = firmware_kinds_qemu,
	.plan = qemu_plan,
	.complete_spec = qemu_complete_spec,
	.hear = qemu_hear,
	.terminal_made = qemu_terminal_made,
	.explain = qemu_explain,
	.stop_method = qemu_stop_method,
	.leftover_command = qemu_no_command,
	.destroy_command = qemu_no_command,
};
