/* The commands for taps. */
#include "ledger/tap.h"

#include <string.h>

#include "base/mem.h"
#include "platform/os.h"

/* Adds the words of a command, split at blanks; %t is the tap, %b the bridge. */
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

/* Returns whether to use ip(8): bhyve's commands are FreeBSD's, wherever vmrun runs. */
static bool uses_ip(const struct hypervisor *hyper)
{
	return os_uses_ip() && !hyper_is_foreign(hyper);
}

void tap_command(const struct hypervisor *hyper, enum tap_step step, const char *tap,
    const char *bridge, struct words *command)
{
	static const char *const forms[][2] = {
		[TAP_CREATE] = { "ifconfig %t create", "ip tuntap add dev %t mode tap" },
		[TAP_JOIN] = { "ifconfig %b addm %t", "ip link set dev %t master %b" },
		[TAP_UP] = { "ifconfig %t up", "ip link set dev %t up" },
	};
	_Static_assert(sizeof(forms) / sizeof(forms[0]) == TAP_STEPS, "a row for each step");

	fill_in(forms[step][uses_ip(hyper) ? 1 : 0], tap, bridge, command);
}

void tap_thing(const struct hypervisor *hyper, const char *tap, struct ledger_thing *thing)
{
	bool ip = uses_ip(hyper);

	*thing = (struct ledger_thing){ .name = mem_copy(tap) };
	fill_in(ip ? "ip link del dev %t" : "ifconfig %t destroy", tap, "", &thing->undo);
	fill_in(ip ? "ip link show dev %t" : "ifconfig %t", tap, "", &thing->probe);
}
