/* Before a boot: waits for paths and interfaces, and companions. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"
#include "platform/clock.h"
#include "platform/socket.h"

#define LOOK_MS 100
#define READY_LOOK_MS 50
#define READY_LIMIT_MS 60000
#define ASK_LIMIT_MS 10000
#define SWTPM "swtpm of the tpm"

/* A companion that runs until it is ended. */
#define COMPANION(more) "vm.companions = { { name = 'd', command = { 'sleep', '600' } " more " } }"

static struct vm v = VM;

static struct preparation *preparation(void)
{
	return &v.machine->preparation;
}

static void open_before(enum prepare_step step, const char *more)
{
	vm_make(&v, more, NULL);
	vm_put(&v, STATE_PREPARING);
	preparation()->step = step;
}

/* --- wait_for --- */

/* Waits, and fails unless that takes time; 0: it is over. */
static void check_wait(int64_t ms)
{
	struct next next = stay();

	assert_int_equal(prepare_wait_for(v.machine, &next), ms != 0);
	if (ms != 0)
		vm_check_next(next, STATE_PREPARING, ms);
	else
		assert_int_equal(preparation()->step, PREPARE_FIND);
}

static void test_nothing_to_wait_for(void **state)
{
	(void)state;
	open_before(PREPARE_WAIT, "");
	check_wait(0);
	vm_close(&v);
}

static void test_paths(void **state)
{
	(void)state;
	open_before(
	    PREPARE_WAIT, "vm.wait_for = { { path = 'one' }, { path = 'two', timeout = 600 } }");
	check_wait(LOOK_MS);
	vm_write("two", "");
	check_wait(LOOK_MS);
	assert_int_equal(preparation()->waiting, 0);
	assert_int_equal(unlink("two"), 0);
	vm_write("one", "");
	check_wait(LOOK_MS);
	assert_int_equal(preparation()->waiting, 1);
	/* Each has a time limit of its own. */
	assert_true(preparation()->until_ms > clock_ms() + 60000);
	vm_write("two", "");
	check_wait(0);
	assert_int_equal(preparation()->until_ms, 0);
	vm_close(&v);
}

/* vmrun says once what it waits for. */
static void test_note_of_a_wait(void **state)
{
	(void)state;
	open_before(PREPARE_WAIT, "vm.wait_for = { { path = 'one' }, { path = 'two' } }");
	check_wait(LOOK_MS);
	assert_int_equal(vm_count_events(&v, VMRUN_NOTE), 1);
	check_wait(LOOK_MS);
	assert_int_equal(vm_count_events(&v, VMRUN_NOTE), 0);
	vm_write("one", "");
	check_wait(LOOK_MS);
	assert_int_equal(vm_count_events(&v, VMRUN_NOTE), 1);
	vm_close(&v);
}

static void test_path_that_does_not_come(void **state)
{
	MEM_AUTO char *text = NULL;
	char directory[4096];
	struct next next = stay();

	(void)state;
	open_before(
	    PREPARE_WAIT, "vm.wait_for = { { path = 'rom' }, { path = 'one', timeout = 2.5 } }");
	check_wait(LOOK_MS);
	preparation()->until_ms = clock_ms();
	assert_true(prepare_wait_for(v.machine, &next));
	vm_check_next(next, STATE_DECIDING, -1);
	assert_non_null(getcwd(directory, sizeof(directory)));
	text = mem_format(
	    "exit check_failed wait_for[1]: %s/one did not appear within 2.5 s\n", directory);
	vm_check_told(&v, text);
	vm_close(&v);
}

/* A path that appears at the last check is in time. */
static void test_path_that_comes_late(void **state)
{
	(void)state;
	open_before(PREPARE_WAIT, "vm.wait_for = { { path = 'one' } }");
	check_wait(LOOK_MS);
	preparation()->until_ms = clock_ms();
	vm_write("one", "");
	check_wait(0);
	vm_close(&v);
}

#define INTERFACE "vm.wait_for = { { interface = 'bridge7' } }"

/* Ends the command for facts that runs, and returns what follows. */
static struct next end_fact(void)
{
	struct helper *h = &v.machine->helper;
	struct process_end end;

	while (h->job.stream[0].is_open)
		helper_read(h);
	assert_int_equal(job_finish(&h->job, &end, NULL), 0);
	h->status = end.status;
	return vm_act(&v, EVENT_HELPER);
}

/* On a system other than bhyve's, a command lists the interfaces. */
static void test_interface(void **state)
{
	(void)state;
	open_before(PREPARE_WAIT, INTERFACE);
	if (!hyper_is_foreign(v.machine->boot.plan.hyper)) {
		check_wait(LOOK_MS);
		vm_close(&v);
		return;
	}
	check_wait(MAX_FACT_MS);
	vm_check_next(end_fact(), STATE_PREPARING, LOOK_MS);
	vm_write("state/interfaces", "bridge7\n");
	/* After the time, the command runs again. */
	vm_check_next(vm_act(&v, EVENT_DEADLINE), STATE_PREPARING, MAX_FACT_MS);
	vm_check_next(end_fact(), STATE_PREPARING, MAX_FACT_MS); /* a fact for the checks */
	assert_int_equal(preparation()->step, PREPARE_CHECK);
	vm_close(&v);
}

static void test_interface_that_does_not_come(void **state)
{
	struct next next = stay();

	(void)state;
	open_before(PREPARE_WAIT, INTERFACE);
	if (hyper_is_foreign(v.machine->boot.plan.hyper)) {
		check_wait(MAX_FACT_MS);
		vm_check_next(end_fact(), STATE_PREPARING, LOOK_MS);
	} else {
		check_wait(LOOK_MS);
	}
	preparation()->until_ms = clock_ms();
	assert_true(prepare_wait_for(v.machine, &next));
	vm_check_told(&v, "exit check_failed wait_for[0]: bridge7 did not appear within 30 s\n");
	vm_close(&v);
}

/* --- companions --- */

static struct companion_run *companion(const char *name)
{
	struct companion_run *run = companions_find(&v.machine->companions, name);

	assert_non_null(run);
	return run;
}

/* Brings companions up, and fails unless that takes time; 0: they are ready. */
static void check_companions(int64_t ms)
{
	struct next next = stay();

	assert_int_equal(prepare_companions(v.machine, &next), ms != 0);
	if (ms != 0)
		vm_check_next(next, STATE_PREPARING, ms);
	else
		assert_int_equal(preparation()->step, PREPARE_LEFT);
}

static void check_failure(const char *text)
{
	struct next next = stay();

	assert_true(prepare_companions(v.machine, &next));
	vm_check_next(next, STATE_DECIDING, -1);
	vm_check_told(&v, text);
}

static const struct ledger_process *process(void)
{
	return ledger_process_at(v.machine->host.ledger, 0);
}

/* Begins the next boot of the run. */
static void start_again(void)
{
	prepare_clear(preparation());
	preparation()->step = PREPARE_COMPANIONS;
}

static bool has_no_companion(const struct machine *m)
{
	return !companions_unreaped(&m->companions);
}

/* Ends the companion, and lets the machine handle that. */
static void end_companion(struct companion_run *run)
{
	pid_t pid = run->job.pid;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(prepare_companion_ended(v.machine, pid));
}

static void test_no_companion(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS, "");
	check_companions(0);
	assert_int_equal(v.machine->companions.count, 0);
	vm_close(&v);
}

/* What the companions have made is checked with facts of its own. */
static void test_facts_of_what_is_made(void **state)
{
	static const char *const command[] = { "kldstat", NULL };

	(void)state;
	open_before(PREPARE_COMPANIONS, COMPANION(""));
	(void)facts_ask(&preparation()->facts, command);
	(void)findings_add(&preparation()->findings, FINDING_MADE, NULL, NULL, "disk", "x");
	preparation()->left_over = true;
	check_companions(0);
	assert_int_equal(preparation()->facts.count, 0);
	assert_int_equal(preparation()->findings.count, 0);
	vm_close(&v);
}

static void test_started_once(void **state)
{
	pid_t pid;

	(void)state;
	open_before(PREPARE_COMPANIONS, COMPANION(""));
	check_companions(0);
	pid = companion("d")->job.pid;
	assert_int_not_equal(pid, 0);
	assert_true(companion("d")->ready);
	assert_string_equal(process()->name, "d");
	assert_int_equal(process()->pid, pid);
	start_again();
	check_companions(0);
	assert_int_equal(companion("d")->job.pid, pid);
	vm_close(&v);
}

static void test_ready_path(void **state)
{
	pid_t pid;

	(void)state;
	open_before(PREPARE_COMPANIONS, COMPANION(", ready = { path = 'up' }"));
	check_companions(READY_LOOK_MS);
	pid = companion("d")->job.pid;
	assert_false(companion("d")->ready);
	check_companions(READY_LOOK_MS);
	assert_int_equal(companion("d")->job.pid, pid);
	vm_write("up", "");
	check_companions(0);
	assert_true(companion("d")->ready);
	/* From then on the companion counts as ready, even without the file. */
	assert_int_equal(unlink("up"), 0);
	start_again();
	check_companions(0);
	vm_close(&v);
}

static void test_never_ready(void **state)
{
	MEM_AUTO char *text = NULL;
	char directory[4096];

	(void)state;
	open_before(PREPARE_COMPANIONS, COMPANION(", ready = { path = 'up' }"));
	check_companions(READY_LOOK_MS);
	assert_true(preparation()->until_ms <= clock_ms() + READY_LIMIT_MS);
	preparation()->until_ms = clock_ms();
	assert_non_null(getcwd(directory, sizeof(directory)));
	text =
	    mem_format("exit check_failed companion d did not make %s/up within 60 s\n", directory);
	check_failure(text);
	vm_close(&v);
	/* A companion that is ready at the last check is in time. */
	open_before(PREPARE_COMPANIONS, COMPANION(", ready = { path = 'up' }"));
	check_companions(READY_LOOK_MS);
	preparation()->until_ms = clock_ms();
	vm_write("up", "");
	check_companions(0);
	vm_close(&v);
}

#define READY_COMMAND COMPANION(", ready = { 'sleep', '600' }")

static void open_with_command(void)
{
	open_before(PREPARE_COMPANIONS, READY_COMMAND);
	check_companions(ASK_LIMIT_MS);
	assert_true(preparation()->ready_command_runs);
}

/* Ends the command that asks whether the companion is ready, and looks again. */
static struct next ended_with(int status)
{
	struct next next = stay();
	pid_t pid = v.machine->helper.job.pid;

	helper_kill(&v.machine->helper);
	helper_give_up(&v.machine->helper);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	v.machine->helper.status = status;
	(void)prepare_companions(v.machine, &next);
	return next;
}

static void test_ready_command(void **state)
{
	(void)state;
	open_with_command();
	vm_check_next(ended_with(1), STATE_PREPARING, READY_LOOK_MS);
	assert_false(preparation()->ready_command_runs);
	check_companions(ASK_LIMIT_MS); /* the next check */
	vm_check_next(ended_with(0), STATES, -1);
	assert_int_equal(preparation()->step, PREPARE_LEFT);
	assert_true(companion("d")->ready);
	vm_close(&v);
}

/* The command that runs when the time is over is waited for. */
static void test_ready_command_that_is_late(void **state)
{
	(void)state;
	open_with_command();
	preparation()->until_ms = clock_ms();
	vm_check_next(ended_with(-1), STATE_DECIDING, -1);
	vm_check_told(&v, "exit check_failed companion d was not ready within 60 s\n");
	vm_close(&v);
	open_with_command();
	vm_check_next(ended_with(1), STATE_PREPARING, READY_LOOK_MS);
	preparation()->until_ms = clock_ms();
	check_companions(ASK_LIMIT_MS);
	vm_close(&v);
}

static void test_missing_ready_command(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS, COMPANION(", ready = { './missing' }"));
	check_failure("exit check_failed companion d has a ready command that cannot be started\n");
	vm_check_told(&v, "/missing: No such file or directory\n");
	assert_false(preparation()->ready_command_runs);
	vm_close(&v);
}

static void test_ended_before_it_was_ready(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS,
	    "vm.companions = { { name = 'd', command = { 'true' }, restart = true,"
	    "  ready = { path = 'up' } } }");
	check_companions(READY_LOOK_MS);
	vm_await(&v, has_no_companion);
	assert_null(process());
	check_failure("exit check_failed companion d ended before it was ready\n");
	vm_close(&v);
}

static void test_that_cannot_start(void **state)
{
	(void)state;
	open_before(
	    PREPARE_COMPANIONS, "vm.companions = { { name = 'd', command = { './missing' } } }");
	check_failure("exit check_failed companion d: ");
	vm_check_told(&v, "/missing: No such file or directory\n");
	assert_null(process());
	vm_close(&v);
}

static void test_unwritable_ledger(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS, COMPANION(""));
	assert_int_equal(mkdir("run/walk/ledger.json.new", 0700), 0);
	check_failure("ledger.json.new: cannot write");
	assert_int_equal(v.machine->draft.fault_status, STATUS_OS);
	assert_int_equal(companion("d")->job.pid, 0);
	assert_int_equal(rmdir("run/walk/ledger.json.new"), 0);
	vm_close(&v);
}

/* --- sockets of an earlier run --- */

/* Returns the descriptor of a socket at the path; once it is closed, the socket is stale. */
static int make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void make_stale_socket(const char *path)
{
	assert_int_equal(close(make_socket(path)), 0);
	assert_int_equal(socket_probe(path), SOCKET_STALE);
}

#define READY_SOCKET COMPANION(", restart = true, ready = { path = 'socket' }")

/* A socket that an earlier run left is removed, and does not count as ready. */
static void test_stale_socket(void **state)
{
	(void)state;
	make_stale_socket("socket");
	open_before(PREPARE_COMPANIONS, READY_SOCKET);
	check_companions(READY_LOOK_MS);
	assert_int_not_equal(access("socket", F_OK), 0);
	assert_false(companion("d")->ready);
	vm_close(&v);
	/* A file of that name is left alone: it may be all that the companion needs. */
	vm_write("socket", "");
	open_before(PREPARE_COMPANIONS, READY_SOCKET);
	check_companions(0);
	assert_int_equal(access("socket", F_OK), 0);
	vm_close(&v);
}

/* --- later starts --- */

/* Brings a companion up that is ready by the file. */
static struct companion_run *bring_up(const char *more)
{
	open_before(PREPARE_COMPANIONS, more);
	check_companions(READY_LOOK_MS);
	vm_write("up", "");
	check_companions(0);
	assert_int_equal(unlink("up"), 0);
	return companion("d");
}

/* The next boot waits for a companion that was restarted meanwhile. */
static void test_restarted(void **state)
{
	struct companion_run *run;
	pid_t first;

	(void)state;
	run = bring_up(COMPANION(", restart = true, ready = { path = 'up' }"));
	first = run->job.pid;
	end_companion(run);
	assert_int_not_equal(run->job.pid, 0);
	assert_int_not_equal(run->job.pid, first);
	assert_int_equal(process()->pid, run->job.pid);
	assert_null(ledger_process_at(v.machine->host.ledger, 1));
	start_again();
	check_companions(READY_LOOK_MS);
	assert_false(run->ready);
	vm_write("up", "");
	check_companions(0);
	assert_false(run->restarted);
	/* The boot after that does not wait. */
	assert_int_equal(unlink("up"), 0);
	start_again();
	check_companions(0);
	vm_close(&v);
}

/* A socket from before the restart does not count as ready. */
static void test_restarted_with_a_stale_socket(void **state)
{
	struct companion_run *run;
	int fd;

	(void)state;
	open_before(PREPARE_COMPANIONS, READY_SOCKET);
	check_companions(READY_LOOK_MS);
	fd = make_socket("socket");
	check_companions(0);
	run = companion("d");
	assert_int_equal(close(fd), 0);
	end_companion(run);
	assert_int_not_equal(run->job.pid, 0);
	start_again();
	check_companions(READY_LOOK_MS);
	assert_false(run->ready);
	assert_int_equal(unlink("socket"), 0);
	fd = make_socket("socket");
	check_companions(0);
	assert_int_equal(close(fd), 0);
	vm_close(&v);
}

/* The next boot starts a companion that has ended, and waits for it. */
static void test_ended_meanwhile(void **state)
{
	struct companion_run *run;

	(void)state;
	run = bring_up(COMPANION(", ready = { path = 'up' }"));
	end_companion(run);
	assert_int_equal(run->job.pid, 0);
	assert_null(process());
	start_again();
	check_companions(READY_LOOK_MS);
	assert_int_not_equal(run->job.pid, 0);
	assert_false(run->ready);
	vm_close(&v);
}

/*
 * The companion of an earlier boot has ended before one of this boot starts; it is killed if it
 * does not heed SIGTERM.
 */
static void test_of_an_earlier_boot(void **state)
{
	struct companion_run *run, *fresh;
	pid_t first;

	(void)state;
	run = bring_up("vm.companions = { { name = 'd', ready = { path = 'up' },"
		       "  command = { 'sh', '-c', \"trap '' TERM; sleep 600\" } } }");
	first = run->job.pid;
	words_add(&run->command, "other");
	start_again();
	check_companions(READY_LOOK_MS);
	fresh = companion("d");
	assert_ptr_not_equal(fresh, run);
	assert_int_equal(fresh->job.pid, 0);
	assert_false(run->ready);
	assert_string_equal(
	    v.machine->preparation.awaited, "companion d of the boot before to end");
	v.machine->preparation.until_ms = 1;
	check_companions(READY_LOOK_MS);
	vm_await(&v, has_no_companion);
	assert_int_equal(fresh->job.pid, 0);
	check_companions(READY_LOOK_MS);
	assert_int_not_equal(fresh->job.pid, 0);
	assert_int_not_equal(fresh->job.pid, first);
	vm_close(&v);
}

static void test_end_of_another_process(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS, COMPANION(""));
	check_companions(0);
	assert_false(prepare_companion_ended(v.machine, getpid()));
	assert_int_not_equal(companion("d")->job.pid, 0);
	assert_non_null(process());
	vm_close(&v);
}

/* --- swtpm --- */

#define TPM                      \
	"vm.bhyve.release = 15 " \
	"vm.tpm = { type = 'swtpm', path = 'tpm.sock', managed = true }"

static void test_swtpm(void **state)
{
	MEM_AUTO char *line = NULL;
	struct companion_run *run;
	pid_t old;

	(void)state;
	vm_stub("swtpm", "exec sleep 600");
	open_before(PREPARE_COMPANIONS, TPM);
	make_stale_socket("tpm.sock");
	check_companions(READY_LOOK_MS);
	assert_int_not_equal(access("tpm.sock", F_OK), 0);
	run = companion(SWTPM);
	assert_true(run->of_boot);
	line = words_shell_line(&run->command);
	assert_ptr_equal(strstr(line, "swtpm socket --tpm2 --tpmstate "), line);
	assert_non_null(strstr(line, v.machine->boot.plan.tpm_state));
	assert_non_null(strstr(line, v.machine->boot.plan.hyper->swtpm_option));
	assert_non_null(strstr(line, v.machine->boot.spec->tpm.path));
	assert_int_equal(access(v.machine->boot.plan.tpm_state, F_OK), 0);
	vm_write("tpm.sock", "");
	check_companions(0);
	/* The next boot starts a new one, when the one of this boot has ended. */
	old = run->job.pid;
	companions_end_boot(&v.machine->companions);
	start_again();
	check_companions(READY_LOOK_MS);
	assert_int_equal(run->job.pid, old);
	vm_await(&v, has_no_companion);
	check_companions(0);
	assert_ptr_equal(companion(SWTPM), run);
	assert_int_equal(v.machine->companions.count, 1);
	assert_int_not_equal(run->job.pid, old);
	assert_true(run->ready);
	vm_check_not_told(&v, "ended");
	vm_close(&v);
}

static void test_swtpm_without_directory(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS, TPM);
	assert_int_equal(rename("keep", "kept"), 0);
	vm_write("keep", ""); /* in the place of the state directory */
	check_failure("exit check_failed ");
	vm_check_told(&v, "cannot make this directory");
	vm_close(&v);
}

/* The companion that makes the socket of the TPM belongs to a boot, no other does. */
static void test_swtpm_as_companion(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS,
	    "vm.bhyve.release = 15 vm.tpm = { type = 'swtpm', path = 'tpm.sock' } "
	    "vm.companions = { { name = 'd', command = { 'sleep', '600' }, "
	    "ready = { path = 'tpm.sock' } }, { name = 'e', command = { 'sleep', '600' } } }");
	vm_write("tpm.sock", "");
	check_companions(0);
	assert_true(companion("d")->of_boot);
	assert_false(companion("e")->of_boot);
	vm_close(&v);
}

/* A swtpm that vmrun does not manage is not a companion. */
static void test_swtpm_of_another(void **state)
{
	(void)state;
	open_before(PREPARE_COMPANIONS,
	    "vm.bhyve.release = 15 vm.tpm = { type = 'swtpm', path = 'tpm.sock' }");
	check_companions(0);
	assert_int_equal(v.machine->companions.count, 0);
	vm_close(&v);
}

#define BESIDE(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BESIDE(test_nothing_to_wait_for),
		BESIDE(test_paths),
		BESIDE(test_note_of_a_wait),
		BESIDE(test_path_that_does_not_come),
		BESIDE(test_path_that_comes_late),
		BESIDE(test_interface),
		BESIDE(test_interface_that_does_not_come),
		BESIDE(test_no_companion),
		BESIDE(test_started_once),
		BESIDE(test_facts_of_what_is_made),
		BESIDE(test_ready_path),
		BESIDE(test_never_ready),
		BESIDE(test_ready_command),
		BESIDE(test_ready_command_that_is_late),
		BESIDE(test_missing_ready_command),
		BESIDE(test_ended_before_it_was_ready),
		BESIDE(test_that_cannot_start),
		BESIDE(test_unwritable_ledger),
		BESIDE(test_stale_socket),
		BESIDE(test_restarted),
		BESIDE(test_of_an_earlier_boot),
		BESIDE(test_restarted_with_a_stale_socket),
		BESIDE(test_ended_meanwhile),
		BESIDE(test_end_of_another_process),
		BESIDE(test_swtpm),
		BESIDE(test_swtpm_without_directory),
		BESIDE(test_swtpm_as_companion),
		BESIDE(test_swtpm_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
