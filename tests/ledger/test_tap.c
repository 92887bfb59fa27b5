/* The commands that create, destroy and find a tap. */
#include "ledger/tap.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/mem.h"
#include "platform/os.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int __wrap_os_tap_make(const char *name, int *fd);
int __wrap_os_tap_keep(int fd);
unsigned __wrap_os_interface_index(const char *name);
bool __wrap_os_uses_ip(void);
const char *__wrap_os_name(void);

static bool is_freebsd;
static int make_error, keep_error; /* of the kernel; 0: none */

int __wrap_os_tap_make(const char *name, int *fd)
{
	(void)name;
	if (make_error == 0)
		*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return make_error;
}

int __wrap_os_tap_keep(int fd)
{
	assert_true(fcntl(fd, F_GETFD) >= 0);
	return keep_error;
}

unsigned __wrap_os_interface_index(const char *name)
{
	assert_string_equal(name, "tap3");
	return 7;
}

bool __wrap_os_uses_ip(void)
{
	return !is_freebsd;
}

const char *__wrap_os_name(void)
{
	return is_freebsd ? "FreeBSD" : "Linux";
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

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
	for (int i = 0; i < 4; i++) {
		const struct hypervisor *hyper = i % 2 == 1 ? &hyper_qemu : &hyper_bhyve;
		int column = i == 1 ? 1 : 0; /* qemu on Linux */

		struct plan plan = { .hyper = hyper, .vm = vm };
		struct ledger_thing thing;

		is_freebsd = i >= 2;
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
	is_freebsd = false;
}

/* Only FreeBSD takes a tap down that is closed, and bhyve switches it on again. */
static void test_down(void **state)
{
	(void)state;
	for (int freebsd = 0; freebsd <= 1; freebsd++) {
		struct plan plan = { .hyper = &hyper_bhyve };

		is_freebsd = freebsd == 1;
		assert_false(tap_goes_down(&plan));
		plan.hyper = &hyper_qemu;
		assert_int_equal(tap_goes_down(&plan), is_freebsd);
	}
	is_freebsd = false;
}

/* A tap is in the ledger, with what tells it from others, once it outlives its maker. */
static void test_making_one(void **state)
{
	struct ledger_options options = { .vm = "demo" };
	struct plan plan = { .hyper = &hyper_qemu, .vm = (char[]){ "demo" } };
	struct ledger *ledger = NULL;
	struct error err = { 0 };
	bool exists;

	(void)state;
	assert_int_equal(ledger_open(&ledger, &options, &err), 0);
	make_error = EEXIST;
	assert_int_equal(tap_make(&plan, "tap3", ledger, &exists, &err), -1);
	assert_true(exists);
	assert_string_equal(err.text, "tap3: cannot make the tap: File exists");
	error_clear(&err);
	make_error = 0;
	keep_error = EBUSY;
	assert_int_equal(tap_make(&plan, "tap3", ledger, &exists, &err), -1);
	assert_false(exists);
	assert_int_equal(err.status, STATUS_CHECK);
	assert_int_equal(ledger_count(ledger), 0);
	error_clear(&err);
	keep_error = 0;
	for (int boot = 1; boot <= 2; boot++) {
		assert_int_equal(tap_make(&plan, "tap3", ledger, &exists, &err), 0);
		assert_int_equal(ledger_count(ledger), 1);
		assert_string_equal(ledger_at(ledger, 0)->name, "tap3");
		assert_int_equal(ledger_at(ledger, 0)->index, 7);
		says(&ledger_at(ledger, 0)->undo, "ip link del dev tap3");
	}
	ledger_close(ledger);
}

/* A tap that the ledger cannot list would never be destroyed. */
static void test_one_that_cannot_be_listed(void **state)
{
	struct ledger_options options = { .vm = "demo", .directory = "." };
	struct plan plan = { .hyper = &hyper_qemu, .vm = (char[]){ "demo" } };
	struct ledger *ledger = NULL;
	struct error err = { 0 };
	bool exists;

	(void)state;
	assert_int_equal(ledger_open(&ledger, &options, &err), 0);
	assert_int_equal(mkdir("ledger.json.new", 0700), 0); /* in the place of the new file */
	assert_int_equal(tap_make(&plan, "tap3", ledger, &exists, &err), -1);
	assert_false(exists);
	assert_int_equal(err.status, STATUS_OS);
	assert_int_equal(ledger_count(ledger), 0);
	error_clear(&err);
	assert_int_equal(rmdir("ledger.json.new"), 0);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taps),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_making_one),
		cmocka_unit_test_setup_teardown(
		    test_one_that_cannot_be_listed, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
