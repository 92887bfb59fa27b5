/* The command line of bhyve: for bhyve.c, its plan, and the import, which reads it. */
#ifndef HYPER_BHYVE_PLAN_H
#define HYPER_BHYVE_PLAN_H

#include "hyper/bhyve_words.h"
#include "hyper/hyper.h"

#define BHYVE_AMD64_ONLY "bhyve has this on amd64 only" /* why a key is refused */

/* An option without an argument, which sets one variable. */
struct bhyve_flag {
	const char *key; /* of the spec */
	char letter;
	const char *variable, *value;
	size_t offset; /* of a bool in struct spec */
};

/* All of them; the last has no key. */
extern const struct bhyve_flag bhyve_flags[];

/* State of making one plan. */
struct bhyve_build {
	const struct plan_request *request;
	const struct spec *spec;
	struct bhyve_host host;
	struct bhyve_out out;
	struct plan *plan;
	struct report *report;
};

/* Makes the plan for struct hypervisor; returns -1 if it has added to the report. */
int bhyve_plan(const struct plan_request *request, struct plan *plan, struct report *report);

/* Returns the host that a command for this spec is made for: its own, the spec's or a default. */
struct bhyve_host bhyve_host_of(const struct spec *spec);
/*
 * Returns the variables that -s ...,amd_hostbridge stands for, a list of keys and values: bhyve
 * knows this model there only.
 */
const char *const *bhyve_amd_hostbridge(const struct bhyve_host *host);
/* Reports why a key of the spec is refused. */
void bhyve_refuse(struct bhyve_build *b, const char *key, const char *why);
/* Returns a size in the syntax of -m of bhyve, bhyveload and grub-bhyve.  Caller frees. */
char *bhyve_size(int64_t bytes);
/* Adds processors, memory, domains, debugger, fw_cfg and SMBIOS (bhyve_guest.c). */
void bhyve_add_guest(struct bhyve_build *b);
/* Returns whether memory is wired, because of the spec or of a device. */
bool bhyve_is_wired(const struct spec *spec);
/* Sets the keys of the flags that this VM has to have. */
void bhyve_complete_flags(struct spec *spec);
/* Plans the loader, if there is one (bhyve_loader.c). */
void bhyve_add_loader(struct bhyve_build *b);

#endif
