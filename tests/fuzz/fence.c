/* The fence: the linker sends the calls that reach the host here (see CMakeLists.txt). */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/str.h"
#include "platform/clock.h"
#include "platform/spawn.h"
#include "script/script.h"

#define DATE_MS 1767225600000		/* 2026-01-01 */
#define MAX_LUA_BYTES ((size_t)4 << 20) /* what a script fills costs time */

/* libFuzzer has a thread of its own, which waits and looks at files. */
static _Thread_local bool is_up;
static _Thread_local enum fence policy;
static _Thread_local int64_t now_ms;

void fuzz_begin(enum fence fence)
{
	(void)fuzz_directory();
	now_ms = FUZZ_NOW_MS;
	policy = fence;
	is_up = true;
}

void fuzz_end(void)
{
	is_up = false;
}

void fuzz_pass(int64_t ms)
{
	now_ms += ms;
}

void fuzz_check(bool holds, const char *message)
{
	if (holds)
		return;
	(void)fprintf(stderr, "fuzz: %s\n", message);
	abort();
}

/* Returns whether the fence stops a call that reaches the host; ends the process if it may not. */
static bool stops(const char *call, const char *what)
{
	if (!is_up)
		return false;
	if (policy == FENCE_ABORT) {
		(void)fprintf(stderr, "fuzz: the input leads to %s(%s)\n", call, what);
		abort();
	}
	errno = EACCES;
	return true;
}

/* Returns whether the path is in the private directory. */
static bool is_private(const char *path)
{
	const char *rest = str_after(path, fuzz_directory());

	return rest != NULL && (*rest == '/' || *rest == '\0') && strstr(rest, "/../") == NULL;
}

/* Returns whether the fence stops a call for a path. */
static bool stops_path(const char *call, const char *path)
{
	return is_up && !is_private(path) && strcmp(path, "/dev/null") != 0 && stops(call, path);
}

/* Returns whether libFuzzer writes the input of a fault, in the middle of that input. */
static bool is_artifact(const char *path, const char *mode)
{
	static const char *const kinds[] = { "crash-", "leak-", "oom-", "slow-unit-", "timeout-" };
	bool is_one = false;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		is_one = is_one || strstr(path, kinds[i]) != NULL;
	return is_one && strcmp(mode, "wb") == 0;
}

/* The names that the linker demands. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_date_ms(void);
int64_t __real_clock_ms(void);
int64_t __real_clock_date_ms(void);
void __wrap_clock_sleep(int64_t ms);
int __wrap_script_new(struct script **out, const struct script_options *options, struct error *err);
int __real_script_new(struct script **out, const struct script_options *options, struct error *err);
int __wrap_spawn_process(const struct spawn *what, pid_t *pid, struct error *err);
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_popen(const char *command, const char *mode);
FILE *__real_popen(const char *command, const char *mode);
int __wrap_system(const char *command);
int __real_system(const char *command);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_kill(pid_t pid, int signal);
int __real_kill(pid_t pid, int signal);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_unlink(const char *path);
int __real_unlink(const char *path);
int __wrap_remove(const char *path);
int __real_remove(const char *path);
int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_rmdir(const char *path);
int __real_rmdir(const char *path);
int __wrap_fsync(int fd);
int __real_fsync(int fd);

int64_t __wrap_clock_ms(void)
{
	return is_up ? now_ms++ : __real_clock_ms();
}

int64_t __wrap_clock_date_ms(void)
{
	return is_up ? DATE_MS + now_ms : __real_clock_date_ms();
}

int __wrap_script_new(struct script **out, const struct script_options *options, struct error *err)
{
	struct script_options small = *options;

	if (is_up && small.memory_bytes > MAX_LUA_BYTES)
		small.memory_bytes = MAX_LUA_BYTES;
	return __real_script_new(out, &small, err);
}

void __wrap_clock_sleep(int64_t ms)
{
	now_ms += ms;
}

int __wrap_spawn_process(const struct spawn *what, pid_t *pid, struct error *err)
{
	(void)pid;
	(void)stops("spawn_process", what->path);
	return error_set(err, STATUS_OS, "cannot start %s", what->path);
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode = 0;

	va_start(arguments, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return stops_path("open", path) ? -1 : __real_open(path, flags, mode);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	return !is_artifact(path, mode) && stops_path("fopen", path) ? NULL
								     : __real_fopen(path, mode);
}

FILE *__wrap_popen(const char *command, const char *mode)
{
	return stops("popen", command) ? NULL : __real_popen(command, mode);
}

int __wrap_system(const char *command)
{
	return stops("system", command) ? -1 : __real_system(command);
}

/* Returns the path of the socket, or "": no other address is within the fence. */
static const char *path_of(const struct sockaddr *address)
{
	const void *at = address;
	const struct sockaddr_un *local = at;

	return address->sa_family == AF_UNIX ? local->sun_path : "";
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	return stops_path("connect", path_of(address)) ? -1 : __real_connect(fd, address, size);
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	return stops_path("bind", path_of(address)) ? -1 : __real_bind(fd, address, size);
}

int __wrap_kill(pid_t pid, int signal)
{
	return signal != 0 && stops("kill", "") ? -1 : __real_kill(pid, signal);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return __real_poll(fds, count, is_up ? 0 : timeout);
}

int __wrap_unlink(const char *path)
{
	return stops_path("unlink", path) ? -1 : __real_unlink(path);
}

int __wrap_remove(const char *path)
{
	return stops_path("remove", path) ? -1 : __real_remove(path);
}

int __wrap_rename(const char *from, const char *to)
{
	return stops_path("rename", from) || stops_path("rename", to) ? -1
								      : __real_rename(from, to);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return stops_path("mkdir", path) ? -1 : __real_mkdir(path, mode);
}

int __wrap_rmdir(const char *path)
{
	return stops_path("rmdir", path) ? -1 : __real_rmdir(path);
}

/* Disks are slow, and no input cuts off their power. */
int __wrap_fsync(int fd)
{
	return is_up ? 0 : __real_fsync(fd);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
