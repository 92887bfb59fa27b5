/* The handle of the public library; private to this directory. */
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

/* The strings that a lent finding owns. */
enum lent_string {
	LENT_DEVICE,
	LENT_ID,
	LENT_DEVICE_PATH,
	LENT_PATH,
	LENT_WHAT,
	LENT_PROBLEM,
	LENT_FIX,
	LENT_STRINGS
};

/* A finding as vmrun_finding() returns it, with its own strings. */
struct lent_finding {
	struct vmrun_finding finding;
	char *string[LENT_STRINGS]; /* owned */
	char slot[SLOT_TEXT];
};

/* The findings of one check. */
struct event_findings {
	struct lent_finding *item;
	size_t count;
};

/* What functions of a handle that they may not change lend. */
struct lent {
	struct vmrun_state state;
	struct vmrun_problem *problems;
	size_t problem_count;
	struct words bhyve_words; /* of the boot that is prepared; empty: not asked for yet */
};

struct vmrun {
	struct vmrun_options options;
	struct words settings, args, allow;
	struct pairs spec_args;
	struct hook_list hooks; /* of the options */
	struct policy_options policy;
	struct boot_source source;
	struct boot first; /* prepared, not started */
	struct machine *machine;
	struct waitset *wait;	      /* of the machine and the control socket; NULL before */
	int64_t deadline_ms;	      /* of the wait set; -1: none */
	struct control *control;      /* NULL: options.control is false, or it has not started */
	struct simulation simulation; /* input of a machine that simulates */
	struct report report;
	bool is_usable; /* the report is of one call, and the next one may do better */
	struct event_queue events;
	struct vmrun_event event; /* lent by vmrun_next_event() */
	struct lent *lent;
	struct rundir rundir;
	char *run_dir, *state_dir;	 /* absolute */
	char *name;			 /* of the VM */
	char *refusal;			 /* why the last request was refused, or NULL */
	char *saved_state;		 /* vmrun.state as its file has it, in one line, or NULL */
	char *unsaved_state;		 /* newer vmrun.state that could not be written, or NULL */
	bool is_reloading;		 /* the spec is being read again */
	char *program;			 /* of the hypervisor, or NULL */
	char *pid_file, *own_pid_file;	 /* absolute, or NULL */
	int console_input;		 /* -1: this program's stdin */
	bool is_locked;			 /* this handle holds the lock of the VM's name */
	struct event_findings *findings; /* for vmrun_finding(); NULL: none */
};

/*
 * vmrun.c: reads the spec of the options into a source that has all else.  Returns 0, or -1 with
 * problems in the report.
 */
int handle_read(struct vmrun *vm, struct boot_source *into, struct report *report);
/*
 * vmrun.c: returns whether the handle has a problem that lets it do nothing more; forgets those of
 * the last call alone.
 */
bool handle_failed(struct vmrun *vm);
/*
 * supervision.c: locks the VM's name, unless it is locked.  Returns 0, or a status with a problem
 * in the handle's report.
 */
int handle_lock(struct vmrun *vm);

/* supervision.c: refuses a call for this reason, see vmrun_refusal().  Returns STATUS_USAGE. */
int handle_refuse(struct vmrun *vm, const char *why);
#define HANDLE_NOT_STARTED "the VM is not started"
/* Forgets why the last call was refused. */
void handle_forget_refusal(struct vmrun *vm);

/* supervision.c: returns the number of a cause by its name, which may be NULL. */
enum vmrun_cause handle_cause_code(const char *name);

/*
 * loop.c: creates the wait set, unless there is one.  Returns 0, or a status with a problem in the
 * handle's report.
 */
int loop_open(struct vmrun *vm);
/* Handles what has happened, up to a limit, and never blocks.  Returns 0, or -1 with an error. */
int loop_dispatch(struct vmrun *vm, struct error *err);
/*
 * Updates the clients of the control socket and sets the deadline.  Must be called after each wake
 * and at the end of each public function that may change the machine.
 */
void loop_update(struct vmrun *vm);

/* script_calls.c: the functions of struct script_options, whose context is the handle. */
int handle_load_state(void *context, struct node **out, struct error *err);
int handle_save_state(void *context, const struct node *state, bool is_explicit, struct error *err);
/*
 * Drops the state of a stock hook, in memory and in the file.  Returns 0, or -1 with STATUS_CHECK
 * if there is no state.
 */
int handle_forget_state(void *context, const char *hook, struct error *err);
void handle_event(void *context, const char *by, const char *json);
int handle_firmware(void *context, const char *kind, const char **path, struct error *err);
int64_t handle_simulated_seconds(void *context);

/*
 * checks.c: copies the findings of the machine's last checks into an event, and their problems as
 * JSON.
 */
void handle_find(void *context, struct event_record *r);
void handle_free_findings(struct event_findings *findings);
/* Takes findings (NULL: none) for vmrun_finding(). */
void handle_take_findings(struct vmrun *vm, struct event_findings **findings);

#endif
