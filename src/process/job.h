/*
 * A job: one program that vmrun runs beside itself, from the search for the program until it is
 * reaped.  Every program that vmrun starts is a job; what its users do differently is in struct
 * job_setup:
 *
 * hypervisor: hears stderr, its control socket and its log, and keeps the end of stderr
 * loader:     hears stderr, and keeps its end
 * companion:  hears stdout and stderr as one stream, and keeps nothing
 * helper:     keeps the beginning of stdout, or of stdout and stderr as one stream, or nothing
 * command:    keeps the beginning of stdout and the end of stderr
 *
 * When vmrun dies, a hypervisor, a loader and a companion get SIGTERM, the others SIGKILL.
 *
 * The hypervisor also gets descriptors of vmrun's (struct job_setup.given): the console's terminal,
 * and the lock that shows that it runs, which it alone has from then on.  It stays in the process
 * group of vmrun where that is the only way to read vmrun's terminal; every other job has a group
 * of its own, out of reach of the terminal.
 *
 * The life of a job: job_start() finds the program, makes its streams, starts it and watches them
 * and its end.  Each WAKE_READABLE of a stream is one job_read(), so that a program that floods a
 * stream keeps nothing else from its turn.  WAKE_CHILD is job_finish(), which takes what is in the
 * pipes then: another process that still holds them is not waited for.  A limit of time is the
 * caller's: job_kill() brings WAKE_CHILD, and job_leave() does not wait for it.
 *
 * The ledger is the caller's, too: a process that would outlive a vmrun that died is noted once it
 * runs (a hypervisor, a companion, the command of a hook) and forgotten before the number can be
 * used again; helpers are not noted, as SIGKILL ends them with vmrun.
 */
#ifndef PROCESS_JOB_H
#define PROCESS_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"
#include "platform/spawn.h"
#include "platform/waitset.h"

enum {
	MAX_JOB_STREAMS = 3,
	MAX_JOB_GIVEN = 3,
	MAX_JOB_NUMBERS = 2,
};

enum job_stream_kind {
	JOB_NONE,   /* the job has no such stream */
	JOB_PIPE,   /* the program writes, vmrun reads */
	JOB_SOCKET, /* both do both */
};

enum job_keep {
	JOB_KEEP_NOTHING,
	JOB_KEEP_BEGINNING, /* what comes after max bytes is lost, see job_overflowed() */
	JOB_KEEP_END,	    /* the last max bytes */
};

struct job_stream_setup {
	enum job_stream_kind kind;
	int numbers[MAX_JOB_NUMBERS]; /* what the program knows it as, 1 or higher; 0: not used */
	enum job_keep keep;
	size_t max;
};

/* How a job starts: all of it is lent for the call of job_start(), but hear_context. */
struct job_setup {
	char *const *argv; /* NULL-terminated; argv[0] is looked for by program_find() */
	struct job_stream_setup stream[MAX_JOB_STREAMS];
	/* Descriptors that the caller closes.  Numbers 0 to 2 are /dev/null by default. */
	struct spawn_fd given[MAX_JOB_GIVEN];
	size_t given_count;
	bool reads_terminal; /* in vmrun's process group, deaf to the signals of the terminal */
	int death_signal;
	struct waitset *wait;
	uintptr_t first_tag;		 /* stream i becomes readable with first_tag + i */
	uintptr_t (*end_tag)(pid_t pid); /* the tag of the job's end */
	/* Hears the bytes of each read, kept or not; NULL: none does. */
	void (*hear)(void *context, size_t stream, const char *bytes, size_t n);
	void *hear_context;
};

struct job_stream {
	bool is_open;
	int fd; /* vmrun's end */
	enum job_keep keep;
	size_t max;
	struct str text; /* what is kept */
	bool overflowed;
};

/* A zeroed job is one that does not run. */
struct job {
	pid_t pid;    /* 0: it does not run */
	bool missing; /* the last start found no program that may be executed */
	bool has_group;
	struct waitset *wait; /* lent */
	struct job_stream stream[MAX_JOB_STREAMS];
	void (*hear)(void *context, size_t stream, const char *bytes, size_t n);
	void *hear_context;
};

/*
 * Starts a job that does not run; the texts of the one before are freed.  On failure nothing is
 * left: no descriptor, no process.  The status is STATUS_EXEC_MISSING or STATUS_CANNOT_EXEC when
 * the program cannot be executed, else STATUS_OS.
 */
int job_start(struct job *j, const struct job_setup *setup, struct error *err);
/* Adds a descriptor that the program gets. */
void job_setup_give(struct job_setup *setup, int ours, int theirs);
/* Reads a stream once; does nothing when it is closed. */
void job_read(struct job *j, size_t stream);
/* Returns whether a stream had more bytes than its beginning that is kept. */
bool job_overflowed(const struct job *j, size_t stream);
/* Writes to a JOB_SOCKET, as far as there is room; bytes for a program that is gone are lost. */
void job_write(const struct job *j, size_t stream, const char *text);
/* Sends a signal to the process alone, which may pass it on to its offspring as it likes. */
void job_signal(const struct job *j, int signal);
/* Sends SIGKILL to the process and to its group. */
void job_kill(const struct job *j);
/*
 * Reaps a job that has ended, or was killed and is about to, reads what is in its streams and
 * closes them; the texts stay.  On failure, *end says that it ended in no way (-1, 0).
 */
int job_finish(struct job *j, struct process_end *end, struct error *err);
/* Closes the streams of a job and forgets its process, which is the caller's to reap; the texts
 * stay. */
void job_leave(struct job *j);
/* Kills and reaps a job that still runs, and frees everything. */
void job_free(struct job *j);

#endif
