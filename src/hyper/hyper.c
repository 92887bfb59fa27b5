/* The hypervisors, and what they have in common. */
#include "hyper/hyper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/os.h"

#define SECRET_LONGEST 8 /* bytes of a password that VNC looks at */
#define LONGEST_MAP 512	 /* bytes of a device map that a note shows */
#define ONLY_ONE ""	 /* in place of a kind of thing: the device itself */

static const struct hypervisor *const hypervisors[] = { &hyper_bhyve, &hyper_qemu };

const struct hypervisor *hyper_find(const char *name)
{
	for (size_t i = 0; i < sizeof(hypervisors) / sizeof(hypervisors[0]); i++) {
		if (strcmp(hypervisors[i]->name, name) == 0)
			return hypervisors[i];
	}
	return NULL;
}

const struct hypervisor *hyper_for_host(void)
{
	return os_has_vmm() ? &hyper_bhyve : &hyper_qemu;
}

bool hyper_is_foreign(const struct hypervisor *hyper)
{
	return hyper->system != NULL && strcmp(hyper->system, os_name()) != 0;
}

/* bhyve(8) EXIT STATUS, and the statuses of sysexits(3) that its sources use. */
const char *hyper_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 4, "its own error" },
		{ 64, "usage error" },
		{ 71, "refused by the operating system" },
		{ 100, "unknown suspend reason" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return NULL;
}

/* All that a device wants for itself alone: kind of thing = which one. */
static void collect_claims(const struct device *dev, struct pairs *claims)
{
	struct needs needs = { 0 };

	if (dev->removed)
		return;
	if (dev->kind->single)
		pairs_add(claims, ONLY_ONE, dev->kind->name);
	if (dev->kind->claims != NULL)
		dev->kind->claims(dev, claims);
	if (dev->kind->needs != NULL)
		dev->kind->needs(dev, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		if (need_is_exclusive(&needs.item[i]))
			pairs_add(claims, need_name(needs.item[i].kind), needs.item[i].what);
	}
	needs_clear(&needs);
}

static bool has_claim(const struct pairs *claims, const struct pair *wanted)
{
	for (size_t i = 0; i < claims->count; i++) {
		if (strcmp(claims->item[i].key, wanted->key) == 0 &&
		    strcmp(claims->item[i].value, wanted->value) == 0)
			return true;
	}
	return false;
}

static void report_claim(const struct device *first, const struct device *second,
    const struct pair *claim, struct report *report)
{
	MEM_AUTO char *one = device_label(first);
	MEM_AUTO char *two = device_label(second);
	struct device_place place;
	const struct where *at = device_where(second, &place);

	if (strcmp(claim->key, ONLY_ONE) != 0)
		report_add(report, STATUS_SPEC, at, "%s and %s both have the %s \"%s\"", one, two,
		    claim->key, claim->value);
	else if (second->origin != NULL && second->kind == &device_xhci)
		report_add(report, STATUS_SPEC, at,
		    "a VM has one xhci, and %s is there already: set \"xhci_tablet\" to false",
		    one);
	else
		report_add(report, STATUS_SPEC, at, "a VM has one %s, and %s is there already",
		    claim->value, one);
}

void hyper_check_claims(const struct spec *spec, const char *shared, struct report *report)
{
	struct pairs *claims = mem_zero((spec->device_count + 1) * sizeof(*claims));

	for (size_t i = 0; i < spec->device_count; i++) {
		collect_claims(spec->devices[i], &claims[i]);
		for (size_t k = 0; k < claims[i].count; k++) {
			const struct pair *claim = &claims[i].item[k];
			size_t first = 0;

			while (first < i && !has_claim(&claims[first], claim))
				first++;
			if (first < i && (shared == NULL || strcmp(claim->key, shared) != 0))
				report_claim(spec->devices[first], spec->devices[i], claim, report);
		}
	}
	for (size_t i = 0; i < spec->device_count; i++)
		pairs_free(&claims[i]);
	free(claims);
}

char *hyper_secret_path(const struct plan_request *request)
{
	return mem_format("%s/secret", request->folder);
}

/* The first line of a file. */
static int read_secret(const char *path, char **text, struct error *err)
{
	char line[SECRET_LONGEST + 2] = "";
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return error_set(
		    err, STATUS_CHECK, "password_file: cannot read %s: %s", path, strerror(errno));
	if (fgets(line, sizeof(line), f) == NULL)
		*line = '\0';
	(void)fclose(f);
	n = strcspn(line, "\r\n");
	if (n == 0 || n > SECRET_LONGEST)
		return error_set(err, STATUS_CHECK,
		    "password_file: the first line of %s is %s: expected 1 to %d bytes", path,
		    n == 0 ? "empty" : "too long", SECRET_LONGEST);
	*text = mem_copy_n(line, n);
	return 0;
}

int hyper_secret_text(const struct device_secret *secret, const struct plan_request *request,
    char **text, struct error *err)
{
	*text = NULL;
	if (request->dry)
		return 0;
	if (secret->file != NULL)
		return read_secret(secret->file, text, err);
	*text = mem_copy(secret->text);
	return 0;
}

static void add_sockets(const struct device *dev, struct words *sockets)
{
	struct needs needs = { 0 };

	if (dev->kind->needs != NULL)
		dev->kind->needs(dev, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		if (needs.item[i].kind == NEED_SOCKET)
			words_add(sockets, needs.item[i].what);
	}
	needs_clear(&needs);
}

static void note_unknown(const struct device *dev, struct words *unknown)
{
	const char *word =
	    dev->kind->unknown == NULL || dev->found != NULL ? NULL : dev->kind->unknown(dev);

	if (word != NULL)
		words_addf(unknown, "%s stands for what a run finds for %s", word,
		    dev->origin != NULL ? dev->origin : dev->id);
}

/* Files that a command names and a run writes. */
static void note_files(const struct plan *plan, struct words *unknown)
{
	const struct loading *loading = &plan->loading;

	if (plan->secret_path != NULL)
		words_addf(unknown, "%s is written by a run: the password", plan->secret_path);
	if (loading->map_path != NULL) {
		struct str line = { 0 };

		str_add_line(&line, loading->map, LONGEST_MAP);
		words_addf(unknown, "%s is written by a run: %s", loading->map_path,
		    line.text == NULL ? "" : line.text);
		str_free(&line);
	}
}

void hyper_finish(const struct plan_request *request, struct plan *plan)
{
	const struct spec *spec = request->spec;

	if (spec->tpm.managed)
		plan->tpm_state = mem_format("%s/tpm", request->state_folder);
	for (size_t i = 0; i < spec->device_count; i++) {
		if (spec->devices[i]->removed)
			continue;
		add_sockets(spec->devices[i], &plan->sockets);
		note_unknown(spec->devices[i], &plan->unknown);
	}
	note_files(plan, &plan->unknown);
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (spec->com[i] != NULL && strcmp(spec->com[i], "nmdm") == 0 &&
		    spec->com_found[i] == NULL && plan->hyper->system != NULL)
			words_addf(&plan->unknown,
			    "%s stands for the free pair that a run finds for com%zu",
			    spec_com(spec, i), i + 1);
		else if (spec->com[i] != NULL && strcmp(spec->com[i], SPEC_CONSOLE) == 0 &&
		    spec->com_found[i] == NULL)
			words_addf(&plan->unknown,
			    "%s stands for the terminal that a run makes for com%zu",
			    spec_com(spec, i), i + 1);
	}
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
	words_free(&plan->moot);
	words_free(&plan->unknown);
	pairs_free(&plan->config);
	words_free(&plan->remarks);
	loading_clear(&plan->loading);
	free(plan->tpm_state);
	free(plan->secret_path);
	free(plan->secret);
	free(plan->copy_from);
	free(plan->copy_to);
	memset(plan, 0, sizeof(*plan));
}
