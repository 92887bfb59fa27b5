/* --print lua-types: a class for the spec, its targets, every object in them and every device. */
#include "describe/describe.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

/* Returns "VirtioBlk" for "virtio-blk": a part of a class name.  Caller frees. */
static char *class_part(const char *name)
{
	struct str s = { 0 };
	bool first = true;

	for (const char *p = name; *p != '\0'; p++) {
		char c = first ? (char)toupper((unsigned char)*p) : *p;

		first = *p == '-' || *p == '_';
		if (!first)
			str_add_n(&s, &c, 1);
	}
	return str_take(&s);
}

static char *class_of(const char *owner, const struct field *f)
{
	MEM_AUTO char *part = class_part(f->key);

	return mem_format("%s.%s", owner, part);
}

/* Returns whether the key is a reserved word of Lua. */
static bool is_lua_word(const char *key)
{
	static const char *const words[] = { "and", "break", "do", "else", "elseif", "end", "false",
		"for", "function", "goto", "if", "in", "local", "nil", "not", "or", "repeat",
		"return", "then", "true", "until", "while" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], key) == 0)
			return true;
	}
	return false;
}

/* Adds a key.  vmrun.null is valid wherever a key is optional. */
static void add_key(const char *key, bool required, const char *type, const char *help,
    const char *fallback, struct str *s)
{
	bool word = is_lua_word(key);

	str_addf(s, "---@field %s%s%s%s %s%s # %s", word ? "[\"" : "", key, word ? "\"]" : "",
	    required ? "" : "?", type, required ? "" : "|vmrun.Null", help);
	if (fallback != NULL)
		str_addf(s, " (default: %s)", fallback);
	str_add(s, "\n");
}

static void add_row(
    const struct field *f, bool required, const char *object, const void *values, struct str *s)
{
	MEM_AUTO char *type = describe_type(f, object), *fallback = describe_default(f, values);
	MEM_AUTO char *also = f->alias == NULL ? NULL : mem_format("the same as %s", f->key);

	/* A key with an alias cannot be required: either name will do. */
	add_key(f->key, required && f->alias == NULL, type, f->help, fallback, s);
	if (f->alias != NULL)
		add_key(f->alias, false, type, also, NULL, s);
}

static void add_rows(const struct field *rows, const char *owner, const void *values, struct str *s)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		MEM_AUTO char *object = class_of(owner, f);

		if (f->type != FIELD_ELSEWHERE)
			add_row(f, f->required, object, values, s);
	}
}

static void add_head(const char *name, const char *parent, const char *help, struct str *s)
{
	str_addf(s, "\n---%s\n---@class (exact) %s%s%s\n", help, name, *parent == '\0' ? "" : ": ",
	    parent);
}

static void add_classes(
    const struct field *rows, const char *owner, const void *values, struct str *s);

/* Adds the class of the values of keys without a row, if they can be objects. */
static void add_class_of_others(const struct field_others *others, const char *owner, struct str *s)
{
	MEM_AUTO void *entry = mem_zero(others->size);
	struct field rows[] = { *others->row, { 0 } };

	add_classes(rows, owner, entry, s);
}

/* Adds the keys without a row, of any name. */
static void add_others(const struct field_others *others, const char *owner, struct str *s)
{
	MEM_AUTO char *object = class_of(owner, others->row);
	MEM_AUTO char *type = describe_type(others->row, object);

	str_addf(s, "---@field [string] %s|vmrun.Null # %s\n", type, others->row->help);
}

/* Adds the classes of the objects below these rows. */
static void add_classes(
    const struct field *rows, const char *owner, const void *values, struct str *s)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		struct below below = describe_below(f, values);

		if (below.rows != NULL) {
			MEM_AUTO char *name = class_of(owner, f);

			add_classes(below.rows, name, below.values, s);
			if (f->others != NULL)
				add_class_of_others(f->others, name, s);
			add_head(name, "", f->help, s);
			add_rows(below.rows, name, below.values, s);
			if (f->others != NULL)
				add_others(f->others, name, s);
		}
		describe_below_end(&below);
	}
}

static char *kind_class(const struct device_kind *kind)
{
	MEM_AUTO char *part = class_part(kind->name);

	return mem_format("vmrun.Device.%s", part);
}

static void add_kind(const struct device_kind *kind, struct str *s)
{
	MEM_AUTO char *name = kind_class(kind), *help = describe_kind(kind);
	MEM_AUTO char *type = mem_format("\"%s\"", kind->name);
	DEVICE_AUTO struct device *dev = device_new(kind);

	add_classes(kind->fields, name, dev->config, s);
	add_head(name, "vmrun.AnyDevice", help, s);
	add_key("device", true, type, field_find(device_common_fields, "device")->help, NULL, s);
	add_rows(kind->fields, name, dev->config, s);
}

static void add_devices(struct str *s)
{
	DEVICE_AUTO struct device *dev =
	    device_new(device_kinds[0]); /* the common keys have the same presets in every kind */

	add_head("vmrun.AnyDevice", "", "what every device has", s);
	add_rows(device_common_fields, "vmrun.AnyDevice", dev, s);
	for (size_t i = 0; device_kinds[i] != NULL; i++)
		add_kind(device_kinds[i], s);
	str_add(s, "\n---@alias vmrun.Device ");
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		MEM_AUTO char *name = kind_class(device_kinds[i]);

		str_addf(s, "%s%s", i > 0 ? "|" : "", name);
	}
	str_add(s, "\n");
}

static void add_elsewhere(const char *key, const char *type, struct str *s)
{
	add_key(key, false, type, field_find(spec_fields, key)->help, NULL, s);
}

/* Adds the class of a target, whose objects merge over those of the base and may be partial. */
static void add_target(const struct spec *spec, struct str *s)
{
	add_head("vmrun.Target", "", "laid over the rest for one boot", s);
	add_key("extends", false, "string|string[]", "targets that are laid first", NULL, s);
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		MEM_AUTO char *name = class_of("vmrun.Spec", f);
		MEM_AUTO char *part = mem_format("%s|table", name);
		bool merges = f->type != FIELD_LIST;

		if (f->type != FIELD_ELSEWHERE && strcmp(f->key, "name") != 0)
			add_row(f, false, merges ? part : name, spec, s);
	}
	add_elsewhere("emulations", "(vmrun.Device|vmrun.Change)[]", s);
}

static void add_causes(struct str *s)
{
	str_add(s, "\n---@alias vmrun.Cause ");
	for (int i = 0; i < CAUSES; i++)
		str_addf(s, "%s\"%s\"", i > 0 ? "|" : "", cause_name((enum cause)i));
	str_add(s, "\n");
}

static void add_lines(const char *const *lines, struct str *s)
{
	for (size_t i = 0; lines[i] != NULL; i++)
		str_addf(s, "%s\n", lines[i]);
}

/* Adds the fields of vmrun.Hooks. */
static void add_hooks(const struct spec *spec, struct str *s)
{
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		if (f->type == FIELD_HOOK)
			add_row(f, false, "", spec, s);
	}
}

char *spec_print_lua_types(void)
{
	SPEC_AUTO struct spec *spec = describe_spec();
	struct str s = { 0 };

	str_add(&s,
	    "---@meta vmrun\n\n"
	    "-- Types of vmrun's specs and hooks, for lua-language-server.\n");
	add_classes(spec_fields, "vmrun.Spec", spec, &s);
	add_devices(&s);
	add_target(spec, &s);
	add_head("vmrun.Spec", "", "what a spec in Lua returns", &s);
	add_rows(spec_fields, "vmrun.Spec", spec, &s);
	add_elsewhere("emulations", "vmrun.Device[]", &s);
	add_elsewhere("targets", "table<string, vmrun.Target>", &s);
	add_causes(&s);
	add_lines(lua_api_types, &s);
	add_hooks(spec, &s);
	add_lines(lua_api_functions, &s);
	return str_take(&s);
}
