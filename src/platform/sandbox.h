/*
 * The things of the host that a sandboxed spec may name (vmrun --sandbox): files below its own
 * directory, loopback addresses, and things that the operator allows.
 */
#ifndef PLATFORM_SANDBOX_H
#define PLATFORM_SANDBOX_H

#include <stdbool.h>

#include "base/words.h"

struct sandbox;

/*
 * Makes the judge of one spec.  `home` is its directory; the root directory gives it nothing.  Each
 * word of `allow` is an absolute path, the name of an interface or of a PCI device, or an address:
 * ADDR for any port, or ADDR:PORT, brackets around an IPv6 address that has a port.  Both are
 * copied.
 */
struct sandbox *sandbox_new(const char *home, const struct words *allow);
/* Frees a sandbox; NULL is fine. */
void sandbox_free(struct sandbox *s);

/*
 * Returns whether the path leads to something below the spec's directory, or to something that is
 * allowed.  Symbolic links are followed; of a file that does not exist yet, those on the way to it.
 * *real is where the path leads; NULL where that is not known, as of a link to nothing.  Caller
 * frees *real.
 */
bool sandbox_allows_path(const struct sandbox *s, const char *path, char **real);
/* Returns whether the path leads below the spec's directory, allowed paths aside. */
bool sandbox_is_home(const struct sandbox *s, const char *path, char **real);
/* Returns whether the path leads below the directory, which may be a link, too. */
bool sandbox_is_inside(const char *path, const char *directory);
/* Returns whether the directory is the spec's own, or above it. */
bool sandbox_holds_home(const struct sandbox *s, const char *directory);
/* Returns whether an interface is allowed; `vale0` allows each of its ports, `vale0:vm`. */
bool sandbox_allows_name(const struct sandbox *s, const char *name);
/*
 * Returns whether a PCI device is allowed: "ppt0", or "3/0/0", which `3:0:0` and `pci0:3:0:0` allow
 * too.
 */
bool sandbox_allows_pci(const struct sandbox *s, const char *device);
/* Returns whether ADDR:PORT is on loopback, or allowed; the port "auto" is chosen later. */
bool sandbox_allows_address(const struct sandbox *s, const char *place);

#endif
