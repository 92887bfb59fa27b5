/* JSON before lua-cjson sees it: what cjson would let through is refused here, with its place. */
#ifndef CONFIG_JSON_CHECK_H
#define CONFIG_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/node.h"
#include "base/report.h"

/*
 * Checks a whole document: the grammar, duplicate keys, depth.  The first fault is reported with
 * its line, column and key path; -1 then.  *notes (caller frees) lists what cjson loses: empty
 * lists and objects, which become the same empty table, and integers that a double cannot hold, as
 * { path = {...}, kind = "list" | "object" | "integer", text = digits }.
 */
int json_check(
    const char *name, const char *text, size_t length, struct node **notes, struct report *report);

/*
 * Where a key path (strings, and integers counted from 1) stands: line and column of the key, or of
 * the entry of a list.  The longest part of the path that is there counts.  False: none is.
 */
bool json_place(
    const char *text, size_t length, const struct node *keys, size_t *line, size_t *column);

#endif
