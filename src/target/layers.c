/* The layers that make up one boot: a target over those that it extends. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "target/targets_inside.h"

/* Targets whose wrong `extends` are reported; the report of more is cut anyway. */
#define MAX_FAULTY 100

/* A list of targets in place of recursion, as chains of targets are long. */
struct way {
	struct target **item;
	size_t count, room;
};

static void add(struct way *way, struct target *target)
{
	if (way->count == way->room) {
		way->room = way->room == 0 ? 16 : 2 * way->room;
		way->item = mem_resize(way->item, way->room, sizeof(struct target *));
	}
	way->item[way->count++] = target;
}

/* Adds a parent by its name.  Returns false if it is not a name. */
static bool add_parent(
    const struct targets *t, struct target *target, const struct node *name, size_t place)
{
	if (name->kind != NODE_STRING)
		return false;
	target->parent[target->parents++] =
	    (struct parent){ name->text, targets_find(t, name->text), place };
	return true;
}

void layers_read_parents(const struct targets *t, struct target *target)
{
	const struct node *extends = node_get(target->table, "extends");
	size_t place = 0;

	if (target->is_read)
		return;
	target->is_read = true;
	if (extends == NULL || extends->kind == NODE_NULL)
		return;
	target->parent = mem_zero((extends->count + 1) * sizeof(*target->parent));
	target->is_misspelled = !node_is_list(extends);
	if (extends->kind == NODE_STRING)
		target->is_misspelled = !add_parent(t, target, extends, 0);
	for (const struct node *n = node_is_list(extends) ? extends->first : NULL; n != NULL;
	     n = n->next) {
		if (!add_parent(t, target, n, ++place))
			target->is_misspelled = true;
	}
}

/*
 * Opens a target: its parents come next on the trail.  Returns false if it cannot be laid, because
 * of a fault or a circle.
 */
static bool open_target(const struct targets *t, struct way *trail, struct target *target)
{
	layers_read_parents(t, target);
	for (size_t i = target->parents; i-- > 0;) {
		const struct parent *p = &target->parent[i];

		if (p->target == NULL && strcmp(p->name, "default") != 0)
			return false;
		if (p->target != NULL && p->target->top == NULL && p->target->walk == WALK_OPEN)
			return false; /* a circle */
		if (p->target != NULL)
			add(trail, p->target);
	}
	return !target->is_misspelled;
}

/*
 * Finds the targets without a top layer that make up one boot, each after those that it extends,
 * and all that were opened.  Returns false if one of them cannot be laid.
 */
static bool walk(
    const struct targets *t, struct target *wanted, struct way *found, struct way *opened)
{
	struct way trail = { 0 };
	bool is_well = true;

	add(&trail, wanted);
	while (is_well && trail.count > 0) {
		struct target *target = trail.item[trail.count - 1];

		if (target->top != NULL || target->walk == WALK_DONE) {
			trail.count--;
		} else if (target->walk == WALK_OPEN) {
			trail.count--;
			target->walk = WALK_DONE;
			add(found, target);
		} else if (target->is_faulty || !node_is_object(target->table)) {
			is_well = false;
		} else {
			target->walk = WALK_OPEN;
			add(opened, target);
			is_well = open_target(t, &trail, target);
		}
	}
	free(trail.item);
	return is_well;
}

/* Does the same, and remembers the targets that cannot be laid. */
static bool find_unlaid(const struct targets *t, struct target *wanted, struct way *found)
{
	struct way opened = { 0 };
	bool is_well = walk(t, wanted, found, &opened);

	for (size_t i = 0; i < opened.count; i++) {
		if (!is_well && opened.item[i]->walk == WALK_OPEN)
			opened.item[i]->is_faulty = true;
		opened.item[i]->walk = WALK_NEW;
	}
	free(opened.item);
	return is_well;
}

/* Finds the layer of a target over another one, in the shorter of the two lists that have it. */
static struct layer *find_over(const struct layer *below, const struct target *target)
{
	struct layer *l;

	if (below != NULL && below->above_count < target->layer_count) {
		for (l = below->above; l != NULL && l->target != target; l = l->beside)
			;
	} else {
		for (l = target->layers; l != NULL && l->below != below; l = l->next)
			;
	}
	return l;
}

/*
 * Returns the layer of a target over another layer, or over the base.  It is made once, so that
 * targets with the same layers below share it and what is merged up to it.
 */
static struct layer *over(struct layer *below, struct target *target)
{
	struct layer *layer = find_over(below, target);

	if (layer != NULL)
		return layer;
	layer = mem_zero(sizeof(*layer));
	layer->target = target;
	layer->below = below;
	layer->next = target->layers;
	target->layers = layer;
	target->layer_count++;
	if (below != NULL) {
		layer->beside = below->above;
		below->above = layer;
		below->above_count++;
	}
	return layer;
}

const struct layer **layers_list(const struct layer *top, size_t *count)
{
	const struct layer **list;

	*count = 0;
	for (const struct layer *l = top; l != NULL; l = l->below)
		++*count;
	list = mem_zero((*count + 1) * sizeof(struct layer *));
	for (size_t i = *count; i-- > 0; top = top->below)
		list[i] = top;
	return list;
}

/* Returns a top layer with the layers of another one over it that it does not have yet. */
static struct layer *join(struct targets *t, struct layer *top, const struct layer *other)
{
	const struct layer **list;
	size_t count;

	t->stamp++;
	for (struct layer *l = top; l != NULL; l = l->below) {
		if (l->target == other->target)
			return top; /* with all that it extends */
		l->target->stamp = t->stamp;
	}
	list = layers_list(other, &count);
	for (size_t i = 0; i < count; i++) {
		if (list[i]->target->stamp != t->stamp)
			top = over(top, list[i]->target);
	}
	free(list);
	return top;
}

static void lay(struct targets *t, struct target *target)
{
	struct layer *top = NULL;

	for (size_t i = 0; i < target->parents; i++) {
		struct target *parent = target->parent[i].target;

		if (parent != NULL)
			top = top == NULL ? parent->top : join(t, top, parent->top);
	}
	target->top = over(top, target);
}

static void refuse(struct targets *t, const char *wanted, struct target *target, struct report *r)
{
	t->refused++;
	if (target == NULL) {
		MEM_AUTO char *text = targets_unknown(&t->names, wanted);

		targets_problem(r, node_new(NODE_LIST), "%s", text);
	} else if (t->refused <= MAX_FAULTY) {
		faults_report(t, target, r);
	}
}

struct layer *layers_top(struct targets *t, const char *wanted, struct report *report)
{
	struct target *target = wanted == NULL ? NULL : targets_find(t, wanted);
	struct way found = { 0 };
	bool is_well;

	if (wanted == NULL || targets_is_base(t, wanted))
		return NULL;
	is_well = target != NULL && find_unlaid(t, target, &found);
	for (size_t i = 0; is_well && i < found.count; i++)
		lay(t, found.item[i]);
	free(found.item);
	if (is_well)
		return target->top;
	refuse(t, wanted, target, report);
	return target != NULL && node_is_object(target->table) ? over(NULL, target) : NULL;
}
