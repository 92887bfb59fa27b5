/* The JSON Schema of tables of rows. */
#include "describe/row_schema.h"

#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "device/value_schema.h"
#include "describe/describe.h"

static void add_object(
    struct str *s, const struct field *rows, const void *values, enum extent extent, bool null);
static void add_others(struct str *s, const struct field_others *others, enum extent extent);

static void add_type(struct str *s, const char *type, bool null)
{
	if (!null) {
		json_add_text(s, "type", type);
		return;
	}
	json_begin_list(s, "type");
	json_add_text(s, NULL, type);
	json_add_text(s, NULL, "null");
	json_end_list(s);
}

static void add_range(struct str *s, const struct field *f, const char *min, const char *max)
{
	if (!f->has_range)
		return;
	json_add_int(s, min, f->min);
	json_add_int(s, max, f->max);
}

static void add_string(struct str *s, const struct field *f, bool null)
{
	add_type(s, "string", null);
	json_add_int(s, "minLength", 1);
	if (f->max_length != 0)
		json_add_int(s, "maxLength", (int64_t)f->max_length);
}

static void add_choice(struct str *s, const struct field *f, bool null)
{
	json_begin_list(s, "enum");
	schema_add_choices(s, f->choices);
	if (null)
		json_add_null(s, NULL);
	json_end_list(s);
}

static void add_words(struct str *s, bool null)
{
	json_begin_list(s, "type");
	json_add_text(s, NULL, "string");
	json_add_text(s, NULL, "array");
	if (null)
		json_add_text(s, NULL, "null");
	json_end_list(s);
	json_add_int(s, "minLength", 1);
	schema_add_text(s, "items");
}

static void add_map(struct str *s, bool null)
{
	add_type(s, "object", null);
	json_begin_object(s, "additionalProperties");
	add_type(s, "string", true);
	json_add_int(s, "minLength", 1);
	json_end_object(s);
}

static void add_list(struct str *s, const struct field *f, const void *values, bool null)
{
	struct below below = describe_below(f, values);

	add_type(s, "array", null);
	add_range(s, f, "minItems", "maxItems");
	json_begin_object(s, "items");
	add_object(s, below.rows, below.values, WHOLE, false);
	json_end_object(s);
	describe_below_end(&below);
}

/* Adds the rule that exactly one of the keys has a value. */
static void add_one_of(struct str *s, const char *const *keys)
{
	json_begin_list(s, "oneOf");
	for (size_t i = 0; keys[i] != NULL; i++) {
		json_begin_object(s, NULL);
		schema_add_requires(s, keys[i]);
		json_begin_object(s, "properties");
		json_begin_object(s, keys[i]);
		json_begin_object(s, "not");
		json_add_text(s, "type", "null");
		json_end_object(s);
		json_end_object(s);
		json_end_object(s);
		json_end_object(s);
	}
	json_end_list(s);
}

static void add_custom(
    struct str *s, const struct field *f, const void *values, enum extent extent, bool null)
{
	struct below below = describe_below(f, values);

	if (below.rows == NULL && !null) {
		schema_add_custom(s, f->custom);
		return;
	}
	json_begin_list(s, "anyOf");
	json_begin_object(s, NULL);
	schema_add_custom(s, f->custom);
	json_end_object(s);
	if (below.rows != NULL) {
		json_begin_object(s, NULL);
		add_object(s, below.rows, below.values, extent, false);
		if (f->custom->one_of != NULL && extent == WHOLE)
			add_one_of(s, f->custom->one_of);
		json_end_object(s);
	}
	if (null) {
		json_begin_object(s, NULL);
		json_add_text(s, "type", "null");
		json_end_object(s);
	}
	json_end_list(s);
}

/* Adds the members of a value's schema. */
static void add_value(
    struct str *s, const struct field *f, const void *values, enum extent extent, bool null)
{
	switch (f->type) {
	case FIELD_STRING:
	case FIELD_PATH:
		add_string(s, f, null);
		break;
	case FIELD_BOOL:
		add_type(s, "boolean", null);
		break;
	case FIELD_INT:
		add_type(s, "integer", null);
		add_range(s, f, "minimum", "maximum");
		break;
	case FIELD_CHOICE:
		add_choice(s, f, null);
		break;
	case FIELD_WORDS:
		add_words(s, null);
		break;
	case FIELD_MAP:
		add_map(s, null);
		break;
	case FIELD_OBJECT:
		add_object(s, f->rows, (const char *)values + f->offset, extent, null);
		if (f->others != NULL)
			add_others(s, f->others, extent);
		break;
	case FIELD_LIST:
		add_list(s, f, values, null);
		break;
	case FIELD_CUSTOM:
		add_custom(s, f, values, extent, null);
		break;
	case FIELD_HOOK:      /* JSON cannot hold a function */
	case FIELD_ELSEWHERE: /* see schema.c */
		break;
	}
}

void schema_begin_property(struct str *s, const char *key, const char *help)
{
	json_begin_object(s, key);
	json_add_text(s, "description", help);
}

static void add_property(
    struct str *s, const struct field *f, const char *key, const void *values, enum extent extent)
{
	MEM_AUTO char *fallback = describe_default(f, values);

	schema_begin_property(s, key, f->help);
	if (key == f->alias)
		json_add_bool(s, "deprecated", true);
	else if (fallback != NULL)
		json_add_json(s, "default", fallback);
	add_value(s, f, values, extent, !f->required || extent == PART);
	json_end_object(s);
}

/* Adds the keys that have no row. */
static void add_others(struct str *s, const struct field_others *others, enum extent extent)
{
	MEM_AUTO void *entry = mem_zero(others->size);

	json_begin_object(s, "patternProperties");
	add_property(s, others->row, others->pattern, entry, extent);
	json_end_object(s);
}

static bool in_json(const struct field *f)
{
	return f->type != FIELD_HOOK && f->type != FIELD_ELSEWHERE;
}

void schema_add_properties(
    struct str *s, const struct field *rows, const void *values, enum extent extent)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (!in_json(f))
			continue;
		add_property(s, f, f->key, values, extent);
		if (f->alias != NULL)
			add_property(s, f, f->alias, values, extent);
	}
}

void schema_add_requires(struct str *s, const char *key)
{
	json_begin_list(s, "required");
	json_add_text(s, NULL, key);
	json_end_list(s);
}

/* Adds to the open list a rule that refuses a key together with its alias. */
static void add_not_both(struct str *s, const struct field *f)
{
	json_begin_object(s, NULL);
	json_begin_object(s, "not");
	json_add_text(s, "type", "object");
	json_begin_list(s, "required");
	json_add_text(s, NULL, f->key);
	json_add_text(s, NULL, f->alias);
	json_end_list(s);
	json_end_object(s);
	json_end_object(s);
}

/* Adds to the open list a rule that requires a key or its alias. */
static void add_either(struct str *s, const struct field *f)
{
	json_begin_object(s, NULL);
	json_begin_list(s, "anyOf");
	json_begin_object(s, NULL);
	schema_add_requires(s, f->key);
	json_end_object(s);
	json_begin_object(s, NULL);
	schema_add_requires(s, f->alias);
	json_end_object(s);
	json_end_list(s);
	json_end_object(s);
}

void schema_add_aliases(struct str *s, const struct field *rows, enum extent extent)
{
	STR_AUTO struct str rules = { 0 };

	json_begin_list(&rules, NULL);
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (f->alias == NULL)
			continue;
		add_not_both(&rules, f);
		if (f->required && extent == WHOLE)
			add_either(&rules, f);
	}
	json_end_list(&rules);
	if (strcmp(rules.text, "[]") != 0)
		json_add_json(s, "allOf", rules.text);
}

void schema_add_required(struct str *s, const struct field *rows)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (f->required && f->alias == NULL)
			json_add_text(s, NULL, f->key);
	}
}

static void add_object(
    struct str *s, const struct field *rows, const void *values, enum extent extent, bool null)
{
	add_type(s, "object", null);
	json_add_bool(s, "additionalProperties", false);
	json_begin_object(s, "properties");
	schema_add_properties(s, rows, values, extent);
	json_end_object(s);
	json_begin_list(s, "required");
	if (extent == WHOLE)
		schema_add_required(s, rows);
	json_end_list(s);
	schema_add_aliases(s, rows, extent);
}

void schema_add_closed_object(struct str *s)
{
	json_add_text(s, "type", "object");
	json_add_bool(s, "additionalProperties", false);
}

static void add_reference(struct str *s, const struct field *f, const char *key, const char *where)
{
	json_begin_object(s, key);
	if (f->required) {
		json_begin_list(s, "anyOf");
		json_begin_object(s, NULL);
	}
	json_add_textf(s, "$ref", "#/%sproperties/%s", where, key);
	if (f->required) { /* an optional property accepts null itself */
		json_end_object(s);
		json_begin_object(s, NULL);
		json_add_text(s, "type", "null");
		json_end_object(s);
		json_end_list(s);
	}
	json_end_object(s);
}

void schema_add_references(struct str *s, const struct field *rows, const char *where)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (!in_json(f))
			continue;
		add_reference(s, f, f->key, where);
		if (f->alias != NULL)
			add_reference(s, f, f->alias, where);
	}
}
