/*
 * Network interfaces: virtio-net and e1000, and the backends behind them.  Facts: bhyve's
 * net_backends.c and pci_virtio_net.c; QEMU's -netdev.
 */
#include "device/device.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/sha1.h"
#include "base/str.h"
#include "device/forward.h"
#include "device/host_use.h"
#include "device/qemu_words.h"
#include "device/value_schema.h"

#define MIN_MTU 46
#define MAX_MTU 65535
#define MAX_MTU_DIGITS 5
#define MAX_BACKEND_NAME 79 /* bytes */
#define SLIRP_RELEASE 15    /* of FreeBSD: the first whose bhyve has it */

/* The value of `mac` for false; no user can give it. */
#define MAC_NONE ""

struct net {
	char *name, *bridge; /* exactly one: a backend, or the bridge that a tap of vmrun joins */
	char *type;
	char *mac;   /* MAC_NONE: the hypervisor makes one */
	int64_t mtu; /* 0: the backend's */
	char *path, *peerhook, *socket, *hook;
	struct words hostfwd;
	bool open;
};

/*
 * Reads six pairs of hex digits with colons between them; sscanf() would accept blanks and signs.
 */
static bool read_mac(const char *text, unsigned b[6])
{
	static const char form[] = "xx:xx:xx:xx:xx:xx";

	if (strlen(text) != strlen(form))
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		if (form[i] == ':' ? text[i] != ':' : isxdigit((unsigned char)text[i]) == 0)
			return false;
	}
	for (size_t i = 0; i < 6; i++)
		b[i] = (unsigned)strtoul(text + 3 * i, NULL, 16);
	return true;
}

static void mac_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	bool none = value->kind == NODE_BOOL && !value->truth;
	const char *text = none ? NULL : field_text(value, at, d);
	unsigned b[6];

	if (none)
		*(char **)into = mem_copy(MAC_NONE);
	if (text == NULL)
		return;
	if (!read_mac(text, b)) {
		report_add(d->report, STATUS_SPEC, at,
		    "invalid MAC address \"%s\": expected six bytes such as 58:9c:fc:00:00:01",
		    text);
		return;
	}
	if ((b[0] & 1) != 0 || (b[0] | b[1] | b[2] | b[3] | b[4] | b[5]) == 0) {
		report_add(d->report, STATUS_SPEC, at,
		    "invalid MAC address \"%s\": an interface cannot have a %s address", text,
		    (b[0] & 1) != 0 ? "multicast" : "zero");
		return;
	}
	free(*(char **)into);
	*(char **)into = mem_copy(text);
}

static void mac_schema(struct str *s)
{
	schema_add_pattern_or_false(s, "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$");
}

DESCRIBES(mac_custom, char *);
static const struct field_custom mac_custom = {
	.parse = mac_parse,
	.print = field_print_text_or_false,
	.clear = field_clear_text,
	.type = "string|false",
	.schema = mac_schema,
	.host.kind = HOST_NONE,
};

/* Reads an integer, or its digits in a string, as the original vmrun wanted it. */
static void mtu_parse(
    const struct node *value, void *into, const struct where *at, struct decoder *d)
{
	struct node number = { .kind = NODE_INT };

	if (value->kind == NODE_STRING && value->length > 0 && value->length <= MAX_MTU_DIGITS &&
	    strspn(value->text, "0123456789") == value->length) {
		number.integer = strtol(value->text, NULL, 10);
		value = &number;
	}
	(void)field_integer(value, MIN_MTU, MAX_MTU, into, at, d);
}

static void mtu_print(const void *from, struct str *json)
{
	field_print_integer(*(const int64_t *)from, 0, json);
}

static void mtu_schema(struct str *s)
{
	json_begin_list(s, "oneOf");
	json_begin_object(s, NULL);
	schema_add_range(s, "integer", MIN_MTU, MAX_MTU);
	json_end_object(s);
	json_begin_object(s, NULL);
	schema_add_pattern(s, "^[0-9]{2," NUMBER_TEXT(MAX_MTU_DIGITS) "}$");
	json_end_object(s);
	json_end_list(s);
}

DESCRIBES(mtu_custom, int64_t);
static const struct field_custom mtu_custom = {
	.parse = mtu_parse,
	.print = mtu_print,
	.type = "integer|string",
	.schema = mtu_schema,
	.host.kind = HOST_NONE,
};

static void net_names(const void *value, const struct where *at, struct host_visit *visit);

/* clang-format off */
#define NET_ROWS \
	ROW_STRING("name", struct net, name, .max_length = MAX_BACKEND_NAME, .variable = "backend", \
	    .host = { .kind = HOST_BY_VALUE, .names = net_names }, .qemu = "tap, slirp", \
	    .help = "backend: tap3, vale0:vm, netgraph, slirp, ..."), \
	ROW_STRING("bridge", struct net, bridge, .max_length = MAX_INTERFACE, .variable = "", \
	    .host.kind = HOST_INTERFACE, \
	    .help = "instead of name: bridge; vmrun adds a new tap and destroys it at the end"), \
	ROW_STRING("type", struct net, type, .host.kind = HOST_NONE, \
	    .help = "backend type of a renamed interface, such as tap"), \
	ROW_CUSTOM("mac", struct net, mac, mac_custom, .missing = "false", .help = "Ethernet address; false: the hypervisor makes one"), \
	ROW_STRING("path", struct net, path, .host.kind = HOST_INTERFACE, .qemu = KEY_REFUSED, \
	    .help = "netgraph: node to connect to"), \
	ROW_STRING("peerhook", struct net, peerhook, .host.kind = HOST_NONE, .qemu = KEY_REFUSED, \
	    .help = "netgraph: hook of that node"), \
	ROW_STRING("socket", struct net, socket, .host.kind = HOST_NONE, .qemu = KEY_REFUSED, \
	    .help = "netgraph: name of the VM's node"), \
	ROW_STRING("hook", struct net, hook, .host.kind = HOST_NONE, .qemu = KEY_REFUSED, \
	    .help = "netgraph: hook of the VM's node"), \
	ROW_WORDS("hostfwd", struct net, hostfwd, .read = field_read_list, \
	    .host = { .kind = HOST_BY_VALUE, .names = forward_names }, \
	    .help = "slirp: list of host ports to forward to the guest"), \
	ROW_BOOL("open", struct net, open, .qemu = "always", .help = "slirp: let the guest reach other networks")

DESCRIBES(e1000_fields, struct net);
static const struct field e1000_fields[] = { NET_ROWS, { 0 } };

DESCRIBES(virtio_fields, struct net);
static const struct field virtio_fields[] = {
	NET_ROWS,
	ROW_CUSTOM("mtu", struct net, mtu, mtu_custom, .help = "MTU: bytes, " NUMBER_TEXT(MIN_MTU) " to " NUMBER_TEXT(MAX_MTU)),
	{ 0 },
};
/* clang-format on */

/*
 * Returns the backend, which bhyve matches by prefix (net_backends.c); `type` overrides the name.
 */
static const char *backend(const struct net *net)
{
	static const char *const known[] = { "tap", "vmnet", "netgraph", "netmap", "vale",
		"slirp" };
	const char *name = net->type != NULL ? net->type : net->name;

	if (net->bridge != NULL)
		return "tap";

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_after(name, known[i]) != NULL)
			return known[i];
	}
	return NULL;
}

/* Finds the interface behind a backend: slirp has none, and netgraph names its node in `path`. */
static void net_names(const void *value, const struct where *at, struct host_visit *visit)
{
	const struct net *net = (const void *)((const char *)value - offsetof(struct net, name));
	const char *kind = net->name == NULL ? NULL : backend(net);
	bool netmap = net->name != NULL && str_after(net->name, "netmap:") != NULL;

	if (net->name == NULL ||
	    (kind != NULL && (strcmp(kind, "slirp") == 0 || strcmp(kind, "netgraph") == 0)))
		return;
	host_found(visit, HOST_INTERFACE, net->name + (netmap ? strlen("netmap:") : 0), at);
}

static void check_keys_of(const struct net *net, const struct where *at, struct decoder *d)
{
	bool netgraph = strcmp(backend(net), "netgraph") == 0;
	bool slirp = strcmp(backend(net), "slirp") == 0;

	if (netgraph && (net->path == NULL || net->peerhook == NULL))
		report_add(d->report, STATUS_SPEC, at,
		    "netgraph needs \"path\" and \"peerhook\": the node and hook to connect to");
	if (!netgraph &&
	    (net->path != NULL || net->peerhook != NULL || net->socket != NULL ||
		net->hook != NULL))
		report_add(d->report, STATUS_SPEC, at,
		    "\"path\", \"peerhook\", \"socket\" and \"hook\" belong to netgraph, not to %s",
		    net->name != NULL ? net->name : "a bridge");
	if (!slirp && (net->hostfwd.count > 0 || net->open))
		report_add(d->report, STATUS_SPEC, at,
		    "\"hostfwd\" and \"open\" belong to slirp, not to %s",
		    net->name != NULL ? net->name : "a bridge");
}

/* Checks that exactly one of "name" and "bridge" names the backend. */
static bool check_backend(const struct net *net, const struct where *at, struct decoder *d)
{
	struct where name = { at, "name", 0 }, type = { at, "type", 0 };

	if (net->name == NULL && net->bridge == NULL)
		report_add(d->report, STATUS_SPEC, at,
		    "\"name\" or \"bridge\" is missing: a backend such as tap3, or the bridge that "
		    "a new tap joins");
	else if (net->name != NULL && net->bridge != NULL)
		report_add(d->report, STATUS_SPEC, &name,
		    "this key excludes \"bridge\": vmrun names the tap that it creates for a "
		    "bridge");
	else if (net->bridge != NULL && net->type != NULL)
		report_add(d->report, STATUS_SPEC, &type,
		    "an interface that joins a bridge is a tap: \"type\" belongs to \"name\"");
	else if (backend(net) == NULL)
		report_add(d->report, STATUS_SPEC, &name,
		    "unknown backend \"%s\": expected a name that begins with tap, vmnet, "
		    "netgraph, netmap, vale or slirp, or \"type\": \"tap\" for a renamed interface",
		    net->name);
	else
		return true;
	return false;
}

static void net_check(const struct device *dev, const struct where *at, struct decoder *d)
{
	const struct net *net = dev->config;
	struct where name = { at, "name", 0 }, list = { at, "hostfwd", 0 };

	if (!check_backend(net, at, d))
		return;
	if (net->name != NULL &&
	    (strcmp(backend(net), "tap") == 0 || strcmp(backend(net), "vmnet") == 0) &&
	    strlen(net->name) > MAX_INTERFACE)
		report_add(d->report, STATUS_SPEC, &name,
		    "\"%s\" has %zu bytes: an interface name has at most %d", net->name,
		    strlen(net->name), MAX_INTERFACE);
	forward_check(&net->hostfwd, &list, d);
	check_keys_of(net, at, d);
}

/*
 * Makes a stable MAC address unless the spec has one or false; 58:9c:fc is FreeBSD's prefix.  Each
 * interface gets another.
 */
static void net_complete(struct device *dev, const char *vm_name)
{
	struct net *net = dev->config;
	char slot[SLOT_TEXT];
	uint8_t digest[SHA1_SIZE];

	if (net->mac != NULL)
		return;
	MEM_AUTO char *seed = mem_format("%s %s", vm_name, slot_text(&dev->slot, slot));

	sha1(seed, strlen(seed), digest);
	net->mac = mem_format("58:9c:fc:%02x:%02x:%02x", digest[0], digest[1], digest[2]);
}

/* Claims the MAC address: two interfaces with the same one lose each other's packets. */
static void net_claims(const struct device *dev, struct pairs *claims)
{
	MEM_AUTO char *mac = mem_copy(((const struct net *)dev->config)->mac);

	if (strcmp(mac, MAC_NONE) == 0)
		return;
	for (char *p = mac; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	pairs_add(claims, CLAIM_MAC, mac);
}

static void net_needs(const struct device *dev, struct needs *needs)
{
	const struct net *net = dev->config;
	const char *kind = backend(net);

	if (net->bridge != NULL)
		(void)needs_add(needs, NEED_BRIDGE, "bridge", net->bridge);
	else if (strcmp(kind, "tap") == 0 || strcmp(kind, "vmnet") == 0)
		(void)needs_add(needs, NEED_INTERFACE, "name", net->name);
	else if (strcmp(kind, "vale") == 0 || strcmp(kind, "netmap") == 0)
		(void)needs_add(needs, NEED_SWITCH, "name", net->name);
	else if (strcmp(kind, "netgraph") == 0)
		(void)needs_add(needs, NEED_NETGRAPH, "path", net->path);
	forward_need(&net->hostfwd, "hostfwd", needs);
}

static const char *net_placeholder(const struct device *dev)
{
	return ((const struct net *)dev->config)->bridge != NULL ? "tapAUTO" : NULL;
}

static const char *backend_name(const struct device *dev)
{
	const struct net *net = dev->config;

	return net->bridge != NULL ? device_found(dev) : net->name;
}

static int net_bhyve(
    const struct device *dev, const struct bhyve_host *host, struct pairs *vars, struct error *err)
{
	const struct net *net = dev->config;
	STR_AUTO struct str rules = { 0 };

	if (strcmp(backend(net), "slirp") == 0 && host->release < SLIRP_RELEASE)
		return error_set(err, STATUS_SPEC,
		    "user networking (slirp) needs FreeBSD %d, and the libslirp port",
		    SLIRP_RELEASE);
	if (net->type != NULL && device_since(host, "type", 14, err) != 0)
		return -1;
	pairs_add(vars, "device", dev->kind->name);
	pairs_add(vars, "backend", backend_name(dev));
	if (net->type != NULL)
		pairs_add(vars, "type", net->type);
	if (strcmp(net->mac, MAC_NONE) != 0)
		pairs_add(vars, "mac", net->mac);
	if (net->mtu != 0)
		pairs_addf(vars, "mtu", "%" PRId64, net->mtu);
	if (net->path != NULL)
		pairs_add(vars, "path", net->path);
	if (net->peerhook != NULL)
		pairs_add(vars, "peerhook", net->peerhook);
	if (net->socket != NULL)
		pairs_add(vars, "socket", net->socket);
	if (net->hook != NULL)
		pairs_add(vars, "hook", net->hook);
	for (size_t i = 0; i < net->hostfwd.count; i++)
		str_addf(&rules, "%s%s", i > 0 ? ";" : "", net->hostfwd.item[i]);
	if (rules.length > 0)
		pairs_add(vars, "hostfwd", rules.text);
	if (net->open)
		pairs_add(vars, "open", "true");
	return 0;
}

static void add_tap(const struct device *dev, struct words *argv)
{
	qemu_begin(argv, "-netdev", "tap");
	qemu_pairf(argv, "id", "%s-net", dev->id);
	qemu_pair(argv, "ifname", backend_name(dev));
	qemu_pair(argv, "script", "no");
	qemu_pair(argv, "downscript", "no");
}

/* Adds user networking; each forwarding rule is one pair. */
static void add_slirp(const struct device *dev, struct words *argv)
{
	const struct words *rules = &((const struct net *)dev->config)->hostfwd;

	qemu_begin(argv, "-netdev", "user");
	qemu_pairf(argv, "id", "%s-net", dev->id);
	for (size_t i = 0; i < rules->count; i++)
		qemu_pair(argv, "hostfwd", rules->item[i]);
}

static int net_qemu(const struct device *dev, struct qemu_build *q, struct error *err)
{
	const struct net *net = dev->config;
	const char *kind = backend(net);
	const char *model = dev->kind == &device_e1000 ? "e1000-82545em" : "virtio-net-pci";

	if (strcmp(kind, "tap") == 0)
		add_tap(dev, q->argv);
	else if (strcmp(kind, "slirp") == 0)
		add_slirp(dev, q->argv);
	else
		return error_set(err, STATUS_SPEC,
		    "qemu has no %s: use a tap, or \"name\": \"slirp\" for user networking", kind);
	qemu_begin(q->argv, "-device", model);
	qemu_pairf(q->argv, "netdev", "%s-net", dev->id);
	qemu_pair(q->argv, "mac", strcmp(net->mac, MAC_NONE) == 0 ? NULL : net->mac);
	qemu_address(q, dev);
	if (net->mtu != 0)
		qemu_pairf(q->argv, "host_mtu", "%" PRId64, net->mtu);
	return 0;
}

static const struct bhyve_form virtio_form = { .model = "virtio-net", .first = "backend" };
static const struct bhyve_form e1000_form = { .model = "e1000", .first = "backend" };

const struct device_kind device_virtio_net = {
	.name = "virtio-net",
	.help = "virtio network interface",
	DEVICE_CONFIG(struct net, virtio_fields),
	.check = net_check,
	.complete = net_complete,
	.form = &virtio_form,
	.claims = net_claims,
	.needs = net_needs,
	.placeholder = net_placeholder,
	.bhyve = net_bhyve,
	.qemu = net_qemu,
};

const struct device_kind device_e1000 = {
	.name = "e1000",
	.help = "Intel 82545 network interface",
	DEVICE_CONFIG(struct net, e1000_fields),
	.check = net_check,
	.complete = net_complete,
	.form = &e1000_form,
	.claims = net_claims,
	.needs = net_needs,
	.placeholder = net_placeholder,
	.bhyve = net_bhyve,
	.qemu = net_qemu,
};
