/* Every row is in the schema, in the types for Lua and in the table of devices, and they are well
 * formed.  Whether the schema judges as the decoder does: schema.py. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../spec/support.h"

#include "base/mem.h"
#include "base/json_node.h"
#include "base/json_write.h"
#include "describe/describe.h"
#include "describe/row_schema.h"

static struct node *json_of(char *text)
{
	struct node *n = json_node(text);

	assert_non_null(n);
	free(text);
	return n;
}

static const struct node *at(const struct node *n, const char *key)
{
	const struct node *child = node_get(n, key);

	if (child == NULL)
		fail_msg("no \"%s\"", key);
	return child;
}

static bool lists(const struct node *list, const char *text)
{
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (n->kind == NODE_STRING && strcmp(n->text, text) == 0)
			return true;
	}
	return false;
}

/* --- the schema --- */

static void rows_in_schema(const struct field *rows, const struct node *object, bool whole);

/* Checks the objects that a property may be. */
static void row_in_schema(const struct field *f, const struct node *property, bool whole)
{
	const struct node *choices = node_get(property, "enum");

	assert_string_equal(node_get_text(property, "description"), f->help);
	if (f->type == FIELD_OBJECT)
		rows_in_schema(f->rows, property, whole);
	else if (f->type == FIELD_LIST)
		rows_in_schema(f->rows, at(property, "items"), true);
	else if (f->type == FIELD_CUSTOM && f->custom->rows != NULL)
		rows_in_schema(f->custom->rows, at(property, "anyOf")->first->next, whole);
	else if (f->type == FIELD_CHOICE)
		assert_true(lists(at(property, "enum"), f->choices[**f->choices == '\0' ? 1 : 0]));
	else
		assert_true(property->count > 1);
	assert_false(choices != NULL && lists(choices, "")); /* "" means not given */
}

static void rows_in_schema(const struct field *rows, const struct node *object, bool whole)
{
	const struct node *properties = at(object, "properties");

	assert_false(at(object, "additionalProperties")->truth);
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (f->type == FIELD_HOOK) { /* JSON has no functions */
			assert_null(node_get(properties, f->key));
			continue;
		}
		if (f->alias != NULL)
			row_in_schema(f, at(properties, f->alias), whole);
		if (strcmp(f->key, "device") != 0)
			row_in_schema(f, at(properties, f->key), whole);
		if (whole && f->alias == NULL && node_get(object, "required") != NULL &&
		    rows != spec_fields)
			assert_int_equal(
			    lists(at(object, "required"), f->key) ? 1 : 0, f->required ? 1 : 0);
	}
}

/* Checks that a key of an entry that merges refers to the key of a complete device. */
static void rows_referred(const struct field *rows, const struct node *object)
{
	for (const struct field *f = rows; f->key != NULL; f++)
		assert_non_null(at(at(object, "properties"), f->key));
}

static void test_schema(void **state)
{
	struct node *schema = json_of(spec_print_schema());
	const struct node *defs = at(schema, "$defs"), *target = at(defs, "target");

	(void)state;
	assert_string_equal(
	    node_get_text(schema, "$schema"), "https://json-schema.org/draft/2020-12/schema");
	rows_in_schema(spec_fields, schema, true);
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		bool foreign = f->type == FIELD_HOOK || strcmp(f->key, "name") == 0 ||
		    strcmp(f->key, "targets") == 0;

		assert_true((node_get(at(target, "properties"), f->key) == NULL) == foreign);
	}
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		MEM_AUTO char *whole = mem_format("device.%s", device_kinds[i]->name);
		MEM_AUTO char *change = mem_format("change.%s", device_kinds[i]->name);

		rows_in_schema(device_common_fields, at(defs, whole), true);
		rows_in_schema(device_kinds[i]->fields, at(defs, whole), true);
		rows_referred(device_common_fields, at(defs, change));
		rows_referred(device_kinds[i]->fields, at(defs, change));
		rows_referred(device_kinds[i]->fields, at(defs, "change"));
	}
	/* All kinds have the same boot index, so a reference and null describe it. */
	assert_int_equal(
	    at(at(at(at(defs, "change"), "properties"), "bootindex"), "anyOf")->count, 2);
	node_free(schema);
}

static const struct node *default_of(const struct node *schema, const char *key)
{
	return node_get(at(at(schema, "properties"), key), "default");
}

/* Returns the object form of a property that may also be false. */
static const struct node *object_form(const struct node *properties, const char *key)
{
	return at(at(properties, key), "anyOf")->first->next;
}

/* In the base exactly one of the keys has a value; a target may give none, and unset one. */
static void test_one_of(void **state)
{
	struct node *schema = json_of(spec_print_schema());
	const struct node *target = at(at(at(schema, "$defs"), "target"), "properties");
	static const char *const keys[] = { "console", "connect", "exec" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *key = i == 0 ? "ready" : "alive";
		const struct node *n =
		    at(object_form(at(schema, "properties"), key), "oneOf")->first;

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++, n = n->next) {
			const struct node *value = at(at(n, "properties"), keys[k]);

			assert_true(lists(at(n, "required"), keys[k]));
			assert_string_equal(node_get_text(at(value, "not"), "type"), "null");
		}
		assert_null(n);
		assert_null(node_get(object_form(target, key), "oneOf"));
	}
	assert_int_equal(
	    default_of(object_form(at(schema, "properties"), "alive"), "failures")->integer, 3);
	node_free(schema);
}

static void test_schema_defaults(void **state)
{
	struct node *schema = json_of(spec_print_schema());
	const struct node *graphic = at(at(schema, "properties"), "graphic");
	const struct node *fbuf = at(at(schema, "$defs"), "device.fbuf");

	(void)state;
	assert_true(default_of(schema, "utc_clock")->truth);
	assert_false(default_of(schema, "x2apic")->truth);
	assert_string_equal(default_of(schema, "lpc_slot")->text, "0:31:0");
	assert_int_equal(default_of(schema, "stop")->count, 3);
	assert_int_equal(default_of(graphic, "port")->integer, 5900);
	assert_int_equal(default_of(fbuf, "port")->integer, 5900);
	/* Keys without a preset and required keys have no default. */
	assert_null(default_of(graphic, "width"));
	assert_null(default_of(schema, "uuid"));
	assert_null(default_of(schema, "cpu"));
	node_free(schema);
}

/* --- the types for Lua --- */

/* Returns the lines of a class up to the next empty line.  The caller frees them. */
static char *class_lines(const char *types, const char *name)
{
	MEM_AUTO char *head = mem_format("---@class (exact) %s\n", name);
	MEM_AUTO char *head2 = mem_format("---@class (exact) %s: ", name);
	const char *from = strstr(types, head);

	if (from == NULL)
		from = strstr(types, head2);
	if (from == NULL)
		fail_msg("no class %s", name);
	return mem_copy_n(from, (size_t)(strstr(from, "\n\n") + 1 - from));
}

static char *camel(const char *owner, const char *key)
{
	struct str s = { 0 };
	char last = '_';

	str_addf(&s, "%s.", owner);
	for (const char *p = key; *p != '\0'; last = *p++) {
		char c = strchr("-_", last) != NULL ? (char)toupper((unsigned char)*p) : *p;

		if (strchr("-_", *p) == NULL)
			str_add_n(&s, &c, 1);
	}
	return str_take(&s);
}

static void rows_in_class(const struct field *rows, const char *types, const char *name)
{
	MEM_AUTO char *lines = class_lines(types, name);

	for (const struct field *f = rows; f->key != NULL; f++) {
		MEM_AUTO char *plain = mem_format(
		    "\n---@field %s%s ", f->key, f->required && f->alias == NULL ? "" : "?");
		MEM_AUTO char *word = mem_format("\n---@field [\"%s\"]", f->key);
		MEM_AUTO char *inner = camel(name, f->key);
		const struct field *below = f->type == FIELD_CUSTOM ? f->custom->rows : f->rows;

		if (strstr(lines, plain) == NULL && strstr(lines, word) == NULL)
			fail_msg("%s: no field %s in %s", name, f->key, lines);
		if (below == NULL)
			continue;
		if (strstr(lines, inner) == NULL)
			fail_msg("%s: %s is not of type %s", name, f->key, inner);
		rows_in_class(below, types, inner);
	}
}

static void test_lua_rows(void **state)
{
	MEM_AUTO char *types = spec_print_lua_types();
	MEM_AUTO char *target = class_lines(types, "vmrun.Target");
	MEM_AUTO char *hooks = mem_copy(strstr(types, "---@class vmrun.Hooks\n"));

	(void)state;
	rows_in_class(spec_fields, types, "vmrun.Spec");
	rows_in_class(device_common_fields + 1, types, "vmrun.AnyDevice");
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		MEM_AUTO char *name = camel("vmrun.Device", device_kinds[i]->name);
		MEM_AUTO char *device =
		    mem_format("\n---@field device \"%s\" #", device_kinds[i]->name);
		MEM_AUTO char *lines = class_lines(types, name);

		rows_in_class(device_kinds[i]->fields, types, name);
		assert_non_null(strstr(lines, device));
	}
	for (const struct field *f = spec_fields; f->key != NULL; f++) {
		MEM_AUTO char *line = mem_format("\n---@field %s? ", f->key);
		bool foreign = strcmp(f->key, "name") == 0 || strcmp(f->key, "targets") == 0;

		assert_true((strstr(target, line) == NULL) == foreign);
		assert_true((strstr(hooks, line) != NULL) == (f->type == FIELD_HOOK));
	}
}

/* Checks that each type vmrun.X of a line is a class or an alias. */
static void check_names(const char *types, const char *line)
{
	for (const char *p = strstr(line, "vmrun."); p != NULL; p = strstr(p + 1, "vmrun.")) {
		size_t n = strspn(p,
		    "vmrun.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789");
		MEM_AUTO char *name = mem_copy_n(p, n);
		MEM_AUTO char *exact = mem_format("\n---@class (exact) %s", name);
		MEM_AUTO char *class = mem_format("\n---@class %s", name);
		MEM_AUTO char *alias = mem_format("\n---@alias %s ", name);

		if (strstr(types, exact) == NULL && strstr(types, class) == NULL &&
		    strstr(types, alias) == NULL)
			fail_msg("no type %s: %s", name, line);
	}
}

/* Checks "---@field NAME TYPE # text": balanced brackets, and no empty part. */
static void check_field(const char *line)
{
	const char *name = line + strlen("---@field ");
	bool bracket = *name == '[';
	size_t n = bracket ? strcspn(name, "]") + 1
			   : strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	const char *type = name + n + (name[n] == '?' ? 2 : 1);
	int depth = 0;

	if (n == 0 || type[-1] != ' ' || strchr(" #|", *type) != NULL || strstr(type, "||") != NULL)
		fail_msg("no field: %s", line);
	for (const char *p = type; *p != '\0' && strncmp(p, " # ", 3) != 0; p++) {
		depth += strchr("([{", *p) != NULL ? 1 : 0;
		depth -= strchr(")]}", *p) != NULL ? 1 : 0;
		if (depth < 0)
			fail_msg("brackets: %s", line);
	}
	if (depth != 0 || type[strlen(type) - 1] == ' ')
		fail_msg("brackets: %s", line);
}

static void test_lua_lines(void **state)
{
	MEM_AUTO char *types = spec_print_lua_types();
	MEM_AUTO char *copy = mem_copy(types);
	size_t fields = 0;

	(void)state;
	assert_int_equal(strncmp(types, "---@meta vmrun\n", 15), 0);
	for (char *line = strtok(copy, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *text = strstr(line, " # ");

		if (strncmp(line, "---@field ", 10) == 0) {
			check_field(line);
			fields++;
		}
		if (text != NULL)
			*text = '\0';
		if (strncmp(line, "---@", 4) == 0 && strncmp(line, "---@meta", 8) != 0)
			check_names(types, line);
	}
	assert_true(fields > 100);
}

/* --- the devices --- */

static void rows_listed(const struct field *rows, const struct node *keys, const char *prefix)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct field *below = f->type == FIELD_CUSTOM ? f->custom->rows : f->rows;
		MEM_AUTO char *name = mem_format("%s%s", prefix, f->key);
		MEM_AUTO char *inner = mem_format("%s%s.", name, f->type == FIELD_LIST ? "[]" : "");
		const struct node *n = keys->first;

		while (n != NULL && strcmp(node_get_text(n, "key"), name) != 0)
			n = n->next;
		if (n == NULL)
			fail_msg("no key %s", name);
		assert_true(at(n, "required")->truth == f->required);
		assert_int_equal(strncmp(node_get_text(n, "help"), f->help, strlen(f->help)), 0);
		assert_non_null(node_get_text(n, "type"));
		assert_string_equal(
		    node_get_text(n, "bhyve"), f->bhyve != NULL ? f->bhyve : KEY_FOLLOWED);
		assert_string_equal(
		    node_get_text(n, "qemu"), f->qemu != NULL ? f->qemu : KEY_FOLLOWED);
		assert_non_null(at(n, "default"));
		if (below != NULL)
			rows_listed(below, keys, inner);
	}
}

static void test_devices_json(void **state)
{
	struct node *list = json_of(spec_print_devices(NULL, true));
	const struct node *n = list->first;

	(void)state;
	for (size_t i = 0; device_kinds[i] != NULL; i++, n = n->next) {
		assert_non_null(n);
		assert_string_equal(node_get_text(n, "device"), device_kinds[i]->name);
		assert_non_null(strstr(node_get_text(n, "help"), device_kinds[i]->help));
		rows_listed(device_common_fields, at(n, "keys"), "");
		rows_listed(device_kinds[i]->fields, at(n, "keys"), "");
	}
	assert_null(n);
	node_free(list);
}

static void line_in_table(const char *table, const char *device, const char *key, const char *help)
{
	MEM_AUTO char *start = mem_format("\n%s ", device);

	for (const char *p = strstr(table, start); p != NULL; p = strstr(p + 1, start)) {
		const char *rest = p + strlen(start);
		MEM_AUTO char *line = mem_copy_n(rest, strcspn(rest, "\n"));
		const char *cell = line + strspn(line, " ");

		if (strncmp(cell, key, strlen(key)) == 0 && cell[strlen(key)] == ' ' &&
		    strstr(cell, help) != NULL)
			return;
	}
	fail_msg("%s: no line of %s", device, key);
}

static void test_devices_table(void **state)
{
	MEM_AUTO char *table = spec_print_devices(NULL, false);

	(void)state;
	for (const struct field *f = device_common_fields; f->key != NULL; f++)
		line_in_table(table, "(any)", f->key, f->help);
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		const struct device_kind *kind = device_kinds[i];

		line_in_table(table, kind->name, "-", kind->help);
		for (const struct field *f = kind->fields; f->key != NULL; f++)
			line_in_table(table, kind->name, f->key, f->help);
	}
}

/* A longer cell moves the rest of its line, and does not widen the column. */
#define MAX_COLUMN_WIDTH 32

static void test_width_of_columns(void **state)
{
	MEM_AUTO char *table = spec_print_devices(NULL, false);
	struct node *list = json_of(spec_print_devices(NULL, true));
	const char *type = strstr(table, "TYPE"), *required = strstr(table, "REQUIRED");
	size_t widest = 0, longest = 0;

	(void)state;
	for (const struct node *kind = list->first; kind != NULL; kind = kind->next) {
		for (const struct node *n = at(kind, "keys")->first; n != NULL; n = n->next) {
			size_t length = strlen(node_get_text(n, "type"));

			longest = length > longest ? length : longest;
			if (length <= MAX_COLUMN_WIDTH && length > widest)
				widest = length;
		}
	}
	assert_true(longest > MAX_COLUMN_WIDTH);
	assert_int_equal(required - type, widest + 2);
	node_free(list);
}

struct renamed {
	char *text;
};

static const struct field renamed_rows[] = {
	ROW_STRING("new", struct renamed, text, .alias = "old", .required = true, .help = "a text"),
	{ 0 },
};

/* Checks the rules for a required key that has an alias. */
static void check_rules(enum extent extent, const char *wanted)
{
	struct str s = { 0 };

	json_begin_object(&s, NULL);
	schema_add_aliases(&s, renamed_rows, extent);
	json_end_object(&s);
	assert_string_equal(s.text, wanted);
	str_free(&s);
}

static void test_required_key_with_an_alias(void **state)
{
	(void)state;
	check_rules(
	    PART, "{\"allOf\":[{\"not\":{\"type\":\"object\",\"required\":[\"new\",\"old\"]}}]}");
	check_rules(WHOLE,
	    "{\"allOf\":[{\"not\":{\"type\":\"object\",\"required\":[\"new\",\"old\"]}},"
	    "{\"anyOf\":[{\"required\":[\"new\"]},{\"required\":[\"old\"]}]}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_schema_defaults),
		cmocka_unit_test(test_one_of),
		cmocka_unit_test(test_required_key_with_an_alias),
		cmocka_unit_test(test_lua_rows),
		cmocka_unit_test(test_lua_lines),
		cmocka_unit_test(test_devices_json),
		cmocka_unit_test(test_devices_table),
		cmocka_unit_test(test_width_of_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
