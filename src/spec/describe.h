/*
 * Descriptions of everything that a spec can say, made from the rows: for editors, for checkers and
 * for people.  The callers free what they get.
 */
#ifndef SPEC_DESCRIBE_H
#define SPEC_DESCRIBE_H

#include <stdbool.h>

#include "device/field.h"
#include "spec/spec.h"

/* A JSON Schema (2020-12) of a spec in JSON. */
char *spec_print_schema(void);
/* Annotations for lua-language-server: a Lua file that types specs, hooks and the `vmrun` table. */
char *spec_print_lua_types(void);
/* Every device and its keys, as a table for people or in JSON. */
char *spec_print_devices(bool json);

/* What the three share. */

/* The rows below a row, and a place that holds the defaults of their values. */
struct below {
	const struct field *rows; /* NULL: there are none */
	const void *values;
	void *made; /* by describe_below() for an entry of a list, or NULL */
};

/* `values` holds the defaults of the row's own table. */
struct below describe_below(const struct field *f, const void *values);
void describe_below_end(struct below *below);
/* The default as JSON, or NULL when there is none: `values` as above. Caller frees. */
char *describe_default(const struct field *f, const void *values);
/* The type in the words of LuaLS; `object` stands for objects of rows. Caller frees. */
char *describe_type(const struct field *f, const char *object);
/* What a kind of device is, and where it cannot be. Caller frees. */
char *describe_kind(const struct device_kind *kind);
/* The defaults of the spec. Caller frees, as any spec. */
struct spec *describe_spec(void);

/* What no row tells of, as lines, NULL-terminated: what hooks are given, and the `vmrun` table. */
extern const char *const lua_api_types[], *const lua_api_functions[];

#endif
