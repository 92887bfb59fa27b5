/* libvmrun: the checks of the host. */
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "check/check.h"
#include "lib/handle.h"
#include "process/command.h"

#define MAX_FACT_BYTES ((size_t)1 << 20) /* of the output of a command */

void handle_forget(struct vmrun *vm)
{
	for (size_t i = 0; i < vm->shown_count; i++) {
		for (size_t k = 0; k < sizeof(vm->shown[i].string) / sizeof(char *); k++)
			free(vm->shown[i].string[k]);
	}
	free(vm->shown);
	free(vm->shown_problems);
	vm->shown_problems = NULL;
	vm->shown = NULL;
	vm->shown_count = 0;
}

static void show_device(const struct vmrun *vm, const struct device *dev, struct shown *s)
{
	struct device_place place;
	struct node *keys = where_keys(device_where(dev, &place));

	s->finding.device = s->string[0] = mem_copy(dev->kind->name);
	s->finding.id = s->string[1] = mem_copy(dev->id);
	s->finding.device_path = s->string[2] = document_path(vm->source.doc, keys);
	s->finding.slot = slot_text(&dev->slot, s->slot);
	node_free(keys);
}

static void show(const struct vmrun *vm, const struct finding *f, struct shown *s)
{
	if (f->dev != NULL)
		show_device(vm, f->dev, s);
	if (f->keys != NULL)
		s->finding.path = s->string[3] = document_path(vm->source.doc, f->keys);
	s->finding.what = s->string[4] = mem_copy(f->what);
	s->finding.problem = s->string[5] = mem_copy(f->text);
	if (f->fix.count > 0)
		s->finding.fix = s->string[6] = words_shell_line(&f->fix);
	s->finding.forced = f->forced;
	s->finding.unchecked = f->kind == FINDING_UNCHECKED;
	s->finding.will_fix = finding_may_fix(f, vm->options.fix, vm->options.force);
}

void handle_show(struct vmrun *vm, const struct findings *findings)
{
	handle_forget(vm);
	vm->shown = mem_zero((findings->count + 1) * sizeof(*vm->shown));
	vm->shown_count = findings->count;
	for (size_t i = 0; i < findings->count; i++)
		show(vm, &findings->item[i], &vm->shown[i]);
}

/* Runs the next command whose output the checks need, to its end or its limit. */
static void answer(struct facts *facts)
{
	const struct words *wanted = facts_wanted(facts);
	struct command command = {
		.argv = wanted->item, .limit_ms = MAX_FACT_MS, .max_output = MAX_FACT_BYTES
	};
	struct command_result result = { 0 };
	ERROR_AUTO struct error err = { 0 };

	if (command_run(&command, &result, &err) != 0) {
		facts_answer(facts, -1, err.status == STATUS_EXEC_MISSING, NULL);
		return;
	}
	facts_answer(facts,
	    result.fate == COMMAND_ENDED && result.end.signal == 0 ? result.end.status : -1, false,
	    result.out);
	command_clear(&result);
}

int vmrun_check(struct vmrun *vm)
{
	struct check_request request = { 0 };
	struct facts facts = { 0 };
	struct findings found = { 0 }, out = { 0 };
	PAIRS_AUTO struct pairs before = { 0 };
	bool only_checks = vm->options.check || vm->options.dry_run;
	int status;

	if (vm->report.count > 0)
		return (int)vm->report.status;
	if (vm->machine != NULL)
		return STATUS_USAGE; /* a VM that runs reports its own checks as events */
	status = only_checks ? STATUS_OK : handle_claim(vm);
	if (status == STATUS_OK)
		status = vmrun_prepare(vm);
	if (status != STATUS_OK)
		return status;
	request.spec = vm->first.spec;
	request.plan = &vm->first.plan;
	request.facts = &facts;
	while (!check_find(vm->first.spec, vm->source.hyper, &before, &facts, &found))
		answer(&facts);
	while (!check_boot(&request, &out))
		answer(&facts);
	findings_move(&found, &out);
	handle_show(vm, &found);
	status = findings_problems(&found) == 0 ? STATUS_OK : STATUS_CHECK;
	findings_clear(&found);
	facts_clear(&facts);
	return status;
}

bool vmrun_finding(const struct vmrun *vm, size_t index, struct vmrun_finding *out)
{
	if (index >= vm->shown_count)
		return false;
	*out = vm->shown[index].finding;
	return true;
}

static void add_problem(struct str *json, const struct vmrun_finding *f)
{
	MEM_AUTO char *problem = mem_format("%s: %s", f->what, f->problem);

	json_begin_object(json, NULL);
	json_add_text(json, "device", f->device);
	json_add_text(json, "id", f->id);
	json_add_text(json, "slot", f->slot);
	json_add_text(json, "path", f->path);
	json_add_text(json, "problem", problem);
	json_add_text(json, "fix", f->fix);
	json_end_object(json);
}

/* Writes the list of problems; returns their number. */
static int add_problems(struct str *json, const char *key, const struct vmrun *vm)
{
	struct vmrun_finding f;
	int count = 0;

	json_begin_list(json, key);
	for (size_t i = 0; vmrun_finding(vm, i, &f); i++) {
		if (f.unchecked)
			continue;
		count++;
		add_problem(json, &f);
	}
	json_end_list(json);
	return count;
}

const char *handle_problems(struct vmrun *vm, int count)
{
	struct str json = { 0 };
	int found = add_problems(&json, NULL, vm);

	free(vm->shown_problems);
	vm->shown_problems = str_take(&json);
	return found == count ? vm->shown_problems : NULL;
}

char *handle_problems_of(const struct vmrun *vm, const struct findings *findings, int count)
{
	/* Another handle: the caller of vmrun_finding() may still use the strings of this one. */
	struct vmrun other = { .options = vm->options, .source = vm->source };
	char *json;

	handle_show(&other, findings);
	json = handle_problems(&other, count) == NULL ? NULL : mem_copy(other.shown_problems);
	handle_forget(&other);
	return json;
}

char *vmrun_check_json(const struct vmrun *vm)
{
	struct str json = { 0 }, valid = { 0 };

	if (vm->shown == NULL)
		return NULL;
	json_begin_object(&json, NULL);
	json_add_text(&json, "vm", vm->name);
	json_add_text(&json, "target", vm->first.target);
	(void)add_problems(&json, "problems", vm);
	json_end_object(&json);
	str_add_utf8(&valid, json.text); /* paths may be any bytes */
	str_free(&json);
	return str_take(&valid);
}
