/* The command list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "cli/mask.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"

#define COLUMNS 4 /* of a row, that come from the answer */

static void show_row(const struct vmrun_listed *vm, int width)
{
	static const char *const keys[COLUMNS] = { "target", "pid", "boots", "uptime_ms" };
	char *value[COLUMNS], text[DURATION_TEXT];
	MEM_AUTO char *name = mem_copy(vm->name);
	MEM_AUTO char *state = mem_copy(vm->state);

	mask_control(name, "", '?');
	mask_control(state, "", '?');
	for (size_t i = 0; i < COLUMNS; i++)
		value[i] = vm->status == NULL ? mem_copy("-") : show_member(vm->status, keys[i]);
	(void)printf("%-*s  %-9s  %-12s  %7s  %5s  %s\n", width, name, state, value[0], value[1],
	    value[2], vm->status == NULL ? "-" : show_duration(value[3], text));
	for (size_t i = 0; i < COLUMNS; i++)
		free(value[i]);
}

static void show_table(const struct vmrun_list *list)
{
	size_t count = vmrun_list_count(list);
	int width = 4;

	for (size_t i = 0; i < count; i++) {
		int length = (int)strlen(vmrun_list_get(list, i)->name);

		width = length > width ? length : width;
	}
	if (count == 0)
		(void)puts("no VMs");
	else
		(void)printf("%-*s  %-9s  %-12s  %7s  %5s  %s\n", width, "NAME", "STATE", "TARGET",
		    "PID", "BOOTS", "UPTIME");
	for (size_t i = 0; i < count; i++)
		show_row(vmrun_list_get(list, i), width);
}

/* Shows a VM whose vmrun did not answer. */
static void show_silent_json(const struct vmrun_listed *vm)
{
	STR_AUTO struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_bool(&json, "ok", false);
	json_add_text(&json, "vm", vm->name);
	json_add_text(&json, "state", vm->state);
	json_end_object(&json);
	(void)fputs(json.text, stdout);
}

static void show_json(const struct vmrun_list *list)
{
	(void)fputs("[", stdout);
	for (size_t i = 0; i < vmrun_list_count(list); i++) {
		const struct vmrun_listed *vm = vmrun_list_get(list, i);

		(void)fputs(i == 0 ? "" : ",\n ", stdout);
		if (vm->status != NULL)
			(void)fputs(vm->status, stdout);
		else
			show_silent_json(vm);
	}
	(void)puts("]");
}

struct vmrun_list *ctl_list_all(const struct ctl *ctl, int *status)
{
	struct vmrun_list *list;

	*status = vmrun_list(&list, ctl->run_dir, CTL_ANSWER_MS);
	if (*status != VMRUN_CLIENT_OK)
		*status = ctl_error(ctl, *status, "%s", vmrun_list_error(list));
	return list;
}

int ctl_list(const struct ctl *ctl)
{
	int status;
	struct vmrun_list *list = ctl_list_all(ctl, &status);

	if (status == STATUS_OK && ctl->json)
		show_json(list);
	else if (status == STATUS_OK)
		show_table(list);
	vmrun_list_free(list);
	return status;
}
