/* The command line of vmrunctl, and its commands. */
#ifndef VMRUNCTL_CTL_H
#define VMRUNCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "vmrunctl/connection.h"

/* The exit statuses that base/error.h does not have, or has for another use. */
enum {
	CTL_REFUSED = 1,
	CTL_NOT_RUNNING = STATUS_CHECK, /* EX_UNAVAILABLE of sysexits(3) */
};

struct ctl {
	const char *run_dir, *vm, *command;
	const char *state_dir;		   /* NULL: the default */
	int (*run)(const struct ctl *ctl); /* the command */
	const char *argument;		   /* of the command, or NULL */
	const char *state, *seconds;
	int64_t timeout_ms; /* --timeout; -1: none */
	int64_t from;	    /* --from; -1: none */
	bool json, no_wait, gone, ready, read_only, backlog, wait, help, version;
};

/* The answer to a request that succeeded and returns nothing. */
#define CTL_OK "{\"ok\":true}"
#define CTL_ANSWER_MS 5000 /* to wait for an answer before vmrun counts as hung */

/* ctl_request.c */
/* Prints an error, to stderr or as JSON to stdout, and returns the status. */
int ctl_error(const struct ctl *ctl, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * Connects to the VM's vmrun.  Returns STATUS_OK, or CTL_NOT_RUNNING, STATUS_DENIED or STATUS_OS
 * with errno, and with an error message if `say` is set.
 */
int ctl_open(const struct ctl *ctl, struct connection *connection, bool say);
/* Returns whether this errno of ctl_open() says that no vmrun is there. */
bool ctl_is_gone(int why);
/*
 * Requests the status and closes the connection if no answer comes: the kernel accepts connections
 * for a suspended vmrun, which never answers.
 */
int ctl_ping(const struct ctl *ctl, struct connection *connection);
/* Connects and pings; prints an error message if that fails. */
int ctl_connect(const struct ctl *ctl, struct connection *connection);
/* Returns the request {"cmd":CMD,KEY:TEXT}, without KEY if the text is NULL.  Caller frees. */
char *ctl_request_json(const char *cmd, const char *key, const char *text);
/*
 * Sends a request and reads its answer.  Prints a refusal as an error.  Stores the answer in
 * *answer, which the caller frees; if answer is NULL, prints it with --json and drops it otherwise.
 */
int ctl_send(const struct ctl *ctl, struct connection *connection, const char *request,
    int64_t limit_ms, char **answer);

/* Returns the request of "wait", which fails after this time; negative: it has no limit. */
char *ctl_wait_request(const struct ctl *ctl, int64_t left_ms);
/* Waits until vmrun closes the connection, because only then the VM's name is free again. */
void ctl_wait_for_close(struct connection *connection);

/* Returns STATUS_OK for an answer that is a success; prints any other, or that there is none. */
int ctl_judge(const struct ctl *ctl, const char *answer);

/* The commands; each returns the exit status of the program. */
int ctl_status(const struct ctl *ctl);
int ctl_stop(const struct ctl *ctl); /* stop, kill */
int ctl_reboot(const struct ctl *ctl);
int ctl_simple(const struct ctl *ctl); /* next, reset, reload */
int ctl_wait(const struct ctl *ctl);   /* wait, wait-for */
int ctl_run(const struct ctl *ctl);
int ctl_forget(const struct ctl *ctl);
int ctl_list(const struct ctl *ctl);
int ctl_metrics(const struct ctl *ctl);
int ctl_history(const struct ctl *ctl);
int ctl_why(const struct ctl *ctl);
int ctl_events(const struct ctl *ctl);
int ctl_console(const struct ctl *ctl);

#endif
