/* The loopback network of the host, which a sandbox may lack. */
#include "loopback.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static bool can_connect(int server, int client)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return bind(server, (const struct sockaddr *)&a, size) == 0 && listen(server, 1) == 0 &&
	    getsockname(server, (struct sockaddr *)&a, &size) == 0 &&
	    connect(client, (const struct sockaddr *)&a, size) == 0;
}

void loopback_needed(void)
{
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	bool works = can_connect(server, client);

	(void)close(client);
	(void)close(server);
	if (works)
		return;
	print_message("skipped: the loopback interface is down\n");
	skip();
}
