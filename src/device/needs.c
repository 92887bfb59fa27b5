/* Lists of needs. */
#include "device/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
	const char *name;
	bool exclusive;
} kinds[] = {
	[NEED_DISK] = { "disk", false },
	[NEED_FILE] = { "file", false },
	[NEED_KERNEL] = { "kernel", false },
	[NEED_DIRECTORY] = { "directory", false },
	[NEED_INTERFACE] = { "interface", true },
	[NEED_BRIDGE] = { "bridge", false },
	[NEED_SWITCH] = { "switch", false },
	[NEED_NETGRAPH] = { "netgraph node", false },
	[NEED_SOCKET] = { "socket", true },
	[NEED_SERVER] = { "socket", false },
	[NEED_PORT] = { NEED_PORT_NAME, true },
	[NEED_FORWARD] = { NEED_PORT_NAME, true },
	[NEED_FORWARD_UDP] = { NEED_UDP_PORT_NAME, true },
	[NEED_SERIAL] = { "serial device", true },
	[NEED_DEVICE] = { "device", false },
	[NEED_PCI] = { "PCI device", true },
	[NEED_PROGRAM] = { "program", false },
	[NEED_LOG] = { "log", false },
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == NEED_KINDS, "a row for each");

struct need *needs_add(struct needs *needs, enum need_kind kind, const char *key, const char *what)
{
	struct need *need;

	needs->item = mem_resize(needs->item, needs->count + 1, sizeof(*needs->item));
	need = &needs->item[needs->count++];
	memset(need, 0, sizeof(*need));
	need->kind = kind;
	need->key = key;
	need->what = mem_copy(what);
	return need;
}

const char *need_name(enum need_kind kind)
{
	return kinds[kind].name;
}

bool need_is_exclusive(const struct need *need)
{
	return kinds[need->kind].exclusive;
}

void needs_clear(struct needs *needs)
{
	for (size_t i = 0; i < needs->count; i++) {
		free(needs->item[i].what);
		free(needs->item[i].owner);
	}
	free(needs->item);
	memset(needs, 0, sizeof(*needs));
}
