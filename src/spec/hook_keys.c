/* The key `hooks`: hook files and stock hooks. */
#include "spec/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/node_json.h"
#include "device/host_use.h"
#include "device/value_schema.h"

/*
 * Returns whether the name is that of a stock hook: without directory and extension.  Lua knows
 * which of them exist.
 */
static bool is_stock_name(const char *name)
{
	return strpbrk(name, "/.") == NULL;
}

static struct hook_file *add(struct hook_list *list)
{
	struct hook_file *hook;

	list->item = mem_resize(list->item, list->count + 1, sizeof(*list->item));
	hook = &list->item[list->count++];
	memset(hook, 0, sizeof(*hook));
	return hook;
}

void hook_list_add(
    struct hook_list *list, const char *name, const char *directory, const struct node *options)
{
	struct hook_file *hook = add(list);
	struct str key = { 0 };

	hook->name = mem_copy(name);
	if (!is_stock_name(name))
		hook->path = field_path(name, directory);
	if (options != NULL)
		hook->options = node_copy(options);
	str_add(&key, hook->path != NULL ? hook->path : name);
	if (options != NULL)
		node_add_json(&key, options);
	hook->key = str_take(&key);
}

void hook_list_add_option(struct hook_list *list, const char *name, const char *directory)
{
	struct hook_file *hook;

	hook_list_add(list, name, directory, NULL);
	hook = &list->item[list->count - 1];
	hook->of_option = true;
	MEM_AUTO char *key = hook->key;

	hook->key = MEM_JOIN("--hook ", key);
}

void hook_list_append(struct hook_list *list, const struct hook_list *more)
{
	for (size_t i = 0; i < more->count; i++) {
		const struct hook_file *from = &more->item[i];
		struct hook_file *to = add(list);

		to->name = mem_copy(from->name);
		to->path = from->path == NULL ? NULL : mem_copy(from->path);
		to->options = from->options == NULL ? NULL : node_copy(from->options);
		to->key = mem_copy(from->key);
		to->of_option = from->of_option;
		words_append(&to->programs, &from->programs);
	}
}

/*
 * Checks that options are plain data, as they are passed on to the hook; lists with gaps are not.
 */
static bool check_options(const struct node *n, const struct where *at, struct decoder *d)
{
	bool is_list = n->kind == NODE_LIST, good = true;
	size_t i = 0;

	if (n->kind == NODE_OTHER || n->kind == NODE_FUNCTION) {
		field_type_error(n, "strings, numbers, booleans and tables of them", at, d);
		return false;
	}
	for (const struct node *c = n->first; c != NULL; c = c->next, i++) {
		struct where here = { at, is_list ? NULL : c->key, i };

		good = check_options(c, &here, d) && good;
	}
	return good;
}

/* Reads a name, or { "use": name, options... }. */
static void parse_hook(
    const struct node *n, struct hook_list *list, const struct where *at, struct decoder *d)
{
	struct where use_at = { at, "use", 0 };
	const struct node *use = n->kind == NODE_OBJECT ? node_get(n, "use") : n;
	const char *name;

	if (use == NULL || (n->kind != NODE_OBJECT && n->kind != NODE_STRING)) {
		report_add(d->report, STATUS_SPEC, at,
		    "a hook is a file, a stock hook, or { \"use\": one of them, options }");
		return;
	}
	name = field_text(use, n == use ? at : &use_at, d);
	if (name != NULL && check_options(n, at, d))
		hook_list_add(list, name, d->directory, n->kind == NODE_OBJECT ? n : NULL);
}

static void hooks_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	size_t i = 0;

	if (!node_is_list(value)) {
		field_type_error(value, "a list of hooks", at, d);
		return;
	}
	for (const struct node *n = value->first; n != NULL; n = n->next, i++) {
		struct where here = { at, NULL, i };

		parse_hook(n, into, &here, d);
	}
}

/*
 * Returns the absolute path of a file, because the printed spec may be read in another directory.
 */
static const char *printed_name(const struct hook_file *hook)
{
	return hook->path != NULL ? hook->path : hook->name;
}

static void print_options(const struct hook_file *hook, struct str *json)
{
	json_begin_object(json, NULL);
	for (const struct node *n = hook->options->first; n != NULL; n = n->next) {
		STR_AUTO struct str value = { 0 };

		node_add_json(&value, n);
		if (strcmp(n->key, "use") == 0)
			json_add_text(json, n->key, printed_name(hook));
		else
			json_add_json(json, n->key, value.text);
	}
	json_end_object(json);
}

/* Returns how many hooks of the list belong to the spec, not to --hook. */
static size_t count_of_spec(const struct hook_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->item[i].of_option ? 0 : 1;
	return count;
}

static void hooks_print(const void *from, struct str *json)
{
	const struct hook_list *list = from;

	if (count_of_spec(list) == 0) {
		json_add_null(json, NULL);
		return;
	}
	json_begin_list(json, NULL);
	for (size_t i = 0; i < list->count; i++) {
		const struct hook_file *hook = &list->item[i];

		if (hook->of_option)
			continue;
		if (hook->options != NULL)
			print_options(hook, json);
		else
			json_add_text(json, NULL, printed_name(hook));
	}
	json_end_list(json);
}

void hook_list_free(struct hook_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->item[i].name);
		free(list->item[i].path);
		free(list->item[i].key);
		words_free(&list->item[i].programs);
		node_free(list->item[i].options);
	}
	free(list->item);
	memset(list, 0, sizeof(*list));
}

static void clear_hooks(void *list)
{
	hook_list_free(list);
}

/* Finds the hook files of the spec; stock hooks and those of --hook are allowed. */
static void hooks_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const struct hook_list *list = value;

	for (size_t i = 0; i < list->count; i++) {
		struct where here = { at, NULL, i };

		if (list->item[i].path != NULL && !list->item[i].of_option)
			host_found(visit, HOST_SCRIPT, list->item[i].path, &here);
	}
}

static void hooks_schema(struct str *s)
{
	json_add_text(s, "type", "array");
	json_begin_object(s, "items");
	json_begin_list(s, "oneOf");
	schema_add_text(s, NULL);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "object");
	json_begin_list(s, "required");
	json_add_text(s, NULL, "use");
	json_end_list(s);
	json_begin_object(s, "properties");
	schema_add_text(s, "use");
	json_end_object(s);
	json_end_object(s);
	json_end_list(s);
	json_end_object(s);
}

const struct field_custom hooks_custom = {
	.parse = hooks_parse,
	.print = hooks_print,
	.clear = clear_hooks,
	.type = "(string|{ use: string, [string]: any })[]",
	.is_list = true,
	.schema = hooks_schema,
	.host = { .kind = HOST_BY_VALUE, .names = hooks_names },
};
