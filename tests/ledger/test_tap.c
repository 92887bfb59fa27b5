/* The commands that create, destroy and find a tap. */
#include "ledger/tap.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "platform/os.h"

static void says(const struct words *command, const char *wanted)
{
	MEM_AUTO char *line = words_shell_line(command);

	assert_string_equal(line, wanted);
}

/* For bhyve, the commands are those of FreeBSD; for qemu, those of the system. */
static void test_taps(void **state)
{
	static const char *const lines[TAP_STEPS + 2][2] = {
		{ "ifconfig tap3 create description vmrun:demo", "" },
		{ "ifconfig bridge0 addm tap3", "ip link set dev tap3 master bridge0" },
		{ "ifconfig tap3 up", "ip link set dev tap3 up" },
		{ "ifconfig tap3 destroy", "ip link del dev tap3" },
		{ "ifconfig tap3", "ip link show dev tap3" },
	};

	char vm[] = "demo";

	(void)state;
	for (int qemu = 0; qemu <= 1; qemu++) {
		const struct hypervisor *hyper = qemu == 1 ? &hyper_qemu : &hyper_bhyve;
		int column = qemu == 1 && os_uses_ip() ? 1 : 0;

		struct plan plan = { .hyper = hyper, .vm = vm };
		struct ledger_thing thing;

		for (int step = 0; step < TAP_STEPS; step++) {
			struct words command = { 0 };

			tap_command(&plan, (enum tap_step)step, "tap3", "bridge0", &command);
			says(&command, lines[step][column]);
			words_free(&command);
		}
		tap_thing(&plan, "tap3", &thing);
		assert_string_equal(thing.name, "tap3");
		says(&thing.undo, lines[TAP_STEPS][column]);
		says(&thing.probe, lines[TAP_STEPS + 1][column]);
		ledger_thing_clear(&thing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
