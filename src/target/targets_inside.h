/* Layers and what they merge to: private to src/target. */
#ifndef TARGET_TARGETS_INSIDE_H
#define TARGET_TARGETS_INSIDE_H

#include "target/targets.h"

struct target;
struct layer;

/* A key of a merge.  The value is the document's, or one of the kept nodes. */
struct item {
	char *key; /* lent */
	const struct node *value;
};

/* The entry of a layer that added or changed a device, after those before it. */
struct origin {
	const struct origin *before;
	const struct layer *layer;
	size_t entry; /* from 1 */
	struct origin *next_kept;
};

struct entry {
	const struct node *value;
	const struct origin *origin; /* NULL: no layer has touched it */
	const char *id;		     /* its own or MODEL-N; NULL: none, or not noted yet */
	const char *model;	     /* when it was noted */
	bool is_noted;
	bool removed; /* its entry stays in the list, so that its slot stays empty */
};

struct devices {
	struct entry *entry;
	size_t count, base;	  /* the first ones come from the base */
	const struct node *whole; /* what the base has in place of a list, or NULL */
	bool is_given;		  /* base or target have a list, which may be empty */
	enum node_kind empty;	  /* of an empty list */
};

/* What is merged up to a layer; items are sorted by key and have no emulations. */
struct view {
	struct item *item;
	size_t count;
	struct devices devices;
};

/* A target over another layer, or over the base.  Targets with the same layers below share it. */
struct layer {
	struct target *target;
	struct layer *below;  /* NULL: the base */
	struct layer *next;   /* of the same target */
	struct layer *beside; /* over the same layer */
	struct layer *above;  /* the first one over this one */
	size_t above_count;
	struct view *view;	    /* NULL: not merged yet */
	struct report problems;	    /* of its own keys */
	const struct layer *faulty; /* itself or the next one below with problems, or NULL */
};

/* A target that another one extends. */
struct parent {
	const char *name;
	struct target *target; /* NULL: unknown, or "default" that the document does not have */
	size_t place;	       /* in the list, from 1; 0: the only name */
};

enum walk { WALK_NEW, WALK_OPEN, WALK_DONE };

struct target {
	const char *name;
	const struct node *table;
	struct layer *layers;
	size_t layer_count;
	struct layer *top;     /* with what it extends below; NULL: not laid yet */
	struct parent *parent; /* NULL: not read yet, or none */
	size_t parents;
	bool is_read;	    /* its parents are known */
	bool is_misspelled; /* `extends` is not a name or a list of names */
	bool is_faulty;	    /* cannot be laid, because of what it extends */
	enum walk walk;
	size_t depth;	/* on the trail, from 1; 0: not on it */
	unsigned stamp; /* see join() */
};

/* Whether any target has a place for a setting. */
enum place { PLACE_UNKNOWN, PLACE_FOUND, PLACE_MISSING };

/* The last merge. */
struct last {
	struct layer *top; /* NULL: the base alone */
	const struct words *settings;
	struct node *set;      /* the paths of the settings */
	struct node *replaced; /* the spec of a hook; NULL: as merged */
	bool is_merged;
};

struct targets {
	struct node *document;
	const struct node *rules;
	struct words names;
	struct target *target; /* sorted by name */
	size_t count;
	struct view *base; /* NULL: not merged yet */
	struct node **kept;
	size_t kept_count;
	struct origin *origins;
	struct last last;
	size_t room;		/* bytes that merges may still keep */
	size_t refused;		/* merges without layers, because of a fault */
	struct words placed_of; /* settings */
	enum place *placed;	/* of each */
	unsigned stamp;
};

/* --- targets.c --- */

/* Keeps a node (taken) as long as the targets, and lends it. */
const struct node *targets_keep(struct targets *t, struct node *n);
/* Takes bytes from the room of merges. */
void targets_spend(struct targets *t, size_t bytes);
/* Returns the target of that name, or NULL. */
struct target *targets_find(const struct targets *t, const char *name);
/* Adds a problem at a path of keys (taken). */
void targets_problem(struct report *report, struct node *keys, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Returns a path of up to three keys; NULL ends it.  Caller frees. */
struct node *targets_path(const char *a, const char *b, const char *c);
/* Returns what a value is, as messages say it: "a number", "an empty list". */
const char *targets_describe(const struct node *n);

/* --- layers.c --- */

/*
 * Returns the top one of the targets to merge over the base for one boot; each comes once and after
 * those that it extends.  A target that cannot be laid stands alone, and the reason is reported.
 * NULL: the base alone.
 */
struct layer *layers_top(struct targets *t, const char *wanted, struct report *report);
/* Returns the layers up to a top one, the lowest first, and their number.  Caller frees. */
const struct layer **layers_list(const struct layer *top, size_t *count);

/* Reads the targets that a target extends, once. */
void layers_read_parents(const struct targets *t, struct target *target);

/* --- faults.c --- */

/* Reports what is wrong with the targets that a target extends. */
void faults_report(struct targets *t, struct target *wanted, struct report *report);

/* --- devices.c --- */

/* Makes the devices of the base. */
void devices_start(struct targets *t, struct devices *d, const struct node *list);
/* Returns a copy, which goes on from the other one. */
struct devices devices_fork(const struct devices *d);
/* Merges the emulations of a layer into the devices. */
void devices_lay(struct targets *t, struct devices *d, const struct layer *layer,
    const struct node *list, struct report *problems);

/* --- merge.c --- */

/* Returns what is merged up to a layer (NULL: the base); each layer keeps its own. */
const struct view *merge_view(struct targets *t, struct layer *top);
void merge_free_view(struct view *view);
/* Makes the spec of a view, with values that the targets lend. */
void merge_build(const struct targets *t, const struct view *view, struct merged *out);
/* Makes the spec of a view, with values of its own, which can be changed. */
void merge_own(const struct targets *t, const struct view *view, struct merged *out);

/* --- settings.c --- */

/*
 * Applies KEY=VALUE settings to a merged spec, which owns its values, except those for an entry
 * that only other targets have.  Adds the path of each to the list, and problems to the report.
 */
void settings_apply(struct targets *t, struct merged *m, const struct words *settings,
    struct node *paths, struct report *report);

#endif
