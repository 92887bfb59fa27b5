/* Parts of the JSON Schema of values. */
#include "device/value_schema.h"

#include "base/json_write.h"

void schema_add_custom(struct str *s, const struct field_custom *custom)
{
	if (custom->pattern != NULL)
		schema_add_pattern(s, custom->pattern);
	else
		custom->schema(s);
}

void schema_add_pattern(struct str *s, const char *pattern)
{
	json_add_text(s, "type", "string");
	json_add_text(s, "pattern", pattern);
}

void schema_add_range(struct str *s, const char *type, int64_t min, int64_t max)
{
	json_add_text(s, "type", type);
	json_add_int(s, "minimum", min);
	json_add_int(s, "maximum", max);
}

void schema_add_choices(struct str *s, const char *const *choices)
{
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (*choices[i] != '\0')
			json_add_text(s, NULL, choices[i]);
	}
}

void schema_add_enum(struct str *s, const char *const *choices)
{
	json_begin_list(s, "enum");
	schema_add_choices(s, choices);
	json_end_list(s);
}

void schema_add_text(struct str *s, const char *key)
{
	json_begin_object(s, key);
	json_add_text(s, "type", "string");
	json_add_int(s, "minLength", 1);
	json_end_object(s);
}

void schema_add_false(struct str *s)
{
	json_add_bool(s, "const", false);
}

void schema_add_pattern_or_false(struct str *s, const char *pattern)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	schema_add_pattern(s, pattern);
	json_end_object(s);
	json_begin_object(s, NULL);
	schema_add_false(s);
	json_end_object(s);
	json_end_list(s);
}
