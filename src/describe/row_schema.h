/*
 * The JSON Schema of tables of rows.  Each function adds to the end of a text
 * (base/json_write.h).
 */
#ifndef DESCRIBE_ROW_SCHEMA_H
#define DESCRIBE_ROW_SCHEMA_H

#include "base/str.h"
#include "device/field.h"

/* Whether the required keys of an object must be present. */
enum extent { WHOLE, PART };

/* Begins the schema of a key, which the caller ends as an object. */
void schema_begin_property(struct str *s, const char *key, const char *help);
/* Adds a property for each row to the open object; `values` holds the presets of the rows. */
void schema_add_properties(
    struct str *s, const struct field *rows, const void *values, enum extent extent);
/* Adds the required keys of the rows to the open list. */
void schema_add_required(struct str *s, const struct field *rows);
/* Adds `required` with one key to the open object. */
void schema_add_requires(struct str *s, const char *key);
/*
 * Adds the rules for aliases to the open object: a key and its alias exclude each other, and one of
 * them is required if the row is.
 */
void schema_add_aliases(struct str *s, const struct field *rows, enum extent extent);
/* Adds for each row a property that refers to "#/WHEREproperties/KEY"; null is valid, too. */
void schema_add_references(struct str *s, const struct field *rows, const char *where);
/* Adds `type` "object", and refuses keys without a property. */
void schema_add_closed_object(struct str *s);

#endif
