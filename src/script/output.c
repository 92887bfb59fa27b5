/* Standard output of scripts as messages. */
#include "script/output.h"

#include <string.h>

#include "script/script_internal.h"

/* Bytes; a longer line is cut, as this buffer is outside the memory cap. */
#define MAX_PRINTED_LINE 4096

static void log_line(struct script *s, const char *text)
{
	script_note_said(s);
	if (s->log != NULL)
		s->log(s->context, "info", text);
}

void output_flush(struct script *s)
{
	for (size_t i = 0; i < s->line.length; i++) {
		if (s->line.text[i] == '\0')
			s->line.text[i] = '?'; /* a NUL would end the message */
	}
	if (s->line.length > 0)
		log_line(s, s->line.text);
	str_free(&s->line);
}

/* Adds a text to the line; raises when the call has taken too long. */
/* stack: ... -> ... */
static void add(lua_State *L, const char *text, size_t length)
{
	struct script *s = script_of(L);

	while (length > 0) {
		const char *newline = memchr(text, '\n', length);
		size_t n = newline != NULL ? (size_t)(newline - text) : length;

		if (n > MAX_PRINTED_LINE - s->line.length)
			n = MAX_PRINTED_LINE - s->line.length;
		str_add_n(&s->line, text, n);
		if (text + n == newline)
			n++;
		else if (s->line.length < MAX_PRINTED_LINE)
			return;
		output_flush(s);
		script_step(L);
		text += n;
		length -= n;
	}
}

/* stack: values -> */
int output_print(lua_State *L)
{
	int count = lua_gettop(L);

	for (int i = 1; i <= count; i++) {
		size_t length;
		const char *text = luaL_tolstring(L, i, &length);

		if (i > 1)
			add(L, "\t", 1);
		add(L, text, length);
		lua_pop(L, 1);
	}
	add(L, "\n", 1);
	return 0;
}

/* Returns whether the value is stdout, still open. */
static bool is_stdout(lua_State *L, int index)
{
	const luaL_Stream *stream = luaL_testudata(L, index, LUA_FILEHANDLE);

	return stream != NULL && stream->closef != NULL && stream->f == stdout;
}

static void add_arguments(lua_State *L, int from, int to)
{
	for (int i = from; i <= to; i++) {
		size_t length;
		const char *text = luaL_checklstring(L, i, &length);

		add(L, text, length);
	}
}

/* stack: arguments -> results */
static int call_original(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* stack: file texts -> file | results */
int output_file_write(lua_State *L)
{
	if (!is_stdout(L, 1))
		return call_original(L);
	add_arguments(L, 2, lua_gettop(L));
	lua_settop(L, 1);
	return 1;
}

/* stack: texts -> file | results */
int output_io_write(lua_State *L)
{
	int count = lua_gettop(L);

	lua_pushvalue(L, lua_upvalueindex(2));
	lua_call(L, 0, 1);
	if (!is_stdout(L, -1)) {
		lua_settop(L, count);
		return call_original(L);
	}
	add_arguments(L, 1, count);
	return 1;
}
