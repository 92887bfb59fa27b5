/* The PCI devices of the host in a guest of vm-bhyve: vm::bhyve_device_passthru. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "import/vm_bhyve_guest.h"

/* Returns whether the text is B/S/F or pptN, which vmrun can check. */
static bool is_source(const char *text)
{
	static const char digits[] = "0123456789";
	const char *ppt = str_after(text, "ppt");
	int parts = 0;

	if (ppt != NULL)
		return guest_is_number(ppt);
	for (;; text++) {
		size_t n = strspn(text, digits);

		text += n;
		if (n == 0 || ++parts == 3 || *text != '/')
			return n > 0 && parts == 3 && *text == '\0';
	}
}

/* Puts the options "rom=FILE,bootindex=N"; returns false if one of them has no key. */
static bool put_options(struct guest *g, int number, struct node *device, const char *options)
{
	for (const char *rest = options; rest != NULL;) {
		MEM_AUTO char *option = guest_piece(&rest);

		if (!guest_put_option(device, "passthru", option))
			return false;
	}
	if (node_get(device, "rom") != NULL && *node_get_text(device, "rom") != '/')
		guest_note(g,
		    "passthru%d_options: rom: with vm-bhyve this path starts in the directory "
		    "where vm was called: write the whole path",
		    number);
	return true;
}

/* Adds a device of the host, a raw one unless keys have its address and all its options. */
static void add_host_device(
    struct guest *g, int number, const char *text, const struct guest_slot *at)
{
	const char *options = guest_numbered_word(g, "passthru", number, "_options");
	bool has_options = options != NULL && *options != '\0';
	struct node *device = node_new(NODE_OBJECT);

	guest_put_text(device, "device", "passthru");
	guest_put_text(device, "src", text);
	if (!is_source(text) || (has_options && !put_options(g, number, device, options))) {
		node_free(device);
		device = node_new(NODE_OBJECT);
		guest_put_text(device, "device", "raw");
		guest_put_format(device, "value", "passthru,%s%s%s", text, has_options ? "," : "",
		    has_options ? options : "");
	}
	guest_put_device(g, device, at);
}

/*
 * Reads the place after "=".  vm-bhyve puts the bus before it, so "2:0" is slot 2, function 0,
 * while bhyve takes a single number "2" for function 2 of the slot with the number of the bus.
 */
static bool read_place(const char *text, struct guest_slot *at)
{
	int slot, function, used = 0;

	if (sscanf(text, "%2d:%1d%n", &slot, &function, &used) == 2 && text[used] == '\0') {
		at->slot = slot;
		at->function = function;
		return slot >= 0 && slot <= 31 && function >= 0 && function <= 7;
	}
	if (!guest_is_number(text) || strlen(text) != 1 || *text > '7')
		return false;
	at->slot = at->bus;
	at->bus = 0;
	at->function = *text - '0';
	return true;
}

/* Adds a device whose place is given, "6/0/0=2:0". */
static void add_pinned(struct guest *g, int number, const char *key, const char *text)
{
	MEM_AUTO char *source = mem_copy_n(text, strcspn(text, "="));
	struct guest_slot at = g->next;

	if (read_place(strrchr(text, '=') + 1, &at))
		add_host_device(g, number, source, &at);
	else
		guest_fault(g, key, "invalid place in \"%s\": expected B/S/F=SLOT:FUNCTION", text);
}

/* Returns whether two devices have the same bus of the host: vm-bhyve compares up to the "/". */
static bool is_same_bus(const char *a, const char *b)
{
	size_t n = strcspn(a, "/");

	return n == strcspn(b, "/") && memcmp(a, b, n) == 0;
}

/* Adds the devices: those of one bus of the host are functions of one slot. */
void guest_add_passthru(struct guest *g)
{
	const char *last = NULL, *text;
	int n = 0;

	for (; (text = guest_numbered_word(g, "passthru", n, "")) != NULL && *text != '\0'; n++) {
		MEM_AUTO char *key = mem_format("passthru%d", n);

		if (strchr(text, '=') != NULL) {
			add_pinned(g, n, key, text);
			continue;
		}
		if (last != NULL && !is_same_bus(last, text)) {
			g->next.slot++;
			g->next.function = 0;
		}
		guest_wrap_slot(g);
		if (g->next.function > 7)
			guest_fault(g, key,
			    "function %d of one slot: bhyve has 0 to 7; give the device a place: "
			    "%s=SLOT:FUNCTION",
			    g->next.function, text);
		add_host_device(g, n, text, &g->next);
		last = text;
		g->next.function++;
	}
	g->next.function = 0;
	if (n == 0)
		return;
	guest_next_slot(g);
	guest_put_flag(g->spec, "wire_guest_mem", true);
}
