/* The spec as written by the user. */
#include "config/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/document_internal.h"
#include "config/json_places.h"
#include "config/json_read.h"
#include "config/read.h"
#include "config/source.h"
#include "platform/sandbox.h"

/* Bytes of the nodes of a document, some ten times those of its text. */
#define MAX_SPEC_MEMORY ((size_t)256 << 20)
#define TOO_LARGE 9223372036854775808.0 /* the first double beyond int64_t */
#define MAX_UCL_QUOTE 60		/* bytes of uclcmd's answer in a message */

/* Returns whether a text begins with a line of a file, "other.lua:3: ". */
static bool names_line(const char *text)
{
	const char *colon = strstr(text, ": ");
	size_t n = colon == NULL ? 0 : (size_t)(colon - text), digits = 0;

	while (digits < n && text[n - digits - 1] >= '0' && text[n - digits - 1] <= '9')
		digits++;
	return digits > 0 && digits < n && text[n - digits - 1] == ':';
}

/*
 * Reports an error of Lua, "vm.lua:3: unexpected symbol", with its place apart from its text.  One
 * that names no file, as of a table that contains itself, is one of the spec.
 */
static void report_script_error(struct document *doc, struct error *err, struct report *report)
{
	MEM_AUTO char *text = mem_copy(err->text);
	bool is_of_spec = err->status == STATUS_SPEC && !names_line(text);
	size_t n = strlen(doc->name), digits;
	struct problem *p;

	report_take(report, NULL, err);
	p = &report->item[report->count - 1];
	if (strlen(text) <= n || memcmp(text, doc->name, n) != 0 || text[n] != ':') {
		if (is_of_spec)
			p->place = mem_copy(doc->name);
		return;
	}
	digits = strspn(text + n + 1, "0123456789");
	if (digits > 0 && text[n + 1 + digits] == ':')
		n += 1 + digits;
	p->place = mem_copy_n(text, n);
	free(p->text);
	p->text = mem_copy(text + n + 1 + strspn(text + n + 1, " "));
}

/* Returns the names of the targets as a table of empty objects, for scripts. */
static struct node *targets_stub(const struct document *doc)
{
	struct node *all = node_new(NODE_OBJECT);

	for (size_t i = 0; i < doc->names.count; i++)
		node_put(all, doc->names.item[i], node_new(NODE_OBJECT));
	return all;
}

/* Tells the script what C knows of the document. */
static int configure(struct document *doc, struct error *err)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT), *result = NULL;
	struct node *causes = node_new(NODE_LIST);

	for (int i = 0; i < CAUSES; i++)
		node_append(causes, node_string(cause_name((enum cause)i)));
	node_put(request, "causes", causes);
	node_put(request, "name", node_string(doc->name));
	node_put(request, "directory", node_string(doc->directory));
	node_put(request, "targets", targets_stub(doc));
	return script_call(doc->script, "configure", request, &result, err);
}

struct script *document_script(struct document *doc, struct error *err)
{
	if (doc->script != NULL)
		return doc->script;
	if (script_new(&doc->script, &doc->options, err) == 0 && configure(doc, err) == 0)
		return doc->script;
	script_free(doc->script);
	doc->script = NULL;
	return NULL;
}

int document_call(struct document *doc, const char *function, const struct node *argument,
    struct node **result, struct error *err)
{
	struct script *script = document_script(doc, err);

	return script == NULL ? -1 : script_call(script, function, argument, result, err);
}

/* Runs the Lua file.  Returns a copy of the table that it returned, or NULL.  Caller frees. */
static struct node *evaluate(struct document *doc, struct error *err)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT);
	struct node *root = NULL;

	node_put(request, "text", node_string_n(doc->text, doc->length));
	if (document_call(doc, "load", request, &root, err) != 0)
		return NULL;
	doc->turns = script_turns(doc->script);
	return root;
}

/*
 * Rewrites a problem of uclcmd's JSON, whose lines and columns mean nothing to the author of the
 * UCL.
 */
static void rewrite_ucl_problem(const struct document *doc, struct problem *p)
{
	MEM_AUTO char *text = p->text;
	struct str s = { 0 };

	str_add(&s, "uclcmd's output, `");
	str_add_line(&s, doc->text, MAX_UCL_QUOTE);
	str_addf(&s, "`, is not a spec: %s", text);
	p->text = str_take(&s);
	free(p->place);
	p->place = mem_copy(doc->name);
	p->line = p->column = 0;
}

/* Makes a list of a single device: in UCL sections of one name are a list, but one is an object. */
static void list_devices(struct node *object)
{
	struct node *device = node_take(object, "emulations"), *list;

	if (device == NULL)
		return;
	if (device->kind != NODE_OBJECT) {
		node_put(object, "emulations", device);
		return;
	}
	list = node_new(NODE_LIST);
	node_unname(device);
	node_append(list, device);
	node_put(object, "emulations", list);
}

/* Does so in the base and in all targets.  Other lists are not merged, and decoding reads one. */
static void list_all_devices(struct node *root)
{
	const struct node *targets = node_get(root, "targets");

	list_devices(root);
	for (struct node *n = targets == NULL ? NULL : targets->first; n != NULL; n = n->next)
		list_devices(n);
}

/* Lets whole numbers be integers, however they are written: 2.0, 1e3. */
static void settle_numbers(struct node *n)
{
	for (struct node *child = n->first; child != NULL; child = child->next)
		settle_numbers(child);
	if (n->kind != NODE_NUMBER || n->text != NULL || n->number < -TOO_LARGE ||
	    n->number >= TOO_LARGE || n->number != (double)(int64_t)n->number)
		return;
	n->kind = NODE_INT;
	n->integer = (int64_t)n->number;
	n->has_minus = n->integer < 0;
}

/* Reads JSON, which is an object.  Returns NULL if it is not.  Caller frees. */
static struct node *read_json(struct document *doc, struct report *report)
{
	size_t at = strspn(doc->text, " \t\r\n"), first = report->count;
	struct node *root = json_read(doc->name, doc->text, doc->length, MAX_SPEC_MEMORY, report);
	struct problem *p;

	if (root != NULL && root->kind != NODE_OBJECT) {
		node_free(root);
		root = NULL;
		report_add(report, STATUS_SPEC, NULL, "a spec is an object: { \"name\": ... }");
		p = &report->item[report->count - 1];
		json_line(doc->text, at, &p->line, &p->column);
		p->place = mem_format("%s:%zu:%zu", doc->name, p->line, p->column);
	}
	for (size_t i = first; doc->format == FORMAT_UCL && i < report->count; i++)
		rewrite_ucl_problem(doc, &report->item[i]);
	if (root == NULL)
		return NULL;
	settle_numbers(root);
	if (document_is_of_ucl(doc))
		list_all_devices(root);
	return root;
}

/* Reads the document into nodes.  Returns NULL if it cannot.  Caller frees. */
static struct node *read_root(struct document *doc, struct report *report)
{
	struct error err = { 0 };
	struct node *root;

	if (doc->format != FORMAT_LUA)
		return read_json(doc, report);
	root = evaluate(doc, &err);
	if (err.text != NULL)
		report_script_error(doc, &err, report);
	return root;
}

static int open_document(struct document *doc, struct report *report)
{
	struct node *root = read_root(doc, report);
	size_t first = report->count;

	if (doc->format != FORMAT_JSON) {
		free(doc->text);
		doc->text = NULL;
	}
	if (root == NULL)
		return -1;
	doc->targets = targets_new(root, doc->rules, doc->options.memory_bytes);
	words_append(&doc->names, targets_names(doc->targets));
	/* An error in one target does not prevent the checks of the others. */
	targets_check(doc->targets, report);
	document_place(doc, report, first);
	return 0;
}

struct document *document_load(const struct document_source *source,
    const struct script_options *limits, struct node *merge_rules, struct report *report)
{
	struct document *doc = mem_zero(sizeof(*doc));
	struct text_file file = { 0 };

	doc->rules = merge_rules;
	doc->options = *limits;
	if (source_read(source, limits, &file, &doc->format, report) != 0) {
		document_free(doc);
		return NULL;
	}
	doc->name = file.name;
	doc->directory = file.directory;
	doc->text = file.text;
	doc->length = file.length;
	doc->from_stdin = source_is_stdin(source);
	if (source->sandboxed)
		doc->options.sandbox = doc->sandbox = sandbox_new(doc->directory, source->allow);
	if (open_document(doc, report) != 0) {
		document_free(doc);
		return NULL;
	}
	return doc;
}

void document_free(struct document *doc)
{
	if (doc == NULL)
		return;
	script_free(doc->script);
	sandbox_free(doc->sandbox);
	targets_free(doc->targets);
	node_free(doc->rules);
	words_free(&doc->names);
	words_free(&doc->functions);
	free(doc->name);
	free(doc->directory);
	free(doc->text);
	json_places_free(doc->places);
	free(doc);
}

const char *document_directory(const struct document *doc)
{
	return doc->directory;
}

const struct sandbox *document_sandbox(const struct document *doc)
{
	return doc->sandbox;
}

bool document_is_of_ucl(const struct document *doc)
{
	return doc->format == FORMAT_UCL || (doc->format == FORMAT_JSON && doc->from_stdin);
}

const struct words *document_targets(const struct document *doc)
{
	return &doc->names;
}

bool document_is_base(const struct document *doc, const char *target)
{
	return targets_is_base(doc->targets, target);
}

bool document_has(const struct document *doc, const char *key, const char *text)
{
	return targets_have(doc->targets, key, text);
}

void document_limit(struct document *doc, int64_t budget_ms, size_t memory_bytes)
{
	doc->options.budget_ms = budget_ms;
	doc->options.memory_bytes = memory_bytes;
	if (doc->script != NULL)
		script_limit(doc->script, budget_ms, memory_bytes);
}

char *document_unknown_target(const struct document *doc, const char *name)
{
	return targets_unknown(&doc->names, name);
}

void document_report_target(
    const struct document *doc, const char *name, const struct where *at, struct report *report)
{
	MEM_AUTO char *text = document_unknown_target(doc, name);

	report_add(report, STATUS_SPEC, at, "%s", text);
}

/*
 * Takes the tables of a Lua spec again if a script has run since, which may have changed them.
 * Returns -1 if they cannot be taken.
 */
static int renew(struct document *doc, struct error *err)
{
	struct node *root = NULL;

	if (doc->format != FORMAT_LUA || script_turns(doc->script) == doc->turns)
		return 0;
	if (script_call(doc->script, "document", NULL, &root, err) != 0)
		return -1;
	doc->turns = script_turns(doc->script);
	if (node_equal(root, targets_document(doc->targets))) {
		node_free(root);
		return 0;
	}
	targets_free(doc->targets);
	doc->targets = targets_new(root, doc->rules, doc->options.memory_bytes);
	return 1;
}

int document_merge(struct document *doc, const char *target, const struct words *settings,
    struct merged *out, struct report *report)
{
	struct error err = { 0 };
	size_t before = report->count;
	bool is_whole;

	memset(out, 0, sizeof(*out));
	if (renew(doc, &err) < 0) {
		report_script_error(doc, &err, report);
		return -1;
	}
	is_whole = targets_merge(doc->targets, target, settings, out, report);
	if (report->count == before)
		return 0;
	document_place(doc, report, before);
	if (is_whole)
		return 1;
	merged_clear(out);
	return -1;
}

bool document_is_script(const struct document *doc)
{
	return doc->format == FORMAT_LUA;
}

bool document_is_same(struct document *doc)
{
	return renew(doc, NULL) == 0;
}

/* Finds the place of a key path in the text; returns false if the text has no part of it. */
static bool find_place(struct document *doc, const struct node *keys, struct problem *p)
{
	if (doc->text == NULL)
		return false;
	if (doc->places == NULL)
		doc->places = json_places_new(doc->text, doc->length);
	return json_place(doc->places, keys, &p->line, &p->column);
}

static void place_one(struct document *doc, struct problem *p)
{
	NODE_AUTO struct node *none = node_new(NODE_LIST), *keys = NULL;
	enum targets_origin origin =
	    targets_locate(doc->targets, p->keys == NULL ? none : p->keys, &keys);

	if (keys->count > 0) {
		free(p->path);
		p->path = where_keys_path(keys);
	}
	if (p->keys != NULL && origin == ORIGIN_SETTING)
		p->place = mem_copy("--set");
	else if (origin == ORIGIN_HOOK) /* also what its spec lacks */
		p->place = mem_copy("on_prepare");
	else if (p->keys != NULL && find_place(doc, keys, p))
		p->place = mem_format("%s:%zu:%zu", doc->name, p->line, p->column);
	else
		p->place = mem_copy(doc->name);
}

char *document_path(struct document *doc, const struct node *keys)
{
	NODE_AUTO struct node *found = NULL;

	if (keys != NULL)
		(void)targets_locate(doc->targets, keys, &found);
	return where_keys_path(found != NULL && found->count > 0 ? found : keys);
}

void document_place(struct document *doc, struct report *report, size_t first)
{
	report_cut(report, first);
	for (size_t i = first; i < report->count; i++) {
		if (report->item[i].place == NULL)
			place_one(doc, &report->item[i]);
	}
}
