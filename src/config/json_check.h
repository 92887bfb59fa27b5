/*
 * The check of JSON before lua-cjson reads it, which refuses with its place what cjson would
 * accept.
 */
#ifndef CONFIG_JSON_CHECK_H
#define CONFIG_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/node.h"
#include "base/report.h"

/*
 * Checks a whole document: its grammar, duplicate keys, its depth.  Reports the first error with
 * its line, column and key path, and returns -1.  *notes (caller frees) lists what cjson loses:
 * empty lists and objects, which become the same empty table, and integers that a double cannot
 * hold, as { path = {...}, kind = "list" | "object" | "integer", text = digits }.
 */
int json_check(
    const char *name, const char *text, size_t length, struct node **notes, struct report *report);

/*
 * Finds line and column of the key, or entry of a list, at a key path (strings, and integers
 * counted from 1).  Uses the longest part of the path that exists; returns false if none does.
 */
bool json_place(
    const char *text, size_t length, const struct node *keys, size_t *line, size_t *column);

#endif
