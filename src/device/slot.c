/* PCI addresses in a spec. */
#include "device/slot.h"

#include <ctype.h>

#include "base/json_write.h"
#include "device/value_schema.h"

#define MAX_SLOT_NUMBER 9999 /* larger numbers are clamped: they are out of every range */

/* Writes a number below 1000; returns the place behind it. */
static char *add_number(char *to, unsigned number)
{
	if (number >= 100)
		*to++ = (char)('0' + number / 100);
	if (number >= 10)
		*to++ = (char)('0' + number / 10 % 10);
	*to++ = (char)('0' + number % 10);
	return to;
}

const char *slot_text(const struct slot *s, char text[SLOT_TEXT])
{
	char *end = add_number(text, (unsigned)s->bus % SLOT_BUSES);

	*end++ = ':';
	end = add_number(end, (unsigned)s->slot % SLOT_SLOTS);
	*end++ = ':';
	end = add_number(end, (unsigned)s->function % SLOT_FUNCTIONS);
	*end = '\0';
	return text;
}

bool slot_equal(const struct slot *a, const struct slot *b)
{
	return a->bus == b->bus && a->slot == b->slot && a->function == b->function;
}

static void slot_print(const void *slot, struct str *json)
{
	const struct slot *s = slot;
	char text[SLOT_TEXT];

	json_add_text(json, NULL, s->given ? slot_text(s, text) : NULL);
}

/*
 * Reads up to three decimal numbers between colons.  Returns how many; 0 if the text is malformed.
 */
static int split(const char *text, int number[3])
{
	int n = 0;

	for (const char *p = text; n < 3; p++) {
		int value = 0;

		if (!isdigit((unsigned char)*p))
			return 0;
		for (; isdigit((unsigned char)*p); p++) {
			value = value * 10 + (*p - '0');
			if (value > MAX_SLOT_NUMBER)
				value = MAX_SLOT_NUMBER;
		}
		number[n++] = value;
		if (*p == '\0')
			return n;
		if (*p != ':')
			return 0;
	}
	return 0;
}

static bool in_range(const struct slot *s, const struct where *at, struct decoder *d)
{
	static const char fmt[] = "%s %d is out of range: expected 0 to %d";

	if (s->bus >= SLOT_BUSES)
		report_add(d->report, STATUS_SPEC, at, fmt, "bus", s->bus, SLOT_BUSES - 1);
	else if (s->slot < 0 || s->slot >= SLOT_SLOTS)
		report_add(d->report, STATUS_SPEC, at, fmt, "slot", s->slot, SLOT_SLOTS - 1);
	else if (s->function >= SLOT_FUNCTIONS)
		report_add(
		    d->report, STATUS_SPEC, at, fmt, "function", s->function, SLOT_FUNCTIONS - 1);
	else
		return true;
	return false;
}

static void slot_parse(
    const struct node *value, void *slot, const struct where *at, struct decoder *d)
{
	struct slot s = { .given = true };
	const char *text;
	int number[3] = { 0 };

	if (value->kind == NODE_INT) {
		s.slot = value->integer < 0 || value->integer > MAX_SLOT_NUMBER
		    ? MAX_SLOT_NUMBER
		    : (int)value->integer;
		if (value->integer < 0)
			s.slot = -1;
	} else {
		if (value->kind != NODE_STRING) {
			field_type_error(
			    value, "a slot such as \"3\", \"3:0\" or \"0:3:0\"", at, d);
			return;
		}
		text = field_text(value, at, d);
		if (text == NULL)
			return;
		switch (split(text, number)) {
		case 1:
			s.slot = number[0];
			break;
		case 2:
			s.slot = number[0];
			s.function = number[1];
			break;
		case 3:
			s.bus = number[0];
			s.slot = number[1];
			s.function = number[2];
			break;
		default:
			report_add(d->report, STATUS_SPEC, at,
			    "invalid slot \"%s\": expected \"3\", \"3:0\" or \"0:3:0\"", text);
			return;
		}
	}
	if (in_range(&s, at, d))
		*(struct slot *)slot = s;
}

/* Patterns of the numbers in a slot. */
#define BUS "0*([1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
#define NUMBER "0*([12]?[0-9]|3[01])"
#define FUNCTION "0*[0-7]"

/* Adds the forms of a slot to the open list. */
static void add_forms(struct str *s)
{
	json_begin_object(s, NULL);
	schema_add_pattern(s, "^(" BUS ":" NUMBER ":" FUNCTION "|" NUMBER "(:" FUNCTION ")?)$");
	json_end_object(s);
	json_begin_object(s, NULL);
	schema_add_range(s, "integer", 0, SLOT_SLOTS - 1);
	json_end_object(s);
}

static void slot_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	add_forms(s);
	json_end_list(s);
}

const struct field_custom slot_custom = {
	.parse = slot_parse,
	.print = slot_print,
	.type = "string|integer",
	.schema = slot_schema,
	.host.kind = HOST_NONE,
};

static void print_or_false(const void *slot, struct str *json)
{
	if (((const struct slot *)slot)->given)
		slot_print(slot, json);
	else
		json_add_bool(json, NULL, false);
}

static void parse_or_false(
    const struct node *value, void *slot, const struct where *at, struct decoder *d)
{
	if (value->kind == NODE_BOOL && !value->truth)
		*(struct slot *)slot = (struct slot){ .given = false };
	else
		slot_parse(value, slot, at, d);
}

static void schema_or_false(struct str *s)
{
	json_begin_list(s, "oneOf");
	add_forms(s);
	json_begin_object(s, NULL);
	schema_add_false(s);
	json_end_object(s);
	json_end_list(s);
}

const struct field_custom slot_or_false_custom = {
	.parse = parse_or_false,
	.print = print_or_false,
	.type = "string|integer|false",
	.schema = schema_or_false,
	.host.kind = HOST_NONE,
};
