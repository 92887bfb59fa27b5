/* PCI devices of the host, as pciconf(8) -l lists them. */
#ifndef CHECK_PCI_H
#define CHECK_PCI_H

#include "check/host.h"

struct pci_device {
	char driver[24]; /* with its unit: "ppt0", "none1" */
	int domain, bus, slot, function;
	unsigned vendor, device, subvendor, subdevice;
};

struct pci_list {
	struct pci_device *item;
	size_t count;
};

/* Reads the list.  With TRUTH_YES it is filled in; free it with pci_free(). */
enum truth pci_read(struct host *host, struct pci_list *list);
/*
 * Returns whether the device matches "B/S/F", "B:S:F", "pptN" or "lookup VENDOR DEVICE", as in
 * NEED_PCI; both ids have eight hex digits, id and sub-id.
 */
bool pci_matches(const struct pci_device *device, const char *what);
/*
 * Finds the first device from *from on that matches.  Moves *from past it.  Returns NULL if none
 * matches.
 */
const struct pci_device *pci_find(const struct pci_list *list, const char *what, size_t *from);
/* Returns whether ppt(4) has the device. */
bool pci_is_ppt(const struct pci_device *device);
/* Frees the list and zeroes it. */
void pci_free(struct pci_list *list);
#define PCI_AUTO __attribute__((cleanup(pci_free)))

#endif
