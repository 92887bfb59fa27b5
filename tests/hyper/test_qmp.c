/* What vmrun learns from QMP. */
#include "hyper/qmp.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
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
		struct signs s = { 0 };

		assert_null(qmp_hear(&s, lines[i]));
		if (s.greeted || s.resumed || s.panicked || s.triple_fault || s.halt.asked ||
		    s.halt.halted || *s.reason != '\0' || *s.fatal != '\0')
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

#define ERROR "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such CPU\"}}"

/* What QEMU 7.2 answers to "info registers": 32 bits, or 64 with the names of those. */
static const char *registers(const char *ip, const char *flags, const char *halted)
{
	static char line[256];

	(void)snprintf(line, sizeof(line),
	    "{\"return\": \"\\r\\nCPU#0\\r\\nEAX=000c4602 EBX=fee00300\\r\\n%s %s [-------] CPL=0 "
	    "II=0 A20=1 SMM=0 HLT=%s\\r\\nES =0010 0000",
	    ip, flags, halted);
	return line;
}

#define HALTED registers("EIP=ffff05ef", "EFL=00000002", "1")
#define IDLE registers("RIP=ffffffff81b1a6be", "RFL=00000246", "1")
#define RUNNING registers("RIP=ffffffff81b1a6be", "RFL=00000002", "0")
#define UNSTARTED registers("EIP=0000fff0", "EFL=00000002", "1")
#define UNSTARTED_KVM registers("EIP=0000fff0", "EFL=00000002", "0")

static void assert_asks(const char *request, int processor)
{
	char wanted[16];

	assert_non_null(request);
	assert_non_null(strstr(request, "info registers"));
	(void)snprintf(wanted, sizeof(wanted), "\"cpu-index\":%d}", processor);
	assert_non_null(strstr(request, wanted));
}

static void test_halt_twice_in_a_row(void **state)
{
	struct signs s = { .greeted = true, .halt = { .processors = 2 } };

	(void)state;
	assert_asks(qmp_halt_request(&s), 0);
	assert_null(qmp_halt_request(&s)); /* it has not answered */
	assert_asks(qmp_hear(&s, HALTED), 1);
	assert_null(qmp_hear(&s, HALTED));
	assert_false(s.halt.has_halted);
	/* The rest of a long answer, and answers to other requests. */
	assert_null(qmp_hear(&s, " HLT=0\\r\\n\"}"));
	assert_null(qmp_hear(&s, "{\"return\": {}}"));
	assert_asks(qmp_halt_request(&s), 0);
	assert_asks(qmp_hear(&s, HALTED), 1);
	assert_string_equal(qmp_hear(&s, HALTED), QMP_QUIT);
	assert_true(s.halt.has_halted);
}

static void test_no_halt(void **state)
{
	struct signs s = { .greeted = true, .halt = { .processors = 1 } };

	(void)state;
	for (int i = 0; i < 6; i++) {
		/* An idle or running processor between two halts, and one that never started. */
		assert_asks(qmp_halt_request(&s), 0);
		assert_null(qmp_hear(&s, HALTED));
		assert_asks(qmp_halt_request(&s), 0);
		assert_null(qmp_hear(&s,
		    i == 0	 ? IDLE
			: i == 1 ? RUNNING
			: i == 2 ? UNSTARTED
			: i == 3 ? UNSTARTED_KVM
			: i == 4 ? "{\"return\": \"PC=0 X00=1\"}"
				 : registers("EIP=0", "EFL=00000002", "x")));
		assert_false(s.halt.has_halted);
		assert_false(s.halt.halted);
	}
}

static void test_halt_leaves_out_those_that_never_started(void **state)
{
	struct signs s = { .greeted = true, .halt = { .processors = 3 } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_asks(qmp_halt_request(&s), 0);
		assert_asks(qmp_hear(&s, HALTED), 1);
		assert_asks(qmp_hear(&s, UNSTARTED), 2);
		assert_int_equal(qmp_hear(&s, UNSTARTED_KVM) != NULL, i == 1);
	}
	assert_true(s.halt.has_halted);
}

static void test_a_qemu_that_exits_is_asked_nothing(void **state)
{
	struct signs s = { .greeted = true, .halt = { .processors = 2 } };

	(void)state;
	assert_asks(qmp_halt_request(&s), 0);
	assert_null(qmp_hear(&s, SHUTDOWN("guest-reset")));
	assert_null(qmp_hear(&s, HALTED));
	s.halt.asked = false;
	assert_null(qmp_halt_request(&s));
}

static void test_halt_is_asked_again_after_an_error(void **state)
{
	struct signs s = { .greeted = false, .halt = { .processors = 1 } };

	(void)state;
	assert_null(qmp_halt_request(&s));
	s.greeted = true;
	assert_asks(qmp_halt_request(&s), 0);
	assert_null(qmp_hear(&s, ERROR));
	assert_asks(qmp_halt_request(&s), 0);
	s.halt = (struct halt_poll){ .processors = 0 };
	assert_null(qmp_halt_request(&s));
}

/* With -smp in the user's words, qemu alone knows the processors: an error follows the last. */
static void test_halt_of_an_unknown_number_of_processors(void **state)
{
	struct signs s = { .greeted = true, .halt = { .processors = PROCESSORS_UNKNOWN } };

	(void)state;
	/* The first one has halted, the second one has not. */
	for (int i = 0; i < 2; i++) {
		assert_asks(qmp_halt_request(&s), 0);
		assert_asks(qmp_hear(&s, HALTED), 1);
		assert_null(qmp_hear(&s, IDLE));
	}
	assert_false(s.halt.halted);
	for (int i = 0; i < 2; i++) {
		assert_asks(qmp_halt_request(&s), 0);
		assert_asks(qmp_hear(&s, HALTED), 1);
		assert_asks(qmp_hear(&s, UNSTARTED), 2);
		assert_int_equal(qmp_hear(&s, ERROR) != NULL, i == 1);
	}
	assert_true(s.halt.has_halted);
	/* An error of the first one says nothing, nor one that answers another request. */
	s = (struct signs){ .greeted = true, .halt = { .processors = PROCESSORS_UNKNOWN } };
	for (int i = 0; i < 2; i++) {
		assert_asks(qmp_halt_request(&s), 0);
		assert_null(qmp_hear(&s, ERROR));
		assert_null(qmp_hear(&s, ERROR));
	}
	assert_false(s.halt.halted);
}

static void test_signs_of_a_guest(void **state)
{
	struct signs s = { 0 };

	(void)state;
	assert_null(qmp_hear(&s, EVENT("RESUME", "")));
	assert_true(s.resumed);
	assert_false(s.panicked);
	assert_null(qmp_hear(&s, EVENT("GUEST_PANICKED", ", \"data\": {\"action\": \"pause\"}")));
	assert_true(s.panicked);
}

#define CPU(i, thread)                                                                \
	"{\"thread-id\": " #thread ", \"props\": {\"core-id\": 0, \"thread-id\": 7, " \
	"\"socket-id\": 3}, \"qom-path\": \"/machine/unattached/device[" #i           \
	"]\", \"cpu-index\": " #i ", \"target\": \"x86_64\"}"
#define MAX_TOLD 128

struct told {
	char text[MAX_TOLD];
	size_t length;
};

static void tell(void *context, int64_t processor, int64_t thread)
{
	struct told *told = context;
	int n = snprintf(told->text + told->length, MAX_TOLD - told->length,
	    "%" PRId64 "=%" PRId64 " ", processor, thread);

	assert_true(n > 0 && told->length + (size_t)n < MAX_TOLD);
	told->length += (size_t)n;
}

static struct signs asking(struct told *told, bool starts_guest)
{
	return (struct signs){ .threads = { .asked = true,
				   .starts_guest = starts_guest,
				   .tell = tell,
				   .context = told } };
}

/* The answer is cut at any byte; then the guest starts unless something else holds it. */
static void test_threads_in_pieces(void **state)
{
	static const char answer[] =
	    "{\"return\": [" CPU(0, 4001) ", " CPU(1, 4002) ", " CPU(10, 400000) "]}";

	(void)state;
	for (size_t cut = strlen("{\"return\": ["); cut < sizeof(answer); cut++) {
		struct told told = { 0 };
		struct signs s = asking(&told, cut % 2 == 0);
		char first[sizeof(answer)];
		const char *reply, *wanted = cut % 2 == 0 ? QMP_CONTINUE : "";

		assert_null(qmp_hear(&s, "{\"return\": {}}"));
		assert_null(qmp_hear(&s, EVENT("RESET", "")));
		assert_true(s.threads.asked);
		memcpy(first, answer, cut);
		first[cut] = '\0';
		reply = qmp_hear(&s, first);
		if (cut + 1 < sizeof(answer)) {
			assert_null(reply);
			assert_true(s.threads.asked);
			reply = qmp_hear(&s, answer + cut);
		}
		assert_string_equal(reply == NULL ? "" : reply, wanted);
		assert_false(s.threads.asked);
		assert_string_equal(told.text, "0=4001 1=4002 10=400000 ");
		assert_null(qmp_hear(&s, answer));
		assert_string_equal(told.text, "0=4001 1=4002 10=400000 ");
	}
}

/* A client that connects while the answer is on its way does not start the guest before it. */
static void test_threads_before_a_vnc_client(void **state)
{
	struct told told = { 0 };
	struct signs s = asking(&told, false);

	(void)state;
	s.waits_for_vnc = true;
	assert_null(qmp_hear(&s, EVENT("VNC_CONNECTED", "")));
	assert_string_equal(qmp_hear(&s, "{\"return\": [" CPU(0, 5) "]}"), QMP_CONTINUE);
	assert_string_equal(told.text, "0=5 ");

	s = asking(&told, false);
	s.waits_for_vnc = true;
	assert_null(qmp_hear(&s, "{\"return\": [" CPU(1, 6) "]}"));
	assert_string_equal(qmp_hear(&s, EVENT("VNC_CONNECTED", "")), QMP_CONTINUE);
	assert_string_equal(told.text, "0=5 1=6 ");
}

static void test_threads_that_qemu_cannot_tell(void **state)
{
	struct told told = { 0 };
	struct signs s = asking(&told, true);

	(void)state;
	assert_string_equal(qmp_hear(&s, ERROR), QMP_CONTINUE);
	assert_string_equal(told.text, "-1=0 ");
	assert_null(qmp_hear(&s, ERROR));

	memset(&told, 0, sizeof(told));
	s = asking(&told, true);
	assert_string_equal(
	    qmp_hear(&s, "{\"return\": [{\"cpu-index\": 0}, {\"thread-id\": 3}]}"), QMP_CONTINUE);
	assert_string_equal(told.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_halt_twice_in_a_row),
		cmocka_unit_test(test_no_halt),
		cmocka_unit_test(test_halt_leaves_out_those_that_never_started),
		cmocka_unit_test(test_a_qemu_that_exits_is_asked_nothing),
		cmocka_unit_test(test_halt_is_asked_again_after_an_error),
		cmocka_unit_test(test_halt_of_an_unknown_number_of_processors),
		cmocka_unit_test(test_signs_of_a_guest),
		cmocka_unit_test(test_threads_in_pieces),
		cmocka_unit_test(test_threads_before_a_vnc_client),
		cmocka_unit_test(test_threads_that_qemu_cannot_tell),
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
