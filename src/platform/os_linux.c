/* What only Linux can be asked. */
#include "platform/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

const char *os_name(void)
{
	return "Linux";
}

int os_bhyve_release(void)
{
	return 0;
}

bool os_has_vmm(void)
{
	return false;
}

int os_protect(pid_t pid)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/oom_score_adj", (long)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, "-1000", 5);
	(void)close(fd);
	return n == 5 ? 0 : -1;
}

bool os_uses_ip(void)
{
	return true;
}

bool os_has_kvm(void)
{
	int fd;

	/* Other implementations emulate unpaged code, and firmware dies in it. */
	if (access("/sys/module/kvm_intel", F_OK) < 0 && access("/sys/module/kvm_amd", F_OK) < 0)
		return false;
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}
