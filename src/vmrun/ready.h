/* Readiness for the parent process: --ready-fd, and the protocol of sd_notify(3). */
#ifndef VMRUN_READY_H
#define VMRUN_READY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "status.h"
#include "vmrun/vmrun.h"

struct ready {
	int fd;		       /* gets one newline; -1: none, or already written */
	int notify;	       /* the socket of NOTIFY_SOCKET; -1: none */
	bool is_configured;    /* NOTIFY_SOCKET is set */
	bool is_up;	       /* the VM has started, see struct vmrun_state */
	bool extends;	       /* the start has a time limit of the spec, see extension_ms() */
	bool ready_is_due;     /* READY=1 is to be sent */
	bool stopping_sent;    /* STOPPING=1 was sent */
	struct sockaddr_un to; /* the address in NOTIFY_SOCKET */
	socklen_t to_length;
	char last_status[STATUS_SIZE]; /* that was sent as STATUS= */
};

/*
 * Sets the descriptor of --ready-fd (-1: none) and removes NOTIFY_SOCKET from the environment, so
 * that child processes get neither.  Must be called before vmrun opens a file, because that file
 * could get the number of a closed descriptor.  Returns NULL or a static error message.
 */
const char *ready_prepare(struct ready *ready, int64_t fd);
/* Opens the socket of NOTIFY_SOCKET, if that is set.  Returns NULL or an error message. */
const char *ready_open(struct ready *ready);
/* Writes the newline of --ready-fd, once.  Returns NULL or an error message. */
const char *ready_up(struct ready *ready);
/*
 * Sends READY=1, STOPPING=1 and STATUS= to the service manager, if the state has changed; with
 * EXTEND_TIMEOUT_USEC= while the guest has time left to become ready.
 */
void ready_update(struct ready *ready, const struct vmrun_state *state);
/* Sends RELOADING=1 before a reload; the next ready_update() sends READY=1. */
void ready_reloading(struct ready *ready);
/* Closes both descriptors. */
void ready_close(struct ready *ready);

#endif
