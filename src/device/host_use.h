/* A walk over rows that finds what the values of a spec or device name on the host. */
#ifndef DEVICE_HOST_USE_H
#define DEVICE_HOST_USE_H

#include "device/field.h"

/* A visitor.  Embed it as the first member of a struct that holds the state of `found`. */
struct host_visit {
	/*
	 * `what` is the name; for HOST_FORBIDDEN and HOST_UNSAID what the key does ("runs a
	 * command"), for HOST_INVALID what is expected.
	 */
	void (*found)(struct host_visit *visit, enum host_kind kind, const char *what,
	    const struct where *at);
};

/* Calls the visitor for each thing that the values name.  The rows describe the struct `from`. */
void host_use_visit(
    const struct field *rows, const void *from, const struct where *at, struct host_visit *visit);
/*
 * Returns what a value of the row names on the host, as stated by the row, its custom or its type.
 */
const struct host_use *host_use_of(const struct field *f);
/* Passes one thing that a value names to the visitor, for host_use.names. */
void host_found(
    struct host_visit *visit, enum host_kind kind, const char *what, const struct where *at);

#endif
