/* Problems and events in the words that people read. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "events.h"
#include "sink.h"
#include "vmrun/vmrun.h"

struct renderer {
	struct sink sink;
	struct events events; /* where they go as they are */
	const char *hypervisor;
	int signals;	  /* readable when one has come; for what is asked */
	enum level level; /* of what is being said */
	bool reported;	  /* the checks' report has told why the boot fails */
	bool foretold;	  /* the policy has its heading */
};

/* Says the report of checks that failed. */
void render_report(struct renderer *renderer, const char *text);
void render_problems(const struct vmrun *vm, struct renderer *renderer);
void render_event(const struct vmrun_event *event, struct renderer *renderer);

#endif
