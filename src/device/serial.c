/*
 * Backends of serial ports, and uart, a port on PCI.  Facts: bhyve's uart_backend.c and pci_uart.c;
 * runs of QEMU.
 */
#include "device/serial.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "device/device.h"
#include "device/qemu_words.h"
#include "platform/port.h"

static bool is_stdio(const char *backend)
{
	return strcmp(backend, "stdio") == 0;
}

static bool is_address(const char *host, size_t n)
{
	bool brackets = n > 2 && host[0] == '[' && host[n - 1] == ']';
	MEM_AUTO char *text = mem_copy_n(host + (brackets ? 1 : 0), n - (brackets ? 2 : 0));

	return (strchr(text, ':') != NULL) == brackets && port_is_numeric(text);
}

const char *serial_tcp_place(const char *backend)
{
	return str_after(backend, "tcp=");
}

static bool is_place(const char *place)
{
	const char *colon = strrchr(place, ':');
	long port;
	char *end;

	if (colon == NULL || colon == place || !is_address(place, (size_t)(colon - place)))
		return false;
	port = strtol(colon + 1, &end, 10);
	return isdigit((unsigned char)colon[1]) && *end == '\0' && port >= 1 && port <= MAX_PORT;
}

bool serial_is_backend(const char *text)
{
	const char *place = serial_tcp_place(text);

	return is_stdio(text) || *text == '/' || (place != NULL && is_place(place));
}

void serial_need(const char *backend, const char *key, struct needs *needs)
{
	const char *place = serial_tcp_place(backend);

	if (place != NULL)
		(void)needs_add(needs, NEED_PORT, key, place);
	else if (!is_stdio(backend))
		(void)needs_add(needs, NEED_SERIAL, key, backend);
}

bool serial_is_nmdm(const char *path)
{
	return str_after(path, "/dev/nmdm") != NULL;
}

/* nmdm(4): the names of the two ends differ in the last letter, A or B. */
char *serial_user_side(const char *path)
{
	char *side = mem_copy(path);
	char *last = side + strlen(side) - 1;

	if (serial_is_nmdm(path) && (*last == 'A' || *last == 'B'))
		*last = *last == 'A' ? 'B' : 'A';
	return side;
}

void serial_claim(const char *backend, struct pairs *claims)
{
	if (is_stdio(backend))
		pairs_add(claims, CLAIM_STDIO, backend);
}

bool serial_claims_stdio(const struct pairs *claims)
{
	return pairs_get(claims, CLAIM_STDIO) != NULL;
}

void serial_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const char *backend = *(char *const *)value;
	const char *place = backend == NULL ? NULL : serial_tcp_place(backend);

	if (place != NULL &&
	    strrchr(place, ':') != NULL) /* without a port it is reported elsewhere */
		host_found(visit, HOST_ADDRESS, place, at);
	else if (backend != NULL && *backend == '/')
		host_found(visit, HOST_PATH, backend, at);
}

static void add_tcp(const char *place, const char *id, struct words *argv)
{
	const char *colon = strrchr(place, ':');
	size_t brackets = *place == '[' ? 1 : 0;
	MEM_AUTO char *host = mem_copy_n(place + brackets, (size_t)(colon - place) - 2 * brackets);

	qemu_begin(argv, "-chardev", "socket");
	qemu_pair(argv, "id", id);
	qemu_pair(argv, "host", host);
	qemu_pair(argv, "port", colon + 1);
	qemu_pair(argv, "server", "on");
	qemu_pair(argv, "wait", "off");
}

void serial_qemu(const char *backend, const char *id, struct words *argv, struct words *notes)
{
	const char *place = serial_tcp_place(backend);

	if (is_stdio(backend)) {
		qemu_begin(argv, "-chardev", "stdio");
		qemu_pair(argv, "id", id);
		qemu_pair(argv, "signal", "off");
	} else if (place != NULL) {
		add_tcp(place, id, argv);
	} else if (serial_is_nmdm(backend)) {
		qemu_begin(argv, "-chardev", "pty");
		qemu_pair(argv, "id", id);
		words_addf(
		    notes, "%s: qemu has no nmdm, so it creates a pty and prints its name", id);
	} else {
		qemu_begin(argv, "-chardev", "serial");
		qemu_pair(argv, "id", id);
		qemu_pair(argv, "path", backend);
	}
}

struct uart {
	char *path;
};

static void path_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);

	if (text == NULL)
		return;
	if (serial_is_backend(text))
		*(char **)into = mem_copy(text);
	else
		report_add(d->report, STATUS_SPEC, at,
		    "invalid serial port \"%s\": expected \"stdio\", a device such as "
		    "\"/dev/nmdm0A\", or \"tcp=ADDR:PORT\" with a numeric address",
		    text);
}

DESCRIBES(path_custom, char *);
static const struct field_custom path_custom = {
	.parse = path_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^(stdio|/.+|tcp=.+:[0-9]+)$",
	.host = { .kind = HOST_BY_VALUE, .names = serial_names },
};

DESCRIBES(uart_fields, struct uart);
static const struct field uart_fields[] = {
	ROW_CUSTOM("path", struct uart, path, path_custom, .required = true,
	    .help = "stdio, a terminal device (/dev/nmdm0A) or tcp=ADDR:PORT"),
	{ 0 },
};

static const char *path_of(const struct device *dev)
{
	return ((const struct uart *)dev->config)->path;
}

static void uart_claims(const struct device *dev, struct pairs *claims)
{
	serial_claim(path_of(dev), claims);
}

static void uart_needs(const struct device *dev, struct needs *needs)
{
	serial_need(path_of(dev), "path", needs);
}

static int uart_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	pairs_add(vars, "device", "uart");
	pairs_add(vars, "path", path_of(dev));
	return serial_tcp_place(path_of(dev)) != NULL ? device_since(host, "tcp=", 15, err) : 0;
}

static int uart_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	MEM_AUTO char *id = mem_format("%s-port", dev->id);

	(void)err;
	serial_qemu(path_of(dev), id, q->argv, q->notes);
	qemu_begin(q->argv, "-device", "pci-serial");
	qemu_pair(q->argv, "chardev", id);
	qemu_address(q, dev);
	return 0;
}

static const struct bhyve_form form = { .model = "uart", .first = "path", .whole = true };

const struct device_kind device_uart = {
	.name = "uart",
	.help = "serial port on PCI",
	DEVICE_CONFIG(struct uart, uart_fields),
	.form = &form,
	.claims = uart_claims,
	.needs = uart_needs,
	.bhyve = uart_bhyve,
	.qemu = uart_qemu,
};
