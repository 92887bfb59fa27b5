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

static int write_bytes(lua_State *L, const void *bytes, size_t n, void *file)
{
	(void)L;
	for (size_t i = 0; i < n; i++)
		(void)fprintf(
		    file, "%u,%s", ((const unsigned char *)bytes)[i], i % 24 == 23 ? "\n" : "");
	return ferror(file);
}

/* What a file is in the program: its names there, and name for messages. */
struct module {
	char name[64];	 /* "merge" of lua/merge.lua, "hooks/backoff" of hooks/backoff.lua */
	char array[64];	 /* the same for C */
	char chunk[128]; /* ours are told by their chunk's name, a hook is a script as any other */
};

static void name_module(const char *path, struct module *m)
{
	const char *slash = strrchr(path, '/'), *file = slash == NULL ? path : slash + 1;
	size_t n = (size_t)(file - path);
	int is_hook = n >= 6 && strncmp(file - 6, "hooks/", 6) == 0;

	(void)snprintf(m->name, sizeof(m->name), "%s%.*s", is_hook ? EMBEDDED_HOOKS : "",
	    (int)strcspn(file, "."), file);
	(void)snprintf(m->array, sizeof(m->array), "%s", m->name);
	for (char *p = m->array; *p != '\0'; p++)
		*p = *p == '/' ? '_' : *p;
	(void)snprintf(
	    m->chunk, sizeof(m->chunk), is_hook ? "@%s.lua" : "=" OWN_CHUNK "%s]", m->name);
}

static int add_module(lua_State *L, FILE *out, const char *path)
{
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
	/* Not stripped: a traceback tells our frames from the user's by the name of the chunk. */
	(void)fprintf(out, "static const unsigned char %s[] = {\n", m.array);
	if (lua_dump(L, write_bytes, out, 0) != 0)
		return -1;
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
