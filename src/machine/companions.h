/*
 * Programs that live and die with the VM: started before its first boot that names them, kept over
 * the guest's reboots, ended when the supervision is.
 */
#ifndef MACHINE_COMPANIONS_H
#define MACHINE_COMPANIONS_H

#include "platform/waitset.h"
#include "event/event.h"
#include "process/lines.h"
#include "spec/spec.h"

struct companion_run {
	char *name;
	struct words command;
	bool restart;
	bool wanted;   /* by the spec of the present boot */
	bool ready;    /* since its last start */
	pid_t pid;     /* 0: it does not run */
	int64_t start; /* os_process_start() of it */
	int fd;	       /* of its output, -1: none */
	int restarts;
	int status, signal; /* of its last end */
	struct lines lines;
};

struct companions {
	struct companion_run **item;
	size_t count;
	struct waitset *wait;	    /* lent */
	struct event_queue *events; /* lent */
	uintptr_t first_tag;	    /* of their outputs; the n-th has first_tag + n */
	uintptr_t (*end_tag)(pid_t pid);
};

/* Notes which are wanted for a boot; those that no longer are get SIGTERM. */
void companions_want(struct companions *c, const struct spec *spec);
/* Adds one that the spec does not list itself. */
void companions_want_one(
    struct companions *c, const char *name, const struct words *command, bool restart);
/* Lends the run of that name, or NULL. */
struct companion_run *companions_find(struct companions *c, const char *name);
int companion_start(struct companions *c, struct companion_run *run, struct error *err);
void companions_read(struct companions *c, size_t index);
/*
 * Reaps the companion of that pid, and starts it again if it is to be.  Lends its run; NULL when
 * the pid is not a companion's.
 */
struct companion_run *companions_ended(struct companions *c, pid_t pid);
/* Sends a signal to all that run and wants none any more; how many are there? */
size_t companions_signal(struct companions *c, int signal);
size_t companions_running(const struct companions *c);
/* Waits no longer for those that run. */
void companions_forget(struct companions *c);
/* Kills and reaps those that still run. */
void companions_clear(struct companions *c);

#endif
