/*
 * --print schema.  Each property is written once, for the whole spec or device.  What changes these
 * (a target, an entry of its devices) refers to it, has no required keys, and may unset required
 * ones with null.
 */
#include "spec/describe.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* Whether the required keys of an object must be present. */
enum extent { WHOLE, PART };

static void add_object(
    const struct field *rows, const void *values, enum extent extent, bool null, struct str *s);

static void add_comma(struct str *s)
{
	char last = s->length == 0 ? '{' : s->text[s->length - 1];

	if (last != '{' && last != '[')
		str_add(s, ",");
}

/* Adds "key":"text", after a comma where one is needed. */
static void add_text(struct str *s, const char *key, const char *text)
{
	add_comma(s);
	str_addf(s, "\"%s\":", key);
	str_add_json(s, text);
}

static void add_type(struct str *s, const char *type, bool null)
{
	add_comma(s);
	str_addf(s, null ? "\"type\":[%s,\"null\"]" : "\"type\":%s", type);
}

static void add_range(const struct field *f, const char *min, const char *max, struct str *s)
{
	if (f->has_range)
		str_addf(s, ",\"%s\":%" PRId64 ",\"%s\":%" PRId64, min, f->min, max, f->max);
}

static void add_string(const struct field *f, bool null, struct str *s)
{
	add_type(s, "\"string\"", null);
	str_add(s, ",\"minLength\":1");
	if (f->max_length != 0)
		str_addf(s, ",\"maxLength\":%zu", f->max_length);
}

static void add_choice(const struct field *f, bool null, struct str *s)
{
	add_comma(s);
	str_add(s, "\"enum\":[");
	for (size_t i = 0; f->choices[i] != NULL; i++) {
		if (*f->choices[i] == '\0') /* means not given */
			continue;
		add_comma(s);
		str_add_json(s, f->choices[i]);
	}
	str_add(s, null ? ",null]" : "]");
}

static void add_list(const struct field *f, const void *values, bool null, struct str *s)
{
	struct below below = describe_below(f, values);

	add_type(s, "\"array\"", null);
	add_range(f, "minItems", "maxItems", s);
	str_add(s, ",\"items\":{");
	add_object(below.rows, below.values, WHOLE, false, s);
	str_add(s, "}");
	describe_below_end(&below);
}

static void add_custom(
    const struct field *f, const void *values, enum extent extent, bool null, struct str *s)
{
	struct below below = describe_below(f, values);

	add_comma(s);
	if (below.rows == NULL && !null) {
		str_add(s, f->custom->schema);
		return;
	}
	str_addf(s, "\"anyOf\":[{%s}", f->custom->schema);
	if (below.rows != NULL) {
		str_add(s, ",{");
		add_object(below.rows, below.values, extent, false, s);
		str_add(s, "}");
	}
	str_add(s, null ? ",{\"type\":\"null\"}]" : "]");
}

/* Adds the inside of a value's schema. */
static void add_value(
    const struct field *f, const void *values, enum extent extent, bool null, struct str *s)
{
	switch (f->type) {
	case FIELD_STRING:
	case FIELD_PATH:
		add_string(f, null, s);
		break;
	case FIELD_BOOL:
		add_type(s, "\"boolean\"", null);
		break;
	case FIELD_INT:
		add_type(s, "\"integer\"", null);
		add_range(f, "minimum", "maximum", s);
		break;
	case FIELD_CHOICE:
		add_choice(f, null, s);
		break;
	case FIELD_WORDS:
		add_type(s, null ? "\"string\",\"array\"" : "[\"string\",\"array\"]", null);
		str_add(s, ",\"minLength\":1,\"items\":{\"type\":\"string\",\"minLength\":1}");
		break;
	case FIELD_MAP:
		add_type(s, "\"object\"", null);
		str_add(s,
		    ",\"additionalProperties\":{\"type\":[\"string\",\"null\"],"
		    "\"minLength\":1}");
		break;
	case FIELD_OBJECT:
		add_object(f->rows, (const char *)values + f->offset, extent, null, s);
		break;
	case FIELD_LIST:
		add_list(f, values, null, s);
		break;
	case FIELD_CUSTOM:
		add_custom(f, values, extent, null, s);
		break;
	case FIELD_HOOK:      /* JSON cannot hold a function */
	case FIELD_ELSEWHERE: /* see add_spec() and add_kind() */
		break;
	}
}

static void open_property(const char *key, const char *help, struct str *s)
{
	add_comma(s);
	str_addf(s, "\"%s\":{", key);
	add_text(s, "description", help);
}

static void add_property(
    const struct field *f, const char *key, const void *values, enum extent extent, struct str *s)
{
	MEM_AUTO char *fallback = describe_default(f, values);

	open_property(key, f->help, s);
	if (key == f->alias)
		str_add(s, ",\"deprecated\":true");
	else if (fallback != NULL)
		str_addf(s, ",\"default\":%s", fallback);
	add_value(f, values, extent, !f->required || extent == PART, s);
	str_add(s, "}");
}

static bool in_json(const struct field *f)
{
	return f->type != FIELD_HOOK && f->type != FIELD_ELSEWHERE;
}

static void add_properties(
    const struct field *rows, const void *values, enum extent extent, struct str *s)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (!in_json(f))
			continue;
		add_property(f, f->key, values, extent, s);
		if (f->alias != NULL)
			add_property(f, f->alias, values, extent, s);
	}
}

/* Adds the rules for aliases: a key and its alias exclude each other, and one of them is required
 * if the row is. */
static void add_aliases(const struct field *rows, enum extent extent, struct str *s)
{
	STR_AUTO struct str rules = { 0 };

	for (const struct field *f = rows; f->key != NULL; f++) {
		if (f->alias == NULL)
			continue;
		str_addf(&rules, "%s{\"not\":{\"type\":\"object\",\"required\":[\"%s\",\"%s\"]}}",
		    rules.length > 0 ? "," : "", f->key, f->alias);
		if (f->required && extent == WHOLE)
			str_addf(&rules,
			    ",{\"anyOf\":[{\"required\":[\"%s\"]},{\"required\":[\"%s\"]}]}",
			    f->key, f->alias);
	}
	if (rules.length > 0)
		str_addf(s, ",\"allOf\":[%s]", rules.text);
}

static void add_required(const struct field *rows, struct str *s)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (!f->required || f->alias != NULL)
			continue;
		add_comma(s);
		str_addf(s, "\"%s\"", f->key);
	}
}

static void add_object(
    const struct field *rows, const void *values, enum extent extent, bool null, struct str *s)
{
	add_type(s, "\"object\"", null);
	str_add(s, ",\"additionalProperties\":false,\"properties\":{");
	add_properties(rows, values, extent, s);
	str_add(s, "},\"required\":[");
	if (extent == WHOLE)
		add_required(rows, s);
	str_add(s, "]");
	add_aliases(rows, extent, s);
}

/* --- devices --- */

static void add_names(struct str *s)
{
	str_add(s, "\"device\":{\"enum\":[");
	for (size_t i = 0; device_kinds[i] != NULL; i++)
		str_addf(s, "%s\"%s\"", i > 0 ? "," : "", device_kinds[i]->name);
	str_add(s, "]}");
}

/* Adds the definition of a whole device. */
static void add_kind(const struct device_kind *kind, struct str *s)
{
	MEM_AUTO char *help = describe_kind(kind);
	DEVICE_AUTO struct device *dev = device_new(kind);

	str_addf(s, "\"device.%s\":{", kind->name);
	add_text(s, "description", help);
	str_addf(s,
	    ",\"type\":\"object\",\"additionalProperties\":false,"
	    "\"properties\":{\"device\":{\"const\":\"%s\"}",
	    kind->name);
	add_properties(device_common_fields, dev, WHOLE, s);
	add_properties(kind->fields, dev->config, WHOLE, s);
	str_add(s, "},\"required\":[");
	add_required(device_common_fields, s);
	add_required(kind->fields, s);
	str_add(s, "]");
	add_aliases(kind->fields, WHOLE, s);
	str_add(s, "}");
}

/* Adds a reference to the property of the whole; null is valid, too. */
static void add_reference(const struct field *f, const char *key, const char *where, struct str *s)
{
	add_comma(s);
	if (f->required)
		str_addf(s,
		    "\"%s\":{\"anyOf\":[{\"$ref\":\"#/%sproperties/%s\"},"
		    "{\"type\":\"null\"}]}",
		    key, where, key);
	else
		str_addf(s, "\"%s\":{\"$ref\":\"#/%sproperties/%s\"}", key, where, key);
}

static void add_references(const struct field *rows, const char *where, struct str *s)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (!in_json(f))
			continue;
		add_reference(f, f->key, where, s);
		if (f->alias != NULL)
			add_reference(f, f->alias, where, s);
	}
}

#define REMOVE                                                                                   \
	"\"remove\":{\"description\":\"take the device of this id away, its slot stays empty\"," \
	"\"type\":\"boolean\"}"

/* Adds an entry of a target with a kind and an id, which may be that of a device of the base. */
static void add_kind_change(const struct device_kind *kind, struct str *s)
{
	MEM_AUTO char *where = mem_format("$defs/device.%s/", kind->name);

	str_addf(s,
	    ",\"change.%s\":{\"type\":\"object\",\"additionalProperties\":false,"
	    "\"properties\":{\"device\":{\"const\":\"%s\"}," REMOVE,
	    kind->name, kind->name);
	add_references(device_common_fields, where, s);
	add_references(kind->fields, where, s);
	str_add(s, "}");
	add_aliases(kind->fields, PART, s);
	str_add(s, "}");
}

static bool same_values(const struct field *f, const struct field *g)
{
	return f->type == g->type && f->custom == g->custom && f->rows == g->rows &&
	    f->choices == g->choices && f->max_length == g->max_length && f->min == g->min &&
	    f->max == g->max;
}

static bool seen_before(size_t upto, const char *key, const struct field *like)
{
	for (size_t i = 0; i < upto; i++) {
		const struct field *f = field_find(device_kinds[i]->fields, key);

		if (f != NULL && (like == NULL || same_values(f, like)))
			return true;
	}
	return false;
}

/* Adds a key of any kind of device: all forms of values that the kinds take. */
static void add_any_of(size_t first, const char *key, struct str *s)
{
	str_addf(s, ",\"%s\":{\"anyOf\":[", key);
	for (size_t i = first; device_kinds[i] != NULL; i++) {
		const struct field *f = field_find(device_kinds[i]->fields, key);

		if (f == NULL || seen_before(i, key, f))
			continue;
		add_comma(s);
		str_addf(s, "{\"$ref\":\"#/$defs/device.%s/properties/%s\"}", device_kinds[i]->name,
		    key);
	}
	str_add(s, ",{\"type\":\"null\"}]}");
}

/* Adds an entry of a target that has an id but no kind. */
static void add_change(struct str *s)
{
	/* Every kind has the common keys. */
	MEM_AUTO char *where = mem_format("$defs/device.%s/", device_raw.name);

	str_add(s,
	    ",\"change\":{\"description\":\"changes the device of this id\","
	    "\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"id\"],"
	    "\"properties\":{" REMOVE);
	add_references(device_common_fields, where, s);
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		for (const struct field *f = device_kinds[i]->fields; f->key != NULL; f++) {
			if (!seen_before(i, f->key, NULL))
				add_any_of(i, f->key, s);
			if (f->alias != NULL && !seen_before(i, f->alias, NULL))
				add_any_of(i, f->alias, s);
		}
	}
	str_add(s, "}}");
}

/* Adds one case for each kind, so that an error is reported for the kind that the entry names. */
static void add_cases(const char *format, struct str *s)
{
	str_add(s, "\"properties\":{");
	add_names(s);
	str_add(s, "},\"allOf\":[");
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		const char *name = device_kinds[i]->name;

		add_comma(s);
		str_addf(s,
		    "{\"if\":{\"required\":[\"device\"],"
		    "\"properties\":{\"device\":{\"const\":\"%s\"}}},\"then\":{",
		    name);
		for (const char *p = format; *p != '\0'; p++)
			str_add_n(s, *p == '@' ? name : p, *p == '@' ? strlen(name) : 1);
		str_add(s, "}}");
	}
	str_add(s, "]");
}

static void add_devices(struct str *s)
{
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		add_comma(s);
		add_kind(device_kinds[i], s);
		add_kind_change(device_kinds[i], s);
	}
	add_change(s);
	str_add(s, ",\"device\":{\"type\":\"object\",\"required\":[\"device\"],");
	add_cases("\"$ref\":\"#/$defs/device.@\"", s);
	str_add(
	    s, "},\"entry\":{\"type\":\"object\",\"if\":{\"required\":[\"device\"]},\"then\":{");
	add_cases("\"if\":{\"required\":[\"id\"]},\"then\":{\"$ref\":\"#/$defs/change.@\"},"
		  "\"else\":{\"$ref\":\"#/$defs/device.@\"}",
	    s);
	str_add(s, "},\"else\":{\"$ref\":\"#/$defs/change\"}}");
}

/* --- the spec and its targets --- */

static void add_emulations(const char *entry, struct str *s)
{
	open_property("emulations", field_find(spec_fields, "emulations")->help, s);
	str_addf(s, ",\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/$defs/%s\"}}", entry);
}

/* Adds a target.  Its objects merge key by key over those of the base, so none of their keys is
 * required. */
static void add_target(const struct spec *spec, struct str *s)
{
	str_add(s,
	    ",\"target\":{\"description\":\"laid over the rest for one boot\","
	    "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	    "\"extends\":{\"description\":\"targets that are laid first\","
	    "\"type\":[\"string\",\"array\",\"null\"],\"items\":{\"type\":\"string\"}}");
	add_emulations("entry", s);
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		struct field one[2] = { *f, { 0 } };
		struct below below = describe_below(f, spec);

		if (strcmp(f->key, "name") == 0) /* the VM is the same in every target */
			continue;
		if (below.rows != NULL && f->type != FIELD_LIST)
			add_properties(one, spec, PART, s);
		else
			add_references(one, "", s);
		describe_below_end(&below);
	}
	str_add(s, "}}");
}

/* Adds the keys that the base must have, unless the target `default` completes it. */
static void add_base_required(struct str *s)
{
	str_add(s,
	    ",\"required\":[\"name\"],\"if\":{\"required\":[\"targets\"],"
	    "\"properties\":{\"targets\":{\"type\":\"object\",\"required\":[\"default\"]}}},"
	    "\"else\":{\"required\":[");
	add_required(spec_fields, s);
	str_add(s, "]}");
}

char *spec_print_schema(void)
{
	SPEC_AUTO struct spec *spec = describe_spec();
	struct str s = { 0 };

	str_add(&s,
	    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
	    "\"title\":\"a virtual machine, for vmrun\","
	    "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	add_properties(spec_fields, spec, WHOLE, &s);
	add_emulations("device", &s);
	open_property("targets", field_find(spec_fields, "targets")->help, &s);
	str_add(&s,
	    ",\"type\":[\"object\",\"null\"],"
	    "\"additionalProperties\":{\"$ref\":\"#/$defs/target\"}}}");
	add_base_required(&s);
	add_aliases(spec_fields, WHOLE, &s);
	str_add(&s, ",\"$defs\":{");
	add_devices(&s);
	add_target(spec, &s);
	str_add(&s, "}}");
	MEM_AUTO char *compact = str_take(&s);

	return json_indent(compact);
}
