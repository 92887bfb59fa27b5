/* What is wrong with the targets that a target extends. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "target/targets_inside.h"

#define MAX_CIRCLE 16 /* names of a circle that are shown from its start */

/* A target on the trail, and which of its parents is next. */
struct step {
	struct target *target;
	size_t next;
};

struct trail {
	struct targets *t;
	struct step *step;
	size_t count, room;
	struct report *report;
};

/* Returns the circle that the trail closes, the middle of a long one left out. */
static char *circle(const struct trail *trail, size_t first)
{
	size_t count = trail->count - first, shown = count > MAX_CIRCLE ? MAX_CIRCLE : count;
	struct str s = { 0 };

	for (size_t i = 0; i < shown; i++)
		str_addf(&s, "%s -> ", trail->step[first + i].target->name);
	if (count > MAX_CIRCLE)
		str_addf(&s, "... -> %s -> ", trail->step[trail->count - 1].target->name);
	str_add(&s, trail->step[first].target->name);
	return str_take(&s);
}

/* Puts a target on the trail, with its parents to visit. */
static void enter(struct trail *trail, struct target *target)
{
	if (trail->count == trail->room) {
		trail->room = trail->room == 0 ? 16 : 2 * trail->room;
		trail->step = mem_resize(trail->step, trail->room, sizeof(*trail->step));
	}
	trail->step[trail->count++] = (struct step){ .target = target };
	target->depth = trail->count;
	layers_read_parents(trail->t, target);
	if (target->is_misspelled)
		targets_problem(trail->report, targets_path("targets", target->name, "extends"),
		    "expected the name of a target or a list of names, got %s",
		    targets_describe(node_get(target->table, "extends")));
}

static struct node *path_of(const struct target *target, const struct parent *parent)
{
	struct node *path = targets_path("targets", target->name, "extends");

	if (parent->place > 0)
		node_append(path, node_int((int64_t)parent->place));
	return path;
}

static void visit(struct trail *trail, const struct target *from, const struct parent *parent)
{
	struct target *target = parent->target;

	if (target == NULL && strcmp(parent->name, "default") != 0) {
		MEM_AUTO char *text = targets_unknown(&trail->t->names, parent->name);

		targets_problem(trail->report, path_of(from, parent), "%s", text);
	} else if (target != NULL && target->depth > 0) {
		MEM_AUTO char *names = circle(trail, target->depth - 1);

		targets_problem(
		    trail->report, path_of(from, parent), "circular extends: %s", names);
	} else if (target != NULL && node_is_object(target->table) && target->walk != WALK_DONE) {
		enter(trail, target);
	}
}

void faults_report(struct targets *t, struct target *wanted, struct report *report)
{
	struct trail trail = { .t = t, .report = report };

	if (node_is_object(wanted->table))
		enter(&trail, wanted);
	while (trail.count > 0) {
		struct step *last = &trail.step[trail.count - 1];
		struct target *target = last->target;

		if (last->next < target->parents) {
			visit(&trail, target, &target->parent[last->next++]);
		} else {
			target->depth = 0;
			target->walk = WALK_DONE;
			trail.count--;
		}
	}
	for (size_t i = 0; i < t->count; i++)
		t->target[i].walk = WALK_NEW;
	free(trail.step);
}
