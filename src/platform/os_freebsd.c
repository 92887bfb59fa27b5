/* What only FreeBSD can be asked. */
#include "platform/os.h"

#include <sys/param.h>
#include <sys/module.h>
#include <sys/procctl.h>
#include <sys/sysctl.h>
#include <unistd.h>

const char *os_name(void)
{
	return "FreeBSD";
}

int os_bhyve_release(void)
{
	int date = 0;
	size_t size = sizeof(date);

	if (sysctlbyname("kern.osreldate", &date, &size, NULL, 0) < 0)
		return 0;
	return date / 100000;
}

bool os_has_vmm(void)
{
	return access("/dev/vmmctl", F_OK) == 0 || modfind("vmm") >= 0;
}

int os_protect(pid_t pid)
{
	int flags = PPROT_SET;

	return procctl(P_PID, pid, PROC_SPROTECT, &flags);
}

bool os_uses_ip(void)
{
	return false;
}

bool os_has_kvm(void)
{
	return false;
}
