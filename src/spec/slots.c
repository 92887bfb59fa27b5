/* Assigning PCI addresses. */
#include "spec/slots.h"

#include <stdlib.h>

#include "base/mem.h"

#define FIRST_SLOT 1 /* of bus 0: slot 0 is the host bridge's place, 31 the lpc's */
#define LAST_SLOT 30

/* The owner of a PCI function. */
struct seat {
	const struct device *device;
	const char *bridge; /* "hostbridge" or "lpc" instead of a device */
	bool pinned;	    /* by the user, to whom its free functions belong, too */
};

struct map {
	struct seat *bus[SLOT_BUSES]; /* allocated at the first use: most VMs have one bus */
	const struct pin_map *pins;
	struct report *report;
};

static size_t slot_index(int bus, int slot)
{
	return (size_t)bus * SLOT_SLOTS + (size_t)slot;
}

static struct seat *seat_at(struct map *map, int bus, int slot, int function)
{
	if (map->bus[bus] == NULL)
		map->bus[bus] = mem_zero(sizeof(struct seat) * SLOT_SLOTS * SLOT_FUNCTIONS);
	return &map->bus[bus][slot * SLOT_FUNCTIONS + function];
}

static struct seat *seat_of(struct map *map, const struct slot *s)
{
	return seat_at(map, s->bus, s->slot, s->function);
}

static bool is_taken(const struct seat *seat)
{
	return seat->device != NULL || seat->bridge != NULL;
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
	if (spec->lpc_slot.given)
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

/* Seats a device, or reports the one that has its seat. */
static void take_seat(struct map *map, const struct device *dev)
{
	struct seat *seat = seat_of(map, &dev->slot);
	MEM_AUTO char *mine = device_label(dev);
	MEM_AUTO char *other = NULL;
	char slot[SLOT_TEXT];

	if (is_taken(seat)) {
		other = seat->bridge != NULL ? mem_format("the %s", seat->bridge)
					     : device_label(seat->device);
		report_at(map, dev, "%s and %s are both at slot %s", other, mine,
		    slot_text(&dev->slot, slot));
		return;
	}
	seat->device = dev;
	seat->pinned = dev->pinned;
}

static bool slot_is_free(struct map *map, int bus, int slot)
{
	if (has_pin(map->pins, bus, slot))
		return false;
	for (int f = 0; f < SLOT_FUNCTIONS; f++) {
		if (is_taken(seat_at(map, bus, slot, f)))
			return false;
	}
	return true;
}

/* Returns a free function of a slot whose function 0 vmrun assigned itself, or -1. */
static int free_function(struct map *map, int bus, int slot)
{
	const struct seat *zero = seat_at(map, bus, slot, 0);

	if (zero->device == NULL || zero->pinned || zero->device->removed ||
	    has_pin(map->pins, bus, slot))
		return -1;
	for (int f = 1; f < SLOT_FUNCTIONS; f++) {
		if (!is_taken(seat_at(map, bus, slot, f)))
			return f;
	}
	return -1;
}

static bool find_seat(struct map *map, struct slot *found)
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
static bool is_hidden(struct map *map, const struct slot *s)
{
	const struct seat *zero = seat_at(map, s->bus, s->slot, 0);

	return s->function != 0 &&
	    (!is_taken(zero) || (zero->device != NULL && zero->device->removed));
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

	if (spec->lpc_slot.given)
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
	if (spec->lpc_slot.given) {
		seat_of(map, &spec->lpc_slot)->bridge = "lpc";
		seat_of(map, &spec->lpc_slot)->pinned = true;
	}
	if (spec->hostbridge == HOSTBRIDGE_NONE)
		return;
	if (spec->lpc_slot.given && slot_equal(&spec->lpc_slot, &spec->hostbridge_slot)) {
		struct where at = { NULL, "hostbridge_slot", 0 };

		report_add(map->report, STATUS_SPEC, &at,
		    "the hostbridge and the lpc are both at this slot");
	}
	seat_of(map, &spec->hostbridge_slot)->bridge = "hostbridge";
	seat_of(map, &spec->hostbridge_slot)->pinned = true;
}

/* Returns the same device of the base, or NULL.  Malformed entries are in neither list. */
static const struct device *base_device(const struct spec *base, const struct device *dev)
{
	size_t count = base == NULL ? 0 : base->device_count;
	/* Devices made from other keys come last, with indices above all others. */
	size_t last = dev->origin == NULL && dev->index < count ? dev->index + 1 : count;

	for (size_t i = last; i > 0 && base->devices[i - 1]->index >= dev->index; i--) {
		const struct device *other = base->devices[i - 1];

		if (dev->origin != NULL ? other->origin == dev->origin && other->kind == dev->kind
					: other->index == dev->index)
			return other;
	}
	return NULL;
}

void slots_assign(
    struct spec *spec, const struct spec *base, const struct pin_map *pins, struct report *report)
{
	struct map map = { .pins = pins, .report = report };

	seat_bridges(&map, spec);
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];
		const struct device *same = base_device(base, dev);

		/* Its slot is free: a target assigns no slot that the base pins. */
		if (!dev->pinned && same != NULL)
			dev->slot = same->slot;
		if (dev->slot.given && !dev->removed)
			take_seat(&map, dev);
	}
	/* A removed device keeps its slot empty, unless the target puts another device there. */
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];

		if (dev->removed && dev->slot.given && !is_taken(seat_of(&map, &dev->slot)))
			seat_of(&map, &dev->slot)->device = dev;
	}
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];

		if (dev->slot.given)
			continue;
		if (!find_seat(&map, &dev->slot)) {
			report_at(&map, dev, "no free PCI slot");
			break;
		}
		seat_of(&map, &dev->slot)->device = dev;
	}
	check_functions(&map, spec);
	for (int bus = 0; bus < SLOT_BUSES; bus++)
		free(map.bus[bus]);
}
