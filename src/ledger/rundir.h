/*
 * RUN-DIR/NAME: what dies with a VM, and the lock that keeps a second supervisor of the same name
 * away.
 */
#ifndef LEDGER_RUNDIR_H
#define LEDGER_RUNDIR_H

#include "base/error.h"
#include "ledger/pidfile.h"

struct rundir {
	char *directory; /* RUN-DIR/NAME; NULL: not open */
	struct pidfile lock;
};

/* /var/run/vmrun for root, else $XDG_RUNTIME_DIR/vmrun, else /tmp/vmrun-UID. Caller frees. */
char *rundir_default(void);
/*
 * Makes both folders where they are missing and takes the lock.  STATUS_BUSY names the process that
 * has it.  STATUS_OS when a folder cannot be made, is not ours, or is open to others.
 */
int rundir_open(struct rundir *r, const char *run_dir, const char *name, struct error *err);
/* The files in it that one boot of a VM makes; rundir_close() removes them. */
#define RUNDIR_SECRET "secret"
#define RUNDIR_MAP "device.map"
#define RUNDIR_INPUT "loader.in"
/* And the socket that a supervision makes, for as long as it lasts. */
#define RUNDIR_CONTROL "control"
/* What is taken (ledger.h), its new text before that takes its place, and its name in 0.1. */
#define RUNDIR_LEDGER "ledger.json"
#define RUNDIR_LEDGER_NEW "ledger.json.new"
#define RUNDIR_LEDGER_OLD "state.json"

/* Makes a folder, and those above it, only for us. */
int statedir_make(const char *path, struct error *err);
/* /var/db/vmrun for root, else $XDG_STATE_HOME/vmrun, else ~/.local/state/vmrun. Caller frees. */
char *statedir_default(void);
/* Writes a file of the folder, only for us to read; an old one of that name is replaced. */
int rundir_write(const char *path, const char *text, struct error *err);
/* Gives the lock up and removes the folder of the VM if nothing is left in it. */
void rundir_close(struct rundir *r);

#endif
