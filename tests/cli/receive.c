/*
 * receive SOCKET: a service manager's end of sd_notify(3).  Makes SOCKET, a path or @NAME, writes
 * each datagram as one line with its newlines as |, until SIGTERM.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t length = argc == 2 ? strlen(argv[1]) : 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[8192];
	ssize_t n;

	if (length == 0 || length >= sizeof(at.sun_path))
		return 64;
	memcpy(at.sun_path, argv[1], length);
	if (argv[1][0] == '@')
		at.sun_path[0] = '\0';
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&at,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0) {
		perror(argv[1]);
		return 71;
	}
	/* This line tells the test that the socket exists. */
	puts("listening");
	while (fflush(stdout) == 0 && (n = recv(fd, text, sizeof(text), 0)) >= 0) {
		for (ssize_t i = 0; i < n; i++)
			(void)putchar(text[i] == '\n' ? '|' : text[i]);
		(void)putchar('\n');
	}
	return 0;
}
