/*
 * Parts of the JSON Schema of values: what --print schema says of the kinds in struct field_custom.
 * Each function adds to the end of a text (base/json_write.h).
 */
#ifndef DEVICE_VALUE_SCHEMA_H
#define DEVICE_VALUE_SCHEMA_H

#include "device/field.h"

/* Adds the members of the schema of a custom value to the open object. */
void schema_add_custom(struct str *s, const struct field_custom *custom);
/* Adds `type` and `pattern` of a string. */
void schema_add_pattern(struct str *s, const char *pattern);
/* Adds members that accept a string of the pattern, or false. */
void schema_add_pattern_or_false(struct str *s, const char *pattern);
/* Adds `type`, `minimum` and `maximum`; `type` is "integer" or "number". */
void schema_add_range(struct str *s, const char *type, int64_t min, int64_t max);
/* Adds each choice to the open list.  The choices are NULL-terminated; "" means not given. */
void schema_add_choices(struct str *s, const char *const *choices);
/* Adds the member `enum` with these choices. */
void schema_add_enum(struct str *s, const char *const *choices);
/* Adds an object: the schema of a string that is not empty. */
void schema_add_text(struct str *s, const char *key);
/* Adds members that refuse every value but false. */
void schema_add_false(struct str *s);

#endif
