/* Questions to Linux. */
#define _GNU_SOURCE /* struct ucred, cpu_set_t */
#include "platform/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

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

int os_pin_thread(pid_t pid, int64_t thread, const bool cpus[MAX_HOST_CPUS])
{
	cpu_set_t set;

	_Static_assert(CPU_SETSIZE >= MAX_HOST_CPUS, "a bit for each");
	CPU_ZERO(&set);
	for (size_t i = 0; i < MAX_HOST_CPUS; i++) {
		if (cpus[i])
			CPU_SET(i, &set);
	}
	if (syscall(SYS_tgkill, (long)pid, (long)thread, 0L) != 0)
		return errno;
	if (sched_setaffinity((pid_t)thread, sizeof(set), &set) == 0)
		return 0;
	return errno == EINVAL ? ENXIO : errno;
}

/*
 * Reads /proc/PID/stat, see proc(5): the name may contain any character, a parenthesis too; the
 * third field is the state, the twenty-second the start in ticks since the system booted.
 */
bool os_process_look(pid_t pid, bool *dead, int64_t *start)
{
	char path[64], text[1024];
	const char *p;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (p == NULL || p[1] != ' ')
		return false;
	*dead = p[2] == 'Z' || p[2] == 'X';
	for (int field = 2; field < 22 && p != NULL; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL)
		return false;
	*start = strtoll(p + 1, NULL, 10);
	return true;
}

/* random(4): one line, a UUID.  A part of it would be another boot, of which nothing is left. */
char *os_boot_id(void)
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (fd >= 0)
		(void)close(fd);
	return mem_copy_n(text, n > 0 && text[n - 1] == '\n' ? (size_t)n - 1 : 0);
}

bool os_uses_ip(void)
{
	return true;
}

/* tuntap.rst of the kernel: with IFF_TUN_EXCL, TUNSETIFF refuses an interface that exists. */
int os_tap_make(const char *name, int *fd)
{
	struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL) };
	int why;

	*fd = -1;
	if (strlen(name) >= sizeof(request.ifr_name))
		return ENAMETOOLONG;
	memcpy(request.ifr_name, name, strlen(name) + 1);
	*fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return errno;
	if (ioctl(*fd, TUNSETIFF, &request) == 0)
		return 0;
	/* EBUSY for a tap, EINVAL for another kind of interface. */
	why = errno;
	if (why == EBUSY || os_interface_exists(name))
		why = EEXIST;
	(void)close(*fd);
	*fd = -1;
	return why;
}

int os_tap_keep(int fd)
{
	return ioctl(fd, TUNSETPERSIST, 1) == 0 ? 0 : errno;
}

bool os_has_kvm(char why[OS_KVM_WHY])
{
	int fd;

	/* Of x86, other implementations emulate unpaged code, and firmware dies in it. */
	if (strcmp(os_arch(), "amd64") == 0 && access("/sys/module/kvm_intel", F_OK) < 0 &&
	    access("/sys/module/kvm_amd", F_OK) < 0) {
		(void)snprintf(why, OS_KVM_WHY, "neither kvm_intel nor kvm_amd is loaded");
		return false;
	}
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		(void)snprintf(why, OS_KVM_WHY, "/dev/kvm: %s", strerror(errno));
		return false;
	}
	(void)close(fd);
	return true;
}

/* Linux' Documentation/ABI/testing/sysfs-bus-pci: a link leads to the driver, if there is one. */
bool os_has_vfio(int bus, int slot, int function, char why[OS_VFIO_WHY])
{
	char path[64], driver[256];
	const char *name;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/sys/bus/pci/devices/0000:%02x:%02x.%x", (unsigned)bus,
	    (unsigned)slot, (unsigned)function);
	if (access(path, F_OK) < 0) {
		(void)snprintf(why, OS_VFIO_WHY, "no such PCI device");
		return false;
	}
	(void)strncat(path, "/driver", sizeof(path) - strlen(path) - 1);
	n = readlink(path, driver, sizeof(driver) - 1);
	driver[n < 0 ? 0 : n] = '\0';
	name = strrchr(driver, '/');
	if (name != NULL && strcmp(name, "/vfio-pci") == 0)
		return true;
	(void)snprintf(why, OS_VFIO_WHY, "attached to %.40s, not to vfio-pci: see driverctl(8)",
	    name == NULL ? "no driver" : name + 1);
	return false;
}

bool os_module_loaded(const char *name)
{
	(void)name;
	return false;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): FreeBSD's answer goes there */
bool os_sysctl(const char *name, int64_t *value)
{
	(void)name;
	(void)value;
	return false;
}

int64_t os_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (int64_t)pages * size : 0;
}

pid_t os_interface_opener(const char *name)
{
	(void)name;
	return 0;
}

int64_t os_sector_size(const char *path)
{
	struct stat st;
	int fd, size = 0;

	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (ioctl(fd, BLKSSZGET, &size) < 0)
		size = 0;
	(void)close(fd);
	return size;
}

bool os_terminal_is_open(const char *path)
{
	(void)path;
	return false;
}

bool os_peer(int fd, uid_t *uid, pid_t *pid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	*uid = peer.uid;
	*pid = peer.pid;
	return true;
}
