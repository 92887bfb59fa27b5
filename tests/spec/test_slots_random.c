/* PCI addresses: properties of every spec and its targets. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define TARGETS 3
#define MOST 60

/* A base and its targets, as boot.c prepares them. */
struct family {
	struct dice dice;
	struct pin_map pins;
	struct spec *base, *target[TARGETS];
};

static void add_device(struct dice *d, struct str *list, bool crowded)
{
	unsigned kind = dice_roll(d, 10);

	str_addf(list, "%s{'device':'raw','value':'x'", list->length > 0 ? "," : "");
	if (kind < 2)
		str_addf(list, ",'slot':'%u'", 1 + dice_roll(d, 30));
	else if (kind == 2 && crowded)
		str_addf(
		    list, ",'slot':'%u:%u:%u'", dice_roll(d, 2), dice_roll(d, 32), dice_roll(d, 8));
	str_add(list, "}");
}

static struct spec *make_spec(const struct str *devices)
{
	MEM_AUTO char *keys =
	    mem_format("'emulations':[%s]", devices->text == NULL ? "" : devices->text);

	return spec_of(keys);
}

static void make_family(struct family *f, unsigned seed)
{
	struct str list = { 0 };
	bool crowded;

	memset(f, 0, sizeof(*f));
	dice_start(&f->dice, seed);
	crowded = dice_roll(&f->dice, 3) == 0;
	for (unsigned n = dice_roll(&f->dice, crowded ? MOST : 6); n > 0; n--)
		add_device(&f->dice, &list, crowded);
	f->base = make_spec(&list);
	for (int i = 0; i < TARGETS; i++) {
		struct str more = { 0 };

		str_add(&more, list.text == NULL ? "" : list.text);
		for (unsigned n = dice_roll(&f->dice, 6); n > 0; n--)
			add_device(&f->dice, &more, crowded);
		f->target[i] = make_spec(&more);
		for (size_t k = 0; k < f->base->device_count; k++)
			f->target[i]->devices[k]->removed = dice_roll(&f->dice, 8) == 0;
		str_free(&more);
		slots_collect(&f->pins, f->target[i]);
	}
	slots_collect(&f->pins, f->base);
	str_free(&list);
}

static void free_family(struct family *f)
{
	spec_free(f->base);
	for (int i = 0; i < TARGETS; i++)
		spec_free(f->target[i]);
}

static bool is_pinned_slot(const struct family *f, const struct slot *s)
{
	size_t i = (size_t)s->bus * SLOT_SLOTS + (size_t)s->slot;

	return (f->pins.bits[i / 8] >> i % 8 & 1) != 0;
}

/* Returns the device at an address, except removed ones, or NULL. */
static const struct device *device_at(const struct spec *spec, struct slot s)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		if (!spec->devices[i]->removed && slot_equal(&spec->devices[i]->slot, &s))
			return spec->devices[i];
	}
	return NULL;
}

static bool is_bridge(const struct spec *spec, const struct slot *s)
{
	return slot_equal(s, &spec->lpc_slot) || slot_equal(s, &spec->hostbridge_slot);
}

/* Returns the number of addresses that are used twice, and of functions without function 0. */
static size_t count_faults(const struct spec *spec)
{
	size_t faults = 0;

	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];
		struct slot zero = { true, dev->slot.bus, dev->slot.slot, 0 };

		if (dev->removed)
			continue;
		if (is_bridge(spec, &dev->slot) || device_at(spec, dev->slot) != dev)
			faults++;
		if (device_at(spec, zero) == NULL && !is_bridge(spec, &zero))
			faults++;
	}
	return faults;
}

static void check_automatic(
    const struct family *f, const struct spec *spec, const struct device *dev)
{
	struct slot zero = { true, dev->slot.bus, dev->slot.slot, 0 };
	const struct device *first = device_at(spec, zero);

	dice_check(&f->dice, dev->slot.given, "a seat");
	dice_check(&f->dice, !is_pinned_slot(f, &dev->slot), "keeps off pinned slots");
	dice_check(&f->dice, dev->slot.bus > 0 || (dev->slot.slot >= 1 && dev->slot.slot <= 30),
	    "not at 0 or 31");
	dice_check(&f->dice, first == NULL || !first->pinned, "function of the user's slot");
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *other = spec->devices[i];

		dice_check(&f->dice, other == dev || !slot_equal(&other->slot, &dev->slot),
		    "alone there, removed devices included");
	}
}

static void check_spec(const struct family *f, struct spec *spec, const struct spec *base)
{
	struct report report = { 0 };
	struct base_slots of_base = { 0 };

	if (base != NULL)
		slots_note(&of_base, base);
	slots_assign(spec, base == NULL ? NULL : &of_base, &f->pins, &report);
	slots_forget(&of_base);
	dice_check(&f->dice, report.count == count_faults(spec), "as many problems as faults");
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (!dev->pinned)
			check_automatic(f, spec, dev);
		if (base != NULL && i < base->device_count)
			dice_check(&f->dice, slot_equal(&dev->slot, &base->devices[i]->slot),
			    "the base stays");
	}
	report_free(&report);
}

static void test_properties(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 400; seed++) {
		struct family f;

		make_family(&f, seed);
		check_spec(&f, f.base, NULL);
		for (int i = 0; i < TARGETS; i++)
			check_spec(&f, f.target[i], f.base);
		free_family(&f);
	}
}

static void test_deterministic(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 50; seed++) {
		struct family f[2];
		struct report ignored = { 0 };

		for (int i = 0; i < 2; i++) {
			struct base_slots of_base = { 0 };

			make_family(&f[i], seed);
			slots_assign(f[i].base, NULL, &f[i].pins, &ignored);
			slots_note(&of_base, f[i].base);
			slots_assign(f[i].target[0], &of_base, &f[i].pins, &ignored);
			slots_forget(&of_base);
		}
		for (size_t i = 0; i < f[0].target[0]->device_count; i++)
			dice_check(&f[0].dice,
			    slot_equal(&f[0].target[0]->devices[i]->slot,
				&f[1].target[0]->devices[i]->slot),
			    "same spec, same slots");
		report_free(&ignored);
		free_family(&f[0]);
		free_family(&f[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
