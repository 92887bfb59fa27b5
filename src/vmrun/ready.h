/* Telling whoever started us that the hypervisor is up: --ready-fd, and sd_notify(3)'s protocol. */
#ifndef VMRUN_READY_H
#define VMRUN_READY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "status.h"
#include "vmrun/vmrun.h"

struct ready {
	int fd;		 /* gets a newline, once; -1: none, or it has it */
	int notify;	 /* a socket; -1: nobody is to be notified */
	bool is_wanted;	 /* NOTIFY_SOCKET is set */
	bool is_up;	 /* once is enough */
	bool owes_ready; /* READY=1 is to be sent */
	bool is_ending;	 /* STOPPING=1 was */
	struct sockaddr_un to;
	socklen_t to_length;
	char said[STATUS_SIZE]; /* the last STATUS= */
};

/*
 * Takes the number of --ready-fd, -1 without it, and NOTIFY_SOCKET out of the environment: neither
 * is for our children.  Before anything is opened that could get the number.  What is wrong with
 * the number, a static text; or NULL.
 */
const char *ready_prepare(struct ready *ready, int64_t fd);
/* Opens the socket of NOTIFY_SOCKET, if there is one. What is wrong with it, or NULL. */
const char *ready_open(struct ready *ready);
/* The hypervisor is up: writes the newline. What went wrong, or NULL. */
const char *ready_up(struct ready *ready);
/* Tells how it stands, if that is something new. */
void ready_tell(struct ready *ready, const struct vmrun_state *state);
/* The spec is about to be read again; the next ready_tell() says that it has been. */
void ready_reloading(struct ready *ready);
void ready_close(struct ready *ready);

#endif
