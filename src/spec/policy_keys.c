/* The keys of the policy when a boot ends: reboot_on, restart_limit, backoff, stop; seconds. */
#include "spec/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/near.h"
#include "device/value_schema.h"

#define MAX_FACTOR 100 /* of the backoff */
#define MAX_STOP_WAIT_S 86400
#define MIN_SECONDS 0.01
#define MAX_SECONDS 3600
#define DAY_SECONDS 86400
#define WEEK_SECONDS (7 * DAY_SECONDS)

/* Reads seconds, including fractions, into milliseconds. */
static void read_seconds(
    const struct node *value, int most, void *into, const struct where *at, struct decoder *d)
{
	double seconds = value->kind == NODE_INT ? (double)value->integer : value->number;

	if (value->kind != NODE_INT && value->kind != NODE_NUMBER)
		field_type_error(value, "a number of seconds", at, d);
	else if (!(seconds >= MIN_SECONDS && seconds <= most))
		report_add(d->report, STATUS_SPEC, at,
		    "expected " NUMBER_TEXT(MIN_SECONDS) " to %d seconds", most);
	else
		*(int64_t *)into = (int64_t)(seconds * 1000 + 0.5);
}

/* Prints null for 0, which means not given: no kind accepts it. */
static void seconds_print(const void *from, struct str *json)
{
	int64_t ms = *(const int64_t *)from;

	if (ms == 0)
		json_add_null(json, NULL);
	else
		json_add_decimal(json, NULL, (double)ms / 1000);
}

static void add_seconds_schema(struct str *s, int most)
{
	json_add_text(s, "type", "number");
	json_add_decimal(s, "minimum", MIN_SECONDS);
	json_add_int(s, "maximum", most);
}

/* Defines a kind of seconds with its maximum. */
#define SECONDS(name, most)                                                                  \
	static void name##_parse(                                                            \
	    const struct node *value, void *into, const struct where *at, struct decoder *d) \
	{                                                                                    \
		read_seconds(value, most, into, at, d);                                      \
	}                                                                                    \
	static void name##_schema(struct str *s)                                             \
	{                                                                                    \
		add_seconds_schema(s, most);                                                 \
	}                                                                                    \
	const struct field_custom name##_custom = { .parse = name##_parse,                   \
		.print = seconds_print,                                                      \
		.type = "number",                                                            \
		.schema = name##_schema,                                                     \
		.host.kind = HOST_NONE }

SECONDS(seconds, MAX_SECONDS);
SECONDS(day, DAY_SECONDS);
SECONDS(week, WEEK_SECONDS);

static void add_entry(struct reboot_list *list, struct reboot_entry entry)
{
	list->item = mem_resize(list->item, list->count + 1, sizeof(*list->item));
	list->item[list->count++] = entry;
}

bool reboot_list_has(const struct reboot_list *list, enum cause cause, int status)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct reboot_entry *e = &list->item[i];

		/*
		 * The status of a boot that never ran, or that was stopped, does not come from the
		 * guest.  1 is a power-off and 3 a triple fault: under qemu, an error may have the
		 * same status.
		 */
		if (e->is_status ? cause == cause_of_status(e->status) && e->status == status
				 : e->cause == cause)
			return true;
	}
	return false;
}

void reboot_list_free(struct reboot_list *list)
{
	free(list->item);
	memset(list, 0, sizeof(*list));
}

/*
 * Reads a cause's name or a status.  Returns NULL on success, otherwise the reason; caller frees.
 */
static char *read_entry(const char *text, struct reboot_entry *entry)
{
	struct near near = { .words = NEAR_KEY, .wanted = text };
	char *end;
	long status;

	memset(entry, 0, sizeof(*entry));
	if (cause_find(text, &entry->cause))
		return NULL;
	status = strtol(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && status <= MAX_STATUS) {
		entry->is_status = true;
		entry->status = (int)status;
		return NULL;
	}
	for (int i = 0; i < CAUSES; i++)
		near_offer(&near, cause_name((enum cause)i));
	MEM_AUTO char *hint = near_hint(&near);

	return mem_format("invalid cause or status \"%s\": expected a cause or 0 to %d%s", text,
	    MAX_STATUS, hint);
}

/* Strips the blanks around the text in place. */
static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " ");
	for (n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
	return text;
}

int reboot_list_parse(const char *text, struct reboot_list *out, struct error *err)
{
	MEM_AUTO char *copy = mem_copy(text);
	char *rest = copy, *word;

	out->given = true;
	while (rest != NULL) {
		struct reboot_entry entry;

		word = rest;
		rest = strchr(rest, ',');
		if (rest != NULL)
			*rest++ = '\0';
		word = trim(word);
		if (*word == '\0' && rest == NULL && out->count == 0)
			return 0; /* an empty list: never boot again */
		MEM_AUTO char *why = read_entry(word, &entry);

		if (why != NULL)
			return error_set(err, STATUS_USAGE, "%s", why);
		add_entry(out, entry);
	}
	return 0;
}

static void reboot_on_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct reboot_list *list = into;
	size_t i = 0;

	if (!node_is_list(value)) {
		field_type_error(value, "a list of causes or statuses", at, d);
		return;
	}
	list->given = true;
	for (const struct node *n = value->first; n != NULL; n = n->next, i++) {
		struct where here = { at, NULL, i };
		struct reboot_entry entry = { .is_status = true };
		int64_t status;

		if (n->kind == NODE_INT) {
			if (!field_integer(n, 0, MAX_STATUS, &status, &here, d))
				continue;
			entry.status = (int)status;
		} else {
			const char *text = field_text(n, &here, d);
			MEM_AUTO char *why = text == NULL ? NULL : read_entry(text, &entry);

			if (why != NULL)
				report_add(d->report, STATUS_SPEC, &here, "%s", why);
			if (text == NULL || why != NULL)
				continue;
		}
		add_entry(list, entry);
	}
}

static void reboot_on_print(const void *from, struct str *json)
{
	const struct reboot_list *list = from;

	if (!list->given) {
		json_add_null(json, NULL);
		return;
	}
	json_begin_list(json, NULL);
	for (size_t i = 0; i < list->count; i++) {
		if (list->item[i].is_status)
			json_add_int(json, NULL, list->item[i].status);
		else
			json_add_text(json, NULL, cause_name(list->item[i].cause));
	}
	json_end_list(json);
}

static void clear_reboot_on(void *list)
{
	reboot_list_free(list);
}

static void reboot_on_schema(struct str *s)
{
	json_add_text(s, "type", "array");
	json_begin_object(s, "items");
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	schema_add_range(s, "integer", 0, MAX_STATUS);
	json_end_object(s);
	json_begin_object(s, NULL);
	schema_add_pattern(s, "^[0-9]+$");
	json_end_object(s);
	json_begin_object(s, NULL);
	json_begin_list(s, "enum");
	for (int i = 0; i < CAUSES; i++)
		json_add_text(s, NULL, cause_name((enum cause)i));
	json_end_list(s);
	json_end_object(s);
	json_end_list(s);
	json_end_object(s);
}

const struct field_custom reboot_on_custom = {
	.parse = reboot_on_parse,
	.print = reboot_on_print,
	.clear = clear_reboot_on,
	.type = "(integer|string)[]",
	.is_list = true,
	.schema = reboot_on_schema,
	.host.kind = HOST_NONE,
};

static const char *const actions[] = {
	[STOP_ACPI] = "acpi",
	[STOP_POWEROFF] = "poweroff",
	[STOP_KILL] = "kill",
	[STOP_ACTIONS] = NULL,
};

_Static_assert(
    sizeof(actions) / sizeof(actions[0]) == STOP_ACTIONS + 1, "a word for each, and a NULL");

const char *stop_action_name(enum stop_action action)
{
	return actions[action];
}

struct step_keys {
	int action; /* enum stop_action */
	int64_t wait;
};

DESCRIBES(step_fields, struct step_keys);
static const struct field step_fields[] = {
	ROW_CHOICE("do", struct step_keys, action, actions, .required = true,
	    .help = "acpi, poweroff or kill"),
	ROW_INT("wait", struct step_keys, wait, .required = true, .has_range = true, .min = 0,
	    .max = MAX_STOP_WAIT_S, .help = "seconds before the next step, 0 to 86400"),
	{ 0 },
};

static void stop_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct stop_ladder *ladder = into, read = { .count = 0 };

	if (value->kind == NODE_OTHER) {
		field_type_error(
		    value, "a list of steps { \"do\": \"acpi\", \"wait\": 60 }", at, d);
		return;
	}
	if (!node_is_list(value) || value->count < 1 || value->count > MAX_STOP_STEPS) {
		report_add(d->report, STATUS_SPEC, at,
		    "expected a list of 1 to %d steps { \"do\": \"acpi\", \"wait\": 60 }",
		    MAX_STOP_STEPS);
		return;
	}
	for (const struct node *n = value->first; n != NULL; n = n->next) {
		struct where here = { at, NULL, read.count };
		struct step_keys keys = { 0 };

		if (node_is_object(n))
			field_decode(step_fields, n, &keys, &here, d);
		else
			field_type_error(n, "a step { \"do\": \"acpi\", \"wait\": 60 }", &here, d);
		read.step[read.count].action = (enum stop_action)keys.action;
		read.step[read.count++].wait_ms = keys.wait * 1000;
	}
	*ladder = read;
}

static void stop_print(const void *from, struct str *json)
{
	const struct stop_ladder *ladder = from;

	json_begin_list(json, NULL);
	for (size_t i = 0; i < ladder->count; i++) {
		json_begin_object(json, NULL);
		json_add_text(json, "do", stop_action_name(ladder->step[i].action));
		json_add_int(json, "wait", ladder->step[i].wait_ms / 1000);
		json_end_object(json);
	}
	json_end_list(json);
}

static void add_step_schema(struct str *s, const char *key)
{
	json_begin_object(s, key);
	json_add_text(s, "type", "object");
	json_begin_list(s, "required");
	json_add_text(s, NULL, "do");
	json_add_text(s, NULL, "wait");
	json_end_list(s);
	json_add_bool(s, "additionalProperties", false);
	json_begin_object(s, "properties");
	json_begin_object(s, "do");
	schema_add_enum(s, actions);
	json_end_object(s);
	json_begin_object(s, "wait");
	schema_add_range(s, "integer", 0, MAX_STOP_WAIT_S);
	json_end_object(s);
	json_end_object(s);
	json_end_object(s);
}

static void stop_schema(struct str *s)
{
	json_add_text(s, "type", "array");
	json_add_int(s, "minItems", 1);
	json_add_int(s, "maxItems", MAX_STOP_STEPS);
	add_step_schema(s, "items");
}

const struct field_custom stop_custom = {
	.parse = stop_parse,
	.print = stop_print,
	.type = "{ [\"do\"]: \"acpi\"|\"poweroff\"|\"kill\", wait: integer }[]",
	.is_list = true,
	.schema = stop_schema,
	.host.kind = HOST_NONE,
};

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
	json_add_decimal(json, NULL, *(const double *)from);
}

static void factor_schema(struct str *s)
{
	schema_add_range(s, "number", 1, MAX_FACTOR);
}

DESCRIBES(factor_custom, double);
static const struct field_custom factor_custom = {
	.parse = factor_parse,
	.print = factor_print,
	.type = "number",
	.schema = factor_schema,
	.host.kind = HOST_NONE,
};

DESCRIBES(limit_fields, struct restart_limit);
static const struct field limit_fields[] = {
	ROW_INT("count", struct restart_limit, count, .preset = "5", .has_range = true, .min = 1,
	    .max = MAX_RESTART_COUNT, .help = "number of automatic boots, 1 to 1000"),
	ROW_CUSTOM("within", struct restart_limit, within_ms, week_custom, .preset = "30",
	    .help = "period in which boots count: seconds, 0.01 to 604800"),
	{ 0 },
};

DESCRIBES(backoff_fields, struct backoff);
static const struct field backoff_fields[] = {
	ROW_CUSTOM("initial", struct backoff, initial_ms, day_custom, .preset = "1",
	    .help = "first delay: seconds, 0.01 to 86400"),
	ROW_CUSTOM("factor", struct backoff, factor, factor_custom, .preset = "2",
	    .help = "factor by which each further delay grows, 1 to 100"),
	ROW_CUSTOM("max", struct backoff, max_ms, day_custom, .preset = "60",
	    .help = "longest delay: seconds, 0.01 to 86400"),
	ROW_CUSTOM("reset_after", struct backoff, reset_after_ms, day_custom, .preset = "60",
	    .help = "uptime after which delays start over: seconds, 0.01 to 86400"),
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
	if (off)
		json_add_bool(json, NULL, false);
	else
		field_print_object(rows, from, json);
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
	.schema = schema_add_false,
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
	.schema = schema_add_false,
	.rows = ROWS_FOR(backoff_custom, backoff_fields),
};
