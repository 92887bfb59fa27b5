/* The system calls of a new process on Linux. */
#define _GNU_SOURCE
#include "platform/spawn_child.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In kernels since 5.9, in C libraries much later. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int child_die_with_parent(int signal)
{
	return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0);
}

/* An entry of getdents64(2), which is called directly because readdir() allocates. */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

/* Reads a number; false for any other name. */
static bool read_number(const char *name, unsigned int *number)
{
	*number = 0;
	for (const char *p = name; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*number = *number * 10 + (unsigned int)(*p - '0');
	}
	return *name != '\0';
}

/* Closes the descriptors in the list, whose order by number makes that safe while it is read. */
static int close_listed(int list, unsigned int first, unsigned int last)
{
	_Alignas(struct entry) char buffer[1024];
	unsigned int fd;
	long n;

	while ((n = syscall(SYS_getdents64, list, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buffer + at);

			at += e->size;
			if (read_number(e->name, &fd) && fd >= first && fd <= last &&
			    fd != (unsigned int)list)
				(void)close((int)fd);
		}
	}
	return (int)n;
}

int child_close_range(unsigned int first, unsigned int last)
{
	int list, result;

	if (syscall(SYS_close_range, first, last, 0) == 0)
		return 0;
	/* For older kernels, and sandboxes that do not know the call and return EPERM. */
	list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (list < 0)
		return -1;
	result = close_listed(list, first, last);
	(void)close(list);
	return result;
}

int child_set_action(int signal, const struct sigaction *action)
{
	return sigaction(signal, action, NULL);
}

int child_set_mask(const sigset_t *mask)
{
	return sigprocmask(SIG_SETMASK, mask, NULL);
}
