/* The child: its channels, what is kept of its stderr, and how it ends or cannot start. */
#define _XOPEN_SOURCE 700 /* posix_openpt() */
#include "machine/child.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/str.h"

enum { MAX_WAIT_MS = 60000 };

static struct waitset *waits;
static struct error err;
static struct child child;
static struct plan plan;
static struct outcome outcome;
static struct str said, heard;
static struct process_end ended;

static const char *hear(struct signs *signs, enum channel channel, const char *line)
{
	signs->is_own_line = channel == CHANNEL_LOG && strncmp(line, "own", 3) == 0;
	str_addf(&heard, "%d<%s>", (int)channel, line);
	return channel == CHANNEL_CONTROL && strcmp(line, "question") == 0 ? "answer\n" : NULL;
}

static void explain(const struct signs *signs, const struct process_end *end, struct outcome *out)
{
	(void)signs;
	ended = *end;
	out->cause = CAUSE_POWEROFF;
	out->status = end->status;
}

static const struct hypervisor hypervisor = { .hear = hear, .explain = explain };

static void say(void *context, const char *line)
{
	str_addf(context, "<%s>", line);
}

static int setup(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.hyper = &hypervisor;
	child.say = say;
	child.say_context = &said;
	return waitset_new(&waits, &err);
}

static int teardown(void **state)
{
	(void)state;
	child_free(&child);
	waitset_free(waits);
	words_free(&plan.argv);
	words_free(&plan.loading.argv);
	str_free(&said);
	str_free(&heard);
	error_clear(&err);
	return 0;
}

static int start(struct words *argv, const char *script, enum child_role role)
{
	const struct child_inputs inputs = { .console = -1, .lock = -1 };

	words_free(argv);
	words_add(argv, "sh");
	words_add(argv, "-c");
	words_add(argv, script);
	return child_start(&child, &plan, role, waits, &inputs, &err);
}

static void run(const char *script, enum child_role role)
{
	struct wake wake = { .kind = WAKE_READABLE };

	if (start(role == CHILD_LOADER ? &plan.loading.argv : &plan.argv, script, role) != 0)
		fail_msg("%s", err.text);
	while (wake.kind != WAKE_CHILD) {
		if (waitset_next(waits, MAX_WAIT_MS, &wake, &err) != 1)
			fail_msg("nothing happened");
		if (wake.kind == WAKE_READABLE)
			child_read(&child, (enum channel)wake.tag);
	}
	assert_int_equal(wake.tag, CHILD_TAG_END);
	if (child_finish(&child, &outcome, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(child.job.pid, 0);
}

static void test_lines_of_stderr_and_the_rest(void **state)
{
	(void)state;
	run("echo one; echo two >&2; printf three; exit 3", CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<one><two><three>");
	assert_string_equal(child_tail(&child), "one\ntwo\nthree");
	assert_int_equal(child.tail.length, 13);
	assert_int_equal(ended.status, 3);
	assert_int_equal(outcome.status, 3);
	assert_null(heard.text);
}

/* The tail is a string: a NUL does not hide what comes after it. */
static void test_nul(void **state)
{
	(void)state;
	run("printf 'first\\000second\\nthird\\n\\000' >&2", CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<first?second><third><?>");
	assert_string_equal(child_tail(&child), "first?second\nthird\n?");
	assert_int_equal(child.tail.length, strlen(child_tail(&child)));
}

/* A single byte is read like more of them. */
static void test_single_bytes(void **state)
{
	(void)state;
	run("printf 3 >&2", CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<3>");
	assert_string_equal(child_tail(&child), "3");
}

/* Makes a terminal, whose other end is *master. */
static int make_terminal(int *master)
{
	int terminal;

	*master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(*master >= 0);
	assert_int_equal(grantpt(*master), 0);
	assert_int_equal(unlockpt(*master), 0);
	terminal = open(ptsname(*master), O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0);
	return terminal;
}

/* A child that is given up may have printed a part of a line. */
static void test_freed_in_a_line(void **state)
{
	(void)state;
	(void)lines_add(&child.lines[CHANNEL_STDERR], "part", 4);
	child_free(&child);
	assert_null(child.lines[CHANNEL_STDERR].text);
}

/* Only a program that reads vmrun's terminal gets the signals of its keys. */
static void test_process_group(void **state)
{
	int file = open("/dev/null", O_RDONLY), master, terminal;

	(void)state;
	assert_true(file >= 0);
	terminal = make_terminal(&master);
	for (int i = 0; i < 4; i++) {
		const struct child_inputs inputs = { .console = (i & 1) ? terminal : file,
			.lock = -1 };

		plan.uses_stdio = i >= 2;
		words_free(&plan.argv);
		words_add(&plan.argv, "sleep");
		words_add(&plan.argv, "600");
		assert_int_equal(
		    child_start(&child, &plan, CHILD_HYPERVISOR, waits, &inputs, &err), 0);
		assert_int_equal(getpgid(child.job.pid) == getpgrp(), i == 3);
		child_free(&child);
	}
	(void)close(terminal);
	(void)close(master);
	(void)close(file);
}

static void set_echo(int terminal, bool on)
{
	struct termios settings;

	assert_int_equal(tcgetattr(terminal, &settings), 0);
	settings.c_lflag = on ? settings.c_lflag | ECHO : settings.c_lflag & ~(tcflag_t)ECHO;
	assert_int_equal(tcsetattr(terminal, TCSANOW, &settings), 0);
}

static bool echoes(int terminal)
{
	struct termios settings;

	assert_int_equal(tcgetattr(terminal, &settings), 0);
	return (settings.c_lflag & ECHO) != 0;
}

/* Input, output and errors may be three terminals: each gets its own settings back. */
static void test_restored_terminals(void **state)
{
	enum { TERMINALS = 3 };
	int master[TERMINALS], terminal[TERMINALS], kept[TERMINALS], rc;

	(void)state;
	words_add(&plan.argv, "sleep");
	words_add(&plan.argv, "600");
	plan.uses_stdio = true;
	for (int i = 0; i < TERMINALS; i++) {
		terminal[i] = make_terminal(&master[i]);
		set_echo(terminal[i], i != 1);
		kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
	}
	const struct child_inputs inputs = { .console = terminal[0], .lock = -1 };

	for (int i = 1; i < TERMINALS; i++)
		(void)dup2(terminal[i], i);
	rc = child_start(&child, &plan, CHILD_HYPERVISOR, waits, &inputs, &err);
	for (int i = 0; i < TERMINALS; i++)
		set_echo(terminal[i], i == 1);
	child_restore_terminal(&child);
	for (int i = 1; i < TERMINALS; i++)
		(void)dup2(kept[i], i);
	job_free(&child.job);
	assert_int_equal(rc, 0);
	for (int i = 0; i < TERMINALS; i++) {
		assert_int_equal(echoes(terminal[i]), i != 1);
		(void)close(terminal[i]);
		(void)close(master[i]);
		(void)close(kept[i]);
	}
}

static void test_stderr_as_much_as_is_kept_and_a_byte_more(void **state)
{
	(void)state;
	run("printf 'a%4095s' z", CHILD_HYPERVISOR);
	assert_int_equal(child.tail.length, MAX_CHILD_TAIL);
	assert_int_equal(child.tail.text[0], 'a');
	run("printf 'a%4096s' z", CHILD_HYPERVISOR);
	assert_int_equal(child.tail.length, MAX_CHILD_TAIL);
	assert_int_equal(strlen(child_tail(&child)), MAX_CHILD_TAIL);
	assert_int_equal(child.tail.text[0], ' ');
	assert_int_equal(child.tail.text[MAX_CHILD_TAIL - 1], 'z');
	/* The next child starts with empty output. */
	run("exit 1", CHILD_HYPERVISOR);
	assert_int_equal(child.tail.length, 0);
	assert_string_equal(child_tail(&child), "");
}

static void test_control_channel_and_log(void **state)
{
	(void)state;
	plan.has_control = plan.has_log = true;
	plan.first_message = "hello\n";
	run("read hello <&3; echo question >&3; read answer <&3; echo \"$hello $answer\" >&2; "
	    "printf sign >&4",
	    CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<hello answer>");
	assert_string_equal(heard.text, "1<question>2<sign>");
}

/* Without a file the user's part of the log is messages, of which the tail keeps none. */
static void test_log_as_messages(void **state)
{
	(void)state;
	plan.has_log = plan.log.is_shown = true;
	run("printf 'one\nown 2\nthree\nown 4' >&4", CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<one><three>");
	assert_string_equal(child_tail(&child), "");
	plan.log.shows_all = true;
	run("printf 'own 2\nthree' >&4", CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<one><three><own 2><three>");
	plan.log.is_shown = false;
	run("echo six >&4", CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<one><three><own 2><three>");
}

/* Checks that the file has this text. */
static void has_text(const char *path, const char *text)
{
	char found[2 * MAX_OUTPUT_LINE] = "";
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(found, 1, sizeof(found) - 1, f);
	(void)fclose(f);
	assert_int_equal(n, strlen(text));
	assert_string_equal(found, text);
}

static void test_log_in_a_file(void **state)
{
	char path[] = "/tmp/test_child.XXXXXX", fifo[sizeof(path) + 8];
	char wide[MAX_OUTPUT_LINE + 3] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "of the boot before\n", 19), 19);
	(void)close(fd);
	plan.has_log = plan.log.is_shown = true;
	plan.log.path = path;
	run("printf 'one\nown 2\nthree' >&4; echo four >&2", CHILD_HYPERVISOR);
	assert_string_equal(said.text, "<four>");
	has_text(path, "one\nthree\n");
	/* A line that comes in pieces is one line. */
	run("printf '%4098s\n' x >&4", CHILD_HYPERVISOR);
	memset(wide, ' ', MAX_OUTPUT_LINE + 1);
	wide[MAX_OUTPUT_LINE + 1] = 'x';
	STR_AUTO struct str line = { 0 };
	str_addf(&line, "%s\n", wide);
	has_text(path, line.text);
	/* A loader has no log. */
	run("exit 0", CHILD_LOADER);
	has_text(path, line.text);
	assert_int_equal(unlink(path), 0);
	/* A FIFO that no program reads would stop vmrun. */
	(void)snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	plan.log.path = fifo;
	assert_int_equal(start(&plan.argv, "exit 0", CHILD_HYPERVISOR), -1);
	assert_non_null(strstr(err.text, "no program reads this FIFO"));
	assert_int_equal(child.job.pid, 0);
	assert_int_equal(unlink(fifo), 0);
}

/* The file may get the first free descriptor, as vmrun may run without a standard input. */
static void test_log_in_place_of_stdin(void **state)
{
	char path[] = "/tmp/test_child.XXXXXX";
	int fd = mkstemp(path), input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), rc;

	(void)state;
	assert_true(fd >= 0 && input >= 0);
	(void)close(fd);
	plan.has_log = plan.log.is_shown = true;
	plan.log.path = path;
	(void)close(STDIN_FILENO);
	rc = start(&plan.argv, "exit 0", CHILD_HYPERVISOR);
	fd = child.has_log ? child.log : -1;
	job_free(&child.job);
	if (child.has_log)
		(void)close(child.log);
	child.has_log = false;
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	(void)close(input);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rc, 0);
	assert_int_equal(fd, STDIN_FILENO);
}

static void test_loader_has_neither(void **state)
{
	(void)state;
	plan.has_control = plan.has_log = true;
	plan.first_message = "hello\n";
	run("if { true >&3; } 2>/dev/null || { true >&4; } 2>/dev/null; then echo open; fi; exit 5",
	    CHILD_LOADER);
	assert_null(said.text);
	assert_int_equal(outcome.cause, CAUSE_LOADER_FAILED);
	assert_int_equal(outcome.status, 5);
}

static void test_signal(void **state)
{
	(void)state;
	run("kill -TERM $$", CHILD_HYPERVISOR);
	assert_int_equal(ended.status, -1);
	assert_int_equal(ended.signal, 15);
	/* The child is gone, so the signal has no effect. */
	child_signal(&child, 15);
	child_control(&child, "bye\n");
}

static void test_missing_program(void **state)
{
	const struct child_inputs inputs = { .console = -1, .lock = -1 };

	(void)state;
	words_add(&plan.argv, "/no/such/program");
	assert_int_equal(child_start(&child, &plan, CHILD_HYPERVISOR, waits, &inputs, &err), -1);
	assert_int_equal(err.status, STATUS_EXEC_MISSING);
	assert_int_equal(child.job.pid, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_of_stderr_and_the_rest),
		TEST(nul),
		TEST(single_bytes),
		TEST(freed_in_a_line),
		TEST(process_group),
		TEST(stderr_as_much_as_is_kept_and_a_byte_more),
		TEST(control_channel_and_log),
		TEST(log_as_messages),
		TEST(log_in_a_file),
		TEST(log_in_place_of_stdin),
		TEST(restored_terminals),
		TEST(loader_has_neither),
		TEST(signal),
		TEST(missing_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
