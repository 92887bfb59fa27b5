/* os.time() and os.date() of a simulation, which has a clock of its own. */
#include "script/os_time.h"

#include <lualib.h>

#include "script/script_internal.h"

static lua_Integer ahead(lua_State *L)
{
	const struct script *s = script_of(L);

	return s->ahead == NULL ? 0 : (lua_Integer)s->ahead(s->context);
}

/* os.time([table]) */
/* stack: [table] -> seconds */
static int os_time_time(lua_State *L)
{
	bool now = lua_isnoneornil(L, 1);

	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, 1);
	if (now)
		lua_pushinteger(L, lua_tointeger(L, -1) + ahead(L));
	return 1;
}

/* os.date([format [, time]]) */
/* stack: [format [seconds]] -> date */
static int os_time_date(lua_State *L)
{
	lua_settop(L, 2);
	if (lua_isnil(L, 1)) {
		lua_pushliteral(L, "%c");
		lua_replace(L, 1);
	}
	if (lua_isnil(L, 2)) {
		lua_pushvalue(L, lua_upvalueindex(2));
		lua_call(L, 0, 1);
		lua_replace(L, 2);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 2, 1);
	return 1;
}

/* stack: ... libraries -> ... libraries */
void os_time_open(lua_State *L)
{
	lua_getfield(L, -1, LUA_OSLIBNAME);
	lua_getfield(L, -1, "date");
	lua_getfield(L, -2, "time");
	lua_pushcclosure(L, os_time_time, 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, -4, "time");
	lua_pushcclosure(L, os_time_date, 2);
	lua_setfield(L, -2, "date");
	lua_pop(L, 1);
}
