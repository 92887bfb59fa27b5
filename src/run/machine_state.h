/* The inside of a machine, shared by machine.c (states), boots.c (actions) and exits.c (facts). */
#ifndef RUN_MACHINE_STATE_H
#define RUN_MACHINE_STATE_H

#include "run/child.h"
#include "run/machine.h"
#include "run/pidfile.h"

enum state {
	STATE_WAITING,	/* for the moment of the next boot */
	STATE_CLEARING, /* something of an earlier run is being destroyed before the start */
	STATE_RUNNING,
	STATE_STOPPING, /* the stop ladder is being climbed down */
	STATE_CLEANING, /* what the hypervisor left in the kernel is being destroyed */
	STATE_ENDED,
	STATES
};

enum happening {
	HAPPENED_EXIT,	   /* the hypervisor ended */
	HAPPENED_HELPER,   /* a command of ours ended */
	HAPPENED_DEADLINE, /* the state has lasted long enough */
	HAPPENED_STOP,	   /* somebody asked for a stop */
	HAPPENINGS
};

#define HISTORY 64 /* exits remembered for hooks */

struct exit_record {
	enum cause cause;
	int status, signal;
	int64_t uptime_ms;
	int64_t at_ms;
	char *target;
};

struct machine {
	struct boot_source *source;
	struct machine_options options;
	struct event_queue *events;
	struct waitset *wait;
	enum state state;
	struct boot boot; /* the present one, or the one that ended last */
	struct child child;
	struct pidfile pidfile;
	pid_t helper;	    /* a command of ours that runs, or 0 */
	bool awaits_answer; /* the hypervisor has not said its first word yet */
	char *next_target;  /* of the boot that is waited for */
	bool stop_requested;
	size_t stop_step;	 /* the next one of the ladder */
	int64_t boots;		 /* started so far */
	int64_t automatic_boots; /* decided on so far, whether they came to a start or not */
	int64_t counts[CAUSES];
	struct exit_record history[HISTORY]; /* a ring */
	size_t history_count;		     /* exits ever */
	struct outcome outcome;		     /* of the last boot */
	int64_t uptime_ms;		     /* of the last boot */
	int exec_status;		     /* 126 or 127 when the last start failed in exec */
	int exit_status;		     /* vmrun's own */
};

/* machine.c: every state change and its deadline go through here; ms < 0: no deadline. */
void machine_enter(struct machine *m, enum state state, int64_t ms);
/* Runs a command of ours with a limit; false when it could not be started. */
bool machine_help(struct machine *m, const struct words *command);

/* boots.c */
void boots_begin(struct machine *m);  /* prepare and start the next boot */
void boots_spawn(struct machine *m);  /* start the prepared one */
void boots_exited(struct machine *m); /* the hypervisor has ended */
void boots_over(struct machine *m);   /* all is cleaned: decide */
void boots_end(struct machine *m, int status);
void boots_warn(struct machine *m, const char *text);

/* exits.c */
void exits_remember(struct machine *m);
/* Asks the on_exit hooks: *answer and *label of the first with an opinion (owned), else NULL. */
void exits_ask_hooks(struct machine *m, struct node **answer, char **label);

#endif
