/* The hypervisor of a boot: how it starts, when it is killed, how it ends. */
#define _XOPEN_SOURCE 700 /* posix_openpt() */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "hook/call.h"
#include "life.h"
#include "lib/handle.h"
#include "machine/hypervisor.h"
#include "platform/clock.h"

#define FIRST_LOOK_MS 1000
#define SECOND_LOOK_MS 9000
#define MAX_LATE_MS 1000

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

static void read_file(const char *path, char text[128])
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, 127, f)] = '\0';
	assert_int_equal(fclose(f), 0);
}

static void check_file(const char *path, const char *content)
{
	char text[128];

	read_file(path, text);
	assert_string_equal(text, content);
}

/* --- what a start makes --- */

static void test_first_state(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	assert_int_equal(machine_boots(v.machine), 1);
	assert_string_equal(ledger_destroy_command(v.machine->host.ledger)->item[0], "bhyvectl");
	words_add(&v.machine->boot.plan.loading.argv, "bhyveload");
	vm_check_next(enter(STATE_STARTING), STATE_LOADING, -1);
	assert_int_equal(machine_boots(v.machine), 2);
	vm_close(&v);
}

static void test_files(void **state)
{
	struct plan *plan;
	struct stat st;

	(void)state;
	vm_make(&v, "", NULL);
	plan = &v.machine->boot.plan;
	plan->secret_path = mem_copy("run/walk/secret");
	plan->secret = mem_copy("a secret");
	plan->loading.map_path = mem_copy("run/walk/map");
	plan->loading.map = mem_copy("a map");
	plan->loading.input_path = mem_copy("run/walk/input");
	plan->loading.input = mem_copy("an input");
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	check_file("run/walk/secret", "a secret");
	check_file("run/walk/map", "a map");
	check_file("run/walk/input", "an input");
	assert_int_equal(stat("run/walk/secret", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	vm_close(&v);
}

/* Fails unless the boot fails before it counts as one. */
static void check_refused(const char *text)
{
	vm_check_next(enter(STATE_STARTING), STATE_DECIDING, -1);
	vm_check_told(&v, text);
	assert_int_equal(machine_boots(v.machine), 0);
	vm_close(&v);
}

static void test_files_that_cannot_be_written(void **state)
{
	static const char where[] = "/no/such/directory/file";

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct plan *plan;

		vm_make(&v, "", NULL);
		plan = &v.machine->boot.plan;
		*(i == 0	 ? &plan->secret_path
			: i == 1 ? &plan->loading.map_path
				 : &plan->loading.input_path) = mem_copy(where);
		*(i == 0	 ? &plan->secret
			: i == 1 ? &plan->loading.map
				 : &plan->loading.input) = mem_copy("text");
		check_refused("exit check_failed /no/such/directory/file: cannot write: ");
	}
}

static void test_sockets_before(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	vm_write("foreign", "");
	words_add(&v.machine->boot.plan.sockets, "foreign");
	check_refused("exit check_failed foreign: exists and is not a socket");
	assert_int_equal(access("foreign", F_OK), 0);
}

static void test_unwritable_ledger(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	assert_int_equal(mkdir("run/walk/ledger.json.new", 0700), 0);
	v.machine->history.boots = 1;
	vm_check_next(enter(STATE_STARTING), STATE_DECIDING, -1);
	assert_int_equal(v.machine->draft.fault_status, 0); /* the policy decides */
	v.machine->history.boots = 0;
	vm_check_next(enter(STATE_STARTING), STATE_DECIDING, -1);
	assert_int_equal(v.machine->draft.fault_status, STATUS_OS);
	assert_int_equal(rmdir("run/walk/ledger.json.new"), 0);
	vm_check_told(&v, "ledger.json.new: cannot write");
	vm_close(&v);
}

/* The file of variables is created once, with an event. */
static void test_variables(void **state)
{
	(void)state;
	vm_make(&v, "", NULL);
	vm_write("template", "variables");
	v.machine->boot.plan.varfile_template = mem_copy("template");
	v.machine->boot.plan.varfile = mem_copy("vars");
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	check_file("vars", "variables");
	vm_check_told(&v, "note made vars from template\n");
	str_free(&v.told);
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	vm_check_not_told(&v, "note ");
	assert_int_equal(unlink("vars"), 0);
	assert_int_equal(unlink("template"), 0);
	v.machine->history.boots = 0;
	check_refused("exit check_failed ");
}

/* --- the start --- */

/* Makes the machine and starts its hypervisor; returns what follows. */
static struct next spawn_with(const char *more, struct machine_options *o)
{
	vm_make(&v, more, o);
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	return enter(STATE_RUNNING);
}

static void spawn(const char *more)
{
	vm_check_next(spawn_with(more, NULL), STATE_RUNNING, FIRST_LOOK_MS);
}

static bool is_gone(const struct machine *m)
{
	return m->present.state == STATE_CLEANING || m->present.state > STATE_CLEANING;
}

/* Waits for the end of the hypervisor, which is handled as in a run. */
static void await_exit(void)
{
	vm_await(&v, is_gone);
}

/* Waits for the end of a process, which is handled later. */
static void await_death(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_spawned(void **state)
{
	const struct vmrun_event *e;
	pid_t noted;

	(void)state;
	life_script("deaf");
	spawn("");
	e = vm_event(&v, VMRUN_SPAWNED);
	assert_non_null(e);
	assert_string_equal(e->target, "default");
	assert_int_equal(e->pid, running()->child.job.pid);
	assert_false(e->console);
	assert_false(e->terminal);
	assert_string_equal(e->argv[0], FAKEBHYVE);
	assert_false(running()->awaits_answer);
	assert_true(ledger_hypervisor_runs(v.machine->host.ledger, &noted));
	assert_int_equal(noted, running()->child.job.pid);
	assert_true(v.machine->calls.boot_runs); /* for what hooks ask for */
	assert_false(v.machine->calls.has_console);
	vm_close(&v);
}

/* What was chosen is told with the start, and again only where it differs from the boot before. */
static void test_chosen(void **state)
{
	const struct vmrun_event *e;
	struct vmrun_state told;

	(void)state;
	life_script("deaf\ndeaf\ndeaf");
	vm_make(&v, "vm.com1 = '/dev/nmdm3A' vm.graphic = { port = 5977 }", NULL);
	machine_get_state(v.machine, &told);
	assert_null(told.devices);
	assert_null(told.screen);
	for (int boot = 0; boot < 3; boot++) {
		vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
		vm_check_next(enter(STATE_RUNNING), STATE_RUNNING, FIRST_LOOK_MS);
		e = vm_event(&v, VMRUN_SPAWNED);
		assert_non_null(e);
		assert_non_null(strstr(e->devices, "\"com1\":{\"tty\":\"/dev/nmdm"));
		if (boot == 0)
			assert_string_equal(e->text,
			    "screen: vnc://127.0.0.1:5977\nconsole: cu -l /dev/nmdm3B\n"
			    "com1: /dev/nmdm3B");
		else if (boot == 1)
			assert_null(e->text);
		else
			assert_string_equal(
			    e->text, "console: cu -l /dev/nmdm4B\ncom1: /dev/nmdm4B");
		machine_get_state(v.machine, &told);
		assert_string_equal(told.devices, e->devices);
		assert_string_equal(told.screen, "vnc://127.0.0.1:5977");
		assert_string_equal(
		    told.console, boot < 2 ? "cu -l /dev/nmdm3B" : "cu -l /dev/nmdm4B");
		assert_null(told.accel);
		assert_non_null(told.run_dir);
		assert_non_null(told.state_dir);
		child_signal(&running()->child, SIGKILL);
		await_exit();
		machine_get_state(v.machine, &told);
		assert_null(told.devices);
		assert_null(told.console);
		assert_non_null(told.run_dir);
		if (boot == 1)
			*strchr(v.machine->boot.spec->com[0], '3') = '4';
	}
	vm_close(&v);
}

/* The terminal that qemu makes in place of a nmdm pair is known once qemu has named it. */
static void test_terminal_made(void **state)
{
	struct vmrun_state told;

	(void)state;
	life_script("deaf");
	spawn("vm.com2 = '/dev/nmdm3A'");
	v.machine->boot.plan.hyper = &hyper_qemu;
	running()->child.say(
	    running()->child.say_context, "char device redirected to /dev/pts/77 (label com2)");
	v.machine->boot.plan.hyper = &hyper_bhyve;
	machine_get_state(v.machine, &told);
	assert_string_equal(told.console, "cu -l /dev/pts/77");
	assert_string_equal(told.devices, "{\"com2\":{\"tty\":\"/dev/pts/77\"}}");
	vm_close(&v);
}

/* Starts a hypervisor whose serial port reads this descriptor. */
static void check_console(int input, bool is_terminal)
{
	const struct vmrun_event *e;

	assert_true(input >= 0);
	life_script("deaf");
	vm_make(&v, "vm.com1 = 'stdio'", NULL);
	v.machine->options.console_input = input;
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	vm_check_next(enter(STATE_RUNNING), STATE_RUNNING, FIRST_LOOK_MS);
	e = vm_event(&v, VMRUN_SPAWNED);
	assert_non_null(e);
	assert_true(e->console);
	assert_int_equal(e->terminal, is_terminal);
	vm_close(&v);
	assert_int_equal(close(input), 0);
}

static void test_console(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	check_console(open("/dev/null", O_RDONLY), false);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	check_console(open(ptsname(master), O_RDWR | O_NOCTTY), true);
	assert_int_equal(close(master), 0);
}

static int protection;		/* what os_protect() returns */
static pid_t protected_process; /* that it was called for */

/* The linker sets this name. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __wrap_os_protect(pid_t pid);
int __wrap_os_protect(pid_t pid)
{
	protected_process = pid;
	return protection;
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Where the system does not let vmrun protect the hypervisor, vmrun says so. */
static void test_protected(void **state)
{
	(void)state;
	for (protection = -1; protection <= 0; protection++) {
		life_script("deaf");
		spawn("vm.protect = true");
		assert_int_equal(protected_process, running()->child.job.pid);
		if (protection != 0)
			vm_check_told(&v,
			    "warning protect: the system refuses this (is vmrun running as "
			    "root?)\n");
		else
			vm_check_not_told(&v, "warning");
		vm_close(&v);
	}
	protected_process = 0;
	life_script("deaf");
	spawn("");
	vm_check_not_told(&v, "warning");
	assert_int_equal(protected_process, 0);
	vm_close(&v);
}

static void test_pins_that_fail(void **state)
{
	MEM_AUTO char *foreign = NULL;

	(void)state;
	life_script("deaf");
	spawn("vm.cpu = 2; vm.pin = { '0:0' }");
	foreign = mem_format("warning pin: \"0:0\": process %ld has no thread 1: a prefix must "
			     "execute qemu in its own process\n",
	    (long)running()->child.job.pid);
	guest_pin(v.machine, 1, 1); /* it has no pin */
	vm_check_not_told(&v, "warning");
	guest_pin(v.machine, 0, 1);
	vm_check_told(&v, foreign);
	vm_check_not_told(&v, "does not say");
	guest_pin(v.machine, -1, 0);
	vm_check_told(
	    &v, "warning pin: qemu does not say which threads run the processors: ignored\n");
	vm_close(&v);
}

static void test_simulated(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	assert_int_equal(machine_boots(v.machine), 1);
	vm_check_next(enter(STATE_RUNNING), STATES, -1);
	assert_int_equal(running()->child.job.pid, 0);
	vm_check_told(&v, "spawned\n");
	vm_check_next(enter(STATE_LOADING), STATES, -1);
	vm_close(&v);
}

/* A start that fails keeps its status for the end of the run. */
static void test_program_that_cannot_start(void **state)
{
	static const struct {
		const char *program;
		int status;
	} programs[] = { { "./missing", STATUS_EXEC_MISSING }, { "./rom", STATUS_CANNOT_EXEC } };

	(void)state;
	assert_int_equal(chmod("rom", 0700), 0);
	for (int i = 0; i < 2; i++) {
		v.options.bhyve = programs[i].program;
		vm_check_next(spawn_with("", NULL), STATE_DECIDING, -1);
		assert_int_equal(running()->exec_status, programs[i].status);
		vm_check_told(&v, "exit start_failed ");
		vm_close(&v);
	}
}

/* After a loader, there is a VM to destroy. */
static void test_program_that_cannot_start_after_its_loader(void **state)
{
	(void)state;
	v.options.bhyve = "./missing";
	vm_make(&v, "", NULL);
	words_add(&v.machine->boot.plan.loading.argv, "bhyveload");
	vm_check_next(enter(STATE_RUNNING), STATE_CLEANING, -1);
	vm_check_told(&v, "exit start_failed ");
	vm_close(&v);
}

/* A process of the last boot still holds the lock. */
static void test_locked(void **state)
{
	int fd;

	(void)state;
	vm_make(&v, "", NULL);
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	running()->exec_status = 1;
	assert_int_equal(ledger_lock_vm(v.machine->host.ledger, &fd, NULL), 0);
	vm_check_next(enter(STATE_RUNNING), STATE_DECIDING, -1);
	vm_check_told(&v, "exit check_failed ");
	vm_check_told(&v, "/vm is locked: ");
	assert_int_equal(running()->exec_status, STATUS_CHECK);
	assert_int_equal(close(fd), 0);
	vm_check_next(enter(STATE_RUNNING), STATE_RUNNING, FIRST_LOOK_MS);
	assert_int_equal(running()->exec_status, 0);
	vm_close(&v);
}

/* --- the pid file --- */

static int pid_of_state(void)
{
	struct vmrun_state now;

	machine_get_state(v.machine, &now);
	return now.pid;
}

/* The file and the state have the pid of a hypervisor that runs, and none between two boots. */
static void test_pid(void **state)
{
	char text[128], expected[32];

	(void)state;
	life_script("exit 0");
	assert_int_equal(
	    spawn_with("", &(struct machine_options){ .pid_file = "pid" }).state, STATE_RUNNING);
	(void)snprintf(expected, sizeof(expected), "%ld\n", (long)running()->child.job.pid);
	read_file("pid", text);
	assert_string_equal(text, expected);
	assert_int_equal(pid_of_state(), running()->child.job.pid);
	assert_int_not_equal(pid_of_state(), 0);
	await_death(running()->child.job.pid);
	vm_check_next(vm_act(&v, EVENT_EXIT), STATE_CLEANING, -1);
	check_file("pid", "");
	assert_int_equal(pid_of_state(), 0);
	vm_put(&v, STATE_RUNNING); /* before the next one is there */
	assert_int_equal(pid_of_state(), 0);
	vm_close(&v);
	assert_int_not_equal(access("pid", F_OK), 0);
}

/* The ledger has absolute paths: the next vmrun may begin in another directory. */
static void test_paths_of_pid_files(void **state)
{
	char own[4096 + 8], pid[sizeof(own)], directory[4096];
	const struct words *files;

	(void)state;
	assert_non_null(getcwd(directory, sizeof(directory)));
	(void)snprintf(own, sizeof(own), "%s/own", directory);
	(void)snprintf(pid, sizeof(pid), "%s/pid", directory);
	vm_make(&v, "", &(struct machine_options){ .pid_file = "pid", .own_pid_file = own });
	files = &v.machine->host.pid_files;
	assert_int_equal(files->count, 2);
	assert_string_equal(files->item[0], pid);
	assert_string_equal(files->item[1], own);
	vm_close(&v);
}

/* Fails unless no machine is made with these options, for this reason. */
static void check_no_machine(struct machine_options *o, const char *why)
{
	struct report report = { 0 };
	MEM_AUTO char *text = NULL;
	struct vmrun *h;

	vm_open(&v, "");
	h = v.handle;
	assert_int_equal(vmrun_prepare(h), 0);
	assert_int_equal(handle_lock(h), 0);
	o->directory = h->rundir.directory;
	assert_int_equal(loop_open(h), 0);
	assert_null(machine_new(&h->source, o, &h->first, &h->events, h->wait, &report));
	text = report_text(&report);
	assert_non_null(strstr(text, why));
	report_free(&report);
	vm_close(&v);
}

/* A VM does not start with a pid file that cannot be made. */
static void test_pid_file_that_cannot_be_made(void **state)
{
	(void)state;
	check_no_machine(&(struct machine_options){ .pid_file = "no/such/pid" }, "no/such/pid");
	check_no_machine(&(struct machine_options){ .own_pid_file = "no/such/pid" }, "no/such/pid");
}

/* Nor with one that the ledger cannot list, because the disk is full: nobody would remove it. */
static void test_pid_file_that_is_not_listed(void **state)
{
	MEM_AUTO char *path = mem_format("/%04000d", 0);
	struct rlimit before, small;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4000;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	check_no_machine(
	    &(struct machine_options){ .pid_file = path }, "ledger.json.new: cannot write");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
}

static void end_known(void)
{
	await_exit();
	vm_close(&v);
}

/* The signals are looked at once if the caller keeps them, and at each start if others may not. */
static void test_known_signals(void **state)
{
	struct machine_options keeps = { .keeps_signals = true };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	(void)state;
	life_script("exit 0");
	(void)spawn_with("", NULL);
	assert_false(running()->knows_signals);
	end_known();
	assert_int_equal(sigaction(SIGTTOU, &ignore, &before), 0);
	(void)spawn_with("", &keeps);
	assert_int_equal(sigaction(SIGTTOU, &before, NULL), 0);
	assert_true(running()->knows_signals);
	assert_int_equal(sigismember(&running()->changed_signals, SIGTTOU), 1);
	await_exit();
	/* The next start takes what it knows. */
	vm_put(&v, STATE_PREPARING);
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	(void)enter(STATE_RUNNING);
	assert_int_equal(sigismember(&running()->changed_signals, SIGTTOU), 1);
	end_known();
	/* A module in C may change them at any time, also after the end of its script. */
	(void)spawn_with("package.loadlib('nosuch', '*')", &keeps);
	assert_false(running()->knows_signals);
	end_known();
	(void)spawn_with("", &keeps);
	assert_false(running()->knows_signals);
	end_known();
}

/* Lets writes of the pid file fail, or succeed again. */
static void break_pid_file(bool broken)
{
	int fd = open(broken ? "/dev/null" : "pid", broken ? O_RDONLY : O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(dup2(fd, running()->pidfile.fd), running()->pidfile.fd);
	assert_int_equal(close(fd), 0);
}

/* A pid that cannot be removed is the pid of a process that is gone. */
static void test_pid_that_stays(void **state)
{
	(void)state;
	life_script("exit 0");
	(void)spawn_with("", &(struct machine_options){ .pid_file = "pid" });
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 0);
	break_pid_file(true);
	await_exit();
	assert_int_equal(vm_count_events(&v, VMRUN_WARNING), 1);
	vm_close(&v);
}

/* --- the first answer --- */

/* Starts a hypervisor that has a control channel, and never answers on it. */
static void spawn_mute(void)
{
	life_script("deaf");
	vm_make(&v, "", NULL);
	v.machine->boot.plan.has_control = true;
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	vm_check_next(enter(STATE_RUNNING), STATE_RUNNING, MAX_ANSWER_MS);
	assert_true(running()->awaits_answer);
}

static void check_outcome(enum cause cause, int status)
{
	assert_int_equal(v.machine->history.exit[0].cause, cause);
	assert_int_equal(v.machine->history.exit[0].status, status);
}

static void test_no_answer(void **state)
{
	(void)state;
	spawn_mute();
	v.machine->present.late_ms = MAX_LATE_MS;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATES, -1);
	vm_check_told(&v, "warning the hypervisor does not answer, so vmrun killed it\n");
	assert_true(running()->gave_up);
	await_exit();
	check_outcome(CAUSE_START_FAILED, STATUS_FAULT);
	vm_close(&v);
}

/* Time in which vmrun did not run does not count. */
static void test_no_answer_yet(void **state)
{
	(void)state;
	spawn_mute();
	v.machine->present.late_ms = MAX_LATE_MS + 1;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_RUNNING, MAX_ANSWER_MS);
	assert_false(running()->gave_up);
	vm_check_not_told(&v, "warning");
	vm_close(&v);
}

/* The same through the loop, which sees how late it is: by a clock that the test sets. */
static void test_deadline_after_a_stop(void **state)
{
	(void)state;
	for (int late = MAX_LATE_MS; late <= MAX_LATE_MS + 1; late++) {
		bool spared = late > MAX_LATE_MS;

		spawn_mute();
		v.machine->options.simulation = &v.handle->simulation;
		v.handle->simulation.now_ms = 50000;
		v.machine->present.deadline_ms = 50000 - late;
		machine_deadline(v.machine);
		assert_int_equal(running()->gave_up, !spared);
		assert_int_equal(
		    v.machine->present.deadline_ms, spared ? 50000 + MAX_ANSWER_MS : -1);
		v.machine->options.simulation = NULL;
		vm_close(&v);
	}
}

/* --- the lock --- */

static void test_lock(void **state)
{
	(void)state;
	life_script("deaf");
	spawn("");
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_RUNNING, SECOND_LOOK_MS);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATES, -1);
	/* A hypervisor that is up is looked at from the first time on. */
	vm_check_next(vm_act(&v, EVENT_UP), STATE_RUNNING, FIRST_LOOK_MS);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_RUNNING, SECOND_LOOK_MS);
	assert_false(running()->gave_up);
	vm_close(&v);
}

/* Starts a hypervisor whose wrapper closes the descriptor of the lock. */
static void spawn_without_lock(void)
{
	char script[1024];

	(void)snprintf(script, sizeof(script), "exec %s \"$@\" 5>&-", FAKEBHYVE);
	vm_stub("wrapper", script);
	v.options.bhyve = "./front/wrapper";
	life_script("acpi on ready up deaf");
	spawn("");
	life_wait_for(v.handle, "up");
}

static void test_closed_lock(void **state)
{
	(void)state;
	spawn_without_lock();
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATES, -1);
	vm_check_told(&v, "warning the hypervisor's command has closed descriptor 5");
	assert_true(running()->gave_up);
	await_exit();
	check_outcome(CAUSE_START_FAILED, STATUS_FAULT);
	vm_close(&v);
}

/* Fails unless the bytes that were written to this terminal come to its other end. */
static void await_bytes(const struct console *console)
{
	struct pollfd p = { .fd = console->fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 60000), 1);
}

static pid_t mortal; /* the process that ends when vmrun waits the next time, or 0 */

/* The linker sets these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void __real_clock_sleep(int64_t ms);
void __wrap_clock_sleep(int64_t ms);
void __wrap_clock_sleep(int64_t ms)
{
	if (mortal == 0) {
		__real_clock_sleep(ms);
		return;
	}
	assert_int_equal(kill(mortal, SIGKILL), 0);
	await_death(mortal);
	mortal = 0;
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* A process that exits may free its lock a moment before it is seen to have ended. */
static void test_lock_of_a_process_that_ends(void **state)
{
	(void)state;
	spawn_without_lock();
	mortal = running()->child.job.pid;
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATES, -1);
	assert_int_equal(mortal, 0);
	assert_false(running()->gave_up);
	vm_check_not_told(&v, "warning");
	vm_close(&v);
}

static uint64_t flood; /* how many bytes a console has when no more are written to it */

/* The linker sets these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
bool __real_console_read(struct console *c);
bool __wrap_console_read(struct console *c);
bool __wrap_console_read(struct console *c)
{
	static const char bytes[4000] = "";
	bool has_read = __real_console_read(c);

	if (has_read && c->total < flood) {
		assert_true(write(c->guest_fd, bytes, sizeof(bytes)) > 0);
		await_bytes(c);
	}
	return has_read;
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Returns whether the hook waits for a text, and has read what the console has. */
static bool has_looked(const struct machine *m)
{
	const struct call *call = m->calls.lasting[0];

	return call != NULL && call->state == CALL_WAITS && call->wait == WAIT_TEXT &&
	    !call->behind;
}

/*
 * What the guest printed last is still read, and hooks that wait for it get it, though more follows
 * than is kept.
 */
static void test_last_words(void **state)
{
	struct console_settings settings = { .log = NULL };
	struct console *console;

	(void)state;
	life_script("deaf");
	vm_make(&v,
	    "vm.com1 = 'console'\n"
	    "function vm.on_started() print('heard', vmrun.expect('bye')) end",
	    NULL);
	console = &v.machine->console;
	assert_int_equal(console_open(console, &settings, false, NULL), 0);
	vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
	vm_check_next(enter(STATE_RUNNING), STATE_RUNNING, FIRST_LOOK_MS);
	vm_await(&v, has_looked);
	child_signal(&running()->child, SIGKILL);
	assert_int_equal(write(console->guest_fd, "bye", 3), 3);
	await_bytes(console);
	await_death(running()->child.job.pid);
	vm_check_not_told(&v, "log heard");
	flood = MAX_CONSOLE_RING + 3;
	vm_check_next(vm_act(&v, EVENT_EXIT), STATE_CLEANING, -1);
	flood = 0;
	assert_true(console->total >= MAX_CONSOLE_RING + 3);
	vm_check_told(&v, "log heard\t1\tbye\n");
	vm_close(&v);
}

/* The lock is free because the process has exited; the end is handled later. */
static void test_lock_of_an_ended_process(void **state)
{

	(void)state;
	life_script("exit 1");
	spawn("");
	await_death(running()->child.job.pid);
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATES, -1);
	assert_false(running()->gave_up);
	vm_check_not_told(&v, "warning");
	vm_close(&v);
}

/* --- the exit --- */

static void test_exit(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	life_script("err last_words exit 2");
	spawn("");
	await_exit();
	e = vm_event(&v, VMRUN_EXITED);
	assert_non_null(e);
	assert_string_equal(e->cause, "halt");
	assert_string_equal(e->target, "default");
	assert_non_null(strstr(e->text, "last words\n"));
	check_outcome(CAUSE_HALT, 2);
	assert_int_equal(v.machine->history.ends, 1);
	assert_int_equal(running()->child.job.pid, 0);
	vm_close(&v);
}

/* A prefix that cannot execute the hypervisor ends with the statuses of a shell for that. */
static void test_prefix_that_cannot_execute(void **state)
{
	(void)state;
	for (int status = 126; status <= 127; status++) {
		MEM_AUTO char *script = mem_format("exit %d", status);
		struct plan *plan;

		vm_make(&v, "", NULL);
		plan = &v.machine->boot.plan;
		words_free(&plan->argv);
		words_add(&plan->argv, "sh");
		words_add(&plan->argv, "-c");
		words_add(&plan->argv, script);
		plan->program = 1;
		vm_check_next(enter(STATE_STARTING), STATE_RUNNING, -1);
		(void)enter(STATE_RUNNING);
		await_exit();
		check_outcome(CAUSE_START_FAILED, status);
		assert_int_equal(running()->exec_status, status);
		vm_close(&v);
	}
	/* Without a prefix these are the hypervisor's own. */
	life_script("exit 127");
	spawn("");
	await_exit();
	assert_int_equal(running()->exec_status, 0);
	vm_close(&v);
}

/* What was requested is the cause, a stop before a reboot. */
static void test_requested_exit(void **state)
{
	(void)state;
	for (int stop = 0; stop < 2; stop++) {
		life_script("exit 2");
		spawn("");
		v.machine->requests.reboot_to = strdup("other");
		v.machine->requests.stop = stop == 1;
		await_exit();
		check_outcome(stop ? CAUSE_STOPPED : CAUSE_REBOOT, 2);
		vm_close(&v);
	}
}

/* The meaning of a status is reported unless the cause includes it. */
static void test_meaning_of_a_status(void **state)
{
	static const struct {
		const char *script, *meaning;
	} exits[] = { { "exit 1", NULL }, { "exit 4", "" }, { "exit 71", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(exits) / sizeof(*exits); i++) {
		const struct vmrun_event *e;

		life_script(exits[i].script);
		spawn("");
		await_exit();
		e = vm_event(&v, VMRUN_EXITED);
		assert_non_null(e);
		assert_int_equal(e->status_text != NULL, exits[i].meaning != NULL);
		vm_close(&v);
	}
}

/* Ends a start with the message of a port that is in use. */
static void lose_port(const char *more, int lost_before, bool stop, int boots)
{

	life_script("err bind:_Address_already_in_use exit 4");
	spawn(more);
	v.machine->boot.spec->devices[0]->found = strdup("5999");
	await_death(running()->child.job.pid);
	running()->lost_ports = lost_before;
	v.machine->requests.stop = stop;
	v.machine->history.boots = boots;
	vm_check_next(vm_act(&v, EVENT_EXIT), STATE_CLEANING, -1);
}

/* A start whose port was taken changes nothing that a policy sees. */
static void test_lost_port(void **state)
{
	static const char automatic[] = "vm.graphic = { port = 'auto' }";
	const struct vmrun_event *e;

	(void)state;
	lose_port(automatic, 15, false, 1);
	assert_true(running()->starts_again);
	assert_int_equal(running()->lost_ports, 16);
	assert_int_equal(v.machine->history.boots, 0);
	assert_int_equal(v.machine->history.ends, 0);
	assert_int_equal(v.machine->history.count, 0);
	assert_int_equal(v.machine->history.outcome.status, -1); /* as before: none has ended */
	e = vm_event(&v, VMRUN_EXITED);
	assert_non_null(e);
	assert_string_equal(e->cause, "start_failed");
	vm_close(&v);
	lose_port(automatic, 16, false, 1);
	assert_false(running()->starts_again);
	assert_int_equal(v.machine->history.ends, 1);
	vm_close(&v);
	lose_port(automatic, 0, true, 1);
	assert_false(running()->starts_again);
	check_outcome(CAUSE_STOPPED, 4);
	vm_close(&v);
	lose_port("vm.graphic = { port = 5999 }", 0, false, 1);
	assert_false(running()->starts_again);
	vm_close(&v);
}

/* Another part of the program has reaped the process. */
static void test_exit_that_is_not_known(void **state)
{
	(void)state;
	life_script("exit 1");
	spawn("");
	assert_int_equal(waitpid(running()->child.job.pid, NULL, 0), running()->child.job.pid);
	vm_check_next(vm_act(&v, EVENT_EXIT), STATE_CLEANING, -1);
	check_outcome(CAUSE_ERROR, STATUS_FAULT);
	vm_check_told(&v, "warning ");
	vm_close(&v);
}

static void test_exit_of_a_simulation(void **state)
{
	struct error err = { 0 };

	(void)state;
	vm_prepare(&v, "");
	assert_int_equal(simulation_parse("halt", &v.handle->simulation, &err), 0);
	vm_put(&v, STATE_RUNNING);
	vm_check_next(vm_act(&v, EVENT_EXIT), STATE_CLEANING, -1);
	check_outcome(CAUSE_HALT, 2);
	vm_close(&v);
}

/* The sockets go with the hypervisor; on_started has had its time. */
static void test_what_ends_with_it(void **state)
{
	WORDS_AUTO struct words command = { 0 };
	pid_t helper;

	(void)state;
	life_script("acpi on ready up deaf");
	spawn("vm.emulations = { { device = 'virtio-console', ports = { 'port' } } }\n"
	      "function vm.on_started() vmrun.sleep(600) end vm.post_start_script = 'sleep 600'");
	assert_true(calls_last(&v.machine->calls));
	assert_int_not_equal(running()->script.job.pid, 0);
	words_add(&command, "sleep");
	words_add(&command, "600");
	assert_true(machine_start_helper(v.machine, &command, HELPER_SILENT));
	helper = v.machine->helper.job.pid;
	life_wait_for(v.handle, "up");
	assert_int_not_equal(v.machine->boot.plan.sockets.count, 0);
	assert_int_equal(access(v.machine->boot.plan.sockets.item[0], F_OK), 0);
	child_signal(&running()->child, SIGKILL);
	await_exit();
	assert_false(calls_last(&v.machine->calls));
	assert_int_equal(running()->script.job.pid, 0);
	assert_true(running()->script.killed);
	while (!process_has_ended(helper)) /* killed: it may be a step of the stop ladder */
		clock_sleep(1);
	assert_int_not_equal(access(v.machine->boot.plan.sockets.item[0], F_OK), 0);
	vm_close(&v);
}

/* --- post_start_script --- */

static bool has_no_script(const struct machine *m)
{
	return m->run.script.job.pid == 0;
}

static void test_script(void **state)
{
	static const struct {
		const char *script, *text;
	} scripts[] = { { "true", NULL },
		{ "sh -c 'echo first; echo last; exit 1'",
		    "warning post_start_script failed: last (status 1)\n" },
		{ "sh -c 'kill -KILL $$'", "warning post_start_script failed: it was killed\n" } };

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		MEM_AUTO char *more =
		    mem_format("vm.post_start_script = \"%s\"", scripts[i].script);

		life_script("deaf");
		spawn(more);
		vm_await(&v, has_no_script);
		if (scripts[i].text != NULL)
			vm_check_told(&v, scripts[i].text);
		else
			vm_check_not_told(&v, "warning");
		vm_close(&v);
	}
}

static void test_missing_script(void **state)
{
	(void)state;
	life_script("deaf");
	spawn("vm.post_start_script = { './missing' }");
	vm_check_told(&v, "warning post_start_script: ");
	assert_int_not_equal(running()->child.job.pid, 0);
	vm_close(&v);
}

#define HYPERVISOR(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HYPERVISOR(test_first_state),
		HYPERVISOR(test_files),
		HYPERVISOR(test_files_that_cannot_be_written),
		HYPERVISOR(test_sockets_before),
		HYPERVISOR(test_unwritable_ledger),
		HYPERVISOR(test_variables),
		HYPERVISOR(test_spawned),
		HYPERVISOR(test_chosen),
		HYPERVISOR(test_terminal_made),
		HYPERVISOR(test_console),
		HYPERVISOR(test_protected),
		HYPERVISOR(test_pins_that_fail),
		HYPERVISOR(test_simulated),
		HYPERVISOR(test_program_that_cannot_start),
		HYPERVISOR(test_program_that_cannot_start_after_its_loader),
		HYPERVISOR(test_locked),
		HYPERVISOR(test_pid),
		HYPERVISOR(test_paths_of_pid_files),
		HYPERVISOR(test_pid_file_that_cannot_be_made),
		HYPERVISOR(test_pid_file_that_is_not_listed),
		HYPERVISOR(test_known_signals),
		HYPERVISOR(test_pid_that_stays),
		HYPERVISOR(test_no_answer),
		HYPERVISOR(test_no_answer_yet),
		HYPERVISOR(test_deadline_after_a_stop),
		HYPERVISOR(test_lock),
		HYPERVISOR(test_closed_lock),
		HYPERVISOR(test_lock_of_a_process_that_ends),
		HYPERVISOR(test_lock_of_an_ended_process),
		HYPERVISOR(test_last_words),
		HYPERVISOR(test_exit),
		HYPERVISOR(test_prefix_that_cannot_execute),
		HYPERVISOR(test_requested_exit),
		HYPERVISOR(test_meaning_of_a_status),
		HYPERVISOR(test_lost_port),
		HYPERVISOR(test_exit_that_is_not_known),
		HYPERVISOR(test_exit_of_a_simulation),
		HYPERVISOR(test_what_ends_with_it),
		HYPERVISOR(test_script),
		HYPERVISOR(test_missing_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
