/* The proof of an import: plans the spec, and compares the variables with those of the text. */
#include "import/tree_check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "device/fbuf.h"
#include "hyper/bhyve_plan.h"
#include "import/bhyve_forms.h"
#include "import/bhyve_tree.h"
#include "import/bhyve_values.h"
#include "import/import.h"
#include "spec/slots.h"

#define LOOPBACK "127.0.0.1"
#define DEFAULT_PLACE LOOPBACK " 5900" /* of a screen (pci_fbuf.c) */
#define PLAN_DIRECTORY "/"	       /* of the files of a run, of which the plan is not used */

/* Variables that are compared elsewhere: the numbers that `cpu` is made of, and the name. */
static const char *const compared[] = { "cpus", "sockets", "cores", "threads", "name" };

static bool is_compared(const char *key)
{
	for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]); i++) {
		if (strcmp(key, compared[i]) == 0)
			return true;
	}
	return false;
}

/* Returns whether the variable is a flag at bhyve's own default, as if it were not set. */
static bool is_default_flag(const struct bhyve_host *host, const char *key, const char *value)
{
	for (const struct bhyve_flag *f = bhyve_flags; f->key != NULL; f++) {
		bool is_on = tree_is_true(value) == tree_is_true(f->value);

		if (strcmp(f->variable, key) != 0)
			continue;
		if (f->offset == offsetof(struct spec, generate_acpi))
			return is_on == (host->release >= ACPI_RELEASE && !host->arm64);
		return !is_on;
	}
	return false;
}

/* Returns whether the variable is the device of virtio-scsi. */
static bool is_scsi_device(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot != NULL && strcmp(dot, ".dev") == 0 && str_after(key, "pci.") != NULL;
}

/* Returns whether bhyve would have this value without the variable. */
static bool is_default(const struct bhyve_host *host, const char *key, const char *value)
{
	return is_default_flag(host, key, value) ||
	    (strcmp(key, "memory.size") == 0 && strcmp(value, BHYVE_MEMORY) == 0) ||
	    (is_scsi_device(key) && strcmp(value, BHYVE_SCSI_DEVICE) == 0) ||
	    (strcmp(key, "lpc.fwcfg") == 0 && strcmp(value, "bhyve") == 0) ||
	    (strcmp(key, "tpm.version") == 0 && strcmp(value, "2.0") == 0) ||
	    (str_after(key, "pci.") != NULL && strcasecmp(value, "false") == 0);
}

/* Returns whether the node of a variable is a screen. */
static bool is_of_screen(const struct pairs *tree, const char *key)
{
	const char *dot = strrchr(key, '.');
	MEM_AUTO char *device = mem_format("%.*s.device", (int)(dot - key), key);
	const char *value = pairs_get(tree, device);

	return value != NULL && strcmp(value, "fbuf") == 0;
}

/* Returns a key with its newest name. */
static char *normal_key(const struct pairs *tree, const char *key)
{
	const char *firmware = str_after(key, "lpc.boot"), *dot = strrchr(key, '.');

	if (firmware != NULL)
		return mem_format("boot%s", firmware);
	if (dot != NULL && strcmp(dot, ".tcp") == 0 && is_of_screen(tree, key))
		return mem_format("%.*s.rfb", (int)(dot - key), key);
	return mem_copy(key);
}

/* Returns the place of a screen with bhyve's defaults. */
static char *normal_place(const char *value)
{
	NODE_AUTO struct node *host = fbuf_read_host(value), *port = fbuf_read_port(value);
	const char *address = host == NULL ? LOOPBACK : host->text;

	if (port == NULL || port->kind != NODE_INT)
		return mem_format("%s %d", address, FBUF_FIRST_PORT);
	return mem_format("%s %lld", address, (long long)port->integer);
}

static char *normal_value(const char *key, const char *value)
{
	const char *dot = strrchr(key, '.');
	char *size = NULL;

	if (dot != NULL && strcmp(dot, ".rfb") == 0)
		return normal_place(value);
	if (dot != NULL && strcmp(dot, ".password") == 0)
		return mem_copy_n(value, strnlen(value, MAX_FBUF_PASSWORD));
	if (dot != NULL && strcmp(dot, ".mac") == 0 && str_after(key, "pci.") != NULL) {
		char *mac = bhyve_mac_text(value);

		if (mac != NULL)
			return mac;
	}
	if (dot != NULL && strcmp(dot, ".size") == 0 &&
	    (str_after(key, "memory.") != NULL || str_after(key, "domains.") != NULL)) {
		free(bhyve_memory_text(value, &size));
		if (size != NULL)
			return size;
	}
	return mem_copy(value);
}

/* Adds bhyve's own place for each screen that has none. */
static void add_places(const struct pairs *tree, struct pairs *out)
{
	for (size_t i = 0; i < tree->count; i++) {
		const char *key = tree->item[i].key, *dot = strrchr(key, '.');
		MEM_AUTO char *place = NULL;

		if (dot == NULL || strcmp(dot, ".device") != 0 || !is_of_screen(tree, key))
			continue;
		place = mem_format("%.*s.rfb", (int)(dot - key), key);
		if (pairs_get(out, place) == NULL)
			pairs_add(out, place, DEFAULT_PLACE);
	}
}

/* Adds the variables in the one form that those of the text and those of the plan can share. */
static void add_normal(const struct bhyve_host *host, const struct pairs *tree, struct pairs *out)
{
	for (size_t i = 0; i < tree->count; i++) {
		MEM_AUTO char *key = normal_key(tree, tree->item[i].key);
		MEM_AUTO char *value = normal_value(key, tree->item[i].value);

		if (!is_compared(key) && !is_default(host, key, value))
			pairs_add(out, key, value);
	}
	add_places(tree, out);
}

/* Returns whether two texts are the same number, in C's syntax. */
static bool is_same_number(const char *a, const char *b)
{
	char *end_a, *end_b;
	unsigned long long x = strtoull(a, &end_a, 0), y = strtoull(b, &end_b, 0);

	return *a != '\0' && *b != '\0' && *end_a == '\0' && *end_b == '\0' && x == y;
}

/* Returns whether bhyve makes the same of the value of the text and of the one of the plan. */
static bool is_same(const struct tree_reader *r, const char *text, const char *plan)
{
	MEM_AUTO char *absolute = NULL;

	if (strcmp(text, plan) == 0)
		return true;
	if ((tree_is_true(text) && tree_is_true(plan)) ||
	    (tree_is_false(text) && tree_is_false(plan)))
		return true;
	absolute = field_path(text, r->directory);
	return strcmp(absolute, plan) == 0 || is_same_number(text, plan);
}

/* Adds the variables of raw devices, which a plan has as words only. */
static void add_raw(const struct tree_reader *r, const struct spec *spec, struct pairs *tree)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];
		ERROR_AUTO struct error err = { 0 };
		char slot[SLOT_TEXT];

		if (dev->kind->verbatim != NULL) {
			MEM_AUTO char *text = mem_format(
			    "%s,%s", slot_text(&dev->slot, slot), dev->kind->verbatim(dev));

			(void)form_read_device(tree, r->host, text, &err);
		}
	}
}

/* Returns what to do about a problem that names a newer release than the host has; "": nothing. */
static char *release_hint(const struct bhyve_host *host, const char *problem)
{
	static const char named[] = "FreeBSD ";
	const char *release = strstr(problem, named);
	long number = release == NULL ? 0 : strtol(release + strlen(named), NULL, 10);

	if (number <= host->release || number > MAX_RELEASE)
		return mem_copy("");
	return mem_format(
	    ": if the VM ran on FreeBSD %ld, import with --set bhyve.release=%ld", number, number);
}

/* Returns what to do about a problem that bhyve may not have; "": the problem says it. */
static const char *advice(const char *problem)
{
	static const char *const rows[][2] = {
		{ "slot has no function 0", ": give it function 0 of a slot, or remove it" },
		{ "\" already", ": bhyve cannot open it twice" },
		{ "two ports are named", ": give one of them another name" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strstr(problem, rows[i][0]) != NULL)
			return rows[i][1];
	}
	return "";
}

/* Moves the problems of the spec to the report. */
static int tell(const struct tree_reader *r, const struct report *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const char *text = problems->item[i].text;
		MEM_AUTO char *key = import_key_text(r->spec, problems->item[i].path);
		MEM_AUTO char *hint = release_hint(r->host, text);

		report_add(r->report, STATUS_SPEC, NULL, "this VM cannot be a spec: %s%s%s%s", key,
		    text, advice(text), hint);
	}
	return problems->count == 0 ? 0 : -1;
}

/* Adds the variables that bhyve has by the spec.  Returns -1 after it has added to the report. */
static int plan_tree(const struct tree_reader *r, struct pairs *tree)
{
	REPORT_AUTO struct report problems = { 0 };
	struct decoder d = { .report = &problems, .directory = r->directory };
	SPEC_AUTO struct spec *spec = spec_decode(r->spec, &d);
	struct pin_map *pins = mem_zero(sizeof(*pins));
	struct plan plan = { 0 };
	struct plan_request request = {
		.spec = spec, .directory = PLAN_DIRECTORY, .state_directory = PLAN_DIRECTORY
	};

	if (problems.count == 0)
		slots_assign(spec, NULL, pins, &problems);
	free(pins);
	if (problems.count == 0) {
		spec_complete(spec);
		(void)hyper_bhyve.plan(&request, &plan, &problems);
	}
	for (size_t i = 0; i < plan.config.count && problems.count == 0; i++) {
		struct error err = { 0 };

		/* A variable of `config` comes last and wins. */
		if (tree_set(tree, plan.config.item[i].key, plan.config.item[i].value, &err) != 0)
			report_take(&problems, NULL, &err);
	}
	if (plan.secret != NULL)
		tree_read_file(tree, plan.secret, strlen(plan.secret), "secret", &problems);
	if (problems.count == 0)
		add_raw(r, spec, tree);
	plan_clear(&plan);
	return tell(r, &problems);
}

/* Adds the variables of the text that the plan does not have. */
static void find_missing(const struct tree_reader *r, const struct pairs *text,
    const struct pairs *plan, struct pairs *missing)
{
	for (size_t i = 0; i < text->count; i++) {
		const char *key = text->item[i].key, *value = text->item[i].value;
		const char *planned = pairs_get(plan, key);

		if (planned == NULL || !is_same(r, value, planned))
			pairs_add(missing, key, value);
	}
}

/* Variables that bhyve demands of a VM, and that vmrun therefore sets. */
static const struct {
	const char *key, *option, *needed;
} demanded[] = {
	{ "memory.wired", "-S", "passthru" },
	{ "x86.mptable", "-Y", "a device on another bus than 0" },
};

/* Reports a variable that only the plan has: nothing can unset it. */
static void refuse_variable(const struct tree_reader *r, const struct pair *p)
{
	for (size_t i = 0; i < sizeof(demanded) / sizeof(demanded[0]); i++) {
		if (strcmp(demanded[i].key, p->key) != 0)
			continue;
		if (r->is_file)
			report_add(r->report, STATUS_SPEC, NULL,
			    "bhyve refuses %s without %s=%s: add this line", demanded[i].needed,
			    p->key, p->value);
		else
			report_add(r->report, STATUS_SPEC, NULL,
			    "bhyve refuses %s without %s: add this option to the command",
			    demanded[i].needed, demanded[i].option);
		return;
	}
	report_add(r->report, STATUS_SPEC, NULL,
	    "%s: the text does not set this variable, which vmrun has to set to \"%s\": bhyve "
	    "would "
	    "refuse the VM without it, or the guest would change; add %s%s=%s",
	    p->key, p->value, r->is_file ? "the line " : "-o ", p->key, p->value);
}

static void refuse_surplus(
    const struct tree_reader *r, const struct pairs *text, const struct pairs *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (pairs_get(text, plan->item[i].key) == NULL)
			refuse_variable(r, &plan->item[i]);
	}
}

/* Returns why only `config` has a variable. */
static const char *why_carried(const struct tree_reader *r, const char *key)
{
	const char *dot = strrchr(key, '.');

	if (str_after(key, "lpc.") != NULL && !tree_has_lpc(r) && !r->host->arm64)
		return "bhyve ignores this variable without an lpc (-s 31,lpc)";
	if (str_after(key, "vcpu.") != NULL)
		return "\"pin\" takes single processors, of those that the guest has";
	if (dot != NULL && strcmp(dot, ".mac") == 0)
		return "another interface has this address";
	return tree_is_known(key) ? "no key of vmrun takes this value"
				  : "no key of vmrun sets this variable";
}

/* Puts variables into `config`. */
static void carry(struct tree_reader *r, const struct pairs *missing)
{
	struct node *config = node_take(r->spec, "config"); /* the firmware, or nothing */

	if (config == NULL)
		config = node_new(NODE_OBJECT);
	for (size_t i = 0; i < r->tree->count; i++) {
		const struct pair *p = &r->tree->item[i];
		MEM_AUTO char *key = normal_key(r->tree, p->key);

		if (pairs_get(missing, key) == NULL)
			continue;
		node_put(config, p->key, node_string(p->value));
		words_addf(r->notes, "%s=%s: %s: kept in \"config\"", p->key, p->value,
		    why_carried(r, key));
	}
	node_put(r->spec, "config", config);
}

void tree_check(struct tree_reader *r)
{
	PAIRS_AUTO struct pairs text = { 0 }, planned = { 0 }, plan = { 0 }, missing = { 0 };
	PAIRS_AUTO struct pairs again = { 0 }, plan_again = { 0 }, lost = { 0 };

	add_normal(r->host, r->tree, &text);
	if (plan_tree(r, &planned) != 0)
		return;
	add_normal(r->host, &planned, &plan);
	find_missing(r, &text, &plan, &missing);
	refuse_surplus(r, &text, &plan);
	if (missing.count == 0 || r->report->count > 0)
		return;
	carry(r, &missing);
	if (plan_tree(r, &again) != 0)
		return;
	add_normal(r->host, &again, &plan_again);
	find_missing(r, &text, &plan_again, &lost);
	for (size_t i = 0; i < lost.count; i++)
		report_add(r->report, STATUS_SPEC, NULL,
		    "%s=%s: neither a key of vmrun nor \"config\" can set this variable so",
		    lost.item[i].key, lost.item[i].value);
}
