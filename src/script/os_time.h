/* The time that scripts see: the host's, plus the time that has passed in a simulation. */
#ifndef SCRIPT_OS_TIME_H
#define SCRIPT_OS_TIME_H

#include <lua.h>

/* Wraps os.time and os.date of the table of loaded libraries on top of the stack. */
void os_time_open(lua_State *L);

#endif
