/* The answers of src/platform/os_freebsd.c, to what FreeBSD's kernel says in each case. */
#include "platform/os.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/tty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel.h"

enum { FIRST_THREAD = 100000 }; /* its main thread has the number of the process besides */

static const struct freebsd_variable none[] = { { NULL, 0, 0 } };
static struct freebsd_kernel before;

static int setup(void **state)
{
	(void)state;
	before = freebsd;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	freebsd = before;
	return 0;
}

static void test_release(void **state)
{
	static const struct freebsd_variable old[] = { { "kern.osreldate", 4, 1303001 },
		{ NULL, 0, 0 } };

	(void)state;
	assert_int_equal(os_bhyve_release(), 14);
	freebsd.variables = old;
	assert_int_equal(os_bhyve_release(), 13);
	freebsd.variables = none;
	assert_int_equal(os_bhyve_release(), 0);
	assert_int_equal(os_memory(), 0);
}

static void test_numbers_of_both_sizes(void **state)
{
	static const struct freebsd_variable numbers[] = { { "small", 4, -7 },
		{ "large", 8, INT64_C(-7000000000) }, { NULL, 0, 0 } };
	int64_t value = 0;

	(void)state;
	freebsd.variables = numbers;
	assert_true(os_sysctl("small", &value));
	assert_true(value == -7);
	assert_true(os_sysctl("large", &value));
	assert_true(value == INT64_C(-7000000000));
}

static void test_modules(void **state)
{
	static const char *const modules[] = { "kernel", NULL };

	(void)state;
	assert_true(os_has_vmm());
	assert_true(os_module_loaded("vmm"));
	assert_false(os_module_loaded("vm"));
	freebsd.modules = modules;
	assert_false(os_has_vmm());
}

static void test_host_without_a_boot_id(void **state)
{
	char *id = os_boot_id();

	(void)state;
	assert_string_equal(id, "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
	free(id);
	freebsd.boot_id = NULL;
	id = os_boot_id();
	assert_string_equal(id, "");
	free(id);
}

static void test_what_freebsd_lacks(void **state)
{
	char kvm[OS_KVM_WHY], vfio[OS_VFIO_WHY];

	(void)state;
	assert_false(os_uses_ip());
	assert_int_equal(os_tap_keep(0), ENOTSUP);
	assert_false(os_has_kvm(kvm));
	assert_non_null(strstr(kvm, "no KVM"));
	assert_false(os_has_vfio(0, 1, 0, vfio));
	assert_non_null(strstr(vfio, "ppt(4)"));
}

/* The clock is set between the questions, or at another time: the start is the same. */
static void test_start_does_not_move_with_the_clock(void **state)
{
	int64_t start, again;
	bool dead;

	(void)state;
	assert_true(os_process_look(getpid(), &dead, &start));
	freebsd.clock_steps = 3;
	assert_true(os_process_look(getpid(), &dead, &again));
	assert_int_equal(freebsd.clock_steps, 0);
	assert_true(again == start);
	freebsd.boottime_us -= INT64_C(86400000000) + 1;
	assert_true(os_process_was(getpid(), start));
	freebsd.boottime_us = 0;
	assert_false(os_process_look(getpid(), &dead, &again));
}

static void test_zombie_is_dead(void **state)
{
	pid_t pid = fork();
	int64_t start;
	siginfo_t info;
	bool dead = false;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(os_process_look(pid, &dead, &start));
	assert_true(dead);
	assert_false(os_process_start(pid, &start));
	assert_true(os_process_was(pid, start));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(os_process_look(pid, &dead, &start));
	assert_false(os_process_was(pid, start));
}

static void test_opener_of_a_tap(void **state)
{
	(void)state;
	assert_int_equal(os_interface_opener("tap0"), 0);
	freebsd.tap_status = "";
	assert_int_equal(os_interface_opener("tap0"), 0);
	freebsd.tap_status = "\tOpened by PID 4711\n";
	assert_int_equal(os_interface_opener("tap0"), 4711);
	assert_int_equal(os_interface_opener("a-name-longer-than-any-interface-can-have"), 4711);
}

static void test_sectors(void **state)
{
	(void)state;
	assert_int_equal(os_sector_size("/dev/null"), 0);
	freebsd.sector_size = 4096;
	assert_int_equal(os_sector_size("/dev/null"), 4096);
	assert_int_equal(os_sector_size("/etc/passwd"), 0);
}

static void test_terminals(void **state)
{
	struct xtty ttys[3] = { { .xt_dev = 1 }, { .xt_dev = 2 }, { .xt_flags = TF_OPENED_IN } };
	struct stat st;

	(void)state;
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_false(os_terminal_is_open("/dev/null"));
	ttys[2].xt_dev = (uint32_t)st.st_rdev;
	freebsd.ttys = ttys;
	freebsd.tty_count = 3;
	assert_true(os_terminal_is_open("/dev/null"));
	assert_false(os_terminal_is_open("/dev/zero"));
	assert_false(os_terminal_is_open("/no/such/tty"));
	ttys[2].xt_flags = 0x40; /* TF_GONE */
	assert_false(os_terminal_is_open("/dev/null"));
	ttys[2].xt_flags = TF_OPENED_CONS;
	/* Two terminals appear after the question for the size of the list. */
	freebsd.new_ttys = 2;
	assert_true(os_terminal_is_open("/dev/null"));
	freebsd.tty_count = 2;
	freebsd.new_ttys = 0;
	assert_false(os_terminal_is_open("/dev/null"));
}

static void test_more_terminals_than_room(void **state)
{
	static struct xtty ttys[20];
	struct stat st;

	(void)state;
	assert_int_equal(stat("/dev/null", &st), 0);
	for (size_t i = 0; i < 20; i++)
		ttys[i] = (struct xtty){ .xt_dev = (uint32_t)st.st_rdev, .xt_flags = TF_OPENED };
	freebsd.ttys = ttys;
	freebsd.tty_count = 20;
	freebsd.new_ttys = 17;
	assert_false(os_terminal_is_open("/dev/null"));
	freebsd.new_ttys = 16;
	assert_true(os_terminal_is_open("/dev/null"));
}

static void test_peers(void **state)
{
	uid_t uid = 12345;
	pid_t pid = 1;
	int pair[2], alone = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_true(alone >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(os_peer(pair[0], &uid, &pid));
	assert_int_equal(uid, getuid());
	assert_int_equal(pid, getpid());
	freebsd.no_peer_pid = true;
	assert_true(os_peer(pair[0], &uid, &pid));
	assert_int_equal(pid, 0);
	assert_false(os_peer(alone, &uid, &pid));
	(void)close(alone);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void test_protection(void **state)
{
	(void)state;
	assert_int_equal(os_protect(getpid()), 0);
	assert_int_equal(freebsd.protected, getpid());
	freebsd.protect_error = EPERM;
	assert_int_equal(os_protect(getpid()), -1);
	assert_int_equal(errno, EPERM);
}

static void test_pins(void **state)
{
	const int64_t self = FIRST_THREAD + getpid();
	bool cpus[MAX_HOST_CPUS] = { false };

	(void)state;
	assert_int_equal(os_pin_thread(getpid(), self, cpus), ENXIO);
	cpus[MAX_HOST_CPUS - 1] = true; /* EDEADLK: the host has fewer */
	assert_int_equal(os_pin_thread(getpid(), self, cpus), ENXIO);
	assert_int_equal(os_pin_thread(getppid(), self, cpus), ESRCH);
	cpus[MAX_HOST_CPUS - 1] = false;
	for (int i = 0; i < MAX_HOST_CPUS; i++) {
		cpus[i] = true;
		if (os_pin_thread(getpid(), self, cpus) == 0)
			return;
		cpus[i] = false;
	}
	fail_msg("the thread can be pinned to no CPU");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(release),
		TEST(numbers_of_both_sizes),
		TEST(modules),
		TEST(host_without_a_boot_id),
		TEST(what_freebsd_lacks),
		TEST(start_does_not_move_with_the_clock),
		TEST(zombie_is_dead),
		TEST(opener_of_a_tap),
		TEST(sectors),
		TEST(terminals),
		TEST(more_terminals_than_room),
		TEST(peers),
		TEST(protection),
		TEST(pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
