/* The network interfaces of a guest of vm-bhyve: switch::provision and its like. */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "device/device.h"
#include "device/field.h"
#include "import/vm_bhyve_guest.h"

#define MAX_SWITCH_NAME 12 /* a longer one does not name the bridge (switch::standard::init) */
#define PLACEHOLDER_BRIDGE "bridge0"

/* Puts the bridge of a switch, which vm-bhyve names vm-SWITCH if that is short enough. */
static void put_bridge(struct guest *g, struct node *net, const char *name)
{
	if (strlen(name) > MAX_SWITCH_NAME) {
		guest_put_text(net, "bridge", PLACEHOLDER_BRIDGE);
		guest_note(g,
		    "switch %s: its name is too long for a bridge vm-%s: replace %s by the bridge "
		    "to which ifconfig gives the description vm/%s",
		    name, name, PLACEHOLDER_BRIDGE, name);
		return;
	}
	guest_put_format(net, "bridge", "vm-%s", name);
	guest_note(g,
	    "switch %s: bridge vm-%s must exist when the VM starts, as vm-bhyve makes it for a "
	    "standard switch; for a switch of another type (vm switch list), replace it by its "
	    "bridge, or by the \"name\" of a backend",
	    name, name);
}

/* Puts the interface of the host: one that exists, or a tap that is made for this run. */
static void put_backend(struct guest *g, struct node *net, int n, const char *joined)
{
	const char *device = guest_numbered_word(g, "network", n, "_device");
	const char *name = guest_numbered_word(g, "network", n, "_name");
	const char *span = guest_get_numbered(g, "network", n, "_span");

	if (device == NULL || *device == '\0') {
		put_bridge(g, net, joined);
		if (name != NULL && *name != '\0')
			guest_note(g,
			    "network%d_name: vmrun does not rename taps; let an on_started hook "
			    "call ifconfig TAP name %s, with the tap of boot.devices",
			    n, name);
	} else {
		guest_put_text(net, "name", device);
		if (strncmp(device, "tap", 3) != 0 && strncmp(device, "vmnet", 5) != 0)
			guest_put_text(net, "type", "tap");
		guest_note(g,
		    "network%d_switch: vmrun does not add %s to a bridge; do it once: ifconfig "
		    "vm-%s addm %s",
		    n, device, joined, device);
	}
	if (span != NULL && conf_yes(span))
		guest_note(g,
		    "network%d_span: vmrun adds the tap as a member; let an on_started hook call "
		    "ifconfig vm-%s deletem TAP span TAP",
		    n, joined);
}

/* Puts the address, or reports the setting: the spec has no line that the user knows. */
static void put_mac(struct guest *g, struct node *net, int n, const char *mac)
{
	MEM_AUTO char *key = mem_format("network%d_mac", n);
	NODE_AUTO struct node *alone = node_new(NODE_OBJECT);
	REPORT_AUTO struct report problems = { 0 };
	struct decoder d = { .report = &problems, .directory = "/" };

	guest_put_text(net, "mac", mac);
	guest_put_text(alone, "device", node_get_text(net, "device"));
	guest_put_text(alone, "mac", mac);
	device_free(device_decode(alone, NULL, &d));
	for (size_t i = 0; i < problems.count; i++) {
		if (problems.item[i].path != NULL && strcmp(problems.item[i].path, "mac") == 0)
			guest_fault(g, key, "%s", problems.item[i].text);
	}
}

/* Leaves the address of an earlier interface to `config`: no two keys can have it. */
static void leave_mac(struct guest *g, struct node *net, int n)
{
	for (const struct node *other = g->devices->first; other != net; other = other->next) {
		const char *mac = node_get_text(net, "mac"), *same = node_get_text(other, "mac");

		if (same == NULL || mac == NULL || strcasecmp(same, mac) != 0)
			continue;
		MEM_AUTO char *variable =
		    mem_format("pci.%d.%d.%d.mac", g->next.bus, g->next.slot, g->next.function);

		guest_note(
		    g, "network%d_mac: another interface has this address: kept in \"config\"", n);
		guest_put_config(g, variable, mac);
		guest_put_flag(net, "mac", false);
		return;
	}
}

/* Adds an interface; one without a switch vm-bhyve leaves out (switch::type has no type for it). */
static void add_network(struct guest *g, int n, const char *kind)
{
	MEM_AUTO char *key = mem_format("network%d_type", n);
	const char *mac, *joined;
	struct node *net;

	if (strcmp(kind, "virtio-net") != 0 && strcmp(kind, "e1000") != 0) {
		guest_fault(g, key, "invalid type \"%s\": expected virtio-net or e1000", kind);
		return;
	}
	if (!guest_has_numbered(g, "network", n, "_switch")) {
		guest_note(g,
		    "network%d_type: left out: vm-bhyve makes no interface without "
		    "network%d_switch; for one on a tap of your own, add { \"device\": \"%s\", "
		    "\"name\": \"tapN\" }",
		    n, n, kind);
		return;
	}
	mac = guest_numbered_word(g, "network", n, "_mac");
	joined = guest_numbered_word(g, "network", n, "_switch");
	net = guest_add_device(g, kind, NULL, &g->next);
	put_backend(g, net, n, joined);
	if (mac != NULL && *mac != '\0')
		put_mac(g, net, n, mac);
	leave_mac(g, net, n);
	g->next.function++;
	if (mac == NULL || *mac == '\0')
		guest_note(g,
		    "network%d_mac: not set: vm-bhyve generates an address at the first start, "
		    "vmrun "
		    "derives a fixed one from the name and the slot",
		    n);
}

/* Adds the interfaces as functions of one slot. */
void guest_add_networks(struct guest *g)
{
	int n = 0;

	for (const char *kind;
	     (kind = guest_numbered_word(g, "network", n, "_type")) != NULL && *kind != '\0'; n++) {
		if (g->next.function >= 8) {
			g->next.function = 0;
			g->next.slot++;
		}
		guest_wrap_slot(g);
		add_network(g, n, kind);
	}
	if (n == 0)
		return;
	g->next.slot++;
	g->next.function = 0;
	guest_wrap_slot(g);
}
