/* Taps: the commands for them, and how Linux makes one. */
#include "ledger/tap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/os.h"

#define DESCRIPTION "vmrun:" /* before the VM's name, in the description of its tap */

/* Adds the words of a command, split at blanks; %t is the tap, %b the bridge, %v the VM. */
static void fill_in(
    const char *form, const char *tap, const char *bridge, const char *vm, struct words *command)
{
	while (*form != '\0') {
		size_t n = strcspn(form, " ");

		if (n == 2 && memcmp(form, "%t", 2) == 0)
			words_add(command, tap);
		else if (n == 2 && memcmp(form, "%b", 2) == 0)
			words_add(command, bridge);
		else if (n == 2 && memcmp(form, "%v", 2) == 0)
			words_addf(command, DESCRIPTION "%s", vm);
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

void tap_command(const struct plan *plan, enum tap_step step, const char *tap, const char *bridge,
    struct words *command)
{
	static const char *const forms[][2] = {
		[TAP_CREATE] = { "ifconfig %t create description %v", "" },
		[TAP_JOIN] = { "ifconfig %b addm %t", "ip link set dev %t master %b" },
		[TAP_UP] = { "ifconfig %t up", "ip link set dev %t up" },
	};
	_Static_assert(sizeof(forms) / sizeof(forms[0]) == TAP_STEPS, "a row for each step");

	fill_in(forms[step][uses_ip(plan->hyper) ? 1 : 0], tap, bridge, plan->vm, command);
}

/*
 * FreeBSD takes a tap down when it is closed (tundtor() in if_tuntap.c), which ip(8)'s system does
 * not.
 */
bool tap_goes_down(const struct plan *plan)
{
	return !os_uses_ip() && !plan->hyper->raises_taps;
}

void tap_thing(const struct plan *plan, const char *tap, struct ledger_thing *thing)
{
	bool ip = uses_ip(plan->hyper);

	*thing = (struct ledger_thing){ .name = mem_copy(tap), .unsure = !ip };
	if (!ip) /* as ifconfig(8) shows it, at the end of a line */
		thing->sign = mem_format("description: " DESCRIPTION "%s\n", plan->vm);
	fill_in(ip ? "ip link del dev %t" : "ifconfig %t destroy", tap, "", "", &thing->undo);
	fill_in(ip ? "ip link show dev %t" : "ifconfig %t", tap, "", "", &thing->probe);
}

static int fail(const char *tap, int why, struct error *err)
{
	return error_set(err, STATUS_CHECK, "%s: cannot make the tap: %s", tap, strerror(why));
}

/* Adds the tap to the ledger with its index, so that no later interface is taken for it. */
static int note(const struct plan *plan, const char *tap, struct ledger *ledger, struct error *err)
{
	LEDGER_THING_AUTO struct ledger_thing thing = { 0 };

	if (ledger_has(ledger, tap)) {
		ledger_confirm(ledger, tap);
		return 0;
	}
	tap_thing(plan, tap, &thing);
	thing.index = os_interface_index(tap);
	return ledger_take(ledger, &thing, err);
}

int tap_make(const struct plan *plan, const char *tap, struct ledger *ledger, bool *exists,
    struct error *err)
{
	int fd, why = os_tap_make(tap, &fd), rc;

	*exists = why == EEXIST;
	if (why != 0)
		return fail(tap, why, err);
	rc = note(plan, tap, ledger, err);
	if (rc == 0 && (why = os_tap_keep(fd)) != 0) {
		ledger_drop(ledger, tap);
		rc = fail(tap, why, err);
	}
	(void)close(fd); /* a tap that is not kept disappears */
	return rc;
}
