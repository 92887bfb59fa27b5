/* The key `on`: the action after each cause. */
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/near.h"
#include "device/value_schema.h"
#include "spec/keys.h"

#define MAX_DELAY_S 86400
#define MAX_GIVEN_UP_TIMES 1000
#define MIN_ON_STATUS 5 /* the causes have names for the statuses below */

static void delay_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	double seconds = value->kind == NODE_INT ? (double)value->integer : value->number;

	if (value->kind != NODE_INT && value->kind != NODE_NUMBER)
		field_type_error(value, "a number of seconds", at, d);
	else if (!(seconds >= 0 && seconds <= MAX_DELAY_S))
		report_add(d->report, STATUS_SPEC, at, "expected 0 to %d seconds", MAX_DELAY_S);
	else
		*(struct delay *)into = (struct delay){ true, (int64_t)(seconds * 1000 + 0.5) };
}

static void delay_print(const void *from, struct str *json)
{
	const struct delay *delay = from;

	if (delay->given)
		json_add_decimal(json, NULL, (double)delay->ms / 1000);
	else
		json_add_null(json, NULL);
}

static void delay_schema(struct str *s)
{
	schema_add_range(s, "number", 0, MAX_DELAY_S);
}

DESCRIBES(delay_custom, struct delay);
static const struct field_custom delay_custom = {
	.parse = delay_parse,
	.print = delay_print,
	.type = "number",
	.schema = delay_schema,
	.host.kind = HOST_NONE,
};

/* clang-format off */
#define TARGET ROW_STRING("boot", struct action, target, .required = true, .host.kind = HOST_NONE, \
	    .help = "target to boot")

DESCRIBES(action_fields, struct action);
static const struct field action_fields[] = {
	TARGET,
	ROW_CUSTOM("delay", struct action, delay, delay_custom,
	    .help = "delay that replaces that of backoff: seconds, 0 to 86400"),
	{ 0 },
};

DESCRIBES(given_up_fields, struct action);
static const struct field given_up_fields[] = {
	TARGET,
	ROW_CUSTOM("delay", struct action, delay, delay_custom,
	    .help = "delay that replaces that of backoff: seconds, 0 to 86400"),
	ROW_INT("times", struct action, times, .preset = "1", .has_range = true, .min = 0,
	    .max = MAX_GIVEN_UP_TIMES, .help = "number of such boots before vmrun stops; a boot "
	    "longer than restart_limit.within resets it; 0: no limit, 1 second apart at least"),
	{ 0 },
};
/* clang-format on */

static const char *const action_words[] = { "stop", "boot", "same", NULL };
static const enum action_kind action_kinds[] = { ACTION_STOP, ACTION_BOOT, ACTION_SAME };

_Static_assert(sizeof(action_words) / sizeof(action_words[0]) ==
	sizeof(action_kinds) / sizeof(action_kinds[0]) + 1,
    "a kind for each word, and a NULL");

static const char *const given_up_words[] = { "stop", "wait", NULL };
static const enum action_kind given_up_kinds[] = { ACTION_STOP, ACTION_WAIT };

_Static_assert(sizeof(given_up_words) / sizeof(given_up_words[0]) ==
	sizeof(given_up_kinds) / sizeof(given_up_kinds[0]) + 1,
    "a kind for each word, and a NULL");

/* Returns the index of a word in a list, or -1. */
static int find_word(const char *text, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
	}
	return -1;
}

/* Reports a word that is not an action here.  If it is not one anywhere, it may name a target. */
static void refuse_word(const char *text, const char *const *words, const char *expected,
    const struct where *at, struct decoder *d)
{
	bool is_action = find_word(text, action_words) >= 0 || find_word(text, given_up_words) >= 0;
	struct near near = { .wanted = text };
	MEM_AUTO char *hint = NULL;

	for (int i = 0; words[i] != NULL; i++)
		near_offer(&near, words[i]);
	hint = near.best != NULL || is_action
	    ? near_hint(&near)
	    : mem_format(", did you mean { \"boot\": \"%s\" }?", text);
	report_add(d->report, STATUS_SPEC, at, "invalid value \"%s\": expected one of %s%s", text,
	    expected, hint);
}

/* Reads one of the words, or an object of the rows. */
static void parse_action(const struct node *value, const char *const *words,
    const enum action_kind *kinds, const struct field *rows, const char *expected,
    struct action *into, const struct where *at, struct decoder *d)
{
	const char *text;
	int word;

	if (node_is_object(value)) {
		field_decode(rows, value, into, at, d);
		into->kind = into->target == NULL ? ACTION_NONE : ACTION_TARGET;
		return;
	}
	if (value->kind != NODE_STRING) {
		field_type_error(value, expected, at, d);
		return;
	}
	text = field_text(value, at, d);
	if (text == NULL)
		return;
	word = find_word(text, words);
	if (word >= 0)
		into->kind = kinds[word];
	else
		refuse_word(text, words, expected, at, d);
}

static void print_action(const struct action *action, const struct field *rows, struct str *json)
{
	static const char *const words[] = {
		[ACTION_NONE] = NULL,
		[ACTION_STOP] = "stop",
		[ACTION_BOOT] = "boot",
		[ACTION_SAME] = "same",
		[ACTION_TARGET] = NULL, /* an object */
		[ACTION_WAIT] = "wait",
	};

	_Static_assert(sizeof(words) / sizeof(words[0]) == ACTION_KINDS, "a word for each");

	if (action->kind == ACTION_TARGET)
		field_print_object(rows, action, json);
	else
		json_add_text(json, NULL, words[action->kind]);
}

static void clear_action(void *what)
{
	struct action *action = what;

	free(action->target);
	memset(action, 0, sizeof(*action));
}

static void action_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	parse_action(value, action_words, action_kinds, action_fields,
	    "\"stop\", \"boot\", \"same\" or { \"boot\": TARGET, \"delay\": SECONDS }", into, at,
	    d);
}

static void action_print(const void *from, struct str *json)
{
	print_action(from, action_fields, json);
}

static void action_schema(struct str *s)
{
	schema_add_enum(s, action_words);
}

DESCRIBES(action_custom, struct action);
static const struct field_custom action_custom = {
	.parse = action_parse,
	.print = action_print,
	.clear = clear_action,
	.type = "\"stop\"|\"boot\"|\"same\"",
	.schema = action_schema,
	.rows = ROWS_FOR(action_custom, action_fields),
};

static void given_up_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	parse_action(value, given_up_words, given_up_kinds, given_up_fields,
	    "\"stop\", \"wait\" or { \"boot\": TARGET, \"delay\": SECONDS, \"times\": N }", into,
	    at, d);
}

static void given_up_print(const void *from, struct str *json)
{
	print_action(from, given_up_fields, json);
}

static void given_up_schema(struct str *s)
{
	schema_add_enum(s, given_up_words);
}

DESCRIBES(given_up_custom, struct action);
static const struct field_custom given_up_custom = {
	.parse = given_up_parse,
	.print = given_up_print,
	.clear = clear_action,
	.type = "\"stop\"|\"wait\"",
	.schema = given_up_schema,
	.rows = ROWS_FOR(given_up_custom, given_up_fields),
};

/* clang-format off */
#define ON(name, cause, text) ROW_CUSTOM(name, struct spec, on[cause], action_custom, .help = text)

/* There is no row for `stopped`: a stop request always stops. */
const struct field on_fields[] = {
	ON("reboot", CAUSE_REBOOT, "the guest asked for a reboot"),
	ON("poweroff", CAUSE_POWEROFF, "the guest powered off"),
	ON("halt", CAUSE_HALT, "the guest halted its processors"),
	ON("triple_fault", CAUSE_TRIPLE_FAULT, "the guest crashed"),
	ON("error", CAUSE_ERROR, "the hypervisor exited with any other status"),
	ON("killed", CAUSE_KILLED, "a signal killed the hypervisor"),
	ON("start_failed", CAUSE_START_FAILED, "the hypervisor could not start the VM"),
	ON("loader_failed", CAUSE_LOADER_FAILED, "the loader failed or timed out"),
	ON("check_failed", CAUSE_CHECK_FAILED, "a check or another step before the start failed"),
	ON("not_ready", CAUSE_NOT_READY, "the guest was not ready within `ready.within`"),
	ON("unhealthy", CAUSE_UNHEALTHY, "the guest failed the tries of `alive`"),
	ON("timed_out", CAUSE_TIMED_OUT, "the boot lasted longer than `time_limit`"),
	ROW_CUSTOM("given_up", struct spec, on[CAUSE_GIVEN_UP], given_up_custom,
	    .help = "`restart_limit` refused a boot: stop, wait or { boot, delay, times }"),
	{ 0 },
};
/* clang-format on */

/* Returns the status that a key names, or -1. */
static int status_of(const char *key)
{
	char *end;
	long status = strtol(key, &end, 10);

	return *key < '0' || *key > '9' || *end != '\0' || status > MAX_STATUS ? -1 : (int)status;
}

static bool takes_status(const char *key)
{
	return *key != '0' && status_of(key) >= MIN_ON_STATUS;
}

static const struct field status_field = ROW_CUSTOM("status", struct status_action, action,
    action_custom, .help = "the hypervisor exited with this status, 5 to 255; precedes error");

const struct field_others on_statuses = {
	.takes = takes_status,
	.pattern = "^([5-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$",
	.offset = FIELD_OFFSET(struct spec, on_status, struct field_list),
	.row = &status_field,
	.size = sizeof(struct status_action),
};

const struct action *spec_on_status(const struct spec *spec, int status)
{
	const struct status_action *entry = spec->on_status.item;

	for (size_t i = 0; i < spec->on_status.count; i++) {
		if (status_of(entry[i].status) == status && entry[i].action.kind != ACTION_NONE)
			return &entry[i].action;
	}
	return NULL;
}

char *on_explain_unknown(const char *key)
{
	int status = status_of(key);

	if (strcmp(key, cause_name(CAUSE_STOPPED)) == 0)
		return mem_copy("\"stopped\" cannot have an action: a stop request always stops; "
				"use the hook on_end");
	if (*key == '\0' || (status < 0 && key[strspn(key, "0123456789")] != '\0'))
		return NULL;
	if (status < 0)
		return mem_format("invalid status \"%s\": expected \"%d\" to \"%d\"", key,
		    MIN_ON_STATUS, MAX_STATUS);
	if (status >= MIN_ON_STATUS)
		return mem_format("invalid status \"%s\": expected \"%d\"", key, status);
	return mem_format("status %d has a name here: expected \"%s\" (a status is \"%d\" to "
			  "\"%d\")",
	    status, cause_name(cause_of_status(status)), MIN_ON_STATUS, MAX_STATUS);
}
