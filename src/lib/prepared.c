/* libvmrun: the prepared boot, its command and its spec. */
#include "vmrun/vmrun.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/handle.h"

int vmrun_prepare(struct vmrun *vm)
{
	struct boot_facts facts = { .boots = 0 };

	if (handle_failed(vm))
		return (int)vm->report.status;
	if (vm->machine != NULL)
		return STATUS_OK; /* the machine owns the boot */
	if (vm->first.spec == NULL &&
	    boot_prepare(&vm->source, vm->options.target, &facts, &vm->first, &vm->report) != 0)
		return (int)vm->report.status;
	return STATUS_OK;
}

const char *const *vmrun_argv(const struct vmrun *vm)
{
	return (const char *const *)vm->first.plan.argv.item;
}

char *vmrun_command(const struct vmrun *vm)
{
	return vm->first.spec == NULL ? NULL : words_shell_line(&vm->first.plan.argv);
}

/* Returns the loader's command, with printf(1) for its standard input.  Caller frees. */
static char *loader_line(const struct plan *plan)
{
	MEM_AUTO char *command = words_shell_line(&plan->loading.argv);
	struct words print = { 0 };
	MEM_AUTO char *line = NULL;

	if (plan->loading.input == NULL)
		return mem_copy(command);
	words_add(&print, "printf");
	words_add(&print, "%s\\n");
	for (const char *p = plan->loading.input; *p != '\0'; p += strcspn(p, "\n") + 1)
		words_take(&print, mem_copy_n(p, strcspn(p, "\n")));
	line = words_shell_line(&print);
	words_free(&print);
	return mem_format("%s | %s", line, command);
}

char *vmrun_loader_command(const struct vmrun *vm)
{
	return vm->first.spec == NULL || vm->first.plan.loading.argv.count == 0
	    ? NULL
	    : loader_line(&vm->first.plan);
}

char *vmrun_bhyve_config(struct vmrun *vm)
{
	bool had_failed = handle_failed(vm);
	size_t before = vm->report.count;
	char *text;

	if (vm->first.spec == NULL)
		return NULL;
	text = boot_config_text(&vm->source, vm->first.spec, &vm->report);
	if (vm->report.count == before)
		return text;
	vm->is_usable = !had_failed;
	free(text);
	return NULL;
}

char *vmrun_spec_json(const struct vmrun *vm)
{
	return vm->first.spec == NULL ? NULL : spec_print(vm->first.spec);
}

/* Returns the words as a list that is never NULL. */
static const char *const *lend(const struct words *words)
{
	static const char *const none[] = { NULL };

	return words->count == 0 ? none : (const char *const *)words->item;
}

const char *const *vmrun_notes(const struct vmrun *vm)
{
	return lend(&vm->first.plan.notes);
}

const char *const *vmrun_placeholders(const struct vmrun *vm)
{
	return lend(&vm->first.plan.placeholder_notes);
}

const char *const *vmrun_bhyve_words(const struct vmrun *vm)
{
	struct words *words = &vm->lent->bhyve_words;

	if (vm->first.spec == NULL)
		words_free(words);
	else if (words->count == 0)
		boot_config_remarks(&vm->source, vm->first.spec, words);
	return lend(words);
}

const char *vmrun_name(const struct vmrun *vm)
{
	return vm->name;
}

const char *vmrun_target(const struct vmrun *vm)
{
	return vm->name == NULL ? NULL : vm->options.target;
}

const char *vmrun_hypervisor(const struct vmrun *vm)
{
	return vm->source.hyper == NULL ? NULL : vm->source.hyper->name;
}
