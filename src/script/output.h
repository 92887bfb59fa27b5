/*
 * print() and what scripts write to stdout go to the log sink, a line at a time: stdout may be the
 * guest's console or a command that somebody pipes into a shell.
 */
#ifndef SCRIPT_OUTPUT_H
#define SCRIPT_OUTPUT_H

#include <lua.h>

#include "script/script.h"

/* Says what is left of a line. */
void output_flush(struct script *s);

/* In place of print; and of io.write and file:write, whose originals are upvalue 1. */
int output_print(lua_State *L);
int output_io_write(lua_State *L); /* upvalue 2: io.output */
int output_file_write(lua_State *L);

#endif
