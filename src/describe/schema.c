/*
 * --print schema.  Each property is written once, for the whole spec or device.  What changes these
 * (a target, an entry of its devices) refers to it, has no required keys, and may unset required
 * ones with null.
 */
#include "describe/describe.h"

#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "device/device.h"
#include "describe/row_schema.h"

/* --- devices --- */

/* Adds the property `device`, which holds this name. */
static void add_name(struct str *s, const struct device_kind *kind)
{
	json_begin_object(s, "device");
	json_add_text(s, "const", kind->name);
	json_end_object(s);
}

/* Adds the property `device`, which holds the name of any kind. */
static void add_names(struct str *s)
{
	json_begin_object(s, "device");
	json_begin_list(s, "enum");
	for (size_t i = 0; device_kinds[i] != NULL; i++)
		json_add_text(s, NULL, device_kinds[i]->name);
	json_end_list(s);
	json_end_object(s);
}

/* Adds the definition of a whole device. */
static void add_kind(struct str *s, const struct device_kind *kind)
{
	MEM_AUTO char *name = mem_format("device.%s", kind->name);
	MEM_AUTO char *help = describe_kind(kind);
	DEVICE_AUTO struct device *dev = device_new(kind);

	schema_begin_property(s, name, help);
	schema_add_closed_object(s);
	json_begin_object(s, "properties");
	add_name(s, kind);
	schema_add_properties(s, device_common_fields, dev, WHOLE);
	schema_add_properties(s, kind->fields, dev->config, WHOLE);
	json_end_object(s);
	json_begin_list(s, "required");
	schema_add_required(s, device_common_fields);
	schema_add_required(s, kind->fields);
	json_end_list(s);
	schema_add_aliases(s, kind->fields, WHOLE);
	json_end_object(s);
}

static void add_remove(struct str *s)
{
	schema_begin_property(s, "remove", "remove the device of this id; its slot stays empty");
	json_add_text(s, "type", "boolean");
	json_end_object(s);
}

/* Adds an entry of a target with a kind and an id, which may be that of a device of the base. */
static void add_kind_change(struct str *s, const struct device_kind *kind)
{
	MEM_AUTO char *name = mem_format("change.%s", kind->name);
	MEM_AUTO char *where = mem_format("$defs/device.%s/", kind->name);

	json_begin_object(s, name);
	schema_add_closed_object(s);
	json_begin_object(s, "properties");
	add_name(s, kind);
	add_remove(s);
	schema_add_references(s, device_common_fields, where);
	schema_add_references(s, kind->fields, where);
	json_end_object(s);
	schema_add_aliases(s, kind->fields, PART);
	json_end_object(s);
}

static bool same_values(const struct field *f, const struct field *g)
{
	return f->type == g->type && f->custom == g->custom && f->rows == g->rows &&
	    f->choices == g->choices && f->max_length == g->max_length && f->min == g->min &&
	    f->max == g->max;
}

/*
 * Returns whether one of the first `count` kinds has the key, with such values unless `like` is
 * NULL.
 */
static bool seen_before(size_t count, const char *key, const struct field *like)
{
	for (size_t i = 0; i < count; i++) {
		const struct field *f = field_find(device_kinds[i]->fields, key);

		if (f != NULL && (like == NULL || same_values(f, like)))
			return true;
	}
	return false;
}

/* Adds a key of any kind of device: all forms of values that the kinds take. */
static void add_any_of(struct str *s, size_t first, const char *key)
{
	json_begin_object(s, key);
	json_begin_list(s, "anyOf");
	for (size_t i = first; device_kinds[i] != NULL; i++) {
		const struct field *f = field_find(device_kinds[i]->fields, key);

		if (f == NULL || seen_before(i, key, f))
			continue;
		json_begin_object(s, NULL);
		json_add_textf(
		    s, "$ref", "#/$defs/device.%s/properties/%s", device_kinds[i]->name, key);
		json_end_object(s);
	}
	json_begin_object(s, NULL);
	json_add_text(s, "type", "null");
	json_end_object(s);
	json_end_list(s);
	json_end_object(s);
}

/* Adds the keys of all kinds, each once. */
static void add_all_keys(struct str *s)
{
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		for (const struct field *f = device_kinds[i]->fields; f->key != NULL; f++) {
			if (!seen_before(i, f->key, NULL))
				add_any_of(s, i, f->key);
			if (f->alias != NULL && !seen_before(i, f->alias, NULL))
				add_any_of(s, i, f->alias);
		}
	}
}

/* Adds an entry of a target that has an id but no kind. */
static void add_change(struct str *s)
{
	/* Every kind has the common keys. */
	MEM_AUTO char *where = mem_format("$defs/device.%s/", device_raw.name);

	schema_begin_property(s, "change", "changes the device of this id");
	schema_add_closed_object(s);
	schema_add_requires(s, "id");
	json_begin_object(s, "properties");
	add_remove(s);
	schema_add_references(s, device_common_fields, where);
	add_all_keys(s);
	json_end_object(s);
	json_end_object(s);
}

static void add_whole(struct str *s, const struct device_kind *kind)
{
	json_add_textf(s, "$ref", "#/$defs/device.%s", kind->name);
}

/* Adds a choice: an entry with an id may change a device of the base, any other one adds one. */
static void add_change_or_whole(struct str *s, const struct device_kind *kind)
{
	json_begin_object(s, "if");
	schema_add_requires(s, "id");
	json_end_object(s);
	json_begin_object(s, "then");
	json_add_textf(s, "$ref", "#/$defs/change.%s", kind->name);
	json_end_object(s);
	json_begin_object(s, "else");
	add_whole(s, kind);
	json_end_object(s);
}

/* Adds one case for each kind, so that an error is reported for the kind that the entry names. */
static void add_cases(
    struct str *s, void (*add_then)(struct str *s, const struct device_kind *kind))
{
	json_begin_object(s, "properties");
	add_names(s);
	json_end_object(s);
	json_begin_list(s, "allOf");
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		json_begin_object(s, NULL);
		json_begin_object(s, "if");
		schema_add_requires(s, "device");
		json_begin_object(s, "properties");
		add_name(s, device_kinds[i]);
		json_end_object(s);
		json_end_object(s);
		json_begin_object(s, "then");
		add_then(s, device_kinds[i]);
		json_end_object(s);
		json_end_object(s);
	}
	json_end_list(s);
}

/* Adds an entry of the base, which is a whole device. */
static void add_device(struct str *s)
{
	json_begin_object(s, "device");
	json_add_text(s, "type", "object");
	schema_add_requires(s, "device");
	add_cases(s, add_whole);
	json_end_object(s);
}

/* Adds the rule that an entry which removes a device has no keys of devices. */
static void add_remove_rule(struct str *s)
{
	json_begin_list(s, "allOf");
	json_begin_object(s, NULL);
	json_begin_object(s, "if");
	schema_add_requires(s, "remove");
	json_begin_object(s, "properties");
	json_begin_object(s, "remove");
	json_add_bool(s, "const", true);
	json_end_object(s);
	json_end_object(s);
	json_end_object(s);
	json_begin_object(s, "then");
	json_begin_object(s, "propertyNames");
	json_begin_list(s, "enum");
	json_add_text(s, NULL, "id");
	json_add_text(s, NULL, "device");
	json_add_text(s, NULL, "remove");
	json_end_list(s);
	json_end_object(s);
	json_end_object(s);
	json_end_object(s);
	json_end_list(s);
}

/* Adds an entry of a target. */
static void add_entry(struct str *s)
{
	json_begin_object(s, "entry");
	json_add_text(s, "type", "object");
	add_remove_rule(s);
	json_begin_object(s, "if");
	schema_add_requires(s, "device");
	json_end_object(s);
	json_begin_object(s, "then");
	add_cases(s, add_change_or_whole);
	json_end_object(s);
	json_begin_object(s, "else");
	json_add_text(s, "$ref", "#/$defs/change");
	json_end_object(s);
	json_end_object(s);
}

/*
 * Adds a definition `device.KIND` of each whole device, `change.KIND` and `change` of entries of
 * targets, which may change a device of the base, and `device` and `entry`, which choose among
 * them.
 */
static void add_devices(struct str *s)
{
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		add_kind(s, device_kinds[i]);
		add_kind_change(s, device_kinds[i]);
	}
	add_change(s);
	add_device(s);
	add_entry(s);
}

/* --- the spec and its targets --- */

/* Adds the property `emulations`: a list of the definition `entry`. */
static void add_emulations(struct str *s, const char *entry)
{
	schema_begin_property(s, "emulations", field_find(spec_fields, "emulations")->help);
	json_begin_list(s, "type");
	json_add_text(s, NULL, "array");
	json_add_text(s, NULL, "null");
	json_end_list(s);
	json_begin_object(s, "items");
	json_add_textf(s, "$ref", "#/$defs/%s", entry);
	json_end_object(s);
	json_end_object(s);
}

static void add_extends(struct str *s)
{
	schema_begin_property(s, "extends", "targets that are laid first");
	json_begin_list(s, "type");
	json_add_text(s, NULL, "string");
	json_add_text(s, NULL, "array");
	json_add_text(s, NULL, "null");
	json_end_list(s);
	json_begin_object(s, "items");
	json_add_text(s, "type", "string");
	json_end_object(s);
	json_end_object(s);
}

/*
 * Adds the definition of a target.  Its objects merge key by key over those of the base, so none of
 * their keys is required.
 */
static void add_target(struct str *s, const struct spec *spec)
{
	schema_begin_property(s, "target", "laid over the rest for one boot");
	schema_add_closed_object(s);
	json_begin_object(s, "properties");
	add_extends(s);
	add_emulations(s, "entry");
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		struct field one[2] = { *f, { 0 } };
		struct below below = describe_below(f, spec);

		if (strcmp(f->key, "name") == 0) /* the VM is the same in every target */
			continue;
		if (below.rows != NULL && f->type != FIELD_LIST)
			schema_add_properties(s, one, spec, PART);
		else
			schema_add_references(s, one, "");
		describe_below_end(&below);
	}
	json_end_object(s);
	json_end_object(s);
}

static void add_targets(struct str *s)
{
	schema_begin_property(s, "targets", field_find(spec_fields, "targets")->help);
	json_begin_list(s, "type");
	json_add_text(s, NULL, "object");
	json_add_text(s, NULL, "null");
	json_end_list(s);
	json_begin_object(s, "propertyNames");
	spec_add_name_rule(s);
	json_end_object(s);
	json_begin_object(s, "additionalProperties");
	json_add_text(s, "$ref", "#/$defs/target");
	json_end_object(s);
	json_end_object(s);
}

/* Adds the keys that the base must have, unless the target `default` completes it. */
static void add_base_required(struct str *s)
{
	schema_add_requires(s, "name");
	json_begin_object(s, "if");
	schema_add_requires(s, "targets");
	json_begin_object(s, "properties");
	json_begin_object(s, "targets");
	json_add_text(s, "type", "object");
	schema_add_requires(s, "default");
	json_end_object(s);
	json_end_object(s);
	json_end_object(s);
	json_begin_object(s, "else");
	json_begin_list(s, "required");
	schema_add_required(s, spec_fields);
	json_end_list(s);
	json_end_object(s);
}

char *spec_print_schema(void)
{
	SPEC_AUTO struct spec *spec = describe_spec();
	STR_AUTO struct str s = { 0 };

	json_begin_object(&s, NULL);
	json_add_text(&s, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_add_text(&s, "title", "a virtual machine, for vmrun");
	schema_add_closed_object(&s);
	json_begin_object(&s, "properties");
	schema_add_properties(&s, spec_fields, spec, WHOLE);
	add_emulations(&s, "device");
	add_targets(&s);
	json_end_object(&s);
	add_base_required(&s);
	schema_add_aliases(&s, spec_fields, WHOLE);
	json_begin_object(&s, "$defs");
	add_devices(&s);
	add_target(&s, spec);
	json_end_object(&s);
	json_end_object(&s);
	return json_indent(s.text);
}
