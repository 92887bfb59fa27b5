/* The variables that bhyve makes of its command and its files: bhyve_config(5). */
#ifndef IMPORT_BHYVE_TREE_H
#define IMPORT_BHYVE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/pairs.h"
#include "base/report.h"
#include "base/words.h"

/*
 * Sets a variable, the last value wins.  Fails with the reason where bhyve would exit: the key has
 * an empty part, the value is empty, or one of the variables of the tree is above or below it.
 */
int tree_set(struct pairs *tree, const char *key, const char *value, struct error *err);
/* Sets "KEY=VALUE", as -o and a line of a file have it. */
int tree_set_option(struct pairs *tree, const char *setting, struct error *err);
/* Returns whether a variable below the node exists. */
bool tree_has_node(const struct pairs *tree, const char *node);
/*
 * Reads a file of bhyve -k; `name` names it in messages.  Adds every bad line to the report, also a
 * key that the file sets twice.
 */
void tree_read_file(
    struct pairs *tree, const char *text, size_t length, const char *name, struct report *report);
/*
 * Replaces each value by what bhyve makes of it: the variables in %(name), the escaped characters
 * (config.c).  Adds a note for each unknown variable, and a problem if a value becomes too long.
 */
void tree_expand(struct pairs *tree, struct words *notes, struct report *report);

#endif
