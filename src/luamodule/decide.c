/* options.decide: asks a Lua function what follows a boot. */
#include <limits.h>

#include <lauxlib.h>

#include "luamodule/members.h"
#include "luamodule/vm.h"

#define DECISION(member, kind)                                         \
	{                                                              \
#member, kind, offsetof(struct vmrun_decision, member) \
	}

static const struct member decision_rows[] = {
	DECISION(vm, MEMBER_TEXT),
	DECISION(ended, MEMBER_TEXT),
	DECISION(cause, MEMBER_TEXT),
	DECISION(status, MEMBER_INT),
	DECISION(signal, MEMBER_INT),
	DECISION(uptime_ms, MEMBER_INT64),
	DECISION(boots, MEMBER_INT64),
};

#define ROWS (sizeof(decision_rows) / sizeof(decision_rows[0]))

/* The stack of ask(), which the library calls below a method of the VM. */
enum { AT_VM = 1, AT_DECISION, AT_ANSWER };

static lua_Integer integer_of(lua_State *L, const char *name, lua_Integer otherwise)
{
	lua_Integer value = otherwise;

	if (lua_getfield(L, AT_ANSWER, name) != LUA_TNIL)
		value = luaL_checkinteger(L, -1);
	lua_pop(L, 1);
	return value;
}

/* Sets the target, which the VM keeps until the next answer. */
static void set_target(lua_State *L, struct vmrun_decision *d)
{
	d->target = luaL_checkstring(L, -1);
	lua_setiuservalue(L, AT_VM, VM_TARGET);
}

static void read_table(lua_State *L, struct vmrun_decision *d)
{
	static const char *const actions[] = { "boot", "stop", NULL };
	lua_Integer status;

	(void)lua_getfield(L, AT_ANSWER, "action");
	d->action =
	    luaL_checkoption(L, -1, "boot", actions) == 0 ? VMRUN_DECIDE_BOOT : VMRUN_DECIDE_STOP;
	lua_pop(L, 1);
	if (lua_getfield(L, AT_ANSWER, "target") == LUA_TNIL)
		lua_pop(L, 1);
	else
		set_target(L, d);
	d->delay_ms = integer_of(L, "delay_ms", -1);
	status = integer_of(L, "exit_status", -1);
	/* Any number that an int does not hold is as invalid as another one. */
	d->exit_status = status < INT_MIN || status > INT_MAX ? INT_MIN : (int)status;
}

/* Calls the function and reads its answer: nil, a boolean, a target, or a table. */
static int ask(lua_State *L)
{
	struct vmrun_decision *d = lua_touserdata(L, AT_DECISION);

	(void)lua_getiuservalue(L, AT_VM, VM_DECIDE);
	members_push(L, decision_rows, ROWS, d);
	lua_call(L, 1, 1);
	switch (lua_type(L, AT_ANSWER)) {
	case LUA_TNIL:
		break;
	case LUA_TBOOLEAN:
		d->action = lua_toboolean(L, AT_ANSWER) ? VMRUN_DECIDE_BOOT : VMRUN_DECIDE_STOP;
		break;
	case LUA_TSTRING:
		d->action = VMRUN_DECIDE_BOOT;
		set_target(L, d);
		break;
	case LUA_TTABLE:
		read_table(L, d);
		break;
	default:
		luaL_error(L,
		    "decide() returned a %s: expected nil, a boolean, a target or a table",
		    luaL_typename(L, AT_ANSWER));
	}
	return 0;
}

void decide_by_function(struct vmrun_decision *decision, void *context)
{
	struct vm *vm = context;
	lua_State *L = vm->caller;
	int top = lua_gettop(L);

	/* A method of this VM called the library, so the VM is its first value. */
	lua_pushcfunction(L, ask);
	lua_pushvalue(L, 1);
	lua_pushlightuserdata(L, decision);
	vm->deciding = true;
	if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
		decision->action = VMRUN_DECIDE_NOTHING;
		lua_setiuservalue(L, 1, VM_ERROR);
	}
	vm->deciding = false;
	lua_settop(L, top);
}
