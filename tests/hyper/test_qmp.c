/* What vmrun learns from QMP. */
#include "hyper/qmp.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 4711u

#define EVENT(name, data) "{\"timestamp\": {\"seconds\": 1}, \"event\": \"" name "\"" data "}"
#define SHUTDOWN(reason) \
	EVENT("SHUTDOWN", ", \"data\": {\"guest\": true, \"reason\": \"" reason "\"}")
#define STATUS(status) \
	"{\"return\": {\"running\": false, \"singlestep\": false, \"status\": \"" status "\"}}"

static void test_greeting(void **state)
{
	struct signs s = { 0 };

	(void)state;
	assert_null(qmp_hear(&s, "{\"return\": {}}"));
	assert_false(s.greeted);
	assert_null(qmp_hear(&s,
	    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "
	    "\"package\": \"Debian\"}, \"capabilities\": [\"oob\"]}}"));
	assert_true(s.greeted);
	assert_string_equal(s.reason, "");
	assert_string_equal(s.fatal, "");
}

static void test_first_reason_counts(void **state)
{
	struct signs s = { 0 };

	(void)state;
	assert_null(qmp_hear(&s, SHUTDOWN("guest-reset")));
	assert_string_equal(s.reason, "guest-reset");
	assert_null(qmp_hear(&s, SHUTDOWN("host-qmp-quit")));
	assert_string_equal(s.reason, "guest-reset");
	/* A STOP after a shutdown has no meaning of its own. */
	assert_null(qmp_hear(&s, EVENT("STOP", "")));
}

static void test_stop_is_asked_about(void **state)
{
	static const char *const fatal[] = { "internal-error", "io-error", "guest-panicked" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct signs s = { 0 };
		char line[128];

		assert_string_equal(qmp_hear(&s, EVENT("STOP", "")), QMP_STATUS);
		(void)snprintf(line, sizeof(line), STATUS("%s"), fatal[i]);
		assert_string_equal(qmp_hear(&s, line), QMP_QUIT);
		assert_string_equal(s.fatal, fatal[i]);
		assert_null(qmp_hear(&s, line)); /* the second one has no effect */
	}
}

static void test_harmless_states(void **state)
{
	static const char *const lines[] = { STATUS("running"), STATUS("paused"),
		STATUS("shutdown"), STATUS("suspended"), STATUS("prelaunch") };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct signs s = { 0 }, same = { 0 };

		assert_null(qmp_hear(&s, lines[i]));
		assert_memory_equal(&s, &same, sizeof(s));
	}
}

/* The words have a meaning only in their own places. */
static void test_words_in_other_places(void **state)
{
	static const char *const lines[] = {
		"",
		"qemu: warning",
		"null",
		"\"SHUTDOWN\"",
		"[{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}]",
		"{\"data\": {\"event\": \"SHUTDOWN\", \"reason\": \"guest-reset\"}}",
		"{\"reason\": \"guest-reset\"}",
		"{\"return\": {\"return\": {\"status\": \"io-error\"}}}",
		"{\"return\": [{\"status\": \"io-error\"}]}",
		"{\"status\": \"io-error\"}",
		"{\"data\": {\"status\": \"io-error\"}}",
		"{\"error\": {\"class\": \"GenericError\", \"desc\": \"QMP\"}}",
		"{\"return\": {\"QMP\": {}}}",
		EVENT("POWERDOWN", ""),
		EVENT("RESET", ", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}"),
		EVENT("SHUTDOWN", ", \"data\": {\"x\": {\"reason\": \"guest-reset\"}}"),
		EVENT("SHUTDOWN", ", \"data\": {\"reason\": 7}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct signs s = { 0 }, same = { 0 };

		assert_null(qmp_hear(&s, lines[i]));
		if (memcmp(&s, &same, sizeof(s)) != 0)
			fail_msg("it was believed: %s", lines[i]);
	}
}

static void test_order_of_keys(void **state)
{
	struct signs s = { 0 };

	(void)state;
	(void)qmp_hear(&s, "{\"data\":{\"reason\":\"guest-shutdown\"},\"event\":\"SHUTDOWN\"}");
	assert_string_equal(s.reason, "guest-shutdown");
}

static void test_long_words(void **state)
{
	struct signs s = { 0 };
	char line[12000], word[5000];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	(void)snprintf(line, sizeof(line), "{\"event\":\"%s\"}", word);
	assert_null(qmp_hear(&s, line));
	(void)snprintf(line, sizeof(line), SHUTDOWN("%s"), word);
	assert_null(qmp_hear(&s, line));
	assert_string_equal(s.reason, "");
	(void)snprintf(line, sizeof(line), "{\"%s\":{\"%s\":1}}", word, word);
	assert_null(qmp_hear(&s, line));
}

/* For any bytes, nothing is read beyond them, and the signs stay strings. */
static void test_broken_lines(void **state)
{
	static const char whole[] = SHUTDOWN("guest-reset") STATUS("io-error");
	unsigned dice = SEED;

	(void)state;
	print_message("seed %u\n", SEED);
	for (int round = 0; round < 20000; round++) {
		struct signs s = { 0 };
		size_t n = sizeof(whole);
		char *line = malloc(n);

		assert_non_null(line);
		memcpy(line, whole, n);
		for (int i = 0; i < round % 4; i++) {
			dice = dice * 1664525u + 1013904223u;
			line[(dice >> 8) % (n - 1)] = (char)(dice >> 24);
		}
		dice = dice * 1664525u + 1013904223u;
		line[round % 2 == 0 ? n - 1 : (dice >> 8) % n] = '\0';
		(void)qmp_hear(&s, line);
		assert_non_null(memchr(s.reason, '\0', sizeof(s.reason)));
		assert_non_null(memchr(s.fatal, '\0', sizeof(s.fatal)));
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_first_reason_counts),
		cmocka_unit_test(test_stop_is_asked_about),
		cmocka_unit_test(test_harmless_states),
		cmocka_unit_test(test_words_in_other_places),
		cmocka_unit_test(test_order_of_keys),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_broken_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
