/*
 * The PCI devices in bhyve's variables, as devices of a spec: the rows of each kind read its keys.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/node_json.h"
#include "base/str.h"
#include "hyper/bhyve_plan.h"
#include "import/bhyve_values.h"
#include "import/tree_reader.h"

#define MINIMUM_RELEASE 15 /* bhyve has a minimum for a screen */

/* The variables of one address, without "pci.B.S.F.". */
struct pci_device {
	struct slot slot;
	struct pairs vars;
};

struct pci_devices {
	struct pci_device *item;
	size_t count;
};

static bool is_one_of(const char *value, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcasecmp(value, *words) == 0)
			return true;
	}
	return false;
}

bool tree_is_true(const char *value)
{
	static const char *const words[] = { "true", "on", "yes", "1", NULL };

	return is_one_of(value, words);
}

bool tree_is_false(const char *value)
{
	static const char *const words[] = { "false", "off", "no", "0", NULL };

	return is_one_of(value, words);
}

/* Which values of a variable bhyve takes and a row does not. */
enum leniency {
	LONG_TEXT,   /* bhyve cuts it */
	ANY_NUMBER,  /* bhyve uses its own instead (atoi(3), so "0x8" is 0) */
	POSITIVE,    /* likewise, but it refuses 0 */
	NEGATIVE,    /* bhyve ignores it, and any number if no firmware starts the guest */
	ZERO,	     /* likewise */
	SECTOR_SIZE, /* bhyve ignores others than three */
	CHOICE,	     /* bhyve ignores others */
	RESOLUTION,  /* before FreeBSD 15 any small size is valid; 0 means the maximum */
};

static const struct {
	const char *variable;
	enum leniency leniency;
	long max; /* of RESOLUTION */
} lenient[] = {
	{ "ser", LONG_TEXT, 0 },
	{ "rev", LONG_TEXT, 0 },
	{ "model", LONG_TEXT, 0 },
	{ "maxq", ANY_NUMBER, 0 },
	{ "qsz", POSITIVE, 0 },
	{ "ioslots", POSITIVE, 0 },
	{ "bootindex", NEGATIVE, 0 },
	{ "eui64", ZERO, 0 },
	{ "sectsz", SECTOR_SIZE, 0 },
	{ "dsm", CHOICE, 0 },
	{ "w", RESOLUTION, 1920 },
	{ "h", RESOLUTION, 1200 },
};

#define LENIENT (sizeof(lenient) / sizeof(lenient[0]))

/* Returns the place of a variable in the list; LENIENT: it is not there. */
static size_t find_lenient(const char *variable)
{
	size_t i = 0;

	while (i < LENIENT && strcmp(lenient[i].variable, variable) != 0)
		i++;
	return i;
}

bool tree_is_known(const char *key)
{
	const char *dot = strrchr(key, '.');

	for (size_t i = 0; dot != NULL && device_kinds[i] != NULL; i++) {
		for (const struct field *f = device_kinds[i]->fields; f->key != NULL; f++) {
			if (strcmp(f->variable != NULL ? f->variable : f->key, dot + 1) == 0)
				return true;
		}
	}
	return false;
}

/* Returns whether the text names firmware, which a loader replaces. */
static bool has_firmware(const struct tree_reader *r)
{
	return pairs_get(r->tree, "bootrom") != NULL || pairs_get(r->tree, "lpc.bootrom") != NULL;
}

static bool is_choice(const char *value, const char *const *choices)
{
	while (*choices != NULL && strcmp(*choices, value) != 0)
		choices++;
	return *choices != NULL;
}

/* Returns whether bhyve takes a value that the row would refuse. */
static bool is_beyond(
    const struct tree_reader *r, const struct field *f, const char *variable, const char *value)
{
	size_t i = find_lenient(variable);
	long number = strtol(value, NULL, 10);
	bool is_decimal = *value != '0' || value[1] == '\0';
	bool is_outside = !is_decimal || number < f->min || number > f->max;

	if (i == LENIENT)
		return false;
	switch (lenient[i].leniency) {
	case LONG_TEXT:
		return f->max_length != 0 && strlen(value) > f->max_length;
	case ANY_NUMBER:
		return is_outside;
	case POSITIVE:
		return number > 0 && is_outside;
	case NEGATIVE:
		return number < 0 || !has_firmware(r);
	case ZERO:
		return strtoull(value, NULL, 0) == 0;
	case SECTOR_SIZE:
		return !is_decimal || (number != 512 && number != 4096 && number != 8192);
	case CHOICE:
		return !is_choice(value, f->choices);
	case RESOLUTION:
		return r->host->release < MINIMUM_RELEASE && number < f->min && number >= 0 &&
		    number <= lenient[i].max;
	}
	return false;
}

/* Returns the value of a key as its row has it; NULL: it is the preset, or is left to `config`. */
static struct node *value_of(const struct tree_reader *r, const struct field *f, const char *value)
{
	const char *variable = f->variable != NULL ? f->variable : f->key;
	char *mac = strcmp(variable, "mac") == 0 ? bhyve_mac_text(value) : NULL;

	if (mac != NULL) {
		struct node *address = node_string(mac);

		free(mac);
		return address;
	}
	/* A value that must not be in `config`, which other users see in the command. */
	if (f->secret && strlen(value) > f->max_length) {
		words_addf(r->notes,
		    "%s: the spec has its first %d bytes, which are all that bhyve uses", f->key,
		    (int)f->max_length);
		return node_string_n(value, f->max_length);
	}
	if (is_beyond(r, f, variable, value))
		return NULL;
	if (f->read != NULL)
		return f->read(value);
	if (f->type == FIELD_BOOL && tree_is_false(value))
		return NULL;
	if (f->type == FIELD_BOOL && tree_is_true(value))
		return node_bool(true);
	if (f->type == FIELD_PATH && *value != '\0') {
		MEM_AUTO char *absolute = field_path(value, r->directory);

		return node_string(absolute);
	}
	/* bhyve reads the MTU in C's syntax; the key takes digits as text, too. */
	if (f->type == FIELD_INT || strcmp(variable, "mtu") == 0 ||
	    (f->type == FIELD_CUSTOM && strstr(f->custom->type, "string") == NULL))
		return field_read_integer(value);
	return node_string(value);
}

/* Returns the entries of a list, from PREFIX.0 on until a number is missing. */
static struct node *list_of(const struct tree_reader *r, const struct field *f,
    const struct pairs *vars, const char *prefix)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0;; i++) {
		MEM_AUTO char *below = mem_format("%s.%zu.", prefix, i);
		struct node *entry = node_new(NODE_OBJECT);

		tree_read_rows(r, f->rows, vars, below, entry);
		if (entry->count == 0) {
			node_free(entry);
			return list;
		}
		node_append(list, entry);
	}
}

void tree_read_rows(const struct tree_reader *r, const struct field *rows, const struct pairs *vars,
    const char *prefix, struct node *object)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const char *name = f->variable != NULL ? f->variable : f->key;
		MEM_AUTO char *full = mem_format("%s%s", prefix, name);
		const char *value = pairs_get(vars, full);
		struct node *node = NULL;

		if (*name == '\0')
			continue;
		if (f->type == FIELD_LIST)
			node = list_of(r, f, vars, full);
		else if (value != NULL)
			node = value_of(r, f, value);
		else if (f->missing != NULL)
			node = json_node(f->missing);
		if (node != NULL)
			node_put(object, f->key, node);
	}
}

void tree_drop_presets(struct node *object, const struct field *rows)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		const struct node *value = node_get(object, f->key);
		STR_AUTO struct str json = { 0 };

		if (value == NULL || f->preset == NULL)
			continue;
		node_add_json(&json, value);
		if (strcmp(json.text, f->preset) == 0)
			node_free(node_take(object, f->key));
	}
}

/* Adds a device as text for -s. */
static void add_raw(const char *slot, const char *text, struct node *list)
{
	struct node *raw = node_new(NODE_OBJECT);

	node_put(raw, "device", node_string("raw"));
	node_put(raw, "slot", node_string(slot));
	node_put(raw, "value", node_string(text));
	node_append(list, raw);
}

/* Returns whether the variables have what the name of the kind's model implies. */
static bool has_implied(const struct bhyve_form *form, const struct pairs *vars)
{
	const char *device = pairs_get(vars, "device");

	if (form->implied == NULL)
		return strcmp(device, form->model) == 0;
	for (size_t i = 0; form->implied[i] != NULL; i += 2) {
		const char *value = pairs_get(vars, form->implied[i]);

		if (value == NULL || strcmp(value, form->implied[i + 1]) != 0)
			return false;
	}
	return true;
}

/* Returns the entry of `emulations` for a kind, or NULL: the variables are of another kind. */
static struct node *entry_of(
    const struct tree_reader *r, const struct device_kind *kind, const struct pairs *vars)
{
	const struct bhyve_form *form = kind->form;
	struct node *entry;

	if (form == NULL || !has_implied(form, vars))
		return NULL;
	entry = node_new(NODE_OBJECT);
	node_put(entry, "device", node_string(kind->name));
	tree_read_rows(r, kind->fields, vars, form->prefix == NULL ? "" : form->prefix, entry);
	if (kind->read != NULL && !kind->read(vars, r->directory, entry)) {
		node_free(entry);
		return NULL;
	}
	tree_drop_presets(entry, kind->fields);
	return entry;
}

/*
 * Leaves the address of an earlier interface to `config`: no two can have it, and bhyve does not
 * care, as they may be on different networks.
 */
static void leave_mac(const struct node *list, struct node *entry)
{
	const char *mac = node_get_text(entry, "mac");

	for (const struct node *n = list->first; n != NULL && mac != NULL; n = n->next) {
		const char *other = node_get_text(n, "mac");

		if (other == NULL || strcasecmp(mac, other) != 0)
			continue;
		node_free(node_take(entry, "mac"));
		node_put(entry, "mac", node_bool(false));
		return;
	}
}

static void add_device(const struct tree_reader *r, const struct pci_device *dev, struct node *list)
{
	char slot[SLOT_TEXT];
	struct node *entry = NULL;

	(void)slot_text(&dev->slot, slot);
	for (size_t i = 0; device_kinds[i] != NULL && entry == NULL; i++)
		entry = entry_of(r, device_kinds[i], &dev->vars);
	/* bhyve needs no backend for this port. */
	if (entry != NULL && strcmp(node_get_text(entry, "device"), "uart") == 0 &&
	    node_get(entry, "path") == NULL) {
		node_free(entry);
		add_raw(slot, "uart", list);
		return;
	}
	if (entry == NULL) {
		MEM_AUTO char *why = device_unknown(pairs_get(&dev->vars, "device"));

		report_add(r->report, STATUS_SPEC, NULL, "%s: %s", slot, why);
		return;
	}
	leave_mac(list, entry);
	node_put(entry, "slot", node_string(slot));
	node_append(list, entry);
}

/* Returns whether the host bridge is AMD's, as amd_hostbridge of -s makes it. */
static bool is_amd(const struct tree_reader *r, const struct pairs *vars)
{
	for (const char *const *v = bhyve_amd_hostbridge(r->host); *v != NULL; v += 2) {
		const char *value = pairs_get(vars, v[0]);

		if (value == NULL || strcmp(value, v[1]) != 0)
			return false;
	}
	return true;
}

/* Adds the first host bridge to the spec, and another as text for -s. */
static void add_hostbridge(
    const struct tree_reader *r, const struct pci_device *dev, struct node *list)
{
	const char *model = is_amd(r, &dev->vars) ? "amd_hostbridge" : "hostbridge";
	char slot[SLOT_TEXT];

	(void)slot_text(&dev->slot, slot);
	if (node_get(r->spec, "hostbridge") != NULL) {
		add_raw(slot, model, list);
		return;
	}
	node_put(r->spec, "hostbridge", node_string(model));
	node_put(r->spec, "hostbridge_slot", node_string(slot));
}

static void add_lpc(const struct tree_reader *r, const struct pci_device *dev)
{
	char slot[SLOT_TEXT];

	(void)slot_text(&dev->slot, slot);
	if (node_get(r->spec, "lpc_slot") != NULL)
		report_add(r->report, STATUS_SPEC, NULL,
		    "%s: bhyve refuses a second lpc, the first is at %s", slot,
		    node_get_text(r->spec, "lpc_slot"));
	else
		node_put(r->spec, "lpc_slot", node_string(slot));
}

bool tree_has_lpc(const struct tree_reader *r)
{
	const struct node *slot = node_get(r->spec, "lpc_slot");

	/* The key of the usual slot has been dropped, as all presets. */
	return slot == NULL ? !r->host->arm64 : slot->kind == NODE_STRING;
}

/* Reads a number as bhyve writes it in the names of nodes; -1: it is none, or beyond the limit. */
static int read_number(const char **text, int limit)
{
	size_t digits = strspn(*text, "0123456789");
	long n = strtol(*text, NULL, 10);

	if (digits == 0 || digits > 3 || (digits > 1 && **text == '0') || (*text)[digits] != '.' ||
	    n >= limit)
		return -1;
	*text += digits + 1;
	return (int)n;
}

/* Returns the part of a key below pci.B.S.F, or NULL: bhyve does not look at it. */
static const char *split_key(const char *key, struct slot *slot)
{
	const char *rest = str_after(key, "pci.");

	if (rest == NULL)
		return NULL;
	*slot = (struct slot){ .given = true };
	slot->bus = read_number(&rest, SLOT_BUSES);
	slot->slot = slot->bus < 0 ? -1 : read_number(&rest, SLOT_SLOTS);
	slot->function = slot->slot < 0 ? -1 : read_number(&rest, SLOT_FUNCTIONS);
	return slot->function < 0 ? NULL : rest;
}

static struct pci_device *device_at(struct pci_devices *devices, const struct slot *slot)
{
	for (size_t i = 0; i < devices->count; i++) {
		if (slot_equal(&devices->item[i].slot, slot))
			return &devices->item[i];
	}
	devices->item = mem_resize(devices->item, devices->count + 1, sizeof(*devices->item));
	devices->item[devices->count] = (struct pci_device){ .slot = *slot };
	return &devices->item[devices->count++];
}

static int compare_devices(const void *a, const void *b)
{
	const struct slot *x = &((const struct pci_device *)a)->slot;
	const struct slot *y = &((const struct pci_device *)b)->slot;

	if (x->bus != y->bus)
		return x->bus - y->bus;
	return x->slot != y->slot ? x->slot - y->slot : x->function - y->function;
}

/* Groups the variables by address, in the order of addresses. */
static void find_devices(const struct pairs *tree, struct pci_devices *devices)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct slot slot;
		const char *key = split_key(tree->item[i].key, &slot);

		if (key != NULL)
			pairs_add(&device_at(devices, &slot)->vars, key, tree->item[i].value);
	}
	if (devices->count > 1)
		qsort(devices->item, devices->count, sizeof(*devices->item), compare_devices);
}

static void add_any(const struct tree_reader *r, const struct pci_device *dev, struct node *list)
{
	const char *device = pairs_get(&dev->vars, "device");
	char slot[SLOT_TEXT];

	if (device == NULL)
		report_add(r->report, STATUS_SPEC, NULL,
		    "pci.%d.%d.%d has variables but no \"device\": bhyve refuses it", dev->slot.bus,
		    dev->slot.slot, dev->slot.function);
	else if (strcmp(device, "hostbridge") == 0)
		add_hostbridge(r, dev, list);
	else if (strcmp(device, "lpc") != 0)
		add_device(r, dev, list);
	else if (r->host->arm64)
		report_add(r->report, STATUS_SPEC, NULL, "%s: lpc: %s", slot_text(&dev->slot, slot),
		    BHYVE_AMD64_ONLY);
	else
		add_lpc(r, dev);
}

void tree_read_devices(struct tree_reader *r)
{
	struct node *list = node_new(NODE_LIST);
	struct pci_devices devices = { 0 };

	find_devices(r->tree, &devices);
	for (size_t i = 0; i < devices.count; i++)
		add_any(r, &devices.item[i], list);
	if (node_get(r->spec, "hostbridge") == NULL)
		node_put(r->spec, "hostbridge", node_bool(false));
	if (node_get(r->spec, "lpc_slot") == NULL && !r->host->arm64)
		node_put(r->spec, "lpc_slot", node_bool(false));
	node_put(r->spec, "emulations", list);
	for (size_t i = 0; i < devices.count; i++)
		pairs_free(&devices.item[i].vars);
	free(devices.item);
}
