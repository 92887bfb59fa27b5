/*
 * Facts about the host.  They come from the kernel that will run the VM, or, for bhyve on another
 * system as in tests, from FreeBSD's commands.
 */
#ifndef CHECK_HOST_H
#define CHECK_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "check/facts.h"
#include "check/findings.h"
#include "hyper/hyper.h"

/* Whether a statement about the host is true. */
enum truth {
	TRUTH_PENDING, /* the command has not run yet */
	TRUTH_UNKNOWN, /* cannot be found out; a finding if a command is missing */
	TRUTH_NO,
	TRUTH_YES,
};

struct host {
	struct facts *facts;
	struct findings *out;
	bool bhyve;    /* the VM will run under bhyve */
	bool freebsd;  /* the host has FreeBSD's ifconfig, nmdm and so on */
	bool commands; /* facts come from commands */
	bool waits;    /* a fact was asked for and is not known yet */
};

/* Prepares a host for the checks; findings are added to *out. */
void host_open(
    struct host *host, const struct hypervisor *hyper, struct facts *facts, struct findings *out);

/*
 * Returns the output of a command (NULL-terminated words).  Returns NULL and sets host->waits if it
 * is not known yet, or adds a finding if the command failed.
 */
const struct fact *host_ask(struct host *host, const char *const *command);
/* Returns whether a kernel module is loaded or built in. */
enum truth host_module(struct host *host, const char *name);
/* Reads a number from sysctl(8).  Returns TRUTH_UNKNOWN for an unknown variable. */
enum truth host_number(struct host *host, const char *name, int64_t *value);
/* Reads the size of the host's memory. */
enum truth host_memory(struct host *host, int64_t *bytes);
/* Returns whether a network interface exists, and the process that has the tap open (0: none). */
enum truth host_interface(struct host *host, const char *name, pid_t *opener);
/*
 * Returns whether an interface exists that will pass no packets of some boot: it is down, or
 * FreeBSD takes it down when the hypervisor closes it, and neither the hypervisor (bhyve does) nor
 * the system (tap(4): net.link.tap.up_on_open) switches it on.
 */
bool host_interface_is_down(struct host *host, const char *name);
#endif
