/*
 * A screen and a pointer: fbuf (VNC) and xhci.  Facts: bhyve's pci_fbuf.c, rfb.c and pci_xhci.c;
 * QEMU's -vnc.
 */
#include "device/device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "device/fbuf.h"
#include "device/host_use.h"
#include "device/qemu_words.h"
#include "device/value_schema.h"
#include "platform/port.h"

/* Size of the screen in bhyve (pci_fbuf.c), used for qemu, too. */
#define DEFAULT_WIDTH 1024
#define DEFAULT_HEIGHT 768
#define LARGE_SCREEN_RELEASE 16 /* of FreeBSD: bhyve before it exits at a larger screen */
#define MAX_WIDTH_OF_15 1920
#define MAX_HEIGHT_OF_15 1200
#define MIB (INT64_C(1) << 20)
#define BYTES_A_PIXEL 4
#define QEMU_SCREEN_MIB 16  /* memory of qemu's screens (hw/display/vga.c, bochs-display.c) */
#define LARGE_SCREEN_MIB 64 /* a power of two, enough for the largest screen of a spec */
#define MAX_USB_DEVICES 4   /* bhyve exits at a fifth device */

#define PORT_AUTO "auto"
/* Address of a screen without `host`. */
#define LOOPBACK "127.0.0.1"

const char *const fbuf_vga_words[] = {
	[FBUF_VGA_UNSET] = "",
	[FBUF_VGA_IO] = "io",
	[FBUF_VGA_OFF] = "off",
	[FBUF_VGA_ON] = "on",
	[FBUF_VGAS] = NULL,
};

_Static_assert(
    INT64_C(1) * MAX_FBUF_WIDTH * MAX_FBUF_HEIGHT * BYTES_A_PIXEL <= LARGE_SCREEN_MIB * MIB,
    "memory for the largest screen");

_Static_assert(sizeof(fbuf_vga_words) / sizeof(fbuf_vga_words[0]) == FBUF_VGAS + 1,
    "a word for each, and a NULL");

static void port_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	if (value->kind == NODE_STRING && strcmp(value->text, PORT_AUTO) == 0)
		*(int64_t *)into = FBUF_PORT_AUTO;
	else if (value->kind == NODE_STRING)
		report_add(d->report, STATUS_SPEC, at,
		    "invalid port \"%s\": expected 1 to %d or \"auto\"", value->text, MAX_PORT);
	else
		(void)field_integer(value, 1, MAX_PORT, into, at, d);
}

static void port_print(const void *from, struct str *json)
{
	int64_t port = *(const int64_t *)from;

	if (port == FBUF_PORT_AUTO)
		json_add_text(json, NULL, PORT_AUTO);
	else
		json_add_int(json, NULL, port);
}

static void port_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	schema_add_range(s, "integer", 1, MAX_PORT);
	json_end_object(s);
	json_begin_object(s, NULL);
	json_add_text(s, "const", PORT_AUTO);
	json_end_object(s);
	json_end_list(s);
}

const struct field_custom fbuf_port_custom = {
	.parse = port_parse,
	.print = port_print,
	.type = "integer|\"auto\"",
	.schema = port_schema,
	.host.kind = HOST_NONE,
};

/*
 * Reads a numeric address: bhyve looks no name up (rfb.c).  Drops brackets around IPv6, which are
 * added again where needed.
 */
static void address_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	const char *text = field_text(value, at, d);
	size_t n = text == NULL ? 0 : strlen(text);
	bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';
	MEM_AUTO char *address =
	    mem_copy_n(text == NULL ? "" : text + (brackets ? 1 : 0), n - (brackets ? 2 : 0));

	if (text == NULL)
		return;
	if (port_is_numeric(address) && (!brackets || strchr(address, ':') != NULL)) {
		free(*(char **)into);
		*(char **)into = mem_copy(address);
	} else if (strcmp(text, "localhost") == 0)
		report_add(d->report, STATUS_SPEC, at,
		    "invalid address \"localhost\": bhyve looks up no names, write \"" LOOPBACK
		    "\"");
	else
		report_add(d->report, STATUS_SPEC, at,
		    "invalid address \"%s\": expected a numeric one such as \"" LOOPBACK
		    "\" or \"::1\"",
		    text);
}

/* Finds the address together with the port of the same device. */
static void address_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const struct fbuf *fbuf = (const void *)((const char *)value - offsetof(struct fbuf, host));
	const char *host = fbuf->host == NULL ? LOOPBACK : fbuf->host;
	bool v6 = strchr(host, ':') != NULL;
	MEM_AUTO char *port =
	    fbuf->port == FBUF_PORT_AUTO ? mem_copy(PORT_AUTO) : mem_format("%" PRId64, fbuf->port);
	MEM_AUTO char *place = mem_format("%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);

	host_found(visit, HOST_ADDRESS, place, at);
}

const struct field_custom fbuf_address_custom = {
	.parse = address_parse,
	.print = field_print_text,
	.clear = field_clear_text,
	.type = "string",
	.pattern = "^([0-9.]+|\\[?[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*(%[A-Za-z0-9._-]+)?\\]?)$",
	.host = { .kind = HOST_BY_VALUE, .names = address_names },
};

DESCRIBES(fbuf_fields, struct fbuf);
static const struct field fbuf_fields[] = { FBUF_ROWS(struct fbuf, ), { 0 } };

static void fbuf_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	const struct fbuf *fbuf = dev->config;

	if (fbuf->password != NULL && fbuf->password_file != NULL)
		report_add(d->report, STATUS_SPEC, at,
		    "\"password\" and \"password_file\" exclude each other: remove one");
}

/* Returns the length of the address in front of a port, with its brackets. */
static size_t address_length(const char *place)
{
	const char *colon = strrchr(place, ':');

	return colon == NULL ? 0 : (size_t)(colon - place);
}

struct node *fbuf_read_host(const char *place)
{
	size_t n = address_length(place);

	if (n >= 2 && place[0] == '[' && place[n - 1] == ']')
		return node_string_n(place + 1, n - 2);
	return n == 0 ? NULL : node_string_n(place, n);
}

struct node *fbuf_read_port(const char *place)
{
	const char *colon = strrchr(place, ':'), *port = colon == NULL ? place : colon + 1;

	/* bhyve takes 0 for its default (rfb.c). */
	return strcmp(port, "0") == 0 ? NULL : field_read_integer(port);
}

static const char *fbuf_placeholder(const struct device *dev)
{
	const struct fbuf *fbuf = dev->config;

	return fbuf->port == FBUF_PORT_AUTO ? NUMBER_TEXT(FBUF_FIRST_PORT) : NULL;
}

/* Returns "ADDR:PORT", with `less` subtracted from the port.  Caller frees. */
static char *fbuf_place(const struct device *dev, int64_t less)
{
	const struct fbuf *fbuf = dev->config;
	const char *host = fbuf->host != NULL ? fbuf->host : LOOPBACK;
	bool v6 = strchr(host, ':') != NULL;
	int64_t port = fbuf->port;

	if (port == FBUF_PORT_AUTO)
		port = strtol(device_found(dev), NULL, 10);
	return mem_format("%s%s%s:%" PRId64, v6 ? "[" : "", host, v6 ? "]" : "", port - less);
}

static void fbuf_needs(const struct device *dev, struct needs *needs)
{
	const struct fbuf *fbuf = dev->config;

	if (fbuf->port != FBUF_PORT_AUTO || dev->found != NULL) {
		MEM_AUTO char *place = fbuf_place(dev, 0);

		(void)needs_add(needs, NEED_PORT, "port", place);
	}
	if (fbuf->password_file != NULL)
		needs_add(needs, NEED_FILE, "password_file", fbuf->password_file)->password = true;
}

static bool fbuf_secret(const struct device *dev, struct device_secret *secret)
{
	const struct fbuf *fbuf = dev->config;

	*secret = (struct device_secret){ "password", fbuf->password, fbuf->password_file };
	return fbuf->password != NULL || fbuf->password_file != NULL;
}

static void fbuf_forget_first(struct device *dev)
{
	((struct fbuf *)dev->config)->wait = false;
}

/* Refuses a screen at which this bhyve would exit (pci_fbuf.c). */
static int fbuf_check_size(
    const struct fbuf *fbuf, const struct bhyve_host *host, struct error *err)
{
	if (host->release < LARGE_SCREEN_RELEASE &&
	    (fbuf->width > MAX_WIDTH_OF_15 || fbuf->height > MAX_HEIGHT_OF_15))
		return error_set(err, STATUS_SPEC,
		    "a screen of more than %d x %d needs FreeBSD %d (width %" PRId64
		    ", height %" PRId64 ")",
		    MAX_WIDTH_OF_15, MAX_HEIGHT_OF_15, LARGE_SCREEN_RELEASE, fbuf->width,
		    fbuf->height);
	return 0;
}

static int fbuf_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct fbuf *fbuf = dev->config;
	MEM_AUTO char *place = fbuf_place(dev, 0);

	pairs_add(vars, "device", "fbuf");
	pairs_add(vars, "rfb", place);
	if (fbuf->width != 0)
		pairs_addf(vars, "w", "%" PRId64, fbuf->width);
	if (fbuf->height != 0)
		pairs_addf(vars, "h", "%" PRId64, fbuf->height);
	if (fbuf->vga != FBUF_VGA_UNSET)
		pairs_add(vars, "vga", fbuf_vga_words[fbuf->vga]);
	if (fbuf->wait)
		pairs_add(vars, "wait", "true");
	if (fbuf->vga == FBUF_VGA_ON)
		words_addf(host->notes, "%s: with vga \"on\" bhyve runs no VNC server", dev->id);
	return fbuf_check_size(fbuf, host, err);
}

/*
 * Adds the screen.  qemu's screens have 16 MiB of memory, which is too little for the largest: the
 * guest would not find that mode.
 */
static void add_screen(const struct device *dev, struct qemu_build *q)
{
	const struct fbuf *fbuf = dev->config;
	int64_t width = fbuf->width != 0 ? fbuf->width : DEFAULT_WIDTH;
	int64_t height = fbuf->height != 0 ? fbuf->height : DEFAULT_HEIGHT;
	bool large = width * height * BYTES_A_PIXEL > QEMU_SCREEN_MIB * MIB;
	bool has_vga = q->is_pc && fbuf->vga != FBUF_VGA_OFF;

	qemu_begin(q->argv, "-device", has_vga ? "VGA" : "bochs-display");
	qemu_pair(q->argv, "id", dev->id);
	qemu_address(q, dev);
	qemu_pairf(q->argv, "xres", "%" PRId64, width);
	qemu_pairf(q->argv, "yres", "%" PRId64, height);
	if (large && has_vga)
		qemu_pairf(q->argv, "vgamem_mb", "%d", LARGE_SCREEN_MIB);
	else if (large)
		qemu_pairf(q->argv, "vgamem", "%dM", LARGE_SCREEN_MIB);
}

static int fbuf_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct fbuf *fbuf = dev->config;
	struct device_secret secret;
	MEM_AUTO char *place = NULL;
	bool has_secret = fbuf_secret(dev, &secret);

	if (fbuf->port != FBUF_PORT_AUTO && fbuf->port < FBUF_FIRST_PORT)
		return error_set(err, STATUS_SPEC,
		    "\"port\" is %" PRId64 ": qemu's VNC server takes %d or above", fbuf->port,
		    FBUF_FIRST_PORT);
	place = fbuf_place(dev, FBUF_FIRST_PORT);
	add_screen(dev, q);
	if (has_secret) {
		qemu_begin(q->argv, "-object", "secret");
		qemu_pairf(q->argv, "id", "%s-secret", dev->id);
		qemu_pair(q->argv, "file", q->secrets);
	}
	qemu_begin(q->argv, "-vnc", place);
	if (has_secret)
		qemu_pairf(q->argv, "password-secret", "%s-secret", dev->id);
	q->waits = q->waits || fbuf->wait;
	return 0;
}

/* Reads the old name of `rfb`. */
static bool fbuf_read(const struct pairs *vars, const char *directory, struct node *entry)
{
	const char *tcp = pairs_get(vars, "tcp");

	(void)directory;
	if (tcp != NULL && pairs_get(vars, "rfb") == NULL) {
		struct node *host = fbuf_read_host(tcp), *port = fbuf_read_port(tcp);

		if (host != NULL)
			node_put(entry, "host", host);
		if (port != NULL)
			node_put(entry, "port", port);
	}
	return true;
}

static const struct bhyve_form fbuf_form = { .model = "fbuf" };

const struct device_kind device_fbuf = {
	.name = "fbuf",
	.help = "screen for VNC clients",
	.single = true,
	.amd64_only = true,
	DEVICE_CONFIG(struct fbuf, fbuf_fields),
	.check = fbuf_check,
	.form = &fbuf_form,
	.bhyve = fbuf_bhyve,
	.read = fbuf_read,
	.qemu = fbuf_qemu,
	.needs = fbuf_needs,
	.placeholder = fbuf_placeholder,
	.secret = fbuf_secret,
	.forget_first = fbuf_forget_first,
};

enum usb_device { USB_TABLET, USB_DEVICES };

struct usb {
	int device[MAX_USB_DEVICES]; /* enum usb_device */
	size_t count;
};

struct xhci {
	struct usb usb;
};

static const char *const usb_devices[] = {
	[USB_TABLET] = "tablet",
	[USB_DEVICES] = NULL,
};

_Static_assert(
    sizeof(usb_devices) / sizeof(usb_devices[0]) == USB_DEVICES + 1, "a word for each, and a NULL");

static void usb_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct usb *usb = into;
	size_t i = 0;

	if (!node_is_list(value)) {
		field_type_error(value, "a list such as [\"tablet\"]", at, d);
		return;
	}
	if (value->count > MAX_USB_DEVICES) {
		report_add(d->report, STATUS_SPEC, at, "%zu devices: expected at most %d",
		    value->count, MAX_USB_DEVICES);
		return;
	}
	for (const struct node *n = value->first; n != NULL; n = n->next, i++) {
		struct where here = { at, NULL, i };

		field_choice(n, usb_devices, &usb->device[i], &here, d);
	}
	usb->count = i;
}

static void usb_print(const void *from, struct str *json)
{
	const struct usb *usb = from;

	json_begin_list(json, NULL);
	for (size_t i = 0; i < usb->count; i++)
		json_add_text(json, NULL, usb_devices[usb->device[i]]);
	json_end_list(json);
}

static void usb_schema(struct str *s)
{
	json_add_text(s, "type", "array");
	json_add_int(s, "maxItems", MAX_USB_DEVICES);
	json_begin_object(s, "items");
	schema_add_enum(s, usb_devices);
	json_end_object(s);
}

DESCRIBES(usb_custom, struct usb);
static const struct field_custom usb_custom = {
	.parse = usb_parse,
	.print = usb_print,
	.type = "\"tablet\"[]",
	.is_list = true,
	.schema = usb_schema,
	.host.kind = HOST_NONE,
};

DESCRIBES(xhci_fields, struct xhci);
static const struct field xhci_fields[] = {
	ROW_CUSTOM("devices", struct xhci, usb, usb_custom, .preset = "[\"tablet\"]",
	    .variable = "", .help = "list of up to 4 devices: tablet; []: none"),
	{ 0 },
};

static int xhci_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct usb *usb = &((const struct xhci *)dev->config)->usb;

	(void)host;
	(void)err;
	pairs_add(vars, "device", "xhci");
	for (size_t i = 0; i < usb->count; i++) {
		MEM_AUTO char *key = mem_format("slot.%zu.device", i + 1);

		pairs_add(vars, key, usb_devices[usb->device[i]]);
	}
	return 0;
}

static int xhci_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct usb *usb = &((const struct xhci *)dev->config)->usb;

	(void)err;
	qemu_begin(q->argv, "-device", "qemu-xhci");
	qemu_pair(q->argv, "id", dev->id);
	qemu_address(q, dev);
	for (size_t i = 0; i < usb->count; i++) {
		qemu_begin(q->argv, "-device", "usb-tablet");
		qemu_pairf(q->argv, "bus", "%s.0", dev->id);
	}
	return 0;
}

static bool xhci_read(const struct pairs *vars, const char *directory, struct node *entry)
{
	struct node *list = node_new(NODE_LIST);

	(void)directory;
	for (size_t i = 1; i <= MAX_USB_DEVICES; i++) {
		MEM_AUTO char *key = mem_format("slot.%zu.device", i);

		if (pairs_get(vars, key) == NULL)
			break;
		node_append(list, node_string(pairs_get(vars, key)));
	}
	node_put(entry, "devices", list);
	return true;
}

static const struct bhyve_form xhci_form = {
	.model = "xhci", .values = "slot.#.device", .from = 1
};

const struct device_kind device_xhci = {
	.name = "xhci",
	.help = "USB controller",
	.single = true,
	DEVICE_CONFIG(struct xhci, xhci_fields),
	.form = &xhci_form,
	.bhyve = xhci_bhyve,
	.read = xhci_read,
	.qemu = xhci_qemu,
};
