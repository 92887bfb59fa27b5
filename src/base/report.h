/*
 * Many problems at once, each with its place: a spec is read to its end and a host is checked
 * device by device before anything is said.
 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/where.h"

struct problem {
	char *place;	     /* "vm.json:7:15", or NULL while it is not known */
	size_t line, column; /* of the place, 0: none */
	char *path;	     /* key path, "targets.install.mem"; NULL: the whole document */
	struct node *keys;   /* the same path as where_keys() gives it, or NULL */
	char *text;
};

/* Nobody reads more of them, and finding the place of each takes time. */
#define MAX_REPORT_PROBLEMS 100

struct report {
	struct problem *item;
	size_t count;
	size_t more;	    /* problems that were cut off */
	enum status status; /* of the first problem: what vmrun ends with */
};

/* Adds a problem at a place in the document (NULL: the whole of it). */
void report_add(struct report *r, enum status status, const struct where *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Moves a failure into the report and clears it. */
void report_take(struct report *r, const struct where *at, struct error *err);
/* Drops all problems from `first` on but MAX_REPORT_PROBLEMS, and counts them. */
void report_cut(struct report *r, size_t first);
/* Moves all problems of `from` behind those of r; equal ones are said once. MAX_REPORT_PROBLEMS in
 * all. */
void report_merge(struct report *r, struct report *from);
/* By line and column; problems without them keep their order, before the others. */
void report_sort(struct report *r);
/* All problems as lines of one text. Caller frees. */
char *report_text(const struct report *r);
void report_free(struct report *r);
#define REPORT_AUTO __attribute__((cleanup(report_free)))

#endif
