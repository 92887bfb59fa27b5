/*
 * qemu: the same devices in the same slots on a machine without bhyve.  Facts: QEMU's documentation
 * and runs of QEMU 7.2.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/qemu_words.h"
#include "device/serial.h"
#include "hyper/firmware.h"
#include "hyper/hyper.h"
#include "hyper/qemu_guest.h"
#include "hyper/qmp.h"
#include "platform/os.h"
#include "platform/spawn.h"

#define PROGRAM "qemu-system-x86_64"

/* Slots of bus 0 that belong to q35. */
enum { Q35_HOST_SLOT = 0, Q35_LPC_SLOT = 31 };

struct build {
	const struct spec *spec;
	struct words *argv;
	struct plan *plan;
	struct report *report;
	const struct plan_request *request;
	bool kvm;
};

static void refuse(struct build *b, const struct where *at, const char *reason)
{
	report_add(b->report, STATUS_SPEC, at, "qemu cannot: %s", reason);
}

/* Chooses the accelerator, and keeps the reason for the user. */
static void choose_accel(struct build *b)
{
	int accel = b->spec->qemu.accel;
	char why[OS_KVM_WHY] = "/dev/kvm opens";

	b->kvm = accel == ACCEL_KVM || (accel == ACCEL_AUTO && os_has_kvm(why));
	b->plan->accel = mem_format(
	    "%s: %s", b->kvm ? "kvm" : "tcg", accel == ACCEL_AUTO ? why : "qemu.accel of the spec");
}

/* Adds processors and memory. */
static void add_size(const struct spec *s, struct words *argv)
{
	qemu_begin(argv, "-smp", NULL);
	qemu_pairf(argv, "cpus", "%" PRId64, cpu_count(&s->cpu));
	qemu_pairf(argv, "sockets", "%" PRId64, s->cpu.sockets);
	qemu_pairf(argv, "cores", "%" PRId64, s->cpu.cores);
	qemu_pairf(argv, "threads", "%" PRId64, s->cpu.threads);
	words_add(argv, "-m");
	words_addf(argv, "%" PRId64 "B", s->mem);
}

static void add_machine(struct build *b)
{
	const struct spec *s = b->spec;

	qemu_begin(b->argv, "-name", NULL);
	qemu_pair(b->argv, "guest", s->name);
	qemu_pair(b->argv, "debug-threads", "on");
	words_add(b->argv, "-no-user-config");
	words_add(b->argv, "-nodefaults");
	words_add(b->argv, "-display");
	words_add(b->argv, "none");
	qemu_begin(b->argv, "-machine", "q35");
	/* Without its own SATA and SMBus, q35 occupies 0:0:0 and 0:31:0 only, as bhyve does. */
	qemu_pair(b->argv, "sata", "off");
	qemu_pair(b->argv, "smbus", "off");
	qemu_pair(b->argv, "vmport", "off");
	qemu_pair(b->argv, "dump-guest-core", s->guest_mem_in_core ? "on" : "off");
	qemu_pair(b->argv, "acpi", s->generate_acpi ? NULL : "off");
	if (s->qemu.machine != NULL)
		qemu_verbatim(b->argv, s->qemu.machine);
	qemu_begin(b->argv, "-accel", b->kvm ? "kvm" : "tcg");
	qemu_begin(b->argv, "-cpu", "max");
	add_size(s, b->argv);
	if (s->wire_guest_mem && b->kvm) {
		/* Under TCG this would also lock a gigabyte of translated code. */
		qemu_begin(b->argv, "-overcommit", NULL);
		qemu_pair(b->argv, "mem-lock", "on");
	}
	if (strcmp(s->uuid, UUID_NONE) != 0)
		qemu_begin(b->argv, "-uuid", s->uuid);
}

/*
 * Makes qemu behave as bhyve, which has no sleep states and exits at a reset, power-off or panic.
 */
static void add_behaviour(struct build *b)
{
	qemu_begin(b->argv, "-global", "ICH9-LPC.disable_s3=1");
	qemu_begin(b->argv, "-global", "ICH9-LPC.disable_s4=1");
	qemu_begin(b->argv, "-rtc", NULL);
	qemu_pair(b->argv, "base", b->spec->utc_clock ? "utc" : "localtime");
	qemu_begin(b->argv, "-action", NULL);
	qemu_pair(b->argv, "reboot", "shutdown");
	qemu_pair(b->argv, "shutdown", "poweroff");
	qemu_pair(b->argv, "panic", "shutdown");
	qemu_begin(b->argv, "-chardev", "socket");
	qemu_pair(b->argv, "id", "qmp");
	qemu_pairf(b->argv, "fd", "%d", CHANNEL_CONTROL_FD);
	qemu_begin(b->argv, "-mon", NULL);
	qemu_pair(b->argv, "chardev", "qmp");
	qemu_pair(b->argv, "mode", "control");
	words_add(b->argv, "-S");
	b->plan->has_control = true;
	if (b->kvm || !os_has_dev_fd())
		return;
	/* Only the log distinguishes a triple fault from a reset, and only under TCG. */
	words_add(b->argv, "-d");
	words_add(b->argv, "cpu_reset");
	words_add(b->argv, "-D");
	words_addf(b->argv, "/dev/fd/%d", CHANNEL_LOG_FD);
	b->plan->has_log = true;
}

static void check_bridges(struct build *b)
{
	const struct spec *s = b->spec;
	static const struct slot host = { true, 0, Q35_HOST_SLOT, 0 },
				 lpc = { true, 0, Q35_LPC_SLOT, 0 };
	struct where host_at = { NULL, "hostbridge_slot", 0 };

	if (!slot_equal(&s->lpc_slot, &lpc))
		words_add(
		    &b->plan->notes, "lpc_slot is bhyve's: under qemu the lpc of q35 is at 0:31:0");
	if (s->hostbridge != HOSTBRIDGE_NONE && !slot_equal(&s->hostbridge_slot, &host))
		refuse(b, &host_at, "the host bridge of q35 is at 0:0:0");
	if (s->hostbridge == HOSTBRIDGE_AMD)
		words_add(
		    &b->plan->notes, "qemu's host bridge is Intel's: amd_hostbridge is ignored");
	if (s->hostbridge == HOSTBRIDGE_NONE)
		words_add(&b->plan->notes, "qemu always has a host bridge");
}

/* Returns whether the device is function 0 of a slot with others, which it must announce. */
static bool is_multifunction(const struct spec *spec, const struct device *zero)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (dev != zero && !dev->removed && dev->slot.bus == zero->slot.bus &&
		    dev->slot.slot == zero->slot.slot)
			return zero->slot.function == 0;
	}
	return false;
}

static int take_secret(struct build *b, const struct device *dev, struct error *err)
{
	struct device_secret secret;

	if (dev->kind->secret == NULL || !dev->kind->secret(dev, &secret))
		return 0;
	b->plan->secret_path = hyper_secret_path(b->request);
	return hyper_secret_text(&secret, b->request, &b->plan->secret, err);
}

/* Returns whether bhyve's lpc would be function 0 of the slot, where qemu has no lpc. */
static bool is_beside_lpc(const struct spec *spec, const struct slot *slot)
{
	const struct slot *lpc = &spec->lpc_slot;

	return lpc->given && lpc->slot != Q35_LPC_SLOT && slot->bus == lpc->bus &&
	    slot->slot == lpc->slot;
}

static void add_device(struct build *b, const struct device *dev, const struct where *at)
{
	MEM_AUTO char *secrets = hyper_secret_path(b->request);
	struct qemu_build q = { .argv = b->argv, .notes = &b->plan->notes, .secrets = secrets };
	struct error err = { 0 };

	/* qemu reaches other buses through bridges only, which bhyve does not have. */
	if (dev->slot.bus != 0) {
		refuse(b, at, "devices on buses above 0");
		return;
	}
	if (dev->slot.slot == Q35_HOST_SLOT ||
	    (dev->slot.slot == Q35_LPC_SLOT && dev->slot.function == 0)) {
		refuse(b, at, "slot 0 and 0:31:0 belong to q35's own bridges");
		return;
	}
	if (is_beside_lpc(b->spec, &dev->slot)) {
		refuse(
		    b, at, "a function of the lpc's slot, which has no function 0 without the lpc");
		return;
	}
	q.multifunction = is_multifunction(b->spec, dev);
	if (dev->kind->qemu(dev, &q, &err) != 0) {
		(void)error_prefix(&err, "qemu cannot");
		report_take(b->report, at, &err);
	}
	b->plan->waits_for_vnc = b->plan->waits_for_vnc || q.waits;
	if (take_secret(b, dev, &err) != 0)
		report_take(b->report, at, &err);
}

static void add_devices(struct build *b)
{
	for (size_t i = 0; i < b->spec->device_count; i++) {
		const struct device *dev = b->spec->devices[i];
		struct device_place place;

		if (!dev->removed)
			add_device(b, dev, device_where(dev, &place));
	}
}

static void add_serial(struct build *b)
{
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		const char *com = spec_com(b->spec, i);
		MEM_AUTO char *id = mem_format("com%zu", i + 1);

		if (com == NULL)
			continue;
		serial_qemu(com, id, b->argv, &b->plan->notes);
		qemu_begin(b->argv, "-device", "isa-serial");
		qemu_pairf(b->argv, "index", "%zu", i);
		qemu_pair(b->argv, "chardev", id);
	}
}

/*
 * Returns the installed file of the list.  If there is none, returns the first, and reports it
 * except in a dry run.
 */
static const char *installed(struct build *b, const char *const *paths)
{
	const char *path = firmware_first(paths, b->request->dry);
	struct where at = { NULL, "bootrom", 0 };

	if (path == NULL)
		report_add(b->report, STATUS_CHECK, &at,
		    "UEFI firmware for qemu is not installed: expected %s (Debian: apt install "
		    "ovmf), or name another with \"qemu\": { \"bootrom\": ... }",
		    paths[0]);
	return path == NULL ? paths[0] : path;
}

static void add_flash_node(const char *node, const char *path, bool ro, struct words *argv)
{
	qemu_begin(argv, "-blockdev", NULL);
	qemu_pair(argv, "driver", "raw");
	qemu_pair(argv, "node-name", node);
	qemu_pair(argv, "read-only", ro ? "on" : NULL);
	qemu_pair(argv, "file.driver", "file");
	qemu_pair(argv, "file.filename", path);
}

static void add_flash(struct build *b, const char *code, const char *vars)
{
	add_flash_node("flash0", code, true, b->argv);
	add_flash_node("flash1", vars, false, b->argv);
	qemu_begin(b->argv, "-machine", NULL);
	qemu_pair(b->argv, "pflash0", "flash0");
	qemu_pair(b->argv, "pflash1", "flash1");
}

/* Adds firmware.  OVMF, with variables of its own, replaces bhyve's UEFI, which cannot run here. */
static void add_firmware(struct build *b)
{
	const struct spec *s = b->spec;
	const char *own = spec_has_rom(s) ? s->bootrom : NULL;
	const char *rom = s->qemu.bootrom != NULL ? s->qemu.bootrom : own;
	bool substitute = rom == NULL || firmware_is_bhyve(rom);
	MEM_AUTO char *vars = NULL;

	if (s->qemu.varfile != NULL)
		vars = mem_copy(s->qemu.varfile);
	else if (s->varfile != NULL)
		vars = substitute ? mem_format("%s.qemu", s->varfile) : mem_copy(s->varfile);
	if (vars != NULL) {
		if (substitute)
			b->plan->varfile_template = mem_copy(installed(b, firmware_qemu_vars));
		else
			b->plan->varfile_template = s->varfile_template != NULL
			    ? mem_copy(s->varfile_template)
			    : firmware_template(rom);
		b->plan->varfile = mem_copy(vars);
		if (substitute)
			rom = installed(b, firmware_qemu_code);
		add_flash(b, rom, vars);
	} else {
		if (substitute)
			rom = installed(b, firmware_qemu);
		words_add(b->argv, "-bios");
		words_add(b->argv, rom);
	}
	b->plan->bootrom = mem_copy(rom);
	if (substitute && own != NULL)
		words_addf(&b->plan->notes,
		    "firmware %s is bhyve's: under qemu %s stands in for it", own, rom);
}

/*
 * Returns whether qemu's own BIOS boots the guest: where bootrom is false, from its first disk
 * where bhyve has a loader, or a kernel.  Only a spec that names firmware or variables gets UEFI
 * with a kernel, so that a kernel boots where no firmware is installed.
 */
static bool uses_own_bios(const struct spec *s)
{
	bool has_none = s->bootrom != NULL && !spec_has_rom(s);

	if (s->qemu.bootrom != NULL || s->qemu.varfile != NULL)
		return false;
	return has_none || s->loader.type != LOADER_NONE ||
	    (s->qemu.kernel != NULL && s->bootrom == NULL && s->varfile == NULL);
}

/*
 * Adds the kernel.  qemu reads these words as they are: no comma is doubled (its vl.c and, for the
 * initrd of a Linux kernel, x86.c).
 */
static void add_kernel(const struct qemu_settings *qemu, struct words *argv)
{
	const char *const words[][2] = {
		{ "-kernel", qemu->kernel },
		{ "-initrd", qemu->initrd },
		{ "-append", qemu->append },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i][1] == NULL)
			continue;
		words_add(argv, words[i][0]);
		words_add(argv, words[i][1]);
	}
}

/* Returns whether a debugger or the first VNC client starts the guest, instead of vmrun. */
static bool holds(const struct spec *spec, const struct plan *plan)
{
	return plan->waits_for_vnc || (spec->gdb != NULL && *spec->gdb == 'w');
}

static int qemu_plan(const struct plan_request *request, struct plan *plan, struct report *report)
{
	const struct spec *spec = request->spec;
	struct build b = { spec, &plan->argv, plan, report, request, false };
	size_t before = report->count;

	plan->hyper = &hyper_qemu;
	plan->vm = mem_copy(spec->name);
	hyper_begin(request, plan, PROGRAM);
	choose_accel(&b);
	add_machine(&b);
	add_behaviour(&b);
	check_bridges(&b);
	add_devices(&b);
	spec_check_claims(spec, NULL, report);
	add_serial(&b);
	if (!uses_own_bios(spec))
		add_firmware(&b);
	else if (spec->loader.type != LOADER_NONE)
		words_addf(&plan->notes, "loader: qemu has none, its own BIOS boots the %s",
		    spec->qemu.kernel != NULL ? "kernel" : "first disk");
	add_kernel(&spec->qemu, b.argv);
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
