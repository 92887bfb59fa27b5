/* Problems and events in the words that people read. */
#ifndef VMRUN_RENDER_H
#define VMRUN_RENDER_H

#include "events.h"
#include "sink.h"
#include "vmrun/vmrun.h"

struct renderer {
	struct sink sink;
	struct events events; /* where they go as they are */
	const char *hypervisor;
	enum level level;	 /* of what is being said */
	bool terminal;		 /* what is typed at the terminal is the guest's */
	bool report_shown;	 /* the checks' report has told why the boot fails */
	bool has_policy_heading; /* the policy has its heading */
};

/* Says the report of checks that failed. */
void render_report(struct renderer *renderer, const char *text);
/* Says how the VM stands. */
void render_status(struct renderer *renderer, const char *vm, const char *text);
void render_problems(const struct vmrun *vm, struct renderer *renderer);
void render_event(const struct vmrun_event *event, struct renderer *renderer);

#endif
