/* Reads a JSON document strictly. */
#ifndef CONFIG_JSON_READ_H
#define CONFIG_JSON_READ_H

#include <stddef.h>

#include "base/node.h"
#include "base/report.h"

/*
 * Reads a whole document: its grammar, duplicate keys, its depth.  Reports duplicate keys and the
 * first other error with line, column and key path, and returns NULL.  `room` is the number of
 * bytes that the nodes may take.  A number beyond 64 bits keeps its
 * digits as a text.  Caller frees.
 */
struct node *json_read(
    const char *name, const char *text, size_t length, size_t room, struct report *report);

#endif
