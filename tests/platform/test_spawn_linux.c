/*
 * Starts from a thread, and cases that need seccomp to stop or remove a system call: kernels
 * without close_range or pidfd_open, a parent that dies and a signal that comes before exec.
 */
#define _GNU_SOURCE
#include "platform/spawn.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/waitset.h"

/* Results of a part of a test that runs in another process. */
enum { PASSED = 0, FAILED = 1, IMPOSSIBLE = 2 };

/* Applies to `number` when its first argument is `argument` (ANY: always). Returns the listener. */
enum { ANY = -1 };

static int filter(long number, int argument, uint32_t action, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)argument, 0,
		    (unsigned char)(argument == ANY ? 0 : 1)),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int take_away(long number)
{
	return filter(number, ANY, SECCOMP_RET_ERRNO | ENOSYS, 0);
}

static int intercept(long number, int argument)
{
	return filter(number, argument, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

/* Runs a test in another process, because filters cannot be removed. */
static void run_apart(int (*body)(void))
{
	struct process_end end;
	struct error err = { 0 };
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(process_reap(pid, &end, &err), 0);
	if (end.status == IMPOSSIBLE) {
		print_message("skipped: this sandbox does not allow seccomp filters\n");
		skip();
	}
	assert_int_equal(end.signal, 0);
	assert_int_equal(end.status, PASSED);
}

static int spawn_child(char *verb, char *operand, int death_signal, pid_t *pid)
{
	char *argv[] = { "child", verb, operand, NULL };
	struct spawn what = { .argv = argv, .path = CHILD_PROGRAM, .death_signal = death_signal };
	struct error err = { 0 };
	int result = spawn_process(&what, pid, &err);

	if (result < 0)
		(void)fprintf(stderr, "%s\n", err.text);
	error_clear(&err);
	return result;
}

static int start_without_close_range(void)
{
	/* The child reports through a file, because it has nothing else open. */
	int report = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	const struct spawn_fd fds[] = { { report, 1 }, { report, 5 }, { report, 9 } };
	char *argv[] = { "child", "report", NULL };
	struct spawn what = { .argv = argv, .path = CHILD_PROGRAM, .fds = fds, .fd_count = 3 };
	struct process_end end = { 0 };
	struct error err = { 0 };
	char text[64] = "";
	pid_t pid;

	/* More entries than one read of the directory returns. */
	for (int fd = 100; fd < 400; fd++)
		(void)dup2(report, fd);
	if (take_away(SYS_close_range) < 0)
		return IMPOSSIBLE;
	if (syscall(SYS_close_range, 500, 501, 0) == 0 || errno != ENOSYS)
		return FAILED;
	if (spawn_process(&what, &pid, &err) < 0 || process_reap(pid, &end, &err) < 0)
		return FAILED;
	if (pread(report, text, sizeof(text) - 1, 0) < 0)
		return FAILED;
	if (end.status == 0 && strncmp(text, "open: 0 1 2 5 9\n", 16) == 0)
		return PASSED;
	(void)fprintf(stderr, "%s\n", text);
	return FAILED;
}

static void test_others_are_closed_without_close_range(void **state)
{
	(void)state;
	run_apart(start_without_close_range);
}

static int watch_without_pidfd(void)
{
	struct waitset *set = NULL;
	struct error err = { 0 };

	if (take_away(SYS_pidfd_open) < 0)
		return IMPOSSIBLE;
	if (waitset_new(&set, &err) < 0 || waitset_watch_child(set, getpid(), 1, &err) == 0)
		return FAILED;
	waitset_free(set);
	return err.status == STATUS_OS && strstr(err.text, "pidfd_open is missing") != NULL
	    ? PASSED
	    : FAILED;
}

static void test_kernel_without_pidfd_is_told(void **state)
{
	(void)state;
	run_apart(watch_without_pidfd);
}

/* Waits for the call, and returns the pid of its caller. */
static pid_t wait_for_call(int listener, uint64_t *id)
{
	struct seccomp_notif call = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return -1;
	*id = call.id;
	return (pid_t)call.pid;
}

static void let_go_on(int listener, uint64_t id)
{
	struct seccomp_notif_resp answer = { .id = id };

	answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Kills the parent; this process gets the orphan, whose status is 42 if it ran its program. */
static int kill_parent_before_the_tie(void)
{
	struct process_end end;
	struct error err = { 0 };
	int listener;
	uint64_t id;
	pid_t parent, child, ignored;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return IMPOSSIBLE;
	listener = intercept(SYS_prctl, PR_SET_PDEATHSIG);
	if (listener < 0)
		return IMPOSSIBLE;
	parent = fork();
	if (parent == 0) {
		(void)spawn_child("exit", "42", SIGTERM, &ignored);
		_exit(FAILED);
	}
	child = wait_for_call(listener, &id);
	(void)kill(parent, SIGKILL);
	if (child < 0 || process_reap(parent, &end, &err) < 0 || end.signal != SIGKILL)
		return FAILED;
	let_go_on(listener, id);
	if (process_reap(child, &end, &err) < 0)
		return FAILED;
	return end.status == 127 ? PASSED : FAILED;
}

static void test_orphan_does_not_execute(void **state)
{
	(void)state;
	run_apart(kill_parent_before_the_tie);
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
	(void)signal;
	handled = 1;
}

/* Checks, in the parent of the signalled child, that the parent's handler did not run. */
static int expect_death_by_signal(void)
{
	const struct sigaction action = { .sa_handler = handle };
	struct process_end end;
	struct error err = { 0 };
	pid_t pid;

	(void)sigaction(SIGUSR1, &action, NULL);
	if (spawn_child("exit", "42", 0, &pid) < 0 || process_reap(pid, &end, &err) < 0)
		return FAILED;
	return end.signal == SIGUSR1 && handled == 0 ? PASSED : FAILED;
}

static int signal_child_before_exec(void)
{
	struct process_end end;
	struct error err = { 0 };
	int listener = intercept(SYS_execve, ANY);
	uint64_t id;
	pid_t parent, child;

	if (listener < 0)
		return IMPOSSIBLE;
	parent = fork();
	if (parent == 0)
		_exit(expect_death_by_signal());
	child = wait_for_call(listener, &id);
	if (child < 0 || kill(child, SIGUSR1) < 0)
		return FAILED;
	let_go_on(listener, id);
	return process_reap(parent, &end, &err) == 0 && end.status == PASSED ? PASSED : FAILED;
}

static void test_handlers_of_ours_do_not_run_in_the_child(void **state)
{
	(void)state;
	run_apart(signal_child_before_exec);
}

/* Waits until this process has so many threads. */
static void await_threads(int wanted)
{
	int count;

	for (int i = 0; i < 6000; i++) {
		DIR *tasks = opendir("/proc/self/task");
		const struct dirent *e;

		assert_non_null(tasks);
		for (count = 0; (e = readdir(tasks)) != NULL; count += e->d_name[0] != '.')
			;
		(void)closedir(tasks);
		if (count == wanted)
			return;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("%d threads instead of %d", count, wanted);
}

/* Starts a child, and a program that is missing; a thread of its own, which ends. */
static void *start_two(void *pid)
{
	char *argv[] = { "missing", NULL };
	const struct spawn missing = { .argv = argv, .path = "./missing", .death_signal = SIGTERM };
	struct error err = { 0 };
	pid_t none;

	assert_int_equal(spawn_process(&missing, &none, &err), -1);
	assert_int_equal(err.status, STATUS_EXEC_MISSING);
	error_clear(&err);
	assert_int_equal(spawn_child("wait", NULL, SIGTERM, pid), 0);
	return NULL;
}

static void test_end_of_a_thread_ends_no_child(void **state)
{
	struct process_end end;
	struct error err = { 0 };
	pthread_t thread;
	pid_t pid;

	(void)state;
	await_threads(1);
	assert_int_equal(pthread_create(&thread, NULL, start_two, &pid), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	await_threads(2); /* this one, and the keeper of the child */
	assert_false(process_has_ended(pid));
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(process_reap(pid, &end, &err), 0);
	assert_int_equal(end.signal, SIGINT); /* and not the death signal */
	await_threads(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others_are_closed_without_close_range),
		cmocka_unit_test(test_kernel_without_pidfd_is_told),
		cmocka_unit_test(test_orphan_does_not_execute),
		cmocka_unit_test(test_handlers_of_ours_do_not_run_in_the_child),
		cmocka_unit_test(test_end_of_a_thread_ends_no_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
