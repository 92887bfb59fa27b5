/* Which source decides, in which order, and the limits that no policy can lift. */
#include "policy/policy.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One case, as short texts; NULL: not given. */
struct row {
	enum cause cause;
	int status;
	const char *spec_list, *option_list, *next_target;
	const char *on;	  /* "stop", "boot", "same", "wait", or a target: for this cause */
	const char *hook; /* "boot", "boot:TARGET", "stop" */
	const char *reboot_to, *once;
	bool stop_requested, no_reboot, is_automatic;
	int64_t given_up_boots, times; /* times: of on.given_up, less 1 */
	int64_t count, made;  /* --reboot-count (0: none given; N: N - 1), automatic boots so far */
	const char *expected; /* "boot TARGET by WHO", "stop by WHO", "wait by WHO" */
};

static void parse(const char *text, struct reboot_list *list)
{
	struct error err = { 0 };

	if (text != NULL && reboot_list_parse(text, list, &err) != 0)
		fail_msg("%s", err.text);
}

static struct node *hook_answer(const char *text)
{
	struct node *answer;
	const char *colon;

	if (text == NULL)
		return NULL;
	answer = node_new(NODE_OBJECT);
	colon = strchr(text, ':');
	if (colon != NULL)
		node_put(answer, "target", node_string(colon + 1));
	node_put(answer, "action",
	    node_string_n(text, colon != NULL ? (size_t)(colon - text) : strlen(text)));
	return answer;
}

static void set_action(const char *text, struct action *action)
{
	static const char *const words[] = { [ACTION_STOP] = "stop",
		[ACTION_BOOT] = "boot",
		[ACTION_SAME] = "same",
		[ACTION_WAIT] = "wait" };

	if (text == NULL)
		return;
	action->kind = ACTION_TARGET;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i] != NULL && strcmp(words[i], text) == 0)
			action->kind = (enum action_kind)i;
	}
	if (action->kind == ACTION_TARGET)
		action->target = mem_copy(text);
}

static char *decide(const struct row *row)
{
	struct policy_options options = { row->no_reboot, row->count - 1, { 0 } };
	struct spec spec = { .restart_limit = { false, 5, 30000 } };
	struct outcome outcome = { .cause = row->cause, .status = row->status };
	struct policy_question q = { .options = &options,
		.spec = &spec,
		.target = "current",
		.outcome = &outcome,
		.automatic_boots = row->made,
		.stop_requested = row->stop_requested,
		.reboot_to = row->reboot_to,
		.reboot_is_automatic = row->is_automatic,
		.once = row->once,
		.hook = "the hook",
		.given_up_boots = row->given_up_boots };
	struct node *answer = hook_answer(row->hook);
	struct decision d;
	char *text;

	parse(row->option_list, &options.reboot_on);
	parse(row->spec_list, &spec.reboot_on);
	set_action(row->on, &spec.on[row->cause]);
	spec.on[row->cause].times = row->times + 1;
	spec.next_target = row->next_target == NULL ? NULL : mem_copy(row->next_target);
	q.answer = answer;
	policy_decide(&q, &d);
	assert_int_equal(d.boot, d.target != NULL);
	assert_int_equal(d.status, -1);
	assert_int_equal(d.delay_ms, row->reboot_to != NULL && !row->stop_requested ? 0 : -1);
	assert_false(d.boot && d.wait);
	assert_true(!d.by_next || strcmp(d.target, row->next_target) == 0);
	text = mem_format(
	    "%s%s%s by %s", decision_action(&d), d.boot ? " " : "", d.boot ? d.target : "", d.by);
	decision_clear(&d);
	free(spec.on[row->cause].target);
	free(spec.next_target);
	reboot_list_free(&options.reboot_on);
	reboot_list_free(&spec.reboot_on);
	node_free(answer);
	return text;
}

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		MEM_AUTO char *got = decide(&rows[i]);

		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("row %zu (%s): %s, not %s", i, cause_name(rows[i].cause), got,
			    rows[i].expected);
	}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows[0]))

static void test_default(void **state)
{
	(void)state;
	for (int cause = 0; cause < CAUSES; cause++) {
		struct row row = { .cause = (enum cause)cause,
			.expected = cause == CAUSE_REBOOT ? "boot current by default"
			    : cause == CAUSE_GIVEN_UP	  ? "stop by restart_limit"
							  : "stop by default" };

		check(&row, 1);
		row.next_target = "other";
		if (cause == CAUSE_REBOOT)
			row.expected = "boot other by next_target";
		check(&row, 1);
	}
}

/* The first source in the order decides, whatever the later ones say. */
static void test_order(void **state)
{
	static const struct row rows[] = {
		{ CAUSE_REBOOT, .stop_requested = true, .hook = "boot:x", .option_list = "reboot",
		    .spec_list = "reboot", .expected = "stop by the stop request" },
		{ CAUSE_STOPPED, .stop_requested = true, .spec_list = "stopped",
		    .expected = "stop by the stop request" },
		{ CAUSE_REBOOT, .hook = "stop", .option_list = "reboot", .spec_list = "reboot",
		    .expected = "stop by the hook" },
		{ CAUSE_POWEROFF, .hook = "boot", .option_list = "", .spec_list = "",
		    .expected = "boot current by the hook" },
		{ CAUSE_POWEROFF, .hook = "boot", .next_target = "next",
		    .expected = "boot next by the hook" },
		{ CAUSE_POWEROFF, .hook = "boot:mine", .next_target = "next",
		    .expected = "boot mine by the hook" },
		{ CAUSE_REBOOT, .option_list = "poweroff", .spec_list = "reboot",
		    .expected = "stop by --reboot-on" },
		{ CAUSE_POWEROFF, .option_list = "poweroff", .spec_list = "reboot",
		    .next_target = "next", .expected = "boot next by --reboot-on" },
		{ CAUSE_REBOOT, .option_list = "", .spec_list = "reboot",
		    .expected = "stop by --reboot-on" },
		{ CAUSE_REBOOT, .spec_list = "", .expected = "stop by reboot_on" },
		{ CAUSE_TRIPLE_FAULT, .status = 3, .spec_list = "triple_fault",
		    .expected = "boot current by reboot_on" },
	};

	(void)state;
	CHECK(rows);
}

/*
 * Requests: a requested reboot is not an automatic boot; the next target sets only what is booted.
 */
static void test_requests(void **state)
{
	static const struct row rows[] = {
		{ CAUSE_REBOOT, .reboot_to = "a", .hook = "stop", .option_list = "", .on = "stop",
		    .expected = "boot a by the reboot request" },
		{ CAUSE_REBOOT, .reboot_to = "", .next_target = "next", .count = 1,
		    .expected = "boot next by the reboot request" },
		{ CAUSE_REBOOT, .reboot_to = "", .expected = "boot current by the reboot request" },
		{ CAUSE_REBOOT, .reboot_to = "", .is_automatic = true,
		    .expected = "boot current by the reboot request" },
		{ CAUSE_REBOOT, .reboot_to = "", .is_automatic = true, .count = 1,
		    .expected = "stop by --reboot-count 0" },
		{ CAUSE_REBOOT, .reboot_to = "a", .stop_requested = true,
		    .expected = "stop by the stop request" },
		{ CAUSE_REBOOT, .once = "a", .expected = "boot a by the next request" },
		{ CAUSE_REBOOT, .once = "a", .next_target = "next",
		    .expected = "boot a by the next request" },
		{ CAUSE_HALT, .once = "a", .hook = "boot:x",
		    .expected = "boot a by the next request" },
		{ CAUSE_HALT, .once = "a", .expected = "stop by default" },
		{ CAUSE_REBOOT, .once = "a", .no_reboot = true, .expected = "stop by --no-reboot" },
	};

	(void)state;
	CHECK(rows);
}

/* `on` comes after the list of the command line, and before that of the spec. */
static void test_on(void **state)
{
	static const struct row rows[] = {
		{ CAUSE_POWEROFF, .on = "boot", .next_target = "next",
		    .expected = "boot next by on.poweroff" },
		{ CAUSE_POWEROFF, .on = "boot", .expected = "boot current by on.poweroff" },
		{ CAUSE_HALT, .on = "same", .next_target = "next",
		    .expected = "boot current by on.halt" },
		{ CAUSE_TRIPLE_FAULT, .on = "rescue", .next_target = "next",
		    .expected = "boot rescue by on.triple_fault" },
		{ CAUSE_REBOOT, .on = "stop", .expected = "stop by on.reboot" },
		{ CAUSE_START_FAILED, .on = "same", .expected = "boot current by on.start_failed" },
		{ CAUSE_CHECK_FAILED, .on = "x", .expected = "boot x by on.check_failed" },
		{ CAUSE_ERROR, .status = 71, .on = "same", .spec_list = "71", .next_target = "next",
		    .expected = "boot current by on.error" },
		{ CAUSE_REBOOT, .on = "stop", .spec_list = "reboot",
		    .expected = "stop by on.reboot" },
		{ CAUSE_REBOOT, .on = "same", .option_list = "halt",
		    .expected = "stop by --reboot-on" },
		{ CAUSE_HALT, .on = "stop", .option_list = "halt",
		    .expected = "boot current by --reboot-on" },
		{ CAUSE_HALT, .on = "rescue", .hook = "stop", .expected = "stop by the hook" },
		{ CAUSE_HALT, .on = "rescue", .hook = "boot:x", .expected = "boot x by the hook" },
		{ CAUSE_HALT, .on = "rescue", .stop_requested = true,
		    .expected = "stop by the stop request" },
		{ CAUSE_HALT, .on = "rescue", .no_reboot = true,
		    .expected = "stop by --no-reboot" },
		{ CAUSE_HALT, .on = "rescue", .count = 2, .made = 1,
		    .expected = "stop by --reboot-count 1" },
	};

	(void)state;
	CHECK(rows);
}

/* Only on.given_up decides, and it boots once, or as often as `times` says. */
static void test_given_up(void **state)
{
	static const struct row rows[] = {
		{ CAUSE_GIVEN_UP, .expected = "stop by restart_limit" },
		{ CAUSE_GIVEN_UP, .option_list = "given_up", .spec_list = "given_up",
		    .expected = "stop by restart_limit" },
		{ CAUSE_GIVEN_UP, .hook = "boot:x", .on = "stop",
		    .expected = "stop by on.given_up" },
		{ CAUSE_GIVEN_UP, .on = "wait", .expected = "wait by on.given_up" },
		{ CAUSE_GIVEN_UP, .on = "wait", .given_up_boots = 1,
		    .expected = "wait by on.given_up" },
		{ CAUSE_GIVEN_UP, .on = "rescue", .next_target = "next", .option_list = "",
		    .expected = "boot rescue by on.given_up" },
		{ CAUSE_GIVEN_UP, .on = "rescue", .given_up_boots = 1,
		    .expected = "stop by restart_limit" },
		{ CAUSE_GIVEN_UP, .on = "rescue", .given_up_boots = 2, .times = 2,
		    .expected = "boot rescue by on.given_up" },
		{ CAUSE_GIVEN_UP, .on = "rescue", .given_up_boots = 3, .times = 2,
		    .expected = "stop by restart_limit" },
		{ CAUSE_GIVEN_UP, .on = "rescue", .given_up_boots = 1000, .times = -1,
		    .expected = "boot rescue by on.given_up" },
		{ CAUSE_GIVEN_UP, .on = "wait", .stop_requested = true,
		    .expected = "stop by the stop request" },
	};

	(void)state;
	CHECK(rows);
}

/* The action of a status is asked before that of error, and only after an error. */
static void test_on_status(void **state)
{
	char status[] = "71", low[] = "5";
	struct status_action entries[] = { { low, { ACTION_SAME, NULL, { true, 20 }, 0 } },
		{ status, { ACTION_STOP, NULL, { false, 0 }, 0 } } };
	struct policy_options options = { false, -1, { 0 } };
	struct spec spec = { .on = { [CAUSE_ERROR] = { .kind = ACTION_SAME } },
		.on_status = { entries, 2 } };
	static const struct {
		enum cause cause;
		int status;
		bool boots;
		const char *by;
		int64_t delay_ms;
	} rows[] = {
		{ CAUSE_ERROR, 71, false, "on.71", -1 },
		{ CAUSE_ERROR, 5, true, "on.5", 20 },
		{ CAUSE_ERROR, 4, true, "on.error", -1 },
		{ CAUSE_ERROR, 72, true, "on.error", -1 },
		{ CAUSE_START_FAILED, 71, false, "default", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome outcome = { .cause = rows[i].cause, .status = rows[i].status };
		struct policy_question q = {
			.options = &options, .spec = &spec, .target = "t", .outcome = &outcome
		};
		DECISION_AUTO struct decision d;

		policy_decide(&q, &d);
		assert_int_equal(d.boot, rows[i].boots);
		assert_string_equal(d.by, rows[i].by);
		assert_int_equal(d.delay_ms, rows[i].delay_ms);
	}
}

/* A target that is booted again for ever has a delay of a second at least. */
static void test_given_up_for_ever(void **state)
{
	char rescue[] = "rescue";
	struct policy_options options = { false, -1, { 0 } };
	struct spec spec = { .on = { [CAUSE_GIVEN_UP] = { .kind = ACTION_TARGET,
					 .target = rescue,
					 .delay = { true, 20 },
					 .times = 0 } } };
	struct outcome outcome = { .cause = CAUSE_GIVEN_UP, .status = -1 };
	struct policy_question q = {
		.options = &options, .spec = &spec, .target = "t", .outcome = &outcome
	};
	DECISION_AUTO struct decision always, once;

	(void)state;
	policy_decide(&q, &always);
	assert_int_equal(always.delay_ms, 20);
	assert_int_equal(always.least_delay_ms, 1000);
	spec.on[CAUSE_GIVEN_UP].times = 1;
	policy_decide(&q, &once);
	assert_int_equal(once.delay_ms, 20);
	assert_int_equal(once.least_delay_ms, 0);
}

static void test_delays_of_on(void **state)
{
	struct policy_options options = { false, -1, { 0 } };
	struct spec spec = { .on = { [CAUSE_ERROR] = { .kind = ACTION_SAME, .delay = { true, 0 } },
				 [CAUSE_HALT] = { .kind = ACTION_SAME, .delay = { true, 1500 } },
				 [CAUSE_KILLED] = {
				     .kind = ACTION_SAME, .delay = { false, 0 } } } };
	static const struct {
		enum cause cause;
		int64_t delay;
	} rows[] = { { CAUSE_ERROR, 0 }, { CAUSE_HALT, 1500 }, { CAUSE_KILLED, -1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome outcome = { .cause = rows[i].cause, .status = 4 };
		struct policy_question q = {
			.options = &options, .spec = &spec, .target = "t", .outcome = &outcome
		};
		struct decision d;

		policy_decide(&q, &d);
		assert_true(d.boot);
		assert_int_equal(d.delay_ms, rows[i].delay);
		decision_clear(&d);
	}
}

/* A number is a status of the hypervisor, so it does not apply to boots that did not start one. */
static void test_statuses_in_lists(void **state)
{
	static const struct row rows[] = {
		{ CAUSE_POWEROFF, .status = 1, .spec_list = "1",
		    .expected = "boot current by reboot_on" },
		{ CAUSE_ERROR, .status = 71, .spec_list = "4,71",
		    .expected = "boot current by reboot_on" },
		{ CAUSE_ERROR, .status = 71, .spec_list = "4", .expected = "stop by reboot_on" },
		{ CAUSE_ERROR, .status = 71, .spec_list = "error",
		    .expected = "boot current by reboot_on" },
		{ CAUSE_START_FAILED, .status = 4, .spec_list = "4",
		    .expected = "stop by reboot_on" },
		{ CAUSE_START_FAILED, .status = 4, .spec_list = "error,start_failed",
		    .expected = "boot current by reboot_on" },
		{ CAUSE_CHECK_FAILED, .status = -1, .spec_list = "0,1,2,3,4",
		    .expected = "stop by reboot_on" },
		{ CAUSE_KILLED, .status = -1, .spec_list = "killed",
		    .expected = "boot current by reboot_on" },
	};

	(void)state;
	CHECK(rows);
}

static void test_limits(void **state)
{
	static const struct row rows[] = {
		{ CAUSE_REBOOT, .no_reboot = true, .expected = "stop by --no-reboot" },
		{ CAUSE_REBOOT, .no_reboot = true, .hook = "boot:x",
		    .expected = "stop by --no-reboot" },
		{ CAUSE_POWEROFF, .no_reboot = true, .expected = "stop by default" },
		{ CAUSE_REBOOT, .count = 1, .expected = "stop by --reboot-count 0" },
		{ CAUSE_REBOOT, .count = 3, .made = 1, .expected = "boot current by default" },
		{ CAUSE_REBOOT, .count = 3, .made = 2, .expected = "stop by --reboot-count 2" },
		{ CAUSE_REBOOT, .count = 3, .made = 9, .hook = "boot:x",
		    .expected = "stop by --reboot-count 2" },
		{ CAUSE_REBOOT, .made = 1000000, .expected = "boot current by default" },
		{ CAUSE_REBOOT, .count = 1, .stop_requested = true,
		    .expected = "stop by the stop request" },
	};

	(void)state;
	CHECK(rows);
}

static void test_answers_with_numbers(void **state)
{
	struct policy_options options = { false, -1, { 0 } };
	struct spec spec = { 0 };
	struct outcome outcome = { .cause = CAUSE_ERROR, .status = 4 };
	struct policy_question q = {
		.options = &options, .spec = &spec, .target = "t", .outcome = &outcome, .hook = "h"
	};
	struct node *answer = node_new(NODE_OBJECT);
	struct decision d;

	(void)state;
	q.answer = answer;
	node_put(answer, "action", node_string("boot"));
	node_put(answer, "delay", node_int(5));
	policy_decide(&q, &d);
	assert_int_equal(d.delay_ms, 5000);
	decision_clear(&d);
	node_put(answer, "delay", node_number(0.25));
	policy_decide(&q, &d);
	assert_int_equal(d.delay_ms, 250);
	decision_clear(&d);
	node_put(answer, "action", node_string("stop"));
	node_put(answer, "status", node_int(42));
	policy_decide(&q, &d);
	assert_false(d.boot);
	assert_int_equal(d.status, 42);
	decision_clear(&d);
	node_free(answer);
}

static void test_exit_status(void **state)
{
	static const struct {
		struct outcome outcome;
		int exec, expected;
	} rows[] = {
		{ { CAUSE_REBOOT, 0, 0, false, NULL }, 0, 0 },
		{ { CAUSE_POWEROFF, 1, 0, false, NULL }, 0, 0 },
		{ { CAUSE_HALT, 2, 0, false, NULL }, 0, 0 },
		{ { CAUSE_TRIPLE_FAULT, 3, 0, false, NULL }, 0, 3 },
		{ { CAUSE_ERROR, 4, 0, false, NULL }, 0, 4 },
		{ { CAUSE_ERROR, 71, 0, false, NULL }, 0, 4 },
		{ { CAUSE_KILLED, -1, 9, false, NULL }, 0, 137 },
		{ { CAUSE_KILLED, -1, 15, false, NULL }, 0, 143 },
		{ { CAUSE_START_FAILED, 4, 0, true, NULL }, 0, 4 },
		{ { CAUSE_START_FAILED, -1, 0, false, NULL }, 126, 126 },
		{ { CAUSE_START_FAILED, -1, 0, false, NULL }, 127, 127 },
		{ { CAUSE_LOADER_FAILED, 1, 0, false, NULL }, 0, 4 },
		{ { CAUSE_LOADER_FAILED, -1, 0, false, NULL }, 127, 127 },
		{ { CAUSE_CHECK_FAILED, -1, 0, false, NULL }, 0, 69 },
		{ { CAUSE_NOT_READY, 0, 0, false, NULL }, 0, 5 },
		{ { CAUSE_UNHEALTHY, -1, 9, false, NULL }, 0, 5 },
		{ { CAUSE_TIMED_OUT, 1, 0, false, NULL }, 0, 5 },
		{ { CAUSE_GIVEN_UP, 0, 0, false, NULL }, 0, 10 },
		{ { CAUSE_STOPPED, 1, 0, false, NULL }, 0, 0 },
		{ { CAUSE_STOPPED, -1, 9, false, NULL }, 0, 0 },
	};
	bool seen[CAUSES] = { false };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		seen[rows[i].outcome.cause] = true;
		assert_int_equal(
		    policy_exit_status(&rows[i].outcome, rows[i].exec), rows[i].expected);
	}
	for (int i = 0; i < CAUSES; i++)
		assert_true(seen[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_on),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_on_status),
		cmocka_unit_test(test_given_up_for_ever),
		cmocka_unit_test(test_delays_of_on),
		cmocka_unit_test(test_statuses_in_lists),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_answers_with_numbers),
		cmocka_unit_test(test_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
