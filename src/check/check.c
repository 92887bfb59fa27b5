/* Checks every need of a spec. */
#include "check/check.h"

#include "base/mem.h"
#include "check/need.h"

static void check_need(struct check *c, const struct checked_need *need)
{
	static void (*const checks[])(struct check *, const struct checked_need *) = {
		[NEED_DISK] = check_disk,
		[NEED_FILE] = check_file,
		[NEED_KERNEL] = check_kernel,
		[NEED_DIRECTORY] = check_directory,
		[NEED_INTERFACE] = check_interface,
		[NEED_BRIDGE] = check_bridge,
		[NEED_SWITCH] = check_switch,
		[NEED_NETGRAPH] = check_netgraph,
		[NEED_SOCKET] = check_socket,
		[NEED_SERVER] = check_server,
		[NEED_PORT] = check_port,
		[NEED_FORWARD] = check_port,
		[NEED_FORWARD_UDP] = check_port,
		[NEED_SERIAL] = check_serial,
		[NEED_DEVICE] = check_device,
		[NEED_PCI] = check_pci,
		[NEED_PROGRAM] = check_program,
		[NEED_LOG] = check_log,
	};

	_Static_assert(sizeof(checks) / sizeof(checks[0]) == NEED_KINDS, "a row for each");

	if ((c->host.bhyve || !need->need->bhyve_only) &&
	    check_is_due(c, need, need->need->what, spec_need_maker(c->request->spec, need->need)))
		checks[need->need->kind](c, need);
}

static void check_device_needs(struct check *c, const struct device *dev)
{
	NEEDS_AUTO struct needs needs = { 0 };
	struct device_place place;
	const struct where *above = device_where(dev, &place);

	device_needs(dev, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		struct where at = { above, needs.item[i].key, 0 };
		struct checked_need checked = { dev, &needs.item[i], &at, i };

		check_need(c, &checked);
	}
}

/*
 * Checks the needs of the spec itself, such as serial ports: of its keys, and of objects and lists
 * in it.
 */
static void check_spec_needs(struct check *c)
{
	NEEDS_AUTO struct needs needs = { 0 };

	spec_needs(c->request->spec, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		const struct need *need = &needs.item[i];
		struct where above = { NULL, need->above, 0 },
			     entry = { &above, NULL, need->index };
		const struct where *up = need->above == NULL ? NULL
		    : need->listed			     ? &entry
							     : &above;
		struct where at = { up, need->key, 0 };
		struct checked_need checked = { NULL, need, need->key == NULL ? up : &at, i };

		check_need(c, &checked);
	}
}

/* Moves what was not found before the other findings of its device. */
static void join(struct findings *missing, struct findings *out)
{
	findings_move(missing, out);
	*out = *missing;
	*missing = (struct findings){ 0 };
}

bool check_boot(const struct check_request *request, struct findings *out)
{
	const struct spec *spec = request->spec;
	struct check c = { .request = request };

	host_open(&c.host, request->plan->hyper, request->facts, out);
	if (!request->left_over) {
		check_hypervisor(&c);
		check_vm(&c);
	}
	check_firmware(&c);
	check_spec_needs(&c);
	for (size_t i = 0; i < spec->device_count; i++) {
		if (!spec->devices[i]->removed)
			check_device_needs(&c, spec->devices[i]);
	}
	if (c.host.waits)
		findings_clear(out);
	else if (request->missing != NULL && request->missing->count > 0)
		join(request->missing, out);
	return !c.host.waits;
}
