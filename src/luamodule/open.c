/* vmrun.open(): options from a Lua table. */
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "luamodule/vm.h"

enum option_kind {
	OPTION_TEXT,
	OPTION_FLAG,
	OPTION_WORDS, /* a list of strings */
	OPTION_PAIRS, /* a table of values by name, or a list of "NAME=VALUE" */
	OPTION_INT,
	OPTION_INT64,
	OPTION_FUNCTION, /* kept in a uservalue */
};

struct option {
	const char *name;
	enum option_kind kind;
	size_t offset; /* in struct vmrun_options; OPTION_FUNCTION: its enum vm_value */
};

#define OPTION(member, kind)                                          \
	{                                                             \
#member, kind, offsetof(struct vmrun_options, member) \
	}

static const struct option options[] = {
	OPTION(file, OPTION_TEXT),
	OPTION(text, OPTION_TEXT),
	OPTION(name, OPTION_TEXT),
	OPTION(directory, OPTION_TEXT),
	OPTION(format, OPTION_TEXT),
	OPTION(target, OPTION_TEXT),
	OPTION(set, OPTION_PAIRS),
	OPTION(hypervisor, OPTION_TEXT),
	OPTION(bhyve, OPTION_TEXT),
	OPTION(qemu, OPTION_TEXT),
	OPTION(args, OPTION_WORDS),
	OPTION(dry_run, OPTION_FLAG),
	OPTION(no_reboot, OPTION_FLAG),
	OPTION(reboot_count, OPTION_INT64),
	OPTION(reboot_on, OPTION_TEXT),
	OPTION(pid_file, OPTION_TEXT),
	OPTION(supervisor_pid_file, OPTION_TEXT),
	OPTION(run_dir, OPTION_TEXT),
	OPTION(state_dir, OPTION_TEXT),
	OPTION(check, OPTION_FLAG),
	OPTION(fix, OPTION_FLAG),
	OPTION(force, OPTION_FLAG),
	OPTION(no_checks, OPTION_FLAG),
	OPTION(ask, OPTION_FLAG),
	OPTION(hooks, OPTION_WORDS),
	OPTION(sandbox, OPTION_FLAG),
	OPTION(control, OPTION_FLAG),
	OPTION(panic_on_failed_cleanup, OPTION_FLAG),
	OPTION(allow, OPTION_WORDS),
	OPTION(exec_result, OPTION_INT),
	OPTION(guest_status, OPTION_FLAG),
	OPTION(spec_args, OPTION_PAIRS),
	OPTION(keeps_signals, OPTION_FLAG),
	{ "event", OPTION_FUNCTION, VM_EVENT },
	{ "decide", OPTION_FUNCTION, VM_DECIDE },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* Where open() keeps things on the stack. */
enum { AT_TABLE = 1, AT_VM, AT_KEPT };

/* Keeps the value on the top of the stack as long as the VM, and pops it. */
static void keep(lua_State *L)
{
	lua_rawseti(L, AT_KEPT, (lua_Integer)lua_rawlen(L, AT_KEPT) + 1);
}

/* Raises unless the value on the top of the stack has the type. */
static void expect(lua_State *L, const struct option *o, bool is_right, const char *expected)
{
	if (!is_right)
		luaL_error(L, "option \"%s\": expected %s, got %s", o->name, expected,
		    luaL_typename(L, -1));
}

/* Returns a copy of the string on the top of the stack, which the VM keeps. */
static const char *kept_text(lua_State *L, const struct option *o)
{
	size_t length;
	const char *text = lua_tolstring(L, -1, &length);

	if (strlen(text) != length && strcmp(o->name, "text") != 0)
		luaL_error(L, "option \"%s\": the string contains a NUL", o->name);
	lua_pushvalue(L, -1);
	keep(L);
	return text;
}

static const char **new_words(lua_State *L, size_t count)
{
	const char **words = lua_newuserdatauv(L, (count + 1) * sizeof(*words), 0);

	for (size_t i = 0; i <= count; i++)
		words[i] = NULL;
	keep(L);
	return words;
}

/* stack: ... list -> ... list */
static const char *const *read_list(lua_State *L, const struct option *o)
{
	size_t count = lua_rawlen(L, -1);
	const char **words = new_words(L, count);

	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i + 1);
		expect(L, o, lua_type(L, -1) == LUA_TSTRING, "a list of strings");
		words[i] = kept_text(L, o);
		lua_pop(L, 1);
	}
	return words;
}

/* stack: ... table -> ... table list; the list has "NAME=VALUE" for each pair */
static void push_pairs(lua_State *L, const struct option *o)
{
	int table = lua_gettop(L), list = table + 1;

	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, table) != 0) {
		bool is_pair = lua_type(L, -2) == LUA_TSTRING;

		expect(L, o, !lua_istable(L, -1) && !lua_isfunction(L, -1),
		    "strings, numbers and booleans");
		(void)luaL_tolstring(L, -1, NULL);
		if (is_pair)
			(void)lua_pushfstring(L, "%s=%s", lua_tostring(L, -3), lua_tostring(L, -1));
		lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
		lua_settop(L, list + 1); /* the key */
	}
}

/* stack: ... value -> ... value */
static void read_number(lua_State *L, const struct option *o, char *at)
{
	int is_integer;
	lua_Integer value = lua_tointegerx(L, -1, &is_integer);

	expect(L, o, is_integer != 0 && lua_type(L, -1) == LUA_TNUMBER, "an integer");
	if (o->kind == OPTION_INT64)
		*(int64_t *)(void *)at = value;
	else if (value >= INT_MIN && value <= INT_MAX)
		*(int *)(void *)at = (int)value;
	else
		luaL_error(L, "option \"%s\": %I is out of range", o->name, (LUAI_UACINT)value);
}

/* stack: ... value -> ... value */
static void read_value(lua_State *L, const struct option *o, char *at)
{
	switch (o->kind) {
	case OPTION_TEXT:
		expect(L, o, lua_type(L, -1) == LUA_TSTRING, "a string");
		*(const char **)(void *)at = kept_text(L, o);
		break;
	case OPTION_FLAG:
		expect(L, o, lua_isboolean(L, -1), "a boolean");
		*(bool *)(void *)at = lua_toboolean(L, -1);
		break;
	case OPTION_WORDS:
		expect(L, o, lua_istable(L, -1), "a list of strings");
		*(const char *const **)(void *)at = read_list(L, o);
		break;
	case OPTION_PAIRS:
		expect(L, o, lua_istable(L, -1), "a table");
		push_pairs(L, o);
		*(const char *const **)(void *)at = read_list(L, o);
		lua_pop(L, 1);
		break;
	case OPTION_INT:
	case OPTION_INT64:
		read_number(L, o, at);
		break;
	case OPTION_FUNCTION:
		expect(L, o, lua_isfunction(L, -1), "a function");
		lua_pushvalue(L, -1);
		lua_setiuservalue(L, AT_VM, (int)o->offset);
		break;
	}
}

static const struct option *find_option(lua_State *L)
{
	const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";

	for (size_t i = 0; i < OPTIONS; i++) {
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	luaL_error(L, "unknown option \"%s\"; vmrun-lua(3) lists the options",
	    luaL_tolstring(L, -1, NULL));
	return NULL;
}

static void read_options(lua_State *L, struct vmrun_options *into)
{
	lua_pushnil(L);
	while (lua_next(L, AT_TABLE) != 0) {
		const struct option *o;

		lua_pushvalue(L, -2);
		o = find_option(L);
		lua_pop(L, 1);
		read_value(L, o, (char *)into + (o->kind == OPTION_FUNCTION ? 0 : o->offset));
		lua_pop(L, 1);
	}
	if (into->text != NULL) {
		(void)lua_getfield(L, AT_TABLE, "text");
		into->length = lua_rawlen(L, -1);
		lua_pop(L, 1);
	}
}

int module_open(lua_State *L)
{
	struct vmrun_options into = VMRUN_OPTIONS;
	struct vm *vm;
	int status;

	if (lua_type(L, 1) == LUA_TSTRING) {
		lua_settop(L, 1);
		lua_newtable(L);
		lua_insert(L, 1);
		lua_setfield(L, 1, "file");
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	vm = lua_newuserdatauv(L, sizeof(*vm), VM_VALUES);
	*vm = (struct vm){ .handle = NULL };
	luaL_setmetatable(L, VM_TYPE);
	lua_newtable(L);
	lua_pushvalue(L, AT_KEPT);
	lua_setiuservalue(L, AT_VM, VM_KEPT);
	read_options(L, &into);
	vm->caller = L;
	if (lua_getiuservalue(L, AT_VM, VM_DECIDE) != LUA_TNIL) {
		into.decide = decide_by_function;
		into.decide_context = vm;
	}
	status = vmrun_open(&vm->handle, &into);
	if (status != 0)
		return vm_push_failure(L, vm->handle, status);
	lua_settop(L, AT_VM);
	return 1;
}
