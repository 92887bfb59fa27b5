/* The spec as written by the user. */
#include "config/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "base/json_node.h"
#include "config/document_internal.h"
#include "config/json_check.h"
#include "config/read.h"
#include "config/source.h"
#include "platform/sandbox.h"

#define MAX_UCL_QUOTE 60 /* bytes of uclcmd's answer in a message */

void merged_clear(struct merged *m)
{
	node_free(m->spec);
	node_free(m->removed);
	memset(m, 0, sizeof(*m));
}

static int evaluate(struct document *doc, struct node *notes, struct error *err)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT), *result = NULL;

	node_put(request, "format", node_string(doc->format == FORMAT_LUA ? "lua" : "json"));
	node_put(request, "name", node_string(doc->name));
	node_put(request, "directory", node_string(doc->directory));
	node_put(request, "text", node_string_n(doc->text, doc->length));
	if (document_is_of_ucl(doc))
		node_put(request, "of_ucl", node_bool(true));
	if (notes != NULL)
		node_put(request, "notes", notes);
	return script_call(doc->script, "load", request, &result, err);
}

/* Reports an error of Lua, "vm.lua:3: unexpected symbol", with its place apart from its text. */
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
	NODE_AUTO struct node *request = node_new(NODE_OBJECT), *result = NULL;
	struct node *causes = node_new(NODE_LIST);

	node_put(request, "merge", merge_rules);
	for (int i = 0; i < CAUSES; i++)
		node_append(causes, node_string(cause_name((enum cause)i)));
	node_put(request, "causes", causes);
	return script_call(doc->script, "configure", request, &result, err);
}

/* Reports problems that Lua found: { path = {...}, text = "..." } each. */
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
	NODE_AUTO struct node *result = NULL;
	const struct node *names;

	if (script_call(doc->script, "targets", NULL, &result, err) != 0)
		return -1;
	names = node_get(result, "names");
	for (const struct node *n = names == NULL ? NULL : names->first; n != NULL; n = n->next)
		words_add(&doc->targets, n->text);
	/* An error in one target does not prevent the checks of the others. */
	take_problems(doc, node_get(result, "problems"), report);
	return 0;
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

/* Checks JSON by the strict scanner, and that it is an object. */
static int check_json(struct document *doc, struct node **notes, struct report *report)
{
	size_t at = strspn(doc->text, " \t\r\n"), first = report->count;
	int rc = json_check(doc->name, doc->text, doc->length, notes, report);
	struct problem *p;

	if (rc == 0 && doc->text[at] != '{') {
		report_add(report, STATUS_SPEC, NULL, "a spec is an object: { \"name\": ... }");
		p = &report->item[report->count - 1];
		json_line(doc->text, at, &p->line, &p->column);
		p->place = mem_format("%s:%zu:%zu", doc->name, p->line, p->column);
		rc = -1;
	}
	for (size_t i = first; doc->format == FORMAT_UCL && i < report->count; i++)
		rewrite_ucl_problem(doc, &report->item[i]);
	return rc;
}

/* Starts Lua and hands it the document; both nodes are taken. */
static int start_script(struct document *doc, const struct script_options *limits,
    struct node *merge_rules, struct node *notes, struct error *err)
{
	NODE_AUTO struct node *rules = merge_rules, *kept = notes;

	if (script_new(&doc->script, limits, err) != 0)
		return -1;
	rules = NULL;
	if (configure(doc, merge_rules, err) != 0)
		return -1;
	kept = NULL;
	return evaluate(doc, notes, err);
}

static int open_document(struct document *doc, const struct script_options *limits,
    struct node *merge_rules, struct report *report)
{
	struct error err = { 0 };
	struct node *notes = NULL;
	int rc;

	if (doc->format != FORMAT_LUA && check_json(doc, &notes, report) != 0) {
		node_free(notes);
		node_free(merge_rules);
		return -1;
	}
	rc = start_script(doc, limits, merge_rules, notes, &err);
	if (doc->format != FORMAT_JSON) {
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
	struct script_options own = *limits;
	struct text_file file = { 0 };

	if (source_read(source, limits, &file, &doc->format, report) != 0) {
		node_free(merge_rules);
		document_free(doc);
		return NULL;
	}
	doc->name = file.name;
	doc->directory = file.directory;
	doc->text = file.text;
	doc->length = file.length;
	doc->from_stdin = source_is_stdin(source);
	if (source->sandboxed)
		own.sandbox = doc->sandbox = sandbox_new(doc->directory, source->allow);
	if (open_document(doc, &own, merge_rules, report) != 0) {
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
	words_free(&doc->targets);
	words_free(&doc->functions);
	free(doc->name);
	free(doc->directory);
	free(doc->text);
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

	report_add(
	    report, STATUS_SPEC, at, "unknown target \"%s\"%s (known: %s)", name, hint, names);
}

/* Returns KEY=VALUE texts as { key, value }; VALUE is JSON or a string. */
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
	NODE_AUTO struct node *request = node_new(NODE_OBJECT), *result = NULL;
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
	if (report->count == before && out->spec != NULL)
		return 0;
	merged_clear(out);
	return -1;
}

bool document_is_script(const struct document *doc)
{
	return doc->format == FORMAT_LUA;
}

bool document_remember(struct document *doc)
{
	struct node *nothing = NULL;

	return !document_is_script(doc) ||
	    script_call(doc->script, "remember", NULL, &nothing, NULL) == 0;
}

bool document_is_same(struct document *doc)
{
	NODE_AUTO struct node *same = NULL;

	return !document_is_script(doc) ||
	    (script_call(doc->script, "is_same", NULL, &same, NULL) == 0 && same != NULL &&
		same->kind == NODE_BOOL && same->truth);
}

/* Returns where a merged key comes from, { path, source }, or NULL.  Caller frees. */
static struct node *locate(struct document *doc, const struct node *keys)
{
	NODE_AUTO struct node *request = NULL;
	struct node *result = NULL;

	if (keys == NULL)
		return NULL;
	request = node_new(NODE_OBJECT);
	node_put(request, "path", node_copy(keys));
	(void)script_call(doc->script, "locate", request, &result, NULL);
	return result;
}

static void place_one(struct document *doc, struct problem *p)
{
	NODE_AUTO struct node *result = locate(doc, p->keys);
	const struct node *keys = node_get(result, "path");
	const char *source = node_get_text(result, "source");

	if (source == NULL)
		source = "file";
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
}

char *document_path(struct document *doc, const struct node *keys)
{
	NODE_AUTO struct node *result = locate(doc, keys);
	const struct node *found = node_get(result, "path");
	char *path = where_keys_path(found != NULL && found->count > 0 ? found : keys);

	return path;
}

void document_place(struct document *doc, struct report *report, size_t first)
{
	report_cut(report, first);
	for (size_t i = first; i < report->count; i++) {
		if (report->item[i].place == NULL)
			place_one(doc, &report->item[i]);
	}
}
