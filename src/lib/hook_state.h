/* The file of vmrun.state, STATE-DIR/NAME/state.json. */
#ifndef LIB_HOOK_STATE_H
#define LIB_HOOK_STATE_H

#include "base/error.h"
#include "base/node.h"

/* Returns the path of the file. Caller frees. */
char *hook_state_path(const char *state_dir, const char *vm);
/*
 * Reads the file; *out is NULL if there is none.  Caller frees.  Returns 0, or -1 with STATUS_SPEC
 * if the file does not hold a table, or STATUS_OS if it cannot be read.
 */
int hook_state_read(const char *state_dir, const char *vm, struct node **out, struct error *err);
/* Replaces the file by the JSON text.  Returns 0 once it is on the disk, else -1 with STATUS_OS. */
int hook_state_write(const char *state_dir, const char *vm, const char *json, struct error *err);
/* Returns the state as one line of JSON. Caller frees. */
char *hook_state_json(const struct node *state);

/*
 * Finds the stock hook whose state has this name, HOOK or HOOK:ID; *older is the key that version
 * 0.1 used.  Returns 0, or -1 with STATUS_CHECK if there is no such hook.
 */
int hook_state_find(const char *name, const char **older, struct error *err);

#endif
