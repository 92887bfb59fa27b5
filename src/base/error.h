/*
 * One failure: a text for people and the exit status that vmrun ends with because of it.
 *
 * A function that can fail takes `struct error *err` last, returns 0 or -1, and leaves *err alone
 * when it succeeds.  Callers may add a prefix on the way up; they never replace the text.  A caller
 * that does not need the text passes NULL: every function accepts that.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* The exit statuses that vmrun documents: its own, those of sysexits(3), and those of a shell. */
enum status {
	STATUS_OK = 0,
	STATUS_TRIPLE_FAULT = 3,   /* the guest ended by a triple fault */
	STATUS_FAULT = 4,	   /* the hypervisor or its start failed */
	STATUS_UNFIT = 5,	   /* the guest failed `ready` or `alive`, or the time limit */
	STATUS_GIVEN_UP = 10,	   /* too many boots: restart_limit */
	STATUS_USAGE = 64,	   /* command line */
	STATUS_SPEC = 65,	   /* the spec is wrong */
	STATUS_NO_INPUT = 66,	   /* the spec cannot be read */
	STATUS_CHECK = 69,	   /* the host cannot run it */
	STATUS_BUG = 70,	   /* an error of vmrun itself */
	STATUS_OS = 71,		   /* the operating system refused */
	STATUS_BUSY = 75,	   /* another process uses it */
	STATUS_DENIED = 77,	   /* permission denied */
	STATUS_CANNOT_EXEC = 126,  /* program found, but not executable */
	STATUS_EXEC_MISSING = 127, /* program not found */
	STATUS_SIGNAL_BASE = 128,  /* plus N: signal N ended the process */
};

struct error {
	enum status status;
	char *text; /* owned; NULL when nothing failed */
};

/* Fills *err and returns -1.  The first failure wins: an error that is set stays. */
int error_set(struct error *err, enum status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text of an error and returns -1. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Frees the text; the error can be used again. */
void error_clear(struct error *err);

/* Clears a struct error at the end of its scope. */
#define ERROR_AUTO __attribute__((cleanup(error_clear)))

#endif
