/* vmrun.import() */
#ifndef LUAMODULE_IMPORT_H
#define LUAMODULE_IMPORT_H

#include <lua.h>

int module_import(lua_State *L);

#endif
