/* The methods of a VM. */
#include "luamodule/vm.h"

#include <lauxlib.h>

#include "luamodule/arguments.h"
#include "luamodule/hold.h"
#include "luamodule/loop.h"
#include "luamodule/members.h"
#include "luamodule/metatable.h"

#define STATUS_PROBLEMS 69 /* of vmrun_check() */

static struct vm *vm_at(lua_State *L, int index)
{
	return luaL_checkudata(L, index, VM_TYPE);
}

struct vm *vm_check(lua_State *L, int index)
{
	struct vm *vm = vm_at(L, index);

	if (vm->handle == NULL)
		luaL_error(L, "the VM is closed");
	if (vm->deciding)
		luaL_error(L, "decide() must not call methods of its VM");
	vm->caller = L;
	return vm;
}

/* Pushes all problems of the handle, one per line. */
static void push_problems(lua_State *L, const struct vmrun *handle)
{
	const struct vmrun_problem *p;
	bool held = hold_begin(L);
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	for (size_t i = 0; (p = vmrun_problem(handle, i)) != NULL; i++) {
		luaL_addstring(&b, i == 0 ? "" : "\n");
		if (p->place != NULL) {
			luaL_addstring(&b, p->place);
			luaL_addstring(&b, ": ");
		}
		if (p->path != NULL) {
			luaL_addstring(&b, p->path);
			luaL_addstring(&b, ": ");
		}
		luaL_addstring(&b, p->text);
	}
	luaL_pushresult(&b);
	hold_end(L, held);
}

int vm_push_failure(lua_State *L, const struct vmrun *handle, int status)
{
	lua_pushnil(L);
	push_problems(L, handle);
	if (lua_rawlen(L, -1) == 0) {
		lua_pop(L, 1);
		(void)lua_pushfstring(
		    L, "not possible now, or not for this VM (status %d)", status);
	}
	lua_pushinteger(L, status);
	return 3;
}

int vm_push_refusal(lua_State *L, const struct vmrun *handle, int status)
{
	const char *refusal = vmrun_refusal(handle);

	if (refusal == NULL)
		return vm_push_failure(L, handle, status);
	return arguments_push_failure(L, refusal, status);
}

void vm_raise_error(lua_State *L, int index)
{
	if (lua_getiuservalue(L, index, VM_ERROR) == LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	lua_pushnil(L);
	lua_setiuservalue(L, index, VM_ERROR);
	lua_error(L);
}

/* Returns true, or nil, why, and the status. */
static int answer(lua_State *L, const struct vmrun *handle, int status)
{
	vm_raise_error(L, 1);
	if (status != 0)
		return vm_push_failure(L, handle, status);
	lua_pushboolean(L, 1);
	return 1;
}

/* Returns true, or nil, why the request was refused, and the status. */
static int answer_request(lua_State *L, const struct vmrun *handle, int status)
{
	if (status == 0 || vmrun_refusal(handle) == NULL)
		return answer(L, handle, status);
	return vm_push_refusal(L, handle, status);
}

static int vm_close(lua_State *L)
{
	struct vm *vm = vm_at(L, 1);

	if (vm->deciding)
		luaL_error(L, "decide() must not call methods of its VM");
	vm->caller = L;
	vmrun_close(vm->handle);
	vm->handle = NULL;
	return 0;
}

static int vm_tostring(lua_State *L)
{
	const struct vm *vm = vm_at(L, 1);
	const char *name = vm->handle == NULL ? NULL : vmrun_name(vm->handle);

	(void)lua_pushfstring(L, "vmrun.vm: %s", name == NULL ? "closed" : name);
	return 1;
}

/* Methods that need a prepared boot: prepares it, and returns what `get` pushes. */
static int prepared(lua_State *L, int (*push)(lua_State *L, struct vmrun *handle))
{
	struct vmrun *handle = vm_check(L, 1)->handle;
	int status = vmrun_prepare(handle);

	return status == 0 ? push(L, handle) : vm_push_failure(L, handle, status);
}

static int push_argv(lua_State *L, struct vmrun *handle)
{
	members_push_words(L, vmrun_argv(handle));
	return 1;
}

static int push_notes(lua_State *L, struct vmrun *handle)
{
	members_push_words(L, vmrun_notes(handle));
	return 1;
}

static int push_placeholders(lua_State *L, struct vmrun *handle)
{
	members_push_words(L, vmrun_placeholders(handle));
	return 1;
}

static int push_bhyve_words(lua_State *L, struct vmrun *handle)
{
	members_push_words(L, vmrun_bhyve_words(handle));
	return 1;
}

static int push_command(lua_State *L, struct vmrun *handle)
{
	return arguments_push_owned(L, vmrun_command(handle));
}

static int push_loader_command(lua_State *L, struct vmrun *handle)
{
	return arguments_push_owned(L, vmrun_loader_command(handle));
}

static int push_bhyve_config(lua_State *L, struct vmrun *handle)
{
	char *text = vmrun_bhyve_config(handle);

	/* under qemu, nil means that there is nothing to print */
	if (text == NULL && vmrun_problem_count(handle) > 0)
		return vm_push_failure(L, handle, vmrun_status(handle));
	return arguments_push_owned(L, text);
}

static int push_spec(lua_State *L, struct vmrun *handle)
{
	return arguments_push_owned(L, vmrun_spec_json(handle));
}

static int vm_argv(lua_State *L)
{
	return prepared(L, push_argv);
}

static int vm_notes(lua_State *L)
{
	return prepared(L, push_notes);
}

static int vm_placeholders(lua_State *L)
{
	return prepared(L, push_placeholders);
}

static int vm_bhyve_words(lua_State *L)
{
	return prepared(L, push_bhyve_words);
}

static int vm_command(lua_State *L)
{
	return prepared(L, push_command);
}

static int vm_loader_command(lua_State *L)
{
	return prepared(L, push_loader_command);
}

static int vm_bhyve_config(lua_State *L)
{
	return prepared(L, push_bhyve_config);
}

static int vm_spec(lua_State *L)
{
	return prepared(L, push_spec);
}

static int vm_graph(lua_State *L)
{
	return arguments_push_owned(L, vmrun_graph(vm_check(L, 1)->handle));
}

static int vm_policy(lua_State *L)
{
	return arguments_push_owned(L, vmrun_policy(vm_check(L, 1)->handle));
}

static int vm_uses_stdio(lua_State *L)
{
	lua_pushboolean(L, vmrun_uses_stdio(vm_check(L, 1)->handle));
	return 1;
}

static int vm_name(lua_State *L)
{
	lua_pushstring(L, vmrun_name(vm_check(L, 1)->handle));
	return 1;
}

static int vm_target(lua_State *L)
{
	lua_pushstring(L, vmrun_target(vm_check(L, 1)->handle));
	return 1;
}

static int vm_hypervisor(lua_State *L)
{
	lua_pushstring(L, vmrun_hypervisor(vm_check(L, 1)->handle));
	return 1;
}

/*
 * Returns the findings and the status, 0 or 69; or nil, why the checks were not possible, and the
 * status.
 */
static int vm_check_host(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;
	int status = vmrun_check(handle);
	bool has_checked = status == 0 || status == STATUS_PROBLEMS;

	if (!has_checked || vmrun_problem_count(handle) > 0)
		return vm_push_refusal(L, handle, status);
	event_push_findings(L, handle);
	lua_pushinteger(L, status);
	return 2;
}

static int vm_check_json(lua_State *L)
{
	return arguments_push_owned(L, vmrun_check_json(vm_check(L, 1)->handle));
}

static int vm_findings(lua_State *L)
{
	event_push_findings(L, vm_check(L, 1)->handle);
	return 1;
}

static int vm_start(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;

	return answer_request(L, handle, vmrun_start(handle));
}

static int vm_simulate(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;
	const char *list = luaL_checkstring(L, 2);

	return answer_request(L, handle, vmrun_simulate(handle, list));
}

static int vm_fd(lua_State *L)
{
	lua_pushinteger(L, vmrun_fd(vm_check(L, 1)->handle));
	return 1;
}

static int vm_dispatch(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;

	return answer_request(L, handle, vmrun_dispatch(handle));
}

static int vm_next_event(lua_State *L)
{
	event_push_next(L, vm_check(L, 1)->handle);
	return 1;
}

/* Returns an iterator over the events that are there. */
static int vm_events(lua_State *L)
{
	(void)vm_check(L, 1);
	lua_pushcfunction(L, vm_next_event);
	lua_pushvalue(L, 1);
	return 2;
}

static int vm_answer(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;

	vmrun_answer(handle, arguments_flag(L, 2));
	return answer(L, handle, 0);
}

static int vm_stop(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;

	vmrun_stop(handle);
	return answer(L, handle, 0);
}

static int vm_kill(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;

	vmrun_kill(handle);
	return answer(L, handle, 0);
}

static int vm_reset(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;
	bool is_reset = vmrun_reset(handle);

	vm_raise_error(L, 1);
	lua_pushboolean(L, is_reset);
	return 1;
}

static int vm_reboot(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;
	const char *target = luaL_optstring(L, 2, NULL);

	return answer_request(L, handle, vmrun_reboot(handle, target));
}

static int vm_next(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;
	const char *target = luaL_checkstring(L, 2);

	return answer_request(L, handle, vmrun_next(handle, target));
}

static int vm_reload(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;

	return answer_request(L, handle, vmrun_reload(handle));
}

static int vm_reopen_logs(lua_State *L)
{
	struct vmrun *handle = vm_check(L, 1)->handle;

	vmrun_reopen_logs(handle);
	return answer(L, handle, 0);
}

static int vm_state(lua_State *L)
{
	event_push_state(L, vm_check(L, 1)->handle);
	return 1;
}

static int vm_ended(lua_State *L)
{
	lua_pushboolean(L, vmrun_ended(vm_check(L, 1)->handle));
	return 1;
}

static int vm_status(lua_State *L)
{
	lua_pushinteger(L, vmrun_status(vm_check(L, 1)->handle));
	return 1;
}

static int vm_guest_status(lua_State *L)
{
	lua_pushinteger(L, vmrun_guest_status(vm_check(L, 1)->handle));
	return 1;
}

static const luaL_Reg methods[] = {
	{ "answer", vm_answer },
	{ "argv", vm_argv },
	{ "bhyve_config", vm_bhyve_config },
	{ "bhyve_words", vm_bhyve_words },
	{ "check", vm_check_host },
	{ "check_json", vm_check_json },
	{ "close", vm_close },
	{ "command", vm_command },
	{ "dispatch", vm_dispatch },
	{ "ended", vm_ended },
	{ "events", vm_events },
	{ "fd", vm_fd },
	{ "findings", vm_findings },
	{ "graph", vm_graph },
	{ "guest_status", vm_guest_status },
	{ "hypervisor", vm_hypervisor },
	{ "kill", vm_kill },
	{ "read", console_read },
	{ "write", console_write },
	{ "wait_for", console_wait_for },
	{ "loader_command", vm_loader_command },
	{ "name", vm_name },
	{ "next", vm_next },
	{ "next_event", vm_next_event },
	{ "notes", vm_notes },
	{ "placeholders", vm_placeholders },
	{ "policy", vm_policy },
	{ "reboot", vm_reboot },
	{ "reload", vm_reload },
	{ "reopen_logs", vm_reopen_logs },
	{ "reset", vm_reset },
	{ "run", loop_run },
	{ "simulate", vm_simulate },
	{ "spec", vm_spec },
	{ "start", vm_start },
	{ "state", vm_state },
	{ "status", vm_status },
	{ "stop", vm_stop },
	{ "target", vm_target },
	{ "uses_stdio", vm_uses_stdio },
	{ NULL, NULL },
};

static const luaL_Reg metamethods[] = {
	{ "__close", vm_close },
	{ "__gc", vm_close },
	{ "__tostring", vm_tostring },
	{ NULL, NULL },
};

void vm_push_metatable(lua_State *L)
{
	metatable_push(L, VM_TYPE, metamethods, methods);
}
