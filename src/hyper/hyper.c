/* The hypervisors, and what they have in common. */
#include "hyper/hyper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/serial.h"
#include "platform/os.h"

#define START_MS 1000	 /* that a hypervisor has to complain about its start */
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

void hyper_judge_start(struct outcome *outcome, int64_t uptime_ms, bool complained)
{
	if (outcome->failed_start && uptime_ms < START_MS && complained)
		outcome->cause = CAUSE_START_FAILED;
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

/* A device or a serial port, and all that it wants for itself alone: kind of thing = which one. */
struct owner {
	const struct device *dev; /* NULL: com1 to com4 */
	size_t com;
	struct pairs claims;
};

static void add_needs(const struct needs *needs, struct pairs *claims)
{
	for (size_t i = 0; i < needs->count; i++) {
		if (need_is_exclusive(&needs->item[i]))
			pairs_add(claims, need_name(needs->item[i].kind), needs->item[i].what);
	}
}

static void collect_of_device(const struct device *dev, struct pairs *claims)
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
	add_needs(&needs, claims);
	needs_clear(&needs);
}

/* "nmdm" and "console" are nobody's until a run has found what is behind them. */
static void collect_of_com(const struct spec *spec, size_t port, struct pairs *claims)
{
	const char *com = spec->com_found[port] != NULL ? spec->com_found[port] : spec->com[port];
	struct needs needs = { 0 };

	if (com == NULL || !serial_is_backend(com))
		return;
	serial_claim(com, claims);
	serial_need(com, "", &needs);
	add_needs(&needs, claims);
	needs_clear(&needs);
}

/* Caller frees it, and the claims in it. */
static struct owner *collect(const struct spec *spec, size_t *count)
{
	struct owner *owners = mem_zero((SPEC_COM_PORTS + spec->device_count) * sizeof(*owners));

	*count = SPEC_COM_PORTS + spec->device_count;
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		owners[i].com = i + 1;
		collect_of_com(spec, i, &owners[i].claims);
	}
	for (size_t i = 0; i < spec->device_count; i++) {
		struct owner *owner = &owners[SPEC_COM_PORTS + i];

		owner->dev = spec->devices[i];
		collect_of_device(owner->dev, &owner->claims);
	}
	return owners;
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

static char *owner_label(const struct owner *owner)
{
	return owner->dev != NULL ? device_label(owner->dev) : mem_format("com%zu", owner->com);
}

static void report_claim(const struct owner *first, const struct owner *second,
    const struct pair *claim, struct report *report)
{
	MEM_AUTO char *one = owner_label(first);
	MEM_AUTO char *two = owner_label(second);
	struct where com = { NULL, two, 0 };
	struct device_place place;
	const struct device *dev = second->dev;
	const struct where *at = dev == NULL ? &com : device_where(dev, &place);

	if (strcmp(claim->key, ONLY_ONE) != 0)
		report_add(report, STATUS_SPEC, at, "%s and %s both have the %s \"%s\"", one, two,
		    claim->key, claim->value);
	else if (dev->origin != NULL && dev->kind == &device_xhci)
		report_add(report, STATUS_SPEC, at,
		    "a VM has one xhci, and %s is there already: set \"xhci_tablet\" to false",
		    one);
	else
		report_add(report, STATUS_SPEC, at, "a VM has one %s, and %s is there already",
		    claim->value, one);
}

void hyper_check_claims(const struct spec *spec, const char *shared, struct report *report)
{
	size_t count;
	struct owner *owners = collect(spec, &count);

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < owners[i].claims.count; k++) {
			const struct pair *claim = &owners[i].claims.item[k];
			size_t first = 0;

			while (first < i && !has_claim(&owners[first].claims, claim))
				first++;
			if (first < i && (shared == NULL || strcmp(claim->key, shared) != 0))
				report_claim(&owners[first], &owners[i], claim, report);
		}
	}
	for (size_t i = 0; i < count; i++)
		pairs_free(&owners[i].claims);
	free(owners);
}

static bool port_uses_stdio(const struct spec *spec)
{
	size_t count;
	struct owner *owners = collect(spec, &count);
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		found = found || serial_claims_stdio(&owners[i].claims);
		pairs_free(&owners[i].claims);
	}
	free(owners);
	return found;
}

bool hyper_uses_stdio(const struct spec *spec)
{
	return port_uses_stdio(spec) ||
	    (spec->loader.console != NULL && strcmp(spec->loader.console, "stdio") == 0);
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

	plan->uses_stdio = port_uses_stdio(spec);
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
