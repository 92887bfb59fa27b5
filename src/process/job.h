/*
 * A job: one program that vmrun runs beside itself, from finding the program until its process is
 * reaped.  Every program that vmrun starts is a job; struct job_setup has the differences:
 *
 * hypervisor: reports stderr, its control socket and its log; captures the end of stderr
 * loader:     reports stderr, and captures its end
 * companion:  reports stdout and stderr as one stream; captures nothing
 * helper:     captures the beginning of stdout, of stdout and stderr as one stream, or nothing
 * command:    captures the beginning of stdout and the end of stderr
 *
 * When vmrun dies, a hypervisor, a loader and a companion get SIGTERM, the others SIGKILL, unless
 * they have a lock file: these run to their end, and the next vmrun waits until the lock is gone.
 *
 * The hypervisor also gets descriptors of vmrun's (struct job_setup.given): the console's terminal,
 * and the lock that shows that the hypervisor runs, which only the hypervisor holds from then on.
 * It stays in vmrun's process group if it reads vmrun's terminal; every other job has a group of
 * its own, which gets no signals from the terminal.
 *
 * The life of a job: job_start() finds the program, makes its streams, starts it and watches the
 * streams and the end.  The caller answers each WAKE_READABLE with one job_read(), so a program
 * that floods a stream does not block the others, and WAKE_CHILD with job_finish(), which reads the
 * rest of the pipes without waiting for other processes that hold them.  The caller enforces a time
 * limit: job_kill() causes WAKE_CHILD, and job_leave() gives the process up.
 *
 * The caller also writes the ledger: it notes a process that would outlive a vmrun that died (a
 * hypervisor, a companion, the command of a hook) once it runs, and drops it before the kernel can
 * reuse the pid.  Helpers are not noted: SIGKILL ends them with vmrun, or they have a lock.
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
	JOB_SOCKET, /* both read and write */
};

enum job_keep {
	JOB_KEEP_NOTHING,
	JOB_KEEP_BEGINNING, /* the rest is lost, see job_overflowed() */
	JOB_KEEP_END,	    /* the last max bytes */
};

struct job_stream_setup {
	enum job_stream_kind kind;
	int numbers[MAX_JOB_NUMBERS]; /* the program's descriptors, 1 or higher; 0: not used */
	enum job_keep keep;
	size_t max;
};

/* How a job starts: lent for the call of job_start(), except hear_context. */
struct job_setup {
	char *const *argv; /* NULL-terminated; program_find() finds argv[0] */
	struct job_stream_setup stream[MAX_JOB_STREAMS];
	/* Descriptors that the caller closes.  Numbers 0 to 2 are /dev/null by default. */
	struct spawn_fd given[MAX_JOB_GIVEN];
	size_t given_count;
	const char *directory; /* absolute: of the program, and of a relative argv[0]; NULL: ours */
	/*
	 * Changes to vmrun's environment, NULL-terminated, or NULL: "NAME=VALUE" sets a variable,
	 * "NAME" unsets it.
	 */
	char *const *environment;
	bool reads_terminal; /* in vmrun's process group, ignoring the terminal's signals */
	int death_signal;
	const char *lock_file;		 /* as of struct spawn */
	const sigset_t *changed_signals; /* as of struct spawn */
	struct waitset *wait;
	uintptr_t first_tag;		 /* stream i becomes readable with first_tag + i */
	uintptr_t (*end_tag)(pid_t pid); /* returns the tag of the job's end */
	/* Called with the bytes of each read, captured or not; or NULL. */
	void (*hear)(void *context, size_t stream, const char *bytes, size_t n);
	void *hear_context;
};

struct job_stream {
	bool is_open;
	int fd; /* vmrun's end */
	enum job_keep keep;
	size_t max;
	struct str text; /* the captured bytes */
	bool overflowed;
	int error; /* errno of the read that ended the stream, or 0 */
};

/* A zeroed job does not run. */
struct job {
	pid_t pid; /* 0: it does not run */
	bool ran;  /* the last start failed, but only after the process had started */
	bool has_group;
	struct waitset *wait; /* lent */
	struct job_stream stream[MAX_JOB_STREAMS];
	void (*hear)(void *context, size_t stream, const char *bytes, size_t n);
	void *hear_context;
};

/*
 * Starts a job that does not run, and frees the texts of its last run.  On failure leaves no
 * descriptor and no process; the status is STATUS_EXEC_MISSING or STATUS_CANNOT_EXEC if the program
 * cannot be executed, otherwise STATUS_OS.
 */
int job_start(struct job *j, const struct job_setup *setup, struct error *err);
/* Adds a descriptor that the program gets. */
void job_setup_give(struct job_setup *setup, int ours, int theirs);
/* Reads a stream once; does nothing if it is closed. */
void job_read(struct job *j, size_t stream);
/* Returns whether a stream with JOB_KEEP_BEGINNING had more than max bytes. */
bool job_overflowed(const struct job *j, size_t stream);
/* Returns the errno of a read that failed, after which the stream was closed, or 0. */
int job_read_error(const struct job *j, size_t stream);
/* Writes to a JOB_SOCKET.  Bytes that do not fit now, or come after the program's end, are lost. */
void job_write(const struct job *j, size_t stream, const char *text);
/* Sends a signal to the process, not to its children. */
void job_signal(const struct job *j, int signal);
/* Sends a signal to the process and to those of its children that have stayed in its group. */
void job_signal_all(const struct job *j, int signal);
/* Does so, or signals what a job that has been reaped, whose pid was `group`, left in its group. */
void job_signal_group(const struct job *j, pid_t group, int signal);
/* Waits at most `ms` milliseconds for the end of the process, and does not reap it. */
void job_let_end(const struct job *j, int ms);
/* Sends SIGKILL to the process and to its group. */
void job_kill(const struct job *j);
/*
 * Reaps a job that has ended, or was killed and ends now, reads the rest of its streams and closes
 * them; the texts stay.  On failure, *end has neither a status nor a signal (-1, 0).
 */
int job_finish(struct job *j, struct process_end *end, struct error *err);
/*
 * Closes the streams of a job and gives up its process, which the caller reaps when its end is
 * reported, and waitset_free() if that comes first; the texts stay.
 */
void job_leave(struct job *j);
/* Kills and reaps a job that still runs, and frees everything. */
void job_free(struct job *j);

#endif
