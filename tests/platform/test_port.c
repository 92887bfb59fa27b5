/* Ports that are free, in use, or of an address of another host. */
#include "platform/port.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

/* Listens at a port that the kernel chooses. */
static int serve(char place[64], int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	/* As servers do; on Linux, both sides must set it. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	(void)snprintf(place, 64, "127.0.0.1:%d", *port);
	return fd;
}

static void taken_and_free(void **state)
{
	char place[64], other[64];
	int port, fd;

	(void)state;
	loopback_needed();
	fd = serve(place, &port);
	assert_int_equal(port_probe(place), EADDRINUSE);
	(void)snprintf(other, sizeof(other), ":%d", port);
	assert_int_equal(port_probe(other), EADDRINUSE);
	(void)snprintf(other, sizeof(other), "localhost:%d", port);
	assert_int_equal(port_probe(other), EADDRINUSE);
	(void)close(fd);
	assert_int_equal(port_probe(place), 0);
	assert_int_equal(port_probe(place), 0); /* the probe does not keep the port */
}

/* A server of TCP is not in the way of a program that receives datagrams, which needs no listen(2).
 */
static void datagrams(void **state)
{
	char place[64];
	struct sockaddr_in a = { .sin_family = AF_INET };
	int port, server, fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	loopback_needed();
	server = serve(place, &port);
	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(port_probe_udp(place), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(port_probe_udp(place), EADDRINUSE);
	(void)close(server);
	assert_int_equal(port_probe(place), 0);
	(void)close(fd);
	assert_int_equal(port_probe_udp(place), 0);
}

static void places_in_the_way(void **state)
{
	static const struct {
		const char *one, *other;
		bool overlap;
	} rows[] = {
		{ "127.0.0.1:5900", "127.0.0.1:5900", true },
		{ "127.0.0.1:5900", "127.0.0.1:5901", false },
		{ "127.0.0.1:5900", "localhost:05900", true },
		{ ":5900", "127.0.0.1:5900", true },
		{ "127.0.0.2:5900", "127.0.0.1:5900", false },
		{ "127.0.0.2:5900", "0.0.0.0:5900", true },
		{ "0.0.0.0:5900", "127.0.0.2:5900", true },
		{ "0.0.0.0:5900", "[::1]:5900", false },
		{ "[::]:5900", "[::1]:5900", true },
		{ "::1:5900", "[::1]:5900", true },
		{ "[::]:5900", "127.0.0.1:5900", false },
		{ "5900", "127.0.0.1:5900", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(port_overlaps(rows[i].one, rows[i].other), rows[i].overlap);
}

/* The side that closes first keeps the port for a while, which servers ignore. */
static void a_connection_that_just_ended(void **state)
{
	char place[64];
	struct sockaddr_in a = { .sin_family = AF_INET };
	int port, fd, client = socket(AF_INET, SOCK_STREAM, 0), served;
	char byte;

	(void)state;
	loopback_needed();
	fd = serve(place, &port);
	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(client, (const struct sockaddr *)&a, sizeof(a)), 0);
	served = accept(fd, NULL, NULL);
	assert_true(served >= 0);
	(void)close(served);
	assert_int_equal(read(client, &byte, 1), 0);
	(void)close(client);
	(void)close(fd);
	assert_int_equal(port_probe(place), 0);
}

static void malformed_places(void **state)
{
	(void)state;
	assert_int_equal(port_probe("name.example.org:5900"), EINVAL);
	assert_int_equal(port_probe("5900"), EINVAL);
	assert_int_equal(port_probe("127.0.0.1:http"), EINVAL);
}

static void addresses_of_other_hosts(void **state)
{
	(void)state;
	loopback_needed();
	assert_int_equal(port_probe("192.0.2.1:5900"), EADDRNOTAVAIL);
	/* Without IPv6 the error says so; the address is not taken for a name. */
	assert_int_not_equal(port_probe("[2001:db8::1]:5900"), EINVAL);
	assert_int_not_equal(port_probe("[2001:db8::1]:5900"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_and_free),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(places_in_the_way),
		cmocka_unit_test(a_connection_that_just_ended),
		cmocka_unit_test(malformed_places),
		cmocka_unit_test(addresses_of_other_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
