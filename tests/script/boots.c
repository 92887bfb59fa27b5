/* Does what src/config does around a script, one call at a time. */
#include "support.h"

#include <string.h>

#include "base/mem.h"
#include "base/node_json.h"
#include "boots.h"
#include "config/document_internal.h"
#include "config/json_read.h"

/* The document of the script that the test uses. */
static struct document doc;
static struct node *causes;
static struct words settings; /* of the last boot */
static bool is_json;

void boots_forget(void)
{
	targets_free(doc.targets);
	node_free(doc.rules);
	node_free(causes);
	words_free(&settings);
	memset(&doc, 0, sizeof(doc));
	causes = NULL;
	is_json = false;
}

static void begin(struct script *s)
{
	if (doc.script == s)
		return;
	boots_forget();
	doc.script = s;
	doc.format = FORMAT_LUA;
	doc.rules = node_new(NODE_OBJECT);
}

static void take_root(struct node *root)
{
	targets_free(doc.targets);
	doc.targets = targets_new(root, doc.rules, 64 * MIB);
}

/* Takes the tables of the script, if they are other ones than before. */
static int renew(struct error *err)
{
	struct node *root = NULL;

	if (is_json)
		return 0;
	if (script_call(doc.script, "document", NULL, &root, err) != 0)
		return -1;
	if (root == NULL)
		root = node_new(NODE_OBJECT);
	if (doc.targets != NULL && node_equal(root, targets_document(doc.targets)))
		node_free(root);
	else
		take_root(root);
	return 0;
}

/* Tells the engine what C knows of a document. */
static int configure_engine(const char *name, const char *directory, struct error *err)
{
	NODE_AUTO struct node *request = node_new(NODE_OBJECT), *result = NULL;
	struct node *all = node_new(NODE_OBJECT);

	for (size_t i = 0; doc.targets != NULL && i < targets_names(doc.targets)->count; i++)
		node_put(all, targets_names(doc.targets)->item[i], node_new(NODE_OBJECT));
	node_put(request, "causes", causes == NULL ? node_new(NODE_LIST) : node_copy(causes));
	node_put(request, "name", node_string(name));
	node_put(request, "directory", node_string(directory));
	node_put(request, "targets", all);
	return script_call(doc.script, "configure", request, &result, err);
}

/* Sets the rules of merging and the causes. */
static int configure(const struct node *argument, struct error *err)
{
	const struct node *merge = node_get(argument, "merge"), *all = node_get(argument, "causes");
	bool is_loaded = doc.targets != NULL;

	targets_free(doc.targets);
	doc.targets = NULL;
	node_free(doc.rules);
	doc.rules = merge == NULL ? node_new(NODE_OBJECT) : node_copy(merge);
	node_free(causes);
	causes = all == NULL ? NULL : node_copy(all);
	return is_loaded ? renew(err) : configure_engine("vm.lua", "/specs", err);
}

static int load(const struct node *argument, struct node **result, struct error *err)
{
	const char *name = node_get_text(argument, "name");
	const char *directory = node_get_text(argument, "directory");

	targets_free(doc.targets);
	doc.targets = NULL;
	is_json = false;
	if (configure_engine(name, directory, err) != 0 ||
	    script_call(doc.script, "load", argument, result, err) != 0)
		return -1;
	take_root(*result);
	*result = NULL;
	return 0;
}

/* An empty table of Lua has no mark. */
static void empty(struct node *n)
{
	if (n->count == 0)
		n->kind = NODE_EMPTY;
}

/* Returns problems as { path, text } each. */
static struct node *problems_of(const struct report *report)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0; i < report->count; i++) {
		const struct problem *p = &report->item[i];
		struct node *one = node_new(NODE_OBJECT);

		struct node *path = node_copy(p->keys);

		empty(path);
		node_put(one, "path", path);
		node_put(one, "text", node_string(p->text));
		node_append(list, one);
	}
	empty(list);
	return list;
}

static int boot(const struct node *argument, struct node **result, struct error *err)
{
	REPORT_AUTO struct report report = { 0 };
	const struct node *set = node_get(argument, "set");
	struct merged merged;

	words_free(&settings);
	for (const struct node *n = set == NULL ? NULL : set->first; n != NULL; n = n->next) {
		STR_AUTO struct str text = { 0 };

		str_addf(&text, "%s=", node_get_text(n, "key"));
		node_add_json(&text, node_get(n, "value"));
		words_add(&settings, text.text);
	}
	if (renew(err) != 0)
		return -1;
	targets_merge(doc.targets, node_get_text(argument, "target"), &settings, &merged, &report);
	*result = node_new(NODE_OBJECT);
	empty(merged.spec);
	empty(merged.removed);
	node_put(*result, "spec", merged.spec);
	node_put(*result, "removed", merged.removed);
	node_put(*result, "base_devices", node_int((int64_t)merged.base_devices));
	node_put(*result, "problems", problems_of(&report));
	return 0;
}

static int targets(struct node **result, struct error *err)
{
	REPORT_AUTO struct report report = { 0 };
	struct node *names = node_new(NODE_LIST);

	if (renew(err) != 0)
		return -1;
	targets_check(doc.targets, &report);
	for (size_t i = 0; i < targets_names(doc.targets)->count; i++)
		node_append(names, node_string(targets_names(doc.targets)->item[i]));
	*result = node_new(NODE_OBJECT);
	node_put(*result, "names", names);
	node_put(*result, "problems", problems_of(&report));
	return 0;
}

static int locate(const struct node *argument, struct node **result, struct error *err)
{
	static const char *const sources[] = {
		[ORIGIN_FILE] = "file", [ORIGIN_SETTING] = "set", [ORIGIN_HOOK] = "hook"
	};
	struct node *path = NULL;
	enum targets_origin origin;

	if (doc.targets == NULL && renew(err) != 0)
		return -1;
	origin = targets_locate(doc.targets, node_get(argument, "path"), &path);
	empty(path);
	*result = node_new(NODE_OBJECT);
	node_put(*result, "source", node_string(sources[origin]));
	node_put(*result, "path", path);
	return 0;
}

/* Returns a request for the functions of a hook with what the last boot says of the spec's own. */
static struct node *with_owner(const struct node *argument)
{
	struct node *request = node_copy(argument);
	const char *owner = doc.targets == NULL || is_json
	    ? NULL
	    : targets_owner(doc.targets, node_get_text(argument, "name"));

	if (owner != NULL)
		node_put(request, "owner", node_string(owner));
	return request;
}

/* Returns a call of on_prepare with the spec of the last boot. */
static struct node *with_spec(const struct node *argument)
{
	struct node *request = node_copy(argument), *facts = node_take(request, "argument");
	struct node *slots = node_take(facts, "slots");

	if (slots == NULL)
		slots = node_new(NODE_LIST);
	document_put_spec(&doc, slots, facts);
	node_free(slots);
	node_put(request, "argument", facts);
	return request;
}

static int call_prepare(const struct node *argument, struct node **result, struct error *err)
{
	NODE_AUTO struct node *request = with_spec(argument);
	int rc = script_call(doc.script, "call", request, result, err);
	struct node *changed;

	if (rc != 0 || *result == NULL)
		return rc;
	changed = *result;
	*result = node_copy(document_take_spec(&doc, changed));
	node_free(changed);
	return 0;
}

void boots_load_json(struct script *s, const char *text)
{
	REPORT_AUTO struct report report = { 0 };
	struct error err = { 0 };
	struct node *root = json_read("vm.json", text, strlen(text), SIZE_MAX, &report);

	begin(s);
	if (root == NULL)
		fail_msg("%s", report.item[0].text);
	take_root(root);
	is_json = true;
	if (configure_engine("vm.json", "/specs", &err) != 0)
		fail_msg("%s", err.text);
}

/*
 * Returns a call of on_exit or on_end in which the exits before stand apart, as the machine has
 * them.
 */
static struct node *with_past(const struct node *argument)
{
	static const char *const names[] = { "count", "history", "now" };
	struct node *request = node_copy(argument), *exit = node_take(request, "argument");
	struct node *past = node_new(NODE_OBJECT), *both = node_new(NODE_OBJECT);

	node_put(past, "count", node_new(NODE_OBJECT));
	node_put(past, "history", node_string(""));
	node_put(past, "now", node_int(0));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct node *fact = node_take(exit, names[i]);

		if (fact != NULL)
			node_put(past, names[i], fact);
	}
	exit->kind = NODE_OBJECT;
	node_put(both, "exit", exit);
	node_put(both, "past", past);
	node_put(request, "argument", both);
	return request;
}

int engine_call(struct script *s, const char *function, const struct node *argument,
    struct node **result, struct error *err)
{
	const char *name = node_get_text(argument, "name");

	begin(s);
	if (strcmp(function, "configure") == 0)
		return configure(argument, err);
	if (strcmp(function, "load") == 0)
		return load(argument, result, err);
	if (strcmp(function, "boot") == 0)
		return boot(argument, result, err);
	if (strcmp(function, "targets") == 0)
		return targets(result, err);
	if (strcmp(function, "locate") == 0)
		return locate(argument, result, err);
	if (strcmp(function, "call") == 0 && strcmp(name, "on_prepare") == 0)
		return call_prepare(argument, result, err);
	if (strcmp(function, "call") == 0 &&
	    (strcmp(name, "on_exit") == 0 || strcmp(name, "on_end") == 0)) {
		NODE_AUTO struct node *request = with_past(argument);

		return script_call(s, function, request, result, err);
	}
	if (strcmp(function, "hooks") == 0) {
		NODE_AUTO struct node *request = with_owner(argument);

		return script_call(s, function, request, result, err);
	}
	return script_call(s, function, argument, result, err);
}
