/* The spec as its user wrote it. */
#include "config/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "config/json_check.h"
#include "config/json_node.h"
#include "config/read.h"

struct document {
	char *name;
	char *folder;
	char *text; /* JSON only: kept for the places of problems */
	size_t length;
	enum format format;
	struct script *script;
	struct words targets;
};

static const char *const format_names[] = { "auto", "json", "lua", NULL };

bool format_find(const char *name, enum format *format)
{
	for (int i = 0; format_names[i] != NULL; i++) {
		if (strcmp(format_names[i], name) == 0) {
			*format = (enum format)i;
			return true;
		}
	}
	return false;
}

void merged_clear(struct merged *m)
{
	node_free(m->spec);
	node_free(m->removed);
	memset(m, 0, sizeof(*m));
}

/* By the extension, else by the first byte that is not a blank. */
static enum format guess_format(const struct text_file *file)
{
	const char *dot = file->name == NULL ? NULL : strrchr(file->name, '.');
	size_t i;

	if (dot != NULL && strcmp(dot, ".lua") == 0)
		return FORMAT_LUA;
	if (dot != NULL && strcmp(dot, ".json") == 0)
		return FORMAT_JSON;
	i = strspn(file->text, " \t\r\n");
	return file->text[i] == '{' || file->text[i] == '[' ? FORMAT_JSON : FORMAT_LUA;
}

static bool is_ucl(const char *name)
{
	const char *dot = name == NULL ? NULL : strrchr(name, '.');

	return dot != NULL && (strcmp(dot, ".ucl") == 0 || strcmp(dot, ".conf") == 0);
}

/* A problem of the whole document, at its name. */
static int whole(const char *name, struct report *report, enum status status, const char *text)
{
	report_add(report, status, NULL, "%s", text);
	report->item[report->count - 1].place = mem_copy(name);
	return -1;
}

/* Reads the source into doc->text; -1 with the problem reported. */
static int read_source(
    struct document *doc, const struct document_source *source, struct report *report)
{
	struct text_file file = { 0 };
	struct error err = { 0 };

	if (text_read(source, &file, &err) != 0) {
		report_take(report, NULL, &err);
		return -1;
	}
	if (file.length >= 3 && memcmp(file.text, "\xef\xbb\xbf", 3) == 0) {
		file.length -= 3; /* a UTF-8 mark, which neither Lua's loader nor cjson wants */
		memmove(file.text, file.text + 3, file.length + 1);
	}
	doc->name = file.name;
	doc->folder = file.folder;
	doc->text = file.text;
	doc->length = file.length;
	doc->format = source->format != FORMAT_AUTO ? source->format : guess_format(&file);
	if (source->format == FORMAT_AUTO && is_ucl(doc->name) && doc->format == FORMAT_LUA) {
		MEM_AUTO char *how =
		    mem_format("this is UCL: run `uclcmd get -c -f %s | vmrun -c-`", doc->name);

		return whole(doc->name, report, STATUS_SPEC, how);
	}
	if (strspn(doc->text, " \t\r\n") == doc->length)
		return whole(doc->name, report, STATUS_SPEC, "the file is empty");
	return 0;
}

static int evaluate(struct document *doc, struct node *notes, struct error *err)
{
	struct node *request = node_new(NODE_OBJECT), *result = NULL;
	int rc;

	node_put(request, "format", node_string(doc->format == FORMAT_JSON ? "json" : "lua"));
	node_put(request, "name", node_string(doc->name));
	node_put(request, "folder", node_string(doc->folder));
	node_put(request, "text", node_string_n(doc->text, doc->length));
	if (notes != NULL)
		node_put(request, "notes", notes);
	rc = script_call(doc->script, "load", request, &result, err);
	node_free(request);
	node_free(result);
	return rc;
}

/* "vm.lua:3: unexpected symbol": what stands before the text is its place. */
static void report_script_error(struct document *doc, struct error *err, struct report *report)
{
	MEM_AUTO char *text = mem_copy(err->text);
	size_t n = strlen(doc->name), digits;
	struct problem *p;

	report_take(report, NULL, err);
	if (strlen(text) <= n || memcmp(text, doc->name, n) != 0 || text[n] != ':')
		return;
	digits = strspn(text + n + 1, "0123456789");
	if (digits > 0 && text[n + 1 + digits] == ':')
		n += 1 + digits;
	p = &report->item[report->count - 1];
	p->place = mem_copy_n(text, n);
	free(p->text);
	p->text = mem_copy(text + n + 1 + strspn(text + n + 1, " "));
}

static int configure(struct document *doc, struct node *merge_rules, struct error *err)
{
	struct node *request = node_new(NODE_OBJECT), *result = NULL;
	int rc;

	node_put(request, "merge", merge_rules);
	rc = script_call(doc->script, "configure", request, &result, err);
	node_free(request);
	node_free(result);
	return rc;
}

/* Problems that the engine found: { path = {...}, text = "..." } each. */
static void take_problems(struct document *doc, const struct node *list, struct report *report)
{
	size_t first = report->count;

	for (const struct node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next) {
		const struct node *path = node_get(n, "path");
		struct problem *p;

		report_add(report, STATUS_SPEC, NULL, "%s", node_get_text(n, "text"));
		p = &report->item[report->count - 1];
		p->keys = node_copy(path);
		if (path != NULL && path->count > 0)
			p->path = where_keys_path(path);
	}
	document_place(doc, report, first);
}

static int list_targets(struct document *doc, struct report *report, struct error *err)
{
	struct node *result = NULL;
	const struct node *names;

	if (script_call(doc->script, "targets", NULL, &result, err) != 0)
		return -1;
	names = node_get(result, "names");
	for (const struct node *n = names == NULL ? NULL : names->first; n != NULL; n = n->next)
		words_add(&doc->targets, n->text);
	/* Faults of single targets leave the rest to be checked. */
	take_problems(doc, node_get(result, "problems"), report);
	node_free(result);
	return 0;
}

/* The strict scanner, and the one thing about a spec that it does not know. */
static int check_json(struct document *doc, struct node **notes, struct report *report)
{
	size_t at = strspn(doc->text, " \t\r\n");
	struct problem *p;

	if (json_check(doc->name, doc->text, doc->length, notes, report) != 0)
		return -1;
	if (doc->text[at] == '{')
		return 0;
	report_add(report, STATUS_SPEC, NULL, "a spec is an object: { \"name\": ... }");
	p = &report->item[report->count - 1];
	json_line(doc->text, at, &p->line, &p->column);
	p->place = mem_format("%s:%zu:%zu", doc->name, p->line, p->column);
	return -1;
}

static int open_document(struct document *doc, const struct script_options *limits,
    struct node *merge_rules, struct report *report)
{
	struct error err = { 0 };
	struct node *notes = NULL;
	int rc;

	if (doc->format == FORMAT_JSON && check_json(doc, &notes, report) != 0) {
		node_free(notes);
		node_free(merge_rules);
		return -1;
	}
	rc = script_new(&doc->script, limits, &err);
	if (rc != 0) {
		node_free(notes);
		node_free(merge_rules);
	} else {
		rc = configure(doc, merge_rules, &err);
		if (rc == 0)
			rc = evaluate(doc, notes, &err);
		else
			node_free(notes);
	}
	if (doc->format == FORMAT_LUA) {
		free(doc->text);
		doc->text = NULL;
	}
	if (rc == 0)
		rc = list_targets(doc, report, &err);
	if (err.text != NULL)
		report_script_error(doc, &err, report);
	return rc;
}

struct document *document_load(const struct document_source *source,
    const struct script_options *limits, struct node *merge_rules, struct report *report)
{
	struct document *doc = mem_zero(sizeof(*doc));

	if (read_source(doc, source, report) != 0) {
		node_free(merge_rules);
		document_free(doc);
		return NULL;
	}
	if (open_document(doc, limits, merge_rules, report) != 0) {
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
	words_free(&doc->targets);
	free(doc->name);
	free(doc->folder);
	free(doc->text);
	free(doc);
}

const char *document_folder(const struct document *doc)
{
	return doc->folder;
}

const struct words *document_targets(const struct document *doc)
{
	return &doc->targets;
}

void document_limit(struct document *doc, int64_t budget_ms, size_t memory_bytes)
{
	script_limit(doc->script, budget_ms, memory_bytes);
}

void document_report_target(
    const struct document *doc, const char *name, const struct where *at, struct report *report)
{
	struct near near = { .wanted = name };
	struct str all = { 0 };

	for (size_t i = 0; i < doc->targets.count; i++) {
		near_offer(&near, doc->targets.item[i]);
		str_addf(&all, "%s%s", i > 0 ? ", " : "", doc->targets.item[i]);
	}
	MEM_AUTO char *hint = near_hint(&near);
	MEM_AUTO char *names = str_take(&all);

	report_add(report, STATUS_SPEC, at, "no target \"%s\"%s (there is: %s)", name, hint, names);
}

/* KEY=VALUE texts as { key, value }; VALUE is JSON, else a string. */
static struct node *settings_node(const struct words *settings)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0; settings != NULL && i < settings->count; i++) {
		const char *text = settings->item[i], *equal = strchr(text, '=');
		struct node *one = node_new(NODE_OBJECT);
		struct node *value = json_node(equal + 1);
		MEM_AUTO char *key = mem_copy_n(text, (size_t)(equal - text));

		node_put(one, "key", node_string(key));
		node_put(one, "value", value != NULL ? value : node_string(equal + 1));
		node_append(list, one);
	}
	return list;
}

int document_merge(struct document *doc, const char *target, const struct words *settings,
    struct merged *out, struct report *report)
{
	struct node *request = node_new(NODE_OBJECT), *result = NULL;
	struct error err = { 0 };
	const struct node *count;
	size_t before = report->count;

	memset(out, 0, sizeof(*out));
	if (target != NULL)
		node_put(request, "target", node_string(target));
	node_put(request, "set", settings_node(settings));
	if (script_call(doc->script, "boot", request, &result, &err) != 0) {
		report_take(report, NULL, &err);
	} else {
		take_problems(doc, node_get(result, "problems"), report);
		count = node_get(result, "base_devices");
		out->base_devices = count == NULL ? 0 : (size_t)count->integer;
		out->spec = node_take(result, "spec");
		out->removed = node_take(result, "removed");
	}
	node_free(request);
	node_free(result);
	if (report->count == before && out->spec != NULL)
		return 0;
	merged_clear(out);
	return -1;
}

/* Where the value of a merged key was written. */
static void place_one(struct document *doc, struct problem *p)
{
	struct node *request = node_new(NODE_OBJECT), *result = NULL;
	struct error err = { 0 };
	const char *source = "file";
	const struct node *keys = NULL;

	node_put(request, "path", p->keys != NULL ? node_copy(p->keys) : node_new(NODE_LIST));
	if (p->keys != NULL && script_call(doc->script, "locate", request, &result, &err) == 0) {
		keys = node_get(result, "path");
		if (node_get_text(result, "source") != NULL)
			source = node_get_text(result, "source");
	}
	error_clear(&err);
	if (keys != NULL && keys->count > 0) {
		free(p->path);
		p->path = where_keys_path(keys);
	}
	if (strcmp(source, "set") == 0)
		p->place = mem_copy("--set");
	else if (strcmp(source, "hook") == 0)
		p->place = mem_copy("on_prepare");
	else if (doc->text != NULL && keys != NULL &&
	    json_place(doc->text, doc->length, keys, &p->line, &p->column))
		p->place = mem_format("%s:%zu:%zu", doc->name, p->line, p->column);
	else
		p->place = mem_copy(doc->name);
	node_free(request);
	node_free(result);
}

void document_place(struct document *doc, struct report *report, size_t first)
{
	report_cut(report, first);
	for (size_t i = first; i < report->count; i++) {
		if (report->item[i].place == NULL)
			place_one(doc, &report->item[i]);
	}
}

int document_hook_file(struct document *doc, const char *key, const char *name, const char *path,
    const struct node *options, struct error *err)
{
	struct document_source source = { .file = path };
	struct node *request, *list, *one, *result = NULL;
	struct text_file file = { 0 };
	int rc;

	if (text_read(&source, &file, err) != 0)
		return -1;
	one = node_new(NODE_OBJECT);
	node_put(one, "key", node_string(key));
	node_put(one, "path", node_string(path));
	node_put(one, "name", node_string(name));
	node_put(one, "text", node_string_n(file.text, file.length));
	if (options != NULL)
		node_put(one, "options", node_copy(options));
	list = node_new(NODE_LIST);
	node_append(list, one);
	request = node_new(NODE_OBJECT);
	node_put(request, "list", list);
	rc = script_call(doc->script, "hook_files", request, &result, err);
	node_free(request);
	node_free(result);
	text_free(&file);
	return rc;
}

int document_hooks(struct document *doc, const char *hook, const struct words *files,
    struct node **labels, struct error *err)
{
	struct node *request = node_new(NODE_OBJECT), *list = node_new(NODE_LIST);
	int rc;

	for (size_t i = 0; i < files->count; i++)
		node_append(list, node_string(files->item[i]));
	node_put(request, "name", node_string(hook));
	node_put(request, "files", list);
	rc = script_call(doc->script, "hooks", request, labels, err);
	node_free(request);
	return rc;
}

int document_call_hook(struct document *doc, const char *hook, size_t index, struct node *argument,
    struct node **answer, struct error *err)
{
	struct node *request = node_new(NODE_OBJECT);
	int rc;

	node_put(request, "name", node_string(hook));
	node_put(request, "index", node_int((int64_t)index));
	node_put(request, "argument", argument);
	rc = script_call(doc->script, "call", request, answer, err);
	node_free(request);
	return rc;
}
