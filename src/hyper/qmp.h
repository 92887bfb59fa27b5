/* The part of qemu's control protocol (QMP) that a supervisor needs: one JSON object per line. */
#ifndef HYPER_QMP_H
#define HYPER_QMP_H

#include "hyper/hyper.h"

/*
 * Sent at once.  qemu starts stopped (-S), so that no event is lost before capabilities are
 * enabled.
 */
#define QMP_CAPABILITIES "{\"execute\":\"qmp_capabilities\"}\n"
#define QMP_CONTINUE "{\"execute\":\"cont\"}\n"
#define QMP_HELLO QMP_CAPABILITIES QMP_CONTINUE
#define QMP_POWERDOWN "{\"execute\":\"system_powerdown\"}\n"
#define QMP_QUIT "{\"execute\":\"quit\"}\n"
/* Asks for the registers of one processor, whose number is the argument. */
#define QMP_REGISTERS                                           \
	"{\"execute\":\"human-monitor-command\",\"arguments\":" \
	"{\"command-line\":\"info registers\",\"cpu-index\":%" PRId64 "}}\n"
#define QMP_STATUS "{\"execute\":\"query-status\"}\n"

/* See struct hypervisor. */
const char *qmp_halt_request(struct signs *signs);
/* Reads one line; ignores what is not QMP.  Returns a reply to send (lent), or NULL. */
const char *qmp_hear(struct signs *signs, const char *line);

#endif
