/* The machine that qemu emulates, and its behaviour.  Facts: runs of QEMU 7.2. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/qemu_words.h"
#include "hyper/firmware.h"
#include "hyper/qemu_plan.h"
#include "platform/os.h"
#include "platform/spawn.h"

/*
 * tpm-crb and the log of triple faults are x86's.  qemu says of pauth-impdef that the default
 * authentication of pointers is slow to emulate.
 */
static const struct qemu_machine machines[] = {
	[ARCH_AMD64] = { .name = "q35",
	    .program = "qemu-system-x86_64",
	    .tpm = "tpm-crb",
	    .firmware = firmware_qemu,
	    .code = firmware_qemu_code,
	    .vars = firmware_qemu_vars,
	    .is_pc = true },
	[ARCH_ARM64] = { .name = "virt",
	    .program = "qemu-system-aarch64",
	    .tcg_options = "pauth-impdef=on",
	    .tpm = "tpm-tis-device",
	    .firmware = firmware_qemu_arm64,
	    .code = firmware_qemu_arm64_code,
	    .vars = firmware_qemu_arm64_vars },
};

const struct qemu_machine *qemu_machine_of(const struct spec *spec)
{
	return &machines[spec_arch(spec)];
}

/* Returns whether KVM runs the guest's instructions here; otherwise stores the reason. */
static bool can_use_kvm(const struct qemu_plan *b, char why[OS_KVM_WHY])
{
	if (strcmp(os_arch(), hyper_arch_name(b->spec)) == 0)
		return os_has_kvm(why);
	(void)snprintf(why, OS_KVM_WHY,
	    "KVM runs guests of the host's architecture only, and this one is for %s",
	    hyper_arch_name(b->spec));
	return false;
}

void qemu_choose_accel(struct qemu_plan *b)
{
	int accel = b->spec->qemu.accel;
	char why[OS_KVM_WHY] = "/dev/kvm opens";
	const char *named = b->user.accel;

	if (named != NULL) {
		b->kvm = strcmp(named, "tcg") != 0;
		b->plan->accel = mem_format("%s: the words for qemu name it", named);
		return;
	}
	b->kvm = accel == ACCEL_KVM || (accel == ACCEL_AUTO && can_use_kvm(b, why));
	b->plan->accel = mem_format(
	    "%s: %s", b->kvm ? "kvm" : "tcg", accel == ACCEL_AUTO ? why : "qemu.accel of the spec");
}

/*
 * Returns whether the guest's processor has threads.  That of TCG is AMD's (target/i386/cpu.c), and
 * qemu's AMD processors have threads only with `topoext`, which TCG has not.
 */
static bool has_threads(const struct qemu_plan *b)
{
	if (b->user.has_cpu || !b->machine->is_pc)
		return true;
	return b->kvm && !os_cpu_is_amd();
}

static void add_processors(struct qemu_plan *b)
{
	const struct cpu *cpu = &b->spec->cpu;
	bool folded = cpu->threads > 1 && !has_threads(b);
	int64_t cores = cpu->cores * (folded ? cpu->threads : 1);

	if (b->user.has_smp)
		return;
	/* A number alone leaves the choice to vmrun. */
	if (folded && (cpu->cores > 1 || cpu->sockets > 1))
		words_addf(&b->plan->notes,
		    "cpu: an AMD processor of qemu has no threads: the guest sees %" PRId64
		    " cores",
		    cores * cpu->sockets);
	qemu_begin(b->argv, "-smp", NULL);
	qemu_pairf(b->argv, "cpus", "%" PRId64, cpu_count(cpu));
	qemu_pairf(b->argv, "sockets", "%" PRId64, cpu->sockets);
	qemu_pairf(b->argv, "cores", "%" PRId64, cores);
	qemu_pairf(b->argv, "threads", "%" PRId64, folded ? 1 : cpu->threads);
}

/* Adds processors and memory. */
static void add_size(struct qemu_plan *b)
{
	const struct spec *s = b->spec;
	struct words *argv = b->argv;

	if (!b->user.has_cpu)
		qemu_begin(argv, "-cpu", "max");
	if (!b->user.has_cpu && b->machine->tcg_options != NULL && !b->kvm)
		qemu_verbatim(argv, b->machine->tcg_options);
	add_processors(b);
	words_add(argv, "-m");
	words_addf(argv, "%" PRId64 "B", s->mem);
}

/*
 * Returns whether the BIOS shows its screen on com1 and takes keys from there, as SeaBIOS does for
 * a machine without graphics: where the guest has no other screen.
 */
static bool bios_is_on_com1(const struct spec *s)
{
	if (!qemu_uses_own_bios(s) || s->qemu.kernel != NULL || spec_com(s, 0) == NULL)
		return false;
	for (size_t i = 0; i < s->device_count; i++) {
		if (s->devices[i]->kind == &device_fbuf && !s->devices[i]->removed)
			return false;
	}
	return true;
}

static void add_board(struct qemu_plan *b)
{
	const struct spec *s = b->spec;
	const char *own = s->qemu.machine == NULL ? "" : s->qemu.machine;
	size_t first = strcspn(own, ",");
	/* qemu reads a type as the first word only: a version of it such as "pc-q35-7.2". */
	bool has_type = first > 0 && memchr(own, '=', first) == NULL;
	MEM_AUTO char *type = has_type ? mem_copy_n(own, first) : mem_copy(b->machine->name);

	qemu_begin(b->argv, "-machine", type);
	if (b->machine->is_pc) {
		/*
		 * Without its own SATA and SMBus, q35 occupies 0:0:0 and 0:31:0 only, as bhyve
		 * does.
		 */
		qemu_pair(b->argv, "sata", "off");
		qemu_pair(b->argv, "smbus", "off");
		qemu_pair(b->argv, "vmport", "off");
		qemu_pair(b->argv, "graphics", bios_is_on_com1(s) ? "off" : NULL);
	} else {
		/* The default, version 2, has room for 8 processors; bhyve has version 3. */
		qemu_pair(b->argv, "gic-version", "max");
	}
	qemu_pair(b->argv, "dump-guest-core", s->guest_mem_in_core ? "on" : "off");
	qemu_pair(b->argv, "acpi", s->generate_acpi ? NULL : "off");
	own += has_type ? first + (own[first] == ',' ? 1 : 0) : 0;
	if (*own != '\0')
		qemu_verbatim(b->argv, own);
}

void qemu_add_machine(struct qemu_plan *b)
{
	const struct spec *s = b->spec;

	qemu_begin(b->argv, "-name", NULL);
	qemu_pair(b->argv, "guest", s->name);
	qemu_pair(b->argv, "debug-threads", "on");
	words_add(b->argv, "-no-user-config");
	words_add(b->argv, "-nodefaults");
	words_add(b->argv, "-display");
	words_add(b->argv, "none");
	add_board(b);
	if (b->user.accel == NULL)
		qemu_begin(b->argv, "-accel", b->kvm ? "kvm" : "tcg");
	add_size(b);
	if (s->wire_guest_mem && b->kvm) {
		/* Under TCG this would also lock a gigabyte of translated code. */
		qemu_begin(b->argv, "-overcommit", NULL);
		qemu_pair(b->argv, "mem-lock", "on");
	}
	if (strcmp(s->uuid, UUID_NONE) != 0)
		qemu_begin(b->argv, "-uuid", s->uuid);
}

void qemu_add_behaviour(struct qemu_plan *b)
{
	if (b->machine->is_pc) {
		qemu_begin(b->argv, "-global", "ICH9-LPC.disable_s3=1");
		qemu_begin(b->argv, "-global", "ICH9-LPC.disable_s4=1");
	}
	qemu_begin(b->argv, "-rtc", NULL);
	qemu_pair(b->argv, "base", b->spec->utc_clock ? "utc" : "localtime");
	qemu_begin(b->argv, "-action", NULL);
	qemu_pair(b->argv, "reboot", "shutdown");
	qemu_pair(b->argv, "shutdown", "poweroff");
	qemu_pair(b->argv, "panic", "shutdown");
}

bool qemu_hears_log(const struct qemu_plan *b)
{
	/* Only the log distinguishes a triple fault from a reset, and only x86's under TCG. */
	return b->machine->is_pc && (!b->kvm || b->user.may_be_tcg) && os_has_dev_fd();
}

/*
 * Returns whether a file is one of qemu's own descriptors.  vmrun would open its own instead, so
 * the lines for it are messages.
 */
static bool is_descriptor(const char *path)
{
	static const char *const names[] = { "/dev/stderr", "/dev/stdout", "/dev/fd/",
		"/proc/self/fd/" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_after(path, names[i]) != NULL)
			return true;
	}
	return false;
}

/* Adds SeaBIOS's messages to the log: it writes them to this port if something answers there. */
static void add_bios_messages(struct words *argv)
{
	qemu_begin(argv, "-chardev", "file");
	qemu_pair(argv, "id", "bios-log");
	qemu_pairf(argv, "path", "/dev/fd/%d", CHANNEL_LOG_FD);
	qemu_begin(argv, "-device", "isa-debugcon");
	qemu_pair(argv, "iobase", "0x402");
	qemu_pair(argv, "chardev", "bios-log");
}

/* Adds the log, which vmrun reads, and copies to where the user's own words want it. */
static void add_log(struct qemu_plan *b)
{
	const char *items = b->user.log_items;
	MEM_AUTO char *joined =
	    mem_format("cpu_reset%s%s", items == NULL ? "" : ",", items == NULL ? "" : items);

	words_add(b->argv, "-d");
	words_add(b->argv, joined);
	words_add(b->argv, "-D");
	words_addf(b->argv, "/dev/fd/%d", CHANNEL_LOG_FD);
	b->plan->has_log = true;
	b->plan->log.is_shown = b->user.has_log;
	b->plan->log.shows_all = items != NULL && strstr(items, "cpu_reset") != NULL;
	if (b->user.log_path != NULL && !is_descriptor(b->user.log_path))
		b->plan->log.path = mem_copy(b->user.log_path);
	/* A log that the user reads has qemu's lines only. */
	if (qemu_uses_own_bios(b->spec) && !b->user.has_log)
		add_bios_messages(b->argv);
}

/* Adds the user's log as it is, where vmrun has none. */
static void add_own_log(struct qemu_plan *b)
{
	const char *const words[][2] = {
		{ "-d", b->user.log_items },
		{ "-D", b->user.log_path },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i][1] == NULL)
			continue;
		words_add(b->argv, words[i][0]);
		words_add(b->argv, words[i][1]);
	}
}

void qemu_add_channels(struct qemu_plan *b, bool is_held)
{
	/* A printed command has no vmrun at the other end of these channels. */
	if (b->request->dry) {
		if (is_held)
			words_add(b->argv, "-S");
		add_own_log(b);
		return;
	}
	qemu_begin(b->argv, "-chardev", "socket");
	qemu_pair(b->argv, "id", "qmp");
	qemu_pairf(b->argv, "fd", "%d", CHANNEL_CONTROL_FD);
	qemu_begin(b->argv, "-mon", NULL);
	qemu_pair(b->argv, "chardev", "qmp");
	qemu_pair(b->argv, "mode", "control");
	words_add(b->argv, "-S");
	b->plan->has_control = true;
	if (qemu_hears_log(b))
		add_log(b);
	else
		add_own_log(b);
}
