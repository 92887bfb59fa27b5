/* What a handle of the public library holds: private to this room. */
#ifndef LIB_HANDLE_H
#define LIB_HANDLE_H

#include "check/findings.h"
#include "plan/boot.h"
#include "control/control.h"
#include "machine/machine.h"
#include "machine/simulation.h"
#include "platform/waitset.h"
#include "ledger/pidfile.h"
#include "ledger/rundir.h"
#include "vmrun/vmrun.h"

/* A finding as vmrun_finding() gives it, with strings of its own. */
struct shown {
	struct vmrun_finding finding;
	char *string[7]; /* of the finding, to be freed */
	char slot[SLOT_TEXT];
};

struct vmrun {
	struct vmrun_options options;
	struct words settings, args, allow;
	struct hook_list hooks; /* of the options */
	struct policy_options policy;
	struct boot_source source;
	struct boot first; /* prepared, not started */
	struct machine *machine;
	struct waitset *wait;	      /* of the machine and the control socket; NULL before */
	int64_t armed_ms;	      /* what its deadline is set to; -1: nothing */
	struct control *control;      /* NULL: options.control is false, or it has not started */
	struct simulation simulation; /* that the machine walks through, if it does */
	struct report report;
	struct event_queue events;
	struct rundir rundir;
	char *run_dir, *state_dir; /* absolute */
	char *name;		   /* of the VM */
	char *refusal;		   /* why the last request was refused, or NULL */
	char *kept_state;	   /* vmrun.state as its file has it, in one line, or NULL */
	char *unkept_state;	   /* vmrun.state that could not be written since, or NULL */
	bool reads_again;	   /* the spec is being read for a later boot */
	char *program;		   /* of the hypervisor, or NULL */
	int console_input;	   /* -1: this program's stdin */
	bool claimed;		   /* nobody else supervises a VM of this name */
	struct shown *shown;	   /* what the last checks found; NULL before any */
	size_t shown_count;
	char *shown_problems; /* of them, as a JSON list; lent to an event */
};

/* vmrun.c: reads the spec of the options into a source that has everything else. -1: see report. */
int handle_read(struct vmrun *vm, struct boot_source *into, struct report *report);
/* supervision.c: takes the lock of the VM's name and the pid file, unless we have them. 0, or a
 * status that is in the report too. */
int handle_claim(struct vmrun *vm);

/* loop.c: makes the wait set, unless there is one.  0, or a status that is in the report too. */
int loop_open(struct vmrun *vm);
/* Takes what has happened, within limits. */
int loop_turn(struct vmrun *vm, struct error *err);
/*
 * Settles the clients of the control socket and sets the deadline: after each thing that happened,
 * and after each function of the public header that may have changed anything.
 */
void loop_settle(struct vmrun *vm);

/* script_calls.c: functions for struct script_options; the context is the handle. */
int handle_load_state(void *context, struct node **out, struct error *err);
int handle_save_state(void *context, const struct node *state, bool asked, struct error *err);
/* Drops what a stock hook has kept, now and in the file; STATUS_CHECK where there is nothing. */
int handle_forget_state(void *context, const char *hook, struct error *err);
void handle_event(void *context, const char *by, const char *json);
int handle_firmware(void *context, const char *kind, const char **path, struct error *err);
int64_t handle_ahead(void *context);

/* checks.c: keeps what a boot of the target that was merged last found, for vmrun_finding(). */
void handle_show(struct vmrun *vm, const struct findings *findings);
void handle_forget(struct vmrun *vm);
/* Those that are problems, for the event that told of so many; NULL when they are others now. */
const char *handle_problems(struct vmrun *vm, int count);
/* The same of findings that vmrun_finding() does not give (yet).  Caller frees. */
char *handle_problems_of(const struct vmrun *vm, const struct findings *findings, int count);

#endif
