/* Loops over VMs, and signals that end them. */
#define _GNU_SOURCE /* ppoll() */
#include "luamodule/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "luamodule/client.h"
#include "luamodule/vm.h"

#define MAX_WAIT_S 2000000 /* poll(2) takes milliseconds in an int */

/* The signals that vmrun.catch() knows. */
static const struct signal_row {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },
	{ "INT", SIGINT },
	{ "TERM", SIGTERM },
	{ "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },
};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* Globals of the process, because a signal handler gets no context. */
static int signal_pipe[2] = { -1, -1 };
static struct sigaction before[SIGNALS];
static bool is_caught[SIGNALS];

static void note_signal(int number)
{
	int saved = errno;
	char byte = (char)number;

	(void)!write(signal_pipe[1], &byte, 1);
	errno = saved;
}

static void close_pipe(void)
{
	int error = errno;

	for (int i = 0; i < 2; i++) {
		if (signal_pipe[i] >= 0)
			(void)close(signal_pipe[i]);
		signal_pipe[i] = -1;
	}
	errno = error;
}

/*
 * Moves a descriptor behind the standard ones, which the program may have closed: the console of a
 * guest would use it.  Returns the new one, or -1.
 */
static int move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), error = errno;

	(void)close(fd);
	errno = error;
	return moved;
}

static int set_up_pipe(void)
{
	int ends[2];

	if (signal_pipe[0] >= 0)
		return 0;
	if (pipe(ends) != 0)
		return -1;
	signal_pipe[0] = move_up(ends[0]);
	signal_pipe[1] = move_up(ends[1]);
	if (signal_pipe[0] < 0 || signal_pipe[1] < 0) {
		close_pipe();
		return -1;
	}
	for (int i = 0; i < 2; i++)
		(void)fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
	return 0;
}

static void catch_signal(lua_State *L, const char *name)
{
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };

	for (size_t i = 0; i < SIGNALS; i++) {
		if (strcmp(signals[i].name, name) != 0)
			continue;
		if (!is_caught[i])
			(void)sigaction(signals[i].number, &action, &before[i]);
		is_caught[i] = true;
		return;
	}
	luaL_error(L, "invalid signal \"%s\": expected HUP, INT, TERM, USR1 or USR2", name);
}

int loop_catch(lua_State *L)
{
	if (set_up_pipe() != 0)
		return luaL_error(L, "pipe: %s", strerror(errno));
	for (int i = 1; i <= lua_gettop(L); i++)
		catch_signal(L, luaL_checkstring(L, i));
	return 0;
}

int loop_release(lua_State *L)
{
	(void)L;
	for (size_t i = 0; i < SIGNALS; i++) {
		if (is_caught[i])
			(void)sigaction(signals[i].number, &before[i], NULL);
		is_caught[i] = false;
	}
	close_pipe();
	return 0;
}

/* Returns the name of a signal that was caught, the oldest first; NULL if there is none. */
static const char *next_signal(void)
{
	char byte;

	if (signal_pipe[0] < 0 || read(signal_pipe[0], &byte, 1) != 1)
		return NULL;
	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals[i].number == byte)
			return signals[i].name;
	}
	return NULL;
}

/*
 * Runs an instruction of Lua, where the interpreter lua(1) raises "interrupted!" if ^C came before,
 * unless vmrun.catch() has caught it.  Returns LUA_OK, or an error with its value on the stack.
 */
static int run_instruction(lua_State *L)
{
	return luaL_dostring(L, "return");
}

void loop_poll(lua_State *L, struct pollfd *ready, size_t count, int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	sigset_t all, mask;
	int n = 0, error, raised;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &mask);
	raised = run_instruction(L);
	if (raised == LUA_OK)
		n = ppoll(ready, (nfds_t)count, ms < 0 ? NULL : &time, &mask);
	error = errno;
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	if (n < 0 && error == EINTR)
		raised = run_instruction(L);
	if (raised != LUA_OK)
		lua_error(L);
	if (n >= 0)
		return;
	if (error != EINTR)
		luaL_error(L, "poll: %s", strerror(error));
	for (size_t i = 0; i < count; i++)
		ready[i].revents = 0;
}

/* Waits for descriptors, the last of which is set to that of the signals. */
static void wait_for(lua_State *L, struct pollfd *ready, size_t count, int ms)
{
	ready[count - 1] = (struct pollfd){ .fd = signal_pipe[0], .events = POLLIN };
	loop_poll(L, ready, count, ms);
}

int loop_limit_ms(lua_State *L, int argument, int otherwise)
{
	lua_Number seconds;

	if (lua_isnoneornil(L, argument))
		return otherwise;
	seconds = luaL_checknumber(L, argument);
	if (!(seconds > 0)) /* also not a number */
		return 0;
	return (int)((seconds < MAX_WAIT_S ? seconds : MAX_WAIT_S) * 1000);
}

int loop_left_ms(lua_Number began, int limit_ms)
{
	lua_Number left = limit_ms - (loop_now() - began) * 1000;

	return left > 0 ? (int)left + 1 : 0; /* not a moment before the end */
}

lua_Number loop_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9;
}

/* Returns what to poll for the entry of the list that is on the top of the stack. */
static struct pollfd descriptor(lua_State *L, size_t entry)
{
	if (luaL_testudata(L, -1, CLIENT_TYPE) != NULL) {
		struct pollfd ready = client_descriptor(L, -1);

		/* Its methods fail at once: a wait for it would never end. */
		if (ready.fd < 0)
			luaL_error(L,
			    "vmrun.wait: entry %d of the list is a client without a connection",
			    (int)entry);
		return ready;
	}
	if (luaL_testudata(L, -1, VM_TYPE) == NULL)
		luaL_error(L, "vmrun.wait: entry %d of the list is a %s: expected a VM or a client",
		    (int)entry, luaL_typename(L, -1));
	return (struct pollfd){ .fd = vmrun_fd(vm_check(L, -1)->handle), .events = POLLIN };
}

/* Fills in a pollfd for each entry of the list at index 1. */
static struct pollfd *push_descriptors(lua_State *L, size_t count)
{
	struct pollfd *ready = lua_newuserdatauv(L, (count + 1) * sizeof(*ready), 0);

	for (size_t i = 0; i < count; i++) {
		(void)lua_rawgeti(L, 1, (lua_Integer)i + 1);
		ready[i] = descriptor(L, i + 1);
		lua_pop(L, 1);
	}
	return ready;
}

int loop_wait(lua_State *L)
{
	int ms = loop_limit_ms(L, 2, -1);
	struct pollfd *ready;
	size_t count;

	luaL_checktype(L, 1, LUA_TTABLE);
	count = lua_rawlen(L, 1);
	ready = push_descriptors(L, count);
	wait_for(L, ready, count + 1, ms);
	lua_newtable(L);
	for (size_t i = 0; i < count; i++) {
		if (ready[i].revents == 0)
			continue;
		(void)lua_rawgeti(L, 1, (lua_Integer)i + 1);
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	}
	lua_pushstring(L, next_signal());
	return 2;
}

/* Calls options.event, if there is one, for each event; a callback may close the VM. */
static void report_events(lua_State *L, const struct vm *vm)
{
	while (vm->handle != NULL) {
		event_push_next(L, vm->handle);
		if (lua_isnil(L, -1)) {
			lua_settop(L, 1);
			return;
		}
		if (lua_getiuservalue(L, 1, VM_EVENT) == LUA_TFUNCTION) {
			lua_insert(L, 2);
			lua_call(L, 1, 0);
		}
		lua_settop(L, 1);
	}
}

/* Returns the status of a dispatch after something has happened; a caught signal stops the VM. */
static int wait_and_dispatch(lua_State *L, const struct vm *vm)
{
	struct pollfd ready[2] = { { .fd = vmrun_fd(vm->handle), .events = POLLIN } };
	int status;

	wait_for(L, ready, 2, -1);
	(void)vm_check(L, 1); /* the interpreter may have run a hook that closed it */
	if (ready[1].revents != 0 && next_signal() != NULL)
		vmrun_stop(vm->handle);
	status = vmrun_dispatch(vm->handle);
	vm_raise_error(L, 1);
	return status;
}

int loop_run(lua_State *L)
{
	struct vm *vm = vm_check(L, 1);
	int status = 0;

	lua_settop(L, 1);
	/* A callback that raised has left a VM that runs: another call goes on with it. */
	if (vmrun_fd(vm->handle) < 0)
		status = vmrun_start(vm->handle);
	vm_raise_error(L, 1);
	while (status == 0) {
		report_events(L, vm);
		if (vmrun_ended(vm_check(L, 1)->handle)) {
			lua_pushinteger(L, vmrun_status(vm->handle));
			return 1;
		}
		status = wait_and_dispatch(L, vm);
	}
	return vm_push_refusal(L, vm->handle, status);
}
