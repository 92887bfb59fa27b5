/* vmrun.import(): the spec of a VM that another program ran. */
#include "luamodule/import.h"

#include <stdlib.h>

#include "luamodule/options.h"
#include "vmrun/vmrun.h"

#define OPTION(member, kind)                                                 \
	{                                                                    \
#member, kind, offsetof(struct vmrun_import_options, member) \
	}

static const struct option options[] = {
	OPTION(file, OPTION_TEXT),
	OPTION(text, OPTION_TEXT),
	OPTION(name, OPTION_TEXT),
	OPTION(directory, OPTION_TEXT),
	OPTION(format, OPTION_TEXT),
	OPTION(set, OPTION_PAIRS),
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* Returns the spec in JSON, and the notes or nil; or nil, the problems, and the status. */
int module_import(lua_State *L)
{
	struct vmrun_import_options into = VMRUN_IMPORT_OPTIONS;
	char *spec = NULL, *notes = NULL, *why = NULL;
	int status;

	options_begin(L);
	lua_pushnil(L); /* no option is a function */
	lua_newtable(L);
	options_read(L, options, OPTIONS, &into);
	into.length = options_length(L, "text");
	status = vmrun_import(&into, &spec, &notes, &why);
	lua_pushstring(L, spec);
	lua_pushstring(L, status == VMRUN_STATUS_OK ? notes : why);
	if (status != VMRUN_STATUS_OK)
		lua_pushinteger(L, status);
	free(spec);
	free(notes);
	free(why);
	return status == VMRUN_STATUS_OK ? 2 : 3;
}
