/* Reads a JSON document strictly, and finds the place of a key path in it. */
#ifndef CONFIG_JSON_READ_H
#define CONFIG_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/node.h"
#include "base/report.h"

/*
 * Reads a whole document: its grammar, duplicate keys, its depth.  Reports duplicate keys and the
 * first other error with line, column and key path, and returns NULL.  `room` is the number of
 * bytes that the nodes may take.  Integers beyond 64 bits stay strings of digits.  Caller frees.
 */
struct node *json_read(
    const char *name, const char *text, size_t length, size_t room, struct report *report);

/*
 * Finds line and column of the key, or entry of a list, at a key path (strings, and integers
 * counted from 1).  Uses the longest part of the path that exists; returns false if none does.
 */
bool json_place(
    const char *text, size_t length, const struct node *keys, size_t *line, size_t *column);

#endif
