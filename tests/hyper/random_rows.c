/* Rolls keys by their rows: type, choices, range, length, or the schema of a custom row. */
#include "random_roll.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/value_schema.h"

#define MAX_ENTRIES 32 /* of a list, where its row has no limit below */

/* Returns whether the kind is the spec, or an object in it ("spec.qemu"). */
static bool is_of_spec(const char *kind)
{
	return strncmp(kind, "spec", 4) == 0;
}

static const struct special *find_in(const struct special *list, const char *kind, const char *key)
{
	for (; list->key != NULL; list++) {
		if (strcmp(list->key, key) == 0 &&
		    (list->kind == NULL ? !is_of_spec(kind) : strcmp(list->kind, kind) == 0))
			return list;
	}
	return NULL;
}

static const struct special *find_special(const char *kind, const char *key)
{
	const struct special *const lists[] = { device_specials, net_specials, spec_specials,
		guest_specials };
	const struct special *found = NULL;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && found == NULL; i++)
		found = find_in(lists[i], kind, key);
	return found;
}

static const struct variable *find_variable(
    const struct variable *list, const char *kind, const char *key)
{
	for (; list->key != NULL; list++) {
		if (strcmp(list->kind, kind) == 0 && strcmp(list->key, key) == 0)
			return list;
	}
	return NULL;
}

/* Promises a variable of a device, which has the name of the key unless the table has another. */
void promise(struct roll *r, const char *key, const char *value)
{
	bool is_spec = is_of_spec(r->kind);
	const struct variable *v =
	    find_variable(is_spec ? spec_variables : device_variables, r->kind, key);
	const char *name = v != NULL ? v->name : is_spec ? NULL : key;

	if (r->vars == NULL || name == NULL)
		return;
	MEM_AUTO char *path = mem_format("%s%s", r->prefix, name);

	pairs_add(r->vars, path, value);
}

void roll_text(struct roll *r, const char *key, const char *value)
{
	add_text(&r->spec->json, key, value);
	promise(r, key, value);
}

void roll_odd(struct roll *r, const char *key, const char *before, unsigned most)
{
	MEM_AUTO char *value = odd_text(r->spec, before, most);

	roll_text(r, key, value);
}

void roll_number(struct roll *r, const char *key, int64_t value)
{
	MEM_AUTO char *text = mem_format("%" PRId64, value);

	add_number(&r->spec->json, key, value);
	promise(r, key, text);
}

static void roll_string(struct roll *r, const char *key, const struct field *f)
{
	MEM_AUTO char *text = odd_text(r->spec, "s", 8);

	if ((f->max_length != 0 && strlen(text) > f->max_length) ||
	    (f->one_line && strchr(text, '\n') != NULL))
		text[1] = '\0';
	roll_text(r, key, text);
}

/* Returns a number of a range, with the limits more often than by chance. */
static int64_t number_between(int64_t min, int64_t max)
{
	switch (random_below(4)) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		return min + random_below((unsigned)(max - min < 1000000 ? max - min : 999999) + 1);
	}
}

/* Rolls a choice; "" means that the key is not given. */
static void roll_choice(struct roll *r, const char *key, const char *const *choices)
{
	unsigned first = *choices[0] == '\0' ? 1 : 0, count = first;

	while (choices[count] != NULL)
		count++;
	roll_text(r, key, choices[first + random_below(count - first)]);
}

static void roll_words(struct roll *r, const char *key)
{
	add_key(&r->spec->json, key);
	str_add(&r->spec->json, "[");
	for (unsigned i = random_below(3); i > 0; i--) {
		MEM_AUTO char *word = odd_text(r->spec, "w", 3);

		add_text(&r->spec->json, NULL, word);
	}
	str_add(&r->spec->json, "]");
}

static void roll_object(struct roll *r, const char *key, const char *prefix, const struct field *f)
{
	MEM_AUTO char *kind =
	    is_of_spec(r->kind) ? mem_format("spec.%s", f->key) : mem_copy(r->kind);
	struct roll inside = { r->spec, kind, prefix, r->vars, .backend = r->backend };

	add_key(&r->spec->json, key);
	str_add(&r->spec->json, "{");
	roll_rows(&inside, f->rows != NULL ? f->rows : f->custom->rows);
	str_add(&r->spec->json, "}");
}

/* Rolls a list, which bhyve has as port.0.KEY, port.1.KEY, ... of `ports`. */
static void roll_list(struct roll *r, const char *key, const struct field *f)
{
	unsigned least = f->has_range ? (unsigned)f->min : 1;
	unsigned most = f->has_range && f->max < MAX_ENTRIES ? (unsigned)f->max : MAX_ENTRIES;
	unsigned count = least + random_below(one_in(4) ? most - least + 1 : 3);

	add_key(&r->spec->json, key);
	str_add(&r->spec->json, "[");
	for (unsigned i = 0; i < count && i < most; i++) {
		MEM_AUTO char *prefix =
		    mem_format("%s%.*s.%u.", r->prefix, (int)strlen(key) - 1, key, i);

		roll_object(r, NULL, prefix, f);
	}
	str_add(&r->spec->json, "]");
}

/* Returns one of "enum":[...] of a schema.  The caller frees it. */
static char *schema_choice(const char *schema)
{
	const char *list = strstr(schema, "\"enum\":["), *end;
	unsigned count = 1;

	if (list == NULL)
		return NULL;
	list += strlen("\"enum\":[");
	end = strchr(list, ']');
	for (const char *p = list; p < end; p++)
		count += *p == ',' ? 1 : 0;
	for (unsigned skip = random_below(count); skip > 0; skip--)
		list = strchr(list, ',') + 1;
	return mem_copy_n(list, strcspn(list, ",]"));
}

static bool schema_range(const char *schema, int64_t *min, int64_t *max)
{
	const char *least = strstr(schema, "\"minimum\":"), *most = strstr(schema, "\"maximum\":");

	if (least == NULL || most == NULL)
		return false;
	least += strlen("\"minimum\":");
	*min = strtoll(least, NULL, 10);
	if (strncmp(least, "0.", 2) == 0)
		*min = 1;
	*max = strtoll(most + strlen("\"maximum\":"), NULL, 10);
	return true;
}

/* Rolls a custom row by its schema, if that is a range or a list of choices. */
static void roll_custom(struct roll *r, const char *key, const struct field *f)
{
	STR_AUTO struct str schema = { 0 };
	MEM_AUTO char *choice = NULL;
	bool is_list;
	int64_t min, max;

	schema_add_custom(&schema, f->custom);
	is_list = strstr(schema.text, "\"array\"") != NULL;
	choice = is_list ? NULL : schema_choice(schema.text);
	if (choice != NULL) {
		size_t quoted = *choice == '"' ? 1 : 0;
		MEM_AUTO char *bare = mem_copy_n(choice + quoted, strlen(choice) - 2 * quoted);

		add_key(&r->spec->json, key);
		str_add(&r->spec->json, choice);
		promise(r, key, bare);
	} else if (!is_list && schema_range(schema.text, &min, &max)) {
		roll_number(r, key, number_between(min, max));
	} else if (f->custom->rows != NULL) {
		roll_object(r, key, r->prefix, f);
	}
}

static void roll_flag(struct roll *r, const char *key)
{
	bool on = one_in(2);

	add_bool(&r->spec->json, key, on);
	if (on)
		promise(r, key, "true");
}

static void roll_map(struct roll *r, const char *key)
{
	add_key(&r->spec->json, key);
	str_add(&r->spec->json, "{");
	for (unsigned i = random_below(3); i > 0; i--) {
		MEM_AUTO char *name = mem_format("n%d", r->spec->named++);
		MEM_AUTO char *value = odd_text(r->spec, "v", 3);

		add_text(&r->spec->json, name, value);
	}
	str_add(&r->spec->json, "}");
}

void roll_plain(struct roll *r, const struct field *f)
{
	const char *key = f->alias != NULL && one_in(4) ? f->alias : f->key;

	switch (f->type) {
	case FIELD_PATH:
		roll_odd(r, key, "/d/x", 8);
		break;
	case FIELD_STRING:
		roll_string(r, key, f);
		break;
	case FIELD_BOOL:
		roll_flag(r, key);
		break;
	case FIELD_INT:
		roll_number(r, key, f->has_range ? number_between(f->min, f->max) : 1);
		break;
	case FIELD_CHOICE:
		roll_choice(r, key, f->choices);
		break;
	case FIELD_WORDS:
		roll_words(r, key);
		break;
	case FIELD_MAP:
		roll_map(r, key);
		break;
	case FIELD_OBJECT:
		roll_object(r, key, r->prefix, f);
		break;
	case FIELD_LIST:
		roll_list(r, key, f);
		break;
	case FIELD_CUSTOM:
		roll_custom(r, key, f);
		break;
	case FIELD_HOOK:
	case FIELD_ELSEWHERE:
		break;
	}
}

void roll_rows(struct roll *r, const struct field *rows)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct special *special = find_special(r->kind, f->key);

		if (special != NULL && special->roll != NULL)
			special->roll(r, f);
		else if (special == NULL && (f->required || one_in(3)))
			roll_plain(r, f);
	}
}
