/*
 * vmrun.state: a table that is read when a script first touches it, and saved after each call of a
 * hook.
 */
#include "script/script_internal.h"

#include "script/values.h"

static const char state_key;

/* Makes plain tables of empty ones: whether the file had [] or {} is of no use to scripts. */
static void forget_marks(struct node *n)
{
	if (n->count == 0 && (n->kind == NODE_LIST || n->kind == NODE_OBJECT))
		n->kind = NODE_EMPTY;
	for (struct node *c = n->first; c != NULL; c = c->next)
		forget_marks(c);
}

/* Reads the state into s->lent, NULL when there is none yet; on failure pushes the reason. */
/* stack: ... -> ... | ... reason */
static bool read_state(lua_State *L, struct script *s)
{
	struct error err = { 0 };

	script_drop_lent(s);
	if (s->load_state == NULL)
		lua_pushliteral(L, "vmrun.state: not available here");
	else if (s->load_state(s->context, &s->lent, &err) == 0)
		return true;
	else
		script_push_error(L, &err);
	return false;
}

/* stack: ... -> ... */
static void load(lua_State *L)
{
	struct script *s = script_of(L);

	if (!read_state(L, s))
		(void)script_raise(L);
	if (s->lent != NULL) {
		forget_marks(s->lent);
		values_push(L, s->lent);
		script_drop_lent(s);
	} else {
		lua_newtable(L);
	}
	lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
	s->state_touched = true;
}

/* state(): returns the table; state(table) replaces the table. */
/* stack: [table] -> table */
static int state_table(lua_State *L)
{
	/* Read before a replacement too: a file that cannot be read is not overwritten. */
	if (!script_of(L)->state_touched)
		load(L);
	if (!lua_isnone(L, 1)) {
		luaL_checktype(L, 1, LUA_TTABLE);
		lua_settop(L, 1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
	return 1;
}

/* stack: -> state */
static int take_state(lua_State *L)
{
	struct script *s = script_of(L);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
	values_take_plain(L, -1, "vmrun.state", &s->lent);
	return 0;
}

/* Copies the table into s->lent; on failure pushes the reason and returns false. */
/* stack: ... -> ... | ... reason */
static bool copy_state(lua_State *L)
{
	struct script *s = script_of(L);

	script_drop_lent(s);
	lua_pushcfunction(L, take_state);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK)
		return false;
	if (s->lent->kind == NODE_EMPTY)
		s->lent->kind = NODE_OBJECT;
	return true;
}

/* Returns nil and the reason on the top to Lua. */
/* stack: ... reason -> ... nil reason */
static int return_reason(lua_State *L)
{
	lua_pushnil(L);
	lua_insert(L, -2);
	return 2;
}

/* stack: -> */
static int load_protected(lua_State *L)
{
	load(L);
	return 0;
}

/* save(): returns true when the file holds the current vmrun.state; else nil and the reason. */
/* stack: -> true | nil reason */
static int state_save(lua_State *L)
{
	struct script *s = script_of(L);
	struct error err = { 0 };
	int rc;

	if (s->save_state == NULL) {
		lua_pushliteral(L, "vmrun.state: not available here");
		return return_reason(L);
	}
	if (!s->state_touched) {
		lua_pushcfunction(L, load_protected);
		if (lua_pcall(L, 0, 0, 0) != LUA_OK)
			return return_reason(L);
	}
	if (!copy_state(L))
		return return_reason(L);
	rc = s->save_state(s->context, s->lent, true, &err);
	script_drop_lent(s);
	if (rc != 0) {
		script_push_error(L, &err);
		return return_reason(L);
	}
	lua_pushboolean(L, 1);
	return 1;
}

/* stack: ... table -> ... table */
void vmrun_state_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "state", state_table }, { "save", state_save },
		{ NULL, NULL } };

	luaL_setfuncs(L, functions, 0);
}

/* Forgets the table: the next touch reads the last saved state. */
/* stack: ... -> ... */
static void forget_state(struct script *s)
{
	lua_pushnil(s->L);
	lua_rawsetp(s->L, LUA_REGISTRYINDEX, &state_key);
	s->state_touched = false;
}

/* stack: ... -> ... */
int script_save_state(struct script *s, struct error *err)
{
	lua_State *L = s->L;
	int rc = 0, base = lua_gettop(L);

	if (!s->state_touched || s->save_state == NULL)
		return 0;
	if (!copy_state(L)) {
		const char *text = lua_tostring(L, -1);

		rc = error_set(err, STATUS_SPEC, "%s", text == NULL ? "vmrun.state" : text);
		forget_state(s);
	} else {
		rc = s->save_state(s->context, s->lent, false, err);
	}
	script_drop_lent(s);
	lua_settop(L, base);
	return rc;
}
