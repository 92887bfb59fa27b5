/* The hypervisors, and what they have in common. */
#include "hyper/hyper.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/os.h"

static const struct hypervisor *const hypervisors[] = { &hyper_bhyve, &hyper_qemu };

const struct hypervisor *hyper_find(const char *name)
{
	for (size_t i = 0; i < sizeof(hypervisors) / sizeof(hypervisors[0]); i++) {
		if (strcmp(hypervisors[i]->name, name) == 0)
			return hypervisors[i];
	}
	return NULL;
}

const struct hypervisor *hyper_for_host(void)
{
	return os_has_vmm() ? &hyper_bhyve : &hyper_qemu;
}

/* bhyve(8) EXIT STATUS, and the statuses of sysexits(3) that its sources use. */
const char *hyper_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 4, "its own error" },
		{ 64, "usage error" },
		{ 71, "refused by the operating system" },
		{ 100, "unknown suspend reason" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return NULL;
}

/* Who of the devices before `upto` claims the same? */
static const struct device *find_claim(
    const struct spec *spec, size_t upto, const char *what, const char *value)
{
	const struct device *found = NULL;

	for (size_t i = 0; i < upto && found == NULL; i++) {
		const struct device *dev = spec->devices[i];
		struct pairs claims = { 0 };

		if (dev->removed || dev->kind->claims == NULL)
			continue;
		dev->kind->claims(dev, &claims);
		for (size_t k = 0; k < claims.count; k++) {
			if (strcmp(claims.item[k].key, what) == 0 &&
			    strcmp(claims.item[k].value, value) == 0)
				found = dev;
		}
		pairs_free(&claims);
	}
	return found;
}

void hyper_check_claims(const struct spec *spec, const char *shared, struct report *report)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];
		struct where list = { NULL, "emulations", 0 }, at = { &list, NULL, dev->index };
		struct pairs claims = { 0 };

		if (!dev->removed && dev->kind->claims != NULL)
			dev->kind->claims(dev, &claims);
		for (size_t k = 0; k < claims.count; k++) {
			const char *what = claims.item[k].key, *value = claims.item[k].value;
			const struct device *other = find_claim(spec, i, what, value);

			if (other == NULL || (shared != NULL && strcmp(what, shared) == 0))
				continue;
			MEM_AUTO char *one = device_label(other);
			MEM_AUTO char *two = device_label(dev);

			report_add(report, STATUS_SPEC, &at, "%s and %s both have the %s \"%s\"",
			    one, two, what, value);
		}
		pairs_free(&claims);
	}
}

void plan_clear(struct plan *plan)
{
	free(plan->vm);
	free(plan->bootrom);
	words_free(&plan->argv);
	words_free(&plan->sockets);
	words_free(&plan->notes);
	free(plan->copy_from);
	free(plan->copy_to);
	memset(plan, 0, sizeof(*plan));
}
