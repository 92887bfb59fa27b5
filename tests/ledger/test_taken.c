/* What is given back at the end, and the commands that make and end a tap. */
#include "ledger/taken.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "platform/os.h"

static void test_the_newest_first(void **state)
{
	struct taken t = { 0 };
	struct words undo = { 0 };

	(void)state;
	assert_null(taken_last(&t));
	words_add(&undo, "undo");
	words_add(&undo, "a");
	taken_add(&t, "a", &undo);
	words_add(&undo, "b");
	taken_add(&t, "b", &undo);
	words_free(&undo); /* it was copied */
	assert_true(taken_have(&t, "a"));
	assert_false(taken_have(&t, "c"));
	assert_string_equal(taken_last(&t)->name, "b");
	assert_int_equal(taken_last(&t)->undo.count, 3);
	taken_drop_last(&t);
	assert_false(taken_have(&t, "b"));
	assert_string_equal(taken_last(&t)->name, "a");
	taken_clear(&t);
	assert_null(taken_last(&t));
}

static void says(const struct words *command, const char *wanted)
{
	MEM_AUTO char *line = words_shell_line(command);

	assert_string_equal(line, wanted);
}

/* bhyve's commands are FreeBSD's, wherever they run; qemu's are the system's own. */
static void test_taps(void **state)
{
	static const char *const lines[TAP_STEPS + 1][2] = {
		{ "ifconfig tap3 create", "ip tuntap add dev tap3 mode tap" },
		{ "ifconfig bridge0 addm tap3", "ip link set dev tap3 master bridge0" },
		{ "ifconfig tap3 up", "ip link set dev tap3 up" },
		{ "ifconfig tap3 destroy", "ip link del dev tap3" },
	};

	(void)state;
	for (int qemu = 0; qemu <= 1; qemu++) {
		const struct hypervisor *hyper = qemu == 1 ? &hyper_qemu : &hyper_bhyve;
		int column = qemu == 1 && os_uses_ip() ? 1 : 0;

		for (int step = 0; step <= TAP_STEPS; step++) {
			struct words command = { 0 };

			if (step < TAP_STEPS)
				tap_command(
				    hyper, (enum tap_step)step, "tap3", "bridge0", &command);
			else
				tap_undo(hyper, "tap3", &command);
			says(&command, lines[step][column]);
			words_free(&command);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_first),
		cmocka_unit_test(test_taps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
