/* What the values of a decoded spec or device name of the host: a walk over its rows. */
#ifndef DEVICE_HOST_USE_H
#define DEVICE_HOST_USE_H

#include "device/field.h"

/* A visitor; a struct that begins with it carries what `found` needs. */
struct host_visit {
	/* `what` is the name.  Of HOST_FORBIDDEN and HOST_UNSAID it is what the key does, "runs a
	 * command"; of HOST_INVALID what is expected. */
	void (*found)(struct host_visit *visit, enum host_kind kind, const char *what,
	    const struct where *at);
};

/* Calls the visitor for each thing that the values name.  `from` is the struct that the rows
 * describe. */
void host_use_visit(
    const struct field *rows, const void *from, const struct where *at, struct host_visit *visit);
/* Returns what a value of the row names of the host: as the row, its custom or its type states. */
const struct host_use *host_use_of(const struct field *f);
/* For host_use.names: passes one thing that the value names to the visitor. */
void host_found(
    struct host_visit *visit, enum host_kind kind, const char *what, const struct where *at);

#endif
