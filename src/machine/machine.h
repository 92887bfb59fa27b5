/*
 * The life of one VM: boots, exits, decisions, the next boot.  A table of states and events; its
 * actions are short: the longest, kill_unlocked(), blocks for up to 50 ms.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "base/report.h"
#include "check/findings.h"
#include "plan/boot.h"
#include "event/event.h"
#include "policy/policy.h"
#include "vmrun/vmrun.h"

struct console;
struct hook_script;
struct machine;
struct simulation;
struct waitset;
struct wake;

struct machine_options {
	struct policy_options policy;
	const char *target;	  /* target of the first boot, unless it is prepared */
	int console_input;	  /* descriptor that a console on stdio reads from */
	const char *directory;	  /* RUN-DIR/NAME, where the ledger is kept, or NULL */
	const char *pid_file;	  /* of the hypervisor, or NULL */
	const char *own_pid_file; /* of this process, or NULL */
	bool fix;		  /* apply fixes without asking */
	bool force;		  /* also destroy a VM that no vmrun supervises */
	bool no_checks;
	bool panic;		       /* a failed cleanup ends the run with STATUS_OS */
	bool ask;		       /* ask before the first boot whether to apply fixes */
	struct simulation *simulation; /* lent; NULL: a real run */
	vmrun_decide_handler *decide;  /* asked before hooks, or NULL */
	void *decide_context;
	bool keeps_signals; /* the caller changes no action of a signal */
	bool guest_status;  /* end with the status of the hypervisor */
};

/*
 * Makes a machine.  Takes the first boot if it is prepared (it is empty afterwards); source, events
 * and wait set are lent for the life of the machine.  Returns NULL on failure, see the report.
 */
struct machine *machine_new(struct boot_source *source, const struct machine_options *options,
    struct boot *first, struct event_queue *events, struct waitset *wait, struct report *report);
/* Returns the number of a cause in the public header. */
enum vmrun_cause machine_cause_code(enum cause cause);
/* Frees the machine; kills and reaps a hypervisor that still runs. NULL is allowed. */
void machine_free(struct machine *m);
/* Starts the machine. A simulation is over when this returns. */
void machine_start(struct machine *m);
/* Handles a wake of the wait set that has a tag of the machine. */
void machine_wake(struct machine *m, const struct wake *wake);
/* Returns when the machine needs a WAKE_DEADLINE, as clock_ms() counts; -1: never. */
int64_t machine_until_ms(const struct machine *m);
/* Returns whether a hook computes and continues at once, at the machine's deadline. */
bool machine_computes(const struct machine *m);
/* Stops the VM by the ladder and ends the supervision; each further call takes the next step. */
void machine_stop(struct machine *m);
/*
 * Boots the refused target after the VM was given up; returns false when it was not.  The boot that
 * a hook asks for is an automatic one.
 */
bool machine_reset(struct machine *m, bool by_hook);
/* Fails with STATUS_SPEC if the next boot has no such target; NULL is none. */
int machine_check_target(const struct machine *m, const char *target, struct error *err);
/* Stops as the last step of the ladder does. */
void machine_kill(struct machine *m);
/*
 * Stops the VM by the ladder, then boots this target; NULL: the next one.  Fails with STATUS_SPEC
 * (no such target) or STATUS_CHECK (not possible in the present state).
 */
int machine_reboot(struct machine *m, const char *target, struct error *err);
/* Sets the target of the next boot, whenever that is. Fails as machine_reboot() does. */
int machine_next(struct machine *m, const char *target, struct error *err);
/*
 * Reports why no boot can follow that would use a new source; else each target that it lacks
 * although it runs, waits or is decided, is requested, or may follow by the policy of the present
 * boot.
 */
void machine_check_reload(
    const struct machine *m, const struct boot_source *fresh, struct report *report);
/* Replaces the source from the next boot on. Takes it. */
void machine_reload(struct machine *m, struct boot_source *fresh);
/*
 * Runs a script of a client once, as a hook of the VM that runs.  Returns a number for
 * machine_end_run(); `done` may have been called by then.  Fails with STATUS_CHECK if no VM runs.
 */
int64_t machine_run(struct machine *m, const struct hook_script *script, struct error *err);
/* Ends a script that still runs, without its `done`. */
void machine_end_run(struct machine *m, int64_t number);
/* Opens the console's log again by its path. */
void machine_reopen_logs(struct machine *m);
/* Restores the terminal of a running hypervisor; safe in a signal handler. */
void machine_restore_terminal(const struct machine *m);
/* Fills in the state; its strings are lent until the machine goes on. */
void machine_get_state(const struct machine *m, struct vmrun_state *out);
/*
 * Gets what ended the boot that a stop request has ended, and what a step of the stop ladder did,
 * as text for the user; NULL: no boot ran then.  Lent until the machine goes on.
 */
void machine_get_end(const struct machine *m, const char **ended_by, const char **text);
/* Returns how long the steps of the stop ladder may last, from the present one on. */
int64_t machine_stop_limit_ms(const struct machine *m);
/* Returns how many boots have ended by this cause. */
int64_t machine_exits(const struct machine *m, enum cause cause);
/* Returns when the last boot ended, in milliseconds since 1970, UTC; 0: none has. */
int64_t machine_exit_date_ms(const struct machine *m);
/* Returns the number of boots started so far. */
int64_t machine_boots(const struct machine *m);
/* Lends the console of a serial port. */
struct console *machine_console(struct machine *m);
/* Returns whether the VM has such a console, now or at its next boot. */
bool machine_has_console(const struct machine *m);
/* Returns whether it may have one in some boot, of whichever target. */
bool machine_may_have_console(const struct machine *m);
/* Returns whether the wake is for the console: it has output, or accepts more input. */
bool machine_is_console(const struct wake *wake);
/* Chooses whether the machine also wakes when the console accepts more input. */
void machine_want_room(struct machine *m, bool wanted);
/* Answers the event that asks the user: applies the fixes, or lets the boot fail. */
void machine_allow_fixes(struct machine *m, bool fix);
/* Returns whether the supervision is over. */
bool machine_ended(const struct machine *m);
/* Returns the exit status for vmrun. */
int machine_status(const struct machine *m);
/* Returns the status of the last boot's hypervisor; for a signal, 128 + its number. */
int machine_guest_status(const struct machine *m);
/* Lends the findings of the last checks until the next boot. */
const struct findings *machine_findings(const struct machine *m);

#endif
