/* Assigning PCI addresses. */
#include "spec/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_SLOT 1 /* of bus 0: slot 0 is the host bridge's place, 31 the lpc's */
#define LAST_SLOT 30

/* Stand for the bridges among the devices; the user pins them. */
static const struct device hostbridge = { .origin = "hostbridge", .pinned = true };
static const struct device lpc = { .origin = "lpc", .pinned = true };
/* Stands for a device of the base that the spec has not. */
static const struct device gone = { .origin = "gone", .removed = true };

/* The owner of a PCI function, or NULL. */
typedef const struct device *seat;

/* Allocated with its seats where a device takes one: most VMs use a few slots of one bus. */
struct bus {
	seat *slot[SLOT_SLOTS];
};

struct map {
	struct bus *bus[SLOT_BUSES];
	int buses; /* the first ones, which may have devices */
	const struct base_slots *base;
	const struct pin_map *pins;
	struct report *report;
};

static size_t slot_index(int bus, int slot)
{
	return (size_t)bus * SLOT_SLOTS + (size_t)slot;
}

/* Returns the owner of a function, or NULL. */
static const struct device *owner_at(const struct map *map, int bus, int slot, int function)
{
	const seat *seats = map->bus[bus] == NULL ? NULL : map->bus[bus]->slot[slot];

	return seats == NULL ? NULL : seats[function];
}

static const struct device *owner_of(const struct map *map, const struct slot *s)
{
	return owner_at(map, s->bus, s->slot, s->function);
}

static void seat_device(struct map *map, const struct slot *s, const struct device *dev)
{
	struct bus **bus = &map->bus[s->bus];

	if (*bus == NULL)
		*bus = mem_zero(sizeof(**bus));
	if (map->buses <= s->bus)
		map->buses = s->bus + 1;
	if ((*bus)->slot[s->slot] == NULL)
		(*bus)->slot[s->slot] = mem_zero(sizeof(seat) * SLOT_FUNCTIONS);
	(*bus)->slot[s->slot][s->function] = dev;
}

static void free_seats(struct map *map)
{
	for (int i = 0; i < map->buses; i++) {
		for (int k = 0; map->bus[i] != NULL && k < SLOT_SLOTS; k++)
			free(map->bus[i]->slot[k]);
		free(map->bus[i]);
	}
}

static void add_pin(struct pin_map *pins, const struct slot *s)
{
	size_t i = slot_index(s->bus, s->slot);

	pins->bits[i / 8] |= (unsigned char)(1 << i % 8);
}

static bool has_pin(const struct pin_map *pins, int bus, int slot)
{
	size_t i = slot_index(bus, slot);

	return (pins->bits[i / 8] >> i % 8 & 1) != 0;
}

void slots_collect(struct pin_map *pins, const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i]->pinned)
			add_pin(pins, &spec->devices[i]->slot);
	}
	if (spec->hostbridge != HOSTBRIDGE_NONE)
		add_pin(pins, &spec->hostbridge_slot);
	if (spec_has_lpc(spec))
		add_pin(pins, &spec->lpc_slot);
}

static void report_at(struct map *map, const struct device *dev, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void report_at(struct map *map, const struct device *dev, const char *fmt, ...)
{
	struct device_place place;
	const struct where *entry = device_where(dev, &place);
	struct where at = { entry, "slot", 0 };
	MEM_AUTO char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vformat(fmt, ap);
	va_end(ap);
	report_add(map->report, STATUS_SPEC, dev->pinned ? &at : entry, "%s", text);
}

static char *label_of(const struct device *owner)
{
	return owner == &hostbridge || owner == &lpc ? MEM_JOIN("the ", owner->origin)
						     : device_label(owner);
}

static void report_taken(struct map *map, const struct device *dev, const struct device *owner)
{
	MEM_AUTO char *mine = label_of(dev);
	MEM_AUTO char *other = label_of(owner);
	char slot[SLOT_TEXT];

	report_at(
	    map, dev, "%s and %s are both at slot %s", other, mine, slot_text(&dev->slot, slot));
}

/* Seats a device, or reports the one that has its seat. */
static void take_seat(struct map *map, const struct device *dev)
{
	const struct device *owner = owner_of(map, &dev->slot);

	if (owner == NULL)
		seat_device(map, &dev->slot, dev);
	else
		report_taken(map, dev, owner);
}

static bool slot_is_free(const struct map *map, int bus, int slot)
{
	if (has_pin(map->pins, bus, slot))
		return false;
	for (int f = 0; f < SLOT_FUNCTIONS; f++) {
		if (owner_at(map, bus, slot, f) != NULL)
			return false;
	}
	return true;
}

/*
 * Returns whether the slot lacks its device in some target, whose guest finds no other functions
 * there then.
 */
static bool may_be_missing(const struct map *map, const struct device *dev)
{
	const struct base_slots *base = map->base;

	return dev->removed || dev->origin != NULL ||
	    (dev->index < base->leaving_count && base->leaving[dev->index]);
}

/* Returns a free function of a slot whose function 0 vmrun assigned itself, or -1. */
static int free_function(const struct map *map, int bus, int slot)
{
	const struct device *zero = owner_at(map, bus, slot, 0);

	/* The free functions of a pinned one belong to the user, too. */
	if (zero == NULL || zero->pinned || may_be_missing(map, zero) ||
	    has_pin(map->pins, bus, slot))
		return -1;
	for (int f = 1; f < SLOT_FUNCTIONS; f++) {
		if (owner_at(map, bus, slot, f) == NULL)
			return f;
	}
	return -1;
}

static bool find_seat(const struct map *map, struct slot *found)
{
	for (int bus = 0; bus < SLOT_BUSES; bus++) {
		int first = bus == 0 ? FIRST_SLOT : 0, last = bus == 0 ? LAST_SLOT : SLOT_SLOTS - 1;

		for (int slot = first; slot <= last; slot++) {
			if (slot_is_free(map, bus, slot)) {
				*found = (struct slot){ true, bus, slot, 0 };
				return true;
			}
		}
		for (int slot = first; slot <= last; slot++) {
			int function = free_function(map, bus, slot);

			if (function > 0) {
				*found = (struct slot){ true, bus, slot, function };
				return true;
			}
		}
	}
	return false;
}

/* Returns whether guests would not find the function, because its slot lacks function 0. */
static bool is_hidden(const struct map *map, const struct slot *s)
{
	const struct device *zero = owner_at(map, s->bus, s->slot, 0);

	return s->function != 0 && (zero == NULL || zero->removed);
}

static const char hidden[] =
    "%s is at %s, but its slot has no function 0: the guest would not find it";

static void check_bridge(struct map *map, const struct slot *s, const char *label, const char *key)
{
	struct where at = { NULL, key, 0 };
	char slot[SLOT_TEXT];

	if (is_hidden(map, s))
		report_add(map->report, STATUS_SPEC, &at, hidden, label, slot_text(s, slot));
}

static void check_functions(struct map *map, const struct spec *spec)
{
	char slot[SLOT_TEXT];

	if (spec_has_lpc(spec))
		check_bridge(map, &spec->lpc_slot, "the lpc", "lpc_slot");
	if (spec->hostbridge != HOSTBRIDGE_NONE)
		check_bridge(map, &spec->hostbridge_slot, "the hostbridge", "hostbridge_slot");
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (!dev->removed && dev->slot.given && is_hidden(map, &dev->slot)) {
			MEM_AUTO char *label = device_label(dev);

			report_at(map, dev, hidden, label, slot_text(&dev->slot, slot));
		}
	}
}

static void seat_bridges(struct map *map, const struct spec *spec)
{
	bool has_lpc = spec_has_lpc(spec);

	if (has_lpc)
		seat_device(map, &spec->lpc_slot, &lpc);
	if (spec->hostbridge == HOSTBRIDGE_NONE)
		return;
	if (has_lpc && slot_equal(&spec->lpc_slot, &spec->hostbridge_slot)) {
		/* At least one of the two is not at its default, which has no place. */
		bool is_moved = spec->hostbridge_slot.slot != 0;
		struct where at = { NULL, is_moved ? "hostbridge_slot" : "lpc_slot", 0 };

		report_add(map->report, STATUS_SPEC, &at,
		    "the hostbridge and the lpc are both at this slot");
	}
	seat_device(map, &spec->hostbridge_slot, &hostbridge);
}

void slots_note(struct base_slots *base, const struct spec *spec)
{
	base->item = mem_resize(NULL, spec->device_count, sizeof(*base->item));
	base->count = spec->device_count;
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		base->item[i] = (struct base_slot){ dev->kind, dev->origin, dev->index, dev->slot };
	}
}

/* Returns whether the spec has the device that another key of the base makes. */
static bool has_made(const struct spec *spec, const struct base_slot *wanted)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i]->origin == wanted->origin &&
		    spec->devices[i]->kind == wanted->kind)
			return true;
	}
	return false;
}

void slots_note_others(
    struct base_slots *base, const struct spec *spec, const struct base_slots *of_base)
{
	base->item = mem_resize(NULL, spec->device_count + of_base->count, sizeof(*base->item));
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];
		const char *origin = dev->removed ? gone.origin : dev->origin;

		if (origin != NULL)
			base->item[base->count++] =
			    (struct base_slot){ dev->kind, origin, dev->index, dev->slot };
	}
	for (size_t i = 0; i < of_base->count; i++) {
		if (of_base->item[i].origin != NULL && !has_made(spec, &of_base->item[i]))
			base->item[base->count++] = of_base->item[i];
	}
}

static bool has_entry(const struct spec *spec, size_t index)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i]->origin == NULL && spec->devices[i]->index == index)
			return true;
	}
	return false;
}

static void add_leaving(struct base_slots *base, size_t index)
{
	if (index >= base->leaving_count) {
		size_t count = index + 1, before = base->leaving_count;

		base->leaving = mem_resize(base->leaving, count, sizeof(*base->leaving));
		memset(base->leaving + before, 0, count - before);
		base->leaving_count = count;
	}
	base->leaving[index] = true;
}

void slots_collect_leaving(
    struct base_slots *out, const struct spec *base, const struct spec *target)
{
	for (size_t i = 0; i < target->device_count; i++) {
		const struct device *dev = target->devices[i];

		if (dev->removed ||
		    (dev->pinned && dev->origin == NULL && has_entry(base, dev->index)))
			add_leaving(out, dev->index);
	}
}

void slots_forget(struct base_slots *base)
{
	free(base->item);
	free(base->leaving);
	*base = (struct base_slots){ 0 };
}

/* Returns the same device of the base, or NULL.  Malformed entries are in neither list. */
static const struct base_slot *find_base(const struct base_slots *base, const struct device *dev)
{
	/* Devices made from other keys come last, with indices above all others. */
	size_t last =
	    dev->origin == NULL && dev->index < base->count ? dev->index + 1 : base->count;

	for (size_t i = last; i > 0 && base->item[i - 1].index >= dev->index; i--) {
		const struct base_slot *other = &base->item[i - 1];

		if (dev->origin != NULL ? other->origin == dev->origin && other->kind == dev->kind
					: other->origin == NULL && other->index == dev->index)
			return other;
	}
	return NULL;
}

/* Seats the devices that have a slot: pinned ones, and those of the base. */
static void seat_known(struct map *map, struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];
		const struct base_slot *same = find_base(map->base, dev);

		/*
		 * Its slot is free in a target, which assigns no slot that the base pins; an
		 * on_prepare may have put another device there.
		 */
		if (!dev->pinned && same != NULL && owner_of(map, &same->slot) == NULL)
			dev->slot = same->slot;
		if (dev->slot.given && !dev->removed)
			take_seat(map, dev);
	}
}

static void keep_empty(struct map *map, const struct slot *slot, const struct device *dev)
{
	if (slot->given && owner_of(map, slot) == NULL)
		seat_device(map, slot, dev);
}

/* Keeps the slots of removed devices empty, unless the target puts other devices there. */
static void keep_removed(struct map *map, const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i]->removed)
			keep_empty(map, &spec->devices[i]->slot, spec->devices[i]);
	}
	for (size_t i = 0; i < map->base->count; i++) {
		if (map->base->item[i].origin != NULL)
			keep_empty(map, &map->base->item[i].slot, &gone);
	}
}

void slots_assign(struct spec *spec, const struct base_slots *base, const struct pin_map *pins,
    struct report *report)
{
	static const struct base_slots none;
	struct map map = { .base = base != NULL ? base : &none, .pins = pins, .report = report };

	seat_bridges(&map, spec);
	seat_known(&map, spec);
	keep_removed(&map, spec);
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];

		if (dev->slot.given)
			continue;
		if (!find_seat(&map, &dev->slot)) {
			report_at(&map, dev, "no free PCI slot");
			break;
		}
		seat_device(&map, &dev->slot, dev);
	}
	check_functions(&map, spec);
	free_seats(&map);
}
