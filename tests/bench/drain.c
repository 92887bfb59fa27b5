/*
 * The floor of the console: makes a terminal, starts a guest on it and copies what comes to a file.
 *
 *	drain FILE PROGRAM
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { FAILED = 70 };

int main(int argc, char **argv)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, file, status = 0;
	char bytes[16384], *path;
	ssize_t n;
	pid_t pid;

	if (argc != 3 || terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0 ||
	    (path = ptsname(terminal)) == NULL)
		return FAILED;
	slave = open(
	    path, O_RDWR | O_NOCTTY); /* the guest inherits it: no end of file before its own */
	file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (slave < 0 || file < 0)
		return FAILED;
	pid = fork();
	if (pid == 0) {
		(void)execl(argv[2], argv[2], path, (char *)NULL);
		_exit(FAILED);
	}
	(void)close(slave);
	while ((n = read(terminal, bytes, sizeof(bytes))) > 0)
		if (write(file, bytes, (size_t)n) != n)
			return FAILED;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1
	    ? 0
	    : FAILED;
}
