/* libvmrun: what scripts want of it: where vmrun.state is kept, events, firmware. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/node_json.h"
#include "config/json_check.h"
#include "base/json_node.h"
#include "hyper/firmware.h"
#include "lib/handle.h"
#include "platform/os.h"
#include "ledger/statefile.h"

#define STATE_NAME "state.json"

static char *json_of(const struct node *state)
{
	struct str json = { 0 };

	node_add_json(&json, state);
	return str_take(&json);
}

/* What is in the file; it is not touched when it is broken. */
static int parse(
    const char *path, const char *text, size_t length, struct node **out, struct error *err)
{
	struct report report = { 0 };
	struct node *notes = NULL;
	int rc = json_check(path, text, length, &notes, &report);

	node_free(notes);
	if (rc != 0) {
		const struct problem *p = &report.item[0];

		(void)error_set(err, STATUS_SPEC,
		    "%s: %s%s%s: vmrun.state cannot be read: mend the file, or move it away to "
		    "start "
		    "with an empty one",
		    p->place, p->path != NULL ? p->path : "", p->path != NULL ? ": " : "", p->text);
		report_free(&report);
		return -1;
	}
	*out = json_node(text);
	if (*out != NULL && ((*out)->kind == NODE_OBJECT || (*out)->kind == NODE_LIST))
		return 0;
	node_free(*out);
	*out = NULL;
	return error_set(err, STATUS_SPEC,
	    "%s: expected an object: mend the file, or move it away to start with an empty one",
	    path);
}

int handle_load_state(void *context, struct node **out, struct error *err)
{
	struct vmrun *vm = context;
	MEM_AUTO char *text = NULL;
	size_t length;

	*out = NULL;
	if (vm->name == NULL)
		return error_set(err, STATUS_SPEC,
		    "vmrun.state is there in hooks only: while files are read the name of the VM, "
		    "under which it is kept, is not known");
	MEM_AUTO char *path = mem_format("%s/%s/" STATE_NAME, vm->state_dir, vm->name);

	if (statefile_read(path, &text, &length, err) != 0) {
		err->status = STATUS_SPEC;
		return -1;
	}
	if (text != NULL && parse(path, text, length, out, err) != 0)
		return -1;
	free(vm->kept_state);
	vm->kept_state = *out == NULL ? mem_copy("{}") : json_of(*out);
	return 0;
}

int handle_save_state(void *context, const struct node *state, struct error *err)
{
	struct vmrun *vm = context;
	MEM_AUTO char *folder = mem_format("%s/%s", vm->state_dir, vm->name);
	MEM_AUTO char *json = json_of(state);
	MEM_AUTO char *text = NULL;

	if (vm->source.dry || (vm->kept_state != NULL && strcmp(json, vm->kept_state) == 0))
		return 0;
	text = json_indent(json);
	if (statefile_write(folder, STATE_NAME, text, strlen(text), err) != 0)
		return error_prefix(err, "vmrun.state is not kept");
	free(vm->kept_state);
	vm->kept_state = json;
	json = NULL;
	return 0;
}

void handle_event(void *context, const char *by, const char *json)
{
	struct vmrun *vm = context;
	struct event_record *r = event_add(&vm->events, VMRUN_HOOK_EVENT);

	event_by(r, by);
	event_text(r, json);
}

int handle_firmware(void *context, const char *kind, const char **path, struct error *err)
{
	const struct vmrun *vm = context;
	/* A dry run speaks of a host that has it all, unless it is on one. */
	bool any = vm->source.dry && os_bhyve_release() == 0;

	return firmware_find(vm->source.hyper, kind, any, path, err);
}

int64_t handle_ahead(void *context)
{
	const struct vmrun *vm = context;

	return vm->simulation.now_ms / 1000;
}
