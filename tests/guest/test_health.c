/* The health of a guest, with a clock of the test's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "guest/health.h"

static struct health h;
static struct probe none, console, connect_to, alive_connect, alive_console;

static int begin(void **state)
{
	(void)state;
	console = (struct probe){ .kind = PROBE_CONSOLE, .text = "login:", .within_ms = 60000 };
	connect_to = (struct probe){ .kind = PROBE_CONNECT,
		.address = "127.0.0.1",
		.port = 22,
		.every_ms = 5000,
		.within_ms = 60000 };
	alive_connect = (struct probe){ .kind = PROBE_CONNECT,
		.address = "::1",
		.port = 80,
		.every_ms = 30000,
		.failures = 3 };
	alive_console = (struct probe){ .kind = PROBE_CONSOLE, .every_ms = 30000, .failures = 2 };
	return 0;
}

static int end(void **state)
{
	(void)state;
	health_end(&h);
	return 0;
}

static void hear(const char *text, int64_t now_ms)
{
	health_hear(&h, text, strlen(text), now_ms);
}

static void check_news(enum health_news news)
{
	assert_int_equal(health_take(&h), news);
}

static void check_reason(enum health_news news, const char *text)
{
	MEM_AUTO char *reason = health_reason(&h, news);

	assert_string_equal(reason, text);
}

static void test_nothing_asked(void **state)
{
	(void)state;
	assert_int_equal(health_until_ms(&h), -1);
	health_begin(&h, &none, &none, 0, 1000);
	assert_int_equal(health_until_ms(&h), -1);
	assert_false(health_hears(&h));
	assert_null(health_due(&h, 1000000));
	check_news(HEALTH_NOTHING);
}

static void test_console_costs_no_wakeup(void **state)
{
	(void)state;
	console.within_ms = 0;
	health_begin(&h, &console, &none, 0, 1000);
	assert_int_equal(health_until_ms(&h), -1);
	assert_true(health_hears(&h));
	hear("log", 2000);
	hear("in", 3000);
	check_news(HEALTH_NOTHING);
	hear(": ", 4000);
	check_news(HEALTH_READY);
	check_news(HEALTH_NOTHING);
	assert_true(h.is_ready);
	assert_false(health_hears(&h));
	assert_int_equal(health_until_ms(&h), -1);
}

static void test_not_ready(void **state)
{
	(void)state;
	console.text = "\x1b\n";
	health_begin(&h, &console, &none, 0, 1000);
	assert_int_equal(health_until_ms(&h), 61000);
	assert_null(health_due(&h, 60999));
	check_news(HEALTH_NOTHING);
	assert_null(health_due(&h, 61000));
	check_news(HEALTH_NOT_READY);
	check_reason(HEALTH_NOT_READY,
	    "the guest did not become ready within 60 s: console \"\\x1b\\n\" was not printed");
	check_news(HEALTH_NOTHING);
	assert_int_equal(health_until_ms(&h), -1);
	hear("\x1b\n", 61001);
	check_news(HEALTH_NOTHING);
}

/* Tries begin with the spawn, one at a time, `every` from one begin to the next. */
static void test_tries(void **state)
{
	(void)state;
	health_begin(&h, &connect_to, &none, 0, 1000);
	assert_int_equal(health_until_ms(&h), 1000);
	assert_ptr_equal(health_due(&h, 1000), &connect_to);
	assert_int_equal(health_until_ms(&h), 61000); /* no other try meanwhile */
	assert_null(health_due(&h, 6000));
	health_answer(&h, "refused", 2000);
	assert_int_equal(health_until_ms(&h), 6000);
	assert_ptr_equal(health_due(&h, 6000), &connect_to);
	health_answer(&h, "too late", 16000);
	assert_int_equal(health_until_ms(&h), 16000);
	assert_ptr_equal(health_due(&h, 16000), &connect_to);
	health_answer(&h, NULL, 16001);
	check_news(HEALTH_READY);
	assert_int_equal(health_until_ms(&h), -1);
}

static void test_last_failure(void **state)
{
	(void)state;
	health_begin(&h, &connect_to, &none, 0, 0);
	check_reason(
	    HEALTH_NOT_READY, "the guest did not become ready within 60 s: connect 127.0.0.1:22");
	assert_non_null(health_due(&h, 0));
	health_answer(&h, "no route", 1);
	assert_null(health_due(&h, 60000));
	check_news(HEALTH_NOT_READY);
	check_reason(HEALTH_NOT_READY, "the guest did not become ready within 60 s: no route");
	health_answer(&h, NULL, 60001);
	check_news(HEALTH_NOTHING);
}

static void fail_once(int64_t at_ms)
{
	assert_ptr_equal(health_due(&h, at_ms), &alive_connect);
	health_answer(&h, "refused", at_ms);
}

static void test_alive_after_ready(void **state)
{
	(void)state;
	health_begin(&h, &console, &alive_connect, 0, 0);
	hear("login:", 7000);
	check_news(HEALTH_READY);
	assert_int_equal(health_until_ms(&h), 37000);
	fail_once(37000);
	fail_once(67000);
	assert_ptr_equal(health_due(&h, 97000), &alive_connect);
	health_answer(&h, NULL, 97000); /* in a row */
	fail_once(127000);
	fail_once(157000);
	check_news(HEALTH_NOTHING);
	fail_once(187000);
	check_news(HEALTH_UNHEALTHY);
	check_reason(HEALTH_UNHEALTHY, "3 tries in a row failed: refused");
	assert_int_equal(health_until_ms(&h), -1);
}

static void test_alive_arms_itself(void **state)
{
	(void)state;
	alive_connect.failures = 1;
	health_begin(&h, &none, &alive_connect, 0, 0);
	assert_int_equal(health_until_ms(&h), 30000);
	fail_once(30000);
	fail_once(60000);
	check_news(HEALTH_NOTHING);
	assert_non_null(health_due(&h, 90000));
	health_answer(&h, NULL, 90000);
	assert_false(h.is_ready);
	check_news(HEALTH_NOTHING);
	fail_once(120000);
	check_news(HEALTH_UNHEALTHY);
	check_reason(HEALTH_UNHEALTHY, "a try failed: refused");
}

static void test_alive_console(void **state)
{
	(void)state;
	health_begin(&h, &console, &alive_console, 0, 0);
	hear("login: ", 0); /* the blank comes after ready */
	check_news(HEALTH_READY);
	assert_null(health_due(&h, 30000));
	assert_int_equal(h.failures, 0);
	assert_null(health_due(&h, 60000));
	assert_int_equal(h.failures, 1);
	hear("x", 60001);
	assert_null(health_due(&h, 90000));
	assert_int_equal(h.failures, 0);
	assert_null(health_due(&h, 120000));
	check_news(HEALTH_NOTHING);
	assert_null(health_due(&h, 150000));
	check_news(HEALTH_UNHEALTHY);
	check_reason(
	    HEALTH_UNHEALTHY, "2 tries in a row failed: the console printed nothing within 30 s");
}

static void test_alive_text(void **state)
{
	(void)state;
	alive_console.text = "tick";
	alive_console.failures = 1;
	health_begin(&h, &console, &alive_console, 0, 0);
	hear("login: ti", 0);
	check_news(HEALTH_READY);
	hear("ck", 29999);
	assert_null(health_due(&h, 30000));
	hear("tock", 30001);
	assert_null(health_due(&h, 60000));
	check_news(HEALTH_UNHEALTHY);
	check_reason(
	    HEALTH_UNHEALTHY, "a try failed: the console did not print \"tick\" within 30 s");
}

static void test_time_limit(void **state)
{
	(void)state;
	health_begin(&h, &none, &none, 90000, 1000);
	assert_int_equal(health_until_ms(&h), 91000);
	assert_null(health_due(&h, 91000));
	check_news(HEALTH_TIMED_OUT);
	check_reason(HEALTH_TIMED_OUT, "the boot lasted longer than time_limit, 90 s");
	check_news(HEALTH_NOTHING);
}

static void test_first_verdict_counts(void **state)
{
	(void)state;
	health_begin(&h, &console, &none, 90000, 0);
	assert_null(health_due(&h, 100000));
	check_news(HEALTH_NOT_READY);
	assert_null(health_due(&h, 200000));
	check_news(HEALTH_NOTHING);
}

static void test_rest(void **state)
{
	(void)state;
	health_begin(&h, &console, &alive_connect, 90000, 0);
	hear("login:", 1);
	check_news(HEALTH_READY);
	health_rest(&h);
	assert_true(h.is_ready);
	assert_int_equal(health_until_ms(&h), -1);
	assert_null(health_due(&h, 1000000));
	check_news(HEALTH_NOTHING);
	health_end(&h);
	assert_false(h.is_ready);
	health_begin(&h, &console, &none, 0, 5);
	assert_int_equal(health_until_ms(&h), 60005);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)
	const struct CMUnitTest tests[] = { T(nothing_asked), T(console_costs_no_wakeup),
		T(not_ready), T(tries), T(last_failure), T(alive_after_ready), T(alive_arms_itself),
		T(alive_console), T(alive_text), T(time_limit), T(first_verdict_counts), T(rest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
