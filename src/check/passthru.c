/* PCI devices of the host that the guest gets.  Facts: ppt(4), devctl(8). */

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/pci.h"
#include "check/need.h"
#include "platform/os.h"

static void attach(struct check *c, const struct checked_need *need, const struct pci_device *d)
{
	MEM_AUTO char *place =
	    mem_format("pci%d:%d:%d:%d", d->domain, d->bus, d->slot, d->function);
	struct finding *f;

	if (str_after(d->driver, "none") != NULL)
		f = check_problem(c, need, place, "not attached to ppt(4)");
	else
		f = check_problem(c, need, place, "attached to %s, not to ppt(4)", d->driver);
	check_words(&f->fix, COMMAND("devctl", "set", "driver", "-f", place, "ppt"));
	check_words(&f->undo, COMMAND("devctl", "clear", "driver", "-f", place));
	check_words(&f->probe, COMMAND("pciconf", "-l", place));
	f->sign = "ppt";
}

/*
 * Checks that the IOMMU is not disabled; whether there is one shows at its first use.  vmm(4) uses
 * AMD's only on request (amdvi_init() in amdvi_hw.c).
 */
static void check_iommu(struct check *c, const struct checked_need *need)
{
	static const char *const names[] = { "hw.vmm.iommu.enable", "hw.vmm.amdvi.enable" };
	const size_t count = os_cpu_is_amd() ? 2 : 1;
	int64_t on;

	for (size_t i = 0; i < count; i++) {
		if (host_number(&c->host, names[i], &on) == TRUTH_YES && on == 0)
			(void)check_problem(c, need, "IOMMU",
			    "switched off: set %s=1 in /boot/loader.conf and reboot", names[i]);
	}
}

/* Checks what qemu's vfio-pci needs.  The plan refuses all but "BUS/SLOT/FUNCTION" in decimal. */
static void check_vfio(struct check *c, const struct checked_need *need)
{
	char why[OS_VFIO_WHY], *end;
	int bus = (int)strtol(need->need->what, &end, 10);
	int slot = *end == '/' ? (int)strtol(end + 1, &end, 10) : 0;
	int function = *end == '/' ? (int)strtol(end + 1, &end, 10) : 0;

	if (*end == '\0' && !os_has_vfio(bus, slot, function, why))
		(void)check_problem(c, need, need->need->what, "%s", why);
}

void check_pci(struct check *c, const struct checked_need *need)
{
	const char *what = need->need->what;
	PCI_AUTO struct pci_list list = { 0 };
	const struct pci_device *d;
	size_t from = 0;

	if (!c->host.bhyve) {
		check_vfio(c, need);
		return;
	}
	if (str_after(what, NEED_LOOKUP) != NULL) {
		if (need->dev == NULL || need->dev->found == NULL)
			return; /* check_find() reports it */
		what = need->dev->found;
	}
	if (pci_read(&c->host, &list) == TRUTH_YES) {
		d = pci_find(&list, what, &from);
		if (d == NULL)
			(void)check_problem(c, need, what, "no such PCI device");
		else if (!pci_is_ppt(d))
			attach(c, need, d);
	}
	check_iommu(c, need);
}
