/* Replacements for the functions that load code. */
#include "script/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_node.h"
#include "base/mem.h"
#include "base/str.h"
#include "platform/io.h"
#include "platform/trust.h"
#include "script/libraries.h"
#include "script/script_internal.h"
#include "script/values.h"

static atomic_bool has_modules; /* of the process: a module stays when its script is freed */

#define MAX_SCRIPT_TEXT ((size_t)64 << 20) /* bytes, as of a spec */

/* Makes the mode at that index "t".  Returns false when the mode excludes text. */
/* stack: ... -> ... (the mode at the index becomes "t") */
static bool require_text(lua_State *L, int index)
{
	const char *mode = luaL_optstring(L, index, "t");

	if (strchr(mode, 't') == NULL)
		return false;
	if (lua_gettop(L) < index)
		lua_settop(L, index);
	lua_pushliteral(L, "t");
	lua_replace(L, index);
	return true;
}

/* stack: ... -> ... nil reason */
static int refuse_bytecode(lua_State *L)
{
	luaL_pushfail(L);
	lua_pushliteral(L, "bytecode is not loaded here");
	return 2;
}

/* Refuses chunk names of vmrun's own modules: tracebacks leave such chunks out. */
static void require_name(lua_State *L, int index)
{
	const char *name = luaL_optstring(L, index, "");

	if (str_after(name, "=" OWN_CHUNK) != NULL)
		luaL_argerror(L, index, "vmrun reserves this name");
}

/* stack: chunk [name [mode [environment]]] -> function | nil reason */
int loading_load(lua_State *L)
{
	/* load() of Lua would name neither itself nor the place, as it is called from here. */
	if (!lua_isstring(L, 1))
		luaL_checktype(L, 1, LUA_TFUNCTION);
	require_name(L, 2);
	if (!require_text(L, 3))
		return refuse_bytecode(L);
	/* Not the globals of whoever runs: a spec's function may be called by a hook of another. */
	if (lua_isnone(L, 4)) {
		lua_settop(L, 3);
		lua_pushvalue(L, lua_upvalueindex(2));
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

static int read_open(int fd, const char *path, struct str *into, struct error *err)
{
	if (trust_check(fd, path, err) != 0)
		return -1;
	if (read_all(fd, MAX_SCRIPT_TEXT, into) == 0)
		return 0;
	if (errno == EFBIG)
		return error_set(
		    err, STATUS_NO_INPUT, "%s: larger than %zu MiB", path, MAX_SCRIPT_TEXT >> 20);
	return error_set(err, STATUS_NO_INPUT, "cannot read %s: %s", path, strerror(errno));
}

static int read_file(const char *path, struct str *into, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

	if (fd < 0)
		return error_set(err, STATUS_NO_INPUT, "cannot open %s: %s", path, strerror(errno));
	rc = read_open(fd, path, into, err);
	(void)close(fd);
	return rc;
}

/* Returns the text of the file that was read, behind a UTF-8 mark. */
static const char *file_text(const struct script *s, size_t *length)
{
	const char *text = s->file.text == NULL ? "" : s->file.text;
	bool marked = s->file.length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;

	*length = s->file.length - (marked ? 3 : 0);
	return marked ? text + 3 : text;
}

/* Pushes the function of a file, or a message, as luaL_loadfilex() does. */
/* stack: ... -> ... function | message */
static int load_file(lua_State *L, const char *path)
{
	struct script *s = script_of(L);
	struct error err = { 0 };
	const char *text;
	size_t length;
	int status;

	str_free(&s->file);
	if (read_file(path, &s->file, &err) != 0) {
		script_push_error(L, &err);
		return LUA_ERRFILE;
	}
	text = file_text(s, &length);
	if (length > 0 && *text == '#') {
		/* A line for the shell.  Its end stays, so that line numbers are right. */
		const char *end = memchr(text, '\n', length);

		length -= end == NULL ? length : (size_t)(end - text);
		text = end;
	}
	status = luaL_loadbufferx(L, text, length, lua_pushfstring(L, "@%s", path), "t");
	str_free(&s->file);
	return status;
}

/* Parses the file that was read.  Returns the reason of a failure, or NULL.  Caller frees. */
static char *read_json(struct script *s, const char *path)
{
	struct json_fault fault = { .why = "a NUL byte, which JSON does not have" };
	size_t length;
	const char *text = file_text(s, &length);

	if (strspn(text, " \t\r\n") == length)
		return mem_format("%s: the file is empty", path);
	if (strlen(text) == length)
		s->lent = json_node_or_fault(text, &fault);
	else
		json_line(text, strlen(text), &fault.line, &fault.column);
	return s->lent != NULL
	    ? NULL
	    : mem_format("%s:%zu:%zu: %s", path, fault.line, fault.column, fault.why);
}

/* stack: path -> value | nil reason */
int loading_json(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct script *s = script_of(L);
	struct error err = { 0 };

	str_free(&s->file);
	if (read_file(path, &s->file, &err) == 0)
		s->error_text = read_json(s, path);
	str_free(&s->file);
	if (s->lent != NULL) {
		values_push(L, s->lent);
		script_drop_lent(s);
		return 1;
	}
	luaL_pushfail(L);
	if (s->error_text == NULL) {
		script_push_error(L, &err);
	} else {
		lua_pushstring(L, s->error_text);
		script_drop_lent(s);
	}
	return 2;
}

/* stack: ... -> ... function | message */
static int load_path(lua_State *L, const char *path)
{
	if (path != NULL)
		return load_file(L, path);
	script_refuse_in_hook(L, "reading stdin");
	return luaL_loadfilex(L, NULL, "t");
}

/* stack: [path [mode [environment]]] -> function | nil reason */
int loading_loadfile(lua_State *L)
{
	const char *path = luaL_optstring(L, 1, NULL);
	bool has_environment = !lua_isnone(L, 3);

	if (!require_text(L, 2))
		return refuse_bytecode(L);
	lua_settop(L, 3);
	if (load_path(L, path) != LUA_OK) {
		luaL_pushfail(L);
		lua_insert(L, -2);
		return 2;
	}
	if (has_environment) {
		lua_pushvalue(L, 3);
		(void)lua_setupvalue(L, -2, 1);
	}
	return 1;
}

/* stack: path results -> results */
static int dofile_end(lua_State *L, int status, lua_KContext unused)
{
	(void)status;
	(void)unused;
	return lua_gettop(L) - 1;
}

/* stack: [path] -> results */
int loading_dofile(lua_State *L)
{
	const char *path = luaL_optstring(L, 1, NULL);

	lua_settop(L, 1);
	if (load_path(L, path) != LUA_OK)
		return lua_error(L);
	lua_rotate(L, 2, 1);
	lua_settop(L, 2);
	lua_callk(L, 0, LUA_MULTRET, 0, dofile_end);
	return dofile_end(L, LUA_OK, 0);
}

/* Checks a library that is named by a path; a name without a slash finds the system's own. */
static int check_library(const char *path, struct error *err)
{
	int fd, rc;

	if (strchr(path, '/') == NULL)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return 0; /* the loader has the better message */
	rc = trust_check(fd, path, err);
	(void)close(fd);
	return rc;
}

/* stack: path name -> function | nil reason "open" */
int loading_loadlib(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct error err = { 0 };

	if (check_library(path, &err) != 0) {
		luaL_pushfail(L);
		script_push_error(L, &err);
		lua_pushliteral(L, "open");
		return 3;
	}
	atomic_store(&has_modules, true);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

bool script_has_modules(void)
{
	return atomic_load(&has_modules);
}
