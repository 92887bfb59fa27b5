/*
 * RUN-DIR/NAME: the files that end with a VM, and the lock that keeps a second vmrun of the same
 * name away.
 */
#ifndef LEDGER_RUNDIR_H
#define LEDGER_RUNDIR_H

#include "base/error.h"
#include "ledger/pidfile.h"

struct rundir {
	char *directory; /* RUN-DIR/NAME; NULL: not open */
	struct pidfile lock;
};

/*
 * Returns /var/run/vmrun for root, else $XDG_RUNTIME_DIR/vmrun, else /tmp/vmrun-UID. Caller frees.
 */
char *rundir_default(void);
/*
 * Makes both directories where they are missing and takes the lock.  Returns -1 with STATUS_BUSY,
 * naming the process, when another one has the lock; with STATUS_OS when a directory cannot be
 * made, is another user's, or is open to other users.
 */
int rundir_open(struct rundir *r, const char *run_dir, const char *name, struct error *err);
/*
 * Looks whether rundir_open() would succeed, and changes nothing.  Returns -1 as rundir_open()
 * does.
 */
int rundir_check(const char *run_dir, const char *name, struct error *err);
/* Name of the control socket, which exists while vmrun runs. */
#define RUNDIR_CONTROL "control"
/* Names of the ledger, of its next version while that is written, and of the ledger of 0.1. */
#define RUNDIR_LEDGER "ledger.json"
#define RUNDIR_LEDGER_NEW "ledger.json.new"
#define RUNDIR_LEDGER_OLD "state.json"
#define RUNDIR_CHANGES "changes"

/* Makes a directory and those above it, with mode 0700. */
int statedir_make(const char *path, struct error *err);
/*
 * Returns /var/db/vmrun for root, else $XDG_STATE_HOME/vmrun, else ~/.local/state/vmrun.  Caller
 * frees.
 */
char *statedir_default(void);
/* Writes a file with mode 0600 in place of an old one of that name. */
int rundir_write(const char *path, const char *text, struct error *err);
/*
 * Removes the files that boots have made in RUN-DIR/NAME.  Returns -1 with STATUS_OS, naming the
 * first one that stays.
 */
int rundir_clear(const char *directory, struct error *err);
/* Releases the lock and removes the VM's directory if it is empty. */
void rundir_close(struct rundir *r);

#endif
