/* Removal of stale sockets, and of no others. */
#include "ledger/sockets.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "platform/socket.h"

int sockets_clear(const struct words *paths, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		switch (socket_probe(paths->item[i])) {
		case SOCKET_LIVE:
			return error_set(err, STATUS_CHECK,
			    "%s: another program answers on this socket: is the VM running "
			    "already?",
			    paths->item[i]);
		case SOCKET_FOREIGN:
			return error_set(err, STATUS_CHECK,
			    "%s: exists and is not a socket: move it away or choose another path",
			    paths->item[i]);
		case SOCKET_UNKNOWN:
			return error_set(err, STATUS_CHECK, "%s: cannot be examined: %s",
			    paths->item[i], strerror(errno));
		case SOCKET_STALE:
		case SOCKET_ABSENT:
			break;
		}
	}
	for (size_t i = 0; i < paths->count; i++) {
		if (unlink(paths->item[i]) != 0 && errno != ENOENT && errno != ENOTDIR)
			return error_set(err, STATUS_CHECK,
			    "%s: cannot remove the stale socket: %s", paths->item[i],
			    strerror(errno));
	}
	return 0;
}

bool sockets_remove_stale(const char *path)
{
	switch (socket_probe(path)) {
	case SOCKET_STALE:
		return unlink(path) == 0 || errno == ENOENT;
	case SOCKET_UNKNOWN:
		return false;
	default: /* absent, or another program's */
		return true;
	}
}
