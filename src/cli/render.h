/* Problems and events in the words that people read, on stderr. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "live.h"
#include "vmrun/vmrun.h"

struct renderer {
	const char *hypervisor;
	struct live live;
	bool console;  /* a hypervisor has the terminal, perhaps in raw mode */
	bool terminal; /* and what is typed there is the guest's */
	bool reported; /* the checks' report has told why the boot fails */
	bool foretold; /* the policy has its heading */
	bool stuck; /* nobody reads our stderr: what does not fit is dropped until somebody does */
};

/* Writes lines as they are. */
void render_text(struct renderer *renderer, const char *text);
/* Says a line about the VM. */
void render_line(struct renderer *renderer, const char *vm, const char *text);
void render_problems(const struct vmrun *vm);
/* A vmrun_event_handler; context is a struct renderer. */
void render_event(const struct vmrun_event *event, void *context);

#endif
