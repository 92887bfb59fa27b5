/* vmrun.event and vmrun.firmware: functions of scripts that call the program. */
#include "script/script_internal.h"

#include <stdlib.h>

#include "base/node_json.h"
#include "script/values.h"

/* Bytes of an event: thousands may wait for their reader, outside the memory cap. */
#define MAX_EVENT_TEXT 8192

void script_drop_lent(struct script *s)
{
	node_free(s->lent);
	s->lent = NULL;
	free(s->error_text);
	s->error_text = NULL;
}

/* stack: ... -> ... text */
void script_push_error(lua_State *L, struct error *err)
{
	struct script *s = script_of(L);

	free(s->error_text);
	s->error_text = err->text;
	err->text = NULL;
	lua_pushstring(L, s->error_text);
}

/* event(table, by): reports an event; by may be nil. */
/* stack: table [by] -> */
static int callback_event(lua_State *L)
{
	struct script *s = script_of(L);
	const char *by = luaL_optstring(L, 2, NULL);
	struct str json = { 0 };

	luaL_checktype(L, 1, LUA_TTABLE);
	script_drop_lent(s);
	values_take_plain(L, 1, "vmrun.event", &s->lent);
	if (s->lent->kind == NODE_EMPTY)
		s->lent->kind = NODE_OBJECT;
	node_add_json(&json, s->lent);
	script_drop_lent(s);
	script_note_said(s);
	if (json.length <= MAX_EVENT_TEXT && s->event != NULL)
		s->event(s->context, by, json.text);
	lua_pushboolean(L, json.length <= MAX_EVENT_TEXT);
	str_free(&json);
	if (lua_toboolean(L, -1))
		return 0;
	lua_pushfstring(L, "vmrun.event: more than %d bytes as JSON", MAX_EVENT_TEXT);
	return script_raise(L);
}

/* firmware(kind): returns a path, or nil and the reason; raises an error for an unknown kind. */
/* stack: kind -> path | nil reason */
static int callback_firmware(lua_State *L)
{
	struct script *s = script_of(L);
	const char *kind = luaL_checkstring(L, 1), *path = NULL;
	struct error err = { 0 };

	if (s->firmware == NULL) {
		lua_pushliteral(L, "vmrun.firmware: not available here");
		return script_raise(L);
	}
	if (s->firmware(s->context, kind, &path, &err) == 0) {
		lua_pushstring(L, path);
		return 1;
	}
	luaL_pushfail(L);
	script_push_error(L, &err);
	return err.status == STATUS_USAGE ? script_raise(L) : 2;
}

/* stack: ... table -> ... table */
void callbacks_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "event", callback_event },
		{ "firmware", callback_firmware },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
