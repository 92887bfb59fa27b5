/* vmrunctl: what its command line says, and its commands. */
#ifndef VMRUNCTL_CTL_H
#define VMRUNCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "vmrunctl/connection.h"

enum {
	CTL_DONE = 0,
	CTL_REFUSED = 1,
	CTL_USAGE = 64,
	CTL_NOT_RUNNING = 69,
	CTL_OS = 71,
	CTL_DENIED = 77,
};

struct ctl {
	const char *run_dir, *vm, *command;
	const char *state_dir;		   /* NULL: the default */
	int (*run)(const struct ctl *ctl); /* the command */
	const char *argument;		   /* of the command, or NULL */
	const char *state, *seconds;
	int64_t timeout_ms; /* --timeout; -1: none */
	int64_t from;	    /* --from; -1: none */
	bool json, no_wait, gone, read_only, backlog, help, version;
};

/* The answer of a vmrun that did what it was asked for. */
#define CTL_OK "{\"ok\":true}"
#define CTL_ANSWER_MS 5000 /* who answers at all does so within this */

/* ctl_request.c */
/* Says why it cannot be done: on stderr, or as JSON. Returns the status. */
int ctl_error(const struct ctl *ctl, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Connects: CTL_DONE, or CTL_NOT_RUNNING, which is said if it is to be. */
int ctl_open(const struct ctl *ctl, struct connection *connection, bool say);
/*
 * Asks for an answer, and hangs up when there is none: a vmrun that is suspended takes connections
 * and never sends one.
 */
int ctl_ping(const struct ctl *ctl, struct connection *connection);
/* Connects and checks; says what is wrong. */
int ctl_connect(const struct ctl *ctl, struct connection *connection);
/* {"cmd":CMD,KEY:TEXT}, without the second member where the text is NULL.  Caller frees. */
char *ctl_request_json(const char *cmd, const char *key, const char *text);
/*
 * Sends a request and judges the answer.  A refusal is said, and so is an answer when it is to be
 * JSON and nobody wants it: answer is NULL. Else the caller frees it.
 */
int ctl_send(const struct ctl *ctl, struct connection *connection, const char *request,
    int64_t limit_ms, char **answer);

/* The commands; each returns the status of the program. */
int ctl_status(const struct ctl *ctl);
int ctl_stop(const struct ctl *ctl);   /* stop, kill */
int ctl_simple(const struct ctl *ctl); /* reboot, next, reset, reload */
int ctl_wait(const struct ctl *ctl);   /* wait, wait-for */
int ctl_forget(const struct ctl *ctl);
int ctl_list(const struct ctl *ctl);
int ctl_events(const struct ctl *ctl);
int ctl_console(const struct ctl *ctl);

#endif
