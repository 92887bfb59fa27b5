/* The inside of a machine, shared by the files of this room. */
#ifndef MACHINE_MACHINE_INSIDE_H
#define MACHINE_MACHINE_INSIDE_H

#include "check/check.h"
#include "hook/calls.h"
#include "machine/child.h"
#include "machine/companions.h"
#include "process/console.h"
#include "guest/attempt.h"
#include "guest/health.h"
#include "ledger/disklock.h"
#include "ledger/ledger.h"
#include "ledger/namelock.h"
#include "process/helper.h"
#include "machine/history.h"
#include "machine/machine.h"
#include "plan/chosen.h"
#include "platform/os.h"
#include "policy/rate_limit.h"
#include "machine/simulation.h"
#include "ledger/pidfile.h"
#include "ledger/tap.h"

enum state {
	STATE_NEW,	  /* made, not started */
	STATE_RECOVERING, /* undoing what a vmrun that died left */
	STATE_WAITING,	  /* for the time of the next boot */
	STATE_DRAFTING,	  /* on_prepare may change the spec */
	STATE_PREPARING,  /* checking the host, taking from it, asking on_start */
	STATE_STARTING,	  /* writing files, and the ledger */
	STATE_LOADING,	  /* the loader runs */
	STATE_RUNNING,	  /* the hypervisor runs */
	STATE_STOPPING,	  /* the steps of the stop ladder */
	STATE_CLEANING,	  /* destroying what the hypervisor left in the kernel */
	STATE_DECIDING,	  /* on_exit and the policy decide what follows */
	STATE_GIVING_UP,  /* on_exit is told that the VM was given up */
	STATE_GIVEN_UP,	  /* waiting for a reset, a reboot or a stop */
	STATE_ENDING,	  /* stopping companions, undoing what the ledger lists */
	STATE_REPORTING,  /* telling on_end */
	STATE_ENDED,
	STATES
};

enum event {
	EVENT_EXIT,	      /* the hypervisor or the loader ended */
	EVENT_HELPER,	      /* a command of vmrun's ended */
	EVENT_COMPANION,      /* a companion ended */
	EVENT_HOOK_ENDED,     /* the main call of a hook has ended */
	EVENT_CALLS_ENDED,    /* the calls of a boot that has ended have ended */
	EVENT_COMMANDS_ENDED, /* the commands in the background have ended */
	EVENT_UP,	      /* the hypervisor answered on its control channel */
	EVENT_DEADLINE,	      /* the deadline of the state has come */
	EVENT_STOP,	      /* a stop is requested */
	EVENT_KILL,	      /* a kill is requested */
	EVENT_UNFIT,	      /* the guest failed `ready` or `alive`, or the time limit */
	EVENT_REBOOT,	      /* a reboot is requested */
	EVENT_RESET,	      /* a reset is requested */
	EVENT_FIX,	      /* the user answered whether to apply fixes */
	EVENTS
};

/* What follows an event: actions return it, machine.c enters the state. */
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

#define MAX_DETOURS 8 /* targets that on_start may name for one boot */
#define MAX_NOTES 256 /* notes of plans remembered as told */

/* Time limits. */
#define MAX_ANSWER_MS 10000	    /* for the first answer on the hypervisor's control channel */
#define MAX_UNDO_MS 10000	    /* for one command that undoes a thing */
#define MAX_KILL_MS 1000	    /* for a killed command to exit: it may hang in the kernel */
#define MAX_KILL_HYPERVISOR_MS 5000 /* for a killed process to exit, the hypervisor above all */

/* The steps before a start. */
enum prepare_step {
	PREPARE_WAIT,  /* wait_for */
	PREPARE_FIND,  /* free names and ports */
	PREPARE_CHECK, /* the host, and apply fixes */
	PREPARE_TAKE,  /* lock disks, make taps */
	PREPARE_COMPANIONS,
	PREPARE_LEFT, /* check and lock what the companions make */
	PREPARE_ASK,  /* on_start, which may refuse the boot */
	PREPARE_STEPS
};

struct preparation {
	enum prepare_step step;
	size_t waiting, companion; /* indexes of the present items of wait_for and companions */
	int64_t until_ms;	   /* the time limit of the present item; 0: it has not begun */
	char *awaited;		 /* what vmrun waits for: a path, "companion mk to ..."; or NULL */
	bool wait_is_told;	 /* vmrun has said that it waits for that */
	bool companions_begun;	 /* those that the boot does not want have ended */
	bool ready_command_runs; /* the helper is a companion's ready command */
	bool fact_command_runs;	 /* the helper is a command of facts_wanted() */
	struct facts facts;
	struct findings missing, findings; /* what was not found; all that the checks report */
	char *console_fault;		   /* why the console cannot be opened, or NULL */
	bool user_is_asked;		   /* whether to apply fixes */
	bool fix_takes;	       /* the running fix creates a thing that has to be undone */
	char *fixed;	       /* the name of that thing */
	struct words tried;    /* command lines of the fixes run for this boot */
	int64_t gone_until_ms; /* the time limit of a destroyed VM's end */
	size_t tap;	       /* index of the device whose tap is made */
	bool tap_noted;	       /* this boot added the tap to the ledger */
	bool open;	       /* the spec leaves names or ports to vmrun */
	bool has_disks;	       /* the disks of this boot are locked */
	bool left_over;	       /* companions make things, which are checked after them */
	int collisions;	       /* names and ports that another program took first */
	struct words refused;  /* names of taps that the system did not give */
};

enum recover_step {
	RECOVER_WAIT, /* for processes to exit by themselves */
	RECOVER_POWEROFF,
	RECOVER_KILL,
	RECOVER_CHANGE,	 /* wait for a command that changes the host */
	RECOVER_DESTROY, /* the entry in /dev/vmm */
	RECOVER_UNDO,	 /* interfaces, devices and files */
};

struct recovery {
	enum recover_step step;
	int64_t until_ms;  /* the time limit of the present step */
	bool sigterm_sent; /* to companions */
	bool sigkill_sent;
	bool change_killed; /* the command of RECOVER_CHANGE */
	bool destroyed;	    /* the destroy command has been run */
};

/* The progress through the ledger's entries. */
struct undo {
	size_t left;  /* entries not done yet; the last of them is the present one */
	bool probing; /* the command failed, and the helper checks whether the thing is there */
	char *why;    /* the output of the failed command */
};

/* The present state; only machine.c writes it. */
struct present {
	enum state state;
	int64_t deadline_ms; /* of the state, by machine_now(); -1: none */
	int64_t late_ms;     /* how late the last deadline was handled */
	/* Called before a state is entered, or NULL; for tests. */
	void (*entered)(enum state from, enum state to);
};

/* The next boot until its plan is made, and the answers of on_prepare and on_start (draft.c). */
struct draft {
	struct boot boot;	   /* what on_prepare may change */
	struct report faults;	   /* problems of this draft */
	struct boot_source *fresh; /* replaces the source at the next boot, or NULL */
	int fault_status; /* exit status for a first boot that could not be prepared, or 0 */
	char *refusal;	  /* the reason for which on_start refused the boot, or NULL */
	char *instead;	  /* the target that on_start named in its place, or NULL */
	int detours;	  /* targets named by on_start since the last boot */
};

/* The hypervisor of a boot, or its loader (hypervisor.c, cleanup.c). */
struct run {
	struct child child;
	struct pidfile pidfile;
	bool has_just_ended;  /* the hypervisor, in this turn of the loop or in one that waited */
	bool awaits_answer;   /* the hypervisor has not answered yet */
	int lock_looks;	      /* checks of the lock since the start */
	int lost_ports;	      /* starts of this boot whose port another program took first */
	bool starts_again;    /* the last of them: the boot starts again with another port */
	bool gave_up;	      /* vmrun killed it because it did not start properly */
	int exec_status;      /* 126 or 127 when the last start failed in exec */
	struct helper script; /* post_start_script */
	bool knows_signals;   /* the next member, which spawn_find_signals() has filled */
	sigset_t changed_signals;
	int64_t cleanup_until_ms; /* the time limit of the cleanup */
};

/* The decision about the next boot (decide.c). */
struct choice {
	struct node *answer; /* of on_exit, or NULL */
	char *answer_label;  /* of the hook that gave the answer */
	struct decision decision;
	struct rate_limit rate_limit; /* of automatic boots */
	char *next_target;	      /* of the next boot; NULL: that boot is prepared */
	char *refused_target;	      /* of the boot that the rate limit refused */
	int64_t given_up_boots;	      /* that on.given_up decided since a boot that lasted */
	bool forecast_told;
};

/* Requests that are not done yet (requests.c, stop.c). */
struct requests {
	bool stop;
	bool fix;	   /* the answer of EVENT_FIX */
	char *reboot_to;   /* target of a requested reboot, "": the next one; NULL: none */
	bool is_automatic; /* a hook requested reboot or reset: limits of automatic boots apply */
	char *once_target; /* target requested for the next boot, or NULL */
	bool reset;	   /* a reset is requested for the end of the hooks of given_up */
	size_t stop_step;  /* index of the ladder's next step */
	bool unasked;	   /* vmrun itself began the ladder, and no request has come since */
	/* The last step that was taken against the present boot, or NULL; its signal, its time. */
	const char *step;
	int step_signal;
	int64_t step_ms;
	bool serves_hook;     /* what a hook has asked for is being done */
	bool stop_after_hook; /* a hook has asked for a stop while no VM runs */
	int status;	      /* of vmrun, which a hook's stop has set; -1: none has */
};

/* What is known of the guest of a boot (guest.c). */
struct guest {
	struct health health;
	struct attempt attempt;
	enum cause unfit;	 /* why the ladder ends the boot; CAUSES: for another reason */
	char *why;		 /* that, as text for the user, or NULL */
	int64_t halt_ms;	 /* when it is asked whether it has halted; 0: it is not asked */
	bool was_ready, started; /* in any boot: a guest; that, or up without `ready`, is told */
	struct {
		int64_t thread; /* the one that was pinned last; 0: none of this boot */
		bool *cpus;	/* MAX_HOST_CPUS of them: where it may run; NULL: none was pinned */
	} pinned;
};

/* What is taken from the host. */
struct host_things {
	struct ledger *ledger;
	struct undo undo;
	bool cleanup_failed;	/* something is left behind */
	bool left_alone;	/* the recovery was refused: the ledger stays as it is */
	struct words pid_files; /* absolute paths */
	struct pidfile own_pidfile;
	struct disklock locks;
	struct namelock names;		   /* of what is found */
	struct pairs found;		   /* names and ports found by earlier boots, by device */
	struct words taps_done[TAP_STEPS]; /* the taps for which each step is done */
};

/* What the user was told, so that later boots do not repeat it. */
struct told {
	struct chosen chosen; /* of the present boot, or the last one */
	struct words lines;   /* of the boot before */
	struct words notes;   /* of plans */
};

/* The end of the supervision (ending.c). */
struct end {
	bool companions_killed;
	bool looks;	  /* for processes that companions have left */
	int64_t until_ms; /* the time limit of companions */
	int status;	  /* exit status of vmrun */
};

struct machine {
	struct boot_source *source;
	struct machine_options options;
	struct event_queue *events;
	struct waitset *wait;
	struct present present;
	struct boot boot; /* the present boot, or the last one */
	struct draft draft;
	struct preparation preparation;
	struct run run;
	struct guest guest;
	struct requests requests;
	struct calls calls; /* of hooks */
	struct choice choice;
	struct history history;
	struct host_things host;
	struct recovery recovery;
	struct told told;
	struct end end;
	struct companions companions;
	struct helper helper;	/* command that vmrun runs and waits for */
	struct console console; /* of a serial port that is vmrun's */
	/* What the console is watched for; it is read unless a hook is far behind. */
	struct {
		bool control_writes; /* a client waits until it takes more */
		bool writes, pauses;
	} console_watch;
};

/*
 * Tags in the wait set.  Readable: the child's channels, a helper's and the script's output, then
 * companions by their number.  Children: the child's end, then all others by their pid.
 */
enum {
	MACHINE_TAG_OUTPUT = CHILD_TAGS,
	MACHINE_TAG_SCRIPT,
	MACHINE_TAG_CONSOLE,
	MACHINE_TAG_GUEST, /* a try to reach the guest */
	MACHINE_TAG_HOOK,  /* of the streams of hooks' commands */
	MACHINE_TAGS = MACHINE_TAG_HOOK + CALLS_TAGS
};

uintptr_t machine_helper_tag(pid_t pid);
/* Returns clock_ms(), or the time of a simulation. */
int64_t machine_now(const struct machine *m);
/* Handles the deadline of a hook's wait or of the state. */
void machine_deadline(struct machine *m);

/* Runs the action of the event in the present state, and enters the state that it returns. */
void machine_handle(struct machine *m, enum event event);
/* Handles what has followed from calls of hooks outside of a state's action. */
void machine_settle(struct machine *m);
/* Returns whether the event has an action in the present state. */
bool machine_accepts(const struct machine *m, enum event event);
/*
 * Starts a command as the helper; the state's deadline is its time limit.  On failure it warns and
 * returns false.
 */
bool machine_start_helper(
    struct machine *m, const struct words *command, enum helper_capture capture);
/*
 * Starts a command that takes something from the host or gives it back, as the helper.  If vmrun
 * is killed, the command runs to its end, and the next vmrun waits for that
 * (ledger_change_runs()), so no change stays half made.
 */
int machine_start_change(struct machine *m, const struct words *command, struct error *err);
/* The same; on failure it warns and returns false. */
bool machine_try_change(struct machine *m, const struct words *command);
/*
 * Handles a helper that timed out: kills it and returns false, so that the caller waits
 * MAX_KILL_MS; after that, gives it up and returns true.
 */
bool machine_end_late_helper(struct machine *m);
/* Adds the command that destroys what is left of the VM; no words when nothing is. */
void machine_destroy_command(const struct machine *m, struct words *command);
void machine_warn(struct machine *m, const char *text);
void machine_note(struct machine *m, const char *text);
/* Sets the cause of an event. */
void machine_event_cause(struct event_record *r, enum cause cause);

/*
 * decide.c: changes the decision to boot after a boot has ended, because a request came meanwhile,
 * and says so.
 */
void machine_decide_again(struct machine *m, const char *target, int64_t delay_ms, const char *by);
/* Says, once, what will boot after each cause. */
void machine_say_forecast(struct machine *m);

/* shared.c: notes a stop, which overrides a reboot. */
void machine_request_stop(struct machine *m);
/* Notes a step of the stop ladder, which ends the boot by a signal, or by other means (0). */
void machine_note_step(struct machine *m, enum stop_action step, int signal);
/* Ends the supervision with this exit status. */
struct next machine_end(struct machine *m, int status);
/* Returns the status, or that of the hypervisor if it has run and the options want that. */
int machine_own_status(const struct machine *m, int status);
/* Ends the supervision for a stop request while no hypervisor runs; abandons a hook call. */
struct next machine_end_stopped(struct machine *m);
/* Starts the next boot at once, for a reboot request while the machine waits. */
struct next machine_reboot_waiting(struct machine *m);
/* Reads a channel of the hypervisor's once; its answer on the control channel is EVENT_UP. */
void machine_read_channel(struct machine *m, enum channel channel);
/* Returns whether the hypervisor has said that it exits, or has closed its control channel. */
bool machine_hypervisor_leaves(struct machine *m);

/* guest.c: reads what the console has printed before the boot, which is not the boot's. */
void guest_prepare(struct machine *m);
/* Begins to ask the guest of the boot that was spawned. */
void guest_begin(struct machine *m);
/*
 * Pins a thread of the hypervisor, which runs a processor of the guest, as the spec says.
 * Processor -1: the hypervisor cannot tell its threads.
 */
void guest_pin(void *machine, int64_t processor, int64_t thread);
/* Lets the guest of a simulated boot become ready, unless the list says otherwise. */
void guest_begin_simulated(struct machine *m);
/* Notes the first guest that is up, for a service manager. */
void guest_note_start(struct machine *m);
/* Returns the time left for the guest to become ready; 0: no limit, or it is not waited for. */
int64_t guest_ready_within_ms(const struct machine *m);
/* Returns the next deadline of the guest's questions, or -1. */
int64_t guest_until_ms(const struct machine *m);
void guest_deadline(struct machine *m);
void guest_read(struct machine *m);
/* Handles the exit of an exec probe's command; false: the pid is another process's. */
bool guest_command_ended(struct machine *m, pid_t pid);
/* Asks nothing more, because the ladder runs. */
void guest_rest(struct machine *m);
/* Ends with the boot. */
void guest_end(struct machine *m);
/* Ends with the machine: reaps a command. */
void guest_free(struct machine *m);
/* Listens to the console, for guest_begin() and later boots. */
void guest_listen(struct machine *m);
/* Returns vmrun_state.ready. */
int guest_readiness(const struct machine *m);

/* history.c: ends a boot that failed before its guest ran; the policy decides what follows. */
struct next machine_fail(struct machine *m, enum cause cause, const char *text);
struct next machine_fail_with(struct machine *m, struct report *report);    /* freed */
struct next machine_fail_files(struct machine *m, const struct error *err); /* 71 at a start */
/* Warns that something is left behind; with --panic-on-failed-cleanup the run ends. */
void machine_cleanup_failed(struct machine *m, const char *text);
/* Returns whether a cleanup failed and the options end the run then. */
bool machine_must_panic(const struct machine *m);

/* undo.c: undoes what the ledger lists, one command at a time. */
void undo_begin(struct machine *m);
/* Starts the next command; returns false when all entries have been tried. */
bool undo_next(struct machine *m);
/* Handles the end of a command, then starts the next one; returns as undo_next() does. */
bool undo_command_ended(struct machine *m);
/* Removes what needs no command: sockets, entries of processes that are gone. */
void undo_end(struct machine *m);
/* Undoes everything and waits for it, for a machine that is freed while it runs. */
void undo_now(struct machine *m);
/* Closes the ledger of a machine that is freed; what it still lists is undone if the VM runs. */
void undo_close(struct machine *m);

/*
 * For the steps of prepare.c: starts the next command of facts_wanted(); returns true when it runs.
 */
bool prepare_start_fact(struct machine *m, struct next *next);
/* Stores what that command has printed, or why it has no answer. */
void prepare_fact_ended(struct machine *m);
/* Returns how the run keeps the names that it finds to itself. */
struct check_names prepare_names(struct machine *m);
/*
 * Returns whether the boot that has ended did not start only because another program took the port
 * of its screen, and may start again: the port is forgotten then.
 */
bool prepare_lost_port(struct machine *m);
/*
 * Lets other ports be found in place of those that another program took before the check.  Returns
 * false if none was taken.
 */
bool prepare_search_ports_again(struct machine *m);
/* Lets the names be found and the host be checked again, after the host has changed. */
void prepare_check_again(struct preparation *p);
void prepare_clear(struct preparation *p);

/*
 * Steps of prepare.c.  They return true when the machine has to wait, or when the boot has failed;
 * *next says what follows.  prepare_taps.c: locks disks, makes taps.
 */
bool prepare_taps(struct machine *m, struct next *next);
/*
 * Locks the disks that companions make (`made`), or all others, so that no other vmrun starts with
 * them; false: the boot has failed.
 */
bool prepare_lock_disks(struct machine *m, bool made, struct next *next);
/* Lets a new boot switch its taps on where the last hypervisor has left them down. */
void prepare_raise_taps_again(struct machine *m);
/* Handles the end of a tap's command; returns false when the boot has failed. */
bool prepare_tap_command_ended(struct machine *m, struct next *next);
/* Adds a thing (freed) to the ledger before it is made; returns false when the boot has failed. */
bool prepare_note_thing(struct machine *m, struct ledger_thing *thing, struct next *next);
/* prepare_companions.c: waits for wait_for, starts companions. */
bool prepare_wait_for(struct machine *m, struct next *next);
bool prepare_companions(struct machine *m, struct next *next);
/* Handles the exit of a companion; returns false when the process is not a companion. */
bool prepare_companion_ended(struct machine *m, pid_t pid);

/* simulation.c: starts a simulated boot. */
struct next simulation_start(struct machine *m);

/*
 * requests.c: watches the console for what is wanted of it now.  While a hook is far behind its
 * output, it is not read, which slows the guest down.
 */
void machine_watch_console(struct machine *m);
/* requests.c: returns whether a serial port of the present boot is vmrun's console. */
bool machine_boot_has_console(const struct machine *m);

/* hooks.c: the hooks that a machine calls. */
extern const struct hook hooks_prepare, hooks_start, hooks_started, hooks_ready, hooks_exit,
    hooks_given_up, hooks_end;
/* Calls the functions of a hook in this spec, the one that was merged last; NULL: none. */
void hooks_call(struct machine *m, const struct hook *hook, const struct spec *spec);
/* Lists the functions of on_exit while the guest runs, so that its end need not wait for it. */
void hooks_foresee_exit(struct machine *m);
/* Makes the calls of a machine. */
void hooks_open(struct machine *m);
/* Does what a hook demands by vmrun.request(), and answers it. */
void hooks_serve_demand(struct machine *m, const struct hook_demand *demand);

#endif
