/* The cleanup after a vmrun that died: what it waits for, ends and undoes, and what refuses it. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"
#include "lib/handle.h"
#include "ledger/statefile.h"
#include "platform/clock.h"
#include "platform/os.h"

#define LOOK_MS 50
#define PATIENCE_MS 10000
#define POWEROFF_MS 10000
#define KILL_MS 5000
#define COMMAND_MS 10000
#define MAX_WAIT_MS 60000
#define CHANGE_MS 10000
#define START_MS 70000 /* the time when the recovery begins */

#define TAKEN "\"taken\":[{\"name\":\"pci0:3:0:0\",\"undo\":[\"sleep\",\"600\"]}]"
#define UNSURE                                                                              \
	"\"taken\":[{\"name\":\"pci0:3:0:0\",\"undo\":[\"sleep\",\"600\"],\"unsure\":true," \
	"\"probe\":[\"sleep\",\"601\"],\"sign\":\"ours\"}]"

static struct vm v = VM;
static pid_t process; /* left by the dead vmrun, or 0 */

/* Starts the process that a dead vmrun left, in its own group; a stubborn one ignores SIGTERM. */
static void start_process(bool stubborn)
{
	char none;
	int running[2];

	assert_int_equal(pipe(running), 0);
	assert_int_equal(fcntl(running[1], F_SETFD, FD_CLOEXEC), 0);
	process = fork();
	assert_true(process >= 0);
	if (process == 0) {
		(void)setpgid(0, 0);
		(void)signal(SIGTERM, stubborn ? SIG_IGN : SIG_DFL);
		(void)execlp("sleep", "sleep", "600", (char *)NULL);
		_exit(127);
	}
	(void)setpgid(process, process);
	(void)close(running[1]);
	assert_int_equal(read(running[0], &none, 1), 0); /* until it executes its program */
	(void)close(running[0]);
}

/* Waits for the end of that process, and returns the signal that ended it. */
static int await_process(void)
{
	int64_t until_ms = clock_ms() + MAX_WAIT_MS;
	int status;

	while (waitpid(process, &status, WNOHANG) == 0) {
		if (clock_ms() > until_ms)
			fail_msg("the process that the dead vmrun left still runs");
		clock_sleep(1);
	}
	process = 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int leave(void **state)
{
	if (process != 0) {
		(void)kill(process, SIGKILL);
		(void)await_process();
	}
	return life_leave(state);
}

/* Returns the process as the ledger has it.  The caller frees it. */
static char *process_entry(const char *name, const char *more)
{
	int64_t start;

	assert_true(os_process_start(process, &start));
	return mem_format("\"processes\":[{\"name\":\"%s\",\"pid\":%ld,\"start\":%lld%s}]", name,
	    (long)process, (long long)start, more);
}

/* Writes the ledger of a dead vmrun; lists that are not given are empty. */
static void leave_ledger(const char *lists)
{
	static const char *const names[] = { "processes", "taken", "sockets", "pid_files",
		"destroy" };
	struct str text = { 0 };

	(void)mkdir("run", 0700);
	assert_int_equal(mkdir("run/walk", 0700), 0);
	str_addf(&text, "{\"v\":1,\"vm\":\"walk\",\"supervisor\":4710");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strstr(lists, names[i]) == NULL)
			str_addf(&text, ",\"%s\":[]", names[i]);
	}
	str_addf(&text, "%s%s}\n", *lists == '\0' ? "" : ",", lists);
	vm_write("run/walk/ledger.json", text.text);
	str_free(&text);
}

/* Makes the machine, whose time the test sets. */
static void open_with(struct machine_options *o)
{
	vm_make(&v, "", o);
	assert_true(ledger_needs_recovery(v.machine->host.ledger));
	v.machine->options.simulation = &v.handle->simulation;
	v.handle->simulation.now_ms = START_MS;
}

static struct next begin(void)
{
	vm_put(&v, STATE_RECOVERING);
	return machine_states[STATE_RECOVERING].enter(v.machine);
}

/* Makes the machine after that ledger was left, and begins. */
static struct next recover(const char *lists)
{
	leave_ledger(lists);
	open_with(NULL);
	return begin();
}

/* Returns what follows the deadline at this time. */
static struct next look_at(int64_t ms)
{
	v.handle->simulation.now_ms = ms;
	return vm_act(&v, EVENT_DEADLINE);
}

static void check_waits(struct next next)
{
	vm_check_next(next, STATE_RECOVERING, LOOK_MS);
}

static void check_done(struct next next)
{
	vm_check_next(next, STATE_WAITING, 0);
	assert_false(ledger_needs_recovery(v.machine->host.ledger));
	vm_put(&v, STATE_WAITING);
}

/* Fails unless the recovery was refused, and the ledger stays. */
static void check_refused(struct next next, const char *text)
{
	vm_check_next(next, STATE_ENDED, -1);
	assert_int_equal(machine_status(v.machine), STATUS_BUSY);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_CHECK_FAILED);
	assert_true(v.machine->host.left_alone);
	vm_check_told(&v, text);
}

static void end_helper(int status)
{
	struct helper *h = &v.machine->helper;
	pid_t pid = h->job.pid;

	assert_int_not_equal(pid, 0);
	helper_kill(h);
	helper_give_up(h);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	h->status = status;
}

static void test_nothing_left(void **state)
{
	(void)state;
	check_done(recover(""));
	vm_check_told(&v, "note cleaning up after a previous vmrun that died (pid 4710)\n");
	vm_check_not_told(&v, "warning");
	vm_close(&v);
}

/* --- the hypervisor --- */

/* Leaves a hypervisor that runs, and begins. */
static void leave_hypervisor(bool stubborn, bool force)
{
	MEM_AUTO char *entry = NULL;

	start_process(stubborn);
	entry = process_entry("hypervisor", "");
	leave_ledger(entry);
	open_with(&(struct machine_options){ .force = force });
	check_waits(begin());
}

static void test_hypervisor_that_ends(void **state)
{
	(void)state;
	leave_hypervisor(false, false);
	check_waits(look_at(START_MS + PATIENCE_MS - 1));
	assert_int_equal(kill(process, SIGKILL), 0);
	(void)await_process();
	check_done(look_at(START_MS + PATIENCE_MS));
	vm_close(&v);
}

/* Without --force, it is left alone: its guest may be at work. */
static void test_hypervisor_that_stays(void **state)
{
	MEM_AUTO char *text = NULL;

	(void)state;
	leave_hypervisor(false, false);
	text = mem_format("warning its hypervisor still runs as pid %ld, left by a vmrun that died "
			  "(pid 4710): stop the guest, or run vmrun with --force\n",
	    (long)process);
	check_refused(look_at(START_MS + PATIENCE_MS), text);
	assert_int_equal(kill(process, 0), 0);
	vm_close(&v);
	assert_true(life_file_exists("run/walk/ledger.json"));
}

/* With --force, it is powered off, then killed, each with its time. */
static void test_forced_end(void **state)
{
	(void)state;
	vm_stub("bhyvectl", "echo \"$*\" >called");
	leave_hypervisor(true, true);
	check_waits(look_at(START_MS + PATIENCE_MS));
	assert_int_equal(v.machine->recovery.step, RECOVER_POWEROFF);
	assert_int_equal(v.machine->recovery.until_ms, START_MS + PATIENCE_MS + POWEROFF_MS);
	while (v.machine->helper.job.pid != 0)
		assert_true(helper_ended(&v.machine->helper, v.machine->helper.job.pid));
	assert_true(life_file_exists("called"));
	check_waits(look_at(START_MS + PATIENCE_MS + POWEROFF_MS - 1));
	assert_int_equal(v.machine->recovery.step, RECOVER_POWEROFF);
	assert_int_equal(kill(process, 0), 0);
	check_waits(look_at(START_MS + PATIENCE_MS + POWEROFF_MS));
	assert_int_equal(v.machine->recovery.step, RECOVER_KILL);
	assert_int_equal(await_process(), SIGKILL);
	check_done(look_at(START_MS + PATIENCE_MS + POWEROFF_MS + 1));
	vm_close(&v);
}

/* Where no command powers it off, a signal does. */
static void test_forced_end_by_signal(void **state)
{
	(void)state;
	leave_hypervisor(false, true);
	v.machine->source->hyper = &hyper_qemu;
	check_waits(look_at(START_MS + PATIENCE_MS));
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(await_process(), SIGTERM);
	check_done(look_at(START_MS + PATIENCE_MS + 1));
	vm_close(&v);
}

static void test_hypervisor_that_does_not_die(void **state)
{
	(void)state;
	leave_hypervisor(true, true);
	v.machine->recovery.step = RECOVER_KILL;
	v.machine->recovery.until_ms = START_MS + KILL_MS;
	check_waits(look_at(START_MS + KILL_MS - 1));
	check_refused(look_at(START_MS + KILL_MS), "warning its hypervisor still runs as pid ");
	vm_close(&v);
}

/* A process holds the lock of a hypervisor that no ledger lists. */
static int hold_lock(void)
{
	int fd;

	(void)mkdir("run", 0700);
	(void)mkdir("run/walk", 0700);
	fd = open("run/walk/vm", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

static void test_unknown_hypervisor(void **state)
{
	int fd;

	(void)state;
	for (int force = 0; force < 2; force++) {
		fd = hold_lock();
		open_with(&(struct machine_options){ .force = force == 1 });
		check_waits(begin());
		vm_check_told(&v, "note waiting for the end of the process that holds ");
		check_refused(look_at(START_MS + PATIENCE_MS),
		    "warning its hypervisor, or a program that this has started, still runs, and "
		    "its pid is not known: end the process that holds ");
		assert_int_equal(close(fd), 0);
		vm_close(&v);
	}
}

/* --- companions --- */

static struct next leave_companion(bool stubborn)
{
	MEM_AUTO char *entry = NULL;

	start_process(stubborn);
	entry = process_entry("d", "");
	return recover(entry);
}

static void test_companion(void **state)
{
	(void)state;
	(void)leave_companion(false);
	assert_true(v.machine->recovery.sigterm_sent);
	assert_int_equal(await_process(), SIGTERM);
	if (v.machine->recovery.step < RECOVER_DESTROY) /* it had not exited at the first look */
		check_done(look_at(START_MS + 1));
	vm_check_not_told(&v, "warning");
	vm_put(&v, STATE_WAITING);
	vm_close(&v);
}

static void test_stubborn_companion(void **state)
{
	(void)state;
	check_waits(leave_companion(true));
	check_waits(look_at(START_MS + PATIENCE_MS - 1));
	assert_false(v.machine->recovery.sigkill_sent);
	assert_int_equal(kill(process, 0), 0);
	(void)look_at(START_MS + PATIENCE_MS);
	assert_true(v.machine->recovery.sigkill_sent);
	assert_int_equal(v.machine->recovery.until_ms, START_MS + PATIENCE_MS + KILL_MS);
	assert_int_equal(await_process(), SIGKILL);
	check_done(look_at(START_MS + PATIENCE_MS + 1));
	vm_check_not_told(&v, "warning");
	vm_close(&v);
}

/* A companion that does not die does not prevent the undo. */
static void test_companion_that_does_not_die(void **state)
{
	(void)state;
	check_waits(leave_companion(true));
	v.machine->recovery.sigkill_sent = true;
	check_waits(look_at(START_MS + PATIENCE_MS - 1));
	vm_check_next(look_at(START_MS + PATIENCE_MS), STATE_WAITING, 0);
	vm_check_told(
	    &v, "warning vmrun cannot kill a companion of the previous vmrun (the next start");
	assert_true(v.machine->host.cleanup_failed);
	assert_int_equal(kill(process, 0), 0);
	vm_close(&v);
}

/* A guest needs its companions while it runs. */
static void test_companion_beside_a_hypervisor(void **state)
{
	int fd = hold_lock();
	MEM_AUTO char *entry = NULL;

	(void)state;
	start_process(true);
	entry = process_entry("d", "");
	assert_int_equal(rename("run/walk/vm", "vm"), 0);
	assert_int_equal(rmdir("run/walk"), 0);
	leave_ledger(entry);
	assert_int_equal(rename("vm", "run/walk/vm"), 0);
	open_with(NULL);
	check_waits(begin());
	assert_false(v.machine->recovery.sigterm_sent);
	assert_int_equal(close(fd), 0);
	v.handle->simulation.now_ms = START_MS + 5;
	check_waits(vm_act(&v, EVENT_DEADLINE));
	assert_true(v.machine->recovery.sigterm_sent);
	/* The time of the companion begins with the signal. */
	assert_int_equal(v.machine->recovery.until_ms, START_MS + 5 + PATIENCE_MS);
	check_waits(look_at(START_MS + 6));
	assert_int_equal(v.machine->recovery.until_ms, START_MS + 5 + PATIENCE_MS);
	vm_close(&v);
}

/* --- commands that change the host --- */

/* Leaves a command that holds the lock. */
static void leave_change(void)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int told[2];
	char byte;

	assert_int_equal(pipe(told), 0);
	process = fork();
	assert_true(process >= 0);
	if (process == 0) {
		int fd = open("run/walk/changes", O_RDWR | O_CREAT, 0600);

		(void)alarm(60);
		(void)setpgid(0, 0);
		if (fcntl(fd, F_SETLK, &lock) == 0)
			(void)!write(told[1], "", 1);
		for (;;)
			(void)pause();
	}
	(void)close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	(void)close(told[0]);
}

/* Leaves a command beside a thing, and begins. */
static void recover_beside_change(void)
{
	MEM_AUTO char *text = NULL;

	leave_ledger(TAKEN);
	leave_change();
	open_with(NULL);
	check_waits(begin());
	text = mem_format(
	    "note waiting for a command of the previous vmrun (pid %ld) to exit\n", (long)process);
	vm_check_told(&v, text);
	check_waits(look_at(START_MS + CHANGE_MS - 1));
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(kill(process, 0), 0);
}

/* Ends the undo that follows. */
static void end_undo(struct next next)
{
	vm_check_next(next, STATE_RECOVERING, COMMAND_MS);
	end_helper(0);
	check_done(vm_act(&v, EVENT_HELPER));
	assert_int_equal(ledger_count(v.machine->host.ledger), 0);
	vm_close(&v);
}

static void test_change_that_ends(void **state)
{
	(void)state;
	recover_beside_change();
	assert_int_equal(kill(process, SIGTERM), 0);
	assert_int_equal(await_process(), SIGTERM);
	vm_check_not_told(&v, "warning");
	end_undo(look_at(START_MS + CHANGE_MS - 1));
}

static void test_change_that_hangs(void **state)
{
	(void)state;
	recover_beside_change();
	check_waits(look_at(START_MS + CHANGE_MS));
	assert_int_equal(v.machine->recovery.until_ms, START_MS + CHANGE_MS + MAX_KILL_MS);
	assert_int_equal(await_process(), SIGKILL);
	vm_check_not_told(&v, "warning");
	end_undo(look_at(START_MS + CHANGE_MS + 1));
}

/* A command that hangs in the kernel does not prevent the undo. */
static void test_change_that_does_not_die(void **state)
{
	(void)state;
	recover_beside_change();
	v.machine->recovery.change_killed = true;
	vm_check_next(look_at(START_MS + CHANGE_MS), STATE_RECOVERING, COMMAND_MS);
	vm_check_told(
	    &v, "warning a command of the previous vmrun still runs and may change the host\n");
	assert_true(v.machine->host.cleanup_failed);
	assert_int_equal(kill(process, 0), 0);
	end_helper(0);
	check_done(vm_act(&v, EVENT_HELPER));
	vm_close(&v);
	assert_true(life_file_exists("run/walk/changes"));
}

/* --- the VM in the kernel --- */

#define NODE "state/vmm/walk"
#define DESTROY "\"destroy\":[\"sleep\",\"600\"]"

static struct next recover_vm(const char *lists)
{
	assert_int_equal(mkdir("state/vmm", 0700), 0);
	vm_write(NODE, "");
	return recover(lists);
}

static void test_destroyed(void **state)
{
	(void)state;
	vm_check_next(recover_vm(DESTROY), STATE_RECOVERING, COMMAND_MS);
	end_helper(0);
	assert_int_equal(unlink(NODE), 0);
	check_done(vm_act(&v, EVENT_HELPER));
	vm_check_not_told(&v, "warning");
	vm_close(&v);
}

/* The kernel frees the VM when no process uses it; vmrun waits for that. */
static void test_destroyed_in_vain(void **state)
{
	(void)state;
	vm_check_next(recover_vm(DESTROY), STATE_RECOVERING, COMMAND_MS);
	end_helper(0);
	check_waits(vm_act(&v, EVENT_HELPER));
	check_waits(look_at(START_MS + COMMAND_MS - 1));
	assert_int_equal(v.machine->helper.job.pid, 0); /* the command runs once */
	vm_check_next(look_at(START_MS + COMMAND_MS), STATE_WAITING, 0);
	vm_check_told(
	    &v, "warning vmrun cannot destroy the VM that the previous vmrun left in /dev/vmm");
	assert_true(v.machine->host.cleanup_failed);
	vm_close(&v);
}

/* The time for that begins with the command, however long vmrun has waited before. */
static void test_destroyed_late(void **state)
{
	MEM_AUTO char *lists = NULL, *entry = NULL;
	int64_t later = START_MS + COMMAND_MS / 2;

	(void)state;
	start_process(true);
	entry = process_entry("swtpm", "");
	lists = mem_format("%s," DESTROY, entry);
	check_waits(recover_vm(lists));
	assert_int_equal(kill(process, SIGKILL), 0);
	assert_int_equal(await_process(), SIGKILL);
	vm_check_next(look_at(later), STATE_RECOVERING, COMMAND_MS);
	end_helper(0);
	check_waits(vm_act(&v, EVENT_HELPER));
	check_waits(look_at(later + COMMAND_MS - 1));
	vm_check_next(look_at(later + COMMAND_MS), STATE_WAITING, 0);
	vm_close(&v);
}

static void test_missing_destroy_command(void **state)
{
	(void)state;
	check_waits(recover_vm("\"destroy\":[\"./missing\"]"));
	vm_check_told(&v, "warning ");
	vm_check_next(look_at(START_MS + COMMAND_MS), STATE_WAITING, 0);
	vm_close(&v);
}

/* A hypervisor without such an entry has no command, and an entry that is gone needs none. */
static void test_nothing_to_destroy(void **state)
{
	(void)state;
	check_done(recover_vm(""));
	vm_close(&v);
	assert_int_equal(unlink(NODE), 0);
	(void)rmdir("run/walk");
	check_done(recover(DESTROY));
	vm_check_not_told(&v, "warning");
	vm_close(&v);
}

/* A destroy command that hangs is killed, and vmrun stops waiting for it. */
static void test_hanging_destroy_command(void **state)
{
	pid_t pid;

	(void)state;
	vm_check_next(recover_vm(DESTROY), STATE_RECOVERING, COMMAND_MS);
	pid = v.machine->helper.job.pid;
	vm_check_next(look_at(START_MS + COMMAND_MS), STATE_RECOVERING, MAX_KILL_MS);
	vm_check_next(look_at(START_MS + COMMAND_MS + MAX_KILL_MS), STATE_WAITING, 0);
	assert_int_equal(v.machine->helper.status, -1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	vm_close(&v);
}

/* --- resources that commands give back --- */

/* Returns whether the command that runs holds the lock that a vmrun after this one waits for. */
static bool helper_holds_lock(void)
{
	pid_t pid;

	return ledger_change_runs(v.machine->host.ledger, &pid) && pid == v.machine->helper.job.pid;
}

static void test_undone(void **state)
{
	(void)state;
	vm_check_next(recover(TAKEN), STATE_RECOVERING, COMMAND_MS);
	assert_true(helper_holds_lock());
	end_helper(0);
	check_done(vm_act(&v, EVENT_HELPER));
	vm_check_told(&v, "note released: sleep 600\n");
	assert_int_equal(ledger_count(v.machine->host.ledger), 0);
	vm_close(&v);
}

static void test_undone_after_a_probe(void **state)
{
	(void)state;
	vm_check_next(recover(UNSURE), STATE_RECOVERING, COMMAND_MS);
	end_helper(0);
	str_add(&v.machine->helper.job.stream[0].text, "ours");
	vm_check_next(vm_act(&v, EVENT_HELPER), STATE_RECOVERING, COMMAND_MS);
	assert_true(helper_holds_lock());
	end_helper(0);
	check_done(vm_act(&v, EVENT_HELPER));
	vm_close(&v);
	assert_false(life_file_exists("run/walk"));
}

static void test_hanging_undo(void **state)
{
	pid_t pid;

	(void)state;
	vm_check_next(recover(TAKEN), STATE_RECOVERING, COMMAND_MS);
	pid = v.machine->helper.job.pid;
	vm_check_next(look_at(START_MS + COMMAND_MS), STATE_RECOVERING, MAX_KILL_MS);
	vm_check_next(look_at(START_MS + COMMAND_MS + MAX_KILL_MS), STATE_WAITING, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	vm_check_told(&v, "warning pci0:3:0:0 is left behind: `sleep 600`: it was killed");
	ledger_drop(v.machine->host.ledger, "pci0:3:0:0");
	vm_close(&v);
}

/* Returns whether there is a ledger, of the vmrun with this pid. */
static bool has_supervisor(pid_t pid)
{
	MEM_AUTO char *text = NULL;
	MEM_AUTO char *wanted = mem_format("\"supervisor\":%ld", (long)pid);
	size_t length;

	assert_int_equal(statefile_read("run/walk/ledger.json", &text, &length, NULL), 0);
	return text != NULL && strstr(text, wanted) != NULL;
}

/* A machine that is freed before its recovery is done leaves the ledger to the next vmrun. */
static void test_freed_before_the_end(void **state)
{
	(void)state;
	leave_ledger(TAKEN);
	open_with(NULL);
	assert_true(has_supervisor(getpid()));
	vm_close(&v);
	assert_true(has_supervisor(4710));
}

/* With --panic-on-failed-cleanup, nothing is started over what is left. */
static void test_panic(void **state)
{
	(void)state;
	for (int panic = 0; panic < 2; panic++) {
		leave_ledger(TAKEN);
		open_with(&(struct machine_options){ .panic = panic == 1 });
		vm_check_next(begin(), STATE_RECOVERING, COMMAND_MS);
		end_helper(1);
		vm_check_next(
		    vm_act(&v, EVENT_HELPER), panic ? STATE_ENDED : STATE_WAITING, panic ? -1 : 0);
		assert_int_equal(machine_status(v.machine), panic ? STATUS_OS : STATUS_OK);
		assert_int_equal(v.machine->host.left_alone, panic);
		assert_true(ledger_has(v.machine->host.ledger, "pci0:3:0:0"));
		if (!panic)
			ledger_drop(v.machine->host.ledger, "pci0:3:0:0");
		vm_put(&v, STATE_ENDED);
		(void)machine_states[STATE_ENDED].enter(v.machine);
		vm_close(&v);
		assert_int_equal(has_supervisor(4710), panic); /* the next vmrun recovers it */
		(void)rmdir("run/walk");
	}
}

/* --- pid files --- */

static void test_pid_files(void **state)
{
	MEM_AUTO char *lists = NULL;
	char directory[4096];

	(void)state;
	assert_non_null(getcwd(directory, sizeof(directory)));
	lists = mem_format("\"pid_files\":[\"%s/old\",\"%s/held\"]", directory, directory);
	vm_write("old", "4710\n");
	vm_write("held", "4710\n");
	leave_ledger(lists);
	open_with(&(struct machine_options){ .pid_file = "held" });
	check_done(begin());
	assert_false(life_file_exists("old"));
	assert_true(life_file_exists("held"));
	vm_close(&v);
}

static void test_pid_file_that_stays(void **state)
{
	MEM_AUTO char *lists = mem_format("\"pid_files\":[\"/tmp/%0300d\"]", 0);

	(void)state;
	vm_check_next(recover(lists), STATE_WAITING, 0);
	vm_check_told(&v, "cannot remove the pid file: ");
	vm_check_told(&v, " (the next start tries again)\n");
	assert_true(v.machine->host.cleanup_failed);
	vm_close(&v);
}

/* The recovery itself removes sockets that no process has open. */
static void test_sockets(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "port" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(close(fd), 0);
	check_done(recover("\"sockets\":[\"port\"]"));
	assert_false(life_file_exists("port"));
	vm_close(&v);
}

/* --- deadlines and requests --- */

/* The command that powers the hypervisor off is not waited for, and not killed. */
static void test_power_off_goes_on(void **state)
{
	pid_t pid;

	(void)state;
	vm_stub("bhyvectl", "exec sleep 600");
	leave_hypervisor(true, true);
	check_waits(look_at(START_MS + PATIENCE_MS));
	pid = v.machine->helper.job.pid;
	assert_int_not_equal(pid, 0);
	check_waits(look_at(START_MS + PATIENCE_MS + 1));
	assert_int_equal(v.machine->helper.job.pid, pid);
	assert_false(v.machine->helper.killed);
	end_helper(0);
	check_waits(vm_act(&v, EVENT_HELPER));
	vm_close(&v);
}

static void test_stop(void **state)
{
	pid_t pid;

	(void)state;
	(void)recover(TAKEN);
	pid = v.machine->helper.job.pid;
	vm_check_next(vm_act(&v, EVENT_STOP), STATE_ENDED, -1);
	assert_int_equal(v.machine->helper.job.pid, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(v.machine->requests.stop);
	assert_true(v.machine->host.left_alone);
	assert_int_equal(v.machine->history.outcome.cause, CAUSE_STOPPED);
	assert_int_equal(machine_status(v.machine), STATUS_OK);
	vm_close(&v);
	assert_true(life_file_exists("run/walk/ledger.json"));
}

#define RECOVERY(test) cmocka_unit_test_setup_teardown(test, life_enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECOVERY(test_nothing_left),
		RECOVERY(test_hypervisor_that_ends),
		RECOVERY(test_hypervisor_that_stays),
		RECOVERY(test_forced_end),
		RECOVERY(test_forced_end_by_signal),
		RECOVERY(test_hypervisor_that_does_not_die),
		RECOVERY(test_unknown_hypervisor),
		RECOVERY(test_companion),
		RECOVERY(test_stubborn_companion),
		RECOVERY(test_companion_that_does_not_die),
		RECOVERY(test_companion_beside_a_hypervisor),
		RECOVERY(test_change_that_ends),
		RECOVERY(test_change_that_hangs),
		RECOVERY(test_change_that_does_not_die),
		RECOVERY(test_destroyed),
		RECOVERY(test_destroyed_in_vain),
		RECOVERY(test_destroyed_late),
		RECOVERY(test_missing_destroy_command),
		RECOVERY(test_nothing_to_destroy),
		RECOVERY(test_hanging_destroy_command),
		RECOVERY(test_undone),
		RECOVERY(test_undone_after_a_probe),
		RECOVERY(test_hanging_undo),
		RECOVERY(test_freed_before_the_end),
		RECOVERY(test_panic),
		RECOVERY(test_pid_files),
		RECOVERY(test_pid_file_that_stays),
		RECOVERY(test_sockets),
		RECOVERY(test_power_off_goes_on),
		RECOVERY(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
