/* The file of vmrun.state, STATE-DIR/NAME/state.json. */
#ifndef LIB_HOOK_STATE_H
#define LIB_HOOK_STATE_H

#include "base/error.h"
#include "base/node.h"

/* Returns the path of the file. Caller frees. */
char *hook_state_path(const char *state_dir, const char *vm);
/*
 * Reads the file; *out (owned by the caller) is NULL when there is none.  Returns -1 with
 * STATUS_SPEC when it does not hold a table, and says where and what to do; with STATUS_OS when it
 * cannot be read.
 */
int hook_state_read(const char *state_dir, const char *vm, struct node **out, struct error *err);
/* Replaces the file. Returns 0 when the JSON text is on the disk, else -1 with STATUS_OS. */
int hook_state_write(const char *state_dir, const char *vm, const char *json, struct error *err);
/* Returns the state as one line of JSON. Caller frees. */
char *hook_state_json(const struct node *state);

/*
 * Finds the stock hook that keeps its state under this name, HOOK or HOOK:ID; *older is the key
 * that version 0.1 used.  Returns -1 with STATUS_CHECK when there is none.
 */
int hook_state_find(const char *name, const char **older, struct error *err);

#endif
