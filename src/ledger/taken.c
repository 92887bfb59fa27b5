/* Things that are given back at the end. */
#include "ledger/taken.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/os.h"

void taken_add(struct taken *t, const char *name, const struct words *undo)
{
	struct taken_thing *thing;

	t->item = mem_resize(t->item, t->count + 1, sizeof(*t->item));
	thing = &t->item[t->count++];
	memset(thing, 0, sizeof(*thing));
	thing->name = mem_copy(name);
	words_append(&thing->undo, undo);
}

bool taken_have(const struct taken *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->item[i].name, name) == 0)
			return true;
	}
	return false;
}

const struct taken_thing *taken_last(const struct taken *t)
{
	return t->count == 0 ? NULL : &t->item[t->count - 1];
}

void taken_drop_last(struct taken *t)
{
	struct taken_thing *thing = &t->item[--t->count];

	free(thing->name);
	words_free(&thing->undo);
}

void taken_clear(struct taken *t)
{
	while (t->count > 0)
		taken_drop_last(t);
	free(t->item);
	t->item = NULL;
}

/* The words of a command, cut at blanks; %t is the tap, %b the bridge. */
static void fill_in(const char *form, const char *tap, const char *bridge, struct words *command)
{
	while (*form != '\0') {
		size_t n = strcspn(form, " ");

		if (n == 2 && memcmp(form, "%t", 2) == 0)
			words_add(command, tap);
		else if (n == 2 && memcmp(form, "%b", 2) == 0)
			words_add(command, bridge);
		else
			words_take(command, mem_copy_n(form, n));
		form += n + strspn(form + n, " ");
	}
}

/* Where a hypervisor speaks of FreeBSD, so do the commands for it. */
static bool uses_ip(const struct hypervisor *hyper)
{
	return os_uses_ip() && !hyper_is_foreign(hyper);
}

void tap_command(const struct hypervisor *hyper, enum tap_step step, const char *tap,
    const char *bridge, struct words *command)
{
	static const char *const forms[TAP_STEPS][2] = {
		[TAP_CREATE] = { "ifconfig %t create", "ip tuntap add dev %t mode tap" },
		[TAP_JOIN] = { "ifconfig %b addm %t", "ip link set dev %t master %b" },
		[TAP_UP] = { "ifconfig %t up", "ip link set dev %t up" },
	};

	fill_in(forms[step][uses_ip(hyper) ? 1 : 0], tap, bridge, command);
}

void tap_undo(const struct hypervisor *hyper, const char *tap, struct words *command)
{
	fill_in(uses_ip(hyper) ? "ip link del dev %t" : "ifconfig %t destroy", tap, "", command);
}
