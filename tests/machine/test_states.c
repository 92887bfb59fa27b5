/* The table of states and events: the test prints it and walks each of its edges with a VM. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/handle.h"
#include "life.h"
#include "platform/os.h"

static const char *const event_names[EVENTS] = { "exit", "helper", "companion", "answered", "up",
	"deadline", "stop", "kill", "reboot", "reset", "fix" };

/* Edges that a VM has walked, by the state that it left. */
static uint32_t walked[STATES];

static void walk(enum state from, enum state to)
{
	assert_int_not_equal(from, to);
	if ((machine_states[from].leads_to & (uint32_t)1 << to) == 0)
		fail_msg("%s leads to %s", machine_states[from].name, machine_states[to].name);
	walked[from] |= (uint32_t)1 << to;
}

/* --- the walks --- */

/* Puts a directory of the test's own in front of PATH. */
static void put_front(const char *program, const char *target)
{
	char path[8192];

	assert_int_equal(mkdir("front", 0700), 0);
	assert_int_equal(symlink(target, program), 0);
	(void)snprintf(path, sizeof(path), "./front:%s", getenv("PATH"));
	(void)setenv("PATH", path, 1);
}

static struct vm v = { .options = VMRUN_OPTIONS, .entered = walk };

static void test_boots(void **state)
{
	(void)state;
	life_script("exit 0\nexit 1");
	vm_start(&v, "");
	vm_end(&v);
	/* The first boot comes prepared. */
	life_script("exit 1");
	vm_open(&v, "");
	assert_int_equal(vmrun_prepare(v.handle), 0);
	assert_int_equal(handle_lock(v.handle), 0);
	vm_begin(&v, &(struct machine_options){ .directory = v.handle->rundir.directory });
	vm_end(&v);
}

static void test_stops(void **state)
{
	(void)state;
	life_script("acpi on ready up wait exit 1");
	vm_start(&v, "");
	vm_reach(&v, STATE_RUNNING);
	life_wait_for(v.handle, "up");
	vmrun_stop(v.handle);
	assert_int_equal(v.machine->present.state, STATE_STOPPING);
	vm_end(&v);
	life_script("exit 0");
	vm_start(&v, "vm.on = { reboot = { boot = 'default', delay = 600 } }");
	vm_reach(&v, STATE_WAITING);
	vmrun_stop(v.handle);
	vm_end(&v);
	for (const char *const *hook = (const char *const[]){ "on_prepare", "on_start", NULL };
	     *hook != NULL; hook++) {
		char more[128];

		(void)snprintf(more, sizeof(more), "function vm.%s() vmrun.sleep(600) end", *hook);
		vm_start(&v, more);
		vm_reach(&v, strcmp(*hook, "on_start") == 0 ? STATE_PREPARING : STATE_DRAFTING);
		vmrun_stop(v.handle);
		vm_end(&v);
	}
}

static void test_hooks(void **state)
{
	(void)state;
	life_script("exit 1");
	vm_start(&v,
	    "function vm.on_start(boot) if boot.target == 'default' then return 'other' end end");
	vm_end(&v);
	vm_start(&v, "function vm.on_prepare(spec) error('broken') end");
	vm_end(&v);
}

static void test_failures(void **state)
{
	(void)state;
	vm_start(&v, "vm.emulations = { { device = 'virtio-blk', path = '/no/such/disk' } }");
	vm_end(&v);
	v.options.bhyve = "./cannot";
	assert_int_equal(symlink("rom", "cannot"), 0);
	assert_int_equal(chmod("rom", 0700), 0); /* which no system can execute */
	vm_start(&v, "");
	vm_end(&v);
	/* The files of the boot cannot be written. */
	vm_open(&v, "vm.graphic = { port = 'auto', password = 'x' }");
	assert_int_equal(handle_lock(v.handle), 0);
	assert_int_equal(mkdir("run/walk/secret", 0700), 0);
	vm_begin(&v, &(struct machine_options){ .directory = v.handle->rundir.directory });
	vm_reach(&v, STATE_ENDED);
	(void)rmdir("run/walk/secret");
	vm_close(&v);
}

static void test_loaders(void **state)
{
	static const char loader[] = "vm.bootrom = nil vm.loader = 'bhyveload'\n"
				     "vm.emulations = { { device = 'virtio-blk', path = 'rom' } }";

	(void)state;
	life_script("exit 1");
	vm_start(&v, loader);
	vm_end(&v);
	vm_simulate(&v, "", "loader_failed");
	vm_end(&v);
	assert_int_equal(chmod("rom", 0700), 0);
	put_front("front/bhyveload", "../rom"); /* which no system can execute */
	vm_start(&v, loader);
	vm_end(&v);
}

/* A cleanup that fails ends the run at once. */
static void test_failed_cleanup(void **state)
{
	(void)state;
	put_front("front/bhyvectl", "/usr/bin/false");
	life_script("exit 1");
	v.options.panic_on_failed_cleanup = true;
	vm_start(&v, "");
	vm_end(&v);
}

static void test_giving_up(void **state)
{
	static const char limit[] = "vm.restart_limit = { count = 1, within = 60 } vm.on = { %s }";
	char more[256];

	(void)state;
	(void)snprintf(more, sizeof(more), limit, "");
	vm_simulate(&v, more, "reboot,reboot,reboot");
	vm_end(&v);
	(void)snprintf(more, sizeof(more), limit, "given_up = { boot = 'other' }");
	vm_simulate(&v, more, "reboot,reboot,poweroff");
	vm_end(&v);
	(void)snprintf(more, sizeof(more), limit, "given_up = 'wait'");
	for (int i = 0; i < 2; i++) {
		vm_simulate(&v, more, "reboot,reboot,poweroff");
		assert_int_equal(v.machine->present.state, STATE_GIVEN_UP);
		if (i == 0)
			machine_stop(v.machine);
		else
			assert_true(machine_reset(v.machine, false));
		assert_int_equal(v.machine->present.state, i == 0 ? STATE_ENDED : STATE_WAITING);
		vm_close(&v);
	}
}

static void leave_ledger(const char *processes)
{
	FILE *f;

	(void)mkdir("run", 0700);
	assert_int_equal(mkdir("run/walk", 0700), 0);
	f = fopen("run/walk/ledger.json", "w");
	assert_non_null(f);
	(void)fprintf(f,
	    "{\"v\":1,\"vm\":\"walk\",\"supervisor\":4710,\"destroy\":[],\"processes\":[%s],"
	    "\"taken\":[],\"pid_files\":[],\"sockets\":[]}",
	    processes);
	assert_int_equal(fclose(f), 0);
}

static void test_recovery(void **state)
{
	char process[128];
	int64_t start;

	(void)state;
	assert_true(os_process_start(getpid(), &start));
	leave_ledger("");
	life_script("exit 1");
	vm_start(&v, "");
	vm_end(&v);
	(void)snprintf(process, sizeof(process),
	    "{\"name\":\"hypervisor\",\"pid\":%ld,\"start\":%lld}", (long)getpid(),
	    (long long)start);
	leave_ledger(process);
	vm_start(&v, "");
	assert_int_equal(v.machine->present.state, STATE_RECOVERING);
	vmrun_stop(v.handle);
	vm_end(&v);
}

/* --- the table --- */

static void print_grid(void)
{
	print_message("%-12s", "");
	for (int e = 0; e < EVENTS; e++)
		print_message("%-10s", event_names[e]);
	print_message("leads to\n");
	for (int s = 0; s < STATES; s++) {
		const struct state_row *row = &machine_states[s];

		print_message("%-12s", row->name);
		for (int e = 0; e < EVENTS; e++)
			print_message("%-10s", row->on[e] == NULL ? "." : "x");
		for (int to = 0; to < STATES; to++) {
			if ((row->leads_to & (uint32_t)1 << to) != 0)
				print_message(" %s", machine_states[to].name);
		}
		print_message("\n");
	}
}

static void test_every_edge_is_walked(void **state)
{
	int missing = 0;

	(void)state;
	print_grid();
	for (int from = 0; from < STATES; from++) {
		for (int to = 0; to < STATES; to++) {
			uint32_t bit = (uint32_t)1 << to;

			if ((machine_states[from].leads_to & bit) == 0 || (walked[from] & bit) != 0)
				continue;
			missing++;
			print_message("no VM went from %s to %s\n", machine_states[from].name,
			    machine_states[to].name);
		}
	}
	assert_int_equal(missing, 0);
}

/* A stop leaves each state except those of the end; each wait has a deadline. */
static void test_every_state_can_be_left(void **state)
{
	(void)state;
	for (int s = STATE_RECOVERING; s < STATE_ENDED; s++) {
		const struct state_row *row = &machine_states[s];
		bool passes = s == STATE_STARTING; /* its action leads on at once */

		assert_non_null(row->name);
		assert_int_not_equal(row->leads_to, 0);
		assert_int_equal(row->on[EVENT_STOP] != NULL, !passes && s != STATE_ENDING);
		assert_int_equal(row->on[EVENT_KILL] != NULL, row->on[EVENT_STOP] != NULL);
		assert_int_equal(row->leads_to >> s & 1, 0);
	}
	assert_int_equal(machine_states[STATE_ENDED].leads_to, 0);
}

#define WALK(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WALK(test_boots),
		WALK(test_stops),
		WALK(test_hooks),
		WALK(test_failures),
		WALK(test_loaders),
		WALK(test_failed_cleanup),
		WALK(test_giving_up),
		WALK(test_recovery),
		cmocka_unit_test(test_every_edge_is_walked),
		cmocka_unit_test(test_every_state_can_be_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
