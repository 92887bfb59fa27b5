/* The command list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "cli/mask.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"
#include "vmrunctl/vms.h"

#define COLUMNS 5 /* of a row, that come from the answer */

static void show_row(const struct vm *vm, int width)
{
	static const char *const keys[COLUMNS] = { "state", "target", "pid", "boots", "uptime_ms" };
	char *value[COLUMNS], text[DURATION_TEXT];
	MEM_AUTO char *name = mem_copy(vm->name);

	mask_control(name, "", '?');
	for (size_t i = 0; i < COLUMNS; i++)
		value[i] = vm->answer == NULL ? mem_copy("-") : show_member(vm->answer, keys[i]);
	(void)printf("%-*s  %-9s  %-12s  %7s  %5s  %s\n", width, name,
	    vm->state != NULL ? vm->state : value[0], value[1], value[2], value[3],
	    vm->answer == NULL ? "-" : show_duration(value[4], text));
	for (size_t i = 0; i < COLUMNS; i++)
		free(value[i]);
}

static void show_table(const struct vm *list, size_t count)
{
	int width = 4;

	for (size_t i = 0; i < count; i++) {
		if ((int)strlen(list[i].name) > width)
			width = (int)strlen(list[i].name);
	}
	if (count == 0)
		(void)puts("none");
	else
		(void)printf("%-*s  %-9s  %-12s  %7s  %5s  %s\n", width, "NAME", "STATE", "TARGET",
		    "PID", "BOOTS", "UPTIME");
	for (size_t i = 0; i < count; i++)
		show_row(&list[i], width);
}

/* Shows a VM whose vmrun did not answer. */
static void show_silent_json(const struct vm *vm)
{
	STR_AUTO struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_bool(&json, "ok", false);
	json_add_text(&json, "vm", vm->name);
	json_add_text(&json, "state", vm->state);
	json_end_object(&json);
	(void)fputs(json.text, stdout);
}

static void show_json(const struct vm *list, size_t count)
{
	(void)fputs("[", stdout);
	for (size_t i = 0; i < count; i++) {
		(void)fputs(i == 0 ? "" : ",\n ", stdout);
		if (list[i].answer != NULL) {
			(void)fputs(list[i].answer, stdout);
			continue;
		}
		show_silent_json(&list[i]);
	}
	(void)puts("]");
}

int ctl_list(const struct ctl *ctl)
{
	struct vm *list;
	size_t count;
	int status = vms_query(ctl, &list, &count);

	if (status == STATUS_OK && ctl->json)
		show_json(list, count);
	else if (status == STATUS_OK)
		show_table(list, count);
	vms_free(list, count);
	return status;
}
