/*
 * Descriptions of all keys of a spec, made from the rows: for editors, checkers and users.  Callers
 * free what the functions return.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <stdbool.h>

#include "device/device.h"
#include "device/field.h"
#include "spec/spec.h"

/* Returns a JSON Schema (2020-12) of a spec in JSON. */
char *spec_print_schema(void);
/*
 * Returns annotations for lua-language-server: a Lua file with the types of specs, hooks and the
 * `vmrun` table.
 */
char *spec_print_lua_types(void);
/*
 * Returns one kind of device with its keys, or all (NULL), as a text table or as a list in JSON.
 * The table of one has the keys that every device has, too, as the JSON always has.
 */
char *spec_print_devices(const struct device_kind *only, bool json);

/* Helpers of the three printers. */

/* The rows below a row, and a struct that holds the presets of their values. */
struct below {
	const struct field *rows; /* NULL: the row has none below it */
	const void *values;
	void *made; /* allocated by describe_below() for an entry of a list, or NULL */
};

/* Returns the rows below a row; `values` holds the presets of the row's own table. */
struct below describe_below(const struct field *f, const void *values);
void describe_below_end(struct below *below);
/* Returns the default as JSON, or NULL if there is none; `values` as above.  Caller frees. */
char *describe_default(const struct field *f, const void *values);
/* Returns the type in LuaLS syntax; `object` is the type of an object of rows.  Caller frees. */
char *describe_type(const struct field *f, const char *object);
/* Returns what a kind of device is, and its restrictions.  Caller frees. */
char *describe_kind(const struct device_kind *kind);
/* Returns a spec with all presets.  Caller frees. */
struct spec *describe_spec(void);

/*
 * The types that no row describes, as NULL-terminated lists of lines: arguments of hooks, and the
 * `vmrun` table.
 */
extern const char *const lua_api_types[], *const lua_api_functions[];

#endif
