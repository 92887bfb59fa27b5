/* A client of another vmrun in Lua: a userdata with the handle of the library. */
#ifndef LUAMODULE_CLIENT_H
#define LUAMODULE_CLIENT_H

#include <poll.h>

#include <lua.h>

#define CLIENT_TYPE "vmrun.client"

/* Returns what to poll for the client at an index of the stack; raises if it is closed. */
struct pollfd client_descriptor(lua_State *L, int index);
/* Pushes the metatable of clients, and registers it. */
void client_push_metatable(lua_State *L);

/* vmrun.connect() and vmrun.list() */
int module_connect(lua_State *L);
int module_list(lua_State *L);

#endif
