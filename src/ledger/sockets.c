/* Clearing away sockets, and only ours. */
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

void sockets_remove(const struct words *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		if (socket_probe(paths->item[i]) == SOCKET_STALE)
			(void)unlink(paths->item[i]);
	}
}
