/* A program from its search to its reaping: all ways to start, to print, to end and to fail. */
#include "process/job.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"

enum { OUT, ERR, THIRD, TAG_FIRST = 100, TAG_END = 200, MAX_WAIT_MS = 60000, FD_LIMIT = 1024 };

static struct waitset *waits;
static struct error err;
static struct job job;
static struct str heard[MAX_JOB_STREAMS];

static size_t max_read = SIZE_MAX; /* bytes that one read() returns */

/* The linker sets this name. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	return __real_read(fd, bytes, n < max_read ? n : max_read);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static int setup(void **state)
{
	(void)state;
	return waitset_new(&waits, &err);
}

static int teardown(void **state)
{
	(void)state;
	job_free(&job);
	waitset_free(waits);
	error_clear(&err);
	for (int i = 0; i < MAX_JOB_STREAMS; i++)
		str_free(&heard[i]);
	return 0;
}

static uintptr_t end_tag(pid_t pid)
{
	assert_true(pid > 0);
	return TAG_END;
}

static void hear(void *context, size_t stream, const char *bytes, size_t n)
{
	str_add_n((struct str *)context + stream, bytes, n);
}

/* Returns a setup that keeps the beginning of stdout and the end of stderr. */
static struct job_setup ways(char **argv)
{
	return (struct job_setup){ .argv = argv,
		.stream = { [OUT] = { .kind = JOB_PIPE,
				.numbers = { STDOUT_FILENO },
				.keep = JOB_KEEP_BEGINNING,
				.max = 1000 },
		    [ERR] = { .kind = JOB_PIPE,
			.numbers = { STDERR_FILENO },
			.keep = JOB_KEEP_END,
			.max = 1000 } },
		.death_signal = SIGKILL,
		.wait = waits,
		.first_tag = TAG_FIRST,
		.end_tag = end_tag,
		.hear = hear,
		.hear_context = heard };
}

static void start(const struct job_setup *how)
{
	if (job_start(&job, how, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(job.pid > 0);
}

static void start_shell(char *script)
{
	char *argv[] = { "sh", "-c", script, CHILD_PROGRAM, NULL };
	struct job_setup how = ways(argv);

	start(&how);
}

/* Takes one event; returns false for the end. */
static bool take_event(void)
{
	struct wake wake;

	if (waitset_next(waits, MAX_WAIT_MS, &wake, &err) != 1)
		fail_msg("nothing happened: %s", err.text == NULL ? "" : err.text);
	if (wake.kind == WAKE_READABLE) {
		assert_in_range(wake.tag, TAG_FIRST, TAG_FIRST + MAX_JOB_STREAMS - 1);
		job_read(&job, wake.tag - TAG_FIRST);
		return true;
	}
	assert_int_equal(wake.kind, WAKE_CHILD);
	assert_int_equal(wake.tag, TAG_END);
	return false;
}

static void await_said(size_t stream, const char *text)
{
	while (heard[stream].text == NULL || strstr(heard[stream].text, text) == NULL)
		assert_true(take_event());
}

/* Checks that no child is left to reap. */
static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < FD_LIMIT; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static struct process_end finish(void)
{
	struct process_end end;

	while (take_event())
		;
	if (job_finish(&job, &end, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(job.pid, 0);
	assert_no_child();
	return end;
}

static void assert_ends(int status, int signal)
{
	struct process_end end = finish();

	assert_int_equal(end.status, status);
	assert_int_equal(end.signal, signal);
}

static void assert_text(size_t stream, const char *text)
{
	assert_non_null(job.stream[stream].text.text);
	assert_string_equal(job.stream[stream].text.text, text);
}

static void cannot_start(char **argv, enum status status, const char *why)
{
	struct job_setup how = ways(argv);
	int before = count_descriptors();

	assert_int_equal(job_start(&job, &how, &err), -1);
	assert_int_equal(err.status, status);
	if (strstr(err.text, why) == NULL)
		fail_msg("no \"%s\" in \"%s\"", why, err.text);
	error_clear(&err);
	assert_false(job.ran);
	assert_int_equal(job.pid, 0);
	assert_int_equal(count_descriptors(), before);
	assert_no_child();
}

static void test_program_is_missing(void **state)
{
	char *in_path[] = { "no-such-program", NULL }, *path[] = { "./missing", NULL };

	(void)state;
	cannot_start(in_path, STATUS_EXEC_MISSING, "not found in PATH");
	cannot_start(path, STATUS_EXEC_MISSING, "No such file");
}

static void test_program_is_not_executable(void **state)
{
	char *plain[] = { "./plain", NULL }, *directory[] = { "/dev", NULL };

	(void)state;
	scratch_write("plain", "true\n", 0644);
	cannot_start(plain, STATUS_CANNOT_EXEC, "not executable");
	cannot_start(directory, STATUS_CANNOT_EXEC, "a directory");
}

static void test_program_that_is_found_cannot_be_executed(void **state)
{
	static char longest[4 << 20];
	char *orphan[] = { "./orphan", NULL }, *much[] = { "true", longest, NULL };

	(void)state;
	scratch_write("orphan", "#!/nonexistent/interpreter\n", 0755);
	cannot_start(orphan, STATUS_CANNOT_EXEC, "its interpreter is missing");
	memset(longest, 'x', sizeof(longest) - 1);
	cannot_start(much, STATUS_CANNOT_EXEC, "cannot be executed");
}

/* A relative path begins at the directory in which the program runs. */
static void test_program_of_a_directory(void **state)
{
	char *missing[] = { "./missing", NULL }, *inner[] = { "./inner", NULL };
	struct job_setup how = ways(missing);
	char directory[PATH_MAX + 8];

	(void)state;
	assert_non_null(getcwd(directory, PATH_MAX));
	(void)strcat(directory, "/sub");
	assert_int_equal(mkdir("sub", 0700), 0);
	scratch_write("sub/inner", "#!/bin/sh\nexit 7\n", 0700);
	how.directory = directory;
	assert_int_equal(job_start(&job, &how, &err), -1);
	assert_int_equal(err.status, STATUS_EXEC_MISSING);
	assert_non_null(strstr(err.text, "sub/missing:"));
	error_clear(&err);
	how.argv = inner;
	start(&how);
	assert_ends(7, 0);
}

/* Returns the first free descriptor. */
static int next_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)close(fd);
	return fd;
}

/* Each limit stops the start at another step, until one lets it succeed. */
static void test_descriptors_run_out(void **state)
{
	char *argv[] = { "true", NULL };
	struct job_setup how = ways(argv);
	int first = next_descriptor(), before = count_descriptors(), failures = 0, rc = -1;
	struct rlimit was, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	for (int more = 0; rc != 0 && more < 50; more++) {
		limit = was;
		limit.rlim_cur = (rlim_t)first + (rlim_t)more;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		rc = job_start(&job, &how, &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
		if (rc == 0)
			break;
		failures++;
		assert_int_equal(err.status, STATUS_OS);
		error_clear(&err);
		assert_int_equal(job.pid, 0);
		assert_int_equal(count_descriptors(), before);
		assert_no_child();
	}
	/* Two pipes are four descriptors. */
	assert_true(failures >= 4);
	assert_ends(0, 0);
	assert_int_equal(count_descriptors(), before);
}

static void test_status_and_streams(void **state)
{
	(void)state;
	start_shell("echo said; echo wrong >&2; exit 3");
	assert_ends(3, 0);
	assert_text(OUT, "said\n");
	assert_text(ERR, "wrong\n");
	assert_string_equal(heard[OUT].text, "said\n");
	assert_string_equal(heard[ERR].text, "wrong\n");
	assert_null(heard[THIRD].text);
}

static void test_two_numbers_of_one_stream(void **state)
{
	char *argv[] = { "sh", "-c", "echo one; echo two >&2; echo three", NULL };
	struct job_setup how = ways(argv);

	(void)state;
	how.stream[OUT].numbers[1] = STDERR_FILENO;
	how.stream[ERR].kind = JOB_NONE;
	start(&how);
	assert_ends(0, 0);
	assert_text(OUT, "one\ntwo\nthree\n");
}

static void test_no_stream_is_dev_null(void **state)
{
	char *argv[] = { "sh", "-c", "echo one && echo two >&2 && ! read line", NULL };
	struct job_setup how = ways(argv);
	int before = count_descriptors();

	(void)state;
	how.stream[OUT].kind = how.stream[ERR].kind = JOB_NONE;
	start(&how);
	/* Some systems need a descriptor to watch the end. */
	assert_true(count_descriptors() <= before + 1);
	assert_ends(0, 0);
}

static void test_output_as_much_as_is_kept_and_a_byte_more(void **state)
{
	char *argv[] = { "sh", "-c", "printf 12345678; printf abcdefgh >&2", NULL };
	struct job_setup how = ways(argv);

	(void)state;
	how.stream[OUT].max = how.stream[ERR].max = 8;
	start(&how);
	assert_ends(0, 0);
	assert_text(OUT, "12345678");
	assert_text(ERR, "abcdefgh");
	assert_false(job_overflowed(&job, OUT));
	how.stream[OUT].max = how.stream[ERR].max = 7;
	start(&how);
	assert_ends(0, 0);
	assert_text(OUT, "1234567");
	assert_text(ERR, "bcdefgh");
	assert_true(job_overflowed(&job, OUT));
	assert_false(job_overflowed(&job, ERR));
	/* The callback gets output that is not kept. */
	assert_string_equal(heard[OUT].text, "1234567812345678");
}

static void test_output_in_many_reads_is_kept_up_to_the_limit(void **state)
{
	char *argv[] = { "sh", "-c", "printf 1234; printf x >&2; read go; printf 5678", NULL };
	struct job_setup how = ways(argv);
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	job_setup_give(&how, pipe_fds[0], STDIN_FILENO);
	how.stream[OUT].max = 6;
	start(&how);
	await_said(OUT, "1234");
	assert_int_equal(write(pipe_fds[1], "go\n", 3), 3);
	assert_ends(0, 0);
	assert_text(OUT, "123456");
	assert_true(job_overflowed(&job, OUT));
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void test_nothing_is_kept(void **state)
{
	char *argv[] = { "echo", "heard", NULL };
	struct job_setup how = ways(argv);

	(void)state;
	how.stream[OUT].keep = JOB_KEEP_NOTHING;
	start(&how);
	assert_ends(0, 0);
	assert_null(job.stream[OUT].text.text);
	assert_string_equal(heard[OUT].text, "heard\n");
}

static void test_hearing_is_optional(void **state)
{
	char *argv[] = { "echo", "kept", NULL };
	struct job_setup how = ways(argv);

	(void)state;
	how.hear = NULL;
	start(&how);
	assert_ends(0, 0);
	assert_text(OUT, "kept\n");
}

static void test_socket_goes_both_ways(void **state)
{
	char *argv[] = { "sh", "-c", "read word <&3; echo \"got $word\" >&3; exec 3>&-; exit 5",
		NULL };
	struct job_setup how = ways(argv);

	(void)state;
	how.stream[THIRD] = (struct job_stream_setup){ .kind = JOB_SOCKET, .numbers = { 3 } };
	start(&how);
	job_write(&job, THIRD, "hello\n");
	assert_ends(5, 0);
	assert_string_equal(heard[THIRD].text, "got hello\n");
	/* The stream is closed. */
	job_write(&job, THIRD, "bye\n");
}

/* Waits until the process has ended, and returns its tag; the end is not taken yet. */
static uintptr_t end_tag_after_the_end(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return TAG_END;
}

static void test_ends_before_it_is_watched(void **state)
{
	char *argv[] = { "sh", "-c", "echo quick; exit 7", NULL };
	struct job_setup how = ways(argv);

	(void)state;
	how.end_tag = end_tag_after_the_end;
	start(&how);
	assert_ends(7, 0);
	assert_text(OUT, "quick\n");
}

static void test_what_is_in_the_pipes_at_the_end_is_read(void **state)
{
	char *argv[] = { "sh", "-c", "printf '%015000d' 1; printf '%0900d' 2 >&2", NULL };
	struct job_setup how = ways(argv);
	struct process_end end;

	(void)state;
	how.stream[OUT].max = 50000;
	how.end_tag = end_tag_after_the_end;
	start(&how);
	/* No event has been taken. */
	assert_int_equal(job_finish(&job, &end, &err), 0);
	assert_int_equal(end.status, 0);
	assert_int_equal(job.stream[OUT].text.length, 15000);
	assert_int_equal(heard[OUT].length, 15000);
	assert_int_equal(job.stream[ERR].text.length, 900);
}

/* After the end, a stream is read at most 64 times. */
static void test_number_of_last_reads(void **state)
{
	static const struct {
		const char *script;
		size_t length;
	} rows[] = { { "printf %063d 7", 63 }, { "printf %064d 7", 64 }, { "printf %065d 7", 64 } };

	(void)state;
	max_read = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *argv[] = { "sh", "-c", (char *)rows[i].script, NULL };
		struct job_setup how = ways(argv);
		struct process_end end;

		how.end_tag = end_tag_after_the_end;
		start(&how);
		/* No event has been taken. */
		assert_int_equal(job_finish(&job, &end, &err), 0);
		assert_int_equal(end.status, 0);
		assert_int_equal(job.stream[OUT].text.length, rows[i].length);
	}
	max_read = SIZE_MAX;
}

static void test_killed_by_a_signal(void **state)
{
	(void)state;
	start_shell("echo up; exec \"$0\" wait");
	await_said(OUT, "up\n");
	job_signal(&job, SIGTERM);
	assert_ends(-1, SIGTERM);
}

static void test_ignores_sigterm(void **state)
{
	char *argv[] = { "sh", "-c",
		"trap '' TERM; echo up; read word; echo still $word; exec \"$0\" wait",
		CHILD_PROGRAM, NULL };
	struct job_setup how = ways(argv);
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	job_setup_give(&how, pipe_fds[0], STDIN_FILENO);
	start(&how);
	await_said(OUT, "up\n");
	job_signal(&job, SIGTERM);
	assert_int_equal(write(pipe_fds[1], "here\n", 5), 5);
	await_said(OUT, "still here\n");
	job_kill(&job);
	assert_ends(-1, SIGKILL);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

/* Returns whether a process still has the other end open after a minute. */
static bool is_held(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, MAX_WAIT_MS) != 1 || (p.revents & POLLHUP) == 0;
}

/* Starts a script that has the write end of a pipe as 3; returns the read end. */
static int start_holding(struct job_setup *how)
{
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	job_setup_give(how, pipe_fds[1], 3);
	start(how);
	(void)close(pipe_fds[1]);
	return pipe_fds[0];
}

static void test_kill_ends_the_offspring(void **state)
{
	char *argv[] = { "sh", "-c", "(echo up; exec \"$0\" wait) & exec 3>&-; exec \"$0\" wait",
		CHILD_PROGRAM, NULL };
	struct job_setup how = ways(argv);
	int fd = start_holding(&how);

	(void)state;
	await_said(OUT, "up\n");
	job_kill(&job);
	assert_ends(-1, SIGKILL);
	assert_false(is_held(fd));
	(void)close(fd);
}

static void test_kill_reaches_a_job_that_left_its_group(void **state)
{
	(void)state;
	start_shell("exec \"$0\" leave");
	await_said(OUT, "left\n");
	job_kill(&job);
	assert_ends(-1, SIGKILL);
}

static void test_free_kills_and_reaps(void **state)
{
	char *argv[] = { CHILD_PROGRAM, "wait", NULL };
	struct job_setup how = ways(argv);
	int before = count_descriptors();
	int fd = start_holding(&how);

	(void)state;
	job_free(&job);
	assert_no_child();
	assert_false(is_held(fd));
	(void)close(fd);
	waitset_free(waits);
	waits = NULL;
	assert_true(count_descriptors() <= before);
	/* Also for a job that does not run. */
	job_free(&job);
	job_kill(&job);
	job_signal(&job, SIGKILL);
}

static void test_offspring_that_holds_the_pipes_is_not_waited_for(void **state)
{
	pid_t left;

	(void)state;
	start_shell("\"$0\" wait & echo $!; exit 6");
	assert_ends(6, 0);
	left = (pid_t)atol(job.stream[OUT].text.text);
	assert_true(left > 1);
	assert_int_equal(kill(left, SIGKILL), 0);
}

/* Runs a script that ends at a line of input, while its children flood this stream. */
static void run_flooded(char *script, size_t stream, int status)
{
	char *argv[] = { "sh", "-c", script, NULL };
	struct job_setup how = ways(argv);
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	job_setup_give(&how, pipe_fds[0], STDIN_FILENO);
	start(&how);
	while (heard[stream].length < 2000)
		assert_true(take_event());
	assert_int_equal(write(pipe_fds[1], "go\n", 3), 3);
	assert_ends(status, 0);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void test_offspring_that_fills_the_pipes_is_not_waited_for(void **state)
{
	(void)state;
	/* Each "yes" ends when nothing reads its pipe any more. */
	run_flooded("yes & read go; exit 7", OUT, 7);
	assert_int_equal(job.stream[OUT].text.length, 1000);
	assert_true(job_overflowed(&job, OUT));
	run_flooded("yes >&2 & read go; exit 8", ERR, 8);
	assert_int_equal(job.stream[ERR].text.length, 1000);
}

static void test_closed_streams_are_not_the_end(void **state)
{
	(void)state;
	start_shell("exec >&- 2>&-; exit 9");
	assert_ends(9, 0);
}

static void test_left_job_goes_on(void **state)
{
	int before = count_descriptors(), status;
	pid_t pid;

	(void)state;
	start_shell("echo up; exec \"$0\" wait");
	await_said(OUT, "up\n");
	pid = job.pid;
	job_leave(&job);
	assert_int_equal(job.pid, 0);
	assert_text(OUT, "up\n");
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_false(take_event());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(count_descriptors(), before);
}

static void test_starts_again_without_the_old_texts(void **state)
{
	char *missing[] = { "./missing", NULL };

	(void)state;
	start_shell("echo first; echo wrong >&2");
	assert_ends(0, 0);
	start_shell("echo second");
	assert_ends(0, 0);
	assert_text(OUT, "second\n");
	assert_null(job.stream[ERR].text.text);
	cannot_start(missing, STATUS_EXEC_MISSING, "No such file");
	assert_null(job.stream[OUT].text.text);
	start_shell("exit 4");
	assert_ends(4, 0);
}

static void report(bool reads_terminal)
{
	char *argv[] = { CHILD_PROGRAM, "report", NULL };
	struct job_setup how = ways(argv);

	how.reads_terminal = reads_terminal;
	how.stream[OUT].max = 100000;
	start(&how);
	assert_ends(0, 0);
}

static void assert_said(const char *line)
{
	MEM_AUTO char *wanted = mem_format("\n%s\n", line);
	MEM_AUTO char *lines = mem_format("\n%s", job.stream[OUT].text.text);

	if (strstr(lines, wanted) == NULL)
		fail_msg("no line \"%s\" in:\n%s", line, lines);
}

static void test_what_it_inherits(void **state)
{
	MEM_AUTO char *ignored =
	    mem_format("ignored: %d %d %d %d", SIGHUP, SIGINT, SIGQUIT, SIGTSTP);
	int ours = open("/dev/null", O_RDONLY); /* not close-on-exec */

	(void)state;
	report(false);
	assert_said("open: 0 1 2");
	assert_said("group: own");
	assert_said("ignored:");
	report(true);
	assert_said("open: 0 1 2");
	assert_said("group: inherited");
	assert_said(ignored);
	(void)close(ours);
}

/* Killing a job in this process's group must not kill this test. */
static void test_kill_of_one_in_this_group(void **state)
{
	char *argv[] = { CHILD_PROGRAM, "wait", NULL };
	struct job_setup how = ways(argv);

	(void)state;
	how.reads_terminal = true;
	start(&how);
	job_kill(&job);
	assert_ends(-1, SIGKILL);
}

static void test_dies_with_its_starter(void **state)
{
	char *argv[] = { CHILD_PROGRAM, "wait", NULL };
	struct job_setup how = ways(argv);
	int pipe_fds[2], status;
	pid_t starter;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	job_setup_give(&how, pipe_fds[1], 3);
	starter = fork();
	/* A child does not inherit a kqueue. */
	if (starter == 0)
		_exit(
		    waitset_new(&how.wait, &err) == 0 && job_start(&job, &how, &err) == 0 ? 0 : 1);
	(void)close(pipe_fds[1]);
	assert_int_equal(waitpid(starter, &status, 0), starter);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_false(is_held(pipe_fds[0]));
	(void)close(pipe_fds[0]);
}

static void test_reaped_elsewhere(void **state)
{
	struct process_end end;

	(void)state;
	start_shell("echo said; exit 5");
	while (take_event())
		;
	assert_int_equal(waitpid(job.pid, NULL, 0), job.pid);
	assert_int_equal(job_finish(&job, &end, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_int_equal(end.status, -1);
	assert_int_equal(end.signal, 0);
	assert_int_equal(job.pid, 0);
	assert_text(OUT, "said\n");
}

/* A process that has left its group is not in the one that bears its pid. */
static void test_signal_of_one_that_left_its_group(void **state)
{
	struct job j = { .pid = fork(), .has_group = true };
	int status;

	(void)state;
	assert_true(j.pid >= 0);
	if (j.pid == 0) {
		(void)alarm(20); /* ends it if the signal is lost */
		for (;;)
			(void)pause();
	}
	job_signal_all(&j, SIGKILL);
	assert_int_equal(waitpid(j.pid, &status, 0), j.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signal_of_one_that_left_its_group),
		TEST(program_is_missing),
		TEST(program_is_not_executable),
		TEST(program_that_is_found_cannot_be_executed),
		TEST(program_of_a_directory),
		TEST(descriptors_run_out),
		TEST(status_and_streams),
		TEST(two_numbers_of_one_stream),
		TEST(no_stream_is_dev_null),
		TEST(output_as_much_as_is_kept_and_a_byte_more),
		TEST(output_in_many_reads_is_kept_up_to_the_limit),
		TEST(nothing_is_kept),
		TEST(hearing_is_optional),
		TEST(socket_goes_both_ways),
		TEST(ends_before_it_is_watched),
		TEST(what_is_in_the_pipes_at_the_end_is_read),
		TEST(number_of_last_reads),
		TEST(killed_by_a_signal),
		TEST(ignores_sigterm),
		TEST(kill_ends_the_offspring),
		TEST(kill_reaches_a_job_that_left_its_group),
		TEST(free_kills_and_reaps),
		TEST(offspring_that_holds_the_pipes_is_not_waited_for),
		TEST(offspring_that_fills_the_pipes_is_not_waited_for),
		TEST(closed_streams_are_not_the_end),
		TEST(left_job_goes_on),
		TEST(starts_again_without_the_old_texts),
		TEST(what_it_inherits),
		TEST(kill_of_one_in_this_group),
		TEST(dies_with_its_starter),
		TEST(reaped_elsewhere),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
