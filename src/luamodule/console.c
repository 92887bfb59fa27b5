/* The methods for the guest's serial console: vm:read(), vm:write() and vm:wait_for(). */
#include <poll.h>

#include <lauxlib.h>

#include "luamodule/arguments.h"
#include "luamodule/hold.h"
#include "luamodule/loop.h"
#include "luamodule/vm.h"

#define WAIT_MS 60000

/* Returns what the guest has printed since the last call, as a string. */
int console_read(lua_State *L)
{
	struct vm *vm = vm_check(L, 1);
	bool held = hold_begin(L); /* a finalizer could close the VM */
	char bytes[4096];
	luaL_Buffer b;
	size_t n;

	luaL_buffinit(L, &b);
	while ((n = vmrun_console_read(vm->handle, &vm->read_at, bytes, sizeof(bytes))) > 0)
		luaL_addlstring(&b, bytes, n);
	luaL_pushresult(&b);
	hold_end(L, held);
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

/* Waits for the next event, up to a limit, and handles it.  Returns a status. */
static int dispatch_one(lua_State *L, int limit_ms)
{
	struct pollfd ready = { .fd = vmrun_fd(vm_check(L, 1)->handle), .events = POLLIN };
	int status;

	loop_poll(L, &ready, 1, limit_ms);
	status = vmrun_dispatch(vm_check(L, 1)->handle);
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
	const char *text = arguments_text(L, 2);
	int limit_ms = loop_limit_ms(L, 3, WAIT_MS), left_ms = limit_ms, status;
	lua_Number began = loop_now();
	uint64_t at = vm->wait_at;

	while ((status = vmrun_console_wait(vm_check(L, 1)->handle, &at, text, 0)) ==
		VMRUN_STATUS_BUSY &&
	    left_ms > 0) {
		status = dispatch_one(L, left_ms);
		if (status != VMRUN_STATUS_OK)
			break;
		left_ms = loop_left_ms(began, limit_ms);
	}
	if (status == VMRUN_STATUS_OK) {
		vm->wait_at = at;
		lua_pushboolean(L, 1);
		return 1;
	}
	if (status == VMRUN_STATUS_BUSY)
		return arguments_push_failure(L, "timeout", status);
	if (status == VMRUN_STATUS_CHECK)
		return arguments_push_failure(L, "gone", status);
	return vm_push_refusal(L, vm_check(L, 1)->handle, status);
}
