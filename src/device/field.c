/* Decoding, printing and freeing values by their rows. */
#include "device/field.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"

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
		report_add(d->report, STATUS_SPEC, at, "holds a NUL byte");
	else
		return value->text;
	return NULL;
}

bool field_integer(const struct node *value, int64_t min, int64_t max, int64_t *out,
    const struct where *at, struct decoder *d)
{
	if (value->kind != NODE_INT) {
		field_type_error(value, "an integer", at, d);
		return false;
	}
	if (value->integer < min || value->integer > max) {
		report_add(d->report, STATUS_SPEC, at,
		    "%" PRId64 " is out of range, expected %" PRId64 " to %" PRId64, value->integer,
		    min, max);
		return false;
	}
	*out = value->integer;
	return true;
}

char *field_path(const char *path, const char *folder)
{
	if (*path == '/')
		return mem_copy(path);
	while (strncmp(path, "./", 2) == 0 && path[1 + strspn(path + 1, "/")] != '\0')
		path += 1 + strspn(path + 1, "/");
	return mem_format("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path);
}

static void decode_choice(const struct field *f, const struct node *value, int *into,
    const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);
	struct near near = { .wanted = text };
	struct str list = { 0 };

	if (text == NULL)
		return;
	for (int i = 0; f->choices[i] != NULL; i++) {
		if (strcmp(f->choices[i], text) == 0) {
			*into = i;
			str_free(&list);
			return;
		}
		near_offer(&near, f->choices[i]);
		if (*f->choices[i] != '\0') /* "" stands for "not given" */
			str_addf(&list, "%s\"%s\"", list.length > 0 ? ", " : "", f->choices[i]);
	}
	MEM_AUTO char *hint = near_hint(&near);

	report_add(d->report, STATUS_SPEC, at, "\"%s\" is none of %s%s", text, list.text, hint);
	str_free(&list);
}

static void decode_words(
    const struct node *value, struct words *into, const struct where *at, struct decoder *d)
{
	size_t i = 0;

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
	for (const struct node *n = value->first; n != NULL; n = n->next, i++) {
		struct where entry = { at, NULL, i };
		const char *text = field_text(n, &entry, d);

		if (text != NULL)
			words_add(into, text);
	}
}

static void decode_text(const struct field *f, const struct node *value, char **into,
    const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);

	if (text == NULL)
		return;
	if (f->longest != 0 && strlen(text) > f->longest) {
		report_add(d->report, STATUS_SPEC, at,
		    "\"%s\" has %zu bytes, at most %zu are taken", text, strlen(text), f->longest);
		return;
	}
	free(*into);
	*into = f->type == FIELD_PATH ? field_path(text, d->folder) : mem_copy(text);
}

static void decode_object(const struct field *f, const struct node *value, void *into,
    const struct where *at, struct decoder *d)
{
	if (node_is_object(value))
		field_decode(f->rows, value, into, at, d);
	else
		field_type_error(value, "an object", at, d);
}

static void decode_one(const struct field *f, const struct node *value, void *into,
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
		decode_choice(f, value, into, at, d);
		break;
	case FIELD_WORDS:
		decode_words(value, into, at, d);
		break;
	case FIELD_OBJECT:
		decode_object(f, value, into, at, d);
		break;
	case FIELD_HOOK:
		*(bool *)into = value->kind == NODE_FUNCTION;
		if (value->kind != NODE_FUNCTION)
			field_type_error(value, "a function (a Lua spec can hold one)", at, d);
		break;
	case FIELD_CUSTOM:
		f->parse(value, into, at, d);
		break;
	case FIELD_ELSEWHERE:
		break;
	}
}

static const struct field *find_row(const struct field *rows, const char *key)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		if (strcmp(f->key, key) == 0)
			return f;
	}
	return NULL;
}

static void report_unknown(
    const struct field *rows, const char *key, const struct where *at, struct decoder *d)
{
	struct near near = { .wanted = key };

	for (const struct field *f = rows; f->key != NULL; f++)
		near_offer(&near, f->key);
	MEM_AUTO char *hint = near_hint(&near);

	report_add(d->report, STATUS_SPEC, at, "unknown key \"%s\"%s", key, hint);
}

void field_decode(const struct field *rows, const struct node *object, void *into,
    const struct where *at, struct decoder *d)
{
	for (const struct node *n = object->first; n != NULL; n = n->next) {
		const struct field *f = find_row(rows, n->key);
		struct where here = { at, n->key, 0 };

		if (f == NULL)
			report_unknown(rows, n->key, &here, d);
		else if (n->kind != NODE_NULL)
			decode_one(f, n, (char *)into + f->offset, &here, d);
	}
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct node *n = node_get(object, f->key);

		if (f->required && (n == NULL || n->kind == NODE_NULL))
			report_add(
			    d->report, STATUS_SPEC, at, "\"%s\" is missing: %s", f->key, f->help);
	}
}

static void print_words(const struct words *w, struct str *json)
{
	str_add(json, "[");
	for (size_t i = 0; i < w->count; i++) {
		str_add(json, i > 0 ? "," : "");
		str_add_json(json, w->item[i]);
	}
	str_add(json, "]");
}

static void print_one(const struct field *f, const void *from, struct str *json)
{
	const char *text;

	switch (f->type) {
	case FIELD_STRING:
	case FIELD_PATH:
		text = *(char *const *)from;
		if (text == NULL)
			str_add(json, "null");
		else
			str_add_json(json, text);
		break;
	case FIELD_BOOL:
		str_add(json, *(const bool *)from ? "true" : "false");
		break;
	case FIELD_INT:
		str_addf(json, "%" PRId64, *(const int64_t *)from);
		break;
	case FIELD_CHOICE:
		text = f->choices[*(const int *)from];
		if (*text == '\0') /* "" stands for "not given" */
			str_add(json, "null");
		else
			str_add_json(json, text);
		break;
	case FIELD_WORDS:
		print_words(from, json);
		break;
	case FIELD_OBJECT:
		str_add(json, "{");
		field_print(f->rows, from, json);
		str_add(json, "}");
		break;
	case FIELD_CUSTOM:
		f->print(from, json);
		break;
	case FIELD_HOOK:
	case FIELD_ELSEWHERE:
		str_add(json, "null");
		break;
	}
}

void field_print(const struct field *rows, const void *from, struct str *json)
{
	bool first = true;

	for (const struct field *f = rows; f->key != NULL; f++) {
		struct str value = { 0 };

		print_one(f, (const char *)from + f->offset, &value);
		if (strcmp(value.text, "null") != 0) {
			str_addf(json, "%s\"%s\":%s", first ? "" : ",", f->key, value.text);
			first = false;
		}
		str_free(&value);
	}
}

void field_clear(const struct field *rows, void *what)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		void *at = (char *)what + f->offset;

		if (f->type == FIELD_STRING || f->type == FIELD_PATH) {
			free(*(char **)at);
			*(char **)at = NULL;
		} else if (f->type == FIELD_WORDS) {
			words_free(at);
		} else if (f->type == FIELD_OBJECT) {
			field_clear(f->rows, at);
		}
	}
}
