/* Commands that run to their end: their output, how they end, and what must not hang. */
#include "process/command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "platform/clock.h"
#include "../platform/scratch.h"

/* HOUR_MS is longer than the time limit of the suite, so a test that waits for it fails. */
enum { HOUR_MS = 3600 * 1000, MOST = 4 << 20, RUNS = 100, FD_LIMIT = 1024 };

static struct error err;
static struct command_result result;

static int teardown(void **state)
{
	(void)state;
	error_clear(&err);
	command_clear(&result);
	return 0;
}

/* Runs a command, and checks that no child is left to reap. */
static void run(const struct command *what)
{
	command_clear(&result);
	if (command_run(what, &result, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(strlen(result.err) <= MAX_COMMAND_TAIL, true);
}

static void run_shell(char *script, int64_t limit_ms)
{
	char *argv[] = { "sh", "-c", script, CHILD_PROGRAM, NULL };

	run(&(struct command){ .argv = argv, .limit_ms = limit_ms, .max_output = MOST });
}

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
int __real_waitset_next(struct waitset *ws, int timeout_ms, struct wake *wake, struct error *why);
int __wrap_waitset_next(struct waitset *ws, int timeout_ms, struct wake *wake, struct error *why);

static bool wait_fails;

int __wrap_waitset_next(struct waitset *ws, int timeout_ms, struct wake *wake, struct error *why)
{
	return wait_fails ? error_set(why, STATUS_OS, "cannot wait")
			  : __real_waitset_next(ws, timeout_ms, wake, why);
}
ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);

static bool pipes_fail; /* the next read of a pipe */

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	struct stat st;

	if (!pipes_fail || fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode))
		return __real_read(fd, bytes, n);
	pipes_fail = false;
	errno = EIO;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void assert_ended(int status, const char *out, const char *text)
{
	assert_int_equal(result.fate, COMMAND_ENDED);
	assert_int_equal(result.end.status, status);
	assert_int_equal(result.end.signal, 0);
	assert_string_equal(result.out, out);
	assert_int_equal(result.out_length, strlen(out));
	assert_string_equal(result.err, text);
}

static void assert_trouble(const struct command *what, const char *wanted)
{
	MEM_AUTO char *trouble = command_trouble(what, &result);

	assert_non_null(trouble);
	assert_string_equal(trouble, wanted);
}

static void test_output_status_and_last_words(void **state)
{
	char *argv[] = { "sh", NULL };
	struct command what = { .argv = argv };

	(void)state;
	run_shell("echo said; echo 'sh:  no\tgood ' >&2; exit 3", HOUR_MS);
	assert_ended(3, "said\n", "sh:  no\tgood \n");
	assert_trouble(&what, "sh ended with status 3: sh: no good");
	run_shell("exit 4", HOUR_MS);
	assert_ended(4, "", "");
	assert_trouble(&what, "sh ended with status 4");
	run_shell("echo ' ' >&2; exit 255", HOUR_MS);
	assert_trouble(&what, "sh ended with status 255");
	run_shell("echo fine; echo warned >&2", HOUR_MS);
	assert_ended(0, "fine\n", "warned\n");
	assert_null(command_trouble(&what, &result));
}

static void test_many_last_words_are_cut_at_their_front(void **state)
{
	char *argv[] = { "sh", NULL };
	struct command what = { .argv = argv };
	struct str wanted = { 0 };

	(void)state;
	/* 1001 bytes: the 300th from the end is the second half of a character. */
	run_shell("i=0; while [ $i -lt 200 ]; do echo \xc3\xa4\xc3\xa4; i=$((i + 1)); done >&2; "
		  "printf x >&2; exit 1",
	    HOUR_MS);
	str_add(&wanted, "sh ended with status 1: ...\xc3\xa4");
	for (int i = 0; i < 59; i++)
		str_add(&wanted, " \xc3\xa4\xc3\xa4");
	str_add(&wanted, " x");
	assert_trouble(&what, wanted.text);
	str_free(&wanted);
}

static void test_last_words_as_many_as_are_quoted_and_a_byte_more(void **state)
{
	char *argv[] = { "sh", NULL };
	struct command what = { .argv = argv };
	MEM_AUTO char *whole = mem_format("sh ended with status 1: %0300d", 7);
	MEM_AUTO char *cut = mem_format("sh ended with status 1: ...%0300d", 7);

	(void)state;
	run_shell("printf %0300d 7 >&2; exit 1", HOUR_MS);
	assert_trouble(&what, whole);
	run_shell("printf %0301d 7 >&2; exit 1", HOUR_MS);
	assert_trouble(&what, cut);
}

static void test_stderr_as_much_as_is_kept_and_a_byte_more(void **state)
{
	(void)state;
	run_shell("printf 'a%4095s' z >&2", HOUR_MS);
	assert_int_equal(strlen(result.err), MAX_COMMAND_TAIL);
	assert_int_equal(result.err[0], 'a');
	run_shell("printf 'a%4096s' z >&2", HOUR_MS);
	assert_int_equal(strlen(result.err), MAX_COMMAND_TAIL);
	assert_int_equal(result.err[0], ' ');
	assert_int_equal(result.err[MAX_COMMAND_TAIL - 1], 'z');
}

static void test_killed_by_a_signal(void **state)
{
	MEM_AUTO char *number = mem_format("%d", SIGTERM);
	MEM_AUTO char *wanted = NULL;
	char *argv[] = { CHILD_PROGRAM, "kill", number, NULL };
	struct command what = { .argv = argv, .limit_ms = HOUR_MS };

	(void)state;
	run(&what);
	assert_int_equal(result.fate, COMMAND_ENDED);
	assert_int_equal(result.end.status, -1);
	assert_int_equal(result.end.signal, SIGTERM);
	wanted = mem_format(
	    "%s was killed by signal %d (%s)", CHILD_PROGRAM, SIGTERM, strsignal(SIGTERM));
	assert_trouble(&what, wanted);
}

static void test_arguments_arrive_as_they_are(void **state)
{
	char *argv[] = { "printf", "<%s>", "", "two words", "-x", "$HOME 'q' \\", NULL };

	(void)state;
	run(&(struct command){ .argv = argv, .limit_ms = HOUR_MS, .max_output = MOST });
	assert_ended(0, "<><two words><-x><$HOME 'q' \\>", "");
}

static void assert_said(const char *line)
{
	MEM_AUTO char *wanted = mem_format("\n%s\n", line);
	MEM_AUTO char *lines = mem_format("\n%s", result.out);

	if (strstr(lines, wanted) == NULL)
		fail_msg("no line \"%s\" in:\n%s", line, result.out);
}

static void test_directory_and_environment(void **state)
{
	static const char script[] =
	    "pwd; echo \"${ADDED-unset} ${TAKEN-unset} ${LEFT-unset} $EMPTY.\"";
	char *const argv[] = { "/bin/sh", "-c", (char *)script, NULL };
	char *const changes[] = { "ADDED=a=b", "EMPTY=", "TAKEN", "NO_SUCH_VARIABLE", NULL };
	struct command what = { .argv = argv,
		.limit_ms = 60000,
		.max_output = 1000,
		.directory = "/",
		.environment = changes };

	(void)state;
	assert_int_equal(setenv("TAKEN", "x", 1), 0);
	assert_int_equal(setenv("LEFT", "y", 1), 0);
	assert_int_equal(setenv("ADDED", "before", 1), 0);
	assert_int_equal(command_run(&what, &result, &err), 0);
	assert_string_equal(result.out, "/\na=b unset y .\n");
	assert_string_equal(getenv("TAKEN"), "x");
	what.directory = "/no/such/directory";
	command_clear(&result);
	assert_int_equal(command_run(&what, &result, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_string_equal(err.text,
	    "/bin/sh: cannot be started in /no/such/directory: No such file or directory");
}

static void test_stdin_is_empty_and_nothing_else_is_open(void **state)
{
	char *argv[] = { CHILD_PROGRAM, "report", NULL };
	int ours = open("/dev/null", O_RDONLY); /* not close-on-exec */

	(void)state;
	run_shell("cat", HOUR_MS);
	assert_ended(0, "", "");
	run(&(struct command){ .argv = argv, .limit_ms = HOUR_MS, .max_output = MOST });
	assert_int_equal(result.end.status, 0);
	assert_said("open: 0 1 2");
	assert_said("ignored:");
	assert_said("blocked:");
	assert_said("group: own");
	(void)close(ours);
}

static void test_output_larger_than_a_pipe(void **state)
{
	(void)state;
	run_shell(
	    "i=0; while [ $i -lt 20000 ]; do echo 123456789abcdef; i=$((i + 1)); done", HOUR_MS);
	assert_int_equal(result.fate, COMMAND_ENDED);
	assert_int_equal(result.end.status, 0);
	assert_int_equal(result.out_length, 320000);
	assert_int_equal(result.out[320000], '\0');
	for (size_t i = 0; i < 320000; i += 16)
		assert_memory_equal(result.out + i, "123456789abcdef\n", 16);
}

static void test_nul_bytes_are_kept(void **state)
{
	(void)state;
	run_shell("printf 'a\\0b\\0'", HOUR_MS);
	assert_int_equal(result.out_length, 4);
	assert_memory_equal(result.out, "a\0b\0", 5);
}

static void test_as_much_as_allowed_and_a_byte_more(void **state)
{
	char *argv[] = { "printf", "12345678", NULL };
	struct command what = { .argv = argv, .limit_ms = HOUR_MS, .max_output = 8 };

	(void)state;
	run(&what);
	assert_ended(0, "12345678", "");
	what.max_output = 7;
	run(&what);
	assert_int_equal(result.fate, COMMAND_FLOOD);
	assert_string_equal(result.out, "1234567");
	assert_int_equal(result.out_length, 7);
	assert_trouble(&what, "printf wrote more than 7 bytes and was killed");
	what.max_output = 0;
	run(&what);
	assert_int_equal(result.fate, COMMAND_FLOOD);
	assert_string_equal(result.out, "");
}

/* A part of the output is not taken for all of it. */
static void test_output_that_cannot_be_read(void **state)
{
	char *argv[] = { "printf", "12345678", NULL };
	struct command what = { .argv = argv, .limit_ms = HOUR_MS, .max_output = 8 };

	(void)state;
	pipes_fail = true;
	run(&what);
	assert_false(pipes_fail);
	assert_int_equal(result.fate, COMMAND_UNREAD);
	assert_trouble(&what, "the output of printf cannot be read: Input/output error");
	run(&what);
	assert_ended(0, "12345678", "");
}

static void test_endless_output_is_cut(void **state)
{
	char *argv[] = { "yes", NULL };

	(void)state;
	run(&(struct command){ .argv = argv, .limit_ms = HOUR_MS, .max_output = MOST });
	assert_int_equal(result.fate, COMMAND_FLOOD);
	assert_int_equal(result.end.signal, SIGKILL);
	assert_int_equal(result.out_length, MOST);
	assert_int_equal(strlen(result.out), MOST);
}

static void test_flood_on_stderr_keeps_its_end(void **state)
{
	(void)state;
	/* Writes more than a pipe holds to stderr before the first byte of stdout. */
	run_shell("i=0; while [ $i -lt 20000 ]; do echo 123456789abcdef >&2; i=$((i + 1)); done; "
		  "echo last >&2; echo done",
	    HOUR_MS);
	assert_int_equal(result.fate, COMMAND_ENDED);
	assert_string_equal(result.out, "done\n");
	assert_int_equal(strlen(result.err), MAX_COMMAND_TAIL);
	assert_string_equal(result.err + MAX_COMMAND_TAIL - 21, "123456789abcdef\nlast\n");
}

static void test_limit(void **state)
{
	char *argv[] = { CHILD_PROGRAM, "wait", NULL };
	struct command what = { .argv = argv, .limit_ms = 50 };
	MEM_AUTO char *wanted =
	    mem_format("%s did not end within 0.05 s and was killed", CHILD_PROGRAM);
	int64_t began = clock_ms();

	(void)state;
	run(&what);
	assert_true(clock_ms() - began >= 50);
	assert_int_equal(result.fate, COMMAND_LATE);
	assert_int_equal(result.end.signal, SIGKILL);
	assert_trouble(&what, wanted);
}

/* A command that cannot be waited for is killed. */
static void test_wait_that_fails(void **state)
{
	char *argv[] = { CHILD_PROGRAM, "wait", NULL };
	struct command what = { .argv = argv, .limit_ms = HOUR_MS };

	(void)state;
	wait_fails = true;
	assert_int_equal(command_run(&what, &result, &err), -1);
	wait_fails = false;
	assert_string_equal(err.text, "cannot wait");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_limit_holds_for_who_never_stops_talking(void **state)
{
	(void)state;
	run_shell("exec yes >&2", 50);
	assert_int_equal(result.fate, COMMAND_LATE);
	assert_int_equal(result.err[0] == 'y' || result.err[0] == '\n', true);
}

static void test_limit_holds_for_who_ignores_signals(void **state)
{
	(void)state;
	run_shell("trap '' TERM INT HUP; \"$0\" wait & while :; do wait; done", 100);
	assert_int_equal(result.fate, COMMAND_LATE);
	assert_int_equal(result.end.signal, SIGKILL);
}

/* Runs the script with longer and longer limits until it prints this. */
static void run_until_said(char *script, const char *said)
{
	for (int64_t limit = 100; limit < HOUR_MS; limit *= 2) {
		run_shell(script, limit);
		assert_int_equal(result.fate, COMMAND_LATE);
		if (strcmp(result.out, said) == 0)
			return;
	}
	fail_msg("never said %s", said);
}

/* Waits until no process has the pipe open for writing. */
static void await_end_of(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_true((p.revents & POLLHUP) != 0);
}

static void test_limit_ends_the_whole_group(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	run_until_said("(exec 3>fifo; echo started; exec \"$0\" wait) & \"$0\" wait", "started\n");
	await_end_of(fd);
	(void)close(fd);
}

static void test_limit_holds_for_who_left_the_group(void **state)
{
	(void)state;
	run_until_said("exec \"$0\" leave", "left\n");
	assert_int_equal(result.end.signal, SIGKILL);
}

/* Kills the process whose pid a script printed, which must still run. */
static void end_survivor(void)
{
	pid_t pid = (pid_t)atol(result.out);

	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void test_who_holds_the_pipes_is_not_waited_for(void **state)
{
	(void)state;
	run_shell("\"$0\" wait & echo $!", HOUR_MS);
	assert_int_equal(result.fate, COMMAND_ENDED);
	assert_int_equal(result.end.status, 0);
	end_survivor();
	run_shell("\"$0\" wait & echo $!; exit 5", HOUR_MS);
	assert_int_equal(result.fate, COMMAND_ENDED);
	assert_int_equal(result.end.status, 5);
	end_survivor();
}

static void test_who_fills_the_pipes_is_not_waited_for(void **state)
{
	(void)state;
	/* The processes end because nothing reads their output any more. */
	run_shell("yes & exit 6", HOUR_MS);
	assert_int_equal(result.end.status, 6);
	run_shell("yes >&2 & exit 7", HOUR_MS);
	assert_int_equal(result.fate, COMMAND_ENDED);
	assert_int_equal(result.end.status, 7);
}

static void test_closed_pipes_are_not_the_end(void **state)
{
	(void)state;
	run_shell("echo said; exec >&- 2>&-; exit 8", HOUR_MS);
	assert_ended(8, "said\n", "");
	run_shell("exec >&- 2>&-; exec \"$0\" wait", 50);
	assert_int_equal(result.fate, COMMAND_LATE);
}

static void cannot_run(char *program, enum status status, const char *why)
{
	char *argv[] = { program, NULL };
	struct command what = { .argv = argv, .limit_ms = HOUR_MS, .max_output = MOST };

	command_clear(&result);
	memset(&result, 1, sizeof(result));
	assert_int_equal(command_run(&what, &result, &err), -1);
	assert_int_equal(err.status, status);
	if (strstr(err.text, why) == NULL)
		fail_msg("no \"%s\" in \"%s\"", why, err.text);
	assert_null(result.out);
	assert_null(result.err);
	error_clear(&err);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_what_cannot_be_executed(void **state)
{
	(void)state;
	scratch_write("plain", "true\n", 0644);
	scratch_write("orphan", "#!/nonexistent/interpreter\n", 0755);
	cannot_run("no-such-program", STATUS_EXEC_MISSING, "no-such-program: not found in PATH");
	cannot_run("./missing", STATUS_EXEC_MISSING, "No such file");
	cannot_run("./plain", STATUS_CANNOT_EXEC, "not executable");
	cannot_run("./orphan", STATUS_CANNOT_EXEC, "its interpreter is missing");
	cannot_run("/dev", STATUS_CANNOT_EXEC, "a directory");
}

static void test_ignored_sigchld_is_an_error(void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	(void)state;
	assert_int_equal(sigaction(SIGCHLD, &ignore, &before), 0);
	/* The process may be gone before it is watched, or before it is queried. */
	cannot_run("true", STATUS_OS, " process ");
	assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < FD_LIMIT; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_nothing_stays_open(void **state)
{
	int before = count_descriptors();

	(void)state;
	for (int i = 0; i < RUNS; i++) {
		run_shell("echo out; echo err >&2", HOUR_MS);
		cannot_run("./missing", STATUS_EXEC_MISSING, "No such file");
	}
	run_shell("exec yes", HOUR_MS);
	run_shell("exec yes >&2", 1);
	assert_int_equal(count_descriptors(), before);
}

#define TEST(name) cmocka_unit_test_teardown(test_##name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_status_and_last_words),
		TEST(many_last_words_are_cut_at_their_front),
		TEST(last_words_as_many_as_are_quoted_and_a_byte_more),
		TEST(stderr_as_much_as_is_kept_and_a_byte_more),
		TEST(killed_by_a_signal),
		TEST(arguments_arrive_as_they_are),
		TEST(directory_and_environment),
		TEST(stdin_is_empty_and_nothing_else_is_open),
		TEST(output_larger_than_a_pipe),
		TEST(nul_bytes_are_kept),
		TEST(as_much_as_allowed_and_a_byte_more),
		TEST(output_that_cannot_be_read),
		TEST(endless_output_is_cut),
		TEST(flood_on_stderr_keeps_its_end),
		TEST(limit),
		TEST(wait_that_fails),
		TEST(limit_holds_for_who_never_stops_talking),
		TEST(limit_holds_for_who_ignores_signals),
		TEST(limit_ends_the_whole_group),
		TEST(limit_holds_for_who_left_the_group),
		TEST(who_holds_the_pipes_is_not_waited_for),
		TEST(who_fills_the_pipes_is_not_waited_for),
		TEST(closed_pipes_are_not_the_end),
		TEST(what_cannot_be_executed),
		TEST(ignored_sigchld_is_an_error),
		TEST(nothing_stays_open),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
