/* Probes a port by binding to it, and connects to one. */
#include "platform/port.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

static int try_bind(const struct addrinfo *to)
{
	int fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, 0), one = 1, why = 0;

	if (fd < 0)
		return errno;
	/* With it, two programs could receive at one UDP port. */
	if (to->ai_socktype == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* A server at the IPv4 address of the same port does not count. */
	if (to->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, to->ai_addr, to->ai_addrlen) < 0)
		why = errno;
	(void)close(fd);
	return why;
}

/* Returns the host of a place, without brackets and in digits.  Caller frees. */
static char *host_of(const char *place)
{
	const char *colon = strrchr(place, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - place);
	int skip = n >= 2 && *place == '[' && place[n - 1] == ']' ? 1 : 0;
	char *host = mem_copy_n(place + skip, n - 2 * (size_t)skip);

	if (*host == '\0' || strcmp(host, "localhost") == 0) {
		free(host);
		host = mem_copy("127.0.0.1");
	}
	return host;
}

static int probe(const char *place, int type)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = type };
	struct addrinfo *to = NULL;
	const char *colon = strrchr(place, ':');
	MEM_AUTO char *host = host_of(place);
	int why;

	if (colon == NULL || getaddrinfo(host, colon + 1, &hints, &to) != 0)
		return EINVAL;
	why = try_bind(to);
	freeaddrinfo(to);
	return why;
}

int port_probe(const char *place)
{
	return probe(place, SOCK_STREAM);
}

int port_probe_udp(const char *place)
{
	return probe(place, SOCK_DGRAM);
}

/* Returns whether a host is all addresses of the family of another one. */
static bool is_all_of(const char *host, const char *other)
{
	return strcmp(host, strchr(other, ':') != NULL ? "::" : "0.0.0.0") == 0;
}

bool port_overlaps(const char *place, const char *other)
{
	const char *port = strrchr(place, ':'), *other_port = strrchr(other, ':');
	MEM_AUTO char *host = host_of(place);
	MEM_AUTO char *other_host = host_of(other);

	return port != NULL && other_port != NULL &&
	    strtol(port + 1, NULL, 10) == strtol(other_port + 1, NULL, 10) &&
	    (strcmp(host, other_host) == 0 || is_all_of(host, other_host) ||
		is_all_of(other_host, host));
}

int port_connect(const char *address, int port, int *fd)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *to = NULL;
	char service[16];
	int why = 0;

	(void)snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(address, service, &hints, &to) != 0)
		return EINVAL;
	*fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0 || (connect(*fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS))
		why = errno;
	freeaddrinfo(to);
	if (why != 0 && *fd >= 0)
		(void)close(*fd);
	return why;
}

int port_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer), length = sizeof(int);
	int why = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &length) < 0)
		return errno;
	if (why == 0 && getpeername(fd, (struct sockaddr *)&peer, &size) < 0)
		why = errno == ENOTCONN ? EINPROGRESS : errno;
	return why;
}

/* Returns whether the text can name an interface, which is the zone of an address. */
static bool is_zone(const char *text)
{
	const char *p = text;

	while (isalnum((unsigned char)*p) != 0 || *p == '.' || *p == '_' || *p == '-')
		p++;
	return *p == '\0' && p != text;
}

bool port_is_numeric(const char *address)
{
	const char *zone = strchr(address, '%');
	MEM_AUTO char *host =
	    mem_copy_n(address, zone == NULL ? strlen(address) : (size_t)(zone - address));
	unsigned char bytes[16];

	if (zone != NULL && !is_zone(zone + 1))
		return false;
	return (zone == NULL && inet_pton(AF_INET, host, bytes) == 1) ||
	    inet_pton(AF_INET6, host, bytes) == 1;
}
