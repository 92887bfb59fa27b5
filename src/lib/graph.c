/* libvmrun: functions about all targets of a VM: its policy as a graph or table, its stdio. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/handle.h"
#include "policy/graph.h"
#include "policy/table.h"

static bool has_hooks(const struct vmrun *vm, const struct spec *spec)
{
	WORDS_AUTO struct words labels = { 0 };

	boot_hooks(&vm->source, spec, "on_exit", &labels);
	return labels.count > 0;
}

/*
 * Reads the specs of all targets, in order, without those that have problems.  Returns their
 * number.
 */
static size_t read_targets(struct vmrun *vm, struct graph_target *list)
{
	const struct words *names = document_targets(vm->source.doc);
	REPORT_AUTO struct report ignored = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct spec *spec = boot_spec(&vm->source, names->item[i], &ignored);

		if (spec != NULL)
			list[n++] = (struct graph_target){ names->item[i], spec,
				has_hooks(vm, spec), boot_leads(&vm->source, spec) };
	}
	/* Read the first target last: the document has the hooks of the last one. */
	spec_free(boot_spec(&vm->source, vm->options.target, &ignored));
	return n;
}

static void free_targets(struct graph_target *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		spec_free(list[i].spec);
		node_free(list[i].leads);
	}
	free(list);
}

/* Returns the targets of the VM.  Caller frees with free_targets(). */
static struct graph_target *targets(struct vmrun *vm, size_t *count)
{
	struct graph_target *list =
	    mem_zero((document_targets(vm->source.doc)->count + 1) * sizeof(*list));

	*count = read_targets(vm, list);
	return list;
}

/* Returns the table or the graph of the targets, or NULL.  Caller frees. */
static char *print_targets(struct vmrun *vm, bool as_table)
{
	struct graph g = { .vm = vm->name, .first = vm->options.target, .options = &vm->policy };
	struct graph_target *list;
	char *text;

	if (handle_failed(vm) || vm->machine != NULL)
		return NULL;
	g.target = list = targets(vm, &g.count);
	text = as_table ? policy_table(&g) : graph_dot(&g);
	free_targets(list, g.count);
	return text;
}

char *vmrun_graph(struct vmrun *vm)
{
	return print_targets(vm, false);
}

char *vmrun_policy(struct vmrun *vm)
{
	return print_targets(vm, true);
}

bool vmrun_uses_stdio(struct vmrun *vm)
{
	struct graph_target *list;
	size_t count;
	bool found = false;

	if (handle_failed(vm) || vm->machine != NULL)
		return false;
	list = targets(vm, &count);
	for (size_t i = 0; i < count; i++)
		found = found || hyper_uses_stdio(vm->source.hyper, list[i].spec, &vm->args);
	free_targets(list, count);
	return found;
}
