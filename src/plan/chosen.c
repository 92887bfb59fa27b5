/* What a run has chosen: a node for programs and hooks, lines for users. */
#include "plan/chosen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node_json.h"
#include "base/str.h"
#include "device/serial.h"

/* Puts a text into a device's object. */
static void put(struct node *of, const char *key, const char *text)
{
	node_put(of, key, node_string(text));
}

/* Puts host and port of "ADDR:PORT" or "[V6]:PORT". */
static void put_place(struct node *of, const char *place)
{
	const char *colon = strrchr(place, ':');
	size_t brackets = *place == '[' ? 1 : 0;

	node_put(
	    of, "host", node_string_n(place + brackets, (size_t)(colon - place) - 2 * brackets));
	node_put(of, "port", node_int(strtol(colon + 1, NULL, 10)));
}

static void put_tap(struct node *of, const char *what)
{
	put(of, "tap", what);
}

static void put_bridge(struct node *of, const char *what)
{
	put(of, "bridge", what);
}

/* Puts a socket; several of one device are a list. */
static void put_socket(struct node *of, const char *what)
{
	struct node *before = node_take(of, "socket"), *list = before;

	if (before == NULL) {
		put(of, "socket", what);
		return;
	}
	if (!node_is_list(before)) {
		list = node_new(NODE_LIST);
		node_append(list, node_string(before->text));
		node_free(before);
	}
	node_append(list, node_string(what));
	node_put(of, "socket", list);
}

static void put_tty(struct node *of, const char *what)
{
	MEM_AUTO char *tty = serial_user_side(what);

	put(of, "tty", tty);
}

static void put_pptdev(struct node *of, const char *what)
{
	if (str_after(what, NEED_LOOKUP) == NULL)
		put(of, "pptdev", what);
}

/* The members that a need of each kind stands for; NULL: none. */
static void (*const members[])(struct node *of, const char *what) = {
	[NEED_DISK] = NULL,
	[NEED_FILE] = NULL,
	[NEED_KERNEL] = NULL,
	[NEED_DIRECTORY] = NULL,
	[NEED_INTERFACE] = put_tap,
	[NEED_BRIDGE] = put_bridge,
	[NEED_SWITCH] = NULL,
	[NEED_NETGRAPH] = NULL,
	[NEED_SOCKET] = put_socket,
	[NEED_SERVER] = NULL,
	[NEED_PORT] = put_place,
	[NEED_FORWARD] = NULL,
	[NEED_FORWARD_UDP] = NULL,
	[NEED_SERIAL] = put_tty,
	[NEED_DEVICE] = NULL,
	[NEED_PCI] = put_pptdev,
	[NEED_PROGRAM] = NULL,
	[NEED_LOG] = NULL,
};

_Static_assert(sizeof(members) / sizeof(members[0]) == NEED_KINDS, "a row for each kind of need");

static bool is_bhyve(const struct boot *boot)
{
	return boot->plan.hyper->system != NULL;
}

static void put_need(const struct boot *boot, struct node *of, const struct need *need)
{
	bool foreign =
	    need->bhyve_only || (need->kind == NEED_SERIAL && serial_is_nmdm(need->what));

	if (members[need->kind] != NULL && (is_bhyve(boot) || !foreign))
		members[need->kind](of, need->what);
}

/* Returns whether VNC clients can reach a screen: with vga "on" bhyve runs no server. */
static bool is_served(const struct boot *boot, const struct device *screen)
{
	return !is_bhyve(boot) || ((const struct fbuf *)screen->config)->vga != FBUF_VGA_ON;
}

static struct node *device_node(const struct boot *boot, const struct device *dev)
{
	struct node *of = node_new(NODE_OBJECT);
	NEEDS_AUTO struct needs needs = { 0 };
	char slot[SLOT_TEXT];

	put(of, "slot", slot_text(&dev->slot, slot));
	if (dev->kind != &device_fbuf || is_served(boot, dev))
		device_needs(dev, &needs);
	for (size_t i = 0; i < needs.count; i++)
		put_need(boot, of, &needs.item[i]);
	if (node_get(of, "bridge") != NULL && dev->found != NULL)
		put(of, "tap", dev->found);
	return of;
}

/* Puts the serial ports and the debugger, the needs that are keys of the spec itself. */
static void put_ports(const struct boot *boot, struct node *devices)
{
	NEEDS_AUTO struct needs needs = { 0 };

	spec_needs(boot->spec, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		const struct need *need = &needs.item[i];
		struct node *of;

		if (need->above != NULL)
			continue;
		of = node_new(NODE_OBJECT);
		put_need(boot, of, need);
		if (of->count > 0)
			node_put(devices, need->key, of);
		else
			node_free(of);
	}
}

struct node *chosen_devices(const struct boot *boot)
{
	const struct spec *spec = boot->spec;
	struct node *devices = node_new(NODE_OBJECT);

	for (size_t i = 0; i < spec->device_count; i++) {
		const struct device *dev = spec->devices[i];

		if (!dev->removed)
			node_put(devices, dev->id, device_node(boot, dev));
	}
	put_ports(boot, devices);
	return devices;
}

/* Returns the screen that VNC clients can reach, or NULL. */
static const struct device *find_screen(const struct boot *boot)
{
	for (size_t i = 0; i < boot->spec->device_count; i++) {
		const struct device *dev = boot->spec->devices[i];

		if (!dev->removed && dev->kind == &device_fbuf && is_served(boot, dev))
			return dev;
	}
	return NULL;
}

/* Returns host and port of a device's object as "127.0.0.1:5900" or "[::1]:5900", or NULL. */
static char *place_of(const struct node *of)
{
	const char *host = node_get_text(of, "host");
	bool v6 = host != NULL && strchr(host, ':') != NULL;

	return host == NULL ? NULL
			    : mem_format("%s%s%s:%" PRId64, v6 ? "[" : "", host, v6 ? "]" : "",
				  node_get(of, "port")->integer);
}

/* Adds the URL of the screen and what a viewer should expect. */
static void add_screen(const struct device *dev, const struct node *of, struct chosen *out)
{
	MEM_AUTO char *place = place_of(of);
	struct device_secret secret;

	if (place == NULL)
		return;
	out->screen = mem_format("vnc://%s", place);
	words_addf(&out->lines, "screen: %s%s%s", out->screen,
	    dev->kind->secret(dev, &secret) ? ", asks for a password" : "",
	    ((const struct fbuf *)dev->config)->wait ? ", waiting for a viewer" : "");
}

/* Returns the command that reaches this serial port, or NULL. */
static char *port_command(const struct spec *spec, size_t port, const struct node *devices)
{
	const char *com = spec->com[port];
	const struct node *of = node_get(devices, spec_com_key(port));
	const char *tty = of == NULL ? NULL : node_get_text(of, "tty");
	const char *host = of == NULL ? NULL : node_get_text(of, "host");

	/* Of any other device, the user's side is at the other end of a cable. */
	if (tty != NULL && (spec->com_found[port] != NULL || serial_is_nmdm(com)))
		return mem_format("cu -l %s", tty);
	return host == NULL ? NULL
			    : mem_format("nc %s %" PRId64, host, node_get(of, "port")->integer);
}

/* Returns the command that reaches vmrun's own console.  Caller frees. */
static char *own_console_command(const char *vm, const char *run_dir)
{
	WORDS_AUTO struct words command = { 0 };

	words_add(&command, "vmrunctl");
	if (run_dir != NULL) {
		words_add(&command, "-r");
		words_add(&command, run_dir);
	}
	words_add(&command, vm);
	words_add(&command, "console");
	return words_shell_line(&command);
}

static void add_console(
    const struct boot *boot, const struct node *devices, const char *run_dir, struct chosen *out)
{
	if (spec_has_console(boot->spec))
		out->console = own_console_command(boot->spec->name, run_dir);
	for (size_t i = 0; i < SPEC_COM_PORTS && out->console == NULL; i++)
		out->console = port_command(boot->spec, i, devices);
	if (out->console != NULL)
		words_addf(&out->lines, "console: %s", out->console);
}

/* Adds the sockets of a device to its line. */
static void add_sockets(const struct node *socket, struct str *line)
{
	const struct node *first = node_is_list(socket) ? socket->first : socket;

	for (const struct node *n = first; n != NULL; n = first == socket ? NULL : n->next)
		str_addf(line, "%s%s", n == first ? "" : ", ", n->text);
}

/* Returns what a device's object says besides its slot, or NULL. */
static char *device_text(const struct node *of)
{
	static const char *const plain[] = { "tap", "tty", "pptdev" };
	const char *tap = node_get_text(of, "tap"), *bridge = node_get_text(of, "bridge");
	const struct node *socket = node_get(of, "socket");
	MEM_AUTO char *place = place_of(of);
	struct str line = { 0 };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		const char *text = node_get_text(of, plain[i]);

		str_add(&line, text == NULL ? "" : text);
	}
	if (tap != NULL && bridge != NULL)
		str_addf(&line, " on %s", bridge);
	if (place != NULL)
		str_add(&line, place);
	if (socket != NULL)
		add_sockets(socket, &line);
	return line.length == 0 ? (str_free(&line), NULL) : str_take(&line);
}

void chosen_make(const struct boot *boot, const char *run_dir, struct chosen *out)
{
	NODE_AUTO struct node *devices = chosen_devices(boot);
	const struct device *screen = find_screen(boot);
	struct str json = { 0 };

	memset(out, 0, sizeof(*out));
	if (screen != NULL)
		add_screen(screen, node_get(devices, screen->id), out);
	add_console(boot, devices, run_dir, out);
	for (const struct node *of = devices->first; of != NULL; of = of->next) {
		MEM_AUTO char *text = device_text(of);

		if (text != NULL && (screen == NULL || strcmp(of->key, screen->id) != 0))
			words_addf(&out->lines, "%s: %s", of->key, text);
	}
	if (boot->plan.accel != NULL)
		words_addf(&out->lines, "%s: accel %s", boot->plan.hyper->name, boot->plan.accel);
	node_add_json(&json, devices);
	out->devices = str_take(&json);
}

void chosen_clear(struct chosen *chosen)
{
	free(chosen->devices);
	free(chosen->screen);
	free(chosen->console);
	words_free(&chosen->lines);
	memset(chosen, 0, sizeof(*chosen));
}
