/* --print devices: every device and its keys. */
#include "describe/describe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"

#define MAX_COLUMN_WIDTH 32 /* a wider cell pushes the rest of its line to the right */

enum column {
	COLUMN_DEVICE,
	COLUMN_KEY,
	COLUMN_TYPE,
	COLUMN_REQUIRED,
	COLUMN_DEFAULT,
	COLUMN_BHYVE,
	COLUMN_QEMU,
	COLUMN_MEANING,
	COLUMNS
};

static const char *const column_names[] = {
	[COLUMN_DEVICE] = "DEVICE",
	[COLUMN_KEY] = "KEY",
	[COLUMN_TYPE] = "TYPE",
	[COLUMN_REQUIRED] = "REQUIRED",
	[COLUMN_DEFAULT] = "DEFAULT",
	[COLUMN_BHYVE] = "BHYVE",
	[COLUMN_QEMU] = "QEMU",
	[COLUMN_MEANING] = "MEANING",
};

_Static_assert(sizeof(column_names) / sizeof(column_names[0]) == COLUMNS, "a name for each");

struct line {
	char *cell[COLUMNS]; /* owned; NULL: printed as "-" */
};

struct table {
	struct line *line;
	size_t count;
};

static struct line *add_line(struct table *table)
{
	struct line *line;

	table->line = mem_resize(table->line, table->count + 1, sizeof(*table->line));
	line = &table->line[table->count++];
	memset(line, 0, sizeof(*line));
	return line;
}

static void table_free(struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		for (size_t c = 0; c < COLUMNS; c++)
			free(table->line[i].cell[c]);
	}
	free(table->line);
}

#define TABLE_AUTO __attribute__((cleanup(table_free)))

static char *type_text(const struct field *f)
{
	MEM_AUTO char *type = describe_type(f, "object");

	if (f->has_range)
		return mem_format("%s, %" PRId64 " to %" PRId64, type, f->min, f->max);
	if (f->max_length != 0)
		return mem_format("%s, at most %zu bytes", type, (size_t)f->max_length);
	return mem_copy(type);
}

static void add_rows(struct table *table, const char *device, const char *prefix,
    const struct field *rows, const void *values)
{
	for (const struct field *f = rows; f->key != NULL; f++) {
		struct line *line = add_line(table);
		struct below below = describe_below(f, values);
		MEM_AUTO char *list =
		    mem_format("%s%s%s.", prefix, f->key, f->type == FIELD_LIST ? "[]" : "");

		line->cell[COLUMN_DEVICE] = mem_copy(device);
		line->cell[COLUMN_KEY] = mem_format("%s%s", prefix, f->key);
		line->cell[COLUMN_TYPE] = type_text(f);
		line->cell[COLUMN_REQUIRED] = mem_copy(f->required ? "yes" : "no");
		line->cell[COLUMN_DEFAULT] = describe_default(f, values);
		line->cell[COLUMN_BHYVE] = mem_copy(f->bhyve != NULL ? f->bhyve : KEY_FOLLOWED);
		line->cell[COLUMN_QEMU] = mem_copy(f->qemu != NULL ? f->qemu : KEY_FOLLOWED);
		line->cell[COLUMN_MEANING] = f->alias == NULL
		    ? mem_copy(f->help)
		    : mem_format("%s; also: %s", f->help, f->alias);
		if (below.rows != NULL)
			add_rows(table, device, list, below.rows, below.values);
		describe_below_end(&below);
	}
}

/* Adds the keys of a device; with `all` also those that every device has. */
static void add_device(struct table *table, const struct device_kind *kind, bool all)
{
	DEVICE_AUTO struct device *dev = device_new(kind);

	if (all)
		add_rows(table, kind->name, "", device_common_fields, dev);
	add_rows(table, kind->name, "", kind->fields, dev->config);
}

static void measure(const struct table *table, size_t width[COLUMNS])
{
	for (size_t i = 0; i < table->count; i++) {
		for (size_t c = 0; c + 1 < COLUMNS; c++) {
			const char *cell = table->line[i].cell[c];
			size_t n = cell == NULL ? 1 : strlen(cell);

			if (n > width[c] && n <= MAX_COLUMN_WIDTH)
				width[c] = n;
		}
	}
}

static void print_line(const struct line *line, const size_t width[COLUMNS], struct str *s)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		const char *cell = line->cell[c] == NULL ? "-" : line->cell[c];

		if (c + 1 < COLUMNS)
			str_addf(s, "%-*s  ", (int)width[c], cell);
		else
			str_addf(s, "%s\n", cell);
	}
}

static void print_table(const struct table *table, struct str *s)
{
	size_t width[COLUMNS] = { 0 };

	measure(table, width);
	for (size_t i = 0; i < table->count; i++)
		print_line(&table->line[i], width, s);
}

static void add_head(struct table *table)
{
	struct line *line = add_line(table);

	for (size_t c = 0; c < COLUMNS; c++)
		line->cell[c] = mem_copy(column_names[c]);
}

static void add_title(struct table *table, const char *device, const char *help)
{
	struct line *line = add_line(table);

	line->cell[COLUMN_DEVICE] = mem_copy(device);
	line->cell[COLUMN_MEANING] = mem_copy(help);
}

static char *print_text(const struct device_kind *only)
{
	TABLE_AUTO struct table table = { 0 };
	DEVICE_AUTO struct device *dev =
	    device_new(device_kinds[0]); /* the common keys have the same presets in every kind */
	struct str s = { 0 };

	add_head(&table);
	if (only == NULL) {
		add_title(&table, "(any)", "what every device has");
		add_rows(&table, "(any)", "", device_common_fields, dev);
	}
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		if (only != NULL && only != device_kinds[i])
			continue;
		MEM_AUTO char *help = describe_kind(device_kinds[i]);

		add_title(&table, device_kinds[i]->name, help);
		add_device(&table, device_kinds[i], only != NULL);
	}
	print_table(&table, &s);
	return str_take(&s);
}

static void print_key(const struct line *line, struct str *json)
{
	json_begin_object(json, NULL);
	json_add_text(json, "key", line->cell[COLUMN_KEY]);
	json_add_text(json, "type", line->cell[COLUMN_TYPE]);
	json_add_bool(json, "required", strcmp(line->cell[COLUMN_REQUIRED], "yes") == 0);
	json_add_json(json, "default", line->cell[COLUMN_DEFAULT]);
	json_add_text(json, "bhyve", line->cell[COLUMN_BHYVE]);
	json_add_text(json, "qemu", line->cell[COLUMN_QEMU]);
	json_add_text(json, "help", line->cell[COLUMN_MEANING]);
	json_end_object(json);
}

static void print_kind(const struct device_kind *kind, struct str *json)
{
	TABLE_AUTO struct table table = { 0 };
	MEM_AUTO char *help = describe_kind(kind);

	add_device(&table, kind, true);
	json_begin_object(json, NULL);
	json_add_text(json, "device", kind->name);
	json_add_text(json, "help", help);
	json_begin_list(json, "keys");
	for (size_t i = 0; i < table.count; i++)
		print_key(&table.line[i], json);
	json_end_list(json);
	json_end_object(json);
}

static char *print_json(const struct device_kind *only)
{
	STR_AUTO struct str json = { 0 };

	json_begin_list(&json, NULL);
	for (size_t i = 0; device_kinds[i] != NULL; i++) {
		if (only == NULL || only == device_kinds[i])
			print_kind(device_kinds[i], &json);
	}
	json_end_list(&json);
	return json_indent(json.text);
}

char *spec_print_devices(const struct device_kind *only, bool json)
{
	return json ? print_json(only) : print_text(only);
}
