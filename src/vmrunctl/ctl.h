/* The command line of vmrunctl, and its commands. */
#ifndef VMRUNCTL_CTL_H
#define VMRUNCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "vmrun/client.h"

/* The exit statuses that base/error.h does not have, or has for another use. */
enum {
	CTL_REFUSED = VMRUN_CLIENT_REFUSED,
	CTL_NOT_RUNNING = VMRUN_CLIENT_NOT_RUNNING,
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
/* Prints why a call of the library failed, and returns the exit status for its status. */
int ctl_fail(const struct ctl *ctl, const struct vmrun_client *client, int status);
/* Connects to the VM's vmrun without an error message; returns the library's status. */
int ctl_try(const struct ctl *ctl, struct vmrun_client **client);
/* Connects to the VM's vmrun; prints an error message if that fails, and returns its status. */
int ctl_open(const struct ctl *ctl, struct vmrun_client **client);
/*
 * Requests the status: the kernel accepts connections for a suspended vmrun, which never answers.
 * Prints an error message if no answer comes.
 */
int ctl_ping(const struct ctl *ctl, struct vmrun_client *client);
/* Connects and pings; prints an error message if that fails. */
int ctl_connect(const struct ctl *ctl, struct vmrun_client **client);
/* Closes the connection of a variable, for the cleanup attribute. */
void ctl_close(struct vmrun_client **client);
#define CLIENT_AUTO __attribute__((cleanup(ctl_close)))
/* Returns the request {"cmd":CMD,KEY:TEXT}, without KEY if the text is NULL.  Caller frees. */
char *ctl_request_json(const char *cmd, const char *key, const char *text);
/*
 * Sends a request and receives its answer.  Prints a refusal as an error.  Stores the answer in
 * *answer, which the caller frees; if answer is NULL, prints it with --json and drops it otherwise.
 */
int ctl_ask(const struct ctl *ctl, struct vmrun_client *client, const char *request,
    int64_t limit_ms, char **answer);
/* Waits for what the options of "wait" and "wait-for" say; a negative time is no limit. */
int ctl_await(const struct ctl *ctl, struct vmrun_client *client, int64_t left_ms);
/* Returns the time on a clock that only goes forward. */
int64_t ctl_now_ms(void);

/*
 * Queries all VMs of the runtime directory.  Prints an error message if that fails.  Returns the
 * list, which the caller frees in any case, and stores the exit status.
 */
struct vmrun_list *ctl_list_all(const struct ctl *ctl, int *status);

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
