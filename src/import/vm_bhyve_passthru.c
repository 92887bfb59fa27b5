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

/* Adds a device of the host, a raw one unless the text is its address alone. */
static void add_host_device(struct guest *g, const char *text, const struct guest_slot *at)
{
	if (is_source(text))
		guest_put_text(guest_add_device(g, "passthru", NULL, at), "src", text);
	else
		guest_put_format(
		    guest_add_device(g, "raw", NULL, at), "value", "passthru,%s", text);
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
static void add_pinned(struct guest *g, const char *key, const char *text)
{
	MEM_AUTO char *source = mem_copy_n(text, strcspn(text, "="));
	struct guest_slot at = g->next;

	if (read_place(strrchr(text, '=') + 1, &at))
		add_host_device(g, source, &at);
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
			add_pinned(g, key, text);
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
		add_host_device(g, text, &g->next);
		last = text;
		g->next.function++;
	}
	g->next.function = 0;
	if (n == 0)
		return;
	guest_next_slot(g);
	guest_put_flag(g->spec, "wire_guest_mem", true);
}
