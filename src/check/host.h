/*
 * Questions to the host, answered by its kernel where that is the one that will run the VM.  With
 * bhyve chosen on another system, as tests do, they are answered by FreeBSD's commands.
 */
#ifndef CHECK_HOST_H
#define CHECK_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "check/facts.h"
#include "check/findings.h"
#include "hyper/hyper.h"

enum answer {
	ANSWER_WAIT,	/* asked, not known yet */
	ANSWER_UNKNOWN, /* nobody can tell; said among the findings where a command is missing */
	ANSWER_NO,
	ANSWER_YES,
};

struct host {
	struct facts *facts;
	struct findings *out;
	bool bhyve;    /* it will run under bhyve */
	bool freebsd;  /* it has FreeBSD's ifconfig, nmdm and so on */
	bool commands; /* facts come from commands */
	bool waits;    /* something was asked and is not known yet */
};

void host_open(
    struct host *host, const struct hypervisor *hyper, struct facts *facts, struct findings *out);

/* The answer to a command (NULL-terminated words); NULL with host->waits, or when nobody answers:
 * that is among the findings then. */
const struct fact *host_ask(struct host *host, const char *const *command);
/* Is a kernel module loaded, or built in? */
enum answer host_module(struct host *host, const char *name);
/* A sysctl(8) variable that is a number. ANSWER_UNKNOWN: there is no such variable. */
enum answer host_number(struct host *host, const char *name, int64_t *value);
/* Bytes of its memory. */
enum answer host_memory(struct host *host, int64_t *bytes);
/* Does a network interface exist, and which process has it open, as a tap (0: none)? */
enum answer host_interface(struct host *host, const char *name, pid_t *opener);
#endif
