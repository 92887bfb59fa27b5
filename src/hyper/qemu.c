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
#include "hyper/qmp_threads.h"
#include "platform/spawn.h"

/*
 * SeaBIOS says so, then writes to the reset port, and faults in the instruction after that, which
 * TCG executes before it handles the reset (its function qemu_reboot).
 */
#define SEABIOS_RESETS "Attempting a hard reboot"

/* Returns whether a debugger or a monitor starts the guest, instead of vmrun. */
static bool is_held(const struct qemu_plan *b)
{
	const char *gdb = b->spec->gdb;

	return b->user.holds || (gdb != NULL && *gdb == 'w');
}

/* Adds notes on what a run makes or does beside the command. */
static void note_run(struct qemu_plan *b)
{
	const struct plan *plan = b->plan;
	struct words *notes = &b->plan->placeholder_notes;

	if (plan->varfile != NULL && plan->varfile_template != NULL)
		words_addf(notes, "%s is made by a run from %s, if it is missing", plan->varfile,
		    plan->varfile_template);
	if (b->spec->tpm.managed)
		words_addf(
		    notes, "%s is the socket of swtpm, which a run starts", b->spec->tpm.path);
	if (plan->waits_for_vnc)
		words_add(notes, "a run holds the guest until the first VNC client connects");
	if (plan->threads.asked)
		words_add(notes, "a run pins the guest's processors, as no option of qemu does");
}

/* Chooses what qemu is sent at once: the guest starts, unless it is held or is pinned before. */
static void choose_first_message(struct qemu_plan *b)
{
	struct plan *plan = b->plan;
	bool starts = !is_held(b) && !plan->waits_for_vnc;

	plan->threads.asked = b->spec->pin.count > 0;
	plan->threads.starts_guest = starts;
	if (plan->threads.asked)
		plan->first_message = QMP_CAPABILITIES QMP_THREADS;
	else
		plan->first_message = starts ? QMP_HELLO : QMP_CAPABILITIES;
}

/* Chooses the processors that a run asks whether they have halted; qmp.c reads those of x86. */
static void choose_halt_poll(struct qemu_plan *b)
{
	const struct spec *spec = b->spec;

	if (b->machine->is_pc)
		b->plan->processors = b->user.has_smp ? PROCESSORS_UNKNOWN : cpu_count(&spec->cpu);
	else if (spec->qemu.halt_poll_ms > 0)
		words_add(&b->plan->notes,
		    "qemu.halt_poll is for amd64: vmrun does not notice that an arm64 guest halts");
}

static int qemu_plan(const struct plan_request *request, struct plan *plan, struct report *report)
{
	const struct spec *spec = request->spec;
	struct qemu_plan b = { .spec = spec,
		.argv = &plan->argv,
		.plan = plan,
		.report = report,
		.request = request,
		.machine = qemu_machine_of(spec) };
	size_t before = report->count;

	plan->hyper = &hyper_qemu;
	plan->reads_host = true; /* KVM, the processor, firmware */
	plan->vm = mem_copy(spec->name);
	hyper_begin(request, plan, b.machine->program);
	hyper_drop_amd64_keys(spec, plan);
	qemu_read_user_machine(&b);
	qemu_choose_accel(&b);
	qemu_read_user(&b);
	qemu_check_boot(&b);
	qemu_add_machine(&b);
	qemu_add_behaviour(&b);
	qemu_add_channels(&b, is_held(&b));
	qemu_check_bridges(&b);
	qemu_add_buses(&b);
	qemu_add_devices(&b);
	spec_check_claims(spec, NULL, report);
	qemu_add_serial(&b);
	if (!qemu_uses_own_bios(spec))
		qemu_add_firmware(&b);
	else if (spec->loader.type != LOADER_NONE)
		words_addf(&plan->notes, "loader: qemu has none, %s boots the %s",
		    b.machine->is_pc ? "its own BIOS" : "it",
		    spec->qemu.kernel != NULL ? "kernel" : "first disk");
	qemu_add_kernel(&spec->qemu, b.argv);
	qemu_add_guest(spec, b.machine, plan);
	choose_halt_poll(&b);
	choose_first_message(&b);
	words_append(b.argv, &b.user.rest);
	hyper_finish(request, plan);
	note_run(&b);
	plan->uses_stdio = plan->uses_stdio || b.user.uses_stdio;
	qemu_user_clear(&b.user);
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

/* Returns whether a line of the log is one of a dump of registers: "RAX=..." or "CR0=...". */
static bool is_dump(const char *line)
{
	size_t n = strcspn(line, "=");

	return line[n] == '=' && n >= 2 && n <= 5 &&
	    strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") == n;
}

/* Returns whether a line begins a dump. */
static bool begins_dump(const char *line)
{
	return str_after(line, "RAX=") != NULL || str_after(line, "EAX=") != NULL;
}

/*
 * Reads a line of the log.  What only vmrun has asked for, "cpu_reset", is a line "CPU Reset (CPU
 * 0)" and one dump; another dump that follows at once is the user's own.
 */
static void hear_log(struct signs *signs, const char *line)
{
	enum { OUTSIDE, AT_TITLE, IN_DUMP };

	if (str_after(line, SEABIOS_RESETS) != NULL)
		signs->bios_resets = true;
	if (str_after(line, "Triple fault") != NULL)
		signs->triple_fault = !signs->bios_resets;
	if (str_after(line, "CPU Reset (CPU ") != NULL)
		signs->own_block = AT_TITLE;
	else if (!is_dump(line) || (signs->own_block == IN_DUMP && begins_dump(line)))
		signs->own_block = OUTSIDE;
	else if (signs->own_block == AT_TITLE)
		signs->own_block = IN_DUMP;
	signs->is_own_line = signs->own_block != OUTSIDE;
}

static const char *qemu_hear(struct signs *signs, enum channel channel, const char *line)
{
	if (channel == CHANNEL_CONTROL)
		return qmp_hear(signs, line);
	if (channel == CHANNEL_LOG)
		hear_log(signs, line);
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
 * Returns whether the status is one that the guest has chosen (isa-debug-exit), or qemu once the
 * guest ran.  It tells more than the reason of a SHUTDOWN, which newer versions of qemu send, too.
 */
static bool has_own_status(const struct process_end *end, const struct outcome *out)
{
	return end->signal == 0 && end->status > 0 && !out->failed_start;
}

static const char *text_of(
    const struct signs *signs, const struct process_end *end, const struct outcome *out)
{
	if (out->cause != CAUSE_ERROR)
		return NULL;
	if (signs->panicked)
		return "the guest panicked";
	return has_own_status(end, out) ? NULL : hyper_status_text(out->status);
}

/*
 * Explains the exit.  The status of qemu is 0 after every reset, power-off and handled signal; only
 * QMP's SHUTDOWN tells them apart (qapi/run-state.json, ShutdownCause).  The outcome has the status
 * of bhyve, so that a policy means the same under both; an error keeps a status of its own.
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
		/* the user closed the window of the user's own -display */
		{ "host-ui", CAUSE_POWEROFF },
		/* SIGTERM, SIGINT or SIGHUP; qemu does not say which */
		{ "host-signal", CAUSE_KILLED },
	};

	static const struct process_end exited = { 0 };

	if (signs->hangs)
		end = &exited;
	out->cause = end->signal != 0 ? CAUSE_KILLED : CAUSE_ERROR;
	out->signal = end->signal;
	/* qemu reported an error and exited before its guest could act. */
	out->failed_start = end->signal == 0 &&
	    (!signs->greeted || (*signs->reason == '\0' && end->status == 1 && !signs->resumed));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]) && end->signal == 0; i++) {
		if (strcmp(reasons[i].reason, signs->reason) == 0)
			out->cause = reasons[i].cause;
	}
	if (out->cause == CAUSE_REBOOT && signs->triple_fault)
		out->cause = CAUSE_TRIPLE_FAULT;
	if (signs->halt.has_halted && strcmp(signs->reason, "host-qmp-quit") == 0)
		out->cause = CAUSE_HALT;
	if (*signs->fatal != '\0' || has_own_status(end, out))
		out->cause = CAUSE_ERROR;
	if (out->cause == CAUSE_KILLED) {
		out->signal = end->signal != 0 ? end->signal : SIGTERM;
		out->status = -1;
	} else {
		out->signal = 0; /* vmrun killed it because of its state: see `fatal` */
		out->status = has_own_status(end, out) ? end->status : cause_status(out->cause);
		out->text = text_of(signs, end, out);
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
	.words_use_stdio = qemu_words_use_stdio,
	.halt_request = qmp_halt_request,
	.terminal_made = qemu_terminal_made,
	.explain = qemu_explain,
	.port_lost = "*: -vnc *: Address already in use",
	.stop_method = qemu_stop_method,
	.leftover_command = qemu_no_command,
	.destroy_command = qemu_no_command,
};
