/* The keys that limit restarts: restart_limit and backoff. */
#include "spec/keys.h"

#define MAX_FACTOR 100

static void factor_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	double factor = value->kind == NODE_INT ? (double)value->integer : value->number;

	if (value->kind != NODE_INT && value->kind != NODE_NUMBER)
		field_type_error(value, "a number", at, d);
	else if (!(factor >= 1 && factor <= MAX_FACTOR))
		report_add(d->report, STATUS_SPEC, at, "expected 1 to %d", MAX_FACTOR);
	else
		*(double *)into = factor;
}

static void factor_print(const void *from, struct str *json)
{
	str_addf(json, "%.15g", *(const double *)from);
}

DESCRIBES(factor_custom, double);
static const struct field_custom factor_custom = {
	.parse = factor_parse,
	.print = factor_print,
	.type = "number",
	.schema = "\"type\":\"number\",\"minimum\":1,\"maximum\":100",
	.host.kind = HOST_NONE,
};

DESCRIBES(limit_fields, struct restart_limit);
static const struct field limit_fields[] = {
	ROW_INT("count", struct restart_limit, count, .preset = "5", .has_range = true, .min = 1,
	    .max = MAX_RESTART_COUNT, .help = "automatic boots"),
	ROW_CUSTOM("within", struct restart_limit, within_ms, seconds_custom, .preset = "30",
	    .help = "seconds"),
	{ 0 },
};

DESCRIBES(backoff_fields, struct backoff);
static const struct field backoff_fields[] = {
	ROW_CUSTOM("initial", struct backoff, initial_ms, seconds_custom, .preset = "1",
	    .help = "seconds before the first boot after a fault"),
	ROW_CUSTOM("factor", struct backoff, factor, factor_custom, .preset = "2",
	    .help = "what the next delay is multiplied with"),
	ROW_CUSTOM("max", struct backoff, max_ms, seconds_custom, .preset = "60",
	    .help = "longest delay in seconds"),
	ROW_CUSTOM("reset_after", struct backoff, reset_after_ms, seconds_custom, .preset = "60",
	    .help = "seconds up after which delays start over"),
	{ 0 },
};

/* Reads an object of these rows, or false, which switches it off. */
static void parse_switch(const struct field *rows, const struct node *value, void *into, bool *off,
    const struct where *at, struct decoder *d)
{
	*off = value->kind == NODE_BOOL && !value->truth;
	if (node_is_object(value))
		field_decode(rows, value, into, at, d);
	else if (!*off)
		field_type_error(value, "an object, or false", at, d);
}

static void print_switch(const struct field *rows, const void *from, bool off, struct str *json)
{
	if (off) {
		str_add(json, "false");
		return;
	}
	str_add(json, "{");
	field_print(rows, from, json);
	str_add(json, "}");
}

static void restart_limit_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct restart_limit *limit = into;

	parse_switch(limit_fields, value, limit, &limit->off, at, d);
}

static void restart_limit_print(const void *from, struct str *json)
{
	print_switch(limit_fields, from, ((const struct restart_limit *)from)->off, json);
}

const struct field_custom restart_limit_custom = {
	.parse = restart_limit_parse,
	.print = restart_limit_print,
	.type = "false",
	.schema = "\"const\":false",
	.rows = ROWS_FOR(restart_limit_custom, limit_fields),
};

static void backoff_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct backoff *backoff = into;

	parse_switch(backoff_fields, value, backoff, &backoff->off, at, d);
}

static void backoff_print(const void *from, struct str *json)
{
	print_switch(backoff_fields, from, ((const struct backoff *)from)->off, json);
}

const struct field_custom backoff_custom = {
	.parse = backoff_parse,
	.print = backoff_print,
	.type = "false",
	.schema = "\"const\":false",
	.rows = ROWS_FOR(backoff_custom, backoff_fields),
};
