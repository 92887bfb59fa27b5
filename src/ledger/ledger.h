/*
 * RUN-DIR/NAME/ledger.json: what this vmrun has taken from the host, written before it is taken, so
 * that the next vmrun of that name can give it back should this one die.  The list and its file are
 * one object: adding and dropping write the file, and nothing else does.  A thing leaves the list
 * only when it has been undone, so the file outlives vmrun while anything is in it.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/words.h"

struct ledger;

/* A thing that a command gives back: a tap, a device attached to ppt(4). */
struct ledger_thing {
	char *name;	    /* "tap3", "pci0:3:0:0": for messages and for looking it up */
	struct words undo;  /* the command that gives it back */
	struct words probe; /* the command that tells whether it is still there; or empty: */
	char *sign;	    /* it is when the command succeeds and its output holds this text */
	unsigned index;	    /* of an interface as the kernel has it, 0: not known */
};

void ledger_thing_clear(struct ledger_thing *thing);

/*
 * A process beside the hypervisor, known by its pid and the moment it started: a pid alone may be
 * another program's by now.  Each leads a process group of its own.
 */
struct ledger_process {
	char *name;    /* of a companion, or the command line of a hook's command */
	pid_t pid;     /* 0: it was about to be started */
	int64_t start; /* os_process_start() */
};

struct ledger_options {
	const char *directory; /* RUN-DIR/NAME; NULL: nothing is written (a simulation) */
	const char *vm;
	bool set_aside; /* rename a file that cannot be read in place of failing */
	/* Told once what could not be written where nothing new was taken. */
	void (*warn)(void *context, const char *text);
	void *context;
};

/*
 * Reads what a vmrun that died has left, if one has, and writes the file.  STATUS_OS, the file
 * untouched, when it cannot be read or written.
 */
int ledger_open(struct ledger **out, const struct ledger_options *options, struct error *err);
/* Writes nothing; removes the file when nothing is in it. NULL is fine. */
void ledger_close(struct ledger *l);

/* --- what a dead vmrun left --- */

/* Did a vmrun die and leave this ledger, or a hypervisor that runs? */
bool ledger_needs_recovery(const struct ledger *l);
/* The pid of that vmrun, 0: not known. */
pid_t ledger_previous_supervisor(const struct ledger *l);
/*
 * Does the hypervisor of the ledger run?  The kernel is asked (vmlock.h); where nothing holds the
 * lock, pid and start time tell.  *pid is 0 when the process is not known.
 */
bool ledger_hypervisor_runs(const struct ledger *l, pid_t *pid);
/* Recovery is over: what is left in the ledger is this vmrun's to undo at its end. */
void ledger_end_recovery(struct ledger *l);
/* Nothing of it is undone: the file says what it said before, for the next start. */
void ledger_restore(struct ledger *l);

/* --- things that a command gives back --- */

/* Adds one (copied) before it is taken; on failure it is not added, and must not be taken. */
int ledger_take(struct ledger *l, const struct ledger_thing *thing, struct error *err);
/* The thing of that name has been made: notes which interface it is. */
void ledger_confirm(struct ledger *l, const char *name);
/* It has been given back, or was never made. */
void ledger_drop(struct ledger *l, const char *name);
bool ledger_has(const struct ledger *l, const char *name);
/* Lends the thing at this place, the oldest first; NULL beyond the last. */
const struct ledger_thing *ledger_at(const struct ledger *l, size_t index);
size_t ledger_count(const struct ledger *l);
/* Is there another interface of that name by now? */
bool ledger_thing_is_replaced(const struct ledger_thing *thing);

/* --- what a boot makes --- */

/* The sockets that the hypervisor makes, and the command that clears its entry in /dev/vmm. */
int ledger_expect_boot(
    struct ledger *l, const struct words *sockets, const struct words *destroy, struct error *err);
/* Takes the lock that the next hypervisor, or its loader, inherits: as vmlock_take(). */
int ledger_lock_vm(struct ledger *l, int *fd, struct error *err);
/* The hypervisor, or its loader, runs. */
void ledger_note_hypervisor(struct ledger *l, pid_t pid);
/* Does a process hold that lock? True where locks do not work. */
bool ledger_vm_is_locked(const struct ledger *l);
/* The command that destroys the VM's entry in /dev/vmm; empty: there can be none. */
const struct words *ledger_destroy_command(const struct ledger *l);
/* Removes the sockets of a boot that has ended, and expects them again at the next one. */
void ledger_remove_sockets(const struct ledger *l);
/*
 * Removes them for good, and forgets an entry in /dev/vmm that is gone.  Returns one of those that
 * are still there, and stay in the ledger; NULL: none.  Caller frees.
 */
char *ledger_clear_boot(struct ledger *l);

/* --- files that hold a pid --- */

int ledger_take_pid_file(struct ledger *l, const char *path, struct error *err);
/* All of them are gone. */
void ledger_drop_pid_files(struct ledger *l);
/*
 * Removes those that still hold what a dead vmrun wrote; `held` are this vmrun's, left alone.  One
 * that cannot be removed stays in the ledger, and is the error.
 */
int ledger_remove_pid_files(struct ledger *l, const struct words *held, struct error *err);

/* --- processes beside the hypervisor --- */

/* A process of that name is about to start. On failure it must not be started. */
int ledger_expect_process(struct ledger *l, const char *name, struct error *err);
/* It has started. */
void ledger_note_process(struct ledger *l, const char *name, pid_t pid);
/* It has ended; pid 0: the one of that name that was expected did not start. */
void ledger_forget_process(struct ledger *l, const char *name, pid_t pid);
/* Lends the process at this place; NULL beyond the last. */
const struct ledger_process *ledger_process_at(const struct ledger *l, size_t index);
/* Does it run, or what it has started? */
bool ledger_process_runs(const struct ledger_process *p);
/* Sends a signal to its process group. */
void ledger_signal_process(const struct ledger_process *p, int signal);
/* Forgets those that do not run. */
void ledger_forget_dead_processes(struct ledger *l);

#endif
