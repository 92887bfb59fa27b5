/* The targets of a document: their names, and what is wrong with them whatever is booted. */
#include "target/targets.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "target/targets_inside.h"

#define MAX_NAME 64

void merged_clear(struct merged *m)
{
	node_free(m->spec);
	node_free(m->removed);
	memset(m, 0, sizeof(*m));
}

/* Returns whether a target can have the name.  Names stand in messages, tables and commands. */
static bool is_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	static const char others[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789._-";
	size_t n = strlen(name);

	return n > 0 && n <= MAX_NAME && strspn(name, others) == n &&
	    (strchr(letters, *name) != NULL || (*name >= '0' && *name <= '9'));
}

static const struct node *tables_of(const struct node *document)
{
	const struct node *all = node_get(document, "targets");

	return all != NULL && all->kind == NODE_OBJECT ? all : NULL;
}

static void add_default(struct words *names, bool *has_default)
{
	if (!*has_default)
		words_add(names, "default");
	*has_default = true;
}

/* Lists the names that a target can have; "default" always exists. */
static void list_names(struct targets *t)
{
	bool has_default = false;

	for (size_t i = 0; i < t->count; i++) {
		const char *name = t->target[i].name;
		int order = strcmp(name, "default");

		if (order > 0)
			add_default(&t->names, &has_default);
		if (order == 0)
			has_default = true;
		if (is_name(name))
			words_add(&t->names, name);
	}
	add_default(&t->names, &has_default);
}

struct targets *targets_new(struct node *document, const struct node *rules, size_t room)
{
	struct targets *t = mem_zero(sizeof(*t));
	const struct node *all = tables_of(document);

	t->document = document;
	t->rules = rules;
	t->room = room;
	if (all != NULL)
		t->target = mem_zero((all->count + 1) * sizeof(*t->target));
	for (const struct node *n = all == NULL ? NULL : all->first; n != NULL; n = n->next) {
		t->target[t->count].name = n->key;
		t->target[t->count++].table = n;
	}
	list_names(t);
	return t;
}

static void free_layers(struct target *target)
{
	for (struct layer *l = target->layers, *next; l != NULL; l = next) {
		next = l->next;
		merge_free_view(l->view);
		report_free(&l->problems);
		free(l);
	}
	free(target->parent);
}

void targets_free(struct targets *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		free_layers(&t->target[i]);
	merge_free_view(t->base);
	for (size_t i = 0; i < t->kept_count; i++)
		node_free(t->kept[i]);
	for (struct origin *o = t->origins, *next; o != NULL; o = next) {
		next = o->next_kept;
		free(o);
	}
	node_free(t->last.set);
	node_free(t->last.replaced);
	words_free(&t->names);
	words_free(&t->placed_of);
	node_free(t->document);
	free(t->kept);
	free(t->placed);
	free(t->target);
	free(t);
}

const struct node *targets_document(const struct targets *t)
{
	return t->document;
}

static bool has(const struct node *table, const char *key, const char *text)
{
	const char *value = node_get_text(table, key);

	return value != NULL && strcmp(value, text) == 0;
}

bool targets_have(const struct targets *t, const char *key, const char *text)
{
	const struct node *tables = node_get(t->document, "targets");

	if (has(t->document, key, text))
		return true;
	for (const struct node *n = tables == NULL ? NULL : tables->first; n != NULL; n = n->next) {
		if (has(n, key, text))
			return true;
	}
	return false;
}

const struct words *targets_names(const struct targets *t)
{
	return &t->names;
}

char *targets_unknown(const struct words *names, const char *wanted)
{
	struct near near = { .wanted = wanted };
	struct str all = { 0 };

	for (size_t i = 0; i < names->count; i++) {
		near_offer(&near, names->item[i]);
		str_addf(&all, "%s%s", i > 0 ? ", " : "", names->item[i]);
	}
	MEM_AUTO char *hint = near_hint(&near);
	MEM_AUTO char *known = str_take(&all);

	return mem_format("unknown target \"%s\"%s (known: %s)", wanted, hint, known);
}

/* Returns the bytes of a tree, with what the allocator adds. */
static size_t size_of(const struct node *n)
{
	size_t size = sizeof(*n) + 32 + n->length;

	for (const struct node *child = n->first; child != NULL; child = child->next)
		size += size_of(child);
	return size;
}

void targets_spend(struct targets *t, size_t bytes)
{
	t->room -= bytes < t->room ? bytes : t->room;
}

const struct node *targets_keep(struct targets *t, struct node *n)
{
	targets_spend(t, size_of(n));
	t->kept = mem_grow(t->kept, t->kept_count, sizeof(*t->kept));
	t->kept[t->kept_count++] = n;
	return n;
}

static int compare_names(const void *name, const void *target)
{
	return strcmp(name, ((const struct target *)target)->name);
}

struct target *targets_find(const struct targets *t, const char *name)
{
	return t->count == 0
	    ? NULL
	    : bsearch(name, t->target, t->count, sizeof(*t->target), compare_names);
}

bool targets_is_base(const struct targets *t, const char *name)
{
	return strcmp(name, "default") == 0 && targets_find(t, name) == NULL;
}

void targets_problem(struct report *report, struct node *keys, const char *fmt, ...)
{
	struct problem *p;
	va_list ap;

	va_start(ap, fmt);
	MEM_AUTO char *text = mem_vformat(fmt, ap);

	va_end(ap);
	report_add(report, STATUS_SPEC, NULL, "%s", text);
	p = &report->item[report->count - 1];
	p->keys = keys;
	if (keys->count > 0)
		p->path = where_keys_path(keys);
}

struct node *targets_path(const char *a, const char *b, const char *c)
{
	const char *const keys[] = { a, b, c };
	struct node *path = node_new(NODE_LIST);

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && keys[i] != NULL; i++)
		node_append(path, node_string(keys[i]));
	return path;
}

const char *targets_describe(const struct node *n)
{
	if (n->kind == NODE_INT || n->kind == NODE_NUMBER)
		return "a number";
	if (n->kind == NODE_LIST && n->count == 0)
		return "an empty list";
	if (n->kind == NODE_OBJECT && n->count == 0)
		return "an empty object";
	return node_kind_name(n);
}

static void check_name(const char *name, struct report *report)
{
	MEM_AUTO char *visible = mem_copy(name);

	for (char *p = visible; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	targets_problem(report, targets_path("targets", name, NULL),
	    "invalid target name \"%s\": expected letters, digits, \".\", \"_\" and \"-\", first a "
	    "letter or digit, at most %d of them",
	    visible, MAX_NAME);
}

static void check_table(const struct target *target, struct report *report)
{
	static const char *const foreign[] = { "name", "targets" };

	if (!node_is_object(target->table)) {
		targets_problem(report, targets_path("targets", target->name, NULL),
		    "expected an object, got %s", targets_describe(target->table));
		return;
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		if (node_get(target->table, foreign[i]) != NULL)
			targets_problem(report, targets_path("targets", target->name, foreign[i]),
			    "%s cannot be in a target", foreign[i]);
	}
}

void targets_check(const struct targets *t, struct report *report)
{
	const struct node *all = node_get(t->document, "targets");

	if (node_get(t->document, "extends") != NULL)
		targets_problem(report, targets_path("extends", NULL, NULL),
		    "only a target can extend another");
	if (all != NULL && all->kind != NODE_NULL && !node_is_object(all))
		targets_problem(report, targets_path("targets", NULL, NULL),
		    "expected an object of targets, got %s", targets_describe(all));
	for (size_t i = 0; i < t->count; i++) {
		if (is_name(t->target[i].name))
			check_table(&t->target[i], report);
		else
			check_name(t->target[i].name, report);
	}
}
