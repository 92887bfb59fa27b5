/* Questions to FreeBSD. */
#include "platform/os.h"

#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/disk.h>
#include <sys/ioctl.h>
#include <sys/module.h>
#include <sys/proc.h>
#include <sys/procctl.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/thr.h>
#include <sys/tty.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <sys/user.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

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

int os_pin_thread(pid_t pid, int64_t thread, const bool cpus[MAX_HOST_CPUS])
{
	cpuset_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < MAX_HOST_CPUS; i++) {
		if (cpus[i] && i >= CPU_SETSIZE) /* 256 before FreeBSD 14 */
			return ENXIO;
		if (cpus[i])
			CPU_SET(i, &set);
	}
	if (thr_kill2(pid, (long)thread, 0) != 0)
		return errno;
	if (cpuset_setaffinity(CPU_LEVEL_WHICH, CPU_WHICH_TID, (id_t)thread, sizeof(set), &set) ==
	    0)
		return 0;
	return errno == EINVAL || errno == EDEADLK ? ENXIO : errno;
}

/*
 * kern.boot_id, 16 random bytes.  kern.boottime would not do: it moves whenever the clock is set,
 * and processes of this boot would pass for those of another.
 */
char *os_boot_id(void)
{
	uint8_t bytes[16];
	size_t size = sizeof(bytes);
	struct str text = { 0 };

	if (sysctlbyname("kern.boot_id", bytes, &size, NULL, 0) != 0)
		size = 0;
	for (size_t i = 0; i < size; i++)
		str_addf(&text, "%02x", bytes[i]);
	return str_take(&text);
}

bool os_uses_ip(void)
{
	return false;
}

int os_tap_make(const char *name, int *fd)
{
	(void)name;
	*fd = -1;
	return ENOTSUP;
}

int os_tap_keep(int fd)
{
	(void)fd;
	return ENOTSUP;
}

static int64_t microseconds(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

/* Reads kern.boottime. */
static bool read_boot_time(int64_t *us)
{
	struct timeval when;
	size_t size = sizeof(when);

	if (sysctlbyname("kern.boottime", &when, &size, NULL, 0) != 0 || size != sizeof(when))
		return false;
	*us = microseconds(when);
	return true;
}

/*
 * Returns the start as microseconds since the boot.  The kernel adds kern.boottime to that number,
 * which moves whenever the clock is set, so the sum would change while the process runs.
 */
bool os_process_look(pid_t pid, bool *dead, int64_t *start)
{
	int name[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, pid };
	struct kinfo_proc proc;
	int64_t before, after;

	do {
		size_t size = sizeof(proc);

		if (!read_boot_time(&before) || sysctl(name, 4, &proc, &size, NULL, 0) != 0 ||
		    size != sizeof(proc) || !read_boot_time(&after))
			return false;
	} while (before != after);
	*dead = proc.ki_stat == SZOMB;
	*start = microseconds(proc.ki_start) - after;
	return true;
}

bool os_has_kvm(char why[OS_KVM_WHY])
{
	(void)snprintf(why, OS_KVM_WHY, "this system has no KVM");
	return false;
}

bool os_has_vfio(int bus, int slot, int function, char why[OS_VFIO_WHY])
{
	(void)bus;
	(void)slot;
	(void)function;
	(void)snprintf(why, OS_VFIO_WHY, "this system has no vfio-pci: use bhyve and ppt(4)");
	return false;
}

bool os_module_loaded(const char *name)
{
	return modfind(name) >= 0;
}

bool os_sysctl(const char *name, int64_t *value)
{
	union {
		int32_t small;
		int64_t large;
	} number = { .large = 0 };
	size_t size = sizeof(number);

	if (sysctlbyname(name, &number, &size, NULL, 0) < 0)
		return false;
	*value = size == sizeof(number.large) ? number.large : number.small;
	return true;
}

int64_t os_memory(void)
{
	int64_t bytes;

	return os_sysctl("hw.physmem", &bytes) ? bytes : 0;
}

/* Reads the line of if_tuntap.c that ifconfig(8) shows: "\tOpened by PID 4711\n". */
pid_t os_interface_opener(const char *name)
{
	static const char sign[] = "Opened by PID ";
	struct ifstat status;
	const char *at = NULL;
	int fd = socket(AF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(&status, 0, sizeof(status));
	(void)strlcpy(status.ifs_name, name, sizeof(status.ifs_name));
	if (fd >= 0 && ioctl(fd, SIOCGIFSTATUS, &status) == 0) {
		status.ascii[sizeof(status.ascii) - 1] = '\0';
		at = strstr(status.ascii, sign);
	}
	if (fd >= 0)
		(void)close(fd);
	return at == NULL ? 0 : (pid_t)strtol(at + strlen(sign), NULL, 10);
}

int64_t os_sector_size(const char *path)
{
	struct stat st;
	u_int size = 0;
	int fd;

	if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (ioctl(fd, DIOCGSECTORSIZE, &size) < 0)
		size = 0;
	(void)close(fd);
	return size;
}

/* Reads the list that pstat(8) -t shows. */
bool os_terminal_is_open(const char *path)
{
	MEM_AUTO struct xtty *list = NULL;
	struct stat st;
	size_t size = 0, count;

	if (stat(path, &st) < 0 || sysctlbyname("kern.ttys", NULL, &size, NULL, 0) < 0)
		return false;
	size += 16 * sizeof(*list); /* more terminals may appear meanwhile */
	list = mem_zero(size);
	if (sysctlbyname("kern.ttys", list, &size, NULL, 0) < 0)
		return false;
	count = size / sizeof(*list);
	for (size_t i = 0; i < count; i++) {
		if (list[i].xt_dev == st.st_rdev)
			return (list[i].xt_flags & TF_OPENED) != 0;
	}
	return false;
}

bool os_peer(int fd, uid_t *uid, pid_t *pid)
{
	struct xucred peer;
	socklen_t size = sizeof(peer);
	gid_t group;

	if (getpeereid(fd, uid, &group) < 0)
		return false;
	*pid = getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &peer, &size) == 0 ? peer.cr_pid : 0;
	return true;
}
