/* libvmrun: checks of the host and their findings. */
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "check/check.h"
#include "ledger/ledger.h"
#include "lib/handle.h"
#include "platform/socket.h"
#include "process/command.h"

#define MAX_FACT_BYTES ((size_t)1 << 20) /* of output of a command that a check runs */

void handle_free_findings(struct event_findings *findings)
{
	if (findings == NULL)
		return;
	for (size_t i = 0; i < findings->count; i++) {
		for (size_t k = 0; k < LENT_STRINGS; k++)
			free(findings->item[i].string[k]);
	}
	free(findings->item);
	free(findings);
}

void handle_take_findings(struct vmrun *vm, struct event_findings **findings)
{
	handle_free_findings(vm->findings);
	vm->findings = *findings;
	*findings = NULL;
}

static void lend_device(const struct vmrun *vm, const struct device *dev, struct lent_finding *s)
{
	struct device_place place;
	struct node *keys = where_keys(device_where(dev, &place));

	s->finding.device = s->string[LENT_DEVICE] = mem_copy(dev->kind->name);
	s->finding.id = s->string[LENT_ID] = mem_copy(dev->id);
	s->finding.device_path = s->string[LENT_DEVICE_PATH] = document_path(vm->source.doc, keys);
	s->finding.slot = slot_text(&dev->slot, s->slot);
	node_free(keys);
}

static void lend_finding(
    const struct vmrun *vm, const struct finding *f, bool mendable, struct lent_finding *s)
{
	if (f->dev != NULL)
		lend_device(vm, f->dev, s);
	if (f->keys != NULL)
		s->finding.path = s->string[LENT_PATH] = document_path(vm->source.doc, f->keys);
	s->finding.what = s->string[LENT_WHAT] = mem_copy(f->what);
	s->finding.problem = s->string[LENT_PROBLEM] = mem_copy(f->text);
	if (f->fix.count > 0)
		s->finding.fix = s->string[LENT_FIX] = words_shell_line(&f->fix);
	s->finding.forced = f->forced;
	s->finding.advice = f->advice;
	s->finding.unchecked = f->kind == FINDING_UNCHECKED;
	s->finding.made = f->kind == FINDING_MADE;
	s->finding.warning = f->kind == FINDING_WARNING;
	s->finding.will_fix = mendable && finding_may_fix(f, vm->options.fix, vm->options.force);
}

/* Returns a copy of findings of the target that was merged last.  Caller frees. */
static struct event_findings *copy_findings(const struct vmrun *vm, const struct findings *from)
{
	struct event_findings *copy = mem_zero(sizeof(*copy));
	bool mendable = findings_mendable(from, vm->options.fix, vm->options.force, NULL, false);

	copy->item = mem_zero((from->count + 1) * sizeof(*copy->item));
	copy->count = from->count;
	for (size_t i = 0; i < from->count; i++)
		lend_finding(vm, &from->item[i], mendable, &copy->item[i]);
	return copy;
}

/* Runs the next command whose output the checks need, up to its time limit. */
static void answer_question(struct facts *facts)
{
	const struct words *wanted = facts_wanted(facts);
	struct command command = {
		.argv = wanted->item, .limit_ms = MAX_FACT_MS, .max_output = MAX_FACT_BYTES
	};
	struct command_result result = { 0 };
	ERROR_AUTO struct error err = { 0 };

	if (command_run(&command, &result, &err) == 0) {
		MEM_AUTO char *trouble = command_trouble(&command, &result);

		if (result.fate != COMMAND_ENDED || result.end.signal != 0)
			facts_fail(facts, trouble);
		else
			facts_store(facts, result.end.status, false, result.out);
	} else if (err.status == STATUS_EXEC_MISSING) {
		facts_store(facts, -1, true, NULL);
	} else {
		(void)error_prefix(&err, "cannot start %s", wanted->item[0]);
		facts_fail(facts, err.text);
	}
	command_clear(&result);
}

/*
 * Looks for a hypervisor that has outlived its vmrun, and for what else a dead vmrun has left,
 * which a start undoes first.  Returns 0, or -1 with an error where a start would fail.
 */
static int look_at_remains(struct vmrun *vm, struct words *ours, struct error *err)
{
	MEM_AUTO char *directory = mem_format("%s/%s", vm->run_dir, vm->name);
	struct ledger_options options = {
		.directory = directory, .vm = vm->name, .set_aside = vm->options.force
	};
	struct ledger_remains left;

	if (ledger_look(&options, &left, err) != 0)
		return -1;
	words_append(ours, &left.names);
	words_free(&left.names);
	if (left.runs && left.pid == 0)
		return error_set(err, STATUS_BUSY,
		    "%s: its hypervisor, or a program that this has started, still runs, and its "
		    "pid is not known: end the process that holds %s/vm open (fuser, fstat)",
		    vm->name, directory);
	if (left.runs && !vm->options.force)
		return error_set(err, STATUS_BUSY,
		    "%s: its hypervisor still runs as pid %ld, left by a vmrun that died: stop the "
		    "guest, or run vmrun with --force",
		    vm->name, (long)left.pid);
	return 0;
}

/* Looks whether a start could make its files.  Returns 0, or -1 with an error. */
static int look_at_files(const struct vmrun *vm, struct error *err)
{
	MEM_AUTO char *control = mem_format("%s/%s/" RUNDIR_CONTROL, vm->run_dir, vm->name);

	if ((vm->own_pid_file != NULL && pidfile_check(vm->own_pid_file, err) != 0) ||
	    (vm->pid_file != NULL && pidfile_check(vm->pid_file, err) != 0))
		return -1;
	return vm->options.control ? socket_check(control, err) : 0;
}

/*
 * Looks for a vmrun of this name, whose VM has what the checks would find taken, and for all else
 * that makes a start fail before its checks.  A run locks the name before.  Returns 0, or a status
 * with a problem in the handle's report.
 */
static int look_for_others(struct vmrun *vm, struct words *ours)
{
	struct error err = { 0 };
	int status = vm->options.check ? STATUS_OK : handle_lock(vm);

	if (status != STATUS_OK)
		return status;
	if ((!vm->options.check || rundir_check(vm->run_dir, vm->name, &err) == 0) &&
	    look_at_remains(vm, ours, &err) == 0 && look_at_files(vm, &err) == 0)
		return STATUS_OK;
	report_take(&vm->report, NULL, &err);
	vm->is_usable = true; /* the program may remove the cause before the next call */
	return (int)vm->report.status;
}

int vmrun_check(struct vmrun *vm)
{
	WORDS_AUTO struct words ours = { 0 };
	struct check_request request = { 0 };
	struct facts facts = { 0 };
	struct event_findings *none = NULL;
	struct findings missing = { 0 }, found = { 0 };
	PAIRS_AUTO struct pairs before = { 0 };
	const struct check_names names = { 0 }; /* of others; a check takes none */
	int status = STATUS_OK;

	handle_forget_refusal(vm);
	if (vm->machine == NULL)
		handle_take_findings(vm, &none);
	if (handle_failed(vm))
		return (int)vm->report.status;
	if (vm->machine != NULL)
		return handle_refuse(vm,
		    "the VM was started or simulated before: a run reports its checks as events");
	if (vm->options.check || !vm->options.dry_run)
		status = look_for_others(vm, &ours);
	if (status == STATUS_OK)
		status = vmrun_prepare(vm);
	if (status != STATUS_OK)
		return status;
	request.spec = vm->first.spec;
	request.plan = &vm->first.plan;
	request.facts = &facts;
	request.missing = &missing;
	request.ours = &ours;
	while (!check_find(vm->first.spec, vm->source.hyper, &before, &names, &facts, &missing))
		answer_question(&facts);
	while (!check_boot(&request, &found))
		answer_question(&facts);
	vm->findings = copy_findings(vm, &found);
	status = findings_problems(&found) == 0 ? STATUS_OK : STATUS_CHECK;
	findings_clear(&found);
	facts_clear(&facts);
	return status;
}

const struct vmrun_finding *vmrun_finding(const struct vmrun *vm, size_t index)
{
	const struct event_findings *all = vm->findings;

	return all != NULL && index < all->count ? &all->item[index].finding : NULL;
}

/* Begins the object of a finding with its place. */
static void begin_finding(struct str *json, const struct vmrun_finding *f)
{
	json_begin_object(json, NULL);
	json_add_text(json, "device", f->device);
	json_add_text(json, "id", f->id);
	json_add_text(json, "slot", f->slot);
	json_add_text(json, "path", f->path);
}

/* Adds what is wrong, in an object that is not ended. */
static void begin_problem(struct str *json, const struct vmrun_finding *f)
{
	MEM_AUTO char *problem = mem_format("%s: %s", f->what, f->problem);

	begin_finding(json, f);
	json_add_text(json, "problem", problem);
}

/* Adds the list of problems. */
static void add_problems(struct str *json, const char *key, const struct event_findings *all)
{
	json_begin_list(json, key);
	for (size_t i = 0; i < all->count; i++) {
		const struct vmrun_finding *f = &all->item[i].finding;

		if (f->unchecked || f->made || f->warning)
			continue;
		begin_problem(json, f);
		json_add_text(json, "fix", f->fix);
		json_end_object(json);
	}
	json_end_list(json);
}

/* Begins a list unless it was begun. */
static void begin_list_once(struct str *json, const char *key, bool *has_list)
{
	if (!*has_list)
		json_begin_list(json, key);
	*has_list = true;
}

/* Adds the list of what companions make, if they make something that was not checked. */
static void add_made(struct str *json, const struct event_findings *all)
{
	bool has_list = false;

	for (size_t i = 0; i < all->count; i++) {
		const struct vmrun_finding *f = &all->item[i].finding;

		if (!f->made)
			continue;
		begin_list_once(json, "made", &has_list);
		begin_finding(json, f);
		json_add_text(json, "what", f->what);
		json_add_text(json, "by", str_after(f->problem, FINDING_MADE_BY));
		json_end_object(json);
	}
	if (has_list)
		json_end_list(json);
}

/* Adds the list of warnings, if there are any. */
static void add_warnings(struct str *json, const struct event_findings *all)
{
	bool has_list = false;

	for (size_t i = 0; i < all->count; i++) {
		const struct vmrun_finding *f = &all->item[i].finding;

		if (!f->warning)
			continue;
		begin_list_once(json, "warnings", &has_list);
		begin_problem(json, f);
		json_end_object(json);
	}
	if (has_list)
		json_end_list(json);
}

void handle_find(void *context, struct event_record *r)
{
	const struct vmrun *vm = context;
	STR_AUTO struct str json = { 0 };

	r->findings = copy_findings(vm, machine_findings(vm->machine));
	add_problems(&json, NULL, r->findings);
	event_text(r, json.text);
}

char *vmrun_check_json(const struct vmrun *vm)
{
	struct str json = { 0 };

	if (vm->findings == NULL)
		return NULL;
	json_begin_object(&json, NULL);
	json_add_text(&json, "vm", vm->name);
	json_add_text(&json, "target", vm->first.target);
	add_problems(&json, "problems", vm->findings);
	add_made(&json, vm->findings);
	add_warnings(&json, vm->findings);
	json_end_object(&json);
	str_make_utf8(&json); /* a path may be invalid UTF-8 */
	return str_take(&json);
}
