/* vmrun.state in its file, STATE-DIR/NAME/state.json. */
#ifndef LIB_HOOK_STATE_H
#define LIB_HOOK_STATE_H

#include "base/error.h"
#include "base/node.h"

/* Returns the path of the file. Caller frees. */
char *kept_path(const char *state_dir, const char *vm);
/*
 * Reads the file; *out (owned by the caller) is NULL when there is none.  STATUS_SPEC when it does
 * not hold a table, with its place and the way out; STATUS_OS when it cannot be read.
 */
int kept_read(const char *state_dir, const char *vm, struct node **out, struct error *err);
/* Replaces the file with this JSON text, which is on the disk when this returns 0.  STATUS_OS. */
int kept_write(const char *state_dir, const char *vm, const char *json, struct error *err);
/* Returns the state as JSON, in one line. Caller frees. */
char *kept_json(const struct node *state);

/*
 * Finds the stock hook that keeps its state under this name, HOOK or HOOK:ID, and where version 0.1
 * kept it, *older.  STATUS_CHECK when there is none.
 */
int kept_find_hook(const char *name, const char **older, struct error *err);

#endif
