/* Hooks of a document: loading files and calling functions. */

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/document_internal.h"
#include "config/read.h"

/* Returns the request that loads a hook. */
static struct node *loading_request(
    const struct hook_file *hook, const struct restart_limit *limit, const struct text_file *file)
{
	struct node *request = node_new(NODE_OBJECT);

	node_put(request, "key", node_string(hook->key));
	node_put(request, "name", node_string(hook->name));
	if (hook->path != NULL) {
		node_put(request, "path", node_string(hook->path));
		node_put(request, "text", node_string_n(file->text, file->length));
	}
	if (hook->of_option)
		node_put(request, "of_operator", node_bool(true));
	if (!limit->off)
		node_put(request, "restart_limit", node_int(limit->count));
	if (hook->options != NULL)
		node_put(request, "options", node_copy(hook->options));
	return request;
}

/*
 * Reports the problems that vmrun.options() found, one for each option.  Returns false if it found
 * none.
 */
static bool report_options(struct document *doc, const struct where *at, struct report *report)
{
	NODE_AUTO struct node *faults = NULL;
	size_t before = report->count;

	(void)document_call(doc, "hook_faults", NULL, &faults, NULL);
	for (const struct node *n = faults == NULL ? NULL : faults->first; n != NULL; n = n->next) {
		struct where option = { at, node_get_text(n, "option"), 0 };

		report_add(report, STATUS_SPEC, option.key != NULL && at != NULL ? &option : at,
		    "%s", node_get_text(n, "text"));
	}
	return report->count > before;
}

/* Returns whether the sandbox lets vmrun open the file: an error message would quote from it. */
static bool may_load(const struct document *doc, const struct hook_file *hook)
{
	MEM_AUTO char *real = NULL;

	return doc->sandbox == NULL || hook->path == NULL || hook->of_option ||
	    sandbox_is_home(doc->sandbox, hook->path, &real);
}

/* Returns whether a hook file that is loaded has a function for a hook. */
static bool has_function(const struct document *doc, const char *hook, const char *key)
{
	for (size_t i = 0; i < doc->functions.count; i++) {
		const char *of = str_after(doc->functions.item[i], hook);

		if (of != NULL && *of == ' ' && strcmp(of + 1, key) == 0)
			return true;
	}
	return false;
}

/* Notes the functions of a hook file that was loaded. */
static void note_functions(struct document *doc, const char *key, const struct node *list)
{
	for (const struct node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next) {
		if (!has_function(doc, n->text, key))
			words_take(&doc->functions, MEM_JOIN(n->text, " ", key));
	}
}

bool document_has_hook(const struct document *doc, const struct spec *spec, const char *hook)
{
	if (spec_gives(spec, hook))
		return true;
	for (size_t i = 0; i < spec->hooks.count; i++) {
		if (has_function(doc, hook, spec->hooks.item[i].key))
			return true;
	}
	return false;
}

char *document_load_hook(struct document *doc, const struct hook_file *hook, const char *vm,
    const struct restart_limit *limit, const struct where *at, struct report *report)
{
	struct document_source source = { .file = hook->path };
	TEXT_FILE_AUTO struct text_file file = { 0 };
	NODE_AUTO struct node *request = NULL, *result = NULL;
	struct error err = { 0 };
	size_t before = report->count;
	char *state_key = NULL;

	if (!may_load(doc, hook))
		return NULL;
	if (hook->path == NULL || text_read(&source, &file, &err) == 0) {
		request = loading_request(hook, limit, &file);
		if (vm != NULL)
			node_put(request, "vm", node_string(vm));
		if (document_call(doc, "load_hook", request, &result, &err) != 0 &&
		    report_options(doc, at, report))
			error_clear(&err); /* its problems are reported one by one */
		note_functions(doc, hook->key, node_get(result, "functions"));
		if (node_get_text(result, "keeps") != NULL)
			state_key = mem_copy(node_get_text(result, "keeps"));
	}
	if (err.text != NULL)
		report_take(report, at, &err);
	for (size_t i = before; hook->of_option && i < report->count; i++)
		report->item[i].place = mem_format("--hook %s", hook->name);
	return state_key;
}

void document_hook_programs(
    struct document *doc, const struct hook_file *hook, struct words *programs)
{
	NODE_AUTO struct node *request = NULL, *list = NULL;

	if (doc->sandbox != NULL && hook->path != NULL && !hook->of_option)
		return;
	request = node_new(NODE_OBJECT);
	node_put(request, "key", node_string(hook->key));
	(void)document_call(doc, "hook_programs", request, &list, NULL);
	for (const struct node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next)
		words_add(programs, n->text);
}

int document_hooks(struct document *doc, const char *hook, const struct words *files,
    struct node **labels, struct error *err)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT);
	struct node *list = node_new(NODE_LIST);
	const char *owner = document_is_script(doc) ? targets_owner(doc->targets, hook) : NULL;

	for (size_t i = 0; i < files->count; i++)
		node_append(list, node_string(files->item[i]));
	node_put(request, "name", node_string(hook));
	if (owner != NULL)
		node_put(request, "owner", node_string(owner));
	node_put(request, "files", list);
	return document_call(doc, "hooks", request, labels, err);
}

uint64_t document_turns(const struct document *doc)
{
	return doc->script == NULL ? 0 : script_turns(doc->script);
}

/* Gives the devices of a spec their slots. */
static void put_slots(const struct node *spec, const struct node *slots)
{
	const struct node *list = node_get(spec, "emulations"), *slot = slots->first;

	for (struct node *n = list == NULL || !node_is_list(list) ? NULL : list->first;
	     n != NULL && slot != NULL; n = n->next, slot = slot->next) {
		if (n->kind == NODE_OBJECT)
			node_put(n, "slot", node_string(slot->text));
	}
}

/* Takes the functions out of a spec, and returns whose they are.  Caller frees. */
static struct node *take_functions(const struct document *doc, struct node *spec)
{
	struct node *owners = node_new(NODE_OBJECT);

	for (const struct node *n = spec->first, *next; n != NULL; n = next) {
		const char *owner = targets_owner(doc->targets, n->key);

		next = n->next;
		if (n->kind != NODE_FUNCTION)
			continue;
		if (owner != NULL)
			node_put(owners, n->key, node_string(owner));
		node_free(node_take(spec, n->key));
	}
	return owners;
}

void document_put_spec(struct document *doc, const struct node *slots, struct node *argument)
{
	struct node *spec = targets_last(doc->targets);

	put_slots(spec, slots);
	node_put(argument, "owners", take_functions(doc, spec));
	node_put(argument, "spec", spec);
}

const struct node *document_take_spec(struct document *doc, const struct node *changed)
{
	return targets_replace(doc->targets, changed);
}

struct node *document_leads(struct document *doc, const struct words *files)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT);
	struct node *list = node_new(NODE_LIST), *leads = NULL;

	for (size_t i = 0; i < files->count; i++)
		node_append(list, node_string(files->item[i]));
	node_put(request, "files", list);
	(void)document_call(doc, "leads", request, &leads, NULL);
	return leads;
}

/* Returns { name, index, argument }.  Caller frees. */
static struct node *call_request(const char *hook, size_t index, struct node *argument)
{
	struct node *request = node_new(NODE_OBJECT);

	node_put(request, "name", node_string(hook));
	node_put(request, "index", node_int((int64_t)index));
	node_put(request, "argument", argument);
	return request;
}

static int begin(struct document *doc, const char *function, const struct node *request,
    struct script_reply *reply, struct error *err)
{
	struct script *script = document_script(doc, err);

	return script == NULL ? -1 : script_begin(script, function, request, reply, err);
}

int document_begin_hook(struct document *doc, const char *hook, size_t index, struct node *argument,
    struct script_reply *reply, struct error *err)
{
	NODE_AUTO struct node *request = call_request(hook, index, argument);

	return begin(doc, "call", request, reply, err);
}

int document_call_hook(struct document *doc, const char *hook, size_t index, struct node *argument,
    struct node **answer, struct error *err)
{
	NODE_AUTO struct node *request = call_request(hook, index, argument);

	return document_call(doc, "call", request, answer, err);
}

int document_begin_run(struct document *doc, const char *text, size_t length, const char *name,
    struct script_reply *reply, struct error *err)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT);

	node_put(request, "name", node_string(name));
	node_put(request, "text", node_string_n(text, length));
	return begin(doc, "run", request, reply, err);
}

int document_forget_state(
    struct document *doc, const char *name, const char *older, struct error *err)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT), *why = NULL;
	int rc;

	if (doc->script != NULL && script_is_left(doc->script))
		return error_set(err, STATUS_CHECK,
		    "a hook is computing, and may be using vmrun.state: try again when it has "
		    "ended");
	node_put(request, "name", node_string(name));
	node_put(request, "older", node_string(older));
	rc = document_call(doc, "forget_state", request, &why, err);
	if (why != NULL)
		rc = error_set(err, STATUS_CHECK, "%s", why->text);
	return rc;
}
