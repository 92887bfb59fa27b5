/* What only Linux can be asked. */
#include "platform/os.h"

#include <fcntl.h>
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
