/* options.decide: asks a Lua function what follows a boot. */
#include <limits.h>
#include <string.h>

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

/* Raises an error unless the member on the top of the stack is what it has to be. */
/* stack: ... value -> ... value */
static void expect(lua_State *L, const char *name, bool holds, const char *wanted)
{
	if (!holds)
		luaL_error(L, "decide() returned a table with %s = %s: expected %s", name,
		    luaL_tolstring(L, -1, NULL), wanted);
}

/* A wrong name would change the answer: "boot" is the action of a table without one. */
static void check_names(lua_State *L)
{
	static const char *const names[] = { "action", "target", "delay_ms", "exit_status" };

	lua_pushnil(L);
	while (lua_next(L, AT_ANSWER) != 0) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
		bool is_known = false;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			is_known = is_known || strcmp(name, names[i]) == 0;
		lua_pop(L, 1);
		if (!is_known)
			luaL_error(L,
			    "decide() returned a table with the unknown key \"%s\": expected "
			    "action, target, delay_ms or exit_status",
			    luaL_tolstring(L, -1, NULL));
	}
}

static lua_Integer integer_of(lua_State *L, const char *name, lua_Integer otherwise)
{
	lua_Integer value = otherwise;
	int is_integer;

	if (lua_getfield(L, AT_ANSWER, name) != LUA_TNIL) {
		value = lua_tointegerx(L, -1, &is_integer);
		expect(L, name, is_integer != 0, "an integer");
	}
	lua_pop(L, 1);
	return value;
}

/* Sets the target, which the VM keeps until the next answer. */
static void set_target(lua_State *L, struct vmrun_decision *d)
{
	d->target = lua_tostring(L, -1);
	lua_setiuservalue(L, AT_VM, VM_TARGET);
}

static void read_action(lua_State *L, struct vmrun_decision *d)
{
	const char *action = "boot";

	if (lua_getfield(L, AT_ANSWER, "action") != LUA_TNIL)
		action = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
	expect(L, "action", strcmp(action, "boot") == 0 || strcmp(action, "stop") == 0,
	    "boot or stop");
	d->action = *action == 'b' ? VMRUN_DECIDE_BOOT : VMRUN_DECIDE_STOP;
	lua_pop(L, 1);
}

static void read_table(lua_State *L, struct vmrun_decision *d)
{
	lua_Integer status;

	check_names(L);
	read_action(L, d);
	if (lua_getfield(L, AT_ANSWER, "target") == LUA_TNIL) {
		lua_pop(L, 1);
	} else {
		expect(L, "target", lua_type(L, -1) == LUA_TSTRING, "the name of a target");
		set_target(L, d);
	}
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
