/* The hours that scripts see: the host's, and in a simulation those that have passed in it too. */
#ifndef SCRIPT_HOURS_H
#define SCRIPT_HOURS_H

#include <lua.h>

/* Wraps os.time and os.date of the table of loaded libraries on top of the stack. */
void hours_open(lua_State *L);

#endif
