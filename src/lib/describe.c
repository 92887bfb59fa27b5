/* libvmrun: descriptions that need no VM: schema, Lua types and devices. */
#include "vmrun/vmrun.h"

#include <string.h>

#include "device/device.h"
#include "describe/describe.h"
#include "lib/given.h"

char *vmrun_describe(const char *what, bool json)
{
	if (what == NULL)
		return NULL;
	if (strcmp(what, "schema") == 0)
		return spec_print_schema();
	if (strcmp(what, "lua-types") == 0)
		return spec_print_lua_types();
	return strcmp(what, "devices") == 0 ? spec_print_devices(NULL, json) : NULL;
}

char *vmrun_describe_device(const char *name, bool json, char **why)
{
	const char *wanted = name != NULL ? name : "";
	const struct device_kind *kind = device_kind_find(wanted);

	give_text(why, kind == NULL ? device_unknown(wanted) : NULL);
	return kind == NULL ? NULL : spec_print_devices(kind, json);
}
