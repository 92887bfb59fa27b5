/* Problems and events as text. */
#ifndef VMRUN_RENDER_H
#define VMRUN_RENDER_H

#include "events.h"
#include "sink.h"
#include "vmrun/vmrun.h"

struct renderer {
	struct sink sink;
	struct events events; /* the stream of --events */
	const char *hypervisor;
	enum level level;  /* of the event that is being written */
	bool terminal;	   /* keys typed at the terminal go to the guest */
	bool report_shown; /* the report of the checks gave the reason of the failed boot */
	/* The policy that is told at the start, until its last line (render.c). */
	struct {
		char *heading; /* owned: "policy of target default"; NULL: none is open */
		bool has_rows; /* the heading is written */
		bool reboots;  /* a reboot boots the same target again, as by default */
	} policy;
};

/* Writes the report of failed checks. */
void render_report(struct renderer *renderer, const char *text);
/* Writes the state of the VM. */
void render_status(struct renderer *renderer, const char *vm, const char *text);
/* Writes the problems of a handle. */
void render_problems(const struct vmrun *vm, struct renderer *renderer);
/* Writes an event, as text or JSON. */
void render_event(const struct vmrun_event *event, struct renderer *renderer);

#endif
