/* The machine that qemu emulates, and its behaviour.  Facts: runs of QEMU 7.2. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "device/qemu_words.h"
#include "hyper/qemu_plan.h"
#include "platform/os.h"
#include "platform/spawn.h"

void qemu_choose_accel(struct qemu_plan *b)
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

void qemu_add_behaviour(struct qemu_plan *b)
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
