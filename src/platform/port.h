/* TCP and UDP ports of this host. */
#ifndef PLATFORM_PORT_H
#define PLATFORM_PORT_H

#include <stdbool.h>

/*
 * Begins a TCP connection to a numeric address without waiting.  Returns 0 with a descriptor that
 * is non-blocking and close-on-exec, and becomes writable when port_connected() knows more; or an
 * errno, EINVAL for an address that is a name.
 */
int port_connect(const char *address, int port, int *fd);
/* Returns 0 for a connection that is there, EINPROGRESS, or the errno of its failure. */
int port_connected(int fd);

/*
 * Tries whether a server could listen at a place: "ADDR:PORT", "[V6]:PORT" or ":PORT".  Returns 0
 * or an errno: EADDRINUSE the port is in use, EADDRNOTAVAIL this host has no such address, EACCES,
 * EINVAL the address is a name, which is not looked up (but "localhost"), or another one of
 * bind(2).  Ignores connections that are ending, as servers do.  No client can connect meanwhile.
 */
int port_probe(const char *place);
/* The same for a place at which a program receives datagrams. */
int port_probe_udp(const char *place);
/*
 * Returns whether programs at both places are in each other's way: the port is one, and the address
 * is one, or one of the two is all addresses of its family.
 */
bool port_overlaps(const char *place, const char *other);
/*
 * Returns whether the text is a numeric address: IPv4, or IPv6 without brackets, which may have a
 * zone ("fe80::1%em0").
 */
bool port_is_numeric(const char *address);

#endif
