/* Messages: their levels, their length, and their lines. */
#include "../base/dice.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmrun/sink.h"

#define MAX_TEXT 8192 /* bytes of a message, with its NUL */

static char written[2 * MAX_TEXT];

/* Redirects stderr to a file, and returns a copy of stderr. */
static int redirect(FILE *f)
{
	int saved = dup(STDERR_FILENO);

	assert_non_null(f);
	assert_true(saved >= 0);
	assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
	return saved;
}

/* Ends the redirection, and returns what the file received. */
static const char *restore(FILE *f, int saved)
{
	size_t n;

	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	rewind(f);
	n = fread(written, 1, sizeof(written) - 1, f);
	written[n] = '\0';
	(void)fclose(f);
	return written;
}

/* Writes a message and returns what stderr received. */
static const char *say(struct sink *sink, enum level level, const char *text)
{
	FILE *f = tmpfile();
	int saved = redirect(f);

	sink_say(sink, level, "%s", text);
	return restore(f, saved);
}

/* Writes a problem and returns what stderr received. */
static const char *say_problem(const char *place, const char *path, const char *text)
{
	struct vmrun_problem problem = { .place = place, .path = path, .text = text };
	struct sink sink = { .max_level = LEVEL_INFO };
	FILE *f = tmpfile();
	int saved = redirect(f);

	sink_problem(&sink, &problem);
	return restore(f, saved);
}

static void test_length(void **state)
{
	static char text[MAX_TEXT + 1];
	struct sink sink = { .max_level = LEVEL_INFO };
	size_t added = strlen("vmrun: \n");

	(void)state;
	for (size_t n = MAX_TEXT - 2; n <= MAX_TEXT; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		assert_int_equal(
		    strlen(say(&sink, LEVEL_INFO, text)) - added, n < MAX_TEXT ? n : MAX_TEXT - 1);
	}
}

static void test_levels(void **state)
{
	struct sink sink = { .max_level = LEVEL_WARNING };
	enum level level;

	(void)state;
	assert_string_equal(say(&sink, LEVEL_ERROR, "a"), "vmrun: a\n");
	assert_string_equal(say(&sink, LEVEL_WARNING, "a"), "vmrun: a\n");
	assert_string_equal(say(&sink, LEVEL_INFO, "a"), "");
	assert_true(sink_level("debug", &level));
	assert_int_equal(level, LEVEL_DEBUG);
	assert_false(sink_level("debugging", &level));
}

static void test_lines(void **state)
{
	struct sink sink = { .max_level = LEVEL_INFO };

	(void)state;
	assert_string_equal(say(&sink, LEVEL_INFO, "a\nb\n"), "vmrun: a\nvmrun: b\n");
	assert_string_equal(say(&sink, LEVEL_INFO, "a\33[2J\tb"), "vmrun: a?[2J\tb\n");
	assert_string_equal(say(&sink, LEVEL_INFO, ""), "vmrun: \n");
}

static void test_json(void **state)
{
	struct sink sink = { .max_level = LEVEL_INFO, .json = true };

	(void)state;
	assert_non_null(strstr(say(&sink, LEVEL_WARNING, "a\nb"), "\"level\":\"warning\""));
	assert_non_null(strstr(written, "\"text\":\"a\\nb\"}\n"));
}

static void test_problem(void **state)
{
	(void)state;
	assert_string_equal(say_problem(NULL, NULL, "a\nb\tc"), "vmrun: a\nb\tc\n");
	assert_string_equal(say_problem("f:1:2", "cpu", "bad"), "f:1:2: cpu: bad\n");
	assert_string_equal(
	    say_problem("f\33\n:1", "a\33[2J\nb", "c\33[H"), "f??:1: a?[2J?b: c?[H\n");
}

/* A question has neither a prefix nor a line end: the answer follows it. */
static void test_text_as_it_is(void **state)
{
	struct sink sink = { .max_level = LEVEL_ERROR };
	FILE *f = tmpfile();
	int saved = redirect(f);

	(void)state;
	sink_text(&sink, "Apply? ");
	sink_text(&sink, "");
	sink_text(&sink, "\n");
	assert_string_equal(restore(f, saved), "Apply? \n");
}

/* Fills a pipe, and returns how many bytes it has taken. */
static size_t fill(int fd)
{
	static const char zeros[512];
	size_t n = 0;
	ssize_t done;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((done = write(fd, zeros, sizeof(zeros))) > 0)
		n += (size_t)done;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	return n;
}

/* A reader that has stopped loses messages, and those that follow do not wait for it again. */
static void test_stopped_reader(void **state)
{
	struct sink sink = { .max_level = LEVEL_INFO };
	char text[64] = "";
	int ends[2], saved = dup(STDERR_FILENO);
	size_t full;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	full = fill(ends[1]);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	sink_say(&sink, LEVEL_INFO, "lost");
	assert_true(sink.stuck);
	for (int i = 0; i < 1000; i++) /* a second each, if they waited */
		sink_say(&sink, LEVEL_INFO, "lost, too");
	for (size_t n = 0; n < full;) {
		ssize_t got = read(ends[0], written, sizeof(written));

		assert_true(got > 0);
		n += (size_t)got;
	}
	sink_say(&sink, LEVEL_INFO, "seen");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	assert_false(sink.stuck);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "vmrun: seen\n");
	(void)close(saved);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_problem),
		cmocka_unit_test(test_text_as_it_is),
		cmocka_unit_test(test_stopped_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
