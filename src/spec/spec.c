/* Making, completing, printing and freeing the spec of one boot. */
#include "spec/spec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sha1.h"
#include "platform/os.h"
#include "spec/keys.h"

#define GRAPHIC_DEVICES 2 /* made from the key `graphic` */
#define UUID_LENGTH 36	  /* characters: 32 digits and 4 hyphens */

/* Returns whether the id is valid: qemu's objects can have it, too (util/id.c). */
static bool is_id(const char *id)
{
	if (!isalpha((unsigned char)*id))
		return false;
	for (const char *p = id; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("-._", *p) == NULL)
			return false;
	}
	return true;
}

/* Returns DEVICE-N for the N-th device of its kind, counted from 0 in order of appearance. */
static char *default_id(const struct spec *spec, size_t upto)
{
	const struct device_kind *kind = spec->devices[upto]->kind;
	struct str id = { 0 };
	int64_t n = 0;

	for (size_t i = 0; i < upto; i++)
		n += spec->devices[i]->kind == kind ? 1 : 0;
	str_add(&id, kind->name);
	str_add_char(&id, '-');
	str_add_int(&id, n);
	return str_take(&id);
}

static void name_devices(struct spec *spec, struct decoder *d)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];
		struct device_place place;
		struct where at = { device_where(dev, &place), "id", 0 };

		if (dev->id == NULL)
			dev->id = default_id(spec, i);
		else if (!is_id(dev->id))
			report_add(d->report, STATUS_SPEC, &at,
			    "invalid id \"%s\": expected letters, digits, '-', '.' and '_', a "
			    "letter first",
			    dev->id);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(spec->devices[j]->id, dev->id) == 0)
				report_add(d->report, STATUS_SPEC, &at,
				    "two devices have the id \"%s\": a %s and this %s", dev->id,
				    spec->devices[j]->kind->name, dev->kind->name);
		}
	}
}

static void decode_devices(const struct node *document, struct spec *spec, struct decoder *d)
{
	const struct node *list = node_get(document, "emulations");
	struct where at = { NULL, "emulations", 0 };
	size_t i = 0;

	if (list == NULL || list->kind == NODE_NULL)
		return;
	if (!node_is_list(list)) {
		field_type_error(list, "a list of devices", &at, d);
		return;
	}
	spec->devices =
	    mem_resize(spec->devices, list->count + GRAPHIC_DEVICES, sizeof(struct device *));
	for (const struct node *n = list->first; n != NULL; n = n->next, i++) {
		struct where entry = { &at, NULL, i };
		struct device *dev = device_decode(n, &entry, d);

		if (dev == NULL)
			continue;
		dev->index = i;
		spec->devices[spec->device_count++] = dev;
	}
}

static void add_graphic_device(struct spec *spec, struct device *dev)
{
	dev->origin = "graphic";
	dev->index = SIZE_MAX - GRAPHIC_DEVICES; /* above the index of every entry */
	spec->devices[spec->device_count++] = dev;
}

/*
 * Adds the screen and its pointer after all other devices, so that a target that adds one moves
 * neither.
 */
static void make_graphic(struct spec *spec, struct decoder *d)
{
	struct where at = { NULL, "graphic", 0 };
	struct fbuf *config, given;
	struct device *screen;

	if (!spec_gives(spec, "graphic"))
		return;
	screen = device_new(&device_fbuf);
	config = screen->config;
	given = spec->graphic.fbuf;
	spec->graphic.fbuf = *config; /* its presets are freed with the spec */
	*config = given;
	screen->kind->check(screen, &at, d);
	add_graphic_device(spec, screen);
	if (spec->graphic.xhci_tablet)
		add_graphic_device(spec, device_new(&device_xhci));
}

bool spec_has_rom(const struct spec *spec)
{
	return spec->bootrom != NULL && strcmp(spec->bootrom, ROM_NONE) != 0;
}

enum arch spec_arch(const struct spec *spec)
{
	bool is_arm64 = spec->bhyve.arch == ARCH_HOST && os_bhyve_release() != 0 &&
	    strcmp(os_arch(), "arm64") == 0;

	return is_arm64 || spec->bhyve.arch == ARCH_ARM64 ? ARCH_ARM64 : ARCH_AMD64;
}

bool spec_has_lpc(const struct spec *spec)
{
	return spec->lpc_slot.given && spec_arch(spec) != ARCH_ARM64;
}

bool spec_gives(const struct spec *spec, const char *key)
{
	return words_have(&spec->given, key);
}

const char *spec_com_key(size_t port)
{
	static const char *const keys[] = { "com1", "com2", "com3", "com4" };

	_Static_assert(sizeof(keys) / sizeof(keys[0]) == SPEC_COM_PORTS, "a key for each");
	return keys[port];
}

const char *spec_com(const struct spec *spec, size_t port)
{
	const char *com = spec->com[port];

	if (spec->com_found[port] != NULL)
		return spec->com_found[port];
	if (com != NULL && strcmp(com, "nmdm") == 0)
		return "/dev/nmdmAUTOA";
	return com != NULL && strcmp(com, SPEC_CONSOLE) == 0 ? "/dev/pts/AUTO" : com;
}

bool spec_com_is_open(const struct spec *spec, size_t port)
{
	const char *com = spec->com[port];

	return com != NULL && spec->com_found[port] == NULL &&
	    (strcmp(com, "nmdm") == 0 || strcmp(com, SPEC_CONSOLE) == 0);
}

static void note_given(const struct node *document, struct spec *spec)
{
	for (const struct node *n = document->first; n != NULL; n = n->next) {
		if (n->kind != NODE_NULL)
			words_add(&spec->given, n->key);
	}
}

struct spec *spec_decode(const struct node *document, struct decoder *d)
{
	struct spec *spec = mem_zero(sizeof(*spec));
	size_t before;

	field_preset(spec_fields, spec);
	d->notes = &spec->notes;
	if (!node_is_object(document)) {
		field_type_error(document, "an object: { \"name\": ... }", NULL, d);
		return spec;
	}
	before = d->report->count;
	note_given(document, spec);
	field_decode(spec_fields, document, spec, NULL, d);
	spec_check_rules(spec, d->report->count == before, d);
	spec->devices = mem_zero(GRAPHIC_DEVICES * sizeof(struct device *));
	decode_devices(document, spec, d);
	make_graphic(spec, d);
	name_devices(spec, d);
	return spec;
}

static struct node *merge_rules(const struct field *rows);

/* Returns the rules of an object; "*" has those of all keys without a row. */
static struct node *object_rules(const struct field *f)
{
	struct node *rules = merge_rules(f->rows);

	if (f->others != NULL && f->others->row->custom->rows != NULL)
		node_put(rules, "*", merge_rules(f->others->row->custom->rows));
	return rules;
}

static struct node *merge_rules(const struct field *rows)
{
	struct node *rules = node_new(NODE_OBJECT);

	for (const struct field *f = rows; f->key != NULL; f++) {
		if (f->type == FIELD_OBJECT)
			node_put(rules, f->key, object_rules(f));
		else if (f->type == FIELD_CUSTOM && f->custom->rows != NULL)
			node_put(rules, f->key, merge_rules(f->custom->rows));
		else if (f->type == FIELD_MAP)
			node_put(rules, f->key, node_new(NODE_OBJECT));
	}
	return rules;
}

struct node *spec_merge_rules(void)
{
	return merge_rules(spec_fields);
}

/* Returns a UUID of version 5 (RFC 4122) in the DNS name space: the same everywhere for a name. */
static char *uuid_of(const char *name)
{
	static const uint8_t space[16] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80,
		0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };
	static const char hex[] = "0123456789abcdef";
	uint8_t digest[SHA1_SIZE];
	STR_AUTO struct str seed = { 0 };
	char uuid[UUID_LENGTH], *end = uuid;

	str_add_n(&seed, (const char *)space, sizeof(space));
	str_add(&seed, name);
	sha1(seed.text, seed.length, digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50);
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*end++ = '-';
		*end++ = hex[digest[i] >> 4];
		*end++ = hex[digest[i] & 0x0f];
	}
	return mem_copy_n(uuid, sizeof(uuid));
}

void spec_complete(struct spec *spec)
{
	if (spec->uuid == NULL)
		spec->uuid = uuid_of(spec->name);
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];

		if (dev->kind->complete != NULL && !dev->removed)
			dev->kind->complete(dev, spec->name);
	}
}

bool spec_is_open(const struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (!dev->removed && dev->found == NULL && dev->kind->placeholder != NULL &&
		    dev->kind->placeholder(dev) != NULL)
			return true;
	}
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (spec_com_is_open(spec, i))
			return true;
	}
	return false;
}

void spec_forget_found(struct spec *spec)
{
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		free(spec->com_found[i]);
		spec->com_found[i] = NULL;
	}
	for (size_t i = 0; i < spec->device_count; i++) {
		free(spec->devices[i]->found);
		spec->devices[i]->found = NULL;
	}
}

void spec_forget_first(struct spec *spec)
{
	for (size_t i = 0; i < spec->device_count; i++) {
		struct device *dev = spec->devices[i];

		if (dev->kind->forget_first != NULL)
			dev->kind->forget_first(dev);
	}
}

static void print_keys(const struct spec *spec, struct str *json)
{
	size_t count = 0, kept = 0;
	struct field *rows;

	while (spec_fields[count].key != NULL)
		count++;
	rows = mem_zero((count + 1) * sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		if (!words_have(&spec->inapplicable, spec_fields[i].key))
			rows[kept++] = spec_fields[i];
	}
	field_print(rows, spec, json);
	free(rows);
}

char *spec_print(const struct spec *spec)
{
	STR_AUTO struct str json = { 0 };

	json_begin_object(&json, NULL);
	print_keys(spec, &json);
	json_begin_list(&json, "emulations");
	for (size_t i = 0; i < spec->device_count; i++) {
		if (!spec->devices[i]->removed)
			device_print(spec->devices[i], &json);
	}
	json_end_list(&json);
	json_end_object(&json);
	return json_indent(json.text);
}

void spec_free(struct spec *spec)
{
	if (spec == NULL)
		return;
	field_clear(spec_fields, spec);
	for (size_t i = 0; i < SPEC_COM_PORTS; i++)
		free(spec->com_found[i]);
	words_free(&spec->given);
	words_free(&spec->inapplicable);
	words_free(&spec->notes);
	for (size_t i = 0; i < spec->device_count; i++)
		device_free(spec->devices[i]);
	free(spec->devices);
	free(spec);
}

void spec_free_at(struct spec **spec)
{
	spec_free(*spec);
}
