/* Printing and freeing values by their rows. */
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "device/field.h"

void field_print_text(const void *from, struct str *json)
{
	json_add_text(json, NULL, *(const char *const *)from);
}

void field_print_text_or_false(const void *from, struct str *json)
{
	const char *text = *(const char *const *)from;

	if (text != NULL && *text == '\0')
		json_add_bool(json, NULL, false);
	else
		json_add_text(json, NULL, text);
}

void field_print_words(const void *from, struct str *json)
{
	const struct words *words = from;

	if (words->count == 0)
		json_add_null(json, NULL);
	else
		json_add_words(json, NULL, words);
}

void field_print_integer(int64_t value, int64_t unset, struct str *json)
{
	if (value == unset)
		json_add_null(json, NULL);
	else
		json_add_int(json, NULL, value);
}

void field_print_object(const struct field *rows, const void *from, struct str *json)
{
	json_begin_object(json, NULL);
	field_print(rows, from, json);
	json_end_object(json);
}

/* Adds the entries of keys that have no row. */
static void print_others(const struct field_others *others, const void *from, struct str *json)
{
	const struct field_list *list = (const void *)((const char *)from + others->offset);

	for (size_t i = 0; i < list->count; i++) {
		const char *entry = (const char *)list->item + i * others->size;
		STR_AUTO struct str value = { 0 };

		field_print_value(others->row, entry, &value);
		json_add_json(json, *(const char *const *)(const void *)entry, value.text);
	}
}

/* Prints null for an object without any value: it was not given. */
static void print_object(const struct field *f, const void *from, struct str *json)
{
	STR_AUTO struct str object = { 0 };

	json_begin_object(&object, NULL);
	field_print(f->rows, from, &object);
	if (f->others != NULL)
		print_others(f->others, from, &object);
	json_end_object(&object);
	json_add_json(json, NULL, strcmp(object.text, "{}") == 0 ? NULL : object.text);
}

static void print_map(const struct pairs *map, struct str *json)
{
	if (map->count == 0) {
		json_add_null(json, NULL);
		return;
	}
	json_begin_object(json, NULL);
	for (size_t i = 0; i < map->count; i++)
		json_add_text(json, map->item[i].key, map->item[i].value);
	json_end_object(json);
}

static void print_list(const struct field *f, const struct field_list *list, struct str *json)
{
	if (list->count == 0) {
		json_add_null(json, NULL);
		return;
	}
	json_begin_list(json, NULL);
	for (size_t i = 0; i < list->count; i++)
		field_print_object(f->rows, (const char *)list->item + i * f->size, json);
	json_end_list(json);
}

/* Prints null for a value out of range, which stands for a key that was not given. */
static void print_in_range(const struct field *f, int64_t value, struct str *json)
{
	if (f->has_range && (value < f->min || value > f->max))
		json_add_null(json, NULL);
	else
		json_add_int(json, NULL, value);
}

/* Prints null for a quiet key that is false. */
static void print_bool(const struct field *f, bool value, struct str *json)
{
	if (f->quiet && !value)
		json_add_null(json, NULL);
	else
		json_add_bool(json, NULL, value);
}

/* Prints null for "", which stands for a key that was not given. */
static void print_choice(const char *choice, struct str *json)
{
	json_add_text(json, NULL, *choice == '\0' ? NULL : choice);
}

void field_print_value(const struct field *f, const void *from, struct str *json)
{
	const void *value = (const char *)from + f->offset;

	switch (f->type) {
	case FIELD_STRING:
	case FIELD_PATH:
		field_print_text(value, json);
		break;
	case FIELD_BOOL:
		print_bool(f, *(const bool *)value, json);
		break;
	case FIELD_INT:
		print_in_range(f, *(const int64_t *)value, json);
		break;
	case FIELD_CHOICE:
		print_choice(f->choices[*(const int *)value], json);
		break;
	case FIELD_WORDS:
		field_print_words(value, json);
		break;
	case FIELD_MAP:
		print_map(value, json);
		break;
	case FIELD_LIST:
		print_list(f, value, json);
		break;
	case FIELD_OBJECT:
		print_object(f, value, json);
		break;
	case FIELD_CUSTOM:
		f->custom->print(value, json);
		break;
	case FIELD_HOOK:
	case FIELD_ELSEWHERE:
		json_add_null(json, NULL);
		break;
	}
}

void field_print(const struct field *rows, const void *from, struct str *json)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		STR_AUTO struct str value = { 0 };

		if (f->hidden)
			continue;
		field_print_value(f, from, &value);
		if (strcmp(value.text, "null") != 0)
			json_add_json(json, f->key, value.text);
	}
}

void field_clear_text(void *pointer)
{
	char **text = pointer;

	free(*text);
	*text = NULL;
}

void field_clear_words(void *words)
{
	words_free(words);
}

static void clear_list(const struct field *f, struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		field_clear(f->rows, (char *)list->item + i * f->size);
	free(list->item);
	memset(list, 0, sizeof(*list));
}

static void clear_others(const struct field_others *others, void *what)
{
	struct field_list *list = (void *)((char *)what + others->offset);
	struct field row[] = { *others->row, { 0 } };

	for (size_t i = 0; i < list->count; i++) {
		char *entry = (char *)list->item + i * others->size;

		field_clear(row, entry);
		field_clear_text(entry);
	}
	free(list->item);
	memset(list, 0, sizeof(*list));
}

void field_clear(const struct field *rows, void *what)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		void *at = (char *)what + f->offset;

		if (f->type == FIELD_STRING || f->type == FIELD_PATH)
			field_clear_text(at);
		else if (f->type == FIELD_WORDS)
			words_free(at);
		else if (f->type == FIELD_MAP)
			pairs_free(at);
		else if (f->type == FIELD_OBJECT)
			field_clear(f->rows, at);
		else if (f->type == FIELD_LIST)
			clear_list(f, at);
		else if (f->type == FIELD_CUSTOM && f->custom->clear != NULL)
			f->custom->clear(at);
		if (f->others != NULL)
			clear_others(f->others, at);
	}
}
