/* The places of the values of a JSON text, by their key paths. */
#ifndef CONFIG_JSON_PLACES_H
#define CONFIG_JSON_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/node.h"

struct json_places;

/*
 * Finds the places of all keys and entries of lists in a text, up to its first error.  Caller frees
 * them with json_places_free().
 */
struct json_places *json_places_new(const char *text, size_t length);
/*
 * Finds line and column of the key, or entry of a list, at a key path (strings, and integers
 * counted from 1).  Uses the longest part of the path that exists; if none does, returns false and
 * the start of the text.
 */
bool json_place(
    const struct json_places *places, const struct node *keys, size_t *line, size_t *column);
/* Frees the places; NULL is fine. */
void json_places_free(struct json_places *places);

#endif
