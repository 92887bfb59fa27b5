/* libvmrun: opening and closing a handle. */
#include "vmrun/vmrun.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/near.h"
#include "lib/handle.h"
#include "platform/os.h"
#include "script/hook_request.h"

#define MAX_HOOK_MS 5000 /* computing time of one hook call, unless the spec sets another */
#define MAX_HOOK_BYTES ((size_t)64 << 20) /* memory of Lua, unless the spec sets another */

const char *vmrun_version(void)
{
	return VMRUN_VERSION;
}

/*
 * Reports an invalid value after what was expected, with a hint if one of the candidates
 * (NULL-terminated, or NULL) is similar.  Returns -1.
 */
static int usage(
    struct vmrun *vm, const char *what, const char *value, const char *const *candidates)
{
	struct near near = { .wanted = value };
	struct error err = { 0 };

	for (size_t i = 0; candidates != NULL && candidates[i] != NULL; i++)
		near_offer(&near, candidates[i]);
	MEM_AUTO char *hint = near_hint(&near);

	(void)error_set(&err, STATUS_USAGE, "%s \"%s\"%s", what, value, hint);
	report_take(&vm->report, NULL, &err);
	return -1;
}

static void copy_list(const char *const *from, struct words *to)
{
	for (size_t i = 0; from != NULL && from[i] != NULL; i++)
		words_add(to, from[i]);
}

static void copy_settings(struct vmrun *vm)
{
	copy_list(vm->options.set, &vm->settings);
	for (size_t i = 0; i < vm->settings.count; i++) {
		const char *equal = strchr(vm->settings.item[i], '=');

		if (equal == NULL || equal == vm->settings.item[i])
			(void)usage(vm, "--set takes KEY=VALUE, got", vm->settings.item[i], NULL);
	}
}

/* Returns whether the text begins with a key of vmrun.args and an equal sign. */
static bool has_arg_key(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	static const char others[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-";

	return strspn(text, letters) > 0 && text[strspn(text, others)] == '=';
}

static void copy_spec_args(struct vmrun *vm)
{
	const char *const *words = vm->options.spec_args;

	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		const char *equal = strchr(words[i], '=');

		if (!has_arg_key(words[i])) {
			(void)usage(vm,
			    "--arg takes KEY=VALUE with a KEY of letters, digits, _ and -, the "
			    "first a letter or _, got",
			    words[i], NULL);
			continue;
		}
		MEM_AUTO char *key = mem_copy_n(words[i], (size_t)(equal - words[i]));

		pairs_add(&vm->spec_args, key, equal + 1);
	}
}

static void copy_hooks(struct vmrun *vm)
{
	const char *const *names = vm->options.hooks;
	char cwd[PATH_MAX];

	if (names == NULL)
		return;
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		(void)snprintf(cwd, sizeof(cwd), ".");
	for (size_t i = 0; names[i] != NULL; i++) {
		if (*names[i] == '\0')
			(void)usage(vm, "expected a file of hooks or a stock hook, got", "", NULL);
		hook_list_add_option(&vm->hooks, names[i], cwd);
	}
}

/* Returns whether the word is a path: a dot, or a slash in it, but no PCI address ("3/0/0"). */
static bool is_path(const char *word)
{
	return strcmp(word, ".") == 0 || strcmp(word, "..") == 0 ||
	    (strchr(word, '/') != NULL && word[strspn(word, "0123456789/")] != '\0');
}

static void copy_allowed(struct vmrun *vm)
{
	const char *const *words = vm->options.allow;
	char cwd[PATH_MAX];

	if (words == NULL)
		return;
	/* A program that forgot the sandbox would take itself for safe. */
	if (words[0] != NULL && !vm->options.sandbox)
		report_add(
		    &vm->report, STATUS_USAGE, NULL, "options.allow requires options.sandbox");
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		(void)snprintf(cwd, sizeof(cwd), ".");
	for (size_t i = 0; words[i] != NULL; i++) {
		if (*words[i] == '\0')
			(void)usage(vm,
			    "expected a path, a device, an interface or an address to allow, got",
			    "", NULL);
		words_take(
		    &vm->allow, is_path(words[i]) ? field_path(words[i], cwd) : mem_copy(words[i]));
	}
}

/* Returns a path of the options, which the cwd of later calls does not change.  Caller frees. */
static char *absolute_path(const char *path)
{
	char cwd[PATH_MAX];

	if (path == NULL || getcwd(cwd, sizeof(cwd)) == NULL)
		return path == NULL ? NULL : mem_copy(path);
	return field_path(path, cwd);
}

/* Checks and copies the options.  Returns 0, or -1 with problems in the report. */
static int read_options(struct vmrun *vm)
{
	static const char *const formats[] = { "json", "lua", "ucl", "auto", NULL };
	const struct vmrun_options *o = &vm->options;
	size_t before = vm->report.count;
	struct error err = { 0 };
	enum format format;

	if (o->file == NULL && o->text == NULL)
		report_add(&vm->report, STATUS_USAGE, NULL,
		    "no spec: options.file and options.text are both NULL, set one of them");
	if (o->file != NULL && o->text != NULL)
		report_add(&vm->report, STATUS_USAGE, NULL,
		    "two specs: options.file and options.text are both set, set only one of them");
	if (o->directory != NULL && *o->directory != '/')
		(void)usage(
		    vm, "options.directory: expected an absolute path, got", o->directory, NULL);
	if (o->format != NULL && !format_find(o->format, &format))
		(void)usage(vm, "--format takes json, lua, ucl or auto, got", o->format, formats);
	copy_settings(vm);
	copy_spec_args(vm);
	vm->pid_file = absolute_path(o->pid_file);
	vm->own_pid_file = absolute_path(o->supervisor_pid_file);
	if (vm->pid_file != NULL && vm->own_pid_file != NULL &&
	    strcmp(vm->pid_file, vm->own_pid_file) == 0)
		(void)usage(vm, "both pids cannot be in one file:", o->pid_file, NULL);
	if (o->exec_result < 0 || o->exec_result > UINT8_MAX)
		report_add(&vm->report, STATUS_USAGE, NULL,
		    "exec-result: expected a status from 0 to 255, got %d", o->exec_result);
	copy_list(o->args, &vm->args);
	copy_hooks(vm);
	copy_allowed(vm);
	vm->policy.no_reboot = o->no_reboot;
	vm->policy.reboot_count = o->reboot_count;
	if (o->reboot_on != NULL &&
	    reboot_list_parse(o->reboot_on, &vm->policy.reboot_on, &err) != 0) {
		(void)error_prefix(&err, "--reboot-on");
		report_take(&vm->report, NULL, &err);
	}
	return vm->report.count == before ? 0 : -1;
}

/*
 * Returns the program as argv has it: a path becomes absolute, a name is looked up at the start.
 * Caller frees.
 */
static char *program_path(const char *program)
{
	return program != NULL && strchr(program, '/') == NULL ? mem_copy(program)
							       : absolute_path(program);
}

static char *absolute_directory(const char *wanted, char *(*fallback)(void))
{
	return wanted == NULL ? fallback() : absolute_path(wanted);
}

/* Returns whether the handle is for a dry run only; a check examines the host as it is. */
static bool only_prints(const struct vmrun *vm)
{
	return vm->options.dry_run && !vm->options.check;
}

/*
 * Chooses the hypervisor: the one of which alone the options name the program; bhyve for a dry run;
 * for a run and a check one that this host has.
 */
static int choose_hypervisor(struct vmrun *vm)
{
	static const char *const candidates[] = { "bhyve", "qemu", "auto", NULL };
	const struct vmrun_options *o = &vm->options;
	bool is_open = o->hypervisor == NULL || strcmp(o->hypervisor, "auto") == 0;
	const char *name = o->hypervisor;

	if (is_open && (o->bhyve != NULL) != (o->qemu != NULL)) {
		name = o->bhyve != NULL ? "bhyve" : "qemu";
		is_open = false;
	}
	if (!is_open) {
		vm->source.hyper = hyper_find(name);
		return vm->source.hyper != NULL
		    ? 0
		    : usage(vm, "--hypervisor takes bhyve, qemu or auto, got", name, candidates);
	}
	vm->source.hyper = only_prints(vm) ? &hyper_bhyve : hyper_for_host();
	if (!only_prints(vm) && vm->source.hyper != &hyper_bhyve && os_bhyve_release() != 0)
		event_text(event_add(&vm->events, VMRUN_NOTE),
		    "bhyve cannot run here, so qemu is used: is vmm(4) loaded (kldload vmm)?");
	return 0;
}

static void log_line(void *context, const char *level, const char *text)
{
	struct vmrun *vm = context;
	struct event_record *r = event_add(&vm->events, VMRUN_LOG);

	event_level(r, level);
	event_text(r, text);
}

/* Serves a hook request of a dry run: names the command, or moves the simulated clock. */
static struct node *serve_dry(struct vmrun *vm, const struct node *request)
{
	WORDS_AUTO struct words argv = { 0 }, environment = { 0 };
	struct command command;
	int64_t ms;

	if (hook_request_is_sleep(request, &ms)) {
		vm->simulation.now_ms += ms;
		return NULL;
	}
	hook_request_command(request, &argv, &environment, &command);
	MEM_AUTO char *text = hook_request_dry_text(&argv);

	event_text(event_add(&vm->events, VMRUN_NOTE), text);
	return hook_request_dry_answer(vm->source.exec_result);
}

/* Serves a hook request before there is a loop, from the spec's file or on_prepare; blocks. */
static struct node *serve_hook_request(void *context, const struct node *request)
{
	struct vmrun *vm = context;

	return vm->source.dry ? serve_dry(vm, request) : hook_request_serve(request);
}

static void check_target(struct vmrun *vm)
{
	if (vm->options.target == NULL)
		vm->options.target = "default";
	if (!words_have(document_targets(vm->source.doc), vm->options.target))
		document_report_target(vm->source.doc, vm->options.target, NULL, &vm->report);
}

int handle_read(struct vmrun *vm, struct boot_source *into, struct report *report)
{
	const struct vmrun_options *o = &vm->options;
	struct document_source source = { .file = o->file,
		.text = o->text,
		.length = o->length,
		.name = o->name,
		.directory = o->directory,
		.sandboxed = o->sandbox,
		.allow = &vm->allow };
	struct script_options script = {
		.budget_ms = MAX_HOOK_MS,
		.memory_bytes = MAX_HOOK_BYTES,
		.log = log_line,
		.wait = serve_hook_request,
		.context = vm,
		.load_state = handle_load_state,
		.save_state = handle_save_state,
		.event = handle_event,
		.firmware = handle_firmware,
		.ahead = handle_simulated_seconds,
		.hypervisor = into->hyper->name,
		.run_dir = vm->run_dir,
		.state_dir = vm->state_dir,
		.dry_run = into->dry,
		.args = &vm->spec_args,
		.slices = !into->dry,
	};

	if (o->format != NULL)
		(void)format_find(o->format, &source.format);
	into->doc = document_load(&source, &script, spec_merge_rules(), report);
	return into->doc == NULL ? -1 : 0;
}

static int load(struct vmrun *vm)
{
	if (read_options(vm) != 0 || choose_hypervisor(vm) != 0)
		return -1;
	vm->source.settings = &vm->settings;
	vm->source.hooks = &vm->hooks;
	vm->source.extra = &vm->args;
	vm->program =
	    program_path(vm->source.hyper == &hyper_bhyve ? vm->options.bhyve : vm->options.qemu);
	vm->source.program = vm->program;
	vm->source.dry = vm->options.dry_run || vm->options.check;
	vm->source.exec_result = vm->options.exec_result;
	vm->source.run_dir = vm->run_dir = absolute_directory(vm->options.run_dir, rundir_default);
	vm->source.state_dir = vm->state_dir =
	    absolute_directory(vm->options.state_dir, statedir_default);
	if (handle_read(vm, &vm->source, &vm->report) != 0)
		return -1;
	check_target(vm);
	vm->source.first = vm->options.target;
	if (boot_source_check(&vm->source, &vm->report) != 0)
		return -1;
	vm->events.vm = vm->name = mem_copy(vm->source.name);
	return 0;
}

/*
 * Copies the options; refuses missing ones, those without a size, and those of a later version.
 * Returns 0 or -1.
 */
static int take_options(struct vmrun *vm, const struct vmrun_options *options)
{
	if (options == NULL)
		report_add(
		    &vm->report, STATUS_USAGE, NULL, "options: expected a pointer, got NULL");
	else if (options->size == 0)
		report_add(&vm->report, STATUS_USAGE, NULL,
		    "options.size is 0: initialise the options with "
		    "\"struct vmrun_options options = VMRUN_OPTIONS;\"");
	else if (options->size > sizeof(vm->options))
		report_add(&vm->report, STATUS_USAGE, NULL,
		    "options.size is %zu, expected at most %zu: the program was built with the "
		    "header of a later version than this library, " VMRUN_VERSION
		    "; install that version of the library",
		    options->size, sizeof(vm->options));
	else
		memcpy(&vm->options, options, options->size);
	return vm->report.count == 0 ? 0 : -1;
}

int vmrun_open(struct vmrun **out, const struct vmrun_options *options)
{
	struct vmrun *vm = mem_zero(sizeof(*vm));

	*out = vm;
	vm->lent = mem_zero(sizeof(*vm->lent));
	vm->console_input = -1;
	vm->deadline_ms = -1;
	vm->options.reboot_count = -1;
	if (take_options(vm, options) == 0)
		(void)load(vm);
	if (vm->report.more > 0)
		report_add(
		    &vm->report, vm->report.status, NULL, "and %zu more problems", vm->report.more);
	return vm->report.count == 0 ? STATUS_OK : (int)vm->report.status;
}

void vmrun_close(struct vmrun *vm)
{
	if (vm == NULL)
		return;
	control_close(vm->control);
	machine_free(vm->machine);
	simulation_free(&vm->simulation);
	handle_free_findings(vm->findings);
	rundir_close(&vm->rundir);
	waitset_free(vm->wait);
	control_free(
	    vm->control); /* last: a client that waits for the end may start the VM again */
	boot_source_clear(&vm->source);
	boot_clear(&vm->first);
	reboot_list_free(&vm->policy.reboot_on);
	words_free(&vm->settings);
	pairs_free(&vm->spec_args);
	words_free(&vm->args);
	words_free(&vm->allow);
	hook_list_free(&vm->hooks);
	report_free(&vm->report);
	event_queue_clear(&vm->events);
	free(vm->name);
	free(vm->refusal);
	free(vm->saved_state);
	free(vm->unsaved_state);
	free(vm->run_dir);
	free(vm->state_dir);
	free(vm->program);
	free(vm->pid_file);
	free(vm->own_pid_file);
	free(vm->lent->problems);
	words_free(&vm->lent->bhyve_words);
	free(vm->lent);
	if (vm->console_input >= 0)
		(void)close(vm->console_input);
	free(vm);
}

bool handle_failed(struct vmrun *vm)
{
	if (vm->is_usable) {
		report_free(&vm->report);
		free(vm->lent->problems);
		vm->lent->problems = NULL;
		vm->lent->problem_count = 0;
		vm->is_usable = false;
	}
	return vm->report.count > 0;
}

size_t vmrun_problem_count(const struct vmrun *vm)
{
	return vm->report.count;
}

/* Copies the problems of the report, unless it has no others since the last copy. */
static void lend_problems(struct lent *lent, const struct report *report)
{
	if (report->count == lent->problem_count)
		return;
	lent->problems = mem_resize(lent->problems, report->count, sizeof(*lent->problems));
	lent->problem_count = report->count;
	for (size_t i = 0; i < report->count; i++)
		lent->problems[i] = (struct vmrun_problem){ report->item[i].place,
			report->item[i].path, report->item[i].text };
}

const struct vmrun_problem *vmrun_problem(const struct vmrun *vm, size_t index)
{
	const struct report *report = &vm->report;

	if (index >= report->count)
		return NULL;
	lend_problems(vm->lent, report);
	return &vm->lent->problems[index];
}
