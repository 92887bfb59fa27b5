/* The keys of what runs and waits beside the VM: companions, wait_for. */
#include <string.h>

#include "base/mem.h"
#include "spec/keys.h"

static const struct field ready_fields[] = {
	{ "path", FIELD_PATH, offsetof(struct readiness, path), .required = true,
	    .host.kind = HOST_PATH, .help = "file or socket that is there when it is ready" },
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

static const struct field_custom ready_custom = {
	.parse = ready_parse,
	.print = ready_print,
	.clear = ready_clear,
	.type = "string|string[]",
	.schema = "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":"
		  "\"string\"}}]",
	.rows = ready_fields,
	.host = { .kind = HOST_FORBIDDEN, .reaches = "runs a command of the host" },
};

/* clang-format off */
const struct field companion_fields[] = {
	{ "name", FIELD_STRING, offsetof(struct companion, name), .required = true, .longest = 64,
	    .host.kind = HOST_NONE, .help = "what messages call it" },
	{ "command", FIELD_CUSTOM, offsetof(struct companion, command), .required = true,
	    .custom = &command_custom, .help = "the program and its arguments" },
	{ "ready", FIELD_CUSTOM, offsetof(struct companion, ready), .custom = &ready_custom,
	    .help = "a command that succeeds when it is ready, or { path }" },
	{ "restart", FIELD_BOOL, offsetof(struct companion, restart),
	    .help = "start it again when it ends while the VM runs" },
	{ 0 },
};

const struct field wait_fields[] = {
	{ "path", FIELD_PATH, offsetof(struct wait_item, path), .host.kind = HOST_PATH,
	    .help = "file or device to wait for" },
	{ "interface", FIELD_STRING, offsetof(struct wait_item, interface), .longest = 15,
	    .host.kind = HOST_INTERFACE,
	    .help = "network interface to wait for" },
	{ "timeout", FIELD_CUSTOM, offsetof(struct wait_item, timeout_ms),
	    .custom = &seconds_custom, .help = "seconds to wait at most" },
	{ 0 },
};
/* clang-format on */

void wait_defaults(void *entry)
{
	((struct wait_item *)entry)->timeout_ms = 30000;
}
