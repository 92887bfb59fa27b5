/* libvmrun: the policy of a VM as a graph. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/handle.h"
#include "run/graph.h"

static bool has_hooks(const struct vmrun *vm, const struct spec *spec)
{
	struct words labels = { 0 };
	bool any;

	boot_hooks(&vm->source, spec, "on_exit", &labels);
	any = labels.count > 0;
	words_free(&labels);
	return any;
}

/* Specs of all targets, in order; all of them were good when the document was opened. */
static size_t read_targets(struct vmrun *vm, struct graph_target *list)
{
	const struct words *names = document_targets(vm->source.doc);
	struct report ignored = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct spec *spec = boot_read(&vm->source, names->item[i], &ignored);

		if (spec != NULL)
			list[n++] =
			    (struct graph_target){ names->item[i], spec, has_hooks(vm, spec) };
	}
	/* Hooks and places are those of the target that was read last: the first boot's again. */
	spec_free(boot_read(&vm->source, vm->options.target, &ignored));
	report_free(&ignored);
	return n;
}

char *vmrun_graph(struct vmrun *vm)
{
	struct graph g = { .vm = vm->name, .first = vm->options.target, .options = &vm->policy };
	struct graph_target *list;
	char *text;

	if (vm->report.count > 0 || vm->machine != NULL)
		return NULL;
	list = mem_zero((document_targets(vm->source.doc)->count + 1) * sizeof(*list));
	g.target = list;
	g.count = read_targets(vm, list);
	text = graph_dot(&g);
	for (size_t i = 0; i < g.count; i++)
		spec_free(list[i].spec);
	free(list);
	return text;
}
