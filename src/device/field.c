/* Decoding values by their rows. */
#include "device/field.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"
#include "base/near.h"
#include "base/str.h"

#define MAX_PLAIN_PRESET 32 /* bytes of a text, with its quotes */

void field_type_error(
    const struct node *value, const char *expected, const struct where *at, struct decoder *d)
{
	report_add(
	    d->report, STATUS_SPEC, at, "expected %s, got %s", expected, node_kind_name(value));
}

const char *field_text(const struct node *value, const struct where *at, struct decoder *d)
{
	if (value->kind != NODE_STRING)
		field_type_error(value, "a string", at, d);
	else if (value->length == 0)
		report_add(d->report, STATUS_SPEC, at, "must not be empty");
	else if (strlen(value->text) != value->length)
		report_add(d->report, STATUS_SPEC, at, "contains a NUL byte");
	else
		return value->text;
	return NULL;
}

bool field_integer(const struct node *value, int64_t min, int64_t max, int64_t *out,
    const struct where *at, struct decoder *d)
{
	if (value->kind == NODE_NUMBER && value->text != NULL) {
		report_add(d->report, STATUS_SPEC, at,
		    "%s is out of range: expected %" PRId64 " to %" PRId64, value->text, min, max);
		return false;
	}
	if (value->kind != NODE_INT) {
		field_type_error(value, "an integer", at, d);
		return false;
	}
	if (value->integer < min || value->integer > max) {
		report_add(d->report, STATUS_SPEC, at,
		    "%" PRId64 " is out of range: expected %" PRId64 " to %" PRId64, value->integer,
		    min, max);
		return false;
	}
	*out = value->integer;
	return true;
}

struct node *field_read_integer(const char *text)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 0);
	if (errno != 0 || *end != '\0' || (isdigit((unsigned char)*text) == 0 && *text != '-'))
		return node_string(text);
	return node_int(number);
}

struct node *field_read_list(const char *text)
{
	struct node *list = node_new(NODE_LIST);

	while (*text != '\0') {
		size_t n = strcspn(text, ";");

		node_append(list, node_string_n(text, n));
		text += n + (text[n] == ';' ? 1 : 0);
	}
	return list;
}

char *field_path(const char *path, const char *directory)
{
	if (*path == '/')
		return mem_copy(path);
	while (str_after(path, "./") != NULL && path[1 + strspn(path + 1, "/")] != '\0')
		path += 1 + strspn(path + 1, "/");
	return MEM_JOIN(strcmp(directory, "/") == 0 ? "" : directory, "/", path);
}

static void report_choice(
    const char *text, const char *const *choices, const struct where *at, struct decoder *d)
{
	struct near near = { .wanted = text };
	STR_AUTO struct str list = { 0 };

	for (int i = 0; choices[i] != NULL; i++) {
		near_offer(&near, choices[i]);
		if (*choices[i] != '\0')
			str_addf(&list, "%s\"%s\"", list.length > 0 ? ", " : "", choices[i]);
	}
	MEM_AUTO char *hint = near_hint(&near);

	report_add(d->report, STATUS_SPEC, at, "invalid value \"%s\": expected one of %s%s", text,
	    list.text, hint);
}

void field_choice(const struct node *value, const char *const *choices, int *out,
    const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);

	if (text == NULL)
		return;
	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(choices[i], text) == 0) {
			*out = i;
			return;
		}
	}
	report_choice(text, choices, at, d);
}

void field_add_texts(
    const struct node *list, struct words *into, const struct where *at, struct decoder *d)
{
	size_t i = 0;

	for (const struct node *n = list->first; n != NULL; n = n->next, i++) {
		struct where entry = { at, NULL, i };
		const char *text = field_text(n, &entry, d);

		if (text != NULL)
			words_take(into, mem_copy_n(text, n->length));
	}
}

static void decode_words(
    const struct node *value, struct words *into, const struct where *at, struct decoder *d)
{
	if (value->kind == NODE_STRING) {
		const char *text = field_text(value, at, d);

		if (text != NULL)
			words_add(into, text);
		return;
	}
	if (!node_is_list(value)) {
		field_type_error(value, "a list of strings", at, d);
		return;
	}
	field_add_texts(value, into, at, d);
}

static void decode_text(const struct field *f, const struct node *value, char **into,
    const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);

	if (text == NULL)
		return;
	if (f->max_length != 0 && strlen(text) > f->max_length) {
		MEM_AUTO char *quoted = mem_format("\"%s\"", text);

		report_add(d->report, STATUS_SPEC, at, "%s has %zu bytes, at most %zu are allowed",
		    f->secret ? "the value" : quoted, strlen(text), (size_t)f->max_length);
		return;
	}
	if (f->one_line && strpbrk(text, "\r\n") != NULL) {
		report_add(d->report, STATUS_SPEC, at, "contains a line break");
		return;
	}
	free(*into);
	*into = f->type == FIELD_PATH ? field_path(text, d->directory) : mem_copy(text);
}

static void decode_rows(const struct field *owner, const struct node *object, void *into,
    const struct where *at, struct decoder *d);

static void decode_object(const struct field *f, const struct node *value, void *into,
    const struct where *at, struct decoder *d)
{
	if (node_is_object(value))
		decode_rows(f, value, into, at, d);
	else
		field_type_error(value, "an object", at, d);
}

static void decode_map(
    const struct node *value, struct pairs *into, const struct where *at, struct decoder *d)
{
	if (!node_is_object(value)) {
		field_type_error(value, "an object of strings", at, d);
		return;
	}
	for (const struct node *n = value->first; n != NULL; n = n->next) {
		struct where here = { at, n->key, 0 };
		const char *text = field_text(n, &here, d);

		if (text != NULL)
			pairs_add(into, n->key, text);
	}
}

static void decode_list(const struct field *f, const struct node *value, struct field_list *into,
    const struct where *at, struct decoder *d)
{
	if (!node_is_list(value)) {
		field_type_error(value, "a list of objects", at, d);
		return;
	}
	if (f->has_range && ((int64_t)value->count < f->min || (int64_t)value->count > f->max)) {
		report_add(d->report, STATUS_SPEC, at,
		    "%zu entries: expected %" PRId64 " to %" PRId64, value->count, f->min, f->max);
		return;
	}
	into->item = mem_zero((value->count + 1) * f->size);
	for (const struct node *n = value->first; n != NULL; n = n->next) {
		char *entry = (char *)into->item + into->count * f->size;
		struct where here = { at, NULL, into->count++ };

		field_preset(f->rows, entry);
		decode_object(f, n, entry, &here, d);
	}
}

static void decode_value(const struct field *f, const struct node *value, void *into,
    const struct where *at, struct decoder *d)
{
	switch (f->type) {
	case FIELD_STRING:
	case FIELD_PATH:
		decode_text(f, value, into, at, d);
		break;
	case FIELD_BOOL:
		if (value->kind == NODE_BOOL)
			*(bool *)into = value->truth;
		else
			field_type_error(value, "true or false", at, d);
		break;
	case FIELD_INT:
		(void)field_integer(value, f->has_range ? f->min : INT64_MIN,
		    f->has_range ? f->max : INT64_MAX, into, at, d);
		break;
	case FIELD_CHOICE:
		field_choice(value, f->choices, into, at, d);
		break;
	case FIELD_WORDS:
		decode_words(value, into, at, d);
		break;
	case FIELD_MAP:
		decode_map(value, into, at, d);
		break;
	case FIELD_OBJECT:
		decode_object(f, value, into, at, d);
		break;
	case FIELD_LIST:
		decode_list(f, value, into, at, d);
		break;
	case FIELD_HOOK:
		*(bool *)into = value->kind == NODE_FUNCTION;
		if (value->kind != NODE_FUNCTION)
			field_type_error(value, "a function (a Lua spec can hold one)", at, d);
		break;
	case FIELD_CUSTOM:
		f->custom->parse(value, into, at, d);
		break;
	case FIELD_ELSEWHERE:
		break;
	}
}

/* Returns whether a row takes a list only. */
static bool takes_list(const struct field *f)
{
	return f->type == FIELD_LIST || (f->type == FIELD_CUSTOM && f->custom->is_list);
}

static void decode_one(const struct field *f, const struct node *value, void *into,
    const struct where *at, struct decoder *d)
{
	NODE_AUTO struct node *list = NULL;

	/* In UCL, sections of one name are a list, but a single one is an object. */
	if (d->of_ucl && !node_is_list(value) && takes_list(f)) {
		list = node_new(NODE_LIST);
		node_append(list, node_copy(value));
		value = list;
	}
	decode_value(f, value, into, at, d);
}

/* Returns whether two keys are the same; most differ in their first letter. */
static bool is_key(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}

const struct field *field_find(const struct field *rows, const char *key)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (is_key(f->key, key) || (f->alias != NULL && is_key(f->alias, key)))
			return f;
	}
	return NULL;
}

static const struct node *value_of(const struct field *f, const struct node *object)
{
	const struct node *n = node_get(object, f->key);

	return n == NULL && f->alias != NULL ? node_get(object, f->alias) : n;
}

/* Returns whether the object has the key itself beside its alias, which this is. */
static bool is_duplicate(const struct field *f, const struct node *n, const struct node *object)
{
	return !is_key(f->key, n->key) && node_get(object, f->key) != NULL;
}

/* Decodes a key that has a row. */
static void decode_known(const struct field *f, const struct node *n, const struct node *object,
    void *into, const struct where *at, struct decoder *d)
{
	if (is_duplicate(f, n, object))
		report_add(d->report, STATUS_SPEC, at, "duplicate of \"%s\" (this key is an alias)",
		    f->key);
	else if (n->kind != NODE_NULL)
		decode_one(f, n, (char *)into + f->offset, at, d);
}

/* Reports required keys that are missing. */
static void check_required(
    const struct field *rows, const struct node *object, const struct where *at, struct decoder *d)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct node *n = f->required ? value_of(f, object) : NULL;

		if (f->required && (n == NULL || n->kind == NODE_NULL))
			report_add(
			    d->report, STATUS_SPEC, at, "\"%s\" is missing: %s", f->key, f->help);
	}
}

static void report_unknown(
    const struct field *owner, const char *key, const struct where *at, struct decoder *d)
{
	struct near near = { .words = NEAR_KEY, .wanted = key };
	MEM_AUTO char *why = owner->explain_unknown == NULL ? NULL : owner->explain_unknown(key);

	if (why != NULL) {
		report_add(d->report, STATUS_SPEC, at, "%s", why);
		return;
	}
	for (const struct field *f = owner->rows; f->key != NULL; f++)
		near_offer(&near, f->key);
	MEM_AUTO char *hint = near_hint(&near);

	report_add(d->report, STATUS_SPEC, at, "unknown key \"%s\"%s", key, hint);
}

/* Adds an entry of a key without a row, which begins with the key. */
static void decode_other(const struct field_others *others, const struct node *value, void *into,
    const struct where *at, struct decoder *d)
{
	struct field_list *list = (void *)((char *)into + others->offset);
	char *entry;

	list->item = mem_resize(list->item, list->count + 1, others->size);
	entry = (char *)list->item + list->count++ * others->size;
	memset(entry, 0, others->size);
	*(char **)(void *)entry = mem_copy(value->key);
	decode_one(others->row, value, entry + others->row->offset, at, d);
}

static bool is_other(const struct field *owner, const char *key)
{
	return owner->others != NULL && owner->others->takes(key);
}

/* Decodes an object by the rows of `owner`, a row of type FIELD_OBJECT. */
static void decode_rows(const struct field *owner, const struct node *object, void *into,
    const struct where *at, struct decoder *d)
{
	const struct field *rows = owner->rows;

	for (const struct node *n = object->first; n != NULL; n = n->next) {
		const struct field *f = field_find(rows, n->key);
		struct where here = { at, n->key, 0 };

		if (f == NULL && is_other(owner, n->key)) {
			if (n->kind != NODE_NULL)
				decode_other(owner->others, n, into, &here, d);
		} else if (f == NULL) {
			report_unknown(owner, n->key, &here, d);
		} else {
			decode_known(f, n, object, into, &here, d);
		}
	}
	check_required(rows, object, at, d);
}

/*
 * Fills in a node with a preset, which is JSON: a number, true, or a short text without escapes, as
 * most are.  Each start has some hundreds of them, too many for the reader of JSON.  Returns false
 * for any other one.
 */
static bool plain_preset(const char *json, struct node *value, char text[MAX_PLAIN_PRESET])
{
	size_t n = strlen(json);
	char *end;

	memset(value, 0, sizeof(*value));
	if (*json == '"') {
		if (n > MAX_PLAIN_PRESET || strchr(json, '\\') != NULL)
			return false;
		value->kind = NODE_STRING;
		value->length = n - 2;
		value->text = memcpy(text, json + 1, n - 2);
		text[n - 2] = '\0';
		return true;
	}
	value->truth = strcmp(json, "true") == 0;
	value->kind = value->truth ? NODE_BOOL : NODE_INT;
	if (value->truth)
		return true;
	value->integer = strtoll(json, &end, 10);
	return end != json && *end == '\0';
}

static void preset_one(const struct field *f, void *into)
{
	REPORT_AUTO struct report report = { 0 };
	struct decoder d = { .report = &report, .directory = "/" };
	NODE_AUTO struct node *value = NULL;
	char text[MAX_PLAIN_PRESET];
	struct node plain;

	if (plain_preset(f->preset, &plain, text)) {
		decode_one(f, &plain, into, NULL, &d);
		return;
	}
	value = json_node(f->preset);
	decode_one(f, value, into, NULL, &d);
}

void field_preset(const struct field *rows, void *into)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		void *member = (char *)into + f->offset;

		if (f->preset != NULL)
			preset_one(f, member);
		else if (f->initial != NULL)
			memcpy(member, f->initial, f->initial_size);
		else if (f->type == FIELD_OBJECT)
			field_preset(f->rows, member);
		else if (f->type == FIELD_CUSTOM && f->custom->rows != NULL)
			field_preset(f->custom->rows, member);
		else if (f->unset != 0)
			*(int64_t *)member = f->unset;
	}
}

void field_decode_own(const struct field *rows, const struct node *object, void *into,
    const struct where *at, struct decoder *d)
{
	for (const struct node *n = object->first; n != NULL; n = n->next) {
		const struct field *f = field_find(rows, n->key);
		struct where here = { at, n->key, 0 };

		if (f != NULL)
			decode_known(f, n, object, into, &here, d);
	}
	check_required(rows, object, at, d);
}

void field_decode(const struct field *rows, const struct node *object, void *into,
    const struct where *at, struct decoder *d)
{
	struct field owner = { .rows = rows };

	decode_rows(&owner, object, into, at, d);
}
