/* Problems and events in the words that people read, on stderr. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "vmrun/vmrun.h"

struct renderer {
	const char *hypervisor;
	int signals;   /* readable when one has come; for what is asked */
	bool console;  /* a hypervisor has the terminal, perhaps in raw mode */
	bool reported; /* the checks' report has told why the boot fails */
	bool foretold; /* the policy has its heading */
	bool stuck; /* nobody reads our stderr: what does not fit is dropped until somebody does */
};

/* Writes lines as they are. */
void render_text(struct renderer *renderer, const char *text);
void render_problems(const struct vmrun *vm);
/* A vmrun_event_handler; context is a struct renderer. */
void render_event(const struct vmrun_event *event, void *context);

#endif
