/* bhyve's command line: private to bhyve.c and its plan. */
#ifndef HYPER_BHYVE_PLAN_H
#define HYPER_BHYVE_PLAN_H

#include "hyper/bhyve_words.h"
#include "hyper/hyper.h"

/* One plan in the making. */
struct bhyve_build {
	const struct plan_request *request;
	const struct spec *spec;
	struct bhyve_host host;
	struct bhyve_out out;
	struct plan *plan;
	struct report *report;
};

int bhyve_plan(const struct plan_request *request, struct plan *plan, struct report *report);

/* Reports a fault of a key of the spec. */
void bhyve_refuse(struct bhyve_build *b, const char *key, const char *why);
/* A size as -m of bhyve, bhyveload and grub-bhyve read it. Caller frees. */
char *bhyve_size(int64_t bytes);
/* bhyve_guest.c: processors, memory, domains, debugger, fw_cfg, SMBIOS. */
void bhyve_add_guest(struct bhyve_build *b);
/* Is memory wired: because the spec says so, or because a device needs it? */
bool bhyve_is_wired(const struct spec *spec);
/* bhyve_loader.c: the program that runs before it, if any. */
void bhyve_add_loader(struct bhyve_build *b);

#endif
