/*
 * Sends print() and what scripts write to stdout to the log, a line at a time: stdout may be the
 * guest's console, or output that the user pipes into a shell.
 */
#ifndef SCRIPT_OUTPUT_H
#define SCRIPT_OUTPUT_H

#include <lua.h>

#include "script/script.h"

/* Logs an unfinished line. */
void output_flush(struct script *s);

/* Replaces print. */
int output_print(lua_State *L);
/* Replaces io.write: upvalue 1 is the original, upvalue 2 io.output. */
int output_io_write(lua_State *L);
/* Replaces file:write: upvalue 1 is the original. */
int output_file_write(lua_State *L);

#endif
