/* The rule that two devices cannot claim one thing. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/serial.h"
#include "spec/spec.h"

#define ONLY_ONE "" /* stands for the device itself, instead of a kind of thing */

/* A device or a serial port, and what it claims: kind of thing = which one. */
struct owner {
	const struct device *dev; /* NULL: com1 to com4 */
	size_t com;
	struct pairs claims;
};

static void claim_needs(const struct needs *needs, struct pairs *claims)
{
	for (size_t i = 0; i < needs->count; i++) {
		if (need_is_exclusive(&needs->item[i]))
			pairs_add(claims, need_name(needs->item[i].kind), needs->item[i].what);
	}
}

static void claim_for_device(const struct device *dev, struct pairs *claims)
{
	NEEDS_AUTO struct needs needs = { 0 };

	if (dev->removed)
		return;
	if (dev->kind->single)
		pairs_add(claims, ONLY_ONE, dev->kind->name);
	if (dev->kind->claims != NULL)
		dev->kind->claims(dev, claims);
	device_needs(dev, &needs);
	claim_needs(&needs, claims);
}

/*
 * Adds the claims of a serial port.  "nmdm" and "console" claim nothing until a run has found the
 * device for them.
 */
static void claim_for_com(const struct spec *spec, size_t port, struct pairs *claims)
{
	const char *com = spec->com_found[port] != NULL ? spec->com_found[port] : spec->com[port];
	NEEDS_AUTO struct needs needs = { 0 };

	if (com == NULL || !serial_is_backend(com))
		return;
	serial_claim(com, claims);
	serial_need(com, "", &needs);
	claim_needs(&needs, claims);
}

/* Returns all owners with their claims.  Free them with owners_free(). */
static struct owner *collect_owners(const struct spec *spec, size_t *count)
{
	struct owner *owners = mem_zero((SPEC_COM_PORTS + spec->device_count) * sizeof(*owners));

	*count = SPEC_COM_PORTS + spec->device_count;
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		owners[i].com = i + 1;
		claim_for_com(spec, i, &owners[i].claims);
	}
	for (size_t i = 0; i < spec->device_count; i++) {
		struct owner *owner = &owners[SPEC_COM_PORTS + i];

		owner->dev = spec->devices[i];
		claim_for_device(owner->dev, &owner->claims);
	}
	return owners;
}

static void owners_free(struct owner *owners, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pairs_free(&owners[i].claims);
	free(owners);
}

static bool has_claim(const struct pairs *claims, const struct pair *wanted)
{
	for (size_t i = 0; i < claims->count; i++) {
		if (strcmp(claims->item[i].key, wanted->key) == 0 &&
		    strcmp(claims->item[i].value, wanted->value) == 0)
			return true;
	}
	return false;
}

static char *owner_label(const struct owner *owner)
{
	return owner->dev != NULL ? device_label(owner->dev) : mem_format("com%zu", owner->com);
}

static void report_claim(const struct owner *first, const struct owner *second,
    const struct pair *claim, struct report *report)
{
	MEM_AUTO char *one = owner_label(first);
	MEM_AUTO char *two = owner_label(second);
	struct where com = { NULL, two, 0 };
	struct device_place place;
	const struct device *dev = second->dev;
	const struct where *at = dev == NULL ? &com : device_where(dev, &place);

	if (strcmp(claim->key, ONLY_ONE) != 0)
		report_add(report, STATUS_SPEC, at, "%s and %s both have the %s \"%s\"", one, two,
		    claim->key, claim->value);
	else if (dev->origin != NULL && dev->kind == &device_xhci)
		report_add(report, STATUS_SPEC, at,
		    "a VM can have only one xhci, and %s is one already: set \"xhci_tablet\" to "
		    "false",
		    one);
	else
		report_add(report, STATUS_SPEC, at,
		    "a VM can have only one %s, and %s is one already", claim->value, one);
}

void spec_check_claims(const struct spec *spec, const char *shared, struct report *report)
{
	size_t count;
	struct owner *owners = collect_owners(spec, &count);

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < owners[i].claims.count; k++) {
			const struct pair *claim = &owners[i].claims.item[k];
			size_t first = 0;

			while (first < i && !has_claim(&owners[first].claims, claim))
				first++;
			if (first < i && (shared == NULL || strcmp(claim->key, shared) != 0))
				report_claim(&owners[first], &owners[i], claim, report);
		}
	}
	owners_free(owners, count);
}

bool spec_uses_stdio(const struct spec *spec)
{
	bool found = false;

	for (size_t i = 0; i < SPEC_COM_PORTS && !found; i++) {
		PAIRS_AUTO struct pairs claims = { 0 };

		claim_for_com(spec, i, &claims);
		found = serial_claims_stdio(&claims);
	}
	for (size_t i = 0; i < spec->device_count && !found; i++) {
		PAIRS_AUTO struct pairs claims = { 0 };

		claim_for_device(spec->devices[i], &claims);
		found = serial_claims_stdio(&claims);
	}
	return found;
}
