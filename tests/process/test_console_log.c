/* The log of a console: its contents, and the effects of its faults. */
#include "process/console_log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../platform/scratch.h"

static char log_name[] = "dir/log";
static char warned[4096]; /* all warnings, one per line */

static void hear(void *context, const char *text)
{
	(void)context;
	(void)strncat(warned, text, sizeof(warned) - strlen(warned) - 2);
	(void)strcat(warned, "\n");
}

static int enter(void **state)
{
	warned[0] = '\0';
	return scratch_enter(state) != 0 ? -1 : mkdir("dir", 0700);
}

static void assert_warned(const char *expected)
{
	assert_string_equal(warned, expected);
	warned[0] = '\0';
}

static void open_it(struct console_log *l, const struct console_settings *settings)
{
	struct error err = { 0 };

	console_log_init(l);
	l->warn = hear;
	if (console_log_open(l, settings, true, &err) != 0)
		fail_msg("%s", err.text);
}

static void put(struct console_log *l, const char *text)
{
	console_log_write(l, text, strlen(text));
}

/* Writes a text under a limit on the size of files, as on a full disk. */
static void put_limited(struct console_log *l, const char *text, rlim_t most)
{
	struct rlimit old, small;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = most, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put(l, text);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
}

static char *content(const char *name)
{
	static char text[65536];
	FILE *f = fopen(name, "r");

	if (f == NULL)
		fail_msg("%s is missing", name);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	return text;
}

static void test_a_log_that_was_renamed(void **state)
{
	struct console_settings s = { .log = log_name, .timestamps = true, .max_size = 1 << 20 };
	struct console_log l;

	(void)state;
	console_log_init(&l);
	console_log_reopen(&l); /* without a log, this has no effect */
	open_it(&l, &s);
	put(&l, "before");
	assert_int_equal(rename("dir/log", "dir/log.1"), 0);
	console_log_reopen(&l);
	put(&l, "after\n");
	assert_string_equal(content("dir/log.1") + 23, "Z before");
	assert_string_equal(content("dir/log") + 23, "Z after\n"); /* a separate line */
	console_log_reopen(&l);					   /* the file still has its name */
	put(&l, "x\n");
	assert_string_equal(content("dir/log") + 23 + strlen("Z after\n") + 23, "Z x\n");
	console_log_close(&l);
	assert_warned("");
}

static void test_a_log_that_cannot_be_made_anew(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 };
	struct console_log l;

	(void)state;
	open_it(&l, &s);
	assert_int_equal(unlink("dir/log"), 0);
	assert_int_equal(mkdir("dir/log", 0700), 0);
	console_log_reopen(&l);
	assert_warned("console: cannot write dir/log: Is a directory: the guest's output is not "
		      "logged until this works\n");
	put(&l, "lost\n");
	put(&l, "too\n");
	assert_warned("");
	assert_int_equal(rmdir("dir/log"), 0);
	put(&l, "kept\n");
	assert_warned("console: dir/log is written again, 9 bytes of the guest's output are "
		      "missing in it\n");
	assert_string_equal(content("dir/log"), "kept\n");
	console_log_close(&l);
}

/* A failed write is reported once and counted, and the next write tries again. */
static void test_a_write_that_fails(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 };
	struct console_log l;

	(void)state;
	open_it(&l, &s);
	put(&l, "first\n");
	put_limited(&l, "a short write\n", 13);
	assert_warned("console: cannot write dir/log: File too large: the guest's output is not "
		      "logged until this works\n");
	put_limited(&l, "lost\n", 13);
	assert_warned("");
	put(&l, "on\n");
	assert_warned("console: dir/log is written again, 12 bytes of the guest's output are "
		      "missing in it\n");
	put(&l, "and on\n");
	/* A separate line follows the incomplete one. */
	assert_string_equal(content("dir/log"), "first\na short\non\nand on\n");
	assert_warned("");
	console_log_close(&l);
}

/* An error before the first write does not tear the log of an earlier run. */
static void test_a_first_write_that_fails(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 };
	struct console_log l;

	(void)state;
	scratch_write("dir/log", "before\n", 0600);
	open_it(&l, &s);
	put_limited(&l, "lost\n", 0);
	put(&l, "on\n");
	assert_string_equal(content("dir/log"), "before\non\n");
	warned[0] = '\0';
	put_limited(&l, "\n", 0);
	console_log_finish(&l);
	assert_warned("console: 1 bytes of the guest's output are missing in dir/log\n");
	console_log_close(&l);
}

/* A log that is switched off leaves the descriptor to others. */
static void test_a_log_that_is_switched_off(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 }, none = { 0 };
	struct error err = { 0 };
	struct console_log l;
	int fd;

	(void)state;
	open_it(&l, &s);
	put(&l, "before\n");
	assert_int_equal(console_log_open(&l, &none, true, &err), 0);
	put(&l, "not logged\n");
	fd = open("other", O_RDWR | O_CREAT, 0600);
	assert_int_equal(console_log_open(&l, &s, true, &err), 0);
	put(&l, "after\n");
	assert_string_equal(content("dir/log"), "before\nafter\n");
	assert_int_equal(write(fd, "theirs\n", 7), 7);
	assert_string_equal(content("other"), "theirs\n");
	(void)close(fd);
	console_log_close(&l);
	assert_warned("");
}

/* A log that begins anew has no incomplete line to end. */
static void test_a_log_renamed_after_a_failure(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 };
	struct console_log l;

	(void)state;
	open_it(&l, &s);
	put_limited(&l, "a short write\n", 7);
	assert_int_equal(rename("dir/log", "dir/log.1"), 0);
	console_log_reopen(&l);
	put(&l, "on\n");
	assert_string_equal(content("dir/log.1"), "a short");
	assert_string_equal(content("dir/log"), "on\n");
	console_log_close(&l);
}

/* Of lines that are written together, the bytes of the guest are counted, not the times. */
static void test_a_write_of_lines_that_fails(void **state)
{
	enum {
		TIME = 25,
		BEGUN = TIME + 6
	}; /* bytes of "2026-11-29T10:00:00.000Z ", and of "begun " */
	static const struct {
		rlim_t most;
		int missing;
	} cases[] = {
		{ BEGUN, 14 }, { BEGUN + 3, 11 }, { BEGUN + 4, 10 }, /* "one\n" */
		{ BEGUN + 4 + TIME - 1, 10 }, { BEGUN + 4 + TIME, 10 }, { BEGUN + 4 + TIME + 1, 9 },
		{ BEGUN + 4 + TIME + 4 + TIME + 5, 1 }, /* all but the last line end */
	};
	struct console_settings s = { .log = log_name, .max_size = 1 << 20, .timestamps = true };
	struct console_log l;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		open_it(&l, &s);
		put(&l, "begun ");
		put_limited(&l, "one\ntwo\nthree\n", cases[i].most);
		warned[0] = '\0';
		put(&l, "on\n");
		(void)snprintf(text, sizeof(text),
		    "console: dir/log is written again, %d bytes of the guest's output are missing "
		    "in it\n",
		    cases[i].missing);
		assert_warned(text);
		console_log_close(&l);
		assert_int_equal(remove("dir/log"), 0);
	}
}

/* A log that alternately fails and works is reported once, and its losses at the end. */
static void test_by_turns(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 };
	struct console_log l;

	(void)state;
	open_it(&l, &s);
	put_limited(&l, "12345\n", 0);
	put(&l, "x\n");
	assert_non_null(strstr(warned, "again, 6 bytes"));
	warned[0] = '\0';
	for (int i = 0; i < 10; i++) {
		put_limited(&l, "123\n", 0);
		put(&l, "x\n");
	}
	assert_warned("");
	console_log_finish(&l);
	assert_warned("console: 40 bytes of the guest's output are missing in dir/log\n");
	console_log_finish(&l);
	assert_warned("");
	console_log_close(&l);
}

/* A missing directory is an error at the first boot, later a warning until it is back. */
static void test_a_directory_that_is_gone(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 };
	struct error err = { 0 };
	struct console_log l;

	(void)state;
	open_it(&l, &s);
	put(&l, "before\n");
	assert_int_equal(unlink("dir/log"), 0);
	assert_int_equal(rmdir("dir"), 0);
	for (int boot = 0; boot < 3; boot++)
		assert_int_equal(console_log_open(&l, &s, false, &err), 0);
	assert_null(err.text);
	assert_warned("console: cannot write dir/log: No such file or directory: the guest's "
		      "output is not logged until this works\n");
	assert_int_equal(console_log_open(&l, &s, true, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_string_equal(err.text, "console: cannot write dir/log: No such file or directory");
	error_clear(&err);
	put(&l, "lost\n");
	assert_int_equal(mkdir("dir", 0700), 0);
	put(&l, "after\n");
	assert_string_equal(content("dir/log"), "after\n");
	assert_non_null(strstr(warned, "again, 5 bytes"));
	console_log_close(&l);
}

/* The next write creates a removed log again. */
static void test_a_log_that_is_removed(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20 };
	struct console_log l;

	(void)state;
	open_it(&l, &s);
	put(&l, "before");
	assert_int_equal(unlink("dir/log"), 0);
	put(&l, "after\n");
	assert_string_equal(content("dir/log"), "after\n");
	console_log_close(&l);
	assert_warned("");
}

/* A log that another program emptied is not rotated before it is full again. */
static void test_a_log_that_is_emptied(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 10, .keep = 1 };
	struct console_log l;

	(void)state;
	open_it(&l, &s);
	put(&l, "1234567\n");
	assert_int_equal(truncate("dir/log", 0), 0);
	put(&l, "89abcde\n");
	assert_string_equal(content("dir/log"), "89abcde\n");
	assert_int_equal(access("dir/log.1", F_OK), -1);
	console_log_close(&l);
}

/* After a failed rotation max_size applies: lost bytes are counted until a rotation succeeds. */
static void test_a_rotation_that_fails(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 12, .keep = 3 };
	struct console_log l;

	(void)state;
	scratch_write("dir/log.1", "older", 0600);
	scratch_write("dir/log.2", "oldest", 0600);
	assert_int_equal(mkdir("dir/log.3", 0700), 0);
	open_it(&l, &s);
	put(&l, "123456789\n");
	for (int i = 0; i < 5; i++)
		put(&l, "lost\n");
	assert_warned("console: dir/log has reached its max_size, and dir/log.2 cannot be renamed "
		      "to dir/log.3: Is a directory: the guest's output is not logged until this "
		      "works\n");
	assert_string_equal(content("dir/log"), "123456789\n");
	assert_string_equal(content("dir/log.1"), "older");
	assert_string_equal(content("dir/log.2"), "oldest");
	assert_int_equal(rmdir("dir/log.3"), 0);
	put(&l, "on\n");
	assert_non_null(strstr(warned, "again, 25 bytes"));
	assert_string_equal(content("dir/log"), "on\n");
	assert_string_equal(content("dir/log.1"), "123456789\n");
	assert_string_equal(content("dir/log.2"), "older");
	assert_string_equal(content("dir/log.3"), "oldest");
	console_log_close(&l);
}

/* Rotation fills a gap, so that failures half-way lose no older log. */
static void test_a_gap_among_older_logs(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 4, .keep = 3 };
	struct console_log l;

	(void)state;
	scratch_write("dir/log.1", "1", 0600);
	scratch_write("dir/log.3", "3", 0600);
	open_it(&l, &s);
	put(&l, "abc\n");
	put(&l, "def\n");
	assert_string_equal(content("dir/log"), "def\n");
	assert_string_equal(content("dir/log.1"), "abc\n");
	assert_string_equal(content("dir/log.2"), "1");
	assert_string_equal(content("dir/log.3"), "3");
	console_log_close(&l);
}

static void test_no_older_logs(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 4 };
	struct console_log l;
	struct stat before, after;

	(void)state;
	open_it(&l, &s);
	put(&l, "abc\n");
	assert_int_equal(stat("dir/log", &before), 0);
	put(&l, "def\n");
	assert_string_equal(content("dir/log"), "def\n");
	/* The log is emptied, which needs no permission for the directory. */
	assert_int_equal(stat("dir/log", &after), 0);
	assert_true(before.st_ino == after.st_ino);
	assert_int_equal(access("dir/log.1", F_OK), -1);
	console_log_close(&l);
}

/* A FIFO is not renamed; bytes that its reader does not take are counted, and later ones sent. */
static void test_a_fifo(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 4, .keep = 1 };
	char line[1001], bytes[4096];
	struct console_log l;
	struct stat st;
	int fd;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	line[999] = '\n';
	line[1000] = '\0';
	assert_int_equal(mkfifo("dir/log", 0600), 0);
	fd = open("dir/log", O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	open_it(&l, &s);
	for (int i = 0; i < 1000; i++)
		put(&l, line);
	assert_warned("console: cannot write dir/log: its reader is too slow: the guest's output "
		      "is not logged until this works\n");
	assert_int_equal(lstat("dir/log", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	put(&l, "on\nand on\n");
	assert_true(read(fd, bytes, sizeof(bytes)) >= 3);
	assert_int_equal(access("dir/log.1", F_OK), -1);
	assert_non_null(strstr(warned, "again"));
	(void)close(fd);
	put(&l, "lost\n"); /* without a signal */
	console_log_finish(&l);
	assert_non_null(strstr(warned, "console: 5 bytes of"));
	console_log_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_log_that_was_renamed, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_log_that_cannot_be_made_anew, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_a_write_that_fails, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_first_write_that_fails, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_log_that_is_switched_off, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_log_renamed_after_a_failure, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_write_of_lines_that_fails, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_by_turns, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_a_directory_that_is_gone, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_a_log_that_is_removed, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_a_log_that_is_emptied, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_a_rotation_that_fails, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_a_gap_among_older_logs, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_no_older_logs, enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_a_fifo, enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
