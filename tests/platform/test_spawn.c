/* What a started process inherits, and how its start and end are reported. */
#include "platform/spawn.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/filelock.h"
#include "scratch.h"
#include "starter.h"

enum { SPAWNS = 1000, FD_LIMIT = 1024, ALARM_MS = 60000 /* of child.c */ };

static void test_arguments_arrive_as_they_are(void **state)
{
	MEM_AUTO char *text = NULL;

	(void)state;
	starter_argv[2] = "";
	starter_argv[3] = "two words";
	starter_argv[4] = "$HOME 'quoted' \\";
	text = starter_report((struct spawn){ 0 }, NULL, 0);
	starter_assert_line(text, "word: ");
	starter_assert_line(text, "word: two words");
	starter_assert_line(text, "word: $HOME 'quoted' \\");
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void test_ignored_handled_and_blocked_signals_are_reset(void **state)
{
	const int signals[] = { SIGPIPE, SIGHUP, SIGTTOU, SIGXFSZ, SIGRTMIN + 3, SIGRTMAX };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction handle = { .sa_handler = do_nothing };
	struct sigaction before[6], of_usr1, now;
	MEM_AUTO char *text = NULL;
	sigset_t all, mask, after;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(sigaction(signals[i], &ignore, &before[i]), 0);
	assert_int_equal(sigaction(SIGUSR1, &handle, &of_usr1), 0);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &mask);
	text = starter_report((struct spawn){ 0 }, NULL, 0);
	(void)sigprocmask(SIG_SETMASK, &mask, &after);
	starter_assert_line(text, "ignored:");
	starter_assert_line(text, "blocked:");
	/* This process has the same signals as before. */
	assert_int_equal(sigismember(&after, SIGTERM), 1);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(sigaction(signals[i], &before[i], &now), 0);
		assert_ptr_equal(now.sa_handler, SIG_IGN);
	}
	assert_int_equal(sigaction(SIGUSR1, &of_usr1, &now), 0);
	assert_ptr_equal(now.sa_handler, do_nothing);
}

/* A caller that knows its signals: no other one is looked at. */
static void test_known_signals_alone_are_reset(void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction ttou, rt;
	MEM_AUTO char *line = mem_format("ignored: %d", SIGTTOU);
	MEM_AUTO char *text = NULL;
	sigset_t changed;

	(void)state;
	assert_int_equal(sigaction(SIGTTOU, &ignore, &ttou), 0);
	assert_int_equal(sigaction(SIGRTMIN + 3, &ignore, &rt), 0);
	spawn_find_signals(&changed);
	assert_int_equal(sigismember(&changed, SIGTTOU), 1);
	assert_int_equal(sigismember(&changed, SIGRTMIN + 3), 1);
	assert_int_equal(sigismember(&changed, SIGTERM), 0);
	(void)sigdelset(&changed, SIGTTOU);
	text = starter_report((struct spawn){ .changed_signals = &changed }, NULL, 0);
	starter_assert_line(text, line);
	assert_int_equal(sigaction(SIGTTOU, &ttou, NULL), 0);
	assert_int_equal(sigaction(SIGRTMIN + 3, &rt, NULL), 0);
}

static void test_mask_of_ours_is_kept(void **state)
{
	sigset_t usr2, mask, after;

	(void)state;
	(void)sigemptyset(&usr2);
	(void)sigaddset(&usr2, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &usr2, &mask);
	free(starter_report((struct spawn){ 0 }, NULL, 0));
	(void)sigprocmask(SIG_SETMASK, &mask, &after);
	assert_int_equal(sigismember(&after, SIGUSR2), 1);
	assert_int_equal(sigismember(&after, SIGUSR1), 0);
}

static void test_terminal_signals_are_ignored_when_asked(void **state)
{
	MEM_AUTO char *text =
	    starter_report((struct spawn){ .ignore_terminal_signals = true }, NULL, 0);
	MEM_AUTO char *line = mem_format("ignored: %d %d %d %d", SIGHUP, SIGINT, SIGQUIT, SIGTSTP);

	(void)state;
	starter_assert_line(text, line);
}

static void test_group_is_inherited_unless_asked(void **state)
{
	MEM_AUTO char *inherited = starter_report((struct spawn){ 0 }, NULL, 0);
	MEM_AUTO char *own = starter_report((struct spawn){ .own_group = true }, NULL, 0);

	(void)state;
	starter_assert_line(inherited, "group: inherited");
	starter_assert_line(own, "group: own");
}

static pid_t start_child(char *verb, char *operand)
{
	starter_argv[1] = verb;
	starter_argv[2] = operand;
	return starter_run(&(struct spawn){
	    .argv = starter_argv, .path = starter_argv[0], .death_signal = SIGKILL });
}

static void test_end_tells_status_from_signal(void **state)
{
	MEM_AUTO char *number = mem_format("%d", SIGTERM);
	struct process_end end;

	(void)state;
	end = starter_reap(start_child("exit", "42"));
	assert_int_equal(end.status, 42);
	assert_int_equal(end.signal, 0);
	end = starter_reap(start_child("exit", "0"));
	assert_int_equal(end.status, 0);
	assert_int_equal(end.signal, 0);
	end = starter_reap(start_child("kill", number));
	assert_int_equal(end.status, -1);
	assert_int_equal(end.signal, SIGTERM);
}

static void test_nobody_is_reaped_twice(void **state)
{
	pid_t pid = start_child("exit", "0");
	struct process_end end;

	(void)state;
	(void)starter_reap(pid);
	assert_int_equal(process_reap(pid, &end, &starter_err), -1);
	assert_int_equal(starter_err.status, STATUS_OS);
}

static void assert_cannot_start(const struct spawn *what, enum status status, const char *reason)
{
	pid_t pid = -1;

	assert_int_equal(spawn_process(what, &pid, &starter_err), -1);
	assert_int_equal(pid, -1);
	assert_int_equal(starter_err.status, status);
	assert_non_null(strstr(starter_err.text, what->path));
	if (strstr(starter_err.text, reason) == NULL)
		fail_msg("no \"%s\" in \"%s\"", reason, starter_err.text);
	error_clear(&starter_err);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void assert_cannot_execute(const char *path, enum status status, const char *reason)
{
	char *argv[] = { "x", NULL };

	assert_cannot_start(&(struct spawn){ .argv = argv, .path = path }, status, reason);
}

static void test_failed_exec_says_why(void **state)
{
	MEM_AUTO char *directory = scratch_path("directory");
	MEM_AUTO char *below_a_file = scratch_path("plain/x");

	(void)state;
	(void)mkdir("directory", 0755);
	scratch_write("plain", "true\n", 0644);
	scratch_write("text", "true\n", 0755);
	scratch_write("orphan", "#!/nonexistent/interpreter\n", 0755);
	scratch_write("odd", "#!/dev/null/interpreter\n", 0755);
	assert_cannot_execute("./missing", STATUS_EXEC_MISSING, "No such file");
	assert_cannot_execute(below_a_file, STATUS_EXEC_MISSING, "Not a directory");
	assert_cannot_execute(directory, STATUS_CANNOT_EXEC, "a directory");
	assert_cannot_execute("./plain", STATUS_CANNOT_EXEC, "not executable");
	assert_cannot_execute("./text", STATUS_CANNOT_EXEC, "neither");
	assert_cannot_execute("./orphan", STATUS_CANNOT_EXEC, "its interpreter is missing");
	assert_cannot_execute("./odd", STATUS_CANNOT_EXEC, "its interpreter is missing");
	assert_cannot_execute("/dev/null", STATUS_CANNOT_EXEC, "not a program");
}

static void test_script_is_executed(void **state)
{
	char *argv[] = { "script", "7", NULL };

	(void)state;
	scratch_write("script", "#!/bin/sh\nexit \"$1\"\n", 0755);
	assert_int_equal(
	    starter_reap(starter_run(&(struct spawn){ .argv = argv, .path = "./script" })).status,
	    7);
}

static void test_closed_descriptor_cannot_be_passed_on(void **state)
{
	const struct spawn_fd fds[] = { { 500, 5 } };
	const struct spawn what = {
		.argv = starter_argv, .path = starter_argv[0], .fds = fds, .fd_count = 1
	};

	(void)state;
	assert_cannot_start(&what, STATUS_OS, "descriptors");
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < FD_LIMIT; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_thousand_starts_leave_nothing_behind(void **state)
{
	char *argv[] = { "true", NULL };
	struct spawn good = { .argv = argv, .path = "/usr/bin/true" };
	struct spawn bad = { .argv = argv, .path = "./missing" };
	const struct spawn_fd fds[] = { { 1, 1 }, { 2, 2 }, { 0, 9 } };
	int before = count_descriptors();
	pid_t pid;

	(void)state;
	good.fds = fds;
	good.fd_count = 3;
	for (int i = 0; i < SPAWNS; i++) {
		assert_int_equal(starter_reap(starter_run(&good)).status, 0);
		assert_int_equal(spawn_process(&bad, &pid, &starter_err), -1);
		error_clear(&starter_err);
	}
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* --- the end of the parent --- */

/* Starts a child that keeps `hold` open, reports that, and then waits. */
static _Noreturn void be_a_parent(int tell, int hold, const char *lock_file)
{
	const struct spawn_fd fds[] = { { hold, 3 } };
	struct spawn what = { .argv = starter_argv, .path = starter_argv[0], .fds = fds };
	pid_t pid;

	what.fd_count = 1;
	what.own_group = true;
	what.death_signal = SIGTERM;
	what.lock_file = lock_file;
	starter_argv[1] = "wait";
	(void)alarm(60);
	if (spawn_process(&what, &pid, &starter_err) == 0)
		(void)!write(tell, &pid, sizeof(pid));
	for (;;)
		(void)pause();
}

/*
 * Starts such a parent and kills it.  *held is readable at the end of the child, whose pid is
 * returned.
 */
static pid_t kill_a_parent(const char *lock_file, int *held)
{
	int told[2], ends[2];
	pid_t parent, pid = -1;

	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(ends), 0);
	parent = fork();
	assert_true(parent >= 0);
	if (parent == 0)
		be_a_parent(told[1], ends[1], lock_file);
	(void)close(told[1]);
	(void)close(ends[1]);
	assert_int_equal(read(told[0], &pid, sizeof(pid)), sizeof(pid));
	(void)close(told[0]);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(starter_reap(parent).signal, SIGKILL);
	*held = ends[0];
	return pid;
}

/* A child whose file cannot be locked dies, too. */
static void test_child_dies_with_its_parent(void **state)
{
	static const char *const files[] = { NULL, "missing/file" };
	const int64_t began = clock_ms();
	char byte;
	int held;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)kill_a_parent(files[i], &held);
		/* End of file: the parent's copy and the child's are both gone. */
		assert_int_equal(read(held, &byte, 1), 0);
		(void)close(held);
	}
	/* The signals have ended the children, not their alarms. */
	assert_true(clock_ms() - began < ALARM_MS);
}

static void test_child_with_a_lock_outlives_its_parent(void **state)
{
	struct pollfd end = { .events = POLLIN };
	pid_t pid, holder;
	char byte;

	(void)state;
	pid = kill_a_parent("lock", &end.fd);
	assert_int_equal(poll(&end, 1, 100), 0); /* a death signal would have come by now */
	assert_true(filelock_is_held("lock", &holder));
	assert_int_equal(holder, pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(read(end.fd, &byte, 1), 0);
	assert_int_equal(unlink("lock"), 0);
	(void)close(end.fd);
}

/* --- the lock --- */

/* The program has the descriptor of the lock, whatever others it gets, and no more. */
static void test_lock_is_one_descriptor(void **state)
{
	struct spawn_fd fds[2] = { { 1, 9 }, { 1, 40 } };
	int others[32];

	(void)state;
	for (size_t i = 0; i < 32; i++)
		others[i] = i % 8 == 0 ? dup(1) : -1;
	for (size_t count = 0; count <= 2; count++) {
		MEM_AUTO char *text =
		    starter_report((struct spawn){ .lock_file = "lock" }, fds, count);
		size_t numbers = 0;

		for (const char *p = text; *p != '\n'; p++)
			numbers += *p == ' ';
		assert_int_equal(numbers, 3 + 1 + count);
	}
	for (size_t i = 0; i < 32; i++) {
		if (others[i] >= 0)
			(void)close(others[i]);
	}
	assert_int_equal(unlink("lock"), 0);
}

static void test_lock_ends_with_the_process(void **state)
{
	char *argv[] = { "sh", "-c", "sleep 60 & echo $! >left", NULL };
	pid_t pid, holder;
	long left = 0;
	FILE *f;

	(void)state;
	starter_argv[1] = "wait";
	pid = starter_run(
	    &(struct spawn){ .argv = starter_argv, .path = starter_argv[0], .lock_file = "lock" });
	assert_true(filelock_is_held("lock", &holder));
	assert_int_equal(holder, pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(starter_reap(pid).signal, SIGKILL);
	assert_false(filelock_is_held("lock", &holder));
	/* A program that it leaves running has the descriptor, but not the lock. */
	pid = starter_run(&(struct spawn){ .argv = argv, .path = "/bin/sh", .lock_file = "lock" });
	assert_int_equal(starter_reap(pid).status, 0);
	f = fopen("left", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &left), 1); /* NOLINT(cert-err34-c): a shell wrote it */
	assert_int_equal(fclose(f), 0);
	assert_int_equal(kill((pid_t)left, 0), 0);
	assert_false(filelock_is_held("lock", &holder));
	assert_int_equal(kill((pid_t)left, SIGKILL), 0);
	assert_int_equal(unlink("lock"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, starter_setup, starter_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arguments_arrive_as_they_are),
		TEST(ignored_handled_and_blocked_signals_are_reset),
		TEST(known_signals_alone_are_reset),
		TEST(mask_of_ours_is_kept),
		TEST(terminal_signals_are_ignored_when_asked),
		TEST(group_is_inherited_unless_asked),
		TEST(end_tells_status_from_signal),
		TEST(nobody_is_reaped_twice),
		TEST(failed_exec_says_why),
		TEST(script_is_executed),
		TEST(closed_descriptor_cannot_be_passed_on),
		TEST(thousand_starts_leave_nothing_behind),
		TEST(child_dies_with_its_parent),
		TEST(child_with_a_lock_outlives_its_parent),
		TEST(lock_is_one_descriptor),
		TEST(lock_ends_with_the_process),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
