/* What a boot takes from the host: locks on disks, and taps, step by step. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"
#include "machine/prepare.h"

#define COMMAND_MS 30000
#define MAX_COLLISIONS 64

#define NET "{ device = 'virtio-net', bridge = 'bridge0' }"
#define ONE "vm.emulations = { " NET " }"
#define DISK "vm.emulations = { { device = 'virtio-blk', path = 'disk' } }"

static struct vm v = VM;

static int enter(void **state)
{
	if (life_enter(state) != 0)
		return -1;
	vm_write("state/interfaces", "bridge0\n");
	vm_write("disk", "data");
	return 0;
}

static struct ledger *ledger(void)
{
	return v.machine->host.ledger;
}

static struct preparation *preparation(void)
{
	return &v.machine->preparation;
}

/* Opens a VM that is about to take from the host; its devices have found these taps. */
static void open_taking(const char *more)
{
	vm_make(&v, more, NULL);
	vm_put(&v, STATE_PREPARING);
	preparation()->step = PREPARE_TAKE;
	for (size_t i = 0; i < v.machine->boot.spec->device_count; i++) {
		struct device *dev = v.machine->boot.spec->devices[i];

		dev->found = mem_format("tap%zu", i);
		pairs_add(&v.machine->host.found, dev->id, dev->found);
	}
}

/* Takes resources of the host; returns whether the boot waits, or has failed. */
static bool take(struct next *next)
{
	*next = stay();
	return prepare_taps(v.machine, next);
}

/* Fails unless the boot waits for a command that has these words. */
static void check_command(struct next next)
{
	vm_check_next(next, STATE_PREPARING, COMMAND_MS);
	assert_int_not_equal(v.machine->helper.job.pid, 0);
}

/* Lets the command that runs end by itself, and returns what follows. */
static struct next end_command(void)
{
	struct helper *h = &v.machine->helper;
	struct process_end end;

	while (h->job.stream[0].is_open)
		helper_read(h);
	assert_int_equal(job_finish(&h->job, &end, NULL), 0);
	h->status = end.status;
	return vm_act(&v, EVENT_HELPER);
}

/* Kills the command, and ends it as if it had this status and output. */
static struct next end_command_with(int status, const char *output)
{
	struct helper *h = &v.machine->helper;
	pid_t pid = h->job.pid;

	assert_int_not_equal(pid, 0);
	helper_kill(h);
	helper_give_up(h);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	str_free(&h->job.stream[0].text);
	str_add(&h->job.stream[0].text, output);
	h->status = status;
	return vm_act(&v, EVENT_HELPER);
}

static void check_calls(const char *calls)
{
	char text[1024] = "";
	FILE *f = fopen("calls", "r");

	assert_non_null(f);
	(void)!fread(text, 1, sizeof(text) - 1, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, calls);
}

/* --- disks --- */

static void test_locked_disk(void **state)
{
	struct next next;

	(void)state;
	open_taking(DISK);
	assert_false(take(&next));
	assert_int_equal(v.machine->host.locks.count, 1);
	assert_int_equal(preparation()->step, PREPARE_COMPANIONS);
	assert_true(preparation()->has_disks);
	vm_close(&v);
}

/* Holds the lock of the disk as another vmrun does. */
static void open_beside(struct disklock *other)
{
	open_taking(DISK);
	assert_int_equal(disklock_take(other, v.machine->boot.spec, false, NULL), 0);
	assert_int_equal(other->count, 1);
}

static void test_disk_of_another(void **state)
{
	struct disklock other = { 0 };
	struct next next;

	(void)state;
	open_beside(&other);
	assert_true(take(&next));
	vm_check_next(next, STATE_DECIDING, -1);
	vm_check_told(&v, "disk: in use by another vmrun (fuser or fstat names it)\n");
	vm_check_not_told(&v, "warning");
	disklock_release(&other);
	vm_close(&v);
}

/* Without checks, it is a warning, once in a boot. */
static void test_disk_of_another_without_checks(void **state)
{
	struct disklock other = { 0 };
	struct next next;

	(void)state;
	open_beside(&other);
	v.machine->options.no_checks = true;
	assert_false(take(&next));
	vm_check_told(&v, "warning ");
	vm_check_not_told(&v, "exit ");
	str_free(&v.told);
	preparation()->step = PREPARE_TAKE;
	assert_false(take(&next));
	vm_check_not_told(&v, "warning ");
	disklock_release(&other);
	vm_close(&v);
}

/* --- taps --- */

static void test_steps(void **state)
{
	struct next next;

	(void)state;
	(void)setenv("FAKE_CALLS", "calls", 1);
	open_taking(ONE);
	assert_true(take(&next));
	check_command(next);
	assert_true(ledger_has(ledger(), "tap0")); /* before the command has run */
	assert_true(life_file_exists("run/walk/changes"));
	check_command(end_command());
	check_command(end_command());
	vm_check_next(end_command(), STATE_PREPARING, -1);
	assert_int_equal(preparation()->step, PREPARE_ASK);
	check_calls("ifconfig tap0 create description vmrun:walk\nifconfig bridge0 addm "
		    "tap0\nifconfig tap0 up\n");
	/* The next boot of the run has the tap. */
	prepare_clear(preparation());
	assert_false(take(&next));
	assert_int_equal(ledger_count(ledger()), 1);
	vm_close(&v);
	assert_false(life_file_exists("run/walk/changes"));
	(void)unsetenv("FAKE_CALLS");
}

static bool goes_down;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
bool __wrap_tap_goes_down(const struct plan *plan);

bool __wrap_tap_goes_down(const struct plan *plan)
{
	(void)plan;
	return goes_down;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Each boot switches a tap on that the last hypervisor left down. */
static void test_tap_that_went_down(void **state)
{
	struct next next;

	(void)state;
	(void)setenv("FAKE_CALLS", "calls", 1);
	open_taking(ONE);
	assert_true(take(&next));
	check_command(end_command());
	check_command(end_command());
	vm_check_next(end_command(), STATE_PREPARING, -1);
	prepare_clear(preparation());
	prepare_raise_taps_again(v.machine);
	assert_false(take(&next));
	goes_down = true;
	prepare_raise_taps_again(v.machine);
	prepare_clear(preparation());
	preparation()->step = PREPARE_TAKE;
	vm_put(&v, STATE_PREPARING);
	assert_true(take(&next));
	check_command(next);
	goes_down = false;
	vm_check_next(end_command(), STATE_PREPARING, -1);
	check_calls("ifconfig tap0 create description vmrun:walk\nifconfig bridge0 addm "
		    "tap0\nifconfig tap0 up\nifconfig tap0 up\n");
	vm_close(&v);
	(void)unsetenv("FAKE_CALLS");
}

/* The preparation of a boot begins with that. */
static void test_boot_after_a_tap_went_down(void **state)
{
	struct words *raised;

	(void)state;
	open_taking(ONE);
	raised = &v.machine->host.taps_done[TAP_UP];
	words_add(raised, "tap0");
	(void)prepare_begin(v.machine);
	assert_true(words_have(raised, "tap0"));
	vm_close(&v);
	open_taking(ONE);
	raised = &v.machine->host.taps_done[TAP_UP];
	words_add(raised, "tap0");
	goes_down = true;
	(void)prepare_begin(v.machine);
	goes_down = false;
	assert_false(words_have(raised, "tap0"));
	vm_close(&v);
}

/* The ledger has the index of the created interface: here one of every host. */
static void test_index(void **state)
{
	struct if_nameindex *interfaces = if_nameindex();
	struct device *dev;
	struct next next;

	(void)state;
	assert_non_null(interfaces);
	assert_int_not_equal(interfaces[0].if_index, 0);
	vm_stub("ifconfig", "exec sleep 600");
	open_taking(ONE);
	dev = v.machine->boot.spec->devices[0];
	free(dev->found);
	dev->found = mem_copy(interfaces[0].if_name);
	assert_true(take(&next));
	assert_int_equal(ledger_at(ledger(), 0)->index, 0);
	check_command(end_command_with(0, ""));
	assert_int_equal(ledger_at(ledger(), 0)->index, interfaces[0].if_index);
	ledger_drop(ledger(), interfaces[0].if_name);
	if_freenameindex(interfaces);
	vm_close(&v);
}

static void test_two_taps(void **state)
{
	struct next next;

	(void)state;
	(void)setenv("FAKE_CALLS", "calls", 1);
	open_taking("vm.emulations = { " NET ", { device = 'ahci-hd', path = 'disk' }, " NET " }");
	assert_true(take(&next));
	for (int i = 0; i < 5; i++)
		check_command(end_command());
	vm_check_next(end_command(), STATE_PREPARING, -1);
	check_calls("ifconfig tap0 create description vmrun:walk\nifconfig bridge0 addm "
		    "tap0\nifconfig tap0 up\n"
		    "ifconfig tap2 create description vmrun:walk\nifconfig bridge0 addm "
		    "tap2\nifconfig tap2 up\n");
	assert_int_equal(ledger_count(ledger()), 2);
	vm_close(&v);
	(void)unsetenv("FAKE_CALLS");
}

/* Devices that take nothing: one without a bridge, and one that a target removed. */
static void test_no_tap(void **state)
{
	struct next next;

	(void)state;
	open_taking("vm.emulations = { { device = 'virtio-net', name = 'tap7' }, " NET " }");
	v.machine->boot.spec->devices[1]->removed = true;
	assert_false(take(&next));
	assert_int_equal(v.machine->helper.job.pid, 0);
	v.machine->boot.spec->devices[1]->removed = false;
	mem_free_at(&v.machine->boot.spec->devices[1]->found);
	v.machine->boot.spec->devices[1]->found = NULL;
	prepare_clear(preparation());
	assert_false(take(&next));
	assert_int_equal(ledger_count(ledger()), 0);
	vm_close(&v);
}

static void test_missing_command(void **state)
{
	struct next next;

	(void)state;
	vm_stub("ifconfig", "");
	vm_write("front/ifconfig", "#!/no/such/interpreter\n");
	open_taking(ONE);
	assert_true(take(&next));
	vm_check_next(next, STATE_DECIDING, -1);
	vm_check_told(&v, "exit check_failed no tap could be made for a bridge\n");
	assert_int_equal(ledger_count(ledger()), 0); /* nothing was created */
	vm_close(&v);
}

/* The tap is there, so its entry stays. */
static void test_missing_command_of_a_later_step(void **state)
{
	struct next next;

	(void)state;
	open_taking(ONE);
	assert_true(take(&next));
	vm_stub("ifconfig", "");
	vm_write("front/ifconfig", "#!/no/such/interpreter\n");
	vm_check_next(end_command(), STATE_DECIDING, -1);
	vm_check_told(&v, "exit check_failed no tap could be made for a bridge\n");
	assert_true(ledger_has(ledger(), "tap0"));
	ledger_drop(ledger(), "tap0");
	vm_close(&v);
}

/* An entry of an earlier boot may belong to a tap that exists. */
static void test_missing_command_of_a_listed_tap(void **state)
{
	struct ledger_thing thing;
	struct next next;

	(void)state;
	vm_stub("ifconfig", "");
	vm_write("front/ifconfig", "#!/no/such/interpreter\n");
	open_taking(ONE);
	tap_thing(&v.machine->boot.plan, "tap0", &thing);
	assert_int_equal(ledger_take(ledger(), &thing, NULL), 0);
	ledger_thing_clear(&thing);
	assert_true(take(&next));
	vm_check_next(next, STATE_DECIDING, -1);
	assert_true(ledger_has(ledger(), "tap0"));
	ledger_drop(ledger(), "tap0");
	vm_close(&v);
}

static void test_unwritable_ledger(void **state)
{
	struct next next;

	(void)state;
	open_taking(ONE);
	assert_int_equal(mkdir("run/walk/ledger.json.new", 0700), 0);
	assert_true(take(&next));
	vm_check_next(next, STATE_DECIDING, -1);
	assert_int_equal(v.machine->draft.fault_status, STATUS_OS);
	vm_check_told(&v, "ledger.json.new: cannot write");
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(rmdir("run/walk/ledger.json.new"), 0);
	vm_close(&v);
}

/* Begins a step of the tap; the command hangs. */
static void begin_step(enum tap_step step)
{
	struct next next;

	vm_stub("ifconfig", "exec sleep 600");
	open_taking(ONE);
	assert_true(take(&next));
	for (enum tap_step s = TAP_CREATE; s < step; s++)
		check_command(end_command_with(0, ""));
}

/* A create that failed made no tap; one that was killed may have, and later steps leave it. */
static void test_failed_command(void **state)
{
	static const struct {
		enum tap_step step;
		int status;
		bool stays;
	} failures[] = { { TAP_CREATE, 1, false }, { TAP_CREATE, -1, true }, { TAP_JOIN, 1, true },
		{ TAP_UP, 1, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		begin_step(failures[i].step);
		vm_check_next(
		    end_command_with(failures[i].status, "ifconfig: no\n"), STATE_DECIDING, -1);
		vm_check_told(&v, ": no tap for its bridge: ifconfig: no\n");
		assert_int_equal(ledger_has(ledger(), "tap0"), failures[i].stays);
		if (failures[i].stays)
			ledger_drop(ledger(), "tap0");
		vm_close(&v);
	}
}

/* The next boot goes on where the last one failed. */
static void test_failed_join_is_tried_again(void **state)
{
	struct next next;

	(void)state;
	(void)setenv("FAKE_CALLS", "calls", 1);
	vm_write("state/interfaces", "");
	open_taking(ONE);
	assert_true(take(&next));
	check_command(end_command());
	vm_check_next(end_command(), STATE_DECIDING, -1);
	vm_write("state/interfaces", "bridge0\ntap0\n");
	prepare_clear(preparation());
	preparation()->step = PREPARE_TAKE;
	vm_put(&v, STATE_PREPARING);
	assert_true(take(&next));
	check_command(next);
	check_command(end_command());
	vm_check_next(end_command(), STATE_PREPARING, -1);
	check_calls("ifconfig tap0 create description vmrun:walk\nifconfig bridge0 addm tap0\n"
		    "ifconfig bridge0 addm tap0\nifconfig tap0 up\n");
	vm_close(&v);
	(void)unsetenv("FAKE_CALLS");
}

/* --- names that another program takes --- */

#define EXISTS "ifconfig: SIOCIFCREATE2 (tap0): File exists\n"

/* Other names are searched and taken, from the first device on. */
static void test_collision(void **state)
{
	static const char *const list[] = { "ifconfig", "-l", NULL };
	struct next next;

	(void)state;
	begin_step(TAP_CREATE);
	assert_null(facts_ask(&preparation()->facts, list)); /* by then, it is out of date */
	facts_store(&preparation()->facts, 0, false, "bridge0");
	next = end_command_with(1, EXISTS);
	vm_check_next(next, STATE_PREPARING, MAX_FACT_MS); /* lists the interfaces */
	assert_int_equal(preparation()->step, PREPARE_FIND);
	assert_int_equal(preparation()->tap, 0);
	assert_int_equal(preparation()->collisions, 1);
	assert_null(v.machine->boot.spec->devices[0]->found);
	assert_int_equal(v.machine->host.found.count, 0);
	assert_int_equal(ledger_count(ledger()), 0);
	vm_check_not_told(&v, "exit ");
	vm_close(&v);
}

/* A name that the system does not give is not tried again, though no interface has it. */
static void test_refused_name(void **state)
{
	struct check_names names;

	(void)state;
	begin_step(TAP_CREATE);
	vm_check_next(end_command_with(1, EXISTS), STATE_PREPARING, MAX_FACT_MS);
	names = prepare_names(v.machine);
	assert_false(names.take(names.context, "tap0"));
	assert_true(names.take(names.context, "tap1"));
	names.drop(names.context, "tap1");
	prepare_clear(preparation()); /* for the next boot */
	assert_true(names.take(names.context, "tap0"));
	names.drop(names.context, "tap0");
	vm_close(&v);
}

/* Only the create of a tap collides. */
static void test_no_collision(void **state)
{
	(void)state;
	begin_step(TAP_JOIN);
	vm_check_next(end_command_with(1, EXISTS), STATE_DECIDING, -1);
	ledger_drop(ledger(), "tap0");
	vm_close(&v);
}

/* The entry of an earlier boot stays, as its create may have been killed. */
static void test_collision_of_a_listed_tap(void **state)
{
	(void)state;
	begin_step(TAP_CREATE);
	preparation()->tap_noted = false;
	vm_check_next(end_command_with(1, EXISTS), STATE_PREPARING, MAX_FACT_MS);
	assert_true(ledger_has(ledger(), "tap0"));
	ledger_drop(ledger(), "tap0");
	vm_close(&v);
}

static void test_as_many_collisions_as_allowed_and_one_more(void **state)
{
	(void)state;
	for (int before = MAX_COLLISIONS - 1; before <= MAX_COLLISIONS; before++) {
		begin_step(TAP_CREATE);
		preparation()->collisions = before;
		vm_check_next(end_command_with(1, EXISTS),
		    before < MAX_COLLISIONS ? STATE_PREPARING : STATE_DECIDING,
		    before < MAX_COLLISIONS ? MAX_FACT_MS : -1);
		vm_close(&v);
	}
}

#define TAPS(test) cmocka_unit_test_setup_teardown(test, enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAPS(test_locked_disk),
		TAPS(test_disk_of_another),
		TAPS(test_disk_of_another_without_checks),
		TAPS(test_steps),
		TAPS(test_tap_that_went_down),
		TAPS(test_boot_after_a_tap_went_down),
		TAPS(test_index),
		TAPS(test_two_taps),
		TAPS(test_no_tap),
		TAPS(test_missing_command),
		TAPS(test_missing_command_of_a_later_step),
		TAPS(test_missing_command_of_a_listed_tap),
		TAPS(test_unwritable_ledger),
		TAPS(test_failed_command),
		TAPS(test_failed_join_is_tried_again),
		TAPS(test_collision),
		TAPS(test_refused_name),
		TAPS(test_no_collision),
		TAPS(test_collision_of_a_listed_tap),
		TAPS(test_as_many_collisions_as_allowed_and_one_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
