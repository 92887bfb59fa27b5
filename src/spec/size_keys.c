/* The kinds of sizes: memory, and logs. */
#include "spec/keys.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/str.h"
#include "device/value_schema.h"

#define PIB_SHIFT 50
#define MAX_BARE_MIB                                                                           \
	1048576		  /* numbers up to this are MiB for bhyve(8) -m and for other programs \
			   */
#define MIN_LOG_SIZE 4096 /* bytes */
#define MAX_LOG_MIB 1024  /* a number up to here may have been meant in MiB */
#define MAX_MEMORY (INT64_C(4) << PIB_SHIFT) /* bytes that amd64 and arm64 can address at most */

/* Returns the bytes of "512M", or 0 with the reason reported. */
static int64_t parse_size(const char *text, const struct where *at, struct decoder *d)
{
	static const char units[] = "kmgt";
	size_t digits = strspn(text, "0123456789");
	const char *unit;
	int64_t value = 0;

	if (digits > 0 && text[digits] == '\0') {
		report_add(d->report, STATUS_SPEC, at,
		    "\"%s\" has no unit: write \"%sM\", or the number of bytes without quotes",
		    text, text);
		return 0;
	}
	unit = digits == 0 || text[digits + 1] != '\0'
	    ? NULL
	    : strchr(units, tolower((unsigned char)text[digits]));
	if (unit == NULL) {
		report_add(d->report, STATUS_SPEC, at,
		    "invalid size \"%s\": expected a whole number and one of k, M, G, T: \"512M\"",
		    text);
		return 0;
	}
	/* Beyond the limit the exact value does not matter. */
	for (size_t i = 0; i < digits && value < MAX_MEMORY; i++)
		value = value * 10 + (text[i] - '0');
	for (const char *u = units; u <= unit && value <= MAX_MEMORY; u++)
		value *= 1024;
	return value == 0 ? -1 : value;
}

/*
 * Adds a hint how to write a size that libucl may have changed.  It reads 512M without quotes as
 * 512000000, and 512Mb as a power of two (its README.md, "Convenient numbers and booleans").
 */
static void add_ucl_hint(int64_t size, struct str *text)
{
	const char *unit = "GMk";
	int64_t factor = 1000000000, n;

	for (; factor >= 1000 && size % factor != 0; factor /= 1000)
		unit++;
	if (factor < 1000)
		return;
	n = size / factor;
	str_addf(text, " (UCL makes that of %" PRId64 "%c without quotes: for %" PRId64 " %ciB ", n,
	    *unit, n, toupper((unsigned char)*unit));
	str_addf(text, "write \"%" PRId64 "%c\" or %" PRId64 "%cb)", n, *unit, n, *unit);
}

/*
 * Checks a number of bytes, which the spec has as a number or as a text with a unit.  Adds a note
 * if it is valid but perhaps not what the user meant.
 */
static bool check_bytes(int64_t size, bool is_number, const struct where *at, struct decoder *d)
{
	struct str hint = { 0 };
	bool good = size % GUEST_PAGE == 0;

	if (is_number && d->of_ucl)
		add_ucl_hint(size, &hint);
	if (is_number && hint.length == 0 && size <= MAX_BARE_MIB)
		str_addf(&hint, ", did you mean \"%" PRId64 "M\"?", size);
	if (good && hint.length == 0)
		return true;
	MEM_AUTO char *more = str_take(&hint);
	MEM_AUTO char *path = where_path(at);

	if (!good)
		report_add(d->report, STATUS_SPEC, at,
		    "%" PRId64 " bytes is not a multiple of %d KiB%s", size, GUEST_PAGE / 1024,
		    more);
	else if (d->notes != NULL)
		words_addf(d->notes, "%s is %" PRId64 " bytes%s", path, size, more);
	return good;
}

/* Reads a size in bytes.  Returns false if the value is none, with the reason reported. */
static bool read_size(
    const struct node *value, int64_t *size, const struct where *at, struct decoder *d)
{
	const char *text;

	if (value->kind == NODE_INT) {
		*size = value->integer;
		return true;
	}
	if (value->kind != NODE_STRING) {
		field_type_error(value, "a size such as \"512M\", or bytes", at, d);
		return false;
	}
	text = field_text(value, at, d);
	*size = text == NULL ? 0 : parse_size(text, at, d);
	return *size != 0;
}

static void mem_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	int64_t size;

	if (!read_size(value, &size, at, d))
		return;
	if (size <= 0)
		report_add(d->report, STATUS_SPEC, at, "the size must be above 0");
	else if (size > MAX_MEMORY)
		report_add(d->report, STATUS_SPEC, at,
		    "the size is beyond %" PRId64 " PiB, more than a guest can address",
		    MAX_MEMORY >> PIB_SHIFT);
	else if (check_bytes(size, value->kind == NODE_INT, at, d))
		*(int64_t *)into = size;
}

static void mem_print(const void *from, struct str *json)
{
	json_add_int(json, NULL, *(const int64_t *)from);
}

/* Adds a size of at least `min` bytes that is a multiple of `multiple` (0: any). */
static void add_size_schema(struct str *s, int64_t min, int64_t multiple)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	schema_add_pattern(s, "^0*[1-9][0-9]*[kKmMgGtT]$");
	json_end_object(s);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "integer");
	json_add_int(s, "minimum", min);
	if (multiple > 0)
		json_add_int(s, "multipleOf", multiple);
	json_end_object(s);
	json_end_list(s);
}

static void mem_schema(struct str *s)
{
	add_size_schema(s, GUEST_PAGE, GUEST_PAGE);
}

const struct field_custom mem_custom = {
	.parse = mem_parse,
	.print = mem_print,
	.type = "string|integer",
	.schema = mem_schema,
	.host.kind = HOST_NONE,
};

/* Reads the size of a log, which unlike memory has no pages. */
static void log_size_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	int64_t size;

	if (!read_size(value, &size, at, d))
		return;
	if (size >= MIN_LOG_SIZE && size <= MAX_MEMORY) {
		*(int64_t *)into = size;
		return;
	}
	MEM_AUTO char *hint = value->kind != NODE_INT || size < 1 || size > MAX_LOG_MIB
	    ? mem_copy("")
	    : mem_format(", did you mean \"%" PRId64 "M\"?", size);

	report_add(d->report, STATUS_SPEC, at,
	    "the size of a log is out of range: expected %d bytes to %" PRId64 " PiB%s",
	    MIN_LOG_SIZE, MAX_MEMORY >> PIB_SHIFT, hint);
}

static void log_size_schema(struct str *s)
{
	add_size_schema(s, MIN_LOG_SIZE, 0);
}

const struct field_custom log_size_custom = {
	.parse = log_size_parse,
	.print = mem_print,
	.type = "string|integer",
	.schema = log_size_schema,
	.host.kind = HOST_NONE,
};
