/*
 * Companions: programs that start and end with the VM.  Each starts before the first boot that
 * names it, stays over the guest's reboots, and ends with the supervision.  One that serves the TPM
 * belongs to a boot instead: a guest expects a TPM that has been reset, and qemu ends swtpm when it
 * exits.
 */
#ifndef MACHINE_COMPANIONS_H
#define MACHINE_COMPANIONS_H

#include "platform/waitset.h"
#include "event/event.h"
#include "process/job.h"
#include "process/lines.h"
#include "spec/spec.h"

#define MAX_COMPANIONS_MS 5000 /* for companions to exit after SIGTERM */

struct companion_run {
	char *name;
	struct words command;
	bool restart;	/* start it again when it ends */
	bool of_boot;	/* it starts and ends with each boot */
	bool wanted;	/* by the spec of the present boot */
	bool ending;	/* its boot has ended, and it ends, too */
	bool ready;	/* it has been ready since a boot started it */
	bool restarted; /* since it was ready: the next boot waits for it once more */
	struct job job;
	pid_t group; /* of the last job, whose children may outlive it; 0: it was never started */
	int restarts;
	struct process_end end;	    /* of the job before this one */
	struct event_queue *events; /* lent: where its lines go */
	struct lines lines;
};

struct companions {
	struct companion_run **item;
	size_t count;
	struct waitset *wait;	    /* lent */
	struct event_queue *events; /* lent */
	uintptr_t first_tag;	    /* of the first one's output; the n-th has first_tag + n */
	uintptr_t (*end_tag)(pid_t pid);
};

/* Marks the companions of the spec as wanted, and all others as not wanted. */
void companions_want(struct companions *c, const struct spec *spec);
/* Sends SIGTERM to the companions that belong to a boot, which has ended. */
void companions_end_boot(struct companions *c);
/* Sends a signal to those that the boot does not want, or that belong to an earlier one. */
void companions_end_unwanted(struct companions *c, int signal);
/* Lends a companion of those that still runs, or NULL. */
struct companion_run *companions_unwanted(struct companions *c);
/* Marks one companion as wanted, which the spec need not list, and lends it. */
struct companion_run *companions_want_one(
    struct companions *c, const char *name, const struct words *command, bool restart);
/* Lends the companion of that name that the boot wants, or NULL. */
struct companion_run *companions_find(struct companions *c, const char *name);
int companion_start(struct companions *c, struct companion_run *run, struct error *err);
/* Lends the companion of that pid, or NULL. */
struct companion_run *companions_of_pid(struct companions *c, pid_t pid);
/* Reads the output of the companion at this index once. */
void companions_read(struct companions *c, size_t index);
/*
 * Reaps the companion of that pid, and starts it again where it says so.  Lends its run; NULL when
 * the pid is not a companion's.
 */
struct companion_run *companions_ended(struct companions *c, pid_t pid);
/*
 * Sends a signal to all companions, with what they have started, and marks them as not wanted.
 * Returns how many run.
 */
size_t companions_signal(struct companions *c, int signal);
/* Returns how many run, or have ended and left processes in their group. */
size_t companions_running(const struct companions *c);
/* Returns whether one runs itself. */
bool companions_unreaped(const struct companions *c);
/* Returns whether one has ended and left processes: their end wakes vmrun up only by a timer. */
bool companions_linger(const struct companions *c);
/* Stops waiting for the companions that still run. */
void companions_forget(struct companions *c);
/* Kills and reaps those that still run, and frees all. */
void companions_clear(struct companions *c);

#endif
