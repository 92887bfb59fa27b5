/* The results agree with those of POSIX functions on the same system. */
#define _GNU_SOURCE /* unshare() of Linux, IFF_UP */
#include "platform/os.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

static bool is_freebsd(void)
{
	return strcmp(os_name(), "FreeBSD") == 0;
}

static void test_name_is_that_of_uname(void **state)
{
	struct utsname system;

	(void)state;
	assert_true(uname(&system) >= 0);
	assert_string_equal(os_name(), system.sysname);
}

static void test_architecture_is_one_of_three(void **state)
{
	const char *arch = os_arch();

	(void)state;
	assert_true(strcmp(arch, "amd64") == 0 || strcmp(arch, "arm64") == 0 || *arch == '\0');
}

static void test_only_freebsd_has_bhyve(void **state)
{
	(void)state;
	if (is_freebsd()) {
		assert_true(os_bhyve_release() >= 13);
		return;
	}
	assert_int_equal(os_bhyve_release(), 0);
	assert_false(os_has_vmm());
}

static void test_kvm_needs_its_device(void **state)
{
	char why[OS_KVM_WHY] = "";

	(void)state;
	if (os_has_kvm(why))
		assert_int_equal(access("/dev/kvm", R_OK | W_OK), 0);
	else
		assert_string_not_equal(why, "");
}

static void test_every_interface_exists(void **state)
{
	struct if_nameindex *all = if_nameindex();

	(void)state;
	assert_non_null(all);
	for (struct if_nameindex *one = all; one->if_index != 0; one++)
		assert_true(os_interface_exists(one->if_name));
	if_freenameindex(all);
}

static void test_interfaces_that_are_down(void **state)
{
	struct ifaddrs *all;

	(void)state;
	assert_int_equal(getifaddrs(&all), 0);
	for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next)
		if ((one->ifa_flags & IFF_LOOPBACK) != 0) /* others may change meanwhile */
			assert_int_equal(
			    os_interface_is_down(one->ifa_name), (one->ifa_flags & IFF_UP) == 0);
	freeifaddrs(all);
	assert_false(os_interface_is_down("vmrun-none"));
	assert_false(os_interface_is_down("a-name-longer-than-any-interface-can-have"));
}

static void test_no_other_interface_exists(void **state)
{
	(void)state;
	assert_false(os_interface_exists(""));
	assert_false(os_interface_exists("vmrun-none"));
	assert_false(os_interface_exists("lo/../lo"));
	assert_false(os_interface_exists("a-name-longer-than-any-interface-can-have"));
}

static void test_vm_is_a_plain_name_below_its_directory(void **state)
{
	(void)state;
	assert_false(os_vm_exists(""));
	assert_false(os_vm_exists("no-such-vm"));
	assert_false(os_vm_exists("../null"));
	assert_false(os_vm_exists("/dev/null"));
}

/* The released programs use /dev/vmm, which house.released checks. */
static void test_vm_is_in_the_directory_of_vmm(void **state)
{
	MEM_AUTO char *host = scratch_path("host");
	MEM_AUTO char *vmm = scratch_path("host/vmm");
	MEM_AUTO char *vm = scratch_path("host/vmm/there");

	(void)state;
	assert_int_equal(mkdir(host, 0700), 0);
	assert_int_equal(mkdir(vmm, 0700), 0);
	assert_int_equal(mkdir(vm, 0700), 0);
	assert_int_equal(setenv("FAKE_STATE_DIR", host, 1), 0);
	assert_true(os_vm_exists("there"));
	assert_false(os_vm_exists("gone"));
	assert_false(os_vm_exists(""));
	assert_false(os_vm_exists("../vmm"));
	assert_int_equal(unsetenv("FAKE_STATE_DIR"), 0);
	assert_false(os_vm_exists("there"));
}

static void test_memory_is_that_of_a_machine(void **state)
{
	(void)state;
	assert_true(os_memory() > INT64_C(1) << 24);
}

static void test_no_descriptor_to_look_into_dev(void **state)
{
	bool is_listed, has_dev_fd;

	(void)state;
	scratch_limit(0);
	is_listed = os_device_is_listed("null");
	has_dev_fd = os_has_dev_fd();
	scratch_unlimit();
	assert_false(is_listed);
	assert_false(has_dev_fd);
}

static void test_maker_of_the_processor(void **state)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[512];
	bool is_amd = false;

	(void)state;
	if (f == NULL)
		skip();
	while (fgets(line, sizeof(line), f) != NULL)
		is_amd = is_amd || strstr(line, "AuthenticAMD") != NULL;
	(void)fclose(f);
	assert_int_equal(os_cpu_is_amd(), is_amd);
}

static void test_names_in_dev(void **state)
{
	(void)state;
	assert_true(os_device_is_listed("null"));
	assert_false(os_device_is_listed("vmrun-no-such-device"));
	assert_false(os_device_is_listed("nul"));
}

static void test_only_freebsd_tells_of_modules_and_sysctls(void **state)
{
	int64_t value = 7;

	(void)state;
	assert_false(os_module_loaded("vmrun_no_such_module"));
	assert_false(os_sysctl("vmrun.no.such", &value));
	assert_int_equal(value, 7);
	assert_int_equal(os_sysctl("hw.physmem", &value), is_freebsd());
}

static void test_a_file_has_no_sectors(void **state)
{
	(void)state;
	assert_int_equal(os_sector_size("/etc/passwd"), 0);
	assert_int_equal(os_sector_size("/no/such/disk"), 0);
	assert_false(os_terminal_is_open("/no/such/tty"));
	assert_int_equal(os_interface_opener("vmrun-none"), 0);
}

/* Reads a number of Linux's /sys about a disk; 0: there is none. */
static int64_t number_of_disk(const char *disk, const char *what)
{
	MEM_AUTO char *path = mem_format("/sys/block/%s/%s", disk, what);
	FILE *file = fopen(path, "r");
	char text[32] = "0";

	if (file == NULL)
		return 0;
	(void)!fgets(text, sizeof(text), file);
	(void)fclose(file);
	return strtoll(text, NULL, 10);
}

/* Every disk that this process may open has the sectors that /sys tells of. */
static void test_sectors_of_disks(void **state)
{
	DIR *disks = opendir("/sys/block");
	const struct dirent *disk;
	int seen = 0, fd;

	(void)state;
	while (disks != NULL && (disk = readdir(disks)) != NULL) {
		MEM_AUTO char *path = mem_format("/dev/%s", disk->d_name);
		int64_t size = number_of_disk(disk->d_name, "queue/logical_block_size");

		if (size == 0 || number_of_disk(disk->d_name, "size") == 0)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(os_sector_size(path), fd < 0 || is_freebsd() ? 0 : size);
		if (fd >= 0)
			(void)close(fd);
		seen += fd >= 0;
	}
	if (disks != NULL)
		(void)closedir(disks);
	if (seen == 0)
		print_message("skipped: this process may open no disk\n");
}

static void test_process_that_is_gone_cannot_be_protected(void **state)
{
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(os_protect(pid), -1);
	assert_false(os_process_start(pid, &(int64_t){ 0 }));
}

/* The boot id is the same for each call, and fits in a line of text. */
static void test_boot_id(void **state)
{
	MEM_AUTO char *first = os_boot_id();
	MEM_AUTO char *second = os_boot_id();

	(void)state;
	assert_string_equal(first, second);
	assert_true(strlen(first) >= 32);
	assert_int_equal(strspn(first, "0123456789abcdef-"), strlen(first));
}

/* Returns the answer in a child without the descriptors from `first` to 2. */
static bool has_dev_fd_without(int first)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (int fd = first; fd <= STDERR_FILENO; fd++)
			(void)close(fd);
		_exit(os_has_dev_fd() ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 1;
}

static void test_closed_descriptors_do_not_change_dev_fd(void **state)
{
	bool wanted = os_has_dev_fd();

	(void)state;
	if (!is_freebsd())
		assert_true(wanted);
	for (int first = 0; first <= STDERR_FILENO; first++)
		assert_int_equal(has_dev_fd_without(first), wanted);
}

static void test_start_of_a_process_stays(void **state)
{
	int64_t first, second;
	bool dead = true;

	(void)state;
	assert_true(os_process_look(getpid(), &dead, &first));
	assert_false(dead);
	assert_true(os_process_start(getpid(), &second));
	assert_true(first == second);
	assert_true(os_process_was(getpid(), first));
	assert_false(os_process_was(getpid(), first + 1));
}

/* Enters a new network namespace, in a child of the test; false: that is not allowed here. */
static bool enter_namespace(void)
{
#ifdef CLONE_NEWNET
	return unshare(CLONE_NEWNET) == 0 && access("/dev/net/tun", R_OK | W_OK) == 0;
#else
	return false;
#endif
}

/* Makes, refuses and keeps taps; returns the number of the step that went wrong, 0: none. */
static int make_taps(void)
{
	int first, other, why = os_tap_make("tap0", &first);
	unsigned index;

	if (why == EPERM)
		return -1;
	if (why != 0 || (index = os_interface_index("tap0")) == 0)
		return 1;
	if (os_tap_make("tap0", &other) != EEXIST || other != -1)
		return 2; /* one that is open */
	if (close(first) != 0 || os_interface_index("tap0") != 0)
		return 3; /* not kept, so it disappears */
	if (os_tap_make("tap0", &first) != 0 || os_tap_keep(first) != 0 || close(first) != 0 ||
	    os_interface_index("tap0") <= index)
		return 4;
	if (os_tap_make("tap0", &other) != EEXIST)
		return 5; /* one that is not open: TUNSETIFF alone would open it */
	if (os_tap_make("lo", &other) != EEXIST)
		return 6;
	return os_tap_make("a-name-longer-than-any-interface-can-have", &other) == ENAMETOOLONG ? 0
												: 7;
}

static void test_taps(void **state)
{
	int status, fd;
	pid_t child;

	(void)state;
	if (!os_uses_ip()) {
		assert_int_equal(os_tap_make("tap0", &fd), ENOTSUP);
		assert_int_equal(fd, -1);
		return;
	}
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(enter_namespace() ? make_taps() & 0xff : 0xff);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status == 0xff00) {
		print_message("skipped: no tap can be made here (not root?)\n");
		skip();
	}
	assert_int_equal(status, 0);
}

/* FreeBSD numbers threads apart from processes, so that no process is a thread of its own. */
static void test_pins_of_threads(void **state)
{
	bool none[MAX_HOST_CPUS] = { false }, first[MAX_HOST_CPUS] = { true };

	(void)state;
	assert_int_equal(os_pin_thread(getpid(), getpid(), none), is_freebsd() ? ESRCH : ENXIO);
	assert_int_equal(os_pin_thread(getpid(), getppid(), first), ESRCH);
	assert_int_equal(os_pin_thread(getppid(), getpid(), first), ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_id),
		cmocka_unit_test(test_name_is_that_of_uname),
		cmocka_unit_test(test_architecture_is_one_of_three),
		cmocka_unit_test(test_only_freebsd_has_bhyve),
		cmocka_unit_test(test_kvm_needs_its_device),
		cmocka_unit_test(test_every_interface_exists),
		cmocka_unit_test(test_no_other_interface_exists),
		cmocka_unit_test(test_taps),
		cmocka_unit_test(test_interfaces_that_are_down),
		cmocka_unit_test(test_vm_is_a_plain_name_below_its_directory),
		cmocka_unit_test_setup_teardown(
		    test_vm_is_in_the_directory_of_vmm, scratch_enter, scratch_leave),
		cmocka_unit_test(test_closed_descriptors_do_not_change_dev_fd),
		cmocka_unit_test(test_start_of_a_process_stays),
		cmocka_unit_test(test_memory_is_that_of_a_machine),
		cmocka_unit_test(test_no_descriptor_to_look_into_dev),
		cmocka_unit_test(test_maker_of_the_processor),
		cmocka_unit_test(test_names_in_dev),
		cmocka_unit_test(test_only_freebsd_tells_of_modules_and_sysctls),
		cmocka_unit_test(test_a_file_has_no_sectors),
		cmocka_unit_test(test_pins_of_threads),
		cmocka_unit_test(test_sectors_of_disks),
		cmocka_unit_test(test_process_that_is_gone_cannot_be_protected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
