/* Unix sockets and TCP ports. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "check/need.h"
#include "platform/port.h"
#include "platform/socket.h"

void check_socket(struct check *c, const struct checked_need *need)
{
	const char *path = need->need->what, *why;
	MEM_AUTO char *directory = check_parent(path);

	switch (check_is_ours(c, path) ? SOCKET_STALE : socket_probe(path)) {
	case SOCKET_LIVE:
		check_problem(c, need, path, "another program answers on this socket")->busy = true;
		return;
	case SOCKET_FOREIGN:
		(void)check_problem(c, need, path, "exists and is not a socket");
		return;
	case SOCKET_UNKNOWN:
		(void)check_problem(c, need, path, "cannot be examined: %s", strerror(errno));
		return;
	case SOCKET_STALE: /* removed before the start */
	case SOCKET_ABSENT:
		break;
	}
	why = check_access(directory, W_OK | X_OK);
	if (why != NULL)
		(void)check_problem(c, need, path, "its directory %s: %s", directory, why);
}

void check_server(struct check *c, const struct checked_need *need)
{
	const char *path = need->need->what;

	switch (socket_probe(path)) {
	case SOCKET_LIVE:
		break;
	case SOCKET_STALE:
		(void)check_problem(c, need, path, "no program answers on this socket");
		break;
	case SOCKET_ABSENT:
		(void)check_problem(c, need, path, "%s", strerror(ENOENT));
		break;
	case SOCKET_FOREIGN:
		(void)check_problem(c, need, path, "not a socket");
		break;
	case SOCKET_UNKNOWN:
		(void)check_problem(c, need, path, "cannot be examined: %s", strerror(errno));
		break;
	}
}

const char *check_port_fault(int why)
{
	return why == EADDRNOTAVAIL ? "this host has no such address" : strerror(why);
}

void check_port(struct check *c, const struct checked_need *need)
{
	const char *place = need->need->what;
	int why = need->need->kind == NEED_FORWARD_UDP ? port_probe_udp(place) : port_probe(place);

	if (why == 0)
		return;
	if (why == EINVAL)
		(void)findings_add(c->host.out, FINDING_UNCHECKED, need->dev, need->at, place,
		    "%s: the name of the host is not looked up", place);
	else if (why == EADDRINUSE)
		check_problem(c, need, place, "the port is in use by another program")->busy = true;
	else
		(void)check_problem(c, need, place, "%s", check_port_fault(why));
}
