/* Programs that change their directory, or have no standard descriptors, around a VM. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "life.h"
#include "vmrun/client.h"

/* Relative paths of the options start where vmrun_open() was called. */
static void test_other_directory(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;
	struct vmrun *vm;

	(void)state;
	o.pid_file = "guest.pid";
	o.supervisor_pid_file = "./own.pid";
	vm = life_open_with(&o, "demo", "");
	life_script("acpi on ready up wait exit 1");
	assert_int_equal(mkdir("elsewhere", 0700), 0);
	assert_int_equal(chdir("elsewhere"), 0);
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up"); /* the guest's cwd is that of its start */
	assert_true(life_file_exists("../guest.pid"));
	assert_true(life_file_exists("../own.pid"));
	assert_false(life_file_exists("guest.pid"));
	vmrun_stop(vm);
	assert_non_null(strstr(life_end(vm), "ended:stopped"));
	assert_false(life_file_exists("../guest.pid"));
	vmrun_close(vm);
	assert_int_equal(chdir(".."), 0);
}

static void test_one_file_for_both_pids(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;
	struct vmrun *vm;
	char text[] = "{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"rom\"}";

	(void)state;
	o.text = text;
	o.length = strlen(text);
	o.pid_file = "a/../pid";
	o.supervisor_pid_file = "a/../pid";
	assert_int_equal(vmrun_open(&vm, &o), 64);
	vmrun_close(vm);
}

/* Returns whether the descriptor is /dev/null. */
static int is_null(int fd)
{
	struct stat is, null;

	return fstat(fd, &is) == 0 && stat("/dev/null", &null) == 0 && is.st_rdev == null.st_rdev &&
	    S_ISCHR(is.st_mode);
}

/*
 * Runs a VM with a console on "stdio" in a program that has closed stdin and stdout, after the
 * first call of another function, which must not leave a descriptor of its own there.
 */
static void run_without_standard(int (*first)(struct vmrun *vm))
{
	struct vmrun *vm = life_open("demo", ",\"com1\":\"stdio\"");
	int input = dup(STDIN_FILENO), output = dup(STDOUT_FILENO);
	int is_open;

	assert_true(input > STDERR_FILENO && output > STDERR_FILENO);
	life_script("print hello exit 1");
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	is_open = first(vm) == 0 && vmrun_start(vm) == 0 && is_null(STDIN_FILENO) &&
	    is_null(STDOUT_FILENO);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	(void)dup2(input, STDIN_FILENO);
	(void)dup2(output, STDOUT_FILENO);
	(void)close(input);
	(void)close(output);
	assert_true(is_open);
	assert_int_equal(vmrun_status(vm), 0);
	vmrun_close(vm);
}

static int do_nothing(struct vmrun *vm)
{
	(void)vm;
	return 0;
}

/* The guest's console must not be the lock of the VM, or what else is opened first. */
static void test_closed_descriptors(void **state)
{
	(void)state;
	run_without_standard(do_nothing);
}

static void test_closed_descriptors_and_a_check(void **state)
{
	(void)state;
	run_without_standard(vmrun_check);
}

static struct vmrun *simulated;

static int simulate(struct vmrun *vm)
{
	(void)vm;
	return vmrun_simulate(simulated, "poweroff");
}

/* The handle of a simulation keeps its descriptor while that of another VM runs. */
static void test_closed_descriptors_and_a_simulation(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;

	(void)state;
	o.dry_run = true;
	simulated = life_open_with(&o, "other", "");
	run_without_standard(simulate);
	vmrun_close(simulated);
}

static struct vmrun *served;
static struct vmrun_client *client;

static int connect_to_other(struct vmrun *vm)
{
	(void)vm;
	return (int)vmrun_client_open(&client, "run", "other", 10000);
}

/* What a guest prints must not be a request to the vmrun of another VM. */
static void test_closed_descriptors_and_a_client(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;

	(void)state;
	o.control = true;
	served = life_open_with(&o, "other", "");
	life_script("hang");
	assert_int_equal(vmrun_start(served), 0);
	run_without_standard(connect_to_other);
	vmrun_client_close(client);
	vmrun_close(served);
}

int main(void)
{
#define LIFE(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)
	const struct CMUnitTest tests[] = {
		LIFE(test_other_directory),
		LIFE(test_one_file_for_both_pids),
		LIFE(test_closed_descriptors),
		LIFE(test_closed_descriptors_and_a_check),
		LIFE(test_closed_descriptors_and_a_simulation),
		LIFE(test_closed_descriptors_and_a_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
