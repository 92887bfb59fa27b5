/* Reads `pciconf -l`.  Its format: pciconf(8) of FreeBSD 13 and later. */
#include "check/pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Returns the hex number behind ` key=`, or 0. */
static unsigned number_of(const char *line, const char *end, const char *key)
{
	MEM_AUTO char *text = mem_copy_n(line, (size_t)(end - line));
	MEM_AUTO char *sign = mem_format(" %s=", key);
	const char *at = strstr(text, sign);

	return at == NULL ? 0 : (unsigned)strtoul(at + strlen(sign), NULL, 16);
}

/*
 * Reads "none1@pci0:5:0:0:<tab>class=0x028000 rev=0x01 hdr=0x00 vendor=0x8086 device=0x08b1 ...".
 */
static bool read_line(const char *line, const char *end, struct pci_device *out)
{
	const char *at = memchr(line, '@', (size_t)(end - line));
	size_t n = at == NULL ? 0 : (size_t)(at - line);

	memset(out, 0, sizeof(*out));
	if (n == 0 || n >= sizeof(out->driver))
		return false;
	memcpy(out->driver, line, n);
	/* NOLINTNEXTLINE(cert-err34-c): numbers of the kernel's own, all of them small */
	if (sscanf(at, "@pci%d:%d:%d:%d", &out->domain, &out->bus, &out->slot, &out->function) != 4)
		return false;
	out->vendor = number_of(line, end, "vendor");
	out->device = number_of(line, end, "device");
	out->subvendor = number_of(line, end, "subvendor");
	out->subdevice = number_of(line, end, "subdevice");
	return true;
}

enum truth pci_read(struct host *host, struct pci_list *list)
{
	const char *const command[] = { "pciconf", "-l", NULL };
	const struct fact *fact = host_ask(host, command);

	memset(list, 0, sizeof(*list));
	if (fact == NULL)
		return host->waits ? TRUTH_PENDING : TRUTH_UNKNOWN;
	for (const char *line = fact->text; *line != '\0';) {
		const char *end = line + strcspn(line, "\n");
		struct pci_device device;

		if (read_line(line, end, &device)) {
			list->item = mem_resize(list->item, list->count + 1, sizeof(device));
			list->item[list->count++] = device;
		}
		line = *end == '\0' ? end : end + 1;
	}
	return TRUTH_YES;
}

/*
 * Returns whether the text matches: "10de1043" is an id and its subsystem's, "10de" an id with any
 * subsystem.
 */
static bool is_id(const char *text, unsigned id, unsigned subsystem)
{
	unsigned long wanted = strtoul(text, NULL, 16);
	size_t digits = strlen(text) - (text[1] == 'x' ? 2 : 0);

	return digits > 4 ? wanted == ((unsigned long)id << 16 | subsystem) : wanted == id;
}

bool pci_matches(const struct pci_device *d, const char *what)
{
	char vendor[11], device[11];
	int bus, slot, function;

	/* NOLINTBEGIN(cert-err34-c): the spec's own forms, checked when it was read */
	if (sscanf(what, NEED_LOOKUP "%10s %10s", vendor, device) == 2)
		return is_id(vendor, d->vendor, d->subvendor) &&
		    is_id(device, d->device, d->subdevice);
	if (sscanf(what, "%d/%d/%d", &bus, &slot, &function) == 3 ||
	    sscanf(what, "%d:%d:%d", &bus, &slot, &function) == 3)
		return d->domain == 0 && d->bus == bus && d->slot == slot &&
		    d->function == function;
	/* NOLINTEND(cert-err34-c) */
	return strcmp(d->driver, what) == 0;
}

const struct pci_device *pci_find(const struct pci_list *list, const char *what, size_t *from)
{
	while (*from < list->count) {
		const struct pci_device *device = &list->item[(*from)++];

		if (pci_matches(device, what))
			return device;
	}
	return NULL;
}

bool pci_is_ppt(const struct pci_device *device)
{
	const char *unit = str_after(device->driver, "ppt");

	return unit != NULL && *unit >= '0' && *unit <= '9';
}

void pci_free(struct pci_list *list)
{
	free(list->item);
	memset(list, 0, sizeof(*list));
}
