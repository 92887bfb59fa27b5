/*
 * Many problems at once, each with its place: a spec is read to its end, and a host is checked
 * device by device, before anything is reported.
 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

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

/* More than a user reads; finding the place of each takes time. */
#define MAX_REPORT_PROBLEMS 100

struct report {
	struct problem *item;
	size_t count;
	size_t more;	    /* problems beyond the limit */
	enum status status; /* of the first problem: the exit status of vmrun */
};

/* Adds a problem at a place in the document (NULL: the whole document); its text is one line. */
void report_add(struct report *r, enum status status, const struct where *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Moves a failure, which may have several lines, into the report and clears it. */
void report_take(struct report *r, const struct where *at, struct error *err);
/* Keeps MAX_REPORT_PROBLEMS of the problems from `first` on, and counts the others. */
void report_cut(struct report *r, size_t first);
/* Returns whether the report has a problem with the same place, path and text. */
bool report_has(const struct report *r, const struct problem *p);
/* Moves all problems of `from` behind those of r, equal ones once, MAX_REPORT_PROBLEMS in all. */
void report_merge(struct report *r, struct report *from);
/* Sorts by line and column; problems without a line keep their order, before the others. */
void report_sort(struct report *r);
/* Returns all problems as lines of one text.  Caller frees. */
char *report_text(const struct report *r);
void report_free(struct report *r);
#define REPORT_AUTO __attribute__((cleanup(report_free)))

#endif
