/*
 * RUN-DIR/NAME/state.json: what this vmrun has taken from the host, written before it is taken, so
 * that the next vmrun of that name can give it back should this one die.  Processes are known by
 * their pid and the moment they started: a pid alone may be somebody else's by then.
 */
#ifndef RUN_RECORD_H
#define RUN_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/words.h"
#include "ledger/taken.h"

struct machine;

#define RECORD_HYPERVISOR "hypervisor"

struct record_process {
	char *name;    /* RECORD_HYPERVISOR (also for its loader), or that of a companion */
	pid_t pid;     /* 0: it was about to be started */
	int64_t start; /* os_process_start() */
};

/* What the record of a vmrun that died says. */
struct remains {
	bool found;
	pid_t supervisor;
	struct record_process *process;
	size_t process_count;
	struct taken taken;
	struct words sockets;	/* that the hypervisor makes */
	struct words pid_files; /* whose content is one of these pids */
	struct words destroy;	/* the command that destroys the VM's entry in /dev/vmm; or none */
};

/* Reads the record of a folder; *out is empty when there is none. -1: it makes no sense. */
int record_read(const char *folder, struct remains *out, struct error *err);
void remains_clear(struct remains *r);

/*
 * Writes what the machine has and is about to have, unless that is what stands there.  False, and
 * *err, when it cannot: then nothing may be taken.
 */
bool record_keep(struct machine *m, struct error *err);
/* The same where nothing new is taken: what cannot be written is let be. */
void record_update(struct machine *m);
/* All is given back. */
void record_remove(struct machine *m);

#endif
