/* The keys for what runs beside the VM and what it waits for: companions, wait_for. */
#include <string.h>

#include "base/mem.h"
#include "spec/keys.h"

DESCRIBES(ready_fields, struct readiness);
static const struct field ready_fields[] = {
	ROW_PATH("path", struct readiness, path, .required = true, .host.kind = HOST_PATH,
	    .help = "file or socket that is there when it is ready"),
	{ 0 },
};

static void ready_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct readiness *ready = into;

	if (value->kind == NODE_OBJECT)
		field_decode(ready_fields, value, ready, at, d);
	else
		command_custom.parse(value, &ready->command, at, d);
}

static void ready_print(const void *from, struct str *json)
{
	const struct readiness *ready = from;

	if (ready->path == NULL) {
		command_custom.print(&ready->command, json);
		return;
	}
	str_add(json, "{");
	field_print(ready_fields, ready, json);
	str_add(json, "}");
}

static void ready_clear(void *what)
{
	struct readiness *ready = what;

	words_free(&ready->command);
	field_clear_text(&ready->path);
}

DESCRIBES(ready_custom, struct readiness);
static const struct field_custom ready_custom = {
	.parse = ready_parse,
	.print = ready_print,
	.clear = ready_clear,
	.type = "string|string[]",
	.schema = "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":"
		  "\"string\"}}]",
	.rows = ROWS_FOR(ready_custom, ready_fields),
	.host = { .kind = HOST_FORBIDDEN, .reaches = "runs a command of the host" },
};

/* clang-format off */
const struct field companion_fields[] = {
	ROW_STRING("name", struct companion, name, .required = true, .max_length = 64,
	    .host.kind = HOST_NONE, .help = "what messages call it"),
	ROW_CUSTOM("command", struct companion, command, command_custom, .required = true,
	    .help = "the program and its arguments"),
	ROW_CUSTOM("ready", struct companion, ready, ready_custom,
	    .help = "a command that succeeds when it is ready, or { path }"),
	ROW_BOOL("restart", struct companion, restart,
	    .help = "start it again when it ends while the VM runs"),
	{ 0 },
};

const struct field wait_fields[] = {
	ROW_PATH("path", struct wait_item, path, .host.kind = HOST_PATH,
	    .help = "file or device to wait for"),
	ROW_STRING("interface", struct wait_item, interface, .max_length = MAX_INTERFACE,
	    .host.kind = HOST_INTERFACE, .help = "network interface to wait for"),
	ROW_CUSTOM("timeout", struct wait_item, timeout_ms, seconds_custom, .preset = "30",
	    .help = "seconds to wait at most"),
	{ 0 },
};
/* clang-format on */
