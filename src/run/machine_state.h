/* The inside of a machine, shared by machine.c (states), boots.c (actions) and exits.c (facts). */
#ifndef RUN_MACHINE_STATE_H
#define RUN_MACHINE_STATE_H

#include "run/child.h"
#include "run/machine.h"
#include "run/pace.h"
#include "run/pidfile.h"

enum state {
	STATE_WAITING, /* for the moment of the next boot */
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

/* A hypervisor with a control protocol says its first word within this. */
#define ANSWER_MS 10000

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
	int64_t deadline_ms; /* of the state, by clock_ms() */
	pid_t helper;	     /* a command of ours that runs, or 0 */
	bool helper_killed;
	int helper_status;	   /* of the one that ended last; -1: it died of a signal */
	int64_t cleaning_until_ms; /* how long the kernel may take to let go of the VM */
	bool awaits_answer;	   /* the hypervisor has not said its first word yet */
	bool gave_up;		   /* it never did, and we killed it */
	char *next_target;	   /* of the boot that is waited for */
	bool stop_requested;
	size_t stop_step; /* the next one of the ladder */
	int64_t boots;	  /* started so far */
	struct pace pace; /* of automatic boots */
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
/* Starts a command of ours; the state's deadline is its limit. False when it cannot be started. */
bool machine_help(struct machine *m, const struct words *command);

/* cleaning.c: what the hypervisor left in the kernel is destroyed, then boots_over() goes on. */
void cleaning_begin(struct machine *m);
void cleaning_helper_ended(struct machine *m);
void cleaning_deadline(struct machine *m);
/* Adds the command that destroys what is left now; none when there is nothing. */
void cleaning_command(const struct machine *m, struct words *command);

/* boots.c */
void boots_begin(struct machine *m);  /* prepare and start the next boot */
void boots_exited(struct machine *m); /* the hypervisor has ended */
void boots_over(struct machine *m);   /* all is cleaned: decide */
void boots_end(struct machine *m, int status);
void boots_warn(struct machine *m, const char *text);

/* exits.c */
void exits_remember(struct machine *m);
/* What on_exit is told about the exit remembered last. Caller frees. */
struct node *exits_facts(const struct machine *m);

/* hooks.c */
/*
 * Asks the functions of a hook; is_there: the document itself has one.  *answer and *label are of
 * the first with an opinion (owned), else NULL.  Failures become events.
 */
void hooks_ask(struct machine *m, const char *hook, bool is_there,
    struct node *(*facts)(const struct machine *), struct node **answer, char **label);
/* on_start: why it refuses the boot (owned), or NULL. */
char *hooks_start(struct machine *m);
void hooks_started(struct machine *m);
void hooks_end(struct machine *m);

#endif
