/* Whether /dev/fd reopens any descriptor: Linux always, FreeBSD with fdescfs(5) mounted. */
#include <stdio.h>
#include <unistd.h>

#include "platform/devfd.h"

bool os_has_dev_fd(void)
{
	char path[32];
	int fd = dup(STDERR_FILENO);
	bool there;

	if (fd < 0)
		return false;
	/* FreeBSD's devfs alone knows 0, 1 and 2. */
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd > 2 ? fd : 3);
	there = fd > 2 && access(path, F_OK) == 0;
	(void)close(fd);
	return there;
}
