/* Questions that both systems answer in the same way. */
#define _DEFAULT_SOURCE /* struct ifreq */
#include "platform/os.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_PASSWD_ENTRY 4096 /* bytes of the strings of one user */

const char *os_arch(void)
{
	static const char *const names[][2] = {
		{ "amd64", "amd64" },
		{ "x86_64", "amd64" },
		{ "arm64", "arm64" },
		{ "aarch64", "arm64" },
	};
	struct utsname system;

	if (uname(&system) < 0)
		return "";
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(system.machine, names[i][0]) == 0)
			return names[i][1];
	}
	return "";
}

unsigned os_interface_index(const char *name)
{
	/* Some C libraries cut a name that is too long and find another interface. */
	return strlen(name) < IF_NAMESIZE ? if_nametoindex(name) : 0;
}

bool os_interface_exists(const char *name)
{
	return os_interface_index(name) != 0;
}

bool os_interface_is_down(const char *name)
{
	struct ifreq request = { 0 };
	int fd = os_interface_exists(name) ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	bool down;

	if (fd < 0)
		return false;
	memcpy(request.ifr_name, name, strlen(name) + 1);
	down = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) == 0;
	(void)close(fd);
	return down;
}

bool os_vm_exists(const char *name)
{
	MEM_AUTO char *directory = os_vmm_directory();
	MEM_AUTO char *path = MEM_JOIN(directory, "/", name);

	return *name != '\0' && strchr(name, '/') == NULL && access(path, F_OK) == 0;
}

char *os_home(void)
{
	const char *home = getenv("HOME");
	char room[MAX_PASSWD_ENTRY];
	struct passwd entry, *found = NULL;

	if (home != NULL && *home == '/')
		return mem_copy(home);
	/* The user database may be one of the network that does not answer. */
	if (getpwuid_r(geteuid(), &entry, room, sizeof(room), &found) != 0 || found == NULL)
		return mem_copy("");
	return mem_copy(found->pw_dir);
}

bool os_device_is_listed(const char *name)
{
	DIR *list = opendir("/dev");
	const struct dirent *entry;
	bool found = false;

	if (list == NULL)
		return false;
	while (!found && (entry = readdir(list)) != NULL)
		found = strcmp(entry->d_name, name) == 0;
	(void)closedir(list);
	return found;
}

bool os_process_start(pid_t pid, int64_t *start)
{
	bool dead;

	return os_process_look(pid, &dead, start) && !dead;
}

bool os_process_was(pid_t pid, int64_t start)
{
	int64_t when;
	bool dead;

	return os_process_look(pid, &dead, &when) && when == start;
}

bool os_has_dev_fd(void)
{
	int any = open("/dev/null", O_RDONLY | O_CLOEXEC), fd;
	char path[32];
	bool there;

	if (any < 0)
		return false;
	/* FreeBSD's devfs alone knows 0, 1 and 2. */
	fd = fcntl(any, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	there = fd >= 0 && access(path, F_OK) == 0;
	if (fd >= 0)
		(void)close(fd);
	(void)close(any);
	return there;
}

bool os_cpu_is_amd(void)
{
#if defined(__x86_64__) || defined(__i386__)
	char vendor[12];
	unsigned most, part[3];

	if (!__get_cpuid(0, &most, &part[0], &part[2], &part[1]))
		return false;
	memcpy(vendor, part, sizeof(vendor));
	return memcmp(vendor, "AuthenticAMD", sizeof(vendor)) == 0;
#else
	return false;
#endif
}
