/* The rule that no thing is claimed twice. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/serial.h"
#include "platform/port.h"
#include "spec/spec.h"

#define ONLY_ONE "" /* stands for the device itself, instead of a kind of thing */

/* A device, a serial port or the debugger, and what it claims: kind of thing = which one. */
struct owner {
	const struct device *dev;
	const char *key; /* of the spec, where dev is NULL */
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

static void claim_for_debugger(const struct spec *spec, struct pairs *claims)
{
	NEEDS_AUTO struct needs needs = { 0 };

	spec_need_debugger(spec, &needs);
	claim_needs(&needs, claims);
}

/* Returns all owners with their claims.  Free them with owners_free(). */
static struct owner *collect_owners(const struct spec *spec, size_t *count)
{
	struct owner *owners =
	    mem_zero((SPEC_COM_PORTS + 1 + spec->device_count) * sizeof(*owners));
	struct owner *next = owners;

	for (size_t i = 0; i < SPEC_COM_PORTS; i++, next++) {
		next->key = spec_com_key(i);
		claim_for_com(spec, i, &next->claims);
	}
	next->key = "gdb";
	claim_for_debugger(spec, &next++->claims);
	for (size_t i = 0; i < spec->device_count; i++, next++) {
		next->dev = spec->devices[i];
		claim_for_device(next->dev, &next->claims);
	}
	*count = (size_t)(next - owners);
	return owners;
}

static void owners_free(struct owner *owners, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pairs_free(&owners[i].claims);
	free(owners);
}

/* Returns whether two claims of one kind are about one thing. */
static bool is_same(const struct pair *claim, const struct pair *other)
{
	bool is_port =
	    strcmp(claim->key, NEED_PORT_NAME) == 0 || strcmp(claim->key, NEED_UDP_PORT_NAME) == 0;

	return strcmp(claim->value, other->value) == 0 ||
	    (is_port && port_overlaps(claim->value, other->value));
}

/* Returns the first of these claims that is about the same thing, or NULL. */
static const struct pair *find_claim(
    const struct pair *claims, size_t count, const struct pair *wanted)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(claims[i].key, wanted->key) == 0 && is_same(&claims[i], wanted))
			return &claims[i];
	}
	return NULL;
}

static char *owner_label(const struct owner *owner)
{
	return owner->dev != NULL ? device_label(owner->dev) : mem_copy(owner->key);
}

/* Reports a thing that two owners claim, or one owner twice. */
static void report_thing(const struct owner *first, const struct pair *of_first,
    const struct owner *second, const struct pair *claim, const struct where *at,
    struct report *report)
{
	MEM_AUTO char *one = owner_label(first);
	MEM_AUTO char *two = owner_label(second);

	if (strcmp(of_first->value, claim->value) != 0)
		report_add(report, STATUS_SPEC, at,
		    "%s has the %s \"%s\" and %s \"%s\", which cannot both be had", one, claim->key,
		    of_first->value, first == second ? "also" : two, claim->value);
	else if (first == second)
		report_add(report, STATUS_SPEC, at, "%s has the %s \"%s\" twice", one, claim->key,
		    claim->value);
	else
		report_add(report, STATUS_SPEC, at, "%s and %s both have the %s \"%s\"", one, two,
		    claim->key, claim->value);
}

static void report_claim(const struct owner *first, const struct pair *of_first,
    const struct owner *second, const struct pair *claim, struct report *report)
{
	MEM_AUTO char *one = owner_label(first);
	struct where key = { NULL, second->key, 0 };
	struct device_place place;
	const struct device *dev = second->dev;
	const struct where *at = dev == NULL ? &key : device_where(dev, &place);

	if (dev == NULL || strcmp(claim->key, ONLY_ONE) != 0) /* only devices claim themselves */
		report_thing(first, of_first, second, claim, at, report);
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
			const struct pair *claim = &owners[i].claims.item[k], *other = NULL;
			size_t first = 0;

			for (; first <= i; first++) {
				const struct pairs *of = &owners[first].claims;

				other = find_claim(of->item, first < i ? of->count : k, claim);
				if (other != NULL)
					break;
			}
			if (other != NULL && (shared == NULL || strcmp(claim->key, shared) != 0))
				report_claim(&owners[first], other, &owners[i], claim, report);
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
