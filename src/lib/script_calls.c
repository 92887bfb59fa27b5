/* libvmrun: functions that scripts call: vmrun.state, vmrun.event() and vmrun.firmware(). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/json_node.h"
#include "hyper/firmware.h"
#include "lib/handle.h"
#include "lib/hook_state.h"
#include "platform/os.h"

/* Reads vmrun.state, from the unsaved state if there is one, because it is newer than the file. */
static int read_state(const struct vmrun *vm, struct node **out, struct error *err)
{
	if (vm->unsaved_state == NULL)
		return hook_state_read(vm->state_dir, vm->name, out, err);
	*out = json_node(vm->unsaved_state);
	return 0;
}

int handle_load_state(void *context, struct node **out, struct error *err)
{
	struct vmrun *vm = context;

	*out = NULL;
	if (vm->name == NULL || vm->is_reloading)
		return error_set(err, STATUS_SPEC,
		    "vmrun.state is there in hooks only: while files are read the name of the VM, "
		    "under which it is kept, is not known");
	if (read_state(vm, out, err) != 0) {
		err->status = STATUS_SPEC;
		return -1;
	}
	if (vm->unsaved_state == NULL) {
		free(vm->saved_state);
		vm->saved_state = *out == NULL ? mem_copy("{}") : hook_state_json(*out);
	}
	return 0;
}

static bool is_same(const char *json, const char *other)
{
	return other != NULL && strcmp(json, other) == 0;
}

/* Replaces the text at *place with the JSON text, and takes ownership of that. */
static void replace(char **place, char *json)
{
	free(*place);
	*place = json;
}

int handle_save_state(void *context, const struct node *state, bool is_explicit, struct error *err)
{
	struct vmrun *vm = context;
	MEM_AUTO char *json = hook_state_json(state);
	bool is_reported = is_same(json, vm->unsaved_state) && !is_explicit;
	ERROR_AUTO struct error why = { 0 };

	if (vm->source.dry)
		return 0;
	if (!is_same(json, vm->saved_state) &&
	    hook_state_write(vm->state_dir, vm->name, json, &why) != 0) {
		replace(&vm->unsaved_state, mem_copy(json));
		return is_reported
		    ? 0
		    : error_set(err, why.status, "vmrun.state was not saved: %s", why.text);
	}
	replace(&vm->unsaved_state, NULL);
	replace(&vm->saved_state, mem_copy(json));
	return 0;
}

int handle_forget_state(void *context, const char *hook, struct error *err)
{
	struct vmrun *vm = context;
	const char *older;

	if (hook_state_find(hook, &older, err) != 0)
		return -1;
	return document_forget_state(vm->source.doc, hook, older, err);
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
	/* Without bhyve a dry run assumes that all firmware is installed. */
	bool any = vm->source.dry && os_bhyve_release() == 0;

	return firmware_find(vm->source.hyper, kind, any, path, err);
}

int64_t handle_simulated_seconds(void *context)
{
	const struct vmrun *vm = context;

	return vm->simulation.now_ms / 1000;
}
