/* The console that vmrun owns: its terminal, its log, its ring buffer. */
#include "process/console.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/vmrun-console.XXXXXX";

static int enter(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL || chdir(directory) != 0 ? -1 : 0;
}

static int leave(void **state)
{
	static const char *const names[] = { "log", "log.1", "log.2", "other" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	return chdir("/") != 0 ? -1 : rmdir(directory);
}

static char log_name[] = "log";

static void open_it(struct console *c, const struct console_settings *settings)
{
	struct error err = { 0 };

	console_init(c);
	if (console_open(c, settings, true, &err) != 0)
		fail_msg("%s", err.text);
}

/* Prints a text as the guest, and reads all of it. */
static void print(struct console *c, const char *text)
{
	int fd = open(c->path, O_RDWR | O_NOCTTY);
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	size_t n = strlen(text);

	assert_true(fd >= 0);
	while (n > 0) {
		ssize_t done = write(fd, text, n < 512 ? n : 512);

		assert_true(done > 0);
		text += done;
		n -= (size_t)done;
		assert_int_equal(poll(&p, 1, 60000), 1);
		while (console_read(c))
			;
	}
	(void)close(fd);
	while (console_read(c))
		;
}

static char *content(const char *name)
{
	static char text[65536];
	FILE *f = fopen(name, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	return text;
}

static void test_log_is_what_was_printed(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 1 << 20, .keep = 2 };
	struct console c;

	(void)state;
	open_it(&c, &s);
	print(&c, "one\r\ntwo");
	print(&c, "\x1b[1m\xff\r\n");
	assert_string_equal(content("log"), "one\r\ntwo\x1b[1m\xff\r\n");
	console_close(&c);
	(void)unlink("log");
}

static void test_times_begin_lines(void **state)
{
	struct console_settings s = { .log = log_name, .timestamps = true, .max_size = 1 << 20 };
	struct console c;
	const char *text;

	(void)state;
	open_it(&c, &s);
	print(&c, "a");
	print(&c, "b\nc\n");
	text = content("log");
	assert_memory_equal(text + 23, "Z ab\n", 5);
	assert_string_equal(text + 28 + 23, "Z c\n");
	console_close(&c);
	(void)unlink("log");
}

static void test_rotation(void **state)
{
	struct console_settings s = { .log = log_name, .max_size = 4096, .keep = 2 };
	struct console c;
	char line[101];
	struct stat st;

	(void)state;
	memset(line, 'x', 99);
	line[99] = '\n';
	line[100] = '\0';
	open_it(&c, &s);
	for (int i = 0; i < 200; i++)
		print(&c, line);
	console_close(&c);
	for (int i = 1; i <= 2; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "log.%d", i);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_size, 4000); /* whole lines */
	}
	assert_int_equal(stat("log.3", &st), -1);
	(void)unlink("log");
}

static void test_ring_keeps_the_newest(void **state)
{
	struct console_settings s = { .max_size = 4096 };
	struct console c;
	char *text = malloc(MAX_CONSOLE_RING + 1000);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < MAX_CONSOLE_RING + 999; i++)
		text[i] = (char)('a' + i % 26);
	text[MAX_CONSOLE_RING + 999] = '\0';
	open_it(&c, &s);
	print(&c, text);
	assert_int_equal(c.ring_length, MAX_CONSOLE_RING);
	for (size_t i = 0; i < MAX_CONSOLE_RING; i++)
		assert_int_equal(c.ring[(c.ring_end + i) % MAX_CONSOLE_RING], text[999 + i]);
	console_close(&c);
	free(text);
}

/* The ring holds a limited number of bytes; one more replaces the oldest. */
static void test_limit_of_the_ring(void **state)
{
	const struct console_settings s = { 0 };
	char text[MAX_CONSOLE_RING + 1], copy[MAX_CONSOLE_RING];
	struct console c;

	(void)state;
	memset(text, 'x', MAX_CONSOLE_RING);
	text[0] = 'a';
	text[1] = 'b';
	text[MAX_CONSOLE_RING] = '\0';
	open_it(&c, &s);
	print(&c, text);
	assert_int_equal(c.ring_length, 65536);
	assert_int_equal(console_copy(&c, 0, copy, sizeof(copy)), 65536);
	assert_memory_equal(copy, text, MAX_CONSOLE_RING);
	print(&c, "z");
	assert_int_equal(c.ring_length, 65536);
	assert_int_equal(console_copy(&c, 1, copy, sizeof(copy)), 65536);
	assert_memory_equal(copy, text + 1, MAX_CONSOLE_RING - 1);
	assert_int_equal(copy[MAX_CONSOLE_RING - 1], 'z');
	console_close(&c);
}

static void test_the_line_stays_open(void **state)
{
	struct console_settings s = { .max_size = 4096 };
	struct console c;
	struct error err = { 0 };
	char first[64];

	(void)state;
	open_it(&c, &s);
	(void)snprintf(first, sizeof(first), "%s", c.path);
	print(&c, "x");
	/* that no process has it open is not the end */
	assert_false(console_read(&c));
	assert_int_equal(console_open(&c, &s, true, &err), 0);
	assert_string_equal(c.path, first);
	print(&c, "y");
	assert_int_equal(c.ring_length, 2);
	console_close(&c);
}

static void test_another_log_at_the_next_boot(void **state)
{
	char other[] = "other";
	struct console_settings s = { .log = log_name, .max_size = 4096, .keep = 1 };
	struct console c;
	struct error err = { 0 };

	(void)state;
	open_it(&c, &s);
	print(&c, "x\n");
	s.log = other;
	assert_int_equal(console_open(&c, &s, true, &err), 0);
	print(&c, "y\n");
	console_close(&c);
	assert_string_equal(content("log"), "x\n");
	assert_string_equal(content("other"), "y\n");
}

static void hear(void *context, const char *bytes, size_t n)
{
	char *heard = context;

	(void)strncat(heard, bytes, n);
}

/* Viewers get all output, late ones the newest; typed text arrives. */
static void test_listening_and_typing(void **state)
{
	const struct console_settings s = { 0 };
	char heard[64] = "", copy[MAX_CONSOLE_RING], typed[16] = "";
	struct console c;
	int fd;

	(void)state;
	open_it(&c, &s);
	c.hear = hear;
	c.hear_context = heard;
	print(&c, "one ");
	print(&c, "two");
	assert_string_equal(heard, "one two");
	assert_true(c.total == 7);
	assert_int_equal(console_copy(&c, 4, copy, sizeof(copy)), 3);
	assert_memory_equal(copy, "two", 3);
	assert_int_equal(console_copy(&c, 0, copy, 3), 3);
	assert_memory_equal(copy, "one", 3);
	assert_int_equal(console_copy(&c, 7, copy, sizeof(copy)), 0);
	c.hear = NULL;
	for (int i = 0; i < MAX_CONSOLE_RING / 16; i++)
		print(&c, "0123456789abcdef");
	assert_true(c.total == 7 + MAX_CONSOLE_RING);
	assert_int_equal(
	    console_copy(&c, c.total - MAX_CONSOLE_RING, copy, sizeof(copy)), MAX_CONSOLE_RING);
	assert_memory_equal(copy, "0123", 4);
	assert_memory_equal(copy + MAX_CONSOLE_RING - 4, "cdef", 4);
	assert_int_equal(console_type(&c, "keys", 4), 4);
	fd = open(c.path, O_RDWR | O_NOCTTY);
	assert_int_equal(read(fd, typed, sizeof(typed) - 1), 4);
	assert_string_equal(typed, "keys");
	(void)close(fd);
	console_close(&c);
	assert_int_equal(console_type(&c, "keys", 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_is_what_was_printed),
		cmocka_unit_test(test_times_begin_lines),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_ring_keeps_the_newest),
		cmocka_unit_test(test_limit_of_the_ring),
		cmocka_unit_test(test_the_line_stays_open),
		cmocka_unit_test(test_another_log_at_the_next_boot),
		cmocka_unit_test(test_listening_and_typing),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
