/*
 * Checks of the VM as a whole: the hypervisor's module, processors, memory, leftovers of an older
 * VM.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "check/need.h"
#include "platform/os.h"

/* Checks the module, and the limits that only the module knows. */
static void check_bhyve(struct check *c)
{
	const struct spec *spec = c->request->spec;
	struct where at = { NULL, "cpu", 0 };
	struct checked_need vm = { 0 }, cpu = { .at = &at };
	enum truth loaded = host_module(&c->host, "vmm");
	int64_t max, count = cpu_count(&spec->cpu);

	if (loaded == TRUTH_NO) {
		check_words(&check_problem(c, &vm, "vmm", "the module is not loaded")->fix,
		    COMMAND("kldload", "vmm"));
		return;
	}
	if (loaded == TRUTH_YES && host_number(&c->host, "hw.vmm.maxcpu", &max) == TRUTH_YES &&
	    count > max)
		(void)check_problem(c, &cpu, "cpu",
		    "%" PRId64 " processors: vmm(4) allows %" PRId64 " (hw.vmm.maxcpu)", count,
		    max);
}

static void check_memory(struct check *c)
{
	struct where at = { NULL, "mem", 0 };
	struct checked_need mem = { .at = &at };
	int64_t wanted = c->request->spec->mem, has;

	if (host_memory(&c->host, &has) == TRUTH_YES && wanted > has)
		(void)check_problem(c, &mem, "mem",
		    "%" PRId64 " MiB are more than the %" PRId64 " MiB of this host", wanted >> 20,
		    has >> 20);
}

/*
 * Reports a VM of this name in the kernel: another program may run it, so only the user can decide
 * to destroy it.
 */
static void check_leftover(struct check *c)
{
	const char *name = c->request->plan->vm;
	struct checked_need vm = { 0 };
	MEM_AUTO char *path = mem_format("/dev/vmm/%s", name);
	MEM_AUTO char *option = mem_format("--vm=%s", name);
	struct finding *f;

	if (c->request->again || check_is_ours(c, path) || !os_vm_exists(name))
		return;
	f = check_problem(c, &vm, path,
	    "a VM of this name exists, and this vmrun did not create it (--force destroys it)");
	check_words(&f->fix, COMMAND("bhyvectl", option, "--destroy"));
	f->forced = true;
}

static void check_acceleration(struct check *c)
{
	struct where qemu = { NULL, "qemu", 0 }, at = { &qemu, "accel", 0 };
	struct checked_need accel = { .at = &at };
	const struct spec *spec = c->request->spec;
	const char *why = check_access("/dev/kvm", R_OK | W_OK);
	const char *arch = hyper_arch_name(spec);

	if (spec->qemu.accel != ACCEL_KVM)
		return;
	if (strcmp(arch, os_arch()) != 0)
		(void)check_problem(c, &accel, "kvm",
		    "KVM runs guests of the host's architecture only, and this one is for %s: "
		    "expected \"tcg\" or \"auto\"",
		    arch);
	else if (why != NULL)
		(void)check_problem(c, &accel, "/dev/kvm", "%s", why);
}

void check_vm(struct check *c)
{
	if (c->host.bhyve) {
		check_bhyve(c);
		check_leftover(c);
	} else {
		check_acceleration(c);
	}
	check_memory(c);
}
