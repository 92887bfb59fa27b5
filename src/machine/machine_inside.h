/* The inside of a machine, shared by the files of this room. */
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
	STATE_NEW,	  /* made, not started */
	STATE_RECOVERING, /* what a vmrun before left is being undone */
	STATE_WAITING,	  /* for the moment of the next boot */
	STATE_DRAFTING,	  /* on_prepare is asked what it boots */
	STATE_PREPARING,  /* the host is asked, mended and taken from; on_start is asked */
	STATE_STARTING,	  /* files are written, and the ledger is told what follows */
	STATE_LOADING,	  /* the loader runs */
	STATE_RUNNING,	  /* the hypervisor runs */
	STATE_STOPPING,	  /* the stop ladder is being climbed down */
	STATE_CLEANING,	  /* what the hypervisor left in the kernel is being destroyed */
	STATE_DECIDING,	  /* on_exit is asked what comes next */
	STATE_GIVING_UP,  /* on_exit hears that it booted too often */
	STATE_GIVEN_UP,	  /* only a reset, a reboot or a stop leads on */
	STATE_ENDING,	  /* what was taken from the host is given back */
	STATE_REPORTING,  /* on_end is told */
	STATE_ENDED,
	STATES
};

enum event {
	EVENT_EXIT,	 /* the hypervisor or the loader ended */
	EVENT_HELPER,	 /* a command of vmrun's ended */
	EVENT_COMPANION, /* a companion ended */
	EVENT_ANSWERED,	 /* the hooks that were asked have answered */
	EVENT_UP,	 /* the hypervisor has said its first word */
	EVENT_DEADLINE,	 /* the state has lasted long enough */
	EVENT_STOP,	 /* a stop was asked for */
	EVENT_KILL,	 /* a stop without its first steps was */
	EVENT_REBOOT,	 /* a reboot was */
	EVENT_RESET,	 /* what was given up may go on */
	EVENT_FIX,	 /* the question whether to fix was answered */
	EVENTS
};

/* What follows an event: an action returns it, and machine.c enters the state. */
struct next {
	enum state state; /* STATES: the state and its deadline stay as they are */
	int64_t ms;	  /* how long the state may last; -1: no limit */
};

typedef struct next action(struct machine *m);

/* A state: what happens on entering it, on each event (NULL: nothing), and where that may lead. */
struct state_row {
	const char *name;
	action *enter;
	action *on[EVENTS];
	uint32_t leads_to; /* a bit for each state other than itself */
};

extern const struct state_row machine_states[STATES];

static inline struct next stay(void)
{
	return (struct next){ STATES, -1 };
}

static inline struct next go(enum state state, int64_t ms)
{
	return (struct next){ state, ms };
}

/* A hypervisor with a control protocol says its first word within this. */
#define ANSWER_MS 10000

#define MAX_HISTORY 64 /* exits remembered for hooks */

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
	PREPARE_STEPS
};

struct preparation {
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
struct undo {
	size_t left;  /* things that wait for their turn; the present one is the last of them */
	bool probing; /* its command failed, and the helper tells whether it is still there */
	char *why;    /* what the command said */
};

#define UNDO_MS 10000 /* for one command */

/* Where the machine is; machine.c alone writes it. */
struct present {
	enum state state;
	int64_t deadline_ms; /* of the state, by machine_now(); -1: none */
	int64_t late_ms;     /* how late the state's deadline was noticed */
};

/* From a target to a boot: draft.c, and the answers of on_prepare and on_start. */
struct draft {
	struct boot boot;	   /* what on_prepare is shown */
	struct report faults;	   /* of it */
	struct boot_source *fresh; /* takes the source's place at the next boot, or NULL */
	int fault_status;	   /* of a first boot that could not be prepared, or 0 */
	char *refusal;		   /* what on_start said, */
	char *instead;		   /* and what it boots in place of this, or NULL */
	int detours;		   /* so often since the last boot */
};

/* The hypervisor of a boot, or its loader: hypervisor.c and cleanup.c. */
struct run {
	struct child child;
	struct pidfile pidfile;
	bool awaits_answer;	  /* the hypervisor has not said its first word yet */
	int lock_looks;		  /* whether it still has its lock, since it was up */
	bool gave_up;		  /* it never did, and was killed */
	int exec_status;	  /* 126 or 127 when the last start failed in exec */
	struct helper script;	  /* post_start_script */
	int64_t cleanup_until_ms; /* how long the kernel may take to let go of the VM */
};

/* The ends of boots: history.c. */
struct history {
	int64_t boots;		/* started so far */
	int64_t ends;		/* of boots, those that failed before they ran among them */
	struct outcome outcome; /* of the last boot */
	int64_t uptime_ms;	/* of the last boot */
	int64_t counts[CAUSES];
	struct exit_record exit[MAX_HISTORY]; /* a ring */
	size_t count;			      /* exits ever */
};

/* What comes next: decide.c. */
struct choice {
	struct node *answer; /* of on_exit, */
	char *answer_label;  /* and whose it is */
	struct decision decision;
	struct rate_limit rate_limit; /* of automatic boots */
	char *next_target;	      /* of the boot that is waited for; NULL: it is prepared */
	char *refused_target;	      /* of the boot that was one too many */
	bool was_given_up;	      /* and on.given_up has booted its target */
	bool forecast_told;
};

/* What was asked for: requests.c and stop.c. */
struct requests {
	bool stop;
	bool fix;	   /* the answer to the question whether to fix */
	char *reboot_to;   /* a reboot was asked for: of this target, "" of the next; or NULL */
	char *once_target; /* asked for at the next boot, once; or NULL */
	size_t stop_step;  /* the next one of the ladder */
};

/* What is taken from the host. */
struct host_things {
	struct ledger *ledger;
	struct undo undo;
	bool cleanup_failed;	/* something is left behind */
	bool left_alone;	/* what a vmrun that died left is not undone: the ledger stays */
	struct words pid_files; /* of this run, absolute */
	struct pidfile own_pidfile;
	struct disklock locks;
	struct pairs found; /* what earlier boots found, by device */
	struct pairs taps;  /* by tap: the number of steps of enum tap_step done */
};

/* The end of the supervision: ending.c. */
struct end {
	bool companions_killed;
	int status; /* vmrun's own */
};

struct machine {
	struct boot_source *source;
	struct machine_options options;
	struct event_queue *events;
	struct waitset *wait;
	struct present now;
	struct boot boot; /* the present one, or the one that ended last */
	struct draft draft;
	struct preparation preparation;
	struct run run;
	struct requests requests;
	struct hook_call call; /* to the hooks */
	struct choice choice;
	struct history history;
	struct host_things host;
	struct recovery recovery;
	struct end end;
	struct companions companions;
	struct helper helper;	/* a command of vmrun's */
	struct console console; /* of a serial port that is vmrun's */
	/* Told of each state that is entered, and of the one before; NULL: nothing is. */
	void (*entered)(enum state from, enum state to);
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

#define MACHINE_KILL_MS \
	1000 /* for a killed command to die; one that hangs in the kernel does not */

/* Looks up what the event means in this state, does it, and enters what follows. */
void machine_happen(struct machine *m, enum event event);
/* Tells whether the event means anything in this state. */
bool machine_heeds(const struct machine *m, enum event event);
/* Starts a command of vmrun's; the state's deadline is its limit. False when it cannot. */
bool machine_help(struct machine *m, const struct words *command, enum helper_capture capture);
/*
 * The command has had its time: kills it, or gives it up when it was killed before (true).  False:
 * the caller waits MACHINE_KILL_MS more.
 */
bool machine_helper_gave_up(struct machine *m);
/* Adds the command that destroys what is left of the VM now; none when there is nothing. */
void machine_destroy_command(const struct machine *m, struct words *command);
void machine_warn(struct machine *m, const char *text);

/* requests.c: from here on it stops, whatever else was asked for. */
void machine_request_stop(struct machine *m);
/* The supervision ends with this status. */
struct next machine_end(struct machine *m, int status);
/* Stops while hooks are asked. */
struct next machine_stop_asking(struct machine *m);
/* A reboot while a boot is waited for: it comes at once. */
struct next machine_reboot_waiting(struct machine *m);

/* history.c: the boot failed before its guest ran, and the policy is asked. */
struct next machine_fail(struct machine *m, enum cause cause, const char *text);
struct next machine_fail_with(struct machine *m, struct report *report); /* freed */
/* Remembers and tells such a failure; or an exit. */
void history_add_failure(struct machine *m, enum cause cause, const char *text);
void history_add(struct machine *m);
/* The last `most` ends of boots, a line each, the newest last. Caller frees. */
char *history_report(const struct machine *m, size_t most);
/* What on_exit is told about the exit remembered last. Caller frees. */
struct node *history_facts(const struct machine *m);

/* Says that something is left behind, which ends the run where the options say so. */
void machine_cleanup_failed(struct machine *m, const char *text);
/* Has a cleanup failed, and do the options say that the run ends with it? */
bool machine_must_panic(const struct machine *m);

/* undoing.c: what the ledger lists is given back, a command at a time. */
void undo_begin(struct machine *m);
/* Starts the next command; false: all things have had their turn. */
bool undo_next(struct machine *m);
/* Its command has ended: likewise. */
bool undo_go_on(struct machine *m);
/* And what needs no command: sockets, processes that are gone, an entry in /dev/vmm. */
void undo_end(struct machine *m);
/* All at once, without a loop: for a machine that is freed while it runs. */
void undo_now(struct machine *m);

/* prepare.c, for its steps: starts the command that the facts want; true when it runs. */
bool prepare_ask(struct machine *m, struct next *next);
void prepare_look_again(struct preparation *p); /* the host has changed */
void prepare_clear(struct preparation *p);

/*
 * Steps of preparing: true when something follows that is not the next step (it waits, or the boot
 * has failed).  taps.c: disks are locked, taps are made.
 */
bool taps_step(struct machine *m, struct next *next);
/* Its command has ended; false: the boot has failed. */
bool taps_command_ended(struct machine *m, struct next *next);
/* Writes a thing (freed) into the ledger before it is taken; false: the boot has failed. */
bool taps_note(struct machine *m, struct ledger_thing *thing, struct next *next);
/* beside.c: what must be there first, and companions. */
bool beside_wait(struct machine *m, struct next *next);
bool beside_companions(struct machine *m, struct next *next);
/* A process has ended, perhaps a companion: true when it was one. */
bool beside_ended(struct machine *m, pid_t pid);

/* simulation.c, in place of starting a loader and the hypervisor. */
struct next simulation_start(struct machine *m);

/* hooks.c: what hooks are asked. */
extern const struct question hooks_prepare, hooks_start, hooks_started, hooks_exit, hooks_given_up,
    hooks_end;

#endif
