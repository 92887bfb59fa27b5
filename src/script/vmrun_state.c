/* vmrun.state: a table that is read when it is first touched, and kept after each call of a hook.
 */
#include "script/script_internal.h"

#include "script/values.h"

static const char state_key;

/* Scripts get plain tables: what an empty one was in the file is of no use to them. */
static void forget_marks(struct node *n)
{
	if (n->count == 0 && (n->kind == NODE_LIST || n->kind == NODE_OBJECT))
		n->kind = NODE_EMPTY;
	for (struct node *c = n->first; c != NULL; c = c->next)
		forget_marks(c);
}

/* Reads it into s->lent, NULL when there is none yet; else pushes why it cannot be read. */
static bool read_state(lua_State *L, struct script *s)
{
	struct error err = { 0 };

	script_drop_lent(s);
	if (s->load_state == NULL)
		lua_pushliteral(L, "vmrun.state: nothing is kept here");
	else if (s->load_state(s->context, &s->lent, &err) == 0)
		return true;
	else
		script_push_said(L, &err);
	return false;
}

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

/* state(): the table; state(table) puts another one into its place. */
static int kept_state(lua_State *L)
{
	/* Also before a new one: a file that cannot be read is not written over. */
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

static int take_state(lua_State *L)
{
	struct script *s = script_of(L);

	lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
	values_take_plain(L, -1, "vmrun.state", &s->lent);
	return 0;
}

/* Copies the table into s->lent; false leaves why it cannot be kept on the top of the stack. */
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

/* Returns nil and the text on the top, the reason, to Lua. */
static int answer_why(lua_State *L)
{
	lua_pushnil(L);
	lua_insert(L, -2);
	return 2;
}

static int load_protected(lua_State *L)
{
	load(L);
	return 0;
}

/* save(): true when the file holds what vmrun.state is now; else nil and why not. */
static int kept_save(lua_State *L)
{
	struct script *s = script_of(L);
	struct error err = { 0 };
	int rc;

	if (s->save_state == NULL) {
		lua_pushliteral(L, "vmrun.state: nothing is kept here");
		return answer_why(L);
	}
	if (!s->state_touched) {
		lua_pushcfunction(L, load_protected);
		if (lua_pcall(L, 0, 0, 0) != LUA_OK)
			return answer_why(L);
	}
	if (!copy_state(L))
		return answer_why(L);
	rc = s->save_state(s->context, s->lent, true, &err);
	script_drop_lent(s);
	if (rc != 0) {
		script_push_said(L, &err);
		return answer_why(L);
	}
	lua_pushboolean(L, 1);
	return 1;
}

void kept_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "state", kept_state }, { "save", kept_save },
		{ NULL, NULL } };

	luaL_setfuncs(L, functions, 0);
}

/* As it was kept last, when it is touched again. */
static void forget_state(struct script *s)
{
	lua_pushnil(s->L);
	lua_rawsetp(s->L, LUA_REGISTRYINDEX, &state_key);
	s->state_touched = false;
}

int script_keep(struct script *s, struct error *err)
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
