/*
 * virtio-console: ports of the guest as unix sockets of the host.  Facts: bhyve's
 * pci_virtio_console.c; QEMU's virtio-serial.
 */
#include "device/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "device/host_use.h"
#include "device/qemu_words.h"
#include "device/value_schema.h"
#include "platform/socket.h"

#define MAX_CONSOLE_PORTS 16

struct port {
	char *name;
	char *path;
};

struct ports {
	struct port item[MAX_CONSOLE_PORTS];
	size_t count;
};

struct console {
	struct ports ports;
};

/* Adds a port, whose path is at `at` and whose name is at `name_at`; takes the name. */
static void add_port(struct ports *ports, char *name, const struct where *name_at,
    const struct node *path, const struct where *at, struct decoder *d)
{
	const char *text = field_text(path, at, d);
	MEM_AUTO char *absolute = text == NULL ? NULL : field_path(text, d->directory);

	if (*name == '\0')
		report_add(d->report, STATUS_SPEC, name_at, "a port needs a name");
	/* bhyve keeps a pointer into the buffer in which it expands a value with a `%`. */
	if (strchr(name, '%') != NULL)
		report_add(d->report, STATUS_SPEC, name_at,
		    "invalid port name \"%s\": the guest would see garbage, because bhyve does not "
		    "keep a name with a \"%%\": choose another name",
		    name);
	if (absolute != NULL && strlen(absolute) > MAX_SOCKET_PATH)
		report_add(d->report, STATUS_SPEC, at,
		    "\"%s\" has %zu bytes: the path of a socket can have at most %d", absolute,
		    strlen(absolute), MAX_SOCKET_PATH);
	for (size_t i = 0; i < ports->count; i++) {
		if (strcmp(ports->item[i].name, name) == 0)
			report_add(
			    d->report, STATUS_SPEC, name_at, "two ports are named \"%s\"", name);
		if (absolute != NULL && strcmp(ports->item[i].path, absolute) == 0)
			report_add(
			    d->report, STATUS_SPEC, at, "two ports have the path \"%s\"", absolute);
	}
	if (absolute == NULL || ports->count == MAX_CONSOLE_PORTS) {
		free(name);
		return;
	}
	ports->item[ports->count].name = name;
	ports->item[ports->count++].path = absolute;
	absolute = NULL;
}

/* Returns whether an object is one port and not ports by their names: UCL has one section so. */
static bool is_single(const struct node *value)
{
	return value->kind == NODE_OBJECT && value->count == 2 && node_get(value, "name") != NULL &&
	    node_get(value, "path") != NULL;
}

/*
 * Reads an entry of a list: { name, path }, or a path, whose port is named port1, port2, ... by its
 * place.
 */
static void parse_entry(
    const struct node *n, struct ports *ports, const struct where *at, struct decoder *d)
{
	struct where name_at = { at, "name", 0 }, path_at = { at, "path", 0 };
	const struct node *path = node_get(n, "path"), *name = node_get(n, "name");
	const char *text;

	if (n->kind == NODE_STRING) {
		add_port(ports, mem_format("port%zu", at->index + 1), at, n, at, d);
		return;
	}
	if (n->kind != NODE_OBJECT || path == NULL || name == NULL || n->count != 2) {
		report_add(d->report, STATUS_SPEC, at,
		    "a port is a path or { \"name\": ..., \"path\": ... }");
		return;
	}
	text = field_text(name, &name_at, d);
	if (text != NULL)
		add_port(ports, mem_copy(text), &name_at, path, &path_at, d);
}

static void ports_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct ports *ports = into;
	size_t i = 0;

	if (!node_is_list(value) && !node_is_object(value)) {
		field_type_error(value, "a list of paths, or an object name -> path", at, d);
		return;
	}
	if (value->count < 1 || value->count > MAX_CONSOLE_PORTS) {
		report_add(d->report, STATUS_SPEC, at, "%zu ports: expected 1 to %d", value->count,
		    MAX_CONSOLE_PORTS);
		return;
	}
	if (is_single(value)) {
		parse_entry(value, ports, at, d);
		return;
	}
	for (const struct node *n = value->first; n != NULL; n = n->next, i++) {
		struct where entry = { at, value->kind == NODE_OBJECT ? n->key : NULL, i };

		if (value->kind == NODE_OBJECT)
			add_port(ports, mem_copy(n->key), &entry, n, &entry, d);
		else
			parse_entry(n, ports, &entry, d);
	}
}

static void ports_print(const void *from, struct str *json)
{
	const struct ports *ports = from;

	json_begin_list(json, NULL);
	for (size_t i = 0; i < ports->count; i++) {
		json_begin_object(json, NULL);
		json_add_text(json, "name", ports->item[i].name);
		json_add_text(json, "path", ports->item[i].path);
		json_end_object(json);
	}
	json_end_list(json);
}

static void ports_clear(void *what)
{
	struct ports *ports = what;

	for (size_t i = 0; i < ports->count; i++) {
		free(ports->item[i].name);
		free(ports->item[i].path);
	}
	ports->count = 0;
}

static void ports_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const struct ports *ports = value;

	for (size_t i = 0; i < ports->count; i++)
		host_found(visit, HOST_PATH, ports->item[i].path, at);
}

static void add_named_port_schema(struct str *s)
{
	json_begin_object(s, NULL);
	json_add_text(s, "type", "object");
	json_begin_list(s, "required");
	json_add_text(s, NULL, "name");
	json_add_text(s, NULL, "path");
	json_end_list(s);
	json_add_bool(s, "additionalProperties", false);
	json_begin_object(s, "properties");
	schema_add_text(s, "name");
	schema_add_text(s, "path");
	json_end_object(s);
	json_end_object(s);
}

/* Adds a list of paths and named ports, or an object name -> path. */
static void ports_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	json_add_text(s, "type", "array");
	json_add_int(s, "minItems", 1);
	json_add_int(s, "maxItems", MAX_CONSOLE_PORTS);
	json_begin_object(s, "items");
	json_begin_list(s, "oneOf");
	schema_add_text(s, NULL);
	add_named_port_schema(s);
	json_end_list(s);
	json_end_object(s);
	json_end_object(s);
	json_begin_object(s, NULL);
	json_add_text(s, "type", "object");
	json_add_int(s, "minProperties", 1);
	json_add_int(s, "maxProperties", MAX_CONSOLE_PORTS);
	schema_add_text(s, "additionalProperties");
	json_end_object(s);
	json_end_list(s);
}

DESCRIBES(ports_custom, struct ports);
static const struct field_custom ports_custom = {
	.parse = ports_parse,
	.print = ports_print,
	.clear = ports_clear,
	.type = "string[]|{ name: string, path: string }[]|{ [string]: string }",
	.schema = ports_schema,
	.host = { .kind = HOST_BY_VALUE, .names = ports_names },
};

DESCRIBES(console_fields, struct console);
static const struct field console_fields[] = {
	ROW_CUSTOM("ports", struct console, ports, ports_custom, .required = true, .variable = "",
	    .help = "paths of 1 to " NUMBER_TEXT(MAX_CONSOLE_PORTS) " sockets"),
	{ 0 },
};

static int console_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct console *console = dev->config;

	(void)host;
	(void)err;
	pairs_add(vars, "device", "virtio-console");
	for (size_t i = 0; i < console->ports.count; i++) {
		MEM_AUTO char *name = mem_format("port.%zu.name", i);
		MEM_AUTO char *path = mem_format("port.%zu.path", i);

		pairs_add(vars, name, console->ports.item[i].name);
		pairs_add(vars, path, console->ports.item[i].path);
	}
	return 0;
}

/* Adds a port.  Port 0 is reserved for a console, so bhyve's first port is qemu's nr=1. */
static void add_qemu_port(
    const struct device *dev, size_t i, const struct port *port, struct words *argv)
{
	MEM_AUTO char *id = mem_format("%s-port%zu", dev->id, i);

	qemu_begin(argv, "-chardev", "socket");
	qemu_pair(argv, "id", id);
	qemu_pair(argv, "path", port->path);
	qemu_pair(argv, "server", "on");
	qemu_pair(argv, "wait", "off");
	qemu_begin(argv, "-device", "virtserialport");
	qemu_pairf(argv, "bus", "%s.0", dev->id);
	qemu_pairf(argv, "nr", "%zu", i + 1);
	qemu_pair(argv, "chardev", id);
	qemu_pair(argv, "name", port->name);
}

static int console_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct console *console = dev->config;

	(void)err;
	qemu_begin(q->argv, "-device", "virtio-serial-pci");
	qemu_pair(q->argv, "id", dev->id);
	qemu_pairf(q->argv, "max_ports", "%d", MAX_CONSOLE_PORTS + 1); /* with port 0 */
	qemu_address(q, dev);
	for (size_t i = 0; i < console->ports.count; i++)
		add_qemu_port(dev, i, &console->ports.item[i], q->argv);
	return 0;
}

static void console_claims(const struct device *dev, struct pairs *claims)
{
	const struct console *console = dev->config;

	for (size_t i = 0; i < console->ports.count; i++)
		pairs_add(claims, CLAIM_PORT_NAME, console->ports.item[i].name);
}

static void console_needs(const struct device *dev, struct needs *needs)
{
	const struct console *console = dev->config;

	for (size_t i = 0; i < console->ports.count; i++)
		(void)needs_add(needs, NEED_SOCKET, "ports", console->ports.item[i].path);
}

/* Reads the ports as a list of names and paths. */
static bool console_read(const struct pairs *vars, const char *directory, struct node *entry)
{
	struct node *ports = node_new(NODE_LIST);

	for (size_t i = 0; i < MAX_CONSOLE_PORTS; i++) {
		MEM_AUTO char *name = mem_format("port.%zu.name", i);
		MEM_AUTO char *path = mem_format("port.%zu.path", i);
		MEM_AUTO char *absolute = NULL;
		struct node *port;

		if (pairs_get(vars, name) == NULL || pairs_get(vars, path) == NULL)
			break;
		port = node_new(NODE_OBJECT);
		node_put(port, "name", node_string(pairs_get(vars, name)));
		absolute = field_path(pairs_get(vars, path), directory);
		node_put(port, "path", node_string(absolute));
		node_append(ports, port);
	}
	node_put(entry, "ports", ports);
	return true;
}

static const char *const port_names[] = { "port.#.name", "port.#.path" };
static const struct bhyve_form form = { .model = "virtio-console", .named = port_names };

const struct device_kind device_virtio_console = {
	.name = "virtio-console",
	.help = "console ports of the guest, each a unix socket on the host",
	DEVICE_CONFIG(struct console, console_fields),
	.form = &form,
	.bhyve = console_bhyve,
	.read = console_read,
	.qemu = console_qemu,
	.claims = console_claims,
	.needs = console_needs,
};
