/*
 * The inside of a machine, shared by machine.c (states), drafting.c (from a target to a plan),
 * preparing.c (from a plan to a start), boots.c (what a boot and its end are), cleaning.c (after
 * it), deciding.c (what comes next) and exits.c (facts).
 */
#ifndef MACHINE_MACHINE_INSIDE_H
#define MACHINE_MACHINE_INSIDE_H

#include "check/check.h"
#include "machine/hook_call.h"
#include "machine/child.h"
#include "machine/companions.h"
#include "process/console.h"
#include "ledger/disklock.h"
#include "ledger/ledger.h"
#include "process/helper.h"
#include "machine/machine.h"
#include "policy/rate_limit.h"
#include "machine/simulation.h"
#include "ledger/pidfile.h"
#include "ledger/tap.h"

enum state {
	STATE_RECOVERING, /* what a vmrun before left is being undone */
	STATE_WAITING,	  /* for the moment of the next boot */
	STATE_DRAFTING,	  /* on_prepare is asked what it boots */
	STATE_PREPARING,  /* the host is asked, mended and taken from */
	STATE_LOADING,	  /* the loader runs */
	STATE_RUNNING,
	STATE_STOPPING,	 /* the stop ladder is being climbed down */
	STATE_CLEANING,	 /* what the hypervisor left in the kernel is being destroyed */
	STATE_DECIDING,	 /* on_exit is asked what comes next */
	STATE_GIVEN_UP,	 /* it booted too often: only a reset or a stop leads on */
	STATE_ENDING,	 /* what was taken from the host is given back */
	STATE_REPORTING, /* on_end is told */
	STATE_ENDED,
	STATES
};

enum happening {
	HAPPENED_EXIT,	   /* the hypervisor ended */
	HAPPENED_HELPER,   /* a command of ours ended */
	HAPPENED_DEADLINE, /* the state has lasted long enough */
	HAPPENED_STOP,	   /* somebody asked for a stop */
	HAPPENED_RESET,	   /* somebody has looked at what was given up */
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
	char *words; /* the last line on stderr, or NULL */
};

/* Steps from a prepared spec to a start. */
enum prepare_step {
	PREPARE_WAIT,  /* for what must be there first */
	PREPARE_FIND,  /* what only a run can know */
	PREPARE_CHECK, /* the host, and mend it */
	PREPARE_TAKE,  /* make taps */
	PREPARE_COMPANIONS,
	PREPARE_ASK, /* on_start, which may refuse */
	PREPARE_START,
};

struct preparing {
	enum prepare_step step;
	size_t waiting, companion; /* how far those steps are */
	int64_t until_ms;	   /* how long the present one may take, 0: it has not begun */
	bool asked;		   /* the helper tells whether a companion is ready */
	bool asking;		   /* the helper answers a question of facts_wanted() */
	struct facts facts;
	struct findings findings;
	bool asks;	       /* whether to mend what was found */
	bool fix_takes;	       /* the fix that runs takes something that is given back: */
	char *fixed;	       /* this */
	struct words tried;    /* fixes that were run for this boot, as lines */
	int64_t gone_until_ms; /* how long a destroyed VM may take to go */
	size_t tap;	       /* the device whose tap is being made */
	bool tap_noted;	       /* this boot added that tap to the ledger */
	bool open;	       /* the spec leaves names and ports to what is free */
	bool has_disks;	       /* the disks of this boot are locked */
	int collisions;	       /* taps that somebody else made first */
};

enum recover_step {
	RECOVER_WAIT, /* for processes to go by themselves */
	RECOVER_POWEROFF,
	RECOVER_KILL,
	RECOVER_DESTROY, /* the entry in /dev/vmm */
	RECOVER_UNDO,	 /* taps and the like, and files */
};

struct recovery {
	enum recover_step step;
	int64_t until_ms; /* how long the present step may take */
	bool asked;	  /* companions were sent a SIGTERM */
	bool killed;	  /* companions that did not heed it */
	bool destroyed;	  /* the command has been run */
};

/* How far the walk over the ledger's things is. */
struct undoing {
	size_t left;  /* things that wait for their turn; the present one is the last of them */
	bool probing; /* its command failed, and the helper tells whether it is still there */
	char *why;    /* what the command said */
};

#define UNDOING_MS 10000 /* for one command */

struct machine {
	struct boot_source *source;
	struct boot_source *fresh; /* takes its place at the next boot, or NULL */
	struct machine_options options;
	struct simulation *simulation; /* lent; NULL: it is the real thing */
	struct event_queue *events;
	struct waitset *wait;
	enum state state;
	struct boot boot; /* the present one, or the one that ended last */
	struct child child;
	struct pidfile pidfile, own_pidfile;
	int64_t deadline_ms;  /* of the state, by machine_now(); -1: none */
	int64_t late_ms;      /* how late the state's deadline was noticed */
	struct asking asking; /* a question to the hooks */
	struct boot draft;    /* what on_prepare is shown */
	struct report faults; /* of the draft */
	char *refusal;	      /* what on_start said, */
	char *instead;	      /* and what it boots in place of this, or NULL */
	int detours;	      /* so often since the last boot */
	struct node *answer;  /* of on_exit, */
	char *answer_label;   /* and whose it is */
	struct decision decision;
	struct helper helper;	/* a command of ours */
	struct helper script;	/* post_start_script */
	struct console console; /* of a serial port that is ours */
	struct companions companions;
	bool companions_killed;
	struct preparing preparing;
	struct ledger *ledger; /* what is taken from the host */
	struct undoing undoing;
	bool cleanup_failed;	/* something is left behind */
	struct words pid_files; /* of this run, absolute */
	struct recovery recovery;
	bool left_alone; /* what a vmrun that died left is not undone: the ledger stays */
	struct disklock locks;
	struct pairs found;	   /* what earlier boots found, by device */
	struct pairs taps;	   /* by tap: the number of steps of enum tap_step done */
	int64_t cleaning_until_ms; /* how long the kernel may take to let go of the VM */
	bool awaits_answer;	   /* the hypervisor has not said its first word yet */
	int lock_looks;		   /* whether it still has its lock, since it was up */
	bool gave_up;		   /* it never did, and we killed it */
	char *next_target;	   /* of the boot that is waited for; NULL: it is prepared */
	char *refused_target;	   /* of the boot that was one too many */
	bool stop_requested;
	char *reboot_to;   /* a reboot was asked for: of this target, "" of the next; or NULL */
	char *once_target; /* asked for at the next boot, once; or NULL */
	size_t stop_step;  /* the next one of the ladder */
	int64_t boots;	   /* started so far */
	int64_t ends;	   /* of boots, those that failed before they ran among them */
	struct rate_limit rate_limit; /* of automatic boots */
	bool was_given_up;	      /* and on.given_up has booted its target */
	bool foretold;		      /* what the policy will do has been told */
	int64_t counts[CAUSES];
	struct exit_record history[HISTORY]; /* a ring */
	size_t history_count;		     /* exits ever */
	struct outcome outcome;		     /* of the last boot */
	int64_t uptime_ms;		     /* of the last boot */
	int exec_status;		     /* 126 or 127 when the last start failed in exec */
	int fault_status;		     /* of a first boot that could not be prepared, or 0 */
	int exit_status;		     /* vmrun's own */
};

/*
 * Tags in the wait set.  Readable: the child's channels, a helper's and the script's output, then
 * companions by their number.  Children: the child's end, then all others by their pid.
 */
enum {
	MACHINE_TAG_OUTPUT = CHILD_TAGS,
	MACHINE_TAG_SCRIPT,
	MACHINE_TAG_CONSOLE,
	MACHINE_TAG_HOOK, /* and one for each stream of its command */
	MACHINE_TAGS = MACHINE_TAG_HOOK + COMMAND_STREAMS
};

uintptr_t machine_helper_tag(pid_t pid);
/* clock_ms(), or what a simulation takes for it. */
int64_t machine_now(const struct machine *m);
/* The timer has run out: a hook's wait is over, or the state has lasted long enough. */
void machine_deadline(struct machine *m);

/* machine.c: every state change and its deadline go through here; ms < 0: no deadline. */
void machine_enter(struct machine *m, enum state state, int64_t ms);
/* Starts a command of ours; the state's deadline is its limit. False when it cannot be started. */
bool machine_help(struct machine *m, const struct words *command, enum helper_capture capture);
/* The helper has had its time: kills it, and gives it up when that is not enough. */
bool machine_helper_late(struct machine *m);

/* Says that something is left behind, which ends the run where the options say so. */
void machine_cleanup_failed(struct machine *m, const char *text);
/* Has a cleanup failed, and do the options say that the run ends with it? */
bool machine_must_panic(const struct machine *m);

/* undoing.c: what the ledger lists is given back, a command at a time. */
void undoing_begin(struct machine *m);
/* Starts the next command; false: all things have had their turn. */
bool undoing_next(struct machine *m);
/* Its command has ended: likewise. */
bool undoing_go_on(struct machine *m);
/* And what needs no command: sockets, processes that are gone, an entry in /dev/vmm. */
void undoing_end(struct machine *m);
/* All at once, without a loop: for a machine that is freed while it runs. */
void undoing_now(struct machine *m);

/* recovery.c */
void recovery_begin(struct machine *m);
void recovery_helper_ended(struct machine *m);
void recovery_late(struct machine *m);
void recovery_stop(struct machine *m);

/* machine.c: looks up what that means in this state, and does it. */
void machine_happen(struct machine *m, enum happening what);

/* stopping.c: a stop request in each state, and the ladder. */
void stopping_begin(struct machine *m);
void stopping_step(struct machine *m);	/* the next one, and the wait before the one after it */
void stopping_hurry(struct machine *m); /* a second request */
void stopping_cleaning(struct machine *m);
void stopping_waiting(struct machine *m);
void stopping_loading(struct machine *m);

/* drafting.c: from the name of a target to a boot with its plan. */
void drafting_begin(struct machine *m);
void drafting_end(struct machine *m); /* on_prepare has been asked */
void drafting_clear(struct machine *m);

/* preparing.c */
void preparing_begin(struct machine *m);
void preparing_go_on(struct machine *m);
void preparing_late(struct machine *m);
void preparing_stop(struct machine *m);
void preparing_answer(struct machine *m, bool fix); /* to what it asks */
void preparing_asked(struct machine *m);	    /* on_start has been asked */
void preparing_look_again(struct preparing *p);	    /* the host has changed */
void preparing_clear(struct preparing *p);
/* Starts the command that the facts want; true when it runs. */
bool preparing_ask(struct machine *m);

/* taking.c: a step of preparing (true: it waits, or the boot has failed). */
bool taking_step(struct machine *m);
/* Its command has ended; false: the boot has failed. */
bool taking_ended(struct machine *m);
/* Writes a thing (freed) into the ledger before it is taken; false: the boot has failed. */
bool taking_note(struct machine *m, struct ledger_thing *thing);

/* beside.c: steps of preparing (true: they wait, or the boot has failed), and the script. */
bool beside_wait(struct machine *m);
bool beside_companions(struct machine *m);
void beside_started(struct machine *m);
void beside_script_ended(struct machine *m);
void beside_stopped(struct machine *m);
/* A process has ended, perhaps a companion: true when it was one. */
bool beside_ended(struct machine *m, pid_t pid);

/* ending.c: ends companions and gives back what was taken; then boots_ended(). */
void ending_begin(struct machine *m);
void ending_go_on(struct machine *m);
void ending_late(struct machine *m);
void ending_companion_gone(struct machine *m);

/* cleaning.c: what the hypervisor left in the kernel is destroyed, then boots_over() goes on. */
void cleaning_begin(struct machine *m);
void cleaning_helper_ended(struct machine *m);
void cleaning_deadline(struct machine *m);
/* Adds the command that destroys what is left now; none when there is nothing. */
void cleaning_command(const struct machine *m, struct words *command);

/* boots.c */
void boots_begin(struct machine *m);	    /* prepare and start the next boot */
void boots_drafted(struct machine *m);	    /* it has its plan: check the host */
void boots_start(struct machine *m);	    /* all is there: load or spawn */
void boots_loaded(struct machine *m);	    /* the loader has ended */
void boots_up(struct machine *m);	    /* the hypervisor works: it is looked at twice more, */
void boots_look_at_lock(struct machine *m); /* whether it still has its lock */
void boots_exited(struct machine *m);	    /* the hypervisor has ended */
/* The boot failed before its guest ran. */
void boots_fail(struct machine *m, enum cause cause, const char *text);
void boots_fail_with(struct machine *m, struct report *report); /* taken */
void boots_ended(struct machine *m);				/* nothing is left to be done */
void boots_say_exit(struct machine *m);				/* it has ended: clean up */
void boots_over(struct machine *m);				/* all is cleaned: ask */
void boots_decide(struct machine *m);				/* on_exit has been asked */
void boots_follow(struct machine *m);				/* and what was decided is done */
void boots_farewell(struct machine *m);				/* on_end has been told */
void boots_stop_asking(struct machine *m);			/* a stop while hooks are asked */
void boots_end(struct machine *m, int status);
void boots_warn(struct machine *m, const char *text);

/* deciding.c: what a decision becomes. */
/* The delay of a boot, or what on.given_up makes of one too many. */
void deciding_limit(struct machine *m, struct decision *d);
void deciding_say(struct machine *m, const struct decision *d);
void deciding_reset(struct machine *m); /* boots what was refused */
/* What the policy of the first boot's target will do, cause by cause; once. */
void deciding_foretell(struct machine *m);

/* exits.c */
void exits_remember(struct machine *m);
/* The last `most` ends of boots, a line each, the newest last. Caller frees. */
char *exits_report(const struct machine *m, size_t most);
/* What on_exit is told about the exit remembered last. Caller frees. */
struct node *exits_facts(const struct machine *m);

/* hooks.c: what hooks are asked. */
extern const struct question hooks_prepare, hooks_start, hooks_started, hooks_exit, hooks_given_up,
    hooks_end;

#endif
