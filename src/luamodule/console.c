/* The methods for the guest's serial console: vm:read(), vm:write() and vm:wait_for(). */
#include <limits.h>
#include <poll.h>

#include <lauxlib.h>

#include "luamodule/loop.h"
#include "luamodule/vm.h"

/* Returns what the guest has printed since the last call, as a string. */
int console_read(lua_State *L)
{
	struct vm *vm = vm_check(L, 1);
	char bytes[4096];
	luaL_Buffer b;
	size_t n;

	luaL_buffinit(L, &b);
	while ((n = vmrun_console_read(vm->handle, &vm->read_at, bytes, sizeof(bytes))) > 0)
		luaL_addlstring(&b, bytes, n);
	luaL_pushresult(&b);
	return 1;
}

/* Types a text, and returns how many of its bytes the guest's port has taken. */
int console_write(lua_State *L)
{
	struct vm *vm = vm_check(L, 1);
	size_t n;
	const char *text = luaL_checklstring(L, 2, &n);

	lua_pushinteger(L, (lua_Integer)vmrun_console_write(vm->handle, text, n));
	return 1;
}

/* Waits for the next event, up to a limit in seconds, and handles it.  Returns a status. */
static int dispatch_one(lua_State *L, const struct vm *vm, lua_Number seconds)
{
	struct pollfd ready = { .fd = vmrun_fd(vm->handle), .events = POLLIN };
	lua_Number ms = seconds * 1000 + 1; /* not a moment before the end */
	int status;

	loop_poll(L, &ready, 1, ms < INT_MAX ? (int)ms : INT_MAX);
	status = vmrun_dispatch(vm->handle);
	vm_raise_error(L, 1);
	return status;
}

/*
 * Dispatches until the guest has printed a text behind the one that the last call has found, at
 * most so many seconds (60).  Returns true; or nil, why, and the status.
 */
int console_wait_for(lua_State *L)
{
	struct vm *vm = vm_check(L, 1);
	const char *text = luaL_checkstring(L, 2);
	lua_Number seconds = luaL_optnumber(L, 3, 60), until, left;
	uint64_t at = vm->wait_at;
	int status;

	/* A negative number is 0, as in vmrun.wait(). */
	luaL_argcheck(L, seconds < 1e9, 3, "expected at most 1000000000 seconds");
	until = loop_now() + seconds;
	do {
		status = vmrun_console_wait(vm->handle, &at, text, 0);
		left = until - loop_now();
		if (status != VMRUN_STATUS_BUSY || left <= 0)
			break;
		status = dispatch_one(L, vm, left);
	} while (status == VMRUN_STATUS_OK);
	if (status == VMRUN_STATUS_OK) {
		vm->wait_at = at;
		lua_pushboolean(L, 1);
		return 1;
	}
	if (status != VMRUN_STATUS_BUSY && status != VMRUN_STATUS_CHECK)
		return vm_push_refusal(L, vm->handle, status);
	lua_pushnil(L);
	lua_pushstring(L, status == VMRUN_STATUS_BUSY ? "timeout" : "gone");
	lua_pushinteger(L, status);
	return 3;
}
