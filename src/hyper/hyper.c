/* The hypervisors, and what they have in common. */
#include "hyper/hyper.h"

#include <stdlib.h>
#include <string.h>

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
		{ 4, "bhyve's own error" },
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

void plan_clear(struct plan *plan)
{
	free(plan->vm);
	words_free(&plan->argv);
	words_free(&plan->sockets);
	words_free(&plan->notes);
	free(plan->copy_from);
	free(plan->copy_to);
	memset(plan, 0, sizeof(*plan));
}
