/*
 * Finds what only a run can find: a free tap, port or null modem, and the address of a PCI device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/check.h"
#include "check/host.h"
#include "check/need.h"
#include "check/pci.h"
#include "platform/os.h"
#include "platform/port.h"

#define MAX_UNITS 4096 /* of taps and of null modems */

struct search {
	struct spec *spec;
	struct host host;
	struct pairs *before;
	const struct check_names *names;
};

static void remember(struct pairs *before, const char *id, const char *value)
{
	pairs_remove(before, id);
	pairs_add(before, id, value);
}

/*
 * Takes a name, for the time until the hypervisor has it and beyond.  Returns false if another
 * run has it.
 */
static bool take(const struct search *s, const char *name)
{
	return s->names->take == NULL || s->names->take(s->names->context, name);
}

/* Returns the name under which a port is taken, whatever its address.  Caller frees. */
static char *port_name(const char *port)
{
	return mem_format("port-%s", port);
}

/* Returns the name under which the PCI device at "B/S/F" is taken.  Caller frees. */
static char *pci_name(const char *place)
{
	char *name = mem_format("pci-%s", place);

	for (char *p = name; (p = strchr(p, '/')) != NULL;)
		*p = '-';
	return name;
}

static void drop(const struct check_names *names, const char *name)
{
	if (names->drop != NULL)
		names->drop(names->context, name);
}

static void drop_port(const struct check_names *names, const char *port)
{
	MEM_AUTO char *name = port_name(port);

	drop(names, name);
}

/* Returns whether this run uses the value for a device of the VM already. */
static bool is_taken(const struct search *s, const char *value)
{
	for (size_t i = 0; i < s->before->count; i++) {
		if (strcmp(s->before->item[i].value, value) == 0)
			return true;
	}
	for (size_t i = 0; i < s->spec->device_count; i++) {
		const struct device *dev = s->spec->devices[i];

		if (dev->found != NULL && strcmp(dev->found, value) == 0)
			return true;
	}
	return false;
}

static bool is_listed(const char *names, const char *name)
{
	for (const char *p = names; *p != '\0'; p += strcspn(p, " \n")) {
		const char *rest;

		p += strspn(p, " \n");
		rest = str_after(p, name);
		if (rest != NULL && strchr(" \n", *rest) != NULL)
			return true;
	}
	return false;
}

/* Returns whether a tap of that name is free and no device of the spec names it. */
static bool is_free_tap(const struct search *s, const char *names, const char *name)
{
	bool named = false;

	if (is_taken(s, name) ||
	    (names != NULL ? is_listed(names, name) : os_interface_exists(name)))
		return false;
	for (size_t i = 0; i < s->spec->device_count && !named; i++) {
		const struct device *dev = s->spec->devices[i];
		NEEDS_AUTO struct needs needs = { 0 };

		device_needs(dev, &needs);
		for (size_t k = 0; k < needs.count; k++)
			named = named || strcmp(needs.item[k].what, name) == 0;
	}
	return !named;
}

/* Returns the name of a free tap, or NULL if none is free or facts are missing.  Caller frees. */
static char *find_tap(struct search *s, const char *old)
{
	const char *const command[] = { "ifconfig", "-l", NULL };
	const struct fact *fact = NULL;

	/* The tap of the first boot stays reserved, even while it does not exist. */
	if (old != NULL)
		return mem_copy(old);
	if (s->host.commands) {
		fact = host_ask(&s->host, command);
		if (s->host.waits)
			return NULL;
	}
	for (int unit = 0; unit < MAX_UNITS; unit++) {
		MEM_AUTO char *name = mem_format("tap%d", unit);

		if (is_free_tap(s, fact == NULL ? NULL : fact->text, name) && take(s, name))
			return mem_copy(name);
	}
	return NULL;
}

/* Returns what the device needs of that kind, or NULL.  Caller frees. */
static char *need_of(const struct device *dev, enum need_kind kind)
{
	NEEDS_AUTO struct needs needs = { 0 };
	char *what = NULL;

	device_needs(dev, &needs);
	for (size_t i = 0; i < needs.count && what == NULL; i++) {
		if (needs.item[i].kind == kind)
			what = mem_copy(needs.item[i].what);
	}
	return what;
}

/* Adds the ports at which other parts of the spec listen. */
static void add_other_ports(const struct spec *spec, const struct device *dev, struct needs *needs)
{
	spec_needs(spec, needs);
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i] != dev && !spec->devices[i]->removed)
			device_needs(spec->devices[i], needs);
	}
}

static bool is_claimed(const struct needs *others, const char *place)
{
	for (size_t i = 0; i < others->count; i++) {
		enum need_kind kind = others->item[i].kind;

		if ((kind == NEED_PORT || kind == NEED_FORWARD) &&
		    port_overlaps(others->item[i].what, place))
			return true;
	}
	return false;
}

/* Returns the place where the device listens if this is its port, or NULL.  Caller frees. */
static char *place_of(struct device *dev, const char *port)
{
	char *old = dev->found, *place;

	dev->found = mem_copy(port);
	place = need_of(dev, NEED_PORT);
	free(dev->found);
	dev->found = old;
	return place;
}

/*
 * Returns 0 if the device can listen on this port of its address, where no other part does; or an
 * errno.
 */
static int probe_port(const struct needs *others, struct device *dev, const char *port)
{
	MEM_AUTO char *place = place_of(dev, port);

	return place == NULL || is_claimed(others, place) ? EADDRINUSE : port_probe(place);
}

/* Returns a free port, or NULL; *why says then whether it is for the address, or is 0. */
static char *find_port(struct search *s, struct device *dev, const char *old, int *why)
{
	NEEDS_AUTO struct needs others = { 0 };

	*why = 0;
	add_other_ports(s->spec, dev, &others);
	if (old != NULL && probe_port(&others, dev, old) == 0)
		return mem_copy(old);
	if (old != NULL)
		drop_port(s->names, old);
	for (int port = FBUF_FIRST_PORT; port <= MAX_PORT; port++) {
		MEM_AUTO char *text = mem_format("%d", port);
		MEM_AUTO char *name = port_name(text);

		/*
		 * The lock comes first: the probe binds to the port, and would get in the way of a
		 * hypervisor whose vmrun has found the port.
		 */
		if (is_taken(s, text) || !take(s, name))
			continue;
		*why = probe_port(&others, dev, text);
		if (*why == 0)
			return mem_copy(text);
		drop_port(s->names, text);
		/* What another port cannot mend. */
		if (*why != EADDRINUSE && *why != EACCES)
			return NULL;
	}
	*why = 0;
	return NULL;
}

static char *pci_place(const struct pci_device *d)
{
	return mem_format("%d/%d/%d", d->bus, d->slot, d->function);
}

/* Returns whether a device of the VM names this one, found it, or keeps it of an earlier boot. */
static bool is_passed(const struct search *s, const struct pci_device *d, const char *place)
{
	for (size_t i = 0; i < s->spec->device_count; i++) {
		const struct device *dev = s->spec->devices[i];
		const char *old = pairs_get(s->before, dev->id);

		if (dev->removed)
			continue;
		MEM_AUTO char *what = need_of(dev, NEED_PCI);

		if (what == NULL)
			continue;
		if ((old != NULL && strcmp(old, place) == 0) ||
		    (str_after(what, NEED_LOOKUP) == NULL && pci_matches(d, what)))
			return true;
	}
	return false;
}

/* Returns the device's address as B/S/F, or NULL.  Caller frees. */
static char *find_pci(struct search *s, const char *what)
{
	PCI_AUTO struct pci_list list = { 0 };
	const struct pci_device *d;
	char *found = NULL;
	size_t from = 0;

	if (pci_read(&s->host, &list) != TRUTH_YES)
		return NULL;
	while (found == NULL && (d = pci_find(&list, what, &from)) != NULL) {
		MEM_AUTO char *place = pci_place(d);
		MEM_AUTO char *name = pci_name(place);

		if (d->domain == 0 && !is_passed(s, d, place) && take(s, name))
			found = mem_copy(place);
	}
	return found;
}

/* Returns whether one of the PCI devices that match is at this place. */
static bool is_there(const struct pci_list *list, const char *what, const char *place)
{
	const struct pci_device *d;
	size_t from = 0;

	while ((d = pci_find(list, what, &from)) != NULL) {
		if (pci_matches(d, place))
			return true;
	}
	return false;
}

/*
 * Forgets the addresses of earlier boots whose devices look for another PCI device now, as in
 * another target or after a reload.  This comes before the search: any device may want them.
 */
static void forget_pci(struct search *s)
{
	for (size_t i = 0; i < s->spec->device_count; i++) {
		const struct device *dev = s->spec->devices[i];
		const char *old = pairs_get(s->before, dev->id);
		PCI_AUTO struct pci_list list = { 0 };

		if (dev->removed || old == NULL)
			continue;
		MEM_AUTO char *what = need_of(dev, NEED_PCI);

		if (what == NULL || str_after(what, NEED_LOOKUP) == NULL ||
		    pci_read(&s->host, &list) != TRUTH_YES || is_there(&list, what, old))
			continue;
		MEM_AUTO char *name = pci_name(old);

		drop(s->names, name);
		pairs_remove(s->before, dev->id);
	}
}

/* Adds a problem of a device with no value. */
static void complain(
    struct search *s, const struct device *dev, const char *key, const char *what, const char *why)
{
	struct device_place place;
	struct where at = { device_where(dev, &place), key, 0 };

	(void)findings_add(s->host.out, FINDING_PROBLEM, dev, &at, what, "%s", why);
}

/* Reports that no port was found, because of the address (an errno) or not (0). */
static void complain_of_port(struct search *s, struct device *dev, int why)
{
	MEM_AUTO char *place = place_of(dev, NUMBER_TEXT(FBUF_FIRST_PORT));

	if (why == 0) {
		complain(s, dev, "port", "auto",
		    "no free port from " NUMBER_TEXT(FBUF_FIRST_PORT) " on");
		return;
	}
	*strrchr(place, ':') = '\0';
	complain(s, dev, "host", place, check_port_fault(why));
}

static void find_for(struct search *s, struct device *dev)
{
	const char *old = pairs_get(s->before, dev->id);
	int why = 0;
	char *found;

	if (dev->kind->placeholder == NULL)
		return;
	free(dev->found);
	dev->found = NULL;
	if (dev->kind->placeholder(dev) == NULL)
		return;
	MEM_AUTO char *bridge = need_of(dev, NEED_BRIDGE);
	MEM_AUTO char *pci = need_of(dev, NEED_PCI);
	const char *ids = pci == NULL ? NULL : str_after(pci, NEED_LOOKUP);

	if (bridge != NULL)
		found = find_tap(s, old);
	else if (pci != NULL)
		found = old != NULL ? mem_copy(old) : find_pci(s, pci);
	else
		found = find_port(s, dev, old, &why);
	dev->found = found;
	if (found != NULL)
		remember(s->before, dev->id, found);
	else if (s->host.waits)
		return;
	else if (pci != NULL)
		complain(s, dev, "lookup", ids == NULL ? pci : ids, "no such PCI device");
	else if (bridge != NULL)
		complain(s, dev, "bridge", bridge, "no free name for a tap");
	else
		complain_of_port(s, dev, why);
}

/* Returns whether a serial port of the spec names one end of the null modem "/dev/nmdm0". */
static bool is_named_in_spec(const struct spec *spec, const char *modem)
{
	NEEDS_AUTO struct needs needs = { 0 };
	bool named = false;

	for (size_t i = 0; i < SPEC_COM_PORTS; i++)
		named = named || (spec->com[i] != NULL && str_after(spec->com[i], modem) != NULL);
	for (size_t i = 0; i < spec->device_count; i++) {
		device_needs(spec->devices[i], &needs);
	}
	for (size_t i = 0; i < needs.count; i++)
		named = named ||
		    (needs.item[i].kind == NEED_SERIAL &&
			str_after(needs.item[i].what, modem) != NULL);
	return named;
}

/* Finds the first null modem that does not exist: both its ends are created when one is opened. */
static void find_com(struct search *s, size_t port)
{
	const char *com = s->spec->com[port], *old = pairs_get(s->before, spec_com_key(port));

	if (com == NULL || strcmp(com, "nmdm") != 0 || !s->host.bhyve)
		return;
	free(s->spec->com_found[port]);
	s->spec->com_found[port] = old == NULL ? NULL : mem_copy(old);
	for (int n = 0; n < MAX_UNITS && s->spec->com_found[port] == NULL; n++) {
		MEM_AUTO char *name = mem_format("nmdm%dA", n);
		MEM_AUTO char *path = mem_format("/dev/%s", name);
		MEM_AUTO char *modem = mem_copy_n(path, strlen(path) - 1);

		if (!is_named_in_spec(s->spec, modem) && !is_taken(s, path) &&
		    !os_device_is_listed(name) && take(s, name)) {
			s->spec->com_found[port] = mem_copy(path);
			remember(s->before, spec_com_key(port), path);
		}
	}
}

/* Returns whether a run has found a port for this device. */
static bool has_open_port(const struct device *dev)
{
	bool is_open =
	    !dev->removed && dev->kind->placeholder != NULL && dev->kind->placeholder(dev) != NULL;
	MEM_AUTO char *place = is_open ? need_of(dev, NEED_PORT) : NULL;

	return place != NULL;
}

bool check_has_open_port(const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (has_open_port(spec->devices[i]))
			return true;
	}
	return false;
}

size_t check_forget_ports(struct spec *spec, struct pairs *before, const struct check_names *names)
{
	size_t dropped = 0;

	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];
		const char *old = pairs_get(before, dev->id);
		NEEDS_AUTO struct needs others = { 0 };

		if (old == NULL || !has_open_port(dev))
			continue;
		add_other_ports(spec, dev, &others);
		if (probe_port(&others, dev, old) == 0)
			continue;
		drop_port(names, old);
		pairs_remove(before, dev->id);
		free(dev->found);
		dev->found = NULL;
		dropped++;
	}
	return dropped;
}

bool check_find(struct spec *spec, const struct hypervisor *hyper, struct pairs *before,
    const struct check_names *names, struct facts *facts, struct findings *out)
{
	struct search s = { .spec = spec, .before = before, .names = names };

	host_open(&s.host, hyper, facts, out);
	forget_pci(&s);
	if (s.host.waits)
		return false;
	for (size_t i = 0; i < SPEC_COM_PORTS; i++)
		find_com(&s, i);
	for (size_t i = 0; i < spec->device_count; i++) {
		if (!spec->devices[i]->removed)
			find_for(&s, spec->devices[i]);
	}
	if (s.host.waits)
		findings_clear(out);
	return !s.host.waits;
}
