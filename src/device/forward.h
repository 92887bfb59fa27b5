/* Forwarding rules of user networking (slirp): PROTO:[ADDR]:PORT-[ADDR]:PORT. */
#ifndef DEVICE_FORWARD_H
#define DEVICE_FORWARD_H

#include "base/words.h"
#include "device/field.h"
#include "device/needs.h"

/* Finds the host's ADDR:PORT of each rule: host_use.names of a list of rules. */
void forward_names(const void *value, const struct where *at, struct host_visit *visit);
/* Reports each invalid rule, at its entry in the list. */
void forward_check(const struct words *rules, const struct where *list, struct decoder *d);
/* Adds the host's port of each rule; the key is that of the list, static. */
void forward_need(const struct words *rules, const char *key, struct needs *needs);
/*
 * Returns whether a rule may take a TCP connection to ADDR:PORT.  Without ADDR it listens at all
 * IPv4 addresses of the host, which only the host knows.
 */
bool forward_takes(const char *rule, const char *place);

#endif
