/*
 * Build tool: compiles the modules of lua/ and the stock hooks of hooks/ and puts the bytecode into
 * a C file, so that a start does not parse them.  Made with the Lua that the program is linked
 * with; lua/embed.cmake does the same with the text where the tool cannot run (cross builds).
 *
 *	lua_compile OUTPUT.c FILE.lua...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/embedded.h"
#include "script/script_internal.h"

#define MAX_BYTECODE ((size_t)256 << 10)
#define NAME_AT ((size_t)32) /* where bytecode has the name of its chunk (ldump.c of Lua 5.4) */
#define LAST_DIGIT 0x80u     /* marks the last digit of a size, which has 7 bits a byte */

struct bytecode {
	size_t length;
	unsigned char bytes[MAX_BYTECODE];
};

static int add_bytes(lua_State *L, const void *bytes, size_t n, void *bytecode)
{
	struct bytecode *b = bytecode;

	(void)L;
	if (n > MAX_BYTECODE - b->length)
		return -1;
	memcpy(b->bytes + b->length, bytes, n);
	b->length += n;
	return 0;
}

/* Puts the name of the chunk where stripped bytecode has none. */
static int add_name(struct bytecode *b, const char *chunk)
{
	size_t n = strlen(chunk);

	if (b->length <= NAME_AT || b->bytes[NAME_AT] != LAST_DIGIT || n + 1 >= LAST_DIGIT ||
	    n > MAX_BYTECODE - b->length)
		return -1;
	memmove(b->bytes + NAME_AT + 1 + n, b->bytes + NAME_AT + 1, b->length - NAME_AT - 1);
	b->bytes[NAME_AT] = (unsigned char)(LAST_DIGIT | (n + 1));
	memcpy(b->bytes + NAME_AT + 1, chunk, n);
	b->length += n;
	return 0;
}

/* Returns whether Lua loads the bytecode as a chunk of that name. */
/* stack: ... -> ... */
static int has_name(lua_State *L, const struct bytecode *b, const char *chunk)
{
	lua_Debug about;

	if (luaL_loadbufferx(L, (const char *)b->bytes, b->length, "=?", "b") != LUA_OK) {
		lua_pop(L, 1);
		return 0;
	}
	return lua_getinfo(L, ">S", &about) != 0 && strcmp(about.source, chunk) == 0;
}

/*
 * Makes the bytecode of the function on the top.  Names of variables and lines are a third of what
 * a start loads, and our modules do without them: of what is stripped only the name of the chunk
 * comes back, because a traceback tells our frames from the user's by it.  A hook is a script as
 * any other and keeps all, as does everything where bytecode has another form.
 */
/* stack: ... function -> ... function */
static int compile(lua_State *L, const char *chunk, int strip, struct bytecode *b)
{
	b->length = 0;
	if (strip && lua_dump(L, add_bytes, b, 1) == 0 && add_name(b, chunk) == 0 &&
	    has_name(L, b, chunk))
		return 0;
	b->length = 0;
	return lua_dump(L, add_bytes, b, 0);
}

static void write_bytes(const struct bytecode *b, FILE *out)
{
	for (size_t i = 0; i < b->length; i++)
		(void)fprintf(out, "%u,%s", b->bytes[i], i % 24 == 23 ? "\n" : "");
}

/* What a file is in the program: its names there, and name for messages. */
struct module {
	char name[64];	 /* "merge" of lua/merge.lua, "hooks/backoff" of hooks/backoff.lua */
	char array[64];	 /* the same for C */
	char chunk[128]; /* ours are told by their chunk's name, a hook is a script as any other */
	int is_hook;
};

static void name_module(const char *path, struct module *m)
{
	const char *slash = strrchr(path, '/'), *file = slash == NULL ? path : slash + 1;
	size_t n = (size_t)(file - path);

	m->is_hook = n >= 6 && strncmp(file - 6, "hooks/", 6) == 0;
	(void)snprintf(m->name, sizeof(m->name), "%s%.*s", m->is_hook ? EMBEDDED_HOOKS : "",
	    (int)strcspn(file, "."), file);
	(void)snprintf(m->array, sizeof(m->array), "%s", m->name);
	for (char *p = m->array; *p != '\0'; p++)
		*p = *p == '/' ? '_' : *p;
	(void)snprintf(
	    m->chunk, sizeof(m->chunk), m->is_hook ? "@%s.lua" : "=" OWN_CHUNK "%s]", m->name);
}

static int add_module(lua_State *L, FILE *out, const char *path)
{
	static struct bytecode bytecode;
	struct module m;
	luaL_Buffer text;
	FILE *in = fopen(path, "r");
	int c;

	if (in == NULL) {
		perror(path);
		return -1;
	}
	luaL_buffinit(L, &text);
	while ((c = getc(in)) != EOF)
		luaL_addchar(&text, (char)c);
	(void)fclose(in);
	luaL_pushresult(&text);
	name_module(path, &m);
	if (luaL_loadbufferx(L, lua_tostring(L, -1), lua_rawlen(L, -1), m.chunk, "t") != LUA_OK) {
		(void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
		return -1;
	}
	if (compile(L, m.chunk, !m.is_hook, &bytecode) != 0)
		return -1;
	(void)fprintf(out, "static const unsigned char %s[] = {\n", m.array);
	write_bytes(&bytecode, out);
	(void)fprintf(out, "};\n\n");
	lua_settop(L, 0);
	return 0;
}

static int write_all(lua_State *L, FILE *out, int count, char **paths)
{
	struct module m;

	(void)fprintf(out,
	    "/* Made by lua/compile.c from the files of lua/ and hooks/. */\n"
	    "#include \"script/embedded.h\"\n\n");
	for (int i = 0; i < count; i++) {
		if (add_module(L, out, paths[i]) != 0)
			return -1;
	}
	(void)fprintf(out, "const struct embedded embedded_lua[] = {\n");
	for (int i = 0; i < count; i++) {
		name_module(paths[i], &m);
		(void)fprintf(out, "\t{ \"%s\", %s, sizeof(%s) },\n", m.name, m.array, m.array);
	}
	(void)fprintf(out, "\t{ (void *)0, (void *)0, 0 },\n};\n");
	return 0;
}

int main(int argc, char **argv)
{
	lua_State *L = luaL_newstate();
	FILE *out = argc > 2 ? fopen(argv[1], "w") : NULL;
	int rc = -1;

	if (L != NULL && out != NULL)
		rc = write_all(L, out, argc - 2, argv + 2);
	if (out == NULL || fclose(out) != 0)
		rc = -1;
	if (rc != 0) {
		(void)fprintf(stderr, "usage: lua_compile OUTPUT.c FILE.lua...\n");
		if (argc > 1)
			(void)remove(argv[1]);
	}
	if (L != NULL)
		lua_close(L);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
