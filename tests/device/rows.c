/* Walks a table of rows and tests each of them. */
#include "rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"
#include "base/json_write.h"
#include "device/host_use.h"
#include "device/value_schema.h"

/* Returns the schema of a value as JSON. */
static struct node *schema_of(const struct field_custom *custom)
{
	STR_AUTO struct str s = { 0 };
	struct node *schema;

	json_begin_object(&s, NULL);
	schema_add_custom(&s, custom);
	json_end_object(&s);
	schema = json_node(s.text);
	if (schema == NULL || schema->count == 0)
		fail_msg("no schema: %s", s.text);
	return schema;
}

static void check_custom(const struct field_custom *custom)
{
	assert_non_null(custom->parse);
	assert_non_null(custom->print);
	assert_non_null(custom->type);
	assert_true((custom->pattern == NULL) == (custom->schema != NULL));
	node_free(schema_of(custom));
}

/* Checks that a row that holds text says what it names of the host, for the sandbox. */
static void check_host(const struct field *f)
{
	const struct host_use *use = host_use_of(f);

	if (use->kind == HOST_UNSAID)
		fail_msg(
		    "%s: .host says nothing (HOST_NONE: it names nothing of the host)", f->key);
	/* These are members of one union. */
	assert_true(use->kind != HOST_BY_VALUE || use->names != NULL);
	assert_true(
	    (use->reaches != NULL) == (use->kind == HOST_FORBIDDEN || use->kind == HOST_BY_VALUE));
	assert_true(use->kind != HOST_INVALID);
	/* A row of a path names a path, or the sandbox refuses its key. */
	if (f->type == FIELD_PATH)
		assert_true(use->kind == HOST_PATH || use->kind == HOST_FIRMWARE ||
		    use->kind == HOST_FORBIDDEN || use->kind == HOST_BY_VALUE);
}

static void check_shape(const struct field *f)
{
	assert_int_equal(strspn(f->key, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(f->key));
	assert_non_null(f->help);
	assert_true(strlen(f->help) > 2);
	assert_true(f->help[strlen(f->help) - 1] != '.' || strstr(f->help, "...") != NULL);
	/* These are members of one union. */
	assert_true(f->type != FIELD_CHOICE || f->choices != NULL);
	assert_true(f->type != FIELD_HOOK || f->signature != NULL);
	assert_true(f->choices == NULL || f->type == FIELD_CHOICE || f->type == FIELD_HOOK ||
	    f->type == FIELD_OBJECT);
	assert_true((f->rows != NULL) == (f->type == FIELD_OBJECT || f->type == FIELD_LIST));
	assert_true((f->size != 0) == (f->type == FIELD_LIST));
	assert_true((f->custom != NULL) == (f->type == FIELD_CUSTOM));
	assert_true(!f->has_range || f->type == FIELD_INT || f->type == FIELD_LIST);
	assert_true(!f->has_range || f->min < f->max);
	if (f->type == FIELD_CUSTOM)
		check_custom(f->custom);
	assert_true(f->max_length == 0 || f->type == FIELD_STRING || f->type == FIELD_PATH);
	if (f->type == FIELD_CHOICE)
		assert_non_null(f->choices[0]);
	check_host(f);
}

static void check_unique(const struct field *rows)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		for (const struct field *g = f + 1; g->key != NULL; g++)
			assert_string_not_equal(f->key, g->key);
	}
}

/* Decodes { key: value } with these rows and returns the problems.  Takes the value. */
static char *try_key(
    const struct field *rows, const char *key, struct node *value, const struct where *at)
{
	struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/specs" };
	struct node *object = node_new(NODE_OBJECT);
	void *into = mem_zero(ROWS_SIZE);

	node_put(object, key, value);
	field_decode(rows, object, into, at, &d);
	node_free(object);
	field_clear(rows, into);
	free(into);
	return problems_of(&report);
}

/* Checks that there is a problem at or below the key. */
static void wrong(
    const struct field *rows, const struct field *f, struct node *value, const struct where *at)
{
	struct where here = { at, f->key, 0 };
	MEM_AUTO char *path = where_path(&here);
	MEM_AUTO char *name = mem_copy(node_kind_name(value));
	MEM_AUTO char *got = try_key(rows, f->key, value, at);
	MEM_AUTO char *lines = mem_format("\n%s", got);
	MEM_AUTO char *line = mem_format("\n%s", path);
	const char *found = strstr(lines, line);

	if (found == NULL || strchr(":.[", found[strlen(line)]) == NULL)
		fail_msg("%s takes %s: %s", path, name, got);
}

/* Checks that there is no problem at the key. */
static void right(
    const struct field *rows, const struct field *f, struct node *value, const struct where *at)
{
	struct where here = { at, f->key, 0 };
	MEM_AUTO char *path = where_path(&here);
	MEM_AUTO char *got = try_key(rows, f->key, value, at);
	MEM_AUTO char *lines = mem_format("\n%s", got);
	MEM_AUTO char *line = mem_format("\n%s:", path);

	if (strstr(lines, line) != NULL)
		fail_msg("%s: refused at its limit: %s", path, got);
}

static struct node *other(void)
{
	struct node *n = node_new(NODE_OTHER);

	n->text = mem_copy("a thread");
	return n;
}

static void check_text(const struct field *rows, const struct field *f, const struct where *at)
{
	struct str s = { 0 };

	wrong(rows, f, node_int(1), at);
	wrong(rows, f, node_string(""), at);
	wrong(rows, f, node_string_n("a\0b", 3), at);
	wrong(rows, f, node_new(NODE_OBJECT), at);
	for (size_t i = 0; i < f->max_length; i++)
		str_add(&s, "a");
	if (f->max_length > 0)
		right(rows, f, node_string(s.text), at);
	str_add(&s, "a");
	if (f->max_length > 0)
		wrong(rows, f, node_string(s.text), at);
	str_free(&s);
}

static void check_integer(const struct field *rows, const struct field *f, const struct where *at)
{
	wrong(rows, f, node_string("1"), at);
	wrong(rows, f, node_number(1.5), at);
	if (f->has_range) {
		right(rows, f, node_int(f->min), at);
		right(rows, f, node_int(f->max), at);
		wrong(rows, f, node_int(f->min - 1), at);
		wrong(rows, f, node_int(f->max + 1), at);
	}
}

/* Returns a list of `count` empty objects. */
static struct node *objects(int64_t count)
{
	struct node *list = node_new(NODE_LIST);

	for (int64_t i = 0; i < count; i++)
		node_append(list, node_new(NODE_OBJECT));
	return list;
}

/* Checks lists at and beyond the limits. */
static void check_list(const struct field *rows, const struct field *f, const struct where *at)
{
	if (f->min > 0)
		wrong(rows, f, node_new(NODE_LIST), at);
	right(rows, f, objects(f->min), at);
	right(rows, f, objects(f->max), at);
	wrong(rows, f, objects(f->max + 1), at);
}

/* Checks that the decoder and the schema of a value have the same range or choices. */
static void check_schema(const struct field *rows, const struct field *f, const struct where *at)
{
	struct node *schema = schema_of(f->custom);
	const struct node *min = node_get(schema, "minimum"), *max = node_get(schema, "maximum");
	const struct node *choices = node_get(schema, "enum");

	if (min != NULL && min->kind == NODE_INT) {
		right(rows, f, node_int(min->integer), at);
		wrong(rows, f, node_int(min->integer - 1), at);
	}
	if (max != NULL) {
		right(rows, f, node_int(max->integer), at);
		wrong(rows, f, node_int(max->integer + 1), at);
	}
	if (min != NULL || max != NULL)
		wrong(rows, f, node_string("1"), at);
	if (choices != NULL) {
		wrong(rows, f, node_int(-7), at);
		wrong(rows, f, node_string("no such choice"), at);
	}
	node_free(schema);
}

static bool takes_true(const struct field *f)
{
	return f->custom != NULL && strncmp(f->custom->type, "true|", 5) == 0;
}

static void check_wrong_types(
    const struct field *rows, const struct field *f, const struct where *at)
{
	if (f->type == FIELD_ELSEWHERE)
		return;
	wrong(rows, f, other(), at);
	if (f->type != FIELD_HOOK)
		wrong(rows, f, node_new(NODE_FUNCTION), at);
	if (f->type != FIELD_BOOL && !takes_true(f))
		wrong(rows, f, node_bool(true), at);
	if (f->type == FIELD_STRING || f->type == FIELD_PATH)
		check_text(rows, f, at);
	else if (f->type == FIELD_INT)
		check_integer(rows, f, at);
	else if (f->type == FIELD_LIST && f->has_range)
		check_list(rows, f, at);
	else if (f->type == FIELD_CUSTOM)
		check_schema(rows, f, at);
	if (f->type == FIELD_BOOL || f->type == FIELD_CHOICE || f->type == FIELD_OBJECT ||
	    f->type == FIELD_LIST || f->type == FIELD_MAP || f->type == FIELD_HOOK) {
		wrong(rows, f, node_string("true"), at);
		wrong(rows, f, node_string(""), at);
		wrong(rows, f, node_int(1), at);
	}
}

static void check_null(const struct field *rows, const struct field *f, const struct where *at)
{
	MEM_AUTO char *got = try_key(rows, f->key, node_new(NODE_NULL), at);
	MEM_AUTO char *without = try_key(rows, "no-such-key", node_new(NODE_NULL), at);
	const char *rest = strchr(without, '\n') + 1;

	assert_string_equal(got, rest); /* without the problem of the unknown key */
}

static void check_required(const struct field *rows, const struct field *f, const struct where *at)
{
	MEM_AUTO char *path = where_path(at);
	MEM_AUTO char *line = mem_format("%s: \"%s\" is missing: %s\n", path, f->key, f->help);
	MEM_AUTO char *got = try_key(rows, "no-such-key", node_new(NODE_NULL), at);

	if (f->required)
		has_line(got, line, f->key);
}

static void check_typo(const struct field *rows, const struct field *f, const struct where *at)
{
	MEM_AUTO char *typo = mem_format("%s#", f->key);
	struct where here = { at, typo, 0 };
	MEM_AUTO char *path = where_path(&here);
	MEM_AUTO char *line =
	    mem_format("%s: unknown key \"%s\", did you mean \"%s\"?\n", path, typo, f->key);
	MEM_AUTO char *got = try_key(rows, typo, node_bool(true), at);

	has_line(got, line, f->key);
}

static void check_print(const struct field *rows)
{
	void *from = mem_zero(ROWS_SIZE);
	struct str s = { 0 };
	struct node *n;

	str_add(&s, "{");
	field_print(rows, from, &s);
	str_add(&s, "}");
	n = json_node(s.text);
	assert_non_null(n);
	node_free(n);
	str_free(&s);
	free(from);
}

/* Checks that a preset is valid, and that it is printed when the key is not given. */
static void check_preset(const struct field *rows, const struct field *f, const struct where *at)
{
	struct field one[2] = { *f };
	void *preset = mem_zero(ROWS_SIZE), *given = mem_zero(ROWS_SIZE);
	struct node *object = node_new(NODE_OBJECT);
	struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/" };
	struct str wanted = { 0 }, got = { 0 };

	assert_true(
	    f->unset == 0 || f->type == FIELD_INT || strcmp(f->custom->type, "integer") == 0);
	assert_true(f->unset == 0 || f->preset == NULL);
	assert_true(f->initial == NULL || (f->preset == NULL && f->initial_size > 0));
	one[0].hidden = one[0].required = false;
	if (f->preset != NULL) {
		struct node *value = json_node(f->preset);

		if (value == NULL)
			fail_msg("%s: its preset is not JSON: %s", f->key, f->preset);
		node_put(object, f->key, value);
	}
	field_preset(rows, preset);
	field_decode(one, object, given, at, &d);
	no_problems(&report, f->key);
	field_print(one, preset, &got);
	field_print(one, given, &wanted);
	if (f->preset != NULL)
		assert_string_equal(got.text, wanted.text);
	str_free(&wanted);
	str_free(&got);
	node_free(object);
	field_clear(one, given);
	field_clear(rows, preset);
	free(given);
	free(preset);
}

void rows_check(const struct field *rows, const struct where *at)
{
	check_unique(rows);
	check_print(rows);
	for (const struct field *f = rows; f->key != NULL; f++) {
		struct where here = { at, f->key, 0 };

		check_shape(f);
		check_wrong_types(rows, f, at);
		check_null(rows, f, at);
		check_required(rows, f, at);
		check_typo(rows, f, at);
		check_preset(rows, f, at);
		if (f->type == FIELD_OBJECT || f->type == FIELD_LIST)
			rows_check(f->rows, &here);
		else if (f->type == FIELD_CUSTOM && f->custom->rows != NULL)
			rows_check(f->custom->rows, &here);
	}
}
