/* Merges the layers of a target over the base. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "target/overlay.h"
#include "target/targets_inside.h"

/*
 * Keys that are not merged as other keys are: `name` and `targets` are refused in a target,
 * `extends` has been applied already, and devices have rules of their own.
 */
static bool is_apart(const char *key)
{
	static const char *const apart[] = { "name", "targets", "extends", "emulations" };

	for (size_t i = 0; i < sizeof(apart) / sizeof(*apart); i++) {
		if (strcmp(key, apart[i]) == 0)
			return true;
	}
	return false;
}

void merge_free_view(struct view *view)
{
	if (view == NULL)
		return;
	free(view->item);
	free(view->devices.entry);
	free(view);
}

static struct view *make_base(struct targets *t)
{
	struct view *view = mem_zero(sizeof(*view));
	const struct node *document = t->document, *list = node_get(document, "emulations");

	view->item = mem_zero((document->count + 1) * sizeof(*view->item));
	/* Decoding reports a document that is not an object. */
	for (const struct node *n = document->kind == NODE_OBJECT ? document->first : NULL;
	     n != NULL; n = n->next) {
		const struct node *rules = node_get(t->rules, n->key), *value = n;

		if (n->kind == NODE_NULL || (is_apart(n->key) && strcmp(n->key, "name") != 0))
			continue;
		if (rules != NULL && !overlay_is_clean(n, rules))
			value = targets_keep(t, overlay_clean(n, rules));
		view->item[view->count++] = (struct item){ n->key, value };
	}
	devices_start(t, &view->devices, list == NULL || list->kind == NODE_NULL ? NULL : list);
	return view;
}

/* Merges one key of a target. */
static const struct node *merge_key(
    struct targets *t, const struct node *below, const struct node *above)
{
	const struct node *rules = node_get(t->rules, above->key);

	if (above->kind == NODE_NULL)
		return NULL;
	return rules == NULL ? above : targets_keep(t, overlay(below, above, rules));
}

/* Merges the keys of a target, which are sorted as those of the view are. */
static void lay(
    struct targets *t, struct view *view, const struct view *below, const struct node *table)
{
	const struct node *n = table->first;
	size_t i = 0;

	view->item = mem_zero((below->count + table->count + 1) * sizeof(*view->item));
	while (i < below->count || n != NULL) {
		const struct item *under = i < below->count ? &below->item[i] : NULL;
		int order = under == NULL ? 1 : n == NULL ? -1 : strcmp(under->key, n->key);
		struct item *item = &view->item[view->count];

		if (order <= 0)
			*item = *under;
		else
			*item = (struct item){ n->key, NULL };
		if (order >= 0 && !is_apart(n->key))
			item->value = merge_key(t, item->value, n);
		view->count += item->value != NULL ? 1 : 0;
		i += order <= 0 ? 1 : 0;
		n = order >= 0 ? n->next : n;
	}
}

/* Reports that the memory for merges is used up, unless a target below has done so. */
static void refuse(struct layer *layer)
{
	if (layer->below != NULL && layer->below->faulty != NULL)
		return;
	targets_problem(&layer->problems, targets_path("targets", layer->target->name, NULL),
	    "merging this target and those that it extends needs too much memory: extend fewer "
	    "targets");
}

static struct view *lay_over(struct targets *t, const struct view *below, struct layer *layer)
{
	const struct node *table = layer->target->table, *list = node_get(table, "emulations");
	struct view *view = mem_zero(sizeof(*view));

	if (t->room == 0) {
		refuse(layer);
		return view;
	}
	lay(t, view, below, table);
	view->devices = devices_fork(&below->devices);
	targets_spend(t,
	    (below->count + table->count + 1) * sizeof(*view->item) +
		below->devices.count * sizeof(*view->devices.entry));
	if (list != NULL)
		devices_lay(t, &view->devices, layer, list, &layer->problems);
	return view;
}

/* Merges a layer over what is below it. */
static void merge_layer(struct targets *t, struct layer *layer)
{
	const struct layer *below = layer->below;

	layer->view = lay_over(t, below == NULL ? t->base : below->view, layer);
	if (layer->problems.count > 0)
		layer->faulty = layer;
	else if (below != NULL)
		layer->faulty = below->faulty;
}

const struct view *merge_view(struct targets *t, struct layer *top)
{
	struct layer **waiting;
	size_t count = 0;

	if (t->base == NULL)
		t->base = make_base(t);
	for (const struct layer *l = top; l != NULL && l->view == NULL; l = l->below)
		count++;
	waiting = mem_zero((count + 1) * sizeof(struct layer *));
	for (struct layer *l = top; l != NULL && l->view == NULL; l = l->below)
		*waiting++ = l;
	for (size_t i = 0; i < count; i++)
		merge_layer(t, *--waiting);
	free(waiting);
	return top == NULL ? t->base : top->view;
}

static struct node *build_devices(const struct devices *d, struct merged *out)
{
	struct node *list;

	if (d->whole != NULL)
		return node_copy(d->whole);
	list = node_new(d->count == 0 ? d->empty : NODE_LIST);
	for (size_t i = 0; i < d->count; i++) {
		node_append(list, node_lend(d->entry[i].value, NULL));
		if (d->entry[i].removed)
			node_append(out->removed, node_int((int64_t)i + 1));
	}
	return list;
}

void merge_build(const struct targets *t, const struct view *view, struct merged *out)
{
	memset(out, 0, sizeof(*out));
	out->removed = node_new(NODE_LIST);
	out->base_devices = view->devices.base;
	if (!node_is_object(t->document)) {
		out->spec = node_copy(t->document); /* what is wrong with it is reported */
		return;
	}
	out->spec = node_new(NODE_OBJECT);
	for (size_t i = 0; i < view->count; i++)
		node_append(out->spec, node_lend(view->item[i].value, view->item[i].key));
	if (view->devices.is_given || view->devices.whole != NULL)
		node_put(out->spec, "emulations", build_devices(&view->devices, out));
}

/*
 * Adds copies of the problems that the layers up to this one had, the lowest first, and no more of
 * them than a report has.
 */
static void add_problems(const struct layer *top, struct report *report)
{
	const struct layer **list;
	size_t count = 0, copied = 0;

	for (const struct layer *l = top; l != NULL && l->faulty != NULL; l = l->faulty->below)
		count++;
	list = mem_zero((count + 1) * sizeof(struct layer *));
	for (const struct layer *l = top; l != NULL && l->faulty != NULL; l = l->faulty->below)
		*list++ = l->faulty;
	for (size_t i = 0; i < count; i++) {
		const struct report *own = &(*--list)->problems;

		for (size_t k = 0; k < own->count && copied++ < MAX_REPORT_PROBLEMS; k++)
			targets_problem(
			    report, node_copy(own->item[k].keys), "%s", own->item[k].text);
	}
	free(list);
}

void merge_own(const struct targets *t, const struct view *view, struct merged *out)
{
	struct node *lent;

	merge_build(t, view, out);
	lent = out->spec;
	out->spec = node_copy(lent);
	node_free(lent);
}

/* Merges a view and settings over it. */
static void merge_set(struct targets *t, const struct view *view, const struct words *settings,
    struct merged *out, struct node *paths, struct report *report)
{
	if (settings == NULL || settings->count == 0) {
		merge_build(t, view, out);
		return;
	}
	merge_own(t, view, out);
	settings_apply(t, out, settings, paths, report);
}

bool targets_merge(struct targets *t, const char *target, const struct words *settings,
    struct merged *out, struct report *report)
{
	size_t before = report->count;
	struct layer *top = layers_top(t, target, report);
	const struct view *view = merge_view(t, top);
	bool is_whole = report->count == before && t->room > 0;

	node_free(t->last.set);
	node_free(t->last.replaced);
	t->last = (struct last){ top, settings, node_new(NODE_LIST), NULL, true };
	add_problems(top, report);
	before = report->count;
	merge_set(t, view, settings, out, t->last.set, report);
	return is_whole && report->count == before;
}

/* Drops the devices that a target removes, whose places are sorted. */
static void drop_removed(struct merged *m)
{
	const struct node *removed = m->removed->first;
	struct node *list, *kept;
	int64_t place = 0;

	if (removed == NULL)
		return;
	list = node_take(m->spec, "emulations");
	kept = node_new(NODE_LIST);
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (removed == NULL || removed->integer != ++place)
			node_append(kept, node_copy(n));
		else
			removed = removed->next;
	}
	node_free(list);
	node_put(m->spec, "emulations", kept);
}

struct node *targets_last(struct targets *t)
{
	struct merged m;
	struct node *set = node_new(NODE_LIST), *spec;
	REPORT_AUTO struct report ignored = { 0 };

	if (t->last.replaced != NULL) {
		node_free(set);
		return node_copy(t->last.replaced);
	}
	merge_set(t, merge_view(t, t->last.top), t->last.settings, &m, set, &ignored);
	drop_removed(&m);
	spec = node_copy(m.spec);
	node_free(set);
	merged_clear(&m);
	return spec;
}

const struct node *targets_replace(struct targets *t, const struct node *spec)
{
	struct node *clean = overlay_clean(spec, t->rules);

	node_free(t->last.replaced);
	t->last.replaced = clean;
	return clean;
}

const char *targets_owner(const struct targets *t, const char *key)
{
	const struct node *value;

	if (!t->last.is_merged)
		return NULL;
	for (const struct layer *l = t->last.top; l != NULL; l = l->below) {
		value = node_get(l->target->table, key);
		if (value != NULL)
			return value->kind == NODE_NULL ? NULL : l->target->name;
	}
	value = node_get(t->document, key);
	return value == NULL || value->kind == NODE_NULL ? NULL : "";
}
