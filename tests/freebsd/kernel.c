/*
 * A stand-in for what src/platform/os_freebsd.c and spawn_freebsd.c ask FreeBSD's kernel, on Linux.
 * Facts are from FreeBSD's manual pages and from the files of its kernel that the comments name.
 */
#include "kernel.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/cpuset.h>
#include <sys/disk.h>
#include <sys/module.h>
#include <sys/prctl.h>
#include <sys/proc.h>
#include <sys/procctl.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/syscall.h>
#undef syscall
#include <sys/sysctl.h>
#include <sys/thr.h>
#include <sys/tty.h>
#include <sys/ucred.h>
#include <sys/user.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "libc.h"

enum { FIRST_THREAD = 100000 /* above every pid: sys/kern/kern_thread.c, NO_PID */ };

static const struct freebsd_variable variables[] = {
	{ "kern.osreldate", 4, 1402000 }, /* FreeBSD 14.2 */
	{ "hw.physmem", 8, INT64_C(8) << 30 },
	{ NULL, 0, 0 },
};
static const uint8_t boot_id[16] = { 0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96,
	0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0 };
static const char *const modules[] = { "kernel", "vmm", NULL };

struct freebsd_kernel freebsd = {
	.variables = variables,
	.boot_id = boot_id,
	.boottime_us = INT64_C(1700000000000000),
	.modules = modules,
};

/* ---- the C library ------------------------------------------------------------------------------
 */

size_t strlcpy(char *to, const char *from, size_t size)
{
	if (size > 0)
		(void)snprintf(to, size, "%s", from);
	return strlen(from);
}

int getpeereid(int fd, uid_t *uid, gid_t *gid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -1;
	*uid = peer.uid;
	*gid = peer.gid;
	/* Linux answers for a socket without a peer, too: ENOTCONN, getpeereid(3). */
	if (peer.pid != 0)
		return 0;
	errno = ENOTCONN;
	return -1;
}

/* ---- sysctl(3) ----------------------------------------------------------------------------------
 */

/* SYSCTL_OUT(): the size alone without room for the value, ENOMEM where it does not fit. */
static int give(const void *value, size_t size, void *old, size_t *old_size)
{
	const size_t room = *old_size;

	*old_size = size;
	if (old == NULL)
		return 0;
	if (room < size) {
		errno = ENOMEM;
		return -1;
	}
	memcpy(old, value, size);
	return 0;
}

static struct timeval to_timeval(int64_t us)
{
	return (struct timeval){ .tv_sec = (time_t)(us / 1000000),
		.tv_usec = (suseconds_t)(us % 1000000) };
}

static int give_ttys(void *old, size_t *old_size)
{
	const size_t known = freebsd.tty_count - (old == NULL ? freebsd.new_ttys : 0);

	return give(freebsd.ttys, known * sizeof(*freebsd.ttys), old, old_size);
}

static int give_number(const struct freebsd_variable *variable, void *old, size_t *old_size)
{
	const int32_t small = (int32_t)variable->value;

	if (variable->size == sizeof(small))
		return give(&small, sizeof(small), old, old_size);
	return give(&variable->value, sizeof(variable->value), old, old_size);
}

int sysctlbyname(const char *name, void *old, size_t *old_size, const void *new, size_t new_size)
{
	const struct timeval boottime = to_timeval(freebsd.boottime_us);

	(void)new;
	(void)new_size;
	if (strcmp(name, "kern.boot_id") == 0 && freebsd.boot_id != NULL)
		return give(freebsd.boot_id, 16, old, old_size);
	if (strcmp(name, "kern.boottime") == 0 && freebsd.boottime_us != 0)
		return give(&boottime, sizeof(boottime), old, old_size);
	if (strcmp(name, "kern.ttys") == 0 && freebsd.ttys != NULL)
		return give_ttys(old, old_size);
	for (const struct freebsd_variable *v = freebsd.variables; v->name != NULL; v++) {
		if (strcmp(name, v->name) == 0)
			return give_number(v, old, old_size);
	}
	errno = ENOENT;
	return -1;
}

/* Reads the state and the start of a process, in microseconds since Linux has booted. */
static bool read_process(pid_t pid, char *state, int64_t *start_us)
{
	char path[32], line[512];
	const char *rest;
	unsigned long long ticks;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	rest = fgets(line, sizeof(line), file) == NULL ? NULL : strrchr(line, ')');
	(void)fclose(file);
	/* Field 3 is the state, field 22 the start: proc(5) of Linux. */
	if (rest == NULL ||
	    sscanf(rest, /* NOLINT(cert-err34-c): the kernel writes numbers */
		") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		"%llu",
		state, &ticks) != 2)
		return false;
	*start_us = (int64_t)ticks * (1000000 / sysconf(_SC_CLK_TCK));
	return true;
}

/*
 * sysctl_kern_proc(): a zombie is found, another process is not (ESRCH).  fill_kinfo_proc_only()
 * adds the present kern.boottime to the start.
 */
int sysctl(
    const int *name, unsigned count, void *old, size_t *old_size, const void *new, size_t new_size)
{
	struct kinfo_proc proc = { .ki_structsize = sizeof(proc) };
	int64_t start_us;
	char state;

	(void)new;
	(void)new_size;
	if (count != 4 || name[0] != CTL_KERN || name[1] != KERN_PROC || name[2] != KERN_PROC_PID) {
		errno = ENOENT;
		return -1;
	}
	if (!read_process(name[3], &state, &start_us)) {
		errno = ESRCH;
		return -1;
	}
	/* The clock is set between two questions of the caller. */
	if (freebsd.clock_steps > 0) {
		freebsd.clock_steps--;
		freebsd.boottime_us += 3600 * INT64_C(1000000);
	}
	proc.ki_pid = name[3];
	proc.ki_stat = state == 'Z' ? SZOMB : SRUN;
	proc.ki_start = to_timeval(start_us + freebsd.boottime_us);
	return give(&proc, sizeof(proc), old, old_size);
}

/* ---- modules, processes, threads ----------------------------------------------------------------
 */

/* modfind(2): ENOENT without such a module. */
int modfind(const char *name)
{
	for (int i = 0; freebsd.modules[i] != NULL; i++) {
		if (strcmp(freebsd.modules[i], name) == 0)
			return i + 1;
	}
	errno = ENOENT;
	return -1;
}

/* procctl(2): id 0 is the calling process. */
int procctl(idtype_t type, int64_t id, int command, void *data)
{
	if (type == P_PID && id == 0 && command == PROC_PDEATHSIG_CTL)
		return prctl(PR_SET_PDEATHSIG, *(const int *)data, 0, 0, 0);
	if (type == P_PID && command == PROC_SPROTECT && kill((pid_t)id, 0) < 0)
		return -1;
	if (type == P_PID && command == PROC_SPROTECT && *(const int *)data == PPROT_SET &&
	    freebsd.protect_error == 0) {
		freebsd.protected = (pid_t)id;
		return 0;
	}
	errno = freebsd.protect_error != 0 ? freebsd.protect_error : EINVAL;
	return -1;
}

/* thr_kill2(2): ESRCH unless the process has such a thread. */
int thr_kill2(pid_t pid, long id, int signal)
{
	if (id >= FIRST_THREAD)
		return (int)syscall(SYS_tgkill, pid, (pid_t)(id - FIRST_THREAD), signal);
	errno = ESRCH;
	return -1;
}

/*
 * cpuset_setaffinity(2): EINVAL for a set without CPUs, EDEADLK for one with a CPU that the set of
 * the thread lacks; cpuset_modify() and cpuset_shadow() of sys/kern/kern_cpuset.c.
 */
int cpuset_setaffinity(int level, int which, int64_t id, size_t size, const cpuset_t *set)
{
	const pid_t thread = (pid_t)id - FIRST_THREAD;
	cpu_set_t now, both;

	if (level != CPU_LEVEL_WHICH || which != CPU_WHICH_TID || CPU_COUNT(set) == 0) {
		errno = EINVAL;
		return -1;
	}
	if (sched_getaffinity(thread, sizeof(now), &now) < 0)
		return -1;
	CPU_AND(&both, &now, set);
	if (CPU_EQUAL(&both, set))
		return sched_setaffinity(thread, size, set);
	errno = EDEADLK;
	return -1;
}

/* sigaction(2) and sigprocmask(2), without libthr between; called between vfork(2) and exec. */
int freebsd_syscall(int number, ...)
{
	va_list rest;
	int which, result = -1;
	const void *new;

	va_start(rest, number);
	which = va_arg(rest, int);
	new = va_arg(rest, const void *);
	if (number == SYS_sigaction)
		result = sigaction(which, new, va_arg(rest, struct sigaction *));
	else if (number == SYS_sigprocmask)
		result = sigprocmask(which, new, va_arg(rest, sigset_t *));
	else
		errno = ENOSYS;
	va_end(rest);
	return result;
}

/* ---- system calls that Linux has too, with other meanings ---------------------------------------
 */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): set by the linker */
int __real_ioctl(int fd, unsigned long request, void *data);
int __wrap_ioctl(int fd, unsigned long request, void *data);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __real_uname(struct utsname *system);
int __wrap_uname(struct utsname *system);

/*
 * SIOCGIFSTATUS: sys/net/if.c, ENXIO without such an interface; tunioctl() of if_tuntap.c.
 * DIOCGSECTORSIZE: disk(4), ENOTTY for other devices.
 */
int __wrap_ioctl(int fd, unsigned long request, void *data)
{
	struct ifstat *status = data;

	if (request == SIOCGIFSTATUS && freebsd.tap_status != NULL) {
		(void)strlcpy(status->ascii, freebsd.tap_status, sizeof(status->ascii));
		return 0;
	}
	if (request == SIOCGIFSTATUS) {
		errno = ENXIO;
		return -1;
	}
	if (request == DIOCGSECTORSIZE && freebsd.sector_size != 0) {
		*(unsigned *)data = freebsd.sector_size;
		return 0;
	}
	if (request == DIOCGSECTORSIZE) {
		errno = ENOTTY;
		return -1;
	}
	return __real_ioctl(fd, request, data);
}

/* LOCAL_PEERCRED: unix(4). */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	struct ucred peer;
	struct xucred *answer = value;
	socklen_t peer_size = sizeof(peer);

	if (level != SOL_LOCAL || name != LOCAL_PEERCRED)
		return __real_getsockopt(fd, level, name, value, size);
	if (freebsd.no_peer_pid || *size < sizeof(*answer) ||
	    __real_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) < 0) {
		errno = EINVAL;
		return -1;
	}
	*answer = (struct xucred){ .cr_uid = peer.uid, .cr_pid = peer.pid };
	return 0;
}

int __wrap_uname(struct utsname *system)
{
	const int result = __real_uname(system);

	(void)strlcpy(system->sysname, "FreeBSD", sizeof(system->sysname));
	(void)strlcpy(system->machine, "amd64", sizeof(system->machine));
	return result;
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
