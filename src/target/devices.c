/* Merges emulations: an entry of a target changes the device with its id, or is appended. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "target/names.h"
#include "target/overlay.h"
#include "target/targets_inside.h"

/* One list of a layer, while it is merged into the devices. */
struct laying {
	struct targets *t;
	struct devices *d;
	const struct layer *layer;
	struct names ids;    /* id: place, from 0 */
	struct names models; /* model: how many devices had it when they were noted */
	size_t known;	     /* devices in the tables */
	size_t before;	     /* devices that are not of this list */
	struct report *problems;
};

static struct entry *add(struct devices *d, const struct node *value)
{
	d->entry = mem_grow(d->entry, d->count, sizeof(*d->entry));
	d->entry[d->count] = (struct entry){ .value = value };
	return &d->entry[d->count++];
}

/* Returns a device without nulls; the document's own if it has none. */
static const struct node *clean(struct targets *t, const struct node *device)
{
	return overlay_is_clean(device, NULL) ? device
					      : targets_keep(t, overlay_clean(device, NULL));
}

void devices_start(struct targets *t, struct devices *d, const struct node *list)
{
	memset(d, 0, sizeof(*d));
	d->empty = NODE_EMPTY;
	if (list == NULL)
		return;
	if (!node_is_list(list)) {
		d->whole = list;
		return;
	}
	d->is_given = true;
	d->empty = list->kind;
	for (const struct node *n = list->first; n != NULL; n = n->next)
		add(d, clean(t, n));
	d->base = d->count;
}

struct devices devices_fork(const struct devices *d)
{
	struct devices fork = *d;

	if (d->entry != NULL) {
		fork.entry = mem_resize(NULL, mem_room(d->count), sizeof(*fork.entry));
		memcpy(fork.entry, d->entry, d->count * sizeof(*fork.entry));
	}
	return fork;
}

/*
 * Notes the id of the device at a place: its own, or MODEL-N, where N counts the devices of that
 * model from 0.  Both stay when a layer changes the model.
 */
static void note(struct laying *l, size_t place)
{
	struct entry *e = &l->d->entry[place];
	const struct node *id = node_get(e->value, "id");
	size_t number;

	if (!e->is_noted)
		e->model = node_get_text(e->value, "device");
	number = e->model == NULL ? 0 : names_at(&l->models, e->model)->number++;
	if (!e->is_noted && id == NULL && e->model != NULL) {
		MEM_AUTO char *made = mem_format("%s-%zu", e->model, number);

		e->id = targets_keep(l->t, node_string(made))->text;
	} else if (!e->is_noted && id != NULL && id->kind == NODE_STRING) {
		e->id = id->text;
	}
	e->is_noted = true;
	if (e->id != NULL && names_find(&l->ids, e->id) == NULL)
		names_at(&l->ids, e->id)->number = place;
}

/*
 * Finds the device with an id.  The tables of ids are made at the first call, because most layers
 * do not need them.
 */
static bool find(struct laying *l, const char *id, size_t *place)
{
	const struct name *found;

	for (; l->known < l->d->count; l->known++)
		note(l, l->known);
	found = names_find(&l->ids, id);
	if (found != NULL)
		*place = found->number;
	return found != NULL;
}

static void complain(
    struct laying *l, size_t entry, const char *key, const char *text, const char *more)
{
	struct node *path = targets_path("targets", l->layer->target->name, "emulations");

	node_append(path, node_int((int64_t)entry));
	node_append(path, node_string(key));
	targets_problem(l->problems, path, "%s%s", text, more);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns `, did you mean "x"?` for an id that no device has.  Caller frees. */
static char *hint(const struct laying *l, const char *id)
{
	const char **known = mem_zero((l->ids.count + 1) * sizeof(*known));
	struct near near = { .wanted = id };
	size_t count = 0;

	for (size_t i = 0; i < l->ids.room; i++) {
		if (l->ids.item[i].text != NULL)
			known[count++] = l->ids.item[i].text;
	}
	qsort(known, count, sizeof(*known), compare_texts);
	for (size_t i = 0; i < count; i++)
		near_offer(&near, known[i]);
	free(known);
	return near_hint(&near);
}

static void complain_of_id(struct laying *l, size_t entry, const char *text, const char *id)
{
	MEM_AUTO char *near = hint(l, id);
	MEM_AUTO char *more = mem_format(" \"%s\"%s", id, near);

	complain(l, entry, "id", text, more);
}

/*
 * Reports keys of an entry that removes a device, which would have no effect: nothing decodes them.
 * Returns whether there are none.
 */
static bool only_removes(struct laying *l, const struct node *device, size_t entry)
{
	static const char *const taken[] = { "id", "device", "remove" };
	bool is_right = true;

	for (const struct node *n = device->first; n != NULL; n = n->next) {
		bool is_taken = false;

		for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
			is_taken = is_taken || strcmp(n->key, taken[i]) == 0;
		if (is_taken)
			continue;
		MEM_AUTO char *text = mem_format("key \"%s\" beside \"remove\": true", n->key);

		complain(l, entry, n->key, text,
		    ": an entry that removes a device has only \"id\", \"device\" and \"remove\"");
		is_right = false;
	}
	return is_right;
}

/* Reports what is wrong with the `remove` of an entry.  Returns whether it removes the device. */
static bool removes(
    struct laying *l, const struct node *device, size_t entry, bool is_found, bool *is_wrong)
{
	const struct node *remove = node_get(device, "remove");
	const char *id = node_get_text(device, "id");

	*is_wrong = true;
	if (remove->kind != NODE_BOOL)
		complain(
		    l, entry, "remove", "expected true or false, got ", targets_describe(remove));
	else if (!remove->truth)
		*is_wrong = false;
	else if (is_found)
		*is_wrong = !only_removes(l, device, entry);
	else if (id == NULL)
		complain(l, entry, "remove", "missing id: give the id of the device to change", "");
	else
		complain_of_id(l, entry, "no device has the id", id);
	return !*is_wrong && remove->truth;
}

/* Returns whether an entry has another program's word for "device", which decoding knows. */
static bool has_foreign_kind(const struct node *device)
{
	struct near near = { .words = NEAR_FIELD };

	for (const struct node *n = device->first; n != NULL; n = n->next) {
		near.wanted = n->key;
		near_offer(&near, "device");
	}
	return near.best != NULL;
}

/*
 * Reports an entry with an id that changes no device, as none has that id, and adds none, as it
 * names no kind.  Decoding, which reports other entries without a kind, does not know the ids.
 */
static bool is_lost(struct laying *l, const struct node *device, size_t entry, const char *id)
{
	const struct node *kind = node_get(device, "device");

	if (id == NULL || (kind != NULL && kind->kind != NODE_NULL))
		return false;
	MEM_AUTO char *near = hint(l, id);

	if (*near == '\0' && has_foreign_kind(device))
		return false;
	complain_of_id(l, entry, "\"device\" is missing, and no device to change has the id", id);
	return true;
}

/* Records that an entry of the layer has added or changed a device. */
static void trace(struct laying *l, struct entry *e, size_t entry)
{
	struct origin *o = mem_zero(sizeof(*o));

	o->before = e->origin;
	o->layer = l->layer;
	o->entry = entry;
	o->next_kept = l->t->origins;
	l->t->origins = o;
	e->origin = o;
}

/* Returns the entry as it is merged: without `remove`. */
static const struct node *without_remove(struct laying *l, const struct node *device)
{
	struct node *copy;

	if (node_get(device, "remove") == NULL)
		return device;
	copy = node_copy(device);
	node_free(node_take(copy, "remove"));
	return targets_keep(l->t, copy);
}

/* Merges one entry of the list, the entry-th from 1. */
static void lay_entry(struct laying *l, const struct node *device, size_t entry)
{
	const char *id = node_get_text(device, "id");
	size_t place = 0;
	bool is_found = id != NULL && find(l, id, &place), is_wrong = false;
	struct entry *e;

	if (node_get(device, "remove") != NULL) {
		if (removes(l, device, entry, is_found, &is_wrong))
			l->d->entry[place].removed = true;
		if (is_wrong || node_get(device, "remove")->truth)
			return;
		device = without_remove(l, device);
	}
	/* Two entries with the same id that both name a model are two devices, not a change. */
	if (is_found && place >= l->before && node_get(device, "device") != NULL) {
		MEM_AUTO char *text = mem_format("two devices of this list have the id \"%s\"", id);

		complain(l, entry, "id", text, "");
		return;
	}
	if (is_found) {
		e = &l->d->entry[place];
		e->value = targets_keep(l->t, overlay(e->value, device, NULL));
		e->removed = false;
	} else if (!is_lost(l, device, entry, id)) {
		e = add(l->d, clean(l->t, device));
	} else {
		return;
	}
	trace(l, e, entry);
}

void devices_lay(struct targets *t, struct devices *d, const struct layer *layer,
    const struct node *list, struct report *problems)
{
	struct laying l = { t, d, layer, .before = d->count, .problems = problems };
	size_t entry = 0;

	if (list->kind == NODE_NULL) { /* removes all devices so far */
		for (size_t i = 0; i < d->count; i++)
			d->entry[i].removed = true;
		return;
	}
	if (!node_is_list(list)) {
		targets_problem(problems,
		    targets_path("targets", layer->target->name, "emulations"),
		    "expected a list of devices, got %s", targets_describe(list));
		return;
	}
	if (d->whole != NULL)
		return; /* not a list: what is wrong with it is reported */
	d->is_given = true;
	d->empty = NODE_EMPTY;
	for (const struct node *n = list->first; n != NULL; n = n->next)
		lay_entry(&l, n, ++entry);
	names_free(&l.ids);
	names_free(&l.models);
}
