/* Commands in the background: how many, and when their places are free again. */
#define _DEFAULT_SOURCE /* MAP_ANON */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"

static struct vm v = VM;

/* Runs the hook of a VM whose boot goes on, until it has printed the word. */
static void run_until(const char *body, const char *word)
{
	MEM_AUTO char *more = mem_format(
	    "vm.stop = { { ['do'] = 'kill', wait = 9 } }\nfunction vm.on_started() %s end", body);

	life_script("hang\n");
	vm_start(&v, more);
	while (strstr(vm_told(&v), word) == NULL)
		life_step(v.handle, 1000);
}

static void finish(void)
{
	machine_kill(v.machine);
	while (!machine_ended(v.machine))
		life_step(v.handle, 1000);
	assert_int_equal(v.machine->calls.backgrounds.count, 0);
	assert_null(ledger_process_at(v.machine->host.ledger, 0));
	vm_close(&v);
}

static void test_too_many(void **state)
{
	(void)state;
	run_until("for i = 1, 64 do assert(vmrun.exec { 'sleep', '600', background = true }) end "
		  "print(vmrun.exec { 'sleep', '600', background = true }) print 'over'",
	    "log over");
	vm_check_told(&v, "nil\t64 background commands are running already, which is the limit");
	assert_int_equal(v.machine->calls.backgrounds.count, 64);
	finish();
}

/* A command that leaves a process has its place only as long as that lives. */
static void test_places_are_freed(void **state)
{
	(void)state;
	run_until(
	    "for i = 1, 64 do assert(vmrun.exec { 'sh', '-c',"
	    "  'while [ ! -e go ]; do sleep 0.05; done & echo >' .. i, background = true }) end "
	    "for i = 1, 64 do"
	    "  while not vmrun.exists(tostring(i)) do vmrun.sleep(0.01) end end "
	    "print(vmrun.exec { 'true', background = true }) vmrun.exec { 'touch', 'go' } "
	    "while not vmrun.exec { 'true', background = true } do vmrun.sleep(0.01) end "
	    "print 'over'",
	    "log over");
	vm_check_told(&v, "nil\t64 background commands are");
	finish();
}

static void test_failure_warns(void **state)
{
	(void)state;
	run_until("vmrun.exec { 'sh', '-c', 'exit 3', background = true } vmrun.sleep(600)",
	    "a command in the background: sh ended with status 3");
	finish();
}

/* What a command writes is read, so that it never waits for vmrun. */
static void test_many_errors(void **state)
{
	(void)state;
	run_until("vmrun.exec { 'sh', '-c', 'seq 60000 >&2; exit 3', background = true } "
		  "vmrun.sleep(600)",
	    "a command in the background: sh ended with status 3");
	finish();
}

static struct backgrounds *backgrounds(void)
{
	return &v.machine->calls.backgrounds;
}

static bool has_ended(const struct machine *m)
{
	const struct background *item = m->calls.backgrounds.item[0];

	return item != NULL && item->command.job.pid == 0;
}

/*
 * Calls a hook whose command ends at once and leaves a process; returns the end of a pipe that the
 * process holds.
 */
static int leave_process(void)
{
	int fd;

	assert_int_equal(mkfifo("held", 0600), 0);
	fd = open("held", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	vm_make(&v,
	    "function vm.on_exit() vmrun.exec { 'sh', '-c', 'exec 3>held; sleep 600 &',"
	    "  background = true } end",
	    NULL);
	hooks_call(v.machine, &hooks_exit, v.machine->boot.spec);
	vm_await(&v, has_ended);
	assert_int_equal(backgrounds()->count, 1);
	assert_int_equal(background_until_ms(backgrounds()), -1);
	return fd;
}

static void check_killed(int fd)
{
	struct pollfd p = { .fd = fd };

	assert_int_equal(poll(&p, 1, 60000), 1);
	(void)close(fd);
}

/* vmrun does not wait at its end for a process that a command has left. */
static void test_end_of_what_is_left(void **state)
{
	int fd = leave_process();

	(void)state;
	background_limit(backgrounds(), 60000);
	assert_int_equal(background_until_ms(backgrounds()), 0);
	background_wake(backgrounds(), 0);
	assert_int_equal(backgrounds()->count, 0);
	assert_null(backgrounds()->item[0]);
	check_killed(fd);
	vm_close(&v);
}

/* What has ended before its boot frees its place at the boot's end, and gets no signal. */
static void test_what_ended_before_its_boot(void **state)
{
	int fd = leave_process();
	pid_t ended = fork();

	(void)state;
	if (ended == 0)
		_exit(0);
	assert_int_equal(waitpid(ended, NULL, 0), ended);
	assert_int_equal(kill(-backgrounds()->item[0]->group, SIGKILL), 0);
	check_killed(fd);
	/* Who reaps an orphan, and when, is the system's affair. */
	backgrounds()->item[0]->group = ended;
	background_end(backgrounds(), 0);
	assert_int_equal(backgrounds()->count, 0);
	assert_null(backgrounds()->item[0]);
	vm_close(&v);
}

/* A process that has got the pid of a command later, even as the leader of a group, is another's.
 */
static void test_process_of_the_same_pid(void **state)
{
	int fd = leave_process();
	pid_t other = fork();

	(void)state;
	if (other == 0) {
		for (;;)
			(void)pause();
	}
	(void)setpgid(other, other);
	assert_int_equal(kill(-backgrounds()->item[0]->group, SIGKILL), 0);
	check_killed(fd);
	backgrounds()->item[0]->group = other;
	errno = ESRCH; /* of an earlier call */
	background_end(backgrounds(), 0);
	assert_int_equal(backgrounds()->count, 0);
	vm_close(&v);
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

/* Starts a process that is in the group of this one, and not in one of its own. */
static pid_t start_elsewhere(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(20); /* ends it if the signal is lost */
		for (;;)
			(void)pause();
	}
	return pid;
}

static void check_signal(pid_t pid, int signal)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
}

/* A command that has gone to another group gets the signals, too. */
static void test_command_that_left_its_group(void **state)
{
	struct background item = { .until_ms = -1, .command.job.has_group = true };
	struct backgrounds b = { .item = { &item }, .count = 1 };

	(void)state;
	item.group = item.command.job.pid = start_elsewhere();
	background_end(&b, 0);
	check_signal(item.group, SIGTERM);
	assert_true(item.ends);
	item.group = item.command.job.pid = start_elsewhere();
	background_wake(&b, item.until_ms);
	check_signal(item.group, SIGKILL);
	assert_true(item.late);
}

/* Lends a set of commands at the end of a page that none follows. */
static struct backgrounds *fenced(char **pages, size_t *size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t used = (sizeof(struct backgrounds) + page - 1) / page * page;

	*size = used + page;
	*pages = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	assert_ptr_not_equal(*pages, MAP_FAILED);
	assert_int_equal(mprotect(*pages + used, page, PROT_NONE), 0);
	return (struct backgrounds *)(void *)(*pages + used - sizeof(struct backgrounds));
}

/* No function goes beyond the last place. */
static void test_last_place(void **state)
{
	char *pages, *trouble;
	size_t size;
	struct backgrounds *b = fenced(&pages, &size);

	(void)state;
	b->count = 1; /* else some do not look at the places */
	background_end(b, 0);
	background_limit(b, 7);
	assert_int_equal(background_until_ms(b), -1);
	background_wake(b, 0);
	assert_false(background_ended(b, 1, &trouble));
	background_close(b);
	assert_int_equal(b->count, 1);
	assert_int_equal(munmap(pages, size), 0);
}

/* The first limit is what vmrun waits for; places that are free have none. */
static void test_first_limit(void **state)
{
	struct background item[] = { { .until_ms = -1 }, { .until_ms = 100 }, { .until_ms = 50 },
		{ .until_ms = -1 } };
	struct backgrounds b = { .item = { &item[0], NULL, &item[1], &item[2] }, .count = 4 };

	(void)state;
	b.item[MAX_BACKGROUND - 1] = &item[3];
	assert_int_equal(background_until_ms(&b), 50);
	item[3].until_ms = 49;
	assert_int_equal(background_until_ms(&b), 49);
	item[1].until_ms = 0;
	assert_int_equal(background_until_ms(&b), 0);
}

/* The machine is freed while commands run: nothing is left. */
static void test_freed(void **state)
{
	pid_t pid;

	(void)state;
	run_until("vmrun.exec { 'sleep', '600', background = true } print 'over'"
		  "vmrun.exec { 'sleep', '600' }",
	    "log over");
	pid = v.machine->calls.backgrounds.item[0]->group;
	assert_int_not_equal(pid, 0);
	vm_close(&v);
	assert_int_equal(kill(pid, 0), -1);
}

#define BACKGROUND(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BACKGROUND(test_too_many),
		BACKGROUND(test_places_are_freed),
		BACKGROUND(test_failure_warns),
		BACKGROUND(test_many_errors),
		BACKGROUND(test_end_of_what_is_left),
		BACKGROUND(test_what_ended_before_its_boot),
		BACKGROUND(test_process_of_the_same_pid),
		cmocka_unit_test(test_command_that_left_its_group),
		cmocka_unit_test(test_last_place),
		cmocka_unit_test(test_first_limit),
		BACKGROUND(test_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
