/* What the plans of all hypervisors have in common. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "hyper/firmware.h"
#include "hyper/hyper.h"

#define MAX_MAP_NOTE 512 /* bytes of a device map that a note shows */

static void add_sockets(const struct device *dev, struct words *sockets)
{
	NEEDS_AUTO struct needs needs = { 0 };

	device_needs(dev, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		if (needs.item[i].kind == NEED_SOCKET)
			words_add(sockets, needs.item[i].what);
	}
}

static void note_placeholder(const struct device *dev, struct words *notes)
{
	const char *word = dev->kind->placeholder == NULL || dev->found != NULL
	    ? NULL
	    : dev->kind->placeholder(dev);

	if (word != NULL)
		words_addf(notes, "%s is a placeholder: a run chooses the value for %s", word,
		    dev->origin != NULL ? dev->origin : dev->id);
}

/* Adds notes on files that the command names and a run writes. */
static void note_files(const struct plan *plan, struct words *notes)
{
	const struct loading *loading = &plan->loading;

	if (plan->secret_path != NULL)
		words_addf(
		    notes, "%s is written when the VM runs: the password", plan->secret_path);
	if (loading->map_path != NULL) {
		STR_AUTO struct str line = { 0 };

		str_add_line(&line, loading->map, MAX_MAP_NOTE);
		words_addf(notes, "%s is written by a run: %s", loading->map_path,
		    line.text == NULL ? "" : line.text);
	}
}

static bool is_interface(const struct device *dev)
{
	return !dev->removed && (dev->kind == &device_virtio_net || dev->kind == &device_e1000);
}

static bool is_before(const struct slot *a, const struct slot *b)
{
	if (a->bus != b->bus)
		return a->bus < b->bus;
	return a->slot != b->slot ? a->slot < b->slot : a->function < b->function;
}

/*
 * Adds a note if a guest counts interfaces in another order than the spec, because vmrun has placed
 * one at a further function of a slot: 0:1:1 comes before 0:2:0.
 */
static void note_order(const struct spec *spec, struct words *notes)
{
	const struct device *last = NULL;
	char at[SLOT_TEXT], before[SLOT_TEXT];

	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (!is_interface(dev))
			continue;
		if (last != NULL && !dev->pinned && is_before(&dev->slot, &last->slot)) {
			words_addf(notes,
			    "pin the slots of the interfaces: guests count %s (%s) before %s (%s), "
			    "so the names of interfaces do not follow the order of the spec",
			    dev->id, slot_text(&dev->slot, at), last->id,
			    slot_text(&last->slot, before));
			return;
		}
		last = dev;
	}
}

void hyper_begin(const struct plan_request *request, struct plan *plan, const char *name)
{
	words_append(&plan->argv, &request->spec->prefix);
	plan->program = plan->argv.count;
	words_add(&plan->argv, request->program != NULL ? request->program : name);
}

static const char *const amd64_keys[] = { "generate_acpi", "yield_on_hlt", "utc_clock",
	"disable_mptable_gen", "x2apic", "strict_io", "ignore_unknown_msr", "exit_on_pause",
	"lpc_slot" };

bool hyper_is_amd64_key(const char *key)
{
	for (size_t i = 0; i < sizeof(amd64_keys) / sizeof(amd64_keys[0]); i++) {
		if (strcmp(amd64_keys[i], key) == 0)
			return true;
	}
	return false;
}

void hyper_drop_amd64_keys(const struct spec *spec, struct plan *plan)
{
	if (spec_arch(spec) != ARCH_ARM64)
		return;
	for (size_t i = 0; i < sizeof(amd64_keys) / sizeof(amd64_keys[0]); i++) {
		if (!spec_gives(spec, amd64_keys[i]))
			words_add(&plan->inapplicable, amd64_keys[i]);
	}
}

void hyper_finish(const struct plan_request *request, struct plan *plan)
{
	const struct spec *spec = request->spec;

	plan->uses_stdio = spec_uses_stdio(spec);
	if (spec->tpm.managed)
		plan->tpm_state = mem_format("%s/tpm", request->state_directory);
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i]->removed)
			continue;
		add_sockets(spec->devices[i], &plan->sockets);
		note_placeholder(spec->devices[i], &plan->placeholder_notes);
	}
	if (spec->console.log != NULL && !spec_has_console(spec))
		words_add(&plan->notes,
		    "console.log has no effect: no serial port is \"" SPEC_CONSOLE "\"");
	note_order(spec, &plan->notes);
	note_files(plan, &plan->placeholder_notes);
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (spec->com[i] != NULL && strcmp(spec->com[i], "nmdm") == 0 &&
		    spec->com_found[i] == NULL && plan->hyper->system != NULL)
			words_addf(&plan->placeholder_notes,
			    "%s is a placeholder: a run finds a free pair for com%zu",
			    spec_com(spec, i), i + 1);
		else if (spec->com[i] != NULL && strcmp(spec->com[i], SPEC_CONSOLE) == 0 &&
		    spec->com_found[i] == NULL)
			words_addf(&plan->placeholder_notes,
			    "%s is a placeholder: a run creates a terminal for com%zu",
			    spec_com(spec, i), i + 1);
	}
}

const char *plan_firmware(struct plan *plan, const char *const *paths)
{
	size_t i = 0;

	while (i < plan->firmware_count && plan->firmware[i].paths != paths)
		i++;
	if (i == plan->firmware_count) {
		assert(i < MAX_FIRMWARE);
		plan->firmware[i].paths = paths;
		plan->firmware[i].taken = firmware_first(paths, true);
		plan->firmware_count++;
	}
	return plan->firmware[i].taken;
}

bool plan_is_current(const struct plan *plan)
{
	for (size_t i = 0; i < plan->firmware_count; i++) {
		if (firmware_first(plan->firmware[i].paths, true) != plan->firmware[i].taken)
			return false;
	}
	return !plan->reads_host;
}

static void loading_clear(struct loading *loading)
{
	words_free(&loading->argv);
	free(loading->input_path);
	free(loading->input);
	free(loading->map_path);
	free(loading->map);
}

void plan_clear(struct plan *plan)
{
	free(plan->vm);
	free(plan->bootrom);
	words_free(&plan->argv);
	words_free(&plan->sockets);
	words_free(&plan->notes);
	words_free(&plan->inapplicable);
	words_free(&plan->placeholder_notes);
	pairs_free(&plan->config);
	words_free(&plan->remarks);
	loading_clear(&plan->loading);
	free(plan->tpm_state);
	free(plan->secret_path);
	free(plan->secret);
	free(plan->secret_file);
	free(plan->secret_key);
	free(plan->varfile_template);
	free(plan->varfile);
	free(plan->accel);
	free(plan->log.path);
	memset(plan, 0, sizeof(*plan));
}
