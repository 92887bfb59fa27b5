/*
 * Calls of hooks.
 *
 * The functions of most hooks are called one after another, and the machine waits for their end:
 * the main call.  A function of a lasting hook (on_started, on_ready, a script of a client) is a
 * call of its own: it may go on until its boot ends, beside others.
 *
 * A function that waits (a time, a command, a text on the console) waits in the loop of the
 * machine, which goes on meanwhile; one that computes is left every 10 ms, and continues after a
 * turn of the loop.  While one is left so, no other begins or goes on: they share their Lua.
 */
#ifndef HOOK_CALLS_H
#define HOOK_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/node.h"
#include "base/words.h"
#include "config/document.h"
#include "event/event.h"
#include "hook/background.h"
#include "process/console.h"

#define MAX_LASTING_CALLS 32 /* functions of lasting hooks, and scripts of clients, at once */

struct call;

/* A hook, and the functions that make its argument and use its answers. */
struct hook {
	const char *name; /* "on_exit" */
	bool lasts;	  /* a call for each function, see above */
	/* Returns the argument for the next function; the caller owns it. */
	struct node *(*argument)(const void *context);
	/*
	 * Handles an answer other than nil (lent); NULL: it is ignored.  Returns true when the next
	 * function runs, too.
	 */
	bool (*on_answer)(void *context, const char *label, struct node *answer);
	/*
	 * Handles a function that failed, or a list of functions that could not be made (the label
	 * is the hook's name then).  Returns true when the next function runs.  NULL: the failure
	 * is reported, and the next function runs.
	 */
	bool (*on_failure)(void *context, const char *label, struct error *err);
};

/* Where the functions of a hook are, and their limits; lent until the calls have ended. */
struct hook_source {
	struct document *doc;
	struct words files; /* keys of hook files */
	int64_t timeout_ms; /* hook_timeout */
	int exec_result;    /* the answer of commands in a dry run */
	bool has_functions; /* false: the hook has none, and no function is looked for */
};

/* A script that a client sends. */
struct hook_script {
	const char *text;
	size_t length;
	const char *name;
	bool backlog; /* its first look at the console begins with what the ring holds */
	/*
	 * Called once, at its end: with its result (lent; NULL: nil), or the error of a script that
	 * failed.  Must not call calls_*().
	 */
	void (*done)(void *context, const struct node *result, const char *error);
	void *context;
};

/* What a function asks of the machine by vmrun.request(); lent until calls_answer(). */
struct hook_demand {
	const char *command; /* "stop", "kill", "reboot", "next", "reset" */
	const char *target;  /* or NULL */
	int status;	     /* -1: none */
	bool by_client;	     /* a script of a client asks, not a hook */
	uint64_t order;	     /* for calls_answer() */
};

/* What the calls need of their owner; lent. */
struct calls_owner {
	struct waitset *wait;
	struct ledger *ledger;
	struct event_queue *events;
	struct console *console;
	uintptr_t first_tag; /* CALLS_TAGS tags from here on are those of streams of commands */
	uintptr_t (*end_tag)(pid_t pid);
	int64_t (*now_ms)(const void *context);
	bool dry; /* a simulation: commands are not run */
	void *context;
};

#define CALLS_TAGS ((1 + MAX_LASTING_CALLS + MAX_BACKGROUND) * COMMAND_STREAMS)

struct calls {
	struct calls_owner owner;
	struct call *main; /* NULL: there is none */
	struct call *lasting[MAX_LASTING_CALLS];
	size_t lasting_end; /* all places from here on are free */
	/* Lasting hooks whose functions are not listed yet, because Lua has been left. */
	struct due_hook {
		const struct hook *hook;
		struct hook_source source;
	} due[2];
	/* The functions of the hook that the end of the boot will call, listed while it runs. */
	struct foreseen {
		const struct hook *hook; /* NULL: none is foreseen */
		struct node *labels;
		uint64_t turns; /* of the document: a script that runs meanwhile may change them */
	} foreseen;
	struct backgrounds backgrounds;
	uint64_t order;	      /* of the last wait, for waits that take turns */
	uint64_t console_at;  /* bytes that the console had printed when the boot began */
	uint64_t console_end; /* likewise when it ended */
	bool has_console;     /* the boot has a serial port that is vmrun's console */
	bool boot_runs;	      /* calls_boot_began() was called, calls_boot_ended() was not */
	bool steps;	      /* calls begin and continue: go_on() is not entered again */
	bool main_ended;      /* for the owner to take: the main call has ended */
	bool lasting_ended;   /* likewise: the last lasting call after the end of its boot */
};

void calls_open(struct calls *c, const struct calls_owner *owner);
/* A boot runs from now on: lasting calls may begin. */
void calls_boot_began(struct calls *c, bool has_console, uint64_t console_at);
/*
 * The boot has ended: each wait of a lasting call answers so, and each call has its hook_timeout to
 * return; then it is abandoned.
 */
void calls_boot_ended(struct calls *c);
/* Ends the commands that were started in the background before this call. */
void calls_end_commands(struct calls *c);

/*
 * Lists in advance the functions of a hook that the end of the running boot will call, for
 * calls_begin().  Does nothing while a function is left.
 */
void calls_foresee(struct calls *c, const struct hook *hook, const struct hook_source *source);
/*
 * Begins the main call, also when no function waits; ends one that is in progress.  main_ended says
 * its end.
 */
void calls_begin(struct calls *c, const struct hook *hook, const struct hook_source *source);
/* Begins a call for each function of a lasting hook, as soon as Lua is not left. */
void calls_begin_lasting(
    struct calls *c, const struct hook *hook, const struct hook_source *source);
/*
 * Begins a script; fails when no boot runs or too many calls do.  Returns a number for
 * calls_end_script(), or -1.
 */
int64_t calls_run(struct calls *c, const struct hook_source *source,
    const struct hook_script *script, struct error *err);
/* Ends a script without its `done`, if it still runs. */
void calls_end_script(struct calls *c, int64_t number);

/* Returns when calls_wake() is due; -1: never. */
int64_t calls_until_ms(const struct calls *c);
/* Handles what is due: the end of a time, the next slice, a limit. */
void calls_wake(struct calls *c);
/* Handles the output of a command, by its tag less first_tag. */
void calls_read(struct calls *c, uintptr_t tag);
/* Handles the exit of a command; returns false when the pid is another process's. */
bool calls_command_ended(struct calls *c, pid_t pid);
/* The console has printed something, or takes more. */
void calls_console(struct calls *c);
/* Returns whether a call waits until the console takes more. */
bool calls_want_room(const struct calls *c);
/* Returns whether the console must not be read, because a call is far behind its output. */
bool calls_are_behind(const struct calls *c);

/* Fills in the oldest demand that has no answer; returns false if there is none. */
bool calls_demand(const struct calls *c, struct hook_demand *out);
/* Answers it, unless its call has been ended: done, or the reason why not. */
void calls_answer(struct calls *c, uint64_t order, const char *why_not);

/* Returns whether a function computes and was left. */
bool calls_compute(const struct calls *c);
/* Returns whether functions of this hook have not waited yet since they were begun. */
bool calls_have_fresh(const struct calls *c, const struct hook *hook);
/* Returns whether lasting calls go on. */
bool calls_last(const struct calls *c);
/* Returns whether commands in the background run; they end by themselves, or at a limit. */
bool calls_have_commands(const struct calls *c);
/* Limits the time of the commands in the background, which vmrun waits for before it ends. */
void calls_limit_commands(struct calls *c);
/* Ends the main call, without main_ended. */
void calls_abandon_main(struct calls *c);
/* Ends all calls. */
void calls_abandon(struct calls *c);
/* Ends all calls and commands, and reaps commands, where no loop follows that would. */
void calls_close(struct calls *c);
/* Reports that a function failed, with its error and traceback. */
void calls_say_failure(struct calls *c, const char *label, const struct error *err);

#endif
