/* TCP ports of this host. */
#ifndef PLATFORM_PORT_H
#define PLATFORM_PORT_H

/*
 * Could a server listen at this place, "ADDR:PORT", "[V6]:PORT" or ":PORT"?  0, or why not:
 * EADDRINUSE somebody has it, EADDRNOTAVAIL this host has no such address, EACCES, EINVAL when the
 * address is a name, which is not looked up (but "localhost"), or something else of bind(2).  As
 * servers do, it passes over connections that are just ending.  Nobody can connect meanwhile.
 */
int port_probe(const char *place);

#endif
