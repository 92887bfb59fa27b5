/* The checks of the host, and their findings as programs get them. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FACT_BYTES ((size_t)1 << 20) /* of output of a command that a check runs */

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static struct vmrun *open_check(bool fix)
{
	struct vmrun_options options = VMRUN_OPTIONS;

	options.check = true;
	options.fix = fix;
	return life_open_with(&options, "demo", "");
}

static void test_no_finding(void **state)
{
	struct vmrun *vm = open_check(false);
	char *json;

	(void)state;
	assert_null(vmrun_check_json(vm));
	assert_int_equal(vmrun_check(vm), 0);
	assert_null(vmrun_finding(vm, 0));
	json = vmrun_check_json(vm);
	assert_string_equal(json, "{\"vm\":\"demo\",\"target\":\"default\",\"problems\":[]}");
	free(json);
	vmrun_close(vm);
}

/* Checks the only finding: the module of bhyve. */
static void expect_module(struct vmrun *vm, bool will_fix)
{
	const struct vmrun_finding *f;

	assert_int_equal(vmrun_check(vm), 69);
	f = vmrun_finding(vm, 0);
	assert_non_null(f);
	assert_null(f->device);
	assert_null(f->id);
	assert_null(f->slot);
	assert_null(f->device_path);
	assert_null(f->path);
	assert_string_equal(f->what, "vmm");
	assert_string_equal(f->problem, "the module is not loaded");
	assert_string_equal(f->fix, "kldload vmm");
	assert_false(f->forced);
	assert_false(f->unchecked);
	assert_int_equal(f->will_fix, will_fix);
	assert_null(vmrun_finding(vm, 1));
}

static void test_finding(void **state)
{
	struct vmrun *vm = open_check(false);
	char *json;

	(void)state;
	write_file("state/modules", "", 0600);
	expect_module(vm, false);
	expect_module(vm, false); /* another check replaces the findings */
	json = vmrun_check_json(vm);
	assert_string_equal(json,
	    "{\"vm\":\"demo\",\"target\":\"default\",\"problems\":[{\"device\":null,\"id\":null,"
	    "\"slot\":null,\"path\":null,\"problem\":\"vmm: the module is not loaded\","
	    "\"fix\":\"kldload vmm\"}]}");
	free(json);
	vmrun_close(vm);
	vm = open_check(true);
	expect_module(vm, true);
	vmrun_close(vm);
}

/* A call that makes no check leaves none of the findings of an earlier one. */
static void test_no_findings_of_an_earlier_check(void **state)
{
	struct vmrun *vm = open_check(false), *running;

	(void)state;
	write_file("state/modules", "", 0600);
	expect_module(vm, false);
	write_file("state/modules", "vmm.ko\n", 0600);
	running = life_open("demo", "");
	life_script("hang");
	assert_int_equal(vmrun_start(running), 0);
	assert_int_equal(vmrun_check(vm), 75);
	assert_null(vmrun_finding(vm, 0));
	assert_null(vmrun_check_json(vm));
	vmrun_close(running);
	assert_int_equal(vmrun_check(vm), 0);
	assert_null(vmrun_finding(vm, 0));
	vmrun_close(vm);
}

/* The findings of a run stay where vmrun_check() is refused. */
static void test_findings_of_a_run(void **state)
{
	struct vmrun *vm = life_open("demo", "");
	const struct vmrun_event *e;

	(void)state;
	write_file("state/modules", "", 0600);
	assert_int_equal(vmrun_start(vm), 0);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	while ((e = vmrun_next_event(vm)) != NULL && e->type != VMRUN_CHECKED)
		;
	assert_non_null(vmrun_finding(vm, 0));
	assert_int_equal(vmrun_check(vm), 64);
	assert_non_null(vmrun_finding(vm, 0));
	vmrun_close(vm);
}

/* Writes what a vmrun that died has left: a VM in /dev/vmm, which its ledger lists. */
static void leave_vm(void)
{
	(void)mkdir("run", 0700); /* a run has made both for its lock */
	(void)mkdir("run/demo", 0700);
	write_file("run/demo/ledger.json",
	    "{\"v\":1,\"vm\":\"demo\",\"supervisor\":4711,\"processes\":[],\"taken\":[],"
	    "\"sockets\":[],\"pid_files\":[],\"destroy\":[\"bhyvectl\",\"--vm=demo\","
	    "\"--destroy\"]}",
	    0600);
	(void)mkdir("state/vmm", 0700);
	write_file("state/vmm/demo", "", 0600);
}

/* What a start undoes first is no problem, and what a start would not begin with is told. */
static void check_what_is_left(bool only_check)
{
	struct vmrun_options o = VMRUN_OPTIONS;
	const struct vmrun_problem *p;
	struct vmrun *vm;
	int fd;

	o.check = only_check;
	o.pid_file = "guest.pid";
	vm = life_open_with(&o, "demo", "");
	leave_vm();
	assert_int_equal(vmrun_check(vm), 0);
	assert_int_equal(vmrun_problem_count(vm), 0);
	write_file("run/demo/vm", "", 0600);
	fd = open("run/demo/vm", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(vmrun_check(vm), 75);
	p = vmrun_problem(vm, 0);
	assert_true(p != NULL && strstr(p->text, "its pid is not known") != NULL);
	(void)close(fd);
	write_file("guest.pid", "text\n", 0600);
	assert_int_equal(vmrun_check(vm), 71);
	p = vmrun_problem(vm, 0);
	assert_true(p != NULL && strstr(p->text, "guest.pid: not a pid file") != NULL);
	assert_int_equal(unlink("guest.pid"), 0);
	assert_int_equal(vmrun_check(vm), 0);
	if (!only_check) {
		life_script("exit 1");
		assert_non_null(strstr(life_run(vm), "ended:poweroff"));
	}
	vmrun_close(vm);
}

static void test_what_is_left(void **state)
{
	(void)state;
	check_what_is_left(true);
}

static void test_what_is_left_to_a_run(void **state)
{
	(void)state;
	check_what_is_left(false);
}

static void test_finding_of_a_device(void **state)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;
	const struct vmrun_finding *f;

	(void)state;
	options.check = options.force = true;
	vm = life_open_with(
	    &options, "demo", ",\"emulations\":[{\"device\":\"virtio-blk\",\"path\":\"none\"}]");
	assert_int_equal(vmrun_check(vm), 69);
	f = vmrun_finding(vm, 0);
	assert_non_null(f);
	assert_string_equal(f->device, "virtio-blk");
	assert_non_null(f->id);
	assert_string_equal(f->slot, "0:1:0");
	assert_string_equal(f->device_path, "emulations[0]");
	assert_string_equal(f->path, "emulations[0].path");
	assert_non_null(strstr(f->fix, "truncate -s 20G "));
	assert_true(f->advice);
	assert_false(f->will_fix);
	vmrun_close(vm);
}

/* Puts the directory bin in front of PATH. */
static void use_bin(void)
{
	char path[8192], cwd[1024];

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	(void)snprintf(path, sizeof(path), "%s/bin:%s", cwd, getenv("PATH"));
	assert_int_equal(setenv("PATH", path, 1), 0);
	assert_int_equal(mkdir("bin", 0700), 0);
}

/* A command that cannot be started is told with the reason. */
static void test_command_that_cannot_start(void **state)
{
	struct vmrun *vm = open_check(false);
	const struct vmrun_finding *f;

	(void)state;
	use_bin();
	write_file("bin/kldstat", "#!/no/such/interpreter\n", 0700);
	assert_int_equal(vmrun_check(vm), 0);
	f = vmrun_finding(vm, 0);
	assert_non_null(f);
	assert_true(f->unchecked);
	assert_non_null(strstr(f->problem, "cannot start kldstat: "));
	assert_non_null(strstr(f->problem, "its interpreter is missing"));
	vmrun_close(vm);
}

/* Checks with a kldstat that succeeds and writes this many bytes. */
static void check_with_output(size_t bytes, bool is_answer)
{
	struct vmrun *vm = open_check(false);
	const struct vmrun_finding *f;
	char script[256];

	(void)snprintf(script, sizeof(script),
	    "#!/bin/sh\nhead -c %zu /dev/zero | tr '\\000' x\nexit 0\n", bytes);
	write_file("bin/kldstat", script, 0700);
	assert_int_equal(vmrun_check(vm), 0);
	f = vmrun_finding(vm, 0);
	assert_int_equal(f != NULL, !is_answer);
	if (f != NULL) {
		assert_true(f->unchecked);
		assert_string_equal(f->what, "kldstat");
		assert_string_equal(
		    f->problem, "kldstat wrote more than 1048576 bytes and was killed");
	}
	vmrun_close(vm);
}

static void test_output_of_a_command_is_limited(void **state)
{
	(void)state;
	use_bin();
	check_with_output(MAX_FACT_BYTES, true);
	check_with_output(MAX_FACT_BYTES + 1, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_finding, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_finding, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_no_findings_of_an_earlier_check, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_findings_of_a_run, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_what_is_left, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_what_is_left_to_a_run, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_finding_of_a_device, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_output_of_a_command_is_limited, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_command_that_cannot_start, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
