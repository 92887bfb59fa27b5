/* The file of vmrun.state, and the stock hooks that store state in it. */
#include "lib/hook_state.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/node_json.h"
#include "base/report.h"
#include "config/json_read.h"
#include "base/json_node.h"
#include "ledger/statefile.h"

#define STATE_NAME "state.json"
#define WAY_OUT "mend the file, or move it away to start with an empty one"

/* The stock hooks that have state; hooks/NAME.lua has the same keys. */
static const struct stateful_hook {
	const char *hook;  /* also the key */
	const char *older; /* the key in version 0.1 */
} hooks[] = {
	{ "ab_upgrade", "slot" },
	{ "install_once", "installed" },
};

#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))

char *hook_state_path(const char *state_dir, const char *vm)
{
	return mem_format("%s/%s/" STATE_NAME, state_dir, vm);
}

char *hook_state_json(const struct node *state)
{
	struct str json = { 0 };

	node_add_json(&json, state);
	return str_take(&json);
}

static int parse(
    const char *path, const char *text, size_t length, struct node **out, struct error *err)
{
	REPORT_AUTO struct report report = { 0 };

	*out = json_read(path, text, length, SIZE_MAX, &report);
	if (*out == NULL) {
		const struct problem *p = &report.item[0];

		return error_set(err, STATUS_SPEC,
		    "%s: %s%s%s: vmrun.state cannot be read: " WAY_OUT, p->place,
		    p->path != NULL ? p->path : "", p->path != NULL ? ": " : "", p->text);
	}
	if ((*out)->kind == NODE_OBJECT || (*out)->kind == NODE_LIST)
		return 0;
	node_free(*out);
	*out = NULL;
	return error_set(err, STATUS_SPEC, "%s: expected an object: " WAY_OUT, path);
}

int hook_state_read(const char *state_dir, const char *vm, struct node **out, struct error *err)
{
	MEM_AUTO char *path = hook_state_path(state_dir, vm);
	MEM_AUTO char *text = NULL;
	size_t length;

	*out = NULL;
	if (statefile_read(path, &text, &length, err) != 0)
		return -1;
	return text == NULL ? 0 : parse(path, text, length, out, err);
}

int hook_state_write(const char *state_dir, const char *vm, const char *json, struct error *err)
{
	MEM_AUTO char *directory = mem_format("%s/%s", state_dir, vm);
	MEM_AUTO char *text = json_indent(json);

	return statefile_write(directory, STATE_NAME, text, strlen(text), err);
}

int hook_state_find(const char *name, const char **older, struct error *err)
{
	MEM_AUTO char *hook = mem_copy_n(name, strcspn(name, ":"));
	struct near near = { .wanted = hook };

	for (size_t i = 0; i < HOOKS; i++) {
		if (strcmp(hooks[i].hook, hook) == 0) {
			*older = hooks[i].older;
			return 0;
		}
		near_offer(&near, hooks[i].hook);
	}
	MEM_AUTO char *hint = near_hint(&near);

	return error_set(err, STATUS_CHECK,
	    "no stock hook \"%s\" keeps state%s (ab_upgrade and install_once do; a use with an id "
	    "is HOOK:ID)",
	    hook, hint);
}
