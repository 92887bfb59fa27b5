/*
 * RUN-DIR/NAME/ledger.json: what this vmrun has taken from the host.  An entry is written before
 * the thing is taken, so the next vmrun of that name can give it back if this one dies.  The list
 * and its file are one object: each function that changes the list writes the file.  A thing
 * leaves the list only when it has been undone, so the file outlives vmrun while it has entries.
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
	char *name;	    /* "tap3", "pci0:3:0:0": names the thing in messages */
	struct words undo;  /* the command that gives it back */
	struct words probe; /* the command that shows it; empty: none is known */
	char *sign;	    /* the thing is there if the probe succeeds and prints this text */
	unsigned index;	    /* the kernel's index of an interface, 0: not known */
	/*
	 * It is about to be made, and another program may make one of that name: it is undone only
	 * if the probe shows that it is this one.
	 */
	bool unsure;
};

/* Frees what the thing owns and zeroes it. */
void ledger_thing_clear(struct ledger_thing *thing);
#define LEDGER_THING_AUTO __attribute__((cleanup(ledger_thing_clear)))

/*
 * A process beside the hypervisor.  Its pid and its start time identify it, because the kernel
 * reuses pids.  Each leads a process group of its own.
 */
struct ledger_process {
	char *name;    /* the companion's name, or the command line of a hook's command */
	pid_t pid;     /* 0: it is about to be started */
	int64_t start; /* os_process_start() */
};

struct ledger_options {
	const char *directory; /* RUN-DIR/NAME; NULL: nothing is written (a simulation) */
	const char *vm;
	bool set_aside; /* renames a file that cannot be read, where ledger_open() would fail */
	/* Takes warnings: a file that was set aside, and, once, an update that failed. */
	void (*warn)(void *context, const char *text);
	void *context;
};

/*
 * Reads the ledger of a vmrun that died, if there is one, and writes the file.  Returns -1 with
 * STATUS_OS, and leaves the file untouched, when it cannot be read or written.
 */
int ledger_open(struct ledger **out, const struct ledger_options *options, struct error *err);
/* Frees the ledger and removes the file if it has no entries. NULL is fine. */
void ledger_close(struct ledger *l);
/*
 * Removes the file if nothing is in the ledger, as ledger_close() does.  Returns -1 with STATUS_OS
 * if it stays.
 */
int ledger_remove_file(struct ledger *l, struct error *err);

/* --- what a dead vmrun left --- */

/* What ledger_look() finds. */
struct ledger_remains {
	bool runs;	    /* the hypervisor, as ledger_hypervisor_runs() says */
	pid_t pid;	    /* of it, 0: not known */
	struct words names; /* of what the ledger lists: a start of the VM would undo it first */
};

/*
 * Looks at what a vmrun that died has left, and changes nothing.  Returns -1 as ledger_open() does
 * when it cannot be read.  Caller frees the names.
 */
int ledger_look(
    const struct ledger_options *options, struct ledger_remains *out, struct error *err);

/* Returns whether a vmrun died and left this ledger, or a hypervisor that still runs. */
bool ledger_needs_recovery(const struct ledger *l);
/* Returns the pid of that vmrun, 0: not known. */
pid_t ledger_previous_supervisor(const struct ledger *l);
/*
 * Returns whether the hypervisor of the ledger runs: a process holds its lock (vmlock.h), or the
 * process of that pid and start time exists.  *pid is 0 when the process is not known.
 */
bool ledger_hypervisor_runs(const struct ledger *l, pid_t *pid);
/* Ends the recovery: this vmrun undoes at its end what is left in the ledger. */
void ledger_end_recovery(struct ledger *l);
/* Restores the former content of the file for the next start; undoes nothing. */
void ledger_restore(struct ledger *l);

/* --- things that a command gives back --- */

/* Adds a copy of the thing; on failure the caller must not take the thing. */
int ledger_take(struct ledger *l, const struct ledger_thing *thing, struct error *err);
/* Notes that the interface of that name has been made by vmrun, and its index in the kernel. */
void ledger_confirm(struct ledger *l, const char *name);
/* Drops a thing that has been given back, or was never made. */
void ledger_drop(struct ledger *l, const char *name);
/* Returns whether the ledger has a thing of that name. */
bool ledger_has(const struct ledger *l, const char *name);
/* Lends the thing at this index, the oldest first; NULL beyond the last. */
const struct ledger_thing *ledger_at(const struct ledger *l, size_t index);
/* Returns the number of things. */
size_t ledger_count(const struct ledger *l);
/* Returns whether the interface of that name is another one than vmrun made. */
bool ledger_thing_is_replaced(const struct ledger_thing *thing);

/* --- commands that change the host --- */

/*
 * Lends the file that a command locks while it changes the host (struct spawn.lock_file), so that
 * it outlives vmrun and the next vmrun finds no change half made; NULL: nothing is written.
 */
const char *ledger_changes_file(const struct ledger *l);
/* Returns whether such a command runs, of this or of a dead vmrun.  *pid 0: not known. */
bool ledger_change_runs(const struct ledger *l, pid_t *pid);

/* --- what a boot makes --- */

/* Adds the sockets that the hypervisor makes, and the command that destroys its /dev/vmm entry. */
int ledger_expect_boot(
    struct ledger *l, const struct words *sockets, const struct words *destroy, struct error *err);
/* Takes the lock that the next hypervisor, or its loader, inherits; see vmlock_take(). */
int ledger_lock_vm(struct ledger *l, int *fd, struct error *err);
/* Notes the hypervisor, or its loader, that has started. */
void ledger_note_hypervisor(struct ledger *l, pid_t pid);
/* Returns whether a process holds the lock of ledger_lock_vm(); true where locks do not work. */
bool ledger_vm_is_locked(const struct ledger *l);
/* Lends the command that destroys the VM's entry in /dev/vmm; empty: it can have none. */
const struct words *ledger_destroy_command(const struct ledger *l);
/* Removes the sockets of a boot that has ended; they stay listed for the next boot. */
void ledger_remove_sockets(const struct ledger *l);
/*
 * Removes the sockets and drops them from the ledger, and the /dev/vmm entry if it is gone.
 * Returns the name of something that could not be removed and stays in the ledger; NULL: none.
 * Caller frees.
 */
char *ledger_clear_boot(struct ledger *l);

/* --- files that hold a pid --- */

/* Adds a pid file; on failure the caller must not make it. */
int ledger_take_pid_file(struct ledger *l, const char *path, struct error *err);
/* Drops all pid files, after the caller has removed them. */
void ledger_drop_pid_files(struct ledger *l);
/*
 * Removes the pid files that still hold what a dead vmrun wrote, but not those of this vmrun
 * (`held`).  Returns -1 if one cannot be removed: it stays in the ledger.
 */
int ledger_remove_pid_files(struct ledger *l, const struct words *held, struct error *err);

/* --- processes beside the hypervisor --- */

/* Adds a process that is about to start; on failure the caller must not start it. */
int ledger_expect_process(struct ledger *l, const char *name, struct error *err);
/* Notes the pid of a process that has started. */
void ledger_note_process(struct ledger *l, const char *name, pid_t pid);
/* Drops a process that has ended; pid 0: the expected one, which did not start. */
void ledger_forget_process(struct ledger *l, const char *name, pid_t pid);
/* Lends the process at this index; NULL beyond the last. */
const struct ledger_process *ledger_process_at(const struct ledger *l, size_t index);
/* Returns whether the process or a member of its group runs. */
bool ledger_process_runs(const struct ledger_process *p);
/* Sends a signal to the process and to its group. */
void ledger_signal_process(const struct ledger_process *p, int signal);
/* Drops the processes that do not run. */
void ledger_forget_dead_processes(struct ledger *l);

#endif
