/*
 * The life of one VM: boots, ends, decisions, the next boot.  A table of states and events; each
 * action is short and none of them waits.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "base/report.h"
#include "check/findings.h"
#include "plan/boot.h"
#include "event/event.h"
#include "policy/policy.h"

struct console;
struct machine;
struct simulation;
struct waitset;
struct wake;

struct machine_options {
	struct policy_options policy;
	const char *target;	  /* booted first, unless that boot comes prepared */
	int console_input;	  /* descriptor that a console on stdio reads */
	const char *folder;	  /* RUN-DIR/NAME, where the ledger is kept, or NULL */
	const char *pid_file;	  /* of the hypervisor, or NULL */
	const char *own_pid_file; /* of this process, or NULL */
	bool fix;		  /* mend what the checks find without asking */
	bool force;		  /* and destroy what nobody supervises */
	bool no_checks;
	bool panic;		       /* a cleanup that fails ends the run with STATUS_OS */
	bool ask;		       /* before the first boot, whether to mend what can be */
	struct simulation *simulation; /* lent; NULL: really */
};

/*
 * Takes the first boot if it is prepared (it is empty afterwards); source, events and wait set are
 * lent for the life of the machine.  NULL: see the report.
 */
struct machine *machine_new(struct boot_source *source, const struct machine_options *options,
    struct boot *first, struct event_queue *events, struct waitset *wait, struct report *report);
/* A hypervisor that still runs is killed and reaped. NULL is fine. */
void machine_free(struct machine *m);
/* A simulated one is over when this returns. */
void machine_start(struct machine *m);
/* Takes what the wait set has told, unless its tag is that of something else in the wait set. */
void machine_wake(struct machine *m, const struct wake *wake);
/* When it wants a WAKE_DEADLINE at the latest, by clock_ms(); -1: never. */
int64_t machine_until_ms(const struct machine *m);
void machine_stop(struct machine *m);
/* After it has given up and waits: boots what was refused. False when it has not. */
bool machine_reset(struct machine *m);
/* As a stop, from the last step of the ladder on. */
void machine_kill(struct machine *m);
/*
 * The ladder, then a boot: of this target, NULL: of the next.  Fails with STATUS_SPEC (no such
 * target) or STATUS_CHECK (why it cannot be now).
 */
int machine_reboot(struct machine *m, const char *target, struct error *err);
/* The next boot, whenever it is, is of this target. Fails likewise. */
int machine_next(struct machine *m, const char *target, struct error *err);
/* Boots are made from this from the next one on. Taken. */
void machine_reload(struct machine *m, struct boot_source *fresh);
/* The console's log, under its name. */
void machine_reopen_logs(struct machine *m);
/* What a hypervisor that runs has changed; in a signal handler too. */
void machine_restore_terminal(const struct machine *m);
void machine_tell(const struct machine *m, struct vmrun_state *out);
/* Started so far. */
int64_t machine_boots(const struct machine *m);
/* The console of a serial port that is vmrun's.  Lent; nothing runs on it before a boot. */
struct console *machine_console(struct machine *m);
/* Has the VM one, now or once it boots? */
bool machine_has_console(const struct machine *m);
/* Tells whether the wake is for the console, which can be read or takes more input. */
bool machine_is_console(const struct wake *wake);
/* Wakes the machine, too, when the console takes more input. */
void machine_want_room(struct machine *m, bool wanted);
/* To an event that asks: mend what was found, or let the boot fail. */
void machine_answer(struct machine *m, bool fix);
bool machine_ended(const struct machine *m);
int machine_status(const struct machine *m);
int machine_guest_status(const struct machine *m);
/* What the checks of the last boot found. Lent until the next boot. */
const struct findings *machine_findings(const struct machine *m);

#endif
