/* The loader of a boot: what follows its end, and what it is killed for. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"
#include "lib/handle.h"

static struct vm v = VM;

static struct run *running(void)
{
	return &v.machine->run;
}

static struct next enter(enum state state)
{
	vm_put(&v, state);
	return machine_states[state].enter(v.machine);
}

static void check_outcome(enum cause cause, int status)
{
	assert_int_equal(v.machine->history.exit[0].cause, cause);
	assert_int_equal(v.machine->history.exit[0].status, status);
}

#define LOADER                                      \
	"vm.bootrom = nil vm.loader = 'bhyveload' " \
	"vm.emulations = { { device = 'virtio-blk', path = 'rom' } }"

/* Starts a loader that runs this script. */
static struct next load(const char *script)
{
	vm_stub("bhyveload", script);
	vm_make(&v, LOADER, NULL);
	vm_check_next(enter(STATE_STARTING), STATE_LOADING, -1);
	return enter(STATE_LOADING);
}

static bool has_loaded(const struct machine *m)
{
	return m->present.state != STATE_LOADING;
}

static void test_loader(void **state)
{
	const struct vmrun_event *e;
	struct next next;

	(void)state;
	life_script("deaf");
	next = load("mkdir -p state/vmm; : >state/vmm/walk");
	vm_check_next(next, STATE_LOADING, v.machine->boot.plan.loading.timeout_ms);
	e = vm_event(&v, VMRUN_LOADING);
	assert_non_null(e);
	assert_int_equal(e->pid, running()->child.job.pid);
	assert_string_equal(e->target, "default");
	assert_string_equal(e->argv[0], "bhyveload");
	vm_await(&v, has_loaded);
	assert_int_equal(v.machine->present.state, STATE_RUNNING);
	vm_close(&v);
}

/* Makes a VM whose loader starts next, and copies what it reads to the file "typed". */
static void begin_with_input(void)
{
	vm_stub("bhyveload", "cat >typed");
	vm_make(&v, LOADER, NULL);
	v.machine->boot.plan.loading.input_path = mem_copy("run/walk/input");
	v.machine->boot.plan.loading.input = mem_copy("boot\n");
	vm_check_next(enter(STATE_STARTING), STATE_LOADING, -1);
}

static void test_input_of_a_loader(void **state)
{
	char text[32];
	FILE *f;

	(void)state;
	begin_with_input();
	(void)enter(STATE_LOADING);
	life_script("deaf");
	vm_await(&v, has_loaded);
	f = fopen("typed", "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "boot\n");
	vm_close(&v);
}

/* Without its commands it would load nothing, and nobody would know why. */
static void test_input_that_cannot_be_read(void **state)
{
	(void)state;
	begin_with_input();
	assert_int_equal(unlink("run/walk/input"), 0);
	vm_check_next(enter(STATE_LOADING), STATE_DECIDING, -1);
	check_outcome(CAUSE_LOADER_FAILED, -1);
	assert_int_equal(running()->exec_status, STATUS_FAULT);
	vm_check_told(&v, "run/walk/input: cannot read the loader's commands: No such file");
	assert_int_equal(access("typed", F_OK), -1);
	vm_close(&v);
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
	return n;
}

/* Only the loader has its input; the console's stays open for the hypervisor. */
static void test_descriptors_of_a_loader(void **state)
{
	int opened[2];

	(void)state;
	vm_stub("bhyveload", "exec sleep 600");
	for (int with_input = 0; with_input < 2; with_input++) {
		vm_make(&v, LOADER, NULL);
		if (with_input == 1) {
			v.machine->boot.plan.loading.input_path = mem_copy("run/walk/input");
			v.machine->boot.plan.loading.input = mem_copy("boot\n");
		}
		vm_check_next(enter(STATE_STARTING), STATE_LOADING, -1);
		opened[with_input] = -count_descriptors();
		assert_int_equal(enter(STATE_LOADING).state, STATE_LOADING);
		opened[with_input] += count_descriptors();
		vm_close(&v);
	}
	assert_int_equal(opened[0], opened[1]);
	assert_true(opened[0] > 0);
}

/* A line of a loader's output names the loader. */
static void test_output_of_a_loader(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	(void)load("echo 'no kernel' >&2; exit 3");
	vm_await(&v, has_loaded);
	e = vm_event(&v, VMRUN_OUTPUT);
	assert_non_null(e);
	assert_string_equal(e->text, "no kernel");
	assert_string_equal(e->by, "bhyveload");
	vm_close(&v);
}

static void test_loader_that_fails(void **state)
{
	static const struct {
		const char *script;
		int status, signal;
	} loaders[] = { { "exit 3", 3, 0 }, { "kill -KILL $$", -1, SIGKILL } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)load(loaders[i].script);
		vm_await(&v, has_loaded);
		check_outcome(CAUSE_LOADER_FAILED, loaders[i].status);
		assert_int_equal(v.machine->history.exit[0].signal, loaders[i].signal);
		vm_check_not_told(&v, "did not end");
		vm_close(&v);
	}
}

static void test_late_loader(void **state)
{
	(void)state;
	(void)load("exec sleep 600");
	v.machine->boot.plan.loading.timeout_ms = 2500;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATES, -1);
	assert_true(running()->gave_up);
	vm_await(&v, has_loaded);
	vm_check_told(&v, "warning bhyveload did not end within 2.5 s: killed\n");
	vm_check_told(&v, "exit loader_failed\n");
	vm_close(&v);
}

/* A stop kills the loader; no hypervisor starts, even if the loader succeeds. */
static void test_stopped_loader(void **state)
{
	(void)state;
	for (int well = 0; well < 2; well++) {
		(void)load(well ? "exit 0" : "exec sleep 600");
		if (well)
			machine_request_stop(v.machine);
		else
			vm_check_next(vm_act(&v, EVENT_STOP), STATES, -1);
		assert_true(v.machine->requests.stop);
		vm_await(&v, has_loaded);
		vm_check_not_told(&v, "spawned");
		check_outcome(CAUSE_STOPPED, well ? 0 : -1);
		vm_close(&v);
	}
}

static void test_loader_that_cannot_start(void **state)
{
	(void)state;
	vm_stub("bhyveload", "");
	vm_write("front/bhyveload", "#!/no/such/interpreter\n");
	vm_make(&v, LOADER, NULL);
	vm_check_next(enter(STATE_LOADING), STATE_DECIDING, -1);
	vm_check_told(&v, "exit loader_failed ");
	assert_int_equal(running()->exec_status, STATUS_CANNOT_EXEC);
	vm_close(&v);
}

static void test_loader_of_a_simulation(void **state)
{
	struct error err = { 0 };

	(void)state;
	vm_prepare(&v, "");
	assert_int_equal(simulation_parse("loader_failed", &v.handle->simulation, &err), 0);
	vm_put(&v, STATE_LOADING);
	vm_check_next(vm_act(&v, EVENT_EXIT), STATE_CLEANING, -1);
	check_outcome(CAUSE_LOADER_FAILED, 1);
	vm_close(&v);
}

#define LOAD(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOAD(test_loader),
		LOAD(test_input_of_a_loader),
		LOAD(test_input_that_cannot_be_read),
		LOAD(test_descriptors_of_a_loader),
		LOAD(test_output_of_a_loader),
		LOAD(test_loader_that_fails),
		LOAD(test_late_loader),
		LOAD(test_stopped_loader),
		LOAD(test_loader_that_cannot_start),
		LOAD(test_loader_of_a_simulation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
