/* The preparation of a start: what is found and checked, which fixes run, and what they leave. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"
#include "platform/clock.h"

#define FIX_MS 30000
#define GONE_LOOK_MS 20

/* A device of the host that is not the guest's yet, and the command that makes it so. */
#define PLACE "pci0:3:0:0"
#define DEVICE "vm.emulations = { { device = 'passthru', src = '3:0:0' } }"
#define FIX "devctl set driver -f " PLACE " ppt"
#define PROBLEM PLACE ": not attached to ppt(4), fix: " FIX

static struct vm v = VM;
static const struct machine_options with_fix = { .fix = true };

static int enter(void **state)
{
	if (life_enter(state) != 0)
		return -1;
	vm_write("state/pci",
	    "none0@" PLACE ":\tclass=0x030000 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03\n");
	return 0;
}

static struct preparation *preparation(void)
{
	return &v.machine->preparation;
}

/* Makes the machine and lets it prepare its first boot: states follow as in a run. */
static void prepare(const char *more, const struct machine_options *options)
{
	struct machine_options o = { .simulation = NULL };

	if (options != NULL)
		o = *options;
	vm_make(&v, more, &o);
	machine_start(v.machine);
}

static bool has_ended(const struct machine *m)
{
	return machine_ended(m);
}

static void run(const char *more, const struct machine_options *options)
{
	prepare(more, options);
	vm_await(&v, has_ended);
}

/* --- checks --- */

static void test_nothing_to_do(void **state)
{
	(void)state;
	life_script("exit 1");
	run("", NULL);
	vm_check_told(&v, "starting\n");
	vm_check_told(&v, "checked\n");
	vm_check_told(&v, "exit poweroff\n");
	vm_check_not_told(&v, "warning");
	vm_check_not_told(&v, "note");
	vm_close(&v);
}

/* Notes of the plan are told at the first boot that has them. */
static void test_notes_once(void **state)
{
	int notes = 0;
	const struct vmrun_event *e;

	(void)state;
	life_script("exit 0\nexit 0\nexit 1");
	vm_make(&v,
	    "vm.emulations = { { device = 'virtio-blk', path = 'rom' } } "
	    "vm.graphic = { vga = 'on' } vm.targets = { other = { emulations = "
	    "{ { device = 'passthru', src = '3:0:0' } } } } "
	    "function vm.on_exit(e) return e.boots == 1 and 'other' or nil end",
	    &(struct machine_options){ .no_checks = true });
	machine_start(v.machine);
	vm_await(&v, has_ended);
	while ((e = vm_event(&v, VMRUN_NOTE)) != NULL) {
		bool of_target = strstr(e->text, "passthru needs wired memory") != NULL;

		assert_int_equal(of_target, notes++ == 1);
	}
	assert_int_equal(notes, 2);
	assert_int_equal(machine_boots(v.machine), 3);
	vm_close(&v);
}

/* A list of notes that are new at each boot does not grow for ever. */
static void test_notes_are_bounded(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	for (int i = 0; i < 3 * MAX_NOTES; i++) {
		words_truncate(&v.machine->boot.plan.notes, 0);
		words_addf(&v.machine->boot.plan.notes, "note %d", i);
		(void)machine_states[STATE_PREPARING].enter(v.machine);
		assert_true(v.machine->told.notes.count <= MAX_NOTES + 1);
	}
	assert_int_equal(vm_count_events(&v, VMRUN_NOTE), 3 * MAX_NOTES);
	vm_close(&v);
}

/* The forecast of the policy is reported once, and not in a simulation. */
static void test_forecast(void **state)
{
	const char *first;

	(void)state;
	life_script("exit 0\nexit 1");
	run("function vm.on_exit() end", NULL);
	first = strstr(vm_told(&v), "policy reboot on_exit of ");
	assert_non_null(first);
	vm_check_told(&v, "exit reboot\n");
	vm_check_told(&v, "exit poweroff\n");
	assert_null(strstr(first + 1, "policy reboot"));
	vm_close(&v);
	vm_simulate(&v, "", "poweroff");
	vm_check_not_told(&v, "policy");
	vm_close(&v);
}

static void test_notes_of_the_plan(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	words_add(&v.machine->boot.plan.notes, "a remark");
	words_add(&v.machine->boot.plan.notes, "another");
	(void)machine_states[STATE_PREPARING].enter(v.machine);
	vm_check_told(&v, "starting\nnote a remark\nnote another\n");
	vm_close(&v);
}

/* All problems are reported together, each with its fix if there is one. */
static void test_problems(void **state)
{
	(void)state;
	(void)unlink("rom");
	run(DEVICE, NULL);
	vm_check_told(&v, "checked\nexit check_failed ");
	vm_check_told(&v, "rom: No such file or directory\n" PROBLEM "\n");
	vm_check_not_told(&v, "fixed");
	vm_check_not_told(&v, "spawned");
	assert_int_equal(machine_boots(v.machine), 0);
	vm_close(&v);
}

static void test_no_checks(void **state)
{
	struct machine_options o = { .no_checks = true };

	(void)state;
	(void)unlink("rom");
	life_script("exit 1");
	run("", &o);
	vm_check_not_told(&v, "checked");
	vm_check_told(&v, "spawned");
	vm_close(&v);
}

/* A check that could not be made gives a remark, and does not prevent the start. */
static void test_unchecked(void **state)
{
	(void)state;
	life_script("exit 1");
	run("vm.gdb = 'no.such.host.invalid:1234'", NULL);
	vm_check_told(
	    &v, "note not checked: no.such.host.invalid:1234: the name of the host is not");
	vm_check_told(&v, "checked\n");
	vm_check_told(&v, "spawned gdb: no.such.host.invalid:1234\n");
	vm_close(&v);
	/* The remark is left out if there is a problem. */
	(void)unlink("rom");
	run("vm.gdb = 'no.such.host.invalid:1234'", NULL);
	vm_check_not_told(&v, "not checked");
	vm_check_told(&v, "exit check_failed ");
	vm_check_not_told(&v, "exit check_failed no.such.host");
	vm_close(&v);
}

/* What the ledger lists, and the disks that are locked, are vmrun's own. */
static void test_what_is_ours(void **state)
{
	struct ledger_thing thing = { .name = (char *)(uintptr_t) "/dev/vmm/walk" };

	(void)state;
	assert_int_equal(mkdir("state/vmm", 0700), 0);
	vm_write("state/vmm/walk", "");
	life_script("exit 1");
	vm_make(&v, "", NULL);
	words_add(&thing.undo, "true");
	assert_int_equal(ledger_take(v.machine->host.ledger, &thing, NULL), 0);
	words_free(&thing.undo);
	machine_start(v.machine);
	vm_await(&v, has_ended);
	vm_check_told(&v, "spawned\n");
	vm_close(&v);
	vm_write("state/vmm/walk", "");
	run("", NULL);
	vm_check_told(&v, "exit check_failed /dev/vmm/walk: a VM of this name exists");
	vm_close(&v);
}

/* A disk that the first boot locked is free for the second one. */
static void test_disk_of_ours(void **state)
{
	(void)state;
	vm_write("disk", "data");
	life_script("exit 0\nexit 1");
	run("vm.emulations = { { device = 'virtio-blk', path = 'disk' } }", NULL);
	assert_int_equal(machine_boots(v.machine), 2);
	vm_check_not_told(&v, "check_failed ");
	vm_close(&v);
}

/* --- fixes --- */

static bool things_in_a_run;

/* The ledger can undo the fix, and knows how to see whether it still holds. */
static void look_at_ledger(enum state from, enum state to)
{
	const struct ledger_thing *thing = ledger_at(v.machine->host.ledger, 0);

	(void)from;
	if (to != STATE_RUNNING)
		return;
	assert_non_null(thing);
	assert_string_equal(thing->name, PLACE);
	assert_string_equal(thing->undo.item[0], "devctl");
	assert_string_equal(thing->probe.item[0], "pciconf");
	assert_string_equal(thing->sign, "ppt");
	assert_true(life_file_exists("run/walk/changes"));
	things_in_a_run = true;
}

static void check_stub(const char *calls)
{
	char text[512] = "";
	FILE *f = fopen("calls", "r");
	size_t n = 0;

	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		assert_int_equal(fclose(f), 0);
	}
	text[n] = '\0';
	assert_string_equal(text, calls);
}

/* Replaces devctl(8) by a script that records its arguments, then runs this. */
static void stub_devctl(const char *then)
{
	MEM_AUTO char *script = mem_format("echo \"devctl $*\" >>calls\n%s", then);

	(void)unlink("calls");
	vm_stub("devctl", script);
}

/* A fix takes the device for the run; the ledger lists it until it is given back. */
static void test_fix(void **state)
{
	(void)state;
	life_script("exit 1");
	v.entered = look_at_ledger;
	things_in_a_run = false;
	run(DEVICE, &with_fix);
	v.entered = NULL;
	vm_check_told(&v, "fixed " FIX "\n");
	vm_check_told(&v, "exit poweroff\n");
	assert_true(things_in_a_run);
	assert_int_equal(ledger_count(v.machine->host.ledger), 0);
	vm_close(&v);
}

/* The device itself may say that its fixes are run, too. */
static void test_fix_of_a_device(void **state)
{
	(void)state;
	life_script("exit 1");
	run("vm.emulations = { { device = 'passthru', src = '3:0:0', fix = true } }", NULL);
	vm_check_told(&v, "fixed " FIX "\n");
	vm_close(&v);
}

/* A fix that failed leaves nothing to undo. */
static void test_failed_fix(void **state)
{
	(void)state;
	stub_devctl("echo busy >&2; exit 1");
	run(DEVICE, &with_fix);
	vm_check_told(&v, "warning `" FIX "` failed: busy\n");
	vm_check_told(&v, "exit check_failed " PROBLEM "\n");
	vm_check_not_told(&v, "fixed");
	assert_int_equal(ledger_count(v.machine->host.ledger), 0);
	check_stub(FIX "\n");
	vm_close(&v);
}

/* A fix that was killed may have taken effect. */
static void test_killed_fix(void **state)
{
	(void)state;
	stub_devctl("[ $1 = clear ] || kill -KILL $$");
	run(DEVICE, &with_fix);
	vm_check_told(&v, "warning `" FIX "` failed: it was killed\n");
	check_stub(FIX "\ndevctl clear driver -f " PLACE "\n");
	vm_close(&v);
}

/* The ledger lists the thing already: a fix that fails is not the one that made it. */
static void test_failed_fix_of_a_listed_thing(void **state)
{
	struct ledger_thing thing = { .name = (char *)(uintptr_t)PLACE };

	(void)state;
	stub_devctl("[ $1 = clear ]");
	vm_make(&v, DEVICE, &(struct machine_options){ .fix = true });
	assert_null(words_split(&thing.undo, "devctl clear " PLACE));
	assert_int_equal(ledger_take(v.machine->host.ledger, &thing, NULL), 0);
	words_free(&thing.undo);
	machine_start(v.machine);
	vm_await(&v, has_ended);
	check_stub(FIX "\ndevctl clear " PLACE "\n");
	vm_close(&v);
}

/* A fix that does not help is not run twice. */
static void test_useless_fix(void **state)
{
	(void)state;
	stub_devctl("");
	run(DEVICE, &with_fix);
	vm_check_told(&v, "fixed " FIX "\n");
	vm_check_told(&v, "exit check_failed " PROBLEM "\n");
	check_stub(FIX "\ndevctl clear driver -f " PLACE "\n");
	vm_close(&v);
}

static void test_missing_fix(void **state)
{
	(void)state;
	vm_stub("devctl", "");
	vm_write("front/devctl", "#!/no/such/interpreter\n");
	run(DEVICE, &with_fix);
	vm_check_told(&v, "warning ");
	vm_check_told(&v, "exit check_failed " PROBLEM "\n");
	assert_int_equal(ledger_count(v.machine->host.ledger), 0);
	vm_close(&v);
}

/* A fix that takes nothing is in no ledger. */
static void test_fix_without_undo(void **state)
{
	(void)state;
	vm_write("state/modules", "");
	life_script("exit 1");
	run("", &with_fix);
	vm_check_told(&v, "fixed kldload vmm\n");
	vm_check_told(&v, "spawned\n");
	vm_close(&v);
}

/* The ledger has the index of the interface that the fix made: here one of every host. */
static void test_index_of_a_fixed_interface(void **state)
{
	struct if_nameindex *interfaces = if_nameindex();
	struct ledger_thing thing = { .index = 0 };
	const struct vmrun_event *e;

	(void)state;
	assert_non_null(interfaces);
	thing.name = interfaces[0].if_name;
	vm_make(&v, "", NULL);
	vm_put(&v, STATE_PREPARING);
	words_add(&thing.undo, "true");
	assert_int_equal(ledger_take(v.machine->host.ledger, &thing, NULL), 0);
	words_free(&thing.undo);
	preparation()->step = PREPARE_CHECK;
	preparation()->fix_takes = true;
	preparation()->fixed = mem_copy(interfaces[0].if_name);
	words_add(&preparation()->tried, "the fix");
	v.machine->helper.status = 0;
	vm_check_next(vm_act(&v, EVENT_HELPER), STATE_PREPARING, MAX_FACT_MS);
	e = vm_event(&v, VMRUN_FIXED);
	assert_non_null(e);
	assert_string_equal(e->target, "default");
	assert_string_equal(e->text, "the fix");
	assert_int_equal(ledger_at(v.machine->host.ledger, 0)->index, interfaces[0].if_index);
	if_freenameindex(interfaces);
	vm_close(&v);
}

static void test_unwritable_ledger(void **state)
{
	(void)state;
	stub_devctl("");
	vm_make(&v, DEVICE, &(struct machine_options){ .fix = true });
	assert_int_equal(mkdir("run/walk/ledger.json.new", 0700), 0);
	machine_start(v.machine);
	vm_await(&v, has_ended);
	vm_check_told(&v, "exit check_failed ");
	vm_check_told(&v, "ledger.json.new: cannot write");
	check_stub("");
	assert_int_equal(rmdir("run/walk/ledger.json.new"), 0);
	vm_close(&v);
}

/* --- force --- */

static void leave_vm(void)
{
	(void)mkdir("state/vmm", 0700);
	vm_write("state/vmm/walk", "");
}

static void test_forced(void **state)
{
	(void)state;
	leave_vm();
	life_script("exit 1");
	run("", &with_fix); /* fixes do not destroy what another program may use */
	vm_check_not_told(&v, "fixed");
	vm_close(&v);
	run("", &(struct machine_options){ .force = true });
	vm_check_told(&v, "fixed bhyvectl --vm=walk --destroy\n");
	vm_check_told(&v, "spawned\n");
	vm_close(&v);
}

/* Answers commands for facts until the preparation waits for something else. */
static struct next ask_facts(struct next next)
{
	while (next.ms == MAX_FACT_MS) {
		struct helper *h = &v.machine->helper;
		struct process_end end;

		while (h->job.stream[0].is_open)
			helper_read(h);
		assert_int_equal(job_finish(&h->job, &end, NULL), 0);
		h->status = end.status;
		next = vm_act(&v, EVENT_HELPER);
	}
	return next;
}

/* Prepares up to the command that is to destroy the VM, which has no effect. */
static void destroy_in_vain(const char *more)
{
	pid_t pid;

	leave_vm();
	vm_stub("bhyvectl", "exec sleep 600");
	vm_make(&v, more, &(struct machine_options){ .force = true });
	vm_put(&v, STATE_PREPARING);
	vm_check_next(
	    ask_facts(machine_states[STATE_PREPARING].enter(v.machine)), STATE_PREPARING, FIX_MS);
	pid = v.machine->helper.job.pid;
	helper_kill(&v.machine->helper);
	helper_give_up(&v.machine->helper);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	v.machine->helper.status = 0;
}

/* The kernel frees a destroyed VM when no process uses it; vmrun waits for that, up to a limit. */
static void test_destroyed_vm_that_stays(void **state)
{
	(void)state;
	destroy_in_vain("");
	vm_check_next(ask_facts(vm_act(&v, EVENT_HELPER)), STATE_PREPARING, GONE_LOOK_MS);
	vm_check_next(ask_facts(vm_act(&v, EVENT_DEADLINE)), STATE_PREPARING, GONE_LOOK_MS);
	preparation()->gone_until_ms = clock_ms();
	vm_check_next(ask_facts(vm_act(&v, EVENT_DEADLINE)), STATE_DECIDING, -1);
	vm_check_told(&v, "exit check_failed /dev/vmm/walk: a VM of this name exists");
	vm_close(&v);
}

static void test_destroyed_vm_that_goes(void **state)
{
	(void)state;
	destroy_in_vain("");
	vm_check_next(ask_facts(vm_act(&v, EVENT_HELPER)), STATE_PREPARING, GONE_LOOK_MS);
	assert_int_equal(unlink("state/vmm/walk"), 0);
	vm_check_next(ask_facts(vm_act(&v, EVENT_DEADLINE)), STATE_PREPARING, -1);
	assert_int_equal(preparation()->step, PREPARE_ASK);
	vm_close(&v);
}

/* Waiting does not remove another problem. */
static void test_destroyed_vm_and_another_problem(void **state)
{
	(void)state;
	destroy_in_vain("");
	(void)unlink("rom");
	vm_check_next(ask_facts(vm_act(&v, EVENT_HELPER)), STATE_DECIDING, -1);
	vm_close(&v);
}

/* A VM is not destroyed where its end does not lead to a start. */
static void test_destroy_in_vain(void **state)
{
	(void)state;
	leave_vm();
	(void)unlink("rom");
	run("", &(struct machine_options){ .force = true });
	vm_check_told(&v, "exit check_failed /dev/vmm/walk: a VM of this name exists");
	vm_check_not_told(&v, "fixed");
	assert_int_equal(access("state/vmm/walk", F_OK), 0);
	vm_close(&v);
}

/* --- the question whether to fix --- */

static bool is_asked(const struct machine *m)
{
	return m->preparation.user_is_asked;
}

static const struct machine_options with_ask = { .ask = true };

static void test_answers(void **state)
{
	(void)state;
	for (int yes = 0; yes < 2; yes++) {
		life_script("exit 1");
		prepare(DEVICE, &with_ask);
		vm_await(&v, is_asked);
		assert_int_equal(v.machine->present.deadline_ms, -1);
		vm_check_not_told(&v, "fixed");
		machine_allow_fixes(v.machine, yes == 1);
		assert_false(preparation()->user_is_asked);
		vm_await(&v, has_ended);
		if (yes)
			vm_check_told(&v, "fixed " FIX "\n");
		else
			vm_check_told(&v, "exit check_failed " PROBLEM "\n");
		vm_close(&v);
	}
}

/* The host may have changed before the answer; it is checked again, and needs no fix. */
static void test_answer_after_a_change(void **state)
{
	(void)state;
	life_script("exit 1");
	prepare(DEVICE, &with_ask);
	vm_await(&v, is_asked);
	vm_write("state/pci",
	    "ppt0@" PLACE ":\tclass=0x030000 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03\n");
	machine_allow_fixes(v.machine, true);
	vm_await(&v, has_ended);
	vm_check_not_told(&v, "fixed");
	vm_check_told(&v, "spawned passthru-0: 3/0/0\n");
	vm_close(&v);
}

static void test_question(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	prepare(DEVICE, &with_ask);
	vm_await(&v, is_asked);
	e = vm_event(&v, VMRUN_CHECKED);
	assert_non_null(e);
	assert_string_equal(e->target, "default");
	assert_true(e->asks);
	assert_int_equal(e->problems, 1);
	vm_close(&v);
}

/* An answer that was not asked for does nothing. */
static void test_answer_without_question(void **state)
{
	(void)state;
	prepare(DEVICE, NULL);
	v.machine->requests.fix = true;
	vm_put(&v, STATE_PREPARING);
	vm_check_next(vm_act(&v, EVENT_FIX), STATES, -1);
	assert_false(v.machine->options.fix);
	vm_close(&v);
}

/* Only the first boot asks, and only where a fix could run. */
static void test_no_question(void **state)
{
	(void)state;
	vm_make(&v, DEVICE, &(struct machine_options){ .ask = true });
	v.machine->history.boots = 1;
	machine_start(v.machine);
	vm_await(&v, has_ended);
	vm_check_told(&v, "exit check_failed");
	vm_close(&v);
	(void)unlink("rom");
	run("", &with_ask);
	vm_check_told(&v, "exit check_failed");
	vm_close(&v);
	/* A fix that was allowed has been tried. */
	stub_devctl("exit 1");
	run(DEVICE, &(struct machine_options){ .ask = true, .fix = true });
	vm_check_told(&v, "exit check_failed");
	vm_close(&v);
}

/* --- names, ports and the console --- */

#define CONSOLE "vm.com1 = 'console' "

static void test_console(void **state)
{
	const char *path;

	(void)state;
	life_script("exit 0\nexit 1");
	run(CONSOLE, NULL);
	path = v.machine->boot.spec->com_found[0];
	assert_non_null(path);
	assert_string_equal(path, v.machine->console.path); /* the same in both boots */
	vm_check_told(&v, "exit poweroff\n");
	vm_close(&v);
	run("vm.com1 = 'stdio'", NULL);
	assert_null(v.machine->boot.spec->com_found[0]);
	assert_int_equal(v.machine->console.fd, -1);
	vm_close(&v);
}

/* A log that cannot be opened refuses the first boot only. */
static void test_console_without_log(void **state)
{
	static const char more[] =
	    CONSOLE "vm.console = { log = '/no/such/directory/log' } vm.on = { reboot = 'stop' }";

	(void)state;
	life_script("exit 1");
	run(more, NULL);
	vm_check_told(&v, "exit check_failed /no/such/directory/log: its directory ");
	vm_close(&v);
	vm_make(&v, more, NULL);
	v.machine->history.boots = 1;
	machine_start(v.machine);
	vm_await(&v, has_ended);
	vm_check_told(&v, "warning console: cannot write /no/such/directory/log: ");
	vm_check_told(&v, "spawned console: vmrunctl -r ");
	vm_check_told(&v, "/run walk console\ncom1: /dev/pts/");
	vm_close(&v);
}

/* Names and ports that the spec leaves open are found before the checks, and are in the plan. */
static void test_found(void **state)
{
	(void)state;
	vm_write("state/interfaces", "tap0\nbridge0\n");
	life_script("exit 1");
	run("vm.emulations = { { device = 'virtio-net', bridge = 'bridge0' } }", NULL);
	assert_string_equal(v.machine->boot.spec->devices[0]->found, "tap1");
	MEM_AUTO char *line = words_shell_line(&v.machine->boot.plan.argv);

	assert_non_null(strstr(line, "tap1"));
	vm_close(&v);
}

static void test_not_found(void **state)
{
	(void)state;
	run("vm.emulations = { { device = 'passthru', lookup = { vendor = '0x10de1043',"
	    "  device = '0x1c0385ae' } } }",
	    NULL);
	vm_check_told(&v, "exit check_failed ");
	vm_check_told(&v, "no such PCI device\n");
	vm_close(&v);
}

/* --- commands --- */

/* A command for facts that cannot be run is an answer, too. */
static void test_fact_that_cannot_be_asked(void **state)
{
	static const char *const commands[][2] = { { "./missing", NULL }, { "./rom", NULL },
		{ "./kept", NULL } };
	struct next next = stay();

	(void)state;
	assert_int_equal(chmod("rom", 0700), 0); /* no system can execute it */
	assert_int_equal(mkdir("kept", 0700), 0);
	vm_make(&v, "", NULL);
	for (int i = 0; i < 3; i++) {
		const struct fact *fact;

		assert_null(facts_ask(&preparation()->facts, commands[i]));
		assert_false(prepare_start_fact(v.machine, &next));
		assert_false(preparation()->fact_command_runs);
		fact = facts_ask(&preparation()->facts, commands[i]);
		assert_non_null(fact);
		assert_int_equal(fact->status, -1);
		assert_int_equal(fact->missing, i == 0);
		assert_int_equal(fact->trouble != NULL, i > 0);
	}
	vm_close(&v);
}

/* A host that lets vmrun start nothing is told as that, not as a command without an answer. */
static void test_fact_without_a_process(void **state)
{
	static const char *const command[] = { "true", NULL };
	struct next next = stay();
	struct rlimit now, none;
	const struct fact *fact;

	(void)state;
	vm_make(&v, "", NULL);
	assert_null(facts_ask(&preparation()->facts, command));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	none = now;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_false(prepare_start_fact(v.machine, &next));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	fact = facts_ask(&preparation()->facts, command);
	assert_non_null(fact);
	assert_string_equal(
	    fact->trouble, "cannot start true: cannot make a pipe: Too many open files");
	vm_close(&v);
}

/* A part of an answer is none. */
static void test_fact_that_cannot_be_read(void **state)
{
	static const char *const command[] = { "true", NULL };
	struct next next = stay();
	const struct fact *fact;

	(void)state;
	vm_make(&v, "", NULL);
	assert_null(facts_ask(&preparation()->facts, command));
	assert_true(prepare_start_fact(v.machine, &next));
	helper_kill(&v.machine->helper);
	v.machine->helper.status = 0;
	v.machine->helper.job.stream[0].error = EIO;
	prepare_fact_ended(v.machine);
	fact = facts_ask(&preparation()->facts, command);
	assert_non_null(fact);
	assert_int_equal(fact->status, -1);
	assert_string_equal(fact->trouble, "the output of true cannot be read: Input/output error");
	vm_close(&v);
}

static void test_late_fact(void **state)
{
	pid_t pid;

	(void)state;
	vm_stub("kldstat", "exec sleep 600");
	vm_make(&v, "", NULL);
	vm_put(&v, STATE_PREPARING);
	vm_check_next(
	    machine_states[STATE_PREPARING].enter(v.machine), STATE_PREPARING, MAX_FACT_MS);
	pid = v.machine->helper.job.pid;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_PREPARING, MAX_KILL_MS);
	assert_true(preparation()->fact_command_runs);
	assert_int_equal(v.machine->helper.job.pid, pid);
	vm_check_next(ask_facts(vm_act(&v, EVENT_DEADLINE)), STATE_PREPARING, -1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	vm_check_told(&v, "note not checked: kldstat did not end within 5 s and was killed");
	vm_close(&v);
}

static void test_stop(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	vm_stub("kldstat", "exec sleep 600");
	vm_make(&v, "", NULL);
	vm_put(&v, STATE_PREPARING);
	(void)machine_states[STATE_PREPARING].enter(v.machine);
	pid = v.machine->helper.job.pid;
	vm_check_next(vm_act(&v, EVENT_STOP), STATE_ENDING, -1);
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
	vm_close(&v);
}

/* A boot that starts again, because it has lost its port, is checked again. */
static void test_prepared_again(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			assert_int_equal(unlink("rom"), 0);
		vm_put(&v, STATE_PREPARING);
		vm_check_next(ask_facts(machine_states[STATE_PREPARING].enter(v.machine)),
		    i == 2 ? STATE_DECIDING : STATE_PREPARING, -1);
		assert_int_equal(vm_count_events(&v, VMRUN_CHECKED), 1);
	}
	vm_close(&v);
}

/* After a change of the host, names are searched again, because one may be taken by now. */
static void test_look_again(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	preparation()->step = PREPARE_CHECK;
	prepare_check_again(preparation());
	assert_int_equal(preparation()->step, PREPARE_FIND);
	preparation()->step = PREPARE_TAKE;
	prepare_check_again(preparation());
	assert_int_equal(preparation()->step, PREPARE_TAKE);
	vm_close(&v);
}

static void test_simulation(void **state)
{
	(void)state;
	vm_simulate(&v, "function vm.on_exit() return vmrun.stop(7) end", "check_failed");
	vm_check_told(&v, "exit check_failed\n");
	vm_close(&v);
}

#define PREPARE(test) cmocka_unit_test_setup_teardown(test, enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PREPARE(test_nothing_to_do),
		PREPARE(test_prepared_again),
		PREPARE(test_notes_once),
		PREPARE(test_notes_are_bounded),
		PREPARE(test_forecast),
		PREPARE(test_notes_of_the_plan),
		PREPARE(test_problems),
		PREPARE(test_no_checks),
		PREPARE(test_unchecked),
		PREPARE(test_what_is_ours),
		PREPARE(test_disk_of_ours),
		PREPARE(test_fix),
		PREPARE(test_fix_of_a_device),
		PREPARE(test_failed_fix),
		PREPARE(test_killed_fix),
		PREPARE(test_failed_fix_of_a_listed_thing),
		PREPARE(test_useless_fix),
		PREPARE(test_missing_fix),
		PREPARE(test_fix_without_undo),
		PREPARE(test_index_of_a_fixed_interface),
		PREPARE(test_unwritable_ledger),
		PREPARE(test_forced),
		PREPARE(test_destroyed_vm_that_stays),
		PREPARE(test_destroyed_vm_that_goes),
		PREPARE(test_destroyed_vm_and_another_problem),
		PREPARE(test_destroy_in_vain),
		PREPARE(test_answers),
		PREPARE(test_answer_after_a_change),
		PREPARE(test_question),
		PREPARE(test_answer_without_question),
		PREPARE(test_no_question),
		PREPARE(test_console),
		PREPARE(test_console_without_log),
		PREPARE(test_found),
		PREPARE(test_not_found),
		PREPARE(test_fact_that_cannot_be_asked),
		PREPARE(test_fact_without_a_process),
		PREPARE(test_fact_that_cannot_be_read),
		PREPARE(test_late_fact),
		PREPARE(test_stop),
		PREPARE(test_look_again),
		PREPARE(test_simulation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
