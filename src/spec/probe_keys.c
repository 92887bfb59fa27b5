/* The keys that ask a guest whether it is up: ready, alive; and the rules around time_limit. */
#include "spec/keys.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "device/forward.h"
#include "device/value_schema.h"
#include "platform/port.h"

#define MAX_PROBE_TEXT 4096 /* bytes of a text to look for */
#define MAX_FAILURES 1000   /* of `alive` */
#define MAX_PORT_DIGITS 5   /* of 65535 */
#define ANY_OUTPUT ""	    /* the value of alive.console for true */

/* The ways to ask a guest: an object has exactly one of these keys. */
static const char *const forms[] = { "console", "connect", "exec", NULL };

static const enum probe_kind kinds[] = { PROBE_CONSOLE, PROBE_CONNECT, PROBE_EXEC };

_Static_assert(sizeof(forms) / sizeof(forms[0]) == sizeof(kinds) / sizeof(kinds[0]) + 1,
    "a kind for each, and a NULL");

/* --- console --- */

static void output_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	bool any = value->kind == NODE_BOOL && value->truth;
	const char *text = NULL;

	if (any)
		text = ANY_OUTPUT;
	else if (value->kind == NODE_STRING)
		text = field_text(value, at, d);
	else
		field_type_error(value, "a text, or true for any output", at, d);
	if (text != NULL && strlen(text) > MAX_PROBE_TEXT)
		report_add(d->report, STATUS_SPEC, at, "has %zu bytes, at most %d are allowed",
		    strlen(text), MAX_PROBE_TEXT);
	else if (text != NULL)
		*(char **)into = mem_copy(text);
}

static void output_print(const void *from, struct str *json)
{
	const char *text = *(const char *const *)from;

	if (text != NULL && *text == '\0')
		json_add_bool(json, NULL, true);
	else
		json_add_text(json, NULL, text);
}

static void output_schema(struct str *s)
{
	json_begin_list(s, "anyOf");
	json_begin_object(s, NULL);
	json_add_bool(s, "const", true);
	json_end_object(s);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "string");
	json_add_int(s, "minLength", 1);
	json_add_int(s, "maxLength", MAX_PROBE_TEXT);
	json_end_object(s);
	json_end_list(s);
}

DESCRIBES(output_custom, char *);
static const struct field_custom output_custom = {
	.parse = output_parse,
	.print = output_print,
	.clear = field_clear_text,
	.type = "true|string",
	.schema = output_schema,
	.host.kind = HOST_NONE,
};

/* --- connect --- */

/* Returns why no guest has this numeric address, or NULL. */
static const char *address_fault(const char *address)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return v4.s_addr == INADDR_ANY ? "is not the address of a guest" : NULL;
	if (inet_pton(AF_INET6, address, &v6) != 1)
		return NULL; /* it has a zone */
	if (IN6_IS_ADDR_UNSPECIFIED(&v6))
		return "is not the address of a guest";
	return IN6_IS_ADDR_V4MAPPED(&v6) ? "is an IPv4 address in IPv6: write it as IPv4" : NULL;
}

/*
 * Returns the address of "ADDR:PORT" or "[V6]:PORT" without brackets, and its port.  NULL if the
 * text is malformed or names a host.  Caller frees.
 */
static char *read_place(const char *text, int *port)
{
	const char *colon = strrchr(text, ':');
	bool brackets = *text == '[' && colon != NULL && colon > text + 1 && colon[-1] == ']';
	size_t edge = brackets ? 1 : 0, digits;

	if (colon == NULL)
		return NULL;
	MEM_AUTO char *address = mem_copy_n(text + edge, (size_t)(colon - text) - 2 * edge);

	digits = strspn(colon + 1, "0123456789");
	*port = digits <= MAX_PORT_DIGITS ? (int)strtol(colon + 1, NULL, 10) : 0;
	if (digits == 0 || colon[1 + digits] != '\0' || *port < 1 || *port > MAX_PORT ||
	    (strchr(address, ':') != NULL) != brackets || !port_is_numeric(address))
		return NULL;
	return mem_copy(address);
}

static void connect_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);
	int port;
	MEM_AUTO char *address = text == NULL ? NULL : read_place(text, &port);
	const char *why = address == NULL ? NULL : address_fault(address);

	if (text == NULL)
		return;
	if (address == NULL)
		report_add(d->report, STATUS_SPEC, at,
		    "invalid address \"%s\": expected a numeric ADDR:PORT such as "
		    "\"192.168.1.10:22\" or \"[fd00::10]:22\", port 1 to %d",
		    text, MAX_PORT);
	else if (why != NULL)
		report_add(d->report, STATUS_SPEC, at, "invalid address \"%s\": %s %s", text,
		    address, why);
	else
		*(char **)into = mem_copy(text);
}

DESCRIBES(connect_custom, char *);
static const struct field_custom connect_custom = {
	.parse = connect_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^([0-9.]+|\\[[0-9A-Fa-f:.]+(%[^\\]]+)?\\]):[0-9]{1,5}$",
	.host.kind = HOST_ADDRESS,
};

/* --- the rows --- */

/* clang-format off */
#define PROBE_ROWS(seconds) \
	ROW_CUSTOM("connect", struct probe, connect, connect_custom, \
	    .help = "TCP server in the guest: numeric ADDR:PORT"), \
	ROW_STRING("expect", struct probe, expect, .max_length = MAX_PROBE_TEXT, \
	    .host.kind = HOST_NONE, \
	    .help = "connect: text that the server sends first"), \
	ROW_CUSTOM("exec", struct probe, command, program_custom, \
	    .help = "host command that exits with 0 if the guest is up"), \
	ROW_CUSTOM("every", struct probe, every_ms, seconds_custom, .preset = seconds, \
	    .help = "interval between tries: seconds, 0.01 to 3600")

DESCRIBES(ready_fields, struct probe);
static const struct field ready_fields[] = {
	ROW_STRING("console", struct probe, console, .max_length = MAX_PROBE_TEXT,
	    .host.kind = HOST_NONE,
	    .help = "text that the guest prints when it is up"),
	PROBE_ROWS("5"),
	ROW_CUSTOM("within", struct probe, within_ms, day_custom,
	    .help = "time limit from the start: seconds, 0.01 to 86400; default: none"),
	{ 0 },
};

DESCRIBES(alive_fields, struct probe);
static const struct field alive_fields[] = {
	ROW_CUSTOM("console", struct probe, console, output_custom,
	    .help = "true: the guest must print something between tries; or a text: this text"),
	PROBE_ROWS("30"),
	ROW_INT("failures", struct probe, failures, .preset = "3", .has_range = true,
	    .min = 1, .max = MAX_FAILURES,
	    .help = "number of failed tries in a row after which vmrun stops the guest"),
	{ 0 },
};
/* clang-format on */

/* Returns whether an object sets a key, to anything but null. */
static bool gives(const struct node *object, const char *key)
{
	const struct node *n = node_get(object, key);

	return n != NULL && n->kind != NODE_NULL;
}

static void fault(struct decoder *d, const struct where *at, const char *key, const char *text)
{
	struct where here = { at, key, 0 };

	report_add(d->report, STATUS_SPEC, &here, "%s", text);
}

/* Returns whether the object has a key that is unknown, and was reported: a typing mistake. */
static bool has_unknown(const struct field *rows, const struct node *object)
{
	for (const struct node *n = object->first; n != NULL; n = n->next) {
		if (field_find(rows, n->key) == NULL)
			return true;
	}
	return false;
}

/* Finds the one way in which the object asks the guest. */
static void choose_form(const struct field *rows, const struct node *object, struct probe *probe,
    const struct where *at, struct decoder *d)
{
	const char *first = NULL;

	for (size_t i = 0; forms[i] != NULL; i++) {
		struct where here = { at, forms[i], 0 };

		if (!gives(object, forms[i]))
			continue;
		if (first != NULL) {
			report_add(d->report, STATUS_SPEC, &here,
			    "this key excludes \"%s\": expected exactly one of \"console\", "
			    "\"connect\" "
			    "and \"exec\"; a target unsets what it inherits with \"%s\": null",
			    first, first);
			continue;
		}
		first = forms[i];
		probe->kind = kinds[i];
	}
	if (first == NULL && !has_unknown(rows, object))
		report_add(d->report, STATUS_SPEC, at,
		    "expected exactly one of \"console\", \"connect\" and \"exec\": how to ask the "
		    "guest");
}

/* Fits the time between tries into `within`, and checks one that is given. */
static void check_every(const struct field *rows, const struct node *object, struct probe *probe,
    const struct where *at, struct decoder *d)
{
	struct where here = { at, "every", 0 };
	MEM_AUTO char *path = where_path(at);

	if (rows == ready_fields && probe->kind == PROBE_CONSOLE) {
		if (gives(object, "every") && d->notes != NULL)
			words_addf(d->notes,
			    "%s.every is ignored: vmrun looks at all that the console prints",
			    path);
	} else if (probe->within_ms == 0 || probe->every_ms <= probe->within_ms) {
		return;
	} else if (!gives(object, "every")) {
		probe->every_ms = probe->within_ms;
	} else {
		report_add(d->report, STATUS_SPEC, &here,
		    "%g seconds are longer than \"within\", %g seconds",
		    (double)probe->every_ms / 1000, (double)probe->within_ms / 1000);
	}
}

static void probe_parse(const struct field *rows, const struct node *value, struct probe *probe,
    const struct where *at, struct decoder *d)
{
	int port = 0;

	if (value->kind == NODE_BOOL && !value->truth)
		return;
	if (!node_is_object(value)) {
		field_type_error(value, "an object, or false", at, d);
		return;
	}
	field_decode(rows, value, probe, at, d);
	choose_form(rows, value, probe, at, d);
	if (gives(value, "expect") && !gives(value, "connect"))
		fault(d, at, "expect",
		    "belongs to \"connect\": remove it; a target unsets it with \"expect\": null");
	check_every(rows, value, probe, at, d);
	if (probe->connect != NULL)
		probe->address = read_place(probe->connect, &port);
	probe->port = port;
	probe->text = probe->kind == PROBE_CONNECT ? probe->expect : probe->console;
	if (probe->text != NULL && *probe->text == '\0')
		probe->text = NULL;
}

static void ready_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	probe_parse(ready_fields, value, into, at, d);
}

static void alive_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	probe_parse(alive_fields, value, into, at, d);
}

static void probe_print(const struct field *rows, const struct probe *probe, struct str *json)
{
	if (probe->kind == PROBE_NONE)
		json_add_null(json, NULL);
	else
		field_print_object(rows, probe, json);
}

/* Prints no time between tries for a text on the console, of which there are none. */
static void ready_print(const void *from, struct str *json)
{
	struct probe shown = *(const struct probe *)from;

	if (shown.kind == PROBE_CONSOLE)
		shown.every_ms = 0;
	probe_print(ready_fields, &shown, json);
}

static void alive_print(const void *from, struct str *json)
{
	probe_print(alive_fields, from, json);
}

static void ready_clear(void *what)
{
	struct probe *probe = what;

	field_clear(ready_fields, probe); /* alive_fields has the same rows of text */
	field_clear_text(&probe->address);
	probe->text = NULL;
	probe->kind = PROBE_NONE;
}

const struct field_custom ready_custom = {
	.parse = ready_parse,
	.print = ready_print,
	.clear = ready_clear,
	.type = "false",
	.schema = schema_add_false,
	.rows = ROWS_FOR(ready_custom, ready_fields),
	.one_of = forms,
};

const struct field_custom alive_custom = {
	.parse = alive_parse,
	.print = alive_print,
	.clear = ready_clear,
	.type = "false",
	.schema = schema_add_false,
	.rows = ROWS_FOR(alive_custom, alive_fields),
	.one_of = forms,
};

/* --- rules with other keys --- */

bool spec_has_console(const struct spec *spec)
{
	for (size_t i = 0; i < SPEC_COM_PORTS; i++) {
		if (spec->com[i] != NULL && strcmp(spec->com[i], SPEC_CONSOLE) == 0)
			return true;
	}
	return false;
}

/* Returns the forwarding rule of a device that may take the connection, or NULL. */
static const char *rule_of(const struct device *dev, const struct probe *probe)
{
	const struct field *row = field_find(dev->kind->fields, "hostfwd");
	const struct words *rules =
	    row == NULL ? NULL : (const void *)((const char *)dev->config + row->offset);

	for (size_t i = 0; !dev->removed && rules != NULL && i < rules->count; i++) {
		if (forward_takes(rules->item[i], probe->connect))
			return rules->item[i];
	}
	return NULL;
}

/* Checks that a dead guest cannot pass: the hypervisor accepts connections to forwarded ports. */
static void check_rules(
    const struct spec *spec, const struct probe *probe, const char *key, struct report *report)
{
	struct where at = { NULL, key, 0 }, here = { &at, "connect", 0 };

	if (probe->address == NULL || probe->expect != NULL)
		return;
	for (size_t i = 0; i < spec->device_count; i++) {
		const char *rule = rule_of(spec->devices[i], probe);

		if (rule == NULL)
			continue;
		report_add(report, STATUS_SPEC, &here,
		    "\"expect\" is needed beside \"%s\": hostfwd \"%s\" of %s accepts connections "
		    "even if the guest is dead; give the text that the server sends first, such as "
		    "\"SSH-\"",
		    probe->connect, rule, spec->devices[i]->id);
		return;
	}
}

void spec_check_forwarding(const struct spec *spec, struct report *report)
{
	check_rules(spec, &spec->ready, "ready", report);
	check_rules(spec, &spec->alive, "alive", report);
}

static void check_console(
    const struct spec *spec, const struct probe *probe, const char *key, struct decoder *d)
{
	struct where at = { NULL, key, 0 }, console = { &at, "console", 0 };

	if (probe->kind == PROBE_CONSOLE && !spec_has_console(spec))
		report_add(d->report, STATUS_SPEC, &console,
		    "needs a serial port that vmrun reads: set \"com1\": \"console\", or \"%s\": "
		    "false in a target without one",
		    key);
}

void spec_check_probes(const struct spec *spec, struct decoder *d)
{
	struct where ready = { NULL, "ready", 0 }, within = { &ready, "within", 0 };
	struct where alive = { NULL, "alive", 0 };

	check_console(spec, &spec->ready, "ready", d);
	check_console(spec, &spec->alive, "alive", d);
	if (spec->alive.kind == PROBE_CONSOLE && spec->ready.kind == PROBE_NONE)
		fault(d, &alive, "console",
		    "needs \"ready\" in the same target: a guest that prints nothing yet may be "
		    "booting");
	if (spec->time_limit_ms != 0 && spec->ready.within_ms >= spec->time_limit_ms)
		report_add(d->report, STATUS_SPEC, &within,
		    "%g seconds are not below \"time_limit\", %g seconds",
		    (double)spec->ready.within_ms / 1000, (double)spec->time_limit_ms / 1000);
}
